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
    from collections.abc import Mapping

ASKED = {
    "p0": "Response rate not worth pursuing, p0",
    "p1": "Response rate worth finding, p1",
    "alpha": "Largest type I error, one-sided",
    "power": "Smallest power at p1",
    "rate": "Patients screened per month",
    "dropout": "Share of patients who drop out before their first assessment",
    "handling": "How patients without a response assessment count, which has no default: nonresponder, replace or "
    "exclude",
    "bounds": "Bounds where patients are excluded: fixed, or 'recut' for recalculated ones",
    "accrual": "Accrual while an interim analysis is pending: hold or continue",
}
"""What is asked for each answer."""

CONDUCT = "Shall the file also state how the trial is run: accrual, dropout, the interim analysis? yes or no"


def possible() -> bool:
    """Whether somebody sits at a terminal and can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(answers: dict[str, str], defaults: Mapping[str, str]) -> None:
    """Ask for what is missing among the answers, and add it.

    Parameters
    ----------
    answers : dict
        What options have stated; it gains the others.
    defaults : mapping
        Values that a person may take by Enter, by the names of answers. Those without one must be typed; a value that
        does not go with the other answers is not offered.

    Raises
    ------
    KeyboardInterrupt
        If the input ends.
    """
    terminal.tell("Enter takes the value in brackets; Ctrl-C ends without a file.")
    _rates(answers, defaults)
    for name in ("alpha", "power"):
        _one(name, answers, defaults)
    stated = any(name in answers for name in (*template.CONDUCT, "bounds", "accrual"))
    if not stated and _word("answer", CONDUCT, ("yes", "no"), "yes") == "no":
        return
    for name in (*template.CONDUCT, "accrual"):
        _one(name, answers, defaults)
        if name == "handling" and answers["handling"] == "exclude":
            _one("bounds", answers, defaults)


def _rates(answers: dict[str, str], defaults: Mapping[str, str]) -> None:
    """Ask for the response rates; both again where they do not go together, since either may be the wrong one."""
    asked = [name for name in template.RATES if name not in answers]
    while any(name not in answers for name in asked):
        try:
            for name in asked:
                _one(name, answers, defaults, alone=True)
            template.together({name: answers[name] for name in template.RATES})
        except InputError as error:
            terminal.fault(error)
            for name in asked:
                del answers[name]


def _one(name: str, answers: dict[str, str], defaults: Mapping[str, str], *, alone: bool = False) -> None:
    """Ask until the answer is one, unless it is known; `alone` if it is not yet held to the others."""
    default = defaults.get(name, "")
    if name in template.HYPOTHESES and _refused(answers | {name: default}):
        default = ""
    while name not in answers:
        if name in template.WORDS:
            answers[name] = _word(name, ASKED[name], template.WORDS[name], default)
            continue
        typed = _typed(ASKED[name], default)
        try:
            TABLE[template.NUMBERS[name]].read(typed, name)
            if not alone:
                template.together(answers | {name: typed})
            answers[name] = typed.strip()
        except InputError as error:
            terminal.fault(error)


def _refused(answers: Mapping[str, str]) -> bool:
    """Whether numbers do not go together."""
    try:
        template.together(answers)
    except ValueError:  # also an empty text, which is no number
        return True
    return False


def _word(name: str, question: str, known: tuple[str, ...], default: str) -> str:
    while True:
        word = _typed(question, default).strip().lower()
        if word in known:
            return word
        near = nearest(word, known) or next((one for one in known if word and one.startswith(word)), "")
        meant = f"; did you mean {near}?" if near else ""
        said = f"({word!r:.40}) is unknown; write {', '.join(known[:-1])} or {known[-1]}{meant}"
        terminal.fault(InputError(said, name))


def _typed(question: str, default: str) -> str:
    """What somebody types, or the default."""
    terminal.tell(f"{question}{f' [{default}]' if default else ''}: ", end="")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:  # the end of the input, as by Ctrl-D
        raise KeyboardInterrupt
    return line.strip() or default
