"""Sections 3.1, 10.4.1.2 and 10.4.1.3 of a protocol: the primary estimand, and how its data are handled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.laws.strategies import OF_HANDLING
from simtrial.phrases import around_placeholders, counted, ended, listed, placeholders
from simtrial.show.document import Chapter, Points
from simtrial.show.table import RATE, Shown, Table, column
from simtrial.trial import estimand_words
from simtrial.trial import tables as trial_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.laws.strategies import Strategy
    from simtrial.show.document import Matter

PRICES = "what other strategies would cost"
"""Title of the appendix on the strategies."""


def objective(facts: Facts) -> Chapter:
    """Section 3.1."""
    priced = () if not _prices(facts) else (f'The appendix "{PRICES}" states what the design attains under others.',)
    return Chapter(
        number="3.1", title="Primary objective and associated estimand", code="C218527", level=2,
        blocks=(
            *estimand_words.objective(facts.estimand),
            trial_tables.estimand(facts.case, facts.estimand),
            *priced,
        ),
    )  # fmt: skip


def _prices(facts: Facts) -> bool:
    """Whether other strategies change anything."""
    return facts.estimand.dropout is not None and facts.estimand.dropout.probability > 0


def prices(facts: Facts) -> Iterator[Chapter]:
    """The exact errors and patients under every other strategy, as an appendix; none where no patient drops out."""
    if _prices(facts):
        found = facts.estimand
        # what is still to be completed is marked in section 10.11
        words = " ".join(one for one in estimand_words.price(facts.case, found) if not placeholders(one))
        yield Chapter(title=f"Appendix: {PRICES}", blocks=(words, _priced(facts)))


def _priced(facts: Facts) -> Table:
    """The table of the strategies as a page can hold it: p0 read as the trial reads it, without other designs."""
    whole = trial_tables.strategies(facts.case, facts.estimand)
    one = {"type_i_error": column("type_i_error", RATE)}
    shown: dict[str, Shown] = {}
    for key, how in whole.shown.items():
        if key.startswith("type_i_error"):
            shown |= one
        elif key != "cure":
            shown[key] = how
    caption = whole.caption.partition(". The last column")[0]
    if facts.estimand.readings_differ:
        caption += f". p0 is {estimand_words.whose(facts.estimand)}"
    return replace(whole, shown=shown, caption=caption)


def handling(facts: Facts) -> tuple[Matter, ...]:
    """Section 10.4.1.2: how the data of each intercurrent event are handled, and why; equal events together."""
    *events, often = (
        ended("".join("to be stated in section 3.1" if mark else piece for piece, mark in around_placeholders(one)))
        for one in estimand_words.handling(facts.estimand)
    )
    alike: dict[str, list[str]] = {}
    for label, how in (event.split(": ", 1) for event in events):
        alike.setdefault(how, []).append(label if not alike.get(how) else f"{label[0].lower()}{label[1:]}")
    return (Points(tuple(f"{listed(labels)}: {how}" for how, labels in alike.items())), often)


def differing(facts: Facts) -> str:
    """How the patients with an event count whose strategy is not that of the handling of dropout; empty if none is."""
    if facts.handling is None:
        return ""
    others: dict[Strategy, list[str]] = {}
    for event in facts.estimand.events:
        if event.strategy is not None and event.strategy != OF_HANDLING[facts.handling]:
            others.setdefault(event.strategy, []).append(f"{event.label[0].lower()}{event.label[1:]}")
    said = (f"{listed(labels)}: {estimand_words.COUNTS[taken]}" for taken, labels in others.items())
    return "; ".join(said)


def primary_set(facts: Facts) -> str:
    """Who is in the primary analysis set where the events have several strategies, and how each event counts."""
    taken = facts.strategies
    who = f"The first {counted(facts.case.n, 'enrolled patient')}"
    left = [
        *(["without those who are replaced"] if "replaced" in taken else []),
        *(["leaving out those who are excluded"] if "excluded" in taken else []),
    ]
    by: dict[Strategy, list[str]] = {}
    for event in facts.estimand.events:
        if event.strategy is not None and event.probability != 0:
            by.setdefault(event.strategy, []).append(f"{event.label[0].lower()}{event.label[1:]}")
    said = "; ".join(f"{listed(labels)}: {estimand_words.COUNTS[one]}" for one, labels in by.items())
    among = f", {listed(left)}" if left else ""
    return f"{who}{among}. Patients with an intercurrent event count by its strategy. {said[0].upper()}{said[1:]}"


def missing(facts: Facts) -> tuple[Matter, ...]:
    """Section 10.4.1.3: how missing assessments are handled, under which assumption, and why."""
    said = " ".join(estimand_words.missing_data(facts.estimand, facts.asked))
    if not said and facts.handling is not None:
        counts = estimand_words.COUNTS[OF_HANDLING[facts.handling]]
        said = f"No missing response assessment is expected. If one is missing, {counts}."
    more = facts.texts.missing_data
    return (f"{said} {' '.join(more.split()).rstrip('.')}." if more else said,)
