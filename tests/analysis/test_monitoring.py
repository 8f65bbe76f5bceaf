"""Conditional power and predictive probability: by plain enumeration, and by integrals."""

import json
import math
from itertools import product

import numpy as np
import pytest
from scipy import integrate, stats

from simtrial import InputError, TwoStage, parse_looks
from simtrial.analysis import monitoring
from simtrial.cli.app import main
from simtrial.design import exact
from simtrial.plan.disease import Beta

DESIGNS = ["5/12", "1/6,4/14", "0:4/5,2:6/9,4/14"]


def by_enumeration(design, m, x, p):
    """P(reject H0 | x of m) by walking every order of the patients to come."""
    looks = {look.n: (k, look) for k, look in enumerate(design.looks, start=1)}
    total = 0.0
    for future in product((0, 1), repeat=design.looks[-1].n - m):
        s, n, chance = x, m, 1.0
        for response in (None, *future):
            if response is not None:
                s, n, chance = s + response, n + 1, chance * (p if response else 1 - p)
            if n in looks:
                k, look = looks[n]
                here = look.regions(np.array(s), final=k == len(looks))
                if not here.go_on:
                    # the orders that share this beginning are as many as complete it: weigh it once
                    total += chance / 2 ** (design.looks[-1].n - n) if here.reject else 0.0
                    break
    return total


@pytest.mark.parametrize(("looks", "seen"), [*product(DESIGNS, [(4, 1), (6, 3), (8, 4)])])
def test_conditional_power_by_walking_every_order(looks, seen):
    design = parse_looks(looks)
    for p in (0.0, 0.2, 0.55, 1.0):
        assert monitoring.conditional_power(design, *seen, p) == pytest.approx(
            by_enumeration(design, *seen, p), abs=1e-12
        )


@pytest.mark.parametrize("looks", ["5/25", "1/15,5/25", "1:6/10,5/29", "0/9,3/20,6/30"])
def test_before_the_first_patient_it_is_the_power(looks):
    design = parse_looks(looks)
    for p in (0.1, 0.3):
        power = float(exact.operating_characteristics(design, p).reject)
        assert monitoring.conditional_power(design, 0, 0, p) == pytest.approx(power, rel=1e-12)


@pytest.mark.parametrize("prior", [Beta(0.5, 0.5), Beta(1.0, 1.0), Beta(3.0, 7.0)])
def test_predictive_probability_is_the_mean_of_conditional_power_over_the_posterior(prior):
    design = TwoStage(1, 15, 5, 25)
    for m, x in ((0, 0), (10, 3), (15, 2), (20, 4)):
        posterior = stats.beta(prior.a + x, prior.b + m - x)
        mean = integrate.quad(
            lambda p, at=posterior, m=m, x=x: monitoring.conditional_power(design, m, x, p) * at.pdf(p), 0, 1,
            epsabs=1e-12, limit=200,
        )[0]  # fmt: skip
        # quad gets to 1e-7 where the density has a pole at 0
        assert monitoring.predictive_probability(design, m, x, prior) == pytest.approx(mean, abs=1e-6)


def test_the_average_of_what_comes_is_what_was_expected():
    design = TwoStage(1, 15, 5, 25)
    for m, x in ((8, 2), (15, 3), (20, 4)):
        now = monitoring.conditional_power(design, m, x, 0.3)
        hit = monitoring.conditional_power(design, m + 1, x + 1, 0.3)
        miss = monitoring.conditional_power(design, m + 1, x, 0.3)
        assert now == pytest.approx(0.3 * hit + 0.7 * miss, rel=1e-12)


def test_needed_responses_are_the_fewest_that_do():
    found = monitoring.monitor(TwoStage(1, 15, 5, 25), 10, 1, (0.1, 0.3))
    assert [(one.look, one.remaining, one.responses) for one in found.needed] == [(1, 5, 1), (2, 15, 5)]
    done = monitoring.monitor(TwoStage(1, 15, 5, 25), 20, 6, (0.1,))
    assert [(one.responses, one.remaining) for one in done.needed] == [(0, 5)]
    assert done.conditional_power == ((0.1, 1.0),)
    lost = monitoring.monitor(TwoStage(1, 15, 5, 25), 24, 4, (0.3,))
    assert lost.needed[0].responses == 2 > lost.needed[0].remaining
    assert lost.predictive == 0
    free = monitoring.monitor(parse_looks(":5/10,5/29"), 4, 0, (0.1,))
    assert free.needed[0].responses is None  # the first look cannot stop for futility


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ((26, 3), "patients (26) is above 25, the patients of 1/15, 5/25"),
        ((10, 11), "responses (11) is above 10, the number of patients seen"),
        ((-1, 0), "patients (-1) is below 0, the smallest value allowed"),
        ((20, 1), "responses (1 of 20) is impossible: the trial would have ended at look 1"),
    ],
)
def test_a_state_that_cannot_be_reached_is_refused(seen, said):
    with pytest.raises(InputError) as caught:
        monitoring.monitor(TwoStage(1, 15, 5, 25), *seen, (0.1,))
    assert str(caught.value).startswith(said)


