"""Tables of designs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.design.designs import SingleStage, looks_text
from simtrial.design.exact import operating_characteristics, side
from simtrial.design.requirements import N_LIMIT_MOST
from simtrial.design.second_stages import branched
from simtrial.phrases import counted
from simtrial.search import neighbours
from simtrial.search.adaptive import tables as second_stages
from simtrial.search.candidate import attained
from simtrial.search.criteria import compared, named, with_names
from simtrial.search.families import COMPARED
from simtrial.search.formulas import Approximation
from simtrial.search.record import Criterion
from simtrial.search.single import FAMILY as ONE_STAGE
from simtrial.search.single import FIRST, SUSTAINED
from simtrial.search.wording import limits
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table, column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import (
        AnyFamily,
        Certificate,
        SingleStageSearch,
        TwoStageCandidate,
        TwoStageSearch,
    )
    from simtrial.search.record import Examined, Preference


def _behaviour(design: Design, requirements: Requirements) -> dict[str, object]:
    one = attained(design, requirements)
    early = len(design.looks) > 1
    return {
        "looks": looks_text(design, ", "),
        "n": one.n,
        "type_i_error": one.type_i_error,
        "power": one.power,
        "en_p0": one.en_p0,
        "pet_p0": one.pet_p0 if early else np.nan,
        "en_p1": one.en_p1,
        "pet_p1": one.pet_p1 if early else np.nan,
    }


_BEHAVIOUR: dict[str, Shown] = {
    "looks": column("looks", WORDS),
    "n": column("n", WHOLE),
    "type_i_error": column("type_i_error", RATE),
    "power": column("power", RATE),
    "en_p0": column("en_p0", PATIENTS),
    "pet_p0": column("pet_p0", RATE),
    "en_p1": column("en_p1", PATIENTS),
    "pet_p1": column("pet_p1", RATE),
}


def candidates(
    single: SingleStageSearch,
    two: TwoStageSearch | None,
    chosen: Design | None,
    criterion: Preference | None = None,
) -> Table:
    """The designs worth considering, side by side; the chosen one stressed. Without `two`, the single stage alone.

    The criterion by which the design was chosen gives it its name, if none of the others has the same looks.
    """
    asked = single.requirements
    listed: list[tuple[str, Design, float, float]] = [
        (named(kinds), design, np.nan, np.nan) for kinds, design in with_names(ONE_STAGE, single)
    ]
    listed += [
        (named(c.kinds), c, c.q_low or 0.0, 1.0 if c.q_high is None else c.q_high)
        for c in (two.admissible if two else ())
    ]
    if chosen is not None and criterion is not None and not compared(criterion):
        same = [k for k, (_, design, _, _) in enumerate(listed) if design.looks == chosen.looks]
        for k in same:
            listed[k] = (f"{listed[k][0]} and {criterion.name}", *listed[k][1:])
        if not same:
            listed.append((criterion.name, chosen, np.nan, np.nan))
    elif chosen is not None and all(design.looks != chosen.looks for _, design, _, _ in listed):
        missed = "" if attained(chosen, asked).keeps else ", misses the limits"
        listed.append((f"as given{missed}", chosen, np.nan, np.nan))
    rows = [
        {"kind": kind, **_behaviour(design, asked), "q_low": low, "q_high": high} for kind, design, low, high in listed
    ]
    frame = pd.DataFrame(rows)
    view = frame.assign(
        weights=["–" if np.isnan(a) else f"{a:.3f} to {b:.3f}" for a, b in zip(frame.q_low, frame.q_high, strict=True)]
    )
    shown: dict[str, Shown] = {
        "kind": column("design", WORDS),
        **_BEHAVIOUR,
        "weights": column("weights", WORDS),
    }
    caption = (
        f"Designs that meet the limits for {limits(asked)}: stop if X1 <= r1 of n1, reject H0 if X > r of n. Exact "
        "values; the chosen design in bold"
    )
    bold = [chosen is not None and d.looks == chosen.looks for _, d, _, _ in listed]
    return Table("candidates", caption, view, shown, chosen=bold)


def near(
    designs: Sequence[TwoStageCandidate],
    chosen: Design,
    requirements: Requirements,
    criterion: Preference | None = None,
) -> Table:
    """Designs near the chosen one, with the rule that picks them in the caption; see `neighbours.near`."""

    def apart(design: Design) -> int:
        first = abs(design.looks[0].n - chosen.looks[0].n) if len(chosen.looks) > 1 else 0
        return abs(design.looks[-1].n - chosen.looks[-1].n) + first

    own = criterion.name if criterion is not None else "–"
    listed: list[tuple[str, Design]] = [
        (named(design.kinds) or (own if design.looks == chosen.looks else "–"), design) for design in designs
    ]
    if all(design.looks != chosen.looks for design in designs):
        missed = "" if attained(chosen, requirements).keeps else ", misses the limits"
        listed.insert(0, (f"{criterion.name if criterion is not None else 'chosen'}{missed}", chosen))
    rows = [{"kind": kind, **_behaviour(design, requirements), "apart": apart(design)} for kind, design in listed]
    shown: dict[str, Shown] = {"kind": column("design", WORDS), **_BEHAVIOUR, "apart": column("apart", WHOLE)}
    bold = [design.looks == chosen.looks for _, design in listed]
    return Table("near", _rule(designs, chosen), pd.DataFrame(rows), shown, chosen=bold)


def _rule(designs: Sequence[TwoStageCandidate], chosen: Design) -> str:
    looks, within = looks_text(chosen, ", "), neighbours.closeness(chosen)
    if chosen.looks[-1].n > N_LIMIT_MOST:
        return f"Designs near {looks} are left out: designs are searched up to n = {N_LIMIT_MOST}"
    first = " and n1" if len(chosen.looks) > 1 else ""
    each = "n and n1" if first else "n"
    sizes = f"n{first} within {counted(within, 'patient')} of the chosen design {looks}"
    if not designs:
        return f"No two-stage design with {sizes} meets the limits"
    distance = "difference in n plus difference in n1" if first else "difference in n"
    return (
        f"Two-stage designs that meet the limits, {sizes} (in bold). For each {each}, the design with the least "
        f"EN(p0), ties included. The closest stand first (distance: {distance}), then by EN(p0); at most "
        f"{neighbours.MOST_NEAR} are listed"
    )


BEYOND = {
    "proved": "With more patients no design is better.",
    "capped": "Designs with more patients were not examined.",
    "heuristic": "Designs with more patients were not examined and may be better; the bound holds up to this n.",
}
"""What is known beyond n_upper, by how far a search reaches."""


def certificate(
    two: TwoStageSearch,
    family: AnyFamily | Examined | None = None,
    found: Certificate | None = None,
    criterion: Preference | None = None,
) -> Table:
    """The proof of optimality, number by number; of another family than those always compared, its own stands first."""
    proof, asked = two.certificate, two.requirements
    rows: list[tuple[str, int | float, str]] = []
    whose = "two-stage search"
    if family is not None and found is not None and family.key not in COMPARED:
        examined = {"proved": "", "capped": "that was examined ", "heuristic": "with looks among these "}[found.how]
        aim = criterion.aim if isinstance(criterion, Criterion) else None
        weighed = "" if aim is None else f" in {aim.what}"
        beyond = BEYOND[found.how]
        if getattr(family, "looks_given", False):
            beyond = "The number of patients at the last look; designs with other looks were not examined."
        if aim is None and found.value < 1:  # what is made small is 1 - power
            weighed = ", 1 - power"
        own = {
            "n_lower": (found.n_lower, "With fewer patients no design meets both limits."),
            "n_upper": (found.n_upper, beyond),
            "value": (found.value, f"The value of {(criterion or family.criteria[0]).phrase}{weighed}."),
            "bound": (found.bound, f"No design {examined}has a value below this."),
        }
        whose = f"search for {family.title}, and of the {whose}"
        rows += [(f"{family.key}: {name}", value, meaning) for name, (value, meaning) in own.items()]
    rows += [
        (
            "n_lower",
            proof.n_lower,
            f"No design with fewer patients reaches power {asked.power:g}: the most powerful test cannot.",
        ),
        ("n_minimax", proof.n_minimax, "The smallest n at which any design meets both limits."),
        ("en_optimal", proof.en_optimal, "The smallest EN(p0) of all designs up to n_upper."),
        ("n_upper", proof.n_upper, "The largest n for which a smaller EN(p0) could not be excluded by the bound."),
        ("en_beyond", proof.en_beyond, "EN(p0) of every design with more patients is at least this."),
        (
            "solved",
            proof.solved,
            "Number of (n, n1, r) solved for r1, or of (r1, n1, n) evaluated where bounds are recalculated.",
        ),
    ]
    names, values, meanings = zip(*rows, strict=True)
    frame = pd.DataFrame({"name": names, "value": pd.Series(values, dtype=object), "meaning": meanings})
    shown: dict[str, Shown] = {
        "name": column("quantity", WORDS),
        "value": column("value", lambda v: f"{v:.4f}" if isinstance(v, float) else f"{v:d}"),
        "meaning": column("proves", WORDS),
    }
    return Table(
        "certificate", f"Certificate of the {whose}: what is proved about designs that were not chosen", frame, shown
    )


def approximations(found: Sequence[Approximation], single: SingleStageSearch) -> Table:
    """Textbook sample sizes, and what their rules really do."""
    asked = single.requirements
    exact = [
        Approximation(
            method=f"exact_{name}",
            title=criterion.name,
            n_raw=np.nan,
            n=c.n,
            r=c.r,
            type_i_error=c.type_i_error,
            power=c.power,
        )
        for criterion, name, c in ((FIRST, "first", single.first), (SUSTAINED, "sustained", single.sustained))
    ]
    rows = [asdict(a) | {"verdict": _verdict(a, asked)} for a in (*found, *exact)]
    frame = pd.DataFrame(rows)
    shown: dict[str, Shown] = {
        "title": column("formula", WORDS),
        "n_raw": column("n", "{:.2f}", "before rounding"),
        "n": column("n", WHOLE),
        "r": column("rejects_above", WHOLE),
        "type_i_error": column("type_i_error", RATE, "exact"),
        "power": column("power", RATE, "exact"),
        "verdict": column("verdict", WORDS),
    }
    caption = (
        f"Sample sizes by textbook formulas for {limits(asked)}, with the exact type I error and power of the rule "
        "that each implies; exact designs in bold"
    )
    return Table("approximations", caption, frame, shown, chosen=frame.method.str.startswith("exact").tolist())


def _verdict(rule: Approximation, asked: Requirements) -> str:
    if 0 <= rule.r < rule.n:
        test = SingleStage(rule.r, rule.n)
        faults = {
            "type I error above alpha": side(test, asked.p0, asked.alpha, rule.type_i_error) > 0,
            "power too low": side(test, asked.p1, asked.power, rule.power) < 0,
        }
    else:  # a rule that always or never rejects
        faults = {
            "type I error above alpha": rule.type_i_error > asked.alpha,
            "power too low": rule.power < asked.power,
        }
    return " and ".join(fault for fault, found in faults.items() if found) or "meets both limits"


def characteristics(design: Design, requirements: Requirements, p: Sequence[float] = ()) -> Table:
    """Reject, PET, EN and the distribution of N at chosen response rates (p0, p1 and a grid if none are given)."""
    p0, p1 = requirements.p0, requirements.p1
    around = p0 + (p1 - p0) / 4 * np.array([-4, -3, -2, -1, 1, 2, 3, 5, 6, 7, 8])
    rates = np.unique(p if len(p) else [*np.clip(around, 0, 1).round(10), p0, p1])
    oc = operating_characteristics(design, rates)
    frame = pd.DataFrame({"p": rates, "reject": oc.reject, "pet": oc.pet, "en": oc.en})
    shown: dict[str, Shown] = {
        "p": column("p", "{:.3g}"),
        "reject": column("reject", RATE),
        "pet": column("pet", RATE),
        "en": column("en", PATIENTS),
    }
    for k, look in enumerate(design.looks):
        frame[f"stop_at_{look.n}"] = oc.n_distribution[:, k]
        shown[f"stop_at_{look.n}"] = column("ends_at", RATE, f"n = {look.n}")
    caption = (
        f"Exact operating characteristics of {looks_text(design, ', ')} by the true response rate; p0 and p1 in bold"
    )
    return Table("operating_characteristics", caption, frame, shown, chosen=np.isin(rates, [p0, p1]).tolist())


def decisions(design: Design, *, recut: bool = False) -> Table:
    """What to do with each number of responses, at each look, in words a clinic can use.

    The caption says that bounds are recalculated at the numbers of evaluable patients where they are (`recut`).
    """
    first = branched(design.looks)
    rows = _decisions(design) if first is None else second_stages.decisions(first)
    shown: dict[str, Shown] = {
        "patients": column("analysed", WHOLE),
        "responses": column("responses", WORDS),
        "observed": column("observed", WORDS, "%"),
        "decision": column("decision", WORDS),
    }
    caption = f"The decision at each number of responses, by {looks_text(design, ', ')}"
    caption += "; these are the planned bounds, recalculated at the number of evaluable patients" if recut else ""
    return Table("decisions", caption, pd.DataFrame(rows), shown)


def _decisions(design: Design) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for k, look in enumerate(design.looks):
        final = k == len(design.looks) - 1
        counts = np.arange(look.n + 1)
        regions = look.regions(counts, final=final)
        further = "" if final else f"continue to {counted(design.looks[k + 1].n, 'patient')}"
        decided = counts > max(later.r or 0 for later in design.looks[k:])
        words = (
            (regions.accept, "stop: H0 is not rejected" if not final else "H0 is not rejected"),
            (regions.go_on & ~decided, further),
            (regions.go_on & decided, f"{further}; H0 will be rejected"),
            (regions.reject, "reject H0: the response rate exceeds p0" if final else "stop: reject H0"),
        )
        for region, decision in words:
            if region.any():
                low, high = int(counts[region][0]), int(counts[region][-1])
                rows.append(
                    {
                        "patients": look.n,
                        "from": low,
                        "to": high,
                        "responses": f"{low}" if low == high else f"{low} to {high}",
                        "observed": f"{100 * low / look.n:.1f} to {100 * high / look.n:.1f}",
                        "decision": decision,
                    }
                )
    return rows
