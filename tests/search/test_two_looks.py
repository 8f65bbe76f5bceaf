"""The search for any two looks: beside an enumeration without any bound, Simon's engine, and random designs."""

import math
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pytest

from simtrial import InputError, MultiStage, Requirements, SingleStage, TwoStage, looks_text, parse_looks, search
from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf
from simtrial.design.largest import largest_en
from simtrial.search import Aim, Constraints, efficacy, simon
from simtrial.search.two_looks import looks as two_looks
from simtrial.search.two_looks.binomials import LookTables, largest_share
from simtrial.search.two_looks.hull import least_by_some_weights, undominated

MOST = {False: 9, True: 17}
"""Largest n that is enumerated, in little time and in more; no search of these settings needs more."""

SMALL = [
    (0.2, 0.7, 0.1, 0.8),
    (0.25, 0.75, 0.0625, 0.75),  # dyadic: limits that designs meet exactly
    (0.1, 0.8, 0.01, 0.64),  # .1^2 and .8^2 are both limits
    (0.02, 0.9, 0.05, 0.9),  # one patient in the first stage has exactly the power, and EN(p0) hardly grows with n
    (0.05, 0.6, 0.1, 0.85),
]
LARGER = [(0.1, 0.5, 0.05, 0.8), (0.3, 0.7, 0.1, 0.85), (0.5, 0.9, 0.125, 0.9), (0.5, 0.75, 0.3, 0.75)]
BOTH_SIZES = pytest.mark.parametrize(
    ("limits", "long"),
    [*((one, False) for one in SMALL), *(pytest.param(one, True, marks=pytest.mark.long) for one in LARGER)],
    ids=str,
)

AIMS = [
    Aim(en_p0=1.0),
    Aim(en_p1=1.0),
    Aim(en_max=1.0),
    Aim(en_p0=0.3, en_p1=0.2, en_max=0.4, n=0.1),
    Aim(en_p0=1.0, smallest_n=True),
    Aim(en_p1=1.0, smallest_n=True),
    Aim(en_max=1.0, smallest_n=True),
    Aim(n=1.0),
]

ASKED = [
    Constraints(),
    Constraints(stops="futility"),
    Constraints(stops="efficacy"),
    Constraints(futility_optional=True),
    Constraints(r1=0),
    Constraints(n1_least=4),
    Constraints(balanced=True),
    Constraints(balanced=True, stops="futility"),
    Constraints(balanced=True, futility_optional=True),
    Constraints(multiple_of=2),
    Constraints(multiple_of=3, stops="efficacy"),
    Constraints(looks_at=(4, 9)),
    Constraints(looks_at=(4, 9), futility_optional=True),
    Constraints(cap=8),
]


def weights(p, n):
    """Whole numbers C(n, x) a^x (b - a)^(n - x) for p = a / b, whose sum is b^n."""
    a, b = p.numerator, p.denominator
    return [math.comb(n, x) * a**x * (b - a) ** (n - x) for x in range(n + 1)]


@cache
def enumerated(limits, *, long):
    """Every design of two looks up to `MOST` patients that meets the limits, in whole numbers, and its sizes."""
    p0, p1, alpha, power = (Fraction(repr(v)) for v in limits)
    met = []
    for n1, n in combinations(range(1, MOST[long] + 1), 2):
        first = [weights(p, n1) for p in (p0, p1)]
        second = [weights(p, n - n1) for p in (p0, p1)]
        (low, high), scale = (p.denominator**n for p in (p0, p1)), [p.denominator ** (n - n1) for p in (p0, p1)]
        for r in range(n):
            beyond = [[sum(w[max(r - x + 1, 0) :]) for x in range(n1 + 1)] for w in second]
            for r1, e1 in product(range(-1, min(r, n1)), range(1, n1 + 2)):
                if e1 < r1 + 2 or (r1 < 0 and e1 > n1):
                    continue
                reject = [
                    sum(b[x] * (t[x] if x < e1 else s) for x in range(r1 + 1, n1 + 1))
                    for b, t, s in zip(first, beyond, scale, strict=True)
                ]
                if Fraction(reject[0], low) <= alpha and Fraction(reject[1], high) >= power:
                    met.append(Bounds(n1, r1, e1, r, n))
    return [Met(bounds, built(bounds), sizes(bounds, limits[:2])) for bounds in met]


