"""The patterns for counts: the bounds of the decision rule first, then numbers of patients."""

from __future__ import annotations

from simtrial.review.section.patterns import pattern, table

_N = r"(?<![≥≤<>\d/.-])"
_ENTER = (
    r"(?:required|needed|necessary|enrol\w*|recruit\w*|includ\w*|accru\w*|treated|entered|registered|planned|"
    r"studied|evaluated|analy[sz]ed|assessed)"
)
_WILL = (
    r"(?:will(?: have to)? be|are to be|have to be|has to be|must be|should be|would be|were to be|need to be|"
    r"can be|are|is|were)"
)
_OF = (
    r"(?:out of|of|in|among|from|amongst|after|/)(?: (?:the|a|an|all|those|these|total|of|first|initial|"
    r"maximum)){0,4}"
)
_RESPONSES = (
    r"(?:respon\w+|success\w*|CRs?\b|PRs?\b|ORs?\b|remissions?|complete|partial|objective|confirmed|progression|"
    r"event|"
    r"surviv\w+|alive|benefit|negativ\w+|achiev\w+|show\w*|experienc\w+|disease control|free|clearance)"
)

NO_SIZES = table(
    r"(?:bound|limit|p-value|score|level|interval|ratio|margin)@15[≥≤<>](?P<other>#)",
    r"[≥≤<>](?P<other>#)[ -]?(?:degrees?|kg|ml|mmHg|ng|g|cells|fold|nmol|pg|U|IU|L|x)\b",
    r"(?P<other>#)@P (?:may|can|could|might|will) be replaced",
    r"\b(?:EN|ASN) ?(?:\((?:p[01]|H[01])\)|(?:under|at|for) (?:p[01]|H[01]))?@IS(?P<other>#)",
    r"\b(?:expected|average|mean) (?:sample size|number of patients)(?: (?:under|at|for|if|when)\b@30)?@IS(?P<other>#)",
    r"(?P<other>#)[ -]?(?:weeks?|months?|years?|days?|cycles?|hours?|mg|cm|mm|doses?|cent(?:er|re)s|sites|lines|"
    r"courses|times|(?:percentage )?points|minutes)\b",
    r"\b(?:phase|grade|ECOG|table|section|version|day|week|month|year|cohort|arm|figure|appendix|aged?|reference|"
    r"RECIST|cycle|part)s? ?[≥≤<>]?(?P<other>#)",
    r"(?P<other>#)@P? (?:to (?:compensate|replace|account|allow|make up|substitute)|extra to)",
    r"[≥≤<>]?(?P<other>#) (?:other |different |chemotherap\w+ |systemic |unidimensionally |"
    r"bidimensionally )?(?:prior|previous|measurable|lesions?|lines?|sites?|regimens?|drugs?|of the following|"
    r"prior)\b",
    r"[≥≤<>]?(?P<other>#) (?:cases|events|episodes|instances|occurrences) of (?:grade|severe|serious|unaccept)",
    r"[≥≤<>]?(?P<other>#) (?:or more )?(?:\w+ ){0,2}?(?:progress(?:ion|ive|ions)\b(?![ -]?free)|failures?\b|"
    r"relapses?\b|recurrences?\b|non-?respon)",
    r"\bup to (?P<other>#) (?:additional|more|further|extra)",
    r"\bif (?:total |only |exactly )?(?P<other>#)(?! of| or fewer)",
    r"\bincluding(?: the)? (?P<other>#)",
    r"(?:toxicit\w+|DLTs?|adverse|deaths?)[^#§~…¶]{0,60}?[≥≤<>]?(?P<other>#)(?=[^#§~…¶]{0,40}(?:toxicit|DLT|"
    r"adverse|death|patients|subjects))",
    r"[≥≤<>]?(?P<other>#)[^#§~…¶]{0,40}?(?:toxicit|DLT|adverse|deaths?\b)",
)
"""Whole numbers that are neither patients nor responses."""

REQUIRED = table(
    r"(?P<sum_one>#) ?\+ ?(?P<sum_two>#) ?= ?(?P<sum>#)",
    r"(?P<n>#) ?/ ?\(?(?:# ?- ?)?§\)? ?= ?(?P<total>#)",
    r"§@15-> ?(?P<total>#)@P",
    r"[≥≤]?(?P<n1>#)@P[^#§~¶…]{0,25}\b(?:for|in|during) (?:the )?stage1 and (?:an )?additional",
    r"≥(?P<n>#)@P@15(?:will(?: have to)? be|are to be|have to be|must be|should be|would be|need to be|are|"
    r"is) (?:required|needed|necessary|enrolled|recruited|accrued)",
    r"(?:enrol\w*|recruit\w*|accru\w*|requires?|needs?|sample size of) [≥≤](?P<n>#)@P",
    r"≤(?P<n>#)@P@15(?:enrolled|recruited|accrued|included|treated|required)",
)
"""Numbers of patients that are called a minimum."""

