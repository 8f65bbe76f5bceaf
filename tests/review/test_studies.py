"""Study records in every wrapping in which people save them; hostile files are refused in one line."""

import contextlib
import json
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simtrial import InputError
from simtrial.cli.app import main
from simtrial.review import draft, registry, studies
from simtrial.trial import params

ID, OTHER = "NCT00000001", "NCT00000002"


def protocol(nct_id=ID, **design):
    return {
        "identificationModule": {"nctId": nct_id, "briefTitle": "Brief", "officialTitle": "A drug & a <response>"},
        "statusModule": {
            "startDateStruct": {"date": "2025-07-31"},
            "completionDateStruct": {"date": "2029-05"},
        },
        "descriptionModule": {
            "briefSummary": "One arm.",
            "detailedDescription": "A Simon two-stage design with 25 patients is used.\n\nPower is 80%.",
        },
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "designInfo": {"allocation": "NA", "interventionModel": "SINGLE_GROUP"},
            "enrollmentInfo": {"count": 25, "type": "ESTIMATED"},
        }
        | design,
        "armsInterventionsModule": {"armGroups": [{"label": "Drug"}]},
        "outcomesModule": {
            "primaryOutcomes": [{"measure": "Objective response rate", "description": "CR or PR."}],
            "secondaryOutcomes": [{"measure": "Overall survival"}],
        },
    }


def older_xml(nct_id=ID):
    """The record above as the registry's older XML had it, prose wrapped and indented."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<clinical_study rank="1">
  <id_info><org_study_id>X</org_study_id><nct_id>{nct_id}</nct_id></id_info>
  <brief_title>Brief</brief_title>
  <official_title>{escape("A drug & a <response>")}</official_title>
  <brief_summary><textblock>
      One
      arm.
    </textblock></brief_summary>
  <detailed_description><textblock>
      A Simon two-stage design
      with 25 patients is used.

      Power is 80%.
    </textblock></detailed_description>
  <start_date type="Anticipated">July 31, 2025</start_date>
  <completion_date type="Anticipated">May 2029</completion_date>
  <phase>Phase 2</phase>
  <study_type>Interventional</study_type>
  <study_design_info><allocation>N/A</allocation>
    <intervention_model>Single Group Assignment</intervention_model></study_design_info>
  <primary_outcome><measure>Objective response rate</measure><description>CR or PR.</description></primary_outcome>
  <secondary_outcome><measure>Overall survival</measure></secondary_outcome>
  <enrollment type="Anticipated">25</enrollment>
  <arm_group><arm_group_label>Drug</arm_group_label></arm_group>
</clinical_study>
"""


def older_json(nct_id=ID):
    """The same as the API before version 2 gave it."""
    section = {
        "IdentificationModule": {
            "NCTId": nct_id, "BriefTitle": "Brief", "OfficialTitle": "A drug & a <response>",
        },
        "StatusModule": {
            "StartDateStruct": {"StartDate": "July 31, 2025", "StartDateType": "Anticipated"},
            "CompletionDateStruct": {"CompletionDate": "May 2029"},
        },
        "DescriptionModule": {
            "BriefSummary": "One arm.",
            "DetailedDescription": "A Simon two-stage design with 25 patients is used.\n\nPower is 80%.",
        },
        "DesignModule": {
            "StudyType": "Interventional",
            "PhaseList": {"Phase": ["Phase 2"]},
            "DesignInfo": {"DesignAllocation": "N/A", "DesignInterventionModel": "Single Group Assignment"},
            "EnrollmentInfo": {"EnrollmentCount": "25", "EnrollmentType": "Anticipated"},
        },
        "ArmsInterventionsModule": {"ArmGroupList": {"ArmGroup": [{"ArmGroupLabel": "Drug"}]}},
        "OutcomesModule": {
            "PrimaryOutcomeList": {
                "PrimaryOutcome": [
                    {"PrimaryOutcomeMeasure": "Objective response rate", "PrimaryOutcomeDescription": "CR or PR."}
                ]
            },
            "SecondaryOutcomeList": {"SecondaryOutcome": [{"SecondaryOutcomeMeasure": "Overall survival"}]},
        },
    }  # fmt: skip
    return {
        "FullStudiesResponse": {"NStudiesFound": 1, "FullStudies": [{"Rank": 1, "Study": {"ProtocolSection": section}}]}
    }


def record(nct_id=ID):
    return {"protocolSection": protocol(nct_id), "hasResults": False}


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="r.json"):
        path = tmp_path / name
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        path.write_bytes(content)
        return path

    return to_file


