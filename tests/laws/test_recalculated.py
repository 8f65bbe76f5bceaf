"""Designs searched with recalculated bounds: against enumeration, the law of one plan, simulation, and by hand."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from simtrial import InputError, Requirements, SingleStage, TwoStage, parse_looks, search
from simtrial.cli.app import main
from simtrial.conduct.simulation import simulate
from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf, tail_fraction
from simtrial.laws import decision, mixtures, recalculated
from simtrial.laws.evaluable import Evaluable
from simtrial.laws.losses import AsRun
from simtrial.plan import recut
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.search import families

TEXTBOOK = Requirements(0.1, 0.3, 0.05, 0.8)
SMALL = Requirements(0.2, 0.7, 0.1, 0.7)
LOSSES = {"independent": Dropout(0.2), "informative": Dropout(0.3, 0.3), "responders lost": Dropout(0.1, 2.0)}
OPTIONS = ["--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8", "--dropout", ".1", "--handling", "exclude"]

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def run(loss):
    return AsRun(loss=loss, handling="exclude", recut=True)


def plan(design, loss, kept):
    return Plan(
        getattr(design, "design", design), Constant(2.0), Disease(Assessments.fixed(2.0)), loss, handling="exclude",
        recut=kept, interim=Interim(hold=True),
    )  # fmt: skip


def enumerated(n, asked, loss):
    """EN(p0), n1, r1 and r of every design of n patients that meets the limits, by the law of one plan.

    Of those that differ in r alone only the two smallest are tried: a larger r rejects less often, whatever p.
    """
    how = run(loss)
    kept = how.asked(asked)
    for n1 in range(1, n):
        for r1 in range(n1):
            designs = [TwoStage(r1, n1, r, n) for r in range(r1 + 1, n)]
            for design in [one for one in designs if exact.side(one, kept.p0, kept.alpha) <= 0][:2]:
                found = how.figures(design, asked)
                assert found.type_i_error <= asked.alpha
                if found.power >= asked.power:
                    yield round(found.en_p0, 9), n1, r1, design.r


@every_loss
def test_the_search_finds_what_an_enumeration_of_all_designs_finds(loss):
    found = recalculated.two_stage(SMALL, loss)
    proof = found.certificate
    best = {n: min(enumerated(n, SMALL, loss), default=None) for n in range(2, proof.n_upper + 2)}
    frontier, least = [], np.inf
    for n, design in best.items():
        if design is not None and design[0] < least:
            least = design[0]
            frontier.append((n, *design))
    assert [(one.n, round(one.en_p0, 9), one.n1, one.r1, one.r) for one in found.frontier] == frontier
    assert (found.minimax.n, found.optimal.n) == (frontier[0][0], frontier[-1][0])
    assert proof.n_lower <= proof.n_minimax == found.minimax.n
    assert best[proof.n_upper + 1] is None or best[proof.n_upper + 1][0] >= proof.en_beyond - 1e-9  # as rounded
    assert proof.en_beyond >= proof.en_optimal == pytest.approx(least, abs=1e-9)


@every_loss
def test_the_hull_is_that_of_all_numbers_of_patients(loss):
    found = recalculated.two_stage(TEXTBOOK, loss)
    on_hull = {one.design for one in found.admissible}
    for q in np.linspace(0, 1, 201)[1:-1]:
        assert min(found.frontier, key=lambda one, q=q: q * one.n + (1 - q) * one.en_p0).design in on_hull
    for one in found.admissible:
        q = (one.q_low + one.q_high) / 2
        assert min(found.frontier, key=lambda each, q=q: q * each.n + (1 - q) * each.en_p0).design == one.design


@pytest.mark.parametrize(
    ("asked", "loss"),
    [*((SMALL, loss) for loss in LOSSES.values()), (Requirements(0.1, 0.5, 0.1, 0.7), Dropout(0.05))],
    ids=[*LOSSES, "sustained after first"],
)
def test_the_single_stages_are_those_of_every_n(asked, loss):
    how, found = run(loss), recalculated.single_stage(asked, loss)
    kept = how.asked(asked)
    meets = []
    for n in range(1, found.n_proven + 10):
        r = int(search.smallest_r(np.array([n]), kept.p0, kept.alpha)[0])
        meets.append(r < n and how.figures(SingleStage(r, n), asked).power >= asked.power)
    assert found.first.n == 1 + meets.index(True)
    assert found.sustained.n == 1 + len(meets) - meets[::-1].index(False)
    assert found.sustained.n <= found.n_proven


@every_loss
def test_the_tables_are_the_law_of_every_plan(loss):
    law, n_max = Evaluable.of(TEXTBOOK, loss), 24
    tables, how = mixtures.Mixtures(law, n_max), run(loss)
    for n1 in range(4, n_max, 7):
        power, r = tables.powers(n1)
        for r1 in range(len(power)):
            for n in range(n1 + 1, n_max + 1, 4):
                design = TwoStage(r1, n1, int(r[r1, n - n1]), n)
                at = law.characteristics(design, (0.1, 0.3))
                # a few hundred terms, each right to the last bits
                assert power[r1, n - n1] == pytest.approx(at.reject[1], rel=1e-12)
                assert 1 - tables.first.onward[:, r1, n1] == pytest.approx(at.pet, rel=1e-12)
                assert how.figures(design, TEXTBOOK).power == at.reject[1]
                smaller = exact.side(replace(design, r=design.r - 1), law.kept.p0, law.kept.alpha)
                assert exact.side(design, law.kept.p0, law.kept.alpha) <= 0
                assert smaller > 0 or design.r == r1 + 1


@every_loss
def test_the_figures_of_a_candidate_are_those_of_its_plan(loss):
    kept = run(loss).asked(TEXTBOOK)
    single = recalculated.single_stage(TEXTBOOK, loss)
    for one in (*recalculated.two_stage(TEXTBOOK, loss).frontier, single.first, single.sustained):
        law = decision.decision(plan(one, loss, kept), np.array([0.1, 0.3]))
        figures = run(loss).figures(one, TEXTBOOK)
        assert (figures.type_i_error, figures.power) == (one.type_i_error, one.power)
        assert (figures.en_p0, figures.en_p1) == (one.en_p0, one.en_p1)
        # rates have 12 digits, and no probability depends on a rate more than n-fold
        assert [one.type_i_error, one.power] == pytest.approx(law.reject, abs=50e-12)
        assert [one.pet_p0, one.pet_p1] == pytest.approx(law.stop[:, :-1].sum(axis=1), abs=50e-12)
        assert one.en_p0 == pytest.approx(law.stop[0] @ [look.n for look in one.looks], abs=50 * 50e-12)
        assert one.power >= 0.8
        assert one.on_paper(TEXTBOOK).power == exact.operating_characteristics(one.design, 0.3).reject


@every_loss
def test_given_the_numbers_evaluable_the_type_i_error_never_exceeds_alpha(loss):
    law = Evaluable.of(TEXTBOOK, loss)
    design = recalculated.two_stage(TEXTBOOK, loss).optimal.design
    bounds = recut.attained_bounds(design, law.kept)
    for m1 in range(design.n1 + 1):
        for m in range(m1, m1 + design.n - design.n1 + 1):
            r1, r = int(bounds.first[m1, 0]), int(bounds.final[m1, m])
            first = binomial_pmf(m1, law.kept.p0)
            later = [float(tail_fraction(r - x, m - m1, law.kept.p0)) for x in range(r1 + 1, m1 + 1)]
            assert first[r1 + 1 :] @ later <= 0.05


@every_loss
def test_the_simulated_trial_has_the_power_that_was_searched_for(loss):
    found = recalculated.two_stage(TEXTBOOK, loss).optimal
    case = plan(found, loss, run(loss).asked(TEXTBOOK))
    done = simulate(case, (Scenario("p1", 0.3),), 20_000, 1)
    reject, enrolled = (done.results[0].estimates[name] for name in ("reject", "n_enrolled"))
    assert abs(reject.value - found.power) < 4 * reject.mcse
    assert abs(enrolled.value - found.en_p1) < 4 * enrolled.mcse


@pytest.mark.parametrize("asked", [(0.1, 0.3, 0.05, 0.8), (0.3, 0.5, 0.1, 0.9), (0.6, 0.8, 0.05, 0.8)])
def test_with_nobody_lost_the_search_is_that_on_paper(asked):
    asked = Requirements(*asked)
    ours, paper = recalculated.two_stage(asked, Dropout(0.0)), search.two_stage(asked)
    # of designs that differ in r alone the paper's tie rule takes the largest r, the rule of recalculation the smallest
    assert [(one.n, one.n1, one.r1) for one in ours.frontier] == [(one.n, one.n1, one.r1) for one in paper.frontier]
    assert [one.en_p0 for one in ours.frontier] == pytest.approx([one.en_p0 for one in paper.frontier], rel=1e-12)
    assert ours.certificate.n_lower == paper.certificate.n_lower
    assert ours.certificate.n_upper == paper.certificate.n_upper
    single, there = recalculated.single_stage(asked, Dropout(0.0)), search.single_stage(asked)
    assert (single.first.design, single.sustained.design) == (there.first.design, there.sustained.design)


def test_a_limit_that_is_attained_exactly_is_met():
    # two of two evaluable respond, (.7 .6)^2; alpha .01 is that of two responses at .1
    asked, loss = Requirements(0.1, 0.6, 0.01, 0.1764), Dropout(0.3)
    single, two = recalculated.single_stage(asked, loss), recalculated.two_stage(asked, loss)
    assert (single.first.design, two.minimax.design) == (SingleStage(1, 2), TwoStage(0, 1, 1, 2))
    assert single.first.at_limits == two.minimax.at_limits == ("power",)
    more = replace(asked, power=0.1765)
    assert recalculated.single_stage(more, loss).first.n > 2
    assert recalculated.two_stage(more, loss).minimax.n > 2


def test_fractions_are_those_of_every_number_evaluable():
    law = Evaluable.of(Requirements(0.1, 0.6, 0.01, 0.15), Dropout(0.3))
    design = TwoStage(0, 1, 1, 2)
    assert law.reject_fraction(design, 1) == Fraction(42, 100) ** 2
    # with nobody evaluable at the first look the trial goes on
    assert law.stop_fraction(design, 0) == Fraction(7, 10) * Fraction(9, 10)
    for text in ("1/6,2/11", "0:4/6,2/11", "2/9"):
        larger = parse_looks(text)
        at = law.characteristics(larger, (0.1, 0.6))
        for k in (0, 1):
            # a few hundred terms, each right to the last bits
            assert float(law.reject_fraction(larger, k)) == pytest.approx(at.reject[k], rel=1e-12)
            if larger.looks[1:]:
                assert float(law.stop_fraction(larger, k)) == pytest.approx(at.pet[k], rel=1e-12)


@every_loss
def test_a_design_keeps_its_limits_as_run_or_not(loss):
    how, found = run(loss), recalculated.two_stage(TEXTBOOK, loss)
    assert all(how.keeps(one, TEXTBOOK) for one in found.frontier)
    assert not how.keeps(TwoStage(1, 10, 5, 29), TEXTBOOK)  # the optimum on paper lacks power


def test_the_binomial_tables_are_right_to_the_last_digits():
    found = mixtures.binomials(150, 0.15)
    for n in (1, 40, 150):
        # by the beta function, which is right to 1e-11
        assert found[n, : n + 1] == pytest.approx(binomial_pmf(n, 0.15), rel=1e-11)
    assert found.sum(axis=1) == pytest.approx(np.ones(151), rel=1e-13)


def test_no_more_patients_are_looked_at_than_plans_recalculate_for():
    with pytest.raises(InputError, match=r"^bounds \(recut\) needs more than 150 patients, and bounds are recalc"):
        recalculated.two_stage(Requirements(0.3, 0.4, 0.05, 0.9), Dropout(0.1))
    with pytest.raises(InputError, match=r"^bounds \(recut\) needs more than 24 patients, and n_limit is 24"):
        recalculated.single_stage(TEXTBOOK, Dropout(0.1), n_limit=24)
    with pytest.raises(InputError, match=r"needs at least 151 patients"):
        recalculated.two_stage(Requirements(0.05, 0.12, 0.05, 0.9), Dropout(0.1))
    with pytest.raises(InputError, match=r"needs at least 159 patients"):
        recalculated.single_stage(Requirements(0.05, 0.12, 0.05, 0.9), Dropout(0.1))
    with pytest.raises(InputError, match=r"needs a search beyond 300 patients"):
        recalculated.two_stage(Requirements(0.004, 0.025, 0.0042, 0.45), Dropout(0.05))
    with pytest.raises(InputError, match=r"^power \(0\.06\) is so near alpha \(0\.05\)"):
        recalculated.single_stage(Requirements(0.5, 0.52, 0.05, 0.06), Dropout(0.1))


def test_recalculated_bounds_go_with_leaving_out_and_with_at_most_two_looks():
    with pytest.raises(InputError, match=r"^bounds \(recut\) goes with handling: exclude"):
        AsRun(loss=Dropout(0.1), handling="replace", recut=True)
    with pytest.raises(InputError, match="has 3 looks"):
        run(Dropout(0.1)).figures(parse_looks("0/5,2/12,7/40"), TEXTBOOK)


def test_the_command_searches_with_recalculated_bounds(capsys):
    assert main(["design", *OPTIONS, "--bounds", "recut", "--odds-ratio", ".4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    loss = Dropout(0.1, 0.4)
    ours = recalculated.two_stage(TEXTBOOK, loss)
    assert found["searched"] == "run"
    assert [[one[name] for name in ("r1", "n1", "r", "n")] for one in found["two_stage"]] == [
        [one.r1, one.n1, one.r, one.n] for one in ours.admissible
    ]
    for one, design in zip(found["two_stage"], ours.admissible, strict=True):
        assert one["as_run"]["power"] == design.power >= 0.8
        assert one["power"] == exact.operating_characteristics(design.design, 0.3).reject
    assert found["certificate"]["n_upper"] == ours.certificate.n_upper
    assert main(["design", *OPTIONS, "--bounds", "recut", "--search", "paper", "--json"]) == 0
    paper = json.loads(capsys.readouterr().out)
    assert (
        paper["two_stage"][-1]["as_run"]["power"] == run(Dropout(0.1)).figures(TwoStage(1, 10, 5, 29), TEXTBOOK).power
    )


def test_the_command_says_what_recalculated_bounds_keep(capsys):
    assert main(["design", *OPTIONS, "--bounds", "recut", "--odds-ratio", ".4"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "dropout of 4.3% among patients who would respond and of 10% among the others (9.4% of all patients at p0, "
        "8.3% at p1)" in said
    )
    assert "with bounds recalculated at the numbers evaluable" in said
    kept = (
        "recalculated bounds keep alpha at a response rate of {} among evaluable patients; "
        "at p1 the rate among them is {}"
    )
    assert kept.format("0.1057", "0.3132") in said
    # where those who would respond are lost more often, p0 is the larger rate, and alpha is kept at it
    assert main(["design", *OPTIONS, "--bounds", "recut", "--odds-ratio", "2.5"]) == 0
    assert Dropout(0.1, 2.5).among_evaluable(0.1) < 0.1
    assert kept.format("0.1", "0.2715") in " ".join(capsys.readouterr().out.split())


def test_families_without_recalculated_bounds_are_left_out_with_a_note(capsys, monkeypatch):
    other = replace(families.FAMILIES["simon"], key="other", title="designs of another kind", criteria=())
    monkeypatch.setitem(families.FAMILIES, "other", other)
    assert main(["design", *OPTIONS, "--bounds", "recut", "--json"]) == 0
    captured = capsys.readouterr()
    assert "other" not in json.loads(captured.out)
    assert captured.err == "not searched, as bounds are not recalculated for them: designs of another kind\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--handling", "replace", "--bounds", "recut"],
            "--bounds goes with --handling exclude only, not with replace",
        ),
        (["--bounds", "fixed"], "--bounds goes with --handling exclude only, not with nonresponder"),
        (["--handling", "exclude", "--bounds", "loose"], "--bounds ('loose') is unknown; write fixed or recut"),
        (["--odds-ratio", "-1"], "--odds-ratio (-1) is below 0"),
    ],
)
def test_a_slip_in_the_options_is_one_line(options, said, capsys):
    assert main(["design", *OPTIONS[:-2], *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"simtrial: {said}")


def test_the_odds_ratio_needs_a_dropout(capsys):
    assert main(["design", *OPTIONS[:8], "--odds-ratio", ".5"]) == 2
    assert (
        capsys.readouterr().err
        == "simtrial: --odds-ratio needs --dropout, the share of patients who drop out; add it\n"
    )


def test_informative_dropout_moves_both_rates_where_bounds_stay(capsys):
    assert main(["design", *OPTIONS, "--odds-ratio", ".4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    kept = AsRun(loss=Dropout(0.1, 0.4), handling="exclude").asked(TEXTBOOK)
    assert found["two_stage"][-1]["n"] == search.two_stage(kept).optimal.n
