"""Lee and Liu's designs [1]_: the fewest patients whose rule keeps both limits, and the best rule of these.

Looks are at every patient from a first look on, at every C-th, or given. The trial stops for futility by its predictive
probability (`simtrial.search.bayesian.lee_liu_rule`); theta_U = 1, so that it never stops for efficacy. Two designs:

* most_power: the least N that has a rule with theta_L >= .001 within both limits, and of its rules the one with most
  power. Without that floor, which is part of the published definition, most power is had by never stopping. Under the
  floor there may be no such N, so that a search without a cap ends at half as many patients again as least_en needs.
* least_en: the least N that has a rule with any theta_L within both limits, and of its rules the one with least EN(p0).

The two may have different N. The design of least_en may then have the larger EN(p0): it has the fewer patients, and the
other one may stop sooner.

Both searches are complete. For every N from the one below which no test has the power, every final bound r that theta_T
can give and that may keep the limits is examined, and for each of these the whole range of theta_L, whose limits are
found by bisection: `simtrial.search.bayesian.lee_liu_bounds` says why this passes nothing over. Every r from 0 to N - 1
has its theta_T, since P(p > p0 | x of N) rises with x.

References
----------
.. [1] Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.designs import MAX_LOOKS, Look
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.aim import LEAST_N, TIE
from simtrial.search.bayesian.posterior import BetaPrior, usual_prior
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.given import design_of, least_patients
from simtrial.search.parameters import RuleParameters
from simtrial.search.record import Certificate, Criterion, Family, SearchResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements

FIRST_LOOK = 10
"""Patients at the first look where nobody says otherwise, as published."""

FLOOR = 0.001
"""The least theta_L of most_power, as published."""

MORE = 1.5
"""Up to so many times the n of least_en most_power is looked for without a cap: by its floor it may have no design."""


class Ranked(NamedTuple):
    """A rule that keeps both limits, and what it is compared by: the least order is taken."""

    order: tuple[float, ...]
    design: Design


class AtN(NamedTuple):
    """The rules of one N that keep both limits, one of each final bound, the best first."""

    least_en: list[Ranked]
    most_power: list[Ranked]


def _by_power(power: float, en_p0: float, r: int) -> tuple[float, ...]:
    """Most power first, then least EN(p0), then the largest final bound."""
    return -round(power / TIE), round(en_p0 / TIE), -r


def _by_en(en_p0: float, r: int) -> tuple[float, ...]:
    return round(en_p0 / TIE), -r


@kept(256)
def at(asked: Requirements, prior: BetaPrior, looks_at: tuple[int, ...]) -> AtN:
    """Every rule at these looks that is best of its final bound, by both criteria."""
    from simtrial.search.bayesian.lee_liu_bounds import Sets, Watch  # here, as no other family needs it

    sets = Sets(Watch(asked, looks_at), prior)
    if not sets.r.size:
        return AtN([], [])
    sets.first_with(FLOOR)  # what it parts is then numbered
    last = sets.last_kept()
    least = sets.first_with(FLOOR)
    expected = sets.at(np.maximum(last, 0), asked.p0)[1].tolist()
    r = sets.r.tolist()
    least_en = [
        Ranked(_by_en(expected[i], r[i]), sets.design(i, int(last[i]))) for i in np.flatnonzero(last >= 0).tolist()
    ]
    allowed = np.flatnonzero((last >= 0) & (last >= least)).tolist()
    most_power = []
    if allowed:
        first = np.maximum(sets.first_kept(least, last), 0)
        power, expected = sets.at(first, asked.p1)[0].tolist(), sets.at(first, asked.p0)[1].tolist()
        most_power = [Ranked(_by_power(power[i], expected[i], r[i]), sets.design(i, int(first[i]))) for i in allowed]
    return AtN(sorted(least_en, key=lambda one: one.order), sorted(most_power, key=lambda one: one.order))


@dataclass(frozen=True)
class LeeLiuSearch:
    """Lee and Liu's designs for one question, each found when it is asked for.

    Attributes
    ----------
    asked : Requirements
        The question.
    prior : BetaPrior
        Of the response rate.
    looks_at : tuple of int or None
        The looks, if they are given.
    first_look, step : int
        Otherwise: fewest patients at the first look, and patients between looks.
    n_lower, n_upper : int
        No design with fewer patients has the power; the largest N that is looked at.
    capped : bool
        Whether that was asked for.
    """

    asked: Requirements
    prior: BetaPrior
    _: KW_ONLY
    looks_at: tuple[int, ...] | None
    first_look: int
    step: int
    n_lower: int
    n_upper: int
    capped: bool

    @property
    def _sizes(self) -> Iterator[tuple[int, ...]]:
        """The looks of every N that is tried, the smallest first."""
        if self.looks_at is not None:
            yield self.looks_at
            return
        step = self.step
        start = -(-self.first_look // step) * step
        for last in range(-(-self.n_lower // step) * step, self.n_upper + 1, step):
            looks = (*range(start, last, step), last)
            if len(looks) > MAX_LOOKS:
                raise InputError(
                    f"({step}) makes more than {MAX_LOOKS} looks at {counted(last, 'patient')}, and no design with "
                    "fewer meets both limits; give a larger number of patients between looks, or the looks themselves",
                    "multiple_of",
                )
            yield looks

    def result(self, criterion: Criterion[LeeLiuSearch]) -> SearchResult:
        """The best design by a criterion.

        Raises
        ------
        InputError
            If no design that is allowed meets both limits.
        """
        most = self.n_upper
        for looks in self._sizes:
            if looks[-1] > most:
                raise InputError(
                    f"({most}) is the largest number of patients that was examined, and no design with theta_L of "
                    f"{FLOOR} or more meets both limits; give a larger one, or ask for least_en",
                    "cap",
                )
            rules = at(self.asked, self.prior, looks)
            found: list[Ranked] = getattr(rules, criterion.kind)
            if found:
                return self._result(found, criterion)
            if rules.least_en and not self.capped:
                most = min(most, math.ceil(MORE * looks[-1]))
        floor = f" with theta_L of {FLOOR} or more" if criterion.kind == "most_power" else ""
        if self.looks_at is not None:
            raise InputError(f"(last {self.looks_at[-1]}) have no design{floor} that meets both limits", "looks_at")
        raise InputError(f"({self.n_upper}) is too small: no design{floor} meets both limits; raise it", "cap")

    def _result(self, found: list[Ranked], criterion: Criterion[LeeLiuSearch]) -> SearchResult:
        from simtrial.search.bayesian.lee_liu_rule import parameters

        best, *ties = [Candidate(one.design, self.asked) for one in found if one.order[:-1] == found[0].order[:-1]]
        ranges = parameters(best.design, self.asked.p0, self.prior)
        value = float(best.n) if criterion.aim is None else best.en_p0
        proof = Certificate(how="proved", n_lower=min(self.n_lower, best.n), n_upper=best.n, value=value, bound=value)
        return SearchResult(
            best=best,
            ties=tuple(ties),
            certificate=proof,
            parameters=RuleParameters(
                rule=FAMILY.key,
                looks_at=tuple(look.n for look in best.looks),
                p0=self.asked.p0,
                priors={"prior": self.prior.pair},
                one={one.name: one.few_digits for one in ranges},
                ranges=ranges,
            ),
        )


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> LeeLiuSearch:
    """Set up the search: `first_look` is the first look, `multiple_of` the number of patients between looks.

    Raises
    ------
    InputError
        If a constraint is given that it does not take, or even the most powerful test needs too many patients.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> from simtrial.design.designs import looks_short
    >>> found = search(Requirements(p0=0.2, p1=0.4, alpha=0.1, power=0.9))
    >>> for criterion in FAMILY.criteria:
    ...     best = found.result(criterion).best
    ...     print(looks_short(best), round(best.en_p0, 2))
    0/10, 0/11, ..., 10/36 24.72
    0/10, 0/11, ..., 10/36 27.67
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    bounds.refuse(requirements, n_limit)
    looks_at = asked.looks_at
    if looks_at is not None and len(looks_at) > MAX_LOOKS:
        raise InputError(f"has {counted(len(looks_at), 'look')}; at most {MAX_LOOKS} are allowed", "looks_at")
    most = looks_at[-1] if looks_at is not None else asked.cap or n_limit
    if not bounds.can_have_power(most, requirements):
        field = "looks_at" if looks_at is not None else "cap" if asked.cap else "n_limit"
        raise InputError(f"({most}) is too few patients for any test with these limits; raise it", field)
    return LeeLiuSearch(
        requirements,
        usual_prior(requirements.p0) if asked.prior is None else BetaPrior(*asked.prior),
        looks_at=looks_at,
        first_look=FIRST_LOOK if asked.first_look is None else asked.first_look,
        step=asked.multiple_of,
        n_lower=least_patients(requirements, most),
        n_upper=most,
        capped=asked.cap is not None,
    )


