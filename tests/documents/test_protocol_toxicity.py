"""Sections 4.3, 10.7 and 10.9 to 10.11 of a protocol with a rule for toxicity: stated alike, with exact values."""

import copy
import io
import itertools
import json
import math

import docx
import pytest
from scipy import stats

from simtrial.documents import deviations, protocol, simulation_models, simulation_planning
from simtrial.laws import laws
from simtrial.phrases import percent, stated
from simtrial.show import word
from simtrial.show.picture import Picture
from simtrial.show.table import Table
from simtrial.toxicity import text as toxicity_text
from simtrial.toxicity.association import cells
from simtrial.toxicity.boundary import crossing
from simtrial.trial import figures, params, safety
from simtrial.trial.case import Case

TEXTS = {
    "sap": "A separate plan is completed before the interim analysis.",
    "software": "R 4.5",
    "baseline": "Age and sex are summarised.",
    "secondary_events": "Patients are censored at a new anticancer therapy",
    "safety_set": "All treated patients",
    "safety": "The safety committee reviews every toxicity within a week",
    "toxicity": "Toxicity of grade 3 or higher (CTCAE 5.0) that is related to the treatment",
    "stopping": "Slow accrual",
    "interim_performed_by": "The trial statistician",
    "interim_reviewed_by": "The safety committee",
    "interim_decided_by": "The sponsor",
    "interim_seen_by": "The trial statistician and the safety committee",
    "integrity": "Investigators learn only whether the trial continues",
}


@pytest.fixture(scope="module")
def plain(root):
    found = params.load(root / "params/toxicity.yaml").plain()
    found["conduct"]["simulation"]["trials"] = 200  # no number that is tested is simulated
    return found


def case(plain, **changes):
    found = copy.deepcopy(plain)
    for path, value in changes.items():
        *way, last = path.split("__")
        section = found
        for key in way:
            section = section.setdefault(key, {})
        if value is None:
            section.pop(last, None)
        else:
            section[last] = value
    return Case.of(params.load(found))


@pytest.fixture(scope="module")
def made(plain):
    found = case(plain)
    return found, protocol.of(found)


def section(document, number):
    return next(chapter for chapter in document.chapters if chapter.number == number)


def said(document, number):
    return "\n".join(section(document, number).texts())


@pytest.mark.parametrize("number", ["4.3", "10.9"])
def test_the_rule_is_stated_in_the_same_words_where_it_stops_and_where_it_is_monitored(made, number):
    found, document = made
    assert toxicity_text.stops(found.toxicity_rule.boundary) in said(document, number)
    assert "within 6 weeks of enrollment" in said(document, number)


def test_toxicity_is_no_other_reason_to_stop_where_it_has_its_rule(made):
    assert "such as slow accrual" in said(made[1], "4.3")
    assert "such as toxicity" not in said(made[1], "4.3")


def test_the_section_on_safety_holds_the_table_to_print_and_what_the_boundary_attains(made):
    found, document = made
    rule, text = found.toxicity_rule, said(made[1], "10.7")
    tables = {block.name: block for block in section(document, "10.7").blocks if isinstance(block, Table)}
    frame = tables["toxicity_counts"].frame
    assert frame.crossed_acceptable.iloc[-1] == pytest.approx(float(crossing(rule.boundary, [0.2]).ever[0]))
    for rate in (0.2, 0.4):
        assert percent(float(crossing(rule.boundary, [rate]).ever[0])) in text
        assert f"{percent(safety.seen_at_stop(rule.boundary, rate))} " in text
    assert "overestimates the true rate on average" in text
    assert "does not adjust for the stop" in text


def test_the_flow_of_the_protocol_holds_both_rules_with_the_probabilities_of_the_front_page(made, plain):
    def pictures(document):
        return [block for block in section(document, "10.4.1.1").blocks if isinstance(block, Picture)]

    found, document = made
    (flow,) = pictures(document)
    (front,) = figures.rules(found)
    assert (flow.name, flow.caption, flow.alt) == (front.name, front.caption, front.alt)
    assert "with the rule for toxicity" in flow.caption
    both = safety.needed(found)
    assert f"{percent(both.type_i_error)} at p0 and {percent(both.power)} at p1" in flow.alt
    (without,) = pictures(protocol.of(case(plain, design__toxicity=None)))
    assert without.name == "flow"


