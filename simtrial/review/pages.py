"""What a reviewer reads: routes to a number of patients, readings side by side, a map, questions, and a memo."""

from __future__ import annotations

import html
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap

from simtrial import search
from simtrial.design.designs import looks_text, parse_looks
from simtrial.design.exact import operating_characteristics, side
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.laws import decision, laws
from simtrial.plan.plan import Scenario
from simtrial.review import check as reproduction
from simtrial.review import reach
from simtrial.review.readings import EXACT
from simtrial.review.routes import METHODS, MOST_N
from simtrial.review.routes import routes as all_routes
from simtrial.search import CRITERIA
from simtrial.search.formulas import approximate
from simtrial.show.passage import Passage, percent
from simtrial.show.picture import RED, STYLE, Picture, canvas
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table
from simtrial.trial.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.review.routes import Route
    from simtrial.trial.case import Case
    from simtrial.trial.trial import Trial

MOST_SHOWN = 30
"""Routes shown one by one; all of them stand in the CSV."""


def patients(case: Case) -> int:
    """The number under review: the registered one, or that of the design."""
    return case.trial.study.registered_enrollment or case.n


def trace(n: int) -> list[Route]:
    """The routes to a number of patients; above `MOST_N` none, and everything here says so."""
    return all_routes(n) if n <= MOST_N else []


def _none(n: int) -> str:
    """Why there are no routes."""
    if n > MOST_N:
        return f"Calculations that give {n} patients are left out: they are listed up to {MOST_N} patients"
    return f"None of the usual calculations gives {n} patients"


