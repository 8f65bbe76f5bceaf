"""Sentences about a finished trial: what was analysed, and what goes into the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.analysis.attained import knows
from simtrial.analysis.words import rule_said, stopped_said, toxicity_rate_said, toxicity_said
from simtrial.conduct.text import HANDLINGS
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.phrases import agreeing, counted, percent, stated
from simtrial.search.text import kind
from simtrial.search.wording import null
from simtrial.show.passage import Passage

if TYPE_CHECKING:
    from simtrial.analysis.deviation import Ruling
    from simtrial.analysis.dossier import Dossier
    from simtrial.analysis.final import Final
    from simtrial.analysis.monitoring import InterimResult
    from simtrial.design.designs import Design, Look
    from simtrial.patients.data import PatientData

ESTIMATE_NAMES = {
    "mle": "MLE: responses per patient (naive)",
    "umvue": "UMVUE (unbiased)",
    "umvcue": "UMVCUE (unbiased given the second stage)",
    "median_unbiased": "median unbiased",
    "bias_subtracted": "bias-subtracted (Guo-Liu)",
    "bias_adjusted": "bias-adjusted (Whitehead)",
    "conditional_mle": "conditional MLE",
}
RULE_NAMES = {
    "Koyama-Chen": "Koyama and Chen",
    "recut": "recalculated bounds",
    "Green-Dahlberg": "Green and Dahlberg",
    "planned bounds": "planned bounds",
}
"""Rules for other sizes, by their names in files."""

ORDERINGS = {"stage": "stage-wise ordering", "mle": "ordering by the MLE", "umvue": "ordering by the UMVUE"}


def estimate_name(final: Final, name: str) -> str:
    """What an estimate is called, by how it was found."""
    said = ESTIMATE_NAMES[name]
    if name != "median_unbiased" or not _looked(final):
        return said
    rule = final.rule
    if rule is not None and rule.conditional:
        return f"{said} (Koyama-Chen)"
    return f"{said}, {ORDERINGS[final.result.ordering]}"


def interval_name(final: Final, name: str) -> str:
    """What an interval is called, by how it was found: one look needs no ordering, Koyama and Chen's is stage-wise."""
    order = ORDERINGS[final.result.ordering]
    if name == "naive":
        return "naive (Clopper-Pearson)"
    if name == "exact":
        return f"exact, {order}" if _looked(final) else "exact (Clopper-Pearson)"
    if name == "mid_p":
        return f"mid-p, {order}" if _looked(final) else "mid-p"
    rule, seen = final.rule, final.attained
    if rule is not None and seen is not None and rule.conditional:
        return f"Koyama-Chen, given {seen.x1} of the first {seen.n1}"
    return "Koyama-Chen" if final.result.ordering == "stage" or not _looked(final) else f"as Koyama-Chen, {order}"


def responses_in(responses: int, n: int) -> str:
    """As ``1 response in 10 patients``."""
    return f"{counted(responses, 'response')} in {counted(n, 'patient')}"


def stops_at(final: Final, rule: Ruling) -> str:
    """Where a rule stops the trial early, in words of looks."""
    if not knows(final.design):
        return ", ".join(looks_text(final.design).split(",")[:-1])
    return "no look" if rule.r1 < 0 else f"{rule.r1}/{final.attained.n1 if final.attained else ''}"


def decided_by(final: Final) -> str:
    """Which rule decides, and why one was needed; empty where everything went as planned."""
    if final.no_claim and final.toxicity is not None:
        return stopped_said(final.toxicity)
    if final.rule is None:
        return ""
    why = "No look ended the trial" if final.closed else "The numbers analysed differ from the plan"
    kept = "" if final.alpha is None else f" Recalculated bounds keep the type I error at or below {final.alpha:.4g}."
    return f"{why}; the decision is based on {final.rule.by.phrase}.{kept}"


def needed(r: int) -> str:
    """The fewest responses that reject H0 where more than r do, with their verb."""
    return f"{counted(r + 1, 'response')} {agreeing(r + 1, 'was', 'were')}"


def not_counted(final: Final) -> str:
    """The patients who came after the look that ended the trial, in a sentence; empty if there are none."""
    if not final.after:
        return ""
    number, responded = final.after, final.after_responses
    who = f"{counted(number, 'patient')} {agreeing(number, 'was', 'were')}"
    count = agreeing(number, "does", "do")
    them = f"{responded} of them responded"
    them = ("who responded" if responded else "who did not respond") if number == 1 else them
    since = "those analysed" if final.no_claim else "the look that ended the trial"
    return f"{who} enrolled after {since} ({them}) and {count} not count in this analysis."


