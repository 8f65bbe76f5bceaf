"""The page of a report, from notebooks made by hand: numbers, captions, files, what folds, the glossary."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from simtrial import glossary
from simtrial.report import exhibits, terms
from simtrial.report.page import Files, Head, report_html
from simtrial.show.passage import Passage
from simtrial.show.table import RATE, WHOLE, Table, column

NOWHERE = Path("no folder")
SVG = '<svg role="img"><title>What there is to see</title></svg>'


def output(data, **said):
    return nbformat.v4.new_output("display_data", data, metadata={"simtrial": said})


def table(name, rows=3, chosen=(), caption="A caption of its own"):
    frame = pd.DataFrame({"n": range(100, 100 + rows), "type_i_error": [0.0328] * rows})
    shown = {"n": column("n", WHOLE), "type_i_error": column("type_i_error", RATE, "as run")}
    made = Table(name, caption, frame, shown, chosen=[k in chosen for k in range(rows)])
    data, metadata = made._repr_mimebundle_()
    return output(data, **metadata["simtrial"])


def figure(name, caption="What is drawn"):
    return output({"image/svg+xml": SVG, "text/plain": "What there is to see"}, name=name, caption=caption)


def words(*paragraphs):
    return output({"text/html": Passage("words", paragraphs).html(), "text/plain": ""}, name="words")


def book(*cells):
    """A notebook: text is Markdown, a list holds the outputs of a cell of code."""
    made = [
        nbformat.v4.new_markdown_cell(cell)
        if isinstance(cell, str)
        else nbformat.v4.new_code_cell("made()", outputs=cell)
        for cell in cells
    ]
    return nbformat.v4.new_notebook(cells=made)


def page(*notebooks, folds=True, root=NOWHERE, prefix=""):
    head = Head(study="X-1", title="A trial", front="<p>The answer</p>", folds=folds)
    return report_html(notebooks, head, {"seed": 1}, Files(root, prefix))


def outside(html):
    """The page with all that folds folded shut."""
    while "<details" in html:
        html = re.sub(r"<details(?:(?!<details).)*?</details>", "", html, flags=re.DOTALL)
    return html


def sections(html):
    return dict(re.findall(r'<section id="([^"]+)".*?>(.*?)</section>', html, flags=re.DOTALL))


def captions(html):
    return re.findall(r"<strong>((?:Table|Figure) \d+)\.</strong> ([^<]+)", html)


def test_tables_and_figures_are_numbered_over_the_whole_page_in_its_order():
    first = book("# One", "## A", [table("candidates", caption="a")], [figure("tornado", "b")])
    second = book("# Two", "## B", [figure("forest", "c")], [table("routes", caption="d")])
    said = captions(page(first, second))
    assert [(label, caption.strip()) for label, caption in said] == [
        ("Table 1", "a"), ("Figure 1", "b"), ("Figure 2", "c"), ("Table 2", "d"),
    ]  # fmt: skip


def test_what_stands_is_numbered_before_what_folds_in_its_section():
    html = page(book("# One", "## A", [table("detail", caption="a")], [table("candidates", caption="b")]))
    assert [caption.strip() for _, caption in captions(html)] == ["b", "a"]
    assert "Details: Table 2</summary>" in html


def test_a_table_leads_to_its_csv_and_a_figure_to_its_svg_and_png(tmp_path):
    for name in ("tables/candidates.csv", "figures/tornado.svg", "figures/tornado.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    html = page(book("# One", "## A", [table("candidates")], [figure("tornado")]), root=tmp_path, prefix="apart/")
    assert re.findall(r'<a href="(apart/[^"]+)">(\w+)</a>', html) == [
        ("apart/tables/candidates.csv", "CSV"),
        ("apart/figures/tornado.svg", "SVG"),
        ("apart/figures/tornado.png", "PNG"),
    ]
    assert '<figure class="table" id="table-candidates">' in html
    assert '<figure class="picture" id="figure-tornado">' in html


def test_a_caption_stands_once_and_as_text():
    html = page(book("# One", "## A", [table("candidates", caption="<b>r</b> & n")]))
    assert html.count("&lt;b&gt;r&lt;/b&gt; &amp; n") == 2  # below its number, and for a reader who hears the page
    assert "<b>" not in html
    assert "<p><strong>" not in html


def test_a_table_that_holds_nothing_has_no_number():
    data, metadata = Table("evidence", "No earlier results are given.", pd.DataFrame(), {})._repr_mimebundle_()
    html = page(book("# One", "## A", [output(data, **metadata["simtrial"])]))
    assert "Table 1" not in html
    assert "No earlier results are given." in outside(html)


def test_of_a_section_folded_shut_its_first_paragraph_and_its_sentences_stand():
    html = page(book("# One", "## A\n\nIt costs two months.\n\nA formula.", [words("The answer.")], [table("detail")]))
    shut = outside(html)
    assert "It costs two months." in shut
    assert "The answer." in shut
    assert "A formula." not in shut
    assert "A formula." in html
    assert "Details: method and Table 1</summary>" in html


def test_a_first_paragraph_keeps_the_formula_that_it_leads_up_to():
    shut = outside(page(book("# One", "## A\n\nThe mean is\nknown:\n\n$$m = 1$$\n\nThe rest.")))
    assert 'display="block"' in shut
    assert "The rest." not in shut


def test_a_page_that_does_not_fold_shows_all_in_the_order_of_the_notebook():
    html = page(book("# One", "## A\n\nFirst.", [table("detail")], "More.", [figure("tornado")]), folds=False)
    shut = outside(html)
    places = [shut.index(said) for said in ("First.", "table-detail", "More.", "figure-tornado")]
    assert places == sorted(places)
    assert 'id="glossary"' not in html


@pytest.mark.parametrize(("rows", "folds"), [(12, 0), (13, 3), (48, 38)])
def test_of_a_long_table_the_first_ten_rows_stand(rows, folds):
    html = page(book("# One", "## A", [table("candidates", rows)]))
    assert re.findall(r'<span class="more">(\d+) more rows', html) == [str(folds)] * bool(folds)
    assert "tr:nth-child(n + 11)" in html


def test_a_table_of_designs_in_columns_stands_whole():
    assert "more rows" not in page(book("# One", "## A", [table("compared", 24)]))


@pytest.mark.parametrize(("chosen", "kept", "folds"), [((0, 20), True, 37), ((0, *range(20, 40)), False, 38)])
def test_the_chosen_row_of_a_long_table_stands_too_unless_most_are_stressed(chosen, kept, folds):
    html = page(book("# One", "## A", [table("candidates", 48, chosen)]))
    assert (' class="table long kept"' in html) == kept
    assert f"{folds} more rows" in html


def test_a_long_table_says_how_many_rows_its_file_has():
    one = exhibits.of_output(table("routes", 48), NOWHERE, "")
    assert (one.rows, one.total, one.hidden) == (48, 48, 38)
    said = table("routes", 48)
    said.metadata["simtrial"]["rows"] = 1873
    assert "38 more rows; the CSV file has all 1,873" in page(book("# One", "## A", [said]))


def test_the_code_of_a_section_stands_in_one_place_at_its_end():
    html = page(book("# One", "## A", [table("candidates")], [table("detail")], "## B", [words("b")]))
    assert [text.count('<details class="code">') for text in sections(html).values()] == [0, 1, 1, 0]
    section = sections(html)["s1-2"]
    assert section.count("made()") == 2
    assert section.index("table-detail") < section.index('<details class="code">')


def test_what_is_shown_twice_stands_once_and_its_repetition_leads_there():
    again = table("candidates", caption="a")
    html = page(book("# One", "## A", [again], "## B", [again], [table("detail", caption="b")]))
    assert [(label, caption.strip()) for label, caption in captions(html)] == [("Table 1", "a"), ("Table 2", "b")]
    assert 'Shown <a href="#table-candidates">in Table 1</a>.' in html
    said = words("The answer")
    head = Head(study="X-1", title="A trial", front=f"<div>{said.data['text/html']}</div>", folds=True)
    html = report_html([book("# One", "## A", [said])], head, {}, Files(NOWHERE))
    assert html.count("The answer") == 1
    assert 'Shown <a href="#top">at the top of this report</a>.' in html
    assert '<header id="top">' in html


def test_a_figure_of_the_front_page_has_the_number_and_the_files_of_its_notebook(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/flow.png").write_bytes(b"")
    head = Head(study="X-1", title="A trial", front=f"<figure>{SVG}</figure>", folds=True)
    drawn = [output({"image/svg+xml": SVG.replace("see", "see next")}, name="tornado", caption="Next")]
    html = report_html([book("# One", "## A", drawn, [figure("flow")])], head, {}, Files(tmp_path))
    assert [(label, caption.strip()) for label, caption in captions(html)] == [
        ("Figure 1", "What is drawn"),
        ("Figure 2", "Next"),
    ]
    front = html[: html.index("<nav")]
    assert front.index('id="figure-flow"') < front.index(SVG) < front.index('<a href="figures/flow.png">PNG</a>')
    assert html.count(SVG) == 1
    assert 'Shown <a href="#figure-flow">in Figure 1</a>.' in outside(html)


def test_glossary_and_provenance_are_last():
    html = page(book("# One", "## A", [table("candidates")]))
    order = [html.index(f'id="{name}"') for name in ("top", "s1-2", "glossary", "provenance")]
    assert order == sorted(order)


def test_the_glossary_holds_the_terms_that_occur_and_headings_lead_to_them():
    html = page(book("# One", "## A", [table("candidates")]))
    meaning, run = (glossary.TERMS[key].meaning for key in ("type_i_error", "as_run"))
    assert (
        f'title="{meaning} As run: {run}"><a class="term" href="#term-type-i-error">Type I error, as run</a></th>'
        in html
    )
    listed = re.findall(r'<div id="(term-[^"]+)"><dt>([^<]+)</dt>', html)
    assert ("term-type-i-error", "Type I error") in listed
    assert ("term-mcse", "MCSE") not in listed
    assert [head.casefold() for _, head in listed] == sorted(head.casefold() for _, head in listed)
    assert set(re.findall(r'href="#(term-[^"]+)"', html)) <= {anchor for anchor, _ in listed}


def test_words_with_a_tooltip_lead_to_the_glossary_wherever_they_stand():
    linked = terms.linked('<abbr title="x">Power</abbr><td title="x">n</td><th title="x">Luck</th><td>Power</td>')
    assert linked == (
        '<abbr title="x"><a class="term" href="#term-power">Power</a></abbr>'
        '<td title="x"><a class="term" href="#term-n">n</a></td><th title="x">Luck</th><td>Power</td>'
    )


def test_every_term_has_an_anchor_of_its_own():
    explained = [term for term in glossary.TERMS.values() if term.meaning]
    assert len({terms.anchor(term) for term in explained}) == len({term.head for term in explained})


def test_a_short_term_occurs_only_as_it_is_written():
    assert "n" not in [term.head for term in terms.occurring("<p>N. N. looked</p><pre>n</pre>")]
    assert "n" in [term.head for term in terms.occurring("<td>n</td>")]
    assert "Evaluable" in [term.head for term in terms.occurring("<p>all evaluable patients</p>")]
    assert "Evaluable" not in [term.head for term in terms.occurring("<p>unevaluable</p>")]


def test_anchors_of_a_page_stand_once():
    found = re.findall(r' id="([^"]+)"', page(book("# One", "## A", [table("candidates")], [figure("tornado")])))
    assert len(found) == len(set(found))
