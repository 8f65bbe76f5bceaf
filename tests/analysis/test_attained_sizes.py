"""Sizes that are not those planned: however the patients come, the decision is the same and nobody is left out."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simtrial import InputError, SingleStage, TwoStage, parse_looks
from simtrial.analysis import dossier
from simtrial.analysis import final as analysis_final
from simtrial.analysis import text as analysis_text
from simtrial.cli.app import main
from simtrial.patients import data as patient_data

TWO = TwoStage(1, 10, 5, 29)


def file_of(path, codes, stages=None):
    heads = "ID,BOR" + (",Trial stage" if stages else "")
    rows = [f"P{k:03d},{code}" + (f",{stages[k]}" if stages else "") for k, code in enumerate(codes)]
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return patient_data.read(path)


def counted(codes, n1, handling):
    """Patients and responses of each stage, by hand."""
    queue = [k for k, code in enumerate(codes) if handling != "replace" or code != "NE"]
    first = set(range(queue[n1 - 1] + 1)) if len(queue) >= n1 else set(range(len(codes)))
    stages = [1 if k in first else 2 for k in range(len(codes))]
    sizes, responses = [], []
    for stage in (1, 2):
        who = [code for code, s in zip(codes, stages, strict=True) if s <= stage]
        sizes.append(sum(handling == "nonresponder" or code != "NE" for code in who))
        responses.append(sum(code == "PR" for code in who))
    if sizes[0] == sizes[1]:
        sizes.pop()
        responses.pop()
    return stages, tuple(sizes), tuple(responses)


def same(one, other):
    for name in ("reject", "p_value", "p_values", "stage", "n", "responses", "intervals", "agrees"):
        assert getattr(one.result, name) == getattr(other.result, name)
    # estimates may be NaN-free None where there is none
    assert one.result.estimates == other.result.estimates


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(10, 34),
    handling=st.sampled_from(["nonresponder", "replace", "exclude"]),
    seed=st.integers(0, 10_000),
    rate=st.sampled_from([0.1, 0.25, 0.4]),
    lost=st.sampled_from([0.0, 0.1, 0.3]),
)
def test_patients_with_stages_without_and_counts_give_one_answer(tmp_path_factory, n, handling, seed, rate, lost):
    folder = tmp_path_factory.getbasetemp()
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random(n) < lost, "NE", np.where(rng.random(n) < rate, "PR", "SD")).tolist()
    stages, sizes, responses = counted(codes, 10, handling)
    if not sizes[0]:
        return
    how = {"p1": 0.3, "alpha": 0.05}
    plain = dossier.of_patients(file_of(folder / "plain.csv", codes), TWO, 0.1, handling, **how)
    staged = dossier.of_patients(file_of(folder / "staged.csv", codes, stages), TWO, 0.1, handling, **how)
    first = responses[0] if len(sizes) > 1 else None
    counts = analysis_final.final(TWO, 0.1, responses[-1], first_stage=first, attained=sizes, **how)
    same(plain, staged)
    same(plain, counts)
    # nobody who was read is left out of the answer
    assert plain.result.n + plain.after == sizes[-1]
    assert plain.result.responses + plain.after_responses == responses[-1]


def test_28_of_29_patients_are_decided_by_all_of_them(tmp_path):
    responding = (3, 7, 12, 14, 16, 18, 20, 22, 27)
    codes = ["PR" if k in responding else "SD" for k in range(1, 29)]
    found = dossier.of_patients(file_of(tmp_path / "f.csv", codes), TWO, 0.1, "nonresponder", p1=0.3, alpha=0.05)
    assert found.sizes == (10, 28)
    assert (found.result.responses, found.result.n, found.result.reject) == (9, 28, True)
    # Koyama and Chen: 7 further responses in 18 patients are as likely at p = .1 as more than 3 in 19 at p*
    as_many = stats.binom.sf(6, 18, 0.1)
    low, high = 0.0, 1.0
    for _ in range(200):
        star = (low + high) / 2
        low, high = (star, high) if stats.binom.sf(3, 19, star) < as_many else (low, star)
    p = sum(stats.binom.pmf(x, 10, 0.1) * stats.binom.sf(5 - x, 19, star) for x in range(2, 11))
    assert found.result.p_value == pytest.approx(p, rel=1e-9)  # the bisection above ends at 2^-200
    assert round(found.result.p_value, 4) == 0.0025
    at_planned = next(rule for rule in found.rules if rule.rule == "planned bounds")
    # P(X1 > 1 and X >= 9; .1) with 10 and 18 patients
    p = sum(stats.binom.pmf(x, 10, 0.1) * stats.binom.sf(8 - x, 18, 0.1) for x in range(2, 11))
    assert at_planned.p_value == pytest.approx(p, rel=1e-10)
    assert round(at_planned.p_value, 4) == 0.0011


def test_24_of_25_patients_of_a_single_stage_are_analysed(tmp_path):
    responding = (3, 7, 12, 14, 16, 18, 20, 22)
    codes = ["PR" if k in responding else "SD" for k in range(1, 25)]
    found = dossier.of_patients(file_of(tmp_path / "f.csv", codes), SingleStage(5, 25), 0.1, "nonresponder")
    assert (found.result.responses, found.result.n, found.result.reject) == (8, 24, True)
    # P(X >= 8; 24, .1)
    p = sum(math.comb(24, x) * 0.1**x * 0.9 ** (24 - x) for x in range(8, 25))
    assert found.result.p_value == pytest.approx(p, rel=1e-12)
    assert round(found.result.p_value, 4) == 0.0017


def test_patients_after_the_look_that_stopped_the_trial_are_told(tmp_path, capsys):
    path = tmp_path / "f.csv"
    file_of(path, ["PR"] + ["SD"] * 9 + ["PR", "SD"])
    assert main(["analyze", "--looks", "1/10,5/29", "--p0", "0.1", "--patients", str(path)]) == 0
    said = capsys.readouterr().out
    assert "1 of 10 patients responded; the trial ended at look 1. H0 is not rejected (p = 0.6513" in said
    assert (
        "2 patients were enrolled after the look that ended the trial (1 of them responded) and do not count in this "
        "analysis." in " ".join(said.split())
    )


@pytest.mark.parametrize("looks", ["0/8,2/16,5/25", "1:5/10,5/29", ":4/8,2/16,5/25"])
def test_any_design_keeps_its_planned_bounds_at_other_sizes(tmp_path, looks):
    design = parse_looks(looks)
    planned = [look.n for look in design.looks]
    rng = np.random.default_rng(4)
    seen = set()
    for n in (planned[0], planned[0] + 3, planned[-1] - 1, planned[-1], planned[-1] + 4):
        for rate in (0.05, 0.2, 0.5):
            codes = np.where(rng.random(n) < rate, "PR", "SD").tolist()
            found = dossier.of_patients(file_of(tmp_path / "f.csv", codes), design, 0.1, "nonresponder", p1=0.3)
            assert found.result.n + found.after == n
            assert found.result.responses + found.after_responses == codes.count("PR")
            assert all(a < b for a, b in pairwise(found.sizes))
            last = design.looks[-1].r
            ended = len(found.sizes) < len(planned) and not found.closed
            if not ended:
                # whoever came is held against the bound of the last look
                assert found.result.reject == (found.result.responses > last)
            seen.add((ended, found.result.reject))
    assert len(seen) >= 3


@pytest.mark.parametrize("ordering", ["stage", "mle", "umvue"])
@pytest.mark.parametrize("attained", [None, (13, 41)])
def test_the_names_of_methods_are_those_of_the_result(ordering, attained):
    design = parse_looks("3/13,12/43")
    first = None if attained is None else 5
    found = analysis_final.final(design, 0.1, 8, first_stage=first, attained=attained, ordering=ordering, p1=0.3)
    order = analysis_text.ORDERINGS[ordering]
    assert analysis_text.interval_name(found, "exact") == f"exact, {order}"
    assert analysis_text.interval_name(found, "mid_p") == f"mid-p, {order}"
    koyama_chen = analysis_text.interval_name(found, "koyama_chen")
    if attained is not None:
        assert koyama_chen == "Koyama-Chen, given 5 of the first 13"
        assert analysis_text.p_method(found).startswith("Koyama and Chen's")
        assert analysis_text.estimate_name(found, "median_unbiased") == "median unbiased (Koyama-Chen)"
    else:
        assert koyama_chen == ("Koyama-Chen" if ordering == "stage" else f"as Koyama-Chen, {order}")
        assert analysis_text.p_method(found) == order
        assert analysis_text.estimate_name(found, "median_unbiased") == f"median unbiased, {order}"


def test_an_ordering_by_the_mle_is_not_called_stage_wise(capsys):
    arguments = ["analyze", "--looks", "3/13,12/43", "--p0", "0.1", "--responses", "7", "--stage", "2"]
    assert main([*arguments, "--ordering", "mle"]) == 0
    by_mle = capsys.readouterr().out
    assert "stage-wise" not in by_mle
    assert main(arguments) == 0
    by_stage = capsys.readouterr().out
    for said, limits in ((by_mle, ("0.0525", "0.454")), (by_stage, ("0.103", "0.538"))):
        (line,) = [line for line in said.splitlines() if line.lstrip().startswith("exact")]
        assert all(limit in line for limit in limits)


def test_a_single_stage_has_a_clopper_pearson_interval_by_name():
    found = analysis_final.final(SingleStage(5, 25), 0.1, 6)
    assert analysis_text.interval_name(found, "exact") == "exact (Clopper-Pearson)"
    low, high = stats.binomtest(6, 25).proportion_ci(0.95, "exact")
    assert found.result.intervals["exact"] == pytest.approx((low, high), abs=1e-10)  # two ways to the same root


def test_a_look_taken_at_another_number_is_said_beside_the_patients(tmp_path):
    rng = np.random.default_rng(5)
    codes = np.where(rng.random(29) < 0.3, "PR", "SD").tolist()
    data = file_of(tmp_path / "f.csv", codes)
    found = dossier.of_patients(data, TWO, 0.1, "nonresponder", attained=(12, 29), p1=0.3)
    first = codes[:12].count("PR")
    same(found, analysis_final.final(TWO, 0.1, codes.count("PR"), first_stage=first, attained=(12, 29), p1=0.3))
    assert dossier.of_patients(data, SingleStage(5, 30), 0.1, "nonresponder", attained=(29,)).sizes == (29,)
    with pytest.raises(InputError, match=r"attained \(12,28\) contradicts .*f\.csv, by which 12,29 count"):
        dossier.of_patients(data, TWO, 0.1, "nonresponder", attained=(12, 28))


def test_a_look_counted_by_evaluable_patients_ends_with_the_last_of_them(tmp_path):
    data = file_of(tmp_path / "f.csv", ["PR", "NE", "SD", "PR", "NE", "SD"])
    assert data.counts((2, 4), "replace", (3, 4)) == ((3, 4), (2, 2), 0)
    assert data.counts((2, 4), "nonresponder", (3, 6)) == ((3, 6), (1, 2), 0)


@pytest.mark.parametrize(
    ("looks", "p0", "alpha", "n", "x"), [("4/18,10/33", 0.2, 0.05, 33, 11), ("1/9,5/17", 0.2, 0.1, 17, 6)]
)
def test_a_bound_without_its_look_is_recalculated_at_the_planned_number_too(looks, p0, alpha, n, x):
    # P(X >= 11; 33, .2) = .0508 and P(X >= 6; 17, .2) = .1057: only the look that was not taken kept alpha
    found = analysis_final.final(parse_looks(looks), p0, x, attained=(n,), alpha=alpha)
    size = stats.binom.sf(x - 1, n, p0)
    assert size > alpha >= stats.binom.sf(x, n, p0)
    assert found.closed
    assert found.result.p_value == pytest.approx(size, rel=1e-10)
    assert not found.result.reject
    assert found.rule.r == x
    assert found.rule.type_i_error <= alpha
    assert analysis_text.decided_by(found).startswith(
        "No look ended the trial; the decision is based on bounds recalculated at the sizes attained."
    )


def test_the_looks_of_any_design_stand_beside_its_planned_bounds(capsys):
    arguments = ["analyze", "--looks", "0/8,2/16,5/23", "--p0", "0.1", "--responses", "6", "--attained", "8,16,24"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "The numbers analysed differ from the plan; the decision is based on the planned bounds." in said
    assert "Recalculated" not in said
    assert "0/8,2/16" in said.replace(", ", ",")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--p1", "0.05"], "p1 (0.05) is not above p0 (0.1)"),
        (["--handling", "ignore"], "handling ('ignore') is unknown; write nonresponder, replace or exclude"),
    ],
)
def test_an_option_that_is_not_needed_must_be_right_all_the_same(capsys, more, said):
    assert main(["analyze", "--looks", "1/10,5/29", "--p0", "0.1", "--responses", "6", *more]) == 2
    assert said in capsys.readouterr().err
