"""Two stages with a stop for futility and a stop for efficacy at the first look.

Stop for futility if X1 <= r1, stop and reject H0 if X1 >= e1, otherwise reject H0 if X > r of n, with r1 + 2 <= e1 <=
r + 1 and e1 <= n1. With e1 = r + 1 the second stop only ends what is decided: both errors stay as they are. A larger e1
is never needed, and a design whose e1 would be above n1 has none. Three numbers of patients may be small, over all n or
among the designs with the smallest n: EN(p0) and EN(p1) [1]_, and the largest EN(p) over all true response rates [2]_,
which `simtrial.design.largest` gives in closed form. EN(p0) and EN(p1) are both below the largest.

`simtrial.search.two_looks.scan` holds the search and says why it is complete. The bound P_p1(X > r) >= power of designs
without a stop for efficacy does not hold here, because trials with X1 >= e1 reject H0 whatever X is.

References
----------
.. [1] Mander AP, Thompson SG. Two-stage designs optimal under the alternative hypothesis for phase II cancer clinical
   trials. Contemp Clin Trials 2010;31:572-578.
.. [2] Shuster J. Optimal two-stage designs for single arm phase II cancer trials. J Biopharm Stat 2002;12:39-51.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.design.designs import Look, MultiStage, TwoStage
from simtrial.design.requirements import N_LIMIT
from simtrial.search.aim import Aim
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.record import Criterion, Family, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements

CONSTRAINTS = frozenset({"looks_at", "stops", "futility_optional", "r1", "n1_least", "balanced", "cap", "multiple_of"})
"""The constraints that it takes."""

_NAMES = {"en_p0": "EN(p0)", "en_p1": "EN(p1)", "en_max": "maximum EN"}
_LEAST = {"en_p0": Aim(en_p0=1.0), "en_p1": Aim(en_p1=1.0), "en_max": Aim(en_max=1.0)}
_MEANT = {
    "en_p0": "expected sample size EN(p0)",
    "en_p1": "expected sample size EN(p1)",
    "en_max": "maximum expected sample size over all true response rates",
}


def _criterion(kind: str, *, minimax: bool) -> Criterion[Solved]:
    """The criterion that makes one of three numbers small, over all n or among the designs with the smallest n."""
    aim = replace(_LEAST[kind], smallest_n=minimax)
    best = "minimax" if minimax else "optimal"
    none = f"No two-stage design with stops for futility and efficacy has a smaller {'n' if minimax else _MEANT[kind]}"
    return Criterion(
        key=f"efficacy_{kind}{'_minimax' if minimax else ''}",
        name=f"efficacy stop, {_NAMES[kind]}-{best}",
        phrase=f"the {_NAMES[kind]}-{best} design with an efficacy stop",
        method=f"efficacy stop, {_NAMES[kind]}-{best}",
        looks=2,
        family="efficacy",
        kind=f"{kind}{'_minimax' if minimax else ''}",
        why=f"{none}, and none of the same n has a smaller {_MEANT[kind]}." if minimax else f"{none}.",
        pick=lambda found: found.result(aim).best,
        best=aim.best,
        aim=aim,
        protocol=f"a two-stage design with stops for futility and efficacy ({_NAMES[kind]}-{best})",
    )


CRITERIA = tuple(_criterion(kind, minimax=minimax) for kind in _NAMES for minimax in (False, True))
TOGETHER = tuple(criterion.aim for criterion in CRITERIA if criterion.aim is not None)


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> Solved:
    """Find two-stage designs with stops for futility and efficacy by six criteria at once.

    Raises
    ------
    InputError
        If even the most powerful test needs more than `n_limit` patients, or the constraints leave no design.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> found = search(Requirements(p0=0.1, p1=0.35, alpha=0.01, power=0.9))
    >>> found.result(Aim(en_max=1.0)).best.design
    TwoStage(r1=4, n1=23, r=8, n=35, e1=7)
    """
    from simtrial.search.two_looks import looks as two_looks  # here, because a register of families needs it not

    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    return two_looks.search(requirements, asked, n_limit=n_limit, together=TOGETHER)


def every(n: int) -> Iterator[Design]:
    """Every design with n patients."""
    for n1 in range(1, n):
        for r in range(1, n):
            for r1 in range(min(r, n1)):
                for e1 in range(r1 + 2, min(r, n1) + 2):
                    yield TwoStage(r1, n1, r, n, e1=e1 if e1 <= n1 else None)


def every_without_futility(n: int) -> Iterator[Design]:
    """Every design with n patients whose first look stops for efficacy only."""
    for n1 in range(1, n):
        for r in range(n):
            for e1 in range(1, min(r + 1, n1) + 1):
                yield MultiStage((Look(n1, None, e1), Look(n, r)))


FAMILY: Family[Solved] = Family(
    key="efficacy",
    title="two-stage designs with stops for futility and efficacy",
    bound=(
        "With more than {n_upper} patients no design is better by any of the six criteria; the smallest EN(p0) is "
        "{value:.4f}."
    ),
    references=(
        "Mander AP, Thompson SG. Two-stage designs optimal under the alternative hypothesis for phase II cancer "
        "clinical trials. Contemp Clin Trials 2010;31:572-578.",
        "Shuster J. Optimal two-stage designs for single arm phase II cancer trials. J Biopharm Stat 2002;12:39-51.",
    ),
    criteria=CRITERIA,
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    holds=lambda design: isinstance(design, TwoStage) and design.r1 < design.r,
    listed=lambda found: found.admissible,
    every=every,
    beside=("en_p0", "en_p1", "en_max"),
    weighs=True,
    quick_n=200,
    on_request=True,
)
"""What the register holds of two stages with a stop for efficacy."""
