"""Slips of the pen: what somebody who typed a wrong number or word probably meant.

Nothing is ever taken over from here: an error line that knows what was probably meant asks for it.
"""

from __future__ import annotations

import difflib
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
"""A number as it is read: a decimal point, no separators of thousands, no unit."""

_LOOKALIKES = str.maketrans({
    "O": "0", "o": "0", "l": "1", "I": "1", "\u00b7": ".", "\u2022": ".", "\u2219": ".", "\u22c5": ".",
    "\u2212": "-", "\u2013": "-", "\u066b": ".", "\uff0e": ".",
})  # fmt: skip
"""Characters that look like those of a number: letters, the raised point of journals, dashes of a word processor."""


def as_rate(value: float) -> str:
    """Say how a percentage is written as a rate: ``write 0.15 for 15%``; empty for what is none.

    Parameters
    ----------
    value : float
        A number that was given for a rate.
    """
    if not 1 < value < 100:  # 1 may be 1 % or all
        return ""
    shown = Decimal(repr(float(value)))
    return f"write {_short(shown / 100)} for {_short(shown)}%"


def number(text: str) -> str:
    """Say what is wrong with a text that was given for a number, and what would be right.

    Parameters
    ----------
    text : str
        What cannot be read as a number.

    Returns
    -------
    str
        Such as ``uses a decimal comma; write 0.15``, or ``is not a number`` where nothing better is known.
    """
    told = " ".join(text.split())[:40]
    whole = re.fullmatch(r"(.+?)\s*(?:%|percent|per cent|pct)\.?", told, re.IGNORECASE)
    if whole and (value := _decimal(whole[1].replace(",", "."))) is not None:
        return f"is a percentage; {as_rate(float(value)) or 'write it as a rate between 0 and 1'}"
    if re.fullmatch(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", told) and not told.lstrip("+-").startswith("0"):
        return f"holds a separator of thousands; write {told.replace(',', '')}"
    if re.fullmatch(r"[-+]?[0-9]*,[0-9]+", told):
        return f"uses a decimal comma; write {_short(Decimal(told.replace(',', '.')))}"
    if ratio := re.fullmatch(r"([0-9]+)\s*/\s*([1-9][0-9]*)", told):
        quotient = Fraction(int(ratio[1]), int(ratio[2]))
        rounded = f"{float(quotient):.4g}"
        return f"is a fraction; write {'' if Fraction(rounded) == quotient else 'about '}{rounded}"
    bounded = re.fullmatch(r"(?:<=|>=|=<|=>|<|>|=|~|\u2248|\u2264|\u2265)\s*(\S+)", told)
    if bounded and _decimal(bounded[1]) is not None:
        return f"holds a sign before the number; write {bounded[1]}"
    repaired = told.translate(_LOOKALIKES).rstrip(".,;: ")
    if not re.fullmatch(r"[oOlI]+", told) and _decimal(repaired) is not None and repaired != told:
        return f"is not a number; did you mean {repaired}?"
    return "is not a number"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Give the known word that a misspelt one was probably meant to be; empty if none is near.

    Parameters
    ----------
    word : str
        What was written. Case, hyphens and underscores do not count, and where no word is near, ``ph`` is ``f``: alpha
        is alfa in several languages.
    known : iterable of str
        The words that exist.
    cutoff : float
        Least similarity (the ratio of `difflib.SequenceMatcher`).
    """
    plain = {_folded(name): name for name in known}
    heard = {name.replace("ph", "f"): meant for name, meant in plain.items()}
    for said, names in ((_folded(word), plain), (_folded(word).replace("ph", "f"), heard)):
        found = difflib.get_close_matches(said, names, 1, cutoff)
        if found:
            return names[found[0]]
    return ""


def _folded(word: str) -> str:
    return re.sub(r"[-_\s]", "", word.lower())


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if PLAIN.fullmatch(text) else None
    except InvalidOperation:
        return None


def _short(value: Decimal) -> str:
    shown = f"{value:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
