"""A Chromium that is on this machine: where it is, and how it prints a page; no network is asked."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.interruption import held

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "SIMTRIAL_CHROMIUM"
"""Environment variable that names the browser: a path, or a program on the search path."""

OLDEST = 131
"""First version of Chromium with margin boxes."""

PATIENCE = 120.0
"""Seconds that the printing of one page may take."""

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge",
    "microsoft-edge-stable", "chrome", "msedge",
)  # fmt: skip
APPLICATIONS = tuple(
    Path(f"/Applications/{name}.app/Contents/MacOS/{name}")
    for name in ("Google Chrome", "Chromium", "Microsoft Edge")
)  # fmt: skip
PROGRAMS = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")
"""Variables of Windows that name the folders of programs."""

INSTALLED = (
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of that memory
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-breakpad",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever a version may want to ask for
    "--password-store=basic",
    "--use-mock-keychain",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)


class PrintError(OSError):
    """The browser did not print a page: why, in one line."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that prints: where it is, and its major version."""

    path: Path
    version: int


def found() -> Browser:
    """Give the browser that `VARIABLE` names, or else the first on this machine that is new enough.

    Raises
    ------
    InputError
        If there is none.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        place = shutil.which(Path(named).expanduser())
        if place is None:
            raise InputError(
                f"({named}) is not a program on this machine; give the path of Chromium or Chrome {OLDEST} or later, "
                "or unset it",
                VARIABLE,
            )
        version = _version(Path(place))
        if version < OLDEST:
            raise InputError(f"({named}) {_fault(version)}; {REMEDY}", VARIABLE)
        return Browser(Path(place), version)
    old = []
    for path in _usual():
        version = _version(path)
        if version >= OLDEST:
            return Browser(path, version)
        old.append(f"{path} {_fault(version)}")
    why = f": {old[0]}" if old else ""
    raise InputError(f"needs Chromium or Chrome {OLDEST} or later, and none was found{why}; {REMEDY}", "pdf")


REMEDY = (
    f"install one (Debian: apt install chromium; macOS, Windows: Google Chrome), or name it in the environment "
    f"variable {VARIABLE}"
)


def _fault(version: int) -> str:
    if not version:
        return "does not state a version of Chromium"
    return f"is version {version}, which prints neither header nor footer (they need {OLDEST})"


def _usual() -> Iterator[Path]:
    """The browsers on the search path, then those in the usual places of macOS and Windows."""
    for name in NAMES:
        place = shutil.which(name)
        if place:
            yield Path(place)
    folders = [Path(os.environ[name]) for name in PROGRAMS if os.environ.get(name)]
    installed = [folder / place for folder in folders for place in INSTALLED]
    yield from (path for path in (*APPLICATIONS, *installed) if path.is_file())


def _version(path: Path) -> int:
    """The major version of a browser; 0 if it states none."""
    try:
        if path.suffix.lower() == ".exe":
            # there a browser that is asked opens a window, but its files lie in a folder named by the version
            folders = [one.name for one in path.parent.iterdir() if re.fullmatch(r"\d+(\.\d+){3}", one.name)]
            return max((int(name.partition(".")[0]) for name in folders), default=0)
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=30, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return 0
    stated = re.search(r"(\d{1,5})(\.\d+){3}", said.stdout)
    return int(stated[1]) if stated else 0


OTHER = f"name another browser in the environment variable {VARIABLE}, or leave out --pdf"


def printed(browser: Browser, page: Path, place: Path) -> bytes:
    """Print a page of HTML.

    Parameters
    ----------
    browser : Browser
        Which prints it.
    page : Path
        The file.
    place : Path
        Folder that the browser writes to, and that holds nothing else of worth.

    Returns
    -------
    bytes
        What it wrote: a whole PDF.

    Raises
    ------
    PrintError
        If the browser fails or takes longer than `PATIENCE`. However this ends, its processes have ended.
    """
    result = (place / "printed.pdf").resolve()
    own = [f"--user-data-dir={(place / 'profile').resolve()}", f"--print-to-pdf={result}"]
    # Chromium's own sandbox does not start for root
    root = ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
    said = _run([str(browser.path), *FLAGS, *root, *own, page.resolve().as_uri()], place)
    made = result.read_bytes() if result.exists() else b""
    if not (made.startswith(b"%PDF-") and b"%%EOF" in made[-1024:]):
        raise PrintError(f"{browser.path} printed no page{said}; {OTHER}")
    return made


def _run(command: list[str], place: Path) -> str:
    """Run the browser to its end; give its exit code and what it said last."""
    errors = place / "errors.txt"
    with errors.open("wb") as said:
        started: list[subprocess.Popen[bytes]] = []
        try:
            with held():
                # in a group of its own: Ctrl-C is heard here alone, and all its processes are ended at once
                started.append(subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=place, start_new_session=True,
                    # where it would otherwise keep a folder in the home of the user
                    env=os.environ | {"CHROME_CONFIG_HOME": str(place.resolve())},
                ))  # fmt: skip
            code = started[0].wait(PATIENCE)
        except OSError as error:
            raise PrintError(f"{command[0]} cannot be run ({error.strerror}); {OTHER}") from None
        except subprocess.TimeoutExpired:
            raise PrintError(f"{command[0]} took longer than {PATIENCE:.0f} s to print a page; {OTHER}") from None
        finally:
            with held():
                for process in started:
                    _end(process)
    lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip() and "dbus" not in line), "")
    last = re.sub(r"^\[[^\]]*\]\s*", "", last).strip()[:200].rstrip(" .")
    return f" (exit code {code}{f': {last}' if last else ''})"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the browser with all its processes, if it still runs."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
