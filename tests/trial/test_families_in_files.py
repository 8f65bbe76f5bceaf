"""Families of designs in a parameter file: what may be asked, what is refused, and what the report compares."""

import copy

import pytest

from simtrial import InputError
from simtrial.design.designs import looks_text, parse_looks
from simtrial.search import CRITERIA, FAMILIES
from simtrial.search.boundary import figures as boundary_figures
from simtrial.search.boundary import tables as boundary_tables
from simtrial.trial import beside, params, rules, tables
from simtrial.trial import figures as trial_figures
from simtrial.trial.case import Case

MANY = (
    "0:4/8,0:4/9,0:4/10,0:4/11,1:5/12,1:5/13,1:5/14,1:5/15,2:5/16,2:6/17,2:6/18,2:6/19,3:6/20,3:6/21,3:6/22,4:6/23,5/25"
)


@pytest.fixture
def plain(root):
    return params.load(root / "params/NCT07022301.yaml").plain()


def case(plain, design):
    return Case.of(params.load(copy.deepcopy(plain) | {"design": design}))


@pytest.mark.parametrize(
    ("design", "looks"),
    [
        ({"family": "efficacy", "criterion": "en_p1", "losses": "paper"}, "0:4/13,5/24"),
        ({"criterion": "efficacy_en_p1", "losses": "paper"}, "0:4/13,5/24"),
        ({"family": "three_stage", "losses": "paper"}, "0/6,2/17,5/29"),
        ({"family": "chang", "constraints": {"looks_at": [13, 26]}, "losses": "paper"}, "1:5/13,5/26"),
        (
            {"family": "simon", "criterion": "optimal", "constraints": {"balanced": True}, "losses": "paper"},
            "1/13,5/26",
        ),
    ],
)
def test_a_file_takes_the_design_of_a_family(plain, design, looks):
    found = case(plain, design)
    assert looks_text(found.chosen) == looks
    assert found.keeps
    assert found.proof.how == "proved"


def test_a_weight_asks_for_the_weighted_sum(plain):
    design = {"family": "efficacy", "weight": 0.5, "losses": "paper"}
    found = case(plain, design)
    assert found.proof.value == pytest.approx(0.5 * found.chosen.en_p0 + 0.5 * found.chosen.en_p1, abs=1e-9)
    assert found.proof.value < 0.5 * 14.98 + 0.5 * 23.31  # that of the EN(p0)-optimal design


def test_a_design_of_a_family_is_sized_for_its_dropout(plain):
    found = case(plain, {"family": "efficacy", "criterion": "en_p0"})
    assert found.under is not None
    figures = found.under.figures(found.chosen, found.requirements)
    assert figures.type_i_error <= 0.05
    assert figures.power >= 0.8


def test_looks_in_months_are_put_where_patients_are_expected_to_be_known(plain):
    months = {"looks_months": [8, 16], "cap": 30}
    trial = params.load(plain | {"design": {"family": "best_bounds", "constraints": months, "losses": "paper"}})
    first, second, last = trial.constraints.looks_at
    assert last == 30
    # 1.4205 screened per month, 80% of them enrolled, and a status known 24 weeks after enrollment
    rate, wait = 1.4205 * 0.8, trial.conduct.assessments.law.window
    assert (first, second) == (round((8 - wait) * rate), round((16 - wait) * rate))


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"criterion": "en_p1"}, "design.criterion (en_p1) needs its family beside it: efficacy or curtailed"),
        ({"family": "chang", "criterion": "optimal"}, "'optimal') is no criterion of"),
        ({"family": "three_stage", "weight": 0.5}, "design.weight is not possible for three-stage designs"),
        ({"family": "single", "constraints": {"cap": 30}}, "design.constraints.cap is not possible for exact single"),
        ({"looks": "5/25", "constraints": {"cap": 30}}, "design.constraints does not go with looks"),
        ({"family": "efficacy", "constraints": {"looks_months": [8], "cap": 30}}, "looks_months is not possible for"),
        ({"family": "chang", "constraints": {"looks_months": [8]}}, "looks_months needs cap"),
        ({"family": "chang", "constraints": {"looks_at": [20, 10]}}, "looks_at (20, 10) do not increase"),
        ({"criterion": "fastest_p0", "weight": 0.5}, "design.weight takes the place of criterion"),
    ],
)
def test_what_a_family_does_not_take_is_refused_by_its_key(plain, design, said):
    with pytest.raises(InputError) as refused:
        case(plain, design)
    assert said in str(refused.value)


def test_the_report_compares_the_families_on_paper_and_as_they_would_be_run(plain):
    found = case(plain, {"criterion": "minimax", "losses": "paper"})
    table = tables.families(found)
    kinds = table.frame.kind.tolist()
    shown = [
        one.name for family in FAMILIES.values() for one in family.criteria
        if not family.beside or one.short in family.beside
    ]  # fmt: skip
    assert kinds == shown
    assert table.frame.set_index("kind").en_p0["three-stage optimal"] == pytest.approx(13.4414, abs=5e-5)
    assert [kinds[k] for k, bold in enumerate(table.chosen) if bold] == ["Simon minimax"]
    picture = trial_figures.families(found)
    assert "three-stage optimal, Ensign optimal: EN(p0) 13.4" in picture.alt
    run = {one.name: one for one in beside.families(found).designs}
    # a look after every patient saves patients and costs years where accrual waits for each decision
    watched, once = run["curtailed single stage"].values, run["exact single stage (first n)"].values
    assert watched["n_enrolled_p0"].value < once["n_enrolled_p0"].value
    assert watched["duration_months_p0"].value > 2 * once["duration_months_p0"].value
    assert "Simon minimax" in tables.families_run(found).view().to_string()


def test_a_family_that_is_refused_is_named_with_the_reason(plain):
    plain["hypotheses"] |= {"p0": 0.3, "p1": 0.4, "power": 0.9}
    caption = tables.families(case(plain, {"criterion": "minimax", "losses": "paper"})).caption
    assert "Not compared: " in caption
    assert "searched with --family best_bounds" in caption


def test_the_bounds_of_many_looks_are_gathered_in_sentences():
    said = " ".join(rules.sentences(parse_looks(MANY), "nonresponder"))
    assert "analysed after 8, 9, ..., 23 and finally 25 patients" in said
    assert "none of 8 to 11, at most 1 of 12 to 15," in said
    assert "at least 4 of 8 to 11, at least 5 of 12 to 16 and at least 6 of 17 to 23" in said
    assert "H0 is rejected if 6 or more respond (more than 5 of 25)" in said
    few = " ".join(rules.sentences(parse_looks("0/6,2/17,5/29"), "nonresponder"))
    assert "for a further interim analysis" in few


def test_a_design_of_many_looks_is_drawn_by_its_boundary_and_tabled_look_by_look(plain):
    found = case(plain, {"looks": MANY})
    assert boundary_figures.rule(found.chosen, found.requirements).name == "boundary"
    assert boundary_figures.rule(parse_looks("1/10,5/29"), found.requirements).name == "flow"
    table = boundary_tables.boundary(found.chosen, found.requirements)
    assert len(table.frame) == 17


def test_every_criterion_of_the_register_may_be_named_in_a_file():
    written = str(params.json_schema())
    for key, criterion in CRITERIA.items():
        assert f"'{key}'" in written
        assert f"'{criterion.short}'" in written
