"""The patterns for rates: alpha, power and dropout first, then the response rates under both hypotheses."""

from __future__ import annotations

from simtrial.review.section.patterns import table

_ALPHA = (
    r"(?:alpha[- ]?(?:errors?|level|risk|value)?(?: (?:rate|level|probability))?|type1 error(?: rates?|"
    r" probability| level| risk)?"
    r"|(?:nominal |statistical |overall )?significance levels?|levels? of (?:statistical )?significance"
    r"|false[- ]positive (?:error )?(?:rate|probability|risk|error))"
)
_BETA = (
    r"(?:beta[- ]?(?:errors?|level|risk)?(?: (?:rate|level|probability))?|type2 error(?: rates?| probability|"
    r" level| risk)?"
    r"|false[- ]negative (?:error )?(?:rate|probability|risk|error))"
)
_SIDED = r"(?:[ ,]{0,2}\(?(?:one-sided|two-sided)\)?,?)?"
_DROPOUT = (
    r"(?:drop(?:ped|ping)?[- ]?outs?|drop rate|attrition|lost to follow[- ]?up|loss(?:es)? to follow[- ]?up|"
    r"loss rate|losses|"
    r"non-?evaluab\w+|un-?evaluab\w+|inevaluab\w+|not (?:be )?(?:fully )?(?:evaluable|assessable)|invalidity|"
    r"invalid cases|"
    r"ineligib\w+|withdraw\w*|non-?assessable|unassessable|patients lost\b|lost (?:before|prior|to)|"
    r"early discontinuation|without (?:an? )?(?:response )?assessment)"
)
_NULL = (
    r"(?:(?:un|non-?)(?:interesting|acceptabl\w+|desirabl\w+|promising|favou?rable|satisfactory)|inactive|"
    r"ineffective|"
    r"insufficient\w*|inefficacy|not (?:be )?(?:considered )?(?:of (?:any )?(?:further )?(?:clinical )?interest|"
    r"interesting|effective|"
    r"promising|active|acceptable|worth\w*|sufficient\w*|efficacious|warrant\w*|merit\w*|clinically (?:meaningful|"
    r"relevant))|non-?effective|"
    r"(?:lack|absence) of (?:efficacy|activity|interest)|no (?:further |clinical )?(?:interest|activity|efficacy)|"
    r"too low|"
    r"rul(?:e|ing) out|lower activity|no[- ]interest|threshold (?:response )?(?:rate|value|proportion)|"
    r"poor (?:response|scenario|prognosis)|historical|futil\w+|poor (?:response )?(?:rate|level)|"
    r"preclude|would not (?:be )?(?:warrant|merit|justify|of interest)|discourag\w+|standard (?:of care|"
    r"therapy|treatment)|"
    r"reject the drug|minimum acceptable)"
)
_GOOD = (
    r"(?:(?<!not )(?<!un)(?<!non-)(?<!not clinically )(?<!not of )(?<!no )(?<!no further )(?<!any )(?<!of further )"
    r"(?:desirable|desired|promising|target(?:ed|ing)?|acceptable|auspicious|warrant(?:ed|s|ing)?\b|merits?\b|"
    r"justif(?:y|ies|ied|ying)\b|worth (?:\w+ly )?(?:finding|detecting|pursuing|developing|exploring|investigating|"
    r"studying|testing|further|of)\b|worthwhile|of interest|"
    r"interesting|clinically (?:meaningful|relevant|significant|important|worthwhile|interesting|beneficial)|"
    r"(?:considered|deem\w*|regarded as|declared) (?:to be )?(?:the (?:drug|therapy|treatment|"
    r"regimen) )?(?:clinically )?(?:as )?"
    r"(?:effective\w*|active|efficacious|successful)|deem the(?: [\w…]+){1,2} (?:active|effective)|"
    r"minimal efficacy|hop(?:e|ed|ing)|aim(?:s|ed|ing)?|goal|encouraging|favou?rable|good (?:response|scenario)|"
    r"successful))"
)
_STOP = (
    r"(?:(?!\b(?:and|while|whereas|but|versus|vs|against|compared|than|alternative|H1|p1|power|alpha|with|"
    r"although|however|differences?|reject\w*)\b)[^§~¶,]){0,%d}?"
)
_NEAR = _STOP % 60
_HYPOTHESIS = (
    r"(?:(?!\b(?:alternative|versus|vs|against|H1|p1|power|alpha|type1|reject\w*|termination|stopping|PET|expected|"
    r"levels?|differences?|curves|margin|standard deviation)\b)[^§~¶…]){0,%d}?(?:…[^§#~¶…]{0,40}?)?"
)
_ALTERNATIVE = r"(?:(?!\b(?:null|H0|p0|power|alpha|type1)\b)[^§~¶…]){0,%d}?(?:…[^§#~¶…]{0,40}?)?"

