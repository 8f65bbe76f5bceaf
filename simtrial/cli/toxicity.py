"""The command that gives a boundary for toxicity, and what it does alone and beside a response design."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.cli import designs_json, options
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted, spanned, stated
from simtrial.phrases import rate as shown
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.calibrate import CalibratedBoundary
    from simtrial.toxicity.joint import JointEndings, Taken

TYPES = ("pocock", "obf", "wang_tsiatis", "bayes", "sprt")

ToxicityRates = Annotated[
    list[float] | None,
    options.number_option(
        "true_rate", "True rate of toxicity; may be given again.  [default: acceptable and unacceptable rate]"
    ),
]
ResponseRates = Annotated[
    list[float] | None,
    options.number_option("true_rate", "With --looks: true response rate; may be given again."),
]


def toxicity(
    rate: Annotated[float | None, options.number_option("rate", "Acceptable rate of toxicity.")] = None,
    crossing: Annotated[
        float | None, options.number_option("error", "Largest probability of crossing at the acceptable rate.")
    ] = None,
    looks_at: Annotated[
        str | None, typer.Option(help="Numbers of patients at the looks: 10,20,30, or 1-30 for every patient.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--type", help=f"Type of boundary: {', '.join(TYPES)}.")] = None,
    delta: Annotated[
        float | None,
        options.number_option("delta", "wang_tsiatis: exponent, from 0 (Pocock) to 0.5 (O'Brien-Fleming)."),
    ] = None,
    prior: Annotated[
        str | None,
        options.number_option("beta", "bayes: a,b of the Beta prior.  [default: rate,1-rate]", "list"),
    ] = None,
    unacceptable: Annotated[
        float | None, options.number_option("rate", "Unacceptable rate of toxicity; sprt tests against it.")
    ] = None,
    boundary: Annotated[
        str | None, typer.Option(help="Evaluate these counts instead of --type: B/N, cumulative, such as 3/10,5/20.")
    ] = None,
    p: ToxicityRates = None,
    window_weeks: Annotated[
        float | None, options.number_option("weeks", "Weeks after enrollment in which a toxicity counts.")
    ] = None,
    looks: Annotated[
        str | None, typer.Option(help="Response design, R/N or R:E/N, such as 1/10,5/29: exact endings of both rules.")
    ] = None,
    response_rate: ResponseRates = None,
    odds_ratio: Annotated[
        float | None,
        options.number_option("odds_ratio", "With --looks: odds ratio of response and toxicity.  [default: 1]"),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Give the boundary for toxicity with the largest crossing probability within a limit, and what it does."""
    given = {
        "rate": rate, "crossing": crossing, "looks_at": looks_at, "delta": delta, "prior": prior,
        "unacceptable": unacceptable,
    }  # fmt: skip
    _check(kind, boundary, given, looks, response_rate, odds_ratio)
    counts, found = _boundary(kind, boundary, given)
    at = p if p is not None else [one for one in (rate, unacceptable) if one is not None]
    if not at:
        raise InputError("is missing; give the rates at which the boundary is evaluated", "--p")
    beside = None
    if looks is not None:
        beside = _beside(counts, looks, at, response_rate or [], 1.0 if odds_ratio is None else odds_ratio)
    if as_json:
        terminal.print_json(_json(counts, found, at, beside))
        return
    _show(counts, found, at)
    _tell(found, window_weeks)
    if beside is not None:
        _show_beside(beside, counts)


def _check(
    kind: str | None,
    boundary: str | None,
    given: dict[str, Any],
    looks: str | None,
    response_rate: list[float] | None,
    odds_ratio: float | None,
) -> None:
    """Hold what goes with what."""
    if (kind is None) == (boundary is None):
        fault = "is missing; write --type pocock, or give the counts with --boundary 3/10,5/20"
        raise InputError(fault if kind is None else "takes the place of --boundary; leave one of them out", "--type")
    if kind is not None and kind not in TYPES:
        raise InputError(f"({kind!r:.40}) is unknown; write {', '.join(TYPES[:-1])} or {TYPES[-1]}", "--type")
    for name in ("crossing", "looks_at", "delta", "prior"):
        if boundary is not None and given[name] is not None:
            raise InputError("does not go with --boundary, which gives the counts; leave it out", told_as(name))
    for name in ("rate", "crossing", "looks_at"):
        if boundary is None and given[name] is None:
            raise InputError(f"is missing; {kind} needs it", told_as(name))
    if given["rate"] is not None and given["unacceptable"] is not None and not given["rate"] < given["unacceptable"]:
        said = f"({given['unacceptable']:g}) is not above the acceptable rate ({given['rate']:g})"
        raise InputError(said, "--unacceptable")
    if looks is None:
        for name, value in (("response_rate", response_rate), ("odds_ratio", odds_ratio)):
            if value is not None:
                raise InputError("goes with --looks only; add the response design, such as 1/10,5/29", told_as(name))
    elif response_rate is None:
        raise InputError("is missing; --looks needs it", "--response-rate")


