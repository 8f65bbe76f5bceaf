"""Tables of a finished trial; see `simtrial.trial.tables` for what a table is."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.analysis import averaged as analysis_averaged
from simtrial.analysis import inference, monitoring
from simtrial.analysis.text import ORDERINGS, RULE_NAMES, estimate_name, interval_name, p_method, responses_in, stops_at
from simtrial.analysis.words import TOXICITY_NAMES
from simtrial.design.designs import looks_text
from simtrial.patients import endpoints
from simtrial.phrases import counted, percent, stated
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table, column, p_written
from simtrial.toxicity.boundary import boundary_text

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
    shown: dict[str, Shown] = {"patients": column("patients", WORDS), "number": column("number", WHOLE)}
    caption = "Disposition of the patients from screening to response: each pair of lines adds up to the line before it"
    return _of_patients(report, Table("disposition", _named(report, caption), frame, shown))


def _aside(report: Dossier) -> str:
    return ", the stop for toxicity left aside," if report.final.no_claim else ""


def p_values(report: Dossier) -> Table:
    """The decision and its p-value, beside others."""
    result = report.final.result
    names = {
        "exact": p_method(report.final),
        "mid_p": interval_name(report.final, "mid_p"),
        "conditional": "conditional on reaching the look",
        "naive": "naive: binomial, as if there had been no interim analysis",
    }
    frame = pd.DataFrame([{"method": names[name], "p_value": value} for name, value in result.p_values.items()])
    shown: dict[str, Shown] = {"method": column("method", WORDS), "p_value": column("p_value", p_written)}
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    if report.final.no_claim:
        decision += ", because the boundary for toxicity was crossed"
    what = "One-sided p-values by method; the one that goes with the decision is in bold"
    if report.final.no_claim:
        what = "One-sided p-values of the responses alone, by method"
    caption = _named(report, f"Decision with {responses_in(result.responses, result.n)}: {decision}. {what}")
    stressed = [name == "exact" and not report.final.no_claim for name in result.p_values]
    return _of_patients(report, Table("p_values", caption, frame, shown, chosen=stressed))


def estimates(report: Dossier) -> Table:
    """Every estimate of the response rate; the unbiased one stressed."""
    result = report.final.result
    rows = [
        {"method": estimate_name(report.final, name), "estimate": np.nan if value is None else value}
        for name, value in result.estimates.items()
    ]
    shown: dict[str, Shown] = {"method": column("method", WORDS), "estimate": column("estimate", RATE)}
    caption = _named(
        report,
        f"Estimates of the response rate{_aside(report)} from {responses_in(result.responses, result.n)}; the one for "
        "publication is in bold",
    )
    stressed = [name == "umvue" for name in result.estimates]
    return _of_patients(report, Table("estimates", caption, pd.DataFrame(rows), shown, chosen=stressed))


def intervals(report: Dossier) -> Table:
    """Every interval, and whether it is consistent with the test; the exact one stressed."""
    result = report.final.result
    rows = [
        {
            "method": interval_name(report.final, name),
            "low": low,
            "high": np.nan if high is None else high,
            **({} if report.final.no_claim else {"agrees": "yes" if result.agrees[name] else "no"}),
        }
        for name, (low, high) in result.intervals.items()
    ]
    shown: dict[str, Shown] = {
        "method": column("method", WORDS),
        "low": column("lower", RATE),
        "high": column("upper", RATE),
        "agrees": column("consistent", WORDS),
    }
    if report.final.no_claim:  # there is no test of the response to agree with
        del shown["agrees"]
    sides = "" if result.sides == 2 else ", one-sided"
    caption = _named(
        report,
        f"{100 * result.level:g}% confidence intervals of the response rate{sides}{_aside(report).rstrip(',')}, from "
        f"{responses_in(result.responses, result.n)}; the one for publication is in bold",
    )
    stressed = [name == "exact" for name in result.intervals]
    return _of_patients(report, Table("intervals", caption, pd.DataFrame(rows), shown, chosen=stressed))


def toxicity(report: Dossier) -> Table | None:
    """Estimates and intervals of the rate of toxicity; None where there is no rule, or no toxicity is known."""
    seen = report.final.toxicity
    if seen is None:
        return None
    found = seen.estimates
    limits = {"mle": "naive", "median_unbiased": "exact"}
    rows = []
    for name, value in found.estimates.items():
        low, high = found.intervals[limits[name]] if name in limits else (np.nan, np.nan)
        rows.append({"method": TOXICITY_NAMES[name], "estimate": value, "low": low, "high": high})
    shown: dict[str, Shown] = {
        "method": column("method", WORDS),
        "estimate": column("shown_estimate", RATE),
        "low": column("lower", RATE),
        "high": column("upper", RATE),
    }
    how = f"crossed by patient {seen.crossing.patient}" if seen.crossing is not None else "not crossed"
    seen_in = f"{counted(found.toxicities, 'toxicity', 'toxicities')} in {counted(found.n, 'patient')}"
    caption = (
        f"Rate of toxicity from {seen_in}, under the boundary {boundary_text(seen.boundary, ', ')[:120]}, {how}: "
        f"estimates with {100 * found.level:g}% confidence limits, Clopper-Pearson for the naive estimate and exact by "
        "stage-wise ordering for the median unbiased one; the unbiased estimate is in bold"
    )
    stressed = [name == "umvue" for name in found.estimates]
    return _of_patients(
        report, Table("toxicity_rate", _named(report, caption), pd.DataFrame(rows), shown, chosen=stressed)
    )


def rules(report: Dossier) -> Table:
    """What each rule decides where the numbers analysed differ from the plan."""
    final = report.final
    if final.no_claim:
        why = "The trial was stopped for toxicity: no rule for the response decides."
        return Table("rules", why, pd.DataFrame({"rule": []}), {})
    if final.attained is None:
        return Table(
            "rules", "The numbers analysed are as planned: no bound has to change.", pd.DataFrame({"rule": []}), {}
        )
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
        "rule": column("rule", RULE_NAMES.__getitem__),
        "stops": column("stops_at", WORDS),
        "rejects": column("rejects_above", WORDS),
        "decision": column("null", WORDS),
        "p_value": column("p_value", p_written),
        "type_i_error": column("type_i_error", RATE),
        "power": column("power", RATE),
    }
    chosen = [one is final.rule for one in final.rules]
    kept = "" if final.alpha is None else f" Recalculated bounds keep the type I error at or below {final.alpha:.4g}."
    caption = (
        f"What each rule decides at the numbers analysed, where {looks_text(final.design, ', ')} was planned; type I "
        f"error and power are exact.{kept} The rule that is followed is in bold"
    )
    return Table("rules", _named(report, caption), pd.DataFrame(rows), shown, chosen=chosen)


def averaged(report: Dossier) -> Table:
    """Each whole rule, averaged over the numbers that turn out evaluable."""
    plan = report.plan
    looks = report.final.design.looks
    known = len(looks) <= 2 and all(look.e is None for look in looks)
    if plan is None or not known or not plan.dropout.probability:
        why = "No dropout is assumed, so the numbers analysed do not vary."
        if plan is not None and plan.dropout.probability:
            why = "Not computed: these rules apply to one or two looks that stop for futility alone."
        return Table("averaged", why, pd.DataFrame({"rule": []}), {})
    found = analysis_averaged.averaged(report.final.design, report.requirements, plan.dropout)
    frame = pd.DataFrame([asdict(one) for one in found])
    shown: dict[str, Shown] = {
        "rule": column("rule", RULE_NAMES.__getitem__),
        "type_i_error": column("type_i_error", RATE),
        "largest": column("largest", RATE),
        "power": column("power", RATE),
        "pet_p0": column("pet_p0", RATE),
    }
    caption = (
        f"Each rule as a whole, averaged over the numbers of evaluable patients (dropout "
        f"{percent(plan.dropout.lost(report.requirements.p1))}, patients without a response assessment left "
        "out); exact. "
        "Under Koyama and Chen's rule the first look waits for its planned number."
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
    frame["interval"] = [f"{RATE(low)} to {RATE(high)}" for low, high in exact]
    frame["naive_interval"] = [f"{RATE(low)} to {RATE(high)}" for low, high in naive]
    shown: dict[str, Shown] = {
        "look": column("look", WHOLE),
        "responses": column("responses", WHOLE),
        "n": column("patients", WHOLE),
        "decision": column("null", WORDS),
        "p_value": column("p_value", p_written),
        "mle": column("mle", RATE),
        "umvue": column("umvue", RATE),
        "median_unbiased": column("median_unbiased", RATE),
        "interval": column("interval", WORDS, f"exact {100 * result.level:g}%"),
        "naive_interval": column("interval", WORDS, f"naive {100 * result.level:g}%"),
    }
    seen = (found.endings.stage == result.stage) & (found.endings.responses == result.responses)
    stressed = seen if report.final.attained is None else np.zeros_like(seen)
    more = f"; the first {MOST_ENDINGS} of {len(frame)} are shown" if len(frame) > MOST_ENDINGS else ""
    seen_too = "; the ending observed is in bold" if stressed.any() else ""
    order = f"; exact intervals by {ORDERINGS[result.ordering]}" if len(design.looks) > 1 else ""
    caption = (
        f"Every possible ending of {looks_text(design, ', ')} as planned, with its decision, estimates and intervals"
        f"{order}{seen_too}{more}"
    )
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
        text = "the trial stops" if over else str(needed.responses)
        if needed.responses is not None and needed.responses > needed.remaining and not over:
            text = "out of reach"
        powers = [power for _, power in now.conditional_power]
        rows.append(
            {
                "responses": x,
                "needed": text,
                "remaining": needed.remaining,
                "power_p0": powers[0],
                "power_p1": powers[1],
                "predictive": now.predictive,
            }
        )
        if needed.responses == 0 and not over:
            break  # more responses change nothing
    shown: dict[str, Shown] = {
        "responses": column("responses", WHOLE, f"in {counted(m, 'patient')}"),
        "needed": column("needed", WORDS),
        "remaining": column("remaining", WHOLE),
        "power_p0": column("conditional_power", RATE, "at p0"),
        "power_p1": column("conditional_power", RATE, "at p1"),
        "predictive": column("predictive", RATE),
    }
    caption = (
        f"After {counted(m, 'patient')}: further responses needed to reject H0, conditional power at p0 = "
        f"{stated(asked.p0)} and p1 = {stated(asked.p1)}, and predictive probability of rejecting H0 (Jeffreys prior, "
        "Beta(0.5, 0.5))"
    )
    return Table("on_the_way", caption, pd.DataFrame(rows), shown, right=("needed",))


def secondary(report: Dossier) -> Table:
    """Secondary endpoints of the patients."""
    if report.data is None:
        caption = "Secondary endpoints need data of the patients; only counts are given."
        return Table("secondary", caption, pd.DataFrame({"label": []}), {})
    found = endpoints.secondary(report.data, report.final.result.level, report.landmark, report.handling)
    if not found:
        caption = _named(report, "The file has no column of a secondary endpoint.")
        return Table("secondary", caption, pd.DataFrame({"label": []}), {})
    frame = pd.DataFrame([{name: getattr(one, name) for name in one.__slots__} for one in found])

    def written(value: float | None, unit: str) -> str:
        if value is None or np.isnan(value):
            return "not reached" if unit == "months" else "–"
        return percent(value) if unit == "share" else f"{value:.1f} months"

    frame["estimate"] = [written(one.value, one.unit) for one in found]
    frame["interval"] = [f"{written(one.low, one.unit)} to {written(one.high, one.unit)}" for one in found]
    shown: dict[str, Shown] = {
        "label": column("endpoint", WORDS),
        "n": column("patients", WHOLE),
        "events": column("events", WHOLE),
        "estimate": column("shown_estimate", WORDS),
        "interval": column("interval", WORDS, f"{100 * report.final.result.level:g}%"),
        "method": column("method", WORDS),
    }
    return _of_patients(report, Table("secondary", _named(report, "Secondary endpoints of the patients"), frame, shown))
