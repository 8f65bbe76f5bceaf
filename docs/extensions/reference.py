"""Reference pages written when the site is built: from the schemas, the commands, the glossary and the bounds.

A page names what it wants by a block ``{generated} name``, in whose place the Markdown of that part is read. Keys of
files become ``confval``, options of commands ``option``, terms ``glossary``, so that each has an anchor, stands in the
index and can be linked to: ``{confval}`design.looks` ``, ``{option}`simtrial design --p0` ``, ``{term}`Power` ``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pages
from sphinx.errors import ExtensionError

from simtrial import glossary, project
from simtrial.inputs import TABLE
from simtrial.trial.section import Within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from simtrial.inputs import InputNumber

WANTED = re.compile(r"^```\{generated\}[ \t]*(?P<name>\w+)(?P<argument>[^\n]*)\n```[ \t]*$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w`-])(--[a-z][\w-]*)(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)")
"""An option in a sentence that does not stand in backticks yet."""
DEFAULT = re.compile(
    r"(?: \[(default[^:\]]*: [^\]]+)\]|; (default: [^.]+(?:\.\d[^.]*)*)(?=\.)|(?<=\.) (Default: .+?)\.$)"
)
"""What the help of an option says of its default, in one of its forms."""
SPECIAL = re.compile(r"([\\*_{}\[\]<>$#|~])")


def plain(text: str) -> str:
    """Escape what Markdown would take for markup; words in backticks stay code."""
    text = OPTION.sub(r"`\1`", " ".join(text.split()))
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else SPECIAL.sub(r"\\\1", part) for part in parts)


def row(*cells: str) -> str:
    """Give a row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def listed(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Give a Markdown table."""
    return "\n".join([row(*head), row(*("---" for _ in head)), *(row(*one) for one in rows)])


# keys of files


MOST_NEAR = 1e-6
"""A bound as near to 0 or 1 stands for them: no trial comes near it, and the exact bounds are on the page of limits."""


def number(schema: Mapping[str, Any]) -> str:
    """Give the type of a number and its bounds, in words."""
    kind = "whole number" if schema["type"] == "integer" else "number"
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None and 0 < low == round(1 - high, 12) <= MOST_NEAR:
        return f"{kind} strictly between 0 and 1"
    told = []
    if low is not None or above is not None:
        told.append(f"from {_shown(low)}" if above is None else f"above {_shown(above)}")
    if high is not None or below is not None:
        told.append(f"to {_shown(high)}" if below is None else f"below {_shown(below)}")
    return f"{kind} {' '.join(told)}".strip()


def _shown(bound: float) -> str:
    if bound == 2**63 - 1:
        return "2**63 - 1"
    return f"{bound:,.0f}" if abs(bound) >= 1000 else f"{bound:.10g}"


def said(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """Give the type of a value, in words."""
    if "$ref" in schema:
        return "section"
    if "enum" in schema:
        return f"one of {', '.join(f'`{word}`' for word in schema['enum'])}"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(said(one, defs) for one in schema["anyOf"] if one.get("type") != "null"))
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return number(schema)
    if kind == "string":
        if schema.get("format") == "date":
            return "date, as 2025-07-31"
        pattern = f" of the form `{schema['pattern']}`" if "pattern" in schema else ""
        most = f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""
        return f"text{pattern}{most}"
    if kind == "array":
        return _list(schema, defs)
    return {"boolean": "`true` or `false`", "object": "section"}.get(str(kind), "any value")


def _list(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if "prefixItems" in schema:
        return f"list of {least}: {'; '.join(said(one, defs) for one in schema['prefixItems'])}"
    size = f" of {least}" if least is not None and least == most else f" of at most {most:,}" if most else ""
    inner = schema.get("items", {})
    return f"list{size}, each a {said(inner, defs)}" if inner else f"list{size}"


def inner(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """Give the section that a value is, if it is one, and ``[]`` if it is a list of such."""
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            return defs[one["$ref"].rsplit("/", 1)[1]], ""
        if one.get("type") == "array" and "$ref" in one.get("items", {}):
            return defs[one["items"]["$ref"].rsplit("/", 1)[1]], "[]"
    return None, ""


def key(path: str, schema: Mapping[str, Any], defs: Mapping[str, Any], *, required: bool) -> str:
    """Give one key as a definition with an anchor."""
    section, _ = inner(schema, defs)
    meant = schema.get("description") or (section or {}).get("description") or ""
    lines, default = [f":type: {said(schema, defs)}{', required' if required else ''}"], schema.get("default")
    if not required and default not in (None, [], ()) and section is None:
        lines.append(f":default: `{json.dumps(default) if not isinstance(default, str) else default}`")
    return "\n".join([f"````{{confval}} {path}", *lines, "", plain(meant), "````", ""])


def keys(section: Mapping[str, Any], path: str, defs: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Give the keys of a section, those that hold a value before the sections within it."""
    nested = []
    for name, schema in section["properties"].items():
        place = f"{path}.{name}" if path else name
        within, many = inner(schema, defs)
        if within is None:
            yield key(place, schema, defs, required=name in section.get("required", ()))
        else:
            nested.append((name, place + many, schema, within))
    for name, place, schema, within in nested:
        yield f"{'#' * depth} `{place}`\n"
        yield key(place, schema, defs, required=name in section.get("required", ()))
        yield from keys(within, place, defs, min(depth + 1, 4))


def parameter_file() -> str:
    """Every key of the parameter file, by section, each section with its part of the template."""
    from simtrial.trial import params

    schema = params.json_schema()
    defs, trial = schema["$defs"], schema["$defs"]["Trial"]
    written = []
    for name, one in trial["properties"].items():
        within, many = inner(one, defs)
        written += [f"## `{name}`\n", key(name + many, one, defs, required=name in trial["required"])]
        written.append(f"As `params/example.yaml` shows it:\n\n```yaml\n{snippet(name)}\n```\n")
        written += keys(within or {"properties": {}}, name + many, defs, 3)
    return "\n".join(written)


def snippet(name: str) -> str:
    """Give the part of ``params/example.yaml`` that holds a section, without the marks of what is optional."""
    text = (project.folder("params") / "example.yaml").read_text(encoding="utf-8")
    lines, taken = text.splitlines(), []
    for line in lines:
        if re.match(r"  (?:# )?[a-z_]+:(?: |$)", line):
            taken.append([line])
        elif taken:
            taken[-1].append(line)
    found = next((one for one in taken if re.match(rf"  (?:# )?{name}:", one[0])), None)
    if found is None:
        return SNIPPETS[name]
    if found[0].startswith("  # "):
        found = [f"  {line.removeprefix('  # ')}" for line in found if line.startswith("  #")]
    return "\n".join(line.removeprefix("  ") for line in found).rstrip()


SNIPPETS = {
    "rivals": """rivals:
  - {p0: 0.20, p1: 0.40, alpha: 0.05, power: 0.80, criterion: optimal, source: another reading of the registry}""",
}
"""Sections that the template does not show; the tests read them as parameter files."""


def sweep_file() -> str:
    """Every key of the sweep file."""
    from simtrial.sweep import section
    from simtrial.trial import params

    schema = params.json_schema(section.SweepFile)
    defs = schema["$defs"]
    sweep = schema["properties"]["sweep"]
    first = key("sweep", sweep, defs, required=True)
    return "\n".join([first, *keys(defs["SweepSection"], "sweep", defs, 3)])


def sweep_outcomes() -> str:
    """What a sweep may report."""
    from simtrial.conduct.outcomes import OUTCOMES

    kinds = {"share": "probability", "rate": "probability", "mean": "mean"}
    rows = [(f"`{name}`", plain(one.label), kinds.get(one.kind, one.kind)) for name, one in OUTCOMES.items()]
    return listed(("Outcome", "What it is", "Kind"), rows)


def sweep_axes() -> str:
    """Sections of the parameter file whose keys an axis may vary."""
    from simtrial.sweep.section import MOST_CELLS, NOT_VARIED, RATE
    from simtrial.trial import params

    names = params.json_schema()["$defs"]["Trial"]["properties"]
    rows = [(f"`{RATE}`", "the true response rate; without this axis every setting is run at its p0 and its p1")]
    rows += [(f"`{name}.`...", "any key below it") for name in names if name not in NOT_VARIED]
    refused = ", ".join(f"`{name}`" for name in NOT_VARIED)
    more = f"The sections {refused} change no result, and an axis in them is refused. So is `conduct.simulation`."
    return f"{listed(('Path', 'What varies'), rows)}\n\n{more} A sweep has at most {MOST_CELLS:,} scenarios."


# commands


@cache
def program() -> Any:
    """Give the commands as the program has them."""
    import typer

    from simtrial.cli import commands

    return typer.main.get_command(commands.program())


def commands() -> str:
    """Every command: what it is for, its usage line, and its options."""
    from simtrial.cli import commands
    from simtrial.cli.command import readers

    typed = {
        one.callback.__name__.replace("_", "-"): one.callback
        for one in commands.program().registered_commands
        if one.callback
    }
    every = program().commands.items()
    rows = [(f"[`{name}`](#simtrial-{name})", plain(one.get_short_help_str(200))) for name, one in every]
    written = [listed(("Command", "What it does"), rows)]
    for name, one in every:
        read = readers(typed[name]) if name in typed else {}
        context = one.context_class(one, info_name=f"simtrial {name}")
        usage = " ".join(one.get_usage(context).removeprefix("Usage:").split())
        written += ["", f"## simtrial {name}", "", *_paragraphs(one.help or ""), "", f"```text\n{usage}\n```", ""]
        written.append(f"```{{program}} simtrial {name}\n```\n")
        written += [_option(param, read.get(param.name)) for param in one.params]
        if one.epilog:
            written += _paragraphs(one.epilog)
    return "\n".join(written)


def _paragraphs(text: str) -> list[str]:
    parts = re.split(r"\n\s*\n", text.replace("\b", "").replace("\f", ""))
    return [f"{plain(part)}\n" for part in parts]


def _option(param: Any, reader: Any) -> str:
    """Give one option or argument with its help, its bounds and its default."""
    words = [*param.opts, *param.secondary_opts]
    if not words[0].startswith("-"):
        words = [param.metavar or str(param.name).upper()]
    elif not getattr(param, "is_flag", False):
        words = [f"{word} {_metavar(param)}" for word in words]
    meant, last = parted(getattr(param, "help", None) or "")
    told = [plain(meant)]
    if reader is not None:
        each = {"list": "Several numbers, separated by commas; each is ", "one": "It is ", "text": "It is "}
        told.append(f"{each[reader.form]}{plain(allowed(reader.number))}.")
    if getattr(param, "multiple", False) or param.nargs == -1:
        told.append("It may be given more than once.")
    if param.required:
        told.append("Required.")
    elif last:
        told.append(plain(last))
    elif param.default not in (None, False, [], ()) and not callable(param.default):
        told.append(f"Default: {_default(param)}.")
    return "\n".join([f"````{{option}} {', '.join(words)}", "", " ".join(filter(None, told)), "````", ""])


def parted(text: str) -> tuple[str, str]:
    """Part the help of an option from the sentence on its default; that is empty if the help has none."""
    found = DEFAULT.search(text)
    if not found:
        return text, ""
    said = next(filter(None, found.groups()))
    return f"{text[: found.start()]}{text[found.end() :]}".strip(), f"{said[0].upper()}{said[1:]}."


def allowed(one: InputNumber) -> str:
    """Give the numbers that an option takes, in words."""
    if 0 < one.least == round(1 - one.most, 12) <= MOST_NEAR:
        return "a number strictly between 0 and 1"
    return f"0, or {one.phrase.replace('0, or ', '', 1)}" if one.zero else one.phrase


def _metavar(param: Any) -> str:
    if param.metavar:
        return str(param.metavar)
    kind = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    return {int: "N", float: "NUMBER", Path: "FILE"}.get(kind, str(param.name).upper())  # type: ignore[arg-type]


def _default(param: Any) -> str:
    value = param.default
    if value is True and param.secondary_opts:
        return f"`{param.opts[0]}`"
    return f"`{getattr(value, 'value', value)}`"


def exit_codes() -> str:
    """Every exit code, what it means, and when it comes."""
    from simtrial.cli.exit_codes import TABLE

    rows = [(f"`{code}`", f"{plain(meaning)}.", "; ".join(map(plain, cases))) for code, meaning, cases in TABLE]
    return listed(("Exit code", "Meaning", "When"), rows)


# what else the package states


def patient_columns() -> str:
    """Every column that a file of patients may hold."""
    from simtrial.patients.columns import COLUMNS

    rows = [(f"`{one.name}`", ", ".join(f"`{name}`" for name in one.others), plain(one.meaning)) for one in COLUMNS]
    return listed(("Column", "Other names that are read", "Contents"), rows)


def patient_codes() -> str:
    """The codes by which rows of analysis data sets are chosen."""
    from simtrial.patients.long import RESPONSE_CODES, TIME_CODES

    response, times = (", ".join(f"`{code}`" for code in codes) for codes in (RESPONSE_CODES, TIME_CODES))
    return (
        f"* Response: the first of {response} that is in the file, or the one given by `--param`.\n"
        f"* Times: {times}, with `CNSR` 0 for an event."
    )


def glossary_terms() -> str:
    """Every term with its meaning."""
    groups = {
        "Designs": glossary.DESIGN, "Conduct": glossary.CONDUCT, "Analysis": glossary.ANALYSIS,
        "Review": glossary.REVIEW, "Explorer and lessons": glossary.CONTROLS, "Toxicity": glossary.TOXICITY,
    }  # fmt: skip
    written, seen = [], set()
    for title, terms in groups.items():
        lines = []
        for term in sorted(terms.values(), key=lambda one: one.head.casefold()):
            if term.meaning and term.head.casefold() not in seen:
                seen.add(term.head.casefold())
                lines.append(f"{plain(term.head)}\n  {plain(term.meaning)}\n")
        written.append(f"## {title}\n\n````{{glossary}}\n" + "\n".join(lines) + "````\n")
    return "\n".join(written)


def input_bounds() -> str:
    """Every number that may be given, with its bounds, and the options and keys that hold it."""
    rows: dict[tuple[str, ...], dict[str, None]] = {}
    where = places()
    for name, one in TABLE.items():
        row = plain(one.said[0].upper() + one.said[1:]), _kind(one), plain(one.range)
        rows.setdefault(row, {}).update(dict.fromkeys(where.get(name, ())))
    told = [(*row, ", ".join(f"`{one}`" for one in held) or ELSEWHERE) for row, held in rows.items()]
    return listed(("Number", "Kind", "Allowed", "Options and keys"), told)


ELSEWHERE = "arguments of functions, columns of files or fields of the explorer"
"""What holds a number that is neither an option of a command nor a key of a file."""


def places() -> dict[str, list[str]]:
    """Options of commands, then keys of files, by the entry of the table that bounds them.

    An option that holds different numbers in different commands is named with its command.
    """
    from simtrial.cli import commands
    from simtrial.cli.command import readers
    from simtrial.sweep.section import SweepFile
    from simtrial.trial.params import ParameterFile

    found: dict[str, list[str]] = {}
    typed = []
    for one in commands.program().registered_commands:
        if one.callback:
            command = str(one.name or one.callback.__name__.replace("_", "-"))
            words = {param.name: param.opts[0] for param in program().commands[command].params}
            typed += [(reader.key, command, words[name]) for name, reader in readers(one.callback).items()]
    for name, command, word in typed:
        several = len({key for key, _, other in typed if other == word}) > 1
        found.setdefault(name, []).append(f"simtrial {command} {word}" if several else word)
    for model in (ParameterFile, SweepFile):
        for path, name in bounded(model, ""):
            found.setdefault(name, []).append(path.removeprefix("trial."))
    return {name: list(dict.fromkeys(held)) for name, held in found.items()}


def bounded(kind: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every key below a section that holds a bounded number, with the entry of the table that bounds it."""
    for name, field in getattr(kind, "model_fields", {}).items():
        place = f"{path}.{name}" if path else name
        for one in (*field.metadata, field.annotation):
            yield from _within(one, place)


def _within(hint: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(hint, Within):
        yield place, hint.key
    elif hasattr(hint, "model_fields"):
        yield from bounded(hint, place)
    else:
        many = "[]" if get_origin(hint) in (list, tuple) and not place.endswith("[]") else ""
        for one in (*getattr(hint, "__metadata__", ()), *get_args(hint)):
            yield from _within(one, place + (many if hasattr(one, "model_fields") else ""))


def _kind(one: InputNumber) -> str:
    return "whole number" if one.whole else "proportion" if one.share else "number"


def file_limits() -> str:
    """Sizes of files that are read."""
    from simtrial.patients import data, files
    from simtrial.trial import params

    rows = [
        ("Parameter file", f"{params.MAX_BYTES // 1024:,} KiB, {params.MAX_NODES:,} keys and values"),
        (
            "File of patients",
            f"{files.MAX_BYTES // 2**20} MiB, {files.MAX_ROWS:,} rows, {data.MAX_PATIENTS:,} patients",
        ),
    ]
    return listed(("File", "At most"), rows)


def api(*modules: str) -> str:
    """The documented names of modules, from their docstrings."""
    written = []
    for name in modules:
        more = "\n   :imported-members:" if name == "simtrial.search" else ""
        written.append(f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:{more}\n```\n")
    return "\n".join(written)


def public() -> str:
    """The names that stay: those of ``simtrial.__all__``."""
    import inspect

    import simtrial

    rows = []
    for name in sorted(simtrial.__all__, key=str.casefold):
        found = getattr(simtrial, name)
        place = f"{found.__module__}.{name}" if hasattr(found, "__module__") else found.__name__
        kind = "mod" if inspect.ismodule(found) else "class" if inspect.isclass(found) else "func"
        first = " ".join((inspect.getdoc(found) or "").split("\n\n")[0].split())
        rows.append((f"{{py:{kind}}}`{name} <{place}>`", plain(first)))
    return listed(("Name", "What it is"), rows)


def shipped(name: str) -> str:
    """Give a file that comes with simtrial, as it is."""
    text = project.found(Path(name)).read_text(encoding="utf-8")
    return f"```{Path(name).suffix.removeprefix('.')}\n{text.rstrip()}\n```"


PARTS: dict[str, Callable[..., str]] = {
    one.__name__: one
    for one in (
        parameter_file, sweep_file, sweep_outcomes, sweep_axes, commands, exit_codes, patient_columns, patient_codes,
        glossary_terms, input_bounds, file_limits, shipped, api,
        public,
    )
}  # fmt: skip
"""What a page may ask for by ``{generated}``."""


def fill(_app: Sphinx, page: str, source: list[str]) -> None:
    """Put the Markdown of its part in the place of each block ``{generated}``."""

    def part(found: re.Match[str]) -> str:
        name = found["name"].strip()
        if name not in PARTS:
            raise ExtensionError(f"{page}: nothing is generated by the name {name!r}; there are {', '.join(PARTS)}")
        return PARTS[name](*found["argument"].split())

    source[0] = WANTED.sub(part, source[0])


def outdated(_app: Sphinx, env: BuildEnvironment, *_sets: set[str]) -> list[str]:
    """Give the pages with generated parts, if the package has changed since they were read."""
    digest = f"{pages.code_digest()} {Path(__file__).read_text(encoding='utf-8')}"
    before, env.simtrial_code = getattr(env, "simtrial_code", ""), digest  # type: ignore[attr-defined]
    if before == digest:
        return []
    return sorted(
        name
        for name in env.all_docs
        if (path := Path(env.doc2path(name))).is_file() and "{generated}" in path.read_text("utf-8")
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the pages as they are read."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
