"""From a parameter file to a folder of results: notebooks through papermill, one HTML file, CSV, SVG, a manifest.

The parameter file is validated first, and what reaches papermill is the one name ``trial`` with plain JSON values: no
key of the file becomes code. Results are made in a folder of their own and moved into place whole, so a report that is
there is a complete one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtrial import __version__, project
from simtrial.conduct import simulation
from simtrial.conduct import text as conduct_text
from simtrial.design.designs import looks_text
from simtrial.design.exact import meets
from simtrial.plan.plan import MAX_RECUT
from simtrial.report import replacement
from simtrial.report.execution import LeftOut, NotebookError, execute
from simtrial.report.kernel import kept
from simtrial.search import text
from simtrial.trial import params
from simtrial.trial.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simtrial.design.designs import Design
    from simtrial.trial.params import Source
    from simtrial.trial.trial import Trial

NOTEBOOKS = (
    "01_design",
    "02_operating_characteristics",
    "03_enrollment_and_dropout",
    "04_reproduce_sample_size",
    "05_final_analysis",
)
CONDUCT = "03_enrollment_and_dropout"
"""Needs a conduct section in the parameter file; left out without one."""

ANALYSIS = "05_final_analysis"
"""Needs results, or a conduct section from which a synthetic trial can be made."""

SYNTHETIC = (
    '<div class="warning">The file holds no results: the part <em>What does the finished trial say?</em> analyses '
    "<strong>synthetic data</strong> made by the simulator, and no patient in it is real.</div>"
)
VALIDATION = "06_validation"
LESSONS = (
    "teaching/one_sample_exact",
    "teaching/why_two_stages",
    "teaching/play_one_trial",
    "teaching/biased_after_stopping",
    "teaching/what_dropout_does",
)
HANDOUT = (
    '<div class="brief"><p>Each figure stands at its default here. To move its controls, run <code>make lab</code> and '
    "open the folder <code>teaching</code>. Answers are folded away: choose <em>Answer</em>.</p></div>"
)
NOT_SIMULATED = "none: every number is exact"
LIBRARIES = ("numpy", "scipy", "statsmodels", "pandas", "matplotlib", "papermill", "nbconvert", "pydantic")


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands at the top of a report: two lines of text, HTML made here, and HTML for notebooks that are in it."""

    study: str
    title: str
    front: str
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Job:
    """One run: notebooks, the plain JSON values handed to each, the head, what it was made from, and the seed."""

    notebooks: Sequence[str]
    parameters: Mapping[str, object]
    head: _Head
    origin: Mapping[str, str]
    seed: int | str


@dataclass(frozen=True, slots=True)
class Report:
    """Where the results of one run are, the design that was taken, and the trial as far as it could be run."""

    folder: Path
    html: Path
    design: Design
    trial: Trial


def write(
    path: str | Path,
    out: str | Path = "build",
    progress: Callable[[str], None] = lambda _: None,
    *,
    replace: bool = False,
) -> Report:
    """Run the notebooks on a parameter file and write ``out/<study id>/``.

    What is beyond one part is left out there, with the reason; the other parts go on.

    Parameters
    ----------
    path : str or Path
        The parameter file.
    out : str or Path
        Folder for results; made if missing.
    progress : callable
        Told, in a few words, what is being done.
    replace : bool
        Also replace results that were made from another parameter file.

    Raises
    ------
    InputError
        If the parameter file is wrong, or another one with the same id has its results there; nothing is written.
    NotebookError
        If a notebook fails: its partial output is kept in ``out/<study id>.failed/``, an existing report untouched.
    """
    return of_trial(*params.read(path), out, progress, replace=replace)


def of_trial(
    trial: Trial, source: Source, out: str | Path, progress: Callable[[str], None], *, replace: bool = False
) -> Report:
    """Do the same for a parameter file that is already read; see `write`."""
    final = Path(out) / trial.study.id
    if not replace:
        replacement.refuse(final, source)
    trial, beyond = _runnable(trial, source)
    case = Case.of(trial).checked(str(source.path))
    notebooks = [name for name in NOTEBOOKS if name not in _impossible(case)]
    synthetic = {ANALYSIS: SYNTHETIC} if trial.analysis is None else {}
    head = _Head(trial.study.id, trial.study.title, _left_out(beyond) + _front(case), synthetic)
    seed = trial.conduct.simulation.seed if trial.conduct else NOT_SIMULATED
    job = _Job(notebooks, {"trial": trial.plain()}, head, _origin(case, source, final), seed)
    folder = _run(job, final, progress)
    return Report(folder, folder / "report.html", case.chosen, trial)


