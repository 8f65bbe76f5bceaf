"""Commands that evaluate a design and run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import designs_json, options
from simtrial.errors import InputError
from simtrial.phrases import counted, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.conduct.simulation import Result, Simulation
    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.toxicity.boundary import ToxicityBoundary


def oc(
    looks: Annotated[str, typer.Option(help="Looks as R/N or R:E/N, cumulative, comma-separated: 1/10,5/29.")],
    p: Annotated[list[float], options.number_option("true_rate", "True response rate; may be given again.")],
    as_json: options.Json = False,
) -> None:
    """Evaluate any design exactly: P(reject H0), PET and EN at each true response rate."""
    from simtrial.design.branching import parse_design
    from simtrial.design.designs import looks_text
    from simtrial.design.exact import operating_characteristics

    design = parse_design(looks)
    found = operating_characteristics(design, p)
    if as_json:
        terminal.print_json(
            {
                "looks": designs_json.looks(design),
                **({"rule": looks_text(design)} if design.looks[0].table else {}),
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
    means = "stop if X <= r; reject H0 if X > r at the end"
    if design.looks[0].table:
        means = "by X1: A accept, R reject, or n2/r: n2 more patients, reject H0 if X > r"
    title = f"{looks_text(design, ', ')} ({means})"
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
            _scenario_json(result, done.plan) | _in_time(trial.deadline, result) | cli_cost.as_json(case.prices, result)
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


def _without_toxicity(result: Result, plan: Plan) -> float | None:
    """P(reject H0) of the same trial without its rule for toxicity; None where it has no exact value."""
    from simtrial.laws import laws

    return laws.exact_values(plan.by_responses, result.scenario, months=False).get("reject")


def _counts(boundary: ToxicityBoundary) -> str:
    """The bounds of a boundary, each with the largest number of patients that it is for."""
    last = {look.b: look.n for look in boundary.looks if look.b is not None}
    return ", ".join(f"{b}/{n}" for b, n in last.items())


def _scenario_json(result: Result, plan: Plan) -> dict[str, object]:
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
        if name == "reject" and plan.toxicity_rule is not None:
            row["exact_without_toxicity_rule"] = _without_toxicity(result, plan)
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
    from simtrial.conduct.text import HANDLINGS, by_toxicity
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
    if design.looks[0].table:
        terminal.tell(
            "The design by the number of responses in the first stage: A: stop without rejecting H0; R: stop and "
            "reject H0; n2/r: enroll n2 more patients, and reject H0 if more than r of all patients respond."
        )
    terminal.tell(
        f"{looks_text(design, ', ')}; patients without a response assessment: {HANDLINGS[plan.handling]}{bounds}; "
        f"{waiting}{known}{counted(done.trials, 'trial')} per scenario, seed {done.seed}\n"
    )
    if plan.toxicity_rule is not None and plan.toxicity is not None:
        terminal.tell(
            f"With{by_toxicity(plan).removeprefix(' and')}: stop as soon as at least b of the first n patients have "
            f"had a toxicity (b/n: {_counts(plan.toxicity_rule.boundary)}).\n"
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
            rows.append([kind.called(plan), *shown, *quantiles])
            if kind.name == "reject" and plan.toxicity_rule is not None:
                without = _without_toxicity(result, plan)
                said = "" if without is None else f"{without:.4f}"
                rows.append(["P(reject H0) without the rule for toxicity", "", "", said, "", "", ""])
        terminal.table(f"{result.scenario.label}: p = {result.scenario.rate}", heads, rows)
