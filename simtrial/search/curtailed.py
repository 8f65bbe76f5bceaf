"""Curtailed designs: the exact single stage that ends when its decision is certain, and the best thresholds of CP.

* certain: the smallest exact single-stage design under non-stochastic curtailment. Its errors are those of the single
  stage, so it exists at the same n and no smaller; with fewer patients no single-stage design meets both limits.
* en_p0, en_p1, en_p0_minimax: stochastic curtailment by the recursive conditional power of single stages with N
  patients and any bound r, over the thresholds that R's package curtailment takes [1]_ (`simtrial.search.thresholds`).
  N runs over the multiples of the block from `Certificate.n_lower` to the largest N that is asked for; unless that is
  stated, it is the n of the single stage, or half as much again in blocks. That is a search within a class: rules
  with other bounds at the same looks can be better, and the certificate holds what none of them is below.

References
----------
.. [1] Law M, Grayling MJ, Mander AP. A stochastically curtailed single-arm phase II trial design for binary outcomes.
   J Biopharm Stat 2022;32:671-691. The paper was not seen; the class is taken from descriptions of the package.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import SingleStage
from simtrial.design.requirements import N_LIMIT, Requirements
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search import single
from simtrial.search.aim import LEAST_EN, LEAST_N, Aim
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.curtailment import bounds_of, curtail
from simtrial.search.given import design_of, floor, least_patients
from simtrial.search.record import Certificate, Criterion, Family, SearchResult
from simtrial.search.thresholds import InLimits, Watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design, Look

MORE = 1.5
"""The largest N in blocks that is looked at, as a share of the n of the exact single stage, where none is stated."""

WORK = 2e8
"""The sums that one search may take (`Watched.room`): .1 against .3 watched one by one is searched whole within it."""

LEAST_ROOM = 200
"""The fewest designs per N for which the search is worth its name."""


@dataclass(frozen=True)
class CurtailedSearch:
    """Curtailed designs that keep both limits, each kind computed when it is asked for.

    Attributes
    ----------
    requirements : Requirements
        The question.
    block : int
        Patients between looks.
    first : Candidate
        The smallest exact single-stage design.
    n_lower : int
        No design with fewer patients has the power.
    cap : int
        The largest N of stochastic curtailment.
    """

    requirements: Requirements
    block: int
    _: KW_ONLY
    first: Candidate
    n_lower: int
    cap: int

    @property
    def certain(self) -> SearchResult:
        """The smallest exact single stage, curtailed when its decision is certain."""
        first = self.first
        best = Candidate(curtail(first.design, block=self.block), self.requirements)
        proof = Certificate(how="proved", n_lower=self.n_lower, n_upper=first.n, value=first.n, bound=first.n)
        return SearchResult(best=best, certificate=proof)

    @property
    def sizes(self) -> range:
        """Every N that is looked at."""
        return range(-(-self.n_lower // self.block) * self.block, self.cap + 1, self.block)

    def result(self, aim: Aim) -> SearchResult:
        """The best of the class by a weighted sum.

        Raises
        ------
        InputError
            If the sum has a part that is not searched for, or nothing of the class keeps both limits.
        """
        if aim.en_max:
            raise InputError(f"({aim.what}) is not what this search makes small; weigh EN(p0) and EN(p1)", "criterion")
        return _result(self, aim)

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None beside the best ones."""
        return ()


@kept(256)
def _designs(requirements: Requirements, last: int, block: int, work: float) -> InLimits:
    watched = Watched(requirements, last, block, work)
    if watched.room < LEAST_ROOM:
        most = counted(last, "patient")
        raise InputError(f"({block}) makes too many looks at up to {most}; take larger blocks", "multiple_of")
    return watched.kept()


@kept(256)
def _result(found: CurtailedSearch, aim: Aim) -> SearchResult:
    asked, block = found.requirements, found.block
    if not found.sizes:
        raise _none(found)
    work = WORK / len(found.sizes)
    entries = [_designs(asked, n, block, work) for n in reversed(found.sizes)][::-1]
    last = np.repeat(list(found.sizes), [one.r.size for one in entries])
    r, lower, upper, most = (
        np.concatenate([getattr(one, name) for one in entries]) for name in ("r", "lower", "upper", "most")
    )
    expected = np.concatenate([one.expected for one in entries], axis=1)
    values = aim.en_p0 * expected[0] + aim.en_p1 * expected[1] + aim.n * most
    tied: dict[tuple[Look, ...], Candidate] = {}
    least: tuple[float, int] | None = None
    for i in np.lexsort((values, most)) if aim.smallest_n else np.argsort(values, kind="stable"):
        value = float(values[i]), int(most[i])
        if least is not None and not aim.equal(value, least):
            break
        stops = Watched(asked, int(last[i]), block).stops(int(r[i]), float(lower[i]), float(upper[i]))
        looks = tuple(bounds_of(stops))
        if looks not in tied and (design := Candidate(design_of(looks), asked)).keeps:
            tied[looks] = design
            least = least or value
    if least is None:
        raise _none(found)
    best, *ties = sorted(tied.values(), key=lambda design: aim.order(design, least[0]))
    # every N is a multiple of the block, so that the looks of all designs are among these
    looks_at = tuple(range(block, (least[1] if aim.smallest_n else found.cap) + 1, block))
    proof = Certificate(
        how="heuristic",
        n_lower=found.n_lower,
        n_upper=max(found.cap, found.n_lower),
        value=least[0],
        bound=min(floor(asked, looks_at, aim) + aim.n * found.n_lower, least[0]),
        cap=found.cap,
    )
    return SearchResult(best=best, ties=tuple(ties), certificate=proof)


