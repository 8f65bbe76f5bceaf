"""Three-stage designs that stop first only if nobody responds (Ensign [1]_): the optimal one and the minimax one.

As `simtrial.search.three_stage`, with r1 = 0 and n1 >= 5. Paper not seen: the definition and its examples are those of
the methods of this project.

References
----------
.. [1] Ensign LG, Gehan EA, Kamen DS, Thall PF. An optimal three-stage design for phase II clinical trials. Stat Med
   1994;13:1727-1736.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.design.requirements import N_LIMIT
from simtrial.search import three_stage
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.record import Criterion, Family, Solved, solved

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements

FEWEST = 5
"""Fewest patients at the first look."""

CONSTRAINTS = three_stage.CONSTRAINTS - {"r1", "looks_at"}
"""The constraints that it takes."""


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> Solved:
    """Find the optimal and the minimax design with r1 = 0 and n1 >= 5, and prove it.

    Raises
    ------
    InputError
        As `search_three`, or if a constraint is not possible.

    Examples
    --------
    >>> from simtrial import Requirements, looks_text
    >>> looks_text(search(Requirements(p0=0.2, p1=0.4, alpha=0.05, power=0.8)).result(OPTIMAL.aim).best, " ")
    '0/5 4/17 12/43'
    """
    from simtrial.search.three_looks.looks import search_three  # here, because a register of families needs it not

    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    ensign = replace(asked, r1=0, n1_least=max(asked.n1_least, FEWEST))
    return search_three(requirements, ensign, n_limit=n_limit)


OPTIMAL: Criterion[Solved] = replace(
    three_stage.OPTIMAL,
    key="ensign_optimal",
    name="Ensign optimal",
    phrase="the optimal design of Ensign",
    method="Ensign optimal",
    family="ensign",
    why="No three-stage design with r1 = 0 and n1 >= 5 that meets both limits has a smaller EN(p0).",
)

MINIMAX: Criterion[Solved] = replace(
    three_stage.MINIMAX,
    key="ensign_minimax",
    name="Ensign minimax",
    phrase="the minimax design of Ensign",
    method="Ensign minimax",
    family="ensign",
    why="No three-stage design with r1 = 0 and n1 >= 5 that meets both limits has a smaller n, and none of the same n "
    "has a smaller EN(p0).",
)

FAMILY: Family[Solved] = Family(
    key="ensign",
    title="three-stage designs with r1 = 0 and n1 >= 5",
    bound="With more than {n_upper} patients EN(p0) is at least {bound:.4f}; the optimal design of Ensign attains "
    "{value:.4f}.",
    references=(
        "Ensign LG, Gehan EA, Kamen DS, Thall PF. An optimal three-stage design for phase II clinical trials. Stat Med "
        "1994;13:1727-1736.",
    ),
    criteria=(OPTIMAL, MINIMAX),
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    main=OPTIMAL.key,
    quick_n=100,
    on_request=True,
    holds=lambda design: three_stage.rises(design) and design.looks[0].r == 0 and design.looks[0].n >= FEWEST,
    every=lambda n: three_stage.three_stages(n, r1=0, n1_least=FEWEST),
)
"""What the register holds of Ensign's designs."""
