"""The best designs of every family beside the chosen one, with patients and months as each would be run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from simtrial.conduct import levers, simulation
from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.plan.plan import Scenario
from simtrial.search import named
from simtrial.trial.compared import ComparedDesign, SideBySide, best, side_by_side
from simtrial.trial.quantities import RATES

if TYPE_CHECKING:
    from simtrial.conduct.measures import Measured
    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.trial.case import Case


def families(case: Case) -> SideBySide:
    """Set the designs of every family beside the chosen one, each with patients and months as it would be run."""
    listed: dict[str, tuple[tuple[str, ...], Design]] = {}
    for one in case.alternatives:
        if one.result is not None:
            looks = looks_text(one.result.best)
            before = listed[looks][0] if looks in listed else ()
            listed[looks] = (*before, one.criterion.key), one.result.best
    if looks_text(case.chosen) not in listed:
        own = case.criterion
        listed[looks_text(case.chosen)] = ("chosen" if own is None else own.key,), case.chosen
    return side_by_side(case, [_evaluated(case, keys, design) for keys, design in listed.values()])


def _evaluated(case: Case, keys: tuple[str, ...], design: Design) -> ComparedDesign:
    values: dict[str, Measured] = {}
    if case.trial.conduct is not None:
        with suppress(InputError):  # of a plan that does not take the design
            values = _briefly(case, case.run(design))
    name = "as given" if keys == ("chosen",) else named(keys)
    chosen = design.looks == case.chosen.looks
    return ComparedDesign(keys=keys, name=name, design=design, chosen=chosen, values=values)


def _briefly(case: Case, plan: Plan) -> dict[str, Measured]:
    """Patients, months and errors of a design under its plan."""
    truths = case.trial.truths
    scenarios = Scenario("p0", truths.p0), Scenario("p1", truths.p1)
    names = ("n_enrolled", "duration_months")
    done = simulation.expect(plan, scenarios, [*names, "reject"], levers.size(plan, case.size.trials), case.size.seed)
    values = {"type_i_error_run": best(done["p0"]["reject"]), "power_run": best(done["p1"]["reject"])}
    return values | {f"{name}_{rate}": best(done[rate][name]) for name in names for rate in RATES}
