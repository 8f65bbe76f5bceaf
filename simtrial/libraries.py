"""Libraries that others bring along, and what is spared of them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNUSED = "rfc3987_syntax"
"""jsonschema builds grammars for identifiers in any script, if this is installed: most of what its import takes
(``python -X importtime -c "import jsonschema"``). It does without if not, and neither a notebook nor an event of a
server has such an identifier to be checked.
"""


@contextmanager
def spared() -> Iterator[None]:
    """Let an optional module that is not loaded yet look as if it were not installed."""
    hidden = UNUSED not in sys.modules
    if hidden:
        sys.modules[UNUSED] = None  # type: ignore[assignment]  # what Python takes for: not to be imported
    try:
        yield
    finally:
        if hidden:
            del sys.modules[UNUSED]
