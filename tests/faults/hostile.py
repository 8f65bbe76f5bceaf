"""Hostile inputs: a table of them, and what every command must do with each.

A row of the table is one command. It is refused by exit code 2 (if the row says no other) and one line on standard
error per mistake, which names what is at fault; or the hostile text is taken as plain text. In any case: no traceback,
no control character on the terminal, nothing written where it is refused, and an end within ten seconds.
"""

import atexit
import contextlib
import io
import os
import re
import resource
import shlex
import signal
import sys
import tempfile
import time
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

import processes
import yaml
from makers import make

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).parent / "hostile"
LIMIT = 10.0
"""Seconds that a command may take to refuse."""
PATIENCE = 30.0
"""Seconds after which one in this process is broken off. Its own seconds count: others may work on the machine."""
MOST_LINES = 21
"""One per mistake, as `simtrial.errors.MOST_LISTED` says, and the number of those not listed."""
MOST_LETTERS = 1_000
"""Of one line: what is longer nobody reads."""
MEMORY = 4 << 30
"""Bytes that a command may ask for."""

SMOKE = yaml.safe_load((ROOT / "params/smoke.yaml").read_text(encoding="utf-8"))
SWEEP = {"sweep": {
    "base": str(ROOT / "params/smoke.yaml"), "axes": [{"path": "p", "values": [0.2, 0.6]}], "outcomes": ["reject"],
    "trials": 100, "seed": 1}}  # fmt: skip
FORMS = {"smoke": SMOKE, "sweep": SWEEP}
SHORT = {
    "design": "design --p0 0.1 --p1 0.3 --alpha 0.05 --power 0.8",
    "check": "check --p0 0.1 --p1 0.3 --alpha 0.05 --power 0.8 --n 25",
    "analyze": "analyze --looks 1/10,5/29 --p0 0.1 --responses 6",
    "monitor": "monitor --looks 1/10,5/29 --patients 14 --responses 3 --p 0.3",
    "printed": "printed --responses 5 --n 25 --low 0.068 --high 0.407",
    "patients": "analyze --looks 1/10,5/29 --p0 0.1 --patients {file}",
    "smoke": str(ROOT / "params/smoke.yaml"),
    "params": str(ROOT / "params"),
    "long": "a" * 300,
}  # fmt: skip
"""Right commands, to which a row adds what is wrong: of an option that is given twice the last one counts."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One hostile input.

    Attributes
    ----------
    id : str
        Unique.
    kind : str
        The file of the table that holds it.
    run : str
        The command line; `{file}` is the hostile file, `{here}` its folder, other braces are `SHORT`.
    says : tuple of str
        What must be said, in some line, of what is at fault; where the exit code is 0 on either stream.
    code : int
        The exit code.
    text, hex, make, form : str
        What the file holds: text, bytes, what `makers` calls so, or a file of `FORMS`, in which `set` replaces values.
    set : dict of str to str
        Dotted places below the one key of the form, with what is written there, as YAML.
    name : str
        Of the file.
    seconds : float
        In which it ends.
    apart : bool
        Whether it needs a process of its own.
    """

    id: str
    kind: str
    run: str
    says: tuple[str, ...] = ()
    code: int = 2
    text: str | None = None
    hex: str = ""
    make: str = ""
    form: str = ""
    set: dict = field(default_factory=dict)
    name: str = "f.yaml"
    seconds: float = LIMIT
    apart: bool = False

    def prepare(self, folder):
        """Put its file into an empty folder, and give the words of its command."""
        path = folder / self.name
        if self.text is not None:
            path.write_bytes(self.text.encode("utf-8", "surrogatepass"))
        elif self.hex:
            path.write_bytes(bytes.fromhex(self.hex))
        elif self.make:
            make(self.make, path)
        elif self.form or self.set:
            path.write_text(formed(self.form or "smoke", self.set), encoding="utf-8")
        named = re.sub(r"\{(\w+)\}", lambda found: SHORT.get(found[1], found[0]), self.run)
        words = shlex.split(re.sub(r"\$'((?:[^'\\]|\\.)*)'", _escaped, named))
        return [word.replace("{file}", str(path)).replace("{here}", str(folder)) for word in words]


def _escaped(found):
    """What a shell writes as $'...'."""
    return shlex.quote(found[1].replace(r"\e", r"\x1b").encode("ascii").decode("unicode_escape"))


def formed(form, changes):
    """A right file in which some values are replaced by what a row says, to the letter."""
    data = yaml.safe_load(yaml.safe_dump(FORMS[form]))
    ((root, _),) = data.items()
    marks = {}
    for k, (place, raw) in enumerate(changes.items()):
        *way, last = [root, *place.split(".")]
        here = data
        for part in way:
            here = here.setdefault(part, {})
        marks[f"RAW{k}RAW"] = str(raw)
        here[last] = f"RAW{k}RAW"
    text = yaml.safe_dump(data, sort_keys=False, width=10_000, allow_unicode=True)
    return re.sub(r"RAW\d+RAW", lambda found: marks[found[0]], text)


def table():
    """Every row, in order."""
    rows = []
    for path in sorted(TABLE.glob("*.yaml")):
        # every scalar as it is written: 014 and 1e-308 are hostile to the letter
        held = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        rows += [_row(path.stem, name, told) for name, told in held.items()]
    return rows


