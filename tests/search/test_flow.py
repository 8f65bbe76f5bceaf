"""The design as a flow: the words for every kind of design, their numbers, and room for all of them."""

from itertools import combinations

import drawn
import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch

from simtrial import Requirements
from simtrial.design.designs import Look, parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.phrases import percent
from simtrial.search import figures, steps

DESIGNS = (
    "7/25", "1/15,5/25", "1:5/10,5/29", ":3/15,5/25", "0/1,1/2", "0/5,3/20,7/40", "0/5,/9,2/14,3:9/18,4/22,5/30",
    "990/5000,2234/10000", "999:4000/5000,2000:5000/8000,4444/10000",
)  # fmt: skip


def leaves(text):
    return [
        (leaf.kind, " ".join(leaf.condition))
        for step in steps.steps(parse_looks(text))
        for leaf in (step.low, step.high)
        if leaf
    ]


def onward(text):
    return [" ".join(step.onward) for step in steps.steps(parse_looks(text)) if step.onward]


def test_two_stages_in_words():
    assert leaves("1/15,5/25") == [
        ("futile", "at most 1 response"), ("not_rejected", "at most 5 of 25"), ("rejected", "at least 6 of 25")
    ]  # fmt: skip
    assert onward("1/15,5/25") == ["at least 2 responses"]


def test_one_stage_has_two_endings_and_no_interim_analysis():
    assert leaves("7/25") == [("not_rejected", "at most 7 responses"), ("rejected", "at least 8 responses")]
    assert onward("7/25") == []
    assert "interim" not in figures.flow(parse_looks("7/25")).alt


def test_an_efficacy_bound_is_an_ending_and_bounds_who_continues():
    assert leaves("1:5/10,5/29")[:2] == [("futile", "at most 1 response"), ("effective", "at least 5 responses")]
    assert onward("1:5/10,5/29") == ["2 to 4 responses"]
    assert onward("1:4/10,5/29") == ["2 or 3 responses"]
    assert onward("1:3/10,5/29") == ["exactly 2 responses"]
    assert onward("0:2/10,5/29") == ["exactly 1 response"]


def test_a_look_without_a_futility_bound_stops_for_efficacy_alone_or_not_at_all():
    assert leaves(":3/15,5/25")[0] == ("effective", "at least 3 responses")
    assert onward(":3/15,5/25") == ["at most 2 responses"]
    assert onward("/15,5/25") == ["with any number of responses"]
    assert len(leaves("/15,5/25")) == 2


@pytest.mark.parametrize(
    ("bound", "few", "many"),
    [
        (0, "no response", "at least 1 response"),
        (1, "at most 1 response", "at least 2 responses"),
        (2, "at most 2 responses", "at least 3 responses"),
        (1234, "at most 1,234 responses", "at least 1,235 responses"),
    ],
)
def test_conditions_agree_in_number(bound, few, many):
    assert leaves(f"{bound}/5000") == [("not_rejected", few), ("rejected", many)]


def test_patients_agree_in_number():
    one, more = steps.steps(parse_looks("0/1,1/2"))
    assert (one.lines, more.lines) == (
        ("1 patient", "interim analysis"), ("1 more patient", "2 in total", "final analysis")
    )  # fmt: skip
    assert steps.at_most(0, Look(25, 0), first=False) == ("none", "of 25")


@pytest.mark.parametrize("text", DESIGNS)
def test_the_words_cover_each_number_of_responses_once(text):
    """Walk over every number of responses at a look and read the words as a person would."""

    def covers(words, x):
        words = words.replace(",", "").removesuffix(" responses").removesuffix(" response").split(" of ")[0]
        if words in ("no", "none"):
            return x == 0
        if words.startswith("with any"):
            return True
        numbers = [int(word) for word in words.split() if word.isdigit()]
        if words.startswith("at most"):
            return x <= numbers[0]
        return x >= numbers[0] if words.startswith("at least") else numbers[0] <= x <= numbers[-1]

    design = parse_looks(text)
    for k, (look, step) in enumerate(zip(design.looks, steps.steps(design), strict=True)):
        told = [" ".join(leaf.condition) if leaf else None for leaf in (step.low, step.high)]
        told.append(" ".join(step.onward) if step.onward else None)
        regions = look.regions(np.arange(look.n + 1), final=k == len(design.looks) - 1)
        for words, region in zip(told, regions, strict=True):
            assert region.any() == (words is not None)
            for x in range(0, look.n + 1, max(1, look.n // 50)):
                assert words is None or covers(words, x) == region[x]


@pytest.mark.parametrize("text", DESIGNS)
def test_no_text_of_a_flow_lies_on_another_or_is_cut_off(text):
    figure = figures.flow(parse_looks(text), Requirements(0.125, 0.375, 0.05, 0.8)).figure
    assert not drawn.unreadable(figure)


@pytest.mark.parametrize("text", ["1/15,5/25", "999:4000/5000,2000:5000/8000,4444/10000"])
def test_texts_of_boxes_lie_in_them_and_boxes_lie_apart(text, asked):
    figure = figures.flow(parse_looks(text), asked).figure
    lines = drawn.texts(figure)
    boxes = [patch.get_window_extent() for patch in figure.axes[0].findobj(FancyBboxPatch) if patch.get_width() > 0.5]
    for box in boxes:
        for said, line in lines:
            if box.overlaps(line):
                assert box.x0 <= line.x0, said
                assert line.x1 <= box.x1, said
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]


def test_endings_have_their_exact_probabilities_at_both_rates(asked):
    design = parse_looks("1:5/10,5/29")
    oc = operating_characteristics(design, [asked.p0, asked.p1])
    said = [text for text, _ in drawn.texts(figures.flow(design, asked).figure)]
    for name, rate, k in (("p0", "10%", 0), ("p1", "30%", 1)):
        for share in (*oc.accept_by_look[k], *oc.reject_by_look[k]):
            assert f"at {name} = {rate}: {percent(float(share))}" in said
    assert not [text for text, _ in drawn.texts(figures.flow(design).figure) if "%" in text]


def test_two_stages_are_wide_and_low(asked):
    width, height = figures.flow(parse_looks("1/15,5/25"), asked).figure.get_size_inches()
    assert 7 < width < 10
    assert height < 2.7
