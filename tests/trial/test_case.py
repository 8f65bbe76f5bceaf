"""A case computes each part once, and tells mistakes by the place in the file."""

from dataclasses import replace

import pytest

from simtrial import InputError, search
from simtrial.conduct import simulation
from simtrial.design import exact
from simtrial.trial import params
from simtrial.trial.case import Case

TEXTBOOK = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8, "basis": "assumed"}


def trial(wish, **numbers):
    study = {"id": "CASE", "title": "A trial"}
    return params.load({"study": study, "hypotheses": TEXTBOOK | numbers, "design": wish})


@pytest.fixture(scope="module")
def whole(root):
    return params.load(root / "params/smoke.yaml")


WISHES = [
    {"criterion": "minimax"},
    {"criterion": "optimal"},
    {"criterion": "single_stage_first"},
    {"criterion": "single_stage_sustained"},
    {"looks": "1/12,5/26"},
    {"looks": "1/9,5/30"},
    {"looks": "5/25"},
]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: next(iter(wish.values())))
def test_the_design_is_that_which_the_search_chooses(wish):
    given = trial(wish)
    assert Case.of(given).chosen == search.choose(given.requirements, given.wish, n_limit=given.design.n_limit)


def test_each_search_is_made_once_for_one_question(monkeypatch):
    made = []
    for key, family in list(search.FAMILIES.items()):

        def noted(*given, family=family, **named):
            made.append(family.key)
            return family.search(*given, **named)

        monkeypatch.setitem(search.FAMILIES, key, replace(family, search=noted))
    case = Case.of(trial({"criterion": "minimax"}, alpha=0.051))
    assert case.chosen == case.two.minimax
    assert case.single.first.n == case.single.first.n
    again = Case.of(trial({"criterion": "optimal"}, alpha=0.051), like=case)
    assert again.chosen == case.two.optimal
    assert sorted(made) == ["simon", "single"]
    assert Case.of(trial({"criterion": "optimal"}, alpha=0.052), like=case).two is not case.two


def test_the_same_trial_has_the_same_case():
    assert Case.of(trial({"criterion": "minimax"})) is Case.of(trial({"criterion": "minimax"}))
    assert Case.of(trial({"criterion": "minimax"})) is not Case.of(trial({"criterion": "optimal"}))


def test_what_is_derived_is_what_its_parts_give(whole):
    case, size = Case.of(whole), whole.conduct.simulation
    asked = whole.requirements
    oc = exact.operating_characteristics(case.chosen, [asked.p0, asked.p1])
    assert case.at_limits.reject.tolist() == oc.reject.tolist()
    assert case.plan == whole.plan(case.chosen)
    mine, done = case.simulated, simulation.simulate(case.plan, whole.scenarios, size.trials, size.seed)
    for result in done.results:
        for name, estimate in result.estimates.items():
            assert mine[result.scenario.label][name].value == estimate.value


def test_mistakes_name_the_file_and_the_key(whole):
    near = trial({"criterion": "minimax"}, p1=0.1001)
    with pytest.raises(InputError, match=r"^x\.yaml: trial\.hypotheses\.p1 \(0\.1001\) is too near p0"):
        Case.of(near).checked("x.yaml")
    two = whole.model_copy(update={"conduct": whole.conduct.model_copy(update={"interim": None})})
    with pytest.raises(InputError, match=r"^x\.yaml: trial\.conduct\.interim is missing"):
        Case.of(two).checked("x.yaml")


def test_without_a_conduct_there_is_nothing_to_simulate():
    case = Case.of(trial({"criterion": "minimax"}))
    assert case.plan is None
    with pytest.raises(InputError, match="conduct is missing"):
        _ = case.simulated
