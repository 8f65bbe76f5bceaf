"""Where p0 comes from, and what the trial concludes if that history is wrong: everything computed for one trial.

Of the phase II trials that needed historical data, 46% cited none for their p0, and none allowed for its sampling error
[1]_.

References
----------
.. [1] Vickers AJ, Ballen V, Scher HI. Setting the bar in phase II trials: the use of historical data for determining
   "go/no go" decision for definitive phase III testing. Clin Cancer Res 2007;13:972-976.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.intervals import clopper_pearson
from simtrial.history import studies as history_studies
from simtrial.history.likelihood import homogeneity, likeliest
from simtrial.history.null import largest_null, reject_if, rejections
from simtrial.history.posterior import UNIFORM, posterior
from simtrial.laws import decision
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.history.counts import StudyCounts
    from simtrial.history.likelihood import Homogeneity, LikeliestRates
    from simtrial.history.posterior import PosteriorRates
    from simtrial.history.rates import RateLaw
    from simtrial.history.studies import EarlierStudy
    from simtrial.numbers import Floats
    from simtrial.trial.case import Case

STEP = 0.01
"""Distance of the true rates of the curve."""


@dataclass(frozen=True, kw_only=True)
class TrueRateAnswer:
    """What one distribution of the true rate says of p0 and of the test.

    Attributes
    ----------
    averaged : float
        Mean of P(reject H0) over the true rate: the chance that a treatment no better than history is declared
        positive.
    averaged_below : float
        The part of it that comes from true rates of at most p0.
    averaged_run : float or None
        The mean as the trial is run, where that differs from paper and is known.
    below : float
        P(p0 < true rate).
    exceeded : float
        P(true rate > the largest one at which the rule keeps alpha), on paper.
    interval : tuple of float
        95% prediction interval of a new study's true rate.
    """

    averaged: float
    averaged_below: float
    averaged_run: float | None
    below: float
    exceeded: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class PooledHistory:
    """The counts that are history of p0, pooled.

    Attributes
    ----------
    counts : StudyCounts
        Of the studies pooled.
    interval : tuple of float
        Exact (Clopper-Pearson) 95% interval of the pooled rate, as if all studies had one true rate.
    ml, bayes, flat : LikeliestRates, PosteriorRates
        The random-effects Beta-binomial model by maximum likelihood, by the stated prior, and by one that is uniform
        for rho as well: a check of how much depends on the prior.
    test : Homogeneity or None
        Whether the studies have one true rate; None where the counts say nothing of it.
    by_ml, by_bayes, by_flat : TrueRateAnswer
        What follows; `by_ml` takes the estimates for the truth.
    """

    counts: StudyCounts
    interval: tuple[float, float]
    ml: LikeliestRates
    bayes: PosteriorRates
    flat: PosteriorRates
    test: Homogeneity | None
    by_ml: TrueRateAnswer
    by_bayes: TrueRateAnswer
    by_flat: TrueRateAnswer


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """Where p0 of a trial comes from.

    Attributes
    ----------
    studies : tuple of EarlierStudy
        All earlier results of the file.
    design : Design
        The chosen design.
    asked : Requirements
        The hypotheses and limits.
    share : float or None
        Factor of the response rate as the trial is run: P(evaluable) where patients without a response assessment do
        not respond for the analysis, else 1. None where the trial as run is no such rescaling, or is not described.
    left_out : bool
        Whether it is described and no such rescaling, so that nothing is given as run.
    history : PooledHistory or None
        None where no study about p0 has a count.
    """

    studies: tuple[EarlierStudy, ...]
    design: Design
    asked: Requirements
    share: float | None
    left_out: bool
    history: PooledHistory | None

    @property
    def largest(self) -> float:
        """The largest true rate at which the rule keeps alpha, on paper."""
        return largest_null(self.design, self.asked.alpha)

    @property
    def largest_run(self) -> float | None:
        """The same as the trial is run; None where it is not known."""
        return None if self.share is None else largest_null(self.design, self.asked.alpha, self.share)

    def at(self, p: Floats | float) -> Floats:
        """P(reject H0) on paper if a true rate is p."""
        return reject_if(self.design, p)

    def at_run(self, p: Floats | float) -> Floats | None:
        """The same as the trial is run; None where it is not known."""
        return None if self.share is None else reject_if(self.design, p, self.share)

    @property
    def curve(self) -> Floats:
        """True rates for a curve of the type I error, in steps of 1%, up to p1 or what the history makes plausible."""
        most = self.asked.p1
        if self.history is not None:
            most = max(most, self.history.by_bayes.interval[1], self.history.interval[1])
        return np.arange(min(int(np.ceil(most / STEP)) + 1, 100) + 1, dtype=np.float64) * STEP

    def about(self, what: history_studies.About) -> tuple[EarlierStudy, ...]:
        """The studies that are evidence of p0, of p1, or of something else."""
        return tuple(one for one in self.studies if one.about == what)


def of(case: Case) -> Origin:
    """Where p0 of a trial comes from; what is computed is kept for whoever asks for the same again."""
    studies, share = history_studies.earlier(case.trial), _share(case)
    counts = history_studies.pooled(studies)
    return Origin(
        studies=studies,
        design=case.chosen,
        asked=case.requirements,
        share=share,
        left_out=share is None and case.trial.how is not None,
        history=None if counts is None else _history(counts, case.chosen, case.requirements, share),
    )


@kept(8)
def _history(counts: StudyCounts, design: Design, asked: Requirements, share: float | None) -> PooledHistory:
    low, high = clopper_pearson(*counts.total, 0.025)
    ml, bayes, flat = likeliest(counts), posterior(counts), posterior(counts, UNIFORM)
    return PooledHistory(
        counts=counts, interval=(float(low), float(high)), ml=ml, bayes=bayes, flat=flat,
        test=homogeneity(counts, ml), by_ml=_answer(ml.law, design, asked, share),
        by_bayes=_answer(bayes.law, design, asked, share), by_flat=_answer(flat.law, design, asked, share),
    )  # fmt: skip


def _answer(law: RateLaw, design: Design, asked: Requirements, share: float | None) -> TrueRateAnswer:
    paper = rejections(design)
    counts = {n: law.counts_upto(n, asked.p0) for n in paper.given}
    whole = {n: both[0] for n, both in counts.items()}
    return TrueRateAnswer(
        averaged=paper.averaged(whole),
        averaged_below=paper.averaged({n: both[1] for n, both in counts.items()}),
        averaged_run=None if share is None else rejections(design, share).averaged(whole),
        below=1 - float(law.cdf(asked.p0)),
        exceeded=1 - float(law.cdf(largest_null(design, asked.alpha))),
        interval=law.interval(),
    )


def _share(case: Case) -> float | None:
    """See `Origin.share`. The rates of history are taken for the same rates as p0, of all enrolled or of evaluable."""
    how, plan = case.trial.how, case.plan
    if how is None or plan is None or how.recut or plan.conditional is not None or not decision.has_law(plan):
        return None
    if plan.toxicity_rule is not None:  # which stops trials at every rate
        return None
    how = replace(how, among=case.trial.reading)
    if how.handling == "nonresponder" and how.among == "enrolled":
        return 1.0
    if not how.loss.probability or (how.handling == "replace" and how.loss.responder_odds_ratio == 1):
        return 1.0
    return 1 - how.loss.probability if how.loss.responder_odds_ratio == 1 else None
