"""What the prior of a trial says, where its design is that of a Bayesian rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.search import FAMILIES, CalendarCriterion
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.posterior import text

if TYPE_CHECKING:
    from simtrial.search.parameters import RuleParameters
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


def sentences(case: Case) -> list[str]:
    """The prior and the parameters of the rule, for the protocol; nothing of other designs."""
    found = parameters(case)
    return [] if found is None else [text.for_protocol(found)]
