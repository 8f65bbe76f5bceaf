"""What the qualification document rests on: results of cases, outcomes of requirements, what is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.phrases import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from simtrial.documents.requirements import NumberedRequirement

EQUAL, DIFFERENT, ABSENT = "equal", "different", "not installed"
NOT_TESTED = "not tested on this machine"
BY_SUITE = "tested by the suite, not on this machine"

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
IN_ERRORS = re.compile(r"\(z ([-+]\d+\.\d+)\)")
STATED = re.compile(r"largest difference ([-+.\deE]+)")
KEPT = re.compile(r"\bthis is kept\b|\bkept:")


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What one validation case found.

    Attributes
    ----------
    name, source : str
        What was checked, and where the expected values come from.
    frame : DataFrame
        One row per comparison: what, expected, found, agrees.
    """

    name: str
    source: str
    frame: pd.DataFrame

    @property
    def key(self) -> str:
        """The name by which requirements know it: what follows a comma says how it was done here."""
        return self.name.partition(",")[0]

    @property
    def failures(self) -> pd.DataFrame:
        """The rows that disagree."""
        return self.frame[~self.frame["agrees"].astype(bool)]

    @property
    def compared(self) -> int:
        """Number of comparisons."""
        return len(self.frame)

    @property
    def agree(self) -> int:
        """How many of them agree."""
        return self.compared - len(self.failures)

    @property
    def passed(self) -> bool:
        """Whether there was something to compare and all of it agrees."""
        return self.compared > 0 and self.agree == self.compared

    @property
    def kept(self) -> int:
        """Comparisons that differ for a stated reason and count as agreement."""
        return int(self.frame["found"].astype(str).str.contains(KEPT).sum())

    @property
    def largest(self) -> str:
        """The largest difference from the reference, in words; empty where it is no number."""
        pairs = [(str(a), str(b)) for a, b in zip(self.frame["expected"], self.frame["found"], strict=True)]
        errors = [IN_ERRORS.search(found) for _, found in pairs]
        if pairs and all(errors):
            most = max(abs(float(one[1])) for one in errors if one is not None)
            return f"largest difference {most:g} Monte Carlo standard errors"
        differences = [_difference(*pair) for pair in pairs]
        known = [one for one in differences if one is not None]
        if not known or len(known) < len(differences):
            return ""
        return "no difference in the digits given" if max(known) == 0 else f"largest difference {max(known):.2g}"

    def disagreements(self, most: int) -> list[str]:
        """The comparisons that disagree, a line each, and the number of those beyond `most`."""
        failed = self.failures
        lines = [
            f"{row.what}: expected {row.expected}, found {row.found}." for row in failed.head(most).itertuples()
        ]  # fmt: skip
        more = len(failed) - len(lines)
        return [*lines, f"and {counted(more, 'more disagreement')}."] if more else lines


def _difference(expected: str, found: str) -> float | None:
    """How far numbers lie apart as they are written; None if the two texts differ in more than numbers."""
    stated = STATED.search(found)
    if stated is not None:
        return float(stated[1])
    if expected == found:
        return 0.0
    if NUMBER.sub("#", expected) != NUMBER.sub("#", found):
        return None
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(found), strict=True)
    return max((abs(float(a) - float(b)) for a, b in pairs), default=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class OutcomeOfRequirement:
    """A requirement with the results of its cases on this machine; `absent` names the cases without one."""

    requirement: NumberedRequirement
    cases: tuple[CaseResult, ...]
    absent: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether some case disagrees."""
        return any(not case.passed for case in self.cases)

    @property
    def untested(self) -> bool:
        """Whether some case has no result, and none disagrees."""
        return bool(self.absent) and not self.failed

    @property
    def by_suite(self) -> bool:
        """Whether tests of the suite alone test it."""
        return not self.requirement.cases

    @property
    def met(self) -> bool:
        """Whether there are cases, and every one was run and agrees."""
        return not self.by_suite and not self.failed and not self.absent

    @property
    def verdict(self) -> str:
        """The same in a word or two."""
        if self.by_suite:
            return BY_SUITE
        return "yes" if self.met else "NO" if self.failed else NOT_TESTED

    @property
    def source(self) -> str:
        """Where the expected values come from."""
        return "; ".join(dict.fromkeys(case.source for case in self.cases)) or "–"

    @property
    def said(self) -> str:
        """What was found, case by case where there are several."""
        lines = []
        for case in self.cases:
            line = f"{case.agree:,} of {counted(case.compared, 'comparison')} {agreeing(case.agree, 'agrees', 'agree')}"
            line += f", {case.largest}" if case.largest else ""
            lines.append(f"{case.name}: {line}" if len(self.cases) > 1 else line)
        return "; ".join([*lines, *(f"{name}: no result" for name in self.absent)]) or "–"


def outcomes(
    requirements: Sequence[NumberedRequirement], cases: Sequence[CaseResult]
) -> tuple[OutcomeOfRequirement, ...]:
    """Every requirement with the results of its cases."""
    by_key = {case.key: case for case in cases}
    return tuple(
        OutcomeOfRequirement(
            requirement=one,
            cases=tuple(by_key[name] for name in one.cases if name in by_key),
            absent=tuple(name for name in one.cases if name not in by_key),
        )
        for one in requirements
    )


@dataclass(frozen=True, kw_only=True)
class InstalledPackage:
    """A package of the lock.

    Attributes
    ----------
    name : str
        Of the distribution.
    installed : str
        Version here; a dash if it is not installed.
    locked : str
        Versions in the lock, which may differ by platform and Python.
    direct : bool
        Whether the program itself asks for it.
    state : str
        `EQUAL`, `DIFFERENT` or `ABSENT`.
    """

    name: str
    installed: str
    locked: str
    direct: bool
    state: str


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The machine and what is installed on it.

    Attributes
    ----------
    program : str
        Name and version.
    date : str
        Of the run.
    facts : tuple of (str, str)
        Item and value, such as the operating system.
    packages : tuple of InstalledPackage
        Those of the lock; empty if the lock is not there.
    """

    program: str
    date: str
    facts: tuple[tuple[str, str], ...]
    packages: tuple[InstalledPackage, ...]

    @property
    def direct(self) -> tuple[InstalledPackage, ...]:
        """The packages that the program itself asks for."""
        return tuple(one for one in self.packages if one.direct)
