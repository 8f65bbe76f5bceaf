"""The command line: tables for people, one JSON object with ``--json``, one line for an error."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.errors import InputError
from simtrial.requirements import N_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from simtrial.analysis import Final
    from simtrial.designs import Design
    from simtrial.reproduction import Verdict
    from simtrial.routes import Question
    from simtrial.simulation import Result, Simulation
    from simtrial.statement import Statement

app = typer.Typer(
    name="simtrial",
    help="Design and simulate single-arm phase II trials with an objective-response endpoint, exactly.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} must be a number") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} must be a whole number") from None


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the results.")]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _print_json(data: dict[str, Any]) -> None:
    print(json.dumps(data, allow_nan=False))


def _console() -> Console:
    from rich.console import Console

    # text goes where a terminal's width is not known, and a terminal too narrow wraps: no number is ever cut
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for k, head in enumerate(heads):
        table.add_column(head, justify="left" if k < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = _console()
    console.print(title, style="bold")
    console.print(table)


@app.command()
def design(
    p0: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Response rate not worth pursuing.")],
    p1: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Response rate worth finding.")],
    alpha: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Largest type I error, one-sided.")],
    power: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Smallest power at p1.")],
    n_limit: Annotated[
        int,
        typer.Option(parser=_whole, metavar="N", help="Refuse if even the most powerful test needs more patients."),
    ] = N_LIMIT,
    as_json: Json = False,
) -> None:
    """Find the single-stage and two-stage designs that meet the limits, with proof."""
    from simtrial import approximations, search
    from simtrial.designs import looks_text
    from simtrial.requirements import Requirements

    asked = Requirements(p0, p1, alpha, power)
    single = search.single_stage(asked, n_limit=n_limit)
    two = search.two_stage(asked, n_limit=n_limit)
    rough = approximations.approximate(asked)
    proof = two.certificate
    if as_json:
        stage = ("r", "n", "type_i_error", "power")
        pair = ("r1", "n1", *stage, "pet_p0", "en_p0", "pet_p1", "en_p1", "q_low", "q_high")
        _print_json(
            {
                "requirements": {"p0": asked.p0, "p1": asked.p1, "alpha": asked.alpha, "power": asked.power},
                "single_stage": {
                    name: {key: getattr(found, key) for key in stage}
                    for name, found in (("first", single.first), ("sustained", single.sustained))
                },
                "two_stage": [
                    {"kinds": list(c.kinds)} | {key: getattr(c, key) for key in pair} for c in two.admissible
                ],
                "approximations": [
                    {key: getattr(a, key) for key in ("method", "n_raw", "n", "r", "type_i_error", "power")}
                    for a in rough
                ],
                "certificate": {
                    "n_lower": proof.n_lower,
                    "n_upper": proof.n_upper,
                    "n_minimax": proof.n_minimax,
                    "en_optimal": proof.en_optimal,
                    "en_beyond": proof.en_beyond,
                    "solved": proof.solved,
                    "n_single_stage_proven": single.n_proven,
                },
            }
        )
        return
    rows = [
        [
            ", ".join(c.kinds),
            looks_text(c, ", "),
            str(c.n),
            f"{c.type_i_error:.4f}",
            f"{c.power:.4f}",
            f"{c.en_p0:.2f}",
            f"{c.pet_p0:.4f}",
            f"{c.q_low:.3f}-{c.q_high:.3f}",
        ]
        for c in two.admissible
    ]
    for name, found in (("single, first", single.first), ("single, sustained", single.sustained)):
        rows.append(
            [
                name,
                looks_text(found),
                str(found.n),
                f"{found.type_i_error:.4f}",
                f"{found.power:.4f}",
                f"{found.n:.2f}",
                "",
                "",
            ]
        )
    title = f"H0: p <= {asked.p0:g} against p1 = {asked.p1:g}, alpha {asked.alpha:g} (one-sided), power {asked.power:g}"
    heads = ("design", "looks (r/n)", "n", "type I", "power", "EN(p0)", "PET(p0)", "weights q")
    _table(title, heads, rows, left=2)
    lines = [[a.title, f"{a.n}", f"{a.r}", f"{a.type_i_error:.4f}", f"{a.power:.4f}"] for a in rough]
    formula_heads = ("textbook formula", "n", "rejects if X >", "exact type I", "exact power")
    _table("What the formulas say, and what their rules do", formula_heads, lines)
    _console().print(
        f"Stop if X1 <= r1 of n1; reject H0 if X > r of n. Proof: below n = {proof.n_lower} no design has the power; "
        f"above n = {proof.n_upper} EN(p0) is at least {proof.en_beyond:.4f}."
    )


@app.command()
def oc(
    looks: Annotated[str, typer.Option(help="R/N or R:E/N, cumulative, comma-separated: 1/10,5/29.")],
    p: Annotated[
        list[float], typer.Option(parser=_number, metavar="RATE", help="True response rate; may be given again.")
    ],
    as_json: Json = False,
) -> None:
    """Evaluate any design exactly: P(reject H0), PET and EN at each true response rate."""
    from simtrial.designs import looks_text, parse_looks
    from simtrial.exact import operating_characteristics

    design = parse_looks(looks)
    found = operating_characteristics(design, p)
    if as_json:
        _print_json(
            {
                "looks": [{"n": look.n, "r": look.r, "e": look.e} for look in design.looks],
                "p": found.p.tolist(),
                "reject": found.reject.tolist(),
                "pet": found.pet.tolist(),
                "en": found.en.tolist(),
            }
        )
        return
    rows = [
        [f"{rate:g}", f"{found.reject[i]:.6f}", f"{found.pet[i]:.6f}", f"{found.en[i]:.4f}"] for i, rate in enumerate(p)
    ]
    title = f"{looks_text(design, ', ')} (stop if X <= r; reject H0 if X > r at the end)"
    _table(title, ("p", "P(reject H0)", "PET", "EN"), rows)
    stops = [
        [str(n), *(f"{found.n_distribution[i, k]:.6f}" for i in range(len(p)))] for k, n in enumerate(found.n.tolist())
    ]
    _table("How many patients: P(N = n)", ("n", *(f"p = {rate:g}" for rate in p)), stops)


@app.command()
def simulate(
    file: Annotated[Path, typer.Argument(help="Parameter file with a conduct section.")],
    trials: Annotated[
        int | None, typer.Option(parser=_whole, metavar="N", help="Trials of each scenario, instead of the file's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(parser=_whole, metavar="N", help="Seed, from 0 on, instead of the file's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the trial of a parameter file in calendar time, with the exact values beside the simulated ones."""
    from simtrial import params, simulation

    trial, source = params.read(file)
    if trial.conduct is None:
        raise InputError("is missing: it says how the trial is run (see params/example.yaml)", f"{file}: trial.conduct")
    size = trial.conduct.simulation
    trials, seed = trials if trials is not None else size.trials, seed if seed is not None else size.seed
    simulation.check(trials, seed)
    design, plan = simulation.taken(trial, str(source.path))
    assert plan is not None  # the file has a conduct section
    with _bar(trials * len(trial.scenarios)) as progress:
        done = simulation.simulate(plan, trial.scenarios, trials, seed, progress)
    if as_json:
        _print_json({"trials": trials, "seed": seed, "scenarios": [_scenario_json(r) for r in done.results]})
        return
    _simulation_tables(design, done)


