"""The design explorer: controls on one side, on the other what they mean, exactly and at once.

The page is a set of ipywidgets that `notebooks/explorer.ipynb` shows and Voila serves. Its state is one trial, as a
parameter file would describe it: `simtrial.controls` turns settings into that trial, `simtrial.screen` computes it,
`simtrial.explorer_pages` writes it, and this module only moves widgets. A control can hold nothing that a trial could
not, so the only invalid thing that can reach the page is a file, which is refused in the words of the command line.
"""

from __future__ import annotations

import html
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from scipy import optimize, stats  # noqa: F401 - laws of the calendar want them: loaded before anybody waits

from simtrial import controls, params, screen
from simtrial import explorer_pages as pages
from simtrial.controls import Controls
from simtrial.designs import looks_text
from simtrial.errors import InputError
from simtrial.exact import meets
from simtrial.terminal import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.screen import Answer
    from simtrial.search import TwoStageSearch
    from simtrial.sections import Trial

STEP = 0.01
"""Step of the response rates, and how far one that meets the other pushes it."""

NUMBERS = {
    "p0": ("p0: response rate not worth pursuing", 0.01, 0.98, STEP),
    "p1": ("p1: response rate worth finding", 0.02, 0.99, STEP),
    "alpha": ("alpha: largest type I error, one-sided", 0.005, 0.25, 0.005),
    "power": ("power: smallest, at p1", 0.5, 0.99, 0.01),
    "dropout": ("Dropout: lost before the first assessment", 0.0, 0.5, 0.01),
    "rate": ("Enrollment: patients screened a month", 0.1, 20.0, 0.1),
    "readout": ("Readout: months until a status is known", 0.0, 24.0, 0.25),
}
"""Numbers, each with its slider: label, least, most, step."""

QUESTION = ("p0", "p1", "alpha", "power")

COUNTING = {
    "count as non-responders": "nonresponder",
    "replace by new patients": "replace",
    "leave out, bounds fixed": "exclude fixed",
    "leave out, bounds recut": "exclude recut",
}
ACCRUAL = {"hold accrual": "hold", "continue": "continue"}
OWN = {
    "dropout": ("dropout", "Dropout as in the file"),
    "enrollment": ("rate", "Enrollment as in the file"),
    "assessments": ("readout", "Assessments as in the file"),
}
"""Sections whose law may be the file's own: the number that it stands in for, and what its box is called."""

GROUPS = (
    ("The question", QUESTION),
    ("The design", ("design", "search")),
    ("Losses", ("own dropout", "dropout", "counting")),
    ("The calendar", ("own enrollment", "rate", "own assessments", "readout", "accrual")),
    ("Parameter file", ("file", "download")),
)


