"""How patients arrive: identities from tables, inverses, simulated arrivals, and what is refused."""

import re

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, SingleStage
from simtrial.laws import integrals
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import Plan

MODELS = [
    Constant(1.5),
    Piecewise((0, 3, 6), (0.5, 1, 1.5)),
    Ramp(1.5, 6),
    Centres((0,) * 5, 0.3, 2),
    Centres((0, 0, 2, 5, 5), 0.3, 2),
]
IDS = ["constant", "piecewise", "ramp", "centres", "staggered"]


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_months_inverts_level(model, rng):
    clock = model.realise(50, rng)
    months = rng.random((30, 50)) * 40
    # a centre that opens later leaves L flat at 0 before the first opening; all of these open one at month 0
    assert clock.months(clock.level(months)) == pytest.approx(months, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_simulated_arrivals_follow_the_law_of_the_nth(model, rng):
    trials = 20_000
    clock = model.realise(trials, rng)
    arrivals = clock.months(np.cumsum(rng.standard_exponential((25, trials)), axis=0))
    for n in (1, 10, 25):
        mean, se = arrivals[n - 1].mean(), arrivals[n - 1].std() / np.sqrt(trials)
        assert abs(mean - integrals.mean_months(model, n)) < 4 * se  # 4 Monte Carlo standard errors
        t = float(np.median(arrivals[n - 1]))
        share = np.mean(arrivals[n - 1] > t)
        chance = float(model.fewer(n, np.array(t)))
        assert abs(share - chance) < 4 * np.sqrt(chance * (1 - chance) / trials)


@pytest.mark.parametrize("model", MODELS[:4], ids=IDS[:4])
def test_integral_of_the_survival_function_gives_the_closed_form(model):
    integral = integrals._integral(lambda t: model.fewer(25, t), model.breaks)
    assert integrals.mean_months(model, 25) == pytest.approx(integral, rel=1e-9)
    closed = model.mean_months(25)
    if closed is None:  # both have a rate of 1.5 after the loss of 4.5 and 3 x 1.5 patients: 25/1.5 + 3 months
        closed = 25 / 1.5 + 3
    # the start-up leaves a chance of some 1e-9 that 25 patients come within it; the quadrature itself is good to 1e-12
    assert integral == pytest.approx(closed, rel=1e-8)


def _numbers(text):
    return [float(x) for x in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)]


def test_identities_of_the_table(reference):
    rows = reference("enrollment_identities")
    checked = 0
    for row in rows.itertuples():
        text, quantity, value = row.parameters, row.quantity, row.value
        if row.model == "homogeneous Poisson":
            rate = float(re.search(r"lambda=([\d.]+)", text)[1])
            rate = 25 / 22 if rate == 1.13636 else rate  # printed to five decimals
            n = int(re.search(r"n=(\d+)", text)[1])
            law = stats.gamma(n, scale=1 / rate)
            if quantity.startswith("E[T"):
                found = integrals.mean_months(Constant(rate), n)
            elif quantity.startswith("P(T"):
                found = integrals.probability_by(Constant(rate), n, float(re.search(r"t=([\d.]+)", text)[1]))
            elif "quantile" in quantity:
                q = float(quantity.split()[0])
                found = q if abs(1 - float(Constant(rate).fewer(n, np.array(value))) - q) < 1e-9 else np.nan
                value = q
            else:
                found = law.std()
        elif row.model.startswith("linear ramp") and quantity.startswith("E[T"):
            rate, tau, n = _numbers(text)
            found = integrals.mean_months(Ramp(rate, tau), int(n))
        elif row.model.startswith("linear ramp") and quantity.startswith("E[N"):
            rate, tau, t = _numbers(text)
            found = float(Ramp(rate, tau).level(np.array(t)))
        elif row.model.startswith("piecewise"):
            model = Piecewise((0, 3, 6), (0.5, 1.0, 1.5))
            found = integrals.mean_months(model, 25) if "E[T" in quantity else float(model.level(np.array(12.0)))
        elif row.model.startswith("Poisson-gamma"):
            k, a, b = (float(re.search(rf"{key}=([\d.]+)", text)[1]) for key in ("K", "alpha", "beta"))
            model = Centres((0.0,) * int(k), a / b, a)
            if quantity.startswith("E[T"):
                found = integrals.mean_months(model, 25)
            elif quantity.startswith("P(T"):
                found = integrals.probability_by(model, 25, 22)
            else:
                continue  # variances and counts: nothing of ours gives them
        else:
            continue  # the next two tests, and tests of the conduct
        # the ramp's and the steps' check values carry integration errors of 1e-12 and less
        assert found == pytest.approx(value, rel=1e-9), (row.model, text, quantity)
        checked += 1
    assert checked == 62


def test_registered_trial_has_an_even_chance_of_its_date():
    assert integrals.probability_by(Constant(25 / 22), 25, 22) == pytest.approx(0.527, abs=5e-4)
    assert integrals.probability_by(Constant(1.5), 25, 22) == pytest.approx(0.936, abs=5e-4)


def test_scaling_multiplies_every_rate():
    for model in MODELS:
        half = model.scaled(0.5)
        t = np.array([1.0, 7.0, 20.0])
        if isinstance(model, Centres):
            assert half.mean_rate == model.mean_rate / 2
        else:
            assert half.level(t) == pytest.approx(model.level(t) / 2)


def test_a_rate_that_jumps_is_integrated_exactly():
    # before month 24 hardly anybody comes, then thirty a month: means by an independent quadrature over the gamma law
    assert integrals.mean_months(Piecewise((0, 24), (0.05, 30)), 25) == pytest.approx(24.793333, abs=1e-6)
    assert integrals.mean_months(Piecewise((0, 100), (0.01, 30)), 25) == pytest.approx(100.8, abs=1e-6)


def test_a_tail_too_heavy_for_a_mean_gives_none():
    assert np.isnan(integrals.mean_months(Centres((0, 1), 0.5, 0.6), 25))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Constant(0), "rate (0) is not above 0"),
        (lambda: Constant(-1), "rate (-1) is not above 0"),
        (lambda: Constant(float("nan")), "rate (nan) is not a finite number"),
        (lambda: Constant(True), "rate (True) is not a finite number"),
        (lambda: Ramp(1, 0), "ramp_months (0) is not above 0"),
        (lambda: Piecewise((0, 3), (1, 0)), "rate (0) in the last period never reaches n; give a rate above 0"),
        (lambda: Piecewise((0, 3), (0, 1)), "rate (0) is not above 0"),
        (lambda: Piecewise((1,), (1,)), "from_month (1) is not 0 in the first period"),
        (lambda: Piecewise((0, 3, 3), (1, 1, 1)), "from_month (3) is not above that of the period before (3)"),
        (lambda: Piecewise((), ()), "periods does not hold one rate for each starting month"),
        (lambda: Centres((), 1, 1), "opens_months is empty; give the opening month of at least one centre"),
        (
            lambda: Centres((0, 0), 1, 0.5),
            "shape (0.5) times the number of centres (2) is not above 1, so the expected time to reach n is",
        ),
        (lambda: Centres((-1,), 1, 2), "opens_months (-1) is below 0"),
    ],
)
def test_wrong_enrollment_is_refused(build, said):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(said)


def test_accrual_that_closes_too_soon_is_refused():
    with pytest.raises(InputError, match="closes accrual before 25 patients"):
        Plan(
            SingleStage(5, 25),
            Constant(1.0),
            Disease(Assessments.fixed(2)),
            Dropout(0),
            handling="nonresponder",
            close_month=3,
        )
