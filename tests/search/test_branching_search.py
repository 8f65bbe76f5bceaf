"""Adaptive two-stage designs: against all tables of small questions, an integer program, and published designs."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import sequences
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from simtrial import InputError
from simtrial.design.branching import Branching, branching_text, parse_branching
from simtrial.design.exact import reject_fraction
from simtrial.design.requirements import Requirements, decimal
from simtrial.design.second_stages import SecondStage
from simtrial.search import criteria, two_stage
from simtrial.search.adaptive import text
from simtrial.search.branching import Restrictions, as_branching, search, solution
from simtrial.search.branching.beyond import bound_of_any_size
from simtrial.search.branching.choices import ACCEPT, REJECT, choices
from simtrial.search.branching.linear import LimitPrices, bound_at, prices
from simtrial.search.branching.table import TIE, weights_of
from simtrial.search.constraints import Constraints
from simtrial.search.families import FAMILIES

SMALL = [
    (Requirements(0.2, 0.7, 0.1, 0.8), 8),
    (Requirements(0.5, 0.9, 0.1, 0.8), 8),  # equal conditional errors at 1/2
    (Requirements(0.1, 0.5, 0.05, 0.7), 8),
    (Requirements(0.3, 0.8, 0.1, 0.8), 7),
]
"""Questions whose tables can all be enumerated."""


def table(root):
    return pd.read_csv(root / "tests/reference/families/adaptive.csv")


def asked_of(row):
    return Requirements(*(row[name] for name in ("p0", "p1", "alpha", "power")))


def whole(p, n, x):
    """b(x; n, p) in units of 10^-n, for a rate with one decimal."""
    hit = int(decimal(p) * 10)
    return math.comb(n, x) * hit**x * (10 - hit) ** (n - x)


def every_choice(most, p):
    """All second stages with at most this many patients: n2, c, and P(X2 > c; p) in units of 10^-most."""
    found = [(0, ACCEPT, 0), (0, REJECT, 10**most)]
    for n2 in range(1, most + 1):
        for c in range(n2):
            tail = sum(whole(p, n2, x) for x in range(c + 1, n2 + 1))
            found.append((n2, c, tail * 10 ** (most - n2)))
    return np.array(found, dtype=np.int64)


def least_of_all(asked, cap, *, weight=0.0, monotone=True, falling=False):
    """The least value over all tables, in whole numbers: an enumeration without any of the search's cuts."""
    least = None
    share = int(decimal(weight) * 10)
    for n1 in range(1, cap + 1):
        most = cap - n1
        null, alternative = (every_choice(most, p) for p in (asked.p0, asked.p1))
        picks = np.indices([len(null)] * (n1 + 1)).reshape(n1 + 1, -1)
        error = sum(whole(asked.p0, n1, x) * null[picks[x], 2] for x in range(n1 + 1))
        power = sum(whole(asked.p1, n1, x) * alternative[picks[x], 2] for x in range(n1 + 1))
        kept = (error <= int(decimal(asked.alpha) * 10**cap)) & (power >= int(decimal(asked.power) * 10**cap))
        if monotone:
            kept &= (np.diff(null[picks, 2], axis=0) >= 0).all(axis=0)
        if falling:
            n2 = null[picks, 0]
            before = np.minimum.accumulate(np.where(n2 > 0, n2, cap), axis=0)
            kept &= (n2[1:] <= before[:-1]).all(axis=0)
        picks = picks[:, kept]
        if picks.size:
            chance = [(10 - share) * whole(asked.p0, n1, x) + share * whole(asked.p1, n1, x) for x in range(n1 + 1)]
            more = int(sum(chance[x] * null[picks[x], 0] for x in range(n1 + 1)).min())
            value = n1 + Fraction(more, 10 ** (n1 + 1))
            least = value if least is None else min(least, value)
    return least


