"""The design explorer: controls on one side; on the other the design that they ask for, computed exactly and at once.

The page is a set of ipywidgets that `notebooks/explorer.ipynb` shows and Voila serves. Its state is one trial, as a
parameter file would describe it: `simtrial.explorer.controls` turns settings into that trial,
`simtrial.explorer.screen` computes it, `simtrial.explorer.panels` writes it, `simtrial.explorer.number_controls` are
its numbers, `simtrial.explorer.layout` makes and places the widgets, and this module only moves them.

Nothing that was typed is changed in silence. What cannot be used stays in its box with the fault beside it, and the
last valid answer stays on the page, marked as such. A file that cannot be used is refused in the words of the command
line.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from scipy import optimize, stats  # noqa: F401 - laws of the calendar want them: loaded before anybody waits

from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.explorer import controls, entries, layout, panels, screen, stopping
from simtrial.explorer.controls import Controls
from simtrial.explorer.layout import OWN, QUESTION
from simtrial.explorer.number_controls import NumberControl
from simtrial.phrases import counted
from simtrial.search import CRITERIA, USUAL
from simtrial.show.terminal import one_line
from simtrial.trial import bayesian, params
from simtrial.trial.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.explorer.screen import Known
    from simtrial.search import TwoStageSearch
    from simtrial.trial.trial import Trial

STEP = 0.01
"""How far a response rate that meets the other pushes it."""

PLACE = re.compile(r"^(?:trial\.)?(?:hypotheses|conduct|design\.toxicity)\.")
"""What the place of a fault in a file begins with, which says nothing to who has no file."""


class Explorer:
    """The page.

    Attributes
    ----------
    page : ipywidgets.Widget
        What is shown.
    inputs, panels : dict of str to ipywidgets.Widget
        The controls (a number's is its box), and the results beside them.
    numbers : dict of str to NumberControl
        The numbers among the controls.
    trial : Trial or None
        The trial that the results are of, the last valid one; None while a search waits to be asked for.
    """

    def __init__(self) -> None:
        self._base = controls.complete(params.load(controls.START))
        self._remark = ""
        self._quiet = False
        self._case: Case | None = None
        self._home: dict[str, float] = {}  # where each response rate was put by hand, or by a file
        self._answer = ""
        self.trial: Trial | None = None
        self.numbers = {name: NumberControl(name, self._heard) for name in entries.NUMBERS}
        self.inputs = layout.made() | {name: number.box for name, number in self.numbers.items()}
        self._listen()
        self.panels = {name: widgets.HTML() for name in layout.PANELS}
        self.page = layout.laid_out(self.inputs, self.numbers, self.panels)
        self._fill()
        self._show()

    def _listen(self) -> None:
        for name in (*layout.CHOICES, *(f"own {name}" for name in OWN)):
            self.inputs[name].observe(self._chosen, "value")
        self.inputs["family"].observe(self._looked_at, "value")
        self.inputs["search"].on_click(self._search)
        self.inputs["file"].observe(self._opened, "value")

    # setting controls, and reading them

    @contextmanager
    def _silent(self) -> Iterator[None]:
        """Set controls without hearing of it."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _fill(self) -> None:
        """Set every control to what the file says; a slider that does not reach that far says so."""
        now = controls.of(self._base)
        self._home = {"p0": now.p0, "p1": now.p1}
        with self._silent():
            for name, number in self.numbers.items():
                number.low_power = bool(getattr(self._base.hypotheses, "low_power", False))
                number.set(getattr(now, name))
            self.inputs["toxicity"].options = tuple(stopping.menu(self._base).items())
            for name in layout.CHOICES[1:]:
                self.inputs[name].value = getattr(now, name)
            self.inputs["family"].value = screen.family_of(now.design)
            self._offer({now.design: now.design}, now.design)
            for name in OWN:
                box = self.inputs[f"own {name}"]
                box.value = name in now.own
                box.layout.display = "" if box.value else "none"
            self._tidy()

    def _offer(self, names: dict[str, str], wish: str) -> None:
        """Let one of some designs be chosen, and choose one."""
        with self._silent():
            choice = self.inputs["design"]
            if choice.options != tuple(names.items()):
                choice.options = tuple(names.items())
            choice.value = wish

    def _offer_of(self, two: TwoStageSearch | None) -> None:
        """Offer the designs of a search, and keep the choice."""
        wish = self.inputs["design"].value
        timed = screen.quick(self._case) if self._case is not None else ()
        self._offer(screen.offered(two, wish, timed, screen.family_of(wish)), wish)

    def _tidy(self) -> None:
        """Let no hand change a number while the file's own law is in force."""
        for name, (number, _) in OWN.items():
            self.numbers[number].disable(self.inputs[f"own {name}"].value)
        rule = self.inputs["toxicity"].value
        for name in layout.TOXICITY:
            shown = rule != stopping.NONE and not (name == "crossing" and rule == stopping.COUNTS)
            self.numbers[name].show(shown)
        self.inputs["among"].layout.display = "" if self.inputs["counting"].value == "nonresponder" else "none"

    def _settings(self) -> Controls:
        """What the controls are set to; of a refused number, its last valid value."""
        now: dict[str, Any] = {name: number.value for name, number in self.numbers.items()}
        now |= {name: self.inputs[name].value for name in layout.CHOICES}
        before = controls.of(self._base).own
        return Controls(**now, own=frozenset(name for name in before if self.inputs[f"own {name}"].value))

    # hearing of a hand

    def _heard(self, name: str) -> None:
        """Show what a number that was changed makes of the trial."""
        if self._quiet:
            return
        self._remark = ""
        if name in self._home:
            self._keep_apart(name)
        self._show(asked=name in QUESTION)

    def _chosen(self, change: Any) -> None:
        """Show what a list or a checkbox that was changed makes of the trial."""
        if self._quiet:
            return
        self._remark = ""
        name = next(name for name, control in self.inputs.items() if control is change["owner"])
        section = name.removeprefix("own ")
        if section != name and change["new"]:  # the file's law again: with the file's number
            number = self.numbers[OWN[section][0]]
            number.set(getattr(controls.of(self._base), number.name))
        self._tidy()
        self._show()

    def _looked_at(self, change: Any) -> None:
        """Show the designs of another family: the first of its criteria."""
        if self._quiet:
            return
        self._remark = ""
        self._offer(*screen.first_of(change["new"]))
        self._show()

    def _search(self, _: widgets.Button) -> None:
        self.panels["status"].value = panels.told("Searching ...")
        self._show(patient=True)

    def _keep_apart(self, moved: str) -> None:
        """Push the other response rate away from one that was moved, and let it return as soon as it can.

        A rate has a home: the value that a hand or a file gave it. It stands there unless the other one is in the way,
        and then as near to it as p0 < p1 allows.
        """
        one = self.numbers[moved]
        other, sign, relation = (self.numbers["p1"], 1, "above") if moved == "p0" else (self.numbers["p0"], -1, "below")
        if one.fault:
            return
        if other.fault:  # which this one may have mended
            typed = other.typed()
            if typed is None or sign * (typed - one.value) <= 0:
                self._home[moved] = one.value
                return
            other.set(typed)
            self._home[other.name] = typed
        home = self._home[other.name]
        free = sign * (home - one.value) > 0
        target = home if free else round(one.value + sign * STEP, 6)
        if not 0 < target < 1:
            one.refuse(
                f"{entries.written(one.value)} leaves no room for {other.name}, which must be {relation} {moved}; "
                f"change {other.name} first"
            )
            return
        self._home[moved] = one.value
        if free and other.value != home:
            self._remark = f"{other.name} is back at {entries.written(home)}."
            other.set(home)
        elif not free:
            shift = f"moved from {entries.written(home)}: {other.name} must be {relation} {moved}"
            self._remark = (
                f"{other.name} was moved from {entries.written(home)} to {entries.written(target)}, because it must be "
                f"{relation} {moved}; it returns when {moved} allows it."
            )
            other.set(target, shift)

    def _opened(self, change: Any) -> None:
        """Open a parameter file, or explain in one line why it is refused and keep the page as it is."""
        if not change["new"]:
            return
        given = change["new"][0]
        name = one_line(str(given["name"]))
        self.inputs["file"].value = ()  # the same file can then be opened again
        try:
            trial = params.opened(bytes(given["content"]), name)
            base = controls.complete(trial)
            asked = Case.of(base)
            try:
                screen.answer(asked)  # a file that asks too much is refused whole, like one that is wrong
            except InputError as error:
                raise InputError(asked.told(error), f"{name}: trial.hypotheses.{error.field}") from None
        except InputError as error:
            self.panels["status"].value = panels.refused(error.lines, self._base.study.id, self._answer)
            self.inputs["file note"].value = panels.note(
                "file", f"Refused: {name}; see the top of the page", wrong=True
            )
            return
        self.inputs["file note"].value = ""
        self._base = base
        left = [] if trial.conduct else ["how the trial is run is not stated, so the settings of this page are used"]
        left += ["its results are ignored"] if trial.analysis else []
        self._fill()
        beyond = [f"{c.head} = {entries.written(c.value)}" for c in self.numbers.values() if c.beyond]
        left += [f"outside the range of the sliders, but used: {', '.join(beyond)}"] if beyond else []
        self._remark = f"Opened {'; '.join([name, *left])}."
        self._show()

    # showing

    def _show(self, *, asked: bool = False, patient: bool = False) -> None:
        """Compute and show everything.

        Parameters
        ----------
        asked : bool
            Whether the question has just changed, which a design that was given need not survive.
        patient : bool
            See `screen.answer`.
        """
        if any(number.fault for number in self.numbers.values()):
            self._hold("")
            return
        try:
            trial, found = self._answered(patient)
            given = found.design if trial.design.looks else None
            if asked and given is not None and not found.case.keeps:
                self._remark = f"{looks_text(given, ', ')} does not meet these limits: "
                self._remark += f"{CRITERIA[USUAL].name} is used instead."
                self._offer(*screen.first_of(""))
                trial, found = self._answered(patient)
            self._show_answer(trial, found)
        except InputError as error:
            self._hold(str(error))

    def _answered(self, patient: bool) -> tuple[Trial, Known]:
        trial = controls.applied(self._settings(), self._base)
        self._case = case = Case.of(trial, like=self._case)
        try:
            return trial, screen.answer(case, patient=patient)
        except InputError as error:
            raise InputError(case.told(error), error.field) from None

    def _show_answer(self, trial: Trial, found: Known) -> None:
        self._offer_of(found.two)
        self.inputs["search"].layout.display = "none" if found.two and found.design is not None else ""
        if found.design is None:
            self._wait(found)
            return
        plan = trial.plan(found.design)
        assert plan is not None  # a complete trial says how it is run
        done = screen.calendar(found.case)
        self.trial = trial
        self.page.remove_class("simtrial-held")
        self._answer = panels.status(found.case, found.design, done, self._remark)
        self.panels["status"].value = self._answer
        self.panels["candidates"].value = panels.candidates(found)
        self.panels["curves"].value = panels.curves(panels.compared(found, found.design), trial.requirements, trial)
        self.panels["decisions"].value = panels.decisions(found.design, plan, trial, bayesian.prior(found.case))
        self.panels["statement"].value = panels.statement(found, done)
        self.panels["toxicity"].value = "" if plan.toxicity_rule is None else panels.toxicity(found.design, plan, trial)
        self.panels["toxicity"].layout.display = "none" if plan.toxicity_rule is None else ""
        self.inputs["download"].value = panels.download(trial)
        self.panels["calendar"].value = panels.calendar(done, trial)

    def _wait(self, found: Known) -> None:
        """Show what is known of a question whose two-stage search waits to be asked for, and nothing older."""
        self.trial, self._answer = None, ""
        self.page.remove_class("simtrial-held")
        why = (
            f"A single stage needs {counted(found.single.first.n, 'patient')}. With this many patients the complete "
            "search takes several seconds. Press Search to start it, or choose a single-stage design."
        )
        self.panels["status"].value = panels.told(f"{self._remark} {why}".strip())
        for panel in self.panels.values():
            if panel is not self.panels["status"]:
                panel.value = ""
        self.panels["candidates"].value = panels.candidates(found)
        self.inputs["download"].value = ""

    def _hold(self, why: str) -> None:
        """Explain what is refused, and mark the results as those of the last valid input."""
        faults = [f"{number.head}: {number.fault}" for number in self.numbers.values() if number.fault]
        faults += [f"{self._remark} {PLACE.sub('', why)}".strip()] if why else []
        held: dict[str, str] = {}
        if self.trial is not None:
            shown = controls.of(self.trial)
            for name, number in self.numbers.items():
                hidden = name in layout.TOXICITY and shown.toxicity == stopping.NONE
                if not hidden and (number.fault or getattr(shown, name) != number.value):
                    held[number.head] = entries.written(getattr(shown, name))
            self.inputs["download"].value = panels.download(self.trial, held=True)
        else:
            self.panels["candidates"].value = ""
        self.page.add_class("simtrial-held")
        self.panels["status"].value = panels.held(faults, held, self._answer)
