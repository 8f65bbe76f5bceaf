"""Examples of the documentation: found, refused where they would not be run, run in one folder, and kept."""

import csv
import importlib
import io
import json
import subprocess
import sys

import pytest

from simtrial import project

EXTENSIONS = project.ROOT / "docs" / "extensions"
if not EXTENSIONS.is_dir():
    pytest.skip("no documentation beside this package", allow_module_level=True)


@pytest.fixture
def pages(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module("pages")


def fenced(kind, body="", fence="```"):
    return f"{fence}{kind}\n{body}\n{fence}\n"


def noting(path):
    """A command that notes each of its runs outside of the folder of the page."""
    return f"python -c \"open('{path}', 'a').write('x'); print('ran')\""


def test_an_example_that_fails_names_page_line_and_command(pages, tmp_path):
    text = "# A page\n\n" + fenced("{run}", 'python -c "raise SystemExit(3)"')
    with pytest.raises(pages.PageError) as caught:
        pages.run("howto/a", pages.blocks(text), tmp_path / "work")
    assert str(caught.value).startswith("howto/a:3: exit code 3, not 0:\npython -c")


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{run}\nno-such-program", "no program no-such-program"),
        ("{run}\n# nothing", "is no command"),
        ("{python}\nraise KeyError(1)", "KeyError"),
        ("{copy} build/x.html", "build/x.html was not made"),
        ("{picture} build/x.html\n:alt: a picture of x", "no picture of it"),
        ("{gallery} build/x\nflow: said", "has no figure flow"),
        ('{run}\n:exit: 2\npython -c "print(1)"', "exit code 0, not 2"),
    ],
)
def test_what_cannot_be_done_stops_the_page(pages, tmp_path, block, words):
    kind, _, body = block.partition("\n")
    with pytest.raises(pages.PageError, match=words):
        pages.run("a", pages.blocks(fenced(kind, body)), tmp_path / "work")


def test_a_picture_begins_at_its_anchor_which_must_exist(pages, tmp_path):
    page = tmp_path / "report.html"
    page.write_text('<meta http-equiv="Content-Security-Policy" content="none"><p id="memo">Memo</p></body>', "utf-8")
    text = pages.beginning_at("a:1", page, "memo").read_text("utf-8")
    assert 'getElementById("memo")' in text
    assert "Content-Security-Policy" not in text  # it would forbid the script that moves the page
    with pytest.raises(pages.PageError, match=r"a:1: report\.html has no anchor letter"):
        pages.beginning_at("a:1", page, "letter")


def test_an_exit_code_that_is_stated_is_right_and_shows_the_message(pages, tmp_path):
    command = "python -c \"import sys; sys.stderr.write('told'); sys.exit(2)\""
    (printed,) = pages.run("a", pages.blocks(fenced("{run}", f":exit: 2\n{command}")), tmp_path / "work")
    assert json.loads(printed) == ["told"]


@pytest.mark.parametrize(
    "block",
    [
        fenced("bash", "simtrial design"),
        fenced("console", "$ simtrial design"),
        fenced("python", "print(1)"),
        fenced("r", "library(reticulate)"),
        fenced("", "simtrial design --p0 0.1"),
        fenced("", "    $ .venv/bin/simtrial design"),
        fenced("text", ">>> from simtrial import exact"),
        fenced("", "from simtrial import exact"),
        fenced("sh", "ls", fence="~~~"),
        "Text.\n\n    simtrial report params/example.yaml\n",
        "* A list\n\n  ```bash\n  simtrial columns\n  ```\n",
        ":::{note}\n```python\nprint(1)\n```\n:::\n",
        fenced("{note}", fenced("bash", "ls"), fence="````"),
        fenced("{code-block} python", "print(1)"),
        fenced("{eval-rst}", ".. code-block:: python\n\n   print(1)"),
        fenced("{unrun}", "pip install x"),
        fenced("{run}"),
    ],
)
def test_commands_and_code_that_are_not_run_are_refused(pages, block):
    (fault,) = pages.faults(f"# A page\n\n{block}")
    assert fault[0].isdigit()


