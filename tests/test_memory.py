"""The memory of arrays is kept where the C library can, and nothing happens where it cannot."""

import ctypes

import pytest

from simtrial import memory


@pytest.mark.parametrize("fault", [OSError, AttributeError])
def test_without_glibc_nothing_is_done(fault, monkeypatch):
    asked = []

    def library(name):
        asked.append(name)
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", library)
    memory.keep_memory.__wrapped__()
    assert asked == [None]
