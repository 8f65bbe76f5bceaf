"""Commands that design a trial and run it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simtrial.cli import bryant_day, design_options, designs_json, options
from simtrial.cli.command import told_as
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.cli.families import Wanted
    from simtrial.cli.losses import Run
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyFamily, SingleStageSearch, TwoStageSearch
    from simtrial.search.formulas import Approximation


SIZES = ("n1_least", "multiple_of", "first_look")
"""Numbers of patients among what is asked of looks."""


def design(
    p0: design_options.Null = None,
    p1: design_options.ResponseWorth = None,
    alpha: design_options.TypeIError = None,
    power: design_options.Power = None,
    n_limit: design_options.Limit = N_LIMIT,
    low_power: design_options.LowPower = False,
    family: design_options.FamilyName = None,
    criterion: design_options.FamilyCriterion = None,
    weight: design_options.WeightOption = None,
    looks_at: design_options.LooksAt = None,
    stops: design_options.StopsOption = None,
    futility: design_options.Futility = None,
    r1: design_options.FirstBound = None,
    n1_least: design_options.FirstSize = None,
    balanced: design_options.Balanced = False,
    cap: design_options.Cap = None,
    multiple_of: design_options.Multiple = None,
    prior: design_options.Prior = None,
    first_look: design_options.FirstLook = None,
    r0: design_options.NullResponse = None,
    t0: design_options.NotAcceptable = None,
    t1: design_options.Acceptable = None,
    alpha_r: design_options.ResponseError = None,
    alpha_t: design_options.ToxicityError = None,
    phi: design_options.Association = None,
    flexible: design_options.Flexible = None,
    any_order: design_options.AnyOrder = False,
    n2_falls: design_options.SmallerSecond = False,
    p2: design_options.LargerRate = None,
    power2: design_options.PowerThere = None,
    dropout: design_options.DropoutShare = None,
    handling: design_options.DropoutHandling = None,
    p0_among: design_options.DropoutAmong = None,
    bounds: design_options.DropoutBounds = None,
    odds_ratio: design_options.DropoutOdds = None,
    search_: design_options.DropoutSearch = None,
    as_json: options.Json = False,
) -> None:
    """Find the designs that meet the limits, with a proof that none is missed: Simon's, or those of any family."""
    run: dict[str, Any] = {"dropout": dropout, "odds_ratio": odds_ratio, "handling": handling, "p0_among": p0_among,
                           "bounds": bounds, "search": search_}  # fmt: skip
    only: dict[str, Any] = {"weight": weight, "looks_at": looks_at, "stops": stops, "futility": futility,
                            "n1_least": n1_least, "balanced": balanced or None, "multiple_of": multiple_of,
                            "prior": prior, "first_look": first_look, "any_order": any_order or None,
                            "n2_falls": n2_falls or None}  # fmt: skip
    own = {"r0": r0, "t0": t0, "t1": t1, "alpha_r": alpha_r, "alpha_t": alpha_t}
    if bryant_day.meant(family):
        others = {"p0": p0, "p1": p1, "alpha": alpha, **only, "cap": cap, "flexible": flexible, **run}
        _both(own | {"r1": r1, "power": power}, (phi, criterion, n_limit), others, low_power=low_power, as_json=as_json)
        return
    asked = _plausible((p0, p1, alpha, power), {**own, "phi": phi}, low_power=low_power)
    others = {"criterion": criterion, "r1": r1, **only}
    if p2 is not None or power2 is not None:
        _two_targets(asked, (p2, power2), family, cap, as_json=as_json, excluded=others | run | {"flexible": flexible})
    elif flexible is not None:
        _flexible(asked, flexible, cap, n_limit, as_json=as_json, excluded={"family": family, **others, **run})
    else:
        want = _wanted((family, criterion), only, {"r1": bryant_day.bound(r1), "cap": cap})
        _answer(asked, want, _run(**run), n_limit, as_json=as_json, given=looks_at is not None)


def _both(
    own: dict[str, Any],
    asked: tuple[str | None, str | None, int],
    excluded: dict[str, object],
    *,
    low_power: bool,
    as_json: bool,
) -> None:
    """Designs for response and toxicity together, whose question has numbers of its own."""
    bryant_day.refuse(excluded, f"does not go with --family {bryant_day.KEY}; leave it out")
    bryant_day.answer(
        bryant_day.question({**own, "power": _given(own["power"])}, low_power=low_power), *asked, as_json=as_json
    )


