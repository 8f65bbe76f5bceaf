"""Two-stage designs without an efficacy stop that meet the limits, with the proof that nothing better exists.

Ties
----
Optimal: least EN(p0), then fewest n. Minimax: fewest n, then least EN(p0). Values of EN(p0) that floating point cannot
tell apart are compared as fractions. Designs equal in both differ in n1, r1 or r: the smaller n1 is taken, then the
larger r, which has the smaller type I error. `simtrial.search.neighbours` shows them all. r1 < r throughout: with
r1 = r the second stage cannot change the decision, so such a design is a single stage in disguise.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
.. [2] Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from simtrial.design.designs import TwoStage
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST, Requirements
from simtrial.errors import InputError
from simtrial.memo import OnDemand, kept
from simtrial.search import bounds
from simtrial.search.aim import LEAST_EN, LEAST_N, Aim
from simtrial.search.candidate import TwoStageCandidate
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.record import Certificate, Criterion, Family, SearchResult, Solved, solved
from simtrial.search.scan import EN_CLOSE, Best, Scan, expected_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from simtrial.search.candidate import Candidate


@dataclass(frozen=True, kw_only=True)
class TwoStageCertificate:
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
        How many (n, n1, r) were solved for r1; with recalculated bounds, how many designs had their power computed.
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
    certificate: TwoStageCertificate

    @property
    def minimax(self) -> TwoStageCandidate:
        """Fewest n, then least EN(p0)."""
        return self.admissible[0]

    @property
    def optimal(self) -> TwoStageCandidate:
        """Least EN(p0), then fewest n."""
        return self.admissible[-1]

    def result(self, aim: Aim) -> SearchResult:
        """What was found by one of the two criteria. Ties are searched for when they are looked at.

        Raises
        ------
        InputError
            If something else than EN(p0) is to be small: `simtrial.search.two_looks.looks` searches for it.
        """
        if aim not in (LEAST_EN, LEAST_N):
            raise InputError(f"({aim.what}) is not what this search makes small", "criterion")
        best = self.optimal if aim == LEAST_EN else self.minimax
        proof = self.certificate
        beyond = proof.en_beyond if aim == LEAST_EN else best.en_p0
        certificate = Certificate(
            how="proved",
            n_lower=proof.n_lower,
            n_upper=proof.n_upper if aim == LEAST_EN else best.n,
            value=best.en_p0,
            bound=min(best.en_p0, beyond),
        )
        # with recalculated bounds other designs are equal, and nobody lists them
        ties = OnDemand(partial(_ties, self.requirements, aim)) if type(best) is TwoStageCandidate else ()
        return SearchResult(best=best, ties=ties, frontier=self.frontier, certificate=certificate)


def _hull(records: Sequence[Best], expected: Callable[[TwoStage], Fraction]) -> list[int]:
    """Indices of the points on the lower-left convex hull of (n, en); `records` rise in n and fall in en."""
    hull: list[int] = []
    for i, new in enumerate(records):
        while len(hull) > 1 and _above(records[hull[-2]], records[hull[-1]], new, expected):
            hull.pop()
        hull.append(i)
    return hull


def _above(a: Best, b: Best, c: Best, expected: Callable[[TwoStage], Fraction]) -> bool:
    """Whether b lies above the line from a to c; on it, b is as good as both at the weight where they are equal."""
    run, whole = b.design.n - a.design.n, c.design.n - a.design.n
    height = (b.en - a.en) * whole - (c.en - a.en) * run
    if abs(height) > EN_CLOSE * whole:
        return height > 0
    ens = [expected(found.design) for found in (a, b, c)]
    return (ens[1] - ens[0]) * whole > (ens[2] - ens[0]) * run


def assembled(
    records: Sequence[Best], expected: Callable[[TwoStage], Fraction], made: Callable[..., TwoStageCandidate]
) -> tuple[tuple[TwoStageCandidate, ...], tuple[TwoStageCandidate, ...]]:
    """The admissible designs and the frontier, as `TwoStageSearch` holds them.

    Parameters
    ----------
    records : sequence of Best
        Each design with a lower EN(p0) than all designs of fewer patients, by n.
    expected : callable
        EN(p0) of a design as an exact fraction, for what floating point cannot tell apart.
    made : callable
        The candidate of a design, with ``kinds``, ``q_low`` and ``q_high`` where it is on the hull.
    """
    hull = _hull(records, expected)
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
        admissible.append(made(records[i].design, kinds=kinds, q_low=cuts[k + 1], q_high=cuts[k]))
    on_hull = dict(zip(hull, admissible, strict=True))
    return tuple(admissible), tuple(on_hull.get(i) or made(found.design) for i, found in enumerate(records))


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
    bounds.refuse(requirements, n_limit)
    return _known(requirements)


@kept(1024)
def _known(requirements: Requirements) -> TwoStageSearch:
    return _two_stage(requirements)


def _two_stage(requirements: Requirements) -> TwoStageSearch:
    scan = Scan(requirements)
    records = scan.records
    admissible, frontier = assembled(
        records,
        lambda design: expected_fraction(design, requirements.p0),
        partial(TwoStageCandidate, requirements=requirements),
    )
    certificate = TwoStageCertificate(
        n_lower=scan.n_lower,
        n_minimax=records[0].design.n,
        n_upper=scan.n_upper,
        optimal=admissible[-1],
        en_beyond=scan.least_en(scan.n_upper + 1),
        solved=scan.examined,
    )
    return TwoStageSearch(requirements, admissible, frontier, certificate)


def _ties(requirements: Requirements, aim: Aim) -> Sequence[Candidate]:
    """Designs that are as good, from the search for any two looks, which takes longer."""
    from simtrial.search.two_looks import looks as two_looks  # here and below: most searches go without it

    found = two_looks.search(
        requirements, Constraints(stops="futility"), n_limit=N_LIMIT_MOST, together=(LEAST_EN, LEAST_N)
    )
    return found.result(aim).ties


def search(
    requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE
) -> TwoStageSearch | Solved:
    """Find Simon's designs; under constraints by the search for any two looks.

    Raises
    ------
    InputError
        As `two_stage`, or if the constraints leave no design.
    """
    if constraints == FREE:
        return two_stage(requirements, n_limit=n_limit)
    from simtrial.search.two_looks import looks as two_looks

    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    aims = (LEAST_N, LEAST_EN)
    return two_looks.search(requirements, replace(asked, stops="futility"), n_limit=n_limit, together=aims)


MINIMAX: Criterion[Solved] = Criterion(
    key="minimax",
    name="Simon minimax",
    phrase="the Simon minimax design",
    method="minimax",
    looks=2,
    family="simon",
    why="No two-stage design that meets both limits has a smaller n, and none of the same n has a smaller EN(p0).",
    pick=lambda found: found.result(LEAST_N).best,
    best=LEAST_N.best,
    aim=LEAST_N,
)

OPTIMAL: Criterion[Solved] = Criterion(
    key="optimal",
    name="Simon optimal",
    phrase="the Simon optimal design",
    method="optimal",
    looks=2,
    family="simon",
    why="No two-stage design has a smaller expected sample size EN(p0).",
    pick=lambda found: found.result(LEAST_EN).best,
    best=LEAST_EN.best,
    aim=LEAST_EN,
)

CONSTRAINTS = frozenset({"looks_at", "r1", "n1_least", "balanced", "cap", "multiple_of"})
"""The constraints that it takes."""

FAMILY: Family[Solved] = Family(
    key="simon",
    title="two-stage designs without a stop for efficacy",
    bound="With more than {n_upper} patients EN(p0) is at least {value:.4f}, which the optimal design attains.",
    references=("Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.",),
    criteria=(MINIMAX, OPTIMAL),
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    main=OPTIMAL.key,
    every=lambda n: (TwoStage(r1, n1, r, n) for n1 in range(1, n) for r in range(1, n) for r1 in range(min(r, n1))),
    holds=lambda design: isinstance(design, TwoStage) and design.e1 is None and design.r1 < design.r,
    recognised=TwoStage,
    listed=lambda found: found.admissible,
)
"""What the register holds of Simon's designs."""

ADMISSIBLE = "admissible"
"""A kind of design beside the criteria: between two of them, least by a weight."""

ADMISSIBLE_REFERENCE = (
    "Jung SH, Lee T, Kim KM, George SL. Admissible two-stage designs for phase II cancer clinical trials. Stat Med "
    "2004;23:561-569."
)
"""What the paragraph for the protocol cites beside Simon for an admissible design."""