class Bounds(NamedTuple):
    n1: int
    r1: int
    e1: int
    r: int
    n: int


class Met(NamedTuple):
    bounds: Bounds
    design: TwoStage | MultiStage
    sizes: tuple[float, float, float, int]


def built(bounds):
    n1, r1, e1, r, n = bounds
    if r1 < 0:
        return parse_looks(f":{e1}/{n1},{r}/{n}")
    return TwoStage(r1, n1, r, n, e1=e1 if e1 <= n1 else None)


@cache
def shares(n1, r1, e1, rates):
    """P(r1 < X1 < e1) at two rates, and its maximum over all rates."""
    going_on = np.arange(r1 + 1, min(e1, n1 + 1))
    one_more = built(Bounds(n1, r1, e1, n1, n1 + 1))
    return [float(binomial_pmf(n1, p, going_on).sum()) for p in rates] + [largest_en(one_more).en - n1]


def sizes(bounds, rates):
    n1, r1, e1, _, n = bounds
    return (*(n1 + (n - n1) * share for share in shares(n1, r1, e1, rates)), n)


def allows(asked, n1, n):
    """Whether two looks may be at n1 and n patients: the definition of the constraints on sizes."""
    if asked.looks_at is not None:
        return (n1, n) == (asked.looks_at[0], asked.looks_at[-1])
    return (
        n1 >= asked.n1_least
        and (not asked.balanced or n == 2 * n1)
        and (asked.cap is None or n <= asked.cap)
        and n1 % asked.multiple_of == 0 == n % asked.multiple_of
    )


def allowed(bounds, asked):
    """Whether the constraints and the family of any two looks have a design."""
    n1, r1, e1, r, n = bounds
    stops = asked.stops or "both"
    if stops == "futility":
        form = r1 >= 0 and e1 > n1
    elif stops == "efficacy":
        form = r1 < 0 and e1 <= r + 1
    else:
        form = e1 <= r + 1 and (r1 >= 0 or asked.futility_optional)
    return form and allows(asked, n1, n) and (asked.r1 is None or r1 == asked.r1)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: ",".join(asked.given) or "free")
@BOTH_SIZES
def test_what_is_found_is_the_best_of_an_enumeration_without_any_bound_and_so_are_its_ties(limits, long, asked):
    met = [one for one in enumerated(limits, long=long) if allowed(one.bounds, asked)]
    found = two_looks.search(Requirements(*limits), asked, n_limit=100)
    if not met:
        with pytest.raises(InputError, match="no design that meets both limits"):
            found.result(AIMS[0])
        return
    for aim in AIMS:
        result = found.result(aim)
        order = sorted(((aim.of(*one.sizes), one.design) for one in met), key=lambda one: aim.order(one[1], one[0]))
        value, best = order[0]
        assert result.best.looks == best.looks, aim.what
        assert abs(result.certificate.value - value) < 1e-12 * MOST[True]  # sums of so few terms
        assert result.certificate.n_upper <= MOST[long]
        ties = [
            design.looks for other, design in order[1:]
            if aim.equal((other, design.looks[-1].n), (value, best.looks[-1].n))
            and design.looks[-1].n <= result.certificate.n_upper
        ]  # fmt: skip
        assert [one.looks for one in result.ties] == ties, aim.what
        if asked.cap is None:
            assert (result.certificate.how, result.certificate.gap) == ("proved", 0.0)


