"""Best stopping bounds: against enumeration of every rule, a linear program over rules that draw lots, and tables."""

import csv
import functools
import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import binom
from sequences import meets

from simtrial import InputError, Requirements, looks_text, parse_looks, search
from simtrial.design import exact
from simtrial.search import best_bounds
from simtrial.search.aim import Aim
from simtrial.search.constraints import Constraints
from simtrial.search.stopping import bellman, solution
from simtrial.search.stopping.branch import Branches
from simtrial.search.stopping.climb import MOVES, around
from simtrial.search.stopping.corridor import Corridor, design_of

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
EN_P0 = Aim(en_p0=1.0)
AIMS = (EN_P0, Aim(en_p1=1.0), Aim.between(0.5), Aim.between(0.2))
SMALL = [(0.2, 0.7, 0.1, 0.8), (0.25, 0.75, 0.0625, 0.6), (0.1, 0.5, 0.1, 0.7), (0.5, 0.9, 0.25, 0.9)]
EVERY = {n: list(best_bounds.every(n)) for n in range(1, 6)}


@pytest.fixture(scope="module")
def rows(root):
    with (root / "tests/reference/families/curtailment.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["rule"] == "lower bound for every rule on these looks"]


def asked_of(row):
    return Requirements(*(float(row[name]) for name in ("p0", "p1", "alpha", "power")))


def looks_of(row):
    return tuple(range(int(row["N"]), 0, -int(row["block"]))[::-1])


@functools.cache
def meeting(asked):
    """Every design with looks at any of 1..5 patients that keeps both limits, by definition."""
    return [design for designs in EVERY.values() for design in designs if meets(design, asked)]


def test_the_enumeration_holds_every_rule_once():
    def numbers(low, high, left):
        """How many rules there are that go on with low..high responses and have some looks left."""
        if left == 1:
            # one that always rejects and one that never does are no designs
            return high + 1 - low + 2
        return sum(
            numbers(r + 1, e - 1, left - 1) for r in range(low - 1, high + 1) for e in range(r + 2, high + 3)
        )  # fmt: skip

    for n, designs in EVERY.items():
        assert len({design.looks for design in designs}) == len(designs)
        assert len(designs) <= numbers(0, 0, n)
        # the decisions of two designs differ in some course of responses
        decisions = {
            tuple(decided(design, course) for course in itertools.product((0, 1), repeat=n)) for design in designs
        }
        assert len(decisions) == len(designs)


def decided(design, course):
    """Where a trial with these responses ends, and how."""
    for k, look in enumerate(design.looks):
        x, last = sum(course[: look.n]), k == len(design.looks) - 1
        if look.r is not None and x <= look.r:
            return look.n, False
        if last or (look.e is not None and x >= look.e):
            return look.n, True
    raise AssertionError


@pytest.mark.parametrize("limits", SMALL, ids=str)
@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: aim.what)
def test_the_design_found_is_the_best_of_all_rules_on_its_looks(limits, aim):
    asked = Requirements(*limits)
    met = meeting(asked)
    found = best_bounds.search(asked, constraints=Constraints(cap=5)).result(aim)
    best = aim.best(met, asked)
    assert found.certificate.how == "capped"
    assert found.best.looks == best.looks
    assert found.certificate.value == pytest.approx(aim.value(best, asked), abs=1e-9)
    least = bellman.least(asked, tuple(range(1, 6)), aim)
    assert least <= found.certificate.value


@pytest.mark.parametrize("limits", SMALL, ids=str)
@pytest.mark.parametrize("looks", [(2, 4, 5), (3, 5), (1, 2, 3, 5), (5,)], ids=str)
def test_the_same_holds_for_any_looks(limits, looks):
    asked = Requirements(*limits)
    met = [design for design in meeting(asked) if {look.n for look in design.looks} <= set(looks)]
    searched = best_bounds.search(asked, constraints=Constraints(looks_at=looks))
    if not met:
        with pytest.raises(InputError, match="leave no design that keeps both limits"):
            searched.result(EN_P0)
        return
    found = searched.result(EN_P0)
    assert found.certificate.how == "proved"
    assert found.best.looks == EN_P0.best(met, asked).looks


