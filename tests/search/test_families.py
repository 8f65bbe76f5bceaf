"""Every family of the register keeps the same laws, and a family is one module and one line: here is one."""

import ast
import functools
import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from sequences import meets, rejecting

from simtrial import InputError, Requirements, TwoStage, search
from simtrial.cli.app import main
from simtrial.conduct import engine
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, looks_text, parse_looks
from simtrial.explorer import panels, screen
from simtrial.phrases import rate
from simtrial.review.check import check
from simtrial.search.criteria import Criteria, choose
from simtrial.search.families import FAMILIES, registered
from simtrial.search.record import How
from simtrial.trial import params
from simtrial.trial.case import Case
from simtrial.trial.statement import METHODS, Statement

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


def least_balanced(requirements, *, n_limit=60, constraints=search.FREE):  # noqa: ARG001 - as every search
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
    key="toy",
    title="two stages of the same size",
    bound="Every design with {n_lower} to {n_upper} patients was examined.",
    references=("Toy A. Two stages of the same size. J Toys 2020;1:1-2.",),
    criteria=(
        search.Criterion(
            key="balanced_minimax",
            name="balanced minimax",
            phrase="the smallest design with two stages of the same size",
            method="balanced minimax",
            looks=2,
            family="toy",
            why="The interim analysis falls in the middle.",
            pick=lambda found: found[0],
            best=FAMILIES["simon"].criteria[0].best,
        ),
    ),
    search=least_balanced,
    result=lambda found, _: search.SearchResult(
        best=found[0],
        certificate=search.Certificate(
            how="proved", n_lower=found[1], n_upper=found[0].n, value=found[0].n, bound=found[0].n
        ),
    ),
    every=balanced,
)


@pytest.fixture
def known(monkeypatch):
    """The register with the line of the toy family."""
    monkeypatch.setitem(FAMILIES, TOY.key, TOY)


