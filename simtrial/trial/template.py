"""The commented template of a parameter file, with answers in it: ``params/example.yaml`` is its one source.

Sections that are left out are comments there. `filled` turns one into keys where an answer belongs to it, and keeps
what is optional within it as comments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simtrial import files, project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

MAX_BYTES = 262_144
"""More than any file of ours has."""

NAME = "example.yaml"
"""The template among the files in ``params``."""

UNTOUCHED = (
    "Say here why these rates: report and protocol state it with the evidence for p0 and p1.",
    "Say here why these rates: the report prints it above everything else.",
)
"""What the template, of this version or an earlier one, has in place of a rationale: no reason of anybody's."""

KEPT = (
    "enrollment", "enrollment.model", "enrollment.rate",
    "assessments", "assessments.interval_weeks", "assessments.window_weeks", "assessments.confirmation_weeks",
    "assessments.median_weeks_to_response",
    "dropout", "dropout.probability", "dropout.handling",
    "interim", "interim.accrual", "interim.decision_weeks",
    "follow_up", "follow_up.months_after_last_patient",
)  # fmt: skip
"""Keys of the section ``conduct`` that a file has whose trial is run in the simplest way; the others stay comments."""

_LINE = re.compile(r"(?P<lead> *)(?P<off># )?(?P<key>[a-z0-9_]+):(?P<value>(?: +[^#\s][^#]*?)?)(?P<rest>\s*(?:#.*)?)")
"""A key with what stands after it; `off` where it is a comment."""

_REMARKED = re.compile(r"(?P<body> *(?:#|[^# ])[^#]*?) +(?P<remark># .*)")
"""A key, or one that is a comment, with a remark behind it."""

_COLUMN = 38
"""Where remarks begin."""

_WIDEST = 120


def text() -> str:
    """The template as it comes with the package."""
    return shipped(NAME)


def shipped(name: str) -> str:
    """A parameter file that comes with the package."""
    return files.read(project.folder("params") / name, MAX_BYTES).data.decode("utf-8")


def stated(template: str) -> dict[str, str]:
    """Every key of a template that has a value, with those of the section ``conduct``: full name and value as text."""
    lines = list(_opened(template.splitlines(), "conduct", KEPT))
    return {place: one["value"].strip() for _, place, one in _keys(lines) if not one["off"] and one["value"].strip()}


def reasons(rationale: str | None) -> list[str]:
    """The paragraphs of a rationale, each in one line; none where the words are still those of the template."""
    given = [" ".join(part.split()) for part in (rationale or "").split("\n\n")]
    return [] if " ".join(given).strip() in UNTOUCHED else [one for one in given if one]


def filled(template: str, answers: Mapping[str, str]) -> str:
    """Put answers into a template.

    Parameters
    ----------
    template : str
        See `text`.
    answers : mapping
        Full name of a key, such as ``trial.hypotheses.p0``, and its value as YAML. A key of the section ``conduct``
        makes that section part of the file; a key that is a comment becomes a key.

    Returns
    -------
    str
        The file; remarks stay where they are.

    Raises
    ------
    KeyError
        If the template has no such key.
    """
    lines = template.splitlines()
    if any(place.startswith("trial.conduct.") for place in answers):
        lines = list(_opened(lines, "conduct", KEPT))
    for place, value in answers.items():
        at = [(k, one) for k, name, one in _keys(lines) if name == place]
        if not at:
            raise KeyError(place)
        k, one = next((found for found in at if not found[1]["off"]), at[0])
        lines[k] = _aligned(f"{one['lead']}{one['key']}: {value}", one["rest"].strip())
    return "\n".join(lines) + "\n"


def _keys(lines: Sequence[str]) -> Iterator[tuple[int, str, re.Match[str]]]:
    """The lines with a key, or with one as a comment: their numbers and the full names."""
    above: list[tuple[int, str]] = []
    for k, line in enumerate(lines):
        one = _LINE.fullmatch(line)
        if one is None:
            continue
        indent = len(one["lead"])
        while above and above[-1][0] >= indent:
            above.pop()
        yield k, ".".join((*(key for _, key in above), one["key"])), one
        if not one["off"]:
            above.append((indent, one["key"]))


def _opened(lines: Sequence[str], section: str, kept: Collection[str]) -> Iterator[str]:
    """The lines of a template, a section of which is no comment any more; of its keys those are that are kept."""
    start = next(k for k, line in enumerate(lines) if re.match(rf"  # {section}:", line))
    end = next((k for k in range(start, len(lines)) if not lines[k].strip()), len(lines))
    yield from lines[:start]
    bare = [line[:2] + line[4:] for line in lines[start:end]]
    left_out: int | None = None
    names = {k: name.partition(".")[2] for k, name, one in _keys(bare) if not one["off"]}
    for k, line in enumerate(bare):
        indent = len(line) - len(line.lstrip())
        if left_out is not None and indent <= left_out:
            left_out = None
        if left_out is None and k and k in names and names[k] not in kept:
            left_out = indent
        if left_out is not None:
            yield f"{line[:left_out]}# {line[left_out:]}"
            continue
        one = _REMARKED.fullmatch(line)
        yield _aligned(one["body"], one["remark"]) if one else line
    yield from lines[end:]


def _aligned(body: str, remark: str) -> str:
    """A line with its remark where remarks begin, if there is room for it."""
    body = body.rstrip()
    if not remark:
        return body
    line = f"{body:<{_COLUMN - 1}} {remark}"
    return line if len(line) <= _WIDEST else f"{body} {remark}"
