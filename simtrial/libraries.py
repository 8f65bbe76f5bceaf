"""Libraries that others bring along, and what is spared of them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from contextlib import contextmanager, suppress
from types import ModuleType
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

SPECIAL = "scipy.special"


class _Functions(ModuleType):
    """`scipy.special` as long as only its compiled functions are asked for; with any other name it becomes whole.

    The rest of its import rewrites a hundred descriptions, for libraries of arrays other than NumPy: that takes ten
    times as long as its functions.
    """

    def __getattr__(self, name: str) -> object:
        if not name.startswith("__"):
            with suppress(ImportError):  # a SciPy that keeps them elsewhere is loaded whole
                compiled = importlib.import_module(f"{SPECIAL}._ufuncs")
                if name in compiled.__all__:
                    return getattr(compiled, name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # mypy knows of no class that a module changes to
        spec = self.__spec__
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module(self)
        return getattr(self, name)


def postpone() -> None:
    """Let what a process asks of NumPy and SciPy be loaded, and the rest when somebody uses it.

    For a process of our own: who imports the package as a library finds both as they are.
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
    spec = None if SPECIAL in sys.modules else importlib.util.find_spec(SPECIAL)
    if spec is not None and not os.environ.get("SCIPY_ARRAY_API"):  # with it the functions are others
        functions = importlib.util.module_from_spec(spec)
        functions.__class__ = _Functions
        sys.modules[SPECIAL] = functions
        setattr(sys.modules["scipy"], "special", functions)  # noqa: B010 - mypy: scipy knows no such attribute
