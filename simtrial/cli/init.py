"""`simtrial init`: a parameter file to begin with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from simtrial import disk, project
from simtrial.cli import command, new_file, options, questions
from simtrial.cli import review as cli_review
from simtrial.cli import template as cli_template
from simtrial.errors import InputError, several
from simtrial.phrases import listed
from simtrial.show import terminal
from simtrial.slips import nearest

CHOSEN = ("title", "alpha", "power", "bounds", "accrual")
"""Answers that the template gives where nobody does, in words that a person recognises."""


def _new(text: str) -> Path:
    """Read the name of the parameter file to be made."""
    path = new_file.read(text)
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise typer.BadParameter(f"({path}) does not end in .yaml; write {path.with_suffix('.yaml')}")
    return path


def init(
    file: Annotated[
        Path | None,
        typer.Argument(parser=_new, metavar="FILE", help="The file to be written, such as my-trial.yaml."),
    ] = None,
    p0: Annotated[
        str | None, options.number_option("rate", "Response rate not worth pursuing; it goes with --p1.", "text")
    ] = None,
    p1: Annotated[str | None, options.number_option("rate", "Response rate worth finding.", "text")] = None,
    alpha: Annotated[
        str | None, options.number_option("error", "Largest type I error, one-sided.  [default: 0.05]", "text")
    ] = None,
    power: Annotated[
        str | None, options.number_option("error", "Smallest power at p1.  [default: 0.80]", "text")
    ] = None,
    rate: Annotated[
        str | None,
        options.number_option(
            "enrollment_rate", "Patients screened per month; it goes with --dropout and --handling.", "text"
        ),
    ] = None,
    dropout: Annotated[
        str | None, options.number_option("dropout", "Share of patients who drop out before their first assessment.",
                                          "text")
    ] = None,
    handling: Annotated[
        str | None,
        typer.Option(help="How patients who drop out count: nonresponder, replace or exclude. It has no default."),
    ] = None,
    bounds: Annotated[
        str | None, typer.Option(help="With exclude: 'fixed' bounds, or 'recut': recalculated.  [default: fixed]")
    ] = None,
    accrual: Annotated[
        str | None,
        typer.Option(help="Accrual while an interim analysis is pending: hold or continue.  [default: hold]"),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help="Short name of the study.  [default: from the name of the file]")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the study.")] = None,
    low_power: Annotated[bool, typer.Option("--low-power", help="A power below 0.5 is meant.")] = False,
    record: Annotated[
        Path | None,
        typer.Option("--from", metavar="RECORD", help="Saved record of ClinicalTrials.gov, as for import-registry."),
    ] = None,
    nct: Annotated[
        str | None, typer.Option(metavar="NCT...", help="With --from: the study, if the record holds several.")
    ] = None,
    example: Annotated[
        str | None, typer.Option(metavar="NAME", help="Copy an example that comes with simtrial, such as toxicity.")
    ] = None,
) -> None:  # fmt: skip
    """Write a commented parameter file, ready for design, simulate and report.

    At a terminal it asks for what the options leave open. Elsewhere the template's own values are taken, and named at
    the end. A file that exists is never overwritten.
    """
    given = {
        "p0": p0, "p1": p1, "alpha": alpha, "power": power, "rate": rate, "dropout": dropout, "handling": handling,
        "bounds": bounds, "accrual": accrual, "id": id_, "title": title, "low_power": "true" if low_power else None,
    }  # fmt: skip
    answers = {name: value for name, value in given.items() if value is not None}
    sources = {"--from": record, "--example": example}
    named = [name for name, value in sources.items() if value is not None]
    if len(named) > 1:
        raise InputError("exclude each other; leave one of them out", listed(named))
    if named and answers:
        first = next(iter(answers)).replace("_", "-")
        raise InputError(f"does not go with {named[0]}, whose file states it; change it in the file", f"--{first}")
    if nct is not None and record is None:
        raise InputError("goes with --from RECORD only", "--nct")
    if record is not None:
        cli_review.import_registry(record, nct, file)
        return
    if example is not None:
        _copy(example, file)
        return
    found = [] if file is not None else [InputError("is missing; write simtrial init my-trial.yaml", "FILE")]
    found += [*command.faults(init, answers), *(() if questions.possible() else cli_template.faults(answers))]
    if file is None or found:
        raise several(found)
    _fill(file, answers)


def _fill(file: Path, answers: dict[str, str]) -> None:
    """Write the template with answers in it, after asking for what is missing where somebody can answer."""
    from simtrial.trial import template

    stated = template.stated(template.text())
    asking = questions.possible()
    typed = dict(answers)
    answers = {"id": cli_template.named(file.stem)} | answers
    while True:
        if asking:
            defaults = {
                name: stated.get(place, "")
                for name, place in cli_template.KEYS.items()
                if name not in ("handling", "accrual")
            }
            defaults["bounds"] = cli_template.WORDS["bounds"][0]
            questions.ask(answers, defaults, low_power="low_power" in answers)
        try:
            if found := cli_template.faults(answers):
                raise several(found)
            made = cli_template.text(answers, file.name)
            break
        except InputError as error:
            names = [one.field.removeprefix("--") for one in (error, *error.others)]
            again = [name for name in names if name in answers and name not in typed]
            if not asking or not again:
                raise
            terminal.fault(error)
            for name in again:
                del answers[name]
    write(file, made)
    _next(file, answers, stated)


def write(file: Path, text: str) -> None:
    """Write a new file whole.

    Raises
    ------
    InputError
        If somebody has made one of that name meanwhile.
    """
    try:
        disk.write(file, text, new=True)
    except FileExistsError:
        raise InputError(f"({file}) {new_file.TAKEN}", "FILE") from None


def _next(file: Path, answers: dict[str, str], stated: dict[str, str]) -> None:
    """What was written, what in it nobody has stated, and what to do with it."""
    terminal.tell(f"Wrote {file}.")
    taken = [name for name in ("p0", "p1", "alpha", "power") if name not in answers]
    conduct = "rate" in answers
    if conduct and "accrual" not in answers:
        taken.append(f"accrual ({stated[cli_template.KEYS['accrual']]})")
    if answers.get("handling") == "exclude" and "bounds" not in answers:
        taken.append("bounds (fixed)")
    taken += ["the criterion", *(["assessments", "follow-up"] if conduct else []), "the rationale"]
    if "title" not in answers:
        taken.append("the title")
    terminal.wrapped(f"Taken from the template, for you to check: {listed(taken)}.")
    if not conduct:
        terminal.wrapped(
            "How the trial is run (section conduct) is a remark in it: remove its #, or give --rate, --dropout and "
            "--handling."
        )
    name = shlex.quote(f"{file}")
    uses = ["design", *(["simulate"] if conduct else []), "report"]
    terminal.tell(f"Next: {', '.join(f'simtrial {use} {name}' for use in uses)}")


def _copy(example: str, file: Path | None) -> None:
    """Copy an example file, or print it."""
    folder = project.folder("params")
    known = {one.stem: one for one in sorted(folder.glob("*.yaml"))}
    name = example.removesuffix(".yaml")
    if name not in known:
        near = nearest(name, known)
        meant = f"; did you mean {near}?" if near else ""
        raise InputError(f"({example!r:.60}) is unknown; examples are {listed(list(known))}{meant}", "--example")
    text = known[name].read_text(encoding="utf-8")
    if file is None:
        terminal.tell(text, end="")
        return
    write(file, text)
    terminal.tell(f"Wrote {file}.")
    base = re.search(r"^  base: (\S+)", text, flags=re.MULTILINE)
    if base is not None:
        beside = file.with_name(base[1])
        if not beside.exists():
            terminal.tell(
                f"It needs {base[1]} beside it: simtrial init {shlex.quote(str(beside))} --example {Path(base[1]).stem}"
            )
    use = "report" if base is None else "sweep"
    terminal.tell(f"Next: simtrial {use} {shlex.quote(str(file))}")