_INTERVAL = r"\b(?:CIs?|confidence|credible|intervals?|limits?|rang(?:e|es|ed|ing))\b"
_CHANGED = r"\b(?:increas|improv|rais|ris|chang|H[01]|p[01]|null|hypothes|alternative|detect|differ|power)"
_OF_INTERVAL = rf"(?:(?!{_CHANGED})[^¶…]){{0,120}}?"
_CHANGE = r"\b(?:increas|improv|rais|chang|shift|gain|doubl|tripl|differ|detect|H[01]\b|p[01]\b|null|hypothes)\w*"

NO_RESPONSE_RATES = table(
    # the limits of an interval and the ends of any range, before whatever else might claim them
    rf"{_INTERVAL}{_OF_INTERVAL}\b(?:from|between)@25(?P<other>§) ?(?:to|onto|and|-|,) ?(?P<other_x2>§)"
    r"(?:[^§¶…]{0,60}§?[^§¶…]{0,60}\b(?:from|between)@25(?P<other_x3>§) ?(?:to|onto|and|-|,) ?(?P<other_x4>§))?",
    rf"\bCIs?\b{_OF_INTERVAL}\b(?:is|are|of|being|=)@25(?P<other>§) ?(?:to|onto|-|,) ?(?P<other_x2>§)",
    rf"{_INTERVAL}{_OF_INTERVAL}[(\[](?P<other>§) ?(?:to|onto|and|-|[,;]) ?(?P<other_x2>§)[)\]]",
    rf"\b(?:from|between)@25(?P<other>§) ?(?:to|onto|and|-) ?(?P<other_x2>§)@12§?[ -]?@15{_INTERVAL}",
    r"\bobserved(?: [\w-]+){0,3} (?:rate|ORR|RR|proportion)s? of (?P<other>§)[^¶…]{0,80}?\b(?:CIs?|confidence|"
    r"credible|interval)",
    r"(?:CIs?|confidence|credible|interval)\b@40\bobserved(?: [\w-]+){0,3} (?:rate|ORR|RR|proportion)s? "
    r"of (?P<other>§)",
    r"\bPET ?\(p1\)@IS(?P<other>§)",
    r"(?P<other>§)(?:[- ]+[\w()-]+){0,4}?[- ]+(?:confidence|credible|prediction|CIs?\b|(?:upper|"
    r"lower)(?: confidence)? (?:bound|limit)|limit)",
    r"(?:confidence (?:level|limit|coefficient)|level of confidence)@15(?P<other>§)",
    r"\bCI\b[ ,:=(\[]{0,4}(?P<other>§)(?: ?(?:-|to|,|;|and) ?(?P<other_x2>§))?",
    r"(?P<other>§)(?: or (?:more|greater))? (?:absolute )?(?:decreases?|reductions?|declines?|shrinkage|decline|"
    r"drop) ?(?:in|of|from)",
    r"(?:reduction|decrease|decline|shrinkage|difference|margin|delta|effect size|increment|width|precision|"
    r"half-width)s?(?: of| =| is)@12(?:±|\+/-)? ?(?P<other>§)",
    r"(?P<other>§) (?:absolute |relative )?(?:difference|increment|margin)",
    r"(?:increase|improvement|gain)s? (?:of|by)@12(?P<other>§)(?! ?(?:\(?p1|response rate))",
    r"(?:±|\+/-) ?(?P<other>§)",
    r"\b(?:PP|predictive (?:probability|power))@20@C(?P<other>§)",
    r"(?<!p0 )(?<!p1 )(?<!H0 )(?<!H1 )(?<!hypothesis )(?<!null )(?<!alternative )\((?P<other>§)\)",
    r"\bp1 ?- ?p0\)?@IS(?P<other>§)",
    r"(?P<other>§) (?:of (?:the )?(?:screened|cells|tumou?r cells|dose|planned dose)|screen(?:ing)?[- ]fail)",
    r"(?:screen(?:ing)?[- ](?:failures?(?: rate)?|success)|PD-L1|TPS|CPS|tumou?r content)@25(?P<other>§)",
)
"""Rates that are none of the ten elements: levels of confidence, differences, changes of a tumour."""

