"""A trial with a rule for toxicity: every value says whether the rule is in it, and one value has one source."""

import numpy as np
import pytest
from test_stopped_for_toxicity import case

from simtrial.conduct import levers as conduct_levers
from simtrial.conduct import tables as conduct_tables
from simtrial.report import front
from simtrial.search import figures as search_figures
from simtrial.show.flow import LEAST_LANE
from simtrial.toxicity import text as toxicity_text
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.trial import compared, figures, levers, protocol, rules, safety, summary, tables, text, words

WITHOUT = {"rule": None, "toxicity": None}


@pytest.fixture(scope="module")
def both():
    return case(criterion="optimal")


def test_the_figure_of_the_fastest_designs_has_every_design_without_the_rule(both):
    shown = compared.candidates(both, aside=True)
    alone = compared.candidates(case(criterion="optimal", **WITHOUT))
    with_rule = compared.candidates(both)
    for mine, bare, ruled in zip(shown.designs, alone.designs, with_rule.designs, strict=True):
        for key in ("duration_months_p1", "n_enrolled_p1"):
            assert mine.values[key].value == bare.values[key].value != ruled.values[key].value
    assert "without the rule for toxicity" in figures.months_and_patients(both).caption
    assert "is left aside; as run" in tables.compared(both, timed=True).caption


def test_the_front_page_and_its_sentence_on_power_have_one_value_each(both):
    # the smaller number of trials by which levers are pulled elsewhere gave another value here
    done = protocol.timed(both)
    for one in levers.of(both):
        for (name, rate), found in one.planned.items():
            assert found.value == done[rate][name].best, (name, rate)
    assert conduct_levers.pulled(both.plan, 20_000) == 20_000 > conduct_levers.size(both.plan, 20_000)
    assert conduct_levers.MOST_WITH_RULE == protocol.MOST_TRIALS
    bare = both.plan.by_responses
    assert conduct_levers.pulled(bare, 20_000) == conduct_levers.size(bare, 20_000)


def test_simulated_values_as_run_have_their_error_and_exact_ones_none(both):
    done = protocol.timed(both)
    rows = {one.name: one.written[2] for one in summary.promises(both)}
    assert done["p1"]["reject"].exact is not None
    assert "±" not in rows["Power"]
    assert "±" in rows["EN(p1), expected sample size"]
    assert "Simulated values ± MCSE (400 trials)" in front.promises(both).caption
    assert "±" not in "".join("".join(one.written) for one in summary.promises(case(criterion="optimal", **WITHOUT)))


def test_early_termination_is_one_by_responses_wherever_it_is_named(both):
    assert "PET(p0) (by responses), early termination" in {one.name for one in summary.promises(both)}
    heads = {head for head, _ in conduct_tables.scenarios(protocol.timed(both)).shown.values()}
    assert "PET (by responses)" in heads
    assert "PET" not in heads


def test_a_design_taken_by_the_calendar_is_said_to_be_taken_without_the_rule():
    one = case(criterion="fastest_p1")
    assert (
        "primary decision at p1" in text.sample_size(one).paragraphs[0].split(", the rule for toxicity left aside")[0]
    )
    assert ", the rule for toxicity left aside, as the parameter file asks" in str(
        text.choice(one.trial, one.single, one.two, one.chosen)
    )
    assert summary.of(one).design.endswith("is left aside in this choice")


def test_a_caption_changes_only_in_a_trial_with_a_rule(both):
    bare = case(criterion="optimal", **WITHOUT)
    for found, noted in ((both, True), (bare, False)):
        flow = search_figures.flow(found.chosen, found.requirements)
        assert (tables.noted(found, flow).caption == flow.caption) is not noted
        assert tables.boundary(found).caption.endswith(toxicity_text.ASIDE) is noted
    assert tables.noted(both, flow).caption.endswith(f". {toxicity_text.ASIDE}.")


