"""Numbers as they are given and held: the array types of the package, and how one number is checked."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from simtrial.errors import InputError
from simtrial.inputs import MAX_PATIENTS
from simtrial.slips import as_rate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = Floats | Ints | Bools
"""Numbers of any kind; a truth counts as 0 or 1."""


def count(value: object, field: str, *, at_least: int = 0) -> int:
    """Check one whole number and give it back as a plain int.

    Raises
    ------
    InputError
        If `value` is not an integer from `at_least` to `MAX_PATIENTS`.
    """
    try:
        if type(value) is int:  # as nearly always, and the check of a protocol takes longer than all the rest
            number = value
        elif isinstance(value, bool | np.bool_) or not isinstance(value, SupportsIndex):
            raise TypeError
        else:
            number = operator.index(value)
    except TypeError:
        raise InputError(f"({value!r}) is not a whole number", field) from None
    if not at_least <= number <= MAX_PATIENTS:
        beyond = f"below {at_least}, the smallest" if number < at_least else f"above {MAX_PATIENTS:,}, the largest"
        raise InputError(f"({number}) is {beyond} value allowed", field)
    return number


def probability(value: object, field: str, *, closed: bool = False) -> float:
    """Check one probability and give it back as a plain float.

    Parameters
    ----------
    value : object
        The number to check.
    field : str
        Its name, for the message.
    closed : bool
        Whether 0 and 1 themselves are allowed.

    Raises
    ------
    InputError
        If `value` is not a real number in the interval.
    """
    interval = "from 0 to 1" if closed else "strictly between 0 and 1"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"({value!r}) is not a number {interval}", field)
    number = float(value)
    inside = 0.0 <= number <= 1.0 if closed else 0.0 < number < 1.0
    if not math.isfinite(number) or not inside:
        hint = as_rate(number)
        raise InputError(f"({number:.10g}) is not {interval}{hint and f'; {hint}'}", field)
    return number


def positive(value: object, field: str, *, zero: bool = False, least: float = 0.0, most: float = 1e6) -> float:
    """Check one number above 0 (or from 0 on) and give it back as a plain float.

    Raises
    ------
    InputError
        If `value` is not a number in that range.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        raise InputError(f"({value!r}) is not a finite number", field)
    number = float(value)
    if number < 0 or (number == 0 and not zero):
        raise InputError(f"({number:g}) is {'below 0' if zero else 'not above 0'}", field)
    if number and not least <= number <= most:
        raise InputError(f"({number:g}) is not from {least:g} to {most:g}", field)
    return number
