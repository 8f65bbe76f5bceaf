"""The design explorer: controls on one side, on the other what they mean, exactly and at once.

The page is a set of ipywidgets that `notebooks/explorer.ipynb` shows and Voila serves. Its state is one trial, as a
parameter file would describe it: `simtrial.controls` turns settings into that trial, `simtrial.screen` computes it, and
this module only shows it. A control can hold nothing that a trial could not, so the only invalid thing that can reach
the page is a file, which is refused in the words of the command line.
"""

from __future__ import annotations

import html
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

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
    from simtrial.sections import Trial

STEP = 0.01
"""Step of the response rates, and the least distance between them."""

NUMBERS = {
    "p0": ("p0: response rate not worth pursuing", 0.01, 0.98, STEP, ".4"),
    "p1": ("p1: response rate worth finding", 0.02, 0.99, STEP, ".4"),
    "alpha": ("alpha: largest type I error, one-sided", 0.005, 0.25, 0.005, ".4"),
    "power": ("power: smallest, at p1", 0.5, 0.99, 0.01, ".4"),
    "dropout": ("Dropout: lost before the first assessment", 0.0, 0.5, 0.01, ".4"),
    "rate": ("Enrollment: patients screened a month", 0.1, 20.0, 0.1, ".5"),
    "readout": ("Readout: months until a status is known", 0.0, 24.0, 0.25, ".5"),
}
"""Sliders: label, least, most, step and how the value is written."""

COUNTING = {
    "count as non-responders": "nonresponder",
    "replace by new patients": "replace",
    "leave out, bounds fixed": "exclude fixed",
    "leave out, bounds recut": "exclude recut",
}
ACCRUAL = {"hold accrual": "hold", "continue": "continue"}
OWN = {
    "enrollment": ("rate", "Enrollment as in the file"),
    "assessments": ("readout", "Assessments as in the file"),
    "dropout": ("dropout", "Dropout as in the file"),
}
"""Sections whose law may be the file's own: the slider that it replaces, and what the box is called."""

