"""The validation cases of Bayesian rules and of adaptive designs agree, and each of them can fail."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from simtrial.design import exact
from simtrial.design.branching import parse_branching
from simtrial.design.designs import MultiStage
from simtrial.design.second_stages import SecondStage
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.bayesian.predictive import fraction
from simtrial.validation import bayesian as validation_bayesian
from simtrial.validation import bayesian_definitions as validation_bayesian_definitions
from simtrial.validation import bayesian_rows as validation_bayesian_rows
from simtrial.validation import branching as validation_branching
from simtrial.validation import cases as validation_cases


def test_bounds_and_searches_of_the_table_agree():
    bounds = validation_bayesian.bounds()
    assert bounds.passed
    assert len(bounds.frame) == 82  # 19 rules of Lee and Liu, 45 of BOP2, 13 of Thall and Simon, 5 probabilities
    assert bounds.frame.what.str.startswith("BOP2").sum() == 45
    searches = validation_bayesian.searches()
    assert searches.passed
    assert len(searches.frame) == 29


def test_a_bound_or_an_error_of_another_rule_fails_the_table(monkeypatch):
    def changed(name):
        table = validation_cases.reference(name)
        table = table[table.family.isin(["lee-liu", "thall-simon", "bop2 search"])].groupby("family").head(2)
        table.loc[table.index[0], "looks"] = table.loc[table.index[0], "looks"].replace("5/10", "4/10")
        table.loc[table.index[1], "en_p0"] += 1e-6
        first = table[table.family == "thall-simon"].index[0]
        table.loc[first, "bounds"] = "0" + table.loc[first, "bounds"][1:]
        table.loc[table.family == "bop2 search", "distinct_boundaries"] -= 1
        return table

    for module in (validation_bayesian, validation_bayesian_rows):
        monkeypatch.setattr(module, "reference", changed)
    assert validation_bayesian.bounds().frame.agrees.tolist() == [False, False, False, True]
    assert validation_bayesian.searches().frame.agrees.tolist() == [False, False]


@pytest.mark.long
def test_every_rule_is_that_of_its_definition():
    found = validation_bayesian_definitions.definitions()
    assert found.passed
    assert len(found.frame) == 333  # 64 rules with two rates each, by counts and by trials; 13 of two unknown rates


@pytest.fixture
def few(monkeypatch):
    """Only some rules, one with a stop for efficacy among them."""
    some = [*validation_bayesian_rows.rules()][3:7]
    monkeypatch.setattr(validation_bayesian_definitions, "rules", lambda: iter(some))
    monkeypatch.setattr(validation_bayesian_definitions, "compared_rates", lambda: iter(()))
    return some


@pytest.mark.usefixtures("few")
def test_a_bound_that_is_off_by_one_is_seen_at_its_count_and_in_the_trials(monkeypatch):
    assert validation_bayesian_definitions.definitions().passed
    true = validation_bayesian_rows.RuleRow.design

    def loose(rule):
        design = true(rule)
        first, *rest = design.looks
        return MultiStage((replace(first, r=(first.r or 0) + 1), *rest))

    monkeypatch.setattr(validation_bayesian_rows.RuleRow, "design", loose)
    failed = validation_bayesian_definitions.definitions().failures
    assert failed.what.str.contains("counts beside the bounds").sum() >= 3
    assert failed.what.str.contains("simulated").any()


@pytest.mark.usefixtures("few")
def test_an_efficacy_stop_that_counts_as_failure_is_seen(monkeypatch):
    # what another program did: a trial that stopped for efficacy is counted as not rejecting H0
    true = exact.operating_characteristics

    def failing(design, p):
        found = true(design, p)
        return replace(
            found, reject_by_look=np.where(np.arange(len(found.n)) == len(found.n) - 1, found.reject_by_look, 0.0)
        )

    monkeypatch.setattr(validation_bayesian_definitions.exact, "operating_characteristics", failing)
    failed = validation_bayesian_definitions.definitions().failures.what
    assert failed.str.contains("all counts").sum() == failed.str.contains("simulated").sum() == 6


def test_the_urn_and_the_count_of_all_are_the_formula_and_the_recursion():
    for prior, n, x, last, r in ((BetaPrior(0.2, 0.8), 10, 1, 36, 10), (BetaPrior(2.5, 0.75), 0, 0, 9, 4)):
        assert validation_bayesian_definitions.urn(prior, n, x, last, r) == fraction(prior, n, x, last, r)
    design = [*validation_bayesian_rows.rules()][4].design()
    assert any(look.e is not None for look in design.looks)
    reject, en = validation_bayesian_definitions.counted_out(design, 0.3)
    oc = exact.operating_characteristics(design, 0.3)
    assert (reject, en) == pytest.approx((float(oc.reject), float(oc.en)), rel=1e-12)


@pytest.mark.long
def test_every_adaptive_design_behaves_as_counted_and_the_small_ones_are_found():
    found = validation_branching.adaptive()
    assert found.passed
    kinds = found.frame.what.str.extract(r"; (all counts|printed|simulated)")[0].fillna("searched").value_counts()
    assert kinds.to_dict() == {"all counts": 110, "printed": 110, "simulated": 110, "searched": 10}


def test_the_count_of_all_responses_of_both_stages_is_that_of_fractions():
    design = parse_branching("0:A|1:10/2|2:22/4|3:15/3|4:R|5:R|6:R|7:R|8:R|9:R|10:R|11:R")
    found = validation_branching.counted_out(design, 0.25)
    assert found.reject == float(exact.reject_fraction(design, Fraction(1, 4)))
    assert found.en == float(design.en_fraction(Fraction(1, 4)))


def test_a_bound_that_counts_the_second_stage_alone_fails_the_case(monkeypatch):
    # r of n2/r is cumulative; read as responses of the second stage, the design is another one
    def read(text):
        design = parse_branching(text)
        rows = (
            SecondStage(one.n2, min(one.r + x, x + one.n2 - 1)) if isinstance(one, SecondStage) else one
            for x, one in enumerate(design.after)
        )
        return replace(design, after=tuple(rows))

    def first(name):
        return validation_cases.reference(name).head(3)

    monkeypatch.setattr(validation_branching, "reference", first)
    monkeypatch.setattr(validation_branching, "_two_targets", lambda: iter(()))
    assert validation_branching.adaptive().passed
    monkeypatch.setattr(validation_branching, "parse_branching", read)
    failed = validation_branching.adaptive().failures.what
    assert failed.str.contains("printed").sum() == 6
    assert len(failed) == 6  # counts and trials are those of the design that was read


def test_a_simulation_at_another_rate_fails_the_case(monkeypatch):
    monkeypatch.setattr(validation_branching, "reference", lambda name: validation_cases.reference(name).head(3))
    monkeypatch.setattr(validation_branching, "_two_targets", lambda: iter(()))
    true = validation_branching.simulated
    monkeypatch.setattr(
        validation_branching, "simulated", lambda design, responses: true(design, np.maximum(responses - 1, 0))
    )
    failed = validation_branching.adaptive().failures.what
    assert failed.str.contains("simulated").all()
    assert len(failed) >= 5
