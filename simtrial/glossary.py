"""The glossary: every name that stands in a table, a caption or a control, with what it means, in one place.

Tables and figures take their headings from here, and the report and the explorer show the same lines as a page and
as tooltips. A name that is explained here is explained nowhere else in other words. One module, because it is one list.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One name and what it means.

    Attributes
    ----------
    head : str
        As it heads a column or a row.
    meaning : str
        One sentence or two, for somebody who is no statistician; empty for a plain word that needs none.
    """

    head: str
    meaning: str = ""


DESIGN = {
    "p0": Term(
        "p0", "The response rate not worth pursuing: the null hypothesis H0 is that the true rate is at most p0."
    ),
    "p1": Term("p1", "The response rate worth finding, at which the power is required (the alternative)."),
    "p": Term("True rate p", "A true response rate for which a figure is computed."),
    "alpha": Term("alpha", "The limit of the type I error, one-sided."),
    "type_i_error": Term(
        "Type I error",
        "The probability that H0 is rejected although the true response rate is p0: a treatment not worth pursuing is "
        "declared a success.",
    ),
    "power": Term("Power", "The probability that H0 is rejected if the true response rate is p1."),
    "reject": Term("P(reject H0)", "The probability that H0 is rejected at a true response rate."),
    "design": Term("Design", "The rule of the trial: how many patients at each look, and what is decided there."),
    "looks": Term(
        "Looks (r/n)",
        "The decision rule, look by look: at most r responses in n patients stop the trial for futility or, at the "
        "last look, do not reject H0; more than r continue, or reject it. In r:e/n "
        "at least e responses reject H0 at once.",
    ),
    "n": Term("n", "The number of patients at the final analysis, if the trial is not stopped before."),
    "n1": Term("n1", "The number of patients at the interim analysis, the first look."),
    "en_p0": Term("EN(p0)", "The expected sample size, its mean over many trials, if the true response rate is p0."),
    "en_p1": Term("EN(p1)", "The expected sample size, its mean over many trials, if the true response rate is p1."),
    "en_max": Term(
        "Largest EN",
        "The largest expected sample size at any true response rate: what a trial needs on average at most.",
    ),
    "prior_believed": Term(
        "Prior",
        "What is believed of the response rate before the trial, as a beta distribution with two numbers a and b: its "
        "mean is a / (a + b), and it weighs as much as a + b patients.",
    ),
    "certificate": Term(
        "Certificate",
        "Whether it is proved that no other design of the family is better by the same criterion; if not, how much "
        "better one could be.",
    ),
    "looks_number": Term("Number of looks", "How many analyses the design has, the final one included."),
    "reached_p0": Term("Reached at p0", "The probability that the trial reaches a look if the true rate is p0."),
    "reached_p1": Term("Reached at p1", "The probability that the trial reaches a look if the true rate is p1."),
    "en": Term("EN(p)", "The expected sample size, its mean over many trials, at a true response rate."),
    "pet_p0": Term("PET(p0)", "The probability of early termination: of stopping before the last look, at p0."),
    "pet_p1": Term("PET(p1)", "The probability of early termination: of stopping before the last look, at p1."),
    "pet_responses_p0": Term(
        "PET(p0) (by responses)",
        "The probability, at p0, that the trial stops before its last look because of the responses; a stop for "
        "toxicity is not counted.",
    ),
    "pet": Term("PET(p)", "The probability of early termination: of stopping before the last look, at a true rate."),
    "toxicity_stopped": Term(
        "P(stop for toxicity)",
        "The probability that the trial is stopped because the boundary for toxicity is crossed, before its decision.",
    ),
    "look": Term("Look", "An analysis at which the trial may stop; all but the last are interim analyses."),
    "minimax": Term("Minimax", "The two-stage design with the smallest n of those that meet both limits."),
    "optimal": Term("Optimal", "The two-stage design with the smallest EN(p0) of those that meet both limits."),
    "admissible": Term(
        "Admissible",
        "A two-stage design that meets both limits and has the smallest weighted mean of n and EN(p0), for some weight "
        "from 0 to 1.",
    ),
    "exact": Term("Exact", "Computed as a sum or an integral, without simulation."),
    "weights": Term(
        "Weights q",
        "The weights q from 0 to 1 at which no design that meets both limits has a smaller q n + (1 - q) EN(p0).",
    ),
    "apart": Term("Distance", "By how many patients the sizes of a design differ from those of the chosen design."),
    "ends_at": Term("P(N)", "The probability that the trial ends with this number of patients, N."),
    "rejects_above": Term("Rejects H0 if X >", "H0 is rejected if more than this many patients respond."),
    "analysed": Term("Patients analysed", "The number of patients at the analysis."),
    "responses": Term("Responses", "Patients with a complete or partial response, confirmed where the protocol asks."),
    "futile_up_to": Term("Stop for futility if X <=", "With at most this many responses the trial stops for futility."),
    "continues_with": Term(
        "Continue if X is", "The numbers of responses with which the trial continues to the next look."
    ),
    "effective_from": Term(
        "Reject H0 if X >=", "With at least this many responses H0 is rejected, and the trial stops at this look."
    ),
    "x1": Term("Responses X1", "The number of responses among the patients of the first stage."),
    "x1_chance": Term("P(X1)", "The probability of these numbers of responses in the first stage, at a true rate."),
    "n2": Term("n2", "The number of patients of the second stage."),
    "n_then": Term("n at the end", "The number of patients with which the trial ends, in both stages."),
    "conditional_error": Term(
        "P(reject H0 | X1)",
        "The probability that H0 will be rejected, given the responses of the first stage: at p0 the conditional type "
        "I error, at p1 the conditional power.",
    ),
    "reached": Term("P(look reached)", "The probability that the trial comes to this look."),
    "stops_futile": Term(
        "P(futility)",
        "The probability that the trial stops for futility at this look; at the last look, that it does not reject H0.",
    ),
    "stops_effective": Term("P(H0 rejected here)", "The probability that the trial ends at this look and rejects H0."),
    "observed": Term("Observed rate", "Responses divided by the patients analysed."),
    "decision": Term("Decision", "What follows from the number of responses."),
    "formula": Term("Formula", "A textbook formula for the sample size, based on a normal approximation."),
    "verdict": Term("Verdict", "Whether both limits are met, by the exact probabilities."),
    "proves": Term("What it proves"),
}
"""Designs and what they attain."""

