"""The search of Lee and Liu's designs against a reference table and an enumeration of every threshold in fractions."""

import itertools
import json
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from sequences import rejecting

from simtrial import InputError, Requirements, looks_text
from simtrial.cli.app import main
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage
from simtrial.search.bayesian import lee_liu, lee_liu_bounds
from simtrial.search.bayesian.lee_liu_bounds import Sets, Watch
from simtrial.search.bayesian.posterior import BetaPrior, parse_prior, usual_prior
from simtrial.search.bayesian.predictive import Predictive
from simtrial.search.constraints import Constraints

PRINTED = 1e-9
"""The table prints ten digits."""


@pytest.fixture
def rows(reference):
    table = reference("families/bayesian")
    return table[table.family == "lee-liu search"].to_dict("records")


def found_by(asked, criterion, **constraints):
    return lee_liu.search(asked, constraints=Constraints(**constraints)).result(criterion)


def test_every_design_of_the_table_is_found_with_the_whole_range_of_its_threshold(rows):
    assert len(rows) == 11
    for row in rows:
        asked = Requirements(*(row[name] for name in ("p0", "p1", "alpha", "power")))
        prior = parse_prior(row["prior"].removeprefix("Beta(").removesuffix(")"))
        criterion = lee_liu.MOST_POWER if "most power" in row["criterion"] else lee_liu.LEAST_EN
        found = found_by(asked, criterion, prior=(prior.a, prior.b), first_look=int(row["first_look"]))
        assert looks_text(found.best) == row["looks"]
        values = [found.best.type_i_error, found.best.power, found.best.en_p0, found.best.en_p1]
        values += [found.best.pet_p0, found.best.pet_p1]
        names = ("type_i_error", "reject_p1", "en_p0", "en_p1", "pet_p0", "pet_p1")
        assert values == pytest.approx([row[name] for name in names], rel=PRINTED)
        theta_l = found.parameters.ranges[0]
        assert (theta_l.low, theta_l.high) == pytest.approx((row["theta_l_above"], row["theta_l_to"]), rel=PRINTED)
        assert (found.certificate.how, found.certificate.n_upper) == ("proved", row["N"])


@cache
def chance(prior, n, x, last, r):
    """P(X_N > r | x of n) patient by patient, in fractions."""
    if n == last:
        return Fraction(x > r)
    a, b = Fraction(repr(prior.a)), Fraction(repr(prior.b))
    hit = (a + x) / (a + b + n)
    return hit * chance(prior, n + 1, x + 1, last, r) + (1 - hit) * chance(prior, n + 1, x, last, r)


def every_rule(prior, looks):
    """Every rule at these looks with theta_U = 1, by its largest theta_L: (r, theta_L, design)."""
    *interim, last = looks
    for r in range(last):
        table = {(n, x): chance(prior, n, x, last, r) for n in interim for x in range(n + 1)}
        for theta in sorted({*table.values(), Fraction(1)}):
            lower = [sum(table[n, x] < theta for x in range(n + 1)) - 1 for n in interim]
            if any(bound >= n for bound, n in zip(lower, interim, strict=True)):
                continue
            rule = [Look(n, bound if bound >= 0 else None) for n, bound in zip(interim, lower, strict=True)]
            yield r, theta, MultiStage((*rule, Look(last, r)))


def expected(design, p):
    """EN(p) as a fraction, by walking patient by patient over the trials that have not stopped."""
    alive, total = {0: Fraction(1)}, Fraction(0)
    looks = {look.n: look for look in design.looks}
    for n in range(1, design.looks[-1].n + 1):
        total += sum(alive.values())
        moved = {}
        for x, share in alive.items():
            moved[x] = moved.get(x, 0) + share * (1 - p)
            moved[x + 1] = moved.get(x + 1, 0) + share * p
        futile = looks[n].r if n in looks else None
        alive = {x: share for x, share in moved.items() if futile is None or x > futile}
    return total


