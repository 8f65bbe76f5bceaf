"""The design that the usual allowance for dropout, n/(1 - d) patients, starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.trial import dropout

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.trial.case import Case


def to_inflate(case: Case) -> Design:
    """The design on paper: a design searched under dropout allows for it already, and inflating it would do so twice.

    Parameters
    ----------
    case : Case
        The trial.

    Returns
    -------
    Design
        That of the file's criterion with every patient evaluable, or the design given outright; Simon's optimal
        design on paper where comparing designs by the calendar a second time would take too long.
    """
    if case.criterion is None or case.trial.losses == "paper":
        return case.chosen
    return dropout.searched(case, "paper") or case.on_paper.two.optimal
