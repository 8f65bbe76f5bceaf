"""`simtrial init`: a parameter file to begin with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from simtrial import disk, project
from simtrial.cli import command, init_options, new_file, questions
from simtrial.cli import review as cli_review
from simtrial.cli import template as cli_template
from simtrial.errors import InputError, several
from simtrial.phrases import listed
from simtrial.show import terminal
from simtrial.slips import nearest


def init(
    file: init_options.NewFile = None,
    p0: init_options.TypedNull = None,
    p1: init_options.TypedWorth = None,
    alpha: init_options.TypedAlpha = None,
    power: init_options.TypedPower = None,
    rate: init_options.TypedEnrollment = None,
    dropout: init_options.TypedDropout = None,
    handling: init_options.StatedHandling = None,
    bounds: init_options.StatedBounds = None,
    accrual: init_options.StatedAccrual = None,
    id_: init_options.ShortName = None,
    title: init_options.FullTitle = None,
    low_power: init_options.LowPowerMeant = False,
    record: init_options.SavedRecord = None,
    nct: init_options.StudyOfRecord = None,
    example: init_options.ExampleName = None,
) -> None:
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
    from simtrial.trial import template

    folder = project.folder("params")
    known = {one.stem: one for one in sorted(folder.glob("*.yaml"))}
    name = example.removesuffix(".yaml")
    if name not in known:
        near = nearest(name, known)
        meant = f"; did you mean {near}?" if near else ""
        raise InputError(f"({example!r:.60}) is unknown; examples are {listed(list(known))}{meant}", "--example")
    text = template.shipped(known[name].name)
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
