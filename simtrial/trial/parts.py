"""Which parts a report has: those that the file or the command line names, or those that the file calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from simtrial import slips
from simtrial.errors import InputError
from simtrial.phrases import agreeing, listed
from simtrial.trial.choices import OneOf
from simtrial.trial.section import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = ("design", "conduct", "review", "analysis")
"""The parts of a report, in the order in which they stand in it."""


def ordered(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Put parts into the order of the report.

    Raises
    ------
    InputError
        If there is none, or one is named twice.
    """
    if not parts:
        raise InputError(f"is empty; name at least one of {listed(PARTS)}")
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice is not None:
        raise InputError(f"names {twice} twice; name each part once")
    return tuple(part for part in PARTS if part in parts)


class ReportWish(Section):
    """What the report on the file holds."""

    parts: Annotated[
        tuple[Annotated[str, OneOf(PARTS)], ...],
        Field(strict=False, max_length=len(PARTS), json_schema_extra={"minItems": 1}),
        AfterValidator(ordered),
    ] = Field(
        description="The parts of the report. Default: design, conduct if the file has that section, and analysis if "
        "it has results."
    )


def read(text: str) -> tuple[str, ...]:
    """Read the parts as the command line gives them, separated by commas; see `checked`."""
    return checked([word.strip() for word in text.split(",") if word.strip()])


def checked(words: Sequence[str]) -> tuple[str, ...]:
    """Take parts that a caller names, in the order of the report.

    Raises
    ------
    InputError
        If there is none, one is not known, or one is named twice.
    """
    unknown = [word for word in words if word not in PARTS]
    if unknown:
        near = [slips.nearest(word, PARTS) for word in unknown]
        meant = listed([name for name in near if name]) if all(near) else ""
        remedy = f"did you mean {meant}?" if meant else f"known parts are {listed(PARTS)}"
        what = agreeing(len(unknown), "is not a part", "are not parts")
        raise InputError(f"({', '.join(f'{word!r:.40}' for word in unknown)}) {what} of the report; {remedy}", "parts")
    try:
        return ordered(tuple(words))
    except InputError as error:
        raise InputError(error.message, "parts") from None


def usual(*, conduct: bool, results: bool) -> tuple[str, ...]:
    """The parts of a report for which nobody asked otherwise: no review, and no analysis without results.

    Parameters
    ----------
    conduct, results : bool
        Whether the file has the sections ``conduct`` and ``analysis``.
    """
    return ("design", *("conduct",) * conduct, *("analysis",) * results)


def refuse(parts: tuple[str, ...], *, conduct: bool, results: bool) -> None:
    """Refuse parts that the file does not hold enough for.

    Raises
    ------
    InputError
        For the conduct without its section, and for the analysis without results.
    """
    if "conduct" in parts and not conduct:
        raise InputError(
            "(conduct) needs the section conduct; add it (see params/example.yaml), or omit the part", "parts"
        )
    if "analysis" in parts and not results:
        raise InputError(
            "(analysis) needs results; add the section analysis, or omit the part and write --preview-analysis, which "
            "shows it on synthetic data",
            "parts",
        )
