"""The table of what a Bayesian rule gives under other priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.design.designs import looks_short, looks_text
from simtrial.phrases import rate
from simtrial.show.table import WORDS, Shown, Table, column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.search.posterior.sensitivity import UnderPrior

FIGURES = {"type_i_error": rate, "power": rate, "en_p0": "{:.2f}".format, "en_p1": "{:.2f}".format}
"""The exact values that are shown, and how each is written."""


def sensitivity(found: Sequence[UnderPrior], limits: str, rule: str) -> Table:
    """The bounds and their exact values under each prior, that which was asked for in bold.

    Parameters
    ----------
    found : sequence of UnderPrior
        From `simtrial.search.posterior.sensitivity`.
    limits : str
        The question, for the caption.
    rule : str
        The parameters of the rule that stay as they are, for the caption.
    """
    frame = pd.DataFrame(
        {
            "prior": one.name,
            "a": one.prior.a,
            "b": one.prior.b,
            "looks": "" if one.design is None else looks_text(one.design, ", "),
            "n": np.nan if one.design is None else one.design.looks[-1].n,
            **{name: getattr(one, name) for name in FIGURES},
            "why_not": one.why,
        }
        for one in found
    )
    view = pd.DataFrame(rows(found), columns=["prior", "looks", *FIGURES])
    shown: dict[str, Shown] = {
        "prior": column("prior_believed", WORDS),
        "looks": column("looks", WORDS),
        **{name: column(name, WORDS) for name in FIGURES},
    }
    none = [f"{one.name} ({one.why})" for one in found if one.design is None]
    without = f". No test: {'; '.join(none)}" if none else ""
    caption = (
        f"The same rule under other priors, for {limits}: {rule}. A prior of size m weighs as much as m "
        "patients. Exact values; the search was made with the prior in "
        f"bold{without}"
    )
    bold = [one.asked for one in found]
    return Table("sensitivity", caption, view, shown, chosen=bold, right=tuple(FIGURES), tidy=frame)


def rows(found: Sequence[UnderPrior]) -> list[tuple[str, ...]]:
    """The cells of the table as text."""
    return [
        (
            f"{one.name}: Beta({one.prior.a:.6g}, {one.prior.b:.6g})",
            "–" if one.design is None else looks_short(one.design),
            *("–" if (value := getattr(one, name)) is None else written(value) for name, written in FIGURES.items()),
        )
        for one in found
    ]
