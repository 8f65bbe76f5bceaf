"""The results of a sweep beside what was asked: the rate at which power is read, and months to the registered end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.sweep.section import RATE
from simtrial.sweep.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from simtrial.sweep.grid import Sweep


@dataclass(frozen=True)
class SweepResults:
    """A sweep with its results.

    Attributes
    ----------
    sweep : Sweep
        What was asked.
    frame : DataFrame
        One row per outcome of a scenario, as in the Parquet files.
    """

    sweep: Sweep
    frame: pd.DataFrame

    @property
    def p1(self) -> float:
        """The true rate at which power is read: p1 of the base file if it is among the rates, else the largest."""
        rates = sorted(self.frame[RATE].unique())
        p1 = self.sweep.base.requirements.p1
        return p1 if p1 in rates else float(rates[-1])

    @property
    def months(self) -> float | None:
        """Months from the registered start to the registered completion."""
        return self.sweep.base.study.months

    def at_p1(self, outcome: str) -> pd.DataFrame:
        """One outcome at `p1`, one row per setting."""
        return self.frame[(self.frame.outcome == outcome) & (self.frame[RATE] == self.p1)]


def stored(folder: Path, scenarios: range) -> pd.DataFrame:
    """The results of some scenarios from the folder of a finished sweep, their number in the column ``scenario``."""
    import pandas as pd

    found = Store(folder)
    return pd.concat([found.read(index).to_pandas().assign(scenario=index) for index in scenarios], ignore_index=True)


def short(path: str | None) -> str:
    """Name an axis by the last parts of its path, in words: "dropout probability"."""
    return "" if path is None else " ".join(path.split(".")[-2:]).replace("_", " ")