@pytest.mark.parametrize(("asked", "cap"), SMALL)
@pytest.mark.parametrize(
    "under", [{}, {"monotone": False}, {"falling": True}, {"weight": 0.5}, {"weight": 1.0, "monotone": False}]
)
def test_no_table_of_a_small_question_is_better(asked, cap, under):
    weight = under.get("weight", 0.0)
    given = {name: value for name, value in under.items() if name != "weight"}
    found = search(asked, weight=weight, restrictions=Restrictions(cap=cap, **given))
    least = least_of_all(asked, cap, **under)
    share = decimal(weight)
    design = found.design
    value = (1 - share) * design.en_fraction(asked.p0) + share * design.en_fraction(asked.p1)
    assert abs(value - least) < TIE
    assert found.certificate.value == pytest.approx(float(least), abs=1e-9)
    assert design.n_max <= cap
    # the limits in fractions, by plain counting of the design's own numbers
    assert reject_fraction(design, decimal(asked.p0)) <= decimal(asked.alpha)
    assert reject_fraction(design, decimal(asked.p1)) >= decimal(asked.power)


def test_the_integer_program_of_another_solver_finds_no_better_table():
    asked, cap = Requirements(0.2, 0.5, 0.05, 0.8), 18
    found = search(asked, restrictions=Restrictions(cap=cap, monotone=False))
    for n1 in range(3, 10):
        every, weights = choices(cap - n1, 0.2, 0.5, ordered=False, whole=False), weights_of(n1, asked, 0.0)
        rows, size = n1 + 1, every.n2.size
        cost, error, power = (
            np.multiply.outer(by_x, one).ravel()
            for by_x, one in (
                (weights.patients, every.n2), (weights.null, every.error), (weights.alternative, every.power),
            )
        )  # fmt: skip
        one_each = np.kron(np.eye(rows), np.ones(size))
        # rows of the limits times 1,000: the solver allows them to be missed by 1e-7
        limits = [
            LinearConstraint(one_each, 1, 1),
            LinearConstraint(1e3 * error[np.newaxis], -np.inf, 1e3 * asked.alpha),
            LinearConstraint(1e3 * power[np.newaxis], 1e3 * asked.power, np.inf),
        ]
        # a value below ours would be found: the solver minimises, and stops at a gap of 0
        solved = milp(cost, constraints=limits, integrality=np.ones(cost.size), bounds=Bounds(0, 1),
                      options={"mip_rel_gap": 0})  # fmt: skip
        assert solved.status in (0, 2)  # solved, or no table of this n1
        if solved.status == 0:
            assert n1 + solved.fun >= found.certificate.value - 1e-6
            if n1 == found.design.n1:
                assert n1 + solved.fun == pytest.approx(found.certificate.value, abs=1e-6)


def test_the_linear_bound_is_the_value_of_the_linear_program():
    asked = Requirements(0.2, 0.4, 0.05, 0.8)
    for n1 in (7, 11, 16):
        every, weights = choices(30, 0.2, 0.4, ordered=False, whole=False), weights_of(n1, asked, 0.3)
        cost, error, power = (
            np.multiply.outer(by_x, one).ravel()
            for by_x, one in (
                (weights.patients, every.n2), (weights.null, every.error), (weights.alternative, every.power),
            )
        )  # fmt: skip
        one_each = np.kron(np.eye(n1 + 1), np.ones(every.n2.size))
        solved = linprog(cost, A_ub=np.stack([error, -power]), b_ub=[asked.alpha, -asked.power], A_eq=one_each,
                         b_eq=np.ones(n1 + 1))  # fmt: skip
        found = prices(weights, every, asked.alpha, asked.power)
        assert found.bound == pytest.approx(solved.fun, abs=1e-6)  # the solver's own tolerance
        # any other prices give a smaller bound
        for times in (0.5, 0.9, 1.2):
            other = LimitPrices(0.0, found.error * times, found.power / times)
            assert bound_at(weights, every, asked.alpha, asked.power, other) <= found.bound + 1e-9


def test_the_bound_for_any_size_is_that_of_much_larger_second_stages():
    asked, n1 = Requirements(0.2, 0.5, 0.05, 0.8), 6
    weights = weights_of(n1, asked, 0.0)
    within = prices(weights, choices(17, 0.2, 0.5, ordered=False, whole=False), asked.alpha, asked.power)
    bound = bound_of_any_size(weights, asked, within, math.inf)
    large = prices(weights, choices(120, 0.2, 0.5, ordered=False, whole=False), asked.alpha, asked.power)
    assert bound == pytest.approx(large.bound, abs=1e-6)
    assert bound < within.bound


