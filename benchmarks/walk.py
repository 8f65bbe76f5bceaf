"""How far the data walk: modules imported, searches, operating characteristics and simulations, counted by running.

.venv/bin/python benchmarks/walk.py [CLONE]

Another clone, such as a worktree of an older commit, is counted by the same program. Functions are counted by their
names wherever in the package they are defined, in every process that a command starts; where a function keeps what it
found (`simtrial.memo`), what is counted is how often it computes, by the function of its name with an underscore.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNTED = {
    "single_stage": "searches for one stage",
    "two_stage": "searches for two stages",
    "operating_characteristics": "operating characteristics",
    "tally": "scenarios simulated",
    "exact_values": "scenarios from exact laws",
}
"""Functions by name, and what a call of each is."""

HOOK = """
import atexit, functools, hashlib, os, sys
from importlib.machinery import SourceFileLoader

log = os.open(os.environ["WALK_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
counted = os.environ["WALK_COUNTED"].split(",")
execute = SourceFileLoader.exec_module


def say(*words):
    os.write(log, (" ".join(map(str, words)) + "\\n").encode())


def written(value):
    if hasattr(value, "looks"):
        return repr(value.looks)
    return repr(value.tolist() if hasattr(value, "tolist") else value)


def counting(name, function):
    @functools.wraps(function)
    def call(*given, **named):
        asked = ";".join(map(written, given[:2])) + ";without months" * (named.get("months") is False)
        say("call", name, hashlib.md5(asked.encode()).hexdigest())
        return function(*given, **named)

    return call


def modules():
    say("modules", os.getpid(), os.path.basename(sys.argv[0]) if hasattr(sys, "argv") else "", len(sys.modules))


def exec_module(self, module):
    execute(self, module)
    modules()  # the last such line of a process counts: one that is slow to end may be killed before it can write it
    if module.__name__.split(".")[0] == "simtrial":
        for name in counted:
            computing = "_" + name if {name, "_" + name} <= vars(module).keys() else name
            function = vars(module).get(computing)
            if getattr(function, "__module__", "") == module.__name__ and not hasattr(function, "cache_info"):
                setattr(module, computing, counting(name, function))
        family = vars(module).get("FAMILY")
        search = getattr(family, "search", None)
        if search is not None and "_" + search.__name__ not in vars(module):
            object.__setattr__(family, "search", counting(family.search.__name__, family.search))


SourceFileLoader.exec_module = exec_module
atexit.register(modules)
"""

DESIGN = """
import sys
try:
    from simtrial.cli.app import main
except ImportError:  # an older clone
    from simtrial.cli import main
sys.argv[1:] = {words!r}.split()
sys.exit(main())
"""
SLIDER = """
import sitecustomize
try:
    from simtrial.explorer.page import Explorer
except ImportError:  # an older clone
    from simtrial.explorer import Explorer
page = Explorer()
sitecustomize.say("moved")
page.numbers["p1"].slider.value = round(page.numbers["p1"].value + 0.02, 6)
"""
KERNELS = ("__main__.py", "ipykernel_launcher.py")
"""Names of the programs that are kernels: ours, and that of older commits."""
TEXTBOOK = "design --p0 .1 --p1 .3 --alpha .05 --power .8 --json"


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What one command did: calls by function, kernels started, and modules at the end of a kernel and of the command.

    Attributes
    ----------
    calls, questions : Counter of str
        By the names of `COUNTED`: how often it was called, and how often with other arguments than ever before.
    kernels : int
        Processes that were kernels.
    in_kernels, modules : int
        Modules imported at the end, by all kernels together and by the command itself.
    """

    calls: Counter[str]
    questions: Counter[str]
    kernels: int
    in_kernels: int
    modules: int


def walk(code: str, clone: Path = ROOT) -> Walk:
    """Run some code in a clone, and count; what comes before a line that says so is left out."""
    with tempfile.TemporaryDirectory() as work:
        log = Path(work) / "log"
        (Path(work) / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([work, str(clone)]),
            "WALK_LOG": str(log),
            "WALK_COUNTED": ",".join(COUNTED),
        }
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=clone, env=environment, capture_output=True, text=True, timeout=600
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        lines = [line.split() for line in log.read_text(encoding="utf-8").splitlines()]
    begun = next((k for k, line in enumerate(lines) if line == ["moved"]), -1)
    ends = {line[1]: (line[2], int(line[3])) for line in lines if line[0] == "modules" and len(line) == 4}
    kernels = [modules for name, modules in ends.values() if name in KERNELS]
    calls = [(line[1], line[2]) for line in lines[begun + 1 :] if line[0] == "call"]
    return Walk(
        calls=Counter(name for name, _ in calls),
        questions=Counter(name for name, _ in set(calls)),
        kernels=len(kernels),
        in_kernels=sum(kernels),
        modules=sum(modules for name, modules in ends.values() if name == "-c"),
    )


def design(clone: Path = ROOT) -> Walk:
    """Count what ``simtrial design`` does."""
    return walk(DESIGN.format(words=TEXTBOOK), clone)


def report(file: str, clone: Path = ROOT) -> Walk:
    """Count what a report does."""
    with tempfile.TemporaryDirectory() as out:
        return walk(DESIGN.format(words=f"report {file} --out {out}"), clone)


def slider(clone: Path = ROOT) -> Walk:
    """Count what one move of a slider of the explorer does."""
    return walk(SLIDER, clone)


def main() -> None:
    """Print all counts of this clone, or of the one given."""
    clone = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    for name, done in (
        ("simtrial design", design(clone)),
        ("simtrial report params/NCT07022301.yaml", report("params/NCT07022301.yaml", clone)),
        ("one move of the explorer's slider for p1", slider(clone)),
    ):
        print(name)
        print(f"  {done.modules:6d} modules imported")
        if done.kernels:
            print(f"  {done.in_kernels:6d} modules imported by kernels, {done.kernels} of them")
        for function, said in COUNTED.items():
            calls, questions = done.calls[function], done.questions[function]
            print(f"  {calls:6d} {said}, {calls - questions} of them again")


if __name__ == "__main__":
    main()
