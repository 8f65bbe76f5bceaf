"""Design and simulate single-arm phase II cancer trials with an objective-response endpoint, exactly."""

__version__ = "0.1.0"

from simtrial import exact, search
from simtrial.designs import Look, MultiStage, SingleStage, TwoStage, looks_text, parse_looks
from simtrial.errors import InputError
from simtrial.requirements import Requirements

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
