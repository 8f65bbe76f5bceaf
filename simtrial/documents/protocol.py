"""The sections of a protocol that a single-arm trial with a response endpoint fills, numbered as in ICH M11 [1]_.

References
----------
.. [1] ICH M11: Clinical electronic structured harmonised protocol (CeSHarP), technical specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.documents import simulation_reproduction
from simtrial.show.document import Chapter, Document
from simtrial.trial import text

if TYPE_CHECKING:
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
    study = case.trial.study
    return Document(
        name=NAME,
        title=study.title,
        study=study.id,
        chapters=(
            Chapter(number="10", title="Statistical considerations", code="C218625"),
            Chapter(
                number="10.11", title="Sample size determination", code="C218648", level=2,
                blocks=(*text.protocol(case).paragraphs, simulation_reproduction.mention(case)),
            ),
        ),
        origin=origin,
    )  # fmt: skip
