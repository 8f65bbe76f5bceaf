"""The final analysis of one trial: from counts, from the patients of a file, or of a synthetic trial.

Sizes as planned are analysed by `simtrial.analysis.inference`. Where they differ, every rule of
`simtrial.analysis.deviation` decides, and the first of them that applies gives decision, p-value and median unbiased
estimate; the other estimates and intervals are those of its bounds at the sizes attained. The rules are made for one or
two looks that stop for futility; for any other design the planned bounds are kept at the sizes attained.

A trial ends at the first look that stops it. Patients analysed after that look do not count, as in the deletion method
for overrunning [1]_, and `Final` says how many they are.

References
----------
.. [1] Sooriyarachchi MR, Whitehead J, Matsushita T, Bolland K, Whitehead A. Incorporating data received after a
   sequential trial has stopped into the final analysis. Biometrics 2003;59:701-709.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from simtrial import project
from simtrial.analysis import deviation, inference
from simtrial.design.designs import Look, MultiStage, SingleStage, looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.numbers import count, probability
from simtrial.patients import data as patient_data
from simtrial.patients import synthetic
from simtrial.plan.plan import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.analysis.deviation import Attained, Outcome
    from simtrial.analysis.inference import Analysis
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.patients.data import PatientData
    from simtrial.plan.plan import Handling, Plan
    from simtrial.trial.trial import Trial


@dataclass(frozen=True)
class Final:
    """A finished trial and what it says.

    Attributes
    ----------
    design : Design
        As planned.
    p0 : float
        Response rate under H0.
    result : Analysis
        Decision, p-values, estimates, intervals.
    attained : Attained or None
        Sizes and responses where the sizes differ from plan.
    rules : tuple of Outcome
        What every rule says of them; empty where sizes are as planned.
    closed : bool
        Whether the trial ended without a decision of a look: accrual closed before it, or at it.
    alpha : float or None
        Type I error that recalculated bounds keep; None where none are recalculated.
    sizes : tuple of int
        Patients analysed at each look taken, cumulative.
    after, after_responses : int
        Patients analysed after the look that ended the trial, and responses among them; they do not count.
    """

    design: Design
    p0: float
    result: Analysis
    attained: Attained | None = None
    rules: tuple[Outcome, ...] = ()
    closed: bool = False
    alpha: float | None = None
    sizes: tuple[int, ...] = ()
    after: int = 0
    after_responses: int = 0

    @property
    def rule(self) -> Outcome | None:
        """The rule that the result follows; None where sizes are as planned."""
        return next((rule for rule in self.rules if rule.reject is not None), self.rules[0]) if self.rules else None


def final(
    design: Design,
    p0: float,
    responses: int,
    *,
    stage: int | None = None,
    first_stage: int | None = None,
    attained: Sequence[int] | None = None,
    p1: float | None = None,
    alpha: float | None = None,
    level: float = 0.95,
    sides: int = 2,
    ordering: str = "stage",
) -> Final:
    """Analyze a finished trial from its counts.

    Parameters
    ----------
    design : Design
        As planned.
    p0 : float
        Response rate under H0.
    responses : int
        By the end.
    stage : int, optional
        Look at which it ended, from 1.
    first_stage : int, optional
        Responses at the first look: needed where sizes differ from plan, checked where they do not.
    attained : sequence of int, optional
        Patients analysed at each look taken, cumulative; as planned if left out.
    p1, alpha : float, optional
        For the rules that recalculate bounds: see `simtrial.analysis.deviation.outcomes`. Without an alpha they keep
        the exact type I error of the plan.
    level, sides, ordering
        See `simtrial.analysis.inference.analyze`.

    Raises
    ------
    InputError
        If the trial cannot have ended so.
    """
    planned = [look.n for look in design.looks]
    sizes = planned if attained is None else [count(n, "attained", at_least=1) for n in attained]
    if stage is not None and attained is not None and stage != len(sizes):
        raise InputError(f"({stage}) must be {len(sizes)}, the number of sizes attained", "stage")
    if len(sizes) > len(planned):
        raise InputError(f"holds {len(sizes)} numbers; {looks_text(design)} has only {len(planned)}", "attained")
    if attained is None or (sizes == planned[: len(sizes)] and _as_planned(design, sizes, responses, first_stage)):
        ended = stage if attained is None else len(sizes)
        found = inference.analyze(design, responses, p0, ended, level, sides=sides, ordering=ordering)
        if first_stage is not None:
            _check_first(design, first_stage, found)
        return Final(design, p0, found, sizes=tuple(planned[: found.stage]))
    options: Options = {"level": level, "sides": sides, "ordering": ordering}
    if not deviation.knows(design):
        return _at_planned_bounds(design, p0, p1, sizes, responses, options)
    seen = _attained(design, sizes, responses, first_stage)
    kept = float(operating_characteristics(design, p0).reject) if alpha is None else probability(alpha, "alpha")
    rules = deviation.outcomes(design, seen, p0, p1, kept, level)
    chosen = next((one for one in rules if one.reject is not None), rules[0])
    if not seen.stopped and chosen.p_value is None:
        # the rule that decides would have stopped it: what was seen at that look is its end
        stopped = final(design, p0, seen.x1, attained=(seen.n1,), p1=p1, alpha=alpha, **options)
        return replace(stopped, after=seen.n - seen.n1, after_responses=seen.x - seen.x1)
    closed = seen.n1 > 0 and seen.stopped and all(one.reject is None for one in rules)
    if closed:
        # no look stopped it: accrual did, and what came is held against the last look's bound, as in the simulator
        seen = deviation.Attained(0, seen.n, 0, seen.x)
        last = design.looks[-1]
        rules = deviation.outcomes(SingleStage(last.r or 0, last.n), seen, p0, p1, kept, level, lookless=True)
    shaped = _shaped(design, seen, p0, rules, options)
    return _by_rule(Final(design, p0, shaped, seen, rules, closed, kept, tuple(sizes)))


class Options(TypedDict):
    """How intervals and p-values are made: see `simtrial.analysis.inference.analyze`."""

    level: float
    sides: int
    ordering: str


def _at_planned_bounds(
    design: Design, p0: float, p1: float | None, sizes: list[int], responses: int, options: Options
) -> Final:
    """Analyze a trial of other sizes against its planned bounds, whatever its looks.

    Whoever came after the last look that was taken before accrual ended is held against the bound of the last look.
    """
    *_, last = design.looks
    n, reached = sizes[-1], len(sizes)
    if any(a >= b for a, b in pairwise(sizes)):
        raise InputError(f"({', '.join(map(str, sizes))}) must increase", "attained")
    if not 0 <= responses <= n:
        raise InputError(f"({responses}) must be from 0 to {n}, the patients analysed", "responses")
    taken = tuple(Look(size, look.r, look.e) for size, look in zip(sizes, design.looks, strict=False))
    ends = reached < len(design.looks) and not taken[-1].regions(np.array(responses), final=False).go_on
    if ends:
        later = tuple(look for look in design.looks[reached:] if look.n > n) or (Look(n + 1, last.r),)
        shaped = MultiStage((*taken, *later))
    else:
        shaped = MultiStage((*taken[:-1], Look(n, min(last.r or 0, n - 1))))
    result = inference.analyze(shaped, responses, p0, reached, **options)
    oc = operating_characteristics(shaped, [p0, p0 if p1 is None else p1])
    first = design.looks[0]
    rule = deviation.Outcome(
        "planned bounds", -1 if first.r is None else first.r, (taken[-1].r if ends else last.r) or 0, result.reject, "",
        result.p_value, result.estimates["median_unbiased"], result.intervals["exact"], float(oc.reject[0]),
        None if p1 is None else float(oc.reject[1]), float(oc.pet[0]),
    )  # fmt: skip
    # what was seen at the first of several looks is not known here, and no rule of these designs asks for it
    seen = deviation.Attained(0, n, 0, responses)
    closed = not ends and reached < len(design.looks)
    return Final(design, p0, result, seen, (rule,), closed, None, tuple(sizes))


def _as_planned(design: Design, sizes: list[int], responses: int, first_stage: int | None) -> bool:
    """Whether a trial that had the planned sizes also kept to the plan's decision at its look."""
    if len(sizes) > 1:
        return first_stage is None or bool(design.looks[0].regions(np.array(first_stage), final=False).go_on)
    final_look = len(design.looks) == 1
    return final_look or not design.looks[0].regions(np.array(responses), final=False).go_on


