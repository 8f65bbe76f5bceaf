"""Tables of a design whose second stage depends on the first: what follows each number of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.design.binomial import binomial_pmf
from simtrial.design.second_stages import SecondStage, Stop, branches, conditional, runs
from simtrial.phrases import counted, stated
from simtrial.show.table import RATE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.design.second_stages import BranchLook

STOPS: dict[Stop, str] = {"accept": "stop: H0 is not rejected", "reject": "stop: reject H0"}
"""What a stop after the first stage is called."""


def second_stage(first: BranchLook, requirements: Requirements) -> Table:
    """What follows each number of responses in the first stage, and how probable it is at p0 and at p1."""
    rates = (requirements.p0, requirements.p1)
    chances = [binomial_pmf(first.n, np.array(p)) for p in rates]
    given = [conditional(first.after, p) for p in rates]
    rows = []
    for one in branches(first):
        row: dict[str, object] = {
            "x1": one.seen,
            "decision": "continue" if isinstance(one.row, SecondStage) else STOPS[one.row],
            "n2": f"{one.row.n2:,}" if isinstance(one.row, SecondStage) else "–",
            "n": f"{first.n + (one.row.n2 if isinstance(one.row, SecondStage) else 0):,}",
            "r": f"{one.row.r:,}" if isinstance(one.row, SecondStage) else "–",
        }
        inside = slice(one.low, one.high + 1)
        for name, chance, power in zip(("p0", "p1"), chances, given, strict=True):
            row[f"chance_{name}"] = float(chance[inside].sum())
            row[f"reject_{name}"] = float(power[one.low])
        rows.append(row)
    shown: dict[str, Shown] = {
        "x1": column("x1", WORDS),
        "decision": column("decision", WORDS),
        "n2": column("n2", WORDS),
        "n": column("n_then", WORDS),
        "r": column("rejects_above", WORDS),
    }
    for name in ("p0", "p1"):
        shown[f"chance_{name}"] = column("x1_chance", RATE, f"at {name}")
        shown[f"reject_{name}"] = column("conditional_error", RATE, f"at {name}")
    caption = (
        f"What follows each number of responses X1 among the first {counted(first.n, 'patient')}: the trial stops, or "
        "n2 further patients are enrolled and H0 is rejected if more than the stated number of all patients respond. "
        f"Exact probabilities at p0 = {stated(rates[0])} and p1 = {stated(rates[1])}, every patient being evaluable"
    )
    return Table("boundary", caption, pd.DataFrame(rows), shown, right=("x1", "n2", "n", "r"))


def decisions(first: BranchLook) -> list[dict[str, object]]:
    """The decision at each number of responses, at the interim and at the final analysis: rows of a table."""
    rows = []
    for one in runs(first):
        further = (
            f"enroll {counted(one.row.n2, 'further patient')}: {first.n + one.row.n2:,} in all"
            if isinstance(one.row, SecondStage)
            else STOPS[one.row]
        )
        rows.append(_decision(first.n, one.low, one.high, further))
    for one in runs(first):
        if not isinstance(one.row, SecondStage):
            continue
        n, after = first.n + one.row.n2, f", after {one.seen} among the first {first.n:,}"
        if one.row.r >= one.low:
            rows.append(_decision(n, one.low, one.row.r, f"H0 is not rejected{after}"))
        rows.append(
            _decision(
                n, max(one.row.r + 1, one.low), one.high + one.row.n2,
                f"reject H0: the response rate exceeds p0{after}",
            )
        )  # fmt: skip
    return rows


def _decision(n: int, low: int, high: int, decision: str) -> dict[str, object]:
    return {
        "patients": n,
        "from": low,
        "to": high,
        "responses": f"{low}" if low == high else f"{low} to {high}",
        "observed": f"{100 * low / n:.1f} to {100 * high / n:.1f}",
        "decision": decision,
    }
