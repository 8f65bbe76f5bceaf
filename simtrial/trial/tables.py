"""Tables of what is known and what is assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct import levers as conduct_levers
from simtrial.conduct.tables import amount, simulated_error
from simtrial.design.designs import looks_text
from simtrial.design.intervals import clopper_pearson
from simtrial.glossary import head
from simtrial.laws import integrals
from simtrial.laws.losses import AMONG
from simtrial.search import named
from simtrial.search.wording import null
from simtrial.show.table import PATIENTS, RATE, WHOLE, WORDS, Shown, Table, column
from simtrial.trial import compared as trial_compared
from simtrial.trial import dropout, words
from simtrial.trial import levers as trial_levers

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.conduct.changes import LeverKind
    from simtrial.conduct.measures import Measured
    from simtrial.conduct.simulation import Simulation
    from simtrial.trial.case import Case
    from simtrial.trial.quantities import Form
    from simtrial.trial.trial import Trial


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
        ("Design", named([trial.design.criterion]) if trial.design.criterion else trial.design.looks, "parameter file"),
    ]
    frame = pd.DataFrame(
        [(what, str(value), source) for what, value, source in rows if value is not None],
        columns=["item", "value", "source"],
    )
    shown = {"item": ("", WORDS), "value": ("Value", WORDS), "source": ("Where from", WORDS)}
    return Table("assumptions", "What is known and what is assumed", frame, shown)


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
        "treatment": ("Treatment", WORDS),
        "setting": ("Setting", WORDS),
        "n": ("n", WHOLE),
        "responders": ("Responders", WHOLE),
        "orr_percent": ("ORR, %", "{:.1f}"),
        "interval": ("95% interval", WORDS),
        "dcr_percent": ("DCR, %", "{:.1f}"),
        "median_pfs_months": ("PFS, months", "{:.1f}"),
        "median_os_months": ("OS, months", "{:.1f}"),
        "source": ("Source", WORDS),
    }
    caption = "Earlier results (intervals: Clopper-Pearson, computed here from the counts)"
    return Table("evidence", caption, frame, {name: how for name, how in shown.items() if name in frame})


def conduct_assumptions(trial: Trial) -> Table:
    """Every assumption about the conduct in words and units, with where it comes from."""
    frame = pd.DataFrame(words.rows(trial), columns=["what", "value", "source"])
    shown: dict[str, Shown] = {
        "what": ("", WORDS),
        "value": ("Assumed", WORDS),
        "source": ("Where from", lambda s: " ".join(s.split()) or "–"),
    }
    caption = "How the trial is run: assumptions, not facts of the registry. Months count from the first day of accrual"
    return Table("conduct_assumptions", caption, frame, shown)


def timeline(trial: Trial, done: Simulation) -> Table:
    """Chances of keeping the registered dates, and of a primary decision within the months that count as in time."""
    plan, n = done.plan, done.plan.design.looks[-1].n
    whole = trial.study.months
    after = plan.follow_up.months_after_last
    rows: list[tuple[str, float, str]] = []
    if whole is not None and after is not None and whole > after:
        last = whole - after
        if plan.close_month is None:
            # replacing losses takes n evaluable patients, who arrive as so many fewer
            share = 1 - plan.dropout.lost(done["p1"].scenario.mean) if plan.handling == "replace" else 1.0
            chance = integrals.probability_by(plan.arrivals.scaled(share), n, last)
            who = f"{n} evaluable patients (at p1)" if share < 1 else f"{n} patients"
            said = f"{who} enrolled by month {last:.3g}, which leaves {after:g} months of follow-up"
            rows.append((f"{said}: if accrual were never held", chance, "exact"))
        for label in ("p0", "p1"):
            chance, mcse = done[label]["last_patient_month"].at_most(last)
            rows.append(
                (f"Last patient in by month {last:.3g}, true rate {label}", chance, simulated_error(mcse, done))
            )
    due = whole if trial.conduct is None or trial.conduct.deadline_months is None else trial.conduct.deadline_months
    for outcome, said, by in (("duration_months", "Primary decision", due), ("end_month", "Follow-up ends", whole)):
        for label in ("p0", "p1") if by is not None else ():
            chance, mcse = done[label][outcome].at_most(by or 0.0)
            rows.append((f"{said} by month {by:.3g}, true rate {label}", chance, simulated_error(mcse, done)))
    frame = pd.DataFrame(rows, columns=["what", "probability", "mcse"])
    shown: dict[str, Shown] = {
        "what": ("By the registered completion" if due == whole else "In time", WORDS),
        "probability": ("Probability", "{:.3f}"),
        "mcse": ("MCSE", WORDS),
    }
    if not rows:
        return Table("timeline", "No registered dates are given in the parameter file.", frame, {})
    caption = "Chances of keeping the registered dates" if due == whole else "Chances of being in time"
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
    return Table("compared", trial_compared.described(case, found), frame, columns, right=names, tidy=tidy)


def _measured(found: Measured, form: Callable[[float], str]) -> str:
    if np.isnan(found.value):
        return "–"
    return form(found.value) + (f" ± {found.mcse:.1g}" if found.mcse else "")


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
        else f"exact, or simulated ± MCSE ({conduct_levers.size(case.run(case.chosen), size.trials):,} trials, seed "
        f"{size.seed})"
    )
    caption = (
        f"What each assumption costs: {looks_text(case.chosen, ', ')} as it is to be run, with one assumption changed "
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
    "allowance": "usual n/(1 - d)",
}
"""Where the limits of a design hold."""


def under_dropout(case: Case) -> Table:
    """The design of every criterion on paper, as the trial is run and with the usual allowance, side by side."""
    how = case.trial.how
    if how is None or not how.loss.lost(case.requirements.p1):
        said = "The parameter file does not say how the trial is run." if how is None else "No dropout is assumed."
        return Table("under_dropout", said, pd.DataFrame(columns=["design"]), {})
    found = dropout.compared(case)
    rows = []
    for one in found:
        second = how.other
        readings = {how.among: one.run}
        if second is not None and one.other is not None:
            readings[second.among] = one.other
        rows.append(
            {
                "design": one.name,
                "limits": WHERE[one.where] + ("" if one.among is None else f", p0: {one.among}"),
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
    frame = pd.DataFrame(rows)
    shown: dict[str, Shown] = {
        "design": ("Design", WORDS),
        "limits": ("Limits hold", WORDS),
        "looks": ("Looks (r/n)", WORDS),
        "n": ("n", WHOLE),
        "type_i_error_on_paper": ("Type I error on paper", RATE),
        "power_on_paper": ("Power on paper", RATE),
    }
    if found[0].other is None:
        shown[f"type_i_error_{how.among}"] = ("As run: type I error", RATE)
    else:  # the error on paper is that at p0 among all enrolled
        shown.pop("type_i_error_on_paper")
        for among in AMONG:
            shown[f"type_i_error_{among}"] = (f"As run: type I error, p0: {among}", RATE)
    shown |= {
        "power": ("As run: power", RATE),
        "enrolled_p0": ("Enrolled at p0", PATIENTS),
        "enrolled_p1": ("Enrolled at p1", PATIENTS),
        "keeps": ("Keeps both limits as run", lambda kept: "yes" if kept else "no"),
    }
    caption = "Designs on paper, searched as the trial is run, and with the usual allowance; the design taken in bold"
    if found[0].other is not None:
        caption += ". p0: the rate among all enrolled patients, or with every patient evaluable"
    chosen = [one.design.looks == case.chosen.looks for one in found]
    return Table("under_dropout", caption, frame, shown, chosen=chosen)
