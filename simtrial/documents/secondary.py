"""Sections 10.5 and 10.7 of a protocol: secondary endpoints and safety.

The methods are those of `simtrial.patients.endpoints`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above
from simtrial.design.intervals import clopper_pearson
from simtrial.documents import toxicity
from simtrial.documents.facts import SIMULATION_REPORT
from simtrial.phrases import agreeing, counted, percent, stated, to_complete
from simtrial.plan.allowances import nearest
from simtrial.show.document import Chapter, Points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter
    from simtrial.trial.conduct import PatientLaws

AT_ANY_END = (
    f" A trial that stops at an interim analysis has fewer patients; the simulation report ({SIMULATION_REPORT}.docx) "
    "states the probability over all trials, whether they stop early or not."
)
"""That a probability for all patients is not that of the simulation."""

AS_STATED = "as stated in section 10.5."


@dataclass(frozen=True, kw_only=True)
class SecondaryPlan:
    """The planned analysis of one secondary endpoint, in the five parts that a protocol asks for."""

    name: str
    method: str
    data: str
    missing: str
    sensitivity: str = ""

    @property
    def points(self) -> Points:
        """The parts as a list."""
        parts = {
            "Method": self.method,
            "Handling of data in relation to the estimand": self.data,
            "Missing data": self.missing,
            "Sensitivity analysis": self.sensitivity or "none planned.",
            "Supplementary analysis": "none planned.",
        }
        return Points(tuple(f"{label}: {text}" for label, text in parts.items()))


def secondary(facts: Facts) -> Iterator[Chapter]:
    """Sections 10.5 and 10.5.k, one for each endpoint that the file states."""
    found = list(_plans(facts))
    missing = "intercurrent events of the secondary endpoints, and how they are handled"
    events = facts.stated("secondary_events", missing)
    blocks = (to_complete("secondary objectives with their endpoints, or that there are none"),)
    if found:
        said = "Secondary endpoints are described with confidence intervals; no hypothesis is tested."
        blocks = (f"{said} Intercurrent events: {events.rstrip('.')}.",)
    yield Chapter(
        number="10.5", title="Analyses associated with the secondary objectives", code="C218636", level=2, blocks=blocks
    )
    for k, one in enumerate(found, start=1):
        yield Chapter(number=f"10.5.{k}", title=one.name, code="C218637", level=3, blocks=(one.points,))


def _plans(facts: Facts) -> Iterator[SecondaryPlan]:
    given = facts.case.trial.conduct
    if given is not None:
        patients = given.patients
        if patients.dcr is not None:
            yield _share(
                facts, "Disease control rate", "a complete or partial response or stable disease", patients.dcr.rate
            )
        if patients.complete_share:
            expected = patients.complete_share * facts.asked.p1
            yield _share(facts, "Complete response rate", "a complete response", expected)
        if patients.pfs is not None:
            yield _survival(facts, patients, "Progression-free survival (PFS)", "progression or death from any cause")
        if patients.os is not None:
            yield _survival(facts, patients, "Overall survival (OS)", "death from any cause")
    if facts.texts.duration_of_response:
        yield _duration(facts)


def _share(facts: Facts, name: str, event: str, rate: float) -> SecondaryPlan:
    whom = "all enrolled patients" if facts.handling == "nonresponder" else "the evaluable patients"
    lacking = "patients without an assessment are left out."
    if facts.handling == "nonresponder":
        lacking = "patients without an assessment count as patients without the event."
    if facts.mixed is not None:
        whom = "the patients of the primary analysis set (section 10.2)"
        lacking = "as for the primary endpoint (section 10.4.1.3)."
    n = facts.case.n
    seen = nearest(rate * n)
    low, high = (float(limit) for limit in clopper_pearson(seen, n, (1 - facts.level) / 2))
    return SecondaryPlan(
        name=name,
        method=f"the number and the percentage of patients with {event} among {whom}, with an exact "
        f"(Clopper-Pearson) {100 * facts.level:g}% confidence interval. If {counted(seen, 'patient')} of {n} "
        f"{agreeing(seen, 'has', 'have')} the event, the interval is {percent(low)} to {percent(high)}.",
        data="as for the primary endpoint (section 10.4.1.2).",
        missing=lacking,
        sensitivity="missing assessments as in section 10.4.1.4.",
    )


def _survival(facts: Facts, patients: PatientLaws, name: str, event: str) -> SecondaryPlan:
    short = name[name.index("(") + 1 : -1]
    month = to_complete("month at which PFS and OS are estimated")
    if patients.landmark_months is not None:
        month = f"{patients.landmark_months:g}"
    return SecondaryPlan(
        name=name,
        method=f"the time from enrollment to {event}, of all enrolled patients, by the Kaplan-Meier method. The median "
        f"has a {100 * facts.level:g}% confidence interval by Brookmeyer and Crowley's method on the scale of "
        f"log(-log). {short} at month {month} has an interval by Greenwood's formula on the same "
        "scale.",
        data=AS_STATED,
        missing="patients without the event are censored at their last contact. Censoring is assumed to be independent "
        "of the event.",
    )


def _duration(facts: Facts) -> SecondaryPlan:
    return SecondaryPlan(
        name="Duration of response",
        method="the time from the first response to progression or death from any cause, of the responders, by the "
        f"Kaplan-Meier method. The median has a {100 * facts.level:g}% confidence interval by Brookmeyer and Crowley's "
        "method on the scale of log(-log).",
        data=AS_STATED,
        missing="responders without progression are censored at their last contact.",
    )


def safety(facts: Facts) -> Iterator[Chapter]:
    """Section 10.7, where the file states the toxicity or how safety is monitored."""
    given = facts.case.trial.conduct
    limit = None if given is None else given.patients.toxicity
    rule, defined = facts.case.toxicity_rule, toxicity.definition(facts)
    if limit is None and facts.texts.safety is None and not defined:
        return
    said: list[Matter] = [defined] if defined else []
    if limit is not None:
        n, level = facts.case.n, 100 * facts.level
        seen = nearest(limit.rate * n)
        low, high = (float(one) for one in clopper_pearson(seen, n, (1 - facts.level) / 2))
        # a product that should be a whole number must not fall below it by its last bit
        most = np.floor(limit.limit * n * (1 + 1e-12))
        assumed, at_limit = (float(above(most, n, rate)) for rate in (limit.rate, limit.limit))
        said.append(
            "The measure of risk is the percentage of patients with toxicity of grade 3 or higher, with an exact "
            f"(Clopper-Pearson) {level:g}% confidence interval. {stated(limit.rate)} is assumed; with "
            f"{counted(seen, 'such patient')} of {n} the interval is {percent(low)} to {percent(high)}."
        )
        reported = f"It is reported whether the observed percentage exceeds {stated(limit.limit)}."
        if facts.safety is None:
            said.append(
                f"{reported} {'If the trial has all its' if facts.several else 'In'} {counted(n, 'patient')}"
                f"{',' * facts.several} this has the probability {percent(assumed)} if the true rate is "
                f"{stated(limit.rate)}, and {percent(at_limit)} if it is {stated(limit.limit)}."
                f"{AT_ANY_END if facts.several else ''} This comparison does not stop the trial."
            )
        else:
            said.append(f"{reported} {toxicity.exceeding(facts.safety, limit.rate, limit.limit)}")
    elif rule is not None:
        said.append(
            "The measure of risk is the percentage of patients with a toxicity, with an exact (Clopper-Pearson) "
            f"{100 * facts.level:g}% confidence interval."
        )
    said += toxicity.analysis(facts)
    monitored = facts.stated("safety", "how safety is monitored during the trial, and by whom")
    said.append(f"Monitoring of safety: {monitored.rstrip('.')}.")
    yield Chapter(number="10.7", title="Safety analyses", code="C218644", level=2, blocks=tuple(said))
