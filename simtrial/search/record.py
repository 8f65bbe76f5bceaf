"""What a design family and a criterion state of themselves in the registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from simtrial.search.constraints import FREE, Constraints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.aim import Aim
    from simtrial.search.candidate import Candidate
    from simtrial.search.parameters import RuleParameters

Found = TypeVar("Found")
"""What the search of a family finds, and its criteria pick from."""

FoundNow = TypeVar("FoundNow", covariant=True)

How = Literal["proved", "capped", "heuristic"]
"""How far a search reaches: to a proof, to a proof below a cap on n, or to the best design that was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A reason to prefer one design: what is said of it, whatever it is picked from.

    Attributes
    ----------
    key : str
        As in parameter files and on the command line.
    name : str
        What the design is called, wherever it is shown.
    phrase : str
        What the design is, within a sentence.
    why : str
        What it is best at, in one sentence; the report says so where it says which design is taken.
    protocol : str
        What the paragraph for the protocol calls the design; the phrase, if left out.
    """

    key: str
    name: str
    phrase: str
    why: str
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Preference, Generic[Found]):
    """A reason to prefer one design of a family.

    Attributes
    ----------
    method : str
        Its key among the answers of ``reproduce`` and ``check``.
    looks : int
        How many the design has; 0 where this depends on the question.
    family : str
        Key of its family.
    pick : callable
        The design, from what the family's search found.
    best : callable
        The design by definition: the best of all that meet the limits. No search uses it; the laws of families do.
    kind : str
        What it is called among the criteria of its family, on the command line and in JSON; its key, if left out.
    aim : Aim or None
        What it makes small; None where that is no weighted sum.
    """

    method: str
    looks: int
    family: str
    pick: Callable[[Found], Design]
    best: Callable[[Sequence[Design], Requirements], Design]
    kind: str = ""
    aim: Aim | None = None

    @property
    def short(self) -> str:
        """What it is called among the criteria of its family."""
        return self.kind or self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate of a search, in the form that all families share.

    Attributes
    ----------
    how : How
        How far the search reaches.
    n_lower, n_upper : int
        No design with fewer patients than `n_lower` has the power; none with more than `n_upper` is better by any
        criterion of the family.
    value, bound : float
        What the family's first criterion attains, and what no design of the family is below; they differ by `gap`.
    cap : int or None
        The largest n that was looked at, where `how` is not ``proved``.
    """

    how: How
    n_lower: int
    n_upper: int
    value: float
    bound: float
    cap: int | None = None

    @property
    def gap(self) -> float:
        """How much better than the value a design could still be; 0 where it is proved to be the best."""
        return max(self.value - self.bound, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search found by one criterion.

    Attributes
    ----------
    best : Candidate
        The design that the criterion takes.
    ties : sequence of Candidate
        Other designs that its value does not tell from the best, in the order in which they would be taken.
    frontier : sequence of Candidate
        Designs of the family that no other one is better than in everything that it is judged by.
    certificate : Certificate
        Why nothing better exists, or how much better it could be.
    parameters : RuleParameters or None
        The rule, its priors and the parameters that lead to the bounds of the best, where the family is that of a rule.
    """

    best: Candidate
    ties: Sequence[Candidate] = ()
    frontier: Sequence[Candidate] = ()
    parameters: RuleParameters | None = None
    certificate: Certificate


class Solved(Protocol):
    """What the search of a family found, by whatever it makes small."""

    def result(self, aim: Aim) -> SearchResult:
        """The best design by a weighted sum, with its certificate."""
        ...

    @property
    def admissible(self) -> Sequence[Candidate]:
        """The designs beside the best ones that are least by some weights, each with its kinds."""
        ...


class Search(Protocol[FoundNow]):
    """How a family is searched."""

    def __call__(self, requirements: Requirements, *, n_limit: int, constraints: Constraints = FREE) -> FoundNow:
        """Search, or refuse at once if even the most powerful test needs more than `n_limit` patients."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A set of designs that was searched: what it is called, and why the search is complete.

    Attributes
    ----------
    key : str
        Its key, as in the certificate.
    title : str
        What its designs are, in the plural.
    bound : str
        The bound that makes its search complete, in one sentence; numbers of the `Certificate` stand in it as
        ``{n_upper}`` or ``{value:.2f}``.
    criteria : tuple of Preference
        What its designs are picked by; the value of a `Certificate` is that of the first.
    """

    key: str
    title: str
    bound: str
    criteria: tuple[Preference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Examined, Generic[Found]):
    """A family of designs: how it is searched, and why its search is complete.

    Attributes
    ----------
    references : tuple of str
        The literature that the paragraph for the protocol cites.
    criteria : tuple of Criterion
        Its criteria.
    search : callable
        Takes requirements, ``n_limit`` and ``constraints``; gives what the criteria pick from.
    result : callable
        Everything that `search` found by one of the criteria.
    constraints : frozenset of str
        The names of the constraints that it takes (`Constraints`).
    looks_given : bool
        Whether its designs are the best for looks that are given; one that is checked is compared at its own looks.
    weighs : bool
        Whether any weights of EN(p0) and EN(p1) may be asked for.
    beside : tuple of str
        The criteria, by their short names, whose designs stand beside those of other families; empty: all of them.
    main : str
        The key of the criterion whose certificate speaks for the family; the first, if left out.
    quick_n : int
        Patients of the smallest single stage up to which its search takes a few tenths of a second.
    on_request : bool
        Whether it is searched only where it is asked for, because it needs more than the four numbers, or time.
    every : callable
        Every design of the family with n patients; none is searched for so, the laws of families enumerate them.
    holds : callable or None
        Whether a design is one of the family; None where the family has no such test. The laws of families ask it.
    recognised : type of design or None
        Designs of this type, given outright, are looked for among the `listed`, whose names they then bear.
    listed : callable
        The designs that `search` found and that have names.
    together : str
        The name of a design that is best by all of its criteria, where their names in a row read badly.
    """

    references: tuple[str, ...]
    criteria: tuple[Criterion[Found], ...]
    search: Search[Found]
    result: Callable[[Found, Criterion[Found]], SearchResult]
    every: Callable[[int], Iterable[Design]]
    holds: Callable[[Design], bool] | None = None
    recognised: type[Design] | None = None
    listed: Callable[[Found], Sequence[Design]] = lambda _: ()
    together: str = ""
    constraints: frozenset[str] = frozenset()
    looks_given: bool = False
    weighs: bool = False
    beside: tuple[str, ...] = ()
    main: str = ""
    quick_n: int = 10_000
    on_request: bool = False

    def certificate(self, found: Found, criterion: Criterion[Found] | None = None) -> Certificate:
        """The proof of what its search found by one of its criteria; by the main one, if none is named."""
        speaks = next((one for one in self.criteria if one.key == self.main), self.criteria[0])
        return self.result(found, criterion or speaks).certificate


def solved(found: Solved, criterion: Criterion[Solved]) -> SearchResult:
    """The `Family.result` of a family whose search finds something `Solved`."""
    assert criterion.aim is not None  # every criterion of such a family has one
    return found.result(criterion.aim)


AnyCriterion: TypeAlias = "Criterion[Any]"
AnyFamily: TypeAlias = "Family[Any]"
"""Those of a register: each finds something of its own, which only it picks from."""
