"""Two targets: against a table and all rules of small questions."""

import math
from fractions import Fraction

import pandas as pd
import pytest

from simtrial import InputError
from simtrial.design.requirements import Requirements, decimal
from simtrial.search.branching.two_targets import TwoTargets, two_targets

SMALL = [
    (TwoTargets(asked=Requirements(0.2, 0.6, 0.15, 0.7), p2=0.8, power=0.9), 8),
    (TwoTargets(asked=Requirements(0.1, 0.5, 0.1, 0.75), p2=0.6, power=0.9), 8),
    (TwoTargets(asked=Requirements(0.3, 0.7, 0.2, 0.75), p2=0.8, power=0.85), 7),
]


def pmf(p, n):
    return [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]


def tail(r, n, p):
    return sum(pmf(p, n)[max(r + 1, 0) :], Fraction(0))


def least_of_all(question, cap):
    """The least EN(p0) of all rules, in fractions, without any cut."""
    rates = [decimal(p) for p in (question.asked.p0, question.asked.p1, question.p2)]
    alpha, *powers = (decimal(v) for v in (question.asked.alpha, question.asked.power, question.power))
    least = None
    for n1 in range(2, cap):
        first = [pmf(p, n1) for p in rates]

        def branches(xs, n1=n1, first=first):
            for n in range(n1 + 1, cap + 1):
                more = sum(first[0][x] for x in xs) * (n - n1)
                for r in range(xs[0] + n - n1):
                    yield (
                        more,
                        [sum(b[x] * tail(r - x, n - n1, p) for x in xs) for b, p in zip(first, rates, strict=True)],
                    )

        for s1 in range(n1 - 1):
            for q1 in range(s1 + 1, n1):
                lows, highs = list(branches(range(s1 + 1, q1 + 1))), list(branches(range(q1 + 1, n1 + 1)))
                for a, low in lows:
                    for b, high in highs:
                        if least is not None and n1 + a + b >= least:
                            continue
                        error, *found = (one + other for one, other in zip(low, high, strict=True))
                        if error <= alpha and all(one >= limit for one, limit in zip(found, powers, strict=True)):
                            least = n1 + a + b
    return least


@pytest.mark.parametrize(("question", "cap"), SMALL)
def test_no_rule_of_a_small_question_is_better(question, cap):
    found = two_targets(question, cap=cap)
    assert found.design.en_fraction(question.asked.p0) == least_of_all(question, cap)
    assert question.met(found.design)
    assert found.certificate.value == pytest.approx(float(found.design.at(question.asked.p0).en), abs=1e-12)


def test_the_rules_of_the_table_are_found(root):
    for row in pd.read_csv(root / "tests/reference/families/lin_shih.csv").to_dict("records"):
        asked = Requirements(row["p0"], row["p1"], row["alpha"], row["power_p1"])
        found = two_targets(TwoTargets(asked=asked, p2=row["p2"], power=row["power_p2"]), cap=int(row["n_cap"]))
        assert (found.s1, found.n1, found.q1) == (row["s1"], row["n1"], row["q1"])
        assert found.low == (row["n_if_low"], row["r"])
        # below q1 every bound of the second branch rejects whatever follows
        assert (found.high.n, max(found.high.r, found.q1)) == (row["n_if_high"], max(row["t"], row["q1"]))
        law = found.design.at([row["p0"], row["p1"], row["p2"]])
        printed = [row[name] for name in ("type_i_error", "reject_p1", "reject_p2", "en_p0", "en_p1", "en_p2")]
        assert [*law.reject.tolist(), *law.en.tolist()] == pytest.approx(printed, rel=1e-9)
        proof = found.certificate
        assert (proof.how, proof.cap) == ("capped", row["n_cap"])
        assert proof.bound < proof.value == pytest.approx(row["en_p0"], rel=1e-9)


def test_what_cannot_be_asked_is_refused_in_one_line():
    asked = Requirements(0.2, 0.6, 0.05, 0.8)
    with pytest.raises(InputError, match=r"p2 \(0\.5\) is not above p1 \(0\.6\)"):
        TwoTargets(asked=asked, p2=0.5, power=0.9)
    with pytest.raises(InputError, match=r"cap \(12\) is too small: no rule with at most 12 patients"):
        two_targets(TwoTargets(asked=asked, p2=0.65, power=0.99), cap=12)
