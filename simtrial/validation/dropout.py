"""Validation cases for designs searched under dropout; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from simtrial import search
from simtrial.conduct import simulation
from simtrial.design.designs import looks_text
from simtrial.design.requirements import Requirements
from simtrial.laws import recalculated
from simtrial.laws.losses import AsRun
from simtrial.phrases import counted
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Plan, Scenario
from simtrial.validation.cases import Comparison, case_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.laws.losses import Among
    from simtrial.numbers import Floats
    from simtrial.plan.plan import Handling

SETTINGS = (
    (Requirements(0.1, 0.4, 0.1, 0.8), Dropout(0.1)),
    (Requirements(0.1, 0.45, 0.05, 0.8), Dropout(0.2, 0.25)),
)
"""Questions small enough to enumerate every design."""

HOW: tuple[tuple[Handling, Among], ...] = (
    ("nonresponder", "enrolled"),
    ("nonresponder", "evaluable"),
    ("replace", "enrolled"),
    ("exclude", "enrolled"),
)
"""Handlings with bounds that stay as planned, and readings of p0."""

NEAR = 1e-9
"""A design this near to a limit would need fractions; none of `SETTINGS` has one (the case would say so)."""

TRIALS, SEED = 20_000, 20261126
"""Trials simulated for each design, and their seed."""

FAR = 4.0
"""Monte Carlo standard errors by which a simulated share may miss its exact value: of 20 right ones, one does so in one
of a thousand seeds.
"""


class _Best(NamedTuple):
    n: int
    en: float


def _counted(m: int, p: float, loss: Dropout, handling: str, *, seen: bool) -> Floats:
    """Law of the responses counted among m patients, summed over how many of them are evaluable.

    `seen` says that p is already the rate of patients who are evaluable and respond.
    """
    x = np.arange(m + 1)
    if seen:
        return np.asarray(stats.binom.pmf(x, m, p))
    respond, others = p * (1 - loss.of_responder), (1 - p) * (1 - loss.probability)
    share = respond / (respond + others)
    if handling == "replace":
        return np.asarray(stats.binom.pmf(x, m, share))
    evaluable = np.arange(m + 1)[:, np.newaxis]
    weights = stats.binom.pmf(evaluable, m, respond + others)
    return np.asarray((weights * stats.binom.pmf(x, evaluable, share)).sum(axis=0))


def _enumerated(asked: Requirements, loss: Dropout, handling: str, among: str, n_upper: int) -> tuple[_Best, _Best]:
    """Fewest patients, and least expected enrolled patients at p0, of every two-stage design up to n_upper."""
    seen = handling == "nonresponder" and among == "enrolled"
    laws = [
        (
            [_counted(m, asked.p0, loss, handling, seen=seen) for m in range(n_upper + 1)],
            asked.alpha,
        ),
        ([_counted(m, asked.p1, loss, handling, seen=False) for m in range(n_upper + 1)], asked.power),
    ]
    lost = 1 - loss.lost(asked.p0) if handling == "replace" else 1.0
    best: list[tuple[int, float]] = []
    for n in range(2, n_upper + 1):
        for n1 in range(1, n):
            for r1 in range(n1):
                attained = []
                for law, limit in laws:
                    going = law[n1].copy()
                    going[: r1 + 1] = 0.0
                    attained.append((np.cumsum(np.convolve(going, law[n - n1])[::-1])[::-1][1:], limit))
                (at0, alpha), (at1, power) = attained
                r = np.arange(n)
                if ((at0 <= alpha - NEAR) & (at1 >= power + NEAR) & (r > r1)).any():
                    stop = float(laws[0][0][n1][: r1 + 1].sum())
                    best.append((n, (n1 + (1 - stop) * (n - n1)) / lost))
    least = min(n for n, _ in best)
    return _Best(least, min(en for n, en in best if n == least)), _Best(0, min(en for _, en in best))


def searched() -> Comparison:
    """Designs searched under dropout: against every design by enumeration, and run by the simulator."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for asked, loss in SETTINGS:
            for handling, among in HOW:
                how = AsRun(loss=loss, handling=handling, among=among)
                found = search.two_stage(how.asked(asked))
                name = f"{asked.p0:g}/{asked.p1:g}, d = {loss.probability:g}, {handling}, p0 {among}"
                minimax, optimal = _enumerated(asked, loss, handling, among, found.certificate.n_upper)
                yield f"{name}: smallest n", str(minimax.n), str(found.minimax.n), minimax.n == found.minimax.n
                for kind, truth, design in (("minimax", minimax, found.minimax), ("optimal", optimal, found.optimal)):
                    en = how.figures(design, asked).en_p0
                    # sums of some hundred terms, each exact to a few units in the last place
                    yield (
                        f"{name}: mean enrolled at p0, {kind}",
                        f"{truth.en:.8f}",
                        f"{en:.8f}",
                        abs(en - truth.en) < 1e-9,
                    )
                yield from _simulated(name, how, asked, found.minimax)
            recut = AsRun(loss=loss, handling="exclude", recut=True)
            name = f"{asked.p0:g}/{asked.p1:g}, d = {loss.probability:g}, exclude, bounds recalculated"
            yield from _simulated(name, recut, asked, recalculated.two_stage(asked, loss).optimal)

    source = f"every two-stage design, summed over the evaluable patients; {counted(TRIALS, 'simulated trial')}"
    return case_of("Designs under dropout", source, rows())


def _simulated(
    name: str, how: AsRun, asked: Requirements, design: search.TwoStageCandidate
) -> Iterator[tuple[str, str, str, bool]]:
    """The power of a design, and its type I error with p0 as the rate with every patient evaluable, by simulation."""
    recut = how.evaluable(asked).kept if how.recut else None
    disease = Disease(Assessments.fixed(2.0))
    plan = Plan(design.design, Constant(2.0), disease, how.loss, handling=how.handling, recut=recut)
    run = replace(how, among="evaluable").figures(design, asked)
    for index, (label, p, exact) in enumerate((("p0", asked.p0, run.type_i_error), ("p1", asked.p1, run.power))):
        done = simulation.tally(plan, Scenario(label, p), index, SEED, TRIALS, simulation.blocks(plan, TRIALS))
        found = float(done["reject"].estimate().best)
        agrees = abs(found - exact) <= FAR * math.sqrt(exact * (1 - exact) / TRIALS)
        yield f"{name}: {looks_text(design)} rejects at {label}", f"{exact:.5f}", f"{found:.5f}", agrees
