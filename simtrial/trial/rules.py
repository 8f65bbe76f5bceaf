"""The decision rules of a design in sentences, as a protocol states them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.plan.plan import Handling, Plan


def patients(n: int) -> str:
    """A number with its noun."""
    return f"{n} {'patient' if n == 1 else 'patients'}"


COUNTED: dict[Handling | None, str] = {
    None: "with a known response status",
    "nonresponder": "enrolled",
    "replace": "with a known response status (others are replaced)",
    "exclude": "enrolled",
}
"""Who is analysed, by the handling of patients without a response status; None where it is not said."""

UNASSESSED: dict[Handling | None, str] = {
    "nonresponder": "Patients without a response assessment are counted as non-responders.",
    "exclude": "Patients without a response assessment are excluded from the analysis.",
}
"""What becomes of the others, by their handling, where that is not said by whom is analysed."""


RECUT = (
    "These bounds are those of the planned numbers: they are recalculated at the numbers evaluable, the first so "
    "that a treatment of rate p1 is stopped no more often than planned, the last so that the type I error stays at or "
    "below its limit."
)
"""What recalculated bounds keep; see `simtrial.plan.recut`."""


def sentences(design: Design, handling: Handling | None) -> list[str]:
    """One sentence a look."""
    said = []
    *interim, last = design.looks
    before, passed = 0, -1
    for look in interim:
        verb = "is" if look.n == 1 else "are"
        opening = (
            f"The first {patients(look.n) if look.n > 1 else 'patient'} {COUNTED[handling]} {verb} analysed"
            if not before
            else f"After {patients(look.n)} in all, a further look follows"
        )
        clauses = []
        if look.r is not None and look.r > passed:
            passed = look.r
            seen = "none responds" if look.r == 0 else f"{look.r} or fewer respond"
            clauses.append(f"if {seen} the trial stops for futility")
        if look.e is not None:
            clauses.append(f"if {look.e} or more respond the trial stops and H0 is rejected")
        said.append(f"{opening}: {'; '.join(clauses) or 'the trial continues'}.")
        before = look.n
    more = last.n - before
    added = f"Otherwise {more} more {'is' if more == 1 else 'are'} enrolled, {patients(last.n)} in all, and"
    start = (
        added if before else f"{patients(last.n)} {COUNTED[handling]} {'is' if last.n == 1 else 'are'} analysed, and"
    )
    said.append(f"{start} H0 is rejected if {(last.r or 0) + 1} or more respond (more than {last.r} of {last.n}).")
    if handling in UNASSESSED:
        said.append(UNASSESSED[handling])
    return said


def early(plan: Plan | None) -> list[str]:
    """How looks are decided that do not wait for every status."""
    said = []
    if plan is not None and plan.conditional is not None:
        one, rule = plan.design.looks[0], plan.conditional
        month = "when these patients are enrolled" if rule.month is None else f"in month {rule.month:g} of accrual"
        said.append(
            f"The interim analysis does not wait for pending patients: it is taken {month}, patients whose response "
            f"status is pending count with their predictive probability of a response at p1, and the trial continues "
            f"if the probability that more than {one.r} of {patients(one.n)} respond is at least {rule.threshold:g}."
        )
    if plan is not None and plan.interim.decide == "known":
        what = "Each analysis" if plan.conditional is None else "The final analysis"
        said.append(f"{what} takes place as soon as the response statuses known settle its decision.")
    return said
