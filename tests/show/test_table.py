"""Tables: what a notebook is given of them."""

import html

import pandas as pd

from simtrial import glossary
from simtrial.search import tables as search_tables
from simtrial.show.table import RATE, WHOLE, WORDS, Table, column


def test_tables_carry_full_precision_as_csv(single, two):
    data, metadata = search_tables.candidates(single, two, two.minimax)._repr_mimebundle_()
    assert metadata["simtrial"]["name"] == "candidates"
    assert repr(two.minimax.power) in data["text/csv"]


def small(**how):
    frame = pd.DataFrame({"power": [0.8, 0.9], "n": [25, 29], "other": [1, 2]})
    shown = {"power": column("power", RATE, "as run"), "n": column("n", WHOLE), "other": ("No term", WHOLE)}
    return Table("small", "Two designs", frame, shown, **how).html()


def test_a_heading_that_the_glossary_explains_says_so_to_whoever_rests_on_it():
    said = small()
    power, n, as_run = (glossary.TERMS[key].meaning for key in ("power", "n", "as_run"))
    assert f'title="{html.escape(n)}">n</th>' in said
    assert f'title="{html.escape(f"{power} As run: {as_run}")}">Power, as run</th>' in said
    assert said.count(" title=") == 2


def test_the_name_of_a_row_that_the_glossary_explains_says_so_too():
    frame = pd.DataFrame({"what": ["Power", "Luck"], "of": ["Power", "Power"]})
    said = Table("rows", "Rows", frame, {"what": ("What", "{}"), "of": ("Of", "{}")}).html()
    assert said.count(" title=") == 1
    assert f'title="{html.escape(glossary.TERMS["power"].meaning)}">Power</td>' in said


def test_stressed_rows_are_named_for_the_page():
    assert small(chosen=[False, True]).count('<tr class="chosen">') == 1
    assert "chosen" not in small()


def test_a_heading_and_a_first_cell_are_explained_once_and_their_words_stay_text():
    frame = pd.DataFrame({"power": ["p0 = 0.1", "<i>"], "other": ["n", "n"]})
    shown = Table("t", "c", frame, {"power": ("Power, as run", WORDS), "other": ("unknown <b>", WORDS)}).body()
    assert f'title="{glossary.TERMS["power"].meaning}' in shown
    assert f'title="{glossary.TERMS["p0"].meaning}">p0 = 0.1</td>' in shown
    assert shown.count("title=") == 2  # the second column is no name of a row
    assert "unknown &lt;b&gt;</th>" in shown
    assert "&lt;i&gt;</td>" in shown
