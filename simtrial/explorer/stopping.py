"""The rule for toxicity under the controls of the explorer: what they show of a file, and what they write into one.

The controls offer the types of boundaries that two rates and a crossing probability define. A file may also hold a
Wang-Tsiatis boundary with its exponent, or counts given outright; such a rule is offered as long as its file is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

START = {"acceptable": 0.2, "unacceptable": 0.4, "crossing": 0.1, "window": 6.0}
"""What the numbers show until a rule is chosen."""


def menu(trial: Trial) -> dict[str, str]:
    """The rules that may be chosen beside this file."""
    names = {"none": NONE} | {NAMES[kind]: kind for kind in OFFERED}
    own = of(trial)["toxicity"]
    if own not in names.values():
        names["counts of the file" if own == COUNTS else f"{NAMES[own]}, as in the file"] = own
    return names


def of(trial: Trial) -> dict[str, Any]:
    """The settings that show the rule of a trial."""
    rule = trial.design.toxicity
    if rule is None:
        return {"toxicity": NONE, **START}
    found = {name: getattr(rule, key) for name, key in NUMBERS.items()}
    if found["crossing"] is None:
        found["crossing"] = START["crossing"]
    return {"toxicity": rule.rule or COUNTS, **found}


def applied(now: dict[str, Any], before: dict[str, Any], design: dict[str, Any]) -> None:
    """Write the rule that the settings say into the section on the design of a file."""
    if now["toxicity"] == NONE:
        design.pop("toxicity", None)
        return
    if now == before:
        return
    same = now["toxicity"] == before["toxicity"]
    rule = {key: value for key, value in design.get("toxicity", {}).items() if same and key != "source"}
    if now["toxicity"] != COUNTS:
        rule["rule"] = now["toxicity"]
    for name, key in NUMBERS.items():
        if not (name == "crossing" and now["toxicity"] == COUNTS):
            rule[key] = now[name]
    design["toxicity"] = rule