def data(report: Dossier) -> Passage:
    """Where the numbers come from, and what was seen."""
    found = report.final.result
    opening = f"Source: {report.source}."
    if report.is_synthetic:
        opening = f"SYNTHETIC DATA, {report.source}. They show what the report of the finished trial will look like."
    looks = "at its first and only look" if len(report.final.design.looks) == 1 else f"at look {found.stage}"
    planned = looks_text(report.final.design, ", ")
    known = report.known_handling
    how = "" if known is None else f"; patients without a response assessment are {HANDLINGS[known]}"
    ended = "was stopped for toxicity" if report.final.no_claim else f"ended {looks}"
    seen = f"The trial, planned as {planned}, {ended} with {responses_in(found.responses, found.n)}{how}."
    if report.data is None:
        return Passage("analysed", (opening, seen))
    seen += _beyond(report) + (f" {not_counted(report.final)}" if report.final.after else "")
    return Passage("analysed", (opening, seen, *how_read(report.data)))


def how_read(data: PatientData) -> tuple[str, ...]:
    """Which columns were used as what, which were ignored, and what was assumed: a sentence each."""
    pairs = ", ".join(name if name == heading else f"{name} from {heading}" for name, heading in data.columns.items())
    said = [f"Columns used: {pairs}."]
    if data.ignored:
        said.append(f"Columns ignored: {', '.join(data.ignored)}.")
    # a note that begins with the name of a file keeps it as it is
    notes = (note if "." in note.split(":")[0] else f"{note[0].upper()}{note[1:]}" for note in data.notes)
    return (*said, *(f"{note}." for note in notes))


def _beyond(report: Dossier) -> str:
    """Patients after the number that the last look was to count."""
    assert report.data is not None
    planned, analysed = report.final.design.looks[-1].n, report.final.result.n
    if analysed <= planned or report.data.stage is not None:
        return ""
    beyond = analysed - planned
    verb = agreeing(beyond, "is", "are")
    return f" {counted(beyond, 'patient')} beyond the {planned} planned {verb} counted with the last look."


def _p(value: float) -> str:
    return "p < .0001" if value < 5e-5 else f"p = {value:.4f}".replace("0.", ".", 1)


def sentence(report: Dossier) -> Passage:
    """The paragraph for the paper: p0, p1, alpha, power and looks, and the adjusted results with their methods."""
    final, asked, result = report.final, report.requirements, report.final.result
    oc = operating_characteristics(final.design, [asked.p0, asked.p1])
    opening = "SYNTHETIC DATA. " if report.is_synthetic else ""
    parts = [
        f"{opening}The trial was planned as {kind(final.design)} ({null(stated(asked.p0))}, p1 = "
        f"{stated(asked.p1)}, one-sided alpha {asked.alpha:g}, power {asked.power:g}; looks "
        f"{looks_text(final.design, ', ')}, that is r/n, with an exact type I error of {percent(float(oc.reject[0]))} "
        f"and a power of {percent(float(oc.reject[1]))}).",
        *_course(final),
    ]
    verb = "was" if result.reject else "was not"
    rate = percent(result.responses / result.n)
    responded = f"Of {counted(result.n, 'patient')} {result.responses} responded ({rate})"
    if final.no_claim:
        parts.append(f"{responded}; the trial makes no claim, and H0 was not rejected.")
    else:
        parts.append(f"{responded}; H0 {verb} rejected ({_p(result.p_value)} one-sided, {p_method(final)}).")
    looked = _looked(final)
    name = "uniformly minimum variance unbiased estimate" if looked else "observed rate"
    what = "adjusted for the interim analysis " if looked else ""
    estimate = result.estimates["umvue"] or 0.0
    parts.append(f"The response rate {what}is {percent(estimate)} ({name}; {_limits(final)}).")
    if final.toxicity is not None:
        parts.append(toxicity_rate_said(final.toxicity))
    return Passage("paper", (" ".join(parts),), quoted=True)


def toxicity(report: Dossier) -> Passage | None:
    """What the boundary for toxicity says; None for a trial without one."""
    if report.rule is None:
        return None
    found = report.final.toxicity
    if found is None:
        unknown = "Whether it was crossed is not known: there are no toxicities of patients (TOXGR, TTOX)."
        return Passage("toxicity_seen", (f"{rule_said(report.rule.boundary)} {unknown}",))
    claim = (stopped_said(found),) if report.final.no_claim else ()
    return Passage("toxicity_seen", (*claim, *toxicity_said(found), toxicity_rate_said(found)))


def _looked(final: Final) -> bool:
    """Whether a look came before the end, or could have been the end."""
    return len(final.design.looks) > 1 and not final.closed


