"""The assumptions about the conduct of a trial in words and units, for readers who never saw the parameter file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.conduct.text import HANDLINGS, lost_of
from simtrial.phrases import attained, counted, percent, stated
from simtrial.search import CALENDAR, CRITERIA

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import Among, AsRun
    from simtrial.trial.case import Case
    from simtrial.trial.conduct import (
        AssessmentPlan,
        Conduct,
        DropoutRule,
        EnrollmentLaw,
        FollowUpRule,
        MedianSurvival,
    )
    from simtrial.trial.cost import CostRule
    from simtrial.trial.interim import InterimRule
    from simtrial.trial.simulated import SimulationSize, TrueRate
    from simtrial.trial.stopping import ToxicityStopping
    from simtrial.trial.trial import Trial

AssumptionRow = tuple[str, str, str]
"""What is assumed, the assumption, and where it comes from."""


def rows(trial: Trial) -> list[AssumptionRow]:
    """Every assumption about the conduct; of endpoints, those that the file mentions."""
    given = trial.conduct
    if given is None:
        return []
    found = [
        ("Enrollment", enrollment(given.enrollment), given.enrollment.source or ""),
        ("Tumour assessments", assessments(given.assessments), given.assessments.source or ""),
        ("Dropout before the first assessment", dropout(given.dropout), given.dropout.source or ""),
    ]
    if given.interim is not None and _several_looks(trial):
        found.append(("Interim analysis", interim(given.interim), ""))
    elif given.interim is not None and given.interim.pending == "conditional":
        # not refused: sweeps and the explorer change the criterion and keep how the trial is run
        said = "none, since the design has a single look; pending: conditional and its threshold have no effect"
        found.append(("Interim analysis", said, ""))
    found.append(("Follow-up", follow_up(given.follow_up), ""))
    if given.deadline_months is not None:
        found.append(("In time", f"a decision by month {given.deadline_months:g}", ""))
    if given.cost is not None:
        found.append(("Cost", cost(given.cost), given.cost.source or ""))
    found += _endpoints(given, trial.hypotheses.p1)
    if trial.design.toxicity is not None:
        rule = trial.design.toxicity
        found.append(("Rule for toxicity", toxicity(rule), rule.source or ""))
        if given.patients.toxicity is None:  # see `Trial.plan`
            said = f"that of the acceptable rate, {stated(rule.acceptable_rate)}, independent of the response"
            found.append(("Rate of toxicity", said, ""))
    found += [(f"True response rate: {s.label}", _rate(s), s.source or "") for s in given.scenarios]
    found.append(("Simulation", simulation(given.simulation), ""))
    return found


def _several_looks(trial: Trial) -> bool:
    """Whether the design that is asked for has an interim analysis, or may have one."""
    wish = trial.wish
    if isinstance(wish, str):
        return wish in CALENDAR or CRITERIA[wish].looks != 1
    return len(wish.looks) > 1


def _screened(rate: float) -> str:
    return f"{counted(rate, 'patient')} screened per month"


def enrollment(law: EnrollmentLaw) -> str:
    """How patients arrive."""
    if law.model == "constant":
        said = _screened(law.rate or 0.0)
    elif law.model == "ramp":
        said = f"{_screened(law.rate or 0.0)}, reached in a linear ramp of {counted(law.ramp_months or 0.0, 'month')}"
    elif law.model == "piecewise":
        said = "; ".join(f"from month {p.from_month:g}: {_screened(p.rate)}" for p in law.periods or ())
    else:
        opens = law.opens_months or ()
        months = ", ".join(f"{month:g}" for month in opens[:10]) + (", ..." if len(opens) > 10 else "")
        rates = f"on average {_screened(law.mean_rate or 0.0)} in each, the rates drawn from a gamma distribution"
        said = f"{counted(len(opens), 'centre')}, opening in month {months}; {rates} of shape {law.shape:g}"
    passed = (
        "" if law.screening_success == 1 else f"; {stated(law.screening_success)} of the screened patients are enrolled"
    )
    closes = "" if law.close_month is None else f"; accrual closes in month {law.close_month:g}"
    return f"{said}{passed}{closes}"


def assessments(given: AssessmentPlan) -> str:
    """When a response status is known."""
    if given.readout_months is not None:
        return f"the response of each patient is known {counted(given.readout_months, 'month')} after enrollment"
    confirmed = (
        f"a response is confirmed {counted(given.confirmation_weeks, 'week')} later"
        if given.confirmation_weeks
        else "no confirmation of responses"
    )
    median = given.median_weeks_to_response
    begins = (
        "all responses are seen at the first assessment"
        if median is None
        else f"median time to response {counted(median, 'week')}"
    )
    return (
        f"every {counted(given.interval_weeks or 0.0, 'week')} until week {given.window_weeks:g}; {confirmed}; {begins}"
    )


def how_often(rule: DropoutRule) -> str:
    """How many patients drop out before their first assessment."""
    if rule.hazard_per_month is not None:
        said = f"a hazard of {rule.hazard_per_month:g} per month until the first assessment"
    elif rule.probability == 0:
        said = "none"
    else:
        said = f"{stated(rule.probability or 0.0)} of the patients"
    if rule.responder_odds_ratio != 1:
        said += (
            f" who would not respond; the odds of dropout of patients who would respond are "
            f"{rule.responder_odds_ratio:g} times as large"
        )
    return said


def dropout(rule: DropoutRule) -> str:
    """How many patients drop out before their first assessment, and how they count."""
    bounds = {
        "recut": ", and the bounds are recalculated at the number of evaluable patients",
        "fixed": ", and the bounds stay as planned",
        None: "",
    }
    counted_as = f"patients without a response assessment are {HANDLINGS[rule.handling]}{bounds[rule.bounds]}"
    return f"{how_often(rule)}; {counted_as}"


def interim(rule: InterimRule) -> str:
    """How an interim analysis is decided, and what accrual does while it is pending."""
    if rule.way == "hold":
        said = "accrual is held until the decision"
        if rule.max_hold_months is not None:
            said += f", but for at most {counted(rule.max_hold_months, 'month')}"
    elif rule.extra_patients is None:
        said = "accrual continues while the decision is pending"
    else:
        extra = counted(rule.extra_patients, "further patient")
        said = f"accrual continues while the decision is pending, by at most {extra}"
    lag = "at once" if rule.decision_weeks == 0 else f"{counted(rule.decision_weeks, 'week')} after the analysis"
    said += f"; the decision is taken {lag}"
    if rule.pending == "conditional":
        month = rule.look_month
        taken = "when the patients of the first stage are enrolled" if month is None else f"in month {month:g}"
        said += (
            f"; the interim analysis takes place {taken}, patients whose response is pending count with the predictive "
            f"probability of a response at p1, and the trial continues if more than r1 responses have a probability of "
            f"{rule.threshold or 0.0:g} or more"
        )
    if rule.decide == "known":
        what = "the final analysis" if rule.pending == "conditional" else "each analysis"
        said += f"; {what} takes place as soon as the known responses settle its decision"
    return said


def follow_up(rule: FollowUpRule) -> str:
    """When the trial ends."""
    if rule.until_month is not None:
        return f"until month {rule.until_month:g} from the first day of accrual"
    return f"until {counted(rule.months_after_last_patient or 0.0, 'month')} after the last patient's enrollment"


def cost(rule: CostRule) -> str:
    """What a trial costs."""
    units = (
        (rule.per_screened, "per screened patient"),
        (rule.per_enrolled, "per enrolled patient"),
        (rule.per_month, "per month until the end of the trial"),
    )
    return "; ".join(f"{price:g} {unit}" for price, unit in units if price is not None)


def _endpoints(given: Conduct, p1: float) -> list[AssumptionRow]:
    patients = given.patients

    def where(at_orr: float | None) -> str:
        return f"where the response rate is {stated(p1 if at_orr is None else at_orr)}"

    def median(name: str, curve: MedianSurvival, since: str) -> AssumptionRow:
        ratio = f"the hazard of responders is {curve.hazard_ratio:g} times that of other patients {since}"
        months = counted(curve.median_months, "month")
        return name, f"median {months} {where(curve.at_orr)}; {ratio}", curve.source or ""

    found: list[AssumptionRow] = []
    if patients.dcr is not None:
        said = f"{stated(patients.dcr.rate)} {where(patients.dcr.at_orr)}"
        found.append(("Disease control rate (DCR)", said, patients.dcr.source or ""))
    if patients.complete_share:
        found.append(("Complete responses", f"{stated(patients.complete_share)} of the responses", ""))
    if patients.pfs is not None:
        found.append(median("Progression-free survival (PFS)", patients.pfs, "once the response is known"))
    if patients.os is not None:
        found.append(median("Overall survival (OS)", patients.os, "after progression"))
    if patients.pfs is not None:
        both = "PFS and OS are" if patients.os is not None else "PFS is"
        loss = patients.loss_to_follow_up_per_year
        lost = (
            f"{stated(loss)} of the patients are lost to follow-up per year"
            if loss
            else "no patient is lost to follow-up"
        )
        said = f"{both} estimated at month {patients.landmark:g}; {lost}"
        found.append(("Observation of survival", said, ""))
    if patients.toxicity is not None:
        rate, limit = stated(patients.toxicity.rate), stated(patients.toxicity.limit)
        said = f"{rate} of the patients; reported: whether the observed rate exceeds {limit}"
        if patients.toxicity.odds_ratio != 1:
            said += f"; odds ratio of response and toxicity {patients.toxicity.odds_ratio:g}"
        found.append(("Toxicity of grade 3 or higher", said, patients.toxicity.source or ""))
    return found


RULES = {
    "pocock": "a boundary of Pocock type",
    "obf": "a boundary of O'Brien-Fleming type",
    "wang_tsiatis": "a boundary of Wang and Tsiatis",
    "bayes": "a boundary by the posterior probability",
    "sprt": "a boundary by the likelihood ratio",
}
"""What a rule for toxicity is called."""


def toxicity(rule: ToxicityStopping) -> str:
    """The rule by which the trial stops for toxicity, without its counts."""
    window = f"toxicities count within {counted(rule.window_weeks, 'week')} of enrollment"
    rates = f"acceptable rate {stated(rule.acceptable_rate)}, unacceptable rate {stated(rule.unacceptable_rate)}"
    if rule.rule is None:
        counts = (rule.boundary or "").replace(",", ", ")
        return f"the trial stops if these numbers of patients have had a toxicity: {counts}; {rates}; {window}"
    if rule.looks_at is not None:
        looks = f"looks at these numbers of patients: {', '.join(map(str, rule.looks_at))}"
    else:
        looks = "a look at every patient" + ("" if rule.first_look == 1 else f" from number {rule.first_look} on")
    limit = stated(rule.crossing_probability or 0.0)
    crossed = f"crossed with probability {limit} or less at the acceptable rate"
    return f"{RULES[rule.rule]}, {crossed}; {looks}; {rates}; {window}"


def _rate(given: TrueRate) -> str:
    if given.beta is not None:
        a, b = given.beta
        return f"drawn from a Beta({a:g}, {b:g}) distribution, mean {stated(round(a / (a + b), 4))}"
    return stated(given.p or 0.0)


def simulation(size: SimulationSize) -> str:
    """How much is simulated."""
    return f"{counted(size.trials, 'trial')} for each true response rate, seed {size.seed}"


READINGS: dict[Among, str] = {
    "enrolled": "the response rate among all enrolled patients, patients without a response assessment counting as "
    "non-responders",
    "evaluable": "the response rate if every patient were evaluable",
}
"""What p0 is, by its reading."""


def allowed_for(under: AsRun, asked: Requirements) -> str:
    """One sentence on the dropout that the sample size allows for."""
    reading = f"; p0 is {READINGS[under.among]}" if under.handling == "nonresponder" else ""
    recut = ", with bounds recalculated at the numbers of evaluable patients" if under.recut else ""
    return f"The sample size allows for {lost_of(under.loss, asked)} and {HANDLINGS[under.handling]}{recut}{reading}."


def searched_at(limits: Requirements, asked: Requirements) -> str:
    """The rates at which a design was searched, each with the one that it stands for."""
    pairs = ((limits.p0, asked.p0), (limits.p1, asked.p1))
    said = [
        stated(at) if at == of else f"{percent(at)} among all enrolled patients ({stated(of)} of evaluable ones)"
        for at, of in pairs
    ]
    return f", which was searched for a response rate of {said[0]} under H0 and of {said[1]} under the alternative"


def rates_of(case: Case, how: AsRun) -> str:
    """At which response rates the searches are made, and why."""
    asked, limits = case.requirements, case.limits
    if how.recut:
        return (
            "Designs are searched over the distribution of the number of evaluable patients, with the bounds "
            "recalculated at each number; at the planned numbers the planned bounds keep alpha as well. "
        )
    if limits == asked:
        return ""
    whose = "of all enrolled patients respond and are evaluable" if how.handling != "replace" else "of them respond"
    return (
        f"Under H0 {percent(limits.p0)} and under the alternative {percent(limits.p1)} {whose}. With planned bounds "
        "the probabilities of all decisions depend on these two rates alone, so the designs are searched at them. "
    )


def unless(case: Case) -> str:
    """What else changes the errors of a design as it is run; nothing where nothing does."""
    plan, whens = case.plan, []
    if case.trial.design.toxicity is not None:
        whens.append("the trial is not stopped for toxicity")
    if plan is not None and plan.conditional is not None:
        whens.append("the interim analysis waits for every response assessment")
    if plan is not None and plan.close_month is not None:
        whens.append("accrual does not close before the last patient is enrolled")
    return (
        f" These figures hold only if {' and '.join(whens)}; compare those of the trial as it is run." if whens else ""
    )


def errors_as_run(how: AsRun, design: Design, asked: Requirements) -> str:
    """Type I error, by every reading of p0 that differs, and power of a design as the trial is run."""
    found, other = how.figures(design, asked), how.other
    error = f"a type I error of {attained(found.type_i_error, asked.alpha, least=False)}"
    if other is not None:
        readings = {
            one.among: attained(one.figures(design, asked).type_i_error, asked.alpha, least=False)
            for one in sorted((how, other), key=lambda one: one.among != "enrolled")
        }
        error = (
            f"a type I error of {readings['enrolled']} if p0 is the rate among all enrolled patients "
            f"({readings['evaluable']} if p0 is the rate with every patient evaluable)"
        )
    return f"{error} and a power of {attained(found.power, asked.power, least=True)}"
