"""The protocol sections: every section with its code, every number an exact one, every gap marked."""

import copy
import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from math import comb

import docx
import numpy as np
import pytest

from simtrial import looks_text, parse_looks
from simtrial.analysis import inference
from simtrial.design.exact import operating_characteristics
from simtrial.design.intervals import clopper_pearson
from simtrial.design.requirements import decimal
from simtrial.documents import deviations, formulas, protocol, simulation, spirit
from simtrial.documents.facts import SIMULATION_REPORT, Facts
from simtrial.errors import InputError
from simtrial.phrases import percent, placeholders, rate
from simtrial.review.section import elements, source
from simtrial.show import word
from simtrial.show.document import Chapter
from simtrial.show.table import Table
from simtrial.trial import params, template
from simtrial.trial.case import Case
from simtrial.trial.provisions import ProtocolTexts

CODES = {
    "3.1": "C218527", "4.3": "C218544", "10": "C218625", "10.1": "C218626", "10.2": "C218627", "10.3": "C218628",
    "10.4": "C218629", "10.4.1": "C218630", "10.4.1.1": "C218631", "10.4.1.2": "C218632", "10.4.1.3": "C218633",
    "10.4.1.4": "C218634", "10.4.1.5": "C218635", "10.5": "C218636", "10.9": "C218646", "10.10": "C218647",
    "10.11": "C218648",
}  # fmt: skip
"""Sections of every protocol with the codes of ICH M11: NCI Thesaurus, value set C217272."""

FILLED = {
    "estimand": {
        "population": "Adults with relapsed disease",
        "treatment": "Drug A, 100 mg once per day",
        "events": {
            kind: {"reason": "The patient has no benefit"}
            for kind in ("death", "new_therapy", "withdrawal", "missed_assessment", "never_started")
        },
    },
    "protocol": {
        "sap": "A separate plan is completed before the interim analysis.",
        "software": "R 4.5",
        "baseline": "Age and sex are summarised.",
        "secondary_events": "Patients are censored at a new anticancer therapy",
        "safety_set": "All treated patients",
        "safety": "The sponsor reviews serious adverse events",
        "stopping": "Toxicity",
        "interim_performed_by": "The trial statistician",
        "interim_reviewed_by": "The safety committee",
        "interim_decided_by": "The sponsor",
        "interim_seen_by": "The trial statistician",
        "integrity": "Investigators learn only whether the trial continues",
    },
}
"""Everything that NCT07022301 leaves to be completed."""

EXCLUDE = {"probability": 0.1, "handling": "exclude", "bounds": "recut"}
KINDS = {
    "as it is": {},
    "no conduct, no evidence": {"conduct": None, "evidence": None, "rivals": None, "hypotheses.rationale": None},
    "single stage": {"design": {"criterion": "single_stage_first"}},
    "three looks with efficacy": {"design": {"looks": "1:5/10,3:7/20,6/30"}},
    "limits missed": {"design": {"looks": "1/10,5/29"}, "hypotheses.power": 0.9},
    "by the calendar": {"design": {"criterion": "fastest_p1"}},
    "recalculated bounds": {"design": {"criterion": "minimax"}, "conduct.dropout": EXCLUDE},
    "replaced": {"conduct.dropout": {"probability": 0.1, "handling": "replace"}},
    "p0 among evaluable": {"hypotheses.p0_among": "evaluable", "design": {"criterion": "minimax"}},
    "p0 among enrolled": {"hypotheses.p0_among": "enrolled", "design": {"criterion": "minimax"}},
    "700 patients": {
        "design": {"looks": "100/300,255/700"}, "hypotheses.p0": 0.33, "hypotheses.p1": 0.4, "conduct": None,
    },
    "finished": {"analysis": {"responses": 6, "first_stage": 2, "level": 0.9}},
    "accrual closes": {"conduct.enrollment.close_month": 30},
    "patients pending": {"conduct.interim": {"accrual": "continue", "pending": "conditional", "threshold": 0.3}},
    "decided when known": {"conduct.interim": {"accrual": "continue", "decide": "known", "extra_patients": 3}},
    "no dropout": {"conduct.dropout": {"probability": 0, "handling": "nonresponder"}},
    "efficacy alone": {"design": {"looks": ":5/10,5/25"}},
    "a look without a bound": {"design": {"looks": "0/10,/15,5/25"}},
    "a fixed readout": {"conduct.assessments": {"readout_months": 2}},
    "twelve looks": {"design": {"looks": ",".join(f"{k // 4}/{5 * k}" for k in range(1, 12)) + ",9/60"}},
    "one patient": {"design": {"looks": "0/1"}, "conduct": None},
}  # fmt: skip


