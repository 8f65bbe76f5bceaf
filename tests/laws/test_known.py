"""Laws of looks decided when known, and of holds of limited length: enumeration, simulation, and limits."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from simtrial import parse_looks
from simtrial.conduct import simulation
from simtrial.laws import known, laws
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Beta, Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Ramp
from simtrial.plan.plan import FollowUp, Interim, Plan, Scenario

RULES = {
    "hold": Interim(True, None, 0.5, decide="known"),
    "continue": Interim(False, decide="known"),
    "late": Interim(False, None, 1.5, decide="known"),
    "limited": Interim(True, None, 0.5, max_hold=1.0),
    "limited, late": Interim(True, None, 1.5, max_hold=0.5),
    "limited, known": Interim(True, None, 0.5, max_hold=1.0, decide="known"),
    "extra": Interim(False, 3, decide="known"),
}
ALWAYS = {"reject", "pet"}
CALENDAR = {"n_enrolled", "n_screened", "n_evaluable", "overrun", "interim_month", "hold_months", "duration_months"}


def made(looks, rule, way="nonresponder", delay=3.0, rate=2.0, loss=0.15, **more):
    more = {"enrollment": Constant(rate), "disease": Disease(Assessments.fixed(delay))} | more
    return Plan(parse_looks(looks), dropout=Dropout(loss), handling=way, interim=rule, **more)


SCENARIOS = (Scenario("p0", 0.1), Scenario("p1", 0.3), Scenario("prior", Beta(3, 7)))


def checked(plan, trials=20_000):
    """Simulated means with a law lie within 4 Monte Carlo standard errors of it; the names of those that have one.

    Some 600 means are compared in this module: 4 standard errors are passed by chance in one of 16,000.
    """
    done = simulation.simulate(plan, SCENARIOS, trials, 3)
    found = set()
    for result in done.results:
        for name, e in result.estimates.items():
            if e.exact is None:
                continue
            found.add(name)
            assert e.z is not None, name
            assert abs(e.z) < 4, (name, result.scenario.label, e.value, e.exact)
    return found


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("looks", ["5/25", "1/10,5/29", ":4/10,5/29", "1:3/10,5/29", "3/15,3/20"])
def test_every_law_within_4_standard_errors(looks, rule):
    plan = made(looks, RULES[rule], screening_success=0.8, follow_up=FollowUp(6.0))
    found = checked(plan)
    single = "," not in looks
    if single:
        assert found >= ALWAYS | {"n_enrolled", "n_evaluable", "duration_months"}
    elif rule in ("extra", "limited, known"):
        assert found == ALWAYS | {"interim_month"}
    elif (looks, rule) == ("3/15,3/20", "hold"):  # 17 non-responses are needed, the first look may bring them all
        assert found >= ALWAYS | {"overrun", "interim_month", "hold_months", "duration_months"}
    else:
        assert found == ALWAYS | CALENDAR


@pytest.mark.long
@pytest.mark.parametrize("way", ["exclude", "replace"])
@pytest.mark.parametrize("rule", ["hold", "continue", "limited"])
def test_every_law_of_the_other_handlings_within_4_standard_errors(way, rule):
    found = checked(made("1/10,5/29", RULES[rule], way), 10_000)
    assert found >= ALWAYS
    if way == "exclude":
        assert found >= CALENDAR


@pytest.mark.parametrize(
    ("looks", "more"),
    [
        ("0/5,2:6/12,:9/20,8/40", {}),
        ("1/10,5/29", {"enrollment": Ramp(2.0, 6.0)}),
        ("1/10,5/29", {"toxicity": Toxicity(0.3, 0.4)}),
        ("1/10,5/29", {"disease": Disease(Assessments(1.5, 6.0, 1.0, 1.5))}),
    ],
)
@pytest.mark.parametrize("rule", ["hold", "continue", "limited"])
def test_what_has_no_law_has_none(looks, more, rule):
    plan = made(looks, RULES[rule], **more)
    checked(plan, 4000)
    law = laws.exact_values(plan, SCENARIOS[1])
    assert law.get("toxicity_crossed") is None
    if "toxicity" not in more:
        assert law["n_enrolled"] is None
        assert law["duration_months"] is None


def every_sequence(looks, p):
    """Probability of each way to be decided, from every sequence of responses: patients and decisions of both looks."""
    one, two = looks
    found = {}
    for sequence in itertools.product((0, 1), repeat=two.n):
        weight = np.prod([p if s else 1 - p for s in sequence])

        def settled(known, look, final, sequence=sequence):
            x, left = sum(sequence[:known]), look.n - known
            if look.r is not None and x + left <= look.r:
                return "futile"
            if x > (-1 if look.r is None else look.r) if final else look.e is not None and x >= look.e:
                return "rejects"
            if not final and x > (-1 if look.r is None else look.r) and (look.e is None or x + left < look.e):
                return "on"
            return None

        first = next(j for j in range(one.n + 1) if settled(j, one, final=False))
        key = (first, settled(first, one, final=False))
        if key[1] == "on":
            last = next(i for i in range(first, two.n + 1) if settled(i, two, final=True))
            key = (first, "on", last, settled(last, two, final=True))
        found[key] = found.get(key, 0.0) + weight
    return found


@pytest.mark.parametrize("looks", ["1/5,3/11", "0:3/4,3/10", ":2/4,2/9", "2/6,2/8"])
def test_the_deciding_patients_are_those_of_every_sequence_of_responses(looks):
    design = parse_looks(looks).looks
    p = 0.3
    truth = every_sequence(design, p)
    first = known.first_look(design[0], design[1].n, p)
    last = known.last_look(design[1], first.onward, p)
    rounding = 1e-14  # a few dozen products and sums of probabilities
    for j in range(design[0].n + 1):
        ends = sum(w for key, w in truth.items() if key[0] == j and key[1] != "on")
        assert first.ends[j] == pytest.approx(ends, abs=rounding)
        for i in range(design[1].n + 1):
            for name, what in (("futile", "futile"), ("rejects", "rejects")):
                weight = truth.get((j, "on", i, what), 0.0)
                assert getattr(last, name)[j, i] == pytest.approx(weight, abs=rounding)


@pytest.mark.parametrize(("r", "n"), [(5, 25), (0, 4), (11, 12)])
def test_one_look_is_decided_by_a_truncated_negative_binomial_number(r, n):
    last = known.last_look(parse_looks(f"{r}/{n}").looks[0], np.eye(1, n + 1), 0.3)
    j = np.arange(n + 1)
    # the r + 1-st response, or the n - r-th other, is that of patient j; the sums associate differently
    assert last.rejects[0] == pytest.approx(stats.nbinom.pmf(j - r - 1, r + 1, 0.3), abs=1e-14)
    assert last.futile[0] == pytest.approx(stats.nbinom.pmf(j - n + r, n - r, 0.7), abs=1e-14)


def test_months_and_patients_are_those_of_every_sequence_of_responses():
    plan = made("1/5,3/11", RULES["hold"], loss=0.0, delay=2.0, rate=1.5)
    law = laws.exact_values(plan, Scenario("", 0.3))
    c, rate = 2.5, 1.5
    enrolled = months = held = 0.0
    for (j, what, *rest), weight in every_sequence(plan.design.looks, 0.3).items():
        gap = stats.gamma(5 - j, scale=1 / rate) if j < 5 else None
        wait = gap.expect(lambda t: max(c - t, 0.0), lb=0, ub=c) if gap else c
        held += weight * wait
        if what != "on":
            counts = np.arange(6 - j)
            came = np.minimum(np.arange(60), 5 - j) @ stats.poisson.pmf(np.arange(60), rate * c)
            assert counts[-1] >= came
            enrolled, months = enrolled + weight * (j + came), months + weight * (j / rate + c)
            continue
        i, verdict = rest
        if i > 5:
            months += weight * (i / rate + wait + 2.0)
        elif i == j:
            months += weight * (j / rate + c)
        else:
            ahead = stats.gamma(i - j, scale=1 / rate)
            months += weight * (j / rate + 2.0 + ahead.expect(lambda t: max(t, 0.5), lb=0, ub=60))
        came = np.minimum(np.arange(60), 11 - i) @ stats.poisson.pmf(np.arange(60), rate * 2.0)
        enrolled += weight * (11 if verdict == "rejects" else i + came)
    # the numerical integrals of the oracle are right to 1e-8
    assert law["hold_months"] == pytest.approx(held, abs=1e-6)
    assert law["duration_months"] == pytest.approx(months, abs=1e-6)
    assert law["n_enrolled"] == pytest.approx(enrolled, abs=1e-9)


@pytest.mark.parametrize("rule", ["hold", "continue", "late"])
def test_laws_of_looks_decided_when_known_never_exceed_those_of_complete_ones(rule):
    one = RULES[rule]
    for p in (0.0, 0.1, 0.3, 0.9, 1.0):
        law = laws.exact_values(made("1/10,5/29", one), Scenario("", p))
        whole = laws.exact_values(made("1/10,5/29", dataclasses.replace(one, decide="complete")), Scenario("", p))
        assert law["reject"] == whole["reject"]
        for name in ("interim_month", "duration_months", "n_enrolled", "hold_months", "overrun"):
            if whole[name] is not None:
                assert law[name] <= whole[name] + 1e-9, (name, p)  # rounding


def test_a_limit_of_nothing_is_no_hold_and_a_large_one_a_hold():
    for limit, same in ((0.0, Interim(False, None, 0.5)), (5.0, Interim(True, None, 0.5))):
        plan = made("1/10,5/29", Interim(True, None, 0.5, max_hold=limit))
        law = laws.exact_values(plan, SCENARIOS[0])
        other = laws.exact_values(dataclasses.replace(plan, interim=same), SCENARIOS[0])
        for name in ("n_enrolled", "overrun", "hold_months", "interim_month", "n_evaluable"):
            assert law[name] == pytest.approx(other[name], rel=1e-12), name  # the same sums
        if limit:
            assert law["duration_months"] == pytest.approx(other["duration_months"], rel=1e-12)


def test_large_designs_are_left_to_the_simulation():
    plan = made("60/200,130/501", RULES["hold"])
    assert laws.exact_values(plan, SCENARIOS[1])["n_enrolled"] is None