_AMONG = r"(?: among all (?:enrolled )?patients)?(?: \((?P<other_%(x)s>§) of (?:the )?evaluable (?:ones|patients)\))?"

AS_RUN = table(
    r"\bits (?:type1 error|power) of (?P<other>§)@20(?:>|reaches|falls short of|is within|) ?(?P<other_x2>§)",
    r"(?P<other>§),? dropout included",
    r"(?P<dropout>§) of the patients dropping out[^§…¶]{0,200}type1 error is (?P<other>§)[^§…¶]{0,90}power is "
    r"(?P<other_x2>§)",
    r"(?:if every patient were evaluable|with every patient evaluable)[^§…¶]{0,40}type1 error@40 (?P<other>§)"
    r"(?:[^§…¶]{0,20}power (?P<other_x2>§))?",
    rf"\bsearched (?:for|at|with) (?:a |the )?response rates? of (?P<searched_p0>§){_AMONG % {'x': 'x1'}} under "
    r"(?:the )?(?:H0|null(?: hypothesis)?) and "
    rf"(?:of |at )?(?P<searched_p1>§){_AMONG % {'x': 'x2'}} under (?:the alternative|H1)",
    r"(?:drop-?out|dropping out|non-?respon\w+|evaluable|attrition)[^¶…]{0,120}?\b(?:searched|(?:calculated|computed|"
    r"determined)(?= (?:for|at|with)(?: the)? (?:reduced|lower|diluted|adjusted|effective|resulting)))"
    r" (?:for|at|with)(?: (?:the|an?|reduced|lower|diluted|adjusted|effective|resulting|true|response|ORR|rates?)){0,4}"
    r"(?: of)? (?P<searched_p0>§)(?: \((?:p0|H0|null)\)| under (?:H0|the null(?: hypothesis)?))?"
    r" (?:and|against|versus|vs\.?)(?: of| at)? (?P<searched_p1>§)",
)
"""Errors under an assumption about the conduct, which are no limits, and the rates at which a design was searched."""

