"""The widgets of the explorer and where they stand: controls in groups on one side, results on the other."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.explorer.controls import Counting
    from simtrial.explorer.number_controls import NumberControl
    from simtrial.laws.losses import Among, Losses

QUESTION = ("p0", "p1", "alpha", "power")

PANELS = ("status", "candidates", "curves", "decisions", "calendar", "statement")
"""The results, from top to bottom."""

COUNTING: dict[str, Counting] = {
    "count as non-responders": "nonresponder",
    "replace by new patients": "replace",
    "exclude, planned bounds": "exclude fixed",
    "exclude, recalculated bounds": "exclude recut",
}
ACCRUAL = {"hold accrual": "hold", "continue accrual": "continue"}
LOSSES: dict[str, Losses] = {"on paper, every patient evaluable": "paper", "as the trial is run": "run"}
AMONG: dict[str, Among] = {"all enrolled patients": "enrolled", "evaluable patients": "evaluable"}
DECIDE = {"when every status is known": "complete", "as soon as the statuses known settle it": "known"}
OWN = {
    "dropout": ("dropout", "Dropout as in the file"),
    "enrollment": ("rate", "Enrollment as in the file"),
    "assessments": ("readout", "Assessments as in the file"),
}
"""Sections whose law may be the file's own: the number that it replaces, and the label of its checkbox."""

GROUPS = (
    ("The question", QUESTION),
    ("The design", ("design", "losses", "search")),
    ("Dropout", ("own dropout", "dropout", "counting", "among")),
    ("The calendar", ("own enrollment", "rate", "screening", "own assessments", "readout", "accrual", "decide")),
    ("Parameter file", ("file", "file note", "download")),
)


CHOICES = ("design", "losses", "counting", "among", "accrual", "decide")
"""The controls that are lists."""


def made() -> dict[str, Any]:
    """The controls that are not numbers."""
    inputs: dict[str, Any] = {
        "design": widgets.Dropdown(description="Design"),
        "counting": widgets.Dropdown(description="Patients without a response assessment", options=COUNTING),
        "losses": widgets.Dropdown(description="Alpha and power are to hold", options=LOSSES),
        "among": widgets.Dropdown(description="p0 is the response rate among", options=AMONG),
        "accrual": widgets.Dropdown(description="While the interim analysis is pending", options=ACCRUAL),
        "decide": widgets.Dropdown(description="An analysis takes place", options=DECIDE),
    }
    for name, (_, said) in OWN.items():
        inputs[f"own {name}"] = widgets.Checkbox(description=said, indent=False)
    inputs["search"] = widgets.Button(description="Search two stages")
    inputs["file"] = widgets.FileUpload(description="Open a parameter file", accept=".yaml,.yml")
    inputs["file note"] = widgets.HTML()
    inputs["download"] = widgets.HTML()
    for control in inputs.values():
        control.layout.width = "auto"
    return inputs


def laid_out(
    inputs: Mapping[str, Any], numbers: Mapping[str, NumberControl], panels: Mapping[str, widgets.HTML]
) -> widgets.Widget:
    """The page: a number stands with its slider and its note, every other control alone."""
    groups = []
    for title, names in GROUPS:
        head = widgets.HTML(f"<h2>{html.escape(title)}</h2>")
        rows = [numbers[name].row if name in numbers else inputs[name] for name in names]
        groups.append(_classed(widgets.VBox([head, *rows]), "simtrial-group"))
    for name, panel in panels.items():
        _classed(panel, f"simtrial-{name}")
    left = _classed(widgets.VBox(groups), "simtrial-controls")
    right = _classed(widgets.VBox(list(panels.values())), "simtrial-results")
    return _classed(widgets.HBox([left, right]), "simtrial-explorer")


def _classed(widget: widgets.Widget, name: str) -> widgets.Widget:
    widget.add_class(name)
    return widget
