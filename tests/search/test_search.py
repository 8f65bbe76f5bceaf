"""The searches against every published row, against plain enumeration, and in the traps that catch other programs."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from simtrial import InputError, Requirements, SingleStage, TwoStage, looks_text, search
from simtrial.design import binomial, exact
from simtrial.search import neighbours
from simtrial.search.bounds import SLACK
from simtrial.search.scan import Tables


def test_all_102_published_two_stage_designs_are_found(reference):
    table = reference("simon1989_table1", "simon1989_table2")
    assert len(table) == 102
    for row in table.itertuples():
        asked = Requirements(row.p0, row.p1, row.alpha, round(1 - row.beta, 10))
        found = getattr(search.two_stage(asked), row.criterion)
        assert looks_text(found) == f"{row.r1}/{row.n1},{row.r}/{row.n}"
        # digits that the table gives
        assert abs(found.en_p0 - row.EN_p0_exact) <= 0.51e-4
        assert abs(found.pet_p0 - row.PET_p0_exact) <= 0.51e-4
        assert abs(found.type_i_error - row.type1) <= 0.51e-6
        assert abs(found.power - row.power) <= 0.51e-6


def test_all_156_admissible_designs_and_their_weights_are_found(reference):
    table = reference("simon_admissible")
    assert len(table) == 156
    for (p0, p1, alpha, beta), group in table.groupby(["p0", "p1", "alpha", "beta"]):
        found = search.two_stage(Requirements(p0, p1, alpha, round(1 - beta, 10))).admissible
        given_rows = list(group.sort_values("n").itertuples())
        assert [looks_text(c) for c in found] == [f"{g.r1}/{g.n1},{g.r}/{g.n}" for g in given_rows]
        for c, g in zip(found, given_rows, strict=True):
            assert abs(c.q_low - g.q_lo) <= 0.51e-4
            assert abs(c.q_high - g.q_hi) <= 0.51e-4
            assert abs(c.type_i_error - g.type1) <= 0.51e-5
            assert abs(c.power - g.power) <= 0.51e-5


@pytest.mark.long
def test_all_684_single_stage_settings_are_found(reference):
    table = reference("single_stage_exact")
    assert len(table) == 684
    for row in table.itertuples():
        found = search.single_stage(Requirements(row.p0, row.p1, row.alpha, row.power))
        assert (found.first.r + 1, found.first.n) == (row.r_min, row.n_min)
        assert (found.sustained.r + 1, found.sustained.n) == (row.r_sust, row.n_sust)
        assert abs(found.first.type_i_error - row.a_min) <= 0.51e-5
        assert abs(found.sustained.power - row.pw_sust) <= 0.51e-5


@pytest.mark.long
def test_searches_agree_with_the_table_of_methods(reference):
    for row in reference("sample_size_by_method").itertuples():
        asked = Requirements(row.p0, row.p1, row.alpha_one_sided, row.power)
        single = search.single_stage(asked)
        assert (single.first.n, single.sustained.n) == (row.exact_single_first_n, row.exact_single_sustained_n)
        if not math.isnan(row.simon_minimax):
            two = search.two_stage(asked)
            assert looks_text(two.minimax, " ") == row.detail_simon_minimax
            assert looks_text(two.optimal, " ") == row.detail_simon_optimal


def enumerate_all(asked, n_max):
    """Every two-stage design that meets the limits, in fractions: {(n, n1, r, r1): EN}."""
    p0, p1, alpha, power = (Fraction(repr(v)) for v in (asked.p0, asked.p1, asked.alpha, asked.power))

    def pmf(n, p):
        return [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]

    tables = {(m, p): pmf(m, p) for m in range(n_max + 1) for p in (p0, p1)}
    met = {}
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            for r in range(1, n):
                reject = {}
                for p in (p0, p1):
                    later = tables[n - n1, p]
                    beyond = [sum(later[max(r - x + 1, 0) :]) for x in range(n1 + 1)]
                    terms = [b * f for b, f in zip(tables[n1, p], beyond, strict=True)]
                    reject[p] = [sum(terms[r1 + 1 :]) for r1 in range(n1)]
                for r1 in range(min(r, n1)):
                    if reject[p0][r1] <= alpha and reject[p1][r1] >= power:
                        stop = sum(tables[n1, p0][: r1 + 1])
                        met[n, n1, r, r1] = n1 + (1 - stop) * (n - n1)
    return met


@pytest.mark.parametrize(
    "limits",
    [
        (0.2, 0.6, 0.1, 0.8),
        (0.25, 0.75, 0.0625, 0.75),  # dyadic: limits that designs can meet exactly
        (0.5, 0.875, 0.125, 0.5),
        (0.1, 0.5, 0.05, 0.7),
        (0.5, 0.9, 0.25, 0.9),
        (0.3, 0.8, 0.3, 0.6),
        (0.1, 0.8, 0.01, 0.5),  # .1^2 = .01: 0/1,1/2 just keeps alpha
        (0.1, 0.8, 0.01, 0.64),  # and .8^2 = .64 is its power
        (0.1, 0.8, 0.001, 0.5),  # .1^3 = .001: 2/3
        (0.2, 0.8, 0.04, 0.6),  # .2^2
        (0.2, 0.9, 0.008, 0.6),  # .2^3
        (0.5, 0.9, 0.0625, 0.6561),  # 3/4 at both limits: .5^4 and .9^4
        # 2/6 has this power; looks at 4 or 5 patients that stop at 0, or at 1 of 5, cost nothing of it
        (0.15, 0.45, 0.15, 0.55848234375),
        (0.2, 0.6, 0.2, 0.9),  # 0/5,2/7 and 1/6,2/7 both expect 6.34464
    ],
)
def test_the_search_equals_an_enumeration_in_fractions(limits):
    asked = Requirements(*limits)
    found = search.two_stage(asked)
    n_max = found.certificate.n_upper + 2
    assert n_max <= 16, "chosen small enough to enumerate"
    met = enumerate_all(asked, n_max)
    frontier, least = [], None
    for n in range(2, n_max + 1):
        here = [(en, n1, -r, r1) for (m, n1, r, r1), en in met.items() if m == n]
        if here and (least is None or min(here)[0] < least):
            least, n1, minus_r, r1 = min(here)
            frontier.append(TwoStage(r1, n1, -minus_r, n))
    assert [c.design for c in found.frontier] == frontier
    least = {}
    for (n, n1, *_), en in met.items():
        least[n, n1] = min(least.get((n, n1), en), en)
    # fractions of doubles tie less strictly than the eight decimals of `neighbours.near`
    best = {key for key, en in met.items() if float(en - least[key[:2]]) < 1e-9}
    near = neighbours.near(found, found.minimax, within=n_max, most=10**6)
    assert {(c.n, c.n1, c.r, c.r1) for c in near if c.n <= n_max} == best


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(
    p0=st.integers(2, 15).map(lambda k: k / 20),
    gap=st.integers(5, 12).map(lambda k: k / 20),
    alpha=st.sampled_from([0.025, 0.05, 0.1, 0.2]),
    power=st.sampled_from([0.6, 0.7, 0.8, 0.9]),
)
def test_no_design_beats_the_optimum_or_the_minimax(p0, gap, alpha, power):
    p1 = round(p0 + gap, 10)
    if p1 >= 1:
        p1 = (1 + p0) / 2
    asked = Requirements(p0, p1, alpha, power)
    found = search.two_stage(asked)
    for n in range(2, min(found.certificate.n_upper + 1, 40) + 1):
        for n1 in range(1, n):
            x, r = np.arange(n1 + 1), np.arange(n)[:, None]
            reject = {}
            for p in (p0, p1):
                terms = stats.binom.sf(r - x, n - n1, p) * stats.binom.pmf(x, n1, p)
                reject[p] = terms.sum(axis=1, keepdims=True) - np.cumsum(terms, axis=1)
            # designs on the edge of a limit are left to the enumeration in fractions
            meets = (reject[p0] <= alpha - 1e-9) & (reject[p1] >= power + 1e-9) & (x < np.minimum(r, n1))
            if meets.any():
                en = n1 + (1 - stats.binom.cdf(x, n1, p0)) * (n - n1)
                assert n >= found.minimax.n
                assert en[meets.any(axis=0)].min() >= found.optimal.en_p0 - 1e-9
    for c in found.admissible:
        assert exact.meets(c.design, asked)


def test_clinfuns_default_search_limit_misses_this_optimum():
    # R clinfun 1.1.5, ph2simon(.3, .45, .05, .1) with its default nmax = 100, prints 12/39 37/100 without a warning
    asked = Requirements(p0=0.3, p1=0.45, alpha=0.05, power=0.9)
    found = search.two_stage(asked)
    assert looks_text(found.optimal) == "13/40,40/110"
    assert round(found.optimal.en_p0, 2) == 60.77
    printed = TwoStage(r1=12, n1=39, r=37, n=100)
    assert exact.meets(printed, asked)
    assert round(float(exact.operating_characteristics(printed, 0.3).en), 2) == 62.29


def test_a_design_whose_second_stage_cannot_matter_is_left_out():
    # R clinfun 1.1.5 lists 0/4 0/5 as optimal here; it is a single stage of 4
    asked = Requirements(p0=0.03, p1=0.41, alpha=0.15, power=0.85)
    assert exact.meets(TwoStage(r1=0, n1=4, r=0, n=5), asked)
    assert looks_text(search.two_stage(asked).optimal) == "0/4,1/9"
    assert looks_text(search.single_stage(asked).first) == "0/4"


def test_one_feasible_n_is_enough():
    # R clinfun 1.1.5 fails when a single n below its limit is feasible
    found = search.two_stage(Requirements(p0=0.15, p1=0.3, alpha=0.025, power=0.95))
    assert (found.minimax.n, found.certificate.n_lower) == (100, 98)


def test_the_certificate_holds_what_it_says():
    asked = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    found = search.two_stage(asked)
    proof = found.certificate
    assert (proof.n_lower, proof.n_minimax, proof.n_upper) == (23, 25, 35)
    assert proof.en_beyond >= proof.en_optimal == pytest.approx(found.optimal.en_p0, rel=1e-12)
    # the most powerful randomised test, by scipy: lacks the power at 22, has it at 23
    for n, enough in ((22, False), (23, True)):
        r = int(stats.binom.isf(asked.alpha, n, asked.p0))
        share = (asked.alpha - stats.binom.sf(r, n, asked.p0)) / stats.binom.pmf(r, n, asked.p0)
        best = stats.binom.sf(r, n, asked.p1) + share * stats.binom.pmf(r, n, asked.p1)
        assert (best >= asked.power) is np.bool_(enough)
    # beyond n_upper: the bound, by scipy, over every n1 that could matter
    n1 = np.arange(1, 36)
    r1 = stats.binom.ppf(1 - asked.power, n1, asked.p1)
    r1 -= stats.binom.cdf(r1, n1, asked.p1) > 1 - asked.power
    bound = n1 + stats.binom.sf(r1, n1, asked.p0) * (36 - n1)
    assert bound.min() == pytest.approx(proof.en_beyond, rel=1e-12)


@pytest.mark.parametrize(
    "limits",
    [
        (0.02, 0.8, 0.05, 0.8),
        (0.001, 0.8, 0.05, 0.8),
        (0.001, 0.5, 0.05, 0.875),
        (1e-4, 0.9, 0.1, 0.9),
        (1e-9, 0.5, 0.05, 0.8),
    ],
)
def test_an_r1_that_spends_all_of_beta_does_not_keep_the_search_open(limits):
    # P(X1 <= r1; p1) = 1 - power leaves nothing for the second stage to lose, so PETmax must not count it
    found = search.two_stage(Requirements(*limits))
    assert found.certificate.n_upper <= 12
    met = enumerate_all(found.requirements, found.certificate.n_upper + 1)
    assert found.minimax.n == min(n for n, *_ in met)
    assert found.optimal.en_p0 == pytest.approx(float(min(met.values())), abs=1e-9)


@pytest.mark.parametrize("find", [search.single_stage, search.two_stage])
def test_a_poor_guess_lets_no_hopeless_request_slip_by(find):
    # the normal approximation says 270 patients here, the Neyman-Pearson bound thousands
    with pytest.raises(InputError, match=r"^p1 \(0.0001\) is too near p0 \(.*\): .* more than 2,000 patients"):
        find(Requirements(1e-6, 1e-4, 0.05, 0.5))


def test_a_sustained_n_that_cannot_be_proven_is_refused_for_that_reason():
    # the most powerful test needs one patient; it is the guarantee for every larger n that has no end
    asked = Requirements(0.1, 0.1000001, 0.5, 0.5000001)
    with pytest.raises(InputError, match=r"^power \(0.5000001\) is so near alpha \(0.5\)"):
        search.single_stage(asked)
    assert search.two_stage(asked).certificate.n_lower == 2


def test_power_is_not_monotone_in_n():
    teeth = search.saw_tooth(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8), np.arange(25, 30))
    assert teeth.r.tolist() == [5, 5, 5, 6, 6]
    assert (teeth.power >= 0.8).tolist() == [True, True, True, False, True]


@pytest.mark.long
def test_first_and_sustained_n_mostly_differ(reference):
    table = reference("single_stage_exact")
    differ = 0
    for row in table.itertuples():
        found = search.single_stage(Requirements(row.p0, row.p1, row.alpha, row.power))
        differ += found.first.n != found.sustained.n
    assert differ == 466


@pytest.mark.parametrize("limits", [(0.1, 0.3, 0.05, 0.8), (0.5, 0.7, 0.1, 0.9), (0.02, 0.2, 0.05, 0.8)])
def test_every_n_from_the_sustained_one_to_well_past_the_proof_meets_the_limits(limits):
    asked = Requirements(*limits)
    found = search.single_stage(asked)
    n = np.arange(1, 2 * found.n_proven)
    teeth = search.saw_tooth(asked, n)
    meets = teeth.power >= asked.power
    assert n[meets][0] == found.first.n
    assert n[~meets][-1] + 1 == found.sustained.n <= found.n_proven


def test_weights_cover_0_to_1_without_gaps():
    found = search.two_stage(Requirements(p0=0.3, p1=0.45, alpha=0.05, power=0.9)).admissible
    assert found[0].q_high == 1
    assert found[-1].q_low == 0
    assert [a.q_low for a in found[:-1]] == [b.q_high for b in found[1:]]
    for c in found:
        q = (c.q_low + c.q_high) / 2
        assert min(found, key=lambda d: q * d.n + (1 - q) * d.en_p0) is c


def test_one_design_may_be_minimax_and_optimal():
    found = search.two_stage(Requirements(p0=0.2, p1=0.99, alpha=0.1, power=0.8))
    assert [c.kinds for c in found.admissible] == [("minimax", "optimal")]
    assert (found.optimal.q_low, found.optimal.q_high) == (0, 1)


@pytest.mark.parametrize("find", [search.single_stage, search.two_stage])
@pytest.mark.parametrize("p1", [0.1 + 1e-9, 0.101, 0.115])
def test_hopeless_requests_are_refused_not_tried(find, p1):
    with pytest.raises(InputError, match=r"^p1 \(.*\) is too near p0 \(0\.1\): .* more than 2,000 patients"):
        find(Requirements(p0=0.1, p1=p1, alpha=0.05, power=0.8))


@pytest.mark.parametrize("find", [search.single_stage, search.two_stage])
def test_errors_that_no_trial_asks_for_are_refused(find):
    with pytest.raises(InputError, match=r"^alpha \(1e-12\) is below 1e-06, the smallest value for a search"):
        find(Requirements(p0=0.1, p1=0.3, alpha=1e-12, power=0.8))
    with pytest.raises(InputError, match=r"^p0 \(1e-17\) is below 1e-09"):
        find(Requirements(p0=1e-17, p1=0.5, alpha=0.05, power=0.8))
    with pytest.raises(InputError, match=r"^power \(0.9999999\) is above 0.999999"):
        find(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.9999999))


def test_the_limit_on_n_can_be_moved_and_bounds_no_search():
    asked = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    with pytest.raises(InputError, match="more than 22 patients"):
        search.two_stage(asked, n_limit=22)
    assert looks_text(search.two_stage(asked, n_limit=23).optimal) == "1/10,5/29"
    with pytest.raises(InputError, match=r"^n_limit \(6000\) is above 3000, the most for which memory suffices"):
        search.two_stage(asked, n_limit=6000)


def test_the_tables_are_as_accurate_as_the_cuts_assume():
    asked = Requirements(p0=0.3, p1=0.34, alpha=0.05, power=0.8)
    tables = Tables(asked, 1500)
    n = np.array([10, 500, 1500])
    for k, p in enumerate((asked.p0, asked.p1)):
        x = np.arange(tables.pmf.shape[2])
        expected = stats.binom.pmf(x, n[:, None], p)
        assert np.abs(tables.pmf[k, n] - expected).max() < SLACK / 10
        assert np.abs(tables.tail[k, n] - stats.binom.sf(x, n[:, None], p)).max() < SLACK / 10


@pytest.mark.parametrize(
    ("limits", "looks"),
    [
        ((0.1, 0.8, 0.01, 0.6), "1/2"),  # .1^2 = .01, and .8^2 = .64
        ((0.2, 0.8, 0.04, 0.6), "1/2"),  # .2^2 = .04
        ((0.2, 0.9, 0.008, 0.6), "2/3"),  # .2^3 = .008, and .9^3 = .729
        ((0.3, 0.9, 0.09, 0.81), "1/2"),  # .3^2 and .9^2, both exactly at their limits
        ((0.15, 0.9, 0.0225, 0.8), "1/2"),  # .15^2
        ((0.3, 0.8, 0.3, 0.8), "0/1"),
        ((0.1, 0.7, 0.19, 0.91), "0/2"),  # 1 - .9^2 = .19, and 1 - .3^2 = .91
    ],
)
def test_all_of_two_or_three_respond_is_found_where_it_is_exactly_at_the_limit(limits, looks):
    assert looks_text(search.single_stage(Requirements(*limits)).first) == looks
    # numpy's numbers print otherwise, and are the same
    assert looks_text(search.single_stage(Requirements(*map(np.float64, limits))).first) == looks


def hull_of(frontier):
    """The designs that minimise q n + (1 - q) EN for some q from 0 to 1: q (dn + dEN) <= dEN for each rival."""
    kept = []
    for n, en, design in frontier:
        low, high = Fraction(0), Fraction(1)
        for other_n, other_en, _ in frontier:
            dn, den = n - other_n, other_en - en
            if dn + den > 0:
                high = min(high, den / (dn + den))
            elif dn + den < 0:
                low = max(low, den / (dn + den))
            elif den < 0:
                high = Fraction(-1)
        if low <= high:
            kept.append(design)
    return kept


@st.composite
def small_designs(draw):
    n = draw(st.integers(1, 5))
    if n == 1 or draw(st.booleans()):
        return SingleStage(draw(st.integers(0, n - 1)), n)
    n1 = draw(st.integers(1, n - 1))
    r1 = draw(st.integers(0, n1 - 1))
    return TwoStage(r1, n1, draw(st.integers(r1, n - 1)), n)


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(small_designs(), small_designs(), st.integers(1, 12), st.integers(4, 14))
def test_designs_exactly_at_a_limit_are_never_lost(of_alpha, of_power, twentieths, gap):
    # the limits are those of small designs, in decimals that a double gives back: every search has ties to settle
    assume(twentieths + gap < 20)
    p0, p1 = Fraction(twentieths, 20), Fraction(twentieths + gap, 20)
    alpha, power = exact.reject_fraction(of_alpha, p0), exact.reject_fraction(of_power, p1)
    assume(Fraction(1, 1000) <= alpha <= Fraction(3, 10) and Fraction(1, 2) <= power <= Fraction(99, 100))
    assume(all(Fraction(repr(float(v))) == v for v in (alpha, power)))
    asked = Requirements(*map(float, (p0, p1, alpha, power)))

    single = search.single_stage(asked)
    if single.n_proven <= 60:
        fits, bound = {}, {}
        for n in range(1, single.n_proven + 1):
            bound[n] = next(r for r in range(n + 1) if binomial.tail_fraction(r, n, asked.p0) <= alpha)
            fits[n] = binomial.tail_fraction(bound[n], n, asked.p1) >= power
        first = min(n for n in fits if fits[n])
        sustained = max((n for n in fits if not fits[n]), default=0) + 1
        assert (single.first.n, single.first.r) == (first, bound[first])
        assert (single.sustained.n, single.sustained.r) == (sustained, bound[sustained])

    found = search.two_stage(asked)
    n_max = found.certificate.n_upper + 1
    if n_max <= 10:
        met = enumerate_all(asked, n_max)
        frontier, least = [], None
        for n in range(2, n_max + 1):
            here = [(en, n1, -r, r1) for (m, n1, r, r1), en in met.items() if m == n]
            if here and (least is None or min(here)[0] < least):
                least, n1, minus_r, r1 = min(here)
                frontier.append((n, least, TwoStage(r1, n1, -minus_r, n)))
        assert [c.design for c in found.frontier] == [design for *_, design in frontier]
        assert [c.design for c in found.admissible] == hull_of(frontier)
        least_en = {(n, n1): min(en for key, en in met.items() if key[:2] == (n, n1)) for n, n1, *_ in met}
        near = neighbours.near(found, found.minimax, within=n_max, most=10**6)
        shown = {(c.n, c.n1, c.r, c.r1) for c in near if c.n <= n_max}
        assert shown == {key for key, en in met.items() if en == least_en[key[:2]]}
        assert search.can_have_power(found.minimax.n, asked)
    for c in (single.first, single.sustained, *found.frontier):
        attained = (exact.reject_fraction(c.design, p0), exact.reject_fraction(c.design, p1))
        limits = zip(("alpha", "power"), attained, (alpha, power), strict=True)
        assert c.at_limits == tuple(name for name, got, limit in limits if got == limit)


def test_three_designs_on_one_line_are_all_admissible():
    # EN(1/2) is 55.5, 54.5 and 53.5 at n = 74, 76 and 78: 43/76 is as good as both at q = 1/3 alone
    found = search.two_stage(Requirements(p0=0.5, p1=0.65, alpha=0.1, power=0.9)).admissible
    middle = next(c for c in found if looks_text(c) == "16/33,43/76")
    assert binomial.tail_fraction(16, 33, 0.5) == Fraction(1, 2)  # 33 + (76 - 33) / 2 = 54.5
    assert (middle.q_low, middle.q_high) == pytest.approx((1 / 3, 1 / 3), abs=1e-12)  # a quotient of table entries
    assert middle.q_low <= middle.q_high


def test_a_power_that_is_reached_exactly_counts_in_the_saw_tooth():
    # .8^2 = .64
    teeth = search.saw_tooth(Requirements(p0=0.1, p1=0.8, alpha=0.01, power=0.64), np.array([1, 2]))
    assert teeth.meets.tolist() == [False, True]
    asked = Requirements(p0=0.2, p1=0.9, alpha=0.104, power=0.972)  # 3 p^2 (1 - p) + p^3 at .2 and at .9
    teeth = search.saw_tooth(asked, np.array([3]))
    assert (teeth.r.tolist(), teeth.meets.tolist()) == ([1], [True])


def test_choosing_takes_a_criterion_or_a_design():
    asked = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    taken = {wish: looks_text(search.choose(asked, wish)) for wish in ("minimax", "optimal")}
    assert taken == {"minimax": "1/15,5/25", "optimal": "1/10,5/29"}
    assert search.choose(asked, "single_stage_first").design == SingleStage(5, 25)
    assert search.choose(asked, "single_stage_sustained").design == SingleStage(6, 29)
    assert search.choose(asked, SingleStage(4, 20)) == SingleStage(4, 20)
    with pytest.raises(
        InputError,
        match=r"^criterion \('best'\) is unknown; write minimax, optimal, single_stage_first, ",
    ):
        search.choose(asked, "best")
