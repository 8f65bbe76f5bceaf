"""The rules that notebooks keep, and every notebook run as its users run it."""

import ast
import json
import re

import pytest
from sweeps import SMALL, written

from simtrial.report import run as report_run

NOTEBOOKS = [
    "01_design",
    "02_operating_characteristics",
    "03_enrollment_and_dropout",
    "04_reproduce_sample_size",
    "05_final_analysis",
    "06_validation",
    "07_sweep",
    "08_evidence",
    "09_response_and_toxicity",
]
ALL = [*NOTEBOOKS, *report_run.LESSONS]
STARTS = {"kernel": {"handout", "other_handout"}}
PAGE = "explorer"
"""What Voila serves: no questions, one cell."""
PARAMETERS = {
    "07_sweep": 'sweep = "params/sweep_NCT07022301.yaml"',
    "09_response_and_toxicity": 'trial = "params/toxicity.yaml"',
} | dict.fromkeys(report_run.LESSONS, "seed = 1")
"""What the one cell of parameters says, where it names no trial."""


@pytest.fixture(params=ALL)
def notebook(request, root):
    return json.loads((root / "notebooks" / f"{request.param}.ipynb").read_text(encoding="utf-8"))


def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_notebook_is_listed_here(root):
    folder = root / "notebooks"
    found = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.ipynb")}
    assert {name for name in found if ".ipynb_checkpoints" not in name} == {*ALL, PAGE}
    assert {*report_run.NOTEBOOKS, report_run.VALIDATION, "07_sweep"} == set(NOTEBOOKS)


def test_the_page_is_one_cell_without_outputs(root):
    (cell,) = json.loads((root / f"notebooks/{PAGE}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "".join(cell["source"]).splitlines() == [
        "from simtrial.explorer.page import Explorer",
        "",
        "Explorer().page",
    ]
    assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_tracked_notebooks_hold_no_outputs(notebook):
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code(notebook))


def test_one_parameters_cell_with_one_literal(notebook, request):
    tagged = [cell for cell in code(notebook) if "parameters" in cell["metadata"].get("tags", [])]
    assert ["".join(cell["source"]) for cell in tagged] == [
        PARAMETERS.get(request.node.callspec.params["notebook"], 'trial = "params/NCT07022301.yaml"')
    ]


def test_code_cells_are_short_and_define_nothing(notebook):
    for cell in code(notebook):
        source = "".join(cell["source"])
        assert len(source.splitlines()) <= 8
        kinds = {type(node) for node in ast.walk(ast.parse(source))}
        assert not kinds & {
            ast.FunctionDef,
            ast.AsyncFunctionDef,
            ast.ClassDef,
            ast.For,
            ast.While,
            ast.Lambda,
            ast.Try,
        }


def test_every_question_stands_over_its_answer(notebook):
    headings = [c for c in notebook["cells"] if c["cell_type"] == "markdown" and "".join(c["source"]).startswith("#")]
    assert "".join(headings[0]["source"]).startswith("# ")
    assert len(headings) >= 4  # a title and three questions: evidence, proof, textbook formulas


@pytest.fixture(params=report_run.LESSONS)
def lesson(request, root):
    return json.loads((root / "notebooks" / f"{request.param}.ipynb").read_text(encoding="utf-8"))


def test_a_lesson_types_no_result_and_ends_with_an_exercise_and_its_computed_answer(lesson):
    *_, exercise, last = lesson["cells"]
    prose = "".join("".join(cell["source"]) for cell in lesson["cells"] if cell["cell_type"] == "markdown")
    assert not re.search(r"\d\.\d{3,}|\d%|\d{4,}", prose)
    assert "".join(exercise["source"]).startswith("## Exercise: ")
    assert "?" in "".join(exercise["source"]).splitlines()[0]
    assert "".join(last["source"]).startswith("lesson.answer(")


