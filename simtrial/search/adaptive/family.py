"""Two stages whose second one depends on the first, as a family: `simtrial.search.branching` searches them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from simtrial.design.branching import Branching
from simtrial.design.requirements import N_LIMIT
from simtrial.design.second_stages import SecondStage
from simtrial.search.aim import LEAST_EN
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.record import Criterion, Family, SearchResult, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.design.second_stages import AfterFirst
    from simtrial.search.aim import Aim
    from simtrial.search.branching.found import BranchingFound, Restrictions

CONSTRAINTS = frozenset({"cap", "n1_least", "any_order", "n2_falls"})
"""The constraints that it takes."""


@dataclass(frozen=True, kw_only=True)
class BranchingCandidate(Candidate):
    """An adaptive design that meets the limits, with all that its search found.

    Attributes
    ----------
    found : BranchingFound
        The design with its linear bound, restrictions and certificate.
    """

    found: BranchingFound


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """What the search is asked; each weighted sum is searched when it is asked for.

    Attributes
    ----------
    asked : Requirements
        The limits.
    restrictions : Restrictions
        What else is asked, the cap filled in.
    n_limit : int
        Refuse if even the most powerful test needs more patients.
    """

    asked: Requirements
    restrictions: Restrictions
    n_limit: int

    def result(self, aim: Aim) -> SearchResult:
        """The best design by a weighted sum of EN(p0) and EN(p1), with its certificate."""
        from simtrial.search import branching  # here, because a register of families needs it not

        weight = aim.en_p1 / (aim.en_p0 + aim.en_p1)
        found = branching.search(self.asked, weight=weight, restrictions=self.restrictions, n_limit=self.n_limit)
        best = BranchingCandidate(design=found.design, requirements=self.asked, found=found)
        return SearchResult(best=best, certificate=found.certificate)

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None: designs between the best ones are searched by weights."""
        return ()


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> Adaptive:
    """Prepare the search; `Adaptive.result` makes it.

    Raises
    ------
    InputError
        If too many patients are needed.
    """
    from simtrial.search import branching

    given = constraints.only(CONSTRAINTS, FAMILY.title)
    restrictions = branching.Restrictions(
        cap=given.cap, n1_least=given.n1_least, monotone=not given.any_order, falling=given.n2_falls
    )
    return Adaptive(
        asked=requirements, restrictions=branching.with_cap(requirements, restrictions, n_limit), n_limit=n_limit
    )


def every(n: int) -> Iterator[Branching]:
    """Every table whose largest number of patients is n: 1,286 for n = 5.

    Left out are second stages that reject H0 whatever they see, for which a stop does.
    """
    for n1 in range(1, n + 1):
        rows: list[list[str | SecondStage]] = [
            ["accept", "reject", *(SecondStage(n2, r) for n2 in range(1, n - n1 + 1) for r in range(x, x + n2))]
            for x in range(n1 + 1)
        ]
        for after in product(*rows):
            table: AfterFirst = after  # type: ignore[assignment]  # the words are the two stops
            design = Branching(n1, table)
            if design.n_max == n:
                yield design


def best(designs: Sequence[Design], requirements: Requirements) -> Design:
    """The least EN(p0) among the tables whose conditional error never falls."""
    rising = [one for one in designs if isinstance(one, Branching) and one.is_monotone(requirements.p0)]
    return LEAST_EN.best(rising, requirements)


FAMILY: Family[Solved] = Family(
    key="adaptive",
    title="adaptive two-stage designs",
    bound=(
        "Among those with at most {n_upper} patients whose conditional type I error never falls as responses rise, "
        "none has an EN(p0) below {value:.4f}; no such design of any size is below {bound:.4f}."
    ),
    references=(
        "Banerjee A, Tsiatis AA. Adaptive two-stage designs in phase II clinical trials. Stat Med 2006;25:3382-3395.",
        "Englert S, Kieser M. Optimal adaptive two-stage designs for phase II cancer clinical trials. Biom J "
        "2013;55:955-968.",
    ),
    criteria=(
        Criterion(
            key="adaptive_en_p0",
            name="adaptive two-stage",
            phrase="the adaptive two-stage design with the least EN(p0)",
            method="adaptive",
            looks=0,
            family="adaptive",
            kind="en_p0",
            why="Of the two-stage designs whose second stage depends on the first, and that need no more patients than "
            "the cap, none has a smaller EN(p0).",
            protocol="an adaptive two-stage design, whose second stage depends on the number of responses in the first",
            pick=lambda found: found.result(LEAST_EN).best,
            best=best,
            aim=LEAST_EN,
        ),
    ),
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    every=every,
    weighs=True,
    quick_n=30,
    on_request=True,
)
"""What the register holds of adaptive designs."""