def _none(found: CurtailedSearch) -> InputError:
    cap = counted(found.cap, "patient")
    return InputError(
        f"({found.cap}) is too small: no curtailed design in blocks of {found.block} with {found.n_lower} to {cap} "
        "meets both limits; raise it",
        "cap",
    )


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> CurtailedSearch:
    """Set up the search; `multiple_of` is the block, `cap` the largest N of stochastic curtailment.

    Raises
    ------
    InputError
        If another constraint is given, or more patients would have to be watched than can be searched.
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    first = single.single_stage(requirements, n_limit=n_limit).first
    block = asked.multiple_of
    most = first.n if block == 1 else MORE * first.n  # with few looks thresholds may need more patients
    cap = math.ceil(most / block) * block if asked.cap is None else asked.cap
    return CurtailedSearch(requirements, block, first=first, n_lower=least_patients(requirements, first.n), cap=cap)


def _single_stages(n: int) -> Iterator[Design]:
    """Every single stage with n patients, watched after each of them."""
    return (curtail(SingleStage(r, n)) for r in range(n))


def _smallest(designs: Sequence[Design], _: Requirements) -> Design:
    return min(designs, key=lambda design: (design.looks[-1].n, design.looks[-1].r))


def _found(found: CurtailedSearch, criterion: Criterion[CurtailedSearch]) -> SearchResult:
    return found.certain if criterion.aim is None else found.result(criterion.aim)


CONSTRAINTS = frozenset({"multiple_of", "cap"})
"""The constraints that it takes."""

LEAST_EN_P1 = Aim(en_p1=1.0)


def _stochastic(kind: str, aim: Aim, name: str, phrase: str, why: str) -> Criterion[CurtailedSearch]:
    return Criterion(
        key=f"curtailed_{kind}",
        name=name,
        phrase=phrase,
        method=name,
        looks=0,
        family="curtailed",
        kind=kind,
        why=why,
        pick=lambda found: found.result(aim).best,
        best=aim.best,
        aim=aim,
    )


CERTAIN: Criterion[CurtailedSearch] = Criterion(
    key="curtailed_certain",
    name="curtailed single stage",
    phrase="the smallest exact single-stage design, ended when its decision is certain",
    method="curtailed single stage",
    looks=0,
    family="curtailed",
    kind="certain",
    why="No single-stage design with fewer patients meets both limits, and it ends as soon as its decision is certain.",
    pick=lambda found: found.certain.best,
    best=_smallest,
)

FAMILY: Family[CurtailedSearch] = Family(
    key="curtailed",
    title="curtailed designs",
    bound=(
        "Thresholds of the conditional power were searched for designs with up to {n_upper} patients; no rule at such "
        "looks has a value below {bound:.4f}."
    ),
    references=(
        "Law M, Grayling MJ, Mander AP. A stochastically curtailed single-arm phase II trial design for binary "
        "outcomes. J Biopharm Stat 2022;32:671-691.",
    ),
    criteria=(
        CERTAIN,
        _stochastic(
            "en_p0", LEAST_EN, "curtailed, least EN(p0)",
            "the stochastically curtailed design with the least EN(p0)",
            "No design of its class that was examined has a smaller expected sample size EN(p0).",
        ),
        _stochastic(
            "en_p1", LEAST_EN_P1, "curtailed, least EN(p1)",
            "the stochastically curtailed design with the least EN(p1)",
            "No design of its class that was examined has a smaller expected sample size EN(p1).",
        ),
        _stochastic(
            "en_p0_minimax", LEAST_N, "curtailed, least n",
            "the stochastically curtailed design with the smallest n",
            "No design of its class that was examined has a smaller n, and none of the same n has a smaller EN(p0).",
        ),
    ),
    search=search,
    result=_found,
    every=_single_stages,
    constraints=CONSTRAINTS,
    main="curtailed_en_p0",
    beside=("certain", "en_p0"),
    weighs=True,
    quick_n=30,
    on_request=True,
)  # fmt: skip
"""What the register holds of curtailed designs."""
