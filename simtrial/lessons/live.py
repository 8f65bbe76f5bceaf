"""Controls above a picture: sliders and menus in a notebook, and the default picture where there are none.

A control is a default, a range and a label. `controls` ties some of them to a function that draws; the object it gives
shows itself in a notebook. Where a person sits at the front end it shows what to do (`HINTS`), the controls, and under
them the picture, drawn again whenever a control moves. Where a program runs the notebook (papermill, nbconvert) it
shows the picture at the defaults and nothing else, so that paper has no instruction that cannot be followed.
"""

from __future__ import annotations

import html
import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from simtrial import glossary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simtrial.show.picture import Picture

DIGITS = 10
"""Rates are rounded to this many digits: a slider that adds up its steps gives 0.30000000000000004."""

TICK = 300
"""Milliseconds from one step to the next while a control plays by itself: longer than it takes to draw."""


HINTS = {
    "one_test": "Change n by one patient and watch the bound.",
    "saw": "Drag p1 and watch the first and the sustained n.",
    "course": "Press play, or move the month. Each trial number is another trial at the same true rate.",
    "cloud": "Press play, or move the number of trials.",
    "hull": "Move the weight q: the dotted line turns and touches another design.",
    "saved": "Drag p1: all designs become smaller, and the grey area with them.",
    "number": "Change what is made small, then drag p1 and compare the first two bars with the others.",
    "price": "Move the acceptable rate or the probability of crossing, and watch the power in the second bar.",
    "by_hand": "Place your bets: with how many toxicities would you stop? Then move the true rate.",
    "shapes": "Move the unacceptable rate: which boundary crosses more often, and which one earlier?",
    "tested": "Move the rates and watch where the dashed curve leaves its limit.",
    "errors": "Move the probability of dropout, then change who drops out.",
    "learnt": "Move the responses, then the effective sample size: which of the two curves does the posterior follow?",
    "opinions": "Move the effective sample size of the two strong priors, and watch the bounds and the bars.",
    "sharpened": "Move the point along the dashed curve: where is the type I error twice alpha?",
    "mended": "Move the threshold: how many patients does each value need? Then make the prior sharper.",
    "judged": "Move the true rate to 0.4: do the three priors still disagree about the same patients?",
    "searched": "Move the probability of dropout and watch which designs keep both limits.",
}
"""What to do with the controls of a picture, by the function that draws it; shown with the controls only."""


class Handles(NamedTuple):
    """The widgets of one control, those to listen to, and how to read its value off them."""

    shown: Sequence[Any]
    moving: Sequence[Any]
    read: Callable[[], Any]


class Control(Protocol):
    """A value that a person can change."""

    @property
    def value(self) -> Any:
        """Where it stands at first."""
        ...

    def handles(self) -> Handles:
        """Make its widgets."""
        ...


def _slider(kind: str, label: str, **more: Any) -> Any:
    import ipywidgets

    style = {"description_width": "initial"}
    layout = ipywidgets.Layout(width="26em", margin="2px 1.5em 2px 2px")
    term = glossary.explained(label)
    tooltip = term.meaning if term is not None and term.meaning else label
    return getattr(ipywidgets, kind)(description=label, tooltip=tooltip, style=style, layout=layout, **more)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within limits."""

    label: str
    value: int
    least: int
    most: int

    def handles(self) -> Handles:
        """Make a slider."""
        slider = _slider("IntSlider", self.label, value=self.value, min=self.least, max=self.most)
        return Handles([slider], [slider], lambda: int(slider.value))


@dataclass(frozen=True, slots=True)
class Rate:
    """A number within limits, in steps."""

    label: str
    value: float
    least: float = 0.0
    most: float = 1.0
    _: KW_ONLY
    step: float = 0.01

    def handles(self) -> Handles:
        """Make a slider."""
        slider = _slider(
            "FloatSlider", self.label, value=self.value, min=self.least, max=self.most, step=self.step,
            readout_format=".3f" if self.step < 0.01 else ".2f",
        )  # fmt: skip
        return Handles([slider], [slider], lambda: round(float(slider.value), DIGITS))


@dataclass(frozen=True, slots=True)
class Rates:
    """Two rates that stay apart, the lower one first: each pushes the other along."""

    labels: tuple[str, str]
    value: tuple[float, float]
    apart: float
    least: float = 0.01
    _: KW_ONLY
    most: float = 0.95
    step: float = 0.01

    def handles(self) -> Handles:
        """Make two sliders."""
        ends = ((self.least, self.most - self.apart), (self.least + self.apart, self.most))
        low, high = (
            _slider("FloatSlider", label, value=at, min=least, max=most, step=self.step, readout_format=".2f")
            for label, at, (least, most) in zip(self.labels, self.value, ends, strict=True)
        )

        def push_up(change: Any) -> None:
            high.value = max(high.value, round(change.new + self.apart, DIGITS))

        def push_down(change: Any) -> None:
            low.value = min(low.value, round(change.new - self.apart, DIGITS))

        low.observe(push_up, "value")
        high.observe(push_down, "value")
        return Handles([low, high], [low, high], lambda: tuple(round(float(s.value), DIGITS) for s in (low, high)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values, each with its words; the first at first, or the one named."""

    label: str
    options: Mapping[str, Any]
    chosen: str | None = None

    @property
    def value(self) -> Any:
        """Where it stands at first."""
        return next(iter(self.options.values())) if self.chosen is None else self.options[self.chosen]

    def handles(self) -> Handles:
        """Make a menu."""
        menu = _slider("Dropdown", self.label, options=list(self.options.items()), value=self.value)
        return Handles([menu], [menu], lambda: menu.value)


