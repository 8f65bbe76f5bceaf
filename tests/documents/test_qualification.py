"""The validation document: requirements in one file, each with its tests, and what was found, whatever was found."""

import ast

import nbformat
import pandas as pd
import pytest

from simtrial import InputError, project
from simtrial.cli.app import main
from simtrial.documents import qualification, requirements
from simtrial.documents.qualification_results import (
    ABSENT,
    DIFFERENT,
    EQUAL,
    NOT_TESTED,
    CaseResult,
    Installation,
    InstalledPackage,
)  # fmt: skip
from simtrial.report import qualified
from simtrial.show.document import Points
from simtrial.show.table import Table
from simtrial.show.word import docx
from simtrial.validation import cases

HEAD = "requirements:\n"
ONE = "  - {{id: {0}, requirement: It holds., how: It is compared., cases: [A case]}}\n"


def case(name, *rows, source="a book"):
    frame = pd.DataFrame(rows or [("x", "1.50", "1.50", True)], columns=["what", "expected", "found", "agrees"])
    return CaseResult(name=name, source=source, frame=frame)


def required(number="REQ-S01", named=("A case",), tests=()):
    return requirements.NumberedRequirement(
        id=number, requirement="It holds.", how="It is compared.", cases=named, tests=tests
    )


INSTALLED = Installation(
    program="simtrial 0.0.0",
    date="2026-01-02 03:04 UTC",
    facts=(("Python", "3.12.0"),),
    packages=(
        InstalledPackage(name="numpy", installed="2.3.0", locked="2.3.0", direct=True, state=EQUAL),
        InstalledPackage(name="scipy", installed="1.0.0", locked="1.17.1", direct=True, state=DIFFERENT),
        InstalledPackage(name="tzdata", installed="2025.1", locked="2025.2", direct=False, state=DIFFERENT),
        InstalledPackage(name="colorama", installed="–", locked="0.4.6", direct=False, state=ABSENT),
    ),
)


def texts(paper):
    """All texts of a document, by the heading of their chapter."""
    return {chapter.title: " ".join(chapter.texts()) for chapter in paper.chapters}


def test_every_requirement_has_a_case_that_exists_and_every_case_a_requirement(root):
    names = set()
    for path in (root / "simtrial/validation").glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        made = [node for node in calls if getattr(node.func, "id", "") in ("case_of", "Comparison", "_case")]
        names |= {node.args[0].value.partition(",")[0] for node in made if isinstance(node.args[0], ast.Constant)}
    listed, _ = requirements.read()
    assert {name for one in listed for name in one.cases} == names


def test_every_test_that_a_requirement_names_exists(root):
    listed, _ = requirements.read()
    for place, name in {tuple(test.split("::")) for one in listed for test in one.tests}:
        tree = ast.parse((root / place).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (place, name)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ONE.format("REQ-S02"), "(REQ-S02) is out of order; it would be REQ-S01"),
        (ONE.format("REQ-S01") * 2, "(REQ-S01) is out of order; it would be REQ-S02"),
        (ONE.format("REQ-C01") + ONE.format("REQ-S01"), "(REQ-S01) is out of order"),
        (ONE.format("REQ-X01"), "REQ-X01"),
        (ONE.format("REQ-S01").replace("[A case]", "[]"), "cases"),
        (ONE.format("REQ-S01").replace("how:", "hwo:"), "hwo"),
        (ONE.format("REQ-S01").replace("}", ", tests: [somewhere.py]}"), "somewhere.py"),
    ],
)
def test_a_file_of_requirements_that_is_out_of_order_or_incomplete_is_refused(text, fault, tmp_path):
    path = tmp_path / "requirements.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        requirements.read(path)
    assert fault in str(caught.value)


