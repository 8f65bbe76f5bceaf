"""Commands for a trial that runs or is over."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.analysis import dossier
from simtrial.cli import options
from simtrial.errors import InputError
from simtrial.phrases import counted, percent, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.analysis.final import Final
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
    p0: Annotated[float | None, options.number_option("rate")] = None,
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
    level: Annotated[float, options.number_option("level", "Confidence level.")] = 0.95,
    sides: Annotated[int, options.number_option("sides", "2: two-sided intervals; 1: a lower limit alone.")] = 2,
    ordering: Annotated[str, typer.Option(help="Ordering of the possible endings: stage, mle or umvue.")] = "stage",
    as_json: options.Json = False,
) -> None:
    """Analyze a finished trial: decision, p-value, estimates and intervals adjusted for the interim analysis."""
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
        raise InputError("analyze has results from two places; give a parameter file, or the options")
    trial, source = params.read(file)
    if trial.analysis is None:
        raise InputError("is missing; it holds the results to be analysed", f"{source.path}: trial.analysis")
    with terminal.waiting("analysing"):
        done = dossier.of_trial(trial, Case.of(trial).checked(str(source.path)).chosen)
    return done.final, done.data


def _of_options(given: _Given, handling: str, how: dict[str, Any]) -> tuple[Final, PatientData | None]:
    """The analysis of counts, or of a file of patients."""
    from simtrial.analysis import final as analysis_final
    from simtrial.design.designs import parse_looks
    from simtrial.patients import data as patient_data
    from simtrial.plan.plan import check_handling

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
        alone = given.first_of("param", "time_unit")
        if alone is not None:
            raise InputError("goes with --patients only; leave it out where responses are given", alone)
        ending: dict[str, Any] = {"stage": given.stage, "first_stage": given.first_stage, "attained": sizes}
        with terminal.waiting("analysing"):
            return analysis_final.final(design, given.p0, given.responses, **ending, **how), None
    contradicted = given.first_of("stage", "first_stage")
    if contradicted is not None:
        raise InputError("is counted from the file of patients; leave it out", contradicted)
    with terminal.waiting("analysing"):
        data = patient_data.read(given.patients, param=given.param, time_unit=given.time_unit)
        found = dossier.of_patients(data, design, given.p0, handling, attained=sizes, **how)  # type: ignore[arg-type]  # checked there
    return found, data


def _data_lines(data: PatientData) -> None:
    """How a file of patients was interpreted, and how many patients there are of each kind."""
    from simtrial.analysis.text import how_read

    for said in how_read(data):
        terminal.wrapped(said)
    terminal.tell("; ".join(f"{what} {number}" for what, number in data.disposition().items()))


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
    as_json: options.Json = False,
) -> None:
    """Evaluate a running trial: responses still needed, conditional power, predictive probability."""
    from simtrial.analysis import monitoring
    from simtrial.analysis.text import monitored
    from simtrial.design.designs import parse_looks
    from simtrial.plan.disease import Beta

    try:
        a, b = options.Reader("beta", "list").numbers(prior)
    except ValueError:
        raise InputError(f"({prior[:40]!r}) does not have two numbers; write 0.5,0.5", "prior") from None
    design = parse_looks(looks)
    found = monitoring.monitor(design, patients, responses, tuple(p), Beta(a, b))
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
    lines, ended = monitored(design, found)
    terminal.tell("\n".join(lines))
    if ended:
        return
    for p_true, power in found.conditional_power:
        terminal.tell(f"Conditional power at p = {p_true:g}: {percent(power)}.")
    terminal.tell(f"Predictive probability of rejecting H0, prior Beta({a:g}, {b:g}): {percent(found.predictive)}.")


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
    from simtrial.analysis import text
    from simtrial.design.designs import looks_text

    result = found.result
    decision = "H0 is rejected" if result.reject else "H0 is not rejected"
    p = "< 0.0001" if result.p_value < 5e-5 else f"= {result.p_value:.4f}"
    closed = "accrual closed before a look could end the trial"
    ended = closed if found.closed else f"the trial ended at look {result.stage}"
    terminal.tell(
        f"{looks_text(found.design, ', ')}: {result.responses} of {counted(result.n, 'patient')} responded; {ended}. "
        f"{decision} (p {p}, one-sided, {text.p_method(found)})."
    )
    if found.after:
        terminal.tell(text.not_counted(found))
    if found.rule is not None:
        terminal.tell(text.decided_by(found))
    rows = [[text.estimate_name(found, k), "none" if v is None else rate(v)] for k, v in result.estimates.items()]
    terminal.table("Estimates of the response rate", ("method", "estimate"), rows)
    sides, word = "" if result.sides == 2 else ", one-sided", {True: "yes", False: "no"}
    rows = [
        [text.interval_name(found, k), rate(low), "none" if high is None else rate(high), word[result.agrees[k]]]
        for k, (low, high) in result.intervals.items()
    ]
    heads = ("method", "lower limit", "upper limit", "consistent with the test")
    terminal.table(f"{100 * result.level:g}% confidence intervals{sides}", heads, rows)
    terminal.wrapped(
        f"An interval is consistent with the test if p0 = {found.p0:g} lies below it exactly when H0 is rejected.\n"
    )
    if found.rules:
        words = {True: "rejected", False: "not rejected", None: "none"}
        rows = [
            [
                text.RULE_NAMES[one.rule], text.stops_at(found, one), str(one.r), words[one.reject],
                "" if one.p_value is None else f"{one.p_value:.4f}",
                *("" if v is None else rate(v) for v in (one.type_i_error, one.power)), one.why,
            ]
            for one in found.rules
        ]  # fmt: skip
        terminal.table(
            "What each rule decides at the numbers analysed",
            ("rule", "stops at", "rejects H0 if X >", "H0", "p", "type I error", "power", ""), rows,
        )  # fmt: skip
