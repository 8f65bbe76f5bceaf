"""The one error that is the user's to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LISTED = 20
"""Mistakes of one input that are listed; of the others only the number is given."""


class InputError(ValueError):
    """An input that cannot be used, in one line; an input with several mistakes has one line per mistake.

    Parameters
    ----------
    message : str
        The value, the fault that was found and the remedy, without the name of the field.
    field : str, optional
        The field at fault, in the words of whoever supplied it (``p0``, ``trial.design.looks``).
    others : sequence of InputError, optional
        Further mistakes of the same input; see `several`.

    Attributes
    ----------
    message, field : str
        Of the first mistake.
    others : tuple of InputError
        The further mistakes.
    """

    def __init__(self, message: str, field: str = "", others: Sequence[InputError] = ()) -> None:
        self.message = message
        self.field = field
        self.others = tuple(others)
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line per mistake, the first with the number of the others."""
        own = f"{self.field} {self.message}" if self.field else self.message
        if not self.others:
            return (own,)
        listed = [line for other in self.others[: MOST_LISTED - 1] for line in other.lines]
        hidden = len(self.others) - len(listed)
        more = [f"and {counted(hidden, 'more mistake')}"] if hidden else []
        return (f"{own} (and {counted(len(self.others), 'more mistake')})", *listed, *more)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: its lines, since its traceback names nothing that the user could mend."""
        return [f"InputError: {line}" for line in self.lines]

    def placed(self, place: str) -> InputError:
        """The same mistakes, the field of each led by a place, such as ``x.yaml: trial.``."""

        def led(error: InputError) -> InputError:
            return InputError(error.message, f"{place}{error.field}".rstrip(" ."))

        return InputError(self.message, led(self).field, [led(other) for other in self.others])


def several(errors: Sequence[InputError]) -> InputError:
    """Join the mistakes of one input, in their order, into the one error to raise.

    Parameters
    ----------
    errors : sequence of InputError
        At least one; those that hold several mistakes themselves are taken apart.

    Returns
    -------
    InputError
        With one line per mistake. A single mistake is given back as it is.

    Examples
    --------
    >>> print(several([InputError("(15) is not below 1", "p0"), InputError("is missing", "p1")]))
    p0 (15) is not below 1 (and 1 more mistake)
    p1 is missing
    """
    first, *others = [one for error in errors for one in (InputError(error.message, error.field), *error.others)]
    return InputError(first.message, first.field, others)
