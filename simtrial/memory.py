"""The memory of a process that works on arrays: kept for the next one."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 1 << 28
"""Names of glibc's mallopt, and the bytes that a process keeps instead of giving them back after every array."""


@cache
def keep_memory() -> None:
    """Let this process reuse the memory of its arrays, once.

    glibc gives large arrays back as soon as they are done with, and asks the kernel for fresh pages for the next ones:
    blocks of trials with Kaplan-Meier estimates take a third longer so. Dask moreover starts its workers with
    MALLOC_TRIM_THRESHOLD_ set. Where there is no glibc nothing is done.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT >> 3)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)