def test_the_operating_characteristics_stand_without_the_rule_and_with_it(made, plain):
    found, document = made
    both = safety.needed(found)
    (table,) = (block for block in section(document, "10.4.1.1").blocks if isinstance(block, Table))
    at = {row.p: row for row in table.frame.itertuples()}
    assert at[0.3].reject == pytest.approx(both.alone(0.3).reject, abs=1e-12)
    assert at[0.3].reject_with_rule == pytest.approx(both.power, abs=1e-12)
    assert "the rule for toxicity left aside" in table.caption
    assert both.included in table.caption
    whole = json.dumps(protocol.of(case(plain, design__toxicity=None)).plain())
    assert "left aside" not in whole


def brute(looks, boundary, law, limit):
    """P(more than the limit have had a toxicity at the end), over all sequences of patients."""
    (neither, first, second, both), (n1, r1), n = law, looks[0], looks[-1][0]
    chances = {(0, 0): neither, (1, 0): first, (0, 1): second, (1, 1): both}
    found = 0.0
    for patients in itertools.product(chances, repeat=n):
        chance = math.prod(chances[one] for one in patients)
        for now in range(1, n + 1):
            responses, toxic = (sum(one[k] for one in patients[:now]) for k in (0, 1))
            stops = now in boundary and toxic >= boundary[now]
            if stops or (now == n1 and responses <= r1) or now == n:
                found += chance * (toxic / now > limit)
                break
    return found


