"""Parameter files: one YAML mapping under the key ``trial``, read strictly.

The file is untrusted. It is read with YAML 1.2's plain rules (``5e-2`` is a number, ``no`` is a word), repeated keys,
aliases, tags and numbers such as ``010`` are refused, and nothing but the known keys and types of
`simtrial.trial.section` gets through.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from simtrial import files, project, slips
from simtrial.errors import InputError
from simtrial.trial import complaints
from simtrial.trial.section import Section
from simtrial.trial.trial import Trial

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 262_144
"""Largest parameter file that is read."""

MAX_NODES = 10_000
"""Most keys and values of one file; a file with everything has some 500."""

MAX_DEPTH = 40
"""Deepest nesting of one file."""

TRIAL = "the one key trial: with the trial under it"
"""What a parameter file holds."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parameter file as it was read."""

    path: Path
    sha256: str


class ParameterFile(Section):
    """The whole file: the one key ``trial``."""

    trial: Trial


class _StrictLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML ships no types
    """YAML 1.2's core rules for plain words, and nothing that means two things at once."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nodes = 0
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _refusal(f"holds more than {MAX_NODES:,} keys and values; no more are read", event)
        if self.depth > MAX_DEPTH:
            raise _refusal("is nested too deeply", event)
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases are not allowed; write the value out", event)
        if event.tag is not None:
            raise _refusal(f"the tag {event.tag[:40]!r} is not allowed; write the value plainly", event)
        half = re.search("[\ud800-\udfff]", getattr(event, "value", ""))
        if half:
            raise _refusal(f"{half[0]!r} is half of a character; write the character itself", event)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen = set()
        _refuse_decimal_comma(node)
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in seen:
                raise _refusal(f"the key {name[:40]!r} is given twice", key)
            seen.add(name)
            if value.tag == "!number" and re.fullmatch(r"[-+]?0[0-9].*", value.value):
                raise _refusal(
                    f"{name[:40]} ({value.value[:40]}) starts with a zero, which some programs read as octal; "
                    "leave it out",
                    value,
                )
        mapping: dict[object, object] = super().construct_mapping(node, deep)
        return mapping


def _refusal(problem: str, node: yaml.Node | yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _refuse_decimal_comma(node: yaml.MappingNode) -> None:
    """Refuse ``{alpha: 0,05}``, which YAML reads as alpha 0 and a key 05 without a value."""
    for (key, value), (rest, nothing) in pairwise(node.value):
        scalars = all(isinstance(one, yaml.ScalarNode) for one in (key, value, rest, nothing))
        if scalars and not nothing.value and re.fullmatch("[-+]?[0-9]+,[0-9]+", cut := f"{value.value},{rest.value}"):
            raise _refusal(f"{key.value:.40} ({cut:.40}) {slips.number(cut)}", value)


def _number(loader: _StrictLoader, node: yaml.ScalarNode) -> int | float:
    text = str(loader.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan")
    if len(text) > 40:
        raise _refusal("a number has more than 40 characters", node)
    return int(text) if re.fullmatch(r"[-+]?[0-9]+", text) else float(text)


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_StrictLoader.add_implicit_resolver(
    "!number",
    re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)
_StrictLoader.add_constructor("!number", _number)


def _parse(text: str, name: str) -> object:
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader with fewer powers still
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, name) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        said = f"is not YAML: it holds the control character {chr(error.character)!r}; leave it out"
        raise InputError(said, f"{name} line {line}:") from None
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML: {str(error).splitlines()[0]}", f"{name}:") from None
    except RecursionError:
        raise InputError("is nested too deeply", f"{name}:") from None
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        said = f"cannot be read: {' '.join(str(error).split())[:200]}"
        if isinstance(error, OverflowError) or "chr()" in str(error):
            said = "holds an escape (\\U or \\u) that stands for no character; write the character itself"
        raise InputError(said, f"{name}:") from None


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> InputError:
    """What is wrong with the YAML, and the remedy where the cause is known."""
    lines = text.splitlines()
    tabbed = [str(k) for k, line in enumerate(lines, start=1) if "\t" in line[: len(line) - len(line.lstrip())]]
    mark = error.problem_mark
    at = mark.line if mark else 0
    if tabbed and not isinstance(error, yaml.constructor.ConstructorError):
        others = f" (and {'lines' if tabbed[2:] else 'line'} {', '.join(tabbed[1:11])})" if tabbed[1:] else ""
        more = ", ..." if tabbed[11:] else ""
        said = f"is indented with a tab{others.rstrip(')')}{more}{')' if others else ''}; indent with spaces"
        return InputError(said, f"{name} line {tabbed[0]}:")
    problem = str(error.problem)
    if "cannot start any token" in problem:
        character = text[mark.index] if mark and mark.index < len(text) else ""
        problem = f"a value begins with {character!r}; write it in quotes"
        if character == "\t":
            problem = "a tab is used where YAML allows spaces only; replace it by spaces"
    elif "mapping values are not allowed" in problem:
        problem += "; write text that holds a colon in quotes, and begin the keys of a section in one column"
    elif "could not find expected ':'" in problem:
        problem += "; write a colon and a space after a key"
    elif "expected <block end>" in problem or "did not find expected" in problem:
        problem += "; begin the keys of a section in one column"
    return InputError(problem, f"{name} line {at + 1}:" if mark else f"{name}:")


def load(source: str | Path | Mapping[str, object]) -> Trial:
    """Read and check a trial.

    Parameters
    ----------
    source : str, Path or mapping
        A parameter file (a relative path counts from here, or else from the root of the clone), or what stands under
        its key ``trial`` (papermill's ``-f`` hands that over).

    Returns
    -------
    Trial
        Frozen.

    Raises
    ------
    InputError
        In one line: the file, the key, the value and what would be right.
    """
    if isinstance(source, Mapping):
        try:
            return Trial.model_validate(dict(source))
        except ValidationError as error:
            raise complaints.of(error, Trial).placed("trial.") from None
    return read(source)[0]


def read(source: str | Path) -> tuple[Trial, Source]:
    """Read a parameter file once, and say what was read: see `load`."""
    content, found = read_as(source, ParameterFile, TRIAL)
    return _placed(content.trial, found.path.parent), found


def read_as(source: str | Path, kind: type[M], content: str) -> tuple[M, Source]:
    """Read a file of some kind, which is said to hold `content`, and say what was read.

    Raises
    ------
    InputError
        In one line: the file, the key, the value and what would be right.
    """
    path = project.found(Path(source))  # JupyterLab starts a notebook in the notebook's own folder
    held = files.read(path, MAX_BYTES)
    return _checked(held, kind, content), Source(path, held.sha256)


def opened(data: bytes, name: str) -> Trial:
    """Read a parameter file that came as bytes under a name, as from a browser: see `load`.

    Raises
    ------
    InputError
        As `load` says of a file of that name.
    """
    return _checked(files.within(files.Content(name, data), MAX_BYTES), ParameterFile, TRIAL).trial


def _checked(held: files.Content, kind: type[M], content: str) -> M:
    name = held.name
    if held.kind:
        raise InputError(f"is {held.kind}, not a file of YAML", f"{name}:")
    try:
        text = held.data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text; save it as UTF-8", f"{name}:") from None
    found = _parse(text, name)
    if not isinstance(found, dict):
        raise InputError(f"does not hold {content}", f"{name}:")
    _rooted(found, name, kind)
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise complaints.of(error, kind).placed(f"{name}: ") from None


def _rooted(found: dict[object, object], name: str, kind: type[BaseModel]) -> None:
    """Refuse a file without its one key by what it holds instead."""
    ((root, field),) = kind.model_fields.items()
    if root in found:
        return
    if "sweep" in found:
        raise InputError("is a sweep file, not a parameter file; run it with: simtrial sweep FILE", f"{name}:")
    if "trial" in found:
        raise InputError(
            "is the parameter file of a trial, not a sweep file; a sweep file has the key sweep: and names this "
            "file as base",
            f"{name}:",
        )
    section = field.annotation
    bare = [str(key) for key in found if section is not None and key in section.model_fields]
    if bare:
        keys = ", ".join(bare)
        raise InputError(
            f"lacks the key {root}: above {keys}; write {root}: in the first line and indent the rest under it",
            f"{name}:",
        )


def written(trial: Trial, *remarks: str) -> str:
    """Write a parameter file that `load` reads back as the same trial, remarks as comments at its head."""
    lines = [f"# {line}" for remark in remarks for line in textwrap.wrap(remark, 116)]
    section = trial.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return "\n".join([*lines, "trial:", *_block(section, "  ")]) + "\n"


def _block(section: Mapping[str, object], indent: str) -> Iterator[str]:
    """The lines of a section. A JSON scalar is a YAML one, whatever is in it, and so is a flow of JSON."""
    for key, value in section.items():
        entries = value if isinstance(value, list) and value and isinstance(value[0], dict) else None
        if isinstance(value, dict):
            yield f"{indent}{key}:" if value else f"{indent}{key}: {{}}"
            yield from _block(value, indent + "  ")
        elif entries is not None:
            yield f"{indent}{key}:"
            for entry in entries:
                first, *rest = _block(entry, f"{indent}    ")
                yield f"{indent}  - {first.lstrip()}"
                yield from rest
        else:
            yield f"{indent}{key}: {scalar(value)}"


def scalar(value: object) -> str:
    """Write a value in one line of a parameter file, whatever is in it: JSON is YAML but for some characters."""
    return "".join(_escaped(c) for c in json.dumps(value, ensure_ascii=False))


def _escaped(character: str) -> str:
    """A character of JSON as YAML has it: what breaks a line there, or must not be there, as an escape."""
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def _placed(trial: Trial, folder: Path) -> Trial:
    """The trial with its file of patients where it stands, seen from the root of the clone if it is in there."""
    results = trial.analysis
    if results is None or results.patients is None:
        return trial
    placed = tuple(_seen_from_root(folder / name) for name in results.patient_files)
    found = results.model_copy(update={"patients": placed[0] if len(placed) == 1 else placed})
    return trial.model_copy(update={"analysis": found})


def _seen_from_root(path: Path) -> str:
    place = Path(os.path.realpath(path))  # which a loop of links does not end
    inside = place.relative_to(project.ROOT) if place.is_relative_to(project.ROOT) else place
    return inside.as_posix()


def json_schema(kind: type[BaseModel] = ParameterFile) -> dict[str, object]:
    """JSON Schema of a kind of file, for editors that check and complete while one types."""
    schema = kind.model_json_schema()
    title = "simtrial parameter file" if kind is ParameterFile else "simtrial sweep file"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema | {"title": title}
