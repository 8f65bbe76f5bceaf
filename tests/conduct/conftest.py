"""The committed trial, for what its conduct shows: computed once for each module."""

import pytest

from simtrial import Requirements
from simtrial.conduct import sensitivity
from simtrial.trial import params
from simtrial.trial.case import Case


@pytest.fixture(scope="module")
def trial(root):
    return params.load(root / "params/NCT07022301.yaml")


@pytest.fixture(scope="module")
def plan(trial):
    return Case.of(trial).plan


@pytest.fixture(scope="module")
def changed(plan):
    return sensitivity.analyse(plan, Requirements(0.1, 0.3, 0.05, 0.8), 1000, 1)
