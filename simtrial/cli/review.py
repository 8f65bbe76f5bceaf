"""Commands of the reviewer's desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import new_file, options
from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted, rate, stated
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.review.routes import Question

MOST_STUDIES = 20
"""Studies of one file that are listed."""

MOST_QUESTIONS = 10
"""Combinations of p0, p1, alpha and power whose routes are printed."""

TRIED = "Instead of the conventional values; may be given again."

TriedRates = Annotated[list[float] | None, options.number_option("rate", TRIED)]
TriedErrors = Annotated[list[float] | None, options.number_option("error", TRIED)]


def import_registry(
    record: Annotated[
        Path,
        typer.Argument(help="Saved study record of ClinicalTrials.gov: JSON, the answer to a search, or XML."),
    ],
    nct: Annotated[
        str | None, typer.Option(metavar="NCT...", help="Registry number of the study, if the file holds several.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", parser=new_file.read, metavar="FILE",
            help="Write the file here instead of printing it, never over another one.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Turn a registry record into a commented parameter file; what it does not state is marked TO FILL."""
    text = drafted(record, nct, {})
    if out is None:
        terminal.tell(text, end="")
        return
    new_file.draft(out, text, "out")


def drafted(record: Path, nct: str | None, given: Mapping[str, str]) -> str:
    """The parameter file of a registry record, with the numbers that somebody gave."""
    from simtrial.review import draft, registry

    if nct is None:
        several = registry.listed(record)
        for number, title in several[:MOST_STUDIES] if several[1:] else ():
            terminal.say(f"  {terminal.one_line(f'{number} {title}')[:118]}")
    found = registry.read(record, nct)
    for warning in found.warnings:
        terminal.warn(f"warning: {warning}")
    return draft.parameter_file(found, given)


def reproduce(
    n: Annotated[int | None, options.number_option("traced", "Number of patients, as registered or stated.")] = None,
    p0: TriedRates = None,
    p1: TriedRates = None,
    alpha: TriedErrors = None,
    power: TriedErrors = None,
    dropout: Annotated[list[float] | None, options.number_option("dropout_allowed", TRIED)] = None,
    up_to: Annotated[
        int | None, options.number_option("traced", "Count the calculations that give each number up to this one.")
    ] = None,
    low_power: Annotated[bool, typer.Option("--low-power", help="A power below 0.5 is meant.")] = False,
    as_json: options.Json = False,
) -> None:
    """List the standard calculations that give a number of patients, the most conventional first.

    Calculations are ordered by how far p0, p1, alpha and power are from conventional values; an approximate formula
    counts one step more, an allowance for dropout two.
    """
    from dataclasses import asdict

    from simtrial.design.requirements import plausible_power
    from simtrial.review import routes

    for value in () if low_power else power or ():
        plausible_power(value)
    known: dict[str, routes.KnownValues] = {"p0": p0, "p1": p1, "alpha": alpha, "power": power, "dropout": dropout}
    if up_to is not None:
        if n is not None or any(value is not None for value in known.values()):
            raise InputError("excludes all other options; leave them out", "up_to")
        with terminal.bar(1, "of the work", "computing") as tell:
            counts = routes.numbers(up_to, tell)
        _tell_numbers(counts, as_json)
        return
    if n is None:
        raise InputError("is missing; give --n 25, or --up-to 100", "n")
    with terminal.bar(1, "of the work", "computing") as tell:
        found = routes.cached(n, known, tell=tell)
    if as_json:
        terminal.print_json({"n": n, "routes": [asdict(route) for route in found]})
        return
    questions = routes.grouped(found)
    for losses in (False, True):
        mine = [question for question in questions if question.losses == losses]
        if mine:
            _questions_table(mine, n, "with" if losses else "without")
    if not found:
        terminal.tell(f"{routes.why_none(n)}. Try other values with --p0, --p1, --alpha, --power and --dropout.")
        return
    terminal.tell(
        "--json lists all calculations; --p0, --p1, --alpha, --power and --dropout restrict them or try other values."
    )


