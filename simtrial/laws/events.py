"""Progressions and deaths expected by a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.laws.integrals import panels

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.numbers import Floats


def event_probability(survival: Callable[[Floats], Floats], months: Floats, loss: float) -> Floats:
    """P(event seen within each number of months of observation), with loss to follow-up at a constant hazard a month.

    By parts, the integral of the event density times exp(-loss s) over (0, t) is
    1 - S(t) exp(-loss t) - loss (the integral of S(s) exp(-loss s)).
    """
    t = np.asarray(months, dtype=np.float64)
    x, w = np.polynomial.legendre.leggauss(16)
    steps = np.linspace(0.0, 1.0, 33)
    # S has kinks at assessments, which short panels keep small
    s = (steps[:-1, np.newaxis] + (1 + x) / 64).ravel() * t[..., np.newaxis]
    weights = np.tile(w / 64, 32)
    survived = (survival(s) * np.exp(-loss * s) * weights).sum(axis=-1) * t
    seen: Floats = 1 - survival(t) * np.exp(-loss * t) - loss * survived
    return seen


def expected_events(survival: Callable[[Floats], Floats], accrual: float, follow_up: float, loss: float) -> float:
    """P(event seen) of a patient who enters uniformly over the accrual, followed to a time after its end.

    With exponential survival of rate l, loss h, accrual A and follow-up F it is
    l / (l + h) [1 - (exp(-(l + h) F) - exp(-(l + h) (A + F))) / ((l + h) A)].
    """
    total = panels(lambda u: event_probability(survival, u, loss), np.linspace(follow_up, follow_up + accrual, 9))
    return total / accrual