def _course(final: Final) -> list[str]:
    """How it went, where that needs saying: a stop, other sizes, and the bound that they lead to."""
    result, seen, rule = final.result, final.attained, final.rule
    early = result.stage < len(final.design.looks)
    if final.no_claim:
        verb = agreeing(result.n, "was", "were")
        return [f"The trial was stopped for toxicity; {counted(result.n, 'patient')} {verb} analysed for response."]
    stop = (
        f"The trial stopped for {'efficacy' if result.reject else 'futility'} at look {result.stage}." if early else ""
    )
    if seen is None or rule is None:
        return [stop] if stop else []
    if final.closed:
        first = final.design.looks[0].n
        when = "before" if seen.n < first else "at" if seen.n == first else "after"
        return [
            f"Accrual closed after {counted(seen.n, 'patient')}, {when} the first look was due at {first}; at least "
            f"{needed(rule.r)} needed to reject H0, with a type I error of {percent(rule.type_i_error)}."
        ]
    planned = " and ".join(str(look.n) for look in final.design.looks)
    sizes = f"{seen.n1} and {seen.n}" if seen.n1 and not seen.stopped else f"{seen.n}"
    said = [f"{'Looks were' if ' and ' in sizes else 'The look was'} taken at {sizes} patients (planned: {planned})."]
    if early:
        return [*said, stop]
    of_first = f", given {seen.x1} of the first {seen.n1}" if rule.conditional else ""
    return [
        *said,
        f"At least {needed(rule.r)} then needed to reject H0 by {rule.by.phrase}{of_first}; the type I "
        f"error of this rule is {percent(rule.type_i_error)}.",
    ]


def p_method(final: Final) -> str:
    """How the p-value was found."""
    if final.rule is not None and final.rule.conditional:
        error = operating_characteristics(final.design, final.p0).reject
        return f"Koyama and Chen's method, to be compared with the planned type I error {float(error):.4f}"
    return ORDERINGS[final.result.ordering] if _looked(final) else "exact binomial"


def _limits(final: Final) -> str:
    """The exact interval in words; beside it the level that belongs to the test, where the two seem to disagree."""
    result = final.result
    low, high = result.intervals["exact"]
    method = interval_name(final, "exact")
    upper = 1.0 if high is None else high
    said = f"{100 * result.level:g}% confidence interval {percent(low)} to {percent(upper)}, {method}"
    if result.sides == 1:
        said = f"one-sided {100 * result.level:g}% lower confidence limit {percent(low)}, {method}"
    if not result.agrees["exact"] and result.sides == 2:
        more = "larger" if result.reject else "smaller"
        said += f"; the one-sided test has a {more} tail probability than this interval"
    return said


def agreement(final: Final) -> Passage:
    """Which intervals are consistent with the test, and why some are not."""
    result = final.result
    if final.no_claim:
        return Passage(
            "agreement",
            (
                "The trial was stopped for toxicity, so no test of the response decides, and no interval can be held "
                "against it: those of the response rate leave the stop aside.",
            ),
        )
    kinds = {
        what: "; ".join(interval_name(final, name) for name, same in result.agrees.items() if same == kept) or "none"
        for what, kept in (("Consistent here", True), ("Not consistent", False))
    }
    found = " ".join(f"{what}: {names}." for what, names in kinds.items())
    a = (1 - result.level) / result.sides
    rule = final.rule
    alpha = float(operating_characteristics(final.design, final.p0).reject) if rule is None else rule.type_i_error
    said = [
        f"An interval is consistent with the test if p0 = {final.p0:g} lies below it exactly when H0 is rejected. "
        f"{found}",
        f"Each limit has a tail probability of {a:.3g}, the test {alpha:.3g}. Agreement is guaranteed only "
        "for intervals with the test's tail probability and the test's ordering of outcomes. For a one-sided test of "
        "level alpha such an interval has the two-sided level 1 - 2 alpha.",
    ]
    return Passage("agreement", tuple(said))


def monitored(design: Design, found: InterimResult) -> tuple[list[str], bool]:
    """What each look ahead needs, up to one that certainly ends the trial, and whether the trial has ended.

    At a look whose patients have all been seen the decision stands in place of what it needs.
    """
    lines: list[str] = []
    for one in found.needed:
        final = one is found.needed[-1]
        goal = "reject H0" if final else "continue to the next stage"
        many = one.responses
        if not one.remaining:
            line, ends = _decided(design.looks[one.look - 1], found, final=final)
            lines.append(line)
            if ends:
                return lines, True
        elif not many:
            lines.append(f"Look {one.look}: no further response is needed to {goal}.")
        else:
            left = "patient" if one.remaining == 1 else counted(one.remaining, "patient")
            verb = agreeing(many, "is", "are")
            line = f"Look {one.look}: at least {counted(many, 'response')} in the next {left} {verb} needed to {goal}"
            if many > one.remaining:
                return [*lines, f"{line}, which is impossible."], False
            lines.append(f"{line}.")
    return lines, False


def _decided(look: Look, found: InterimResult, *, final: bool) -> tuple[str, bool]:
    """The decision at a look whose patients have all been seen, and whether it ends the trial."""
    here = look.regions(np.array([found.responses]), final=final)
    seen = f"{counted(found.responses, 'response')} in {counted(found.patients, 'patient')}"
    if here.go_on[0]:
        return f"The trial continues to the next stage: {seen}.", False
    if here.reject[0]:
        return f"{'H0 is rejected' if final else 'The trial stops and H0 is rejected'}: {seen}.", True
    return f"{'H0 is not rejected' if final else 'The trial stops for futility'}: {seen}.", True
