"""Tables about the conduct of a trial: what is assumed, what comes of it, what else could be done."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct import cost, outcomes, simulation
from simtrial.conduct.sensitivity import MEASURES
from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.laws.inflation import inflated
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.plan import Conditional, Scenario
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table

if TYPE_CHECKING:
    from simtrial.conduct.cost import Prices
    from simtrial.conduct.sensitivity import Sensitivity
    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Decide, Plan


def _label(e: Estimate, plan: Plan) -> str:
    if not e.outcome.name.endswith("_landmark"):
        return e.outcome.label
    return f"{e.outcome.label.replace(' landmark', '')} at month {plan.landmark:g}"


def _digits(estimate: Estimate) -> str:
    return "{:.4f}" if estimate.outcome.kind in ("share", "rate") else "{:.2f}"


def simulated(done: Simulation, label: str) -> Table:
    """One scenario: every outcome simulated, its Monte Carlo standard error, and the exact value beside it."""
    result = done[label]
    rows = []
    for name, e in result.estimates.items():
        if e.n == 0 and not e.infinite:
            continue
        how, spread = _digits(e), e.outcome.kind != "share"
        rows.append(
            {
                "outcome": name,
                "label": _label(e, done.plan),
                "simulated": e.value,
                "mcse": e.mcse,
                "exact": e.exact,
                "z": e.z,
                **{f"q{round(100 * q):02d}": v if spread else None for q, v in e.quantiles.items()},
                "trials": e.n + e.infinite,
                "not_reached": e.infinite,
                "shown_value": how.format(e.value) + _coverage(e, done) if e.value is not None else _why(e),
                "shown_mcse": f"{e.mcse:.4f}" if e.mcse is not None else "–",
                "shown_exact": how.format(e.exact) if e.exact is not None else "–",
            }
        )
    frame = pd.DataFrame(rows)
    number = "{:g}"
    shown: dict[str, Shown] = {
        "label": ("Outcome", WORDS),
        "shown_value": ("Simulated mean", WORDS),
        "shown_mcse": ("MCSE", WORDS),
        "shown_exact": ("Exact", WORDS),
        "z": ("z", "{:+.1f}"),
        "q05": ("5%", number),
        "q50": ("50%", number),
        "q95": ("95%", number),
    }
    what = "z is the distance from the exact value in standard errors"
    caption = f"True rate {result.scenario.rate} ({label}): {done.trials} trials; {what}"
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
    keys = ("reject", "pet", "n_enrolled", "n_screened", "overrun", "interim_month", "duration_months", "end_month")
    heads = (
        "P(reject H0)",
        "PET",
        "Enrolled",
        "Screened",
        "Overrun",
        "Interim, month",
        "Decision, month",
        "End, month",
    )
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
    shown: dict[str, Shown] = {"scenario": ("True rate", WORDS), "p": ("p", WORDS)}
    given = {name: head for name, head in zip(keys, heads, strict=True) if not frame[name].isna().all()}
    if prices is not None:
        given["cost"] = "Cost"
    shown |= {f"{name}_shown": (head, WORDS) for name, head in given.items()}
    caption = f"Every true rate of the file: {HOW}"
    bold = [result.scenario.label in ("p0", "p1") for result in done.results]
    right = [f"{name}_shown" for name in given]
    return Table("conduct_scenarios", caption, frame, shown, chosen=bold, right=right)


def running(design: Design) -> tuple[str, ...]:
    """Name the outcomes that tell how a design runs: without looks before the last, nothing waits for one."""
    if len(design.looks) == 1:
        return ("reject", "n_screened", "n_enrolled", "duration_months")
    return ("reject", "pet", "n_screened", "n_enrolled", "overrun", "interim_month", "hold_months", "duration_months")


def calendar(done: Simulation) -> Table:
    """What running the trial does at p0 and at p1, one outcome a row: errors, patients, months."""
    both = {label: done[label] for label in ("p0", "p1")}
    rows = []
    for name in running(done.plan.design):
        row: dict[str, object] = {"outcome": name, "label": outcomes.OUTCOMES[name].label}
        for label, result in both.items():
            e = result[name]
            row |= {label: e.best, f"{label}_mcse": e.best_mcse, f"{label}_shown": written(e)}
        rows.append(row)
    shown: dict[str, Shown] = {"label": ("", WORDS)}
    shown |= {f"{label}_shown": (f"{label} = {result.scenario.rate}", WORDS) for label, result in both.items()}
    how = f"{HOW}, {done.trials} trials, seed {done.seed}" if done.trials else "exact"
    right = [f"{label}_shown" for label in both]
    return Table("calendar", f"As it is to be run: {how}", pd.DataFrame(rows), shown, right=right)


HOW = "exact where there is an exact value, else simulated ± MCSE"


def written(e: Estimate) -> str:
    """The best value there is; if it is simulated, with its Monte Carlo standard error."""
    if math.isnan(e.best):
        return "–"
    value = _digits(e).format(e.best)
    return value if e.exact is not None else f"{value} ± {e.best_mcse:.2g}"


def amount(value: float, error: float) -> str:
    """A cost in whole units, with its Monte Carlo standard error if it is simulated."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" + (f" ± {error:,.0f}" if error else "")


