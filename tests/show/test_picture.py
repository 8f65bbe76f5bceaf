"""Pictures: valid SVG with a text alternative, the same bytes again, and those that matplotlib would draw."""

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from simtrial.search import figures
from simtrial.show import bitmap
from simtrial.show.picture import DOTS, STYLE, Drawing


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


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 4), (40, 61, 4)])
def test_a_bitmap_is_read_back_as_it_was_with_its_dots_per_inch(shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    data = bitmap.png(pixels, 300)
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(image), pixels[:, :, :3])
    assert [round(dots) for dots in image.info["dpi"]] == [300, 300]
    assert bitmap.png(pixels, 300) == data


@pytest.mark.long
def test_the_bitmap_of_a_figure_is_that_which_matplotlib_writes(single, two):
    picture = figures.candidates(single, two, two.minimax)
    written = io.BytesIO()
    picture.figure.to_lay_out = True
    with mpl.rc_context(STYLE):
        picture.figure.savefig(written, format="png", dpi=DOTS, bbox_inches="tight")
    image = np.asarray(Image.open(written))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.png()))), image[:, :, :3])
    assert image[:, :, 3].min() == 255  # so nothing is lost with the alpha channel
    assert picture.png() == picture.png()
