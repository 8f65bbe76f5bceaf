"""The rule for toxicity in the explorer: its controls, what they write into the file, and its panel."""

import html
import re
from datetime import UTC, datetime

import pytest

from simtrial import glossary
from simtrial.design.designs import parse_looks
from simtrial.explorer import charts, controls, layout, stopping
from simtrial.explorer.page import Explorer
from simtrial.phrases import rate
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape
from simtrial.toxicity.text import NAMES, stops
from simtrial.trial import params

RULE = {
    "acceptable_rate": 0.15, "unacceptable_rate": 0.35, "crossing_probability": 0.08, "window_weeks": 8.0,
}  # fmt: skip


@pytest.fixture
def explorer():
    return Explorer()


def told(explorer, panel="toxicity"):
    said = re.sub(r"<title>.*?</title>|<[^>]+>", " ", explorer.panels[panel].value, flags=re.DOTALL)
    return " ".join(html.unescape(said).split())


def opened(explorer, rule):
    plain = {**controls.START, "study": {"id": "mine", "title": "A file"}}
    plain["design"] = {"criterion": "optimal", "losses": "paper", "toxicity": rule}
    text = params.written(params.load(plain)).encode()
    given = {"name": "mine.yaml", "content": text, "size": len(text), "type": "", "last_modified": datetime.now(UTC)}
    explorer.inputs["file"].value = (given,)


def test_it_is_off_at_first_and_leaves_no_trace_when_it_is_off_again(explorer):
    before = {name: panel.value for name, panel in explorer.panels.items()}
    assert (explorer.inputs["toxicity"].value, before["toxicity"]) == ("", "")
    assert [explorer.numbers[name].row.layout.display for name in layout.TOXICITY] == ["none"] * 4
    assert explorer.panels["toxicity"].layout.display == "none"
    plain = explorer.trial.plain()
    explorer.inputs["toxicity"].value = "obf"
    assert [explorer.numbers[name].row.layout.display for name in layout.TOXICITY] == [""] * 4
    assert explorer.panels["toxicity"].layout.display == ""
    explorer.inputs["toxicity"].value = ""
    assert explorer.trial.plain() == plain
    assert {name: panel.value for name, panel in explorer.panels.items()} == before


@pytest.mark.parametrize("kind", stopping.OFFERED)
def test_every_type_shows_its_exact_boundary_and_endings(explorer, kind):
    explorer.inputs["toxicity"].value = kind
    looks = explorer.trial.wish
    assert looks == "minimax"
    design = parse_looks("1/15,5/25")
    shape = BoundaryShape(kind, 0.2, unacceptable=0.4 if kind == "sprt" else None)
    boundary = calibrated(shape, range(1, 26), 0.1).boundary
    said = told(explorer)
    assert stops(boundary) in said
    for toxicity in (0.2, 0.4):
        for p in (0.1, 0.3):
            ended = endings(design, boundary, p=p, toxicity=toxicity)
            row = f"{100 * toxicity:g}% {100 * p:g}% {rate(ended.shares['toxicity'])} {rate(ended.shares['futility'])}"
            assert row in said
    low, high = crossing(boundary, [0.2, 0.4]).ever.tolist()
    assert (
        f"{rate(low)} at the acceptable and {rate(high)} at the unacceptable rate" in explorer.panels["toxicity"].value
    )


def test_every_number_of_the_rule_is_heard_and_written(explorer):
    explorer.inputs["toxicity"].value = "pocock"
    for name, value in {"acceptable": "0.15", "unacceptable": "0.35", "crossing": "0.08", "window": "8"}.items():
        before = explorer.inputs["download"].value
        explorer.inputs[name].value = value
        assert explorer.inputs["download"].value != before, name
    assert explorer.trial.plain()["design"]["toxicity"] == {"rule": "pocock", **RULE, "first_look": 1}
    explorer.inputs["design"].value = "optimal"  # another design keeps the rule
    assert explorer.trial.design.toxicity.rule == "pocock"
    assert "How a trial of 1/10, 5/29 with the rule" in told(explorer)
    explorer.inputs["p1"].value = "0.32"
    assert explorer.trial.design.toxicity.crossing_probability == 0.08


def test_rates_that_contradict_each_other_are_refused_over_the_last_answer(explorer):
    explorer.inputs["toxicity"].value = "pocock"
    before = explorer.panels["toxicity"].value
    explorer.inputs["unacceptable"].value = "0.1"
    assert "acceptable_rate (0.2) is not below unacceptable_rate (0.1)" in told(explorer, "status")
    assert "design.toxicity" not in told(explorer, "status")
    assert explorer.panels["toxicity"].value == before
    explorer.inputs["crossing"].value = "5%"
    assert "is a percentage: write 0.05" in told(explorer, "status")
    explorer.inputs["toxicity"].value = ""  # what is hidden is not asked for
    assert "percentage" not in told(explorer, "status")
    assert explorer.trial is not None


