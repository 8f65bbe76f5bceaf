"""Three stages: Chen's and Ensign's designs against a table, an enumeration in fractions and random designs."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from simtrial import InputError, Requirements, looks_text, parse_looks
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage
from simtrial.search import ensign, three_stage
from simtrial.search.aim import LEAST_EN, LEAST_N
from simtrial.search.constraints import Constraints
from simtrial.search.three_looks import looks as three_looks
from simtrial.search.three_looks import scan as three_scan
from simtrial.search.three_looks.rows import ThreeSizes

FAMILIES = {"chen": three_stage, "ensign": ensign}
AIMS = {"EN(p0)": LEAST_EN, "EN(p0) at least n": LEAST_N}
SETTINGS = {
    "wide": (Requirements(0.2, 0.6, 0.1, 0.8), 13),
    "limits that designs meet exactly": (Requirements(0.25, 0.75, 0.0625, 0.75), 10),
    "low rates": (Requirements(0.1, 0.5, 0.05, 0.7), 11),
    "both limits are powers of the rates": (Requirements(0.1, 0.8, 0.01, 0.64), 10),
    "three of three": (Requirements(0.5, 0.9, 0.125, 0.729), 8),
    "high rates": (Requirements(0.5, 0.9, 0.25, 0.9), 9),
}
"""Each with an n far enough beyond what can be better to enumerate everything (`n_upper` is asserted)."""
SMALL = pytest.mark.parametrize(("asked", "n_max"), SETTINGS.values(), ids=SETTINGS)


def rows(root):
    return pd.read_csv(root / "tests/reference/families/three_stage.csv")


def unlike(table):
    """Rows of the table whose design, values, ties or certificate are not those of the search."""
    for row in table.itertuples():
        asked = Requirements(row.p0, row.p1, row.alpha, row.power)
        found = FAMILIES[row.family].search(asked).result(AIMS[row.criterion])
        best, proof = found.best, found.certificate
        # the table has ten digits
        printed = (best.type_i_error, best.power, best.en_p0, best.en_p1, best.pet_p0, best.pet_p1)
        expected = (row.type_i_error, row.reject_p1, row.en_p0, row.en_p1, row.pet_p0, row.pet_p1)
        equal = looks_text(best) == row.looks and np.allclose(printed, expected, rtol=1e-9, atol=0)
        proved = (1 + len(found.ties), proof.n_lower, proof.how) == (row.ties, row.n_lower, "proved")
        if not (equal and proved and best.n <= proof.n_upper):
            yield row, looks_text(best), printed, proof


def test_designs_of_the_table_are_found(root):
    table = rows(root)
    some = table[table.p0.isin([0.05, 0.13, 0.5, 0.7])]
    assert len(some) > 20
    assert not list(unlike(some))


@pytest.mark.long
def test_all_designs_of_the_table_are_found(root):
    assert not list(unlike(rows(root)))


def orders(n, p):
    """b(x; n, p) in whole numbers: times the denominator of p to the power n."""
    hit, whole = p.numerator, p.denominator
    return np.array([math.comb(n, x) * hit**x * (whole - hit) ** (n - x) for x in range(n + 1)], dtype=np.int64)


def first_looks(n, low, efficacy):
    """Every (r, e) of a look with r >= low; e = n + 1 where there is no stop for efficacy."""
    return [(r, e) for r in range(low, n) for e in (range(r + 2, n + 2) if efficacy else [n + 1])]


def enumerated(asked, n_max, efficacy=False):
    """Every design up to n_max within the limits, with EN(p0): all of them tried, all in whole numbers."""
    rates, limits = ([Fraction(repr(v)) for v in pair] for pair in ((asked.p0, asked.p1), (asked.alpha, asked.power)))
    assert all(p.denominator**n_max < 2**62 for p in rates)
    met = {}
    for n1, n2, n3 in itertools.combinations(range(1, n_max + 1), 3):
        terms = [[orders(n, p) for n in (n1, n2 - n1, n3 - n2)] for p in rates]
        later = [np.array([[third[max(r + 1 - x, 0) :].sum() for r in range(n3)] for x in range(n2 + 1)])
            for _, _, third in terms]  # fmt: skip
        x1, x2 = np.arange(n1 + 1), np.arange(n2 + 1)
        for r1, e1 in first_looks(n1, 0, efficacy):
            mass = [np.convolve(first * (x1 > r1) * (x1 < e1), second) for first, second, _ in terms]
            for r2, e2 in first_looks(n2, r1 + 1, efficacy):
                going = [m * (x2 > r2) * (x2 < e2) for m in mass]
                if not going[0].any():
                    continue  # no trial goes on to the third look
                most = np.flatnonzero(going[0])[-1] + n3 - n2
                reject = [
                    first[e1:].sum() * p.denominator ** (n3 - n1)
                    + m[e2:].sum() * p.denominator ** (n3 - n2)
                    + go @ tail
                    for (first, *_), m, go, tail, p in zip(terms, mass, going, later, rates, strict=True)
                ]
                for r3 in range(r2 + 1, min(n3, most)):  # with r3 >= most no trial rejects at the third look
                    chance = [Fraction(int(one[r3]), p.denominator**n3) for one, p in zip(reject, rates, strict=True)]
                    if chance[0] <= limits[0] and chance[1] >= limits[1]:
                        whole = rates[0].denominator
                        on = int(mass[0].sum()) * (n2 - n1) + int(going[0].sum()) * (n3 - n2)
                        looks = (Look(n, r, None if e > n else e) for n, r, e in ((n1, r1, e1), (n2, r2, e2)))
                        met[MultiStage((*looks, Look(n3, r3)))] = n1 + Fraction(on, whole**n2)
    return met


def ensigns(met):
    return {design: en for design, en in met.items() if design.looks[0].r == 0 and design.looks[0].n >= 5}


def n_of(design):
    return design.looks[-1].n


def lowest_by_n(met):
    """Of each n whose least EN(p0) is below that of all smaller n, that EN(p0)."""
    frontier = {}
    for n, en in sorted((n_of(design), en) for design, en in met.items()):
        if not frontier or en < min(frontier.values()):
            frontier[n] = en
    return frontier


@SMALL
def test_what_is_found_is_the_best_of_an_enumeration_in_fractions(asked, n_max):
    met = enumerated(asked, n_max)
    for family, mine in ((three_stage, met), (ensign, ensigns(met))):
        found = family.search(asked)
        least, fewest = min(mine.values()), min(map(n_of, mine))
        near = [design for design, en in mine.items() if en < least + Fraction(1, 10**6) or n_of(design) == fewest]
        for aim in (LEAST_EN, LEAST_N):
            result = found.result(aim)
            assert result.certificate.n_upper <= n_max
            assert result.best.looks == aim.best(near, asked).looks
            best = (result.best.en_p0, result.best.n)
            equals = {looks_text(one) for one in near if aim.equal((float(mine[one]), n_of(one)), best)}
            assert {looks_text(one) for one in (result.best, *result.ties)} == equals
        frontier, shown = lowest_by_n(mine), found.result(LEAST_EN).frontier
        assert [one.n for one in shown] == list(frontier)
        assert [one.en_p0 for one in shown] == pytest.approx([float(en) for en in frontier.values()], abs=1e-12)


@SMALL
def test_with_stops_for_efficacy_too_it_is_the_best_of_an_enumeration(asked, n_max):
    n_max = min(n_max, 8)
    met = enumerated(asked, n_max, efficacy=True)
    found = three_stage.search(asked, constraints=Constraints(stops="both", cap=n_max))
    least, fewest = min(met.values()), min(map(n_of, met))
    for aim in (LEAST_EN, LEAST_N):
        near = [
            design for design, en in met.items()
            if (n_of(design) == fewest if aim.smallest_n else en < least + Fraction(1, 10**6))
        ]  # fmt: skip
        result = found.result(aim)
        assert result.best.looks == aim.best(near, asked).looks
        assert result.certificate.how == "proved" or result.certificate.n_upper == n_max


CONSTRAINTS = {
    "r1": (Constraints(r1=1), lambda looks: looks[0].r == 1),
    "n1_least": (Constraints(n1_least=4), lambda looks: looks[0].n >= 4),
    "balanced": (
        Constraints(balanced=True),
        lambda looks: looks[2].n == 3 * looks[0].n and looks[1].n == 2 * looks[0].n,
    ),
    "multiple_of": (Constraints(multiple_of=2), lambda looks: not any(look.n % 2 for look in looks)),
    "cap": (Constraints(cap=11), lambda looks: looks[2].n <= 11),
    "looks_at": (Constraints(looks_at=(3, 7, 12)), lambda looks: [look.n for look in looks] == [3, 7, 12]),
}


@pytest.fixture(scope="module")
def wide():
    asked, _ = SETTINGS["wide"]
    return asked, enumerated(asked, 13)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_constraint_leaves_the_best_of_what_it_allows(name, wide):
    (asked, met), (constraints, allows) = wide, CONSTRAINTS[name]
    designs = [design for design in met if allows(design.looks)]
    found = three_stage.search(asked, constraints=constraints)
    for aim in (LEAST_EN, LEAST_N):
        assert found.result(aim).best.looks == aim.best(designs, asked).looks


def test_a_cap_that_ends_the_search_is_named_and_one_that_does_not_leaves_the_proof():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    free = three_stage.search(asked).result(LEAST_EN)
    low, high = (three_stage.search(asked, constraints=Constraints(cap=n)).result(LEAST_EN) for n in (26, 60))
    assert (low.certificate.how, low.certificate.cap, low.certificate.n_upper) == ("capped", 26, 26)
    assert low.certificate.bound <= free.best.en_p0 < low.certificate.value
    assert (high.certificate.how, high.best.looks) == ("proved", free.best.looks)


def test_stops_for_efficacy_never_cost_patients():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    futility, both = (three_stage.search(asked, constraints=Constraints(stops=stops)) for stops in ("futility", "both"))
    assert both.result(LEAST_EN).best.en_p0 < futility.result(LEAST_EN).best.en_p0
    assert both.result(LEAST_N).best.n < futility.result(LEAST_N).best.n
    assert both.result(LEAST_EN).certificate.how == "proved"


def test_what_leaves_no_design_or_is_not_possible_is_refused():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    for constraints, field in (
        (Constraints(cap=24), "cap"),
        (Constraints(looks_at=(5, 10, 15)), "looks_at"),
        (Constraints(looks_at=(10, 25)), "looks_at"),
        (Constraints(stops="efficacy"), "stops"),
        (Constraints(futility_optional=True), "futility_optional"),
    ):
        with pytest.raises(InputError, match=field):
            three_stage.search(asked, constraints=constraints)
    with pytest.raises(InputError, match="r1"):
        ensign.search(asked, constraints=Constraints(r1=2))


@pytest.mark.parametrize("limits", [(0.2, 0.4, 0.05, 0.8), (0.6, 0.8, 0.1, 0.9), (0.05, 0.25, 0.1, 0.9)], ids=str)
def test_no_random_design_is_better(limits):
    asked, rng = Requirements(*limits), np.random.default_rng(1)
    found = three_stage.search(asked)
    optimal, minimax = (found.result(aim).best for aim in (LEAST_EN, LEAST_N))
    frontier = {one.n: one.en_p0 for one in found.result(LEAST_EN).frontier}
    met = 0
    for _ in range(700):
        near = optimal if rng.random() < 0.5 else minimax
        looks = [(look.n + rng.integers(-3, 4), look.r + rng.integers(-1, 2)) for look in near.looks]
        (n1, r1), (n2, r2), (n3, r3) = looks
        if not (0 < n1 < n2 < n3 and 0 <= r1 < r2 < r3 and r1 < n1 and r2 < n2 and r3 < n3):
            continue
        design = parse_looks(f"{r1}/{n1},{r2}/{n2},{r3}/{n3}")
        if exact.meets(design, asked):
            met += 1
            least = min(en for n, en in frontier.items() if n <= n3)
            assert LEAST_EN.value(design, asked) > least - 1e-9  # far above what sums of 60 patients are off by
    assert met >= 2


def test_rows_in_many_blocks_give_the_same_as_in_one(monkeypatch):
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    whole = three_looks._search(asked, ThreeSizes())
    monkeypatch.setattr(three_scan, "HELD", 1000)
    parts = three_looks._search(asked, ThreeSizes())
    for aim in (LEAST_EN, LEAST_N):
        assert parts.result(aim).best.looks == whole.result(aim).best.looks
        assert parts.result(aim).certificate == whole.result(aim).certificate


def test_an_n_that_is_not_allowed_does_not_end_the_search():
    asked = Requirements(0.2, 0.4, 0.05, 0.8)
    sparse = Constraints(balanced=True, multiple_of=12)
    found = three_stage.search(asked, constraints=sparse).result(LEAST_EN)
    every = [
        design
        for r1 in range(5)
        for r2 in range(r1 + 1, 11)
        for r3 in range(max(r2 + 1, 9), 15)
        if exact.meets(design := MultiStage((Look(12, r1), Look(24, r2), Look(36, r3))), asked)
    ]
    assert found.best.looks == LEAST_EN.best(every, asked).looks
    assert found.certificate.how == "proved"
    assert found.best.en_p0 < 24, "so that no design whose first look is at 24 patients is better"
