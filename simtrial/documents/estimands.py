"""Sections 3.1, 10.4.1.2 and 10.4.1.3 of a protocol: the primary estimand, and how its data are handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.show.document import Chapter, Points
from simtrial.trial import estimand_words
from simtrial.trial import tables as trial_tables

if TYPE_CHECKING:
    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter


def objective(facts: Facts) -> Chapter:
    """Section 3.1."""
    return Chapter(
        number="3.1", title="Primary objective and associated estimand", code="C218527", level=2,
        blocks=(
            *estimand_words.objective(facts.estimand),
            trial_tables.estimand(facts.case, facts.estimand),
        ),
    )  # fmt: skip


def handling(facts: Facts) -> tuple[Matter, ...]:
    """Section 10.4.1.2: how the data of each intercurrent event are handled, and why."""
    *events, often = estimand_words.handling(facts.estimand)
    return (Points(tuple(events)), often)


def missing(facts: Facts) -> tuple[Matter, ...]:
    """Section 10.4.1.3: how missing assessments are handled, under which assumption, and why."""
    reason = facts.stated("missing_data", "reason for the handling of missing response assessments")
    said = estimand_words.missing_data(facts.estimand, facts.asked)
    return (" ".join((*said, f"Reason for this handling: {reason.rstrip('.')}.")),)
