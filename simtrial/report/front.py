"""What a report says before anything else: the question, the design, and what is left out below."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from simtrial.conduct import text as conduct_text
from simtrial.design.designs import looks_text
from simtrial.search.wording import question
from simtrial.trial import text as trial_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.laws.losses import AsRun
    from simtrial.report.execution import LeftOut
    from simtrial.trial.case import Case


def left_out(left: Sequence[LeftOut]) -> str:
    """Say at the top what is left out below, and why."""
    if not left:
        return ""
    items = "".join(f"<li><em>{escape(one.title)}</em>: {escape(one.why)}.</li>" for one in left)
    return f'<div class="warning">Left out below, and only there: <ul>{items}</ul></div>'


def opening(case: Case) -> str:
    """The assumption and the answer, before anything else."""
    asked, design, oc = case.requirements, case.chosen, case.at_limits
    how = case.trial.how
    lost = how is not None and how.loss.lost(asked.p1) > 0
    paper = ", on paper" if lost else ""
    facts = [
        ("Design (r/n)", looks_text(design, ", ")),
        ("Patients, at most", str(design.looks[-1].n)),
        (f"Type I error{paper}", f"{oc.reject[0]:.4f}"),
        (f"Power{paper}", f"{oc.reject[1]:.4f}"),
    ]
    if how is not None and lost:
        facts += [
            (name, f"{value:.4f}")
            for name, value in zip(("Type I error, as run", "Power, as run"), _errors_as_run(case, how), strict=True)
        ]
    facts.append((f"EN(p0){paper}", f"{oc.en[0]:.1f}"))
    if len(design.looks) > 1:
        facts.append((f"PET(p0){paper}", f"{oc.pet[0]:.4f}"))
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    warning = ""
    if missed := trial_text.misses(design, asked, case.under):
        warning = (
            f'<div class="warning">The design given <strong>does not meet the limits</strong>: {escape(missed)}.</div>'
        )
    if case.trial.hypotheses.basis == "assumed":
        warning += (
            '<div class="warning">The hypotheses are <strong>assumed</strong>: they were not taken from a protocol '
            "or registry; every result below depends on them.</div>"
        )
    return f'{warning}<div class="brief"><p>{escape(question(asked))}</p><dl>{cells}</dl></div>{_as_run(case)}'


def _errors_as_run(case: Case, how: AsRun) -> tuple[float, float]:
    """Type I error and power as the trial is run: of the search, unless a look or a date does something else."""
    plan = case.plan
    if plan is not None and (plan.close_month is not None or plan.conditional is not None):
        done = case.expected(("reject",))
        return done["p0"]["reject"].best, done["p1"]["reject"].best
    run = how.figures(case.chosen, case.requirements)
    return run.type_i_error, run.power


def _as_run(case: Case) -> str:
    """Say where the limits hold, what the other answer would be, and what else changes the errors of both."""
    plan, how = case.plan, case.trial.how
    if plan is None or how is None:
        return ""
    said = ""
    if how.loss.lost(case.requirements.p1):
        style = "brief" if how.keeps(case.chosen, case.requirements) else "warning"
        said = f'<div class="{style}">{escape(str(trial_text.limits_hold(case)))}</div>'
    if plan.close_month is not None or plan.conditional is not None:
        otherwise = conduct_text.as_run(case.expected(("reject",)), case.requirements)
        said += f'<div class="warning">{escape(otherwise)}</div>' if otherwise else ""
    return said
