"""The widgets of the explorer and where they stand: controls in groups on one side, results on the other."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from simtrial import glossary
from simtrial.explorer import screen, stopping, terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.explorer.controls import Counting
    from simtrial.explorer.number_controls import NumberControl
    from simtrial.laws.losses import Among, Losses

QUESTION = ("p0", "p1", "alpha", "power")

TOXICITY = tuple(stopping.NUMBERS)

PANELS = ("status", "candidates", "curves", "decisions", "toxicity", "calendar", "statement")
"""The results, from top to bottom."""

COUNTING: dict[str, Counting] = {
    "count as non-responders": "nonresponder",
    "replace by new patients": "replace",
    "exclude, planned bounds": "exclude/fixed",
    "exclude, recalculated bounds": "exclude/recut",
}
ACCRUAL = {"hold accrual": "hold", "continue accrual": "continue"}
LOSSES: dict[str, Losses] = {"on paper, every patient evaluable": "paper", "as the trial is run": "run"}
AMONG: dict[str, Among] = {"all enrolled patients": "enrolled", "evaluable patients": "evaluable"}
DECIDE = {"when every response is known": "complete", "as soon as its result is certain": "known"}
OWN = {
    "dropout": ("dropout", "Dropout"),
    "enrollment": ("rate", "Enrollment"),
    "assessments": ("readout", "Assessments"),
}
"""Sections whose law may be the file's own: the number that it replaces, and its name."""

GROUPS = (
    ("The question", QUESTION),
    ("The design", ("family", "design", "losses", "search")),
    ("Stopping for toxicity", ("toxicity", *TOXICITY)),
    ("Dropout", ("own dropout", "dropout", "counting", "among")),
    ("The calendar", ("own enrollment", "rate", "screening", "own assessments", "readout", "accrual", "decide")),
    (glossary.head("parameter_file"), ("file", "file note", "download")),
)


NAMED: dict[str, tuple[str, Mapping[str, str]]] = {
    "design": ("design", {}),
    "losses": ("limits_hold", LOSSES),
    "toxicity": ("toxicity_rule", {"none": stopping.NONE}),
    "counting": ("handling", COUNTING),
    "among": ("p0_among", AMONG),
    "accrual": ("accrual", ACCRUAL),
    "decide": ("decide", DECIDE),
}
"""The controls that are lists: the term of the glossary that names each, and its entries."""

CHOICES = tuple(NAMED)


def made() -> dict[str, Any]:
    """The controls that are not numbers."""
    named = glossary.TERMS
    inputs: dict[str, Any] = {
        name: widgets.Dropdown(description=named[key].head, tooltip=named[key].meaning, options=entries)
        for name, (key, entries) in NAMED.items()
    }
    family, own = named["family"], named["own_law"]
    inputs["family"] = widgets.Dropdown(description=family.head, tooltip=family.meaning, options=screen.menu())
    for name, (_, head) in OWN.items():
        inputs[f"own {name}"] = widgets.Checkbox(description=f"{head} {own.head}", tooltip=own.meaning, indent=False)
    search, file = named["two_stage_search"], named["parameter_file"]
    inputs["search"] = widgets.Button(description=search.head, tooltip=search.meaning)
    inputs["file"] = widgets.FileUpload(description="Open a parameter file", tooltip=file.meaning, accept=".yaml,.yml")
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
    folded = _classed(widgets.HTML(terms.page()), "simtrial-glossary")
    right = _classed(widgets.VBox([*panels.values(), folded]), "simtrial-results")
    return _classed(widgets.HBox([left, right]), "simtrial-explorer")


def _classed(widget: widgets.Widget, name: str) -> widgets.Widget:
    widget.add_class(name)
    return widget
