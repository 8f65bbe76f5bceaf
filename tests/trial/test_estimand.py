"""The estimand of a parameter file: attributes, marks of what is missing, and the price of every strategy."""

import json
import re
from dataclasses import replace
from fractions import Fraction

import pytest

from simtrial import InputError, search
from simtrial.cli.app import main
from simtrial.conduct import simulation
from simtrial.explorer import controls
from simtrial.laws.losses import AMONG
from simtrial.laws.strategies import OF_HANDLING, Mixed
from simtrial.plan.plan import HANDLINGS
from simtrial.trial import estimand, estimand_words, params, tables, text
from simtrial.trial import strategies as trial_strategies
from simtrial.trial.case import Case
from simtrial.trial.intercurrent import EVENT_KINDS, LABELS

CONDUCT = {
    "enrollment": {"model": "constant", "rate": 2.0},
    "assessments": {"interval_weeks": 6, "window_weeks": 24, "confirmation_weeks": 4},
    "interim": {"accrual": "hold"},
    "follow_up": {"months_after_last_patient": 6},
}
EVENTS = {
    "death": {"probability": 0.03, "reason": "Death is a treatment failure"},
    "new_therapy": {"probability": 0.01},
    "withdrawal": {"probability": 0.03, "strategy": "replaced"},
    "missed_assessment": {"probability": 0.02, "strategy": "excluded", "source": "Two of 100 in an earlier trial"},
    "never_started": {"probability": 0.01, "strategy": "hypothetical"},
}


def plain(*, events=None, design=None, conduct=True, hypotheses=None, more=None, **rule):
    dropout = {"probability": 0.1, "handling": "nonresponder"} | rule
    dropout = {key: value for key, value in dropout.items() if value is not None}
    found = {
        "study": {"id": "EST", "title": "A trial with intercurrent events"},
        "hypotheses": {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8, "basis": "assumed"} | (hypotheses or {}),
        "design": design or {"criterion": "optimal"},
    }
    if conduct:
        found["conduct"] = CONDUCT | {"dropout": dropout}
    section = (more or {}) | ({"events": events} if events else {})
    return found | ({"estimand": section} if section else {})


def case(**given):
    return Case.of(params.load(plain(**given)))


def of(**given):
    return estimand.of(case(**given))


def by_strategy(priced):
    return {(one.strategy, one.bounds): one for one in priced}


@pytest.mark.parametrize("losses", ["paper", "run"])
@pytest.mark.parametrize("handling", HANDLINGS)
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_the_price_of_the_handling_is_what_the_trial_attains_as_run(handling, losses, ratio):
    bounds = "fixed" if handling == "exclude" else None
    one = case(design={"criterion": "optimal", "losses": losses}, handling=handling, bounds=bounds,
               responder_odds_ratio=ratio)  # fmt: skip
    found = estimand.of(one)
    (taken,) = [priced for priced in found.together if priced.taken]
    assert (taken.strategy, taken.bounds) == (OF_HANDLING[handling], bounds)
    for how in filter(None, (one.trial.how, one.trial.how.other)):
        run = how.figures(one.chosen, one.requirements)
        # both decide at rates of 12 digits
        assert taken.by_reading[how.among] == pytest.approx(run.type_i_error, rel=1e-11)
        assert taken.figures.power == pytest.approx(run.power, rel=1e-11)
    assert taken.figures == found.stated.figures
    # and it is what the front page gives as run
    done = one.expected(("reject", "n_enrolled"))
    assert taken.figures.type_i_error == pytest.approx(done["p0"]["reject"].best, rel=1e-11)
    assert taken.figures.power == pytest.approx(done["p1"]["reject"].best, rel=1e-11)
    assert taken.figures.en_p1 == pytest.approx(done["p1"]["n_enrolled"].best, rel=1e-9)


@pytest.mark.parametrize(("handling", "bounds"), [("nonresponder", None), ("replace", None), ("exclude", "recut")])
def test_the_simulated_trial_attains_what_its_strategy_is_priced_at(handling, bounds):
    one = case(handling=handling, bounds=bounds, hypotheses={"p0": 0.2, "p1": 0.45}, responder_odds_ratio=0.6)
    found, trials = estimand.of(one).stated.figures, 4000
    for index, (scenario, reject, enrolled) in enumerate(
        zip(one.scenarios[:2], (found.type_i_error, found.power), (found.en_p0, found.en_p1), strict=True)
    ):
        done = simulation.tally(one.plan, scenario, index, 1, trials, simulation.blocks(one.plan, trials))
        for name, exact in (("reject", reject), ("n_enrolled", enrolled)):
            estimate = done[name].estimate()
            # four standard errors: of twelve right values one is farther off in about one of 1300 seeds
            assert abs(estimate.value - exact) < 4 * estimate.mcse


