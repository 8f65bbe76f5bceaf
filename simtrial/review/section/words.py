"""The patterns for what is stated in words: the method, the sides of alpha, and where the assumptions come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simtrial.review.section.mentions import Mention
from simtrial.review.section.patterns import cohorts, pattern
from simtrial.trial.statement import FLEMING, ONE_STAGE, TWO_STAGES

if TYPE_CHECKING:
    from simtrial.review.section.prose import Prose

_TITLE = re.compile(r"optimal two-stage designs for (?:phase|pilot)|sample size tables for exact", re.IGNORECASE)
"""Titles of references, which name no design of the trial."""

A_HERN, GEHAN, PRECISION, THREE_STAGES, BAYES = "a_hern", "gehan", "precision", "three_stage", "bayesian"

_DESIGN = r"(?:simon|two-stage|design)"
METHODS = tuple(
    (name, pattern(short))
    for name, short in (
        ("minimax", r"\bmini?-?max\b"),
        (
            "optimal",
            rf"\b{_DESIGN}\b[^§#…¶]{{0,30}}?\bopti(?:mal|mum)\b|\bopti(?:mal|mum)(?:\W+\w+){{0,3}}?\W+{_DESIGN}\b",
        ),
        ("admissible", r"\badmissible\b"),
        (A_HERN, r"\ba[' ´`]?hern\b"),
        (FLEMING, r"\bfleming\b"),
        (GEHAN, r"\bgehan\b"),
        (THREE_STAGES, r"\bthree-stage\b"),
        (BAYES, r"\b(?:bayesian|bop2|predictive probability (?:design|monitoring))\b"),
        (TWO_STAGES, r"\bsimon\b|\btwo-stage\b|\bstage[12]\b"),
        (
            ONE_STAGE,
            r"\b(?:exact )?(?:binomial )?one-stage\b|\bexact (?:one-sample )?(?:binomial|test)"
            r"(?! (?:[\w§%-]+ ){0,2}(?:confidence|CIs?\b|interval))|\bbinomial (?:exact )?(?:test|distribution)|"
            r"\bchi-?squared? test|"
            r"\bone[- ](?:sample )?(?:proportion\w*|group) (?:\w+ )?test|\bnormal approximation|\bz-?test|"
            r"\bsingle[- ]arm[, ]\w* ?single",
        ),
        (PRECISION, r"\bprecision\b|\bhalf-width\b|\bwidth of the\b@20\bconfidence interval"),
    )
)
"""Names of designs and methods, the more specific first."""

CRITERIA = {A_HERN: ONE_STAGE, GEHAN: TWO_STAGES}
"""What `simtrial.trial.statement.Statement` calls a method that has another name there."""

_INTERVAL_OF_N = pattern(
    r"\b(?:CIs?|confidence intervals?|credible intervals?)\b[^¶…]{0,90}?(?:\b(?:from|between)@25|[(\[])§ ?(?:to|"
    r"onto|and|-|[,;]) ?§"
)
"""An interval that a number of patients gives: the precision on which a section without a test is based."""

_APPROXIMATE = re.compile(r"approximation|chi-?square|z-?test", re.IGNORECASE)
_EXACT = re.compile(r"\bexact\b|\bbinomial\b", re.IGNORECASE)
_TEST = re.compile(r"\bpower\b|\balpha\b|\btype1\b|\bH[01]\b|\bp[01]\b|\bnull hypothes", re.IGNORECASE)

SPECIFIC = ("minimax", "optimal", "admissible", A_HERN, FLEMING, GEHAN, THREE_STAGES, BAYES)

_SIDED = re.compile(r"\b(one|two)-sided\b", re.IGNORECASE)
_OF_INTERVAL = re.compile(
    r"^-sided\b[^¶…]{0,30}?(?:\bCI\b|confidence|credible|interval|(?:upper|lower) (?:bound|limit))", re.IGNORECASE
)
_INTERVAL_BEFORE = re.compile(r"\b(?:CIs?|intervals?) (?:is|are|will be) $", re.IGNORECASE)
_EITHER = re.compile(r"(?:\bone|#)- ?or (?:a )?two-sided", re.IGNORECASE)
_OF_LEVEL = re.compile(r"alpha|type1|type12|significan|\btest\b|\blevel\b|\bpower\b", re.IGNORECASE)

NEAR = 60
"""Most characters from the name of a cohort to its method where both are quoted."""

_STUDIES = (
    r"(?:stud(?:y|ies)|trials?|data|reports?|results?|experiences?|literature|series|publications?|"
    r"analys[ei]s|cohorts?)"
)
_RATES = (
    r"\b(?:rates?|ORRs?|assumptions?|assumed|hypothes[ie]s|p0|p1|H0|H1|estimates?|benchmarks?|responses?|values?)\b"
)
_FROM = (
    r"\b(?:based (?:up)?on|on the basis of|"
    r"(?:derived|taken|drawn|obtained|extracted|extrapolated|estimated|come|comes|stem|stems) from|"
    r"(?:informed|supported|justified) by|follow(?:s|ed|ing)?|according to|"
    r"(?:reported|observed|seen|published) (?:in|by|for))\b"
)
_NOT_METHOD = (
    r"(?!(?:simon|a'?hern|fleming|gehan|jung|clopper|wilson|brookmeyer|eisenhauer|lin|koyama|pass|sas|nquery|east)\b)"
)
_WITHIN = (
    r"(?:(?!\b(?:RECIST|iRECIST|CTCAE|criteria|simon|tested|assessed|interval|estimated by|guidelines?)\b)[^¶]){0,%d}?"
)
"""Some words of one sentence, none of which speaks of the assessment or the method."""

_AUTHORS = rf"{_NOT_METHOD}(?-i:[A-Z])[\w'-]+(?: (?-i:[A-Z])\w{{0,3}})? (?:et al\b|and (?:colleagues|co-?workers)\b)"
_TRIAL = (
    r"(?!(?:ORR|RR|OS|PFS|ITT|FAS|CT|MRI)\b)(?-i:[A-Z][A-Za-z]*[A-Z])[\w-]*[- ]?#? (?:(?:control|treatment) )?"
    r"(?:trial|study|arm|cohort)\b"
)
_NAMED = (
    rf"(?:\b{_AUTHORS}|\b{_TRIAL}|\bNCT ?~|\[#|\bregistry data\b|"
    r"(?<!this )(?<!present )(?<!current )\bphase (?:I{1,3}|#) (?:trials?|stud(?:y|ies)|results|data)\b)"
)
"""A study by its authors, its name, its number in the registry, its phase, or the number of a reference."""

SOURCES = tuple(
    pattern(short)
    for short in (
        rf"\b(?:based on|from|in|reported|observed|shown|seen|according to|of|by|with|derived from|"
        rf"on)(?: \w+){{0,3}} (?:previous|prior(?! distribution|,)|earlier|published|past|pivotal|historical|"
        rf"retrospective)(?:ly)?[^¶…]{{0,50}}?\b{_STUDIES}",
        rf"\b(?:previous|prior|earlier|published|historical)(?: [\w-]+){{0,4}} {_STUDIES}[^¶…]{{0,60}}?§",
        r"\bhistorical(?:ly)?(?: [\w-]+){0,3} (?:control|rate|data|response|placebo|series|cohort|experience|"
        r"comparison|ORR)s?\b[^¶…]{0,40}",
        r"\bhistorical (?:rate|control|data)",
        r"§[^¶…]{0,80}?\b(?:reported|published|observed) (?:in|by|for|previously|with|from)\b(?! (?:the )?(?:first )?#)"
        r"[^¶…]{0,60}",
        r"\b(?:reported|published)(?: [\w-]+){0,5} (?:response rates?|ORRs?|rates?)\b[^¶…]{0,60}?§",
        # "an observed rate of 30%" is a result that the trial may have
        r"(?<!\ban )(?<!\bif )(?<!\bif the )\bobserved(?: [\w-]+){0,5} (?:response rates?|ORRs?|rates?) (?:in|with|for|"
        r"by|after|among)\b[^¶…]{0,60}?§",
        r"\bresponse rates? reported\b",
        r"\b(?:rates?|ORR|RR|PFS|respon\w+|remissions?)\b[^¶…]{0,80}?§[^¶…]{0,100}?\bet al\b",
        r"\bet al\b[^¶…]{0,80}?\b(?:rates?|ORR|RR|PFS|respon\w+|remissions?)\b[^¶…]{0,60}?§",
        rf"{_RATES}{_WITHIN % 60}{_FROM}{_WITHIN % 60}{_NAMED}",
        rf"\b(?:based on|(?:derived|taken|extrapolated) from)(?: [\w-]+){{0,4}} (?:{_AUTHORS}|{_TRIAL}|NCT ?~)",
        rf"{_RATES}[^¶]{{0,80}}?§{_WITHIN % 60}\((?:{_AUTHORS}|{_NOT_METHOD}(?-i:[A-Z])[\w'-]+(?: and "
        r"(?-i:[A-Z])[\w'-]+)?, #\))",
        rf"{_RATES}[^¶§]{{0,60}}?§ ?\[#",
        rf"\b(?:results?|data) (?:of|from) (?:the )?{_TRIAL}[^¶]{{0,60}}?{_RATES}[^¶]{{0,40}}?§",
        r"\b(?:in|from) the literature\b|\bmeta-analysis\b",
        r"\b(?:null|p0|H0|rates?|ORR|assum\w+|hypothes\w+)\b[^¶…]{0,60}?\b(?:based on|according to|from) (?:the )?"
        rf"{_NOT_METHOD}(?-i:[A-Z][a-z]+)(?: (?-i:[A-Z]{{1,2}})\b)?"
        r"(?: and (?-i:[A-Z]\w+))?,? ?(?:\bet al\b[^¶…]{0,40}|[(\[]?#)",
        r"\b(?:null|p0|H0|control|comparator|reference|threshold|assum\w+|hypothes\w+|response) ?(?:rates?|ORR|values?|"
        r"hypothes[ie]s|proportions?)?\b(?:(?!\b(?:patients|subjects|biops\w+|samples?|size)\b)[^¶…]){0,50}?"
        r"\b(?:comes?|came|(?:is|was|are|were)(?: \w+)? (?:taken|derived|drawn|obtained|adopted)) from (?!(?:the )?"
        r"(?:simon|tables?|software|formula)\b)[^¶]{1,70}(?:\([^()¶]{0,60}\))?",
    )
)
"""Where the assumed rates come from."""


def methods(prose: Prose) -> list[Mention]:
    """Every design or method that is named, that of each cohort where they differ."""
    parts = [_named(prose.text[low:high], low) for low, high in cohorts(prose)]
    each = [(cohort, one) for cohort, found in zip(cohorts(prose), parts, strict=True) for one in found]
    if len({one.value for _, one in each}) > 1 and all(parts):
        return [Mention(one.value, _from(cohort[0], one), one.high) for cohort, one in each]
    return _named(prose.text, 0)


def _from(cohort: int, named: Mention) -> int:
    """Where the words of a method begin: with the name of its cohort, if that is near."""
    return cohort if named.low - cohort <= NEAR else named.low


def _plainness(found: re.Match[str]) -> int:
    """The words that are quoted: of an approximation first, then those that call the test exact."""
    return 0 if _APPROXIMATE.search(found[0]) else 1 if _EXACT.search(found[0]) else 2


def _named(text: str, low: int) -> list[Mention]:
    """The methods of a part of the text that begins at a place, the specific ones alone where there is one."""
    titles = [found.span() for found in _TITLE.finditer(text)]
    named: list[Mention] = []
    for name, short in METHODS:
        every = [
            found
            for found in short.finditer(text)
            if not any(begin <= found.start() < end or begin < found.end() <= end for begin, end in titles)
        ]
        if every:
            found = min(every, key=_plainness)
            named.append(Mention(name, low + found.start(), low + found.end()))
    specific = [one for one in named if one.value in SPECIFIC]
    if any(one.value == A_HERN for one in specific):  # his tables are for Fleming's design
        specific = [one for one in specific if one.value != FLEMING]
    if specific:
        return specific
    two = [one for one in named if one.value == TWO_STAGES]
    one_stage = [one for one in named if one.value == ONE_STAGE]
    interval = None if _TEST.search(text) else _INTERVAL_OF_N.search(text)
    if interval is not None and not named:
        named = [Mention(PRECISION, low + interval.start(), low + interval.end())]
    return two or one_stage or named


def sides(prose: Prose) -> list[Mention]:
    """How many sides alpha is said to have; what is said of intervals does not count."""
    found = []
    for match in _SIDED.finditer(prose.text):
        if _OF_INTERVAL.match(prose.text[match.end(1) : match.end(1) + 80]):
            continue
        if _INTERVAL_BEFORE.search(prose.text[max(0, match.start() - 40) : match.start()]):
            continue
        value = 1 if match[1].lower() == "one" else 2
        low, high = prose.around(match.start())
        near = prose.text[max(low, match.start() - 45) : min(high, match.end() + 45)]
        found.append((bool(_OF_LEVEL.search(near)), Mention(value, match.start(), match.end())))
    close = [mention for near, mention in found if near]
    both = _EITHER.search(prose.text)
    if both is not None:
        close.append(Mention(1, both.start(), both.end()))
    return close or [mention for _, mention in found]


def sources(prose: Prose) -> list[Mention]:
    """Where the assumptions come from: the words themselves."""
    for short in SOURCES:
        found = short.search(prose.text)
        if found is not None:
            return [Mention(prose.quote(found.start(), found.end()), found.start(), found.end())]
    return []
