"""BOP2 against a reference table, fractions, linear programs, a simulation, and what other programs get wrong."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, stats
from sequences import meets, rejecting

from simtrial import InputError, Requirements, looks_text
from simtrial.design import exact
from simtrial.design.binomial import tail_fraction
from simtrial.design.designs import Look
from simtrial.search.aim import LEAST_EN, Aim
from simtrial.search.bayesian import posterior_digits
from simtrial.search.bayesian.bop2 import FAMILY, search
from simtrial.search.bayesian.bop2_boundaries import AtLooks
from simtrial.search.bayesian.bop2_cells import Lines, Rectangle
from simtrial.search.bayesian.bop2_region import FUTILITY, parameters
from simtrial.search.bayesian.bop2_rule import bop2
from simtrial.search.bayesian.bop2_search import Bop2Search
from simtrial.search.bayesian.many_bounds import ManyBounds
from simtrial.search.bayesian.posterior import BetaPrior, usual_prior
from simtrial.search.constraints import Constraints
from simtrial.search.given import design_of

PRINTED = 1e-9
"""The table prints ten digits."""

UNIFORM = BetaPrior(1, 1)


def table(reference, kind):
    rows = reference("families/bayesian")
    found = rows[rows.family == kind].to_dict("records")
    assert found
    return [(row, tuple(int(n) for n in row["look_n"].split())) for row in found]


def test_bounds_and_exact_errors_are_those_of_the_reference(reference):
    for row, looks_at in table(reference, "bop2"):
        design = bop2(looks_at, row["p0"], row["lam"], row["gam"])
        assert looks_text(design) == row["looks"]
        oc = exact.operating_characteristics(design, [row["p0"], row["p1"]])
        for values, names in (
            (oc.reject, ("type_i_error", "reject_p1")), (oc.en, ("en_p0", "en_p1")), (oc.pet, ("pet_p0", "pet_p1")),
        ):  # fmt: skip
            assert values == pytest.approx([row[name] for name in names], rel=PRINTED)


def test_the_most_power_on_the_published_grid_is_that_of_the_reference_and_no_boundary_off_it_has_more(reference):
    for row, looks_at in table(reference, "bop2 search"):
        asked = Requirements(row["p0"], row["p1"], row["alpha"], 0.5)
        on_grid = Bop2Search(asked, looks_at, grid=True).result().best
        assert looks_text(on_grid) == row["looks"]
        assert on_grid.power == pytest.approx(row["reject_p1"], rel=PRINTED)
        assert Bop2Search(asked, looks_at).result().best.power == pytest.approx(on_grid.power, rel=1e-12)


def test_the_grid_has_as_many_boundaries_as_the_reference_and_all_are_among_the_cells(reference):
    for row, looks_at in table(reference, "bop2 search"):
        boundaries = AtLooks(looks_at, row["p0"])
        grid = boundaries.grid().lower.tolist()
        assert len(grid) == row["distinct_boundaries"]
        cells = {tuple(one) for one in boundaries.every().lower.tolist()}
        assert cells.issuperset(map(tuple, grid))


def test_a_boundary_is_found_by_its_threshold_alone_whatever_the_parameters():
    rng = np.random.default_rng(3)
    for _ in range(100):
        looks_at = np.sort(rng.choice(np.arange(1, 50), int(rng.integers(1, 6)), replace=False)).tolist()
        p0, lam, gamma = (
            round(rng.uniform(0.02, 0.95), 3),
            round(rng.uniform(0.01, 0.99), 3),
            round(rng.uniform(0, 3), 3),
        )
        prior = BetaPrior(*rng.uniform(0.1, 3, 2).round(2))
        futile = [
            [stats.beta.sf(p0, prior.a + x, prior.b + n - x) < lam * (n / looks_at[-1]) ** gamma for x in range(n + 1)]
            for n in looks_at
        ]
        lower = [sum(one) - 1 for one in futile]
        try:
            found = [-1 if look.r is None else look.r for look in bop2(looks_at, p0, lam, gamma, prior=prior).looks]
        except InputError:
            assert lower[-1] == -1 or any(r >= n for r, n in zip(lower, looks_at, strict=True))
            continue
        assert found == lower == sorted(lower)  # and r never falls


def test_equality_is_decided_as_asked_where_floating_point_cannot():
    # uniform prior, p0 = 1/2: P(p > 1/2) is 1/4 and 3/4 after 0 and 1 response of 1 patient
    for lam, strict, bound in ((0.25, True, None), (0.25, False, 0)):
        assert bop2([1, 4], 0.5, lam, 0.0, prior=UNIFORM, strict=strict).looks[0].r == bound
    # 1/8 after 0 of 2, with a threshold of lambda (n / N)^gamma = .5 (2 / 8)
    for strict, bound in ((True, None), (False, 0)):
        assert bop2([2, 8], 0.5, 0.5, 1.0, prior=UNIFORM, strict=strict).looks[0].r == bound
    # for efficacy: 1 - P = 1/8 after 2 of 2, threshold (1 - .5) (2 / 8)
    for strict, bound in ((True, None), (False, 2)):
        assert bop2([2, 8], 0.5, 0.5, 1.0, prior=UNIFORM, eta=1.0, strict=strict).looks[0].e == bound


def test_posteriors_with_many_digits_are_binomial_tails_for_whole_priors():
    for rate, n, x in itertools.product((0.1, 0.5, 0.9), (1, 7, 40), (0, 1)):
        below, above = posterior_digits.tails(BetaPrior(2, 3), rate, n, x)
        # P(p <= rate) with Beta(a, b) is P(X >= a) of a + b - 1
        whole = tail_fraction(1 + x, n + 4, rate)
        for found, known in ((below, whole), (above, 1 - whole)):
            quotient = Fraction(found) / known
            assert abs(quotient - 1) < Fraction(1, 10**90)


def test_posteriors_with_many_digits_agree_with_floating_point_for_every_prior():
    for prior, rate in itertools.product((BetaPrior(0.2, 0.8), BetaPrior(200, 800), BetaPrior(7.5, 0.01)), (0.2, 0.97)):
        for n, x in ((0, 0), (10, 3), (60, 60)):
            below, above = posterior_digits.tails(prior, rate, n, x)
            assert float(above) == pytest.approx(float(prior.beyond(rate, n, x)), rel=1e-11)
            assert float(below) == pytest.approx(float(prior.within(rate, n, x)), rel=1e-11)
            assert below + above == pytest.approx(Decimal(1), abs=Decimal(10) ** -100)


def has_room(lines, row, box):
    """The largest u - distance of a point to all lines of its cell and the rectangle, by a linear program."""
    above, below = [], []
    for levels, slope, m in zip(lines.levels, lines.slopes, row, strict=True):
        if m:
            above.append((levels[m - 1], slope))
        if m < levels.size:
            below.append((levels[m], slope))
    # variables u, g, d: u - g slope - d >= level above, u - g slope + d <= level below
    rows = [(-1, s, 1) for _, s in above] + [(1, -s, 1) for _, s in below]
    ends = [-a for a, _ in above] + [b for b, _ in below]
    rows += [(-1, 0, 1), (1, 0, 1)]
    ends += [-box.low, box.high]
    solved = optimize.linprog(
        [0, 0, -1], A_ub=rows, b_ub=ends, bounds=[(box.low, box.high), (box.least, box.most), (None, None)]
    )
    return solved.status == 0 and solved.x[2] > 1e-7


@pytest.mark.parametrize(
    ("looks_at", "p0", "prior"),
    [((3, 6), 0.3, None), ((2, 4, 8), 0.4, BetaPrior(0.5, 2)), ((1, 2, 5), 0.7, None), ((4, 5, 6), 0.5, UNIFORM)],
)
def test_the_cells_are_all_boundaries_that_a_linear_program_finds_possible(looks_at, p0, prior):
    lines = Lines(prior or usual_prior(p0), p0, looks_at, looks_at[-1])
    box = Rectangle(low=math.log(1e-3), high=math.log(0.999))
    found = {tuple(row) for row in lines.within(box).counts.tolist()}
    every = itertools.product(*(range(n + 2) for n in looks_at))
    possible = {row for row in every if has_room(lines, row, box)}
    assert len(possible) > 10
    assert possible <= found
    # what is found beside them is a cell too small for the tolerance of the program
    assert all(lines._has_room(row, box) for row in found - possible)


def test_no_random_parameters_give_a_boundary_that_is_not_listed_also_where_many_lines_meet():
    rng = np.random.default_rng(5)
    u, g = np.log(rng.uniform(1e-3, 1, 50_000)), rng.uniform(0, 1, 50_000)
    # p0 = 1/2 and a symmetric prior: at lambda = 1/2 and gamma = 0 a line of every even n passes
    for looks_at, p0 in ((range(2, 31, 2), 0.5), ((10, 20, 30, 40), 0.2), (range(5, 41, 5), 0.85)):
        boundaries = AtLooks(looks_at, p0)
        listed = {tuple(row) for row in (boundaries.every().lower + 1).tolist()}
        drawn = {tuple(row) for row in boundaries.lines.counts(u, g).tolist()}
        assert len(drawn) > 50
        assert drawn <= listed


def test_every_boundary_listed_is_given_by_parameters_that_the_rule_confirms():
    looks_at, p0 = (10, 20, 30, 40), 0.2
    boundaries, rng = AtLooks(looks_at, p0), np.random.default_rng(7)
    lists = boundaries.every()
    lists = lists.those(boundaries.choice(lists))
    assert len(lists.lower) > 200
    for i in rng.choice(len(lists.lower), 60, replace=False).tolist():
        design = boundaries.design(lists, i)
        where = parameters(boundaries.prior, p0, looks_at, lists.lower[i].tolist())
        assert bop2(looks_at, p0, *where.inside).looks == design.looks


def test_the_region_of_a_boundary_holds_exactly_the_parameters_that_give_it():
    looks_at, p0, lower = (10, 20, 30, 40), 0.2, [1, 3, 7, 11]
    where = parameters(usual_prior(p0), p0, looks_at, lower)
    assert where.inside == (0.86, 0.95)
    corners, rng, seen = np.array(where.corners), np.random.default_rng(2), set()
    assert where.lam == pytest.approx(np.exp([corners[:, 0].min(), corners[:, 0].max()]))
    for _ in range(600):
        lam, gamma = rng.uniform(where.lam[0] - 0.01, where.lam[1] + 0.01), rng.uniform(where.gamma[0] - 0.1, 1)
        u = math.log(lam)
        turns = [
            (b[0] - a[0]) * (gamma - a[1]) - (b[1] - a[1]) * (u - a[0])
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        inside = all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)
        assert (looks_text(bop2(looks_at, p0, lam, gamma)) == "1/10,3/20,7/30,11/40") == inside
        seen.add(inside)
    assert seen == {True, False}
    assert parameters(usual_prior(p0), p0, looks_at, [9, 9, 9, 9]) is None


def brute_force(looks_at, asked):
    """Every boundary of a linear program as a design, with its exact probabilities."""
    box = FUTILITY
    lines = Lines(usual_prior(asked.p0), asked.p0, looks_at, looks_at[-1])
    for row in itertools.product(*(range(n + 1) for n in looks_at)):
        if row[-1] and list(row) == sorted(row) and has_room(lines, row, box):
            looks = [Look(n, m - 1 if m else None) for n, m in zip(looks_at, row, strict=True)]
            yield design_of(looks)


@pytest.mark.parametrize(
    ("looks_at", "limits"),
    [((4, 8), (0.25, 0.75, 0.125, 0.75)), ((3, 6, 9), (0.2, 0.6, 0.1, 0.8)), ((5, 9), (0.4, 0.8, 0.2, 0.7))],
)
def test_both_criteria_take_the_best_of_every_boundary_judged_in_fractions(looks_at, limits):
    asked = Requirements(*limits)
    p0, p1, alpha = (Fraction(repr(v)) for v in limits[:3])
    kept = [one for one in brute_force(looks_at, asked) if rejecting(one, p0) <= alpha]
    most = max(rejecting(one, p1) for one in kept)
    found = Bop2Search(asked, looks_at)
    assert rejecting(found.result().best, p1) == most
    both = [one for one in kept if meets(one, asked)]
    assert found.result(LEAST_EN).best.looks == LEAST_EN.best(both, asked).looks
    middle = Aim(en_p0=0.5, en_p1=0.5)
    assert found.result(middle).best.looks == middle.best(both, asked).looks


def test_a_type_i_error_exactly_at_alpha_is_kept():
    # 2 of 2 at p0 = .1 has a type I error of exactly .01, in floating point a little more
    asked = Requirements(0.1, 0.8, 0.01, 0.64)
    best = Bop2Search(asked, (2,)).result(LEAST_EN).best
    assert looks_text(best) == "1/2"


def test_many_bounds_have_the_errors_and_patients_of_the_one_recursion():
    rng, looks_at = np.random.default_rng(4), (5, 9, 14, 20)
    boundaries = AtLooks(looks_at, 0.3, efficacy=True)
    lists = boundaries.every()
    lists = lists.those(boundaries.choice(lists))
    many = ManyBounds(looks_at, (0.3, 0.55)).outcomes(lists.lower, lists.upper)
    for i in rng.choice(len(lists.lower), 50, replace=False).tolist():
        oc = exact.operating_characteristics(boundaries.design(lists, i), [0.3, 0.55])
        assert many.reject[:, i] == pytest.approx(oc.reject, rel=1e-12)
        assert many.en[:, i] == pytest.approx(oc.en, rel=1e-12)


def test_a_trial_simulated_patient_by_patient_by_the_posterior_has_the_exact_errors():
    looks_at, p0, lam, gamma, eta, trials = (10, 20, 30, 40), 0.2, 0.86, 0.95, 1.5, 40_000
    prior, rng = (p0, 1 - p0), np.random.default_rng(11)
    for options, p in itertools.product(({}, {"eta": eta}), (0.2, 0.4)):
        design = bop2(looks_at, p0, lam, gamma, **options)
        responses = (rng.random((trials, 40)) < p).cumsum(axis=1)
        going, rejected, patients = np.ones(trials, bool), np.zeros(trials, bool), np.zeros(trials)
        for n in looks_at:
            x = responses[:, n - 1]
            beyond = stats.beta.sf(p0, prior[0] + np.arange(n + 1), prior[1] + n - np.arange(n + 1))[x]
            futile = beyond < lam * (n / 40) ** gamma
            promising = (beyond > 1 - (1 - lam) * (n / 40) ** eta) if options and n < 40 else np.zeros(trials, bool)
            ends = going & (futile | promising | (n == 40))
            rejected |= ends & ~futile
            patients[ends] = n
            going &= ~ends
        oc = exact.operating_characteristics(design, p)
        error = math.sqrt(oc.reject * (1 - oc.reject) / trials)
        # four standard errors: of 8 comparisons one is farther off with probability 1 in 2,000
        assert abs(rejected.mean() - oc.reject) < 4 * error
        assert abs(patients.mean() - oc.en) < 4 * patients.std() / math.sqrt(trials)


def test_no_response_is_a_count_like_any_other_and_a_look_without_futile_counts_has_no_bound():
    # P(p > .2 | 0 of 2) = .117 is above .86 (2 / 40)^.95 = .050: a program that starts at 1 response stops here
    assert bop2([2, 40], 0.2, 0.86, 0.95).looks[0] == Look(2, None)
    # and 0 of 10 is futile though 1 of 10 is not
    assert bop2([10, 40], 0.2, 0.5, 1.0).looks[0].r == 0


def test_without_an_end_to_gamma_the_most_powerful_design_hardly_ever_stops():
    looks_at, p0 = (10, 20, 30, 40), 0.2
    published = Bop2Search(Requirements(p0, 0.4, 0.1, 0.8), looks_at).result().best
    assert looks_text(published) == "1/10,3/20,7/30,11/40"
    assert published.power == pytest.approx(0.8864219586, rel=PRINTED)
    loose = bop2(looks_at, p0, 0.86, 12.0)
    oc = exact.operating_characteristics(loose, [p0, 0.4])
    assert looks_text(loose) == "/10,/20,2/30,11/40"
    assert oc.reject[0] <= 0.1
    assert oc.reject[1] == pytest.approx(0.9291, abs=5e-5)
    assert AtLooks(looks_at, p0).futile.most == 1.0


def test_boundaries_are_so_few_that_their_search_has_one_answer():
    boundaries = AtLooks((10, 20, 30, 40), 0.2)
    assert len(boundaries.grid().lower) == 59
    assert len(boundaries.every(math.log(0.5), math.log(0.99)).lower) < 100
    asked = Requirements(0.2, 0.4, 0.1, 0.8)
    answers = {looks_text(Bop2Search(asked, (10, 20, 30, 40)).result().best) for _ in range(3)}
    assert answers == {"1/10,3/20,7/30,11/40"}


def pairs(lists):
    return zip(lists.lower.tolist(), lists.upper.tolist(), strict=True)


def test_with_a_stop_for_efficacy_no_random_parameters_give_more_power_or_fewer_patients():
    looks_at, asked, rng = (8, 16, 24), Requirements(0.2, 0.45, 0.1, 0.8), np.random.default_rng(8)
    found = Bop2Search(asked, looks_at, efficacy=True)
    power, en = found.result().best.power, found.result(LEAST_EN).best.en_p0
    boundaries = AtLooks(looks_at, 0.2, efficacy=True)
    listed = {(*low, *high) for low, high in pairs(boundaries.every())}
    lam, gamma, eta = rng.uniform(0.5, 0.99, 20_000), rng.uniform(0, 1, 20_000), rng.uniform(0, 3, 20_000)
    lists = boundaries._made(boundaries.lines.counts(np.log(lam), gamma), boundaries.early.counts(np.log1p(-lam), eta))
    drawn = {(*low, *high) for low, high in pairs(lists)}
    assert len(drawn) > 100
    assert drawn <= listed
    lists = lists.those(boundaries.choice(lists))
    reject, expected = ManyBounds(looks_at, (0.2, 0.45)).outcomes(lists.lower, lists.upper)
    kept = reject[0] <= 0.1
    assert reject[1][kept].max() <= power + 1e-12
    assert expected[0][kept & (reject[1] >= 0.8)].min() >= en - 1e-9
    for result in (found.result(), found.result(LEAST_EN)):
        one = result.parameters.one
        assert bop2(looks_at, 0.2, one["lambda"], one["gamma"], eta=one["eta"]).looks == result.best.looks


def test_a_trial_that_stops_for_efficacy_rejects_h0():
    design = bop2([20, 30, 40], 0.2, 0.7, 1.0, prior=BetaPrior(0.2, 0.8), eta=1.0)
    oc = exact.operating_characteristics(design, [0.9])
    assert all(look.e is not None for look in design.looks[:-1])
    assert oc.reject[0] == pytest.approx(1, abs=1e-6)


def test_a_look_that_every_count_stops_is_the_last():
    # gamma = eta = 0: below lambda futile, above it promising, from the first look on
    assert looks_text(bop2([10, 20], 0.2, 0.8, 0.0, eta=0.0)) == "3/10"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"looks_at": [1, 40], "p0": 0.9, "lam": 0.99, "gamma": 0.0}, "ends the trial without rejecting H0"),
        ({"looks_at": [5], "p0": 0.2, "lam": 0.001, "gamma": 0.0}, "ends the trial with rejection of H0"),
        ({"looks_at": [5, 4], "p0": 0.2, "lam": 0.9, "gamma": 0.0}, "do not increase"),
        ({"looks_at": [5], "p0": 0.2, "lam": 1.0, "gamma": 0.0}, "lambda"),
        ({"looks_at": [5], "p0": 0.2, "lam": 0.9, "gamma": -1.0}, "gamma"),
    ],
)
def test_what_is_no_rule_is_refused(words, said):
    with pytest.raises(InputError, match=said):
        bop2(**words)


def test_without_looks_they_are_every_ten_patients_and_n_is_the_smallest_that_keeps_both_limits():
    asked = Requirements(0.2, 0.4, 0.1, 0.8)
    found = search(asked)
    assert [look.n for look in found.result(LEAST_EN).best.looks] == [10, 20, 25]
    with pytest.raises(InputError, match=r"the most power under alpha 0.1 is 0\.\d{4}"):
        search(asked, constraints=Constraints(looks_at=(10, 20, 24))).result(LEAST_EN)
    assert FAMILY.certificate(found).how == "capped"


def test_the_most_power_is_found_though_it_is_less_than_asked_for():
    asked = Requirements(0.2, 0.4, 0.05, 0.9)
    best = search(asked, constraints=Constraints(looks_at=(10, 20, 30, 40))).result().best
    assert best.power == pytest.approx(0.8319792444, rel=PRINTED)


def test_constraints_that_bop2_does_not_take_are_refused():
    asked = Requirements(0.2, 0.4, 0.1, 0.8)
    for constraints, said in (
        (Constraints(stops="efficacy"), "futility or both"),
        (Constraints(cap=40), "not possible"),
    ):
        with pytest.raises(InputError, match=said):
            search(asked, constraints=constraints)
