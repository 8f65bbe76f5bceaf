"""Commands for a trial that runs or is over."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.cli import branching, options
from simtrial.cli.command import told_as
from simtrial.errors import InputError, several
from simtrial.months import WEEK
from simtrial.phrases import agreeing
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.analysis.branching import BranchingFinal
    from simtrial.analysis.distance import ToxicityWatched
    from simtrial.analysis.final import Final
    from simtrial.analysis.monitoring import InterimResult, PowerBesideRule
    from simtrial.design.designs import Design
    from simtrial.patients.data import PatientData


PatientsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--patients",
        help="File of patients instead of counts: CSV, ADaM data set or SAS transport file; several files are joined.",
    ),
]
AttainedOption = Annotated[
    str | None,
    options.number_option(
        "patients", "Patients analysed at each look, cumulative, if they differ from the plan.", "list"
    ),
]
Param = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="PARAMCD of the response, if a data set has several: BOR, CBOR."),
]
TimeUnit = Annotated[
    str | None,
    typer.Option(metavar="UNIT", help="Unit of the times in the file: days, weeks, months or years."),
]
HandlingOption = Annotated[
    str, typer.Option(help="How patients of the file count who are not evaluable: nonresponder, replace or exclude.")
]
P1 = Annotated[
    float | None, options.number_option("rate", "Response rate worth finding, for rules that recalculate bounds.")
]
Alpha = Annotated[
    float | None,
    options.number_option("error", "Type I error that recalculated bounds keep; default: that of the plan."),
]
ToxicityBoundaryOption = Annotated[
    str | None,
    typer.Option(help="Boundary for toxicity, 3/10,5/20: the trial stops if at least 3 of 10, or 5 of 20, had one."),
]
ToxicityWindow = Annotated[
    float | None,
    options.number_option("weeks", "Weeks after enrollment in which a toxicity counts; default: all count."),
]
FirstStage = Annotated[
    int | None, options.number_option("responses", "Responses at the first look, if sizes differ from the plan.")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    """The results as options state them; None where nothing is stated."""

    looks: str | None
    p0: float | None
    responses: int | None
    stage: int | None
    first_stage: int | None
    attained: str | None
    toxicity_boundary: str | None
    toxicity_window_weeks: float | None
    patients: list[Path] | None
    param: str | None
    time_unit: str | None
    p1: float | None
    alpha: float | None

    def none(self) -> bool:
        """Whether no option is given."""
        return all(getattr(self, one.name) is None for one in fields(self))

    def as_options(self) -> dict[str, object]:
        """The options by their names."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def first_of(self, *names: str) -> str | None:
        """The first of some options that is given."""
        return next((name for name in names if getattr(self, name) is not None), None)


def analyze(
    parameter_file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Parameter file whose section `analysis` holds the results.")
    ] = None,
    looks: Annotated[str | None, typer.Option(help="The design as planned: 1/10,5/29.")] = None,
    p0: Annotated[float | None, options.number_option("rate")] = None,
    rule: branching.TableOption = None,
    responses: Annotated[int | None, options.number_option("responses", "Number of responses at the end.")] = None,
    stage: Annotated[int | None, options.number_option("stage", "Look at which the trial ended.")] = None,
    first_stage: FirstStage = None,
    attained: AttainedOption = None,
    patients: PatientsOption = None,
    param: Param = None,
    time_unit: TimeUnit = None,
    handling: HandlingOption = "nonresponder",
    p1: P1 = None,
    alpha: Alpha = None,
    toxicity_boundary: ToxicityBoundaryOption = None,
    toxicity_window_weeks: ToxicityWindow = None,
    level: Annotated[float, options.number_option("level", "Confidence level.")] = 0.95,
    sides: Annotated[int, options.number_option("sides", "2: two-sided intervals; 1: a lower limit alone.")] = 2,
    ordering: Annotated[str, typer.Option(help="Ordering of the possible endings: stage, mle or umvue.")] = "stage",
    as_json: options.Json = False,
) -> None:
    """Analyze a finished trial: decision, p-value, estimates and intervals adjusted for the interim analysis."""
    from simtrial.cli import results

    given = _Given(
        looks=looks, p0=p0, responses=responses, stage=stage, first_stage=first_stage, attained=attained,
        patients=patients or None, param=param, time_unit=time_unit, p1=p1, alpha=alpha,
        toxicity_boundary=toxicity_boundary, toxicity_window_weeks=toxicity_window_weeks,
    )  # fmt: skip
    if parameter_file is None and (rule is not None or "|" in (looks or "")):
        options_given = given.as_options() | ({} if rule is not None else {"looks": None})
        branching.analyze(rule or looks or "", options_given, level, sides, ordering, as_json=as_json)
        return
    if parameter_file is not None:
        answered = _of_file(parameter_file, given, rule)
        if not isinstance(answered, tuple):
            branching.tell(answered, as_json=as_json)
            return
        found, data, handling = answered
    else:
        how = {"p1": p1, "alpha": alpha, "level": level, "sides": sides, "ordering": ordering}
        with _as_typed():
            found, data = _of_options(given, handling, how)
    if as_json:
        terminal.print_json(results.final_json(found, data))
        return
    if data is not None:
        results.patient_lines(data, handling)
    results.final_tables(found)


