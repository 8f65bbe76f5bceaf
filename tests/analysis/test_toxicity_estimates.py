"""Toxicity under its rule: every number by walking every order of toxicities, or by the analysis of response."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from simtrial import InputError, parse_looks
from simtrial.analysis import distance, inference, monitoring, toxicity
from simtrial.analysis.toxicity import bounds_by_patient, crossed, crossed_at, estimated, toxicity_endings
from simtrial.design.designs import Look, MultiStage
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape

BOUNDARIES = ["2/2,3/6,4/9", "2/3,-/5,3/10", "3/5,4/10", "1/1,2/4,5/8", "4/9"]
RATES = (0.0, 0.07, 0.2, 0.5, 0.83, 1.0)


def walked(boundary, n):
    """Orders of toxicities by their ending, and how many of them begin with a toxicity."""
    found = {}
    for order in product((0, 1), repeat=n):
        end = next(
            (
                k
                for k in range(1, n + 1)
                for look in boundary.looks
                if look.b is not None and k <= look.n and sum(order[:k]) >= look.b
            ),
            None,
        )
        k = end or n
        ways = found.setdefault((k, sum(order[:k]), end is not None), set())
        ways.add(order[:k])
    return {ending: (len(ways), sum(way[0] for way in ways)) for ending, ways in found.items()}


def crosses(boundary, order):
    """Whether b of the first n have a toxicity for any look, with those enrolled alone."""
    return any(look.b is not None and sum(order[: look.n]) >= look.b for look in boundary.looks)


@pytest.mark.parametrize("text", BOUNDARIES)
@pytest.mark.parametrize("n", [7, 11])
def test_every_ending_has_as_many_orders_and_the_unbiased_estimate_that_plain_counting_finds(text, n):
    boundary = parse_boundary(text)
    found, plain = toxicity_endings(boundary, n), walked(boundary, n)
    endings = list(zip(found.n.tolist(), found.responses.tolist(), found.reject.tolist(), strict=True))
    assert sorted(endings) == sorted(plain)
    for place, (k, s, crossing_there) in enumerate(endings):
        ways, begun = plain[k, s, crossing_there]
        assert found.first[place] == float(Fraction(begun, ways))
        for theta in RATES:
            exact = ways * theta**s * (1 - theta) ** (k - s)
            assert found.probability(theta)[place] == pytest.approx(exact, abs=1e-15, rel=1e-12)


@pytest.mark.parametrize("text", BOUNDARIES)
def test_it_is_crossed_by_patient_exactly_where_the_printed_boundary_is_crossed(text):
    boundary = parse_boundary(text)
    for n in (1, 4, 10):
        for order in product((False, True), repeat=n):
            assert (crossed(boundary, order) is not None) == crosses(boundary, order)
    found = toxicity_endings(boundary, boundary.n)
    for theta in RATES:
        ever = float(found.probability(theta) @ found.reject)
        assert ever == pytest.approx(float(crossing(boundary, [theta]).ever[0]), abs=1e-13)


def test_the_look_named_is_one_whose_bound_is_reached_among_its_first_patients():
    boundary = parse_boundary("2/3,3/6,4/12")
    for order in product((False, True), repeat=9):
        found = crossed(boundary, order)
        if found is None:
            continue
        assert found.patient <= found.look.n
        assert sum(order[: found.patient]) == found.look.b
        assert crossed(boundary, order[: found.patient - 1]) is None


def test_the_moment_of_the_crossing_is_that_found_event_by_event():
    boundary, rng = parse_boundary("2/3,3/6,4/9"), np.random.default_rng(5)
    seen = set()
    for _ in range(300):
        toxic = rng.random(9) < 0.35
        months = np.cumsum(rng.exponential(0.4, 9)) + rng.uniform(0, 3, 9)
        plain = None
        for k in np.argsort(months):
            had = toxic & (months <= months[k])
            reached = [look for look in boundary.looks if had[: look.n].sum() >= look.b]
            if reached:
                plain = (months[k], reached[0])
                break
        found = crossed_at(boundary, toxic, months)
        assert found == plain
        seen.add(None if plain is None else plain[1].n)
    assert seen == {None, 3, 6, 9}  # each way is met


@pytest.mark.parametrize("text", BOUNDARIES)
def test_the_umvue_is_unbiased_and_the_observed_share_is_too_high(text):
    boundary = parse_boundary(text)
    n = boundary.n + 2
    found = toxicity_endings(boundary, n)
    for theta in RATES:
        chance = found.probability(theta)
        assert chance.sum() == pytest.approx(1, abs=1e-13)
        assert chance @ found.first == pytest.approx(theta, abs=1e-13)
        plain = sum(
            ways * theta**s * (1 - theta) ** (k - s) * s / k for (k, s, _), (ways, _) in walked(boundary, n).items()
        )
        assert toxicity.bias(boundary, n, theta) == pytest.approx(plain - theta, abs=1e-13)
        if 0 < theta < 1:
            assert toxicity.bias(boundary, n, theta) > 0


def test_two_hundred_looks_keep_thirteen_digits():
    boundary = calibrated(BoundaryShape("pocock", 0.2), range(1, 201), 0.05).boundary
    found = toxicity_endings(boundary, 200)
    for theta in (0.05, 0.2, 0.4, 0.9):
        chance = found.probability(theta)
        assert chance.sum() == pytest.approx(1, abs=1e-12)
        assert chance @ found.first == pytest.approx(theta, abs=1e-13)
        assert chance @ found.reject == pytest.approx(float(crossing(boundary, [theta]).ever[0]), abs=1e-12)


@pytest.mark.parametrize("text", BOUNDARIES)
def test_estimates_are_those_of_a_response_design_with_the_same_bounds(text):
    boundary = parse_boundary(text)
    n = boundary.n
    bounds = bounds_by_patient(boundary, n)
    looks = [Look(k, None, c) for k, c in enumerate(bounds[:-1], start=1) if c is not None and c <= k]
    design = MultiStage((*looks, Look(n, bounds[-1] - 1)))
    found = toxicity_endings(boundary, n)
    for k, s, crossing_there in zip(found.n, found.responses, found.reject, strict=True):
        stage = next((i for i, look in enumerate(design.looks, start=1) if look.n == k))
        other = inference.analyze(design, int(s), 0.2, stage, 0.9)
        mine = estimated(boundary, int(k), int(s), 0.9)
        assert mine.crossed == crossing_there == other.reject
        for name, value in mine.estimates.items():
            assert value == pytest.approx(other.estimates[name], abs=1e-12)
        for name, limits in mine.intervals.items():
            assert limits == pytest.approx(other.intervals[name], abs=1e-12)


@pytest.mark.parametrize("text", ["2/2,3/6,4/9", "3/5,4/10"])
def test_the_exact_interval_keeps_its_level_on_both_sides_and_the_median_estimate_its_half(text):
    boundary = parse_boundary(text)
    found = toxicity_endings(boundary, boundary.n)
    every = [estimated(boundary, int(k), int(s), 0.9) for k, s in zip(found.n, found.responses, strict=True)]
    low, high = np.array([one.intervals["exact"] for one in every]).T
    median = np.array([one.estimates["median_unbiased"] for one in every])
    for theta in np.linspace(0.005, 0.995, 199):
        chance = found.probability(theta)
        assert chance @ (low > theta) <= 0.05 + 1e-9
        assert chance @ (high < theta) <= 0.05 + 1e-9
        # endings as toxic as one or more have at most, and with its own at least, probability 1/2 beyond the estimate
        assert chance @ (median > theta + 1e-9) <= 0.5 + 1e-9


def test_crossing_earlier_is_more_toxic():
    boundary = parse_boundary("2/4,3/8,4/12")
    found = toxicity_endings(boundary, 12)
    ends = [(int(k), int(s)) for k, s, c in zip(found.n, found.responses, found.reject, strict=True) if c]
    medians = [estimated(boundary, k, s).estimates["median_unbiased"] for k, s in sorted(ends)]
    assert medians == sorted(medians, reverse=True)
    assert len(set(medians)) == len(medians) > 5


def test_an_ending_that_cannot_be_is_refused():
    boundary = parse_boundary("2/4,3/8")
    assert estimated(boundary, 8, 2).crossed is False
    for n, s in ((8, 4), (6, 4), (3, 4)):
        with pytest.raises(InputError, match=f"{s} of {n}"):
            estimated(boundary, n, s)


def test_many_patients_beyond_the_last_look_are_counted_at_once():
    boundary = parse_boundary("2/3,3/6")
    found, plain = toxicity_endings(boundary, 12), walked(boundary, 12)
    for k, s, crossing_there, first in zip(found.n, found.responses, found.reject, found.first, strict=True):
        ways, begun = plain[int(k), int(s), bool(crossing_there)]
        assert first == float(Fraction(begun, ways))
    found = toxicity_endings(boundary, 400)
    for theta in (0.05, 0.3):
        assert found.probability(theta) @ found.first == pytest.approx(theta, abs=1e-12)


@pytest.mark.parametrize(("patients", "toxicities"), [(0, 0), (3, 1), (6, 2), (7, 3)])
def test_the_probability_of_crossing_later_by_walking_every_order_to_come(patients, toxicities):
    boundary = parse_boundary("3/4,4/8,5/12")
    for theta in (0.1, 0.3, 0.7):
        total = 0.0
        for future in product((0, 1), repeat=12 - patients):
            sums = np.cumsum([toxicities, *future])
            if any(look.n > patients and sums[look.n - patients] >= look.b for look in boundary.looks):
                total += theta ** sum(future) * (1 - theta) ** (len(future) - sum(future))
        assert distance.later(boundary, patients, toxicities, theta) == pytest.approx(total, abs=1e-13)


def test_the_distance_to_the_boundary_is_that_of_the_first_look_that_can_still_be_crossed():
    boundary = parse_boundary("3/4,4/8,5/20")
    room = distance.ahead(boundary, 7, 2)
    assert (room.look.n, room.needed, room.patients) == (20, 3, 13)  # 4 of 8 is out of reach with one patient
    room = distance.ahead(boundary, 7, 2, pending=2)
    assert (room.look.n, room.needed, room.patients) == (8, 2, 3)
    assert distance.ahead(boundary, 20, 3) is None


def test_a_boundary_that_must_have_been_crossed_before_is_named():
    with pytest.raises(InputError, match="crossed at 3/10"):
        distance.later(parse_boundary("3/10,9/20"), 12, 5, 0.2)
    assert distance.watched(parse_boundary("3/10,9/20"), 12, 5, ()).over == (10, 3)
    now = distance.watched(parse_boundary("3/10,9/20"), 12, 4, (0.2,))
    assert now.over is None
    assert now.later[0][1] == pytest.approx(distance.later(parse_boundary("3/10,9/20"), 12, 4, 0.2))
    assert distance.watched(parse_boundary("3/10,9/20"), 6, 3, ()).over.n == 10
    with pytest.raises(InputError, match="above 4"):
        distance.watched(parse_boundary("3/10"), 4, 5, ())


def test_counts_tell_a_crossing_exactly_where_every_order_agrees():
    boundary = parse_boundary("2/3,3/6,4/9")
    told = set()
    for m in range(10):
        for s in range(m + 1):
            # what lies ahead counts too: a look at more patients is reached as soon as its number is
            ways = {crossed(boundary, order) is not None for order in product((0, 1), repeat=m) if sum(order) == s}
            found = distance.watched(boundary, m, s, ()).crossed
            assert found == (next(iter(ways)) if len(ways) == 1 else None)
            told.add(found)
    assert told == {True, False, None}


@pytest.mark.parametrize(("patients", "responses", "toxicities"), [(0, 0, 0), (3, 1, 1), (5, 3, 2)])
def test_the_power_beside_the_rule_by_walking_every_order_to_come(patients, responses, toxicities):
    design, boundary, p, theta = parse_looks("0/3,3/8"), parse_boundary("3/4,4/6,5/8"), 0.4, 0.3
    seen = monitoring.monitor(design, patients, responses, (p,))
    total, left = 0.0, 8 - patients
    for future in product((0, 1), repeat=left):
        sums = np.cumsum([responses, *future])
        if patients <= 3 and sums[3 - patients] <= 0:
            continue
        if sums[-1] > 3:
            total += p ** sum(future) * (1 - p) ** (left - sum(future))
    free = 1 - distance.later(boundary, patients, toxicities, theta)
    found = monitoring.beside_rule(design, seen, boundary, toxicities, theta)
    assert found.conditional_power[0][1] == pytest.approx(total * free, abs=1e-13)
    assert found.predictive == pytest.approx(seen.predictive * free, abs=1e-13)  # H0 is rejected at the end alone


def test_before_the_first_patient_the_power_beside_the_rule_is_that_of_the_joint_law():
    design, boundary = parse_looks("0:3/5,1:4/9,3/12"), parse_boundary("3/4,4/8,5/12")
    seen = monitoring.monitor(design, 0, 0, (0.3,))
    found = monitoring.beside_rule(design, seen, boundary, 0, 0.25)
    wanted = endings(design, boundary, p=0.3, toxicity=0.25).reject
    assert found.conditional_power[0][1] == pytest.approx(wanted, abs=1e-13)
