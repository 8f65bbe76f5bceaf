"""Tables, figures and sentences: every number in them is the object's, and no text of a file gets through as HTML."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from simtrial import Requirements, SingleStage, parse_looks, search
from simtrial.design import exact
from simtrial.search import figures, formulas, neighbours
from simtrial.search import tables as search_tables
from simtrial.trial import params, tables, template, text


@pytest.fixture
def trial(root):
    return params.load(root / "params/NCT07022301.yaml")


def hostile(trial, bad="<script>alert(1)</script>"):
    plain = trial.plain()
    plain["study"]["title"] = plain["hypotheses"]["rationale"] = plain["study"]["source"] = bad
    plain["evidence"][0] |= {"treatment": bad, "setting": bad, "source": bad}
    return params.load(plain)


def test_the_protocol_paragraph_holds_what_a_reviewer_needs(two, asked):
    said = str(text.statement(two.minimax, asked))
    oc = exact.operating_characteristics(two.minimax, [0.1, 0.3])
    for part in (
        "at most 10% (H0: p <= 0.1)",
        "p1 = 30%",
        "one-sided type I error is at most 5%",
        "power at p1 is at least 80%",
        "the Simon minimax two-stage design (1/15, 5/25)",
        "The first 15 evaluable patients are analysed.",
        "If 1 or fewer respond, the trial stops for futility.",
        "Otherwise 10 more patients are enrolled, 25 in all, and H0 is rejected if 6 or more respond",
        f"type I error is {100 * oc.reject[0]:.1f}%",
        f"exact power is {100 * oc.reject[1]:.1f}%",
        f"early termination is {100 * oc.pet[0]:.1f}%",
        f"expected sample size EN(p0) is {oc.en[0]:.1f}",
        "Control Clin Trials 1989;10:1-10",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("looks", "parts"),
    [
        ("5/25", ["an exact single-stage design (5/25)", "25 evaluable patients are analysed.", "A'Hern"]),
        ("0/9,2/17", ["If none responds, the trial stops", "if 3 or more respond"]),
        ("1:5/10,5/29", ["; if 5 or more respond, the trial stops and H0 is rejected", "(for either reason)"]),
        (":5/10,5/29", ["analysed. If 5 or more respond, the trial stops"]),
        (
            "0/5,2/12,7/40",
            [
                "a design with 3 looks",
                "a further interim analysis of 12 patients in all: if 2 or fewer",
                "Otherwise 28 more patients",
                "Schultz",
            ],
        ),
        ("5/20", ["NOT READY FOR A PROTOCOL: this design does not meet its limits: its power of"]),
        ("0/1", ["1 evaluable patient is analysed. H0 is rejected"]),
        (
            "2/12,2:9/30,6/40",
            ["18 more patients are enrolled for a further interim analysis of 30 patients in all: if 9 or more"],
        ),
    ],
)
def test_the_paragraph_follows_the_design(looks, parts, asked):
    said = str(text.statement(parse_looks(looks), asked))
    for part in parts:
        assert part in said


def test_a_design_that_meets_the_limits_is_not_said_to_miss_them(single, asked):
    assert "NOT READY" not in str(text.statement(single.first, asked))


def test_the_choice_says_what_the_alternatives_cost(trial, single, two):
    said = str(text.choice(trial, single, two, two.minimax))
    assert "optimal 1/10, 5/29: n is larger by 4 and EN(p0) is smaller by 4.5" in said
    assert "admissible 1/12, 5/26: n is larger by 1 and EN(p0) is smaller by 2.7" in said
    assert "exact single stage (first n) 5/25: n is the same and EN(p0) is larger by 5.5" in said
    assert "equals the registered enrollment of 25" in said
    assert "does not prove" in said
    other = str(text.choice(trial, single, two, SingleStage(4, 20)))
    assert "does not meet the limits" in other
    assert "falls short of the registered enrollment of 25 by 5." in other


def test_assumed_hypotheses_are_called_so(trial):
    assert str(text.basis(trial)).startswith("The hypotheses are an assumption: p0 = 0.1")
    plain = trial.plain()
    plain["hypotheses"]["basis"] = "protocol"
    assert str(text.basis(params.load(plain))).startswith("The hypotheses are those of the protocol")


@pytest.mark.parametrize("words", [None, *template.UNTOUCHED])
def test_a_reason_that_nobody_gave_is_told_to_be_missing(trial, words):
    plain = trial.plain()
    plain["hypotheses"]["rationale"] = words
    said = str(text.basis(params.load(plain)))
    assert said.endswith("The parameter file states no reason for these rates (rationale).")
    plain["hypotheses"]["rationale"] = "Ours."
    assert str(text.basis(params.load(plain))).endswith("Ours.")


def test_every_count_has_one_decision():
    frame = search_tables.decisions(parse_looks("1:5/10,5/29")).frame
    assert frame[["patients", "responses", "decision"]].to_numpy().tolist() == [
        [10, "0 to 1", "stop: H0 is not rejected"],
        [10, "2 to 4", "continue to 29 patients"],
        [10, "5 to 10", "stop: reject H0"],
        [29, "0 to 5", "H0 is not rejected"],
        [29, "6 to 29", "reject H0: the response rate exceeds p0"],
    ]
    settled = search_tables.decisions(parse_looks("1/15,5/25")).frame
    assert settled[["responses", "decision"]].to_numpy().tolist()[1:3] == [
        ["2 to 5", "continue to 25 patients"],
        ["6 to 15", "continue to 25 patients; H0 will be rejected"],
    ]


def test_candidates_are_the_designs_found_and_the_chosen_one_is_marked(single, two):
    table = search_tables.candidates(single, two, two.optimal)
    assert table.frame.looks.tolist() == ["5/25", "6/29", "1/15, 5/25", "1/12, 5/26", "1/11, 5/27", "1/10, 5/29"]
    assert list(table.chosen) == [False, False, False, False, False, True]
    assert table.frame.power.tolist()[2:] == [c.power for c in two.admissible]
    alone = search_tables.candidates(single, None, None)
    assert alone.frame.looks.tolist() == ["5/25", "6/29"]
    assert not any(alone.chosen)
    given = search_tables.candidates(single, two, SingleStage(4, 20))
    assert given.frame.kind.tolist()[-1] == "as given, misses the limits"
    assert list(given.chosen)[-1] is True


def test_the_intervals_of_the_evidence_are_exact(trial):
    frame = tables.evidence(trial).frame.set_index("treatment")
    low, high = proportion_confint(26, 107, method="beta")
    assert frame.loc["Topotecan", "interval"] == f"{100 * low:.1f} to {100 * high:.1f}" == "16.5 to 33.5"


def test_no_evidence_is_said_not_hidden(root):
    shown = tables.evidence(params.load(root / "params/smoke.yaml"))
    assert "No earlier results" in shown.html()


def test_verdicts_on_formulas_are_those_of_their_exact_errors(asked, single):
    frame = search_tables.approximations(formulas.approximate(asked), single).frame.set_index("method")
    assert frame.loc["score", "verdict"] == "power too low"
    assert frame.loc["wald", "verdict"] == "meets both limits"
    rival = Requirements(p0=0.2, p1=0.4, alpha=0.1, power=0.8)
    shown = search_tables.approximations(formulas.approximate(rival), search.single_stage(rival)).frame
    assert shown.set_index("method").loc["score", "verdict"] == "type I error above alpha"


def test_characteristics_stress_p0_and_p1(two, asked):
    table = search_tables.characteristics(two.minimax, asked)
    assert table.frame.p[np.asarray(table.chosen)].tolist() == [0.1, 0.3]
    assert table.frame.stop_at_15.tolist() == table.frame.pet.tolist()


def test_text_of_a_file_never_becomes_html(trial):
    bad = hostile(trial)
    for shown in (tables.assumptions(bad), tables.evidence(bad), text.basis(bad)):
        assert "<script" not in shown.html()
        assert "&lt;script&gt;" in shown.html()


@pytest.mark.long
@pytest.mark.parametrize("looks", ["5/25", ":5/10,5/29", "0/5,2:9/12,4/20,7/40"])
def test_every_kind_of_design_can_be_drawn_and_told(looks, asked, single, two):
    design = parse_looks(looks)
    for picture in (
        figures.endings(design, asked),
        figures.characteristics([("given", design)], asked),
        figures.candidates(single, two, design),
    ):
        assert picture.svg().startswith("<svg")
    assert search_tables.characteristics(design, asked).html()
    assert search_tables.decisions(design).html()


def test_designs_near_the_chosen_one_have_the_rule_in_their_caption(asked, two):
    table = search_tables.near(neighbours.near(two, two.optimal), two.optimal, asked)
    assert table.caption.startswith(
        "Two-stage designs that meet the limits, n and n1 within 3 patients of the chosen design 1/10, 5/29 (in bold). "
        "For each n and n1, the design with the least EN(p0), ties included. The closest stand first"
    )
    assert table.frame.looks[0] == "1/10, 5/29"
    assert table.chosen == [True, *[False] * 19]
    assert table.frame.apart.is_monotonic_increasing
    # 1/11, 5/28 has one patient more at its look and one patient less in all
    assert table.frame.set_index("looks").apart["1/11, 5/28"] == 2


def test_a_chosen_design_that_no_search_gives_stands_above_those_near_it(asked, two):
    given = parse_looks("2/18,4/26")  # type I error above .05
    table = search_tables.near(neighbours.near(two, given), given, asked)
    assert table.frame.kind[0] == "chosen, misses the limits"
    assert table.chosen[0]
    assert "within 3 patients of the chosen design 2/18, 4/26" in table.caption


def test_where_nothing_is_near_the_table_says_so(asked, two):
    small = parse_looks("0/5,2/10")
    assert search_tables.near(neighbours.near(two, small), small, asked).caption == (
        "No two-stage design with n and n1 within 3 patients of the chosen design 0/5, 2/10 meets the limits"
    )
    large = parse_looks("500/5000,2000/9000")
    assert search_tables.near(neighbours.near(two, large), large, asked).caption == (
        "Designs near 500/5000, 2000/9000 are left out: designs are searched up to n = 3000"
    )


def test_earlier_results_have_columns_for_the_endpoints_that_they_give(trial):
    plain = trial.plain()
    plain["evidence"] = [{"treatment": "A", "setting": "B", "n": 20, "responders": 4, "source": "C"}]
    heads = tables.evidence(params.load(plain)).view().columns
    first, rest = ["Treatment", "Setting", "Evidence of", "Patients"], ["ORR, %", "95% interval, ORR, %", "Source"]
    assert list(heads) == [*first, "Responders", *rest]
    assert "Median PFS, months" in tables.evidence(trial).view().columns
