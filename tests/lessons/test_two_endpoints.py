"""The lesson on two endpoints: what its figures say, held against sums over patients made here."""

import itertools
import math
import re

import numpy as np
import pytest
from scipy import stats

from simtrial.lessons import two_endpoints as lesson_two_endpoints
from simtrial.toxicity.association import cells

TOLERATED = (0.2, 0.4)


def numbers(picture):
    """All numbers above a figure; those with a per cent sign as rates."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", picture.figure.get_suptitle())
    found = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)(%?)", text)
    return [float(number) / (100 if sign else 1) for number, sign in found]


def printed(rate):
    """A rate as a percentage with one decimal has it."""
    return pytest.approx(round(rate, 3))


def bounds(kind, limit=0.05, n=29):
    return {
        look.n: look.b for look in lesson_two_endpoints.ruled(kind, TOLERATED[0], limit, n).looks if look.b is not None
    }


def walked(stops, p, theta, odds_ratio=1.0, design=((10, 1), (29, 5))):
    """Shares of the endings, patient by patient: toxicity is looked at first."""
    one, found, futility = (
        cells(p, theta, odds_ratio),
        dict.fromkeys(("toxicity", "futility", "reject"), 0.0),
        dict(design),
    )
    here = {(0, 0): 1.0}
    for n in range(1, design[-1][0] + 1):
        moved = {}
        for (x, t), chance in here.items():
            for (dx, dt), step in zip(((1, 1), (1, 0), (0, 1), (0, 0)), one, strict=True):
                moved[x + dx, t + dt] = moved.get((x + dx, t + dt), 0.0) + chance * step
        here = {}
        for (x, t), chance in moved.items():
            if t >= stops.get(n, math.inf):
                found["toxicity"] += chance
            elif n == design[-1][0]:
                found["reject"] += chance * (x > futility[n])
            elif x <= futility.get(n, -1):
                found["futility"] += chance
            else:
                here[x, t] = chance
    return found


@pytest.mark.parametrize("odds_ratio", [1.0, 4.0, math.inf])
def test_the_price_of_the_rule_is_what_a_walk_over_pairs_finds(odds_ratio):
    picture = lesson_two_endpoints.price(TOLERATED, 0.05, "pocock", odds_ratio)
    power, with_rule, size, small, stopped_p0, stopped_p1 = (value for value in numbers(picture) if value != 0)
    stops = bounds("pocock")
    assert power == printed(walked({}, 0.3, 0.2)["reject"])
    assert size == printed(walked({}, 0.1, 0.2)["reject"])
    assert with_rule == printed(walked(stops, 0.3, 0.2, odds_ratio)["reject"])
    assert small == printed(walked(stops, 0.1, 0.2, odds_ratio)["reject"])
    assert stopped_p0 == printed(walked(stops, 0.1, 0.4, odds_ratio)["toxicity"])
    assert stopped_p1 == printed(walked(stops, 0.3, 0.4, odds_ratio)["toxicity"])
    widths = [bar.get_width() for bar in picture.figure.axes[0].patches]
    assert sum(widths) == pytest.approx(4)  # four pairs of rates, each with all its endings


def test_a_rule_never_takes_more_power_than_it_crosses_whatever_the_association():
    for kind, (_, odds_ratio) in itertools.product(("pocock", "obf"), lesson_two_endpoints.ASSOCIATION.options.items()):
        alone, ruled = (walked(stops, 0.3, 0.2, odds_ratio) for stops in ({}, bounds(kind)))
        assert 0 <= alone["reject"] - ruled["reject"] <= 0.05


def test_trials_of_a_class_cross_the_boundary_by_hand_as_often_as_plain_counting_finds():
    bets = {5: 3, 10: 4, 20: 7, 29: 9}
    for trials in (30, 1000):
        toxic = lesson_two_endpoints._class(0.2, trials, 1)
        plain = sum(any(patients[:n].sum() >= b for n, b in bets.items()) for patients in toxic)
        rate, crossing, of, share, _, exact = numbers(lesson_two_endpoints.by_hand(*bets.values(), 0.2, trials, 1))
        assert (rate, crossing) == (0.2, plain)
        assert of == trials
        assert share == printed(plain / trials)
        assert exact == printed(walked(bets, 0.3, 0.2, design=((29, -1),))["toxicity"])
    assert (lesson_two_endpoints._class(0.2, 1000, 1)[:30] == lesson_two_endpoints._class(0.2, 30, 1)).all()


def test_a_path_ends_at_the_look_that_stops_it():
    axis = lesson_two_endpoints.by_hand(1, 4, 7, 9, 0.5, 30, 1).figure.axes[0]
    stopped = [line for line in axis.lines if line.get_color() == lesson_two_endpoints.TOXICITY]
    lengths = [int(np.isfinite(line.get_ydata()).sum()) - 1 for line in stopped]
    toxic = lesson_two_endpoints._class(0.5, 30, 1)
    first = [next((n for n, b in ((5, 1), (10, 4), (20, 7), (29, 9)) if row[:n].sum() >= b), 0) for row in toxic]
    assert sorted(lengths) == sorted(n for n in first if n)


def test_both_shapes_are_told_by_their_exact_crossing_and_patients():
    said = numbers(lesson_two_endpoints.shapes(TOLERATED, 0.05))
    found = []
    for kind in ("pocock", "obf"):
        stops, here, ever, patients = bounds(kind), {0: 1.0}, 0.0, 0.0
        for n in range(1, 30):
            patients += sum(here.values())
            moved = {}
            for t, chance in here.items():
                moved[t] = moved.get(t, 0.0) + chance * 0.6
                moved[t + 1] = moved.get(t + 1, 0.0) + chance * 0.4
            ever += sum(chance for t, chance in moved.items() if t >= stops.get(n, 99))
            here = {t: chance for t, chance in moved.items() if t < stops.get(n, 99)}
        found += [round(ever, 3), round(patients, 1)]
    assert said == pytest.approx([0.4, *found])


def test_two_tests_are_worst_at_the_ends_of_the_association():
    picture = lesson_two_endpoints.tested(TOLERATED, 0.1)
    for line in [*picture.figure.axes[0].lines[:2], *picture.figure.axes[1].lines[:2]]:
        assert (np.diff(line.get_ydata()) >= -1e-12).all()
    loose, strict = (lesson_two_endpoints.both(TOLERATED, 0.1, worst=worst).optimal.design for worst in (False, True))
    said = numbers(picture)
    assert (said[0], said[3]) == (loose.n, strict.n)
    assert strict.n > loose.n
    for safe, limit in ((said[2], False), (said[5], True)):
        assert (safe >= 0.8) == limit
    # under independence the counts have two laws of their own, and the design is a product of two margins
    both = [
        sum(
            stats.binom.pmf(x, loose.n1, p) * stats.binom.sf(c - x, loose.n - loose.n1, p)
            for x in range(c1 + 1, loose.n1 + 1)
        )
        for p, c1, c in ((0.3, loose.c_r1, loose.c_r), (0.8, loose.c_t1, loose.c_t))
    ]
    middle = picture.figure.axes[1].lines[0].get_ydata()[31]
    assert middle == pytest.approx(both[0] * both[1])
    assert middle >= 0.8


def test_the_answer_names_the_power_taken_and_a_design_that_keeps_it():
    text = str(lesson_two_endpoints.answer(TOLERATED, 0.05))
    stops = bounds("pocock")
    alone, ruled = walked({}, 0.3, 0.2)["reject"], walked(stops, 0.3, 0.2)["reject"]
    assert f"takes {100 * (alone - ruled):.1f} percentage points of power" in text
    for odds_ratio in (0.0, math.inf):
        assert f"{100 * walked(stops, 0.3, 0.2, odds_ratio)['reject']:.1f}%" in text
    design, _, kept = lesson_two_endpoints.repaired(TOLERATED, 0.05, "pocock")
    looks = tuple((look.n, look.r) for look in design.looks)
    other = bounds("pocock", n=looks[-1][0])
    assert walked(other, 0.3, 0.2, design=looks)["reject"] == pytest.approx(kept.reject)
    assert kept.reject >= 0.8
    assert walked({}, 0.1, 0.2, design=looks)["reject"] <= 0.05


def sound(picture):
    """Whether every number told is one, and everything drawn has a place."""
    placed = all(np.isfinite(axis.dataLim.get_points()).all() for axis in picture.figure.axes)
    return placed and not re.search(r"\b(nan|inf|None)\b", picture.alt)


@pytest.mark.parametrize("tolerated", [(0.05, 0.15), (0.7, 0.8), (0.05, 0.8)])
def test_no_corner_of_the_rates_is_refused(tolerated):
    for limit, kind in itertools.product(
        lesson_two_endpoints.CROSSING.options.values(), lesson_two_endpoints.SHAPE.options.values()
    ):
        assert sound(lesson_two_endpoints.price(tolerated, limit, kind, 0.25))
    assert sound(lesson_two_endpoints.shapes(tolerated, 0.05))
    assert sound(lesson_two_endpoints.by_hand(1, 1, 1, 1, 0.02, 30, 0))
    assert sound(lesson_two_endpoints.by_hand(5, 10, 20, 29, 0.7, 30, 0))


@pytest.mark.parametrize("tolerated", [(0.7, 0.8), (0.05, 0.8), (0.45, 0.55)])
def test_no_corner_of_the_two_tests_is_refused(tolerated):
    assert sound(lesson_two_endpoints.tested(tolerated, 0.1))
