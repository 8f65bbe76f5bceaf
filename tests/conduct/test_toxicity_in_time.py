"""Trials in calendar time that are stopped for toxicity: against the exact joint law, and event by event."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, Requirements, parse_looks
from simtrial.conduct import (
    changes,
    cohort,
    engine,
    futility,
    levers,
    outcomes,
    prospects,
    sensitivity,
    simulation,
    tables,
    text,
    ways,
)
from simtrial.laws import decision, laws, stages
from simtrial.laws import futility as laws_futility
from simtrial.months import WEEK
from simtrial.plan import recut
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Beta, Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Ramp
from simtrial.plan.plan import Conditional, FollowUp, Interim, Plan, Scenario
from simtrial.plan.survival import Survival
from simtrial.toxicity.association import cells
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.toxicity.joint import endings
from simtrial.toxicity.rule import ToxicityRule

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
SCANS = Disease(Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK))
CURVES = Disease(Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK), 0.735, 0.324, Survival(5.6, 0.5, 0.324))
EVERY = "3/4,4/7,5/10,6/13,7/17,8/20,9/24,10/29"
"""With looks at the last of several patients with the same bound, which are all that matters to when it is crossed."""
AT_ALL = "-/1,-/2,3/3,3/4,4/5,4/6,4/7,5/8,5/9,5/10,6/11,6/12,6/13,7/14,7/15,7/16,7/17,8/18,8/19,8/20,10/29"
UNORDERED = "4/5,3/9,6/12,5/20,9/29"
INTERIMS = {
    "hold": Interim(True, None, 0.5),
    "continue": Interim(False, None, 0.5),
    "extra": Interim(False, 3, 0.5),
    "limited": Interim(True, None, 0.5, max_hold=1.0),
    "known": Interim(True, None, 0.5, decide="known"),
    "known and continue": Interim(False, None, 0.0, decide="known"),
}
P1 = Scenario("p1", 0.3)


def rule(boundary=AT_ALL, window=8 * WEEK):
    return ToxicityRule(boundary=parse_boundary(boundary), window=window, acceptable=0.2, unacceptable=0.4)


def made(looks="1/10,5/29", *, interim="hold", rate=0.3, ratio=1.0, given=None, loss=0.1, **more):
    more = {"handling": "nonresponder", "disease": SCANS} | more
    return Plan(
        parse_looks(looks),
        Constant(2.0),
        dropout=Dropout(loss),
        interim=INTERIMS[interim] if isinstance(interim, str) else interim,
        toxicity=Toxicity(rate, 0.33, ratio),
        toxicity_rule=given or rule(),
        **more,
    )


def without(plan):
    return dataclasses.replace(plan, toxicity_rule=None)


def simulate(plan, scenario=P1, seed=1, trials=400):
    return engine.simulate(plan, scenario, np.random.default_rng(seed), recut.bounds_of(plan), trials)


MOST_ERRORS = 4
"""Standard errors by which a simulated share may miss the exact one: of 60 such, one does by chance in 0.4%."""


def exact_of(plan, scenario=P1, name="reject"):
    return laws.exact_values(plan, scenario)[name]


def errors_off(plan, scenario=P1, *, trials=20_000, name="reject"):
    """By how many standard errors a simulated share misses the exact one."""
    exact = exact_of(plan, scenario, name)
    done = simulation.simulate(plan, [scenario], trials, 5).results[0][name]
    return abs(done.value - exact) / math.sqrt(max(exact * (1 - exact), 1e-4) / trials)


# against the exact laws


@pytest.mark.parametrize("ratio", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("interim", INTERIMS)
def test_h0_is_rejected_as_often_as_the_joint_law_says_whatever_the_calendar(interim, ratio):
    plan = made(interim=interim, ratio=ratio)
    exact = exact_of(plan)
    assert errors_off(plan) <= MOST_ERRORS
    seen = float(plan.dropout.seen(0.3))
    joint = endings(plan.design, plan.toxicity_rule.boundary, p=seen, toxicity=0.3, odds_ratio=ratio)
    assert exact == pytest.approx(joint.reject, abs=1e-14)
    assert exact < laws.exact_values(without(plan), P1)["reject"] - 0.1


@pytest.mark.parametrize("looks", ["0:4/10,5/29", ":3/8,0:5/16,6/29"])
@pytest.mark.parametrize("interim", ["hold", "known"])
def test_early_efficacy_waits_for_the_toxicity_of_all_whom_its_look_counts(looks, interim):
    plan, scenario = made(looks, interim=interim, ratio=3.0), Scenario("", 0.4)
    assert errors_off(plan, scenario) <= MOST_ERRORS
    done = simulate(plan, scenario)
    early = done.reject & (done.stage < len(plan.design.looks))
    assert early.sum() > 50
    known = done.entry + np.minimum(done.cohort.onset, plan.toxicity_rule.window)
    counted = np.arange(len(known))[:, np.newaxis] < done.counted
    assert (done.decision >= np.where(counted, known, 0.0).max(axis=0))[early].all()


@pytest.mark.parametrize("looks", ["5/25", "1/10,5/29", "0/5,2/12,4/20,6/29"])
@pytest.mark.parametrize("given", [EVERY, UNORDERED, "2/3", "-/4,9/25"])
def test_any_boundary_beside_any_number_of_looks_has_the_exact_law(looks, given):
    plan = made(looks, given=rule(given), ratio=2.0, handling="exclude", interim="continue")
    assert errors_off(plan) <= MOST_ERRORS


@pytest.mark.parametrize("way", ["replace", "recut", "conditional"])
def test_independent_toxicity_multiplies_the_probability_of_rejecting(way):
    more = {"replace": {"handling": "replace"}, "recut": {"handling": "exclude", "recut": ASKED}}.get(way, {})
    if way == "conditional":
        more = {"interim": Interim(True, None, 0.5, conditional=Conditional(0.5, 0.3))}
        more["disease"] = Disease(Assessments.fixed(3.0))
    plan = made(**more)
    never = 1 - float(crossing(plan.toxicity_rule.boundary, [0.3]).ever[0])
    exact = exact_of(plan)
    assert errors_off(plan) <= MOST_ERRORS
    assert exact == pytest.approx(never * laws.exact_values(without(plan), P1)["reject"], abs=1e-14)


def test_a_beta_distribution_of_the_response_rate_is_integrated_out():
    prior = Scenario("prior", Beta(3, 7))
    exact = exact_of(made(ratio=4.0), prior)
    assert errors_off(made(ratio=4.0), prior) <= MOST_ERRORS
    grid = np.linspace(0, 1, 301)
    density = stats.beta.pdf(grid, 3, 7)
    one = decision.decision(made(ratio=4.0), grid).reject
    assert exact == pytest.approx(np.trapezoid(density * one, grid), abs=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 6.0])
def test_a_single_look_after_every_window_leaves_all_crossings_to_the_boundary(ratio):
    # the first assessment is after the window, so that toxicity is known before the only decision
    plan = made("5/29", given=rule(window=6 * WEEK), ratio=ratio, interim="continue")
    ever = float(crossing(plan.toxicity_rule.boundary, [0.3]).ever[0])
    assert errors_off(plan, name="toxicity_stopped") <= MOST_ERRORS
    assert exact_of(plan, name="toxicity_stopped") == pytest.approx(ever, abs=1e-14)
    for other in (
        {"given": rule(window=7 * WEEK)},
        {"looks": "1/10,5/29"},
        {"interim": "known"},
        {"close_month": 25.0},
    ):
        unlike = made(**{"looks": "5/29", "given": rule(window=6 * WEEK), "interim": "continue"} | other)
        assert "toxicity_stopped" not in laws.exact_values(unlike, P1)


def test_the_look_that_is_crossed_has_the_law_of_the_boundary():
    plan = made("5/29", given=rule(window=0.0001), interim="continue")
    law = crossing(plan.toxicity_rule.boundary, [0.3]).at_look[0]
    crossed = simulate(plan, trials=20_000).crossed
    for look, exact in zip(plan.toxicity_rule.boundary.looks, law, strict=True):
        # toxicities at once: crossed in the order of enrollment
        assert abs((crossed == look.n).mean() - exact) <= 4 * math.sqrt(max(exact * (1 - exact), 1e-4) / 20_000)


def test_only_the_decision_keeps_an_exact_value_under_a_rule():
    plan = made()
    assert set(laws.exact_values(plan, P1)) == {"reject"}
    assert laws.exact_values(without(plan), P1)["n_enrolled"] is not None
    assert laws_futility.patients_beyond(plan, 0.1) is None
    sizes = np.array([10]), np.array([29])
    for law in (stages.months, stages.enrolled):
        assert np.isnan(law(plan, 0.1, *sizes).stopped).all()
    assert np.isnan(stages.late(plan, 0.1, *sizes, month=20.0).onward).all()
    for bound in (stages.months_at_least, stages.enrolled_at_least):
        assert not bound(plan, 0.1, *sizes).onward.any()
    assert not stages.late_at_least(plan, 0.1, *sizes, month=20.0).onward.any()
    single = made("5/29", disease=Disease(Assessments.fixed(3.0)))
    assert prospects.by_law(single, P1, 20.0) is None
    assert prospects.by_law(without(single), P1, 20.0) is not None


@pytest.mark.parametrize(
    "more",
    [
        {"looks": "0:4/10,5/29", "interim": "continue"},
        {"looks": "0:4/10,5/29", "interim": "limited"},
        {"handling": "replace", "ratio": 2.0},
        {"handling": "exclude", "recut": ASKED, "ratio": 2.0},
        {"close_month": 20.0},
    ],
)
def test_where_both_rules_see_different_patients_there_is_no_law(more):
    plan = made(**more)
    assert not decision.has_law(plan)
    assert laws.exact_values(plan, P1) == {"reject": None}
    with pytest.raises(InputError, match=r"toxicity|close_month"):
        decision.decision(plan, np.array([0.3]))
    assert 0 < simulation.simulate(plan, [P1], 500, 1).results[0]["reject"].best < 0.9


# event by event


def walk(plan, column, done):
    """One trial, one event after the other, in plain Python: what it takes from the engine is only what was drawn."""
    people, looks, now = done.cohort, plan.design.looks, plan.interim
    n, limits = looks[-1].n, plan.capacities
    gaps, responds = people.gaps[:, column], people.responds[:, column]
    evaluable, onset = people.evaluable[:, column], people.onset[:, column]
    known = np.broadcast_to(people.known, people.gaps.shape)[:, column]
    bounds, window = {k.n: k.b for k in plan.toxicity_rule.boundary.looks if k.b}, plan.toxicity_rule.window
    entered, opened, month, k, held = [], {}, 0.0, 0, 0.0
    taken = pending = first = None  # month of a look, and its verdict
    upto = 0  # the look whose patients may enter: later than the one that is due where a hold was given up

    def verdict(statuses, final):
        """What is settled: every count that is still possible has one region."""
        look, x, left = looks[k], sum(statuses), looks[k].n - len(statuses)
        if now.decide == "complete" and left:
            return None
        found = set()
        for more in range(left + 1):
            if x + more <= (-1 if look.r is None else look.r):
                found.add("futile")
            elif final or (look.e is not None and x + more >= look.e):
                found.add("reject")
            else:
                found.add("on")
        return found.pop() if len(found) == 1 else None

    while True:
        final, events = k == len(looks) - 1, []
        if len(entered) < limits[upto]:
            free = max(entered[-1] if entered else 0.0, opened.get(len(entered), 0.0))
            events.append((free + gaps[len(entered)] / 2.0, "entry"))
        elif now.max_hold is not None and upto < len(looks) - 1:
            events.append((entered[-1] + now.max_hold, "reopen"))
        events += [(e + o, "toxicity") for e, o in zip(entered, onset, strict=False) if e + o > month]
        if taken is None:
            at = sorted({month, *(e + d for e, d in zip(entered[: looks[k].n], known, strict=False) if e + d > month)})
            for when in at:
                statuses = [
                    bool(r) for e, d, r in zip(entered[: looks[k].n], known, responds, strict=False) if e + d <= when
                ]
                if verdict(statuses, final) is not None:
                    events.append((when, "look"))
                    break
        else:
            due = taken + (0.0 if final else now.lag)
            if pending == "reject" and len(entered) >= looks[k].n:
                due = max(due, *(e + min(o, window) for e, o in zip(entered[: looks[k].n], onset, strict=False)))
            if pending != "reject" or len(entered) >= looks[k].n:
                events.append((due, "decision"))
        month, what = min(events)
        stopped = None
        if what == "entry":
            entered.append(month)
        elif what == "reopen":
            held, opened[limits[upto]], upto = held + now.max_hold, month, upto + 1
        elif what == "look":
            statuses = [
                bool(r) for e, d, r in zip(entered[: looks[k].n], known, responds, strict=False) if e + d <= month
            ]
            taken, pending = month, verdict(statuses, final)
            first = month if k == 0 and len(looks) > 1 else first
        elif what == "toxicity":
            for size in sorted(bounds):
                had = sum(e + o <= month for e, o in zip(entered[:size], onset, strict=False))
                if had >= bounds[size]:
                    stopped = size
                    break
        if stopped is None and what != "decision":
            continue
        onward = what == "decision" and pending == "on"
        if len(entered) == limits[upto] < n and (upto == k or not onward):
            held += month - entered[-1]
        if onward:
            if upto == k and limits[k] < limits[k + 1]:
                opened[limits[k]] = month
            k, upto, taken, pending = k + 1, max(upto, k + 1), None, None
            continue
        counted = min(looks[k].n if stopped is None else stopped, len(entered))
        return {
            "reject": stopped is None and pending == "reject",
            "stage": k + 1,
            "toxicity_stopped": stopped is not None,
            "crossed": stopped or 0,
            "enrolled": len(entered),
            "counted": counted,
            "responses": int(responds[:counted].sum()),
            "evaluable": int(evaluable[:counted].sum()),
            "decision": month,
            "last_patient": entered[-1],
            "first_look": math.nan if first is None else first,
            "held": held,
        }


@pytest.mark.parametrize("looks", ["5/29", "1/10,5/29", "0:4/10,5/29", "0/5,2:6/12,:9/20,8/29"])
@pytest.mark.parametrize("interim", INTERIMS)
def test_every_field_is_that_of_a_walk_from_event_to_event(looks, interim):
    stops = 0
    for seed, boundary in enumerate((AT_ALL, UNORDERED)):
        window = (8 * WEEK, 30 * WEEK)[seed]
        plan = made(
            looks, interim=interim, given=rule(boundary, window), ratio=2.0, handling=("exclude", "nonresponder")[seed]
        )
        done = simulate(plan, seed=seed, trials=30)
        for column in range(30):
            for name, value in walk(plan, column, done).items():
                said = getattr(done, name)[column]
                assert said == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), (seed, column, name)
        stops += int(done.toxicity_stopped.sum())
    assert 5 <= stops <= 55  # of 60: both endings are seen


AUDITED = [
    *itertools.product(("nonresponder", "replace", "exclude", "recut"), INTERIMS, (None, 12.0)),
    *itertools.product(("nonresponder", "replace"), ("conditional", "conditional, month"), (None,)),
]


@pytest.mark.parametrize(("way", "interim", "close"), AUDITED)
def test_a_trial_stops_for_toxicity_when_its_patients_cross_the_boundary_and_never_later(way, interim, close):
    if way == "recut" and close:
        return  # refused, with or without a rule
    if interim.startswith("conditional"):
        interim = Interim(False, 4, 0.5, conditional=Conditional(0.5, 0.3, 6.0 if "month" in interim else None))
    handling, cut = ("exclude", ASKED) if way == "recut" else (way, None)
    plan = made(
        interim=interim, handling=handling, recut=cut, close_month=close, given=rule(AT_ALL, 20 * WEEK), loss=0.2,
        screening_success=0.7, disease=CURVES, follow_up=FollowUp(months_after_last=3.0),
    )  # fmt: skip
    done = simulate(plan, trials=200)
    onset, entry = done.cohort.onset, done.entry
    looks = plan.toxicity_rule.boundary.looks
    for t in range(200):
        enrolled, month = int(done.enrolled[t]), done.decision[t]
        event = (entry[:, t] + onset[:, t])[:enrolled]

        def crossed_by(when, event=event):
            return [k.n for k in looks if k.b is not None and (event[: k.n] <= when).sum() >= k.b]

        assert (entry[:enrolled, t] <= month).all() or (done.reject[t] and not done.toxicity_stopped[t])
        assert enrolled == len(entry) or done.reject[t] or entry[enrolled, t] > month
        if done.toxicity_stopped[t]:
            assert crossed_by(month)[0] == done.crossed[t]
            assert not crossed_by(np.nextafter(month, 0))
            assert not done.reject[t]
            assert done.counted[t] == min(done.crossed[t], enrolled)
        else:
            assert not crossed_by(month)
            assert done.crossed[t] == 0
        if done.reject[t]:
            mine = slice(0, done.counted[t])
            assert (entry[mine, t] + np.minimum(onset[mine, t], plan.toxicity_rule.window) <= month).all()
        assert done.end[t] >= max(month, done.last_patient[t])
        assert done.counted[t] <= enrolled <= done.screened[t]
        assert np.isnan(done.first_look[t]) or done.first_look[t] <= month
        assert 0 <= done.held[t] <= month
        if close is not None:
            assert enrolled == 0 or done.last_patient[t] <= close
    assert 10 < done.toxicity_stopped.sum() < 190


def test_months_by_hand_of_a_small_trial(monkeypatch):
    # two looks of 2 and 4 patients, one entering each month; a status after 3 months, a toxicity within 2
    plan = dataclasses.replace(
        made("0/2,1/4", interim=Interim(True, None, 1.0), given=rule("2/2,2/4", 2.0), loss=0.0),
        enrollment=Constant(1.0),
        disease=Disease(Assessments.fixed(3.0)),
    )
    never = np.inf
    # entries 1, 2; look at 5, decided at 6; entries 7, 8; look at 11
    drawn = {
        "completed": ([1, 0, 1, 0], [never, never, 1.5, never]),
        "futile": ([0, 0, 0, 0], [never, never, never, never]),
        "first two": ([1, 0, 1, 0], [1.75, 1.0, never, never]),
        "while on hold": ([1, 1, 1, 1], [never, 1.0, 0.5, never]),
        "in the second stage": ([1, 0, 0, 0], [0.5, never, never, 1.25]),
    }
    responds = np.array([[bool(one) for one in r] for r, _ in drawn.values()]).T
    people = cohort.Cohort(
        gaps=np.ones((4, 5)),
        responds=responds,
        evaluable=np.ones((4, 5), dtype=bool),
        known=3.0,
        stable=None,
        pfs=None,
        onset=np.array([o for _, o in drawn.values()]).T,
    )
    monkeypatch.setattr(cohort, "draw", lambda *_: people)
    done = simulate(plan, trials=5)
    assert done.toxicity_stopped.tolist() == [False, False, True, True, True]
    # months: 2.75 and 3 are the two toxicities of the third trial; 3 and 7.5 those of the fourth; 1.5 and 9.25
    assert done.decision.tolist() == [11.0, 6.0, 3.0, 7.5, 9.25]
    assert done.crossed.tolist() == [0, 0, 2, 4, 4]
    assert done.enrolled.tolist() == [4, 2, 2, 3, 4]
    assert done.stage.tolist() == [2, 1, 1, 2, 2]
    assert done.reject.tolist() == [True, False, False, False, False]
    assert done.held.tolist() == [4.0, 4.0, 1.0, 4.0, 4.0]
    assert np.array_equal(done.first_look, [5.0, 5.0, np.nan, 5.0, 5.0], equal_nan=True)
    # a window that outlasts the last status: the claim waits for it, a failure does not
    longer = dataclasses.replace(plan, toxicity_rule=rule("3/4", 5.0))
    assert simulate(longer, trials=5).decision.tolist()[:2] == [13.0, 6.0]


# what is drawn


@pytest.mark.parametrize("ratio", [0.05, 0.3, 1.0, 5.0, 20.0])
def test_toxicity_goes_with_the_response_as_seen_by_its_odds_ratio(ratio):
    plan = made(ratio=ratio)
    done = simulate(plan, trials=8000)
    toxic, responds = done.cohort.toxic, done.cohort.responds
    law = cells(float(plan.dropout.seen(0.3)), 0.3, plan.toxicity.odds_ratio)
    size = toxic.size
    for found, exact in (
        ((toxic & responds).mean(), law.both),
        (toxic.mean(), 0.3),
        ((~toxic & ~responds).mean(), law.neither),
    ):
        assert abs(found - exact) <= 4 * math.sqrt(max(exact * (1 - exact), 1e-5) / size)


def test_the_association_holds_at_each_rate_that_is_drawn_from_a_distribution():
    plan = made(ratio=4.0, loss=0.0)
    done = simulate(plan, Scenario("", Beta(2, 5)), trials=6000)
    toxic, responds = done.cohort.toxic, done.cohort.responds
    chances = np.array([cells(p, 0.3, 4.0) for p in done.p.tolist()])
    for found, exact in (((toxic & responds).mean(), chances[:, 0].mean()), (toxic.mean(), 0.3)):
        assert found == pytest.approx(exact, abs=4 * math.sqrt(0.25 / toxic.size))


def test_toxicities_come_at_any_time_of_the_window_alike():
    plan = made(given=rule(window=3.0), ratio=2.0)
    onset = simulate(plan, trials=2000).cohort.onset
    assert stats.kstest(onset[np.isfinite(onset)] / 3.0, "uniform").pvalue > 1e-4


def test_extreme_rates_of_toxicity_stop_every_trial_or_none():
    assert simulate(made(rate=0.0)).toxicity_stopped.sum() == 0
    all_of_them = simulate(made(rate=1.0, given=rule("3/3")))
    assert all_of_them.toxicity_stopped.all()
    assert not all_of_them.reject.any()


@pytest.mark.parametrize("disease", [SCANS, CURVES])
@pytest.mark.parametrize("handling", ["nonresponder", "replace"])
def test_a_rule_changes_nothing_else_that_is_drawn(disease, handling):
    plan = made(disease=disease, handling=handling)
    mine, other = simulate(plan), simulate(without(plan))
    for name in ("gaps", "responds", "evaluable", "known", "stable", "pfs"):
        one, same = getattr(mine.cohort, name), getattr(other.cohort, name)
        assert (one is None and same is None) or np.array_equal(one, same)
    assert other.cohort.onset is None
    assert not other.toxicity_stopped.any()
    # a boundary that never stops leaves futile trials as they were, and lets claims wait for the windows
    idle = simulate(dataclasses.replace(plan, toxicity_rule=rule("-/29")))
    for name in ("reject", "stage", "responses", "enrolled", "counted", "held", "last_patient"):
        assert np.array_equal(getattr(idle, name), getattr(other, name)), name
    assert np.array_equal(idle.decision[~idle.reject], other.decision[~other.reject])
    assert (idle.decision >= other.decision).all()


# what is reported


def test_the_outcomes_of_a_trial_count_each_ending_once():
    plan = made(interim="continue", disease=CURVES, ratio=2.0)
    done, rng = simulation.block(plan, P1, 0, 3, 0)
    found = outcomes.observe(plan, done, rng)
    size = len(done)
    late = (done.stage == 2) & ~found["toxicity_stopped"] & ~found["reject"]
    endings_of = [found["toxicity_stopped"], found["pet"], found["reject"], late]
    assert (np.sum(endings_of, axis=0) == 1).all()
    mine = np.arange(29)[:, np.newaxis] < done.enrolled
    assert np.array_equal(found["toxicities"], (done.cohort.toxic & mine).sum(axis=0))
    assert np.array_equal(found["toxicity_crossed"], found["toxicities"] / done.enrolled > 0.33 + 1e-9)
    assert found["overrun"].shape == (size,)
    assert set(outcomes.observe(without(plan), *simulation.block(without(plan), P1, 0, 3, 0))) == set(found) - {
        "toxicity_stopped",
        "toxicities",
    }
    assert set(found) <= set(outcomes.OUTCOMES)


def test_without_a_rule_an_associated_toxicity_is_drawn_and_its_observed_rate_has_no_law():
    # of trials that stop at the first look few patients respond, and so fewer have a toxicity
    found = {}
    for ratio in (1.0, 1000.0):
        plan = without(made(ratio=ratio, rate=0.33, loss=0.0))
        done = simulation.simulate(plan, [Scenario("p0", 0.1)], 20_000, 1).results[0]
        assert (done["toxicity_crossed"].exact is not None) == (ratio == 1)
        assert "toxicities" not in done.estimates
        found[ratio] = done["toxicity_crossed"].value
    assert found[1000.0] < found[1.0] - 0.02


def test_tables_and_sentences_name_the_rule_where_their_numbers_hold_it():
    plan = made(ratio=2.0)
    scenarios = [Scenario("p0", 0.1), Scenario("p1", 0.3)]
    done = simulation.simulate(plan, scenarios, 500, 1)
    assert "toxicity_stopped" in tables.calendar(done).frame.outcome.tolist()
    assert "toxicity_stopped_shown" in tables.scenarios(done).shown
    assert "PET (by responses)" in tables.simulated(done, "p0").frame.label.tolist()
    said = "and the rule that stops the trial for toxicity (rate 30%, odds ratio with response 2)"
    assert said in " ".join(text.cost(done, ASKED).paragraphs)
    assert said in text.as_run(done, ASKED)
    plain = simulation.simulate(without(plan), scenarios, 500, 1)
    assert "toxicity" not in " ".join(text.cost(plain, ASKED).paragraphs)
    assert "toxicity_stopped" not in tables.calendar(plain).frame.outcome.tolist()
    assert "PET" in tables.simulated(plain, "p0").frame.label.tolist()
    assert ways.alike(made("0:4/10,5/29")) == ""
    assert ways.alike(plan) == ways.alike(without(made("0:4/10,5/29"))) != ""


def test_the_rule_is_a_lever_whose_price_in_power_is_exact():
    plan = made()
    (lever,) = [one for one in levers.of(plan, ASKED, 1000, 1) if one.change.key == "toxicity"]
    assert lever.change.plan == without(plan)
    gained = laws.exact_values(without(plan), P1)["reject"] - laws.exact_values(plan, P1)["reject"]
    assert lever.power_gained.value == pytest.approx(gained, abs=1e-12)
    assert lever.power_gained.mcse == 0
    assert "The rule for toxicity costs most power: without it the power is" in levers.power_sentence(lever)
    assert "toxicity" not in {one.key for one in changes.of(without(plan))}


def test_sensitivity_varies_toxicity_only_where_a_rule_stops_the_trial_for_it():
    found = sensitivity.analyse(made(rate=0.2), ASKED, 200, 1)
    varied = {(one.assumption, one.setting): one.values["power"] for one in found.variants}
    assert varied["Rate of toxicity", "40%"] < found.base.values["power"] - 0.2
    assert {"odds ratio 0.25", "odds ratio 4"} <= {
        setting for name, setting in varied if name == "Association of toxicity with response"
    }
    plain = sensitivity.analyse(without(made()), ASKED, 200, 1)
    assert not any("oxicity" in one.assumption for one in plain.variants)


def test_patients_beyond_futility_are_simulated_and_end_with_the_stop():
    plan = made(interim="continue")
    measured = futility.expected(plan, Scenario("p0", 0.1), 4000, 1)
    plain = futility.expected(without(plan), Scenario("p0", 0.1), 4000, 1)
    assert measured.mcse > 0
    assert 0 < measured.value < plain.value


def test_a_rule_needs_a_rate_of_toxicity():
    with pytest.raises(InputError, match="needs the rate"):
        dataclasses.replace(made(), toxicity=None)


@pytest.mark.parametrize("enrollment", [Constant(2.0), Ramp(3.0, 6.0)])
def test_nobody_is_screened_after_a_stop_for_toxicity(enrollment):
    plan = dataclasses.replace(
        made(interim="continue", given=rule("1/1,1/2,1/3", 0.001), rate=0.999),
        enrollment=enrollment,
        screening_success=0.25,
    )
    done = simulate(plan, trials=4000)
    assert done.toxicity_stopped.mean() > 0.99
    # one patient enrolled of every four screened, him included, as in trials that go the whole way
    assert done.enrolled.mean() / done.screened.mean() == pytest.approx(0.25, rel=0.05)
