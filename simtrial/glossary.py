"""The glossary: every name that stands in a table, a caption or a control, with what it means, in one place.

Tables and figures take their headings from here, and the report and the explorer show the same lines as a page and
as tooltips. A name that is explained here is explained nowhere else in other words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One name and what it means.

    Attributes
    ----------
    head : str
        As it heads a column or a row.
    meaning : str
        One sentence or two, for somebody who is no statistician; empty for a plain word that needs none.
    """

    head: str
    meaning: str = ""


DESIGN = {
    "p0": Term(
        "p0", "The response rate not worth pursuing: the null hypothesis H0 is that the true rate is at most p0."
    ),
    "p1": Term("p1", "The response rate worth finding, at which the power is required (the alternative)."),
    "p": Term("True rate p", "A true response rate for which a figure is computed."),
    "alpha": Term("alpha", "The limit of the type I error, one-sided."),
    "type_i_error": Term(
        "Type I error",
        "The probability that H0 is rejected although the true response rate is p0: a treatment not worth pursuing is "
        "declared a success.",
    ),
    "power": Term("Power", "The probability that H0 is rejected if the true response rate is p1."),
    "reject": Term("P(reject H0)", "The probability that H0 is rejected at a true response rate."),
    "design": Term("Design", "The rule of the trial: how many patients at each look, and what is decided there."),
    "looks": Term(
        "Looks (r/n)",
        "The decision rule, look by look: at most r responses in n patients stop the trial for futility or, at the "
        "last look, do not reject H0; more than r continue, or reject it.",
    ),
    "n": Term("n", "The number of patients at the final analysis, if the trial is not stopped before."),
    "n1": Term("n1", "The number of patients at the interim analysis, the first look."),
    "en_p0": Term("EN(p0)", "The expected sample size if the true response rate is p0."),
    "en_p1": Term("EN(p1)", "The expected sample size if the true response rate is p1."),
    "en": Term("EN(p)", "The expected sample size at a true response rate."),
    "pet_p0": Term("PET(p0)", "The probability of early termination: of stopping before the last look, at p0."),
    "pet_p1": Term("PET(p1)", "The probability of early termination: of stopping before the last look, at p1."),
    "pet": Term("PET(p)", "The probability of early termination: of stopping before the last look, at a true rate."),
    "look": Term("Look", "An analysis at which the trial may stop; all but the last are interim analyses."),
    "minimax": Term("Minimax", "The design with the smallest n of those that meet both limits."),
    "optimal": Term("Optimal", "The design with the smallest EN(p0) of those that meet both limits."),
    "admissible": Term(
        "Admissible", "A design with the smallest weighted mean of n and EN(p0), for some weight from 0 to 1."
    ),
    "exact": Term("Exact", "Computed as a sum or an integral, without simulation."),
}
"""Designs and what they attain."""

CONDUCT = {
    "evaluable": Term("Evaluable", "Patients with a response assessment."),
    "dropout": Term(
        "Dropout",
        "Patients who leave the trial before their first assessment, so that their response is never known.",
    ),
    "enrolled": Term("Patients enrolled", "All who enter the trial, evaluable or not."),
    "as_run": Term(
        "As run", "With the enrollment, assessments and dropout that are assumed; the opposite of on paper."
    ),
    "on_paper": Term("On paper", "As if every patient were evaluable and nothing took time."),
    "hold": Term("Hold", "No patient is enrolled between the last patient of a look and the decision."),
    "overrun": Term(
        "Overrun", "Patients enrolled while a look is pending, in a trial that then stops: they could not change it."
    ),
    "mcse": Term(
        "MCSE",
        "Monte Carlo standard error: the accuracy of a simulated figure. The exact value lies within 2 of them "
        "19 times of 20.",
    ),
}
"""How the trial is run."""

