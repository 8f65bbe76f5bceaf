"""A trial with two rules: what is said of them together is exact, and a file without the second rule says nothing."""

import copy
import itertools
import math
import re

import drawn
import numpy as np
import pytest

from simtrial import InputError, parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.phrases import percent, percent_beside
from simtrial.report import front
from simtrial.report import run as report_run
from simtrial.toxicity import text as toxicity_text
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.toxicity.joint import endings
from simtrial.trial import figures, params, safety, summary, tables, text
from simtrial.trial.case import Case


@pytest.fixture(scope="module")
def plain(root):
    found = params.load(root / "params/toxicity.yaml").plain()
    found["conduct"]["simulation"]["trials"] = 2000
    return found


def case(plain, design=(), conduct=(), **rule):
    found = copy.deepcopy(plain)
    found["design"] |= dict(design)
    if "looks" in dict(design):
        found["design"].pop("criterion")
    found["design"]["toxicity"] |= rule
    found["conduct"]["patients"]["toxicity"] |= dict(conduct)
    return Case.of(params.load(found))


def without(plain):
    found = copy.deepcopy(plain)
    found["design"].pop("toxicity")
    return Case.of(params.load(found))


@pytest.fixture(scope="module")
def both(plain):
    return safety.needed(case(plain))


# the two rules together


def test_type_i_error_and_power_are_those_of_the_joint_law_at_the_acceptable_rate(both):
    rule = both.rule
    for p, found in ((0.1, both.type_i_error), (0.3, both.power)):
        law = endings(both.design, rule.boundary, p=p, toxicity=0.2, odds_ratio=1.5)
        assert found == law.reject
        assert percent(found) in both.effect
    assert percent(both.stopped(0.3, 0.4)) in both.effect


def test_without_the_rule_the_trial_is_the_design_on_paper(both):
    oc = operating_characteristics(both.design, [0.1, 0.3])
    assert [both.alone(p).reject for p in (0.1, 0.3)] == pytest.approx(oc.reject, abs=1e-12)
    assert [both.alone(p).en for p in (0.1, 0.3)] == pytest.approx(oc.en, abs=1e-12)


@pytest.mark.parametrize("looks", ["1/15,5/25", "5/25", "0/6,2/17,5/29"])
@pytest.mark.parametrize("p", [0.1, 0.3])
def test_without_a_stop_for_efficacy_the_strongest_associations_hold_the_worst_case(plain, looks, p):
    found = safety.needed(case(plain, {"looks": looks}))
    ratios = (0, 0.01, 0.3, 1, 1.5, 4, 50, math.inf)
    reject = [found.at(p, 0.2, ratio).reject for ratio in ratios]
    assert all(a >= b - 1e-14 for a, b in itertools.pairwise(reject))
    assert found.monotone
    said = re.search(r"type I error is at most ([\d.]+%) and the power at least ([\d.]+%)", found.effect)
    worst = percent(found.at(0.1, 0.2, 0.0).reject), percent(found.at(0.3, 0.2, math.inf).reject)
    assert said.groups() == worst


def test_with_a_stop_for_efficacy_more_association_may_raise_the_probability_of_rejection():
    """A response rejects at the first patient, whose later toxicities count no more: why the claim leaves it out."""
    design, boundary = parse_looks(":1/1,0/2"), parse_boundary("1/2")
    less, more = (endings(design, boundary, p=0.7, toxicity=0.3, odds_ratio=ratio).reject for ratio in (0, math.inf))
    # P(first responds) + P(first does neither) P(second responds without toxicity)
    assert less == pytest.approx(0.7 + 0.0 * 0.7, abs=1e-12)
    assert more == pytest.approx(0.7 + 0.3 * 0.4, abs=1e-12)


def test_with_a_stop_for_efficacy_no_worst_case_is_claimed(plain):
    found = safety.needed(case(plain, {"looks": "0:4/13,5/24"}))
    assert not found.monotone
    assert "whatever the association" not in found.effect
    assert "At the strongest associations" in found.effect


def test_the_power_to_ask_for_keeps_the_limit_with_the_rule_where_the_endpoints_are_independent(plain):
    kept = 0
    for n in range(25, 60, 9):
        for r in range(3, 9):
            found = safety.needed(case(plain, {"looks": f"{r}/{n}"}, {"odds_ratio": 1}))
            if found.alone(0.3).reject >= found.power_to_ask:
                assert found.power >= 0.8
                kept += 1
    assert kept > 5


