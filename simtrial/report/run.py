"""From a parameter file to a folder of results: notebooks through papermill, one HTML file, CSV, SVG, a manifest.

The parameter file is validated first, and what reaches papermill is the one name ``trial`` with plain JSON values: no
key of the file becomes code. Results are made in a folder of their own and moved into place whole.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import __version__, project
from simtrial.analysis import dossier
from simtrial.conduct import simulation
from simtrial.design.designs import looks_text
from simtrial.documents import qualification
from simtrial.errors import InputError
from simtrial.plan.possible import MAX_RECUT
from simtrial.report import papers, qualified, replacement, unfinished
from simtrial.report.chromium import PrintError
from simtrial.report.execution import LeftOut, NotebookError, execute
from simtrial.report.front import left_out, opening
from simtrial.report.kernel import kept
from simtrial.report.page import Head
from simtrial.report.wish import Wish
from simtrial.report.write import HtmlPage, Job, assemble, date
from simtrial.trial import params
from simtrial.trial import parts as trial_parts
from simtrial.trial.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.design.designs import Design
    from simtrial.report.papers import Papers
    from simtrial.trial.params import Source
    from simtrial.trial.trial import Trial

NOTEBOOKS = (
    "01_design",
    "02_operating_characteristics",
    "09_response_and_toxicity",
    "03_enrollment_and_dropout",
    "04_reproduce_sample_size",
    "05_final_analysis",
    "08_evidence",
)
"""In the order of the page: that of a protocol, with evidence and proof last."""

CONDUCT = "03_enrollment_and_dropout"
ANALYSIS = "05_final_analysis"
TOXICITY = "09_response_and_toxicity"
OF_PART = {
    "design": ("01_design", "02_operating_characteristics", TOXICITY, "08_evidence"),
    "conduct": (CONDUCT,),
    "review": ("04_reproduce_sample_size",),
    "analysis": (ANALYSIS,),
}
"""The notebooks of each part."""

PREVIEW = "preview_analysis"
"""Name of the page that shows the analysis on synthetic data, and of the folder of its files."""

SYNTHETIC = (
    '<div class="warning"><strong>Preview on synthetic data.</strong> The parameter file holds no results. This page '
    "shows what the analysis will look like; its data were made by the simulator, and no patient is real.</div>"
)
VALIDATION = "06_validation"
LESSONS = (
    "teaching/one_sample_exact",
    "teaching/why_two_stages",
    "teaching/why_look_more_often",
    "teaching/what_a_prior_does",
    "teaching/two_endpoints_one_trial",
    "teaching/play_one_trial",
    "teaching/biased_after_stopping",
    "teaching/what_dropout_does",
)
HANDOUT = (
    '<div class="brief"><p>Each figure is shown at its default values. In a clone of simtrial, <code>make lab</code> '
    "starts the interactive lessons, which are in the folder <code>teaching</code>. The answers to the exercises are "
    "folded.</p></div>"
)
NOT_SIMULATED = "none: every number is exact"


@dataclass(frozen=True, slots=True)
class Later:
    """The documents of a run, made from the folder of its results once its notebooks have run, or where one failed."""

    done: Callable[[Path], Papers] = lambda _: ()
    failed: Callable[[Path], Papers] = lambda _: ()


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
    parts: Sequence[str] | None = None,
    preview_analysis: bool = False,
    docx: bool = True,
    pdf: bool = False,
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
    parts : sequence of str, optional
        Some of `simtrial.trial.parts.PARTS`, in any order. Default: those of the file, or else the design, the conduct
        if the file has that section, and the analysis if it has results.
    preview_analysis : bool
        Also write ``preview_analysis.html``, the analysis on synthetic data, beside the report.
    docx : bool
        Also write the documents to hand in, such as ``protocol.docx`` and ``simulation_report.docx``.
    pdf : bool
        Also print the report and the documents as PDF, by a Chromium on this machine.

    Raises
    ------
    InputError
        If the parameter file is wrong, its results to be analysed cannot be, it does not hold enough for a part or the
        preview, another file with the same id has its results there, or nothing prints PDF here; nothing is written.
    NotebookError, PrintError
        If a notebook or the printing fails: what was made is kept in ``out/<study id>.failed/``, an existing report
        untouched.
    """
    wish = Wish.of(parts, preview_analysis=preview_analysis, docx=docx, pdf=pdf)
    return of_trial(*params.read(path), out, progress, replace=replace, wish=wish)


def of_trial(
    trial: Trial,
    source: Source,
    out: str | Path,
    progress: Callable[[str], None],
    *,
    replace: bool = False,
    wish: Wish | None = None,
) -> Report:
    """Do the same for a parameter file that is already read; see `write`."""
    final, wish = Path(out) / trial.study.id, wish or Wish()
    asked = wanted(trial, source, wish)
    if ANALYSIS in asked:
        dossier.refuse_unread(trial)
    unfinished.refuse(final)
    if not replace:
        replacement.refuse(final, source)
    trial, beyond = _runnable(trial, source)
    case = Case.of(trial).checked(str(source.path))
    if ANALYSIS in asked:
        dossier.of_trial(trial, case.chosen)  # results that cannot be are wrong input and no limit of that part
    notebooks = [name for name in NOTEBOOKS if name in asked and has(trial, name)]
    if beyond and (wish.preview or not notebooks):
        raise InputError(beyond[0].why, f"{source.path}:")
    study = trial.study.id
    head = Head(study=study, title=trial.study.title, front=left_out(beyond) + opening(case), folds=True)
    pages = [HtmlPage(notebooks=notebooks, head=head)]
    if wish.preview:
        top = Head(study=study, title=f"Preview of the analysis: {trial.study.title}", front=SYNTHETIC, folds=True)
        pages.append(HtmlPage(notebooks=(ANALYSIS,), head=top, name=PREVIEW, apart=True))
    seed = trial.conduct.simulation.seed if trial.conduct else NOT_SIMULATED
    job = Job(
        pages=tuple(pages),
        # the parts are settled, and notebooks that run without a section must not be told of a part that needs it
        parameters={"trial": trial.model_copy(update={"report": None}).plain()},
        origin=_origin(case, source, final),
        seed=seed,
        browser=wish.browser,
    )
    begun = papers.begun(case, source) if wish.docx else None
    folder = _run(job, final, progress, Later() if begun is None else Later(lambda _: begun.result()))
    return Report(folder, folder / "report.html", case.chosen, trial)