ANALYSIS = {
    "umvue": Term("UMVUE", "The estimate of the response rate that is unbiased and varies least."),
    "mle": Term(
        "MLE",
        "The observed response rate, responses divided by patients; after an interim analysis it is too low or too "
        "high on average.",
    ),
    "median_unbiased": Term(
        "Median unbiased estimate", "An estimate that is as often too high as too low, the interim analysis considered."
    ),
    "estimate": Term("Response rate", "An estimate of the true response rate."),
    "p_value": Term(
        "p-value, one-sided",
        "The probability, if the true response rate is p0, of a result at least as favourable as the one observed.",
    ),
    "lower": Term("Lower limit", "The smallest true response rate that the data do not exclude."),
    "upper": Term("Upper limit", "The largest true response rate that the data do not exclude."),
    "interval": Term(
        "Confidence interval", "The true response rates, or other values, that the data do not exclude at the level."
    ),
    "consistent": Term(
        "Consistent with the test", "Whether p0 lies below the interval exactly when the test rejects H0."
    ),
    "rule": Term("Rule", "A decision rule for a trial in which the numbers of patients analysed differ from the plan."),
    "stops_at": Term("Stops at", "Where the rule stops the trial early for futility, as r/n."),
    "rejects_above": Term("Rejects H0 if X >", "H0 is rejected if more than this many patients respond."),
    "decision": Term("H0", "Whether the null hypothesis, a true response rate of at most p0, is rejected."),
    "largest": Term(
        "Largest type I error", "The largest type I error of the rule at any numbers of patients that may be attained."
    ),
    "needed": Term("Responses needed to reject H0", "The fewest further responses with which H0 is rejected."),
    "remaining": Term("Further patients", "The patients still to be analysed."),
    "conditional_power": Term(
        "Conditional power",
        "The probability that H0 will be rejected, given the responses so far, at a true response rate.",
    ),
    "predictive": Term(
        "Predictive probability",
        "The probability that H0 will be rejected, given the responses so far, averaged over the response rates that "
        "they make plausible.",
    ),
}
"""The analysis of a finished trial."""

REVIEW = {
    "route": Term("Route", "A calculation, with its inputs, that gives the stated number of patients."),
    "allowance": Term(
        "Allowance for dropout",
        "How the number of evaluable patients is enlarged because some patients drop out: the share that drops out, "
        "and the formula.",
    ),
    "routes_plain": Term("Routes, without dropout", "Routes that make no allowance for dropout."),
    "routes_with": Term("Routes, with dropout", "Routes that enlarge the number of patients to allow for dropout."),
    "breaks_alpha": Term(
        "Exact type I error above alpha",
        "Routes whose decision rule has a larger type I error than the route states, when it is computed exactly.",
    ),
    "lacks_power": Term(
        "Exact power below that stated",
        "Routes whose decision rule has a smaller power than the route states, when it is computed exactly.",
    ),
    "reading": Term(
        "Reading",
        "One interpretation of the stated number of patients: the response rates and limits from which it may have "
        "been calculated.",
    ),
    "months_to_decision": Term(
        "Months to the decision at p1",
        "The expected time from the first day of accrual to the primary decision, if the true response rate is p1.",
    ),
    "reason": Term("Why credible", "The reason to take a reading into consideration."),
    "convention": Term(
        "Convention",
        "A habit of others that changes what a stated number means, such as a two-sided alpha or an allowance for "
        "dropout.",
    ),
    "verdict": Term(
        "Verdict",
        "Whether a stated sample size can be recalculated from the stated values, only under a convention, or not at "
        "all.",
    ),
}
"""The reviewer's desk."""

PLAIN = {
    "source": Term("Source"),
    "method": Term("Method"),
    "setting": Term("Setting"),
    "patients": Term("Patients"),
    "number": Term("Number"),
    "responses": Term("Responses"),
    "endpoint": Term("Endpoint"),
    "events": Term("Events"),
    "value": Term("Estimate"),
}
"""Words that need no explanation."""

TERMS = {**DESIGN, **CONDUCT, **ANALYSIS, **REVIEW, **PLAIN}
"""All of them, by the name that they have in the files of the report."""

_BY_HEAD = {term.head: term for term in TERMS.values()}


def head(key: str, more: str = "") -> str:
    """The heading of a term, with what sets it apart in its table.

    >>> head("type_i_error"), head("power", "as run")
    ('Type I error', 'Power, as run')
    """
    return f"{TERMS[key].head}, {more}" if more else TERMS[key].head


def explained(heading: str) -> Term | None:
    """The term that a heading stands for, whole or up to its comma; None if there is none.

    >>> explained("Power, as run").head
    'Power'
    """
    return _BY_HEAD.get(heading) or _BY_HEAD.get(heading.partition(", ")[0])