def _by_rule(whole: Final) -> Final:
    """Put what the chosen rule says in place of what its bounds say by themselves."""
    chosen, result = whole.rule, whole.result
    assert chosen is not None  # planned bounds always apply
    estimates, intervals, p_value = dict(result.estimates), dict(result.intervals), result.p_value
    if chosen.conditional:
        assert whole.attained is not None
        assert chosen.interval is not None
        assert chosen.p_value is not None
        p_value = chosen.p_value
        estimates["median_unbiased"] = chosen.median_unbiased
        intervals["koyama_chen"] = chosen.interval
        if result.sides == 1:
            intervals["koyama_chen"] = (_lower(whole.design, whole.attained, whole.p0, result.level), 1.0)
    reject = bool(chosen.reject)
    followed = replace(
        result,
        reject=reject,
        p_value=p_value,
        p_values=result.p_values | {"exact": p_value},
        estimates=estimates,
        intervals=intervals,
        agrees=_agreeing(intervals, whole.p0, reject),
    )
    return replace(whole, result=followed)


def _agreeing(intervals: dict[str, tuple[float, float | None]], p0: float, reject: bool) -> dict[str, bool]:
    return {name: (low > p0) == reject for name, (low, _) in intervals.items()}


def _check_first(design: Design, first_stage: int, found: Analysis) -> None:
    first = design.looks[0]
    x1 = count(first_stage, "first_stage")
    if found.stage == 1 and x1 != found.responses:
        raise InputError(
            f"({x1}) must be the responses ({found.responses}): the trial ended at its first look", "first_stage"
        )
    if found.stage == 1:
        return
    if x1 > min(found.responses, first.n):
        raise InputError(f"({x1}) must be at most {min(found.responses, first.n)}", "first_stage")
    if not first.regions(np.array(x1), final=False).go_on:
        raise InputError(f"({x1}) of {first.n} would have ended {looks_text(design)} at its first look", "first_stage")
    if found.responses - x1 > found.n - first.n:
        raise InputError(
            f"({found.responses}) must be at most {x1 + found.n - first.n}: {x1} at the first look and "
            f"{found.n - first.n} patients since", "responses",
        )  # fmt: skip


