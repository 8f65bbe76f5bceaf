"""The results of a finished trial, as one JSON object or as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import counted, percent, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.analysis.distance import ToxicityWatched
    from simtrial.analysis.final import Final
    from simtrial.analysis.safety import ToxicityFound
    from simtrial.patients.data import PatientData


def final_json(found: Final, patients: PatientData | None) -> dict[str, object]:
    """The analysis as plain values."""
    result = found.result
    data: dict[str, object] = {
        "reject": result.reject,
        "p_value": result.p_value,
        "stage": result.stage,
        "estimates": {name: value for name, value in result.estimates.items() if name != "conditional_mle"},
        "intervals": {name: list(limits) for name, limits in result.intervals.items()},
        "level": result.level,
    }
    if found.rules:
        kept = ("rule", "r1", "r", "reject", "p_value", "median_unbiased", "interval", "type_i_error", "power")
        data["rules"] = [{key: getattr(one, key) for key in kept} for one in found.rules]
    if found.after:
        data["not_counted"] = {"patients": found.after, "responses": found.after_responses}
    if found.toxicity is not None:
        from simtrial.analysis.words import toxicity_json

        data["toxicity"] = toxicity_json(found.toxicity)
    if patients is not None:
        data["attained"] = list(found.sizes)
        data["responses"] = found.result.responses
        data["columns"] = {"read": patients.columns, "ignored": list(patients.ignored)}
        data["notes"] = list(patients.notes)
    return data


def final_tables(found: Final) -> None:
    """Print decision, estimates and intervals."""
    from simtrial.analysis import text
    from simtrial.analysis.words import NO_CLAIM
    from simtrial.design.designs import looks_text

    result = found.result
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    p = "< 0.0001" if result.p_value < 5e-5 else f"= {result.p_value:.4f}"
    closed = "accrual closed before a look could end the trial"
    ended = closed if found.closed else f"the trial ended at look {result.stage}"
    terminal.tell(
        f"{looks_text(found.design, ', ')}: {result.responses} of {counted(result.n, 'patient')} responded; {ended}. "
        f"{decision} (p {p}, one-sided, {text.p_method(found)})."
    )
    if found.no_claim:
        terminal.wrapped(NO_CLAIM)
    if found.after:
        terminal.tell(text.not_counted(found))
    if found.rule is not None:
        terminal.tell(text.decided_by(found))
    rows = [[text.estimate_name(found, k), "none" if v is None else rate(v)] for k, v in result.estimates.items()]
    terminal.table("Estimates of the response rate", ("method", "estimate"), rows)
    sides, word = "" if result.sides == 2 else ", one-sided", {True: "yes", False: "no"}
    rows = [
        [text.interval_name(found, k), rate(low), "none" if high is None else rate(high), word[result.agrees[k]]]
        for k, (low, high) in result.intervals.items()
    ]
    heads = ("method", "lower limit", "upper limit", "consistent with the test")
    terminal.table(f"{100 * result.level:g}% confidence intervals{sides}", heads, rows)
    terminal.wrapped(
        f"An interval is consistent with the test if p0 = {found.p0:g} lies below it exactly when H0 is rejected.\n"
    )
    if found.rules:
        words = {True: "rejected", False: "not rejected", None: "none"}
        rows = [
            [
                text.RULE_NAMES[one.rule], text.stops_at(found, one), str(one.r), words[one.reject],
                "" if one.p_value is None else f"{one.p_value:.4f}",
                *("" if v is None else rate(v) for v in (one.type_i_error, one.power)), one.why,
            ]
            for one in found.rules
        ]  # fmt: skip
        terminal.table(
            "What each rule decides at the numbers analysed",
            ("rule", "stops at", "rejects H0 if X >", "H0", "p", "type I error", "power", ""), rows,
        )  # fmt: skip
    if found.toxicity is not None:
        _toxicity(found.toxicity)


def _toxicity(found: ToxicityFound) -> None:
    """Whether the boundary for toxicity was crossed, and the rate of toxicity."""
    from simtrial.analysis.words import TOXICITY_INTERVALS, TOXICITY_NAMES, toxicity_said

    for said in toxicity_said(found):
        terminal.wrapped(said)
    seen = found.estimates
    rows = [[TOXICITY_NAMES[name], rate(value)] for name, value in seen.estimates.items()]
    terminal.table("Estimates of the rate of toxicity", ("method", "estimate"), rows)
    rows = [[TOXICITY_INTERVALS[name], rate(low), rate(high)] for name, (low, high) in seen.intervals.items()]
    title = f"{100 * seen.level:g}% confidence intervals of the rate of toxicity"
    terminal.table(title, ("method", "lower limit", "upper limit"), rows)


def watched_json(found: ToxicityWatched) -> dict[str, object]:
    """The toxicities of a running trial as plain values."""
    over, room = found.over, found.room
    return {
        "toxicities": found.toxicities,
        "crossed": over is not None,
        "look": None if over is None else {"n": over.n, "b": over.b},
        "ahead": None
        if room is None
        else {"n": room.look.n, "b": room.look.b, "toxicities_needed": room.needed, "patients": room.patients},
        "crossing_later": [{"rate": rate, "probability": chance} for rate, chance in found.later],
    }


def watched_lines(found: ToxicityWatched) -> None:
    """Print how far a running trial is from its boundary for toxicity."""
    from simtrial.analysis.words import crossed_now, standing

    terminal.wrapped(standing(found.room) if found.over is None else crossed_now(found.over))
    for theta, chance in found.later:
        terminal.tell(
            f"Probability of crossing the boundary for toxicity later at a rate of {theta:g}: {percent(chance)}."
        )
