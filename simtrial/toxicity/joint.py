"""A response design under a boundary for toxicity: the exact probability of every ending, patient by patient.

Patients are looked at in the order of their enrollment, with every status known: the state is the pair of counts,
responses and toxicities, and each further patient moves it by one of the four combinations of `cells`. Where both rules
look after the same patient, toxicity is looked at first: a trial that is stopped for it makes no claim, at the last
patient as at any other. The probability of rejecting H0 does not depend on that order, nor on when toxicities become
known, as long as a rejection waits for the toxicities of all patients it counts: it is that of the response design
rejecting, and of the boundary never being crossed by then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.toxicity.association import cells

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.numbers import Floats
    from simtrial.toxicity.association import Cells
    from simtrial.toxicity.boundary import ToxicityBoundary


@dataclass(frozen=True, kw_only=True)
class JointEndings:
    """The endings of a trial with two rules: probabilities, which sum to 1.

    Attributes
    ----------
    n : ndarray of int, shape (stops,)
        The numbers of patients at which the trial may end.
    toxicity, futility, efficacy : ndarray, shape (stops,)
        Probability of being stopped there for toxicity, for futility, for efficacy; all before the last look of the
        response design, but for toxicity, which may be found at the last patient.
    success, failure : float
        Completed, and H0 rejected or not.
    """

    n: Floats
    toxicity: Floats
    futility: Floats
    efficacy: Floats
    success: float
    failure: float

    @property
    def reject(self) -> float:
        """Probability of rejecting H0: at the last look, or by a stop for efficacy."""
        return self.success + float(self.efficacy.sum())

    @property
    def en(self) -> float:
        """Expected patients."""
        early = float((self.toxicity + self.futility + self.efficacy) @ self.n)
        return early + (self.success + self.failure) * float(self.n[-1])

    @property
    def shares(self) -> dict[str, float]:
        """The five endings by name, over all numbers of patients."""
        return {
            "toxicity": float(self.toxicity.sum()),
            "futility": float(self.futility.sum()),
            "efficacy": float(self.efficacy.sum()),
            "success": self.success,
            "failure": self.failure,
        }


def endings(
    design: Design, boundary: ToxicityBoundary | None, *, p: float, toxicity: float, odds_ratio: float = 1.0
) -> JointEndings:
    """The exact endings of a response design under a boundary for toxicity.

    Parameters
    ----------
    design : Design
        The response design.
    boundary : ToxicityBoundary or None
        The other rule; its looks beyond the last patient of the design are never reached. None: there is none.
    p, toxicity : float
        Probabilities of response and of toxicity in one patient.
    odds_ratio : float
        Odds ratio of response and toxicity; 1 if they are independent.

    Raises
    ------
    InputError
        If a number lies outside its range.

    Examples
    --------
    >>> from simtrial import parse_looks
    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> found = endings(parse_looks("0/2,1/3"), parse_boundary("2/2"), p=0.5, toxicity=0.5)
    >>> {name: round(value, 6) for name, value in found.shares.items()}
    {'toxicity': 0.25, 'futility': 0.1875, 'efficacy': 0.0, 'success': 0.375, 'failure': 0.1875}
    """
    law = cells(p, toxicity, odds_ratio)
    n = design.looks[-1].n
    response = {look.n: look for look in design.looks}
    bounds = {} if boundary is None else {look.n: look.b for look in boundary.looks if look.n <= n and look.b}
    stops = sorted({*response, *bounds})
    found = np.zeros((3, len(stops)))
    state, now = np.ones((1, 1)), 0
    success = failure = 0.0
    for k, stop in enumerate(stops):
        for _ in range(stop - now):
            state = _one_more(state, law)
        now = stop
        if stop in bounds:
            found[0, k] = state[:, bounds[stop] :].sum()
            state = state[:, : bounds[stop]]
        if stop in response:
            here = response[stop].regions(np.arange(now + 1), final=stop == n)
            ways = state.sum(axis=1)
            if stop == n:
                success, failure = float(ways[here.reject].sum()), float(ways[here.accept].sum())
            else:
                found[1, k], found[2, k] = ways[here.accept].sum(), ways[here.reject].sum()
                state = state * here.go_on[:, np.newaxis]
    return JointEndings(
        n=np.array(stops), toxicity=found[0], futility=found[1], efficacy=found[2], success=success, failure=failure
    )


class Taken(NamedTuple):
    """P(reject H0) of a response design alone and under a boundary, at one pair of rates.

    Attributes
    ----------
    alone : float
        Without the boundary.
    here : float
        With it, at the stated odds ratio.
    least, most : float or None
        With it, over every association of response and toxicity; None where the design may stop for efficacy.
    """

    alone: float
    here: float
    least: float | None
    most: float | None


def extremes_known(design: Design) -> bool:
    """Whether P(reject H0) beside a boundary is proved to be extreme at the strongest associations; see `taken`."""
    return all(look.e is None for look in design.looks)


def taken(design: Design, boundary: ToxicityBoundary, *, p: float, toxicity: float, odds_ratio: float = 1.0) -> Taken:
    """What a boundary for toxicity takes from the probability of rejecting H0, at the stated association and at any.

    A design that stops early for futility only rejects H0 if it does so at its last look and the boundary was never
    crossed. The first becomes true, never false, as a patient responds, and the second as he has no toxicity. So,
    whatever the others have had, what matters of the association in one patient is the probability of a response
    without toxicity, and P(reject H0) rises with it. Rates given, that probability falls as the odds ratio rises;
    patient by patient, so does P(reject H0): it is largest at 0, the worst case of the type I error, and smallest at
    infinity, the worst of the power.

    With a stop for efficacy this fails: responders who have toxicity may end the trial before the others cross the
    boundary, and P(reject H0) may rise and fall (tested). No extremes are given then.

    Parameters
    ----------
    design, boundary, p, toxicity, odds_ratio
        As for `endings`.
    """
    alone = endings(design, None, p=p, toxicity=toxicity).reject
    here = endings(design, boundary, p=p, toxicity=toxicity, odds_ratio=odds_ratio).reject
    if not extremes_known(design):
        return Taken(alone, here, None, None)
    most, least = (
        endings(design, boundary, p=p, toxicity=toxicity, odds_ratio=ratio).reject for ratio in (0.0, math.inf)
    )
    return Taken(alone, here, least, most)


def _one_more(state: Floats, law: Cells) -> Floats:
    """One more patient: shape (x + 1, t + 1) to (x + 2, t + 2)."""
    moved = np.zeros((state.shape[0] + 1, state.shape[1] + 1))
    moved[:-1, :-1] = law.neither * state
    moved[1:, :-1] += law.first * state
    moved[:-1, 1:] += law.second * state
    moved[1:, 1:] += law.both * state
    return moved
