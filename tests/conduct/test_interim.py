"""Looks that decide as soon as they can, holds of limited length, and looks with patients pending."""

import dataclasses
import heapq
import itertools

import numpy as np
import pytest

from simtrial import InputError, Requirements, TwoStage, parse_looks
from simtrial.conduct import cohort, engine, outcomes, simulation
from simtrial.months import WEEK
from simtrial.plan import predictive, recut
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import Conditional, FollowUp, Interim, Plan, Scenario
from simtrial.plan.survival import Survival

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
OPTIMAL = TwoStage(1, 10, 5, 29)
FIXED = Disease(Assessments.fixed(4.0))
SCANS = Disease(Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK))
CURVES = Disease(Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK), 0.735, 0.324, Survival(5.6, 0.5, 0.324))
DISEASES = {"fixed": FIXED, "scans": SCANS, "curves": CURVES}
RULES = {
    "hold": Interim(True, None, 0.5),
    "continue": Interim(False),
    "late": Interim(False, None, 3.0),
    "extra": Interim(False, 3, 0.5),
    "limited": Interim(True, None, 0.5, max_hold=1.0),
}
LOOKS = ("5/25", "1/10,5/29", "1:4/10,5/29", ":4/10,5/29", "0/5,2:6/12,:9/20,8/40")
WAYS = ("nonresponder", "replace", "exclude", "recut")
P1 = Scenario("p1", 0.3)


def made(looks, way, rule, disease=FIXED, loss=0.2, **more):
    handling, cut = ("exclude", ASKED) if way == "recut" else (way, None)
    more = {"enrollment": Constant(2.0)} | more
    return Plan(
        parse_looks(looks), disease=disease, dropout=Dropout(loss), handling=handling, interim=rule, recut=cut, **more
    )


def when_known(plan):
    return dataclasses.replace(plan, interim=dataclasses.replace(plan.interim, decide="known"))


def simulate(plan, scenario=P1, seed=1, trials=400):
    return engine.simulate(plan, scenario, np.random.default_rng(seed), recut.bounds_of(plan), trials)


def possible(looks, way, rule="hold"):
    """Whether there is such a plan; see test_plan."""
    return looks.count(",") < 2 or (way != "recut" and (way, rule) != ("replace", "limited"))


CASES = [case for case in itertools.product(LOOKS, WAYS, RULES) if possible(*case)]


@pytest.mark.parametrize("disease", ["fixed", "scans"])
@pytest.mark.parametrize(("looks", "way", "rule"), CASES)
def test_deciding_when_known_changes_no_decision_and_delays_none(looks, way, rule, disease):
    plan = made(looks, way, RULES[rule], DISEASES[disease])
    for scenario in (P1, Scenario("p0", 0.1)):
        whole, known = (simulate(each, scenario) for each in (plan, when_known(plan)))
        assert np.array_equal(whole.reject, known.reject)
        assert np.array_equal(whole.stage, known.stage)
        for name in ("decision", "looks", "end"):
            # the same sums of a few dozen months, in another order: 1e-9 leaves room for their roundings
            assert (getattr(known, name) <= getattr(whole, name) + 1e-9).all(), name
        assert (known.held <= whole.held + 1e-9).all() or rule == "limited"  # whose next hold may begin earlier
        assert (known.decision < whole.decision - 0.1).any()
        assert (known.enrolled <= whole.enrolled).all() or rule in ("continue", "late", "extra", "limited")


def test_a_closing_date_changes_a_decision_only_where_accrual_closes_too_soon():
    for way in ("nonresponder", "replace", "exclude"):
        plan = made("1/10,5/29", way, RULES["hold"], SCANS, close_month=16.0, follow_up=FollowUp(3.0))
        whole, known = simulate(plan), simulate(when_known(plan))
        open_to_the_end = ~whole.closed & ~known.closed
        assert 0.1 < open_to_the_end.mean() < 0.9
        assert np.array_equal(whole.reject[open_to_the_end], known.reject[open_to_the_end])
        assert np.isfinite(known.decision).all()
        later = known.decision > whole.decision + 1e-9  # rounding, as above
        assert not later[open_to_the_end].any()  # elsewhere more patients may have come before accrual closed
        assert np.array_equal(known.reject[known.closed], known.responses[known.closed] > 5)


