"""The notebook of a sweep shows what the sweep has, whatever its axes and outcomes are."""

import pytest
from sweeps import written

from simtrial.cli.sweep import side_by_side
from simtrial.show.passage import Passage
from simtrial.sweep import figures, results, tables
from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run

RATES = [{"path": "p", "values": [0.1, 0.2, 0.3]}]
HANDLING = [{"path": "conduct.dropout.handling", "values": ["nonresponder", "replace"]}]


def found(root, folder, axes, outcomes):
    asked = sweep_file.read(written(root, folder, axes, outcomes=outcomes))
    return results.SweepResults(asked, sweep_run.in_memory(asked))


@pytest.fixture
def by_rate(root, tmp_path):
    return found(root, tmp_path, RATES, ["reject"])


def test_an_outcome_that_the_sweep_does_not_have_is_said_in_its_place(by_rate):
    said = figures.multiples(by_rate, "end_month")
    assert isinstance(said, Passage)
    assert str(said).startswith("Left out: this sweep does not compute the outcome end_month (")


def test_over_the_true_rate_alone_the_curve_has_a_point_per_rate(by_rate):
    picture = figures.multiples(by_rate, "reject")
    (axis,) = picture.figure.axes
    assert list(axis.lines[0].get_xdata()) == [0.1, 0.2, 0.3]
    assert picture.caption.startswith("P(reject H0) over the true response rate p.")


def test_over_the_true_rate_alone_the_power_is_judged_at_p1(by_rate):
    assert tables.broken(by_rate).caption.startswith("1 of 1 setting")


def test_without_the_power_no_setting_is_judged_and_that_is_said(root, tmp_path):
    said = tables.broken(found(root, tmp_path, HANDLING, ["n_enrolled"]))
    assert isinstance(said, Passage)
    assert str(said).startswith("Left out: this sweep does not compute the power.")


def test_no_number_of_a_wide_table_is_cut_or_broken():
    rows = [("toxicity crossing probability", "p", *(f"outcome number {k} of the trial" for k in range(6)))]
    rows += [(f"0.0{k}", "0.3", *(f"{10 * k + j}.05±0.0123" for j in range(6))) for k in range(1, 4)]
    for width in (60, 80, 120, 300):
        groups = side_by_side(rows, 2, width)
        assert [k for group in groups for k in group] == list(range(2, 8))  # each column once, in order
        for group in groups:
            chosen = [0, 1, *group]
            longest = sum(max(len(row[k]) for row in rows) + 2 for k in chosen)
            assert longest <= width or len(group) == 1
    assert len(side_by_side(rows, 2, 300)) == 1
