"""Results to post: the numbers of the final analysis in the fields of a registry, placeholders for what is not held."""

import json

import pytest

from simtrial import InputError, phrases
from simtrial.analysis import dossier, text
from simtrial.cli.app import main
from simtrial.documents import posted, posted_record
from simtrial.show.word import docx
from simtrial.trial import params
from simtrial.trial.case import Case

EXAMPLE = """
trial:
  study: {{id: POST-1, title: A trial}}
  hypotheses: {{p0: {p0}, p1: {p1}, alpha: 0.05, power: {power}, basis: assumed}}
  design: {{looks: "{looks}"}}
  analysis: {analysis}
"""


@pytest.fixture
def file(tmp_path):
    """Writes a parameter file with results."""

    def file(looks, analysis, p0=0.1, p1=0.3, power=0.8):
        path = tmp_path / "trial.yaml"
        whole = EXAMPLE.format(looks=looks, analysis=analysis, p0=p0, p1=p1, power=power)
        path.write_text(whole, encoding="utf-8")
        return path

    return file


def entries(path):
    """The record of a file, by section and element."""
    case = Case.of(params.read(path)[0])
    done = dossier.of_trial(case.trial, case.chosen)
    found = posted_record.record(case.trial, done)
    by_name = {(one.section, one.element): one for one in found}
    assert len(by_name) == len(found)
    return by_name


