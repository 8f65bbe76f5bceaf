"""What `design --flexible` answers: a plan with several sizes of each look (Chen and Ng)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.cli import designs_json
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.search.flexible import FlexibleDesign


def answer(asked: Requirements, k: int, cap: int | None, n_limit: int, *, as_json: bool) -> None:
    """Search for both plans, and print them.

    Raises
    ------
    InputError
        If no plan meets the limits.
    """
    from simtrial.search.flexible import flexible

    with terminal.waiting("searching designs with flexible sizes"):
        found = {
            "optimal": flexible(asked, k=k, cap=cap, n_limit=n_limit),
            "minimax": flexible(asked, k=k, cap=cap, n_limit=n_limit, minimax=True),
        }
    if as_json:
        plans = {name: _json(plan) for name, plan in found.items()}
        terminal.print_json({"requirements": designs_json.question(asked), "flexible": k, "plans": plans})
        return
    from simtrial.search.wording import question

    heads = (
        "plan",
        "type I error",
        "power",
        "EN(p0)",
        "largest type I error",
        "at n1, n",
        "smallest power",
        "at n1, n",
    )
    rows = [
        [
            name, rate(plan.type_i_error), rate(plan.power), f"{plan.en_p0:.2f}",
            rate(plan.largest_type_i_error.reject), f"{plan.largest_type_i_error.n1}, {plan.largest_type_i_error.n}",
            rate(plan.smallest_power.reject), f"{plan.smallest_power.n1}, {plan.smallest_power.n}",
        ]
        for name, plan in found.items()
    ]  # fmt: skip
    terminal.table(f"{question(asked)}; {k} sizes of each look, all pairs equally likely", heads, rows)
    for name, plan in found.items():
        first, last = (", ".join(f"{r}/{n}" for r, n in zip(*one, strict=True)) for one in _bounds(plan))
        terminal.wrapped(f"{name}: first look {first}; last look {last}.")
    terminal.wrapped(
        "Averages over all pairs of sizes keep both limits; single pairs do not, and the worst of them stands beside."
    )


def _bounds(plan: FlexibleDesign) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    return (plan.r1, plan.n1), (plan.r, plan.n)


def _json(plan: FlexibleDesign) -> dict[str, object]:
    worst = {"largest_type_i_error": plan.largest_type_i_error, "smallest_power": plan.smallest_power}
    return {
        "n1": list(plan.n1), "r1": list(plan.r1), "n": list(plan.n), "r": list(plan.r),
        "type_i_error": plan.type_i_error, "power": plan.power, "en_p0": plan.en_p0,
    } | {name: one._asdict() for name, one in worst.items()}  # fmt: skip
