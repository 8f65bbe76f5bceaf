"""A key of a parameter file whose words stand in a register: checked, told and written into the schema from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


def listed(words: Iterable[str]) -> str:
    """Words as pydantic lists those of a ``Literal``: "'a', 'b' or 'c'"."""
    *others, last = (repr(word) for word in words)
    return f"{', '.join(others)} or {last}" if others else last


class OneOf:
    """Metadata of a text that must be one of some words, which are asked for each time.

    Parameters
    ----------
    words : iterable of str
        What is allowed, in the order in which it is told: a sequence, or the keys of a register.
    told : callable, optional
        Gives what is told of many words; all of them are told, if left out.
    """

    def __init__(self, words: Iterable[str], told: Callable[[], str] | None = None) -> None:
        self.words = words
        self.told = told or (lambda: listed(words))

    def _checked(self, value: object) -> str:
        words = tuple(self.words)
        if isinstance(value, str) and value in words:
            return value
        # the type of pydantic's own complaint about a Literal, so that both are told alike
        raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": self.told()})

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Check the word, whatever the type of what was written."""
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Write the words that are allowed now."""
        return {"enum": list(self.words), "type": "string"}
