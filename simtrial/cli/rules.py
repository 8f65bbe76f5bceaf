"""The command that gives the bounds of a rule at given looks."""

from __future__ import annotations

from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import designs_json, options, posterior
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simtrial.design.designs import Design

RULES = ("fleming", "curtailed", "lee_liu", "bop2", "thall_simon")
TYPED = {"lam": "lambda_", "strict": "not_strict"}
"""Parameters of rules whose options have other names."""


def takes(rule: str) -> dict[str, bool]:
    """The options that belong to a rule, each with whether it needs it: what `simtrial.search.rules` takes."""
    from simtrial.search import rules

    return {
        TYPED.get(name, name): one.default is one.empty for name, one in signature(rules.RULES[rule]).parameters.items()
    }


def parameters(rule: str, given: Mapping[str, object]) -> dict[str, object]:
    """What is given of a rule's options, by the names of its parameters."""
    names = {option: name for name, option in TYPED.items()}
    found = {names.get(name, name): given[name] for name in takes(rule) if given.get(name) is not None}
    return found if "strict" not in found else found | {"strict": False}


RulePrior = Annotated[
    str | None,
    options.prior_option("lee_liu, bop2: the prior Beta(A, B), or mean=M,size=N.  [default for bop2: p0,1-p0]"),
]
ThresholdScale = Annotated[
    float | None,
    options.number_option("lam", "bop2: futile if the posterior is below LAMBDA (n/N)^GAMMA.", name="--lambda"),
]
ThresholdExponent = Annotated[float | None, options.number_option("gamma", "bop2: the exponent of the threshold.")]
EfficacyExponent = Annotated[
    float | None,
    options.number_option("eta", "bop2: stop for efficacy above 1-(1-LAMBDA) (n/N)^ETA.  [default: no such stop]"),
]
NewPrior = Annotated[
    str | None,
    options.prior_option("thall_simon: the prior Beta(A, B) of the new treatment."),
]
StandardPrior = Annotated[
    str | None,
    options.prior_option("thall_simon: the prior Beta(A, B) of the standard."),
]
Gain = Annotated[
    float | None, options.number_option("gain", "thall_simon: the gain asked of the new treatment.  [default: 0]")
]
FutilityBelow = Annotated[
    float | None,
    options.number_option(
        "threshold", "Futile if below: the predictive probability (lee_liu) or P(pE > pS + GAIN) (thall_simon)."
    ),
]
FinalAbove = Annotated[
    float | None,
    options.number_option(
        "threshold", "lee_liu: at the end reject H0 if the posterior probability of p > p0 is above."
    ),
]
EfficacyAbove = Annotated[
    float | None,
    options.number_option(
        "threshold",
        "Stop and reject H0 if above: the predictive probability (lee_liu; 1: never) or P(pE > pS) (thall_simon).  "
        "[default for lee_liu: 1]",
    ),
]
EqualStops = Annotated[
    bool,
    typer.Option(
        "--not-strict", help="lee_liu, bop2, thall_simon: a probability that equals its threshold stops the trial."
    ),
]

SeenAt = Annotated[
    str | None,
    options.number_option(
        "patients_seen",
        "Of a Bayesian rule: posterior and prediction after X responses of N.",
        "list",
        ("N", "X"),
    ),
]
OtherPriors = Annotated[
    bool,
    typer.Option("--sensitivity", help="Of a Bayesian rule: the bounds and exact errors under other priors."),
]


def bounds(
    rule: Annotated[str, typer.Option(help=f"The rule: {', '.join(RULES[:-1])} or {RULES[-1]}.")],
    looks_at: Annotated[
        str | None,
        typer.Option(help="Numbers of patients at the looks, 10,20,30, or 1-30 for every patient; not for curtailed."),
    ] = None,
    base: Annotated[str | None, typer.Option(help="curtailed: the design that is curtailed, such as 5/25.")] = None,
    p0: Annotated[float | None, options.number_option("rate", "Response rate not worth pursuing.")] = None,
    p1: Annotated[
        float | None, options.number_option("rate", "Response rate worth finding; conditional power is computed at it.")
    ] = None,
    alpha: Annotated[float | None, options.number_option("error", "fleming: nominal type I error, one-sided.")] = None,
    theta_f: Annotated[
        float | None, options.number_option("theta", "curtailed: stop for futility if conditional power is below.")
    ] = None,
    theta_e: Annotated[
        float | None, options.number_option("theta", "curtailed: stop for efficacy if conditional power is above.")
    ] = None,
    block: Annotated[int | None, options.number_option("block", "curtailed: patients per look.  [default: 1]")] = None,
    cp: Annotated[
        str | None,
        typer.Option(help="curtailed: 'recursive' conditional power, or 'plain', of the base.  [default: recursive]"),
    ] = None,
    prior: RulePrior = None,
    lambda_: ThresholdScale = None,
    gamma: ThresholdExponent = None,
    eta: EfficacyExponent = None,
    prior_e: NewPrior = None,
    prior_s: StandardPrior = None,
    delta: Gain = None,
    theta_l: FutilityBelow = None,
    theta_t: FinalAbove = None,
    theta_u: EfficacyAbove = None,
    not_strict: EqualStops = False,
    at: SeenAt = None,
    sensitivity: OtherPriors = False,
    as_json: options.Json = False,
) -> None:
    """Give the bounds of a rule at given looks, with its exact errors; of a Bayesian one also what its prior says."""
    given: dict[str, object] = {
        "looks_at": looks_at, "base": base, "p0": p0, "p1": p1, "alpha": alpha, "theta_f": theta_f,
        "theta_e": theta_e, "block": block, "cp": cp, "prior": prior, "lambda_": lambda_, "gamma": gamma, "eta": eta,
        "prior_e": prior_e, "prior_s": prior_s, "delta": delta, "theta_l": theta_l, "theta_t": theta_t,
        "theta_u": theta_u, "not_strict": not_strict or None,
    }  # fmt: skip
    _check(rule, given)
    _answer(rule, given, (p0, p1), at, sensitivity=sensitivity, as_json=as_json)


