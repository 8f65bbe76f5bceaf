"""Designs for response and toxicity: against a table, all sequences of patients, and all designs of small questions."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from simtrial import InputError
from simtrial.design.requirements import decimal
from simtrial.search import bryant_day
from simtrial.search.bryant_day import BothBounds, BothRates, text
from simtrial.search.bryant_day.extremes import extreme_recommends
from simtrial.search.bryant_day.law import law
from simtrial.search.bryant_day.limits import keeps, missed, recommend_fraction

KEYS = ("n1", "c_r1", "c_t1", "n", "c_r", "c_t")
RATES = ("r0", "r1", "t0", "t1", "alpha_r", "alpha_t", "power")
KNOWN = BothRates(r0=0.2, r1=0.4, t0=0.7, t1=0.85, alpha_r=0.15, alpha_t=0.15, power=0.8)
SMALL = [
    (0.25, 0.75, 0.25, 0.75, 0.125, 0.125, 0.75),  # dyadic, and the same for both endpoints
    (0.2, 0.6, 0.2, 0.6, 0.15, 0.15, 0.8),  # a tie of two designs
    (0.25, 0.7, 0.2, 0.65, 0.1, 0.1, 0.8),
    (0.2, 0.65, 0.6, 0.95, 0.25, 0.1, 0.8),
    (0.2, 0.65, 0.2, 0.55, 0.2, 0.1, 0.7),
]
"""Questions whose designs can all be enumerated in fractions."""


def asked_of(numbers):
    return BothRates(**dict(zip(RATES, numbers, strict=True)))


def rows(root):
    """Rows of the table with their question."""
    table = pd.read_csv(root / "tests/reference/families/bryant_day.csv")
    for row in table.to_dict("records"):
        yield BothRates(**{name: row[name] for name in RATES}), row


def bounds_of(row):
    return BothBounds(**{key: int(row[key]) for key in KEYS})


def some_design(rng, most=14):
    n1 = rng.randint(1, most - 1)
    n = rng.randint(n1 + 1, most)
    return BothBounds(
        n1=n1, n=n, c_r1=rng.randrange(n1), c_t1=rng.randrange(n1), c_r=rng.randrange(n), c_t=rng.randrange(n)
    )


def four(r, t, phi):
    """The four combinations as fractions, at an odds ratio of 0, 1 or infinity."""
    both = {0: max(Fraction(0), r + t - 1), 1: r * t, math.inf: min(r, t)}[phi]
    return {(1, 1): both, (1, 0): r - both, (0, 1): t - both, (0, 0): 1 - r - t + both}


def walked(design, r, t, phi):
    """P(recommend) and EN by every sequence of patients."""
    law_of_one = four(r, t, phi)
    recommend = en = Fraction(0)
    for patients in itertools.product(law_of_one, repeat=design.n):
        chance = math.prod(law_of_one[one] for one in patients)
        x1, y1 = (sum(one[k] for one in patients[: design.n1]) for k in (0, 1))
        x, y = (sum(one[k] for one in patients) for k in (0, 1))
        go_on = x1 > design.c_r1 and y1 > design.c_t1
        en += chance * (design.n if go_on else design.n1)
        recommend += chance * (go_on and x > design.c_r and y > design.c_t)
    return recommend, en


@pytest.mark.parametrize("phi", [0, 1, math.inf])
def test_the_law_is_that_of_all_sequences_of_patients(phi):
    rng = random.Random(4)
    for _ in range(6):
        design = some_design(rng, most=6)
        r, t = (Fraction(rng.randint(1, 9), 10) for _ in range(2))
        recommend, en = walked(design, r, t, phi)
        found = law(design, float(r), float(t), phi)
        assert float(found.recommend) == pytest.approx(float(recommend), abs=1e-14)  # sums of at most 4,096 terms
        assert float(found.en) == pytest.approx(float(en), abs=1e-13)
        assert recommend_fraction(design, float(r), float(t), phi) == recommend


def test_the_law_of_the_table_is_found_at_every_association(root):
    for asked, row in rows(root):
        r, t = zip(*(asked.at(corner) for corner in bryant_day.CORNERS), strict=True)
        found = law(bounds_of(row), r, t, float(row["phi"]))
        for k, corner in enumerate(bryant_day.CORNERS):
            # the table has ten digits
            assert found.recommend[k] == pytest.approx(row[f"recommend_{corner}"], rel=1e-9, abs=1e-12)
            assert found.en[k] == pytest.approx(row[f"en_{corner}"], rel=1e-9)


def test_the_strongest_associations_by_their_formula_are_those_of_the_recursion():
    rng = random.Random(5)
    for _ in range(200):
        design, r, t = some_design(rng), rng.uniform(0.01, 0.99), rng.uniform(0.01, 0.99)
        for phi in (0.0, math.inf):
            sizes, final = (design.n1, design.n - design.n1), (design.c_r, design.c_t)
            found = extreme_recommends(sizes, final, (r, t), phi)[design.c_r1 + 1, design.c_t1 + 1]
            assert found == pytest.approx(float(law(design, r, t, phi).recommend), abs=1e-12)


def test_recommendations_and_expected_patients_rise_with_the_association():
    rng = random.Random(6)
    ratios = [0, 0.01, 0.2, 0.7, 1, 1.5, 6, 100, math.inf]
    for _ in range(300):
        design = some_design(rng, most=20)
        found = law(design, rng.random(), rng.random(), ratios)
        assert (np.diff(found.recommend) >= -1e-13).all()  # 300 sums, each right to 1e-14
        assert (np.diff(found.go_on) >= -1e-13).all()
        assert (np.diff(found.en) >= -1e-12).all()


def test_the_law_takes_rates_at_the_ends_and_any_shape():
    design = BothBounds(n1=3, c_r1=0, c_t1=1, n=6, c_r=2, c_t=3)
    found = law(design, r=[[0.0], [1.0]], t=[1.0, 0.5, 0.0], phi=2.0)
    assert found.recommend.shape == (2, 3)
    assert found.recommend[0].tolist() == [0, 0, 0]
    assert (found.recommend[1, 0], found.en[1, 0], found.en[1, 2]) == (1, 6, 3)


def test_every_design_of_the_table_is_found_under_independence(root):
    tables = {}
    for asked, row in rows(root):
        if row["phi"] == 1:
            tables.setdefault(asked, []).append(row)
    assert len(tables) == 9
    for asked, (optimal, minimax) in tables.items():
        found = bryant_day.search(asked, phi="independence")
        assert (found.optimal.design, found.minimax.design) == (bounds_of(optimal), bounds_of(minimax))
        assert len(found.optimal_ties) + 1 == optimal["ties"]
        assert found.optimal.value == pytest.approx(max(optimal["en_R0T1"], optimal["en_R1T0"]), rel=1e-9)


def tails(design_sizes, r, t, phi):
    """How many ways lead to more than each pair of final bounds, for every pair of first bounds: whole numbers."""
    n1, n = design_sizes
    parts = four(r, t, phi)
    whole = math.lcm(*(part.denominator for part in parts.values()))
    steps = {step: int(part * whole) for step, part in parts.items()}

    def ways(size):
        state = {(0, 0): 1}
        for _ in range(size):
            moved = {}
            for (x, y), count in state.items():
                for (a, b), weight in steps.items():
                    moved[x + a, y + b] = moved.get((x + a, y + b), 0) + count * weight
            state = moved
        return state

    first, second = ways(n1), ways(n - n1)
    for c_r1, c_t1 in itertools.product(range(n1), repeat=2):
        total = np.zeros((n + 2, n + 2), dtype=object)
        go_on = 0
        for (x, y), count in first.items():
            if x > c_r1 and y > c_t1:
                go_on += count
                for (a, b), more in second.items():
                    total[x + a, y + b] += count * more
        above = total[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
        yield (c_r1, c_t1), Fraction(go_on, whole**n1), above, whole**n


def every(asked, phi, n_max):
    """Every design up to n_max that keeps the limits, with its criterion; in fractions, without any cut."""
    r0, r1, t0, t1, alpha_r, alpha_t, power = (decimal(getattr(asked, name)) for name in RATES)
    low, high = (0, math.inf) if phi == "worst" else (1, 1)
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            laws = [tails((n1, n), *at) for at in ((r0, t1, high), (r1, t0, high), (r1, t1, low))]
            for (first, go_r, a, whole_r), (_, go_t, b, whole_t), (_, _, c, whole) in zip(*laws, strict=True):
                # whole numbers keep a limit where they keep the whole number next to it
                most_a, most_b = math.floor(alpha_r * whole_r), math.floor(alpha_t * whole_t)
                kept = (a <= most_a) & (b <= most_b) & (c >= math.ceil(power * whole))
                places = np.argwhere(kept[first[0] + 2 : n + 1, first[1] + 2 : n + 1]).tolist()
                value = n1 + (n - n1) * max(go_r, go_t) if places else None
                for i, j in places:
                    c_r, c_t = first[0] + 1 + i, first[1] + 1 + j
                    yield value, BothBounds(n1=n1, c_r1=first[0], c_t1=first[1], n=n, c_r=c_r, c_t=c_t)


@pytest.mark.long
@pytest.mark.parametrize("phi", ["worst", "independence"])
@pytest.mark.parametrize("numbers", SMALL, ids=str)
def test_what_is_found_is_the_best_of_all_designs_beyond_the_proof(numbers, phi):
    asked = asked_of(numbers)
    found = bryant_day.search(asked, phi=phi)
    met = list(every(asked, phi, found.n_upper + 1))
    assert found.n_upper < 14, "chosen small enough to enumerate"
    least = min(value for value, _ in met)
    optimal = sorted((design for value, design in met if value == least), key=lambda design: design.order)
    assert [found.optimal.design, *(one.design for one in found.optimal_ties)] == optimal
    fewest = min(design.n for _, design in met)
    least = min(value for value, design in met if design.n == fewest)
    minimax = sorted((one for value, one in met if one.n == fewest and value == least), key=lambda one: one.order)
    assert [found.minimax.design, *(one.design for one in found.minimax_ties)] == minimax
    assert found.n_lower <= fewest
    assert found.optimal.value == pytest.approx(float(min(value for value, _ in met)), abs=1e-12)


@pytest.mark.parametrize("phi", ["worst", "independence"])
def test_no_design_near_the_best_is_better(phi):
    found = bryant_day.search(KNOWN, phi=phi)
    rng = random.Random(7)
    tried = 0
    for best in (found.optimal.design, found.minimax.design):
        for _ in range(400):
            moved = {key: getattr(best, key) + rng.randint(-3, 3) for key in KEYS}
            first = 0 <= moved["c_r1"] < moved["n1"] and 0 <= moved["c_t1"] < moved["n1"] < moved["n"]
            if not (first and moved["c_r1"] < moved["c_r"] and moved["c_t1"] < moved["c_t"] < moved["n"]):
                continue
            design = BothBounds(**moved)
            end = math.inf if phi == "worst" else 1
            en = law(design, [KNOWN.r0, KNOWN.r1], [KNOWN.t1, KNOWN.t0], end).en.max()
            if en < found.optimal.value - 1e-9 or design.n < found.minimax.design.n:
                tried += 1
                assert not keeps(design, KNOWN, phi)
    assert tried > 50


def test_what_is_found_keeps_its_limits_at_every_association():
    for numbers in [*SMALL, (0.1, 0.3, 0.7, 0.9, 0.1, 0.1, 0.9)]:
        asked = asked_of(numbers)
        found = bryant_day.search(asked)
        for one in (found.optimal, found.minimax):
            assert one.keeps
            for corner in ("R0T1", "R1T0", "R1T1"):
                chances = law(one.design, *asked.at(corner), [0, 0.1, 1, 3, 50, math.inf]).recommend
                assert chances.min() >= asked.power - 1e-12 or corner != "R1T1"
                assert chances.max() <= asked.limit(corner) + 1e-12 or corner == "R1T1"
                assert one.recommend()[corner] == (chances[0] if corner == "R1T1" else chances[-1])


def test_a_worst_case_design_is_never_better_than_one_under_independence():
    for numbers in SMALL:
        asked = asked_of(numbers)
        worst, free = (bryant_day.search(asked, phi=phi) for phi in ("worst", "independence"))
        assert worst.minimax.design.n >= free.minimax.design.n
        assert max(worst.optimal.en(1)["R0T1"], worst.optimal.en(1)["R1T0"]) >= free.optimal.value - 1e-9


def test_a_published_kind_of_design_breaks_its_limit_under_association():
    one = bryant_day.search(KNOWN, phi="independence").optimal
    assert str(one.design) == "3 and 12 of 17, 10 and 30 of 40"
    assert (one.missed(0), one.missed(1), one.missed(math.inf)) == ((), (), ("R1T0",))
    assert one.recommend(math.inf)["R1T0"] == pytest.approx(0.1544, abs=5e-5)  # section of methods, four digits
    assert one.recommend(0)["R1T1"] == pytest.approx(0.8003, abs=5e-5)
    assert "15.4% at an odds ratio of infinity, above 15%" in text.association(one)
    assert not one.keeps


@pytest.mark.parametrize("phi", ["worst", "independence"])
def test_a_design_that_stands_exactly_at_its_limit_is_kept_and_one_beyond_it_is_not(phi):
    # rates in quarters: the probabilities are decimals, all of whose digits a double can hold
    asked = BothRates(r0=0.25, r1=0.75, t0=0.5, t1=1 - 2**-3, alpha_r=0.4, alpha_t=0.4, power=0.5)
    design = bryant_day.search(asked, phi=phi).optimal.design
    end = math.inf if phi == "worst" else 1
    exactly = recommend_fraction(design, asked.r1, asked.t0, end)
    limit = float(exactly)
    assert decimal(limit) == exactly, "chosen so that the limit can be written"
    numbers = {name: getattr(asked, name) for name in RATES}
    at = bryant_day.search(BothRates(**numbers | {"alpha_t": limit}), phi=phi)
    assert at.optimal.design == design
    below = bryant_day.search(BothRates(**numbers | {"alpha_t": limit * (1 - 1e-12)}), phi=phi)
    assert below.optimal.design != design
    assert below.optimal.value >= at.optimal.value


def test_equal_designs_are_listed_and_the_smallest_bounds_taken():
    asked = BothRates(r0=0.3, r1=0.5, t0=0.75, t1=0.95, alpha_r=0.05, alpha_t=0.1, power=0.9)
    found = bryant_day.search(asked, phi="independence")
    assert [one.design.c_t for one in (found.optimal, *found.optimal_ties)] == [53, 54, 55, 56]
    # 5 + 2 P(X > 0; 5, 0.2) = 6 + P(X > 1; 6, 0.2): equal with different first looks, of which the smaller is taken
    other = bryant_day.search(asked_of(SMALL[1]))
    assert [str(one.design) for one in (other.optimal, *other.optimal_ties)] == [
        "0 and 0 of 5, 2 and 2 of 7", "1 and 1 of 6, 2 and 2 of 7",
    ]  # fmt: skip


def test_a_certificate_says_from_where_to_where_designs_were_looked_for():
    found = bryant_day.search(KNOWN)
    best, ties, proof = found.of("optimal")
    assert (best, ties) == (found.optimal, found.optimal_ties)
    assert (proof.how, proof.n_lower, proof.n_upper, proof.gap) == ("proved", found.n_lower, found.n_upper, 0)
    assert proof.n_lower <= found.minimax.design.n <= best.design.n <= proof.n_upper
    assert found.of("minimax")[2].n_upper == found.minimax.design.n


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"t0": 0.3, "t1": 0.15}, "rates of patients without toxicity, and t1 is the acceptable one; if rates of "
                                  "toxicity were given, write t0 = 0.7 and t1 = 0.85"),
        ({"t0": 0.85}, "t0 (0.85) is not below t1 (0.85)"),
        ({"r0": 0.5}, "r0 (0.5) is not below r1 (0.4)"),
        ({"alpha_r": 0.95}, "alpha_r (0.95) exceeds 0.5; did you mean 0.05 (1 - confidence level)?"),
        ({"power": 0.1}, "power (0.1) is not above alpha_r (0.15)"),
        ({"r0": 0.0, "t1": 85}, "t1 (85) is not strictly between 0 and 1; write 0.85 for 85%"),
        ({"t1": 0.71}, "t1 (0.71) is too near t0 (0.7): even the most powerful test of this endpoint alone needs"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(changed, said):
    numbers = {name: getattr(KNOWN, name) for name in RATES} | changed
    with pytest.raises(InputError) as caught:
        bryant_day.search(BothRates(**numbers))
    assert said in str(caught.value)


def test_a_search_ends_where_it_was_told_to():
    with pytest.raises(InputError, match=r"n_limit \(30\) is too small: no design with at most 30 patients"):
        bryant_day.search(KNOWN, n_limit=30)
    with pytest.raises(InputError, match="write worst or independence"):
        bryant_day.search(KNOWN, phi="1")
    with pytest.raises(InputError, match="write optimal or minimax"):
        bryant_day.search(KNOWN).of("best")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"n": 5}, "n (5) is not above n1 (5)"),
        ({"c_r1": 5}, "c_r1 (5) cannot be exceeded by 5 patients"),
        ({"c_t": 9}, "c_t (9) cannot be exceeded by 9 patients"),
        ({"c_t1": -1}, "c_t1 (-1) is below 0"),
    ],
)
def test_bounds_that_contradict_each_other_are_refused(numbers, said):
    with pytest.raises(InputError) as caught:
        BothBounds(**{"n1": 5, "c_r1": 1, "c_t1": 2, "n": 9, "c_r": 4, "c_t": 5} | numbers)
    assert said in str(caught.value)


def test_the_rule_is_stated_by_patients_without_and_with_toxicity():
    design = BothBounds(n1=17, c_r1=3, c_t1=12, n=40, c_r=10, c_t=30)
    said = text.rule(design)
    assert "at most 3 patients respond or at most 12 are without toxicity, which means that at least 5 have a" in said
    assert (
        "at least 11 respond and at least 31 are without toxicity, which means that at most 9 have a toxicity" in said
    )
    # the same by definition: 12 of 17 without toxicity stop, and so do 17 - 12 toxicities
    stops = [y <= design.c_t1 for y in range(design.n1 + 1)]
    assert stops == [design.n1 - y >= 5 for y in range(design.n1 + 1)]
    recommends = [y > design.c_t for y in range(design.n + 1)]
    assert recommends == [design.n - y <= 9 for y in range(design.n + 1)]


def test_rates_of_toxicity_that_were_probably_given_are_asked_about():
    assert text.toxicity(KNOWN) == "Toxicity rates: 30% is not acceptable, 15% is."
    assert text.reversed_rates(KNOWN) == ""
    turned = BothRates(r0=0.2, r1=0.4, t0=0.15, t1=0.3, alpha_r=0.15, alpha_t=0.15, power=0.8)
    assert "If rates of toxicity were given, write t0 = 0.7 and t1 = 0.85" in text.reversed_rates(turned)


def test_the_paragraph_for_the_protocol_holds_the_numbers_and_the_reference():
    said = " ".join(text.protocol(bryant_day.search(KNOWN).optimal).paragraphs)
    for part in (
        "In the first stage 17 patients are enrolled", "at most 3 of them respond or if at least 5 have a toxicity",
        "at least 12 of the 44 patients respond and at most 10 have a toxicity", "a toxicity rate of 30% is not",
        "at most 14.6% (limit 15%)", "whatever the association", "Biometrics 1995;51:1372-1383",
    ):  # fmt: skip
        assert part in said
    free = " ".join(text.protocol(bryant_day.search(KNOWN, phi="independence").optimal).paragraphs)
    assert "if the endpoints are independent. If the endpoints are associated, these limits may be exceeded" in free


def test_missed_limits_are_settled_in_fractions():
    design = bryant_day.search(KNOWN, phi="independence").optimal.design
    for phi in (0.0, 1.0, math.inf):
        found = [
            corner
            for corner, limit in (("R0T1", KNOWN.alpha_r), ("R1T0", KNOWN.alpha_t), ("R1T1", KNOWN.power))
            if (recommend_fraction(design, *KNOWN.at(corner), phi) > decimal(limit)) == (corner != "R1T1")
            and recommend_fraction(design, *KNOWN.at(corner), phi) != decimal(limit)
        ]
        assert set(missed(design, KNOWN, phi)) == set(found)
