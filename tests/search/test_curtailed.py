"""The family of curtailed designs against a reference table, and against every pair of thresholds one by one."""

from fractions import Fraction

import numpy as np
import pytest

from simtrial import InputError, Requirements, SingleStage, looks_text, search
from simtrial.design import exact
from simtrial.search import curtailed, thresholds
from simtrial.search.aim import TIE, Aim
from simtrial.search.constraints import Constraints
from simtrial.search.curtailment import curtail, watched

PRINTED = 1e-9
"""The table prints ten digits."""

KINDS = {"EN(p0)": "curtailed_en_p0", "EN(p1)": "curtailed_en_p1", "EN(p0) at least n": "curtailed_en_p0_minimax"}


def test_the_best_thresholds_are_those_of_the_reference(reference):
    rows = reference("families/curtailment").query("rule == 'stochastic, search'").to_dict("records")
    assert len(rows) == 8
    for row in rows:
        cap = int(row["n_range"].split("..")[1])
        asked = Requirements(row["p0"], row["p1"], row["alpha"], row["power"])
        found = search.family(asked, KINDS[row["criterion"]], Constraints(multiple_of=int(row["block"]), cap=cap))
        assert looks_text(found.best) == row["looks"]
        best = found.best
        assert (best.type_i_error, best.power, best.en_p0, best.en_p1, best.n) == pytest.approx(
            tuple(row[name] for name in ("type_i_error", "reject_p1", "en_p0", "en_p1", "effective_max")), rel=PRINTED
        )
        assert found.certificate.how == "heuristic"


def test_no_design_is_below_the_bound_of_the_reference_for_every_rule_on_its_looks(reference):
    rows = reference("families/curtailment").query("rule == 'lower bound for every rule on these looks'")
    compared = 0
    # 40 patients for .3 against .5 at .1 and .9 are too few for curtailment in blocks of 5, though not for every rule
    for row in rows[(rows.block > 1) & (rows.p0 != 0.3)].to_dict("records"):
        asked = Requirements(row["p0"], row["p1"], row["alpha"], row["power"])
        given = Constraints(multiple_of=int(row["block"]), cap=int(row["N"]))
        proof = search.family(asked, "curtailed_en_p0", given).certificate
        assert proof.bound <= row["bound"] + 1e-5 <= proof.value  # five decimals are printed
        compared += 1
    assert compared == 4


def one_by_one(asked, sizes, block):
    """Every design of the class that keeps both limits, by `curtail`; thresholds next to conditional powers."""
    designs = {}
    for last in sizes:
        for r in range(last):
            values = {
                round(float(exact.operating_characteristics(SingleStage(r - s, last - n), asked.p1).reject), 14)
                for n in watched(SingleStage(r, last), block)[:-1]
                for s in range(max(0, r - (last - n) + 1), min(r, n) + 1)
            }
            lower = [None, *(v + d for v in values for d in (-1e-8, 1e-8) if v <= asked.p1 + 1e-9)]
            upper = [None, *(v + 1e-8 for v in values if v >= asked.p1 - 1e-9)]
            for theta_f in lower:
                for theta_e in upper:
                    try:
                        design = curtail(SingleStage(r, last), asked.p1, theta_f=theta_f, theta_e=theta_e, block=block)
                    except InputError:
                        continue
                    designs[design.looks] = design
    return [design for design in designs.values() if exact.meets(design, asked)]


@pytest.mark.parametrize(
    ("limits", "block", "cap"),
    [
        ((0.2, 0.7, 0.1, 0.8), 1, 6),
        ((0.25, 0.75, 0.0625, 0.75), 2, 8),
        ((0.3, 0.7, 0.1, 0.8), 3, 12),
        pytest.param((0.2, 0.6, 0.1, 0.8), 1, 10, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_bisection_and_arrays_find_what_every_pair_of_thresholds_does(limits, block, cap):
    asked = Requirements(*limits)
    found = curtailed.search(asked, constraints=Constraints(multiple_of=block, cap=cap))
    met = one_by_one(asked, found.sizes, block)
    assert met
    for aim in (Aim(en_p0=1.0), Aim(en_p1=1.0), Aim(en_p0=1.0, smallest_n=True), Aim.between(0.3)):
        wanted = aim.best(met, asked)
        taken = found.result(aim)
        assert taken.best.looks == wanted.looks, aim.what
        assert taken.certificate.value == pytest.approx(aim.value(wanted, asked), abs=TIE / 10)


def test_what_is_certain_needs_the_patients_of_the_single_stage_and_keeps_its_errors():
    for limits in ((0.1, 0.3, 0.05, 0.8), (0.3, 0.5, 0.05, 0.9)):
        asked = Requirements(*limits)
        single = search.single_stage(asked).first
        for block in (1, 5):
            found = search.family(asked, "curtailed_certain", Constraints(multiple_of=block))
            best = found.best
            assert best.n == single.n == found.certificate.n_upper
            assert found.certificate.how == "proved"
            for p in (asked.p0, asked.p1):
                rate = Fraction(str(p))
                assert exact.reject_fraction(best, rate) == exact.reject_fraction(single, rate)
            assert best.en_p0 < single.n
            assert best.en_p1 < single.n


def test_more_patients_are_looked_at_only_where_they_are_asked_for():
    asked = Requirements(0.2, 0.6, 0.1, 0.8)
    some, more = (search.family(asked, "curtailed_en_p0", Constraints(cap=cap)).certificate for cap in (10, 14))
    assert (some.cap, some.n_upper, more.cap) == (10, 10, 14)
    assert more.value <= some.value


def test_a_cap_without_a_design_is_refused():
    for cap in (3, 22):
        with pytest.raises(InputError, match=rf"^cap \({cap}\) is too small"):
            search.family(Requirements(0.1, 0.3, 0.05, 0.8), "curtailed_en_p0", Constraints(cap=cap))


def test_too_many_looks_are_refused_at_once_with_the_remedy():
    with pytest.raises(InputError, match="larger blocks"):
        search.family(Requirements(0.3, 0.4, 0.05, 0.9), "curtailed_en_p0", Constraints(cap=240))


def test_with_less_work_fewer_thresholds_are_tried_and_what_is_found_still_keeps_the_limits():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    whole = thresholds.Watched(asked, 30, 5).kept()
    thin = thresholds.Watched(asked, 30, 5, work=2e5).kept()
    assert 0 < thin.r.size < whole.r.size
    assert thin.expected[0].min() >= whole.expected[0].min()
    watch = thresholds.Watched(asked, 30, 5)
    reject = watch.rejects(thin.r, thin.lower, thin.upper)
    assert (reject[0] <= 0.05).all()
    assert (reject[1] >= 0.8).all()


def test_large_blocks_are_summed_as_small_ones_are():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    watch = thresholds.Watched(asked, 36, 12)
    found = watch.kept()
    assert found.r.size
    for i in np.linspace(0, found.r.size - 1, 5).astype(int):
        stops = watch.stops(int(found.r[i]), float(found.lower[i]), float(found.upper[i]))
        design = curtailed.design_of(curtailed.bounds_of(stops))
        oc = exact.operating_characteristics(design, [asked.p0, asked.p1])
        assert oc.en == pytest.approx(found.expected[:, i], rel=1e-12)
        assert design.looks[-1].n == found.most[i]
