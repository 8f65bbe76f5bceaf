"""Validation case for designs for response and toxicity; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simtrial.search import bryant_day
from simtrial.search.bryant_day import CORNERS, BothBounds, BothRates, law
from simtrial.validation.cases import Comparison, case_of, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

RATES = ("r0", "r1", "t0", "t1", "alpha_r", "alpha_t", "power")
BOUNDS = ("n1", "c_r1", "c_t1", "n", "c_r", "c_t")

DIGITS = 1e-9
"""Relative difference allowed: the table has ten significant digits."""


def two_endpoints() -> Comparison:
    """Bryant and Day: the designs under independence, and what each does at five associations."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("families/bryant_day").to_dict("records"):
            asked = BothRates(**{name: row[name] for name in RATES})
            kind = "minimax" if "least n" in row["criterion"] else "optimal"
            design = BothBounds(**{name: int(row[name]) for name in BOUNDS})
            if row["phi"] == 1:
                found = bryant_day.search(asked, phi="independence").of(kind)[0].design
                yield f"{kind}: {_setting(asked)}", str(design), str(found), found == design
            yield _law(kind, asked, design, row)

    return case_of(
        "Two-stage designs for two endpoints", "the criterion of Bryant and Day 1995; independent enumeration", rows()
    )


def _setting(asked: BothRates) -> str:
    rates = f"r {asked.r0:g}/{asked.r1:g}, t {asked.t0:g}/{asked.t1:g}"
    return f"{rates}, alphas {asked.alpha_r:g} and {asked.alpha_t:g}, power {asked.power:g}"


def _law(kind: str, asked: BothRates, design: BothBounds, row: dict[str, Any]) -> tuple[str, str, str, bool]:
    """The probabilities of a recommendation and the expected patients at the four pairs of rates."""
    phi = float(row["phi"])
    r, t = zip(*(asked.at(corner) for corner in CORNERS), strict=True)
    at = law(design, r, t, phi)
    found = [*at.recommend.tolist(), *at.en.tolist()]
    printed = [row[f"{what}_{corner}"] for what in ("recommend", "en") for corner in CORNERS]
    agrees = all(abs(a - b) <= DIGITS * abs(b) + 1e-12 for a, b in zip(found, printed, strict=True))
    shown = [", ".join(f"{value:.6g}" for value in values) for values in (printed, found)]
    return f"{kind}, odds ratio {phi:g}: {_setting(asked)}", shown[0], shown[1], agrees
