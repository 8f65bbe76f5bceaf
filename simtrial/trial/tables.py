"""Tables of what is known and what is assumed.

One module, because notebooks and documents take every table on a trial from here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from simtrial.conduct import levers as conduct_levers
from simtrial.conduct.measures import Measured
from simtrial.conduct.tables import amount, simulated_error
from simtrial.design.designs import looks_short, looks_text
from simtrial.design.intervals import clopper_pearson
from simtrial.glossary import head
from simtrial.laws import integrals
from simtrial.laws.losses import AMONG
from simtrial.phrases import counted, stated
from simtrial.search.boundary import tables as boundary_tables
from simtrial.search.compare import tables as compare_tables
from simtrial.search.posterior import tables as posterior_tables
from simtrial.search.posterior import text as posterior_text
from simtrial.search.posterior.sensitivity import of_parameters
from simtrial.search.wording import limits, null
from simtrial.show.passage import Passage
from simtrial.show.picture import Picture
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table, column
from simtrial.toxicity import text as toxicity_text
from simtrial.trial import bayesian, beside, dropout, estimand_words, safety, words
from simtrial.trial import compared as trial_compared
from simtrial.trial import estimand as trial_estimand
from simtrial.trial import levers as trial_levers

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.conduct.changes import LeverKind
    from simtrial.conduct.simulation import Simulation
    from simtrial.laws.losses import Among
    from simtrial.trial.case import Case
    from simtrial.trial.estimand import Estimand
    from simtrial.trial.quantities import Form
    from simtrial.trial.strategies import Priced
    from simtrial.trial.trial import Trial


Captioned = TypeVar("Captioned", Table, Picture)
"""What has a caption."""


def noted(case: Case, shown: Captioned, note: str = toxicity_text.ASIDE) -> Captioned:
    """A table or picture whose caption ends with a sentence, in a trial that has a rule for toxicity; else as it is."""
    if case.trial.design.toxicity is None:
        return shown
    return replace(shown, caption=f"{shown.caption.rstrip('.')}. {note}{'.' * shown.caption.endswith('.')}")


def assumptions(trial: Trial) -> Table:
    """What was registered and what is assumed, each with where it comes from."""
    study, asked = trial.study, trial.hypotheses
    basis = "assumed here" if asked.basis == "assumed" else "protocol"
    registered = study.source or "parameter file"
    rows = [
        ("Study", study.id, registered),
        ("Title", study.title, registered),
        ("Registered enrollment", study.registered_enrollment, registered),
        ("First patient", study.start, registered),
        ("Completion", study.completion, registered),
        (f"p0, response rate not worth pursuing ({null('p0')})", asked.p0, basis),
        ("p1, response rate worth finding", asked.p1, basis),
        ("alpha, largest type I error, one-sided", asked.alpha, basis),
        ("power, smallest, at p1", asked.power, basis),
        ("Design", trial.criterion.name if trial.criterion else trial.design.looks, "parameter file"),
    ]
    frame = pd.DataFrame(
        [(what, str(value), source) for what, value, source in rows if value is not None],
        columns=["item", "value", "source"],
    )
    shown = {"item": column("quantity", WORDS), "value": column("value", WORDS), "source": column("source", WORDS)}
    return Table("assumptions", "What is registered, and what is assumed in the parameter file", frame, shown)


SECONDARY = ("dcr_percent", "median_pfs_months", "median_os_months")
"""Endpoints of earlier results that a file may leave out; they then have no column."""


def evidence(trial: Trial) -> Table:
    """The earlier results given, with exact (Clopper-Pearson) 95% intervals where the count is known."""
    rows = []
    for item in trial.evidence:
        low = high = np.nan
        if item.responders is not None:
            low, high = map(float, clopper_pearson(item.responders, item.n, 0.025))
        percent = item.orr_percent
        if percent is None and item.responders is not None:
            percent = 100 * item.responders / item.n
        rows.append(
            {
                "treatment": item.treatment,
                "setting": item.setting,
                "about": item.about or "p0",
                "n": item.n,
                "responders": item.responders,
                "orr_percent": percent,
                "orr_low_percent": 100 * low,
                "orr_high_percent": 100 * high,
                "dcr_percent": item.dcr_percent,
                "median_pfs_months": item.median_pfs_months,
                "median_os_months": item.median_os_months,
                "source": item.source,
            }
        )
    columns = list(rows[0]) if rows else ["treatment", "source"]
    frame = pd.DataFrame(rows, columns=columns)
    if not rows:
        return Table("evidence", "No earlier results are given in the parameter file.", frame, {})
    frame = frame.drop(columns=[name for name in SECONDARY if frame[name].isna().all()])
    frame["interval"] = [
        "–" if np.isnan(low) else f"{low:.1f} to {high:.1f}"
        for low, high in zip(frame.orr_low_percent, frame.orr_high_percent, strict=True)
    ]
    shown: dict[str, Shown] = {
        "treatment": column("treatment", WORDS),
        "setting": column("setting", WORDS),
        "about": column("about", WORDS),
        "n": column("patients", WHOLE),
        "responders": column("responders", WHOLE),
        "orr_percent": column("orr", "{:.1f}", "%"),
        "interval": column("interval_95", WORDS, "ORR, %"),
        "dcr_percent": column("dcr", "{:.1f}", "%"),
        "median_pfs_months": column("median_pfs", "{:.1f}", "months"),
        "median_os_months": column("median_os", "{:.1f}", "months"),
        "source": column("source", WORDS),
    }
    caption = (
        "Earlier results for the disease, with exact (Clopper-Pearson) 95% intervals computed here from the counts"
    )
    return Table("evidence", caption, frame, {name: how for name, how in shown.items() if name in frame})


def conduct_assumptions(trial: Trial) -> Table:
    """Every assumption about the conduct in words and units, with where it comes from."""
    frame = pd.DataFrame(words.rows(trial), columns=["what", "value", "source"])
    shown: dict[str, Shown] = {
        "what": column("lever", WORDS),
        "value": column("assumed", WORDS),
        "source": column("source", lambda text: " ".join(text.split()) or "–"),
    }
    caption = (
        "How the trial is run, as the parameter file assumes: these are no facts of the registry. Months count from "
        "the first day of accrual"
    )
    return Table("conduct_assumptions", caption, frame, shown)


def timeline(trial: Trial, done: Simulation) -> Table:
    """Chances of keeping the registered dates, and of a primary decision within the months that count as in time."""
    plan, n = done.plan, done.plan.design.looks[-1].n
    whole, after = trial.study.months, plan.follow_up.months_after_last
    rows: list[tuple[str, float, str]] = []
    if whole is not None and after is not None and whole > after:
        last = whole - after
        if plan.close_month is None:
            # replacing takes n evaluable patients, who arrive at a rate thinned by dropout
            share = 1 - plan.dropout.lost(done["p1"].scenario.mean) if plan.handling == "replace" else 1.0
            chance = integrals.probability_by(plan.arrivals.scaled(share), n, last)
            who = counted(n, "evaluable patient") + " (at p1)" if share < 1 else counted(n, "patient")
            leaves = f"which leaves {counted(after, 'month')} of follow-up"
            rows.append((f"{who} enrolled by month {last:.3g}, {leaves}: if accrual is never held", chance, "exact"))
        for label in ("p0", "p1"):
            chance, mcse = done[label]["last_patient_month"].at_most(last)
            event = f"Last patient enrolled by month {last:.3g}, at {label}"
            rows.append((event, chance, simulated_error(mcse, done)))
    due = whole if trial.conduct is None or trial.conduct.deadline_months is None else trial.conduct.deadline_months
    for outcome, event, by in (("duration_months", "Primary decision", due), ("end_month", "Follow-up ends", whole)):
        for label in ("p0", "p1") if by is not None else ():
            chance, mcse = done[label][outcome].at_most(by or 0.0)
            rows.append((f"{event} by month {by:.3g}, at {label}", chance, simulated_error(mcse, done)))
    frame = pd.DataFrame(rows, columns=["what", "probability", "mcse"])
    if not rows:
        return Table("timeline", "No registered dates are given in the parameter file.", frame, {})
    shown: dict[str, Shown] = {
        "what": column("event", WORDS),
        "probability": column("probability", RATE),
        "mcse": column("mcse", WORDS),
    }
    dates = "the registered dates" if due == whole else "the dates of the parameter file"
    caption = (
        f"Probabilities that {looks_text(plan.design, ', ')} keeps {dates}, as it is to be run "
        f"({counted(done.trials, 'simulated trial')}, seed {done.seed})"
    )
    return Table("timeline", caption, frame, shown)


WRITTEN: dict[Form, Callable[[Measured], str]] = {
    "rate": lambda found: _measured(found, RATE),
    "patients": lambda found: _measured(found, PATIENTS.format),
    "months": lambda found: _measured(found, "{:.1f}".format),
    "cost": lambda found: amount(found.value, found.mcse),
}
"""How a value of a comparison is written, by the form of its quantity."""


def compared(case: Case, *, timed: bool = False, whole: bool = False) -> Table:
    """The designs worth considering side by side, a design per column; the CSV holds a row per design.

    With `timed`, those that the calendar takes stand beside them, unless they take minutes and are not wanted `whole`.
    """
    found = trial_compared.candidates(case, timed=timed, whole=whole)
    rows: list[list[str]] = [
        ["", head("looks"), *(looks_text(one.design, ", ") for one in found.designs)],
        ["", head("n"), *(str(one.design.looks[-1].n) for one in found.designs)],
    ]
    for quantity in found.quantities:
        values = (one.values.get(quantity.key) for one in found.designs)
        shown = ("–" if value is None else WRITTEN[quantity.form](value) for value in values)
        rows.append([quantity.key, quantity.head, *shown])
    names = [f"design_{k}" for k, _ in enumerate(found.designs)]
    tidy = pd.DataFrame(
        {"design": one.name, "chosen": one.chosen, "looks": looks_text(one.design, ", "), "n": one.design.looks[-1].n}
        | {key: value.value for key, value in one.values.items()}
        | {f"{key}_mcse": value.mcse for key, value in one.values.items()}
        for one in found.designs
    )
    columns: dict[str, Shown] = {"head": column("quantity", WORDS)}
    for name, one in zip(names, found.designs, strict=True):
        columns[name] = (f"{one.name}, chosen" if one.chosen else one.name, WORDS)
    frame = pd.DataFrame(rows, columns=["quantity", "head", *names])
    name = "compared_timed" if timed else "compared"
    return Table(name, trial_compared.described(case, found), frame, columns, right=names, tidy=tidy)


AS_RUN: dict[str, tuple[str, Form]] = {
    "n_enrolled_p0": (head("enrolled", "at p0"), "patients"),
    "n_enrolled_p1": (head("enrolled", "at p1"), "patients"),
    "duration_months_p0": (head("decision_months", "at p0"), "months"),
    "duration_months_p1": (head("decision_months", "at p1"), "months"),
    "type_i_error_run": (head("type_i_error", "as run"), "rate"),
    "power_run": (head("power", "as run"), "rate"),
}
"""What is shown of the families of designs as each would be run: heading and form."""


def boundary(case: Case) -> Table:
    """The bounds of the chosen design, look by look, to print and to hang up."""
    return noted(case, boundary_tables.boundary(case.chosen, case.requirements))


def believed(case: Case) -> Passage | None:
    """The prior in words, and what gives the bounds; None where the design is of no Bayesian rule."""
    found = bayesian.parameters(case)
    return None if found is None else posterior_text.believed(found)


def sensitivity(case: Case) -> Table | None:
    """The bounds and the exact errors under other priors; None where the design is of no Bayesian rule."""
    found = bayesian.parameters(case)
    if found is None:
        return None
    under = of_parameters(found, case.limits.p1)
    kept = posterior_text.kept_parameters(found)
    return noted(case, posterior_tables.sensitivity(under, limits(case.limits), kept))


def families(case: Case) -> Table:
    """What each family of designs gives for the same limits; the chosen design stressed."""
    name = "as given" if case.criterion is None else case.criterion.name
    return noted(case, compare_tables.families(case.alternatives, case.chosen, case.limits, name))


def families_run(case: Case) -> Table:
    """The best designs of each family as they would be run: a design per row."""
    found = beside.families(case)
    frame = pd.DataFrame(
        {"design": one.name, "looks": looks_text(one.design, ", "), "chosen": one.chosen}
        | {key: value.value for key, value in one.values.items()}
        | {f"{key}_mcse": value.mcse for key, value in one.values.items()}
        for one in found.designs
    )
    view = pd.DataFrame({"design": frame.design, "looks": [looks_short(one.design) for one in found.designs]})
    shown: dict[str, Shown] = {"design": column("design", WORDS), "looks": column("looks", WORDS)}
    for key, (heading, form) in AS_RUN.items():
        values = [one.values.get(key) for one in found.designs]
        if any(value is not None for value in values):
            view[key] = ["–" if value is None else WRITTEN[form](value) for value in values]
            shown[key] = heading, WORDS
    caption = trial_compared.described(case, found).replace("designs worth considering", "best designs of each family")
    bold = [one.chosen for one in found.designs]
    right = [key for key in shown if key in AS_RUN]
    return Table("families_run", caption, view, shown, right=right, chosen=bold, tidy=frame)


def _measured(found: Measured, form: Callable[[float], str]) -> str:
    if np.isnan(found.value):
        return "–"
    if not found.mcse:
        return form(found.value)
    # a simulated 0 or 1 is none that is known, and is written with its digits
    shown = f"{found.value:#.3g}" if form is RATE and found.value in (0, 1) else form(found.value)
    return f"{shown} ± {found.mcse:.1g}"


KINDS: dict[LeverKind, str] = {"protocol": "protocol: a time", "rule": "protocol: a rule", "site": "sites and patients"}
"""Who could change an assumption."""


def levers(case: Case) -> Table:
    """What each assumption about the conduct costs: months, power, type I error and patients."""
    found, size = trial_levers.of(case), case.size
    rows = []
    for one in found:
        change = one.change
        row: dict[str, object] = {
            "key": change.key, "kind": KINDS[change.kind], "assumption": change.name, "assumed": change.assumed,
            "instead": change.instead, "exact": one.exact,
        }  # fmt: skip
        for name, (value, form) in {
            "months_saved_p0": (one.months_saved("p0"), "{:+.1f}"),
            "months_saved_p1": (one.months_saved("p1"), "{:+.1f}"),
            "hold_saved_p1": (one.hold_saved("p1"), "{:+.1f}"),
            "more_enrolled_p0": (one.more_enrolled("p0"), "{:+.1f}"),
            "power_gained": (one.power_gained, "{:+.3f}"),
            "type_i_error_added": (one.type_i_error_added, "{:+.3f}"),
        }.items():
            row |= {name: value.value, f"{name}_mcse": value.mcse, f"{name}_shown": _signed(value, form)}
        rows.append(row)
    shown = {
        "kind": column("lever_kind", WORDS),
        "assumption": column("lever", WORDS),
        "assumed": column("assumed", WORDS),
        "instead": column("instead", WORDS),
        "months_saved_p0_shown": column("months_saved", WORDS, "at p0"),
        "months_saved_p1_shown": column("months_saved", WORDS, "at p1"),
        "hold_saved_p1_shown": column("hold_saved", WORDS, "at p1"),
        "power_gained_shown": column("power_gained", WORDS),
        "type_i_error_added_shown": column("type_i_error_added", WORDS),
        "more_enrolled_p0_shown": column("more_enrolled", WORDS, "at p0"),
    }
    if len(case.chosen.looks) == 1:
        shown.pop("hold_saved_p1_shown")
    how = (
        "all values are exact"
        if all(one.exact for one in found)
        else "exact, or simulated ± MCSE "
        f"({counted(conduct_levers.pulled(case.run(case.chosen), size.trials), 'trial')}, seed {size.seed})"
    )
    caption = (
        f"What each assumption costs: {looks_short(case.chosen)} as it is to be run, with one assumption changed "
        "at a time and everything else as planned. Months saved are those to the primary decision. The response rates "
        f"are taken to be unchanged, also with a shorter assessment window or without confirmation; {how}"
    )
    right = [name for name in shown if name.endswith("_shown")]
    return Table("levers", caption, pd.DataFrame(rows), shown, right=right)


def _signed(found: Measured, form: str) -> str:
    """A change with its sign, with its standard error where it is simulated; a dash where nothing changes."""
    if np.isnan(found.value):
        return "–"
    value = form.format(found.value)
    if not found.mcse:
        return "–" if not float(value) else value
    return f"{value} ± {found.mcse:.1g}"


WHERE: dict[dropout.Where, str] = {
    "given": "",
    "paper": "on paper",
    "run": "as run",
    "allowance": "on paper, then n/(1 - d) patients",
}
"""Where the limits of a design hold."""

OF: dict[Among, str] = {"enrolled": "p0 among all enrolled", "evaluable": "p0 with all evaluable"}
"""Whose rate p0 is."""


def under_dropout(case: Case) -> Table:
    """The design of every criterion on paper, as the trial is run and with the usual allowance, side by side."""
    how = case.trial.how
    if how is None or not how.loss.lost(case.requirements.p1):
        why = "The parameter file does not say how the trial is run." if how is None else "No dropout is assumed."
        return Table("under_dropout", why, pd.DataFrame(columns=["design"]), {})
    found, other = dropout.compared(case), how.other
    rows = []
    for one in found:
        readings = {how.among: one.run} | ({other.among: one.other} if other is not None and one.other else {})
        rows.append(
            {
                "design": one.name,
                "limits": WHERE[one.where] + ("" if one.among is None else f", {OF[one.among]}"),
                "looks": looks_text(one.design, ", "),
                "n": one.design.looks[-1].n,
                "type_i_error_on_paper": one.type_i_error,
                "power_on_paper": one.power,
                **{f"type_i_error_{among}": figures.type_i_error for among, figures in readings.items()},
                "power": one.run.power,
                "enrolled_p0": one.run.en_p0,
                "enrolled_p1": one.run.en_p1,
                "keeps": one.keeps,
            }
        )
    shown: dict[str, Shown] = {
        "design": column("design", WORDS),
        "limits": column("limits_where", WORDS),
        "looks": column("looks", WORDS),
        "n": column("n", WHOLE),
        "type_i_error_on_paper": column("type_i_error", RATE, "on paper"),
        "power_on_paper": column("power", RATE, "on paper"),
    }
    if other is None:
        shown[f"type_i_error_{how.among}"] = column("type_i_error", RATE, "as run")
    else:  # the error on paper is that at p0 among all enrolled
        shown.pop("type_i_error_on_paper")
        shown |= {f"type_i_error_{among}": column("type_i_error", RATE, f"as run, {OF[among]}") for among in AMONG}
    shown |= {
        "power": column("power", RATE, "as run"),
        "enrolled_p0": column("enrolled", PATIENTS, "at p0"),
        "enrolled_p1": column("enrolled", PATIENTS, "at p1"),
        "keeps": column("keeps", _yes),
    }
    lost = round(how.loss.lost(case.requirements.p1), 6)
    caption = (
        "The design of each criterion searched on paper, searched as the trial is run, and on paper with the usual "
        "allowance of n/(1 - d) patients and unchanged bounds, each with what it attains as the trial is run with a "
        f"dropout of {stated(lost)} (at p1) and accrual held at each look. The "
        "chosen design is in bold; all values are exact"
    )
    chosen = [one.design.looks == case.chosen.looks for one in found]
    return noted(case, Table("under_dropout", caption, pd.DataFrame(rows), shown, chosen=chosen))


def estimand(case: Case, found: Estimand | None = None) -> Table:
    """The five attributes of the primary estimand; `found` may be handed over where it is known already."""
    found = trial_estimand.of(case) if found is None else found
    rows = [
        {"attribute": "Population", "definition": found.population},
        {"attribute": "Treatment", "definition": found.treatment},
        {"attribute": "Endpoint", "definition": found.endpoint},
    ]
    for event in found.events:
        how = estimand_words.strategy(event.strategy, event.bounds) if event.strategy else trial_estimand.NO_STRATEGY
        often = "" if event.probability is None else f"; probability {stated(event.probability)}"
        rows.append(
            {"attribute": f"Intercurrent event: {event.label}", "definition": f"{how}{often}. {event.reason}".rstrip()}
        )
    rows.append({"attribute": "Population-level summary", "definition": found.summary})
    caption = (
        "The primary estimand by its five attributes (ICH E9(R1)): population, treatment, endpoint, intercurrent "
        "events with the strategy for each and its reason, and population-level summary. What is marked TO COMPLETE is "
        "not stated in the parameter file"
    )
    shown = {"attribute": column("attribute", WORDS), "definition": column("definition", WORDS)}
    return Table("estimand", caption, pd.DataFrame(rows), shown)


def strategies(case: Case, found: Estimand | None = None) -> Table:
    """What the design attains under each strategy for each intercurrent event, and for all dropout."""
    found = trial_estimand.of(case) if found is None else found
    blocks = list(estimand_words.blocks(found))
    rows = [
        # the event stands in the first of its rows
        {"heading": "" if k else block.label} | _strategy(block.label, one)
        for block in blocks
        for k, one in enumerate(block.priced)
    ]
    shown: dict[str, Shown] = {"heading": column("intercurrent_event", WORDS), "name": column("strategy", WORDS)}
    if found.readings_differ:
        shown |= {f"type_i_error_{among}": column("type_i_error", RATE, OF[among]) for among in AMONG}
    else:
        shown["type_i_error"] = column("type_i_error", RATE)
    shown |= {
        "power": column("power", RATE),
        "en_p0": column("enrolled", PATIENTS, "at p0"),
        "en_p1": column("enrolled", PATIENTS, "at p1"),
        "enrolled": column("enrolled_to_last", WORDS),
        "keeps": column("keeps", _yes),
        "cure": column("keeping_design", WORDS),
    }
    taken = [one.taken for block in blocks for one in block.priced]
    caption = estimand_words.priced_caption(case, found)
    frame = pd.DataFrame(rows)
    tidy = frame.drop(columns=["heading", "name", "enrolled"])
    return noted(case, Table("strategies", caption, frame, shown, chosen=taken, right=["enrolled"], tidy=tidy))


def toxicity_months(case: Case) -> Table | Passage:
    """Decision, patients and months of the trial as it is run, without the rule for toxicity and with it."""
    found = safety.needed(case)
    if case.plan is None:
        return Passage("toxicity_months", ("The parameter file does not say how the trial is run.",))
    rows, trials = [], min(case.size.trials, safety.MOST_TRIALS)
    for name, rate, done in safety.months(found):
        row: dict[str, object] = {"p": name, "toxicity_rate": rate}
        row["rule"] = head("without_toxicity_rule" if rate is None else "with_toxicity_rule")
        for key, form in MONTHS.items():
            one = done.estimates.get(key)
            row |= {key: one and one.best, f"{key}_mcse": one and one.best_mcse}
            known = None if one is None or one.best is None else Measured(one.best, one.best_mcse)
            row[f"{key}_shown"] = None if known is None else _measured(known, form)
        rows.append(row)
    shown: dict[str, Shown] = {
        "p": column("p", WORDS),
        "rule": column("toxicity_rule", WORDS),
        "toxicity_rate": column("toxicity_rate", stated),
        "reject_shown": column("reject", WORDS),
        "toxicity_stopped_shown": column("ends_toxicity", WORDS),
        "n_enrolled_shown": column("enrolled", WORDS),
        "duration_months_shown": column("decision_months", WORDS),
    }
    caption = (
        f"{looks_short(case.chosen)} as it is to be run, without the rule for toxicity and with it, at the acceptable "
        "and at the unacceptable rate of toxicity. Values are exact, or simulated ± MCSE "
        f"({counted(trials, 'trial')}, seed {case.size.seed}). A stop for toxicity is the end of a trial, so it counts "
        "as its decision"
    )
    right = [key for key in shown if key.endswith("_shown")]
    return Table("toxicity_months", caption, pd.DataFrame(rows), shown, right=right)


MONTHS: dict[str, Callable[[float], str]] = {
    "reject": RATE, "toxicity_stopped": RATE, "n_enrolled": PATIENTS.format, "duration_months": "{:.1f}".format,
}  # fmt: skip
"""Outcomes with the rule for toxicity and without it, and how they are written."""


def _yes(kept: bool) -> str:
    return "yes" if kept else "no"


def _strategy(label: str, one: Priced) -> dict[str, object]:
    """One row: a strategy with its price at full precision."""
    figures = one.figures
    return {
        "event": label,
        "strategy": one.strategy,
        "bounds": one.bounds,
        "name": estimand_words.strategy(one.strategy, one.bounds),
        "taken": one.taken,
        "type_i_error": None if figures is None else figures.type_i_error,
        **{f"type_i_error_{among}": one.by_reading.get(among) for among in AMONG},
        "power": None if figures is None else figures.power,
        "en_p0": None if figures is None else figures.en_p0,
        "en_p1": None if figures is None else figures.en_p1,
        "n_enrolled": one.n_enrolled,
        "enrolled": estimand_words.enrolled(one),
        "keeps": one.keeps,
        "cure": None if one.cure is None else looks_text(one.cure, ", "),
    }
