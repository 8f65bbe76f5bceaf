"""Results of a simulation: every scenario, the calendar, single trials, and what happens if an assumption is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct import figures, followed, sensitivity, simulation, tables, text
from simtrial.design.designs import looks_text
from simtrial.documents.simulation_reproduction import EXAMPLES
from simtrial.phrases import counted
from simtrial.show.document import Chapter
from simtrial.show.table import WHOLE, WORDS, Table, column
from simtrial.trial import figures as trial_figures
from simtrial.trial import tables as trial_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.conduct.runs import Trials
    from simtrial.conduct.simulation import Simulation
    from simtrial.show.document import Matter
    from simtrial.show.picture import Picture
    from simtrial.trial.case import Case


def chapters(case: Case, done: Simulation) -> Iterator[Chapter]:
    """The chapter on results and its sections."""
    yield Chapter(number="4", title="Results")
    yield Chapter(
        number="4.1", title="All scenarios", level=2,
        blocks=("Exact values are given where they exist.", _all(case, done)),
    )  # fmt: skip
    yield Chapter(
        number="4.2", title="Each scenario", level=2,
        blocks=(
            "The tables below hold every performance measure of each scenario: simulated value, Monte Carlo standard "
            "error, exact value where there is one, standardised difference z, and quantiles.",
            *(_every(done, result.scenario.label) for result in done.results),
        ),
    )  # fmt: skip
    yield Chapter(number="4.3", title="Calendar", level=2, blocks=tuple(_calendar(case, done)))
    yield Chapter(number="4.4", title="Example trials", level=2, blocks=tuple(_examples(done)))
    yield Chapter(number="4.5", title="Sensitivity to the assumptions", level=2, blocks=tuple(_sensitivity(case, done)))


def _all(case: Case, done: Simulation) -> Table:
    """The table of all scenarios: each with its rate in one column, and without the overrun where there is none."""
    found = tables.scenarios(done, case.prices)
    gone = {"p"} | ({"overrun_shown"} if not found.frame["overrun"].any() else set())
    return replace(
        found,
        frame=found.frame.assign(scenario=found.frame["scenario"] + ": " + found.frame["p"]),
        shown={key: how for key, how in found.shown.items() if key not in gone},
    )


def _every(done: Simulation, label: str) -> Table:
    """The table of a scenario, by a name that no two scenarios share, with narrow columns of quantiles."""
    found = tables.simulated(done, label)
    number = [result.scenario.label for result in done.results].index(label)
    quantiles = {f"q{share:02d}": (f"{share}%", "{:g}") for share in (5, 50, 95)}
    return replace(
        found,
        name=f"simulation_scenario_{number}",
        caption=f"{found.caption}; 5%, 50% and 95% are quantiles of the trials",
        shown={key: quantiles.get(key, how) for key, how in found.shown.items()},
    )


def _calendar(case: Case, done: Simulation) -> Iterator[Matter]:
    dates = trial_tables.timeline(case.trial, done)
    if dates.shown:
        yield dates
    else:
        yield "The parameter file states no dates with which the simulated months could be compared."
    yield trial_figures.enrollment_fan(case.trial, done.plan, done.results[1].scenario, 1, done.seed)


def _examples(done: Simulation) -> Iterator[Matter]:
    plan = done.plan
    blocks = [simulation.block(plan, done.results[k].scenario, k, done.seed, 0)[0] for k in range(2)]
    shown = min(EXAMPLES, done.trials)
    yield (
        f"The table below lists the first {counted(shown, 'trial')} of p0 and of p1 as generated, none left out or "
        "chosen. The figures follow single trials patient by patient. Each trial is identified by its scenario and its "
        "number in block 0, and can be generated again with the program of section 6."
    )
    yield examples(done, blocks)
    for k, trials in enumerate(blocks):
        which = _drawn(trials) if k == 0 else followed.ordinary(trials)
        if which is not None:
            yield _course(done, k, which)


def _drawn(trials: Trials) -> int | None:
    """The first trial that stops at an interim analysis; None if there is none in the block."""
    early = np.flatnonzero((trials.stage < len(trials.looks)) & ~trials.closed & ~trials.toxicity_stopped)
    return int(early[0]) if len(early) else None


def _course(done: Simulation, k: int, number: int) -> Picture:
    """A simulated trial patient by patient, with how it can be generated again."""
    scenario = done.results[k].scenario
    picture = figures.swimmer(done.plan, scenario, k, done.seed, number)
    why = (
        "It is the first trial of the block that stops at an interim analysis."
        if k == 0
        else "It is the trial of median duration among those of the block that reach the last look."
    )
    if number >= done.trials:
        why += f" Blocks are drawn whole, and it lies beyond the {counted(done.trials, 'trial')} of the results."
    caption = f"{picture.caption} Trial {number} of block 0 of {scenario.label}, seed {done.seed}. {why}"
    name = "simulation_trial" if k == 0 else picture.name  # the one at p1 is that of the report
    return replace(picture, name=name, caption=caption)


def examples(done: Simulation, blocks: list[Trials]) -> Table:
    """The first trials of p0 and p1, one per row."""
    rows = []
    for result, trials in zip(done.results, blocks, strict=False):
        for k in range(min(EXAMPLES, done.trials)):
            stage = int(trials.stage[k])
            rows.append(
                {
                    "scenario": result.scenario.label,
                    "trial": k,
                    "screened": int(trials.screened[k]),
                    "enrolled": int(trials.enrolled[k]),
                    "stage": stage,
                    "counted": f"{int(trials.responses[k])} of {int(trials.analysed[k])}",
                    "interim_month": float(trials.first_look[k]),
                    "decision_month": float(trials.decision[k]),
                    "end_month": float(trials.end[k]),
                    "reject": "stopped for toxicity" if trials.toxicity_stopped[k] else _conclusion(trials, k),
                }
            )
    shown = {
        "scenario": column("scenario", WORDS),
        "trial": column("trial_number", WHOLE),
        "enrolled": column("enrolled", WHOLE),
        "stage": column("ended_at", WHOLE),
        "counted": column("counted_at", WORDS),
        "interim_month": column("months_to_interim", "{:.1f}"),
        "decision_month": column("decision_months", "{:.1f}"),
        "reject": column("null", WORDS),
    }
    if len(done.plan.design.looks) == 1:
        shown.pop("interim_month")
    caption = (
        f"The first {counted(min(EXAMPLES, done.trials), 'simulated trial')} at p0 and at p1 of the design "
        f"{looks_text(done.plan.design, ', ')} as it is run: patients, responses counted by the primary decision, "
        f"months, and whether H0 is rejected (block 0, seed {done.seed})"
    )
    return Table("simulation_examples", caption, pd.DataFrame(rows), shown, right=("counted",))


def _conclusion(trials: Trials, k: int) -> str:
    return "rejected" if trials.reject[k] else "not rejected"


def _sensitivity(case: Case, done: Simulation) -> Iterator[Matter]:
    found = sensitivity.analyse(done.plan, case.trial.truths, done.trials, done.seed)
    yield (
        "One assumption is changed at a time, and all others stay as planned. Every variant is simulated with the same "
        "seed; exact values are taken where they exist, and the table below gives the Monte Carlo standard error of "
        "the others. Changes of several assumptions together are not covered."
    )
    yield from text.hurts_most(found, case.requirements).paragraphs
    yield figures.tornado(found)
    yield tables.sensitivity(found)
