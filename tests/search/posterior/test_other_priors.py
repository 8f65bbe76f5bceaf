"""The same rule under other priors: bounds and exact errors, in Python and on the command line."""

import json

import pytest

from simtrial import InputError, Requirements
from simtrial.cli.app import main
from simtrial.design import exact
from simtrial.design.designs import looks_text
from simtrial.search import Constraints, family
from simtrial.search.bayesian.posterior import BetaPrior, parse_prior
from simtrial.search.posterior.sensitivity import of_parameters, priors, sensitivity
from simtrial.search.rules import bounds_by

BOP2 = {"looks_at": (10, 20, 30, 40), "p0": 0.2, "lam": 0.86, "gamma": 0.95}
WORDS = ["bounds", "--rule", "bop2", "--looks-at", "10,20,30,40", "--p0", ".2", "--lambda", ".86", "--gamma", ".95"]


def test_each_row_is_the_rule_with_its_prior_and_exact_errors():
    found = sensitivity("bop2", BOP2 | {"prior": BetaPrior(0.2, 0.8)}, 0.2, 0.4)
    assert [one.asked for one in found] == [True] + [False] * (len(found) - 1)
    assert len({looks_text(one.design) for one in found}) > 4  # these priors matter
    for one in found:
        design = bounds_by("bop2", **BOP2, prior=f"{one.prior.a},{one.prior.b}")
        oc = exact.operating_characteristics(design, [0.2, 0.4])
        assert one.design.looks == design.looks
        assert [one.type_i_error, one.power] == oc.reject.tolist()
        assert [one.en_p0, one.en_p1] == oc.en.tolist()


def test_the_priors_are_those_that_are_listed_each_once():
    names = [name for name, _ in priors(0.3, 0.5, BetaPrior(1, 1))]
    assert names[:2] == ["as asked", "Jeffreys"]  # which is the vague one here
    every = [prior for _, prior in priors(0.3, 0.5, BetaPrior(2, 3))]
    assert len({prior.pair for prior in every}) == len(every)
    assert {BetaPrior(1, 1), BetaPrior(0.5, 0.5), BetaPrior(0.3, 0.7), BetaPrior(5, 5)} <= set(every)
    assert {1, 2, 5, 10} <= {round(prior.size, 9) for prior in every}


def test_a_prior_with_which_the_rule_is_no_test_has_its_reason():
    strong = {"looks_at": (2, 4), "p0": 0.2, "theta_l": 0.1, "theta_t": 0.97, "prior": BetaPrior(0.2, 0.8)}
    found = sensitivity("lee_liu", strong, 0.2, 0.4)
    none = [one for one in found if one.design is None]
    assert none
    assert all(one.why and one.type_i_error is None for one in none)
    assert any(one.design is not None for one in found)


@pytest.mark.parametrize(
    ("key", "asked", "under"),
    [
        ("bop2_most_power", Requirements(0.2, 0.4, 0.1, 0.8), {"looks_at": (10, 20, 30, 40), "stops": "both"}),
        ("bop2_least_en", Requirements(0.2, 0.4, 0.1, 0.8), {"looks_at": (10, 20, 30, 40), "prior": (1.0, 1.0)}),
        ("lee_liu_least_en", Requirements(0.2, 0.4, 0.1, 0.8), {"looks_at": (10, 20, 30, 40)}),
        ("lee_liu_most_power", Requirements(0.2, 0.5, 0.1, 0.8), {"prior": (2.0, 3.0)}),
        ("thall_simon_least_en", Requirements(0.3, 0.5, 0.1, 0.8), {"looks_at": (15, 30, 45), "prior": (1.0, 1.0)}),
    ],
)
def test_the_parameters_that_a_search_states_give_its_design_and_name_its_prior(key, asked, under):
    found = family(asked, key, Constraints(**under))
    first = of_parameters(found.parameters, asked.p1)[0]
    assert first.name == "as asked"
    assert first.design.looks == found.best.looks
    assert first.power == pytest.approx(found.best.power, abs=1e-14)
    if "prior" in under:
        assert found.parameters.prior == first.prior.pair == under["prior"]


@pytest.mark.parametrize(("key", "prior"), [("bop2_most_power", (8.0, 2.0)), ("thall_simon_least_en", (3.0, 2.0))])
def test_a_prior_changes_which_design_a_search_finds(key, prior):
    asked, looks_at = Requirements(0.3, 0.5, 0.1, 0.8), (10, 20, 30, 45)
    usual, other = (family(asked, key, Constraints(looks_at=looks_at, prior=one)) for one in (None, prior))
    assert other.parameters.prior == prior
    assert usual.best.looks != other.best.looks