def outputs(path):
    """What each cell shows, by its name."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {o["metadata"]["simtrial"]["name"]: o["data"] for c in cells for o in c.get("outputs", [])}


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    """All lessons with seed 1."""
    return report_run.lessons(1, tmp_path_factory.mktemp("build"))


SIMULATED = {
    "simulated_teeth", "simulated_stages", "simulated_looks", "one_trial", "cloud", "settling", "simulated_bias",
    "counting", "estimand", "simulated_losses", "boundary_by_hand", "same_trials_three_priors",
}  # fmt: skip


@pytest.fixture(scope="module")
def other_handout(tmp_path_factory, spare_bitmaps):
    """All lessons with seed 7, of which only what the notebooks keep is compared."""
    with pytest.MonkeyPatch.context() as patch:
        spare_bitmaps(patch)
        return report_run.lessons(7, tmp_path_factory.mktemp("other"))


@pytest.mark.parametrize("name", report_run.LESSONS)
def test_another_seed_changes_what_is_simulated_and_nothing_that_is_exact(name, handout, other_handout):
    with_1, with_7 = (
        outputs(made.parent / "notebooks" / f"{name.split('/')[1]}.ipynb") for made in (handout, other_handout)
    )
    assert with_7.keys() == with_1.keys()
    assert {shown for shown in with_1 if with_7[shown] != with_1[shown]} == SIMULATED & with_1.keys()
    assert SIMULATED & with_1.keys()


def test_the_same_cell_shows_the_default_figure_without_widgets(handout):
    for name in report_run.LESSONS:
        path = handout.parent / "notebooks" / f"{name.split('/')[1]}.ipynb"
        assert "widget" not in json.loads(path.read_text(encoding="utf-8"))["metadata"]
        for shown, data in outputs(path).items():
            kinds = {"text/html", "text/plain"} if shown.startswith("answer") else {"image/svg+xml", "text/plain"}
            assert data.keys() == kinds, shown


def test_the_handout_is_one_page_that_needs_no_network_and_folds_every_answer(handout):
    html = handout.read_text(encoding="utf-8")
    assert html.count('<details class="answer"><summary>Answer</summary>') == len(report_run.LESSONS)
    shown = re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    assert not re.search(r"\b(drag|play|press|move|click|slider)\b", shown, flags=re.IGNORECASE)
    assert "VBox" not in html
    assert "HBox" not in html
    assert "<script" not in html
    assert " src=" not in html
    # what is asked for when somebody follows a link lies beside the page
    assert all((handout.parent / place).is_file() for place in re.findall(r'href="([^#"][^"]*)"', html))
    assert "SHA-256" not in html
    manifest = json.loads((handout.parent / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 1
    assert [name for name in manifest["files"] if name.startswith("figures/")]


WAYS = [
    ("01_design", "-p trial params/smoke.yaml"),
    *((name, "-f params/smoke.yaml") for name in report_run.NOTEBOOKS if name != report_run.TOXICITY),
    (report_run.TOXICITY, "-f params/toxicity.yaml"),
    ("07_sweep", "-p sweep {folder}/sweep.yaml"),
    (report_run.LESSONS[0], "-p seed 7"),
]
"""Both ways for one notebook, one way for the others: all have the same cell of parameters.

A small sweep stands for the one of 36 settings, which tests of sweeps compute. The validation notebook takes most of a
minute, and a test of the report runs it by papermill in a kernel of its own. Of the lessons one stands for all: they
have the same cell, and their handout is made of them by papermill too.
"""


# in this process, for the command line of papermill takes longer to start than a notebook to run
@pytest.mark.parametrize(("name", "how"), WAYS)
@pytest.mark.kernel
def test_raw_papermill_runs_it_from_the_root(name, how, root, tmp_path, monkeypatch):
    from papermill.cli import papermill

    monkeypatch.chdir(root)
    target = tmp_path / "out.ipynb"
    written(root, tmp_path, SMALL, trials=100, outcomes=["reject", "end_month", "n_enrolled"], name="sweep.yaml")
    papermill([f"notebooks/{name}.ipynb", str(target), *how.format(folder=tmp_path).split()], standalone_mode=False)
    cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
    shown = json.dumps([cell.get("outputs") for cell in cells])
    assert "error" not in {o["output_type"] for cell in cells for o in cell.get("outputs", [])}
    if name == "01_design":
        assert "SMOKE" in shown
        assert "NCT07022301" not in shown
