"""What `design --family adaptive` answers: a two-stage design whose second stage depends on the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.cli import designs_json
from simtrial.errors import InputError
from simtrial.phrases import counted, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.design.branching import Branching
    from simtrial.design.requirements import Requirements
    from simtrial.search.branching import BranchingFound

KEY = "adaptive"
"""The family."""

KIND = "en_p0"
"""Its criterion."""


def answer(
    asked: Requirements,
    criterion: str | None,
    weight: float | None,
    n_limit: int,
    sizes: Mapping[str, int | None],
    order: Mapping[str, bool | None],
    *,
    as_json: bool,
) -> None:
    """Search, and print what is found.

    Raises
    ------
    InputError
        If the criterion is unknown, a size cannot be, or no design meets the limits.
    """
    from simtrial.search import branching

    if criterion not in (None, KIND):
        raise InputError(f"({criterion!r:.40}) is unknown; write {KIND}, or give --weight", "--criterion")
    if criterion is not None and weight is not None:
        raise InputError("takes the place of --criterion; leave one of them out", "--weight")
    given = branching.Restrictions(
        cap=sizes["cap"],
        n1_least=sizes["n1_least"] or 1,
        monotone=not order["any_order"],
        falling=bool(order["n2_falls"]),
    )
    with terminal.waiting("searching adaptive two-stage designs"):
        found = branching.search(asked, weight=weight or 0.0, restrictions=given, n_limit=n_limit)
    if as_json:
        terminal.print_json(_json(found))
    else:
        _show(found)


def _json(found: BranchingFound) -> dict[str, object]:
    """The answer as one JSON object."""
    proof = designs_json.certificate(found.certificate)
    return {
        "requirements": designs_json.question(found.asked),
        "family": KEY,
        "designs": [_design_json(found)],
        "certificate": proof,
    }


def _rows(found: BranchingFound, design: Branching) -> list[dict[str, object]]:
    """What follows each number of responses."""
    from simtrial.design.second_stages import SecondStage

    error, power = (design.conditional(p).tolist() for p in (found.asked.p0, found.asked.p1))
    return [
        {
            "x1": x,
            "n2": row.n2 if isinstance(row, SecondStage) else None,
            "r": row.r if isinstance(row, SecondStage) else None,
            "decision": None if isinstance(row, SecondStage) else row,
            "conditional_error": error[x],
            "conditional_power": power[x],
        }
        for x, row in enumerate(design.after)
    ]


def _design_json(found: BranchingFound) -> dict[str, object]:
    from simtrial.design.branching import branching_text
    from simtrial.design.largest import largest_en

    design, law, peak = found.design, found.law, largest_en(found.design)
    first = design.looks[0]
    largest = found.largest_type_i_error
    return {
        "family": KEY,
        "kinds": [KIND] if found.weight == 0 else [f"weight_{found.weight:g}"],
        "looks": [{"n": first.n, "r": first.r, "e": first.e}],
        "second_stage": _rows(found, design),
        "rule": branching_text(design),
        "n": design.n_max,
        "type_i_error": float(law.reject[0]),
        "power": float(law.reject[1]),
        "en_p0": float(law.en[0]),
        "en_p1": float(law.en[1]),
        "en_max": peak.en,
        "p_of_en_max": peak.p,
        "pet_p0": float(law.pet[0]),
        "pet_p1": float(law.pet[1]),
        "n_distribution": [
            {"n": n, "p0": float(law.n_distribution[0, k]), "p1": float(law.n_distribution[1, k])}
            for k, n in enumerate(law.n.tolist())
        ],
        "monotone": found.monotone,
        "largest_type_i_error": {"value": largest.value, "p": largest.p},
        "linear_bound": found.linear_bound,
        "certificate": designs_json.certificate(found.certificate),
    }


def _show(found: BranchingFound) -> None:
    """Print the design, its table, the proof and the paragraph for the protocol."""
    from simtrial.design.branching import branching_text
    from simtrial.search.branching import text
    from simtrial.search.wording import question

    design, law = found.design, found.law
    heads = ("design", "n1", "largest n", "type I error", "power", "EN(p0)", "EN(p1)", "PET(p0)")
    terminal.table(
        question(found.asked),
        heads,
        [
            [
                text.NAME, str(design.n1), str(design.n_max), rate(law.reject[0]), rate(law.reject[1]),
                f"{law.en[0]:.2f}", f"{law.en[1]:.2f}", rate(law.pet[0]),
            ]
        ],
    )  # fmt: skip
    _table(found)
    terminal.wrapped(
        "n2: patients of the second stage. r: reject H0 if more than r of all patients respond. Conditional type I "
        "error and power: probability of rejecting H0, given the responses of the first stage, at p0 and at p1."
    )
    for said in (text.proved(found), text.null(found), text.beside_simon(found)):
        terminal.wrapped(said)
    terminal.wrapped(f"In one line: {branching_text(design)}.")
    terminal.wrapped(f"\nParagraph for the protocol:\n\n{text.protocol(found)}")


def _table(found: BranchingFound) -> None:
    """What follows each number of responses, numbers that lead to the same stop in one row."""
    design, rows = found.design, _rows(found, found.design)
    cells: list[list[str]] = []
    first = 0
    for x, row in enumerate(rows):
        following = rows[x + 1] if x < design.n1 else None
        stops = row["decision"] is not None
        if stops and following is not None and following["decision"] == row["decision"]:
            continue
        seen = f"{first}" if first == x else f"{first} to {x}"
        first = x + 1
        decision = {"accept": "stop, do not reject H0", "reject": "stop, reject H0"}.get(
            str(row["decision"]), "continue"
        )
        n2, r = ("" if row[key] is None else str(row[key]) for key in ("n2", "r"))
        total = "" if row["n2"] is None else str(design.n1 + design.n2[x])
        error, power = (rate(float(str(row[key]))) for key in ("conditional_error", "conditional_power"))
        cells.append([seen, decision, n2, total, r, error, power])
    heads = ("responses X1", "decision", "n2", "n", "r", "conditional type I error", "conditional power")
    terminal.table(f"After {counted(design.n1, 'patient')}", heads, cells, left=2)