ERRORS = table(
    r"\b(?:PET|early (?:termination|stopping))(?: (?:under|at|for|if|given))?(?: the)? ?\(?p0 ?(?:=|:|is|of) ?(?P<p0>§)"
    r"\)?@IS(?P<pet_p0>§)",
    r"(?:\bPET\b|\b(?:probability|chance) of (?:an )?early (?:termination|stopping)|\bprobability of (?:stopping|"
    r"terminat\w+) early)(?: ?\(PET\))?(?: ?\((?:p0|H0)\)| ?(?:\(?(?:under|at|for|if|given|with) (?:the )?(?:p0|H0|"
    r"null(?: hypothesis)?)\)?))?@IS(?P<pet_p0>§)",
    r"(?:exact|actual|attained|achieved|real|computed|calculated|resulting)(?: one-sided)? (?:type1 error(?: rate)"
    r"?|alpha|significance level)@(@IS(?P<type_i_error>§)",
    r"(?:exact|actual|attained|achieved|real|computed|resulting)(?: statistical)? power@(@IS(?P<attained_power>§)",
    rf"{_ALPHA}(?: \(alpha\))?,? ?(?:and|/|,|&) ?{_BETA}(?: \(beta\))?@(@IS(?P<alpha>§) ?(?:,|and|/|"
    rf";)(?: of)? ?(?P<beta>§)",
    r"(?:type12 error|alpha (?:and|/) beta)[\w ]{0,30}?@(@IS(?:each )?(?P<alpha>§) ?(?:,|and|"
    r"/)(?: of)? ?(?P<beta>§)",
    rf"(?:type12 error|alpha (?:and|/) beta|{_ALPHA} and {_BETA})[\w ]{{0,30}}?@(@IS(?P<both>§)",
    r"alpha ?= ?beta ?= ?(?P<both>§)",
    rf"{_ALPHA} and (?:the )?(?:statistical )?power[\w ]{{0,20}}?@IS(?P<alpha>§) and (?P<power>§)",
    # of the program PS: "the type I error probability associated with this test of this null hypothesis is 0.05"
    rf"{_ALPHA}[^§~¶…]{{0,30}}associated with[^§~¶…]{{0,100}}?\b(?:is|are|will be|of) (?P<alpha>§)",
    rf"{_ALPHA} (?:to|for|of|in) (?:reject\w*|test\w*|the test)[^§~¶…]{{0,60}}?\b(?:is|are|will be|of) (?P<alpha>§)",
    r"(?P<alpha>§),? \(?(?:the )?probability of (?:falsely |erroneously )?reject\w* (?:the )?(?:null|H0)",
    r"\breject\w*[^§~¶…]{0,30}\bp(?:-value)? ?[<≤] ?(?P<alpha>§)",
    r"\bpower from (?P<other>§) (?:to|onto) (?P<other_x2>§)",
    # Greek letters lost in a copy: "Using and errors of 0.10 and 0.10", "a probability of error of 5%"
    r"(?<!type1 )(?<!type2 )(?<!alpha )(?<!beta )\band errors?(?: rates?|"
    r" probabilities)? of (?P<alpha>§) and (?P<beta>§)",
    r"\b(?:given|using|with|for|assuming) and errors?(?: rates?| probabilities)? of (?P<both>§)",
    r"(?<!type2 )(?<!beta )\bprobability of error of (?P<alpha>§),? (?:and |with )?(?:a )?power of (?P<power>§)",
    r"power of (?P<power>§),? (?:and )?p ?= ?(?P<alpha>§)",
    rf"{_ALPHA}, ?= ?(?P<alpha>§)",
    r"\bpower,? ?\(# ?-? ?\) ?= ?(?P<power>§)",
    r"\ban? a ?= ?(?P<alpha>§)",
    r"probability(?: of)? (?P<alpha>§) (?:of|for)(?: accepting| …)(?: (?:the|a|ineffective|poor))? ?(?:drugs?|"
    r"treatments?|therap\w+|regimens?)(?: that (?:is|are))? worse than p0",
    r"probability(?: of)? (?P<beta>§) (?:of|for)(?: rejecting| …)(?: (?:the|a|good|effective))? ?(?:drugs?|"
    r"treatments?|therap\w+|regimens?)(?: that (?:is|are))? better than p1",
    # the name, then the value
    rf"{_ALPHA}{_SIDED}(?: (?:for|of) (?:this|the) [\w-]+)?@(\)?{_SIDED}@IS@C{_SIDED}@IS@C(?P<alpha>§)(?! "
    rf"?(?:statistical )?power(?!@IS@C§))",
    rf"(?<!\w){_BETA}@(\)?@IS@C(?P<beta>§)(?! ?(?:statistical )?power\b)",
    rf"\bpower(?: (?:at|under|for|if) (?:p1|H1|the alternative(?: hypothesis)?)|"
    rf" level)?@(\)?(?: power)?@IS@C(?P<power>§)(?! ?(?:{_ALPHA}(?!@(@IS@C§)|(?:one-sided|"
    rf"two-sided) {_ALPHA}(?!@(@IS@C§)))",
    # the value, then the name
    r"(?P<power>§)(?: or (?:more|greater|higher))? ?(?:statistical |study |nominal )?(?:power\b(?! ?(?:=|:|of|"
    r"is) ?@C§)|\(power\))",
    r"[(;,] ?(?:with )?power[,;] (?P<power>§)(?= ?[;,)])",
    r"[(;,] ?alpha[,;] (?P<alpha>§)(?= ?[;,)])",
    r"(?P<power>§) \(beta ?= ?(?P<beta>§)\) power",
    rf"(?P<alpha>§){_SIDED} ?(?:nominal |overall |statistical )?(?:{_ALPHA}(?!{_SIDED}@((?: ?(?:=|:|of|is))? ?@C§)|"
    rf"\(alpha\b(?!@(@IS{_SIDED}@IS@C§))",
    rf"(?P<beta>§) ?\(?{_BETA}(?!@((?: ?(?:=|:|of|is))? ?@C§)",
    rf"{_ALPHA} to (?P<alpha>§)",
    rf"{_BETA} to (?P<beta>§)",
    r"\bat (?:a |an |the )?(?:one-sided|two-sided) level of (?P<alpha>§)",
    r"\bat (?:a |an |the )?(?:one-sided |two-sided )?(?P<alpha>§)(?:,? \(?(?:one-sided|"
    r"two-sided)\)?)? (?:significance )?level",
    r"(?:level|significant)(?: of|:| at)?(?: the)? @C(?P<alpha>§),? \(?(?:one-sided|two-sided)\b",
    r"significan(?:t|ce)(?: if| at| when| level)?@12\bp(?:-value)? ?[<≤=] ?(?P<alpha>§)",
    r"(?:one-sided|two-sided)(?: exact)?(?: binomial)? test(?: at| with| of)?@IS(?P<alpha>§)",
    r"(?P<power>§) (?:chance|probability|likelihood) of (?:detecting|correctly (?:detecting|concluding|declaring|"
    r"identifying)|rejecting (?:the null|H0)@30(?:if|when) the true)",
)
"""Alpha, beta and power, and their attained values where they are called so."""

