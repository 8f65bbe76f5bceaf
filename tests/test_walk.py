"""How far the data walk, counted by `benchmarks/walk.py`: no library, search or simulation more than is needed.

The bounds are the counts of the day on which they were written, modules with room for other versions of libraries.
"""

import importlib.util
import sys

import pytest


@pytest.fixture(scope="module")
def walk(root):
    spec = importlib.util.spec_from_file_location("walk", root / "benchmarks/walk.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "walk", module)  # where dataclasses look for their types
        spec.loader.exec_module(module)
        yield module


def again(done, name):
    """Calls that asked what had been asked before."""
    return done.calls[name] - done.questions[name]


def test_a_design_on_the_command_line_is_one_search_of_each_kind_and_no_plotting_library(walk):
    done = walk.design()
    assert (done.calls["single_stage"], done.calls["two_stage"], done.calls["tally"]) == (1, 1, 0)
    assert done.calls["operating_characteristics"] <= 6
    assert done.modules <= 640


@pytest.mark.kernel
def test_a_report_starts_one_kernel_and_asks_hardly_anything_twice(walk):
    done = walk.report("params/smoke.yaml")
    assert done.kernels == 1
    assert done.in_kernels <= 2200
    # the front page and the kernel are two processes: the first asks what the second asks again
    assert again(done, "single_stage") <= 1
    assert again(done, "two_stage") <= 2  # on paper, and as the trial is run
    assert again(done, "operating_characteristics") <= 8  # the front page shows the errors as run too
    # the front page has the months of the trial and what its assumptions cost, and so has part 3: 7 plans at 2 rates
    assert again(done, "exact_values") <= 15
    assert again(done, "tally") <= 6  # and part 3 simulates all outcomes at p0 and p1, the front page the months alone
    assert done.calls["tally"] <= 17


@pytest.mark.long
def test_a_move_of_a_slider_is_one_search_of_each_question_and_simulates_nothing(walk):
    done = walk.slider()
    # two questions: the answer on paper has that under the dropout beside it
    assert (done.calls["single_stage"], done.calls["two_stage"], done.calls["tally"]) == (1, 2, 0)
    assert again(done, "two_stage") == 0
    assert done.calls["exact_values"] <= 2
    assert done.calls["operating_characteristics"] <= 16
    assert again(done, "operating_characteristics") == 0
