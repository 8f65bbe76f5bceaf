"""Parameter files that ask for an adaptive design: searches, plan, paragraph, documents, explorer and pictures."""

import pytest

from simtrial import InputError
from simtrial.design.branching import as_table, parse_branching
from simtrial.design.exact import meets, operating_characteristics
from simtrial.documents import protocol as documents_protocol
from simtrial.explorer import panels, screen
from simtrial.search import figures
from simtrial.search.boundary import tables as boundary_tables
from simtrial.trial import params, text
from simtrial.trial import tables as trial_tables
from simtrial.trial.case import Case

TABLE = "0-1:A|2:11/4|3:17/5|4:11/4|5-11:R"


def plain(root, **design):
    whole = params.load(root / "params/NCT07022301.yaml").plain()
    return whole | {"design": design}


@pytest.fixture(scope="module")
def run(root):
    """The example with an adaptive design that keeps its limits under the dropout of the file."""
    return Case.of(params.load(plain(root, family="adaptive", constraints={"cap": 40})))


@pytest.fixture(scope="module")
def paper(root):
    """The table of a design without a conduct."""
    whole = plain(root, looks=TABLE)
    whole.pop("conduct")
    return Case.of(params.load(whole))


def test_the_design_keeps_its_limits_as_the_trial_is_run(run):
    found = run.taken
    assert run.keeps
    assert meets(found.design, run.limits)
    assert run.limits.p1 == pytest.approx(0.27)
    assert max(look.n for look in run.chosen.looks) <= 40
    exact = run.trial.how.figures(run.chosen, run.requirements)
    assert exact.type_i_error <= 0.05
    assert exact.power >= 0.8


def test_a_cap_that_is_too_small_is_told_with_its_key(root):
    case = Case.of(params.load(plain(root, family="adaptive", constraints={"cap": 28})))
    with pytest.raises(InputError, match=r"file: trial\.design\.constraints\.cap \(28\) is too small"):
        case.checked("file")


def test_restrictions_of_the_file_hold_for_its_own_family_alone(run):
    rows = trial_tables.under_dropout(run).frame
    assert rows.looks.str.contains("7/43").any()  # Simon's optimal design, which the cap of 40 would exclude


@pytest.mark.parametrize("key", ["any_order", "n2_falls"])
def test_the_order_of_the_table_is_no_matter_of_other_families(root, key):
    with pytest.raises(InputError, match=f"{key} is not possible for"):
        params.load(plain(root, family="efficacy", constraints={key: True}))


def test_a_rule_for_toxicity_is_refused_beside_a_table(root):
    rule = params.load(root / "params/toxicity.yaml").plain()["design"]["toxicity"]
    for design in ({"family": "adaptive"}, {"looks": TABLE}):
        with pytest.raises(InputError, match=r"toxicity is not possible for adaptive two-stage designs"):
            params.load(plain(root, **design, toxicity=rule))


def test_a_table_is_given_outright_as_looks(paper):
    assert as_table(paper.chosen) == parse_branching(TABLE)
    assert paper.taken.type_i_error == pytest.approx(0.0496, abs=5e-5)


def test_the_paragraph_states_every_row_of_the_table(paper):
    said = str(text.protocol(paper))
    for part in (
        "0 or 1 responses: stop and do not reject H0.",
        "2 responses: enroll 11 further patients and reject H0 if more than 4 of all 22 patients respond.",
        "5 to 11 responses: stop and reject H0.",
        "Otherwise",
    ):
        assert (part in said) == (part != "Otherwise")


def test_the_paragraph_of_a_search_states_the_cap(run):
    said = str(text.choice(run.trial, run.single, run.two, run.chosen))
    assert "Among the designs with at most 40 patients and a conditional type I error that never falls" in said


def test_other_families_stand_beside_it_and_its_own_without_the_cap(run):
    found = trial_tables.families(run)
    mine = found.frame[found.frame.kind == "adaptive two-stage"]
    assert mine.stages.tolist() == [2, 2]
    free, chosen = mine.en_p0.tolist()
    assert free < chosen == run.taken.en_p0
    assert found.chosen[mine.index[-1]]


def test_the_table_by_responses_adds_up_to_the_errors(paper):
    frame = boundary_tables.boundary(paper.chosen, paper.requirements).frame
    oc = operating_characteristics(paper.chosen, [0.1, 0.3])
    for k, name in enumerate(("p0", "p1")):
        # at most six rows of probabilities below 1
        assert (frame[f"chance_{name}"] * frame[f"reject_{name}"]).sum() == pytest.approx(oc.reject[k], abs=1e-14)
        assert frame[f"chance_{name}"].sum() == pytest.approx(1, abs=1e-14)


def test_the_picture_says_what_follows_each_number(paper):
    said = figures.flow(paper.chosen, paper.requirements).alt
    assert "3: 17 more, reject H0 if more than 5 of 28 respond" in said
    assert "5 to 11: stop: reject H0" in said


def test_the_picture_of_the_endings_has_both_endings_of_each_size(paper):
    found = figures.endings(paper.chosen, paper.requirements)
    assert "At p0 the number of patients is 11 with probability 70.0%" in found.alt


def test_the_protocol_sections_are_those_of_the_table(paper):
    chapters = {one.number: " ".join(one.texts()) for one in documents_protocol.of(paper).chapters}
    assert "The trial has 1 interim analysis" in chapters["10.9"]
    assert "order of conditional type I error" in chapters["10.4.1.1"]
    assert "P(reject H0 | 3; p) = 1 - B(2; 17, p)" in chapters["10.4.1.1"]
    assert "p-value of the second stage is at most the conditional type I error" in chapters["10.4.1.1"]
    assert "H0 is rejected, after 2 of 11" in chapters["10.11"]


def test_the_explorer_offers_the_family_and_shows_the_table(run):
    assert screen.menu()["adaptive"] == "adaptive"
    shown = panels.decisions(run.chosen, run.plan, run.trial)
    assert "<svg" in shown
    assert "enroll 19 further patients: 31 in all" in shown