def analyzed(path, capsys):
    assert main(["analyze", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


TRIALS = {
    "as planned": ("1/10,5/29", "{responses: 6}"),
    "stopped at the first look": ("1/10,5/29", "{responses: 1, stage: 1}"),
    "single stage": ("5/25", "{responses: 7}"),
    "three looks, efficacy": ("0:4/10,3:7/20,6/30", "{responses: 5, stage: 1}"),
    "other sizes": ("1/10,5/29", "{responses: 6, first_stage: 2, attained: [10, 27]}"),
    "one-sided": ("1/10,5/29", "{responses: 6, sides: 1, level: 0.9}"),
    "another order": ("1/10,5/29", "{responses: 6, ordering: umvue}"),
    "accrual closed": ("1/10,5/29", "{responses: 2, attained: [7]}"),
}


@pytest.mark.parametrize("trial", TRIALS)
def test_numbers_are_those_of_analyze(trial, file, capsys):
    path = file(*TRIALS[trial])
    said, told = entries(path), analyzed(path, capsys)

    def number(section, element):
        return said[section, element].number

    x, n = (
        number(posted_record.PRIMARY, "Participants with a response"),
        said[posted_record.PRIMARY, "Overall number of participants analyzed"].number,
    )
    assert x / n == told["estimates"]["mle"]
    assert number(posted_record.PRIMARY, "Percentage of participants") == 100 * told["estimates"]["mle"]
    assert number(posted_record.TEST, "P-value") == told["p_value"]
    assert number(posted_record.TEST, "Estimated value") == 100 * told["estimates"]["umvue"]
    low, high = told["intervals"]["exact"]
    assert number(posted_record.TEST, "Confidence interval: lower limit") == 100 * low
    assert number(posted_record.TEST, "Confidence interval: level (%)") == 100 * told["level"]
    upper = said.get((posted_record.TEST, "Confidence interval: upper limit"))
    if trial == "one-sided":
        assert upper is None
        assert said[posted_record.TEST, "Confidence interval: sides"].value == "1-sided"
    else:
        assert upper.number == 100 * high
    verb = "was rejected" if told["reject"] else "was not rejected"
    assert verb in said[posted_record.TEST, "Comment on the analysis"].value


@pytest.mark.parametrize(
    ("trial", "method", "p_method", "estimate"),
    [
        ("as planned", "Exact binomial test that allows for the interim analysis (stage-wise ordering)",
         "One-sided; stage-wise ordering", "UMVUE"),
        ("another order", "Exact binomial test that allows for the interim analysis (ordering by the UMVUE)",
         "One-sided; ordering by the UMVUE", "UMVUE"),
        ("single stage", "Exact binomial test", "One-sided; exact binomial", "Observed rate"),
        ("accrual closed", "Exact binomial test", "One-sided; exact binomial", "Observed rate"),
        ("other sizes", "Koyama and Chen's conditional test", "Koyama and Chen's method", "UMVUE"),
    ],
)  # fmt: skip
def test_methods_are_named(trial, method, p_method, estimate, file):
    said = entries(file(*TRIALS[trial]))
    assert said[posted_record.TEST, "Method"].value == method
    assert p_method in said[posted_record.TEST, "Comment on the p-value"].value
    assert estimate in said[posted_record.TEST, "Comment on the estimate"].value


def test_the_threshold_is_p0_as_a_percentage(file):
    said = entries(file("5/25", "{responses: 7}"))
    assert said[posted_record.TEST, "Null hypothesis"].value == "The true response rate is at most 10% (one-sided)."
    assert said[posted_record.TEST, "Null hypothesis"].number == 10


def test_counts_alone_leave_the_participant_flow_to_complete(file):
    said = entries(file(*TRIALS["as planned"]))
    for element in ("Started", "Completed", "Not completed", "Arm/group title"):
        assert phrases.placeholders(said[posted_record.FLOW, element].value)
    assert not any(section.startswith("Secondary") for section, _ in said)
    assert phrases.placeholders(said[posted_record.PRIMARY, "Time frame"].value)


def test_who_was_analysed_is_to_complete_where_the_file_does_not_state_it(file):
    field = (posted_record.PRIMARY, "Analysis population description")
    assert phrases.placeholders(entries(file("1/10,5/29", "{responses: 6}"))[field].value)
    for handling, word in (("nonresponder", "non-responders"), ("exclude", "left out"), ("replace", "replaced")):
        said = entries(file("1/10,5/29", f"{{responses: 6, handling: {handling}}}"))[field].value
        assert word in said
        assert not phrases.placeholders(said)


def test_no_text_of_the_analysis_states_a_handling_that_the_file_does_not(file):
    for given, stated in (("{responses: 6}", False), ("{responses: 6, handling: replace}", True)):
        case = Case.of(params.read(file("1/10,5/29", given))[0])
        passage = " ".join(text.data(dossier.of_trial(case.trial, case.chosen)).paragraphs)
        assert ("without a response assessment" in passage) == stated


@pytest.fixture
def with_patients(tmp_path, root):
    """The committed trial with twenty-five patients in a file, of whom four are not evaluable and six respond."""
    rows = ["USUBJID,ENRLFL,EVALFL,BOR,PFS,PFSEVENT,OS,OSEVENT,TIMEUNIT"]
    for k in range(25):
        best = "PR" if k < 6 else "SD" if k < 14 else "PD" if k < 21 else "NE"
        rows.append(f"P{k},Y,{'N' if best == 'NE' else 'Y'},{best},{k + 1},{int(k < 4)},{k + 2},1,months")
    (tmp_path / "patients.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    whole = (root / "params/NCT07022301.yaml").read_text(encoding="utf-8")
    path = tmp_path / "trial.yaml"
    given = "  analysis: {patients: patients.csv, source: Database}\n  evidence:\n"
    path.write_text(whole.replace("  evidence:\n", given, 1), encoding="utf-8")
    return path


def test_patients_give_flow_time_frame_and_secondary_outcomes(with_patients, capsys):
    said, told = entries(with_patients), analyzed(with_patients, capsys)
    flow = [said[posted_record.FLOW, element].value for element in ("Started", "Completed", "Not completed")]
    assert flow == ["25", "21", "4"]
    assert "each of the 4 participants" in said[posted_record.FLOW, "Reason not completed"].value
    assert said[posted_record.PRIMARY, "Participants with a response"].number == told["responses"] == 6
    assert said[posted_record.PRIMARY, "Time frame"].value == "From enrollment up to 24 weeks, assessed every 6 weeks"
    assert "non-responders" in said[posted_record.PRIMARY, "Analysis population description"].value
    control = "Secondary outcome 1: Disease Control Rate (DCR)"
    assert said[control, "Estimated value"].number == 100 * (14 / 25)
    assert "Clopper-Pearson" in said[control, "Comment on the estimate"].value
    median = "Secondary outcome 3: Median Progression-free Survival (PFS)"
    # four events among twenty-five: half of the patients never progress within the data
    assert [said[median, element].value for element in ("Estimated value", "Unit of measure")] == ["NA", "Months"]
    assert "estimate" in said[median, "Comment on NA"].value
    overall = "Secondary outcome 5: Median Overall Survival (OS)"
    assert said[overall, "Estimated value"].number == 14  # all die, in months 2 to 26: the thirteenth of twenty-five


def test_no_entry_is_longer_than_the_registry_allows(with_patients, file):
    many = ",".join(f"{k // 12}/{k}" for k in range(12, 241, 12))
    long = entries(file(many, "{responses: 60}", p0=0.05, p1=0.15, power=0.5))
    for said in (entries(with_patients), long):
        assert all(one.most is None or len(one.value) <= one.most for one in said.values())


def test_the_table_holds_every_field_and_says_whose_data_it_is(with_patients):
    case = Case.of(params.read(with_patients)[0])
    done = dossier.of_trial(case.trial, case.chosen)
    table = posted.table(case.trial, done)
    assert table.name == "results_to_post"
    assert len(table.frame) == len(posted_record.record(case.trial, done))
    assert set(table.frame["data"]) == {"NCT07022301"}


def test_synthetic_data_are_named_in_every_row_and_in_the_title(root):
    case = Case.of(params.load(root / "params/NCT07022301.yaml"))
    done = dossier.of_trial(case.trial, case.chosen)
    assert done.is_synthetic
    table = posted.table(case.trial, done)
    assert set(table.frame["data"]) == {dossier.SYNTHETIC}
    titles = table.frame.loc[table.frame["element"] == "Title", "value"]
    assert titles.iloc[0].startswith("SYNTHETIC DATA.")


def test_the_document_has_a_chapter_per_section_and_the_paragraph_and_the_same_bytes_twice(with_patients):
    case = Case.of(params.read(with_patients)[0])
    paper = posted.of(case, "an origin")
    assert [chapter.title for chapter in paper.chapters][:3] == [
        posted_record.FLOW,
        posted_record.PRIMARY,
        posted_record.TEST,
    ]
    assert paper.chapters[-1].title == "Paragraph for the publication"
    assert "H0 was rejected" in paper.chapters[-1].blocks[0]
    assert {one["missing"] for one in paper.to_complete()} >= {"title of the arm, as registered"}
    assert docx(paper) == docx(posted.of(case, "an origin"))


def test_results_that_cannot_be_leave_no_document(file):
    case = Case.of(params.read(file("1/10,5/29", "{responses: 40}"))[0])
    with pytest.raises(InputError):
        posted.of(case)
