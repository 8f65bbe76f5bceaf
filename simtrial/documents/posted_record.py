"""The results of a finished trial in the fields of a registry's outcome record [1]_.

Every entry is one field of the record: participant flow, primary outcome, statistical analysis, secondary outcomes.
What neither the parameter file nor the patients hold stands as a placeholder. Entries that a registry limits to a
number of characters are cut to it.

References
----------
.. [1] ClinicalTrials.gov: Results data element definitions for interventional and observational studies. National
   Library of Medicine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.analysis import text
from simtrial.design.designs import looks_text
from simtrial.patients import endpoints
from simtrial.phrases import counted, listed, stated, to_complete
from simtrial.search.text import kind
from simtrial.show.table import p_written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.analysis.dossier import Dossier
    from simtrial.analysis.final import Final
    from simtrial.patients.endpoints import Endpoint
    from simtrial.trial.trial import Trial

FLOW, PRIMARY, TEST = "Participant flow", "Primary outcome", "Statistical analysis of the primary outcome"

SURVIVAL = {
    "pfs": ("Progression-free Survival (PFS)", "time to progression or death from any cause"),
    "os": ("Overall Survival (OS)", "time to death from any cause"),
    "dor": ("Duration of Response (DoR)", "time from the first response to progression or death, among responders"),
}
SHARES = {
    "dcr": (
        "Disease Control Rate (DCR)",
        "Participants with a complete or partial response or stable disease as best overall response.",
    ),
    "cr": ("Complete Response Rate", "Participants with a complete response as best overall response."),
    "toxicity": ("Toxicity of Grade 3 or Higher", "Participants whose highest grade of toxicity is at least 3."),
}
"""Titles and descriptions of secondary outcomes, by the name of the endpoint."""

ARM_TITLE, ARM_DESCRIPTION = 100, 999
TITLE, DESCRIPTION, TIME_FRAME, POPULATION, UNIT = 255, 999, 255, 350, 40
COMMENT, TEST_COMMENT = 250, 500
"""Characters that ClinicalTrials.gov allows in a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryField:
    """One field of the record.

    Attributes
    ----------
    section, element : str
        Where it stands, and what it is called there.
    value : str
        As it is typed into the registry.
    number : float or None
        The same at full precision; percentages are from 0 to 100.
    most : int or None
        Characters that the registry allows.
    """

    section: str
    element: str
    value: str
    number: float | None = None
    most: int | None = None


def record(trial: Trial, done: Dossier) -> tuple[RegistryField, ...]:
    """Every field of the record, in the order of the registry.

    Parameters
    ----------
    trial : Trial
        As planned.
    done : Dossier
        Its final analysis.
    """
    found = list(_secondary(trial, done))
    return tuple(_cut(one) for one in (*_flow(done), *_primary(trial, done), *_test(done), *found))


def _cut(one: RegistryField) -> RegistryField:
    if one.most is None or len(one.value) <= one.most:
        return one
    value = f"{one.value[: one.most - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return RegistryField(section=one.section, element=one.element, value=value, number=one.number, most=one.most)


def _percentage(share: float) -> tuple[str, float]:
    return f"{100 * share:.1f}", 100 * share


def _arm(section: str) -> Iterator[RegistryField]:
    title = to_complete("title of the arm, as registered")
    yield RegistryField(section=section, element="Arm/group title", value=title, most=ARM_TITLE)


def _flow(done: Dossier) -> Iterator[RegistryField]:
    yield RegistryField(section=FLOW, element="Period title", value="Overall Study", most=UNIT)
    yield from _arm(FLOW)
    yield RegistryField(
        section=FLOW, element="Arm/group description", value=to_complete("interventions of the arm, with doses"),
        most=ARM_DESCRIPTION,
    )  # fmt: skip
    if done.data is None:
        n = counted(done.final.result.n, "participant")
        for element, what in (("Started", "started"), ("Completed", "completed")):
            missing = to_complete(f"number of participants who {what}; the parameter file holds {n} as analysed")
            yield RegistryField(section=FLOW, element=element, value=missing)
        yield RegistryField(
            section=FLOW, element="Not completed", value=to_complete("number of participants, by reason")
        )
        return
    there = done.data.disposition()
    gone = there["not evaluable"]
    for element, number in (
        ("Started", there["enrolled"]), ("Completed", there["evaluable"]), ("Not completed", gone),
    ):  # fmt: skip
        yield RegistryField(section=FLOW, element=element, value=str(number), number=float(number))
    if gone:
        why = to_complete(f"reason for each of the {counted(gone, 'participant')}; the data hold no reasons")
        if gone == 1:
            why = to_complete("reason for this participant; the data hold no reasons")
        yield RegistryField(section=FLOW, element="Reason not completed", value=why)
    yield RegistryField(
        section=FLOW, element="Comment", most=TEST_COMMENT,
        value="Started: participants enrolled. Completed: participants enrolled who have a response assessment.",
    )  # fmt: skip