def test_recalculated_bounds_of_the_file_are_priced_as_the_trial_is_run():
    one = case(handling="exclude", bounds="recut")
    found = estimand.of(one)
    (taken,) = [priced for priced in found.together if priced.taken]
    assert (taken.strategy, taken.bounds) == ("excluded", "recut")
    assert taken.figures == one.trial.how.figures(one.chosen, one.requirements)
    assert taken.keeps
    assert taken.cure.looks == one.chosen.looks


def test_the_change_of_one_event_leaves_the_others_as_they_are():
    one = case(events=EVENTS)
    found = estimand.of(one)
    assert found.each
    withdrawal = found.events[EVENT_KINDS.index("withdrawal")]
    assert (withdrawal.strategy, withdrawal.probability) == ("replaced", 0.03)
    shares = {"composite": Fraction(7, 10), "excluded": Fraction(2, 10), "hypothetical": Fraction(1, 10)}
    expected = Mixed.of(one.trial.how.loss, shares.items()).figures(one.chosen, one.requirements)
    assert by_strategy(withdrawal.alternatives)["composite", None].figures == expected
    for event in found.events:
        (taken,) = [priced for priced in event.alternatives if priced.taken]
        assert taken.figures == found.stated.figures


def test_an_event_that_never_happens_changes_nothing():
    events = {"death": {"probability": 0.06}, "withdrawal": {"probability": 0.04, "strategy": "replaced"}}
    found = of(events=events)
    event = found.events[EVENT_KINDS.index("never_started")]
    assert event.probability == 0
    assert {priced.figures for priced in event.alternatives} == {found.stated.figures}
    assert "Treatment never started" not in str(tables.strategies(case(events=events)).view())


def test_a_trial_with_excluded_patients_has_one_rule_for_their_bounds():
    found = of(events=EVENTS)
    death = by_strategy(found.events[0].alternatives)
    assert ("excluded", "fixed") in death  # a missed assessment is excluded, with bounds as planned
    assert ("excluded", "recut") not in death
    missed = by_strategy(found.events[EVENT_KINDS.index("missed_assessment")].alternatives)
    assert {("excluded", "fixed"), ("excluded", "recut")} <= set(missed)


def test_without_probabilities_every_event_is_priced_as_if_it_were_all_dropout():
    found = of()
    assert not found.each
    assert {event.probability for event in found.events} == {None}
    for event in found.events:
        assert event.alternatives == found.together
    assert "probabilities of the single events are not stated" in str(text.estimand(case()))


def test_different_strategies_need_the_probabilities_of_the_events():
    found = of(events={"death": {"strategy": "composite"}, "withdrawal": {"strategy": "replaced"}})
    assert found.stated is None
    assert found.to_complete[-1] == estimand.NO_PROBABILITY
    assert estimand.NO_PROBABILITY in estimand_words.price(case(), found)[1]


@pytest.mark.parametrize("given", [{"conduct": False}, {"probability": 0.0}], ids=["no conduct", "no dropout"])
def test_without_dropout_every_strategy_is_the_design_on_paper(given):
    one = case(**given)
    found, paper = estimand.of(one), one.at_limits
    for priced in (*found.together, *(priced for event in found.events for priced in event.alternatives)):
        figures = priced.figures
        assert [figures.type_i_error, figures.power, figures.en_p0, figures.en_p1] == [*paper.reject, *paper.en]
        assert priced.n_enrolled == one.n
    assert "on paper" in str(text.estimand(one))


def test_what_the_file_does_not_state_is_marked():
    marks = of(conduct=False).to_complete
    assert all(re.fullmatch(r"\[TO COMPLETE: [^\]]+\]", mark) for mark in marks)
    assert [mark.split(": ")[1].split(" ")[0].rstrip("]") for mark in marks] == [
        "population", "treatment", "assessment", "strategy", "reason",
    ]  # fmt: skip


def test_reasons_are_asked_for_events_that_the_file_states():
    found = of(events={"death": {"reason": "A failure"}, "withdrawal": {"strategy": "replaced"}})
    reasons = [mark for mark in found.to_complete if "reason" in mark]
    assert reasons == ["[TO COMPLETE: reason for the strategy for withdrawal before the first assessment]"]
    assert [event.reason for event in found.events if event.kind == "never_started"] == [""]
    assert estimand_words.handling(found)[4].endswith("(composite strategy).")
    assert [mark for mark in of(events={"death": {"reason": "A failure"}}).to_complete if "reason" in mark] == []


