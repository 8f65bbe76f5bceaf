"""Shared by all tests: where the clone is, and reference tables."""

from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def reference():
    def read(*names: str) -> pd.DataFrame:
        return pd.concat([pd.read_csv(ROOT / "tests/reference" / f"{name}.csv") for name in names], ignore_index=True)

    return read


@pytest.fixture
def smoke_text() -> str:
    return (ROOT / "params/smoke.yaml").read_text(encoding="utf-8")
