"""The front page in numbers and sentences: those of the exact laws, of the simulation, and of nothing else."""

import dataclasses

import pytest

from simtrial.design import exact
from simtrial.phrases import percent, percent_beside
from simtrial.trial import params, protocol, summary, tables, text
from simtrial.trial.case import Case


@pytest.fixture(scope="module")
def case(root):
    return Case.of(params.load(root / "params/NCT07022301.yaml"))


def changed(root, name="NCT07022301", **sections):
    plain = params.load(root / f"params/{name}.yaml").plain()
    for section, keys in sections.items():
        plain[section] = {**plain.get(section, {}), **keys}
    return Case.of(params.load(plain))


def test_what_is_promised_on_paper_and_as_run_is_exact(case):
    error, power, en0, en1, pet = summary.promises(case)
    paper = exact.operating_characteristics(case.chosen, [0.1, 0.3])
    run = exact.operating_characteristics(case.chosen, [0.1 * 0.9, 0.3 * 0.9])
    assert (error.written[1], power.written[1]) == tuple(
        percent_beside(v, at) for v, at in zip(paper.reject, (0.05, 0.8), strict=True)
    )
    assert (error.written[2], power.written[2]) == tuple(
        percent_beside(v, at) for v, at in zip(run.reject, (0.05, 0.8), strict=True)
    )
    assert [en0.written[1], en1.written[1]] == [f"{v:.1f}" for v in paper.en]
    assert [en0.written[2], en1.written[2]] == [f"{v:.1f}" for v in run.en]
    assert pet.written[1:] == (percent(paper.pet[0]), percent(run.pet[0]))


def test_months_and_dates_are_those_of_the_simulation_of_the_report(case):
    when, kept = list(summary.moments(case)), list(summary.dates(case))
    trials = case.size.trials
    decision = case.simulated["p1"]["duration_months"].quantiles
    assert when[1].written[1] == f"{decision[0.5]:.1f} ({decision[0.05]:.1f} to {decision[0.95]:.1f})"
    frame = tables.timeline(case.trial, case.simulated).frame
    ends = [percent(v) for v in frame[frame.what.str.startswith("Follow-up ends")].probability]
    assert list(kept[-1].written) == ends
    assert when[1].numbers[1] == (decision[0.5], decision[0.05], decision[0.95])
    share, mcse = kept[-1].numbers[0]
    assert mcse == pytest.approx((share * (1 - share) / trials) ** 0.5)


def test_a_design_on_paper_that_loses_its_power_is_told_with_its_cure(case):
    first = summary.of(case).decisions[0]
    assert first.title == "Dropout"
    assert "the power is 69.9% instead of 80%" in first.why
    assert "is 2/25, 6/32 if p0 is the rate among all enrolled patients" in first.why
    assert case.trial.how.keeps(case.as_run.two.minimax, case.requirements)
    assert case.as_run.two.minimax.n == 32


def test_a_design_that_keeps_its_limits_as_run_needs_no_cure(root):
    run = changed(root, design={"criterion": "minimax", "losses": "run"})
    assert "Dropout" not in [one.title for one in summary.of(run).decisions]


def test_a_date_that_is_safe_is_no_decision(root):
    late = changed(root, study={"completion": "2039-05-31"})
    titles = [one.title for one in summary.of(late).decisions]
    assert "The dates" not in titles
    assert "The dates" in [one.title for one in summary.of(changed(root)).decisions]


def test_at_most_three_decisions_and_always_one(root):
    for name in ("NCT07022301", "NCT07022301_p20_p40", "example", "smoke"):
        assert 1 <= len(summary.of(changed(root, name)).decisions) <= 3


def test_a_file_that_does_not_say_how_the_trial_is_run_has_no_months(root):
    example = changed(root, "example")
    found = summary.of(example)
    assert found.dearest == ()
    assert (list(summary.moments(example)), list(summary.dates(example)), summary.how_run(example)) == ([], [], "")
    assert [one.written[2] for one in summary.promises(example)] == [""] * 5
    assert "How the trial is run" in [one.title for one in found.decisions]
    assert protocol.protocol_sentences(example) == []


def test_the_assumptions_that_cost_most_stand_on_the_front_page(case):
    time, *_, power = summary.of(case).dearest
    assert "the assessment window of 24 weeks costs most time: with 12 weeks" in time
    assert power.startswith("Dropout of 10% costs most power")


def test_the_protocol_names_screening_hold_months_and_endpoints(case):
    said = str(text.protocol(case))
    assert "To enroll 25 patients, about 32 have to be screened (screening success 80%)." in said
    assert "Accrual is on hold from the last patient of the interim analysis until its decision: 4.8 months" in said
    assert (
        "On average the interim analysis takes place in month 17.6 and the primary decision is taken in month 23.3"
        in said
    )
    assert "Secondary endpoints are the disease control rate (DCR), progression-free survival (PFS)," in said
    assert "the sample size does not allow for dropout" in said


def test_the_protocol_of_a_design_that_allows_for_dropout_ends_with_no_other_power(root):
    run = changed(root, design={"criterion": "minimax", "losses": "run"})
    said = str(text.protocol(run))
    assert "The sample size allows for" in said
    assert "does not allow for dropout" not in said


def test_one_secondary_endpoint_is_singular(root):
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain["conduct"]["patients"] = {"toxicity": {"rate": 0.3, "limit": 0.5}}
    one = Case.of(params.load(plain))
    assert protocol.protocol_sentences(one)[-1] == "The secondary endpoint is toxicity of grade 3 or higher."
    plain["conduct"]["patients"] = {}
    assert "secondary" not in " ".join(protocol.protocol_sentences(Case.of(params.load(plain))))


def test_patients_to_screen_allow_for_those_who_are_replaced(case):
    plan = dataclasses.replace(case.plan, handling="replace")
    assert protocol.to_screen(plan, 0.3) == (28, 35)  # 25 / .9 and 28 / .8, rounded up
    assert protocol.to_screen(case.plan, 0.3) == (25, 32)


def test_accrual_that_continues_is_told_with_its_overrun(root):
    smoke = changed(root, "smoke")
    said = " ".join(protocol.protocol_sentences(smoke))
    overrun = protocol.timed(smoke)["p0"]["overrun"].best
    assert f"({overrun:.1f} on average over all trials at p0)" in said
    assert "hold" not in said


def test_a_stated_reading_of_p0_holds_on_paper_too(root):
    stated = changed(root, hypotheses={"p0_among": "enrolled"})
    assert stated.trial.losses == "paper"
    run = exact.operating_characteristics(stated.chosen, [0.1]).reject[0]
    error = next(iter(summary.promises(stated)))
    assert error.numbers[2] == pytest.approx(run, abs=1e-12)  # the law works at p0 / (1 - d) of twelve digits
    assert "(p0 being the rate among all enrolled patients)" in str(text.protocol(stated))
    frame = tables.compared(stated).tidy.set_index("looks")
    assert frame.loc["1/15, 5/25", "type_i_error_enrolled"] == error.numbers[2]
    evaluable = exact.operating_characteristics(stated.chosen, [0.09]).reject[0]
    assert frame.loc["1/15, 5/25", "type_i_error_evaluable"] == pytest.approx(evaluable)
