"""The command that gives a boundary for toxicity, and what it does alone and beside a response design."""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial.cli import designs_json, options, toxicity_beside
from simtrial.cli.command import told_as
from simtrial.errors import InputError
from simtrial.phrases import counted, spanned, stated
from simtrial.phrases import rate as shown
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.cli.toxicity_beside import Beside
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.calibrate import CalibratedBoundary

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

WangTsiatisExponent = Annotated[
    float | None,
    options.number_option(
        "delta", "wang_tsiatis: exponent, from 0 (Pocock) to 0.5 (O'Brien-Fleming).  [default: 0.25]"
    ),
]
UnacceptableRate = Annotated[
    float | None,
    options.number_option(
        "rate", "Unacceptable rate of toxicity; sprt tests against it.  [default of sprt: rate + 0.15]"
    ),
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
    delta: WangTsiatisExponent = None,
    prior: Annotated[
        str | None,
        options.number_option("beta", "bayes: a,b of the Beta prior.  [default: rate,1-rate]", "list", ("a", "b")),
    ] = None,
    unacceptable: UnacceptableRate = None,
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
    given |= _usual(kind, rate, delta, unacceptable)
    _complete(kind, boundary, given, {"p": p, "looks": looks, "response_rate": response_rate})
    counts, found = _boundary(kind, boundary, given)
    at = p if p is not None else [one for one in (rate, unacceptable) if one is not None]
    if (fall := _fall(counts)) and found is None:
        terminal.warn(fall)
    beside = None
    if looks is not None:
        beside = toxicity_beside.beside_design(
            counts, looks, at, response_rate or [], 1.0 if odds_ratio is None else odds_ratio
        )
    if as_json:
        terminal.print_json(_json(counts, found, at, beside))
        return
    _show(counts, found, at)
    _tell(found, window_weeks)
    if beside is not None:
        toxicity_beside.show(beside, counts)


def _check(
    kind: str | None,
    boundary: str | None,
    given: dict[str, Any],
    looks: str | None,
    response_rate: list[float] | None,
    odds_ratio: float | None,
) -> None:
    """Hold what goes with what."""
    if kind is not None and boundary is not None:
        raise InputError("takes the place of --boundary; leave one of them out", "--type")
    if kind is not None and kind not in TYPES:
        raise InputError(f"({kind!r:.40}) is unknown; write {', '.join(TYPES[:-1])} or {TYPES[-1]}", "--type")
    for name in ("crossing", "looks_at", "delta", "prior"):
        if boundary is not None and given[name] is not None:
            raise InputError("does not go with --boundary, which gives the counts; leave it out", told_as(name))
    if given["rate"] is not None and given["unacceptable"] is not None and not given["rate"] < given["unacceptable"]:
        said = f"({given['unacceptable']:g}) is not above the acceptable rate ({given['rate']:g})"
        raise InputError(said, "--unacceptable")
    if looks is None:
        for name, value in (("response_rate", response_rate), ("odds_ratio", odds_ratio)):
            if value is not None:
                raise InputError("goes with --looks only; add the response design, such as 1/10,5/29", told_as(name))


HALFWAY = 0.25
"""Exponent of a Wang-Tsiatis boundary for which none is given: halfway between Pocock's and O'Brien and Fleming's."""

DISTANCE = 0.15
"""How far above the acceptable rate the SPRT's other rate lies where none is given."""


def _usual(
    kind: str | None, rate: float | None, delta: float | None, unacceptable: float | None
) -> dict[str, float | None]:
    """What a type takes beside the acceptable rate where the call leaves it out; the answer names it."""
    if kind == "wang_tsiatis" and delta is None:
        return {"delta": HALFWAY}
    if kind == "sprt" and unacceptable is None and rate is not None and rate + DISTANCE < 1:
        return {"unacceptable": round(rate + DISTANCE, 12)}
    return {}


OF_TYPES = {"sprt": ("unacceptable",)}
"""What some types need beside the acceptable rate, the crossing probability and the looks, where it has no default."""

EXAMPLE = "simtrial toxicity --type pocock --rate .2 --crossing .05 --looks-at 1-30"


def _complete(kind: str | None, boundary: str | None, given: dict[str, Any], beside: dict[str, Any]) -> None:
    """Hold that nothing is missing, and name all that is."""
    why: dict[str, str] = {}
    if boundary is None:
        if kind is None:
            why["type"] = "write --type pocock, or give the counts with --boundary 3/10,5/20"
        needed = ("rate", "crossing", "looks_at", *OF_TYPES.get(kind or "", ()))
        why |= {name: f"{kind} needs it" for name in needed if given[name] is None}
    elif all(one is None for one in (beside["p"], given["rate"], given["unacceptable"])):
        why["p"] = "give the rates at which the boundary is evaluated"
    if beside["looks"] is not None and beside["response_rate"] is None:
        why["response_rate"] = "--looks needs it"
    names = [told_as(name) for name in why]
    if len(names) == 1:
        raise InputError(f"is missing; {next(iter(why.values()))}", names[0])
    if names:
        more = "" if boundary is not None or kind is not None else ", or give the counts: --boundary 3/10,5/20 --p .2"
        example = EXAMPLE.replace("pocock", kind or "pocock")
        example = "" if boundary is not None else f"; such as {example}{more}"
        raise InputError(f"Missing options {', '.join(names)}{example}")


def _fall(counts: ToxicityBoundary) -> str:
    """A question where a later look stops for fewer toxicities, though counts are cumulative; empty where none does."""
    stopping = [look for look in counts.looks if look.b is not None]
    for earlier, later in pairwise(stopping):
        if earlier.b is not None and later.b is not None and earlier.b > later.b:
            return (
                f"Warning: the count falls from {earlier.b} of {earlier.n} to {later.b} of {later.n}, although counts "
                "are cumulative; is that meant?"
            )
    return ""


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


def _json(
    counts: ToxicityBoundary, found: CalibratedBoundary | None, at: list[float], beside: Beside | None
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
    """That two conventions of the exponent are in use; empty for types that are named and not by an exponent."""
    if found.shape.kind != "wang_tsiatis" or found.shape.exponent is None:
        return ""
    ours, other = found.shape.exponent, round(0.5 - found.shape.exponent, 12)
    return (
        f"The exponent delta is {ours:g} where 0 is Pocock's boundary and 0.5 that of O'Brien and Fleming, as in R "
        f"clinfun; where Wang and Tsiatis's own notation is used, as in R stoppingrule, it is {other:g}."
    )
