"""Habits of others that change what a stated sample size means, tried one by one, then in pairs; never more, since
enough conventions explain anything. The fewest that explain it are named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, takewhile
from typing import TYPE_CHECKING, Literal, TypeAlias

from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted
from simtrial.plan.allowances import OTHERS
from simtrial.review import reach
from simtrial.review.readings import EXACT, TWO_STAGE, Reading, answers, is_exact, matching, plain
from simtrial.search import simon, single, wording
from simtrial.search.formulas import FORMULAS
from simtrial.trial.statement import ONE_STAGE, SIMON, TWO_STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from simtrial.plan.allowances import Allowance
    from simtrial.review.readings import Answer
    from simtrial.trial.statement import Statement

SUSTAINED = single.SUSTAINED.method


@dataclass(frozen=True, slots=True)
class Convention:
    """A habit of others that changes what a statement means.

    Attributes
    ----------
    name : str
        Short, as in the JSON.
    sentence : str
        What it is: a clause that follows "provided"; of a formula, its name.
    readings : callable
        The readings it makes of one; none where it does not apply.
    kind : str
        What it is about, for `goes_with`.
    """

    name: str
    sentence: str
    readings: Callable[[Reading], Iterable[Reading]]
    kind: Literal["other", "dropout", "sides", "formula", "rounded formula"] = "other"

    def goes_with(self, other: Convention) -> bool:
        """Whether two make a pair: formulas go with dropout and sides of alpha, odd roundings with dropout."""
        partners = {"formula": ("dropout", "sides"), "rounded formula": ("dropout",)}
        return all(a.kind not in partners or b.kind in partners[a.kind] for a, b in ((self, other), (other, self)))


def _with(reading: Reading, **numbers: object) -> Iterator[Reading]:
    """The reading with other numbers; none if they cannot be."""
    try:
        yield replace(reading, statement=replace(reading.statement, **numbers))  # type: ignore[arg-type]  # checked there
    except InputError:
        return


def _two_sided(reading: Reading) -> Iterator[Reading]:
    if reading.statement.alpha_sided != 2:
        yield from _with(reading, alpha_sided=2)


def _one_sided(reading: Reading) -> Iterator[Reading]:
    if reading.statement.alpha_sided == 2:
        yield from _with(reading, alpha_sided=1)


def _beta(reading: Reading) -> Iterator[Reading]:
    if reading.statement.power is not None and reading.statement.power < 0.5:
        yield from _with(reading, power=round(1 - reading.statement.power, 12))


def _success(*names: str) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        given = {name: getattr(reading.statement, name) for name in names}
        if all(given.values()):  # stated, and not 0
            yield from _with(reading, **{name: value - 1 for name, value in given.items()})

    return readings


def _second_stage(reading: Reading) -> Iterator[Reading]:
    if reading.statement.n1 is not None and reading.statement.n is not None:
        yield from _with(reading, n=reading.statement.n1 + reading.statement.n)


def _methods(names: tuple[str, ...], stages: int) -> Callable[[Reading], Iterator[Reading]]:
    exact = all(is_exact(name) for name in names)

    def readings(reading: Reading) -> Iterator[Reading]:
        if not exact and reading.statement.criterion == single.FIRST.key:
            return  # the exact test is named, so that no formula is meant
        known = all(method in EXACT or not is_exact(method) for method in reading.methods)  # none of another family
        if known and reading.statement.stages == stages and not set(names) <= set(reading.methods):
            yield replace(reading, methods=names)

    return readings


def _estimate(name: str, *criteria: str | None) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if reading.statement.criterion in criteria and reading.statement.r is None:  # else a test is named or stated
            yield replace(reading, methods=(name,))

    return readings


def _slack(alpha: float, power: float) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if not reading.alpha_slack and not reading.power_slack:
            # a bare number, of one stage or of two, is explained by too much already
            bare = reading.statement.stages == 1
            methods = tuple(m for m in reading.methods if not (bare and m in TWO_STAGE))
            yield replace(reading, methods=methods, alpha_slack=alpha, power_slack=power)

    return readings


def _limit(reading: Reading) -> Iterator[Reading]:
    if TWO_STAGE & set(reading.methods) and reading.statement.stages == 2:
        yield replace(reading, search_limit=100)


def _allowed(allowance: Allowance) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if (reading.statement.total is not None or reading.stages_inflated) and reading.statement.dropout:
            yield replace(reading, allowance=allowance)

    return readings


def _inflated(reading: Reading) -> Iterator[Reading]:
    """The n stated for the design already allows for dropout."""
    s = reading.statement
    if s.dropout and s.n is not None and s.total is None:
        yield from _with(reading, n=None, total=s.n)


def _stages(reading: Reading) -> Iterator[Reading]:
    if reading.statement.dropout and reading.statement.n1 is not None and reading.statement.total is None:
        yield replace(reading, stages_inflated=True)


SWAPPED = "criterion swapped"
"""The name of the convention that takes one of Simon's criteria for the other."""

FALLING = Convention("failures", "failures are counted, because p1 is below p0", lambda reading: (reading,))

