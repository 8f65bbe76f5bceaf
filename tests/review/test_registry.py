"""Registry records become commented parameter files; hostile ones are refused or shown as text."""

import errno
import json
import os

import pytest

from simtrial import InputError
from simtrial.cli.app import main
from simtrial.review import draft, registry
from simtrial.search import CRITERIA
from simtrial.trial import params


@pytest.fixture
def record(root):
    return json.loads((root / "tests/reference/registry/NCT06008288.json").read_text(encoding="utf-8"))


@pytest.fixture
def write(tmp_path):
    def to_file(content):
        path = tmp_path / "r.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return to_file


def filled(text):
    for name, value in (("p0", 0.1), ("p1", 0.3), ("alpha", 0.05), ("power", 0.8)):
        line = next(line for line in text.splitlines() if line.strip().startswith(f"# {name}: TO FILL"))
        text = text.replace(line, f"    {name}: {value}")
    return text


def test_facts_are_taken_and_nothing_is_guessed(root, tmp_path):
    found = registry.read(root / "tests/reference/registry/NCT06008288.json")
    assert (found.nct_id, found.enrollment, found.phases, found.allocation) == ("NCT06008288", 88, ("PHASE2",), "NA")
    assert found.response_is_primary
    assert not found.quotes
    text = draft.parameter_file(found)
    assert "The record does not describe the design" in text
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"trial\.hypotheses\.p0 is missing"):
        params.load(path)
    path.write_text(filled(text), encoding="utf-8")
    trial = params.load(path)
    assert trial.study.registered_enrollment == 88
    assert str(trial.study.start) == "2023-10-27"
    assert "Pancreatic" in trial.study.title
    assert trial.stated.statement.n == 88


def test_the_comments_of_a_draft_are_lines_that_can_be_read(root):
    for name in ("NCT06008288", "NCT03745326", "NCT06385925"):
        text = draft.parameter_file(registry.read(root / f"tests/reference/registry/{name}.json"))
        comments = [line for line in text.splitlines() if "#" in line]
        assert max(map(len, comments)) <= draft.WIDTH == 110
        listed = text[text.index("    criterion: ") :].replace("#", " ").split("\n", 1)[1]
        assert [word for line in listed.split(",") for word in line.split()] == list(CRITERIA)


def test_design_words_are_quoted_with_their_sentence(root):
    found = registry.read(root / "tests/reference/registry/NCT03745326.json")
    (quote,) = [q for q in found.quotes if "minimax" in q.words]
    assert "Simon minimax design" in quote.sentence
    assert quote.place == "detailedDescription"
    assert any("2 arms" in warning for warning in found.warnings)
    assert "# [detailedDescription; simon, minimax" in draft.parameter_file(found).replace("  # [", "# [")


def test_a_decision_rule_with_a_semicolon_is_quoted_whole(record, write):
    rule = "Simon: 10 patients in the first stage; if 2 or more respond, 19 more."
    record["protocolSection"]["descriptionModule"]["detailedDescription"] = f"One. {rule} Six or more is a success."
    assert rule in [quote.sentence for quote in registry.read(write(record)).quotes]


def test_every_real_record_is_imported_or_refused_with_a_reason(root, tmp_path):
    kinds = {}
    for path in sorted((root / "tests/reference/registry").glob("*.json")):
        try:
            found = registry.read(path)
        except InputError as error:
            kinds[path.stem.split(".")[0]] = str(error).split(": ", 1)[1][:30]
            continue
        target = tmp_path / "x.yaml"
        target.write_text(filled(draft.parameter_file(found)), encoding="utf-8")
        assert params.load(target).study.id == found.nct_id
        kinds[found.nct_id] = "imported"
    assert kinds["NCT02513394"].startswith("allocation (RANDOMIZED)")
    assert kinds["NCT04318717"].startswith("lacks outcomesModule")
    assert kinds["NCT07170293"].startswith("lacks outcomesModule")
    assert [kinds[k] for k in ("NCT06008288", "NCT03745326", "NCT06385925")] == ["imported"] * 3


def test_hostile_text_stays_text(record, write, tmp_path):
    identity = record["protocolSection"]["identificationModule"]
    identity["officialTitle"] = 'x"\ntrial:\n  hypotheses: {p0: 0.9} # \x1b[31m \\ <script> !!python/object:os.system'
    record["protocolSection"]["outcomesModule"]["primaryOutcomes"][0]["measure"] = "ORR\n  hypotheses:\n    p0: 0.9"
    record["protocolSection"]["descriptionModule"]["detailedDescription"] = (
        "Simon two-stage\r\n  p0: 0.9\u2028power 0.8"
    )
    text = draft.parameter_file(registry.read(write(record)))
    assert "\x1b" not in text
    path = tmp_path / "x.yaml"
    path.write_text(filled(text), encoding="utf-8")
    trial = params.load(path)
    assert trial.requirements.p0 == 0.1
    assert trial.study.title.startswith('x" trial: hypotheses: {p0: 0.9} #')


