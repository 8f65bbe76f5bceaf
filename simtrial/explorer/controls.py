"""The settings of the explorer's controls, and the parameter file that describes the same trial.

A file may hold more than the controls can express: another model of enrollment, scheduled assessments, survival,
evidence. What the controls cannot express is kept from the file; everything else is changed by the controls alone, and
a source or rationale for a value that was changed is removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from simtrial.design.designs import looks_text
from simtrial.explorer import stopping
from simtrial.phrases import counted
from simtrial.search import CALENDAR, CRITERIA, USUAL
from simtrial.trial import params

if TYPE_CHECKING:
    from simtrial.laws.losses import Among, Losses
    from simtrial.plan.plan import Decide
    from simtrial.trial.trial import Trial

Counting = Literal["nonresponder", "replace", "exclude/fixed", "exclude/recut"]
"""The handling of patients without a response assessment, and of the bounds."""

EXPLORED = "-explored"
"""Ends the id of a study whose file was changed by hand, so that its report does not replace that of the file."""

Sections = dict[str, dict[str, object]]
"""Sections of a parameter file by their keys, as far as the controls change them."""

CONDUCT: Sections = {
    "enrollment": {"model": "constant", "rate": 2.0},
    "assessments": {"readout_months": 4.0},
    "dropout": {"probability": 0.1, "handling": "nonresponder"},
    "interim": {"accrual": "hold"},
    "follow_up": {"months_after_last_patient": 0.0},
    "simulation": {"trials": 4000, "seed": 1},
}
"""How a trial is run where its file does not say."""

START: Sections = {
    "study": {"id": "explorer", "title": "A design explored by hand"},
    "hypotheses": {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8, "basis": "assumed"},
    "design": {"criterion": USUAL, "losses": "paper"},
    "conduct": {**CONDUCT},
}
"""The first screen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls(stopping.Stopping):
    """One setting of all controls, those of the rule for toxicity among them.

    Attributes
    ----------
    p0, p1, alpha, power : float
        The question.
    design : str
        A criterion, or looks.
    dropout : float
        Probability of dropout before the first assessment.
    counting : str
        See `Counting`.
    rate : float
        Patients screened per month.
    screening : float
        Probability that a screened patient is enrolled.
    readout : float
        Months from enrollment to a known response.
    accrual : {'hold', 'continue'}
        While an interim analysis is pending.
    losses : Losses
        Whether the limits are to hold on paper or as the trial is run.
    among : Among
        Whose rate p0 is, where patients without an assessment count as non-responders.
    decide : {'complete', 'known'}
        When an analysis takes place.
    own : frozenset of str
        Sections of the conduct (enrollment, assessments, dropout) whose law the controls cannot express and keep.
    """

    p0: float
    p1: float
    alpha: float
    power: float
    design: str
    dropout: float
    counting: Counting
    rate: float
    screening: float
    readout: float
    accrual: Literal["hold", "continue"]
    losses: Losses
    among: Among
    decide: Decide
    own: frozenset[str] = frozenset()


def complete(trial: Trial) -> Trial:
    """A trial as the explorer keeps it: with a conduct, and without results, which belong to a finished trial."""
    plain = trial.plain()
    if "conduct" not in plain:  # the limits are those of the file, which assumes no dropout
        plain["conduct"] = CONDUCT
        plain["design"].setdefault("losses", "paper")
        plain.get("estimand", {}).pop("events", None)  # they may not go with the dropout assumed here
    plain.pop("analysis", None)
    if "report" in plain:  # its parts without that of the results
        plain["report"]["parts"] = [part for part in plain["report"]["parts"] if part != "analysis"]
        if not plain["report"]["parts"]:
            del plain["report"]
    return params.load(plain)


def of(trial: Trial) -> Controls:
    """The settings for a complete trial; a law that they cannot express is shown by the nearest value."""
    asked, conduct = trial.hypotheses, trial.conduct
    assert conduct is not None  # `complete` sees to it
    enrollment, assessments, dropout = conduct.enrollment, conduct.assessments, conduct.dropout
    own = {
        "enrollment": enrollment.model != "constant",
        "assessments": assessments.readout_months is None,
        "dropout": dropout.probability is None,
    }
    rate = enrollment.rate
    if rate is None and enrollment.periods:
        rate = enrollment.periods[-1].rate
    if rate is None:
        rate = (enrollment.mean_rate or 0.0) * len(enrollment.opens_months or ())
    law, rule = assessments.law, stopping.of(trial)
    counting = dropout.handling if dropout.bounds is None else f"{dropout.handling}/{dropout.bounds}"
    return Controls(
        p0=asked.p0,
        p1=asked.p1,
        alpha=asked.alpha,
        power=asked.power,
        design=trial.wish if isinstance(trial.wish, str) else looks_text(trial.wish),
        dropout=dropout.law(law.interval).probability,
        counting=cast("Counting", counting),
        rate=rate,
        screening=enrollment.screening_success,
        readout=law.window,
        accrual=conduct.interim.way if conduct.interim else "hold",
        losses=trial.losses,
        among=asked.p0_among or "enrolled",
        decide=conduct.interim.decide if conduct.interim else "complete",
        toxicity=rule.toxicity,
        acceptable=rule.acceptable,
        unacceptable=rule.unacceptable,
        crossing=rule.crossing,
        window=rule.window,
        own=frozenset(name for name, found in own.items() if found),
    )