def best_by_enumeration(asked, prior, first_look, most):
    """Both designs from the definition: of every N in turn, every rule, in fractions."""
    p0, p1, alpha, power = (Fraction(repr(v)) for v in (asked.p0, asked.p1, asked.alpha, asked.power))
    floor, found = Fraction("0.001"), {}
    for last in range(1, most + 1):
        met = []
        for r, theta, design in every_rule(prior, (*range(first_look, last), last)):
            error, reject = rejecting(design, p0), rejecting(design, p1)
            if error <= alpha and reject >= power:
                met.append((r, theta, reject, expected(design, p0), design))
        floored = [one for one in met if one[1] >= floor]
        if met and "least_en" not in found:
            found["least_en"] = min(met, key=lambda one: (one[3], -one[0]))[4].looks
        if floored and "most_power" not in found:
            found["most_power"] = min(floored, key=lambda one: (-one[2], one[3], -one[0]))[4].looks
        if len(found) == 2:
            return found
    raise AssertionError("chosen small enough to enumerate")


SMALL = [
    (0.2, 0.6, 0.1, 0.8), (0.25, 0.75, 0.0625, 0.75), (0.1, 0.5, 0.05, 0.7), (0.5, 0.9, 0.25, 0.9),
    (0.3, 0.7, 0.2, 0.7), (0.1, 0.4, 0.15, 0.75),
]  # fmt: skip
BELIEFS = [None, (1.0, 1.0), (2.0, 0.5), (0.5, 5.0)]


@pytest.mark.parametrize("limits", SMALL, ids=str)
@pytest.mark.parametrize("prior", BELIEFS, ids=str)
@pytest.mark.parametrize("first_look", [1, 3])
def test_both_designs_are_the_best_of_every_threshold_and_every_final_bound_in_fractions(limits, prior, first_look):
    asked = Requirements(*limits)
    known = best_by_enumeration(asked, usual_prior(asked.p0) if prior is None else BetaPrior(*prior), first_look, 16)
    for criterion in lee_liu.FAMILY.criteria:
        found = found_by(asked, criterion, prior=prior, first_look=first_look)
        assert found.best.looks == known[criterion.kind], criterion.kind
        assert found.parameters.ranges


@pytest.mark.parametrize("together", [0.02, 0.05, 0.15, 4.0], ids=str)
def test_values_that_floating_point_would_not_tell_apart_are_told_apart_by_fractions(monkeypatch, together):
    cases = [
        (Requirements(0.2, 0.6, 0.1, 0.8), 1, None), (Requirements(0.2, 0.6, 0.1, 0.8), 1, (1.0, 1.0)),
        (Requirements(0.1, 0.4, 0.15, 0.75), 2, None), (Requirements(0.6, 0.8, 0.05, 0.8), 20, None),
        (Requirements(0.2, 0.4, 0.1, 0.9), 20, None),
    ]  # fmt: skip

    def answers():
        return [
            found_by(asked, criterion, prior=prior, first_look=first, cap=40).best.looks
            for asked, first, prior in cases
            for criterion in lee_liu.FAMILY.criteria
        ]

    known = answers()
    monkeypatch.setattr(lee_liu_bounds, "TOGETHER", together)
    monkeypatch.setattr(lee_liu, "at", lee_liu.at.__wrapped__)  # what is kept was found with the usual margin
    assert answers() == known


WATCHED = [
    (Requirements(0.6, 0.8, 0.05, 0.8), range(30, 36)), (Requirements(0.2, 0.4, 0.1, 0.9), range(29, 37)),
    (Requirements(0.2, 0.6, 0.1, 0.8), range(1, 12)),
]  # fmt: skip


@pytest.mark.parametrize("together", [exact.CLOSE, 0.1, 0.4], ids=str)
@pytest.mark.parametrize(("asked", "looks"), WATCHED, ids=str)
def test_the_ends_of_the_sets_that_keep_the_limits_are_those_of_a_scan_of_all(monkeypatch, asked, looks, together):
    prior = usual_prior(asked.p0)
    whole = Sets(Watch(asked, tuple(looks)), prior)
    kept = [
        [j for j in range(whole.most[i] + 1) if all_continue(whole, i, j) and exact.meets(whole.design(i, j), asked)]
        for i in range(len(whole.r))
    ]
    assert any(kept)
    monkeypatch.setattr(lee_liu_bounds, "TOGETHER", together)
    for floor in (0.001, 0.03):
        least = whole.first_with(floor)
        coarse = Sets(Watch(asked, tuple(looks)), prior)
        coarse.first_with(floor)
        last = coarse.last_kept()
        first = coarse.first_kept(coarse.first_with(floor), last.copy())
        for i, numbers in enumerate(kept):
            assert (last[i] >= 0) == bool(numbers)
            above = [j for j in numbers if j >= least[i]]
            if above:
                assert coarse.design(i, int(first[i])).looks == whole.design(i, above[0]).looks


