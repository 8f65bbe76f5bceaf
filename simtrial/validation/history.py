"""Validation cases for the evidence on p0; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.design.intervals import clopper_pearson
from simtrial.history.counts import StudyCounts
from simtrial.history.likelihood import likeliest
from simtrial.history.null import averaged
from simtrial.history.posterior import posterior
from simtrial.history.rates import RateLaw
from simtrial.validation.cases import Comparison, case_of, reference, same_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design

LOOKS = ("1/15,5/25", "5/25", "1:5/10,5/29", "0/8,2/16,5/25")
SHAPES = ((3.1, 14.9), (0.6, 4.0), (50.0, 250.0))
"""Designs, and Beta distributions of the true rate, for which averages are integrated."""

STOPPED = 1e-5
"""Relative distance from the maximum at which the search of R BayesGOF ends."""

QUADRATURE = 1e-7
"""Relative error of scipy's integrals of these functions."""


def pooled_history() -> Comparison:
    """Published intervals, fits of the Beta-binomial model, and averages of the type I error."""
    source = "published tables and packages, named by row; integrals by scipy"
    return case_of("Evidence on p0", source, _rows())


def _rows() -> Iterator[tuple[str, str, str, bool]]:
    yield from _intervals()
    yield from _rats()
    yield from _families()
    for looks, (a, b) in product(LOOKS, SHAPES):
        design = parse_looks(looks)
        found = averaged(design, RateLaw.single(a / (a + b), 1 / (a + b + 1)))
        expected = _integral(design, a, b)
        what = f"average type I error of {looks} over Beta({a:g}, {b:g}): integral"
        yield what, f"{expected:.9g}", f"{found:.9g}", abs(found - expected) <= QUADRATURE * expected


def _intervals() -> Iterator[tuple[str, str, str, bool]]:
    """Exact intervals as printed; one that its source computed in another way is left out."""
    for row in reference("sclc_historical_controls").itertuples():
        count, printed = (re.fullmatch(form, str(value)) for form, value in (
            (r"(\d+)(?:/\d+)?", row.responders), (r"([\d.]+)-([\d.]+)", row.ORR_95CI)
        ))  # fmt: skip
        if count is None or printed is None or not str(row.n).isdigit():
            continue
        low, high = (100 * float(limit) for limit in clopper_pearson(int(count[1]), int(row.n), 0.025))
        same = same_digits(low, float(printed[1]), 1) and same_digits(high, float(printed[2]), 1)
        yield f"{row.trial}: 95% interval, {row.source}", printed[0], f"{low:.2f}-{high:.2f}", same


def _rats() -> Iterator[tuple[str, str, str, bool]]:
    """The tumours of Tarone: all but the last group by maximum likelihood, all by the prior of the book."""
    rats = reference("rats_tarone1982")
    x, n = tuple(rats.responders.tolist()), tuple(rats.n.tolist())
    found = likeliest(StudyCounts(x[:-1], n[:-1])).shapes or (np.nan, np.nan)
    for name, printed, value in zip("ab", (2.304768, 14.079707), found, strict=True):
        what = f"rats, 70 groups, {name} by maximum likelihood: R BayesGOF"
        yield what, f"{printed:.6f}", f"{value:.6f}", abs(value - printed) <= STOPPED * printed
    law = posterior(StudyCounts(x, n), (0.5, -0.5)).law
    size = (1 - law.rhos) / law.rhos
    means = (float(law.weights @ (share * size)) for share in (law.means, 1 - law.means))
    for name, printed, value in zip("ab", (2.4, 14.3), means, strict=True):
        what = f"rats, 71 groups, posterior mean of {name}: Bayesian Data Analysis, 5.3"
        yield what, f"{printed:.1f}", f"{value:.4f}", same_digits(value, printed, 1)


def _families() -> Iterator[tuple[str, str, str, bool]]:
    """The boys of Saxony: Akaike's criterion of both laws."""
    rows = reference("saxony_families")
    boys = np.repeat(rows.boys, rows.families)
    found = likeliest(StudyCounts(tuple(boys.tolist()), (12,) * boys.size))
    for law, printed, value in (
        ("Beta-binomial", 24989.74, 4 - 2 * found.log_likelihood),
        ("binomial", 25070.34, 2 - 2 * found.log_likelihood_equal),
    ):
        yield (
            f"families of Saxony, AIC of the {law} law: Wikipedia",
            f"{printed}",
            f"{value:.4f}",
            same_digits(value, printed, 2),
        )


def _integral(design: Design, a: float, b: float) -> float:
    from scipy import integrate, stats

    def weighted(p: float) -> float:
        return float(operating_characteristics(design, p).reject) * float(stats.beta.pdf(p, a, b))

    return float(sum(integrate.quad(weighted, low, high)[0] for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 1))))
