"""The main job: what a run leaves behind, that it needs no network, and what happens when something goes wrong."""

import hashlib
import io
import json
import re
import zipfile
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from html import unescape
from html.parser import HTMLParser

import nbformat
import pandas as pd
import pytest

from simtrial import InputError, glossary, looks_text, project
from simtrial.cli.app import main
from simtrial.phrases import rate
from simtrial.report import front
from simtrial.report import run as report_run
from simtrial.report.execution import NotebookError
from simtrial.search import CALENDAR, CRITERIA
from simtrial.trial import params, parts
from simtrial.trial.case import Case
from simtrial.trial.study import DesignWish

STARTS = {"kernel": {"run"}}
PARTS = ("review", "design", "conduct")
"""In no order: a report has its own."""


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory, root):
    text = (root / "params/smoke.yaml").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("params") / "hostile.yaml"
    path.write_text(text.replace("A small design for the tests", "<script>alert(1)</script> $x^2$ {{ 7*7 }}"))
    return path


@pytest.fixture(scope="module")
def run(hostile_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1750000000")
        steps = []
        first = report_run.write(hostile_file, out, steps.append, parts=PARTS, preview_analysis=True)
        kept = {p.relative_to(first.folder): p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
        with redirect_stdout(io.StringIO()) as shown, redirect_stderr(io.StringIO()) as said:
            words = ["report", str(hostile_file), "--out", str(out), "--parts", ",".join(PARTS), "--preview-analysis"]
            assert main(words) == 0
    return first, kept, (shown.getvalue(), said.getvalue()), steps


@pytest.fixture(scope="module")
def html(run):
    return run[0].html.read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_it_writes_notebooks_tables_figures_html_and_a_manifest(run):
    folder = run[0].folder
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {"report.html", "manifest.json", "notebooks/01_design.ipynb", "tables/candidates.csv"} <= names
    assert "text/statement.txt" in names
    assert {"figures/candidates.svg", "figures/operating_characteristics.svg", "figures/saw_tooth.svg"} <= names
    report = [name for name in report_run.NOTEBOOKS if name not in (report_run.ANALYSIS, report_run.TOXICITY)]
    assert run[3] == [*report, report_run.ANALYSIS, "report.html, preview_analysis.html"]
    assert {"text/memo.md", "tables/routes.csv", "figures/map.svg"} <= names
    assert {f"figures/{f}.svg" for f in ("counting", "swimmer", "enrollment_fan", "tornado", "inflation")} <= names
    assert {f"tables/{t}.csv" for t in ("conduct_p0", "conduct_p1", "sensitivity", "hold_or_continue")} <= names
    assert {"tables/complete_or_known.csv", "tables/pending_price.csv"} <= names


def test_the_preview_of_the_analysis_is_a_page_of_its_own_with_its_files_in_a_folder_of_its_own(run, html):
    folder = run[0].folder
    preview = (folder / "preview_analysis.html").read_text(encoding="utf-8")
    assert preview.index("<strong>Preview on synthetic data.</strong>") < preview.index("<nav")
    assert "What does the finished trial say?" in preview
    assert "What does the finished trial say?" not in html
    assert "synthetic" not in html.lower()
    assert (folder / "preview_analysis/notebooks/05_final_analysis.ipynb").exists()
    assert not (folder / "notebooks/05_final_analysis.ipynb").exists()
    assert not (folder / "tables/estimates.csv").exists()
    links = [link for link in re.findall(r'href="([^"]+)"', preview) if not link.startswith("#")]
    assert "preview_analysis/tables/estimates.csv" in links
    assert "preview_analysis/figures/forest.png" in links
    assert all((folder / link).is_file() for link in links)


def test_every_output_of_a_report_has_a_name_of_its_own(run):
    names = []
    for path in (run[0].folder / "notebooks").iterdir():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ()) if "data" in output]
        names += [(min(output["data"]), output["metadata"].get("simtrial", {}).get("name")) for output in outputs]
    named = [name for name in names if name[1]]
    assert len(named) > 20
    assert len(set(named)) == len(named)


