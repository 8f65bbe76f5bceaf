"""Chang's criterion for given looks [1]_: the least mean of EN(p0) and EN(p1) among all rules that keep both limits.

At every look but the last the trial may stop for futility (X <= r_k) and for efficacy (X >= e_k); at the last it
rejects H0 if X > r. Any of the interim bounds may be missing, but some look must be able to stop the trial, and r lies
above every r_k. A look that cannot stop the trial is left out of the design.

Ties
----
The final bound does not enter EN, so all final bounds that keep both limits are tied. Other families take the largest;
here the smallest is taken, which has the most power, and the others are listed. Further ties (tiny n) go to the
smaller bounds at the looks, for the same reason: `order`.

Why the search is complete
--------------------------
1. At the first look P(X1 <= r1; p1) <= 1 - power and P(X1 >= e1; p0) <= alpha, and at a second look the same holds of
   what is accepted, or rejected, by then: accepting and rejecting so early already counts in full.
2. With the interim bounds fixed the value is fixed, and both errors are known for every r at once. The bounds are
   visited in the order of their values, and the first that have an r settle the search.
3. Of three looks, the first are visited in the order of the value that they have if the trial never goes beyond the
   second; no later first look can be better once this passes the best value.

Without looks, two equal looks are searched for every even n from the first at which the most powerful test has the
power; the first n that has a design is taken, and no smaller one is passed over.

Only limits nearer than `exact.CLOSE` need fractions.

References
----------
.. [1] Chang MN, Therneau TM, Wieand HS, Cha SS. Designs for group sequential phase II clinical trials. Biometrics
   1987;43:865-874.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST, Requirements
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import listed
from simtrial.search.aim import TIE, Aim, Key
from simtrial.search.bounds import can_have_power, refuse
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.given import design_of, least_patients, refused_beyond, two_equal, two_equal_looks
from simtrial.search.paths import Path
from simtrial.search.record import Certificate, Criterion, Family, SearchResult, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design

MEAN = Aim(en_p0=0.5, en_p1=0.5)

MOST_LOOKS = 3
"""Most looks for which the search is complete in reasonable time."""

BLOCK = 1 << 20
"""Pairs of interim bounds and final bounds that are evaluated at once."""

MOST_PAIRS = 1 << 27
"""Most rules, without their final bounds, that a search of three looks visits; more would take minutes."""


def order(design: Design, value: float) -> Key:
    """What a design with this value is compared by: the least is taken; of equal values the one with the most power."""
    last = design.looks[-1]
    early = [number for look in design.looks[:-1] for number in _bounds(look)]
    final = -1 if last.r is None else last.r
    return (float(np.round(value / TIE)) * TIE, last.n, final, *early)


def _bounds(look: Look) -> tuple[int, int]:
    """The bounds of a look, those that it has not beyond every count."""
    return -1 if look.r is None else look.r, look.n + 1 if look.e is None else look.e


class MeanSearch:
    """The search at given looks, for one weighted sum."""

    def __init__(self, asked: Requirements, looks_at: Sequence[int], aim: Aim) -> None:
        self.asked, self.looks_at = asked, looks_at
        self.weights = np.array([aim.en_p0, aim.en_p1])
        self.rates = np.array([asked.p0, asked.p1])
        self.base = aim.n * looks_at[-1]
        self.best = np.inf
        self.met: list[tuple[float, Design]] = []

    def run(self) -> list[tuple[float, Design]]:
        """Every design with the least value, with its value; empty if no design keeps both limits."""
        n1 = self.looks_at[0]
        start = Path(n=n1, least=0, reached=binomial_pmf(n1, self.rates), rejected=np.zeros(2), accepted=np.zeros(2))
        if len(self.looks_at) == 2:
            self._last(start, (), float(self.weights.sum()) * n1)
        else:
            self._first(start)
        return [(value, design) for value, design in self.met if value <= self.best + TIE]

    def _first(self, start: Path) -> None:
        n1, n2, _ = self.looks_at
        r, e = start.pairs(self.asked)
        if r.size * n2 * n2 / 4 > MOST_PAIRS:
            raise InputError(
                f"({n1}, {n2}, ...) are too many patients for three looks; give two looks, or fewer patients",
                "looks_at",
            )
        least = self.weights.sum() * n1 + (n2 - n1) * (self.weights @ start.go_on(r, e))
        for i in np.argsort(least, kind="stable"):
            if least[i] + self.base > self.best + TIE:
                break
            here = start.look(int(r[i]), int(e[i]))
            step = start.after(int(r[i]), int(e[i]), n2, self.rates)
            self._last(step, () if here is None else (here,), float(least[i]))

    def _last(self, step: Path, before: tuple[Look, ...], spent: float) -> None:
        """Visit the bounds of the last interim look in the order of their values."""
        last = self.looks_at[-1]
        r, e = step.pairs(self.asked)
        if not before:  # somewhere the trial must be able to stop
            stops = (r >= step.least) | (e <= step.most)
            r, e = r[stops], e[stops]
        values = self.base + spent + (last - step.n) * (self.weights @ step.go_on(r, e))
        chosen = np.argsort(values, kind="stable")
        chosen = chosen[values[chosen] <= self.best + TIE]
        if not chosen.size:
            return
        final = step.final(last, self.rates)
        for part in np.array_split(chosen, 1 + chosen.size * last // BLOCK):
            if values[part[0]] > self.best + TIE:
                return
            near = final.near(r[part], e[part], self.asked)
            for i, bound in np.argwhere(near).tolist():
                value = float(values[part[i]])
                if value > self.best + TIE:
                    break
                here = step.look(int(r[part[i]]), int(e[part[i]]))
                design = design_of((*before, *(() if here is None else (here,)), Look(last, bound)))
                if exact.meets(design, self.asked):
                    self.best = min(self.best, value)
                    self.met.append((value, design))


def no_design(asked: Requirements, looks_at: Sequence[int]) -> InputError:
    """What is said where no rule at the looks keeps both limits."""
    sizes = listed([str(n) for n in looks_at])
    if not can_have_power(looks_at[-1], asked):
        return InputError(
            f"({asked.power}) is out of reach with looks after {sizes} patients: even the most powerful test of level "
            f"{asked.alpha:g} has less; allow more patients",
            "power",
        )
    return InputError(
        f"({asked.power}) is not reached by any rule with looks after {sizes} patients that keeps alpha "
        f"{asked.alpha:g}; allow more patients, or move the looks",
        "power",
    )


@dataclass(frozen=True)
class ChangSearch:
    """The rules at given looks that keep both limits, searched by whatever weighted sum is asked for.

    Attributes
    ----------
    requirements : Requirements
        The question.
    looks_at : tuple of int
        The looks, given or found.
    first : bool
        Whether they are those of the smallest n that has a design, so that designs with more patients are not examined.
    """

    requirements: Requirements
    looks_at: tuple[int, ...]
    first: bool = False

    def result(self, aim: Aim) -> SearchResult:
        """The design with the least value, of equal ones that with the most power, and the others.

        Raises
        ------
        InputError
            If the sum has a part that is searched for no given looks, or no rule keeps both limits.
        """
        if aim.en_max:
            raise InputError(f"({aim.what}) is not what this search makes small; weigh EN(p0) and EN(p1)", "criterion")
        found = _result(self.requirements, self.looks_at, aim)
        if not self.first:
            return found
        return replace(found, certificate=replace(found.certificate, how="capped", cap=self.looks_at[-1]))

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None beside the best."""
        return ()


