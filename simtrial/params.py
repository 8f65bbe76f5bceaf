"""Parameter files: one YAML mapping under the key ``trial``, read strictly.

The file is untrusted. It is read with YAML 1.2's plain rules (``5e-2`` is a number, ``no`` is a word), repeated keys,
aliases, tags and numbers such as ``010`` are refused, and nothing but the known keys and types gets through. Rules
about the numbers themselves live with the objects they describe (`Requirements`, the designs); here each complaint
is given the name of its key.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.json_schema import WithJsonSchema

from simtrial import project
from simtrial.designs import MultiStage, SingleStage, TwoStage, parse_looks
from simtrial.errors import InputError
from simtrial.requirements import N_LIMIT, N_LIMIT_MOST, Requirements

MAX_BYTES = 262_144
"""Largest parameter file that is read."""

Criterion = Literal["minimax", "optimal", "single_stage_first", "single_stage_sustained"]


def _paragraphs(text: str) -> str:
    bad = next((c for c in text if unicodedata.category(c).startswith("C") and c != "\n"), None)
    if bad is not None:
        raise InputError(f"holds the control character {bad!r}; write plain text")
    return text


def _line(text: str) -> str:
    if "\n" in text:
        raise InputError("must be a single line")
    return _paragraphs(text)


def _folder(name: str) -> str:
    if name.lower() == "validation" or name.lower().endswith(".failed"):
        raise InputError(f"({name!r}) is kept for simtrial's own results; choose another")
    return name


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            raise InputError(f"({value[:40]!r}) must be a date such as 2025-07-31") from None
    return value


_UNIT: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
Rate = Annotated[float, WithJsonSchema(_UNIT)]
Day = Annotated[date, BeforeValidator(_day)]
Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_line)]
Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_paragraphs)]
Patients = Annotated[int, Field(ge=1, le=100_000)]
Percent = Annotated[float, Field(ge=0, le=100)]
Months = Annotated[float, Field(gt=0, le=1200)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Study(_Section):
    """What the registry or the protocol says of the study."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_folder)] = Field(
        description="Registry number or short name; names the output folder."
    )
    title: Line = Field(description="Full title.")
    registered_enrollment: Patients | None = Field(None, description="Patients registered; compared with the design.")
    start: Day | None = Field(None, description="First patient, as registered (YYYY-MM-DD).")
    completion: Day | None = Field(None, description="Study completion, as registered (YYYY-MM-DD).")
    source: Line | None = Field(None, description="Where these facts were read.")

    @model_validator(mode="after")
    def _order(self) -> Study:
        if self.start and self.completion and self.completion <= self.start:
            raise InputError(f"({self.completion}) must be after start ({self.start})", "completion")
        return self


class Hypotheses(_Section):
    """The response rates to tell apart and the error limits, one-sided."""

    p0: Rate = Field(description="Response rate not worth pursuing. H0: p <= p0.")
    p1: Rate = Field(description="Response rate worth finding; above p0.")
    alpha: Rate = Field(description="Largest type I error allowed, one-sided.")
    power: Rate = Field(description="Smallest power allowed at p1.")
    basis: Literal["assumed", "protocol"] = Field(
        description="'protocol' if a protocol or registry states these numbers, 'assumed' if you chose them."
    )
    rationale: Text | None = Field(None, description="Why these numbers; printed at the head of the report.")

    @model_validator(mode="after")
    def _rules(self) -> Hypotheses:
        Requirements(self.p0, self.p1, self.alpha, self.power)
        return self