def test_the_optimum_depends_on_the_cap():
    asked = Requirements(0.2, 0.5, 0.05, 0.8)
    values = [search(asked, restrictions=Restrictions(cap=cap)) for cap in (15, 18, 23, 30)]
    least = [one.certificate.value for one in values]
    assert least[0] > least[1] > least[2] > least[3]
    assert least[1:3] == pytest.approx([9.27168, 9.20768], abs=1e-9)
    for one in values:
        proof = one.certificate
        assert one.linear_bound <= proof.value
        # what it says of designs of any size holds for the larger caps
        assert proof.bound <= least[-1]
    for one in values[:3]:
        proof = one.certificate
        assert (proof.how, proof.cap) == ("capped", one.restrictions.cap)
        assert proof.gap == proof.value - proof.bound > 0
    assert values[3].certificate.how == "proved"
    assert search(asked, restrictions=Restrictions(cap=36)).certificate.value == pytest.approx(least[3], abs=1e-9)


def test_where_no_larger_n_helps_the_certificate_says_so_and_larger_caps_agree():
    asked = Requirements(0.1, 0.6, 0.05, 0.9)
    found = search(asked, restrictions=Restrictions(cap=8))
    proof = found.certificate
    assert (proof.how, proof.cap, proof.bound) == ("proved", None, proof.value)
    for cap in (9, 10, 14, 25):
        assert search(asked, restrictions=Restrictions(cap=cap)).certificate.value == pytest.approx(proof.value)
    asked = Requirements(0.05, 0.3, 0.1, 0.9)
    found = search(asked, restrictions=Restrictions(cap=27))
    assert found.certificate.how == "proved"
    assert search(asked, restrictions=Restrictions(cap=40)).certificate.value == pytest.approx(found.certificate.value)


def test_the_designs_of_the_table_with_a_cap_are_found(root):
    known = table(root).dropna(subset=["n_cap"])
    assert len(known) == 30
    for row in known.to_dict("records"):
        given = Restrictions(cap=int(row["n_cap"]), monotone=str(row["monotone_asked"]) == "True")
        found = search(asked_of(row), restrictions=given)
        # one row of the table is above the optimum by 2.6e-7: its solver stopped there
        assert row["en_p0"] - 3e-7 < found.certificate.value < row["en_p0"] * (1 + 1e-9)
        assert found.linear_bound == pytest.approx(row["linear_bound"], rel=1e-9)
        assert found.simon.en_p0 == pytest.approx(row["simon_optimal_en"], rel=1e-9)
        assert not given.monotone or found.monotone


def published(root, least, most):
    """Published designs with their question, up to a largest n."""
    known = table(root)
    for row in known[known["n_cap"].isna()].to_dict("records"):
        if least < row["n_max"] <= most:
            yield asked_of(row), row


def test_published_designs_with_few_patients_are_optimal_for_their_own_largest_n(root):
    known = list(published(root, 0, 43))
    assert len(known) == 8
    for asked, row in known:
        found = search(asked, restrictions=Restrictions(cap=int(row["n_max"])))
        assert branching_text(found.design) == row["rule"]
        assert found.certificate.value == pytest.approx(row["en_p0"], rel=1e-9)


def test_a_published_design_is_beaten_within_its_own_largest_n():
    found = search(Requirements(0.4, 0.6, 0.05, 0.8), restrictions=Restrictions(cap=51))
    # 24.08721 in print
    assert found.certificate.value == pytest.approx(24.08694815, abs=1e-8)
    assert found.monotone


@pytest.mark.long
def test_no_published_design_with_many_patients_is_better(root):
    better = []
    for asked, row in published(root, 43, 120):
        found = search(asked, restrictions=Restrictions(cap=int(row["n_max"])))
        assert found.certificate.value <= row["en_p0"] * (1 + 1e-9)
        if found.certificate.value < row["en_p0"] * (1 - 1e-9):
            better.append(int(row["n_max"]))
    assert better == [51, 91, 88, 93, 114, 116, 104]


def test_a_published_design_is_optimal_up_to_a_cap_only():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    for cap, value in ((28, 14.725), (32, 14.725), (35, 14.368)):
        assert search(asked, restrictions=Restrictions(cap=cap)).certificate.value == pytest.approx(value, abs=5e-4)


