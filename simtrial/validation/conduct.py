"""Validation cases for the conduct of a trial; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

import math
import re
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from simtrial.conduct import outcomes, simulation
from simtrial.conduct.survival import kaplan_meier
from simtrial.design.designs import parse_looks
from simtrial.design.requirements import Requirements
from simtrial.laws import decision, events, integrals, laws
from simtrial.laws.calendar import overrun_counts
from simtrial.laws.inflation import inflated
from simtrial.months import MONTHS_IN_YEAR, WEEK
from simtrial.phrases import counted, stated
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import Conditional, FollowUp, Interim, Plan, Scenario
from simtrial.plan.survival import Survival
from simtrial.validation.cases import Comparison, case_of, reference, same_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.numbers import Floats

LOSS_DESIGNS = {
    "A'Hern .10/.30 .05/.80": ("5/25", Requirements(0.1, 0.3, 0.05, 0.8)),
    "Simon minimax .10/.30 .05/.80": ("1/15,5/25", Requirements(0.1, 0.3, 0.05, 0.8)),
    "Simon optimal .10/.30 .05/.80": ("1/10,5/29", Requirements(0.1, 0.3, 0.05, 0.8)),
    "Simon optimal .20/.40 .10/.80": ("2/12,7/25", Requirements(0.2, 0.4, 0.1, 0.8)),
    "Simon optimal .20/.40 .05/.80": ("3/13,12/43", Requirements(0.2, 0.4, 0.05, 0.8)),
}
"""The designs of ``dropout_effect.csv``."""

SIX_MP = tuple("6,6,6,6+,7,9+,10,10+,11+,13,16,17+,19+,20+,22,23,25+,32+,32+,34+,35+".split(","))  # noqa: SIM905 - one line reads better
"""Weeks of remission of 21 patients on 6-MP, Freireich et al. 1963; + is censored."""


def _run(looks: str, loss: Dropout, **parts: Any) -> Plan:
    given: dict[str, Any] = {
        "enrollment": Constant(2.0),
        "disease": Disease(Assessments.fixed(4.0)),
        "handling": "nonresponder",
    }
    return Plan(parse_looks(looks), dropout=loss, **(given | parts))


def _errors(plan: Plan, asked: Requirements) -> list[float]:
    return [float(v) for v in decision.decision(plan, np.array([asked.p0, asked.p1])).reject]


def losses() -> Comparison:
    """Type I error and power under each handling of missing assessments, independent and informative."""

    def compared(what: str, printed: list[float], found: list[float]) -> tuple[str, str, str, bool]:
        expected, got = (", ".join(f"{v:.6f}" for v in values) for values in (printed, found))
        return what, expected, got, all(same_digits(f, p, 6) for f, p in zip(found, printed, strict=True))

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("dropout_effect").itertuples():
            text, asked = LOSS_DESIGNS[row.design]
            loss, name = Dropout(row.dropout), f"{text}, {stated(row.dropout)} dropout"
            printed = [row.ITT_type1_if_null_is_p0_among_evaluable, row.ITT_power]
            yield compared(f"{name}, counted as non-responders", printed, _errors(_run(text, loss), asked))
            printed = [row.replacement_type1, row.replacement_power]
            yield compared(f"{name}, replaced", printed, _errors(_run(text, loss, handling="replace"), asked))
            if not math.isnan(row.evaluable_recut_type1):
                printed = [row.evaluable_recut_type1, row.evaluable_recut_power]
                cut = _run(text, loss, handling="exclude", recut=asked)
                yield compared(f"{name}, excluded, bounds recalculated", printed, _errors(cut, asked))
            if row.dropout:
                more = {found.enrolled: found for found in inflated(parse_looks(text), asked, loss)}
                one = more[row.N_inflated]
                printed = [
                    row.inflated_samecut_type1_null_on_evaluable,
                    row.inflated_samecut_power,
                    row.inflated_samecut_type1_null_on_ITT,
                ]
                found = [one.type_i_error, one.power, one.type_i_error_all]
                yield compared(f"{name}, inflated to {counted(row.N_inflated, 'patient')}", printed, found)
        for row in reference("informative_nonevaluable").itertuples():
            asked = Requirements(row.p0, row.p1, 0.05, 0.8)
            only = _run(f"{row.cut - 1}/{row.n_evaluable}", Dropout(row.nonresponder_missing, 0.0), handling="replace")
            name = (
                f"{row.cut - 1}/{row.n_evaluable}, {stated(row.nonresponder_missing)} dropout among non-responders only"
            )
            yield compared(name, [row.evaluable_only_type1, row.evaluable_only_power], _errors(only, asked))

    return case_of("Handling of dropout", "enumeration in independent code", rows())


def calendar() -> Comparison:
    """Expected months and patients of the enrollment models and of two stages, with a hold and without."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("enrollment_identities").itertuples():
            found = _identity(row.model, row.parameters, row.quantity, row.value)
            if found is not None:
                # the table's own check values are numeric integrals, good to 1e-8
                agrees = math.isclose(found, row.value, rel_tol=1e-8)
                yield f"{row.parameters}: {row.quantity}", f"{row.value:.8g}", f"{found:.8g}", agrees
        for row in reference("expected_events").itertuples():
            rate, loss = math.log(2) / row.median_months, -math.log1p(-row.annual_dropout) / MONTHS_IN_YEAR
            seen = events.expected_events(partial(_exponential, rate), row.accrual_A, row.followup_after_F, loss)
            name = f"P({row.endpoint} event), median {row.median_months:g}, accrual {row.accrual_A:g}"
            name += f", follow-up {row.followup_after_F:g}, {stated(row.annual_dropout)} dropout per year"
            yield name, f"{row.P_event:.5f}", f"{seen:.5f}", same_digits(seen, row.P_event, 5)

    source = "closed forms beside numeric integrals; Anisimov and Fedorov 2007"
    return case_of("Calendar", source, rows())


