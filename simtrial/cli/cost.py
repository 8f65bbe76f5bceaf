"""The expected cost of a trial, as `simtrial simulate` states it where the parameter file says what is paid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simtrial.conduct import cost
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.conduct.cost import Prices
    from simtrial.conduct.simulation import Result, Simulation


def as_json(prices: Prices | None, result: Result) -> dict[str, object]:
    """The expected cost of a scenario with a bound on its Monte Carlo standard error; nothing without prices."""
    if prices is None:
        return {}
    value, error = cost.expected(prices, result)
    known = not math.isnan(value)
    return {"cost": {"value": value if known else None, "mcse": error if known else None}}


def show(prices: Prices, done: Simulation) -> None:
    """The expected cost of every scenario."""
    rows = []
    for result in done.results:
        value, error = cost.expected(prices, result)
        rows.append([f"{result.scenario.label}: p = {result.scenario.rate}", f"{value:,.0f}", f"{error:,.1f}"])
    terminal.table("Expected cost, with months paid until the end of follow-up", ("", "cost", "MCSE, at most"), rows)
