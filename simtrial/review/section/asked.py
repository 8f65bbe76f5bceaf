"""What a reviewer would ask back about a stated section: one question for each element that is not clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text
from simtrial.phrases import counted, listed, stated
from simtrial.review.section import words
from simtrial.review.wording import beside
from simtrial.search.wording import called

if TYPE_CHECKING:
    from simtrial.review.section.compared import CheckedSection
    from simtrial.review.section.elements import Element

_MEANT = {
    "p0": "p0 (the response rate under the null hypothesis, or the comparator)",
    "p1": "p1 (the response rate under the alternative)",
    "alpha": "alpha",
    "sidedness": "the sidedness of alpha",
    "power": "the power",
    "method": "the design or method",
    "rule": "the decision rule",
    "n": "the number of patients",
    "dropout": "the dropout that is allowed for",
    "source": "the source of the assumptions",
}

_QUESTIONS = {
    "p0": "Which response rate, or which comparator, is the null hypothesis?",
    "p1": "At which response rate is the power required?",
    "alpha": "What is the limit of the type I error?",
    "sidedness": "Is alpha one-sided or two-sided?",
    "power": "What power is required?",
    "method": "By which design or method was the number of patients calculated?",
    "rule": "After how many patients is each analysis, and how many responses stop the trial or reject H0?",
    "n": "How many patients are analysed, and how many are enrolled?",
    "dropout": "What dropout is expected, and how do patients without a response assessment count?",
    "source": "From which earlier results do the assumed response rates come?",
}

FEWEST = 3
"""Fewest elements with several values each that are taken for those of several cohorts."""

_OF_COHORT = ("p0", "p1", "alpha", "method", "rule", "n")
_COHORT = re.compile(r"\b(?:cohort|arm|group|stratum|part) (?:[A-H]|[1-9]|I{1,3})\b", re.IGNORECASE)

METHOD_NAMES = {
    words.A_HERN: "A'Hern single-stage",
    words.GEHAN: "Gehan",
    words.PRECISION: "precision of an interval",
    words.THREE_STAGES: "three-stage",
    words.BAYES: "Bayesian",
    "two_stage": "two-stage",
    "single_stage": "single-stage",
    "fleming": "Fleming",
}
"""Names of methods as a text states them."""


def method_name(key: str) -> str:
    """A method for people.

    >>> method_name("a_hern"), method_name("minimax")
    ("A'Hern single-stage", 'Simon minimax')
    """
    return METHOD_NAMES.get(key) or called(key)


def value_text(name: str, value: object) -> str:
    """A stated value for people.

    >>> value_text("p0", 0.1), value_text("sidedness", 1), value_text("n", {"evaluable": 25, "total": None})
    ('10%', 'one-sided', '25')
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        return _several(name, value)
    if name == "sidedness":
        return "one-sided" if value == 1 else "two-sided"
    if name == "method":
        return method_name(str(value))
    if isinstance(value, str):
        return value
    if name in ("rule", "n"):
        return f"{'r = ' if name == 'rule' else ''}{value}"
    return stated(float(str(value)))


def _several(name: str, value: dict[str, int | str | None]) -> str:
    if name == "rule":
        if value.get("looks"):
            return str(value["looks"]).replace(",", ", ")
        parts = [("stage 1", "r1", "n1"), ("final", "r", "n")]
        shown = [
            f"{label} {value[r]}/{'?' if value[n] is None else value[n]}"
            for label, r, n in parts
            if value[r] is not None
        ]
        return ", ".join(shown)
    if name == "n":
        n, total = value["evaluable"], value["total"]
        return f"{n}" if total is None else f"{total} in all" if n is None else f"{n} ({total} in all)"
    return f"{value['total']} in all"


