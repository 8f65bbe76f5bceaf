"""What the sections of a parameter file have in common: their base, and the kinds of value they hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import core_schema

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.search import CALENDAR, CRITERIA, FAMILIES
from simtrial.trial.choices import OneOf, listed
from simtrial.trial.statement import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


class DesignKeys(Collection[str]):
    """The criteria that may choose the design of a trial: those of families, by both names, and of the calendar."""

    def __iter__(self) -> Iterator[str]:
        short = (one.short for one in CRITERIA.values())
        yield from dict.fromkeys((*CRITERIA, *CALENDAR, *short))

    def __contains__(self, word: object) -> bool:
        return any(word == key for key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _told(words: Iterable[str]) -> str:
    """Criteria that everybody knows by name, and where those of other families are listed."""
    usual = [key for key in words if key not in CRITERIA or not FAMILIES[CRITERIA[key].family].on_request]
    return f"{listed(usual)}, or a criterion of another family (simtrial design --family all)"


CriterionKey = Annotated[str, OneOf(CRITERIA, lambda: _told(CRITERIA))]
DesignKey = Annotated[str, OneOf(DesignKeys(), lambda: _told((*CRITERIA, *CALENDAR)))]
FamilyKey = Annotated[str, OneOf(FAMILIES)]
Method = Annotated[str, OneOf(METHODS, lambda: _told(METHODS))]


def _paragraphs(text: str) -> str:
    if text.isprintable():  # holds no character of category C: said a hundred times faster
        return text
    bad = next((c for c in text if unicodedata.category(c).startswith("C") and c != "\n"), None)
    if bad is not None:
        raise InputError(f"holds the control character {bad!r}; write plain text")
    return text


def one_line(text: str) -> str:
    """Hold that a text is one line."""
    if "\n" in text:
        raise InputError("has more than one line; write it in one")
    return _paragraphs(text)


def trimmed(text: str) -> str:
    """Hold that a text neither begins nor ends with a space."""
    if text != text.strip():
        raise InputError(f"({text!r}) begins or ends with a space; leave it out")
    return text


def folder_name(name: str) -> str:
    """Hold that a name is not that of a folder of simtrial's own."""
    if name.lower() in ("validation", "teaching") or name.lower().endswith(".failed"):
        raise InputError(f"({name!r}) is reserved for simtrial's own results; choose another")
    return name


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            raise InputError(f"({value[:40]!r}) is not a date; write it as 2025-07-31") from None
    return value


class Within:
    """Metadata of a number that must lie within the bounds of an entry of `simtrial.inputs.TABLE`."""

    def __init__(self, key: str) -> None:
        self.key, self.number = key, TABLE[key]

    def _checked(self, value: float) -> float:
        return self.number.count(value, "") if self.number.whole else self.number.check(value, "")

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Check the number once its type is."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Write the bounds."""
        return handler(schema) | self.number.schema


Probability = Annotated[float, Within("rate")]
ErrorLimit = Annotated[float, Within("error")]
TrueShare = Annotated[float, Within("true_rate")]
Share = Annotated[float, Within("share")]
Day = Annotated[date, BeforeValidator(_day)]
Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(one_line)]
Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_paragraphs)]
PatientCount = Annotated[int, Within("patients")]
ResponseCount = Annotated[int, Within("responses")]
Percent = Annotated[float, Within("percent")]
Months = Annotated[float, Within("months")]
MonthsOr0 = Annotated[float, Within("months_or_0")]
Weeks = Annotated[float, Within("weeks")]
WeeksOr0 = Annotated[float, Within("weeks_or_0")]


class Section(BaseModel):
    """A mapping of known keys, strictly typed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Made(Section):
    """A section whose keys make one object; keys that make none are refused when it is read."""

    def make(self) -> object:
        """The object, by whose own rules the keys are checked."""
        raise NotImplementedError

    def check(self) -> None:
        """Hold the keys to the rules of what they make.

        Raises
        ------
        InputError
            If they contradict each other, or a number cannot be.
        """
        self.make()

    @model_validator(mode="after")
    def _made(self) -> Self:
        self.check()
        return self


@contextmanager
def under(place: str, renamed: dict[str, str] | None = None) -> Iterator[None]:
    """Give complaints of the objects the place of their key in the file."""
    try:
        yield
    except InputError as error:
        field = (renamed or {}).get(error.field, error.field)
        raise InputError(error.message, ".".join(filter(None, (place, field)))) from None