GROUPS = (
    ("The question", ("p0", "p1", "alpha", "power")),
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
    trial : Trial
        What the screen shows, as a parameter file would say it; None while it cannot be shown.
    """

    def __init__(self) -> None:
        self._base = controls.complete(params.load(controls.START))
        self._remark = ""
        self._quiet = False
        self.trial: Trial | None = None
        self._inputs = self._controls()
        self._panels = {
            name: widgets.HTML() for name in ("status", "candidates", "curves", "decisions", "calendar", "statement")
        }
        for name, panel in self._panels.items():
            panel.add_class(f"simtrial-{name}")
        self.page = self._laid_out()
        self._fill(controls.of(self._base))
        self._show()

    # -- the controls --------------------------------------------------------------------------------------------

    def _controls(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            name: widgets.FloatSlider(description=said, min=low, max=high, step=step, readout_format=form)
            for name, (said, low, high, step, form) in NUMBERS.items()
        }
        made["design"] = widgets.Dropdown(description="Design taken")
        made["counting"] = widgets.Dropdown(description="Patients without a status", options=COUNTING)
        made["accrual"] = widgets.Dropdown(description="While the look is pending", options=ACCRUAL)
        made |= {f"own {name}": widgets.Checkbox(description=said, indent=False) for name, (_, said) in OWN.items()}
        for control in made.values():
            control.observe(self._moved, "value")
        made["search"] = widgets.Button(description="Search two stages")
        made["search"].on_click(lambda _: self._show(patient=True))
        made["file"] = widgets.FileUpload(description="Open a parameter file", accept=".yaml,.yml")
        made["file"].observe(self._opened, "value")
        made["download"] = widgets.HTML()
        for control in made.values():
            control.layout.width = "auto"
        return made

    def _laid_out(self) -> widgets.Widget:
        side = []
        for title, names in GROUPS:
            group = widgets.VBox([widgets.HTML(f"<h2>{html.escape(title)}</h2>"), *(self._inputs[n] for n in names)])
            group.add_class("simtrial-group")
            side.append(group)
        left, right = widgets.VBox(side), widgets.VBox(list(self._panels.values()))
        left.add_class("simtrial-controls")
        right.add_class("simtrial-results")
        page = widgets.HBox([left, right])
        page.add_class("simtrial-explorer")
        return page

    @contextmanager
    def _silent(self) -> Iterator[None]:
        """Set controls without hearing of it."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _fill(self, now: Controls) -> None:
        """Set every control; a slider too short for a file's value grows to hold it."""
        with self._silent():
            for name in NUMBERS:
                slider, value = self._inputs[name], getattr(now, name)
                _, low, high, _, _ = NUMBERS[name]
                with slider.hold_trait_notifications():
                    slider.min, slider.max = min(low, value), max(high, value)
                    slider.value = value
            self._inputs["counting"].value = now.counting
            self._inputs["accrual"].value = now.accrual
            for name, (slider, _) in OWN.items():
                box, there = self._inputs[f"own {name}"], name in controls.of(self._base).own
                box.value = name in now.own
                box.layout.display = "" if there else "none"
                self._inputs[slider].disabled = box.value
            self._offer({now.design: now.design}, now.design)

    def _offer(self, names: dict[str, str], wish: str) -> None:
        with self._silent():
            choice = self._inputs["design"]
            choice.options, choice.value = list(names.items()), wish

    def _settings(self) -> Controls:
        """What the controls say. A number not moved is the file's own, to its last digit."""
        before = controls.of(self._base)
        now: dict[str, Any] = {name: self._inputs[name].value for name in ("design", "counting", "accrual")}
        for name in NUMBERS:
            value, was = round(self._inputs[name].value, 6), getattr(before, name)
            now[name] = was if abs(value - was) < 1e-6 else value
        own = frozenset(name for name in OWN if name in before.own and self._inputs[f"own {name}"].value)
        return Controls(**now, own=own)

    def _moved(self, change: Any) -> None:
        if self._quiet:
            return
        moved = next(name for name, control in self._inputs.items() if control is change["owner"])
        self._remark = ""
        if moved in ("p0", "p1"):
            self._keep_apart(moved)
        for name, (slider, _) in OWN.items():
            self._inputs[slider].disabled = self._inputs[f"own {name}"].value
        self._show(asked=moved in ("p0", "p1", "alpha", "power"))

    def _keep_apart(self, moved: str) -> None:
        """Push the other rate away, so that p0 < p1 whatever a hand does."""
        with self._silent():
            p0, p1 = self._inputs["p0"], self._inputs["p1"]
            gap = p1.value - p0.value
            if gap < STEP / 2:
                if moved == "p0":
                    p0.value = min(p0.value, round(p1.max - STEP, 6))
                    p1.value = round(p0.value + STEP, 6)
                else:
                    p1.value = max(p1.value, round(p0.min + STEP, 6))
                    p0.value = round(p1.value - STEP, 6)

    def _opened(self, change: Any) -> None:
        """Take in a parameter file, or say in one line what is wrong with it and leave the screen as it is."""
        if not change["new"]:
            return
        given = change["new"][0]
        name = one_line(str(given["name"]))
        with self._inputs["file"].hold_trait_notifications():
            self._inputs["file"].value = ()  # the same file can then be opened again
        try:
            trial = params.opened(bytes(given["content"]), name)
            base = controls.complete(trial)
            screen.answer(base)  # a file that asks too much is refused whole, like one that is wrong
        except InputError as error:
            self._panels["status"].value = pages.told(str(error), wrong=True)
            return
        self._base = base
        left = [] if trial.conduct else ["it does not say how the trial is run: the page's own settings stand"]
        left += ["its results are left out"] if trial.analysis else []
        self._remark = f"Opened {name}" + "".join(f"; {words}" for words in left) + "."
        self._fill(controls.of(base))
        self._show()

    # -- the results ---------------------------------------------------------------------------------------------

    def _show(self, *, asked: bool = False, patient: bool = False) -> None:
        """Compute and show everything, numbers before curves.

        Parameters
        ----------
        asked : bool
            Whether the question has just changed, which a design that was given need not survive.
        patient : bool
            See `screen.answer`.
        """
        self.trial = None
        try:
            trial = controls.applied(self._settings(), self._base)
            found = screen.answer(trial, patient=patient)
            if asked and found.design is not None and trial.design.looks and not meets(found.design, trial.requirements):
                self._remark = f"{looks_text(found.design, ', ')} does not meet these limits: minimax is taken instead."
                self._offer({"minimax": "minimax"}, "minimax")
                trial = controls.applied(self._settings(), self._base)
                found = screen.answer(trial, patient=patient)
            self._show_answer(trial, found)
        except InputError as error:
            self._blank(str(error))

    def _show_answer(self, trial: Trial, found: Answer) -> None:
        wish = self._inputs["design"].value
        self._offer(screen.offered(found, wish), wish)
        self._inputs["search"].layout.display = "none" if found.two else ""
        self._panels["candidates"].value = pages.candidates(found)
        if found.design is None:
            self._blank(
                f"One stage needs {found.single.first.n} patients. A complete two-stage search of so many takes "
                "longer than a moment: press Search two stages, or take a single stage.",
                but="candidates",
            )
            return
        plan = trial.plan(found.design)
        assert plan is not None  # a complete trial says how it is run
        self.trial = trial
        self._panels["status"].value = pages.status(trial, found.design, self._remark)
        self._panels["curves"].value = pages.curves(pages.compared(found, found.design), trial.requirements)
        self._panels["decisions"].value = pages.decisions(found.design, plan)
        self._panels["statement"].value = pages.statement(found.design, trial, plan)
        self._inputs["download"].value = pages.download(trial)
        self._panels["calendar"].value = pages.calendar(screen.calendar(plan, trial), trial)

    def _blank(self, why: str, but: str = "") -> None:
        """Say why there is nothing to show, and show nothing old."""
        self._panels["status"].value = pages.told(f"{self._remark} {why}" if self._remark else why)
        for name, panel in self._panels.items():
            if name not in ("status", but):
                panel.value = ""
        self._inputs["download"].value = ""
