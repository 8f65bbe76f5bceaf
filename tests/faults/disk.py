"""A full disk: what cannot be written is named in one line, nothing is left half-written, and space lets it continue.

Where this machine allows a mount of its own (root, or a user namespace), a command gets a file system of some
kilobytes. Everywhere it also gets a limit on the size of its files, which fails in the same calls.
"""

import os
import shutil
import subprocess
import sys
from functools import cache

import sweeping
from processes import ROOT, SIMTRIAL, ended, environment, started

INSIDE = (
    'mount -t tmpfs -o size="$1"k tmpfs "$2" && shift && shift && "$@"; code=$?; '
    'find "$HELD" -name "*.tmp" >&2; exit $code'
)
"""Mount, run the command, and name what it has left unfinished; the mount ends with the process."""


@cache
def mounts():
    """The words before a command that gets mounts of its own; none where the machine does not allow it."""
    for words in (["unshare", "-m"], ["unshare", "-Urm"]):
        if shutil.which("unshare"):
            probe = subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
            if probe.returncode == 0:
                return words
    return []


LIMITED = (
    "import os, resource, sys; n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def limited(size):
    """The words before a command whose files may not grow beyond so many bytes."""
    return [sys.executable, "-c", LIMITED, str(size), *SIMTRIAL]


def wrong(code, err, named):
    """What is wrong with how a command says that there is no space."""
    lines = [line for line in err.splitlines() if line.startswith("simtrial: ")]
    if "Traceback" in err or "was not foreseen" in err:
        return " ".join(err.split())[-300:]
    if code not in (1, 2) or len(lines) != 1:
        return f"exit code {code}, {lines}"
    if str(named) not in lines[0]:
        return f"does not name {named}: {lines[0]}"
    return "leaves unfinished files" if ".tmp" in err.replace(lines[0], "") else ""


def small_files(calm, folder, draw):
    """A sweep whose files may not grow beyond a few bytes, continued without the limit."""
    out = folder / "out"
    size = draw.randrange(0, max(path.stat().st_size for path in calm.out.rglob("*") if path.is_file()))
    with started(sweeping.words(calm.file, out), env=environment(), program=limited(size)) as process:
        code, _, err = ended(process, sweeping.SECONDS)
    told = wrong(code, err, folder) if code else ""
    if told:
        return f"{size} bytes a file: {told}"
    strays = [path.name for path in out.rglob("*.tmp")] if out.exists() else []
    if strays:
        return f"{size} bytes a file: leaves {strays}"
    again, said, err = sweeping.run(calm.file, out)
    if again or said["digest"] != calm.said["digest"]:
        return f"{size} bytes a file, then continued: exit code {again}, {err.strip().splitlines()[-1:]}"
    return ""


def small_disk(calm, folder, draw):
    """A sweep on a disk of some kilobytes."""
    held = folder / "disk"
    held.mkdir()
    size = draw.choice((4, 8, 12, 16, 20))
    words = [*mounts(), "sh", "-c", INSIDE, "sh", str(size), str(held), *SIMTRIAL]
    env = environment() | {"HELD": str(held)}
    with started(sweeping.words(calm.file, held / "out"), program=words, env=env) as process:
        code, _, err = ended(process, sweeping.SECONDS)
    told = wrong(code, err, held)
    return f"a disk of {size} kB: {told}" if told else ""


def record(folder, draw):
    """A registry record whose parameter file does not fit."""
    from makers import make

    make("json-good", folder / "record.json")
    out = folder / "drafted.yaml"
    size = draw.randrange(0, 400)
    words = ["import-registry", folder / "record.json", "--out", out]
    with started(words, env=environment(), program=limited(size)) as process:
        code, _, err = ended(process, 30)
    err = "\n".join(line for line in err.splitlines() if not line.startswith("warning: "))
    told = wrong(code, err, out) or ("leaves the file" if out.exists() else "")
    return f"{size} bytes a file: {told}" if told else ""


def report(folder, draw):
    """A report whose files do not fit: the older one stays."""
    out = folder / "build"
    size = draw.choice((1_000, 10_000, 30_000))
    words = ["report", ROOT / "params/smoke.yaml", "--out", out, "--no-docx"]
    with started(words, env=environment(), program=limited(size)) as process:
        code, _, err = ended(process, sweeping.SECONDS)
    told = wrong(code, err, folder)
    left = [name for name in os.listdir(out) if name != "SMOKE.failed"] if out.exists() else []  # noqa: PTH208 - names
    return f"{size} bytes a file: {told or f'leaves {left}'}" if told or left else ""
