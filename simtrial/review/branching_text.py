"""The check of a published adaptive two-stage design in words: one finding a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.branching import branching_text
from simtrial.phrases import counted
from simtrial.review.bayesian import PRINTED
from simtrial.review.bayesian_text import digits, printed_json
from simtrial.review.branching import MOST_SEARCHED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.review.bayesian import PrintedValue
    from simtrial.review.branching import TableCheck


def lines(found: TableCheck) -> tuple[str, ...]:
    """The findings, one a sentence or two: reading, limits, printed values, the null hypothesis, the best table."""
    said = (
        [f"The printed values fit if {found.convention}; what follows is for the table read so."]
        if found.convention
        else []
    )
    return (*said, *_limits(found), *(_printed(one) for one in found.printed), _null(found), *_best(found))


def as_exact(one: PrintedValue) -> str:
    """An exact value with at least one digit more than the printed one."""
    decimals = len(one.printed.partition(".")[2]) + 1
    usual = digits(one.name, one.exact)
    return usual if decimals <= len(usual.partition(".")[2]) else f"{one.exact:.{decimals}f}"


def _limits(found: TableCheck) -> Iterator[str]:
    given, exact = found.statement, found.exact
    if (kept := found.limits.get("alpha")) is not None:
        word = "at most" if kept else "ABOVE"
        yield f"The type I error is {exact['type_i_error']:.6f}, {word} alpha = {given.alpha:g}."
    if (kept := found.limits.get("power")) is not None:
        word = "at least" if kept else "BELOW"
        yield f"The power is {exact['power']:.6f}, {word} the {given.power:g} that is stated."


def _printed(one: PrintedValue) -> str:
    what, exact = f"The printed {PRINTED[one.name]} of {one.printed}", as_exact(one)
    if one.closeness == "agrees":
        return f"{what} agrees: the exact value is {exact}."
    if one.standard_errors is None:
        return f"{what} is not the exact value rounded: that is {exact}."
    inside = "within" if one.closeness == "within" else "beyond"
    return (
        f"{what} is {inside} Monte Carlo error: the exact value is {exact}, {one.standard_errors:.1f} standard errors "
        "away."
    )


def _null(found: TableCheck) -> str:
    if found.monotone:
        return "The conditional type I error never falls as responses rise, so the type I error is largest at p0."
    peak, alpha = found.largest, found.statement.alpha
    side = "" if alpha is None else f", {'at most' if peak.value <= alpha else 'ABOVE'} alpha = {alpha:g}"
    return (
        "The conditional type I error falls somewhere as responses rise; over all response rates up to p0 the "
        f"probability of rejecting H0 is at most {peak.value:.6f}, at p = {peak.p:.4g}{side}."
    )


def _best(found: TableCheck) -> Iterator[str]:
    if found.statement.asked is None:
        return
    kind = " and whose conditional type I error never falls" * found.monotone
    tables = f"with at most {counted(found.design.n_max, 'patient')} that keep both limits{kind}"
    if found.design.n_max > MOST_SEARCHED:
        yield f"Whether a better table exists is not searched for tables of more than {MOST_SEARCHED} patients."
        return
    best, excess = found.best, found.excess
    if best is None or excess is None:
        yield f"There are no tables {tables}."
        return
    value, own = f"{best.certificate.value:.4f}", f"{found.exact['en_p0']:.4f}"
    among = f"Among all tables {tables}"
    if not all(found.limits.values()):
        yield f"{among}, the least EN(p0) is {value}: {branching_text(best.design)}."
    elif excess > 0:
        yield (
            f"The table is not the best: {among[0].lower()}{among[1:]}, the least EN(p0) is {value}, and this one has "
            f"{own}. The best is {branching_text(best.design)}."
        )
    else:
        yield f"{among}, none has a smaller EN(p0) than {own}; the linear bound is {best.linear_bound:.4f}."
    if best.certificate.how == "proved":
        yield "More patients give no smaller value, whatever their number."
    else:
        yield f"With more patients no table can be below {best.certificate.bound:.4f}."


def as_json(found: TableCheck) -> dict[str, object]:
    """The check as one object: the keys of every check, and those of a table."""
    said, best = lines(found), found.best
    return {
        "verdict": found.kind,
        "conventions": [found.convention] if found.convention else [],
        "attained": found.exact,
        "expected": [] if best is None else [{"method": "adaptive", "rule": branching_text(best.design)}],
        "explanation": " ".join(said),
        "lines": list(said),
        "rule": "adaptive",
        "table": branching_text(found.design),
        "n": found.design.n_max,
        "limits": found.limits,
        "monotone": found.monotone,
        "largest_type_i_error": {"value": found.largest.value, "p": found.largest.p},
        "printed": printed_json(found.printed),
        "best": None if best is None else {
            "is_best": found.excess == 0 and all(found.limits.values()),
            "excess": found.excess,
            "value": best.certificate.value,
            "linear_bound": best.linear_bound,
            "bound": best.certificate.bound,
            "gap": best.certificate.gap,
            "how": best.certificate.how,
        },
    }  # fmt: skip
