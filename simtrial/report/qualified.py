"""The qualification document of a validation that was run: from its executed notebook and this machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
from typing import TYPE_CHECKING

import pandas as pd

from simtrial import __version__, csv_files, files, project
from simtrial.documents import qualification, requirements
from simtrial.documents.qualification_results import (
    ABSENT,
    DIFFERENT,
    EQUAL,
    CaseResult,
    Installation,
    InstalledPackage,
)
from simtrial.phrases import counted
from simtrial.report import provenance

if TYPE_CHECKING:
    from pathlib import Path

    from simtrial.show.document import Document

LINE = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def paper(notebook: Path, date: str) -> Document:
    """Give the document on an executed notebook, whether its last cell passed or failed.

    Parameters
    ----------
    notebook : Path
        As papermill left it; what it does not hold counts as not tested.
    date : str
        Of the run, in words.

    Raises
    ------
    InputError
        If the file of requirements is not as it should be.
    """
    listed, digest = requirements.read()
    foot = f"simtrial {__version__}, code SHA-256 {files.code_digest()[:16]}"
    return qualification.of(listed, results(notebook), installation(date, digest), foot)


def results(notebook: Path) -> tuple[CaseResult, ...]:
    """The validation cases that an executed notebook shows."""
    import nbformat

    if not notebook.exists():
        return ()
    outputs = (
        output
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    found = []
    for output in outputs:
        said = output.get("metadata", {}).get("simtrial", {})
        if "case" in said:
            # numbers are compared as they were written, and NA is a word of other programs
            head, *rows = csv_files.read(output.data["text/csv"])
            frame = pd.DataFrame(rows, columns=head)
            frame["agrees"] = frame["agrees"] == "True"
            found.append(CaseResult(name=said["case"], source=said["source"], frame=frame))
    return tuple(found)


def installation(date: str, requirements_sha256: str) -> Installation:
    """What is installed on this machine, and the digests of what decides the results."""
    lock = project.lock()
    facts = {
        "Program": f"simtrial {__version__}",
        "Commit": provenance.commit() or provenance.NO_COMMIT,
        "SHA-256 of the code of the package": files.code_digest(),
        "SHA-256 of the lock": _digest(lock) if lock.exists() else "no lock is there",
        "SHA-256 of the requirements": requirements_sha256,
        "SHA-256 of the reference tables": _tables(),
        "Python": f"{platform.python_version()} ({platform.python_implementation()}); supported: {_supported()}",
        "Operating system": platform.platform(),
        "Processor": f"{platform.machine()}, {counted(os.cpu_count() or 1, 'core')}",
        "Date of the run": date,
    }
    return Installation(
        program=f"simtrial {__version__}",
        date=date,
        facts=tuple(facts.items()),
        packages=_packages(lock.read_text(encoding="utf-8")) if lock.exists() else (),
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _tables() -> str:
    """One digest of all reference tables, each with its name."""
    whole = hashlib.sha256()
    for path in sorted(project.folder("tests/reference").rglob("*")):
        if path.is_file():
            whole.update(f"{path.name} {_digest(path)}\n".encode())
    return whole.hexdigest()


def _supported() -> str:
    stated = project.stated()
    return "unknown" if stated is None else str(stated["Requires-Python"])


def _packages(lock: str) -> tuple[InstalledPackage, ...]:
    stated = project.stated()
    asked = () if stated is None else stated.get_all("Requires-Dist", ())
    direct = {_name(one) for one in asked if "extra ==" not in one}
    locked: dict[str, list[str]] = {}
    for name, version in LINE.findall(lock):
        locked.setdefault(_name(name), []).append(version)
    here = {_name(one.name): one.version for one in importlib.metadata.distributions()}
    return tuple(
        InstalledPackage(
            name=name,
            installed=here.get(name, "–"),
            locked=" or ".join(dict.fromkeys(versions)),
            direct=name in direct,
            state=ABSENT if name not in here else EQUAL if here[name] in versions else DIFFERENT,
        )
        for name, versions in sorted(locked.items())
    )


def _name(requirement: str) -> str:
    """The name of a distribution as an index writes it: lower case, with hyphens."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""
