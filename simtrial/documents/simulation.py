"""The simulation report that ICH M11 [1]_ asks for as an appendix: what was simulated, how, and how well.

Its content is that of ADEMP [2]_ (aims, data-generating mechanisms, estimands, methods, performance measures); its
headings are those of OCTAVE [3]_ (planning, implementation, validation).

References
----------
.. [1] ICH M11: Clinical electronic structured harmonised protocol (CeSHarP), technical specification.
.. [2] Morris TP, White IR, Crowther MJ. Using simulation studies to evaluate statistical methods. Stat Med
   2019;38:2074-2102.
.. [3] Lee KM, Choodari-Oskooei B, Grayling MJ et al. Clinical trial simulation: planning with the OCTAVE framework,
   implementation and validation principles. Stat Med 2026, doi 10.1002/sim.70449.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.conduct import text
from simtrial.design.designs import looks_text
from simtrial.documents import simulation_checks, simulation_planning, simulation_reproduction, simulation_results
from simtrial.documents.facts import SIMULATION_REPORT
from simtrial.phrases import agreeing, counted, listed
from simtrial.plan.centres import Centres
from simtrial.show.document import Chapter, Document, Points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.conduct.simulation import Simulation
    from simtrial.documents.simulation_reproduction import MadeFrom
    from simtrial.show.document import Matter
    from simtrial.trial.case import Case

NAME = SIMULATION_REPORT

CASES = {
    "Handling of dropout": "type I error and power under every handling of dropout, by enumeration in independent code",
    "Calendar": "months, patients and expected events, in closed form and by numeric integrals",
    "The simulator and its exact laws": "simulated means beside exact ones, for five models of enrollment, two of "
    "readout, three rules of accrual and every handling of dropout",
    "Kaplan-Meier": "survival, standard errors, median and interval, as computed by R survival",
    "Operating characteristics in fractions": "the exact operating characteristics, counted in exact fractions",
}
"""Cases of ``simtrial validate`` on which the simulation rests, and what each compares."""

REFERENCES = (
    "Morris TP, White IR, Crowther MJ. Using simulation studies to evaluate statistical methods. Stat Med "
    "2019;38:2074-2102.",
    "Lee KM, Choodari-Oskooei B, Grayling MJ et al. Clinical trial simulation: planning with the OCTAVE framework, "
    "implementation and validation principles. Stat Med 2026, doi 10.1002/sim.70449.",
    "ICH M11: Clinical electronic structured harmonised protocol (CeSHarP).",
)


CENTRES = (
    "Anisimov VV, Fedorov VV. Modelling, prediction and adaptive adjustment of recruitment in multicentre trials. "
    "Stat Med 2007;26:4958-4975."
)
"""Cited where patients arrive at centres with rates of their own."""


def of(case: Case, made: MadeFrom, origin: str = "") -> Document:
    """The report on the simulation of a trial.

    Parameters
    ----------
    case : Case
        The trial and its design; its parameter file states how the trial is run.
    made : MadeFrom
        The parameter file and the software.
    origin : str
        What the document was made from, for the footer.

    Raises
    ------
    InputError
        If the file does not state how the trial is run.
    """
    done, study = case.simulated, case.trial.study
    return Document(
        name=NAME,
        title=f"Simulation report: {study.title}",
        study=study.id,
        lead=_lead(case, done, made),
        chapters=(
            *simulation_planning.chapters(case, done),
            simulation_reproduction.implementation(done, made),
            *_validation(done, made),
            *simulation_results.chapters(case, done),
            _conclusions(case, done),
            simulation_reproduction.reproduction(done, made),
            Chapter(title="References", blocks=(Points(_references(done)),)),
        ),
        origin=origin,
    )


def _references(done: Simulation) -> tuple[str, ...]:
    return (*REFERENCES, *((CENTRES,) if isinstance(done.plan.enrollment, Centres) else ()))


def _lead(case: Case, done: Simulation, made: MadeFrom) -> tuple[str, ...]:
    return (
        f"This report describes the simulation of the design {looks_text(done.plan.design, ', ')} as it will be run: "
        f"{counted(done.trials, 'trial')} at each of {counted(len(done.results), 'true response rate')}, seed "
        f"{done.seed}. It states aims, data-generating mechanisms, estimands, methods and performance measures "
        "(ADEMP), under the headings planning, implementation and validation (OCTAVE). In the tables every "
        "simulated value stands beside its Monte Carlo standard error (MCSE) and, where one exists, its exact value.",
        text.cost(done, case.requirements).paragraphs[1],
        simulation_checks.verdict(done, made.file),
    )


def _validation(done: Simulation, made: MadeFrom) -> Iterator[Chapter]:
    yield Chapter(number="3", title="Validation")
    blocks: list[Matter] = [simulation_checks.verdict(done, made.file)]
    if simulation_checks.of(done):
        blocks += [simulation_checks.by_measure(done), simulation_checks.by_scenario(done)]
    yield Chapter(number="3.1", title="Simulated and exact values", level=2, blocks=tuple(blocks))
    yield Chapter(number="3.2", title="Measures without an exact value", level=2, blocks=tuple(_without(done)))
    yield Chapter(
        number="3.3", title="Independence of simulation and exact values", level=2,
        blocks=(
            "Simulation and exact values are separate programs. They share the description of the design and of the "
            "plan, with the bounds that belong to it, and nothing else: the modules that simulate do not import those "
            "that compute exact values. A test of the project enforces this. An error in one of them therefore shows "
            "as a large standardised difference.",
        ),
    )  # fmt: skip
    yield Chapter(
        number="3.4", title="Validation of the software", level=2,
        blocks=(
            "The command simtrial validate compares the software with references made elsewhere, on the machine on "
            "which it is used, and fails if a comparison disagrees. The simulation rests on these cases:",
            Points(tuple(f"{name}: {what}." for name, what in CASES.items())),
        ),
    )  # fmt: skip


def _without(done: Simulation) -> Iterator[Matter]:
    missing = simulation_checks.without(done)
    if not missing:
        yield "Every mean and proportion of this report has an exact value. Quantiles are simulated alone."
        return
    labels = [result.scenario.label for result in done.results]
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, found in missing.items():
        groups.setdefault(tuple(found), []).append(name)
    yield (
        f"{counted(len(missing), 'measure')} {agreeing(len(missing), 'has', 'have')} an exact value at only some of "
        "the true rates or at none."
    )
    yield (
        "They come from the same simulated trials as the checked ones; their estimators are checked by the cases of "
        "section 3.4."
        if simulation_checks.of(done)
        else "They rest on the validation of the software alone; see section 3.4."
    )
    yield Points(
        tuple(
            f"{'No exact value at any true rate' if list(found) == labels else f'No exact value at {listed(found)}'}: "
            f"{listed(names)}."
            for found, names in groups.items()
        )
    )


def _conclusions(case: Case, done: Simulation) -> Chapter:
    bare = simulation_planning.unsourced(case)
    limits = [
        "The results hold under the assumptions of section 1.2. Monte Carlo standard errors state the accuracy of the "
        "simulation, not that of the assumptions; section 4.5 shows how the results change with them, one at a time.",
        "Patients are taken to be independent, and the response rate to be the same for early and late patients and at "
        "all centres.",
        "Means without a stated error are exact, or have their Monte Carlo standard error in section 4.1. Quantiles "
        "are given without a standard error.",
    ]
    if bare:
        limits.append(f"The parameter file states no source for: {listed(bare)}.")
    # the check of the run stands in the chapter on validation
    concluded = [said for said in text.cost(done, case.requirements).paragraphs if not said.startswith("Check:")]
    return Chapter(
        number="5", title="Conclusions and limits",
        blocks=(*concluded, "Limits:", Points(tuple(limits))),
    )  # fmt: skip
