"""A boundary that stops a trial for toxicity: its counts, and what it does at any rate of toxicity.

A boundary counts toxicities: at a look with n patients the trial stops if at least b of them have had one. Another
convention names the largest acceptable count, b - 1, so a printed boundary says which of the two it is.

Patients count in the order of their enrollment, and a look at n is about the first n of them. A patient has no toxicity
once the window is over without one; until then he is pending, and a toxicity counts as soon as it occurs. So the
boundary is crossed as soon as b of the first n have had one, whoever is pending, and which trials cross it does not
depend on when toxicities occur.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.designs import MAX_LOOKS
from simtrial.errors import InputError
from simtrial.numbers import count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats


class ToxicityLook(NamedTuple):
    """One look: stop if at least `b` of the first `n` patients have had a toxicity; no b stops for nothing."""

    n: int
    b: int | None


@dataclass(frozen=True, slots=True)
class ToxicityBoundary:
    """Looks at toxicity, in order.

    Parameters
    ----------
    looks : tuple of ToxicityLook
        Patients increase; b is at least 1 and at most n.

    Raises
    ------
    InputError
        If a look does not follow the one before, or its bound is none.
    """

    looks: tuple[ToxicityLook, ...]

    def __post_init__(self) -> None:
        if not self.looks:
            raise InputError("is empty; give at least one look, such as 3/10", "boundary")
        if len(self.looks) > MAX_LOOKS:
            raise InputError(f"has {counted(len(self.looks), 'look')}; at most {MAX_LOOKS} are allowed", "boundary")
        checked = tuple(
            ToxicityLook(count(look.n, "n", at_least=1), None if look.b is None else count(look.b, "b", at_least=1))
            for look in self.looks
        )
        for earlier, later in pairwise(checked):
            if earlier.n >= later.n:
                raise InputError(f"(n = {earlier.n}, then {later.n}) does not increase", "boundary")
        for look in checked:
            if look.b is not None and look.b > look.n:
                raise InputError(f"({look.b}/{look.n}) asks for more toxicities than patients", "boundary")
        object.__setattr__(self, "looks", checked)

    @property
    def n(self) -> int:
        """Patients at the last look."""
        return self.looks[-1].n

    def of(self, n: int) -> int | None:
        """The bound of the look at n patients; None if there is no look, or it does not stop."""
        return next((look.b for look in self.looks if look.n == n), None)

    def within(self, n: int) -> ToxicityBoundary | None:
        """The looks at no more than n patients; None if there is none."""
        kept = tuple(look for look in self.looks if look.n <= n)
        return ToxicityBoundary(kept) if kept else None


class Crossing(NamedTuple):
    """What a boundary does at some rates of toxicity: arrays of shape (rates,).

    Attributes
    ----------
    ever : ndarray
        Probability of crossing it, the last look included.
    before_last : ndarray
        Probability of crossing it before the last look, so that the trial stops early.
    en : ndarray
        Expected patients: those of the look that stops, or of the last one.
    at_look : ndarray, shape (rates, looks)
        Probability of crossing it first at each look.
    """

    ever: Floats
    before_last: Floats
    en: Floats
    at_look: Floats


def crossing(boundary: ToxicityBoundary, rates: Sequence[float]) -> Crossing:
    """Exact probabilities of crossing a boundary, by the recursion over its looks.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The counts.
    rates : sequence of float
        Probabilities of toxicity in one patient.

    Examples
    --------
    >>> found = crossing(parse_boundary("1/1,2/3"), [0.5])
    >>> float(found.ever[0]), float(found.en[0])
    (0.625, 2.0)
    """
    n = np.array([look.n for look in boundary.looks])
    p = np.asarray(rates, dtype=np.float64)[:, np.newaxis]
    at_look = np.zeros((len(p), len(n)))
    reached, before = np.ones((len(p), 1)), 0
    for k, look in enumerate(boundary.looks):
        # patient by patient; who would be beyond the next bound is not told apart
        width = next((later.b for later in boundary.looks[k:] if later.b is not None), 0)
        for _ in range(look.n - before if width else 0):
            reached = _one_more(reached, p, width)
        before = look.n
        if look.b is not None:
            at_look[:, k] = reached[:, look.b :].sum(axis=1)
            reached = reached[:, : look.b]
    ever = np.minimum(at_look.sum(axis=1), 1.0)
    return Crossing(ever, at_look[:, :-1].sum(axis=1), at_look @ n + (1 - ever) * n[-1], at_look)


def _one_more(reached: Floats, p: Floats, width: int) -> Floats:
    """One more patient: probabilities of 0, 1, ... toxicities, the last of them of `width` or more."""
    size = reached.shape[1]
    moved = np.zeros((len(p), size + 1))
    moved[:, :size] = (1 - p) * reached
    moved[:, 1:] += p * reached
    if size > width:
        moved[:, width] = moved[:, width:].sum(axis=1)
    return moved[:, : width + 1]


_LOOK = re.compile(r"(?P<b>[1-9]\d{0,3}|-)/(?P<n>[1-9]\d{0,3})", re.ASCII)


def parse_boundary(text: str) -> ToxicityBoundary:
    """Read a boundary written `B/N`: ``3/10,5/20`` stops if at least 3 of 10, or 5 of 20, have had a toxicity.

    A look that never stops is written `-/N`.

    Raises
    ------
    InputError
        If the text is not of that form, or the looks contradict each other.
    """
    looks = []
    for part in text.split(","):
        match = _LOOK.fullmatch(part.strip())
        if match is None:
            raise InputError(
                f"({part.strip()[:40]!r}) does not have the form B/N; write a boundary as 3/10,5/20", "boundary"
            )
        looks.append(ToxicityLook(int(match["n"]), None if match["b"] == "-" else int(match["b"])))
    return ToxicityBoundary(tuple(looks))


def boundary_text(boundary: ToxicityBoundary, separator: str = ",") -> str:
    """Write a boundary the way `parse_boundary` reads it.

    >>> boundary_text(parse_boundary("-/1,2/2,3/10"))
    '-/1,2/2,3/10'
    """
    return separator.join(f"{'-' if look.b is None else look.b}/{look.n}" for look in boundary.looks)
