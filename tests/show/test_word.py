"""A document as a file for Word: valid parts in the order of the format, the same bytes, whatever its texts are."""

import io
import re
import zipfile

import docx
import numpy as np
import pandas as pd
import pytest
from lxml import etree

from simtrial.phrases import to_complete
from simtrial.search import figures
from simtrial.show import grid, word
from simtrial.show.document import Chapter, Document, FormulaLine, Listing, Points, Subheading
from simtrial.show.table import Table

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

ORDER = {
    "tblPr": ("tblStyle", "tblpPr", "tblOverlap", "bidiVisual", "tblStyleRowBandSize", "tblStyleColBandSize", "tblW",
              "jc", "tblCellSpacing", "tblInd", "tblBorders", "shd", "tblLayout", "tblCellMar", "tblLook"),
    "tcPr": ("cnfStyle", "tcW", "gridSpan", "hMerge", "vMerge", "tcBorders", "shd", "noWrap", "tcMar"),
    "trPr": ("cnfStyle", "cantSplit", "trHeight", "tblHeader"),
    "tblBorders": ("top", "left", "bottom", "right", "insideH", "insideV"),
    "tblCellMar": ("top", "left", "bottom", "right"),
    "rPr": ("rStyle", "rFonts", "b", "bCs", "i", "iCs", "caps", "smallCaps", "color", "spacing", "w", "kern",
            "position", "sz", "szCs", "highlight", "u"),
    "pPr": ("pStyle", "keepNext", "keepLines", "pageBreakBefore", "widowControl", "numPr", "pBdr", "shd", "tabs",
            "suppressAutoHyphens", "spacing", "ind", "contextualSpacing", "jc", "outlineLvl", "rPr", "sectPr"),
    "tbl": ("tblPr", "tblGrid", "tr"),
    "tr": ("trPr", "tc"),
    "tc": ("tcPr", "p"),
    "p": ("pPr", "r", "fldSimple"),
}  # fmt: skip
"""Children in the order of the schema (ECMA-376, part 1, annex A) as far as they occur; in p only the first counts."""

HOSTILE = "a\x00b\x07c\ud800d\udfffe\ufffef <w:p>&amp; " + "W" * 300


@pytest.fixture
def table():
    frame = pd.DataFrame({"n": [25, 29], "rate": [1 / 3, np.nan], "who": ["<b>", to_complete("who")]})
    return Table(
        "sizes",
        "Sizes & <rates>",
        frame,
        {"n": ("n", "{}"), "rate": ("Rate", "{:.3f}"), "who": ("Who", "{}")},
        chosen=[True, False],
    )


@pytest.fixture
def document(table):
    from simtrial import parse_looks

    pictures = [figures.flow(parse_looks(looks)) for looks in ("1/15,5/25", "5/25")]
    chapters = (
        Chapter(number="10", title="Statistics", code="C218625"),
        Chapter(
            number="10.11",
            title="Size",
            level=2,
            blocks=(
                f"By {to_complete('whom')}.",
                Points(("a < b", to_complete("a point"))),
                FormulaLine("P(X > r) = Σ b(x; n, p)"),
                Listing("simtrial design\n  --p0 .1\n"),
                table,
                *pictures,
                table,
            ),
        ),
        Chapter(title="Deep", level=12),
    )
    return Document(name="protocol", title="A & B", study="X1", lead=("What it is.",), chapters=chapters, origin="here")