def _of_file(file: Path, given: _Given, rule: str | None) -> tuple[Final, PatientData | None, str] | BranchingFinal:
    """The analysis of the results that a parameter file holds, and how patients count who are not evaluable."""
    from simtrial.analysis import dossier
    from simtrial.design.branching import as_table
    from simtrial.trial import params
    from simtrial.trial.case import Case

    if rule is not None or not given.none():
        raise InputError("analyze has results from two places; give a parameter file, or the options")
    trial, source = params.read(file)
    if trial.analysis is None:
        raise InputError("is missing; it holds the results to be analysed", f"{source.path}: trial.analysis")
    with terminal.waiting("analysing"):
        design = Case.of(trial).checked(str(source.path)).chosen
        table = as_table(design)
        if table is not None:
            return dossier.adaptive(trial, table)
        done = dossier.of_trial(trial, design)
    return done.final, done.data, done.handling


def _of_options(given: _Given, handling: str, how: dict[str, Any]) -> tuple[Final, PatientData | None]:
    """The analysis of counts, or of a file of patients."""
    from simtrial.analysis import dossier
    from simtrial.analysis import final as analysis_final
    from simtrial.design.designs import parse_looks
    from simtrial.patients import data as patient_data
    from simtrial.plan.plan import check_handling
    from simtrial.toxicity.boundary import parse_boundary

    check_handling(handling)
    for name, value in (("looks", given.looks), ("p0", given.p0)):
        if value is None:
            raise InputError(f"is missing; give --{name}, or a parameter file", name)
    assert given.looks is not None
    assert given.p0 is not None
    if (given.responses is None) == (not given.patients):
        raise InputError("is counted from the file of patients; leave it out" if given.patients
                         else "is missing; give --responses, or --patients FILE", "responses")  # fmt: skip
    sizes = (
        None
        if given.attained is None
        else [int(size) for size in options.Reader("patients", "list").numbers(given.attained)]
    )
    design = parse_looks(given.looks)
    if not given.patients:
        assert given.responses is not None
        alone = given.first_of("param", "time_unit", "toxicity_boundary", "toxicity_window_weeks")
        if alone is not None:
            raise InputError("goes with --patients only; leave it out where responses are given", alone)
        ending: dict[str, Any] = {"stage": given.stage, "first_stage": given.first_stage, "attained": sizes}
        with terminal.waiting("analysing"):
            return analysis_final.final(design, given.p0, given.responses, **ending, **how), None
    contradicted = given.first_of("stage", "first_stage")
    if contradicted is not None:
        raise InputError("is counted from the file of patients; leave it out", contradicted)
    boundary = None if given.toxicity_boundary is None else parse_boundary(given.toxicity_boundary)
    if boundary is None and given.toxicity_window_weeks is not None:
        raise InputError("goes with --toxicity-boundary; give that too", "toxicity_window_weeks")
    window = None if given.toxicity_window_weeks is None else given.toxicity_window_weeks * WEEK
    with terminal.waiting("analysing"):
        data = patient_data.read(given.patients, param=given.param, time_unit=given.time_unit)
        found = dossier.of_patients(data, design, given.p0, handling, attained=sizes, **how)  # type: ignore[arg-type]  # checked there
        if boundary is not None:
            found = dossier.under_boundary(found, data, boundary, window, handling=handling)  # type: ignore[arg-type]
    return found, data


