"""Two events in one patient, such as response and toxicity: how likely each combination is, by their odds ratio."""

from __future__ import annotations

import math
from typing import NamedTuple

from simtrial.errors import InputError


class Cells(NamedTuple):
    """Probabilities of the four combinations of two events; they sum to 1."""

    both: float
    first: float
    second: float
    neither: float


def cells(first: float, second: float, odds_ratio: float = 1.0) -> Cells:
    """The four combinations of two events with given probabilities and odds ratio.

    Parameters
    ----------
    first, second : float
        Probabilities of the two events.
    odds_ratio : float
        both x neither / (first only x second only): 1 if the events are independent, 0 and infinity for the strongest
        associations that the probabilities allow.

    Raises
    ------
    InputError
        If a number lies outside its range.

    Notes
    -----
    The probability of both is the root of the quadratic that lies within its bounds [1]_; of its two forms that one is
    taken that loses no digits.

    References
    ----------
    .. [1] Plackett RL. A class of bivariate distributions. J Am Stat Assoc 1965;60:516-522.

    Examples
    --------
    >>> cells(0.5, 0.5)
    Cells(both=0.25, first=0.25, second=0.25, neither=0.25)
    """
    for value, name in ((first, "first"), (second, "second")):
        if not 0 <= value <= 1:
            raise InputError(f"({value:g}) is not between 0 and 1", name)
    if not odds_ratio >= 0:
        raise InputError(f"({odds_ratio:g}) is below 0", "odds_ratio")
    least, most = max(0.0, first + second - 1), min(first, second)
    if math.isinf(odds_ratio):
        both = most
    elif odds_ratio == 0:
        both = least
    else:
        total = 1 + (first + second) * (odds_ratio - 1)
        root = math.sqrt(max(total * total - 4 * odds_ratio * (odds_ratio - 1) * first * second, 0.0))
        if total > 0:
            both = 2 * odds_ratio * first * second / (total + root)
        else:
            both = (total - root) / (2 * (odds_ratio - 1))
        both = min(max(both, least), most)
    return Cells(both, first - both, second - both, max(1 - first - second + both, 0.0))