@pytest.mark.parametrize("stops", [None, "efficacy"])
@BOTH_SIZES
def test_no_design_is_better_in_everything_than_one_of_the_frontier(limits, long, stops):
    asked = Constraints(stops=stops)
    points = {}
    for one in enumerated(limits, long=long):
        if allowed(one.bounds, asked):
            points[one.design.looks] = (round(one.sizes[0], 8), round(one.sizes[1], 8), one.sizes[3])
    values = set(points.values())
    best = {v for v in values if not any(w != v and all(a <= b for a, b in zip(w, v, strict=True)) for w in values)}
    frontier = two_looks.search(Requirements(*limits), asked, n_limit=100).result(AIMS[0]).frontier
    assert {points[one.looks] for one in frontier} == best
    assert len(frontier) == len(best)


USUAL = [
    (0.05, 0.25, 0.05, 0.9), (0.1, 0.3, 0.05, 0.8), (0.1, 0.3, 0.1, 0.9), (0.2, 0.4, 0.05, 0.9), (0.3, 0.5, 0.05, 0.9),
    (0.4, 0.6, 0.05, 0.8), (0.5, 0.7, 0.1, 0.9), (0.6, 0.8, 0.05, 0.9), (0.7, 0.9, 0.05, 0.8), (0.8, 0.95, 0.1, 0.9),
    (0.05, 0.1, 0.2, 0.6), (0.3, 0.45, 0.05, 0.8), (0.02, 0.9, 0.05, 0.9), (0.01, 0.15, 0.01, 0.99),
    (0.5, 0.9, 0.125, 0.729), (0.1, 0.8, 0.01, 0.64), (0.25, 0.75, 0.0625, 0.75), (0.2, 0.35, 0.1, 0.9),
]  # fmt: skip


@pytest.mark.parametrize("limits", USUAL, ids=str)
def test_simons_designs_are_found_by_both_engines(limits):
    asked = Requirements(*limits)
    other = search.two_stage(asked)
    found = two_looks.search(
        asked, Constraints(stops="futility"), n_limit=300, together=(simon.LEAST_EN, simon.LEAST_N)
    )
    assert found.result(simon.LEAST_EN).best.looks == other.optimal.looks
    assert found.result(simon.LEAST_N).best.looks == other.minimax.looks
    assert [one.looks for one in found.frontier] == [one.looks for one in other.frontier]
    assert [one.looks for one in found.admissible] == [one.looks for one in other.admissible]
    proof = found.result(simon.LEAST_EN).certificate
    assert proof.n_lower == other.certificate.n_lower
    assert proof.n_upper <= max(other.certificate.n_upper, other.optimal.n + 1)  # its bound is the wider one


@pytest.mark.long
def test_simons_designs_are_found_by_both_engines_wherever_limits_lie():
    rng = np.random.default_rng(20261126)
    for _ in range(150):
        p0 = round(rng.uniform(0.02, 0.7), 2)
        p1 = round(p0 + rng.uniform(0.12, 0.3), 2)
        asked = Requirements(p0, p1, round(rng.uniform(0.01, 0.2), 3), round(rng.uniform(0.6, 0.95), 2))
        other = search.two_stage(asked)
        found = two_looks.search(asked, Constraints(stops="futility"), n_limit=500)
        assert found.result(simon.LEAST_EN).best.looks == other.optimal.looks, asked
        assert found.result(simon.LEAST_N).best.looks == other.minimax.looks, asked
        assert [one.looks for one in found.frontier] == [one.looks for one in other.frontier], asked


def test_simons_result_lists_its_ties():
    found = search.two_stage(Requirements(0.2, 0.8, 0.1, 0.7))
    enumerated_ = [
        TwoStage(r1, n1, r, n)
        for n in range(2, 9) for n1 in range(1, n) for r in range(1, n) for r1 in range(min(r, n1))
    ]  # fmt: skip
    met = [one for one in enumerated_ if exact.meets(one, found.requirements)]
    for aim in (simon.LEAST_EN, simon.LEAST_N):
        result = found.result(aim)
        values = {one: aim.value(one, found.requirements) for one in met}
        ties = [
            one for one in met
            if aim.equal((values[one], one.n), (result.best.en_p0, result.best.n)) and one != result.best.design
        ]  # fmt: skip
        assert [one.design for one in result.ties] == sorted(ties, key=lambda one: aim.order(one, values[one]))