LOOSE_ERRORS = table(
    r"\b(?:one-sided|two-sided) (?P<alpha>§)(?=[,;)¶.]| and)",
)
"""A level without its name."""

DROPOUTS = table(
    rf"(?P<dropout>§)(?:(?!\b(?:power|response rate|alpha)\b)[^§#~…¶]){{0,45}}?{_DROPOUT}",
    rf"{_DROPOUT}(?: (?:rate|ratio|proportion|probability|percentage|of patients|patients))?@(,?(?: (?:is|"
    rf"was) (?:estimated|expected|anticipated|assumed)(?: to be| at)?)?@IS@C(?P<dropout>§)",
    rf"{_DROPOUT}(?: rate)?,?@25(?: of | at | by |\(|is |be )(?:approximately |about |up to |"
    rf"maximum )?(?P<dropout>§)",
    r"(?:inflat\w+|increas\w+|enlarg\w+|over-?(?:enrol\w*|recruit\w*|accru\w*)) (?:the sample size |"
    r"the number of patients )?(?:by|of)@15(?P<dropout>§)@40(?:account|allow|compensat|dropout|drop-out|loss|"
    r"evaluable)",
)
"""Dropout and other patients who cannot be evaluated."""

PROBABILITIES = table(
    r"(?:PET\b|probability of (?:an )?early (?:termination|stopping))@(@60@IS(?P<pet_p0>§)",
    r"(?P<other>§)(?: \w+){0,1} (?:probability|chance|likelihood|risk|sure|certain)",
    r"(?:probability|chance|likelihood|risk)@40(?:of|is|=|at)@8(?P<other>§)",
    r"(?:probability|chance)@IS(?P<other>§)",
)
"""Other probabilities."""

