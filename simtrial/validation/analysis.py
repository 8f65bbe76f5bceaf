"""Validation cases for the final analysis; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simtrial.analysis import conditional, inference, rules
from simtrial.analysis.attained import Attained, Planned
from simtrial.design.designs import TwoStage, parse_looks
from simtrial.phrases import counted
from simtrial.validation.cases import Comparison, case_of, reference, same_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.analysis.inference import Inference

ESTIMATE_COLUMNS = {
    "mle": "mle",
    "umvue": "umvue",
    "umvcue": "umvcue",
    "bias_corrected_guo_liu": "bias_subtracted",
    "bias_adj_whitehead": "bias_adjusted",
    "median_unbiased_kc": "median_unbiased",
}
"""Columns of ``two_stage_inference.csv``, and our names for them."""

P_COLUMNS = {"p_value_kc": "exact", "p_value_midp": "mid_p", "p_value_naive": "naive"}
INTERVAL_COLUMNS = {
    "kc90_lo": ("koyama_chen", 0.9, 0),
    "kc90_hi": ("koyama_chen", 0.9, 1),
    "jt90_hi": ("exact", 0.9, 1),
    "jt95_lo": ("exact", 0.95, 0),
    "jt95_hi": ("exact", 0.95, 1),
    "midp90_lo": ("mid_p", 0.9, 0),
    "midp90_hi": ("mid_p", 0.9, 1),
    "cp90_lo": ("naive", 0.9, 0),
    "cp90_hi": ("naive", 0.9, 1),
}

SINGLEARM_STEP = 2.0**-15
"""How near to a root R singlearm 1.0.0 comes: its roots differ from ours by up to 3.05e-5, never by more."""

CLINFUN_STEP = 1.0e-4
"""Distance of the rates on the grid from which R clinfun takes its limits."""

SINGLEARM = {
    ("estimate", "bias_adj"): ("stage", "bias_adjusted"),
    ("estimate", "bias_sub"): ("stage", "bias_subtracted"),
    ("estimate", "conditional"): ("stage", "conditional_mle"),
    ("estimate", "mue"): ("stage", "median_unbiased"),
    ("estimate", "naive"): ("stage", "mle"),
    ("estimate", "umvcue"): ("stage", "umvcue"),
    ("estimate", "umvue"): ("stage", "umvue"),
    ("p_value", "conditional"): ("stage", "conditional"),
    ("p_value", "mle"): ("mle", "exact"),
    ("p_value", "naive"): ("stage", "naive"),
    ("p_value", "umvue"): ("umvue", "exact"),
    ("ci", "exact"): ("stage", "exact"),
    ("ci", "mid_p"): ("stage", "mid_p"),
    ("ci", "naive"): ("stage", "naive"),
}
"""Quantity and method of R singlearm; our ordering, and our name."""


def place(found: Inference, stage: int, responses: int) -> int:
    """Where an ending stands."""
    return int(np.flatnonzero((found.endings.stage == stage) & (found.endings.responses == responses))[0])


def compared(row: Any, at: dict[float, Inference]) -> Iterator[tuple[str, float, float]]:
    """Every number of a row of ``two_stage_inference.csv`` beside ours: column, theirs, ours; blanks left out."""
    k = place(at[0.9], row.stop_stage, row.x_total)
    for column, name in ESTIMATE_COLUMNS.items():
        yield column, float(getattr(row, column)), float(at[0.9].estimates[name][k])
    for column, name in P_COLUMNS.items():
        yield column, float(getattr(row, column)), float(at[0.9].p_values[name][k])
    for column, (name, level, end) in INTERVAL_COLUMNS.items():
        yield column, float(getattr(row, column)), float(at[level].intervals[name][k, end])


def every_ending() -> Comparison:
    """Estimates, p-values and intervals of every ending of nine designs."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for (r1, n1, r, n, p0), group in reference("two_stage_inference").groupby(["r1", "n1", "r", "n", "p0"]):
            design = TwoStage(int(r1), int(n1), int(r), int(n))
            at = {level: inference.every_ending(design, float(p0), level) for level in (0.9, 0.95)}
            for row in group.itertuples():
                listed = [one for one in compared(row, at) if not np.isnan(one[1])]
                agree = all(same_digits(ours, theirs, 6) for _, theirs, ours in listed)
                agree &= bool(row.reject) == bool(at[0.9].endings.reject[place(at[0.9], row.stop_stage, row.x_total)])
                gap = max(abs(ours - theirs) for _, theirs, ours in listed)
                what = f"{r1}/{n1} {r}/{n}, p0 {p0:g}: {counted(row.x_total, 'response')}, stage {row.stop_stage}"
                yield what, f"{counted(len(listed), 'number')}, six decimals", f"largest difference {gap:.1e}", agree

    return case_of("Inference", "exact enumeration in independent code, partly R clinfun", rows())


def singlearm_difference(row: Any, at: dict[str, Inference]) -> tuple[str, str, bool]:
    """Theirs and ours of a row of singlearm's table, and whether they agree or differ for the reason given."""
    ordering, name = SINGLEARM[row.quantity, row.method]
    found = at[ordering]
    k = place(found, int(row.k), int(row.s))
    if row.quantity == "ci":
        ours = found.intervals[name][k]
        theirs = np.array([row.value, row.upper])
    else:
        table = found.estimates if row.quantity == "estimate" else found.p_values
        ours, theirs = table[name][k : k + 1], np.array([row.value])
    agree = bool((np.abs(ours - theirs) <= SINGLEARM_STEP).all())
    shown = ", ".join(f"{v:.5f}" for v in ours)
    if name == "umvcue" and int(row.k) == 1:
        shown, agree = (
            "none; this is kept, since a trial that stops at its first look has no later stage to condition on",
            bool(np.isnan(ours[0])),
        )
    elif name == "median_unbiased" and row.s == found.design.looks[-1].n:
        # with p = 1 the ending seen is certain, not as likely as not
        n = found.design.looks[-1].n
        shown, agree = (
            f"{shown}; this is kept, since p^{n} = 1/2 holds there, while at p = 1 it is 1",
            bool(abs(ours[0] ** n - 0.5) < 1e-9),
        )
    return ", ".join(f"{v:.5f}" for v in theirs), shown, agree


