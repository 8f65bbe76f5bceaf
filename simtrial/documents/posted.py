"""The results of a finished trial to post in a registry: one table, and a document with the paragraph for the paper."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.analysis import dossier as analysis_dossier
from simtrial.analysis import text
from simtrial.documents.posted_record import FLOW, PRIMARY, TEST, RegistryField, record
from simtrial.show.document import Chapter, Document
from simtrial.show.table import WORDS, Table, column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.analysis.dossier import Dossier
    from simtrial.trial.case import Case
    from simtrial.trial.trial import Trial

NAME = "results"


def table(trial: Trial, done: Dossier) -> Table:
    """The whole record as one table; its CSV says whose data it is."""
    entries = record(trial, done)
    caption = (
        f"The results as a registry asks for them, one row per field ({done.label}). Numbers are those of the final "
        "analysis; what the file does not hold is marked"
    )
    return _table("results_to_post", caption, entries, done)


def _table(name: str, caption: str, entries: Sequence[RegistryField], done: Dossier) -> Table:
    frame = pd.DataFrame([asdict(one) for one in entries]).rename(columns={"most": "most_characters"})
    frame["most_characters"] = frame["most_characters"].astype("Int64")
    frame["data"] = done.label
    shown = {"element": column("field", WORDS), "value": column("entry", WORDS)}
    if name == "results_to_post":
        shown = {"section": column("section", WORDS), **shown}
    return Table(name, caption, frame, shown)


def of(case: Case, origin: str = "") -> Document:
    """The record as a document, with the paragraph for the paper.

    Parameters
    ----------
    case : Case
        A trial whose file holds its results.
    origin : str
        What the document was made from, for the footer.

    Raises
    ------
    InputError
        If the results cannot be analysed.
    """
    trial, study = case.trial, case.trial.study
    done = analysis_dossier.of_trial(trial, case.chosen)
    entries = record(trial, done)
    captions = {
        FLOW: "Participants from start to completion",
        PRIMARY: "The primary outcome: definition and data",
        TEST: "Hypothesis test and estimate of the response rate",
    }
    chapters = []
    for k, section in enumerate(dict.fromkeys(one.section for one in entries), start=1):
        own = [one for one in entries if one.section == section]
        caption = f"{captions.get(section, f'{section}: definition and data')} ({done.label}), one row per field"
        tabled = _table(f"results_to_post_{k}", caption, own, done)
        chapters.append(Chapter(title=section, number=str(k), blocks=(tabled,)))
    paper = text.sentence(done).paragraphs
    chapters.append(Chapter(title="Paragraph for the publication", number=str(len(chapters) + 1), blocks=paper))
    return Document(
        name=NAME,
        title=f"Results to post: {study.title}",
        study=study.id,
        lead=(
            "The fields are those of the results section of a trial registry (ClinicalTrials.gov). Numbers and methods "
            f"are those of the final analysis. Source: {done.source}.",
            "The registered title, time frame and definition of each outcome take precedence over those given here.",
        ),
        chapters=tuple(chapters),
        origin=origin,
    )
