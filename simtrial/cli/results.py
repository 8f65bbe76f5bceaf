"""The results of a finished trial, as one JSON object or as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import counted, percent, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simtrial.analysis.distance import ToxicityWatched
    from simtrial.analysis.final import Final
    from simtrial.analysis.monitoring import InterimResult, PowerBesideRule
    from simtrial.analysis.safety import ToxicityFound
    from simtrial.design.designs import Design
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
    if found.no_claim:  # the p-value is that of the responses alone
        from simtrial.analysis import text

        data |= {"stopped_for_toxicity": True, "reason": text.decided_by(found)}
    elif found.rules:
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

    result = found.result
    if found.no_claim:
        _stopped(found)
    else:
        _decided(found)
    if found.after:
        terminal.wrapped(text.not_counted(found))
    aside = ", the stop for toxicity left aside" if found.no_claim else ""
    rows = [[text.estimate_name(found, k), "none" if v is None else rate(v)] for k, v in result.estimates.items()]
    terminal.table(f"Estimates of the response rate{aside}", ("method", "estimate"), rows)
    _intervals(found, aside)
    if found.rules and not found.no_claim:
        _rules(found)
    if found.toxicity is not None:
        _toxicity(found.toxicity)


def _decided(found: Final) -> None:
    """The decision by the responses, and the rule that it follows."""
    from simtrial.analysis import text
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
    if found.rule is not None:
        terminal.tell(text.decided_by(found))


def _stopped(found: Final) -> None:
    """That the trial was stopped for toxicity, before anything is said of its responses."""
    from simtrial.analysis import text
    from simtrial.design.designs import looks_text

    terminal.wrapped(text.decided_by(found))
    planned, result = looks_text(found.design, ", "), found.result
    terminal.wrapped(
        f"Of {counted(result.n, 'patient')} analysed for response {result.responses} responded; planned was {planned}."
    )


def _intervals(found: Final, aside: str) -> None:
    """Intervals of the response rate, held against the test where the test decides."""
    from simtrial.analysis import text

    result = found.result
    sides, word = "" if result.sides == 2 else ", one-sided", {True: "yes", False: "no"}
    rows = [
        [text.interval_name(found, k), rate(low), "none" if high is None else rate(high), word[result.agrees[k]]]
        for k, (low, high) in result.intervals.items()
    ]
    heads = ("method", "lower limit", "upper limit", "consistent with the test")
    shown = 3 if found.no_claim else 4
    title = f"{100 * result.level:g}% confidence intervals{sides}{aside}"
    terminal.table(title, heads[:shown], [row[:shown] for row in rows])
    if not found.no_claim:
        terminal.wrapped(
            f"An interval is consistent with the test if p0 = {found.p0:g} lies below it exactly when H0 is rejected.\n"
        )


def _rules(found: Final) -> None:
    """What every rule for other sizes decides."""
    from simtrial.analysis import text

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


def _toxicity(found: ToxicityFound) -> None:
    """Whether the boundary for toxicity was crossed, and the rate of toxicity."""
    from simtrial.analysis.words import TOXICITY_INTERVALS, TOXICITY_NAMES, toxicity_said

    for said in toxicity_said(found):
        terminal.wrapped(said)
    seen = found.estimates
    rows = [[TOXICITY_NAMES[name], rate(value)] for name, value in seen.estimates.items()]
    if found.after:
        rows.append(["toxicities per patient enrolled, the rule left aside", rate(found.toxicities / found.enrolled)])
    terminal.table("Estimates of the rate of toxicity", ("method", "estimate"), rows)
    rows = [[TOXICITY_INTERVALS[name], rate(low), rate(high)] for name, (low, high) in seen.intervals.items()]
    if found.after:
        rows.append(["all enrolled, the rule left aside (Clopper-Pearson)", *map(rate, found.overall)])
    title = f"{100 * seen.level:g}% confidence intervals of the rate of toxicity"
    terminal.table(title, ("method", "lower limit", "upper limit"), rows)


def monitored_json(
    found: InterimResult, watched: ToxicityWatched | None, beside: tuple[PowerBesideRule, ...]
) -> dict[str, object]:
    """A running trial as plain values; after a crossing nothing is needed any more, and H0 is not rejected."""
    over = watched is not None and watched.over is not None
    data: dict[str, object] = {
        "patients": found.patients,
        "responses": found.responses,
        "needed": []
        if over
        else [{"look": one.look, "remaining": one.remaining, "responses": one.responses} for one in found.needed],
        "conditional_power": _powers((p, 0.0 if over else power) for p, power in found.conditional_power),
        "predictive_probability": 0.0 if over else found.predictive,
        "prior": [found.prior.a, found.prior.b],
    }
    if watched is not None:
        data["toxicity_rule"] = "crossed" if over else "left aside"
        data["toxicity"] = _watched_json(watched) | {
            "power_with_rule": [
                {
                    "toxicity_rate": one.toxicity_rate,
                    "conditional_power": _powers(one.conditional_power),
                    "predictive_probability": one.predictive,
                }
                for one in beside
            ]
        }
    return data


def _powers(found: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
    return [{"p": p, "power": power} for p, power in found]


def _watched_json(found: ToxicityWatched) -> dict[str, object]:
    """The toxicities of a running trial as plain values."""
    over, maybe, room = found.over, found.maybe, found.room
    return {
        "toxicities": found.toxicities,
        "crossed": found.crossed,
        "look": None if over is None else {"n": over.n, "b": over.b},
        "crossed_if_first": None if maybe is None else {"n": maybe.n, "b": maybe.b},
        "ahead": None
        if room is None
        else {"n": room.look.n, "b": room.look.b, "toxicities_needed": room.needed, "patients": room.patients},
        "crossing_later": [{"rate": rate, "probability": chance} for rate, chance in found.later],
    }


def _chance(value: float) -> str:
    """A probability in percent; without decimals where it is certain."""
    return "100%" if value == 1 else percent(value)


def monitored_lines(
    design: Design, found: InterimResult, watched: ToxicityWatched | None, beside: tuple[PowerBesideRule, ...]
) -> None:
    """Print where a running trial stands: toxicities first, and nothing about responses once they have ended it."""
    from simtrial.analysis.text import monitored
    from simtrial.analysis.words import crossed_now, standing_now

    if watched is not None and watched.over is not None:
        terminal.wrapped(crossed_now(watched.over))
        return
    if watched is not None:
        terminal.wrapped(standing_now(watched))
        unless = " if it was not crossed so far" if watched.maybe is not None else ""
        for theta, chance in watched.later:
            terminal.wrapped(
                "Probability of crossing the boundary for toxicity later at a rate of "
                f"{theta:g}{unless}: {percent(chance)}."
            )
    lines, ended = monitored(design, found)
    terminal.tell("\n".join(lines))
    if ended:
        return
    prior = f"prior Beta({found.prior.a:g}, {found.prior.b:g})"
    for one in beside:
        also = f" with the rule for toxicity, at a rate of toxicity of {one.toxicity_rate:g} whatever the response"
        for p, power in one.conditional_power:
            terminal.wrapped(f"Conditional power at p = {p:g}{also}: {percent(power)}.")
        terminal.wrapped(f"Predictive probability of rejecting H0, {prior},{also}: {percent(one.predictive)}.")
    if beside:
        return
    aside = "" if watched is None else ", the rule for toxicity left aside"
    for p, power in found.conditional_power:
        terminal.tell(f"Conditional power at p = {p:g}{aside}: {_chance(power)}.")
    terminal.tell(f"Predictive probability of rejecting H0, {prior}{aside}: {_chance(found.predictive)}.")
    if aside:
        terminal.wrapped("With --toxicity-rate both are given with the rule.")


COUNTED = {
    "nonresponder": "count as non-responders",
    "replace": "are replaced by those who were enrolled after them",
    "exclude": "are left out of the numbers analysed",
}
"""What becomes of patients who are not evaluable, by the option --handling."""


def patient_lines(data: PatientData, handling: str) -> None:
    """How a file of patients was interpreted, how many patients there are of each kind, and who of them counts."""
    from simtrial.analysis.text import how_read

    for said in how_read(data):
        terminal.wrapped(said)
    numbers = data.disposition()
    terminal.tell("; ".join(f"{what} {number}" for what, number in numbers.items()))
    if numbers["not evaluable"]:
        terminal.wrapped(f"Patients who are not evaluable {COUNTED[handling]} (--handling {handling}).")