def singlearm() -> Comparison:
    """Every number of R singlearm, for every ending of three designs."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for (looks, p0), group in reference("two_stage_inference_singlearm").groupby(["design", "p0"]):
            design = parse_looks(looks.replace(" ", ","))
            orders = ("stage", "mle", "umvue")
            at = {order: inference.every_ending(design, float(p0), 0.95, ordering=order) for order in orders}
            for row in group.itertuples():
                what = f"{looks}: {row.s} of {row.m}, {row.quantity} {row.method}"
                theirs, ours, agree = singlearm_difference(row, at)
                yield what, theirs, ours, agree

    source = "R singlearm 1.0.0, whose roots are accurate to 3.05e-5"
    return case_of("R singlearm", source, rows())


def clinfun() -> Comparison:
    """UMVUE, p-value and Koyama-Chen limits of R clinfun."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for (looks, p0, alpha), group in reference("two_stage_inference_clinfun").groupby(["design", "p0", "alpha"]):
            design = parse_looks(looks.replace(" ", ","))
            found = inference.every_ending(design, float(p0), 1 - 2 * float(alpha))
            for row in group.itertuples():
                stage = 1 if row.x <= design.looks[0].r else 2
                k = place(found, stage, int(row.x))
                ours = [found.estimates["umvue"][k], found.p_values["exact"][k], *found.intervals["koyama_chen"][k]]
                theirs = [row.umvue, row.p_value, row.lcl, row.ucl]
                limits = (1e-9, 1e-9, CLINFUN_STEP, CLINFUN_STEP)  # ten digits are printed of the first two
                pairs = zip(ours, theirs, limits, strict=True)
                agree = all(abs(a - b) <= limit for a, b, limit in pairs if not np.isnan(b))
                expected, got = (", ".join("NA" if np.isnan(v) else f"{v:.5f}" for v in row) for row in (theirs, ours))
                yield f"{looks}: {counted(row.x, 'response')}", expected, got, agree

    return case_of("R clinfun inference", "R clinfun 1.1.5 twostage.inference, whose limits lie on a grid", rows())


def attained() -> Comparison:
    """Sizes that differ from plan: Koyama and Chen's examples, Green and Dahlberg's rule."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("koyama_chen2008_examples").itertuples():
            found = koyama_chen_numbers(row)
            expected = [row.p_value, row.ci90_lo, row.median_unbiased, row.ci90_hi, row.conditional_error_A]
            # limits were found by a coarser root finder: five digits are printed, the last of them off by up to half
            agree = all(abs(a - b) <= limit for a, b, limit in zip(found[:5], expected, KC_DIGITS, strict=True))
            agree &= found[5] == row.new_x2_critical
            expected.append(row.new_x2_critical)
            yield f"Koyama-Chen: {row.example}", _listed(expected), _listed(found), agree
        for row in reference("green_dahlberg_attained").itertuples():
            plan = Planned(0, row.planned_n1, 0, row.planned_n)  # the rule asks for sizes alone
            bounds = rules.green_dahlberg(plan, rules.Asked(row.p0, row.pA, 0.05), row.attained_n1, row.attained_n)
            assert bounds is not None
            reject, pet = bounds.reject_probability([row.p0, row.pA])
            got = [bounds.r1, int(bounds.r[0]) + 1, float(reject[0]), float(reject[1]), float(pet[0])]
            expected = [row.stop_if_x1_le, row.reject_if_x_ge, row.type1, row.power, row.PET0]
            agree = all(abs(a - b) <= 1e-12 for a, b in zip(got, expected, strict=True))
            what = f"Green-Dahlberg: {row.p0:g}/{row.pA:g}, {row.attained_n1} and {row.attained_n}"
            yield what, _listed(expected), _listed(got), agree

    return case_of("Attained sizes", "Koyama and Chen 2008, corrected R code of the author; enumeration", rows())


def _listed(values: list[float]) -> str:
    return ", ".join(f"{v:.5g}" for v in values)


KC_DIGITS = (5.1e-7, 5.1e-6, 5.1e-6, 5.1e-6, 5.1e-7)


def koyama_chen_numbers(row: Any) -> list[float]:
    """P-value, lower limit, median, upper limit, conditional error and new second-stage bound of an example."""
    plan = Planned(row.R1_continue_if_ge - 1, row.n1, row.RT_reject_if_ge - 1, row.nT)
    seen = Attained(row.n1, row.n1 + row.n2_actual, row.x1, row.x1 + row.x2)
    rates = [conditional.conditional_rate(plan, seen, a) for a in (0.05, 0.5, 0.95)]
    error = float(conditional.conditional_error(plan, row.p0, np.array([row.x1]))[0])
    bounds = rules.koyama_chen(plan, rules.Asked(row.p0, row.p1, error), row.n1, seen.n)
    assert bounds is not None
    return [conditional.conditional_p_value(plan, seen, row.p0), *rates, error, int(bounds.r[row.x1]) + 1 - row.x1]