def questions(checked: CheckedSection) -> tuple[str, ...]:
    """Every question, the missing elements first in one sentence.

    Returns
    -------
    tuple of str
        Empty if all ten elements are stated, clear and not contradicted.
    """
    missing = [one.name for one in checked.elements if one.status == "missing"]
    lines = []
    if missing:
        asks = " ".join(_QUESTIONS[name] for name in missing)
        lines.append(f"The section does not state {listed([_MEANT[name] for name in missing])}. {asks}")
    lines += [_which(one) for one in checked.elements if one.status == "ambiguous"]
    lines += [*_cohorts(checked), *_enrolled(checked)]
    lines += [_contradicted(one, checked) for one in checked.elements if one.status == "contradicted"]
    return tuple(lines)


def _cohorts(checked: CheckedSection) -> list[str]:
    """Which cohort is meant, where several elements have a value for each."""
    several = [one for one in checked.elements if one.status == "ambiguous" and one.name in _OF_COHORT]
    named = any(_COHORT.search(quote) for one in several for _, quote in one.candidates)
    if len(several) < FEWEST and not named:
        return []
    names = listed([_MEANT[one.name] for one in several])
    return [
        f"The section gives several values for {names}, as for several cohorts. "
        "Which cohort is meant? Save the text of each cohort as a section of its own."
    ]


def _enrolled(checked: CheckedSection) -> list[str]:
    """Whether the one stated number of patients allows for the stated dropout."""
    n, loss = checked["n"], checked["dropout"]
    known = isinstance(n.value, dict) and n.value["total"] is None and n.value["evaluable"] is not None
    if not known or not loss.value or not isinstance(loss.exact, dict) or loss.status != "found":
        return []
    return [
        f"The section states a dropout of {value_text('dropout', loss.value)} and one number of patients, "
        f"{value_text('n', n.value)}; allowing for the dropout gives {value_text('dropout', loss.exact)}. Is the "
        "stated number that of the evaluable or of the enrolled patients?"
    ]


def _which(one: Element) -> str:
    """The candidates of an ambiguous element with their words."""
    shown = listed([f'{value_text(one.name, value)} ("{quote}")' for value, quote in one.candidates])
    return (
        f"The section gives {counted(len(one.candidates), 'value')} for {_MEANT[one.name]}: {shown}. Which one applies?"
    )


def _contradicted(one: Element, checked: CheckedSection) -> str:
    """What the exact calculation says in place of an element, and the question."""
    s = checked.statement
    rule = looks_text(s.design, ", ") if s.design is not None else "the stated rule"
    said, exact = value_text(one.name, one.value), value_text(one.name, one.exact)
    if one.name == "alpha" and isinstance(one.exact, float) and s.alpha is not None:
        limit = s.alpha / (s.alpha_sided or 1)
        per_side = f" ({stated(limit)} on one side)" if s.alpha_sided == 2 else ""
        return (
            f"The section states an alpha of {said}{per_side}, but {rule} has a type I error of "
            f"{beside(one.exact, limit)}. Which of the two is meant?"
        )
    if one.name == "power" and isinstance(one.exact, float):
        return (
            f"The section states a power of {said}, but {rule} has a power of {beside(one.exact, s.power)}. Which "
            f"of the "
            "two is meant?"
        )
    if one.name == "method":
        return (
            f"The section calls the design {said}, which the exact calculation does not confirm. Which "
            f"criterion was used?"
        )
    if one.name == "n" and exact:
        return (
            f"The number of patients is stated as {said}; the exact calculation gives {exact}. How was it calculated?"
        )
    if one.name == "rule" and exact:
        return f"The section states the rule {said}; the exact calculation gives {exact}. Which bounds are meant?"
    if one.name == "dropout":
        return (
            f"No conventional allowance for a dropout of {said} gives the stated total; the usual one gives "
            f"{exact}. How "
            "was the total calculated?"
        )
    return (
        f"The section states {said or 'a value'} for {_MEANT[one.name]}, which does not fit the other values. "
        f"What is meant?"
    )