CONDUCT = {
    "evaluable": Term("Evaluable", "Patients with a response assessment."),
    "dropout": Term(
        "Dropout",
        "Patients who leave the trial before their first assessment, so that their response is never known.",
    ),
    "enrolled": Term("Patients enrolled", "All who enter the trial, evaluable or not."),
    "as_run": Term(
        "As run", "With the enrollment, assessments and dropout that are assumed; the opposite of on paper."
    ),
    "on_paper": Term("On paper", "As if every patient were evaluable and nothing took time."),
    "hold": Term("Hold", "No patient is enrolled between the last patient of a look and the decision."),
    "overrun": Term(
        "Overrun",
        "Patients enrolled while a look is pending, in a trial that then stops: their responses do not enter "
        "the decision.",
    ),
    "threshold": Term(
        "Continue if P(X1 > r1) >=",
        "The least predictive probability of more than r1 responses at which the trial continues.",
    ),
    "enough": Term("P(enough evaluable)", "The probability that at least n of the enrolled patients are evaluable."),
    "at_p0": Term("At p0", "If the true response rate is p0."),
    "at_p1": Term("At p1", "If the true response rate is p1."),
    "limit": Term("Limit", "What is required of the type I error or the power."),
    "mcse": Term(
        "MCSE",
        "Monte Carlo standard error: the accuracy of a simulated figure. In about 19 of 20 simulations the exact value "
        "lies within 2 of them.",
    ),
    "lever": Term(
        "Assumption",
        "What is assumed about the conduct of the trial and could be changed: by the protocol or by the sites.",
    ),
    "lever_kind": Term(
        "Set by",
        "Who could change an assumption: a time that the protocol lays down, a rule of the trial, or a fact of the "
        "sites and their patients.",
    ),
    "assumed": Term("As assumed", "The setting of the parameter file."),
    "instead": Term("Instead", "The setting that replaces it in the comparison."),
    "months_saved": Term(
        "Months saved", "Months by which the primary decision comes earlier; negative if it comes later."
    ),
    "hold_saved": Term("Hold shorter by", "Months by which the hold of accrual at the interim analyses is shorter."),
    "power_gained": Term("Power gained", "By how much the power rises; negative if it falls."),
    "type_i_error_added": Term("Type I error added", "By how much the type I error rises; negative if it falls."),
    "months_to_interim": Term(
        "Months to the interim analysis", "From the first day of accrual to the first interim look."
    ),
    "end_month": Term(
        "Months to the end", "From the first day of accrual to the last contact with the patient followed longest."
    ),
    "beyond_futility": Term(
        "Patients beyond futility",
        "Patients enrolled after the one whose response status settles that H0 is not rejected, even if every later "
        "patient responds: they can no longer change the conclusion. Patients are counted in the order of enrollment, "
        "as if each status were known at once.",
    ),
    "cost": Term("Expected cost", "What the trial is expected to cost at the prices of the parameter file."),
    "scenario": Term("True rate", "The true response rate of the trial: p0, p1 or one of the parameter file."),
    "accrual_pending": Term(
        "Accrual at the interim analysis", "What accrual does while an interim analysis is pending."
    ),
    "decided_when": Term("An analysis decides when", "What an analysis waits for before its decision is taken."),
    "changed_to": Term("Changed to", "The setting of the assumption in place of the one planned."),
    "simulated_mean": Term("Simulated mean", "The mean of the simulated trials in which the outcome applies."),
    "z": Term("z", "The distance of the simulated mean from the exact value, in Monte Carlo standard errors."),
    "quantile": Term("Quantile", "The value that this share of the simulated trials does not exceed."),
    "limits_where": Term(
        "Limits hold", "Where the design keeps alpha and power: on paper, or as the trial is run, dropout included."
    ),
    "keeps": Term("Keeps both limits as run", "Whether type I error and power keep their limits under the dropout."),
    "event": Term("Event", "What is to happen by a date."),
    "probability": Term("Probability"),
    "responders": Term("Responders", "Patients with a complete or partial response."),
    "orr": Term("ORR", "Objective response rate: responders divided by all patients."),
    "dcr": Term("DCR", "Disease control rate: patients with a response or stable disease, divided by all patients."),
    "median_pfs": Term("Median PFS", "The time by which half of the patients have progressed or died."),
    "median_os": Term("Median OS", "The time by which half of the patients have died."),
    "interval_95": Term(
        "95% interval", "The response rates that are compatible with the observed number of responses."
    ),
    "more_enrolled": Term("More patients", "By how many patients the expected enrollment grows; negative if it falls."),
    "about": Term(
        "Evidence of",
        "What an earlier result is evidence of: p0 (the treatments that p0 stands for), p1 (the rate hoped for), or "
        "neither.",
    ),
    "pooled": Term("Pooled", "Whether an earlier result is one of those that are pooled as the history of p0."),
    "pooled_remark": Term(
        "Remark", "How the number of responders was derived from a percentage, or why a result is not pooled."
    ),
    "maximum_likelihood": Term(
        "By maximum likelihood",
        "With the mean and the variation between studies under which the observed results are most probable, taken as "
        "if they were known exactly.",
    ),
    "by_prior": Term(
        "By the stated prior",
        "Averaged over every mean and every variation between studies, in proportion to how plausible the observed "
        "results and the stated prior distribution make them.",
    ),
    "by_flat_prior": Term(
        "By a uniform prior",
        "As by the stated prior, with every correlation from 0 to 1 equally plausible beforehand: a check of how much "
        "depends on the prior.",
    ),
    "true_rate_mean": Term("Mean of the true rates", "The mean, over studies, of their true response rates."),
    "between_sd": Term(
        "Standard deviation between studies", "How much the true response rates differ from one study to another."
    ),
    "rho": Term(
        "rho", "The correlation of the responses of two patients of one study; 0 if all studies have one rate."
    ),
    "true_rate_interval": Term(
        "95% prediction interval",
        "The interval in which the true response rate of a new study lies with probability 95%.",
    ),
    "above_p0": Term(
        "P(true rate > p0)", "The probability that the true response rate of the treatments p0 stands for exceeds p0."
    ),
    "averaged_error": Term(
        "Average P(reject H0)",
        "The probability that a treatment no better than those p0 stands for is declared a success, averaged over "
        "their true response rate.",
    ),
    "averaged_error_below": Term(
        "Part from true rates up to p0", "What true response rates of at most p0 contribute to this average."
    ),
    "above_largest": Term(
        "P(type I error > alpha)",
        "The probability that the true response rate is so high that a treatment no better is declared a success with "
        "a probability above alpha.",
    ),
    "true_rate_of": Term("If the true rate is", "A true response rate of the treatments that p0 stands for."),
    "attribute": Term(
        "Attribute", "One of the five parts that define what a trial estimates (its estimand, ICH E9(R1))."
    ),
    "intercurrent_event": Term(
        "Intercurrent event",
        "An event before the first assessment that prevents the assessment of the response or changes its meaning.",
    ),
    "strategy": Term(
        "Strategy",
        "How a patient with an intercurrent event counts. Composite: as a non-responder. Excluded: not at all. "
        "Replaced: a new patient is enrolled instead. Hypothetical: by the response that would have been observed "
        "without the event.",
    ),
    "enrolled_to_last": Term(
        "Enrolled to the last look",
        "The number of patients who are enrolled if the trial reaches its last look. With one decimal it is a mean (at "
        "p1), because patients are replaced.",
    ),
    "keeping_design": Term(
        "Design that keeps both limits", "The decision rule that keeps alpha and power under this strategy, as r/n."
    ),
    "gives": Term("Gives"),
    "measure": Term("Performance measure"),
    "statistic": Term("Statistic"),
    "has_exact": Term("Exact value"),
    "within_2": Term(
        "Within 2 MCSE", "Differences from the exact value of at most 2 Monte Carlo standard errors: about 95% of them."
    ),
    "within_3": Term(
        "Within 3 MCSE",
        "Differences from the exact value of at most 3 Monte Carlo standard errors: about 99.7% of them.",
    ),
    "largest_z": Term("Largest |z|", "The largest distance from an exact value, in Monte Carlo standard errors."),
    "trials_needed": Term(
        "Trials for MCSE", "The number of simulated trials that gives a Monte Carlo standard error of this size."
    ),
    "trial_number": Term("Trial"),
    "ended_at": Term("Ended at look"),
    "counted_at": Term("Responses counted"),
    "item": Term("Item"),
}
"""How the trial is run."""

