"""Trials whose second stage depends on the first, in calendar time: against a walk patient by patient, against the same
design written as two stages, and against exact laws.
"""

import csv
import dataclasses
import heapq
import itertools
import json

import numpy as np
import pytest

from simtrial import InputError, Requirements, TwoStage
from simtrial.cli.app import main
from simtrial.conduct import engine, figures, futility, outcomes, prospects, simulation, tables, text
from simtrial.conduct.replacing import Replacing
from simtrial.design.branching import Branching, SecondStage, parse_branching
from simtrial.laws import futility as laws_futility
from simtrial.laws import laws
from simtrial.laws.inflation import enlarged
from simtrial.laws.losses import AsRun
from simtrial.months import WEEK
from simtrial.patients import synthetic
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Beta, Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import HANDLINGS, Conditional, FollowUp, Interim, Plan, Scenario
from simtrial.toxicity.boundary import parse_boundary
from simtrial.toxicity.rule import ToxicityRule

TABLE = parse_branching("0:A|1:A|2:20/6|3:13/6|4:6/5|5:2/6|6:R|7:R|8:R")
UNEVEN = parse_branching("0:4/2|1:A|2:1/2|3:9/5|4:R|5:1/5|6:A")
CERTAIN = parse_branching("0:A|1:5/0|2:3/1|3:R|4:2/3|5:2/6")
SCANS = Disease(Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK))
FIXED = Disease(Assessments.fixed(4.0))
RULES = {
    "hold": Interim(True, None, 0.5),
    "continue": Interim(False),
    "late": Interim(False, None, 1.5),
    "extra": Interim(False, 4, 0.5),
    "limited": Interim(True, None, 0.5, max_hold=1.0),
}
SOME = Scenario("some", 0.3)


def made(design, handling="nonresponder", rule=RULES["hold"], disease=SCANS, **more):
    more = {"enrollment": Constant(2.0), "dropout": Dropout(0.25), "screening_success": 0.8} | more
    return Plan(design, disease=disease, handling=handling, interim=rule, **more)


def when_known(rule):
    return dataclasses.replace(rule, decide="known")


