"""Boundaries of every type against a table, all thresholds and paths in fractions, and in hard settings."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import special, stats

from simtrial import InputError
from simtrial.design.designs import parse_sizes
from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook, boundary_text, crossing
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.kinds import BoundaryShape
from simtrial.toxicity.paths import ever, ever_fraction, that_matter
from simtrial.toxicity.tails import beta_logits, beta_tails

KINDS = {"pocock": "pocock", "obrien-fleming": "obf", "geller": "bayes", "sprt": "sprt"}


def shape_of(row):
    name, _, delta = row.kind.partition(" ")
    return BoundaryShape(
        KINDS.get(name, "wang_tsiatis"),
        row.theta0,
        delta=float(delta) if delta else None,
        prior=tuple(map(float, row.prior[5:-1].split(","))) if name == "geller" else None,
        unacceptable=row.theta1 if name == "sprt" else None,
    )


def looks_of(text):
    return parse_sizes(text.replace("..", "-").replace(" ", ","))


def test_all_boundaries_of_the_table_with_their_characteristics_and_parameters(reference):
    table = reference("families/toxicity")
    assert len(table) == 118
    for row in table.itertuples():
        found = calibrated(shape_of(row), looks_of(row.look_n), row.phi)
        assert [("-" if look.b is None else str(look.b)) for look in found.boundary.looks] == row.stop_if_ge.split()
        at = crossing(found.boundary, [row.theta0, row.theta0 + 0.2])
        got = (found.attained, at.ever[0], at.before_last[0], at.en[0], at.ever[1], at.en[1])
        printed = (row.crossing_theta0, row.crossing_theta0, row.crossing_before_last_theta0, row.en_theta0,
                   row.crossing_theta0_plus_20, row.en_theta0_plus_20)  # fmt: skip
        assert got == pytest.approx(printed, rel=1e-9)  # ten digits are printed
        assert found.leading == pytest.approx(row.parameter, rel=1e-9)
        if not math.isnan(row.parameter_up_to):
            assert found.parameter[1] == pytest.approx(row.parameter_up_to, rel=1e-9)


def plain_evidence(shape, b, n, last):
    """What speaks against the acceptable rate: a fraction where there is one, otherwise digits of scipy's."""
    rate = Fraction(repr(shape.rate))
    tail = sum(math.comb(n, x) * rate**x * (1 - rate) ** (n - x) for x in range(b, n + 1))
    if shape.kind == "sprt":
        other = Fraction(repr(shape.unacceptable))
        return (other / rate) ** b * ((1 - other) / (1 - rate)) ** (n - b)
    if shape.kind == "bayes":  # of a Beta law with whole numbers a binomial tail is the distribution function
        a, c = (int(value) for value in shape.prior)
        m = a + c + n - 1
        return -sum(math.comb(m, x) * rate**x * (1 - rate) ** (m - x) for x in range(a + b, m + 1))
    delta = {"pocock": 0.0, "obf": 0.5}.get(shape.kind, shape.delta)
    return -tail if delta == 0 else -round(special.ndtri(float(tail)) * (n / last) ** delta, 10)


def plain_crossing(bounds, rate):
    """Over all sequences of patients."""
    rate, last, total = Fraction(repr(rate)), max(bounds), Fraction(0)
    for path in itertools.product((0, 1), repeat=last):
        had = list(itertools.accumulate(path))
        if any(b is not None and had[n - 1] >= b for n, b in bounds.items()):
            total += rate ** had[-1] * (1 - rate) ** (last - had[-1])
    return total


def plain_best(shape, looks, limit):
    """The largest crossing within the limit over all thresholds; None if there is none. Every boundary, too."""
    scores = {(n, b): plain_evidence(shape, b, n, looks[-1]) for n in looks for b in range(1, n + 1)}
    best, every = None, []
    for threshold in sorted(set(scores.values()), reverse=True):
        bounds = {n: next((b for b in range(1, n + 1) if scores[n, b] >= threshold), None) for n in looks}
        crosses = plain_crossing(bounds, shape.rate)
        every.append((bounds, crosses))
        if crosses <= Fraction(repr(limit)):
            best = bounds, crosses
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(every))  # a threshold that is lower crosses more often
    return best


