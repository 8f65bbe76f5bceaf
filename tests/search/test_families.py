"""Every family of the register keeps the same laws, and a family is one module and one line: here is one."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from simtrial import InputError, Requirements, TwoStage, search
from simtrial.conduct import engine
from simtrial.design import exact
from simtrial.search.criteria import Criteria, choose
from simtrial.search.families import FAMILIES
from simtrial.trial import params
from simtrial.trial.case import Case

LIMITS = [
    (0.2, 0.6, 0.1, 0.8),
    (0.25, 0.75, 0.0625, 0.75),  # dyadic: limits that designs can meet exactly
    (0.1, 0.5, 0.05, 0.7),
    (0.1, 0.8, 0.01, 0.64),  # .1^2 and .8^2 are both limits
    (0.5, 0.9, 0.25, 0.9),
]


def balanced(n):
    """Two stages of the same size."""
    return [design for design in FAMILIES["simon"].every(n) if n == 2 * design.n1]


def least_balanced(requirements, *, n_limit=60):
    """Brute force from the n below which no test has the power: the first n that has a design, and all it has."""
    possible = (n for n in range(2, n_limit + 1, 2) if search.can_have_power(n, requirements))
    lower = None
    for n in possible:
        lower = lower or n
        met = [design for design in balanced(n) if exact.meets(design, requirements)]
        if met:
            best = FAMILIES["simon"].criteria[1].best(met, requirements)
            return search.Candidate(best, requirements), lower
    raise InputError(f"({requirements.p1}) needs more than {n_limit} patients", "p1")


TOY = search.Family(
    key="balanced",
    title="two stages of the same size",
    bound="Below n_lower the most powerful test lacks the power; every n from there to the answer is enumerated.",
    criteria=(
        search.Criterion(
            key="balanced_minimax",
            name="balanced minimax",
            phrase="the smallest design with two stages of the same size",
            method="balanced minimax",
            looks=2,
            family="balanced",
            why="The interim analysis falls in the middle.",
            pick=lambda found: found[0],
            best=FAMILIES["simon"].criteria[0].best,
        ),
    ),
    search=least_balanced,
    proof=lambda found: search.Proof(
        how="proved", n_lower=found[1], n_upper=found[0].n, value=found[0].n, bound=found[0].n
    ),
    every=balanced,
)


@pytest.fixture
def known(monkeypatch):
    """The register with the line of the toy family."""
    monkeypatch.setitem(FAMILIES, TOY.key, TOY)


EVERY = pytest.mark.parametrize("family", [*FAMILIES.values(), TOY], ids=lambda family: family.key)
SMALL = pytest.mark.parametrize("limits", LIMITS, ids=str)


def rejecting(design, p):
    """P(reject H0) of any looks by plain sums of fractions."""
    alive, reject, before = {0: Fraction(1)}, Fraction(0), 0
    for k, look in enumerate(design.looks):
        size, last = look.n - before, k == len(design.looks) - 1
        met = {}
        for x, chance in alive.items():
            for y in range(size + 1):
                term = chance * math.comb(size, y) * p**y * (1 - p) ** (size - y)
                met[x + y] = met.get(x + y, 0) + term
        reject += sum(c for x, c in met.items() if (look.e is not None and x >= look.e) or (last and x > look.r))
        alive = {
            x: c for x, c in met.items()
            if (look.r is None or x > look.r) and (look.e is None or x < look.e)
        }  # fmt: skip
        before = look.n
    return reject


def meeting(family, asked, n_max):
    """Every design of a family up to n_max that meets the limits, in fractions."""
    p0, p1, alpha, power = (Fraction(repr(v)) for v in (asked.p0, asked.p1, asked.alpha, asked.power))
    return [
        design
        for n in range(1, n_max + 1)
        for design in family.every(n)
        if rejecting(design, p0) <= alpha and rejecting(design, p1) >= power
    ]


@EVERY
@SMALL
def test_what_a_family_finds_is_the_best_of_an_enumeration_beyond_its_proof(family, limits):
    asked = Requirements(*limits)
    found = family.search(asked)
    proof = family.proof(found)
    met = meeting(family, asked, min(proof.n_upper + 2, 16))
    assert met, "chosen small enough to enumerate"
    for criterion in family.criteria:
        taken = criterion.pick(found)
        assert taken.looks == criterion.best(met, asked).looks, criterion.key
        assert len(taken.looks) == criterion.looks


@EVERY
@SMALL
def test_the_certificate_of_a_family_is_true(family, limits):
    asked = Requirements(*limits)
    proof = family.proof(family.search(asked))
    assert not meeting(family, asked, proof.n_lower - 1)
    assert proof.n_lower <= proof.n_upper
    assert (proof.how, proof.gap, proof.cap) == ("proved", 0.0, None)


@EVERY
@SMALL
def test_what_a_family_finds_meets_the_limits_in_fractions_and_rejects_more_the_higher_the_rate(family, limits):
    asked = Requirements(*limits)
    p0, p1, alpha, power = (Fraction(repr(v)) for v in limits)
    found = family.search(asked)
    for criterion in family.criteria:
        design = criterion.pick(found)
        assert rejecting(design, p0) <= alpha
        assert rejecting(design, p1) >= power
        chances = [rejecting(design, Fraction(k, 10)) for k in range(11)]
        assert all(a < b for a, b in pairwise(chances))


@EVERY
def test_more_power_never_needs_fewer_patients(family):
    asked = [Requirements(0.2, 0.6, 0.1, power) for power in (0.6, 0.7, 0.8, 0.85)]
    sizes = [family.criteria[0].pick(family.search(one)).looks[-1].n for one in asked]
    assert sizes == sorted(sizes)


@EVERY
def test_a_family_refuses_what_needs_more_patients_than_its_limit(family):
    with pytest.raises(InputError):
        family.search(Requirements(0.2, 0.3, 0.05, 0.9), n_limit=20)


def test_every_key_name_and_method_of_the_register_is_its_own():
    for part in ("key", "name", "phrase", "method"):
        values = [getattr(criterion, part) for criterion in search.CRITERIA.values()]
        assert len(set(values)) == len(values) == len(search.CRITERIA)
    for family in FAMILIES.values():
        assert {criterion.family for criterion in family.criteria} == {family.key}


def test_a_criterion_of_a_new_family_is_chosen_from_an_extended_register():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    more = {**FAMILIES, TOY.key: TOY}
    assert choose(asked, "balanced_minimax", families=more).looks == TwoStage(1, 13, 5, 26).looks
    assert list(Criteria(more)) == [*search.CRITERIA, "balanced_minimax"]
    with pytest.raises(InputError, match=rf"{[*search.CRITERIA][-2]} or {[*search.CRITERIA][-1]}$"):
        choose(asked, "balanced_minimax")


@pytest.mark.usefixtures("known")
def test_a_parameter_file_takes_a_new_family_through_exact_engine_and_simulation(root):
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain["design"] = {"criterion": "balanced_minimax"}
    trial = params.load(plain)
    case = Case.of(trial)
    design, plan = case.chosen, case.plan
    oc = exact.operating_characteristics(design, [trial.requirements.p0, trial.requirements.p1])
    assert oc.reject[0] <= trial.requirements.alpha
    assert oc.reject[1] >= trial.requirements.power
    assert design.looks[-1].n == 2 * design.looks[0].n
    done = engine.simulate(plan, trial.scenarios[0], np.random.default_rng(1), trials=500)
    assert set(np.unique(done.stage)) == {1, 2}
    assert "balanced_minimax" in str(params.json_schema())


@pytest.mark.usefixtures("known")
def test_a_new_criterion_is_told_among_those_that_are_allowed(root):
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain["design"] = {"criterion": "balanced_minimum"}
    with pytest.raises(InputError, match=r"or 'balanced_minimax'; did you mean balanced_minimax"):
        params.load(plain)


def test_a_criterion_is_forgotten_with_its_family():
    assert "balanced_minimax" not in search.CRITERIA
    assert "balanced_minimax" not in str(params.json_schema())
