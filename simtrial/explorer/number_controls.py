"""A number of the explorer's page: a box that keeps what is typed, a slider, and a note that explains either.

The box is plain text, because a number box of ipywidgets clamps in the browser without notice. The value of a number
is that of its last valid entry; what is in the box may be wrong, and then `fault` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from simtrial.errors import InputError
from simtrial.explorer import entries, panels

if TYPE_CHECKING:
    from collections.abc import Callable


class NumberControl:
    """One number.

    Parameters
    ----------
    name : str
        A key of `entries.NUMBERS`.
    heard : callable
        Called with the name after a hand changed the box or the slider, whether the entry is valid or not.

    Attributes
    ----------
    box, slider, note, row : ipywidgets.Widget
        What is typed into, what is dragged, what explains, and all three.
    value : float
        The last valid entry.
    fault : str
        Why what is in the box is refused; empty if it is not.
    remark : str
        What is to be known of a valid entry.
    low_power : bool
        See `entries.read`.
    head : str
        Its name for people.
    """

    def __init__(self, name: str, heard: Callable[[str], None]) -> None:
        entry = entries.NUMBERS[name]
        self.name, self.value, self.fault, self.remark, self.low_power = name, entry.example, "", "", False
        self.head = entry.head
        self._entry, self._heard, self._quiet, self._before = entry, heard, False, entry.example
        self.box = widgets.Text(description=entry.label, tooltip=entry.meaning, continuous_update=False)
        self.slider = widgets.FloatSlider(
            description=entry.label,
            tooltip=entry.meaning,
            min=entry.low,
            max=entry.high,
            step=entry.step,
            readout=False,
        )
        self.note = widgets.HTML()
        self.row = widgets.HBox([self.box, self.slider, self.note])
        self.row.add_class("simtrial-number")
        for control in (self.box, self.slider):
            control.layout.width = "auto"
        self.box.observe(self._typed, "value")
        self.slider.observe(self._slid, "value")
        self.set(entry.example)

    def set(self, value: float, remark: str = "") -> None:
        """Show a valid number without hearing of it, whatever the limits of the slider."""
        self.value, self.fault, self.remark = value, "", remark
        if self.typed() != value:
            self._quietly(self.box, entries.written(value))
        self._follow()

    def refuse(self, fault: str) -> None:
        """Keep what has just been typed in the box, explain it, and fall back to the value before it."""
        self.value, self.fault = self._before, fault
        self._follow()

    @property
    def beyond(self) -> bool:
        """Whether the value lies outside what the slider covers."""
        return not self._entry.low <= self.value <= self._entry.high

    def disable(self, disabled: bool) -> None:
        """Let no hand change the number, or let it."""
        self.box.disabled = self.slider.disabled = disabled

    def show(self, shown: bool) -> None:
        """Show the number on the page, or hide it with whatever is wrong in its box."""
        self.row.layout.display = "" if shown else "none"
        if not shown and self.fault:
            self.set(self.value)

    def typed(self) -> float | None:
        """The number in the box, as far as the box alone can tell; None if it is none."""
        try:
            return entries.read(self.name, self.box.value, low_power=self.low_power)
        except InputError:
            return None

    def _quietly(self, control: Any, value: Any) -> None:
        before, self._quiet = self._quiet, True
        control.value = value
        self._quiet = before

    def _follow(self) -> None:
        """Bring the slider as near to the value as it goes, and say what there is to say."""
        low, high = self._entry.low, self._entry.high
        near = min(max(self.value, low), high)
        # a slider that is there to the last bit but one is not set: a hand may be on it
        if abs(self.slider.value - near) > 1e-6:
            self._quietly(self.slider, near)
        beyond = f"outside the range of the slider, {low:g} to {high:g}" if self.beyond else ""
        mark = self.row.add_class if self.fault else self.row.remove_class
        mark("simtrial-refused")  # before the note, at whose change the page looks for it
        self.note.value = panels.note(self.name, self.fault or self.remark or beyond, wrong=bool(self.fault))

    def _typed(self, _: Any) -> None:
        if self._quiet:
            return
        self._before, self.fault, self.remark = self.value, "", ""
        try:
            self.value = entries.read(self.name, self.box.value, low_power=self.low_power)
        except InputError as error:
            self.fault = str(error)
        self._follow()
        self._heard(self.name)

    def _slid(self, change: Any) -> None:
        """Take the value of a slider that was moved.

        A browser rounds what it is given to the steps of its slider, and says so as if a hand had moved it: a slider
        that is on the step nearest to its number has not moved.
        """
        if self._quiet:
            return
        low, high, step = self._entry.low, self._entry.high, self._entry.step
        now, before = (round((min(max(v, low), high) - low) / step) for v in (change["new"], self.value))
        if now != before:
            self._before = self.value
            self.set(round(low + now * step, 6))
            self._heard(self.name)
