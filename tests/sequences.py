"""Exact probabilities of any looks, by counting sequences of responses: enumerations of designs are held to them."""

import math
from fractions import Fraction

from simtrial.design.branching import Branching


def rejections(design):
    """How many sequences of responses end each way that rejects H0: (patients, responses, sequences)."""
    if isinstance(design, Branching) or isinstance(getattr(design, "design", None), Branching):
        return rejections_of_table(getattr(design, "design", design))
    alive, ends, before = {0: 1}, [], 0
    for k, look in enumerate(design.looks):
        size, last = look.n - before, k == len(design.looks) - 1
        met = {}
        for x, ways in alive.items():
            for y in range(size + 1):
                met[x + y] = met.get(x + y, 0) + ways * math.comb(size, y)
        ends += [
            (look.n, x, ways)
            for x, ways in met.items()
            if (look.e is not None and x >= look.e) or (last and x > look.r)
        ]
        alive = {
            x: ways for x, ways in met.items()
            if (look.r is None or x > look.r) and (look.e is None or x < look.e)
        }  # fmt: skip
        before = look.n
    return ends


def rejections_of_table(design):
    """The same of a design whose second stage depends on the first."""
    ends = []
    for x, row in enumerate(design.after):
        if row == "reject":
            ends.append((design.n1, x, math.comb(design.n1, x)))
        elif row != "accept":
            n = design.n1 + row.n2
            ends += [
                (n, x + y, math.comb(design.n1, x) * math.comb(row.n2, y)) for y in range(row.n2 + 1) if x + y > row.r
            ]
    return ends


def weighed(ends, p):
    """Their probability as a fraction; all but the last division is of whole numbers, which is fast."""
    yes, whole = p.numerator, p.denominator
    no, most = whole - yes, max((n for n, _, _ in ends), default=0)
    return Fraction(sum(ways * yes**x * no ** (n - x) * whole ** (most - n) for n, x, ways in ends), whole**most)


def rejecting(design, p):
    """P(reject H0) of any looks by counting sequences of responses, as a fraction."""
    return weighed(rejections(design), p)


def meets(design, asked):
    """Whether a design keeps both limits, in fractions of the decimals that are asked for."""
    p0, p1, alpha, power = (Fraction(repr(v)) for v in (asked.p0, asked.p1, asked.alpha, asked.power))
    ends = rejections(design)
    return weighed(ends, p0) <= alpha and weighed(ends, p1) >= power
