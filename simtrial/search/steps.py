"""A design step by step, in words: how many patients at each look, and what each number of responses leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simtrial.phrases import agreeing, counted

if TYPE_CHECKING:
    from simtrial.design.designs import Design, Look

Kind = Literal["futile", "not_rejected", "rejected", "effective"]
"""How a trial ends: it stops for futility, ends without or with rejection of H0, or stops for efficacy."""

ENDINGS: dict[Kind, tuple[str, str]] = {
    "futile": ("Stop for futility", "H0 is not rejected"),
    "not_rejected": ("No success", "H0 is not rejected"),
    "rejected": ("Success", "H0 is rejected"),
    "effective": ("Stop for efficacy", "H0 is rejected"),
}
"""What an ending is called, and what it means."""

Words = tuple[str, str]
"""A condition in two parts, which may stand on two lines: ("at most 1", "response")."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One way in which a trial ends at a look.

    Attributes
    ----------
    kind : Kind
        What the ending is.
    condition : Words
        The numbers of responses that lead there.
    """

    kind: Kind
    condition: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class LookStep:
    """One look: its patients, and what follows.

    Attributes
    ----------
    lines : tuple of str
        Patients added, patients in all, and which analysis this is.
    low, high : Leaf or None
        How the trial ends with few responses and with many; None where it does not.
    onward : Words or None
        When it continues to the next look; None at the last one.
    """

    lines: tuple[str, ...]
    low: Leaf | None
    high: Leaf | None
    onward: Words | None


def at_most(x: int, look: Look, *, first: bool) -> Words:
    """Few responses: ("at most 1", "response") at the first look, ("at most 5", "of 25") later.

    >>> from simtrial.design.designs import Look
    >>> at_most(0, Look(15, 0), first=True), at_most(0, Look(25, 0), first=False)
    (('no', 'response'), ('none', 'of 25'))
    """
    if x == 0:
        return ("no", "response") if first else ("none", f"of {look.n:,}")
    return f"at most {x:,}", agreeing(x, "response") if first else f"of {look.n:,}"


def at_least(x: int, look: Look, *, first: bool) -> Words:
    """Many responses: ("at least 2", "responses") at the first look, ("at least 6", "of 25") later."""
    return f"at least {x:,}", agreeing(x, "response") if first else f"of {look.n:,}"


def _onward(look: Look, *, first: bool) -> Words:
    """When the trial continues after a look."""
    if look.r is None and look.e is None:
        return "with any number", "of responses"
    if look.e is None:
        return at_least((look.r or 0) + 1, look, first=first)
    if look.r is None:
        return at_most(look.e - 1, look, first=first)
    low, high = look.r + 1, look.e - 1
    numbers = f"exactly {low:,}" if low == high else f"{low:,} {'or' if high == low + 1 else 'to'} {high:,}"
    return numbers, agreeing(high, "response") if first else f"of {look.n:,}"


def steps(design: Design) -> list[LookStep]:
    """Every look of a design in order.

    Examples
    --------
    >>> from simtrial import TwoStage
    >>> for step in steps(TwoStage(r1=1, n1=15, r=5, n=25)):
    ...     print(step.lines, step.low.condition, step.onward or step.high.condition)
    ('15 patients', 'interim analysis') ('at most 1', 'response') ('at least 2', 'responses')
    ('10 more patients', '25 in total', 'final analysis') ('at most 5', 'of 25') ('at least 6', 'of 25')
    """
    looks, found = design.looks, []
    for k, look in enumerate(looks):
        first, last = k == 0, k == len(looks) - 1
        more = look.n - (0 if first else looks[k - 1].n)
        analysis = "final analysis" if last else "interim analysis" if len(looks) == 2 else f"interim analysis {k + 1}"
        added = counted(more, "patient") if first else f"{more:,} more {agreeing(more, 'patient')}"
        low = (
            Leaf("not_rejected" if last else "futile", at_most(look.r, look, first=first))
            if look.r is not None
            else None
        )
        bound = (look.r or 0) + 1 if last else look.e
        high = None
        if bound is not None:
            high = Leaf("rejected" if last else "effective", at_least(bound, look, first=first))
        found.append(
            LookStep(
                lines=(added, *(() if first else (f"{look.n:,} in total",)), analysis),
                low=low,
                high=high,
                onward=None if last else _onward(look, first=first),
            )
        )
    return found


def told(design: Design) -> str:
    """The same as sentences, for a text alternative."""
    said = []
    for k, step in enumerate(steps(design), start=1):
        said.append(f"Look {k}: {', '.join(step.lines)}.")
        for leaf in (step.low, step.high):
            if leaf is not None:
                name, meaning = ENDINGS[leaf.kind]
                said.append(f"{' '.join(leaf.condition).capitalize()}: {name.lower()}, {meaning}.")
        if step.onward is not None:
            said.append(f"{' '.join(step.onward).capitalize()}: the trial continues.")
    return " ".join(said)