def _runnable(trial: Trial, source: Source) -> tuple[Trial, list[LeftOut]]:
    """The trial without its conduct, and why, if that asks for bounds which nobody recalculates at so many patients."""
    if trial.conduct is None or trial.conduct.dropout.bounds != "recut":
        return trial, []
    without = trial.model_copy(update={"conduct": None})
    n = Case.of(without).checked(str(source.path)).n
    if n <= MAX_RECUT:
        return trial, []
    why = (
        f"trial.conduct.dropout.bounds (recut) is for at most {MAX_RECUT} patients, not {n}; write fixed, or another "
        "handling of dropout"
    )
    return without, [LeftOut("The conduct of the trial", why, whole=True)]


def _impossible(case: Case) -> tuple[str, ...]:
    """Notebooks that the file does not hold enough for."""
    if case.plan is not None:
        return ()
    return (CONDUCT,) if case.trial.analysis is not None else (CONDUCT, ANALYSIS)


def validate(
    path: str | Path | None = None, out: str | Path = "build", progress: Callable[[str], None] = lambda _: None
) -> Report:
    """Run the validation notebook and write ``out/validation/``; see `write`."""
    trial, source = params.read(path or project.folder("params") / "NCT07022301.yaml")
    case = Case.of(trial).checked(str(source.path))
    own = f"<p>The designs of {escape(source.path.name)} are among what is checked.</p>"
    head = _Head(f"simtrial {__version__}", "Validation on this machine", own)
    final = Path(out) / "validation"
    origin = _origin(case, source, final)
    job = _Job((VALIDATION,), {"trial": trial.plain()}, head, origin, "named in each case")
    folder = _run(job, final, progress)
    return Report(folder, folder / "report.html", case.chosen, trial)


def lessons(seed: int = 1, out: str | Path = "build", progress: Callable[[str], None] = lambda _: None) -> Path:
    """Run the lessons and write them as one handout, ``out/teaching/report.html``; see `write`.

    Parameters
    ----------
    seed : int
        Of everything that they simulate.
    out, progress
        As in `write`.

    Returns
    -------
    Path
        The handout.

    Raises
    ------
    InputError
        If the seed is no whole number from 0 on; nothing is written.
    NotebookError
        If a lesson fails; see `write`.
    """
    simulation.check_seed(seed)
    head = _Head(f"simtrial {__version__}", "Five lessons on single-arm phase II trials", HANDOUT)
    job = _Job(LESSONS, {"seed": seed}, head, {"lessons": ", ".join(Path(name).name for name in LESSONS)}, seed)
    return _run(job, Path(out) / "teaching", progress) / "report.html"


def _origin(case: Case, source: Source, final: Path) -> dict[str, str]:
    """What a report on a parameter file was made from."""
    return {
        "study": case.trial.study.id,
        replacement.NAME: source.path.name,
        replacement.PLACE: replacement.place(source.path, final),
        "parameter_file_sha256": source.sha256,
        "chosen_design": looks_text(case.chosen),
    }


