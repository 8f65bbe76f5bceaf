"""The command that checks a stated sample size, or a published Bayesian or adaptive design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.cli import bayesian_check, branching_check, options
from simtrial.cli import section as cli_section
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.show import terminal
from simtrial.trial.statement import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.review.check import Verdict
    from simtrial.trial.statement import Statement

CheckedFile = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="Parameter file whose section `stated` is checked."),
]
StatedLooks = Annotated[
    str | None, typer.Option(help="The decision rule as stated, cumulative: 1/10,5/29, 5/25 or 3:7/15,8/25.")
]
StatedText = Annotated[
    Path | None,
    typer.Option("--text", help="Find and check the statement in a sample-size section: plain text or .docx."),
]
StatedMethod = Annotated[
    str | None, typer.Option(help=f"The method as stated: {', '.join(METHODS.usual)}, or a criterion of a family.")
]


def check(
    parameter_file: CheckedFile = None,
    p0: Annotated[float | None, options.number_option("rate")] = None,
    p1: Annotated[float | None, options.number_option("rate")] = None,
    alpha: Annotated[float | None, options.number_option("error")] = None,
    power: Annotated[float | None, options.number_option("error")] = None,
    looks: StatedLooks = None,
    alpha_sided: Annotated[int | None, options.number_option("sides", "Sides of alpha, as stated.")] = None,
    criterion: StatedMethod = None,
    n: Annotated[int | None, options.number_option("patients", "Patients; with --looks, dropout included.")] = None,
    dropout: Annotated[float | None, options.number_option("dropout", "Dropout allowed for.")] = None,
    type_i_error: Annotated[str | None, options.number_option("share", "Type I error, as printed.", "text")] = None,
    attained_power: Annotated[str | None, options.number_option("share", "Power, as printed.", "text")] = None,
    en_p0: Annotated[str | None, options.number_option("mean_patients", "EN(p0), as printed.", "text")] = None,
    pet_p0: Annotated[str | None, options.number_option("share", "PET(p0), as printed.", "text")] = None,
    file: Annotated[Path | None, typer.Option("--csv", help="Check every row of this CSV.")] = None,
    text: StatedText = None,
    rule: bayesian_check.CheckedRule = None,
    table: branching_check.CheckedTable = None,
    looks_at: bayesian_check.CheckedSizes = None,
    prior: bayesian_check.CheckedPrior = None,
    lambda_: bayesian_check.CheckedLambda = None,
    gamma: bayesian_check.CheckedGamma = None,
    eta: bayesian_check.CheckedEta = None,
    prior_e: bayesian_check.CheckedNew = None,
    prior_s: bayesian_check.CheckedStandard = None,
    delta: bayesian_check.CheckedGain = None,
    theta_l: bayesian_check.CheckedThetaL = None,
    theta_t: bayesian_check.CheckedThetaT = None,
    theta_u: bayesian_check.CheckedThetaU = None,
    not_strict: bayesian_check.NotStrict = False,
    trials: bayesian_check.SimulatedTrials = None,
    as_json: options.Json = False,
) -> None:
    """Check whether a stated sample size can be reproduced, and if not, what is wrong."""
    stated = {
        "p0": p0, "p1": p1, "alpha": alpha, "power": power, "alpha_sided": alpha_sided, "criterion": criterion,
        "n": n, "dropout": dropout, "type_i_error": type_i_error, "attained_power": attained_power, "en_p0": en_p0,
        "pet_p0": pet_p0,
    }  # fmt: skip
    bayesian = {
        "looks_at": looks_at, "prior": prior, "lambda_": lambda_, "gamma": gamma, "eta": eta, "prior_e": prior_e,
        "prior_s": prior_s, "delta": delta, "theta_l": theta_l, "theta_t": theta_t, "theta_u": theta_u,
        "not_strict": not_strict or None, "trials": trials,
    }  # fmt: skip
    several = any(v is not None for v in (looks, rule, table, *stated.values(), *bayesian.values()))
    if sum((file is not None, parameter_file is not None, text is not None, several)) > 1:
        raise InputError(
            "check has a statement from several places; give a parameter file, --csv, --text, or the options"
        )
    if rule is not None or table is not None:
        _by_rule(rule, {"looks": looks, "table": table}, bayesian, stated, as_json)
        return
    bayesian_check.refuse_without_rule(bayesian)
    if text is not None:
        _check_text(text, as_json)
    elif file is not None:
        _check_csv(file, as_json)
    else:
        _tell(_checked(_typed(looks, stated) if parameter_file is None else _stated(parameter_file)), as_json)


def _by_rule(
    rule: str | None,
    typed: dict[str, str | None],
    given: Mapping[str, object],
    stated: Mapping[str, object],
    as_json: bool,
) -> None:
    """The check of a design by a Bayesian rule, or of an adaptive table, which may be given as looks too."""
    looks, table = typed["looks"], typed["table"]
    branching_check.refuse_without_rule(table, rule)
    assert rule is not None  # a table without one is refused
    if rule != branching_check.RULE:
        bayesian_check.run(rule, given, stated, looks, as_json=as_json)
    elif table is None and "|" in (looks or ""):
        branching_check.run(looks, given, stated, as_json=as_json)
    else:
        branching_check.run(table, {"looks": looks, **given}, stated, as_json=as_json)


def _typed(looks: str | None, stated: Mapping[str, Any]) -> Statement:
    """The statement that the options make."""
    from simtrial.trial.statement import Statement

    printed = {name: None if stated[name] is None else options.number(stated[name]) for name in bayesian_check.PRINTED}
    known = {**stated, **printed}
    n = known.pop("n")
    if looks is not None:
        return Statement.of_looks(looks, total=n, **known)
    return Statement(total=n if known["dropout"] else None, n=None if known["dropout"] else n, **known)


def _check_csv(file: Path, as_json: bool) -> None:
    """The verdicts on the rows of a file."""
    from simtrial.trial.statements import read_csv

    statements, others = read_csv(file)
    if others:
        terminal.warn(f"ignored columns: {', '.join(others)}"[:300])
    _check_all(statements, as_json)


def _check_text(path: Path, as_json: bool) -> None:
    """The elements of a stated section, the verdict on them, and what is to be asked."""
    found, heading = cli_section.checked(path)
    if as_json:
        terminal.print_json(cli_section.as_json(found, heading, _verdict_json(found.verdict)))
        return
    cli_section.show(found, heading)
    _tell(found.verdict, as_json)
    cli_section.ask(found)


def _checked(statement: Statement) -> Verdict:
    """The verdict, with a bar on a terminal where it takes more than a second."""
    from simtrial.review import check as review_check
    from simtrial.review import conventions

    with terminal.bar(len(conventions.SETS), "readings", "checking") as tell:
        return review_check.check(statement, tell)


def _stated(file: Path) -> Statement:
    from simtrial.trial import params

    trial, source = params.read(file)
    if trial.stated is None:
        raise InputError("is missing: it holds the statement to be checked", f"{source.path}: trial.stated")
    return trial.stated.statement


def _tell(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        terminal.print_json(_verdict_json(verdict))
        return
    terminal.wrapped(verdict.kind, style="bold")
    for convention in verdict.conventions:
        terminal.tell(f"  convention: {convention.name} ({convention.sentence})")
    for line in verdict.lines:
        terminal.wrapped(line)


def _verdict_json(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.kind,
        "conventions": [convention.name for convention in verdict.conventions],
        "attained": verdict.attained,
        "expected": [
            {"method": a.method, "r1": a.r1, "n1": a.n1, "r": a.r, "n": a.n, "looks": a.looks} for a in verdict.answers
        ],
        "explanation": verdict.explanation,
        "lines": list(verdict.lines),
    }


def _check_all(statements: Sequence[tuple[str, Statement]], as_json: bool) -> None:
    """One verdict per row."""
    from simtrial.review import check as review_check

    found = []
    with terminal.bar(len(statements), "statements", "checking") as tell:
        for label, statement in statements:
            found.append((label, review_check.check(statement)))
            tell(1)
    if as_json:
        terminal.print_json({"verdicts": [{"id": label} | _verdict_json(verdict) for label, verdict in found]})
        return
    rows = [
        [label, verdict.kind, ", ".join(c.name for c in verdict.conventions), verdict.explanation]
        for label, verdict in found
    ]
    terminal.table(counted(len(rows), "statement"), ("id", "verdict", "conventions", "explanation"), rows, left=4)
