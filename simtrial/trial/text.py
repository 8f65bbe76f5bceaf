"""Sentences on a trial: the protocol paragraph, the choice of its design, the basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct.text import HANDLINGS, by_toxicity, lost_of
from simtrial.design.designs import looks_short, looks_text
from simtrial.design.exact import CLOSE, meets, operating_characteristics
from simtrial.design.second_stages import analyses
from simtrial.laws import decision
from simtrial.phrases import attained, counted, percent, stated
from simtrial.search import CalendarCriterion, candidate, simon
from simtrial.search.single import FIRST
from simtrial.search.text import (
    difference,
    exactly,
    kind,
    limits_missed,
    limits_missed_by,
    next_to,
    reason,
    references,
)
from simtrial.search.wording import null
from simtrial.show.passage import Passage
from simtrial.toxicity import text as toxicity_text
from simtrial.trial import bayesian, calendar, differing, dropout, estimand_words, rules, safety, template, words
from simtrial.trial import estimand as trial_estimand
from simtrial.trial.protocol import protocol_sentences

if TYPE_CHECKING:
    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import AsRun, RunFigures
    from simtrial.plan.plan import Plan
    from simtrial.search import Candidate, SingleStageSearch, TwoStageSearch
    from simtrial.search.record import Preference
    from simtrial.toxicity.rule import ToxicityRule
    from simtrial.trial.case import Case
    from simtrial.trial.differing import Differing
    from simtrial.trial.estimand import Estimand
    from simtrial.trial.trial import Trial


ASIDE = ", the rule for toxicity left aside"
"""After what holds without the rule, in a trial that has one."""


def statement(
    design: Design,
    requirements: Requirements,
    plan: Plan | None = None,
    criterion: Preference | None = None,
    *,
    under: AsRun | None = None,
) -> Passage:
    """The sample-size paragraph for the protocol and its references; see `_sentences`."""
    said = _sentences(design, requirements, plan, criterion, under=under)
    return Passage("statement", (" ".join(said), _cited(design, criterion)), quoted=True)


def protocol(case: Case, done: Simulation | None = None, *, brief: bool = False) -> Passage:
    """The same paragraph, one on how the trial is run and one on toxicity where the file says so, and the references.

    The outcomes of the trial at p0 and p1 may be handed over where they are `done` already. In `brief`, that on
    toxicity says what stops the trial and what this costs, and not where the numbers come from.
    """
    said, cited = sample_size(case).paragraphs
    both = safety.of(case) if brief else None
    toxicity = safety.paragraph(case) if both is None else rules.stopping(both)
    more = filter(None, (" ".join(protocol_sentences(case, done)), toxicity))
    return Passage("statement", (said, *more, cited), quoted=True)


def sample_size(case: Case) -> Passage:
    """The paragraph on the sample size alone, and its references."""
    said = _sentences(
        case.chosen, case.requirements, case.plan, case.criterion,
        under=case.under, truths=case.trial.truths, mixed=differing.of(case),
    ) + bayesian.sentences(case)  # fmt: skip
    cited = _cited(case.chosen, case.criterion, case.toxicity_rule)
    return Passage("sample_size", (" ".join(said), cited), quoted=True)


def not_ready(case: Case) -> str:
    """That the design misses a limit, as the first sentence of what is handed in; empty where it keeps both."""
    missed = misses(case.chosen, case.requirements, case.under)
    missed = missed or _pending_breaks(case.plan, case.requirements, case.trial.truths)
    return _not_ready(missed) if missed else ""


def _not_ready(missed: str) -> str:
    return f"NOT READY FOR A PROTOCOL: this design does not meet its limits: {missed}."


def _cited(design: Design, criterion: Preference | None, rule: ToxicityRule | None = None) -> str:
    more = () if rule is None else toxicity_text.references(rule)
    return f"References: {' '.join((*references(design, criterion), *more))}"


def _sentences(
    design: Design,
    requirements: Requirements,
    plan: Plan | None,
    criterion: Preference | None,
    *,
    under: AsRun | None,
    truths: Requirements | None = None,
    mixed: Differing | None = None,
) -> list[str]:
    """The sample-size paragraph for the protocol, with every number computed from the design.

    It states both hypotheses, alpha and power asked and attained, the design, its decision rules, EN and PET at p0, and
    the references: the components a reviewer needs to reproduce it. A plan of the conduct adds who is analysed, and
    the errors with the losses that it expects. The criterion by which the design was taken names it and its literature;
    without one, the kinds that a search gave it do, or its number of looks. Where the limits are to hold `under` a
    dropout, it says so, and for which response rates the design was found. Where intercurrent events have strategies
    that are `mixed`, it states these with the errors under them.
    """
    asked, limits = requirements, requirements if under is None else under.asked(requirements)
    figures, looks = _attained(design, asked, under), len(analyses(design.looks))
    truths = truths or (asked if under is None else under.truths(asked))
    missed = misses(design, asked, under) or _pending_breaks(plan, asked, truths)
    evaluable = under is None and plan is not None and plan.handling != "replace" and plan.dropout.lost(asked.p1) > 0
    included = "" if under is None else ", dropout included"
    if under is not None and mixed is not None:
        included = f", with all dropout {HANDLINGS[under.handling]}"
    aside = ASIDE if plan is not None and plan.toxicity_rule is not None else ""
    sentences = [
        "The primary endpoint is the objective response rate (ORR).",
        f"The null hypothesis that the true ORR is at most {stated(asked.p0)} ({null(f'{asked.p0:g}')}) is tested "
        f"against the alternative that it is larger; the design alternative is p1 = {stated(asked.p1)}.",
        f"The one-sided type I error is at most {stated(asked.alpha)} and the power at p1 is at least "
        f"{stated(asked.power)}{', both with every patient evaluable' if evaluable else ''}.",
        *(() if under is None else (words.allowed_for(under, asked),)),
        *(("The search handles all dropout in this way, whichever event is its cause.",) if under and mixed else ()),
        f"The sample size is that of {kind(design, criterion)} ({looks_text(design, ', ')})"
        f"{'' if limits == asked else words.searched_at(limits, asked)}{aside * _by_calendar(criterion)}.",
        *rules.sentences(design, plan.handling if plan else None, mixed.counted if mixed else None),
        *((rules.RECUT,) if plan and plan.recut else ()),
        *rules.early(plan),
        f"The exact type I error is {attained(figures.type_i_error, asked.alpha, least=False)} at p = {asked.p0:g} and "
        f"the exact power is {attained(figures.power, asked.power, least=True)} at p = {asked.p1:g}"
        f"{included}{aside}.",
    ]
    if (under is None or not under.recut) and (at := exactly(design, limits)):
        sentences.append(f"In exact fractions {at}; a limit that is attained exactly is kept.")
    if looks > 1 and (plan is None or plan.conditional is None):
        expected = "sample size" if under is None else "number of enrolled patients"
        held = under is None or plan is None or plan.interim.hold
        meanwhile = "" if held else ", without the patients enrolled while an analysis is pending"
        sentences.append(
            f"If the true ORR is {stated(asked.p0)}, the probability of early termination"
            f"{' (for either reason)' if any(look.e is not None for look in design.looks) else ''} is "
            f"{percent(figures.pet_p0)} and the expected {expected} EN(p0) is {figures.en_p0:.1f}{meanwhile}{aside}."
        )
    sentences += _beside(design, asked, plan, under, truths, mixed)
    if missed:
        sentences.insert(0, _not_ready(missed))
    return sentences


def _by_calendar(criterion: Preference | None) -> bool:
    return isinstance(criterion, CalendarCriterion)


def _beside(
    design: Design,
    asked: Requirements,
    plan: Plan | None,
    under: AsRun | None,
    truths: Requirements,
    mixed: Differing | None,
) -> list[str]:
    """The errors on paper where those stated include dropout, else those as the trial is run."""
    sentences = []
    included = under is not None and under.loss.lost(asked.p1) > 0
    if included and under is not None and under.handling != "replace":
        planned = " with the planned bounds" if under.recut else ""
        paper = operating_characteristics(design, [asked.p0, asked.p1]).reject.tolist()
        sentences.append(
            f"If every patient were evaluable, the type I error{planned} would be {percent(paper[0])} and the power "
            f"{percent(paper[1])}."
        )
    if plan is not None and plan.close_month is not None:
        sentences.append(
            f"Accrual closes in month {plan.close_month:g}, which changes these probabilities; those of the trial as "
            "it is run are simulated."
        )
    if mixed is not None and included:
        sentences += [differing.events(mixed.case), *mixed.errors()]
    toxic = "" if plan is None else by_toxicity(plan)
    if plan is None or not (plan.conditional or toxic or (plan.dropout.probability and not included)):
        return sentences
    if plan.dropout.probability and not included and (mixed is not None or plan.handling != "replace"):
        sentences.append(
            "These probabilities are those with every patient evaluable: the sample size does not allow for dropout."
        )
    with_ = "With"
    if mixed is not None and not included:
        sentences += [differing.events(mixed.case), *mixed.errors()]
        with_ = "The simulation handles all dropout alike: with"
    if decision.has_law(plan):
        run = decision.decision(plan, np.array([truths.p0, truths.p1])).reject.tolist()
        sentences.append(rules.as_run(plan, asked, run, with_=with_, enrolled=truths != asked))
    elif (plan.conditional or toxic) and plan.close_month is None:
        what = "The rule for toxicity" if toxic else "The interim analysis taken with patients pending"
        sentences.append(f"{what} changes these probabilities; those of the trial as it is run are simulated.")
    return sentences


def _pending_breaks(plan: Plan | None, asked: Requirements, truths: Requirements) -> str:
    """Which limit is missed with patients pending at the interim analysis; empty where none is, or no law tells."""
    plan = None if plan is None else plan.by_responses  # that the rule for toxicity costs power breaks no limit
    if plan is None or plan.conditional is None or not decision.has_law(plan):
        return ""
    type_i_error, power = decision.decision(plan, np.array([truths.p0, truths.p1])).reject.tolist()
    over, short = type_i_error > asked.alpha * (1 + CLOSE), power < asked.power * (1 - CLOSE)
    if not (over or short):
        return ""
    missed = limits_missed_by((type_i_error, power), asked, over=over, short=short)
    return f"with patients pending at the interim analysis, {missed}"


def _attained(design: Design, asked: Requirements, under: AsRun | None) -> RunFigures | Candidate:
    """Exact figures of a design as the trial is run, or on paper."""
    return candidate.attained(design, asked) if under is None else under.figures(design, asked)


def misses(design: Design, asked: Requirements, under: AsRun | None) -> str:
    """Which limit a design misses, on paper or as the trial is run; empty if it keeps both."""
    if under is None or not under.recut:
        limits = asked if under is None else under.asked(asked)
        return "" if meets(design, limits) else limits_missed(design, limits)
    alpha, power = under.evaluable(asked).sides(design)
    if alpha <= 0 <= power:
        return ""
    found = under.figures(design, asked)
    return limits_missed_by((found.type_i_error, found.power), asked, over=alpha > 0, short=power < 0)


def basis(trial: Trial) -> Passage:
    """Whether the hypotheses are known or assumed, and the reasons given."""
    asked = trial.hypotheses
    rates = f"p0 = {asked.p0:g}, p1 = {asked.p1:g}, alpha = {asked.alpha:g} (one-sided), power = {asked.power:g}"
    if asked.basis == "assumed":
        opening = (
            f"The hypotheses are an assumption: {rates}. They were not taken from a protocol or registry; every "
            "result below depends on them."
        )
    else:
        opening = f"The hypotheses are those of the protocol: {rates}."
    given = template.reasons(asked.rationale)
    return Passage("basis", (opening, *(given or ["The parameter file states no reason for these rates (rationale)."])))


def limits_hold(case: Case, *, beside: bool = True) -> Passage:
    """Whether alpha and power are required on paper or as the trial is run, and (`beside`) what the other answer is."""
    how, asked = case.trial.how, case.requirements
    if how is None:
        said = "The limits are to hold with every patient evaluable; the parameter file does not state a dropout."
        return Passage("limits_hold", (said,))
    if not how.loss.lost(asked.p1):
        said = "No dropout is assumed, so the type I error and the power on paper are those of the trial as it is run."
        return Passage("limits_hold", (f"{said}{words.unless(case)}",))
    how_lost = f"{lost_of(how.loss, asked)} and {HANDLINGS[how.handling]}{', bounds recalculated' if how.recut else ''}"
    its = f"{looks_short(case.chosen)} has {words.errors_as_run(how, case.chosen, asked)}"
    missed = "" if how.keeps(case.chosen, asked) else " It does not keep both limits as the trial is run."
    if case.under is None:
        said = (
            f"The limits are to hold on paper, with every patient evaluable. As the trial is run, with {how_lost}, "
            f"{its}.{missed}"
        )
        found = dropout.searched(case, "run") if beside else None
        if found is not None and found.looks != case.chosen.looks:
            said += (
                f" The design that keeps both limits under this dropout is {looks_text(found, ', ')}, with "
                f"{words.errors_as_run(how, found, asked)}."
            )
        return Passage("limits_hold", (f"{said}{words.unless(case)}",))
    said = f"The limits are to hold as the trial is run, with {how_lost}. {words.rates_of(case, how)}{its}.{missed}"
    found = dropout.searched(case, "paper") if beside else None
    if found is not None and found.looks != case.chosen.looks:
        said += (
            f" With every patient evaluable the design would be {looks_text(found, ', ')}; as the trial is run it has "
        )
        said += f"{words.errors_as_run(how, found, asked)}."
    return Passage("limits_hold", (f"{said}{words.unless(case)}",))


def choice(trial: Trial, single: SingleStageSearch, two: TwoStageSearch, chosen: Design) -> Passage:
    """Which design is taken, what the alternatives would cost, and how it sits with the registered enrollment."""
    asked, under = trial.requirements, trial.how if trial.losses == "run" else None
    n, en = chosen.looks[-1].n, _attained(chosen, asked, under).en_p0
    wish = trial.criterion
    why = "which is given in the parameter file."
    if wish is not None:
        by_calendar = isinstance(wish, CalendarCriterion) and trial.design.toxicity is not None
        why = f"{wish.name}{ASIDE if by_calendar else ''}, as the parameter file asks. {reason(wish, chosen)}"
    needs = f"It needs {counted(n, 'patient')}."
    if len(chosen.looks) > 1:
        needs = f"It needs at most {counted(n, 'patient')}; the expected sample size EN(p0) is {en:.1f}."
    paragraphs = [f"The design is {looks_text(chosen, ', ')}, {why} {needs}"]
    if short := misses(chosen, asked, under):
        paragraphs.append(f"It does not meet the limits: {short}.")
    rivals: dict[str, tuple[str, Design]] = {
        looks_text(other): (label, other)
        for label, other in (
            *((simon.ADMISSIBLE, other) for other in next_to(two, chosen)),
            *((criterion.name, criterion.pick(two)) for criterion in simon.FAMILY.criteria),
            (FIRST.name, single.first),
        )
        if other.looks != chosen.looks
    }
    others = []
    for label, other in rivals.values():
        other_en = _attained(other, asked, under).en_p0
        others.append(
            f"{label} {looks_text(other, ', ')}: {difference('n', other.looks[-1].n - n)} and "
            f"{difference('EN(p0)', other_en - en, '.1f')}"
        )
    if others:
        paragraphs.append("Compared with it, in patients: " + "; ".join(others) + ".")
    if trial.study.registered_enrollment is not None:
        registered = trial.study.registered_enrollment
        by = f" by {abs(n - registered)}" if n != registered else ""
        same = "equals" if n == registered else "exceeds" if n > registered else "falls short of"
        paragraphs.append(
            f"Its maximum of {counted(n, 'patient')} {same} the registered enrollment of {registered}{by}."
            + (" This agreement does not prove that the number was calculated in this way." if n == registered else "")
        )
    return Passage("choice", tuple(paragraphs))


def by_calendar(case: Case, *, whole: bool = False) -> Passage:
    """Which designs the calendar takes, and how it is known that no other is better.

    Left out for a large trial that does not ask for it, unless it is wanted `whole`.
    """
    return Passage("by_calendar", calendar.sentences(case, whole=whole))


def estimand(case: Case, found: Estimand | None = None) -> Passage:
    """What the strategies for the intercurrent events attain, and what others would change."""
    found = trial_estimand.of(case) if found is None else found
    return Passage("estimand", estimand_words.price(case, found))
