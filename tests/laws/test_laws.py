"""Exact laws of the conduct: tables, enumeration, and identities between them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, Requirements, SingleStage, TwoStage, looks_text, parse_looks
from simtrial.design import exact
from simtrial.laws import decision, events, integrals, laws
from simtrial.laws.calendar import overrun_counts
from simtrial.laws.inflation import inflated, probability_enough
from simtrial.months import WEEK
from simtrial.plan import recut
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Beta, Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.plan.survival import Hazards, Survival
from simtrial.validation.conduct import LOSS_DESIGNS

DIGITS = 5.1e-7
"""The tables print six decimals."""


def plan(design, loss, handling="nonresponder", rate=2.0, delay=4.0, rule=None, cut=None, **more):
    design = parse_looks(design) if isinstance(design, str) else design
    disease = Disease(Assessments.fixed(delay))
    return Plan(
        design, Constant(rate), disease, loss, handling=handling, interim=rule or Interim(True), recut=cut, **more
    )


def decide(case, asked):
    return decision.decision(case, np.array([asked.p0, asked.p1])).reject


def test_every_handling_as_in_the_table(reference):
    rows = reference("dropout_effect")
    for row in rows.itertuples():
        text, asked = LOSS_DESIGNS[row.design]
        loss = Dropout(row.dropout)
        itt = decide(plan(text, loss), asked)
        assert itt == pytest.approx([row.ITT_type1_if_null_is_p0_among_evaluable, row.ITT_power], abs=DIGITS)
        excluded = decide(plan(text, loss, "exclude"), asked)
        assert excluded == pytest.approx(itt, rel=1e-13)  # the denominator changes, the decision does not
        replaced = plan(text, loss, "replace")
        assert decide(replaced, asked) == pytest.approx([row.replacement_type1, row.replacement_power], abs=DIGITS)
        most = laws.exact_values(replaced, Scenario("", 1.0))  # at p = 1 no trial stops early
        assert most["n_enrolled"] == pytest.approx(row.replacement_E_enrolled_max, abs=DIGITS)
        if not math.isnan(row.evaluable_recut_type1):
            found = decide(plan(text, loss, "exclude", cut=asked), asked)
            assert found == pytest.approx([row.evaluable_recut_type1, row.evaluable_recut_power], abs=DIGITS)


def test_inflated_designs_as_in_the_table(reference):
    rows = reference("dropout_effect").query("dropout > 0")
    assert len(rows) == 25
    for row in rows.itertuples():
        text, asked = LOSS_DESIGNS[row.design]
        n, loss = parse_looks(text).looks[-1].n, Dropout(row.dropout)
        assert enrolled_for(n, row.dropout) == row.N_inflated
        found = next(i for i in inflated(parse_looks(text), asked, loss) if i.enrolled == row.N_inflated)
        if not math.isnan(row.n1_inflated):
            assert found.design.looks[0].n == row.n1_inflated
        assert found.type_i_error == pytest.approx(row.inflated_samecut_type1_null_on_evaluable, abs=DIGITS)
        assert found.power == pytest.approx(row.inflated_samecut_power, abs=DIGITS)
        assert found.type_i_error_all == pytest.approx(row.inflated_samecut_type1_null_on_ITT, abs=DIGITS)


def test_inflation_secures_n_evaluable_less_often_than_one_thinks(reference):
    rows = reference("enrollment_identities")
    rows = rows[rows.model.str.startswith("inflation")]
    for row in rows.itertuples():
        n, d = (
            float(x) for x in (row.parameters.split("n=")[1].split(";")[0], row.parameters.split("d=")[1].split(";")[0])
        )
        if row.quantity.startswith("P("):
            enrolled = int(row.parameters.split("N=")[1])
            assert float(probability_enough(int(n), [enrolled], d)[0]) == pytest.approx(row.value, rel=1e-12)
            assert 0.69 < row.value < 0.85
        else:
            chances = probability_enough(int(n), range(int(n), 60), d)
            assert int(n) + int(np.argmax(chances >= 0.9)) == row.value
    assert len(rows) == 10


@pytest.mark.parametrize(
    ("n", "d", "enrolled"), [(18, 0.1, 20), (25, 0.1, 28), (27, 0.1, 30), (10, 0.0, 10), (7, 0.3, 10)]
)
def test_inflated_numbers_do_not_round_up_an_exact_quotient(n, d, enrolled):
    assert enrolled_for(n, d) == enrolled


def test_informative_loss_inflates_the_type_i_error_as_in_the_table(reference):
    for row in reference("informative_nonevaluable").itertuples():
        asked = Requirements(row.p0, row.p1, 0.05, 0.8)
        case = plan(SingleStage(row.cut - 1, row.n_evaluable), Dropout(row.nonresponder_missing, 0.0), "replace")
        assert decide(case, asked) == pytest.approx([row.evaluable_only_type1, row.evaluable_only_power], abs=DIGITS)
        assert float(case.dropout.among_evaluable(row.p0)) == pytest.approx(row.apparent_p0, abs=DIGITS)
        as_failures = plan(SingleStage(row.cut - 1, row.n_evaluable), Dropout(row.nonresponder_missing, 0.0))
        assert decide(as_failures, asked)[0] == pytest.approx(row.ITT_type1_all_enrolled_n, abs=DIGITS)
        lost = 1 - float(case.dropout.evaluable(row.p0))
        assert lost == pytest.approx(row.overall_nonevaluable_rate_at_p0, abs=DIGITS)


def test_patients_and_months_of_two_stages_as_in_the_table(reference):
    rows = reference("enrollment_identities")
    rows = rows[rows.model.str.startswith("Simon two-stage")]
    assert len(rows) == 36
    for row in rows.itertuples():
        parts = dict(part.split("=") for part in row.parameters.replace("assessment window ", "").split("; ")[1:])
        looks = row.parameters.split(";")[0].replace(" ", ",")
        rate, delay = float(parts["lambda"]), float(parts["w"].split()[0])
        rate = 25 / 22 if rate == 1.136 else rate  # printed to three decimals
        p = float(parts.get("p", 0.5))
        hold = "hold" in row.model and "no hold" not in row.model
        case = plan(looks, Dropout(0), rate=rate, delay=delay, rule=Interim(hold))
        law = laws.exact_values(case, Scenario("", p))
        if row.quantity.startswith("E[duration"):
            found = law["duration_months"]
        elif row.quantity.startswith("EN"):
            found = law["n_enrolled"]
        else:
            counts = overrun_counts(case, 0)
            found = float(counts @ np.arange(len(counts)))
        assert found == pytest.approx(row.value, rel=1e-10), row.parameters


def test_what_the_issue_promises():
    optimal = TwoStage(1, 10, 5, 29)
    p0 = Scenario("", 0.1)
    assert laws.exact_values(plan(optimal, Dropout(0)), p0)["n_enrolled"] == pytest.approx(15.0, abs=0.05)
    for rate, enrolled in ((2, 20.9), (4, 26.4)):
        law = laws.exact_values(plan(optimal, Dropout(0), rate=rate, rule=Interim(False)), p0)
        assert law["n_enrolled"] == pytest.approx(enrolled, abs=0.05)
    power = decide(plan(optimal, Dropout(0.15)), Requirements(0.1, 0.3, 0.05, 0.8))[1]
    assert power == pytest.approx(0.668, abs=5e-4)


@pytest.mark.parametrize("text", ["2/6", "1/5,3/9", "0:4/5,3/9"])
def test_recut_mixture_is_that_of_every_sequence_of_patients(text):
    """Patient by patient, in fractions: respond, do not, or are lost; then the rule of the attained numbers."""
    asked = Requirements(0.2, 0.5, 0.15, 0.6)
    design = parse_looks(text)
    bounds = recut.attained_bounds(design, asked)
    p, d = Fraction(1, 2), Fraction(1, 5)
    chances = {"r": p * (1 - d), "n": (1 - p) * (1 - d), "l": d}
    *interim, last = design.looks
    first = interim[0].n if interim else 0
    reject = stop = Fraction(0)

    def ways(n):
        """(evaluable, responses) and probability of n patients."""
        found = {(0, 0): Fraction(1)}
        for _ in range(n):
            new = {}
            for (m, x), weight in found.items():
                for kind, chance in chances.items():
                    key = (m + (kind != "l"), x + (kind == "r"))
                    new[key] = new.get(key, 0) + weight * chance
            found = new
        return found

    for (m1, x1), weight in ways(first).items():
        if interim:
            r1, e1 = bounds.first[m1]
            if x1 >= e1:
                reject, stop = reject + weight, stop + weight
                continue
            if x1 <= r1:
                stop += weight
                continue
        for (m2, x2), more in ways(last.n - first).items():
            row = m1 if interim else 0
            if x1 + x2 > bounds.final[row, m1 + m2]:
                reject += weight * more
    case = plan(design, Dropout(0.2), "exclude", cut=asked)
    found = decision.decision(case, np.array([0.5]))
    # some hundred terms, each right to the last bits
    assert float(found.reject[0]) == pytest.approx(float(reject), rel=1e-13)
    assert float(found.stop[0, :-1].sum()) == pytest.approx(float(stop), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("design", ["5/25", "1/15,5/25", "1:5/10,5/29", "2/12,7/25"])
def test_recut_bounds_keep_alpha_at_every_number_evaluable(design):
    asked = Requirements(0.1, 0.3, 0.05, 0.8) if not design.startswith("2") else Requirements(0.2, 0.4, 0.1, 0.8)
    planned = parse_looks(design)
    bounds = recut.attained_bounds(planned, asked)
    n1 = planned.looks[0].n if len(planned.looks) > 1 else 0
    n = planned.looks[-1].n
    for m1 in range(n1 + 1):
        for m in range(m1, m1 + n - n1 + 1):
            r = int(bounds.final[m1, m])
            x1 = np.arange(m1 + 1)
            low, high = bounds.first[m1] if n1 else (-1, n + 1)
            pmf = stats.binom.pmf(x1, m1, asked.p0)
            early = pmf[x1 >= high].sum()
            going = pmf * ((x1 > low) & (x1 < high))
            size = early + (going * stats.binom.sf(r - x1, m - m1, asked.p0)).sum()
            # alpha itself may be reached; the planned design at the planned numbers keeps it too
            assert size <= asked.alpha * (1 + 1e-9)
            if r > 0 and (m1, m) != (n1, n):
                looser = early + (going * stats.binom.sf(r - 1 - x1, m - m1, asked.p0)).sum()
                assert looser > asked.alpha * (1 - 1e-9), "r is the smallest"
    assert bounds.final[n1, n] == planned.looks[-1].r


def test_recut_bounds_stop_a_good_treatment_no_more_often_than_planned():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    bounds = recut.attained_bounds(TwoStage(1, 15, 5, 25), asked)
    planned = stats.binom.cdf(1, 15, 0.3)
    for m, (r, _) in enumerate(bounds.first):
        assert stats.binom.cdf(r, m, 0.3) <= planned * (1 + 1e-12)
        assert stats.binom.cdf(r + 1, m, 0.3) > planned or m == 15
    assert bounds.first[15].tolist() == [1, 16]


def test_recut_bounds_are_for_one_or_two_looks_of_few_patients_and_no_closing_date():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    with pytest.raises(InputError, match=r"at most 150 patients; this design has 200"):
        plan("20/100,30/200", Dropout(0.1), "exclude", cut=asked)
    with pytest.raises(InputError, match="is not possible where accrual closes at a month"):
        plan("5/25", Dropout(0.1), "exclude", cut=asked, close_month=20.0)
    with pytest.raises(InputError, match="recut"):
        plan("0/5,2/12,7/40", Dropout(0.1), "exclude", cut=asked)
    with pytest.raises(InputError, match="3 looks"):
        recut.attained_bounds(parse_looks("0/5,2/12,7/40"), asked)


@pytest.mark.parametrize("beta", [Beta(3, 7), Beta(0.5, 0.5), Beta(11, 23)])
def test_assurance_is_the_beta_binomial_sum(beta):
    design = TwoStage(1, 15, 5, 25)
    law = laws.exact_values(plan(design, Dropout(0)), Scenario("", beta))
    # 6 or more of 25, having had 2 or more of the first 15: weigh each total by the share of orders that get there
    x1, x2 = np.arange(16)[:, None], np.arange(11)
    total = x1 + x2
    weight = stats.betabinom.pmf(total, 25, beta.a, beta.b) * stats.hypergeom.pmf(x1, 25, total, 15)
    assert law["reject"] == pytest.approx(weight[(x1 > 1) & (total > 5)].sum(), rel=1e-10)
    assert law["pet"] == pytest.approx(stats.betabinom.cdf(1, 15, beta.a, beta.b), rel=1e-10)


@pytest.mark.parametrize(
    "model",
    [Constant(1.3), Ramp(2.0, 20.0), Piecewise((0, 4, 9), (0.4, 3.0, 1.0)), Centres((0,) * 6, 0.35, 2.0)],
    ids=["constant", "ramp", "piecewise", "centres"],
)
def test_overrun_counts_are_a_law_and_match_simulated_arrivals(model):
    case = Plan(
        TwoStage(1, 10, 5, 29),
        model,
        Disease(Assessments.fixed(4.0)),
        Dropout(0),
        handling="nonresponder",
        interim=Interim(False),
    )
    law = overrun_counts(case, 0)
    assert law.sum() == pytest.approx(1.0, abs=1e-12)
    rng = np.random.default_rng(5)
    clock = model.realise(40_000, rng)
    arrivals = clock.months(np.cumsum(rng.standard_exponential((29, 40_000)), axis=0))
    came = np.minimum((arrivals[10:] <= arrivals[9] + 4.0).sum(axis=0), 19)
    expected = float(law @ np.arange(20))
    assert abs(came.mean() - expected) < 4 * came.std() / 200  # 4 Monte Carlo standard errors


def test_look_months_with_one_delay_is_the_arrival_and_the_delay():
    assert integrals.look_months(Constant(2.0), 10, (np.array([3.0]), np.ones(1))) == pytest.approx(8.0)
    # a second delay of hardly any weight hardly matters, but takes the long way through both integrals
    other = integrals.look_months(Constant(2.0), 10, (np.array([3.0, 3.5]), np.array([1 - 1e-12, 1e-12])))
    assert other == pytest.approx(8.0, rel=1e-6)


def test_look_months_of_one_patient_is_a_mean_of_delays():
    values, chances = np.array([1.0, 2.0, 6.0]), np.array([0.2, 0.5, 0.3])
    assert integrals.look_months(Constant(0.5), 1, (values, chances)) == pytest.approx(
        2 + float(values @ chances), rel=1e-6
    )


def test_known_law_adds_up_and_has_the_outcomes_of_the_assessments():
    scans = Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK)
    for disease in (Disease(scans), Disease(scans, 0.7, 0.3), Disease(scans, 0.7, 0.3, Survival(5, 0.5, 0.3))):
        months, chances = integrals.known_law(disease, Dropout(0.1), 0.3)
        assert chances.sum() == pytest.approx(1.0)
        assert (chances >= 0).all()
        assert months.min() == pytest.approx(6 * WEEK)
        assert months.max() == pytest.approx(24 * WEEK)


def test_expected_events_as_in_the_table(reference):
    for row in reference("expected_events").itertuples():
        rate, loss = math.log(2) / row.median_months, -math.log1p(-row.annual_dropout) / 12
        found = events.expected_events(lambda t, r=rate: np.exp(-r * t), row.accrual_A, row.followup_after_F, loss)
        assert found == pytest.approx(row.P_event, abs=5.1e-6)  # five decimals are printed
        both, a, f = rate + loss, row.accrual_A, row.followup_after_F
        closed = rate / both * (1 - (math.exp(-both * f) - math.exp(-both * (a + f))) / (both * a))
        assert found == pytest.approx(closed, rel=1e-10)  # the quadrature against methods' formula


def test_survival_of_all_patients_has_the_median_asked_for():
    scans = Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK)
    disease = Disease(scans, 0.735, 0.324, Survival(5.6, 0.5, 0.324), os=Survival(12.7, 0.6, 0.5))
    assert disease.pfs_survival(np.array(5.6), 0.324) == pytest.approx(0.5, abs=1e-12)
    assert disease.os_survival(np.array(12.7), 0.5) == pytest.approx(0.5, abs=1e-12)
    assert disease.dcr_at(0.324) == pytest.approx(0.735)
    t = np.linspace(0, 60, 200)
    pfs, os = disease.pfs_survival(t, 0.3), disease.os_survival(t, 0.3)
    assert (pfs <= os).all()


def test_hazards_without_responders_are_exponential():
    law = Hazards(0.2, 0.2, 0.1)
    t = np.array([0.5, 3.0, 9.0])
    assert law.survival(t, 0.0, Assessments.fixed(1.0)) == pytest.approx(np.exp(-0.2 * t))


def test_a_closing_date_has_no_closed_form():
    case = plan("1/10,5/29", Dropout(0), close_month=30.0)
    assert laws.exact_values(case, Scenario("", 0.1)) == {}
    with pytest.raises(InputError, match="close_month"):
        decision.decision(case, np.array([0.1]))


def test_loss_of_nobody_changes_no_bit_of_the_decision():
    design = TwoStage(1, 15, 5, 25)
    oc = exact.operating_characteristics(design, [0.1, 0.3])
    for handling in ("nonresponder", "replace", "exclude"):
        found = decision.decision(plan(design, Dropout(0.0), handling), np.array([0.1, 0.3]))
        assert found.reject.tolist() == oc.reject.tolist()
    assert looks_text(design) == "1/15,5/25"