def simulated_error(mcse: float, done: Simulation) -> str:
    """The standard error of a simulated share; where all trials agree, what they leave open."""
    return f"{mcse:.4f}" if mcse else f"all of {done.trials} trials agree"


def _ways(
    plans: dict[str, Plan], requirements: Requirements, names: tuple[str, ...], size: tuple[int, int]
) -> pd.DataFrame:
    """The same trial run in several ways, at p0 and at p1: one row a way and rate."""
    both = (Scenario("p0", requirements.p0), Scenario("p1", requirements.p1))
    rows = []
    for said, plan in plans.items():
        done = simulation.expect(plan, both, names, *size)
        for label in ("p0", "p1"):
            row: dict[str, object] = {"way": said, "rate": label}
            for name in names:
                e = done[label][name]
                row |= {name: e.best, f"{name}_mcse": e.best_mcse, f"{name}_shown": written(e)}
            rows.append(row)
    return pd.DataFrame(rows).sort_values("rate", kind="stable", ignore_index=True)


def hold_or_continue(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Table:
    """The same trial with accrual held at each look, going on, and going on with a few more patients at most."""
    now, extra = plan.interim, 3 if plan.interim.extra is None else plan.interim.extra
    ways = {
        "hold": replace(now, hold=True, extra=None, max_hold=None),
        f"continue, at most {extra} extra": replace(now, hold=False, extra=extra, max_hold=None),
        "continue": replace(now, hold=False, extra=None, max_hold=None),
    }
    if now.max_hold is not None:
        ways[f"hold, for at most {now.max_hold:g} {'month' if now.max_hold == 1 else 'months'}"] = now
    names = ("n_enrolled", "overrun", "hold_months", "duration_months")
    plans = {said: replace(plan, interim=rule) for said, rule in ways.items()}
    frame = _ways(plans, requirements, names, (trials, seed)).rename(columns={"way": "accrual"})
    shown: dict[str, Shown] = {
        "rate": ("True rate", WORDS),
        "accrual": ("Accrual while the look is pending", WORDS),
        "n_enrolled_shown": ("Patients enrolled", WORDS),
        "overrun_shown": ("of them overrun", WORDS),
        "hold_months_shown": ("Months on hold", WORDS),
        "duration_months_shown": ("Months to the decision", WORDS),
    }
    mine = next(said for said, rule in ways.items() if rule == plan.interim)
    caption = f"The decision is the same, patients and months are not; the plan in bold. {HOW[0].upper()}{HOW[1:]}"
    bold = (frame.accrual == mine).tolist()
    return Table("hold_or_continue", caption, frame, shown, chosen=bold, right=[f"{name}_shown" for name in names])


def complete_or_known(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Table:
    """The same trial with each look waiting for every status, and decided as soon as the statuses known settle it."""
    ways: dict[str, Decide] = {"every status is known": "complete", "the decision is settled": "known"}
    earlier = () if len(plan.design.looks) == 1 else ("interim_month", "hold_months")
    names = (*earlier, "n_enrolled", "duration_months")
    plans = {said: replace(plan, interim=replace(plan.interim, decide=rule)) for said, rule in ways.items()}
    frame = _ways(plans, requirements, names, (trials, seed)).rename(columns={"way": "decided"})
    heads = {
        "interim_month": "Interim look, month",
        "hold_months": "Months on hold",
        "n_enrolled": "Patients enrolled",
        "duration_months": "Months to the decision",
    }
    shown: dict[str, Shown] = {"rate": ("True rate", WORDS), "decided": ("A look decides when", WORDS)}
    shown |= {f"{name}_shown": (heads[name], WORDS) for name in names}
    bold = [ways[said] == plan.interim.decide for said in frame.decided]
    caption = (
        "What deciding as soon as the decision is settled saves: type I error and power are the same; the plan in "
        f"bold. {HOW[0].upper()}{HOW[1:]}"
    )
    right = [f"{name}_shown" for name in names]
    return Table("complete_or_known", caption, frame, shown, chosen=bold, right=right)


THRESHOLDS = (0.1, 0.3, 0.5, 0.7)
"""Least predictive probabilities that are compared for an interim look with patients pending."""


def pending_price(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Table | None:
    """What it costs, and saves, to take the first of two looks with patients pending; None where it cannot be."""
    now = plan.interim
    month = None if now.conditional is None else now.conditional.month
    plans = {"wait": replace(plan, interim=replace(now, conditional=None))}
    mine = () if plan.conditional is None else (plan.conditional.threshold,)
    if len(plan.design.looks) == 1:
        return None
    try:
        for threshold in sorted({*THRESHOLDS, *mine}):
            rule = Conditional(threshold, requirements.p1, month)
            plans[f"{threshold:g}"] = replace(plan, interim=replace(now, conditional=rule))
    except InputError:  # three looks, an efficacy bound, or recut bounds
        return None
    names = ("reject", "pet", "n_enrolled", "interim_month", "duration_months")
    found = _ways(plans, requirements, names, (trials, seed))
    low, high = (found[found.rate == label].drop(columns="rate") for label in ("p0", "p1"))
    frame = _saved(low.merge(high, on="way", suffixes=("_p0", "_p1"), validate="one_to_one"))
    shown: dict[str, Shown] = {
        "way": (f"Continue if P(X1 > {plan.design.looks[0].r}) is at least", WORDS),
        "reject_shown_p0": ("Type I error", WORDS),
        "reject_shown_p1": ("Power", WORDS),
        "pet_shown_p0": ("PET at p0", WORDS),
        "n_enrolled_shown_p0": ("Enrolled at p0", WORDS),
        "n_enrolled_shown_p1": ("Enrolled at p1", WORDS),
        "interim_month_shown_p0": ("Interim look at p0, month", WORDS),
        "duration_months_shown_p0": ("Decision at p0, month", WORDS),
        "saved_shown_p0": ("Months saved at p0", WORDS),
        "duration_months_shown_p1": ("Decision at p1, month", WORDS),
        "saved_shown_p1": ("Months saved at p1", WORDS),
    }
    first = plan.design.looks[0]
    taken = f"when {first.n} patients are enrolled" if month is None else f"in month {month:g}"
    after = f"; its decision follows {now.lag:.3g} months after the look" if now.lag else ""
    caption = (
        f"An interim look that waits for every status, and one taken {taken} with patients pending{after}; the plan in "
        f"bold. {HOW[0].upper()}{HOW[1:]}. Months saved are those against waiting, negative if the decision comes "
        "later: at p0 it can, because fewer trials stop at the interim look"
    )
    chosen = "wait" if plan.conditional is None else f"{plan.conditional.threshold:g}"
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
    """What more patients buy against losses, the bounds kept."""
    rows = [
        {
            "enrolled": found.enrolled,
            "looks": looks_text(found.design, ", "),
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
        "enrolled": ("Enrolled", WHOLE),
        "looks": ("Looks (r/n), bounds kept", WORDS),
        "enough": (f"P({n} evaluable) at p1", RATE),
        "type_i_error": ("Type I error, p0 as if none were lost", RATE),
        "power": ("Power", RATE),
        "type_i_error_all": ("Type I error, p0 among all enrolled", RATE),
    }
    against = f"a loss of {100 * lost:.3g}% (at p1), if patients lost are counted as non-responders"
    caption = f"Inflating the {n} patients of {looks_text(design, ', ')} against {against}; n/(1 - d) in bold"
    return Table("inflation", caption, frame, shown, chosen=(frame.enrolled == enrolled_for(n, lost)).tolist())


def sensitivity(found: Sensitivity) -> Table:
    """One assumption changed at a time."""
    rows = []
    for variant in (found.base, *found.variants):
        row: dict[str, object] = {"assumption": variant.assumption or "as planned", "setting": variant.setting or "–"}
        for name, (_, _, outcome) in MEASURES.items():
            value, mcse = variant.values[name], variant.mcse[name]
            said = f"{value:.4f}" if outcome == "reject" else f"{value:.2f}"
            row |= {name: value, f"{name}_mcse": mcse, f"{name}_shown": f"{said} ± {mcse:.2g}" if mcse else said}
        rows.append(row)
    shown: dict[str, Shown] = {"assumption": ("Assumption", WORDS), "setting": ("Changed to", WORDS)}
    shown |= {f"{name}_shown": (title, WORDS) for name, (title, _, _) in MEASURES.items()}
    bold = [True, *(False for _ in found.variants)]
    right = [f"{name}_shown" for name in MEASURES]
    return Table(
        "sensitivity", f"One assumption changed at a time: {HOW}", pd.DataFrame(rows), shown, chosen=bold, right=right
    )
