"""The answers: single-stage and two-stage designs that meet the limits, with the proof that nothing better exists.

Ties
----
Optimal: least EN(p0), then fewest n. Minimax: fewest n, then least EN(p0). Values of EN(p0) that floating point cannot
tell apart are compared as fractions. Designs equal in both differ in n1, r1 or r: the smaller n1 is taken, then the
larger r, which has the smaller type I error. `simtrial.neighbours` shows them all. r1 < r throughout: with r1 = r the
second stage cannot change the decision, so such a design is a single stage in disguise.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
.. [2] Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
.. [3] Jung SH, Lee T, Kim KM, George SL. Admissible two-stage designs for phase II cancer clinical trials. Stat Med
   2004;23:561-569.
.. [4] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
.. [5] Hoeffding W. Probability inequalities for sums of bounded random variables. J Am Stat Assoc 1963;58:13-30.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simtrial import exact
from simtrial.designs import Design, Look, SingleStage, TwoStage, count
from simtrial.errors import InputError
from simtrial.requirements import N_LIMIT, N_LIMIT_MOST, Requirements, decimal
from simtrial.scan import EN_CLOSE, SLACK, Found, Scan, expected_fraction, score_n

if TYPE_CHECKING:
    from fractions import Fraction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_RATE = 1e-9
"""Least p0 that is searched for: below it PET(p0) is 1 to the last digit, and n has no end."""

LEAST_ERROR = 1e-6
"""Least alpha and least 1 - power that are searched for: below it the tables would leave everything to fractions."""


def _most_power(n: int, requirements: Requirements) -> float:
    """Power of the randomised most powerful level-alpha test on n patients: no design with maximum n beats it [1]_."""
    from scipy import special

    r = int(smallest_r(np.array([n]), requirements.p0, requirements.alpha)[0])
    (at0, beyond0), (at1, beyond1) = (
        (special.bdtrc(r - 1, n, p) if r else 1.0, special.bdtrc(r, n, p)) for p in (requirements.p0, requirements.p1)
    )
    share = min((requirements.alpha - beyond0) / max(at0 - beyond0, 1e-300), 1.0)
    return float(beyond1 + share * (at1 - beyond1))


def can_have_power(n: int, requirements: Requirements) -> bool:
    """Whether the most powerful level-alpha test of n patients has the power: without it no design of n has."""

    def gap() -> Fraction:
        p0, p1, alpha = requirements.p0, requirements.p1, requirements.alpha
        r = int(smallest_r(np.array([n]), p0, alpha)[0])
        (at0, beyond0), (at1, beyond1) = (
            (exact.tail_fraction(r - 1, n, p), exact.tail_fraction(r, n, p)) for p in (p0, p1)
        )
        # smallest_r makes the share at most 1
        share = (decimal(alpha) - beyond0) / (at0 - beyond0)
        return beyond1 + share * (at1 - beyond1) - decimal(requirements.power)

    return int(exact.signs(_most_power(n, requirements), requirements.power, gap)) >= 0


def _check(requirements: Requirements, n_limit: int) -> None:
    """Refuse at once what no search here can answer."""
    count(n_limit, "n_limit", at_least=1)
    if n_limit > N_LIMIT_MOST:
        raise InputError(f"({n_limit}) must be at most {N_LIMIT_MOST}, for the sake of memory", "n_limit")
    if requirements.p0 < LEAST_RATE:
        raise InputError(f"({requirements.p0}) must be at least {LEAST_RATE} for a search", "p0")
    if requirements.alpha < LEAST_ERROR:
        raise InputError(f"({requirements.alpha}) must be at least {LEAST_ERROR} for a search", "alpha")
    if requirements.power > 1 - LEAST_ERROR:
        raise InputError(f"({requirements.power}) must be at most {1 - LEAST_ERROR} for a search", "power")
    # the Chernoff bound is quicker and settles most requests
    if _chernoff_n(requirements, grid=2) > n_limit and _most_power(n_limit, requirements) < requirements.power - SLACK:
        rough = score_n(requirements)
        about = f" (about {rough:,.0f})" if rough > n_limit else ""
        raise InputError(
            f"({requirements.p1}) is too near p0 ({requirements.p0}): even the most powerful test needs more than "
            f"{n_limit} patients{about}; widen the gap, relax alpha or power, or raise n_limit",
            "p1",
        )


@dataclass(frozen=True)
class Candidate:
    """A design that meets the limits, with its attained values. It is itself a design: it has looks."""

    design: SingleStage | TwoStage
    requirements: Requirements

    @property
    def r(self) -> int:
        """Bound at the end, cumulative."""
        return self.design.r

    @property
    def n(self) -> int:
        """Maximum number of patients."""
        return self.design.n

    @property
    def looks(self) -> tuple[Look, ...]:
        """The design as a sequence of looks."""
        return self.design.looks

    @cached_property
    def _at_limits(self) -> exact.OperatingCharacteristics:
        return exact.operating_characteristics(self.design, [self.requirements.p0, self.requirements.p1])

    @property
    def type_i_error(self) -> float:
        """P(reject H0; p0)."""
        return float(self._at_limits.reject[0])

    @property
    def power(self) -> float:
        """P(reject H0; p1)."""
        return float(self._at_limits.reject[1])

    @cached_property
    def at_limits(self) -> tuple[str, ...]:
        """Limits that are attained exactly, none spared: any of ``alpha`` and ``power``."""
        return exact.at_limits(self.design, self.requirements)

    @property
    def pet_p0(self) -> float:
        """Probability of early termination at p0."""
        return float(self._at_limits.pet[0])

    @property
    def en_p0(self) -> float:
        """Expected number of patients at p0."""
        return float(self._at_limits.en[0])

    @property
    def pet_p1(self) -> float:
        """Probability of early termination at p1."""
        return float(self._at_limits.pet[1])

    @property
    def en_p1(self) -> float:
        """Expected number of patients at p1."""
        return float(self._at_limits.en[1])


@dataclass(frozen=True)
class SingleStageSearch:
    """Both answers to "how many patients in one stage", which differ because power is a saw-tooth in n [4]_.

    Attributes
    ----------
    first : Candidate
        Smallest n that meets both limits.
    sustained : Candidate
        Smallest n from which every larger n also meets them.
    n_proven : int
        From this n on the Chernoff bound [5]_ proves that both limits can be met; below it every n was computed.
    """

    requirements: Requirements
    first: Candidate
    sustained: Candidate
    n_proven: int


def _chernoff_n(requirements: Requirements, grid: int = 1000) -> int:
    """An n from which every n has a single-stage design.

    With r = floor(n c) and p0 < c < p1, P(X > r; p0) <= exp(-n KL(c, p0)) and P(X <= r; p1) <= exp(-n KL(c, p1)) [5]_,
    so n >= max(log(1/alpha)/KL(c, p0), log(1/beta)/KL(c, p1)) is enough; the least over a grid of c is taken.
    """
    p0, p1 = requirements.p0, requirements.p1
    c = p0 + (p1 - p0) * np.arange(1, grid) / grid
    kl0, kl1 = (c * np.log(c / p) + (1 - c) * (np.log1p(-c) - math.log1p(-p)) for p in (p0, p1))
    # between rates that nearly coincide rounding leaves nothing of KL
    needed = -np.log([[requirements.alpha], [requirements.beta]]) / np.maximum([kl0, kl1], 1e-300)
    # one more, so that rounding in the lines above cannot matter
    return math.ceil(float(np.min(np.max(needed, axis=0)))) + 1


def smallest_r(n: Ints, p0: float, alpha: float) -> Ints:
    """Smallest r with P(X > r; n, p0) <= alpha for each n: the single-stage test of level alpha. Shape of `n`.

    Fractions settle the r whose probability is too near to alpha for floating point.
    """
    from scipy import special

    # a first guess, which fails (nan) where p0 is tiny; the loops make it right whatever it was
    guess = np.nan_to_num(np.floor(special.bdtrik(1 - alpha, n, p0)), nan=0.0)
    r: Ints = np.clip(guess, 0, n - 1).astype(np.int64)
    while (down := (r > 0) & (special.bdtrc(np.maximum(r - 1, 0), n, p0) <= alpha)).any():
        r -= down
    while (up := (r < n) & (special.bdtrc(r, n, p0) > alpha)).any():
        r += up
    for i in np.flatnonzero(np.abs(special.bdtrc(np.maximum(r - 1, 0), n, p0) - alpha) < alpha * exact.CLOSE):
        if r[i] > 0 and exact.tail_fraction(int(r[i]) - 1, int(n[i]), p0) <= decimal(alpha):
            r[i] -= 1
    for i in np.flatnonzero(np.abs(special.bdtrc(r, n, p0) - alpha) < alpha * exact.CLOSE):
        if r[i] < n[i] and exact.tail_fraction(int(r[i]), int(n[i]), p0) > decimal(alpha):
            r[i] += 1
    return r


def _powers(requirements: Requirements, n: Ints) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """The exact test of level alpha at each n: its r, its power, and whether that is at least the one asked for."""
    from scipy import special

    p1, asked = requirements.p1, requirements.power
    r = smallest_r(n, requirements.p0, requirements.alpha)
    power: Floats = special.bdtrc(r, n, p1)
    side = exact.signs(power, asked, lambda i: exact.tail_fraction(int(r[i]), int(n[i]), p1) - decimal(asked))
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
    _check(requirements, n_limit)
    n_proven = _chernoff_n(requirements)
    if n_proven > 100 * n_limit:
        raise InputError(
            f"({requirements.power}) is so near alpha ({requirements.alpha}), and p1 so near p0, that a sustained n is "
            f"proven only from {n_proven:,} patients on; ask for more power or a wider gap",
            "power",
        )
    n = np.arange(1, n_proven + 1)
    r, _, meets = _powers(requirements, n)
    first = int(np.argmax(meets))
    sustained = n_proven - int(np.argmin(meets[::-1])) if not meets.all() else 0
    first_design, sustained_design = (
        Candidate(SingleStage(int(r[i]), int(n[i])), requirements) for i in (first, sustained)
    )
    return SingleStageSearch(requirements, first_design, sustained_design, n_proven)


@dataclass(frozen=True)
class TwoStageCandidate(Candidate):
    """A two-stage design that meets the limits.

    Attributes
    ----------
    kinds : tuple of str
        Any of ``minimax``, ``optimal`` and ``admissible``; empty for a design off the hull.
    q_low, q_high : float or None
        The weights q for which it minimises q n + (1 - q) EN(p0) [3]_; None off the hull.
    """

    design: TwoStage
    kinds: tuple[str, ...] = ()
    q_low: float | None = None
    q_high: float | None = None

    @property
    def r1(self) -> int:
        """Futility bound of the first stage."""
        return self.design.r1

    @property
    def n1(self) -> int:
        """Patients of the first stage."""
        return self.design.n1


@dataclass(frozen=True)
class Certificate:
    """Why no better two-stage design exists.

    Attributes
    ----------
    n_lower : int
        No design with fewer patients can have the power: the most powerful randomised test lacks it [1]_.
    n_minimax : int
        Every n from `n_lower` to here was searched whole; here is the first that has a design.
    n_upper : int
        The last n at which any n1 could still have allowed an EN(p0) below the optimum; every n up to it was searched.
    optimal : TwoStageCandidate
        The optimum; its EN(p0) is `en_optimal`.
    en_beyond : float
        Lower bound on EN(p0) of every design with more than `n_upper` patients; at least `en_optimal`.
    solved : int
        How many (n, n1, r) were solved for r1.
    """

    n_lower: int
    n_minimax: int
    n_upper: int
    optimal: TwoStageCandidate
    en_beyond: float
    solved: int

    @property
    def en_optimal(self) -> float:
        """Least EN(p0) of all designs."""
        return self.optimal.en_p0


@dataclass(frozen=True)
class TwoStageSearch:
    """The admissible two-stage designs, by n, with the certificate that the search was complete.

    Attributes
    ----------
    admissible : tuple of TwoStageCandidate
        Points on the lower-left convex hull of (n, least EN(p0) given n), minimax first, optimal last.
    frontier : tuple of TwoStageCandidate
        Every design with a lower EN(p0) than all designs of fewer patients; the hull is drawn around these.
    """

    requirements: Requirements
    admissible: tuple[TwoStageCandidate, ...]
    frontier: tuple[TwoStageCandidate, ...]
    certificate: Certificate

    @property
    def minimax(self) -> TwoStageCandidate:
        """Fewest n, then least EN(p0)."""
        return self.admissible[0]

    @property
    def optimal(self) -> TwoStageCandidate:
        """Least EN(p0), then fewest n."""
        return self.admissible[-1]


def _hull(records: list[Found], p0: float) -> list[int]:
    """Indices of the points on the lower-left convex hull of (n, en); `records` rise in n and fall in en."""
    hull: list[int] = []
    for i, new in enumerate(records):
        while len(hull) > 1 and _above(records[hull[-2]], records[hull[-1]], new, p0):
            hull.pop()
        hull.append(i)
    return hull


def _above(a: Found, b: Found, c: Found, p0: float) -> bool:
    """Whether b lies above the line from a to c; on it, b is as good as both at the weight where they are equal."""
    run, whole = b.design.n - a.design.n, c.design.n - a.design.n
    height = (b.en - a.en) * whole - (c.en - a.en) * run
    if abs(height) > EN_CLOSE * whole:
        return height > 0
    ens = [expected_fraction(found.design, p0) for found in (a, b, c)]
    return (ens[1] - ens[0]) * whole > (ens[2] - ens[0]) * run


def two_stage(requirements: Requirements, *, n_limit: int = N_LIMIT) -> TwoStageSearch:
    """Find the minimax, the optimal and every admissible two-stage design, and prove it.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this. It does not bound the search.

    Raises
    ------
    InputError
        If the Neyman-Pearson bound on n passes `n_limit`.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> found = two_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))
    >>> found.minimax.design
    TwoStage(r1=1, n1=15, r=5, n=25, e1=None)
    >>> found.optimal.design
    TwoStage(r1=1, n1=10, r=5, n=29, e1=None)
    >>> found.certificate.n_lower, found.certificate.n_upper
    (23, 35)
    """
    _check(requirements, n_limit)
    scan = Scan(requirements)
    records = scan.records
    hull = _hull(records, requirements.p0)
    # a weight q prefers the left of two neighbours on the hull when q dn > (1 - q) dEN
    cuts = [1.0]
    for a, b in pairwise(hull):
        fall, rise = records[a].en - records[b].en, records[b].design.n - records[a].design.n
        cuts.append(min(fall / (fall + rise), cuts[-1]))  # three on one line share a weight, to the last digit
    cuts.append(0.0)
    names = {0: "minimax", len(hull) - 1: "optimal"}
    admissible = []
    for k, i in enumerate(hull):
        kinds = ("minimax", "optimal") if len(hull) == 1 else (names.get(k, "admissible"),)
        admissible.append(TwoStageCandidate(records[i].design, requirements, kinds, cuts[k + 1], cuts[k]))
    on_hull = dict(zip(hull, admissible, strict=True))
    frontier = [on_hull.get(i) or TwoStageCandidate(found.design, requirements) for i, found in enumerate(records)]
    certificate = Certificate(
        scan.n_lower, records[0].design.n, scan.n_upper, admissible[-1], scan.least_en(scan.n_upper + 1), scan.examined
    )
    return TwoStageSearch(requirements, tuple(admissible), tuple(frontier), certificate)


@dataclass(frozen=True)
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
    return SawTooth(n, r, special.bdtrc(r, n, requirements.p0), power, meets)


def choose(requirements: Requirements, wish: str | Design, *, n_limit: int = N_LIMIT) -> Design:
    """Give the design that is wished for: the best one by a criterion, or the design itself.

    Parameters
    ----------
    wish : str or Design
        ``minimax``, ``optimal``, ``single_stage_first``, ``single_stage_sustained``, or any design. A two-stage
        design that is admissible comes back as the candidate that it is.

    Raises
    ------
    InputError
        If the criterion is unknown.
    """
    match wish:
        case "minimax":
            return two_stage(requirements, n_limit=n_limit).minimax
        case "optimal":
            return two_stage(requirements, n_limit=n_limit).optimal
        case "single_stage_first":
            return single_stage(requirements, n_limit=n_limit).first
        case "single_stage_sustained":
            return single_stage(requirements, n_limit=n_limit).sustained
        case str():
            raise InputError(
                f"({wish!r}) must be minimax, optimal, single_stage_first or single_stage_sustained", "criterion"
            )
        case TwoStage():
            same = (c for c in two_stage(requirements, n_limit=n_limit).admissible if c.design == wish)
            return next(same, wish)
    return wish