CONVENTIONS = (
    Convention(SWAPPED, "optimal is read as minimax, or the reverse", _methods(SIMON[:-1], 2)),
    Convention(
        simon.ADMISSIBLE,
        "an admissible design that is neither minimax nor optimal is accepted",
        _methods((simon.ADMISSIBLE,), 2),
    ),
    Convention(
        SUSTAINED,
        "the n is chosen from which on every larger n meets both limits too",
        _methods((SUSTAINED,), 1),
    ),
    Convention("alpha two-sided", "alpha is two-sided, with half of it on each side", _two_sided, "sides"),
    Convention("alpha one-sided", "alpha, although called two-sided, is used on one side", _one_sided, "sides"),
    Convention("beta for power", "what is called power is beta", _beta),
    Convention(
        "r1 counts successes",
        "r1 is the smallest number of responses that continues to stage 2, not the largest that stops",
        _success("r1"),
    ),
    Convention(
        "r counts successes",
        "r is the smallest number of responses that rejects H0, not the largest that does not",
        _success("r"),
    ),
    Convention(
        "both count successes",
        "r1 and r are the smallest numbers of responses that continue and reject H0",
        _success("r1", "r"),
    ),
    Convention("n is n2", "the second number of patients is that of the second stage alone", _second_stage),
    Convention("n with dropout", "the n of the design already allows for dropout", _inflated, "dropout"),
    Convention(
        "stages inflated",
        "the stages already allow for dropout and the bounds are those of the evaluable patients",
        _stages,
        "dropout",
    ),
    *(Convention(f"dropout: {how.name}", how.sentence, _allowed(how), "dropout") for how in OTHERS),
    Convention(
        "tolerance .005",
        "both errors may exceed their limits by .005, as in EORTC and IDDI software",
        _slack(0.005, 0.005),
    ),
    Convention("alpha rounded", "the attained type I error need keep alpha only to two decimals", _slack(0.00499, 0.0)),
    Convention("power rounded", "the attained power need reach its limit only to two decimals", _slack(0.0, 0.00499)),
    Convention("precision", wording.formula("precision"), _estimate("precision", None, ONE_STAGE), "formula"),
    Convention("Gehan", wording.formula("Gehan"), _estimate("Gehan", None, TWO_STAGES), "formula"),
    Convention("search up to 100", "the search ended at n = 100, the default of clinfun", _limit),
    *(
        Convention(
            f.method + suffix,
            wording.formula(f.method + suffix),
            _methods((f.method + suffix,), 1),
            "rounded formula" if suffix else "formula",
        )
        for suffix in ("", ", nearest", ", truncated")
        for f in FORMULAS
    ),
)
"""In the order in which they are tried: the commonest first."""


Explanation: TypeAlias = "tuple[tuple[Convention, ...], Reading, Answer]"


SETS = tuple(
    chosen
    for number in (0, 1, 2)
    for chosen in combinations(CONVENTIONS, number)
    if number < 2 or chosen[0].goes_with(chosen[1])
)
"""Every set of conventions that is tried, the fewest first."""


def explanations(statement: Statement, tell: Callable[[int], None] | None = None) -> Iterator[Explanation]:
    """Every set of conventions under which some answer agrees, with the reading and the answer; the fewest first.

    A statement whose criterion takes seconds to search is read as it stands alone.

    Parameters
    ----------
    statement : Statement
        With p0, p1, alpha and power.
    tell : callable, optional
        Called with 1 after each of `SETS`.
    """
    start = plain(statement)
    for chosen in SETS[:1] if reach.slow(statement.named, start.statement.requirements) else SETS:
        readings = [start]
        for convention in chosen:
            readings = [after for before in readings for after in convention.readings(before)]
        agreed = next(((reading, answer) for reading in readings for answer in matching(reading)), None)
        if tell is not None:
            tell(1)
        if agreed is not None:
            yield chosen, *agreed


def evidence(statement: Statement, chosen: tuple[Convention, ...]) -> list[str]:
    """What else would explain it with as many conventions, where one does; and how little a formula's n proves."""
    said = []
    if len(chosen) == 1:
        single = takewhile(lambda one: len(one[0]) == 1, explanations(statement))
        others = [(one[0][0], one[1], one[2]) for one in single if one[0] != chosen]
        named = [
            f"{convention.name.removeprefix('dropout: ')}{_arithmetic(reading, answer)}"
            for convention, reading, answer in others[:4]
        ]
        if named:
            more = "; and others" if others[4:] else ""
            same_total = statement.total is not None and all(one[0].kind == "dropout" for one in others)
            subject = agreeing(len(others), "convention", "conventions")
            verb = (
                agreeing(len(others), "gives", "give") if same_total else agreeing(len(others), "explains", "explain")
            )
            what = "the same total" if same_total else "the stated numbers as well"
            said.append(f"The {subject} {'; '.join(named)}{more} {verb} {what}.")
    if any(c.kind in ("formula", "rounded formula") for c in chosen):
        start = plain(statement)
        tried = tuple(c.name for c in CONVENTIONS if c.kind in ("formula", "rounded formula"))
        sizes = {a.n for a in answers(replace(start, methods=tried))}
        said.append(
            f"This is weak evidence: the formulas and their roundings give "
            f"{counted(len(sizes), 'different number')} from {min(sizes)} to {max(sizes)}."
        )
    return said


def _arithmetic(reading: Reading, answer: Answer) -> str:
    """How the allowance for dropout of a reading comes to the total, in brackets."""
    s = reading.statement
    if s.total is None or not s.dropout:
        return ""
    return f" ({reading.allowance.shown(answer.n, s.dropout, answer.n1 or 0)})"
