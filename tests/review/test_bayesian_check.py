"""The check of a published Bayesian design: its bounds, the parameters behind them, and printed errors."""

import csv
import json
import math

import numpy as np
import pytest

from simtrial import looks_text
from simtrial.cli.app import main
from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.review import bayesian_origin
from simtrial.review.bayesian import BEYOND, PrintedValue, compared
from simtrial.search import rules
from simtrial.search.bayesian.posterior import BetaPrior, usual_prior

BOP2 = ["--rule=bop2", "--p0=.2", "--p1=.4"]
STANDARD = [*BOP2, "--lambda=.86", "--gamma=.95", "--looks-at=10,20,30,40"]
LOOKS = "--looks=1/10,3/20,7/30,11/40"
BOTH_STOPS = [
    "--rule=lee_liu", "--p0=.2", "--p1=.4", "--prior=.2,.8", "--theta-l=.2", "--theta-t=.85", "--theta-u=.9",
    "--looks=1:5/10,4:8/20,6:10/30,10/40",
]  # fmt: skip


def rows(root, family):
    with (root / "tests/reference/families/bayesian.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["family"] == family and not row["corner"]]


def prior_of(row):
    text = row["prior"]
    return usual_prior(float(row["p0"])) if text == "Beta(p0,1-p0)" else BetaPrior(*map(float, text[5:-1].split(",")))


def asked(capsys, *options):
    assert main(["check", *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def told(capsys, *options):
    assert main(["check", *options]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_stated_bounds_that_the_rule_gives_agree_at_every_look(capsys):
    found = asked(capsys, *STANDARD, LOOKS)
    assert found["verdict"] == "reproduces"
    assert found["bounds"]["agree"]
    assert [look["n"] for look in found["bounds"]["looks"] if look["agree"]] == [10, 20, 30, 40]
    assert found["expected"] == [{"method": "bop2", "looks": "1/10,3/20,7/30,11/40"}]


def test_a_bound_that_differs_is_named_with_its_look(capsys):
    found = asked(capsys, *STANDARD, "--looks=1/10,4/20,7/30,11/40")
    assert found["verdict"] == "does not reproduce"
    assert [look["n"] for look in found["bounds"]["looks"] if not look["agree"]] == [20]
    assert "they differ at the look at 20 patients" in found["explanation"]


def test_exact_values_are_those_of_the_reference_table(capsys, root):
    (row,) = [r for r in rows(root, "bop2") if r["lam"] == "0.86" and r["look_n"] == "10 20 30 40" and r["p0"] == "0.2"]
    found = asked(capsys, *STANDARD)["attained"]
    for key, column in (
        ("type_i_error", "type_i_error"),
        ("power", "reject_p1"),
        ("pet_p0", "pet_p0"),
        ("en_p1", "en_p1"),
    ):
        assert found[key] == pytest.approx(float(row[column]), rel=1e-9)  # ten digits are in the table


def test_lambda_and_gamma_of_every_row_lie_in_the_region_that_is_found(root):
    for row in rows(root, "bop2"):
        found = bayesian_origin.of_bop2(parse_looks(row["looks"]), float(row["p0"]), prior_of(row))
        lam, gamma = (one for one in found.ranges)
        # the row's own pair may be a corner, which floating point moves by a last digit
        assert lam.low - 1e-12 <= float(row["lam"]) <= lam.high + 1e-12
        assert gamma.low - 1e-12 <= float(row["gam"]) <= gamma.high + 1e-12


def test_the_thetas_of_every_row_lie_in_the_ranges_that_are_found(root):
    for row in rows(root, "lee-liu"):
        found = bayesian_origin.of_lee_liu(parse_looks(row["looks"]), float(row["p0"]), prior_of(row))
        assert all(one.holds(float(row[one.name])) for one in found.ranges), row["looks"]
        assert found.ranges


def test_the_example_of_parameters_gives_the_bounds(root):
    for row in rows(root, "bop2"):
        p0, prior, design = float(row["p0"]), prior_of(row), parse_looks(row["looks"])
        inside = bayesian_origin.of_bop2(design, p0, prior).inside
        sizes = [look.n for look in design.looks]
        again = rules.bop2(looks_at=sizes, p0=p0, prior=prior, lam=inside["lambda"], gamma=inside["gamma"])
        assert looks_text(again) == row["looks"]


def test_the_thetas_of_thall_and_simon_are_just_those_that_give_the_bounds():
    new, standard = BetaPrior(0.6, 1.4), BetaPrior(15, 35)
    known = {"looks_at": [10, 20, 30], "prior_e": new, "prior_s": standard}
    design = rules.thall_simon(**known, theta_l=0.05, theta_u=0.95)
    theta_l, theta_u = bayesian_origin.of_thall_simon(design, new, standard).ranges
    for low, high in ((theta_l.low + 1e-9, theta_u.low + 1e-9), (theta_l.high - 1e-9, theta_u.high - 1e-9)):
        assert rules.thall_simon(**known, theta_l=low, theta_u=high) == design
    for other in (
        {"theta_l": theta_l.low - 1e-9, "theta_u": 0.95}, {"theta_l": theta_l.high + 1e-9, "theta_u": 0.95},
        {"theta_l": 0.05, "theta_u": theta_u.low - 1e-9}, {"theta_l": 0.05, "theta_u": theta_u.high + 1e-9},
    ):  # fmt: skip
        assert rules.thall_simon(**known, **other) != design


def test_without_a_stop_for_efficacy_thall_and_simon_has_theta_l_alone():
    new, standard = BetaPrior(0.4, 1.6), BetaPrior(20, 80)
    design = rules.thall_simon(looks_at=[10, 20, 30], prior_e=new, prior_s=standard, theta_l=0.1, delta=0.15)
    (theta_l,) = bayesian_origin.of_thall_simon(design, new, standard, 0.15).ranges
    assert theta_l.holds(0.1)


@pytest.mark.parametrize("looks", ["2/10,3/20,7/30,11/40", "0/10,5/20,7/30,11/40", "1:4/10,9:12/20,11/40"])
def test_bounds_without_parameters_are_told_with_the_nearest_ones_that_have_some(looks):
    design = parse_looks(looks)
    sizes = [look.n for look in design.looks]
    found = bayesian_origin.of_bop2(design, 0.2, usual_prior(0.2))
    assert not found.ranges
    inside = {"lam" if name == "lambda" else name: value for name, value in found.inside.items()}
    assert bayesian_origin.bounds_of(rules.bop2(looks_at=sizes, p0=0.2, **inside)) == found.nearest


def test_no_boundary_on_a_grid_agrees_with_more_looks_than_the_nearest_one():
    design = parse_looks("0/10,5/20,7/30,11/40")
    stated = bayesian_origin.bounds_of(design)
    found = bayesian_origin.of_bop2(design, 0.2, usual_prior(0.2)).nearest
    agreeing = sum(a == b for a, b in zip(found, stated, strict=True))
    for lam in np.arange(0.5, 1, 0.02):
        for gamma in np.arange(0, 1.01, 0.1):
            other = rules.bop2(looks_at=[10, 20, 30, 40], p0=0.2, lam=float(lam), gamma=float(gamma))
            assert sum(a == b for a, b in zip(bayesian_origin.bounds_of(other), stated, strict=True)) <= agreeing


def test_the_first_look_that_differs_from_the_nearest_bounds_is_named(capsys):
    assert "differ first at the look at 10 patients: 1 there, and 2 as stated." in told(
        capsys, *BOP2, "--looks=2/10,3/20,7/30,11/40"
    )
    assert "differ first at the look at 10 patients" in told(
        capsys, "--rule=lee_liu", "--p0=.2", "--looks=2/10,3/20,7/30,11/40"
    )
    assert "No parameters of Thall and Simon's rule give the stated bounds." in told(
        capsys, "--rule=thall_simon", "--p0=.2", "--prior-e=.4,1.6", "--prior-s=20,80", "--looks=5/10,5/20,11/40"
    )


def test_a_simulated_share_is_beyond_or_within_by_its_binomial_standard_error():
    design = parse_looks("1/10,3/20,7/30,11/40")
    exact = float(operating_characteristics(design, [0.4]).reject[0])
    spread = math.sqrt(exact * (1 - exact) / 10_000)
    for apart, expected in ((BEYOND - 0.01, "within"), (BEYOND + 0.01, "beyond")):
        printed = f"{exact + apart * spread:.9f}"
        (found,) = compared(design, 0.2, 0.4, {"attained_power": printed}, 10_000)
        assert found.closeness == expected
        assert found.standard_errors == pytest.approx(apart, abs=1e-4)


def test_the_standard_error_of_a_mean_is_that_of_simulated_trials():
    design = parse_looks("1:5/10,4:8/20,6:10/30,10/40")
    (found,) = compared(design, 0.2, None, {"en_p0": "20.6"}, 400)
    rng = np.random.default_rng(22)
    responses = np.cumsum(rng.binomial(10, 0.2, size=(200_000, 4)), axis=1)
    stops = np.stack([
        (responses[:, k] <= look.r) | (responses[:, k] >= (look.e or 99)) for k, look in enumerate(design.looks[:-1])
    ] + [np.ones(len(responses), dtype=bool)], axis=1)  # fmt: skip
    patients = 10 * (np.argmax(stops, axis=1) + 1)
    assert patients.mean() == pytest.approx(found.exact, abs=5 * patients.std() / math.sqrt(len(patients)))
    # the standard deviation of 200,000 trials is known to about 0.2%
    assert found.mcse == pytest.approx(patients.std() / 20, rel=0.01)


@pytest.mark.parametrize(
    ("printed", "closeness"), [("0.0743", "agrees"), ("0.07", "agrees"), ("0.070", "differs"), ("0.074", "agrees")]
)
def test_a_printed_value_is_held_to_the_decimals_that_it_has(printed, closeness):
    assert PrintedValue(name="type_i_error", printed=printed, exact=0.0742623, mcse=None).closeness == closeness


def test_a_power_beyond_its_monte_carlo_error_does_not_reproduce(capsys):
    beyond = asked(capsys, *STANDARD, LOOKS, "--type-i-error=.0743", "--attained-power=.871", "--trials=10000")
    assert beyond["verdict"] == "does not reproduce"
    assert [one["closeness"] for one in beyond["printed"]] == ["agrees", "beyond"]
    within = asked(capsys, *STANDARD, LOOKS, "--attained-power=.871", "--trials=1000")
    assert within["verdict"] == "reproduces"
    assert [one["closeness"] for one in within["printed"]] == ["within"]
    assert asked(capsys, *STANDARD, LOOKS, "--attained-power=.871")["verdict"] == "underspecified"


def test_a_bound_of_0_where_nothing_is_futile_is_explained(capsys):
    options = [*BOP2, "--lambda=.86", "--gamma=.95", "--looks-at=2,20,40"]
    right = asked(capsys, *options)["expected"][0]["looks"]
    assert right.startswith("/2,")
    said = told(capsys, *options, f"--looks=0{right}")
    assert "At the look at 2 patients the stated bound 0 stops a trial without a response" in said
    assert "write 0 where there is no bound" not in told(capsys, *STANDARD, "--looks=1/10,4/20,7/30,11/40")


def test_bounds_that_follow_only_if_comparisons_are_not_strict_are_told(capsys):
    options = ["--rule=lee_liu", "--p0=.2", "--prior=.2,.8", "--theta-l=0", "--theta-t=.9", "--looks-at=10,20,30,36"]
    certain = asked(capsys, *options, "--not-strict")["expected"][0]["looks"]
    found = asked(capsys, *options, f"--looks={certain}")
    assert (found["verdict"], found["conventions"]) == ("reproduces with a convention", ["comparisons not strict"])
    assert not found["bounds"]["agree"]
    never = asked(capsys, *options)["expected"][0]["looks"]
    assert asked(capsys, *options, f"--looks={never}")["conventions"] == []


def test_a_power_without_stops_for_efficacy_is_recognised(capsys):
    design = parse_looks(BOTH_STOPS[-1].partition("=")[2])
    late = float(operating_characteristics(design, [0.4]).reject_by_look[0, -1])
    assert "counted as a failure" in told(capsys, *BOTH_STOPS, f"--attained-power={late:.4f}", "--trials=10000")
    assert "counted as a failure" not in told(capsys, *BOTH_STOPS, "--attained-power=.5", "--trials=10000")


def test_printed_errors_of_the_rule_beside_other_bounds_are_recognised(capsys):
    said = told(capsys, *STANDARD, "--looks=2/10,3/20,7/30,11/40", "--type-i-error=.0743", "--trials=100000")
    assert "With the bounds that the rule gives, the printed type I error would fit." in said


def test_bounds_that_are_all_one_larger_are_explained(capsys):
    assert "one larger than that of the rule" in told(capsys, *STANDARD, "--looks=2/10,4/20,8/30,12/40")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--rule=bop3", "--p0=.2"], "--rule ('bop3') is unknown; write lee_liu, bop2, thall_simon or adaptive"),
        (["--rule=bop2", "--looks=1/10,5/29"], "--p0 is missing; the type I error is computed at it"),
        (BOP2, "--looks-at is missing; give it, or the bounds with --looks"),
        ([*BOP2, "--looks-at=10,20"], "--looks is missing; give the bounds, or the parameters of the rule, or both"),
        ([*BOP2, "--lambda=.8", LOOKS], "--gamma is missing; bop2 needs it, or no threshold at all, to look for them"),
        ([*BOP2, "--gamma=.8", LOOKS], "--lambda is missing; bop2 needs it, or no threshold at all, to look for them"),
        ([*BOP2, "--theta-l=.1", LOOKS], "--theta-l does not belong to bop2; leave it out"),
        ([*BOP2, "--n=40", LOOKS], "--n does not belong to the check of a Bayesian design; leave it out"),
        (["--lambda=.8"], "--lambda belongs to the check of a Bayesian design; name it with --rule"),
        (["--trials=100"], "--trials belongs to the check of a Bayesian design; name it with --rule"),
        (["--rule=thall_simon", "--p0=.2", LOOKS], "--prior-e is missing; thall_simon needs it"),
        (["--rule=bop2", "--p0=.2", LOOKS, "--attained-power=.8"], "--p1 is missing; the power is computed at it"),
        (
            [*BOP2, LOOKS, "--looks-at=10,20"],
            "--looks-at has other numbers of patients than the looks of the stated bounds",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_told_in_one_line(capsys, options, line):
    assert main(["check", *options]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"simtrial: {line}\n")


def test_stated_limits_are_held_against_the_exact_errors(capsys):
    words = ["check", "--rule", "bop2", "--p0", ".2", "--p1", ".4", "--lambda", ".86", "--gamma", ".95"]
    words += ["--looks-at", "10,20,30,40", "--alpha", ".1", "--json"]
    assert main([*words, "--power", ".88"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert (kept["limits"], kept["verdict"]) == ({"alpha": True, "power": True}, "reproduces")
    assert main([*words, "--power", ".9"]) == 0
    missed = json.loads(capsys.readouterr().out)
    assert (missed["limits"], missed["verdict"]) == ({"alpha": True, "power": False}, "does not reproduce")
    assert "The exact power of 0.886422 misses its limit of 0.9." in missed["lines"]
