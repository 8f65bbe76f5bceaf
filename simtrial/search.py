"""Complete search for single-stage and two-stage designs, each answer with the proof that nothing better exists.

Why the two-stage search is complete without visiting every design
-------------------------------------------------------------------
Write X for the responses among n patients, X1 for those among the first n1, and Loss_p = P_p(X1 <= r1, X > r) for
what the interim look takes away: P_p(reject) = P_p(X > r) - Loss_p.

1. *r1 is solved for, not searched.* With n, n1 and r given, a larger r1 lowers EN(p0) and the type I error and costs
   power only. So the largest r1 that keeps the power, Loss_p1 <= P_p1(X > r) - power, is best in every respect, and
   if it breaks alpha every smaller r1 does.
2. *r has a window.* P_p1(X > r) >= power bounds r above. Below, Loss_p0 <= LR(r + 1) Loss_p1, where
   LR(s) = b(s; n, p0)/b(s; n, p1) falls in s, so a design needs
   P_p0(X > r) - alpha <= LR(r + 1) (P_p1(X > r) - power). An n with an empty window is one at which even the
   randomised most powerful level-alpha test lacks the power (Neyman and Pearson [1]_): this gives ``n_lower``.
3. *n1 has a window, and n has an end.* PET(p0) <= PETmax(n1), the P_p0(X1 <= r1) of the largest r1 with
   P_p1(X1 <= r1) <= 1 - power, so EN(p0) >= n1 + (1 - PETmax(n1)) (n - n1), which grows with n. Once it passes the
   best EN found for every n1, no larger n can win: this gives ``n_upper``.

Comparisons closer than ``exact.CLOSE`` are settled in exact fractions.

Ties
----
Optimal: least EN(p0), then fewest n. Minimax: fewest n, then least EN(p0). Designs equal in both differ in n1, r1 or
r: the smaller n1 is taken, then the larger r, which has the smaller type I error. r1 < r throughout: with r1 = r the
second stage cannot change the decision, so such a design is a single stage in disguise.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
.. [2] Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
.. [3] Jung SH, Lee T, Kim KM, George SL. Admissible two-stage designs for phase II cancer clinical trials. Stat Med
   2004;23:561-569.
.. [4] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
.. [5] Hoeffding W. Probability inequalities for sums of bounded random variables. J Am Stat Assoc 1963;58:13-30.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from simtrial import exact
from simtrial.designs import Design, Look, SingleStage, TwoStage, count
from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.requirements import Requirements

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_LIMIT = 2_000
"""Default limit on n: a request whose Neyman-Pearson bound lies above it is refused."""

N_LIMIT_MOST = 5_000
"""Largest limit that may be asked for: the tables of such a search take about 1.5 GB."""

_SLACK = exact.CLOSE / 10
"""Kept on the safe side of every cut: table entries are off by less than 1e-11 for n up to 5,000 (tested)."""


_EN_SLACK = 1e-8
"""The same for expected numbers of patients, which are up to 5,000 times a table entry."""


class _Tables:
    """Binomial tables at p0 and p1 for every n up to `n_max`: rows n, columns x.

    Attributes
    ----------
    pmf : ndarray, shape (2, n_max + 1, columns)
        b(x; n, p), p0 first.
    padded : ndarray, shape (2, n_max + 1, PAD + columns)
        P(X > x; n, p) for x from -PAD, where it is 1; `tail` is its part from x = 0.
    possible : ndarray of bool, shape (n_max + 1,)
        Whether the randomised most powerful level-alpha test of n patients has the power.
    r_alpha, r_high : ndarray of int, shape (n_max + 1,)
        Smallest r with P(X > r; p0) <= alpha; largest r with P(X > r; p1) >= power, or -1.
    rest : ndarray, shape (n_max + 1,)
        1 - PETmax(n1).
    """

    PAD = 32

    def __init__(self, requirements: Requirements, n_max: int) -> None:
        self.n_max = n_max
        p0, p1, power = requirements.p0, requirements.p1, requirements.power
        # P(X > r; p1) >= power bounds every column that is needed, by the one-sided Chebyshev inequality
        highest = n_max * p1 + math.sqrt(n_max * p1 * (1 - p1) * (1 - power) / power)
        columns = min(n_max + 1, math.ceil(highest) + 2)
        n = np.arange(n_max + 1)
        x = np.arange(columns)
        log_factorial = np.zeros(n_max + 1)
        np.cumsum(np.log(n[1:]), out=log_factorial[1:])
        failures = n[:, np.newaxis] - x
        choose = log_factorial[:, np.newaxis] - log_factorial[:columns] - log_factorial[np.maximum(failures, 0)]
        choose[failures < 0] = -np.inf
        self.pmf = np.empty((2, n_max + 1, columns))
        self.padded = np.ones((2, n_max + 1, self.PAD + columns))
        self.tail = self.padded[:, :, self.PAD :]
        for pmf, tail, p in zip(self.pmf, self.tail, (p0, p1), strict=True):
            np.add(choose, x * math.log(p) + failures * math.log1p(-p), out=pmf)
            np.exp(pmf, out=pmf)
            np.cumsum(pmf, axis=1, out=tail)
            np.subtract(1.0, tail, out=tail)
        self.r_high = np.minimum(np.count_nonzero(self.tail[1] >= power - _SLACK, axis=1), n) - 1
        self.rest = np.where(self.r_high >= 0, self.tail[0, n, self.r_high], 1.0)
        r = self.r_alpha = np.minimum(np.count_nonzero(self.tail[0] > requirements.alpha, axis=1), columns - 1)
        share = np.minimum((requirements.alpha - self.tail[0, n, r]) / np.maximum(self.pmf[0, n, r], 1e-300), 1.0)
        self.possible = self.tail[1, n, r] + share * self.pmf[1, n, r] >= power - _SLACK


class _Found(NamedTuple):
    """A two-stage design that meets the limits; sorts by the rule for ties at one n."""

    en: float
    n1: int
    minus_r: int
    r1: int
    n: int

    @property
    def design(self) -> TwoStage:
        return TwoStage(r1=self.r1, n1=self.n1, r=-self.minus_r, n=self.n)


class _Block(NamedTuple):
    """Where designs of n patients can still win: n1 from `first` to `last`, X1 from `starts` (p0, p1) to `x_last`."""

    n: int
    first: int
    last: int
    starts: tuple[int, int]
    x_last: int

    @property
    def n1(self) -> slice:
        return slice(self.first, self.last + 1)

    def x(self, k: int) -> slice:
        return slice(self.starts[k], self.x_last + 1)


class _Scan:
    """Visits n in increasing order and records each design that lowers EN(p0)."""

    CELLS = 1 << 16
    ROWS = 48
    """Most table cells and rows of n1 worked on at once: they fit a processor's cache and hide numpy's overhead."""

    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self.examined = 0
        self.records: list[_Found] = []
        self.tables = _Tables(requirements, math.ceil(1.45 * _score_n(requirements)) + 12)
        self.n_lower = self.r_low = 0
        self.n_upper = self._visit()

    def _visit(self) -> int:
        end, n = math.inf, 2
        while n <= end:
            if n > self.tables.n_max:
                self.tables = _Tables(self.requirements, int(min(end, 1.45 * n + 12)))
            tables = self.tables
            for possible in (np.flatnonzero(tables.possible[n:]) + n).tolist():
                if possible > end:
                    break
                self.n_lower = self.n_lower or possible
                found = self._best_at(possible)
                if found is not None:
                    self.records.append(found)
                    end = self._last_n()
            n = tables.n_max + 1
        return int(end)

    def _target(self) -> float:
        """EN(p0) to beat."""
        return self.records[-1].en if self.records else math.inf

    def _last_n(self) -> int:
        """Largest n at which some n1 still allows an EN(p0) below the target."""
        target = self._target()
        n1 = np.arange(1, math.ceil(target))
        return math.floor(float((n1 + (target - n1) / self.tables.rest[n1]).max(initial=target)))

    def least_en(self, n: int) -> float:
        """Lower bound on EN(p0) of every design with n patients or more, by PETmax(n1)."""
        n1 = np.arange(1, min(n, self.tables.n_max + 1))
        return float((n1 + self.tables.rest[n1] * (n - n1)).min())

    def _blocks(self, n: int) -> list[_Block]:
        """Cut what is still open at n into blocks of neighbouring n1."""
        tables, target = self.tables, self._target()
        first, last = 1, n - 1
        if self.records:
            n1 = np.arange(1, n)
            open_n1 = np.flatnonzero(n1 + tables.rest[1:n] * (n - n1) < target + _EN_SLACK)
            if open_n1.size == 0:
                return []
            first, last = int(open_n1[0]) + 1, int(open_n1[-1]) + 1
        blocks = []
        for top in range(first, last + 1, self.ROWS):
            bottom = min(top + self.ROWS - 1, last)
            starts = (0, 0)
            if self.records:
                # Left of these, X1 has less than 1e-12 of its mass; and r1 is at least what EN(p0) < target needs,
                # a bound that grows with n1.
                light = [int(np.count_nonzero(tables.tail[k, top] > 1 - 1e-12)) for k in (0, 1)]
                least = int(np.count_nonzero(tables.tail[0, top] > (target + _EN_SLACK - top) / (n - top)))
                starts = (light[0], min(light[1], least))
            x_last = min(int(tables.r_high[top : bottom + 1].max()), int(tables.r_high[n]) - 1)
            if x_last >= max(starts):
                blocks.append(_Block(n, top, bottom, starts, x_last))
        return blocks

    def _best_at(self, n: int) -> _Found | None:
        """Give the design of n patients with least EN(p0), if it is below the target."""
        blocks = self._blocks(n)
        if not blocks:
            return None
        if not self.records:  # n1 may take any value yet, so the last n's bound proves nothing
            self.r_low = int(self.tables.r_alpha[n])
            while self.r_low and self._can_keep_alpha(blocks, self.r_low - 1):
                self.r_low -= 1
        while not self._can_keep_alpha(blocks, self.r_low):
            self.r_low += 1
        best: _Found | None = None
        for block in blocks:
            cells = (block.last - block.first + 1) * (block.x_last - block.starts[1] + 1)
            step = max(1, min(self.tables.PAD, self.CELLS // cells))
            for top in range(int(self.tables.r_high[n]), self.r_low - 1, -step):
                best = self._best_of(block, np.arange(top, max(self.r_low, top - step + 1) - 1, -1), best)
        return best

    def _later(self, k: int, block: _Block, rs: Ints) -> Floats:
        """P(X > r | X1 = x) at [r, n1, x] for decreasing `rs`: a view that walks a table backwards."""
        padded, x = self.tables.padded[k], block.x(k)
        start = padded[block.n - block.first :, self.tables.PAD + int(rs[0]) - x.start :]
        down, right = padded.strides
        shape = (rs.size, block.last - block.first + 1, x.stop - x.start)
        return as_strided(start, shape, (-right, -down, -right), writeable=False)

    def _can_keep_alpha(self, blocks: list[_Block], r: int) -> bool:
        """Whether any n1 brings the type I error of bound `r` down to alpha, with the largest r1 that it may have."""
        tables, n = self.tables, blocks[0].n
        spare = float(tables.tail[0, n, r]) - self.requirements.alpha
        if spare <= _SLACK or r >= tables.r_high[n]:
            return True
        for block in blocks:
            lost = tables.pmf[0, block.n1, block.x(0)] * self._later(0, block, np.array([r]))[0]
            r1 = np.minimum(tables.r_high[block.n1], r - 1)
            lost *= np.arange(block.starts[0], block.x_last + 1) <= r1[:, np.newaxis]
            if lost.sum(axis=1).max() >= spare - _SLACK:
                return True
        return False

    def _best_of(self, block: _Block, rs: Ints, best: _Found | None) -> _Found | None:
        """Improve on `best` with the bounds `rs`, decreasing."""
        tables, n, requirements = self.tables, block.n, self.requirements
        n1 = np.arange(block.first, block.last + 1)
        self.examined += rs.size * n1.size
        x_first = block.starts[1]
        loss = np.cumsum(tables.pmf[1, block.n1, block.x(1)] * self._later(1, block, rs), axis=2)
        spare = tables.tail[1, n, rs] - requirements.power
        fits = np.count_nonzero(loss <= (spare + _SLACK)[:, np.newaxis, np.newaxis], axis=2)
        r1 = np.minimum(fits + (x_first - 1), np.minimum(rs[:, np.newaxis] - 1, tables.r_high[block.n1]))
        en = n1 + tables.tail[0, n1, r1] * (n - n1)
        limit = self._target() if best is None else best.en
        at_r, at_n1 = np.nonzero((r1 >= x_first) & (en < limit + _EN_SLACK))
        if at_r.size == 0:
            return best
        order = np.lexsort((at_r, at_n1, en[at_r, at_n1]))
        at_r, at_n1 = at_r[order], at_n1[order]
        ens, r1s, n1s, bounds = en[at_r, at_n1], r1[at_r, at_n1], n1[at_n1], rs[at_r]
        x = np.arange(block.starts[0], block.x_last + 1)
        after = tables.padded[0, (n - n1s)[:, np.newaxis], tables.PAD + bounds[:, np.newaxis] - x]
        lost = tables.pmf[0, n1s, block.x(0)] * after * (x <= r1s[:, np.newaxis])
        excess = tables.tail[0, n, bounds] - requirements.alpha - lost.sum(axis=1)
        for i in np.flatnonzero(excess <= _SLACK).tolist():
            if best is not None and ens[i] > best.en + _EN_SLACK:
                break
            clear = excess[i] < -_SLACK and loss[at_r[i], at_n1[i], r1s[i] - x_first] < spare[at_r[i]] - _SLACK
            found = self._settle(n, int(n1s[i]), int(bounds[i]), int(r1s[i]), clear=bool(clear))
            if found is not None and self._beats(found, best):
                best = found
        return best

    def _settle(self, n: int, n1: int, r: int, r1: int, *, clear: bool) -> _Found | None:
        """Confirm a design; where the tables cannot tell, ask for an exact answer, with smaller r1 if need be."""
        while r1 >= 0:
            if clear or exact.meets(TwoStage(r1, n1, r, n), self.requirements):
                return _Found(n1 + float(self.tables.tail[0, n1, r1]) * (n - n1), n1, -r, r1, n)
            power = float(exact.operating_characteristics(TwoStage(r1, n1, r, n), self.requirements.p1).reject)
            if power > self.requirements.power + exact.CLOSE:
                return None
            r1 -= 1
        return None

    def _beats(self, new: _Found, best: _Found | None) -> bool:
        """Whether `new` has the lower EN(p0), by fractions where the tables cannot tell, or wins the tie."""
        rival = best or (self.records[-1] if self.records else None)
        if rival is None:
            return True
        if abs(new.en - rival.en) > _EN_SLACK:
            return new.en < rival.en
        same = (new.n, new.n1, new.r1) == (rival.n, rival.n1, rival.r1)
        difference = Fraction(0) if same else self._en_fraction(new) - self._en_fraction(rival)
        return difference < 0 or (difference == 0 and best is not None and new[1:3] < best[1:3])

    def _en_fraction(self, found: _Found) -> Fraction:
        go_on = exact.reject_fraction(SingleStage(found.r1, found.n1), Fraction(self.requirements.p0))
        return found.n1 + go_on * (found.n - found.n1)


def _score_n(requirements: Requirements) -> float:
    """Rough n by the normal approximation, to size the tables; no result depends on it."""
    p0, p1, z = requirements.p0, requirements.p1, NormalDist().inv_cdf
    width = z(1 - requirements.alpha) * math.sqrt(p0 * (1 - p0)) + z(requirements.power) * math.sqrt(p1 * (1 - p1))
    return max(1.0, (width / (p1 - p0)) ** 2)


def _most_power(n: int, requirements: Requirements) -> float:
    """Power of the randomised most powerful level-alpha test on n patients: no design with maximum n beats it [1]_."""
    pmf0, pmf1 = exact.binomial_pmf(n, [requirements.p0, requirements.p1])
    beyond0, beyond1 = (np.cumsum(pmf[::-1])[::-1] - pmf for pmf in (pmf0, pmf1))
    r = int(np.count_nonzero(beyond0 > requirements.alpha))
    return float(beyond1[r] + min((requirements.alpha - beyond0[r]) / pmf0[r], 1.0) * pmf1[r])


def _check_limit(requirements: Requirements, n_limit: int) -> None:
    """Refuse at once what the Neyman-Pearson bound puts beyond `n_limit`."""
    count(n_limit, "n_limit", at_least=1)
    if n_limit > N_LIMIT_MOST:
        raise InputError(f"({n_limit}) must be at most {N_LIMIT_MOST}, for the sake of memory", "n_limit")
    guess = _score_n(requirements)
    if guess > n_limit / 2 and _most_power(n_limit, requirements) < requirements.power - _SLACK:
        raise InputError(
            f"({requirements.p1}) is too near p0 ({requirements.p0}): even the most powerful test needs more than "
            f"{n_limit} patients (about {guess:,.0f}); widen the gap, relax alpha or power, or raise n_limit",
            "p1",
        )


@dataclass(frozen=True)
class SingleStageCandidate:
    """A single-stage design that meets the limits, with its attained errors. It is itself a design: it has looks."""

    design: SingleStage
    requirements: Requirements

    @property
    def r(self) -> int:
        """Bound at the end, cumulative."""
        return self.design.r

    @property
    def n(self) -> int:
        """Maximum number of patients."""
        return self.design.n

    @property
    def looks(self) -> tuple[Look, ...]:
        """The design as a sequence of looks."""
        return self.design.looks

    @cached_property
    def _at_limits(self) -> exact.OperatingCharacteristics:
        return exact.operating_characteristics(self.design, [self.requirements.p0, self.requirements.p1])

    @property
    def type_i_error(self) -> float:
        """P(reject H0; p0)."""
        return float(self._at_limits.reject[0])

    @property
    def power(self) -> float:
        """P(reject H0; p1)."""
        return float(self._at_limits.reject[1])


@dataclass(frozen=True)
class SingleStageSearch:
    """Both answers to "how many patients in one stage", which differ because power is a saw-tooth in n [4]_.

    Attributes
    ----------
    first : SingleStageCandidate
        Smallest n that meets both limits.
    sustained : SingleStageCandidate
        Smallest n from which every larger n also meets them.
    n_proven : int
        From this n on the Chernoff bound [5]_ proves that both limits can be met; below it every n was computed.
    """

    requirements: Requirements
    first: SingleStageCandidate
    sustained: SingleStageCandidate
    n_proven: int


def _chernoff_n(requirements: Requirements) -> int:
    """An n from which every n has a single-stage design.

    With r = floor(n c) and p0 < c < p1, P(X > r; p0) <= exp(-n KL(c, p0)) and P(X <= r; p1) <= exp(-n KL(c, p1)) [5]_,
    so n >= max(log(1/alpha)/KL(c, p0), log(1/beta)/KL(c, p1)) is enough; the least over c is taken.
    """
    p0, p1 = requirements.p0, requirements.p1
    c = p0 + (p1 - p0) * np.arange(1, 1000) / 1000
    kl0, kl1 = (c * np.log(c / p) + (1 - c) * (np.log1p(-c) - math.log1p(-p)) for p in (p0, p1))
    needed = np.maximum(-math.log(requirements.alpha) / kl0, -math.log(requirements.beta) / kl1)
    return math.ceil(float(needed.min())) + 1  # one more, so that rounding in the line above cannot matter


def smallest_r(n: Ints, p0: float, alpha: float) -> Ints:
    """Smallest r with P(X > r; n, p0) <= alpha for each n: the single-stage test of level alpha. Shape of `n`.

    Fractions settle the r whose probability is too near to alpha for floating point.
    """
    from scipy import special

    r: Ints = np.clip(np.floor(special.bdtrik(1 - alpha, n, p0)), 0, n - 1).astype(np.int64)
    r -= (r > 0) & (special.bdtrc(np.maximum(r - 1, 0), n, p0) <= alpha)
    r += (r < n) & (special.bdtrc(r, n, p0) > alpha)
    for i in np.flatnonzero(np.abs(special.bdtrc(np.maximum(r - 1, 0), n, p0) - alpha) < exact.CLOSE):
        if r[i] > 0 and _tail_fraction(int(r[i]) - 1, int(n[i]), p0) <= Fraction(alpha):
            r[i] -= 1
    for i in np.flatnonzero(np.abs(special.bdtrc(r, n, p0) - alpha) < exact.CLOSE):
        if r[i] < n[i] and _tail_fraction(int(r[i]), int(n[i]), p0) > Fraction(alpha):
            r[i] += 1
    return r


def _tail_fraction(r: int, n: int, p: float) -> Fraction:
    return exact.reject_fraction(SingleStage(r, n), Fraction(p))


def single_stage(requirements: Requirements, *, n_limit: int = N_LIMIT) -> SingleStageSearch:
    """Find the first and the sustained exact single-stage sample size.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this.

    Raises
    ------
    InputError
        If the Neyman-Pearson bound on n passes `n_limit`.

    Examples
    --------
    >>> found = single_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))
    >>> found.first.design, found.sustained.design
    (SingleStage(r=5, n=25), SingleStage(r=6, n=29))
    """
    from scipy import special

    _check_limit(requirements, n_limit)
    n_proven = _chernoff_n(requirements)
    n = np.arange(1, n_proven + 1)
    r = smallest_r(n, requirements.p0, requirements.alpha)
    spare = special.bdtrc(r, n, requirements.p1) - requirements.power
    meets = (spare >= 0) & (r < n)
    for i in np.flatnonzero((np.abs(spare) < exact.CLOSE) & (r < n)):
        meets[i] = _tail_fraction(int(r[i]), int(n[i]), requirements.p1) >= Fraction(requirements.power)
    first = int(np.argmax(meets))
    sustained = n_proven - int(np.argmin(meets[::-1])) if not meets.all() else 0
    first_design, sustained_design = (
        SingleStageCandidate(SingleStage(int(r[i]), int(n[i])), requirements) for i in (first, sustained)
    )
    return SingleStageSearch(requirements, first_design, sustained_design, n_proven)


@dataclass(frozen=True)
class TwoStageCandidate:
    """A two-stage design that meets the limits, with its attained values. It is itself a design: it has looks.

    Attributes
    ----------
    kinds : tuple of str
        Any of ``minimax``, ``optimal`` and ``admissible``; empty for a design off the hull.
    q_low, q_high : float or None
        The weights q for which it minimises q n + (1 - q) EN(p0) [3]_; None off the hull.
    """

    design: TwoStage
    requirements: Requirements
    kinds: tuple[str, ...] = ()
    q_low: float | None = None
    q_high: float | None = None

    @property
    def r1(self) -> int:
        """Futility bound of the first stage."""
        return self.design.r1

    @property
    def n1(self) -> int:
        """Patients of the first stage."""
        return self.design.n1

    @property
    def r(self) -> int:
        """Bound at the end, cumulative."""
        return self.design.r

    @property
    def n(self) -> int:
        """Maximum number of patients."""
        return self.design.n

    @property
    def looks(self) -> tuple[Look, ...]:
        """The design as a sequence of looks."""
        return self.design.looks

    @cached_property
    def _at_limits(self) -> exact.OperatingCharacteristics:
        return exact.operating_characteristics(self.design, [self.requirements.p0, self.requirements.p1])

    @property
    def type_i_error(self) -> float:
        """P(reject H0; p0)."""
        return float(self._at_limits.reject[0])

    @property
    def power(self) -> float:
        """P(reject H0; p1)."""
        return float(self._at_limits.reject[1])

    @property
    def pet_p0(self) -> float:
        """Probability of early termination at p0."""
        return float(self._at_limits.pet[0])

    @property
    def en_p0(self) -> float:
        """Expected number of patients at p0."""
        return float(self._at_limits.en[0])

    @property
    def pet_p1(self) -> float:
        """Probability of early termination at p1."""
        return float(self._at_limits.pet[1])

    @property
    def en_p1(self) -> float:
        """Expected number of patients at p1."""
        return float(self._at_limits.en[1])


@dataclass(frozen=True)
class Certificate:
    """Why no better two-stage design exists.

    Attributes
    ----------
    n_lower : int
        No design with fewer patients can have the power: the most powerful randomised test lacks it [1]_.
    n_minimax : int
        Every n from `n_lower` to here was searched whole; here is the first that has a design.
    n_upper : int
        The last n at which any n1 could still have allowed an EN(p0) below the optimum; every n up to it was searched.
    en_optimal : float
        The optimum.
    en_beyond : float
        Lower bound on EN(p0) of every design with more than `n_upper` patients; at least `en_optimal`.
    solved : int
        How many (n, n1, r) were solved for r1.
    """

    n_lower: int
    n_minimax: int
    n_upper: int
    en_optimal: float
    en_beyond: float
    solved: int


@dataclass(frozen=True)
class TwoStageSearch:
    """The admissible two-stage designs, by n, with the certificate that the search was complete.

    Attributes
    ----------
    admissible : tuple of TwoStageCandidate
        Vertices of the lower-left convex hull of (n, least EN(p0) given n), minimax first, optimal last.
    frontier : tuple of TwoStageCandidate
        Every design with a lower EN(p0) than all designs of fewer patients; the hull is drawn around these.
    """

    requirements: Requirements
    admissible: tuple[TwoStageCandidate, ...]
    frontier: tuple[TwoStageCandidate, ...]
    certificate: Certificate

    @property
    def minimax(self) -> TwoStageCandidate:
        """Fewest n, then least EN(p0)."""
        return self.admissible[0]

    @property
    def optimal(self) -> TwoStageCandidate:
        """Least EN(p0), then fewest n."""
        return self.admissible[-1]


def _hull(records: list[_Found]) -> list[int]:
    """Indices of the vertices of the lower-left convex hull of (n, en); `records` rise in n and fall in en."""
    hull: list[int] = []
    for i, new in enumerate(records):
        while len(hull) > 1:
            a, b = records[hull[-2]], records[hull[-1]]
            if (b.en - a.en) * (new.n - a.n) < (new.en - a.en) * (b.n - a.n):
                break
            hull.pop()
        hull.append(i)
    return hull


def two_stage(requirements: Requirements, *, n_limit: int = N_LIMIT) -> TwoStageSearch:
    """Find the minimax, the optimal and every admissible two-stage design, and prove it.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this. It does not bound the search.

    Raises
    ------
    InputError
        If the Neyman-Pearson bound on n passes `n_limit`.

    Examples
    --------
    >>> found = two_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))
    >>> found.minimax.design
    TwoStage(r1=1, n1=15, r=5, n=25, e1=None)
    >>> found.optimal.design
    TwoStage(r1=1, n1=10, r=5, n=29, e1=None)
    >>> found.certificate.n_lower, found.certificate.n_upper
    (23, 35)
    """
    _check_limit(requirements, n_limit)
    scan = _Scan(requirements)
    records = scan.records
    hull = _hull(records)
    # a weight q prefers the left of two neighbours on the hull when q dn > (1 - q) dEN
    cuts = [1.0]
    for a, b in pairwise(hull):
        fall, rise = records[a].en - records[b].en, records[b].n - records[a].n
        cuts.append(fall / (fall + rise))
    cuts.append(0.0)
    names = {0: "minimax", len(hull) - 1: "optimal"}
    admissible = []
    for k, i in enumerate(hull):
        kinds = ("minimax", "optimal") if len(hull) == 1 else (names.get(k, "admissible"),)
        admissible.append(TwoStageCandidate(records[i].design, requirements, kinds, cuts[k + 1], cuts[k]))
    on_hull = dict(zip(hull, admissible, strict=True))
    frontier = [on_hull.get(i) or TwoStageCandidate(found.design, requirements) for i, found in enumerate(records)]
    certificate = Certificate(
        scan.n_lower, records[0].n, scan.n_upper, records[-1].en, scan.least_en(scan.n_upper + 1), scan.examined
    )
    return TwoStageSearch(requirements, tuple(admissible), tuple(frontier), certificate)


def near(found: TwoStageSearch, *, n_max: int, most: int = 20) -> tuple[TwoStageCandidate, ...]:
    """List the `most` two-stage designs with least EN(p0) that meet the limits with n <= `n_max`, ties included.

    For a designer with a reason of their own, such as an interim look at a round number.

    Returns
    -------
    tuple of TwoStageCandidate
        By EN(p0), then n, n1 and falling r.
    """
    requirements, kept = found.requirements, []
    tables = _Tables(requirements, n_max)
    for n in range(found.certificate.n_lower, n_max + 1):
        n1, x = np.arange(1, n)[:, np.newaxis], np.arange(int(tables.r_high[n]))
        en = n1 + tables.tail[0, 1:n, : x.size] * (n - n1)
        for r in range(int(tables.r_high[n]), 0, -1):
            beyond = tables.padded[:, n - n1, tables.PAD + np.maximum(r - x, -1)]
            lost = np.cumsum(tables.pmf[:, 1:n, : x.size] * beyond, axis=2)
            type_i_error, power = tables.tail[:, n, r, np.newaxis, np.newaxis] - lost
            keeps_alpha = (type_i_error <= requirements.alpha + _SLACK) & (x < np.minimum(r, n1))
            if not keeps_alpha.any():
                break  # a smaller r only adds to the type I error of every n1 and r1
            i, r1 = np.nonzero(keeps_alpha & (power >= requirements.power - _SLACK))
            kept.append(np.column_stack([en[i, r1], np.full(i.size, n), i + 1, np.full(i.size, -r), r1]))
    rows = np.concatenate(kept)
    known = {candidate.design: candidate for candidate in found.admissible}
    best: list[TwoStageCandidate] = []
    for _, n, first, minus_r, r1 in rows[np.lexsort(rows.T[::-1])]:
        design = TwoStage(int(r1), int(first), int(-minus_r), int(n))
        if len(best) < most and exact.meets(design, requirements):
            best.append(known.get(design) or TwoStageCandidate(design, requirements))
        if len(best) == most:
            break
    return tuple(best)


@dataclass(frozen=True)
class SawTooth:
    """The exact level-alpha test at each n: arrays of one shape. Power falls whenever r has to step up.

    Attributes
    ----------
    n, r : ndarray of int
        Patients, and the smallest r that keeps alpha.
    type_i_error, power : ndarray
        P(X > r) at p0 and at p1.
    """

    n: Ints
    r: Ints
    type_i_error: Floats
    power: Floats


def saw_tooth(requirements: Requirements, n: Ints) -> SawTooth:
    """Evaluate the exact single-stage test of level alpha at each n."""
    from scipy import special

    r = smallest_r(n, requirements.p0, requirements.alpha)
    return SawTooth(n, r, special.bdtrc(r, n, requirements.p0), special.bdtrc(r, n, requirements.p1))


def choose(requirements: Requirements, wish: str | Design, *, n_limit: int = N_LIMIT) -> Design:
    """Give the design that is wished for: the best one by a criterion, or the design itself.

    Parameters
    ----------
    wish : str or Design
        ``minimax``, ``optimal``, ``single_stage_first``, ``single_stage_sustained``, or any design.

    Raises
    ------
    InputError
        If the criterion is unknown.
    """
    match wish:
        case "minimax":
            return two_stage(requirements, n_limit=n_limit).minimax
        case "optimal":
            return two_stage(requirements, n_limit=n_limit).optimal
        case "single_stage_first":
            return single_stage(requirements, n_limit=n_limit).first
        case "single_stage_sustained":
            return single_stage(requirements, n_limit=n_limit).sustained
        case str():
            raise InputError(
                f"({wish!r}) must be minimax, optimal, single_stage_first or single_stage_sustained", "criterion"
            )
    return wish