STATED = table(
    r"(?P<p0>§) ?\(p0\)",
    r"(?P<p1>§) ?\(p1\)",
    r"\bp0@(@IS@C(?P<p0>§)(?: and| versus| vs\.?|,)? ?@C\(?p1@(@IS@C(?P<p1>§)",
    r"\bp0(?!\))@([,;:]?@IS@C(?P<p0>§)",
    r"\bp1(?!\))@([,;:]?@IS@C(?P<p1>§)",
    r"(?<!PET)(?<!PET )(?<!EN)(?<!EN )\(p0\)@IS@C(?P<p0>§)",
    r"(?<!PET)(?<!PET )(?<!EN)(?<!EN )\(p1\)@IS@C(?P<p1>§)",
    r"(?P<p0>§)[^§~…¶]{0,60}?(?<!\w)\(p0\)",
    r"(?P<p1>§)[^§~…¶]{0,60}?(?<!\w)\(p1\)",
    r"(?P<p0>§)(?: [\w-]+){0,3} ?\(p0 ?[=≤] ?(?P<p0_x2>§)\)",
    r"\bp0\b[^§~¶…(]{0,50}?\b(?:of|to|is) (?P<p0>§)",
    r"\bp1\b[^§~¶…(]{0,50}?\b(?:of|to|is) (?P<p1>§)",
    r"\bp0\b(?: [\w-]+){0,5} \(?(?P<p0>§)",
    r"\bp1\b(?: [\w-]+){0,5} \(?(?P<p1>§)",
    r"\bp0\)@40(?:is|of|was|=)@12@C(?P<p0>§)",
    r"\bp1\)@40(?:is|of|was|=)@12@C(?P<p1>§)",
)
"""Response rates with their symbols."""

_BEHIND = r"(?!(?: hypothes[ie]s)?\)[,;]? (?:and|while|whereas|but)\b)"
"""No bracket that ends with the name of a hypothesis and has its rate before it: what follows is another rate."""

HYPOTHESES = table(
    r"(?P<p0>§)@60\((?:the )?(?:H0|null(?: hypothesis)?)\)",
    r"(?P<p1>§)@60\((?:the )?(?:H1|alternative(?: hypothesis)?)\)",
    r"\bH0 ?/ ?H1@IS(?P<p0>§) ?/ ?(?P<p1>§)",
    r"\bp0 ?/ ?p1@IS(?P<p0>§) ?/ ?(?P<p1>§)",
    r"(?P<p0>§)@40 (?:as|is|for|under|being) (?:the |our )?(?:null|H0)\b",
    r"(?P<p1>§)@40 (?:as|is|for|under|being) (?:the |our |an )?(?:alternative|H1)\b",
    r"\bnull and (?:the )?alternative[^§~¶…]{0,80}?(?P<p0>§) (?:and|vs\.?|versus|or) (?P<p1>§)",
    r"\bH0 and H1[^§~¶…]{0,60}?(?P<p0>§) (?:and|vs\.?|versus) (?P<p1>§)",
    r"(?P<p0>§)@(,? (?:which|what|this)@12 (?:our |the )?(?:expected )?(?:H0|null)",
    r"(?P<p1>§)@(,? (?:which|what|this)@12 (?:our |the )?(?:expected )?(?:H1|alternative)",
    rf"\b(?:H0|null(?: hypothes[ie]s)?)\b{_HYPOTHESIS % 90}@C(?P<p0>§),?(?: (?:is|are|will be) tested)? (?:versus|"
    r"vs\.?|against)(?! H1| p1)"
    r"(?: (?:an?|the))?(?: [a-z-]+){0,4}? ?@C(?P<p1>§)",
    rf"\bH0\b{_BEHIND}{_HYPOTHESIS % 110}@C(?P<p0>§)",
    rf"\bnull hypothes[ie]s{_BEHIND}{_HYPOTHESIS % 140}@C(?P<p0>§)",
    rf"\bH1\b{_BEHIND}{_ALTERNATIVE % 110}@C(?P<p1>§)",
    rf"\balternative{_BEHIND}(?: hypothes[ie]s)?{_ALTERNATIVE % 140}@C(?P<p1>§)",
    r"\bnull (?:response |ORR |success )?(?:rate|proportion)@30@C(?P<p0>§)",
    rf"\bnull\b(?! (?:hypothes|and)){_HYPOTHESIS % 60}@C(?P<p0>§)",
)
"""Response rates with the name of their hypothesis."""