def test_the_conditional_error_rises_unless_that_is_not_asked_for():
    asked = Requirements(0.2, 0.5, 0.05, 0.8)
    rising = search(asked, restrictions=Restrictions(cap=23))
    free = search(asked, restrictions=Restrictions(cap=23, monotone=False))
    assert (rising.monotone, free.monotone) == (True, False)
    assert free.certificate.value == pytest.approx(9.207616, abs=1e-9)
    assert rising.certificate.value == pytest.approx(9.20768, abs=1e-9)
    assert rising.largest_type_i_error.p == asked.p0
    assert free.largest_type_i_error.value == pytest.approx(
        float(free.design.at(np.linspace(0, 0.2, 801)).reject.max())
    )


def test_second_stages_that_must_not_grow_do_not_and_cost_something():
    asked = Requirements(0.2, 0.5, 0.05, 0.8)
    found = search(asked, restrictions=Restrictions(cap=23, falling=True))
    sizes = [n2 for n2 in found.design.n2 if n2]
    assert sizes == sorted(sizes, reverse=True)
    assert found.certificate.value > search(asked, restrictions=Restrictions(cap=23)).certificate.value
    assert found.certificate.value <= found.simon.en_p0


def test_simons_optimal_design_is_never_better_at_its_own_n():
    for asked in (
        Requirements(0.1, 0.3, 0.05, 0.8),
        Requirements(0.05, 0.25, 0.1, 0.9),
        Requirements(0.7, 0.9, 0.05, 0.8),
    ):
        found = search(asked)
        assert found.restrictions.cap == found.simon.n
        assert found.certificate.value <= found.simon.en_p0 + TIE
        assert found.design.n_max <= found.simon.n


def test_a_design_with_two_looks_as_a_table_has_the_same_decisions_and_no_more_patients():
    simon = two_stage(Requirements(0.1, 0.3, 0.05, 0.8)).optimal
    design = as_branching(simon.design)
    law = design.at([0.1, 0.3])
    assert law.reject.tolist() == pytest.approx([simon.type_i_error, simon.power], rel=1e-12)
    assert law.en[0] < simon.en_p0
    assert design.is_monotone(0.1)


def test_stops_are_where_they_belong():
    for asked, cap in ((Requirements(0.7, 0.9, 0.05, 0.8), 34), (Requirements(0.2, 0.4, 0.05, 0.9), 50)):
        after = search(asked, restrictions=Restrictions(cap=cap, monotone=False)).design.after
        accepted = [x for x, row in enumerate(after) if row == "accept"]
        assert accepted == list(range(len(accepted)))


def test_the_weight_is_that_of_the_expected_number_at_p1():
    asked = Requirements(0.2, 0.5, 0.05, 0.8)
    found = {weight: search(asked, weight=weight, restrictions=Restrictions(cap=20)) for weight in (0.0, 0.5, 1.0)}
    at_null, at_alternative = ([float(one.law.en[k]) for one in found.values()] for k in (0, 1))
    assert at_null == sorted(at_null)
    assert at_alternative == sorted(at_alternative, reverse=True)
    assert found[0.5].certificate.value == pytest.approx((at_null[1] + at_alternative[1]) / 2)


