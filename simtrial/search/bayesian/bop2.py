"""The search among all boundaries of BOP2 (`simtrial.search.bayesian.bop2_rule`) at given looks.

* most_power: the most power among the boundaries that keep alpha, for any lambda from 1e-6 to 1 - 1e-6 and gamma from 0
  to 1, the published range [1]_. Larger gamma is left out on purpose: without an end to it, the design that never stops
  would win. The limit on power plays no part; equal power is decided by the least EN(p0).
* least_en: the least EN(p0) among those that keep both limits.

With a stop for efficacy (``stops="both"``) eta is from 0 to 3, as in the program of Xu et al.

Without looks they are after every `EVERY` patients and at N, and N is the smallest number of patients with which some
boundary keeps both limits.

Why the search is complete
--------------------------
`simtrial.search.bayesian.bop2_cells` lists every boundary that some parameters give; they are few. Before that it is
settled which final bounds r matter. P(reject H0) falls at every rate as any bound rises, and for fixed r the bounds of
the looks rise with lambda and fall with gamma: so no boundary with r has a smaller type I error than gamma = 0 with the
largest lambda that gives r, and none more power than gamma = 1 with the smallest. With a stop for efficacy the first is
taken without it, and the second with eta = 0, which rejects soonest.

References
----------
.. [1] Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and complex
   endpoints. Stat Med 2017;36:3302-3314.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import MAX_LOOKS, Look
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import spanned
from simtrial.search.aim import LEAST_EN, TIE, Aim
from simtrial.search.bayesian.bop2_boundaries import AtLooks
from simtrial.search.bayesian.bop2_region import Bop2Parameters, parameters
from simtrial.search.bayesian.bop2_rule import usual_prior
from simtrial.search.bayesian.many_bounds import ManyBounds
from simtrial.search.bounds import refuse
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.given import design_of, least_patients, refused_beyond
from simtrial.search.record import Certificate, Criterion, Family, SearchResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools
    from simtrial.search.bayesian.bop2_boundaries import Lists
    from simtrial.search.bayesian.posterior import BetaPrior

EVERY = 10
"""Patients between looks where none are given."""


@dataclass(frozen=True)
class Bop2Candidate(Candidate):
    """A design of BOP2.

    Attributes
    ----------
    parameters : Bop2Parameters or None
        All lambda, gamma (and eta) that lead to it; None on the grid, where others may.
    """

    _: KW_ONLY
    parameters: Bop2Parameters | None = None


class Bop2Search:
    """The boundaries of BOP2 at given looks.

    Parameters
    ----------
    requirements : Requirements
        The question.
    looks_at : sequence of int
        Patients at each look, cumulative; the last is N.
    prior : BetaPrior, optional
        Beta(p0, 1 - p0) if left out.
    efficacy : bool
        Whether the trial stops for efficacy too.
    grid : bool
        Whether only the parameters of the published grid are allowed, lambda .50(.01).99 and gamma 0(.05)1; the result
        is then no proof for others.
    """

    def __init__(
        self,
        requirements: Requirements,
        looks_at: Sequence[int],
        *,
        prior: BetaPrior | None = None,
        efficacy: bool = False,
        grid: bool = False,
    ) -> None:
        self.requirements, self.looks_at, self.grid, self.efficacy = requirements, tuple(looks_at), grid, efficacy
        self.prior = prior or usual_prior(requirements.p0)
        self.at_looks = AtLooks(looks_at, requirements.p0, prior=prior, efficacy=efficacy)
        self.many = ManyBounds(looks_at, (requirements.p0, requirements.p1))
        self.first = False
        self.known: dict[Aim | None, SearchResult] = {}

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None beside the best ones."""
        return ()

    def _range(self, aim: Aim | None) -> tuple[float, float] | None:
        """The logarithms of lambda within which the best boundary lies; None if there is none."""
        asked = self.requirements
        r, low, high = self.at_looks.ends()
        if not r.size:
            return None
        ends = self.at_looks.strictest(high), self.at_looks.loosest(low)
        strict, loose = (self.many.outcomes(one.lower, one.upper) for one in ends)
        open_r: Bools = strict.reject[0] <= asked.alpha * (1 + exact.CLOSE)
        if aim is not None:
            open_r &= loose.reject[1] >= asked.power * (1 - exact.CLOSE)
        elif open_r.any():
            # those that reject least are boundaries themselves, as far as alpha is kept without doubt
            sure = (strict.reject[0] <= asked.alpha * (1 - exact.CLOSE)) & (not self.efficacy)
            open_r &= loose.reject[1] >= strict.reject[1][sure].max(initial=0.0) - TIE
        if not open_r.any():
            return None
        return float(low[open_r].min()), float(high[open_r].max())

    def possible(self) -> bool:
        """Whether some boundary may keep both limits, as far as the extremes can tell."""
        return self._range(LEAST_EN) is not None

    def result(self, aim: Aim | None = None) -> SearchResult:
        """The best boundary: by a weighted sum under both limits, or without one the most power under alpha.

        Raises
        ------
        InputError
            If the sum has a part that is not searched for, or no boundary keeps the limits.
        """
        if aim not in self.known:
            self.known[aim] = self._result(aim)
        return self.known[aim]

    def _result(self, aim: Aim | None) -> SearchResult:
        if aim is not None and aim.en_max:
            raise InputError(f"({aim.what}) is not what this search makes small; weigh EN(p0) and EN(p1)", "criterion")
        asked = self.requirements
        found = self._meeting(aim)
        if not found:
            raise self._none(aim)
        value, tied = found
        order = aim or LEAST_EN
        ranked = sorted(tied, key=lambda one: order.order(one.design, one.en_p0))
        best, *ties = ranked
        value = round(value, 15)
        last = self.looks_at[-1]
        proof = Certificate(
            how="capped" if self.first else "proved",
            n_lower=least_patients(asked, last),
            n_upper=last,
            value=value,
            bound=value,
            cap=last if self.first else None,
        )
        if self.grid:
            proof = replace(proof, how="heuristic", bound=min(value, self._whole(aim)), cap=last)
        return SearchResult(best=best, ties=tuple(ties), certificate=proof)

    def _whole(self, aim: Aim | None) -> float:
        """What the boundaries of all parameters attain."""
        whole = Bop2Search(self.requirements, self.looks_at, prior=self.prior, efficacy=self.efficacy)
        return whole.result(aim).certificate.value

    def _meeting(self, aim: Aim | None) -> tuple[float, list[Bop2Candidate]] | None:
        """The least value (of the most power, the type II error) and the boundaries that attain it."""
        asked = self.requirements
        span = self._range(aim)
        if span is None:
            return None
        lists = self.at_looks.grid() if self.grid else self.at_looks.every(*span)
        lists = lists.those(self.at_looks.choice(lists))
        reject, en = self.many.outcomes(lists.lower, lists.upper)
        kept_ = reject[0] <= asked.alpha * (1 + exact.CLOSE)
        if aim is None:
            values = 1 - reject[1]
        else:
            kept_ &= reject[1] >= asked.power * (1 - exact.CLOSE)
            values = aim.en_p0 * en[0] + aim.en_p1 * en[1] + aim.n * self.looks_at[-1]
        at = np.flatnonzero(kept_)
        at = at[np.lexsort((en[0][at], values[at]))]
        least, tied = np.inf, list[Bop2Candidate]()
        for i in at.tolist():
            if values[i] > least + TIE:
                break
            design = self.at_looks.design(lists, i)
            if exact.side(design, asked.p0, asked.alpha) > 0 or (aim is not None and not exact.meets(design, asked)):
                continue
            least = min(least, float(values[i]))
            if design.looks not in [one.looks for one in tied]:
                tied.append(self._candidate(design, lists, i))
        return (least, tied) if tied else None

    def _candidate(self, design: Design, lists: Lists, i: int) -> Bop2Candidate:
        upper = None if lists.upper is None else lists.upper[i].tolist()
        where = parameters(self.prior, self.requirements.p0, self.looks_at, lists.lower[i].tolist(), upper)
        return Bop2Candidate(design, self.requirements, parameters=where)

    def _none(self, aim: Aim | None) -> InputError:
        asked, sizes = self.requirements, spanned(self.looks_at)
        if aim is None or (most := self._meeting(None)) is None:
            return InputError(
                f"({asked.alpha:g}) is kept by no boundary of BOP2 with looks after {sizes} patients; allow more "
                "patients",
                "alpha",
            )
        return InputError(
            f"({asked.power:g}) is not reached by BOP2 with looks after {sizes} patients: the most power under alpha "
            f"{asked.alpha:g} is {1 - most[0]:.4f}; allow more patients, or ask for the criterion most_power",
            "power",
        )


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> Bop2Search:
    """Search at the given looks, or at every `EVERY` patients and N, the smallest with which both limits can be kept.

    Raises
    ------
    InputError
        If another constraint is given, or no number of patients will do.

    Examples
    --------
    >>> from simtrial import Requirements, looks_text
    >>> found = search(Requirements(0.2, 0.4, 0.1, 0.8), constraints=Constraints(looks_at=(10, 20, 30, 40)))
    >>> best = found.result().best
    >>> looks_text(best), best.parameters.inside
    ('1/10,3/20,7/30,11/40', (0.86, 0.95))
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    refuse(requirements, n_limit)
    if asked.stops == "efficacy":
        raise InputError(
            "('efficacy') is not possible for BOP2, which stops for futility; write futility or both", "stops"
        )
    return _found(requirements, asked)


@kept(256)
def _found(requirements: Requirements, constraints: Constraints) -> Bop2Search:
    efficacy = constraints.stops == "both"
    if constraints.looks_at is not None:
        return Bop2Search(requirements, given_looks(constraints, FAMILY.title), efficacy=efficacy)
    most = min(N_LIMIT_MOST, EVERY * MAX_LOOKS)
    for n in range(least_patients(requirements, most), most + 1):
        found = Bop2Search(requirements, usual_looks(n), efficacy=efficacy)
        if found.possible() and found._meeting(LEAST_EN) is not None:
            found.first = True
            return found
    raise refused_beyond(requirements, most, "BOP2 with looks after every 10 patients")


def usual_looks(n: int) -> tuple[int, ...]:
    """The looks where none are given: after every `EVERY` patients, and at n."""
    return (*range(EVERY, n, EVERY), n)


def every(n: int) -> Iterator[Design]:
    """Every list of futility bounds at the usual looks up to n patients, whether BOP2 has it or not."""

    def rows(looks_at: tuple[int, ...], least: int) -> Iterator[tuple[Look, ...]]:
        here, *later = looks_at
        for r in range(max(least, -1 if later else 0), here):
            look = Look(here, r if r >= 0 else None)
            yield from ((look, *rest) for rest in rows(tuple(later), r)) if later else ((look,),)

    yield from (design_of(looks) for looks in rows(usual_looks(n), -1))


def _of_bop2(designs: Sequence[Design], requirements: Requirements) -> list[Design]:
    """The boundaries of BOP2 among some designs with the smallest n that has one."""
    found: list[Design] = []
    for design in sorted(designs, key=lambda one: one.looks[-1].n):
        if found and design.looks[-1].n > found[0].looks[-1].n:
            break
        lower = [-1 if look.r is None else look.r for look in design.looks]
        looks_at = [look.n for look in design.looks]
        if parameters(usual_prior(requirements.p0), requirements.p0, looks_at, lower) is not None:
            found.append(design)
    return found


def _most_powerful(designs: Sequence[Design], requirements: Requirements) -> Design:
    """The most power by definition, then the least EN(p0)."""

    def key(design: Design) -> tuple[float, ...]:
        power = float(exact.operating_characteristics(design, requirements.p1).reject)
        return -round(power / TIE), *LEAST_EN.order(design, LEAST_EN.value(design, requirements))

    return min(_of_bop2(designs, requirements), key=key)


def _least(designs: Sequence[Design], requirements: Requirements) -> Design:
    return LEAST_EN.best(_of_bop2(designs, requirements), requirements)


CONSTRAINTS = frozenset({"looks_at", "stops"})
"""The constraints that it takes."""

MOST_POWER: Criterion[Bop2Search] = Criterion(
    key="bop2_most_power",
    name="BOP2, most power",
    phrase="the boundary of BOP2 with the most power at its looks",
    method="BOP2, most power",
    looks=0,
    family="bop2",
    kind="most_power",
    why="No boundary of BOP2 at these looks that keeps alpha, with gamma of at most 1, has more power.",
    pick=lambda found: found.result().best,
    best=_most_powerful,
)

LEAST: Criterion[Bop2Search] = Criterion(
    key="bop2_least_en",
    name="BOP2, least EN(p0)",
    phrase="the boundary of BOP2 with the least EN(p0) at its looks",
    method="BOP2, least EN(p0)",
    looks=0,
    family="bop2",
    kind="least_en",
    why="No boundary of BOP2 at these looks that meets both limits has a smaller expected sample size EN(p0).",
    pick=lambda found: found.result(LEAST_EN).best,
    best=_least,
    aim=LEAST_EN,
)

FAMILY: Family[Bop2Search] = Family(
    key="bop2",
    title="boundaries of BOP2",
    bound=(
        "Every boundary that some lambda, and some gamma from 0 to 1, give at its looks was examined; unless the looks "
        "are given, they are after every 10 patients, and {n_upper} is the smallest n with a boundary that meets both "
        "limits."
    ),
    references=(
        "Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and complex "
        "endpoints. Stat Med 2017;36:3302-3314.",
    ),
    criteria=(MOST_POWER, LEAST),
    search=search,
    result=lambda found, criterion: found.result(criterion.aim),
    every=every,
    constraints=CONSTRAINTS,
    looks_given=True,
    weighs=True,
    on_request=True,
    main="bop2_least_en",
)
"""What the register holds of BOP2."""
