"""The search among thresholds of Thall and Simon against every pair of thresholds judged in fractions."""

import itertools

import numpy as np
import pytest
from sequences import meets

from simtrial import InputError, Requirements
from simtrial.search.aim import LEAST_EN, Aim
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.bayesian.thall_simon import chances, thall_simon
from simtrial.search.bayesian.thall_simon_search import search
from simtrial.search.bayesian.thall_simon_thresholds import AttainedThresholds, ThallSimonSearch
from simtrial.search.constraints import Constraints

PRIORS = BetaPrior(0.5, 1.5), BetaPrior(10, 30)
ASKED = Requirements(0.25, 0.6, 0.125, 0.75)
LOOKS = (4, 8, 12)


def every_boundary(stops, delta):
    """The designs of all thresholds between attained probabilities, by the rule itself."""
    values = []
    for gain in (delta, 0.0):
        found = chances(*PRIORS, LOOKS[-1], gain)
        attained = np.unique(np.concatenate([found[n, : n + 1] for n in LOOKS]))
        values.append([attained[0] / 2, *((attained[1:] + attained[:-1]) / 2), (1 + attained[-1]) / 2])
    lower, upper = values
    pairs = {
        "both": itertools.product(lower, upper), "futility": ((one, None) for one in lower),
        "efficacy": ((None, one) for one in upper),
    }[stops]  # fmt: skip
    for theta_l, theta_u in pairs:
        try:
            yield thall_simon(LOOKS, *PRIORS, delta=delta, theta_l=theta_l, theta_u=theta_u)
        except InputError:
            continue


@pytest.mark.parametrize(("stops", "delta"), [("both", 0.0), ("both", 0.1), ("futility", 0.0), ("efficacy", 0.0)])
def test_the_search_takes_the_best_of_every_pair_of_thresholds(stops, delta):
    kept = [one for one in {one.looks: one for one in every_boundary(stops, delta)}.values() if meets(one, ASKED)]
    found = ThallSimonSearch(ASKED, LOOKS, prior_e=PRIORS[0], prior_s=PRIORS[1], delta=delta, stops=stops)
    assert kept
    for aim in (LEAST_EN, Aim(en_p1=1.0), Aim(en_p0=0.5, en_p1=0.5)):
        result = found.result(aim)
        assert result.best.looks == aim.best(kept, ASKED).looks
        assert result.certificate.how == "proved"


def test_the_thresholds_that_are_stated_give_the_design():
    for stops in ("both", "futility", "efficacy"):
        found = ThallSimonSearch(ASKED, LOOKS, prior_e=PRIORS[0], prior_s=PRIORS[1], stops=stops).result(LEAST_EN)
        where = found.parameters
        assert where.priors == {"prior_e": PRIORS[0].pair, "prior_s": PRIORS[1].pair}
        for thresholds in (where.one, {one.name: (one.low + one.high) / 2 for one in where.ranges}):
            assert thall_simon(LOOKS, *PRIORS, **thresholds).looks == found.best.looks


def test_a_larger_threshold_of_futility_rejects_less_and_takes_fewer_patients():
    found = ThallSimonSearch(ASKED, LOOKS, prior_e=PRIORS[0], prior_s=PRIORS[1])
    i = np.arange(len(found.futile.low))
    for j in range(0, len(found.promising.low), 5):
        reject, en = found.many.outcomes(*found.lists(i, np.full(i.size, j)))
        # sums of up to 20 terms are right to 1e-13
        assert (np.diff(reject, axis=1) <= 1e-13).all()
        assert (np.diff(en, axis=1) <= 1e-12).all()


def test_equal_probabilities_of_two_looks_are_one_threshold():
    # by symmetry 1/2 after 1 of 2 and after 2 of 4
    found = chances(BetaPrior(1, 1), BetaPrior(5, 5), 4)
    assert found[2, 1] == pytest.approx(0.5, abs=1e-14)
    thresholds = AttainedThresholds(found, (2, 4))
    assert len(thresholds.low) == 3 + 5 - 1 + 1
    assert [1, 2] in thresholds.below.tolist()
    assert not [row for row in thresholds.below.tolist() if row in ([1, 3], [2, 2])]


def test_without_looks_n_is_the_smallest_with_a_boundary():
    asked = Requirements(0.2, 0.4, 0.1, 0.8)
    best = search(asked).result(LEAST_EN).best
    assert best.keeps
    last = best.looks[-1].n
    with pytest.raises(InputError, match=r"not reached under alpha 0\.1"):
        search(asked, constraints=Constraints(looks_at=(10, 20, last - 1))).result(LEAST_EN)