@pytest.mark.parametrize("limits", [(0.1, 0.3, 0.05, 0.9), (0.2, 0.35, 0.1, 0.8), (0.5, 0.7, 0.05, 0.8)])
def test_no_random_design_near_the_best_is_better_by_its_criterion(limits):
    asked = Requirements(*limits)
    rng = np.random.default_rng(7)
    found = efficacy.search(asked)
    met = 0
    for criterion in efficacy.CRITERIA:
        best = criterion.pick(found)
        first, last = best.looks
        least = criterion.aim.value(best, asked)
        for _ in range(250):
            n1, r1, e1, r = (
                value + int(rng.integers(-2, 3)) for value in (first.n, first.r, first.e or first.n + 1, last.r)
            )
            n = last.n + int(rng.integers(-3, 6))
            if not (0 <= r1 < r and r1 + 2 <= e1 <= r + 1 and r1 < n1 < n and r < n):
                continue
            design = TwoStage(r1, n1, r, n, e1=e1 if e1 <= n1 else None)
            if exact.meets(design, asked):
                met += 1
                value = criterion.aim.value(design, asked)
                assert criterion.aim.order(design, value) >= criterion.aim.order(best, least), looks_text(design)
    assert met > 30  # enough of them keep the limits for the test to say something


def test_the_largest_share_that_continues_is_nowhere_exceeded_on_a_fine_grid():
    p = np.linspace(0, 1, 20_001)
    for n1, k, e in [(1, 1, 2), (5, 1, 3), (20, 3, 12), (37, 10, 11), (120, 30, 55), (10, 1, 10)]:
        found = float(largest_share(*(np.array([one]) for one in (n1, k, e)))[0])
        counts = np.arange(k, min(e, n1 + 1))
        on_grid = binomial_pmf(n1, p, counts).sum(axis=-1).max()
        # a maximum is flat: half a step of the grid, 2.5e-5, costs less than n1^2 times its square
        assert on_grid <= found + 1e-12
        assert found - on_grid < n1**2 * 2.5e-5**2 + 1e-12


def test_tables_agree_with_single_probabilities_to_a_tenth_of_their_margin():
    tables = LookTables(Requirements(0.3, 0.5, 0.05, 0.9), 300)
    for which, p in enumerate((0.3, 0.5)):
        for n in (1, 17, 150, 300):
            pmf = binomial_pmf(n, p)
            assert np.abs(tables.pmf[which, n, : n + 1] - pmf).max() < 1e-11
            assert np.abs(tables.at_least[which, n, : n + 1] - pmf[::-1].cumsum()[::-1]).max() < 1e-11


def test_a_design_exactly_at_both_limits_is_found():
    # R curtailment asks for strictly less than alpha and strictly more than the power, and loses it
    exactly = Requirements(0.5, 0.9, 0.125, 0.729)
    best = two_looks.search(exactly, Constraints(looks_at=(1, 3), stops="futility"), n_limit=100).result(AIMS[0]).best
    assert looks_text(best) == "0/1,2/3"
    assert best.at_limits == ("alpha", "power")


