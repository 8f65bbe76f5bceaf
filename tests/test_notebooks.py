"""The rules that notebooks keep, and every notebook run as its users run it."""

import ast
import itertools
import json
import subprocess
import sys

import pytest

from simtrial import report

NOTEBOOKS = [
    "01_design",
    "02_operating_characteristics",
    "03_enrollment_and_dropout",
    "04_reproduce_sample_size",
    "05_final_analysis",
    "06_validation",
    "07_sweep",
]
PARAMETERS = {"07_sweep": 'sweep = "params/sweep_NCT07022301.yaml"'}
"""What the one cell of parameters says, where it names no trial."""


@pytest.fixture(params=NOTEBOOKS)
def notebook(request, root):
    return json.loads((root / "notebooks" / f"{request.param}.ipynb").read_text(encoding="utf-8"))


def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_notebook_is_listed_here(root):
    assert sorted(path.stem for path in (root / "notebooks").rglob("*.ipynb")) == NOTEBOOKS
    assert {*report.NOTEBOOKS, report.VALIDATION, "07_sweep"} == set(NOTEBOOKS)


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
    assert len(headings) >= 5


WAYS = ["-p trial params/smoke.yaml", "-f params/smoke.yaml"]


# once is enough for the validation notebook, which the report tests run as well
@pytest.mark.parametrize(
    ("name", "how"), [*itertools.product(NOTEBOOKS[:5], WAYS), (NOTEBOOKS[5], WAYS[1]), (NOTEBOOKS[6], "")]
)
def test_raw_papermill_runs_it_from_the_root(name, how, root, tmp_path):
    target = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", f"notebooks/{name}.ipynb", str(target), *how.split()]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
    shown = json.dumps([cell.get("outputs") for cell in cells])
    assert "error" not in {o["output_type"] for cell in cells for o in cell.get("outputs", [])}
    if name == "01_design":
        assert "SMOKE" in shown
        assert "NCT07022301" not in shown