SHAPES = [
    BoundaryShape("pocock", 0.2), BoundaryShape("pocock", 0.5), BoundaryShape("obf", 0.25), BoundaryShape("obf", 0.5),
    BoundaryShape("wang_tsiatis", 0.3, delta=0.0), BoundaryShape("wang_tsiatis", 0.1, delta=0.3),
    BoundaryShape("bayes", 0.5, prior=(1, 1)), BoundaryShape("bayes", 0.2, prior=(2, 5)),
    BoundaryShape("bayes", 0.4, prior=(1, 2)), BoundaryShape("sprt", 0.2, unacceptable=0.8),
    BoundaryShape("sprt", 0.2, unacceptable=0.4), BoundaryShape("sprt", 0.1, unacceptable=0.35),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.kind} {shape.rate}")
@pytest.mark.parametrize("looks", [(1, 2, 3, 4, 5, 6, 7), (2, 5, 7), (8,), (3, 4, 8)], ids=str)
def test_it_is_the_largest_crossing_of_all_thresholds_in_fractions(shape, looks):
    for limit in (0.01, 0.05, 0.125, 0.3, 0.5, 0.9, 0.999):
        best = plain_best(shape, looks, limit)
        if best is None:
            with pytest.raises(InputError, match="crossing"):
                calibrated(shape, looks, limit)
            continue
        found = calibrated(shape, looks, limit)
        assert {look.n: look.b for look in found.boundary.looks} == best[0]
        assert found.attained == pytest.approx(float(best[1]), rel=1e-12)


@pytest.mark.parametrize(
    ("shape", "looks", "limit"),
    [
        (BoundaryShape("pocock", 0.1), [2], 0.01),  # 0.1 * 0.1 > 0.01 in floating point
        (BoundaryShape("pocock", 0.5), [1, 2, 3], 0.125),
        (BoundaryShape("obf", 0.2), [3], 0.104),
        (BoundaryShape("sprt", 0.1, unacceptable=0.3), [1], 0.1),
        (BoundaryShape("bayes", 0.3), [2], 0.09),
    ],
)
def test_a_crossing_probability_equal_to_the_limit_is_within_it(shape, looks, limit):
    found = calibrated(shape, looks, limit)
    assert found.attained == pytest.approx(limit, rel=1e-14)
    try:
        below = calibrated(shape, looks, limit * (1 - 1e-6)).attained
    except InputError:
        below = 0.0
    assert below < limit * (1 - 1e-6)


