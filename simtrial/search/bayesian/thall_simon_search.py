"""The search among all thresholds of Thall and Simon (`simtrial.search.bayesian.thall_simon`) at given looks.

Neither prior is a matter of the four numbers of a question. Unless they are given, that of the new treatment has the
mean p0 and weighs as much as `DIFFUSE` patients, that of the standard has the mean p0 and weighs as much as
`INFORMATIVE` patients, and the gain is 0. The constraint ``prior`` is that of the new treatment; another one of the
standard is asked for with `ThallSimonSearch`.

* least_en: the least EN(p0) among the boundaries that keep both limits.

Without looks they are after every `EVERY` patients and at N, and N is the smallest number of patients with which some
boundary keeps both limits.

`simtrial.search.bayesian.thall_simon_thresholds` says why nothing better exists.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import MAX_LOOKS, Look, MultiStage
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.search.aim import LEAST_EN
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.bounds import refuse
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.given import EVERY, design_of, least_patients, refused_beyond, usual_looks
from simtrial.search.record import Criterion, Family, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.bayesian.thall_simon_thresholds import ThallSimonSearch


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> ThallSimonSearch:
    """Search at the given looks, or at every `EVERY` patients and N, the smallest with which both limits can be kept.

    Raises
    ------
    InputError
        If another constraint is given, or no number of patients will do.

    Examples
    --------
    >>> from simtrial import Requirements, looks_text
    >>> found = search(Requirements(0.2, 0.4, 0.1, 0.8), constraints=Constraints(looks_at=(10, 20, 30)))
    >>> looks_text(found.result(LEAST_EN).best)
    '1:5/10,3:8/20,9/30'
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    refuse(requirements, n_limit)
    return _found(requirements, asked)


@kept(256)
def _found(requirements: Requirements, constraints: Constraints) -> ThallSimonSearch:
    from simtrial.search.bayesian.thall_simon import MOST  # here, as no other family needs them
    from simtrial.search.bayesian.thall_simon_thresholds import ThallSimonSearch

    stops, prior = constraints.stops or "both", None if constraints.prior is None else BetaPrior(*constraints.prior)
    if constraints.looks_at is not None:
        return ThallSimonSearch(requirements, given_looks(constraints, FAMILY.title), prior_e=prior, stops=stops)
    most = min(MOST, EVERY * MAX_LOOKS)
    for n in range(least_patients(requirements, most), most + 1):
        found = ThallSimonSearch(requirements, usual_looks(n), prior_e=prior, stops=stops, capped=True)
        if found.meeting(LEAST_EN):
            return found
    raise refused_beyond(requirements, most, f"Thall and Simon with looks after every {EVERY} patients")


def every(n: int) -> Iterator[Design]:
    """Every design with at most one look before the last, at the usual numbers of patients up to n."""
    *early, last = usual_looks(n)
    if not early:
        yield from (design_of((Look(last, r),)) for r in range(last))
        return
    (first,) = early
    for r1, r in product(range(-1, first), range(last)):
        for e1 in range(r1 + 2, first + 2) if r >= r1 else ():
            yield MultiStage((Look(first, r1 if r1 >= 0 else None, e1 if e1 <= first else None), Look(last, r)))


def _least(designs: Sequence[Design], requirements: Requirements) -> Design:
    """The least EN(p0) by definition, among the designs with the smallest n that some thresholds give."""
    from simtrial.search.bayesian.thall_simon import chances, thall_simon
    from simtrial.search.bayesian.thall_simon_thresholds import DIFFUSE, INFORMATIVE

    for n in sorted({design.looks[-1].n for design in designs}):
        looks_at = usual_looks(n)
        p0 = requirements.p0
        priors = BetaPrior.of(mean=p0, size=DIFFUSE), BetaPrior.of(mean=p0, size=INFORMATIVE)
        found = chances(*priors, n)
        values = np.unique(np.concatenate([found[at, : at + 1] for at in looks_at]))
        between = [*((values[1:] + values[:-1]) / 2).tolist(), values[0] / 2, (1 + values[-1]) / 2]
        given = set[tuple[Look, ...]]()
        for theta_l, theta_u in product(between, between):
            try:
                given.add(thall_simon(looks_at, *priors, theta_l=theta_l, theta_u=theta_u).looks)
            except InputError:
                continue
        ours = [design for design in designs if design.looks[-1].n == n and design.looks in given]
        if ours:
            return LEAST_EN.best(ours, requirements)
    raise ValueError("none of these designs is one of Thall and Simon")


CONSTRAINTS = frozenset({"looks_at", "stops", "prior"})
"""The constraints that it takes."""

LEAST: Criterion[Solved] = Criterion(
    key="thall_simon_least_en",
    name="Thall and Simon, least EN(p0)",
    phrase="the boundary of Thall and Simon with the least EN(p0) at its looks",
    method="Thall and Simon, least EN(p0)",
    looks=0,
    family="thall_simon",
    kind="least_en",
    why="No thresholds of Thall and Simon at these looks that meet both limits have a smaller EN(p0).",
    pick=lambda found: found.result(LEAST_EN).best,
    best=_least,
    aim=LEAST_EN,
)

FAMILY: Family[Solved] = Family(
    key="thall_simon",
    title="boundaries of Thall and Simon",
    bound=(
        "Every pair of thresholds at its looks was examined; the prior of the standard has the mean p0 and weighs as "
        "much as 50 patients, and unless it is given, that of the new treatment has the mean p0 and weighs as much as "
        "2; unless the looks are given, they are after every 10 patients, "
        "and {n_upper} is the smallest n with a boundary that meets both limits."
    ),
    references=(
        "Thall PF, Simon R. Practical Bayesian guidelines for phase IIB clinical trials. Biometrics 1994;50:337-349.",
    ),
    criteria=(LEAST,),
    search=search,
    result=solved,
    every=every,
    constraints=CONSTRAINTS,
    looks_given=True,
    weighs=True,
    on_request=True,
    # not looked for among rules of which nobody says that they are its: it depends on priors that are not stated
    quick_n=0,
)
"""What the register holds of Thall and Simon."""
