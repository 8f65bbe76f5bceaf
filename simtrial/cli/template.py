"""Answers of a person in the template of a parameter file: which key each belongs to, and what goes together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.phrases import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = {
    "id": "trial.study.id", "title": "trial.study.title",
    "p0": "trial.hypotheses.p0", "p1": "trial.hypotheses.p1", "alpha": "trial.hypotheses.alpha",
    "power": "trial.hypotheses.power", "low_power": "trial.hypotheses.low_power",
    "rate": "trial.conduct.enrollment.rate", "dropout": "trial.conduct.dropout.probability",
    "handling": "trial.conduct.dropout.handling", "bounds": "trial.conduct.dropout.bounds",
    "accrual": "trial.conduct.interim.accrual",
}  # fmt: skip
"""Every answer, and the key of the file that holds it."""

NUMBERS = {"p0": "rate", "p1": "rate", "alpha": "error", "power": "error", "rate": "enrollment_rate",
           "dropout": "dropout"}  # fmt: skip
"""Answers that are numbers, by their entry in `simtrial.inputs.TABLE`."""

RATES = ("p0", "p1")
HYPOTHESES = ("p0", "p1", "alpha", "power")
CONDUCT = ("rate", "dropout", "handling")
"""Answers that are given all or none: the one without the others says nothing."""

WORDS = {"handling": ("nonresponder", "replace", "exclude"), "bounds": ("fixed", "recut"),
         "accrual": ("hold", "continue")}  # fmt: skip
"""Answers that are words."""


def unknown(answers: Mapping[str, str]) -> list[InputError]:
    """The answers that are words, but none of those that are known."""
    return [
        InputError(f"({answers[name]!r:.40}) is unknown; write {_either(known)}", f"--{name}")
        for name, known in WORDS.items()
        if name in answers and answers[name] not in known
    ]


def together(answers: Mapping[str, str], meant: str = "--low-power") -> None:
    """Hold the numbers to each other; what is not known yet excludes nothing.

    Raises
    ------
    InputError
        If no file can hold them together, whatever the others are. Fields have the names of answers.
    """
    from simtrial.design.requirements import plausible

    p0, p1 = (None if name not in answers else float(answers[name]) for name in RATES)
    low = p0 if p0 is not None else 0.1 if p1 is None else p1 / 2
    high = p1 if p1 is not None else (1 + low) / 2
    error = TABLE["error"]
    alpha, power = float(answers.get("alpha", error.least)), float(answers.get("power", error.most))
    plausible(low, high, alpha, power, low_power="low_power" in answers, meant=meant)


def faults(answers: Mapping[str, str]) -> list[InputError]:
    """The mistakes of the answers, as far as no file is needed to know them."""
    found = unknown(answers)
    for names, what in ((RATES, "the two response rates"), (CONDUCT, "how the trial is run")):
        given = [name for name in names if name in answers]
        if names is CONDUCT:
            given += [name for name in ("bounds", "accrual") if name in answers]
        missing = [f"--{name}" for name in names if name not in answers]
        if given and missing:
            remedy = f"add {listed(missing)}, or leave out {listed([f'--{name}' for name in given])}"
            found.append(InputError(f"{'is' if missing[1:] == [] else 'are'} missing; to state {what}, {remedy}",
                                    listed(missing)))  # fmt: skip
    if "bounds" in answers and answers.get("handling", "exclude") != "exclude":
        found.append(InputError(f"goes with --handling exclude only, not with {answers['handling']}", "--bounds"))
    return found


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def text(answers: Mapping[str, str], name: str) -> str:
    """The parameter file with these answers, checked as any command checks it.

    Parameters
    ----------
    answers : mapping
        Texts as they were typed, by the names of `KEYS`.
    name : str
        What messages call the file.

    Raises
    ------
    InputError
        If no trial is so, or no design of any size meets its limits. Fields have the names of options.
    """
    from simtrial.search import bounds
    from simtrial.trial import params, template

    for key in ("id", "title"):
        if any("\ud800" <= one <= "\udfff" for one in answers.get(key, "")):
            raise InputError("holds bytes that are not UTF-8 text; write it in UTF-8", f"--{key}")
    values = {KEYS[key]: as_yaml(key, value) for key, value in answers.items()}
    if answers.get("handling") == "exclude":
        values.setdefault(KEYS["bounds"], WORDS["bounds"][0])
    made = template.filled(template.text(), values)
    try:
        trial = params.opened(made.encode(), name)
        bounds.refuse(trial.requirements, trial.design.n_limit)
    except InputError as error:
        raise optional(error, name) from None
    try:
        bounds.refuse(trial.limits, trial.design.n_limit)
    except InputError as error:
        raise InputError(
            f"({answers['dropout']}) is too large: as the trial is run, p0 is {trial.limits.p0:.4g} and p1 "
            f"{trial.limits.p1:.4g} among all enrolled patients; {error.field} {error.message}",
            "--dropout",
        ) from None
    return made


def optional(error: InputError, name: str = "") -> InputError:
    """The mistakes of a file that was made of options, in the names of these."""
    fields = {place: f"--{key}" for key, place in KEYS.items()} | {key: f"--{key}" for key in KEYS}

    def led(one: InputError) -> InputError:
        place = one.field.removeprefix(f"{name}: ")
        return InputError(one.message.replace("low_power: true", "--low-power"), fields.get(place, place))

    first = led(error)
    return InputError(first.message, first.field, [led(one) for one in error.others])


def as_yaml(key: str, value: str) -> str:
    """A value as YAML: numbers as they were typed, texts in quotes wherever they could mean anything else."""
    if key in NUMBERS:
        # a zero too many is octal to some programs, so such numbers are refused in files
        octal = re.fullmatch(r"([-+]?)0+([0-9].*)", value)
        return f"{octal[1]}{octal[2]}" if octal else value
    if key in WORDS or key == "low_power":
        return value
    from simtrial.trial import params

    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", value) and value.lower() not in ("null", "true", "false")
    return value if plain and key == "id" else params.scalar(value)


def named(stem: str) -> str:
    """The short name of a study, from the name of its file."""
    from simtrial.trial.section import folder_name

    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "TRIAL-1"
    try:
        return folder_name(name)
    except InputError:
        return f"{name[:58]}-trial"
