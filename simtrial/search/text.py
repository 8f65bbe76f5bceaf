"""Sentences on designs and on the search that found them."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import TYPE_CHECKING

from simtrial.design.exact import at_limits, operating_characteristics, side
from simtrial.design.second_stages import analyses, branched
from simtrial.phrases import counted, listed, percent_beside, stated
from simtrial.search import simon, single
from simtrial.search.adaptive import text as adaptive
from simtrial.search.adaptive.family import BranchingCandidate
from simtrial.search.criteria import named
from simtrial.search.families import COMPARED, FAMILIES
from simtrial.search.record import Criterion
from simtrial.show.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyCriterion, AnyFamily, Certificate, TwoStageSearch
    from simtrial.search.parameters import ParameterRange, RuleParameters
    from simtrial.search.record import Examined, Preference

SEVERAL_LOOKS = (
    "Schultz JR, Nichol FR, Elfring GL, Weed SD. Multiple-stage procedures for drug screening. Biometrics "
    "1973;29:293-300.",
)
"""What the paragraph for the protocol cites for a design given outright that is of no family."""


def references(design: Design, criterion: Preference | None = None) -> tuple[str, ...]:
    """The literature on a design: that of its family; given outright or taken by the calendar, that of its form."""
    if branched(design.looks) is not None:
        sources = FAMILIES["adaptive"].references
    elif isinstance(criterion, Criterion):
        sources = FAMILIES[criterion.family].references
    elif len(design.looks) == 1:
        sources = single.FAMILY.references
    elif len(design.looks) == 2 and design.looks[0].e is None:
        sources = simon.FAMILY.references
    else:
        sources = SEVERAL_LOOKS
    return (*sources, simon.ADMISSIBLE_REFERENCE) if simon.ADMISSIBLE in getattr(design, "kinds", ()) else sources


def kind(design: Design, criterion: Preference | None = None) -> str:
    """What a design is called: by its kinds or its criterion if it has any, else by its number of looks."""
    kinds = getattr(design, "kinds", ())
    if kinds:
        return f"{'an' if kinds == (simon.ADMISSIBLE,) else 'the'} {named(kinds)} two-stage design"
    if criterion is not None:
        return criterion.protocol or criterion.phrase
    looks = len(analyses(design.looks))
    if branched(design.looks) is not None:
        return "an adaptive two-stage design"
    by_looks = {1: "an exact single-stage design", 2: "a two-stage design"}
    return by_looks.get(looks, f"a design with {counted(looks, 'look')}")


def reason(criterion: Preference, design: Design) -> str:
    """What a design is best at, in one sentence; of an adaptive design with the cap and the order that were asked."""
    return adaptive.best_of(design.found) if isinstance(design, BranchingCandidate) else criterion.why


def exactly(design: Design, requirements: Requirements) -> str:
    """Which limits the design attains exactly: ``the type I error is exactly alpha = 0.01``; empty where none."""
    said = {
        "alpha": f"the type I error is exactly alpha = {requirements.alpha:.15g}",
        "power": f"the power is exactly the required {requirements.power:.15g}",
    }
    return " and ".join(said[name] for name in at_limits(design, requirements))


def limits_missed(design: Design, asked: Requirements) -> str:
    """Which limit a design misses, and which it keeps."""
    attained: tuple[float, float] = tuple(operating_characteristics(design, [asked.p0, asked.p1]).reject.tolist())
    over = side(design, asked.p0, asked.alpha, attained[0]) > 0
    short = side(design, asked.p1, asked.power, attained[1]) < 0
    return limits_missed_by(attained, asked, over=over, short=short)


def limits_missed_by(attained: tuple[float, float], asked: Requirements, *, over: bool, short: bool) -> str:
    """The same of a type I error and a power, of which it is known on which side of their limits they lie."""
    type_i_error, power = attained
    said = [
        (
            over,
            f"its type I error of {percent_beside(type_i_error, asked.alpha)} "
            f"{'exceeds' if over else 'is within'} {stated(asked.alpha)}",
        ),
        (
            short,
            f"its power of {percent_beside(power, asked.power)} {'falls short of' if short else 'reaches'} "
            f"{stated(asked.power)}",
        ),
    ]
    return "; ".join(text for _, text in sorted(said, key=lambda one: not one[0]))


def next_to(two: TwoStageSearch, chosen: Design) -> list[Design]:
    """The designs next to the chosen one on the hull: a larger n for a smaller EN(p0), or the reverse."""
    hull = two.admissible
    at = [i for i, c in enumerate(hull) if c.looks == chosen.looks]
    return [hull[j] for i in at for j in (i - 1, i + 1) if 0 <= j < len(hull)]


def difference(name: str, value: float, form: str = "d") -> str:
    """How a number compares with that of another design.

    >>> difference("n", 4), difference("EN(p0)", -4.52, ".1f"), difference("n", 0)
    ('n is larger by 4', 'EN(p0) is smaller by 4.5', 'n is the same')
    """
    if abs(value) < 0.05:
        return f"{name} is the same"
    return f"{name} is {'larger' if value > 0 else 'smaller'} by {abs(value):{form}}"


REACH = {
    "proved": "",
    "capped": " No design with more than {cap} patients was examined.",
    "heuristic": " The search is not exhaustive: its result exceeds the least possible value by at most {gap:.4g}.",
}
"""How far a search reaches, where it does not reach to a proof."""


def reached(family: AnyFamily | Examined, proof: Certificate) -> str:
    """Why a search is complete, or how far it reaches: one or two sentences."""
    reach = REACH[proof.how].format(cap=proof.cap, gap=proof.gap)
    known = {"n_lower": proof.n_lower, "n_upper": proof.n_upper, "bound": proof.bound}
    bound = family.bound.format(**known, value=proof.value, chance=1 - proof.value)
    return f"{bound}{reach}"


def proved(family: AnyFamily | Examined, proof: Certificate) -> str:
    """What a family is, and why its search is complete: two or three sentences."""
    title = f"{family.title[0].upper()}{family.title[1:]}"
    lacking = f"with fewer than {counted(proof.n_lower, 'patient')} no design meets both limits."
    return f"{title}: {lacking} {reached(family, proof)}"


HOW = {
    "proved": "proved",
    "capped": "proved up to n = {cap}",
    "heuristic": "not proved; at most {gap:.3g} above the least",
}
"""How far a search reaches, in a cell of a table."""

NO_SEARCH = "a rule, not a search"


def how(criterion: AnyCriterion, proof: Certificate) -> str:
    """How far a search reaches, in a few words."""
    if criterion.aim is None and proof.how == "heuristic":
        return NO_SEARCH
    return HOW[proof.how].format(cap=proof.cap, gap=proof.gap)


UNSEEN = " Designs with more than {most} were not examined and may be better."
"""What a search that ends at some n leaves open."""


def proved_by(criterion: AnyCriterion, proof: Certificate, *, given: bool = False) -> str:
    """What one criterion of a family attains, and why nothing better exists: two or three sentences.

    Parameters
    ----------
    criterion : Criterion
        The criterion.
    proof : Certificate
        That of what was found by it.
    given : bool
        Whether the looks were given.
    """
    name = f"{criterion.name[0].upper()}{criterion.name[1:]}"
    if criterion.aim is None:
        missed = " It is not the result of a search and may miss a limit." if how(criterion, proof) == NO_SEARCH else ""
        return f"{name}: {criterion.why}{missed}"
    what, value = criterion.aim.what, f"{proof.value:.4f}"
    least = f"least {what.removeprefix('the ')}"
    lacking = f"with fewer than {counted(proof.n_lower, 'patient')} no design meets both limits"
    unseen = UNSEEN.format(most=counted(proof.cap or proof.n_upper, "patient")) if not given else ""
    if proof.how == "heuristic":
        first = f"of the designs with the fewest patients in this class it has the {least}, {value}"
        attained = first if criterion.aim.smallest_n else f"{what} is {value}"
        return (
            f"{name}: {attained}. No rule with looks among these has {what} below {proof.bound:.4f}, so that this one "
            f"exceeds the least possible value by at most {proof.gap:.4g}. The search is not exhaustive.{unseen}"
        )
    if given:
        return f"{name}: {what} is {value}; no design of the family at these looks has a smaller one."
    if criterion.aim.smallest_n:
        return f"{name}: {lacking}; of the designs with the smallest n it has the {least}, {value}."
    if proof.how == "capped":
        most = counted(proof.cap or proof.n_upper, "patient")
        return f"{name}: {lacking}; of the designs with at most {most} it has the {least}, {value}.{unseen}"
    beyond = f"with more than {counted(proof.n_upper, 'patient')} {what} is at least {value}"
    return f"{name}: {lacking}; {beyond}, which it attains."


def leading(found: RuleParameters | None) -> str:
    """The priors and the parameters of a rule that lead to a design; empty where it follows from none."""
    if found is None:
        return ""
    example = f"the rule gives it with {listed([f'{name} = {value:.10g}' for name, value in found.one.items()])}"
    if found.corners:
        ends = listed([_from_to(one) for one in found.ranges])
        return f"{believed(found.priors)} {example}. Other values that give it together lie within {ends}."
    ends = listed([f"{'' if one.low == one.high else 'any '}{_from_to(one)}" for one in found.ranges])
    return f"the bounds follow {believed(found.priors)} from {ends}. For example, {example}."


def believed(priors: Mapping[str, tuple[float, float]]) -> str:
    """Priors in words: ``with the prior Beta(0.2, 0.8)``."""
    said = [f"Beta({a:.10g}, {b:.10g})" for a, b in priors.values()]
    if len(said) == 1:
        return f"with the prior {said[0]}"
    return f"with the priors {said[0]} of the new treatment and {said[1]} of the standard"


def _from_to(one: ParameterRange) -> str:
    """A range in words: ``theta_l above 0.0007846 and up to 0.001166``.

    Its ends are rounded into it, to four digits or as many more as leave something between them.
    """
    if one.low == one.high:
        return f"{one.name} = {one.low:g}"
    for digits in range(4, 18):
        low, high = (
            Context(prec=digits, rounding=way).create_decimal(repr(end))
            for end, way in ((one.low, ROUND_CEILING), (one.high, ROUND_FLOOR))
        )
        if low < high:
            break
    start = "above" if one.includes == "high" else "from"
    end = "to below" if one.includes == "low" else "and up to" if one.includes == "high" else "to"
    return f"{one.name} {start} {low.normalize():f} {end} {high.normalize():f}"


def certificate(
    two: TwoStageSearch,
    family: AnyFamily | Examined | None = None,
    found: Certificate | None = None,
    criterion: Preference | None = None,
) -> Passage:
    """The proof of optimality in words; of another family than those always compared, its own stands first."""
    proof, asked = two.certificate, two.requirements
    own: tuple[str, ...] = ()
    if family is not None and found is not None and family.key not in COMPARED:
        by = criterion if isinstance(criterion, Criterion) and FAMILIES[criterion.family].on_request else None
        own = (proved(family, found) if by is None else proved_by(by, found),)
    return Passage(
        "certificate_in_words",
        (
            *own,
            f"With fewer than {counted(proof.n_lower, 'patient')} even the most powerful test of level {asked.alpha:g} "
            f"does not reach the power. From n = {proof.n_lower} to {proof.n_upper} the best bounds were found for "
            f"every pair (n1, n) that could still be optimal; {proof.n_minimax} is the smallest n with a design. With "
            f"more than {counted(proof.n_upper, 'patient')} every two-stage design has EN(p0) >= "
            f"{proof.en_beyond:.4f}; that of the optimal design is {proof.en_optimal:.4f}.",
            "Designs with r1 = r are not considered, because their second stage cannot change the decision.",
        ),
    )