Rate = Annotated[float | None, typer.Option(parser=_number, metavar="RATE")]
Rates = Annotated[
    list[float] | None,
    typer.Option(parser=_number, metavar="RATE", help="Instead of the usual values; may be given again."),
]


@app.command()
def check(
    parameter_file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Parameter file whose section `stated` is checked.")
    ] = None,
    p0: Rate = None,
    p1: Rate = None,
    alpha: Rate = None,
    power: Rate = None,
    looks: Annotated[str | None, typer.Option(help="The rule as stated, cumulative: 1/10,5/29 or 5/25.")] = None,
    alpha_sided: Annotated[int | None, typer.Option(parser=_whole, metavar="1|2", help="As stated.")] = None,
    criterion: Annotated[
        str | None, typer.Option(help="minimax, optimal, admissible, two_stage, single_stage or fleming.")
    ] = None,
    n: Annotated[
        int | None, typer.Option(parser=_whole, metavar="N", help="Patients in all; with looks, losses allowed for.")
    ] = None,
    dropout: Annotated[float | None, typer.Option(parser=_number, metavar="RATE", help="Loss allowed for.")] = None,
    type_i_error: Annotated[
        float | None, typer.Option(parser=_number, metavar="RATE", help="Attained type I error, as printed.")
    ] = None,
    attained_power: Annotated[
        float | None, typer.Option(parser=_number, metavar="RATE", help="Attained power, as printed.")
    ] = None,
    en_p0: Annotated[float | None, typer.Option(parser=_number, metavar="N", help="EN(p0), as printed.")] = None,
    pet_p0: Annotated[float | None, typer.Option(parser=_number, metavar="RATE", help="PET(p0), as printed.")] = None,
    file: Annotated[Path | None, typer.Option("--csv", help="Check every row of this CSV instead.")] = None,
    as_json: Json = False,
) -> None:
    """Say whether a stated sample size can be reproduced, and if not, what is wrong."""
    from simtrial import reproduction
    from simtrial.statement import Statement, ignored, read_csv

    stated: dict[str, Any] = {
        "p0": p0, "p1": p1, "alpha": alpha, "power": power, "alpha_sided": alpha_sided, "criterion": criterion,
        "dropout": dropout, "type_i_error": type_i_error, "attained_power": attained_power, "en_p0": en_p0,
        "pet_p0": pet_p0,
    }  # fmt: skip
    numbers = (looks, n, *stated.values())
    if (file is not None) + (parameter_file is not None) + any(v is not None for v in numbers) > 1:
        raise InputError("take a statement from one place: a parameter file, --csv, or the numbers given here", "check")
    if file is not None:
        statements = read_csv(file)
        others = ignored(file)
        if others:
            _say(f"columns left alone: {', '.join(others)}"[:300])
        _check_all(statements, as_json)
        return
    if parameter_file is not None:
        _tell(reproduction.check(_stated(parameter_file)), as_json)
        return
    if looks is not None:
        statement = Statement.of_looks(looks, total=n, **stated)
    else:
        statement = Statement(total=n if dropout else None, n=None if dropout else n, **stated)
    _tell(reproduction.check(statement), as_json)


