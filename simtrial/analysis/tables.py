"""Tables of a finished trial; see `simtrial.trial.tables` for what a table is."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.analysis import averaged as analysis_averaged
from simtrial.analysis import inference, monitoring
from simtrial.analysis.text import ORDERINGS, estimate_name, interval_name, p_method, responses_in, stops_at
from simtrial.design.designs import looks_text
from simtrial.patients import endpoints
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table, p_written

if TYPE_CHECKING:
    from simtrial.analysis.dossier import Dossier

MOST_ENDINGS = 60
"""Endings shown; all of them stand in the CSV."""


def _named(report: Dossier, caption: str) -> str:
    return f"{caption} ({report.label})"


def _of_patients(report: Dossier, table: Table) -> Table:
    """The table with a column that says whose data it is, so that its CSV cannot be taken for another's."""
    return replace(table, frame=table.frame.assign(data=report.label))


def disposition(report: Dossier) -> Table:
    """From screening to response: each number is the sum of those below it."""
    result = report.final.result
    if report.data is None:
        rows = [("analysed", result.n), ("responders", result.responses)]
    else:
        rows = list(report.data.disposition().items())
    frame = pd.DataFrame(rows, columns=["patients", "number"])
    shown: dict[str, Shown] = {"patients": ("Patients", WORDS), "number": ("Number", WHOLE)}
    return _of_patients(report, Table("disposition", _named(report, "Disposition"), frame, shown))


def p_values(report: Dossier) -> Table:
    """The decision and its p-value, beside others."""
    result = report.final.result
    names = {
        "exact": p_method(report.final),
        "mid_p": interval_name(report.final, "mid_p"),
        "conditional": "given that the look was reached",
        "naive": "naive: binomial, as if there had been one look",
    }
    frame = pd.DataFrame([{"method": names[name], "p_value": value} for name, value in result.p_values.items()])
    shown: dict[str, Shown] = {"method": ("Method", WORDS), "p_value": ("p-value, one-sided", p_written)}
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    caption = _named(report, f"{responses_in(result.responses, result.n)}: {decision}")
    return _of_patients(
        report, Table("p_values", caption, frame, shown, chosen=[name == "exact" for name in result.p_values])
    )


def estimates(report: Dossier) -> Table:
    """Every estimate of the response rate; the unbiased one stressed."""
    result = report.final.result
    rows = [
        {"method": estimate_name(report.final, name), "estimate": np.nan if value is None else value}
        for name, value in result.estimates.items()
    ]
    shown: dict[str, Shown] = {"method": ("Method", WORDS), "estimate": ("Response rate", RATE)}
    caption = _named(report, "Estimates; in bold the one that goes into the paper")
    stressed = [name == "umvue" for name in result.estimates]
    return _of_patients(report, Table("estimates", caption, pd.DataFrame(rows), shown, chosen=stressed))


def intervals(report: Dossier) -> Table:
    """Every interval, and whether it agrees with the decision; the exact one stressed."""
    result = report.final.result
    rows = [
        {
            "method": interval_name(report.final, name),
            "low": low,
            "high": np.nan if high is None else high,
            "agrees": "yes" if result.agrees[name] else "no",
        }
        for name, (low, high) in result.intervals.items()
    ]
    shown: dict[str, Shown] = {
        "method": ("Method", WORDS),
        "low": ("Lower", RATE),
        "high": ("Upper", RATE),
        "agrees": ("Agrees with the decision", WORDS),
    }
    sides = "" if result.sides == 2 else ", one-sided"
    caption = _named(report, f"{100 * result.level:g}% intervals{sides}; in bold the one that goes into the paper")
    stressed = [name == "exact" for name in result.intervals]
    return _of_patients(report, Table("intervals", caption, pd.DataFrame(rows), shown, chosen=stressed))


