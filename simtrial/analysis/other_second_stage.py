"""A second stage of another size than the table says: more patients (overrunning) or fewer (underrunning).

After X1 = x of the first n1 patients the table has the conditional error A(x) = P_p0(reject H0 | X1 = x). If m patients
are analysed in the second stage in place of n2(x), and y of them respond, then

    reject H0 iff q <= A(x),  with q = P_p0(X2 >= y; m).                                                        [1]_

The type I error is kept. Given X1 = x and m, q is a p-value: P_p0(q <= a) <= a for every a. So

    P_p0(reject H0) = E P_p0(q <= A(X1) | X1, m) <= E A(X1),

the type I error of the table, whatever decides about m, as long as it does not look at the responses of the second
stage. Where A never falls as x rises, the same holds for every p <= p0: q is no smaller in law than at p0, and E_p
A(X1) <= E_p0 A(X1). With m = n2(x) the rule is that of the table. With m = 0, q = 1, and H0 is not rejected unless A(x)
is 1. A table that stops has A = 0 or 1, so that patients analysed after the stop change nothing.

The p-value is that of the nested conditional errors A_t of `conditional_order`: with t the rate at which A_t(x) = q,

    F = sum over x' of b(x'; n1, p0) A_t(x').                                                                   [2]_

F is at most the type I error of the table iff q <= A(x), and P_p0(F <= u) <= u, as {F <= u} is {q <= A_s(X1)} for the s
whose sum is u. At a planned size it is not smaller than the probability of the outcomes as high or higher, as q takes
only some values: that probability is the p-value there.

Read as a function of p, with q and b at p and t such that A_t(x) = q, F is the p-value of each p as the null
hypothesis. The rates at which F exceeds a share, and 1 - F with q = P_p(X2 > y; m) does, make a confidence interval,
and F = 1/2 gives the median unbiased estimate.

References
----------
.. [1] Englert S, Kieser M. Methods for proper handling of overrunning and underrunning in phase II designs for oncology
   trials. Stat Med 2015;34:2128-2137.
.. [2] Koyama T, Chen H. Proper inference from Simon's two-stage designs. Stat Med 2008;27:3145-3154.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.analysis.conditional_order import second_stage_tail
from simtrial.design.binomial import binomial_pmf, tail_fraction
from simtrial.design.exact import signs
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.numbers import count, probability

if TYPE_CHECKING:
    from fractions import Fraction

    from simtrial.design.branching import Branching


def rejects_at(design: Branching, p0: float, first: int, n2: int, x2: int) -> bool:
    """Whether H0 is rejected after a second stage of any size: iff its own p-value is at most the conditional error.

    Parameters
    ----------
    design : Branching
        The table.
    p0 : float
        Response rate under H0.
    first : int
        Responses of the first stage.
    n2, x2 : int
        Patients analysed in the second stage, and responses among them.

    Raises
    ------
    InputError
        If the numbers cannot be.

    Examples
    --------
    >>> from simtrial.design.branching import parse_branching
    >>> table = parse_branching("0:A|1:10/2|2:R")
    >>> [rejects_at(table, 0.1, 1, n2, 2) for n2 in (5, 10, 16)]
    [True, True, False]
    """
    x1, more, found = count(first, "first_stage"), count(n2, "n2"), count(x2, "x2")
    if x1 > design.n1:
        raise InputError(f"({x1}) is above {design.n1}, the number of patients of the first stage", "first_stage")
    if found > more:
        raise InputError(f"({found}) is above {more}, the number of patients of the second stage", "x2")
    p0 = probability(p0, "p0")
    row = design.after[x1]
    if not isinstance(row, SecondStage):
        return row == "reject"
    limit = float(design.conditional(p0)[x1])
    tail = second_stage_tail(more, found, p0)

    def gap() -> Fraction:
        return tail_fraction(found - 1, more, p0) - tail_fraction(row.r - x1, row.n2, p0)

    return bool(signs(tail, limit, gap) <= 0)


def p_value_at(design: Branching, p: float, first: int, n2: int, x2: int, *, strictly: bool = False) -> float:
    """F at the head of this module for a row that goes on; with q = P_p(X2 > x2) if `strictly`."""
    from scipy import special

    row = design.after[first]
    assert isinstance(row, SecondStage)  # another has no second stage
    c = row.r - first
    tail = second_stage_tail(n2, x2 + strictly, p)
    below = 1.0 - tail if tail < 0.5 else float(special.bdtr(x2 + strictly - 1, n2, p)) if x2 + strictly > 0 else 0.0
    if c < 0:
        t = 0.0
    elif tail < 0.5:
        t = float(special.betaincinv(c + 1, row.n2 - c, tail))
    else:
        t = 1.0 - float(special.betaincinv(row.n2 - c, c + 1, below))
    return float((binomial_pmf(design.n1, p) * design.conditional(t)).sum())
