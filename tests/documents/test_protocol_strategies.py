"""The protocol of a trial whose intercurrent events have several strategies agrees with its own estimand."""

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest

from simtrial.design.exact import operating_characteristics
from simtrial.documents import protocol, simulation_models
from simtrial.phrases import percent
from simtrial.show.table import Table
from simtrial.trial import estimand, params, text
from simtrial.trial import tables as trial_tables
from simtrial.trial.case import Case

EVENTS = {
    "death": {"probability": 0.04, "strategy": "composite"},
    "new_therapy": {"probability": 0.02, "strategy": "composite"},
    "withdrawal": {"probability": 0.03, "strategy": "hypothetical"},
    "missed_assessment": {"probability": 0.01, "strategy": "excluded"},
    "never_started": {"probability": 0.02, "strategy": "replaced"},
}
PLAIN = {
    "study": {"id": "S-1", "title": "A trial"},
    "hypotheses": {"p0": 0.15, "p1": 0.35, "alpha": 0.05, "power": 0.8, "basis": "assumed"},
    "design": {"looks": "1/9,8/34"},
    "conduct": {
        "enrollment": {"model": "constant", "rate": 3},
        "assessments": {"readout_months": 2},
        "patients": {"dcr": {"rate": 0.6}},
        "dropout": {"probability": 0.12, "handling": "nonresponder"},
        "interim": {"accrual": "hold", "decision_weeks": 0},
        "follow_up": {"months_after_last_patient": 0},
        "simulation": {"trials": 50},
    },
    "estimand": {"events": EVENTS},
}


def case_of(**changes):
    plain = copy.deepcopy(PLAIN)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = plain
        for key in way:
            place = place[key]
        place[last] = value
    return Case.of(params.load(plain))


def said(document, number):
    chapter = next(one for one in document.chapters if one.number == number)
    return "\n".join(chapter.texts())


def table(document, name):
    blocks = (block for chapter in document.chapters for block in chapter.blocks)
    return next(block for block in blocks if isinstance(block, Table) and block.name == name)


@pytest.fixture(scope="module")
def mixed():
    case = case_of()
    return case, protocol.of(case)


@pytest.fixture(scope="module")
def alike():
    case = case_of(estimand__events={"death": {"probability": 0.12}})
    return case, protocol.of(case)


def thinned(d=0.12):
    """Rates of counted responders among those not replaced, by hand: 1/4 of dropout counts as assessed."""
    kept = 1 - d * 9 / 12
    return [p * kept / (1 - d * 2 / 12) for p in (0.15, 0.35)]


def test_the_errors_are_those_under_the_strategies(mixed):
    case, document = mixed
    error, power = operating_characteristics(case.chosen, thinned()).reject
    sized = said(document, "10.11")
    stated = (
        f"exact type I error is {percent(error)} (p0 being the rate with every patient evaluable) and the exact power"
    )
    assert sized.count(f"Under these strategies the {stated} is {percent(power)}.") == 2  # size, and dropout
    found = estimand.of(case).stated.figures
    assert (found.type_i_error, found.power) == pytest.approx((error, power), abs=1e-12)


def test_events_stand_in_the_size_with_their_probabilities_and_strategies(mixed):
    sized = said(mixed[1], "10.11")
    for part in (
        "death (4%) and new anticancer therapy (2%) by the composite strategy",
        "missed or late assessment (1%) by exclusion",
        "treatment never started (2%) by replacement",
        "withdrawal (3%) by the hypothetical strategy",
    ):
        assert part in sized


def test_what_is_handled_alike_is_said_to_be(mixed):
    document = mixed[1]
    sized = said(document, "10.11")
    assert "The simulation handles all dropout alike: with 12% of the patients dropping out" in sized
    for number in ("10.2", "10.4.1.4", "10.5.1"):
        assert "with or without a response assessment" not in said(document, number)
    assert "patients without a response assessment count as non-responders" not in sized
    assert "none of them responded" not in said(document, "10.4.1.4")


def test_the_analysis_set_states_every_strategy(mixed):
    sets = table(mixed[1], "analysis_sets").frame
    primary = sets[sets.set == "Primary analysis set"].definition.item()
    for words in ("replaced by a new patient", "hypothetical strategy", "composite strategy", "is excluded from"):
        assert words in primary


