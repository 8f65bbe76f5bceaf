"""What of a section is context, designs that were searched with dropout, and sources of the assumptions."""

from math import comb

import pytest

from simtrial.documents import protocol
from simtrial.review import check
from simtrial.review.section import compared, elements, source
from simtrial.show import word
from simtrial.trial import params
from simtrial.trial.case import Case
from simtrial.trial.statement import Statement
from simtrial.validation import cases

DESIGN = (
    "The null hypothesis of an ORR of at most 10% is tested against an alternative of 30% with a one-sided alpha of 5% "
    "and 80% power. Simon's minimax two-stage design needs 15 patients in the first stage and 25 in total. The trial "
    "stops if 1 or fewer respond. H0 is rejected if 6 or more of 25 patients respond."
)
RIVAL = "With p0 = 20%, p1 = 40%, alpha of 10% and 90% power, and 20% dropout, 60 patients would be enrolled."
SEARCHED = (
    "p0 = 20%, p1 = 60%, one-sided alpha 10%, power 80%. Allowing for 10% dropout counted as non-responders, the "
    "design was searched at response rates of 20% and {at}%. Simon's minimax two-stage design: 0/4, 3/9."
)


def found(written):
    return {one.name: one.value for one in elements.read(written).elements if one.name != "source"}


def checked(written):
    return compared.compare(elements.read(written))


@pytest.mark.parametrize("name", ["NCT07022301.yaml", "NCT07022301_p20_p40.yaml", "example.yaml"])
def test_the_own_protocol_is_read_back_with_the_values_and_the_verdict_of_the_design(root, tmp_path, name):
    case = Case.of(params.read(root / "params" / name)[0])
    path = tmp_path / "protocol.docx"
    path.write_bytes(word.docx(protocol.of(case)))
    chosen = source.read(path)
    section = compared.compare(elements.read(chosen.text, chosen.rows))
    asked, looks = case.requirements, case.chosen.looks
    values = {one.name: one.value for one in section.elements}
    assert (values["p0"], values["p1"], values["alpha"], values["power"]) == (
        asked.p0, asked.p1, asked.alpha, asked.power,
    )  # fmt: skip
    assert values["n"] == {"evaluable": looks[-1].n, "total": None}
    assert {one.status for one in section.elements if one.name not in ("dropout", "source")} == {"found"}
    stated = Statement.of_looks(
        str(values["rule"]["looks"]), p0=asked.p0, p1=asked.p1, alpha=asked.alpha, power=asked.power, alpha_sided=1,
        criterion=values["method"],
    )  # fmt: skip
    assert section.verdict.kind == check.check(stated).kind == "reproduces"


def test_the_own_protocol_of_a_search_with_dropout_is_checked_at_the_rates_of_the_search(root, tmp_path):
    case = Case.of(params.read(root / "params/smoke.yaml")[0])
    path = tmp_path / "protocol.docx"
    path.write_bytes(word.docx(protocol.of(case)))
    chosen = source.read(path)
    section = compared.compare(elements.read(chosen.text, chosen.rows))
    assert {one.status for one in section.elements if one.name != "source"} == {"found"}
    assert (section["p1"].value, section["method"].value, section["n"].value["evaluable"]) == (0.6, "minimax", 9)
    assert [one.name for one in section.verdict.conventions] == ["searched with dropout"]
    assert "20% under H0 and of 54.0% under the alternative" in section.verdict.lines[0]


@pytest.mark.parametrize(
    "heading",
    ["Rationale for the response rates", "Background", "Earlier results", "Literature", "Deviations", "Sensitivity"],
)
def test_what_stands_under_a_heading_of_context_does_not_compete_with_the_design(heading):
    plain = found(DESIGN)
    read = found(f"{DESIGN}\n\n{heading}\n\n{RIVAL}")
    assert plain | {"dropout": None} == read | {"dropout": None}


def test_a_heading_holds_until_the_next_one():
    written = f"{DESIGN}\n\nBackground\n\n{RIVAL}\n\nDropout\n\nA dropout of 10% is expected."
    assert found(written) == found(DESIGN) | {"dropout": 0.1}


@pytest.mark.parametrize("label", ["Rationale: ", "Earlier results. ", "Reason for these rates: ", "Sensitivity: "])
def test_a_label_makes_its_paragraph_context(label):
    read = found(f"{DESIGN}\n\n{label}{RIVAL}")
    assert read | {"dropout": None} == found(DESIGN)


@pytest.mark.parametrize("heading", ["Sample size justification", "Rationale for the sample size", "Rationale"])
def test_a_design_that_stands_under_a_rationale_alone_is_read_there(heading):
    assert found(f"{heading}\n\n{DESIGN}") == found(DESIGN)


def test_what_stands_under_deviations_is_never_a_value_of_the_design():
    read = found(f"{DESIGN}\n\nSensitivity to the assumptions\n\nWith a dropout of 20% the power is 57%.")
    assert read["dropout"] is None