def _stated(file: Path) -> Statement:
    from simtrial import params

    trial, source = params.read(file)
    if trial.stated is None:
        raise InputError("is missing: it holds the statement to be checked", f"{source.path}: trial.stated")
    return trial.stated.statement


def _tell(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        _print_json(_verdict_json(verdict))
        return
    _console().print(verdict.kind, style="bold")
    for convention in verdict.conventions:
        print(f"  convention: {convention.name} ({convention.sentence})")
    _console().print(verdict.explanation)


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.kind,
        "conventions": [convention.name for convention in verdict.conventions],
        "attained": verdict.attained,
        "expected": [
            {"method": a.method, "r1": a.r1, "n1": a.n1, "r": a.r, "n": a.n, "looks": a.looks} for a in verdict.answers
        ],
        "explanation": verdict.explanation,
    }


def _check_all(statements: Sequence[tuple[str, Statement]], as_json: bool) -> None:
    """One verdict a row, each as soon as it is there."""
    from simtrial import reproduction

    found = []
    for k, (label, statement) in enumerate(statements, start=1):
        if sys.stderr.isatty():
            print(f"\r  {k} of {len(statements)}", end="", file=sys.stderr, flush=True)
        found.append((label, reproduction.check(statement)))
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    if as_json:
        _print_json({"verdicts": [{"id": label} | _verdict_json(verdict) for label, verdict in found]})
        return
    rows = [
        [label, verdict.kind, ", ".join(c.name for c in verdict.conventions), verdict.explanation]
        for label, verdict in found
    ]
    _table(f"{len(rows)} statements", ("id", "verdict", "conventions", "explanation"), rows, left=4)


@app.command()
def import_registry(
    record: Annotated[Path, typer.Argument(help="Study record, JSON of the ClinicalTrials.gov API version 2.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the file here instead of printing it.")] = None,
) -> None:
    """Turn a registry record into a commented parameter file; what it does not say is marked TO FILL."""
    from simtrial import registry

    found = registry.read(record)
    text = registry.parameter_file(found)
    for warning in found.warnings:
        _say(f"warning: {warning}")
    if out is None:
        print(text, end="")
        return
    if out.exists():
        raise InputError("is there already; choose another name", f"{out}")
    out.write_text(text, encoding="utf-8")
    _say(f"wrote {out}")


