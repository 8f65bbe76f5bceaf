"""The primary estimand with its price as plain JSON values, at full precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text
from simtrial.laws.losses import AMONG
from simtrial.trial import estimand_words

if TYPE_CHECKING:
    from simtrial.trial.case import Case
    from simtrial.trial.estimand import Estimand, IntercurrentEvent
    from simtrial.trial.strategies import Priced


def of(case: Case, found: Estimand) -> dict[str, object]:
    """Attributes, design, events with their alternatives, sentences, and what is missing."""
    asked, loss = case.requirements, found.dropout
    handled = case.trial.how
    return {
        "estimand": {
            "population": found.population,
            "treatment": found.treatment,
            "endpoint": found.endpoint,
            "summary": found.summary,
            "p0_among": found.p0_among,
        },
        "design": {
            "looks": [{"n": look.n, "r": look.r, "e": look.e} for look in case.chosen.looks],
            "n": case.n,
            "requirements": {"p0": asked.p0, "p1": asked.p1, "alpha": asked.alpha, "power": asked.power},
            "type_i_error": float(case.at_limits.reject[0]),
            "power": float(case.at_limits.reject[1]),
            "en_p0": float(case.at_limits.en[0]),
            "en_p1": float(case.at_limits.en[1]),
        },
        "dropout": None
        if loss is None or handled is None
        else {
            "probability": loss.probability,
            "of_responder": loss.of_responder,
            "odds_ratio": loss.responder_odds_ratio,
            "handling": handled.handling,
            "bounds": ("recut" if handled.recut else "fixed") if handled.handling == "exclude" else None,
        },
        "priced": "each event" if found.each else "all events together",
        "events": [_event(event) for event in found.events],
        "together": [_priced(one) for one in found.together],
        "as_stated": None if found.stated is None else _priced(found.stated),
        "criterion": found.cure,
        "notes": list(estimand_words.price(case, found)),
        "to_complete": list(found.to_complete),
    }


def _event(event: IntercurrentEvent) -> dict[str, object]:
    return {
        "event": event.kind,
        "label": event.label,
        "probability": event.probability,
        "strategy": event.strategy,
        "bounds": event.bounds,
        "reason": event.reason or None,
        "source": event.source or None,
        "alternatives": [_priced(one) for one in event.alternatives],
    }


def _priced(one: Priced) -> dict[str, object]:
    names = ("type_i_error", "power", "en_p0", "en_p1", "pet_p0", "pet_p1")
    mean = one.n_enrolled_mean or (None, None)
    return {
        "strategy": one.strategy,
        "bounds": one.bounds,
        "taken": one.taken,
        **{name: None if one.figures is None else getattr(one.figures, name) for name in names},
        "n_enrolled": one.n_enrolled,
        "n_enrolled_mean_p0": mean[0],
        "n_enrolled_mean_p1": mean[1],
        "keeps": one.keeps,
        "type_i_error_by_p0_among": {among: one.by_reading.get(among) for among in AMONG},
        "keeping_design": None if one.cure is None else looks_text(one.cure),
        "why_not": one.why_not or None,
    }