def nested(depth):
    return b'{"protocolSection": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"[1, 2]", "is no study record"),
        (b'{"protocolSection": 3}', "is no study record"),
        (nested(200_000), "is nested too deeply"),
        (b'{"protocolSection": {"x": NaN}}', "is not JSON: NaN is not a number"),
        (b"\xff\xfe", "is not JSON"),
        (
            b'{"protocolSection": {"identificationModule": {"nctId": "../../etc"}}}',
            "nctId ('../../etc') is not NCT",
        ),
        (
            b'{"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}}}',
            "lacks designModule and outcomesModule",
        ),
        (b" " * 5_000_000, "is larger than"),
    ],
    ids=["empty", "list", "number", "deep", "nan", "bytes", "path", "bare", "large"],
)
def test_malformed_records_are_refused_in_one_line(write, capsys, content, said):
    path = write(content)
    with pytest.raises(InputError) as caught:
        registry.read(path)
    assert said in str(caught.value)
    assert main(["import-registry", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "where", ["designModule", "outcomesModule", "statusModule", "armsInterventionsModule", "descriptionModule"]
)
@pytest.mark.parametrize(
    "value", [3, "x", [], [3, None, "x"], {"enrollmentInfo": [], "primaryOutcomes": 3, "phases": {}}]
)
def test_wrong_types_inside_never_break_the_reader(record, write, capsys, where, value):
    record["protocolSection"][where] = value
    assert main(["import-registry", str(write(record))]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_a_study_without_response_is_imported_with_a_warning(record, write, capsys, tmp_path):
    record["protocolSection"]["outcomesModule"]["primaryOutcomes"][0]["measure"] = "Overall survival"
    out = tmp_path / "x.yaml"
    assert main(["import-registry", str(write(record)), "--out", str(out)]) == 0
    assert "no primary outcome is a response rate" in capsys.readouterr().err
    assert "WARNING: no primary outcome" in out.read_text(encoding="utf-8")
    assert main(["import-registry", str(write(record)), "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_symbols_are_design_words_and_impossible_days_are_comments(record, write, tmp_path):
    protocol = record["protocolSection"]
    protocol["descriptionModule"]["briefSummary"] = "Assuming \u03b1 = 0.05 and \u03b2 = 0.2, 25 patients are needed."
    protocol["statusModule"]["startDateStruct"]["date"] = "2021-02-30"
    protocol["identificationModule"]["officialTitle"] = "Sigma \U0001f600 trial"
    found = registry.read(write(record))
    assert found.quotes[0].numbers == ("0.05", "0.2", "25")
    path = tmp_path / "x.yaml"
    path.write_text(filled(draft.parameter_file(found)), encoding="utf-8")
    trial = params.load(path)
    assert trial.study.start is None
    assert trial.study.title == "Sigma \U0001f600 trial"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "it is empty; name a file"),
        (".", "is a folder; name a file in it"),
        ("there.yaml", "exists already; choose another name"),
        ("link.yaml", "exists already; choose another name"),
        ("no/x.yaml", "cannot be written: there is no folder"),
        ("there.yaml/x.yaml", "it is a file; choose another"),
    ],
)
def test_a_place_where_no_file_can_be_made_is_refused_before_the_record_is_read(
    name, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.yaml").write_text("mine")
    (tmp_path / "link.yaml").symlink_to("nowhere")
    assert main(["import-registry", "no_such_record.json", "--out", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.yaml", "there.yaml"]


def test_an_import_that_cannot_be_written_names_the_file_and_leaves_nothing(
    record, write, tmp_path, monkeypatch, capsys
):
    source, out = write(record), tmp_path / "new/x.yaml"
    out.parent.mkdir()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert main(["import-registry", str(source), "--out", str(out)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"simtrial: {out}: No space left on device"
    assert list(out.parent.iterdir()) == []


def test_a_record_without_a_number_or_an_allocation_is_warned_about(record, write):
    del record["protocolSection"]["designModule"]["enrollmentInfo"]
    record["protocolSection"]["designModule"]["designInfo"] = {}
    warnings = " ".join(registry.read(write(record)).warnings)
    assert "no usable number of patients" in warnings
    assert "allocation is not stated" in warnings
