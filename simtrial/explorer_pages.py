"""What the explorer shows, as HTML: one function a panel, all text escaped."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

import numpy as np

from simtrial import conduct_tables, conduct_text, controls, figures, params, sketch, tables, text
from simtrial.designs import looks_text
from simtrial.exact import meets, operating_characteristics
from simtrial.terminal import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.designs import Design
    from simtrial.plan import Plan
    from simtrial.requirements import Requirements
    from simtrial.screen import Answer
    from simtrial.sections import Trial
    from simtrial.simulation import Simulation

POINTS = 121
"""True response rates at which a curve is computed."""


def _section(title: str, content: str, button: str = "") -> str:
    return f'<section><div class="head"><h2>{html.escape(title)}</h2>{button}</div>{content}</section>'


def told(message: str, *, wrong: bool = False) -> str:
    """A message instead of an answer; a wrong file is told at once to who listens."""
    role, kind = ("alert", "wrong") if wrong else ("status", "warning")
    return f'<div role="{role}"><p class="{kind}">{html.escape(one_line(message))}</p></div>'


def status(trial: Trial, design: Design, done: Simulation, remark: str) -> str:
    """The answer in one line, the question it answers, what running it does to the errors, and what else is to know."""
    asked, n = trial.requirements, design.looks[-1].n
    oc = operating_characteristics(design, asked.p0)
    patients = f"{n} patients" if len(design.looks) == 1 else f"at most {n} patients, {oc.en:.1f} expected at p0"
    lines = [
        f'<p class="answer"><strong>{html.escape(looks_text(design, ", "))}</strong> {patients}</p>',
        f"<p>H0: p &lt;= {asked.p0:g} against p1 = {asked.p1:g}, alpha {asked.alpha:g} (one-sided), "
        f"power {asked.power:g}</p>",
    ]
    if not meets(design, asked):
        lines.append('<p class="warning">This design does not meet the limits asked for.</p>')
    run = conduct_text.as_run(done, asked)
    if run:
        lines.append(f"<p>{html.escape(run)}</p>")
    if remark:
        lines.append(f"<p>{html.escape(remark)}</p>")
    kept = controls.beyond(trial)
    if kept:
        lines.append(f"<p>In force or kept from the file: {html.escape(', '.join(kept))}.</p>")
    return f'<div role="status">{"".join(lines)}</div>'


def candidates(found: Answer) -> str:
    """The designs that meet the limits; the one taken in bold."""
    table = tables.candidates(found.single, found.two, found.design)
    return _section("Which designs meet the limits?", table.html())


def compared(found: Answer, design: Design) -> list[tuple[str, Design]]:
    """The design taken and those it is held against."""
    others: list[tuple[str, Design]] = []
    if found.two is not None:
        others = [("minimax", found.two.minimax), ("optimal", found.two.optimal)]
    return [("taken", design), *others, ("single stage", found.single.first)]


def curves(designs: Sequence[tuple[str, Design]], requirements: Requirements) -> str:
    """P(reject), PET and EN over the true response rate."""
    p = np.linspace(*figures.rates_shown(requirements), POINTS)
    lines = figures.drawn_apart(designs)
    found = [operating_characteristics(design, p) for _, design, _, _ in lines]
    at = operating_characteristics(designs[0][1], [requirements.p0, requirements.p1])
    most = max(float(oc.n[-1]) for oc in found)
    limits = ((requirements.alpha, "alpha"), (requirements.power, "power"))
    charts = []
    for name, title, top in (("reject", "P(reject H0; p)", 1.0), ("pet", "PET(p)", 1.0), ("en", "EN(p)", most * 1.05)):
        low, high = getattr(at, name)
        chart = sketch.Chart(
            title,
            "True response rate p",
            f"{title} of {looks_text(designs[0][1])}: {low:.4f} at p0 and {high:.4f} at p1.",
            p,
            [
                sketch.Curve(getattr(oc, name), colour, dash)
                for oc, (_, _, colour, dash) in zip(found, lines, strict=True)
            ],
            top,
            ((requirements.p0, "p0"), (requirements.p1, "p1")),
            limits if name == "reject" else (),
            lambda x: f"{100 * x:g}%",
            lambda y: f"{y:g}",
        )
        charts.append(f"<figure>{chart.svg()}</figure>")
    legend = sketch.legend([(label, colour, dash) for label, _, colour, dash in lines])
    return _section("How does it behave?", f'{legend}<div class="curves">{"".join(charts)}</div>')


def decisions(design: Design, plan: Plan) -> str:
    """What follows from each number of responses."""
    note = "<p>These are the planned bounds; they are recut at the number evaluable.</p>" if plan.recut else ""
    return _section("Responses seen: what follows?", tables.decisions(design).html() + note)


def calendar(done: Simulation, trial: Trial) -> str:
    """Errors, patients and months as it is to be run."""
    size = trial.conduct.simulation.trials if trial.conduct else 0
    fewer = ""
    if 0 < done.trials < size:
        fewer = f"<p>Simulated here with {done.trials} of the file's {size} trials; its report takes them all.</p>"
    cost = conduct_text.cost(done, trial.requirements).html()
    return _section("What happens when it is run?", conduct_tables.calendar(done).html() + fewer + cost)


def statement(design: Design, trial: Trial, plan: Plan) -> str:
    """The paragraph for the protocol, with a button that copies it."""
    said = text.statement(design, trial.requirements, plan).html()
    button = '<button type="button" class="copy" data-copy="simtrial-sentence">Copy</button>'
    return _section("What goes into the protocol?", f'<div id="simtrial-sentence">{said}</div>', button)


def download(trial: Trial) -> str:
    """A link to the parameter file that makes a report of just this screen."""
    name = f"{trial.study.id}.yaml"
    remarks = ("Written by simtrial's explorer.", f"A report of it: make report PARAMS=params/{name}")
    data = base64.b64encode(params.written(trial, *remarks).encode()).decode()
    name = html.escape(name)
    return f'<a class="button" download="{name}" href="data:application/yaml;base64,{data}">Download {name}</a>'
