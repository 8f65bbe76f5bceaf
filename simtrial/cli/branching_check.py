"""The check of a published adaptive two-stage design: its options, and how its findings are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli.bayesian_check import PRINTED
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.review.branching import TableCheck, TableStatement

RULE = "adaptive"
"""The name of the rule."""

CRITERION = "en_p0"
"""The criterion that a table can be stated to be best by."""

CheckedTable = Annotated[
    str | None, typer.Option(help="--rule adaptive: the table, by the responses of the first stage: 0:A|1:10/2|2:R.")
]

LIMITS = ("p0", "p1", "alpha", "power", "criterion")
"""Options that state the question."""


def refuse_without_rule(table: str | None, rule: str | None) -> None:
    """Refuse a table where another rule is checked, or none.

    Raises
    ------
    InputError
        If there is one.
    """
    if table is not None and rule != RULE:
        raise InputError("belongs to the check of an adaptive design; give --rule adaptive too", "--table")


def run(table: str | None, given: Mapping[str, object], stated: Mapping[str, object], *, as_json: bool) -> None:
    """Check a published table and print the findings.

    Raises
    ------
    InputError
        If options are missing or do not belong to a table; named as they are typed.
    """
    from simtrial.review import branching, branching_text

    for name, value in (*given.items(), *stated.items()):
        if value is not None and name not in (*LIMITS, *PRINTED, "trials"):
            raise InputError("does not belong to adaptive; leave it out", told_as(name))
    for name, value in (("table", table), ("p0", stated["p0"])):
        if value is None:
            raise InputError("is missing; --rule adaptive needs it", told_as(name))
    if stated["criterion"] not in (None, CRITERION):
        raise InputError(f"({stated['criterion']!r:.40}) is unknown; write {CRITERION}", "--criterion")
    try:
        found = branching.TableCheck(_statement(str(table), given, stated))
        with terminal.waiting("checking"):
            _ = branching_text.lines(found)
    except InputError as error:
        own = error.field if error.field.startswith("after X1") else told_as(error.field)
        raise InputError(error.message, "--table" if error.field == "rule" else own) from None
    if as_json:
        terminal.print_json(branching_text.as_json(found))
    else:
        _show(found)


def _statement(table: str, given: Mapping[str, object], stated: Mapping[str, object]) -> TableStatement:
    from simtrial.design.branching import parse_branching
    from simtrial.review.branching import TableStatement

    rates = {name: None if stated[name] is None else float(str(stated[name])) for name in ("p1", "alpha", "power")}
    trials = given["trials"]
    return TableStatement(
        design=parse_branching(table),
        p0=float(str(stated["p0"])),
        **rates,
        printed={name: str(stated[name]) for name in PRINTED if stated[name] is not None},
        trials=None if trials is None else int(str(trials)),
        best=stated["criterion"] is not None,
    )


def _show(found: TableCheck) -> None:
    from simtrial.review import bayesian, bayesian_text, branching_text

    given, exact = found.statement, found.exact
    terminal.wrapped(found.kind, style="bold")
    if found.convention:
        terminal.tell(f"  convention: {found.convention}")
    for line in branching_text.lines(found):
        terminal.wrapped(line)
    terminal.tell()
    rates = [(given.p0, "type_i_error", "p0")] + ([] if given.p1 is None else [(given.p1, "power", "p1")])
    rows = [
        [f"{p:g}", f"{exact[key]:.6f}", f"{exact[f'pet_{name}']:.6f}", f"{exact[f'en_{name}']:.4f}"]
        for p, key, name in rates
    ]
    terminal.table("Exact values of the table", ("p", "P(reject H0)", "PET", "EN"), rows)
    if found.printed:
        compared = [
            [
                bayesian.PRINTED[one.name], one.printed, branching_text.as_exact(one),
                bayesian_text.CLOSE[one.closeness],
            ]
            for one in found.printed
        ]  # fmt: skip
        terminal.table("Printed values", ("value", "printed", "exact", "verdict"), compared)
