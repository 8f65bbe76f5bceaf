"""What people read is plain statistician's English: words that must not appear, and numbers that agree with nouns.

Every text of the product is looked at: string literals of the package, docstrings that become help or descriptions of
the schema, notebooks, templates, README, CONTRIBUTING and the parameter files. One test for each wing and document.
"""

import ast
import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from simtrial import files, parse_looks
from simtrial.analysis import final as analysis_final
from simtrial.analysis import text as analysis_text
from simtrial.cli import commands
from simtrial.cli.app import main
from simtrial.errors import MOST_LISTED, InputError, several
from simtrial.months import WEEK
from simtrial.phrases import agreeing, counted
from simtrial.plan.assessments import Assessments
from simtrial.review import check as review_check
from simtrial.review import routes
from simtrial.review import tables as review_tables
from simtrial.review import text as review_text
from simtrial.sweep import section as sweep_section
from simtrial.trial import rules, section
from simtrial.trial.statement import Statement

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "simtrial"

NOUNS = (
    "analysis", "arm", "assessment", "assumption", "block", "byte", "calculation", "candidate", "case", "cell",
    "centre", "character", "choice", "column", "combination", "convention", "core", "criterion", "date", "day",
    "design", "difference", "digit", "element", "ending", "entry", "error", "estimate", "event", "failure", "figure",
    "file", "hour", "interval", "letter", "line", "look", "method", "minute", "mistake", "month", "notebook", "number",
    "outcome", "page", "panel", "parameter", "part", "patient", "period", "place", "point", "probability", "question",
    "rate", "reading", "record", "reference", "replacement", "responder", "response", "result", "route", "row", "rule",
    "scenario", "second", "sentence", "setting", "stage", "study", "sweep", "table", "time", "trial", "value", "visit",
    "week", "worker", "year",
)  # fmt: skip
"""Everything countable that the texts count."""

_IRREGULAR = {"analysis": "analyses", "criterion": "criteria"}


def plural(noun):
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


ONE = "|".join(NOUNS)
MANY = "|".join(map(plural, NOUNS))

FORBIDDEN = {
    r"\bhang(?:s|ing)? on\b": "depends on",
    r"\brecut\w*": "recalculated (bounds); `bounds: recut` is a key",
    r"\bthe lost\b": "patients without a response assessment",
    r"\bthose without\b": "patients without a response assessment",
    r"\bhad nobody\b": "with every patient evaluable; without dropout",
    r"\bloosens?\b|\bloosen(?:ed|ing)\b": "with unchanged bounds the type I error rises",
    r"\btold\b": "stated in, taken from, given",
    r"\bsaid\b": "stated; it is stated that",
    r"\b(?:tells|told) (?:how|what|which|whether|apart)\b": "states, gives, distinguishes",
    r"\b(?:what|as) (?:is|was|were) (?:found|told|said|read)\b": "what is stated; the result",
    r"\bas (?:found|told)\b": "as stated",
    r"\bread in a (?:protocol|registry|paper)\b": "taken from a protocol",
    r"\bso many\b": "this many; at most this many",
    r"\banew\b": "again; recalculated",
    r"\bleft alone\b": "ignored; unchanged",
    r"\b(?:go|goes|going|went|gone) on\b": "continues (to stage 2)",
    r"\b(?:let go|lets? \w+ go)\b": "is stopped for futility; continues",
    r"\busual numbers\b": "conventional values",
    rf"\bone(?: (?:{ONE}))? an? (?:{ONE})\b": "one ... per ...",
    rf"\b(?:{MANY}|screened|enrolled) an? (?:{ONE})\b": "per month, per patient",
    r"(?:\{\}|\d|\b(?:once|twice)) an? (?:second|minute|hour|day|week|month|year)\b": "per second, per month",
    r"\ba promise\b": "on average, but at least ... only with probability ...",
    r"\bspends?\b|\bspent\b": "has a tail probability of; takes (time)",
    r"\bbreak(?:s|ing)? (?:its |the )?(?:alpha|limits?|size)\b": "the type I error is inflated",
    r"\b(?:alpha|limits?) (?:is|are) (?:broken|lost)\b|\bbroken (?:alpha|limit)": "the type I error is inflated",
    r"\bpower is lost\b|\bloses power\b": "power is reduced",
    r"\berrors of the rule\b": "attained type I error and power",
    r"\bpatients expected\b(?! to)": "expected sample size EN(p0)",
    r"\bbiased coin\b": "a test that ignores the data",
    r"\ball the same\b": "anyway",
    r"\bnobody\b|\bnobody's\b": "no patient; does not",
    r"\byes-or-no endpoint\b": "binary endpoint",
    r"\bchecks itself\b": "Check: of ... simulated means with a known exact value, ...",
    r"\bagrees? with the (?:decision|test)\b": "is consistent with the test",
    r"\bsay (?:it|--\w+)": "give it; add --yes",
}
"""What must not appear, and what is written instead."""