def stops_never_early(design, bound):
    """Whether no look before the last, at 5 patients, has this bound."""
    return design.looks[-1].n == 5 and all(getattr(look, bound) is None for look in design.looks[:-1])


FEW = (2, 3, 4, 5)
CONSTRAINED = [
    (Constraints(looks_at=FEW, stops="futility"), lambda design: stops_never_early(design, "e")),
    (Constraints(looks_at=FEW, stops="efficacy"), lambda design: stops_never_early(design, "r")),
    (Constraints(looks_at=FEW, r1=0), lambda design: design.looks[0].n == 2 and design.looks[0].r == 0),
    (Constraints(cap=5, multiple_of=2), lambda design: all(look.n % 2 == 0 for look in design.looks)),
    (Constraints(cap=5, n1_least=3), lambda design: design.looks[0].n >= 3),
]


@pytest.mark.parametrize("limits", SMALL, ids=str)
@pytest.mark.parametrize(("constraints", "keep"), CONSTRAINED, ids=["futility", "efficacy", "r1", "multiple", "n1"])
def test_constraints_leave_the_best_of_the_designs_that_keep_them(limits, constraints, keep):
    asked = Requirements(*limits)
    allowed = set(constraints.looks_at or range(1, 6))
    met = [design for design in meeting(asked) if {look.n for look in design.looks} <= allowed and keep(design)]
    if not met:
        with pytest.raises(InputError):
            best_bounds.search(asked, constraints=constraints).result(EN_P0)
        return
    found = best_bounds.search(asked, constraints=constraints).result(EN_P0)
    assert found.best.looks == EN_P0.best(met, asked).looks
    assert found.certificate.how == ("proved" if constraints.looks_at else "capped")


def by_linear_program(asked, looks, aim):
    """Least weighted EN of rules that may draw lots in every state: how many trials accept, reject or go on there.

    Half of the trials are at p0 and half at p1, so that no coefficient is huge.
    """
    states = [(k, x) for k, n in enumerate(looks) for x in range(n + 1)]
    share = {  # of the trials in a state, those at p1
        (k, x): binom.pmf(x, looks[k], asked.p1) / (binom.pmf(x, looks[k], asked.p0) + binom.pmf(x, looks[k], asked.p1))
        for k, x in states
    }
    place = {state: 3 * i for i, state in enumerate(states)}  # accept, reject, go on
    flow, start = np.zeros((len(states), 3 * len(states))), np.zeros(len(states))
    cost, limits = np.zeros(3 * len(states)), np.zeros((2, 3 * len(states)))
    for i, (k, x) in enumerate(states):
        at, s = place[k, x], share[k, x]
        flow[i, at : at + 3] = 1
        limits[:, at + 1] = 2 * (1 - s), -2 * s
        if k == 0:
            start[i] = sum(binom.pmf(x, looks[0], p) for p in (asked.p0, asked.p1)) / 2
        if k < len(looks) - 1:
            more = looks[k + 1] - looks[k]
            cost[at + 2] = 2 * more * (aim.en_p0 * (1 - s) + aim.en_p1 * s)
            for y in range(more + 1):
                moved = (1 - s) * binom.pmf(y, more, asked.p0) + s * binom.pmf(y, more, asked.p1)
                flow[place[k + 1, x + y] // 3, at + 2] -= moved
    bounds = [(0, 0 if k == len(looks) - 1 and j == 2 else None) for k, _ in states for j in range(3)]
    found = linprog(cost, A_ub=limits, b_ub=[asked.alpha, -asked.power], A_eq=flow, b_eq=start, bounds=bounds)
    return found.fun + looks[0] * (aim.en_p0 + aim.en_p1)


@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: aim.what)
@pytest.mark.parametrize(
    ("limits", "looks"),
    [
        ((0.1, 0.3, 0.05, 0.8), tuple(range(5, 31, 5))),
        ((0.1, 0.3, 0.05, 0.8), tuple(range(1, 26))),
        ((0.3, 0.6, 0.1, 0.9), (3, 7, 9, 16, 20)),
        ((0.6, 0.8, 0.1, 0.8), (10, 20, 30)),
    ],
    ids=["fives", "every patient", "uneven", "tens"],
)
def test_the_bound_is_what_rules_that_draw_lots_attain(limits, looks, aim):
    asked = Requirements(*limits)
    # HiGHS keeps its constraints to 1e-7, at prices of up to some hundred patients
    assert bellman.least(asked, looks, aim) == pytest.approx(by_linear_program(asked, looks, aim), abs=1e-4)


