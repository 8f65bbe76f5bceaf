"""The text of a Word file (.docx), which is an untrusted archive of untrusted XML.

Only ``word/document.xml`` is unpacked, in pieces and to a limit, and read as a stream: no tree is built, no other file
is looked at, and a document type or an entity declaration is refused before anything in it is expanded. Deleted text,
field codes and the doubles that Word keeps for older programs are left out; symbols that Word keeps as places in its
font Symbol are given back their characters.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING
from xml.parsers import expat

from simtrial.errors import InputError
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.files import Content

PART = "word/document.xml"
"""The part of the archive that holds the text."""

MAX_MEMBERS = 5_000
"""Most files of one archive."""

MAX_UNPACKED = 64 * 1024 * 1024
"""Most bytes of the text, unpacked."""

MAX_RATIO = 400
"""Most that the text may grow when it is unpacked; that of real files grows 5 to 60 times."""

MAX_DEPTH = 400
"""Deepest nesting of elements."""

_CHUNK = 65_536

_SYMBOLS = {
    0x61: "α", 0x62: "β", 0x70: "π", 0xA3: "≤", 0xB3: "≥", 0x3C: "<", 0x3E: ">", 0x3D: "=", 0xB1: "±", 0xB9: "≠",
    0x2D: "-", 0x25: "%", 0xB7: "•",
}  # fmt: skip
"""Characters of the font Symbol."""

_STYLE = re.compile(
    r"(?:heading|(?:ü|Ü)?berschrift|titre|titolo|t[ií]?tulo|kop|rubrik|overskrift|otsikko|nag(?:ł|l)?(?:ó|o)?wek|"
    r"标题)\s*([1-9])",
    re.IGNORECASE,
)
"""Names of the styles of headings, as Word writes them in several languages."""

_NAMESPACES = ("wordprocessingml", "/math", "markup-compatibility")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, or a row of a table.

    Attributes
    ----------
    text : str
        Its words.
    level : int, optional
        Of a heading, from 1.
    cells : int
        Of a row of a table, how many hold text; 1 for all else.
    """

    text: str
    level: int | None = None
    cells: int = 1


def paragraphs(content: Content) -> list[Paragraph]:
    """Read the paragraphs of a .docx.

    Raises
    ------
    InputError
        If it is no such file, is encrypted or broken, or exceeds a limit.
    """
    place = f"{content.name}:"
    reader = _Reader(place)
    try:
        with zipfile.ZipFile(BytesIO(content.data)) as archive:
            for piece in _unpacked(archive, place):
                reader.feed(piece)
        return reader.close()
    except InputError:
        raise
    except expat.ExpatError as error:
        raise InputError(f"is a broken Word file ({PART}: {error}); save it again as .docx", place) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        said = " ".join(str(error).split())[:80]
        raise InputError(f"is a broken Word file ({said}); save it again as .docx", place) from None


def _unpacked(archive: zipfile.ZipFile, place: str) -> Iterator[bytes]:
    """The text of the archive in pieces, up to the limits."""
    names = archive.namelist()
    if len(names) > MAX_MEMBERS:
        raise InputError(f"holds {counted(len(names), 'file')}; at most {MAX_MEMBERS:,} are allowed", place)
    if PART not in names:
        kind = (
            "an OpenDocument file" if "content.xml" in names else "an Excel file" if "xl/workbook.xml" in names else ""
        )
        kind = kind or (
            "a PowerPoint file" if "ppt/presentation.xml" in names else "an archive without a Word document"
        )
        raise InputError(f"is {kind}; save the section as .docx or plain text", place)
    if names.count(PART) > 1:
        raise InputError(f"holds {PART} more than once; save it again as .docx", place)
    info = archive.getinfo(PART)
    if info.flag_bits & 1:
        raise InputError("is encrypted; save it without a password", place)
    most = min(MAX_UNPACKED, max(1_048_576, MAX_RATIO * info.compress_size))
    read = 0
    with archive.open(info) as part:
        while piece := part.read(_CHUNK):
            read += len(piece)
            if read > most:
                raise InputError(f"unpacks to more than {counted(most, 'byte')}, which no real document does", place)
            yield piece