class Explorer:
    """The page.

    Attributes
    ----------
    page : ipywidgets.Widget
        What is shown.
    inputs, sliders, panels : dict of str to ipywidgets.Widget
        The controls, the sliders of the numbers among them, and what is shown beside them.
    trial : Trial or None
        What the screen shows, as a parameter file would say it; None while there is nothing to show.
    """

    def __init__(self) -> None:
        self._base = controls.complete(params.load(controls.START))
        self._remark = ""
        self._quiet = False
        self._known: TwoStageSearch | None = None
        self.trial: Trial | None = None
        self.inputs, self.sliders = self._made()
        self.panels = {
            name: widgets.HTML() for name in ("status", "candidates", "curves", "decisions", "calendar", "statement")
        }
        self.page = self._laid_out()
        self._fill()
        self._show()

    # making and laying out

    def _made(self) -> tuple[dict[str, Any], dict[str, Any]]:
        inputs: dict[str, Any] = {}
        sliders: dict[str, Any] = {}
        for name, (said, low, high, step) in NUMBERS.items():
            inputs[name] = widgets.BoundedFloatText(description=said, min=low, max=high, step=step)
            sliders[name] = widgets.FloatSlider(description=said, min=low, max=high, step=step, readout=False)
            sliders[name].observe(self._slid, "value")
        inputs["design"] = widgets.Dropdown(description="Design taken")
        inputs["counting"] = widgets.Dropdown(description="Patients without a status", options=COUNTING)
        inputs["accrual"] = widgets.Dropdown(description="While the look is pending", options=ACCRUAL)
        for name, (_, said) in OWN.items():
            inputs[f"own {name}"] = widgets.Checkbox(description=said, indent=False)
        for control in inputs.values():
            control.observe(self._moved, "value")
        inputs["search"] = widgets.Button(description="Search two stages")
        inputs["search"].on_click(self._search)
        inputs["file"] = widgets.FileUpload(description="Open a parameter file", accept=".yaml,.yml")
        inputs["file"].observe(self._opened, "value")
        inputs["download"] = widgets.HTML()
        for control in (*inputs.values(), *sliders.values()):
            control.layout.width = "auto"
        return inputs, sliders

    def _laid_out(self) -> widgets.Widget:
        groups = []
        for title, names in GROUPS:
            head = widgets.HTML(f"<h2>{html.escape(title)}</h2>")
            groups.append(_classed(widgets.VBox([head, *map(self._row, names)]), "simtrial-group"))
        for name, panel in self.panels.items():
            _classed(panel, f"simtrial-{name}")
        left = _classed(widgets.VBox(groups), "simtrial-controls")
        right = _classed(widgets.VBox(list(self.panels.values())), "simtrial-results")
        return _classed(widgets.HBox([left, right]), "simtrial-explorer")

    def _row(self, name: str) -> widgets.Widget:
        """A control; a number together with its slider."""
        if name not in NUMBERS:
            return self.inputs[name]
        return _classed(widgets.HBox([self.inputs[name], self.sliders[name]]), "simtrial-number")

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
        """Set every control to what the file says; one too narrow for that grows to hold it."""
        now = controls.of(self._base)
        with self._silent():
            for name, (_, low, high, _) in NUMBERS.items():
                value = getattr(now, name)
                for control in (self.inputs[name], self.sliders[name]):
                    with control.hold_trait_notifications():
                        control.min, control.max = min(low, value), max(high, value)
                        control.value = value
            self.inputs["counting"].value, self.inputs["accrual"].value = now.counting, now.accrual
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
        self._offer(screen.offered(two, wish), wish)

    def _tidy(self) -> None:
        """Bring each slider to where its number is; a number stands still while the file's own law is in force."""
        with self._silent():
            for name, slider in self.sliders.items():
                # a slider that is there to the last bit but one is left alone: a hand may be on it
                if abs(slider.value - self.inputs[name].value) > 1e-6:
                    slider.value = self.inputs[name].value
            for name, (number, _) in OWN.items():
                for control in (self.inputs[number], self.sliders[number]):
                    control.disabled = self.inputs[f"own {name}"].value

    def _settings(self) -> Controls:
        """What the controls say."""
        now: dict[str, Any] = {n: self.inputs[n].value for n in (*NUMBERS, "design", "counting", "accrual")}
        before = controls.of(self._base).own
        return Controls(**now, own=frozenset(name for name in before if self.inputs[f"own {name}"].value))

    # hearing of a hand

    def _slid(self, change: Any) -> None:
        """Set the number of a slider that was moved.

        A browser rounds what it is given to the steps of its slider, and says so as if a hand had moved it: a slider
        that is on the step nearest to its number has not moved.
        """
        if self._quiet:
            return
        name = next(name for name, slider in self.sliders.items() if slider is change["owner"])
        low, step = change["owner"].min, NUMBERS[name][3]
        now, before = (round((value - low) / step) for value in (change["new"], self.inputs[name].value))
        if now != before:
            self.inputs[name].value = round(low + now * step, 6)

    def _moved(self, change: Any) -> None:
        """Show what a control that was moved makes of the trial."""
        if self._quiet:
            return
        name = next(name for name, control in self.inputs.items() if control is change["owner"])
        self._remark = ""
        if name in ("p0", "p1"):
            self._keep_apart(name)
        self._tidy()
        self._show(asked=name in QUESTION)

    def _search(self, _: widgets.Button) -> None:
        self.panels["status"].value = pages.told("Searching two stages ...")
        self._show(patient=True)

    def _keep_apart(self, moved: str) -> None:
        """Push the other rate away, so that p0 < p1 whatever a hand does."""
        p0, p1 = self.inputs["p0"], self.inputs["p1"]
        if p0.value < p1.value:
            return
        with self._silent():
            if moved == "p0":
                p0.value = min(p0.value, round(p1.max - STEP, 6))
                p1.value = round(p0.value + STEP, 6)
                self._remark = f"p1 went along, to {p1.value:g}: it has to be above p0."
            else:
                p1.value = max(p1.value, round(p0.min + STEP, 6))
                p0.value = round(p1.value - STEP, 6)
                self._remark = f"p0 went along, to {p0.value:g}: it has to be below p1."

    def _opened(self, change: Any) -> None:
        """Take in a parameter file, or say in one line what is wrong with it and leave the screen as it is."""
        if not change["new"]:
            return
        given = change["new"][0]
        name = one_line(str(given["name"]))
        self.inputs["file"].value = ()  # the same file can then be opened again
        try:
            trial = params.opened(bytes(given["content"]), name)
            base = controls.complete(trial)
            try:
                screen.answer(base)  # a file that asks too much is refused whole, like one that is wrong
            except InputError as error:
                raise InputError(error.message, f"{name}: trial.hypotheses.{error.field}") from None
        except InputError as error:
            self.panels["status"].value = pages.told(str(error), wrong=True)
            return
        self._base = base
        left = [] if trial.conduct else ["it does not say how the trial is run: the page's own settings stand"]
        left += ["its results are left out"] if trial.analysis else []
        self._remark = f"Opened {'; '.join([name, *left])}."
        self._fill()
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
        self.trial = None
        try:
            trial, found = self._answered(patient)
            given = found.design if trial.design.looks else None
            if asked and given is not None and not meets(given, trial.requirements):
                self._remark = f"{looks_text(given, ', ')} does not meet these limits: minimax is taken instead."
                self._offer({"minimax": "minimax"}, "minimax")
                trial, found = self._answered(patient)
            self._show_answer(trial, found)
        except InputError as error:
            self._offer_of(None)
            self._blank(str(error))

    def _answered(self, patient: bool) -> tuple[Trial, Answer]:
        trial = controls.applied(self._settings(), self._base)
        found = screen.answer(trial, known=self._known, patient=patient)
        self._known = found.two
        return trial, found

    def _show_answer(self, trial: Trial, found: Answer) -> None:
        self._offer_of(found.two)
        self.inputs["search"].layout.display = "none" if found.two else ""
        self.panels["candidates"].value = pages.candidates(found)
        if found.design is None:
            self._blank(
                f"One stage needs {found.single.first.n} patients. A complete two-stage search of so many takes "
                "longer than a moment: press Search two stages, or take a single stage.",
                but="candidates",
            )
            return
        plan = trial.plan(found.design)
        assert plan is not None  # a complete trial says how it is run
        done = screen.calendar(plan, trial)
        self.trial = trial
        self.panels["status"].value = pages.status(trial, found.design, done, self._remark)
        self.panels["curves"].value = pages.curves(pages.compared(found, found.design), trial.requirements)
        self.panels["decisions"].value = pages.decisions(found.design, plan)
        self.panels["statement"].value = pages.statement(found.design, trial, plan)
        self.inputs["download"].value = pages.download(trial)
        self.panels["calendar"].value = pages.calendar(done, trial)

    def _blank(self, why: str, but: str = "") -> None:
        """Say why there is nothing to show, and show nothing old."""
        self.panels["status"].value = pages.told(f"{self._remark} {why}".strip())
        for name, panel in self.panels.items():
            if name not in ("status", but):
                panel.value = ""
        self.inputs["download"].value = ""


def _classed(widget: widgets.Widget, name: str) -> widgets.Widget:
    widget.add_class(name)
    return widget
