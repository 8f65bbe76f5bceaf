"""Commands for a trial that runs or is over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial import terminal
from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.analysis import Final


def analyze(
    parameter_file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Parameter file whose section `analysis` holds the results.")
    ] = None,
    looks: Annotated[str | None, typer.Option(help="The design as planned: 1/10,5/29.")] = None,
    p0: terminal.Rate = None,
    responses: Annotated[int | None, terminal.whole_option("Responses by the end.")] = None,
    stage: Annotated[int | None, terminal.whole_option("Look at which it ended.")] = None,
    first_stage: Annotated[int | None, terminal.whole_option("Responses at the first look, if sizes differ.")] = None,
    attained: Annotated[
        str | None, typer.Option(metavar="N,N", help="Patients analysed at each look, cumulative, if not as planned.")
    ] = None,
    patients: Annotated[
        Path | None, typer.Option("--patients", help="CSV with one patient a row, instead of counts.")
    ] = None,
    handling: Annotated[
        str, typer.Option(help="Patients not evaluable in the CSV: nonresponder, replace or exclude.")
    ] = "nonresponder",
    p1: Annotated[float | None, terminal.rate_option("Rate worth finding, for the rules that recut bounds.")] = None,
    alpha: Annotated[
        float | None, terminal.rate_option("Type I error that recut bounds keep; that of the plan if left out.")
    ] = None,
    level: Annotated[float, terminal.rate_option("Confidence level.")] = 0.95,
    sides: Annotated[int, terminal.whole_option("1 for a lower limit alone.", "1|2")] = 2,
    ordering: Annotated[str, typer.Option(help="Order of the endings: stage, mle or umvue.")] = "stage",
    as_json: terminal.Json = False,
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
        terminal.say(f"columns left alone: {', '.join(data.ignored)}"[:300])
    if as_json:
        terminal.print_json(_final_json(found))
        return
    if data is not None:
        print("; ".join(f"{what} {number}" for what, number in data.disposition().items()))
    _final_tables(found)


def monitor(
    looks: Annotated[str, typer.Option(help="The design as planned: 1/10,5/29.")],
    patients: Annotated[int, terminal.whole_option("Patients seen so far.")],
    responses: Annotated[int, terminal.whole_option("Responses among them.")],
    p: Annotated[list[float], terminal.rate_option("True rate from here on; may be given again.")],
    prior: Annotated[str, typer.Option(metavar="A,B", help="Beta prior of the predictive probability.")] = "0.5,0.5",
    as_json: terminal.Json = False,
) -> None:
    """Say what the responses so far mean: responses still needed, conditional power, predictive probability."""
    from simtrial import monitoring
    from simtrial.designs import parse_looks
    from simtrial.patients import Beta

    try:
        a, b = (float(part) for part in prior.split(","))
    except ValueError:
        raise InputError(f"({prior[:40]!r}) must be two numbers, such as 0.5,0.5", "prior") from None
    found = monitoring.monitor(parse_looks(looks), patients, responses, tuple(p), Beta(a, b))
    if as_json:
        terminal.print_json(
            {
                "patients": found.patients,
                "responses": found.responses,
                "needed": [
                    {"look": one.look, "remaining": one.remaining, "responses": one.responses} for one in found.needed
                ],
                "conditional_power": [{"p": rate, "power": power} for rate, power in found.conditional_power],
                "predictive_probability": found.predictive,
                "prior": [a, b],
            }
        )
        return
    for one in found.needed:
        goal = "reject H0" if one is found.needed[-1] else "go on"
        many = one.responses
        told = f"{many} more responses among {one.remaining} further patients {goal}"
        if many is None or many == 0:
            told = f"certain to {goal}, whatever the {one.remaining} further patients bring"
        elif many > one.remaining:
            told = f"{many} more responses needed to {goal}, and {one.remaining} patients left: out of reach"
        print(f"look {one.look}: {told}")
    for rate, power in found.conditional_power:
        print(f"conditional power at p = {rate:g}: {power:.4f}")
    print(f"predictive probability of rejecting H0, prior Beta({a:g}, {b:g}): {found.predictive:.4f}")


def columns() -> None:
    """List the columns that a CSV of patients may hold."""
    from simtrial.patient_data import COLUMNS

    rows = [[c.name, ", ".join(c.others), c.meaning] for c in COLUMNS]
    terminal.table(
        "One patient a row; the order of columns is free, others are left alone", ("column", "or", "holds"), rows, 3
    )


def synthetic(
    file: Annotated[Path, typer.Argument(help="Parameter file with a conduct section.")],
    label: Annotated[str, typer.Option("--scenario", help="True rate: p0, p1 or a label of the file.")] = "p1",
    seed: Annotated[int | None, terminal.whole_option("Seed, from 0 on, instead of the file's.")] = None,
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
    from simtrial.analysis_text import ESTIMATE_NAMES, INTERVAL_NAMES, p_method
    from simtrial.designs import looks_text

    result = found.result
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    p = "< 0.0001" if result.p_value < 5e-5 else f"= {result.p_value:.4f}"
    ended = "closed before a look could end it" if found.closed else f"ended at look {result.stage}"
    print(
        f"{looks_text(found.design, ', ')}: {result.responses} of {result.n} responded, {ended}. {decision}; "
        f"p {p} ({p_method(found)})."
    )
    if found.rule is not None:
        print(f"Sizes differ from plan; decided by: {found.rule.rule}. Recut bounds keep {found.alpha:.4g}.")
    rows = [[ESTIMATE_NAMES[k], "none" if v is None else f"{v:.4f}"] for k, v in result.estimates.items()]
    terminal.table("Estimates of the response rate", ("method", "estimate"), rows)
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
    terminal.table(f"{100 * result.level:g}% intervals{sides}", heads, rows)
    if found.rules:
        words = {True: "rejected", False: "not rejected", None: "none"}
        rows = [
            [
                one.rule, "no look" if one.r1 < 0 else f"{one.r1}/{found.attained.n1 if found.attained else ''}",
                str(one.r), words[one.reject],
                *("" if v is None else f"{v:.4f}" for v in (one.p_value, one.type_i_error, one.power)),
                one.why,
            ]
            for one in found.rules
        ]  # fmt: skip
        terminal.table(
            "What each rule says of the sizes attained",
            ("rule", "stops at", "rejects above", "H0", "p", "type I error", "power", ""), rows,
        )  # fmt: skip