def test_a_first_stage_may_be_asked_to_have_more_patients():
    asked = Requirements(0.2, 0.5, 0.05, 0.8)
    found = search(asked, restrictions=Restrictions(cap=20, n1_least=9))
    assert found.design.n1 >= 9
    assert found.certificate.value > search(asked, restrictions=Restrictions(cap=20)).certificate.value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"cap": 14},
            "cap (14) is too small: with at most 14 patients not even the most powerful test meets the limits",
        ),
        ({"cap": 151}, "cap (151) is above 150, the most for which tables are searched"),
        ({"cap": 15, "n1_least": 16}, "n1_least (16) is above the cap (15)"),
        ({"cap": 0}, "cap (0) is below 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(given, said):
    with pytest.raises(InputError) as caught:
        search(Requirements(0.2, 0.5, 0.05, 0.8), restrictions=Restrictions(**given))
    assert str(caught.value).startswith(said)


def test_rates_that_are_too_near_are_refused():
    with pytest.raises(InputError, match="even the most powerful test needs more than 150 patients"):
        search(Requirements(0.2, 0.25, 0.05, 0.8))
    with pytest.raises(InputError, match=r"cap is missing; the \d+ patients of Simon's optimal design"):
        search(Requirements(0.35, 0.45, 0.05, 0.8))


def test_the_sentences_state_rule_cap_and_bound():
    found = search(Requirements(0.2, 0.5, 0.05, 0.8), restrictions=Restrictions(cap=23))
    said = text.proved(found)
    assert "Among the designs with at most 23 patients and a conditional type I error that never falls" in said
    assert f"no design of any size can be below {found.certificate.bound:.4f}" in said
    (first, *_) = text.protocol(found).paragraphs
    assert "0 or 1 responses: stop and do not reject H0." in first
    assert "4 responses: enroll 16 further patients and reject H0 if more than 7 of all 22 patients respond." in first
    proved = search(Requirements(0.1, 0.6, 0.05, 0.9), restrictions=Restrictions(cap=10))
    assert "More than 10 patients give no smaller value, whatever their number." in text.proved(proved)


def test_the_rows_of_a_rule_are_those_of_its_table():
    said = text.rule(parse_branching("0:A|1:1/1|2:R|3:R").looks[0])
    assert said == [
        "0 responses: stop and do not reject H0.",
        "1 response: enroll 1 further patient and reject H0 if more than 1 of all 4 patients respond.",
        "2 or 3 responses: stop and reject H0.",
    ]


def test_all_choices_and_no_others_are_listed():
    every = choices(4, 0.3, 0.6, ordered=True, whole=True)
    listed = sorted(zip(every.n2.tolist(), every.c.tolist(), strict=True))
    assert listed == sorted([(0, ACCEPT), (0, REJECT), *((n2, c) for n2 in range(1, 5) for c in range(n2))])
    assert (np.diff(every.rank) >= 0).all()
    needed = choices(4, 0.3, 0.6, ordered=False, whole=False)
    for n2, c in set(listed) - set(zip(needed.n2.tolist(), needed.c.tolist(), strict=True)):
        one = (every.n2 == n2) & (every.c == c)
        error, power = every.error[one][0], every.power[one][0]
        assert ((needed.n2 <= n2) & (needed.error <= error + 1e-14) & (needed.power >= power - 1e-14)).any()


def test_a_search_gives_what_its_design_attains():
    found = search(Requirements(0.3, 0.6, 0.05, 0.8))
    law = found.design.at([0.3, 0.6])
    assert found.certificate.value == float(law.en[0])
    assert isinstance(found.design, Branching)
    assert any(isinstance(row, SecondStage) for row in found.design.after)
    assert found.design.n1 in found.examined


@pytest.mark.parametrize("limits", [(0.1, 0.7, 0.1, 0.8), (0.25, 0.75, 0.25, 0.75), (0.3, 0.8, 0.2, 0.8)], ids=str)
def test_the_family_takes_the_best_of_every_small_table_judged_in_fractions(limits):
    asked, family = Requirements(*limits), FAMILIES["adaptive"]
    (criterion,) = family.criteria
    met = [design for n in range(1, 6) for design in family.every(n) if sequences.meets(design, asked)]
    best = criterion.best(met, asked)
    found = family.result(family.search(asked, constraints=Constraints(cap=5)), criterion)
    # tables of equal value are not told apart: what is compared is the value
    assert found.certificate.value == pytest.approx(criterion.aim.value(best, asked), abs=1e-9)
    assert sequences.meets(found.best, asked)


def test_the_number_of_small_tables_is_as_stated():
    assert sum(1 for _ in FAMILIES["adaptive"].every(5)) == 1_286


_scan = solution._Scan


def test_a_weighed_search_is_made_once(monkeypatch):
    made = []
    monkeypatch.setattr(solution, "_Scan", lambda *of: made.append(of) or _scan(*of))
    asked = Requirements(0.2, 0.55, 0.05, 0.8)
    criterion = criteria.weighed(FAMILIES["adaptive"].criteria[0], 0.25)
    criteria.family(asked, criterion)
    assert [weight for _, weight, _ in made] == [0.25]