def test_equal_evidence_of_two_looks_enters_together_whatever_the_last_bits():
    # the log-likelihood ratio is a multiple of 2b - n, so boundaries are parallel lines: none lies between two of them
    shape = BoundaryShape("sprt", 0.2, unacceptable=0.8)
    looks = range(1, 41)
    seen = set()
    for limit in np.linspace(0.01, 0.99, 50):
        found = calibrated(shape, looks, float(limit))
        heights = {2 * look.b - look.n for look in found.boundary.looks if look.b is not None and look.b > 1}
        least = min(heights)
        assert all(
            look.b == max(-(-(look.n + least) // 2), 1) or (look.b is None and look.n < least)
            for look in found.boundary.looks
        )
        seen.add(least)
    assert len(seen) > 3
    # with a symmetric prior the posterior of b of 2b is 1/2 at every look
    found = calibrated(BoundaryShape("bayes", 0.5, prior=(0.5, 0.5)), range(2, 31, 2), 0.7)
    assert len({look.b - look.n // 2 for look in found.boundary.looks}) > 1
    half = calibrated(BoundaryShape("bayes", 0.5, prior=(0.5, 0.5)), range(2, 31, 2), 0.99)
    assert half.parameter[0] != pytest.approx(half.parameter[1], rel=1e-9)


def rule(shape, parameter, looks):
    """The definition of each type, by scipy."""
    bounds = []
    for n in looks:
        b = np.arange(1, n + 1)
        if shape.kind == "bayes":
            a, c = shape.prior_used
            stop = stats.beta(a + b, c + n - b).sf(shape.rate) > parameter
        elif shape.kind == "sprt":
            stop = (
                b * math.log(shape.unacceptable / shape.rate)
                + (n - b) * math.log((1 - shape.unacceptable) / (1 - shape.rate))
                >= parameter
            )
        else:
            level = stats.norm.cdf(stats.norm.ppf(parameter) * (n / looks[-1]) ** -(shape.exponent or 0))
            stop = stats.binom.sf(b - 1, n, shape.rate) <= level
        bounds.append(ToxicityLook(n, int(b[stop][0]) if stop.any() else None))
    return ToxicityBoundary(tuple(bounds))


@pytest.mark.parametrize(
    "shape",
    [
        BoundaryShape("pocock", 0.2), BoundaryShape("obf", 0.15), BoundaryShape("wang_tsiatis", 0.3, delta=0.2),
        BoundaryShape("bayes", 0.2), BoundaryShape("bayes", 0.35, prior=(3.5, 6.5)),
        BoundaryShape("sprt", 0.2, unacceptable=0.4),
    ],
    ids=lambda shape: f"{shape.kind} {shape.rate}",
)  # fmt: skip
def test_the_interval_of_the_parameter_leads_to_the_boundary_and_no_more(shape):
    looks = range(1, 31)
    for limit in (0.05, 0.1, 0.2):
        found = calibrated(shape, looks, limit)
        low, high = found.parameter
        inside, width = [0.001, 0.5, 0.999], high - low
        assert width > 0
        assert {rule(shape, low + share * width, looks) for share in inside} == {found.boundary}
        beyond = high + 1e-3 * width if shape.exponent is not None else low - 1e-3 * width
        assert crossing(rule(shape, beyond, looks), [shape.rate]).ever[0] > limit
        before = low - 1e-3 * width if shape.exponent is not None else high + 1e-3 * width
        assert rule(shape, before, looks) != found.boundary
        assert found.leading == (high if shape.kind == "sprt" else low)


def test_ends_of_the_range_where_every_look_stops_for_one_toxicity():
    ones = "1/1,1/2,1/3"
    for shape, end in (
        (BoundaryShape("pocock", 0.001), 1.0),
        (BoundaryShape("bayes", 0.001), 0.0),
        (BoundaryShape("sprt", 0.001, unacceptable=0.3), -math.inf),
    ):
        found = calibrated(shape, [1, 2, 3], 0.5)
        assert boundary_text(found.boundary) == ones
        assert found.parameter[shape.exponent is not None] == end


def test_a_limit_below_every_boundary_is_refused_with_the_smallest_one():
    with pytest.raises(
        InputError, match=r"\(0\.01\) is below 0\.04, .*\(stop if 2 of 2\); allow at least that"
    ) as told:
        calibrated(BoundaryShape("pocock", 0.2), [2], 0.01)
    assert told.value.lines[0].startswith("crossing")
    assert boundary_text(calibrated(BoundaryShape("pocock", 0.2), [2], 0.04).boundary) == "2/2"
    with pytest.raises(InputError, match="cross nearly always"):
        calibrated(BoundaryShape("pocock", 1 - 1e-9), range(1, 31), 0.05)
    for fault, looks in (("does not increase", [3, 3]), ("does not increase", []), ("below 1", [0, 2])):
        with pytest.raises(InputError, match=fault):
            calibrated(BoundaryShape("pocock", 0.2), looks, 0.1)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"kind": "pocock", "delta": 0.2}, "belongs to wang_tsiatis only; pocock is its delta 0; leave it out"),
        ({"kind": "sprt", "delta": 0.2, "unacceptable": 0.4}, "sprt has none"),
        ({"kind": "wang_tsiatis"}, "is missing"),
        ({"kind": "wang_tsiatis", "delta": 0.6}, "is not from 0 to 0.5"),
        ({"kind": "obf", "prior": (1, 1)}, "belongs to bayes only"),
        ({"kind": "bayes", "prior": (0, 1)}, "prior"),
        ({"kind": "bayes", "unacceptable": 0.4}, "belongs to sprt only"),
        ({"kind": "sprt"}, "is missing"),
        ({"kind": "sprt", "unacceptable": 0.1}, "not between"),
    ],
)
def test_a_type_takes_its_own_parameters_only(given, fault):
    with pytest.raises(InputError, match=fault):
        BoundaryShape(rate=0.2, **given)


HARD = [
    BoundaryShape("pocock", 1e-9), BoundaryShape("pocock", 0.999), BoundaryShape("obf", 0.97),
    BoundaryShape("obf", 1e-6), BoundaryShape("bayes", 0.2, prior=(200, 800)),
    BoundaryShape("bayes", 0.2, prior=(1e4, 1e4)), BoundaryShape("bayes", 0.2, prior=(0.01, 0.01)),
    BoundaryShape("bayes", 1e-6), BoundaryShape("bayes", 0.99), BoundaryShape("bayes", 0.5, prior=(100, 1e4)),
    BoundaryShape("sprt", 1e-9, unacceptable=1 - 1e-9), BoundaryShape("sprt", 0.2, unacceptable=0.2001),
    BoundaryShape("wang_tsiatis", 0.33, delta=0.49),
]  # fmt: skip


