"""The check of a published Bayesian design: its options, and how its findings are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import options
from simtrial.cli import rules as cli_rules
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.review.bayesian import BayesianCheck, BayesianStatement

RULES = ("lee_liu", "bop2", "thall_simon")
"""The rules of which a published design may be."""

ALWAYS = ("looks_at", "trials")
"""Options of the check itself."""

PRINTED = ("type_i_error", "attained_power", "en_p0", "pet_p0")
"""Options of printed values."""

CheckedRule = Annotated[
    str | None, typer.Option(help=f"Check a design by a Bayesian rule ({', '.join(RULES)}), or an adaptive one.")
]
CheckedSizes = Annotated[
    str | None,
    typer.Option(help="--rule: patients at the looks, 10,20,30, or 1-30.  [default: those of --looks]"),
]
CheckedPrior = Annotated[
    str | None,
    options.prior_option("lee_liu, bop2: the prior Beta(A, B), or mean=M,size=N.  [default: p0,1-p0]"),
]
CheckedLambda = Annotated[float | None, options.number_option("lam", "bop2: lambda, as published.", name="--lambda")]
CheckedGamma = Annotated[float | None, options.number_option("gamma", "bop2: gamma, as published.")]
CheckedEta = Annotated[float | None, options.number_option("eta", "bop2: the exponent of a stop for efficacy.")]
CheckedNew = Annotated[str | None, options.prior_option("thall_simon: the prior of the new treatment.")]
CheckedStandard = Annotated[str | None, options.prior_option("thall_simon: the prior of the standard.")]
CheckedGain = Annotated[float | None, options.number_option("gain", "thall_simon: the gain.  [default: 0]")]
CheckedThetaL = Annotated[float | None, options.number_option("threshold", "lee_liu, thall_simon: theta_L.")]
CheckedThetaT = Annotated[float | None, options.number_option("threshold", "lee_liu: theta_T.")]
CheckedThetaU = Annotated[float | None, options.number_option("threshold", "lee_liu, thall_simon: theta_U.")]
NotStrict = Annotated[
    bool, typer.Option("--not-strict", help="--rule: a probability that equals its threshold stops the trial.")
]
SimulatedTrials = Annotated[
    int | None, options.number_option("trials", "--rule: simulated trials behind the printed errors.")
]


def refuse_without_rule(given: Mapping[str, object]) -> None:
    """Refuse options of a rule where no rule is named.

    Raises
    ------
    InputError
        If there are any.
    """
    for name, value in given.items():
        if value is not None:
            raise InputError("belongs to the check of a Bayesian design; name it with --rule", told_as(name))


def run(
    rule: str, given: Mapping[str, object], stated: Mapping[str, object], looks: str | None, *, as_json: bool
) -> None:
    """Check a Bayesian design and print the findings.

    Raises
    ------
    InputError
        If options are missing or do not belong to the rule; named as they are typed.
    """
    if rule not in RULES:
        *others, last = (*RULES, "adaptive")
        raise InputError(f"({rule!r:.40}) is unknown; write {', '.join(others)} or {last}", "--rule")
    for name, value in given.items():
        if value is not None and name not in (*cli_rules.takes(rule), *ALWAYS):
            raise InputError(f"does not belong to {rule}; leave it out", told_as(name))
    for name, value in stated.items():
        if value is not None and name not in ("p0", "p1", "alpha", "power", *PRINTED):
            raise InputError("does not belong to the check of a Bayesian design; leave it out", told_as(name))
    if stated["p0"] is None:
        raise InputError("is missing; the type I error is computed at it", "--p0")
    try:
        statement = _statement(rule, given, stated, looks)
        found = _checked(statement)
    except InputError as error:
        name = "lambda" if error.field == "lam" else error.field
        raise InputError(error.message, name if name.startswith("--") else told_as(name)) from None
    if as_json:
        from simtrial.review import bayesian_text

        terminal.print_json(bayesian_text.as_json(found))
        return
    _show(found)


def _statement(
    rule: str, given: Mapping[str, object], stated: Mapping[str, object], looks: str | None
) -> BayesianStatement:
    from simtrial.design.designs import parse_looks, parse_sizes
    from simtrial.review.bayesian import BayesianStatement

    design = None if looks is None else parse_looks(looks)
    if given["looks_at"] is not None:
        sizes = parse_sizes(str(given["looks_at"]))
    elif design is not None:
        sizes = tuple(look.n for look in design.looks)
    else:
        raise InputError("is missing; give it, or the bounds with --looks", "looks_at")
    parameters = cli_rules.parameters(rule, {name: value for name, value in given.items() if name not in ALWAYS})
    p1, trials = stated["p1"], given["trials"]
    return BayesianStatement(
        rule=rule,
        p0=float(str(stated["p0"])),
        p1=None if p1 is None else float(str(p1)),
        looks_at=sizes,
        parameters=parameters,
        stated=design,
        printed={name: str(stated[name]) for name in PRINTED if stated[name] is not None},
        trials=None if trials is None else int(str(trials)),
        **{name: None if stated[name] is None else float(str(stated[name])) for name in ("alpha", "power")},
    )


def _checked(statement: BayesianStatement) -> BayesianCheck:
    """The check, computed."""
    from simtrial.review import bayesian, bayesian_text

    with terminal.waiting("checking"):
        found = bayesian.BayesianCheck(statement)
        _ = bayesian_text.lines(found)
    return found


def _show(found: BayesianCheck) -> None:
    from simtrial.review import bayesian, bayesian_text

    given = found.statement
    terminal.wrapped(found.kind, style="bold")
    for line in bayesian_text.lines(found):
        terminal.wrapped(line)
    terminal.tell()
    nearest = found.by_rule is None and found.found is not None and bool(found.found.nearest)
    heads: tuple[str, ...] = ("n", "nearest of the rule" if nearest else "by the rule", "as stated", "agree")
    rows = [
        [str(n), bayesian_text.bound(mine), bayesian_text.bound(theirs), "yes" if mine == theirs else "no"]
        for n, mine, theirs in found.rows
    ]
    if given.stated is None:
        heads, rows = heads[:2], [row[:2] for row in rows]
    terminal.table(f"Bounds at {counted(len(rows), 'look')}: R or R:E", heads, rows)
    origin = found.found
    if origin is not None and origin.ranges:
        ranges = [[bayesian_text.SHOWN[one.name], f"{one.low:.6f}", f"{one.high:.6f}"] for one in origin.ranges]
        terminal.table("Parameters that give the stated bounds", ("parameter", "from", "to"), ranges)
    rates = [(given.p0, "type_i_error", "p0")] + ([] if given.p1 is None else [(given.p1, "power", "p1")])
    lines = [
        [f"{p:g}", f"{found.exact[key]:.6f}", f"{found.exact[f'pet_{name}']:.6f}", f"{found.exact[f'en_{name}']:.4f}"]
        for p, key, name in rates
    ]
    of = "the bounds as stated" if given.stated is not None else "the bounds by the rule"
    terminal.table(f"Exact values of {of}", ("p", "P(reject H0)", "PET", "EN"), lines)
    if not found.printed:
        return
    compared = [
        [
            bayesian.PRINTED[one.name], one.printed, bayesian_text.digits(one.name, one.exact),
            "" if one.mcse is None else f"{one.mcse:.2g}",
            "" if one.standard_errors is None else f"{one.standard_errors:.1f}",
            bayesian_text.CLOSE[one.closeness],
        ]
        for one in found.printed
    ]  # fmt: skip
    terminal.table("Printed values", ("value", "printed", "exact", "MCSE", "standard errors", "verdict"), compared)