@app.command()
def reproduce(
    n: Annotated[
        int | None, typer.Option(parser=_whole, metavar="N", help="Patients, as registered or stated.")
    ] = None,
    p0: Rates = None,
    p1: Rates = None,
    alpha: Rates = None,
    power: Rates = None,
    dropout: Rates = None,
    up_to: Annotated[
        int | None,
        typer.Option(parser=_whole, metavar="N", help="Count the routes to every number up to this instead."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the standard calculations that give a number of patients, the most plausible first.

    The order: how far p0, p1, alpha and power are from what most people use; an approximate formula counts one more, an
    allowance for losses two.
    """
    from dataclasses import asdict

    from simtrial import routes

    known: dict[str, routes.Known] = {"p0": p0, "p1": p1, "alpha": alpha, "power": power, "dropout": dropout}
    if up_to is not None:
        if n is not None or any(value is not None for value in known.values()):
            raise InputError("goes alone: it counts what the usual values give", "up_to")
        _tell_numbers(routes.numbers(up_to), as_json)
        return
    if n is None:
        raise InputError("is missing: say --n 25, or --up-to 100", "n")
    found = routes.cached(n, known)
    if as_json:
        _print_json({"n": n, "routes": [asdict(route) for route in found]})
        return
    questions = routes.grouped(found)
    for losses, most in ((False, 25), (True, 10)):
        mine = [question for question in questions if question.losses == losses]
        total = sum(len(question.routes) for question in mine)
        if not mine:
            continue
        title = f"{total} routes to {n} patients {'with' if losses else 'without'} an allowance for losses"
        heads = (
            "p0",
            "p1",
            "alpha",
            "power",
            "what gives it; in brackets the exact type I error and power of the rule",
        )
        rows = [
            [*("" if v is None else f"{v:g}" for v in (q.p0, q.p1, q.alpha, q.power)), _ways(q)] for q in mine[:most]
        ]
        _table(f"{title}, the most conventional of {len(mine)} questions first", heads, rows, left=5)
    if not found:
        print("No usual calculation gives it. --p0, --p1, --alpha, --power and --dropout try other values.")
        return
    print("--json lists them all; --p0, --p1, --alpha, --power, --dropout narrow them or try other values.")


def _ways(question: Question) -> str:
    """The routes of one question: each rule once, with the methods that lead there."""
    ways: dict[str, list[str]] = {}
    for r in question.routes:
        errors = "" if r.type_i_error is None else f" ({r.type_i_error:.4f}, {r.attained_power:.4f})"
        losses = f", {100 * r.dropout:g}% of {r.n_evaluable} lost" if r.dropout else ""
        methods = ways.setdefault(f"{r.looks or f'{r.n_evaluable}'}{errors}{losses}", [])
        if r.method not in methods:  # n/(1 - d) and n(1 + d) may give the same
            methods.append(r.method)
    return "; ".join(f"{', '.join(methods)} {rule}" for rule, methods in ways.items())


def _tell_numbers(found: dict[int, dict[str, int]], as_json: bool) -> None:
    from simtrial.reproduction import EXACT

    if as_json:
        _print_json({"numbers": [{"n": n, "routes": counts} for n, counts in found.items()]})
        return
    rows = [
        [str(n), *(str(counts[m]) for m in EXACT), str(sum(k for m, k in counts.items() if m not in EXACT))]
        for n, counts in found.items()
    ]
    _table("Routes to every number of patients, no loss allowed for", ("n", *EXACT, "formulas"), rows)


@app.command()
def printed(
    responses: Annotated[int, typer.Option(parser=_whole, metavar="N", help="Responses.")],
    n: Annotated[int, typer.Option(parser=_whole, metavar="N", help="Patients.")],
    low: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Lower limit as printed: 0.068.")],
    high: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Upper limit as printed: 0.407.")],
    looks: Annotated[str | None, typer.Option(help="The two-stage design, if the trial had one.")] = None,
    decimals: Annotated[
        int, typer.Option(parser=_whole, metavar="N", help="Digits printed of the proportion: 3 for 6.8%.")
    ] = 3,
    as_json: Json = False,
) -> None:
    """Say which method and level give a printed interval of a response rate."""
    from dataclasses import asdict

    from simtrial.designs import TwoStage, parse_looks
    from simtrial.printed import interval

    design = None if looks is None else parse_looks(looks)
    if design is not None and not isinstance(design, TwoStage):
        raise InputError("must be two looks", "looks")
    found = interval(responses, n, low, high, design, decimals)
    if as_json:
        _print_json({"matches": [asdict(match) for match in found]})
        return
    if not found:
        print("No method gives it, at any usual level.")
    for match in found:
        print(f"{match.method}, {100 * match.level:g}%: {match.low:.4f} to {match.high:.4f}")


@app.command()
def analyze(
    parameter_file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Parameter file whose section `analysis` holds the results.")
    ] = None,
    looks: Annotated[str | None, typer.Option(help="The design as planned: 1/10,5/29.")] = None,
    p0: Rate = None,
    responses: Annotated[int | None, typer.Option(parser=_whole, metavar="N", help="Responses by the end.")] = None,
    stage: Annotated[int | None, typer.Option(parser=_whole, metavar="N", help="Look at which it ended.")] = None,
    first_stage: Annotated[
        int | None, typer.Option(parser=_whole, metavar="N", help="Responses at the first look, if sizes differ.")
    ] = None,
    attained: Annotated[
        str | None, typer.Option(metavar="N,N", help="Patients analysed at each look, cumulative, if not as planned.")
    ] = None,
    patients: Annotated[
        Path | None, typer.Option("--patients", help="CSV with one patient a row, instead of counts.")
    ] = None,
    handling: Annotated[
        str, typer.Option(help="Patients not evaluable in the CSV: nonresponder, replace or exclude.")
    ] = "nonresponder",
    p1: Rate = None,
    alpha: Rate = None,
    level: Annotated[float, typer.Option(parser=_number, metavar="RATE", help="Confidence level.")] = 0.95,
    sides: Annotated[int, typer.Option(parser=_whole, metavar="1|2", help="1 for a lower limit alone.")] = 2,
    ordering: Annotated[str, typer.Option(help="Order of the endings: stage, mle or umvue.")] = "stage",
    as_json: Json = False,
) -> None:
    """Analyze a finished trial: decision, p-value, estimates and intervals that know of the interim look."""
    from simtrial import analysis, params, patient_data, simulation
    from simtrial.designs import parse_looks

    if parameter_file is not None:
        if any(v is not None for v in (looks, p0, responses, stage, first_stage, attained, patients, p1, alpha)):
            raise InputError("take results from one place: a parameter file, or the options", "analyze")
        trial, source = params.read(parameter_file)
        if trial.analysis is None:
            raise InputError("is missing: it holds the results to be analysed", f"{source.path}: trial.analysis")
        done = analysis.of_trial(trial, simulation.taken(trial, str(source.path))[0])
        found, data = done.final, done.data
    else:
        for name, value in (("looks", looks), ("p0", p0)):
            if value is None:
                raise InputError("is missing: say it, or name a parameter file", name)
        assert looks is not None
        assert p0 is not None
        if (responses is None) == (patients is None):
            raise InputError("is missing: say how many responded, or --patients FILE" if patients is None
                             else "is told by the patients; leave it out", "responses")  # fmt: skip
        how: dict[str, Any] = {"p1": p1, "alpha": alpha, "level": level, "sides": sides, "ordering": ordering}
        sizes = None if attained is None else [_size(part) for part in attained.split(",")]
        design, data = parse_looks(looks), None
        if patients is None:
            assert responses is not None
            found = analysis.final(
                design, p0, responses, stage=stage, first_stage=first_stage, attained=sizes, **how
            )  # fmt: skip
        else:
            given = next(
                (n for n, v in (("stage", stage), ("first_stage", first_stage), ("attained", sizes)) if v), None
            )
            if given is not None:
                raise InputError("is told by the patients; leave it out", given)
            data = patient_data.read(patients)
            found = analysis.of_patients(data, design, p0, handling, **how)  # type: ignore[arg-type]  # checked there
    if data is not None and data.ignored:
        _say(f"columns left alone: {', '.join(data.ignored)}"[:300])
    if as_json:
        _print_json(_final_json(found))
        return
    if data is not None:
        print("; ".join(f"{what} {number}" for what, number in data.disposition().items()))
    _final_tables(found)


@app.command()
def columns() -> None:
    """List the columns that a CSV of patients may hold."""
    from simtrial.patient_data import COLUMNS

    rows = [[c.name, ", ".join(c.others), c.meaning] for c in COLUMNS]
    _table("One patient a row; the order of columns is free, others are left alone", ("column", "or", "holds"), rows, 3)


@app.command()
def synthetic(
    file: Annotated[Path, typer.Argument(help="Parameter file with a conduct section.")],
    label: Annotated[str, typer.Option("--scenario", help="True rate: p0, p1 or a label of the file.")] = "p1",
    seed: Annotated[
        int | None, typer.Option(parser=_whole, metavar="N", help="Seed, from 0 on, instead of the file's.")
    ] = None,
) -> None:
    """Print the patients of one simulated trial as CSV, to try an analysis on before there are any."""
    from simtrial import params, simulation
    from simtrial import synthetic as made

    trial, source = params.read(file)
    plan = simulation.taken(trial, str(source.path))[1]
    if plan is None or trial.conduct is None:
        raise InputError("is missing: it says how the trial is run (see params/example.yaml)", f"{file}: trial.conduct")
    scenario = next((one for one in trial.scenarios if one.label == label), None)
    if scenario is None:
        raise InputError(f"({label!r:.60}) must be one of {', '.join(s.label for s in trial.scenarios)}", "scenario")
    seed = trial.conduct.simulation.seed if seed is None else seed
    simulation.check(2, seed)
    print(made.one_trial(plan, scenario, seed, trial.study.start), end="")


def _size(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"({text[:40]!r}) must be whole numbers, such as 10,27", "attained") from None


def _final_json(found: Final) -> dict[str, Any]:
    result = found.result
    data: dict[str, Any] = {
        "reject": result.reject,
        "p_value": result.p_value,
        "stage": result.stage,
        "estimates": {name: value for name, value in result.estimates.items() if name != "conditional_mle"},
        "intervals": {name: list(limits) for name, limits in result.intervals.items()},
        "level": result.level,
    }
    if found.rules:
        kept = ("rule", "r1", "r", "reject", "p_value", "median_unbiased", "interval", "type_i_error", "power")
        data["rules"] = [{key: getattr(one, key) for key in kept} for one in found.rules]
    return data


def _final_tables(found: Final) -> None:
    from simtrial.analysis_text import ESTIMATE_NAMES, INTERVAL_NAMES
    from simtrial.designs import looks_text

    result = found.result
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    order = f"{result.ordering} ordering" if found.rule is None else found.rule.rule
    print(
        f"{looks_text(found.design, ', ')}: {result.responses} of {result.n} responded, ended at look {result.stage}. "
        f"{decision}; p = {result.p_value:.4f} by {order}."
    )
    if found.rule is not None:
        print(f"Sizes differ from plan; decided by: {found.rule.rule}.")
    rows = [[ESTIMATE_NAMES[k], "none" if v is None else f"{v:.4f}"] for k, v in result.estimates.items()]
    _table("Estimates of the response rate", ("method", "estimate"), rows)
    sides = "" if result.sides == 2 else ", one-sided"
    rows = [
        [
            INTERVAL_NAMES[k],
            f"{low:.4f}",
            "none" if high is None else f"{high:.4f}",
            "yes" if result.agrees[k] else "no",
        ]
        for k, (low, high) in result.intervals.items()
    ]
    heads = ("method", "lower", "upper", f"p0 = {found.p0:g} below it if and only if H0 is rejected")
    _table(f"{100 * result.level:g}% intervals{sides}", heads, rows)
    if found.rules:
        words = {True: "rejected", False: "not rejected", None: "none"}
        rows = [
            [
                one.rule, f"{one.r1}/{found.attained.n1 if found.attained else ''}", str(one.r), words[one.reject],
                *("" if v is None else f"{v:.4f}" for v in (one.p_value, one.type_i_error, one.power)),
                one.why,
            ]
            for one in found.rules
        ]  # fmt: skip
        _table(
            "What each rule says of the sizes attained",
            ("rule", "stops at", "rejects above", "H0", "p", "type I error", "power", ""), rows,
        )  # fmt: skip


def _scenario_json(result: Result) -> dict[str, Any]:
    from simtrial.patients import Beta

    p = result.scenario.p
    data: dict[str, Any] = {"label": result.scenario.label, "p": result.scenario.mean}
    if isinstance(p, Beta):
        data["beta"] = [p.a, p.b]
    for name, estimate in result.estimates.items():
        data[name] = {"value": estimate.value, "mcse": estimate.mcse, "exact": estimate.exact}
        if estimate.outcome.kind != "share":
            if estimate.infinite:  # no mean then: in this share of the trials the time was not reached
                data[name]["not_reached"] = estimate.infinite / (estimate.n + estimate.infinite)
            data[name]["quantiles"] = {f"{q:g}": estimate.quantiles[q] for q in (0.05, 0.5, 0.95)}
    return data


def _simulation_tables(design: Design, done: Simulation) -> None:
    from simtrial.designs import looks_text

    plan, single = done.plan, len(done.plan.design.looks) == 1
    accrual = "hold" if plan.interim.hold else "continue"
    if plan.interim.extra is not None:
        accrual += f", at most {plan.interim.extra} extra"
    bounds = " (bounds recut)" if plan.recut else ""
    waiting = "" if single else f"accrual at looks: {accrual}; "
    print(
        f"{looks_text(design, ', ')}; losses: {plan.handling}{bounds}; {waiting}"
        f"{done.trials} trials a scenario, seed {done.seed}\n"
    )
    heads = ("", "simulated", "mcse", "exact", "5%", "50%", "95%")
    for result in done.results:
        rows = []
        for estimate in result.estimates.values():
            kind = estimate.outcome
            if estimate.n + estimate.infinite == 0 or (single and kind.name in ("pet", "overrun", "hold_months")):
                continue
            numbers = (estimate.value, estimate.mcse, estimate.exact)
            shown = ["" if v is None else f"{v:.4f}" for v in numbers]
            if estimate.infinite:
                shown[0] = f"{100 * estimate.infinite / (estimate.n + estimate.infinite):.2g}% never"
            spread = [estimate.quantiles[q] for q in (0.05, 0.5, 0.95)]
            quantiles = ["" if kind.kind == "share" or v is None else f"{v:g}" for v in spread]
            rows.append([kind.label, *shown, *quantiles])
        _table(f"{result.scenario.label}: p = {result.scenario.rate}", heads, rows)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar for what takes more than a second on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    began = time.monotonic()
    columns = (TextColumn("simulating"), BarColumn(), TextColumn("{task.completed:,.0f} trials"), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=total)

    def tell(done: int) -> None:
        bar.advance(task, done)
        if not bar.live.is_started and time.monotonic() - began > 1 and sys.stderr.isatty():
            bar.start()

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()


def _progress() -> Any:
    """A line a step, with the time the last one took."""
    began: list[float] = []

    def tell(step: str) -> None:
        now = time.monotonic()
        if began:
            _say(f"    {now - began[-1]:.1f} s")
        began.append(now)
        _say(f"  {step} ...")

    return tell


@app.command()
def report(
    file: Annotated[Path, typer.Argument(help="Parameter file, such as params/NCT07022301.yaml.")],
    out: Out = Path("build"),
) -> None:
    """Run the notebooks on a parameter file and write one HTML report with its tables and figures."""
    from simtrial import report as runner
    from simtrial import text

    began = time.monotonic()
    done = runner.write(file, out, _progress())
    _say(f"  done in {time.monotonic() - began:.1f} s")
    print(text.statement(done.design, done.trial.requirements, done.trial.plan(done.design)))
    print(f"\nReport: {done.html}")


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(help="Parameter file whose own design is checked as well.")] = None,
    out: Out = Path("build"),
) -> None:
    """Compare every result with its references on this machine; fails if one disagrees."""
    import csv

    from simtrial import report as runner

    done = runner.validate(file, out, _progress())
    with (done.folder / "tables" / "verdict.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            print(f"{row['case']}: {int(row['compared']) - int(row['failed'])} of {row['compared']} agree")
    print(f"\nValidation report: {done.html}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of parameter files, for editors."""
    from simtrial import params

    print(json.dumps(params.json_schema(), indent=2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code: 0 done, 2 the input is wrong, 1 anything else."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as on Ctrl-C: nothing half-written
    try:
        code = app(args=words or ["--help"], standalone_mode=False)
        if code == 130:  # typer's word for Ctrl-C
            raise KeyboardInterrupt
    except InputError as error:
        _say(f"simtrial: {_one_line(str(error))}")
        return 2
    except KeyboardInterrupt:
        _say("simtrial: interrupted; nothing was left half-written")
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        from simtrial.report import NotebookError

        if hasattr(error, "format_message"):  # a slip in the command itself, told by typer
            _say(f"simtrial: {_one_line(error.format_message())}")
            return 2
        if isinstance(error, NotebookError | OSError):
            _say(f"simtrial: {_one_line(str(error))}")
            return 1
        raise
    return 0


def _one_line(message: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())


if __name__ == "__main__":
    sys.exit(main())
