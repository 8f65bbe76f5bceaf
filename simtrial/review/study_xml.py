"""Study records in the older XML of ClinicalTrials.gov (``clinical_study``), as sections of the version 2 API.

XML is untrusted: a file with a document type or an entity declaration is refused before anything in it is expanded, no
other file is ever read, and depth and number of elements are limited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from xml.parsers import expat

from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.review.record import StudyProtocol

MAX_DEPTH = 60
"""Deepest nesting of elements that is read."""

MAX_ELEMENTS = 400_000
"""Most elements of one file."""


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def all(self, path: str) -> list[_Element]:
        """Elements below this one at a path."""
        found = [self]
        for name in path.split("/"):
            found = [child for one in found for child in one.children if child.name == name]
        return found

    def text(self, path: str) -> str:
        """Text of the first element at a path, on one line; empty where there is none."""
        found = self.all(path)
        return " ".join("".join(found[0].pieces).split()) if found else ""

    def prose(self, path: str) -> str:
        """Text of the first element at a path; lines that were only wrapped are joined, paragraphs are kept."""
        found = self.all(path)
        paragraphs = re.split(r"\n[ \t\r]*\n", "".join(found[0].pieces)) if found else []
        return "\n\n".join(filter(None, (" ".join(part.split()) for part in paragraphs)))


def protocols(data: bytes, path: object) -> list[StudyProtocol]:
    """Read every study of an XML file.

    Parameters
    ----------
    data : bytes
        The file.
    path : object
        Its name, for messages.

    Returns
    -------
    list of dict
        One ``protocolSection`` per study, with the keys of the version 2 API.

    Raises
    ------
    InputError
        If it is not such XML, or holds a document type or an entity declaration.
    """
    root = _tree(data, path)
    if root.name == "clinical_study":
        return [_protocol(root)]
    studies = root.all("clinical_study")
    if not studies and root.all("study/nct_id"):
        raise InputError("lists search results without their records; download the whole record as JSON", f"{path}:")
    if not studies:
        raise InputError(f"is XML ({root.name[:40]}) without a clinical_study of ClinicalTrials.gov", f"{path}:")
    return [_protocol(study) for study in studies]


def _tree(data: bytes, path: object) -> _Element:
    top = _Element("")
    stack = [top]
    count = 0

    def refused(*_: object) -> None:
        raise InputError("declares a document type or entities, which are not read; remove the declaration", f"{path}:")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > MAX_DEPTH or count > MAX_ELEMENTS:
            raise InputError("is nested too deeply or holds too many elements", f"{path}:")
        element = _Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)

    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = refused
    parser.EntityDeclHandler = refused
    parser.ExternalEntityRefHandler = refused  # type: ignore[assignment]  # it never returns
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = lambda text: stack[-1].pieces.append(text)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InputError(f"is not XML: {error}", f"{path}:") from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        if isinstance(error, InputError):
            raise
        raise InputError(f"is not XML: {' '.join(str(error).split())[:120]}", f"{path}:") from None
    return top.children[0]


def _protocol(study: _Element) -> StudyProtocol:
    """One study with the keys and words of the version 2 API."""
    design = {
        "allocation": "study_design_info/allocation",
        "intervention_model": "study_design_info/intervention_model",
    }
    told = {key: study.text(place) for key, place in design.items()}
    for part in study.text("study_design").split(", "):  # until 2016: one text, "Allocation: Randomized, ..."
        key, _, said = part.partition(": ")
        name = key.strip().lower().replace(" ", "_")
        if name in design and not told[name]:
            told[name] = said
    enrollment = study.all("enrollment")
    return {
        "identificationModule": {
            "nctId": study.text("id_info/nct_id"),
            "briefTitle": study.text("brief_title"),
            "officialTitle": study.text("official_title"),
        },
        "statusModule": {
            "startDateStruct": {"date": day(study.text("start_date"))},
            "primaryCompletionDateStruct": {"date": day(study.text("primary_completion_date"))},
            "completionDateStruct": {"date": day(study.text("completion_date"))},
        },
        "descriptionModule": {
            "briefSummary": study.prose("brief_summary/textblock"),
            "detailedDescription": study.prose("detailed_description/textblock"),
        },
        "designModule": {
            "studyType": word(study.text("study_type")),
            "phases": phases(study.text("phase")),
            "designInfo": {
                "allocation": word(told["allocation"]),
                "interventionModel": word(told["intervention_model"]),
            },
            "enrollmentInfo": {
                "count": whole(study.text("enrollment")),
                "type": enrolled(enrollment[0].attributes.get("type", "") if enrollment else ""),
            },
        },
        "armsInterventionsModule": {
            "armGroups": [{"label": arm.text("arm_group_label")} for arm in study.all("arm_group")]
        },
        "outcomesModule": {
            f"{kind}Outcomes": [
                {
                    "measure": outcome.text("measure"),
                    "timeFrame": outcome.text("time_frame"),
                    "description": outcome.prose("description"),
                }
                for outcome in study.all(f"{kind}_outcome")
            ]
            for kind in ("primary", "secondary")
        },
    }


def word(text: str) -> str:
    """A word of the older formats as the version 2 API has it: ``Single Group Assignment`` is ``SINGLE_GROUP``."""
    short = re.sub(r"\s+assignment$", "", text.strip(), flags=re.IGNORECASE)
    return re.sub(r"[\s-]+", "_", short).upper().replace("N/A", "NA")


def phases(text: str) -> list[str]:
    """Phases: ``Phase 1/Phase 2`` is PHASE1 and PHASE2."""
    return [re.sub(r"PHASE_", "PHASE", word(part)) for part in re.split(r"/(?=\s*Phase)", text) if part.strip()]


def enrolled(text: str) -> str:
    """What kind of number the enrollment is."""
    return {"ANTICIPATED": "ESTIMATED"}.get(word(text), word(text))


def whole(text: str) -> int | None:
    """A number of patients; None if it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def day(text: str) -> str:
    """A day or month: ``July 31, 2025`` is 2025-07-31, ``July 2025`` is 2025-07; anything else is left as it is."""
    for given, kept in (("%B %d, %Y", "%Y-%m-%d"), ("%B %Y", "%Y-%m")):
        try:
            return datetime.strptime(text, given).strftime(kept)
        except ValueError:
            continue
    return text
