"""Shared by the tests of sweeps."""

import pytest
from sweeps import written


@pytest.fixture
def write(root, tmp_path):
    """Write a sweep of the registered trial into the test's folder."""
    return lambda axes, **options: written(root, tmp_path, axes, **options)