_KEYS = re.compile(r"(?:bounds: |--bounds |\()recut|[`'\"]recut[`'\"]|\brecut_\w+|\w+_recut\b|\.recut\b")
"""The key as it stands in a file or in code."""


@dataclass(frozen=True)
class Said:
    """A text of the product and its place."""

    place: str
    text: str


def written(node):
    """A string as people read it, values of an f-string as braces; None for what is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def remarks(tree):
    """Bare strings, by identity: docstrings of every kind, which people who use the product do not read."""
    bare = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return {id(value) for value in bare if isinstance(value, ast.Constant)}


def inner(tree):
    """Parts of f-strings, which are read as part of their whole."""
    return {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}


def is_text(text):
    """Whether a string is for people: more than one word, and no pattern."""
    return bool(re.search(r"[A-Za-z]", text)) and " " in text.strip() and "\\b" not in text and "(?:" not in text


def below(kind):
    return {kind}.union(*map(below, kind.__subclasses__()))


@cache
def helping():
    """Modules and names of what has a docstring that people read: commands, and sections of parameter files."""
    callbacks = {command.callback for command in commands.program().registered_commands}
    assert issubclass(sweep_section.SweepSection, section.Section)
    return {(one.__module__, one.__name__) for one in callbacks | below(section.Section)}


@cache
def parsed(module):
    return ast.parse(module.read_text(encoding="utf-8"))


def of_module(module):
    tree, place = parsed(module), module.relative_to(ROOT)
    name = ".".join(place.with_suffix("").parts)
    for node in tree.body:
        if (name, getattr(node, "name", "")) in helping():
            yield Said(f"{place}:{node.lineno}", ast.get_docstring(node) or "")
    skipped = remarks(tree) | inner(tree)
    for node in ast.walk(tree):
        text = None if id(node) in skipped else written(node)
        if text and is_text(text):
            yield Said(f"{place}:{node.lineno}", text)


def of_template(path):
    """What a page shows: text outside of tags, and strings of its script."""
    source = path.read_text(encoding="utf-8")
    for k, line in enumerate(source.splitlines(), start=1):
        place = f"{path.relative_to(ROOT)}:{k}"
        if path.suffix == ".js":
            literals = re.finditer(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`", re.sub(r"(?:^|\s)//.*", "", line))
            yield from (Said(place, text) for found in literals if is_text(text := found[found.lastindex or 0]))
        else:
            yield Said(place, re.sub(r"<[^>]*>|\{[{%#].*?[}%#]\}", " ", line))


RUN = re.compile(r"^(`{3,})\{(?:python|r|run|keys)\}.*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


def of_prose(path):
    """Paragraphs, so that a phrase is seen across a line's end; code that a page runs is no text."""
    text = path.read_text(encoding="utf-8")
    lines = re.sub(RUN, lambda block: "\n" * block[0].count("\n"), text).splitlines()
    start = 0
    for k, line in enumerate([*lines, ""]):
        if not line.strip() or re.match(r" {4}|\s*(?:[*#|-]|\d+\.) ", line):
            if text := " ".join(part.strip() for part in lines[start:k]):
                yield Said(f"{path.relative_to(ROOT)}:{start + 1}", text)
            start = k if line.strip() else k + 1


def of_notebook(path):
    for k, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source, place = "".join(cell["source"]), f"{path.relative_to(ROOT)} cell {k}"
        if cell["cell_type"] == "markdown":
            yield Said(place, " ".join(source.split()))
            continue
        tree = ast.parse(source)
        skipped = inner(tree)
        texts = (written(node) for node in ast.walk(tree) if id(node) not in skipped)
        yield from (Said(place, text) for text in texts if text and is_text(text))
        yield from (Said(place, line.partition("#")[2]) for line in source.splitlines() if "# " in line)


def of_comments(path):
    """Comments of a parameter file, lines that follow each other joined."""
    lines = [line.partition("#")[2].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    start = 0
    for k, line in enumerate([*lines, ""]):
        if not line:
            if text := " ".join(lines[start:k]):
                yield Said(f"{path.relative_to(ROOT)}:{start + 1}", text)
            start = k + 1


WINGS = sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists())
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").rglob("*.ipynb")
                   if ".ipynb_checkpoints" not in path.parts)  # fmt: skip
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "tests/INDEX.md", "params", *PAGES)
UNITS = ("simtrial", *(f"simtrial/{wing}" for wing in WINGS), *NOTEBOOKS, *DOCUMENTS)


