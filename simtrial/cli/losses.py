"""The options of `design` that say how patients are lost, and what it then adds to its answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.laws.losses import AMONG, LOSSES, AsRun
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


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the trial loses patients, and where its limits are to hold."""

    how: AsRun
    searched: str

    def asked(self, paper: Requirements) -> Requirements:
        """The limits that the search is given."""
        return self.how.asked(paper) if self.searched == "run" else paper

    def json(self, design: Design, paper: Requirements) -> dict[str, object]:
        """What the JSON of a design gains."""
        return {"as_run": asdict(self.how.figures(design, paper))}


def read(dropout: float | None, handling: str | None, p0_among: str | None, search: str | None) -> Run | None:
    """Read the options; None where no dropout is given.

    Raises
    ------
    InputError
        If one of them is none of its kind, or stands without a dropout.
    """
    for value, field, known in (
        (handling, "handling", HANDLINGS), (p0_among, "p0-among", AMONG), (search, "search", LOSSES),
    ):  # fmt: skip
        if value is not None and value not in known:
            *others, last = known
            raise InputError(f"({value!r:.40}) must be {', '.join(others)} or {last}", field)
        if value is not None and dropout is None:
            raise InputError("needs --dropout, the share of patients that is lost", field)
    if dropout is None:
        return None
    if p0_among is not None and handling not in (None, "nonresponder"):
        raise InputError(f"goes with --handling nonresponder only, not with {handling}", "p0-among")
    try:
        loss = Dropout(dropout)
    except InputError as error:
        raise InputError(error.message, "dropout") from None
    taken: Handling = next((one for one in HANDLINGS if one == handling), "nonresponder")
    whose: Among = next((one for one in AMONG if one == p0_among), "enrolled")
    return Run(how=AsRun(loss=loss, handling=taken, among=whose), searched=search or "run")


def show(
    run: Run, paper: Requirements, named: Iterable[tuple[str, Design]], usual: Sequence[tuple[str, Design]]
) -> None:
    """Print what each design does as it is run, and what the usual allowance for dropout does to others."""
    from simtrial.conduct.text import HANDLINGS as COUNTED
    from simtrial.design.designs import looks_text
    from simtrial.laws.inflation import enlarged

    heads = ("design", "looks (r/n)", "type I", "power", "enrolled at p0", "at p1")

    def row(name: str, design: Design) -> list[str]:
        found = run.how.figures(design, paper)
        return [name, looks_text(design, ", "), f"{found.type_i_error:.4f}", f"{found.power:.4f}", f"{found.en_p0:.2f}",
                f"{found.en_p1:.2f}"]  # fmt: skip

    lost = run.how.loss.probability
    among = "all enrolled" if run.how.among == "enrolled" else "the evaluable"
    whose = f", p0 being the rate among {among}" if run.how.handling == "nonresponder" else ""
    kept = ", the bounds staying as planned" if run.how.handling == "exclude" else ""
    said = f"{100 * lost:g}% of the patients lost and {COUNTED[run.how.handling]}{kept}{whose}"
    terminal.table(f"As the trial is run: {said}", heads, [row(*one) for one in named], left=2)
    if run.how.handling == "replace":  # which takes no allowance: patients come until so many are evaluable
        return
    larger = [(name, enlarged(design, enrolled_for(design.looks[-1].n, lost), lost)) for name, design in usual]
    title = "The usual allowance: the designs on paper with n/(1 - d) patients, rounded up, and their bounds"
    terminal.table(title, heads, [row(*one) for one in larger], left=2)
