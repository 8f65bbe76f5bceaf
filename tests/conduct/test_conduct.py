"""The conduct engine against an event-by-event walk, against exact laws, and against its own promises."""

import dataclasses
import heapq
import itertools

import numpy as np
import pytest

from simtrial import InputError, Requirements, SingleStage, TwoStage, parse_looks
from simtrial.conduct import engine, outcomes, runs, simulation
from simtrial.laws import laws
from simtrial.months import WEEK
from simtrial.plan import recut
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Beta, Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import FollowUp, Interim, Plan, Scenario
from simtrial.plan.survival import Survival

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
OPTIMAL = TwoStage(1, 10, 5, 29)
SCANS = Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK)
DISEASE = Disease(SCANS, 0.735, 0.324, Survival(5.6, 0.5, 0.324), os=Survival(12.7, 0.6, 0.5), complete_share=0.1)
FIXED = Disease(Assessments.fixed(4.0))
MODELS = {
    "constant": Constant(2.0),
    "piecewise": Piecewise((0, 3, 6), (0.5, 1, 2)),
    "ramp": Ramp(2.0, 6.0),
    "centres": Centres((0,) * 6, 0.35, 2.0),
    "staggered": Centres((0, 0, 1, 3), 0.5, 2.0),
}
RULES = {"hold": Interim(True, None, 0.5), "continue": Interim(False), "extra": Interim(False, 3, 0.5)}
P1 = Scenario("p1", 0.3)


def every_pair(first, second, third):
    """Cases in which every value stands once, or more often, with every value of the others; the third has two."""
    here, there = third
    return [
        (a, b, there if (i + k) % 2 else here)
        for (i, a), (k, b) in itertools.product(enumerate(first), enumerate(second))
    ]


BOTH = (Scenario("p0", 0.1), P1)


def simulate(plan, scenario=P1, seed=1, trials=0, bounds=None):
    return engine.simulate(plan, scenario, np.random.default_rng(seed), bounds, trials)


def walk(plan, trials, column):
    """One trial, event by event, in plain Python: slow, and with nothing in common with the engine but its patients."""
    cohort, looks = trials.cohort, plan.design.looks
    level, months = clock(plan)
    known = cohort.known if isinstance(cohort.known, float) else cohort.known[:, column]
    replacing, close = plan.handling == "replace", plan.close_month or np.inf
    entry, decided, held = [], {}, 0.0
    status_known, losses = set(), 0
    capacity, k, waiting = plan.capacities[0], 0, False
    pending_look = False
    events = [(0.0, 0, "open", 0)]
    tie = itertools.count(1)
    look_months = []
    while events:
        now, _, kind, who = heapq.heappop(events)
        if kind == "arrive":
            waiting = False
            if now <= close:
                entry.append(now)
                delay = known if isinstance(known, float) else known[len(entry) - 1]
                heapq.heappush(events, (now + delay, next(tie), "known", len(entry) - 1))
        elif kind == "known":
            status_known.add(who)
            if replacing and not cohort.evaluable[who, column]:
                losses += 1
        elif kind == "decide":
            counted = decided["counted"]
            x = int(cohort.responds[:counted, column].sum())
            look = looks[k]
            final = k == len(looks) - 1
            futile = look.r is not None and x <= look.r
            wins = x > look.r if final else look.e is not None and x >= look.e
            if futile or wins or final:
                enrolled = sum(e <= now for e in entry)
                return {
                    "stage": k + 1, "reject": wins and not futile, "responses": x, "decision": now, "held": held,
                    "enrolled": enrolled, "last_patient": entry[enrolled - 1], "looks": look_months,
                }  # fmt: skip
            k, pending_look = k + 1, False
            capacity = plan.capacities[k]
        if len(entry) - losses < capacity and not waiting and now <= close:
            waiting = True
            gap = cohort.gaps[len(entry), column]
            heapq.heappush(events, (float(months(level(now) + gap)), next(tie), "arrive", 0))
        if not pending_look:
            if replacing:
                nth = np.cumsum(cohort.evaluable[: len(entry), column])
                full = len(nth) and nth[-1] >= looks[k].n
                counted = int(np.argmax(nth >= looks[k].n)) + 1 if full else 0
            else:
                full, counted = len(entry) >= looks[k].n, looks[k].n
            if full and all(i in status_known for i in range(counted)):
                decided["counted"], pending_look = counted, True
                look_months.append(now)
                lag = plan.interim.lag if k < len(looks) - 1 else 0.0
                heapq.heappush(events, (now + lag, next(tie), "decide", 0))
                if k < len(looks) - 1 and plan.interim.hold:
                    held += now + lag - entry[counted - 1]
    raise AssertionError("the walk never ended")


