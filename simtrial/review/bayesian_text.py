"""The check of a published Bayesian design in words: one finding a sentence, and what may explain a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.phrases import agreeing, counted, listed
from simtrial.review.bayesian import BEYOND, PRINTED, PrintedValue, compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simtrial.review.bayesian import BayesianCheck
    from simtrial.review.bayesian_origin import LookBounds

CALLED = {"lee_liu": "Lee and Liu's rule", "bop2": "BOP2", "thall_simon": "Thall and Simon's rule"}
"""The rules in a sentence."""

NOT_STRICT = "comparisons not strict"
"""The convention that a probability which equals its threshold stops the trial."""

PRIORS = {"lee_liu": ("prior",), "bop2": ("prior",), "thall_simon": ("prior_e", "prior_s")}
"""The priors of each rule."""

SHOWN = {"lambda": "lambda", "gamma": "gamma", "eta": "eta", "lam": "lambda"} | {
    f"theta_{one}": f"theta_{one.upper()}" for one in "ltu"
}
"""Parameters as they are printed."""


CLOSE = {
    "agrees": "agrees",
    "within": "within Monte Carlo error",
    "beyond": "beyond Monte Carlo error",
    "differs": "differs",
}
"""How close a printed value is, in a table."""


def bound(one: LookBounds | None) -> str:
    """A bound as it is read: ``1``, ``1:5``; a dash where nothing stops.

    >>> bound((10, 1, 5)), bound((10, None, None)), bound(None)
    ('1:5', '-', 'no look')
    """
    if one is None:
        return "no look"
    _, r, e = one
    if r is None and e is None:
        return "-"
    if r is not None and e == r + 1:  # the last look
        return f"{r}"
    return f"{'' if r is None else r}{'' if e is None else f':{e}'}"


def _looks(sizes: tuple[int, ...]) -> str:
    return f"{agreeing(len(sizes), 'look')} at {listed([str(n) for n in sizes])} {agreeing(sizes[-1], 'patient')}"


def lines(found: BayesianCheck) -> tuple[str, ...]:
    """The findings, one a sentence or two: bounds, parameters, printed values, and what may explain them."""
    return (*_bounds(found), *_limits(found), *(_printed(one) for one in found.printed), *hints(found))


def _limits(found: BayesianCheck) -> Iterator[str]:
    """Whether the stated limits are kept."""
    names = {"alpha": ("type I error", found.statement.alpha), "power": ("power", found.statement.power)}
    for key, kept in found.limits.items():
        name, limit = names[key]
        value = digits(key, found.exact["type_i_error" if key == "alpha" else "power"])
        yield f"The exact {name} of {value} {'keeps' if kept else 'misses'} its limit of {limit:g}."


def _bounds(found: BayesianCheck) -> Iterator[str]:
    name, stated = CALLED[found.statement.rule], found.statement.stated
    if found.by_rule is not None:
        if stated is None:
            yield "No bounds are stated; the exact values are those of the bounds that the rule gives."
        elif not found.differing:
            yield f"The stated bounds are those that {name} gives with these parameters."
        else:
            yield (
                f"The stated bounds are not those that {name} gives with these parameters: they differ at the "
                f"{_looks(found.differing)}."
            )
    origin = found.found
    if origin is None or (origin.ranges and found.by_rule is not None and not found.differing):
        return
    limit = " with gamma at most 1, as published," if found.statement.rule == "bop2" else ""
    values = listed([f"{SHOWN[key]} {value:.12g}" for key, value in origin.inside.items()])
    if origin.ranges:
        yield f"{name}{limit} gives the stated bounds, for example with {values}."
        return
    yield f"No parameters of {name}{limit} give the stated bounds."
    n, mine, theirs = next((n, mine, theirs) for n, mine, theirs in _beside(found) if mine != theirs)
    yield (
        f"The nearest bounds that it gives, with {values}, differ first at the look at {counted(n, 'patient')}: "
        f"{_said(mine)} there, and {_said(theirs)} as stated."
    )


def _said(one: LookBounds) -> str:
    """A bound in a sentence."""
    return "no bound" if one[1] is None and one[2] is None else bound(one)


def _beside(found: BayesianCheck) -> list[tuple[int, LookBounds, LookBounds]]:
    """The nearest bounds beside the stated ones."""
    from simtrial.review.bayesian_origin import bounds_of

    if found.found is None or found.statement.stated is None:
        return []
    pairs = zip(found.found.nearest, bounds_of(found.statement.stated), strict=True)
    return [(mine[0], mine, theirs) for mine, theirs in pairs]


def digits(name: str, value: float) -> str:
    """An exact value with the digits of a table."""
    return f"{value:.4f}" if name == "en_p0" else f"{value:.6f}"


def _printed(one: PrintedValue) -> str:
    what = f"The printed {PRINTED[one.name]} of {one.printed}"
    exact = f"the exact value is {digits(one.name, one.exact)}"
    apart = one.standard_errors
    if one.closeness == "agrees":
        return f"{what} agrees: {exact}."
    if apart is None:
        return f"{what} is not the exact value rounded: {exact}. If it was simulated, state the number of trials."
    count = "more standard errors than can be" if apart == float("inf") else f"{apart:.1f} Monte Carlo standard errors"
    if one.closeness == "within":
        return f"{what} is within Monte Carlo error: {exact}, {count} away."
    return (
        f"{what} is beyond Monte Carlo error: {exact}, {count} away, and chance is taken to explain up to {BEYOND:g}."
    )


def hints(found: BayesianCheck) -> Iterator[str]:
    """What may explain a difference, where it can be shown."""
    stated = found.statement.stated
    rows = [(n, mine, theirs) for n, mine, theirs in found.rows if n in found.differing]
    if found.not_strict:
        yield (
            "The stated bounds follow if comparisons are not strict: a probability that equals its threshold stops the "
            "trial there. As published the rule has strict comparisons."
        )
    elif stated is not None and rows:
        zeros = [
            n
            for n, mine, theirs in rows
            if mine and theirs and mine[1] is None and theirs[1] == 0 and mine[2] == theirs[2]
        ]
        if len(zeros) == len(rows):
            yield (
                f"At the {_looks(tuple(zeros))} the stated bound 0 stops a trial without a response, and by the rule "
                "nothing is futile there. Some programs write 0 where there is no bound."
            )
        if all(mine and theirs and mine[1] == (theirs[1] or 0) - 1 for _, mine, theirs in found.rows):
            yield (
                "Every stated bound for futility is one larger than that of the rule: perhaps it is the smallest "
                "number of responses with which the trial continues."
            )
    yield from _other_values(found)


def _other_values(found: BayesianCheck) -> Iterator[str]:
    """What else the printed values that do not fit may be."""
    off = {one.name: one.printed for one in found.printed if one.closeness in ("beyond", "differs")}
    if not off:
        return
    given = found.statement
    if found.by_rule is not None and found.differing:
        others = compared(found.by_rule, given.p0, given.p1, off, given.trials)
        fit = [PRINTED[one.name] for one in others if one.closeness in ("agrees", "within")]
        if fit:
            yield f"With the bounds that the rule gives, the printed {listed(fit)} would fit."
    if not any(look.e is not None for look in found.design.looks[:-1]):
        return
    for one in found.printed:
        rate = {"type_i_error": given.p0, "attained_power": given.p1}.get(one.name)
        if one.name not in off or rate is None:
            continue
        late = float(operating_characteristics(found.design, [rate]).reject_by_look[0, -1])
        spread = None if given.trials is None else (late * (1 - late) / given.trials) ** 0.5
        failure = PrintedValue(name=one.name, printed=one.printed, exact=late, mcse=spread)
        if failure.closeness in ("agrees", "within"):
            yield (
                f"The printed {PRINTED[one.name]} fits the probability of rejecting H0 at the last look alone, "
                f"{digits(one.name, late)}: a stop for efficacy before it was perhaps counted as a failure."
            )


def printed_json(printed: Iterable[PrintedValue]) -> list[dict[str, object]]:
    """Printed values beside the exact ones, for programs."""
    names = ("name", "printed", "exact", "mcse", "standard_errors", "closeness")
    return [{name: getattr(one, name) for name in names} for one in printed]


def as_json(found: BayesianCheck) -> dict[str, object]:
    """The check as one object: the keys of every check, and those of a Bayesian one."""
    said = lines(found)

    def stops(one: LookBounds | None) -> dict[str, int | None] | None:
        return None if one is None else {"r": one[1], "e": one[2]}

    origin, alone = found.found, found.statement.stated is None
    return {
        "verdict": found.kind,
        "conventions": [NOT_STRICT] if found.not_strict else [],
        "attained": found.exact,
        "expected": []
        if found.by_rule is None
        else [{"method": found.statement.rule, "looks": looks_text(found.by_rule)}],
        "explanation": " ".join(said),
        "lines": list(said),
        "rule": found.statement.rule,
        "bounds": {
            "agree": None if alone else not found.differing,
            "looks": [
                {"n": n, "rule": stops(mine), "stated": stops(theirs), "agree": None if alone else mine == theirs}
                for n, mine, theirs in found.rows
            ],
        },
        "limits": found.limits,
        "printed": printed_json(found.printed),
        "parameters": None if origin is None else {
            "give_the_bounds": bool(origin.ranges),
            "one": origin.inside,
            "ranges": {one.name: [one.low, one.high] for one in origin.ranges},
            **{name: list(found.statement.prior(name).pair) for name in PRIORS[found.statement.rule]},
            "corners": [list(corner) for corner in origin.corners],
        },
    }  # fmt: skip
