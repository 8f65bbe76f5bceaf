"""Sentences about a finished trial: what was analysed, and what goes into the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.designs import looks_text
from simtrial.exact import operating_characteristics
from simtrial.text import HANDLINGS, Passage, kind, percent

if TYPE_CHECKING:
    from simtrial.analysis import Final, Report

ESTIMATE_NAMES = {
    "mle": "MLE: responses per patient (naive)",
    "umvue": "UMVUE (unbiased)",
    "umvcue": "UMVCUE (unbiased given the second stage)",
    "median_unbiased": "median unbiased",
    "bias_subtracted": "bias-subtracted (Guo-Liu)",
    "bias_adjusted": "bias-adjusted (Whitehead)",
    "conditional_mle": "conditional MLE",
}
INTERVAL_NAMES = {
    "exact": "exact, stage-wise ordering",
    "koyama_chen": "Koyama-Chen",
    "mid_p": "mid-p",
    "naive": "naive (Clopper-Pearson)",
}
ORDERINGS = {"stage": "stage-wise ordering", "mle": "ordering by the MLE", "umvue": "ordering by the UMVUE"}


def data(report: Report) -> Passage:
    """Where the numbers come from, and what was seen."""
    found = report.final.result
    opening = f"Source: {report.source}."
    if report.is_synthetic:
        opening = f"SYNTHETIC DATA, {report.source}. It shows what the report of the finished trial will look like."
    looks = "at its first and only look" if len(report.final.design.looks) == 1 else f"at look {found.stage}"
    planned = looks_text(report.final.design, ", ")
    seen = (
        f"The trial, planned as {planned}, ended {looks} with {found.responses} responses in {found.n} patients; "
        f"patients without a response status are {HANDLINGS[report.handling]}."
    )
    ignored = () if report.data is None else report.data.ignored
    left = (f"Columns of the file that were left alone: {', '.join(ignored)}.",) if ignored else ()
    return Passage("analysed", (opening, seen, *left))


def _p(value: float) -> str:
    return "p < .0001" if value < 1e-4 else f"p = {value:.4f}".replace("0.", ".", 1)


def sentence(report: Report) -> Passage:
    """The paragraph for the paper: p0, p1, alpha, power and looks, and the adjusted results with their methods."""
    final, asked, result = report.final, report.requirements, report.final.result
    oc = operating_characteristics(final.design, [asked.p0, asked.p1])
    rule = final.rule
    opening = "SYNTHETIC DATA. " if report.is_synthetic else ""
    parts = [
        f"{opening}The trial followed {kind(final.design)} (H0: p <= {percent(asked.p0)}, p1 = {percent(asked.p1)}, "
        f"one-sided alpha {asked.alpha:g}, power {asked.power:g}; looks {looks_text(final.design, ', ')}, that is r/n, "
        f"with an exact type I error of {percent(float(oc.reject[0]))} and a power of {percent(float(oc.reject[1]))})."
    ]
    if final.attained is not None:
        sizes = f"{final.attained.n1} and {final.attained.n}" if final.attained.n1 else f"{final.attained.n}"
        one = (
            ""
            if rule is None
            else f"; bounds follow {_named(rule.rule)}, with a type I error of {percent(rule.type_i_error)}"
        )
        parts.append(f"The looks were taken at {sizes} patients instead of those planned{one}.")
    verb = "was" if result.reject else "was not"
    best = result.estimates["umvue"]
    low, high = result.intervals["exact"]
    several = len(final.design.looks) > 1
    method = f"exact, {ORDERINGS[result.ordering]}" if several else "exact (Clopper-Pearson)"
    upper = 1.0 if high is None else high
    limits = f"{low:.1%} to {upper:.1%}" if result.sides == 2 else f"at least {low:.1%}"
    by = f", {ORDERINGS[result.ordering]}" if several else ""
    parts.append(
        f"Of {result.n} patients {result.responses} responded ({result.responses / result.n:.1%}); H0 {verb} "
        f"rejected (one-sided {_p(result.p_value)}{by})."
    )
    what = "adjusted for the interim look " if several else ""
    name = "uniformly minimum variance unbiased estimate" if several else "observed rate"
    parts.append(
        f"The response rate {what}is {best or 0.0:.1%} ({name}; {100 * result.level:g}% confidence interval "
        f"{limits}, {method})."
    )
    return Passage("paper", (" ".join(parts),), quoted=True)


def _named(rule: str) -> str:
    return {
        "Koyama-Chen": "Koyama and Chen (conditional error kept)",
        "recut": "the sizes attained (alpha kept)",
        "Green-Dahlberg": "Green and Dahlberg",
        "planned bounds": "the plan",
    }[rule]


def agreement(final: Final) -> Passage:
    """Which intervals agree with the decision, and why some do not."""
    result = final.result
    word = {True: "agrees", False: "does not agree"}
    listed = "; ".join(f"{INTERVAL_NAMES[name]}: {word[same]}" for name, same in result.agrees.items())
    a = (1 - result.level) / result.sides
    alpha = float(operating_characteristics(final.design, final.p0).reject)
    said = [
        f"An interval agrees with the decision if p0 = {final.p0:g} lies below it exactly when H0 is rejected: "
        f"{listed}.",
        f"Each limit spends {a:.4g} on its side and the test {alpha:.4g}; only intervals that spend as much, and order "
        "the outcomes as the test does, agree with it whatever is seen. For a one-sided test of level alpha that is a "
        "two-sided level of 1 - 2 alpha.",
    ]
    return Passage("agreement", tuple(said))
