"""The answer on one screen: the design, what it promises, how long it takes, what is assumed, what is to be decided.

Numbers and sentences alone: the front page of the report shows them, and whatever else hands in the design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.conduct import levers as conduct_levers
from simtrial.design.designs import looks_short, looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import branched
from simtrial.phrases import attained, counted, listed, percent, percent_beside, stated
from simtrial.search import CalendarCriterion, simon
from simtrial.search.wording import null
from simtrial.trial import dropout, levers, safety, words
from simtrial.trial.protocol import timed
from simtrial.trial.quantities import RATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate
    from simtrial.design.designs import Design
    from simtrial.laws.losses import AsRun
    from simtrial.trial.case import Case
    from simtrial.trial.study import Evidence

MOST_DECISIONS = 3
"""Decisions that the front page names: the most pressing ones."""

SURE = 0.9
"""A date that is kept with at least this probability is not named among the decisions."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One figure of the design: its limit, its value on paper and as the trial is run, as written and as numbers."""

    name: str
    written: tuple[str, str, str]
    numbers: tuple[float | None, float, float | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens at p0 and at p1: the median month and the range of 90% of the trials, or a probability.

    As written, and as numbers: median, 5% and 95% quantile, or the probability and its standard error.
    """

    name: str
    written: tuple[str, str]
    numbers: tuple[tuple[float | None, ...], tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """Something to decide before the protocol is signed."""

    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The sentences of the front page; its numbers are `promises`, `moments` and `dates`.

    Attributes
    ----------
    question : str
        Hypotheses and limits in a sentence.
    design : str
        The design by its name, with the number of patients.
    assumed : tuple of (str, str)
        What is assumed, and what it is.
    dearest : tuple of str
        Sentences on the assumptions that cost most time and most power.
    decisions : tuple of OpenPoint
        At most `MOST_DECISIONS`, the most pressing ones first.
    """

    question: str
    design: str
    assumed: tuple[tuple[str, str], ...]
    dearest: tuple[str, ...]
    decisions: tuple[OpenPoint, ...]


def of(case: Case) -> Summary:
    """Sum up a trial."""
    done = None if case.plan is None else timed(case)
    return Summary(
        question=_question(case),
        design=_design(case),
        assumed=tuple(_assumed(case)),
        dearest=() if done is None else conduct_levers.sentences(levers.of(case)),
        decisions=tuple(_decisions(case, done))[:MOST_DECISIONS],
    )


def _question(case: Case) -> str:
    asked = case.requirements
    return (
        f"A response rate of at most {stated(asked.p0)} is not worth pursuing ({null(f'{asked.p0:g}')}); a rate of "
        f"{stated(asked.p1)} is worth finding (p1). The one-sided type I error is to be at most {stated(asked.alpha)} "
        f"and the power at p1 at least {stated(asked.power)}."
    )


def _design(case: Case) -> str:
    name = case.criterion.name if case.criterion is not None else "Design as given"
    most = "at most " if len(case.chosen.looks) > 1 else ""
    recut = "; bounds recalculated at the number of evaluable patients" if case.plan and case.plan.recut else ""
    toxicity = "" if case.toxicity_rule is None else "; a second rule stops accrual for toxicity"
    if toxicity and isinstance(case.criterion, CalendarCriterion):
        toxicity += " and is left aside in this choice"
    looks = looks_text(case.chosen) if branched(case.chosen.looks) is not None else looks_short(case.chosen)
    return f"{name}: {looks}, {most}{counted(case.n, 'patient')}{recut}{toxicity}"


def promises(case: Case) -> Iterator[Promise]:
    """The figures of the design, on paper and as the trial is run."""
    asked, oc, done = case.requirements, case.at_limits, None if case.plan is None else timed(case)
    for k, (name, word, limit) in enumerate((("Type I error", "most", asked.alpha), ("Power", "least", asked.power))):
        values = float(oc.reject[k]), None if done is None else done[RATES[k]]["reject"].best
        paper, as_run = ("" if v is None else attained(v, limit, least=word == "least") for v in values)
        as_run += _error(case, done, RATES[k], "reject")
        yield Promise(name, (f"at {word} {stated(limit)}", paper, as_run), (limit, *values))
    for k, rate in enumerate(RATES):
        values = float(oc.en[k]), None if done is None else done[rate]["n_enrolled"].best
        paper, as_run = ("" if value is None else f"{value:.1f}" for value in values)
        as_run += _error(case, done, rate, "n_enrolled")
        yield Promise(f"EN({rate}), expected sample size", ("", paper, as_run), (None, *values))
    if len(case.chosen.looks) > 1:
        values = float(oc.pet[0]), None if done is None else done["p0"]["pet"].best
        paper, as_run = ("" if value is None else percent(value) for value in values)
        as_run += _error(case, done, "p0", "pet")
        kind = "" if case.toxicity_rule is None else " (by responses)"
        yield Promise(f"PET(p0){kind}, early termination", ("", paper, as_run), (None, *values))


def _error(case: Case, done: Simulation | None, rate: str, name: str) -> str:
    """After a value under a rule for toxicity, with which hardly any is exact: its Monte Carlo standard error."""
    if done is None or case.toxicity_rule is None:
        return ""
    one = done[rate][name]
    error = one.best_mcse * (1 if one.outcome.kind == "patients" else 100)
    return f" ± {error:.1g}" if error else ""


def how_run(case: Case) -> str:
    """Under which dropout and handling figures as run are those; empty without any."""
    how, asked = case.trial.how, case.requirements
    if how is None or case.trial.conduct is None:
        return ""
    if not how.loss.lost(asked.p1):
        return "No dropout is assumed"
    reading = ""
    if how.other is not None:
        whose = "all enrolled patients" if case.trial.reading == "enrolled" else "evaluable patients"
        reading = f"; p0 is the rate among {whose}"
    return f"Dropout before the first assessment: {words.dropout(case.trial.conduct.dropout)}{reading}"


QUANTILES = (0.5, 0.05, 0.95)
"""Of the trials: the median and the range of 90%."""


def _range(estimate: Estimate) -> str:
    form = ".0f" if estimate.outcome.kind == "patients" else ".1f"
    found = (estimate.quantiles.get(q) for q in QUANTILES)
    median, low, high = ("–" if value is None else f"{value:{form}}" for value in found)
    return f"{median} ({low} to {high})"


def moments(case: Case) -> Iterator[Moment]:
    """The interim analysis, the primary decision and the end, and patients to screen; none if the file does not say."""
    if case.plan is None:
        return
    done = timed(case)
    names = {
        "interim_month": "Interim analysis, month",
        "duration_months": "Primary decision, month",
        "end_month": "End of follow-up, month",
        "n_screened": "Patients to screen",
    }
    for name, said in names.items():
        if name != "interim_month" or len(case.chosen.looks) > 1:
            low, high = (done[rate][name] for rate in RATES)
            numbers = (tuple(one.quantiles.get(q) for q in QUANTILES) for one in (low, high))
            yield Moment(said, (_range(low), _range(high)), (next(numbers), next(numbers)))


def _due(case: Case) -> Iterator[tuple[str, str, float]]:
    """What is to happen by when: its words, the outcome, and the month."""
    due, whole = case.trial.deadline, case.trial.study.months
    registered = "" if whole is None else f"by registered completion (month {whole:.3g})"
    if due is not None:
        yield f"Decision {registered if due == whole else f'by month {due:.3g}'}", "duration_months", due
    if whole is not None:
        yield f"End of follow-up {registered}", "end_month", whole


def dates(case: Case) -> Iterator[Moment]:
    """Probabilities of keeping the dates of the file; none if it does not say how the trial is run."""
    if case.plan is None:
        return
    done = timed(case)
    for said, name, by in _due(case):
        low, high = (done[rate][name].at_most(by) for rate in RATES)
        yield Moment(said, (percent(low[0]), percent(high[0])), (low, high))


def _assumed(case: Case) -> Iterator[tuple[str, str]]:
    asked, both = case.trial.hypotheses, safety.of(case)
    from_where = "assumed, not taken from a protocol or registry" if asked.basis == "assumed" else "from the protocol"
    yield "Hypotheses", f"p0 = {asked.p0:g}, p1 = {asked.p1:g}: {from_where}; every result depends on them"
    if both is not None:
        conduct = case.trial.conduct
        run = "; the trial is run at the acceptable rate" if conduct and conduct.patients.toxicity is None else ""
        yield "Rate of toxicity", f"{both.assumed}{run}"
    if case.trial.conduct is None:
        yield (
            "Conduct",
            "not stated in the parameter file: months, dropout and enrollment are unknown, and nothing is simulated",
        )
        return
    for what, value, _ in words.rows(case.trial):
        if what in ("Enrollment", "Tumour assessments", "Dropout before the first assessment", "Interim analysis"):
            yield what, value


def _decisions(case: Case, done: Simulation | None) -> Iterator[OpenPoint]:
    yield from _on_limits(case)
    both = safety.of(case)
    if both is not None and both.shortfall and case.keeps:
        yield OpenPoint("The rule for toxicity", both.shortfall)
    if case.trial.hypotheses.basis == "assumed":
        yield OpenPoint("The hypotheses", _on_hypotheses(case))
    if done is not None:
        yield from _on_dates(case, done)
    else:
        yield OpenPoint(
            "How the trial is run",
            "The parameter file states no accrual, assessments or dropout. With them this page gives the months to the "
            "decision, and the design that keeps its limits under dropout.",
        )
    yield from _on_readings(case)
    yield from _on_criterion(case)


def _on_limits(case: Case) -> Iterator[OpenPoint]:
    """The cure, where the trial as it is run does not keep its limits."""
    how, asked = case.trial.how, case.requirements
    if how is None or not how.loss.lost(asked.p1) or how.keeps(case.chosen, asked):
        return
    run = how.figures(case.chosen, asked)
    faults = []
    if run.power < asked.power:
        required = "" if case.toxicity_rule is None else "the required "
        power = percent_beside(run.power, asked.power)
        faults.append(f"the power is {power} instead of {required}{stated(asked.power)}")
    if run.type_i_error > asked.alpha:
        error = percent_beside(run.type_i_error, asked.alpha)
        faults.append(f"the type I error is {error} instead of {stated(asked.alpha)}")
    said = f"With the assumed dropout {listed(faults)}."
    if case.under is None:
        cures = [f"{looks_text(one, ', ')}{whose}" for one, whose in _cures(case, how)]
        if cures:
            said += (
                f" Of the designs that keep both limits under this dropout, {dropout.cure(case).name} is "
                f"{' and '.join(cures)}. Take such a design, or state in the protocol why values on paper are given."
            )
    yield OpenPoint("Dropout", said)


def _cures(case: Case, how: AsRun) -> Iterator[tuple[Design, str]]:
    """The designs that keep both limits as run, with the reading of p0 where readings differ."""
    for one, among in dropout.cures(case, how):
        whose = {"enrolled": "all enrolled patients", "evaluable": "evaluable patients"}.get(among or "", "")
        yield one, f" if p0 is the rate among {whose}" if whose else ""


def _on_hypotheses(case: Case) -> str:
    said = "p0 and p1 are assumed. Agree on them first: every figure on this page depends on them."
    known = [(item.about or "p0", rate) for item in case.trial.evidence if (rate := _observed(item)) is not None]
    for about in RATES:
        rates = [rate for what, rate in known if what == about]
        if len(rates) > 1:
            said += f" The earlier results on {about} range from {min(rates):.1f}% to {max(rates):.1f}%."
    return said


def _observed(item: Evidence) -> float | None:
    if item.orr_percent is not None:
        return item.orr_percent
    return None if item.responders is None else 100 * item.responders / item.n


def _on_dates(case: Case, done: Simulation) -> Iterator[OpenPoint]:
    """The first date that is not safe, and the month that would be."""
    for said, name, by in _due(case):
        chances = [done[rate][name].at_most(by)[0] for rate in RATES]
        if min(chances) < SURE:
            ends = [done[rate][name].quantiles.get(0.95) for rate in RATES]
            last = max((end for end in ends if end is not None), default=0.0)
            later = "" if None in ends else f" By month {last:.1f} both are at least 95%."
            yield OpenPoint(
                "The dates",
                f"{said}: the probability is {percent(chances[0])} at p0 and {percent(chances[1])} at p1.{later}",
            )
            return


def _on_readings(case: Case) -> Iterator[OpenPoint]:
    how = case.trial.how
    if how is None or how.other is None:
        return
    yield OpenPoint(
        "Whose response rate p0 is",
        f"With this dropout the design has {words.errors_as_run(how, case.chosen, case.requirements)}.",
    )


def _on_criterion(case: Case) -> Iterator[OpenPoint]:
    """What the smallest and the optimal two-stage design offer against each other."""
    small, best = (one.pick(case.two) for one in (simon.MINIMAX, simon.OPTIMAL))
    if small.looks == best.looks:
        return

    def figures(design: Design) -> str:
        asked, under = case.requirements, case.under
        at = operating_characteristics(design, asked.p0).en if under is None else under.figures(design, asked).en_p0
        return f"{looks_short(design)} has n = {design.looks[-1].n} and EN(p0) = {float(at):.1f}"

    plan = case.plan
    meanwhile = " Patients enrolled while an analysis is pending are not counted in EN(p0)."
    yield OpenPoint(
        "Minimax or optimal",
        f"The minimax design {figures(small)}; the optimal design {figures(best)}."
        f"{meanwhile if plan is not None and not plan.interim.hold else ''}",
    )
