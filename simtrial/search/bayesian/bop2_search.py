"""The best boundary of BOP2 at given looks: the most power under alpha, or the least weighted sum under both limits.

Why the search is complete
--------------------------
`simtrial.search.bayesian.bop2_cells` lists every boundary that some parameters give; they are few. Before that it is
settled which final bounds r matter. P(reject H0) falls at every rate as any bound rises, and for fixed r the bounds of
the looks rise with lambda and fall with gamma: so no boundary with r has a smaller type I error than gamma = 0 with the
largest lambda that gives r, and none more power than gamma = 1 with the smallest. With a stop for efficacy the first is
taken without it, and the second with eta = 0, which rejects soonest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design import exact
from simtrial.errors import InputError
from simtrial.phrases import spanned
from simtrial.search.aim import LEAST_EN, TIE, Aim
from simtrial.search.bayesian.bop2_boundaries import AtLooks
from simtrial.search.bayesian.bop2_region import parameters
from simtrial.search.bayesian.many_bounds import ManyBounds
from simtrial.search.bayesian.posterior import usual_prior
from simtrial.search.candidate import Candidate
from simtrial.search.given import least_patients
from simtrial.search.parameters import RuleParameters
from simtrial.search.record import Certificate, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools
    from simtrial.search.bayesian.posterior import BetaPrior


class TiedBoundary(NamedTuple):
    """A boundary with the bounds at all looks, also at those that follow an end, which its design has not."""

    found: Candidate
    lower: list[int]
    upper: list[int] | None


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
    capped : bool
        Whether N was chosen as the smallest that will do, so that nothing is known of larger ones.
    """

    def __init__(
        self,
        requirements: Requirements,
        looks_at: Sequence[int],
        *,
        prior: BetaPrior | None = None,
        efficacy: bool = False,
        grid: bool = False,
        capped: bool = False,
    ) -> None:
        self.requirements, self.looks_at, self.grid, self.efficacy = requirements, tuple(looks_at), grid, efficacy
        self.capped = capped
        self.prior = prior or usual_prior(requirements.p0)
        self.at_looks = AtLooks(looks_at, requirements.p0, prior=prior, efficacy=efficacy)
        self.many = ManyBounds(looks_at, (requirements.p0, requirements.p1))
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
        found = self.meeting(aim)
        if not found:
            raise self._none(aim)
        value, tied = found
        order = aim or LEAST_EN
        if len(tied) > 1:
            tied = sorted(tied, key=lambda one: order.order(one.found.design, one.found.en_p0))
        first, *others = tied
        best, ties = first.found, tuple(one.found for one in others)
        value = round(value, 15)
        last = self.looks_at[-1]
        proof = Certificate(
            how="capped" if self.capped else "proved",
            n_lower=least_patients(asked, last),
            n_upper=last,
            value=value,
            bound=value,
            cap=last if self.capped else None,
        )
        if self.grid:
            proof = replace(proof, how="heuristic", bound=min(value, self._whole(aim)), cap=last)
        return SearchResult(best=best, ties=ties, certificate=proof, parameters=self._leading(first))

    def _whole(self, aim: Aim | None) -> float:
        """What the boundaries of all parameters attain."""
        whole = Bop2Search(self.requirements, self.looks_at, prior=self.prior, efficacy=self.efficacy)
        return whole.result(aim).certificate.value

    def meeting(self, aim: Aim | None) -> tuple[float, list[TiedBoundary]] | None:
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
        least, tied = np.inf, list[TiedBoundary]()
        for i in at.tolist():
            if values[i] > least + TIE:
                break
            design = self.at_looks.design(lists, i)
            if exact.side(design, asked.p0, asked.alpha) > 0 or (aim is not None and not exact.meets(design, asked)):
                continue
            least = min(least, float(values[i]))
            if design.looks not in [one.found.looks for one in tied]:
                upper = None if lists.upper is None else lists.upper[i].tolist()
                tied.append(TiedBoundary(Candidate(design, asked), lists.lower[i].tolist(), upper))
        return (least, tied) if tied else None

    def _leading(self, one: TiedBoundary) -> RuleParameters | None:
        """What leads to a boundary; None on the grid, of which some boundaries follow from single points alone."""
        found = parameters(self.prior, self.requirements.p0, self.looks_at, one.lower, one.upper)
        if found is None:
            return None
        return RuleParameters(
            rule="bop2",
            looks_at=self.looks_at,
            p0=self.requirements.p0,
            priors={"prior": self.prior.pair},
            one=found.one,
            ranges=found.ranges,
            corners=found.region,
        )

    def _none(self, aim: Aim | None) -> InputError:
        asked, sizes = self.requirements, spanned(self.looks_at)
        if aim is None or (most := self.meeting(None)) is None:
            return InputError(
                f"({asked.alpha:g}) is kept by no boundary of BOP2 with looks at n = {sizes}; allow more patients",
                "alpha",
            )
        return InputError(
            f"({asked.power:g}) is not reached by BOP2 with looks at n = {sizes}: the most power under alpha "
            f"{asked.alpha:g} is {1 - most[0]:.4f}; allow more patients, or ask for the criterion most_power",
            "power",
        )