def routes(found: Sequence[Route], n: int) -> Table:
    """The routes to a number of patients; the exact ones without an allowance for dropout in bold."""
    if not found:
        return Table("routes", "There is no calculation to list", pd.DataFrame({"method": []}), {})
    frame = pd.DataFrame([_row(route) for route in found])
    shown: dict[str, Shown] = {
        "method": ("Method", WORDS),
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
    return Table("routes", caption, frame, shown, bold, first=MOST_SHOWN)


def _row(route: Route) -> dict[str, Any]:
    losses = f"{100 * route.dropout:g}%, {route.inflation}" if route.dropout else "none"
    return asdict(route) | {"losses": losses}


def summary(found: Sequence[Route], n: int) -> Table:
    """The same routes counted: by method, without losses and with them, and how many break a limit they state."""
    if not found:
        return Table("routes_by_method", _none(n), pd.DataFrame({"method": []}), {})
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
        "method": ("Method", WORDS),
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


@dataclass(frozen=True, slots=True)
class ReadOne:
    """One reading of the number: the question, the design it takes, and why it is credible."""

    requirements: Requirements
    design: Design
    reason: str


def readings(case: Case, found: Sequence[Route] = ()) -> list[ReadOne]:
    """The file's own reading, the exact single stage beside it if it has as many patients, and its rivals.

    Where none of them has the number registered, the first two exact routes to it stand behind them.
    """
    asked, chosen = case.requirements, case.chosen
    n = patients(case)
    credible = [ReadOne(asked, chosen, "the reading of the parameter file")]
    with suppress(InputError):  # rates too near for a search say nothing about a design given outright
        single = case.single.first
        if single.n == chosen.looks[-1].n and len(chosen.looks) > 1:
            credible.append(ReadOne(asked, single, "the same numbers without an interim analysis"))
    for rival in case.trial.rivals:
        design = search.choose(rival.requirements, rival.criterion)
        credible.append(ReadOne(rival.requirements, design, rival.source))
    if any(reading.design.looks[-1].n == n for reading in credible):
        return credible
    missed = [
        replace(one, reason=f"{one.reason}; needs {one.design.looks[-1].n} patients, not {n}") for one in credible
    ]
    exact = [r for r in found if r.method in EXACT and not r.dropout and r.p0 is not None and r.p1 is not None]
    for r in exact[:2]:
        start = Requirements(r.p0 or 0.0, r.p1 or 0.0, r.alpha, r.power or 0.0)
        missed.append(ReadOne(start, parse_looks(r.looks), f"a conventional route to {n}: {r.method}"))
    return missed


def _plan(trial: Trial, design: Design) -> Plan | None:
    """How a reading is run; None where the file does not say, as for a look that the file's own design has not."""
    with suppress(InputError):
        return trial.plan(design)
    return None


def side_by_side(case: Case, found: Sequence[Route] = ()) -> Table:
    """The credible readings: on paper, and as run if the file says how."""
    rows = []
    for reading in readings(case, found):
        asked, design = reading.requirements, reading.design
        oc = operating_characteristics(design, [asked.p0, asked.p1])
        row: dict[str, Any] = {
            "reading": f"{asked.p0:g}/{asked.p1:g}, alpha {asked.alpha:g}, power {asked.power:g}",
            "looks": looks_text(design, ", "),
            "type_i_error": float(oc.reject[0]),
            "power": float(oc.reject[1]),
            "en_p0": float(oc.en[0]),
            "reason": reading.reason,
        }
        plan = _plan(case.trial, design)
        if plan is not None and plan.close_month is None:
            run = decision.decision(plan, np.array([asked.p0, asked.p1])).reject
            months = laws.exact_values(plan, Scenario("p1", asked.p1)).get("duration_months")
            row |= {"run_type_i_error": float(run[0]), "run_power": float(run[1]), "run_months": months}
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


def map_of_n(requirements: Requirements, n: int) -> Picture | Passage:
    """Patients that three methods need over p0 and p1, at the alpha and power given; n itself in red,
    with its contour between the places of the grid. In words if nowhere so many are needed.
    """
    steps = np.round(np.arange(0.05, 0.96, 0.025), 3)
    names = (CRITERIA["single_stage_first"].name, CRITERIA["minimax"].name, "Fleming's formula")
    grids = np.full((3, len(steps), len(steps)), np.nan)
    for i, p0 in enumerate(steps):
        for j, p1 in enumerate(steps):
            if not 0.09 < p1 - p0 < 0.41:
                continue
            asked = Requirements(float(p0), float(p1), requirements.alpha, requirements.power)
            grids[2, i, j] = approximate(asked)[0].n
            single = reach.single_stage(asked)  # most of them were searched for the routes
            if single is None:
                continue
            grids[0, i, j] = single.first.n
            if single.first.n < 4 * n:  # far larger ones only take time
                two = reach.two_stage(asked)
                grids[1, i, j] = np.nan if two is None else two.minimax.n
    most = int(np.nanmax(grids))
    if n > most:
        errors = f"one-sided alpha {requirements.alpha:g} and power {requirements.power:g}"
        methods = ", ".join(names)
        said = (
            f"At {errors} none of three methods ({methods}) needs {n} patients for a p0 and p1 that are .1 to .4 "
            f"apart; their largest number is {most}."
        )
        return Passage("map", (said,))
    around = (0, n // 2, round(0.75 * n), n - 2, n + 3, round(1.5 * n), 2 * n, 4 * n, 100 * n)
    edges = sorted({n - 0.5, n + 0.5, *(edge for edge in around if edge >= 0 and edge != n)})
    figure, axes = canvas(3, 11.0, 3.9, share_y=True)
    colours = mpl.colormaps["viridis"](np.linspace(0.05, 0.95, len(edges) - 1))
    here = next(k for k, (a, b) in enumerate(pairwise(edges)) if a < n < b)
    colours[here] = mpl.colors.to_rgba(RED)
    with mpl.rc_context(STYLE):
        for axis, name, grid in zip(axes, names, grids, strict=True):
            norm = BoundaryNorm(edges, len(edges) - 1)
            mesh = axis.pcolormesh(steps, steps, grid.T, cmap=ListedColormap(colours), norm=norm, shading="nearest")
            # matplotlib warns of a contour that is nowhere
            if (grid <= n).any() and (grid >= n).any():
                axis.contour(steps, steps, grid.T, levels=[n], colors=[RED], linewidths=1.2)
            axis.set_title(name, fontsize=10)
            axis.set_xlabel("p0")
            axis.set_xlim(0, 0.9)
        axes[0].set_ylabel("p1")
        bar = figure.colorbar(mesh, ax=axes, ticks=edges[:-1], format="%g")
        bar.set_label(f"patients needed; {n} and its contour in red", fontsize=9)
        said = f"alpha {requirements.alpha:g}, power {requirements.power:g}; computed where p1 - p0 is from .1 to .4"
        figure.suptitle(said, fontsize=10)
        # the layout moves a little each time it is computed; once is enough, and gives the same bytes every time
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    hits = [int(np.nansum(grid == n)) for grid in grids]
    alt = (
        f"Patients needed over p0 and p1, which are .1 to .4 apart; exactly {n} at {hits[0]}, {hits[1]} and {hits[2]} "
        "places of the grid."
    )
    return Picture("map", alt, figure)


def questions(found: Sequence[Route], n: int, stated: Statement | None = None) -> Passage:
    """What a reviewer should ask the sponsor; what is stated is not asked for again."""
    plain = [r for r in found if not r.dropout and r.method in EXACT]
    inputs = len({(r.p0, r.p1, r.alpha, r.power) for r in plain})
    given = f" {_combinations(inputs)} it exactly." if n <= MOST_N else ""
    asks = _open(stated or Statement(), n, given)
    return Passage("questions", tuple(f"{k}. {ask}" for k, ask in enumerate(asks, start=1)))


def _open(stated: Statement, n: int, given: str) -> list[str]:
    """The questions that a statement leaves open."""
    asks = []
    rates = [f"{name} = {value:g}" for name in ("p0", "p1") if (value := getattr(stated, name)) is not None]
    if stated.p0 is None or stated.p1 is None:
        lacking = " and ".join(name for name in ("p0", "p1") if getattr(stated, name) is None)
        beside = f" beside the stated {rates[0]}" if rates else ""
        asks.append(f"Which {lacking} was the basis of {n} patients{beside}, and from which earlier results?{given}")
    else:
        asks.append(f"From which earlier results do the stated {' and '.join(rates)} come?")
    if stated.alpha is None:
        asks.append("What is alpha, and is it one-sided?")
    elif stated.alpha_sided is None:
        asks.append(f"Is the stated alpha of {stated.alpha:g} one-sided?")
    if stated.power is None:
        asks.append("What power was wanted?")
    design = stated.design
    if design is None:
        asks.append(
            "Is there an interim analysis, after how many patients, and which counts stop the trial or reject H0?"
        )
    elif len(design.looks) == 1:
        asks.append(f"Is the stated rule {looks_text(design)} applied without an interim analysis?")
    if stated.dropout:
        asks.append(
            f"How is the stated dropout of {percent(stated.dropout)} allowed for, how is it rounded, and does it leave "
            f"{n} patients evaluable or enrolled?"
        )
    asks.append("Are patients without a response assessment counted as non-responders, replaced, or excluded?")
    if not stated.dropout:
        asks.append("Does the number already allow for dropout?")
    if design is None or len(design.looks) > 1:
        asks.append("Does accrual continue while an interim analysis is pending?")
    return asks


def _combinations(number: int) -> str:
    if number == 1:
        return "One conventional combination of p0, p1, alpha and power gives"
    many = f"{number} conventional combinations of p0, p1, alpha and power give"
    return many if number else "No conventional combination of p0, p1, alpha and power gives"


@dataclass(frozen=True)
class Memo:
    """One page for the file: shows itself as HTML, and is kept as Markdown."""

    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]

    def markdown(self) -> str:
        """The page in Markdown, special characters escaped."""
        lines = [f"# {_escaped(self.title)}"]
        for heading, paragraphs in self.parts:
            lines += ["", f"## {_escaped(heading)}", *(f"\n{_escaped(p)}" for p in paragraphs)]
        return "\n".join(lines) + "\n"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        inner = f"<p><strong>{html.escape(self.title)}</strong></p>" + "".join(
            f"<p><strong>{html.escape(heading)}.</strong></p>" + "".join(f"<p>{html.escape(p)}</p>" for p in paragraphs)
            for heading, paragraphs in self.parts
        )
        data = {"text/html": f'<blockquote class="simtrial">{inner}</blockquote>', "text/markdown": self.markdown()}
        return data | {"text/plain": self.markdown()}, {"simtrial": {"name": "memo"}}


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in text)


