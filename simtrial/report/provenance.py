"""What a result was made with: versions, commit, digest of the code."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from simtrial import __version__, files, project

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = (
    "numpy", "scipy", "statsmodels", "pandas", "matplotlib", "papermill", "nbconvert", "pydantic",
    "python-docx",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a report depends on."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in LIBRARIES}}


def code() -> dict[str, str]:
    """Version, commit and digest of the code of the package; the commit is missing outside git."""
    at = commit()
    return {
        "simtrial": __version__,
        **({} if at is None else {"commit": at}),
        "code_sha256": files.code_digest(),
    }


NO_COMMIT = "none: not run from a clone of the repository"
"""What stands for a `commit` that is None, where people read."""


def commit() -> str | None:
    """The commit of the clone, with a mark if files differ from it; None outside git and in a wheel."""
    return None if project.CLONE is None else _commit(project.CLONE)


@cache
def _commit(clone: Path) -> str | None:
    git = ["git", "-C", str(clone)]
    if not (clone / ".git").exists():  # unpacked inside somebody else's repository
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
