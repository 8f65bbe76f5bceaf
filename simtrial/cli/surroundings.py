"""What simtrial finds around it: versions, browser, fonts, folders, cores, extras and the terminal."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from simtrial import __version__, disk, files, project
from simtrial.errors import InputError
from simtrial.phrases import counted, listed
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

DoctorStatus = Literal["ok", "note", "warning", "failed"]


class Finding(NamedTuple):
    """One check: its name, how it ended, what was found, and what to do about it if it is not as it should be."""

    name: str
    status: DoctorStatus
    found: str
    remedy: str = ""


REINSTALL = f"install it again: pip install --force-reinstall {project.DISTRIBUTION}"
MATH_FONTS = ("STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre")
"""Fonts of formulas, as the style sheet of reports names them."""

MOST_BYTES = 8_388_608
"""More than the lock has."""

LEAST_MEMORY = 2.0
"""GiB below which a report with its kernel may not fit."""

EXTRAS = {"explore": ("voila", "the design explorer"), "dask": ("distributed", "sweeps on a cluster of dask")}
"""What may be installed besides: the module that tells, and what it is for."""


def all_found() -> Iterator[Finding]:
    """Every check of the surroundings, in the order in which they are told."""
    yield Finding("simtrial", "ok", f"{__version__}, {_place()}")
    yield _python()
    yield from _libraries()
    yield _browser()
    yield from _fonts()
    yield _machine()
    yield from _folders()
    yield from _extras()
    yield _terminal()


def _place() -> str:
    if project.CLONE is not None:
        return f"a clone in {project.CLONE}"
    return f"installed in {project.SHIPPED.parent}"


def _python() -> Finding:
    here, stated = platform.python_version(), project.stated()
    wanted = stated["Requires-Python"] if stated is not None else ""
    said = f"{here} ({sys.executable})"
    if wanted and not _within(here, wanted):
        return Finding("Python", "failed", said, f"use a Python {wanted}")
    return Finding("Python", "ok", said)


def _within(version: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def _libraries() -> Iterator[Finding]:
    """The dependencies: whether each is there in a version that is allowed, and which differ from the lock."""
    from packaging.requirements import Requirement

    stated = project.stated()
    if stated is None:
        yield Finding("libraries", "warning", "the package is not installed, so its dependencies are not known",
                      "install it, from a clone with pip install -e .")  # fmt: skip
        return
    needed = [Requirement(line) for line in stated.get_all("Requires-Dist") or () if "extra ==" not in line]
    locked, differing, faults = _locked(), [], []
    for one in needed:
        try:
            version = importlib.metadata.version(one.name)
        except importlib.metadata.PackageNotFoundError:
            faults.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(version, prereleases=True):
            faults.append(f"{one.name} {version} is not {one.specifier}")
        elif locked.get(_folded(one.name), version) != version:
            differing.append(f"{one.name} {version} (lock: {locked[_folded(one.name)]})")
    if faults:
        names = " ".join(f"'{one.name}{one.specifier}'" for one in needed if any(one.name in said for said in faults))
        yield Finding("libraries", "failed", "; ".join(faults), f"pip install {names}")
    elif not locked:
        yield Finding("libraries", "warning", "all there; the lock is missing, so versions are not compared", REINSTALL)
    elif differing:
        said = f"all there; {counted(len(differing), 'version')} other than tested: {'; '.join(differing)}"
        yield Finding("libraries", "note", said)
    else:
        yield Finding("libraries", "ok", f"{len(needed)}, in the versions of the lock")


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked() -> dict[str, str]:
    """The versions of the lock, by the names of packages; empty if it is missing."""
    from packaging.markers import Marker

    place = project.lock()
    if not place.is_file():
        return {}
    found = {}
    for line in files.read(place, MOST_BYTES).data.decode("utf-8").splitlines():
        one = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]+))?", line)
        if one and (one[3] is None or Marker(one[3].strip()).evaluate()):
            found[_folded(one[1])] = one[2]
    return found


def _browser() -> Finding:
    from simtrial.report import chromium

    try:
        browser = chromium.found()
    except InputError as error:
        common = f"; {chromium.REMEDY}"
        said, _, remedy = error.message.partition(common if common in error.message else "; ")
        remedy = remedy or chromium.REMEDY
        return Finding(
            "browser", "warning", f"--pdf {said}" if error.field == "pdf" else f"{error.field} {said}", remedy
        )
    return Finding("browser", "ok", f"version {browser.version}, {browser.path} (for --pdf)")


def _fonts() -> Iterator[Finding]:
    spec = importlib.util.find_spec("matplotlib")
    own = Path(spec.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf" if spec and spec.origin else None
    families = _families()
    if (own is not None and own.is_file()) or "DejaVu Sans" in families:
        yield Finding("font of figures", "ok", "DejaVu Sans")
    else:
        remedy = "install matplotlib again, or the font (Debian: apt install fonts-dejavu)"
        yield Finding("font of figures", "failed", "DejaVu Sans is missing", remedy)
    if shutil.which("fc-list") is None:
        yield Finding("fonts of the PDF", "note", "not looked for: there is no fc-list here")
        return
    there = [name for name in MATH_FONTS if name in families]
    if there:
        yield Finding("fonts of the PDF", "ok", f"{len(families)} families; formulas in {there[0]}")
    else:
        said = f"{counted(len(families), 'family', 'families')}, none for formulas ({listed(MATH_FONTS)})"
        yield Finding("fonts of the PDF", "warning", said, "install one (Debian: apt install fonts-dejavu-extra)")


def _families() -> set[str]:
    """The families of fonts on this machine, as fontconfig knows them."""
    said = _said("fc-list", ":", "family")
    return {name.replace("\\", "").strip() for line in said.splitlines() for name in line.split(",") if name.strip()}


def _said(*command: str) -> str:
    """What a program prints; empty if there is none, or it fails."""
    place = shutil.which(command[0])
    if place is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            [place, *command[1:]], capture_output=True, text=True, errors="replace", timeout=10, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said, memory = f"{platform.system()} {platform.machine()}, {counted(cores, 'core')}", _memory()
    if memory is None:
        return Finding("machine", "ok", said)
    said += f", {memory:.1f} GiB of memory"
    if memory < LEAST_MEMORY:
        return Finding("machine", "warning", said, f"make reports one at a time: --jobs 1 (needs {LEAST_MEMORY:g} GiB)")
    return Finding("machine", "ok", said)


def _memory() -> float | None:
    """GiB of memory of this machine; None where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return None


