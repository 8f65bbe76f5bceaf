"""Sections 4.3, 10.7 and 10.9 to 10.11 of a protocol with a rule for toxicity: stated alike, with exact values."""

import copy
import io
import json

import docx
import pytest

from simtrial.documents import protocol, simulation_models
from simtrial.phrases import percent
from simtrial.show import word
from simtrial.show.table import Table
from simtrial.toxicity import text as toxicity_text
from simtrial.toxicity.boundary import crossing
from simtrial.trial import params, safety
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
    assert "If the trial has all its 25 patients" in said(document, "10.7")


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
