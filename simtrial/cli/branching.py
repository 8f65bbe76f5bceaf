"""What `analyze` answers for an adaptive two-stage design given as a table: 0:A|1:10/2|2:R."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import options
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.analysis.branching import BranchingFinal
    from simtrial.design.branching import Branching

TableOption = Annotated[
    str | None,
    typer.Option("--rule", help="An adaptive two-stage design, by the responses of the first stage: 0:A|1:10/2|2:R."),
]

ANALYSED = ("p0", "responses", "first_stage", "attained", "p1")
"""Options of a result that go with a table."""


def analyze(table: str, given: Mapping[str, object], level: float, sides: int, ordering: str, *, as_json: bool) -> None:
    """Analyze a finished trial and print the answer.

    Raises
    ------
    InputError
        If options are missing or do not go with a table, or the trial cannot have ended so; named as they are typed.
    """
    from simtrial.analysis import branching
    from simtrial.design.branching import parse_branching

    for name, value in given.items():
        if value is not None and name not in ANALYSED:
            raise InputError("does not go with --rule; leave it out", told_as(name))
    if ordering != "stage":
        raise InputError(
            "does not go with --rule; the outcomes of an adaptive design are ordered by conditional error", "--ordering"
        )
    for name in ("p0", "responses"):
        if given[name] is None:
            raise InputError(f"is missing; give {told_as(name)}", told_as(name))
    p0, p1 = float(str(given["p0"])), given["p1"]
    if p1 is not None and not p0 < float(str(p1)):
        raise InputError(f"({p1:g}) is not above p0 ({p0:g})", "--p1")
    try:
        design = parse_branching(table)
        first = given["first_stage"]
        found = branching.final(
            design,
            p0,
            int(str(given["responses"])),
            first_stage=None if first is None else int(str(first)),
            n2=_second_stage(design, given["attained"]),
            level=level,
            sides=sides,
        )
    except InputError as error:
        name = error.field if error.field.startswith("after X1") else told_as(error.field)
        raise InputError(error.message, name) from None
    tell(found, None if p1 is None else float(str(p1)), as_json=as_json)


def tell(found: BranchingFinal, p1: float | None = None, *, as_json: bool) -> None:
    """Print an analysis, with the bias of the MLE at p0, at p1 if it is given, and at the MLE."""
    from simtrial.analysis import branching_text

    rates = tuple({found.p0, *([] if p1 is None else [p1]), found.estimates["mle"] or 0.0})
    if as_json:
        terminal.print_json(branching_text.as_json(found, tuple(sorted(rates))))
    else:
        _show(found, tuple(sorted(rates)))


def _second_stage(design: Branching, attained: object) -> int | None:
    """The patients analysed in the second stage, from the cumulative numbers; None if they are not given."""
    if attained is None:
        return None
    sizes = [int(size) for size in options.Reader("patients", "list").numbers(str(attained))]
    if sizes[0] != design.n1:
        raise InputError(
            f"({sizes[0]}) is not {design.n1}, the patients of the first stage: the conditional type I error of the "
            "table is that of this number",
            "attained",
        )
    if len(sizes) > 2 or sizes[-1] < sizes[0]:
        raise InputError(f"({attained}) is not one number, or two that increase", "attained")
    return sizes[-1] - sizes[0]


def _show(found: BranchingFinal, rates: tuple[float, ...]) -> None:
    from simtrial.analysis import branching_text

    for said in (
        branching_text.course(found),
        branching_text.decision(found),
        branching_text.by_conditional_error(found),
        branching_text.not_counted(found),
    ):
        if said:
            terminal.wrapped(said)
    names = branching_text.estimate_names(found)
    rows = [[names[k], rate(v)] for k, v in found.estimates.items() if v is not None]
    terminal.table("Estimates of the response rate", ("method", "estimate"), rows)
    word = {True: "yes", False: "no"}
    rows = [
        [branching_text.INTERVALS[k], rate(low), "none" if found.sides == 1 else rate(high), word[found.agrees[k]]]
        for k, (low, high) in found.intervals.items()
    ]
    sides = "" if found.sides == 2 else ", one-sided"
    terminal.table(
        f"{100 * found.level:g}% confidence intervals{sides}",
        ("method", "lower limit", "upper limit", "consistent with the test"), rows,
    )  # fmt: skip
    terminal.wrapped(
        f"An interval is consistent with the test if p0 = {found.p0:g} lies below it exactly when H0 is rejected."
    )
    for said in branching_text.remarks(found, rates):
        terminal.wrapped(said)
