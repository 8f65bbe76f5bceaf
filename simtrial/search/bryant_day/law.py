r"""The exact law of a design for two endpoints, whatever their association.

With X the responses and Y the patients without toxicity, the pair (X, Y) gains one of four steps with each patient:
(1, 1), (1, 0), (0, 1), (0, 0), with the probabilities of `simtrial.toxicity.association.cells`. The recursion over
patients gives the pair's law among n1 and among n - n1 patients, and

    P(recommend) = sum over x > c_r1, y > c_t1 of P(X1 = x, Y1 = y) P(X2 > c_r - x, Y2 > c_t - y).

Both P(recommend) and EN rise with the odds ratio, everywhere
--------------------------------------------------------------
With the two rates fixed, the association is the probability p of both events in one patient: the four steps have the
probabilities p, r - p, t - p and 1 - r - t + p, and p rises with the odds ratio. Let the patients' associations differ
for a moment. The probability of any set of outcomes is then linear in the association of each single patient; its slope
in that of patient i is the expectation, over all others, of

    I(1, 1) - I(1, 0) - I(0, 1) + I(0, 0),

I(a, b) saying whether the set is reached if patient i adds a to the responses and b to the others. For a rule whose
demands on the two counts are separate, I(a, b) = f(a) g(b), f saying whether the demands on the responses hold and g
those on the toxicities; so the expression is (f(1) - f(0)) (g(1) - g(0)), and neither factor is negative because more
responses, or more patients without toxicity, never fail a demand that fewer meet. To continue past the first look, and
to recommend the treatment, are such rules; EN = n1 + (n - n1) P(continue). So each is monotone in every patient's
association, and moving all of them together adds up the same signs.

Hence over all odds ratios the type I errors and the expected numbers of patients are largest at infinity, the power is
least at 0, and a design that keeps its limits at these two points keeps them at every association.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.toxicity.association import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from simtrial.numbers import Floats
    from simtrial.search.bryant_day.question import BothBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class BothLaw:
    """What a design does at some rates and associations: arrays of their common shape.

    Attributes
    ----------
    recommend : ndarray
        Probability of recommending the treatment.
    go_on : ndarray
        Probability of continuing past the first look.
    en : ndarray
        Expected number of patients.
    """

    recommend: Floats
    go_on: Floats
    en: Floats


def law(design: BothBounds, r: ArrayLike, t: ArrayLike, phi: ArrayLike = 1.0) -> BothLaw:
    """The exact law of a design, right to about 1e-12.

    Parameters
    ----------
    design : BothBounds
        Any design.
    r, t : float or array_like of float
        Probabilities of response and of no toxicity in one patient, from 0 to 1.
    phi : float or array_like of float
        Odds ratio of response and no toxicity, from 0 to infinity; 1 if they are independent. The three broadcast.

    Raises
    ------
    InputError
        If a number lies outside its range.

    Examples
    --------
    >>> from simtrial.search.bryant_day.question import BothBounds
    >>> design = BothBounds(n1=17, c_r1=3, c_t1=12, n=40, c_r=10, c_t=30)
    >>> law(design, r=0.4, t=0.7, phi=[0, 1, float("inf")]).recommend.round(4).tolist()
    [0.1108, 0.1453, 0.1544]
    """
    shape = np.broadcast_shapes(np.shape(r), np.shape(t), np.shape(phi))
    places = [np.broadcast_to(np.asarray(one, dtype=np.float64), shape).ravel().tolist() for one in (r, t, phi)]
    steps = np.array([cells(*place) for place in zip(*places, strict=True)]).reshape(-1, 4)
    first, second = pair_counts(steps, [design.n1, design.n - design.n1])
    reached = first[:, design.c_r1 + 1 :, design.c_t1 + 1 :]
    go_on = reached.sum(axis=(1, 2))
    recommend = (reached * later(exceeding(second), design)).sum(axis=(1, 2))
    return BothLaw(
        recommend=np.minimum(recommend, 1.0).reshape(shape),
        go_on=np.minimum(go_on, 1.0).reshape(shape),
        en=(design.n1 + (design.n - design.n1) * np.minimum(go_on, 1.0)).reshape(shape),
    )


def pair_counts(steps: Floats, sizes: Sequence[int]) -> list[Floats]:
    """The law of the two counts among so many patients, for several associations at once.

    Parameters
    ----------
    steps : ndarray, shape (laws, 4)
        Probabilities of both, response alone, no toxicity alone, neither.
    sizes : sequence of int
        Numbers of patients.

    Returns
    -------
    list of ndarray, shape (laws, size + 1, size + 1)
        P(X = x, Y = y) at [law, x, y], in the order of `sizes`.
    """
    both, response, without, neither = (steps[:, k, np.newaxis, np.newaxis] for k in range(4))
    state = np.ones((len(steps), 1, 1))
    found = {0: state}
    for n in range(1, max(sizes) + 1):
        moved = np.zeros((len(steps), n + 1, n + 1))
        moved[:, :-1, :-1] = neither * state
        moved[:, 1:, :-1] += response * state
        moved[:, :-1, 1:] += without * state
        moved[:, 1:, 1:] += both * state
        state = moved
        if n in sizes:
            found[n] = state
    return [found[n] for n in sizes]


def exceeding(counts: Floats) -> Floats:
    """P(X >= x, Y >= y) at [..., x, y], for x and y up to one more than can be."""
    padded = np.pad(counts, [(0, 0)] * (counts.ndim - 2) + [(0, 1), (0, 1)])
    tails: Floats = padded[..., ::-1, ::-1].cumsum(axis=-1).cumsum(axis=-2)[..., ::-1, ::-1]
    return tails


def later(tails: Floats, design: BothBounds) -> Floats:
    """P(X2 > c_r - x, Y2 > c_t - y) at [..., x, y] for the counts of the first look that go on."""
    most = design.n - design.n1 + 1
    x = np.clip(design.c_r + 1 - np.arange(design.c_r1 + 1, design.n1 + 1), 0, most)
    y = np.clip(design.c_t + 1 - np.arange(design.c_t1 + 1, design.n1 + 1), 0, most)
    return tails[..., x[:, np.newaxis], y]