ANALYSIS = {
    "umvue": Term(
        "UMVUE", "The estimate of the response rate that is right on average and, of all such estimates, varies least."
    ),
    "mle": Term(
        "MLE",
        "The observed response rate, responses divided by patients; after an interim analysis it is too low or too "
        "high on average.",
    ),
    "median_unbiased": Term(
        "Median unbiased estimate",
        "An estimate that is as often too high as too low, with the interim analysis taken into account.",
    ),
    "estimate": Term("Estimated response rate", "The response rate as it is estimated from the data."),
    "p_value": Term(
        "p-value, one-sided",
        "The probability, if the true response rate is p0, of a result at least as favourable as the one observed.",
    ),
    "lower": Term("Lower limit", "The smallest true response rate that the data do not exclude."),
    "upper": Term("Upper limit", "The largest true response rate that the data do not exclude."),
    "interval": Term(
        "Confidence interval", "The true response rates, or other values, that the data do not exclude at the level."
    ),
    "consistent": Term(
        "Consistent with the test", "Whether p0 lies below the interval exactly when the test rejects H0."
    ),
    "rule": Term("Rule", "A decision rule for a trial in which the numbers of patients analysed differ from the plan."),
    "stops_at": Term("Stops at", "Where the rule stops the trial early for futility, as r/n."),
    "null": Term(
        "H0",
        "The null hypothesis: the true response rate is at most p0. In a table the column states whether H0 is "
        "rejected.",
    ),
    "largest": Term(
        "Largest type I error", "The largest type I error of the rule at any numbers of patients that may be attained."
    ),
    "needed": Term("Responses needed to reject H0", "The fewest further responses with which H0 is rejected."),
    "remaining": Term("Further patients", "The patients still to be analysed."),
    "conditional_power": Term(
        "Conditional power",
        "The probability that H0 will be rejected, given the responses so far, at a true response rate.",
    ),
    "predictive": Term(
        "Predictive probability",
        "The probability that H0 will be rejected, given the responses so far, averaged over the response rates that "
        "they make plausible.",
    ),
    "field": Term("Field", "An item of the results section of a trial registry."),
    "entry": Term("Entry", "What is typed into a field of the registry."),
    "half_width": Term("Half-width", "Half of the distance between the two limits of a confidence interval."),
    "analysis_set": Term("Analysis set", "A group of patients that is analysed together."),
    "used_for": Term("Used for", "The analyses that are made of these patients."),
    "futility_rule": Term(
        "Stops for futility", "The numbers of responses at which the trial stops, and H0 is not rejected."
    ),
    "efficacy_rule": Term(
        "Stops for efficacy", "The numbers of responses at which the trial stops, and H0 is rejected."
    ),
    "stops_here": Term("P(stops here)", "The probability that the trial ends at this analysis."),
    "expected_month": Term("Expected month", "Months from the first day of accrual to the analysis, on average."),
}
"""The analysis of a finished trial."""