def test_the_bounds_of_the_table_are_attained_to_the_digits_printed(rows):
    assert len(rows) == 8
    for row in rows:
        digits = len(row["bound"].partition(".")[2])
        found = bellman.least(asked_of(row), looks_of(row), EN_P0)
        assert found == pytest.approx(float(row["bound"]), abs=0.5 * 10**-digits * (1 + 1e-6)), row


def test_a_bound_holds_at_any_prices():
    board = bellman.Board(asked=ASKED, looks=tuple(range(1, 31)), weights=(1.0, 0.0))
    highest = bellman.highest(board)
    for error, power in itertools.product((0.0, 10.0, 56.5, 1e4), (0.0, 10.0, 45.9, 1e4)):
        prices = bellman.Multipliers(error, power)
        assert board.costs(prices)[1] - board.rounding(prices) <= highest.value + 1e-8
    assert highest.value <= 12.0


def test_no_simon_design_is_below_the_bound_of_its_looks():
    for design in search.two_stage(ASKED).frontier:
        looks = tuple(look.n for look in design.looks)
        for aim in AIMS:
            assert bellman.least(ASKED, looks, aim) <= aim.value(design, ASKED)


@pytest.mark.long
def test_every_patient_up_to_30_is_within_1_percent_of_the_bound_and_better_than_published():
    searched = best_bounds.search(ASKED, constraints=Constraints(cap=30))
    found = searched.result(EN_P0)
    assert exact.meets(found.best, ASKED)
    assert exact.reject_fraction(found.best.design, search.bounds.decimal(0.1)) <= search.bounds.decimal(0.05)
    value, least = found.certificate.value, found.certificate.bound
    assert round(least, 2) == 11.90
    assert least <= searched.closest(EN_P0) <= value < 12.45
    assert value - least < 0.01 * value
    assert value == pytest.approx(float(exact.operating_characteristics(found.best, 0.1).en), abs=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("n", [30, 35])
def test_looks_at_every_fifth_patient_are_proved(n):
    found = best_bounds.search(ASKED, constraints=Constraints(looks_at=tuple(range(5, n + 1, 5)))).result(EN_P0)
    assert (found.certificate.how, found.certificate.gap) == ("proved", 0.0)
    # the best of the published search by conditional power, on the same looks
    published = {30: "", 35: ":3/5,0:4/10,1:5/15,2:6/20,4:7/25,6/30"}[n]
    if published:
        assert found.best.en_p0 < EN_P0.value(parse_looks(published), ASKED)


def test_a_rule_carries_its_bounds_forward_and_leaves_out_looks_that_stop_nothing():
    rule = np.array([[0, 4], [0, 4], [-1, 4], [2, 3]])
    assert looks_text(design_of(rule, (3, 4, 5, 6))) == "0/3,0:4/4,0:4/5,2/6"
    nothing = np.array([[0, 4], [0, 9], [3, 4], [3, 4]])
    assert looks_text(design_of(nothing, (3, 4, 5, 6))) == "0/3,3/5"
    assert design_of(np.array([[-1, 0], [0, 1]]), (3, 5)) is None
    assert design_of(np.array([[-1, 4], [5, 6]]), (3, 5)) is None


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_a_quick_search_has_the_bound_of_all_rules_and_a_design_no_better_than_the_best(weights):
    for looks in ((9,), (12, 20), tuple(range(1, 13)), tuple(range(5, 31, 5))):
        asked = Requirements(0.1, 0.6, 0.05, 0.9) if looks[-1] < 20 else ASKED
        board = bellman.Board(asked=asked, looks=looks, weights=weights)
        quick, whole = solution.quick(board), solution.solve(board)
        assert quick.least == quick.bound == whole.least
        assert bool(quick.designs) == bool(whole.designs)
        if quick.designs:
            assert exact.meets(quick.designs[0], asked)
            assert whole.value <= quick.value + 1e-9  # sums of floats


def corridor_of(limits=(0.1, 0.3, 0.05, 0.8), looks=tuple(range(1, 16))):
    board = bellman.Board(asked=Requirements(*limits), looks=looks, weights=(0.7, 0.3))
    prices = solution.around(bellman.highest(board).prices)
    costs = [board.costs(one)[0] for one in prices]
    return Corridor.around(board, [board.crossings(at) for at in costs]), prices, costs


def test_each_move_of_a_bound_has_the_effect_that_is_predicted():
    corridor, _, costs = corridor_of(looks=tuple(range(1, 26)))
    board = corridor.board
    rules = corridor.cut(np.array([board.bounds(at) for at in costs[::3]]))
    found = around(corridor, rules)
    predicted = 0
    for i, k, move in itertools.product(range(len(rules)), range(25), range(len(MOVES))):
        assert found.totals[i].tolist() == pytest.approx(board.attained(rules[i]), abs=1e-11)
        if not np.isfinite(found.moved[i, k, move]).all():
            continue
        moved = rules[i].copy()
        moved[k] += MOVES[move]
        moved[k, 1] = max(moved[k, 1], moved[k, 0] + 1)
        moved[-1, 1] = moved[-1, 0] + 1
        assert found.moved[i, k, move].tolist() == pytest.approx(board.attained(moved), abs=1e-11)
        predicted += 1
    assert predicted > 100


@pytest.mark.parametrize("width", [1, 5, 50])
def test_nothing_that_is_set_aside_is_below_the_bound(width):
    asked = Requirements(0.2, 0.7, 0.1, 0.8)
    best = min(EN_P0.value(design, asked) for design in meeting(asked))
    board = bellman.Board(asked=asked, looks=tuple(range(1, 6)), weights=(1.0, 0.0))
    prices = solution.around(bellman.highest(board).prices)
    costs = [board.costs(one)[0] for one in prices]
    branches = Branches(Corridor.around(board, [board.crossings(at) for at in costs]), prices, costs)
    keeper = solution.Keeper(board)
    done = branches.examine(width, lambda: keeper.value, keeper.offer)
    assert min(done.bound, keeper.value) <= best + 1e-9
    assert keeper.value >= best - 1e-9


def test_looks_without_end_or_sense_are_refused():
    for constraints, field in (
        (Constraints(looks_at=tuple(range(1, 202))), "looks_at"),
        (Constraints(looks_at=(5, 10)), "looks_at"),
        (Constraints(cap=20), "cap"),
        (Constraints(cap=500), "multiple_of"),
        (Constraints(looks_at=(2, 30), r1=2), "r1"),
        (Constraints(balanced=True), "balanced"),
    ):
        with pytest.raises(InputError) as refused:
            best_bounds.search(ASKED, constraints=constraints)
        assert refused.value.field == field
    with pytest.raises(InputError, match="not what this search makes small"):
        best_bounds.search(ASKED).result(Aim(n=1.0))
    assert math.isfinite(best_bounds.search(ASKED, constraints=Constraints(cap=200, multiple_of=100)).closest(EN_P0))
