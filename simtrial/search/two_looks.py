"""Two looks of any kind: filled by the next commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.search.constraints import Constraints
    from simtrial.search.record import Solved


def search(requirements: Requirements, constraints: Constraints, *, n_limit: int) -> Solved:  # noqa: ARG001 - next commit
    """Not yet."""
    raise InputError("are not searched yet", "constraints")
