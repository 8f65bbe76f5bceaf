"""The register of colours: every criterion is in it, and no two designs look the same."""

from dataclasses import replace

import pytest

from simtrial.design.designs import SingleStage, TwoStage
from simtrial.search import figures, simon
from simtrial.search.calendar import CALENDAR
from simtrial.search.criteria import CRITERIA
from simtrial.search.families import FAMILIES
from simtrial.show import inks


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_with_white(colour):
    return 1.05 / (luminance(colour) + 0.05)


def drawn_as(key):
    """The criteria of a family that is searched on request have the colour of their family."""
    family = FAMILIES[CRITERIA[key].family] if key in CRITERIA else None
    return family.key if family is not None and family.on_request else key


def test_every_criterion_has_a_colour_of_its_own():
    assert {*map(drawn_as, CRITERIA), *CALENDAR} <= set(inks.DESIGNS)
    every = [*inks.DESIGNS.values(), *inks.SPARE, *inks.RATES.values()]
    assert len({ink.colour for ink in every}) == len(every)


def test_no_two_designs_of_the_register_share_a_marker():
    markers = [ink.marker for ink in inks.DESIGNS.values()]
    assert len(set(markers)) == len(markers)


def test_a_criterion_that_is_added_later_gets_a_colour_nobody_has(monkeypatch):
    later = replace(simon.MINIMAX, key="en_p1", name="Smallest EN(p1)")
    monkeypatch.setitem(FAMILIES, "later", replace(simon.FAMILY, key="later", criteria=(later,)))
    assert "en_p1" in CRITERIA
    assert figures.ink("en_p1") == figures.ink("Smallest EN(p1)") == inks.SPARE[0]


@pytest.mark.parametrize("key", [*CRITERIA, *CALENDAR])
def test_a_design_looks_the_same_by_key_by_name_and_when_it_is_chosen(key):
    name = (CRITERIA.get(key) or CALENDAR[key]).name
    assert figures.ink(key) == figures.ink(name) == figures.ink("chosen", name) == inks.DESIGNS[drawn_as(key)]


def test_a_design_of_no_name_is_the_chosen_one():
    assert figures.ink("chosen") == inks.DESIGNS["chosen"]


def test_labels_without_a_name_are_drawn_apart():
    designs = [(name, TwoStage(r1=1, n1=10, r=5, n=29 + k)) for k, name in enumerate("abc")]
    drawn = figures.drawn_apart([*designs, ("d", designs[0][1]), ("Simon minimax", SingleStage(r=5, n=25))])
    assert [label.split(":")[0] for label, *_ in drawn] == ["a, d", "b", "c", "Simon minimax"]
    assert len({colour for *_, colour, _ in drawn}) == 4


@pytest.mark.parametrize("ink", [*inks.DESIGNS.values(), *inks.RATES.values()])
def test_letters_of_every_colour_are_read_on_white(ink):
    # 3:1 is what WCAG 2.2 asks of graphics and of large letters
    assert contrast_with_white(ink.text) >= 3


def test_the_explorer_marks_p0_and_p1_in_the_colours_of_the_register(root):
    style = (root / "simtrial/explorer/voila/templates/explorer/explorer.css").read_text(encoding="utf-8")
    for name, ink in inks.RATES.items():
        assert f"line.{name} {{ stroke: {ink.colour}; }}" in style


def test_both_rates_are_marked_in_their_colours_in_every_figure_over_a_rate(asked, two):
    for picture in (figures.endings(two.minimax, asked), figures.characteristics([("chosen", two.minimax)], asked)):
        for axis in picture.figure.axes:
            marked = {
                line.get_color(): line.get_xdata()[0]
                for line in axis.lines
                if line.get_color() in {ink.colour for ink in inks.RATES.values()}
            }
            assert marked == {inks.RATES["p0"].colour: asked.p0, inks.RATES["p1"].colour: asked.p1}


def test_layers_of_one_kind_stay_apart():
    shades = [inks.shade("#b8690f", light) for light in (0.0, 0.25, 0.5, 1.0)]
    assert [luminance(shade) for shade in shades] == sorted(luminance(shade) for shade in shades)
    assert len(set(shades)) == len(shades)
