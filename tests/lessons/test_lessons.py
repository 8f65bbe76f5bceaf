"""The lessons: what their figures say, held against sums and enumerations made here, and how their controls behave."""

import html
import itertools
import json
import re

import IPython.display
import matplotlib.colors
import numpy as np
import pytest
from scipy import optimize, stats

from simtrial import InputError, Requirements, SingleStage, TwoStage, glossary, search
from simtrial.cli.app import main
from simtrial.design.designs import parse_looks
from simtrial.lessons import bias as lesson_bias
from simtrial.lessons import blackboard, live
from simtrial.lessons import dropout as lesson_dropout
from simtrial.lessons import more_looks as lesson_more_looks
from simtrial.lessons import one_sample as lesson_one_sample
from simtrial.lessons import one_trial as lesson_one_trial
from simtrial.lessons import two_stages as lesson_two_stages
from simtrial.phrases import counted
from simtrial.report import run as report_run
from simtrial.show import picture

RATES, ASKED = (0.1, 0.3), Requirements(0.1, 0.3, 0.05, 0.8)


def said(picture):
    """All numbers above a figure; those with a per cent sign as rates."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", picture.figure.get_suptitle())
    found = re.findall(r"(?<![\w.])([-+]?\d+(?:\.\d+)?)(%?)", text)
    return [float(number) / (100 if sign else 1) for number, sign in found]


def printed(rate):
    """A rate as a percentage with one decimal has it."""
    return pytest.approx(round(rate, 3))


def reject(r1, n1, r, n, p):
    """P(X1 > r1 and X > r), one sum of binomial terms."""
    x1 = np.arange(r1 + 1, n1 + 1)
    return float(stats.binom.pmf(x1, n1, p) @ stats.binom.sf(r - x1, n - n1, p))


def expected(r1, n1, n, p):
    return n1 + (1 - stats.binom.cdf(r1, n1, p)) * (n - n1)


# one_sample_exact


@pytest.mark.parametrize(("n", "r"), [(25, 5), (27, 5), (28, 6)])
def test_one_test_shows_the_bound_and_both_errors(n, r):
    n_said, r_said, size, _, power = said(lesson_one_sample.one_test(n, RATES, 0.05))
    assert (n_said, r_said) == (n, r)
    assert size == printed(stats.binom.sf(r, n, 0.1))
    assert power == printed(stats.binom.sf(r, n, 0.3))


def test_a_test_that_no_bound_can_hold_says_so():
    assert "never rejected" in lesson_one_sample.one_test(5, (0.8, 0.9), 0.025).alt


def test_the_saw_names_first_and_sustained_n():
    def power(n):
        r = next(r for r in range(n) if stats.binom.sf(r, n, 0.1) <= 0.05)
        return stats.binom.sf(r, n, 0.3)

    meets = [n for n in range(2, 60) if power(n) >= 0.8]
    first, at_first, sustained, _ = said(lesson_one_sample.saw(RATES, 0.05, 0.8))
    assert first == meets[0]
    assert at_first == printed(power(meets[0]))
    assert sustained == next(n for n in meets if all(m in meets for m in range(n, 60)))


def test_simulated_teeth_lie_within_their_errors_and_the_first_trials_stay_the_same():
    picture = lesson_one_sample.simulated(RATES, 0.05, 0.8, 4000, 1)
    n, trials, share, mcse, exact = said(picture)
    assert (n, trials) == (25, 4000)
    assert exact == printed(stats.binom.sf(5, 25, 0.3))
    assert mcse == pytest.approx(np.sqrt(exact * (1 - exact) / 4000), abs=5e-5)
    assert abs(share - exact) < 4 * mcse
    assert lesson_one_sample.simulated(RATES, 0.05, 0.8, 4000, 1).alt == picture.alt
    assert lesson_one_sample.simulated(RATES, 0.05, 0.8, 4000, 2).alt != picture.alt


def test_the_answer_names_the_patient_at_which_the_bound_steps_up():
    text = str(lesson_one_sample.answer(ASKED))
    assert f"At n = 28 that bound would have a type I error of {100 * stats.binom.sf(5, 28, 0.1):.1f}%, above" in text
    assert f"rises to X > 6, and the power falls to {100 * stats.binom.sf(6, 28, 0.3):.1f}%" in text


# why_two_stages


def test_the_weight_takes_the_cheapest_of_all_designs_and_the_line_leaves_none_below_it():
    two = search.two_stage(ASKED)
    for q in np.linspace(0, 1, 21):
        best = lesson_two_stages.cheapest(two, q)
        cost = q * best.n + (1 - q) * expected(best.r1, best.n1, best.n, 0.1)
        for other in two.frontier:
            assert cost <= q * other.n + (1 - q) * expected(other.r1, other.n1, other.n, 0.1) + 1e-9
    assert lesson_two_stages.cheapest(two, 1.0) is two.minimax
    assert lesson_two_stages.cheapest(two, 0.0) is two.optimal


def test_the_hull_says_which_design_the_weight_takes():
    alt = lesson_two_stages.hull(RATES, 0.05, 0.8, 1.0).alt
    assert f"the best design is 1/15, 5/25 (Simon minimax): n = 25, EN(p0) = {expected(1, 15, 25, 0.1):.1f}." in alt


def test_the_look_costs_more_than_it_saves_from_where_en_passes_the_single_stage():
    rate = optimize.brentq(lambda p: expected(1, 10, 29, p) - 25, 0.01, 0.99)
    assert lesson_two_stages.break_even(ASKED) == pytest.approx(rate, abs=1e-9)
    assert f"{100 * rate:.1f}%" in str(lesson_two_stages.answer(ASKED))


def test_simulated_patients_and_stops_settle_on_en_and_pet():
    shown = said(lesson_two_stages.simulated(RATES, 0.05, 0.8, 4000, 1))
    trials, p0, size, size_mcse, en, early, early_mcse, pet = shown
    assert trials == 4000
    assert p0 == 0.1
    assert en == pytest.approx(expected(1, 10, 29, 0.1), abs=5e-3)
    assert pet == pytest.approx(stats.binom.cdf(1, 10, 0.1), abs=5e-4)
    assert size_mcse == pytest.approx(19 * np.sqrt(pet * (1 - pet) / 4000), rel=0.1)
    assert abs(size - en) < 4 * size_mcse
    assert abs(early - pet) < 4 * early_mcse + 5e-4


# why_look_more_often


def walked(looks, p):
    """P(reject), EN and the mean number of analyses, patient by patient."""
    here, reject, patients, analyses, at = {0: 1.0}, 0.0, 0.0, 0.0, {look.n: look for look in looks}
    for n in range(1, looks[-1].n + 1):
        patients += sum(here.values())
        moved = dict.fromkeys(range(n + 1), 0.0)
        for x, chance in here.items():
            moved[x] += chance * (1 - p)
            moved[x + 1] += chance * p
        here = moved
        if (look := at.get(n)) is None:
            continue
        analyses += sum(here.values())
        success = look.r + 1 if n == looks[-1].n else n + 1 if look.e is None else look.e
        reject += sum(chance for x, chance in here.items() if x >= success)
        futile = -1 if look.r is None else look.r
        here = {x: chance for x, chance in here.items() if futile < x < success}
    return reject, patients, analyses


def cheapest_of_all_rules(asked, looks, rate):
    """Least EN at a rate of all rules that may draw lots: a linear programme over what is done at each state."""
    states = [(n, x) for n in looks for x in range(n + 1)]
    place = {
        state: 3 * k for k, state in enumerate(states)
    }  # accept, reject, continue: probabilities at p0 and p1 added
    rates = (asked.p0, asked.p1)
    share = {(n, x): np.array([p**x * (1 - p) ** (n - x) for p in rates]) for n, x in [(0, 0), *states]}
    share = {state: both / both.sum() for state, both in share.items()}
    flow, start = np.zeros((len(states), 3 * len(states))), np.zeros(len(states))
    for row, (n, x) in enumerate(states):
        flow[row, place[n, x] : place[n, x] + 3] = 1
        before = max((m for m in looks if m < n), default=0)
        for y in range(max(0, x - (n - before)), min(x, before) + 1):
            chance = share[before, y] @ [stats.binom.pmf(x - y, n - before, p) for p in rates]
            if before:
                flow[row, place[before, y] + 2] = -chance
            else:
                start[row] = 2 * chance
    cost, limits = np.zeros(3 * len(states)), np.zeros((2, 3 * len(states)))
    for (n, x), k in place.items():
        cost[k : k + 2] = n * share[n, x][rates.index(rate)]
        limits[:, k + 1] = share[n, x] * [1, -1]
    ends = [(0, 0 if k % 3 == 2 and states[k // 3][0] == looks[-1] else None) for k in range(3 * len(states))]
    found = optimize.linprog(cost, limits, [asked.alpha, -asked.power], flow, start, ends)
    assert found.success
    return found.fun


def test_further_looks_save_what_plain_sums_say():
    one, two, three, every, least = said(lesson_more_looks.saved(RATES, 0.05, 0.8))
    assert one == 25
    assert two == pytest.approx(expected(1, 10, 29, 0.1), abs=5e-3)  # two decimals are printed
    assert three == pytest.approx(walked(parse_looks("0/6,2/17,5/29").looks, 0.1)[1], abs=5e-3)
    rows = lesson_more_looks.compared(ASKED)
    looks = rows.designs[-1].design.looks
    (size, patients, _), (power, *_) = walked(looks, 0.1), walked(looks, 0.3)
    assert size <= 0.05
    assert power >= 0.8
    assert every == pytest.approx(patients, abs=5e-3)
    assert least < every < three < two < one


@pytest.mark.parametrize("looks", [(15, 29), (4, 7, 11, 15, 18, 22, 25, 29), tuple(range(1, 26))])
def test_the_bound_is_the_least_that_any_rule_with_lots_attains(looks):
    for goal, rate in (("p0", 0.1), ("p1", 0.3)):
        bound = lesson_more_looks.bounded(ASKED, looks, goal).least
        assert bound == pytest.approx(
            cheapest_of_all_rules(ASKED, looks, rate), abs=1e-4
        )  # the programme is solved to 1e-7


@pytest.mark.parametrize("rates", [RATES, (0.4, 0.65)])
def test_no_design_is_in_the_grey_area_and_every_design_keeps_both_limits(rates):
    rows = lesson_more_looks.compared(Requirements(*rates, 0.05, 0.8))
    for row in rows.designs:
        (size, at_p0, _), (power, at_p1, _) = (walked(row.design.looks, p) for p in rates)
        assert size <= 0.05 + 1e-12
        assert power >= 0.8 - 1e-12
        assert row.en == pytest.approx((at_p0, at_p1))
        assert rows.least[0] <= at_p0
        assert rows.least[1] <= at_p1
    assert rows.designs[-1].en[0] == min(row.en[0] for row in rows.designs)


def test_curtailment_changes_no_decision():
    rows = lesson_more_looks.compared(ASKED)
    curtailed = next(row for row in rows.designs if row.name == "curtailed single stage")
    for p in (0.02, 0.1, 0.2, 0.3, 0.6):
        reject, patients, _ = walked(curtailed.design.looks, p)
        assert reject == pytest.approx(stats.binom.sf(5, 25, p))
        assert patients < 25


def test_more_looks_never_raise_a_bar_and_each_dot_is_above_its_bar():
    for sizes in (lesson_more_looks.spaced(n) for n in range(1, 60)):
        assert all(set(few) <= set(many) for few, many in itertools.pairwise(sizes))
    for goal in ("p0", "p1"):
        axis = lesson_more_looks.number(RATES, 0.05, 0.8, goal).figure.axes[0]
        bars, dots = [bar.get_height() for bar in axis.patches], axis.lines[0].get_ydata()
        assert bars[0] == pytest.approx(29)
        assert (np.diff(bars) < 0).all()
        assert (np.diff(dots) <= 0).all()
        assert (dots >= np.array(bars) - 1e-9).all()


def test_the_curves_are_highest_where_it_is_said():
    first, second, most, at = said(lesson_more_looks.curves(RATES, 0.05, 0.8))
    looks = lesson_more_looks.compared(ASKED).designs[-1].design.looks
    sizes = [walked(looks, p)[1] for p in np.linspace(0, 1, 201)]
    assert (first, second) == pytest.approx([walked(looks, p)[1] for p in RATES], abs=5e-3)
    assert most == pytest.approx(max(sizes), abs=6e-3)
    assert at == pytest.approx(np.argmax(sizes) / 200, abs=1.1e-2)


@pytest.mark.parametrize(("p", "readout"), [(0.1, 2.0), (0.3, 0.5)])
def test_exact_costs_are_plain_sums_and_simulated_ones_settle_on_them(p, readout):
    rows = lesson_more_looks.compared(ASKED).designs
    seen = lesson_more_looks._simulated(p, readout, 2000, 1)
    for k, row in enumerate(rows):
        exact = lesson_more_looks.cost(row.design, p, readout)
        _, patients, analyses = walked(row.design.looks, p)
        assert exact[:3] == pytest.approx((analyses, patients, patients / 2 + readout * analyses))
        for value, simulated in zip(exact, seen, strict=True):
            assert abs(simulated.mean[k] - value) <= 4 * simulated.mcse[k] + 1e-9


def test_the_bias_of_a_cost_is_that_of_every_sequence():
    assert lesson_more_looks.cost(TwoStage(1, 4, 2, 9), 0.3, 1.0).bias == pytest.approx(
        enumerated(0.3, 1, 4, 9)[0] - 0.3
    )


def test_the_answer_says_what_is_saved_and_what_is_left():
    text = str(lesson_more_looks.answer(0.1, 2.0))
    two = expected(1, 10, 29, 0.1)
    _, three, _ = walked(parse_looks("0/6,2/17,5/29").looks, 0.1)
    _, every, analyses = walked(lesson_more_looks.compared(ASKED).designs[-1].design.looks, 0.1)
    look = 1 + stats.binom.sf(1, 10, 0.1)
    assert f"The second look saves {25 - two:.1f} patients on average, the third {two - three:.1f} more" in text
    assert f"EN(p0) below {cheapest_of_all_rules(ASKED, tuple(range(1, 30)), 0.1):.2f}" in text
    assert f"looks at every patient {every / 2 + 2 * analyses:.2f} months with {analyses:.1f}" in text
    soon = (two - every) / 2 / (analyses - look)
    assert f"within {soon:.2f} months" in text
    assert every / 2 + soon * analyses == pytest.approx(two / 2 + soon * look)


# play_one_trial


def test_a_trial_tells_only_what_has_happened():
    trials = lesson_one_trial._block(0.3, 1)
    for number, month in itertools.product((1, 2, 5), (0.25, 4.0, 7.0, 12.0)):
        column, enrolled = number - 1, int(trials.enrolled[number - 1])
        entry = [float(m) for m in trials.entry[:enrolled, column]]
        picture = lesson_one_trial.course(month, 0.3, number, 1)
        here = sum(m <= month for m in entry)
        known = [k for k, m in enumerate(entry) if m + 2 <= month]
        responded = sum(bool(trials.cohort.responds[k, column]) for k in known)
        lost = sum(not trials.cohort.evaluable[k, column] for k in known)
        opening = (
            f"enrolled {here}, outcome known {len(known)}: {counted(responded, 'response')}, {counted(lost, 'dropout')}"
        )
        assert opening in picture.alt
        bars = [patch for patch in picture.figure.axes[0].patches if patch.get_height() == pytest.approx(0.62)]
        assert len(bars) == here
        white = [b for b in bars if matplotlib.colors.to_hex(b.get_facecolor()) == "#ffffff"]
        assert len(white) == here - len(known)
        if month < trials.decision[column]:
            assert "Decision in month" not in picture.alt
            assert "H0 rejected" not in picture.alt


def test_the_frame_of_a_trial_does_not_tell_how_it_ends():
    trials = lesson_one_trial._block(0.1, 1)
    stopped = int(np.argmax(trials.stage == 1)) + 1
    axis = lesson_one_trial.course(1.0, 0.1, stopped, 1).figure.axes[0]
    assert axis.get_ylim()[0] > 29
    assert axis.get_xlim()[1] > trials.looks[1, stopped - 1]


def test_while_the_look_is_pending_the_counts_are_shown_and_accrual_is_held():
    trials = lesson_one_trial._block(0.3, 1)
    month = np.ceil(4 * float(trials.looks[0, 0])) / 4
    assert month < trials.looks[0, 0] + 0.5
    alt = lesson_one_trial.course(month, 0.3, 1, 1).alt
    assert (
        f"Interim analysis: {int(trials.cohort.responds[:10, 0].sum())} responses in 10 patients; the decision is "
        "pending" in alt
    )


def test_the_cloud_is_made_of_the_trials_that_can_be_played():
    end = lesson_one_trial.MONTHS[-1] * 10
    decisions = ["H0 rejected" in lesson_one_trial.course(end, 0.3, number, 3).alt for number in range(1, 21)]
    trials, rate, share, mcse, exact = said(lesson_one_trial.cloud(20, 3))
    assert (trials, rate) == (20, 0.3)
    assert share == pytest.approx(np.mean(decisions), abs=5e-4)
    assert exact == printed(reject(1, 10, 5, 29, 0.3 * 0.9))
    assert mcse == pytest.approx(np.sqrt(exact * (1 - exact) / 20), abs=5e-4)


def test_a_thousand_trials_settle_on_the_exact_curve_at_every_rate():
    for k, p in enumerate(lesson_one_trial.RATES):
        exact = reject(1, 10, 5, 29, 0.9 * p)
        share = lesson_one_trial._block(p, 1).reject[:1000].mean()
        assert abs(share - exact) < 4 * np.sqrt(exact * (1 - exact) / 1000), k


def test_the_answer_counts_the_trials_for_two_digits():
    exact = reject(1, 10, 5, 29, 0.27)
    text = str(lesson_one_trial.answer(0.3))
    assert f"the exact probability is {100 * exact:.1f}%" in text
    assert f"{int(np.ceil(exact * (1 - exact) / 0.0025**2)):,} trials" in text


# biased_after_stopping


def enumerated(p, r1, n1, n, e1=None):
    """Mean observed rate over every sequence of responses: of all, of those that stop, of those that go on."""
    weight, total = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for sequence in itertools.product((0, 1), repeat=n):
        chance = np.prod([p if x else 1 - p for x in sequence])
        x1 = sum(sequence[:n1])
        stops = x1 <= r1 or (e1 is not None and x1 >= e1)
        weight[stops] += chance
        total[stops] += chance * (x1 / n1 if stops else sum(sequence) / n)
    return total[True] + total[False], total[True] / weight[True], total[False] / weight[False], weight[True]


def test_bias_is_the_mean_of_its_two_parts():
    parts = lesson_bias.split(TwoStage(1, 4, 2, 9), np.array([0.3]))
    mean, stopped, went_on, chance = enumerated(0.3, 1, 4, 9)
    assert parts.mean[0] == pytest.approx(mean, abs=1e-12)
    assert parts.if_stopped[0] == pytest.approx(stopped, abs=1e-12)
    assert parts.if_went_on[0] == pytest.approx(went_on, abs=1e-12)
    assert parts.stopped[0] == pytest.approx(chance, abs=1e-12)
    assert mean < 0.3


def test_stopping_for_success_turns_the_bias_round():
    mean, *_ = enumerated(0.3, -1, 4, 9, 3)
    text = str(lesson_bias.answer(ASKED))
    down, up = (float(x) / 100 for x in re.findall(r"([-+]\d\.\d+) percentage points", text))
    assert mean > 0.3
    assert down < 0 < up
    parts = lesson_bias.split(TwoStage(1, 10, 5, 29), np.array([0.3]))
    assert down == pytest.approx(parts.mean[0] - 0.3, abs=5e-5)


@pytest.mark.long
def test_the_figure_of_bias_names_its_deepest_point():
    *_, bias, p = said(lesson_bias.bias(RATES, "optimal"))
    rates = np.linspace(0.005, 0.6, 2000)
    x1 = np.arange(2)
    x = np.arange(30)

    def mean(p):
        stop = (stats.binom.pmf(x1, 10, p) * x1 / 10).sum()
        sums = np.convolve(
            stats.binom.pmf(np.arange(11), 10, p) * (np.arange(11) > 1), stats.binom.pmf(np.arange(20), 19, p)
        )
        return stop + (sums * x / 29).sum()

    exact = np.array([mean(p) for p in rates]) - rates
    assert bias / 100 == pytest.approx(exact.min(), abs=1e-4)  # printed in percentage points
    assert p == pytest.approx(rates[exact.argmin()], abs=0.01)


def test_simulated_bias_lies_within_its_errors_and_the_umvue_has_none():
    every = lesson_bias.inference.every_ending(TwoStage(1, 10, 5, 29), 0.1)
    errors = lesson_bias._errors(every, 0.2, 0, 4000, 5)
    exact = float(lesson_bias.split(TwoStage(1, 10, 5, 29), np.array([0.2])).mean[0]) - 0.2
    for name, truth in (("mle", exact), ("umvue", 0.0)):
        mcse = errors[name].std(ddof=1) / np.sqrt(4000)
        assert abs(errors[name].mean() - truth) < 4 * mcse
    assert abs(errors["mle"].mean()) > 10 * errors["mle"].std() / np.sqrt(4000)


# what_dropout_does


@pytest.mark.parametrize("p", [0.1, 0.3])
def test_each_handling_has_its_own_errors(p):
    where = 0 if p == 0.1 else 1
    d = float(lesson_dropout.LOSSES[4])
    assert lesson_dropout._errors("count as non-responders", 1.0)[4, where] == pytest.approx(
        reject(1, 15, 5, 25, p * (1 - d))
    )
    assert lesson_dropout._errors("replace by new patients", 1.0)[4, where] == pytest.approx(reject(1, 15, 5, 25, p))
    only_others = p / (p + (1 - p) * (1 - d))
    assert lesson_dropout._errors("replace by new patients", 0.0)[4, where] == pytest.approx(
        reject(1, 15, 5, 25, only_others)
    )
    for name in lesson_dropout.HANDLINGS:
        assert lesson_dropout._errors(name, 1.0)[0, where] == pytest.approx(reject(1, 15, 5, 25, p))


@pytest.mark.parametrize("d", [0.1, 0.2])
def test_the_searched_designs_keep_both_limits_and_the_usual_allowance_does_not(d):
    at = lesson_dropout.allowed_for(d)
    for name in ("searched, p0 among all enrolled", "searched, p0 among the evaluable"):
        run = at[name][1]
        assert run.type_i_error <= 0.05
        assert run.power >= 0.8
    design, run = at["inflated, n/(1 - d)"]
    (n1, r1), (n, r) = ((look.n, look.r) for look in design.looks)
    assert run.type_i_error == pytest.approx(reject(r1, n1, r, n, 0.1))
    assert run.type_i_error > 0.05
    assert at["on paper"][1].power == pytest.approx(reject(1, 15, 5, 25, 0.3 * (1 - d)))


def test_recut_bounds_hold_alpha_where_loss_says_nothing_of_response():
    assert (lesson_dropout._errors("exclude, recalculated bounds", 1.0)[:, 0] <= 0.05).all()


def test_each_handling_speaks_of_a_rate_of_its_own():
    assert lesson_dropout.spoken_of("count as non-responders", 0.2, 1.0, 0.3)[0] == pytest.approx(0.24)
    assert lesson_dropout.spoken_of("replace by new patients", 0.2, 1.0, 0.3)[0] == pytest.approx(0.3)
    assert lesson_dropout.spoken_of("replace by new patients", 0.2, 0.0, 0.3)[0] == pytest.approx(
        0.3 / (0.3 + 0.7 * 0.8)
    )


@pytest.mark.long
@pytest.mark.parametrize("who", list(lesson_dropout.WHO.values()))
def test_simulated_rates_and_decisions_settle_on_the_exact_ones(who):
    for index, name in enumerate(lesson_dropout.HANDLINGS):
        single = SingleStage(5, 25)
        if name in ("count as non-responders", "replace by new patients"):
            done = blackboard.trials(lesson_dropout.plan(name, 0.2, who, single), 0.3, index, 3, 2000)
            rates = done.responses / done.analysed
            exact = lesson_dropout.spoken_of(name, 0.2, who, 0.3)[0]
            assert abs(rates.mean() - exact) < 4 * rates.std() / np.sqrt(2000)
        exact = lesson_dropout._errors(name, who)[8, 1]
        assert lesson_dropout.LOSSES[8] == 0.2
        done = blackboard.trials(lesson_dropout.plan(name, 0.2, who), 0.3, index, 3, 2000)
        assert abs(done.reject.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / 2000)


def test_the_answer_names_the_limit_that_breaks():
    text = str(lesson_dropout.answer(0.2))
    assert f"the power is {100 * reject(1, 15, 5, 25, 0.24):.1f}%" in text
    assert f"the type I error is then {100 * reject(1, 15, 5, 25, 0.1 / 0.82):.1f}% instead of at most 5%" in text
    assert reject(1, 15, 5, 25, 0.1 / 0.82) > 0.05


# simulated numbers, answers, pictures


def test_every_simulated_number_has_its_standard_error():
    rng = np.random.default_rng(1)
    values = rng.normal(size=50)
    found = blackboard.means([values])
    assert found.mcse[0] == pytest.approx(stats.sem(values))
    one = blackboard.shares([np.array([True])], np.array([0.3]))
    assert one.mcse[0] == pytest.approx(np.sqrt(0.21))


def test_an_answer_is_folded_and_its_text_is_text():
    answer = blackboard.Folded("answer_x", ("<b>1 & 2</b>", "more"))
    data, metadata = answer._repr_mimebundle_()
    assert data["text/html"].startswith('<details class="answer"><summary>Answer</summary>')
    assert "&lt;b&gt;1 &amp; 2&lt;/b&gt;" in data["text/html"]
    assert data["text/plain"] == "<b>1 & 2</b>\n\nmore"
    assert metadata == {"simtrial": {"name": "answer_x"}}


def test_rates_that_can_come_no_nearer_are_said_to_be_so():
    assert "p1 exceeds p0 by at least 0.1" in lesson_one_sample.saw((0.2, 0.3), 0.05, 0.8).alt
    assert "p1 exceeds" not in lesson_one_sample.saw((0.2, 0.31), 0.05, 0.8).alt


# controls


class Page:
    """What a front end would have been sent."""

    def __init__(self, monkeypatch):
        self.shown, self.updates, self.published = [], [], []
        monkeypatch.setattr(IPython.display, "display", self.display)
        monkeypatch.setattr(IPython.display, "publish_display_data", self.published.append)

    def display(self, thing, display_id=None):
        self.shown.append(thing)
        return self if display_id else None

    def update(self, thing):
        self.updates.append(thing)


@pytest.fixture
def page(monkeypatch):
    return Page(monkeypatch)


@pytest.fixture
def drawn():
    return []


@pytest.fixture
def cell(drawn):
    def draw(rates, n, seed):
        drawn.append((rates, n, seed))
        figure, (axis,) = picture.canvas(1, 4.0, 3.0)
        axis.plot([0, 1], rates)
        return picture.Picture("drawn", f"{rates} {n}", figure)

    return live.controls(draw, rates=live.Rates(("p0", "p1"), (0.1, 0.3), 0.1), n=live.Whole("n", 25, 5, 60), seed=4)


def test_without_a_person_only_the_default_picture_is_shown(page, cell, drawn):
    assert not live.attended()
    cell._ipython_display_()
    assert [picture.name for picture in page.shown] == ["drawn"]
    assert drawn == [((0.1, 0.3), 25, 4)]
    assert page.published == []


def test_with_a_person_controls_stand_over_the_same_picture(page, cell, drawn, monkeypatch):
    monkeypatch.setattr(live, "attended", lambda: True)
    cell._ipython_display_()
    assert drawn == [((0.1, 0.3), 25, 4)]
    assert page.published[0]["text/plain"] == ""
    assert "application/vnd.jupyter.widget-view+json" in page.published[0]
    data, metadata = page.shown[0]._repr_mimebundle_()
    assert data["text/plain"] == "(0.1, 0.3) 25"
    assert "<svg" in data["image/svg+xml"]
    assert metadata == {"simtrial": {"name": "drawn"}}


def test_what_to_do_with_the_controls_stands_above_them_and_nowhere_else(page, root):
    cell = live.controls(lesson_one_sample.one_test, n=live.Whole("n", 25, 5, 60), rates=RATES, alpha=0.05)
    cell._ipython_display_()
    assert live.HINTS["one_test"] not in str(page.shown[0]._repr_mimebundle_())
    hint, slider = cell.show().children
    assert html.unescape(hint.value) == f"<p>{live.HINTS['one_test']}</p>"
    assert slider.description == "n"
    drawn = " ".join(path.read_text(encoding="utf-8") for path in (root / "notebooks/teaching").glob("*.ipynb"))
    assert [name for name in live.HINTS if f"lesson.{name}," not in drawn] == []


HANDS = re.compile(r"\b(drag|play|press|move|click|slider|button|set the|choose the)", re.IGNORECASE)
"""What only a hand on a control can do."""


@pytest.mark.parametrize("name", report_run.LESSONS)
def test_a_lesson_asks_for_nothing_that_paper_cannot_do(name, root):
    cells = json.loads((root / f"notebooks/{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    prose = " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert len(prose) > 1000
    assert HANDS.findall(prose) == []
    assert HANDS.search(" ".join(live.HINTS.values()))


def test_a_control_is_explained_by_the_glossary():
    for label in ("p0", "Dropout, who"):
        assert glossary.explained(label).meaning in str(live._slider("IntSlider", label).tooltip)
    assert live._slider("IntSlider", "Trial number").tooltip == "Trial number"


def test_every_control_has_a_label_and_moving_one_draws_once(page, cell, drawn):
    low, _, n = cell.show().children
    assert all(widget.description for widget in (low, n))
    n.value = 26
    assert drawn[1:] == [((0.1, 0.3), 26, 4)]
    assert len(page.updates) == 1


@pytest.mark.usefixtures("page")
def test_rates_push_each_other_and_stay_apart(cell, drawn):
    low, high, _ = cell.show().children
    low.value = 0.55
    assert high.value == pytest.approx(0.65)
    assert drawn[1:] == [((0.55, 0.65), 25, 4)]
    high.value = 0.2
    assert low.value == pytest.approx(0.1)
    for slider, value in itertools.product((low, high), (-1.0, 0.0, 0.01, 0.11, 0.5, 0.94, 2.0)):
        slider.value = value
        (p0, p1), *_ = drawn[-1]
        assert 0 < p0 < p1 < 1
        assert p1 - p0 > 0.1 - 1e-9


@pytest.mark.usefixtures("page")
def test_a_menu_and_steps_start_where_they_should():
    seen = []

    def draw(way, month):
        seen.append((way, month))
        figure, _ = picture.canvas(1, 3.0, 2.0)
        return picture.Picture("x", "x", figure)

    way = live.Choice("way", {"a": 1, "b": 2}, "b")
    cell = live.controls(draw, way=way, month=live.Stops("month", (0.5, 1.0, 1.5)))
    cell.picture()
    menu, _, slider = cell.show().children
    slider.index = 1
    menu.value = 1
    assert seen == [(2, 1.5), (2, 0.5), (2, 1.0), (1, 1.0)]


def test_a_frame_keeps_the_panels_where_they_were_and_no_wider_than_a_cell():
    frame = live.Frame()
    places, widths = [], []
    for top in (1.0, 800.0):
        figure, (axis,) = picture.canvas(1, 12.0, 3.0)
        axis.plot([0, top])
        svg = frame.hang(picture.Picture("x", "x", figure)).svg
        places.append(axis.get_position().bounds)
        widths.append(re.search(r'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups())
    assert places[0] == places[1]
    assert widths == [("630", "157.5")] * 2


def sound(picture):
    """Whether everything drawn has a place, and every number told is one."""
    placed = all(np.isfinite(axis.dataLim.get_points()).all() for axis in picture.figure.axes)
    return placed and not re.search(r"\b(nan|inf|None)\b", picture.alt)


def test_a_picture_with_a_hole_is_not_sound():
    figure, (axis,) = picture.canvas(1, 3.0, 3.0)
    axis.plot([0, 1], [0, 1])
    assert sound(picture.Picture("x", "power 0.8", figure))
    assert not sound(picture.Picture("x", "power nan", figure))
    empty, _ = picture.canvas(1, 3.0, 3.0)
    assert not sound(picture.Picture("x", "power 0.8", empty))


@pytest.mark.long
@pytest.mark.parametrize("rates", [(0.01, 0.11), (0.85, 0.95), (0.01, 0.95), (0.45, 0.55)])
def test_no_corner_of_the_controls_is_refused(rates):
    for alpha, power in itertools.product((0.025, 0.1), (0.8, 0.9)):
        assert sound(lesson_one_sample.saw(rates, alpha, power))
        assert sound(lesson_two_stages.hull(rates, alpha, power, 1.0))
    assert sound(lesson_two_stages.cost(rates, 0.025, 0.9))
    assert sound(lesson_one_sample.one_test(5, rates, 0.025))
    assert sound(lesson_one_sample.one_test(100, rates, 0.1))
    for criterion in blackboard.CRITERION.options.values():
        assert sound(lesson_bias.bias(rates, criterion))
        assert sound(lesson_bias.why(rates, criterion, 0.02))
        assert sound(lesson_bias.why(rates, criterion, 0.9))
    assert sound(lesson_bias.cure(rates, "minimax"))


@pytest.mark.long
@pytest.mark.parametrize("rates", [(0.01, 0.19), (0.77, 0.95), (0.01, 0.95), (0.41, 0.59)])
def test_no_corner_of_the_looks_is_refused(rates):
    assert sound(lesson_more_looks.saved(rates, 0.05, 0.8))
    assert sound(lesson_more_looks.curves(rates, 0.05, 0.8))
    for goal in lesson_more_looks.GOAL.options.values():
        assert sound(lesson_more_looks.number(rates, 0.05, 0.8, goal))


@pytest.mark.parametrize(("p", "readout"), [(0.02, 0.1), (0.6, 6.0)])
def test_no_corner_of_the_costs_is_refused(p, readout):
    assert sound(lesson_more_looks.simulated(p, readout, 100, 0))


@pytest.mark.parametrize("rates", [(0.01, 0.16), (0.8, 0.95), (0.01, 0.95)])
def test_no_corner_of_the_simulated_figures_is_refused(rates):
    assert sound(lesson_one_sample.simulated(rates, 0.025, 0.9, 100, 0))
    assert sound(lesson_two_stages.simulated(rates, 0.05, 0.8, 100, 0))
    assert sound(lesson_bias.simulated(rates, "minimax", 100, 0))


@pytest.mark.parametrize(("d", "who"), [(0.0, 1.0), (0.0, 0.0), (0.4, 1.0), (0.4, 0.0)])
def test_no_corner_of_the_losses_is_refused(d, who):
    assert sound(lesson_dropout.errors(d, who))
    assert sound(lesson_dropout.estimand(d, who, 0.05, 100, 0))
    assert sound(lesson_dropout.simulated(d, who, 100, 0))


# the handout


@pytest.mark.parametrize("seed", ["-1", "x", "1.5", str(2**63)])
def test_a_wrong_seed_is_refused_in_one_line(seed, capsys, tmp_path):
    assert main(["lessons", "--seed", seed, "--out", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_lessons_refuse_a_seed_that_is_none(tmp_path):
    with pytest.raises(InputError, match=r"seed \(-1\) is not a whole number from 0"):
        report_run.lessons(-1, tmp_path)
