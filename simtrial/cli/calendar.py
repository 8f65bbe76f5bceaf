"""`simtrial design FILE`: the designs of a parameter file, those chosen by its calendar among them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from simtrial.cli import bryant_day, designs_json
from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.conduct.choice import CalendarChoice
    from simtrial.search.calendar import CalendarCriterion
    from simtrial.show.table import Table
    from simtrial.trial.case import Case

ONE = ("p0", "p1", "alpha")
"""The numbers of a question of one endpoint, beside the power."""

FILE = "simtrial.design.file"
"""Where the command keeps that it was given a file."""

EPILOG = (
    "With a parameter file instead of the options (simtrial design FILE [--json]) the hypotheses and the conduct of "
    "the trial are taken from the file, and the designs that are best by its calendar are listed as well."
)


class DesignCommand(TyperCommand):
    """The command `design`, which takes a parameter file in place of the numbers."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._require(both=False)

    def _require(self, *, both: bool) -> None:
        """Which numbers must be given: those of one endpoint, or of response and toxicity."""
        for one in self.params:
            if one.name in ONE:
                one.required = not both
            elif one.name in ("family", *bryant_day.RATES):
                one.required = both
            elif one.name == "power":
                one.required = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options, or the file."""
        self._require(both=bryant_day.asked_for(args))
        files = [word for word in args if re.fullmatch(r"[^-].*\.ya?ml", word, re.IGNORECASE)]
        if not files or "--help" in args:
            rest: list[str] = super().parse_args(ctx, args)
            return rest
        stray = next((word.partition("=")[0] for word in args if word.startswith("-") and word != "--json"), None)
        if stray is not None:
            raise InputError(f"is not used with a parameter file, which states it; change it in {files[0]}", stray)
        given = [word for word in args if word != "--json"]
        if given[1:]:
            more = next((word for word in given if word != files[0]), files[0])
            raise InputError(f"({more!r:.60}) is a second argument; give one parameter file", "FILE")
        ctx.meta[FILE] = (Path(files[0]), "--json" in args)
        return []

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options; of those that one family refuses, that the others require them."""
        shown = {one: getattr(one, "help", "") for one in self.params if one.name in ONE and one.required}
        for one, said in shown.items():
            one.required, one.help = False, f"{said}  [required, but for {bryant_day.KEY}]"  # type: ignore[attr-defined]
        super().format_options(ctx, formatter)
        for one, said in shown.items():
            one.required, one.help = True, said  # type: ignore[attr-defined]

    def invoke(self, ctx: Any) -> Any:
        """Answer the options, or the file."""
        if FILE in ctx.meta:
            return show(*ctx.meta[FILE])
        return super().invoke(ctx)


def show(file: Path, as_json: bool) -> None:
    """List the designs that meet the limits of a parameter file, and what each does as it is run.

    Raises
    ------
    InputError
        If the file cannot be read, or asks for what cannot be.
    """
    from simtrial.trial import params
    from simtrial.trial.case import Case

    trial, source = params.read(file)
    case = Case.of(trial).checked(str(source.path))
    with terminal.waiting("searching single stages and two stages"):
        _ = case.searches
    chosen = _choices(case)
    if as_json:
        terminal.print_json(_json(case, chosen))
        return
    _tables(case, run=bool(chosen))


def _choices(case: Case) -> dict[CalendarCriterion, CalendarChoice]:
    """What each criterion of the calendar takes; nothing where the file does not say how the trial is run.

    Nor where its bounds are recalculated, under which designs are not compared so.
    """
    from simtrial.trial import calendar

    if case.plan is None or calendar.left_out(case, whole=True):
        return {}
    found = {}
    for criterion in calendar.asked(case):
        with terminal.waiting(f"searching {criterion.name}"):
            found[criterion] = case.by_calendar(criterion)
    return found


def _tables(case: Case, *, run: bool) -> None:
    from simtrial.search import Criterion
    from simtrial.search import tables as search_tables
    from simtrial.search.criteria import compared
    from simtrial.search.text import proved_by
    from simtrial.search.wording import question
    from simtrial.trial import tables, text

    every = search_tables.candidates(case.single, case.two, case.taken, case.criterion)
    terminal.wrapped(question(case.requirements), style="bold")
    _show(every)
    if case.plan is not None:
        _show(tables.compared(case, timed=run, whole=True))
    terminal.wrapped("\n".join(text.limits_hold(case).paragraphs))
    if run:
        terminal.wrapped("\n".join(text.by_calendar(case, whole=True).paragraphs))
    by, proof = case.criterion, case.proof
    if isinstance(by, Criterion) and proof is not None and not compared(by):
        terminal.wrapped(proved_by(by, proof, given=case.searches.constraints.looks_at is not None))


def _show(table: Table) -> None:
    """Print a table."""
    view = table.view()
    rows = [[cell.replace(" ± ", "±") for cell in row] for row in view.to_numpy().tolist()]
    if table.chosen:
        for row, bold in zip(rows, table.chosen, strict=True):
            row[0] += " (chosen)" if bold else ""
    caption = table.caption.replace("; the chosen design in bold", "")
    terminal.table(caption, list(view.columns), rows, left=2 if table.chosen else 1)


def _json(case: Case, chosen: dict[CalendarCriterion, CalendarChoice]) -> dict[str, object]:
    from simtrial.cli.losses import Run
    from simtrial.search import formulas
    from simtrial.trial import calendar

    asked, limits, how = case.requirements, case.limits, case.trial.how
    run = None if how is None else Run(how=how, searched=case.trial.losses)
    found = designs_json.of_search(asked, case.single, case.two, formulas.approximate(asked), run) | {
        "searched": case.trial.losses,
        "limits": {"p0": limits.p0, "p1": limits.p1},
        "chosen": designs_json.looks(case.chosen),
        **({"rule": looks_text(case.chosen)} if case.chosen.looks[0].table else {}),
        "chosen_certificate": designs_json.certificate(case.proof),
    }
    if not chosen:
        return found
    found["calendar"] = {criterion.key: _choice_json(one) for criterion, one in chosen.items()}
    found["designs"] = [
        {"names": list(one.names), "looks": designs_json.looks(one.design)} | _values(case, one.design)
        for one in calendar.beside(case)
    ]
    return found


def _values(case: Case, design: Any) -> dict[str, object]:
    """Patients, months, chances of being in time and cost of a design, by rate."""
    from simtrial.trial import calendar

    found: dict[str, dict[str, object]] = {"p0": {}, "p1": {}}
    for (name, rate), value in calendar.as_run(case, design).values.items():
        known = value.value == value.value
        found[rate][name] = {"value": value.value if known else None, "mcse": value.mcse if known else None}
    return dict(found)


def _choice_json(one: CalendarChoice) -> dict[str, object]:
    proof = one.proof
    return {
        "looks": designs_json.looks(one.design),
        "value": one.value.value,
        "mcse": one.value.mcse,
        "simulated": one.simulated,
        "certificate": designs_json.certificate(proof),
    }
