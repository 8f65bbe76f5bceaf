"""The options of `design`: what else is asked of the designs, and how patients drop out."""

from __future__ import annotations

from typing import Annotated

import typer

from simtrial.cli import options

Null = Annotated[float | None, options.number_option("rate", "Response rate not worth pursuing.")]
ResponseWorth = Annotated[float | None, options.number_option("rate", "Response rate worth finding.")]
TypeIError = Annotated[float | None, options.number_option("error", "Largest type I error, one-sided.")]
Power = Annotated[float | None, options.number_option("error", "Smallest power at p1, or at r1 and t1.")]
Limit = Annotated[int, options.number_option("n_limit", "Refuse if even the most powerful test needs more patients.")]
LowPower = Annotated[bool, typer.Option("--low-power", help="A power below 0.5 is meant.")]
DropoutShare = Annotated[
    float | None,
    options.number_option(
        "dropout",
        "Dropout before the first assessment, as a share of the patients; with --odds-ratio, of the patients who would "
        "not respond.",
    ),
]
DropoutHandling = Annotated[
    str | None,
    typer.Option(help="How patients who drop out count: nonresponder, replace or exclude.  [default: nonresponder]"),
]
DropoutAmong = Annotated[
    str | None,
    typer.Option(
        help="With nonresponder: whether p0 is the rate among enrolled or evaluable patients.  [default: enrolled]"
    ),
]
DropoutBounds = Annotated[
    str | None,
    typer.Option(
        help="With exclude: 'fixed' bounds, or 'recut': recalculated at the numbers evaluable.  [default: fixed]"
    ),
]
DropoutOdds = Annotated[
    float | None,
    options.number_option("odds_ratio", "Odds ratio of dropout, responders against non-responders.  [default: 1]"),
]
DropoutSearch = Annotated[
    str | None,
    typer.Option(
        "--search", help="Whether the limits hold as the trial is run (run) or on paper (paper).  [default: run]"
    ),
]


FamilyName = Annotated[
    str | None,
    typer.Option(
        "--family",
        help="Search one family of designs, such as efficacy or three_stage, or all of them; adaptive: second stages "
        "that depend on the first; bryant_day: response and toxicity together.",
    ),
]
FamilyCriterion = Annotated[
    str | None, typer.Option("--criterion", help="With --family: one of its criteria, such as en_p0 or minimax.")
]
WeightOption = Annotated[
    float | None, options.number_option("weight", "With --family: W for the least (1-W) EN(p0) + W EN(p1).")
]
LooksAt = Annotated[
    str | None,
    typer.Option(help="With --family: numbers of patients at the looks, 10,20,30, or 1-30 for every patient."),
]
StopsOption = Annotated[
    str | None, typer.Option(help="With --family: for what the trial may stop early: futility, efficacy or both.")
]
Futility = Annotated[
    str | None,
    typer.Option(
        help="With --family: 'optional' allows a first look without a stop for futility.  [default: required]"
    ),
]
Balanced = Annotated[bool, typer.Option("--balanced", help="With --family: stages of the same size.")]
Cap = Annotated[int | None, options.number_option("cap", "With --family: the largest number of patients.")]
FirstBound = Annotated[
    str | None,
    options.number_option(
        "bound_or_rate",
        "With --family: the futility bound r1; with bryant_day the response rate worth finding.",
        "text",
    ),
]
FirstSize = Annotated[
    int | None, options.number_option("patients", "With --family: fewest patients at the first look.")
]
Multiple = Annotated[
    int | None,
    options.number_option("multiple_of", "With --family: looks at multiples of this, or patients per look."),
]


Prior = Annotated[
    str | None,
    options.prior_option(
        "With --family lee_liu, bop2 or thall_simon: Beta prior of the response rate, A,B or mean=M,size=N.  [default: "
        "p0,1-p0; of thall_simon mean=p0,size=2]"
    ),
]
FirstLook = Annotated[
    int | None,
    options.number_option("patients", "With --family lee_liu: patients at the first look.  [default: 10]"),
]
Flexible = Annotated[
    int | None,
    options.number_option("sizes", "Flexible sizes: K consecutive numbers of patients at each of two looks."),
]

AnyOrder = Annotated[
    bool,
    typer.Option(
        "--any-order", help="With adaptive: the conditional type I error may fall as responses of the first stage rise."
    ),
]
SmallerSecond = Annotated[
    bool,
    typer.Option(
        "--n2-falls", help="With adaptive: the second stage does not become larger as responses of the first rise."
    ),
]

LargerRate = Annotated[
    float | None,
    options.number_option("rate", "With adaptive: a rate above p1 at which --power2 is required (Lin and Shih)."),
]
PowerThere = Annotated[float | None, options.number_option("error", "With adaptive: smallest power at p2.")]

NullResponse = Annotated[
    float | None, options.number_option("rate", "With bryant_day: response rate not worth pursuing.")
]
NotAcceptable = Annotated[
    float | None,
    options.number_option("rate_without", "With bryant_day: rate of patients WITHOUT toxicity, not acceptable."),
]
Acceptable = Annotated[
    float | None,
    options.number_option("rate_without", "With bryant_day: rate of patients WITHOUT toxicity, acceptable."),
]
ResponseError = Annotated[
    float | None,
    options.number_option("error", "With bryant_day: largest probability of recommending it at r0 and t1."),
]
ToxicityError = Annotated[
    float | None,
    options.number_option("error", "With bryant_day: largest probability of recommending it at r1 and t0."),
]
Association = Annotated[
    str | None,
    typer.Option(
        "--phi",
        help="With bryant_day: whether the limits hold at every association of response and toxicity (worst) or under "
        "independence.  [default: worst]",
    ),
]