@pytest.mark.parametrize(
    "block",
    [
        fenced("yaml", "trial: {study: {id: A}}"),
        fenced("json", '{"n": 25}'),
        fenced("text", "r1/n1, r/n"),
        fenced("{run}", "simtrial columns"),
        fenced("{unrun} It needs a network.", "pip install x"),
        fenced("{file} a.py", "print(1)"),
        "Words such as `simtrial design` in a sentence.",
    ],
)
def test_what_is_run_or_no_code_may_stand(pages, block):
    assert list(pages.faults(f"# A page\n\n{block}")) == []


@pytest.mark.parametrize("kind", ["picture", "made"])
@pytest.mark.parametrize(("alt", "right"), [("", False), ("Figure", False), ("The flow of 1/10, 5/29", True)])
def test_a_picture_needs_words(pages, kind, alt, right):
    block = fenced(f"{{{kind}}} build/a.svg", f":alt: {alt}" if alt else "")
    assert (list(pages.faults(block)) == []) is right


def test_every_fault_of_every_page_is_told_at_once(pages, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(fenced("bash", "ls") * 2, encoding="utf-8")
    with pytest.raises(pages.PageError) as caught:
        pages.examples(tmp_path)
    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == ["a:1:", "a:4:", "b:1:", "b:4:"]


def test_examples_are_found_in_order_wherever_they_stand(pages):
    text = (
        fenced("{run}", "one")
        + ":::{note}\n"
        + fenced("{python}", "two")
        + ":::\n* x\n\n  ```{file} a\n  three\n  ```\n"
    )
    text += fenced("{note}", fenced("{run}", ":exit: 2\n\nfour"), fence="````")
    found = pages.blocks(text)
    assert [(one.kind, one.body) for one in found] == [
        ("run", "one"), ("python", "two"), ("file", "three"), ("run", "four")
    ]  # fmt: skip
    assert found[-1].options == {"exit": "2"}
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_the_folder_of_the_page_is_shown_as_that_of_a_reader(pages, tmp_path):
    command = "python -c \"import os; print(os.path.join(os.getcwd(), 'x.html'))\""
    (printed,) = pages.run("a", pages.blocks(fenced("{run}", command)), tmp_path / "work")
    assert json.loads(printed) == [f"{pages.HERE}/x.html"]


def test_a_page_that_is_run_within_the_clone_shows_a_folder_of_a_reader_as_well(pages, tmp_path, monkeypatch):
    monkeypatch.setattr(pages.project, "ROOT", tmp_path)
    command = "python -c \"print('made from build/docs-work/a/x.yaml; see build/docs-work/about'); open('x', 'w')\""
    (printed,) = pages.run("a", pages.blocks(fenced("{run}", command)), tmp_path / "build" / "docs-work" / "a")
    assert json.loads(printed) == [f"made from {pages.HERE}/x.yaml; see build/docs-work/about"]


@pytest.mark.parametrize("name", ["sys.prefix", "simtrial.__file__"])
def test_a_path_of_this_machine_is_never_shown(pages, tmp_path, name):
    code = fenced("{python}", f"import sys, simtrial\nprint({name})")
    with pytest.raises(pages.PageError, match="prints a path of this machine"):
        pages.run("a", pages.blocks(code), tmp_path / "work")


def test_blocks_of_python_share_their_names_and_show_the_last_value(pages, tmp_path):
    text = fenced("{python}", "a = 2\nprint('first')") + fenced("{python}", "a + 1")
    assert pages.run("a", pages.blocks(text), tmp_path / "work") == ["first", "3"]


def test_a_page_is_run_once_until_any_of_its_examples_changes(pages, tmp_path):
    noted = tmp_path / "runs"
    first = [*pages.blocks(fenced("{run}", 'python -c "print(1)"') + fenced("{run}", noting(noted)))]
    assert pages.kept("a", first, tmp_path / "work") == pages.kept("a", first, tmp_path / "work")
    assert noted.read_text() == "x"
    moved = pages.blocks(
        "Another sentence.\n\n" + fenced("{run}", 'python -c "print(1)"') + fenced("{run}", noting(noted))
    )
    pages.kept("a", moved, tmp_path / "work")
    assert noted.read_text() == "x"
    earlier = pages.blocks(fenced("{run}", 'python -c "print(2)"') + fenced("{run}", noting(noted)))
    assert json.loads(pages.kept("a", earlier, tmp_path / "work")[0]) == ["2"]
    assert noted.read_text() == "xx"


def test_a_page_is_run_again_if_the_code_changes_or_a_file_is_gone(pages, tmp_path, monkeypatch):
    noted = tmp_path / "runs"
    write = "python -c \"open('x.svg', 'w').write('a')\""
    text = fenced("{run}", f"{noting(noted)}\n{write}") + fenced("{made} x.svg", ":alt: what it shows")
    found = pages.blocks(text)
    pages.kept("a", found, tmp_path / "work")
    (tmp_path / "work" / "a" / "x.svg").unlink()
    assert pages.kept("a", found, tmp_path / "work")[-1] == "x.svg"
    assert (tmp_path / "work" / "a" / "x.svg").is_file()
    monkeypatch.setattr(pages, "code_digest", lambda: "another package")
    pages.kept("a", found, tmp_path / "work")
    assert noted.read_text() == "xxx"


def test_a_page_that_fails_keeps_nothing_of_its_former_text(pages, tmp_path):
    noted = tmp_path / "runs"
    right = pages.blocks(fenced("{run}", noting(noted)))
    pages.kept("a", right, tmp_path / "work")
    with pytest.raises(pages.PageError):
        pages.kept("a", pages.blocks(fenced("{run}", 'python -c "raise SystemExit(1)"')), tmp_path / "work")
    pages.kept("a", right, tmp_path / "work")
    assert noted.read_text() == "xx"


ANSWER = "python -c \"print('{}')\"".format('{\\"n\\": 25, \\"designs\\": [{\\"kinds\\": [], \\"n\\": 1}]}')


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("n: Patients.\ndesigns: Designs.\nkinds: Criteria.", None),
        ("n: Patients.\ndesigns, designs[].*: Designs.", None),
        ("n: Patients.\ndesigns: Designs.", r"the key designs\[\].kinds of the answer has no meaning"),
        ("n: Patients.\ndesigns: Designs.\nkinds: Criteria.\npower: P.", "the answer has no key power"),
    ],
)
def test_every_key_of_an_answer_has_one_meaning(pages, tmp_path, lines, wrong):
    found = pages.blocks(fenced("{run}", ANSWER) + fenced("{keys}", lines))
    if wrong is None:
        rows = json.loads(pages.run("a", found, tmp_path / "work")[-1])
        assert [name for name, _ in rows] == [line.split(": ")[0] for line in lines.splitlines()]
    else:
        with pytest.raises(pages.PageError, match=wrong):
            pages.run("a", found, tmp_path / "work")


