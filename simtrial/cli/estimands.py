"""The command that prices the strategies for intercurrent events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import options
from simtrial.design.designs import looks_text
from simtrial.laws.losses import AMONG
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.trial.case import Case
    from simtrial.trial.estimand import Estimand
    from simtrial.trial.strategies import Priced


def estimands(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parameter file, such as params/NCT07022301.yaml.")],
    as_json: options.Json = False,
) -> None:
    """Price the estimand: exact type I error, power and patients under each strategy for intercurrent events."""
    from simtrial.trial import estimand as trial_estimand
    from simtrial.trial import estimand_json, params
    from simtrial.trial.case import Case

    trial, source = params.read(file)
    case = Case.of(trial).checked(str(source.path))
    found = trial_estimand.of(case)
    if as_json:
        terminal.print_json(estimand_json.of(case, found))
    else:
        _show(case, found)


def _show(case: Case, found: Estimand) -> None:
    """Print the attributes, then one table for each event that may happen."""
    from simtrial.trial import estimand_words

    terminal.wrapped("The primary estimand", style="bold")
    for name in ("population", "treatment", "endpoint", "summary"):
        terminal.wrapped(f"  {name.capitalize()}: {getattr(found, name)}")
    terminal.tell()
    heads = ["strategy", "taken", *_error_heads(found), "power", "EN(p0)", "EN(p1)", "enrolled", "keeps", "design"]
    for block in estimand_words.blocks(found):
        rows = [_row(one, found) for one in block.priced]
        terminal.table(block.label, heads, rows, left=2)
    terminal.wrapped(_legend(found))
    for sentence in estimand_words.price(case, found):
        terminal.wrapped(sentence)
    if found.to_complete:
        terminal.wrapped("\nTo complete in the parameter file (section estimand):", style="bold")
        for mark in found.to_complete:
            terminal.wrapped(f"  {mark}")


def _legend(found: Estimand) -> str:
    """What the heads of the tables mean."""
    errors = "error: type I error, p0 being the rate among all enrolled patients or with every patient evaluable. "
    errors = errors if found.readings_differ else ""
    return (
        f"{errors}EN: mean number of enrolled patients. enrolled: patients enrolled if "
        "the trial reaches its last look; with one decimal a mean at p1. design: keeps both limits under the strategy "
        f"({found.cure})."
    )


def _error_heads(found: Estimand) -> list[str]:
    return [f"error, {among}" for among in AMONG] if found.readings_differ else ["type I error"]


def _row(one: Priced, found: Estimand) -> list[str]:
    from simtrial.trial import estimand_words

    name = estimand_words.strategy(one.strategy, one.bounds)
    taken = "yes" if one.taken else ""
    if one.figures is None:
        return [name, taken, *("–" for _ in _error_heads(found)), *("–",) * 6]
    errors = [one.by_reading[among] for among in AMONG] if found.readings_differ else [one.figures.type_i_error]
    return [
        name,
        taken,
        *(rate(value) for value in errors),
        rate(one.figures.power),
        f"{one.figures.en_p0:.1f}",
        f"{one.figures.en_p1:.1f}",
        estimand_words.enrolled(one),
        "yes" if one.keeps else "no",
        "–" if one.cure is None else looks_text(one.cure, ", "),
    ]