class Watched:
    """Random numbers that remember the means of the Poisson numbers: screening failures while accrual is open."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.means = None

    def __getattr__(self, name):
        return getattr(self.rng, name)

    def poisson(self, mean):
        self.means = mean
        return self.rng.poisson(mean)


def row_of(design, x):
    """What follows x responses, as plain numbers: patients in all and r, or whether H0 is rejected."""
    row = design.after[x]
    return row == "reject" if isinstance(row, str) else (design.n1 + row.n2, row.r)


class Walk:
    """One trial, day after day of its events, in plain Python; it shares its patients with the engine, nothing else."""

    def __init__(self, plan, cohort, column):
        self.plan, self.design = plan, plan.design
        self.kinds = [
            "response" if r else "none" if e else "lost"
            for r, e in zip(cohort.responds[:, column], cohort.evaluable[:, column], strict=True)
        ]
        self.delays = np.broadcast_to(cohort.known, cohort.gaps.shape)[:, column]
        self.gaps = cohort.gaps[:, column]
        self.close = plan.close_month or np.inf
        self.entry, self.seen = [], {}
        self.looks = []
        self.open_level = 0.0

    def level(self, month):
        return float(self.plan.arrivals.level(np.array(month)))

    def month(self, level):
        return float(self.plan.arrivals.months(np.array(level)))

    def run(self):
        design, interim = self.design, self.plan.interim
        largest = max(design.n1 + n2 for n2 in design.n2)
        allowed = largest if interim.allowed is None else interim.allowed
        places = min(design.n1 + allowed, largest)
        second = None  # what follows the first look, once it is decided
        events, tie = [], itertools.count()
        left = since = awaited = None  # of the gap of the next patient; when he was last awaited; his event
        full_since, pending = None, None

        def later(month, kind, what=None):
            number = next(tie)
            heapq.heappush(events, (float(month), number, kind, what))
            return number

        later(0.0, "start")
        if np.isfinite(self.close):
            later(self.close, "close")
        while events:
            now, number, kind, what = heapq.heappop(events)
            if kind == "arrive":
                if number != awaited:
                    continue
                self.open_level += left
                left = awaited = None
                self.entry.append(now)
                later(now + self.delays[len(self.entry) - 1], "known", len(self.entry) - 1)
            elif kind == "known":
                self.seen[what] = self.kinds[what]
            elif kind == "resume" and full_since == what and second is None:
                places = largest
            elif kind == "decide":
                if isinstance(what, bool) or second is not None or what == "closed":
                    if awaited is not None:
                        self.open_level += min(left, self.level(min(now, self.close)) - since)
                    reject = what if isinstance(what, bool) else self.closing(second)
                    return {"stage": 1 + (second is not None), "reject": reject, "decision": now,
                            "enrolled": len(self.entry), "looks": self.looks, "open_level": self.open_level,
                            "last_patient": self.entry[-1]}  # fmt: skip
                second, pending = what, None
                places = what[0]
            closed = now >= self.close
            taken = len(self.entry)
            if self.plan.handling == "replace":
                taken -= sum(one == "lost" for one in self.seen.values())
            if taken < places and not closed:
                full_since = None
                if awaited is None:
                    left = self.gaps[len(self.entry)] if left is None else left
                    since = self.level(now)
                    awaited = later(self.month(since + left), "arrive")
            else:
                if awaited is not None:
                    left -= self.level(now) - since
                    self.open_level += self.level(now) - since
                    awaited = None
                if full_since is None and interim.max_hold is not None and second is None and not closed:
                    full_since = next(tie)
                    later(now + interim.max_hold, "resume", full_since)
            if pending is None and kind != "resume":
                pending = self.due(second, closed)
                if pending is not None:
                    self.looks.append(now)
                    final = second is not None or pending[0] == "closed"
                    later(now + (0.0 if final else interim.lag), "decide", pending[0])
        raise AssertionError("the walk never ended")

    def counted(self, n):
        """The kinds of the patients who are counted, in order, as far as it is known who they are; None: not known."""
        if self.plan.handling != "replace":
            return [self.seen.get(i) if i < len(self.entry) else None for i in range(n)]
        found = []
        for i in range(len(self.entry)):
            if self.seen.get(i) != "lost":
                found.append(self.seen.get(i))
            if len(found) == n:
                break
        return found + [None] * (n - len(found))

    def possible(self, n):
        """The numbers of responses that can still be counted; a pending patient may be lost and replaced."""
        mine = self.counted(n)
        x = sum(kind == "response" for kind in mine)
        if self.plan.handling != "replace":
            return range(x, x + sum(kind is None for kind in mine) + 1)
        # brute force over what becomes of whom is not known
        reached, whole = {(0, 0)}, set()
        for i in range(len(self.entry)):
            kinds = [self.seen[i]] if i in self.seen else ["response", "none", "lost"]
            reached = {(m + (kind != "lost"), x + (kind == "response")) for m, x in reached for kind in kinds}
            whole |= {x for m, x in reached if m == n}
            reached = {(m, x) for m, x in reached if m < n}
        return whole | {x + more for m, x in reached for more in range(n - m + 1)}

    def complete(self, n):
        if self.plan.handling != "replace":
            return all(i in self.seen for i in range(n))
        mine = list(itertools.takewhile(lambda i: i in self.seen, range(len(self.entry))))
        return sum(self.seen[i] != "lost" for i in mine) >= n

    def due(self, second, closed):
        """The decision that is due now, in a tuple; None while there is none."""
        n = self.design.n1 if second is None else second[0]
        if closed and not self.enough(n):
            if self.plan.interim.decide == "known":
                rejections = {self.rejects_with(x, second) for x in self.still_possible()}
                settled = len(rejections) == 1
            else:
                settled = all(i in self.seen for i in range(len(self.entry)))
            return ("closed",) if settled else None
        if self.plan.interim.decide == "complete" and not self.complete(n):
            return None
        leads = {row_of(self.design, x) if second is None else x > second[1] for x in self.possible(n)}
        return (leads.pop(),) if len(leads) == 1 else None

    def enough(self, n):
        if self.plan.handling != "replace":
            return len(self.entry) >= n
        return sum(self.kinds[i] != "lost" for i in range(len(self.entry))) >= n

    def still_possible(self):
        x = sum(kind == "response" for kind in self.seen.values())
        return range(x, x + len(self.entry) - len(self.seen) + 1)

    def rejects_with(self, x, second):
        row = row_of(self.design, min(x, self.design.n1)) if second is None else second
        return row if isinstance(row, bool) else x > row[1]

    def closing(self, second):
        return self.rejects_with(sum(self.kinds[i] == "response" for i in range(len(self.entry))), second)


def compared(plan, trials, which=lambda done: range(len(done))):
    """What the engine says of some trials, and what the walks say."""
    rng = Watched(3)
    done = engine.simulate(plan, SOME, rng, None, trials)
    said, walked = [], []
    for column in which(done):
        truth = Walk(plan, done.cohort, column).run()
        completes = plan.interim.decide == "known" and truth["stage"] == 2 and truth["reject"]
        names = ["stage", "reject", "decision"]
        names += [] if completes else ["enrolled", "last_patient"]
        said.append([getattr(done, name)[column] for name in names])
        walked.append([truth[name] for name in names])
        said[-1] += [*done.looks[: truth["stage"], column]]
        walked[-1] += truth["looks"]
        if not completes:
            said[-1].append(rng.means[column] / 0.25)
            walked[-1].append(truth["open_level"])
    return said, walked


CASES = [(way, rule, decide) for way in HANDLINGS for rule in RULES for decide in ("complete", "known")]


def same(walked):
    """As the walks say: months below 100, each the end of some hundred additions, whose roundings 1e-9 leaves room for;
    counts and decisions, which are whole numbers, can so not differ at all.
    """
    return [pytest.approx(one, rel=0, abs=1e-9) for one in walked]


@pytest.mark.long
@pytest.mark.parametrize(("way", "rule", "decide"), CASES)
def test_trials_agree_with_a_walk_patient_by_patient(way, rule, decide):
    for design, disease, enrollment, close in (
        (TABLE, SCANS, Constant(2.0), None),
        (UNEVEN, FIXED, Ramp(2.0, 6.0), None),
        (UNEVEN, SCANS, Piecewise((0, 3, 6), (0.5, 1, 4)), None),
        (TABLE, FIXED, Constant(2.0), 9.0),
        (CERTAIN, SCANS, Constant(2.0), 3.5),
    ):
        asked = dataclasses.replace(RULES[rule], decide=decide)
        plan = made(design, way, asked, disease, enrollment=enrollment, close_month=close)
        said, walked = compared(plan, 25)
        assert said == same(walked)


def test_a_place_that_is_closed_and_open_again_when_the_trial_ends_agrees_with_a_walk(monkeypatch):
    seen = []
    shut = Replacing.shut
    monkeypatch.setattr(Replacing, "shut", lambda course, row: seen.append(shut(course, row)) or seen[-1])
    for design, disease in ((UNEVEN, FIXED), (UNEVEN, SCANS), (TABLE, FIXED)):
        asked = dataclasses.replace(RULES["extra"], decide="known")
        plan = made(design, "replace", asked, disease, dropout=Dropout(0.5))
        said, walked = compared(plan, 2000, lambda done: np.flatnonzero(seen[-1][1] < done.decision))
        assert said
        assert said == same(walked)


def test_trials_of_every_kind_agree_with_a_walk():
    for way, rule, decide, close in (
        ("nonresponder", "hold", "complete", None),
        ("exclude", "continue", "complete", 9.0),
        ("replace", "continue", "complete", None),
        ("replace", "limited", "known", None),
    ):
        asked = dataclasses.replace(RULES[rule], decide=decide)
        said, walked = compared(made(TABLE, way, asked, close_month=close), 20)
        assert said == same(walked)


@pytest.mark.parametrize("close", [None, 14.0])
@pytest.mark.parametrize(("way", "rule", "decide"), CASES)
def test_two_stages_written_as_a_table_are_the_very_same_trials(way, rule, decide, close):
    two, table = TwoStage(1, 10, 5, 29), Branching(10, ("accept",) * 2 + (SecondStage(19, 5),) * 9)
    for disease, enrollment in ((SCANS, Constant(2.0)), (FIXED, Centres((0, 0, 1, 3), 0.5, 2.0))):
        more = {"enrollment": enrollment, "close_month": close}
        asked = dataclasses.replace(RULES[rule], decide=decide)
        done, again = (
            engine.simulate(made(design, way, asked, disease, **more), SOME, np.random.default_rng(1), None, 200)
            for design in (two, table)
        )
        for field in dataclasses.fields(done):
            if field.name != "cohort":
                assert np.array_equal(
                    getattr(done, field.name), getattr(again, field.name), equal_nan=field.name in ("first_look",)
                ), field.name


def test_a_rule_for_toxicity_stops_the_very_same_trials():
    rule = ToxicityRule(boundary=parse_boundary("4/8,7/20,9/29"), window=2.0, acceptable=0.2, unacceptable=0.4)
    for way, odds_ratio in itertools.product(HANDLINGS, (1.0, 3.0)):
        done, again = (
            engine.simulate(
                made(design, way, toxicity=Toxicity(0.3, 0.4, odds_ratio), toxicity_rule=rule),
                SOME, np.random.default_rng(1), None, 300,
            )
            for design in (TwoStage(1, 10, 5, 29), Branching(10, ("accept",) * 2 + (SecondStage(19, 5),) * 9))
        )  # fmt: skip
        assert 0.1 < done.toxicity_stopped.mean() < 0.6
        for name in ("reject", "stage", "decision", "enrolled", "crossed", "screened", "held"):
            assert np.array_equal(getattr(done, name), getattr(again, name)), name


def test_a_trial_stops_for_toxicity_if_the_boundary_is_crossed_before_its_own_last_look():
    rule = ToxicityRule(boundary=parse_boundary("3/6,5/15,8/28"), window=2.0, acceptable=0.2, unacceptable=0.4)
    for way in HANDLINGS:
        plan = made(TABLE, way, RULES["continue"], toxicity=Toxicity(0.3, 0.4), toxicity_rule=rule)
        done = engine.simulate(plan, SOME, np.random.default_rng(1), None, 400)
        alone = engine.simulate(plan.by_responses, SOME, np.random.default_rng(1), None, 400)
        for trial in np.flatnonzero(~alone.reject).tolist():  # a rejection waits for toxicities
            months = alone.entry[:, trial] + done.cohort.onset[:, trial]
            crossings = [sorted(months[:n])[b - 1] for n, b in ((6, 3), (15, 5), (28, 8)) if len(months) >= n]
            stopped = min(crossings) <= alone.decision[trial]
            assert done.toxicity_stopped[trial] == stopped
            assert done.decision[trial] == (min(crossings) if stopped else alone.decision[trial])


def test_a_look_that_a_trial_does_not_have_holds_nothing_and_decides_nothing():
    plan = made(TABLE, disease=FIXED, dropout=Dropout(0.0))
    done = engine.simulate(plan, SOME, np.random.default_rng(1), None, 2000)
    assert done.looks.shape == (2, 2000)
    x1 = done.cohort.responds[:8].sum(axis=0)
    onward = done.stage == 2
    sizes = np.array([8 + n2 for n2 in TABLE.n2])[x1]
    assert np.array_equal(done.enrolled, sizes)
    assert np.array_equal(onward, (x1 >= 2) & (x1 <= 5))
    bound = np.array([row.r if isinstance(row, SecondStage) else 99 for row in TABLE.after])[x1]
    assert np.array_equal(done.reject, np.where(onward, done.responses > bound, x1 > 5))
    # one hold of the delay and the lag, whatever the second stage
    assert done.held == pytest.approx(4.5)


def test_who_enters_beyond_the_second_stage_that_opens_is_overrun():
    plan = made(TABLE, rule=RULES["late"], disease=FIXED, enrollment=Constant(20.0))
    done = engine.simulate(plan, SOME, np.random.default_rng(1), None, 1000)
    beyond = (done.stage == 2) & (done.enrolled > done.counted)
    assert 0.2 < beyond.mean() < 0.9
    entered = (done.entry[:, beyond] <= done.looks[0, beyond] + 1.5).sum(axis=0)
    assert np.array_equal(done.enrolled[beyond], entered)
    assert not (done.cohort.responds & ~done.included)[:, beyond].any(axis=0).all()
    counted = (np.arange(28)[:, np.newaxis] < done.counted) & done.cohort.responds
    assert np.array_equal(done.responses, counted.sum(axis=0))


@pytest.mark.parametrize("disease", [SCANS, FIXED], ids=["scans", "fixed"])
@pytest.mark.parametrize("way", HANDLINGS)
def test_simulated_means_agree_with_their_exact_values(way, disease):
    exact = set()
    for k, (rule, decide) in enumerate(itertools.product(RULES, ("complete", "known"))):
        enrollment = (Constant(2.0), Ramp(2.0, 6.0), Centres((0,) * 4, 0.5, 2.0))[k % 3]
        asked = dataclasses.replace(RULES[rule], decide=decide)
        plan = made(
            TABLE, way, asked, disease, enrollment=enrollment, dropout=Dropout(0.2, 0.5), follow_up=FollowUp(5.0)
        )
        done = simulation.simulate(plan, [SOME, Scenario("uncertain", Beta(2, 5))], 2000, 4)
        for result in done.results:
            zs = {name: e.z for name, e in result.estimates.items() if e.z is not None}
            exact |= set(zs)
            # of the 300 or so means that are compared here, one in 5,000 is beyond 3.7 by chance
            assert max(map(abs, zs.values())) < 4.5, (rule, decide, zs)
    assert {"reject", "pet", "n_enrolled", "overrun", "hold_months"} <= exact
    assert ("duration_months" in exact) == (way != "replace")


def test_the_exact_laws_of_two_stages_are_those_of_their_table():
    two, table = TwoStage(1, 10, 5, 29), Branching(10, ("accept",) * 2 + (SecondStage(19, 5),) * 9)
    for way, rule, disease in itertools.product(HANDLINGS, RULES.values(), (SCANS, FIXED)):
        known, found = (laws.exact_values(made(design, way, rule, disease), SOME) for design in (two, table))
        for name, value in found.items():
            # rounding of sums of at most 30 probabilities; what has no law for a table is left to simulation
            assert value is None or value == pytest.approx(known[name], rel=1e-11), name
        assert {name for name, value in known.items() if value is not None and found[name] is None} <= {
            "duration_months", "hold_months"
        }  # fmt: skip


def test_figures_as_run_are_those_of_the_simulated_trial():
    asked = Requirements(0.2, 0.4, 0.1, 0.7)
    for way in HANDLINGS:
        law = AsRun(loss=Dropout(0.2, 0.5), handling=way, among="evaluable").figures(TABLE, asked)
        plan = made(TABLE, way, disease=FIXED, dropout=Dropout(0.2, 0.5))
        for p, error, en, pet in (
            (0.2, law.type_i_error, law.en_p0, law.pet_p0),
            (0.4, law.power, law.en_p1, law.pet_p1),
        ):
            done = engine.simulate(plan, Scenario("", p), np.random.default_rng(5), None, 4000)
            for values, exact in ((done.reject, error), (done.enrolled, en), (done.stage == 1, pet)):
                # 4 standard errors: one of 18 comparisons in 1,000 runs
                assert abs(values.mean() - exact) < 4 * values.std() / np.sqrt(4000)


def test_pet_is_the_share_that_stops_after_the_first_stage():
    plan = made(TABLE)
    rng = np.random.default_rng(1)
    done = engine.simulate(plan, SOME, rng, None, 500)
    assert np.array_equal(outcomes.primary(plan, done, rng)["pet"], done.stage == 1)


@pytest.mark.parametrize(
    ("more", "field", "said"),
    [
        ({"handling": "exclude", "recut": Requirements(0.1, 0.3, 0.05, 0.8)}, "bounds", "write fixed"),
        ({"interim": Interim(True, conditional=Conditional(0.3, 0.3))}, "pending", "write wait"),
    ],
)
def test_what_is_not_possible_with_a_table_says_what_to_write(more, field, said):
    with pytest.raises(InputError, match=said) as refused:
        Plan(TABLE, Constant(2.0), FIXED, Dropout(0.1), **{"handling": "nonresponder"} | more)
    assert refused.value.field == field


def test_recalculated_bounds_are_refused_for_a_table():
    with pytest.raises(InputError, match="depends on the responses of the first"):
        AsRun(loss=Dropout(0.2), handling="exclude", recut=True).figures(TABLE, Requirements(0.1, 0.3, 0.05, 0.8))


def settled_by(design, kinds):
    """The patient after whom H0 cannot be rejected whatever follows, by trying it; None if H0 may be to the end."""

    def rejects(known):
        """Whether some course of the patients to come ends in a rejection."""
        for x in range(sum(known[: design.n1]), sum(known[: design.n1]) + max(design.n1 - len(known), 0) + 1):
            row = row_of(design, x)
            if row is True:
                return True
            if row is not False:
                n, r = row
                if x + sum(known[design.n1 : n]) + max(n - max(len(known), design.n1), 0) > r:
                    return True
        return False

    return next((i for i in range(len(kinds) + 1) if not rejects(kinds[:i])), None)


def test_patients_beyond_futility_are_those_after_the_first_after_whom_nothing_helps():
    for design in (TABLE, UNEVEN):
        plan = made(design, rule=RULES["continue"], disease=FIXED)
        done = engine.simulate(plan, SOME, np.random.default_rng(2), None, 300)
        found = futility.beyond(plan, done)
        for trial in range(300):
            after = settled_by(design, done.cohort.responds[:, trial].tolist())
            expected = 0 if done.reject[trial] else done.enrolled[trial] - after
            assert found[trial] == expected


def test_patients_beyond_futility_have_their_law():
    two, table = TwoStage(1, 10, 5, 29), Branching(10, ("accept",) * 2 + (SecondStage(19, 5),) * 9)
    for way, rule in itertools.product(("nonresponder", "replace"), ("hold", "continue", "extra")):
        first, again = (laws_futility.patients_beyond(made(one, way, RULES[rule], FIXED), 0.1) for one in (two, table))
        assert (first is None) == (again is None) == (way == "replace" and rule != "hold")
        assert first is None or again == pytest.approx(first, rel=1e-12)  # rounding of two sums of the same terms
        plan = made(TABLE, way, RULES[rule], FIXED)
        law, found = laws_futility.patients_beyond(plan, 0.2), futility.simulated(plan, Scenario("p0", 0.2), 4000, 1)
        # 4 standard errors: chance alone exceeds them once in 16,000 comparisons
        assert law is None or abs(found.value - law) < 4 * found.mcse


@pytest.mark.parametrize("rule", ["hold", "continue"])
def test_the_chance_of_a_decision_in_time_has_its_law(rule):
    plan = made(TABLE, rule=RULES[rule], disease=FIXED)
    law = prospects.by_law(plan, SOME, 15.0)
    done = engine.simulate(plan, SOME, np.random.default_rng(3), None, 4000)
    share = (done.decision <= 15.0).mean()
    assert 0.1 < share < 0.9
    assert abs(law.value - share) < 4 * np.sqrt(share * (1 - share) / 4000)  # as above
    assert law.mcse == 0
    assert prospects.by_law(made(TABLE), SOME, 15.0) is None  # delays that differ


def test_an_inflated_table_keeps_its_bounds_and_enlarges_each_number_of_patients():
    larger = enlarged(TABLE, 35, 0.2)
    assert larger.n1 == 10  # 8 / 0.8
    assert larger.n2 == (0, 0, 25, 17, 8, 3, 0, 0, 0, 0, 0)  # 35, 27 of 21, 18 of 14, 13 of 10 patients in all
    assert [row.r for row in larger.after if isinstance(row, SecondStage)] == [6, 6, 5, 6]
    assert larger.after[9:] == ("reject", "reject")
    assert enlarged(TABLE, 28, 0.2) == TABLE


@pytest.fixture(scope="module")
def told():
    asked = Requirements(0.2, 0.4, 0.1, 0.7)
    plan = made(TABLE, dropout=Dropout(0.1))
    scenarios = [Scenario("p0", 0.2), Scenario("p1", 0.4)]
    return asked, plan, simulation.simulate(plan, scenarios, 200, 1)


def test_tables_and_sentences_name_a_table_by_its_numbers_of_patients(told):
    asked, plan, done = told
    said = [tables.calendar(done).caption, tables.simulated(done, "p0").caption, tables.scenarios(done).caption]
    said += [tables.hold_or_continue(plan, asked, 50, 1).caption, tables.inflation(TABLE, asked, plan.dropout).caption]
    said += text.inflation(TABLE, asked, plan.dropout).paragraphs
    assert all("adaptive design (" in one for one in said)
    assert not any("|" in one for one in said)
    assert tables.pending_price(plan, asked, 50, 1) is None


def test_two_analyses_stand_in_every_table_and_figure_whatever_the_sizes(told):
    _, plan, done = told
    rows = tables.calendar(done).frame
    assert rows.outcome.tolist().count("interim_month") == rows.outcome.tolist().count("duration_months") == 1
    block, _ = simulation.block(plan, done.results[1].scenario, 1, 1, 0)
    stages = [int(np.argmax(block.stage == stage)) for stage in (1, 2)]
    names = [
        [mark.get_text() for mark in figures.swimmer(plan, done.results[1].scenario, 1, 1, trial).figure.axes[0].texts]
        for trial in stages
    ]
    assert names == [["interim analysis"], ["interim analysis", "final analysis"]]


def test_patients_of_a_simulated_trial_have_two_stages():
    plan = made(TABLE, rule=RULES["continue"], enrollment=Constant(6.0))
    sizes = {}
    for seed in range(20):
        lines = synthetic.one_trial(plan, SOME, seed).splitlines()
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        if "TRIALSTAGE" not in rows[0]:  # without patients beyond the last look the numbers say it
            continue
        stages = [row["TRIALSTAGE"] for row in rows]
        assert stages.count("1") == 8
        sizes.setdefault(stages.count("2"), []).append(stages.count("0"))
    assert set(sizes) <= {0, 20, 13, 6, 2}
    assert len(sizes) >= 3
    assert all(min(beyond) > 0 for beyond in sizes.values())


FILE = """\
trial:
  study: {id: A, title: A trial, source: made up}
  hypotheses: {p0: 0.2, p1: 0.5, alpha: 0.05, power: 0.8, basis: protocol}
  design: {family: adaptive, constraints: {cap: 22}}
  conduct:
    enrollment: {model: constant, rate: 2}
    assessments: {readout_months: 4}
    dropout: {probability: 0.1, handling: replace}
    interim: {accrual: hold}
    follow_up: {months_after_last_patient: 6}
"""


def test_a_file_with_an_adaptive_design_is_simulated_beside_its_exact_values(tmp_path, capsys):
    file = tmp_path / "adaptive.yaml"
    file.write_text(FILE)
    assert main(["simulate", str(file), "--trials", "400", "--seed", "1", "--json"]) == 0
    p0, p1 = json.loads(capsys.readouterr().out)["scenarios"][:2]
    for name in ("reject", "pet", "n_enrolled", "overrun"):
        for one in (p0, p1):
            assert abs(one[name]["value"] - one[name]["exact"]) <= 4 * one[name]["mcse"]  # one of 2,000 by chance
    assert main(["simulate", str(file), "--trials", "100"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "n2/r: enroll n2 more patients, and reject H0 if more than r of all patients respond" in said
    assert "month of the (first) interim look" in said


def test_what_a_file_cannot_ask_of_an_adaptive_design_is_told_in_one_line(tmp_path, capsys):
    file = tmp_path / "adaptive.yaml"
    file.write_text(FILE.replace("{accrual: hold}", "{accrual: hold, pending: conditional, threshold: 0.3}"))
    assert main(["simulate", str(file), "--trials", "100"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "pending (conditional) is not possible where the second stage depends" in told
    assert "write wait" in told