def clock(plan):
    return lambda t: plan.arrivals.level(np.array(t)), lambda x: plan.arrivals.months(np.array(x))


@pytest.mark.long
@pytest.mark.parametrize("looks", ["1/10,5/29", "0/5,2:6/12,:9/20,8/40", "5/25"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("handling", ["nonresponder", "replace", "exclude"])
@pytest.mark.parametrize("disease", [FIXED, DISEASE], ids=["fixed", "scans"])
def test_engine_agrees_with_an_event_by_event_walk(looks, rule, handling, disease):
    for model in (MODELS["constant"], MODELS["ramp"], MODELS["piecewise"]):
        plan = Plan(parse_looks(looks), model, disease, Dropout(0.25), handling=handling, interim=RULES[rule])
        trials = simulate(plan, trials=15)
        for column in range(15):
            truth = walk(plan, trials, column)
            for name in ("stage", "reject", "responses", "enrolled"):
                assert getattr(trials, name)[column] == truth[name], name
            for name in ("decision", "last_patient"):
                # months below 100, each the end of some hundred additions: 1e-10 leaves room for all their roundings
                assert getattr(trials, name)[column] == pytest.approx(truth[name], abs=1e-10), name
            if plan.interim.hold:
                assert trials.held[column] == pytest.approx(truth["held"], abs=1e-10)
            assert trials.looks[: truth["stage"], column] == pytest.approx(truth["looks"], abs=1e-10)


NAMES = {
    "reject": "reject", "n_enrolled": "enrolled", "n_screened": "screened", "n_evaluable": "evaluable",
    "hold_months": "held", "duration_months": "decision", "last_patient_month": "last_patient", "end_month": "end",
}  # fmt: skip


def agree(plan, scenarios=BOTH, trials=20_000, seed=11):
    """Every simulated mean with an exact value lies within 4 Monte Carlo standard errors of it; how many had one."""
    done = simulation.simulate(plan, scenarios, trials, seed)
    zs = {(r.scenario.label, n): e.z for r in done.results for n, e in r.estimates.items() if e.z is not None}
    assert all(abs(z) < 4 for z in zs.values()), {k: z for k, z in zs.items() if abs(z) >= 4}
    return {name for _, name in zs}


DISEASES = {"fixed": FIXED, "scans": Disease(SCANS, 0.735, 0.324)}


@pytest.mark.long
@pytest.mark.parametrize(("model", "rule", "disease"), every_pair(MODELS, RULES, DISEASES))
def test_every_closed_form_within_4_standard_errors(model, rule, disease):
    plan = Plan(
        OPTIMAL, MODELS[model], DISEASES[disease], Dropout(0.15), handling="nonresponder", interim=RULES[rule],
        screening_success=0.8, follow_up=FollowUp(6.0),
    )  # fmt: skip
    checked = agree(plan)
    assert {"reject", "pet", "n_evaluable"} <= checked
    if rule == "hold":
        assert {"n_enrolled", "n_screened", "overrun"} <= checked
    if disease == "fixed":
        assert "interim_month" in checked
    if model == "constant" and rule != "continue":
        assert "duration_months" in checked or disease != "fixed"


LOSSES = {"independent": Dropout(0.2), "informative": Dropout(0.2, 0.5)}


@pytest.mark.long
@pytest.mark.parametrize(("way", "rule", "loss"), every_pair(("replace", "exclude", "recut"), RULES, LOSSES))
def test_every_handling_within_4_standard_errors(way, rule, loss):
    plan = Plan(
        OPTIMAL, Constant(2.0), DISEASE, LOSSES[loss], handling="exclude" if way == "recut" else way,
        interim=RULES[rule], recut=ASKED if way == "recut" else None, screening_success=0.7,
    )  # fmt: skip
    assert {"reject", "pet", "n_evaluable"} <= agree(plan, trials=10_000)


@pytest.mark.long
@pytest.mark.parametrize("handling", ["nonresponder", "replace"])
@pytest.mark.parametrize("rule", RULES)
def test_three_looks_with_efficacy_bounds_within_4_standard_errors(handling, rule):
    plan = Plan(
        parse_looks("0/5,2:6/12,:9/20,8/40"),
        Constant(2.0),
        FIXED,
        Dropout(0.15),
        handling=handling,
        interim=RULES[rule],
    )
    assert {"reject", "pet"} <= agree(plan)


def test_toxicity_above_its_limit_within_4_standard_errors():
    for limit in (0.3, 0.4):  # 0.3 of 10 is a whole number, which three of ten do not exceed
        plan = Plan(
            OPTIMAL, Constant(2.0), FIXED, Dropout(0.1), handling="nonresponder", toxicity=Toxicity(0.35, limit)
        )
        assert "toxicity_crossed" in agree(plan)


def test_assurance_over_a_beta_distribution_within_4_standard_errors():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.15), handling="replace", screening_success=0.9)
    assert {"reject", "pet", "n_enrolled"} <= agree(plan, [Scenario("prior", Beta(3, 7))])