def fates(plan, entry, seen, k, bounds):
    """Every region in which look k can still end: brute force over what may become of whom is not known."""
    look, final = plan.design.looks[k], k == len(plan.design.looks) - 1

    def region(x, r, e):
        if r is not None and x <= r:
            return "futile"
        return "rejects" if final or (e is not None and x >= e) else "on"

    if plan.handling == "replace":
        reached, whole = {(0, 0)}, set()
        for patient in range(len(entry) + look.n):
            kinds = [seen[patient]] if patient in seen else ["response", "none", "lost"]
            reached = {(m + (kind != "lost"), x + (kind == "response")) for (m, x) in reached for kind in kinds}
            whole |= {x for m, x in reached if m == look.n}
            reached = {(m, x) for m, x in reached if m < look.n}
            if patient >= len(entry):
                whole |= {x + more for m, x in reached for more in range(look.n - m + 1)}
                break
        return {region(x, look.r, look.e) for x in whole}
    mine = {i: kind for i, kind in seen.items() if i < look.n}
    x = sum(kind == "response" for kind in mine.values())
    if bounds is None:
        return {region(x + more, look.r, look.e) for more in range(look.n - len(mine) + 1)}
    early = plan.design.looks[0].n if final and k else 0
    known = [sum(kind != "lost" for i, kind in mine.items() if (i < early) == side) for side in (True, False)]
    left = [early - sum(i < early for i in mine), look.n - early - sum(i >= early for i in mine)]
    found = set()
    for a, b in itertools.product(range(left[0] + 1), range(left[1] + 1)):
        m1, m = known[0] + a, known[0] + a + known[1] + b
        r, e = (bounds.final[m1, m], None) if final else bounds.first[m]
        found |= {region(x + more, r, e) for more in range(a + b + 1)}
    return found


def walk(plan, trials, column):
    """One trial, event by event, in plain Python: it shares its patients with the engine, and nothing else."""
    drawn, looks, interim = trials.cohort, plan.design.looks, plan.interim
    bounds, rule = recut.bounds_of(plan), interim.conditional
    kinds = np.where(drawn.responds, "response", np.where(drawn.evaluable, "none", "lost"))[:, column]
    delays = np.broadcast_to(drawn.known, drawn.gaps.shape)[:, column]
    entry, seen, month_of_look = [], {}, []
    k = gate = 0
    since = decision = None
    tie = itertools.count()
    events, waiting = [(0.0, next(tie), "start", 0)], False

    def later(month, kind, who=0):
        heapq.heappush(events, (float(month), next(tie), kind, who))

    if rule is not None and rule.month is not None:
        later(rule.month, "look month")
    while events:
        now, _, kind, who = heapq.heappop(events)
        if kind == "arrive":
            waiting = False
            entry.append(now)
            later(now + delays[len(entry) - 1], "known", len(entry) - 1)
        elif kind == "known":
            seen[who] = kinds[who]
        elif kind == "resume" and since == who:
            gate += 1
        elif kind == "decide":
            if decision != "on":
                stopped = sum(month <= now for month in entry)
                return {"stage": k + 1, "reject": decision == "rejects", "decision": now, "enrolled": stopped,
                        "looks": month_of_look}  # fmt: skip
            k, decision = k + 1, None
            gate = max(gate, k)
        taken = len(entry) - (sum(kind == "lost" for kind in seen.values()) if plan.handling == "replace" else 0)
        if taken < plan.capacities[gate] and not waiting:
            waiting = True
            level = plan.arrivals.level(np.array(now)) + drawn.gaps[len(entry), column]
            later(plan.arrivals.months(level), "arrive")
        if taken < plan.capacities[gate]:
            since = None
        elif since is None and interim.max_hold is not None and gate < len(looks) - 1:
            since = next(tie)
            later(now + interim.max_hold, "resume", since)
        if decision is None:
            if rule is not None and k == 0:
                decision = foreseen(plan, entry, seen, kind)
            else:
                possible = fates(plan, entry, seen, k, bounds)
                full = plan.interim.decide == "known" or complete(plan, entry, seen, k)
                decision = next(iter(possible)) if len(possible) == 1 and full else None
            if decision is not None:
                month_of_look.append(now)
                later(now + (interim.lag if k < len(looks) - 1 else 0.0), "decide")
    raise AssertionError("the walk never ended")


