"""The file of a stated section: plain text or an untrusted .docx, and the right part of a whole protocol."""

import io
import os
import zipfile

import pytest

from simtrial.errors import InputError
from simtrial.review.section import elements, source, word_file

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
STATED = "The null hypothesis is a response rate of 10%, the alternative 30%. Alpha is 5% (one-sided), the power 80%."


def archive(parts):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return data.getvalue()


def word(body, head=""):
    xml = f'<?xml version="1.0"?>{head}<w:document xmlns:w="{W}" xmlns:m="{M}" '
    xml += (
        f'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{body}</w:body></w:document>'
    )
    return archive({"[Content_Types].xml": "<Types/>", "word/document.xml": xml})


def p(text, style=""):
    kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{kind}<w:r><w:t>{text}</w:t></w:r></w:p>"


def read(tmp_path, data, name="section.docx"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return source.read(path)


def test_a_word_file_is_read_as_its_paragraphs(tmp_path):
    found = read(tmp_path, word(p("One.") + p("Two &lt; three.")))
    assert found.text == "One.\n\nTwo < three."
    assert found.heading == ""


def test_a_word_file_of_python_docx_is_read(tmp_path):
    docx = pytest.importorskip("docx")
    file = docx.Document()
    file.add_heading("Sample size", 2)
    file.add_paragraph(STATED)
    table = file.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "p0", "0.10"
    file.save(tmp_path / "section.docx")
    text = source.read(tmp_path / "section.docx").text
    assert text == f"Sample size\n\n{STATED}\n\np0: 0.10"


def test_words_split_over_runs_and_deleted_words_are_read_as_on_the_page(tmp_path):
    body = (
        '<w:p><w:r><w:t xml:space="preserve">alpha = 0.</w:t></w:r><w:r><w:t>05</w:t></w:r>'
        "<w:del><w:r><w:delText>10</w:delText></w:r></w:del><w:r><w:instrText>PAGE 20%</w:instrText></w:r></w:p>"
    )
    assert read(tmp_path, word(body)).text == "alpha = 0.05"


def test_symbols_of_the_symbol_font_and_formulas_keep_their_meaning(tmp_path):
    body = (
        '<w:p><w:r><w:t xml:space="preserve">H0: p </w:t><w:sym w:font="Symbol" w:char="F0A3"/><w:t> 10%; </w:t>'
        '<w:sym w:font="Symbol" w:char="F061"/></w:r><m:oMath><m:r><m:t>=0.05</m:t></m:r></m:oMath></w:p>'
    )
    text = read(tmp_path, word(body)).text
    assert text == "H0: p \u2264 10%; \u03b1=0.05"
    assert elements.read(text)["alpha"].value == 0.05


def test_what_word_keeps_twice_is_read_once(tmp_path):
    run = "<w:r><w:t>25 patients</w:t></w:r>"
    both = f"<mc:Choice>{run}</mc:Choice><mc:Fallback>{run}</mc:Fallback>"
    body = f"<w:p><mc:AlternateContent>{both}</mc:AlternateContent></w:p>"
    assert read(tmp_path, word(body)).text == "25 patients"


def test_a_text_box_is_a_paragraph_of_its_own(tmp_path):
    box = f"<w:r><w:txbxContent>{p('Inside.')}</w:txbxContent></w:r>"
    body = f"<w:p><w:r><w:t>Before,</w:t></w:r>{box}<w:r><w:t> after.</w:t></w:r></w:p>"
    assert read(tmp_path, word(body)).text == "Inside.\n\nBefore, after."


def long(words="Other matters of the protocol are described here. "):
    return p(words * 80)


@pytest.mark.parametrize("style", ["Heading2", "berschrift2", "Titre2"])
def test_of_a_whole_protocol_the_section_on_sample_size_is_read(tmp_path, style):
    body = (
        p("10 Statistical considerations", style.replace("2", "1")) + long()
        + p("10.11 Sample size determination", style) + p(STATED)
        + p("Dropout", style.replace("2", "3")) + p("Dropout is 10%.") + p("10.12 Other", style) + long()
    )  # fmt: skip
    found = read(tmp_path, word(body))
    assert found.heading == "10.11 Sample size determination"
    assert found.text == f"{STATED}\n\nDropout\n\nDropout is 10%."


def test_a_table_of_contents_is_no_section(tmp_path):
    body = (
        p("10.11 Sample size determination\t48")
        + long()
        + p("10.11 Sample size determination")
        + p(STATED)
        + p("11 Ethics")
        + long()
    )
    found = read(tmp_path, word(body))
    assert found.text.startswith(STATED)


def test_the_synopsis_of_a_protocol_may_hold_the_section_in_a_table(tmp_path):
    cells = "".join(f"<w:tc>{p(text)}</w:tc>" for text in ("Sample size", STATED * 2))
    found = read(tmp_path, word(long() + f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>" + long()))
    assert found.heading == "Sample size"
    assert STATED in found.text
    assert "Other matters" not in found.text


@pytest.mark.parametrize(("title", "after"), [("Sample size", "Ethics and consent"), ("9.3 Sample size", "9.4 Ethics")])
def test_headings_without_a_style_are_found_by_their_words(tmp_path, title, after):
    body = long() + p(title) + p(STATED * 2) + p(after) + long()
    found = read(tmp_path, word(body))
    assert found.heading == title
    assert found.text == STATED * 2


def test_plain_text_has_its_sections_under_numbered_lines(tmp_path):
    other = "Other matters are described here.\n" * 150
    text = f"9 Objectives\n{other}\n9.4 Sample size\n{STATED}\n\n9.5 Analysis\n{other}"
    found = read(tmp_path, text, "protocol.txt")
    assert found.heading == "9.4 Sample size"
    assert found.text == STATED


def test_a_short_text_is_read_whole(tmp_path):
    text = f"Design\n\nA single arm.\n\nSample size\n\n{STATED}\n"
    found = read(tmp_path, text, "section.txt")
    assert found.heading == ""
    assert "A single arm." in found.text


def test_of_a_short_text_with_numbered_headings_the_section_is_read(tmp_path):
    text = f"1 Endpoints\n\nA power of 99% for toxicity.\n\n2 Sample size\n\n{STATED}\n\n3 Ethics\n\nAlpha is 20%.\n"
    found = read(tmp_path, text, "section.txt")
    assert (found.heading, found.text) == ("2 Sample size", STATED)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_the_encodings_of_its_day(tmp_path, encoding):
    text = "The null hypothesis is 10\u00a0% \u2013 one\u2013sided \u2018alpha\u2019 of 5\u00a0%."
    assert read(tmp_path, text.encode(encoding), "section.txt").text == text


def test_lines_of_windows_and_of_old_macs_are_lines(tmp_path):
    for end in ("\r\n", "\r"):
        assert read(tmp_path, f"One{end}{end}Two{end}".encode(), "a.txt").text == "One\n\nTwo"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
DOCTYPE = '<!DOCTYPE w:document [<!ENTITY x "10%">]>'
EXTERNAL = '<!DOCTYPE w:document SYSTEM "file:///etc/passwd">'
REFUSED = {
    "empty": (b"", "holds no text"),
    "blank": (b" \n \n", "holds no text"),
    "binary": (bytes(range(256)) * 8, "is not text"),
    "noise": (bytes(range(1, 32)) * 50, "is not text"),
    "old or encrypted": (OLE, "is an old .doc file or an encrypted .docx; save it as .docx without a password"),
    "pdf": (b"%PDF-1.7 ...", "is a PDF; save the section as .docx or plain text"),
    "rtf": (b"{\\rtf1 text}", "is an RTF file"),
    "html": (b"<!DOCTYPE html><p>10%", "is a file of HTML or XML"),
    "excel": (archive({"xl/workbook.xml": "<a/>"}), "is an Excel file; save the section as .docx or plain text"),
    "odt": (archive({"content.xml": "<a/>"}), "is an OpenDocument file"),
    "other archive": (archive({"a.txt": "10%"}), "is an archive without a Word document"),
    "cut archive": (word(p(STATED))[:-40], "is a broken Word file"),
    "bytes changed": (word(p(STATED)).replace(b"word/document.xml", b"word/documant.xml", 1), "is a broken Word file"),
    "broken xml": (archive({"word/document.xml": "<w:document"}), "is a broken Word file"),
    "no words": (word(p("")), "holds no text"),
    "entities": (word(p("&x;"), DOCTYPE), "declares a document type or entities"),
    "other files": (word(p("10%"), EXTERNAL), "declares a document type or entities"),
    "deep": (word("<w:r>" * 1000 + "</w:r>" * 1000), "is nested too deeply"),
    "bomb": (word(p("a" * 30_000_000)), "unpacks to more than"),
    "too long": (("25 words and more, " * 20 + "\n\n") * 100, "is too long: the text, which has no heading"),
}


TEXT = ("empty", "blank", "noise", "too long")
"""Of these, plain text: under the name of a Word file it would be refused for that."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_section_is_refused_in_one_line(tmp_path, name):
    data, line = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, data, file := "section.txt" if name in TEXT else "section.docx")
    assert caught.value.lines[0].startswith(f"{tmp_path / file}: {line}")
    assert len(caught.value.lines) == 1


@pytest.mark.parametrize("data", [b"x", b"", STATED.encode(), STATED.encode("utf-16")])
@pytest.mark.parametrize("name", ["section.docx", "Section.DOCX", "section.docm", "section.doc"])
def test_plain_text_under_the_name_of_a_word_file_is_refused(tmp_path, name, data):
    with pytest.raises(InputError) as caught:
        read(tmp_path, data, name)
    said = f"is no Word file, although its name ends in .{name.lower().rpartition('.')[2]}; save it in Word again"
    assert caught.value.lines[0].startswith(f"{tmp_path / name}: {said}")
    assert len(caught.value.lines) == 1


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(word_file, "MAX_MEMBERS", 1)
    with pytest.raises(InputError, match="holds 2 files; at most 1 are allowed"):
        read(tmp_path, word(p(STATED)))


def test_an_encrypted_member_is_refused(tmp_path):
    data = bytearray(word(p(STATED)))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"word/document.xml"))
    data[at + 8] |= 1
    with pytest.raises(InputError, match="is encrypted; save it without a password"):
        read(tmp_path, bytes(data))


def test_a_text_hidden_behind_a_small_stated_size_is_still_limited(tmp_path):
    # the size in the directory of the archive is a claim of whoever made it
    data = bytearray(word(p("a" * 30_000_000)))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"word/document.xml"))
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(InputError, match=r"section\.docx: (?:is a broken Word file|unpacks to more)"):
        read(tmp_path, bytes(data))


def test_what_is_no_regular_file_is_never_opened(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        source.read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a pipe; name a regular file"):
        source.read(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"cannot be read: No such file"):
        source.read(tmp_path / "nothing.docx")
