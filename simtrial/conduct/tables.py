"""Tables about the conduct of a trial: what is assumed, what comes of it, what else could be done."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct import cost, outcomes, simulation, ways
from simtrial.conduct.sensitivity import MEASURES
from simtrial.design.designs import design_named
from simtrial.laws.inflation import inflated
from simtrial.phrases import agreeing, counted, stated
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.plan import Scenario
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.conduct.cost import Prices
    from simtrial.conduct.sensitivity import Sensitivity
    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Plan


def called(e: Estimate, plan: Plan) -> str:
    """What an outcome is called in tables: a landmark by its month."""
    at = f" at month {plan.landmark:g}" if e.outcome.name.endswith("_landmark") else ""
    return f"{e.outcome.called(plan).replace(' landmark', '')}{at}"


def _number(estimate: Estimate, value: float) -> str:
    return RATE(value) if estimate.outcome.kind in ("share", "rate") else f"{value:.2f}"


def simulated(done: Simulation, label: str) -> Table:
    """One scenario: every outcome simulated, its Monte Carlo standard error, and the exact value beside it."""
    result = done[label]
    rows = []
    for name, e in result.estimates.items():
        if e.n == 0 and not e.infinite:
            continue
        spread = e.outcome.kind != "share"
        rows.append(
            {
                "outcome": name,
                "label": called(e, done.plan),
                "simulated": e.value,
                "mcse": e.mcse,
                "exact": e.exact,
                "z": e.z,
                **{f"q{round(100 * q):02d}": v if spread else None for q, v in e.quantiles.items()},
                "trials": e.n + e.infinite,
                "not_reached": e.infinite,
                "shown_value": _number(e, e.value) + _coverage(e, done) if e.value is not None else _why(e),
                "shown_mcse": f"{e.mcse:.4f}" if e.mcse is not None else "–",
                "shown_exact": _number(e, e.exact) if e.exact is not None else "–",
            }
        )
    frame = pd.DataFrame(rows)
    shown: dict[str, Shown] = {
        "label": column("outcome", WORDS),
        "shown_value": column("simulated_mean", WORDS),
        "shown_mcse": column("mcse", WORDS),
        "shown_exact": column("exact", WORDS),
        "z": column("z", "{:+.1f}"),
        "q05": column("quantile", "{:g}", "5%"),
        "q50": column("quantile", "{:g}", "50%"),
        "q95": column("quantile", "{:g}", "95%"),
    }
    caption = (
        f"Every outcome of the {design_named(done.plan.design)} at the true response rate "
        f"{result.scenario.rate} ({label}), from "
        f"{_size(done)}, beside its exact value where it has one"
    )
    name = "conduct_" + "".join(c if c.isalnum() else "_" for c in label)
    return Table(name, caption, frame, shown, right=("shown_value", "shown_mcse", "shown_exact"))


def _coverage(e: Estimate, done: Simulation) -> str:
    """Say in what share of the trials there is anything to average."""
    share = 100 * e.n / done.trials
    return f" (in {share:.1f}%)" if share < 99.95 else ""


def _why(e: Estimate) -> str:
    return f"not reached in {100 * e.infinite / (e.n + e.infinite):.2g}%" if e.infinite else "–"


def scenarios(done: Simulation, prices: Prices | None = None) -> Table:
    """Every true rate in one row: exact where there is an exact value, else simulated; with prices, the cost too."""
    rows = []
    for result in done.results:
        row: dict[str, object] = {"scenario": result.scenario.label, "p": result.scenario.rate}
        for name, e in result.estimates.items():
            row |= {name: e.best, f"{name}_mcse": e.best_mcse, f"{name}_shown": written(e)}
        if prices is not None:
            value, error = cost.expected(prices, result)
            row |= {"cost": value, "cost_mcse": error, "cost_shown": amount(value, error)}
        rows.append(row)
    frame = pd.DataFrame(rows)
    shown: dict[str, Shown] = {"scenario": column("scenario", WORDS), "p": column("p", WORDS)}
    given = [name for name in TERMS if name in frame and name != "hold_months" and not frame[name].isna().all()]
    shown |= {f"{name}_shown": column(_term(name, done.plan), WORDS) for name in given}
    caption = (
        f"{_named(done.plan)} at every true response rate of the parameter file, p0 and p1 in bold. {HOW} "
        f"({_size(done)})"
    )
    bold = [result.scenario.label in ("p0", "p1") for result in done.results]
    return Table("conduct_scenarios", caption, frame, shown, chosen=bold, right=[f"{name}_shown" for name in given])


def _term(name: str, plan: Plan) -> str:
    return "pet_responses" if name == "pet" and plan.toxicity_rule is not None else TERMS[name]


def running(design: Design) -> tuple[str, ...]:
    """Name the outcomes that tell how a design runs: without looks before the last, nothing waits for one."""
    if len(design.looks) == 1:
        return ("reject", "n_screened", "n_enrolled", "duration_months")
    return ("reject", "pet", "n_screened", "n_enrolled", "overrun", "interim_month", "hold_months", "duration_months")


def calendar(done: Simulation) -> Table:
    """What running the trial does at p0 and at p1, one outcome a row: errors, patients, months."""
    both = {label: done[label] for label in ("p0", "p1")}
    rows, stops = [], () if done.plan.toxicity_rule is None else ("toxicity_stopped",)
    for name in (*running(done.plan.design), *stops):
        row: dict[str, object] = {"outcome": name, "label": outcomes.OUTCOMES[name].called(done.plan)}
        for label, result in both.items():
            e = result[name]
            row |= {label: e.best, f"{label}_mcse": e.best_mcse, f"{label}_shown": written(e)}
        rows.append(row)
    shown: dict[str, Shown] = {"label": column("outcome", WORDS)}
    shown |= {f"{label}_shown": (f"{label} = {result.scenario.rate}", WORDS) for label, result in both.items()}
    how = f"{HOW} ({_size(done)})" if done.trials else "All values are exact"
    caption = f"{_named(done.plan)} as it is to be run. {how}"
    return Table("calendar", caption, pd.DataFrame(rows), shown, right=[f"{label}_shown" for label in both])


HOW = "Values are exact, or simulated ± MCSE"

TERMS = {
    "reject": "reject",
    "pet": "pet_any",
    "toxicity_stopped": "toxicity_stopped",
    "n_enrolled": "enrolled",
    "n_screened": "screened",
    "overrun": "overrun",
    "interim_month": "months_to_interim",
    "hold_months": "hold_months",
    "duration_months": "decision_months",
    "end_month": "end_month",
    "cost": "cost",
}
"""What outcomes are called, by the names of `simtrial.conduct.outcomes`."""


def _named(plan: Plan) -> str:
    return f"The {design_named(plan.design)}"


def _size(done: Simulation) -> str:
    return f"{counted(done.trials, 'simulated trial')}, seed {done.seed}"


def written(e: Estimate) -> str:
    """The best value there is; if it is simulated, with its Monte Carlo standard error."""
    if math.isnan(e.best):
        return "–"
    value = _number(e, e.best)
    return value if e.exact is not None else f"{value} ± {e.best_mcse:.2g}"


def amount(value: float, error: float) -> str:
    """A cost in whole units, with its Monte Carlo standard error if it is simulated."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" + (f" ± {error:,.0f}" if error else "")


