"""What `bounds` adds for a Bayesian rule: what is believed after some responses, and other priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.design.designs import Design
    from simtrial.search.bayesian.posterior import BetaPrior
    from simtrial.search.posterior.at_look import SeenSoFar
    from simtrial.search.posterior.sensitivity import UnderPrior

DECIDED = {
    "futile": "the trial stops for futility",
    "continues": "the trial continues",
    "rejects": "H0 is rejected",
    "not_rejected": "H0 is not rejected",
}
"""What happens at a look."""


def prior_of(rule: str, parameters: Mapping[str, object], option: str) -> BetaPrior:
    """The prior of the treatment that is studied, as it was typed; Beta(p0, 1 - p0) where BOP2 has no other.

    Raises
    ------
    InputError
        If the rule has none, so that the option does not go with it.
    """
    from simtrial.search.bayesian.posterior import parse_prior, usual_prior
    from simtrial.search.posterior.sensitivity import PRIOR

    if rule not in PRIOR:
        known = list(PRIOR)
        raise InputError(f"goes with a rule that has a prior: {', '.join(known[:-1])} or {known[-1]}", option)
    typed = parameters.get(PRIOR[rule])
    return usual_prior(float(str(parameters["p0"]))) if typed is None else parse_prior(str(typed), PRIOR[rule])


def seen(design: Design, prior: BetaPrior, text: str) -> SeenSoFar:
    """The patients and responses that were typed as N,X."""
    from simtrial.inputs import TABLE
    from simtrial.search.posterior.at_look import SeenSoFar

    parts = text.split(",")
    if len(parts) != 2:
        raise InputError(f"({text[:40]!r}) is not N,X; write patients and responses, such as 20,4", "at")
    n, x = (TABLE["patients_seen"].read(part, "at") for part in parts)
    if x > n:
        raise InputError(f"({text[:40]}) has more responses than patients; write the patients first: N,X", "at")
    return SeenSoFar(design=design, prior=prior, n=int(n), x=int(x))


def seen_json(one: SeenSoFar, p0: float | None) -> dict[str, object]:
    """What is believed after some responses, for programs."""
    return {
        "n": one.n,
        "x": one.x,
        "decision": one.decision,
        "prior": list(one.prior.pair),
        "posterior": list(one.posterior.pair),
        "mean": one.posterior.mean,
        "interval": list(one.posterior.interval()),
        "beyond_p0": None if p0 is None else float(one.prior.beyond(p0, one.n, one.x)),
        "predictive": one.above_bound,
        "rejecting": one.rejecting,
        "at_end": one.at_end.tolist(),
    }


def show_seen(one: SeenSoFar, p0: float | None) -> None:
    """The same as a table."""
    from simtrial.search.posterior import text

    rows = [list(row) for row in text.seen(one, p0)]
    decided = "" if one.decision is None else f": {DECIDED[one.decision]}"
    terminal.table(f"After {counted(one.x, 'response')} of {one.n}{decided}", ("quantity", "value"), rows)


def under_priors(
    rule: str, parameters: Mapping[str, object], rates: tuple[float | None, float | None]
) -> tuple[UnderPrior, ...]:
    """What the rule gives under other priors.

    Raises
    ------
    InputError
        If the rate is missing at which errors are computed.
    """
    from simtrial.search.posterior.sensitivity import PRIOR, sensitivity

    prior, (p0, p1) = prior_of(rule, parameters, "sensitivity"), rates
    if p0 is None:
        raise InputError("is missing; the type I error is computed at it", "p0")
    return sensitivity(rule, {**parameters, PRIOR[rule]: prior}, p0, p1)


def under_priors_json(found: Sequence[UnderPrior]) -> list[dict[str, object]]:
    """The same for programs."""
    from simtrial.cli.designs_json import looks

    keys = ("type_i_error", "power", "en_p0", "en_p1")
    return [
        {"name": one.name, "prior": list(one.prior.pair), "asked": one.asked}
        | {"looks": None if one.design is None else looks(one.design), "why_not": one.why or None}
        | {key: getattr(one, key) for key in keys}
        for one in found
    ]


def show_under_priors(found: Sequence[UnderPrior]) -> None:
    """The same as a table."""
    from simtrial.search.posterior import tables

    heads = ("prior", "looks (r:e/n)", "type I error", "power", "EN(p0)", "EN(p1)")
    terminal.table("The same rule under other priors", heads, [list(row) for row in tables.rows(found)], left=2)
    for one in found:
        if one.design is None:
            terminal.wrapped(f"{one.name}: no test, because {one.why}.")
