"""The options of `design` that say how patients are lost, and what it then adds to its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.laws.losses import AMONG, LOSSES, AsRun
from simtrial.phrases import percent, rate, stated
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.dropout import Dropout
from simtrial.plan.plan import HANDLINGS
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import Among
    from simtrial.plan.plan import Handling
    from simtrial.trial.searches import Searches

BOUNDS = ("fixed", "recut")
"""What becomes of the bounds where patients lost are left out: as planned, or recalculated at the numbers evaluable."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the trial loses patients, and where its limits are to hold."""

    how: AsRun
    searched: str

    def asked(self, paper: Requirements) -> Requirements:
        """The limits that the search is given."""
        return self.how.asked(paper) if self.searched == "run" else paper

    def told(self, error: InputError, paper: Requirements, n_limit: int) -> InputError:
        """The error of a search in terms of what was typed: it may have been asked for other rates under dropout."""
        from simtrial.search import bounds

        if error.field not in ("p0", "p1") or self.searched != "run":
            return error
        limits = self.asked(paper)
        if limits == paper:
            return error
        try:
            bounds.refuse(paper, n_limit)
        except InputError as on_paper:  # the dropout is not to blame
            return on_paper
        pairs = (("p0", paper.p0, limits.p0), ("p1", paper.p1, limits.p1))
        become = " and ".join(f"{name} = {p:g} becomes {at:.4g}" for name, p, at in pairs if p != at)
        return InputError(
            f"({self.how.loss.probability:g}) is too large: with {_lost(self.how.loss, paper)}, {become}; "
            f"{error.field} "
            f"{error.message}; or plan for less dropout, or search for a design on paper (--search paper)",
            "--dropout",
        )

    def searches(self, paper: Requirements, n_limit: int) -> Searches:
        """The searches for limits that hold on paper, or as the trial is run."""
        from simtrial.trial.searches import Searches

        return Searches.under(self.how, paper, n_limit) if self.searched == "run" else Searches(paper, n_limit)

    def decides(self, paper: Requirements) -> str:
        """At which rates the trial decides, in a sentence that ends before the proofs; empty if at those on paper."""
        limits = self.asked(paper)
        if limits == paper:
            return ""
        if self.how.recut:
            return (
                f"The recalculated bounds keep alpha at a response rate of {limits.p0:.4g} among evaluable patients; "
                f"at p1 the rate among them is {limits.p1:.4g}. For these rates the following is proved:"
            )
        return (
            f"As it is run, the trial decides as a trial on paper does with p0 = {limits.p0:g} and p1 = {limits.p1:g}. "
            "For these rates the following is proved:"
        )

    def stated(self) -> dict[str, object]:
        """The dropout as it was given, for JSON."""
        how = self.how
        return {
            "probability": how.loss.probability,
            "odds_ratio": how.loss.responder_odds_ratio,
            "handling": how.handling,
            "p0_among": how.among if how.handling == "nonresponder" else None,
            "bounds": ("recut" if how.recut else "fixed") if how.handling == "exclude" else None,
        }

    def json(self, design: Design, paper: Requirements) -> dict[str, object]:
        """What the JSON of a design gains."""
        found = self.how.figures(design, paper)
        return {"as_run": {key: getattr(found, key) for key in ("type_i_error", "power", "en_p0", "en_p1")}}


def read(
    dropout: float | None,
    odds_ratio: float | None,
    *,
    handling: str | None,
    p0_among: str | None,
    bounds: str | None,
    search: str | None,
) -> Run | None:
    """Read the options; None where no dropout is given.

    Raises
    ------
    InputError
        If one of them is none of its kind, or stands without a dropout.
    """
    words = (
        (handling, "--handling", HANDLINGS),
        (p0_among, "--p0-among", AMONG),
        (bounds, "--bounds", BOUNDS),
        (search, "--search", LOSSES),
    )
    for value, field, known in words:
        if value is not None and value not in known:
            *others, last = known
            raise InputError(f"({value!r:.40}) is unknown; write {', '.join(others)} or {last}", field)
    for given, field in ((odds_ratio, "--odds-ratio"), *((value, field) for value, field, _ in words)):
        if given is not None and dropout is None:
            raise InputError("needs --dropout, the share of patients who drop out; add it", field)
    if dropout is None:
        return None
    for given, field, goes in ((p0_among, "--p0-among", "nonresponder"), (bounds, "--bounds", "exclude")):
        if given is not None and (handling or "nonresponder") != goes:
            raise InputError(f"goes with --handling {goes} only, not with {handling or 'nonresponder'}", field)
    taken: Handling = next((one for one in HANDLINGS if one == handling), "nonresponder")
    whose: Among = next((one for one in AMONG if one == p0_among), "enrolled")
    how = AsRun(loss=_loss(dropout, odds_ratio), handling=taken, among=whose, recut=bounds == "recut")
    return Run(how=how, searched=search or "run")


def _loss(dropout: float, odds_ratio: float | None) -> Dropout:
    try:
        return Dropout(dropout, 1.0 if odds_ratio is None else odds_ratio)
    except InputError as error:
        names = {"probability": "--dropout", "responder_odds_ratio": "--odds-ratio"}
        raise InputError(error.message, names.get(error.field or "", "--dropout")) from None


def _lost(loss: Dropout, paper: Requirements) -> str:
    """How many patients are lost, in words."""
    if loss.responder_odds_ratio == 1:
        return f"dropout of {stated(loss.probability)}"
    p0, p1 = (percent(loss.lost(p)) for p in (paper.p0, paper.p1))
    return (
        f"dropout of {percent(loss.of_responder)} among patients who would respond and of "
        f"{stated(loss.probability)} among "
        f"the others ({p0} of all patients at p0, {p1} at p1)"
    )


def show(
    run: Run, paper: Requirements, named: Iterable[tuple[str, Design]], usual: Sequence[tuple[str, Design]]
) -> None:
    """Print what each design does as it is run, and what the usual allowance for dropout does to others."""
    from simtrial.conduct.text import HANDLINGS as COUNTED
    from simtrial.design.designs import looks_text
    from simtrial.laws.inflation import enlarged

    heads = ("design", "looks (r/n)", "type I error", "power", "enrolled at p0", "at p1")

    def row(name: str, design: Design) -> list[str]:
        found = run.how.figures(design, paper)
        return [name, looks_text(design, ", "), rate(found.type_i_error), rate(found.power), f"{found.en_p0:.1f}",
                f"{found.en_p1:.1f}"]  # fmt: skip

    lost = run.how.loss.lost(paper.p1)
    among = "all enrolled patients" if run.how.among == "enrolled" else "the evaluable patients"
    whose = f"; p0 is the rate among {among}" if run.how.handling == "nonresponder" else ""
    cut = "recalculated at the numbers evaluable" if run.how.recut else "unchanged"
    kept = f", with bounds {cut}" if run.how.handling == "exclude" else ""
    handled = f"{COUNTED[run.how.handling]}{kept}{whose}"
    title = f"As the trial is run, with {_lost(run.how.loss, paper)}: these patients are {handled}"
    terminal.table(title, heads, [row(*one) for one in named], left=2)
    # with replacement no allowance is taken: enrollment ends with the last evaluable patient
    if run.how.handling == "replace" or not usual:
        return
    larger = [(name, enlarged(design, enrolled_for(design.looks[-1].n, lost), lost)) for name, design in usual]
    title = "The conventional allowance: designs on paper, enlarged to n/(1 - d) patients (rounded up), same bounds"
    terminal.table(title, heads, [row(*one) for one in larger], left=2)