def _primary(trial: Trial, done: Dossier) -> Iterator[RegistryField]:
    result = done.final.result

    def entry(element: str, value: str, number: float | None = None, most: int | None = None) -> RegistryField:
        return RegistryField(section=PRIMARY, element=element, value=value, number=number, most=most)

    synthetic = "SYNTHETIC DATA. " if done.is_synthetic else ""
    yield entry("Outcome type", "Primary")
    yield entry("Title", f"{synthetic}Objective Response Rate (ORR)", most=TITLE)
    yield entry("Description", _response(trial, done), most=DESCRIPTION)
    yield entry("Time frame", _time_frame(trial), most=TIME_FRAME)
    yield entry("Analysis population description", _population(done), most=POPULATION)
    yield from _arm(PRIMARY)
    yield entry("Overall number of participants analyzed", str(result.n), float(result.n))
    yield entry("Measure type", "Count of Participants")
    yield entry("Unit of measure", "Participants", most=UNIT)
    yield entry("Participants with a response", str(result.responses), float(result.responses))
    yield entry("Percentage of participants", *_percentage(result.responses / result.n))


def _response(trial: Trial, done: Dossier) -> str:
    """What counts as a response."""
    best = "" if done.data is not None and done.data.bor is None else " (complete or partial response)"
    said = f"Participants with an objective response{best}, by {to_complete('response criteria and who assessed')}."
    weeks = 0.0 if trial.conduct is None else trial.conduct.assessments.confirmation_weeks
    if weeks:
        said += f" A response is confirmed at least {counted(weeks, 'week')} after it is first seen."
    return said


def _time_frame(trial: Trial) -> str:
    """From enrollment to the end of the response assessments."""
    if trial.conduct is None:
        return to_complete("time frame of the response assessments, such as up to 24 weeks after enrollment")
    given = trial.conduct.assessments
    if given.readout_months is not None:
        return f"Up to {counted(given.readout_months, 'month')} after enrollment"
    assert given.window_weeks is not None
    assert given.interval_weeks is not None
    return (
        f"From enrollment up to {counted(given.window_weeks, 'week')}, assessed every "
        f"{counted(given.interval_weeks, 'week')}"
    )


def _population(done: Dossier) -> str:
    """Who is analysed."""
    known = done.known_handling
    if known is None:
        missing = to_complete("who was analysed, and how participants without a response assessment count")
        return f"{missing} {text.not_counted(done.final)}".strip().replace("patient", "participant")
    who = {
        "nonresponder": "Enrolled participants; participants without a response assessment count as non-responders.",
        "exclude": "Enrolled participants with a response assessment; participants without one are left out.",
        "replace": "Enrolled participants with a response assessment; participants without one were replaced.",
    }[known]
    return f"{who} {text.not_counted(done.final)}".strip().replace("patient", "participant")


