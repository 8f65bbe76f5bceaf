"""What the caller asks of a report: its parts, and the files that are written beside its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.report import chromium
from simtrial.trial import parts as trial_parts

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asks of a report.

    Attributes
    ----------
    parts : tuple of str or None
        Its parts, or None for those of the file.
    preview : bool
        Whether the analysis is shown on synthetic data.
    docx : bool
        Whether the documents for Word are written too.
    browser : Browser or None
        Prints pages and documents as PDF; None for no PDF.
    """

    parts: tuple[str, ...] | None = None
    preview: bool = False
    docx: bool = True
    browser: chromium.Browser | None = None

    @classmethod
    def of(cls, parts: Sequence[str] | None, *, preview_analysis: bool, docx: bool, pdf: bool) -> Wish:
        """Check the names of the parts, and look for a browser if PDF is wanted.

        Raises
        ------
        InputError
            If a part is not known, or nothing prints PDF on this machine.
        """
        chosen = None if parts is None else trial_parts.checked(parts)
        return cls(chosen, preview_analysis, docx, chromium.found() if pdf else None)