def test_a_requirement_that_the_suite_alone_tests_is_not_said_to_be_met_here():
    alone = requirements.NumberedRequirement(
        id="REQ-P01", requirement="It holds.", how="By tests.", tests=("tests/x.py::test_y",)
    )
    paper = qualification.of([required(), alone], [case("A case")], INSTALLED)
    said = texts(paper)
    assert "1 of 1 requirement is met on this machine" in said["Purpose and result"]
    assert (
        "1 further requirement has no validation case and is tested by the suite, not on this machine: REQ-P01."
        in (said["Purpose and result"])
    )
    rows = [b.frame for c in paper.chapters for b in c.blocks if getattr(b, "name", "").startswith("requirements_")]
    assert [frame["met"].iloc[0] for frame in rows] == ["yes", "tested by the suite, not on this machine"]
    assert "REQ-P01" not in said["Deviations"]


def test_the_elements_of_sections_stand_with_their_precision_and_recall():
    name = qualification.IN_FULL[0]
    paper = qualification.of([required(named=(name,))], [case(name)], INSTALLED)
    names = [block.name for chapter in paper.chapters for block in chapter.blocks if hasattr(block, "frame")]
    assert "case_elements_of_stated_sections" in names


def test_a_requirement_is_met_if_all_its_cases_agree():
    paper = qualification.of([required(named=("A case", "Another"))], [case("A case"), case("Another")], INSTALLED)
    said = texts(paper)
    assert "1 of 1 requirement is met on this machine; 2 of 2 comparisons agree" in said["Purpose and result"]
    assert "yes" in said["Searches for designs"]
    assert "A case: 1 of 1 comparison agrees" in said["Searches for designs"]
    assert "a book" in said["Searches for designs"]


def test_a_comparison_that_disagrees_fails_its_requirement_and_is_listed():
    bad = case("A case", ("n", "25", "26", False), ("r", "5", "5", True))
    paper = qualification.of([required(), required("REQ-S02", ("Other",))], [bad, case("Other")], INSTALLED)
    said = texts(paper)
    assert "1 of 2 requirements is met" in said["Purpose and result"]
    assert "NOT MET: REQ-S01" in said["Purpose and result"]
    assert "A case: n: expected 25, found 26." in said["Deviations"]
    table = next(block for chapter in paper.chapters for block in chapter.blocks
                 if isinstance(block, Table) and block.name == "requirements_1")  # fmt: skip
    assert list(table.frame["met"]) == ["NO", "yes"]
    assert list(table.chosen) == [True, False]


def test_of_many_disagreements_the_first_are_listed_and_the_others_counted():
    many = case("A case", *((f"row {k}", "1", "2", False) for k in range(50)))
    points = next(block for chapter in qualification.of([required()], [many], INSTALLED).chapters
                  for block in chapter.blocks if isinstance(block, Points))  # fmt: skip
    assert sum("expected 1, found 2" in entry for entry in points.entries) == 20
    assert "A case: and 30 more disagreements." in points.entries


def test_a_requirement_without_a_result_is_said_to_be_not_tested():
    said = texts(qualification.of([required()], [], INSTALLED))
    assert "0 of 1 requirement are met" in said["Purpose and result"]
    assert "Not tested on this machine: REQ-S01" in said["Purpose and result"]
    assert NOT_TESTED in said["Searches for designs"]
    assert "REQ-S01 is not tested on this machine: no result of A case." in said["Deviations"]


def test_a_case_that_compares_nothing_is_no_proof():
    empty = CaseResult(name="A case", source="", frame=case("A case").frame.iloc[:0])
    assert "NOT MET" in texts(qualification.of([required()], [empty], INSTALLED))["Purpose and result"]


def test_a_case_of_no_requirement_is_a_deviation():
    said = texts(qualification.of([required()], [case("A case"), case("Stray")], INSTALLED))
    assert "The case Stray belongs to no requirement." in said["Deviations"]


def test_versions_that_differ_from_the_lock_are_deviations():
    said = texts(qualification.of([required()], [case("A case")], INSTALLED))
    assert "1 direct dependency differs from the lock: scipy" in said["Purpose and result"]
    assert "scipy: version 1.0.0 is installed, the lock has 1.17.1." in said["Deviations"]
    assert "tzdata: version 2025.1 is installed" in said["Deviations"]
    assert "colorama" not in said["Deviations"]