def _test(done: Dossier) -> Iterator[RegistryField]:
    final, result = done.final, done.final.result

    def entry(element: str, value: str, number: float | None = None, most: int | None = None) -> RegistryField:
        return RegistryField(section=TEST, element=element, value=value, number=number, most=most)

    yield entry("Type of statistical test", "Other")
    yield entry("Comment on the type of test", "Single-arm trial: comparison with a fixed response rate", most=COMMENT)
    yield entry(
        "Null hypothesis", f"The true response rate is at most {stated(final.p0)} (one-sided).", 100 * final.p0,
        most=TEST_COMMENT,
    )  # fmt: skip
    verb = "was" if result.reject else "was not"
    said = f"Planned as {kind(final.design)}, looks {looks_text(final.design, ', ')} (r/n). H0 {verb} rejected."
    yield entry("Comment on the analysis", f"{said} {text.decided_by(final)}".strip(), most=TEST_COMMENT)
    yield entry("P-value", p_written(result.p_value), result.p_value)
    yield entry("Comment on the p-value", f"One-sided; {text.p_method(final)}", most=COMMENT)
    yield entry("Method", _method(final), most=COMMENT)
    adjusted = len(final.design.looks) > 1 and not final.closed
    name = "Response rate adjusted for the interim analysis, percent" if adjusted else "Response rate, percent"
    yield entry("Estimation parameter", name, most=COMMENT)
    yield entry("Estimated value", *_percentage(result.estimates["umvue"] or 0.0))
    how = "Uniformly minimum variance unbiased estimate (UMVUE)" if adjusted else "Observed rate"
    low, high = result.intervals["exact"]
    yield entry("Confidence interval: sides", f"{result.sides}-sided", float(result.sides))
    yield entry("Confidence interval: level (%)", f"{100 * result.level:g}", 100 * result.level)
    yield entry("Confidence interval: lower limit", *_percentage(low))
    if result.sides == 2 and high is not None:
        yield entry("Confidence interval: upper limit", *_percentage(high))
    yield entry(
        "Comment on the estimate", f"{how}; interval: {text.interval_name(final, 'exact')}", most=COMMENT
    )  # fmt: skip


def _method(final: Final) -> str:
    """The name of the test."""
    if final.rule is not None and final.rule.conditional:
        return "Koyama and Chen's conditional test"
    if len(final.design.looks) == 1 or final.closed:
        return "Exact binomial test"
    return f"Exact binomial test that allows for the interim analysis ({text.p_method(final)})"


def _secondary(trial: Trial, done: Dossier) -> Iterator[RegistryField]:
    if done.data is None:
        return
    level = done.final.result.level
    found = endpoints.secondary(done.data, level, done.landmark, done.handling)
    for k, one in enumerate(found, start=1):
        title, _ = _secondary_words(one)
        yield from _endpoint(f"Secondary outcome {k}: {title}", one, level, _time_frame(trial), done)


def _endpoint(section: str, one: Endpoint, level: float, frame: str, done: Dossier) -> Iterator[RegistryField]:
    def entry(element: str, value: str, number: float | None = None, most: int | None = None) -> RegistryField:
        return RegistryField(section=section, element=element, value=value, number=number, most=most)

    months = one.unit == "months"

    def written(value: float | None) -> tuple[str, float | None]:
        if value is None:
            return "NA", None
        return (f"{value:.1f}", value) if months else _percentage(value)

    title, said = _secondary_words(one)
    landmark = one.name.endswith("_landmark")
    when = (
        f"{counted(done.landmark, 'month')} after enrollment" if landmark else to_complete("time frame of this outcome")
    )
    yield entry("Outcome type", "Secondary")
    yield entry("Title", title, most=TITLE)
    yield entry("Description", said, most=DESCRIPTION)
    yield entry("Time frame", frame if one.name in ("dcr", "cr") else when, most=TIME_FRAME)
    yield entry("Overall number of participants analyzed", str(one.n), float(one.n))
    yield entry(
        "Participants with an event" if one.name not in SHARES else "Participants counted",
        str(one.events),
        float(one.events),
    )
    yield entry("Measure type", "Median" if months else "Number")
    yield entry("Unit of measure", "Months" if months else "Percentage of participants", most=UNIT)
    yield entry("Estimated value", *written(one.value))
    yield entry("Confidence interval: level (%)", f"{100 * level:g}", 100 * level)
    yield entry("Confidence interval: lower limit", *written(one.low))
    yield entry("Confidence interval: upper limit", *written(one.high))
    yield entry("Comment on the estimate", one.method.replace("patient", "participant"), most=COMMENT)
    unknown = [
        name
        for name, value in (("estimate", one.value), ("lower limit", one.low), ("upper limit", one.high))
        if value is None
    ]
    if unknown:
        why = "was not reached" if months else "cannot be estimated"
        yield entry("Comment on NA", f"The {listed(unknown)} {why}.", most=COMMENT)


def _secondary_words(one: Endpoint) -> tuple[str, str]:
    """Title and description of a secondary outcome."""
    if one.name in SHARES:
        return SHARES[one.name]
    name, _, what = one.name.partition("_")
    title, meaning = SURVIVAL[name]
    if what == "median":
        return f"Median {title}", f"Median {meaning}."
    return f"{title}{one.label[one.label.index(' at ') :]}", f"Participants free of the event by then: {meaning}."
