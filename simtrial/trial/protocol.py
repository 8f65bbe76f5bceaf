"""How a trial is run, in sentences for its protocol: accrual, assessments, interim analysis, months, endpoints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simtrial.conduct import simulation
from simtrial.design.second_stages import analyses
from simtrial.phrases import agreeing, counted, listed, stated
from simtrial.plan.allowances import enrolled_for
from simtrial.trial import differing, words

if TYPE_CHECKING:
    from simtrial.conduct.simulation import Simulation
    from simtrial.plan.plan import Plan
    from simtrial.trial.case import Case
    from simtrial.trial.conduct import Conduct

MOST_TRIALS = 100_000
"""Most trials from which quantiles of months are taken: more do not change what is printed."""


def timed(case: Case) -> Simulation:
    """Decision, patients and months at p0 and p1, with quantiles.

    Raises
    ------
    InputError
        If the file does not say how the trial is run.
    """
    size = case.size
    assert case.plan is not None  # or there is no size
    return simulation.of_primary(case.plan, case.scenarios[:2], min(size.trials, MOST_TRIALS), size.seed)


def to_screen(plan: Plan, p: float) -> tuple[int, int]:
    """Patients to enroll and to screen, on average, for the last look at a true response rate."""
    n = plan.design.looks[-1].n
    enrolled = enrolled_for(n, plan.dropout.lost(p)) if plan.handling == "replace" else n
    return enrolled, enrolled_for(enrolled, 1 - plan.screening_success)


def protocol_sentences(case: Case, done: Simulation | None = None) -> list[str]:
    """How the trial is run; no sentence if the file does not say.

    Parameters
    ----------
    case : Case
        The trial.
    done : Simulation, optional
        Its outcomes at p0 and p1, where somebody has them already; else those of `timed`.
    """
    given, plan = case.trial.conduct, case.plan
    if given is None or plan is None:
        return []
    done = timed(case) if done is None else done
    return [
        f"Accrual: {words.enrollment(given.enrollment)}.",
        screening(case, plan),
        f"Tumour assessments: {words.assessments(given.assessments)}.",
        *pending(plan, done),
        _months(case, done),
        *_followed(given),
        *_endpoints(given),
    ]


def screening(case: Case, plan: Plan) -> str:
    """How many patients are enrolled and screened, in a sentence."""
    enrolled, screened = to_screen(plan, case.requirements.p1)
    n, who = plan.design.looks[-1].n, "evaluable patients"
    mixed = differing.of(case)
    if mixed is not None:
        mean = None if mixed.priced is None else mixed.priced.n_enrolled_mean
        enrolled, who = n if mean is None else math.ceil(round(mean[1], 9)), "patients who are not replaced"
        screened = enrolled_for(enrolled, 1 - plan.screening_success)
    evaluable = f" for {n} {who}" if enrolled != n else ""
    if screened == enrolled:
        most = "At most" if enrolled == n else "On average"
        return f"{most} {counted(enrolled, 'patient')} {agreeing(enrolled, 'is', 'are')} enrolled{evaluable}."
    return (
        f"To enroll {counted(enrolled, 'patient')}{evaluable}, about {screened} have to be screened (screening success "
        f"{stated(plan.screening_success)})."
    )


def pending(plan: Plan, done: Simulation) -> list[str]:
    """What accrual does while an interim analysis is pending."""
    if len(plan.design.looks) == 1 or plan.conditional is not None:
        return []
    low, high = done["p0"], done["p1"]
    if plan.interim.hold:
        most = "" if plan.interim.max_hold is None else f", but for at most {counted(plan.interim.max_hold, 'month')}"
        held = [low["hold_months"].best, high["hold_months"].best]
        one = len(analyses(plan.design.looks)) == 2
        look, total = ("the interim analysis", "") if one else ("each interim analysis", "in total ")
        return [
            f"Accrual is on hold from the last patient of {look} until its decision{most}: {total}{held[0]:.1f} months "
            f"on average at p0 and {held[1]:.1f} at p1."
        ]
    extra = plan.interim.extra
    most = "" if extra is None else f", by at most {counted(extra, 'further patient')}"
    return [
        f"Accrual continues while the interim analysis is pending{most}; if the trial stops, the patients enrolled "
        f"meanwhile could not change the decision ({low['overrun'].best:.1f} on average over all trials at p0)."
    ]


def _months(case: Case, done: Simulation) -> str:
    """When the analyses are expected; months without an exact law are means of simulated trials."""
    asked = case.requirements
    names = {"duration_months": "the primary decision is taken in month"}
    if (looks := len(analyses(case.chosen.looks))) > 1:
        which = "the interim analysis" if looks == 2 else "the first interim analysis"
        names = {"interim_month": f"{which} takes place in month", **names}
    low, high = (
        listed([f"{words} {done[rate][name].best:.1f}" for name, words in names.items()]) for rate in ("p0", "p1")
    )
    mcse = max(done[rate]["duration_months"].best_mcse for rate in ("p0", "p1"))
    simulated = f" (simulated, {counted(done.trials, 'trial')}, Monte Carlo standard error {mcse:.2f})" if mcse else ""
    toxicity = "" if case.toxicity_rule is None else " A stop for toxicity counts as the primary decision."
    return (
        f"On average {low} if the true ORR is {stated(asked.p0)}; if it is {stated(asked.p1)}, {high}{simulated}."
        f"{toxicity}"
    )


def _followed(given: Conduct) -> list[str]:
    """How long patients are followed; no sentence if not beyond the last patient's enrollment."""
    if given.follow_up.months_after_last_patient == 0:
        return []
    return [f"Follow-up lasts {words.follow_up(given.follow_up)}."]


def _endpoints(given: Conduct) -> list[str]:
    """The secondary endpoints that the file mentions."""
    patients = given.patients
    named = {
        "the disease control rate (DCR)": patients.dcr,
        "progression-free survival (PFS)": patients.pfs,
        "overall survival (OS)": patients.os,
        "toxicity of grade 3 or higher": patients.toxicity,
    }
    found = [name for name, rule in named.items() if rule is not None]
    if not found:
        return []
    return [f"{agreeing(len(found), 'The secondary endpoint is', 'Secondary endpoints are')} {listed(found)}."]