def _plausible(numbers: tuple[float | None, ...], excluded: dict[str, object], *, low_power: bool) -> Requirements:
    """The question of four numbers that the command requires, without those of response and toxicity together."""
    from simtrial.design.requirements import plausible

    bryant_day.refuse(excluded, f"goes with --family {bryant_day.KEY} only")
    p0, p1, alpha, power = map(_given, numbers)
    return plausible(p0, p1, alpha, power, low_power=low_power)


def _wanted(
    names: tuple[str | None, str | None],
    only: dict[str, Any],
    sizes: dict[str, int | None],
) -> Wanted | None:
    """The family and the criterion that were named, with what is asked of the looks."""
    from simtrial.cli import families

    with _dashed():
        sizes |= {name: only[name] for name in SIZES}
        words = {name: only[name] for name in ("stops", "futility", "prior")}
        flags = {name: only[name] is not None for name in ("balanced", "any_order", "n2_falls")}
        under = families.constraints(only["looks_at"], words, sizes, flags)
        return families.wanted(*names, only["weight"], under)


def _two_targets(
    asked: Requirements,
    second: tuple[float | None, float | None],
    family: str | None,
    cap: int | None,
    *,
    as_json: bool,
    excluded: dict[str, object],
) -> None:
    """Two rates worth finding, with a power of its own at each: the rule of Lin and Shih."""
    from simtrial.cli import adaptive

    p2, power2 = second
    for name, value in (("--p2", p2), ("--power2", power2)):
        if value is None:
            raise InputError("is missing; --p2 and --power2 go together", name)
    if family != "adaptive":
        raise InputError("goes with --family adaptive only", "--p2")
    bryant_day.refuse(excluded, "does not go with --p2; leave it out")
    with _dashed():
        adaptive.answer_two_targets(asked, _given(p2), _given(power2), cap, as_json=as_json)


def _given(number: float | None) -> float:
    """A number that the command requires."""
    assert number is not None
    return number


def _answer(
    asked: Requirements, want: Wanted | None, run: Run | None, n_limit: int, *, as_json: bool, given: bool
) -> None:
    """The designs of families that were named, or Simon's and single stages; `given` says whether the looks were."""
    if want is None:
        _of_one_and_two_stages(asked, run, n_limit, as_json=as_json)
        return
    from simtrial.cli import families

    with _dashed(), _as_typed(asked, run, n_limit):
        found = families.answer(asked, want, run, n_limit)
    if as_json:
        terminal.print_json(families.as_json(asked, want, found, run))
        return
    families.show(asked, found, run, given=given)


def _flexible(
    asked: Requirements, k: int, cap: int | None, n_limit: int, *, as_json: bool, excluded: dict[str, object]
) -> None:
    """Flexible sizes, which are no design made of looks: they take a cap and nothing else."""
    from simtrial.cli import flexible

    for name, value in excluded.items():
        if value is not None:
            raise InputError("does not go with --flexible, whose plans have several sizes; leave it out", told_as(name))
    with _dashed():
        flexible.answer(asked, k, cap, n_limit, as_json=as_json)


_NAMED = ("p0", "p1", "alpha", "power", "n_limit", "dropout", "bounds")
"""Fields of errors that `_as_typed` names, or that are typed as they stand."""


@contextmanager
def _dashed() -> Iterator[None]:
    """Name the constraints in errors as they are typed: ``--looks-at``."""
    try:
        yield
    except InputError as error:
        if error.field.startswith("--") or error.field in _NAMED:
            raise
        raise InputError(error.message, told_as(error.field), error.others) from None


def _of_one_and_two_stages(asked: Requirements, run: Run | None, n_limit: int, *, as_json: bool) -> None:
    """Simon's designs and single stages, side by side."""
    from simtrial import search
    from simtrial.search import formulas, text
    from simtrial.search.wording import question

    with terminal.waiting("searching"), _as_typed(asked, run, n_limit):
        single, two, others = _searched(asked, run, n_limit)
        rough = formulas.approximate(asked)
    if as_json:
        more = {family.key: designs_json.of_family(family, found, asked, run) for family, found in others}
        searched = {} if run is None else {"searched": run.searched, "dropout": run.stated()}
        terminal.print_json(designs_json.of_search(asked, single, two, rough, run) | more | searched)
        return
    every: list[tuple[AnyFamily, object]] = [(search.simon.FAMILY, two), (search.single.FAMILY, single), *others]
    _designs_table(asked, every, question(asked) + (", every patient evaluable" if run is not None else ""))
    if run is not None:
        with _as_typed(asked, None, n_limit):  # the searches on paper, beside those under dropout
            _run_tables(asked, every, run, n_limit)
    _formulas_table(rough)
    terminal.wrapped("Each look is r/n: stop for futility if X <= r of n; at the last look reject H0 if X > r.")
    if run is not None and (said := run.decides(asked)):
        terminal.wrapped(said)
    for family, found in every:
        terminal.wrapped(text.proved(family, family.certificate(found)))
    terminal.wrapped(
        "Other families of designs: add --family all, or one of " + ", ".join([*search.FAMILIES, bryant_day.KEY]) + "."
    )


