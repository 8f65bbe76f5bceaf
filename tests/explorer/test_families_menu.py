"""The menu of families: what it offers, how a family is looked at, and which searches wait to be asked for."""

from datetime import UTC, datetime

import pytest

from simtrial.design.designs import parse_looks
from simtrial.explorer import charts, screen
from simtrial.explorer.page import Explorer
from simtrial.search import CRITERIA, FAMILIES
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.boundary.figures import LEVELS
from simtrial.trial import params


@pytest.fixture
def explorer():
    return Explorer()


def test_the_menu_has_one_and_two_stages_together_and_every_other_family():
    offered = screen.menu()
    assert list(offered.values()) == ["", *(key for key, one in FAMILIES.items() if one.on_request)]


def test_a_family_shows_the_first_of_its_designs_and_offers_its_criteria(explorer):
    explorer.inputs["family"].value = "three_stage"
    assert "0/6, 2/17, 5/29" in explorer.panels["status"].value
    names = [name for name, _ in explorer.inputs["design"].options]
    assert names == [criterion.name for criterion in FAMILIES["three_stage"].criteria]
    explorer.inputs["design"].value = "three_stage_minimax"
    assert "0/11, 2/19, 5/25" in explorer.panels["status"].value
    assert explorer.trial.design.criterion == "three_stage_minimax"


def test_the_way_back_leads_to_simons_designs(explorer):
    explorer.inputs["family"].value = "efficacy"
    explorer.inputs["family"].value = ""
    assert "1/15, 5/25" in explorer.panels["status"].value
    assert "Simon optimal" in [name for name, _ in explorer.inputs["design"].options]


def test_a_file_with_a_family_opens_with_its_menu(explorer, root):
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain["design"] = {"family": "efficacy", "criterion": "en_p1", "losses": "paper"}
    text = params.written(params.load(plain)).encode()
    given = {"name": "mine.yaml", "content": text, "size": len(text), "type": "", "last_modified": datetime.now(UTC)}
    explorer.inputs["file"].value = (given,)
    assert explorer.inputs["family"].value == "efficacy"
    assert "0:4/13, 5/24" in explorer.panels["status"].value


def test_a_search_that_takes_seconds_waits_to_be_asked_for(explorer):
    explorer.inputs["family"].value = "curtailed"
    explorer.inputs["p1"].value = "0.22"
    assert explorer.trial is None
    assert "Press Search" in explorer.panels["status"].value
    assert explorer.inputs["search"].layout.display == ""


@pytest.mark.parametrize("looks", ["5/25", "1:5/10,5/29", ":3/5,0:4/10,1:5/15,2:6/20,2:6/25,3:6/30,6/35"])
def test_the_boundary_has_a_bar_per_look_and_says_what_its_colours_mean(looks):
    design = parse_looks(looks)
    drawn = charts.boundary(design)
    regions = [look.regions(range(look.n + 1), final=look is design.looks[-1]) for look in design.looks]
    parts = sum(int(part.any()) for here in regions for part in here)
    meanings = drawn.count("<li>")
    assert drawn.count("<rect") == parts + meanings
    assert "<title>Responses against patients" in drawn


def test_every_criterion_belongs_to_one_entry_of_the_menu():
    for key, criterion in CRITERIA.items():
        family = FAMILIES[criterion.family]
        assert screen.family_of(key) == (family.key if family.on_request else "")


def test_the_boundary_of_a_bayesian_design_has_the_lines_of_its_posterior():
    design, prior = parse_looks("1/10,3/20,7/30,11/40"), BetaPrior(0.2, 0.8)
    drawn = charts.boundary(design, prior, 0.2)
    assert drawn.count("<polyline") == 2 * len(LEVELS)  # each on a white one
    assert all(f">{level:g}</text>" in drawn for level in LEVELS)
    assert "Posterior P(p &gt; p0), p0 = 20%" in drawn
    assert "<polyline" not in charts.boundary(design)
