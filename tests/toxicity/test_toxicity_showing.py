"""The rule for toxicity in sentences, tables and pictures: what is printed is the boundary, and nothing else is."""

import re

import drawn
import numpy as np
import pytest
from scipy import special, stats

from simtrial import parse_looks
from simtrial.months import WEEK
from simtrial.phrases import percent
from simtrial.toxicity import figures, tables, text
from simtrial.toxicity.boundary import ToxicityBoundary, crossing, parse_boundary
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape
from simtrial.toxicity.rule import ToxicityRule

KINDS = {
    "pocock": {}, "obf": {}, "wang_tsiatis": {"delta": 0.25}, "bayes": {}, "sprt": {"unacceptable": 0.4},
}  # fmt: skip
DESIGN = parse_looks("1/15,5/25")


def rule(kind="pocock", looks=range(1, 26), limit=0.1):
    found = calibrated(BoundaryShape(kind, 0.2, **KINDS[kind]), looks, limit)
    return ToxicityRule(
        boundary=found.boundary, window=6 * WEEK, acceptable=0.2, unacceptable=0.4, limit=limit, calibration=found
    )


SIZES = r"\d+ to \d+|\d+(?:, \d+)+ or \d+(?! or more)|\d+ or \d+(?! or more)|\d+"
"""Numbers of patients in words: "3 to 5", "5, 10 or 15", "3 or 4", "25"."""


def read(said):
    """The counts of a sentence, as somebody reads it who was not here when it was written."""
    found = {}
    for b, sizes in re.findall(rf"(\d+)(?: or more)? of the first ({SIZES})", said):
        low, to, high = sizes.partition(" to ")
        every = range(int(low), int(high) + 1) if to else map(int, re.findall(r"\d+", sizes))
        found |= dict.fromkeys(every, int(b))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", [range(1, 26), (5, 10, 15, 25), (8, 9, 25)])
def test_the_sentence_holds_every_count_of_the_boundary_and_no_other(kind, looks):
    boundary = rule(kind, looks).boundary
    assert read(text.stops(boundary)) == {look.n: look.b for look in boundary.looks if look.b is not None}


def test_of_very_many_counts_a_sentence_names_the_first_and_the_last():
    boundary = rule(looks=range(1, 101)).boundary
    said = text.stops(boundary)
    assert ", ..., or " in said
    last = boundary.looks[-1]
    assert read(said)[last.n] == last.b
    assert len(tables.counts(boundary).frame) > text.MOST_RUNS  # the table holds them all


def test_one_patient_and_no_bound_are_said_too():
    assert text.stops(parse_boundary("1/1")) == "Accrual stops if the first patient has had a toxicity."
    assert text.stops(parse_boundary("-/5")) == "No number of toxicities stops accrual."


@pytest.mark.parametrize("written", ["3/10", "3/10,5/20", "-/1,2/2,3/3,3/4"])
def test_both_conventions_stand_in_the_table_and_differ_by_one(written):
    boundary = parse_boundary(written)
    frame = tables.counts(boundary).frame
    assert (frame.stop_if_at_least - frame.largest_acceptable == 1).all()
    read_back = {n: row.stop_if_at_least for row in frame.itertuples() for n in range(row.n_from, row.n_to + 1)}
    for look in boundary.looks:
        assert read_back.get(look.n) == look.b
    assert "smaller by 1" in text.convention(boundary)


def test_the_table_ends_with_the_crossing_probability():
    one = rule()
    frame = tables.counts(one.boundary, 0.2, 0.4).frame
    ever = crossing(one.boundary, [0.2, 0.4]).ever
    assert [frame.crossed_acceptable.iloc[-1], frame.crossed_unacceptable.iloc[-1]] == pytest.approx(ever, abs=1e-14)
    assert frame.crossed_acceptable.is_monotonic_increasing