def test_a_prior_is_read_by_its_mean_and_its_size_too(capsys):
    assert parse_prior("mean=.3, size=50") == BetaPrior(15, 35)
    assert parse_prior("size=1,mean=.2") == BetaPrior(0.2, 0.8)
    for text in ("mean=.3", "mean=.3,size", "mean=.3,mean=.4", "mean=.3,5", "a=1,b=2"):
        with pytest.raises(InputError, match="is not a prior"):
            parse_prior(text)
    question = ["design", "--p0", ".2", "--p1", ".4", "--alpha", ".1", "--power", ".8", "--family", "bop2"]
    answers = []
    for prior in ("mean=.3,size=5", "1.5,3.5"):
        assert main([*question, "--looks-at", "10,20,30,40", "--prior", prior, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert answers[0]["designs"][0]["parameters"]["prior"] == [1.5, 3.5]


def test_the_parameters_of_a_design_have_one_form_in_every_answer(capsys):
    question = ["--p0", ".3", "--p1", ".5", "--alpha", ".1", "--power", ".8", "--looks-at", "15,30,45", "--json"]
    forms = {}
    for key in ("lee_liu", "bop2", "thall_simon"):
        assert main(["design", "--family", key, "--criterion", "least_en", *question]) == 0
        (design,) = json.loads(capsys.readouterr().out)["designs"]
        forms[key] = design["parameters"]
        looks = ",".join(
            f"{'' if one['r'] is None else one['r']}{'' if one['e'] is None else ':' + str(one['e'])}/{one['n']}"
            for one in design["looks"]
        )
        names = ("prior_e", "prior_s") if key == "thall_simon" else ("prior",)
        given = [
            word
            for name in names
            for word in (f"--{name.replace('_', '-')}", "{},{}".format(*design["parameters"][name]))
        ]
        assert main(["check", "--rule", key, "--looks", looks, "--p0", ".3", "--p1", ".5", *given, "--json"]) == 0
        checked = json.loads(capsys.readouterr().out)["parameters"]
        assert checked["give_the_bounds"]
        for name, (low, high) in design["parameters"]["ranges"].items():
            assert low <= design["parameters"]["one"][name] <= high
            assert checked["ranges"][name] == pytest.approx([low, high], abs=1e-9)
        assert all(checked[name] == design["parameters"][name] for name in names)
    assert [set(one) for one in forms.values()] == [
        {"one", "ranges", "prior"},
        {"one", "ranges", "prior", "corners"},
        {"one", "ranges", "prior_e", "prior_s"},
    ]


def test_the_command_answers_what_is_believed_after_some_responses(capsys):
    assert main([*WORDS, "--at", "20,4", "--json"]) == 0
    at = json.loads(capsys.readouterr().out)["at"]
    assert (at["n"], at["x"], at["decision"], at["prior"]) == (20, 4, "continues", [0.2, 0.8])
    assert at["mean"] == pytest.approx(4.2 / 21)
    assert at["beyond_p0"] == pytest.approx(float(BetaPrior(0.2, 0.8).beyond(0.2, 20, 4)))
    assert sum(at["at_end"][12:]) == pytest.approx(at["predictive"], abs=1e-12)
    assert 0 < at["rejecting"] < at["predictive"]  # the look at 30 stops some that would have come to more than 11
    assert main([*WORDS, "--at", "10,1"]) == 0
    assert "After 1 response of 10: the trial stops for futility" in capsys.readouterr().out


def test_the_command_has_the_bounds_under_other_priors(capsys):
    assert main([*WORDS, "--p1", ".4", "--sensitivity", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sensitivity"]
    assert rows[0]["asked"]
    assert rows[0]["prior"] == [0.2, 0.8]
    vague = next(one for one in rows if one["name"] == "vague")
    assert looks_text(bounds_by("bop2", **BOP2, prior="1,1")) == ",".join(
        f"{one['r']}/{one['n']}" for one in vague["looks"]
    )
    assert main([*WORDS, "--sensitivity"]) == 0
    assert "vague: Beta(1, 1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*WORDS, "--at", "20"], "--at ('20') is not N,X; write patients and responses, such as 20,4"),
        ([*WORDS, "--at", "20,21"], "--at (20,21) has more responses than patients; write the patients first: N,X"),
        ([*WORDS, "--at", "41,2"], "--at (41) is not from 0 to 40"),
        (
            ["bounds", "--rule", "fleming", "--looks-at", "15,25", "--p0", ".2", "--alpha", ".05", "--sensitivity"],
            "--sensitivity goes with a rule that has a prior: lee_liu, bop2 or thall_simon",
        ),
        (
            ["bounds", "--rule", "thall_simon", "--looks-at", "9,20", "--prior-e", "1,1", "--prior-s", "15,35",
             "--theta-l", ".05", "--sensitivity"],
            "--p0 is missing; the type I error is computed at it",
        ),
    ],
)  # fmt: skip
def test_what_the_command_cannot_answer_is_refused_in_one_line(capsys, words, said):
    assert main(words) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)