def _questions_table(questions: Sequence[Question], n: int, allowed: str) -> None:
    """The most conventional combinations of p0, p1, alpha and power, and the routes from each."""
    total = sum(len(question.routes) for question in questions)
    shown, left = questions[:MOST_QUESTIONS], questions[MOST_QUESTIONS:]
    more = f"; the {len(shown)} most conventional of {counted(len(questions), 'combination')}" if left else ""
    gives = agreeing(total, "gives", "give")
    title = (
        f"{counted(total, 'calculation')} that {gives} {counted(n, 'patient')}, {allowed} an allowance for "
        f"dropout{more}"
    )
    way = "design or formula, with the exact type I error and power of its rule in brackets"
    rows = [[*("" if v is None else f"{v:g}" for v in (q.p0, q.p1, q.alpha, q.power)), _ways(q)] for q in shown]
    terminal.table(title, ("p0", "p1", "alpha", "power", way), rows, left=5)


def _ways(question: Question) -> str:
    """The routes of one question: each rule once, with the methods that lead there."""
    from simtrial.review.wording import named

    ways: dict[str, list[str]] = {}
    for r in question.routes:
        errors = "" if r.type_i_error is None else f" ({rate(r.type_i_error)}, {rate(r.attained_power or 0.0)})"
        losses = f", dropout of {stated(r.dropout)}: {r.n_evaluable} evaluable" if r.dropout else ""
        rule = (r.looks or "").replace(",", ", ")
        methods = ways.setdefault(f"{rule or f'{r.n_evaluable}'}{errors}{losses}", [])
        name = named(r.method)
        if name not in methods:  # n/(1 - d) and n(1 + d) may give the same
            methods.append(name)
    return "; ".join(f"{', '.join(methods)} {rule}" for rule, methods in ways.items())


def _tell_numbers(found: dict[int, dict[str, int]], as_json: bool) -> None:
    from simtrial.review.readings import EXACT
    from simtrial.search.wording import called

    if as_json:
        terminal.print_json({"numbers": [{"n": n, "routes": counts} for n, counts in found.items()]})
        return
    rows = [
        [str(n), *(str(counts[m]) for m in EXACT), str(sum(k for m, k in counts.items() if m not in EXACT))]
        for n, counts in found.items()
    ]
    heads = ("n", *map(called, EXACT), "formulas")
    terminal.table(
        "Number of calculations that give each number of patients, without an allowance for dropout", heads, rows
    )


def printed(
    responses: Annotated[int, options.number_option("responses", "Number of responses.")],
    n: Annotated[int, options.number_option("patients", "Number of patients.")],
    low: Annotated[
        str, options.number_option("printed_limit", "Lower limit as printed, with its zeros: 0.068.", "text")
    ],
    high: Annotated[
        str, options.number_option("printed_limit", "Upper limit as printed, with its zeros: 0.410.", "text")
    ],
    looks: Annotated[str | None, typer.Option(help="The two-stage design, if the trial had one.")] = None,
    decimals: Annotated[
        int | None,
        options.number_option("decimals", "Decimals of both limits as proportions: 3 for 6.8%; default: as typed."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Find the method and the level that give a printed confidence interval of a response rate."""
    from dataclasses import asdict

    from simtrial.design.designs import TwoStage, parse_looks
    from simtrial.review.published import interval

    design = None if looks is None else parse_looks(looks)
    if design is not None and not isinstance(design, TwoStage):
        raise InputError(f"({looks}) does not have two looks; leave --looks out for a single stage", "looks")
    if responses > n:
        raise InputError(f"({responses}) is above n ({n})", "responses")
    with terminal.waiting("comparing methods"):
        found = interval(responses, n, low, high, design, decimals)
    if as_json:
        terminal.print_json({"matches": [asdict(match) for match in found]})
        return
    if not found:
        terminal.tell("No method gives this interval at a conventional level.")
    if found[1:]:
        terminal.tell("Several methods give this interval:")
    for match in found:
        terminal.tell(f"{match.method}, {100 * match.level:g}%: {match.low:.4f} to {match.high:.4f}")