def test_the_document_leaves_room_for_three_signatures_and_its_bytes_repeat():
    def made():
        return qualification.of([required()], [case("A case")], INSTALLED, "origin")

    table = made().chapters[-1].blocks[0]
    assert list(table.frame["role"]) == ["Prepared by", "Reviewed by", "Approved by"]
    assert docx(made()) == docx(made())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "0.5, 3/4", "0.5, 3/4", True)], "no difference in the digits given"),
        ([("a", "0.50", "0.52", True), ("b", "EN 10.1", "EN 10.0", True)], "largest difference 0.1"),
        ([("a", "12 numbers", "largest difference 3.0e-07", True)], "largest difference 3e-07"),
        ([("a", "0.6", "0.7 (z +1.5)", True), ("b", "5", "4 (z -2.1)", True)],
         "largest difference 2.1 Monte Carlo standard errors"),
        ([("a", "reproduces", "does not", True)], ""),
    ],
)  # fmt: skip
def test_the_largest_difference_is_given_where_all_are_numbers(rows, said):
    assert case("A case", *rows).largest == said


def test_packages_are_compared_with_every_version_that_the_lock_holds(monkeypatch):
    class Distribution:
        def __init__(self, name, version):
            self.name, self.version = name, version

    here = [Distribution("NumPy", "2.4.6"), Distribution("scipy", "1.0"), Distribution("zope.interface", "7.0")]
    monkeypatch.setattr(qualified.importlib.metadata, "distributions", lambda: here)
    lock = (
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\nnumpy==2.5.5 ; x \\\n"
        "scipy==1.17.1 \\\n    --hash=sha256:22\nzope-interface==7.0\ncolorama==0.4.6 ; sys_platform == 'win32'\n"
    )
    found = {one.name: one for one in qualified._packages(lock)}
    assert {name: one.state for name, one in found.items()} == {
        "numpy": EQUAL, "scipy": DIFFERENT, "zope-interface": EQUAL, "colorama": ABSENT,
    }  # fmt: skip
    assert found["numpy"].locked == "2.4.6 or 2.5.5"
    assert found["numpy"].direct
    assert not found["colorama"].direct


def test_cases_are_read_from_an_executed_notebook_as_they_were_shown(tmp_path):
    shown = cases.case_of("A case", "a book", iter([("x", "NA", "1.50", True), ("y", "0.10", "0.20", False)]))
    data, metadata = shown._repr_mimebundle_()
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data, metadata=metadata)])]
    )
    path = tmp_path / "x.ipynb"
    nbformat.write(book, path)
    (found,) = qualified.results(path)
    assert (found.name, found.source, found.compared, found.agree) == ("A case", "a book", 2, 1)
    assert list(found.frame["expected"]) == ["NA", "0.10"]
    assert qualified.results(tmp_path / "nowhere.ipynb") == ()


@pytest.mark.kernel
def test_a_case_that_fails_gives_exit_code_1_and_a_document_that_says_so(tmp_path, root, monkeypatch, capsys):
    clone = tmp_path / "clone"
    (clone / "notebooks").mkdir(parents=True)
    (clone / "tests/reference").mkdir(parents=True)
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("trial = ''", metadata={"tags": ["parameters"]}, id="a"),
            nbformat.v4.new_code_cell(
                "from simtrial.validation import cases\n"
                "bad = cases.case_of('Fractions', 'a book', iter([('n', '25', '26', False)]))\nbad",
                id="b",
            ),
            nbformat.v4.new_code_cell("cases.verdict(bad)", id="c"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, clone / "notebooks/06_validation.ipynb")
    monkeypatch.setattr(project, "ROOT", clone)
    out = tmp_path / "build"
    assert main(["validate", str(root / "params/smoke.yaml"), "--out", str(out)]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(f"the validation document is {out / 'validation.failed' / 'validation.docx'}")
    html = (out / "validation.failed" / "validation.html").read_text(encoding="utf-8")
    assert "NOT MET: REQ-D01" in html
    assert "Fractions: n: expected 25, found 26." in html
    assert f"0 of {sum(bool(one.cases) for one in requirements.read()[0])} requirements" in html
    assert not (out / "validation").exists()
