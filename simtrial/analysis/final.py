"""The final analysis of one trial from its counts.

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

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from simtrial.analysis import deviation, inference
from simtrial.analysis.attained import Attained, knows
from simtrial.analysis.rules import PLANNED_BOUNDS
from simtrial.design.designs import Look, MultiStage, SingleStage, looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.numbers import count, probability
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.analysis.deviation import Ruling
    from simtrial.analysis.inference import Analysis
    from simtrial.analysis.safety import ToxicityFound
    from simtrial.design.designs import Design


@dataclass(frozen=True, kw_only=True)
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
    rules : tuple of Ruling
        What every rule says of them; empty where sizes are as planned.
    closed : bool
        Whether the trial ended without a decision of a look: accrual closed before it, or at it.
    alpha : float or None
        Type I error that recalculated bounds keep; None where none are recalculated.
    sizes : tuple of int
        Patients analysed at each look taken, cumulative.
    after, after_responses : int
        Patients analysed after the look that ended the trial, and responses among them; they do not count.
    toxicity : ToxicityFound or None
        What the boundary for toxicity says; None where there is none, or the toxicities are not known.
    no_claim : bool
        Whether patients who count crossed that boundary: the trial then does not reject H0, whatever its responses.
    """

    design: Design
    p0: float
    result: Analysis
    attained: Attained | None = None
    rules: tuple[Ruling, ...] = ()
    closed: bool = False
    alpha: float | None = None
    sizes: tuple[int, ...] = ()
    after: int = 0
    after_responses: int = 0
    toxicity: ToxicityFound | None = None
    no_claim: bool = False

    @property
    def rule(self) -> Ruling | None:
        """The rule that the result follows; None where sizes are as planned."""
        return next((rule for rule in self.rules if rule.reject is not None), self.rules[0]) if self.rules else None


def without_claim(done: Final) -> Final:
    """The analysis of a trial that crossed its boundary for toxicity: H0 is not rejected, whatever the responses."""
    result = replace(done.result, reject=False, agrees=_agreeing(done.result.intervals, done.p0, False))
    return replace(done, result=result, no_claim=True)


class Options(TypedDict):
    """How intervals and p-values are made: see `simtrial.analysis.inference.analyze`."""

    level: float
    sides: int
    ordering: str


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
    if p1 is not None and not p0 < p1 < 1:  # also where no rule needs it
        raise InputError(f"({p1:g}) is not above p0 ({p0:g})", "p1")
    planned = [look.n for look in design.looks]
    sizes = planned if attained is None else [count(n, "attained", at_least=1) for n in attained]
    if stage is not None and attained is not None and stage != len(sizes):
        raise InputError(f"({stage}) is not {len(sizes)}, the number of sizes attained", "stage")
    if len(sizes) > len(planned):
        raise InputError(f"holds {counted(len(sizes), 'number')}; the design has {len(planned)}", "attained")
    if attained is None or (sizes == planned[: len(sizes)] and _as_planned(design, sizes, responses, first_stage)):
        ended = stage if attained is None else len(sizes)
        found = inference.analyze(design, responses, p0, ended, level, sides=sides, ordering=ordering)
        if first_stage is not None:
            _check_first(design, first_stage, found)
        return Final(design=design, p0=p0, result=found, sizes=tuple(planned[: found.stage]))
    options: Options = {"level": level, "sides": sides, "ordering": ordering}
    if not knows(design):
        return _at_planned_bounds(design, p0, p1, sizes, responses, options)
    seen = _attained(design, sizes, responses, first_stage)
    return _at_other_sizes(design, seen, sizes, p0, p1, alpha, options)


def _at_other_sizes(
    design: Design, seen: Attained, sizes: list[int], p0: float, p1: float | None, alpha: float | None,
    options: Options,
) -> Final:  # fmt: skip
    """Analyze a trial of other sizes by the first rule that decides."""
    kept = float(operating_characteristics(design, p0).reject) if alpha is None else probability(alpha, "alpha")
    rules = deviation.outcomes(design, seen, p0, p1, kept, options["level"])
    chosen = next((one for one in rules if one.reject is not None), rules[0])
    if not seen.stopped and chosen.p_value is None:
        # the rule that decides would have stopped it: what was seen at that look is its end
        stopped = final(design, p0, seen.x1, attained=(seen.n1,), p1=p1, alpha=alpha, **options)
        return replace(stopped, after=seen.n - seen.n1, after_responses=seen.x - seen.x1)
    closed = seen.n1 > 0 and seen.stopped and all(one.reject is None for one in rules)
    if closed:
        # no look stopped it: accrual did, and what came is held against the last look's bound, as in the simulator
        seen = Attained(0, seen.n, 0, seen.x)
        last = design.looks[-1]
        rules = deviation.outcomes(
            SingleStage(last.r or 0, last.n), seen, p0, p1, kept, options["level"], lookless=True
        )
    shaped = _shaped(design, seen, p0, rules, options)
    return _by_rule(
        Final(
            design=design, p0=p0, result=shaped, attained=seen, rules=rules, closed=closed, alpha=kept,
            sizes=tuple(sizes),
        )
    )  # fmt: skip