def test_figures_bring_their_captions_and_their_words(pages, tmp_path):
    home = tmp_path / "build" / "x"
    (home / "figures").mkdir(parents=True)
    (home / "figures" / "flow.svg").write_text("<svg><title>Of 15 &amp; 25</title></svg>", encoding="utf-8")
    caption = '<strong>Figure 1.</strong> The <b>flow</b> &lt; 25 <span class="files"><a href="x">SVG</a></span>'
    report = f'<figure id="figure-flow"><figcaption>{caption}</figcaption></figure>'
    (home / "report.html").write_text(report, encoding="utf-8")
    (block,) = pages.blocks(fenced("{gallery} build/x", "flow: On the front page."))
    (shown,) = pages._figures("a:1", block, tmp_path)
    assert shown == {
        "file": "build/x/figures/flow.svg", "alt": "Of 15 & 25", "said": "On the front page.",
        "caption": "The flow < 25",
    }  # fmt: skip
    assert pages.files_of([block], [json.dumps([shown])]) == ["build/x/figures/flow.svg"]


@pytest.fixture
def examples(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module("examples")


def test_sentences_are_wrapped_by_the_page_and_beside_a_table_before(examples):
    sentence, line, cells = "  " + "a few words " * 20, "\u2500" * 110, "one" + " " * 100 + "two"
    assert examples.laid_out([sentence]) == ([sentence], "printed")
    shown, classes = examples.laid_out([line, cells, sentence])
    assert classes.split() == ["printed", "tabular"]
    assert shown[:2] == [line, cells]
    assert len(shown) > 4
    assert all(one.startswith(("  a", "  few", "  words")) for one in shown[2:])
    assert max(map(len, shown[2:])) <= examples.TERMINAL
    assert " ".join(" ".join(shown[2:]).split()) == sentence.strip()


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"alt": "The front page"}, "The front page. Click to enlarge."),
        ({"alt": "The front page", "caption": "What is signed?"}, "What is signed? Click to enlarge."),
    ],
)
def test_a_picture_has_a_caption_that_is_seen(examples, options, shown):
    assert examples.captioned(options).astext() == shown


