"""The table of what other families of designs would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simtrial.design.designs import looks_short, looks_text
from simtrial.design.second_stages import analyses
from simtrial.search.candidate import attained
from simtrial.search.text import how
from simtrial.search.wording import limits
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.compare.alternatives import Alternative

VALUES = ("n", "en_p0", "en_p1", "en_max", "p_of_en_max", "type_i_error", "power", "pet_p0", "pet_p1")
"""What the CSV holds of each design; the table shows a part of it."""


def _exact(design: Design, asked: Requirements) -> dict[str, object]:
    one = attained(design, asked)
    return {key: getattr(one, key) for key in VALUES}


def families(found: Sequence[Alternative], chosen: Design, asked: Requirements, name: str = "chosen") -> Table:
    """What each family of designs gives for the same limits; the chosen design, of this name, stressed."""
    listed: list[tuple[str, Design, str]] = [
        (one.criterion.name, one.result.best, how(one.criterion, one.result.certificate))
        for one in found
        if one.result is not None
    ]
    if all(design.looks != chosen.looks for _, design, _ in listed):
        listed.append((name, chosen, ""))
    rows = [
        {"kind": called, "looks": looks_text(design, ", "), "stages": len(analyses(design.looks))}
        | _exact(design, asked)
        | {"certificate": proof}
        for called, design, proof in listed
    ]
    frame = pd.DataFrame(rows)
    view = frame.assign(short=[looks_short(design) for _, design, _ in listed])
    shown: dict[str, Shown] = {
        "kind": column("design", WORDS),
        "short": column("looks", WORDS),
        "stages": column("looks_number", WHOLE),
        "n": column("n", WHOLE),
        "en_p0": column("en_p0", "{:.2f}"),
        "en_p1": column("en_p1", "{:.2f}"),
        "en_max": column("en_max", "{:.2f}"),
        "type_i_error": column("type_i_error", RATE),
        "power": column("power", RATE),
        "certificate": column("certificate", WORDS),
    }
    left = [f"{one.criterion.name} ({one.why})" for one in found if one.result is None]
    without = f". Not compared: {'; '.join(left)}" if left else ""
    caption = f"The best designs of each family for {limits(asked)}. Exact values; the chosen design in bold{without}"
    bold = [design.looks == chosen.looks for _, design, _ in listed]
    return Table("families", caption, view, shown, chosen=bold)
