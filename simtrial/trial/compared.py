"""The designs worth considering, side by side, on paper and as each would be run.

Each value is exact where it has a law, else simulated with its Monte Carlo standard error, every design from the same
seed. Which designs: the smallest single stage, Simon's minimax and optimal, a few of the admissible designs between
them, the file's own, and those of the calendar where they are wanted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simtrial.conduct import cost, futility, levers, prospects, simulation
from simtrial.conduct.measures import Measured
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted, percent, stated
from simtrial.plan.plan import Scenario
from simtrial.search import CalendarCriterion, named, simon, single
from simtrial.trial import calendar, quantities
from simtrial.trial.quantities import RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate
    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.trial.case import Case

MOST_ADMISSIBLE = 2
"""Most admissible designs between minimax and optimal that are compared: those with the widest range of weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDesign:
    """One design with what it does.

    Attributes
    ----------
    keys : tuple of str
        Of the criteria that take it; ``admissible``, or ``chosen`` for one that was given, where there is none.
    name : str
        What it is called, as nothing else in the same comparison.
    design : Design
        The design.
    chosen : bool
        Whether it is the file's own.
    values : mapping of str to Measured
        By the keys of `measures`; what a design does not have is left out.
    """

    keys: tuple[str, ...]
    name: str
    design: Design
    chosen: bool
    values: Mapping[str, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Designs side by side.

    Attributes
    ----------
    designs : tuple of ComparedDesign
        In the order in which they are shown.
    admissible : int
        How many admissible designs there are between minimax and optimal.
    run : bool
        Whether the file says how the trial is run; without it there are values on paper alone.
    way : str
        ``hold`` or ``continue`` if that is all that the plan says of accrual at a look, else empty.
    deadline, completion : float or None
        Month by which a decision is in time, and of the registered completion.
    trials, seed : int
        Of simulations; no trials where every value is exact.
    """

    designs: tuple[ComparedDesign, ...]
    admissible: int
    run: bool
    way: str
    deadline: float | None
    completion: float | None
    trials: int
    seed: int

    @property
    def quantities(self) -> tuple[quantities.Quantity, ...]:
        """What any of the designs has a value of, in the order in which it is shown."""
        had = {key for one in self.designs for key in one.values}
        return tuple(one for one in quantities.of(self.way, self.deadline, self.completion, had) if one.key in had)

    def plain(self) -> list[dict[str, object]]:
        """The designs as plain values, for JSON."""
        return [
            {
                "names": list(one.keys),
                "looks": [{"n": look.n, "r": look.r, "e": look.e} for look in one.design.looks],
                "chosen": one.chosen,
            }
            | {key: {"value": value.value, "mcse": value.mcse} for key, value in one.values.items()}
            for one in self.designs
        ]


def candidates(case: Case, *, timed: bool = False, whole: bool = False, aside: bool = False) -> SideBySide:
    """Set the designs worth considering side by side.

    Parameters
    ----------
    case : Case
        The trial.
    timed : bool
        Whether the designs that the calendar takes are wanted too, unless they take minutes.
    whole : bool
        Whether they are wanted however long they take.
    aside : bool
        Whether a rule for toxicity is left aside, as it is where the calendar takes designs.

    Returns
    -------
    SideBySide
        A design that the plan does not take, such as one of two stages where the file says nothing of looks, has its
        values on paper alone.
    """
    listed = _listed(case, timed=timed, whole=whole)
    return side_by_side(case, [_evaluated(case, keys, design, aside=aside) for keys, design in listed])


def side_by_side(case: Case, designs: list[ComparedDesign]) -> SideBySide:
    """Designs with what the file says of all of them; names that stand twice are told apart by n."""
    twice = {name for name in (one.name for one in designs) if sum(one.name == name for one in designs) > 1}
    apart = (
        replace(one, name=f"{one.name} (n = {one.design.looks[-1].n})") if one.name in twice else one for one in designs
    )
    given = case.trial.conduct
    return SideBySide(
        designs=tuple(apart),
        admissible=max(len(case.two.admissible) - 2, 0),
        run=given is not None,
        way=_way(case),
        deadline=case.trial.deadline,
        completion=case.trial.study.months,
        trials=max((levers.size(plan, case.size.trials) for plan in _plans(case, designs)), default=0),
        seed=0 if given is None else case.size.seed,
    )


def _plans(case: Case, designs: Iterable[ComparedDesign]) -> Iterator[Plan]:
    for one in designs:
        if any(value.mcse for value in one.values.values()):
            yield case.run(one.design)


def _listed(case: Case, *, timed: bool, whole: bool) -> Iterator[tuple[tuple[str, ...], Design]]:
    """Designs with the keys of the criteria that take them, each once, in the order in which they are shown."""
    found: dict[str, tuple[tuple[str, ...], Design]] = {}

    def add(key: str, design: Design) -> None:
        looks = looks_text(design)
        before = found[looks][0] if looks in found else ()
        found[looks] = before if key in before else (*before, key), found.get(looks, (before, design))[1]

    add(single.FIRST.key, case.single.first)
    add(simon.MINIMAX.key, case.two.minimax)
    for design in _few(case):
        add(simon.ADMISSIBLE, design)
    add(simon.OPTIMAL.key, case.two.optimal)
    if timed and case.trial.conduct is not None and not calendar.left_out(case, whole=whole):
        for criterion in calendar.asked(case):
            if calendar.possible(case.by_calendar(criterion)):
                add(criterion.key, case.by_calendar(criterion).design)
    own = case.criterion
    if own is None and looks_text(case.chosen) not in found:
        add("chosen", case.chosen)
    elif own is not None:
        late = isinstance(own, CalendarCriterion) and not calendar.possible(case.by_calendar(own))
        add("chosen" if late else own.key, case.chosen)
    return iter(found.values())


def _few(case: Case) -> list[Design]:
    """The admissible designs between minimax and optimal with the widest ranges of weights, by n."""
    between = case.two.admissible[1:-1]
    wide = sorted(between, key=lambda one: (one.q_low or 0.0) - (1.0 if one.q_high is None else one.q_high))
    return sorted(wide[:MOST_ADMISSIBLE], key=lambda one: one.looks[-1].n)


def _evaluated(case: Case, keys: tuple[str, ...], design: Design, *, aside: bool) -> ComparedDesign:
    asked = case.requirements
    paper = operating_characteristics(design, [asked.p0, asked.p1])
    values = {
        "type_i_error_paper": Measured(float(paper.reject[0])),
        "power_paper": Measured(float(paper.reject[1])),
        "en_p0": Measured(float(paper.en[0])),
        "en_p1": Measured(float(paper.en[1])),
    }
    if case.trial.conduct is not None:
        with suppress(InputError):  # of a plan that does not take the design
            plan = case.run(design)
            values |= _as_run(case, plan.by_responses if aside else plan)
    name = "as given" if keys == ("chosen",) else named(keys)
    return ComparedDesign(
        keys=keys, name=name, design=design, chosen=design.looks == case.chosen.looks, values=values
    )  # fmt: skip


OUTCOMES = ("n_enrolled", "interim_month", "duration_months", "end_month")
"""What is given at p0 and at p1."""


def _as_run(case: Case, plan: Plan) -> dict[str, Measured]:
    """What a design does under its plan."""
    several, truths = len(plan.design.looks) > 1, case.trial.truths
    size = levers.size(plan, case.size.trials), case.size.seed
    scenarios = Scenario("p0", truths.p0), Scenario("p1", truths.p1)
    names = [name for name in OUTCOMES if several or name != "interim_month"]
    paid = () if case.prices is None else case.prices.outcomes
    done = simulation.expect(plan, scenarios, [*names, "reject", *paid], *size)
    values = {"power_run": best(done["p1"]["reject"]), "type_i_error_run": best(done["p0"]["reject"])}
    values |= _other_reading(case, plan, size, values["type_i_error_run"])
    for rate in RATES:
        values |= {f"{name}_{rate}": best(done[rate][name]) for name in names}
    if case.trial.conduct is not None and case.trial.conduct.interim is not None:
        values |= _held_and_ongoing(plan, scenarios, size, values)
    values |= _by_dates(case, done, scenarios, size)
    values["beyond_p0"] = futility.expected(plan, scenarios[0], *size)
    if case.prices is not None:
        values |= {f"cost_{rate}": Measured(*cost.expected(case.prices, done[rate])) for rate in RATES}
    return values


def best(estimate: Estimate) -> Measured:
    """The exact value of an estimate, or the simulated one with its error."""
    return Measured(estimate.best, estimate.best_mcse)


def _other_reading(case: Case, plan: Plan, size: tuple[int, int], mine: Measured) -> dict[str, Measured]:
    """The type I error by the reading of p0, where there are two: among all enrolled, and with all evaluable."""
    how = case.trial.how
    if how is None or how.other is None:
        return {}
    ours = case.trial.reading
    found = {f"type_i_error_{ours}": mine}
    other = how.other if ours == how.among else how
    with suppress(InputError):  # p0 among all enrolled may leave no p1 above it
        null = Scenario("p0", other.truths(case.requirements).p0)
        done = simulation.expect(plan, (null,), ("reject",), *size)
        found[f"type_i_error_{other.among}"] = best(done["p0"]["reject"])
    return found


def _way(case: Case) -> str:
    """Whether accrual at a look is held, or continues, without any limit."""
    given = case.trial.conduct
    rule = None if given is None or given.interim is None else given.interim.make()
    if rule is None or rule.extra is not None or rule.max_hold is not None:
        return ""
    return "hold" if rule.hold else "continue"


def _held_and_ongoing(
    plan: Plan, scenarios: tuple[Scenario, Scenario], size: tuple[int, int], known: Mapping[str, Measured]
) -> dict[str, Measured]:
    """Patients enrolled with accrual held at each look, and with accrual that continues; one look has no such rule."""
    now = plan.interim
    found: dict[str, Measured] = {}
    for way, rule in (
        ("hold", replace(now, hold=True, extra=None, max_hold=None)),
        ("continue", replace(now, hold=False, extra=None, max_hold=None)),
    ):
        if len(plan.design.looks) == 1 or rule == now:
            found |= {f"n_enrolled_{rate}_{way}": known[f"n_enrolled_{rate}"] for rate in RATES}
            continue
        done = simulation.expect(replace(plan, interim=rule), scenarios, ("n_enrolled",), *size)
        found |= {f"n_enrolled_{rate}_{way}": best(done[rate]["n_enrolled"]) for rate in RATES}
    return found


def _by_dates(
    case: Case, done: Simulation, scenarios: tuple[Scenario, Scenario], size: tuple[int, int]
) -> dict[str, Measured]:  # fmt: skip
    """Probabilities of a decision in time, and of an end by the registered completion."""
    due, ends, plan = case.trial.deadline, case.trial.study.months, done.plan
    found: dict[str, Measured] = {}
    if due is None and ends is None:
        return found
    exact = {s.label: None if due is None else prospects.by_law(plan, s, due) for s in scenarios}
    if not done.trials and (ends is not None or None in exact.values()):
        done = simulation.of_primary(plan, scenarios, *size)
    for rate in RATES:
        if due is not None:
            found[f"in_time_{rate}"] = exact[rate] or _share(done, rate, "duration_months", due)
        if ends is not None:
            found[f"completed_{rate}"] = _share(done, rate, "end_month", ends)
    return found


def _share(done: Simulation, rate: str, name: str, month: float) -> Measured:
    """The share of simulated trials by a month; where all agree, the error is that of one trial that does not."""
    share, mcse = done[rate][name].at_most(month)
    return Measured(share, mcse or 1 / done.trials)


def described(case: Case, found: SideBySide) -> str:
    """Say what a comparison holds, and where its values come from."""
    asked, truths = case.requirements, case.trial.truths
    sentences = [
        "The designs worth considering, on paper and as each would be run"
        if found.run
        else "The designs worth considering, on paper",
        f"p0 = {asked.p0:g}, p1 = {asked.p1:g}, alpha = {asked.alpha:g}, power = {asked.power:g}",
    ]
    shown = sum(simon.ADMISSIBLE in one.keys for one in found.designs)
    if 0 < shown < found.admissible:
        sentences.append(
            f"Of {counted(found.admissible, 'admissible design')} between minimax and optimal, {shown} with the widest "
            f"range of weights {agreeing(shown, 'is', 'are')} shown"
        )
    if found.run:
        if truths.p0 != asked.p0:
            sentences.append(
                f"At p0 {percent(truths.p0)} of the patients would respond if all were evaluable, so that "
                f"{stated(asked.p0)} of all enrolled patients do"
            )
        simulated = (
            f", or simulated ± MCSE ({counted(found.trials, 'trial')}, seed {found.seed})" if found.trials else ""
        )
        if case.plan is not None and case.plan.toxicity is not None and case.toxicity_rule is not None:
            own = "" if case.toxicity_rule.calibration is None else ", its boundary calibrated at the n of each design"
            sentences.append(
                "On paper the rule for toxicity is left aside; as run, and in patients enrolled and months, it is "
                f"included at a rate of toxicity of {stated(case.plan.toxicity.rate)}{own}"
            )
        sentences.append(f"Values are exact{simulated}; months are means and count from the first day of accrual")
    return ". ".join(sentences)
