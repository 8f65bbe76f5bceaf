"""The designs, and the only home of their two inequalities.

Every bound is cumulative and counts responses: at a look with n patients the trial stops for futility if X <= r and,
where an efficacy bound e is given, stops and rejects H0 if X >= e. The last look rejects H0 if X > r.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from simtrial.errors import InputError
from simtrial.numbers import count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from simtrial.numbers import Bools, Ints


class Regions(NamedTuple):
    """Where each number of responses leads at one look: boolean arrays of one shape, exactly one of them true."""

    accept: Bools
    reject: Bools
    go_on: Bools


def regions(
    responses: Ints,
    r: int | Ints | None,
    e: int | Ints | None,
    *,
    final: bool,
) -> Regions:
    """Sort response counts into accept, reject and go on. This is the only place that says <= and >.

    Parameters
    ----------
    responses : ndarray of int
        Cumulative responses X at a look, any shape.
    r, e : int, ndarray of int or None
        Futility and efficacy bound, one for all or one for each count.
    final : bool
        Whether this is the last look, where the trial rejects H0 unless it is futile.

    Raises
    ------
    ValueError
        If the last look has no bound: it depends on more than the responses there (`second_stages`).
    """
    if final and r is None:
        raise ValueError("the last look has no bound that holds whatever happened before")
    x = np.asarray(responses)
    nowhere = np.zeros(x.shape, dtype=np.bool_)
    futile = nowhere if r is None else x <= r
    reject = ~futile if final else (nowhere if e is None else x >= e)
    return Regions(futile, reject, ~(futile | reject))


@dataclass(frozen=True, slots=True)
class AttainedBounds:
    """Bounds of a design with one or two looks as functions of the numbers evaluable there.

    Attributes
    ----------
    first : ndarray of int, shape (n1 + 1, 2)
        r and e of the first of two looks, by the number evaluable; e is above every count where there is none. Empty
        for a single look.
    final : ndarray of int, shape (n1 + 1, n + 1) or (1, n + 1)
        r of the last look, by the numbers evaluable at the first (row) and at the last look (column); one row for a
        single look.
    """

    first: Ints
    final: Ints


@dataclass(frozen=True, slots=True)
class Look:
    """One analysis: after `n` patients, stop for futility if X <= `r`, stop and reject H0 if X >= `e`.

    Parameters
    ----------
    n : int
        Patients analysed, cumulative.
    r : int or None
        Futility bound; None at an interim look that never stops for futility.
    e : int or None
        Efficacy bound; None where there is none. The last look has none: it rejects H0 whenever X > r.
    """

    n: int
    r: int | None
    e: int | None = None

    def regions(self, responses: Ints, *, final: bool) -> Regions:
        """Sort response counts into accept, reject and go on: see `regions`."""
        return regions(responses, self.r, self.e, final=final)

    @property
    def table(self) -> str:
        """The whole design in one line, where its bounds depend on earlier responses; empty where they do not."""
        return ""


class Design(Protocol):
    """Anything with looks: what the engines, tables and figures ask of a design."""

    @property
    def looks(self) -> tuple[Look, ...]:
        """The looks in order; patients increase."""
        ...


def _check_looks(looks: tuple[Look, ...], names: tuple[tuple[str, str, str], ...]) -> None:
    """Hold the rules between bounds, naming each number as its design names it (`names`: r, n, e of each look)."""
    last = len(looks) - 1
    for k, (look, (r, n, e)) in enumerate(zip(looks, names, strict=True)):
        if k and look.n <= looks[k - 1].n:
            raise InputError(f"({looks[k - 1].n}) is not below {n} ({look.n})", names[k - 1][1])
        if look.r is not None and look.r >= look.n:
            raise InputError(f"({look.r}) is not below {n} ({look.n})", r)
        if k == last and look.r is None:
            raise InputError("is missing; the last look rejects H0 if X > r", r)
        if k == last and look.e is not None:
            raise InputError(f"({look.e}) has no meaning at the last look, which rejects H0 if X > r; leave it out", e)
        if look.e is not None and look.e > look.n:
            raise InputError(f"({look.e}) is above {n} ({look.n})", e)
        if look.e is not None and look.r is not None and look.e <= look.r + 1:
            raise InputError(
                f"({look.e}) is not above {r} + 1 ({look.r + 1}), so no trial could continue to the next stage", e
            )
    bounds = [(look.r, r) for look, (r, _, _) in zip(looks, names, strict=True) if look.r is not None]
    for (earlier, name), (later, next_name) in pairwise(bounds):
        if earlier > later:
            raise InputError(f"({earlier}) is above {next_name} ({later}), although bounds are cumulative", name)


@dataclass(frozen=True, slots=True)
class SingleStage:
    """One look: reject H0 if X > `r` of `n`.

    Raises
    ------
    InputError
        Unless 0 <= r < n.
    """

    r: int
    n: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", count(self.n, "n", at_least=1))
        object.__setattr__(self, "r", count(self.r, "r"))
        _check_looks(self.looks, (("r", "n", "e"),))

    @property
    def looks(self) -> tuple[Look, ...]:
        """The design as a sequence of looks."""
        return (Look(self.n, self.r),)


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Simon's form: stop for futility if X1 <= `r1` of `n1`; otherwise reject H0 if X > `r` of `n`.

    Parameters
    ----------
    r1, n1 : int
        Futility bound and patients of the first stage.
    r, n : int
        Bound and patients at the end, cumulative.
    e1 : int, optional
        Efficacy bound of the first stage: stop and reject H0 if X1 >= e1.

    Raises
    ------
    InputError
        Unless 0 <= r1 < n1 < n, r1 <= r < n and r1 + 1 < e1 <= n1.
    """

    r1: int
    n1: int
    r: int
    n: int
    _: KW_ONLY
    e1: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("r1", 0), ("n1", 1), ("r", 0), ("n", 1)):
            object.__setattr__(self, name, count(getattr(self, name), name, at_least=least))
        if self.e1 is not None:
            object.__setattr__(self, "e1", count(self.e1, "e1", at_least=1))
        _check_looks(self.looks, (("r1", "n1", "e1"), ("r", "n", "e")))

    @property
    def looks(self) -> tuple[Look, ...]:
        """The design as a sequence of looks."""
        return (Look(self.n1, self.r1, self.e1), Look(self.n, self.r))