BOUNDS = table(
    r"[≥≤<>](?P<bound>#) \w{0,12} ?/ ?(?P<of>#)",
    r"[≥≤<>](?P<bound>#)(?: ?\(or #\))?/(?P<of>#)",
    rf"[≥≤<>](?P<bound>#)(?: ?\(or #\))?(?: ?[(\[]?[\w'/-]+[)\]]?){{0,9}}? {_OF} (?P<of>#)",
    r"(?:first|total|all|of the|initial)(?: of)? (?P<of>#)@P?(?: [\w-]+){0,2}[, ]{1,3}(?:if )?[≥≤<>](?P<bound>#)",
    r"\b(?:if|when|should|unless|provided)\b[^#§~¶]{0,120}?[≥≤<>](?P<bound>#)(?!@P (?:will be|are) (?:enrolled|"
    r"required|needed|recruited))",
    rf"[≥≤<>](?P<bound>#)(?: [\w'-]+){{0,3}}? {_RESPONSES}",
    rf"{_RESPONSES}[^#§~…¶]{{0,30}}?[≥≤<>](?P<bound>#)",
    r"[≥≤<>](?P<bound>#)@P",
    r"[≥≤<>](?P<bound>#)(?= ?(?:[,;.)¶…]|$|(?:or|and|then|the|will|to|in|accrual|we)\b))",
)
"""Bounds of the decision rule, with the number of patients that they are of."""

SLASHES = table(
    r"\bupper limit (?:of|for)(?: the)? stage1 rejection[^#§~¶]{0,25}(?P<r1>#)",
    r"\bupper limit (?:of|for)(?: the)? (?:stage2|final) rejection[^#§~¶]{0,25}(?P<r>#)",
    r"\br1 ?/ ?n1@IS(?P<r1>#) ?/ ?(?P<n1>#)(?:@40\br ?/ ?n@IS(?P<r>#) ?/ ?(?P<n>#))?",
    r"\br ?/ ?n@IS(?P<r>#) ?/ ?(?P<n>#)",
    r"\br1@IS(?P<r1>#)",
    r"\br2?(?: ?= ?)(?P<r>#)",
)
"""Bounds written r/n."""

LOOKS = pattern(
    r"\((?P<looks>(?:#(?::#)?|:#)/#(?:[,;] ?(?:#(?::#)?|:#)/#){1,9})\)|\bdesign\b[^()§#¶…]{0,40}\((?P<single>#/#)\)|"
    r"(?<![\w/.#])(?P<bare>(?:#(?::#)?|:#)/#(?:[,;] ?(?:#(?::#)?|:#)/#){1,9})(?!\w)"
)
"""A whole rule, as simtrial writes it: (1/15, 5/25) or (3:7/15, 8/25)."""

SECOND = table(
    rf"{_N}(?P<n1>#)(?:@P)? in(?: the)? first,? (?:and )?(?P<n2>#)(?:@P)? in(?: the)? (?:stage2|second)",
    rf"\({_N}(?P<n1>#)(?:@P)?(?: in| during)?(?: the)? ?(?:stage1|… ?(?:stage|I)\b) and (?P<n2>#)",
    rf"{_N}(?P<n1>#)[^#§~¶]{{0,60}}?stage1,? (?:and )?(?P<n2>#)[^#§~¶]{{0,30}}?stage2",
    rf"\b(?:additional|further|another|extra)(?: of)? {_N}(?P<n2>#)(?! (?:weeks|months))",
    rf"{_N}(?P<n2>#)(?:@P)? ?\b(?:additional|further|more|extra|other)\b(?! than)",
    rf"{_N}(?P<n2>#)(?:@P)? (?:in|into|during|for|at)(?: the)? stage2",
    r"\bn2@IS(?P<n2>#)",
    r"stage2[^#§~¶…]{0,30}\(n ?= ?(?P<n2>#)",
    rf"stage2(?:(?!\b(?:total|(?<!up )to|until|stage1|of|overall|altogether|"
    rf"both)\b)[^#§~…¶]){{0,50}}? {_N}(?P<n2>#)@P",
)
"""Patients of the second stage alone."""