def test_what_the_file_states_is_taken_as_it_stands():
    words = {"population": "Adults\nwith lymphoma", "treatment": "Drug A", "endpoint": "Lugano", "summary": "The ORR"}
    events = {kind: {"reason": f"Because of {kind}"} for kind in EVENT_KINDS}
    found = of(more=words, events=events)
    assert (found.population, found.treatment) == ("Adults with lymphoma", "Drug A")
    assert (found.endpoint, found.summary) == ("Lugano", "The ORR")
    assert found.to_complete == ()


def test_the_endpoint_and_the_summary_follow_from_the_file():
    found = of()
    assert found.endpoint.endswith("by RECIST 1.1, by week 24 after enrollment, confirmed 4 weeks later")
    assert found.summary.endswith("among all enrolled patients, compared with p0 = 10%")
    assert of(handling="replace").summary.endswith("among the evaluable patients, compared with p0 = 10%")
    assert "neither replaced nor excluded" in of(events=EVENTS).summary


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"events": {"death": {"probability": 0.03}}},
         r"^trial\.estimand\.events have probabilities whose sum \(0\.03\) differs from conduct\.dropout\.probability "
         r"\(0\.1\)"),
        ({"events": {"death": {"probability": 0.03}}, "conduct": False},
         r"^trial\.estimand\.events have probabilities \(0\.03 together\) without the section conduct\.dropout"),
        ({"events": {"death": {"probability": 1.2}}}, r"^trial\.estimand\.events\.death\.probability \(1\.2\)"),
        ({"events": {"death": {"strategy": "ignored"}}},
         r"^trial\.estimand\.events\.death\.strategy \('ignored'\) is unknown; write 'composite'"),
        ({"events": {"progress": {}}}, r"^trial\.estimand\.events\.progress is not a known key"),
        ({"events": {kind: {"strategy": "replaced"} for kind in EVENT_KINDS}},
         r"^trial\.estimand\.events \(replaced for every event\) contradicts conduct\.dropout\.handling"),
        ({"more": {"population": "x" * 1001}}, r"^trial\.estimand\.population"),
        ({"more": {"treatment": 7}}, r"^trial\.estimand\.treatment \(7\) is not text"),
    ],
)  # fmt: skip
def test_a_wrong_section_is_refused_with_the_key_the_value_and_the_remedy(given, said):
    with pytest.raises(InputError, match=said) as error:
        params.load(plain(**given))
    assert len(error.value.lines) == 1


def test_events_divide_a_dropout_that_follows_from_a_hazard():
    # 1 - exp(-0.0763 x 1.38) is 0.1000
    found = of(probability=None, hazard_per_month=0.0763, events=EVENTS)
    assert sum(event.probability for event in found.events) == pytest.approx(found.dropout.probability, rel=1e-12)


def test_p0_is_read_in_both_ways_where_they_differ():
    found = of(hypotheses={"p0_among": "evaluable"})
    composite = found.together[0]
    assert composite.figures.type_i_error == composite.by_reading["evaluable"] < composite.by_reading["enrolled"]
    assert found.readings_differ
    assert not of(conduct=False).readings_differ
    heads = list(tables.strategies(case()).view())
    assert [head for head in heads if head.startswith("Type I error")] == [
        "Type I error, p0 among all enrolled", "Type I error, p0 with all evaluable",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "looks", ["5/25", "1/10,5/29", "0/5,2:6/12,:9/20,8/40", "1:5/10,5/29"], ids=["one", "two", "four", "efficacy"]
)
def test_any_design_is_priced(looks):
    found = of(design={"looks": looks}, events=EVENTS)
    assert all(priced.figures for event in found.events for priced in event.alternatives)
    recut = [one for one in found.together if one.bounds == "recut"]
    assert len(recut) == (0 if looks.count(",") > 1 else 1)


def test_the_design_beside_a_strategy_keeps_both_limits_under_it():
    one = case(design={"looks": "1/10,5/29"})
    for priced in estimand.of(one).together:
        if priced.bounds == "recut":
            continue
        mixed = Mixed.of(one.trial.how.loss, [(priced.strategy, Fraction(1))], among=one.trial.reading, informed=False)
        assert mixed.keeps(priced.cure, one.requirements)
        assert priced.keeps == mixed.keeps(one.chosen, one.requirements)


def test_a_large_search_is_left_out(monkeypatch):
    monkeypatch.setattr(trial_strategies, "MOST_SEARCHED", 10)
    monkeypatch.setattr(trial_strategies, "MOST_SEARCHED_RECUT", 10)
    assert {one.cure for one in of().together} == {None}