@pytest.fixture(scope="module")
def base(root):
    plain = params.read(root / "params/NCT07022301.yaml")[0].plain()
    plain["conduct"]["simulation"]["trials"] = 200  # no number that is tested is simulated
    return plain


def changed(base, changes):
    plain = copy.deepcopy(base)
    for path, value in changes.items():
        *way, last = path.split(".")
        section = plain
        for key in way:
            section = section.setdefault(key, {})
        if value is None:
            section.pop(last, None)
        else:
            section[last] = value
    return params.load(plain)


@pytest.fixture(scope="module")
def made(base):
    kept = {}

    def of(kind):
        if kind not in kept:
            case = Case.of(changed(base, KINDS[kind])).checked(kind)
            kept[kind] = case, protocol.of(case, "made here")
        return kept[kind]

    return of


def section(document, number):
    return next(chapter for chapter in document.chapters if chapter.number == number)


def said(document, number):
    """The paragraphs and points of a section."""
    return "\n".join(text for text in section(document, number).texts())


def table(document, name):
    return next(
        block
        for chapter in document.chapters
        for block in chapter.blocks
        if isinstance(block, Table) and block.name == name
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_section_stands_in_order_with_its_code(made, kind):
    _, document = made(kind)
    codes = {chapter.number: chapter.code for chapter in document.chapters}
    assert CODES.items() <= codes.items()
    order = [tuple(map(int, number.split("."))) for number in codes if number]
    assert order == sorted(order)


@pytest.mark.parametrize("kind", KINDS)
def test_the_json_of_every_kind_holds_every_section(made, kind):
    _, document = made(kind)
    plain = json.loads(json.dumps(document.plain(), allow_nan=False))
    assert [one["section"] for one in plain["sections"]] == [chapter.number for chapter in document.chapters]


@pytest.mark.parametrize("kind", ["no conduct, no evidence", "three looks with efficacy", "single stage"])
def test_the_word_file_can_be_read(made, kind):
    _, document = made(kind)
    # the figure is drawn once for all kinds in the test of the file itself
    without = tuple(replace(chapter, blocks=_texts(chapter)) for chapter in document.chapters)
    sheet = docx.Document(io.BytesIO(word.docx(replace(document, chapters=without))))
    assert any("10.11 Sample size determination (C218648)" in one.text for one in sheet.paragraphs)


def _texts(chapter: Chapter):
    return tuple(block for block in chapter.blocks if not hasattr(block, "figure"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_of_any_kind_is_broken(made, kind):
    _, document = made(kind)
    for chapter in document.chapters:
        for text in (text for block in chapter.blocks if isinstance(block, str) for text in [block]):
            assert not re.search(r"\bNone\b|\bnan\b|\{|\}|  |\.\.(?!\.)|\. \.|,\.", text.replace(", ...,", "")), text
            assert text[-1] in ".:]" or text.endswith(("is", "are")), text


def test_the_keys_of_the_json_are_stable(made):
    plain = made("as it is")[1].plain()
    assert list(plain) == ["name", "study", "title", "lead", "origin", "to_complete", "spirit", "sections"]
    assert set(plain["sections"][0]) == {"section", "title", "code", "content"}
    assert set(plain["to_complete"][0]) == {"section", "title", "missing"}
    assert set(plain["spirit"][0]) == {"element", "covered", "section", "sentence"}


# numbers


@pytest.mark.parametrize("kind", ["as it is", "single stage", "three looks with efficacy", "700 patients"])
def test_the_operating_characteristics_are_the_exact_ones(made, kind):
    case, document = made(kind)
    frame = table(document, "operating_characteristics").frame
    exact = operating_characteristics(case.chosen, frame["p"].to_numpy())
    np.testing.assert_array_equal(frame["reject"], exact.reject)
    assert {case.requirements.p0, case.requirements.p1} <= set(frame["p"])


@pytest.mark.parametrize("kind", ["as it is", "single stage", "finished"])
def test_the_precision_is_that_of_the_exact_interval(made, kind):
    case, document = made(kind)
    facts, frame = Facts(case), table(document, "precision").frame
    assert facts.level == (0.9 if kind == "finished" else 0.95)
    last = frame[frame.n == case.n]
    for row in last.itertuples():
        found = inference.analyze(case.chosen, row.responses, 0.1, len(case.chosen.looks), facts.level)
        assert (row.low, row.high) == found.intervals["exact"]
        assert row.half_width == (row.high - row.low) / 2
    bound = case.chosen.looks[-1].r
    assert {bound, bound + 1} <= set(last.responses)
    assert last[last.expected].responses.tolist() == [int(case.n * 0.3 + 0.5)]


def test_without_an_interim_analysis_the_interval_is_that_of_clopper_and_pearson(made):
    case, document = made("single stage")
    for row in table(document, "precision").frame.itertuples():
        low, high = clopper_pearson(row.responses, case.n, 0.025)
        assert (row.low, row.high) == pytest.approx((float(low), float(high)), abs=1e-9)  # root finding to 1e-12
        assert row.estimate == pytest.approx(row.responses / case.n, abs=1e-12)


def test_the_power_under_other_dropout_is_the_power_at_the_thinned_rate(made):
    case, document = made("as it is")
    frame = table(document, "other_dropout").frame
    for lost, row in zip((0, 0.05, 0.1, 0.2), frame.itertuples(), strict=False):
        exact = operating_characteristics(case.chosen, [0.1 * (1 - lost), 0.3 * (1 - lost)]).reject
        assert (row.type_i_error, row.power) == pytest.approx(tuple(exact), abs=1e-12)
    assert table(document, "other_dropout").chosen == [False, False, True, False, False, False]


def test_p0_among_all_enrolled_keeps_the_type_i_error_under_any_dropout(made):
    frame = table(made("p0 among enrolled")[1], "other_dropout").frame
    assert frame.type_i_error.to_numpy() == pytest.approx(np.full(len(frame), frame.type_i_error[0]), abs=1e-10)
    assert table(made("p0 among evaluable")[1], "other_dropout").frame.type_i_error.nunique() > 3


def test_replacing_keeps_both_errors_under_dropout_that_ignores_response(made):
    frame = table(made("replaced")[1], "other_dropout").frame
    assert frame.power[:4].nunique() == 1
    assert frame.power[4] > frame.power[0] > frame.power[5]


@pytest.mark.parametrize("kind", ["as it is", "three looks with efficacy", "single stage", "700 patients"])
def test_alpha_and_power_hold_for_the_rates_that_are_stated(made, kind):
    case, document = made(kind)
    asked = case.requirements
    largest, least = deviations.keeping(case.chosen, asked)
    low, high = operating_characteristics(case.chosen, [largest, largest + 0.001]).reject
    assert low <= asked.alpha < high
    low, high = operating_characteristics(case.chosen, [least - 0.001, least]).reject
    assert low < asked.power <= high
    assert f"up to {100 * largest:.6g}%, and at least" in said(document, "10.11")


def test_a_futility_bound_that_is_ignored_gives_the_single_stage_error(made):
    case, document = made("as it is")
    alone = sum(comb(25, x) * Fraction(1, 10) ** x * Fraction(9, 10) ** (25 - x) for x in range(6, 26))
    assert f"the type I error would be {percent(float(alone))}, within the limit" in said(document, "10.10")
    assert decimal(case.requirements.alpha) > alone


def test_a_futility_bound_that_is_needed_is_named(made):
    assert "which exceeds the limit" in said(made("recalculated bounds")[1], "10.10")


def test_the_assurance_is_the_mean_over_the_distribution(made):
    case, document = made("as it is")
    p = (np.arange(20000) + 0.5) / 20000
    density = p**10 * (1 - p) ** 22
    reject = operating_characteristics(case.chosen, p * 0.9).reject
    mean = float((reject * density).sum() / density.sum())
    assert f"the probability of success of the trial as it is run is {percent(mean)}" in said(document, "10.11")


def test_stopping_probabilities_are_those_of_the_way_in_which_limits_hold(made):
    for kind in ("as it is", "three looks with efficacy"):
        case, document = made(kind)
        frame = table(document, "interim_analyses").frame
        exact = operating_characteristics(case.chosen, [0.1, 0.3]).pet_by_look
        np.testing.assert_array_equal(frame[["stop_p0", "stop_p1"]].to_numpy().T, exact)
    case, document = made("p0 among enrolled")
    exact = operating_characteristics(case.chosen, [0.1, 0.27]).pet
    found = table(document, "interim_analyses").frame[["stop_p0", "stop_p1"]].to_numpy()
    np.testing.assert_allclose(found[0], exact, atol=1e-12)  # 0.3 (1 - 0.1) is rounded


def test_the_toxicity_is_a_binomial_tail(made):
    tail = {
        rate: sum(comb(25, x) * Fraction(rate) ** x * (1 - Fraction(rate)) ** (25 - x) for x in range(13, 26))
        for rate in ("0.35", "0.5")
    }
    text = said(made("as it is")[1], "10.7")
    assert f"has the probability {percent(float(tail['0.35']))} if the true rate is 35%" in text
    assert f"and {percent(float(tail['0.5']))} if it is 50%" in text


# formulas


def b(x, n, p):
    return comb(n, x) * p**x * (1 - p) ** (n - x) if 0 <= x <= n else 0.0


def B(x, n, p):  # noqa: N802 - as in the formula
    return sum(b(k, n, p) for k in range(min(x, n) + 1))


@pytest.mark.parametrize("looks", ["1/15,5/25", "1:5/10,5/29", ":5/10,5/25", "5/25"])
def test_the_formula_of_two_looks_computes_the_power(looks):
    design, p = parse_looks(looks), 0.27
    (line,) = formulas.power(design)
    right = line.text.split(" = ", 1)[1]
    term, _, span = right.partition(",  x = ")
    early, _, inner = term.partition("Σ")
    low, high = re.findall(r"\d+", span) or (0, 0)

    def value(text, x=0):
        python = re.sub(r"\)\s*\[", ") * (", text).replace("]", ")").replace(";", ",")
        return eval(python, {"b": b, "B": B, "p": p, "x": x})

    total = value(early.strip().rstrip("+") or "0")
    if inner:
        total += sum(value(inner.strip(), x) for x in range(int(low), int(high) + 1))
    assert total == pytest.approx(float(operating_characteristics(design, p).reject), abs=1e-12)


@pytest.mark.parametrize("looks", ["1:5/10,3:7/20,6/30", "0/10,/15,5/25", "0/5,1/10,:6/15,5/25"])
def test_the_recursion_of_more_looks_computes_the_power(looks):
    design, p = parse_looks(looks), 0.27
    first, *steps, last = [line.text for line in formulas.power(design)]
    (n,) = re.findall(r"b\(x; (\d+), p\)", first)
    laws = [{x: b(x, int(n), p) for x in range(int(n) + 1)}]
    for step in steps:
        added, low, high = map(int, re.search(r"b\(s - x; (\d+), p\),  x = (\d+), ..., (\d+)", step).groups())
        before, sizes = laws[-1], len(laws[-1]) + added
        laws.append(
            {s: sum(before[x] * b(s - x, added, p) for x in range(low, high + 1) if x in before) for s in range(sizes)}
        )
    total = 0.0
    for k, sign, bound in re.findall(r"f(\d)\(x\) for x (>=|>) (\d+)", last):
        total += sum(v for x, v in laws[int(k) - 1].items() if x >= int(bound) + (sign == ">"))
    assert total == pytest.approx(float(operating_characteristics(design, p).reject), abs=1e-12)


def test_many_looks_are_written_in_general_terms(made):
    case, document = made("twelve looks")
    assert [line.text for line in formulas.power(case.chosen)] == list(formulas.GENERAL)
    assert list(table(document, "operating_characteristics").shown) == ["p", "reject", "pet", "en"]
    assert len(table(document, "interim_analyses").frame) == 11


@pytest.mark.parametrize("looks", ["1/15,5/25", "1:5/10,5/29", ":5/10,5/25"])
def test_the_formula_of_the_expected_size_computes_it(looks):
    design, p = parse_looks(looks), 0.27
    (line,) = formulas.expected(design)
    pet, en = re.fullmatch(r"PET\(p\) = (.*),  EN\(p\) = (.*)", line.text).groups()
    known = {"b": b, "B": B, "p": p}
    early = eval(pet.replace(";", ","), known)
    expected = eval(re.sub(r"(\d) \[", r"\1 * (", en).replace("]", ")").replace("PET(p)", "early"), {"early": early})
    exact = operating_characteristics(design, p)
    assert (early, expected) == pytest.approx((float(exact.pet), float(exact.en)), abs=1e-12)


# what is missing


def test_what_the_file_does_not_state_is_listed_once_a_section(made):
    listed = made("as it is")[1].to_complete()
    assert ("10.9", "who reviews the interim analyses") in [(one["section"], one["missing"]) for one in listed]
    assert len(listed) == len({(one["section"], one["missing"]) for one in listed})


def test_a_filled_file_has_nothing_to_complete(base):
    document = protocol.of(Case.of(changed(base, FILLED)))
    assert document.to_complete() == []
    whole = json.dumps(document.plain())
    for text in FILLED["protocol"].values():
        assert text.rstrip(".") in whole


@pytest.mark.parametrize("key", list(FILLED["protocol"]))
def test_each_text_fills_what_it_is_for(base, key):
    texts = {name: text for name, text in FILLED["protocol"].items() if name != key}
    missing = protocol.of(Case.of(changed(base, FILLED | {"protocol": texts}))).to_complete()
    assert len(missing) == 1


def test_every_text_of_the_file_stands_in_the_document(base):
    words = {name: f"Stated as {name}" for name in ProtocolTexts.model_fields if name != "duration_of_response"}
    document = protocol.of(Case.of(changed(base, {"protocol": words | {"duration_of_response": True}})))
    whole = json.dumps(document.plain())
    assert all(text in whole for text in words.values())
    assert section(document, "10.5.5").title == "Duration of response"


def test_without_earlier_results_their_place_is_marked(made):
    text = said(made("no conduct, no evidence")[1], "10.11")
    assert "earlier studies from which p0 and p1 are taken, with citations" in placeholders(text)
    assert "expected dropout, and how it enters the number of patients" in placeholders(text)


# what is said


def test_a_design_that_misses_its_limits_is_not_ready(made):
    document = made("limits missed")[1]
    assert document.lead[0].startswith("NOT READY FOR A PROTOCOL: this design does not meet its limits: its power of ")
    assert said(document, "10.11").startswith("NOT READY FOR A PROTOCOL")
    assert not made("as it is")[1].lead[0].startswith("NOT READY")


@pytest.mark.parametrize("kind", ["single stage", "one patient"])
def test_without_interim_analysis_none_is_planned(made, kind):
    document = made(kind)[1]
    assert said(document, "10.9") == "No interim analysis is planned."
    assert said(document, "4.3").startswith("No interim analysis is planned")
    assert "UMVUE" not in said(document, "10.4.1.1")


def test_stopping_rules_are_those_of_the_interim_analyses(made):
    case, document = made("three looks with efficacy")
    rules = said(document, "4.3")
    frame = table(document, "interim_analyses").frame
    for look, row in zip(case.chosen.looks, frame.itertuples(), strict=False):
        stop = (
            f"{look.n} patients the trial stops for futility with {row.futility} and for efficacy with {row.efficacy}."
        )
        assert stop in rules


def test_secondary_endpoints_are_those_of_the_file(made):
    titles = [chapter.title for chapter in made("as it is")[1].chapters if chapter.code == "C218637"]
    assert titles == [
        "Disease control rate",
        "Complete response rate",
        "Progression-free survival (PFS)",
        "Overall survival (OS)",
    ]
    bare = made("no conduct, no evidence")[1]
    assert not [chapter for chapter in bare.chapters if chapter.number.startswith(("10.5.", "10.7"))]


def test_a_number_that_is_not_the_registered_one_is_named(made):
    assert "exceeds the registered enrollment of 25 by 7 patients" in said(made("single stage")[1], "10.11")
    assert "equals the registered enrollment" in said(made("as it is")[1], "10.11")
    given = said(made("three looks with efficacy")[1], "10.11")
    assert "not derived from the limits by a search" in given
    assert "The smallest two-stage design that meets the limits is 1/15, 5/25" in given


def test_the_earlier_results_are_pooled_with_their_prior(made):
    text = said(made("as it is")[1], "10.11")
    assert "Together, 130 of 713 patients responded" in text
    assert "The prior distribution is uniform for the mean of the true rates" in text
    assert text.count("a type I error of at most") == 0
    assert table(made("as it is")[1], "prior_studies").view()["Source"].str.len().min() > 0


def test_the_simulation_report_is_named_only_where_something_is_simulated(made):
    assert SIMULATION_REPORT == simulation.NAME
    assert "simulation_report.docx" in said(made("as it is")[1], "10.11")
    assert "No simulation is used." in said(made("no conduct, no evidence")[1], "10.11")


def test_analysis_sets_follow_the_handling_of_dropout(made):
    def primary(kind):
        frame = table(made(kind)[1], "analysis_sets").frame
        return frame[frame.set == "Primary analysis set"].definition.item()

    assert "first 25 enrolled patients, with or without a response assessment" in primary("as it is")
    assert "with a response assessment, in the order of enrollment" in primary("replaced")
    assert "without those who have no response assessment" in primary("recalculated bounds")
    assert placeholders(primary("no conduct, no evidence"))


def test_other_strategies_than_the_handling_stand_in_the_analysis_set(base):
    events = {"death": {"probability": 0.05}, "withdrawal": {"probability": 0.05, "strategy": "replaced"}}
    document = protocol.of(Case.of(changed(base, {"estimand": {"events": events}})))
    frame = table(document, "analysis_sets").frame
    assert "withdrawal before the first assessment: the patient does not count and is replaced" in " ".join(
        frame.definition
    )


def test_the_check_of_a_stated_section_finds_what_the_file_asks(root, tmp_path):
    asked = Case.of(params.read(root / "params/smoke.yaml")[0])
    document = protocol.of(asked)
    text_alone = tuple(replace(chapter, blocks=_texts(chapter)) for chapter in document.chapters)
    path = tmp_path / "protocol.docx"
    path.write_bytes(word.docx(replace(document, chapters=text_alone)))
    chosen = source.read(path)
    assert chosen.heading.startswith("10.11 ")
    found = {one.name: one.value for one in elements.read(chosen.text).elements if one.status == "found"}
    wanted = {"p0": 0.2, "p1": 0.6, "alpha": 0.1, "sidedness": 1, "power": 0.8, "dropout": 0.1}
    assert {name: found.get(name) for name in wanted} == wanted
    assert found["rule"]["looks"] == looks_text(asked.chosen)


# SPIRIT


def test_an_element_is_covered_by_a_sentence_that_stands_in_the_document(made):
    for kind in ("as it is", "no conduct, no evidence", "single stage"):
        document = made(kind)[1]
        for one in spirit.coverage(document.chapters):
            assert one.covered == (one.sentence != "")
            assert not one.covered or one.sentence in said(document, one.section)
            assert not placeholders(one.sentence)


def test_what_is_to_be_completed_covers_nothing(made):
    def missing(kind):
        return {one.element for one in spirit.coverage(made(kind)[1].chapters) if not one.covered}

    assert missing("as it is") == set()
    assert missing("no conduct, no evidence") == {
        "The reason for these rates",
        "Earlier studies behind the rates",
        "Dropout and missing assessments",
        "Patients to be enrolled and screened",
    }
    shown = table(made("no conduct, no evidence")[1], "spirit").frame
    assert (shown.sentence == "not covered").sum() == 4


# the section of the file


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        ({"sap": ""}, "trial.protocol.sap"),
        ({"softwear": "R"}, "did you mean software?"),
        ({"duration_of_response": "yes"}, "is neither true nor false"),
        ({"integrity": "x" * 1501}, "trial.protocol.integrity"),
        ({"safety": "a\x07b"}, "control character"),
    ],
)
def test_a_wrong_text_is_one_line_with_its_key(base, texts, line):
    with pytest.raises(InputError) as caught:
        changed(base, {"protocol": texts})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_texts_change_no_number(base, made):
    case = Case.of(changed(base, FILLED))
    assert case.chosen.looks == made("as it is")[0].chosen.looks


def test_every_key_of_the_section_is_described():
    schema = params.json_schema()["$defs"]["ProtocolTexts"]["properties"]
    assert all(len(one["description"]) > 15 for one in schema.values())


def test_the_example_names_every_key(root):
    text = (root / "params/example.yaml").read_text(encoding="utf-8")
    assert all(re.search(rf"^  #   {key}: ", text, re.MULTILINE) for key in ProtocolTexts.model_fields)


def test_rates_of_tables_are_written_as_everywhere(made):
    view = table(made("as it is")[1], "precision").view()
    assert view["Lower limit"].iloc[-1] == rate(table(made("as it is")[1], "precision").frame.low.iloc[-1])


@pytest.mark.parametrize("words", template.UNTOUCHED)
def test_the_words_of_the_template_are_no_reason(base, words):
    document = protocol.of(Case.of(changed(base, {"hypotheses.rationale": f"{words}\n"})))
    assert words not in json.dumps(document.plain())
    assert any(one["missing"].startswith("reason for p0 = ") for one in document.to_complete())
