"""Pictures: valid SVG with a text alternative, the same bytes again, and those that matplotlib would draw."""

import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from simtrial.search import figures
from simtrial.show.picture import Drawing


@pytest.mark.long
@pytest.mark.parametrize("cropped", [True, False])
@pytest.mark.parametrize("engine", ["constrained", "none"])
def test_a_figure_drawn_once_is_that_which_matplotlib_draws_twice(cropped, engine, single, two, monkeypatch):
    def drawn():
        picture = figures.candidates(single, two, two.minimax)
        picture.figure.set_layout_engine(engine)
        return picture.svg(cropped=cropped)

    once = drawn()
    monkeypatch.setattr(Drawing, "draw", Figure.draw)
    assert drawn() == once


@pytest.mark.long
@pytest.mark.parametrize("which", ["candidates", "characteristics", "endings", "saw"])
def test_figures_are_valid_svg_with_a_text_alternative_and_the_same_bytes_again(which, single, two, asked):
    def draw():
        if which == "candidates":
            return figures.candidates(single, two, two.minimax)
        if which == "characteristics":
            return figures.characteristics([("a", two.minimax), ("b", single.first), ("c", two.minimax)], asked)
        return figures.endings(two.minimax, asked) if which == "endings" else figures.saw(single)

    first, second = draw().svg(), draw().svg()
    assert first == second
    drawing = ElementTree.fromstring(first)
    assert drawing.find("{http://www.w3.org/2000/svg}title").text == draw().alt
    assert not re.search(r"(href|src)=\"http", first)