def from_threshold(kind, printed, looks):
    """The boundary that the printed parameter leads to, by the definition of its type."""
    bounds = []
    for n in looks:
        b = np.arange(1, n + 1)
        tail = stats.binom.sf(b - 1, n, 0.2)
        if kind == "bayes":
            stops = special.betaincc(0.2 + b, 0.8 + n - b, 0.2) > printed
        elif kind == "sprt":
            stops = b * np.log(2) + (n - b) * np.log(0.6 / 0.8) >= printed
        else:
            delta = {"pocock": 0, "obf": 0.5, "wang_tsiatis": 0.25}[kind]
            level = special.ndtr(special.ndtri(printed) * (n / looks[-1]) ** -delta) if delta else printed
            stops = tail <= level * (1 + 1e-12)
        bounds.append(f"{b[stops][0] if stops.any() else '-'}/{n}")
    return parse_boundary(",".join(bounds))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [0.05, 0.1, 0.15])
def test_the_printed_parameter_leads_to_the_printed_boundary(kind, limit):
    one = rule(kind, limit=limit)
    printed = text.threshold(one.calibration)
    assert from_threshold(kind, float(printed), range(1, 26)) == one.boundary
    assert printed in text.calibration(one.calibration)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_calibrated_boundary_is_stated_with_what_it_attains_and_its_literature(kind):
    one = rule(kind)
    said, cited = text.statement(one).paragraphs
    for rate in (0.2, 0.4):
        assert percent(float(crossing(one.boundary, [rate]).ever[0])) in said
    assert "within 6 weeks of enrollment" in said
    assert "pending" in said
    assert all(reference in cited for reference in text.REFERENCES[kind])


def test_counts_given_outright_are_derived_from_nothing():
    one = ToxicityRule(boundary=parse_boundary("3/10,5/20"), window=1.0, acceptable=0.2, unacceptable=0.4)
    (said,) = text.statement(one).paragraphs
    assert "given outright" in said
    assert "type" not in said


@pytest.mark.parametrize("written", ["1/15,5/25", "5/25", "0:4/13,5/24", "0/6,2/17,5/29"])
def test_the_endings_of_a_row_add_up_to_one(written):
    one = rule()
    frame = tables.endings(parse_looks(written), one, (0.1, 0.3), (0.0, 1.0, np.inf)).frame
    assert frame[list(tables.ENDS)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    assert frame.reject.to_numpy() == pytest.approx((frame.success + frame.efficacy).to_numpy(), abs=1e-15)


def test_what_the_rule_takes_is_the_difference_to_the_same_trial_without_it():
    one = rule()
    frame = tables.price(DESIGN, one, 0.1, 0.3).frame
    assert (frame.difference < 0).all()
    alone = endings(DESIGN, None, p=0.3, toxicity=0.2).reject
    assert frame[frame.p == 0.3]["without"].to_numpy() == pytest.approx(alone, abs=1e-15)
    assert (frame["with"] - frame["without"]).to_numpy() == pytest.approx(frame.difference.to_numpy(), abs=1e-15)


def test_no_column_stands_for_an_ending_that_the_design_does_not_have():
    one = rule()
    heads = set(tables.endings(parse_looks("5/25"), one, (0.1,)).view().columns)
    assert "Stopped for futility" not in heads
    assert "Stopped for efficacy" not in heads
    assert "Stopped for efficacy" in tables.endings(parse_looks("0:4/13,5/24"), one, (0.1,)).view().columns


@pytest.mark.parametrize("written", ["3/10,5/20", "-/1,2/2,3/3", "1/1"])
def test_no_text_of_a_boundary_lies_on_another(written):
    picture = figures.boundary(parse_boundary(written), 0.2, 0.4)
    assert not drawn.unreadable(picture.figure)
    assert text.stops(parse_boundary(written)) in picture.alt


@pytest.mark.parametrize("n", [25, 60, 100])
def test_a_staircase_of_many_steps_can_be_read(n):
    assert not drawn.unreadable(figures.boundary(rule(looks=range(1, n + 1)).boundary, 0.2, 0.4).figure)


def test_the_figure_of_the_endings_can_be_read_and_says_how_often_toxicity_stops_the_trial():
    one = rule()
    picture = figures.endings(DESIGN, one, {"p0": 0.1, "p1": 0.3})
    assert not drawn.unreadable(picture.figure)
    assert percent(endings(DESIGN, one.boundary, p=0.3, toxicity=0.2).shares["toxicity"]) in picture.alt


def test_runs_of_looks_with_the_same_count_are_gathered():
    boundary = ToxicityBoundary(parse_boundary("3/3,3/4,4/5,4/6,4/7").looks)
    assert text.short(boundary) == "3 of 3 or 4, 4 of 5 to 7"
