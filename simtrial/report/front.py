"""What a report says before anything else: the question, the design, and what is left out below."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from simtrial.conduct import text as conduct_text
from simtrial.design.designs import looks_text
from simtrial.design.exact import meets
from simtrial.search import text
from simtrial.search.wording import question

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    facts = [
        ("Design (r/n)", looks_text(design, ", ")),
        ("Patients, at most", str(design.looks[-1].n)),
        ("Type I error", f"{oc.reject[0]:.4f}"),
        ("Power", f"{oc.reject[1]:.4f}"),
        ("EN(p0)", f"{oc.en[0]:.1f}"),
    ]
    if len(design.looks) > 1:
        facts.append(("PET(p0)", f"{oc.pet[0]:.4f}"))
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    warning = ""
    if not meets(design, asked):
        warning = (
            '<div class="warning">The design given <strong>does not meet the limits</strong>: '
            f"{escape(text.limits_missed(design, asked))}.</div>"
        )
    warning += _as_run(case)
    if case.trial.hypotheses.basis == "assumed":
        warning += (
            '<div class="warning">The hypotheses are <strong>assumed</strong>: they were not taken from a protocol '
            "or registry; every result below depends on them.</div>"
        )
    return f'{warning}<div class="brief"><p>{escape(question(asked))}</p><dl>{cells}</dl></div>'


def _as_run(case: Case) -> str:
    """Say on the front page what losses, and a date that closes accrual, do to the errors on paper."""
    if case.plan is None:
        return ""
    said = conduct_text.as_run(case.expected(("reject",)), case.requirements)
    return f'<div class="warning">{escape(said)}</div>' if said else ""