def test_the_command_line_tells_it(capsys):
    arguments = ["monitor", "--looks", "1/15,5/25", "--patients", "10", "--responses", "1", "--p", "0.1", "--p", "0.3"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "Look 1: at least 1 response in the next 5 patients is needed to continue to the next stage."
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    now = monitoring.monitor(TwoStage(1, 15, 5, 25), 10, 1, (0.1, 0.3))
    assert found["predictive_probability"] == now.predictive
    assert [one["power"] for one in found["conditional_power"]] == [power for _, power in now.conditional_power]
    assert main([*arguments, "--prior", "1"]) == 2
    assert "prior ('1') does not have two numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("looks", "seen", "said"),
    [
        ("1/10,5/29", (10, 1), ["The trial stops for futility: 1 response in 10 patients."]),
        ("1:5/10,5/29", (10, 5), ["The trial stops and H0 is rejected: 5 responses in 10 patients."]),
        ("1/10,5/29", (29, 6), ["H0 is rejected: 6 responses in 29 patients."]),
        ("1/10,5/29", (29, 5), ["H0 is not rejected: 5 responses in 29 patients."]),
    ],
)
def test_a_decision_that_is_known_is_stated_and_nothing_after_the_end(capsys, looks, seen, said):
    patients, responses = map(str, seen)
    arguments = ["monitor", "--looks", looks, "--patients", patients, "--responses", responses, "--p", "0.1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == said
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["look"] for one in found["needed"]] == list(range(1 if seen[0] == 10 else 2, 3))


def test_a_trial_that_continues_is_told_what_the_next_look_needs(capsys):
    arguments = ["monitor", "--looks", "1/10,5/29", "--patients", "10", "--responses", "2", "--p", "0.1"]
    assert main(arguments) == 0
    now, later, *_ = capsys.readouterr().out.splitlines()
    assert now == "The trial continues to the next stage: 2 responses in 10 patients."
    assert later == "Look 2: at least 4 responses in the next 19 patients are needed to reject H0."


def test_a_look_out_of_reach_is_the_last_one_named(capsys):
    assert main(["monitor", "--looks", "1/10,5/29", "--patients", "9", "--responses", "0", "--p", "0.1"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.endswith("needed to continue to the next stage, which is impossible.")
    assert second.startswith("Conditional power at p = 0.1: 0.0%")


def test_with_all_patients_seen_the_decision_is_made():
    design = TwoStage(1, 15, 5, 25)
    for x in range(2, 25):
        assert monitoring.conditional_power(design, 25, x, 0.3) == float(x > 5)
        assert math.isclose(monitoring.predictive_probability(design, 25, x), float(x > 5))


@pytest.mark.parametrize(
    ("looks", "seen"), [("1/10,5/29", (20, 6)), ("1/10,5/29", (7, 6)), ("5/25", (6, 6)), ("1/10,3/20,5/29", (12, 6))]
)
def test_where_no_further_response_is_needed_the_chance_is_exactly_1(capsys, looks, seen):
    patients, responses = seen
    design = parse_looks(looks)
    assert {monitoring.conditional_power(design, patients, responses, p / 50) for p in range(51)} == {1.0}
    assert monitoring.predictive_probability(design, patients, responses) == 1.0
    given = ["--looks", looks, "--patients", str(patients), "--responses", str(responses), "--p", ".3"]
    assert main(["monitor", *given]) == 0
    said = capsys.readouterr().out
    assert "Conditional power at p = 0.3: 100%." in said
    assert "Beta(0.5, 0.5): 100%." in said


def test_where_one_response_is_missing_the_chance_is_below_1():
    assert monitoring.conditional_power(parse_looks("1/10,5/29"), 20, 5, 0.9) < 1