def _attained(design: Design, sizes: list[int], responses: int, first_stage: int | None) -> Attained:
    if len(design.looks) == 1:
        return deviation.Attained(0, sizes[0], 0, responses)
    if len(sizes) == 1:
        if first_stage not in (None, responses):
            raise InputError(f"({first_stage}) must be the responses ({responses}): there was one look", "first_stage")
        if responses > sizes[0]:
            raise InputError(f"({responses}) must be <= {sizes[0]}, the patients analysed", "responses")
        return deviation.Attained(sizes[0], sizes[0], responses, responses)
    if first_stage is None:
        raise InputError(
            f"is missing: say how many of the first {sizes[0]} responded, as sizes differ from plan", "first_stage"
        )
    if sizes[1] <= sizes[0]:
        raise InputError(f"({sizes[0]},{sizes[1]}) must increase", "attained")
    return deviation.Attained(sizes[0], sizes[1], first_stage, responses)


def _shaped(design: Design, seen: Attained, p0: float, rules: tuple[Outcome, ...], options: Options) -> Analysis:
    """Estimates and intervals at the sizes attained, with the bounds of the rule that decides."""
    rule = next((one for one in rules if one.reject is not None), rules[0])
    n = max(seen.n, design.looks[-1].n) if seen.stopped else seen.n
    n = n if n > seen.n1 else seen.n1 + 1
    r = min(max(rule.r, 0), n - 1)
    if not seen.n1:
        return inference.analyze(MultiStage((Look(n, r),)), seen.x, p0, 1, **options)
    r1 = None if rule.r1 < 0 else min(rule.r1, r, seen.n1 - 1)
    if seen.stopped and seen.x1 == seen.n1:  # so few that even as many responses as patients stop it
        return inference.analyze(MultiStage((Look(seen.n1, seen.n1 - 1),)), seen.x, p0, 1, **options)
    if seen.stopped:
        r1 = max(-1 if r1 is None else r1, seen.x1)
        r = max(r, r1)
    looks = (Look(seen.n1, r1), Look(n, r))
    stage = 1 if seen.stopped else 2
    return inference.analyze(MultiStage(looks), seen.x, p0, stage, **options)


