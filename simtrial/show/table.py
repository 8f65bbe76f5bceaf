"""A table for people: a tidy frame at full precision, and the view of it that is shown.

A `Table` shows itself in a notebook as HTML with all text escaped, and carries the frame along as CSV, from which the
report writes its files. What is shown and what is written can so never differ.
"""

from __future__ import annotations

import html
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simtrial import csv_files, glossary
from simtrial.phrases import rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Shown = tuple[str, "Callable[[Any], str] | str"]
"""A column as shown: its heading and how to write a value (a format string or a function)."""

RATE = rate


def p_written(value: float) -> str:
    """A p-value: none is written as 0."""
    return f"{value:.4f}" if value >= 5e-5 else "< 0.0001"


def column(key: str, how: Callable[[Any], str] | str, more: str = "") -> Shown:
    """A column under the name that the glossary gives it, with what sets it apart in its table."""
    return glossary.head(key, more), how


PATIENTS = "{:.1f}"
WHOLE = "{:.0f}"
WORDS = "{}"


@dataclass(frozen=True)
class Table:
    """A frame with the way to show it.

    Attributes
    ----------
    name : str
        Names the CSV file.
    caption : str
        Stands above the table and by itself: what the rows are, under which assumptions.
    frame : DataFrame
        Tidy, at full precision, with machine names.
    shown : mapping of str to (str, format)
        The columns to show, in order.
    chosen : sequence of bool, optional
        The rows to stress.
    right : sequence of str, optional
        Columns of numbers already written out, to be set flush right like all numbers.
    first : int, optional
        How many rows are shown; the CSV holds all.
    tidy : DataFrame, optional
        What the CSV holds in place of `frame`, of a table that is shown on its side.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    shown: Mapping[str, Shown]
    _: KW_ONLY
    chosen: Sequence[bool] = ()
    right: Sequence[str] = ()
    first: int | None = None
    tidy: pd.DataFrame | None = None

    def view(self) -> pd.DataFrame:
        """The table as text, under its headings."""

        def written(value: Any, how: Callable[[Any], str] | str) -> str:
            if value is None or (isinstance(value, float) and np.isnan(value)):
                return "–"
            return how(value) if callable(how) else how.format(value)

        shown = self.frame.head(self.first) if self.first is not None else self.frame
        columns = {head: [written(v, how) for v in shown[key]] for key, (head, how) in self.shown.items()}
        return pd.DataFrame(columns)

    def csv(self) -> str:
        """Every row at full precision, as its file holds it."""
        return csv_files.of_frame(self.frame if self.tidy is None else self.tidy)

    def html(self) -> str:
        """The view as an HTML table below its caption, which stays in view where a wide table scrolls."""
        return f"<p><strong>{html.escape(self.caption, quote=True)}</strong></p>{self.body()}"

    def body(self) -> str:
        """The table alone, all text escaped; its few styles inline, so that it looks the same anywhere."""
        view = self.view()
        styles = []
        for head, key in zip(view.columns, self.shown, strict=True):
            number = key in self.right or pd.api.types.is_numeric_dtype(self.frame[key])
            # short entries such as "1/15, 5/25" read badly when broken
            short = max(map(len, view[head]), default=0) <= 20
            styles.append(f"text-align: {'right' if number else 'left'};" + " white-space: nowrap;" * short)
        heads = "".join(
            f'<th scope="col" style="{style.split(";")[0]};"{_tooltip(head)}>{html.escape(head)}</th>'
            for head, style in zip(view.columns, styles, strict=True)
        )
        rows = []
        for k, row in enumerate(view.itertuples(index=False, name=None)):
            stressed = k < len(self.chosen) and self.chosen[k]
            weight = " font-weight: 700;" if stressed else ""
            # what a row is about stands first, and may be a term as a heading may
            cells = "".join(
                f'<td style="{style}{weight}"{"" if j else _tooltip(str(entry))}>{html.escape(str(entry))}</td>'
                for j, (entry, style) in enumerate(zip(row, styles, strict=True))
            )
            rows.append(f'<tr class="chosen">{cells}</tr>\n' if stressed else f"<tr>{cells}</tr>\n")
        said = html.escape(self.caption, quote=True)
        body = "".join(rows)
        table = f'<table aria-label="{said}"><thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table>'
        return f'<div style="overflow-x: auto">{table}</div>'

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        data = {
            "text/html": self.html(),
            "text/csv": self.csv(),
            "text/plain": f"{self.caption}\n{self.view().to_string(index=False)}",
        }
        return data, {"simtrial": {"name": self.name, "caption": self.caption, "rows": len(self.frame)}}


def _tooltip(heading: str) -> str:
    """The meaning of a heading, and of what follows its comma, as an attribute of its cell; empty for a plain word."""
    term = glossary.explained(heading)
    if term is None or not term.meaning:
        return ""
    said = term.meaning
    more = None if term.head == heading else glossary.explained(heading.partition(", ")[2].capitalize())
    if more is not None and more.meaning:
        said += f" {more.head}: {more.meaning}"
    return f' title="{html.escape(said, quote=True)}"'
