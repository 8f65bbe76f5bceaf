"""Designs whose limits hold as the trial is run, patients lost being left out and the bounds recalculated.

The bounds are recalculated at the numbers evaluable by the rule of `simtrial.plan.recut`, at the response rate q1 among
the evaluable and at the larger of p0 and q0. Given those numbers the type I error therefore never exceeds alpha, under
the stated dropout and under one that says nothing about response, and only power has to be searched for. The planned
bounds of a design hold at the planned numbers, where they keep alpha too: r1 fixes the probability of stopping that the
first look keeps, and r is the smallest above r1 that keeps alpha, which has the most power. A design is therefore
(r1, n1, n), or n alone in a single stage. Designs whose planned r would break alpha if everybody were evaluable are not
among them, although their mixture may keep it.

Why the searches are complete
-----------------------------
1. *No design with fewer than* ``n_lower`` *patients can have the power.* Given m evaluable patients the decision is a
   test of level alpha on m patients, so power is at most the mean over m of that of the randomised most powerful test
   [1]_. This mean grows with n.
2. *Every r1 is computed that can have the power.* P(stop at the first look; p1) <= 1 - power bounds r1 above, because
   it grows with r1. So does P(stop; p0): of the r1 that have the power the largest has the least EN(p0). Power itself
   need not fall as r1 grows, because the last bound is recalculated.
3. *n has an end.* EN(p0) >= n1 + (1 - PETmax(n1)) (n - n1), where PETmax belongs to the largest r1 of 2., as in the
   search on paper (`simtrial.search.scan`).
4. *The sustained n of a single stage is proved.* For p' above the power asked for there is an M such that every m from
   M on has a single-stage design of power p' (Hoeffding [2]_, `simtrial.search.bounds.chernoff_n`). P(m >= M) p' grows
   with n; once it reaches the power asked for, every larger n has the power, and all below are computed.

Limits closer than ``exact.CLOSE``, and values of EN(p0) closer than `simtrial.search.scan.EN_CLOSE`, are settled in
exact fractions. The tie rule is that of `simtrial.search.simon`: the smaller n1.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
.. [2] Hoeffding W. Probability inequalities for sums of bounded random variables. J Am Stat Assoc 1963;58:13-30.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import SingleStage, TwoStage
from simtrial.design.requirements import N_LIMIT, Requirements, decimal
from simtrial.errors import InputError
from simtrial.laws.candidates import RecalculatedCandidate, RecalculatedTwoStage
from simtrial.laws.evaluable import Evaluable
from simtrial.laws.mixtures import Mixtures, binomials, single_powers
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.plan.possible import MAX_RECUT
from simtrial.search import bounds, neighbours
from simtrial.search.scan import EN_CLOSE, Best
from simtrial.search.simon import TwoStageCertificate, TwoStageSearch, assembled
from simtrial.search.single import SingleStageSearch

if TYPE_CHECKING:
    from fractions import Fraction

    from simtrial.design.designs import Design
    from simtrial.plan.dropout import Dropout

MOST_SEARCHED = 2 * MAX_RECUT
"""Most patients of a two-stage design that the search looks at in order to prove that a smaller one is optimal."""

MOST_PROVEN = 3_000
"""Most patients up to which every single stage is computed in order to prove the sustained n."""


def _n_lower(law: Evaluable, n_limit: int) -> int:
    """First n that can have the power by the most powerful tests, if one is found up to `n_limit` patients."""
    bounds.refuse(law.kept, n_limit)
    most = min(n_limit, MAX_RECUT)
    # with no patient evaluable the test that ignores the data attains alpha
    best = np.append(law.kept.alpha, bounds.most_powers(np.arange(1, most + 1), law.kept))
    enough = binomials(most, law.shares[1]) @ best >= law.kept.power - bounds.SLACK
    if not enough.any():
        raise _too_many(f"more than {counted(most, 'patient')}", most)
    return int(np.argmax(enough))


def _too_many(needed: str, most: int) -> InputError:
    limit = f"bounds are recalculated for at most {MAX_RECUT} patients" if most == MAX_RECUT else f"n_limit is {most}"
    return InputError(
        f"(recut) needs {needed}, and {limit}; keep the bounds fixed, widen the gap between p0 and p1, "
        "or relax alpha or power",
        "bounds",
    )


def single_stage(asked: Requirements, loss: Dropout, *, n_limit: int = N_LIMIT) -> SingleStageSearch:
    """Find the first and the sustained single-stage number enrolled whose limits hold with recalculated bounds.

    Parameters
    ----------
    asked : Requirements
        p0 and p1, the rates with every patient evaluable, and the limits.
    loss : Dropout
        Law of loss; it may be informative.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this.

    Returns
    -------
    SingleStageSearch
        Its candidates are `RecalculatedCandidate`.

    Raises
    ------
    InputError
        If more than `n_limit` or `MAX_RECUT` patients are needed.
    """
    _n_lower(Evaluable.of(asked, loss), n_limit)
    return _single_stage(asked, loss)


@kept(256)
def _single_stage(asked: Requirements, loss: Dropout) -> SingleStageSearch:
    law = Evaluable.of(asked, loss)
    n_proven = _n_proven(law)
    r, power = single_powers(law.kept, n_proven)
    attained = binomials(n_proven, law.shares[1]) @ power

    def gap(n: int) -> Fraction:
        return law.reject_fraction(SingleStage(int(r[n]), n), 1) - decimal(asked.power)

    lacking = np.flatnonzero((exact.signs(attained, asked.power, gap) < 0) | (r >= np.arange(n_proven + 1)))
    first, sustained = int(np.argmax(np.append(np.diff(lacking), 2) > 1)) + 1, int(lacking[-1]) + 1
    if first > MAX_RECUT:
        raise _too_many(f"at least {counted(first, 'patient')}", MAX_RECUT)
    smallest, lasting = (RecalculatedCandidate(SingleStage(int(r[n]), n), asked, loss=loss) for n in (first, sustained))
    return SingleStageSearch(asked, smallest, lasting, n_proven)


def _n_proven(law: Evaluable) -> int:
    """An n from which on every single stage has the power as run: 4. at the head of this module."""
    from scipy import special

    rates, share, power = law.kept, law.shares[1], law.kept.power
    found = MOST_PROVEN + 1
    for step in range(1, 10):
        larger = power + (1 - power) * step / 10
        enough = bounds.chernoff_n(Requirements(rates.p0, rates.p1, rates.alpha, larger))
        n = np.arange(enough, found)
        # a margin for the last digits, which moves n by one at most
        held = special.bdtrc(enough - 1, n, share) >= power / larger * (1 + exact.CLOSE)
        if held.any():
            found = int(n[np.argmax(held)])
    if found > MOST_PROVEN:
        raise InputError(
            f"({power}) is so near alpha ({rates.alpha}), or 1, or p1 so near p0, that a sustained n with recalculated "
            f"bounds is proven from no n up to {MOST_PROVEN:,}; ask for another power or a wider gap",
            "power",
        )
    return found


def two_stage(asked: Requirements, loss: Dropout, *, n_limit: int = N_LIMIT) -> TwoStageSearch:
    """Find the minimax, the optimal and every admissible two-stage design with recalculated bounds, and prove it.

    Parameters
    ----------
    asked : Requirements
        p0 and p1, the rates with every patient evaluable, and the limits.
    loss : Dropout
        Law of loss; it may be informative.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this. It does not bound the search.

    Returns
    -------
    TwoStageSearch
        Its candidates are `RecalculatedTwoStage`; n and EN(p0) count patients enrolled. The minimax design has at
        most `MAX_RECUT` patients; others may have more, and cannot be run with recalculated bounds then.

    Raises
    ------
    InputError
        If more than `n_limit` or `MAX_RECUT` patients are needed.
    """
    return _two_stage(asked, loss, _n_lower(Evaluable.of(asked, loss), n_limit))


@kept(256)
def _two_stage(asked: Requirements, loss: Dropout, n_lower: int) -> TwoStageSearch:
    law = Evaluable.of(asked, loss)
    n_max = min(math.ceil(1.45 * bounds.score_n(law.kept) / law.shares[1]) + 12, MAX_RECUT)
    while True:
        visit = Visit(Mixtures(law, n_max), n_lower)
        fewest = visit.records[0].design.n if visit.records else n_max + 1
        if fewest > MAX_RECUT:
            raise _too_many(f"at least {counted(fewest, 'patient')}", MAX_RECUT)
        if visit.end <= n_max:
            break
        if n_max == MOST_SEARCHED:
            raise _too_many(f"a search beyond {counted(n_max, 'patient')}", MAX_RECUT)
        n_max = min(visit.end, MOST_SEARCHED)
    records = visit.records
    made = partial(RecalculatedTwoStage, requirements=asked, loss=loss)
    admissible, frontier = assembled(records, visit.expected, made)
    certificate = TwoStageCertificate(
        n_lower=n_lower,
        n_minimax=records[0].design.n,
        n_upper=visit.end,
        optimal=admissible[-1],
        en_beyond=bounds.least_en(visit.tables.rest, visit.end + 1),
        solved=visit.examined,
    )
    return TwoStageSearch(asked, admissible, frontier, certificate)


def near(asked: Requirements, loss: Dropout, chosen: Design) -> tuple[RecalculatedTwoStage, ...]:
    """Two-stage designs of about the same sizes as the chosen one, the closest first: as `search.neighbours.near`.

    Of each pair of sizes (n, n1) the design with least EN(p0) whose limits hold as the trial is run is listed; for a
    chosen single stage, of each n the one with least EN(p0).

    Parameters
    ----------
    asked, loss
        As for `two_stage`.
    chosen : Design
        Any design.
    """
    within, n = neighbours.closeness(chosen), chosen.looks[-1].n
    n1 = chosen.looks[0].n if len(chosen.looks) > 1 else None
    n_max = min(n + within, MAX_RECUT)
    if n > MAX_RECUT:
        return ()
    visit = Visit(Mixtures(Evaluable.of(asked, loss), n_max), n_max + 1)
    rows = []
    for size in range(max(2, n - within), n_max + 1):
        here = visit.designs(size)
        if n1 is None:  # one design per n: every first look is as close
            here = sorted(here, key=lambda one: one.en)[:1]
        for one in here:
            first = 0 if n1 is None else abs(one.design.n1 - n1)
            if first <= within:
                rows.append((abs(size - n) + first, one.en, size, one.design.n1, one.design))
    return tuple(RecalculatedTwoStage(design, asked, loss=loss) for *_, design in sorted(rows)[: neighbours.MOST_NEAR])


class Visit:
    """Visits n in increasing order, up to that of the tables, and records each design that lowers EN(p0).

    Attributes
    ----------
    records : list of Best
        Those designs.
    end : int
        Last n at which a design could still lower it; beyond the tables if they are too small to tell.
    examined : int
        Designs whose power was computed.
    """

    def __init__(self, tables: Mixtures, n_lower: int) -> None:
        self.tables, self.examined = tables, 0
        self.records: list[Best] = []
        self._en = np.full((tables.n_max + 1, tables.n_max + 1), np.inf)
        self._bounds = np.zeros((2, *self._en.shape), dtype=np.int64)
        for n1 in range(1, tables.n_max):
            self._fill(n1)
        self.end = math.ceil(1.45 * tables.n_max) + 12
        for n in range(max(2, n_lower), tables.n_max + 1):
            if self.records and n > self.end:
                break
            best = self._best_at(n)
            if best is not None:
                self.records.append(best)
                self.end = max(n, bounds.last_n(tables.rest, best.en))

    def _fill(self, n1: int) -> None:
        """Least EN(p0) of all designs with n1 patients at their first look, by n, and r1 and r of that design."""
        tables, law = self.tables, self.tables.law
        power, r = tables.powers(n1)
        power, r = power[:, 1:], r[:, 1:]
        if not power.size:
            return
        self.examined += power.size
        n = np.arange(n1 + 1, tables.n_max + 1)

        def gap(r1: int, at: int) -> Fraction:
            return law.reject_fraction(TwoStage(r1, n1, int(r[r1, at]), int(n[at])), 1) - decimal(law.kept.power)

        meets = (exact.signs(power, law.kept.power, gap) >= 0) & (r < n)
        r1 = len(meets) - 1 - np.argmax(meets[::-1], axis=0)
        some = meets.any(axis=0)
        n, r1, r = n[some], r1[some], r[r1, np.arange(n.size)][some]
        self._en[n, n1] = n1 + tables.first.onward[0, r1, n1] * (n - n1)
        self._bounds[:, n, n1] = r1, r

    def _best_at(self, n: int) -> Best | None:
        """The design of n patients with the least EN(p0), if it is below that of all designs recorded."""
        en = self._en[n]
        least = float(en.min())
        target = self.records[-1].en if self.records else math.inf
        if not least < target + EN_CLOSE:
            return None
        tied = [self._design(n, n1) for n1 in np.flatnonzero(en <= least + EN_CLOSE).tolist()]
        best = tied[0] if len(tied) == 1 else min(tied, key=lambda found: (self.expected(found), found.n1))
        if least > target - EN_CLOSE and self.expected(best) >= self.expected(self.records[-1].design):
            return None
        return Best(float(en[best.n1]), best)

    def designs(self, n: int) -> list[Best]:
        """Of n patients, the design with the least EN(p0) for each n1 that has one."""
        return [
            Best(float(self._en[n, n1]), self._design(n, n1))
            for n1 in np.flatnonzero(np.isfinite(self._en[n])).tolist()
        ]

    def _design(self, n: int, n1: int) -> TwoStage:
        r1, r = self._bounds[:, n, n1].tolist()
        return TwoStage(r1, n1, r, n)

    def expected(self, design: TwoStage) -> Fraction:
        """EN(p0) as the trial is run, as an exact fraction."""
        stops = self.tables.law.stop_fraction(design, 0)
        return design.n1 + (1 - stops) * (design.n - design.n1)