REVIEW = {
    "allowance": Term(
        "Allowance for dropout",
        "How the number of evaluable patients is enlarged because some patients drop out: the share that drops out, "
        "and the formula.",
    ),
    "routes_plain": Term(
        "Calculations, without dropout",
        "Calculations that give the stated number of patients and make no allowance for dropout.",
    ),
    "routes_with": Term(
        "Calculations, with dropout",
        "Calculations that give the stated number of patients and enlarge it to allow for dropout.",
    ),
    "breaks_alpha": Term(
        "Exact type I error above alpha",
        "Calculations whose decision rule has an exact type I error above the alpha on which they are based.",
    ),
    "lacks_power": Term(
        "Exact power below that stated",
        "Calculations whose decision rule has an exact power below the one on which they are based.",
    ),
    "reading": Term(
        "Reading",
        "One interpretation of the stated number of patients: the response rates and limits from which it may have "
        "been calculated.",
    ),
    "months_to_decision": Term(
        "Months to the decision at p1",
        "The expected time from the first day of accrual to the primary decision, if the true response rate is p1.",
    ),
    "reason": Term("Why credible", "The reason to take a reading into consideration."),
    "package": Term("Package"),
    "installed": Term("Installed"),
    "locked": Term("Locked", "The version with which the program is tested."),
    "installed_result": Term("Compared with the lock"),
    "requirement": Term("Requirement", "What the program must do, in a sentence."),
    "how_tested": Term("How tested", "What is compared, and what counts as agreement."),
    "expected_source": Term("Source of the expected values"),
    "requirement_result": Term("Result on this machine"),
    "requirement_met": Term("Met", "Yes if every comparison of all its cases agrees."),
    "validation_cases": Term("Validation cases"),
    "suite_tests": Term("Tests of the suite"),
    "role": Term("Role"),
    "person": Term("Name"),
    "date": Term("Date"),
    "signature": Term("Signature"),
}
"""The reviewer's desk."""