@pytest.mark.parametrize("written", ["2/3,3/6,4/9", "1/2,-/4,3/8", "2/2,2/3,3/4,3/5,3/6"])
@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_what_is_seen_at_a_stop_is_the_mean_over_all_courses_that_stop(written, rate):
    boundary = parse_boundary(written)
    weight = seen = 0.0
    for course in itertools.product((0, 1), repeat=boundary.n):
        counts = np.cumsum(course)
        stop = next((look.n for look in boundary.looks if look.b and counts[look.n - 1] >= look.b), None)
        if stop is not None:
            chance = math.prod(rate if one else 1 - rate for one in course)
            weight, seen = weight + chance, seen + chance * counts[stop - 1] / stop
    assert weight == pytest.approx(float(crossing(boundary, [rate]).ever[0]), abs=1e-12)
    assert safety.seen_at_stop(boundary, rate) == pytest.approx(seen / weight, abs=1e-12)
    assert safety.seen_at_stop(boundary, rate) > rate


def test_a_boundary_that_never_stops_shows_nothing_at_a_stop():
    assert math.isnan(safety.seen_at_stop(parse_boundary("-/5"), 0.2))


# what a file without the rule says


def test_a_file_without_the_rule_says_nothing_of_one(plain):
    none = without(plain)
    assert safety.of(none) is None
    assert safety.paragraph(none) == ""
    assert "Accrual stops" not in str(text.protocol(none))
    page = front.opening(none)
    assert "boundary" not in page
    assert "rule for toxicity" not in page
    assert [picture.name for picture in figures.rules(none)] == ["flow"]
    with pytest.raises(InputError, match=r"design\.toxicity is missing"):
        safety.needed(none)


def test_the_notebook_on_toxicity_is_part_of_a_report_only_where_there_is_a_rule(plain):
    trial = case(plain).trial
    assert report_run.has(trial, report_run.TOXICITY)
    assert not report_run.has(without(plain).trial, report_run.TOXICITY)
    assert report_run.TOXICITY in report_run.OF_PART["design"]


# the protocol paragraph and the front page


def test_the_protocol_paragraph_states_both_rules_and_cites_both(both):
    said = str(text.protocol(both.case))
    assert toxicity_text.stops(both.rule.boundary) in said
    assert both.effect in said
    cited = said.rpartition("References: ")[2]
    assert "Simon R." in cited
    assert "Ivanova A" in cited
    assert said.index("Accrual stops if") < said.index("References: ")


def test_the_front_page_sets_the_design_beside_the_whole_trial(both):
    table = front.with_toxicity(both.case)
    found = {row.what: row for row in table.frame.itertuples()}
    power = found["Power"]
    assert power.limit == "at least 80%"
    assert (power.without, power.acceptable) == tuple(
        percent_beside(both.at(0.3, 0.2).reject, 0.8) if rule else percent(both.alone(0.3).reject)
        for rule in (False, True)
    )
    assert found["P(stop for toxicity) at p1"].unacceptable == percent(both.stopped(0.3, 0.4))
    numbers = table.tidy.set_index("what")
    assert numbers.loc["EN(p0), expected sample size", "acceptable"] == both.at(0.1, 0.2).en
    assert (numbers.loc["Power", ["without", "acceptable", "unacceptable"]].diff().dropna() < 0).all()
    assert "What the rule for toxicity does" in front.opening(both.case)


def test_a_rule_that_takes_the_power_below_its_limit_is_among_the_things_to_decide(both):
    points = {one.title: one.why for one in summary.of(both.case).decisions}
    said = points["The rule for toxicity"]
    assert f"the power is {percent_beside(both.power, 0.8)} instead of the required 80%" in said
    assert (
        percent(both.power_to_ask) not in said
    )  # its proof is for independent endpoints; this file has odds ratio 1.5
    assert f"At the rate of 25% at which the trial is run it is {percent(both.at(0.3, 0.25).reject)} on paper." in said


def test_a_power_to_ask_for_is_named_where_the_endpoints_are_independent(plain):
    found = safety.needed(case(plain, (), {"odds_ratio": 1.0}))
    assert percent(found.power_to_ask) in found.shortfall


