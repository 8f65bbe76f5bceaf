"""The register of colours: one colour, dash and marker per design, and one per hypothesis, in every figure.

Designs are registered by the keys of their criteria (`simtrial.search.criteria`), so that a design looks the same
wherever it is drawn. That it is the chosen one is no colour: it has a ring around its marker and a heavier line. All
colours stay apart under the common colour blindnesses, and never carry a difference alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, SKY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

DARKER = 0.72
"""What letters keep of the brightness of a line: thin strokes on white need more contrast."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How one thing is drawn.

    Attributes
    ----------
    colour : str
        As ``#rrggbb``.
    dash, marker : str
        As matplotlib writes them.
    """

    colour: str
    dash: str
    marker: str

    @property
    def text(self) -> str:
        """The colour of letters that name it."""
        parts = (int(self.colour[k : k + 2], 16) for k in (1, 3, 5))
        return f"#{''.join(f'{round(DARKER * part):02x}' for part in parts)}"


CHOSEN = "chosen"
ADMISSIBLE = "admissible"

DESIGNS = {
    "minimax": Ink(BLUE, "-", "D"),
    "optimal": Ink(RED, "--", "s"),
    "single_stage_first": Ink(BLACK, ":", "^"),
    "single_stage_sustained": Ink("#8c510a", "-.", "v"),
    ADMISSIBLE: Ink(SKY, "-.", "o"),
    "fastest_p0": Ink(GREEN, "-.", ">"),
    "fastest_p1": Ink("#44aa99", "--", "<"),
    "least_enrolled_p0": Ink(ORANGE, "--", "P"),
    "by_date": Ink("#332288", ":", "X"),
    "efficacy": Ink("#cc79a7", "-.", "d"),
    "three_stage": Ink("#999933", "--", "p"),
    "ensign": Ink("#661100", ":", "h"),
    "fleming": Ink("#6699cc", "--", "8"),
    "chang": Ink("#882255", "-.", "H"),
    "curtailed": Ink("#555555", "--", "+"),
    "best_bounds": Ink("#00788a", "-", "x"),
    "lee_liu": Ink("#6a51a3", "--", "3"),
    "bop2": Ink("#b8326b", "-.", "1"),
    "thall_simon": Ink("#3d7317", ":", "2"),
    "adaptive": Ink("#a0522d", "-", "4"),
    CHOSEN: Ink("#aa4499", "-", "*"),
}
"""Designs by the key of their criterion, or of their family where it is searched on request; ``chosen`` is one that was
given and has no other name."""

SPARE = (
    Ink("#7a5c00", "-.", "p"),
    Ink("#4b0082", "--", "h"),
    Ink("#8fa300", ":", "8"),
    Ink("#b04a2f", "--", "d"),
    Ink("#2f4f4f", "-.", "H"),
    Ink("#9370db", "--", "p"),
)
"""For criteria that are added later, in the order of their register."""

RATES = {"p0": Ink("#666666", ":", "o"), "p1": Ink("#117733", "--", "s")}
"""The two hypotheses."""

ENDS = {"futile": "#b8690f", "not_rejected": "#e0a43c", "rejected": "#0072b2", "effective": "#00507d"}
"""How a trial ends (`simtrial.search.steps.Kind`): without rejection of H0 in browns, with rejection in blues."""


TOXICITY = "#8c2a6b"
"""A stop for toxicity, and the boundary that leads to it: apart from both."""


def shade(colour: str, light: float) -> str:
    """A colour mixed with white, the more the larger `light` in [0, 1] is, so that layers of one kind stay apart."""
    share = 0.25 + 0.4 * light
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"#{''.join(f'{round(part + share * (255 - part)):02x}' for part in parts)}"


def ink(keys: Iterable[str], register: Sequence[str] = ()) -> Ink:
    """How a design is drawn that is known by some keys: as the first of `DESIGNS` among them.

    Parameters
    ----------
    keys : iterable of str
        Keys of criteria, ``admissible`` or ``chosen``.
    register : sequence of str
        All keys of criteria. One that has no colour of its own takes one of `SPARE` by its place here.
    """
    known = set(keys)
    own = next((shown for key, shown in DESIGNS.items() if key in known and key not in (CHOSEN, ADMISSIBLE)), None)
    later = [key for key in register if key not in DESIGNS]
    place = next((k for k, key in enumerate(later) if key in known), None)
    if own is not None:
        return own
    if place is not None:
        return SPARE[place % len(SPARE)]
    return DESIGNS[ADMISSIBLE if ADMISSIBLE in known else CHOSEN]


def mark_rates(axis: Axes, p0: float, p1: float) -> None:
    """Mark p0 and p1 along the bottom of a figure, their names above it."""
    mark_pair(axis, (p0, p1), RATES)


def mark_pair(axis: Axes, rates: tuple[float, float], named: Mapping[str, Ink]) -> None:
    """Mark two rates along the bottom of a figure, the lower first, their names above it."""
    # names on the outer sides, so that they stay apart where the rates are close
    for rate, (name, shown), side, shift in zip(rates, named.items(), ("right", "left"), (2, -2), strict=True):
        axis.axvline(rate, color="white", linewidth=2.6, alpha=0.7)
        axis.axvline(rate, color=shown.colour, linewidth=1.2, linestyle=shown.dash)
        axis.annotate(
            name, (rate, 1.0), xycoords=("data", "axes fraction"), xytext=(shift, 2), textcoords="offset points",
            ha=side, color=shown.text, fontsize=9,
        )  # fmt: skip


def ring(axis: Axes, x: float, y: float) -> None:
    """Draw the ring around the marker of the chosen design."""
    axis.plot(x, y, "o", markersize=15, markerfacecolor="none", markeredgecolor=BLACK, markeredgewidth=1.6)
