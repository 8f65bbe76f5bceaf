"""Tables of the review: routes to a number of patients, and credible readings side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.design.designs import looks_text, parse_looks
from simtrial.design.exact import side
from simtrial.review.credible import assessed
from simtrial.review.readings import EXACT
from simtrial.review.routes import METHODS, why_none
from simtrial.search.wording import called
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simtrial.review.routes import Route
    from simtrial.trial.case import Case

MOST_SHOWN = 30
"""Routes shown one by one; all of them stand in the CSV."""


def routes(found: Sequence[Route], n: int) -> Table:
    """The routes to a number of patients; the exact ones without an allowance for dropout in bold."""
    if not found:
        return Table("routes", "There is no calculation to list", pd.DataFrame({"method": []}), {})
    frame = pd.DataFrame([_row(route) for route in found])
    shown: dict[str, Shown] = {
        "method": ("Method", called),
        "p0": ("p0", "{:g}"),
        "p1": ("p1", "{:g}"),
        "alpha": ("alpha", "{:g}"),
        "power": ("Power", "{:g}"),
        "looks": ("Rule", WORDS),
        "losses": ("Allowance for dropout", WORDS),
        "type_i_error": ("Exact type I error", RATE),
        "attained_power": ("Exact power", RATE),
    }
    more = f"; the first {MOST_SHOWN}" if len(found) > MOST_SHOWN else ""
    caption = f"{len(found)} routes to {n} patients, the most conventional first{more}"
    bold = [r.method in EXACT and not r.dropout for r in found[:MOST_SHOWN]]
    return Table("routes", caption, frame, shown, chosen=bold, first=MOST_SHOWN)


def _row(route: Route) -> dict[str, object]:
    losses = f"{100 * route.dropout:g}%, {route.inflation}" if route.dropout else "none"
    return asdict(route) | {"losses": losses}


def summary(found: Sequence[Route], n: int) -> Table:
    """The same routes counted: by method, without losses and with them, and how many break a limit they state."""
    if not found:
        return Table("routes_by_method", why_none(n), pd.DataFrame({"method": []}), {})
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
        "method": ("Method", called),
        "plain": ("Routes", WHOLE),
        "with_losses": ("with dropout allowed for", WHOLE),
        "breaks_alpha": ("of all: exact type I error above alpha", WHOLE),
        "lacks_power": ("of all: exact power below that asked", WHOLE),
    }
    frame = pd.DataFrame(rows, columns=["method", "plain", "with_losses", "breaks_alpha", "lacks_power"])
    return Table("routes_by_method", f"Routes to {n} patients, counted", frame, shown)


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
    rows = []
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
        rows.append(row)
    frame = pd.DataFrame(rows)
    shown: dict[str, Shown] = {
        "reading": ("Reading", WORDS),
        "looks": ("Rule (r/n)", WORDS),
        "type_i_error": ("Type I error", RATE),
        "power": ("Power", RATE),
        "en_p0": ("EN(p0)", PATIENTS),
    }
    if "run_power" in frame:
        shown |= {
            "run_type_i_error": ("Type I error as run", RATE),
            "run_power": ("Power as run", RATE),
            "run_months": ("Months to the decision at p1", PATIENTS),
        }
    shown["reason"] = ("Why credible", WORDS)
    return Table("readings", "Credible readings side by side", frame, shown)