def test_what_cannot_be_priced_says_why():
    one = case(probability=0.95, design={"looks": "5/25"})
    found = estimand.of(one)
    replaced = by_strategy(found.together)["replaced", None]
    assert replaced.figures is None
    assert "above 0.9" in replaced.why_not
    assert "–" in set(tables.strategies(one).view()["Power"])


def test_the_tables_hold_every_attribute_and_every_strategy():
    one = case(events=EVENTS)
    found = estimand.of(one)
    attributes = tables.estimand(one).view()
    assert list(attributes["Attribute"])[:3] == ["Population", "Treatment", "Endpoint"]
    assert len(attributes) == 4 + len(EVENT_KINDS)
    assert f"Intercurrent event: {LABELS['death']}" in set(attributes["Attribute"])
    priced = tables.strategies(one)
    assert sum(priced.chosen) == len(EVENT_KINDS) + 1
    assert len(priced.frame) == sum(len(event.alternatives) for event in found.events) + 1 + len(found.together)
    assert priced.frame["power"].iloc[0] == found.events[0].alternatives[0].figures.power


def test_the_sentences_for_the_protocol_name_each_event_its_handling_and_the_reason():
    found = of(events=EVENTS)
    said = estimand_words.handling(found)
    assert said[0] == (
        "Death before the first assessment (expected in 3% of the patients): the patient counts as a non-responder "
        "(composite strategy). Reason: Death is a treatment failure."
    )
    assert said[1].endswith(
        "Reason: [TO COMPLETE: reason for the strategy for new anticancer therapy before the first assessment]"
    )
    missing = " ".join(estimand_words.missing_data(found, case().requirements))
    assert "no response is missing" in missing
    assert "excluded and replaced" in missing
    assert "[TO COMPLETE: method by which the response without the event is obtained" in missing
    assert estimand_words.objective(found)[0].startswith("The primary estimand is defined by five attributes")


def test_an_informative_dropout_is_named_with_what_it_does():
    found = of(handling="replace", responder_odds_ratio=0.5)
    said, _ = estimand_words.missing_data(found, case().requirements)
    assert "0.5 times as large" in said
    assert "10.5% at 10%" in said


def test_a_limit_that_is_missed_is_named():
    assert "It does not keep both limits." in str(text.estimand(case(design={"looks": "1/10,5/29"})))
    assert "It does not keep both limits." not in str(text.estimand(case()))


def test_a_mixture_says_that_the_rest_of_the_report_handles_dropout_alike():
    assert "The search and the simulation handle every dropout alike" in str(text.estimand(case(events=EVENTS)))
    assert "handle every dropout alike" not in str(text.estimand(case()))


def test_the_command_gives_the_estimand_as_json(tmp_path, capsys):
    file = tmp_path / "trial.yaml"
    one = params.load(plain(events=EVENTS))
    file.write_text(params.written(one), encoding="utf-8")
    assert main(["estimands", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["estimand"].keys() == {"population", "treatment", "endpoint", "summary", "p0_among"}
    assert [event["event"] for event in said["events"]] == list(EVENT_KINDS)
    found = estimand.of(Case.of(one))
    assert said["to_complete"] == list(found.to_complete)
    assert said["as_stated"]["power"] == found.stated.figures.power
    for event, expected in zip(said["events"], found.events, strict=True):
        assert [row["taken"] for row in event["alternatives"]].count(True) == 1
        for row, priced in zip(event["alternatives"], expected.alternatives, strict=True):
            assert row["type_i_error"] == priced.figures.type_i_error
            assert row["keeps"] is priced.keeps
            assert row["type_i_error_by_p0_among"] == {among: priced.by_reading[among] for among in AMONG}


def test_the_command_shows_a_table_per_event(tmp_path, capsys):
    file = tmp_path / "trial.yaml"
    file.write_text(params.written(params.load(plain(events=EVENTS))), encoding="utf-8")
    assert main(["estimands", str(file)]) == 0
    said = capsys.readouterr().out
    for event in EVENTS:
        assert f"{LABELS[event]} (" in said
    assert "To complete in the parameter file" in said


def test_the_section_is_written_and_read_again():
    one = params.load(plain(events=EVENTS, more={"population": "Adults: all, # of them"}))
    assert params.load(one.plain()) == one


def test_events_leave_a_screen_whose_dropout_changes():
    one = params.load(plain(events=EVENTS, more={"population": "Adults"}))
    before = controls.of(one)
    changed = controls.applied(replace(before, dropout=0.2), one)
    assert changed.estimand.population == "Adults"
    assert changed.estimand.events is None


def test_the_search_of_the_file_does_not_depend_on_its_estimand():
    assert (
        case(events=EVENTS).chosen.looks == case().chosen.looks == search.two_stage(case().limits).optimal.design.looks
    )
