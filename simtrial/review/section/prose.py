"""A text in the form in which the patterns read it, with the place of every character in the text as it was written.

Symbols have one form ("at least 3", ">= 3" and "3 or more" are all ">=3" in one character), number words are digits,
and every number is a single character: `RATE` for a rate (10%, 0.10, ten percent), `COUNT` for a whole number, `OTHER`
for the rest. A pattern so needs no arithmetic and cannot read half a number. A quote is always given as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, COUNT, OTHER, GAP, BREAK = "§", "#", "~", "…", "¶"
"""What stands for a rate, a whole number, another number, words left out of a quotation, and the end of a sentence."""

SHORT_LINE = 45
"""Characters below which a line is a line of a list."""

MOST_AROUND = 120
"""Most characters of a quote."""

_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_UNITS)} | {word: 20 + 10 * k for k, word in enumerate(_TENS)}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_TEN = "|".join(_TENS)
_WORDS = re.compile(
    rf"(?i)(?<![\w-])(?:(?:(?P<h>{_UNIT}) hundred(?: and)?[ -]?)?(?:(?P<t>{_TEN})(?:[ "
    rf"-](?P<u>{'|'.join(_UNITS[1:10])}))?"
    rf"|(?P<s>{_UNIT}))|(?P<only>{_UNIT}) hundred)\b"
    r"(?![- ]?(?:sided|tailed|tail\b|side\b|stages?\b|steps?\b|samples?\b|arms?\b|groups?\b|way\b|proportion|third|"
    r"half))"
)

_MISREAD = {
    "â‰¥": "≥", "â‰¤": "≤", "Î±": "α", "Î²": "β", "Ï€": "π", "â€“": "-", "â€”": "-", "â€™": "'", "â€œ": '"',
    "â€\x9d": '"', "Â±": "±", "Â·": "·", "Â ": " ", "&lt;": "<", "&gt;": ">", "&amp;": "&", "&le;": "≤", "&ge;": "≥",
    "&alpha;": "α", "&beta;": "β", "&nbsp;": " ", "\\alpha": "α", "\\beta": "β", "\\pi": "π", "\\geqslant": "≥",
    "\\leqslant": "≤", "\\geq": "≥", "\\leq": "≤", "\\ge": "≥", "\\le": "≤", "\\%": "%",
}  # fmt: skip
"""UTF-8 read as Windows-1252, entities of HTML, commands of LaTeX."""

_CHARACTERS = {
    "α": "alpha ", "β": "beta ", "π": "p", "≧": "≥", "⩾": "≥", "≦": "≤", "⩽": "≤", "‐": "-", "‑": "-", "‒": "-",
    "–": "-", "—": "-", "−": "-", "\u00ad": "", "\u200b": "", "\ufeff": "", "’": "'", "‘": "'", "“": '"', "”": '"',
    "$": "", "*": "", "§": " ", "#": " ", "~": " ", "¶": " ", "_": "", "{": "", "}": "", "＝": "=",
}  # fmt: skip

_NUMBER = r"\d+(?:\.\d+)?"
_FEWER = r"(?:fewer|less|lower|below|smaller)"
_MORE = r"(?:more|greater|higher|above|larger|better)"
_WHOLE = r"(?:[<>≤≥=] ?)?(\d+(?:\.\d+)?%?|\.\d+)"

_FORMS: tuple[tuple[str, str], ...] = (
    # numbers
    (r"(?<=\d)[·](?=\d)", "."),
    (r"(?<![\d.,])(0|\d{1,2}(?=,\d{1,2} ?%)),(?=\d)", r"\1."),
    (r"(?i)(?<=\d) ?(?:%|percent\b|per cent\b|per-cent\b|pct\b)", "%"),
    (r"(?i)(?<=\d)%[- ]?points?\b", " points"),
    # symbols of the field: their digits belong to the name
    (r"(?i)\bp ?[(\[] ?([01]) ?[)\]]", r"p\1"),
    (r"(?i)\bp ?([01])(?![\d.%/])(?=\W)", r"p\1"),
    (r"(?i)\bh ?[(\[] ?([01a]) ?[)\]]", r"H\1"),
    (r"(?i)\bh ?([01])(?![\d.%])", r"H\1"),
    (r"(?i)\b(?:type|class)[- ]?(?:1|i|one)(?: error)? ?(?:and|&|/|or) ?(?:type[- ]?)?(?:2|ii|two)[- ]?errors?",
     "type12 error"),
    (r"(?i)\btype[- ]?(?:1|i|one) (?=probability)", "type1 error "),
    (r"(?i)\btype[- ]?(?:1|i|one)[- ]error|\berror of (?:the )?(?:1st|first) kind", "type1 error"),
    (r"(?i)\btype[- ]?(?:2|ii|two)[- ]error|\berror of (?:the )?(?:2nd|second) kind", "type2 error"),
    (r"(?i)\b1 ?- ?beta\b", "power"),
    (r"(?i)\b(?:1|one|single)[ =-]{0,3}(?:sided|tailed|tail|side)\b|\bunilateral(?: situation| test)?\b", "one-sided"),
    (r"(?i)\b(?:2|two|double)[ =-]{0,3}(?:sided|tailed|tails?|sides?)\b|\bbilateral(?= (?:test|alpha|situation))",
     "two-sided"),
    (r"(?i)\b(?:2|two)[ -](?:stages?|steps?|phases?(?= design))\b", "two-stage"),
    (r"(?i)\b(?:1|one|single)[ -](?:stage|step)\b", "one-stage"),
    (r"(?i)\b(?:3|three)[ -](?:stages?|steps?)\b", "three-stage"),
    (r"\bH ?[aA]\b", "H1"),
    (r"(?i)\b([nr]) ?([12])\b(?= ?[=:(<>≤≥/)]| is | patients)", r"\1\2"),
    (r"(?i)\b(?:first|initial|1st) (?:stage|step|phase(?= of (?:the )?(?:simon|two|study|trial|design|enrol|"
        r"accrual)))", "stage1"),
    (r"(?i)\b(?:second|2nd) (?:stage|step|phase(?= of (?:the )?(?:simon|two|study|trial|design|enrol|accrual)))",
     "stage2"),
    (r"(?i)\b(?:stage|step)[ -]?(?:1|i|one|a)\b(?! (?:analysis|and (?:2|ii)))", "stage1"),
    (r"(?i)\b(?:stage|step)[ -]?(?:2|ii|two|b)\b", "stage2"),
    (r"(?i)\balfa\b", "alpha"),
    (r"\b(\d{1,4}) \(\1\)", r"\1"),
    (r"(?i)\bfrom((?: [a-z-]+){0,3}) (\d{1,2}(?:\.\d+)?|\.\d+)%? ?to (?=(?:\d{1,2}(?:\.\d+)?|\.\d+)%)",
     r"from\1 \2% onto "),
    (r"(?i)\bfrom((?: [a-z-]+){0,3}) (0?\.\d+) ?to (?=0?\.\d)", r"from\1 \2 onto "),
    # comparisons, which stand before their number in the end
    (r"(?i)(?:>|greater than|more than|higher than|larger than) ?(?:or|/) ?(?:=|equal(?:s)?(?: to)?|the same as)", "≥"),
    (r"(?i)(?:<|less than|lower than|fewer than) ?(?:or|/) ?(?:=|equal(?: to)?)", "≤"),
    (r"(?i)\b(?:greater|more|higher|larger) (?:than )?or equal (?:to|than)", "≥"),
    (r"(?i)\b(?:fewer|less|lower) (?:than )?or equal (?:to|than)", "≤"),
    (r"(?i)\bequal (?:to )?or (?:greater|more|higher|larger|superior)(?: than| to)?", "≥"),
    (r"(?i)\bequal (?:to )?or (?:fewer|less|lower|inferior)(?: than| to)?", "≤"),
    (r">=|=>|≥ ?=", "≥"),
    (r"<=|=<|≤ ?=", "≤"),
    (r"(?i)\b(?:not?|never) (?:fewer|less|lower) than\b|\bat least\b|\b(?:a |with a )?minimum (?:of|is)\b|"
        r"\bat minimum\b", "≥"),
    (r"(?i)\b(?:not?|never) (?:more|greater|higher) than\b|\bat most\b|\bnot exceed(?:ing)?\b|\bdoes not exceed\b",
     "≤"),
    (r"(?i)\b(?:more|greater|higher|larger) than\b|\bexceed(?:s|ing)?\b|\bin excess of\b|\bsuperior to\b", ">"),
    (r"(?i)\b(?:fewer|less|lower|smaller) than\b|\binferior to\b", "<"),
    (rf"(?i)\b(?:below|under)(?= (?:a (?:rate|proportion) of )?{_NUMBER})", "<"),
    (rf"(?i)\b(?:above|over)(?= (?:a (?:rate|proportion) of )?{_NUMBER})", ">"),
    (r"(?i)(?<![.\d-])0 ?- ?([1-9])\b(?=(?: [a-z-]+){0,3} (?:respon|of\b|out\b|success|patients))", r"≤\1"),
    (r"(?i)\b0,? (?:1 )?(?:or|to|-|/) ?([1-9])\b(?!%|\.\d)(?! (?:weeks|months|days))", r"≤\1"),
    (r"(?i)\b([1-9]) or (?:0|no|none)\b(?!%|\.\d)", r"≤\1"),
    (r"(?i)\b(?:no|none) or ([1-9])\b(?!%|\.\d)", r"≤\1"),
    (r"(?i)(?<=\bif )0(?= ?/ ?\d)", "≤0"),
    (rf"(?i){_WHOLE},? ?\(?or {_MORE}\b\)?", r"≥\1"),
    (rf"(?i){_WHOLE},? ?\(?or {_FEWER}\b\)?", r"≤\1"),
    (rf"(?i){_WHOLE} ((?:[a-z-]+ ){{1,3}})(?:or|and) {_MORE}\b", r"≥\1 \2"),
    (rf"(?i){_WHOLE} ((?:[a-z-]+ ){{1,3}})(?:or|and) {_FEWER}\b", r"≤\1 \2"),
    (rf"(?i){_WHOLE}\+(?= (?:respon|patients|subjects))", r"≥\1"),
    (r"([≥≤<>]) ?(?:[≥≤<>] ?)+(?=[\d.])", r"\1"),
    (r"(?i)([≥≤<>]) (?:an? |the |about |approximately )?(?=[\d.])", r"\1"),
    (r"(?i)\b(?:no|none|(?<![≥≤<>.\d])0)(?= (?:(?:confirmed|objective|tumou?r|clinical|partial|complete|or|major|"
        r"such|single|"
     r"documented|radiographic) ){0,4}(?:respon|success)(?!\w* (?:assess|evaluat|status|data|rate)))", "≤0"),
    (r"(?i)\bnone(?= (?:of|responds?|in|among|achieve|show))|(?<![≥≤<>.\d\w])0(?= (?:out )?of )", "≤0"),
    (r"(?i)\bif (?:a|1|any|an)(?: (?:objective|confirmed|tumou?r|clinical))? (?:response|responder) (?:is|was) "
     r"(?:seen|observed|noted|documented|found)(?: in 1(?= (?:of|out)))?", "if ≥1 response"),
    (r"[ \t]+", " "),
)  # fmt: skip
"""Each form as it is met, and the one form that the patterns know; in this order."""

_NUMBERS = re.compile(
    r"(?P<range>(?<![\w.])(?P<low>\d{1,3}(?:\.\d+)?|\.\d+)(?P<first>%)? ?(?:-|to|or) ?(?P<high>\d{1,3}(?:\.\d+)?|"
    r"\.\d+)%)"
    r"|(?<![\w.])(?P<percent>\d{1,3}(?:\.\d{1,6})?|\.\d{1,6})%"
    r"|(?<![\w.])(?P<decimal>0?\.\d{1,8})(?![\w.]*\.\d|\d)"
    r"|(?<![\w.])(?P<whole>\d{1,4})(?![\w]|\.\d)"
    r"|(?P<other>(?<![\w.])\d[\d.]*)"
)

_ENDS = re.compile(
    r"\n\s*\n|\n(?=\s*(?:[-•·●▪o]\s|\(?[a-z0-9]{1,2}[.)]\s|stage ?[12I]|H[01a]\b))|(?<=[.!?;:])[ \t]*\n|"
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\be\. g)(?<!\bi\. e)(?<!\bvs)(?<!\bal)(?<!\bca)(?<!\bapprox)(?<!\bFig)"
    r"(?<!\bno)(?<!\bresp)(?<! [A-Z])"
    r"[.!?](?=[\s\"')\]]*\s[\s\"'(\[]*[A-Z0-9<>=≥≤•…-])|;(?![^();]{0,100}\))"
)
_LEFT_OUT = re.compile(r"\[ ?(?:\.{3}|…) ?\]|(?<!\.)\.{3}(?!\.)|…")


@dataclass(frozen=True, slots=True)
class Written:
    """Numbers that stand for one character: one, or the two ends of a range."""

    values: tuple[float, ...]


class _Tracked:
    """A text under replacement, with the span in the first text that every character comes from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = list(range(len(text)))
        self.ends = list(range(1, len(text) + 1))

    def replace(self, pattern: str | re.Pattern[str], new: Callable[[re.Match[str]], str]) -> None:
        """Put something else in the place of every match."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for found in re.finditer(pattern, self.text):
            low, high = found.span()
            if low == high:
                continue
            told = new(found)
            pieces += [self.text[done:low], told]
            starts += self.starts[done:low] + [self.starts[low]] * len(told)
            ends += self.ends[done:low] + [self.ends[high - 1]] * len(told)
            done = high
        self.text = "".join([*pieces, self.text[done:]])
        self.starts = starts + self.starts[done:]
        self.ends = ends + self.ends[done:]


@dataclass(frozen=True)
class Prose:
    """A text as the patterns read it.

    Attributes
    ----------
    text : str
        In one form, every number one character.
    written : str
        As it was written.
    numbers : dict of int to Written
        The numbers, by their place in `text`.
    starts, ends : tuple of int
        Where every character of `text` begins and ends in `written`.
    """

    text: str
    written: str
    _: KW_ONLY
    numbers: dict[int, Written]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @cached_property
    def sentences(self) -> tuple[tuple[int, int], ...]:
        """First and last place of every sentence."""
        found, begin = [], 0
        for at, character in enumerate(self.text):
            if character == BREAK:
                found.append((begin, at))
                begin = at + 1
        return (*found, (begin, len(self.text)))

    def around(self, at: int) -> tuple[int, int]:
        """The sentence that holds a place."""
        low = self.text.rfind(BREAK, 0, at) + 1
        high = self.text.find(BREAK, at)
        return low, len(self.text) if high < 0 else high

    def values(self, at: int) -> tuple[float, ...]:
        """The number at a place; two for a range."""
        return self.numbers[at].values

    def whole(self, at: int) -> int:
        """The whole number at a place."""
        return int(self.numbers[at].values[0])

    def quote(self, low: int, high: int) -> str:
        """The words as they were written, on one line, whole words only; the beginning of many."""
        start, end = self.starts[low], self.ends[high - 1]
        while start > 0 and self.written[start - 1].isalnum() and self.written[start].isalnum():
            start -= 1
        while end < len(self.written) and self.written[end].isalnum() and self.written[end - 1].isalnum():
            end += 1
        said = " ".join("".join(c if c.isprintable() else " " for c in self.written[start:end]).split())
        return said if len(said) <= MOST_AROUND else said[:MOST_AROUND].rpartition(" ")[0] or said[:MOST_AROUND]

    def paragraph(self, at: int) -> int:
        """Number of the paragraph that holds a place, from 1."""
        before = self.written[: self.starts[at]]
        return 1 + len(re.findall(r"\S[ \t\r]*\n[ \t\r]*\n+[ \t\r]*(?=\S)", before + "."))


def _words(found: re.Match[str]) -> str:
    part = {name: (value or "").lower() for name, value in found.groupdict().items()}
    if part["only"]:
        return str(100 * _SMALL[part["only"]])
    hundreds = 100 * _SMALL[part["h"]] if part["h"] else 0
    tens = _SMALL[part["t"]] if part["t"] else 0
    return str(hundreds + tens + _SMALL.get(part["u"] or part["s"], 0))


def _numbers(found: re.Match[str]) -> tuple[str, tuple[float, ...]]:
    part = found.groupdict()
    if part["range"]:
        return RATE, (float(part["low"]) / 100, float(part["high"]) / 100)
    if part["percent"]:
        return RATE, (round(float(part["percent"]) / 100, 10),)
    if part["decimal"]:
        return RATE, (float(part["decimal"]),)
    if part["whole"]:
        return COUNT, (float(part["whole"]),)
    value = re.fullmatch(r"\d+\.\d+", part["other"].rstrip("."))
    return OTHER, (float(value[0]),) if value else ()


def prose(written: str) -> Prose:
    """Give a text the one form that the patterns know."""
    text = _Tracked(written)
    for wrong, right in _MISREAD.items():
        if wrong in text.text:
            text.replace(re.escape(wrong), lambda _, right=right: right)  # type: ignore[misc]
    # runs are cut before any pattern sees them, so that none takes time in the square of their length
    text.replace(r"[^\S\n]{2,}", lambda _: " ")
    text.replace(r"(?:\s*\n){3,}", lambda _: "\n\n")
    text.replace(_LEFT_OUT, lambda _: GAP)
    text.replace(r"[^\x00-\x7f]|[$*§#~¶_{}]", lambda found: _plain(found[0]))
    text.replace(r"(?<=\d),(?=\d{3}(?!\d))", lambda _: "")
    text.replace(r"\d{8,}", lambda _: OTHER)
    text.replace("\n", _line_end)
    text.replace(_ENDS, lambda _: BREAK)
    text.replace(r"\s+", lambda _: " ")
    text.replace(_WORDS, _words)
    for pattern, form in _FORMS:
        text.replace(pattern, lambda found, form=form: found.expand(form))  # type: ignore[misc]
    numbers: dict[int, Written] = {}
    shift = 0
    for found in _NUMBERS.finditer(text.text):
        _, values = _numbers(found)
        if values:
            numbers[found.start() - shift] = Written(values)
        shift += found.end() - found.start() - 1
    text.replace(_NUMBERS, lambda found: _numbers(found)[0])
    return Prose(text.text, written, numbers=numbers, starts=tuple(text.starts), ends=tuple(text.ends))


def _line_end(found: re.Match[str]) -> str:
    """The end of a short line ends a sentence, as in a list; a line that was only wrapped is longer."""
    begin = found.string.rfind("\n", 0, found.start()) + 1
    return BREAK if 0 < found.start() - begin < SHORT_LINE else "\n"


def _plain(character: str) -> str:
    """A character in its common form: superscripts, full-width letters and ligatures are resolved."""
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    if character in (GAP, "≥", "≤", "±"):
        return character
    if unicodedata.east_asian_width(character) == "W":
        return " "  # letters of a script without spaces would join the words beside them
    common = unicodedata.normalize("NFKC", character)
    return "".join(_CHARACTERS.get(c, c) for c in common)
