"""Design and simulate single-arm phase II cancer trials with an objective-response endpoint, exactly."""

from __future__ import annotations

__version__ = "0.2.0"

TYPE_CHECKING = False  # known to type checkers; importing it takes longer than all else before Ctrl-C is heard
if TYPE_CHECKING:
    from simtrial import search
    from simtrial.analysis import inference
    from simtrial.design import exact
    from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage, looks_text, parse_looks
    from simtrial.design.requirements import Requirements
    from simtrial.errors import InputError

_MODULES = {"exact": "design", "inference": "analysis", "search": ""}
_NAMES = {
    **dict.fromkeys(("Look", "MultiStage", "SingleStage", "TwoStage", "looks_text", "parse_looks"), "design.designs"),
    "Requirements": "design.requirements",
    "InputError": "errors",
}
"""Where public modules and names are: loaded when they are first asked for, so that a program starts at once."""

__all__ = [
    "InputError",
    "Look",
    "MultiStage",
    "Requirements",
    "SingleStage",
    "TwoStage",
    "exact",
    "inference",
    "looks_text",
    "parse_looks",
    "search",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(".".join(filter(None, ("simtrial", _MODULES[name], name))))
    if name in _NAMES:
        found: object = getattr(import_module(f"simtrial.{_NAMES[name]}"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
