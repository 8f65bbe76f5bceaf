"""The protocol of a trial whose intercurrent events have several strategies agrees with its own estimand."""

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest

from simtrial.design.exact import operating_characteristics
from simtrial.documents import protocol, simulation_planning
from simtrial.phrases import percent
from simtrial.show.table import Table
from simtrial.trial import estimand, params, text
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
    words = simulation_planning._estimated(case, done)
    assert "The simulation does not distinguish these events" in words
    assert percent(estimand.of(case).stated.figures.power) in words


def test_with_one_strategy_nothing_changes(alike):
    case, document = alike
    sized = said(document, "10.11")
    assert "patients without a response assessment count as non-responders" in sized
    assert "Under these strategies" not in sized
    assert "death (12%) by the composite strategy" in sized
    assert "distinguish" not in simulation_planning._estimated(case, SimpleNamespace(plan=case.plan))


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
