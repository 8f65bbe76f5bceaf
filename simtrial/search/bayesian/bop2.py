"""The search among all boundaries of BOP2 (`simtrial.search.bayesian.bop2_rule`) at given looks.

* most_power: the most power among the boundaries that keep alpha, for any lambda from 1e-6 to 1 - 1e-6 and gamma from 0
  to 1, the published range [1]_. Larger gamma is left out on purpose: without an end to it, the design that never stops
  would win. The limit on power plays no part; equal power is decided by the least EN(p0).
* least_en: the least EN(p0) among those that keep both limits.

With a stop for efficacy (``stops="both"``) eta is from 0 to 3, as in the program of Xu et al.

The prior is Beta(p0, 1 - p0) unless another is given.

`simtrial.search.bayesian.bop2_search` says why nothing better exists. Without looks they are after every `EVERY`
patients and at N, and N is the smallest number of patients with which some boundary keeps both limits.

References
----------
.. [1] Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and complex
   endpoints. Stat Med 2017;36:3302-3314.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design import exact
from simtrial.design.designs import MAX_LOOKS, Look
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.search.aim import LEAST_EN, TIE
from simtrial.search.bayesian.posterior import BetaPrior, usual_prior
from simtrial.search.bounds import refuse
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.given import EVERY, design_of, least_patients, refused_beyond, usual_looks
from simtrial.search.record import Criterion, Family

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.bayesian.bop2_search import Bop2Search


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> Bop2Search:
    """Search at the given looks, or at every `EVERY` patients and N, the smallest with which both limits can be kept.

    Raises
    ------
    InputError
        If another constraint is given, or no number of patients will do.

    Examples
    --------
    >>> from simtrial import Requirements, looks_text
    >>> found = search(Requirements(0.2, 0.4, 0.1, 0.8), constraints=Constraints(looks_at=(10, 20, 30, 40)))
    >>> best = found.result()
    >>> looks_text(best.best), best.parameters.one
    ('1/10,3/20,7/30,11/40', {'lambda': 0.86, 'gamma': 0.95})
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    refuse(requirements, n_limit)
    if asked.stops == "efficacy":
        raise InputError(
            "('efficacy') is not possible for BOP2, which stops for futility; write futility or both", "stops"
        )
    return _found(requirements, asked)


@kept(256)
def _found(requirements: Requirements, constraints: Constraints) -> Bop2Search:
    from simtrial.search.bayesian.bop2_search import Bop2Search  # here, as no other family needs it

    efficacy, prior = constraints.stops == "both", None if constraints.prior is None else BetaPrior(*constraints.prior)
    if constraints.looks_at is not None:
        return Bop2Search(requirements, given_looks(constraints, FAMILY.title), prior=prior, efficacy=efficacy)
    most = min(N_LIMIT_MOST, EVERY * MAX_LOOKS)
    for n in range(least_patients(requirements, most), most + 1):
        found = Bop2Search(requirements, usual_looks(n), prior=prior, efficacy=efficacy, capped=True)
        if found.possible() and found.meeting(LEAST_EN) is not None:
            return found
    raise refused_beyond(requirements, most, f"BOP2 with looks after every {EVERY} patients")


def every(n: int) -> Iterator[Design]:
    """Every list of futility bounds at the usual looks up to n patients, whether BOP2 has it or not."""

    def rows(looks_at: tuple[int, ...], least: int) -> Iterator[tuple[Look, ...]]:
        here, *later = looks_at
        for r in range(max(least, -1 if later else 0), here):
            look = Look(here, r if r >= 0 else None)
            yield from ((look, *rest) for rest in rows(tuple(later), r)) if later else ((look,),)

    yield from (design_of(looks) for looks in rows(usual_looks(n), -1))


def _of_bop2(designs: Sequence[Design], requirements: Requirements) -> list[Design]:
    """The boundaries of BOP2 among some designs with the smallest n that has one."""
    from simtrial.search.bayesian.bop2_region import parameters

    found: list[Design] = []
    for design in sorted(designs, key=lambda one: one.looks[-1].n):
        if found and design.looks[-1].n > found[0].looks[-1].n:
            break
        lower = [-1 if look.r is None else look.r for look in design.looks]
        looks_at = [look.n for look in design.looks]
        if parameters(usual_prior(requirements.p0), requirements.p0, looks_at, lower) is not None:
            found.append(design)
    return found


def _most_powerful(designs: Sequence[Design], requirements: Requirements) -> Design:
    """The most power by definition, then the least EN(p0)."""

    def key(design: Design) -> tuple[float, ...]:
        power = float(exact.operating_characteristics(design, requirements.p1).reject)
        return -round(power / TIE), *LEAST_EN.order(design, LEAST_EN.value(design, requirements))

    return min(_of_bop2(designs, requirements), key=key)


def _least(designs: Sequence[Design], requirements: Requirements) -> Design:
    return LEAST_EN.best(_of_bop2(designs, requirements), requirements)


CONSTRAINTS = frozenset({"looks_at", "stops", "prior"})
"""The constraints that it takes."""

MOST_POWER: Criterion[Bop2Search] = Criterion(
    key="bop2_most_power",
    name="BOP2, most power",
    phrase="the boundary of BOP2 with the most power at its looks",
    method="BOP2, most power",
    looks=0,
    family="bop2",
    kind="most_power",
    why="No boundary of BOP2 at these looks that keeps alpha, with gamma of at most 1, has more power.",
    pick=lambda found: found.result().best,
    best=_most_powerful,
)

LEAST: Criterion[Bop2Search] = Criterion(
    key="bop2_least_en",
    name="BOP2, least EN(p0)",
    phrase="the boundary of BOP2 with the least EN(p0) at its looks",
    method="BOP2, least EN(p0)",
    looks=0,
    family="bop2",
    kind="least_en",
    why="No boundary of BOP2 at these looks that meets both limits has a smaller expected sample size EN(p0).",
    pick=lambda found: found.result(LEAST_EN).best,
    best=_least,
    aim=LEAST_EN,
)

FAMILY: Family[Bop2Search] = Family(
    key="bop2",
    title="boundaries of BOP2",
    bound=(
        "Every boundary that some lambda, and some gamma from 0 to 1, give at its looks was examined; unless the looks "
        "are given, they are after every 10 patients, and {n_upper} is the smallest n with a boundary that meets both "
        "limits."
    ),
    references=(
        "Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and complex "
        "endpoints. Stat Med 2017;36:3302-3314.",
    ),
    criteria=(MOST_POWER, LEAST),
    search=search,
    result=lambda found, criterion: found.result(criterion.aim),
    every=every,
    constraints=CONSTRAINTS,
    looks_given=True,
    weighs=True,
    on_request=True,
    # not looked for among rules of which nobody says that they are its: most bounds at two looks are
    quick_n=0,
    main="bop2_least_en",
)
"""What the register holds of BOP2."""
