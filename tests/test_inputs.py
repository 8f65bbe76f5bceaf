"""Every number that may be given has bounds in one table, and is held to them wherever it is given."""

import copy
import math
import re
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from simtrial.cli import command, commands, options
from simtrial.cli.app import main
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.sweep.section import SweepFile
from simtrial.trial import params, statements
from simtrial.trial.params import ParameterFile
from simtrial.trial.section import Section, Within

TEXTS = [
    "nan", "NaN", "inf", "-inf", "1e309", "-1e309", "1e5000", "1e-400", "-0", "-1", "0", "1", "", " ", "x", "0x10",
    "1_000", "\uff11", "\u0661", "1,5", "1,000", " 1 ", "1.5", "50%", "1/2", "9" * 41, "9" * 400, "9" * 5000,
    "-" + "9" * 5000, "0." + "3" * 5000, "1e", "--1", "1 2", "true", "\0", "1\n2", "\u2212\u0031",
]  # fmt: skip
"""Texts that somebody may give for a number."""

YAML = [math.nan, math.inf, -math.inf, True, False, "1", "x", "", [1], {"a": 1}, 10**400, -(10**400), 10**39, 5e-324]
"""Values that a file may hold for a number."""

BASE = {
    "design": ["--p0=.1", "--p1=.3", "--alpha=.05", "--power=.8"], "oc": ["--looks=1/10,5/29", "--p=.1"],
    "simulate": ["params/smoke.yaml"], "check": ["--p0=.1"], "reproduce": ["--n=25"],
    "printed": ["--responses=5", "--n=25", "--low=.1", "--high=.3"],
    "analyze": ["--looks=1/10,5/29", "--p0=.1", "--responses=6"],
    "monitor": ["--looks=1/10,5/29", "--patients=10", "--responses=3", "--p=.1"],
    "synthetic": ["params/smoke.yaml"], "sweep": ["params/sweep_NCT07022301.yaml"], "report": ["params/smoke.yaml"],
    "explore": [], "lessons": [], "bounds": ["--rule=fleming", "--looks-at=15,25", "--p0=.2", "--alpha=.05"],
    "toxicity": ["--rate=.2", "--unacceptable=.4", "--crossing=.05", "--looks-at=10,20", "--type=pocock"],
    "init": ["never-made.yaml"],
}  # fmt: skip
"""What each command with a number is given besides."""

WORDS = {
    "handling", "p0_among", "bounds", "search_", "looks", "criterion", "nct", "param", "time_unit", "ordering", "label",
    "toxicity_boundary",
    "scheduler", "parts", "family", "looks_at", "stops", "futility", "rule", "base", "cp", "phi",
    "kind", "boundary", "accrual", "table", "id_", "title", "example",
}  # fmt: skip
"""Options of words; the numbers of looks are those of a design, which checks them."""

QUICK = ("oc", "printed", "analyze", "monitor")
"""Commands that answer in milliseconds, whatever the number."""


def around(entry):
    """The bounds and their neighbours."""
    if entry.whole:
        return [int(v) for v in (entry.least - 1, entry.least, entry.least + 1, entry.most - 1, entry.most)] + [
            int(entry.most) + 1
        ]
    ends = (entry.least, entry.most)
    return [math.nextafter(v, way) for v in ends for way in (-math.inf, math.inf)] + list(ends)


def allowed(entry, text):
    """Whether a text is a number within the bounds: written again, from the definition of an entry alone."""
    plain = r"[-+]?[0-9]{1,40}" if entry.whole else r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
    if not re.fullmatch(plain, text.strip(" ")):
        return False
    value = int(text) if entry.whole else float(text)
    if entry.zero and value == 0:
        return True
    low = value > entry.least if entry.open_least else value >= entry.least
    return low and (value < entry.most if entry.open_most else value <= entry.most)


def functions():
    """Every command with its function."""
    return {
        one.name or one.callback.__name__.replace("_", "-"): one.callback
        for one in commands.program().registered_commands
    }


OPTIONS = [
    (name, option, reader) for name, run in functions().items() for option, reader in command.readers(run).items()
]


def leaves(kind, metadata=()):
    """The types at the end of an annotation, each with its metadata."""
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        yield from leaves(inner, (*metadata, *more))
    elif get_origin(kind) in (Union, UnionType, tuple, list):
        for part in get_args(kind):
            yield from leaves(part, metadata if get_origin(kind) in (Union, UnionType) else ())
    else:
        yield kind, metadata