def test_a_trial_that_is_run_at_the_acceptable_rate_has_one_power_with_the_rule(plain):
    assert "at which the trial is run" not in safety.needed(case(plain, (), {"rate": 0.2})).shortfall


def test_a_rule_that_leaves_power_enough_is_no_thing_to_decide(plain):
    kept = case(plain, {"looks": "5/32"}, crossing_probability=0.01)
    assert safety.needed(kept).power >= 0.8
    assert safety.needed(kept).shortfall == ""
    assert "The rule for toxicity" not in [one.title for one in summary.of(kept).decisions]


def test_the_rates_of_toxicity_are_among_the_assumptions(both):
    said = dict(summary.of(both.case).assumed)["Rate of toxicity"]
    assert said.startswith("20% is acceptable and 40% is not, within 6 weeks of enrollment")
    assert "the trial is run at 25%" in said
    assert said.endswith("response and toxicity have an odds ratio of 1.5")


def test_the_page_on_toxicity_tells_the_power_of_the_file_with_the_rule_and_without_it(root, both):
    said = " ".join((root / "docs/howto/stop_for_toxicity.md").read_text(encoding="utf-8").split())
    assert f"the power is {both.power:.3f} instead of {both.alone(0.3).reject:.3f}" in said


# the flow


def notes(stage):
    leaves = [branch for branch in (stage.low, stage.high, stage.end) if branch]
    return [float(said.rpartition(": ")[2].rstrip("%")) / 100 for leaf in leaves for said, _ in leaf.to.notes]


@pytest.mark.parametrize("looks", ["5/25", "1/15,5/25", "0:4/13,5/24", "0/6,2/17,5/29", "0/5,1/10,2/15,3/20,4/25,5/30"])
def test_the_endings_in_the_flow_are_those_of_both_rules_and_nothing_lies_on_another(plain, looks, monkeypatch):
    found = safety.needed(case(plain, {"looks": looks}))
    given = []
    draw = figures.draw
    monkeypatch.setattr(figures, "draw", lambda stages, lane: given.append((stages, lane)) or draw(stages, lane))
    picture = figures.flow(found)
    assert not drawn.unreadable(picture.figure)
    ((stages, lane),) = given
    stopped = [float(said.rpartition(": ")[2].rstrip("%")) / 100 for said, _ in lane.end.to.notes]
    ends = [note for stage in stages for note in notes(stage)]
    # p0 and p1 in turn; each is written with one decimal
    assert sum(ends[::2]) + stopped[0] == pytest.approx(1, abs=5e-4 * (len(ends) / 2 + 1) + 1e-9)
    assert sum(ends[1::2]) + stopped[1] == pytest.approx(1, abs=5e-4 * (len(ends) / 2 + 1) + 1e-9)
    assert stopped[3] == pytest.approx(found.stopped(0.3, 0.4), abs=5e-4)
    assert toxicity_text.short(found.rule.boundary).split(", ")[0] in lane.text.replace("\u00a0", " ")


def test_a_design_of_many_looks_has_a_boundary_for_each_rule(plain):
    many = ",".join(f"{k // 4}/{4 * k}" for k in range(1, 8)) + ",5/30"
    assert [one.name for one in figures.rules(case(plain, {"looks": many}))] == ["boundary", "toxicity_boundary"]


# months


def test_months_without_the_rule_are_those_of_a_trial_that_has_none(plain, both):
    frame = tables.toxicity_months(both.case).frame
    alone = frame[frame.toxicity_rate.isna()].set_index("p")
    other = without(plain).expected(["reject"])
    assert [alone.reject[p] for p in ("p0", "p1")] == [other[p]["reject"].exact for p in ("p0", "p1")]
    ruled = frame[frame.toxicity_rate.notna()]
    assert len(ruled) == 4
    for row in ruled.itertuples():
        assert row.reject <= alone.reject[row.p]
        assert row.n_enrolled <= alone.n_enrolled[row.p] + 1e-9


def test_a_file_that_does_not_say_how_the_trial_is_run_has_no_months_of_it(plain):
    found = copy.deepcopy(plain)
    found.pop("conduct")
    none = Case.of(params.load(found))
    assert "does not say how the trial is run" in str(tables.toxicity_months(none))
    assert safety.needed(none).odds_ratio == 1
    assert "What the rule for toxicity does" in front.opening(none)
