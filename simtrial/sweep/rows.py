"""The result of a scenario: one row per outcome, its place on every axis beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.conduct import simulation
from simtrial.sweep.section import RATE

if TYPE_CHECKING:
    import pyarrow as pa

    from simtrial.conduct.simulation import Result
    from simtrial.conduct.tally import Tally
    from simtrial.sweep.grid import GridCell, Sweep


def table(sweep: Sweep, cell: GridCell, exact: dict[str, float], tallies: dict[str, Tally]) -> pa.Table:
    """The result of a scenario: one row per outcome, its place on every axis beside it."""
    import pyarrow as pa

    result: Result = simulation.Result(cell.scenario, {name: tally.estimate() for name, tally in tallies.items()})
    rows = []
    for name in sweep.asked.outcomes:
        row: dict[str, object] = {"outcome": name, "value": None, "mcse": None, "exact": False, "trials": 0}
        row |= {"q05": None, "q50": None, "q95": None, "not_reached": None}
        if name in exact:
            row |= {"value": exact[name], "mcse": 0.0, "exact": True}
        elif name in result.estimates:
            e = result[name]
            row |= {"value": e.value, "mcse": e.mcse, "trials": e.n + e.infinite}
            row |= {f"q{round(100 * q):02d}": e.quantiles[q] for q in (0.05, 0.5, 0.95)}
            row["not_reached"] = e.infinite / (e.n + e.infinite) if e.infinite else 0.0
        rows.append(row)
    axes = {path: _shown(sweep, path, cell.values[path]) for path in sweep.paths}
    kinds = {"outcome": pa.string(), "exact": pa.bool_(), "trials": pa.int64()}
    columns = {name: pa.array([value] * len(rows)) for name, value in (axes | {"looks": cell.looks}).items()}
    columns |= {name: pa.array([row[name] for row in rows], kinds.get(name, pa.float64())) for name in rows[0]}
    return pa.table(columns)


def _shown(sweep: Sweep, path: str, value: object) -> float | str:
    """A value as the table holds it: a number if all of its axis are, else text."""
    taken = (v for axis in sweep.asked.axes if axis.path == path for v in axis.taken)
    numbers = path == RATE or all(isinstance(v, int | float) and not isinstance(v, bool) for v in taken)
    return float(value) if numbers and isinstance(value, int | float) else str(value)
