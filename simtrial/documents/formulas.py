"""The exact probabilities of a design as formulas, with its own numbers in them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from simtrial.design.second_stages import SecondStage, branched
from simtrial.show.document import FormulaLine

if TYPE_CHECKING:
    from simtrial.design.designs import Design, Look
    from simtrial.design.second_stages import BranchLook

WHERE = (
    "Here b(x; n, p) is the binomial probability of x responses in n patients with response rate p, and B(x; n, p) is "
    "the probability of at most x responses."
)
"""The two functions of the formulas, in a sentence."""

WHERE_ONE_LOOK = (
    "Here B(x; n, p) is the binomial probability of at most x responses in n patients with response rate p."
)
"""The same where there is one look, whose formula has no other function."""


MOST_LOOKS = 5
"""Looks up to which the recursion stands look by look in the numbers of the design."""

GENERAL = (
    "f1(x) = b(x; n1, p)",
    "fk(s) = Σ fk-1(x) b(s - x; nk - nk-1, p),  over all x with which the trial continues after look k - 1",
    "P(reject H0; p) = Σ fk(x),  over all looks k and all x that reject H0 there",
)
"""The recursion over any number of looks; nk patients are analysed at look k."""


def power(design: Design) -> tuple[FormulaLine, ...]:
    """P(reject H0; p) of a design, in its own numbers.

    Notes
    -----
    One look: 1 - B(r; n, p). Two looks: the sum over the X1 that continue of b(X1; n1, p) [1 - B(r - X1; n - n1, p)],
    and P(X1 >= e1) where there is an efficacy bound. More looks: the same recursion, with the numbers of the looks as
    lists, or in general terms if there are more than `MOST_LOOKS`.
    """
    looks = design.looks
    first = branched(looks)
    if first is not None:
        return tuple(map(FormulaLine, _by_first_stage(first)))
    if len(looks) == 1:
        (one,) = looks
        return (FormulaLine(f"P(reject H0; p) = 1 - B({one.r}; {one.n}, p)"),)
    if len(looks) == 2:
        return (_two(looks[0], looks[1]),)
    return tuple(map(FormulaLine, _recursion(looks) if len(looks) <= MOST_LOOKS else GENERAL))


def _continues(look: Look) -> tuple[int, int]:
    """Fewest and most responses with which the trial continues after a look."""
    return 0 if look.r is None else look.r + 1, look.n if look.e is None else look.e - 1


def _two(first: Look, last: Look) -> FormulaLine:
    low, high = _continues(first)
    early = "" if first.e is None else f"1 - B({first.e - 1}; {first.n}, p) + "
    further = last.n - first.n
    return FormulaLine(
        f"P(reject H0; p) = {early}Σ b(x; {first.n}, p) [1 - B({last.r} - x; {further}, p)],  x = {low}, ..., {high}"
    )


def _by_first_stage(first: BranchLook) -> list[str]:
    """The sum over X1, with what follows each number of responses."""
    lines = [f"P(reject H0; p) = Σ b(x; {first.n}, p) P(reject H0 | x; p),  x = 0, ..., {first.n}"]
    for x, row in enumerate(first.after):
        if isinstance(row, SecondStage):
            lines.append(f"P(reject H0 | {x}; p) = 1 - B({row.r - x}; {row.n2}, p)")
    certain = [x for x, row in enumerate(first.after) if row == "reject"]
    if certain:
        lines.append(f"P(reject H0 | x; p) = 1 for x = {', '.join(map(str, certain))}; 0 for every other x")
    else:
        lines.append("P(reject H0 | x; p) = 0 for every other x")
    return lines


def _recursion(looks: tuple[Look, ...]) -> list[str]:
    """The recursion over three or more looks."""
    lines = [f"f1(x) = b(x; {looks[0].n}, p)"]
    for k, (before, look) in enumerate(pairwise(looks), start=1):
        low, high = _continues(before)
        lines.append(f"f{k + 1}(s) = Σ f{k}(x) b(s - x; {look.n - before.n}, p),  x = {low}, ..., {high}")
    sums = [f"Σ f{k}(x) for x >= {look.e}" for k, look in enumerate(looks[:-1], start=1) if look.e is not None]
    last = looks[-1]
    sums.append(f"Σ f{len(looks)}(x) for x > {last.r}")
    lines.append(f"P(reject H0; p) = {' + '.join(sums)}")
    return lines


def expected(design: Design) -> tuple[FormulaLine, ...]:
    """PET(p) and EN(p) of a design with two looks; none for another number of looks."""
    if len(design.looks) != 2 or branched(design.looks) is not None:
        return ()
    first, last = design.looks
    parts = []
    if first.r is not None:
        parts.append(f"B({first.r}; {first.n}, p)")
    if first.e is not None:
        parts.append(f"1 - B({first.e - 1}; {first.n}, p)")
    pet = " + ".join(parts) or "0"
    return (FormulaLine(f"PET(p) = {pet},  EN(p) = {first.n} + {last.n - first.n} [1 - PET(p)]"),)