@cache
def texts(unit):
    """Every text of a wing or document."""
    path = ROOT / unit
    if unit.endswith(".ipynb"):
        return tuple(of_notebook(path))
    if unit.endswith(".md"):
        return tuple(of_prose(path))
    if unit == "params":
        return tuple(said for file in sorted(path.glob("*.yaml")) for said in of_comments(file))
    modules = sorted(path.glob("*.py") if path == PACKAGE else path.rglob("*.py"))
    shown = [] if path == PACKAGE else sorted((*path.rglob("*.j2"), *path.rglob("*.js")))
    return (*(said for module in modules for said in of_module(module)), *(s for f in shown for s in of_template(f)))


def faults(said):
    """Words of a text that must not appear, each with what is written instead."""
    text = _KEYS.sub("", said.text)
    for pattern, instead in FORBIDDEN.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            around = " ".join(text[max(match.start() - 40, 0) : match.end() + 40].split())
            yield f"{said.place}: {match[0]!r} -> {instead}   [... {around} ...]"


@pytest.mark.parametrize("unit", UNITS)
def test_no_text_holds_a_word_that_must_not_appear(unit):
    found = [fault for said in texts(unit) for fault in faults(said)]
    assert not found, "\n".join(("", *found))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("every result hangs on it", "hangs on"),
        ("bounds recut there", "recut"),
        ("one row an outcome", "one row an outcome"),
        ("at most so many patients", "so many"),
        ("8 patients a month", "patients a month"),
        ("the trial goes on", "goes on"),
    ],
)
def test_the_grep_sees(text, word):
    assert [fault for fault in faults(Said("here", text)) if repr(word) in fault]


@pytest.mark.parametrize(
    "text", ["conduct.dropout.bounds: recut", "the key `recut`", "one row per outcome", "once a trial is over"]
)
def test_the_grep_lets_pass(text):
    assert not [*faults(Said("here", text.replace("once a trial", "after a trial")))]


def test_texts_of_every_kind_are_looked_at():
    everything = {said.text for unit in UNITS for said in texts(unit)}
    assert len(everything) > 2000
    for part in ("Analyze a finished trial", "Weeks between tumour assessments.", "How to run things", "binomial"):
        assert any(part in text for text in everything), part


# numbers agree with their nouns


DISAGREES = re.compile(rf"(?<![\w.,/:=-])(?:1 (?:{MANY})|(?:0|[2-9]|[1-9][0-9,]*[0-9]) (?:{ONE}))\b(?![-/])")
"""A number and a noun that do not agree; `2 look` stands in no sentence, `2-month` may."""


def disagreeing(text):
    return [match[0] for match in DISAGREES.finditer(text)]


@pytest.mark.parametrize("unit", UNITS)
def test_written_numbers_agree_with_their_nouns(unit):
    found = [f"{said.place}: {wrong!r}" for said in texts(unit) for wrong in disagreeing(said.text)]
    assert not found, "\n".join(("", *found))


CONSTANT = re.compile(r"[A-Z][A-Z_]+")


def at_hand(module):
    """F-strings that write a number and a plural noun, or choose between two words by whether a number is 1."""
    if module.name == "phrases.py":
        return
    place = module.relative_to(ROOT)
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.JoinedStr):
            for value, after in zip(node.values, node.values[1:], strict=False):
                if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                    continue
                noun = re.match(rf" ((?:further |more |other |simulated )?(?:{MANY}))\b", after.value)
                noun = None if noun and noun[1] == "times" else noun  # twice is no count
                decimals = value.format_spec is not None and re.search(r"\.[1-9]f", ast.unparse(value.format_spec))
                name = ast.unparse(value.value)
                if noun and not decimals and not CONSTANT.fullmatch(name.rpartition(".")[2]):
                    yield f"{place}:{node.lineno}", f"{{{name}}} {noun[1]}"
        elif isinstance(node, ast.IfExp) and isinstance(node.test, ast.Compare):
            one = [part.value for part in node.test.comparators if isinstance(part, ast.Constant)]
            words = [part.value for part in (node.body, node.orelse) if isinstance(part, ast.Constant)]
            if 1 in one and len(words) == 2 and all(isinstance(word, str) for word in words) and agree(*words):
                yield f"{place}:{node.lineno}", ast.unparse(node)


