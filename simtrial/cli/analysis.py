"""Commands for a trial that runs or is over."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.analysis import dossier
from simtrial.errors import InputError
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.analysis.final import Final
    from simtrial.patients.data import PatientData


PatientsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--patients",
        help="File of patients instead of counts: CSV, ADaM data set, SAS transport file; several are joined.",
    ),
]
AttainedOption = Annotated[
    str | None,
    typer.Option(metavar="N,N", help="Patients analysed at each look, cumulative, if not as planned."),
]
Param = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="PARAMCD of the response, where a data set has several: BOR, CBOR."),
]
TimeUnit = Annotated[
    str | None,
    typer.Option(metavar="UNIT", help="Unit of the times in the file: days, weeks, months or years."),
]
HandlingOption = Annotated[
    str, typer.Option(help="Patients who are not evaluable in the file: nonresponder, replace or exclude.")
]
P1 = Annotated[float | None, terminal.rate_option("Rate worth finding, for the rules that recalculate bounds.")]
Alpha = Annotated[
    float | None,
    terminal.rate_option("Type I error that recalculated bounds keep; that of the plan if left out."),
]
FirstStage = Annotated[int | None, terminal.whole_option("Responses at the first look, if sizes differ.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    """The results as options state them; None where nothing is stated."""

    looks: str | None
    p0: float | None
    responses: int | None
    stage: int | None
    first_stage: int | None
    attained: str | None
    patients: list[Path] | None
    param: str | None
    time_unit: str | None
    p1: float | None
    alpha: float | None

    def none(self) -> bool:
        """Whether no option is given."""
        return all(getattr(self, one.name) is None for one in fields(self))

    def first_of(self, *names: str) -> str | None:
        """The first of some options that is given."""
        return next((name for name in names if getattr(self, name) is not None), None)


def analyze(
    parameter_file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Parameter file whose section `analysis` holds the results.")
    ] = None,
    looks: Annotated[str | None, typer.Option(help="The design as planned: 1/10,5/29.")] = None,
    p0: terminal.RateOption = None,
    responses: Annotated[int | None, terminal.whole_option("Responses by the end.")] = None,
    stage: Annotated[int | None, terminal.whole_option("Look at which it ended.")] = None,
    first_stage: FirstStage = None,
    attained: AttainedOption = None,
    patients: PatientsOption = None,
    param: Param = None,
    time_unit: TimeUnit = None,
    handling: HandlingOption = "nonresponder",
    p1: P1 = None,
    alpha: Alpha = None,
    level: Annotated[float, terminal.rate_option("Confidence level.")] = 0.95,
    sides: Annotated[int, terminal.whole_option("1 for a lower limit alone.", "1|2")] = 2,
    ordering: Annotated[str, typer.Option(help="Order of the endings: stage, mle or umvue.")] = "stage",
    as_json: terminal.Json = False,
) -> None:
    """Analyze a finished trial: decision, p-value, estimates and intervals that know of the interim look."""
    given = _Given(
        looks=looks, p0=p0, responses=responses, stage=stage, first_stage=first_stage, attained=attained,
        patients=patients or None, param=param, time_unit=time_unit, p1=p1, alpha=alpha,
    )  # fmt: skip
    if parameter_file is not None:
        found, data = _of_file(parameter_file, given)
    else:
        how = {"p1": p1, "alpha": alpha, "level": level, "sides": sides, "ordering": ordering}
        found, data = _of_options(given, handling, how)
    if as_json:
        terminal.print_json(_final_json(found, data))
        return
    if data is not None:
        _data_lines(data)
    _final_tables(found)


def _of_file(file: Path, given: _Given) -> tuple[Final, PatientData | None]:
    """The analysis of the results that a parameter file holds."""
    from simtrial.trial import params
    from simtrial.trial.case import Case

    if not given.none():
        raise InputError("take results from one place: a parameter file, or the options", "analyze")
    trial, source = params.read(file)
    if trial.analysis is None:
        raise InputError("is missing: it holds the results to be analysed", f"{source.path}: trial.analysis")
    with terminal.waiting("analysing"):
        done = dossier.of_trial(trial, Case.of(trial).checked(str(source.path)).chosen)
    return done.final, done.data


def _of_options(given: _Given, handling: str, how: dict[str, Any]) -> tuple[Final, PatientData | None]:
    """The analysis of counts, or of a file of patients."""
    from simtrial.analysis import final as analysis_final
    from simtrial.design.designs import parse_looks
    from simtrial.patients import data as patient_data

    for name, value in (("looks", given.looks), ("p0", given.p0)):
        if value is None:
            raise InputError("is missing: say it, or name a parameter file", name)
    assert given.looks is not None
    assert given.p0 is not None
    if (given.responses is None) == (not given.patients):
        raise InputError("is counted from the patients; leave it out" if given.patients
                         else "is missing: say how many responded, or --patients FILE", "responses")  # fmt: skip
    sizes = None if given.attained is None else [_size(part) for part in given.attained.split(",")]
    design = parse_looks(given.looks)
    if not given.patients:
        assert given.responses is not None
        alone = given.first_of("param", "time_unit")
        if alone is not None:
            raise InputError("goes with --patients; leave it out where responses are given", alone)
        ending: dict[str, Any] = {"stage": given.stage, "first_stage": given.first_stage, "attained": sizes}
        with terminal.waiting("analysing"):
            return analysis_final.final(design, given.p0, given.responses, **ending, **how), None
    contradicted = given.first_of("stage", "first_stage")
    if contradicted is not None:
        raise InputError("is counted from the patients; leave it out", contradicted)
    with terminal.waiting("analysing"):
        data = patient_data.read(given.patients, param=given.param, time_unit=given.time_unit)
        found = dossier.of_patients(data, design, given.p0, handling, attained=sizes, **how)  # type: ignore[arg-type]  # checked there
    return found, data


def _data_lines(data: PatientData) -> None:
    """How a file of patients was read, and what became of them."""
    from simtrial.analysis.text import how_read

    for said in how_read(data):
        terminal.console().print(terminal.one_line(said))
    print("; ".join(f"{what} {number}" for what, number in data.disposition().items()))


def monitor(
    looks: Annotated[str, typer.Option(help="The design as planned: 1/10,5/29.")],
    patients: Annotated[int, terminal.whole_option("Patients seen so far.")],
    responses: Annotated[int, terminal.whole_option("Responses among them.")],
    p: Annotated[list[float], terminal.rate_option("True rate from here on; may be given again.")],
    prior: Annotated[str, typer.Option(metavar="A,B", help="Beta prior of the predictive probability.")] = "0.5,0.5",
    as_json: terminal.Json = False,
) -> None:
    """Say what the responses so far mean: responses still needed, conditional power, predictive probability."""
    from simtrial.analysis import monitoring
    from simtrial.design.designs import parse_looks
    from simtrial.plan.disease import Beta

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
        goal = "reject H0" if one is found.needed[-1] else "continue to the next stage"
        many = one.responses
        left = "patient" if one.remaining == 1 else f"{one.remaining} patients"
        if many is None or many == 0:
            told = f"no further response is needed to {goal}"
        else:
            fewest = "1 response" if many == 1 else f"{many} responses"
            told = f"at least {fewest} in the next {left} {'is' if many == 1 else 'are'} needed to {goal}"
            told += ", which is out of reach" if many > one.remaining else ""
        print(f"look {one.look}: {told}")
    for rate, power in found.conditional_power:
        print(f"conditional power at p = {rate:g}: {power:.4f}")
    print(f"predictive probability of rejecting H0, prior Beta({a:g}, {b:g}): {found.predictive:.4f}")


def columns() -> None:
    """List the columns that a file of patients may hold."""
    from simtrial.patients.columns import COLUMNS
    from simtrial.patients.long import RESPONSE_CODES, TIME_CODES

    rows = [[c.name, ", ".join(c.others[:MOST_NAMES]), c.meaning] for c in COLUMNS]
    terminal.table(
        "One row per patient; any order of columns; case, spaces and punctuation in headings do not matter",
        ("column", "or", "holds"), rows, 3,
    )  # fmt: skip
    for said in (
        "Analysis data sets (ADaM ADRS, ADTTE; SDTM RS) may hold several rows per patient: PARAMCD or RSTESTCD says "
        "what each row is.",
        f"Response: the first of {', '.join(RESPONSE_CODES)} that is there, or --param.",
        f"Times: {', '.join(TIME_CODES)}, with CNSR 0 for an event.",
        "Several files (--patients adsl.csv --patients adrs.csv) are joined by patient.",
        "A heading may state the unit of a time: PFS (days), OS_MONTHS.",
        "Missing values: empty, NA, N/A, nan, NULL, None or a full stop.",
        "The bare heading STAGE is the stage of the trial only in capitals; Stage and stage are not read.",
    ):
        terminal.console().print(f"* {said}")


MOST_NAMES = 6
"""Other names of a column that are listed; more are read."""


def synthetic(
    file: Annotated[Path, typer.Argument(help="Parameter file with a conduct section.")],
    label: Annotated[str, typer.Option("--scenario", help="True rate: p0, p1 or a label of the file.")] = "p1",
    seed: Annotated[int | None, terminal.whole_option("Seed, from 0 on, instead of the file's.")] = None,
) -> None:
    """Print the patients of one simulated trial as CSV, to try an analysis on before there are any."""
    from simtrial.conduct import simulation
    from simtrial.patients import synthetic as patient_synthetic
    from simtrial.trial import params
    from simtrial.trial.case import Case

    trial, source = params.read(file)
    plan = Case.of(trial).checked(str(source.path)).plan
    if plan is None or trial.conduct is None:
        raise InputError("is missing: it says how the trial is run (see params/example.yaml)", f"{file}: trial.conduct")
    scenario = next((one for one in trial.scenarios if one.label == label), None)
    if scenario is None:
        raise InputError(f"({label!r:.60}) must be one of {', '.join(s.label for s in trial.scenarios)}", "scenario")
    seed = trial.conduct.simulation.seed if seed is None else seed
    simulation.check(2, seed)
    print(patient_synthetic.one_trial(plan, scenario, seed, trial.study.start), end="")


def _size(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"({text[:40]!r}) must be whole numbers, such as 10,27", "attained") from None


def _final_json(found: Final, patients: PatientData | None) -> dict[str, object]:
    result = found.result
    data: dict[str, object] = {
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
    if found.after:
        data["not_counted"] = {"patients": found.after, "responses": found.after_responses}
    if patients is not None:
        data["attained"] = list(found.sizes)
        data["responses"] = found.result.responses
        data["columns"] = {"read": patients.columns, "ignored": list(patients.ignored)}
        data["notes"] = list(patients.notes)
    return data


def _final_tables(found: Final) -> None:
    from simtrial.analysis.text import decided_by, estimate_name, interval_name, not_counted, p_method, stops_at
    from simtrial.design.designs import looks_text

    result = found.result
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    p = "< 0.0001" if result.p_value < 5e-5 else f"= {result.p_value:.4f}"
    ended = "closed before a look could end it" if found.closed else f"ended at look {result.stage}"
    print(
        f"{looks_text(found.design, ', ')}: {result.responses} of {result.n} responded, {ended}. {decision}; "
        f"p {p} ({p_method(found)})."
    )
    if found.after:
        print(not_counted(found))
    if found.rule is not None:
        print(decided_by(found))
    rows = [[estimate_name(found, k), "none" if v is None else f"{v:.4f}"] for k, v in result.estimates.items()]
    terminal.table("Estimates of the response rate", ("method", "estimate"), rows)
    sides = "" if result.sides == 2 else ", one-sided"
    rows = [
        [
            interval_name(found, k),
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
                one.rule, stops_at(found, one),
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
