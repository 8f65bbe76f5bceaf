"""Three-stage designs (Chen [1]_): the optimal one and the minimax one.

r1/n1, r2/n2, r3/n3, all cumulative: stop for futility if X1 <= r1 or X2 <= r2, reject H0 if X3 > r3. The bounds
increase, 0 <= r1 < r2 < r3: with r1 = r2, or a look that cannot stop, a design has two stages in disguise and is left
out. The optimal design has the least EN(p0), the minimax design the least n3 and of these the least EN(p0). Paper not
seen: the definition and its examples are those of the methods of this project.

The search is complete by the bounds in `simtrial.search.three_looks.scan`. On request the two looks may also stop for
efficacy (``stops="both"``), each or none; then designs whose third look cannot be reached, or cannot reject, are left
out as well.

References
----------
.. [1] Chen TT. Optimal three-stage designs for phase II cancer clinical trials. Stat Med 1997;16:2701-2711.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.designs import Look, MultiStage
from simtrial.design.requirements import N_LIMIT
from simtrial.search.aim import LEAST_EN, LEAST_N
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.record import Criterion, Family, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements

CONSTRAINTS = frozenset({"r1", "n1_least", "balanced", "cap", "multiple_of", "looks_at", "stops"})
"""The constraints that it takes."""


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> Solved:
    """Find the optimal and the minimax three-stage design, and prove it.

    Raises
    ------
    InputError
        As `search_three`, or if a constraint is not possible.

    Examples
    --------
    >>> from simtrial import Requirements, looks_text
    >>> found = search(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))
    >>> looks_text(found.result(LEAST_EN).best, " "), looks_text(found.result(LEAST_N).best, " ")
    ('0/6 2/17 5/29', '0/11 2/19 5/25')
    """
    from simtrial.search.three_looks.looks import search_three  # here, because a register of families needs it not

    return search_three(requirements, constraints.only(CONSTRAINTS, FAMILY.title), n_limit=n_limit)


def three_stages(n: int, r1: int | None = None, n1_least: int = 1) -> Iterable[MultiStage]:
    """Every design of three looks with n patients, with one r1 or all of them."""
    return (
        MultiStage((Look(n1, first), Look(n2, second), Look(n, third)))
        for n1 in range(n1_least, n - 1)
        for n2 in range(n1 + 1, n)
        for first in (range(n1) if r1 is None else [r1])
        for second in range(first + 1, n2)
        for third in range(second + 1, n)
    )


def rises(design: Design) -> bool:
    """Whether a design has three looks for futility, at each of which the bound is higher."""
    bounds = [look.r for look in design.looks if look.r is not None and look.e is None]
    return len(bounds) == len(design.looks) == 3 and bounds == sorted(set(bounds))


OPTIMAL: Criterion[Solved] = Criterion(
    key="three_stage_optimal",
    name="three-stage optimal",
    phrase="the optimal three-stage design",
    method="three-stage optimal",
    looks=3,
    family="three_stage",
    kind="optimal",
    why="No three-stage design that meets both limits has a smaller expected sample size EN(p0).",
    pick=lambda found: found.result(LEAST_EN).best,
    best=LEAST_EN.best,
    aim=LEAST_EN,
)

MINIMAX: Criterion[Solved] = Criterion(
    key="three_stage_minimax",
    name="three-stage minimax",
    phrase="the minimax three-stage design",
    method="three-stage minimax",
    looks=3,
    family="three_stage",
    kind="minimax",
    why="No three-stage design that meets both limits has a smaller n, and none of the same n has a smaller EN(p0).",
    pick=lambda found: found.result(LEAST_N).best,
    best=LEAST_N.best,
    aim=LEAST_N,
)

FAMILY: Family[Solved] = Family(
    key="three_stage",
    title="three-stage designs",
    bound="With more than {n_upper} patients EN(p0) is at least {bound:.4f}; the optimal three-stage design attains "
    "{value:.4f}.",
    references=(
        "Chen TT. Optimal three-stage designs for phase II cancer clinical trials. Stat Med 1997;16:2701-2711.",
    ),
    criteria=(OPTIMAL, MINIMAX),
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    main=OPTIMAL.key,
    quick_n=100,
    on_request=True,
    every=three_stages,
    holds=rises,
)
"""What the register holds of three-stage designs."""