def test_tables_are_printed_as_wide_as_a_page(pages, tmp_path):
    rule = 'python -c "from simtrial.show import terminal; print(terminal.width())"'
    (printed,) = pages.run("a", pages.blocks(fenced("{run}", rule)), tmp_path / "work")
    assert json.loads(printed) == [pages.COLUMNS]


# docstrings, and what is generated


@pytest.fixture
def docstrings(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module("interface")


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["References", "----------", ".. [1] Simon", "   1989."],
         [".. rubric:: References", "", "* [1] Simon", "  1989."]),
        (["as in [1]_ and [12]_"], ["as in [1] and [12]"]),
        (["| a | b_n |", "|---|---|", "| c | d |"],
         [".. list-table::", "   :header-rows: 1", "", "   * - a", r"     - b\_n", "   * - c", "     - d", ""]),
    ],
)  # fmt: skip
def test_docstrings_of_modules_become_pages(docstrings, lines, shown):
    assert docstrings.mended(lines, module=True) == shown


@pytest.fixture
def reference(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module("reference")


def every_path(schema, defs, at=""):
    for name, one in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        kinds = [one, *one.get("anyOf", [])]
        for kind in kinds:
            if "$ref" in kind:
                yield from every_path(defs[kind["$ref"].split("/")[-1]], defs, path)
            elif "$ref" in kind.get("items", {}):
                path = f"{path}[]"
                yield from every_path(defs[kind["items"]["$ref"].split("/")[-1]], defs, path)
        yield path


@pytest.mark.parametrize(("page", "least"), [("parameter_file", 150), ("sweep_file", 10)])
def test_every_key_of_the_schema_has_an_entry_with_a_meaning(reference, page, least):
    from simtrial.sweep import section
    from simtrial.trial import params

    schema = params.json_schema() if page == "parameter_file" else params.json_schema(section.SweepFile)
    text = reference.PARTS[page]()
    entries = dict(part.split("\n", 1) for part in text.split("````{confval} ")[1:])
    top = schema["$defs"]["Trial"] if page == "parameter_file" else schema
    paths = set(every_path(top, schema["$defs"]))
    assert set(entries) == paths
    assert len(paths) >= least
    without = sorted(path for path, rest in entries.items() if not rest.split("````")[0].partition("\n\n")[2].strip())
    assert without == []


def test_every_option_of_every_command_has_an_entry_with_a_meaning(reference):
    text = reference.commands()
    for name, command in reference.program().commands.items():
        part = text.split(f"```{{program}} simtrial {name}\n")[1].split("```{program}")[0]
        for param in command.params:
            words = param.opts[0] if param.opts[0].startswith("-") else param.metavar or param.name.upper()
            entry = part.split(f"````{{option}} {words}", 1)[1].split("````")[0]
            assert entry.partition("\n\n")[2].strip(), f"{name} {words}"


def test_options_are_code_and_defaults_stand_in_one_form(reference):
    text = reference.commands()
    entries = [entry.split("````")[0] for entry in text.split("````{option} ")[1:]]
    meanings = [entry.partition("\n\n")[2].strip() for entry in entries]
    assert [one for one in meanings if "[default" in one or "; default" in one] == []
    defaults = [one for one in meanings if "efault: " in one]
    assert len(defaults) > 30
    assert [one for one in defaults if one.count("Default: ") != 1] == []
    assert [one for one in meanings if "--" in "".join(one.split("`")[::2])] == []


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        ("Odds ratio. [default: 1]", ("Odds ratio.", "Default: 1.")),
        ("Tests it. [default of sprt: rate + 0.15]", ("Tests it.", "Default of sprt: rate + 0.15.")),
        ("Decimals: 3 for 6.8%; default: as typed.", ("Decimals: 3 for 6.8%.", "Default: as typed.")),
        ("Power; default: 0.80.", ("Power.", "Default: 0.80.")),
        ("Parts. Default: those of the file.", ("Parts.", "Default: those of the file.")),
        ("It has no default.", ("It has no default.", "")),
    ],
)
def test_the_default_is_parted_from_the_help(reference, told, parts):
    assert reference.parted(told) == parts


