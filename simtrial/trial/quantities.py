"""The quantities that designs are compared by, in the order in which they are shown: what each is called and written.

A quantity at p0 or p1 is one of its own, and so are patients enrolled with accrual held at a look and with accrual that
continues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simtrial.glossary import head

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

RATES: tuple[Literal["p0", "p1"], ...] = ("p0", "p1")

Form = Literal["rate", "patients", "months", "cost"]
"""How a quantity is written."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity that designs are compared by.

    Attributes
    ----------
    key : str
        In `ComparedDesign.values`.
    head : str
        What it is called.
    form : Form
        How it is written.
    """

    key: str
    head: str
    form: Form


def of(way: str, deadline: float | None, completion: float | None, had: Collection[str]) -> Iterator[Quantity]:
    """Everything that designs may be compared by.

    Parameters
    ----------
    way : str
        ``hold`` or ``continue`` if that is all that the plan says of accrual at a look, else empty.
    deadline, completion : float or None
        Month by which a decision is in time, and of the registered completion.
    had : collection of str
        Keys of what is known of the designs.
    """
    for key in ("type_i_error", "power"):
        yield Quantity(f"{key}_paper", head(key, "on paper"), "rate")
    if "type_i_error_enrolled" in had:
        yield Quantity("type_i_error_enrolled", head("type_i_error", "as run, p0 among all enrolled"), "rate")
        yield Quantity("type_i_error_evaluable", head("type_i_error", "as run, p0 with all evaluable"), "rate")
    else:
        yield Quantity("type_i_error_run", head("type_i_error", "as run"), "rate")
    yield Quantity("power_run", head("power", "as run"), "rate")
    for key in ("en_p0", "en_p1"):
        yield Quantity(key, head(key, "on paper"), "patients")
    yield from _patients(way)
    for key, term in (("interim_month", "months_to_interim"), ("duration_months", "decision_months"),
                      ("end_month", "end_month")):  # fmt: skip
        yield from (Quantity(f"{key}_{rate}", head(term, f"at {rate}"), "months") for rate in RATES)
    for key, what, month in (("in_time", "decision", deadline), ("completed", "end", completion)):
        if month is not None:
            yield from (
                Quantity(f"{key}_{rate}", f"P({what} by month {month:.3g}), at {rate}", "rate") for rate in RATES
            )
    yield from (Quantity(f"cost_{rate}", head("cost", f"at {rate}"), "cost") for rate in RATES)


def _patients(planned: str) -> Iterator[Quantity]:
    """Patients enrolled, by what accrual does at a look, and those beyond futility."""
    for rate in RATES:
        if not planned:
            yield Quantity(f"n_enrolled_{rate}", head("enrolled", f"at {rate}, as planned"), "patients")
        for way, words in (("hold", "accrual held"), ("continue", "accrual continued")):
            mark = " (as planned)" if way == planned else ""
            yield Quantity(f"n_enrolled_{rate}_{way}", head("enrolled", f"at {rate}, {words}{mark}"), "patients")
    yield Quantity("beyond_p0", head("beyond_futility", "at p0"), "patients")
