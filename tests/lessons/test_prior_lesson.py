"""The lesson on priors: what its figures state, held against fractions, integrals and trials simulated here."""

import itertools
import json
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from drawn import unreadable
from scipy import integrate, stats

from simtrial.lessons import prior as lesson_prior
from simtrial.lessons import prior_bounds as lesson_prior_bounds
from simtrial.search.bayesian.bop2_search import Bop2Search
from simtrial.search.bayesian.posterior import BetaPrior

LOOKS = (10, 20, 30, 40)


def numbers(picture):
    """All numbers above a figure; those with a per cent sign as rates."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", picture.figure.get_suptitle())
    found = re.findall(r"(?<![\w./])(\d+(?:\.\d+)?)(%?)(?!/)", text)
    return [float(number) / (100 if sign else 1) for number, sign in found]


def printed(rate):
    """A rate as a percentage with one decimal has it."""
    return pytest.approx(round(float(rate), 3))


def beyond(a, b, p0):
    """P(p > p0) of Beta(a, b) as a fraction, for whole a and b: at most a - 1 successes in a + b - 1 trials at p0."""
    n, rate = a + b - 1, Fraction(str(p0))
    return sum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(a))


def listed(a, b, p0=0.2, lam=0.93, looks=LOOKS):
    """The bounds of the rule under Beta(a, b) with whole a and b, each posterior an exact fraction."""
    return [
        max((x for x in range(n + 1) if beyond(a + x, b + n - x, p0) < lam * (n / looks[-1]) ** 0.6), default=-1)
        for n in looks
    ]


def walked(bounds, p, looks=LOOKS):
    """P(reject H0) and EN in fractions, patient by patient."""
    p, here, en, stops = Fraction(str(p)), {0: Fraction(1)}, Fraction(0), dict(zip(looks, bounds, strict=True))
    for n in range(1, looks[-1] + 1):
        en += sum(here.values())
        moved = dict.fromkeys(range(n + 1), Fraction(0))
        for x, chance in here.items():
            moved[x] += chance * (1 - p)
            moved[x + 1] += chance * p
        here = {x: chance for x, chance in moved.items() if x > stops.get(n, -1)}
    return sum(here.values()), en


# worth of a prior


def test_prior_times_likelihood_is_the_posterior_that_is_drawn():
    picture = lesson_prior.learnt(0.4, 20, 3, 0.2)
    a, patients, share, seen, of, before, after, chance_before, chance = numbers(picture)
    assert (a, patients, seen, of) == (8, 20, 3, 20)
    assert share == 0.5

    def product(p):
        return stats.beta.pdf(p, 8, 12) * stats.binom.pmf(3, 20, p)

    whole = integrate.quad(product, 0, 1)[0]
    assert before == pytest.approx(8 / 20)
    assert after == printed(integrate.quad(lambda p: p * product(p), 0, 1)[0] / whole)
    assert chance == printed(integrate.quad(product, 0.2, 1)[0] / whole)
    assert chance_before == printed(beyond(8, 12, 0.2))
    prior, likelihood, posterior, *_ = picture.figure.axes[0].lines
    p = prior.get_xdata()
    assert posterior.get_ydata() == pytest.approx(product(p) / whole, rel=1e-6)
    assert likelihood.get_ydata() == pytest.approx(stats.binom.pmf(3, 20, p) * 21, rel=1e-6)  # with area 1
    counts = [round(bar.get_width()) for bar in picture.figure.axes[1].patches]
    assert counts == [8, 3, 11, 12, 17, 29]  # responses, then the other patients, of prior, trial and both


# one rule, three priors


def test_bounds_and_errors_of_three_priors_are_those_of_fractions():
    picture = lesson_prior.opinions(20, (0.2, 0.4))
    neutral = [
        max(x for x in range(n + 1) if stats.beta.sf(0.2, 0.2 + x, 0.8 + n - x) < 0.93 * (n / 40) ** 0.6) for n in LOOKS
    ]
    rules = {"sceptical": listed(4, 16), "neutral": neutral, "hopeful": listed(8, 12)}
    for name, bounds in rules.items():
        text = ", ".join(f"{r if r >= 0 else '–'}/{n}" for n, r in zip(LOOKS, bounds, strict=True))
        assert f"{name} {text}" in picture.alt
        size, power = (float(walked(bounds, p)[0]) for p in (0.2, 0.4))
        assert f"{name} {100 * size:.1f}% and {100 * power:.1f}%" in picture.alt
    drawn = [bar.get_width() for bar in picture.figure.axes[1].patches]
    expected = [float(walked(bounds, p)[0]) for p in (0.2, 0.4) for bounds in rules.values()]
    assert drawn == pytest.approx(expected, rel=1e-10)  # the exact values lose two digits to rounding, no more


def test_more_hope_never_raises_a_bound_and_never_lowers_an_error_or_power():
    for size in (1, 5, 20, 40):
        sceptical, _, hopeful = (
            lesson_prior_bounds.ruled(one.prior, 0.2) for one in lesson_prior_bounds.three(0.2, 0.4, size)
        )
        assert all(a >= b for a, b in zip(sceptical.r, hopeful.r, strict=True))
        for p in (0.2, 0.4):
            assert sceptical.at(p)[0] <= hopeful.at(p)[0]


def test_the_parameters_are_the_best_of_the_published_grid():
    best = Bop2Search(lesson_prior_bounds.ASKED, LOOKS, grid=True).result().best
    neutral = lesson_prior_bounds.ruled(lesson_prior_bounds.three(0.2, 0.4, 20)[1].prior, 0.2)
    assert neutral.design.looks == best.looks
    assert neutral.at(0.2)[0] <= 0.05
    assert neutral.at(0.4)[0] >= 0.8


def test_a_prior_that_no_data_of_the_trial_can_change_rejects_h0_always():
    rule = lesson_prior_bounds.ruled(BetaPrior(38, 2), 0.05)
    assert listed(38, 2, 0.05)[-1] == -1
    assert rule.text == "–/10, –/20, –/30, –/40"
    assert rule.at(0.05) == (1.0, 40.0)
    assert "hopeful 100.0% and 100.0%" in lesson_prior.opinions(40, (0.05, 0.95)).alt


# a sharp prior


def test_a_sharper_hopeful_prior_has_a_larger_type_i_error_always_above_alpha():
    axis = lesson_prior.sharpened(20).figure.axes[0]
    power, error, before = (line.get_ydata() for line in axis.lines[:3])
    assert error.min() > 0.05
    assert (np.diff(error) >= -1e-12).all()
    for many in (5, 10, 20, 40):
        a, b = round(0.4 * many), round(0.6 * many)
        bounds = listed(a, b)
        assert error[many - 1] == pytest.approx(float(walked(bounds, 0.2)[0]), rel=1e-10)
        assert power[many - 1] == pytest.approx(float(walked(bounds, 0.4)[0]), rel=1e-10)
        assert before[many - 1] == pytest.approx(float(beyond(a, b, 0.2)), rel=1e-10)


def test_the_headline_of_the_sharp_prior_states_its_error():
    _, size, error, alpha, before, least, n = numbers(lesson_prior.sharpened(20))
    assert (size, alpha, n) == (20, 0.05, 40)
    assert error == printed(walked(listed(8, 12), 0.2)[0])
    assert before == printed(beyond(8, 12, 0.2))
    assert least == listed(8, 12)[-1] + 1


# back under alpha


@pytest.mark.parametrize("size", [5, 20, 40])
def test_no_smaller_threshold_keeps_alpha(size):
    a, b = round(0.4 * size), round(0.6 * size)
    found = lesson_prior_bounds.by_threshold(BetaPrior(a, b), 0.2, 0.05)
    assert found.above < found.lam
    assert walked(listed(a, b, lam=found.lam), 0.2)[0] <= Fraction(1, 20)
    assert list(found.rule.r) == listed(a, b, lam=found.lam)
    # P(reject H0) falls as lambda rises, so that the largest value below the end is enough
    assert walked(listed(a, b, lam=found.above - 1e-9), 0.2)[0] > Fraction(1, 20)
    errors = [walked(listed(a, b, lam=lam), 0.2)[0] for lam in (0.5, 0.8, 0.9, 0.95, 0.98, 0.999)]
    assert errors == sorted(errors, reverse=True)


def test_the_first_number_of_patients_that_keeps_alpha_is_that_of_trying_all():
    def error(n, lam):
        looks = tuple(n * k // 4 for k in (1, 2, 3, 4))
        bounds = [
            int((stats.beta.sf(0.2, 8 + np.arange(m + 1), 12 + m - np.arange(m + 1)) < lam * (m / n) ** 0.6).sum()) - 1
            for m in looks
        ]
        here, last = np.ones(1), 0
        for m, r in zip(looks, bounds, strict=True):
            here = np.convolve(here, stats.binom.pmf(np.arange(m - last + 1), m - last, 0.2))
            here[: r + 1], last = 0, m
        return here.sum()

    for lam in (0.93, 0.985, 0.99):
        first = next((n for n in range(40, 241, 4) if error(n, lam) <= 0.05), None)
        assert lesson_prior_bounds.by_patients(lesson_prior_bounds.hopeful(20), 0.2, 0.05, lam) == first
    assert first is not None


def test_the_figure_states_both_ways_back():
    picture = lesson_prior.mended(20, 0.985)
    raised = lesson_prior_bounds.by_threshold(lesson_prior_bounds.hopeful(20), 0.2, 0.05)
    assert f"above {raised.above:.4f} instead of 0.93" in picture.alt
    assert raised.rule.text in picture.alt
    assert "N = 160 is the first to keep alpha, but some larger N do not" in picture.alt
    assert "no N up to 240 keeps alpha" in lesson_prior.mended(20, 0.93).alt
    left, right = picture.figure.axes
    lams, errors = left.lines[1].get_xdata(), left.lines[1].get_ydata()
    assert (np.diff(errors) <= 1e-12).all()
    k = int(np.searchsorted(lams, 0.95)) - 1
    assert errors[k] == pytest.approx(float(walked(listed(8, 12, lam=0.95), 0.2)[0]), rel=1e-10)
    assert right.lines[0].get_ydata()[0] == pytest.approx(float(walked(listed(8, 12, lam=0.985), 0.2)[0]), rel=1e-10)


# simulated trials


@pytest.mark.parametrize("p", [0.2, 0.4])
def test_trials_judged_by_the_posterior_settle_on_the_exact_values(p):
    rng, trials = np.random.default_rng(22), 4000
    responses = rng.random((trials, 40)) < p
    for a, b in ((4, 16), (8, 12)):
        bounds = listed(a, b)
        rejected, patients = lesson_prior_bounds.verdicts_of(BetaPrior(a, b), responses)
        for k in range(trials):
            stop = next((n for n, r in zip(LOOKS, bounds, strict=True) if responses[k, :n].sum() <= r), None)
            assert (bool(rejected[k]), patients[k]) == (stop is None, stop or 40)
        reject, en = (float(one) for one in walked(bounds, p))
        # four Monte Carlo standard errors: one of 8 comparisons is farther off with probability 1 in 2,000
        assert abs(rejected.mean() - reject) < 4 * math.sqrt(reject * (1 - reject) / trials)
        assert abs(patients.mean() - en) < 4 * patients.std() / math.sqrt(trials)


def test_all_three_priors_judge_the_same_trials():
    _, split, trials, *rest = numbers(lesson_prior.judged(0.2, 20, 1000, 1))
    responses = lesson_prior_bounds.drawn(0.2, 1000, 1)
    shares = [
        lesson_prior_bounds.verdicts_of(one.prior, responses)[0] for one in lesson_prior_bounds.three(0.2, 0.4, 20)
    ]
    assert (split, trials) == ((shares[0] != shares[2]).sum(), 1000)
    assert rest[::3] == [printed(share.mean()) for share in shares]
    assert rest[2] == printed(walked(listed(4, 16), 0.2)[0])
    assert (lesson_prior_bounds.drawn(0.2, 1000, 1)[:100] == lesson_prior_bounds.drawn(0.2, 100, 1)).all()


# the answer


def test_the_answer_states_what_fractions_give():
    text = str(lesson_prior.answer(20, 8, 0.99))
    rule, raised = listed(8, 12), listed(8, 12, lam=0.992)
    error, power = (float(walked(rule, p)[0]) for p in (0.2, 0.4))
    assert f"with {rule[-1] + 1} responses or more in 40 patients instead of 13" in text
    assert f"type I error is {100 * error:.1f}% instead of 3.8%, {error / 0.05:.1f} times alpha" in text
    assert f"its power is {100 * power:.1f}% instead of 83.2%" in text
    assert f"the last bound is {raised[-1]}/40" in text
    assert f"EN(p0) is {float(walked(raised, 0.2)[1]):.1f} instead of 21.5 patients" in text
    assert "With 0.99 it takes 116 patients" in text


def test_the_choices_of_the_exercise_hold_the_answer(root):
    cells = json.loads((root / "notebooks/teaching/what_a_prior_does.ipynb").read_text(encoding="utf-8"))["cells"]
    exercise = "".join(cells[-2]["source"])
    assert "eight times" in exercise
    assert round(float(walked(listed(8, 12), 0.2)[0]) / 0.05) == 8
    assert "".join(cells[-1]["source"]) == "lesson.answer(size=20, responses=8, lam=0.99)"


def test_a_threshold_under_a_slider_is_read_with_all_its_digits():
    slider = lesson_prior.THRESHOLD.handles().shown[0]
    assert f"{slider.value:{slider.readout_format}}" == "0.985"
    assert lesson_prior.MEAN.handles().shown[0].readout_format == ".2f"


# every corner


def sound(picture):
    """Whether every number is one, everything drawn has a place, and every text can be read."""
    placed = all(np.isfinite(axis.dataLim.get_points()).all() for axis in picture.figure.axes)
    return placed and not re.search(r"\b(nan|inf|None)\b", picture.alt) and not unreadable(picture.figure)


@pytest.mark.long
@pytest.mark.parametrize("size", [1, 20, 40])
def test_no_corner_of_a_prior_is_refused(size):
    for mean, responses, p0 in itertools.product((0.05, 0.95), (0, 20), (0.05, 0.95)):
        assert sound(lesson_prior.learnt(mean, size, responses, p0))
    assert sound(lesson_prior.sharpened(size))
    for lam in (0.9, 0.999):
        assert sound(lesson_prior.mended(size, lam))


@pytest.mark.long
@pytest.mark.parametrize("size", [1, 40])
def test_no_corner_of_the_rates_is_refused(size):
    for rates in ((0.01, 0.11), (0.85, 0.95), (0.01, 0.95), (0.45, 0.55)):
        assert sound(lesson_prior.opinions(size, rates))
    for p in (0.02, 0.6):
        assert sound(lesson_prior.judged(p, size, 100, 0))