def _check(rule: str, given: Mapping[str, object]) -> None:
    """Refuse a rule that is unknown, an option that is not its own, and one that it lacks."""
    if rule not in RULES:
        raise InputError(f"({rule!r:.40}) is unknown; write {', '.join(RULES[:-1])} or {RULES[-1]}", "--rule")
    own = takes(rule)
    for name, value in given.items():
        if value is not None and name not in (*own, "p0", "p1"):
            raise InputError(f"does not belong to {rule}; leave it out", told_as(name))
        if value is None and own.get(name):
            raise InputError(f"is missing; {rule} needs it", told_as(name))


def _answer(
    rule: str,
    given: Mapping[str, object],
    rates: tuple[float | None, float | None],
    at: str | None,
    *,
    sensitivity: bool,
    as_json: bool,
) -> None:
    """Compute the bounds and what else is asked, and print it."""
    from simtrial.search import rules

    found = _parameters(rule, given)
    with _dashed():
        design = rules.bounds_by(rule, **found)
        seen = None if at is None else posterior.seen(design, posterior.prior_of(rule, found, "at"), at)
        others = posterior.under_priors(rule, found, rates) if sensitivity else ()
    if as_json:
        answer: dict[str, object] = {"looks": designs_json.looks(design)}
        answer |= {"exact": _exact_json(design, [p for p in rates if p is not None])}
        answer |= {} if seen is None else {"at": posterior.seen_json(seen, rates[0])}
        terminal.print_json(answer | ({"sensitivity": posterior.under_priors_json(others)} if others else {}))
        return
    _show(design, [p for p in rates if p is not None])
    if seen is not None:
        posterior.show_seen(seen, rates[0])
    if others:
        posterior.show_under_priors(others)


def _exact_json(design: Design, rates: list[float]) -> list[dict[str, float]]:
    """The exact values of a design at p0 and p1, as far as they are given."""
    from simtrial.design.exact import operating_characteristics

    oc = operating_characteristics(design, rates)
    values = zip(rates, oc.reject.tolist(), oc.pet.tolist(), oc.en.tolist(), strict=True)
    return [{"p": p, "reject": reject, "pet": pet, "en": en} for p, reject, pet, en in values]


@contextmanager
def _dashed() -> Iterator[None]:
    """Name what is wrong as it is typed."""
    try:
        yield
    except InputError as error:
        raise InputError(error.message, told_as(error.field)) from None


def _parameters(rule: str, given: Mapping[str, object]) -> dict[str, object]:
    from simtrial.design.designs import parse_sizes

    found = parameters(rule, given)
    if "looks_at" in found:
        found["looks_at"] = parse_sizes(str(found["looks_at"]))
    return found


def _show(design: Design, rates: list[float]) -> None:
    from simtrial.design.designs import looks_text
    from simtrial.design.exact import operating_characteristics

    rows = [[str(look.n), *("-" if b is None else str(b) for b in (look.r, look.e))] for look in design.looks[:-1]]
    last = design.looks[-1]
    rows.append([str(last.n), str(last.r), str((last.r or 0) + 1)])
    heads = ("n", "stop for futility if X <=", "reject H0 if X >=")
    terminal.table(f"Bounds: {looks_text(design, ', ')}", heads, rows)
    if rates:
        found = operating_characteristics(design, rates)
        lines = [
            [f"{p:g}", f"{found.reject[i]:.6f}", f"{found.pet[i]:.6f}", f"{found.en[i]:.4f}"]
            for i, p in enumerate(rates)
        ]
        terminal.table("Exact values", ("p", "P(reject H0)", "PET", "EN"), lines)