class DesignWish(_Section):
    """Which design to take: by a criterion, or given outright."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["criterion"]}, {"required": ["looks"]}]})

    criterion: Criterion | None = Field(None, description="Take the design that is best by this criterion.")
    looks: Line | None = Field(None, description="Take this design instead: R/N or R:E/N, cumulative, as in 1/10,5/29.")
    n_limit: Annotated[int, Field(ge=1, le=N_LIMIT_MOST)] = Field(
        N_LIMIT, description="Refuse the request if even the most powerful test needs more patients."
    )

    @model_validator(mode="after")
    def _one(self) -> DesignWish:
        if (self.criterion is None) == (self.looks is None):
            raise InputError("must hold either criterion or looks, and not both")
        if self.looks is not None:
            try:
                parse_looks(self.looks)
            except InputError as error:
                raise InputError(error.message if error.field == "looks" else str(error), "looks") from None
        return self


class Evidence(_Section):
    """One earlier result that bears on p0 or p1."""

    treatment: Line
    setting: Line
    n: Patients = Field(description="Patients in the denominator of the response rate.")
    responders: Annotated[int, Field(ge=0)] | None = Field(None, description="Count, where it was published.")
    orr_percent: Percent | None = Field(None, description="Objective response rate.")
    dcr_percent: Percent | None = Field(None, description="Disease control rate.")
    median_pfs_months: Months | None = None
    median_os_months: Months | None = None
    source: Line = Field(description="Citation.")

    @model_validator(mode="after")
    def _count(self) -> Evidence:
        if self.responders is not None and self.responders > self.n:
            raise InputError(f"({self.responders}) must be <= n ({self.n})", "responders")
        if self.responders is not None and self.orr_percent is not None:
            rate = 100 * self.responders / self.n
            if abs(self.orr_percent - rate) > 0.5:  # published rates may be rounded to whole percents
                said = f"({self.orr_percent:g}) must be {rate:.1f}, as {self.responders} of {self.n} is"
                raise InputError(said, "orr_percent")
        return self


class Trial(_Section):
    """One trial, as a parameter file describes it."""

    study: Study
    hypotheses: Hypotheses
    design: DesignWish
    evidence: Annotated[tuple[Evidence, ...], Field(strict=False, max_length=200)] = ()

    @property
    def requirements(self) -> Requirements:
        """The question put to the search."""
        asked = self.hypotheses
        return Requirements(asked.p0, asked.p1, asked.alpha, asked.power)

    @property
    def wish(self) -> str | SingleStage | TwoStage | MultiStage:
        """The criterion by name, or the design given outright."""
        return self.design.criterion or parse_looks(self.design.looks or "")

    def plain(self) -> dict[str, Any]:
        """The trial as plain JSON values, which is what may be handed to papermill."""
        return self.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True, slots=True)
class Source:
    """A parameter file as it was read."""

    path: Path
    sha256: str


class ParameterFile(_Section):
    """The whole file: the one key ``trial``."""

    trial: Trial


class _StrictLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML ships no types
    """YAML 1.2's core rules for plain words, and nothing that means two things at once."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases are not read; write it out", event)
        if event.tag is not None:
            raise _refusal(f"the tag {event.tag[:40]!r} is not read; write the value plainly", event)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in seen:
                raise _refusal(f"the key {name[:40]!r} is given twice", key)
            seen.add(name)
            if value.tag == "!number" and re.fullmatch(r"[-+]?0[0-9].*", value.value):
                raise _refusal(f"{name[:40]} ({value.value[:40]}) starts with a zero, which some read as octal", value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _refusal(problem: str, node: yaml.Node | yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


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
        mark = error.problem_mark
        where = f" line {mark.line + 1}" if mark else ""
        raise InputError(f"{error.problem}", f"{name}{where}:") from None
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML: {str(error).splitlines()[0]}", f"{name}:") from None
    except RecursionError:
        raise InputError("is nested too deeply", f"{name}:") from None
    except (ValueError, TypeError, LookupError) as error:  # a value no reader of plain words knows what to do with
        raise InputError(f"cannot be read: {' '.join(str(error).split())[:200]}", f"{name}:") from None


_WORDS = {
    "missing": "is missing",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text (in quotes if it looks like a number)",
    "bool_type": "must be true or false",
    "date_type": "must be a date such as 2025-07-31",
    "finite_number": "must be a finite number",
    "string_pattern_mismatch": "must be letters, digits, '.', '_' or '-', at most 64, starting with a letter or digit",
    "model_type": "must be a section with keys",
    "model_attributes_type": "must be a section with keys",
    "tuple_type": "must be a list",
}


def _complaint(error: ValidationError) -> InputError:
    """Say the first complaint of pydantic in one line, with the full name of its key."""
    # a misspelt key is both unknown and missing: say the former first
    first, *others = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"]).encode("unicode_escape").decode("ascii")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        where = ".".join(filter(None, (where, cause.field)))
        message = cause.message
    elif first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"][:-1])
        message = f"is not a known key; known here: {', '.join(known)}"
        where = where[:120]
    elif first["type"] == "missing":
        message = "is missing"
    else:
        said = _WORDS.get(first["type"]) or first["msg"].replace("Input should", "must").replace(
            "String should", "must"
        )
        shown = "" if isinstance(first["input"], dict | list | tuple) else f"({first['input']!r:.60}) "
        message = shown + said
    more = f" (and {len(others)} more)" if others else ""
    return InputError(" ".join(message.split()) + more, where)


def _known_keys(place: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = ParameterFile
    sections: dict[str, type[BaseModel]] = {
        "trial": Trial,
        "study": Study,
        "hypotheses": Hypotheses,
        "design": DesignWish,
        "evidence": Evidence,
    }
    for part in place:
        section = sections.get(str(part), section)
    return list(section.model_fields)


def load(source: str | Path | Mapping[str, Any]) -> Trial:
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
            complaint = _complaint(error)
            raise InputError(complaint.message, f"trial.{complaint.field}" if complaint.field else "trial") from None
    return read(source)[0]


def read(source: str | Path) -> tuple[Trial, Source]:
    """Read a parameter file once, and say what was read: see `load`."""
    path = Path(source)
    if not path.is_absolute() and not path.exists() and (project.ROOT / path).is_file():
        path = project.ROOT / path  # JupyterLab starts a notebook in the notebook's own folder
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", f"{path}:") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"is larger than {MAX_BYTES} bytes", f"{path}:")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", f"{path}:") from None
    content = _parse(text, str(path))
    if not isinstance(content, dict):
        raise InputError("must hold the one key trial: with the trial under it", f"{path}:")
    try:
        trial = ParameterFile.model_validate(content).trial
    except ValidationError as error:
        raise InputError(str(_complaint(error)), f"{path}:") from None
    return trial, Source(path, hashlib.sha256(data).hexdigest())


def json_schema() -> dict[str, Any]:
    """JSON Schema of a parameter file, for editors that check and complete while one types."""
    schema = ParameterFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema | {"title": "simtrial parameter file"}
