"""Commands that design a trial and run it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import designs_json, options
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.phrases import counted, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.cli.losses import Run
    from simtrial.conduct.simulation import Result, Simulation
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyFamily, SingleStageSearch, TwoStageSearch
    from simtrial.search.formulas import Approximation


DropoutShare = Annotated[
    float | None,
    options.number_option(
        "dropout",
        "Dropout before the first assessment, as a share of the patients; with --odds-ratio, of the patients who would "
        "not respond.",
    ),
]
DropoutHandling = Annotated[
    str | None,
    typer.Option(help="How patients who drop out count: nonresponder, replace or exclude.  [default: nonresponder]"),
]
DropoutAmong = Annotated[
    str | None,
    typer.Option(
        help="With nonresponder: whether p0 is the rate among enrolled or evaluable patients.  [default: enrolled]"
    ),
]
DropoutBounds = Annotated[
    str | None,
    typer.Option(
        help="With exclude: 'fixed' bounds, or 'recut': recalculated at the numbers evaluable.  [default: fixed]"
    ),
]
DropoutOdds = Annotated[
    float | None,
    options.number_option("odds_ratio", "Odds ratio of dropout, responders against non-responders.  [default: 1]"),
]
DropoutSearch = Annotated[
    str | None,
    typer.Option(
        "--search", help="Whether the limits hold as the trial is run (run) or on paper (paper).  [default: run]"
    ),
]


def design(
    p0: Annotated[float, options.number_option("rate", "Response rate not worth pursuing.")],
    p1: Annotated[float, options.number_option("rate", "Response rate worth finding.")],
    alpha: Annotated[float, options.number_option("error", "Largest type I error, one-sided.")],
    power: Annotated[float, options.number_option("error", "Smallest power at p1.")],
    n_limit: Annotated[
        int, options.number_option("n_limit", "Refuse if even the most powerful test needs more patients.")
    ] = N_LIMIT,
    low_power: Annotated[bool, typer.Option("--low-power", help="A power below 0.5 is meant.")] = False,
    dropout: DropoutShare = None,
    handling: DropoutHandling = None,
    p0_among: DropoutAmong = None,
    bounds: DropoutBounds = None,
    odds_ratio: DropoutOdds = None,
    search_: DropoutSearch = None,
    as_json: options.Json = False,
) -> None:
    """Find the designs of every family that meet the limits, with a proof that none is missed."""
    from simtrial import search
    from simtrial.design.requirements import plausible
    from simtrial.search import formulas, text
    from simtrial.search.wording import question

    asked = plausible(p0, p1, alpha, power, low_power=low_power)
    run = _run(dropout, odds_ratio, handling=handling, p0_among=p0_among, bounds=bounds, search=search_)
    with terminal.waiting("searching"), _as_typed(asked, run, n_limit):
        single, two, others = _searched(asked, run, n_limit)
        rough = formulas.approximate(asked)
    if as_json:
        more = {family.key: designs_json.of_family(family, found, asked, run) for family, found in others}
        searched = {} if run is None else {"searched": run.searched, "dropout": run.stated()}
        terminal.print_json(designs_json.of_search(asked, single, two, rough, run) | more | searched)
        return
    every: list[tuple[AnyFamily, object]] = [(search.simon.FAMILY, two), (search.single.FAMILY, single), *others]
    _designs_table(asked, every, question(asked) + (", every patient evaluable" if run is not None else ""))
    if run is not None:
        with _as_typed(asked, None, n_limit):  # the searches on paper, beside those under dropout
            _run_tables(asked, every, run, n_limit)
    _formulas_table(rough)
    terminal.wrapped("Each look is r/n: stop for futility if X <= r of n; at the last look reject H0 if X > r.")
    if run is not None and (said := run.decides(asked)):
        terminal.wrapped(said)
    for family, found in every:
        terminal.wrapped(text.proved(family, family.certificate(found)))


def _run(dropout: float | None, odds_ratio: float | None, **words: str | None) -> Run | None:
    """How patients are lost, if any option says so: what is imported for it takes as long as a search."""
    if all(option is None for option in (dropout, odds_ratio, *words.values())):
        return None
    from simtrial.cli import losses

    return losses.read(dropout, odds_ratio, **words)


@contextmanager
def _as_typed(asked: Requirements, run: Run | None, n_limit: int) -> Iterator[None]:
    """Name the options in the error of a search as they are typed, and the rates as they were given."""
    try:
        yield
    except InputError as error:
        told = error if run is None else run.told(error, asked, n_limit)
        names = {"n_limit": "--n-limit", "dropout": "--dropout", "bounds": "--bounds"}
        message = told.message.replace("n_limit", "--n-limit")
        raise InputError(message, names.get(told.field, told.field), error.others) from None


def _searched(
    asked: Requirements, run: Run | None, n_limit: int
) -> tuple[SingleStageSearch, TwoStageSearch, list[tuple[AnyFamily, object]]]:
    """What is found for limits that hold on paper, or as the trial is run."""
    from simtrial import search
    from simtrial.search import families

    others = families.others()
    if run is not None and run.how.recut:
        if others:
            left = ", ".join(family.title for family in others)
            terminal.say(f"not searched, as bounds are not recalculated for them: {left}")
        others = []
    if run is None:
        single, two = search.single_stage(asked, n_limit=n_limit), search.two_stage(asked, n_limit=n_limit)
        return single, two, [(family, family.search(asked, n_limit=n_limit)) for family in others]
    found = run.searches(asked, n_limit)
    return found.single, found.two, [(family, found.of(family)) for family in others]


def _designs_table(asked: Requirements, every: Sequence[tuple[AnyFamily, object]], title: str) -> None:
    """The designs of every family, one per row, and those that stand exactly at a limit."""
    from simtrial import search
    from simtrial.design.designs import looks_text
    from simtrial.search import text
    from simtrial.search.criteria import with_names

    rows, exactly = [], []
    for family, found in every:
        for kinds, design in with_names(family, found):
            one = designs_json.on_paper(design, asked)
            # weights of a search under dropout weigh other patients than those of this table
            ours = getattr(design, "requirements", asked) == asked
            low, high = (getattr(one, name, None) if ours else None for name in ("q_low", "q_high"))
            rows.append(
                [
                    search.named(kinds), looks_text(one, ", "), str(one.n), rate(one.type_i_error),
                    rate(one.power), f"{one.en_p0:.1f}", rate(one.pet_p0) if one.looks[1:] else "",
                    "" if low is None or high is None else f"{low:.3f}-{high:.3f}",
                ]
            )  # fmt: skip
            if at := text.exactly(one, asked):
                exactly.append(f"{looks_text(one, ', ')}: {at}.")
    heads = ("design", "looks (r/n)", "n", "type I error", "power", "EN(p0)", "PET(p0)", "weights q")
    terminal.table(title, heads, rows, left=2)
    if exactly:
        terminal.wrapped("\n".join(dict.fromkeys(exactly)) + "\n")


def _formulas_table(rough: Sequence[Approximation]) -> None:
    lines = [[a.title, f"{a.n}", f"{a.r}", rate(a.type_i_error), rate(a.power)] for a in rough]
    heads = ("textbook formula", "n", "rejects H0 if X >", "exact type I error", "exact power")
    terminal.table("Textbook formulas for n; type I error and power of the implied rules", heads, lines)


def _run_tables(asked: Requirements, every: Sequence[tuple[AnyFamily, object]], run: Run, n_limit: int) -> None:
    """What the designs do as they are run, and what the usual allowance does to the best on paper."""
    from simtrial import search
    from simtrial.cli import losses
    from simtrial.search.criteria import with_names

    named = [(search.named(kinds), design) for family, found in every for kinds, design in with_names(family, found)]
    known = {family.key for family, _ in every}
    usual = [
        (one.name, search.choose(asked, one.key, n_limit=n_limit))
        for one in search.CRITERIA.values()
        if one.family in known
    ]
    losses.show(run, asked, named, usual)


def oc(
    looks: Annotated[str, typer.Option(help="Looks as R/N or R:E/N, cumulative, comma-separated: 1/10,5/29.")],
    p: Annotated[list[float], options.number_option("true_rate", "True response rate; may be given again.")],
    as_json: options.Json = False,
) -> None:
    """Evaluate any design exactly: P(reject H0), PET and EN at each true response rate."""
    from simtrial.design.designs import looks_text, parse_looks
    from simtrial.design.exact import operating_characteristics

    design = parse_looks(looks)
    found = operating_characteristics(design, p)
    if as_json:
        terminal.print_json(
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
        [f"{at:g}", f"{found.reject[i]:.6f}", f"{found.pet[i]:.6f}", f"{found.en[i]:.4f}"] for i, at in enumerate(p)
    ]
    title = f"{looks_text(design, ', ')} (stop if X <= r; reject H0 if X > r at the end)"
    terminal.table(title, ("p", "P(reject H0)", "PET", "EN"), rows)
    stops = [
        [str(n), *(f"{found.n_distribution[i, k]:.6f}" for i in range(len(p)))] for k, n in enumerate(found.n.tolist())
    ]
    terminal.table("Distribution of the number of patients: P(N = n)", ("n", *(f"p = {at:g}" for at in p)), stops)


def simulate(
    file: Annotated[Path, typer.Argument(help="Parameter file with a conduct section.")],
    trials: Annotated[
        int | None, options.number_option("trials", "Number of trials per scenario, instead of that of the file.")
    ] = None,
    seed: Annotated[int | None, options.number_option("seed", "Seed, from 0 on, instead of that of the file.")] = None,
    as_json: options.Json = False,
) -> None:
    """Simulate the trial of a parameter file in calendar time, with exact values beside the simulated ones."""
    from simtrial.cli import cost as cli_cost
    from simtrial.conduct import simulation
    from simtrial.trial import params
    from simtrial.trial.case import Case

    trial, source = params.read(file)
    if trial.conduct is None:
        raise InputError("is missing; add it (see params/example.yaml)", f"{file}: trial.conduct")
    size = trial.conduct.simulation
    trials, seed = trials if trials is not None else size.trials, seed if seed is not None else size.seed
    simulation.check(trials, seed)
    case = Case.of(trial).checked(str(source.path))
    assert case.plan is not None  # the file has a conduct section
    with terminal.bar(trials * len(trial.scenarios)) as progress:
        done = simulation.simulate(case.plan, trial.scenarios, trials, seed, progress)
    if as_json:
        rows = [
            _scenario_json(result) | _in_time(trial.deadline, result) | cli_cost.as_json(case.prices, result)
            for result in done.results
        ]
        terminal.print_json({"trials": trials, "seed": seed, "scenarios": rows})
        return
    if trial.truths != trial.requirements:
        p0, truth = trial.requirements.p0, trial.truths.p0
        said = f"p0 = {p0:g} is the rate among all enrolled patients; with every patient evaluable it is {truth:.4g}."
        terminal.tell(said)
    _simulation_tables(case.chosen, done)
    if trial.deadline is not None:
        _in_time_table(trial.deadline, done)
    if case.prices is not None:
        cli_cost.show(case.prices, done)


def _scenario_json(result: Result) -> dict[str, object]:
    from simtrial.plan.disease import Beta

    p = result.scenario.p
    data: dict[str, object] = {"label": result.scenario.label, "p": result.scenario.mean}
    if isinstance(p, Beta):
        data["beta"] = [p.a, p.b]
    for name, estimate in result.estimates.items():
        row: dict[str, object] = {"value": estimate.value, "mcse": estimate.mcse, "exact": estimate.exact}
        if estimate.outcome.kind != "share":
            if estimate.infinite:  # no mean then: in this share of the trials the time was not reached
                row["not_reached"] = estimate.infinite / (estimate.n + estimate.infinite)
            row["quantiles"] = {f"{q:g}": estimate.quantiles[q] for q in (0.05, 0.5, 0.95)}
        data[name] = row
    return data


def _in_time(deadline: float | None, result: Result) -> dict[str, object]:
    """The probability of a decision within the months that count as in time; nothing without a deadline."""
    if deadline is None:
        return {}
    value, mcse = result.estimates["duration_months"].at_most(deadline)
    return {"in_time": {"value": value, "mcse": mcse}}


def _in_time_table(deadline: float, done: Simulation) -> None:
    rows = []
    for result in done.results:
        value, mcse = result.estimates["duration_months"].at_most(deadline)
        error = f"{mcse:.4f}" if mcse else f"equal in all of {counted(done.trials, 'trial')}"
        rows.append([f"{result.scenario.label}: p = {result.scenario.rate}", rate(value), error])
    title = f"Probability of a primary decision in time, by month {deadline:.3g}"
    terminal.table(title, ("", "P(in time), simulated", "MCSE"), rows)


def _simulation_tables(design: Design, done: Simulation) -> None:
    from simtrial.conduct.text import HANDLINGS
    from simtrial.design.designs import looks_text

    plan, single = done.plan, len(done.plan.design.looks) == 1
    accrual = "hold" if plan.interim.hold else "continue"
    if plan.interim.extra is not None:
        accrual += f", at most {counted(plan.interim.extra, 'extra patient')}"
    if plan.interim.max_hold is not None:
        accrual += f", for at most {counted(plan.interim.max_hold, 'month')}"
    if plan.conditional is not None:
        accrual += f"; pending patients: conditional rule, threshold {plan.conditional.threshold:g}"
    known = "each decision is taken as soon as it is settled; " if plan.interim.decide == "known" else ""
    bounds = ", with recalculated bounds" if plan.recut else ""
    waiting = "" if single else f"accrual while a look is pending: {accrual}; "
    terminal.tell(
        f"{looks_text(design, ', ')}; patients without a response assessment: {HANDLINGS[plan.handling]}{bounds}; "
        f"{waiting}{known}{counted(done.trials, 'trial')} per scenario, seed {done.seed}\n"
    )
    heads = ("", "simulated", "MCSE", "exact", "5%", "50%", "95%")
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
        terminal.table(f"{result.scenario.label}: p = {result.scenario.rate}", heads, rows)