def _row(kind, name, told):
    """One row from its words."""
    said = told.pop("says", [])
    read = {"code": int, "seconds": float, "apart": "true".__eq__}
    fields = {key: read.get(key, _same)(value) for key, value in told.items()}
    return Row(id=f"{kind}-{name}", kind=kind, says=(said,) if isinstance(said, str) else tuple(said), **fields)


def _same(value):
    return value


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str
    seconds: float
    left: tuple[str, ...]


class TooLong(BaseException):
    """A command that takes longer than it may."""


def listing(folder):
    """What a folder holds, with sizes: what is written is seen."""
    found = []
    for here, folders, files in os.walk(folder):
        for name in sorted((*folders, *files)):
            path = Path(here) / name
            size = path.lstat().st_size if path.is_file() and not path.is_symlink() else ""
            found.append(f"{path.relative_to(folder).as_posix()} {size}".strip())
    return sorted(found)


def here(row, folder):
    """Run a row in this process, in a folder of its own."""
    from simtrial.cli.app import main

    work = folder / "work"
    work.mkdir()
    words = row.prepare(work)
    before, place = listing(work), Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    began = time.process_time()
    os.chdir(work)
    heard = signal.signal(signal.SIGALRM, _enough)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(words)
            except BaseException as error:
                code = -1
                print(f"raised {type(error).__name__}: {error}", file=err)
        broken_off = signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, heard)
        os.chdir(place)
    left = sorted(set(listing(work)) - set(before))
    seconds = PATIENCE if broken_off else time.process_time() - began
    return Outcome(code=code, out=out.getvalue(), err=err.getvalue(), seconds=seconds, left=tuple(left))


def _enough(_signal, _frame):
    raise TooLong("it took too long")


def apart(row, folder):
    """Run a row as a process of its own, in a folder of its own."""
    work = folder / "work"
    work.mkdir()
    words = row.prepare(work)
    before = listing(work)
    began = time.monotonic()
    with processes.started(words, cwd=work, env=processes.environment(cache=folder / "cache")) as process:
        code, out, err = processes.ended(process, row.seconds + LIMIT)
    left = sorted(set(listing(work)) - set(before))
    return Outcome(code=code, out=out, err=err, seconds=time.monotonic() - began, left=tuple(left))


def faults(row, outcome):
    """What a command did wrong, a line each; nothing where all is as it should be."""
    found = []
    if outcome.code != row.code:
        found.append(f"exit code {outcome.code}, not {row.code}")
    if outcome.seconds > row.seconds:
        found.append(f"took {outcome.seconds:.1f} s")
    if "Traceback (most recent call last)" in outcome.err + outcome.out:
        found.append("traceback")
    if "was not foreseen" in outcome.err:
        found.append("was not foreseen")
    live = sorted({c for c in outcome.err + outcome.out if c not in "\n" and unicodedata.category(c) in ("Cc", "Cf")})
    if live:
        found.append(f"prints control characters {live!r}")
    lines = outcome.err.splitlines()
    if max(map(len, lines), default=0) > MOST_LETTERS:
        found.append(f"a line of {max(map(len, lines))} letters")
    if row.code:
        found += _refusal(lines, outcome)
    heard = _plain(outcome.err if row.code else outcome.out + outcome.err)
    found += [f"does not say {told!r}" for told in row.says if _plain(told) not in heard]
    return found


def _plain(said):
    """Words in which --en-p0 and en_p0 are the same."""
    return said.replace("_", "-")


def _refusal(lines, outcome):
    """What is wrong with how a command refuses."""
    found = []
    if not 1 <= len(lines) <= MOST_LINES:
        found.append(f"{len(lines)} lines on standard error")
    # what is to be chosen from is listed, indented
    strange = next((line for line in lines if not line.startswith(("simtrial: ", "  "))), None)
    if strange is not None:
        found.append(f"a line that is not the program's: {strange[:80]!r}")
    if outcome.out:
        found.append(f"prints {outcome.out[:80]!r}")
    if outcome.left:
        found.append(f"leaves {', '.join(outcome.left)[:200]}")
    return found


def confine():
    """Give this process a limit of memory: a command that asks for all of it harms nobody."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.set_int_max_str_digits(4300)


def tried(row):
    """Run a row, here or apart, in a folder that is gone afterwards; what was wrong, and the seconds."""
    with tempfile.TemporaryDirectory(prefix="simtrial-faults-") as name:
        outcome = (apart if row.apart else here)(row, Path(name))
    return "; ".join(faults(row, outcome)), outcome.seconds


def _begin():
    """Make a worker ready: memory to a limit, and logs of its own, which end with it."""
    confine()
    kept = tempfile.TemporaryDirectory(prefix="simtrial-faults-")
    atexit.register(kept.cleanup)
    os.environ["XDG_CACHE_HOME"] = kept.name


def campaign(figure, own, *, only, number, draw):
    """Try every row in processes that do many, then some drawn ones as processes of their own."""
    rows = [row for row in table() if only in (None, row.id)]
    drawn = [] if only else draw.sample([row for row in rows if not row.apart], number)
    with processes.pool(_begin) as pool:
        # those that wait first, for others compute meanwhile
        rows.sort(key=lambda row: not row.apart)
        for row, (wrong, seconds) in zip(rows, pool.map(tried, rows), strict=True):
            figure.add(row.id, wrong, seconds)
        again = [replace(row, apart=True) for row in drawn]
        for row, (wrong, seconds) in zip(again, pool.map(tried, again), strict=True):
            own.add(row.id, wrong, seconds)