def keys(kind, place=()):
    """Every numeric key below a section: its place, its type and its entry, None where it has none."""
    for name, field in kind.model_fields.items():
        for leaf, metadata in leaves(field.annotation, tuple(field.metadata)):
            here = (*place, name)
            if isinstance(leaf, type) and issubclass(leaf, BaseModel):
                yield from keys(leaf, here)
            elif leaf in (int, float):
                yield here, leaf, next((one.key for one in metadata if isinstance(one, Within)), None)


KEYS = [*keys(ParameterFile), *keys(SweepFile)]


def test_every_number_of_a_command_has_bounds_in_the_table():
    for name, run in functions().items():
        bounded = command.readers(run)
        for option, hint in get_type_hints(run).items():
            kinds = {leaf for leaf, _ in leaves(hint)}
            if option == "return" or option in bounded:
                continue
            assert not kinds & {int, float}, f"{name} --{option} has no entry in simtrial.inputs.TABLE"
            assert str not in kinds or option in WORDS, f"{name} --{option} is neither a number nor known as a word"


def test_every_number_of_a_file_has_bounds_in_the_table():
    assert not [".".join(place) for place, _, key in KEYS if key is None]


def test_a_key_without_bounds_is_noticed():
    class Careless(Section):
        one: float
        more: Annotated[tuple[float, ...], "x"] | None = None
        good: Annotated[int, Within("stage")] | None = None
        word: Literal[1, 2] | str = 1

    assert [(".".join(place), key) for place, _, key in keys(Careless)] == [
        ("one", None), ("more", None), ("good", "stage"),
    ]  # fmt: skip


def test_every_entry_of_the_table_is_that_of_an_option_a_key_or_a_column():
    used = {reader.key for _, _, reader in OPTIONS} | {key for _, _, key in KEYS} | set(statements.NUMBERS.values())
    assert set(TABLE) == used


def test_the_bounds_of_an_entry_are_in_order_and_numbers():
    for entry in TABLE.values():
        assert -math.inf < entry.least
        assert entry.least < entry.most < math.inf
        if entry.whole:
            assert (entry.least, entry.most) == (int(entry.least), int(entry.most))
        assert entry.said


@pytest.mark.parametrize("key", TABLE)
def test_a_text_is_taken_just_where_it_is_a_number_within_the_bounds(key):
    entry = TABLE[key]
    for text in [*TEXTS, *(repr(v) for v in around(entry))]:
        if allowed(entry, text):
            entry.read(text, "key")
            continue
        with pytest.raises(InputError) as caught:
            entry.read(text, "key")
        assert str(caught.value).startswith("key (")
        assert len(str(caught.value)) < 250


@pytest.mark.parametrize("key", TABLE)
def test_a_value_of_a_file_is_taken_just_where_it_is_a_number_within_the_bounds(key):
    entry = TABLE[key]
    adapter = TypeAdapter(Annotated[int if entry.whole else float, Within(key)], config=Section.model_config)
    for value in [*YAML, *around(entry), -1, 0, 1, -0.0, 1.5]:
        number = isinstance(value, int if entry.whole else int | float) and not isinstance(value, bool)
        right = number and abs(value) < 1e308 and allowed(entry, repr(value) if abs(value) < 10**40 else "x")
        try:
            taken = adapter.validate_python(value) is not None
        except ValidationError:
            taken = False
        assert taken == right, value


@pytest.mark.parametrize("key", TABLE)
def test_the_schema_states_the_bounds(key):
    entry = TABLE[key]
    schema = TypeAdapter(Annotated[int if entry.whole else float, Within(key)]).json_schema()
    assert {"minimum", "exclusiveMinimum"} & set(schema)
    assert entry.most in (schema.get("maximum"), schema.get("exclusiveMaximum"))


def outside(reader):
    """A number just above the bounds, as typed for an option."""
    entry = reader.number
    text = repr(int(entry.most) + 1 if entry.whole else float(entry.most) * 2 + 1)
    return f"{text},{text}" if reader.form == "list" else text


def told(capsys, *arguments):
    code = main(list(arguments))
    shown = capsys.readouterr()
    # on a slow machine a command also says what it is doing
    return code, shown.out, [line for line in shown.err.splitlines() if not line.endswith(" ...")]


