"""Tables of the review: routes to a number of patients, and credible readings side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.design.designs import looks_text, parse_looks
from simtrial.design.exact import side
from simtrial.phrases import counted, stated
from simtrial.review.credible import assessed, patients
from simtrial.review.readings import EXACT
from simtrial.review.routes import METHODS, why_none
from simtrial.review.wording import named
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simtrial.review.routes import Route
    from simtrial.trial.case import Case

MOST_SHOWN = 10
"""Routes that are shown, the most conventional; the CSV holds all of them."""


def routes(found: Sequence[Route], n: int) -> Table:
    """The routes to a number of patients; the exact ones without an allowance for dropout in bold."""
    if not found:
        return Table("routes", f"{why_none(n)}.", pd.DataFrame({"method": []}), {})
    frame = pd.DataFrame([_row(route) for route in found])
    shown: dict[str, Shown] = {
        "method": column("method", named),
        "p0": column("p0", "{:g}"),
        "p1": column("p1", "{:g}"),
        "alpha": column("alpha", "{:g}"),
        "power": column("power", "{:g}", "stated"),
        "looks": column("looks", _spaced),
        "losses": column("allowance", WORDS),
        "type_i_error": column("type_i_error", RATE, "exact"),
        "attained_power": column("power", RATE, "exact"),
    }
    more = f" The first {MOST_SHOWN} are shown; the CSV holds all." if len(found) > MOST_SHOWN else ""
    caption = (
        f"Calculations with conventional values that give {counted(n, 'patient')}: "
        f"{len(found):,} in all, the most conventional first. Exact designs without an allowance for dropout "
        f"are in bold.{more}"
    )
    bold = [r.method in EXACT and not r.dropout for r in found[:MOST_SHOWN]]
    return Table("routes", caption, frame, shown, chosen=bold, first=MOST_SHOWN)


def _spaced(looks: str) -> str:
    """The looks as people read them; the CSV has the form of the options."""
    return looks.replace(",", ", ")


def _row(route: Route) -> dict[str, object]:
    losses = f"{stated(route.dropout)}, {route.inflation}" if route.dropout else "none"
    return asdict(route) | {"losses": losses}


def summary(found: Sequence[Route], n: int) -> Table:
    """The same routes counted: by method, without and with dropout, and how many exceed a limit that they state."""
    if not found:
        return Table("routes_by_method", f"{why_none(n)}.", pd.DataFrame({"method": []}), {})
    rows = []
    for method in METHODS:
        mine = [r for r in found if r.method == method or r.method.startswith(f"{method} ")]
        if mine:
            rows.append(
                {
                    "method": method,
                    "plain": sum(not r.dropout for r in mine),
                    "with_losses": sum(bool(r.dropout) for r in mine),
                    "breaks_alpha": _number(
                        _side(r, r.p0, r.alpha, r.type_i_error) > 0 for r in mine if r.type_i_error is not None
                    ),
                    "lacks_power": _number(
                        _side(r, r.p1, r.power, r.attained_power) < 0
                        for r in mine
                        if r.attained_power is not None and r.power is not None
                    ),
                }
            )
    shown: dict[str, Shown] = {
        "method": column("method", named),
        "plain": column("routes_plain", WHOLE),
        "with_losses": column("routes_with", WHOLE),
        "breaks_alpha": column("breaks_alpha", WHOLE),
        "lacks_power": column("lacks_power", WHOLE),
    }
    frame = pd.DataFrame(rows, columns=["method", "plain", "with_losses", "breaks_alpha", "lacks_power"])
    caption = (
        f"Number of calculations that give {counted(n, 'patient')} by method, and how many of them exceed alpha or "
        "miss the power that they state when their decision rule is evaluated exactly."
    )
    return Table("routes_by_method", caption, frame, shown)


def _side(route: Route, p: float | None, limit: float, attained: float) -> int:
    """Whether an attained probability of a route is below (-1), at (0) or above (1) a limit that the route states."""
    if not route.looks or p is None:
        return int(np.sign(attained - limit))
    return side(parse_looks(route.looks), p, limit, attained)


def _number(broken: Iterable[bool]) -> float:
    """How many; NaN where there is nothing to count, as precision and Gehan's rule have no errors."""
    listed = list(broken)
    return sum(listed) if listed else np.nan


def side_by_side(case: Case, found: Sequence[Route] = ()) -> Table:
    """The credible readings: on paper, and as run if the file says how."""
    rows, among = [], ""
    for one in assessed(case, found):
        row: dict[str, object] = {
            "reading": one.question,
            "looks": looks_text(one.reading.design, ", "),
            "type_i_error": one.type_i_error,
            "power": one.power,
            "en_p0": one.en_p0,
            "reason": one.reading.reason,
        }
        if one.run is not None:
            row |= {"run_type_i_error": one.run.type_i_error, "run_power": one.run.power, "run_months": one.run.months}
            among = among or one.run.p0_among
        rows.append(row)
    frame = pd.DataFrame(rows)
    shown: dict[str, Shown] = {
        "reading": column("reading", WORDS),
        "looks": column("looks", WORDS),
        "type_i_error": column("type_i_error", RATE),
        "power": column("power", RATE),
        "en_p0": column("en_p0", PATIENTS),
    }
    if "run_power" in frame:
        shown |= {
            "run_type_i_error": column("type_i_error", RATE, "as run"),
            "run_power": column("power", RATE, "as run"),
            "run_months": column("months_to_decision", PATIENTS),
        }
    shown["reason"] = column("reason", WORDS)
    run = ", and as the trial is run with the dropout of the parameter file" if "run_power" in frame else ""
    run += f", {among}" if among else ""
    caption = (
        f"Credible readings of {counted(patients(case), 'patient')}: each design with its exact type I error, power "
        f"and expected sample size, on paper{run}."
    )
    return Table("readings", caption, frame, shown)
