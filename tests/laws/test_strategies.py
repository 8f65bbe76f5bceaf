"""Mixed strategies for intercurrent events: against single handlings, enumeration in fractions and simulation."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as drawn

from simtrial import InputError, Requirements, SingleStage, TwoStage, parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.laws.losses import AMONG, AsRun
from simtrial.laws.strategies import OF_HANDLING, STRATEGIES, Mixed
from simtrial.plan.dropout import Dropout
from simtrial.plan.plan import HANDLINGS
from simtrial.plan.recut import attained_bounds

ASKED = Requirements(0.15, 0.35, 0.05, 0.8)
INDEPENDENT, INFORMATIVE = Dropout(0.08), Dropout(0.3, 0.4)
QUARTER = dict.fromkeys(STRATEGIES, Fraction(1, 4))
LOOKS = ["5/25", "1/9,8/34", "0/5,2:6/12,:9/20,8/40"]
SMALL = ["1/4", "0/2,2/4", "0:2/2,1/4", "0/1,0:2/2,2/4"]


@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize("handling", HANDLINGS)
@pytest.mark.parametrize("among", AMONG)
@pytest.mark.parametrize("loss", [INDEPENDENT, INFORMATIVE], ids=["independent", "informative"])
def test_one_strategy_for_all_dropout_is_the_handling(looks, handling, among, loss):
    design = parse_looks(looks)
    mixed = Mixed.of(loss, [(OF_HANDLING[handling], Fraction(1))], among=among)
    how = AsRun(loss=loss, handling=handling, among=among)
    found, expected = mixed.figures(design, ASKED), how.figures(design, ASKED)
    for name in ("type_i_error", "power", "en_p0", "en_p1", "pet_p0", "pet_p1"):
        # the rates at which the two decide are rounded to the same 12 digits
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12)
    assert mixed.keeps(design, ASKED) == how.keeps(design, ASKED)
    assert mixed.alone == how


@pytest.mark.parametrize("looks", LOOKS[:2])
@pytest.mark.parametrize("informed", [True, False])
@pytest.mark.parametrize("loss", [INDEPENDENT, INFORMATIVE], ids=["independent", "informative"])
def test_excluding_all_with_recalculated_bounds_is_the_handling(looks, informed, loss):
    design = parse_looks(looks)
    mixed = Mixed.of(loss, [("excluded", Fraction(1))], recut=True, informed=informed)
    how = AsRun(loss=loss, handling="exclude", recut=True, informed=informed)
    assert mixed.figures(design, ASKED) == how.figures(design, ASKED)
    assert mixed.keeps(design, ASKED) == how.keeps(design, ASKED)


def fates(p, loss, shares):
    """What one enrolled patient may be, by event and response, with its probability as a fraction."""
    of_others, of_responder = Fraction(str(loss.probability)), Fraction(loss.of_responder)
    for responds in (True, False):
        chance, lost = (p, of_responder) if responds else (1 - p, of_others)
        yield ("assessed", responds), chance * (1 - lost)
        for strategy, share in shares.items():
            if share:
                yield (strategy, responds), chance * lost * share


def enumerated(design, p, loss, shares, bounds=None):
    """P(reject H0) and E[patients looked at], over every sequence of what the patients not replaced may be."""
    chances, replaced = Counter(), Fraction(0)
    for (strategy, responds), chance in fates(p, loss, shares):
        if strategy == "replaced":
            replaced += chance
        else:
            chances[responds and strategy in ("assessed", "hypothetical"), strategy != "excluded"] += chance
    rejects = looked_at = Fraction(0)
    for sequence in itertools.product(chances, repeat=design.looks[-1].n):
        weight = math.prod(chances[kind] / (1 - replaced) for kind in sequence)
        counts, present = zip(*sequence, strict=True)
        for k, look in enumerate(design.looks):
            x, last = sum(counts[: look.n]), k == len(design.looks) - 1
            r, e = look.r, look.e
            if bounds is not None:
                m1, m = sum(present[: design.looks[0].n]), sum(present[: look.n])
                r, e = (int(bounds.final[m1 if len(design.looks) > 1 else 0, m]), None) if last else bounds.first[m1]
            if (e is not None and not last and x >= e) or (last and x > r):
                rejects, looked_at = rejects + weight, looked_at + weight * look.n
                break
            if last or (r is not None and x <= r):
                looked_at += weight * look.n
                break
    return rejects, looked_at, 1 / (1 - replaced)


@pytest.mark.parametrize("looks", SMALL)
@pytest.mark.parametrize(
    "shares",
    [QUARTER, {"composite": Fraction(1, 3), "hypothetical": Fraction(2, 3)},
     {"excluded": Fraction(2, 5), "replaced": Fraction(3, 5)}],
    ids=["all four", "counted", "left out"],
)  # fmt: skip
def test_a_mixture_is_that_of_an_enumeration_of_patients_in_fractions(looks, shares):
    design, loss = parse_looks(looks), INFORMATIVE
    asked = Requirements(0.25, 0.5, 0.2, 0.6)
    found = Mixed.of(loss, shares.items(), among="evaluable").figures(design, asked)
    for p, reject, enrolled in (
        (Fraction(1, 4), found.type_i_error, found.en_p0), (Fraction(1, 2), found.power, found.en_p1)
    ):  # fmt: skip
        rejects, looked_at, per_patient = enumerated(design, p, loss, shares)
        # the rate at which the design decides has 12 digits, and no probability depends on it more than n-fold
        assert reject == pytest.approx(float(rejects), abs=4e-12)
        assert enrolled == pytest.approx(float(looked_at * per_patient), abs=40e-12)


@pytest.mark.parametrize("looks", SMALL[:3])
@pytest.mark.parametrize("informed", [True, False])
def test_a_mixture_with_recalculated_bounds_is_that_of_an_enumeration(looks, informed):
    design, loss = parse_looks(looks), Dropout(0.2, 0.5)
    asked = Requirements(0.25, 0.6, 0.3, 0.6)
    mixed = Mixed.of(loss, QUARTER.items(), among="evaluable", recut=True, informed=informed)
    bounds = attained_bounds(design, mixed.evaluable(asked).kept)
    found = mixed.figures(design, asked)
    for p, reject, enrolled in (
        (Fraction(1, 4), found.type_i_error, found.en_p0), (Fraction(3, 5), found.power, found.en_p1)
    ):  # fmt: skip
        rejects, looked_at, per_patient = enumerated(design, p, loss, QUARTER, bounds)
        # shares and rates have 12 digits, and no probability depends on either more than n-fold
        assert reject == pytest.approx(float(rejects), abs=8e-12)
        assert enrolled == pytest.approx(float(looked_at * per_patient), abs=80e-12)


def simulated(design, p, mixed, trials, generator):
    """Rejections and enrolled patients of trials that are run patient by patient in the order of enrollment."""
    strategies = np.array(STRATEGIES)
    shares = [float(getattr(mixed, name)) for name in STRATEGIES]
    rejected, enrolled = np.zeros(trials), np.zeros(trials)
    for trial in range(trials):
        counted = responses = seen = 0
        looks = iter(design.looks)
        look = next(looks)
        while True:
            seen += 1
            responds = generator.random() < p
            lost = generator.random() < (mixed.loss.of_responder if responds else mixed.loss.probability)
            strategy = generator.choice(strategies, p=shares) if lost else "assessed"
            if strategy == "replaced":
                continue
            counted += 1
            responses += bool(responds) and strategy in ("assessed", "hypothetical")
            if counted < look.n:
                continue
            last = look.n == design.looks[-1].n
            stops = last or (look.r is not None and responses <= look.r) or (look.e is not None and responses >= look.e)
            if stops:
                rejected[trial] = responses > look.r if last or look.e is None else responses >= look.e
                enrolled[trial] = seen
                break
            look = next(looks)
    return rejected, enrolled


def test_patients_run_one_after_the_other_reject_and_enroll_as_the_law_says():
    mixed = Mixed.of(Dropout(0.35, 0.5), QUARTER.items(), among="evaluable")
    design, trials = TwoStage(1, 9, 5, 18), 4000
    found = mixed.figures(design, ASKED)
    rejected, enrolled = simulated(design, ASKED.p1, mixed, trials, np.random.default_rng(1))
    # four standard errors: of two right values one is farther off in about one of 8000 seeds
    assert abs(rejected.mean() - found.power) < 4 * rejected.std() / trials**0.5
    assert abs(enrolled.mean() - found.en_p1) < 4 * enrolled.std() / trials**0.5


def test_the_reference_of_single_handlings_comes_out(reference):
    rows = reference("dropout_effect")
    designs = {25: SingleStage(5, 25)}
    checked = 0
    for row in rows.itertuples():
        if not row.design.startswith("A'Hern .10/.30 .05/.80") or not row.dropout:
            continue
        asked = Requirements(0.1, 0.3, 0.05, 0.8)
        loss = Dropout(row.dropout)
        design = designs[row.n]
        composite = Mixed.of(loss, [("composite", Fraction(1))], among="evaluable").figures(design, asked)
        excluded = Mixed.of(loss, [("excluded", Fraction(1))], recut=True).figures(design, asked)
        replaced = Mixed.of(loss, [("replaced", Fraction(1))])
        # the reference has six digits
        assert composite.type_i_error == pytest.approx(row.ITT_type1_if_null_is_p0_among_evaluable, abs=5e-7)
        assert composite.power == pytest.approx(row.ITT_power, abs=5e-7)
        assert excluded.type_i_error == pytest.approx(row.evaluable_recut_type1, abs=5e-7)
        assert excluded.power == pytest.approx(row.evaluable_recut_power, abs=5e-7)
        assert replaced.figures(design, asked).power == pytest.approx(row.replacement_power, abs=5e-7)
        assert 25 * replaced.per_counted(asked)[0] == pytest.approx(row.replacement_E_enrolled_max, abs=5e-7)
        checked += 1
    assert checked > 3


parts = drawn.lists(drawn.integers(0, 6), min_size=4, max_size=4).filter(any)
losses = drawn.builds(Dropout, drawn.floats(0.01, 0.6), drawn.floats(0.1, 3.0))


def divided(loss, weights, **more):
    total = sum(weights)
    return Mixed.of(loss, zip(STRATEGIES, (Fraction(w, total) for w in weights), strict=True), **more)


@given(losses, parts)
def test_the_composite_strategy_never_raises_an_error_or_the_power(loss, weights):
    design = TwoStage(1, 9, 5, 24)
    before = divided(loss, weights, among="evaluable")
    after = replace(before, composite=before.composite + before.hypothetical, hypothetical=Fraction(0))
    one, other = before.figures(design, ASKED), after.figures(design, ASKED)
    assert other.type_i_error <= one.type_i_error
    assert other.power <= one.power


@given(losses, parts)
def test_excluding_with_planned_bounds_decides_as_counting_as_a_non_responder(loss, weights):
    design = TwoStage(1, 9, 5, 24)
    before = divided(loss, weights, among="evaluable")
    after = replace(before, composite=before.composite + before.excluded, excluded=Fraction(0))
    assert before.figures(design, ASKED) == after.figures(design, ASKED)


@given(drawn.floats(0.01, 0.6), parts)
def test_p0_among_all_enrolled_keeps_the_type_i_error_on_paper_if_dropout_is_independent(lost, weights):
    design = TwoStage(1, 9, 5, 24)
    paper = operating_characteristics(design, ASKED.p0).reject
    found = divided(Dropout(lost), weights, among="enrolled").figures(design, ASKED)
    assert found.type_i_error <= paper * (1 + 1e-9)  # rates have 12 digits


@given(drawn.floats(0.01, 0.4), drawn.floats(0.2, 3.0), parts.filter(lambda weights: weights[1]))
def test_informed_recalculated_bounds_keep_alpha_for_both_readings_of_p0(lost, ratio, weights):
    design = TwoStage(1, 10, 5, 29)
    asked = Requirements(0.1, 0.5, 0.05, 0.8)
    for among in AMONG:
        mixed = divided(Dropout(lost, ratio), weights, among=among, recut=True)
        kept = mixed.evaluable(asked).kept
        # at the planned numbers the planned bounds hold, which keep alpha up to some rate
        if operating_characteristics(design, kept.p0).reject <= asked.alpha:
            assert mixed.figures(design, asked).type_i_error <= asked.alpha


@given(losses, parts)
def test_at_the_true_rate_of_h0_the_response_rate_among_all_enrolled_is_p0(loss, weights):
    mixed = divided(loss, weights, among="enrolled")
    p = mixed.true_null(ASKED)
    assert p * (1 - float(mixed.composite) * loss.of_responder) == pytest.approx(ASKED.p0, rel=1e-12)


def test_without_dropout_every_strategy_is_the_design_on_paper():
    design = parse_looks("0/5,2:6/12,8/40")
    paper = operating_characteristics(design, [ASKED.p0, ASKED.p1])
    for strategy in STRATEGIES:
        found = Mixed.of(Dropout(0.0), [(strategy, Fraction(1))]).figures(design, ASKED)
        assert [found.type_i_error, found.power, found.en_p0, found.en_p1] == [*paper.reject, *paper.en]


def test_proportions_that_do_not_add_up_are_refused():
    with pytest.raises(InputError, match="sum is 1"):
        Mixed(loss=INDEPENDENT, composite=Fraction(1, 2))


def test_recalculated_bounds_go_with_excluded_patients():
    with pytest.raises(InputError, match="excluded patients"):
        Mixed(loss=INDEPENDENT, composite=Fraction(1), recut=True)


def test_more_than_nine_tenths_are_not_replaced():
    with pytest.raises(InputError, match=r"\(0\.95\) is above 0\.9"):
        Mixed.of(Dropout(0.95), [("replaced", Fraction(1))]).figures(SingleStage(5, 25), ASKED)
