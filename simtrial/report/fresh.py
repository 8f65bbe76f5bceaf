"""What a kernel clears between two notebooks, so that none finds what another one left; this runs inside the kernel.

Variables, figures, widgets, random numbers and settings (of matplotlib, numpy, pandas, decimals, warnings, logging, the
garbage collector, the hooks of Python, the environment and the places where modules are looked for) are put back to
what they were when the kernel started; those of pandas to its own defaults. Modules stay loaded: they are what one
kernel for all notebooks saves. What a notebook would change elsewhere inside a module is therefore not undone;
notebooks define and change nothing, which a test holds.
"""

from __future__ import annotations

import decimal
import gc
import logging
import os
import random
import sys
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from IPython.core.getipython import get_ipython

from simtrial.show.picture import Picture

HOOKS = (
    (sys, "excepthook"),
    (sys, "unraisablehook"),
    (sys, "displayhook"),
    (sys, "breakpointhook"),
    (threading, "excepthook"),
    (warnings, "showwarning"),
    (warnings, "formatwarning"),
)
"""What Python calls on its own account: by module and name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Settings that one notebook could leave to the next."""

    figures: dict[str, Any]
    errors: dict[str, Any]
    printing: dict[str, Any]
    dice: Any
    numpy_dice: Any
    filters: tuple[Any, ...]
    environment: dict[str, str]
    folder: Path
    places: tuple[str, ...]
    hooks: tuple[Any, ...]
    decimals: decimal.Context
    logged: tuple[int, int, tuple[logging.Handler, ...]]
    collected: tuple[bool, tuple[int, int, int]]

    @classmethod
    def now(cls) -> State:
        """The settings as they are."""
        return cls(
            figures=dict(mpl.rcParams.copy()),  # type: ignore[arg-type]  # its keys are literals
            errors=dict(np.geterr()),
            printing=dict(np.get_printoptions()),
            dice=random.getstate(),
            numpy_dice=np.random.get_state(),  # noqa: NPY002 - the state that old code draws from
            filters=tuple(warnings.filters),
            environment=dict(os.environ),
            folder=Path.cwd(),
            places=tuple(sys.path),
            hooks=tuple(getattr(module, name) for module, name in HOOKS),
            decimals=decimal.getcontext().copy(),
            logged=(logging.root.level, logging.root.manager.disable, tuple(logging.root.handlers)),
            collected=(gc.isenabled(), gc.get_threshold()),
        )

    def restore(self) -> None:
        """Put the settings back."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some settings are deprecated, and set to what they are
            mpl.rcParams.update(self.figures)  # type: ignore[arg-type]
            pd.reset_option("all")
            np.set_printoptions(**self.printing)
        np.seterr(**self.errors)
        random.setstate(self.dice)
        np.random.set_state(self.numpy_dice)  # noqa: NPY002
        warnings.resetwarnings()
        warnings.filters.extend(self.filters)  # type: ignore[attr-defined]  # it is a list, typed as a sequence
        os.environ.clear()
        os.environ.update(self.environment)
        os.chdir(self.folder)
        sys.path[:] = self.places
        for (module, name), hook in zip(HOOKS, self.hooks, strict=True):
            setattr(module, name, hook)
        decimal.setcontext(self.decimals.copy())
        level, disabled, handlers = self.logged
        logging.root.setLevel(level)
        logging.disable(disabled)
        logging.root.handlers[:] = handlers
        enabled, thresholds = self.collected
        (gc.enable if enabled else gc.disable)()
        gc.set_threshold(*thresholds)


@cache
def start() -> State:
    """The settings at the start of this kernel, where this is called first; from here on figures are bitmaps too."""
    shell = get_ipython()
    if shell is not None:  # in the kernel of a report a figure is also a bitmap; anywhere else nobody waits for one
        shell.display_formatter.formatters["image/png"].for_type(Picture, Picture.png)
    gc.freeze()  # what is loaded by now stays: no collection, of which every clearing is one, need look at it again
    return State.now()


def clear() -> None:
    """Forget what a notebook left."""
    if "ipywidgets" in sys.modules:
        sys.modules["ipywidgets"].Widget.close_all()
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    shell = get_ipython()
    if shell is not None:
        shell.reset(new_session=True)
    start().restore()