CONTROLS = {
    "enrollment_rate": Term(
        "Enrollment", "The number of patients screened per month; those who pass the screening are enrolled."
    ),
    "screening": Term("Screening success", "The proportion of the screened patients who are enrolled."),
    "readout": Term("Readout", "The months from the enrollment of a patient until the response is known."),
    "handling": Term(
        "Patients without a response assessment",
        "How the analysis handles patients who drop out before their first assessment: they count as non-responders, "
        "are replaced by new patients, or are excluded.",
    ),
    "p0_among": Term(
        "p0 is the response rate among",
        "The patients whose response rate p0 is: all enrolled patients, or only those with a response assessment. With "
        "dropout the two rates differ, and so does the type I error.",
    ),
    "limits_hold": Term(
        "Alpha and power are to hold",
        "Where the two limits are required: on paper, as if every patient were evaluable, or in the trial as it is "
        "run, dropout included.",
    ),
    "accrual": Term(
        "While the interim analysis is pending",
        "Whether patients are enrolled between the last patient of the interim analysis and its decision.",
    ),
    "decide": Term(
        "An analysis takes place",
        "When an analysis is made: when the response of every one of its patients is known, or as soon as the known "
        "responses determine its result.",
    ),
    "own_law": Term(
        "as in the file",
        "The parameter file describes this in more detail than one number can. While the box is checked, "
        "the description of the file applies.",
    ),
    "family": Term(
        "Family of designs",
        "How often the trial may stop, and for what: each family is searched for its own best designs.",
    ),
    "two_stage_search": Term(
        "Search",
        "The complete search for designs with several looks. It starts by itself unless it takes several seconds.",
    ),
    "parameter_file": Term(
        "Parameter file",
        "A text file that describes one trial. The report of the trial is made from it; the design explorer opens and "
        "writes such files.",
    ),
    "outcome": Term(
        "Outcome", "A quantity that differs from trial to trial: a decision, a number of patients, a time."
    ),
    "screened": Term("Patients screened", "All who are examined for the trial, whether they are enrolled or not."),
    "interim_month": Term(
        "Month of the (first) interim look", "Months from the start of the trial to its first interim analysis."
    ),
    "hold_months": Term("Months on hold", "Months during which no patient is enrolled because an analysis is pending."),
    "decision_months": Term(
        "Months to the primary decision", "Months from the start of the trial until it is known whether H0 is rejected."
    ),
    "p_short": Term(
        "P(accrual closes too soon)",
        "The probability that fewer patients than planned are enrolled by the month in which accrual closes.",
    ),
    "reference_value": Term("Reference", "The value of the source that is named."),
    "computed_here": Term("Computed here", "The value that this program computes on this machine."),
    "agrees": Term("Agrees", "Whether the two agree to the digits of the reference, or within the limit stated."),
    "validation_case": Term("Case", "A group of comparisons with one source."),
    "compared": Term("Compared", "How many values were compared."),
    "disagree": Term("Disagree", "How many of them do not agree; the validation fails if there is one."),
    "not_met": Term(
        "Not met",
        "The limit that a setting of a sweep does not meet; ? if two Monte Carlo standard errors leave it open.",
    ),
    "trials": Term(
        "Trials", "The number of simulated trials; the more there are, the smaller is the Monte Carlo standard error."
    ),
    "pet_responses": Term(
        "PET (by responses)",
        "The probability that the trial stops before its last look because of the responses; a stop for toxicity is "
        "not counted.",
    ),
    "pet_any": Term("PET", "The probability of early termination: of stopping before the last look."),
}
"""The controls of the explorer and of the lessons, and the headings of the explorer's tables."""

