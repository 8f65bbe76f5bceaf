"""What a larger number of patients buys against losses: chances of n evaluable, and what becomes of the errors.

Inflated designs keep their bounds: `r1` of ceil(n1 / (1 - d)) and `r` of ceil(n / (1 - d)) patients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above
from simtrial.design.branching import Branching
from simtrial.design.designs import MultiStage
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import SecondStage, branched
from simtrial.plan.allowances import enrolled_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.design.second_stages import BranchLook, Stop
    from simtrial.numbers import Floats
    from simtrial.plan.dropout import Dropout


MOST_ROWS = 15
"""Most inflated numbers shown."""


def probability_enough(n: int, enrolled: Sequence[int], loss: float) -> Floats:
    """P(at least n evaluable of each number enrolled), losses independent: a binomial tail."""
    return above(n - 1, np.asarray(enrolled), 1 - loss)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inflated:
    """One number of patients enrolled in place of n, bounds kept, losses counted as non-responders.

    Attributes
    ----------
    enrolled : int
        Patients at the last look.
    enough : float
        P(at least n of them evaluable) where p1 is the true rate.
    type_i_error, power : float
        P(reject H0) when p0 and p1 are the rates with every patient evaluable: everything at p (1 - d).
    type_i_error_all : float
        P(reject H0) when p0 is the rate among all enrolled, dropouts included.
    design : Design
        The looks with the inflated numbers.
    """

    enrolled: int
    enough: float
    type_i_error: float
    power: float
    type_i_error_all: float
    design: Design


def enlarged(design: Design, enrolled: int, loss: float) -> Branching | MultiStage:
    """The looks with their bounds at ceil(n_k / (1 - d)) patients, the last at the number enrolled; n as it is.

    A second stage that depends on the first keeps the bound of its number of responses, the last row of the table
    standing for more responses than the first stage was to have.
    """
    table = branched(design.looks)
    if table is not None:
        return _enlarged_table(table, design.looks[-1].n, enrolled, loss)
    *interim, final = design.looks
    if enrolled == final.n:
        return MultiStage(tuple(design.looks))
    earlier = [
        replace(look, n=min(enrolled_for(look.n, loss), enrolled - len(interim) + k)) for k, look in enumerate(interim)
    ]
    return MultiStage((*earlier, replace(final, n=enrolled)))


def _enlarged_table(table: BranchLook, n: int, enrolled: int, loss: float) -> Branching:
    if enrolled == n:
        return Branching(table.n, table.after)
    n1 = min(enrolled_for(table.n, loss), enrolled - 1)
    rows: list[Stop | SecondStage] = []
    for x in range(n1 + 1):
        row = table.after[min(x, table.n)]
        if isinstance(row, SecondStage):
            whole = table.n + row.n2
            n2 = (enrolled if whole == n else min(enrolled_for(whole, loss), enrolled)) - n1
            row = SecondStage(n2, row.r) if row.r < x + n2 else "accept"  # with fewer patients it cannot reject H0
        rows.append(row)
    return Branching(n1, tuple(rows))


def inflated(design: Design, requirements: Requirements, loss: Dropout) -> list[Inflated]:
    """Enroll more, from the planned n up to the first number that secures n evaluable patients nine times in ten.

    Parameters
    ----------
    design : Design
        Planned looks.
    requirements : Requirements
        p0 and p1.
    loss : Dropout
        Law of loss; d is the overall probability at p1.

    Returns
    -------
    list of Inflated
        The planned looks first, then at most `MOST_ROWS` more and ceil(n / (1 - d)). Earlier looks of inflated designs
        stand at ceil(n_k / (1 - d)).
    """
    n, d = design.looks[-1].n, loss.lost(requirements.p1)
    usual = last = enrolled_for(n, d)
    while float(probability_enough(n, [last], d)[0]) < 0.9:
        last += max(1, n // 100)
    numbers = {usual, *(int(k) for k in np.linspace(n + 1, last, min(MOST_ROWS, last - n)))} if last > n else set()
    p0, p1 = requirements.p0, requirements.p1
    rates = [float(loss.seen(p0)), float(loss.seen(p1)), p0]
    found = []
    for number in sorted({n, *numbers}):
        larger = enlarged(design, number, d)
        type_i_error, power, type_i_error_all = (float(v) for v in operating_characteristics(larger, rates).reject)
        enough = float(probability_enough(n, [number], d)[0])
        found.append(
            Inflated(
                enrolled=number,
                enough=enough,
                type_i_error=type_i_error,
                power=power,
                type_i_error_all=type_i_error_all,
                design=larger,
            )
        )
    return found
