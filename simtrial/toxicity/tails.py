"""Tails of the binomial and the Beta law for every count of every look at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simtrial.numbers import Floats, Ints


def beta_tails(a: float, c: float, x: float, looks: Ints) -> Floats:
    """I_x(a + b, c + n - b) for every n of `looks` and b = N, ..., 2, 1 (N: the last n), 0 where b > n.

    With a = 0 and c = 1 it is P(X_n >= b; n, x), otherwise the posterior probability of a rate up to x after b of n,
    with prior Beta(a, c). The difference of two neighbours in b is one term, so each row is a sum from its end; sums of
    positive terms keep their digits, which are those of the log-gamma function (relative error below 1e-10, tested).

    Returns
    -------
    ndarray, shape (looks, N)
        Rises along each row.
    """
    from scipy import special

    b = np.arange(looks[-1], 0, -1)
    terms = _log_terms(a, c, x, looks, b)
    np.exp(terms, out=terms)
    terms[np.arange(len(looks)), looks[-1] - looks] = special.betainc(a + looks, c, x)
    return np.cumsum(terms, axis=1, out=terms)


def _log_terms(a: float, c: float, x: float, looks: Ints, b: Ints) -> Floats:
    """Log of I_x(a + b, c + n - b) - I_x(a + b + 1, c + n - b - 1), -inf from b = n on: shape (looks, b)."""
    from scipy import special

    misses = np.arange(looks[-1] + 1)
    with np.errstate(divide="ignore"):
        of_misses = (c + misses - 1) * np.log1p(-x) - special.gammaln(c + misses)
    of_misses[0] = -np.inf
    terms: Floats = of_misses.take(looks[:, np.newaxis] - b, mode="clip")
    terms += (a + b) * np.log(x) - special.gammaln(a + b + 1)
    terms += special.gammaln(a + c + looks)[:, np.newaxis]
    return terms


def beta_logits(a: float, c: float, x: float, looks: Ints) -> Floats:
    """log((1 - I) / I) of the same I_x(a + b, c + n - b), by logarithms, as neither may be told from 0: a, c > 0.

    Slower than `beta_tails`; for priors so strong, or so far from x, that data hardly move them.

    Returns
    -------
    ndarray, shape (looks, N)
        By n and b = N, ..., 2, 1; inf where b > n.
    """
    b = np.arange(looks[-1], -1, -1)
    terms = _log_terms(a, c, x, looks, b)
    upper, lower = terms, terms[:, ::-1].copy()
    upper[np.arange(len(looks)), looks[-1] - looks] = _log_betainc(a + looks.astype(np.float64), c, x)
    below = np.logaddexp.accumulate(upper, axis=1)[:, :-1]
    # 1 - I at b is what it is for no toxicity, and one term for each
    start = _log_betainc(c + looks.astype(np.float64), a, 1 - x)[:, np.newaxis]
    above = np.logaddexp(start, np.logaddexp.accumulate(lower, axis=1)[:, :-1])[:, ::-1]
    found: Floats = np.where(b[:-1] > looks[:, np.newaxis], np.inf, above - np.where(np.isneginf(below), 0.0, below))
    return found


def _log_betainc(a: Floats, c: float, x: float) -> Floats:
    """Log I_x(a, c): by the hypergeometric series where scipy gives 0, which is where x is far below the mean."""
    from scipy import special

    plain = special.betainc(a, c, x)
    total, term = np.ones(len(a)), np.ones(len(a))
    k = 0
    while k < 100_000 and (plain < 1e-280).any() and term.max() > 1e-17 * total.max():
        term = np.where(plain < 1e-280, term * (x * (a + c + k) / (a + 1 + k)), 0.0)
        total += term
        k += 1
    series = a * np.log(x) + c * np.log1p(-x) - np.log(a) - special.betaln(a, c) + np.log(total)
    found: Floats = np.where(plain < 1e-280, series, np.log(np.maximum(plain, 1e-300)))
    return found
