"""Pictures: valid SVG with a text alternative, the same bytes again, and those that matplotlib would draw."""

import io
import re
import threading
from xml.etree import ElementTree

import drawn
import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from simtrial import Requirements, search
from simtrial.design.designs import parse_looks
from simtrial.search import figures
from simtrial.show.picture import STYLE, Drawing, Picture, canvas, styled


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


@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        ((0.1, 0.3, 0.05, 0.8), "minimax"),
        ((0.2, 0.4, 0.1, 0.8), "optimal"),
        ((0.2, 0.6, 0.1, 0.8), "single_stage_first"),
        ((0.2, 0.35, 0.05, 0.8), "2:9/15,8:15/35,17/60"),
        ((0.3, 0.45, 0.05, 0.9), "optimal"),
    ],
)
def test_names_of_candidates_lie_on_nothing_and_are_whole(asked, choice):
    asked = Requirements(*asked)
    two, single = search.two_stage(asked), search.single_stage(asked)
    chosen = parse_looks(choice) if "/" in choice else search.choose(asked, choice)
    figure = figures.candidates(single, two, chosen).figure
    assert not drawn.unreadable(figure)
    assert sum("chosen" in text for text, _ in drawn.texts(figure)) == 1


def test_an_svg_names_fonts_that_other_machines_have_and_escapes_its_texts():
    figure, (axis,) = canvas(1, 4.0, 3.0)
    axis.set_title("5 < 6 & more")
    svg = Picture("x", 'A "b" < c', figure).svg()
    assert "font-family: 'DejaVu Sans', Verdana, Geneva, sans-serif" in svg
    assert not re.search(r"font[^;\"]*'DejaVu Sans'(?!, Verdana)", svg)
    assert "5 &lt; 6 &amp; more</text>" in svg
    assert ElementTree.fromstring(svg).find("{http://www.w3.org/2000/svg}title").text == 'A "b" < c'


def test_references_within_an_svg_are_to_its_own_parts(single, two):
    found = re.findall(r'xlink:href="(.*?)"', figures.candidates(single, two, two.minimax).svg())
    assert found
    assert all(one.startswith("#") for one in found)


@pytest.mark.long
def test_a_bitmap_has_300_dots_per_inch_names_no_program_and_has_the_same_bytes_again(single, two, monkeypatch):
    picture = figures.candidates(single, two, two.minimax)
    data = picture.png()
    image = Image.open(io.BytesIO(data))
    assert [round(dots) for dots in image.info["dpi"]] == [300, 300]
    assert "Software" not in image.info
    # cropped to what is drawn, which a margin of 0.1 inches surrounds
    width = picture.figure.get_size_inches()[0]
    assert 0.8 * width < image.size[0] / 300 < width + 0.2
    assert picture.png() == data
    monkeypatch.setattr(Drawing, "draw", Figure.draw)
    assert picture.png() == data


def test_two_threads_draw_one_after_the_other_and_the_settings_of_matplotlib_stay():
    before = {key: mpl.rcParams[key] for key in STYLE}
    entered, seen = threading.Event(), []

    def draw():
        entered.set()
        with styled():
            seen.append("second")

    with styled():
        thread = threading.Thread(target=draw)
        thread.start()
        entered.wait()
        thread.join(0.05)  # time in which it would begin if it did not wait
        seen.append("first")
    thread.join()
    assert seen == ["first", "second"]
    assert {key: mpl.rcParams[key] for key in STYLE} == before


def test_every_figure_is_drawn_in_the_style_by_one_thread_at_a_time(root):
    elsewhere = [path for path in (root / "simtrial").rglob("*.py") if "rc_context" in path.read_text(encoding="utf-8")]
    assert [path.name for path in elsewhere] == ["picture.py"]
