"""The command that prices the strategies for intercurrent events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.design.designs import looks_text
from simtrial.laws.losses import AMONG
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.trial.case import Case
    from simtrial.trial.estimand import Estimand, IntercurrentEvent
    from simtrial.trial.strategies import Priced


def estimands(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parameter file, such as params/NCT07022301.yaml.")],
    as_json: terminal.Json = False,
) -> None:
    """Price the estimand: exact type I error, power and patients under each strategy for intercurrent events."""
    from simtrial.trial import estimand as trial_estimand
    from simtrial.trial import params
    from simtrial.trial.case import Case

    trial, source = params.read(file)
    case = Case.of(trial).checked(str(source.path))
    found = trial_estimand.of(case)
    if as_json:
        terminal.print_json(_json(case, found))
    else:
        _show(case, found)


def _json(case: Case, found: Estimand) -> dict[str, object]:
    from simtrial.trial import estimand_words

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
        "reason": event.reason,
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


def _show(case: Case, found: Estimand) -> None:
    """Print the attributes, then one table for each event that may happen."""
    from simtrial.trial import estimand_words

    print_ = terminal.console().print
    print_("The primary estimand", style="bold")
    for name in ("population", "treatment", "endpoint", "summary"):
        print_(f"  {name.capitalize()}: {getattr(found, name)}")
    print()
    heads = ["strategy", "taken", *_error_heads(found), "power", "EN(p0)", "EN(p1)", "enrolled", "keeps", "design"]
    for block in estimand_words.blocks(found):
        rows = [_row(one, found) for one in block.priced]
        terminal.table(block.label, heads, rows, left=2)
    print_(_legend(found))
    for sentence in estimand_words.price(case, found):
        print_(sentence)
    if found.to_complete:
        print_("\nTo complete in the parameter file (section estimand):", style="bold")
        for mark in found.to_complete:
            print_(f"  {mark}")


def _legend(found: Estimand) -> str:
    """What the heads of the tables mean."""
    errors = "error: type I error, p0 being the rate among all enrolled patients or with every patient evaluable. "
    errors = errors if found.readings_differ else ""
    return (
        f"{errors}EN: mean number of enrolled patients. enrolled: patients enrolled if "
        "the trial reaches its last look; with one decimal a mean at p1. design: keeps both limits under the strategy "
        f"({found.cure})."
    )


def _error_heads(found: Estimand) -> list[str]:
    return [f"error, {among}" for among in AMONG] if found.readings_differ else ["type I error"]


def _row(one: Priced, found: Estimand) -> list[str]:
    from simtrial.trial import estimand_words

    name = estimand_words.strategy(one.strategy, one.bounds)
    taken = "yes" if one.taken else ""
    if one.figures is None:
        return [name, taken, *("–" for _ in _error_heads(found)), *("–",) * 6]
    errors = [one.by_reading[among] for among in AMONG] if found.readings_differ else [one.figures.type_i_error]
    return [
        name,
        taken,
        *(rate(value) for value in errors),
        rate(one.figures.power),
        f"{one.figures.en_p0:.1f}",
        f"{one.figures.en_p1:.1f}",
        estimand_words.enrolled(one),
        "yes" if one.keeps else "no",
        "–" if one.cure is None else looks_text(one.cure, ", "),
    ]
