"""What a PDF of Chromium says, page by page, read without a library: text in the order in which it is drawn."""

import re
import zlib

TOKEN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-F]*)> Tj|/ActualText (?:<FEFF([0-9A-F]*)>|\(([^)]*)\))|(EMC)")


def pages(made):
    """The text of each page without its spaces, for a PDF need not state them."""
    objects = {int(number): body for number, body in re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", made, re.DOTALL)}
    return [_text(objects, body) for body in _kids(objects, _root(objects, made))]


def _root(objects, made):
    catalog = objects[int(re.search(rb"/Root (\d+)", made)[1])]
    return objects[int(re.search(rb"/Pages (\d+)", catalog)[1])]


def _kids(objects, body):
    if b"/Kids" not in body:
        return [body]
    kids = re.findall(rb"(\d+) 0 R", re.search(rb"/Kids \[([^\]]*)\]", body)[1])
    return [page for kid in kids for page in _kids(objects, objects[int(kid)])]


def _stream(body):
    head, _, rest = body.partition(b"stream\n")
    raw = rest[: int(re.search(rb"/Length (\d+)", head)[1])]
    return zlib.decompress(raw) if b"/FlateDecode" in head else raw


def _text(objects, page):
    fonts = {
        name: _letters(objects, objects[int(place)]) for name, place in re.findall(rb"/(F\d+) (\d+) 0 R", page)
    }  # fmt: skip
    said, font, instead = [], {}, False
    for name, glyphs, wide, plain, end in TOKEN.findall(_stream(objects[int(re.search(rb"/Contents (\d+)", page)[1])])):
        if name:
            font = fonts[name]
        elif end:
            instead = False
        elif glyphs and not instead:
            said += [font.get(int(glyphs[k : k + 4], 16), "?") for k in range(0, len(glyphs), 4)]
        elif wide or plain:  # a ligature, and what it stands for
            instead = True
            said.append(bytes.fromhex(wide.decode()).decode("utf-16-be") if wide else plain.decode())
    return "".join("".join(said).split())


def _letters(objects, font):
    """What the glyphs of a font stand for."""
    place = re.search(rb"/ToUnicode (\d+)", font)
    if place is None:
        return {}
    letters, table = {}, _stream(objects[int(place[1])])
    for lines in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, letter in re.findall(rb"<(\w+)> <(\w+)>", lines):
            letters[int(glyph, 16)] = bytes.fromhex(letter.decode()).decode("utf-16-be")
    for lines in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, letter in re.findall(rb"<(\w+)> <(\w+)> <(\w+)>", lines):
            *before, begin = bytes.fromhex(letter.decode()).decode("utf-16-be")
            for k in range(int(last, 16) - int(first, 16) + 1):
                letters[int(first, 16) + k] = "".join(before) + chr(ord(begin) + k)
    return letters