def test_bounds_are_those_of_the_table(reference):
    assert "whole number from 1 to 3,000" in reference.number({"type": "integer", "minimum": 1, "maximum": 3000})
    assert (
        reference.number({"type": "number", "minimum": 1e-9, "maximum": 1 - 1e-9}) == "number strictly between 0 and 1"
    )
    assert reference.number({"type": "number", "exclusiveMinimum": 0, "maximum": 1}) == "number above 0 to 1"


def test_bounds_name_the_options_and_keys_that_they_hold(reference):
    held = reference.places()
    assert set(held) <= set(reference.TABLE)
    assert {"--p0", "hypotheses.p0", "rivals[].p0"} <= set(held["rate"])
    assert "conduct.simulation.seed" in held["seed"]
    assert "simtrial init --rate" in held["enrollment_rate"]
    rows = [row.strip("| ").split(" | ") for row in reference.input_bounds().splitlines()[2:]]
    assert all(len(row) == 4 for row in rows)
    times = [row for row in rows if row[0] == "A time"]
    assert len(times) == len({row[3] for row in times}) > 1


@pytest.mark.parametrize("name", ["hypotheses", "design", "conduct", "rivals", "evidence", "stated"])
def test_parts_of_the_template_are_those_that_a_file_takes(reference, name):
    import yaml

    from simtrial.trial import params

    snippet = reference.snippet(name)
    assert snippet.startswith(f"{name}:")
    plain = params.load(project.ROOT / "params/smoke.yaml").plain()
    plain.update(yaml.safe_load(snippet))
    if name == "conduct":
        plain.pop("analysis", None)
    assert params.load(plain) is not None


def test_words_that_look_like_markup_stay_words(reference):
    assert reference.plain("r_1 < *n* [a]") == r"r\_1 \< \*n\* \[a\]"
    assert reference.plain("the key `a_b` of $x") == r"the key `a_b` of \$x"


def test_a_machine_without_a_table_of_exit_codes_lists_them_anyway(reference):
    shown = reference.exit_codes()
    assert all(f"| `{code}` |" in shown for code in (0, 1, 2))


def test_tables_of_csv_files_are_read_with_the_columns_asked_for():
    head, *rows = csv.reader(io.StringIO('case,n\n"a, b",2\n'))
    assert (head, rows) == (["case", "n"], [["a, b", "2"]])


# names in docstrings


def test_every_name_in_a_docstring_that_begins_with_simtrial_exists():
    import ast
    import re

    missing = []
    for path in sorted((project.ROOT / "simtrial").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                names = re.findall(r"`(simtrial(?:\.\w+)+)`", node.value.value)
                missing += [f"{path.name}:{node.lineno}: {name}" for name in names if not there(name)]
    assert missing == []


def there(name):
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        for part in parts[k:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


# a site of its own

CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_parser", "examples"]
examples_work = {work!r}
nitpicky = True
"""


def built(folder, text):
    """Build a site of one page, as `make docs` builds ours."""
    source = folder / "source"
    source.mkdir()
    (source / "conf.py").write_text(
        CONF.format(extensions=str(EXTENSIONS), work=str(folder / "work")), encoding="utf-8"
    )
    (source / "index.md").write_text(f"# A page\n\n{text}", encoding="utf-8")
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(source), str(folder / "out")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[away](nowhere.md)", "nowhere.md"),
        ("[away](#no-such-heading)", "no-such-heading"),
        ("{py:func}`no.such.function`", "no.such.function"),
        (fenced("bash", "simtrial columns"), "is not run"),
        (fenced("{run}", 'python -c "raise SystemExit(1)"'), "exit code 1, not 0"),
    ],
)
def test_a_broken_link_and_an_example_that_is_not_run_stop_the_build(tmp_path, text, told):
    done = built(tmp_path, text)
    assert done.returncode != 0
    assert told in done.stderr


@pytest.mark.long
def test_a_page_shows_what_was_typed_and_printed(tmp_path):
    many = 'python -c "print(*range(100), sep=chr(10))"'
    text = fenced("{run}", f"python -c \"print('a < b')\"\n{many}") + fenced("{run}", f":lines: 3\n{many}")
    done = built(tmp_path, text)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "a &lt; b" in page
    assert page.count('class="long" tabindex="0"') == 1
    assert "\n99\n" in page
    assert "2\n...\n" in page
