"""Validation cases: numbers made elsewhere, or by plain enumeration, compared with ours on this machine.

Each case is a function of this wing that returns a `Comparison`, one row per number compared; `verdict` fails if any
row disagrees. The reference tables and their provenance are in ``tests/reference``. Numbers are compared to the digits
that the tables give: half a unit in the last place, and a millionth of that for the binary form of a decimal.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.documents.qualification_results import CaseResult
from simtrial.phrases import agreeing, counted
from simtrial.project import folder
from simtrial.show.table import WHOLE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.requirements import Requirements


class Comparison(CaseResult):
    """One validation case, which shows itself in the notebook."""

    def table(self) -> Table:
        """Every comparison."""
        shown: dict[str, Shown] = {
            "what": column("setting", WORDS),
            "expected": column("reference_value", WORDS),
            "found": column("computed_here", WORDS),
            "agrees": column("agrees", lambda agrees: "yes" if agrees else "NO"),
        }
        name = "validation_" + "_".join(self.name.lower().split())
        return Table(
            name,
            (
                f"{self.name}: reference values beside those computed on this machine, one comparison per row; rows in "
                f"bold disagree. Source: {self.source}"
            ),
            self.frame,
            shown,
            chosen=(~self.frame.agrees.astype(bool)).tolist(),
        )

    def __str__(self) -> str:
        said = agreeing(self.agree, "agrees", "agree")
        return f"{self.name}: {self.agree:,} of {counted(self.compared, 'comparison')} {said}"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        table = self.table()
        data, metadata = table._repr_mimebundle_()
        line = f"{'Passed' if self.passed else 'FAILED'}. {self}."
        data["text/html"] = (
            f"<p><strong>{html.escape(line)}</strong></p>"
            f"<details><summary>All comparisons</summary>{table.html()}</details>"
        )
        data["text/plain"] = line
        named = {"name": table.name, "caption": table.caption, "rows": len(self.frame)}
        return data, {**metadata, "simtrial": {**named, "case": self.name, "source": self.source}}


class ValidationError(AssertionError):
    """Some case disagrees with its reference."""


def reference(*names: str) -> pd.DataFrame:
    """Give tables of ``tests/reference``, one below the other."""
    return pd.concat([pd.read_csv(folder("tests/reference") / f"{name}.csv") for name in names], ignore_index=True)


def setting(asked: Requirements) -> str:
    """A question in a cell: "0.1/0.3, alpha 0.05, power 0.8"."""
    return f"{asked.p0:g}/{asked.p1:g}, alpha {asked.alpha:g}, power {asked.power:g}"


def same_digits(found: float, printed: float, decimals: int) -> bool:
    """Whether a number is the printed one to this many decimals; see the head of this module."""
    return abs(found - printed) <= 0.500001 * 10.0**-decimals


def case_of(name: str, source: str, rows: Iterator[tuple[str, str, str, bool]]) -> Comparison:
    """Make a case of its comparisons."""
    return Comparison(name, source, pd.DataFrame(rows, columns=["what", "expected", "found", "agrees"]))


def verdict(*cases: Comparison) -> Table:
    """Give one row per case, or fail.

    Raises
    ------
    ValidationError
        Naming every case with a disagreement, and its first one.
    """
    failed = [case for case in cases if not case.passed]
    if failed:
        firsts = []
        for case in failed:
            row = case.failures.iloc[0] if len(case.failures) else None
            first = "nothing was compared" if row is None else f"{row.what}: {row.found}, expected {row.expected}"
            firsts.append(f"{case} (first: {first})")
        raise ValidationError("; ".join(firsts))
    frame = pd.DataFrame(
        [(case.name, len(case.frame), len(case.failures), case.source) for case in cases],
        columns=["case", "compared", "failed", "source"],
    )
    shown = {
        "case": column("validation_case", WORDS),
        "compared": column("compared", WHOLE),
        "failed": column("disagree", WHOLE),
        "source": column("source", WORDS),
    }
    caption = "All validation cases passed on this machine: the numbers compared per case, and their source"
    return Table("verdict", caption, frame, shown)