@pytest.mark.long
def test_events_of_a_single_look_within_4_standard_errors():
    for dcr in (None, 0.7):
        law = Disease(Assessments.fixed(1.4), dcr, 0.3, Survival(4.0, 0.5, 0.3), os=Survival(8.0, 0.5, 0.3))
        plan = Plan(
            SingleStage(5, 25), Constant(1.14), law, Dropout(0), handling="nonresponder", follow_up=FollowUp(6.0),
            loss_per_year=0.1,
        )  # fmt: skip
        assert {"pfs_events", "os_events", "end_month"} <= agree(plan, trials=8000)


@pytest.mark.parametrize("looks", ["5/25", "1/15,5/25", "1/10,5/29", "0/5,2:6/12,:9/20,8/40"])
@pytest.mark.parametrize("handling", ["nonresponder", "replace", "exclude"])
def test_without_losses_and_delays_it_is_the_design_on_paper(looks, handling):
    from simtrial.design.exact import operating_characteristics

    design = parse_looks(looks)
    asked = ASKED if handling == "exclude" and len(design.looks) < 3 else None
    plan = Plan(design, Constant(1e5), Disease(Assessments.fixed(0)), Dropout(0), handling=handling, recut=asked)
    oc = operating_characteristics(design, 0.3)
    law = laws.exact_values(plan, P1)
    # the mixture over numbers evaluable has a single term then, but adds it up in another order
    assert law["reject"] == pytest.approx(float(oc.reject), rel=1e-13)
    assert law["pet"] == pytest.approx(float(oc.pet), rel=1e-12, abs=1e-15)
    assert law["n_enrolled"] == pytest.approx(float(oc.en), rel=1e-12)
    trials = simulate(plan, bounds=recut.bounds_of(plan))
    assert np.array_equal(trials.evaluable, trials.enrolled)
    assert trials.decision.max() < 1e-2
    sizes = np.array([look.n for look in design.looks])
    assert np.array_equal(trials.enrolled, sizes[trials.stage - 1])


@pytest.mark.parametrize("close", [None, 14.0])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("handling", ["nonresponder", "replace", "exclude"])
@pytest.mark.parametrize("model", MODELS)
def test_every_trial_conserves_patients_and_keeps_the_order_of_months(model, handling, rule, close):
    plan = Plan(
        OPTIMAL, MODELS[model], DISEASE, Dropout(0.2), handling=handling, interim=RULES[rule], screening_success=0.7,
        close_month=close, follow_up=FollowUp(3.0),
    )  # fmt: skip
    t = simulate(plan, trials=500)
    assert (t.screened >= t.enrolled).all()
    assert (t.enrolled >= t.counted).all()
    assert (t.counted >= t.evaluable).all()
    assert (t.evaluable >= t.responses).all()
    assert (t.counted >= t.analysed).all()
    assert (t.analysed >= t.responses).all()
    assert (t.last_patient <= t.decision).all()
    assert (t.decision <= t.end).all()
    assert (t.end >= t.last_patient + 3.0 - 1e-9).all()
    assert (t.held >= 0).all()
    first = t.first_look[~np.isnan(t.first_look)]
    assert (first <= t.decision[~np.isnan(t.first_look)] + 1e-9).all()
    assert np.isfinite(t.decision).all()
    entry = np.where(np.isfinite(t.entry), t.entry, 1e9)
    assert (np.diff(entry, axis=0) >= 0).all()
    assert np.array_equal(t.included.sum(axis=0), t.analysed)
    assert np.array_equal((t.included & t.cohort.responds).sum(axis=0), t.responses)
    if close is not None:
        assert (t.last_patient <= close).all()
        assert t.closed.any()
        assert np.array_equal(t.reject[t.closed], t.responses[t.closed] > 5)
    if rule == "hold":
        assert np.array_equal(t.enrolled, t.counted)


