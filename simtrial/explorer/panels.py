"""What the explorer shows, as HTML: one function per panel, all text escaped."""

from __future__ import annotations

import base64
import html
import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import tables as conduct_tables
from simtrial.conduct import text as conduct_text
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import branched
from simtrial.explorer import charts, controls, screen
from simtrial.phrases import counted, rate, stated
from simtrial.search import CalendarCriterion, figures, tables
from simtrial.search.adaptive.figures import second_stage
from simtrial.search.wording import question
from simtrial.show import inks
from simtrial.show.terminal import one_line
from simtrial.toxicity import tables as toxicity_tables
from simtrial.toxicity import text as toxicity_text
from simtrial.toxicity.boundary import crossing
from simtrial.trial import params, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.explorer.screen import Known
    from simtrial.plan.plan import Plan
    from simtrial.search.bayesian.posterior import BetaPrior
    from simtrial.trial.case import Case
    from simtrial.trial.trial import Trial

POINTS = 121
"""True response rates at which a curve is computed."""


AS_RUN = "What happens when the trial is run?"
"""The heading of the panel that holds the figures of the trial with all its rules."""


def _section(title: str, content: str, button: str = "") -> str:
    return f'<section><div class="head"><h2>{html.escape(title)}</h2>{button}</div>{content}</section>'


def told(message: str, *, wrong: bool = False) -> str:
    """A message instead of an answer; a wrong file is announced at once to a screen reader."""
    role, kind = ("alert", "wrong") if wrong else ("status", "warning")
    return f'<div role="{role}"><p class="{kind}">{html.escape(one_line(message))}</p></div>'


def refused(lines: Sequence[str], shown: str, answer: str) -> str:
    """The mistakes of a file that was refused, one line each, above what the page still shows.

    Parameters
    ----------
    lines : sequence of str
        One per mistake.
    shown : str
        Identifier of the trial that the page shows.
    answer : str
        The status panel of that trial, as HTML; empty if there is none.
    """
    said = "".join(f'<p class="wrong">{html.escape(one_line(line))}</p>' for line in lines)
    if answer:
        still = f"The file is not opened; the page still shows {shown}."
        said += f'<p class="warning">{html.escape(one_line(still))}</p>'
    return f'<div role="alert" class="refused">{said}</div>{answer}'


def note(name: str, message: str, *, wrong: bool) -> str:
    """The note beside a number; `explorer.js` ties it to the box of that name."""
    said = f"{message[:1].upper()}{message[1:]}"
    kind = "wrong" if wrong else "remark"
    return f'<span id="note-{name}" class="{kind}">{html.escape(one_line(said))}</span>' if message else ""


def held(faults: Sequence[str], values: Mapping[str, str], answer: str) -> str:
    """What was refused, above the answer to the last valid input.

    Parameters
    ----------
    faults : sequence of str
        What was refused, and why.
    values : mapping of str to str
        Numbers of the last valid input that are not those of the controls.
    answer : str
        The status panel of the last valid input, as HTML; empty if there is none.
    """
    lines = [f'<p class="wrong">{html.escape(one_line(fault))}</p>' for fault in faults]
    if answer:
        those = ", ".join(f"{name} = {value}" for name, value in values.items())
        said = f"The results below are those of the last valid input{f' ({those})' if those else ''}."
        lines.append(f'<p class="warning">{html.escape(said)}</p>')
    return f'<div role="alert" class="refused">{"".join(lines)}</div>{answer}'


def status(case: Case, design: Design, done: Simulation, remark: str) -> str:
    """The answer in one line, the question, where its limits hold, and what else is to be known."""
    trial, asked, n = case.trial, case.requirements, design.looks[-1].n
    most = counted(n, "patient")
    patients = most if len(design.looks) == 1 else f"at most {most}, EN(p0) = {case.taken.en_p0:.1f}"
    lines = [
        f'<p class="answer"><strong>{html.escape(looks_text(design, ", "))}</strong> {patients}</p>',
        f"<p>{html.escape(question(asked))}</p>",
    ]
    if not case.keeps:
        lines.append('<p class="warning">This design does not meet the required limits.</p>')
    quick = case.single.first.n <= screen.LIVE_N
    lines.append(f"<p>{html.escape(str(text.limits_hold(case, beside=quick)))}</p>")
    if trial.design.toxicity is not None:
        by_calendar = isinstance(case.criterion, CalendarCriterion)
        chosen = " The criterion of the calendar leaves the rule aside as well." if by_calendar else ""
        said = f"The figures with the rule for toxicity are below, under “{AS_RUN}”.{chosen}"
        lines.append(f"<p>{html.escape(said)}</p>")
    if trial.conduct is not None and trial.conduct.enrollment.close_month is not None:
        lines.append(f"<p>{html.escape(conduct_text.as_run(done, asked))}</p>")
    if remark:
        lines.append(f"<p>{html.escape(remark)}</p>")
    kept = controls.beyond(trial)
    if kept:
        lines.append(f"<p>Also assumed, or kept from the file: {html.escape(', '.join(kept))}.</p>")
    return f'<div role="status">{"".join(lines)}</div>'


