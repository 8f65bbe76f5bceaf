"""What a function of its arguments alone has found, kept for whoever asks the same again."""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


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
