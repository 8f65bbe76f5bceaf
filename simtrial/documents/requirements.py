"""The numbered requirements that are validated, read from the one file that lists them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from simtrial.errors import InputError
from simtrial.trial import params
from simtrial.trial.section import Line, Section

FILE = Path(__file__).with_name("requirements.yaml")

AREAS = {
    "D": "Operating characteristics",
    "S": "Searches for designs",
    "C": "Conduct of the trial",
    "E": "Evidence for the assumptions",
    "R": "Review of stated sample sizes",
    "A": "Analysis of the finished trial",
    "P": "Properties of the program",
}
"""The letters of the numbers, in the order of the file."""

NUMBER = re.compile(rf"REQ-([{''.join(AREAS)}])([0-9]{{2}})")
TEST = r"^tests/[A-Za-z0-9_/]+\.py::test_[A-Za-z0-9_]+$"


class NumberedRequirement(Section):
    """One requirement, and what tests it."""

    id: Annotated[str, Field(pattern=NUMBER.pattern)] = Field(description="Number: REQ-, area and count.")
    requirement: Line = Field(description="What must hold, in a sentence.")
    how: Line = Field(description="How it is tested, and what is accepted.")
    cases: Annotated[tuple[Line, ...], Field(strict=False)] = Field(
        (), description="Names of the validation cases that test it; none if the tests of the suite alone do."
    )
    tests: Annotated[tuple[Annotated[str, Field(pattern=TEST)], ...], Field(strict=False)] = Field(
        (), description="Tests of the suite that are further proof."
    )

    @model_validator(mode="after")
    def _is_tested(self) -> NumberedRequirement:
        """Hold that there is a case or a test."""
        if not self.cases and not self.tests:
            raise InputError(f"({self.id}) has neither a case nor a test of the suite; name one", "requirements.cases")
        return self

    @property
    def area(self) -> str:
        """What it is about."""
        return AREAS[self.id[4]]


class RequirementFile(Section):
    """The file of requirements."""

    requirements: Annotated[tuple[NumberedRequirement, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> RequirementFile:
        """Hold that the areas are in order, and that each is numbered from 1 on without a gap."""
        letters, count = list(AREAS), dict.fromkeys(AREAS, 0)
        last = 0
        for one in self.requirements:
            letter, number = one.id[4], int(one.id[5:])
            count[letter] += 1
            if letters.index(letter) < last or number != count[letter]:
                wanted = f"REQ-{letter}{count[letter]:02d}"
                said = f"is out of order; it would be {wanted}" if number != count[letter] else "is out of order"
                raise InputError(f"({one.id}) {said}", "requirements.id")
            last = letters.index(letter)
        return self


def read(path: Path = FILE) -> tuple[tuple[NumberedRequirement, ...], str]:
    """Read the requirements; give them with the SHA-256 of their file.

    Raises
    ------
    InputError
        If the file holds anything else, or the numbers are not in order.
    """
    found, source = params.read_as(path, RequirementFile, "requirements")
    return found.requirements, source.sha256
