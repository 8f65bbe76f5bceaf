"""Validation case for intercurrent events; see `simtrial.validation.cases` for what a case is.

The expected values are computed patient by patient in exact fractions: a patient would respond or not, has an event or
not, and the event has one kind. What happens to the trial after each enrolled patient is a system of linear equations,
of which each is solved where it stands. No formula of `simtrial.laws.strategies` is used.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from simtrial.design.designs import parse_looks
from simtrial.design.requirements import Requirements
from simtrial.laws.strategies import STRATEGIES, Mixed
from simtrial.plan.dropout import Dropout
from simtrial.validation.cases import Comparison, case_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from simtrial.design.designs import Design

TRIALS = (("1/10,5/29", 0.1, 0.3), ("5/25", 0.1, 0.3), ("0:4/6,2/12,5/20", 0.15, 0.4))
PARTS = ((1, 0, 0, 0), (0, 0, 0, 1), (2, 1, 1, 0), (1, 2, 3, 4), (0, 1, 1, 0))
"""Weights of the composite strategy, of excluding, of replacing, and of the hypothetical strategy."""

LOSSES = (Dropout(0.125), Dropout(0.2, 0.5), Dropout(0.3, 2.0))
ROUNDED = 5e-13
"""The laws write rates with twelve decimals. A change of the rate by this much changes a probability by at most n times
as much and an expected number of patients looked at by at most n squared times, for n patients.
"""

SMALL = 1e-13
"""What the roundings of the floating-point numbers add to this, for each patient."""


def intercurrent_events() -> Comparison:
    """What a design attains under several strategies at once, beside an enumeration of patients in fractions."""
    return case_of("Intercurrent events", "enumeration, patient by patient, in exact fractions", _rows())


def _rows() -> Iterator[tuple[str, str, str, bool]]:
    readings: tuple[Literal["enrolled", "evaluable"], ...] = ("enrolled", "evaluable")
    for (looks, p0, p1), weights, loss, among in product(TRIALS, PARTS, LOSSES, readings):
        design, parts = parse_looks(looks), tuple(Fraction(one, sum(weights)) for one in weights)
        mixed = Mixed.of(loss, zip(STRATEGIES, parts, strict=True), among=among)
        at = mixed.figures(design, Requirements(p0, p1, 0.05, 0.8))
        lost = Fraction(loss.of_responder), Fraction(loss.probability)
        # p0 among all enrolled patients is the rate of those whose response is not undone by a composite event
        true = Fraction(p0) / (1 - parts[0] * lost[0]) if among == "enrolled" else Fraction(p0)
        reject0, en0 = enumerated(design, true, lost, parts)
        reject1, en1 = enumerated(design, Fraction(p1), lost, parts)
        expected = [float(one) for one in (reject0, reject1, en0, en1)]
        found = [at.type_i_error, at.power, at.en_p0, at.en_p1]
        limit = design.looks[-1].n * (ROUNDED + SMALL)
        # twice for the patients who are replaced, who are fewer than those looked at
        limits = (limit, limit, 2 * design.looks[-1].n * limit, 2 * design.looks[-1].n * limit)
        agrees = all(abs(a - b) <= most for a, b, most in zip(found, expected, limits, strict=True))
        what = (
            f"{looks}, proportions {':'.join(map(str, weights))}, dropout {loss.probability:g} (odds ratio "
            f"{loss.responder_odds_ratio:g}), p0 among {among}"
        )
        yield what, _written(expected), _written(found), agrees


def _written(values: list[float]) -> str:
    return ", ".join(f"{one:.9f}" for one in values)


def enumerated(
    design: Design, p: Fraction, lost: tuple[Fraction, Fraction], parts: tuple[Fraction, ...]
) -> tuple[Fraction, Fraction]:
    """Probability of rejection, and expected number of enrolled patients.

    Parameters
    ----------
    design : Design
        With bounds as planned.
    p : Fraction
        True rate with every patient evaluable.
    lost : (Fraction, Fraction)
        Probabilities of dropout of a patient who would respond and of one who would not.
    parts : tuple of 4 Fraction
        Proportions of dropout, in the order of `PARTS`.
    """
    # next patient: a response that counts, a place taken without one, and a patient who is replaced
    after = {"response": Fraction(0), "none": Fraction(0), "again": Fraction(0)}
    for would, chance, gone in ((True, p, lost[0]), (False, 1 - p, lost[1])):
        after["response" if would else "none"] += chance * (1 - gone)
        for kind, share in zip(("none", "none", "again", "response" if would else "none"), parts, strict=True):
            after[kind] += chance * gone * share
    ends = {look.n: look for look in design.looks}

    @cache
    def ahead(n: int, x: int) -> tuple[Fraction, Fraction]:
        if n in ends:
            look = ends[n]
            if look.r is not None and x <= look.r:
                return Fraction(0), Fraction(0)
            if n == design.looks[-1].n or (look.e is not None and x >= look.e):
                return Fraction(1), Fraction(0)
        yes, no = ahead(n + 1, x + 1), ahead(n + 1, x)
        # value = response * yes + none * no + again * value, and one more patient is enrolled each time
        stay = 1 - after["again"]
        reject = (after["response"] * yes[0] + after["none"] * no[0]) / stay
        return reject, (1 + after["response"] * yes[1] + after["none"] * no[1]) / stay

    return ahead(0, 0)