MIDDLE = replace(
    FAMILIES["simon"].criteria[0],
    key="middle",
    name="Simon middle",
    phrase="the admissible design in the middle",
    method="middle",
    why="It lies between the others.",
    pick=lambda found: found.admissible[len(found.admissible) // 2],
)
"""A criterion that a family known already gains."""


def test_a_key_stands_once_in_the_register():
    with pytest.raises(ValueError, match="key of a family is taken: single"):
        registered(*FAMILIES.values(), FAMILIES["single"])
    with pytest.raises(ValueError, match="key of a criterion is taken: minimax, optimal"):
        registered(*FAMILIES.values(), replace(FAMILIES["simon"], key="other"))


def test_a_criterion_that_a_known_family_gains_is_searched_checked_and_shown(monkeypatch, capsys, root):
    family = FAMILIES["simon"]
    monkeypatch.setitem(FAMILIES, "simon", replace(family, criteria=(*family.criteria, MIDDLE)))
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    taken = choose(asked, "middle")
    assert taken.looks == search.two_stage(asked).admissible[2].looks
    words = ["--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8"]
    assert main(["check", *words, "--criterion", "middle", "--looks", "1/11,5/27"]) == 0
    assert "is the admissible design in the middle" in capsys.readouterr().out
    assert main(["reproduce", "--n", "27", *words]) == 0
    plain = params.load(root / "params/NCT07022301.yaml").plain() | {"design": {"criterion": "middle"}}
    shown = cells(root / "notebooks/01_design.ipynb", plain)
    assert "Simon middle" in str(shown["choice"])


EVERY = pytest.mark.parametrize("family", [*FAMILIES.values(), TOY], ids=lambda family: family.key)
ENUMERATED = pytest.mark.parametrize(
    "family",
    [one for one in (*FAMILIES.values(), TOY) if one.key != "adaptive"],  # 10^9 tables have 10 patients
    ids=lambda family: family.key,
)
SMALL = pytest.mark.parametrize("limits", LIMITS, ids=str)


@functools.cache
def meeting_with(family, asked, n):
    """Every design of a family with n patients that meets the limits, in fractions: two tests ask for the same."""
    return [design for design in family.every(n) if meets(design, asked)]


def meeting(family, asked, n_max):
    """Every design of a family up to n_max that meets the limits, in fractions."""
    return [design for n in range(1, n_max + 1) for design in meeting_with(family, asked, n)]


@pytest.mark.long
@ENUMERATED
@SMALL
def test_what_a_family_finds_is_the_best_of_an_enumeration_beyond_its_proof(family, limits):
    asked = Requirements(*limits)
    found = family.search(asked)
    proof = family.certificate(found)
    # looks of many kinds are enumerated in fractions up to 16 patients, which is beyond every proof here but a cap
    met = meeting(
        family, asked, min(proof.n_upper + (2 if proof.how == "proved" else 0), 16 if several(family) else 30)
    )
    assert met, "chosen small enough to enumerate"
    for criterion in family.criteria:
        taken = criterion.pick(found)
        assert proof.how == "heuristic" or taken.looks == criterion.best(met, asked).looks, criterion.key
        assert criterion.looks in (0, len(taken.looks))  # 0: this depends on the question


def several(family):
    return any(criterion.looks > 1 for criterion in family.criteria)


@ENUMERATED
@SMALL
def test_the_certificate_of_a_family_is_true(family, limits):
    asked = Requirements(*limits)
    proof = family.certificate(family.search(asked))
    assert not meeting(family, asked, proof.n_lower - 1)
    assert proof.n_lower <= proof.n_upper
    assert proof.how in get_args(How)
    if proof.how == "proved":
        assert (proof.gap, proof.cap) == (0.0, None)
    else:  # a cap says where the search ended; what is no proof says how much better a design could be
        assert proof.cap == proof.n_upper if proof.how == "capped" else proof.gap >= 0


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


def near(design, rng):
    """Another design with as many looks: sizes and bounds moved at random, by up to a fifth of n."""
    wide = max(2, design.looks[-1].n // 5)
    sizes = [look.n + int(rng.integers(-wide, wide + 1)) for look in design.looks]
    looks = []
    for look, n in zip(design.looks, sizes, strict=True):
        r, e = (None if b is None else b + int(rng.integers(-2, 3)) for b in (look.r, look.e))
        looks.append(Look(n, r, e))
    try:
        return parse_looks(looks_text(MultiStage(tuple(looks))))
    except (InputError, ValueError):
        return None


@pytest.mark.parametrize(
    "family", [one for one in FAMILIES.values() if one.holds and one.criteria[0].aim], ids=lambda family: family.key
)
@pytest.mark.parametrize("limits", [(0.1, 0.3, 0.05, 0.8), (0.4, 0.6, 0.1, 0.9)], ids=str)
def test_no_random_design_of_a_family_is_better_than_what_its_search_takes(family, limits):
    asked, rng = Requirements(*limits), np.random.default_rng(1)
    found, compared = family.search(asked), 0
    for criterion in family.criteria:
        best = criterion.pick(found)
        assert family.holds(best.design)
        least = criterion.aim.order(best, criterion.aim.value(best, asked))
        for _ in range(400):
            other = near(best, rng)
            if other is not None and family.holds(other) and exact.meets(other, asked):
                compared += 1
                assert criterion.aim.order(other, criterion.aim.value(other, asked)) >= least
    assert compared > 0


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
    with pytest.raises(InputError, match=r"'balanced_minimax', .*; did you mean balanced_minimax"):
        params.load(plain)


def test_a_criterion_is_forgotten_with_its_family():
    assert "balanced_minimax" not in search.CRITERIA
    assert "balanced_minimax" not in str(params.json_schema())


ASKED = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8}
OPTIONS = [word for key, value in ASKED.items() for word in (f"--{key}", str(value))]


def told(capsys, *words):
    """What a command prints."""
    assert main(list(words)) == 0
    return capsys.readouterr().out


def cells(path, trial):
    """What each cell of a notebook shows, without a kernel, for a trial of one's own."""
    names, shown = {}, {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        *body, last = ast.parse(source).body
        if not isinstance(last, ast.Expr):
            exec(source, names)
            names.update({"trial": trial} if source.startswith("trial =") else {})
            continue
        exec(compile(ast.Module(body, []), "cell", "exec"), names)
        found = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if found is not None:  # what belongs to other designs shows nothing
            shown.setdefault(found.name, found)  # the table of the candidates, not the figure
    return shown


@pytest.fixture
def toy_trial(root):
    """The parameter file with the criterion of the toy family."""
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain["hypotheses"] |= ASKED
    return plain | {"design": {"criterion": "balanced_minimax", "losses": "paper"}}


@pytest.mark.usefixtures("known")
def test_the_notebook_on_the_design_names_a_new_family_and_shows_its_certificate(root, toy_trial):
    shown = cells(root / "notebooks/01_design.ipynb", toy_trial)
    said = "balanced minimax, as the parameter file asks. The interim analysis falls in the middle."
    assert said in str(shown["choice"])
    for name in ("candidates", "near"):
        frame = shown[name].frame
        assert frame[frame.looks == "1/13, 5/26"].kind.tolist() == ["balanced minimax"]
        assert not frame.kind.str.contains("given").any()
    proof = cells(root / "notebooks/08_evidence.ipynb", toy_trial)
    first, *simon = proof["certificate_in_words"].paragraphs
    assert first == (
        "Two stages of the same size: with fewer than 24 patients no design meets both limits. Every design with 24 to "
        "26 patients was examined."
    )
    assert simon[0].startswith("With fewer than 23 patients")
    numbers = proof["certificate"].frame.set_index("name").value
    assert (numbers["toy: n_lower"], numbers["toy: value"], numbers["n_upper"]) == (24, 26, 35)
    said = str(shown["statement"])
    assert "that of the smallest design with two stages of the same size (1/13, 5/26)" in said
    assert said.endswith("References: Toy A. Two stages of the same size. J Toys 2020;1:1-2.")


@pytest.mark.usefixtures("known")
def test_the_command_design_lists_a_new_family_with_its_proof(capsys):
    shown = " ".join(told(capsys, "design", *OPTIONS).split())
    assert "balanced minimax 1/13, 5/26 26" in shown
    assert "Every design with 24 to 26 patients was examined." in shown
    found = json.loads(told(capsys, "design", *OPTIONS, "--json"))
    assert found["toy"]["certificate"] == {
        "n_lower": 24, "n_upper": 26, "value": 26, "bound": 26, "gap": 0.0, "how": "proved", "cap": None,
    }  # fmt: skip
    (design,) = found["toy"]["designs"]
    assert design["kinds"] == ["balanced_minimax"]
    assert design["looks"] == [{"n": 13, "r": 1, "e": None}, {"n": 26, "r": 5, "e": None}]
    oc = exact.operating_characteristics(TwoStage(1, 13, 5, 26), [0.1, 0.3])
    assert (design["type_i_error"], design["en_p1"], design["pet_p0"]) == (oc.reject[0], oc.en[1], oc.pet[0])


def test_a_new_family_only_adds_to_the_json_of_the_command_design(capsys, monkeypatch):
    before = json.loads(told(capsys, "design", *OPTIONS, "--json"))
    monkeypatch.setitem(FAMILIES, TOY.key, TOY)
    after = json.loads(told(capsys, "design", *OPTIONS, "--json"))
    assert {key: value for key, value in after.items() if key != "toy"} == before


@pytest.mark.usefixtures("known")
def test_the_command_check_searches_a_new_criterion_and_compares(capsys):
    words = ("check", *OPTIONS, "--criterion", "balanced_minimax", "--json", "--looks")
    right = json.loads(told(capsys, *words, "1/13,5/26"))
    assert (right["verdict"], right["conventions"]) == ("reproduces", [])
    assert "1/13, 5/26 is the smallest design with two stages of the same size for p0 = 0.1" in right["explanation"]
    wrong = json.loads(told(capsys, *words, "1/15,5/25"))
    assert (wrong["verdict"], wrong["conventions"]) == ("does not reproduce", [])
    assert [one["looks"] for one in wrong["expected"]] == ["1/13,5/26"]
    assert wrong["lines"][0] == (
        "The claim that the design is balanced minimax is false: 1/15, 5/25 (n = 25, EN(p0) = 19.51) meets both "
        "limits; the smallest design with two stages of the same size is 1/13, 5/26 (n = 26, EN(p0) = 17.92)."
    )
    assert wrong["lines"][1] == "The exact answer is balanced minimax 1/13, 5/26."


@pytest.mark.usefixtures("known")
def test_conventions_that_do_not_belong_to_a_family_explain_a_new_criterion():
    stated = {"criterion": "balanced_minimax", "p0": 0.1, "p1": 0.3, "power": 0.8}
    half = check(Statement.of_looks("1/13,5/26", alpha=0.1, alpha_sided=2, **stated))
    assert half.kind == "reproduces"
    called = check(Statement.of_looks("1/13,5/26", alpha=0.1, **stated))
    assert [one.name for one in called.conventions] == ["alpha two-sided"]
    inflated = check(Statement(n1=13, total=29, dropout=0.1, alpha=0.05, **stated))
    assert inflated.kind == "reproduces"
    successes = check(Statement.of_looks("2/13,6/26", alpha=0.05, **stated))
    assert [one.name for one in successes.conventions] == ["both count successes"]
    open_ = check(Statement.of_looks("1/13,5/26", criterion="balanced_minimax", p0=0.1, p1=0.3))
    assert open_.kind == "underspecified"
    assert "balanced minimax 1/13, 5/26" in open_.explanation


@pytest.mark.usefixtures("known")
def test_a_stated_size_of_a_parameter_file_may_name_a_new_criterion(toy_trial):
    trial = params.load(toy_trial | {"stated": {**ASKED, "criterion": "balanced_minimax", "looks": "1/13,5/26"}})
    assert check(trial.stated.statement).kind == "reproduces"
    assert [*METHODS][-1] == "balanced_minimax"


THREE = search.Family(
    key="three",
    title="one design of three looks",
    bound="It is the only one.",
    references=(),
    criteria=(
        search.Criterion(
            key="three_looks", name="three looks", phrase="the design of three looks", method="three looks", looks=3,
            family="three", why="It has three looks.", pick=lambda found: found, best=lambda designs, _: designs[0],
        ),
    ),
    search=lambda asked, **_: search.Candidate(parse_looks("0/8,2:7/16,6/30"), asked),
    result=lambda found, _: search.SearchResult(
        best=found, certificate=search.Certificate(how="capped", n_lower=1, n_upper=30, value=30, bound=29, cap=30)
    ),
    every=lambda _: (),
)  # fmt: skip


def test_looks_with_bounds_for_efficacy_are_compared_with_the_family_that_is_named(monkeypatch, capsys):
    monkeypatch.setitem(FAMILIES, THREE.key, THREE)
    words = ("check", *OPTIONS, "--criterion", "three_looks", "--json", "--looks")
    assert json.loads(told(capsys, *words, "0/8,2:7/16,6/30"))["expected"][0]["method"] == "three looks"
    other = json.loads(told(capsys, *words, "0/8,2:8/16,6/30"))
    assert other["verdict"] == "does not reproduce"
    assert "the design of three looks is 0/8, 2:7/16, 6/30" in other["explanation"]
    assert "No design with more than 30 patients was examined." in " ".join(told(capsys, "design", *OPTIONS).split())


@pytest.mark.parametrize(("criterion", "looks"), [("single_stage_first", "5/25"), ("single_stage_sustained", "6/29")])
def test_the_criteria_of_a_single_stage_are_checked_too(criterion, looks):
    right = check(Statement.of_looks(looks, criterion=criterion, **ASKED))
    assert (right.kind, right.conventions) == ("reproduces", ())
    assert check(Statement.of_looks("3/25", criterion=criterion, **ASKED)).kind == "does not reproduce"
    with pytest.raises(InputError, match="does not go with two looks"):
        Statement.of_looks("1/10,5/29", criterion=criterion, **ASKED)


@pytest.mark.usefixtures("known")
def test_the_explorer_shows_a_new_family_by_its_name(toy_trial):
    case = Case.of(params.load(toy_trial))
    found = screen.answer(case)
    assert screen.offered(found.two, "balanced_minimax")["balanced minimax"] == "balanced_minimax"
    assert "balanced minimax" in panels.candidates(found)
    assert "that of the smallest design with two stages of the same size" in panels.statement(
        found, screen.calendar(case)
    )


@pytest.mark.usefixtures("known")
def test_a_new_family_is_searched_with_the_dropout_and_shown_with_and_without_it(capsys):
    assert main(["design", *OPTIONS, "--dropout", ".1", "--json"]) == 0
    (design,) = json.loads(capsys.readouterr().out)["toy"]["designs"]
    assert design["as_run"]["type_i_error"] <= 0.05 < 0.8 <= design["as_run"]["power"] < design["power"]
    assert main(["design", *OPTIONS, "--dropout", ".1"]) == 0
    paper, run = [line for line in capsys.readouterr().out.splitlines() if "balanced minimax" in line][:2]
    assert rate(design["power"]) in paper
    assert rate(design["as_run"]["power"]) in run
