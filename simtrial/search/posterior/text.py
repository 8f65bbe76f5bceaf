"""Sentences on the prior of a Bayesian design, and on what is believed at a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import counted, listed, percent, stated
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.text import believed as priors_in_words
from simtrial.search.text import leading
from simtrial.show.passage import Passage

if TYPE_CHECKING:
    from simtrial.search.parameters import RuleParameters
    from simtrial.search.posterior.at_look import SeenSoFar

WHOSE = {"prior": "the response rate", "prior_e": "the new treatment", "prior_s": "the standard treatment"}
"""What each prior is of."""


def prior_of(name: str, prior: BetaPrior) -> str:
    """A prior in a sentence: what it is of, its mean and its size."""
    low, high = prior.interval()
    return (
        f"the prior of {WHOSE[name]} is Beta({prior.a:.10g}, {prior.b:.10g}): its mean is {stated(prior.mean)}, it "
        f"weighs as much as {counted(float(f'{prior.size:.10g}'), 'patient')}, and it holds 95% between "
        f"{percent(low)} and {percent(high)}"
    )


def believed(found: RuleParameters) -> Passage:
    """The priors of a design, and the parameters of the rule that give its bounds."""
    said = "; ".join(prior_of(name, BetaPrior(*pair)) for name, pair in found.priors.items())
    return Passage("prior", (f"{said[0].upper()}{said[1:]}.", f"The chosen design: {leading(found)}"))


RULE_IN_WORDS = {
    "bop2": "The trial stops for futility, or at the last look does not reject H0, if the posterior probability of p > "
    "p0 after n of N patients is below lambda (n/N)^gamma.",
    "lee_liu": "The trial stops for futility if the predictive probability of rejecting H0 at the last look is below "
    "theta_l; there H0 is rejected if the posterior probability of p > p0 is above theta_t.",
    "thall_simon": "The trial stops for futility if the posterior probability that the response rate exceeds that of "
    "the standard by delta is below theta_l, and rejects H0 if that of a larger rate is above theta_u.",
}
"""What each Bayesian rule decides, as its protocol states it."""


def for_protocol(found: RuleParameters) -> str:
    """What makes the bounds reproducible: the rule, its priors and its parameters."""
    given = f"{priors_in_words(found.priors)} and with {kept_parameters(found)}"
    return f"{RULE_IN_WORDS[found.rule]} The bounds are those of this rule {given}."


def kept_parameters(found: RuleParameters) -> str:
    """The parameters of a rule that stay as they are when its prior changes."""
    return listed([f"{name} = {value:.10g}" for name, value in found.one.items()])


def seen(one: SeenSoFar, p0: float | None) -> list[tuple[str, str]]:
    """What is believed after some responses: names and values, for a table at a terminal."""
    low, high = one.posterior.interval()
    last = one.last
    return [
        ("posterior mean", f"{one.posterior.mean:.6f}"),
        ("95% credible interval", f"{low:.6f} to {high:.6f}"),
        *([] if p0 is None else [(f"P(p > {p0:g})", f"{float(one.prior.beyond(p0, one.n, one.x)):.6f}")]),
        (f"P(more than {one.bound} of {last} respond)", f"{one.above_bound:.6f}"),
        ("P(H0 is rejected), looks to come included", f"{one.rejecting:.6f}"),
    ]