def _exponential(rate: float, months: Floats) -> Floats:
    survival: Floats = np.exp(-rate * months)
    return survival


def _identity(model: str, parameters: str, quantity: str, value: float) -> float | None:
    """Our answer to one row of ``enrollment_identities.csv``; None where nothing of ours gives its quantity."""
    given = {k: float(v) for k, v in re.findall(r"([A-Za-z_]+)=([\d.]+)", parameters)}
    mean = quantity.startswith("E[T")
    if model == "homogeneous Poisson":
        # the table computed with 25/22 what it prints as 1.13636
        arrivals = Constant(25 / 22 if given["lambda"] == 1.13636 else given["lambda"])
        if mean:
            return integrals.mean_months(arrivals, int(given["n"]))
        if quantity.startswith("P(T"):
            return integrals.probability_by(arrivals, int(given["n"]), given["t"])
        if "quantile" in quantity:  # the month of which the law says that it is this quantile
            level = float(quantity.split()[0])
            return value if abs(integrals.probability_by(arrivals, int(given["n"]), value) - level) < 1e-9 else math.nan
    if model.startswith("linear ramp") and mean:
        return integrals.mean_months(Ramp(given["lambda_max"], given["tau"]), 25)
    if model.startswith("piecewise") and mean:
        return integrals.mean_months(Piecewise((0, 3, 6), (0.5, 1.0, 1.5)), 25)
    if model.startswith("Poisson-gamma"):
        centres = Centres((0.0,) * int(given["K"]), given["alpha"] / given["beta"], given["alpha"])
        if mean:
            return integrals.mean_months(centres, 25)
        return integrals.probability_by(centres, 25, given["t"]) if quantity.startswith("P(T") else None
    if model.startswith("Simon two-stage"):
        rate = 25 / 22 if given["lambda"] == 1.136 else given["lambda"]
        rule = Interim(hold="no hold" not in model)
        plan = _run(
            parameters.split(";")[0].replace(" ", ","), Dropout(0), enrollment=Constant(rate),
            disease=Disease(Assessments.fixed(given["w"])), interim=rule,
        )  # fmt: skip
        if quantity.startswith("E[extra"):
            law = overrun_counts(plan, 0)
            return None if law is None else float(law @ np.arange(len(law)))
        found = laws.exact_values(plan, Scenario("", given["p"]))
        return found["duration_months" if quantity.startswith("E[duration") else "n_enrolled"]
    return None