def complete(plan, entry, seen, k):
    """Whether the status of everybody is known whom look k counts."""
    n = plan.design.looks[k].n
    if plan.handling != "replace":
        return all(i in seen for i in range(n))
    mine = list(itertools.takewhile(lambda i: i in seen, range(len(entry))))
    return sum(seen[i] != "lost" for i in mine) >= n


def foreseen(plan, entry, seen, kind):
    """The decision with patients pending, for a delay that is the same for all; None if the look is not due."""
    look, rule = plan.design.looks[0], plan.interim.conditional
    due = kind == "look month" if rule.month is not None else kind == "arrive" and len(entry) == look.n
    if not due:
        return None
    new = rule.p if plan.handling == "replace" else rule.p * (1 - plan.dropout.probability)
    status = {"response": 1.0, "none": 0.0, "lost": new if plan.handling == "replace" else 0.0}
    chances = [status[seen[i]] if i in seen else new for i in range(look.n)]
    law = {0: 1.0}
    for chance in chances:
        law = {x: law.get(x, 0) * (1 - chance) + law.get(x - 1, 0) * chance for x in range(look.n + 1)}
    return "on" if sum(law[x] for x in law if x > look.r) >= rule.threshold else "futile"


def compared(plan, trials):
    """What the engine says of some trials, and what their walks say."""
    done = simulate(plan, trials=trials, seed=3)
    engine, walks = [], []
    for column in range(trials):
        truth = walk(plan, done, column)
        final = truth["stage"] == len(plan.design.looks) and truth["reject"]
        names = ("stage", "reject", *(() if final else ("enrolled",)))
        engine.append([getattr(done, name)[column] for name in names])
        engine[-1] += [done.decision[column], *done.looks[: truth["stage"], column]]
        walks.append([*(truth[name] for name in names), truth["decision"], *truth["looks"]])
    return list(itertools.chain(*engine)), list(itertools.chain(*walks)), list(map(len, engine)), list(map(len, walks))


def same(walks):
    """As a walk says: months below 100, each the end of some hundred additions, whose roundings 1e-10 leaves room for;
    counts and decisions, which are whole numbers, can so not differ at all.
    """
    return pytest.approx(walks, rel=0, abs=1e-10)


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("disease", ["fixed", "scans"])
def test_looks_decided_when_known_agree_with_an_event_by_event_walk(way, rule, disease):
    for looks, model in (
        ("1/6,3/14", Constant(2.0)),
        ("1:4/6,4/12", Ramp(2.0, 6.0)),
        ("2/8", Constant(1.0)),
        ("0/4,1:4/7,:5/10,4/15", Piecewise((0, 3, 6), (0.5, 1, 2))),
    ):
        if possible(looks, way, rule):
            plan = when_known(made(looks, way, RULES[rule], DISEASES[disease], 0.25, enrollment=model))
            engine, walks, lengths, expected = compared(plan, 12)
            assert lengths == expected
            assert engine == same(walks)


@pytest.mark.long
@pytest.mark.parametrize(
    ("looks", "way"),
    [("1/6,3/14", "nonresponder"), ("1/6,3/14", "replace"), ("0/4,1:4/7,:5/10,4/15", "exclude")],
)
@pytest.mark.parametrize("months", [0.3, 2.0])
def test_holds_of_limited_length_agree_with_an_event_by_event_walk(looks, way, months):
    for disease in (FIXED, SCANS):
        plan = made(looks, way, Interim(True, None, 0.5, max_hold=months), disease, 0.25)
        engine, walks, lengths, expected = compared(plan, 15)
        assert lengths == expected
        assert engine == same(walks)


@pytest.mark.parametrize("way", ["nonresponder", "replace", "exclude"])
@pytest.mark.parametrize("month", [None, 4.0])
def test_looks_with_patients_pending_agree_with_an_event_by_event_walk(way, month):
    for threshold in (0.2, 0.6):
        rule = Interim(True, None, 0.5, conditional=Conditional(threshold, 0.3, month))
        engine, walks, lengths, expected = compared(made("1/6,3/14", way, rule, loss=0.25), 25)
        assert lengths == expected
        assert engine == same(walks)


