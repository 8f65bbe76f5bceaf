"""One kernel for several notebooks: nothing of one is found by the next, and the kernel ends however they end."""

import os
from functools import partial

import nbformat
import pytest

from simtrial import project
from simtrial.report import execution, fresh
from simtrial.report.execution import NotebookError
from simtrial.report.kernel import kept

LEAVE = """
import decimal, gc, logging, os, random, sys, threading, warnings
import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
left = 1
plt.figure()
plt.rcParams["font.size"] = 33.0
mpl.use("agg")
np.random.seed(5)
random.seed(5)
np.set_printoptions(precision=2)
np.seterr(divide="raise")
pd.set_option("display.max_rows", 3)
warnings.simplefilter("error")
os.environ["LEFT"] = "1"
os.chdir("/")
sys.path.insert(0, "/nowhere")
slider = ipywidgets.IntSlider()
for module, name in (sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (warnings, "showwarning"):
    setattr(module, name, lambda *given: None)
decimal.getcontext().prec = 3
logging.basicConfig(level=5, force=True)
logging.disable(40)
gc.set_threshold(7, 7, 7)
gc.disable()
_ = 7
"""
LOOK = """
import decimal, gc, logging, os, random, sys, threading, warnings
import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
print([
    [name for name in ("left", "slider", "Out") if globals().get(name)],
    plt.get_fignums(), mpl.rcParams["font.size"], mpl.rcParams["backend"], repr(np.random.get_state()), random.random(),
    np.get_printoptions()["precision"], np.geterr()["divide"], pd.get_option("display.max_rows"),
    warnings.filters, os.environ.get("LEFT"), os.getcwd(), "/nowhere" in sys.path,
    len(ipywidgets.Widget.widgets if hasattr(ipywidgets.Widget, "widgets") else ipywidgets.widgets.widget._instances),
    In[1:-1],
    [str(hook) for hook in (sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning)],
    decimal.getcontext(), gc.isenabled(), gc.get_threshold(),
    logging.root.level, logging.root.handlers, logging.root.manager.disable,
])
"""

STARTS = {"kernel": {"held"}}
WHICH = "import os\nos.getpid()"


def process(cell):
    return int(cell.outputs[0].data["text/plain"])


def ran(folder, kernel, name, source):
    """Run a notebook of one cell, and give that cell as kept."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / f"{name}.ipynb")
    execution.execute(folder / f"{name}.ipynb", folder / f"{name}-kept.ipynb", {}, kernel)
    return nbformat.read(folder / f"{name}-kept.ipynb", as_version=4).cells[-1]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "ROOT", tmp_path)
    return partial(ran, tmp_path)


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """Five notebooks run in one kernel, which has ended since."""
    folder = tmp_path_factory.mktemp("held")
    order = (("first", LOOK), ("leave", LEAVE), ("then", LOOK), ("a", WHICH), ("b", WHICH))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "ROOT", folder)
        with kept() as kernel:
            return {name: ran(folder, kernel, name, source) for name, source in order}


def test_no_notebook_finds_what_another_one_left(held):
    first, then = held["first"], held["then"]
    assert then.outputs[0].text == first.outputs[0].text
    assert then.execution_count == first.execution_count == 1
    assert first.outputs[0].text.startswith("[[], []")


def test_all_notebooks_run_in_one_process_that_ends_with_them(held):
    first, second = process(held["a"]), process(held["b"])
    assert first == second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.kernel
def test_the_kernel_ends_with_an_interrupt(run):
    def interrupted():
        with kept() as kernel:
            found.append(process(run(kernel, "a", WHICH)))
            raise KeyboardInterrupt

    found = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(ProcessLookupError):
        os.kill(found[0], 0)


@pytest.mark.kernel
def test_a_kernel_that_dies_fails_its_notebook_which_is_kept(run, tmp_path):
    with pytest.raises(NotebookError, match=r"^a\.ipynb stopped: Kernel died"), kept() as kernel:
        run(kernel, "a", "import os\nos._exit(3)")
    assert "os._exit(3)" in nbformat.read(tmp_path / "a-kept.ipynb", as_version=4).cells[-1].source


@pytest.mark.kernel
def test_libraries_are_found_in_the_working_folder_where_pythonpath_names_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with kept() as kernel:
        cell = run(kernel, "a", "import sys\nprint(sys.path[0])")
    assert cell.outputs[0].text.strip() == str(tmp_path)


def test_settings_are_restored_without_a_notebook(monkeypatch):
    monkeypatch.setenv("KEPT", "1")
    state = fresh.State.now()
    monkeypatch.delenv("KEPT")
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 33.0}):
        state.restore()
        assert mpl.rcParams["font.size"] == state.figures["font.size"] != 33.0
    assert os.environ["KEPT"] == "1"