def monitor(
    looks: Annotated[str, typer.Option(help="The design as planned: 1/10,5/29.")],
    patients: Annotated[int, options.number_option("patients_seen", "Number of patients seen so far.")],
    responses: Annotated[int, options.number_option("responses", "Number of responses among them.")],
    p: Annotated[
        list[float],
        options.number_option("true_rate", "True response rate of the further patients; may be given again."),
    ],
    prior: Annotated[
        str,
        options.number_option("beta", "Beta prior of the response rate.", "list"),
    ] = "0.5,0.5",
    toxicities: Annotated[int | None, options.number_option("toxicities", "Toxicities among the patients.")] = None,
    toxicity_boundary: ToxicityBoundaryOption = None,
    toxicity_rate: Annotated[
        list[float] | None,
        options.number_option("true_toxicity", "True rate of toxicity of the further patients; may be given again."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Evaluate a running trial: responses still needed, conditional power, predictive probability."""
    from simtrial.analysis import monitoring
    from simtrial.cli import results
    from simtrial.design.designs import parse_looks
    from simtrial.plan.disease import Beta

    try:
        a, b = options.Reader("beta", "list").numbers(prior)
    except ValueError:
        raise InputError(f"({prior[:40]!r}) does not have two numbers; write 0.5,0.5", "prior") from None
    with _as_typed():
        design = parse_looks(looks)
        found = monitoring.monitor(design, patients, responses, tuple(p), Beta(a, b))
        watched, beside = _watched(design, found, toxicities, toxicity_boundary, tuple(toxicity_rate or ()))
    if as_json:
        terminal.print_json(results.monitored_json(found, watched, beside))
    else:
        results.monitored_lines(design, found, watched, beside)


def _watched(
    design: Design, seen: InterimResult, toxicities: int | None, boundary: str | None, rates: tuple[float, ...]
) -> tuple[ToxicityWatched | None, tuple[PowerBesideRule, ...]]:
    """The toxicities so far against their boundary, and the power beside it; None where none are given."""
    from simtrial.analysis import distance, monitoring
    from simtrial.toxicity.boundary import parse_boundary

    if toxicities is None and boundary is None and not rates:
        return None, ()
    given = {"toxicities": toxicities, "toxicity_boundary": boundary}
    missing = [told_as(name) for name, value in given.items() if value is None]
    if missing:
        verb = agreeing(len(missing), "is", "are")
        raise InputError(f"{verb} missing; toxicities are held against a boundary: give both", " and ".join(missing))
    assert toxicities is not None
    assert boundary is not None
    rule = parse_boundary(boundary)
    found = distance.watched(rule, seen.patients, toxicities, rates)
    if found.over is not None:
        return found, ()
    return found, tuple(monitoring.beside_rule(design, seen, rule, toxicities, rate) for rate in rates)


@contextmanager
def _as_typed() -> Iterator[None]:
    """Name the options of toxicity at fault as they are typed; what a file holds keeps its place."""
    known = {name: told_as(name) for name in ("toxicities", "toxicity_boundary", "toxicity_window_weeks")}
    known |= {"boundary": "--toxicity-boundary", "rate": "--toxicity-rate"}
    try:
        yield
    except InputError as error:
        told = [InputError(one.message, known.get(one.field, one.field)) for one in (error, *error.others)]
        raise several(told) from None


def columns() -> None:
    """List the columns that a file of patients may hold."""
    from simtrial.patients.columns import COLUMNS
    from simtrial.patients.long import RESPONSE_CODES, TIME_CODES

    rows = [[c.name, ", ".join(c.others[:MOST_NAMES]), c.meaning] for c in COLUMNS]
    terminal.table(
        "One row per patient; the order of columns, and case, spaces and punctuation of headings, do not matter",
        ("column", "other names", "contents"), rows, 3,
    )  # fmt: skip
    for said in (
        "Analysis data sets (ADaM ADRS, ADTTE; SDTM RS) may have several rows per patient: PARAMCD or RSTESTCD states "
        "what each row holds.",
        f"Response: the first of {', '.join(RESPONSE_CODES)} that is in the file, or the one given by --param.",
        f"Times: {', '.join(TIME_CODES)}, with CNSR 0 for an event.",
        "Several files (--patients adsl.csv --patients adrs.csv) are joined by patient.",
        "A heading may state the unit of a time: PFS (days), OS_MONTHS.",
        "Missing values: empty, NA, N/A, nan, NULL, None or a full stop.",
        "The heading STAGE is the stage of the trial only in capitals; Stage and stage are ignored.",
    ):
        terminal.wrapped(f"* {said}")


MOST_NAMES = 6
"""Other names of a column that are listed; more are read."""


def synthetic(
    file: Annotated[Path, typer.Argument(help="Parameter file with a conduct section.")],
    label: Annotated[str, typer.Option("--scenario", help="True response rate: p0, p1 or a label of the file.")] = "p1",
    seed: Annotated[int | None, options.number_option("seed", "Seed, from 0 on, instead of that of the file.")] = None,
) -> None:
    """Print the patients of one simulated trial as CSV, so that the analysis can be tried in advance."""
    from simtrial.conduct import simulation
    from simtrial.patients import synthetic as patient_synthetic
    from simtrial.trial import params
    from simtrial.trial.case import Case

    trial, source = params.read(file)
    plan = Case.of(trial).checked(str(source.path)).plan
    if plan is None or trial.conduct is None:
        raise InputError("is missing; add it (see params/example.yaml)", f"{file}: trial.conduct")
    scenario = next((one for one in trial.scenarios if one.label == label), None)
    if scenario is None:
        known = ", ".join(one.label for one in trial.scenarios)
        raise InputError(f"({label!r:.60}) is unknown; write one of {known}", "scenario")
    seed = trial.conduct.simulation.seed if seed is None else seed
    simulation.check(2, seed)
    terminal.tell(patient_synthetic.one_trial(plan, scenario, seed, trial.study.start), end="")