def agree(*words):
    """Whether two words are the singular and the plural of one."""
    one, many = sorted(words, key=len)
    verbs = {("is", "are"), ("was", "were"), ("has", "have"), ("do", "does"), ("", "s"), ("s", "")}
    ends = ((one.split() or [""])[-1], (many.split() or [""])[-1])
    return many == f"{one}s" or ends in verbs or ends[::-1] in verbs


BY_HAND = {
    "{listed([str(n) for n in looks_at])} patients": "sizes of several looks",
    "{sizes} patients": "sizes of the looks",
}
"""What may stand by hand, by its text, with the reason."""


@pytest.mark.parametrize("unit", UNITS[: 1 + len(WINGS)])
def test_counts_are_written_by_counted_and_agreeing(unit):
    path = ROOT / unit
    modules = sorted(path.glob("*.py") if path == PACKAGE else path.rglob("*.py"))
    found = [f"{place}: {text}" for module in modules for place, text in at_hand(module) if text not in BY_HAND]
    assert not found, "\n".join(("", "write counted(n, noun) or agreeing(n, one, many):", *found))


@pytest.mark.parametrize("number", [0, 1, 2, 11, 1000])
@pytest.mark.parametrize("noun", NOUNS)
def test_everything_countable_agrees_with_its_number(number, noun):
    shown = counted(number, noun, plural(noun))
    assert shown == f"{number:,} {noun if number == 1 else plural(noun)}"
    assert not disagreeing(shown)
    assert disagreeing("1 patients, 2 patient and 0 response") == ["1 patients", "2 patient", "0 response"]


def test_verbs_agree():
    assert [agreeing(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_mistakes_agree_with_their_number(number):
    every = several([InputError("is wrong", "p0")] * (number + 1))
    hidden = several([InputError("is wrong", "p0")] * (MOST_LISTED + number))
    assert not disagreeing(f"{every} {hidden}")


@pytest.mark.parametrize("responses", [0, 1, 2])
@pytest.mark.parametrize("patients", [1, 2])
def test_responses_and_patients_agree(responses, patients):
    assert not disagreeing(analysis_text.responses_in(responses, patients))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_sentences_of_an_analysis_agree_with_their_numbers(number):
    final = analysis_final.final(parse_looks("1/10,5/29"), 0.1, 1, attained=[10])
    after = analysis_text.not_counted(replace(final, after=number, after_responses=min(number, 1)))
    assert not disagreeing(f"{after} {analysis_text.needed(number)}")
    assert not re.search(r"\b1 \w+ were\b|\b[02] \w+ was\b|\bpatients was\b|\bpatient were\b", after)


@pytest.mark.parametrize(("patients", "responses"), [(28, 4), (28, 5), (27, 4), (2, 0), (9, 1), (10, 2)])
def test_what_is_still_needed_agrees(patients, responses, capsys):
    given = ["--patients", str(patients), "--responses", str(responses), "--p", "0.3"]
    assert main(["monitor", "--looks", "1/10,5/29", *given]) == 0
    shown = capsys.readouterr().out
    assert not disagreeing(shown)
    assert not re.search(r"\b1 response in .* are needed|[2-9] responses in .* is needed|next 1 ", shown)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_sentences_of_a_review_agree_with_their_numbers(n):
    found = routes.trace(n)
    asks = " ".join(review_text.questions(found, n).paragraphs)
    assert not disagreeing(f"{asks} {routes.why_none(n)} {review_tables.routes(found[:n], n).caption}")


@pytest.mark.parametrize("looks", ["0/1", "0/2", "0/1,0/2", "0/1,1/3", "1/15,5/25"])
@pytest.mark.parametrize("handling", ["nonresponder", "replace", "exclude", None])
def test_sentences_of_a_rule_agree_with_their_numbers(looks, handling):
    assert not disagreeing(" ".join(rules.sentences(parse_looks(looks), handling)))


@pytest.mark.parametrize(("total", "n"), [(1, 1), (2, 1), (3, 2), (28, 25)])
def test_verdicts_agree_with_their_numbers(total, n):
    verdict = review_check.check(Statement(0.1, 0.3, 0.05, 0.8, r=0, n=n, total=total))
    assert not disagreeing(" ".join(verdict.lines))


@pytest.mark.parametrize("weeks", [1, 2])
def test_error_lines_agree_with_their_numbers(weeks):
    with pytest.raises(InputError) as caught:
        Assessments(weeks * WEEK * 2, weeks * WEEK)
    assert not disagreeing(str(caught.value))
    with pytest.raises(InputError) as caught:
        files.within(files.Content("x.yaml", b"123"), weeks)
    assert not disagreeing(str(caught.value))
