"""A commented parameter file drafted from a study record.

Facts of the record are values; sentences on the design are comments; what the record does not say is marked TO FILL.
The text of a record is written as quoted strings and comments, so none of it becomes code.
"""

from __future__ import annotations

import json
import textwrap
from datetime import date
from typing import TYPE_CHECKING

from simtrial.phrases import listed
from simtrial.search import CRITERIA, USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.review.record import Record

WIDTH = 110
"""Most characters of a line of a comment."""


def _day(text: str) -> bool:
    """Whether a text is a day of the calendar."""
    try:
        return text.isascii() and len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _comment(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")


def _study(record: Record) -> list[str]:
    """The section ``study``: what the record says as values."""
    # a JSON string is a YAML string, whatever is in it
    lines = [
        "trial:",
        "  study:",
        f"    id: {record.nct_id}",
        f"    title: {json.dumps(record.title, ensure_ascii=False)}",
    ]
    if record.enrollment is not None:
        lines.append(
            f"    registered_enrollment: {record.enrollment}  # {record.enrollment_type.lower() or 'type not stated'}"
        )
    for name, day in (("start", record.start), ("completion", record.completion)):
        if _day(day) and (name == "start" or not _day(record.start) or record.start < day):
            lines.append(f"    {name}: {day}")
        elif day:
            lines.append(f"    # {name}: TO FILL with a full date; the record has {day}")
    return [*lines, "    source: ClinicalTrials.gov record", ""]


def _described(record: Record) -> list[str]:
    """What the record says of the trial and of its design, as comments."""
    lines = [
        _comment(f"phase {', '.join(record.phases) or 'not stated'}; allocation {record.allocation or 'not stated'}")
    ]
    lines += [_comment(f"arm: {label}") for label in record.arms]
    lines += [_comment(f"primary outcome: {measure}") for measure in record.primary]
    lines += [_comment(f"secondary outcome: {measure}") for measure in record.secondary[:20]]
    if not record.quotes:
        none = "The record does not describe the design: how its number of patients was calculated is TO FILL."
        return [*lines, "", _comment(none)]
    lines += ["", _comment("Sentences of the record on the design; no value was taken from them.")]
    for quote in record.quotes:
        numbers = f"; numbers {', '.join(quote.numbers)}" if quote.numbers else ""
        lines.append(_comment(f"[{quote.place}; {', '.join(quote.words)}{numbers}] {quote.sentence}"))
    return lines


NUMBERS = {
    "p0": "response rate not worth pursuing", "p1": "response rate worth finding", "alpha": "one-sided", "power": "",
}  # fmt: skip
"""What no record has in a field of its own, and a parameter file must have."""


def _number(name: str, given: Mapping[str, str]) -> str:
    """One of `NUMBERS`, as somebody gave it or TO FILL."""
    if name in given:
        return f"    {f'{name}: {given[name]}':<30}# not in the record: given when this file was made"
    return f"    # {name}: TO FILL{f', {NUMBERS[name]}' if NUMBERS[name] else ''}"


def parameter_file(record: Record, given: Mapping[str, str] | None = None) -> str:
    """Write a commented parameter file: facts as values, sentences as comments, the rest TO FILL.

    Parameters
    ----------
    record : Record
        What is taken from the registry.
    given : mapping, optional
        Numbers of `NUMBERS` that somebody gave, as YAML.
    """
    given = given or {}
    missing = [name for name in NUMBERS if name not in given]
    before = f" {listed(missing)} must be given before the file can be used." if missing else ""
    lines = [
        f"# {record.nct_id}, from its ClinicalTrials.gov record.",
        _comment(
            f"Lines marked TO FILL are not in the record: they are assumptions until a protocol states them.{before}",
            "",
        ),
        *(_comment(f"WARNING: {warning}", "") for warning in record.warnings),
        *_study(record),
        *_described(record),
        "",
    ]
    if record.enrollment is not None:
        lines += ["  stated:", f"    n: {record.enrollment}", "    source: ClinicalTrials.gov record", ""]
    lines += [
        "  hypotheses:",
        *(_number(name, given) for name in NUMBERS),
        "    basis: assumed                # protocol, once a protocol states the four numbers",
        "",
        "  design:",
        f"    {f'criterion: {USUAL}':<30}# TO FILL: one of these, or looks",
        _comment(", ".join(CRITERIA), "    "),
    ]
    return "\n".join(lines) + "\n"