def _boundary(
    kind: str | None, boundary: str | None, given: dict[str, Any]
) -> tuple[ToxicityBoundary, CalibratedBoundary | None]:
    """The counts, and where they come from."""
    from simtrial.design.designs import parse_sizes
    from simtrial.toxicity.boundary import parse_boundary
    from simtrial.toxicity.calibrate import calibrated
    from simtrial.toxicity.kinds import BoundaryShape

    try:
        if boundary is not None:
            counts = parse_boundary(boundary)
            if all(look.b is None for look in counts.looks):
                raise InputError(
                    "stops for nothing at all; give a count at one look at least, such as 3/10", "boundary"
                )
            return counts, None
        prior = None
        if given["prior"] is not None:
            values = options.Reader("beta", "list").numbers(given["prior"])
            if len(values) != 2:
                raise InputError(f"({given['prior']}) is not two numbers; write a,b such as 0.2,0.8", "prior")
            prior = values[0], values[1]
        shape = BoundaryShape(
            kind,  # type: ignore[arg-type]  # one of the types, as was just held
            given["rate"],
            delta=given["delta"],
            prior=prior,
            unacceptable=given["unacceptable"] if kind == "sprt" else None,
        )
        found = calibrated(shape, parse_sizes(given["looks_at"]), given["crossing"])
    except InputError as error:
        raise InputError(error.message, told_as(error.field)) from None
    return found.boundary, found


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """A response design beside the boundary: what becomes of both at every pair of rates."""

    design: Design
    odds_ratio: float
    pairs: list[tuple[float, float, JointEndings, Taken]]


def _beside(
    counts: ToxicityBoundary, looks: str, at: list[float], response_rates: list[float], odds_ratio: float
) -> _Beside:
    from simtrial.design.designs import parse_looks
    from simtrial.toxicity.joint import endings, taken

    design = parse_looks(looks)
    if counts.within(design.looks[-1].n) is None:
        first = counts.looks[0].n
        raise InputError(
            f"ends at {counted(design.looks[-1].n, 'patient')}, before the first look ({first})", "--looks"
        )
    pairs = []
    for rate in at:
        for p in response_rates:
            ended = endings(design, counts, p=p, toxicity=rate, odds_ratio=odds_ratio)
            price = taken(design, counts, p=p, toxicity=rate, odds_ratio=odds_ratio)
            pairs.append((rate, p, ended, price))
    return _Beside(design=design, odds_ratio=odds_ratio, pairs=pairs)


def _json(
    counts: ToxicityBoundary, found: CalibratedBoundary | None, at: list[float], beside: _Beside | None
) -> dict[str, object]:
    from simtrial.toxicity.boundary import crossing

    crossed = crossing(counts, at)
    ends = None if found is None else [None if math.isinf(end) else end for end in found.parameter]
    answer: dict[str, object] = {
        "stop_if_at_least": [look._asdict() for look in counts.looks],
        "parameter": ends,
        "crossing": crossed.ever.tolist(),
        "en": crossed.en.tolist(),
        "p": at,
        "crossing_before_last": crossed.before_last.tolist(),
        "type": None if found is None else found.shape.kind,
    }
    if found is not None:
        answer |= {"rate": found.shape.rate, "limit": found.limit, "attained": found.attained}
    if beside is not None:
        answer["joint"] = {
            "looks": designs_json.looks(beside.design),
            "odds_ratio": beside.odds_ratio,
            "endings": [
                {"toxicity_rate": rate, "p": p, "shares": ended.shares, "reject": ended.reject, "en": ended.en}
                | {f"reject_{name}": getattr(price, name) for name in ("alone", "least", "most")}
                for rate, p, ended, price in beside.pairs
            ],
        }
    return answer


def _show(counts: ToxicityBoundary, found: CalibratedBoundary | None, at: list[float]) -> None:
    """The counts to print, and what they do at each rate."""
    from simtrial.toxicity import text
    from simtrial.toxicity.boundary import crossing

    what = (
        "as given" if found is None else f"{text.NAMES[found.shape.kind]}, acceptable rate {stated(found.shape.rate)}"
    )
    rows = []
    for b, run in groupby(counts.looks, key=lambda look: look.b):
        patients = spanned([look.n for look in run])
        rows.append([patients, *(("-", "any number") if b is None else (str(b), str(b - 1)))])
    heads = ("of the first ... patients", "stop if at least", "largest acceptable")
    terminal.table(f"Patients with a toxicity: boundary {what}", heads, rows)
    terminal.wrapped(text.convention(counts))
    terminal.tell()
    crossed = crossing(counts, at)
    lines = [
        [f"{p:g}", shown(crossed.ever[i]), shown(crossed.before_last[i]), f"{crossed.en[i]:.2f}"]
        for i, p in enumerate(at)
    ]
    title = f"Exact values over {counted(len(counts.looks), 'look')}, if nothing else stops the trial"
    columns = ("rate of toxicity", "P(crossed)", "before the last look", "expected patients")
    terminal.table(title, columns, lines)
    terminal.wrapped(
        f"P(crossed) counts a crossing at the last look too; the expected number takes it as {counts.n}, as if the "
        "boundary were never crossed."
    )