def test_other_dropout_keeps_the_strategies_and_their_proportions(mixed):
    case, document = mixed
    frame = table(document, "other_dropout").frame
    for d, row in zip((0, 0.06, 0.12, 0.24), frame.itertuples(), strict=False):
        exact = operating_characteristics(case.chosen, thinned(d)).reject
        np.testing.assert_allclose((row.type_i_error, row.power), exact, atol=1e-12)


def test_the_simulation_report_says_that_it_does_not_distinguish_events(mixed):
    case, _ = mixed
    done = SimpleNamespace(plan=case.plan)
    words = simulation_models.estimated(case, done)
    assert "The simulation does not distinguish these events" in words
    assert percent(estimand.of(case).stated.figures.power) in words


def test_with_one_strategy_nothing_changes(alike):
    case, document = alike
    sized = said(document, "10.11")
    assert "patients without a response assessment count as non-responders" in sized
    assert "Under these strategies" not in sized
    assert "death (12%) by the composite strategy" in sized
    assert "distinguish" not in simulation_models.estimated(case, SimpleNamespace(plan=case.plan))


def test_strategies_without_probabilities_leave_a_mark():
    case = case_of(estimand__events={"withdrawal": {"strategy": "hypothetical"}})
    sized = said(protocol.of(case), "10.11")
    assert "[TO COMPLETE: probability of each intercurrent event, since their strategies differ]" in sized
    assert "all dropout is counted as non-responders" in sized


def test_a_search_under_dropout_is_said_to_handle_it_alike():
    case = case_of(design={"criterion": "minimax"})
    sized = text.sample_size(case).paragraphs[0]
    assert "The search handles all dropout in this way" in sized
    assert "with all dropout counted as non-responders." in sized
    assert percent(estimand.of(case).stated.figures.power) in sized


# whose rate p0 is


@pytest.mark.parametrize(
    ("design", "whose"),
    [
        ({"criterion": "minimax"}, "among all enrolled patients"),
        ({"criterion": "minimax", "losses": "paper"}, "if every patient were evaluable"),
        ({"looks": "1/9,8/34"}, "if every patient were evaluable"),
        ({"looks": "1/9,8/34", "losses": "run"}, "among all enrolled patients"),
    ],
)
def test_the_sensitivity_analysis_follows_whose_rate_p0_is(design, whose):
    case = case_of(design=design, estimand__events={"death": {"probability": 0.12}})
    document = protocol.of(case)
    assert f"p0 is the response rate {whose}" in said(document, "3.1")
    meaning = next(line for line in said(document, "10.4.1.4").splitlines() if line.startswith("Meaning of p0"))
    assert ("changes p0 from the response rate among all enrolled" in meaning) == (
        whose == "among all enrolled patients"
    )
    assert ("p0 is the response rate if every patient were evaluable" in meaning) == (
        whose != "among all enrolled patients"
    )


def test_the_schema_states_the_default_of_whose_rate_p0_is(root):
    words = params.json_schema()["$defs"]["Hypotheses"]["properties"]["p0_among"]["description"]
    assert "Default: enrolled with design.losses: run, evaluable with losses: paper." in words
    example = (root / "params/example.yaml").read_text(encoding="utf-8")
    assert "the default with losses: paper" in " ".join(example.replace("#", "").split())


# only what applies


def test_a_single_stage_names_no_method_of_two_stages():
    whole = json.dumps(protocol.of(case_of(design={"looks": "8/34"})).plain())
    assert "Koyama" not in whole
    assert "Dahlberg" not in whole
    assert "bounds recalculated at the sizes attained" in whole


# what other strategies cost


def test_the_appendix_prices_every_strategy(mixed):
    case, document = mixed
    frame = table(document, "strategies").frame
    assert frame.shape[0] == trial_tables.strategies(case).frame.shape[0] > 20
    taken = frame[frame.event == "All events (12%)"].iloc[0]
    np.testing.assert_allclose(
        [taken.type_i_error, taken.power], operating_characteristics(case.chosen, thinned()).reject, atol=1e-12
    )
    assert "cure" not in table(document, "strategies").shown  # six columns and their words fit on a page
    assert 'The appendix "what other strategies would cost"' in said(document, "3.1")


def test_without_dropout_there_is_no_appendix_of_prices():
    document = protocol.of(case_of(conduct__dropout={"probability": 0, "handling": "nonresponder"}, estimand={}))
    assert "would cost" not in json.dumps(document.plain())


