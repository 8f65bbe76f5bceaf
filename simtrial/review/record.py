"""What is taken from one study record of ClinicalTrials.gov: facts, and the sentences that speak of the design.

Design words and numbers in its prose are quoted with the sentence that they stand in. Nothing about the sample size is
guessed. Records are untrusted: their text is brought to one line each and cut to a length.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from simtrial.errors import InputError
from simtrial.phrases import counted

StudyProtocol = dict[str, object]
"""The ``protocolSection`` of the version 2 API."""

_RESPONSE = re.compile(
    r"\b(objective|overall)\s+(?:\w+\s+)?(response|remission)|\bORR\b|response\s+rate", re.IGNORECASE
)
_DESIGN = re.compile(
    r"\b(simon|two[- ]stage|minimax|mini-max|optimal|fleming|a'?hern|gehan|sample\s+size|null\s+hypothesis|"
    r"alternative\s+hypothesis|type\s+I\b|alpha|power|one-sided|two-sided|evaluable|drop-?out|interim|"
    r"stage\s+(?:1|2|I|II|one|two)\b|futility|beta|significance|H0|H1|p0|p1|\d+\s+patients)|[\u03b1\u03b2]",
    re.IGNORECASE,
)
_MARK = re.compile(r"</?mark\b[^>]{0,80}>")
"""How a search marks the words that it found."""

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?\s*%?")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a record that speaks of the design: the words found, its numbers, and where it stands."""

    place: str
    sentence: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is taken from a study record.

    Attributes
    ----------
    nct_id, title : str
        As registered.
    phases : tuple of str
        Such as ``PHASE2``.
    allocation : str
        Such as ``NA`` or ``NON_RANDOMIZED``.
    enrollment : int or None
        Patients registered.
    enrollment_type : str
        ``ESTIMATED`` or ``ACTUAL``.
    start, completion : str
        As given, to the day or the month; empty if missing.
    arms : tuple of str
        Labels of the arms.
    primary, secondary : tuple of str
        Outcome measures.
    quotes : tuple of Quote
        Sentences about the design.
    warnings : tuple of str
        What makes the record doubtful for a single-arm trial with a response endpoint.
    """

    nct_id: str
    title: str
    phases: tuple[str, ...]
    allocation: str
    enrollment: int | None
    enrollment_type: str
    start: str
    completion: str
    arms: tuple[str, ...]
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    quotes: tuple[Quote, ...]
    warnings: tuple[str, ...]

    @property
    def response_is_primary(self) -> bool:
        """Whether a primary outcome is a response rate."""
        return _responds(self.primary)


def _plain(value: object, most: int = 4000) -> str:
    """Text of a record on one line, without control characters."""
    if not isinstance(value, str):
        return ""
    visible = "".join(" " if c.isspace() else "" if unicodedata.category(c).startswith("C") else c for c in value)
    return " ".join(visible.split())[:most]


def _patients(value: object) -> int | None:
    """A number of patients, if it can be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100_000 else None


def _section(content: StudyProtocol, *names: str) -> StudyProtocol:
    for name in names:
        inner = content.get(name)
        content = inner if isinstance(inner, dict) else {}
    return content


def _listed(content: StudyProtocol, name: str) -> list[object]:
    found = content.get(name)
    return found[:200] if isinstance(found, list) else []


def identity(protocol: StudyProtocol) -> tuple[str, str]:
    """Number and title of a record."""
    named = _section(protocol, "identificationModule")
    nct_id = _plain(named.get("nctId"), 64)
    titles = (_MARK.sub("", _plain(named.get(name), 400))[:300] for name in ("officialTitle", "briefTitle"))
    return nct_id, next(filter(None, titles), "")


def _quotes(texts: list[tuple[str, str]]) -> tuple[Quote, ...]:
    """The sentences that hold design words, each once."""
    found: dict[str, Quote] = {}
    for place, text in texts:
        for raw in re.split(r"(?<=[.!?])\s+|\n+", text):
            sentence = _plain(raw, 1200)
            words = tuple(dict.fromkeys(m.group(0).lower() for m in _DESIGN.finditer(sentence)))
            numbers = tuple(m.group(0).strip() for m in _NUMBER.finditer(sentence))
            if words and (numbers or len(words) > 1) and sentence not in found:
                found[sentence] = Quote(place, sentence, words, numbers)
    return tuple(found.values())[:40]


def _measures(protocol: StudyProtocol, kind: str) -> tuple[str, ...]:
    """The primary or the secondary outcome measures."""
    rows = _listed(_section(protocol, "outcomesModule"), f"{kind}Outcomes")
    return tuple(_plain(row.get("measure"), 300) for row in rows if isinstance(row, dict))


