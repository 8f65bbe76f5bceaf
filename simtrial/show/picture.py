"""A figure for a protocol: labelled, safe for the colour-blind, legible when printed, the same bytes every time.

A `Picture` shows itself as SVG with a text alternative; `Picture.figure` is the matplotlib figure behind it. Nothing
here goes through pyplot, so there is no global state to leave behind.
"""

from __future__ import annotations

import html
import io
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.backend_bases import RendererBase

# Okabe and Ito's palette, which stays apart under every common colour blindness; ordered light to dark last
BLACK, ORANGE, SKY, GREEN, BLUE, RED = "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00"
LINES = ((BLUE, "-"), (RED, "--"), (GREEN, "-."), (BLACK, ":"))
DOTS = 300
"""Dots per inch of a bitmap, as journals ask."""

QUICK = 3
"""Level of compression of a bitmap: 6, the default, takes a quarter more time to save a quarter of the bytes."""

FONT = "DejaVu Sans"
"""The font that texts are laid out in; the package brings it along."""

ELSEWHERE = f"'{FONT}', Verdana, Geneva, sans-serif"
"""Fonts of an SVG, in the order in which they are tried: Verdana has the widths of ours, and most machines have it."""

STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "simtrial",
    "svg.fonttype": "none",
    "axes.formatter.use_mathtext": False,
}

_DRAWN = threading.RLock()


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of all figures, one thread at a time.

    The settings of matplotlib belong to the whole process. Of two threads that set and restore them at the same time,
    one would draw without the style, and the process would keep it.
    """
    with _DRAWN, mpl.rc_context(STYLE):
        yield


class Drawing(Figure):
    """A figure that is drawn once when it is saved; matplotlib draws it twice, first without a trace, to lay it out."""

    to_lay_out = False

    def draw(self, renderer: RendererBase) -> None:
        """Draw, or find the layout alone where that is what the next drawing is for."""
        if not self.to_lay_out:
            super().draw(renderer)
            return
        self.to_lay_out = False
        engine = self.get_layout_engine()
        if engine is not None:
            engine.execute(self)


@dataclass(frozen=True)
class Picture:
    """A figure with its name, for the file, its text alternative, and its caption.

    Attributes
    ----------
    name : str
        Names the files.
    alt : str
        What there is to see, in words, for somebody who does not see it.
    figure : Figure
        As drawn.
    caption : str
        Stands below the figure and by itself: what is drawn, for which design, under which assumptions.
    """

    name: str
    alt: str
    figure: Figure
    caption: str = ""

    def svg(self, *, cropped: bool = True) -> str:
        """The figure as SVG text without date or address, its text alternative as the title element.

        Cropped to what is drawn, or else at its full size, which stays the same from one drawing to the next.
        """
        buffer = io.StringIO()
        if isinstance(self.figure, Drawing):
            self.figure.to_lay_out = cropped or self.figure.get_layout_engine() is not None
        with styled():
            self.figure.savefig(
                buffer, format="svg", bbox_inches="tight" if cropped else None, metadata={"Date": None, "Creator": None}
            )
        text = buffer.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
        text = text.replace(f"'{FONT}'", ELSEWHERE)
        head, rest = text.split(">", 1)
        return f'{head} role="img">\n <title>{html.escape(self.alt)}</title>{rest}'

    def png(self) -> bytes:
        """The same figure as a bitmap for print, 300 dots per inch, without date or program."""
        buffer = io.BytesIO()
        if isinstance(self.figure, Drawing):
            self.figure.to_lay_out = True
        with styled():
            self.figure.savefig(
                buffer, format="png", dpi=DOTS, bbox_inches="tight", metadata={"Software": None},
                pil_kwargs={"compress_level": QUICK},
            )  # fmt: skip
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        shown = {"image/svg+xml": self.svg(), "text/plain": self.alt}
        return shown, {"simtrial": {"name": self.name, "caption": self.caption or self.alt}}


WATERMARK = "Synthetic data"


def watermarked(picture: Picture, words: str = WATERMARK) -> Picture:
    """The picture with words drawn lightly across it and stated in its caption: for data that are no patients'."""
    width, height = picture.figure.get_size_inches()
    size = min(1.3 * 72 * width / len(words), 72 * height / 2)
    with styled():
        mark = picture.figure.text(
            0.5, 0.5, words, ha="center", va="center", rotation=min(30.0, 45 * height / width), fontsize=size,
            color="#b00000", alpha=0.1, fontweight="bold", gid="watermark",
        )  # fmt: skip
    mark.set_in_layout(False)
    caption = f"{picture.caption} {words}: made by the simulator, no patient is real.".strip()
    return replace(picture, caption=caption)


def canvas(columns: int, width: float, height: float, *, share_y: bool = False) -> tuple[Figure, list[Axes]]:
    """Give an empty figure with axes side by side, in the style of all figures."""
    with styled():
        figure = Drawing(figsize=(width, height), layout="constrained")
        axes = list(np.atleast_1d(figure.subplots(1, columns, sharey=share_y)))
    return figure, axes


def few_ticks(axis: Axis) -> None:
    """Few ticks at round numbers: they are most of what a drawing costs, and a slider waits for it."""
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))


def percent_ticks(axis: Axis) -> None:
    """Write rates as percentages with the digits they need: 2.5%, and 5% rather than 5.0%."""
    axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:g}%"))
