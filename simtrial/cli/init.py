"""`simtrial init`: a parameter file to begin with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from simtrial import project
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
    taken = cli_template.HYPOTHESES if record is not None else ()
    if named and (others := [name for name in answers if name not in taken]):
        remedy = f"takes {listed([f'--{one}' for one in taken])} only" if taken else "copies a file as it is"
        said = f"does not go with {named[0]}, which {remedy}; write it in the file that is made"
        raise InputError(said, f"--{others[0].replace('_', '-')}")
    if nct is not None and record is None:
        raise InputError("goes with --from RECORD only", "--nct")
    if record is not None:
        _draft(record, nct, file, answers)
        return
    if example is not None:
        _copy(example, file)
        return
    found = [] if file is not None else [InputError("is missing; write simtrial init my-trial.yaml", "FILE")]
    asking = questions.possible()
    found += [*command.faults(init, answers), *(cli_template.unknown if asking else cli_template.faults)(answers)]
    if file is None or found:
        raise several(found)
    _fill(file, answers)


def _draft(record: Path, nct: str | None, file: Path | None, answers: dict[str, str]) -> None:
    """Write the parameter file of a registry record, or print it."""
    if found := command.faults(init, answers):
        raise several(found)
    try:
        cli_template.together(answers, "this power and the key low_power (true) to the file")
    except InputError as error:
        raise cli_template.optional(error) from None
    given = {name: cli_template.as_yaml(name, value) for name, value in answers.items()}
    text = cli_review.drafted(record, nct, given)
    if file is None:
        _print(text, f"--from {shlex.quote(str(record))}")
        return
    new_file.draft(file, text)


def _print(text: str, source: str) -> None:
    """Print a file, and say how it is written."""
    terminal.tell(text, end="")
    terminal.say(f"To write it to a file, add its name: simtrial init my-trial.yaml {source}")


def _fill(file: Path, answers: dict[str, str]) -> None:
    """Write the template with answers in it, after asking for what is missing where somebody can answer."""
    from simtrial.trial import template

    stated = template.stated(template.text())
    asking = questions.possible()
    typed = dict(answers)
    answers = {"id": cli_template.named(file.stem)} | answers
    defaults = {name: stated.get(place, "") for name, place in cli_template.KEYS.items() if name != "handling"}
    defaults["bounds"] = cli_template.WORDS["bounds"][0]
    if asking:
        try:
            cli_template.together(answers)  # options that exclude each other can be mended by no answer
        except InputError as error:
            raise cli_template.optional(error) from None
    while True:
        if asking:
            questions.ask(answers, defaults)
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
                if answers.pop(name) == defaults.get(name):
                    del defaults[name]  # it was refused: it is not offered twice
    new_file.write(file, made)
    _next(file, answers, stated)


def _next(file: Path, answers: dict[str, str], stated: dict[str, str]) -> None:
    """What was written, what in it nobody has stated, and what to do with it."""
    taken = [name for name in cli_template.HYPOTHESES if name not in answers]
    conduct = "rate" in answers
    if conduct and "accrual" not in answers:
        taken.append(f"accrual ({stated[cli_template.KEYS['accrual']]})")
    if answers.get("handling") == "exclude" and "bounds" not in answers:
        taken.append("bounds (fixed)")
    taken += ["the criterion", *(["assessments", "follow-up"] if conduct else []), "the rationale"]
    if "title" not in answers:
        taken.append("the title")
    remarks = [f"Taken from the template, for you to check: {listed(taken)}."]
    if not conduct:
        remarks.append(
            "How the trial is run (section conduct) is a remark in it: remove its #, or give --rate, --dropout and "
            "--handling."
        )
    uses = ["design", *(["simulate"] if conduct else []), "report"]
    new_file.told(file, tuple(remarks), ", ".join(f"simtrial {use} {new_file.typed(file)}" for use in uses))


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
        _print(text, f"--example {name}")
        return
    new_file.write(file, text)
    base = re.search(r"^  base: (\S+)", text, flags=re.MULTILINE)
    remarks = []
    if base is not None and not (beside := file.with_name(base[1])).exists():
        made = f"simtrial init {new_file.typed(beside)} --example {Path(base[1]).stem}"
        remarks.append(f"It needs {base[1]} beside it: {made}")
    use = "report" if base is None else "sweep"
    new_file.told(file, tuple(remarks), f"simtrial {use} {new_file.typed(file)}")
