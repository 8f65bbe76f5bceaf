"""How fast trials are simulated, beside the random numbers they need; and Kaplan-Meier beside statsmodels.

    make bench                      or: .venv/bin/python benchmarks/conduct.py

The ratio is the point: the time for a million trials over the time that numpy's Generator takes for the very calls that
they make of it, recorded from one block and repeated, in the same process, by turns. Least of several repetitions.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from statsmodels.duration.survfunc import SurvfuncRight

from simtrial import TwoStage
from simtrial.conduct import engine, runs, simulation
from simtrial.conduct.survival import kaplan_meier
from simtrial.months import WEEK
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.plan.survival import Survival
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.kinds import BoundaryShape
from simtrial.toxicity.rule import ToxicityRule

TRIALS = 1_000_000
REPETITIONS = 5
P0 = Scenario("p0", 0.1)
SCANS = Assessments(6 * WEEK, 24 * WEEK, 6 * WEEK, 6 * WEEK)
R_SECONDS_A_TRIAL = 2.7e-3
"""Merck simtrial's sim_pw_surv at n = 25, as measured on such a machine; R is not needed here."""


def plan(disease: Disease, handling: str = "nonresponder") -> Plan:
    """1/15 5/25 with Poisson enrollment, dropout, readout and a hold."""
    return Plan(
        TwoStage(1, 15, 5, 25), Constant(25 / 22), disease, Dropout(0.1), handling=handling, interim=Interim(hold=True)
    )


TOXICITY_RULE = ToxicityRule(
    boundary=calibrated(BoundaryShape("pocock", 0.2), range(1, 26), 0.1).boundary,
    window=8 * WEEK,
    acceptable=0.2,
    unacceptable=0.4,
)
"""A look at every patient; at the rate of the plan more than a third of the trials are stopped."""

PLANS = {
    "every status after 1.4 months": plan(Disease(Assessments.fixed(1.4))),
    "scans every 6 weeks": plan(Disease(SCANS)),
    "scans, losses replaced": plan(Disease(SCANS), "replace"),
    "scans, DCR, PFS and OS": plan(
        Disease(SCANS, 0.735, 0.324, Survival(5.6, 0.5, 0.324), os=Survival(12.7, 0.6, 0.5))
    ),
    "scans, a rule for toxicity": replace(
        plan(Disease(SCANS)), toxicity=Toxicity(0.3, 0.4, 2.0), toxicity_rule=TOXICITY_RULE
    ),
}


class Recorder:
    """Stands in for a Generator and notes what is asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.rng = np.random.default_rng(1)

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            self.calls.append((name, arguments))
            return getattr(self.rng, name)(*arguments)

        return call


def bare(case: Plan) -> float:
    """Seconds for the random numbers of all blocks alone."""
    recorder = Recorder()
    block = engine.simulate(case, P0, recorder)
    simulation.outcomes.observe(case, block, recorder)
    began = time.perf_counter()
    for number in simulation.blocks(case, TRIALS):
        rng = np.random.default_rng(runs.stream(1, 0, number))
        for name, arguments in recorder.calls:
            getattr(rng, name)(*arguments)
    return time.perf_counter() - began


def whole(case: Plan) -> float:
    """Seconds for the trials, all outcomes and their summary."""
    began = time.perf_counter()
    simulation.simulate(case, [P0], TRIALS, 1)
    return time.perf_counter() - began


def main() -> None:
    """Print a line a plan, then Kaplan-Meier."""
    head = f"{TRIALS:,} trials of 1/15 5/25"
    print(f"{head:34s}  trials  random numbers alone  ratio  times R")
    spent = {}
    for name, case in PLANS.items():
        turns = [(bare(case), whole(case)) for _ in range(REPETITIONS)]
        numbers, trials = (min(column) for column in zip(*turns, strict=True))
        spent[name] = trials
        speed = R_SECONDS_A_TRIAL * TRIALS / trials
        print(f"  {name:32s} {trials:6.2f} s {numbers:10.2f} s {trials / numbers:14.2f} {speed:12,.0f}", flush=True)
    more = spent["scans, a rule for toxicity"] / spent["scans every 6 weeks"]
    print(f"A rule for toxicity takes {more:.2f} times as long (target: about 2)")
    rng = np.random.default_rng(1)
    times, events = rng.exponential(5, (25, 4096)), rng.random((25, 4096)) < 0.8
    began = time.perf_counter()
    curves = kaplan_meier(times, events)
    _ = curves.median, curves.interval(), curves.at(6.0)
    ours = (time.perf_counter() - began) / 4096
    began = time.perf_counter()
    for k in range(200):
        one = SurvfuncRight(times[:, k], events[:, k])
        with np.errstate(all="ignore"):  # where S is 0 or 1
            _ = one.quantile(0.5), one.quantile_ci(0.5, method="cloglog")
    theirs = (time.perf_counter() - began) / 200
    figures = f"{ours * 1e6:.1f} us; statsmodels {theirs * 1e6:.0f} us, {theirs / ours:.0f} times as long"
    print(f"Kaplan-Meier with median and interval: {figures}")


if __name__ == "__main__":
    main()