@pytest.mark.parametrize("odds_ratio", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("limit", [0.3, 0.5, 0.6])
def test_the_share_above_the_limit_at_the_end_agrees_with_every_path(plain, odds_ratio, limit):
    changes = {
        "design__looks": "0/3,2/7",
        "design__criterion": None,
        "design__toxicity": {"boundary": "2/2,3/5,5/7", "acceptable_rate": 0.2, "unacceptable_rate": 0.4,
                             "window_weeks": 6},
        "conduct__patients__toxicity": {"rate": 0.25, "limit": limit, "odds_ratio": odds_ratio},
    }  # fmt: skip
    both = safety.needed(case(plain, **changes))
    one = cells(0.3, 0.25, odds_ratio)
    law = (one.neither, one.first, one.second, one.both)
    assert both.exceeding(0.3, 0.25, limit) == pytest.approx(
        brute([(3, 0), (7, 2)], {2: 2, 5: 3, 7: 5}, law, limit), abs=1e-12
    )


def test_the_comparison_with_the_limit_is_that_of_trials_which_the_boundary_may_stop(made):
    found, document = made
    both, text = safety.needed(found), said(document, "10.7")
    for p in (0.1, 0.3):
        for rate in (0.25, 0.4):
            assert percent(both.exceeding(p, rate, 0.4)) in text
    assert "the simulation report (simulation_report.docx) states the probability as it is run" in text
    assert "has all its" not in text


def test_that_the_boundary_cannot_be_crossed_leaves_a_binomial_probability(plain):
    never = {"boundary": "25/25", "acceptable_rate": 0.2, "unacceptable_rate": 0.4, "window_weeks": 6}
    both = safety.needed(case(plain, design__criterion="single_stage_first", design__toxicity=never))
    assert both.case.n == 25
    assert both.exceeding(0.1, 0.25, 0.4) == pytest.approx(float(stats.binom.sf(10, 25, 0.25)), abs=1e-12)


@pytest.mark.parametrize(
    ("handling", "looks", "beyond"),
    [("nonresponder", None, ""), ("replace", None, "after the first 25 are not monitored"),
     ("nonresponder", [5, 10, 15, 20], "after the first 20 are not monitored")],
)  # fmt: skip
@pytest.mark.parametrize("number", ["4.3", "10.7"])
def test_every_enrolled_patient_counts_for_toxicity_and_who_is_not_monitored_is_said(
    plain, number, handling, looks, beyond
):
    text = said(protocol.of(case(plain, design__toxicity__looks_at=looks, conduct__dropout__handling=handling)), number)
    assert "Every enrolled patient counts for toxicity, in the order of enrollment" in text
    assert ("patients who are replaced count as well" in text) == (handling == "replace")
    assert (beyond or "not monitored") in text if beyond else "not monitored" not in text


@pytest.mark.parametrize(
    ("looks", "applies"),
    [(None, "the bounds apply to the first n patients enrolled, for every n from 3 to 25."),
     ([5, 10, 15, 20, 25], "the bounds apply to the first 5, 10, 15, 20 or 25 patients enrolled.")],
)  # fmt: skip
def test_each_toxicity_is_counted_when_it_occurs_and_the_bounds_name_their_patients(plain, looks, applies):
    text = said(protocol.of(case(plain, design__toxicity__looks_at=looks)), "10.9")
    assert f"Timing: each toxicity is counted when it occurs; {applies}" in text
    assert "whenever a toxicity occurs" not in text


def test_accrual_is_not_said_to_continue_where_an_interim_analysis_holds_it(plain, made):
    held = said(made[1], "10.9")
    assert "does not stop for the monitoring of toxicity until the boundary is crossed; that it is on hold" in held
    assert "continues until the boundary" not in held
    free = said(protocol.of(case(plain, conduct__interim__accrual="continue")), "10.9")
    assert "does not stop for the monitoring of toxicity until the boundary is crossed." in free


def test_stops_for_futility_are_those_of_a_trial_with_both_rules(made):
    found, document = made
    (table,) = (block for block in section(document, "10.9").blocks if isinstance(block, Table))
    for rate, p in (("p0", 0.1), ("p1", 0.3)):
        at = safety.needed(found).at(p, 0.2)
        assert table.frame[f"stop_{rate}"].item() == pytest.approx(at.shares["futility"], abs=1e-12)
    assert safety.needed(found).included.removeprefix("with ") in table.caption


def test_the_type_i_error_of_multiplicity_is_given_without_the_rule_and_with_it(made):
    both, text = safety.needed(made[0]), said(made[1], "10.10")
    assert f"is {percent(both.alone(0.1).reject)} at p = 0.1, every patient being evaluable, the rule for" in text
    assert f"it is {percent(both.type_i_error)}." in text
    assert "the whole rule" not in text


def test_the_rates_that_keep_the_limits_hold_with_the_rule_at_its_acceptable_rate(made):
    found, document = made
    both = safety.needed(found)
    largest, least = deviations.keeping_beside(both)
    assert both.at(largest, 0.2).reject <= 0.05 < both.at(largest + 0.001, 0.2).reject
    assert both.at(least - 0.001, 0.2).reject < 0.8 <= both.at(least, 0.2).reject
    text = said(document, "10.11")
    assert f"up to {stated(largest)}, and at least 80% for every response rate from {stated(least)} on" in text
    assert f"at 15% it is {percent(both.at(0.15, 0.2).reject)}" in text


def test_a_power_that_the_rule_leaves_to_no_rate_is_said_to_be_reached_at_none(plain):
    often = {"boundary": "2/5,6/25", "acceptable_rate": 0.2, "unacceptable_rate": 0.4, "window_weeks": 6}
    found = case(plain, design__toxicity=often)
    assert safety.needed(found).at(1.0, 0.2).reject < 0.8
    assert deviations.keeping_beside(safety.needed(found))[1] is None
    assert "at no response rate as large as 80%" in said(protocol.of(found), "10.11")


def test_the_assurance_is_that_of_the_trial_with_its_rule(plain):
    scenario = [{"label": "assurance", "beta": [11, 23]}]
    found = case(plain, conduct__scenarios=scenario)
    without = case(plain, conduct__scenarios=scenario, design__toxicity=None)
    chances = [deviations.success(one, one.scenarios[2]) for one in (found, without)]
    assert chances[0] == laws.exact_values(found.plan, found.scenarios[2])["reject"]
    assert chances[0] < chances[1]
    text = said(protocol.of(found), "10.11")
    assert f"(with the rule for toxicity, at a rate of toxicity of 25%) is {percent(chances[0])}" in text


def test_an_expected_month_counts_a_stop_for_toxicity_as_the_decision_and_says_so(plain, made):
    clause = "a stop for toxicity counts as this decision (rate of toxicity 25%)"
    assert clause in json.dumps(section(made[1], "10.1").blocks, default=str)
    without = protocol.of(case(plain, design__toxicity=None))
    assert "counts as this decision" not in json.dumps(section(without, "10.1").blocks, default=str)


def test_what_earlier_results_mean_for_the_decision_leaves_the_rule_aside_and_says_so(plain):
    evidence = [
        {"treatment": "Drug B", "setting": "second line", "about": "p0", "n": n, "responders": x, "source": "A 2020"}
        for n, x in ((50, 5), (40, 6), (60, 4))
    ]
    document = protocol.of(case(plain, evidence=evidence))
    assert "leave the rule for toxicity aside, which can only lower" in said(document, "10.11")
    captions = {b.name: b.caption for b in section(document, "10.11").blocks if isinstance(b, Table)}
    assert captions["wrong_history"].endswith(", the rule for toxicity left aside")
    assert captions["precision"].endswith(", the rule for toxicity left aside")


def test_the_simulation_report_counts_a_stop_for_toxicity_as_the_decision(plain, made):
    def definition(found):
        frame = simulation_planning.measures(found.simulated).frame
        return frame.definition[frame.measure == "months to the primary decision"].item()

    assert definition(made[0]).endswith("A stop for toxicity counts as this decision.")
    assert "toxicity" not in definition(case(plain, design__toxicity=None))


def test_the_comparison_with_the_limit_stops_nothing_but_the_boundary_does(plain, made):
    assert "This comparison does not stop the trial; the boundary below does." in said(made[1], "10.7")
    without = protocol.of(case(plain, design__toxicity=None))
    assert "This comparison does not stop the trial." in said(without, "10.7")


def test_the_monitoring_is_an_interim_analysis_with_all_that_is_asked_of_one(made):
    points = said(made[1], "10.9").partition("Monitoring of toxicity")[2] or said(made[1], "10.9")
    for label in ("Purpose", "Method", "Timing", "Performed and reviewed", "Decision", "Accrual meanwhile",
                  "Access to data and results", "Effect on the test of H0"):  # fmt: skip
        assert f"{label}: " in points
    assert safety.needed(made[0]).effect in points


def test_without_looks_at_the_responses_toxicity_alone_is_monitored(plain):
    document = protocol.of(case(plain, design__criterion="single_stage_first"))
    assert said(document, "10.9").startswith("No interim analysis of the primary endpoint is planned.")
    assert "Monitoring of toxicity" in json.dumps(document.plain())
    assert "no number of responses stops the trial early" in said(document, "4.3")
    assert "Accrual stops if" in said(document, "4.3")
    assert "it is on hold" not in said(document, "10.9")
    assert " at p0 and " not in said(document, "10.7")  # the boundary alone stops the trial early


def test_the_rule_raises_no_error_and_its_price_stands_with_the_sample_size(made):
    found, document = made
    assert "cannot raise the type I error" in said(document, "10.10")
    assert safety.needed(found).effect in said(document, "10.11")
    assert "The sample size does not allow for the rule for toxicity." in said(document, "10.11")
    names = [block.name for block in section(document, "10.11").blocks if isinstance(block, Table)]
    assert "toxicity_price" in names
    assert "Ivanova A" in said(document, "10.11")


def test_what_deviations_from_the_assumed_dropout_change_leaves_the_rule_out_and_says_so(plain, made):
    def other(document):
        (table,) = (b for b in section(document, "10.11").blocks if isinstance(b, Table) and b.name == "other_dropout")
        return table

    with_rule, without = other(made[1]), other(protocol.of(case(plain, design__toxicity=None)))
    assert "without the rule for toxicity" in with_rule.caption
    assert with_rule.frame.equals(without.frame)


def test_everything_that_is_to_be_completed_can_be_stated_in_the_file(plain):
    events = {
        kind: {"reason": "The patient has no benefit"}
        for kind in ("death", "new_therapy", "withdrawal", "missed_assessment", "never_started")
    }
    estimand = {"population": "Adults", "treatment": "Drug A", "events": events}
    evidence = [{"treatment": "Drug B", "setting": "second line", "n": 50, "responders": 5, "source": "A et al. 2020"}]
    dcr = {"rate": 0.6, "at_orr": 0.3}
    filled = case(plain, protocol=TEXTS, estimand=estimand, evidence=evidence, conduct__patients__dcr=dcr)
    document = protocol.of(filled)
    assert document.to_complete() == []
    whole = json.dumps(document.plain())
    assert all(text.rstrip(".") in whole for text in TEXTS.values())
    less = {key: text for key, text in TEXTS.items() if key != "toxicity"}
    (missing,) = protocol.of(
        case(plain, protocol=less, estimand=estimand, evidence=evidence, conduct__patients__dcr=dcr)
    ).to_complete()
    assert missing["section"] == "10.7"


def test_a_file_without_a_rate_of_its_own_states_the_rule_all_the_same(plain):
    document = protocol.of(case(plain, conduct=None))
    assert "percentage of patients with a toxicity" in said(document, "10.7")
    assert "Monitoring of toxicity" in json.dumps(document.plain())


def test_the_tables_and_sentences_are_written_for_word(made):
    document = docx.Document(io.BytesIO(word.docx(made[1])))
    said = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "Monitoring of toxicity" in said
    cells = {cell.text for table in document.tables for cell in table.rows[0].cells}
    assert {"Stop if at least", "Largest acceptable number"} <= cells


def test_the_simulation_states_the_association_and_when_toxicities_occur(made):
    plan = made[0].plan
    said = " ".join(simulation_models.sentences(plan, ()))
    assert "with an odds ratio of 1.5 of response and toxicity" in said
    assert "uniform over the 6 weeks after enrollment" in said


def test_without_a_rule_toxicity_is_independent_of_the_response_in_the_simulation(plain):
    plan = case(plain, design__toxicity=None).plan
    (said,) = (one for one in simulation_models.sentences(plan, ()) if one.startswith("Toxicity: "))
    assert said.endswith("with probability 25%, independently of the response.")