def _lower(design: Design, seen: Attained, p0: float, level: float) -> float:
    """Koyama and Chen's lower limit alone, at the whole of 1 - level."""
    two_sided = deviation.outcomes(design, seen, p0, level=1 - 2 * (1 - level))[0].interval
    return 0.0 if two_sided is None else two_sided[0]


@dataclass(frozen=True)
class Report:
    """The final analysis of the trial of a parameter file, with its patients where they are known.

    Attributes
    ----------
    final : Final
        What the counts say.
    requirements : Requirements
        p0, p1, alpha and power.
    handling : str
        Who counts.
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
    """

    final: Final
    requirements: Requirements
    handling: Handling
    data: PatientData | None
    source: str
    label: str
    plan: Plan | None
    landmark: float

    @property
    def is_synthetic(self) -> bool:
        """Whether no patient of it is real."""
        return self.label == SYNTHETIC


SYNTHETIC = "synthetic data"


def of_trial(trial: Trial, design: Design) -> Report:
    """Analyze the trial of a parameter file: its section ``analysis``, or else a synthetic trial under p1.

    Raises
    ------
    InputError
        If the file holds neither results nor a conduct to make a synthetic trial from, or the results cannot be.
    """
    plan, given, asked = trial.plan(design), trial.analysis, trial.requirements
    handling: Handling = "nonresponder"
    if given is not None and given.handling is not None:
        handling = given.handling
    elif plan is not None:
        handling = plan.handling
    level, sides = (0.95, 2) if given is None else (given.level, given.sides)
    ordering = "stage" if given is None else given.ordering
    landmark = 6.0 if plan is None else plan.landmark
    data, label = None, trial.study.id
    if given is not None and given.responses is not None:
        found = final(
            design, asked.p0, given.responses, stage=given.stage, first_stage=given.first_stage,
            attained=given.attained, p1=asked.p1, alpha=asked.alpha, level=level, sides=sides, ordering=ordering,
        )  # fmt: skip
        return Report(
            found, asked, handling, None, given.source or "counts of the parameter file", label, plan, landmark
        )
    if given is not None and given.patients is not None:
        paths = [_found(name) for name in given.patient_files]
        data = patient_data.read(paths, param=given.param, time_unit=given.time_unit)
        said = f"{given.source}; " if given.source else ""
        files = (f"{path.name}, SHA-256 {digest}" for path, digest in zip(paths, data.sha256, strict=True))
        source = f"{said}patients of {' and '.join(files)}"
    else:
        if plan is None or trial.conduct is None:
            raise InputError(
                "is missing, and so is conduct, from which a synthetic trial could be made", "trial.analysis"
            )
        seed = trial.conduct.simulation.seed
        text = synthetic.one_trial(plan, Scenario("p1", asked.p1), seed, trial.study.start)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "synthetic.csv"
            path.write_text(text, encoding="utf-8")
            data = patient_data.read(path)
        label = SYNTHETIC
        source = f"made by the simulator under p1 = {asked.p1:g} with seed {seed}; no patient of it is real"
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
    return Report(found, asked, handling, data, source, label, plan, landmark)


def _found(name: str) -> Path:
    """The file where it is named, or else seen from the root of the clone."""
    path = Path(name)
    return path if path.is_absolute() or path.exists() else project.ROOT / path


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
        raise InputError(f"holds nobody who counts at the first look ({design.looks[0].n} planned)", f"{data.path}:")
    if not deviation.knows(design):
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
