"""The earlier results of a parameter file as counts: which of them are history of p0, and where no count is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from simtrial.design.intervals import clopper_pearson
from simtrial.history.counts import StudyCounts
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.trial.study import Evidence
    from simtrial.trial.trial import Trial

About = Literal["p0", "p1", "other"]
"""What an earlier result says something of."""


@dataclass(frozen=True, kw_only=True)
class EarlierStudy:
    """One earlier result.

    Attributes
    ----------
    treatment, setting, source : str
        As the file states them.
    n : int
        Patients in the denominator.
    responders : int or None
        Their number, where it is published or follows from the percentage.
    percent : float or None
        The published response rate, in percent.
    about : About
        What it is evidence of.
    stated : bool
        Whether the file states that.
    why : str
        Where its count comes from if it is not published, or why it is not pooled; else empty.
    """

    treatment: str
    setting: str
    source: str
    n: int
    responders: int | None
    percent: float | None
    about: About
    stated: bool
    why: str

    @property
    def pooled(self) -> bool:
        """Whether it counts as history of p0."""
        return self.about == "p0" and self.responders is not None

    @property
    def rate(self) -> float | None:
        """The observed response rate, from the count if there is one."""
        if self.responders is not None:
            return self.responders / self.n
        return None if self.percent is None else self.percent / 100

    @property
    def interval(self) -> tuple[float, float] | None:
        """The exact (Clopper-Pearson) 95% interval; None without a count."""
        if self.responders is None:
            return None
        low, high = clopper_pearson(self.responders, self.n, 0.025)
        return float(low), float(high)


def counts_of(percent: float, n: int, decimals: int | None = None) -> range:
    """Whole numbers of responders in n patients that round to a percentage, a half up or down; in exact fractions.

    Without `decimals` those of the number are taken. A number keeps no zeros: 20.0 is 20, which more counts fit.

    >>> list(counts_of(4.9, 82)), list(counts_of(20, 255)), list(counts_of(4.8, 38))
    ([4], [50, 51, 52], [])
    """
    written = format(percent, ".12g")
    places = decimals
    if places is None:
        places = len(written.partition(".")[2]) if "e" not in written else 12
    middle, half = Fraction(written), Fraction(1, 2 * 10**places)
    low, high = ((middle + sign * half) * n / 100 for sign in (-1, 1))
    return range(max(math.ceil(low), 0), min(math.floor(high), n) + 1)


def earlier(trial: Trial) -> tuple[EarlierStudy, ...]:
    """The earlier results of a file, in its order.

    A result without `about` counts as history of p0.
    """
    return tuple(_study(item) for item in trial.evidence)


def _study(item: Evidence) -> EarlierStudy:
    count, why = item.responders, ""
    if count is None and item.orr_percent is None:
        why = "neither the number of responders nor the response rate is given"
    elif count is None and item.orr_percent is not None:
        fits = counts_of(item.orr_percent, item.n)
        shown = f"{item.orr_percent:g}% of {counted(item.n, 'patient')}"
        if len(fits) == 1:
            count, why = fits[0], f"derived: only {counted(fits[0], 'responder')} can be {shown}"
        elif fits:
            why = f"not published: from {fits[0]} to {counted(fits[-1], 'responder')} can be {shown}"
        else:
            why = f"no whole number of responders is {shown}"
    about: About = item.about or "p0"
    return EarlierStudy(
        treatment=item.treatment, setting=item.setting, source=item.source, n=item.n, responders=count,
        percent=item.orr_percent, about=about, stated=item.about is not None, why=why,
    )  # fmt: skip


def pooled(studies: Sequence[EarlierStudy]) -> StudyCounts | None:
    """The counts of the studies that are history of p0; None if there is none."""
    known = [(one.responders, one.n) for one in studies if one.about == "p0" and one.responders is not None]
    if not known:
        return None
    return StudyCounts(tuple(x for x, _ in known), tuple(n for _, n in known))
