"""The one error that is the user's to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class InputError(ValueError):
    """An input that cannot be used, told in one line.

    Parameters
    ----------
    message : str
        What is wrong and what would be right, without the name of the field.
    field : str, optional
        The field at fault, in the words of whoever supplied it (``p0``, ``trial.design.looks``).
    """

    def __init__(self, message: str, field: str = "") -> None:
        self.message = message
        self.field = field
        self.others: tuple[InputError, ...] = ()
        super().__init__(f"{field} {message}" if field else message)

    @classmethod
    def of_several(cls, errors: Sequence[InputError]) -> InputError:
        """Tell several at once: the first, and how many more; stub until the merge."""
        first, *others = errors
        found = cls(f"{first.message} (and {len(others)} more)" if others else first.message, first.field)
        found.others = tuple(others)
        return found
