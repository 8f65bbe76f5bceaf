"""The rule for toxicity under the controls of the explorer: what they show of a file, and what they write into one.

The controls offer the types of boundaries that two rates and a crossing probability define. A file may also hold a
Wang-Tsiatis boundary with its exponent, or counts given outright; such a rule is offered as long as its file is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simtrial.toxicity.text import NAMES

if TYPE_CHECKING:
    from simtrial.toxicity.kinds import BoundaryKind
    from simtrial.trial.trial import Trial

NONE, COUNTS = "", "counts"
OFFERED: tuple[BoundaryKind, ...] = ("pocock", "obf", "bayes", "sprt")

NUMBERS = {
    "acceptable": "acceptable_rate", "unacceptable": "unacceptable_rate", "crossing": "crossing_probability",
    "window": "window_weeks",
}  # fmt: skip
"""The numbers of a rule, and their keys in a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopping:
    """The settings of the rule; what they are until one is chosen.

    Attributes
    ----------
    toxicity : str
        A type of boundary, the counts of the file (`COUNTS`), or empty for none.
    acceptable, unacceptable, crossing : float
        The two rates, and the largest probability of crossing at the first.
    window : float
        Weeks in which a toxicity counts.
    """

    toxicity: str = NONE
    acceptable: float = 0.2
    unacceptable: float = 0.4
    crossing: float = 0.1
    window: float = 6.0


def menu(trial: Trial) -> dict[str, str]:
    """The rules that may be chosen beside this file."""
    names = {"none": NONE} | {NAMES[kind]: kind for kind in OFFERED}
    rule = trial.design.toxicity
    if rule is not None and rule.rule is None:
        names["counts of the file"] = COUNTS
    elif rule is not None and rule.rule is not None and rule.rule not in OFFERED:
        names[f"{NAMES[rule.rule]}, as in the file"] = rule.rule
    return names


def of(trial: Trial) -> Stopping:
    """The settings that show the rule of a trial."""
    rule = trial.design.toxicity
    if rule is None:
        return Stopping()
    found = Stopping(
        toxicity=rule.rule or COUNTS,
        acceptable=rule.acceptable_rate,
        unacceptable=rule.unacceptable_rate,
        window=rule.window_weeks,
    )
    limit = rule.crossing_probability
    return found if limit is None else replace(found, crossing=limit)


def applied(now: Stopping, before: Stopping, design: dict[str, object]) -> None:
    """Write the rule that the settings say into the section on the design of a file."""
    if now.toxicity == NONE:
        design.pop("toxicity", None)
        return
    same = now.toxicity == before.toxicity
    if same and all(getattr(now, name) == getattr(before, name) for name in NUMBERS):
        return
    given = design.get("toxicity")
    rule = {key: value for key, value in given.items() if key != "source"} if same and isinstance(given, dict) else {}
    if now.toxicity != COUNTS:
        rule["rule"] = now.toxicity
    for name, key in NUMBERS.items():
        if not (name == "crossing" and now.toxicity == COUNTS):
            rule[key] = getattr(now, name)
    design["toxicity"] = rule