def test_replacement_never_has_more_places_than_the_look():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.3), handling="replace", interim=RULES["hold"])
    t = simulate(plan, trials=300)
    evaluable = t.cohort.evaluable
    missed = t.entry + 4.0
    for row in range(1, 15):
        lost = (~evaluable[:row] & (missed[:row] <= t.entry[row])).sum(axis=0)
        first_stage = t.entry[row] < t.looks[0]
        assert (row + 1 - lost <= 10)[first_stage].all()


def test_at_most_k_extra_patients_come_while_the_look_is_pending():
    plan = Plan(OPTIMAL, Constant(20.0), FIXED, Dropout(0), handling="nonresponder", interim=Interim(False, 3))
    t = simulate(plan)
    assert t.enrolled[t.stage == 1].max() == 13
    assert (t.enrolled - t.counted).max() == 3


@pytest.mark.long
def test_the_same_bytes_in_any_grouping_of_blocks():
    plan = Plan(
        OPTIMAL, MODELS["centres"], DISEASE, Dropout(0.2), handling="replace", interim=RULES["extra"],
        screening_success=0.7, toxicity=Toxicity(0.3, 0.4),
    )  # fmt: skip
    trials = 3 * runs.block_size(plan) + 100
    numbers = list(simulation.blocks(plan, trials))
    assert len(numbers) == 4

    def grouped(groups):
        parts = [simulation.tally(plan, P1, 1, 5, trials, group) for group in groups]
        whole = parts[0]
        for part in parts[1:]:
            for name, tally in part.items():
                whole[name].merge(tally)
        # the same numbers, bit by bit: repr tells every double from every other
        return repr(
            [
                (n, e.value, e.mcse, e.quantiles, e.infinite)
                for n, e in simulation.sum_up(plan, P1, whole).estimates.items()
            ]
        )

    one_by_one = grouped([[k] for k in numbers])
    assert grouped([numbers]) == one_by_one
    assert grouped([numbers[:2], numbers[2:]]) == one_by_one
    assert grouped([[3], [1], [0, 2]]) == one_by_one
    assert grouped([numbers[2:][::-1], numbers[:2][::-1]]) == one_by_one


def test_a_block_counted_twice_is_refused():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0), handling="nonresponder")
    part = simulation.tally(plan, P1, 0, 1, 100, [0])["n_enrolled"]
    with pytest.raises(ValueError, match="counted twice"):
        part.merge(simulation.tally(plan, P1, 0, 1, 100, [0])["n_enrolled"])


def test_a_longer_run_begins_with_the_shorter_one():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.1), handling="nonresponder")
    first, _ = simulation.block(plan, P1, 0, 9, 0)
    short = simulation.tally(plan, P1, 0, 9, 100, [0])["duration_months"]
    assert short.estimate().value == float(first.decision[:100].mean())


def test_another_seed_or_scenario_gives_other_numbers():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.1), handling="nonresponder")
    months = [simulation.block(plan, P1, index, seed, block)[0].decision[0] for index, seed, block in
              [(0, 1, 0), (1, 1, 0), (0, 2, 0), (0, 1, 1)]]  # fmt: skip
    assert len(set(months)) == 4


def test_patients_neither_die_before_progression_nor_progress_before_their_response_is_known():
    plan = Plan(OPTIMAL, Constant(2.0), DISEASE, Dropout(0.2), handling="nonresponder", loss_per_year=0.1)
    rng = np.random.default_rng(3)
    t = engine.simulate(plan, P1, rng)
    _, os = outcomes.lifetimes(plan, t, t.cohort.pfs, rng)
    assert (os >= t.cohort.pfs).all()
    responds = t.cohort.responds
    assert (t.cohort.pfs[responds] >= t.cohort.known[responds]).all()
    assert (t.cohort.pfs[t.cohort.stable] >= SCANS.interval).all()


def test_simulated_medians_are_those_asked_for():
    plan = Plan(OPTIMAL, Constant(2.0), DISEASE, Dropout(0), handling="nonresponder")
    for at, name, median in ((0.324, "pfs", 5.6), (0.5, "os", 12.7)):
        rng = np.random.default_rng(4)
        t = engine.simulate(plan, Scenario("", at), rng)
        times = t.cohort.pfs if name == "pfs" else outcomes.lifetimes(plan, t, t.cohort.pfs, rng)[1]
        share = np.mean(times <= median)
        assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(times.size)  # 4 standard errors of a share of one half
        if name == "pfs":
            dcr = np.mean(t.cohort.responds | t.cohort.stable)
            assert abs(dcr - 0.735) < 4 * np.sqrt(0.735 * 0.265 / times.size)


