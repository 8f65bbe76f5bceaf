"""The study records in a file saved from ClinicalTrials.gov, in whatever wrapping it was saved.

One record, the answer of a search, a list, records line by line, the older JSON with capitals and the older XML are all
brought to the ``protocolSection`` of the version 2 API. What the registry offers besides (its page, spreadsheets,
archives) is refused by name.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from simtrial import files
from simtrial.errors import InputError
from simtrial.review import older_json, study_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.review.record import StudyProtocol

MAX_WRAPPINGS = 6
"""Most lists and objects around a record."""

REMEDY = "on the study's page choose Download, then JSON"


def protocols(data: bytes, path: object) -> list[StudyProtocol]:
    """Find every study record of a file, each once.

    Parameters
    ----------
    data : bytes
        The file.
    path : object
        Its name, for messages.

    Returns
    -------
    list of dict
        One ``protocolSection`` per study, at least one.

    Raises
    ------
    InputError
        Naming what the file is, if it holds no study record.
    """
    _refuse_other_kinds(data, path)
    text = _text(data)
    if text is None:
        raise InputError("is not JSON: it is not UTF-8 text", f"{path}:")
    if text.lstrip().startswith("<"):
        return _once(study_xml.protocols(data, path))
    found = list(_records(_parsed(text, path), MAX_WRAPPINGS))
    if not found and _is_empty(text):
        raise InputError("holds no study: the search that it answers found none", f"{path}:")
    if not found:
        raise InputError("is no study record of the version 2 API: it has no protocolSection", f"{path}:")
    try:
        return _once(found)
    except RecursionError:
        raise InputError("is nested too deeply", f"{path}:") from None


def _once(found: list[StudyProtocol]) -> list[StudyProtocol]:
    return [one for k, one in enumerate(found) if one not in found[:k]] if len(found) < 200 else found


def _is_empty(text: str) -> bool:
    """Whether a text is the answer of a search that found nothing."""
    try:
        content = json.loads(text)
    except ValueError:
        return False
    return content == [] or (isinstance(content, dict) and content.get("studies") == [])


def _text(data: bytes) -> str | None:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # what a Windows shell writes
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        return None if not data.lstrip().startswith(b"<") else data.decode("latin-1")


def _refuse_other_kinds(data: bytes, path: object) -> None:
    kind = files.kind(data) or _text_kind(data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower())
    if kind.endswith("archive"):
        raise InputError(f"is {kind}; unpack it and name one record of it", f"{path}:")
    if kind:
        raise InputError(f"is {kind}, not a study record; {REMEDY}", f"{path}:")


def _text_kind(start: bytes) -> str:
    """What a text is by its beginning in small letters, where it is certainly no study record."""
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<") and b"<html" in start):
        return "a web page"
    if re.match(rb'"?(rank|nct[ _]?(number|id)|url|title|study title)"?[,;\t]', start):
        return "a spreadsheet of a search (CSV)"
    if re.match(rb"ty  - ", start):
        return "a file of citations (RIS)"
    return "plain text" if start[:1] not in b"{[<" and re.search(rb"\bnct[0-9]{8}\b", start) else ""


def _parsed(text: str, path: object) -> object:
    try:
        return json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise InputError("is nested too deeply", f"{path}:") from None
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
            try:
                return [json.loads(line, parse_constant=_refused) for line in lines]
            except (ValueError, RecursionError):
                pass
        said = "".join(c if c.isprintable() else " " for c in str(error))[:120]
        raise InputError(f"is not JSON: {said}", f"{path}:") from None


def _refused(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _records(content: object, depth: int) -> Iterator[StudyProtocol]:
    """The records in lists and objects, whatever these are called."""
    if isinstance(content, dict):
        modern, older = content.get("protocolSection"), content.get("ProtocolSection")
        if isinstance(modern, dict):
            yield modern
        elif isinstance(older, dict):
            yield older_json.protocol(older)
        elif isinstance(content.get("identificationModule"), dict):
            yield content  # the section by itself
        elif depth:
            for inner in content.values():
                yield from _records(inner, depth - 1)
    elif isinstance(content, list) and depth:
        for inner in content:
            yield from _records(inner, depth - 1)
