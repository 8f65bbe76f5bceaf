"""Validation cases for the reviewer's desk; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from simtrial.review import check
from simtrial.trial.statement import FLEMING, ONE_STAGE, SIMON, TWO_STAGES, Statement
from simtrial.validation.cases import Comparison, case_of, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = {
    "S009": "the total of 72 includes a randomised control group; the design alone agrees, and this is stated",
    "S012": "p0 is given here; the reader counted its calculation as a convention",
    "S032": "the criterion is not stated, so either of Simon's agrees",
    "S033": "alpha 0.1 two-sided is 0.05 one-sided, which the 30 patients need",
    "S043": "n1, the only number stated, agrees",
    "S069": "the criterion is not stated, so either of Simon's agrees",
    "S074": "the numbers given are consistent; the contradiction is in another sentence of the source",
    "S082": "one-sided is assumed where the source does not state it",
}
"""Statements on which the tool and the reader judge differently, and why the tool's verdict is kept."""


def stated(row: Any) -> Statement:
    """A row of ``statements.csv``; totals count only where dropout is stated as a share: others hold more cohorts."""
    said = str(row.design_type)
    single = FLEMING if said == "Fleming single-stage" else ONE_STAGE
    two = said if said in SIMON[:-1] else TWO_STAGES
    kind = single if said.startswith(("single", "A'Hern", "Fleming-A", "Fleming single")) else two
    loss = re.match(r"(\d+)%", str(row.dropout_stated))
    numbers: dict[str, Any] = {
        name: getattr(row, name) for name in ("p0", "p1", "alpha", "power", "n1", "r1", "n", "r")
    }
    whole = ("n1", "r1", "n", "r")
    numbers = {k: int(v) if k in whole else float(v) for k, v in numbers.items() if not pd.isna(v)}
    if loss and not pd.isna(row.n_total_registered):
        numbers |= {"total": int(row.n_total_registered), "dropout": float(loss[1]) / 100}
    sided = {"1": 1, "2": 2}.get(str(row.alpha_sided)[:1])
    return Statement(criterion=kind, alpha_sided=sided, **numbers)


def judged(verdict: str) -> str:
    """The reader's verdict, in the words of `check.VerdictKind`."""
    if verdict.startswith("reproduces with"):
        return "reproduces with a convention"
    kinds: tuple[str, ...] = get_args(check.VerdictKind)
    return next(kind for kind in kinds if verdict.startswith(kind))


def statements() -> Comparison:
    """Real statements of sample sizes, beside the verdict of a reader."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("statements").itertuples():
            verdict = check.check(stated(row))
            names = f" ({', '.join(c.name for c in verdict.conventions)})" if verdict.conventions else ""
            expected = judged(row.verdict)
            same = verdict.kind == expected
            kept = "" if same else f"; this is kept: {KEPT.get(row.id, 'no reason is known')}"
            yield f"{row.id} {row.trial}", expected, f"{verdict.kind}{names}{kept}", same or row.id in KEPT

    return case_of("Statements", "registry records and papers, judged by a reader with exact enumeration", rows())
