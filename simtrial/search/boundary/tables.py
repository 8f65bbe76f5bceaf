"""The boundary of a design as a printable table: one row per look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import branched
from simtrial.phrases import stated
from simtrial.search.adaptive.tables import second_stage
from simtrial.search.wording import by_looks
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements


def boundary(design: Design, requirements: Requirements) -> Table:
    """What each number of responses leads to at each look, and how probable that is at p0 and at p1.

    Parameters
    ----------
    design : Design
        Any design with looks.
    requirements : Requirements
        p0 and p1.
    """
    first = branched(design.looks)
    if first is not None:
        return second_stage(first, requirements)
    looks, rates = design.looks, (requirements.p0, requirements.p1)
    at = operating_characteristics(design, list(rates))
    stopped = np.cumsum(at.n_distribution, axis=1)
    frame = pd.DataFrame(
        {
            "look": np.arange(1, len(looks) + 1),
            "n": [look.n for look in looks],
            "r": pd.Series([look.r for look in looks], dtype="Int64"),
            "continue_if": [_onward(design, k) for k in range(len(looks))],
            "e": pd.Series([look.e for look in looks[:-1]] + [(looks[-1].r or 0) + 1], dtype="Int64"),
        }
    )
    shown: dict[str, Shown] = {
        "look": column("look", WHOLE),
        "n": column("analysed", WHOLE),
        "r": column("futile_up_to", _bound),
        "continue_if": column("continues_with", WORDS),
        "e": column("effective_from", _bound),
    }
    for k, name in enumerate(("p0", "p1")):
        reached = np.clip(1 - np.concatenate([[0.0], stopped[k, :-1]]), 0.0, 1.0)
        for key, values in (
            ("reached", reached),
            ("stops_futile", at.accept_by_look[k]),
            ("stops_effective", at.reject_by_look[k]),
        ):
            frame[f"{key}_{name}"] = values
            shown[f"{key}_{name}"] = column(key, RATE, f"at {name}")
    caption = (
        f"Boundary of the design {by_looks(design)}: X is the number of responses among all patients analysed so far. "
        f"At the last look H0 is rejected or not. Exact probabilities at p0 = {stated(rates[0])} and p1 = "
        f"{stated(rates[1])}, "
        "every patient being evaluable"
    )
    return Table("boundary", caption, frame, shown, right=("r", "continue_if", "e"))


def _onward(design: Design, k: int) -> str:
    """The numbers of responses with which the trial continues after a look."""
    if k == len(design.looks) - 1:
        return "–"
    look = design.looks[k]
    low = 0 if look.r is None else look.r + 1
    high = look.n if look.e is None else look.e - 1
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _bound(value: object) -> str:
    """A bound, or a dash where a look has none."""
    return "–" if pd.isna(value) else f"{value:,}"
