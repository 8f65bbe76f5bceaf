"""From a parameter file to a folder of results: notebooks through papermill, one HTML file, CSV, SVG, a manifest.

The parameter file is validated first, and what reaches papermill is the one name ``trial`` with plain JSON values: no
key of the file becomes code. Results are made in a folder of their own and moved into place whole, so a report that is
there is a complete one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import __version__, project
from simtrial.conduct import simulation
from simtrial.design.designs import looks_text
from simtrial.plan.plan import MAX_RECUT
from simtrial.report import replacement
from simtrial.report.execution import LeftOut, NotebookError, execute
from simtrial.report.front import left_out, opening
from simtrial.report.kernel import kept
from simtrial.report.page import Head
from simtrial.report.write import Job, assemble, notebook_place
from simtrial.trial import params
from simtrial.trial.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable

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
    '<div class="brief"><p>Each figure is shown at its default values. <code>make lab</code> starts the interactive '
    "lessons, which are in the folder <code>teaching</code>. The answers to the exercises are folded.</p></div>"
)
NOT_SIMULATED = "none: every number is exact"


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
    head = Head(trial.study.id, trial.study.title, left_out(beyond) + opening(case), synthetic)
    seed = trial.conduct.simulation.seed if trial.conduct else NOT_SIMULATED
    job = Job(
        notebooks=notebooks,
        parameters={"trial": trial.plain()},
        head=head,
        origin=_origin(case, source, final),
        seed=seed,
    )
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
    head = Head(f"simtrial {__version__}", "Validation on this machine", own)
    final = Path(out) / "validation"
    job = Job(
        notebooks=(VALIDATION,),
        parameters={"trial": trial.plain()},
        head=head,
        origin=_origin(case, source, final),
        seed="named in each case",
    )
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
    head = Head(f"simtrial {__version__}", "Five lessons on single-arm phase II trials", HANDOUT)
    origin = {"lessons": ", ".join(Path(name).name for name in LESSONS)}
    job = Job(notebooks=LESSONS, parameters={"seed": seed}, head=head, origin=origin, seed=seed)
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


def _run(job: Job, final: Path, progress: Callable[[str], None]) -> Path:
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
                template, target = templates / f"{notebook}.ipynb", notebook_place(work, notebook)
                left[notebook] = execute(template, target, job.parameters, kernel)
                for one in left[notebook]:
                    progress(f"{notebook}, left out: {one.why}")
        if all(any(one.whole for one in found) for found in left.values()):
            raise NotebookError(f"every part is left out: {next(iter(left.values()))[0].why}")
        progress("report.html")
        assemble(work, job, left)
        work.chmod(0o755)
        _replace(work, final)
        shutil.rmtree(failed, ignore_errors=True)
    except NotebookError as error:
        _replace(work, failed)
        raise NotebookError(f"{error}; its partial output is in {failed / 'notebooks'}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final


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