def rules(report: Dossier) -> Table:
    """What each rule says of sizes that differ from plan."""
    final = report.final
    if final.attained is None:
        return Table("rules", "The sizes are as planned: no bound has to change.", pd.DataFrame({"rule": []}), {})
    word = {True: "rejected", False: "not rejected", None: "none"}
    rows = [
        {
            "rule": one.rule,
            "stops": stops_at(final, one),
            "rejects": f"{one.r} of {final.attained.n}",
            "decision": word[one.reject] + (f": {one.why}" if one.why else ""),
            "p_value": np.nan if one.p_value is None else one.p_value,
            "type_i_error": one.type_i_error,
            "power": np.nan if one.power is None else one.power,
        }
        for one in final.rules
    ]
    shown: dict[str, Shown] = {
        "rule": ("Rule", WORDS),
        "stops": ("Stops at", WORDS),
        "rejects": ("Rejects if X >", WORDS),
        "decision": ("H0", WORDS),
        "p_value": ("p-value", p_written),
        "type_i_error": ("Type I error", RATE),
        "power": ("Power", RATE),
    }
    chosen = [one is final.rule for one in final.rules]
    kept = "" if final.alpha is None else f"; recalculated bounds keep {final.alpha:.4g}"
    caption = (
        f"Planned {looks_text(final.design, ', ')}; errors are exact, at the sizes attained{kept}; in bold the rule "
        "taken"
    )
    return Table("rules", _named(report, caption), pd.DataFrame(rows), shown, chosen=chosen)


def averaged(report: Dossier) -> Table:
    """Each whole rule, averaged over the numbers that turn out evaluable."""
    plan = report.plan
    looks = report.final.design.looks
    known = len(looks) <= 2 and all(look.e is None for look in looks)
    if plan is None or not known or not plan.dropout.probability:
        why = "No dropout is assumed, so the sizes do not vary."
        if plan is not None and plan.dropout.probability:
            why = "Left out: rules for other sizes are made for one or two looks that stop for futility alone."
        return Table("averaged", why, pd.DataFrame({"rule": []}), {})
    found = analysis_averaged.averaged(report.final.design, report.requirements, plan.dropout)
    frame = pd.DataFrame([asdict(one) for one in found])
    shown: dict[str, Shown] = {
        "rule": ("Rule", WORDS),
        "type_i_error": ("Type I error", RATE),
        "largest": ("Largest at any sizes", RATE),
        "power": ("Power", RATE),
        "pet_p0": ("PET(p0)", RATE),
    }
    caption = (
        f"Rules averaged over the numbers evaluable, {100 * plan.dropout.lost(report.requirements.p1):.3g}% being lost "
        "and left out (Koyama-Chen: the first look waits for its planned number)"
    )
    return Table("averaged", caption, frame, shown)


def endings(report: Dossier) -> Table:
    """What would have been said, whatever had been seen."""
    result = report.final.result
    design = report.final.design
    found = inference.every_ending(design, report.final.p0, result.level, sides=result.sides, ordering=result.ordering)
    exact, naive = found.intervals["exact"], found.intervals["naive"]
    frame = pd.DataFrame(
        {
            "look": found.endings.stage,
            "responses": found.endings.responses,
            "n": found.endings.n,
            "decision": np.where(found.endings.reject, "rejected", "not rejected"),
            "p_value": found.p_values["exact"],
            **found.estimates,
            **{
                f"{name}_{end}": v[:, k] for name, v in found.intervals.items() for k, end in enumerate(("low", "high"))
            },
        }
    )
    frame["interval"] = [f"{low:.4f} to {high:.4f}" for low, high in exact]
    frame["naive_interval"] = [f"{low:.4f} to {high:.4f}" for low, high in naive]
    shown: dict[str, Shown] = {
        "look": ("Look", WHOLE),
        "responses": ("Responses", WHOLE),
        "n": ("of", WHOLE),
        "decision": ("H0", WORDS),
        "p_value": ("p-value", p_written),
        "mle": ("MLE", RATE),
        "umvue": ("UMVUE", RATE),
        "median_unbiased": ("Median unbiased", RATE),
        "interval": (f"Exact {100 * result.level:g}%", WORDS),
        "naive_interval": ("Naive", WORDS),
    }
    seen = (found.endings.stage == result.stage) & (found.endings.responses == result.responses)
    stressed = seen if report.final.attained is None else np.zeros_like(seen)
    more = f"; the first {MOST_ENDINGS} of {len(frame)}" if len(frame) > MOST_ENDINGS else ""
    seen_too = "; in bold the one seen" if stressed.any() else ""
    order = f"; exact intervals by {ORDERINGS[result.ordering]}" if len(design.looks) > 1 else ""
    caption = f"Every ending of {looks_text(design, ', ')} as planned{order}{seen_too}{more}"
    return Table("endings", caption, frame, shown, chosen=stressed[:MOST_ENDINGS], first=MOST_ENDINGS)


