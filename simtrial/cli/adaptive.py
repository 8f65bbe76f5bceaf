"""What is said of an adaptive design beside what is said of any: its table, its type I error over all p <= p0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import counted, rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.design.branching import Branching
    from simtrial.design.requirements import Requirements
    from simtrial.search.branching import BranchingFound

KEY = "adaptive"
"""The family."""


def rows(design: Branching, rates: tuple[float, float]) -> list[dict[str, object]]:
    """What follows each number of responses, with the conditional probabilities of rejecting H0 at p0 and at p1."""
    from simtrial.design.second_stages import SecondStage

    error, power = (design.conditional(p).tolist() for p in rates)
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


def more_json(found: BranchingFound) -> dict[str, object]:
    """What the JSON of a design gains."""
    from simtrial.design.branching import branching_text

    design, law, largest = found.design, found.law, found.largest_type_i_error
    first = design.looks[0]
    return {
        "looks": [{"n": first.n, "r": first.r, "e": first.e}],
        "second_stage": rows(design, (found.asked.p0, found.asked.p1)),
        "rule": branching_text(design),
        "n_distribution": [
            {"n": n, "p0": float(law.n_distribution[0, k]), "p1": float(law.n_distribution[1, k])}
            for k, n in enumerate(law.n.tolist())
        ],
        "monotone": found.monotone,
        "largest_type_i_error": {"value": largest.value, "p": largest.p},
        "linear_bound": found.linear_bound,
    }


def answer_two_targets(asked: Requirements, p2: float, power2: float, cap: int | None, *, as_json: bool) -> None:
    """Search the rule with two targets, and print it.

    Raises
    ------
    InputError
        If a number cannot be, or no rule within the cap meets the limits.
    """
    from simtrial.cli import designs_json
    from simtrial.design.branching import branching_text
    from simtrial.design.exact import operating_characteristics
    from simtrial.search.branching.two_targets import TwoTargets, two_targets
    from simtrial.search.simon import two_stage

    question = TwoTargets(asked=asked, p2=p2, power=power2)
    with terminal.waiting("searching adaptive designs with two targets"):
        found = two_targets(question, cap=two_stage(asked).optimal.n if cap is None else cap)
    rates = (asked.p0, asked.p1, p2)
    law = operating_characteristics(found.design, rates)
    proof = designs_json.certificate(found.certificate)
    if as_json:
        first = found.design.looks[0]
        values = {"type_i_error": law.reject[0], "power": law.reject[1], "power_p2": law.reject[2]}
        values |= {f"{name}_{rate}": at[k] for name, at in (("en", law.en), ("pet", law.pet))
                   for k, rate in enumerate(("p0", "p1", "p2"))}  # fmt: skip
        design = {
            "family": KEY, "kinds": ["two_targets"], "looks": [{"n": first.n, "r": first.r, "e": first.e}],
            "s1": found.s1, "n1": found.n1, "q1": found.q1, "low": found.low._asdict(), "high": found.high._asdict(),
            "second_stage": rows(found.design, (asked.p0, asked.p1)), "rule": branching_text(found.design),
            "n": found.design.n_max,
        } | {name: float(value) for name, value in values.items()}  # fmt: skip
        asks = designs_json.question(asked) | {"p2": p2, "power_p2": power2}
        terminal.print_json({"requirements": asks, "family": KEY, "designs": [design], "certificate": proof})
        return
    heads = ("true rate", "P(reject H0)", "limit", "PET", "EN")
    limits = (f"at most {asked.alpha:g}", f"at least {asked.power:g}", f"at least {power2:g}")
    cells = [
        [f"{p:g}", rate(law.reject[k]), limits[k], rate(law.pet[k]), f"{law.en[k]:.2f}"] for k, p in enumerate(rates)
    ]
    terminal.table(f"Two targets, p1 = {asked.p1:g} and p2 = {p2:g} (Lin and Shih 2004)", heads, cells)
    table(found.design, (asked.p0, asked.p1))
    most = counted(found.certificate.n_upper, "patient")
    terminal.wrapped(
        f"After {counted(found.n1, 'patient')}: stop with at most {counted(found.s1, 'response')}; with up to "
        f"{found.q1} go to {counted(found.low.n, 'patient')} and reject H0 with more than {found.low.r}, with more to "
        f"{counted(found.high.n, 'patient')} and reject it with more than {found.high.r}. Among the rules of this form "
        f"with at most {most} none has a smaller EN(p0) than {found.certificate.value:.4f}; no table of any size has "
        f"less than {found.certificate.bound:.4f}."
    )
    terminal.wrapped(f"In one line: {branching_text(found.design)}.")


def show(found: BranchingFound, *, on_paper: bool) -> None:
    """Print the table of a design, the proof and, where the limits hold on paper, the paragraph for the protocol."""
    from simtrial.design.branching import branching_text
    from simtrial.search.adaptive import text

    table(found.design, (found.asked.p0, found.asked.p1))
    for said in (text.proved(found), text.null(found), text.beside_simon(found)):
        terminal.wrapped(said)
    terminal.wrapped(f"In one line: {branching_text(found.design)}.")
    if on_paper:
        terminal.wrapped(f"\nParagraph for the protocol:\n\n{text.protocol(found)}")


def table(design: Branching, rates: tuple[float, float]) -> None:
    """Print what follows each number of responses, numbers that lead to the same stop in one row."""
    from simtrial.design.second_stages import branches

    every = rows(design, rates)
    cells = []
    for one in branches(design.looks[0]):
        row = every[one.low]
        decision = {"accept": "stop, do not reject H0", "reject": "stop, reject H0"}.get(
            str(row["decision"]), "continue"
        )
        n2, r = ("" if row[key] is None else str(row[key]) for key in ("n2", "r"))
        total = "" if row["n2"] is None else str(design.n1 + design.n2[one.low])
        error, power = (rate(float(str(row[key]))) for key in ("conditional_error", "conditional_power"))
        cells.append([one.seen, decision, n2, total, r, error, power])
    heads = ("responses X1", "decision", "n2", "n", "r", "conditional type I error", "conditional power")
    terminal.table(f"After {counted(design.n1, 'patient')}", heads, cells, left=2)
    terminal.wrapped(
        "n2: patients of the second stage. r: reject H0 if more than r of all patients respond. Conditional type I "
        "error and power: probability of rejecting H0, given the responses of the first stage, at p0 and at p1."
    )