def test_earlier_results_give_rates_where_the_design_states_none_and_nothing_else():
    written = (
        "One-sided alpha is 5%.\n\nEarlier results\n\nThe null hypothesis is an ORR of 10%. 40 patients were treated."
    )
    read = found(written)
    assert (read["p0"], read["n"]) == (0.1, None)


def test_two_hypotheses_outside_the_context_stay_ambiguous():
    for other in ("The null hypothesis is p0 = 15%.", "Statistical hypotheses\n\nThe null hypothesis is p0 = 15%."):
        section = elements.read(f"{DESIGN}\n\n{other}")
        assert [value for value, _ in section["p0"].candidates] == [0.1, 0.15]


def test_rows_of_tables_give_values_only_where_the_paragraphs_state_none():
    row = "Cohort: p0 = 0.2: dropout 10%"
    written = f"{DESIGN}\n\n{row}"
    rows = [(len(DESIGN) + 2, len(written))]
    section = elements.read(written, rows)
    assert (section["p0"].value, section["dropout"].value) == (0.1, 0.1)
    assert elements.read(written)["p0"].status == "ambiguous"


def test_only_rows_of_three_cells_are_rows():
    parts = [source.Paragraph("p0: 0.1", cells=2), source.Paragraph("a: b: c", cells=3)]
    chosen = source.SectionText.of(parts, "")
    assert [chosen.text[low:high] for low, high in chosen.rows] == ["a: b: c"]


@pytest.mark.parametrize(
    "other",
    [
        "If the true ORR were 15%, the trial would succeed with probability 16%.",
        "For comparison, the optimal design is 1/10, 5/29.",
        "The published ORR ranged from 15% to 45%.",
        "The ORR improved from 12% to 25% in the study of Smith et al.",
    ],
)
def test_other_truths_other_designs_and_observed_rates_are_no_values_of_the_design(other):
    names = ("p0", "p1", "alpha", "power", "rule", "n")
    read, plain = found(f"{DESIGN} {other}"), found(DESIGN)
    assert [read[name] for name in names] == [plain[name] for name in names]


def test_an_aim_is_a_hypothesis_beside_another_one():
    section = elements.read("The null hypothesis is p0 = 10%. We aim to improve the published ORR from 15% to 35%.")
    assert [value for value, _ in section["p0"].candidates] == [0.1, 0.15]


def test_a_rate_that_is_stated_in_a_conditional_sentence_alone_is_read_there():
    read = found("H0: ORR <= 10%, one-sided alpha 5%. If the true ORR were 30%, the trial would succeed.")
    assert read["p1"] == 0.3


def test_a_search_with_dropout_is_checked_at_its_rates():
    section = checked(SEARCHED.format(at="54"))
    assert section.verdict.kind == "reproduces with a convention"
    assert section["method"].status == section["n"].status == "found"
    # P(X > 3 of 9, X1 > 0 of 4) at 0.54, term by term
    p = 0.54
    power = sum(
        comb(4, a) * comb(5, b) * p ** (a + b) * (1 - p) ** (9 - a - b)
        for a in range(1, 5)
        for b in range(6)
        if a + b > 3
    )
    assert section["power"].exact == pytest.approx(power, rel=1e-12)
    assert section.statement.p1 == 0.6


def test_rates_that_do_not_follow_from_the_dropout_are_not_taken():
    section = checked(SEARCHED.format(at="50"))
    assert section.verdict.kind == "does not reproduce"
    assert section["method"].status == "contradicted"


def test_a_false_claim_at_the_rates_of_the_search_is_contradicted():
    section = checked(SEARCHED.format(at="54").replace("minimax", "optimal"))
    assert section["method"].status == "contradicted"


@pytest.mark.parametrize(
    "written",
    [
        "The rates are based on Smith et al. (2019).", "The rates were derived from the CheckMate 032 trial.",
        "p0 was chosen according to historical data [12].", "The ORR is based on previous phase II results.",
        "The null rate of 10% [12] is used.", "The assumed ORR is taken from NCT02054806.",
        "The rate of 10% comes from the DeLLphi-304 control arm.", "The ORR was 7.1% (Shepherd, 2000).",
    ],
)  # fmt: skip
def test_a_source_is_found_by_authors_trial_number_or_reference(written):
    assert elements.read(written)["source"].status == "found"


@pytest.mark.parametrize(
    "written",
    [
        "The design is based on Simon et al. (1989).", "The response is assessed according to RECIST 1.1 [5].",
        "A rate of 30% is assumed (PASS, 15).", "Hypotheses are tested according to Simon [3].",
        "The response rate and its interval follow Clopper and colleagues.",
        "The true rate has a prior distribution in this study.",
    ],
)  # fmt: skip
def test_a_reference_for_the_method_or_the_assessment_is_no_source(written):
    assert elements.read(written)["source"].status == "missing"


def test_the_source_of_every_phrasing_is_found_where_there_is_one():
    rows = [row for row in cases.reference("section_phrasings").itertuples() if row.source != "any"]
    assert len(rows) > 60
    for row in rows:
        assert (elements.read(row.text)["source"].status == "found") == (str(row.source) == "1"), row.id
