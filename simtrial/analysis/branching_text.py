"""Sentences about a finished trial with an adaptive two-stage design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.second_stages import SecondStage
from simtrial.phrases import agreeing, counted, listed, rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.analysis.branching import BranchingFinal

ORDER = "order by conditional error"
"""How outcomes are ordered."""


def course(found: BranchingFinal) -> str:
    """What was seen, and what the table then says."""
    design, (x1, x2) = found.design, found.seen
    row = design.after[x1]
    first = f"{x1} of {counted(design.n1, 'patient')} of the first stage responded"
    if not isinstance(row, SecondStage):
        return f"{first}; the table then ends the trial and {'rejects' if row == 'reject' else 'does not reject'} H0."
    then = (
        f"the table then has {counted(row.n2, 'further patient')} and rejects H0 if more than {row.r} of all "
        f"{design.n1 + row.n2:,} respond"
    )
    if not found.n2:
        return f"{first}; {then}. No further patient was analysed."
    second = f"{x2} of the {counted(found.n2, 'patient')} analysed in the second stage responded, "
    return f"{first}; {then}. {second}{found.responses:,} of {found.n:,} in all."


def decision(found: BranchingFinal) -> str:
    """The decision, and the p-value with its method."""
    said = "H0 is rejected" if found.reject else "H0 is not rejected"
    p = "< 0.0001" if found.p_value < 5e-5 else f"= {found.p_value:.4f}"
    return (
        f"{said} (p {p}, one-sided, {ORDER}; the p-value is at most the type I error of the table, "
        f"{rate(found.type_i_error)}, exactly when H0 is rejected)."
    )


def by_conditional_error(found: BranchingFinal) -> str:
    """The conditional error, and the p-value of the second stage that it is compared with; empty after a stop."""
    design, (x1, _) = found.design, found.seen
    if not design.n2[x1]:
        return ""
    alone = 1.0 if found.stage_p_value is None else found.stage_p_value
    verb = "is not above" if found.reject else "is above"
    said = (
        f"Given {counted(x1, 'response')} in the first stage the conditional type I error is "
        f"{rate(found.conditional_error)}; the p-value of the second stage by itself, {rate(alone)}, {verb} it."
    )
    if found.as_planned:
        return said
    return (
        f"The second stage has {counted(found.n2, 'patient')}, not {design.n2[x1]} as in the table, so the decision is "
        f"made by the conditional type I error, which keeps the type I error of the table. {said}"
    )


def not_counted(found: BranchingFinal) -> str:
    """The patients after a first stage that ended the trial; empty if there are none."""
    if not found.after:
        return ""
    many, responded = counted(found.after, "patient"), counted(found.after_responses, "response")
    return (
        f"{many} {agreeing(found.after, 'was', 'were')} analysed after the first stage, which ended the trial, with "
        f"{responded} among them; {agreeing(found.after, 'it does', 'they do')} not count in this analysis."
    )


def estimate_names(found: BranchingFinal) -> dict[str, str]:
    """What the estimates are called."""
    mean = "UMVUE (unbiased)" if found.complete else "unbiased: mean of the first stage given n and X"
    return {
        "mle": "MLE: responses per patient (naive)",
        "umvue": mean,
        "median_unbiased": f"median unbiased, {ORDER}",
    }


def brief(found: BranchingFinal) -> tuple[str, ...]:
    """The result in a few sentences: what was seen, the decision, and the estimates with their interval."""
    low, high = found.intervals["exact"]
    names = estimate_names(found)
    values = [f"{rate(value)} ({names[key]})" for key, value in found.estimates.items() if value is not None]
    limits = f"from {rate(low)}" if found.sides == 1 else f"{rate(low)} to {rate(high)}"
    estimated = (
        f"Estimates of the response rate: {listed(values)}. Exact {100 * found.level:g}% interval ({ORDER}): {limits}."
    )
    return tuple(one for one in (course(found), decision(found), by_conditional_error(found), estimated) if one)


INTERVALS = {"exact": f"exact, {ORDER}", "naive": "naive (Clopper-Pearson)"}
"""What the intervals are called."""


def remarks(found: BranchingFinal, rates: tuple[float, ...]) -> Iterator[str]:
    """What there is to know of estimates and interval."""
    if found.as_planned:
        biases = [f"{100 * found.bias(p):+.2f} percentage points at a true rate of {p:.4g}" for p in rates if p]
        yield f"The bias of the MLE under the table is {listed(biases)}."
    if found.estimates["umvue"] is None:
        yield (
            "There is no unbiased estimate of this kind: it would need the size of the second stage after every number "
            "of responses of the first."
        )
    elif found.complete is None:
        yield "Whether there are other unbiased estimates is not examined for a table of this size."
    elif not found.complete:
        yield (
            "Patients and responses at the end are not complete under this table: there are other unbiased estimates "
            "that depend on them alone, and this one need not have the least variance."
        )
    if found.first_stage_alone and found.estimates["umvue"] is not None:
        yield (
            f"Only {counted(found.seen.x1, 'response')} in the first stage {agreeing(found.seen.x1, 'leads', 'lead')} "
            f"to {counted(found.n, 'patient')}, so that the unbiased estimate is the share of the first stage and does "
            "not use the second."
        )
    if not found.rises:
        yield (
            "The probability of outcomes as high as this one falls somewhere as the response rate rises; the exact "
            "limits are the lowest and the highest rate that are not excluded, and the median unbiased estimate the "
            "lowest at which that probability is one half."
        )


def as_json(found: BranchingFinal, rates: tuple[float, ...]) -> dict[str, object]:
    """The analysis as plain values."""
    (x1, x2), row = found.seen, found.design.after[found.seen.x1]
    going = isinstance(row, SecondStage)
    data: dict[str, object] = {
        "decision": "reject" if found.reject else "accept",
        "reject": found.reject,
        "p_value": found.p_value,
        "stage": found.stage,
        "first_stage": x1,
        "second_stage": x2,
        "attained": [found.design.n1, found.n],
        "planned": {"n2": row.n2, "r": row.r} if isinstance(row, SecondStage) else None,
        "as_planned": found.as_planned,
        "conditional_error": found.conditional_error,
        "second_stage_p_value": found.stage_p_value if going else None,
        "type_i_error": found.type_i_error,
        "estimates": found.estimates,
        "umvue_is_unique": found.complete,
        "bias_of_mle": [{"p": p, "bias": found.bias(p)} for p in rates],
        "interval": list(found.intervals["exact"]),
        "intervals": {name: list(limits) for name, limits in found.intervals.items()},
        "level": found.level,
        "rises": found.rises,
    }
    if found.after:
        data["not_counted"] = {"patients": found.after, "responses": found.after_responses}
    return data