FIRST = table(
    rf"stage1:? ?(?:enrol\w*|accru\w*|treat\w*|includ\w*|recruit\w*) {_N}(?P<n1>#)(?! (?:weeks|months))",
    r"\bn1@IS(?P<n1>#)",
    r"stage1[^#§~¶…]{0,30}\bn ?= ?(?P<n1>#)",
    rf"stage1[^#§~¶]{{0,40}}?\buntil (?:a total of )?{_N}(?P<n1>#)@P",
    rf"stage1(?:(?!\b(?:stage2|total|additional|if|phase)\b)[^#§~…¶]){{0,70}}? {_N}(?P<n1>#)@P",
    rf"{_N}(?P<n1>#)@P?(?:(?!\b(?:total|stage2|additional|if)\b)[^#§~¶]){{0,50}}?\b(?:in|during|for|at|of|into|"
    rf"to)(?: the)? stage1",
    rf"\bfirst {_N}(?P<n1>#)",
    rf"\binitial(?:ly)?\b,?(?:(?!\b(?:to|total|expan\w*)\b)[^#§~…¶]){{0,35}} {_N}(?P<n1>#)@P",
    rf"{_N}(?P<n1>#)@P[^#§~…¶]{{0,30}}… ?stage(?:1|,)",
    rf"{_N}(?P<n1>#) or (?P<n>#)@P",
    rf"\binitial {_N}(?P<n1>#)",
    rf"{_N}(?P<n1>#)@P (?:will |are to |must |should )?(?:be )?(?:\w+ ){{0,2}}initially",
    rf"interim(?: (?:analysis|look|assessment|evaluation))?@60(?:after|when|on|of|at) (?:the first )?{_N}(?P<n1>#)@P",
    rf"\b(?:after|when|once) {_N}(?P<n1>#)@P@60\binterim\b",
)
"""Patients of the first stage."""

EXPANDED = table(
    rf"\b(?:continu|expan|accru|enrol|recruit|increas|extend|reach)\w*[^#§~¶]{{0,40}}?\b(?:to|until)(?: (?:a|"
    rf"the))?(?: (?:total|maximum|full))?(?: number)?(?: of| ≥)? ?{_N}(?P<expanded>#)(?! ?(?:weeks|months|years))",
)
"""Numbers of patients to which accrual continues."""

TOTAL = table(
    rf"\bsample of {_N}(?P<n>#)",
    rf"{_N}(?P<n>#)(?:@P)? (?:in|for|into) (?:the )?(?:arm|group|cohort|stratum) (?:[A-H]|#|I{{1,3}})\b",
    rf"{_N}(?P<n>#)(?:@P)? (?:per|in each|for each) (?:treatment )?(?:arm|group|cohort|stratum)",
    rf"{_N}(?P<n>#) ?(?:-|to) ?(?P<n_x2>#)@P",
    rf"\btotal (?:n ?= ?|sample size |number |accrual |enrol\w+ )?(?:of |is |will be |would be |: ?)?(?:@P(?: is|"
    rf" will be| would be| of)? ?)?(?:approximately |about |up to )?{_N}(?P<n>#)",
    rf"{_N}(?P<n>#)(?:@P)?,? (?:in )?(?:total|all|overall)\b",
    rf"\bsample size(?: \(N\))?(?: required)?@IS(?:of |is |required )?(?:approximately |about )?{_N}(?P<n>#)",
    rf"\bmaximum(?: sample size| number| accrual)?@20 {_N}(?P<n>#)",
    r"\bN ?[=:] ?(?P<n>#)",
    rf"{_N}(?P<n>#) (?:[\w-]+ )?(?:evaluable|assessable|informative)",
    rf"\b(?:evaluable|assessable) {_N}(?P<n>#)@P",
    rf"\bout of(?: the| a total of| all)? {_N}(?P<n>#)",
)
"""Numbers of patients of the whole trial."""

SOME = table(
    rf"[≥]?(?P<some>#)@P@15{_WILL}(?: \w+){{0,2}}? {_ENTER}",
    rf"\b{_ENTER}@25 {_N}(?P<some>#)@P",
    rf"\b(?:of|among|in|after|for)(?: the| all)? {_N}(?P<some>#)@P",
    rf"(?:level|power)(?: \([^()#§]{{1,30}}\))? is {_N}(?P<some>#)",
    rf"\b(?:set at|needs?|requires?|planned|with) {_N}(?P<some>#)@P",
    rf"{_N}(?P<some>#)@P",
)
"""Numbers of patients, of whatever."""
