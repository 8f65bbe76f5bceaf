"""The rule for toxicity in tables: its counts to print, what it does at any rate, and how the trial ends with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.design.designs import looks_short
from simtrial.phrases import agreeing, counted, spanned, stated, together
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table, column
from simtrial.toxicity import text
from simtrial.toxicity.boundary import crossing
from simtrial.toxicity.joint import endings as joint_endings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.rule import ToxicityRule

ENDS = ("toxicity", "futility", "efficacy", "success", "failure")
"""The endings of a trial with both rules, by the names of `JointEndings.shares`."""


def counts(boundary: ToxicityBoundary, acceptable: float | None = None, unacceptable: float | None = None) -> Table:
    """The counts to print, one row per run of looks with the same number; both conventions side by side.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The counts.
    acceptable, unacceptable : float, optional
        With them the probability of having crossed by the end of each row.
    """
    found = together((look.n, look.b) for look in boundary.looks)
    frame = pd.DataFrame(
        {
            "n_from": [at[0] for _, at in found],
            "n_to": [at[-1] for _, at in found],
            "patients": [spanned(at).replace(" and ", " or ") for _, at in found],
            "stop_if_at_least": [b for b, _ in found],
            "largest_acceptable": [b - 1 for b, _ in found],
        }
    )
    shown: dict[str, Shown] = {
        "patients": column("toxicity_patients", WORDS),
        "stop_if_at_least": column("toxicity_stops", WHOLE),
        "largest_acceptable": column("toxicity_acceptable", WHOLE),
    }
    rates = {
        name: rate for name, rate in (("acceptable", acceptable), ("unacceptable", unacceptable)) if rate is not None
    }
    if rates:
        by = crossing(boundary, list(rates.values())).at_look.cumsum(axis=1)
        ends = [[look.n for look in boundary.looks].index(at[-1]) for _, at in found]
        for (name, rate), row in zip(rates.items(), by, strict=True):
            frame[f"crossed_{name}"] = row[ends]
            shown[f"crossed_{name}"] = column("toxicity_crossed_by", RATE, f"at {stated(rate)}")
    caption = (
        "When accrual stops for toxicity: patients in the order of their enrollment, and how many of them have had a "
        "toxicity. The smallest number that stops and the largest acceptable one are the same rule in two conventions"
    )
    if rates:
        caption += ". Exact probabilities that the boundary is crossed by then, if nothing else stops the trial"
    return Table("toxicity_counts", caption, frame, shown, right=("patients",))


def rates(boundary: ToxicityBoundary, at: Sequence[float], stressed: Sequence[float] = ()) -> Table:
    """The exact probability of crossing a boundary and the expected patients at some rates of toxicity.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The counts.
    at : sequence of float
        The rates.
    stressed : sequence of float
        Those in bold, such as the acceptable and the unacceptable one.
    """
    found = crossing(boundary, at)
    frame = pd.DataFrame(
        {"toxicity_rate": at, "crossed": found.ever, "crossed_early": found.before_last, "en": found.en}
    )
    shown: dict[str, Shown] = {
        "toxicity_rate": column("toxicity_rate", stated),
        "crossed": column("toxicity_crossed", RATE),
        "crossed_early": column("toxicity_crossed_early", RATE),
        "en": column("toxicity_en", PATIENTS),
    }
    caption = (
        f"What the boundary for toxicity does over its {counted(len(boundary.looks), 'look')} at "
        f"{'up to ' if len(boundary.looks) > 1 else ''}{counted(boundary.n, 'patient')}, if nothing else stops the "
        "trial. All values are exact"
    )
    return Table("toxicity_rates", caption, frame, shown, chosen=[rate in stressed for rate in at])


def endings(
    design: Design,
    rule: ToxicityRule,
    p: Sequence[float],
    odds_ratios: Sequence[float] = (1.0,),
) -> Table:
    """The exact probability of every ending of a trial with both rules, at both rates of toxicity.

    Parameters
    ----------
    design : Design
        The response design.
    rule : ToxicityRule
        The rule for toxicity.
    p : sequence of float
        True response rates.
    odds_ratios : sequence of float
        Of response and toxicity; 0 and infinity are the strongest associations.
    """
    rows = []
    for rate in (rule.acceptable, rule.unacceptable):
        for one in p:
            for ratio in odds_ratios:
                found = joint_endings(design, rule.boundary, p=one, toxicity=rate, odds_ratio=ratio)
                rows.append(
                    {"toxicity_rate": rate, "p": one, "odds_ratio": ratio, "association": text.odds(ratio)}
                    | found.shares
                    | {"reject": found.reject, "en": found.en}
                )
    shown: dict[str, Shown] = {
        "toxicity_rate": column("toxicity_rate", stated),
        "p": column("p", stated),
        "association": column("association", WORDS),
    }
    shown |= {name: column(f"ends_{name}", RATE) for name in ENDS}
    shown |= {"reject": column("reject", RATE), "en": column("expected_patients", PATIENTS)}
    if not any(look.e is not None for look in design.looks[:-1]):
        shown.pop("efficacy")
    if len(design.looks) == 1:
        shown.pop("futility")
    if len(odds_ratios) == 1:
        shown.pop("association")
    caption = (
        f"How a trial of {looks_short(design)} with the rule for toxicity ends: exact probabilities at the acceptable "
        f"({stated(rule.acceptable)}) and the unacceptable ({stated(rule.unacceptable)}) rate of toxicity, every "
        f"patient being evaluable; {_association(odds_ratios)}. If both rules apply to the same patient, the stop is "
        "one for toxicity"
    )
    return Table("toxicity_endings", caption, pd.DataFrame(rows), shown)


def _association(odds_ratios: Sequence[float]) -> str:
    if len(odds_ratios) > 1:
        return "response and toxicity independent or associated as stated"
    one = odds_ratios[0]
    return f"response and toxicity {'are independent' if one == 1 else f'have the {text.odds(one)}'}"


def price(
    design: Design, rule: ToxicityRule, p0: float, p1: float, odds_ratios: Sequence[float] = (0.0, 1.0, math.inf)
) -> Table:
    """What the rule for toxicity takes from type I error, power and patients at the acceptable rate.

    Parameters
    ----------
    design : Design
        The response design.
    rule : ToxicityRule
        The rule for toxicity.
    p0, p1 : float
        Response rates of the hypotheses.
    odds_ratios : sequence of float
        Of response and toxicity: a row per association and quantity.
    """
    rows = []
    for name, one in (("type_i_error", p0), ("power", p1)):
        alone = joint_endings(design, None, p=one, toxicity=rule.acceptable)
        for ratio in odds_ratios:
            both = joint_endings(design, rule.boundary, p=one, toxicity=rule.acceptable, odds_ratio=ratio)
            rows.append(
                {
                    "quantity": f"{'Type I error' if name == 'type_i_error' else 'Power'} at {stated(one)}",
                    "p": one,
                    "odds_ratio": ratio,
                    "association": text.odds(ratio),
                    "without": alone.reject,
                    "with": both.reject,
                    "difference": both.reject - alone.reject,
                    "en_without": alone.en,
                    "en_with": both.en,
                }
            )
    shown: dict[str, Shown] = {
        "quantity": column("quantity", WORDS),
        "association": column("association", WORDS),
        "without": column("without_toxicity_rule", RATE),
        "with": column("with_toxicity_rule", RATE),
        "difference": column("rule_difference", "{:+.4f}"),
        "en_without": column("expected_patients", PATIENTS, "without the rule"),
        "en_with": column("expected_patients", PATIENTS, "with the rule"),
    }
    number = len(odds_ratios)
    caption = (
        f"What the rule for toxicity takes from the power of {looks_short(design)} and from its type I error at the "
        f"acceptable rate of toxicity ({stated(rule.acceptable)}), for {counted(number, 'association')} of response "
        f"and toxicity{agreeing(number, '', ', from the strongest negative to the strongest positive')}. All values "
        "are exact, every patient being evaluable"
    )
    return Table("toxicity_price", caption, pd.DataFrame(rows), shown)
