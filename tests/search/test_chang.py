"""Chang's criterion against a reference table and against every rule at small looks."""

from itertools import product

import pytest

from simtrial import InputError, Requirements, looks_text, search
from simtrial.design import exact
from simtrial.design.designs import Look
from simtrial.search import chang
from simtrial.search.aim import TIE, Aim
from simtrial.search.constraints import Constraints
from simtrial.search.given import design_of

PRINTED = 1e-9
"""The table prints ten digits."""


def at(asked, *looks_at, aim=chang.MEAN):
    return chang.search(asked, constraints=Constraints(looks_at=looks_at)).result(aim)


@pytest.fixture
def rows(reference):
    return reference("families/chang").to_dict("records")


def test_designs_values_and_tied_final_bounds_are_those_of_the_reference(rows):
    designs = [row for row in rows if isinstance(row["looks"], str)]
    assert len(designs) == 26
    for row in designs:
        asked = Requirements(row["p0"], row["p1"], row["alpha"], row["power"])
        found = at(asked, row["n1"], row["n1"] + row["n2"])
        assert looks_text(found.best) == row["looks"]
        assert [found.best.r, *(one.r for one in found.ties)] == [int(r) for r in row["final_r_tied"].split()]
        best = found.best
        for value, name in (
            (found.certificate.value, "value"),
            (best.type_i_error, "type_i_error"),
            (best.power, "reject_p1"),
            (best.en_p0, "en_p0"),
            (best.en_p1, "en_p1"),
        ):
            assert value == pytest.approx(row[name], rel=PRINTED)


def test_looks_without_a_rule_are_refused_with_the_limit_that_is_out_of_reach(rows):
    without = [row for row in rows if row["corner"] == "infeasible"]
    assert len(without) == 26
    for row in without:
        with pytest.raises(InputError, match=r"^power .*(is out of reach|is not reached by any rule) with looks after"):
            at(
                Requirements(row["p0"], row["p1"], row["alpha"], row["power"]),
                row["n1"],
                row["n1"] + row["n2"],
            )


def every(looks_at):
    """Every rule at the looks that can stop before the last, written as the search writes it."""
    *early, last = looks_at
    found = set()
    for bounds in product(*(list(product(range(-1, n), range(n + 2))) for n in early)):
        looks, low, high, before = [], 0, 0, 0
        for n, (r, e) in zip(early, bounds, strict=True):
            high += n - before
            before = n
            lower, upper = (r if r >= low else None), (e if e <= high else None)
            stays = [x for x in range(low, high + 1) if (lower is None or x > r) and (upper is None or x < e)]
            if not stays or (upper is not None and e < (r if lower is not None else low - 1) + 2):
                break
            low, high = stays[0], stays[-1]
            if lower is not None or upper is not None:
                looks.append(Look(n, lower, upper))
        else:
            least = max((look.r for look in looks if look.r is not None), default=-1) + 1
            found |= {(*looks, Look(last, r)) for r in range(least, last)} if looks else set()
    return [design_of(looks) for looks in found]


SMALL = [
    ((0.2, 0.6, 0.1, 0.8), (5, 10)),
    ((0.25, 0.75, 0.0625, 0.75), (4, 7)),  # dyadic: limits that rules can meet exactly
    ((0.5, 0.9, 0.25, 0.9), (3, 8)),
    ((0.2, 0.7, 0.1, 0.8), (2, 4, 7)),
    ((0.25, 0.75, 0.0625, 0.75), (3, 5, 7)),
    ((0.3, 0.8, 0.15, 0.8), (1, 4, 6)),
]


@pytest.mark.parametrize(("limits", "looks_at"), SMALL, ids=str)
@pytest.mark.parametrize("aim", [chang.MEAN, Aim.between(0.9), Aim(en_p0=1.0)], ids=lambda aim: aim.what)
def test_the_search_finds_the_least_of_all_rules_and_every_tie(limits, looks_at, aim):
    asked = Requirements(*limits)
    met = [(aim.value(design, asked), design) for design in every(looks_at) if exact.meets(design, asked)]
    least = min(value for value, _ in met)
    tied = sorted(
        (design for value, design in met if value <= least + TIE / 2), key=lambda design: chang.order(design, least)
    )
    found = at(asked, *looks_at, aim=aim)
    assert [one.looks for one in (found.best, *found.ties)] == [design.looks for design in tied]
    assert found.certificate.value == pytest.approx(least, abs=TIE / 10)
    assert (found.certificate.how, found.certificate.gap) == ("proved", 0)


def test_of_equal_rules_the_one_with_the_most_power_is_taken():
    found = at(Requirements(0.3, 0.5, 0.05, 0.8), 25, 50)
    assert looks_text(found.best) == "9:13/25,20/50"
    assert [looks_text(one) for one in found.ties] == ["9:13/25,21/50"]
    assert found.best.power > found.ties[0].power
    assert found.best.en_p0 == pytest.approx(found.ties[0].en_p0, abs=TIE)


def test_a_third_look_never_makes_the_mean_larger():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    two, three = at(asked, 15, 30), at(asked, 15, 23, 30)
    assert three.certificate.value < two.certificate.value


def test_without_looks_no_smaller_even_n_has_a_rule_at_two_equal_looks():
    for limits in ((0.1, 0.3, 0.05, 0.8), (0.3, 0.5, 0.1, 0.9), (0.2, 0.6, 0.1, 0.8)):
        asked = Requirements(*limits)
        n = search.family(asked, "chang_mean").best.n
        for smaller in range(2, n, 2):
            with pytest.raises(InputError):
                at(asked, smaller // 2, smaller)


@pytest.mark.parametrize("looks_at", [(30,), (5, 10, 15, 20)])
def test_another_number_of_looks_is_refused(looks_at):
    with pytest.raises(InputError, match="are not 2 or 3 looks"):
        at(Requirements(0.1, 0.3, 0.05, 0.8), *looks_at)


def test_the_largest_expected_number_is_not_weighed():
    with pytest.raises(InputError, match="weigh EN"):
        at(Requirements(0.1, 0.3, 0.05, 0.8), 15, 30, aim=Aim(en_max=1.0))


def test_three_looks_at_more_patients_than_can_be_searched_are_refused_at_once():
    with pytest.raises(InputError, match="too many patients for three looks"):
        at(Requirements(0.5, 0.55, 0.05, 0.9), 800, 1600, 2400)
