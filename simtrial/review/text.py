"""What a reviewer writes: the questions that a statement leaves open, and a memo of one page."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial import phrases
from simtrial.design.designs import looks_text
from simtrial.phrases import percent
from simtrial.review.check import check
from simtrial.review.credible import assessed, patients
from simtrial.review.readings import EXACT
from simtrial.review.routes import MOST_N, why_none
from simtrial.review.wording import beside
from simtrial.show.passage import Passage
from simtrial.trial.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.review.credible import AssessedReading
    from simtrial.review.routes import Route
    from simtrial.trial.case import Case


def questions(found: Sequence[Route], n: int, stated: Statement | None = None) -> Passage:
    """What a reviewer should ask the sponsor; what is stated is not asked for again."""
    plain = [r for r in found if not r.dropout and r.method in EXACT]
    inputs = len({(r.p0, r.p1, r.alpha, r.power) for r in plain})
    given = f" {_combinations(inputs)} it exactly." if n <= MOST_N else ""
    asks = _open(stated or Statement(), n, given)
    return Passage("questions", tuple(f"{k}. {ask}" for k, ask in enumerate(asks, start=1)))


def _open(stated: Statement, n: int, given: str) -> list[str]:
    """The questions that a statement leaves open."""
    asks = []
    rates = [f"{name} = {value:g}" for name in ("p0", "p1") if (value := getattr(stated, name)) is not None]
    if stated.p0 is None or stated.p1 is None:
        gone = [name for name in ("p0", "p1") if getattr(stated, name) is None]
        lacking, verb = " and ".join(gone), phrases.agreeing(len(gone), "was", "were")
        known = f" beside the stated {rates[0]}" if rates else ""
        asks.append(
            f"Which {lacking} {verb} the basis of {phrases.counted(n, 'patient')}{known}, and from which earlier "
            f"results?{given}"
        )
    else:
        asks.append(f"From which earlier results do the stated {' and '.join(rates)} come?")
    if stated.alpha is None:
        asks.append("What is alpha, and is it one-sided?")
    elif stated.alpha_sided is None:
        asks.append(f"Is the stated alpha of {stated.alpha:g} one-sided?")
    if stated.power is None:
        asks.append("What power was intended?")
    design = stated.design
    if design is None:
        asks.append(
            "Is there an interim analysis, after how many patients, and which counts stop the trial or reject H0?"
        )
    elif len(design.looks) == 1:
        asks.append(f"Is the stated rule {looks_text(design, ', ')} applied without an interim analysis?")
    if stated.dropout:
        asks.append(
            f"How is the stated dropout of {phrases.stated(stated.dropout)} allowed for, how is the number rounded, "
            f"and are the {phrases.counted(n, 'patient')} evaluable or enrolled?"
        )
    asks.append("Are patients without a response assessment counted as non-responders, replaced, or excluded?")
    if not stated.dropout:
        asks.append("Does the number of patients already allow for dropout?")
    if design is None or len(design.looks) > 1:
        asks.append("Does accrual continue while an interim analysis is pending?")
    return asks


def _combinations(number: int) -> str:
    if not number:
        return "No conventional combination of p0, p1, alpha and power gives"
    verb = phrases.agreeing(number, "gives", "give")
    return f"{phrases.counted(number, 'conventional combination')} of p0, p1, alpha and power {verb}"


@dataclass(frozen=True)
class Memo:
    """One page for the file: shows itself as HTML, and is kept as Markdown."""

    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]

    def markdown(self) -> str:
        """The page in Markdown, special characters escaped."""
        lines = [f"# {_escaped(self.title)}"]
        for heading, paragraphs in self.parts:
            lines += ["", f"## {_escaped(heading)}", *(f"\n{_escaped(p)}" for p in paragraphs)]
        return "\n".join(lines) + "\n"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        inner = f"<p><strong>{html.escape(self.title)}</strong></p>" + "".join(
            f"<p><strong>{html.escape(heading)}.</strong></p>" + "".join(f"<p>{html.escape(p)}</p>" for p in paragraphs)
            for heading, paragraphs in self.parts
        )
        data = {"text/html": f'<blockquote class="simtrial">{inner}</blockquote>', "text/markdown": self.markdown()}
        return data | {"text/plain": self.markdown()}, {"simtrial": {"name": "memo"}}


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in text)


def _side_by_side(rows: Sequence[AssessedReading]) -> tuple[str, ...]:
    """One sentence per reading; how it does as run, if any of them is run."""
    lines = []
    for one in rows:
        run, asked = "", one.reading.requirements
        if any(row.run is not None for row in rows):
            done = one.run
            rates = "not computed" if done is None else f"{percent(done.type_i_error)} and {percent(done.power)}"
            run = f" (as run: {rates})"
        lines.append(
            f"{one.question}: {looks_text(one.reading.design, ', ')}, with a type I error of "
            f"{beside(one.type_i_error, asked.alpha)} and a power of {beside(one.power, asked.power)}{run}; "
            f"{one.reading.reason}."
        )
    among = next((row.run.p0_among for row in rows if row.run is not None and row.run.p0_among), "")
    if among:
        lines.append(f"As run, the type I error is computed with {among.replace(' being', '')}.")
    return tuple(lines)


def memo(case: Case, found: Sequence[Route]) -> Memo:
    """The review memo: verdict, credible readings, what they do as run, what to ask."""
    trial, n = case.trial, patients(case)
    statement = trial.stated.statement if trial.stated is not None else None
    verdict = check(statement) if statement is not None else None
    line = "The parameter file holds no stated sample size to check."
    if verdict is not None:
        names = "; ".join(c.name for c in verdict.conventions)
        line = f"{verdict.kind.capitalize()}{f' ({names})' if names else ''}. {verdict.explanation}"
    plain = sum(not r.dropout for r in found)
    many = phrases.counted(len(found), "standard calculation")
    verb = phrases.agreeing(len(found), "gives", "give")
    weak = (
        f"{many} {verb} {phrases.counted(n, 'patient')}, {plain} of them without an allowance for dropout. The number "
        "alone therefore does not identify the calculation."
    )
    weak = weak if found else f"{why_none(n)}."
    parts = (
        ("Verdict", (line,)),
        ("What the number of patients alone implies", (weak,)),
        ("Credible readings", _side_by_side(assessed(case, found))),
        ("Questions to the sponsor", questions(found, n, statement).paragraphs),
    )
    return Memo(f"Sample size of {trial.study.id}: {phrases.counted(n, 'patient')}", parts)
