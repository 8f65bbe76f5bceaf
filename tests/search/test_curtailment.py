"""Curtailment against a reference table, against every sequence of outcomes, and against a recursion in fractions."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from simtrial import InputError, SingleStage, TwoStage, looks_text
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, parse_looks
from simtrial.search import rules
from simtrial.search.curtailment import curtail, watched

PRINTED = 1e-9
"""The table prints ten digits."""

RECURSIVE, PLAIN = "recursive (Law 2022)", "of the uncurtailed design (Lan 1982)"


@pytest.fixture
def rows(reference):
    table = reference("families/curtailment").to_dict("records")
    return [row for row in table if row["rule"] in ("stochastic", "non-stochastic", "non-stochastic, Simon")]


def asked_of(row):
    """The design of a row, and the parameters of its curtailment."""
    base = parse_looks(row["simon"]) if isinstance(row["simon"], str) else SingleStage(int(row["r"]), int(row["N"]))
    given = {"block": int(row["block"])}
    if row["rule"] == "stochastic":
        cp = {RECURSIVE: "recursive", PLAIN: "plain"}[row["conditional_power"]]
        given |= {"p1": row["p1"], "theta_f": row["theta_f"], "theta_e": row["theta_e"], "cp": cp}
    return base, given


def test_bounds_and_operating_characteristics_are_those_of_the_reference(rows):
    designs = [row for row in rows if isinstance(row["looks"], str)]
    assert len(designs) > 110
    for row in designs:
        base, given = asked_of(row)
        design = curtail(base, **given)
        assert looks_text(design) == row["looks"], row
        assert design.looks[-1].n == row["effective_max"]
        oc = exact.operating_characteristics(design, [row["p0"], row["p1"]])
        for values, names in (
            (oc.reject, ("type_i_error", "reject_p1")),
            (oc.en, ("en_p0", "en_p1")),
            (oc.pet, ("pet_p0", "pet_p1")),
        ):
            assert values == pytest.approx([row[name] for name in names], rel=PRINTED)


def test_a_design_that_always_ends_at_its_first_look_is_refused(rows):
    corners = [row for row in rows if isinstance(row["corner"], str)]
    assert corners
    for row in corners:
        base, given = asked_of(row)
        with pytest.raises(InputError, match="would end every trial at its first look"):
            curtail(base, **given)


BASES = [
    SingleStage(2, 7),
    SingleStage(0, 5),
    SingleStage(5, 6),
    TwoStage(0, 3, 2, 8),
    TwoStage(1, 4, 3, 8, e1=4),
    MultiStage((Look(2, None, 2), Look(5, 1, 4), Look(8, 3))),
    MultiStage((Look(3, 1), Look(5, None, 4), Look(8, 4))),
]


def decision(design, outcomes):
    """Where a design ends for one sequence of outcomes: (patients, whether it rejects)."""
    for k, look in enumerate(design.looks):
        x = sum(outcomes[: look.n])
        final = k == len(design.looks) - 1
        if look.r is not None and x <= look.r:
            return look.n, False
        if final or (look.e is not None and x >= look.e):
            return look.n, True
    raise AssertionError


@pytest.mark.parametrize("base", BASES, ids=looks_text)
@pytest.mark.parametrize("block", [1, 2, 3])
def test_non_stochastic_curtailment_ends_every_trial_at_the_first_look_at_which_its_decision_is_certain(base, block):
    last = base.looks[-1].n
    curtailed = curtail(base, block=block)
    looks = watched(base, block)
    for outcomes in product((0, 1), repeat=last):
        _, wanted = decision(base, outcomes)
        first = next(
            n
            for n in looks
            if len({decision(base, (*outcomes[:n], *rest))[1] for rest in product((0, 1), repeat=last - n)}) == 1
        )
        assert decision(curtailed, outcomes) == (min(first, decision(base, outcomes)[0]), wanted)


@pytest.mark.parametrize("base", BASES, ids=looks_text)
def test_non_stochastic_curtailment_keeps_every_probability_of_rejection_and_needs_fewer_patients(base):
    p = np.linspace(0.05, 0.95, 7)
    before, after = (exact.operating_characteristics(one, p) for one in (base, curtail(base)))
    for rate in (Fraction(1, 10), Fraction(2, 5)):
        assert exact.reject_fraction(base, rate) == exact.reject_fraction(curtail(base), rate)
    assert (after.en < before.en).all()


def by_fractions(base, p1, looks, theta_f, theta_e, cp):
    """P(reject) and EN at p1 of a stochastically curtailed design: one recursion over states, in fractions."""
    own = {look.n: look for look in base.looks}
    last = looks[-1]

    def ends(n, x):
        look = own.get(n)
        if look is not None:
            if look.r is not None and x <= look.r:
                return 0
            if n == last or (look.e is not None and x >= look.e):
                return 1
        return None

    def ahead(value, n, x):
        later = next(m for m in looks if m > n)
        added = later - n
        return sum(
            math.comb(added, y) * p1**y * (1 - p1) ** (added - y) * value(later, x + y) for y in range(added + 1)
        )

    known = {}

    def plain(n, x):
        if ("plain", n, x) not in known:
            end = ends(n, x)
            known["plain", n, x] = ahead(plain, n, x) if end is None else Fraction(end)
        return known["plain", n, x]

    def power(n, x):
        """With all stops; 0 and 1 are where the trial ends."""
        if (n, x) not in known:
            end = ends(n, x)
            if end is None:
                raw = ahead(power if cp == "recursive" else plain, n, x)
                end = 0 if raw == 0 or raw < theta_f else 1 if raw == 1 or raw > theta_e else None
            known[n, x] = (Fraction(end), True) if end is not None else (ahead(power_of, n, x), False)
        return known[n, x][0]

    power_of = power

    def patients(n, x):
        power(n, x)
        return Fraction(n) if known[n, x][1] else ahead(patients, n, x)

    first = looks[0]
    start = [math.comb(first, x) * p1**x * (1 - p1) ** (first - x) for x in range(first + 1)]
    return (
        sum(chance * power(first, x) for x, chance in enumerate(start)),
        sum(chance * patients(first, x) for x, chance in enumerate(start)),
    )


@pytest.mark.parametrize("cp", ["recursive", "plain"])
@pytest.mark.parametrize(
    "base",
    [*(one for one in BASES if one != SingleStage(5, 6)), SingleStage(4, 12), TwoStage(1, 5, 4, 13)],
    ids=looks_text,
)
def test_stochastic_curtailment_is_the_recursion_in_fractions(base, cp):
    compared = 0
    for p1, theta_f, theta_e, block in (
        ("0.5", "0.25", "0.9375", 1),  # dyadic: conditional powers that equal a threshold
        ("0.3", "0.1", "0.95", 1),
        ("0.4", "0.3", "0.9", 2),
        ("0.6", "0", "1", 3),
    ):
        rate, lower, upper = Fraction(p1), Fraction(theta_f), Fraction(theta_e)
        wanted = by_fractions(base, rate, watched(base, block), lower, upper, cp)
        try:
            found = curtail(base, float(rate), theta_f=float(lower), theta_e=float(upper), block=block, cp=cp)
        except InputError:
            assert wanted[1] == watched(base, block)[0] or wanted[0] in (0, 1)
            continue
        oc = exact.operating_characteristics(found, float(rate))
        assert (float(oc.reject), float(oc.en)) == pytest.approx([float(one) for one in wanted], rel=1e-12)
        compared += 1
    assert compared >= 2


def test_a_conditional_power_equal_to_a_threshold_stops_nobody():
    # of 5/25 with blocks of 5, 3 of 20 need 3 more of 5: P = .16308 at p1 = .3, exactly
    at, over = (
        looks_text(curtail(SingleStage(5, 25), 0.3, theta_f=theta, block=5)) for theta in (0.16308, 0.163080000001)
    )
    assert ",2:6/20," in at
    assert ",3:6/20," in over
    # and of 0/1 of 3 at p1 = 1/2, CP(1, 0) = 3/4
    assert looks_text(curtail(SingleStage(0, 3), 0.5, theta_e=0.75)) == ":1/1,:1/2,0/3"
    with pytest.raises(InputError, match="first look"):
        curtail(SingleStage(0, 3), 0.5, theta_e=0.7499999)


def test_a_bound_for_futility_stands_at_later_looks():
    shown = looks_text(curtail(TwoStage(7, 11, 30, 43)))
    assert shown.startswith("0/4,1/5,2/6,3/7,4/8,5/9,6/10,7/11,8/21,")
    lower = [look.r for look in curtail(TwoStage(3, 5, 4, 12), 0.4, theta_e=0.9).looks if look.r is not None]
    assert lower == sorted(lower)
    assert len(lower) > 3


def test_the_largest_number_of_patients_can_be_below_n():
    design = curtail(SingleStage(1, 8), 0.3, theta_f=0.3, theta_e=0.75)
    assert looks_text(design) == ":1/1,:1/2,:1/3,0/4"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"theta_f": 0.2}, "p1 is missing"),
        ({"p1": 0.3, "theta_f": 0.6, "theta_e": 0.5}, r"theta_f \(0.6\) is above theta_e \(0.5\)"),
        ({"p1": 0.3, "theta_f": 1.2}, r"theta_f \(1.2\)"),
        ({"block": 0}, r"block \(0\)"),
        ({"p1": 0.3, "theta_e": 0.9, "cp": "other"}, r"cp \('other'\) is unknown; write recursive or plain"),
    ],
)
def test_parameters_that_cannot_be_are_refused(given, said):
    with pytest.raises(InputError, match=f"^{said}"):
        curtail(SingleStage(5, 25), **given)


def left(base, p1, **given):
    """What is left of a design, if anything is."""
    try:
        return curtail(base, p1, **given)
    except InputError:
        return None


def test_thresholds_leave_a_design_that_can_decide_both_ways_or_are_refused():
    kept = refused = 0
    for r, n, block, theta_f, theta_e, cp in product(
        (0, 2, 4), (6, 9), (1, 2, 3), (None, 0.3, 0.9), (None, 0.6, 0.9), ("recursive", "plain")
    ):
        if None in (theta_f, theta_e) or theta_f <= theta_e:
            given = {"theta_f": theta_f, "theta_e": theta_e, "block": block, "cp": cp}
            design = left(SingleStage(r, n), 0.4, **given)
            if design is None:
                with pytest.raises(InputError, match="would end every trial at its first look"):
                    curtail(SingleStage(r, n), 0.4, **given)
                refused += 1
            else:
                assert 0 < exact.operating_characteristics(design, 0.4).reject < 1
                kept += 1
    assert kept > 100
    assert refused > 10


def test_rules_are_found_by_their_keys():
    assert looks_text(rules.bounds_by("curtailed", base="5/25", block=5)) == ":6/10,:6/15,0:6/20,5/25"
    assert looks_text(rules.bounds_by("fleming", looks_at=(15, 25), p0=0.2, alpha=0.05)) == "3:7/15,8/25"
    with pytest.raises(InputError, match=r"rule .* is unknown; write fleming, curtailed, lee_liu, bop2 or thall_simon"):
        rules.bounds_by("bop")
    with pytest.raises(InputError, match="alpha is missing"):
        rules.bounds_by("fleming", looks_at=(15, 25), p0=0.2)
    with pytest.raises(InputError, match="theta_u is not a parameter of the rule curtailed"):
        rules.bounds_by("curtailed", base="5/25", theta_u=0.9)