def wanted(trial: Trial, source: Source, wish: Wish) -> set[str]:
    """The notebooks of the parts that are asked for, or of those that the file calls for.

    Raises
    ------
    InputError
        If the file does not hold enough for a part, or for the preview.
    """
    try:
        if wish.parts is not None:
            trial_parts.refuse(wish.parts, **trial.holds)
        if wish.preview and trial.analysis is not None:
            raise InputError(
                "is for a file without results; the part analysis shows those of this file", "preview_analysis"
            )
        if wish.preview and trial.conduct is None:
            raise InputError(
                "needs the section conduct, from which the patients are simulated; add it (see params/example.yaml)",
                "preview_analysis",
            )
    except InputError as error:
        raise error.placed(f"{source.path}: ") from None
    return {name for part in (wish.parts or trial.parts) for name in OF_PART[part]}


def has(trial: Trial, notebook: str) -> bool:
    """Whether the file has the section that a notebook is about."""
    held = {CONDUCT: trial.conduct, TOXICITY: trial.design.toxicity}
    return notebook not in held or held[notebook] is not None


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


def validate(
    path: str | Path | None = None, out: str | Path = "build", progress: Callable[[str], None] = lambda _: None
) -> Report:
    """Run the validation notebook and write ``out/validation/`` with the qualification document; see `write`.

    Where a case fails, the document stands beside the partial output.
    """
    trial, source = params.read(path or project.folder("params") / "NCT07022301.yaml")
    case = Case.of(trial).checked(str(source.path))
    own = f"<p>The designs of {escape(source.path.name)} are among what is checked.</p>"
    head = Head(study=f"simtrial {__version__}", title="Validation on this machine", front=own)
    final = Path(out) / "validation"
    unfinished.refuse(final)
    job = Job(
        pages=(HtmlPage(notebooks=(VALIDATION,), head=head),),
        parameters={"trial": trial.plain()},
        origin=_origin(case, source, final),
        seed="named in each case",
    )

    def paper(work: Path) -> Papers:
        return (qualified.paper(work / "notebooks" / f"{VALIDATION}.ipynb", date()),)

    try:
        folder = _run(job, final, progress, Later(paper, paper))
    except NotebookError as error:
        document = final.with_name(f"{final.name}.failed") / f"{qualification.NAME}.docx"
        raise NotebookError(f"{error}; the validation document is {document}") from None
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
    final = Path(out) / "teaching"
    unfinished.refuse(final)
    head = Head(study=f"simtrial {__version__}", title="Lessons on single-arm phase II trials", front=HANDOUT)
    origin = {"lessons": ", ".join(Path(name).name for name in LESSONS)}
    pages = (HtmlPage(notebooks=LESSONS, head=head),)
    job = Job(pages=pages, parameters={"seed": seed}, origin=origin, seed=seed)
    return _run(job, final, progress) / "report.html"


def _origin(case: Case, source: Source, final: Path) -> dict[str, str]:
    """What a report on a parameter file was made from."""
    return {
        "study": case.trial.study.id,
        replacement.NAME: source.path.name,
        replacement.PLACE: replacement.place(source.path, final),
        "parameter_file_sha256": source.sha256,
        "chosen_design": looks_text(case.chosen),
    }


def _run(job: Job, final: Path, progress: Callable[[str], None], later: Later = Later()) -> Path:
    templates = project.folder("notebooks")
    replacement.note(final, job.origin.get(replacement.NAME), progress)
    failed = final.with_name(f"{final.name}.failed")
    with unfinished.begun(final) as work:
        try:
            left: dict[str, tuple[LeftOut, ...]] = {}
            with kept() as kernel:
                for page, notebook in job.steps:
                    progress(notebook)
                    template, target = templates / f"{notebook}.ipynb", page.place(work, notebook)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    left[notebook] = execute(template, target, job.parameters, kernel)
                    for one in left[notebook]:
                        progress(f"{notebook}, left out: {one.why}")
            main = [left[notebook] for notebook in job.pages[0].notebooks]
            if all(any(one.whole for one in found) for found in main):
                raise NotebookError(f"every part is left out: {main[0][0].why}")
            job = replace(job, papers=later.done(work))
            progress(", ".join(job.files))
            assemble(work, job, left)
            unfinished.finish(work, final)
            shutil.rmtree(failed, ignore_errors=True)
        except NotebookError as error:
            papers.write(later.failed(work), work)
            unfinished.keep(work, failed)
            raise NotebookError(f"{error}; its partial output is in {failed / 'notebooks'}") from None
        except PrintError as error:
            unfinished.keep(work, failed)
            raise PrintError(f"{error}; the report without its PDF is in {failed}") from None
    return final