def on_the_way(report: Dossier) -> Table:
    """What the responses at the first look mean for the end; of a single stage, those at half of its patients."""
    design, asked = report.final.design, report.requirements
    first, last = design.looks[0], design.looks[-1]
    m = first.n if len(design.looks) > 1 else max(last.n // 2, 1)
    rows = []
    for x in range(m + 1):
        now = monitoring.monitor(design, m, x, (asked.p0, asked.p1))
        needed = now.needed[-1]
        over = len(design.looks) > 1 and not first.regions(np.array(x), final=False).go_on
        told = "the trial stops" if over else str(needed.responses)
        if needed.responses is not None and needed.responses > needed.remaining and not over:
            told = "out of reach"
        powers = [power for _, power in now.conditional_power]
        rows.append(
            {
                "responses": x,
                "needed": told,
                "remaining": needed.remaining,
                "power_p0": powers[0],
                "power_p1": powers[1],
                "predictive": now.predictive,
            }
        )
        if needed.responses == 0 and not over:
            break  # more responses change nothing
    shown: dict[str, Shown] = {
        "responses": (f"Responses in {m}", WHOLE),
        "needed": ("Needed to reject H0", WORDS),
        "remaining": ("among further", WHOLE),
        "power_p0": ("Conditional power at p0", RATE),
        "power_p1": ("at p1", RATE),
        "predictive": ("Predictive probability", RATE),
    }
    caption = f"After {m} patients: what it takes (predictive probability with Jeffreys' prior, Beta(.5, .5))"
    return Table("on_the_way", caption, pd.DataFrame(rows), shown, right=("needed",))


def secondary(report: Dossier) -> Table:
    """Secondary endpoints of the patients."""
    if report.data is None:
        caption = "Secondary endpoints need the patients: only counts are given."
        return Table("secondary", caption, pd.DataFrame({"label": []}), {})
    found = endpoints.secondary(report.data, report.final.result.level, report.landmark, report.handling)
    if not found:
        caption = _named(report, "The file has columns for none of the secondary endpoints.")
        return Table("secondary", caption, pd.DataFrame({"label": []}), {})
    frame = pd.DataFrame([{name: getattr(one, name) for name in one.__slots__} for one in found])

    def written(value: float | None, unit: str) -> str:
        if value is None or np.isnan(value):
            return "not reached" if unit == "months" else "–"
        return f"{100 * value:.1f}%" if unit == "share" else f"{value:.1f} months"

    frame["estimate"] = [written(one.value, one.unit) for one in found]
    frame["interval"] = [f"{written(one.low, one.unit)} to {written(one.high, one.unit)}" for one in found]
    shown: dict[str, Shown] = {
        "label": ("Endpoint", WORDS),
        "n": ("Patients", WHOLE),
        "events": ("Events", WHOLE),
        "estimate": ("Estimate", WORDS),
        "interval": (f"{100 * report.final.result.level:g}% interval", WORDS),
        "method": ("Method", WORDS),
    }
    return _of_patients(report, Table("secondary", _named(report, "Secondary endpoints"), frame, shown))