def test_the_month_of_the_decision_says_what_a_stop_for_toxicity_counts_as(both):
    said = "A stop for toxicity counts as the primary decision."
    assert said in " ".join(protocol.protocol_sentences(both))
    assert said not in " ".join(protocol.protocol_sentences(case(criterion="optimal", **WITHOUT)))


def test_the_errors_as_run_stand_in_a_sentence_of_their_own(both):
    said = rules.as_run(both.plan, both.requirements, [0.02, 0.6], with_="With", enrolled=False)
    assert "the trial is run under the rule that stops it for toxicity (rate 30%, odds ratio with response 2). " in said
    assert said.endswith("The type I error is then 2.0% (p0 being the rate with every patient evaluable) and the power "
                         "is 60.0%.")  # fmt: skip
    plain = case(criterion="optimal", **WITHOUT)
    assert rules.as_run(plain.plan, plain.requirements, [0.02, 0.6], with_="With", enrolled=False).startswith(
        "With 10% of the patients dropping out before their first assessment and counted as non-responders, the type I"
    )


def test_a_trial_without_a_rate_is_said_to_be_run_at_the_acceptable_one():
    one = case(toxicity=None)
    assert dict(summary.of(one).assumed)["Rate of toxicity"].endswith("the trial is run at the acceptable rate")
    rows = {name: said for name, said, _ in words.rows(one.trial)}
    assert rows["Rate of toxicity"] == "that of the acceptable rate, 20%, independent of the response"
    assert "Rate of toxicity" not in {name for name, _, _ in words.rows(case().trial)}


def test_the_power_to_ask_for_is_named_only_where_the_endpoints_are_independent():
    said = "on paper keeps 80% with the rule"
    assert said not in safety.needed(case()).shortfall
    assert said in safety.needed(case(toxicity=None)).shortfall


@pytest.mark.parametrize(
    "written", ["3/3,3/4,3/5,4/6", "3/10,5/20", "2/3,2/4,3/5,5/7", "-/1,2/2,3/3,3/4", "1/1,2/2,3/3"]
)
def test_the_looks_that_no_trial_is_stopped_at_are_those_of_probability_0(written):
    boundary = parse_boundary(written)
    at = crossing(boundary, [0.5]).at_look[0]
    bound = [look.b is not None for look in boundary.looks]
    idle = [
        look.n for look, share, real in zip(boundary.looks, at, bound, strict=True) if real and np.isclose(share, 0)
    ]
    assert toxicity_text.unreached(boundary) == idle


def test_the_short_form_leaves_out_what_stops_no_trial_and_the_sentence_keeps_it():
    boundary = parse_boundary("3/3,3/4,3/5,4/6")
    assert toxicity_text.short(boundary, whole=False) == "3 of 3 to 5"
    assert toxicity_text.short(boundary).endswith("4 of 6")
    assert "4 or more of the first 6" in toxicity_text.stops(boundary)
    assert toxicity_text.never(parse_boundary("3/10,5/20")) == ""


def test_the_rule_beside_a_single_stage_is_a_box_twice_as_wide_as_a_stage():
    found = safety.needed(case(looks="5/25"))
    boxes = [
        patch.get_width() for patch in figures.flow(found).figure.axes[0].patches if hasattr(patch, "get_boxstyle")
    ]
    assert max(boxes) == pytest.approx(LEAST_LANE * min(boxes))


def test_the_front_page_has_the_rule_in_fewer_words_than_the_section_for_the_protocol(both):
    short, whole = (text.protocol(both, brief=brief).paragraphs[2] for brief in (True, False))
    assert len(short.split()) < 0.7 * len(whole.split())
    assert toxicity_text.stops(both.toxicity_rule.boundary) in short
    assert safety.needed(both).associated in short


def test_the_months_with_the_rule_have_their_standard_errors(both):
    frame = tables.toxicity_months(both).frame
    simulated = frame.duration_months_mcse > 0
    assert simulated.any()
    assert frame.duration_months_shown[simulated].str.contains("±").all()
