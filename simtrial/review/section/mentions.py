"""A value that a text states, with the place of its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Mention:
    """A stated value.

    Attributes
    ----------
    value : int, float or str
        What is stated.
    low, high : int
        Its words, in the text of the prose.
    """

    value: float | str
    low: int
    high: int

    @property
    def number(self) -> float:
        """The value where it is a number; text is not one."""
        return float(self.value)


Mentions: TypeAlias = "dict[str, list[Mention]]"
"""What a text states, by name."""


def distinct(mentions: Iterable[Mention]) -> list[float | str]:
    """The different values, in the order of the text."""
    return list(dict.fromkeys(mention.value for mention in mentions))


def whole(mentions: Iterable[Mention]) -> list[int]:
    """The different values of counts, in the order of the text."""
    return list(dict.fromkeys(int(mention.value) for mention in mentions))
