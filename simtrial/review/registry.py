"""A parameter file from a ClinicalTrials.gov study record; `simtrial.review.studies` reads the file.

Facts of the record are written down; design words and numbers in its prose are quoted with the sentence that they stand
in, as comments. Nothing about the sample size is guessed: what the record does not say is marked TO FILL. Records are
untrusted: their size is limited, their text is written as quoted strings and comments, and none of it becomes code.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from simtrial import files
from simtrial.errors import InputError
from simtrial.review import studies
from simtrial.search import CRITERIA

MAX_BYTES = 4_194_304
"""Largest record that is read."""

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


@dataclass(frozen=True, slots=True)
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
        return any(_RESPONSE.search(measure) for measure in self.primary)


def _plain(value: object, most: int = 4000) -> str:
    """Text of a record on one line, without control characters."""
    if not isinstance(value, str):
        return ""
    visible = "".join(" " if c.isspace() else "" if unicodedata.category(c).startswith("C") else c for c in value)
    return " ".join(visible.split())[:most]


def _section(content: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        inner = content.get(name)
        content = inner if isinstance(inner, dict) else {}
    return content


def _listed(content: dict[str, Any], name: str) -> list[Any]:
    found = content.get(name)
    return found[:200] if isinstance(found, list) else []


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists() and re.fullmatch(r"NCT[0-9]{8}", path.name, re.IGNORECASE):
        raise InputError("is no file, and nothing is downloaded from here; save the study's record as JSON", f"{path}")
    return studies.protocols(files.read(path, MAX_BYTES).data, path)


def _identity(protocol: dict[str, Any]) -> tuple[str, str]:
    """Number and title of a record."""
    identity = _section(protocol, "identificationModule")
    nct_id = _plain(identity.get("nctId"), 64)
    titles = (_MARK.sub("", _plain(identity.get(name), 400))[:300] for name in ("officialTitle", "briefTitle"))
    return nct_id, next(filter(None, titles), "")


def listed(path: str | Path) -> list[tuple[str, str]]:
    """Numbers and titles of the studies in a file.

    Raises
    ------
    InputError
        If the file holds no study record.
    """
    return [_identity(protocol) for protocol in _read(Path(path))]


def _chosen(found: list[dict[str, Any]], nct: str | None, path: Path) -> dict[str, Any]:
    """The one study, or that of the number given."""
    numbers = [_identity(protocol)[0] for protocol in found]
    shown = ", ".join(number or "one without a number" for number in numbers[:10])
    if numbers[10:]:
        shown += f" and {len(numbers) - 10} more"
    if nct is None:
        if len(found) > 1:
            raise InputError(f"holds {len(found)} studies ({shown}); choose one with --nct", f"{path}:")
        return found[0]
    wanted = nct.strip().upper()
    if re.fullmatch(r"[0-9]{8}", wanted):
        wanted = f"NCT{wanted}"
    if not re.fullmatch(r"NCT[0-9]{8}", wanted):
        raise InputError(f"({nct!r:.40}) must be NCT and eight digits", "nct")
    matching = [protocol for protocol, number in zip(found, numbers, strict=True) if number == wanted]
    if not matching:
        raise InputError(f"({wanted}) is not in {path}, which holds {shown}", "nct")
    if len(matching) > 1:
        raise InputError(f"holds {len(matching)} different records of {wanted}; keep one of them", f"{path}:")
    return matching[0]


def _quotes(texts: list[tuple[str, str]]) -> tuple[Quote, ...]:
    """The sentences that hold design words, each once."""
    found: dict[str, Quote] = {}
    for place, text in texts:
        for raw in re.split(r"(?<=[.!?;])\s+|\n+", text):
            sentence = _plain(raw, 600)
            words = tuple(dict.fromkeys(m.group(0).lower() for m in _DESIGN.finditer(sentence)))
            numbers = tuple(m.group(0).strip() for m in _NUMBER.finditer(sentence))
            if words and (numbers or len(words) > 1) and sentence not in found:
                found[sentence] = Quote(place, sentence, words, numbers)
    return tuple(found.values())[:40]


def read(path: str | Path, nct: str | None = None) -> Record:
    """Read a study record.

    Parameters
    ----------
    path : str or Path
        One record or several, in any of the forms that `simtrial.review.studies` reads.
    nct : str, optional
        Number of the study to be taken; needed where the file holds several.

    Raises
    ------
    InputError
        If the file holds no such record or several, if the record lacks what is needed, or if it describes a
        randomised study, an observational study or a dose escalation without a response rate.
    """
    path = Path(path)
    protocol = _chosen(_read(path), nct, path)
    design = _section(protocol, "designModule")
    outcomes, prose = _section(protocol, "outcomesModule"), _section(protocol, "descriptionModule")
    nct_id, title = _identity(protocol)
    if not re.fullmatch(r"NCT[0-9]{8}", nct_id):
        raise InputError(f"({nct_id!r:.40}) must be NCT and eight digits", f"{path}: nctId")
    missing = [name for name in ("designModule", "outcomesModule") if not _section(protocol, name)]
    if missing:
        raise InputError(f"lacks {' and '.join(missing)}; download the whole record", f"{path}:")
    if _plain(design.get("studyType")).upper() not in ("INTERVENTIONAL", ""):
        raise InputError("is not an interventional study", f"{path}: studyType")
    allocation = _plain(_section(design, "designInfo").get("allocation"), 40).upper()
    if allocation == "RANDOMIZED":
        raise InputError(
            "(RANDOMIZED) is not a single-arm trial, whose sample size this is about", f"{path}: allocation"
        )
    arms = tuple(
        _plain(arm.get("label"), 200)
        for arm in _listed(_section(protocol, "armsInterventionsModule"), "armGroups")
        if isinstance(arm, dict)
    )
    measures = {
        name: tuple(_plain(o.get("measure"), 300) for o in _listed(outcomes, f"{name}Outcomes") if isinstance(o, dict))
        for name in ("primary", "secondary")
    }
    enrollment = _section(design, "enrollmentInfo").get("count")
    usable = isinstance(enrollment, int) and not isinstance(enrollment, bool) and 1 <= enrollment <= 100_000
    enrollment = enrollment if usable else None
    phases = tuple(_plain(phase, 20) for phase in _listed(design, "phases"))
    responds = any(_RESPONSE.search(measure) for measure in measures["primary"])
    sequential = _plain(_section(design, "designInfo").get("interventionModel"), 40).upper() == "SEQUENTIAL"
    if sequential and not responds and {"PHASE1", "EARLY_PHASE1"} & set(phases):
        raise InputError(
            f"(SEQUENTIAL, {', '.join(phases)}) describes a dose escalation; no primary outcome is a response rate, so "
            "there is no single-arm design with a response endpoint",
            f"{path}: interventionModel",
        )
    texts = [(name, prose.get(name) or "") for name in ("briefSummary", "detailedDescription")]
    texts += [
        (f"{name}Outcomes", o.get("description") or "")
        for name in ("primary", "secondary")
        for o in _listed(outcomes, f"{name}Outcomes")
        if isinstance(o, dict)
    ]
    status = _section(protocol, "statusModule")
    warnings = []
    if not responds:
        warnings.append("no primary outcome is a response rate: the designs here need a binary endpoint")
    if "PHASE2" not in phases:
        warnings.append(f"phase {', '.join(phases) or 'not stated'}: the trial may not have a phase II design")
    elif "PHASE1" in phases:
        warnings.append("phase I and phase II: the registered number may include the patients of the dose escalation")
    if enrollment is None:
        warnings.append("the record has no usable number of patients")
    if not allocation:
        warnings.append("the allocation is not stated: make sure that the trial is not randomised")
    if len(arms) > 1:
        warnings.append(f"{len(arms)} arms: the registered number may be that of all arms together")
    return Record(
        nct_id,
        title or nct_id,
        phases,
        allocation,
        enrollment,
        _plain(_section(design, "enrollmentInfo").get("type"), 20),
        _plain(_section(status, "startDateStruct").get("date"), 10),
        _plain(_section(status, "completionDateStruct").get("date"), 10),
        arms,
        measures["primary"],
        measures["secondary"],
        _quotes([(place, text) for place, text in texts if isinstance(text, str)]),
        tuple(warnings),
    )


def _day(text: str) -> bool:
    """Whether a text is a day of the calendar."""
    try:
        return text.isascii() and len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _comment(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, 116, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")


def parameter_file(record: Record) -> str:
    """Write a commented parameter file: facts as values, sentences as comments, the rest TO FILL."""
    # a JSON string is a YAML string, whatever is in it
    lines = [
        f"# {record.nct_id}, from its ClinicalTrials.gov record. Lines marked TO FILL are not in the record: they are",
        "# assumptions until a protocol says them. simtrial refuses the file until p0, p1, alpha and power are given.",
    ]
    lines += [_comment(f"WARNING: {warning}", "") for warning in record.warnings]
    lines += [
        "trial:",
        "  study:",
        f"    id: {record.nct_id}",
        f"    title: {json.dumps(record.title, ensure_ascii=False)}",
    ]
    if record.enrollment is not None:
        lines.append(
            f"    registered_enrollment: {record.enrollment}  # {record.enrollment_type.lower() or 'type not said'}"
        )
    for name, day in (("start", record.start), ("completion", record.completion)):
        if _day(day) and (name == "start" or not _day(record.start) or record.start < day):
            lines.append(f"    {name}: {day}")
        elif day:
            lines.append(f"    # {name}: TO FILL with a day; the record has {day}")
    lines += ["    source: ClinicalTrials.gov record", ""]
    lines += [
        _comment(f"phase {', '.join(record.phases) or 'not stated'}; allocation {record.allocation or 'not stated'}")
    ]
    lines += [_comment(f"arm: {label}") for label in record.arms]
    lines += [_comment(f"primary outcome: {measure}") for measure in record.primary]
    lines += [_comment(f"secondary outcome: {measure}") for measure in record.secondary[:20]]
    if record.quotes:
        lines += [
            "",
            _comment("What the record says of the design, sentence by sentence; nothing of it was taken over."),
        ]
        for quote in record.quotes:
            numbers = f"; numbers {', '.join(quote.numbers)}" if quote.numbers else ""
            lines.append(_comment(f"[{quote.place}; {', '.join(quote.words)}{numbers}] {quote.sentence}"))
    else:
        lines += [
            "",
            _comment("No design words were found in the record: how its number of patients was found is TO FILL."),
        ]
    lines += [
        "",
        *(
            []
            if record.enrollment is None
            else ["  stated:", f"    n: {record.enrollment}", "    source: ClinicalTrials.gov record", ""]
        ),
        "  hypotheses:",
        "    # p0: TO FILL, response rate not worth pursuing",
        "    # p1: TO FILL, response rate worth finding",
        "    # alpha: TO FILL, one-sided",
        "    # power: TO FILL",
        "    basis: assumed                # protocol, once a protocol says the four numbers",
        "",
        "  design:",
        f"    criterion: minimax            # TO FILL: {', '.join(CRITERIA)}; or looks",
    ]
    return "\n".join(lines) + "\n"