# what p0 is worth if the earlier results are wrong


def test_earlier_results_give_the_error_by_the_true_rate():
    studies = [
        {"treatment": "A", "setting": "s", "about": "p0", "n": 60, "responders": x, "source": "S"} for x in (8, 12)
    ]
    case = case_of(evidence=studies)
    frame = table(protocol.of(case), "wrong_history").frame
    np.testing.assert_allclose(frame.reject, operating_characteristics(case.chosen, frame.p).reject, atol=1e-12)
    assert 0.15 in frame.p.to_numpy()
    assert "reject_run" not in table(protocol.of(case), "wrong_history").shown  # all dropout alike is not the estimand


@pytest.mark.parametrize("responders", [(0, 0), (6, 6)])
def test_equal_rates_are_one_rate(responders):
    studies = [
        {"treatment": "A", "setting": "s", "about": about, "n": 60, "responders": x, "source": "S"}
        for about in ("p0", "p1")
        for x in responders
    ]
    sized = said(protocol.of(case_of(evidence=studies)), "10.11")
    rate = percent(responders[0] / 60)
    assert f"each with a rate of {rate}" in sized
    assert f"have a response rate of {rate}" in sized
    assert f"from {rate} to {rate}" not in sized


# texts


def test_a_landmark_that_is_not_stated_is_marked():
    curves = {"pfs": {"median_months": 5, "hazard_ratio": 0.5}}
    missing = "PFS at month [TO COMPLETE: month at which PFS and OS are estimated]"
    assert missing in said(protocol.of(case_of(conduct__patients=curves)), "10.5.1")
    stated = said(protocol.of(case_of(conduct__patients=curves | {"landmark_months": 6})), "10.5.1")
    assert "PFS at month 6 has" in stated


@pytest.mark.parametrize(("looks", "early"), [("1/9,8/34", True), ("8/34", False)])
def test_the_toxicity_says_which_patients_it_is_of(looks, early):
    toxic = {"toxicity": {"rate": 0.2, "limit": 0.4}}
    words = said(protocol.of(case_of(design={"looks": looks}, conduct__patients=toxic)), "10.7")
    assert ("If the trial has all its 34 patients, this has the probability" in words) == early
    assert ("states the probability over all trials" in words) == early


def test_what_is_missing_in_the_estimand_is_listed_once(mixed):
    listed = [one["missing"] for one in mixed[1].to_complete() if one["missing"].startswith("reason for the")]
    assert listed == ["reason for the strategy for the intercurrent events"]
    assert "Reason: to be stated in section 3.1." in said(mixed[1], "10.4.1.2")


def test_texts_of_the_file_end_with_a_full_stop():
    rates = PLAIN["hypotheses"] | {"rationale": "As in second line"}
    document = protocol.of(case_of(protocol={"baseline": "Age is summarised"}, hypotheses=rates))
    assert said(document, "10.3") == "Age is summarised."
    assert "Reason for these rates: As in second line." in said(document, "10.11")


def test_only_endpoints_of_the_file_are_described(mixed):
    assert "Secondary endpoints are described without tests" in said(mixed[1], "10.10")
    bare = protocol.of(case_of(conduct__patients={}))
    assert "endpoints are described" not in said(bare, "10.10")
    assert "No other hypothesis is tested" in said(bare, "10.10")


def test_the_formula_of_one_look_defines_what_it_uses():
    method = said(protocol.of(case_of(design={"looks": "8/34"})), "10.4.1.1")
    assert "b(x; n, p)" not in method
    assert "B(x; n, p) is the binomial probability of at most x responses" in method


def test_p0_among_all_enrolled_counts_only_composite_events_as_non_response():
    case = case_of(design={"looks": "1/9,8/34", "losses": "run"})
    words = said(protocol.of(case), "3.1")
    assert "events with the composite strategy counting as non-response" in words
    assert "patients without a response assessment counting" not in words


def test_errors_under_the_strategies_say_what_they_leave_out():
    pending = {"accrual": "continue", "pending": "conditional", "threshold": 0.3}
    sized = said(protocol.of(case_of(conduct__interim=pending)), "10.11")
    error, power = map(percent, operating_characteristics(case_of().chosen, thinned()).reject)
    without = f"the exact power is {power}. These figures hold only if the interim analysis waits"
    assert sized.count(without) == 2
    assert f"exact type I error is {error} (p0 being" in sized
