"""Line charts written straight as SVG, for a page that is drawn again whenever a control moves.

matplotlib draws the figures of reports. Three small ones take it some tenths of a second, most of it spent on the
letters of the axes; these take a hundredth of that (`benchmarks/explore.py`), which leaves the time to the designs.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from simtrial.phrases import together
from simtrial.search.boundary.figures import LINE, highest, in_words, lines_said, parts, posterior_lines
from simtrial.show import inks
from simtrial.toxicity.text import short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.design.designs import Design
    from simtrial.numbers import Floats
    from simtrial.search.bayesian.posterior import BetaPrior
    from simtrial.toxicity.boundary import ToxicityBoundary

WIDTH, HEIGHT = 320, 230
LEFT, RIGHT, TOP, BOTTOM = 40, 20, 40, 40
"""Room for what stands around the curves."""

DASHES = {"-": "none", "--": "7 3", "-.": "7 3 1.5 3", ":": "2 3"}
"""The dashes of the figures as SVG writes them."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line: values over the x of its chart, a colour, and a dash of `DASHES`."""

    y: Floats
    colour: str
    dash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Curves over one x, with lines across to mark what matters.

    Attributes
    ----------
    title, x_label, alt : str
        What it is, what is along x, and the same in words for who does not see it.
    x : ndarray, shape (points,)
        Increasing.
    curves : sequence of Stroke
        The first lies on top.
    top : float
        y goes from 0 to here.
    x_marks, y_marks : sequence of (float, str)
        Lines at values of x and of y, with names.
    x_form, y_form : callable
        How values are written along the axes.
    """

    title: str
    x_label: str
    alt: str
    x: Floats
    curves: Sequence[Stroke]
    top: float
    x_marks: Sequence[tuple[float, str]]
    y_marks: Sequence[tuple[float, str]]
    x_form: Callable[[float], str]
    y_form: Callable[[float], str]

    def svg(self) -> str:
        """The chart as SVG text, all text escaped."""
        low, high = float(self.x[0]), float(self.x[-1])
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

        def across(x: Floats | float) -> Floats:
            return np.asarray(LEFT + (np.asarray(x) - low) / (high - low) * (right - LEFT))

        def up(y: Floats | float) -> Floats:
            return np.asarray(bottom - np.asarray(y) / self.top * (bottom - TOP))

        drawn = [_text(WIDTH / 2, 14, self.title, "middle", "title")]
        for y in _ticks(0.0, self.top):
            at = float(up(y))
            drawn += [_line(LEFT, at, right, at, "grid"), _text(LEFT - 5, at + 3.5, self.y_form(y), "end")]
        for x in _ticks(low, high):
            at = float(across(x))
            drawn += [_line(at, bottom, at, bottom + 4, "axis"), _text(at, bottom + 16, self.x_form(x), "middle")]
        drawn += [_line(LEFT, TOP, LEFT, bottom, "axis"), _line(LEFT, bottom, right, bottom, "axis")]
        drawn.append(_text((LEFT + right) / 2, HEIGHT - 6, self.x_label, "middle"))
        for y, name in self.y_marks:
            at = float(up(y))
            drawn += [_line(LEFT, at, right, at, "mark"), _text(right, at - 3, name, "end", "mark")]
        # names on the outer sides, so that they stay apart where the rates are close
        for (x, name), side, shift in zip(self.x_marks, ("end", "start"), (2, -2), strict=False):
            at = float(across(x))
            drawn += [
                _line(at, TOP, at, bottom, f"mark dotted {html.escape(name)}"),
                _text(at + shift, TOP - 5, name, side),
            ]
        for curve in reversed(self.curves):
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across(self.x), up(curve.y), strict=True))
            drawn.append(
                f'<polyline points="{points}" fill="none" stroke="{curve.colour}" stroke-width="2" '
                f'stroke-dasharray="{DASHES[curve.dash]}"/>'
            )
        said = html.escape(self.alt)
        inner = "\n".join(drawn)
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="sketch"><title>{said}</title>\n{inner}\n</svg>'


def boundary(design: Design, prior: BetaPrior | None = None, p0: float | None = None) -> str:
    """The boundary of a design: at each look, the numbers of responses at which the trial stops or continues.

    With a prior, lines along which the posterior probability of a rate above p0 is the same.
    """
    looks, top = design.looks, highest(design.looks)
    right, bottom, last = 2 * WIDTH - RIGHT, HEIGHT - BOTTOM, looks[-1].n
    wide = max(2.0, min(14.0, 0.8 * (right - LEFT) / last))

    def across(n: float) -> float:
        return LEFT + (right - LEFT - wide) * n / last

    def up(x: float) -> float:
        return bottom - (bottom - TOP / 2) * (x + 0.5) / (top + 1)

    drawn: list[str] = []
    meanings: dict[str, str] = {}
    for x in _ticks(0.0, float(top)):
        drawn += [_line(LEFT, up(x), right, up(x), "grid"), _text(LEFT - 5, up(x) + 3.5, f"{x:g}", "end")]
    for k, look in enumerate(looks):
        for low, high, colour, said in parts(look, min(look.n, top), final=k == len(looks) - 1):
            meanings[said] = colour
            drawn.append(
                f'<rect x="{across(look.n) - wide / 2:.1f}" y="{up(high + 0.5):.1f}" width="{wide:.1f}" '
                f'height="{up(low - 0.5) - up(high + 0.5):.1f}" fill="{colour}" stroke="white" stroke-width="0.4"/>'
            )
    lines = [] if prior is None or p0 is None else posterior_lines(looks, prior, p0)
    for one in lines:
        points = " ".join(f"{across(n):.1f},{up(x):.1f}" for n, x in zip(one.n.tolist(), one.x.tolist(), strict=True))
        drawn += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
            for colour, width in (("white", 3), (LINE, 1))
        ]
        drawn.append(
            f'<text x="{across(one.at[0]):.1f}" y="{up(one.at[1]) + 3.5:.1f}" text-anchor="middle" stroke="white" '
            f'stroke-width="4" paint-order="stroke">{one.level:g}</text>'
        )
    for n in _ticks(0.0, float(last)):
        drawn.append(_text(across(n), bottom + 16, f"{n:g}", "middle"))
    drawn += [_line(LEFT, TOP / 2, LEFT, bottom, "axis"), _line(LEFT, bottom, right, bottom, "axis")]
    drawn.append(_text((LEFT + right) / 2, HEIGHT - 6, "Patients analysed; upwards: responses", "middle"))
    items = "".join(
        f'<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" fill="{colour}"/></svg> '
        f"{html.escape(said)}</li>"
        for said, colour in meanings.items()
    )
    if lines and p0 is not None:
        items += (
            f'<li><svg width="18" height="12" aria-hidden="true"><line x1="0" y1="6" x2="18" y2="6" stroke="{LINE}"/>'
            f"</svg> {html.escape(lines_said(p0))}</li>"
        )
    title = f"<title>{html.escape(in_words(design))}</title>"
    inner = "\n".join(drawn)
    picture = f'<svg viewBox="0 0 {2 * WIDTH} {HEIGHT}" role="img" class="sketch wide">{title}\n{inner}\n</svg>'
    return f'<figure>{picture}</figure><ul class="legend">{items}</ul>'


def counts(of: ToxicityBoundary) -> str:
    """A boundary for toxicity: over the patients counted, the numbers of toxicities that stop accrual."""
    looks = [(look.n, look.b) for look in of.looks if look.b is not None]
    top = max((b for _, b in looks), default=1)
    top += max(2, round(0.25 * top))
    every = [look.n for look in of.looks] == list(range(of.looks[0].n, of.n + 1))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    end = of.n + 1 if every else 1.08 * of.n + 1
    wide = (right - LEFT) / end if every else max(6.0, (right - LEFT) / 40)

    def across(n: float) -> float:
        return LEFT + (right - LEFT) * n / end

    def up(x: float) -> float:
        return bottom - (bottom - TOP) * (x + 0.5) / (top + 1)

    drawn = [_text(WIDTH / 2, 14, "Shaded: accrual stops", "middle", "title")]
    colour = inks.shade(inks.TOXICITY, 1.0)
    for y in _ticks(0.0, float(top), whole=True):
        drawn += [_line(LEFT, up(y), right, up(y), "grid"), _text(LEFT - 5, up(y) + 3.5, f"{y:g}", "end")]
    for n, b in looks:  # neighbours overlap a little, so that no seam shows; no more toxicities than patients
        left, low, high = across(n) - wide / 2, up(b - 0.5), up(min(n, top) + 0.5)
        drawn.append(
            f'<rect x="{left - 0.2:.2f}" y="{high:.2f}" width="{wide + 0.4:.2f}" height="{low - high:.2f}" '
            f'fill="{colour}"/>'
        )
        drawn.append(_line(left - 0.2, low, left + wide + 0.2, low, "step"))
    drawn += [
        _text(x, up(b - 0.5) + 11, f"\N{GREATER-THAN OR EQUAL TO}{b}", "middle") for b, x in _steps(looks, across)
    ]
    drawn += [_text(across(n), bottom + 16, f"{n:g}", "middle") for n in _ticks(0.0, float(of.n), whole=True)]
    drawn += [_line(LEFT, TOP, LEFT, bottom, "axis"), _line(LEFT, bottom, right, bottom, "axis")]
    drawn.append(_text((LEFT + right) / 2, HEIGHT - 6, "Patients counted; upwards: toxicities", "middle"))
    title = f"<title>Accrual stops at {html.escape(short(of))}</title>"
    inner = "\n".join(drawn)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="sketch">{title}\n{inner}\n</svg>'


APART = 22.0
"""How far the numbers of two steps stand apart at least."""


def _steps(looks: Sequence[tuple[int, int]], across: Callable[[float], float]) -> list[tuple[int, float]]:
    """The number of each step of a boundary and where it stands, as far as there is room."""
    found: list[tuple[int, float]] = []
    for b, at in together(looks):
        x = across((at[0] + at[-1]) / 2)
        if not found or x - found[-1][1] >= APART:
            found.append((b, x))
    return found


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round values within a range."""
    return [float(v) for v in MaxNLocator(5, integer=whole).tick_values(low, high) if low - 1e-9 <= v <= high + 1e-9]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, said: str, anchor: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(said)}</text>'


def legend(entries: Sequence[tuple[str, str, str]]) -> str:
    """What the lines mean: label, colour and dash of each."""
    items = (
        f'<li><svg width="36" height="10" aria-hidden="true"><line x1="1" y1="5" x2="35" y2="5" stroke="{colour}" '
        f'stroke-width="2.5" stroke-dasharray="{DASHES[dash]}"/></svg> {html.escape(label)}</li>'
        for label, colour, dash in entries
    )
    return f'<ul class="legend">{"".join(items)}</ul>'
