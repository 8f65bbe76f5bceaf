"""Planning of a simulation: aims, mechanisms, estimands, methods, performance measures, scenarios, number of trials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.conduct import tables as conduct_tables
from simtrial.design.designs import looks_text
from simtrial.documents import simulation_checks, simulation_models
from simtrial.phrases import agreeing, counted, listed, percent, stated
from simtrial.show.document import Chapter, FormulaLine, Points
from simtrial.show.table import RATE, WORDS, Table, column
from simtrial.toxicity import text as toxicity_text
from simtrial.trial import rules, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate
    from simtrial.plan.plan import Scenario
    from simtrial.trial.case import Case

TARGETS = (0.005, 0.002, 0.001)
"""Monte Carlo standard errors of a probability for which numbers of trials are stated."""

DEFINITIONS = {
    "reject": "Share of the trials in which H0 is rejected: the type I error at p0, the power at p1.",
    "pet": "Share of the trials that stop at an interim analysis (probability of early termination).",
    "toxicity_stopped": "Share of the trials stopped because the boundary for toxicity is crossed before the decision.",
    "n_screened": "Patients screened until the trial stops enrolling.",
    "n_enrolled": "Patients enrolled by the primary decision, overrun included: the expected sample size.",
    "n_evaluable": "Evaluable patients among those whom the primary decision counts.",
    "overrun": "Patients enrolled beyond those of the analysis at which the trial stops.",
    "interim_month": "Month of the first interim analysis, from the first day of accrual.",
    "hold_months": "Months for which accrual is held, all interim analyses together.",
    "last_patient_month": "Month in which the last patient is enrolled.",
    "duration_months": "Month of the primary decision, from the first day of accrual.",
    "end_month": "Month in which follow-up ends.",
    "closed_short": "Share of the trials in which accrual closes before the patients of the analysis are enrolled.",
    "orr_width": "Width of the Clopper-Pearson 95% interval for the response rate, without adjustment for the looks.",
    "dcr": "Disease control rate observed in the trial.",
    "dcr_width": "Width of the Clopper-Pearson 95% interval for the disease control rate.",
    "complete_responses": "Complete responses among the responses of the trial.",
    "toxicities": "Patients enrolled who have a toxicity within the window of the rule.",
    "toxicity_crossed": "Share of the trials in which the toxicity rate of all enrolled patients exceeds its limit.",
    "pfs_events": "Progressions and deaths observed by the end of follow-up.",
    "pfs_median": "Kaplan-Meier estimate of the median PFS.",
    "pfs_median_width": "Width of the 95% interval for the median PFS (Brookmeyer-Crowley, log-log).",
    "pfs_landmark": "Kaplan-Meier estimate of PFS at the landmark.",
    "os_events": "Deaths observed by the end of follow-up.",
    "os_median": "Kaplan-Meier estimate of the median OS.",
    "os_median_width": "Width of the 95% interval for the median OS (Brookmeyer-Crowley, log-log).",
    "os_landmark": "Kaplan-Meier estimate of OS at the landmark.",
}
"""What each simulated quantity is, by its name in the results."""

NO_SOURCE = "Assumed: the parameter file states no source"
OF_THE_PROTOCOL = {"Interim analysis": "Rule of the trial", "Follow-up": "Rule of the trial", "In time": "Date set"}
"""What the trial lays down itself, and so needs no source."""


def chapters(case: Case, done: Simulation) -> Iterator[Chapter]:
    """The chapter on planning and its sections."""
    plan, asked = done.plan, case.requirements
    yield Chapter(number="1", title="Planning", blocks=(_planned(done),))
    yield Chapter(number="1.1", title="Aims", level=2, blocks=tuple(_aims(done)))
    yield Chapter(
        number="1.2", title="Data-generating mechanisms", level=2,
        blocks=(
            "Patients are independent of each other. Every trial is generated patient by patient in calendar time, in "
            "months from the first day of accrual, by the following mechanisms.",
            Points(simulation_models.sentences(plan, [result.scenario for result in done.results])),
            "The table below lists the parameters with their sources.",
            assumptions(case),
        ),
    )  # fmt: skip
    yield Chapter(
        number="1.3", title="Scenarios", level=2,
        blocks=(
            "Each scenario is one true response rate; all other assumptions are the same in every scenario.",
            scenarios(case, done),
        ),
    )  # fmt: skip
    yield Chapter(
        number="1.4", title="Estimands and targets", level=2,
        blocks=(
            f"{simulation_models.estimated(case, done)} The targets of the simulation are the operating "
            "characteristics of the trial: for each scenario, the probability or expectation of each performance "
            "measure over repetitions of "
            f"the trial under the stated assumptions. The hypothesis tested in every trial is H0: p <= {asked.p0:g} "
            f"against p > {asked.p0:g}, with a one-sided type I error of at most {stated(asked.alpha)} and a power of "
            f"at least {stated(asked.power)} at p1 = {asked.p1:g}.",
        ),
    )  # fmt: skip
    yield Chapter(number="1.5", title="Methods", level=2, blocks=tuple(_methods(case, done)))
    yield Chapter(number="1.6", title="Performance measures", level=2, blocks=(*_measures(), measures(done)))
    yield Chapter(number="1.7", title="Number of trials", level=2, blocks=(*_why(case, done), numbers(done)))


def _planned(done: Simulation) -> str:
    number = len(done.results)
    return (
        f"{counted(done.trials, 'trial')} of the design {looks_text(done.plan.design, ', ')} "
        f"{agreeing(done.trials, 'is', 'are')} simulated at each of {counted(number, 'true response rate')}, "
        f"{counted(done.trials * number, 'trial')} in all."
    )


def _aims(done: Simulation) -> Iterator[str | Points]:
    missing = simulation_checks.without(done)
    known = {
        conduct_tables.called(e, done.plan): None
        for result in done.results
        for e in result.estimates.values()
        if e.exact is not None
    }
    yield (
        "The aim is to describe the design as it will be run: with dropout, assessments that take time, and accrual at "
        "its assumed rate. What has an exact value is not left to simulation: the exact value is reported, and the "
        "simulated one is its check."
    )
    aims = []
    if known:
        aims.append(f"Exact values exist, at all or some of the true rates, for: {listed(list(known))}.")
    every = [name for name, labels in missing.items() if name not in known]
    if every:
        aims.append(
            f"No exact value is computed for: {listed(every)}. These depend on the whole course of a trial, such as "
            "who is enrolled when and what is known by then, and are simulated."
        )
    aims.append(
        "Distributions, such as the 5% and 95% quantiles of months and patients, are simulated throughout; exact "
        "values are means and probabilities."
    )
    aims.append("Single simulated trials show what the course of such a trial may look like.")
    yield Points(tuple(aims))


def assumptions(case: Case) -> Table:
    """Every parameter of the mechanisms with its source; what has none is marked as assumed."""
    rows = _sourced(case)
    shown = {"what": column("lever", WORDS), "value": column("assumed", WORDS), "source": column("source", WORDS)}
    caption = (
        f"Parameters of the data-generating mechanisms of {case.trial.study.id}, as the parameter file states them, "
        "with their sources. Months count from the first day of accrual"
    )
    return Table("simulation_assumptions", caption, pd.DataFrame(rows, columns=list(shown)), shown)


def unsourced(case: Case) -> list[str]:
    """The assumptions for which the parameter file states no source."""
    return [what for what, _, source in _sourced(case) if source == NO_SOURCE]


def _sourced(case: Case) -> list[tuple[str, str, str]]:
    """What is assumed, the assumption, and its source or what stands for one."""
    return [
        (what, value, " ".join(source.split()) or OF_THE_PROTOCOL.get(what, NO_SOURCE))
        for what, value, source in words.rows(case.trial)
        if what != "Simulation" and not what.startswith("True response rate: ")
    ]


def scenarios(case: Case, done: Simulation) -> Table:
    """The true rates with what each gives and where it comes from."""
    given = {} if case.trial.conduct is None else {one.label: one.source for one in case.trial.conduct.scenarios}
    rows = [
        (result.scenario.label, result.scenario.rate, *_role(case, result.scenario, given)) for result in done.results
    ]
    shown = {
        "label": column("scenario", WORDS),
        "rate": column("p", WORDS),
        "gives": column("gives", WORDS),
        "source": column("source", WORDS),
    }
    caption = (
        "True response rates at which the trial is simulated: the rate if every patient were evaluable, what the "
        "probability of rejecting H0 is there, and the source of the rate"
    )
    return Table("simulation_scenarios", caption, pd.DataFrame(rows, columns=list(shown)), shown)


def _role(case: Case, scenario: Scenario, given: dict[str, str | None]) -> tuple[str, str]:
    asked, label = case.requirements, scenario.label
    if label not in ("p0", "p1"):
        what = "Probability of rejecting H0" if isinstance(scenario.p, int | float) else "Assurance"
        return what, " ".join((given.get(label) or NO_SOURCE).split())
    basis = "assumed" if case.trial.hypotheses.basis == "assumed" else "stated in the protocol"
    source = f"Hypotheses of the parameter file, {basis}"
    if label == "p0" and scenario.mean != asked.p0:
        source += (
            f"; p0 = {asked.p0:g} is the rate among all enrolled patients, {scenario.mean:.4g} the rate with every "
            "patient evaluable that gives it"
        )
    return ("Type I error" if label == "p0" else "Power"), source


def _methods(case: Case, done: Simulation) -> Iterator[str | Points]:
    plan = done.plan
    name = "given in the parameter file" if case.criterion is None else f"chosen by the criterion {case.criterion.name}"
    yield (
        f"The design is {looks_text(plan.design, ', ')} (r/n, cumulative), {name}. Every simulated trial applies its "
        "decision rule to its own patients as the protocol does:"
    )
    rule = [*rules.sentences(plan.design, plan.handling), *((rules.RECUT,) if plan.recut else ()), *rules.early(plan)]
    if plan.toxicity_rule is not None:
        rule += [toxicity_text.stops(plan.toxicity_rule.boundary), toxicity_text.window(plan.toxicity_rule)]
    if plan.close_month is not None:
        rule.append(
            f"If accrual closes in month {plan.close_month:g} before an analysis has its patients, the trial is "
            "analysed with the patients enrolled, against r of the last look."
        )
    yield Points(tuple(rule))
    yield (
        "Within a trial, intervals for rates are those of Clopper and Pearson, and survival is estimated by the method "
        "of Kaplan and Meier."
        if plan.disease.pfs is not None
        else "Within a trial, intervals for rates are those of Clopper and Pearson."
    )


def _measures() -> tuple[str | FormulaLine, ...]:
    return (
        "Let y(1), ..., y(N) be the values of a measure in the N trials to which it applies; for a proportion each is "
        "0 or 1. The estimate is their mean m, and its Monte Carlo standard error (MCSE) is",
        FormulaLine("MCSE(mean) = s / sqrt(N),  s^2 = sum (y(i) - m)^2 / (N - 1)"),
        "which for a proportion m is",
        FormulaLine("MCSE(proportion) = sqrt(m (1 - m) / (N - 1))"),
        "Beside an exact value v the standardised difference is",
        FormulaLine("z = (m - v) / MCSE"),
        "where for a proportion the standard error is that of the exact value, sqrt(v (1 - v) / N). A quantile is the "
        "smallest value that at least this share of the trials does not exceed. Measures of time that are not reached "
        "in some trial have no mean; the share of these trials is stated instead.",
    )


def measures(done: Simulation) -> Table:
    """Every performance measure: its definition, how it is summed up, and where it has an exact value."""
    rows = []
    missing = simulation_checks.without(done)
    stop = "" if done.plan.toxicity_rule is None else " A stop for toxicity counts as this decision."
    for name, e in _reported(done).items():
        measure = conduct_tables.called(e, done.plan)
        labels = missing.get(measure, [])
        exact = "all rates" if not labels else "none" if len(labels) == len(done.results) else "some rates"
        kind = "proportion" if e.outcome.kind == "share" else "mean, quantiles"
        more = stop if "primary decision" in DEFINITIONS[name] else ""
        rows.append((measure, f"{DEFINITIONS[name]}{more}", kind, exact))
    shown = {
        "measure": column("measure", WORDS),
        "definition": column("definition", WORDS),
        "statistic": column("statistic", WORDS),
        "exact": column("has_exact", WORDS),
    }
    caption = (
        "Performance measures: what each is in one trial, how the trials are summed up (with the Monte Carlo standard "
        "error of a proportion or of a mean), and at which true rates it has an exact value"
    )
    return Table("simulation_measures", caption, pd.DataFrame(rows, columns=list(shown)), shown)


def _reported(done: Simulation) -> dict[str, Estimate]:
    """One estimate of every measure that any scenario has."""
    return {
        name: e for result in done.results for name, e in result.estimates.items() if e.n + e.infinite
    }  # fmt: skip


def _why(case: Case, done: Simulation) -> Iterator[str]:
    alpha, given = case.requirements.alpha, case.trial.conduct
    stated_there = given is not None and "trials" in given.simulation.model_fields_set
    yield f"The number of trials is {'that of the parameter file' if stated_there else 'the default of the program'}."
    low, high = (done[label]["reject"] for label in ("p0", "p1"))
    errors = [math.sqrt(e.best * (1 - e.best) / done.trials) for e in (low, high)]
    yield (
        f"{counted(done.trials, 'trial')} per scenario {agreeing(done.trials, 'gives', 'give')} the type I error "
        f"({percent(low.best)}) a Monte Carlo standard error of {_points(errors[0])} and the power "
        f"({percent(high.best)}) one of {100 * errors[1]:.2g}; no proportion has more than "
        f"{50 / math.sqrt(done.trials):.2g}."
    )
    if low.exact is not None and high.exact is not None:
        yield (
            "Type I error and power are exact in this report, so that the number of trials does not limit their "
            "accuracy. It sets the accuracy of the check and of what has no exact value."
        )
    else:
        yield from _decides(low, alpha)
    spread = done["p1"]["duration_months"]
    if spread.mcse is not None and spread.comparable:
        sd = spread.mcse * math.sqrt(spread.n)
        yield (
            f"The month of the primary decision at p1 has a standard deviation of {sd:.2f} between trials, hence a "
            f"Monte Carlo standard error of {counted(float(f'{spread.mcse:.2g}'), 'month')}; "
            f"{counted(math.ceil((sd / 0.1) ** 2), 'trial')} would make it 0.1 months."
        )


def _points(share: float) -> str:
    return counted(float(f"{100 * share:.2g}"), "percentage point")


def _decides(low: Estimate, alpha: float) -> Iterator[str]:
    """Whether the simulated type I error is told from alpha by this number of trials."""
    gap = abs(low.best - alpha)
    error = math.sqrt(max(low.best * (1 - low.best), 1 / low.n) / low.n)
    if gap > 2 * error:
        yield (
            f"The type I error is simulated. Its distance from alpha ({stated(alpha)}) is {gap / error:.1f} Monte "
            "Carlo standard errors, so that the number of trials shows on which side of alpha it lies."
        )
        return
    more = ""
    if gap > 0:
        needed = math.ceil((2 * error / gap) ** 2 * low.n)
        more = f" If the distance is as simulated, about {counted(int(float(f'{needed:.2g}')), 'trial')} would show it."
    yield (
        f"The type I error is simulated. Its distance from alpha ({stated(alpha)}) is within 2 Monte Carlo standard "
        f"errors, so that this number of trials does not show on which side of alpha it lies.{more}"
    )


def numbers(done: Simulation) -> Table:
    """Numbers of trials that would give a proportion certain Monte Carlo standard errors."""
    wanted = {
        "Type I error": done["p0"]["reject"].best,
        "Power": done["p1"]["reject"].best,
        "Any proportion (largest variance)": 0.5,
    }
    rows = [
        {"what": what, "value": p, "mcse": math.sqrt(p * (1 - p) / done.trials)}
        | {f"trials_{k}": simulation_models.trials_for(p, target) for k, target in enumerate(TARGETS)}
        for what, p in wanted.items()
    ]
    shown = {
        "what": column("quantity", WORDS),
        "value": column("value", RATE),
        "mcse": column("mcse", "{:.2g}", counted(done.trials, "trial")),
    }
    shown |= {f"trials_{k}": column("trials_needed", "{:,.0f}", f"{target:g}") for k, target in enumerate(TARGETS)}
    caption = (
        f"Monte Carlo standard error of a proportion in {counted(done.trials, 'trial')}, and the number of trials "
        "per scenario that certain standard errors would take: p (1 - p) / MCSE^2, rounded up"
    )
    return Table("simulation_numbers", caption, pd.DataFrame(rows), shown)
