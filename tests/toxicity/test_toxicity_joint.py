"""Response and toxicity together: every ending against all sequences of patients, and what the association does."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from simtrial import InputError, parse_looks
from simtrial.design.designs import Look, MultiStage
from simtrial.design.exact import operating_characteristics
from simtrial.toxicity.association import cells
from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook, boundary_text, crossing, parse_boundary
from simtrial.toxicity.joint import endings, taken

RATIOS = (0.0, 0.3, 1.0, 5.0, math.inf)


def walk(design, boundary, law):
    """Every ending by all sequences of patients, one after the other: toxicity is looked at first."""
    n = design.looks[-1].n
    found = dict.fromkeys(("toxicity", "futility", "efficacy", "success", "failure"), 0.0)
    en = 0.0
    for path in itertools.product(range(4), repeat=n):
        x = t = 0
        weight = math.prod((law.both, law.first, law.second, law.neither)[k] for k in path)
        for patient, k in enumerate(path, start=1):
            x, t = x + (k in (0, 1)), t + (k in (0, 2))
            bound = boundary.of(patient)
            if bound is not None and t >= bound:
                ending = "toxicity"
                break
            look = next((look for look in design.looks if look.n == patient), None)
            if look is None:
                continue
            if patient == n:
                ending = "success" if x > look.r else "failure"
            elif look.r is not None and x <= look.r:
                ending = "futility"
                break
            elif look.e is not None and x >= look.e:
                ending = "efficacy"
                break
        found[ending] += weight
        en += weight * patient
    return found, en


def drawn(rng):
    """A design with up to three looks, and a boundary some of whose looks are the same."""
    n = int(rng.integers(2, 7))
    at = np.sort(rng.choice(np.arange(1, n), size=min(int(rng.integers(0, 3)), n - 1), replace=False)).tolist()
    looks, least = [], 0
    for k in at:
        r = int(rng.integers(least, k)) if rng.random() < 0.7 and least < k else None
        e = int(rng.integers((-1 if r is None else r) + 2, k + 2))
        looks.append(Look(k, r, e if rng.random() < 0.5 and e <= k else None))
        least = least if r is None else r
    looks.append(Look(n, int(rng.integers(least, n))))
    seen = np.sort(rng.choice(np.arange(1, n + 1), size=int(rng.integers(1, n + 1)), replace=False)).tolist()
    bounds = tuple(ToxicityLook(k, int(rng.integers(1, k + 1)) if rng.random() < 0.8 else None) for k in seen)
    return MultiStage(tuple(looks)), ToxicityBoundary(bounds)


@pytest.mark.parametrize("seed", range(16))
def test_every_ending_is_that_of_all_sequences_of_patients(seed):
    rng = np.random.default_rng(seed)
    design, boundary = drawn(rng)
    p, toxicity = rng.uniform(0.05, 0.95, 2)
    for ratio in RATIOS:
        found = endings(design, boundary, p=p, toxicity=toxicity, odds_ratio=ratio)
        shares, en = walk(design, boundary, cells(p, toxicity, ratio))
        # sums of at most 4096 products
        assert found.shares == pytest.approx(shares, abs=1e-13)
        assert found.en == pytest.approx(en, abs=1e-12)
        assert sum(found.shares.values()) == pytest.approx(1, abs=1e-14)
        assert found.reject == pytest.approx(shares["success"] + shares["efficacy"], abs=1e-13)


@pytest.mark.parametrize("ratio", RATIOS)
def test_each_rule_alone_is_its_own_margin(ratio):
    design = parse_looks("1:6/10,5/29")
    alone = endings(design, None, p=0.3, toxicity=0.2, odds_ratio=ratio)
    oc = operating_characteristics(design, 0.3)
    assert (alone.reject, alone.en) == pytest.approx((float(oc.reject), float(oc.en)), abs=1e-13)
    assert alone.shares["futility"] == pytest.approx(float(oc.accept_by_look[0]), abs=1e-14)
    boundary = parse_boundary("3/5,4/9,9/29")
    never = MultiStage((Look(10, None), Look(29, 0)))  # stops for nothing before its end
    found = endings(never, boundary, p=0.3, toxicity=0.2, odds_ratio=ratio)
    at = crossing(boundary, [0.2])
    assert (found.shares["toxicity"], found.en) == pytest.approx((at.ever[0], at.en[0]), abs=1e-13)


def test_a_product_of_the_margins_is_right_for_one_look_without_association_only():
    single, once = parse_looks("5/25"), parse_boundary("9/25")
    reject = float(operating_characteristics(single, 0.3).reject)
    keeps = 1 - float(crossing(once, [0.2]).ever[0])
    assert endings(single, once, p=0.3, toxicity=0.2).reject == pytest.approx(reject * keeps, abs=1e-13)
    assert abs(endings(single, once, p=0.3, toxicity=0.2, odds_ratio=4).reject - reject * keeps) > 1e-3
    early = parse_looks("1:4/10,5/25")  # a stop for efficacy at 10 is not undone by toxicities that would come later
    product = float(operating_characteristics(early, 0.3).reject) * keeps
    assert endings(early, once, p=0.3, toxicity=0.2).reject > product + 1e-3


ALONG = (0, 0.01, 0.1, 0.5, 1, 2, 10, 100, math.inf)


@pytest.mark.parametrize("seed", range(12))
def test_without_a_stop_for_efficacy_rejecting_becomes_rarer_as_responders_have_more_toxicity(seed):
    rng = np.random.default_rng(100 + seed)
    design, boundary = drawn(rng)
    design = MultiStage(tuple(Look(look.n, look.r) for look in design.looks))
    p, toxicity = rng.uniform(0.05, 0.95, 2)
    found = [endings(design, boundary, p=p, toxicity=toxicity, odds_ratio=ratio).reject for ratio in ALONG]
    assert (np.diff(found) <= 1e-15).all()
    here = taken(design, boundary, p=p, toxicity=toxicity, odds_ratio=2)
    assert (here.most, here.here, here.least) == (found[0], found[5], found[-1])
    assert here.alone >= here.most - 1e-15  # a rule that only stops takes from the type I error and from the power


def test_with_a_stop_for_efficacy_it_may_become_more_frequent_and_no_extremes_are_given():
    design, boundary = parse_looks(":1/1,0/3"), parse_boundary("2/3")  # the first responder ends the trial at once
    found = [endings(design, boundary, p=0.3, toxicity=0.6, odds_ratio=ratio).reject for ratio in ALONG]
    assert max(np.diff(found)) > 1e-3
    here = taken(design, boundary, p=0.3, toxicity=0.6, odds_ratio=2)
    assert (here.here, here.least, here.most) == (found[5], None, None)


@pytest.mark.long
def test_two_hundred_patients_keep_twelve_digits_of_the_fraction():
    looks = ",".join(f"{math.ceil(0.3 * n) + 2}/{n}" for n in range(5, 201, 5))
    design, boundary = parse_looks("20/100,50/200"), parse_boundary(looks)
    found = endings(design, boundary, p=0.25, toxicity=0.25)
    law = [Fraction(value) for value in cells(0.25, 0.25)]
    both, first, second, neither = (int(value * 16) for value in law)
    assert both + first + second + neither == 16
    state = np.array([[1]], dtype=object)
    total = dict.fromkeys(("toxicity", "futility", "success"), Fraction(0))
    for n in range(1, 201):
        moved = np.zeros((n + 1, state.shape[1] + 1), dtype=object)
        moved[:-1, :-1] += neither * state
        moved[1:, :-1] += first * state
        moved[:-1, 1:] += second * state
        moved[1:, 1:] += both * state
        state, bound = moved, boundary.of(n)
        if bound is not None:
            total["toxicity"] += Fraction(int(state[:, bound:].sum()), 16**n)
            state = state[:, :bound]
        if n == 100:
            total["futility"] += Fraction(int(state[:21].sum()), 16**n)
            state[:21] = 0
    total["success"] = Fraction(int(state[51:].sum()), 16**200)
    for name, exact in total.items():
        assert found.shares[name] == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("boundary", ["1/1,2/3", "-/1,2/2,3/9,2/12", "2/4,5/9,3/10,-/12", "4/12", "-/3", "3/3,3/5,3/9"])
def test_crossing_is_that_of_all_sequences_whatever_the_order_of_the_bounds(boundary):
    rule = parse_boundary(boundary)
    assert boundary_text(rule) == boundary
    rates = (0.0, 0.1, 0.5, 0.97, 1.0)
    found = crossing(rule, rates)
    for i, rate in enumerate(rates):
        at = np.zeros(len(rule.looks))
        for path in itertools.product((0, 1), repeat=rule.n):
            had = list(itertools.accumulate(path))
            k = next((k for k, look in enumerate(rule.looks) if look.b is not None and had[look.n - 1] >= look.b), None)
            if k is not None:
                at[k] += rate ** had[-1] * (1 - rate) ** (rule.n - had[-1])
        assert found.at_look[i] == pytest.approx(at, abs=1e-13)
        assert found.before_last[i] == pytest.approx(at[:-1].sum(), abs=1e-13)
        # a crossing at the last look has as many patients as none
        assert found.en[i] == pytest.approx(at[:-1] @ [look.n for look in rule.looks[:-1]]
                                            + (1 - at[:-1].sum()) * rule.n, abs=1e-12)  # fmt: skip


@pytest.mark.parametrize("ratio", [0.001, 0.3, 0.999999, 1.0, 1.000001, 5.0, 1e6])
def test_the_four_cells_have_the_margins_and_the_odds_ratio(ratio):
    for first, second in ((0.2, 0.3), (0.5, 0.5), (0.9, 0.8), (1e-6, 0.4), (0.999, 1e-5)):
        found = cells(first, second, ratio)
        assert min(found) >= 0
        assert (found.both + found.first, found.both + found.second) == pytest.approx((first, second), rel=1e-15)
        assert sum(found) == pytest.approx(1, rel=1e-15)
        # the products cancel to a millionth of their terms where margins are that small
        assert found.both * found.neither == pytest.approx(ratio * found.first * found.second, rel=1e-6, abs=1e-15)
    assert cells(0.3, 0.8, 0.0).both == pytest.approx(0.1)
    assert cells(0.3, 0.8, math.inf).both == 0.3


def test_what_is_no_probability_or_no_odds_ratio_is_refused():
    for given, name in (((1.2, 0.5, 1), "first"), ((0.2, -0.5, 1), "second"), ((0.2, 0.5, -1), "odds_ratio")):
        with pytest.raises(InputError) as told:
            cells(*given)
        assert told.value.field == name
