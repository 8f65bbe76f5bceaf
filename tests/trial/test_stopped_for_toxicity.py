"""Files with a rule for toxicity: how the trial is run, what is said of it, what leaves the rule aside."""

import json

import pytest

from simtrial import InputError
from simtrial.cli.app import main
from simtrial.documents.facts import Facts
from simtrial.laws import laws
from simtrial.months import WEEK
from simtrial.toxicity.joint import endings
from simtrial.trial import calendar, compared, params, text, words
from simtrial.trial.case import Case

RULE = {
    "rule": "pocock",
    "acceptable_rate": 0.2,
    "unacceptable_rate": 0.4,
    "crossing_probability": 0.1,
    "window_weeks": 8,
    "source": "Draft of the protocol",
}
GIVEN = {"rate": 0.3, "limit": 0.45, "odds_ratio": 2}


def plain(*, rule=RULE, toxicity=GIVEN, loss=0.1, **design):
    patients = {} if toxicity is None else {"patients": {"toxicity": toxicity}}
    return {
        "study": {"id": "T", "title": "A trial"},
        "hypotheses": {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8, "basis": "assumed", "rationale": "r"},
        "design": (design or {"looks": "1/10,5/29"}) | ({} if rule is None else {"toxicity": rule}),
        "conduct": {
            "enrollment": {"model": "constant", "rate": 2.5},
            "assessments": {"interval_weeks": 6, "window_weeks": 24},
            "dropout": {"probability": loss, "handling": "nonresponder"},
            "interim": {"accrual": "hold"},
            "follow_up": {"months_after_last_patient": 6},
            "simulation": {"trials": 400, "seed": 1},
            **patients,
        },
    }


def case(**changes):
    return Case.of(params.load(plain(**changes))).checked("file")


def test_a_file_with_a_rule_and_a_criterion_is_read_and_its_rule_is_that_of_its_design():
    # the rule is calibrated at the patients of the design, and refused for none of those that are tried on the way
    one = case(criterion="optimal")
    assert one.plan.toxicity_rule == one.toxicity_rule
    assert one.toxicity_rule.boundary.n == one.n
    assert one.plan.toxicity_rule.window == pytest.approx(8 * WEEK)
    assert (one.plan.toxicity.rate, one.plan.toxicity.odds_ratio) == (0.3, 2.0)


def test_without_a_rate_of_its_own_a_trial_is_run_at_the_acceptable_rate():
    plan = case(toxicity=None).plan
    assert (plan.toxicity.rate, plan.toxicity.limit, plan.toxicity.odds_ratio) == (0.2, 0.4, 1.0)


def test_a_rule_without_a_look_within_the_design_is_refused_by_its_key():
    with pytest.raises(InputError, match="has no look at 29 patients or fewer"):
        case(rule={k: RULE[k] for k in RULE if k not in ("rule", "crossing_probability")} | {"boundary": "9/40"})


def test_the_assumptions_state_the_rule_its_rates_and_its_window():
    rows = {name: (said, source) for name, said, source in words.rows(case().trial)}
    assert rows["Rule for toxicity"] == (
        "a boundary of Pocock type, crossed with probability 10% or less at the acceptable rate; a look at every "
        "patient; acceptable rate 20%, unacceptable rate 40%; toxicities count within 8 weeks of enrollment",
        "Draft of the protocol",
    )
    assert rows["Toxicity of grade 3 or higher"][0].endswith("exceeds 45%; odds ratio of response and toxicity 2")
    given = {k: RULE[k] for k in RULE if k not in ("rule", "crossing_probability")} | {"boundary": "3/10,5/20"}
    rows = {name: said for name, said, _ in words.rows(case(rule=given).trial)}
    assert rows["Rule for toxicity"].startswith(
        "the trial stops if these numbers of patients have had a toxicity: 3/10, 5/20; acceptable rate 20%"
    )
    some = {name: said for name, said, _ in words.rows(case(rule=RULE | {"looks_at": [10, 20]}).trial)}
    assert "; looks at these numbers of patients: 10, 20; " in some["Rule for toxicity"]
    later = {name: said for name, said, _ in words.rows(case(rule=RULE | {"first_look": 5}).trial)}
    assert "; a look at every patient from number 5 on; " in later["Rule for toxicity"]
    assert "Rule for toxicity" not in {name for name, _, _ in words.rows(case(rule=None).trial)}


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_the_sample_size_paragraph_gives_the_errors_with_the_rule_and_without_it(loss):
    one = case(loss=loss)
    said = " ".join(text.sample_size(one).paragraphs)
    assert "the rule for toxicity left aside. " in said
    exact = [laws.exact_values(one.plan, scenario)["reject"] for scenario in one.scenarios[:2]]
    dropout = "With 10% of the patients dropping out before their first assessment and counted as non-responders, the"
    assert (
        f"{dropout if loss else 'The'} trial is run under the rule that stops it for toxicity (rate 30%, odds ratio "
        f"with response 2). The type I error is then {100 * exact[0]:.1f}%"
    ) in said
    assert f"the power is {100 * exact[1]:.1f}%" in said
    assert "toxicity" not in " ".join(text.sample_size(case(rule=None)).paragraphs)