@kept(256)
def _result(asked: Requirements, looks_at: tuple[int, ...], aim: Aim) -> SearchResult:
    met = MeanSearch(asked, looks_at, aim).run()
    if not met:
        raise no_design(asked, looks_at)
    ranked = sorted(met, key=lambda one: order(one[1], one[0]))
    best, *ties = (Candidate(design, asked) for _, design in ranked)
    value = ranked[0][0]
    last = looks_at[-1]
    proof = Certificate(how="proved", n_lower=least_patients(asked, last), n_upper=last, value=value, bound=value)
    return SearchResult(best=best, ties=tuple(ties), certificate=proof)


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> ChangSearch:
    """Search at the given looks, or at two equal looks of the smallest n that has a design.

    Raises
    ------
    InputError
        If another constraint is given, there are fewer than two or more than `MOST_LOOKS` looks, or no rule at them
        keeps both limits.
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    refuse(requirements, n_limit)
    if asked.looks_at is None:
        return ChangSearch(requirements, _first(requirements), first=True)
    looks_at = given_looks(asked, FAMILY.title)
    if not 2 <= len(looks_at) <= MOST_LOOKS:
        raise InputError(
            f"({', '.join(map(str, looks_at[:6]))}) are not 2 or {MOST_LOOKS} looks, which this search needs to "
            "be complete; give fewer, or take the best stopping bounds",
            "looks_at",
        )
    found = ChangSearch(requirements, looks_at)
    found.result(MEAN)
    return found


@kept(1024)
def _first(asked: Requirements) -> tuple[int, ...]:
    lower = least_patients(asked, N_LIMIT_MOST)
    for n in range(max(lower + lower % 2, 2), N_LIMIT_MOST + 1, 2):
        if MeanSearch(asked, two_equal(n), MEAN).run():
            return two_equal(n)
    raise refused_beyond(asked, N_LIMIT_MOST, "two equal looks")


def _best(designs: Sequence[Design], requirements: Requirements) -> Design:
    """The best by definition: fewest patients first, which matters only where no looks are given."""
    return min(designs, key=lambda design: (design.looks[-1].n, *order(design, MEAN.value(design, requirements))))


CONSTRAINTS = frozenset({"looks_at", "balanced"})
"""The constraints that it takes; without looks both stages are equal anyway."""

LEAST_MEAN: Criterion[Solved] = Criterion(
    key="chang_mean",
    name="Chang",
    phrase="the design with the least mean of EN(p0) and EN(p1) at its looks",
    method="Chang",
    looks=0,
    family="chang",
    kind="mean",
    why="No rule at these looks that meets both limits has a smaller mean of EN(p0) and EN(p1).",
    pick=lambda found: found.result(MEAN).best,
    best=_best,
    aim=MEAN,
)

FAMILY: Family[Solved] = Family(
    key="chang",
    title="designs by Chang's criterion for given looks",
    bound=(
        "Every rule at its looks was examined, and none has a smaller mean of EN(p0) and EN(p1) than {value:.4f}; "
        "unless the looks are given, n is the smallest even n with a design at two equal looks."
    ),
    references=(
        "Chang MN, Therneau TM, Wieand HS, Cha SS. Designs for group sequential phase II clinical trials. Biometrics "
        "1987;43:865-874.",
    ),
    criteria=(LEAST_MEAN,),
    search=search,
    result=solved,
    every=two_equal_looks,
    constraints=CONSTRAINTS,
    looks_given=True,
    weighs=True,
    on_request=True,
)
"""What the register holds of Chang's criterion."""
