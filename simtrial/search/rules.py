"""Rules that give bounds without a search: one function per rule, with its parameters as keywords."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING

from simtrial.design.designs import parse_looks
from simtrial.errors import InputError
from simtrial.phrases import listed
from simtrial.search import curtailment
from simtrial.search.bayesian import bop2_rule, lee_liu_rule
from simtrial.search.bayesian import thall_simon as thall_simon_rule
from simtrial.search.bayesian.posterior import parse_prior
from simtrial.search.fleming import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.design.designs import Design
    from simtrial.search.bayesian.posterior import BetaPrior
    from simtrial.search.curtailment import ConditionalPower


def fleming(*, looks_at: Sequence[int], p0: float, alpha: float) -> Design:
    """Fleming's rule at given looks: `simtrial.search.fleming.bounds`.

    Examples
    --------
    >>> from simtrial import looks_text
    >>> looks_text(fleming(looks_at=[20, 35, 45], p0=0.2, alpha=0.05))
    '3:9/20,9:12/35,13/45'
    """
    return bounds(looks_at, p0, alpha)


def curtailed(
    *,
    base: str | Design,
    p1: float | None = None,
    theta_f: float | None = None,
    theta_e: float | None = None,
    block: int = 1,
    cp: ConditionalPower = "recursive",
) -> Design:
    """Curtail a design, given or written as looks: `simtrial.search.curtailment.curtail`.

    Examples
    --------
    >>> from simtrial import looks_text
    >>> looks_text(curtailed(base="5/25", block=5))
    ':6/10,:6/15,0:6/20,5/25'
    """
    design = parse_looks(base) if isinstance(base, str) else base
    return curtailment.curtail(design, p1, theta_f=theta_f, theta_e=theta_e, block=block, cp=cp)


def lee_liu(
    *,
    looks_at: Sequence[int],
    p0: float,
    prior: str | BetaPrior,
    theta_l: float,
    theta_t: float,
    theta_u: float = 1.0,
    strict: bool = True,
) -> Design:
    """Lee and Liu's rule, its prior given or written as text: `simtrial.search.bayesian.lee_liu_rule.lee_liu`.

    Examples
    --------
    >>> from simtrial import looks_text
    >>> looks_text(lee_liu(looks_at=[10, 20, 30, 36], p0=0.2, prior=".2,.8", theta_l=0.001, theta_t=0.9))
    '0/10,1/20,5/30,10/36'
    """
    believed = parse_prior(prior) if isinstance(prior, str) else prior
    return lee_liu_rule.lee_liu(looks_at, p0, believed, theta_l, theta_t, theta_u, strict=strict)


def bop2(
    *,
    looks_at: Sequence[int],
    p0: float,
    lam: float,
    gamma: float,
    prior: str | BetaPrior | None = None,
    eta: float | None = None,
    strict: bool = True,
) -> Design:
    """BOP2 at given looks, the prior given or written ``a,b``: `simtrial.search.bayesian.bop2_rule.bop2`.

    Examples
    --------
    >>> from simtrial import looks_text
    >>> looks_text(bop2(looks_at=[10, 20, 30, 40], p0=0.2, prior=".2,.8", lam=0.86, gamma=0.95))
    '1/10,3/20,7/30,11/40'
    """
    believed = parse_prior(prior) if isinstance(prior, str) else prior
    return bop2_rule.bop2(looks_at, p0, lam, gamma, prior=believed, eta=eta, strict=strict)


def thall_simon(
    *,
    looks_at: Sequence[int],
    prior_e: str | BetaPrior,
    prior_s: str | BetaPrior,
    delta: float = 0.0,
    theta_l: float | None = None,
    theta_u: float | None = None,
    strict: bool = True,
) -> Design:
    """Thall and Simon at given looks, priors given or written ``a,b``: `simtrial.search.bayesian.thall_simon`.

    Examples
    --------
    >>> from simtrial import looks_text
    >>> looks_text(thall_simon(looks_at=[20, 40], prior_e=".6,1.4", prior_s="15,35", theta_l=0.05, theta_u=0.95))
    '2:11/20,18/40'
    """
    new = parse_prior(prior_e, "prior_e") if isinstance(prior_e, str) else prior_e
    standard = parse_prior(prior_s, "prior_s") if isinstance(prior_s, str) else prior_s
    return thall_simon_rule.thall_simon(
        looks_at, new, standard, delta=delta, theta_l=theta_l, theta_u=theta_u, strict=strict
    )


RULES: dict[str, Callable[..., Design]] = {
    "fleming": fleming,
    "curtailed": curtailed,
    "lee_liu": lee_liu,
    "bop2": bop2,
    "thall_simon": thall_simon,
}
"""The rules by their keys."""


def bounds_by(key: str, **parameters: object) -> Design:
    """The design that a rule gives.

    Parameters
    ----------
    key : str
        One of `RULES`.
    parameters : object
        Its parameters, by their names.

    Raises
    ------
    InputError
        If there is no such rule, or it does not take a parameter or lacks one.
    """
    if key not in RULES:
        *others, last = RULES
        raise InputError(f"({key!r:.40}) is unknown; write {', '.join(others)} or {last}", "rule")
    takes = signature(RULES[key]).parameters
    for name in parameters:
        if name not in takes:
            raise InputError(f"is not a parameter of the rule {key}, which takes {listed(list(takes))}", name)
    for name, one in takes.items():
        if one.default is Parameter.empty and parameters.get(name) is None:
            raise InputError(f"is missing; the rule {key} needs it", name)
    return RULES[key](**parameters)