def conduct() -> Comparison:
    """The simulator against every exact law it has, for each model of enrollment, handling and rule of accrual."""
    models = {
        "constant": Constant(2.0),
        "piecewise": Piecewise((0, 3, 6), (0.5, 1.0, 2.0)),
        "ramp": Ramp(2.0, 6.0),
        "centres": Centres((0.0,) * 6, 0.35, 2.0),
        "staggered": Centres((0.0, 0.0, 1.0, 3.0), 0.5, 2.0),
    }
    scans = Assessments(6 * WEEK, 24 * WEEK, 6 * WEEK, 6 * WEEK)
    diseases = {
        "readout 4 months": Disease(Assessments.fixed(4.0)),
        "scans every 6 weeks": Disease(scans, 0.735, 0.324, Survival(5.6, 0.5, 0.324)),
    }
    rules = {"hold": Interim(True, None, 0.5), "continue": Interim(False), "3 extra": Interim(False, 3, 0.5)}
    asked, seed, trials = Requirements(0.1, 0.3, 0.05, 0.8), 20250731, 10_000

    def plans() -> Iterator[tuple[str, Plan]]:
        for (m, model), (d, disease), (r, rule) in product(models.items(), diseases.items(), rules.items()):
            parts: dict[str, Any] = {"enrollment": model, "disease": disease, "interim": rule}
            more: dict[str, Any] = {"screening_success": 0.8, "follow_up": FollowUp(6.0)}
            yield f"{m}, {d}, {r}, non-responders", _run("1/10,5/29", Dropout(0.15), **parts, **more)
        for handling, cut, (r, rule) in product(("replace", "exclude"), (False, True), rules.items()):
            if cut <= (handling == "exclude"):
                bounds = ", bounds recalculated" if cut else ""
                name = f"constant, readout 4 months, {r}, {handling}{bounds}, informative dropout"
                yield (
                    name,
                    _run(
                        "1/10,5/29", Dropout(0.15, 0.5), interim=rule, handling=handling, recut=asked if cut else None
                    ),
                )

        early = {
            "hold, decided when known": Interim(True, None, 0.5, decide="known"),
            "continue, decided when known": Interim(False, None, 0.5, decide="known"),
            "hold for at most 1 month": Interim(True, None, 0.5, max_hold=1.0),
            "hold, patients pending": Interim(True, None, 0.5, conditional=Conditional(0.5, 0.3)),
        }
        for r, rule in early.items():
            yield f"constant, readout 4 months, {r}, non-responders", _run("1/10,5/29", Dropout(0.15), interim=rule)

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for name, plan in plans():
            done = simulation.simulate(plan, [Scenario("p1", 0.3)], trials, seed, observe=outcomes.primary)
            for outcome, e in done["p1"].estimates.items():
                if e.z is not None and e.value is not None and e.exact is not None:
                    yield f"{name}: {outcome}", f"{e.exact:.4f}", f"{e.value:.4f} (z {e.z:+.1f})", abs(e.z) < CONDUCT_Z

    return case_of("Conduct", f"exact laws; {counted(trials, 'simulated trial')} each, seed {seed}", rows())


CONDUCT_Z = 4.5
"""Standard errors within which some 300 simulated means must lie: all do by chance in 99.8% of seeds."""


def kaplan_meier_6mp() -> Comparison:
    """Kaplan-Meier, Greenwood and Brookmeyer-Crowley on the 6-MP data of Freireich et al."""
    times = np.array([[float(t.rstrip("+"))] for t in SIX_MP])
    curve = kaplan_meier(times, np.array([[not t.endswith("+")] for t in SIX_MP]))

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("km_6mp").itertuples():
            if re.fullmatch(r"S\(\d+\)", row.quantity):
                s, se = (float(v[0]) for v in curve.at(float(row.quantity[2:-1])))
                agrees = same_digits(s, float(row.value), 3) and same_digits(se, row.greenwood_se, 4)
                yield row.quantity, f"{row.value} (SE {row.greenwood_se})", f"{s:.3f} (SE {se:.4f})", agrees
            elif row.quantity == "median":
                yield "median", row.value, f"{curve.median[0]:g}", float(row.value) == curve.median[0]
            elif row.quantity.endswith("Crowley, conf.type=log-log"):
                low, high = (float(v[0]) for v in curve.interval())
                got = f"({low:g},{'NA' if math.isinf(high) else f'{high:g}'})"
                yield row.quantity, row.value, got, got == row.value

    return case_of("Kaplan-Meier", "R survival::survfit on the 6-MP arm, Freireich et al. 1963", rows())