def all_continue(sets, i, j):
    """Whether some count continues at each look of a set."""
    lower = sets.numbered[i].lower[j].tolist()
    return all(r < n for r, n in zip(lower, sets.watch.interim, strict=True))


@pytest.mark.parametrize("together", [exact.CLOSE, 0.3, 4.0], ids=str)
def test_the_set_of_a_threshold_has_the_bounds_of_the_rule(monkeypatch, together):
    monkeypatch.setattr(lee_liu_bounds, "TOGETHER", together)
    asked, looks = WATCHED[1][0], tuple(range(10, 37))
    rng = np.random.default_rng(4)
    for theta in [0.001, 0.000784576, *10 ** rng.uniform(-5, -1, 20)]:
        sets = Sets(Watch(asked, looks), usual_prior(0.2))
        found = sets.first_with(theta)
        for i, r in enumerate(sets.r.tolist()):
            futile = (Predictive(usual_prior(0.2), looks[:-1], 36, r).sides(theta) < 0).sum(axis=1) - 1
            if found[i] < sets.most[i]:
                assert sets.numbered[i].lower[found[i]].tolist() == futile.tolist()


def test_p_of_rejection_and_expected_patients_fall_as_the_threshold_rises():
    for prior, r in itertools.product((usual_prior(0.3), BetaPrior(1, 1)), (2, 4)):
        rules = [design for bound, _, design in every_rule(prior, (3, 4, 5, 6, 7, 8)) if bound == r]
        assert len(rules) > 5
        for p in (Fraction(3, 10), Fraction(6, 10)):
            for values in ([rejecting(d, p) for d in rules], [expected(d, p) for d in rules]):
                assert values == sorted(values, reverse=True)


def test_most_power_without_the_floor_is_had_by_never_stopping():
    asked = Requirements(0.2, 0.4, 0.1, 0.9)
    sets = Sets(Watch(asked, tuple(range(10, 37))), usual_prior(0.2))
    none = np.zeros(len(sets.r), dtype=np.int64)
    never, floored = sets.at(none, 0.4)[0], sets.at(sets.first_with(lee_liu.FLOOR), 0.4)[0]
    assert (never >= floored).all()
    assert never[sets.r == 10] > floored[sets.r == 10]
    assert {look.r for look in sets.design(0, 0).looks[:-1]} == {None}
    published = found_by(asked, lee_liu.MOST_POWER).best
    assert any(look.r is not None for look in published.looks[:-1])


def test_more_power_never_needs_fewer_patients_and_a_floor_never_fewer_than_none():
    for p0, p1 in ((0.1, 0.3), (0.3, 0.5), (0.6, 0.8)):
        sizes = []
        for power in (0.7, 0.8, 0.85, 0.9):
            asked = Requirements(p0, p1, 0.1, power)
            least, floored = (found_by(asked, criterion).best.n for criterion in lee_liu.FAMILY.criteria)
            assert least <= floored
            sizes.append(least)
        assert sizes == sorted(sizes)


def test_given_looks_are_searched_alone_and_refused_where_no_threshold_will_do():
    asked = Requirements(0.2, 0.4, 0.1, 0.9)
    found = found_by(asked, lee_liu.LEAST_EN, looks_at=(10, 20, 30, 40))
    rules = [design for _, _, design in every_rule(usual_prior(0.2), (10, 20, 30, 40)) if exact.meets(design, asked)]
    least = min(exact.operating_characteristics(design, [0.2]).en[0] for design in rules)
    assert found.best.en_p0 == pytest.approx(least, rel=1e-12)  # the same design, by the same sums
    with pytest.raises(InputError, match=r"looks_at \(last 35\) have no design that meets both limits"):
        found_by(asked, lee_liu.LEAST_EN, looks_at=(10, 20, 35))
    with pytest.raises(InputError, match=r"looks_at \(20\) is too few patients for any test"):
        lee_liu.search(asked, constraints=Constraints(looks_at=(10, 20)))


