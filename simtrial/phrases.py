"""Numbers, counts and lists as they stand in a sentence: one form for each, so that all texts agree."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """A number with its noun, in the singular for 1 alone.

    >>> counted(1, "response"), counted(0, "response"), counted(1.5, "month"), counted(2, "analysis", "analyses")
    ('1 response', '0 responses', '1.5 months', '2 analyses')
    """
    shown = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{shown} {agreeing(number, noun, plural)}"


def agreeing(number: float, one: str, many: str | None = None) -> str:
    """The word alone that agrees with a number: a noun, or a verb with both its forms.

    >>> agreeing(1, "is", "are"), agreeing(2, "is", "are"), agreeing(0, "patient")
    ('is', 'are', 'patients')
    """
    return one if number == 1 else many or f"{one}s"


def listed(parts: Sequence[str]) -> str:
    """Parts as in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def spanned(numbers: Sequence[int]) -> str:
    """Increasing whole numbers in words, three or more without a gap by their ends.

    >>> spanned([8, 9, 10, 11]), spanned([5, 10, 15]), spanned([3, 4])
    ('8 to 11', '5, 10 and 15', '3 and 4')
    """
    whole = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{numbers[0]} to {numbers[-1]}" if whole else listed([str(n) for n in numbers])


def together(bounds: Iterable[tuple[int, int | None]]) -> list[tuple[int, list[int]]]:
    """Each bound with the numbers of patients at which it holds, neighbours together; where none holds is left out.

    >>> together([(2, None), (3, 3), (4, 3), (5, 4)])
    [(3, [3, 4]), (4, [5])]
    """
    found: list[tuple[int, list[int]]] = []
    for n, bound in bounds:
        if bound is None:
            continue
        if found and found[-1][0] == bound:
            found[-1][1].append(n)
        else:
            found.append((bound, [n]))
    return found


def percent(value: float) -> str:
    """A computed probability in a sentence: a percentage with one decimal; a dash for none.

    >>> percent(0.0328), percent(0.8), percent(1e-5), percent(0.99999)
    ('3.3%', '80.0%', 'less than 0.1%', 'more than 99.9%')
    """
    if math.isnan(value):
        return "–"
    if 0 < value < 0.0005:
        return "less than 0.1%"
    if 0.9995 <= value < 1:
        return "more than 99.9%"
    return f"{100 * value:.1f}%"


def percent_beside(value: float, limit: float) -> str:
    """A percentage with one decimal, or as many as show on which side of a limit it lies.

    >>> percent_beside(0.0328, 0.05), percent_beside(0.79996, 0.8), percent_beside(0.8, 0.8)
    ('3.3%', '79.996%', '80.0%')
    """
    for digits in range(1, 13):
        text = f"{100 * value:.{digits}f}"
        if value == limit or text != f"{100 * limit:.{digits}f}":
            return f"{text}%"
    return f"{100 * value!r}%"


def attained(value: float, limit: float, *, least: bool) -> str:
    """A probability that has a limit: one decimal, or as many as show that the limit is missed.

    >>> attained(0.8004, 0.8, least=True), attained(0.7996, 0.8, least=True), attained(0.0501, 0.05, least=False)
    ('80.0%', '79.96%', '5.01%')
    """
    kept = value >= limit if least else value <= limit
    return percent(value) if kept else percent_beside(value, limit)


def stated(value: float) -> str:
    """A probability that somebody stated, as a percentage with the digits that it has.

    >>> stated(0.1), stated(0.125), stated(0.0125)
    ('10%', '12.5%', '1.25%')
    """
    return f"{100 * value:.6g}%"


def rate(value: float) -> str:
    """A probability in a table: three significant digits; what is below 0.0001 is not written out.

    >>> rate(0.03281), rate(0.8017), rate(0.05), rate(0), rate(1), rate(3e-7)
    ('0.0328', '0.802', '0.0500', '0', '1', '< 0.0001')
    """
    if value in (0, 1):
        return f"{value:.0f}"
    return f"{value:#.3g}" if not 0 < value < 1e-4 else "< 0.0001"


def ended(text: str) -> str:
    """A text of somebody else as a sentence: with a full stop where it has none.

    >>> ended("Age is summarised"), ended("Is it?"), ended("It is.")
    ('Age is summarised.', 'Is it?', 'It is.')
    """
    whole = text.rstrip()
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


_PLACEHOLDER = re.compile(r"\[TO COMPLETE: ([^\]]*)\]")


def to_complete(missing: str) -> str:
    """The mark that stands for what nobody has stated yet.

    >>> to_complete("who reviews the interim data")
    '[TO COMPLETE: who reviews the interim data]'
    """
    return f"[TO COMPLETE: {missing.translate(str.maketrans('[]', '()'))}]"


def placeholders(text: str) -> list[str]:
    """What the marks of a text stand for, in order.

    >>> placeholders("Reviewed by [TO COMPLETE: the committee].")
    ['the committee']
    """
    return _PLACEHOLDER.findall(text)


def around_placeholders(text: str) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is a mark.

    >>> around_placeholders("By [TO COMPLETE: whom].")
    [('By ', False), ('[TO COMPLETE: whom]', True), ('.', False)]
    """
    pieces, end = [], 0
    for mark in _PLACEHOLDER.finditer(text):
        pieces += [(text[end : mark.start()], False), (mark[0], True)]
        end = mark.end()
    return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]
