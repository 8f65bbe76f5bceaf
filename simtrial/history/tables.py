"""Tables of the earlier results, of what they say together, and of the type I error where p0 is not the true rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simtrial.design.designs import looks_text
from simtrial.glossary import head
from simtrial.history import origin
from simtrial.history.text import p_equals
from simtrial.phrases import counted, rate
from simtrial.show.table import RATE, WHOLE, WORDS, Shown, Table, column
from simtrial.toxicity.text import ASIDE

if TYPE_CHECKING:
    from simtrial.history.likelihood import Homogeneity
    from simtrial.history.origin import Origin, PooledHistory
    from simtrial.trial.case import Case

ABOUT = {"p0": "p0", "p1": "p1", "other": "neither"}
"""What a result is evidence of."""

NONE = "The parameter file gives no earlier results."
UNKNOWN = "The number of responders is known for none of the earlier results that are evidence of p0."


def studies(case: Case) -> Table:
    """The earlier results: counts, exact intervals, what each is evidence of, and whether it is pooled."""
    found = origin.of(case).studies
    rows = [
        {
            "treatment": one.treatment,
            "setting": one.setting,
            "about": ABOUT[one.about],
            "responders": one.responders,
            "n": one.n,
            "rate": one.rate,
            "low": one.interval[0] if one.interval else None,
            "high": one.interval[1] if one.interval else None,
            "interval": span(*one.interval) if one.interval else "–",
            "pooled": "yes" if one.pooled else "no",
            "remark": one.why or "–",
            "source": one.source,
        }
        for one in found
    ]
    if not rows:
        return Table("studies", NONE, pd.DataFrame(columns=["treatment", "source"]), {})
    shown: dict[str, Shown] = {
        "treatment": column("treatment", WORDS),
        "setting": column("setting", WORDS),
        "about": column("about", WORDS),
        "responders": column("responders", WHOLE),
        "n": column("patients", WHOLE),
        "rate": column("orr", RATE),
        "interval": column("interval_95", WORDS),
        "pooled": column("pooled", WORDS),
        "remark": column("pooled_remark", WORDS),
        "source": column("source", WORDS),
    }
    caption = (
        "Earlier results by what they are evidence of: responders, response rate, and exact (Clopper-Pearson) 95% "
        "interval computed here from the counts. Results that are evidence of p0 are pooled where the number of "
        "responders is published or follows from the percentage"
    )
    return Table("studies", caption, pd.DataFrame(rows), shown)


def prior_studies(case: Case) -> Table:
    """The earlier results with their citations, for the protocol: the table `studies` without its remarks."""
    whole = studies(case)
    kept = {key: how for key, how in whole.shown.items() if key not in ("pooled", "remark")}
    return Table("prior_studies", whole.caption.partition(" Results that")[0].rstrip("."), whole.frame, kept)


def span(low: float, high: float) -> str:
    """An interval of rates in a table."""
    return f"{rate(low)} to {rate(high)}"


def history(case: Case) -> Table:
    """What the pooled results say of the true rate, by maximum likelihood and by the stated prior."""
    found = origin.of(case)
    known = found.history
    if known is None:
        return Table("true_rates", UNKNOWN if found.studies else NONE, pd.DataFrame(columns=["quantity"]), {})
    frame = pd.DataFrame(_rows(known), columns=["key", "quantity", "ml", "bayes", "flat"])
    shown: dict[str, Shown] = {
        "quantity": column("quantity", WORDS),
        "ml": column("maximum_likelihood", WORDS),
        "bayes": column("by_prior", WORDS),
        "flat": column("by_flat_prior", WORDS),
    }
    x, n = known.counts.total
    c, d = known.bayes.prior
    test = known.test
    tested = "" if test is None else f" {_tested(test)}"
    caption = (
        "True response rate of the treatments that p0 stands for, from "
        f"{counted(len(known.counts.n), 'study', 'studies')} with {counted(x, 'responder')} in {counted(n, 'patient')} "
        f"(pooled rate {rate(known.counts.pooled)}, exact 95% interval {span(*known.interval)}): random-effects "
        "Beta-binomial model by maximum likelihood, its estimates taken as exact; by the stated prior, uniform for the "
        f"mean and Beta({c:g}, {d:g}) for rho; and by a prior that is uniform for both. P(reject H0) and type I error "
        f"are those of {looks_text(found.design, ', ')} on paper.{tested}"
    )
    return Table("true_rates", caption.rstrip("."), frame, shown, right=["ml", "bayes", "flat"], tidy=_tidy(known))


def _tested(test: Homogeneity) -> str:
    """Both tests of homogeneity, with their reference distributions."""
    by = f"{test.draws:,} random tables, ± Monte Carlo standard error" if test.draws else "all tables, exact"
    error = f" ± {test.mcse:.1g}" if test.draws else ""
    return (
        f"Tests that all studies have one true rate: {p_equals(test.conditional)}{error} by the sum of squared "
        f"differences from the pooled rate, among {by}, with the same totals; likelihood ratio {test.statistic:.2f}, "
        f"{p_equals(test.p_value)} by half a chi-square distribution with 1 degree of freedom, which needs many studies"
    )


def _rows(known: PooledHistory) -> list[tuple[str, ...]]:
    """A row per quantity: its key and name, and the three estimates."""
    ml, by_ml, spread = known.ml, known.by_ml, known.ml.shapes is not None
    priors = ((known.bayes, known.by_bayes), (known.flat, known.by_flat))
    rows: list[tuple[str, ...]] = [
        ("mean", head("true_rate_mean"), rate(ml.mean), *(rate(one.mean) for one, _ in priors)),
        ("sd", head("between_sd"), rate(ml.law.sd) if ml.known else "–", *(rate(one.sd) for one, _ in priors)),
        ("rho", head("rho"), rate(ml.rho) if ml.known else "–", *(rate(one.rho) for one, _ in priors)),
        ("interval", head("true_rate_interval"), span(*by_ml.interval) if spread else "–",
         *(span(*by.interval) for _, by in priors)),
        ("below", head("above_p0"), rate(by_ml.below) if spread else "–", *(rate(by.below) for _, by in priors)),
        ("averaged", head("averaged_error"), rate(by_ml.averaged), *(rate(by.averaged) for _, by in priors)),
        ("averaged_below", head("averaged_error_below"), rate(by_ml.averaged_below),
         *(rate(by.averaged_below) for _, by in priors)),
    ]  # fmt: skip
    run = [by.averaged_run for by in (by_ml, known.by_bayes, known.by_flat)]
    if known.by_bayes.averaged_run not in (None, known.by_bayes.averaged):
        rows.append(("averaged_run", head("averaged_error", "as run"), *(rate(one or 0.0) for one in run)))
    exceeded = ("exceeded", head("above_largest"), rate(by_ml.exceeded) if spread else "–")
    return [*rows, (*exceeded, *(rate(by.exceeded) for _, by in priors))]


def _tidy(known: PooledHistory) -> pd.DataFrame:
    """The same numbers at full precision, a row per way of estimation."""
    rows = []
    for how, by, mean, sd, rho in (
        ("maximum likelihood", known.by_ml, known.ml.mean, known.ml.law.sd, known.ml.rho),
        ("stated prior", known.by_bayes, known.bayes.mean, known.bayes.sd, known.bayes.rho),
        ("uniform prior", known.by_flat, known.flat.mean, known.flat.sd, known.flat.rho),
    ):
        rows.append(
            {
                "by": how, "mean": mean, "sd": sd, "rho": rho, "low": by.interval[0], "high": by.interval[1],
                "p_above_p0": by.below, "averaged": by.averaged, "averaged_below": by.averaged_below,
                "averaged_run": by.averaged_run, "p_above_largest": by.exceeded,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def wrong_history(case: Case) -> Table:
    """P(reject H0) at true rates that history makes plausible: what the type I error is if p0 is wrong."""
    found = origin.of(case)
    rows = [(what, p, float(found.at(p)), _run(found, p)) for what, p in _places(found)]
    frame = pd.DataFrame(rows, columns=["what", "p", "reject", "reject_run"])
    shown: dict[str, Shown] = {
        "what": column("true_rate_of", WORDS),
        "p": column("p", RATE),
        "reject": column("reject", RATE, "on paper"),
        "reject_run": column("reject", RATE, "as run"),
    }
    if frame.reject_run.isna().all() or (frame.reject_run == frame.reject).all():
        shown.pop("reject_run")
    caption = (
        f"Probability that {looks_text(found.design, ', ')} rejects H0 (true rate at most {found.asked.p0:g}) for a "
        "treatment that is no better than those p0 stands for, by their true response rate; exact"
    )
    if case.trial.design.toxicity is not None:
        caption += f". {ASIDE}"
    return Table("wrong_history", caption, frame, shown)


def _run(found: Origin, p: float) -> float | None:
    at = found.at_run(p)
    return None if at is None else float(at)


def _places(found: Origin) -> list[tuple[str, float]]:
    """True rates of a table, in increasing order."""
    asked, known = found.asked, found.history
    places = [("p0", asked.p0), ("the largest at which the rule keeps alpha", found.largest)]
    if known is not None:
        low, high = known.by_bayes.interval
        places += [
            ("the lower end of the prediction interval (prior)", low),
            ("the pooled rate", known.counts.pooled),
            ("the mean of the true rates (prior)", known.bayes.mean),
            ("the upper end of the prediction interval (prior)", high),
        ]
    return sorted(places, key=lambda place: place[1])