TOXICITY = {
    "toxicity_patients": Term(
        "Patients looked at", "The first patients in the order of enrollment, whether they are still pending or not."
    ),
    "toxicity_stops": Term(
        "Stop if at least", "The smallest number of patients with a toxicity, among those counted, that stops accrual."
    ),
    "toxicity_acceptable": Term(
        "Largest acceptable number",
        "The largest number of patients with a toxicity with which accrual continues: 1 less than the number that "
        "stops it.",
    ),
    "toxicity_crossed_by": Term(
        "P(crossed by then)", "The probability that the boundary for toxicity is crossed with at most these patients."
    ),
    "toxicity_rate": Term("Rate of toxicity", "The true probability that a patient has a toxicity within the window."),
    "toxicity_crossed": Term(
        "P(boundary crossed)",
        "The probability that the number of toxicities reaches the boundary at any look, the last one included.",
    ),
    "toxicity_crossed_early": Term(
        "P(crossed before the last look)",
        "The probability that the boundary for toxicity is crossed before its last look, so that accrual stops early.",
    ),
    "toxicity_en": Term(
        "Expected patients counted",
        "The mean number of patients at the look that crosses the boundary for toxicity, or at the last look.",
    ),
    "association": Term(
        "Response and toxicity",
        "Whether patients who respond have more toxicity (positive), less (negative), or as much as others.",
    ),
    "ends_toxicity": Term("Stopped for toxicity", "The boundary for toxicity is crossed; the trial makes no claim."),
    "ends_futility": Term("Stopped for futility", "Too few responses at an interim analysis."),
    "ends_efficacy": Term("Stopped for efficacy", "Enough responses at an interim analysis to reject H0 at once."),
    "ends_success": Term("Completed, H0 rejected", "The trial reaches its last look, and H0 is rejected there."),
    "ends_failure": Term("Completed, H0 not rejected", "The trial reaches its last look without rejecting H0."),
    "expected_patients": Term("Mean patients at the end", "The mean number of patients when the trial ends."),
    "without_toxicity_rule": Term("Without the rule", "If the trial is never stopped for toxicity."),
    "with_toxicity_rule": Term("With the rule", "If the trial stops for toxicity as its rule says."),
    "acceptable_toxicity": Term(
        "Acceptable toxicity", "The rate of toxicity at which the trial should rarely be stopped for it."
    ),
    "unacceptable_toxicity": Term(
        "Unacceptable toxicity", "The rate of toxicity at which the trial should probably be stopped for it."
    ),
    "crossing_limit": Term(
        "Crossing probability",
        "The largest probability of crossing the boundary for toxicity that is allowed at the acceptable rate.",
    ),
    "toxicity_window": Term(
        "Window for toxicity",
        "The time after enrollment in which a toxicity counts; a patient without one is pending until it is over.",
    ),
    "toxicity_rule": Term("Rule for toxicity", "Whether accrual stops when the boundary for toxicity is crossed."),
    "rule_difference": Term("Difference made by the rule", "The value with the rule minus the value without it."),
}
"""The rule for toxicity."""

