"""What `design --family bryant_day` answers: designs for response and toxicity together."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from simtrial.cli import designs_json
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.search.bryant_day import BothBounds, BothCandidate, BothFound, BothRates

KEY = "bryant_day"
"""The family."""

RATES = ("r0", "r1", "t0", "t1", "alpha_r", "alpha_t")
"""Its numbers beside the power."""

BOUNDS = ("n1", "c_r1", "c_t1", "n", "c_r", "c_t")


def meant(family: str | None) -> bool:
    """Whether a name of a family is this one, however its two words are joined."""
    return family is not None and family.lower().replace("-", "_") in (KEY, KEY.replace("_", ""))


def asked_for(words: Sequence[str]) -> bool:
    """Whether a command line names this family."""
    names = " ".join(words).replace("=", " ").split()
    return any(option == "--family" and meant(name) for option, name in pairwise(names))


def refuse(given: Mapping[str, object], why: str) -> None:
    """Refuse options that were given for another kind of design.

    Raises
    ------
    InputError
        Naming the first of them.
    """
    for name, value in given.items():
        if value is not None:
            raise InputError(why, told_as(name))


def bound(text: str | None) -> int | None:
    """The number of responses that ``--r1`` is with every other family.

    Raises
    ------
    InputError
        If it is none.
    """
    if text is None:
        return None
    try:
        return int(TABLE["responses"].read(text, "--r1"))
    except InputError as error:
        raise InputError(f"{error.message}; as a response rate --r1 goes with --family {KEY}", "--r1") from None


def question(numbers: Mapping[str, float | str | None], *, low_power: bool) -> BothRates:
    """The question of the options.

    Raises
    ------
    InputError
        If the numbers do not go together.
    """
    from simtrial.search.bryant_day import BothRates

    try:
        read = {name: TABLE["rate"].read(one, name) if isinstance(one, str) else one for name, one in numbers.items()}
        return BothRates(**read).plausible(low_power=low_power)  # type: ignore[arg-type]  # the parser wants them all
    except InputError as error:
        raise _typed(error) from None


def _typed(error: InputError) -> InputError:
    """Name the fields of an error as they are typed, where the name of the number is not that of its option."""
    names = {"alpha_r": "--alpha-r", "alpha_t": "--alpha-t", "n_limit": "--n-limit", "phi": "--phi"}
    names |= {"criterion": "--criterion"}
    others = [_typed(one) for one in error.others]
    return InputError(error.message.replace("n_limit", "--n-limit"), names.get(error.field, error.field), others)


def answer(asked: BothRates, phi: str | None, criterion: str | None, n_limit: int, *, as_json: bool) -> None:
    """Search, and print what is found.

    Raises
    ------
    InputError
        If a word is unknown, or too many patients are needed.
    """
    from simtrial.search import bryant_day
    from simtrial.search.bryant_day import text
    from simtrial.search.bryant_day.solution import KINDS

    try:
        if criterion is not None and criterion not in KINDS:
            raise InputError(f"({criterion!r:.40}) is unknown; write {' or '.join(KINDS)}", "criterion")
        with terminal.waiting("searching designs for response and toxicity"):
            found = bryant_day.search(asked, phi=phi or "worst", n_limit=n_limit)  # type: ignore[arg-type]  # it asks
    except InputError as error:
        raise _typed(error) from None
    if doubt := text.reversed_rates(asked):
        terminal.warn(doubt)  # whether people read the answer or a program does
    kinds = [[kind] for kind in KINDS if criterion in (None, kind)]
    if len(kinds) > 1 and found.optimal.design == found.minimax.design:
        kinds = [list(KINDS)]
    if as_json:
        terminal.print_json(_json(found, kinds))
    else:
        _show(found, kinds)


def _json(found: BothFound, kinds: list[list[str]]) -> dict[str, object]:
    """The answer as one JSON object."""
    asked = found.asked
    return {
        "requirements": {name: getattr(asked, name) for name in (*RATES, "power")},
        "family": KEY,
        "designs": [_design_json(found, one) for one in kinds],
        "certificate": designs_json.certificate(found.of(kinds[0][0])[2]),
    }


def _bounds(design: BothBounds) -> dict[str, int]:
    return {name: getattr(design, name) for name in BOUNDS}


def _design_json(found: BothFound, kinds: list[str]) -> dict[str, object]:
    one, ties, proof = found.of(kinds[0])
    ends = {"0": 0.0, "1": 1.0, "inf": math.inf}
    return (
        {"kinds": kinds}
        | _bounds(one.design)
        | {"recommend": one.recommend(), "en": one.en(), "phi": found.phi, "keeps_at_every_association": one.keeps}
        | {
            "association": {
                name: {"recommend": one.recommend(phi), "en": one.en(phi), "misses": list(one.missed(phi))}
                for name, phi in ends.items()
            },
            "ties": [_bounds(other.design) for other in ties],
            "certificate": designs_json.certificate(proof),
        }
    )


def _show(found: BothFound, kinds: list[list[str]]) -> None:
    """Print the designs with what they do at the ends of the association, their rules and their proofs."""
    from simtrial.search.bryant_day import text

    chosen = [(text.named(one), *found.of(one[0])[:2]) for one in kinds]
    rows = [
        [name, *(str(value) for value in _bounds(one.design).values()), f"{one.value:.2f}"] for name, one, _ in chosen
    ]
    limits = "at every association" if found.phi == "worst" else "under independence"
    heads = ("design", "n1", "c_r1", "c_t1", "n", "c_r", "c_t", "largest EN")
    terminal.table(f"{text.question(found.asked)}; limits hold {limits}", heads, rows)
    terminal.wrapped(
        "Continue after n1 patients if more than c_r1 respond and more than c_t1 are without toxicity; recommend the "
        "treatment after n patients if more than c_r respond and more than c_t are without toxicity. Largest EN: "
        f"{text.CRITERION}."
    )
    terminal.wrapped(text.toxicity(found.asked))
    for name, one, ties in chosen:
        _association_table(name, one)
        terminal.wrapped(text.association(one))
        terminal.wrapped(text.rule(one.design))
        if ties:
            terminal.wrapped(f"Equal by the criterion: {'; '.join(str(other.design) for other in ties)}.")
    for names in kinds:
        for kind in names:
            terminal.wrapped(text.proved(found, kind))
    terminal.wrapped(f"\nParagraph for the protocol ({chosen[0][0]}):\n\n{text.protocol(chosen[0][1])}")


def _association_table(name: str, one: BothCandidate) -> None:
    """What a design does at the four pairs of rates: independent endpoints, and the two ends of their association."""
    from simtrial.search.bryant_day import CORNERS, text

    ways = {"0": 0.0, "1": 1.0, "inf": math.inf}
    recommend, en = [one.recommend(phi) for phi in ways.values()], [one.en(phi) for phi in ways.values()]
    missed = [one.missed(phi) for phi in ways.values()]
    rows = []
    for corner in CORNERS:
        limit = one.asked.limit(corner)
        cells = [
            f"{rate(p[corner])}{' *' if corner in gone else ''}" for p, gone in zip(recommend, missed, strict=True)
        ]
        sign = ">=" if corner == "R1T1" else "<="
        told = "" if limit is None else f"{sign} {limit:g}"
        rows.append([text.pair(corner), told, *cells, *(f"{n[corner]:.1f}" for n in en)])
    heads = ("rates", "limit", *(f"P, phi {way}" for way in ways), *(f"EN, phi {way}" for way in ways))
    marked = "; * misses its limit" if any(missed) else ""
    terminal.table(f"{name} {one.design}: P(recommend) and EN by the odds ratio phi{marked}", heads, rows)
