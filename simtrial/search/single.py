"""Single-stage designs that meet the limits: the first n, and the n from which every larger one does too.

References
----------
.. [1] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
.. [2] Hoeffding W. Probability inequalities for sums of bounded random variables. J Am Stat Assoc 1963;58:13-30.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import binomial, exact
from simtrial.design.designs import SingleStage
from simtrial.design.requirements import N_LIMIT, Requirements, decimal
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.search import bounds
from simtrial.search.bounds import smallest_r
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.record import Certificate, Criterion, Family, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simtrial.design.designs import Design
    from simtrial.numbers import Floats, Ints


@dataclass(frozen=True)
class SingleStageSearch:
    """Both answers to "how many patients in one stage", which differ because power is a saw-tooth in n [1]_.

    Attributes
    ----------
    first : Candidate
        Smallest n that meets both limits.
    sustained : Candidate
        Smallest n from which every larger n also meets them.
    n_proven : int
        From this n on the Chernoff bound [2]_ proves that both limits can be met; below it every n was computed.
    """

    requirements: Requirements
    first: Candidate
    sustained: Candidate
    n_proven: int


def _powers(requirements: Requirements, n: Ints) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """The exact test of level alpha at each n: its r, its power, and whether that is at least the one asked for."""
    from scipy import special

    p1, asked = requirements.p1, requirements.power
    r = smallest_r(n, requirements.p0, requirements.alpha)
    power: Floats = special.bdtrc(r, n, p1)
    side = exact.signs(power, asked, lambda i: binomial.tail_fraction(int(r[i]), int(n[i]), p1) - decimal(asked))
    return r, power, side >= 0


def single_stage(requirements: Requirements, *, n_limit: int = N_LIMIT) -> SingleStageSearch:
    """Find the first and the sustained exact single-stage sample size.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this.

    Raises
    ------
    InputError
        If the Neyman-Pearson bound on n passes `n_limit`.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> found = single_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))
    >>> found.first.design, found.sustained.design
    (SingleStage(r=5, n=25), SingleStage(r=6, n=29))
    """
    bounds.refuse(requirements, n_limit)
    n_proven = bounds.chernoff_n(requirements)
    if n_proven > 100 * n_limit:
        raise InputError(
            f"({requirements.power}) is so near alpha ({requirements.alpha}), and p1 so near p0, that a sustained n is "
            f"proven only from n = {n_proven:,}; ask for more power or a wider gap",
            "power",
        )
    return _known(requirements, n_proven)


@kept(1024)
def _known(requirements: Requirements, n_proven: int) -> SingleStageSearch:
    return _single_stage(requirements, n_proven)


def _single_stage(requirements: Requirements, n_proven: int) -> SingleStageSearch:
    n = np.arange(1, n_proven + 1)
    r, _, meets = _powers(requirements, n)
    first = int(np.argmax(meets))
    sustained = n_proven - int(np.argmin(meets[::-1])) if not meets.all() else 0
    first_design, sustained_design = (
        Candidate(SingleStage(int(r[i]), int(n[i])), requirements) for i in (first, sustained)
    )
    return SingleStageSearch(requirements, first_design, sustained_design, n_proven)


@dataclass(frozen=True, kw_only=True)
class SawTooth:
    """The exact level-alpha test at each n: arrays of one shape. Power falls whenever r has to step up.

    Attributes
    ----------
    n, r : ndarray of int
        Patients, and the smallest r that keeps alpha.
    type_i_error, power : ndarray
        P(X > r) at p0 and at p1.
    meets : ndarray of bool
        Whether the power is at least the one asked for, settled in fractions where floating point cannot tell.
    """

    n: Ints
    r: Ints
    type_i_error: Floats
    power: Floats
    meets: NDArray[np.bool_]


def saw_tooth(requirements: Requirements, n: Ints) -> SawTooth:
    """Evaluate the exact single-stage test of level alpha at each n."""
    from scipy import special

    r, power, meets = _powers(requirements, n)
    return SawTooth(n=n, r=r, type_i_error=special.bdtrc(r, n, requirements.p0), power=power, meets=meets)


def _first(designs: Sequence[Design], _: Requirements) -> Design:
    return min(designs, key=lambda design: (design.looks[-1].n, design.looks[-1].r))


def _sustained(designs: Sequence[Design], requirements: Requirements) -> Design:
    sizes = {design.looks[-1].n for design in designs}
    first = max(sizes)
    while first - 1 in sizes:
        first -= 1
    return _first([design for design in designs if design.looks[-1].n == first], requirements)


def _result(found: SingleStageSearch, criterion: Criterion[SingleStageSearch]) -> SearchResult:
    """What was found: n is the value of the smallest design; of the other one nothing is proved but n itself."""
    best = found.sustained if criterion.key == SUSTAINED.key else found.first
    lower = found.first.n
    proof = Certificate(how="proved", n_lower=lower, n_upper=found.n_proven, value=best.n, bound=best.n)
    return SearchResult(best=best, certificate=proof)


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> SingleStageSearch:
    """`single_stage`, which takes no constraint."""
    constraints.only((), FAMILY.title)
    return single_stage(requirements, n_limit=n_limit)


FIRST: Criterion[SingleStageSearch] = Criterion(
    key="single_stage_first",
    name="exact single stage (first n)",
    phrase="the smallest exact single-stage design",
    method="first n",
    looks=1,
    family="single",
    kind="first",
    why="No single-stage design with fewer patients meets both limits.",
    pick=lambda found: found.first,
    best=_first,
    protocol="an exact single-stage design",
)

SUSTAINED: Criterion[SingleStageSearch] = Criterion(
    key="single_stage_sustained",
    name="exact single stage (sustained n)",
    phrase="the exact single-stage design from whose n on every larger n meets both limits too",
    method="sustained n",
    looks=1,
    family="single",
    kind="sustained",
    why="Every larger n meets both limits too, although power is a saw-tooth in n.",
    pick=lambda found: found.sustained,
    best=_sustained,
    protocol="an exact single-stage design",
)

FAMILY: Family[SingleStageSearch] = Family(
    key="single",
    title="exact single-stage designs",
    bound="From n = {n_upper} on the Chernoff bound proves that both limits can be met; every smaller n is computed.",
    references=("A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.",),
    criteria=(FIRST, SUSTAINED),
    search=search,
    result=_result,
    every=lambda n: (SingleStage(r, n) for r in range(n)),
    holds=lambda design: isinstance(design, SingleStage),
    beside=("first",),
    together="exact single stage (first and sustained n)",
)
"""What the register holds of the single stage."""