def test_a_cap_ends_the_search_and_too_many_looks_are_refused():
    asked = Requirements(0.3, 0.5, 0.1, 0.9)
    assert found_by(asked, lee_liu.LEAST_EN, cap=39).best.n == 39
    with pytest.raises(InputError, match=r"cap \(39\) is too small: no design with theta_L of 0.001 or more"):
        found_by(asked, lee_liu.MOST_POWER, cap=39)
    with pytest.raises(InputError, match=r"multiple_of \(1\) makes more than 200 looks at 457 patients"):
        found_by(Requirements(0.2, 0.25, 0.1, 0.9), lee_liu.LEAST_EN)
    found = found_by(Requirements(0.2, 0.4, 0.1, 0.9), lee_liu.LEAST_EN, multiple_of=4).best
    assert {look.n % 4 for look in found.looks} == {0}
    assert found.looks[0].n == 12


def test_a_floor_under_which_no_number_of_patients_will_do_is_refused_and_not_searched_for_ever():
    # with this prior a trial whose first patient does not respond is always stopped, and 0.6 of them do not at p1
    asked, prior = Requirements(0.2, 0.4, 0.05, 0.9), (0.5, 40.0)
    assert found_by(asked, lee_liu.LEAST_EN, prior=prior, first_look=1).best.n == 47
    with pytest.raises(InputError, match=r"cap \(71\) is the largest number of patients that was examined"):
        found_by(asked, lee_liu.MOST_POWER, prior=prior, first_look=1)


QUESTION = ["--p0", ".2", "--p1", ".4", "--alpha", ".1", "--power", ".9"]


def test_the_command_gives_the_design_with_its_thresholds(capsys):
    assert main(["design", *QUESTION, "--family", "lee_liu", "--json"]) == 0
    least, most = json.loads(capsys.readouterr().out)["designs"]
    assert (least["kinds"], most["kinds"]) == (["least_en"], ["most_power"])
    assert (least["n"], most["n"]) == (36, 36)
    assert most["parameters"]["prior"] == [0.2, 0.8]
    ranges = most["parameters"]["ranges"]
    assert ranges["theta_u"] == [1.0, 1.0]
    one = most["parameters"]["one"]
    assert one == {"theta_l": 0.001, "theta_t": 0.9, "theta_u": 1.0}
    # of the published strict inequalities theta_l includes its upper end, and theta_t its lower one
    thresholds = ((ranges["theta_l"][1], ranges["theta_t"][0]), (one["theta_l"], one["theta_t"]))
    looks_at = ",".join(str(look["n"]) for look in most["looks"])
    words = ["--rule", "lee_liu", "--looks-at", looks_at, "--p0", ".2", "--prior", ".2,.8"]
    for theta_l, theta_t in thresholds:
        assert main(["bounds", *words, "--theta-l", repr(theta_l), "--theta-t", repr(theta_t), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["looks"] == most["looks"]


def test_the_command_says_which_thresholds_lead_to_the_design(capsys):
    assert main(["design", *QUESTION, "--family", "lee_liu", "--criterion", "most_power"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "the bounds follow with the prior Beta(0.2, 0.8) from any theta_l above 0.0007846 and up to 0.001166, any "
        "theta_t from 0.8512 to below 0.9226 and theta_u = 1."
    ) in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--prior", ".2"], "--prior ('.2') is not a prior; write its two numbers a,b"),
        (["--prior", ".2,-1"], "--prior B (-1) is not above 0"),
        (["--first-look", "0"], "--first-look (0) is not a whole number from 1"),
        (["--first-look", "5", "--looks-at", "10,36"], "--looks-at, beside first-look, states every number"),
        (["--stops", "both"], "--stops is not possible for designs by predictive probability"),
        (["--weight", ".5"], "--weight is not possible for designs by predictive probability"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused_by_their_names(capsys, words, message):
    assert main(["design", *QUESTION, "--family", "lee_liu", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_rule_that_is_not_strict_is_asked_for_by_a_flag(capsys):
    words = ["bounds", "--rule", "lee_liu", "--looks-at", "10,25,30", "--p0", ".2", "--prior", ".2,.8"]
    words += ["--theta-l", "0", "--theta-t", ".9", "--json"]
    for more, bounds in (([], [None, None]), (["--not-strict"], [None, 4])):
        assert main([*words, *more]) == 0
        assert [look["r"] for look in json.loads(capsys.readouterr().out)["looks"]][:-1] == bounds
    assert main([*words, "--alpha", ".1"]) == 2
    assert "--alpha does not belong to lee_liu; leave it out" in capsys.readouterr().err