def every(n: int) -> Iterator[Design]:
    """Every design with n patients that looks at each from the tenth on and whose bounds rise by at most one with each.

    Those of every theta_L are among them, and some of no theta_L.
    """

    def rules(looks: tuple[Look, ...], lower: int) -> Iterator[tuple[Look, ...]]:
        size = looks[-1].n + 1 if looks else min(FIRST_LOOK, n)
        if size == n:
            yield from ((*looks, Look(n, r)) for r in range(max(lower, 0), n))
            return
        for r in range(lower, lower + 2) if looks else range(-1, size):
            yield from rules((*looks, Look(size, r if r >= 0 else None)), r)

    return (design_of(looks) for looks in rules((), -1))


def _best(
    order: Callable[[Candidate], tuple[float, ...]], floor: float
) -> Callable[[Sequence[Design], Requirements], Design]:
    """The best of some designs by definition: of those that a rule has with a theta_L from `floor` on."""

    def best(designs: Sequence[Design], asked: Requirements) -> Design:
        from simtrial.search.bayesian.lee_liu_rule import parameters

        prior = usual_prior(asked.p0)
        of_rule = [
            Candidate(one, asked)
            for one in designs
            if (found := parameters(one, asked.p0, prior)) and (found[0].name != "theta_l" or found[0].high >= floor)
        ]
        return min(of_rule, key=lambda one: (one.n, *order(one))).design

    return best


