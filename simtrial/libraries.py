"""Libraries that others bring along, and what is spared of them."""

from __future__ import annotations

import importlib.util
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


UNASKED = ("f2py", "testing")
"""Parts of NumPy that scipy.special loads, because it looks at every name there is, and does not use
(``python -X importtime -m simtrial design ...`` shows what they take).
"""


def postpone() -> None:
    """Let those parts be loaded when somebody uses them, not when somebody looks at their names.

    For a process of our own: who imports the package as a library finds NumPy as it is.
    """
    for part in UNASKED:
        name = f"numpy.{part}"
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            continue
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        setattr(sys.modules["numpy"], part, module)
