"""What a notebook shows, as it stands on the page: tables and figures with a number, an anchor and their files."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MOST_ROWS = 12
"""Rows of a table that is shown whole."""

FIRST_ROWS = 10
"""Rows of a longer one that stand; the others fold."""

MOST_KEPT = 3
"""Stressed rows behind them that stand as well, such as the chosen design; more would not be few."""

WHOLE = frozenset({"compared", "compared_timed"})
"""Tables that stand whole: their columns are compared, so no row is less than another."""

FILES = (("table", "tables", "csv"), ("figure", "figures", "svg"), ("figure", "figures", "png"))
"""Kind of exhibit, folder and suffix of each of its files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exhibit:
    """One thing that a cell shows.

    Attributes
    ----------
    kind : str
        "table" or "figure", which are numbered; "text" for other HTML; "plain" for text alone; "prose" for what the
        notebook says between its cells; "pointer" for a line in the place of what stands above.
    html : str
        What is shown, safe to stand in the page; of a "plain" one its text.
    name : str
        Of its files; empty if it has none.
    caption : str
        As text; of a "pointer" the anchor that it leads to.
    number : int
        Among the tables or the figures of the page, from 1; 0 before it is counted and for what is not numbered.
    files : tuple of (str, str)
        Kind and place of each file, as seen from the page.
    rows, total : int
        Of a table: rows that the page shows, and rows of its file.
    apart : int
        Of a table: stressed rows behind the first ones, which stand too if they are few.
    """

    kind: str
    html: str
    name: str = ""
    caption: str = ""
    number: int = 0
    files: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    total: int = 0
    apart: int = 0

    @property
    def anchor(self) -> str:
        """Where links lead to."""
        return f"{self.kind}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', self.name)}"

    @property
    def label(self) -> str:
        """Its kind and number."""
        return f"{self.kind.capitalize()} {self.number}"

    @property
    def long(self) -> bool:
        """Whether only its first rows stand."""
        return self.rows > MOST_ROWS and self.hidden > 0 and self.name not in WHOLE

    @property
    def kept(self) -> bool:
        """Whether stressed rows stand wherever they are."""
        return self.apart <= MOST_KEPT

    @property
    def hidden(self) -> int:
        """Rows that fold."""
        return self.rows - FIRST_ROWS - self.apart * self.kept

    @property
    def numbered(self) -> bool:
        """Whether it has a number."""
        return self.kind in ("table", "figure")


def of_output(output: Any, root: Path, prefix: str) -> Exhibit:
    """One output of an executed cell, with links to those of its files that are there.

    Parameters
    ----------
    output : dict
        As nbformat has it.
    root : Path
        Folder that holds the folders of tables and figures.
    prefix : str
        The same folder as seen from the page, empty or ending in a slash.
    """
    if output.output_type == "stream":
        return Exhibit(kind="plain", html=output.text)
    if output.output_type == "error":
        return Exhibit(kind="plain", html=f"{output.ename}: {output.evalue}")
    data, said = output.data, output.get("metadata", {}).get("simtrial", {})
    name, shown = said.get("name", ""), data.get("text/html", "")
    caption = said.get("caption") or data.get("text/plain", "").partition("\n")[0]
    if "image/svg+xml" in data:
        files = _files("figure", name, root, prefix)
        return Exhibit(kind="figure", html=data["image/svg+xml"], name=name, caption=caption, files=files)
    if "text/csv" in data and "<th " in shown:
        own = f"<p><strong>{html.escape(caption)}</strong></p>"  # stands above the table in a notebook
        rows = re.findall(r"<tr([^>]*)>", shown.partition("<tbody>")[2])
        return Exhibit(
            kind="table",
            html=shown.removeprefix(own),
            name=name,
            caption=caption,
            files=_files("table", name, root, prefix),
            rows=len(rows),
            total=said.get("rows", 0),
            apart=sum("chosen" in row for row in rows[FIRST_ROWS:]),
        )
    if shown:
        return Exhibit(kind="text", html=shown, name=name)
    return Exhibit(kind="plain", html=data.get("text/plain", ""), name=name)


def _files(kind: str, name: str, root: Path, prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (suffix.upper(), f"{prefix}{folder}/{name}.{suffix}")
        for one, folder, suffix in FILES
        if one == kind and name and (root / folder / f"{name}.{suffix}").exists()
    )


def counted(one: Exhibit, before: dict[str, int]) -> Exhibit:
    """Give a table or figure the next number of its kind.

    Parameters
    ----------
    one : Exhibit
        A table or a figure.
    before : dict
        How many of each kind came before; counted on.
    """
    before[one.kind] = before.get(one.kind, 0) + 1
    return replace(one, number=before[one.kind])