def _phases(protocol: StudyProtocol) -> tuple[str, ...]:
    return tuple(_plain(phase, 20) for phase in _listed(_section(protocol, "designModule"), "phases"))


def _allocation(protocol: StudyProtocol) -> str:
    return _plain(_section(protocol, "designModule", "designInfo").get("allocation"), 40).upper()


def _responds(measures: tuple[str, ...]) -> bool:
    """Whether one of the measures is a response rate."""
    return any(_RESPONSE.search(measure) for measure in measures)


def _refuse(protocol: StudyProtocol, path: object) -> None:
    """Refuse a record that lacks what is needed, or describes no single-arm trial with a response endpoint."""
    nct_id, _ = identity(protocol)
    if not re.fullmatch(r"NCT[0-9]{8}", nct_id):
        raise InputError(f"({nct_id!r:.40}) is not NCT and eight digits", f"{path}: nctId")
    missing = [name for name in ("designModule", "outcomesModule") if not _section(protocol, name)]
    if missing:
        raise InputError(f"lacks {' and '.join(missing)}; download the whole record", f"{path}:")
    design = _section(protocol, "designModule")
    if _plain(design.get("studyType")).upper() not in ("INTERVENTIONAL", ""):
        raise InputError("is not an interventional study", f"{path}: studyType")
    if _allocation(protocol) == "RANDOMIZED":
        raise InputError(
            "(RANDOMIZED) is not a single-arm trial, whose sample size this is about", f"{path}: allocation"
        )
    phases = _phases(protocol)
    sequential = _plain(_section(design, "designInfo").get("interventionModel"), 40).upper() == "SEQUENTIAL"
    if sequential and not _responds(_measures(protocol, "primary")) and {"PHASE1", "EARLY_PHASE1"} & set(phases):
        raise InputError(
            f"(SEQUENTIAL, {', '.join(phases)}) describes a dose escalation; no primary outcome is a response rate, so "
            "there is no single-arm design with a response endpoint",
            f"{path}: interventionModel",
        )


def _prose(protocol: StudyProtocol) -> list[tuple[str, str]]:
    """The free text of a record, with the place of each piece."""
    outcomes, described = _section(protocol, "outcomesModule"), _section(protocol, "descriptionModule")
    texts = [(name, described.get(name) or "") for name in ("briefSummary", "detailedDescription")]
    texts += [
        (f"{name}Outcomes", o.get("description") or "")
        for name in ("primary", "secondary")
        for o in _listed(outcomes, f"{name}Outcomes")
        if isinstance(o, dict)
    ]
    return [(place, text) for place, text in texts if isinstance(text, str)]


def _warnings(record: Record) -> tuple[str, ...]:
    """What makes a record doubtful."""
    warnings = []
    if not record.response_is_primary:
        warnings.append("no primary outcome is a response rate: the designs here need a binary endpoint")
    if "PHASE2" not in record.phases:
        warnings.append(f"phase {', '.join(record.phases) or 'not stated'}: the trial may not have a phase II design")
    elif "PHASE1" in record.phases:
        warnings.append("phase I and phase II: the registered number may include the patients of the dose escalation")
    if record.enrollment is None:
        warnings.append("the record has no usable number of patients")
    if not record.allocation:
        warnings.append("the allocation is not stated: make sure that the trial is not randomised")
    if len(record.arms) > 1:
        warnings.append(f"{counted(len(record.arms), 'arm')}: the registered number may be that of all arms together")
    return tuple(warnings)


def of(protocol: StudyProtocol, path: object) -> Record:
    """Take what is needed from a study record.

    Parameters
    ----------
    protocol : dict
        Its ``protocolSection``.
    path : object
        Name of its file, for messages.

    Raises
    ------
    InputError
        If the record lacks what is needed, or if it describes a randomised study, an observational study or a dose
        escalation without a response rate.
    """
    _refuse(protocol, path)
    nct_id, title = identity(protocol)
    enrolled, status = _section(protocol, "designModule", "enrollmentInfo"), _section(protocol, "statusModule")
    arms = _listed(_section(protocol, "armsInterventionsModule"), "armGroups")
    record = Record(
        nct_id=nct_id,
        title=title or nct_id,
        phases=_phases(protocol),
        allocation=_allocation(protocol),
        enrollment=_patients(enrolled.get("count")),
        enrollment_type=_plain(enrolled.get("type"), 20),
        start=_plain(_section(status, "startDateStruct").get("date"), 10),
        completion=_plain(_section(status, "completionDateStruct").get("date"), 10),
        arms=tuple(_plain(arm.get("label"), 200) for arm in arms if isinstance(arm, dict)),
        primary=_measures(protocol, "primary"),
        secondary=_measures(protocol, "secondary"),
        quotes=_quotes(_prose(protocol)),
        warnings=(),
    )
    return replace(record, warnings=_warnings(record))
