"""Design and simulate single-arm phase II cancer trials with an objective-response endpoint, exactly."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

from simtrial import search
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage, looks_text, parse_looks
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType

    from simtrial.analysis import inference

_LATER = {"inference": "simtrial.analysis.inference"}
"""Public modules that need more than numpy: loaded when they are first asked for."""

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


def __getattr__(name: str) -> ModuleType:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(_LATER[name])


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