def parts(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {one.filename: (one, file.read(one)) for one in file.infolist()}


def body(data):
    return etree.fromstring(parts(data)["word/document.xml"][1])


def texts_of(data):
    return "\n".join("".join(node.itertext(f"{W}t")) for node in body(data).iter(f"{W}p"))


def named(node):
    return etree.QName(node).localname


def misplaced(root):
    """Elements whose children are not known or not in the order of the schema."""
    for node in root.iter(*(f"{W}{name}" for name in ORDER)):
        order = ORDER[named(node)]
        places = [order.index(named(child)) for child in node if named(child) in order]
        unknown = [named(child) for child in node if named(child) not in order]
        if named(node) == "p":  # what follows the properties may stand in any order
            places, unknown = [places.index(0) if 0 in places else 0, 0], []
        if places != sorted(places) or unknown:
            yield named(node), [named(child) for child in node]


def test_children_stand_in_the_order_of_the_schema(document):
    data = word.docx(document)
    assert not list(misplaced(body(data)))
    for name, (_, content) in parts(data).items():
        if re.fullmatch(r"word/(header|footer)\d*\.xml", name):
            assert not list(misplaced(etree.fromstring(content)))


def test_the_check_of_the_order_sees_what_is_misplaced():
    wrong = etree.fromstring(f'<w:tcPr xmlns:w="{W[1:-1]}"><w:shd/><w:tcW/></w:tcPr>')
    strange = etree.fromstring(f'<w:trPr xmlns:w="{W[1:-1]}"><w:cantSplit/><w:what/></w:trPr>')
    late = etree.fromstring(f'<w:p xmlns:w="{W[1:-1]}"><w:r/><w:pPr/></w:p>')
    assert [name for root in (wrong, strange, late) for name, _ in misplaced(root)] == ["tcPr", "trPr", "p"]


def test_headings_repeat_and_rows_stay_whole(document):
    for grown in body(word.docx(document)).iter(f"{W}tbl"):
        first, *rest = grown.findall(f"{W}tr")
        assert [named(one) for one in first.find(f"{W}trPr")] == ["cantSplit", "tblHeader"]
        assert all([named(one) for one in row.find(f"{W}trPr")] == ["cantSplit"] for row in rest)
        shades = [cell.find(f"{W}tcPr/{W}shd") for cell in first.findall(f"{W}tc")]
        assert all(shade.get(f"{W}fill") == grid.GREY for shade in shades)


def test_headings_never_stand_alone_with_one_row_at_the_foot_of_a_page():
    long = Table("long", "Long", pd.DataFrame({"n": range(40)}), {"n": ("n", "{}")})
    paper = Document(name="x", title="X", study="X1", lead=(), chapters=(Chapter(title="Y", blocks=(long,)),))
    (grown,) = body(word.docx(paper)).iter(f"{W}tbl")
    kept = [row.find(f".//{W}keepNext") is not None for row in grown.findall(f"{W}tr")]
    assert kept == [True] * grid.OPENING + [False] * (len(kept) - grid.OPENING)


def test_pictures_have_ids_of_their_own_and_a_text_alternative(document):
    pictures = [node for node in body(word.docx(document)).iter() if named(node) == "docPr"]
    assert len(pictures) == 2
    assert len({node.get("id") for node in pictures}) == 2
    for node in pictures:
        assert set(node.attrib) <= {"id", "name", "descr", "title", "hidden"}
        assert node.get("descr").startswith("The design ")


def test_fields_stand_in_paragraphs_and_count(document):
    fields = list(body(word.docx(document)).iter(f"{W}fldSimple"))
    assert all(named(node.getparent()) == "p" for node in fields)
    counts = [(node.get(f"{W}instr").split()[1], "".join(node.itertext())) for node in fields]
    assert counts == [("Table", "1"), ("Figure", "1"), ("Figure", "2"), ("Table", "2")]


def test_every_part_is_well_formed_and_every_relation_leads_to_a_part(document):
    held = parts(word.docx(document))
    for name, (_, content) in held.items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(content)
    relations = etree.fromstring(held["word/_rels/document.xml.rels"][1])
    inside = [one.get("Target") for one in relations if one.get("TargetMode") != "External"]
    assert all(f"word/{target}" in held or target.lstrip("/") in held or target.startswith("../") for target in inside)


def test_the_file_states_no_time_and_no_name_and_is_the_same_twice(document):
    first, second = word.docx(document), word.docx(document)
    assert first == second
    held = parts(first)
    assert {entry.date_time for entry, _ in held.values()} == {word.OLDEST}
    core = held["docProps/core.xml"][1].decode()
    assert "created" not in core
    assert "modified>" not in core
    assert "<dc:creator>simtrial</dc:creator>" in core


def test_headings_are_real_and_placeholders_are_marked(document):
    sheet = docx.Document(io.BytesIO(word.docx(document)))
    styles = {one.text: one.style.name for one in sheet.paragraphs}
    assert styles["10 Statistics (C218625)"] == "Heading 1"
    assert styles["10.11 Size"] == "Heading 2"
    assert styles["Deep"] == "Heading 9"
    assert styles["To complete before this document is used"] == "Heading 1"
    marked = [run.text for one in sheet.paragraphs for run in one.runs if run.font.highlight_color]
    assert marked == ["[TO COMPLETE: whom]", "[TO COMPLETE: a point]"]
    cell = sheet.tables[0].rows[2].cells[2].paragraphs[0]
    assert [run.text for run in cell.runs if run.font.highlight_color] == ["[TO COMPLETE: who]"]


def test_the_page_is_a4_and_no_table_is_wider_than_its_text(document):
    sheet = docx.Document(io.BytesIO(word.docx(document)))
    page = sheet.sections[0]
    assert (round(page.page_width.cm, 1), round(page.page_height.cm, 1)) == (21.0, 29.7)
    room = word.WIDTH - 2 * word.MARGIN
    for one in sheet.tables:
        assert sum(column.width.cm for column in one.columns) <= room + 0.01


def test_hostile_text_is_written_without_what_xml_cannot_hold():
    entry = HOSTILE.replace("\ud800", "").replace("\udfff", "")  # pandas holds no halves of pairs
    held = Table(HOSTILE, HOSTILE, pd.DataFrame({"what": [entry, "b"]}), {"what": (entry, "{}")})
    blocks = (HOSTILE, Points((HOSTILE,)), FormulaLine(HOSTILE), Listing(HOSTILE), held)
    chapter = Chapter(title=HOSTILE, number="1", code=HOSTILE, blocks=blocks)
    hostile = Document(
        name="protocol", title=HOSTILE, study=HOSTILE, lead=(HOSTILE,), chapters=(chapter,), origin=HOSTILE
    )
    data = word.docx(hostile)
    shown = texts_of(data)
    assert shown.count("abcdef <w:p>&amp; WWW") >= 8
    assert docx.Document(io.BytesIO(data)).core_properties.title.startswith("abcdef")


def test_no_text_becomes_a_field_of_word():
    live = 'DDEAUTO c:\\\\x "=1" HYPERLINK { INCLUDETEXT "x" }'
    held = Table("t", live, pd.DataFrame({"what": [live, "=1+1"]}), {"what": (live, "{}")})
    chapter = Chapter(title=live, number="1", code=live, blocks=(live, Points((live,)), FormulaLine(live), held))
    data = word.docx(Document(name="protocol", title=live, study=live, lead=(live,), chapters=(chapter,), origin=live))
    nodes = [
        node
        for name, (_, content) in parts(data).items()
        if name.endswith(".xml")
        for node in etree.fromstring(content).iter()
    ]
    given = {node.get(f"{W}instr").split()[0] for node in nodes if named(node) == "fldSimple"}
    assert given == {"SEQ", "PAGE", "NUMPAGES"}
    assert not [node for node in nodes if named(node) in ("instrText", "fldChar", "hyperlink")]


def test_a_long_table_is_cut_and_its_end_says_where_the_rest_is(table):
    frame = pd.DataFrame({"k": range(3000)})
    long = Table("draws", "Draws", frame, {"k": ("k", "{}")})
    document = Document(
        name="simulation_report", title="T", study="S", chapters=(Chapter(title="A", blocks=(long, table)),)
    )
    data = word.docx(document)
    sheet = docx.Document(io.BytesIO(data))
    assert [len(one.rows) for one in sheet.tables] == [grid.MOST_ROWS + 1, 3]
    line = "The first 100 rows of 3,000. The file tables/simulation_report_draws.csv holds all rows."
    assert texts_of(data).count(line) == 1
    assert (grid.capped(long), grid.capped(table)) == (2900, 0)


@pytest.mark.parametrize(
    "columns",
    [
        [["a"], ["b" * 400]],
        [["word " * 200]] * 3,
        [["1"]] * 30,
        [[""], [""]],
        [["x" * 90]] * 4,
    ],
)
def test_widths_fill_at_most_the_page_and_none_is_nothing(columns):
    rows = [[f"h{k}" for k in range(len(columns))], *map(list, zip(*columns, strict=True))]
    widths = grid._widths(rows, 9.0, 16.6)
    assert sum(widths) <= 16.6 + 1e-9
    assert min(widths) > 0.2


def test_a_short_word_is_not_broken_beside_a_long_text():
    rows = [["Look", "Patients", "What"], ["1", "15", "many words " * 60]]
    look, patients, _ = grid._widths(rows, 9.0, 16.6)
    assert look >= 4 * 9 * grid.LETTER + grid.PADDING
    assert patients >= 8 * 9 * grid.LETTER + grid.PADDING


def test_a_subheading_stands_one_level_below_its_chapter():
    chapter = Chapter(title="Size", number="10.11", level=2, blocks=("One.", Subheading("Why & how"), "Two."))
    document = Document(name="protocol", title="T", study="S", chapters=(chapter,))
    sheet = docx.Document(io.BytesIO(word.docx(document)))
    assert [(one.text, one.style.name) for one in sheet.paragraphs[3:5]] == [
        ("One.", "Normal"),
        ("Why & how", "Heading 3"),
    ]
    assert "<h4>Why &amp; how</h4>" in document.html()
    assert document.plain()["sections"][0]["content"][1] == {"heading": "Why & how"}


def test_rows_that_are_copied_are_those_that_are_made_one_by_one(monkeypatch):
    entries = ["", "x", " padded ", "two  blanks", "a\tb", "a\nb", "p\u00a0q", "<&>", to_complete("who"), "y", "z", "–"]
    frame = pd.DataFrame({"text": entries, "number": [k / 3 for k in range(len(entries))]})
    shown = {"text": ("Text", "{}"), "number": ("Number", "{:.2f}")}
    chosen = [k % 3 == 0 for k in range(len(entries))]
    tables = (Table("many", "Many", frame, shown, chosen=chosen), Table("few", "Few", frame.head(3), shown))
    document = Document(name="x", title="T", study="S", chapters=(Chapter(title="C", blocks=tables),))
    copied = word.docx(document)
    monkeypatch.setattr(grid, "_plain", lambda _: False)
    assert word.docx(document) == copied
