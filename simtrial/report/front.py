"""The front page of a report: the answer on one screen, before anything else, and what is left out below."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.design.branching import as_table
from simtrial.design.designs import looks_short
from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted, stated
from simtrial.show.table import WORDS, Shown, Table, column
from simtrial.trial import figures, safety, summary
from simtrial.trial import text as trial_text
from simtrial.trial.protocol import timed
from simtrial.trial.quantities import RATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.report.execution import LeftOut
    from simtrial.trial.case import Case
    from simtrial.trial.summary import Summary

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
    pictures = "".join(f"<figure>{one.svg()}</figure>" for one in figures.rules(case))
    answers = f"{_part('What it promises', _shown(promises(case)))}{_part('How long it takes', _shown(months(case)))}"
    with_rule = "" if case.toxicity_rule is None else _shown(with_toxicity(case))
    done = case.trial.analysis is not None  # then nothing is left to decide before signing
    dearest = "".join(f"<p>{escape(one)}</p>" for one in found.dearest)
    beside = f"{_part('What is assumed and not known', _assumed(found))}{_part('What costs most', dearest)}"
    open_points = f"{'' if done else _decisions(found)}<div>{beside}</div>"
    parts = [
        _warning(case),
        f"<p>{escape(found.question)}</p>",
        _part("The result", _result(case)),
        _part("The design", f"<p><strong>{escape(found.design)}</strong></p>{pictures}"),
        f'<div class="columns">{answers}</div>',
        _part("What the rule for toxicity does", with_rule),
        f'<div class="columns">{open_points}</div>',
        _part("The sentence for the protocol", trial_text.protocol(case, brief=True).html()),
    ]
    return f'<div class="front">{"".join(parts)}</div>'


def _warning(case: Case) -> str:
    missed = trial_text.misses(case.chosen, case.requirements, case.under)
    if not missed:
        return ""
    return f'<div class="warning">The design <strong>does not meet its limits</strong>: {escape(missed)}.</div>'


def _result(case: Case) -> str:
    """The results in a paragraph where the file has them, or why they cannot be analysed."""
    if case.trial.analysis is None:
        return ""
    from simtrial.analysis import branching_text, dossier
    from simtrial.analysis import text as analysis_text

    table = as_table(case.chosen)
    try:
        if table is not None:
            said = branching_text.brief(dossier.adaptive(case.trial, table))
            return "".join(f"<p>{escape(one)}</p>" for one in said)
        return analysis_text.sentence(dossier.of_trial(case.trial, case.chosen)).html()
    except InputError as error:
        return f'<div class="warning">{escape(str(error))}.</div>'


def _part(title: str, inner: str) -> str:
    return f'<section class="part"><h2>{escape(title)}</h2>{inner}</section>' if inner else ""


def promises(case: Case) -> Table:
    """What the design promises, on paper and as the trial is run."""
    found = tuple(summary.promises(case))
    names = ("limit", "paper", "run")
    rows = [{"what": one.name} | dict(zip(names, one.written, strict=True)) for one in found]
    as_run = any(row["run"] for row in rows)
    shown: dict[str, Shown] = {
        "what": column("quantity", WORDS),
        "limit": column("limit", _or_dash),
        "paper": column("on_paper", WORDS),
    } | ({"run": column("as_run", _or_dash)} if as_run else {})
    tidy = pd.DataFrame([{"what": one.name} | dict(zip(names, one.numbers, strict=True)) for one in found])
    caption = f"What {looks_short(case.chosen)} promises. Exact values on paper"
    how = summary.how_run(case)
    caption += f"; as run: {how[0].lower()}{how[1:]}. EN as run counts enrolled patients" if as_run else ""
    with_rule = safety.of(case)
    if as_run and with_rule is not None:
        caption += (
            f". As run includes the rule for toxicity, at a rate of toxicity of {stated(with_rule.rate)}; on paper it "
            "is left aside"
        )
        if any("±" in row["run"] for row in rows):
            caption += f". Simulated values ± MCSE ({counted(timed(case).trials, 'trial')}); all others are exact"
    return Table("promises", caption, pd.DataFrame(rows), shown, tidy=tidy)


def with_toxicity(case: Case) -> Table:
    """What the trial promises with its rule for toxicity, beside the design without it.

    Raises
    ------
    InputError
        If the file has no such rule.
    """
    both = safety.needed(case)
    found, rule = tuple(safety.promised(both)), both.rule
    names = ("without", "acceptable", "unacceptable")
    rows = [{"what": one.name, "limit": one.limit} | dict(zip(names, one.written, strict=True)) for one in found]
    shown: dict[str, Shown] = {
        "what": column("quantity", WORDS),
        "limit": column("limit", _or_dash),
        "without": column("without_toxicity_rule", WORDS),
        "acceptable": column("with_toxicity_rule", WORDS, f"{stated(rule.acceptable)} toxicity"),
        "unacceptable": column("with_toxicity_rule", WORDS, f"{stated(rule.unacceptable)} toxicity"),
    }
    tidy = pd.DataFrame([{"what": one.name} | dict(zip(names, one.numbers, strict=True)) for one in found])
    caption = (
        f"What {looks_short(case.chosen)} promises with the rule for toxicity, at the acceptable "
        f"({stated(rule.acceptable)}) and at the unacceptable ({stated(rule.unacceptable)}) rate of toxicity. Exact "
        f"values on paper, {both.associated}"
    )
    return Table("toxicity_promises", caption, pd.DataFrame(rows), shown, tidy=tidy)


def months(case: Case) -> Table | None:
    """When the analyses take place, patients to screen, and whether dates are kept; None if the file does not say."""
    moments = tuple(summary.moments(case))
    if not moments:
        return None
    rows, tidy = [], []
    for one in (*moments, *summary.dates(case)):
        rows.append({"what": one.name, "p0": one.written[0], "p1": one.written[1]})
        names = ("median", "low", "high") if one in moments else ("probability", "mcse")
        for rate, numbers in zip(RATES, one.numbers, strict=True):
            tidy.append({"what": one.name, "rate": rate} | dict(zip(names, numbers, strict=True)))
    shown = {"what": column("quantity", WORDS), "p0": column("at_p0", WORDS), "p1": column("at_p1", WORDS)}
    trials = timed(case).trials
    caption = (
        f"When {looks_short(case.chosen)} is analysed: median and range of 90% of "
        f"{counted(trials, 'simulated trial')}, in months from the first day of accrual"
    )
    if case.toxicity_rule is None or len(rows) > len(moments):
        caption += (
            f". Dates: probability, with a Monte Carlo standard error of at most {50 / trials**0.5:.1f} percentage "
            "points"
        )
    if case.toxicity_rule is not None:
        caption += ". A stop for toxicity counts as the primary decision"
    return Table("months", caption, pd.DataFrame(rows), shown, tidy=pd.DataFrame(tidy))


def _or_dash(value: str) -> str:
    return value or "–"


def _shown(table: Table | None) -> str:
    if table is None:
        return "<p>The parameter file does not state how the trial is run (section <code>conduct</code>).</p>"
    return f'<figure class="table">{table.body()}</figure>'


def _assumed(found: Summary) -> str:
    items = "".join(f"<dt>{escape(what)}</dt><dd>{escape(value)}.</dd>" for what, value in found.assumed)
    return f"<dl>{items}</dl>"


def _decisions(found: Summary) -> str:
    number = len(found.decisions)
    title = f"{NUMBERS[number].capitalize()} {agreeing(number, 'thing')} to decide before signing"
    items = "".join(f"<li><strong>{escape(one.title)}.</strong> {escape(one.why)}</li>" for one in found.decisions)
    return _part(title, f"<ol>{items}</ol>") if number else ""
