"""The sections of a protocol that a single-arm trial with a response endpoint fills, numbered as in ICH M11 [1]_.

The codes of the sections are those of the NCI Thesaurus for ICH M11.

References
----------
.. [1] ICH M11: Clinical electronic structured harmonised protocol (CeSHarP), technical specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.documents import estimands, general, interim, primary, secondary, size, spirit
from simtrial.documents.facts import Facts
from simtrial.show.document import Document
from simtrial.trial import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.show.document import Chapter
    from simtrial.trial.case import Case

NAME = "protocol"


def of(case: Case, origin: str = "") -> Document:
    """The sections for a trial.

    Parameters
    ----------
    case : Case
        The trial and its design.
    origin : str
        What the document was made from, for the footer.
    """
    study, facts = case.trial.study, Facts(case)
    chapters = tuple(_chapters(facts))
    covered = spirit.coverage(chapters)
    return Document(
        name=NAME,
        title=study.title,
        study=study.id,
        lead=tuple(_lead(facts)),
        chapters=(*chapters, spirit.appendix(covered)),
        origin=origin,
        extra={
            "spirit": [
                {
                    "element": one.element,
                    "covered": one.covered,
                    "section": one.section or None,
                    "sentence": one.sentence or None,
                }
                for one in covered
            ]
        },
    )


def _lead(facts: Facts) -> Iterator[str]:
    """What the document is; first of all that it is not ready, where the design misses a limit."""
    missed = text.not_ready(facts.case)
    if missed:
        yield missed
    yield (
        "This document holds the sections of a protocol that depend on the design of the trial, with the numbers, "
        "titles and codes of ICH M11. Every number is computed from the parameter file. Marked passages are to be "
        "completed."
    )


def _chapters(facts: Facts) -> Iterator[Chapter]:
    yield estimands.objective(facts)
    yield general.stopping(facts)
    yield from general.general(facts)
    yield from primary.primary(facts)
    yield from secondary.secondary(facts)
    yield from secondary.safety(facts)
    yield interim.interim(facts)
    yield interim.multiplicity(facts)
    yield size.determination(facts)
    yield from estimands.prices(facts)
