"""A slip on the command line, told with what was probably meant.

The parser's errors are known here by what they carry, not by their class: it comes with typer or apart from it,
depending on the version.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simtrial.errors import InputError, several
from simtrial.slips import PLAIN, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

P0 = "p0 is the response rate not worth pursuing"
P1 = "p1 is the response rate worth finding"
LOOKS = "give all stages together, cumulative: --looks 1/10,5/29 for r1/n1,r/n"

OPTIONS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("beta", "b", "type2", "type-2", "type-ii", "type-ii-error"), ("power", "power is 1 - beta")),
    **dict.fromkeys(("total", "n-total", "ntotal", "sample-size", "samplesize", "size", "enrollment", "patients"),
                    ("n", "the number of patients")),
    **dict.fromkeys(("pnull", "p-null", "null", "pu", "p-u", "h0", "po"), ("p0", P0)),
    **dict.fromkeys(("palt", "p-alt", "alt", "alternative", "target", "pa", "p-a", "h1", "pl"), ("p1", P1)),
    "p2": ("p1", f"{P0}, {P1}"),
    **dict.fromkeys(("n1", "n2", "r1", "r2", "r", "nr", "stage1", "stages", "rule"), ("looks", LOOKS)),
    **dict.fromkeys(("type1", "type-1", "type-i", "type-i-error", "sig-level", "siglevel", "sig", "significance", "a"),
                    ("alpha", "the one-sided type I error")),
    **dict.fromkeys(("conf-level", "conf", "confidence", "confidence-level", "ci"), ("level", "such as 0.95")),
    **dict.fromkeys(("dropout-rate", "drop-out", "attrition", "loss", "ltfu"), ("dropout", "")),
    **dict.fromkeys(("responders", "response", "events", "successes", "x"), ("responses", "")),
    **dict.fromkeys(("output", "output-dir", "outdir", "o", "dir", "folder", "save", "destination"), ("out", "")),
    **dict.fromkeys(("ntrials", "n-trials", "nsim", "nsims", "n-sim", "reps", "replicates", "iterations", "sims"),
                    ("trials", "")),
    **dict.fromkeys(("random-seed", "rng", "random-state"), ("seed", "")),
    **dict.fromkeys(("nmax", "n-max", "max-n"), ("n-limit", "")),
    **dict.fromkeys(("sided", "tails", "sides", "two-sided"), ("alpha-sided", "")),
    **dict.fromkeys(("type", "method", "simon"), ("criterion", "")),
    **dict.fromkeys(("data", "csv", "file"), ("patients", "the CSV with one patient per row")),
    **dict.fromkeys(("cores", "cpus", "threads", "processes", "parallel"), ("jobs", "")),
    **dict.fromkeys(("h",), ("help", "")),
    **dict.fromkeys(("id", "nct-id", "study"), ("nct", "")),
}  # fmt: skip
"""Options of other programs, and the one meant with what to know of it."""

ELSEWHERE = {
    "n": "n is a result of the search; simtrial reproduce --n 25 lists the calculations that give 25 patients",
    "beta": "power is 1 - beta",
    "looks": "simtrial oc --looks 1/10,5/29 --p 0.1 evaluates a rule, simtrial check compares it with what is stated",
    "criterion": "the designs of all criteria are listed",
    "alpha-sided": "alpha is one-sided; give half of a two-sided alpha",
    "dropout": "dropout is stated in a parameter file, or with simtrial check",
}
"""What is answered where the command has no such option."""

FILES = ("params", "param", "parameters", "parameter-file", "input", "config", "file", "yaml", "i", "f")

COMMANDS = {
    **dict.fromkeys(("simon", "power", "samplesize", "sample-size", "size", "calc", "calculate", "n", "minimax",
                     "optimal", "twostage", "two-stage", "single-stage", "fleming"), "design"),
    **dict.fromkeys(("analyse", "analysis", "estimate", "ci", "pvalue", "p-value", "final"), "analyze"),
    **dict.fromkeys(("run", "simulation", "sim", "trial"), "simulate"),
    **dict.fromkeys(("verify", "review", "statement", "audit"), "check"),
    **dict.fromkeys(("evaluate", "characteristics", "operating-characteristics", "exact"), "oc"),
    **dict.fromkeys(("import", "registry", "nct", "import-nct"), "import-registry"),
    **dict.fromkeys(("gui", "app", "ui", "explorer", "dashboard"), "explore"),
    **dict.fromkeys(("interim", "predictive"), "monitor"),
    **dict.fromkeys(("interval", "confidence"), "printed"),
    **dict.fromkeys(("html", "pdf", "document"), "report"),
    **dict.fromkeys(("grid", "scan"), "sweep"),
    **dict.fromkeys(("teach", "lesson", "class"), "lessons"),
    **dict.fromkeys(("routes", "reverse", "trace"), "reproduce"),
    **dict.fromkeys(("test", "selftest"), "validate"),
    "help": "--help",
}  # fmt: skip
"""Names of commands that people try, and the command that does it."""


def of(error: Any, words: Sequence[str]) -> InputError:
    """Say what is wrong with a command line, and the remedy.

    Parameters
    ----------
    error : exception
        What the parser raised: it has ``format_message``, and mostly ``ctx``.
    words : sequence of str
        The command line, without the program's name.

    Returns
    -------
    InputError
        One line per unknown option; one line for everything else.
    """
    said = str(error.format_message())
    context = getattr(error, "ctx", None)
    command = getattr(context, "command", None)
    dash = next((word for word in words if re.match(r"[\u2010-\u2015\u2212]{1,2}[A-Za-z]", word)), None)
    if dash is not None:
        plain = dash.lstrip("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
        return InputError(f"({dash:.40}) begins with a dash in place of two hyphens: write --{plain:.40}", "option")
    if context is None or command is None:
        return InputError(said)
    if getattr(error, "option_name", None) and hasattr(error, "possibilities"):
        return _options(error, command, words)
    if hasattr(command, "commands"):
        return _command(command, words, said)
    if "unexpected extra argument" in said:
        return InputError(_extra(said, command, str(context.info_name)))
    if said.startswith("Missing argument"):
        return InputError(f"{said.rstrip('.')}; write simtrial {context.info_name} FILE")
    if said.startswith("Missing option"):
        return InputError(_missing(said, command, words, str(context.info_name)))
    return InputError(said)


def _known(command: Any) -> dict[str, Any]:
    """The options of a command by name."""
    names = ((name, one) for one in command.params for name in (*one.opts, *one.secondary_opts))
    return {name: one for name, one in names if name.startswith("--")} | {"--help": None}


def _options(error: Any, command: Any, words: Sequence[str]) -> InputError:
    known, name = _known(command), str(command.name)
    unknown = [word.partition("=")[0] for word in words if word.startswith("--") and len(word) > 2]
    unknown = list(dict.fromkeys(word for word in unknown if word not in known))
    if error.option_name not in unknown:  # one hyphen, which takes a single letter
        short = next((w.partition("=")[0] for w in words if re.match(r"-[A-Za-z]", w)), error.option_name)
        unknown.insert(0, short)
    if hasattr(command, "commands"):
        near = nearest(unknown[0], known, 0.7)
        remedy = f"did you mean {near}?" if near else "options follow the command: simtrial design --help"
        return InputError(f"no such option: {unknown[0]:.60}; {remedy}")
    told = []
    for word in unknown:
        remedy = _remedy(word, known, name)
        rate = _value(word, words) if word.lstrip("-").lower() in ("beta", "b") and "--power" in known else None
        if rate is not None and 0 < rate < 1:
            remedy = f"; write --power {round(1 - rate, 12)} for {word} {rate} (power is 1 - beta)"
        told.append(InputError(f"no such option: {word:.60}{remedy}"))
    return several(told)


def _value(option: str, words: Sequence[str]) -> float | None:
    """The number that an option was given, if it is one."""
    for k, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == option:
            text = value if equals else "".join(words[k + 1 : k + 2])
            return float(text) if PLAIN.fullmatch(text) else None
    return None


def _remedy(word: str, known: dict[str, Any], command: str) -> str:
    bare = word.lstrip("-").lower().replace("_", "-")
    if f"--{bare}" in known:
        return f"; write --{bare}"
    meant, note = OPTIONS.get(bare, ("", ""))
    if meant and f"--{meant}" in known:
        return f"; did you mean --{meant}?{f' ({note})' if note else ''}"
    if command in ("design", "oc") and (key := meant or bare) in ELSEWHERE:
        return f"; {ELSEWHERE[key]}"
    if bare in FILES:
        return f"; name the file alone: simtrial {command} FILE"
    begun = [name[2:] for name in known if len(bare) > 2 and name.startswith(f"--{bare}")]
    near = begun[0] if len(begun) == 1 else nearest(bare, [name[2:] for name in known], 0.7)
    if near:
        return f"; did you mean --{near}?"
    return f"; options of {command} are {', '.join(name for name in known if name != '--help')}"


def _command(group: Any, words: Sequence[str], said: str) -> InputError:
    word = next((word for word in words if not word.startswith("-")), "")
    if not word or word in group.commands:
        return InputError(said)
    if re.search(r"\.ya?ml$", word, re.IGNORECASE):
        return InputError(f"no such command: {word:.60}; did you mean simtrial report {word:.60}?")
    if re.search(r"\.(json|xml)$", word, re.IGNORECASE):
        return InputError(f"no such command: {word:.60}; did you mean simtrial import-registry {word:.60}?")
    meant = COMMANDS.get(word.lower().replace("_", "-")) or nearest(word, group.commands, 0.7)
    if meant:
        return InputError(f"no such command: {word:.60}; did you mean simtrial {meant}?")
    return InputError(f"no such command: {word:.60}; commands are {', '.join(group.commands)}")


def _example(command: Any, name: str) -> str:
    wanted = [one for one in command.params if one.required and one.opts[0].startswith("--")]
    return f"simtrial {name} {' '.join(f'{one.opts[0]} {one.metavar or one.name.upper()}' for one in wanted)}".strip()


def _extra(said: str, command: Any, name: str) -> str:
    if re.search(r"\([-+0-9.,/: ]+\)", said) and any(one.opts[0].startswith("--") for one in command.params):
        return f"{said}; give numbers by options: {_example(command, name)}"
    return said


def _missing(said: str, command: Any, words: Sequence[str], name: str) -> str:
    given = {word.partition("=")[0] for word in words}
    gone = [one.opts[0] for one in command.params if one.required and one.opts[0].startswith("--")]
    gone = [option for option in gone if option not in given]
    if len(gone) > 1:
        said = f"Missing options {', '.join(gone)}"
    return f"{said.rstrip('.')}; write {_example(command, name)}"
