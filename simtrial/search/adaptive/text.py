"""Sentences on designs whose second stage depends on the first: rule, proof, cap, protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.second_stages import SecondStage, runs
from simtrial.phrases import agreeing, attained, counted, percent, stated
from simtrial.search.adaptive.family import FAMILY
from simtrial.search.aim import Aim
from simtrial.show.passage import Passage

if TYPE_CHECKING:
    from simtrial.design.second_stages import BranchLook
    from simtrial.search.branching.found import BranchingFound

FALLING = (
    "Shan G, Wilding GE, Hutson AD, Gerstenberger S. Optimal adaptive two-stage designs for early phase II clinical "
    "trials. Stat Med 2016;35:1257-1266."
)
"""The source of second stages that do not become larger."""


def what(found: BranchingFound) -> str:
    """What is made small, in words."""
    return Aim.between(found.weight).what


def conditions(found: BranchingFound) -> str:
    """What was asked of the table, within a sentence: cap and order."""
    given = found.restrictions
    said = [f"at most {counted(given.cap or found.design.n_max, 'patient')}"]
    if given.monotone:
        said.append("a conditional type I error that never falls as responses rise")
    if given.falling:
        said.append("second stages that do not become larger as responses rise")
    if given.n1_least > 1:
        said.append(f"at least {counted(given.n1_least, 'patient')} in the first stage")
    return " and ".join([", ".join(said[:-1]), said[-1]]) if said[1:] else said[0]


def best_of(found: BranchingFound) -> str:
    """What the design is best at, in one sentence that states the cap."""
    return f"Among the designs with {conditions(found)}, none has a smaller {what(found)}."


def proved(found: BranchingFound) -> str:
    """What the design attains, why nothing better exists within the cap, and what a larger n could gain."""
    proof, cap = found.certificate, found.restrictions.cap
    value, most = f"{proof.value:.4f}", counted(cap or proof.n_upper, "patient")
    lacking = f"With fewer than {counted(proof.n_lower, 'patient')} no design meets both limits."
    within = (
        f"Among the designs with {conditions(found)}, none has a smaller {what(found)} than {value}; the linear bound, "
        f"which allows a random choice between second stages, is {found.linear_bound:.4f}."
    )
    if proof.how == "proved":
        return f"{lacking} {within} More than {most} give no smaller value, whatever their number."
    return (
        f"{lacking} {within} The best design depends on this cap: designs with more than {most} were not searched, and "
        f"no design of any size can be below {proof.bound:.4f}, so that more patients can save at most {proof.gap:.3g} "
        "expected patients."
    )


def null(found: BranchingFound) -> str:
    """Where the type I error is largest over the whole null hypothesis."""
    asked, peak = found.asked, found.largest_type_i_error
    if found.monotone:
        return (
            "The conditional type I error never falls as responses rise, so the type I error is largest at p0; it is "
            "no larger at any lower response rate."
        )
    side = "within" if found.design.at(peak.p).reject <= asked.alpha else "ABOVE"
    return (
        f"The conditional type I error falls somewhere as responses rise. Over all response rates up to p0 the "
        f"probability of rejecting H0 is at most {peak.value:.6f}, at p = {peak.p:.4g}, {side} alpha = {asked.alpha:g}."
    )


def beside_simon(found: BranchingFound) -> str:
    """How the design compares with Simon's optimal one."""
    simon, law = found.simon, found.law
    saved = simon.en_p0 - float(law.en[0])
    than = f"{abs(saved):.2f} {'fewer' if saved > 0 else 'more'} than" if abs(saved) >= 0.005 else "as many as"
    return (
        f"Simon's optimal design needs {simon.en_p0:.2f} expected patients at p0 and at most "
        f"{counted(simon.n, 'patient')}; this design needs {than} that at p0 and at most "
        f"{counted(found.design.n_max, 'patient')}."
    )


def rule(first: BranchLook) -> list[str]:
    """The decisions after the first stage, one clause per row or per run of equal ones."""
    said = []
    for one in runs(first):
        low, high, row = one.low, one.high, one.row
        seen = f"{low}" if low == high else f"{low} {'or' if high == low + 1 else 'to'} {high}"
        responses = f"{seen} {agreeing(2 if low != high else low, 'response', 'responses')}"
        if isinstance(row, SecondStage):
            then = (
                f"enroll {counted(row.n2, 'further patient')} and reject H0 if more than {row.r} of all "
                f"{counted(first.n + row.n2, 'patient')} respond"
            )
        else:
            then = f"stop and {'reject' if row == 'reject' else 'do not reject'} H0"
        said.append(f"{responses}: {then}.")
    return said


def protocol(found: BranchingFound) -> Passage:
    """The paragraph for the protocol."""
    asked, design, law = found.asked, found.design, found.law
    sources = (*FAMILY.references, *((FALLING,) if found.restrictions.falling else ()))
    return Passage(
        "adaptive_protocol",
        (
            "The trial has a two-stage design whose second stage depends on the number of responses in the first "
            f"(adaptive design [1, 2]). A response rate of {stated(asked.p0)} is not worth pursuing and one of "
            f"{stated(asked.p1)} is. In the first stage {counted(design.n1, 'patient')} are enrolled. The number of "
            "responses among them decides how the trial continues. "
            + " ".join(f"{one[0].upper()}{one[1:]}" for one in rule(design.looks[0])),
            f"The type I error is {attained(float(law.reject[0]), asked.alpha, least=False)} (limit "
            f"{stated(asked.alpha)}) and the power {attained(float(law.reject[1]), asked.power, least=True)} (limit "
            f"{stated(asked.power)}). If the response rate is {stated(asked.p0)}, the expected sample size is "
            f"{law.en[0]:.1f} and the trial ends after the first stage with probability {percent(float(law.pet[0]))}; "
            f"at most {counted(design.n_max, 'patient')} are enrolled. {best_of(found)}",
            *(f"{k}. {source}" for k, source in enumerate(sources, start=1)),
        ),
        quoted=True,
    )