def candidates(found: Known) -> str:
    """The designs that meet the limits; the chosen one in bold."""
    taken = None if found.design is None else found.case.taken
    table = tables.candidates(found.single, found.two, taken, found.case.criterion)
    aside = _aside(
        found.case.trial,
        "The rule for toxicity is left aside here: errors and patients are those of the response design alone.",
    )
    return _section("Which designs meet the limits?", table.html() + aside)


def compared(found: Known, design: Design) -> list[tuple[str, Design]]:
    """The chosen design and those it is compared with."""
    return figures.compared(design, found.two, found.single)


def curves(designs: Sequence[tuple[str, Design]], requirements: Requirements, trial: Trial) -> str:
    """P(reject), PET and EN over the true response rate."""
    p = np.linspace(*figures.rates_shown(requirements), POINTS)
    lines = figures.drawn_apart(designs)
    found = [operating_characteristics(design, p) for _, design, _, _ in lines]
    at = operating_characteristics(designs[0][1], [requirements.p0, requirements.p1])
    most = max(float(oc.n[-1]) for oc in found)
    limits = ((requirements.alpha, "alpha"), (requirements.power, "power"))
    drawn = []
    for name, title, top in (("reject", "P(reject H0; p)", 1.0), ("pet", "PET(p)", 1.0), ("en", "EN(p)", most * 1.05)):
        low, high = getattr(at, name)
        written = "{:.1f}".format if name == "en" else rate
        chart = charts.Chart(
            title=title,
            x_label="True response rate p",
            alt=f"{title} of {looks_text(designs[0][1], ', ')}: {written(low)} at p0 and {written(high)} at p1.",
            x=p,
            curves=[
                charts.Stroke(getattr(oc, name), colour, dash)
                for oc, (_, _, colour, dash) in zip(found, lines, strict=True)
            ],
            top=top,
            x_marks=((requirements.p0, "p0"), (requirements.p1, "p1")),
            y_marks=limits if name == "reject" else (),
            x_form=lambda x: f"{100 * x:g}%",
            y_form=lambda y: f"{y:g}",
        )
        drawn.append(f"<figure>{chart.svg()}</figure>")
    caption = (
        "<p><strong>Exact operating characteristics over the true response rate p: the probability of rejecting H0, "
        "the probability of early termination, and the expected sample size.</strong></p>"
    )
    caption += _aside(trial, "The rule for toxicity is left aside in these curves.")
    legend = charts.legend([(label, colour, dash) for label, _, colour, dash in lines])
    return _section("How does the design behave?", f'{caption}{legend}<div class="curves">{"".join(drawn)}</div>')


def decisions(design: Design, plan: Plan, trial: Trial, prior: BetaPrior | None = None) -> str:
    """The decision for each number of responses; with the lines of the posterior where the design has a prior."""
    note = (
        "<p>These are the planned bounds; they are recalculated for the attained number of evaluable patients.</p>"
        if plan.recut
        else ""
    )
    note += _aside(
        trial,
        "These are the decisions on the responses alone: with the rule for toxicity H0 is rejected only if the "
        "boundary for toxicity has not been crossed.",
    )
    if branched(design.looks) is None:
        drawn = charts.boundary(design, prior, trial.limits.p0)
    else:
        drawn = f'<figure class="drawn">{second_stage(design, trial.requirements).svg()}</figure>'
    shown = drawn + tables.decisions(design).html() + note
    return _section("What is decided at each number of responses?", shown)


