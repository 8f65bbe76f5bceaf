"""What has been found, kept for whoever asks the same again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Given = ParamSpec("Given")
Returned = TypeVar("Returned")
Held = TypeVar("Held")


def kept(most: int) -> Callable[[Callable[Given, Returned]], Callable[Given, Returned]]:
    """Keep the last `most` answers of a function that depends on its arguments alone and whose answers nobody changes.

    Arguments that have no hash, such as a design of somebody else's making, are computed each time.
    """

    def keeping(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
        known = lru_cache(maxsize=most)(function)

        @wraps(function)
        def ask(*given: Given.args, **named: Given.kwargs) -> Returned:
            try:
                hash((given, tuple(named.values())))
            except TypeError:
                return function(*given, **named)
            return known(*cast("tuple[Hashable, ...]", given), **cast("dict[str, Hashable]", named))

        return ask

    return keeping


class OnDemand(Sequence[Held]):
    """A sequence that is made when it is first looked at, and equal to any other with the same members.

    Parameters
    ----------
    make : callable
        Gives its members.
    """

    def __init__(self, make: Callable[[], Sequence[Held]]) -> None:
        self._make = make
        self._made: tuple[Held, ...] | None = None

    def _all(self) -> tuple[Held, ...]:
        if self._made is None:
            self._made = tuple(self._make())
        return self._made

    @overload
    def __getitem__(self, index: int) -> Held: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Held]: ...
    def __getitem__(self, index: int | slice) -> Held | Sequence[Held]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())
