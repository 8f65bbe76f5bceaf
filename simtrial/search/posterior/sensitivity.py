"""How much the bounds of a Bayesian rule, and their exact errors, depend on its prior.

The parameters of the rule stay as they are, and another prior takes the place of its own: a vague one, Jeffreys' prior,
and priors whose mean is p0 or p1 that weigh as much as 1, 2, 5 and 10 patients. Of Thall and Simon's rule it is the
prior of the new treatment; that of the standard, from which its hypothesis comes, stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.search import rules
from simtrial.search.bayesian.posterior import BetaPrior

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.design.designs import Design
    from simtrial.search.parameters import RuleParameters

SIZES = (1, 2, 5, 10)
"""Patients that the priors with mean p0 and p1 weigh as much as."""

PRIOR = {"lee_liu": "prior", "bop2": "prior", "thall_simon": "prior_e"}
"""The parameter of each Bayesian rule that is the prior of the treatment that is studied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderPrior:
    """What a rule gives under one prior.

    Attributes
    ----------
    name : str
        What the prior is.
    prior : BetaPrior
        The prior.
    asked : bool
        Whether it is the one that was asked for.
    design : Design or None
        The bounds; None where the rule gives no test.
    why : str
        Why not.
    type_i_error, power, en_p0, en_p1 : float or None
        Exact values of the bounds; None without bounds, or without p1.
    """

    name: str
    prior: BetaPrior
    asked: bool
    design: Design | None = None
    why: str = ""
    type_i_error: float | None = None
    power: float | None = None
    en_p0: float | None = None
    en_p1: float | None = None


def priors(p0: float, p1: float | None, asked: BetaPrior) -> list[tuple[str, BetaPrior]]:
    """The priors that are tried, the one that was asked for first, each once.

    Examples
    --------
    >>> [name for name, _ in priors(0.2, None, BetaPrior(0.2, 0.8))]
    ['as asked', 'vague', 'Jeffreys', 'mean p0, size 2', 'mean p0, size 5', 'mean p0, size 10']
    """
    rates = [("p0", p0)] if p1 is None else [("p0", p0), ("p1", p1)]
    every = [
        ("as asked", asked),
        ("vague", BetaPrior(1, 1)),
        ("Jeffreys", BetaPrior(0.5, 0.5)),
        *((f"mean {name}, size {size}", BetaPrior.of(mean=rate, size=size)) for name, rate in rates for size in SIZES),
    ]
    first = {prior.pair: name for name, prior in reversed(every)}
    return [(name, prior) for name, prior in every if first[prior.pair] == name]


def sensitivity(
    rule: str, parameters: Mapping[str, object], p0: float, p1: float | None = None
) -> tuple[UnderPrior, ...]:
    """What a Bayesian rule gives under other priors.

    Parameters
    ----------
    rule : str
        lee_liu, bop2 or thall_simon.
    parameters : mapping
        As `simtrial.search.rules` takes them, the prior included.
    p0, p1 : float
        The rates at which errors are computed.

    Examples
    --------
    >>> from simtrial.design.designs import looks_text
    >>> given = {"looks_at": (10, 20, 30), "p0": 0.2, "prior": BetaPrior(0.2, 0.8), "lam": 0.9, "gamma": 0.9}
    >>> for one in sensitivity("bop2", given, 0.2)[:3]:
    ...     print(one.name, looks_text(one.design), round(one.type_i_error, 4))
    as asked 1/10,4/20,9/30 0.0571
    vague 1/10,4/20,8/30 0.1132
    Jeffreys 1/10,4/20,8/30 0.1132
    """
    name = PRIOR[rule]
    asked = parameters[name]
    assert isinstance(asked, BetaPrior)  # whoever asks has read it
    return tuple(
        _under(rule, {**parameters, name: prior}, (called, prior, called == "as asked"), (p0, p1))
        for called, prior in priors(p0, p1, asked)
    )


def of_parameters(found: RuleParameters, p1: float) -> tuple[UnderPrior, ...]:
    """The same of the parameters that a search states."""
    given: dict[str, object] = {"looks_at": found.looks_at}
    given |= {"lam" if name == "lambda" else name: value for name, value in found.one.items()}
    given |= {name: BetaPrior(*pair) for name, pair in found.priors.items()}
    if found.rule != "thall_simon":
        given["p0"] = found.p0
    return sensitivity(found.rule, given, found.p0, p1)


def _under(
    rule: str, parameters: Mapping[str, object], prior: tuple[str, BetaPrior, bool], rates: tuple[float, float | None]
) -> UnderPrior:
    name, believed, asked = prior
    try:
        design = rules.bounds_by(rule, **parameters)
    except InputError as error:
        return UnderPrior(name=name, prior=believed, asked=asked, why=str(error))
    found = operating_characteristics(design, [rate for rate in rates if rate is not None])
    reject, en = found.reject.tolist(), found.en.tolist()
    return UnderPrior(
        name=name,
        prior=believed,
        asked=asked,
        design=design,
        type_i_error=reject[0],
        power=reject[1] if len(reject) > 1 else None,
        en_p0=en[0],
        en_p1=en[1] if len(en) > 1 else None,
    )
