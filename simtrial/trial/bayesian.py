"""What the prior of a trial says, where its design is that of a Bayesian rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.search import FAMILIES, CalendarCriterion
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.posterior import figures, tables, text
from simtrial.search.posterior.sensitivity import of_parameters
from simtrial.search.wording import limits

if TYPE_CHECKING:
    from simtrial.search.parameters import RuleParameters
    from simtrial.show.passage import Passage
    from simtrial.show.picture import Picture
    from simtrial.show.table import Table
    from simtrial.trial.case import Case


def parameters(case: Case) -> RuleParameters | None:
    """The rule, its priors and its parameters; None where the design is that of no Bayesian rule."""
    criterion = case.criterion
    if criterion is None or isinstance(criterion, CalendarCriterion):
        return None
    family = FAMILIES[criterion.family]
    if "prior" not in family.constraints:
        return None
    return family.result(case.searches.wished(family), criterion).parameters


def prior(case: Case) -> BetaPrior | None:
    """The prior of the response rate; None where the design is that of no Bayesian rule."""
    found = parameters(case)
    return None if found is None else BetaPrior(*found.prior)


def believed(case: Case) -> Passage | None:
    """The prior in words, and what gives the bounds."""
    found = parameters(case)
    return None if found is None else text.believed(found)


def sentences(case: Case) -> list[str]:
    """The prior and the parameters of the rule, for the protocol; nothing of other designs."""
    found = parameters(case)
    return [] if found is None else [text.for_protocol(found)]


def at_looks(case: Case) -> Picture | None:
    """Posterior and predictive distributions at the interim looks."""
    believed_before = prior(case)
    if believed_before is None or not figures.drawn_looks(case.chosen):
        return None
    return figures.at_looks(case.chosen, believed_before, case.limits)


def sensitivity(case: Case) -> Table | None:
    """The bounds and the exact errors under other priors."""
    found = parameters(case)
    if found is None:
        return None
    under = of_parameters(found, case.limits.p1)
    return tables.sensitivity(under, limits(case.limits), text.kept_parameters(found))