WRAPPINGS = {
    "record": record(),
    "search": {"studies": [record()], "nextPageToken": "x"},
    "list": [record()],
    "study": {"study": record()},
    "list in a list": [[record()]],
    "search in a list": [{"studies": [record()]}],
    "the section by itself": protocol(),
    "lines": json.dumps(record()) + "\n" + json.dumps(record()) + "\n",
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(record()).encode(),
    "a Windows shell": json.dumps(record()).encode("utf-16"),
    "older JSON": older_json(),
    "older XML": older_xml(),
    "XML of several": f"<clinical_studies>{older_xml().partition('?>')[2]}</clinical_studies>",
    "XML in UTF-16": older_xml().replace("UTF-8", "UTF-16").encode("utf-16"),
}


@pytest.mark.parametrize("content", WRAPPINGS.values(), ids=WRAPPINGS)
def test_every_wrapping_of_a_record_gives_the_same_parameter_file(write, content):
    expected = draft.parameter_file(registry.read(write(record(), "plain.json")))
    found = registry.read(write(content))
    assert draft.parameter_file(found) == expected
    assert (found.enrollment, found.phases, found.start, found.completion) == (25, ("PHASE2",), "2025-07-31", "2029-05")
    assert [quote.sentence for quote in found.quotes] == [
        "A Simon two-stage design with 25 patients is used.",
        "Power is 80%.",
    ]


@given(st.lists(st.sampled_from(["list", "study", "studies", "data"]), max_size=studies.MAX_WRAPPINGS))
def test_any_nesting_of_lists_and_objects_gives_the_record(layers):
    content = record()
    for layer in layers:
        content = [content] if layer == "list" else {layer: content}
    assert studies.protocols(json.dumps(content).encode(), "x") == [protocol()]


@pytest.mark.parametrize("name", ["NCT06008288", "NCT03745326", "NCT06385925"])
def test_a_real_record_in_a_search_answer_is_the_record(root, write, name):
    path = root / f"tests/reference/registry/{name}.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert registry.read(write({"studies": [whole]})) == registry.read(path)


@pytest.mark.parametrize("given_nct", [ID, f" {ID.lower()} ", "00000001"])
def test_one_of_several_studies_is_chosen_by_its_number(write, given_nct):
    path = write({"studies": [record(OTHER), record()]})
    assert registry.read(path, given_nct).nct_id == ID


def test_several_studies_are_listed_and_none_is_taken(write, capsys, tmp_path):
    path = write([record(), record(OTHER)])
    out = tmp_path / "x.yaml"
    assert main(["import-registry", str(path), "--out", str(out)]) == 2
    *list_, last = capsys.readouterr().err.splitlines()
    assert list_ == [f"  {ID} A drug & a <response>", f"  {OTHER} A drug & a <response>"]
    assert last == f"simtrial: {path}: holds 2 studies ({ID}, {OTHER}); choose one with --nct"
    assert not out.exists()
    assert main(["import-registry", str(path), "--out", str(out), "--nct", OTHER.lower()]) == 0
    assert OTHER in out.read_text(encoding="utf-8")


def test_of_very_many_studies_some_are_listed(write, capsys):
    path = write([record(f"NCT{k:08d}") for k in range(500)])
    assert main(["import-registry", str(path)]) == 2
    *listed, last = capsys.readouterr().err.splitlines()
    assert len(listed) == 20
    assert "500 studies" in last


def test_a_number_that_is_not_in_the_file_is_refused_with_those_that_are(write):
    with pytest.raises(InputError, match=rf"^nct \(NCT99999999\) is not in .*, which holds {ID}$"):
        registry.read(write(record()), "NCT99999999")
    with pytest.raises(InputError, match=r"^nct \('x'\) is not NCT and eight digits"):
        registry.read(write(record()), "x")


