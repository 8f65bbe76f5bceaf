"""How a simulation was made, where it is reported and how to repeat it: generator, streams, versions, programs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.conduct import runs, simulation
from simtrial.design.designs import looks_text
from simtrial.phrases import counted
from simtrial.show.document import Chapter, Listing, Points
from simtrial.show.table import WORDS, Table, column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.conduct.simulation import Simulation

EXAMPLES = 5
"""Simulated trials of a scenario that are shown one by one."""

GENERATOR = "PCG64, from numpy.random.default_rng"
NAMES = {
    "simtrial": "simtrial",
    "commit": "Commit",
    "code_sha256": "SHA-256 of the code of the package",
    "python": "Python",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFrom:
    """What a simulation report is made from and with.

    Attributes
    ----------
    file : str
        Name of the parameter file, without its folder.
    sha256 : str
        Of the parameter file.
    versions : mapping of str to str
        Versions of the program, its code and its libraries.
    """

    file: str
    sha256: str
    versions: Mapping[str, str]


def implementation(done: Simulation, made: MadeFrom) -> Chapter:
    """The chapter on how the simulation was carried out."""
    size = runs.block_size(done.plan)
    blocks = len(simulation.blocks(done.plan, done.trials))
    return Chapter(
        number="2", title="Implementation",
        blocks=(
            "The simulation is an array program in Python with numpy. All looks of all trials of a block are computed "
            "at once, and where each trial stopped is settled last; no trial is discarded or repeated.",
            settings(done, made),
            Points(
                (
                    f"Streams: trials are generated in blocks of {size:,}; {counted(blocks, 'block')} per scenario. "
                    "Each block has a random stream of its own, seeded by the seed, the number of the scenario "
                    "(from 0, in the order of the scenarios) and the number of the block: "
                    "SeedSequence(seed, spawn_key=(scenario, block)).",
                    "Independence of the machine: the results depend on the parameter file, the number of trials and "
                    "the seed alone. The number of processes, and the order in which blocks are computed, do not "
                    "change them. The first trials of a longer run are those of a shorter one.",
                    "Versions: numpy may change how it generates a distribution from one version to the next, so a "
                    "repetition to the last digit needs the versions of the table above. With other versions the "
                    "values differ by Monte Carlo error.",
                    "Sums: means are added block by block with one final rounding, so that any grouping of the blocks "
                    "gives the same digits.",
                )
            ),
        ),
    )  # fmt: skip


def settings(done: Simulation, made: MadeFrom) -> Table:
    """Seed, size, generator, versions and hashes."""
    rows = [
        ("Parameter file", made.file),
        ("SHA-256 of the parameter file", made.sha256),
        ("Design (r/n)", looks_text(done.plan.design, ", ")),
        ("Trials per scenario", f"{done.trials:,}"),
        ("Scenarios", f"{len(done.results)}"),
        ("Seed", str(done.seed)),
        ("Random number generator", GENERATOR),
        *((NAMES.get(name, name), version) for name, version in made.versions.items()),
    ]
    shown = {"item": column("item", WORDS), "value": column("value", WORDS)}
    caption = "Settings of the simulation: input, size, seed, generator, and versions of the software"
    return Table("simulation_settings", caption, pd.DataFrame(rows, columns=list(shown)), shown)


def reproduction(done: Simulation, made: MadeFrom) -> Chapter:
    """The chapter with the command and the programs that give the numbers again."""
    return Chapter(
        number="6", title="Reproduction",
        blocks=(
            f"The commands and programs of this section are run in the folder that holds {made.file}. The command "
            "below simulates the trial again and prints every value, Monte Carlo standard error, exact value and "
            "quantile of the scenarios at full precision.",
            Listing(command(done, made)),
            "The program below does the same from Python.",
            Listing(program(done, made)),
            f"The program below prints the first {EXAMPLES} trials of each of the first two scenarios, which the table "
            "of example trials shows.",
            Listing(examples_program(done, made)),
            "The command below writes the report with all tables, figures and this document.",
            Listing(f"simtrial report {shlex.quote(made.file)}"),
        ),
    )  # fmt: skip


def command(done: Simulation, made: MadeFrom) -> str:
    """The command that gives the numbers again."""
    return f"simtrial simulate {shlex.quote(made.file)} --trials {done.trials} --seed {done.seed} --json"


_OPENING = """from simtrial.conduct import simulation
from simtrial.trial import params
from simtrial.trial.case import Case

case = Case.of(params.load({file!a}))
"""


def program(done: Simulation, made: MadeFrom) -> str:
    """The program that prints the numbers: one line per scenario and measure."""
    return _OPENING.format(file=made.file) + (
        f"done = simulation.simulate(case.plan, case.scenarios, trials={done.trials}, seed={done.seed})\n"
        "for result in done.results:\n"
        "    for name, e in result.estimates.items():\n"
        "        print(result.scenario.label, name, e.value, e.mcse, e.exact)\n"
    )


def examples_program(done: Simulation, made: MadeFrom) -> str:
    """The program that prints the example trials."""
    return _OPENING.format(file=made.file) + (
        "for number, scenario in enumerate(case.scenarios[:2]):\n"
        f"    trials, _ = simulation.block(case.plan, scenario, number, {done.seed}, 0)\n"
        f"    for k in range({min(EXAMPLES, done.trials)}):\n"
        "        print(scenario.label, k, trials.enrolled[k], trials.decision[k], trials.reject[k])\n"
    )