def test_a_rule_without_an_exact_law_is_said_to_be_simulated():
    data = plain()
    data["conduct"]["dropout"]["handling"] = "replace"
    said = " ".join(text.sample_size(Case.of(params.load(data))).paragraphs)
    assert "The rule for toxicity changes these probabilities; those of the trial as it is run are simulated." in said


def test_figures_that_leave_the_rule_aside_say_so():
    one, other = case(criterion="optimal"), case(criterion="optimal", rule=None)
    aside = "These figures hold only if the trial is not stopped for toxicity;"
    assert aside in words.unless(one)
    assert aside not in words.unless(other)
    assert aside in " ".join(text.limits_hold(one).paragraphs)
    assert Facts(one).stops[1].endswith(", the rule for toxicity left aside")
    assert "toxicity" not in Facts(other).stops[1]


def test_the_calendar_chooses_among_trials_that_are_not_stopped_for_toxicity_and_says_so():
    one, other = case(criterion="fastest_p0"), case(criterion="fastest_p0", rule=None)
    assert one.chosen == other.chosen
    assert one.proof == other.proof
    assert calendar.WITHOUT_TOXICITY in calendar.sentences(one)
    assert calendar.WITHOUT_TOXICITY not in calendar.sentences(other)
    # beside the choice stand the months as the trial is run
    chosen, free = (calendar.as_run(each, each.chosen) for each in (one, other))
    assert chosen.plan == one.plan
    assert chosen.values["duration_months", "p1"].value < free.values["duration_months", "p1"].value - 1
    assert chosen.values["duration_months", "p1"].mcse > 0


def test_designs_are_compared_as_they_are_run_with_the_rule():
    one = case(criterion="minimax")
    (mine,) = [design for design in compared.candidates(one).designs if design.chosen]
    seen = float(one.plan.dropout.seen(0.3))
    joint = endings(one.chosen, one.toxicity_rule.boundary, p=seen, toxicity=0.3, odds_ratio=2)
    assert mine.values["power_run"].value == pytest.approx(joint.reject, abs=1e-12)
    assert mine.values["n_enrolled_p1"].mcse > 0
    assert mine.values["power_paper"].value > mine.values["power_run"].value + 0.2


def test_simulate_gives_stops_for_toxicity_and_the_exact_value_without_the_rule(capsys, tmp_path):
    file = tmp_path / "t.yaml"
    file.write_text(json.dumps({"trial": plain()}), encoding="utf-8")
    assert main(["simulate", str(file), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["scenarios"][0]
    one = case()
    exact = laws.exact_values(one.plan.by_responses, one.scenarios[0])["reject"]
    assert first["reject"]["exact_without_toxicity_rule"] == exact
    assert first["reject"]["exact"] == laws.exact_values(one.plan, one.scenarios[0])["reject"] < exact
    assert list(first["toxicity_stopped"]) == ["value", "mcse", "exact"]
    assert first["toxicities"]["value"] > 0
    assert main(["simulate", str(file)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "P(stop for toxicity)" in said
    assert "P(reject H0) without the rule for toxicity" in said
    assert "had a toxicity (b/n: 3/4, 4/7, 5/10, 6/13, 7/17," in said
    file.write_text(json.dumps({"trial": plain(rule=None)}), encoding="utf-8")
    assert main(["simulate", str(file), "--json"]) == 0
    assert not {"toxicity_stopped", "toxicities"} & set(json.loads(capsys.readouterr().out)["scenarios"][0])
