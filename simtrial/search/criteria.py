"""The register of criteria, and the design that is best by one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.search.aim import Aim
from simtrial.search.calendar import CALENDAR
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.families import COMPARED, FAMILIES
from simtrial.search.record import AnyCriterion, Criterion, Found, Preference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simtrial.design.designs import Design, Look
    from simtrial.design.requirements import Requirements
    from simtrial.search.calendar import CalendarCriterion
    from simtrial.search.record import AnyFamily, Family, SearchResult


class Criteria(Mapping[str, AnyCriterion]):
    """The criteria of a register of families, by key; a family that is added later is seen too.

    Parameters
    ----------
    families : Mapping of str to Family
        The register.
    """

    def __init__(self, families: Mapping[str, AnyFamily]) -> None:
        self._families = families

    def _all(self) -> Iterator[AnyCriterion]:
        return (criterion for family in self._families.values() for criterion in family.criteria)

    def __getitem__(self, key: str) -> AnyCriterion:
        for criterion in self._all():
            if criterion.key == key:
                return criterion
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (criterion.key for criterion in self._all())

    def __len__(self) -> int:
        return sum(1 for _ in self._all())

    def of(self, family: str) -> tuple[AnyCriterion, ...]:
        """The criteria of one family."""
        return self._families[family].criteria


CRITERIA = Criteria(FAMILIES)
"""The criteria that parameter files, the command line and the explorer know."""


USUAL = next(iter(CRITERIA))
"""The key that is offered where nobody has chosen yet: the first of the register."""


def preference(key: str) -> AnyCriterion | CalendarCriterion | None:
    """The criterion of a key, of a family or of the calendar; None if there is none."""
    return CRITERIA.get(key) or CALENDAR.get(key)


def compared(criterion: Preference | None) -> bool:
    """Whether a criterion is one of the families whose designs stand beside every chosen design anyway."""
    return isinstance(criterion, Criterion) and criterion.family in COMPARED


def named(kinds: Iterable[str]) -> str:
    """The names of a design that is of these kinds: "Simon minimax and Simon optimal"; "admissible" is no criterion."""
    keys = tuple(kinds)
    for family in FAMILIES.values():
        if family.together and set(keys) == {criterion.key for criterion in family.criteria}:
            return family.together
    return " and ".join(criterion.name if (criterion := preference(key)) else key for key in keys)


def with_names(family: Family[Found], found: Found) -> list[tuple[tuple[str, ...], Design]]:
    """The designs that a search found and that have names, each once, with its kinds: keys of criteria, or others."""
    kinds: dict[tuple[Look, ...], tuple[str, ...]] = {}
    designs: dict[tuple[Look, ...], Design] = {}
    picked = [((criterion.key,), criterion.pick(found)) for criterion in family.criteria]
    for more, design in [*((getattr(one, "kinds", ()), one) for one in family.listed(found)), *picked]:
        designs.setdefault(design.looks, design)
        before = kinds.get(design.looks, ())
        kinds[design.looks] = (*before, *(key for key in more if key not in before))
    return [(kinds[looks], design) for looks, design in designs.items()]


class SearchKeeper(Protocol):
    """Somebody who keeps what the search of each family found."""

    def __call__(self, family: Family[Found]) -> Found:
        """What it found."""
        ...


def choose(
    requirements: Requirements,
    wish: str | AnyCriterion | Design,
    *,
    n_limit: int = N_LIMIT,
    families: Mapping[str, AnyFamily] = FAMILIES,
    found: SearchKeeper | None = None,
) -> Design:
    """Give the design that is wished for: the best one by a criterion, or the design itself.

    Parameters
    ----------
    wish : str, Criterion or Design
        A criterion or its key, such as ``minimax`` or ``single_stage_first``, or any design. A two-stage design that
        is admissible comes back as the candidate that it is.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this.
    families : Mapping of str to Family
        The families whose criteria may be wished for.
    found : callable, optional
        Gives what the search of a family found, where somebody keeps it; every search is made here if not.

    Raises
    ------
    InputError
        If the criterion is unknown.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> choose(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8), "minimax").looks
    (Look(n=15, r=1, e=None), Look(n=25, r=5, e=None))
    """

    def search(family: Family[Found]) -> Found:
        return found(family) if found is not None else family.search(requirements, n_limit=n_limit)

    if isinstance(wish, str | Criterion):
        criterion = by_key(wish, families) if isinstance(wish, str) else wish
        return criterion.pick(search(families[criterion.family]))
    for family in families.values():
        if family.recognised is not None and isinstance(wish, family.recognised):
            listed = family.listed(search(family))
            return next((design for design in listed if getattr(design, "design", design) == wish), wish)
    return wish


def by_key(key: str, families: Mapping[str, AnyFamily] = FAMILIES) -> AnyCriterion:
    """The criterion of a key.

    Raises
    ------
    InputError
        If there is none.
    """
    criteria = Criteria(families)
    if key not in criteria:
        *others, last = criteria
        raise InputError(f"({key!r}) is unknown; write {', '.join(others)} or {last}", "criterion")
    return criteria[key]


def in_family(family: AnyFamily, word: str) -> AnyCriterion:
    """The criterion of a family by its key, or by what it is called within the family.

    Raises
    ------
    InputError
        If the family has none of that name.
    """
    for criterion in family.criteria:
        if word in (criterion.key, criterion.short):
            return criterion
    *others, last = (criterion.short for criterion in family.criteria)
    known = f"{', '.join(others)} or {last}" if others else last
    raise InputError(f"({word!r:.40}) is no criterion of {family.title}; write {known}", "criterion")


def weighed(criterion: AnyCriterion, weight: float) -> AnyCriterion:
    """The criterion of the same family that makes (1 - weight) EN(p0) + weight EN(p1) small.

    Raises
    ------
    InputError
        If the family is not searched by weights, or the weight is not from 0 to 1.
    """
    searched = FAMILIES[criterion.family]
    if not searched.weighs:
        raise InputError(f"is not possible for {searched.title}; leave it out", "weight")
    aim = Aim.between(TABLE["weight"].check(weight, "weight"))
    return replace(
        criterion,
        name=f"{criterion.name.partition(',')[0]}, least {aim.what}",
        phrase=f"the design with the least {aim.what} among {searched.title}",
        why=f"Among {searched.title} it has the least {aim.what}.",
        aim=aim,
        pick=lambda found: found.result(aim).best,
        best=aim.best,
    )


def family(
    question: Requirements,
    criterion: str | AnyCriterion,
    constraints: Constraints = FREE,
    *,
    n_limit: int = N_LIMIT,
) -> SearchResult:
    """Answer one question by one criterion: the best design of its family, with the proof.

    Parameters
    ----------
    question : Requirements
        p0, p1 and the limits, as decimals.
    criterion : str or Criterion
        One of the register or its key: ``optimal``, ``efficacy_en_p1``, ``three_stage_minimax``.
    constraints : Constraints
        What else is asked of the design.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this.

    Raises
    ------
    InputError
        If the criterion is unknown, its family does not take a constraint, or no design is left.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> found = family(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8), "optimal")
    >>> found.best.looks[0], found.certificate.how
    (Look(n=10, r=1, e=None), 'proved')
    """
    wanted = by_key(criterion) if isinstance(criterion, str) else criterion
    searched = FAMILIES[wanted.family]
    return searched.result(searched.search(question, n_limit=n_limit, constraints=constraints), wanted)
