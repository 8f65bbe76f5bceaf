"""The rule for toxicity in sentences: its counts, its window, where the counts come from, and what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simtrial.months import WEEK
from simtrial.phrases import agreeing, attained, counted, listed, percent, spanned, stated, together
from simtrial.show.passage import Passage
from simtrial.toxicity.boundary import crossing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.calibrate import CalibratedBoundary
    from simtrial.toxicity.kinds import BoundaryKind
    from simtrial.toxicity.rule import ToxicityRule

ASIDE = "The rule for toxicity is left aside here; what it changes stands in the section on response and toxicity"
"""Beside values of the response design alone, in a trial that has a rule for toxicity."""

UNLESS_STOPPED = "Each decision holds unless the trial is stopped for toxicity"
"""Beside what follows from each number of responses."""

MOST_RUNS = 12
"""Counts up to which a sentence holds them all; of more it names the first two and the last."""

NAMES: dict[BoundaryKind, str] = {
    "pocock": "Pocock-type",
    "obf": "O'Brien-Fleming-type",
    "wang_tsiatis": "Wang-Tsiatis",
    "bayes": "Bayesian",
    "sprt": "sequential probability ratio test (SPRT)",
}
"""What a type of boundary is called."""

_IVANOVA = (
    "Ivanova A, Qaqish BF, Schell MJ. Continuous toxicity monitoring in phase II trials in oncology. Biometrics "
    "2005;61:540-545."
)
_WANG = (
    "Wang SK, Tsiatis AA. Approximately optimal one-parameter boundaries for group sequential trials. Biometrics "
    "1987;43:193-199."
)
REFERENCES: dict[BoundaryKind, tuple[str, ...]] = {
    "pocock": (_IVANOVA,),
    "obf": (
        "O'Brien PC, Fleming TR. A multiple testing procedure for clinical trials. Biometrics 1979;35:549-556.",
        _WANG,
    ),
    "wang_tsiatis": (_WANG,),
    "bayes": (
        "Geller NL, Follman D, Leifer ES, Carter SL. Design of early trials in stem cell transplantation: a hybrid "
        "frequentist-Bayesian approach. In: Geller NL, editor. Advances in clinical trial biostatistics. New York: "
        "Marcel Dekker; 2003.",
    ),
    "sprt": (
        "Goldman AI. Issues in designing sequential stopping rules for monitoring side effects in clinical trials. "
        "Control Clin Trials 1987;8:327-337.",
    ),
}
"""The literature on a type of boundary."""


def statement(rule: ToxicityRule, *more: str) -> Passage:
    """The rule as a protocol states it: counts, window, where the counts come from, what they do, and references.

    Sentences on the trial that it belongs to may be added.
    """
    said, cited = " ".join((*sentences(rule), *more)), references(rule)
    return Passage("toxicity_rule", (said, *((f"References: {' '.join(cited)}",) if cited else ())), quoted=True)


def sentences(rule: ToxicityRule) -> tuple[str, ...]:
    """The same without its references, in sentences."""
    idle = never(rule.boundary)
    return (
        stops(rule.boundary),
        *((idle,) if idle else ()),
        convention(rule.boundary),
        window(rule),
        *origin(rule),
        properties(rule),
    )


def applied(rule: ToxicityRule) -> Passage:
    """How the rule is applied, where its counts come from, and what it does: a short paragraph each, beside a table."""
    idle = never(rule.boundary)
    first = (convention(rule.boundary), *((idle,) if idle else ()), window(rule))
    cited = references(rule)
    more = (f"References: {' '.join(cited)}",) if cited else ()
    return Passage("toxicity_rule", (" ".join(first), " ".join(origin(rule)), properties(rule), *more))


def stops(boundary: ToxicityBoundary) -> str:
    """The rule in one sentence.

    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> stops(parse_boundary("3/3,3/4,3/5,4/6"))
    'Accrual stops if 3 or more of the first 3 to 5 patients have had a toxicity, or 4 or more of the first 6.'
    >>> stops(parse_boundary("1/1"))
    'Accrual stops if the first patient has had a toxicity.'
    """
    (b, at), *further = _runs(boundary) or [(0, [])]
    if not at:
        return "No number of toxicities stops accrual."
    if (b, at) == (1, [1]):
        first = "the first patient has had a toxicity"
    else:
        first = f"{_of(b, at)} {agreeing(at[-1], 'patient has', 'patients have')} had a toxicity"
    parts = [first, *(_of(b, at) for b, at in further)]
    if len(parts) > MOST_RUNS:
        parts = [*parts[:2], "...", parts[-1]]
    said = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, or {parts[-1]}"
    return f"Accrual stops if {said}."


def _runs(boundary: ToxicityBoundary) -> list[tuple[int, list[int]]]:
    return together((look.n, look.b) for look in boundary.looks)


def _of(b: int, at: Sequence[int]) -> str:
    """At least b of the first patients: "3 or more of the first 3 or 4"; all of them where no more can be."""
    return f"{b}{' or more' if b < at[-1] else ''} of the first {_sizes(at)}"


def _sizes(at: Sequence[int]) -> str:
    return spanned(at).replace(" and ", " or ")


def short(boundary: ToxicityBoundary, *, whole: bool = True) -> str:
    """The counts alone, neighbours together.

    Without `whole` those are left out that no trial reaches, and of many more than the first two and the last.

    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> short(parse_boundary("3/3,3/4,4/5,4/6,4/7"))
    '3 of 3 or 4, 4 of 5 to 7'
    """
    held = [] if whole else unreached(boundary)
    found = [f"{b} of {_sizes(at)}" for b, at in _runs(boundary) if whole or not set(at) <= set(held)]
    return ", ".join(found if whole or len(found) <= MOST_RUNS else (*found[:2], "...", found[-1])) or "none"


def convention(boundary: ToxicityBoundary) -> str:
    """Which of the two ways of writing a boundary this is."""
    alone = len(_runs(boundary)) == 1
    many = ("This is the smallest number", "number") if alone else ("These are the smallest numbers", "numbers")
    return (
        f"{many[0]} of patients with a toxicity that {agreeing(alone, 'stops', 'stop')} accrual; the largest "
        f"acceptable {many[1]} {agreeing(alone, 'is', 'are')} smaller by 1."
    )


def unreached(boundary: ToxicityBoundary) -> list[int]:
    """The looks, by their numbers of patients, at which no trial can be the first to cross.

    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> unreached(parse_boundary("2/3,2/4,3/5,5/7"))
    [5, 7]
    """
    found, most, before = [], 0, 0  # most toxicities that a trial may have at the look before without having crossed
    for look in boundary.looks:
        most, before = most + look.n - before, look.n
        if look.b is not None:
            if most < look.b:
                found.append(look.n)
            most = min(most, look.b - 1)
    return found


def never(boundary: ToxicityBoundary) -> str:
    """Which numbers stand in the rule and stop no trial; empty where each stops some.

    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> never(parse_boundary("3/3,3/4,3/5,4/6"))
    'The number for the first 6 of the patients stops no trial: a trial that reaches it has been stopped before.'
    """
    out = set(unreached(boundary))
    idle = [_sizes(at) for _, at in _runs(boundary) if set(at) <= out]
    if not idle:
        return ""
    first, it = listed(idle), agreeing(len(idle), "it", "them")
    return (
        f"The {agreeing(len(idle), 'number')} for the first {first} of the patients "
        f"{agreeing(len(idle), 'stops', 'stop')} no trial: a trial that reaches {it} has been stopped before."
    )


def brief(rule: ToxicityRule) -> tuple[str, ...]:
    """The rule in the sentences that a reader needs to apply it; `sentences` says where the counts come from too."""
    limit = rule.limit
    found = crossing(rule.boundary, [rule.acceptable, rule.unacceptable])
    crossed = percent(float(found.ever[0])) if limit is None else attained(float(found.ever[0]), limit, least=False)
    return (
        stops(rule.boundary),
        f"A toxicity counts if it occurs within {weeks(rule)} of enrollment, and as soon as it occurs; accrual does "
        "not wait for pending patients.",
        f"If nothing else stops the trial, these numbers do so with probability {crossed} at the acceptable rate of "
        f"{stated(rule.acceptable)} and {percent(float(found.ever[1]))} at the unacceptable rate of "
        f"{stated(rule.unacceptable)}.",
    )


def weeks(rule: ToxicityRule) -> str:
    """The window, in weeks: "6 weeks"."""
    return counted(float(f"{rule.window / WEEK:.6g}"), "week")


def window(rule: ToxicityRule) -> str:
    """When a patient counts, with a toxicity and without one."""
    return (
        f"Patients count in the order of enrollment. A toxicity counts if it occurs within {weeks(rule)} of "
        "enrollment, and as soon as it occurs. A patient counts as one without toxicity only after "
        f"{weeks(rule)} of follow-up and is pending until then; accrual does not wait for pending patients."
    )


def origin(rule: ToxicityRule) -> tuple[str, ...]:
    """Where the counts come from, in sentences."""
    if rule.calibration is None:
        return ("The numbers are given outright; they are not derived from a crossing probability.",)
    return calibration(rule.calibration)


def calibration(found: CalibratedBoundary) -> tuple[str, ...]:
    """How a boundary was calibrated: its type, its parameter, and the crossing probability that it attains."""
    rate = stated(found.shape.rate)
    return (
        _type(found),
        f"Of all boundaries of this type at these numbers of patients, it is the one with the largest probability of "
        f"crossing at the acceptable rate of {rate} that is at most {stated(found.limit)}: "
        f"{attained(found.attained, found.limit, least=False)}.",
    )


def _type(found: CalibratedBoundary) -> str:
    shape, rate = found.shape, stated(found.shape.rate)
    article = "an" if shape.kind == "obf" else "a"
    return f"The boundary is {article} {NAMES[shape.kind]} boundary: {_how(found, rate)}."


def _how(found: CalibratedBoundary, rate: str) -> str:
    """What a type stops at, with a parameter that leads to this boundary."""
    shape = found.shape
    if shape.kind == "bayes":
        prior = "Beta({:g}, {:g})".format(*(shape.prior or (shape.rate, round(1 - shape.rate, 12))))
        return (
            f"at a look the trial stops if the posterior probability that the rate of toxicity exceeds {rate} is "
            f"more than {threshold(found)}, with the prior {prior}"
        )
    if shape.kind == "sprt":
        return (
            f"at a look the trial stops if the log-likelihood ratio of {stated(shape.unacceptable or 0.0)} to {rate} "
            f"is at least {threshold(found)}"
        )
    if shape.kind == "pocock":
        return (
            "at a look the trial stops with the smallest number of toxicities whose exact tail probability at "
            f"{rate} is at most {threshold(found)}"
        )
    delta = 0.5 if shape.delta is None else shape.delta
    return (
        "at a look the trial stops with the smallest number of toxicities whose exact tail probability at "
        f"{rate} is at most a level that rises with the number of patients, to {threshold(found)} at the last look "
        f"(Wang-Tsiatis family with the exponent {delta:g}, where 0 is Pocock's)"
    )


def threshold(found: CalibratedBoundary) -> str:
    """The parameter of a boundary in the fewest digits with which it leads to the same boundary.

    Of the interval of the parameter one end leads to it and the other does not: the lower one does, of a level or of a
    posterior probability that is to be exceeded, and the upper one of a likelihood ratio that is to be reached.
    """
    low, high = found.parameter
    reached = found.shape.kind == "sprt"
    for digits in range(2, 15):
        scale = 10.0**digits
        value = math.floor(high * scale) / scale if reached else math.ceil(low * scale) / scale
        # the end that does not belong to the interval may be missed by its last bit
        if (low * (1 + 1e-9) < value <= high) if reached else (low <= value < high * (1 - 1e-9)):
            return f"{value:.{digits}f}"
    return f"{high if reached else low!r}"


def properties(rule: ToxicityRule) -> str:
    """The exact probability of crossing and the expected patients at both rates, if nothing else stops the trial."""
    found = crossing(rule.boundary, [rule.acceptable, rule.unacceptable])
    low, high = (percent(float(value)) for value in found.ever)
    en = " and ".join(f"{float(value):.1f}" for value in found.en)
    return (
        f"If nothing else stops the trial, the boundary is crossed with probability {low} at the acceptable rate of "
        f"{stated(rule.acceptable)} and {high} at the unacceptable rate of {stated(rule.unacceptable)}; the expected "
        f"numbers of patients counted are {en}."
    )


def references(rule: ToxicityRule) -> tuple[str, ...]:
    """The literature on its type; none where the counts are given outright."""
    return () if rule.calibration is None else REFERENCES[rule.calibration.shape.kind]


def odds(odds_ratio: float) -> str:
    """The association of response and toxicity in words.

    >>> odds(1), odds(2.5), odds(0), odds(math.inf)
    ('independent', 'odds ratio 2.5', 'strongest negative', 'strongest positive')
    """
    if math.isinf(odds_ratio):
        return "strongest positive"
    return {0.0: "strongest negative", 1.0: "independent"}.get(odds_ratio, f"odds ratio {odds_ratio:g}")
