"""The validation as a document: installation and operational qualification, for a quality system to sign.

Each numbered requirement stands beside how it is tested, where the expected values come from, and what was found on
this machine. What was not tested here is said to be so, and every disagreement is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simtrial.documents.qualification_results import BY_SUITE, DIFFERENT, EQUAL, OutcomeOfRequirement, outcomes
from simtrial.documents.requirements import AREAS
from simtrial.phrases import agreeing, counted, listed
from simtrial.show.document import Chapter, Document, Points
from simtrial.show.table import WORDS, Table, column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.documents.qualification_results import CaseResult, Installation
    from simtrial.documents.requirements import NumberedRequirement
    from simtrial.show.document import Matter

NAME = "validation"
TITLE = "Validation: installation and operational qualification"

MOST_LISTED = 20
"""Disagreements of one case that are listed; the tables of the validation report hold all."""

IN_FULL = ("Elements of stated sections", "Elements of further phrasings")
"""Cases of which the document shows every row."""

SIGNED = ("Prepared by", "Reviewed by", "Approved by")


def of(
    requirements: Sequence[NumberedRequirement], cases: Sequence[CaseResult], installed: Installation, origin: str = ""
) -> Document:
    """The document.

    Parameters
    ----------
    requirements : sequence of NumberedRequirement
        In the order in which they are numbered.
    cases : sequence of CaseResult
        What the validation cases found on this machine.
    installed : Installation
        The machine and what is installed on it.
    origin : str
        What the document was made from, for the footer.
    """
    found = outcomes(requirements, cases)
    named = {name for one in requirements for name in one.cases}
    others = [one for one in cases if one.key not in named]
    return Document(
        name=NAME,
        title=TITLE,
        study=installed.program,
        lead=(
            f"{installed.program}, run on {installed.date}. This document was written by the program that it "
            "describes; it becomes a record when it is reviewed and signed.",
        ),
        chapters=(
            Chapter(number="1", title="Purpose and result", blocks=(*_purpose(), *_result(found, installed))),
            Chapter(number="2", title="Installation qualification", blocks=tuple(_installation(installed))),
            Chapter(number="3", title="Operational qualification", blocks=(_scope(installed),)),
            *_by_area(found),
            Chapter(number="4", title="Traceability", blocks=tuple(_traced(found))),
            Chapter(number="5", title="Deviations", blocks=tuple(_deviations(found, others, installed))),
            Chapter(number="6", title="Signatures", blocks=tuple(_signatures())),
        ),
        origin=origin,
    )


def _purpose() -> tuple[Matter, ...]:
    return (
        "The installation qualification states what is installed and whether it is what the project has locked. The "
        "operational qualification compares the results of the program with reference values, requirement by "
        "requirement. Whether the program is fit for a particular use, and whether it is used as intended, is not part "
        "of this document.",
    )


def _result(found: Sequence[OutcomeOfRequirement], installed: Installation) -> Iterator[Matter]:
    met, failed = [one for one in found if one.met], [one for one in found if one.failed]
    untested = [one for one in found if one.untested]
    compared, agree = (sum(getattr(case, what) for case in _once(found)) for what in ("compared", "agree"))
    verb = agreeing(len(met), "is", "are")
    suite = [one for one in found if one.by_suite]
    yield (
        f"{len(met)} of {counted(len(found) - len(suite), 'requirement')} {verb} met on this machine; {agree:,} of "
        f"{counted(compared, 'comparison')} {agreeing(agree, 'agrees', 'agree')} with the reference."
    )
    if failed:
        yield f"NOT MET: {listed([one.requirement.id for one in failed])}. See the deviations."
    if untested:
        yield f"Not tested on this machine: {listed([one.requirement.id for one in untested])}."
    if suite:
        yield (
            f"{counted(len(suite), 'further requirement')} {agreeing(len(suite), 'has', 'have')} no validation case "
            f"and {agreeing(len(suite), 'is', 'are')} {BY_SUITE}: {listed([one.requirement.id for one in suite])}."
        )
    differing = [one for one in installed.direct if one.state != EQUAL]
    if installed.direct and not differing:
        yield "All direct dependencies have the version of the lock."
    elif differing:
        yield (
            f"{counted(len(differing), 'direct dependency', 'direct dependencies')} "
            f"{agreeing(len(differing), 'differs', 'differ')} from the lock: "
            f"{listed([one.name for one in differing])}."
        )


def _once(found: Sequence[OutcomeOfRequirement]) -> list[CaseResult]:
    """Every case once, for several requirements may share one."""
    return list({case.name: case for one in found for case in one.cases}.values())


def _installation(installed: Installation) -> Iterator[Matter]:
    frame = pd.DataFrame(installed.facts, columns=["item", "value"])
    yield Table(
        "installation", "What is installed on this machine, with the SHA-256 of the files that decide the results",
        frame, {"item": column("item", WORDS), "value": column("value", WORDS)},
    )  # fmt: skip
    if not installed.packages:
        yield "The lock of the project is not there, so versions are not compared with it."
        return
    same = sum(one.state == EQUAL for one in installed.packages)
    yield (
        f"The lock names {counted(len(installed.packages), 'package')}, for all platforms and versions of Python "
        f"together. Of these {same} {agreeing(same, 'is', 'are')} installed here in the version of the lock."
    )
    shown = [one for one in installed.packages if one.direct or one.state == DIFFERENT]
    yield Table(
        "packages",
        "Direct dependencies, and every other package whose version differs from the lock: the version installed and "
        "the version locked",
        pd.DataFrame([(one.name, one.installed, one.locked, one.state) for one in shown],
                     columns=["package", "installed", "locked", "state"]),
        {
            "package": column("package", WORDS), "installed": column("installed", WORDS),
            "locked": column("locked", WORDS), "state": column("installed_result", WORDS),
        },
    )  # fmt: skip


def _scope(installed: Installation) -> str:
    return (
        "A requirement is tested by one or more validation cases, which simtrial validate runs. It is met if every "
        "comparison of all its cases agrees. A requirement without a case is tested by the suite, which make test "
        "runs, and does not count as met on this machine. All cases were run on the machine described in section 2, on "
        f"{installed.date}. Where a case prints more digits than its reference, numbers are compared to the digits of "
        "the reference."
    )


def _by_area(found: Sequence[OutcomeOfRequirement]) -> Iterator[Chapter]:
    areas = [area for area in AREAS.values() if any(one.requirement.area == area for one in found)]
    for k, area in enumerate(areas, start=1):
        rows = [
            (
                one.requirement.id,
                one.requirement.requirement,
                one.requirement.how,
                one.source,
                one.said,
                one.verdict,
            )
            for one in found
            if one.requirement.area == area
        ]
        frame = pd.DataFrame(rows, columns=["id", "requirement", "how", "source", "result", "met"])
        yield Chapter(
            number=f"3.{k}", title=area, level=2,
            blocks=(
                Table(
                    f"requirements_{k}", f"{area}: each requirement, its test and its result on this machine", frame,
                    {
                        "id": column("number", WORDS), "requirement": column("requirement", WORDS),
                        "how": column("how_tested", WORDS), "source": column("expected_source", WORDS),
                        "result": column("requirement_result", WORDS), "met": column("requirement_met", WORDS),
                    },
                    chosen=[row[-1] not in ("yes", BY_SUITE) for row in rows],
                ),
                *_in_full([one for one in found if one.requirement.area == area]),
            ),
        )  # fmt: skip


def _in_full(found: Sequence[OutcomeOfRequirement]) -> Iterator[Table]:
    """The cases of which every row is a result of its own."""
    for case in _once(found):
        if case.key in IN_FULL:
            name = f"case_{'_'.join(case.key.lower().split())}"
            caption = (
                f"{case.name}: values that were found right and wrong, and values that were missed, with precision and "
                f"recall, by element. Source: {case.source}"
            )
            shown = {"what": column("element", WORDS), "found": column("computed_here", WORDS)}
            yield Table(name, caption, case.frame, shown, chosen=[not one for one in case.frame["agrees"]])


def _traced(found: Sequence[OutcomeOfRequirement]) -> Iterator[Matter]:
    rows = [
        (one.requirement.id, "; ".join(one.requirement.cases) or "none", "; ".join(one.requirement.tests) or "none")
        for one in found
    ]
    yield (
        "The tests of the suite are further proof. They are run by make test for each change of the program, and not "
        "by this document."
    )
    yield Table(
        "traceability", "Validation cases and tests of the suite by requirement",
        pd.DataFrame(rows, columns=["id", "cases", "tests"]),
        {
            "id": column("number", WORDS), "cases": column("validation_cases", WORDS),
            "tests": column("suite_tests", WORDS),
        },
    )  # fmt: skip


def _deviations(
    found: Sequence[OutcomeOfRequirement], others: Sequence[CaseResult], installed: Installation
) -> Iterator[Matter]:
    points = [
        f"{one.requirement.id} is not tested on this machine: no result of {listed(one.absent)}."
        for one in found
        if one.untested
    ]
    for case in (*_once(found), *others):
        points += [f"{case.name}: {line}" for line in case.disagreements(MOST_LISTED)]
        if not case.compared:
            points.append(f"{case.name}: nothing was compared.")
    points += [
        f"{one.name}: version {one.installed} is installed, the lock has {one.locked}."
        for one in installed.packages
        if one.state == DIFFERENT
    ]
    points += [f"The case {one.name} belongs to no requirement." for one in others]
    points += [
        f"{case.name}: {counted(case.kept, 'difference')} from the reference {agreeing(case.kept, 'is', 'are')} kept "
        "for the reason that the validation report states beside it, and counted as agreement."
        for case in _once(found)
        if case.kept
    ]
    yield Points(tuple(points)) if points else "There are none."


def _signatures() -> Iterator[Matter]:
    blank = f"\n{'_' * 20}"  # room for a hand
    yield Table(
        "signatures", "Who prepared, reviewed and approved this document; to be signed by hand",
        pd.DataFrame([(role, blank, blank, blank) for role in SIGNED], columns=["role", "name", "date", "signature"]),
        {
            "role": column("role", WORDS), "name": column("person", WORDS), "date": column("date", WORDS),
            "signature": column("signature", WORDS),
        },
    )  # fmt: skip