@dataclass(frozen=True, slots=True)
class Stops:
    """Values in order, stepped through by hand or automatically; paper shows the last."""

    label: str
    values: Sequence[float]

    @property
    def value(self) -> float:
        """The last."""
        return self.values[-1]

    def handles(self) -> Handles:
        """Make a slider, and a player that moves it."""
        import ipywidgets

        options = [(f"{value:g}", value) for value in self.values]
        slider = _slider("SelectionSlider", self.label, options=options, value=self.values[0])
        player = ipywidgets.Play(max=len(options) - 1, interval=TICK, description=f"Play {self.label}")
        # within the browser, so that playing goes on at its pace while the kernel draws
        ipywidgets.jslink((player, "value"), (slider, "index"))
        return Handles([player, slider], [slider], lambda: slider.value)


PAD = 0.1
"""Inches left free around panels, so that labels which grow by a digit still find room."""


WIDEST = 630.0
"""Points that a cell of JupyterLab has beside its file list on a screen of 1,280 pixels: it cuts off what is wider."""


class Frame:
    """The place of pictures of one kind: neither the page nor a panel moves when one replaces another.

    To find places for panels costs as much as to draw them, so they are found once for each make-up of a figure.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[Any, ...], list[Any]] = {}

    def hang(self, picture: Picture) -> Hung:
        """Draw a picture at its full size, its panels where those of its predecessors were."""
        figure = picture.figure
        kind = (
            *figure.get_size_inches(),
            len(figure.axes),
            figure.get_suptitle().count("\n"),
            *(len(legend.get_texts()) for legend in figure.legends),
        )
        if kind in self._places:
            figure.set_layout_engine("none")
            for axes, place in zip(figure.axes, self._places[kind], strict=True):
                axes.set_position(place)
        else:
            figure.set_layout_engine("constrained", w_pad=PAD, h_pad=PAD)
        svg = picture.svg(cropped=False)
        self._places.setdefault(kind, [axes.get_position() for axes in figure.axes])
        width, height = figure.get_size_inches()
        points = min(72 * width, WIDEST)
        size = f'width="{points:g}pt" height="{points * height / width:g}pt"'
        return Hung(picture, re.sub(r'width="[^"]*" height="[^"]*"', size, svg, count=1))


@dataclass(frozen=True, slots=True)
class Hung:
    """A picture as a frame shows it."""

    picture: Picture
    svg: str

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        return {"image/svg+xml": self.svg, "text/plain": self.picture.alt}, {"simtrial": {"name": self.picture.name}}


class Live:
    """A picture under controls; see `controls`."""

    def __init__(self, draw: Callable[..., Picture], given: Mapping[str, Any]) -> None:
        self._draw = draw
        self._fixed = {name: value for name, value in given.items() if not hasattr(value, "handles")}
        self._controls: dict[str, Control] = {name: c for name, c in given.items() if name not in self._fixed}

    def picture(self, **values: Any) -> Picture:
        """The picture with every control at its default, but for those given."""
        defaults = {name: control.value for name, control in self._controls.items()}
        return self._draw(**self._fixed, **(defaults | values))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if not attended():
            display(self.picture())
            return
        self.show()

    def show(self) -> Any:
        """Show the controls, and the picture under them; give the box of widgets."""
        import ipywidgets
        from IPython.display import display, publish_display_data

        made = {name: control.handles() for name, control in self._controls.items()}
        hint = HINTS.get(getattr(self._draw, "__name__", ""))
        first = [ipywidgets.HTML(f"<p>{html.escape(hint)}</p>", layout={"width": "100%"})] if hint else []
        box = ipywidgets.HBox(
            [*first, *(widget for handles in made.values() for widget in handles.shown)],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        # its own plain text would be a page of widget names where widgets are not known
        if made:
            publish_display_data(box._repr_mimebundle_() | {"text/plain": ""})
        values = {name: handles.read() for name, handles in made.items()}
        frame = Frame()
        picture = display(frame.hang(self.picture(**values)), display_id=True)

        def redraw(_: Any) -> None:
            # where one control pushes another both report, and once is enough
            if (now := {name: handles.read() for name, handles in made.items()}) != values:
                values.update(now)
                picture.update(frame.hang(self.picture(**now)))

        for handles in made.values():
            for widget in handles.moving:
                widget.observe(redraw, "value")
        return box


def controls(draw: Callable[..., Picture], **given: Any) -> Live:
    """Tie controls to a function that draws.

    Parameters
    ----------
    draw : callable
        Takes the names given, and draws.
    **given
        For each of its arguments a control, or a value that stays.

    Returns
    -------
    Live
        To be shown as the last line of a cell.
    """
    return Live(draw, given)


def attended() -> bool:
    """Whether somebody sits at the front end that asked for the cell.

    The kernel's messages say so: a front end with a person can ask back for input, a program that runs notebooks sends
    `allow_stdin` as false (the Jupyter messaging protocol, "Execute").
    """
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and bool(kernel.get_parent("shell").get("content", {}).get("allow_stdin"))
