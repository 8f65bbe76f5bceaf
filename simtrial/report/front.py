"""The front page of a report: the answer on one screen, before anything else, and what is left out below."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from simtrial import glossary
from simtrial.phrases import agreeing, counted
from simtrial.search import figures
from simtrial.trial import summary
from simtrial.trial import text as trial_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.report.execution import LeftOut
    from simtrial.trial.case import Case
    from simtrial.trial.summary import Moment, Promise, Summary

NUMBERS = ("no", "one", "two", "three")
"""Of the things to decide."""


def left_out(left: Sequence[LeftOut]) -> str:
    """Say at the top what is left out below, and why."""
    if not left:
        return ""
    items = "".join(f"<li><em>{escape(one.title)}</em>: {escape(one.why)}.</li>" for one in left)
    return f'<div class="warning">Left out of this report, with the reason: <ul>{items}</ul></div>'


def opening(case: Case) -> str:
    """The design, what it promises, how long it takes, what is assumed, what is to be decided, and the sentence."""
    found = summary.of(case)
    picture = figures.flow(case.chosen, case.requirements)
    answers = f"{_part('What it promises', _promises(found))}{_part('How long it takes', _months(found))}"
    open_points = f"{_decisions(found)}{_part('What is assumed and not known', _assumed(found))}"
    parts = [
        _warning(case),
        f"<p>{escape(found.question)}</p>",
        _part("The design", f"<p><strong>{escape(found.design)}</strong></p><figure>{picture.svg()}</figure>"),
        f'<div class="columns">{answers}</div>',
        f'<div class="columns">{open_points}</div>',
        _part("The sentence for the protocol", trial_text.protocol(case).html()),
    ]
    return f'<div class="front">{"".join(parts)}</div>'


def _warning(case: Case) -> str:
    missed = trial_text.misses(case.chosen, case.requirements, case.under)
    if not missed:
        return ""
    return f'<div class="warning">The design <strong>does not meet its limits</strong>: {escape(missed)}.</div>'


def _part(title: str, inner: str) -> str:
    return f'<section class="part"><h2>{escape(title)}</h2>{inner}</section>' if inner else ""


def _named(name: str) -> str:
    """A name, with its line of the glossary where it has one."""
    term = glossary.explained(name)
    if term is None or not term.meaning:
        return escape(name)
    return f'<abbr title="{escape(term.meaning, quote=True)}">{escape(name)}</abbr>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{_named(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{_named(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _promises(found: Summary) -> str:
    as_run = any(one.run for one in found.promises)

    def row(one: Promise) -> tuple[str, ...]:
        return (one.name, one.limit or "–", one.paper, *((one.run or "–",) if as_run else ()))

    run = f"{found.how_run}. EN as run: enrolled patients."
    said = f"<p>{escape(run)}</p>" if as_run else ""
    return _table(("", "Limit", "On paper", *(("As run",) if as_run else ())), list(map(row, found.promises))) + said


def _months(found: Summary) -> str:
    if not found.moments:
        return "<p>The parameter file does not state how the trial is run (section <code>conduct</code>).</p>"

    def row(one: Moment) -> tuple[str, str, str]:
        return one.name, one.at_p0, one.at_p1

    rows = [row(one) for one in (*found.moments, *found.dates)]
    said = (
        f"Median and range of 90% of {counted(found.trials, 'simulated trial')}; months from the first day of accrual. "
        f"Dates: probability, with a Monte Carlo standard error of at most {50 / found.trials**0.5:.1f} percentage "
        "points."
    )
    return f"{_table(('', 'If p = p0', 'If p = p1'), rows)}<p>{said}</p>"


def _assumed(found: Summary) -> str:
    items = "".join(f"<dt>{escape(what)}</dt><dd>{escape(value)}.</dd>" for what, value in found.assumed)
    return f"<dl>{items}</dl>"


def _decisions(found: Summary) -> str:
    number = len(found.decisions)
    title = f"{NUMBERS[number].capitalize()} {agreeing(number, 'thing')} to decide before signing"
    items = "".join(f"<li><strong>{escape(one.title)}.</strong> {escape(one.why)}</li>" for one in found.decisions)
    dearest = "".join(f"<p>{escape(one)}</p>" for one in found.dearest)
    both = [_part(title, f"<ol>{items}</ol>") if number else "", _part("What costs most", dearest)]
    return f"<div>{''.join(both)}</div>"
