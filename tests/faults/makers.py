"""Hostile files by name: what nobody can write down in a line of the table."""

import io
import json
import os
import socket
import zipfile

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{WORD}"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SECTION = (
    "Sample size. With p0 0.1, p1 0.3, one-sided alpha 0.05 and power 80% Simon's optimal design needs 29 patients."
)
LAUGHS = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY l0 "lol">{LAUGHS}]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def paragraphs(text):
    """The main part of a Word file with one paragraph."""
    return f'<w:document xmlns:w="{NAMESPACE}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'


def zipped(**parts):
    """A ZIP archive; two underscores stand for a slash, so that names are words."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("ContentTypes", "[Content_Types]"), data)
    return held.getvalue()


def docx(document, **more):
    """A Word file of this main part."""
    return zipped(**{"ContentTypes.xml": TYPES, "_rels__.rels": RELATIONS, "word__document.xml": document} | more)


def study(**identification):
    """A registry record of a single-arm trial with these words in its identification module."""
    told = {"nctId": "NCT00000001", "briefTitle": "T"} | identification
    design = {"studyType": "INTERVENTIONAL", "phases": ["PHASE2"], "enrollmentInfo": {"count": 25}}
    outcomes = {"primaryOutcomes": [{"measure": "Objective response rate"}]}
    return {"protocolSection": {
        "identificationModule": told, "designModule": design, "outcomesModule": outcomes}}  # fmt: skip


def counted(count):
    """A record of so many patients, whatever that is."""
    found = study()
    found["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = count
    return json.dumps(found).encode()


def fifo(path):
    os.mkfifo(path)


def at_socket(path):
    # a socket's address is short; its name in a folder need not be
    here = os.getcwd()  # noqa: PTH109 - it is gone back to
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def unreadable_loop(path):
    path.symlink_to(path.name)


PLACES = {
    "fifo": fifo,
    "socket": at_socket,
    "folder": lambda path: path.mkdir(),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "terminal": lambda path: path.symlink_to("/dev/tty"),
    "loop": unreadable_loop,
    "dangling": lambda path: path.symlink_to("nowhere"),
    "missing": lambda path: None,  # noqa: ARG005 - nothing is made
}
"""What is no regular file."""

CONTENTS = {
    "empty": lambda: b"",
    "nul": lambda: b"\0" * 1000,
    "latin": lambda: "trial: {study: {id: A, title: M\xfcller}}\n".encode("latin-1"),
    "utf16": lambda: "trial: {study: {id: A, title: T}}\n".encode("utf-16"),
    "utf32": lambda: "trial: {study: {id: A, title: T}}\n".encode("utf-32"),
    "surrogate": lambda: b"trial: {study: {id: A, title: \xed\xa0\x80}}\n",
    "overlong": lambda: b"trial: {study: {id: A, title: \xc0\xaf}}\n",
    "large": lambda: b"# " + b"x" * 40_000_000,
    "deep-flow": lambda: b"trial: " + b"[" * 20_000,
    "deep-closed": lambda: b"trial: " + b"[" * 2_000 + b"]" * 2_000,
    "deep-keys": lambda: b"trial: " + b"{a: " * 5_000 + b"1" + b"}" * 5_000,
    "deep-block": lambda: "".join(f"{' ' * k}a:\n" for k in range(600)).encode(),
    "deep-dashes": lambda: b"trial:\n  " + b"- " * 50_000 + b"1\n",
    "many-keys": lambda: b"trial: {" + b", ".join(b"k%d: 1" % k for k in range(15_000)) + b"}",
    "many-colons": lambda: b"trial: " + b"? " * 20_000,
    "many-documents": lambda: b"---\ntrial: 1\n" * 15_000,
    "many-anchors": lambda: b"trial: [" + b", ".join(b"&a%d 1" % k for k in range(10_000)) + b"]",
    "laughs": lambda: b"a: &a [x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\ntrial: [*c,*c,*c]\n",
    "long-line": lambda: b"trial: {study: {id: " + b"A" * 200_000 + b"}}",
    "long-number": lambda: b"trial: {study: {registered_enrollment: " + b"9" * 100_000 + b"}}",
    "xls": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500,
    "xlsx": lambda: zipped(**{"ContentTypes.xml": "<Types/>", "xl__workbook.xml": "<w/>"}),
    "pdf": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "gzip": lambda: b"\x1f\x8b\x08\x00" + b"\0" * 50,
    "parquet": lambda: b"PAR1" + b"\0" * 50 + b"PAR1",
    "zip": lambda: zipped(a="x"),
    "transport": lambda: b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 30 + b"  " + b"\0" * 80,
    "docx-good": lambda: docx(paragraphs(SECTION)),
    "docx-bomb": lambda: docx(paragraphs("A" * 300_000_000)),
    "docx-laughs": lambda: docx(BOMB + paragraphs("&l9;")),
    "docx-outside": lambda: docx(OUTSIDE + paragraphs("&x;")),
    "docx-no-part": lambda: zipped(**{"ContentTypes.xml": TYPES, "_rels__.rels": RELATIONS}),
    "docx-no-xml": lambda: docx("this is no XML <"),
    "docx-deep": lambda: docx(paragraphs("<w:p>" * 100_000 + "</w:p>" * 100_000)),
    "docx-up": lambda: docx(paragraphs("A"), **{"..__..__up.txt": "x"}),
    "docx-cut": lambda: docx(paragraphs(SECTION))[:-40],
    "docx-many": lambda: docx(paragraphs("A"), **{f"word__m{k}.xml": "" for k in range(20_000)}),
    "docx-escape": lambda: docx(paragraphs(f"{SECTION} &#8238;evil&#8236;")),
    "json-deep": lambda: b"[" * 200_000,
    "json-deep-keys": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "json-number": lambda: b'{"protocolSection": {"designModule": {"a": ' + b"9" * 50_000 + b"}}}",
    "json-large": lambda: b'{"a": "' + b"x" * 80_000_000 + b'"}',
    "json-twice": lambda: json.dumps([study(), study()]).encode(),
    "json-escape": lambda: json.dumps(study(briefTitle="\x1b[2J\x1b]0;owned\x07 T\u202e\ud800")).encode(),
    "json-yaml": lambda: json.dumps(study(briefTitle='T"\n  evil: !!python/object:os.system x\n#')).encode(),
    "json-id": lambda: json.dumps(study(nctId="../../../tmp/x")).encode(),
    "json-types": lambda: json.dumps(study(briefTitle=["a", {"b": 1}])).encode(),
    "json-null": lambda: json.dumps({"protocolSection": None}).encode(),
    "json-list": lambda: json.dumps({"protocolSection": [1, 2]}).encode(),
    "json-count-text": lambda: counted("many"),
    "json-count-infinite": lambda: counted(float("inf")),
    "json-count-minus": lambda: counted(-5),
    "json-count-huge": lambda: counted(10**30),
    "json-good": lambda: json.dumps(study()).encode(),
    "json-many": lambda: json.dumps({"studies": [study(nctId=f"NCT{k:08d}") for k in range(3_000)]}).encode(),
    "xml-laughs": lambda: (BOMB + "<clinical_study><brief_title>&l9;</brief_title></clinical_study>").encode(),
    "xml-outside": lambda: (OUTSIDE + "<clinical_study><brief_title>&x;</brief_title></clinical_study>").encode(),
    "xml-deep": lambda: b"<a>" * 200_000,
    "xml-deep-closed": lambda: b"<clinical_study>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</clinical_study>",
    "xml-other": lambda: b"<html><body>404</body></html>",
    "xml-cut": lambda: b"<clinical_study><id_info><nct_id>NCT00000001</nct_id>",
    "xml-attributes": lambda: b"<clinical_study " + b" ".join(b'a%d="1"' % k for k in range(50_000)) + b"/>",
    "patients-many": lambda: b"ID,BOR\n" + b"".join(b"p%d,PR\n" % k for k in range(20_000)),
    "patients-rows": lambda: b"ID,BOR\n" + b"a,PR\n" * 250_000,
    "patients-wide": lambda: b"ID,BOR," + b",".join(b"c%d" % k for k in range(50_000)) + b"\na,PR\n",
    "patients-cell": lambda: b"ID,BOR\na," + b"P" * 1_000_000 + b"\n",
    "patients-large": lambda: b"ID,BOR\n" + b"a,PR\n" * 8_000_000,
    "patients-utf16": lambda: "ID,BOR\na,PR\nb,SD\n".encode("utf-16"),
    "patients-latin": lambda: "ID,BOR,Zentrum\na,PR,M\xfcnchen\nb,SD,K\xf6ln\n".encode("latin-1"),
    "statements-many": lambda: b"p0,p1,alpha,power,n\n" + b"0.1,0.3,0.05,0.8,25\n" * 20_000,
    "statements-large": lambda: b"p0,p1\n" + b"0.1,0.3\n" * 1_000_000,
    "statements-wide": lambda: b",".join(b"c%d" % k for k in range(50_000)) + b"\n1\n",
    "statements-faults": lambda: b"p0,p1,alpha,power,n\n" + b"x,y,z,u,v\n" * 500,
    "text-large": lambda: b"Sample size. " + b"The power is 80% and p0 is 10%. " * 1_000_000,
    "text-numbers": lambda: b"Sample size: " + b"p0 = 0.1, p1 = 0.3, alpha = 0.05, power = 0.8, n = 25. " * 20_000,
    "text-digits": lambda: b"Sample size: power 80% and n = " + b"9" * 100_000,
    "text-spaces": lambda: b"Sample size" + b" " * 100_000 + b"power" + b" of" * 50_000,
    "text-commas": lambda: b"Sample size: " + b"1," * 100_000 + b" patients",
}  # fmt: skip
"""The bytes of regular files."""


def make(name, path):
    """Put what the table calls by a name at a path."""
    if name in PLACES:
        PLACES[name](path)
    else:
        path.write_bytes(CONTENTS[name]())