@pytest.mark.parametrize(
    ("rule", "kind", "name"),
    [
        ({"rule": "wang_tsiatis", "delta": 0.25, **RULE}, "wang_tsiatis", f"{NAMES['wang_tsiatis']}, as in the file"),
        ({"boundary": "3/10,5/20", **{k: v for k, v in RULE.items() if k != "crossing_probability"}}, "counts",
         "counts of the file"),
        ({"rule": "bayes", "prior": [1.0, 4.0], "looks_at": [10, 20], "source": "the protocol", **RULE}, "bayes",
         NAMES["bayes"]),
    ],
)  # fmt: skip
def test_a_rule_of_a_file_is_shown_kept_and_changed_by_hand(explorer, rule, kind, name):
    opened(explorer, rule)
    assert explorer.inputs["toxicity"].value == kind
    assert name in dict(explorer.inputs["toxicity"].options)
    kept = {"first_look": 1} | rule
    assert explorer.trial.plain()["design"]["toxicity"] == kept
    assert explorer.numbers["crossing"].row.layout.display == ("none" if kind == "counts" else "")
    explorer.inputs["acceptable"].value = "0.12"
    changed = {key: value for key, value in kept.items() if key != "source"} | {"acceptable_rate": 0.12}
    assert explorer.trial.plain()["design"]["toxicity"] == changed
    explorer.inputs["toxicity"].value = "obf"  # another type takes nothing from it but the numbers
    assert explorer.trial.plain()["design"]["toxicity"] == {
        "rule": "obf", **RULE, "acceptable_rate": 0.12, "first_look": 1,
        "crossing_probability": 0.1 if kind == "counts" else 0.08,
    }  # fmt: skip


def test_controls_that_were_not_moved_leave_a_rule_as_it_is():
    plain = {
        **controls.START,
        "design": {"criterion": "optimal", "losses": "paper", "toxicity": {"rule": "obf", **RULE}},
    }
    trial = controls.complete(params.load(plain))
    assert controls.applied(controls.of(trial), trial) is trial


def test_every_heading_of_the_panel_is_explained(explorer):
    explorer.inputs["toxicity"].value = "sprt"
    heads = re.findall(r"<th([^>]*)>([^<]+)</th>", explorer.panels["toxicity"].value)
    assert len(heads) > 10
    plain = {term.head for term in glossary.PLAIN.values()}
    assert {shown for attributes, shown in heads if " title=" not in attributes} <= plain
    assert explorer.inputs["toxicity"].tooltip == glossary.TERMS["toxicity_rule"].meaning


def test_the_picture_has_a_bar_for_each_look_that_stops():
    drawn = charts.counts(parse_boundary("-/2,3/5,4/9,-/10,7/20"))
    assert drawn.count("<rect") == 3
    assert "<title>Accrual stops at 3 of 5, 4 of 9, 7 of 20</title>" in drawn


def test_the_picture_shades_no_count_of_toxicities_that_cannot_be_and_numbers_its_steps():
    drawn = charts.counts(parse_boundary("-/1,-/2,3/3,3/4,3/5,3/6,3/7,4/8,4/9,4/10,4/11,4/12,4/13,4/14"))
    heights = [float(one) for one in re.findall(r'<rect [^>]*height="([0-9.]+)"', drawn)]
    assert len(heights) == 12
    one = heights[0]  # 3 of 3: a single count
    assert heights[1] == pytest.approx(2 * one, abs=0.02)  # 3 or 4 of 4
    assert heights[:4] == sorted(heights[:4])
    assert (drawn.count(">\u22653<"), drawn.count(">\u22654<")) == (1, 1)


def test_what_is_shown_without_the_rule_says_so_and_where_it_is_not(explorer):
    aside = {
        "candidates": "The rule for toxicity is left aside here", "curves": "is left aside in these curves",
        "decisions": "H0 is rejected only if the boundary for toxicity has not been crossed",
        "status": "are below, under \u201cWhat happens when the trial is run?\u201d",
        "calendar": "The trial is run at a true rate of toxicity of 20% (the acceptable rate; a parameter file may",
    }  # fmt: skip
    for said in aside.values():
        assert not any(said in told(explorer, name) for name in aside)
    explorer.inputs["toxicity"].value = "pocock"
    for name, said in aside.items():
        assert said in told(explorer, name)
    assert "leaves the rule aside as well" not in told(explorer, "status")
    explorer.inputs["design"].value = "fastest_p0"
    assert "The criterion of the calendar leaves the rule aside as well" in told(explorer, "status")
