"""The criteria that ask how a trial is run: which design is decided soonest, enrolls fewest, or is in time most often.

They pick from the designs of `simtrial.search.pairs`, of one stage and of two, by what the plan of the trial makes of
each (`simtrial.conduct.choice`). They are no claims that anybody makes in print, so no statement is checked by them.

Ties: of designs whose values agree to 1e-9 the one with fewest n is taken, then that with the smaller EN(p0) on paper,
then the smaller n1, then the larger r.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simtrial.search.record import Examined, How, Preference

Measure = Literal["duration_months", "n_enrolled", "late"]
"""What is to be small: expected months to the primary decision, expected patients enrolled, P(decided too late)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarCriterion(Preference):
    """A reason to prefer one design of those that meet the limits by the calendar of the trial.

    Attributes
    ----------
    measure : Measure
        What is to be small.
    rate : {'p0', 'p1'}
        The true response rate at which it is.
    """

    measure: Measure
    rate: Literal["p0", "p1"]


FASTEST_P0 = CalendarCriterion(
    key="fastest_p0",
    name="fastest at p0",
    phrase="the design with the fewest expected months to the primary decision at p0",
    why="Of the designs that meet the limits it has the fewest expected months to the primary decision at p0, as the "
    "trial is run.",
    measure="duration_months",
    rate="p0",
)

FASTEST_P1 = CalendarCriterion(
    key="fastest_p1",
    name="fastest at p1",
    phrase="the design with the fewest expected months to the primary decision at p1",
    why="Of the designs that meet the limits it has the fewest expected months to the primary decision at p1, as the "
    "trial is run.",
    measure="duration_months",
    rate="p1",
)

LEAST_ENROLLED_P0 = CalendarCriterion(
    key="least_enrolled_p0",
    name="fewest enrolled at p0",
    phrase="the design with the fewest patients expected to be enrolled at p0",
    why="Of the designs that meet the limits it is expected to enroll the fewest patients at p0, as the trial is run, "
    "those included who are enrolled while an interim analysis is pending.",
    measure="n_enrolled",
    rate="p0",
)

BY_DATE = CalendarCriterion(
    key="by_date",
    name="most often in time at p1",
    phrase="the design with the largest probability of a primary decision in time at p1",
    why="Of the designs that meet the limits it has the largest probability, at p1, that the primary decision is made "
    "in time, as the trial is run; at p1, where the trial is longest, this is the smaller of the two probabilities.",
    measure="late",
    rate="p1",
)

CALENDAR: dict[str, CalendarCriterion] = {
    criterion.key: criterion for criterion in (FASTEST_P0, FASTEST_P1, LEAST_ENROLLED_P0, BY_DATE)
}
"""The criteria that a parameter file may name where it says how the trial is run."""

TITLE = "single-stage designs, and two-stage designs without a stop for efficacy, by the calendar"

_VALUES: dict[Measure, tuple[str, str]] = {
    "duration_months": ("the expected number of months to the primary decision", "at least {value:.4g}"),
    "n_enrolled": ("the expected number of patients enrolled", "at least {value:.4g}"),
    "late": ("the probability of a decision in time", "at most {chance:.4g}"),
}
"""What is compared, and how large it can be."""

_BOUNDS: dict[How, str] = {
    "proved": "With more than {{n_upper}} patients {value} at {rate} is {limit}; the design taken attains this.",
    "capped": "With at most {{n_upper}} patients {value} at {rate} is {limit}; the design taken attains this.",
    "heuristic": "With the design taken {value} at {rate} is {least}. A design without an exact formula is simulated, "
    "unless an exact lower bound shows it to be worse than the best one found by more than 3 Monte Carlo standard "
    "errors. What follows holds but for the Monte Carlo error.",
}


def examined(criterion: CalendarCriterion, how: How) -> Examined:
    """What was searched for a criterion, and the sentence that says how far, for the certificate."""
    value, limit = _VALUES[criterion.measure]
    least = limit.removeprefix("at least ").removeprefix("at most ")
    bound = _BOUNDS[how].format(value=value, rate=criterion.rate, limit=limit, least=least)
    return Examined(key=criterion.key, title=TITLE, bound=bound, criteria=(criterion,))