def test_every_figure_is_also_a_bitmap_of_300_dots_per_inch_and_no_notebook_keeps_it(run):
    folder = run[0].folder
    drawn = sorted(path.with_suffix("") for path in folder.rglob("*.svg"))
    assert sorted(path.with_suffix("") for path in folder.rglob("*.png")) == drawn
    assert len(drawn) >= 10
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    for path in drawn:
        bitmap = path.with_suffix(".png")
        data = bitmap.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        metre = int.from_bytes(data[data.index(b"pHYs") + 4 :][:4], "big")
        assert metre == round(300 / 0.0254)
        assert str(bitmap.relative_to(folder)) in listed
    for path in folder.rglob("*.ipynb"):
        assert "image/png" not in path.read_text(encoding="utf-8")


def test_the_same_inputs_give_the_same_bytes(run):
    first, kept, *_ = run  # the command has run since
    again = {p.relative_to(first.folder): p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
    assert kept.keys() == again.keys()
    assert [str(name) for name in kept if kept[name] != again[name]] == []


def test_report_prints_the_design_and_its_place(run):
    first, _, (shown, said), _ = run
    assert f"Report: {first.html}" in shown
    assert "H0 is rejected if" in shown
    assert "01_design ..." in said


def test_the_html_asks_nothing_of_a_network(run, html):
    tags = Reader(html).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    for tag, attributes in tags:
        for name in ("src", "href", "xlink:href", "data", "action", "srcset"):
            place = attributes.get(name, "#")
            # what is asked for when somebody follows a link lies beside the page
            assert place.startswith("#") or (tag == "a" and (run[0].folder / place).is_file()), attributes
    assert not re.search(r"@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_text_of_the_file_shows_as_text(html):
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt; $x^2$ {{ 7*7 }}</h1>" in html
    assert "<script" not in html


def test_formulas_are_mathml_and_no_tex_is_left(html):
    assert html.count("<math") >= 10
    prose = re.sub(r"<pre>.*?</pre>|<title>.*?</title>|<h1>.*?</h1>|<td.*?</td>", "", html, flags=re.DOTALL)
    assert "$" not in prose
    assert "FORMULA" not in html


def test_contents_lead_to_every_section_and_the_answer_comes_first(html):
    tags = Reader(html).tags
    anchors = {attributes["id"] for _, attributes in tags if attributes.get("id")}
    inside = [attributes["href"][1:] for tag, attributes in tags if tag == "a" and attributes["href"].startswith("#")]
    assert set(inside) <= anchors | {link for link in inside if f'class="anchor-link" href="#{link}"' in html}
    listed = re.findall(r'<a href="#([^"]+)"', html[html.index("<nav") : html.index("</nav>")])
    assert len(listed) >= 12
    assert listed[-2:] == ["glossary", "provenance"]
    assert html.index("The sentence for the protocol") < html.index("<nav")


def test_code_is_hidden_but_reachable_once_per_section(html):
    sections = re.findall(r"<section id=.*?</section>", html, flags=re.DOTALL)
    toggles = [section.count('<details class="code">') for section in sections]
    assert max(toggles) == 1
    assert sum(toggles) >= 10
    assert "Case.of(params.load(trial))" in html


def test_provenance_names_file_versions_commit_and_seed(run, html, hostile_file):
    manifest = json.loads((run[0].folder / "manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(hostile_file.read_bytes()).hexdigest()
    assert manifest["parameter_file_sha256"] == digest
    assert digest in html
    assert manifest["date"] == "2025-06-15 15:06 UTC"
    assert manifest["chosen_design"] == looks_text(run[0].design)
    assert {"simtrial", "python", "numpy", "scipy", "statsmodels", "commit", "seed"} <= manifest.keys()
    assert manifest["seed"] == 1
    for name, expected in manifest["files"].items():
        assert hashlib.sha256((run[0].folder / name).read_bytes()).hexdigest() == expected


def test_results_name_no_place_on_this_machine(run, root, hostile_file):
    for path in run[0].folder.rglob("*"):
        if path.is_file() and path.suffix != ".png":
            for text in read(path):
                assert str(root) not in text
                assert str(hostile_file.parent) not in text


def read(path):
    """The texts of a file; those of every part where it is an archive."""
    if path.suffix != ".docx":
        yield path.read_text(encoding="utf-8")
        return
    with zipfile.ZipFile(path) as file:
        yield from (file.read(one).decode("utf-8", errors="replace") for one in file.namelist())


def test_the_documents_stand_beside_the_page_which_links_to_them(run, html):
    folder = run[0].folder
    plain = json.loads((folder / "protocol.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["to_complete"]["protocol"] == plain["to_complete"]
    assert {"protocol.docx", "protocol.json"} <= set(manifest["files"])
    (line,) = re.findall(r'<p class="documents">.*?</p>', html)
    links = re.findall(r'href="([^"]+)"', line)
    assert {"protocol.docx", "protocol.json"} <= set(links)
    assert all((folder / link).is_file() for link in links)
    assert f"{len(plain['to_complete'])} passages to complete" in line
    assert "documents" not in (folder / "preview_analysis.html").read_text(encoding="utf-8").split("<main>")[0]


def test_written_tables_are_the_ones_shown(run, html):
    table = pd.read_csv(run[0].folder / "tables/candidates.csv")
    for looks in table.looks:
        assert looks in html
    chosen = table[table.looks == looks_text(run[0].design, ", ")].iloc[0]
    assert f">{rate(chosen.power)}</td>" in html


def test_a_wrong_file_writes_nothing(tmp_path, smoke_text):
    path = tmp_path / "bad.yaml"
    path.write_text(smoke_text.replace("p0: 0.2", "p0: 0.7"))
    with pytest.raises(InputError, match="is not below p1"):
        report_run.write(path, tmp_path / "build")
    path.write_text(smoke_text.replace("p1: 0.6", "p1: 0.2001").replace("minimax", "minimax\n    losses: paper"))
    with pytest.raises(InputError, match=r"bad\.yaml: trial\.hypotheses\.p1 \(0\.2001\) is too near p0"):
        report_run.write(path, tmp_path / "build")
    path.write_text(smoke_text.replace("trial:", "import os; os.system('touch pwned'); x: 1\ntrial:"))
    with pytest.raises(InputError, match="not a known key"):
        report_run.write(path, tmp_path / "build")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.yaml"]


@pytest.fixture
def broken_clone(tmp_path, root, monkeypatch):
    """A clone whose first notebook fails in its fifth cell."""
    clone = tmp_path / "clone"
    (clone / "notebooks").mkdir(parents=True)
    notebook = json.loads((root / "notebooks/01_design.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][4]["source"] = ["raise ZeroDivisionError('by design')"]
    (clone / "notebooks/01_design.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(project, "ROOT", clone)


@pytest.mark.usefixtures("broken_clone")
@pytest.mark.kernel
def test_a_failing_notebook_names_its_cell_and_leaves_a_good_report_alone(root, tmp_path):
    out = tmp_path / "build"
    good = out / "SMOKE" / "report.html"
    good.parent.mkdir(parents=True)
    good.write_text("a good report")
    with pytest.raises(NotebookError) as caught:
        report_run.write(root / "params/smoke.yaml", out)
    said = str(caught.value)
    # papermill puts the injected parameters before it
    assert "01_design.ipynb, cell 6 (raise ZeroDivisionError('by design')) failed: ZeroDivisionError: by design" in said
    assert good.read_text() == "a good report"
    partial = json.loads((out / "SMOKE.failed/notebooks/01_design.ipynb").read_text(encoding="utf-8"))
    assert any(o["output_type"] == "error" for c in partial["cells"] for o in c.get("outputs", []))
    assert sorted(p.name for p in out.iterdir()) == ["SMOKE", "SMOKE.failed"]


def test_an_interrupted_run_leaves_nothing_behind(tmp_path, root, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(report_run, "kept", nullcontext)  # that the kernel ends too is tested with the kernel
    monkeypatch.setattr(report_run, "execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        report_run.write(root / "params/smoke.yaml", tmp_path / "build")
    assert list((tmp_path / "build").iterdir()) == []


def test_a_design_that_misses_its_limits_is_flagged_at_the_top(root):
    trial = params.load(root / "params/smoke.yaml").model_copy(update={"conduct": None})
    short, enough = (Case.of(trial.model_copy(update={"design": DesignWish(looks=looks)})) for looks in ("2/5", "2/6"))
    assert "does not meet its limits" in front.opening(short)
    assert "does not meet its limits" not in front.opening(enough)


def promised(front_page):
    """Limit, value on paper and value as run of the type I error and the power, as they stand on the front page."""
    rows = re.findall(r"<tr>(<td.*?)</tr>", front_page.partition("What it promises")[2], flags=re.DOTALL)[:2]
    return [re.findall(r"<td[^>]*>([^<]*)</td>", row)[1:] for row in rows]


def test_what_dropout_does_to_type_i_error_and_power_is_said_at_the_top(root):
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain["conduct"]["simulation"]["trials"] = 200  # both are exact
    trial = params.load(plain)
    said = front.opening(Case.of(trial))
    assert promised(said) == [["at most 5%", "3.3%", "2.1%"], ["at least 80%", "80.2%", "69.9%"]]
    assert "10% of the patients; patients without a response assessment are counted as non-responders" in said
    # the answer under the dropout stands beside it: 2/25, 6/32 on paper at p1 (1 - d) = .27, as `design --dropout` says
    assert "Simon minimax is 2/25, 6/32 if p0 is the rate among all enrolled patients and 1/17, 5/28 if" in said

    def losing(**changes):
        rule = trial.conduct.dropout.model_copy(update={"handling": "replace", **changes})
        return Case.of(trial.model_copy(update={"conduct": trial.conduct.model_copy(update={"dropout": rule})}))

    assert promised(front.opening(losing())) == [["at most 5%", "3.3%", "3.3%"], ["at least 80%", "80.2%", "80.2%"]]
    informative = losing(probability=0.2, responder_odds_ratio=0.0)
    # who would respond never drops out: p0 among the evaluable is .1 / (.1 + .9 x .8), and H0 is rejected too often
    assert [row[2] for row in promised(front.opening(informative))] == ["7.4%", "91.2%"]


def test_a_question_too_hard_under_its_dropout_names_the_rates_of_the_file_and_of_the_search(smoke_text, tmp_path):
    path = tmp_path / "hard.yaml"
    path.write_text(smoke_text.replace("p1: 0.6", "p1: 0.2223"))
    with pytest.raises(
        InputError, match=r"p0 = 0\.2 and p1 = 0\.2223 become 0\.2 and 0\.20007 \(design\.losses: paper"
    ):
        report_run.write(path, tmp_path / "build")


@pytest.fixture
def not_run(monkeypatch):
    """Notebooks kept and not run: only which of them a report takes, and what it says, is asked.

    That they run without a conduct section is tested with a report for every size.
    """

    def keep(template, target, _parameters, _kernel):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {template.stem}")]), target)
        return ()

    monkeypatch.setattr(report_run, "kept", nullcontext)
    monkeypatch.setattr(report_run, "execute", keep)


def taken(done):
    """The notebooks of a report, as its page lists them."""
    return re.findall(r"<h1[^>]*>(\d\w+)", done.html.read_text(encoding="utf-8"))


# these files have no rule for toxicity
DESIGN = tuple(name for name in report_run.OF_PART["design"] if name != report_run.TOXICITY)
CONDUCT = report_run.OF_PART["conduct"]
REVIEW, ANALYSIS = report_run.OF_PART["review"], report_run.OF_PART["analysis"]
RESULTS = "  analysis: {responses: 4}\n"


@pytest.mark.usefixtures("not_run")
@pytest.mark.parametrize(
    ("more", "options", "parts"),
    [
        ("", {}, (*DESIGN, *CONDUCT)),  # neither a synthetic analysis nor a reviewer's memo
        (RESULTS, {}, (*DESIGN, *CONDUCT, *ANALYSIS)),
        ("  report: {parts: [review, design]}\n", {}, (*DESIGN, *REVIEW)),
        ("  report: {parts: [review, design]}\n", {"parts": ["conduct"]}, CONDUCT),
        (RESULTS, {"parts": ["analysis", "review"]}, (*REVIEW, *ANALYSIS)),
    ],
)
def test_the_parts_are_those_of_the_call_or_of_the_file_or_those_that_the_file_calls_for(
    more, options, parts, tmp_path, smoke_text
):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text + more, encoding="utf-8")
    done = report_run.write(path, tmp_path / "build", docx=False, **options)
    assert taken(done) == [name for name in report_run.NOTEBOOKS if name in parts]
    assert sorted(p.name for p in done.folder.iterdir() if p.suffix) == ["manifest.json", "report.html"]


@pytest.mark.usefixtures("not_run")
def test_a_file_with_a_rule_for_toxicity_has_a_notebook_on_it_and_no_other_file_has(tmp_path, smoke_text):
    rule = (
        "toxicity: {rule: pocock, acceptable_rate: 0.2, unacceptable_rate: 0.4, crossing_probability: 0.1, "
        "window_weeks: 6}"
    )
    for name, more in (("with", f"  design:\n    {rule}\n"), ("without", "  design:\n")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(smoke_text.replace("  design:\n", more, 1), encoding="utf-8")
        done = report_run.write(path, tmp_path / name, docx=False)
        assert (report_run.TOXICITY in taken(done)) == (name == "with")


@pytest.mark.usefixtures("not_run")
@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("", {"protocol", "simulation_report"}),
        (RESULTS, {"protocol", "simulation_report", "results"}),
    ],
)
def test_the_documents_stand_beside_the_page_unless_they_are_not_asked_for(more, names, tmp_path, smoke_text):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text + more, encoding="utf-8")
    done = report_run.write(path, tmp_path / "build")
    assert {p.stem for p in done.folder.glob("*.docx")} == names
    again = report_run.write(path, tmp_path / "build", docx=False)
    assert not list(again.folder.glob("*.docx"))


@pytest.mark.usefixtures("not_run")
def test_the_command_line_chooses_the_parts(tmp_path, root, capsys):
    file = str(root / "params/smoke.yaml")
    assert main(["report", file, "--out", str(tmp_path), "--parts", "review, design", "--no-docx"]) == 0
    capsys.readouterr()
    html = (tmp_path / "SMOKE/report.html").read_text(encoding="utf-8")
    found = re.findall(r"<h1[^>]*>(\d\w+)", html)
    assert found == [name for name in report_run.NOTEBOOKS if name in (*DESIGN, *REVIEW)]
    assert main(["report", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(part in said for part in parts.PARTS)


@pytest.mark.parametrize(
    ("more", "words", "said"),
    [
        ("", ["--parts", "foo,bar"], "parts ('foo', 'bar') are not parts of the report; known parts are design, "),
        ("", ["--parts", "desing"], "parts ('desing') is not a part of the report; did you mean design?"),
        ("", ["--parts", "memo"], "known parts are design, conduct, review and analysis"),
        ("", ["--parts", ","], "parts is empty; name at least one of design, conduct, review and analysis"),
        ("", ["--parts", "design,design"], "parts names design twice; name each part once"),
        ("", ["--parts", "analysis"], "x.yaml: parts (analysis) needs results; add the section analysis"),
        (RESULTS, ["--preview-analysis"], "x.yaml: preview_analysis is for a file without results"),
        ("  report: {parts: [analysis]}\n", [], "x.yaml: trial.report.parts (analysis) needs results"),
        ("  report: {parts: []}\n", [], "x.yaml: trial.report.parts is empty; name at least one of design"),
        ("  report: {parts: [desing]}\n", [], "trial.report.parts.0 ('desing') is unknown; write 'design', 'conduct'"),
        ("  report: {}\n", [], "x.yaml: trial.report.parts is missing"),
    ],
)
def test_parts_that_cannot_be_are_refused_in_one_line_and_nothing_is_written(
    more, words, said, tmp_path, smoke_text, capsys
):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text + more, encoding="utf-8")
    assert main(["report", str(path), "--out", str(tmp_path / "build"), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("responses: 40", "responses (40) cannot end 0/4, 3/9; possible are 0 to 9"),
        ("responses: 12, attained: [4, 10], first_stage: 3", "responses (12) is above 9: 3 at the first look and 6"),
        ("responses: 4, attained: [4, 10]", "first_stage is missing"),
        ("patients: p.csv", "p.csv line 2: BOR ('XX')"),
    ],
)
def test_results_that_cannot_be_are_refused_in_the_words_of_analyze(given, said, tmp_path, smoke_text, capsys):
    (tmp_path / "p.csv").write_text("USUBJID,BOR\n1,XX\n", encoding="utf-8")
    path = tmp_path / "x.yaml"
    path.write_text(f"{smoke_text}  analysis: {{{given}}}\n", encoding="utf-8")
    assert main(["analyze", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert main(["report", str(path), "--out", str(tmp_path / "build")]) == 2
    assert capsys.readouterr().err.splitlines() == [line]
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("words", [{"parts": ["conduct"]}, {"preview_analysis": True}])
def test_what_needs_the_conduct_is_refused_without_that_section(words, tmp_path, smoke_text):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text[: smoke_text.index("  conduct:")], encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.yaml: (parts \(conduct\)|preview_analysis) needs the section conduct"):
        report_run.write(path, tmp_path / "build", **words)
    with pytest.raises(InputError, match=r"^parts \('memo'\) is not a part of the report"):
        report_run.write(path, tmp_path / "build", parts=["memo"])


@pytest.mark.usefixtures("not_run")
def test_without_a_conduct_section_the_report_is_exact_and_has_no_seed(tmp_path, smoke_text):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text[: smoke_text.index("  conduct:")], encoding="utf-8")
    done = report_run.write(path, tmp_path / "build", docx=False)
    names = {p.name for p in (done.folder / "notebooks").iterdir()}
    assert names == {f"{name}.ipynb" for name in DESIGN}
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == "none: every number is exact"
    assert "03_enrollment" not in (done.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.kernel
def test_results_without_a_conduct_section_are_analysed(smoke_text, tmp_path, monkeypatch, spare_bitmaps):
    spare_bitmaps(monkeypatch)
    monkeypatch.setattr(report_run, "NOTEBOOKS", ("01_design", report_run.CONDUCT, report_run.ANALYSIS))
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text[: smoke_text.index("  conduct:")] + "  analysis: {responses: 4}\n", encoding="utf-8")
    done = report_run.write(path, tmp_path / "build", docx=False)
    names = {p.name for p in (done.folder / "notebooks").iterdir()}
    assert f"{report_run.ANALYSIS}.ipynb" in names
    assert f"{report_run.CONDUCT}.ipynb" not in names
    assert "synthetic" not in (done.folder / "report.html").read_text(encoding="utf-8")


def test_every_heading_of_a_table_is_a_term_of_the_glossary_or_names_a_design(html):
    heads = {unescape(re.sub("<.*?>", "", head)) for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', html)}
    designs = [*(one.name for one in (*CRITERIA.values(), *CALENDAR.values())), "admissible", "as given"]
    strange = {head for head in heads if glossary.explained(head) is None}
    assert len(heads) > 40
    assert {head for head in strange if not any(name in head for name in designs)} == set()


def test_the_front_page_of_a_finished_trial_has_its_result_and_nothing_to_decide(root):
    plain = params.load(root / "params/smoke.yaml").plain()
    assert "to decide before signing" in front.opening(Case.of(params.load(plain)))
    finished = front.opening(Case.of(params.load(plain | {"analysis": {"responses": 5}})))
    assert "The result" in finished
    assert "Of 9 patients 5 responded" in finished
    assert "to decide before signing" not in finished
    wrong = front.opening(Case.of(params.load(plain | {"analysis": {"responses": 10}})))
    assert '<div class="warning">' in wrong