class _Reader:
    """Collects paragraphs from the events of the parser."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.found: list[Paragraph] = []
        self.open: list[tuple[list[str], int | None]] = []  # paragraphs, one in another where there is a text box
        self.level: int | None = None
        self.depth = 0
        self.hidden = 0  # inside what is not read
        self.written = 0  # inside an element of text
        self.rows: list[list[list[str]]] = []
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartDoctypeDeclHandler = self._refused
        self.parser.EntityDeclHandler = self._refused
        self.parser.ExternalEntityRefHandler = self._refused  # type: ignore[assignment]  # it never returns
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def feed(self, piece: bytes) -> None:
        self.parser.Parse(piece, False)

    def close(self) -> list[Paragraph]:
        self.parser.Parse(b"", True)
        return self.found

    def _refused(self, *_: object) -> None:
        raise InputError("declares a document type or entities, which no Word file does", self.place)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InputError("is nested too deeply", self.place)
        space, _, local = name.rpartition("}")
        if self.hidden or not any(known in space for known in _NAMESPACES):
            self.hidden += bool(self.hidden)
            return
        given = {key.rpartition("}")[2]: value for key, value in attributes.items()}
        if local in ("del", "moveFrom", "Fallback", "instrText", "delText"):
            self.hidden = 1
        elif local == "p":
            self.open.append(([], self.level))
            self.level = None
        elif local == "pStyle":
            style = _STYLE.match(given.get("val", ""))
            self.level = int(style[1]) if style else self.level
        elif local == "outlineLvl" and given.get("val", "").isdigit() and int(given["val"]) < 9:
            self.level = int(given["val"]) + 1
        elif local == "tr":
            self.rows.append([])
        elif local == "tc" and self.rows:
            self.rows[-1].append([])
        elif local == "t":
            self.written += 1
        elif self.open:
            self.open[-1][0].append(_inline(local, given))

    def _end(self, name: str) -> None:
        self.depth -= 1
        space, _, local = name.rpartition("}")
        if self.hidden:
            self.hidden -= 1
        elif not any(known in space for known in _NAMESPACES):
            return
        elif local == "t":
            self.written -= 1
        elif local == "p" and self.open:
            pieces, outer = self.open.pop()
            text = "".join(pieces).strip()
            if text and self.rows and self.rows[-1]:
                self.rows[-1][-1].append(text)
            elif text:
                self.found.append(Paragraph(text, self.level))
            self.level = outer
        elif local == "tr" and self.rows:
            self._row(self.rows.pop())

    def _row(self, cells: list[list[str]]) -> None:
        """A row whose cells hold a paragraph each is one paragraph, "name: value"; else each stands by itself."""
        filled = [cell for cell in cells if cell]
        texts = [" ".join(cell) for cell in filled] if all(len(cell) == 1 for cell in filled) else None
        lines = [": ".join(texts)] if texts else [text for cell in filled for text in cell]
        if self.rows and self.rows[-1]:  # a table in a table
            self.rows[-1][-1] += lines
        else:
            self.found += [Paragraph(line, cells=len(filled)) for line in lines if line]

    def _text(self, text: str) -> None:
        if self.written and self.open and not self.hidden:
            self.open[-1][0].append(text)


def _inline(local: str, given: dict[str, str]) -> str:
    """What an element inside a paragraph stands for."""
    if local == "sym":
        code = given.get("char", "")
        place = int(code, 16) & 0xFF if re.fullmatch(r"[0-9A-Fa-f]{2,4}", code) else 0
        return _SYMBOLS.get(place, "") if "symbol" in given.get("font", "").lower() else ""
    return {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": " "}.get(local, "")