def test_a_cap_is_named_where_it_ended_the_search_and_only_there():
    asked = Requirements(0.1, 0.35, 0.01, 0.9)
    free = two_looks.search(asked, Constraints(), n_limit=100).result(AIMS[0])
    capped = two_looks.search(asked, Constraints(cap=38), n_limit=100).result(AIMS[0])
    proof = capped.certificate
    assert (proof.how, proof.cap, proof.n_upper) == ("capped", 38, 38)
    assert capped.best.n <= 38
    assert proof.bound <= free.certificate.value < proof.value
    assert proof.gap == proof.value - proof.bound
    wide = two_looks.search(asked, Constraints(cap=200), n_limit=100).result(AIMS[0])
    assert (wide.certificate.how, wide.best.looks) == ("proved", free.best.looks)
    fewest = two_looks.search(asked, Constraints(cap=38), n_limit=100).result(Aim(en_p0=1.0, smallest_n=True))
    assert (fewest.certificate.how, fewest.certificate.n_upper) == ("proved", 31)


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(looks_at=(5, 10)), r"looks_at \(5, 10\) allow no design"),
        (Constraints(cap=20), r"cap \(20\) allows no design"),
        (Constraints(looks_at=(5, 10, 15)), "must be two numbers"),
        (Constraints(stops="efficacy", r1=1), r"r1 \(1\) is a futility bound"),
        (Constraints(n1_least=100), r"n1_least \(100\) leaves no patient"),
    ],
)
def test_constraints_that_leave_nothing_are_refused_by_their_name(constraints, message):
    with pytest.raises(InputError, match=message):
        two_looks.search(Requirements(0.1, 0.3, 0.05, 0.9), constraints, n_limit=100).result(AIMS[0])


def test_sums_that_are_searched_for_one_by_one_are_those_of_the_search_for_all_at_once():
    asked = Requirements(0.2, 0.4, 0.1, 0.8)
    together = efficacy.search(asked)
    alone = two_looks.TwoLooksSearch(asked, Constraints())
    for criterion in efficacy.CRITERIA:
        assert alone.result(criterion.aim).best.looks == criterion.pick(together).looks
        assert alone.result(criterion.aim).certificate.n_upper <= together.result(criterion.aim).certificate.n_upper


def test_admissible_designs_are_those_that_some_weights_on_a_fine_grid_prefer():
    asked = Requirements(0.2, 0.4, 0.05, 0.8)
    found = efficacy.search(asked)
    points = np.array([(one.en_p0, one.en_p1, one.n) for one in found.frontier])
    steps = np.linspace(0, 1, 401)
    grid = [(a, b, 1 - a - b) for a in steps for b in steps if 0 < a + b <= 1]
    preferred = {int(i) for i in (points @ np.array(grid).T).argmin(axis=0)}
    admissible = {one.looks for one in found.admissible}
    assert {found.frontier[i].looks for i in preferred} <= admissible
    # what the grid misses has a polygon of weights that is smaller than its steps
    assert len(admissible) - len(preferred) <= 1
    best = {criterion.pick(found).looks for criterion in efficacy.CRITERIA if not criterion.aim.en_max}
    assert best <= admissible
    assert {one.looks for one in found.admissible if one.kinds} == admissible - {
        criterion.pick(found).looks for criterion in efficacy.CRITERIA
    }


def test_a_point_on_the_line_between_two_others_is_as_good_as_both_and_one_above_it_is_not():
    points = np.array([[10.0, 0.0, 30.0], [12.0, 0.0, 28.0], [14.0, 0.0, 26.0], [13.0, 0.0, 27.5]])
    assert least_by_some_weights(points, with_p1=False) == [0, 1, 2]


def test_of_equal_points_the_first_is_kept_and_of_others_those_that_none_is_as_good_as():
    points = [(10.0, 20.0, 30), (10.0, 20.0, 30), (9.0, 21.0, 30), (9.0, 21.0, 31), (8.0, 22.0, 31), (10.0, 21.0, 29)]
    assert sorted(undominated(points)) == [0, 2, 4, 5]


def test_a_look_without_futility_is_written_without_a_bound():
    found = two_looks.search(Requirements(0.1, 0.3, 0.1, 0.9), Constraints(futility_optional=True), n_limit=100)
    best = found.result(Aim(en_p1=1.0)).best
    assert isinstance(best.design, MultiStage)
    assert looks_text(best) == ":3/9,5/28"
    assert round(best.en_p1, 2) == 17.79
    assert not isinstance(best.design, SingleStage)
