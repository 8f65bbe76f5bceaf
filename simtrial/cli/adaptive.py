"""What is said of an adaptive design beside what is said of any: its table, its type I error over all p <= p0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import counted, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.design.branching import Branching
    from simtrial.search.branching import BranchingFound


def rows(design: Branching, rates: tuple[float, float]) -> list[dict[str, object]]:
    """What follows each number of responses, with the conditional probabilities of rejecting H0 at p0 and at p1."""
    from simtrial.design.second_stages import SecondStage

    error, power = (design.conditional(p).tolist() for p in rates)
    return [
        {
            "x1": x,
            "n2": row.n2 if isinstance(row, SecondStage) else None,
            "r": row.r if isinstance(row, SecondStage) else None,
            "decision": None if isinstance(row, SecondStage) else row,
            "conditional_error": error[x],
            "conditional_power": power[x],
        }
        for x, row in enumerate(design.after)
    ]


def more_json(found: BranchingFound) -> dict[str, object]:
    """What the JSON of a design gains."""
    from simtrial.design.branching import branching_text

    design, law, largest = found.design, found.law, found.largest_type_i_error
    first = design.looks[0]
    return {
        "looks": [{"n": first.n, "r": first.r, "e": first.e}],
        "second_stage": rows(design, (found.asked.p0, found.asked.p1)),
        "rule": branching_text(design),
        "n_distribution": [
            {"n": n, "p0": float(law.n_distribution[0, k]), "p1": float(law.n_distribution[1, k])}
            for k, n in enumerate(law.n.tolist())
        ],
        "monotone": found.monotone,
        "largest_type_i_error": {"value": largest.value, "p": largest.p},
        "linear_bound": found.linear_bound,
    }


def show(found: BranchingFound, *, on_paper: bool) -> None:
    """Print the table of a design, the proof and, where the limits hold on paper, the paragraph for the protocol."""
    from simtrial.design.branching import branching_text
    from simtrial.search.adaptive import text

    table(found.design, (found.asked.p0, found.asked.p1))
    for said in (text.proved(found), text.null(found), text.beside_simon(found)):
        terminal.wrapped(said)
    terminal.wrapped(f"In one line: {branching_text(found.design)}.")
    if on_paper:
        terminal.wrapped(f"\nParagraph for the protocol:\n\n{text.protocol(found)}")


def table(design: Branching, rates: tuple[float, float]) -> None:
    """Print what follows each number of responses, numbers that lead to the same stop in one row."""
    every = rows(design, rates)
    cells: list[list[str]] = []
    first = 0
    for x, row in enumerate(every):
        following = every[x + 1] if x < design.n1 else None
        stops = row["decision"] is not None
        if stops and following is not None and following["decision"] == row["decision"]:
            continue
        seen = f"{first}" if first == x else f"{first} to {x}"
        first = x + 1
        decision = {"accept": "stop, do not reject H0", "reject": "stop, reject H0"}.get(
            str(row["decision"]), "continue"
        )
        n2, r = ("" if row[key] is None else str(row[key]) for key in ("n2", "r"))
        total = "" if row["n2"] is None else str(design.n1 + design.n2[x])
        error, power = (rate(float(str(row[key]))) for key in ("conditional_error", "conditional_power"))
        cells.append([seen, decision, n2, total, r, error, power])
    heads = ("responses X1", "decision", "n2", "n", "r", "conditional type I error", "conditional power")
    terminal.table(f"After {counted(design.n1, 'patient')}", heads, cells, left=2)
    terminal.wrapped(
        "n2: patients of the second stage. r: reject H0 if more than r of all patients respond. Conditional type I "
        "error and power: probability of rejecting H0, given the responses of the first stage, at p0 and at p1."
    )
