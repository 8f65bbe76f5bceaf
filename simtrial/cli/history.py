"""The command on where p0 comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import options
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.history.origin import Origin, PooledHistory, TrueRateAnswer
    from simtrial.history.posterior import PosteriorRates
    from simtrial.show.table import Table


def evidence(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parameter file with the section `evidence`.")],
    as_json: options.Json = False,
) -> None:
    """Show where p0 comes from: earlier results pooled, and what the test concludes if their true rate is not p0."""
    from simtrial.history import origin, text
    from simtrial.trial import params
    from simtrial.trial.case import Case

    case = Case.of(params.load(file)).checked(file.name)
    found, said = origin.of(case), text.history(case)
    if as_json:
        terminal.print_json(_json(found, str(said)))
        return
    from simtrial.history import tables

    if found.studies:
        _show(tables.studies(case))
    for one in found.studies:
        if one.why:
            terminal.wrapped(f"  {one.treatment}: {one.why}")
    if found.studies:  # else the sentences below say that there are none
        terminal.tell()
        _show(tables.history(case))
    _show(tables.wrong_history(case))
    for paragraph in said.paragraphs:
        terminal.wrapped(f"{paragraph}\n")


def _show(table: Table) -> None:
    if not table.shown:
        terminal.wrapped(f"{table.caption}\n")
        return
    shown = {key: how for key, how in table.shown.items() if key not in ("setting", "source", "remark")}
    view = table.view()[[heading for heading, _ in shown.values()]]
    rows = [[str(cell) for cell in row] for row in view.itertuples(index=False, name=None)]
    terminal.table(table.caption, list(view.columns), rows, left=2 if "about" in shown else 1)


def _json(found: Origin, words: str) -> dict[str, object]:
    known = found.history
    curve = found.curve
    run = found.at_run(curve)
    asked = found.asked
    return {
        "studies": [
            {
                "treatment": one.treatment, "setting": one.setting, "source": one.source, "n": one.n,
                "responders": one.responders, "rate": one.rate,
                "interval": None if one.interval is None else list(one.interval), "about": one.about,
                "pooled": one.pooled, "why": one.why or None,
            }
            for one in found.studies
        ],
        "pooled": None if known is None else _pooled(known),
        "beta_binomial": None if known is None else _model(known),
        "heterogeneity": None if known is None or known.test is None else _test(known),
        "p0": asked.p0,
        "alpha": asked.alpha,
        "looks": [{"n": look.n, "r": look.r, "e": look.e} for look in found.design.looks],
        "p_p0_below_true_rate": None if known is None else _both(known, "below"),
        "type_i_error": {
            "at_p0": float(found.at(asked.p0)),
            "at_pooled": None if known is None else float(found.at(known.counts.pooled)),
            "averaged_ml": None if known is None else known.by_ml.averaged,
            "averaged_bayes": None if known is None else known.by_bayes.averaged,
            "averaged_below_p0": None if known is None else _both(known, "averaged_below"),
            "averaged_as_run": None if known is None else _both(known, "averaged_run"),
            "curve": [
                {"p": p, "reject": reject, "reject_as_run": None if run is None else float(run[k])}
                for k, (p, reject) in enumerate(zip(curve.tolist(), found.at(curve).tolist(), strict=True))
            ],
        },
        "largest_p0": found.largest,
        "largest_p0_as_run": found.largest_run,
        "p_largest_p0_below_true_rate": None if known is None else _both(known, "exceeded"),
        "words": words,
    }  # fmt: skip


def _both(known: PooledHistory, name: str) -> dict[str, object]:
    """One number by each way of estimation; where maximum likelihood gives one rate, none that needs a distribution."""
    left_out = known.ml.shapes is None and name in ("below", "exceeded")
    return {
        "ml": None if left_out else getattr(known.by_ml, name),
        "bayes": getattr(known.by_bayes, name),
        "uniform": getattr(known.by_flat, name),
    }


def _pooled(known: PooledHistory) -> dict[str, object]:
    x, n = known.counts.total
    return {"studies": len(known.counts.n), "responders": x, "n": n, "rate": known.counts.pooled,
            "interval": list(known.interval)}  # fmt: skip


def _model(known: PooledHistory) -> dict[str, object]:
    def interval(by: TrueRateAnswer) -> list[float]:
        return list(by.interval)

    def by_prior(one: PosteriorRates, by: TrueRateAnswer) -> dict[str, object]:
        c, d = one.prior
        return {
            "mean": one.mean, "rho": one.rho, "sd_between": one.sd, "log_evidence": one.log_evidence,
            "prediction_interval": interval(by), "quadrature_error": one.error,
            "prior": {"mean": "Uniform(0, 1)", "rho": f"Beta({c:g}, {d:g})"},
        }  # fmt: skip

    ml = known.ml
    a, b = ml.shapes or (None, None)
    return {
        "ml": {
            "a": a, "b": b, "mean": ml.mean, "rho": ml.rho if ml.known else None,
            "sd_between": ml.law.sd if ml.known else None, "log_likelihood": ml.log_likelihood,
            "prediction_interval": interval(known.by_ml) if ml.shapes else None,
        },
        "bayes": by_prior(known.bayes, known.by_bayes),
        "uniform": by_prior(known.flat, known.by_flat),
    }  # fmt: skip


def _test(known: PooledHistory) -> dict[str, object]:
    test = known.test
    if test is None:
        return {}
    return {
        "likelihood_ratio": test.statistic, "p_value": test.p_value,
        "reference": "equal mixture of 0 and chi-square with 1 degree of freedom",
        "conditional": {"p_value": test.conditional, "mcse": test.mcse, "random_tables": test.draws or None,
                        "statistic": "sum over studies of (x - n X / N)^2, given X"},
    }  # fmt: skip
