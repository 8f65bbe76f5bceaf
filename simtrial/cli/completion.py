"""What a shell offers after Tab for options that take one of a few words; everything else is names of files.

A shell starts the program for each Tab, with the variable `VARIABLE` set. Words are looked up then only, so that a
command that is run pays nothing for them, and nothing heavy is imported before it is known which option is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VARIABLE = "_SIMTRIAL_COMPLETE"
"""Environment variable by which the script of a shell asks for completions."""


def _handlings() -> Iterable[str]:
    from simtrial.plan.plan import HANDLINGS

    return HANDLINGS


def _among() -> Iterable[str]:
    from simtrial.laws.losses import AMONG

    return AMONG


def _searches() -> Iterable[str]:
    from simtrial.laws.losses import LOSSES

    return LOSSES


def _bounds() -> Iterable[str]:
    from simtrial.cli.losses import BOUNDS

    return BOUNDS


def _families() -> Iterable[str]:
    from simtrial.cli import bryant_day
    from simtrial.search import FAMILIES

    return (*FAMILIES, bryant_day.KEY, "all")


def _criteria() -> Iterable[str]:
    from simtrial.search import CRITERIA

    return dict.fromkeys(word for key, one in CRITERIA.items() for word in (key, one.short))


def _methods() -> Iterable[str]:
    from simtrial.trial.statement import METHODS

    return METHODS


def _rules() -> Iterable[str]:
    from simtrial.cli.rules import RULES

    return RULES


def _powers() -> Iterable[str]:
    from simtrial.search.curtailment import ConditionalPower

    return get_args(ConditionalPower)


def _types() -> Iterable[str]:
    from simtrial.toxicity.kinds import BoundaryKind

    return get_args(BoundaryKind)


def _stops() -> Iterable[str]:
    from simtrial.search.constraints import StopsFor

    return get_args(StopsFor)


def _associations() -> Iterable[str]:
    return "worst", "independence"  # those of search.bryant_day, which need not be imported for two words


def _parts() -> Iterable[str]:
    from simtrial.trial.parts import PARTS

    return PARTS


def _accruals() -> Iterable[str]:
    from simtrial.cli.template import WORDS

    return WORDS["accrual"]


def _examples() -> Iterable[str]:
    from simtrial import project

    return sorted(one.stem for one in project.folder("params").glob("*.yaml"))


WORDS: dict[str, Callable[[], Iterable[str]]] = {
    "handling": _handlings, "p0_among": _among, "bounds": _bounds, "search_": _searches, "family": _families,
    "criterion": _criteria, "rule": _rules, "cp": _powers, "kind": _types, "stops": _stops,
    "futility": lambda: ("required", "optional"), "phi": _associations, "parts": _parts, "accrual": _accruals,
    "example": _examples, "ordering": lambda: ("stage", "mle", "umvue"), "time_unit": lambda: ("days", "months"),
    "alpha_sided": lambda: ("1", "2"),
}  # fmt: skip
"""The words of options, by the names of parameters."""

OTHERS = {("check", "criterion"): _methods}
"""Options whose words differ from those of the same name elsewhere, by command."""


def offer(command: Any) -> None:
    """Teach the options of every command their words.

    Parameters
    ----------
    command : Group
        As the parser has it, whose class comes with typer or apart from it, depending on the version.
    """
    for name, one in command.commands.items():
        for option in one.params:
            known = OTHERS.get((name, option.name)) or WORDS.get(option.name)
            if known is not None and option.opts[0].startswith("--"):
                option._custom_shell_complete = _completing(known)


def _completing(known: Callable[[], Iterable[str]]) -> Callable[[Any, Any, str], list[str]]:
    def complete(_context: Any, _option: Any, begun: str) -> list[str]:
        return [word for word in known() if word.startswith(begun)]

    return complete
