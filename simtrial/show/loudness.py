"""How much is said besides the answer: ``--quiet``, nothing but warnings and errors; ``--verbose``, every step."""

from __future__ import annotations

from typing import Literal

Loudness = Literal["quiet", "usual", "verbose"]

_chosen: list[Loudness] = []
"""What was asked for: everything that prints asks, however deep it is."""


def choose(loudness: Loudness) -> None:
    """Set how much is said from here on."""
    _chosen[:] = [loudness]


def quiet() -> bool:
    """Whether only the answer, warnings and errors are wanted."""
    return _chosen == ["quiet"]


def verbose() -> bool:
    """Whether every step is to be told with its time."""
    return _chosen == ["verbose"]
