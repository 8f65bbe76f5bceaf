"""Pages as PDF, with the study, the hash of the parameter file and the number of the page on each.

Paper has no clicks. A page is therefore printed from a copy in which what folds is open, except its code, and in which
a long table stands whole up to `WHOLE_ROWS` rows. Header and footer are margin boxes of CSS [1]_.

References
----------
.. [1] CSS Paged Media Module Level 3, section 4, "Page-Margin Boxes".
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial.report import chromium

if TYPE_CHECKING:
    from datetime import datetime

WHOLE_ROWS = 40
"""Rows up to which a long table is printed whole; of a longer one the first rows stand, as on the page."""

ONE_PAGE = 14
"""Rows up to which a table is kept on one page."""

MOST_LETTERS = 90
"""Letters of the title that the header has room for."""

STYLE = """
@media print {
  details.rest[open] { border-left: 0; padding-left: 0; } details.rest > summary { display: none; }
  figure.long:not(:has(tr:nth-child(WHOLE))) tbody tr { display: table-row !important; }
  figure.long:not(:has(tr:nth-child(WHOLE))) details.rows { display: none; }
  h1, h2, h3, h4, figcaption, p:has(+ figure, + details.rest > summary + figure, + div > table) { break-after: avoid; }
  h1, h2, h3, h4, figcaption, figure, div:has(> table), tr, blockquote { break-inside: avoid; }
  figure:has(tbody tr:nth-child(PAGE)), div:has(> table tbody tr:nth-child(PAGE)) { break-inside: auto; }
  tbody:has(tr:nth-child(PAGE)) tr:nth-child(-n + 4) { break-after: avoid; }
  tbody:has(tr:nth-child(PAGE)) tr:nth-last-child(-n + 3) { break-before: avoid; }
  thead { display: table-header-group; } p, li { orphans: 2; widows: 2; }
}
@page {
  size: A4; margin: 21mm 15mm 18mm;
  @top-left { content: "STUDY"; BOX vertical-align: bottom; padding-bottom: 4mm; font-weight: 600; }
  @top-right { content: "TITLE"; BOX vertical-align: bottom; padding-bottom: 4mm; text-align: right; }
  @bottom-left { content: "ORIGIN"; BOX vertical-align: top; padding-top: 4mm; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); BOX vertical-align: top; padding-top: 4mm; }
}
"""
BOX = (
    'font: 7.5pt system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: #5a5a5a; '
    "font-variant-ligatures: none;"  # so that the header can be searched for
)


@dataclass(frozen=True, slots=True)
class Running:
    """What stands on every printed page, besides its number: study and title above, what it was made from below."""

    study: str
    title: str
    origin: str


def for_paper(html: str, running: Running) -> str:
    """A page as it is printed: folds open, with header and footer.

    Parameters
    ----------
    html : str
        A page of a report or a document.
    running : Running
        What stands on every page; any text.
    """
    title = running.title
    if len(title) > MOST_LETTERS:
        title = f"{title[: MOST_LETTERS - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    words = {
        "STUDY": _quoted(running.study), "TITLE": _quoted(title), "ORIGIN": _quoted(running.origin), "BOX": BOX,
        "WHOLE": str(WHOLE_ROWS + 1), "PAGE": str(ONE_PAGE + 1),
    }  # fmt: skip
    style = re.sub("|".join(words), lambda match: words[match[0]], STYLE)
    html = html.replace('<details class="rest">', '<details class="rest" open>')
    html = re.sub(r'<span class="more">(\d+ more rows?)</span>', r'<span class="more">\1 in the CSV file</span>', html)
    named = f"<title>{escape(running.study)}: {escape(running.title)}</title>"
    html = re.sub(r"<title>.*?</title>", lambda _: named, html, count=1, flags=re.DOTALL)
    return html.replace("</head>", f"<style>{style}</style>\n</head>", 1)


def _quoted(text: str) -> str:
    """A text within quotes of CSS: nothing in it can end the string, the rule or the element."""
    # the space ends the escape
    return "".join(one if one == " " or (one.isascii() and one.isalnum()) else f"\\{ord(one):x} " for one in text)


def printed(html: str, running: Running, browser: chromium.Browser, work: Path, moment: datetime) -> bytes:
    """Print a page.

    Parameters
    ----------
    html : str
        A page of a report or a document.
    running : Running
        What stands on every page.
    browser : Browser
        Which prints it.
    work : Path
        Folder in which one of its own is made for as long as it takes.
    moment : datetime
        The date that the file states, in UTC.

    Returns
    -------
    bytes
        The PDF; the same for the same arguments.

    Raises
    ------
    PrintError
        If the browser fails, prints something else or takes too long.
    """
    place = Path(tempfile.mkdtemp(prefix=".print-", dir=work))
    try:
        page = place / "_.html"  # no study begins like that, so the page is known by its title
        page.write_text(for_paper(html, running), encoding="utf-8")
        made = chromium.printed(browser, page, place)
        if not _titled(made, running):
            raise chromium.PrintError(f"{browser.path} could not open the page that it was to print; {chromium.OTHER}")
        return _dated(made, moment)
    finally:
        _remove(place)


def _titled(made: bytes, running: Running) -> bool:
    """Whether a PDF has the title of the page; what a browser prints of its own errors has another."""
    start = f"{running.study}:"
    plain, wide = start.encode("ascii", "replace"), start.encode("utf-16-be").hex().upper().encode()
    return b"/Title (" + plain in made or b"/Title <FEFF" + wide in made


def _dated(made: bytes, moment: datetime) -> bytes:
    """The same file with another date, in the same number of bytes."""
    stated = moment.strftime("D:%Y%m%d%H%M%S+00'00'").encode()
    return re.sub(rb"(/(?:Creation|Mod)Date \()D:\d{14}[+-]\d\d'\d\d'(?=\))", rb"\g<1>" + stated, made, count=2)


def _remove(place: Path) -> None:
    """Remove a folder to which processes that are about to end may still write."""
    for _ in range(50):
        shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            return
        time.sleep(0.1)
    raise chromium.PrintError(f"{place} cannot be removed, for the browser that printed there has not ended")