def _folders() -> Iterator[Finding]:
    places = (
        ("temporary folder", Path(tempfile.gettempdir()), "failed", "name another one in the variable TMPDIR"),
        ("working folder", Path(), "warning", "change to another folder, or name one with --out"),
        ("folder of logs", disk.cache() / "log", "warning", "name another one in the variable XDG_CACHE_HOME"),
    )  # fmt: skip
    for name, place, status, remedy in places:
        try:
            disk.usable(place)
        except InputError as error:
            yield Finding(name, "failed" if status == "failed" else "warning", error.message.partition(";")[0], remedy)
        else:
            yield Finding(name, "ok", f"{place if place != Path() else Path.cwd()} can be written to")


def _extras() -> Iterator[Finding]:
    for extra, (module, use) in EXTRAS.items():
        if importlib.util.find_spec(module) is not None:
            yield Finding(f"extra {extra}", "ok", f"{module} {importlib.metadata.version(module)}, for {use}")
        else:
            said = f"{module} is not installed; only {use} needs it: pip install '{project.DISTRIBUTION}[{extra}]'"
            yield Finding(f"extra {extra}", "note", said)
    rscript = shutil.which("Rscript")
    yield Finding("R", "ok" if rscript else "note", rscript or "not found; only the use from R needs it")


def _terminal() -> Finding:
    encoding = (sys.stdout.encoding or "ascii").lower()
    colours = "with" if terminal.colours(sys.stdout) else "without"
    said = f"{encoding}, {colours} bold letters and colours"
    if re.sub(r"[^a-z0-9]", "", encoding) != "utf8":
        return Finding("terminal", "note", f"{said}; signs that it lacks are spelled out")
    return Finding("terminal", "ok", said)
