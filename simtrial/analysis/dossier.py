"""The final analysis of the trial of a parameter file, with its patients where they are known.

The numbers come from the section ``analysis``, from the patients of a file, or from a synthetic trial under p1.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simtrial import files, project
from simtrial.analysis import branching, safety, toxicity
from simtrial.analysis.attained import knows
from simtrial.analysis.final import Final, final, without_claim
from simtrial.design.second_stages import branched
from simtrial.errors import InputError
from simtrial.patients import data as patient_data
from simtrial.patients import files as patient_files
from simtrial.patients import synthetic
from simtrial.phrases import counted
from simtrial.plan.plan import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.analysis.branching import BranchingFinal
    from simtrial.design.branching import Branching
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.patients.data import PatientData
    from simtrial.plan.plan import Handling, Plan
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.rule import ToxicityRule
    from simtrial.trial.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The final analysis of the trial of a parameter file, with its patients where they are known.

    Attributes
    ----------
    final : Final
        What the counts say.
    requirements : Requirements
        p0, p1, alpha and power.
    handling : str
        Who counts.
    handling_stated : bool
        Whether the file states who counts; if not, `handling` is the one by which patients of a file are counted.
    data : PatientData or None
        The patients.
    source : str
        Where the numbers come from, in words.
    label : str
        ``synthetic data`` for patients that the simulator made, else the study.
    plan : Plan or None
        How the trial was to be run.
    landmark : float
        Month of the survival landmarks.
    rule : ToxicityRule or None
        The rule by which the trial was to stop for toxicity.
    """

    final: Final
    requirements: Requirements
    handling: Handling
    handling_stated: bool
    data: PatientData | None
    source: str
    label: str
    plan: Plan | None
    landmark: float
    rule: ToxicityRule | None = None

    @property
    def is_synthetic(self) -> bool:
        """Whether no patient of it is real."""
        return self.label == SYNTHETIC

    @property
    def known_handling(self) -> Handling | None:
        """Who counts, where this is known: numbers that were counted elsewhere do not show it."""
        return self.handling if self.handling_stated or self.data is not None else None


SYNTHETIC = "synthetic data"


ADAPTIVE = (
    "is adaptive, for which this is not made; decision, p-value and estimates stand at the top of the report, and "
    "simtrial analyze FILE prints them"
)
"""Why a trial with a second stage that depends on the first has no dossier."""


def adaptive(trial: Trial, table: Branching) -> BranchingFinal:
    """Analyze the counts that the file of a trial with an adaptive design holds.

    Raises
    ------
    InputError
        If it holds none, or the trial cannot have ended so.
    """
    given = trial.analysis
    if given is None or given.responses is None:
        raise InputError("needs responses and first_stage for an adaptive design", "trial.analysis")
    sizes = given.attained
    if sizes is not None and (sizes[0] != table.n1 or len(sizes) > 2 or sizes[-1] < sizes[0]):
        raise InputError(
            f"must begin with the {counted(table.n1, 'patient')} of the first stage", "trial.analysis.attained"
        )
    try:
        return branching.final(
            table, trial.requirements.p0, given.responses, first_stage=given.first_stage,
            n2=None if sizes is None else sizes[-1] - table.n1, level=given.level,
            sides=given.sides,
        )  # fmt: skip
    except InputError as error:
        raise InputError(error.message, f"trial.analysis.{error.field}") from None


def of_trial(trial: Trial, design: Design) -> Dossier:
    """Analyze the trial of a parameter file: its section ``analysis``, or else a synthetic trial under p1.

    Raises
    ------
    InputError
        If the file holds neither results nor a conduct to make a synthetic trial from, or the results cannot be.
    """
    if branched(design.looks) is not None:
        raise InputError(ADAPTIVE, "design")
    plan, given, asked = trial.plan(design), trial.analysis, trial.requirements
    handling: Handling = "nonresponder"
    if given is not None and given.handling is not None:
        handling = given.handling
    elif plan is not None:
        handling = plan.handling
    is_stated = plan is not None or (given is not None and given.handling is not None)
    level, sides = (0.95, 2) if given is None else (given.level, given.sides)
    ordering = "stage" if given is None else given.ordering
    landmark = 6.0 if plan is None else plan.landmark
    rule = trial.toxicity_rule(design)
    if given is not None and given.responses is not None:
        found = final(
            design, asked.p0, given.responses, stage=given.stage, first_stage=given.first_stage,
            attained=given.attained, p1=asked.p1, alpha=asked.alpha, level=level, sides=sides, ordering=ordering,
        )  # fmt: skip
        source = given.source or "counts in the parameter file"
        return Dossier(
            final=found, requirements=asked, handling=handling, handling_stated=is_stated, data=None, source=source,
            label=trial.study.id, plan=plan, landmark=landmark, rule=rule,
        )  # fmt: skip
    data, source, label = _patients(trial, plan)
    attained = None if given is None else given.attained
    found = of_patients(
        data,
        design,
        asked.p0,
        handling,
        attained=attained,
        p1=asked.p1,
        alpha=asked.alpha,
        level=level,
        sides=sides,
        ordering=ordering,
    )
    if rule is not None and safety.known(data):
        rates = (rule.acceptable, rule.unacceptable)
        found = under_boundary(found, data, rule.boundary, rule.window, handling=handling, rates=rates)
    return Dossier(
        final=found,
        requirements=asked,
        handling=handling,
        handling_stated=is_stated,
        data=data,
        source=source,
        label=label,
        plan=plan,
        landmark=landmark,
        rule=rule,
    )


