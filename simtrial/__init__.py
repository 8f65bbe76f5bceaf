"""Design and simulate single-arm phase II cancer trials with an objective-response endpoint, exactly."""

__version__ = "0.1.0"

from simtrial import search
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage, looks_text, parse_looks
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError

__all__ = [
    "InputError",
    "Look",
    "MultiStage",
    "Requirements",
    "SingleStage",
    "TwoStage",
    "exact",
    "looks_text",
    "parse_looks",
    "search",
]