@pytest.mark.parametrize(("name", "option", "reader"), OPTIONS, ids=[f"{one[0]} {one[1]}" for one in OPTIONS])
def test_an_option_out_of_its_bounds_is_refused_in_a_line_that_names_it(
    capsys, root, monkeypatch, name, option, reader
):
    monkeypatch.chdir(root)
    flag = f"--{option.rstrip('_').replace('_', '-')}"
    others = [one for one in BASE[name] if not one.startswith(f"{flag}=")]
    code, out, lines = told(capsys, name, *others, f"{flag}={outside(reader)}")
    assert (code, out) == (2, "")
    assert all(option in line or flag in line for line in lines)
    code, out, (line,) = told(capsys, name, *others, f"{flag}=x")
    assert (code, out) == (2, "")
    assert flag in line
    assert "'x' is not a" in line


@pytest.mark.parametrize(
    ("name", "option", "reader"),
    [one for one in OPTIONS if one[0] in QUICK],
    ids=[f"{one[0]} {one[1]}" for one in OPTIONS if one[0] in QUICK],
)
def test_at_its_bounds_an_option_works_or_contradicts_another(capsys, name, option, reader):
    entry, flag = reader.number, f"--{option.rstrip('_').replace('_', '-')}"
    others = [one for one in BASE[name] if not one.startswith(f"{flag}=")]
    for bound in (entry.least, entry.most):
        text = repr(int(bound) if entry.whole else bound)
        code, out, lines = told(
            capsys, name, *others, f"{flag}={text},{text}" if reader.form == "list" else f"{flag}={text}"
        )
        assert code in (0, 2), lines
        assert (code == 2) == bool(lines)
        assert "nan" not in out
        assert not lines or entry.range not in lines[0]


def smoke(root):
    return yaml.safe_load((root / "params/smoke.yaml").read_text(encoding="utf-8"))["trial"]


def put(trial, place, value):
    """A trial with one key set; the sections on the way are made, and lists hold one entry."""
    found = copy.deepcopy(trial)
    here, kind = found, ParameterFile.model_fields["trial"].annotation
    for name in place[:-1]:
        field = kind.model_fields[name]
        kind = next(
            leaf for leaf, _ in leaves(field.annotation) if isinstance(leaf, type) and issubclass(leaf, BaseModel)
        )
        if any(get_origin(part) is tuple for part in parts(field.annotation)):
            here[name] = [{}]
            here = here[name][0]
        else:
            here = here.setdefault(name, {})
    listed = any(get_origin(part) is tuple for part in parts(kind.model_fields[place[-1]].annotation))
    here[place[-1]] = [value, value] if listed else value
    return found


def refused(trial):
    """Why a trial is refused; nothing if it is not."""
    try:
        params.load(trial)
    except InputError as error:
        return error.lines
    return ()


def parts(kind):
    yield kind
    for part in get_args(kind):
        yield from parts(part)


IN_TRIAL = [(place[1:], key) for place, _, key in KEYS if place[0] == "trial"]


@pytest.mark.parametrize(("place", "key"), IN_TRIAL, ids=[".".join(place) for place, _ in IN_TRIAL])
def test_a_key_out_of_its_bounds_is_refused_by_its_full_name(root, place, key):
    entry, trial = TABLE[key], smoke(root)
    above = int(entry.most) + 1 if entry.whole else entry.most * 2 + 1
    below = -1 if entry.least >= 0 else entry.least * 2
    name = re.escape(".".join(place)).replace(r"\.", r"(?:\.0)?\.")
    for value in (above, below, math.nan, True, "x"):
        with pytest.raises(InputError) as caught:
            params.load(put(trial, place, value))
        lines = [line for line in caught.value.lines if re.match(rf"trial\.{name}(?:\.[01])? \(", line)]
        assert lines, (value, caught.value.lines)


@pytest.mark.parametrize(("place", "key"), IN_TRIAL, ids=[".".join(place) for place, _ in IN_TRIAL])
def test_a_key_at_its_bounds_is_taken_or_contradicts_another(root, place, key):
    entry, trial = TABLE[key], smoke(root)
    for bound in (entry.least, entry.most):
        if (bound == entry.least and entry.open_least) or (bound == entry.most and entry.open_most):
            continue
        lines = refused(put(trial, place, int(bound) if entry.whole else bound))
        assert not any(entry.range in line for line in lines)


def test_a_reader_takes_its_default_as_it_stands():
    assert options.Reader("seed")(1) == 1
    assert options.Reader("level")(0.95) == 0.95
    assert options.Reader("beta", "list")("0.5,0.5") == "0.5,0.5"


def test_all_numbers_out_of_their_bounds_are_told_at_once(capsys):
    code, _, lines = told(capsys, "analyze", "--looks=5/25", "--p0=2", "--responses=-1", "--level=95", "--p1=nan")
    assert code == 2
    assert [line.split()[1] for line in lines] == ["--p0", "--responses", "--p1", "--level"]
