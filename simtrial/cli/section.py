"""The check of a stated sample-size section, from a file of plain text or a .docx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simtrial.errors import InputError
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from pathlib import Path

    from simtrial.review.section.compared import CheckedSection
    from simtrial.review.section.elements import Element


MOST_QUOTES = 4
"""Most places of one element that the table quotes; ``--json`` has all of them."""


def checked(path: Path) -> tuple[CheckedSection, str]:
    """Read a file, find the elements and check them; with the heading of the part that was taken.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    from simtrial.review import conventions
    from simtrial.review.section import compared, elements, source

    chosen = source.read(path)
    try:
        stated = elements.read(chosen.text, chosen.rows)
    except InputError as error:
        raise error.placed(f"{path}:") from None
    with terminal.bar(len(conventions.SETS), "readings", "checking") as tell:
        return compared.compare(stated, tell), chosen.heading


def as_json(found: CheckedSection, heading: str, verdict: dict[str, object]) -> dict[str, object]:
    """The elements and the verdict as one object."""
    from simtrial.review.section import asked

    return {
        "elements": [_element(one) for one in found.elements],
        "check": verdict,
        "section": heading or None,
        "questions": list(asked.questions(found)),
    }


def _element(one: Element) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name, "status": one.status, "quote": one.quote, "value": one.value, "exact": one.exact,
        "paragraph": one.paragraph, "quotes": list(one.quotes),
    }  # fmt: skip
    if one.candidates:
        told["candidates"] = [{"value": value, "quote": quote} for value, quote in one.candidates]
    return told


def show(found: CheckedSection, heading: str) -> None:
    """Print the table of the elements."""
    rows = []
    for one in found.elements:
        stated = _cell(one, one.value)
        if one.status == "ambiguous":
            stated = " or ".join(_cell(one, value) for value, _ in one.candidates)
        quotes = " ... ".join(one.quotes[:MOST_QUOTES])
        where = f'"{quotes}" (paragraph {one.paragraph})' if quotes else ""
        rows.append([one.name, one.status, stated if one.name != "source" else "", _exact(one), where])
    title = "The ten elements of ICH M11, section 10.11, as stated"
    if heading:
        title += f' under the heading "{terminal.one_line(heading)}"'
    terminal.table(title, ("element", "status", "stated", "exact", "words"), rows, left=5)


def _cell(one: Element, value: object) -> str:
    """A stated value in the table: a probability as in a table of assumptions."""
    from simtrial.review.section import asked

    if isinstance(value, float) and one.name in ("p0", "p1", "alpha", "power", "dropout"):
        return f"{value:g}"
    return asked.value_text(one.name, value)


def _exact(one: Element) -> str:
    """The exact value: of a probability with three digits, as it is computed."""
    from simtrial.review.section import asked

    if isinstance(one.exact, float):
        return rate(one.exact)
    return asked.value_text(one.name, one.exact)


def ask(found: CheckedSection) -> None:
    """Print what a reviewer would ask back."""
    from simtrial.review.section import asked

    lines = asked.questions(found)
    if lines:
        terminal.wrapped("To ask", style="bold")
    for line in lines:
        terminal.wrapped(f"  {terminal.one_line(line)}")
