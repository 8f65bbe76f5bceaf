"""What each look of a trial does with the numbers that it sees: one kind of rule for each kind of bounds.

A trial passes through `LookRule.looks` looks. How many patients a look has, and where its responses lead, may depend on
what the first look saw, so both are asked of a rule for all trials at once: the numbers of patients are one whole
number where they are the same for all.

Where the second stage depends on the first there are two looks, of which the second has the n2 and the r that belong to
each trial's own X1. Of a trial that stops at the first look the largest second stage stands for what would have come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from simtrial.conduct import settled
from simtrial.design.designs import Look, Regions, regions
from simtrial.design.second_stages import SecondStage, branched

if TYPE_CHECKING:
    from simtrial.conduct.courses import Count, Course
    from simtrial.design.designs import AttainedBounds
    from simtrial.design.second_stages import BranchLook
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.plan import Plan


class LookRule(Protocol):
    """The rule of one block of trials; its first look is asked before any other."""

    looks: int

    def patients(self, k: int) -> int | Ints:
        """How many patients look k has: of each trial where it differs."""
        ...

    def regions(self, k: int, seen: Count) -> Regions:
        """Where each trial goes from look k."""
        ...

    def rejects_with(self, k: int, seen: Count) -> Bools:
        """Whether H0 is rejected with those who came, where accrual closes before look k has its patients."""
        ...

    def settled(self, course: Course, k: int) -> Floats:
        """Month at which the decision of look k is settled; infinite where accrual closes too soon."""
        ...

    def settled_with(self, k: int, months: Floats, responds: Bools) -> Floats:
        """Month at which it is settled whether H0 is rejected with those who came: arguments as of `by_counts`."""
        ...


def of(plan: Plan, bounds: AttainedBounds | None) -> LookRule:
    """The rule of a plan."""
    table = branched(plan.design.looks)
    if table is not None:
        return ByTable(table)
    return FixedBounds(plan) if bounds is None else ByEvaluable(plan, bounds)


class FixedBounds:
    """Bounds as planned."""

    def __init__(self, plan: Plan) -> None:
        self._looks = plan.design.looks
        self.looks = len(self._looks)

    def patients(self, k: int) -> int:
        """See `LookRule`."""
        return self._looks[k].n

    def regions(self, k: int, seen: Count) -> Regions:
        """See `LookRule`."""
        return self._looks[k].regions(seen.responses, final=k == self.looks - 1)

    def rejects_with(self, k: int, seen: Count) -> Bools:  # noqa: ARG002 - as `LookRule`
        """See `LookRule`: there is no next stage, so that what came is held against the last look's bound."""
        return regions(seen.responses, self._looks[-1].r, None, final=True).reject

    def settled(self, course: Course, k: int) -> Floats:
        """See `LookRule`."""
        look = self._looks[k]
        here = look.regions(np.arange(look.n + 1), final=k == self.looks - 1)
        return settled.by_counts(settled.numbered(here), *course.statuses(look.n))

    def settled_with(self, k: int, months: Floats, responds: Bools) -> Floats:  # noqa: ARG002 - as `LookRule`
        """See `LookRule`."""
        here = regions(np.arange(len(months) + 1), self._looks[-1].r, None, final=True)
        return settled.by_counts(settled.numbered(here), months, responds)


class ByEvaluable(FixedBounds):
    """Bounds recalculated at the numbers evaluable."""

    def __init__(self, plan: Plan, bounds: AttainedBounds) -> None:
        super().__init__(plan)
        self._bounds = bounds
        self._first: Ints | int = 0

    def regions(self, k: int, seen: Count) -> Regions:
        """See `LookRule`."""
        if k == self.looks - 1:
            return regions(seen.responses, self._bounds.final[self._first, seen.evaluable], None, final=True)
        self._first = seen.evaluable
        r, e = self._bounds.first[seen.evaluable].T
        return regions(seen.responses, r, e, final=False)

    def settled(self, course: Course, k: int) -> Floats:
        """See `LookRule`."""
        final = k == self.looks - 1
        before = self._looks[0].n if final and k else 0
        statuses = course.statuses(self._looks[1 if before else 0].n)
        return settled.by_evaluable(course, before, statuses, self._bounds, final=final)


class ByTable:
    """A second stage that depends on the responses of the first.

    Attributes
    ----------
    n, r : ndarray of int, shape (n1 + 1,)
        Patients and bound of the second look by X1.
    leads : ndarray of int, shape (n1 + 1,)
        What follows X1: 0 accept, 1 reject, and 2, 3, ... the different second stages.
    with_those_who_came : ndarray of bool, shape (n1 + 1,)
        Whether H0 is rejected with so many responses where accrual closes during the first stage.
    """

    def __init__(self, table: BranchLook) -> None:
        stages = list(dict.fromkeys(row for row in table.after if isinstance(row, SecondStage)))
        largest = max(stages, key=lambda row: row.n2, default=SecondStage(0, table.n))
        own = [row if isinstance(row, SecondStage) else largest for row in table.after]
        codes = {"accept": 0, "reject": 1} | {row: k for k, row in enumerate(stages, start=2)}
        self._table = table
        self.looks = 2 if stages else 1
        self.n = table.n + np.array([row.n2 for row in own])
        self.r = np.array([row.r for row in own])
        self.leads = np.array([codes[row] for row in table.after])
        passed = regions(np.arange(table.n + 1), self.r, None, final=True).reject
        self.with_those_who_came = (self.leads == 1) | ((self.leads > 1) & passed)
        self._x: Ints = np.zeros(0, dtype=np.int64)

    def patients(self, k: int) -> int | Ints:
        """See `LookRule`."""
        if k == 0:
            return self._table.n
        found: Ints = self.n[self._x]
        return found

    def regions(self, k: int, seen: Count) -> Regions:
        """See `LookRule`."""
        if k:
            return regions(seen.responses, self.r[self._x], None, final=True)
        self._x = seen.responses
        leads = self.leads[self._x]
        return Regions(leads == 0, leads == 1, leads > 1)

    def rejects_with(self, k: int, seen: Count) -> Bools:
        """See `LookRule`: what came is held against the bound of the second stage that belongs to X1.

        During the first stage X1 is what came; where the table stops there, so does the trial.
        """
        if k:
            return regions(seen.responses, self.r[self._x], None, final=True).reject
        found: Bools = self.with_those_who_came[seen.responses]
        return found

    def settled(self, course: Course, k: int) -> Floats:
        """See `LookRule`."""
        if k == 0:
            return settled.by_counts(self.leads, *course.statuses(self._table.n))
        return self._by_second_stage(self.n[self._x], *course.statuses(self.n[self._x]))

    def settled_with(self, k: int, months: Floats, responds: Bools) -> Floats:
        """See `LookRule`."""
        if k:
            return self._by_second_stage(np.full(self._x.shape, len(months)), months, responds)
        beyond = np.full(len(months) - self._table.n, self.with_those_who_came[-1])  # so many do not come
        return settled.by_counts(np.append(self.with_those_who_came, beyond), months, responds)

    def _by_second_stage(self, n: Ints, months: Floats, responds: Bools) -> Floats:
        """Month at which the second look is settled, with so many patients; one second stage after the other."""
        found = np.empty(months.shape[1])
        r = self.r[self._x]
        for size, bound in sorted(set(zip(n.tolist(), r.tolist(), strict=True))):
            mine = np.flatnonzero((n == size) & (r == bound))
            leads = settled.numbered(Look(size, bound).regions(np.arange(size + 1), final=True))
            found[mine] = settled.by_counts(leads, months.take(mine, axis=1), responds.take(mine, axis=1))
        return found