def _patients(trial: Trial, plan: Plan | None) -> tuple[PatientData, str, str]:
    """The patients of the files named, or else of a synthetic trial; their source in words, and the label."""
    given = trial.analysis
    if given is not None and given.patients is not None:
        paths = [project.found(Path(name)) for name in given.patient_files]
        data = patient_data.read(paths, param=given.param, time_unit=given.time_unit)
        origin = f"{given.source}; " if given.source else ""
        names = (f"{path.name}, SHA-256 {digest}" for path, digest in zip(paths, data.sha256, strict=True))
        return data, f"{origin}patients of {' and '.join(names)}", trial.study.id
    if plan is None or trial.conduct is None:
        raise InputError(
            "is missing; without it, trial.conduct is needed to simulate a synthetic trial", "trial.analysis"
        )
    p1, seed = trial.requirements.p1, trial.conduct.simulation.seed
    text = synthetic.one_trial(plan, Scenario("p1", p1), seed, trial.study.start)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic.csv"
        path.write_text(text, encoding="utf-8")
        data = patient_data.read(path)
    return data, f"simulated at p1 = {p1:g} with seed {seed}; no patient is real", SYNTHETIC


def refuse_unread(trial: Trial) -> None:
    """Refuse files of patients that nobody can read, before any work is done on the others.

    Raises
    ------
    InputError
        If one is missing, too large, or no regular file.
    """
    for name in trial.analysis.patient_files if trial.analysis is not None else ():
        files.read(project.found(Path(name)), patient_files.MAX_BYTES)


def of_patients(
    data: PatientData,
    design: Design,
    p0: float,
    handling: Handling,
    *,
    attained: Sequence[int] | None = None,
    p1: float | None = None,
    alpha: float | None = None,
    level: float = 0.95,
    sides: int = 2,
    ordering: str = "stage",
) -> Final:
    """Analyze the patients of a file.

    `attained` says how many were counted at each look taken, where these are not the numbers planned and the file does
    not say the stage of each patient; the other arguments are those of `final`.

    Raises
    ------
    InputError
        If no look was reached, or the counts cannot be.
    """
    counts = data.counts([look.n for look in design.looks], handling, attained)
    sizes, responses = counts.sizes, counts.responses
    if not sizes or not sizes[0]:
        raise InputError(
            f"holds no patient who counts at the first look ({design.looks[0].n} planned)", f"{data.path}:"
        )
    if not knows(design):
        # the rules for other sizes find out by themselves where one of two looks ends the trial
        pairs = zip(design.looks, responses, strict=False)
        ends = (not look.regions(np.array(x), final=False).go_on for look, x in pairs)
        taken = next((k for k, end in enumerate(ends, start=1) if end), len(sizes))
        sizes, responses = sizes[:taken], responses[:taken]
    found = final(
        design, p0, responses[-1], first_stage=responses[0] if len(sizes) > 1 else None, attained=sizes, p1=p1,
        alpha=alpha, level=level, sides=sides, ordering=ordering,
    )  # fmt: skip
    responders = int((data.responder & data.enrolled).sum())
    read = counts.sizes[-1] + counts.beyond
    return replace(found, after=read - found.result.n, after_responses=responders - found.result.responses)


def under_boundary(
    done: Final,
    data: PatientData,
    boundary: ToxicityBoundary,
    window: float | None,
    *,
    handling: Handling,
    rates: tuple[float, ...] = (),
) -> Final:
    """Hold the toxicities of the patients against a boundary: a trial that crosses it makes no claim.

    What counts are the patients enrolled by the decision on response. If H0 is rejected at a look before the last,
    looks at toxicity beyond its patients come too late; a trial that stopped as planned without a rejection has ended
    for that reason, whatever its toxicities.

    Parameters
    ----------
    done : Final
        The analysis of the responses.
    data : PatientData
        The patients.
    boundary, window, rates
        See `simtrial.analysis.safety.found`.
    handling : {'nonresponder', 'replace', 'exclude'}
        Who counts at a look.

    Raises
    ------
    InputError
        If the file has no toxicities.
    """
    seen = safety.found(data, boundary, window, rates=rates, level=done.result.level)
    done = replace(done, toxicity=seen)
    planned = done.attained is None
    if seen.crossing is None or (planned and not done.result.reject):
        return done
    counting = data.enrolled if handling == "nonresponder" else data.evaluable
    by_then = int(np.searchsorted(np.cumsum(counting), done.result.n)) + 1
    early = done.result.reject and planned and done.result.stage < len(done.design.looks)
    in_time = boundary.within(by_then) if early else boundary
    toxic = safety.counting(data, window)[:by_then].tolist()
    if in_time is None or toxicity.crossed(in_time, toxic) is None:
        return done
    return without_claim(done)