def _at_planned_bounds(
    design: Design, p0: float, p1: float | None, sizes: list[int], responses: int, options: Options
) -> Final:
    """Analyze a trial of other sizes against its planned bounds, whatever its looks.

    Whoever came after the last look that was taken before accrual ended is held against the bound of the last look.
    """
    *_, last = design.looks
    n, reached = sizes[-1], len(sizes)
    if any(a >= b for a, b in pairwise(sizes)):
        raise InputError(f"({', '.join(map(str, sizes))}) does not increase from look to look", "attained")
    if not 0 <= responses <= n:
        raise InputError(f"({responses}) is not from 0 to {n}, the number of patients analysed", "responses")
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
    rule = deviation.Ruling(
        by=PLANNED_BOUNDS,
        r1=-1 if first.r is None else first.r,
        r=(taken[-1].r if ends else last.r) or 0,
        reject=result.reject,
        why="",
        p_value=result.p_value,
        median_unbiased=result.estimates["median_unbiased"],
        interval=result.intervals["exact"],
        type_i_error=float(oc.reject[0]),
        power=None if p1 is None else float(oc.reject[1]),
        pet_p0=float(oc.pet[0]),
    )
    # what was seen at the first of several looks is not known here, and no rule of these designs asks for it
    seen = Attained(0, n, 0, responses)
    closed = not ends and reached < len(design.looks)
    return Final(design=design, p0=p0, result=result, attained=seen, rules=(rule,), closed=closed, sizes=tuple(sizes))


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
            f"({x1}) is not the number of responses ({found.responses}), although the trial ended at its first look",
            "first_stage",
        )
    if found.stage == 1:
        return
    if x1 > min(found.responses, first.n):
        raise InputError(f"({x1}) is above {min(found.responses, first.n)}, the most that is possible", "first_stage")
    if not first.regions(np.array(x1), final=False).go_on:
        raise InputError(
            f"({x1}) of {first.n} would have ended {looks_text(design, ', ')} at its first look", "first_stage"
        )
    if found.responses - x1 > found.n - first.n:
        raise InputError(
            f"({found.responses}) is above {x1 + found.n - first.n}: {x1} at the first look and "
            f"{counted(found.n - first.n, 'patient')} since", "responses",
        )  # fmt: skip


def _attained(design: Design, sizes: list[int], responses: int, first_stage: int | None) -> Attained:
    if len(design.looks) == 1:
        return Attained(0, sizes[0], 0, responses)
    if len(sizes) == 1:
        if first_stage not in (None, responses):
            raise InputError(
                f"({first_stage}) is not the number of responses ({responses}), although there was one look",
                "first_stage",
            )
        if responses > sizes[0]:
            raise InputError(f"({responses}) is above {sizes[0]}, the number of patients analysed", "responses")
        return Attained(sizes[0], sizes[0], responses, responses)
    if first_stage is None:
        raise InputError(
            f"is missing; give the responses among the first {sizes[0]}, as the numbers differ from the plan",
            "first_stage",
        )
    if sizes[1] <= sizes[0]:
        raise InputError(f"({sizes[0]},{sizes[1]}) does not increase from look to look", "attained")
    return Attained(sizes[0], sizes[1], first_stage, responses)


def _shaped(design: Design, seen: Attained, p0: float, rules: tuple[Ruling, ...], options: Options) -> Analysis:
    """Estimates and intervals at the sizes attained, with the bounds of the rule that decides."""
    rule = next((one for one in rules if one.reject is not None), rules[0])
    n = max(seen.n, design.looks[-1].n) if seen.stopped else seen.n
    n = n if n > seen.n1 else seen.n1 + 1
    r = min(max(rule.r, 0), n - 1)
    if not seen.n1:
        return inference.analyze(MultiStage((Look(n, r),)), seen.x, p0, 1, **options)
    r1 = None if rule.r1 < 0 else min(rule.r1, seen.n1 - 1)
    r = r if r1 is None else max(r, r1)  # as in `deviation`: the same decisions
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