def _run(dropout: float | None, odds_ratio: float | None, **words: str | None) -> Run | None:
    """How patients are lost, if any option says so: what is imported for it takes as long as a search."""
    if all(option is None for option in (dropout, odds_ratio, *words.values())):
        return None
    from simtrial.cli import losses

    return losses.read(dropout, odds_ratio, **words)


@contextmanager
def _as_typed(asked: Requirements, run: Run | None, n_limit: int) -> Iterator[None]:
    """Name the options in the error of a search as they are typed, and the rates as they were given."""
    try:
        yield
    except InputError as error:
        told = error if run is None else run.told(error, asked, n_limit)
        names = {"n_limit": "--n-limit", "dropout": "--dropout", "bounds": "--bounds"}
        message = told.message.replace("n_limit", "--n-limit")
        raise InputError(message, names.get(told.field, told.field), error.others) from None


def _searched(
    asked: Requirements, run: Run | None, n_limit: int
) -> tuple[SingleStageSearch, TwoStageSearch, list[tuple[AnyFamily, object]]]:
    """What is found for limits that hold on paper, or as the trial is run."""
    from simtrial import search
    from simtrial.search import families

    others = families.others()
    if run is not None and run.how.recut:
        if others:
            left = ", ".join(family.title for family in others)
            terminal.warn(f"not searched, as bounds are not recalculated for them: {left}")
        others = []
    if run is None:
        single, two = search.single_stage(asked, n_limit=n_limit), search.two_stage(asked, n_limit=n_limit)
        return single, two, [(family, family.search(asked, n_limit=n_limit)) for family in others]
    found = run.searches(asked, n_limit)
    return found.single, found.two, [(family, found.of(family)) for family in others]


def _designs_table(asked: Requirements, every: Sequence[tuple[AnyFamily, object]], title: str) -> None:
    """The designs of every family, one per row, and those that stand exactly at a limit."""
    from simtrial import search
    from simtrial.design.designs import looks_text
    from simtrial.search import text
    from simtrial.search.criteria import with_names

    rows, exactly = [], []
    for family, found in every:
        for kinds, design in with_names(family, found):
            one = designs_json.on_paper(design, asked)
            # weights of a search under dropout weigh other patients than those of this table
            ours = getattr(design, "requirements", asked) == asked
            low, high = (getattr(one, name, None) if ours else None for name in ("q_low", "q_high"))
            rows.append(
                [
                    search.named(kinds), looks_text(one, ", "), str(one.n), rate(one.type_i_error),
                    rate(one.power), f"{one.en_p0:.1f}", rate(one.pet_p0) if one.looks[1:] else "",
                    "" if low is None or high is None else f"{low:.3f}-{high:.3f}",
                ]
            )  # fmt: skip
            if at := text.exactly(one, asked):
                exactly.append(f"{looks_text(one, ', ')}: {at}.")
    heads = ("design", "looks (r/n)", "n", "type I error", "power", "EN(p0)", "PET(p0)", "weights q")
    terminal.table(title, heads, rows, left=2)
    if exactly:
        terminal.wrapped("\n".join(dict.fromkeys(exactly)) + "\n")


def _formulas_table(rough: Sequence[Approximation]) -> None:
    lines = [[a.title, f"{a.n}", f"{a.r}", rate(a.type_i_error), rate(a.power)] for a in rough]
    heads = ("textbook formula", "n", "rejects H0 if X >", "exact type I error", "exact power")
    terminal.table("Textbook formulas for n; type I error and power of the implied rules", heads, lines)


def _run_tables(asked: Requirements, every: Sequence[tuple[AnyFamily, object]], run: Run, n_limit: int) -> None:
    """What the designs do as they are run, and what the usual allowance does to the best on paper."""
    from simtrial import search
    from simtrial.cli import losses
    from simtrial.search.criteria import with_names

    named = [(search.named(kinds), design) for family, found in every for kinds, design in with_names(family, found)]
    known = {family.key for family, _ in every}
    usual = [
        (one.name, search.choose(asked, one.key, n_limit=n_limit))
        for one in search.CRITERIA.values()
        if one.family in known
    ]
    losses.show(run, asked, named, usual)
