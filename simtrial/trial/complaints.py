"""What is wrong with a file, mistake by mistake: the complaints of pydantic in words, each with its remedy.

A misspelt key is told with the key that was probably meant, a key of another section with the section it belongs to. A
key that is missing only because it is misspelt is no second mistake.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import BaseModel

from simtrial import slips
from simtrial.errors import MOST_LISTED, InputError, several
from simtrial.trial.choices import OneOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]

_WORDS = {
    "string_too_short": "is empty; write something, or leave it out",
    "missing": "is missing",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "string_type": "is not text; write it in quotes if it looks like a number",
    "bool_type": "is neither true nor false",
    "date_type": "is not a date; write it as 2025-07-31",
    "finite_number": "is not a finite number",
    "string_pattern_mismatch": "is not a name of at most 64 letters, digits, '.', '_' or '-' that begins with a "
    "letter or digit",
    "invalid_key": "stands where a key is expected, which is a word",
    "model_type": "is not a section with keys",
    "model_attributes_type": "is not a section with keys",
    "tuple_type": "is not a list; write it as [a, b]",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
}

SYNONYMS = {
    "pu": "p0", "p_u": "p0", "pnull": "p0", "p_null": "p0", "null": "p0", "h0": "p0", "po": "p0",
    "pa": "p1", "p_a": "p1", "palt": "p1", "p_alt": "p1", "alternative": "p1", "target": "p1", "h1": "p1", "pl": "p1",
    "type1": "alpha", "type_1": "alpha", "type_i": "alpha", "sig_level": "alpha", "significance": "alpha",
    "nct": "id", "nct_id": "id", "nctid": "id", "enrollment": "registered_enrollment", "name": "title",
    "dropout_rate": "probability", "dropout": "probability", "method": "criterion", "type": "criterion",
    "nsim": "trials", "n_sim": "trials", "replicates": "trials", "conf_level": "level", "confidence": "level",
}  # fmt: skip
"""Other names of keys, in use elsewhere."""


def of(error: ValidationError, kind: type[BaseModel]) -> InputError:
    """Every mistake that pydantic found, with the full name of its key.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    kind : type of BaseModel
        The file's model, whose keys are known.

    Returns
    -------
    InputError
        One line per mistake, unknown keys first: a misspelt key is also missing, and its own name says more.
    """
    details = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    found: list[InputError] = []
    meant = set()
    for one in details:
        if len(found) > MOST_LISTED:  # only counted
            found.append(InputError(_line(one["msg"]), _name(one["loc"])[:120]))
        elif one["type"] == "extra_forbidden":
            said, key = _unknown(one, kind)
            found.append(said)
            if key:
                meant.add((*one["loc"][:-1], key))
        elif not ((one["type"] == "missing" and one["loc"] in meant) or _follows(one, details)):
            found += _told(one, kind)
    return several(found)


def _follows(one: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """Whether a list is too short only because its entries could not be taken."""
    size, place = len(one["loc"]), one["loc"]
    return one["type"] == "too_short" and any(e["loc"][:size] == place and len(e["loc"]) > size for e in others)


def _told(one: ErrorDetails, kind: type[BaseModel]) -> list[InputError]:
    """The words for one complaint; a rule of ours may hold several."""
    where = _name(one["loc"])
    cause = one.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        lead = f"{where}." if where else ""
        return [
            InputError(_line(rule.message), f"{lead}{rule.field}".rstrip("."))
            for rule in (InputError(cause.message, cause.field), *cause.others)
        ]
    if one["type"] == "missing":
        choices = _choices(kind, one["loc"])
        return [InputError(f"is missing; write {choices}" if choices else "is missing", where)]
    value = one["input"]
    shown = "" if isinstance(value, dict | list | tuple) else f"({value!r:.60}) "
    if one["type"] == "float_type":
        said = slips.number(value) if isinstance(value, str) else "is not a number"
        if isinstance(value, str) and slips.PLAIN.fullmatch(value):
            said = "is text; write the number without quotes"
    else:
        plain = one["msg"].replace("Input should be", "is not").replace("String should have", "does not have")
        plain = plain.replace("is not", "is unknown; write") if one["type"] == "literal_error" else plain
        said = _WORDS.get(one["type"]) or plain
    if one["type"] == "literal_error" and isinstance(value, str):
        meant = slips.nearest(value, re.findall(r"'([^']+)'", str(one.get("ctx", {}).get("expected", ""))), 0.6)
        said += f"; did you mean {meant}?" if meant else ""
    if one["type"] in ("int_type", "int_from_float") and isinstance(value, float) and value.is_integer():
        said = f"is written as a decimal number; write {value:.0f}"
    return [InputError(_line(shown + said), where)]


def _unknown(one: ErrorDetails, kind: type[BaseModel]) -> tuple[InputError, str]:
    """The words for a key that is not known, and the key of the same section that was meant, if one was."""
    *way, last = one["loc"]
    name, value = str(last), one["input"]
    here = _known(kind, tuple(way))
    folded = name.strip().lower().replace("-", "_")
    elsewhere = _homes(kind, name) if name not in here else []
    where = _name(one["loc"])[:120]
    if folded in ("beta", "type2", "type_2", "type_ii") and "power" in here:
        usable = isinstance(value, float) and 0 < value < 1
        wanted = f"power: {round(1 - value, 12)}" if usable else "power, which is 1 - beta"
        return InputError(f"is not a known key; write {wanted}", where), "power"
    synonym = SYNONYMS.get(folded)
    meant = synonym if synonym in here else ""
    if not meant and not elsewhere:
        meant = slips.nearest(name, here, 0.7)
    if meant:
        return InputError(f"is not a known key; did you mean {meant}?", where), meant
    if elsewhere:
        return InputError(f"is not a known key here; it belongs to {' or '.join(elsewhere[:3])}", where), ""
    if value is None and name.isdigit():
        return InputError("is not a known key; if it follows a decimal comma, write a decimal point", where), ""
    return InputError(f"is not a known key; known keys are {', '.join(here)}", where), ""


def _name(place: Place) -> str:
    return ".".join(str(part) for part in place).encode("unicode_escape").decode("ascii")


def _line(text: str) -> str:
    return " ".join(text.split())


def _section_at(kind: type[BaseModel], place: Place) -> type[BaseModel]:
    section = kind
    for part in place:
        field = section.model_fields.get(str(part))
        section = next(_sections(field.annotation), section) if field else section
    return section


def _known(kind: type[BaseModel], place: Place) -> list[str]:
    """The keys of the section at a place of the file."""
    return list(_section_at(kind, place).model_fields)


def _homes(kind: type[BaseModel], name: str) -> list[str]:
    """Where in the file a key is known, the nearest to its root first."""
    found: list[str] = []
    level: list[tuple[str, type[BaseModel]]] = [("", kind)]
    while level:
        below = []
        for place, section in level:
            if name in section.model_fields and place:
                found.append(place)
            for key, field in section.model_fields.items():
                below += [(f"{place}.{key}".lstrip("."), inner) for inner in _sections(field.annotation)]
        level = below
    return found


def _choices(kind: type[BaseModel], place: Place) -> str:
    """The words that a key may hold, where there is only a handful of them."""
    field = _section_at(kind, place[:-1]).model_fields.get(str(place[-1]))
    words = get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
    if field and not words:
        words = next((tuple(one.words) for one in field.metadata if isinstance(one, OneOf)), ())
    return ", ".join(words[:-1]) + f" or {words[-1]}" if words else ""


def _sections(kind: object) -> Iterator[type[BaseModel]]:
    """The sections that a type speaks of, through unions, tuples and annotations."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _sections(part)
