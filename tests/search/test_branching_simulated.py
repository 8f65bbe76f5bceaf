"""Adaptive designs that were searched, and trials simulated patient by patient: no recursion, no binomial law."""

import math
import random

import pytest

from simtrial import Requirements
from simtrial.design.second_stages import SecondStage
from simtrial.search.branching import Restrictions, search
from simtrial.search.branching.two_targets import TwoTargets, two_targets

TRIALS = 20_000

FAR = 4.0
"""Monte Carlo standard errors: of all 42 comparisons a right one is farther off in one of 375 seeds."""

ASKED = Requirements(0.2, 0.5, 0.05, 0.8)
SIMON, HIGH, LOW = (
    Requirements(0.1, 0.3, 0.05, 0.8), Requirements(0.7, 0.9, 0.05, 0.8), Requirements(0.05, 0.25, 0.05, 0.8),
)  # fmt: skip

SEARCHED = {
    "rising conditional error": (ASKED, lambda: search(ASKED, restrictions=Restrictions(cap=23))),
    "any order": (ASKED, lambda: search(ASKED, restrictions=Restrictions(cap=23, monotone=False))),
    "second stages that do not grow": (ASKED, lambda: search(ASKED, restrictions=Restrictions(cap=23, falling=True))),
    "least EN(p1)": (ASKED, lambda: search(ASKED, weight=1.0, restrictions=Restrictions(cap=20))),
    "cap of Simon": (SIMON, lambda: search(SIMON)),
    "high rates": (HIGH, lambda: search(HIGH, restrictions=Restrictions(cap=27))),
    "two targets": (LOW, lambda: two_targets(TwoTargets(asked=LOW, p2=0.35, power=0.8), cap=34)),
}
"""Questions with their searches."""


def trial(design, p, rng):
    """One trial: whether it rejects H0, whether it ended after the first stage, and its patients."""
    responses = sum(rng.random() < p for _ in range(design.n1))
    row = design.after[responses]
    if not isinstance(row, SecondStage):
        return row == "reject", True, design.n1
    for _ in range(row.n2):
        responses += rng.random() < p
    return responses > row.r, False, design.n1 + row.n2


@pytest.mark.long
@pytest.mark.parametrize("name", SEARCHED)
def test_simulated_trials_reject_end_early_and_enroll_as_the_search_states(name):
    asked, searched = SEARCHED[name]
    found, rng = searched(), random.Random(f"22 {name}")
    for p, limit in ((asked.p0, asked.alpha), (asked.p1, asked.power)):
        law = found.design.at(p)
        columns = zip(*(trial(found.design, p, rng) for _ in range(TRIALS)), strict=True)
        rejected, early, patients = ([float(one) for one in column] for column in columns)
        for seen, exactly in ((rejected, law.reject), (early, law.pet), (patients, law.en)):
            mean = sum(seen) / TRIALS
            error = math.sqrt(sum((one - mean) ** 2 for one in seen)) / TRIALS
            assert abs(mean - float(exactly)) < FAR * error
        # what is simulated is near its limit, as a design with the least EN is
        assert abs(sum(rejected) / TRIALS - limit) < 0.03


def test_a_simulation_tells_a_bound_that_is_off_by_one():
    design = search(ASKED, restrictions=Restrictions(cap=23)).design
    law, rng = design.at(0.5), random.Random(22)
    rows = tuple(SecondStage(one.n2, one.r - 1) if isinstance(one, SecondStage) else one for one in design.after)
    loose = type(design)(design.n1, rows)
    share = sum(trial(loose, 0.5, rng)[0] for _ in range(TRIALS)) / TRIALS
    error = math.sqrt(float(law.reject) * (1 - float(law.reject)) / TRIALS)
    assert share - float(law.reject) > 10 * error