PLAIN = {
    "source": Term("Source"),
    "method": Term("Method"),
    "setting": Term("Setting"),
    "quantity": Term("Quantity"),
    "value": Term("Value"),
    "treatment": Term("Treatment"),
    "patients": Term("Patients"),
    "number": Term("Number"),
    "endpoint": Term("Endpoint"),
    "events": Term("Events"),
    "shown_estimate": Term("Estimate"),
    "definition": Term("Definition"),
    "element": Term("Element"),
    "section": Term("Section"),
    "sentence": Term("Sentence"),
}
"""Words that need no explanation."""

TERMS = {**DESIGN, **CONDUCT, **ANALYSIS, **REVIEW, **CONTROLS, **TOXICITY, **PLAIN}
"""All of them, by the name that they have in the files of the report."""

_BY_HEAD = {term.head: term for term in TERMS.values()}
_IN_SMALL_LETTERS = {head.casefold(): term for head, term in _BY_HEAD.items() if len(head) > 3}
"""Where a name begins with a small letter; not of the short ones, for N is not n."""


def head(key: str, more: str = "") -> str:
    """The heading of a term, with what sets it apart in its table.

    >>> head("type_i_error"), head("power", "as run")
    ('Type I error', 'Power, as run')
    """
    return f"{TERMS[key].head}, {more}" if more else TERMS[key].head


def explained(heading: str) -> Term | None:
    """The term that a heading stands for, whole or up to a comma, a colon or an equals sign; None if there is none.

    >>> explained("Power, as run").head, explained("patients enrolled").head, explained("p0 = 0.1").head
    ('Power', 'Patients enrolled', 'p0')
    """
    parts = (heading, *(heading.partition(sign)[0] for sign in (", ", ": ", " = ")))
    found = (_BY_HEAD.get(part) or _IN_SMALL_LETTERS.get(part.casefold()) for part in parts)
    return next((term for term in found if term is not None), None)
