"""A document to hand in, as HTML and as JSON."""

import json

import numpy as np
import pandas as pd
import pytest

from simtrial.phrases import around_placeholders, placeholders, to_complete
from simtrial.show.document import Chapter, Document, FormulaLine, Listing, Points
from simtrial.show.table import Table


@pytest.fixture
def table():
    frame = pd.DataFrame({"n": [25, 29], "rate": [1 / 3, np.nan], "who": ["<b>", to_complete("who")]})
    return Table(
        "sizes", "Sizes & <rates>", frame, {"n": ("n", "{}"), "rate": ("Rate", "{:.3f}"), "who": ("Who", "{}")}
    )


@pytest.fixture
def document(table):
    chapters = (
        Chapter(number="10", title="Statistics", code="C218625"),
        Chapter(
            number="10.11",
            title="Size <n>",
            level=2,
            blocks=(
                f"By {to_complete('whom')}, not by {to_complete('whom')}.",
                Points(("a < b", to_complete("a point"))),
                FormulaLine("P(X > r)"),
                Listing("simtrial design --p0 .1"),
                table,
            ),
        ),
    )
    return Document(name="protocol", title="A & B", study="X1", lead=("What it is.",), chapters=chapters, origin="here")


def test_a_placeholder_is_listed_once_a_section_in_reading_order(document):
    assert [(one["section"], one["missing"]) for one in document.to_complete()] == [
        ("10.11", "whom"),
        ("10.11", "a point"),
        ("10.11", "who"),
    ]


def test_brackets_in_what_is_missing_do_not_end_a_placeholder():
    assert placeholders(f"x {to_complete('the [second] reader')} y") == ["the (second) reader"]


@pytest.mark.parametrize("text", ["", "none", "[TO COMPLETE: a]", "[TO COMPLETE: a] b [TO COMPLETE: c]", "a [b] c"])
def test_the_pieces_around_placeholders_make_up_the_text(text):
    pieces = around_placeholders(text)
    assert "".join(piece for piece, _ in pieces) == text
    assert [piece for piece, mark in pieces if mark] == [to_complete(missing) for missing in placeholders(text)]


def test_html_shows_every_text_escaped_and_marks_placeholders(document):
    shown = document.html()
    assert '<h3 id="section-2">10.11 Size &lt;n&gt;</h3>' in shown
    assert "<mark>[TO COMPLETE: whom]</mark>" in shown
    assert "<b>" not in shown
    assert "<li>a &lt; b</li>" in shown


def test_json_holds_tables_as_shown_and_at_full_precision(document):
    plain = json.loads(json.dumps(document.plain(), allow_nan=False))
    header, size = plain["sections"]
    assert (header["section"], header["code"], header["content"]) == ("10", "C218625", [])
    shown = size["content"][-1]
    assert shown["rows"][0] == ["25", "0.333", "<b>"]
    # fifteen decimals are what pandas writes at most
    assert shown["data"][0]["rate"] == pytest.approx(1 / 3, abs=1e-15)
    assert shown["data"][1]["rate"] is None


def test_the_contents_lead_to_the_headings(document):
    shown = document.html()
    assert [heading for _, heading in document.contents()] == ["10 Statistics", "10.11 Size <n>"]
    assert all(f'id="{anchor}"' in shown for anchor, _ in document.contents())