def toxicity(design: Design, plan: Plan, trial: Trial) -> str:
    """The boundary for toxicity, and how the trial ends with it and without it."""
    rule, asked = plan.toxicity_rule, trial.requirements
    assert rule is not None  # the panel is for a trial that has one
    assert plan.toxicity is not None  # which `Plan` holds
    ratio = plan.toxicity.odds_ratio
    said = [toxicity_text.stops(rule.boundary), toxicity_text.convention(rule.boundary), *toxicity_text.origin(rule)]
    words = "".join(f"<p>{html.escape(one)}</p>" for one in (said[0], " ".join(said[1:])))
    theta = np.linspace(0.0, min(1.0, 1.5 * rule.unacceptable), POINTS)
    ever = crossing(rule.boundary, theta.tolist()).ever
    low, high = crossing(rule.boundary, [rule.acceptable, rule.unacceptable]).ever.tolist()
    chart = charts.Chart(
        title="P(boundary crossed)",
        x_label="True rate of toxicity",
        alt=f"P(boundary crossed): {rate(low)} at the acceptable and {rate(high)} at the unacceptable rate.",
        x=theta,
        curves=[charts.Stroke(ever, inks.TOXICITY, "-")],
        top=1.0,
        x_marks=((rule.acceptable, "acceptable"), (rule.unacceptable, "unacceptable")),
        y_marks=() if rule.limit is None else ((rule.limit, "limit"),),
        x_form=lambda x: f"{100 * x:g}%",
        y_form=lambda y: f"{y:g}",
    )
    drawn = f"<figure>{charts.counts(rule.boundary)}</figure><figure>{chart.svg()}</figure>"
    ends = toxicity_tables.endings(design, rule, (asked.p0, asked.p1), (ratio,)).html()
    price = toxicity_tables.price(design, rule, asked.p0, asked.p1, (0.0, ratio, math.inf)).html()
    shown = f'{words}<div class="curves">{drawn}</div>{ends}{price}'
    return _section("When does the trial stop for toxicity, and what does that take?", shown)


def calendar(done: Simulation, trial: Trial) -> str:
    """Errors, patients and months as the trial is to be run."""
    size = trial.conduct.simulation.trials if trial.conduct else 0
    fewer = ""
    if 0 < done.trials < size:
        fewer = (
            f"<p>Simulated with {done.trials:,} of the {counted(size, 'trial')} that the file states; the report uses "
            "all of them.</p>"
        )
    cost = conduct_text.cost(done, trial.requirements).html()
    table = conduct_tables.calendar(done).html()
    return _section(AS_RUN, table + _true_toxicity(trial) + fewer + cost)


def _true_toxicity(trial: Trial) -> str:
    """At which rate of toxicity the trial is run, and where that comes from; nothing without a rule."""
    rule, assumed = trial.design.toxicity, trial.conduct.patients.toxicity if trial.conduct else None
    if rule is None:
        return ""
    at = rule.acceptable_rate if assumed is None else assumed.rate
    why = (
        "the acceptable rate; a parameter file may state another one, and an association, under "
        "conduct.patients.toxicity"
        if assumed is None
        else "as the file states"
    )
    related = toxicity_text.odds(1.0 if assumed is None else assumed.odds_ratio)
    said = f"The trial is run at a true rate of toxicity of {stated(at)} ({why}); response and toxicity: {related}."
    return f"<p>{html.escape(said)}</p>"


def _aside(trial: Trial, said: str) -> str:
    """A sentence on what is shown without the rule for toxicity; nothing where there is none."""
    return "" if trial.design.toxicity is None else f"<p>{html.escape(said)}</p>"


def statement(found: Known, done: Simulation) -> str:
    """The paragraph for the protocol, with a button that copies it."""
    said = text.protocol(found.case, done).html()
    button = '<button type="button" class="copy" data-copy="simtrial-sentence">Copy</button>'
    return _section("What does the protocol state?", f'<div id="simtrial-sentence">{said}</div>', button)


def download(trial: Trial, *, held: bool = False) -> str:
    """A link to the parameter file that makes a report of this page; `held` if it is that of the last valid input."""
    name = f"{trial.study.id}.yaml"
    remarks = ("Written by simtrial's explorer.", f"A report of it: simtrial report {name}")
    data = base64.b64encode(params.written(trial, *remarks).encode()).decode()
    name = html.escape(name)
    link = f'<a class="button" download="{name}" href="data:application/yaml;base64,{data}">Download {name}</a>'
    return f'{link}<span class="remark">This file holds the last valid input.</span>' if held else link
