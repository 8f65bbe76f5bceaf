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
    assert done.modules <= 660  # of which the register of families holds nine


@pytest.mark.kernel
def test_a_report_starts_one_kernel_and_asks_hardly_anything_twice(walk):
    done = walk.report("params/smoke.yaml")
    assert done.kernels == 1
    assert done.in_kernels <= 2200
    # front page and documents are made in one process, the notebooks run in another: each asks what the other asks
    assert again(done, "single_stage") <= 1
    assert again(done, "two_stage") <= 4  # on paper, as the trial is run, and under two other strategies
    assert again(done, "operating_characteristics") <= 20
    # months and what assumptions cost (7 plans at 2 rates), and those of the simulation report beside part 3
    assert again(done, "exact_values") <= 44
    assert again(done, "tally") <= 11
    assert done.calls["tally"] <= 22


@pytest.mark.long
def test_a_move_of_a_slider_is_one_search_of_each_question_and_simulates_nothing(walk):
    done = walk.slider()
    # two questions: the answer on paper has that under the dropout beside it
    assert (done.calls["single_stage"], done.calls["two_stage"], done.calls["tally"]) == (1, 2, 0)
    assert again(done, "two_stage") == 0
    assert done.calls["exact_values"] <= 2
    assert done.calls["operating_characteristics"] <= 16
    assert again(done, "operating_characteristics") == 0
