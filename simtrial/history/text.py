"""Where p0 comes from, in sentences: the evidence, how much it varies, and what the trial concludes if it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.history import origin
from simtrial.phrases import agreeing, counted, listed, percent, percent_beside, stated
from simtrial.show.passage import Passage
from simtrial.show.table import p_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.history.origin import Origin, PooledHistory
    from simtrial.history.studies import EarlierStudy
    from simtrial.trial.case import Case

MOST_NAMED = 5
"""Studies that a sentence names one by one."""

SIGNIFICANT = 0.05
"""Level below which a sentence calls the rates of the studies different."""


def history(case: Case) -> Passage:
    """Where p0 comes from, and what follows if that history is wrong: one paragraph each on the four questions."""
    found = origin.of(case)
    paragraphs = (evidence(found), variation(found), consequence(found), conclusion(found))
    return Passage("history_of_p0", tuple(" ".join(part) for part in paragraphs if part))


def protocol_sentences(case: Case) -> list[str]:
    """The sentences for the section on the sample size of a protocol (ICH M11, 10.11).

    The earlier studies behind p0, what they make plausible, and how a deviation from p0 changes the test; and, where
    there are any, the earlier studies behind p1.
    """
    found = origin.of(case)
    if found.history is None:
        return [*evidence(found), *_kept(found)]
    by, rate = found.history.by_bayes, found.history.counts.pooled
    risk = (
        "A new treatment that is no better than those p0 stands for is declared a success with probability "
        f"{percent(float(found.at(rate)))} if their true rate is the pooled one, and with probability "
        f"{percent(by.averaged)} averaged over the plausible true rates."
    )
    return [*_pooled(found, found.history), *_behind_p1(found), *_spread(found.history), risk, _kept(found)[0]]


def evidence(found: Origin) -> list[str]:
    """Which earlier results are evidence of p0, and what they give together."""
    asked = found.asked
    if not found.studies:
        return [
            "The parameter file gives no earlier results, so it does not show where "
            f"p0 = {stated(asked.p0)} comes from."
        ]
    about = found.about("p0")
    if not about:
        return ["No earlier result of the parameter file is stated to be evidence of p0.", *_behind_p1(found)]
    sentences = [*_unstated(found)]
    if found.history is None:
        sentences.append(
            f"{_of_p0(about)}, but no number of responders is known for {agreeing(len(about), 'it', 'any of them')}."
        )
    else:
        sentences += _pooled(found, found.history)
    left = [one for one in about if not one.pooled]
    if left and found.history is not None:
        named = [f"{one.treatment} ({one.why})" for one in left[:MOST_NAMED]]
        more = [counted(len(left) - MOST_NAMED, "other")] if len(left) > MOST_NAMED else []
        sentences.append(f"Not pooled: {listed([*named, *more])}.")
    return [*sentences, *_behind_p1(found)]


def _unstated(found: Origin) -> list[str]:
    silent = sum(not one.stated for one in found.studies)
    if not silent:
        return []
    if silent == len(found.studies):
        return ["The parameter file does not state which earlier results are evidence of p0, so all of them are taken."]
    one = counted(silent, "earlier result")
    return [f"{one} {agreeing(silent, 'is', 'are')} taken as evidence of p0 because nothing else is stated."]


def _of_p0(about: Sequence[EarlierStudy]) -> str:
    return f"{counted(len(about), 'earlier result')} {agreeing(len(about), 'is', 'are')} evidence of p0"


def _pooled(found: Origin, known: PooledHistory) -> list[str]:
    about, size = found.about("p0"), len(known.counts.n)
    x, n = known.counts.total
    if len(about) == size:
        opening = f"{_of_p0(about)}"
    else:
        opening = f"{_of_p0(about)}; the number of responders is known for {size} of them"
    rates = [one.rate for one in about if one.pooled and one.rate is not None]
    across = f", {_across(rates)}" if size > 1 else ""
    together = "Together," if size > 1 else "In it"
    return [
        f"{opening}{across}.",
        f"{together} {x:,} of {counted(n, 'patient')} responded ({percent(known.counts.pooled)}, exact 95% interval "
        f"{percent(known.interval[0])} to {percent(known.interval[1])}).",
    ]


def _across(rates: Sequence[float]) -> str:
    """The span of several rates; one rate where they are written alike."""
    low, high = percent(min(rates)), percent(max(rates))
    return f"each with a rate of {low}" if low == high else f"with rates from {low} to {high}"


def _behind_p1(found: Origin) -> list[str]:
    about = [one for one in found.about("p1") if one.rate is not None]
    if not about:
        return []
    rates = [one.rate for one in about if one.rate is not None]
    have = agreeing(len(about), "has", "have")
    low, high = percent(min(rates)), percent(max(rates))
    across = low if low == high else f"from {low} to {high}"
    return [
        f"{counted(len(about), 'earlier result')} on p1 = {stated(found.asked.p1)} {have} "
        f"{'a response rate of' if low == high else 'response rates'} {across}."
    ]


def variation(found: Origin) -> list[str]:
    """Whether the studies have one true rate, and where that of a new study would lie."""
    known = found.history
    if known is None:
        return []
    c, d = known.bayes.prior
    prior = (
        "The prior distribution is uniform for the mean of the true rates and "
        f"Beta({c:g}, {d:g}) for rho, the correlation of the responses of two patients of one study."
    )
    return [*_heterogeneity(known), *_spread(known), prior]


def _heterogeneity(known: PooledHistory) -> list[str]:
    test, ml = known.test, known.ml
    if test is None:
        why = "One study" if len(known.counts.n) == 1 else "These counts"
        shows = "does not show" if len(known.counts.n) == 1 else "do not show"
        return [f"{why} {shows} how much true rates differ between studies, so what follows depends on the prior."]
    by = f"{test.draws:,} random tables" if test.draws else "all tables"
    how = f"{p_equals(test.conditional)}, {by} with the same totals"
    differ = (
        "differ by more than chance explains" if test.conditional < SIGNIFICANT else "are compatible with one true rate"
    )
    sentences = [f"The observed rates {differ} ({how})."]
    if ml.rho == 0:
        sentences.append("By maximum likelihood the true rates do not differ between studies.")
    elif ml.rho < 1:
        sentences.append(
            f"By maximum likelihood the true rates have a mean of {percent(ml.mean)} and a standard deviation between "
            f"studies of {100 * ml.law.sd:.1f} percentage points."
        )
    return sentences


def p_equals(value: float) -> str:
    """A p-value with its sign: p = 0.0312, or p < 0.0001."""
    written = p_written(value)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def _spread(known: PooledHistory) -> list[str]:
    low, high = known.by_bayes.interval
    said = (
        "In the random-effects Beta-binomial model with the stated prior, the true rate of a new study lies between "
        f"{percent(low)} and {percent(high)} with probability 95%"
    )
    if known.ml.shapes is not None:
        low, high = known.by_ml.interval
        said += f" (by maximum likelihood, estimates taken as exact, between {percent(low)} and {percent(high)})"
    return [f"{said}."]


def consequence(found: Origin) -> list[str]:
    """What becomes of the type I error."""
    paper = "These probabilities are those with every patient evaluable; as the trial is run they differ."
    return [
        *(() if found.history is None else _risk(found, found.history)),
        *_kept(found),
        *([paper] if found.left_out else []),
    ]


def _risk(found: Origin, known: PooledHistory) -> list[str]:
    asked, rate = found.asked, known.counts.pooled
    at_p0, at_rate = float(found.at(asked.p0)), float(found.at(rate))
    by, of_ml = known.by_bayes, known.by_ml
    likely, flat = known.ml.shapes is not None, known.by_flat
    sentences = [
        f"If the true rate of the treatments that p0 stands for is the pooled rate, {percent(rate)}, a new treatment "
        f"that is no better is declared a success with probability {percent(at_rate)}; at p0 = {stated(asked.p0)} that "
        f"probability, the type I error, is {percent(at_p0)}.",
        f"The true rate exceeds p0 with probability {percent(by.below)}"
        f"{f' ({percent(of_ml.below)} by maximum likelihood)' if likely else ''}.",
        f"Averaged over the plausible true rates, a treatment that is no better is declared a success with probability "
        f"{percent(by.averaged)}"
        f"{f' ({percent(of_ml.averaged)} by maximum likelihood)' if likely else ''}.",
        f"With a prior that is uniform for rho as well, these two probabilities are {percent(flat.below)} and "
        f"{percent(flat.averaged)}.",
    ]
    if by.averaged_run is not None and by.averaged_run != by.averaged:
        sentences.append(f"With the assumed dropout the average by the stated prior is {percent(by.averaged_run)}.")
    return sentences


def _kept(found: Origin) -> list[str]:
    """Up to which true rate the rule keeps alpha."""
    asked, largest, run = found.asked, found.largest, found.largest_run
    said = (
        f"The decision rule has a type I error of at most {stated(asked.alpha)} up to a true rate of "
        f"{percent_beside(largest, asked.p0)}"
    )
    if run is not None and run != largest:
        said += f" (up to {percent_beside(run, asked.p0)} with the assumed dropout)"
    sentences = [f"{said}."]
    if found.history is not None:
        sentences.append(f"The true rate is higher with probability {percent(found.history.by_bayes.exceeded)}.")
    return sentences


def conclusion(found: Origin) -> list[str]:
    """What the trial concludes if p0 is not the true rate of the treatments that it stands for."""
    p0, error = stated(found.asked.p0), percent(float(found.at(found.asked.p0)))
    return [
        f"If H0 is rejected, the trial concludes that the response rate of the new treatment exceeds {p0}, whatever "
        "the true rate of the treatments that p0 stands for.",
        "If their true rate is above p0, this conclusion does not show that the new treatment is better than they are.",
        "If their true rate is below p0, a treatment that is no better is declared a success less often than the type "
        "I error states, and a treatment that is better but does not exceed p0 is declared a success with a "
        f"probability of no more than the type I error, {error}.",
    ]