def test_two_different_records_of_one_number_are_not_chosen_between(write):
    changed = record()
    changed["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = 26
    with pytest.raises(InputError, match="holds 2 different records of NCT00000001"):
        registry.read(write([record(), changed]), ID)


def test_a_dose_escalation_without_a_response_endpoint_is_refused(write):
    design = {
        "phases": ["PHASE1", "PHASE2"],
        "designInfo": {"allocation": "NON_RANDOMIZED", "interventionModel": "SEQUENTIAL"},
    }
    content = {"protocolSection": protocol(**design)}
    assert any("dose escalation" in warning for warning in registry.read(write(content)).warnings)
    content["protocolSection"]["outcomesModule"]["primaryOutcomes"] = [{"measure": "RP2D"}]
    with pytest.raises(
        InputError, match=r"interventionModel \(SEQUENTIAL, PHASE1, PHASE2\) describes a dose escalation"
    ):
        registry.read(write([content]))


def test_older_xml_with_its_design_in_one_text_is_refused_when_randomised(write):
    text = older_xml().partition("<study_design_info>")
    rest = text[2].partition("</study_design_info>")[2]
    design = "<study_design>Allocation: Randomized, Endpoint Classification: Safety, Masking: Open Label</study_design>"
    with pytest.raises(InputError, match=r"allocation \(RANDOMIZED\)"):
        registry.read(write(text[0] + design + rest, "r.xml"))


def test_both_phases_of_the_older_xml_are_read(write):
    found = registry.read(write(older_xml().replace("<phase>Phase 2", "<phase>Phase 1/Phase 2"), "r.xml"))
    assert found.phases == ("PHASE1", "PHASE2")


def test_marks_of_a_search_are_not_part_of_a_title(write):
    content = record()
    content["protocolSection"]["identificationModule"]["officialTitle"] = 'A (<mark class="hl-term">CRPC</mark>) study'
    assert registry.read(write(content)).title == "A (CRPC) study"


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{k} "{"&a" + str(k - 1) + ";" if k else "&a;"}">' for k in range(9)
)
REFUSED = {
    "entities": (BOMB + "]><clinical_study>&a8;</clinical_study>", "declares a document type or entities"),
    "external entity": (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><clinical_study>&e;</clinical_study>',
        "declares a document type or entities",
    ),
    "external type": ('<!DOCTYPE x SYSTEM "http://localhost/x.dtd"><clinical_study/>', "declares a document type"),
    "deep XML": ("<a>" * 5000, "is nested too deeply"),
    "open XML": ("<clinical_study>", "is not XML"),
    "undefined entity": ("<clinical_study>&x;</clinical_study>", "is not XML"),
    "encoding": ('<?xml version="1.0" encoding="none"?><clinical_study/>', "is not XML"),
    "other XML": ("<feed><entry/></feed>", "is XML (feed) without a clinical_study"),
    "search results": (
        "<search_results><study><nct_id>NCT00000001</nct_id></study></search_results>",
        "lists search results without their records",
    ),
    "bare XML": ("<clinical_study/>", "nctId ('') is not NCT and eight digits"),
    "page": ("<!DOCTYPE html><html><body>NCT00000001</body></html>", "is a web page, not a study record"),
    "Excel": (b"PK\x03\x04.....xl/workbook.xml", "is an Excel file"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel file"),
    "archive": (b"PK\x03\x04.....NCT00000001.json", "is a ZIP archive; unpack it"),
    "PDF": (b"%PDF-1.7", "is a PDF"),
    "CSV": ("NCT Number,Study Title\nNCT00000001,A", "is a spreadsheet of a search (CSV)"),
    "text": ("A trial\n\nNCT ID: NCT00000001\n", "is plain text, not a study record"),
    "empty search": ({"studies": []}, "holds no study: the search that it answers found none"),
    "too many wrappings": ([[[[[[[[[record()]]]]]]]]], "is no study record"),
    "half a list of lines": (json.dumps(record()) + "\n{", "is not JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_other_and_hostile_files_are_refused_by_their_own_fault(write, capsys, content, said):
    path = write(content)
    with pytest.raises(InputError) as caught:
        registry.read(path)
    assert said in str(caught.value)
    assert main(["import-registry", str(path)]) == 2
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert shown.out == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["protocolSection", "ProtocolSection", "identificationModule", "nctId", "designModule", "x",
                         "outcomesModule", "DesignModule", "PhaseList", "Phase", "phases", "primaryOutcomes"]),
        inner, max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(
    json_values | st.binary(max_size=40) | st.text(alphabet='<>/&;!a" x', max_size=40).map("<clinical_study>{}".format)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)  # a disk may be slow
def test_no_file_breaks_the_reader(write, content):
    path = write(content)
    with contextlib.suppress(InputError):  # anything else is a traceback
        draft.parameter_file(registry.read(path))


def test_a_number_in_place_of_a_file_is_told_that_nothing_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InputError,
        match=r"^NCT07022301 is not a file, and records are not downloaded",
    ):
        registry.read("NCT07022301")


def test_the_file_made_from_xml_is_a_parameter_file(write, tmp_path):
    text = draft.parameter_file(registry.read(write(older_xml(), "r.xml")))
    for name, value in (("p0", 0.1), ("p1", 0.3), ("alpha", 0.05), ("power", 0.8)):
        line = next(line for line in text.splitlines() if line.strip().startswith(f"# {name}: TO FILL"))
        text = text.replace(line, f"    {name}: {value}")
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    trial = params.load(path)
    assert (trial.study.id, trial.stated.statement.n, str(trial.study.start)) == (ID, 25, "2025-07-31")