LIMITED = [case for case in itertools.product(LOOKS[1:], WAYS[:3]) if possible(*case, "limited")]


@pytest.mark.parametrize(("looks", "way"), LIMITED)
@pytest.mark.parametrize("disease", ["fixed", "scans"])
def test_a_hold_of_no_length_is_none_and_one_without_end_is_a_hold(looks, way, disease):
    def run(**rule):
        return simulate(made(looks, way, Interim(**rule), DISEASES[disease], screening_success=0.7))

    for limit, same in ((0.0, {"hold": False, "lag": 0.5}), (1200.0, {"hold": True, "lag": 0.5})):
        limited, other = run(hold=True, lag=0.5, max_hold=limit), run(**same)
        for name in ("reject", "stage", "enrolled", "counted", "responses", "evaluable", "analysed"):
            assert np.array_equal(getattr(limited, name), getattr(other, name)), name
        for name in ("decision", "held", "last_patient", "first_look", "end"):
            # the same months, opened stage by stage: sums that associate differently
            assert getattr(limited, name) == pytest.approx(getattr(other, name), abs=1e-9), name


def test_a_longer_limit_lets_in_fewer_and_holds_longer():
    done = [simulate(made("1/10,5/29", "nonresponder", Interim(True, None, 0.5, max_hold=m))) for m in (0.0, 1, 2, 9)]
    for short, long in itertools.pairwise(done):
        assert (short.enrolled >= long.enrolled).all()
        assert (short.held <= long.held).all()
        assert np.array_equal(short.reject, long.reject)
    assert done[1].held.max() == pytest.approx(1.0)
    assert done[3].held.max() == pytest.approx(4.5)  # readout and lag, the whole of it


def test_accrual_completes_where_the_last_look_rejects_early_and_stops_where_it_is_futile():
    slow = made("1/10,5/29", "nonresponder", RULES["hold"], enrollment=Constant(0.5))
    done = simulate(when_known(slow), Scenario("", 0.25))
    last = done.stage == 2
    assert (done.enrolled[last & done.reject] == 29).all()
    assert (done.last_patient > done.decision)[last & done.reject].any()
    futile = done.enrolled[last & ~done.reject]
    assert futile.min() < 29
    assert (done.last_patient <= done.decision)[~done.reject].all()
    assert (done.end >= done.last_patient).all()


EARLY = {name: dataclasses.replace(rule, decide="known") for name, rule in RULES.items()} | {
    "enrolled": Interim(True, None, 0.5, conditional=Conditional(0.3, 0.3)),
    "a month": Interim(False, None, 0.5, conditional=Conditional(0.3, 0.3, 6.0)),
    "a month, known": Interim(True, None, 0.5, decide="known", max_hold=1.0, conditional=Conditional(0.3, 0.3, 3.0)),
}


@pytest.mark.parametrize("rule", EARLY)
@pytest.mark.parametrize("way", ["nonresponder", "replace", "exclude"])
@pytest.mark.parametrize("close", [None, 14.0])
def test_trials_decided_early_conserve_patients(way, rule, close):
    plan = made("1/10,5/29", way, EARLY[rule], CURVES, screening_success=0.7, close_month=close)
    done = simulate(plan)
    for more, less in itertools.pairwise(("screened", "enrolled", "counted", "evaluable", "responses")):
        assert (getattr(done, more) >= getattr(done, less)).all(), less
    assert (done.counted >= done.analysed).all()
    assert np.array_equal(done.included.sum(axis=0), done.analysed)
    assert np.array_equal((done.included & done.cohort.responds).sum(axis=0), done.responses)
    assert (done.held >= 0).all()
    assert np.isfinite(done.decision).all()
    if rule in ("hold", "enrolled"):
        assert np.array_equal(done.enrolled, done.counted)
    found = outcomes.observe(plan, done, np.random.default_rng(1))
    assert all(len(values) == 400 for values in found.values())


