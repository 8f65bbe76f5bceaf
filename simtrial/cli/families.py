"""What `design --family` answers: the designs of one family or of all, each with its certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simtrial.cli import adaptive, bryant_day, designs_json
from simtrial.cli.command import told_as
from simtrial.design.designs import looks_short, looks_text, parse_sizes
from simtrial.errors import InputError
from simtrial.phrases import rate
from simtrial.search import CRITERIA, FAMILIES, Candidate, Constraints, simon
from simtrial.search.adaptive.family import BranchingCandidate
from simtrial.search.bayesian.posterior import parse_prior
from simtrial.search.criteria import in_family, weighed
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simtrial.cli.losses import Run
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyCriterion, AnyFamily
    from simtrial.search.parameters import RuleParameters
    from simtrial.search.record import Certificate, SearchResult

ALL = "all"
STOPS = ("futility", "efficacy", "both")
FUTILITY = ("required", "optional")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A family, or all of them, and what is asked of its designs.

    Attributes
    ----------
    families : tuple of Family
        Those to be searched.
    criteria : tuple of Criterion
        The criteria of the one family that are asked for; empty: all of them.
    constraints : Constraints
        What else is asked.
    """

    families: tuple[AnyFamily, ...]
    criteria: tuple[AnyCriterion, ...]
    constraints: Constraints

    @property
    def key(self) -> str:
        """The name by which it was asked for."""
        return self.families[0].key if len(self.families) == 1 else ALL


@dataclass(frozen=True, kw_only=True)
class FamilyAnswer:
    """One design of a family, with what each criterion that takes it found; none takes one that is admissible only."""

    family: AnyFamily
    design: Candidate
    found: tuple[tuple[AnyCriterion, SearchResult], ...] = ()

    @property
    def ties(self) -> Sequence[Candidate]:
        """Designs that are equal by the first of the criteria."""
        return self.found[0][1].ties if self.found else ()

    @property
    def name(self) -> str:
        """What the design is called."""
        return " and ".join(criterion.name for criterion, _ in self.found) or simon.ADMISSIBLE

    @property
    def kinds(self) -> list[str]:
        """The same for programs."""
        return [criterion.short for criterion, _ in self.found] or [simon.ADMISSIBLE]

    @property
    def certificate(self) -> Certificate | None:
        """That of the first of the criteria."""
        return self.found[0][1].certificate if self.found else None

    @property
    def parameters(self) -> RuleParameters | None:
        """What leads to its bounds, where its family is that of a rule."""
        return self.found[0][1].parameters if self.found else None


def wanted(family: str | None, criterion: str | None, weight: float | None, constraints: Constraints) -> Wanted | None:
    """Read the options; None where neither a family nor one of its criteria is named.

    Raises
    ------
    InputError
        If a name is unknown, or an option stands without a family.
    """
    if family is None and criterion is not None:
        if criterion not in CRITERIA:
            owners = [key for key, one in FAMILIES.items() if any(c.short == criterion for c in one.criteria)]
            said = f"needs --family {' or '.join(owners)}" if owners else "is unknown; see --family"
            raise InputError(f"({criterion!r:.40}) {said}", "--criterion")
        family = CRITERIA[criterion].family
    if family is None:
        for name in (*constraints.given, *(("weight",) if weight is not None else ())):
            raise InputError("goes with --family only; add it, such as --family efficacy", told_as(name))
        return None
    if family == ALL:
        for name, given in (("--criterion", criterion), ("--weight", weight)):
            if given is not None:
                raise InputError("goes with one family only; name it with --family", name)
        return Wanted(families=tuple(FAMILIES.values()), criteria=(), constraints=constraints)
    if family not in FAMILIES:
        raise InputError(
            f"({family!r:.40}) is unknown; write {', '.join([*FAMILIES, bryant_day.KEY])} or {ALL}",
            "--family",
        )
    one = FAMILIES[family]
    if criterion is not None and weight is not None:
        raise InputError("takes the place of --criterion; leave one of them out", "--weight")
    criteria = () if criterion is None else (in_family(one, criterion),)
    if weight is not None:
        criteria = (weighed(criteria[0] if criteria else one.criteria[0], weight),)
    return Wanted(families=(one,), criteria=criteria, constraints=constraints.only(one.constraints, one.title))


def constraints(
    looks_at: str | None, words: dict[str, str | None], numbers: dict[str, int | None], flags: dict[str, bool]
) -> Constraints:
    """The restrictions that the options make.

    Raises
    ------
    InputError
        If one is none of its kind, or two exclude each other.
    """
    for name, known in (("stops", STOPS), ("futility", FUTILITY)):
        if words[name] is not None and words[name] not in known:
            *others, last = known
            raise InputError(f"({words[name]!r:.40}) is unknown; write {', '.join(others)} or {last}", f"--{name}")
    given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None} | flags
    believed = None if words["prior"] is None else parse_prior(words["prior"])
    return Constraints(
        looks_at=None if looks_at is None else parse_sizes(looks_at),
        stops=words["stops"],  # type: ignore[arg-type]  # one of the three, as was just held
        futility_optional=words["futility"] == "optional",
        prior=None if believed is None else (believed.a, believed.b),
        **given,
    )