def _run(job: _Job, final: Path, progress: Callable[[str], None]) -> Path:
    templates = project.folder("notebooks")
    replacement.note(final, job.origin.get(replacement.NAME), progress)
    final.parent.mkdir(parents=True, exist_ok=True)
    failed = final.with_name(f"{final.name}.failed")
    work = Path(tempfile.mkdtemp(prefix=f".{final.name}-{os.getpid()}-", dir=final.parent))
    try:
        (work / "notebooks").mkdir()
        left: dict[str, tuple[LeftOut, ...]] = {}
        with kept() as kernel:
            for notebook in job.notebooks:
                progress(notebook)
                template, target = templates / f"{notebook}.ipynb", _executed(work, notebook)
                left[notebook] = execute(template, target, job.parameters, kernel)
                for one in left[notebook]:
                    progress(f"{notebook}, left out: {one.why}")
        if all(any(one.whole for one in found) for found in left.values()):
            raise NotebookError(f"every part is left out: {next(iter(left.values()))[0].why}")
        progress("report.html")
        _assemble(work, job, left)
        work.chmod(0o755)
        _replace(work, final)
        shutil.rmtree(failed, ignore_errors=True)
    except NotebookError as error:
        _replace(work, failed)
        raise NotebookError(f"{error}; its partial output is in {failed / 'notebooks'}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final


def _executed(work: Path, notebook: str) -> Path:
    """Where a notebook goes once it has run: all side by side."""
    return work / "notebooks" / f"{Path(notebook).name}.ipynb"


def _replace(new: Path, place: Path) -> None:
    """Move a finished folder into place; what was there goes only once the new one stands."""
    old = new.with_name(new.name + "-old")
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def clear(final: Path, process: int) -> None:
    """Remove what a killed process left beside a report; a report it had just moved aside goes back."""
    begun = f".{final.name}-{process}-????????"
    for left in [*final.parent.glob(begun), *final.parent.glob(f"{begun}-old")]:
        if left.name.endswith("-old") and (left / "report.html").exists() and not final.exists():
            left.rename(final)
        shutil.rmtree(left, ignore_errors=True)


def _assemble(work: Path, job: _Job, left: Mapping[str, tuple[LeftOut, ...]]) -> None:
    """Write tables, figures, report.html and manifest.json beside the executed notebooks."""
    import nbformat

    executed = [nbformat.read(_executed(work, name), as_version=4) for name in job.notebooks]
    _write_outputs(executed, work)
    provenance = {
        **job.origin,
        "simtrial": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
        "seed": job.seed,
        "date": date(),
    }
    front = _left_out([one for found in left.values() for one in found])
    gone = {notebook for notebook, found in left.items() if any(one.whole for one in found)}
    front += "".join(said for notebook, said in job.head.notes.items() if notebook in set(left) - gone)
    shown = {key: value for key, value in provenance.items() if key != replacement.PLACE}
    head = dataclasses.replace(job.head, front=f"{front}{job.head.front}")
    (work / "report.html").write_text(_html(executed, head, shown), encoding="utf-8")
    files = {
        str(file.relative_to(work).as_posix()): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(work.rglob("*"))
        if file.is_file() and file.name != "report.html"
    }
    manifest = {**provenance, "files": files}
    (work / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _left_out(left: Sequence[LeftOut]) -> str:
    """Say at the top what is left out below, and why."""
    if not left:
        return ""
    items = "".join(f"<li><em>{escape(one.title)}</em>: {escape(one.why)}.</li>" for one in left)
    return f'<div class="warning">Left out below, and only there: <ul>{items}</ul></div>'


FILES = {
    "text/csv": ("tables", "csv"),
    "image/svg+xml": ("figures", "svg"),
    "text/markdown": ("text", "md"),
    "text/plain": ("text", "txt"),
}
"""Where each kind of named output goes. Tables and figures have a plain text too, so the first kind found counts."""


def _write_outputs(executed: Sequence[Any], work: Path) -> None:
    for folder in {folder for folder, _ in FILES.values()}:
        (work / folder).mkdir()
    for output in (output for notebook in executed for cell in notebook.cells for output in cell.get("outputs", ())):
        name = output.get("metadata", {}).get("simtrial", {}).get("name")
        if name:
            kind = next(kind for kind in FILES if kind in output.data)
            folder, suffix = FILES[kind]
            (work / folder / f"{name}.{suffix}").write_text(output.data[kind], encoding="utf-8")


def date() -> str:
    """When a result is made, in words; SOURCE_DATE_EPOCH sets it."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _commit() -> str | None:
    """The commit of the clone, with a mark if files differ from it; None outside git."""
    git = ["git", "-C", str(project.ROOT)]
    if not (project.ROOT / ".git").exists():  # unpacked inside somebody else's repository
        return None
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=20)
        state = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + (" with changes" if state.stdout.strip() else "")


_MATH = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL)


def prose(source: str) -> str:
    """Render the Markdown of a notebook cell to HTML, its formulas to MathML."""
    from latex2mathml.converter import convert
    from nbconvert.filters import markdown2html

    formulas: list[str] = []

    def keep(match: re.Match[str]) -> str:
        block = match["block"]
        formulas.append(convert(block or match["inline"], display="block" if block else "inline"))
        return f"FORMULA{len(formulas) - 1}ALUMROF"

    text: str = markdown2html(_MATH.sub(keep, source))
    return re.sub(r"FORMULA(\d+)ALUMROF", lambda match: formulas[int(match[1])], text)


def _contents(executed: Sequence[Any]) -> list[dict[str, Any]]:
    """Give each Markdown cell an anchor, and list their headings in two levels."""
    entries: list[dict[str, Any]] = []
    for i, notebook in enumerate(executed):
        for k, cell in enumerate(notebook.cells):
            if cell.cell_type != "markdown":
                continue
            cell.metadata["anchor"] = anchor = f"s{i + 1}-{k + 1}"
            heading = re.match(r"(#{1,2})\s+(.+)", cell.source)
            if heading and len(heading[1]) == 1:
                entries.append({"text": heading[2], "anchor": anchor, "parts": []})
            elif heading:
                entries[-1]["parts"].append({"text": heading[2], "anchor": anchor})
    return entries


def _front(case: Case) -> str:
    """The assumption and the answer, before anything else."""
    asked, design, oc = case.requirements, case.chosen, case.at_limits
    facts = [
        ("Design (r/n)", looks_text(design, ", ")),
        ("Patients, at most", str(design.looks[-1].n)),
        ("Type I error", f"{oc.reject[0]:.4f}"),
        ("Power", f"{oc.reject[1]:.4f}"),
        ("EN(p0)", f"{oc.en[0]:.1f}"),
    ]
    if len(design.looks) > 1:
        facts.append(("PET(p0)", f"{oc.pet[0]:.4f}"))
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    question = (
        f"H0: p <= {asked.p0:g} against p1 = {asked.p1:g}, alpha {asked.alpha:g} (one-sided), power {asked.power:g}"
    )
    warning = ""
    if not meets(design, asked):
        warning = (
            '<div class="warning">The design given <strong>does not meet the limits</strong>: '
            f"{escape(text.limits_missed(design, asked))}.</div>"
        )
    warning += _as_run(case)
    if case.trial.hypotheses.basis == "assumed":
        warning += (
            '<div class="warning">The hypotheses are <strong>assumed</strong>: they were not taken from a protocol '
            "or registry; every result below depends on them.</div>"
        )
    return f'{warning}<div class="brief"><p>{escape(question)}</p><dl>{cells}</dl></div>'


def _as_run(case: Case) -> str:
    """Say on the front page what losses, and a date that closes accrual, do to the errors on paper."""
    if case.plan is None:
        return ""
    said = conduct_text.as_run(case.expected(("reject",)), case.requirements)
    return f'<div class="warning">{escape(said)}</div>' if said else ""


def _html(executed: Sequence[Any], head: _Head, provenance: dict[str, Any]) -> str:
    import nbformat

    contents = _contents(executed)
    book = nbformat.v4.new_notebook(cells=[cell for notebook in executed for cell in notebook.cells])
    names = {"seed": "seed", "commit": "commit", "parameter_file_sha256": "SHA-256 of the parameter file"}
    shown = {"commit": "unknown"}
    lines = [
        (names.get(key, key.replace("_", " ")), str(value) if value is not None else shown.get(key, "–"))
        for key, value in provenance.items()
    ]
    report = {
        "title": head.title,
        "study": head.study,
        "front": head.front,
        "contents": contents,
        "provenance": lines,
        "injected": any("injected-parameters" in cell.metadata.get("tags", ()) for cell in book.cells),
    }
    return render("index.html.j2", book, report)


def render(template: str, book: Any, report: dict[str, Any]) -> str:
    """Fill in one of the templates of reports."""
    from nbconvert.exporters import TemplateExporter

    exporter = TemplateExporter(
        template_name="report",
        template_file=template,
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
        filters={"prose": prose},
    )
    text: str = exporter.from_notebook_node(book, resources={"report": report})[0]
    return text