def _tell(found: CalibratedBoundary | None, window_weeks: float | None) -> None:
    """Where the counts come from, and when a patient counts."""
    from simtrial.toxicity import text

    if found is None:
        terminal.wrapped("The counts are given outright; they are not derived from a crossing probability.")
    else:
        terminal.wrapped(" ".join((*text.calibration(found), interval(found), conventions(found))).strip())
    since = "during the stated window" if window_weeks is None else f"within {counted(window_weeks, 'week')}"
    terminal.wrapped(
        f"Patients count in the order of enrollment. A toxicity counts if it occurs {since} after enrollment, and as "
        "soon as it occurs. A patient without one is pending until then; the boundary does not wait for pending "
        "patients, and neither does accrual."
    )


def interval(found: CalibratedBoundary) -> str:
    """Which parameters lead to the boundary, in a sentence."""
    low, high = (f"{end:.6g}" for end in found.parameter)
    if found.shape.kind == "sprt":
        above = "" if math.isinf(found.parameter[0]) else f" above {low}, and"
        return f"The same boundary comes from every threshold of the log-likelihood ratio{above} up to {high}."
    if found.shape.kind == "bayes":
        return (
            f"The same boundary comes from stopping if the posterior probability exceeds any number from {low} up to, "
            f"but not including, {high}."
        )
    name = "level of the last look" if found.shape.exponent else "level"
    return f"The same boundary comes from every {name} from {low} up to, but not including, {high}."


def conventions(found: CalibratedBoundary) -> str:
    """That two conventions of the exponent are in use; empty for types without one."""
    if found.shape.exponent is None:
        return ""
    ours, other = found.shape.exponent, round(0.5 - found.shape.exponent, 12)
    return (
        f"The exponent delta is {ours:g} where 0 is Pocock's boundary and 0.5 that of O'Brien and Fleming, as in R "
        f"clinfun; where Wang and Tsiatis's own notation is used, as in R stoppingrule, it is {other:g}."
    )


def _show_beside(beside: _Beside, counts: ToxicityBoundary) -> None:
    """The endings of both rules, and what the rule for toxicity takes."""
    from simtrial.design.designs import looks_short

    last = beside.design.looks[-1].n
    ends = ["toxicity", "futility", "efficacy", "success", "failure"]
    heads = ["toxicity", "response", "stopped for toxicity", "for futility", "for efficacy", "H0 rejected at the end",
             "not rejected", "expected patients"]  # fmt: skip
    possible = [True, len(beside.design.looks) > 1, any(look.e for look in beside.design.looks), True, True]
    rows = [
        [f"{rate:g}", f"{p:g}"]
        + [shown(ended.shares[name]) for name, some in zip(ends, possible, strict=True) if some]
        + [f"{ended.en:.2f}"]
        for rate, p, ended, _ in beside.pairs
    ]
    kept = [head for head, some in zip(heads, (True, True, *possible, True), strict=True) if some]
    related = "independent" if beside.odds_ratio == 1 else f"odds ratio of response and toxicity {beside.odds_ratio:g}"
    terminal.tell()
    terminal.table(f"How {looks_short(beside.design)} ends with this boundary; {related}", kept, rows, left=2)
    if counts.n > last:
        further = sum(look.n > last for look in counts.looks)
        terminal.wrapped(
            f"{counted(further, 'look')} at more than {counted(last, 'patient')} "
            f"{agreeing(further, 'is', 'are')} never reached by the response design."
        )
    proved = all(price.least is not None for *_, price in beside.pairs)
    heads = ["toxicity", "response", "without the boundary", "with it", "difference"]
    heads += ["least of all associations", "most of all associations"] if proved else []
    lines = []
    for rate, p, _, price in beside.pairs:
        values = [price.alone, price.here]
        row = [f"{rate:g}", f"{p:g}", *map(shown, values), f"{price.here - price.alone:+.4f}"]
        lines.append(row + [shown(one) for one in (price.least, price.most) if one is not None])
    terminal.tell()
    terminal.table("P(reject H0): what the boundary takes from type I error and power", heads, lines, left=2)
    said = "If both rules apply after the same patient, the trial stops for toxicity; it makes no claim then. "
    if proved:
        said += (
            "P(reject H0) falls as responders have more toxicity: it is least where the two events go together as far "
            "as their rates allow, and largest where they exclude each other as far as possible."
        )
    else:
        said += (
            "With a stop for efficacy P(reject H0) need not fall as responders have more toxicity; its extremes over "
            "all associations are not given."
        )
    terminal.wrapped(said)