def answer(asked: Requirements, want: Wanted, run: Run | None, n_limit: int) -> list[FamilyAnswer]:
    """Search, and name what is found: each design once per family, with all of its kinds.

    Raises
    ------
    InputError
        If a family that was named has no design, or takes too many patients.
    """
    found: list[FamilyAnswer] = []
    for family in want.families:
        try:
            with terminal.waiting(f"searching {family.title}"):
                found += _of(want, family, _searcher(asked, run, n_limit))
        except InputError as error:
            if len(want.families) == 1:
                raise
            terminal.warn(f"not searched: {family.title} ({error})")
    return found


def _searcher(asked: Requirements, run: Run | None, n_limit: int) -> Callable[[AnyFamily, Constraints], object]:
    """How a family is searched: for limits on paper, or as the trial is run."""
    if run is None:
        return lambda family, under: family.search(asked, n_limit=n_limit, constraints=under)
    searches = run.searches(asked, n_limit)
    return searches.of


def _of(want: Wanted, family: AnyFamily, search: Callable[[AnyFamily, Constraints], object]) -> Iterator[FamilyAnswer]:
    # of all families each takes those of the constraints that it knows
    kept = want.constraints if len(want.families) == 1 else want.constraints.those(family.constraints)
    found = search(family, kept)
    by_looks: dict[object, FamilyAnswer] = {}
    for criterion in want.criteria or family.criteria:
        result = family.result(found, criterion)
        before = by_looks.get(result.best.looks)
        pairs = (*(before.found if before else ()), (criterion, result))
        by_looks[result.best.looks] = FamilyAnswer(family=family, design=result.best, found=pairs)
    yield from by_looks.values()
    if not want.criteria and len(want.families) == 1:
        for design in family.listed(found):
            if design.looks not in by_looks and isinstance(design, Candidate):
                yield FamilyAnswer(family=family, design=design)


def as_json(asked: Requirements, want: Wanted, found: list[FamilyAnswer], run: Run | None) -> dict[str, object]:
    """The answer as one JSON object."""
    main = found[0] if len(want.families) == 1 else None
    answered: dict[str, object] = {
        "requirements": designs_json.question(asked),
        "family": want.key,
        "designs": [_design_json(asked, one, run) for one in found],
        "certificate": None if main is None else designs_json.certificate(main.certificate),
    }
    return answered if run is None else answered | {"searched": run.searched, "dropout": run.stated()}


def _design_json(asked: Requirements, one: FamilyAnswer, run: Run | None) -> dict[str, object]:
    paper = Candidate(one.design.design, asked)
    keys = ("n", "type_i_error", "power", "en_p0", "en_p1", "en_max", "p_of_en_max", "pet_p0", "pet_p1")
    return (
        {"family": one.family.key, "kinds": one.kinds}
        | {"looks": designs_json.looks(paper)}
        | {key: getattr(paper, key) for key in keys}
        | {
            "ties": [designs_json.looks(other) for other in one.ties],
            "certificate": designs_json.certificate(one.certificate),
        }
        | _adaptive_json(one)
        | ({} if run is None else run.json(paper.design, asked))
        | designs_json.parameters(one.parameters)
    )


def _adaptive_json(one: FamilyAnswer) -> dict[str, object]:
    """The table of an adaptive design, and what follows from it."""
    return adaptive.more_json(one.design.found) if isinstance(one.design, BranchingCandidate) else {}


def show(asked: Requirements, found: list[FamilyAnswer], run: Run | None, *, given: bool) -> None:
    """Print the designs, their ties and their certificates; `given` says whether the looks were."""
    from simtrial.cli import losses
    from simtrial.search import text
    from simtrial.search.wording import question

    heads = ("design", "looks (r:e/n)", "n", "type I error", "power", "EN(p0)", "EN(p1)", "largest EN", "certificate")
    rows = []
    for one in found:
        paper = Candidate(one.design.design, asked)
        how = text.how(one.found[0][0], one.found[0][1].certificate) if one.found else ""
        rows.append(
            [
                one.name, looks_short(paper), str(paper.n), rate(paper.type_i_error), rate(paper.power),
                f"{paper.en_p0:.2f}", f"{paper.en_p1:.2f}", f"{paper.en_max:.2f}", how,
            ]
        )  # fmt: skip
    terminal.table(question(asked), heads, rows, left=2)
    if run is not None:
        losses.show(run, asked, [(one.name, one.design.design) for one in found], ())
    tables = [one for one in found if isinstance(one.design, BranchingCandidate)]
    if len(tables) < len(found):
        terminal.wrapped(
            "Each look is r:e/n: stop for futility if X <= r of n, stop and reject H0 if X >= e; at the last look "
            "reject H0 if X > r."
        )
    for one in found:
        whole = looks_text(one.design, ", ")
        if whole != looks_short(one.design) and one not in tables:
            terminal.wrapped(f"{one.name}: {whole}.")
        if one.ties:
            others = "; ".join(looks_text(other, ", ") for other in one.ties)
            terminal.wrapped(f"{one.name}: equal by its criterion are {others}.")
        if said := text.leading(one.parameters):
            terminal.wrapped(f"{one.name}: {said}")
    for criterion, result in (pair for one in found for pair in one.found if one not in tables):
        terminal.wrapped(text.proved_by(criterion, result.certificate, given=given))
    for one in tables:
        _show_table(one, on_paper=run is None)


def _show_table(one: FamilyAnswer, *, on_paper: bool) -> None:
    assert isinstance(one.design, BranchingCandidate)  # as `show` has picked them
    adaptive.show(one.design.found, on_paper=on_paper)