def test_survival_is_estimated_only_while_somebody_is_watched():
    plan = Plan(
        SingleStage(1, 3),
        Constant(0.5),
        DISEASE,
        Dropout(0),
        handling="nonresponder",
        close_month=1.5,
        follow_up=FollowUp(12.0),
    )
    trials, rng = simulation.block(plan, P1, 0, 1, 0)
    found = outcomes.observe(plan, trials, rng)
    nobody = trials.enrolled == 0
    assert nobody.any()
    assert np.isnan(found["pfs_landmark"][nobody]).all()
    late = dataclasses.replace(plan, landmark=50.0)
    trials, rng = simulation.block(late, P1, 0, 1, 0)
    known = outcomes.observe(late, trials, rng)["pfs_landmark"]
    assert set(known[~np.isnan(known)]) <= {0.0}


def test_a_mean_without_a_variance_is_not_held_against_its_standard_error():
    heavy = Centres((0, 0, 0), 1.0, 0.5)
    plan = Plan(OPTIMAL, heavy, FIXED, Dropout(0), handling="nonresponder")
    found = simulation.simulate(plan, [P1], 2000, 1)["p1"]
    assert found["duration_months"].exact is not None
    assert found["duration_months"].z is None
    assert found["reject"].z is not None


def test_bounds_go_with_a_plan_that_recuts_them():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.1), handling="exclude", recut=ASKED)
    with pytest.raises(InputError, match="bounds belong to a plan with recalculated bounds"):
        simulate(plan)


def test_replacing_nearly_everybody_is_refused():
    with pytest.raises(
        InputError,
        match=r"probability \(0\.95\) is above 0\.9, the largest value where patients who drop out are replaced",
    ):
        Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.95), handling="replace")
    many = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.9), handling="replace")
    assert (simulate(many, trials=64).evaluable >= 10).all()


def test_quantiles_are_those_of_numpy_to_the_width_of_a_bin():
    plan = Plan(OPTIMAL, Constant(2.0), DISEASE, Dropout(0.1), handling="nonresponder")
    trials, rng = simulation.block(plan, P1, 0, 1, 0)
    values = outcomes.observe(plan, trials, rng)
    tallies = simulation.tally(plan, P1, 0, 1, len(trials), [0])
    for name, tally in tallies.items():
        given = values[name][~np.isnan(values[name].astype(float))].astype(float)
        if tally.outcome.kind == "share" or not len(given):
            continue
        for q, found in tally.estimate().quantiles.items():
            truth = np.quantile(given, q, method="inverted_cdf")
            assert (found is None) == np.isinf(truth)
            if found is not None:
                assert found == pytest.approx(truth, abs=tally.outcome.unit * 1.001)


def test_mean_and_standard_error_are_those_of_numpy():
    plan = Plan(OPTIMAL, Constant(2.0), FIXED, Dropout(0.1), handling="nonresponder")
    blocks = [simulation.block(plan, P1, 0, 1, k)[0] for k in range(3)]
    found = simulation.tally(plan, P1, 0, 1, 3 * len(blocks[0]), range(3))
    for name in ("reject", "n_enrolled", "hold_months", "duration_months"):
        values = np.concatenate([getattr(b, NAMES[name]) for b in blocks]).astype(float)
        estimate = found[name].estimate()
        assert estimate.value == pytest.approx(values.mean(), rel=1e-13)
        assert estimate.mcse == pytest.approx(values.std(ddof=1) / np.sqrt(len(values)), rel=1e-9, abs=1e-15)


def test_interval_widths_are_clopper_pearson():
    from statsmodels.stats.proportion import proportion_confint

    for n in (25, 300):  # both ways of looking them up
        count = np.array([0, 1, 6, n // 2, n, n])
        size = np.array([n, n, n, n, n, n])
        low, high = proportion_confint(count, size, method="beta")
        # statsmodels gives NaN or the limits 0 and 1 at the ends, by version
        low, high = np.where(count == 0, 0, low), np.where(count == size, 1, high)
        # two implementations of the same quantile
        assert outcomes._widths(count, size) == pytest.approx(high - low, abs=1e-9)
    assert np.isnan(outcomes._widths(np.array([0]), np.array([0]))).all()
