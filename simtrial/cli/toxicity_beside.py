"""What a boundary for toxicity does beside a response design: how the trial ends, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted
from simtrial.phrases import rate as shown
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.joint import JointEndings, Taken

NOISE = 1e-12
"""Differences up to it are rounding errors of sums of probabilities."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A response design beside the boundary: what becomes of both at every pair of rates."""

    design: Design
    odds_ratio: float
    pairs: list[tuple[float, float, JointEndings, Taken]]


def beside_design(
    counts: ToxicityBoundary, looks: str, at: list[float], response_rates: list[float], odds_ratio: float
) -> Beside:
    """The endings of both rules at all pairs of rates.

    Raises
    ------
    InputError
        If the response design ends before the first look at toxicity.
    """
    from simtrial.design.designs import parse_looks
    from simtrial.toxicity.joint import endings, taken

    design = parse_looks(looks)
    if counts.within(design.looks[-1].n) is None:
        first = counts.looks[0].n
        raise InputError(
            f"ends at {counted(design.looks[-1].n, 'patient')}, before the first look ({first})", "--looks"
        )
    pairs = []
    for rate in at:
        for p in response_rates:
            ended = endings(design, counts, p=p, toxicity=rate, odds_ratio=odds_ratio)
            price = taken(design, counts, p=p, toxicity=rate, odds_ratio=odds_ratio)
            pairs.append((rate, p, ended, price))
    return Beside(design=design, odds_ratio=odds_ratio, pairs=pairs)


def show(beside: Beside, counts: ToxicityBoundary) -> None:
    """The endings of both rules, and what the rule for toxicity takes."""
    from simtrial.design.designs import looks_short

    last = beside.design.looks[-1].n
    ends = ["toxicity", "futility", "efficacy", "success", "failure"]
    heads = ["toxicity", "response", "stopped for toxicity", "for futility", "for efficacy", "H0 rejected at the end",
             "not rejected", "expected patients"]  # fmt: skip
    possible = [True, len(beside.design.looks) > 1, any(look.e for look in beside.design.looks), True, True]
    rows = [
        [f"{rate:g}", f"{p:g}"]
        + [shown(ended.shares[name]) for name, some in zip(ends, possible, strict=True) if some]
        + [f"{ended.en:.2f}"]
        for rate, p, ended, _ in beside.pairs
    ]
    kept = [head for head, some in zip(heads, (True, True, *possible, True), strict=True) if some]
    related = "independent" if beside.odds_ratio == 1 else f"odds ratio of response and toxicity {beside.odds_ratio:g}"
    terminal.tell()
    terminal.table(f"How {looks_short(beside.design)} ends with this boundary; {related}", kept, rows, left=2)
    if counts.n > last:
        further = sum(look.n > last for look in counts.looks)
        terminal.wrapped(
            f"{counted(further, 'look')} at more than {counted(last, 'patient')} "
            f"{agreeing(further, 'is', 'are')} never reached by the response design."
        )
    proved = all(price.least is not None for *_, price in beside.pairs)
    heads = ["toxicity", "response", "without the boundary", "with it", "difference"]
    heads += ["least of all associations", "most of all associations"] if proved else []
    lines = []
    for rate, p, _, price in beside.pairs:
        values = [price.alone, price.here]
        row = [f"{rate:g}", f"{p:g}", *map(shown, values), difference(price.here - price.alone)]
        lines.append(row + [shown(one) for one in (price.least, price.most) if one is not None])
    terminal.tell()
    terminal.table("P(reject H0): what the boundary takes from type I error and power", heads, lines, left=2)
    said = "If both rules apply after the same patient, the trial stops for toxicity; it makes no claim then. "
    if proved:
        said += (
            "P(reject H0) falls as responders have more toxicity: it is least where the two events go together as far "
            "as their rates allow, and largest where they exclude each other as far as possible."
        )
    else:
        said += (
            "With a stop for efficacy P(reject H0) need not fall as responders have more toxicity; its extremes over "
            "all associations are not given."
        )
    terminal.wrapped(said)


def difference(value: float) -> str:
    """A difference of two probabilities in a table, with as many digits as they have."""
    size = shown(min(abs(value), 1.0)) if abs(value) > NOISE else "0"
    return f"-{size}" if value < -NOISE else size