@pytest.mark.parametrize("disease", DISEASES)
@pytest.mark.parametrize("way", ["nonresponder", "replace"])
def test_predictive_probabilities_are_shares_of_the_patients_still_pending(disease, way):
    plan = made("1/10,5/29", way, RULES["hold"], DISEASES[disease])
    months, rates = predictive.pending_rates(plan, 0.3)
    drawn = cohort.draw(plan, 0.3, 8000, np.random.default_rng(2))
    known = np.broadcast_to(drawn.known, drawn.gaps.shape)
    assert sorted(set(known.ravel().tolist())) == pytest.approx(months.tolist(), rel=1e-12)  # the same products
    for since, rate in zip([-1.0, *months[:-1]], rates, strict=False):
        pending = known > since + 1e-9
        share = drawn.responds[pending].mean()
        if way == "replace":
            share += 0.3 * (~drawn.evaluable[pending]).mean()
        # 4 standard errors of a share: one comparison in 16,000 fails by chance
        assert abs(share - rate) < 4 * np.sqrt(max(rate * (1 - rate), 1e-12) / pending.sum()) + 1e-12
    assert rates[-1] == 0


def test_with_every_status_known_the_threshold_does_not_matter():
    at_once = Disease(Assessments.fixed(0.0))
    whole = simulate(made("1/10,5/29", "nonresponder", RULES["hold"], at_once))
    for threshold in (0.01, 0.99):
        rule = Interim(True, None, 0.5, conditional=Conditional(threshold, 0.3))
        done = simulate(made("1/10,5/29", "nonresponder", rule, at_once))
        for name in ("reject", "stage", "enrolled", "decision"):
            assert np.array_equal(getattr(done, name), getattr(whole, name)), name


def test_a_higher_threshold_stops_more_trials_and_never_waits():
    rules = [Interim(True, None, 0.5, conditional=Conditional(t, 0.3)) for t in (0.1, 0.3, 0.5, 0.7, 0.9)]
    done = [simulate(made("1/10,5/29", "nonresponder", rule, SCANS), trials=2000) for rule in rules]
    for low, high in itertools.pairwise(done):
        assert (low.stage >= high.stage).all()
        assert (low.reject >= high.reject).all()
    assert (done[0].stage > done[-1].stage).any()
    assert done[2].held == pytest.approx(0.5)  # the lag alone
    assert np.array_equal(done[2].first_look, done[2].entry[9])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Interim(True, decide="soon"), r"decide \('soon'\) is unknown; write complete or known"),
        (lambda: Interim(False, max_hold=1.0), "max_hold_months goes with accrual: hold"),
        (lambda: Interim(True, max_hold=-1.0), "max_hold_months"),
        (lambda: Conditional(1.0, 0.3), "threshold"),
        (lambda: Conditional(0.5, 0.3, 0.0), "look_month"),
        (lambda: made("0/5,2/12,7/40", "replace", RULES["limited"]), "max_hold_months is possible for one or two"),
        (lambda: pending("0/5,2/12,7/40"), r"pending \(conditional\) is possible for two looks; this design has 3"),
        (lambda: pending("1:4/10,5/29"), r"pending \(conditional\) is not possible with an efficacy bound \(e1 = 4\)"),
        (lambda: pending(":4/10,5/29"), r"pending \(conditional\) is not possible with an efficacy bound \(e1 = 4\)"),
        (lambda: pending("1/10,5/29", way="recut"), "goes with bounds: fixed"),
        (lambda: pending("1/10,5/29", close_month=40.0), r"look_month \(50\) is not before"),
    ],
)  # fmt: skip
def test_rules_that_contradict_each_other_are_refused(make, match):
    with pytest.raises(InputError, match=match):
        make()


def pending(looks, way="nonresponder", **more):
    return made(looks, way, Interim(True, conditional=Conditional(0.3, 0.3, 50.0)), **more)


def test_a_single_stage_has_no_first_look_to_take_early():
    assert pending("5/25").interim.conditional is not None


def test_the_same_numbers_alone_and_in_a_simulation():
    plan = when_known(made("1/10,5/29", "exclude", RULES["hold"], SCANS))
    one = simulation.tally(plan, P1, 0, 1, 300, [0])["duration_months"].estimate().value
    assert one == float(simulation.block(plan, P1, 0, 1, 0)[0].decision[:300].mean())
