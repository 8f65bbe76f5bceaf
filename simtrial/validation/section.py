"""Validation cases for the check of a stated section: elements found in texts, beside those of a reader."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from simtrial.phrases import percent
from simtrial.review.section import elements
from simtrial.validation.cases import Comparison, case_of, reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

COMPARED = ("p0", "p1", "alpha", "sidedness", "power", "method", "n1", "r1", "n", "r", "total", "dropout")
"""What is compared: the elements, those of several numbers by their numbers; the source is no value of a table."""

RECALL = 0.9
"""Least share of the values of a quote that are to be found."""

ANY = "any"
"""What a reader writes where several readings are defensible."""


@dataclass(slots=True)
class _Score:
    """What came of one element over all texts."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        stated = self.right + len(self.wrong)
        return self.right / stated if stated else 1.0

    @property
    def recall(self) -> float:
        every = self.right + len(self.wrong) + len(self.missed)
        return self.right / every if every else 1.0

    def __str__(self) -> str:
        names = "".join(
            f"; {what}: {', '.join(places)}"
            for what, places in (("wrong", self.wrong), ("missed", self.missed))
            if places
        )
        counts = f"{self.right} right, {len(self.wrong)} wrong, {len(self.missed)} missed"
        return f"{counts} (precision {percent(self.precision)}, recall {percent(self.recall)}{names})"


def stated(text: str) -> dict[str, float | str | None]:
    """What is found in a text, under the names of `COMPARED`."""
    found = elements.read(text)
    values: dict[str, Any] = {name: found[name].value for name in ("p0", "p1", "alpha", "sidedness", "power", "method")}
    rule, n = found["rule"].value, found["n"].value
    values |= {name: rule[name] if isinstance(rule, dict) else None for name in ("r1", "r")}
    values |= {
        "n": n["evaluable"] if isinstance(n, dict) else None, "total": n["total"] if isinstance(n, dict) else None,
        "dropout": found["dropout"].value,
    }  # fmt: skip
    first = rule.get("n1") if isinstance(rule, dict) else None
    return values | {"n1": found.statement.n1 if first is None else first}


def _method(said: str) -> str:
    """A design of ``statements.csv`` as the elements name it."""
    if "A'Hern" in said:
        return "a_hern"
    if said.startswith("Fleming"):
        return "fleming"
    if said.startswith(("two-stage", "simon")):
        return "two_stage"
    return "single_stage" if said.startswith("single") else said


def quoted() -> Iterator[tuple[str, str, dict[str, float | str | None]]]:
    """Every statement with the values of its reader; None for a value that is not in the quote."""
    cut = {(row.id, row.element) for row in reference("statements_quoted").itertuples()}
    for row in reference("statements").itertuples():
        values: dict[str, Any] = {
            name: getattr(row, name) for name in ("p0", "p1", "alpha", "power", "n1", "r1", "n", "r")
        }
        loss = re.match(r"(\d+)%", str(row.dropout_stated))
        values |= {
            "sidedness": {"1": 1, "2": 2}.get(str(row.alpha_sided)[:1]),
            "dropout": float(loss[1]) / 100 if loss else None,
            "total": None if row.n_total_registered == row.n else row.n_total_registered,
            "method": _method(str(row.design_type)),
        }
        yield (
            str(row.id),
            str(row.quote),
            {
                name: ANY if (row.id, name) in cut else None if pd.isna(value) else value
                for name, value in values.items()
            },
        )


def phrased() -> Iterator[tuple[str, str, dict[str, float | str | None]]]:
    """Every further phrasing with its values."""
    for row in reference("section_phrasings").itertuples():
        values = {name: getattr(row, name) for name in COMPARED}
        yield (
            str(row.id),
            str(row.text),
            {
                name: None if pd.isna(value) else value if value == ANY or name == "method" else float(value)
                for name, value in values.items()
            },
        )


def scored(texts: Iterable[tuple[str, str, Mapping[str, float | str | None]]]) -> dict[str, _Score]:
    """Count what is right, wrong and missed per element.

    A value is right where it is that of the reader; wrong where it is another one, also where the reader has none; and
    missed where the reader has one and none is found, be it that several are ambiguous. `ANY` is not counted.
    """
    scores: dict[str, _Score] = defaultdict(_Score)
    for label, text, values in texts:
        found = stated(text)
        for name in COMPARED:
            value, expected, score = found[name], values[name], scores[name]
            if expected == ANY or value is expected is None:
                continue
            if value is None:
                score.missed.append(label)
            elif value == expected:
                score.right += 1
            else:
                score.wrong.append(label)
    return scores


def _case(name: str, source: str, scores: Mapping[str, _Score]) -> Comparison:
    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for element in COMPARED:
            score = scores[element]
            wanted = f"no wrong value; {RECALL:.0%} of the values in the texts"
            yield element, wanted, str(score), not score.wrong and score.recall >= RECALL

    return case_of(name, source, rows())


def statements() -> Comparison:
    """The elements of the real statements, as far as their quotes hold them."""
    source = "a reader's values; those that the quotes do not hold are listed in tests/reference/statements_quoted.csv"
    return _case("Elements of stated sections", source, scored(quoted()))


def phrasings() -> Comparison:
    """The elements of further phrasings, as protocols of several countries and software write them."""
    source = "written for this purpose: tests/reference/section_phrasings.csv"
    return _case("Elements of further phrasings", source, scored(phrased()))