CONSTRAINTS = frozenset({"looks_at", "cap", "multiple_of", "prior", "first_look"})
"""The constraints that it takes."""

LEAST_EN: Criterion[LeeLiuSearch] = Criterion(
    key="lee_liu_least_en",
    name="predictive probability, least EN(p0) at its smallest n",
    phrase=(
        "the design by predictive probability with the smallest n that any futility threshold allows and, at that n, "
        "the least EN(p0)"
    ),
    method="predictive probability, least EN(p0) at its smallest n",
    looks=0,
    family="lee_liu",
    kind="least_en",
    why=(
        "No design by predictive probability has a smaller n, and none of the same n has a smaller EN(p0); one with "
        "more patients may have."
    ),
    pick=lambda found: found.result(LEAST_EN).best,
    best=_best(lambda one: _by_en(one.en_p0, one.r), 0.0),
    aim=LEAST_N,
)

MOST_POWER: Criterion[LeeLiuSearch] = Criterion(
    key="lee_liu_most_power",
    name="predictive probability, most power at its smallest n",
    phrase=(
        "the design by predictive probability with the smallest n that a futility threshold of 0.001 or more allows "
        "and, at that n, the most power"
    ),
    method="predictive probability, most power at its smallest n",
    looks=0,
    family="lee_liu",
    kind="most_power",
    why=(
        "No design by predictive probability with a futility threshold of 0.001 or more has a smaller n, and none of "
        "the same n has more power. Without that threshold there may be a smaller n."
    ),
    pick=lambda found: found.result(MOST_POWER).best,
    best=_best(lambda one: _by_power(one.power, one.en_p0, one.r), FLOOR),
)

FAMILY: Family[LeeLiuSearch] = Family(
    key="lee_liu",
    title="designs by predictive probability",
    bound=(
        "Every final bound and every futility threshold was examined for each number of patients from {n_lower} to "
        "{n_upper}, the smallest at which a design of the published kind meets both limits."
    ),
    references=(
        "Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials "
        "2008;5:93-106.",
    ),
    criteria=(LEAST_EN, MOST_POWER),
    search=search,
    result=lambda found, criterion: found.result(criterion),
    constraints=CONSTRAINTS,
    every=every,
    main=MOST_POWER.key,
    quick_n=60,
    on_request=True,
)
"""What the register holds of Lee and Liu's designs."""