def simulated_error(mcse: float, done: Simulation) -> str:
    """The standard error of a simulated share; where all trials agree, what they leave open."""
    return f"{mcse:.4f}" if mcse else f"all of {counted(done.trials, 'trial')} agree"


def _ways(
    plans: Mapping[str, Plan], requirements: Requirements, names: tuple[str, ...], size: tuple[int, int]
) -> pd.DataFrame:
    """The same trial run in several ways, at p0 and at p1: one row per way and rate."""
    both = (Scenario("p0", requirements.p0), Scenario("p1", requirements.p1))
    rows = []
    for way, plan in plans.items():
        done = simulation.expect(plan, both, names, *size)
        for label in ("p0", "p1"):
            row: dict[str, object] = {"way": way, "rate": label}
            for name in names:
                e = done[label][name]
                row |= {name: e.best, f"{name}_mcse": e.best_mcse, f"{name}_shown": written(e)}
            rows.append(row)
    return pd.DataFrame(rows).sort_values("rate", kind="stable", ignore_index=True)


def hold_or_continue(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Table:
    """The same trial with accrual held at each look, continuing, and continuing by a few patients at most."""
    plans = ways.of_accrual(plan)
    names = ("n_enrolled", "overrun", "hold_months", "duration_months")
    frame = _ways(plans, requirements, names, (trials, seed)).rename(columns={"way": "accrual"})
    shown = {"rate": column("scenario", WORDS), "accrual": column("accrual_pending", WORDS)}
    shown |= {f"{name}_shown": column(TERMS[name], WORDS) for name in names}
    caption = (
        f"{_named(plan)} with accrual held at the interim analysis, and with accrual that continues; the plan in bold. "
        f"{'' if plan.close_month is not None else ways.alike(plan)}{HOW}"
    )
    bold = [plans[way] == plan for way in frame.accrual]
    return Table("hold_or_continue", caption, frame, shown, chosen=bold, right=[f"{name}_shown" for name in names])


def complete_or_known(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Table:
    """The same trial with each look waiting for every status, and decided as soon as the known responses settle it."""
    plans = ways.of_decision(plan)
    earlier = () if len(plan.design.looks) == 1 else ("interim_month", "hold_months")
    names = (*earlier, "n_enrolled", "duration_months")
    frame = _ways(plans, requirements, names, (trials, seed)).rename(columns={"way": "decided"})
    shown = {"rate": column("scenario", WORDS), "decided": column("decided_when", WORDS)}
    shown |= {f"{name}_shown": column(TERMS[name], WORDS) for name in names}
    caption = (
        f"{_named(plan)} with analyses that wait for every response status, and with analyses that take place as soon "
        f"as their decision is settled; the plan in bold. {ways.alike(plan)}{HOW}"
    )
    bold = [plans[way] == plan for way in frame.decided]
    return Table("complete_or_known", caption, frame, shown, chosen=bold, right=[f"{name}_shown" for name in names])


def pending_price(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Table | None:
    """What it costs, and saves, to take the first of two looks with patients pending; None where it cannot be."""
    plans = ways.of_pending(plan, requirements)
    if plans is None:
        return None
    names = ("reject", "pet", "n_enrolled", "interim_month", "duration_months")
    found = _ways(plans, requirements, names, (trials, seed))
    low, high = (found[found.rate == label].drop(columns="rate") for label in ("p0", "p1"))
    frame = _saved(low.merge(high, on="way", suffixes=("_p0", "_p1"), validate="one_to_one"))
    first, now = plan.design.looks[0], plan.interim
    shown: dict[str, Shown] = {
        "way": column("threshold", WORDS, f"r1 = {first.r}"),
        "reject_shown_p0": column("type_i_error", WORDS),
        "reject_shown_p1": column("power", WORDS),
        "pet_shown_p0": column("pet_p0" if plan.toxicity_rule is None else "pet_responses_p0", WORDS),
        "n_enrolled_shown_p0": column("enrolled", WORDS, "at p0"),
        "n_enrolled_shown_p1": column("enrolled", WORDS, "at p1"),
        "interim_month_shown_p0": column("months_to_interim", WORDS, "at p0"),
        "duration_months_shown_p0": column("decision_months", WORDS, "at p0"),
        "saved_shown_p0": column("months_saved", WORDS, "at p0"),
        "duration_months_shown_p1": column("decision_months", WORDS, "at p1"),
        "saved_shown_p1": column("months_saved", WORDS, "at p1"),
    }
    month = None if now.conditional is None else now.conditional.month
    enrolled = f"when {counted(first.n, 'patient')} {agreeing(first.n, 'is', 'are')} enrolled"
    taken = enrolled if month is None else f"in month {month:g}"
    after = f"; its decision follows {counted(round(now.lag, 2), 'month')} after the look" if now.lag else ""
    caption = (
        f"{_named(plan)} with an interim analysis that waits for every response status (first row), and with one taken "
        f"{taken} with patients pending{after}; the plan in bold. {HOW}. Months saved are against waiting; they are "
        "negative if the decision comes later, as it can at p0, where fewer trials then stop at the interim analysis"
    )
    chosen = ways.WAIT if plan.conditional is None else f"{plan.conditional.threshold:g}"
    right = [name for name in shown if name != "way"]
    return Table("pending_price", caption, frame, shown, chosen=(frame.way == chosen).tolist(), right=right)


def _saved(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the months saved against waiting, the first row; the MCSE is that of rows independent of each other."""
    for rate in ("p0", "p1"):
        months, mcse = frame[f"duration_months_{rate}"], frame[f"duration_months_mcse_{rate}"]
        saved, error = months.iloc[0] - months, np.hypot(mcse.iloc[0], mcse)
        frame[f"saved_{rate}"], frame[f"saved_mcse_{rate}"] = saved, error
        frame[f"saved_shown_{rate}"] = [
            "–" if k == 0 or math.isnan(value) else f"{value:.2f}" + (f" ± {apart:.2g}" if apart else "")
            for k, (value, apart) in enumerate(zip(saved, error, strict=True))
        ]
    return frame


def inflation(design: Design, requirements: Requirements, loss: Dropout) -> Table:
    """What more patients attain against dropout with the bounds kept."""
    rows = [
        {
            "enrolled": found.enrolled,
            "looks": design_named(found.design).removeprefix("design "),
            "enough": found.enough,
            "type_i_error": found.type_i_error,
            "power": found.power,
            "type_i_error_all": found.type_i_error_all,
        }
        for found in inflated(design, requirements, loss)
    ]
    frame = pd.DataFrame(rows)
    n, lost = design.looks[-1].n, loss.lost(requirements.p1)
    shown: dict[str, Shown] = {
        "enrolled": column("enrolled", WHOLE),
        "looks": column("looks", WORDS, "bounds kept"),
        "enough": column("enough", RATE, f"n = {n}, at p1"),
        "type_i_error": column("type_i_error", RATE, "p0 with all evaluable"),
        "power": column("power", RATE),
        "type_i_error_all": column("type_i_error", RATE, "p0 among all enrolled"),
    }
    caption = (
        f"The {design_named(design, 4)} with more patients against a dropout of {stated(round(lost, 6))} (at "
        "p1), the bounds unchanged and patients without a response assessment counting as non-responders; the usual "
        "n/(1 - d) in bold. All values are exact"
    )
    return Table("inflation", caption, frame, shown, chosen=(frame.enrolled == enrolled_for(n, lost)).tolist())


def sensitivity(found: Sensitivity) -> Table:
    """One assumption changed at a time."""
    rows = []
    for variant in (found.base, *found.variants):
        row: dict[str, object] = {"assumption": variant.assumption or "as planned", "setting": variant.setting or "–"}
        for name, (_, _, outcome) in MEASURES.items():
            value, mcse = variant.values[name], variant.mcse[name]
            shown_value = RATE(value) if outcome == "reject" else f"{value:.2f}"
            row |= {
                name: value,
                f"{name}_mcse": mcse,
                f"{name}_shown": shown_value + (f" ± {mcse:.2g}" if mcse else ""),
            }
        rows.append(row)
    shown: dict[str, Shown] = {"assumption": column("lever", WORDS), "setting": column("changed_to", WORDS)}
    shown |= {
        "type_i_error_shown": column("type_i_error", WORDS),
        "power_shown": column("power", WORDS),
        "n_enrolled_p0_shown": column("enrolled", WORDS, "at p0"),
        "duration_p1_shown": column("decision_months", WORDS, "at p1"),
    }
    caption = (
        "What if an assumption is wrong: one assumption changed at a time and everything else as planned (in bold). "
        f"{HOW} ({counted(found.trials, 'trial')}, seed {found.seed})"
    )
    right, bold = [f"{name}_shown" for name in MEASURES], [True] + [False] * len(found.variants)
    return Table("sensitivity", caption, pd.DataFrame(rows), shown, chosen=bold, right=right)
