"""Best stopping bounds on given looks, as a family of designs: `simtrial.search.stopping.solution` searches them.

Fixed bounds of any kind (Fleming, Chang), curtailed designs and designs with two or three stages on the same looks are
among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import MAX_LOOKS
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.search import bounds, single
from simtrial.search.aim import LEAST_EN
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.record import Criterion, Family, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.stopping.solution import BestBounds

CONSTRAINTS = frozenset({"looks_at", "cap", "multiple_of", "stops", "r1", "n1_least"})
"""The constraints that it takes."""


def looks_of(requirements: Requirements, constraints: Constraints, n_limit: int) -> tuple[int, ...]:
    """The looks: those given, or every patient up to the cap, which is that of a single stage if there is none.

    Raises
    ------
    InputError
        If they are more than `MAX_LOOKS`, or none.
    """
    if constraints.looks_at is not None:
        return given_looks(constraints, FAMILY.title)
    step, last = constraints.multiple_of, constraints.cap
    if last is None:
        first = single.single_stage(requirements, n_limit=n_limit).first.n
        sizes = np.arange(first, first + 100 * step + 1)
        sizes = sizes[sizes % step == 0]
        meets = single.saw_tooth(requirements, sizes).meets
        last = int(sizes[int(np.argmax(meets))])
    looks = tuple(n for n in range(step, last + 1, step) if n >= constraints.n1_least)
    if not looks:
        raise InputError(f"({last}) leaves no look; raise it", "cap")
    if len(looks) > MAX_LOOKS:
        raise InputError(
            f"({step}) makes {counted(len(looks), 'look')} up to n = {last}; at most {MAX_LOOKS} are allowed, so give "
            f"{-(-last // MAX_LOOKS)} or more, or the looks themselves",
            "multiple_of",
        )
    return looks


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> BestBounds:
    """Prepare the search; `BestBounds.result` makes it.

    Raises
    ------
    InputError
        If even the most powerful test needs more than `n_limit` patients, or more than there are at the last look.
    """
    from simtrial.search.stopping.solution import BestBounds  # here, because a register of families needs it not

    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    bounds.refuse(requirements, n_limit)
    looks = looks_of(requirements, asked, n_limit)
    if asked.r1 is not None and asked.r1 >= looks[0]:
        raise InputError(f"({asked.r1}) is not below the number of patients at the first look ({looks[0]})", "r1")
    if not bounds.can_have_power(looks[-1], requirements):
        field = "looks_at" if asked.looks_at is not None else "cap"
        raise InputError(f"({looks[-1]}) is too few patients for any test with these limits; raise it", field)
    return BestBounds(requirements, looks, asked)


def every(n: int) -> Iterator[Design]:
    """Every design with n patients and looks at any of 1..n: 28,212 for n = 7, about 6 times as many for each more."""
    from simtrial.search.stopping.corridor import design_of

    def rules(low: int, high: int, left: int) -> Iterator[list[tuple[int, int]]]:
        if left == 1:
            yield from ([(r, r + 1)] for r in range(low - 1, high + 2))  # the last: one that never rejects there
            return
        for r in range(low - 1, high + 1):
            for e in range(r + 2, high + 3):
                yield from ([(r, e), *rest] for rest in rules(r + 1, e - 1, left - 1))

    for rule in rules(0, 0, n):
        design = design_of(np.array(rule), range(1, n + 1))
        if design is not None:
            yield design


FAMILY: Family[Solved] = Family(
    key="best_bounds",
    title="designs with the best stopping bounds",
    bound=(
        "No design whose looks are among those given, the last at n = {n_upper}, has an EN(p0) below {bound:.4f}; that "
        "of the design found is {value:.4f}."
    ),
    references=(
        "Law M, Grayling MJ, Mander AP. A stochastically curtailed single-arm phase II trial design for binary "
        "outcomes. J Biopharm Stat 2022;32:671-691.",
    ),
    criteria=(
        Criterion(
            key="best_bounds_en_p0",
            name="best stopping bounds",
            phrase="the design with the best stopping bounds",
            method="best bounds",
            looks=0,
            family="best_bounds",
            kind="en_p0",
            why="No design found on the given looks has a smaller expected sample size EN(p0).",
            pick=lambda found: found.result(LEAST_EN).best,
            best=LEAST_EN.best,
            aim=LEAST_EN,
        ),
    ),
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    every=every,
    looks_given=True,
    weighs=True,
    quick_n=25,
    on_request=True,
)
"""What the register holds of best stopping bounds."""
