"""What is written beside the executed notebooks of a report: tables, figures, the page, the manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtrial import __version__, project
from simtrial.report import replacement
from simtrial.report.front import left_out
from simtrial.report.page import Head, report_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.report.execution import LeftOut

LIBRARIES = ("numpy", "scipy", "statsmodels", "pandas", "matplotlib", "papermill", "nbconvert", "pydantic")

FILES = {
    "text/csv": ("tables", "csv"),
    "image/svg+xml": ("figures", "svg"),
    "text/markdown": ("text", "md"),
    "text/plain": ("text", "txt"),
}
"""Where each kind of named output goes. Tables and figures have a plain text too, so the first kind found counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One run: notebooks, the plain JSON values handed to each, the head, what it was made from, and the seed."""

    notebooks: Sequence[str]
    parameters: Mapping[str, object]
    head: Head
    origin: Mapping[str, str]
    seed: int | str


def notebook_place(work: Path, notebook: str) -> Path:
    """Where a notebook goes once it has run: all side by side."""
    return work / "notebooks" / f"{Path(notebook).name}.ipynb"


def assemble(work: Path, job: Job, left: Mapping[str, tuple[LeftOut, ...]]) -> None:
    """Write tables, figures, report.html and manifest.json beside the executed notebooks."""
    import nbformat

    executed = [nbformat.read(notebook_place(work, name), as_version=4) for name in job.notebooks]
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
    front = left_out([one for found in left.values() for one in found])
    gone = {notebook for notebook, found in left.items() if any(one.whole for one in found)}
    front += "".join(said for notebook, said in job.head.notes.items() if notebook in set(left) - gone)
    shown = {key: value for key, value in provenance.items() if key != replacement.PLACE}
    head = dataclasses.replace(job.head, front=f"{front}{job.head.front}")
    (work / "report.html").write_text(report_html(executed, head, shown), encoding="utf-8")
    files = {
        str(file.relative_to(work).as_posix()): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(work.rglob("*"))
        if file.is_file() and file.name != "report.html"
    }
    manifest = {**provenance, "files": files}
    (work / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


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
