"""The validation: it passes here, shows every case with its source, and fails where a case disagrees."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import pandas as pd
import pytest

from simtrial import Requirements
from simtrial.cli import notebooks
from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.documents import requirements
from simtrial.history.null import reject_if
from simtrial.history.posterior import posterior
from simtrial.report import run as report_run
from simtrial.review.section import elements
from simtrial.search import pairs
from simtrial.validation import cases
from simtrial.validation import choice as validation_choice
from simtrial.validation import conduct as validation_conduct
from simtrial.validation import dropout as validation_dropout
from simtrial.validation import history as validation_history
from simtrial.validation import search as validation_search
from simtrial.validation import section as validation_section
from simtrial.validation import strategies as validation_strategies
from simtrial.validation import toxicity as validation_toxicity


def test_brute_force_settles_ties_and_says_when_it_cannot_enumerate():
    tied = validation_search.brute_force(Requirements(p0=0.5, p1=0.875, alpha=0.25, power=0.9))
    assert tied.passed
    large = validation_search.brute_force(Requirements(p0=0.3, p1=0.4, alpha=0.05, power=0.9))
    assert large.passed
    assert large.name == "This trial, not enumerated"
    assert "n_upper = 272 is above 160" in large.source


@pytest.mark.kernel
def test_validation_passes_here_and_shows_every_case_with_its_source(tmp_path, root):
    done = report_run.validate(root / "params/smoke.yaml", tmp_path)
    verdict = pd.read_csv(done.folder / "tables/verdict.csv").set_index("case")
    assert verdict.failed.sum() == 0
    assert verdict.loc["Published two-stage designs", "compared"] == 102
    assert verdict.loc["Admissible sets", "compared"] == 51
    assert verdict.loc["Exact single stage", "compared"] == 684
    assert verdict.loc["Handling of dropout", "compared"] == 103
    assert verdict.loc["Designs under dropout", "compared"] == 44
    assert verdict.loc["Designs by the calendar", "compared"] == 16
    assert verdict.loc["Calendar", "compared"] == 184
    assert verdict.loc["Conduct", "compared"] > 250
    assert verdict.loc["Kaplan-Meier", "compared"] == 9
    assert verdict.loc["Elements of stated sections", "compared"] == 12
    assert verdict.loc["Elements of further phrasings", "compared"] == 12
    assert verdict.loc["Evidence on p0", "compared"] == 25
    assert verdict.loc["Intercurrent events", "compared"] == 90
    assert verdict.loc["Boundaries for toxicity", "compared"] == 118
    assert verdict.loc["Response and toxicity", "compared"] == 20
    assert verdict.loc["Two-stage designs for two endpoints", "compared"] == 108
    assert verdict.loc["Bayesian bounds", "compared"] == 82
    assert verdict.loc["Bayesian rules by definition", "compared"] == 333
    assert verdict.loc["Bayesian searches", "compared"] == 29
    assert verdict.loc["Adaptive two-stage designs", "compared"] == 340
    assert verdict.index.is_unique
    assert verdict.loc["Boundaries of an iteration", "compared"] == 2
    html = done.html.read_text(encoding="utf-8")
    assert "Simon 1989, Tables 1 and 2; R clinfun 1.1.5" in html
    assert "102 of 102 comparisons agree" in html
    document = (done.folder / "validation.html").read_text(encoding="utf-8")
    listed, _ = requirements.read()
    many = sum(bool(one.cases) for one in listed)
    assert f"{many} of {many} requirements are met on this machine" in document
    assert "NOT MET" not in document
    assert "not tested on this machine" not in document
    assert "tested by the suite, not on this machine" in document
    assert "(precision 100.0%, recall" in document
    assert "belongs to no requirement" not in document
    assert (done.folder / "validation.docx").exists()


def test_a_case_that_disagrees_fails_the_validation():
    good = validation_search.known_traps()
    assert good.passed
    frame = good.frame.copy()
    frame.loc[1, "agrees"] = False
    bad = cases.Comparison(good.name, good.source, frame)
    with pytest.raises(cases.ValidationError, match=r"Known traps: 3 of 4 comparisons agree \(first: r1 < r excludes"):
        cases.verdict(good, bad)
    with pytest.raises(cases.ValidationError, match="nothing was compared"):
        cases.verdict(cases.Comparison("Empty", "none", frame.iloc[:0]))


@pytest.mark.long
def test_the_validation_cases_can_fail(monkeypatch):
    # a search content with less power must be caught by each case that rests on it
    from simtrial import search

    true = search.single_stage

    def eager(asked):
        return true(Requirements(asked.p0, asked.p1, asked.alpha, asked.power - 0.05))

    monkeypatch.setattr(search, "single_stage", eager)
    assert not validation_search.single_stage().passed
    assert not validation_search.textbook_formulas().passed


def test_the_case_of_the_evidence_can_fail(monkeypatch):
    # averages taken at the mean rate, and another prior
    monkeypatch.setattr(validation_history, "averaged", lambda design, law: float(reject_if(design, law.mean)))
    monkeypatch.setattr(validation_history, "posterior", lambda counts, _: posterior(counts, (3, 1)))
    failed = validation_history.pooled_history().failures.what
    assert failed.str.contains("average type I error").sum() == 12
    assert failed.str.contains("posterior mean").any()


def test_the_cases_of_toxicity_can_fail(monkeypatch):
    # a boundary that is calibrated to nine tenths of the limit, and endings of independent endpoints throughout
    true, alone = validation_toxicity.calibrated, validation_toxicity.endings
    monkeypatch.setattr(validation_toxicity, "calibrated", lambda shape, at, limit: true(shape, at, 0.9 * limit))
    monkeypatch.setattr(
        validation_toxicity, "endings", lambda design, rule, **given: alone(design, rule, **given | {"odds_ratio": 1.0})
    )
    assert len(validation_toxicity.boundaries().failures) > 50
    assert len(validation_toxicity.ended_early().failures) == 2
    failed = validation_toxicity.both_rules().failures.what
    assert len(failed) >= 8
    assert not failed.str.contains("odds ratio 1").any()


@pytest.mark.long
def test_the_conduct_cases_can_fail(monkeypatch):
    from simtrial.laws import decision, laws

    true = decision.decision

    def optimistic(plan, p):
        found = true(plan, p)
        return decision.Decision(found.reject + 0.05, found.stop)

    monkeypatch.setattr(decision, "decision", optimistic)
    monkeypatch.setattr(laws, "decision", optimistic)  # the name that the simulation's exact values use
    assert not validation_conduct.losses().passed
    assert not validation_conduct.conduct().passed


@pytest.mark.long
def test_the_cases_of_designs_under_dropout_can_fail(monkeypatch):
    # a search that forgot the dropout would find smaller designs
    from simtrial.laws.losses import AsRun

    assert validation_dropout.searched().passed
    monkeypatch.setattr(AsRun, "rates", lambda _, asked: (asked.p0, asked.p1))
    found = validation_dropout.searched()
    assert not found.passed
    assert found.failures.what.str.contains("smallest n").any()
    assert found.failures.what.str.contains("rejects at p1").any()


@pytest.mark.long
def test_the_cases_of_designs_by_the_calendar_can_fail(monkeypatch):
    from simtrial.conduct import choice

    assert validation_choice.by_calendar().passed
    true = pairs.meeting

    def hasty(asked, n_max):  # a search that forgot the single stages and the smallest first looks
        found = true(asked, n_max)
        return found.those(found.n1 > 5)

    monkeypatch.setattr(choice, "meeting", hasty)
    assert not validation_choice.by_calendar().passed


@pytest.mark.long
def test_the_elements_of_stated_sections_are_counted_per_element():
    for case in (validation_section.statements(), validation_section.phrasings()):
        assert case.passed
        assert tuple(case.frame.what) == validation_section.COMPARED
        assert case.frame.found.str.contains(" 0 wrong").all()


def test_a_law_of_another_strategy_fails_the_validation(monkeypatch):
    true = validation_strategies.Mixed.fate
    monkeypatch.setattr(
        validation_strategies.Mixed, "fate", lambda mixed, p: true(replace(mixed, among="evaluable"), p * 1.0001)
    )
    assert not validation_strategies.intercurrent_events().passed


def test_the_enumeration_of_one_strategy_is_that_of_the_design_at_another_rate():
    design, half = parse_looks("1/4,3/9"), (Fraction(1, 2), Fraction(1, 2))
    reject, enrolled = validation_strategies.enumerated(design, Fraction(2, 5), half, (Fraction(1), *[Fraction(0)] * 3))
    paper = operating_characteristics(design, 0.2)
    assert float(reject) == pytest.approx(float(paper.reject), rel=1e-12)
    assert float(enrolled) == pytest.approx(float(paper.en), rel=1e-12)


def test_a_wrong_element_fails_the_validation():
    # a reader who has another p1 in one text, and one who has no p0: both values found count as wrong
    texts = [(label, text, dict(values)) for label, text, values in islice(validation_section.phrased(), 3)]
    texts[0][2]["p1"] = 0.99
    texts[1][2]["p0"] = None
    scores = validation_section.scored(texts)
    assert scores["p1"].wrong == [texts[0][0]]
    assert scores["p0"].wrong == [texts[1][0]]


def test_what_is_not_in_a_quote_is_a_value_of_the_statement():
    cut = cases.reference("statements_quoted")
    known = {label: values for label, _, values in validation_section.quoted()}
    assert set(cut.element) <= set(validation_section.COMPARED)
    assert not cut.duplicated(["id", "element"]).any()
    assert cut.reason.str.len().min() > 10
    assert all(known[row.id][row.element] == validation_section.ANY for row in cut.itertuples())


def test_the_elements_that_are_to_be_asked_are_ambiguous():
    for row in cases.reference("section_phrasings").itertuples():
        names = row.ambiguous.split() if isinstance(row.ambiguous, str) else []
        statuses = {one.name: one.status for one in elements.read(row.text).elements} if names else {}
        assert {statuses[name] for name in names} <= {"ambiguous"}, row.id


def test_the_verdict_in_a_line_counts_cases_numbers_and_disagreements():
    assert notebooks.total([5399, 1], [0, 0]) == "2 cases, 5,400 numbers compared, 0 disagree"
    assert notebooks.total([3], [1]) == "1 case, 3 numbers compared, 1 disagrees"