@pytest.mark.parametrize("shape", HARD, ids=lambda shape: f"{shape.kind} {shape.rate} {shape.prior}")
@pytest.mark.parametrize("looks", [range(1, 201), [7], range(20, 61, 5)], ids=["200 looks", "one look", "blocks"])
def test_extreme_rates_and_priors_keep_the_limit_and_no_next_threshold_does(shape, looks):
    if shape.rate ** looks[-1] > 0.1:  # with so few patients any boundary crosses too often
        with pytest.raises(InputError, match="crossing"):
            calibrated(shape, looks, 0.1)
        return
    found = calibrated(shape, looks, 0.1)
    n, b = (np.array(one) for one in zip(*((k.n, k.b or k.n + 1) for k in found.boundary.looks), strict=True))
    exact = ever_fraction(*that_matter(n, b), shape.rate)
    assert 0 < exact <= Fraction(1, 10)
    assert found.attained == pytest.approx(float(exact), rel=1e-12)
    low, high = found.parameter
    assert low <= high
    assert not math.isnan(low)


def test_no_boundary_is_missed_beyond_the_patients_whose_orders_are_counted():
    found = calibrated(BoundaryShape("pocock", 0.2), range(50, 1001, 50), 0.05)
    assert found.attained <= 0.05
    level = found.parameter[1]
    beyond = rule(found.shape, level * (1 + 1e-9), list(range(50, 1001, 50)))
    assert crossing(beyond, [0.2]).ever[0] > 0.05


@pytest.mark.parametrize("rate", [1e-6, 0.05, 0.2, 0.5, 0.95, 1 - 1e-9])
def test_orders_in_floating_point_keep_twelve_digits_of_the_fraction(rate):
    rng = np.random.default_rng(7)
    for last in (1, 10, 60, 200, 500):
        n = np.sort(rng.choice(np.arange(1, last + 1), size=min(last, 25), replace=False))
        for share in (0.1, 0.3, 0.8):
            b = np.maximum(1, np.ceil(share * n + rng.integers(0, 3, n.size)).astype(int))
            looks = that_matter(n, b)
            exact = ever_fraction(*looks, rate)
            if exact > 1e-300:
                assert ever(*looks, rate) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize(("a", "c"), [(0.0, 1.0), (0.2, 0.8), (200.0, 800.0), (1e4, 1e4), (0.01, 0.01)])
def test_tails_are_those_of_the_incomplete_beta_function(a, c):
    looks = np.array([1, 2, 17, 100, 700])
    found = beta_tails(a, c, 0.21, looks)
    for row, n in zip(found, looks.tolist(), strict=True):
        b = np.arange(700, 0, -1)
        there = b <= n
        wanted = special.betainc(a + b[there], c + n - b[there], 0.21)
        assert row[there] == pytest.approx(wanted, rel=1e-10, abs=1e-290)
        assert not row[~there].any()


@pytest.mark.parametrize(("a", "c", "x"), [(0.2, 0.8, 0.2), (1e4, 1e4, 0.2), (100.0, 1e4, 0.5), (3.0, 2.0, 0.99)])
def test_logits_are_those_of_the_posterior_also_where_it_is_0_or_1_in_floating_point(a, c, x):
    looks = np.array([1, 5, 30])
    found = beta_logits(a, c, x, looks)
    below, above = (special.betainc(a + np.arange(30, 0, -1), np.maximum(c + 30 - np.arange(30, 0, -1), 0), x),
                    special.betaincc(a + np.arange(30, 0, -1), c + 30 - np.arange(30, 0, -1), x))  # fmt: skip
    seen = (below > 1e-280) & (above > 1e-280)
    assert found[2][seen] == pytest.approx(np.log(above[seen]) - np.log(below[seen]), rel=1e-9)
    assert (np.diff(found[2]) < 0).all()
    if a == 1e4:  # the digits of an integral of the density by its logarithm, scaled
        t = np.linspace(0.15, 0.2, 200_001)
        log = (a + 30 - 1) * np.log(t) + (c - 1) * np.log1p(-t)
        area = np.trapezoid(np.exp(log - log.max()), t)
        assert found[2][0] == pytest.approx(special.betaln(a + 30, c) - log.max() - np.log(area), rel=1e-6)
