"""Questions at a terminal, each with its default in brackets; a wrong answer is told at once, and asked again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from simtrial.cli import template
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.show import terminal
from simtrial.slips import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ASKED = {
    "p0": "Response rate not worth pursuing, p0",
    "p1": "Response rate worth finding, p1",
    "alpha": "Largest type I error, one-sided",
    "power": "Smallest power at p1",
    "rate": "Patients screened per month",
    "dropout": "Share of patients who drop out before their first assessment",
    "handling": "How patients without a response assessment count: nonresponder, replace or exclude",
    "bounds": "Bounds where patients are excluded: fixed, or 'recut' for recalculated ones",
    "accrual": "Accrual while an interim analysis is pending: hold or continue",
}
"""What is asked for each answer."""

CONDUCT = "Shall the file also state how the trial is run: accrual, dropout, the interim analysis? yes or no"


def possible() -> bool:
    """Whether somebody sits at a terminal and can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(answers: dict[str, str], defaults: Mapping[str, str], *, low_power: bool) -> None:
    """Ask for what is missing among the answers, and add it.

    Parameters
    ----------
    answers : dict
        What options have stated; it gains the others.
    defaults : mapping
        Values that a person may take by Enter, by the names of answers. Those without one must be typed.
    low_power : bool
        Whether a power below 0.5 is meant.

    Raises
    ------
    KeyboardInterrupt
        If the input ends.
    """
    terminal.tell("Enter takes the value in brackets; Ctrl-C ends without a file.")
    for name in ("p0", "p1", "alpha", "power"):
        _one(name, answers, defaults, lambda name: _plausible(name, answers, low_power=low_power))
    stated = any(name in answers for name in (*template.CONDUCT, "bounds", "accrual"))
    if not stated and _word(CONDUCT, ("yes", "no"), "yes") == "no":
        return
    for name in (*template.CONDUCT, "accrual"):
        _one(name, answers, defaults, lambda _: None)
        if name == "handling" and answers["handling"] == "exclude":
            _one("bounds", answers, defaults, lambda _: None)


def _one(name: str, answers: dict[str, str], defaults: Mapping[str, str], check: Callable[[str], None]) -> None:
    """Ask until the answer is one, unless it is known."""
    while name not in answers:
        if name in template.WORDS:
            answers[name] = _word(ASKED[name], template.WORDS[name], defaults.get(name, ""))
            continue
        typed = _typed(ASKED[name], defaults.get(name, ""))
        try:
            TABLE[template.NUMBERS[name]].read(typed, name)
            answers[name] = typed.strip()
            check(name)
        except InputError as error:
            answers.pop(name, None)
            terminal.fault(error)


def _plausible(name: str, answers: Mapping[str, str], *, low_power: bool) -> None:
    """Hold the answers so far to each other; what is not known yet excludes nothing."""
    from simtrial.design.requirements import plausible

    if name == "p0":
        return
    least, most = TABLE["error"].least, TABLE["error"].most
    alpha, power = (float(answers.get(key, free)) for key, free in (("alpha", least), ("power", most)))
    plausible(float(answers["p0"]), float(answers["p1"]), alpha, power, low_power=low_power)


def _word(question: str, known: tuple[str, ...], default: str) -> str:
    while True:
        word = _typed(question, default).strip().lower()
        if word in known:
            return word
        near = nearest(word, known) or next((one for one in known if word and one.startswith(word)), "")
        meant = f"; did you mean {near}?" if near else ""
        terminal.fault(InputError(f"({word!r:.40}) is unknown; write {', '.join(known[:-1])} or {known[-1]}{meant}"))


def _typed(question: str, default: str) -> str:
    """What somebody types, or the default."""
    terminal.tell(f"{question}{f' [{default}]' if default else ''}: ", end="")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:  # the end of the input, as by Ctrl-D
        raise KeyboardInterrupt
    return line.strip() or default