_RATE_BETWEEN = r"(?:(?!\b(?:power|alpha|confidence)\b)[^§~…¶]){0,90}?"
PAIRS = table(
    r"\b(?:rate|ORR|RR|proportion)@10 of (?P<p1>§),? (?:compared (?:to|with)|versus|vs\.?|against|"
    r"over)[^§~¶…]{0,40}?\bhistorical[^§~¶…]{0,40}?(?P<p0>§)",
    rf"\bpower(?:(?: of)? §)? (?:for|to detect|to show|to demonstrate){_STOP % 60}(?P<first>§)[^§~…¶]{{0,"
    rf"30}}?\b(?:versus|vs\.?|compared (?:with|to)|against|rather than){_STOP % 60}(?P<second>§)",
    rf"(?:distinguish|discriminat|differentiat)\w*{_RATE_BETWEEN}(?P<p0>§){_RATE_BETWEEN}\b(?:from|and|versus|"
    rf"vs)\b{_RATE_BETWEEN}(?P<p1>§)",
    rf"(?:rule out|reject|exclude)\b{_RATE_BETWEEN}(?P<p0>§){_RATE_BETWEEN}in favou?r of{_RATE_BETWEEN}(?P<p1>§)",
    rf"\b(?:increas|improv|rais|ris|chang)\w*{_RATE_BETWEEN}\bfrom{_STOP % 30}(?P<p0>§)[^§#~…¶]{{0,30}}?\b(?:to|"
    rf"onto){_STOP % 30}(?P<p1>§)",
    rf"{_CHANGE}[^§~…¶]{{0,90}}?\bfrom(?: [a-z-]+){{0,3}} (?P<p0>§) (?:to|onto) (?P<p1>§)",
    r"\bpower\b[^~…¶]{0,90}?\bfrom(?: [a-z-]+){0,3} (?P<p0>§) (?:to|onto) (?P<p1>§)",
    rf"\bfrom(?: [a-z-]+){{0,3}} (?P<p0>§) (?:to|onto) (?P<p1>§)@40{_CHANGE}",
    rf"≤(?P<p0>§)[^§#~…¶]{{0,60}}?(?:versus|vs\.?|against|compared (?:to|with)|and){_STOP % 60}≥(?P<p1>§)",
    r"≥(?P<p1>§)[^§#~…¶]{0,60}?(?:versus|vs\.?|against|compared (?:to|with)|and)@40[<≤](?P<p0>§)",
)
"""Two response rates in one phrase."""

WORDED = table(
    rf"\bpower(?:(?: of)? §)? (?:at|if|when|for|under|assuming)\b{_STOP % 60}@C(?P<p1>§)",
    rf"{_NULL}{_NEAR}@C(?P<p0>§)(?: onto (?P<p0_x2>§))?(?!@40{_GOOD})",
    rf"{_NULL}{_STOP % 80},? ?\b(?:if|when|unless|should)\b{_STOP % 80}@C(?P<p0>§)",
    rf"(?P<p0>§){_NEAR}{_NULL}",
    rf"(?P<p1>§)(?! of (?:the )?target){_NEAR}{_GOOD}",
    rf"(?:{_GOOD}|high (?:response )?rate){_NEAR}@C(?P<p1>§)",
    rf"(?:true|expected|anticipated|assum\w+|alternative|predicted){_STOP % 40}(?:response rate|ORR|RR|rate|"
    rf"proportion|probability|efficacy)@40@C(?P<p1>§)",
    rf"(?:detect\w*|demonstrat(?:e|es|ing)\b|show(?:s|ing)?\b){_STOP % 60}@C(?P<p1>§)",
    rf"(?:expect|anticipat|hypothesi[sz])\w*{_STOP % 60}@C(?P<p1>§)",
    r"\b(?:expected|anticipated|hypothesi[sz]ed)\b[^§~¶…]{0,120}?\b(?:would be|will be|is|to be) (?P<p1>§)",
    rf"in favou?r of{_STOP % 60}@C(?P<p1>§)",
    r"(?:efficacy|activity) of ≥(?P<p1>§)",
)
"""Response rates that are called promising or uninteresting, without a symbol."""
