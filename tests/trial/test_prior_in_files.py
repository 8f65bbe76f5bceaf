"""A prior in a parameter file: how it is read, what it changes, and that the report names it."""

import pytest

from simtrial import InputError
from simtrial.design.designs import looks_text
from simtrial.search import Constraints, family
from simtrial.trial import bayesian, params, tables, text
from simtrial.trial import figures as trial_figures
from simtrial.trial.case import Case

LOOKS_AT = [10, 20, 30, 40]


def file(design, **asked):
    return {
        "study": {"id": "prior", "title": "A trial with a prior"},
        "hypotheses": {"p0": 0.2, "p1": 0.4, "alpha": 0.1, "power": 0.8, "basis": "assumed"} | asked,
        "design": design,
    }


def case(family_key, prior=None, **more):
    constraints = more | ({} if prior is None else {"prior": prior})
    return Case.of(params.load(file({"family": family_key, "constraints": constraints})))


def test_a_prior_is_stated_by_its_numbers_or_by_its_mean_and_its_size():
    for prior in ({"a": 1.5, "b": 3.5}, {"mean": 0.3, "size": 5}):
        found = case("bop2", prior, looks_at=LOOKS_AT)
        asked = Constraints(looks_at=tuple(LOOKS_AT), prior=(1.5, 3.5))
        known = family(found.requirements, "bop2_most_power", asked)
        assert looks_text(found.chosen) == looks_text(known.best)
        assert bayesian.prior(found).pair == (1.5, 3.5)


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ({"a": 1}, "prior needs a and b, or mean and size, and nothing else"),
        ({"a": 1, "size": 5}, "prior needs a and b, or mean and size, and nothing else"),
        ({"a": 1, "b": 1, "mean": 0.3, "size": 5}, "prior needs a and b, or mean and size, and nothing else"),
        ({"a": 0, "b": 1}, "prior.a"),
        ({"mean": 1.3, "size": 5}, "prior.mean"),
        ("1,1", "prior"),
    ],
)
def test_a_prior_that_is_none_is_refused_with_its_place(prior, said):
    with pytest.raises(InputError) as refused:
        case("bop2", prior, looks_at=LOOKS_AT)
    assert "constraints" in str(refused.value)
    assert said in str(refused.value)


def test_a_family_without_a_prior_refuses_one():
    with pytest.raises(InputError, match="prior is not possible for"):
        case("efficacy", {"a": 1, "b": 1})


@pytest.mark.parametrize("key", ["lee_liu", "bop2", "thall_simon"])
def test_report_and_protocol_name_the_prior_of_a_bayesian_design(key):
    more = {"looks_at": [15, 30, 45]} if key == "thall_simon" else {"looks_at": LOOKS_AT}
    found = case(key, {"a": 1, "b": 2}, **more)
    assert "Beta(1, 2)" in str(text.protocol(found))
    assert "Beta(1, 2)" in str(tables.believed(found))
    assert "the prior is Beta(1, 2)" in trial_figures.boundary(found).caption
    assert "with the prior Beta(1, 2)" in trial_figures.at_looks(found).caption
    first = tables.sensitivity(found).tidy.iloc[0]
    assert (first["a"], first["b"], first["looks"]) == (1, 2, looks_text(found.chosen, ", "))


def test_a_design_of_another_family_has_no_prior_and_its_report_nothing_of_it(root):
    found = Case.of(params.load(root / "params/example.yaml"))
    shown = tables.believed(found), trial_figures.at_looks(found), tables.sensitivity(found), bayesian.prior(found)
    assert shown == (None,) * 4
    assert bayesian.sentences(found) == []
    given = Case.of(params.load(file({"looks": "1/10,8/30"}, alpha=0.2, power=0.5)))
    assert bayesian.parameters(given) is None