def memo(case: Case, found: Sequence[Route]) -> Memo:
    """The review memo: verdict, credible readings, what they do as run, what to ask."""
    trial, n = case.trial, patients(case)
    statement = trial.stated.statement if trial.stated is not None else None
    verdict = reproduction.check(statement) if statement is not None else None
    told = "The parameter file holds no stated sample size to check."
    if verdict is not None:
        names = "; ".join(c.name for c in verdict.conventions)
        told = f"{verdict.kind.capitalize()}{f' ({names})' if names else ''}. {verdict.explanation}"
    lines = []
    for _, row in side_by_side(case, found).frame.iterrows():
        run = f", as run {percent(row.run_type_i_error)} and {percent(row.run_power)}" if "run_power" in row else ""
        lines.append(
            f"{row.reading}: {row.looks}, type I error {percent(row.type_i_error)}, power {percent(row.power)}{run}; "
            f"{row.reason}."
        )
    plain = sum(not r.dropout for r in found)
    weak = f"{len(found)} standard calculations end at {n} patients, {plain} of them without an allowance for dropout."
    weak = f"{weak} So the number by itself identifies none." if found else f"{_none(n)}."
    parts = (
        ("Verdict", (told,)),
        ("What the number alone says", (weak,)),
        ("Credible readings", tuple(lines)),
        ("To ask the sponsor", questions(found, n, statement).paragraphs),
    )
    return Memo(f"Sample size of {trial.study.id}: {n} patients", parts)