def applied(now: Controls, trial: Trial) -> Trial:
    """A complete trial with what the controls say in place of what its file said.

    Raises
    ------
    InputError
        If the rest of the file does not go with it, such as a median PFS shorter than the readout.
    """
    before = of(trial)
    if now == before:
        return trial
    plain = trial.plain()
    _question(now, before, plain)
    stopping.applied(now, before, plain["design"])
    _conduct(now, before, plain["conduct"])
    if any(getattr(now, name) != getattr(before, name) for name in ("dropout", "counting", "readout")):
        plain.get("estimand", {}).pop("events", None)  # they divide the dropout of the file
    name = trial.study.id
    if name != START["study"]["id"]:
        plain["study"]["id"] = name.removesuffix(EXPLORED)[: 64 - len(EXPLORED)] + EXPLORED
    return params.load(plain)


def _question(now: Controls, before: Controls, plain: Sections) -> None:
    names = ("p0", "p1", "alpha", "power")
    if any(getattr(now, name) != getattr(before, name) for name in names):
        kept = {key: value for key, value in plain["hypotheses"].items() if key != "rationale"}
        plain["hypotheses"] = kept | {name: getattr(now, name) for name in names} | {"basis": "assumed"}
    if now.design != before.design:
        kept = {key: value for key, value in plain["design"].items() if key in ("n_limit", "losses", "toxicity")}
        key = "criterion" if now.design in CRITERIA or now.design in CALENDAR else "looks"
        plain["design"] = {key: now.design, **kept}
    if now.losses != before.losses or now.design != before.design:
        plain["design"]["losses"] = now.losses
    if now.counting != "nonresponder":
        plain["hypotheses"].pop("p0_among", None)
    elif now.among != before.among:
        plain["hypotheses"]["p0_among"] = now.among


def _conduct(now: Controls, before: Controls, conduct: Sections) -> None:
    taken = before.own - now.own
    if now.rate != before.rate or "enrollment" in taken:
        kept = {k: v for k, v in conduct["enrollment"].items() if k in ("screening_success", "close_month")}
        conduct["enrollment"] = {"model": "constant", "rate": now.rate} | kept
    if now.screening != before.screening:
        conduct["enrollment"].pop("source", None)
        conduct["enrollment"]["screening_success"] = now.screening
    if now.readout != before.readout or "assessments" in taken:
        conduct["assessments"] = {"readout_months": now.readout}
    dropout = conduct["dropout"]
    if now.dropout != before.dropout or "dropout" in taken:
        dropout.pop("hazard_per_month", None)
        dropout.pop("source", None)
        dropout["probability"] = now.dropout
    if now.counting != before.counting:
        handling, _, bounds = now.counting.partition("/")
        dropout.pop("bounds", None)
        dropout["handling"] = handling
        if bounds:
            dropout["bounds"] = bounds
    if now.accrual != before.accrual or (now.design != before.design and "interim" not in conduct):
        given = conduct.get("interim", {})
        interim = {key: value for key, value in given.items() if key not in ("extra_patients", "max_hold_months")}
        if interim.get("pending") == "enroll_up_to":
            del interim["pending"]
        conduct["interim"] = {"decision_weeks": 0.0} | interim | {"accrual": now.accrual}
    if now.decide != before.decide:
        conduct["interim"] = {"accrual": now.accrual} | conduct.get("interim", {}) | {"decide": now.decide}


def beyond(trial: Trial) -> tuple[str, ...]:
    """The parts of a complete trial that the controls do not show, in words; a file written from it keeps them."""
    conduct = trial.conduct
    assert conduct is not None
    enrollment, patients, interim = conduct.enrollment, conduct.patients, conduct.interim
    lag, extra = (interim.decision_weeks, interim.extra_patients) if interim else (0.0, None)
    most = interim.max_hold_months if interim else None
    close, ratio = enrollment.close_month, conduct.dropout.responder_odds_ratio
    parts = [
        (close is not None, f"accrual closing in month {close}"),
        (ratio != 1, f"odds of dropout multiplied by {ratio:g} for patients who would respond"),
        (lag > 0, f"{counted(lag, 'week')} from the interim analysis to its decision"),
        (extra is not None, f"at most {counted(extra or 0, 'patient')} enrolled while the interim analysis is pending"),
        (most is not None, f"holds of at most {counted(most or 0, 'month')}"),
        (interim is not None and interim.pending == "conditional", "an interim analysis with patients pending"),
    ]
    parts += [(getattr(patients, name) is not None, name.upper()) for name in ("dcr", "pfs", "os")]
    parts += [
        (patients.toxicity is not None, "toxicity"),
        (bool(conduct.scenarios), "other true rates"),
        (trial.stated is not None, "the stated sample size"),
        (bool(trial.rivals), "alternative interpretations"),
        (bool(trial.evidence), "evidence"),
        (trial.estimand is not None, "the estimand"),
        (trial.protocol is not None, "texts of the protocol"),
    ]
    return tuple(words for there, words in parts if there)