@dataclass(frozen=True, slots=True)
class MultiStage:
    """Any number of looks, for designs that the other two cannot say.

    Raises
    ------
    InputError
        Unless patients increase, bounds never fall, and each bound lies inside its look.
    """

    looks: tuple[Look, ...]

    def __post_init__(self) -> None:
        if not self.looks:
            raise InputError("is empty; give at least one look, such as 5/25", "looks")
        names = tuple((f"r{k}", f"n{k}", f"e{k}") for k in range(1, len(self.looks) + 1))
        checked = tuple(
            Look(
                count(look.n, n, at_least=1),
                None if look.r is None else count(look.r, r),
                None if look.e is None else count(look.e, e, at_least=1),
            )
            for look, (r, n, e) in zip(self.looks, names, strict=True)
        )
        object.__setattr__(self, "looks", checked)
        _check_looks(checked, names)


_NUMBER = r"(?:0|[1-9]\d*)"
_SIZES = re.compile(rf"(?P<first>{_NUMBER})(?:-(?P<last>{_NUMBER}))?", re.ASCII)
_LOOK = re.compile(rf"(?P<r>{_NUMBER})?(?::(?P<e>{_NUMBER}))?/(?P<n>{_NUMBER})", re.ASCII)
MAX_LOOKS = 200
"""Most looks that are read from text; more would be a slip of the pen."""


def parse_looks(text: str) -> SingleStage | TwoStage | MultiStage:
    """Read looks written `R/N`, cumulative and comma-separated: ``1/10,5/29``.

    An efficacy bound is written `R:E/N` (``1:5/10,5/29``), a look without a futility bound `:E/N`.

    Raises
    ------
    InputError
        If the text is not of that form or the looks contradict each other.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAX_LOOKS:
        raise InputError(f"has {counted(len(parts), 'look')}; at most {MAX_LOOKS} are allowed", "looks")
    looks = []
    for part in parts:
        match = _LOOK.fullmatch(part)
        if match is None or len(part) > 20:
            raise InputError(f"({part[:40]!r}) does not have the form R/N or R:E/N; write looks as 1/10,5/29", "looks")
        r, e, n = (None if match[key] is None else int(match[key]) for key in ("r", "e", "n"))
        looks.append(Look(n or 0, r, e))
    match looks:
        case [Look(n, int(r), None)]:
            return SingleStage(r, n)
        case [Look(n1, int(r1), e1), Look(n, int(r), None)]:
            return TwoStage(r1, n1, r, n, e1=e1)
    return MultiStage(tuple(looks))


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read numbers of patients at looks: ``10,20,30``, or ``1-30`` for every patient; both may be mixed.

    Raises
    ------
    InputError
        If the text is not of that form, the numbers do not increase, or there are too many.

    >>> parse_sizes("3-5,10")
    (3, 4, 5, 10)
    """
    found: list[int] = []
    for part in text.split(","):
        match = _SIZES.fullmatch(part.strip())
        if match is None or len(part) > 20:
            raise InputError(
                f"({part.strip()[:40]!r}) is not a number of patients; write 10,20,30, or 1-30 for every patient",
                "looks_at",
            )
        first, last = int(match["first"]), int(match["last"] or match["first"])
        if last - first >= MAX_LOOKS:
            raise InputError(f"({part.strip()}) has more than {MAX_LOOKS} looks", "looks_at")
        found += range(first, last + 1)
        if last < first or len(found) > MAX_LOOKS:
            fault = "decreases" if last < first else f"has more than {MAX_LOOKS} looks"
            raise InputError(f"({text[:40]}) {fault}", "looks_at")
    if any(a >= b for a, b in pairwise(found)):
        raise InputError(f"({text[:40]}) does not increase", "looks_at")
    return tuple(found)


def looks_text(design: Design, separator: str = ",") -> str:
    """Write a design the way `parse_looks` reads it.

    >>> looks_text(TwoStage(r1=1, n1=10, r=5, n=29))
    '1/10,5/29'
    """
    return design.looks[0].table or separator.join(
        f"{'' if look.r is None else look.r}{'' if look.e is None else f':{look.e}'}/{look.n}" for look in design.looks
    )


def looks_short(design: Design, most: int = 4) -> str:
    """Write a design in a caption or a cell: of many looks those in the middle are left out.

    >>> looks_short(parse_looks("0/5,0/6,0/7,0/8,1/9"))
    '0/5, 0/6, ..., 1/9'
    """
    if design.looks[0].table:
        return f"adaptive {design.looks[0].n} to {design.looks[-1].n}"
    parts = looks_text(design, ", ").split(", ")
    return ", ".join(parts if len(parts) <= most else [*parts[:2], "...", parts[-1]])


def design_named(design: Design, most: int = MAX_LOOKS) -> str:
    """Name a design within a sentence, by its looks as `looks_short`; a table by its numbers of patients.

    >>> design_named(TwoStage(r1=1, n1=10, r=5, n=29))
    'design 1/10, 5/29'
    """
    if design.looks[0].table:
        return f"adaptive design ({design.looks[0].n} to {counted(design.looks[-1].n, 'patient')})"
    return f"design {looks_short(design, most)}"
