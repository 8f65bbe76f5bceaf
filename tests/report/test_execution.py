"""A notebook whose cells meet limits goes on without them, and says so; a fault still fails it."""

import nbformat
import pytest

from simtrial import project
from simtrial.report import execution, front
from simtrial.report.execution import LeftOut, NotebookError
from simtrial.report.kernel import kept as kept_kernel

STARTS = {"kernel": {"shared_kernel"}}
LIMIT = "from simtrial import InputError\nraise InputError('(201) must be at most 200', 'n')"


@pytest.fixture(scope="module")
def shared_kernel():
    """One for all tests here: that nothing of one notebook reaches the next is the claim of test_kernel."""
    with kept_kernel() as kernel:
        yield kernel


@pytest.fixture
def run(shared_kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(project, "ROOT", tmp_path)

    def run(*cells):
        """Run cells, each of source and tags; give what is left out and the cells as kept."""
        made = [
            nbformat.v4.new_code_cell(source, metadata={"tags": tags.split()})
            if not source.startswith("#")
            else nbformat.v4.new_markdown_cell(source)
            for source, tags in cells
        ]
        spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=spec), tmp_path / "01_part.ipynb")
        target = tmp_path / "kept.ipynb"
        try:
            left = execution.execute(tmp_path / "01_part.ipynb", target, {"trial": {}}, shared_kernel)
        finally:
            kept = nbformat.read(target, as_version=4).cells
        return left, kept

    return run


def said(cell):
    return [output.data["text/plain"] for output in cell.outputs]


def test_a_limit_leaves_out_its_cell_and_those_that_need_it_and_nothing_else(run):
    left, kept = run(
        ("# A part", ""),
        ("trial = {}", "parameters"),
        ("## Routes", ""),
        (f"{LIMIT}\nfound = 1", ""),
        ("found + 1", ""),
        ("## Map", ""),
        ("'drawn'", ""),
    )
    assert left == (LeftOut("Routes", "n (201) must be at most 200", whole=False),)
    shown = [said(cell) for cell in kept if cell.cell_type == "code"]
    assert shown[-3:] == [
        ["Left out: n (201) must be at most 200."],
        ["Left out as well: it needs what is left out above."],
        ["'drawn'"],
    ]
    assert [cell.source for cell in kept if cell.cell_type == "markdown"] == ["# A part", "## Routes", "## Map"]


def test_a_limit_in_the_set_up_leaves_out_the_whole_part(run):
    left, kept = run(("# A part", ""), ("trial = {}", "parameters"), (LIMIT, "setup"), ("## More", ""), ("1", ""))
    assert left == (LeftOut("A part", "n (201) must be at most 200", whole=True),)
    assert said(kept[-1]) == ["Left out: n (201) must be at most 200."]
    assert "## More" not in [cell.source for cell in kept]


@pytest.mark.parametrize(("fault", "kind"), [("1 / 0", "ZeroDivisionError"), ("absent", "NameError")])
def test_a_fault_fails_the_notebook_even_after_a_limit(fault, kind, run):
    with pytest.raises(NotebookError, match=rf"01_part.ipynb, cell 4 \({fault}\) failed: {kind}"):
        run(("trial = {}", "parameters"), (LIMIT, ""), (fault, ""))


def test_a_report_names_at_its_top_what_is_left_out():
    html = front.left_out([LeftOut("Routes", "n (201) must be at most <200>", whole=False)])
    assert "<em>Routes</em>: n (201) must be at most &lt;200&gt;." in html
    assert front.left_out([]) == ""
