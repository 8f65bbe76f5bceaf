"""Where p0 of a parameter file comes from: which results are pooled, what is said, and `simtrial evidence`."""

import json

import numpy as np
import pytest

from simtrial.cli.app import main
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.history import figures, origin, tables, text
from simtrial.history.studies import counts_of, earlier, pooled
from simtrial.show.passage import Passage
from simtrial.trial import params
from simtrial.trial.case import Case

RESULT = {"treatment": "A", "setting": "B", "source": "C"}


@pytest.fixture(scope="module")
def plain(root):
    return params.load(root / "params/NCT07022301.yaml").plain()


@pytest.fixture(scope="module")
def case(plain):
    return Case.of(params.load(plain))


def with_results(plain, *results, **changes):
    """The case with other earlier results, on paper."""
    kept = {key: value for key, value in plain.items() if key not in ("conduct", "evidence")}
    design = {"criterion": "minimax"}
    return Case.of(params.load(kept | {"design": design, "evidence": [RESULT | one for one in results]} | changes))


def written(path, case):
    path.write_text(params.written(case.trial), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("places", [0, 1])
def test_every_count_is_among_those_that_its_rounded_percentage_allows(places):
    for n in range(1, 130):
        for x in range(n + 1):
            percent = round(100 * x / n, places)
            fits = counts_of(percent, n)
            assert x in fits
            shown = len(f"{percent:.12g}".partition(".")[2])
            assert all(abs(100 * k / n - percent) <= 0.5 * 10**-shown + 1e-9 for k in fits)
            neighbours = [k for k in (fits[0] - 1, fits[-1] + 1) if 0 <= k <= n]
            assert all(abs(100 * k / n - percent) > 0.5 * 10**-shown - 1e-9 for k in neighbours)


def test_a_percentage_that_no_count_gives_has_none():
    assert list(counts_of(4.8, 38)) == []
    assert list(counts_of(0, 30)) == [0]
    assert list(counts_of(100, 30)) == [30]
    assert list(counts_of(1e-7, 30)) == []


def test_a_count_is_derived_only_where_one_alone_fits(case):
    found = {one.treatment.partition(" (")[0]: one for one in earlier(case.trial)}
    assert (found["Any second-line treatment"].responders, found["Any second-line treatment"].pooled) == (24, True)
    control = found["Topotecan, lurbinectedin or amrubicin"]
    assert (control.responders, control.interval, control.pooled) == (None, None, False)
    assert control.why == "not published: from 50 to 52 responders can be 20% of 255 patients"
    assert control.rate == 0.2


def test_only_results_on_p0_are_pooled(case):
    assert pooled(earlier(case.trial)).total == (130, 713)
    assert {one.about for one in origin.of(case).studies} == {"p0", "p1", "other"}


def test_a_result_that_does_not_state_what_it_is_evidence_of_counts_for_p0(plain):
    found = with_results(plain, {"n": 20, "responders": 2}, {"n": 30, "responders": 6, "about": "p1"})
    assert pooled(earlier(found.trial)).total == (2, 20)
    assert "1 earlier result is taken as evidence of p0 because nothing else is stated." in str(text.history(found))
    silent = with_results(plain, {"n": 20, "responders": 2}, {"n": 30, "responders": 6})
    assert pooled(earlier(silent.trial)).total == (8, 50)
    assert "does not state which earlier results are evidence of p0, so all of them are taken." in str(
        text.history(silent)
    )


def test_an_unknown_word_for_what_a_result_is_evidence_of_is_refused(plain):
    with pytest.raises(InputError) as told:
        with_results(plain, {"n": 20, "responders": 2, "about": "p2"})
    assert str(told.value).startswith("trial.evidence.0.about ('p2') is unknown; write 'p0', 'p1' or 'other'")


def test_the_numbers_of_an_origin_are_those_of_its_design(case):
    found = origin.of(case)
    oc = operating_characteristics(case.chosen, [0.1, 130 / 713])
    assert found.at(np.array([0.1, 130 / 713])) == pytest.approx(oc.reject)
    assert found.share == 0.9  # 10% dropout; p0 is read as the rate of evaluable patients, the design being on paper
    assert found.at_run(0.1) == pytest.approx(float(operating_characteristics(case.chosen, 0.09).reject))
    assert found.largest_run == pytest.approx(found.largest / 0.9)
    assert origin.of(case).history is found.history


def test_as_run_is_left_out_where_it_is_no_rescaling(plain):
    for changes, share in (
        ({}, 0.9),
        ({"responder_odds_ratio": 2}, None),
        ({"handling": "replace"}, 1.0),
        ({"handling": "exclude", "bounds": "recut"}, None),
        ({"handling": "exclude", "bounds": "fixed"}, 0.9),
        ({"probability": 0}, 1.0),
    ):
        conduct = plain["conduct"] | {"dropout": plain["conduct"]["dropout"] | changes}
        found = origin.of(Case.of(params.load(plain | {"conduct": conduct})))
        assert (found.share, found.left_out) == (share, share is None)
        assert ("as the trial is run they differ" in " ".join(text.consequence(found))) == (share is None)
    enrolled = plain | {"hypotheses": plain["hypotheses"] | {"p0_among": "enrolled"}}
    assert origin.of(Case.of(params.load(enrolled))).share == 1.0


def test_sentences_say_what_follows_if_the_history_is_wrong(case):
    said = str(text.history(case))
    for part in (
        "9 earlier results are evidence of p0; the number of responders is known for 8 of them",
        "Together, 130 of 713 patients responded (18.2%, exact 95% interval 15.5% to 21.3%).",
        "Not pooled: Topotecan, lurbinectedin or amrubicin (DeLLphi-304 control) (not published",
        "The observed rates differ by more than chance explains",
        "The true rate exceeds p0 with probability 75.4% (78.1% by maximum likelihood).",
        "is the pooled rate, 18.2%, a new treatment that is no better is declared a success with probability 29.5%",
        "The decision rule has a type I error of at most 5% up to a true rate of 11.1% (up to 12.3% with the assumed",
    ):
        assert part in said


def test_the_sentences_for_a_protocol_name_studies_risk_and_limit(case, plain):
    sentences = text.protocol_sentences(case)
    assert all(one.endswith(".") for one in sentences)
    said = " ".join(sentences)
    assert "3 earlier results on p1 = 30% have response rates from 32.4% to 50.0%." in said
    assert "29.5% if their true rate is the pooled one, and with probability 33.3% averaged over" in said
    assert len(text.protocol_sentences(with_results(plain))) == 2


@pytest.mark.parametrize(
    ("results", "part"),
    [
        ([], "gives no earlier results"),
        (
            [{"n": 255, "orr_percent": 20}],
            "1 earlier result is evidence of p0, but no number of responders is known for it",
        ),
        (
            [{"n": 9, "responders": 1, "about": "p1"}],
            "No earlier result of the parameter file is stated to be evidence of p0.",
        ),
        ([{"n": 45, "responders": 5}], "One study does not show how much true rates differ"),
        (
            [{"n": 45, "responders": 0}, {"n": 30, "responders": 0}],
            "These counts do not show how much true rates",
        ),
        ([{"n": 20, "responders": 2}] * 5, "the true rates do not differ between studies"),
        ([{"n": 20, "responders": 0}, {"n": 20, "responders": 20}], "differ by more than chance explains (p < 0.0001"),
        ([{"n": 12}], "no number of responders is known"),
        ([{"n": 100_000, "responders": 9_000}, {"n": 3, "responders": 3}], "differ by more than chance explains"),
    ],
)
def test_any_evidence_has_sentences_tables_figures_and_json(plain, results, part, tmp_path, capsys):
    case = with_results(plain, *results)
    said = str(text.history(case))
    assert part in said
    assert "nan" not in said
    for table in (tables.studies(case), tables.prior_studies(case), tables.history(case), tables.wrong_history(case)):
        assert "nan" not in table.html()
    for picture in (figures.forest(case), figures.wrong_history(case)):
        assert isinstance(picture, Passage) or picture.svg()
    assert main(["evidence", written(tmp_path / "x.yaml", case), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["studies"]) == len(results)
    assert found["words"] == said
    assert (found["pooled"] is None) == (found["beta_binomial"] is None) == (found["p_p0_below_true_rate"] is None)


def test_the_json_has_every_digit_and_the_curve(root, capsys):
    file = str(root / "params/NCT07022301.yaml")
    assert main(["evidence", file, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pooled"] == {"studies": 8, "responders": 130, "n": 713, "rate": 130 / 713,
                               "interval": found["pooled"]["interval"]}  # fmt: skip
    ml = found["beta_binomial"]["ml"]
    assert ml["rho"] == pytest.approx(1 / (ml["a"] + ml["b"] + 1), rel=1e-12)
    assert found["beta_binomial"]["bayes"]["prior"] == {"mean": "Uniform(0, 1)", "rho": "Beta(1, 9)"}
    errors = found["type_i_error"]
    assert errors["at_p0"] == pytest.approx(0.0328, abs=5e-5)
    curve = {round(one["p"], 2): one["reject"] for one in errors["curve"]}
    assert curve[0.1] == pytest.approx(errors["at_p0"], rel=1e-12)
    assert curve[0.0] == 0
    assert errors["at_p0"] < errors["averaged_ml"] < errors["averaged_bayes"]
    assert 0.1 < found["largest_p0"] < found["largest_p0_as_run"]
    assert found["looks"] == [{"n": 15, "r": 1, "e": None}, {"n": 25, "r": 5, "e": None}]


def test_the_command_prints_tables_and_words(root, capsys):
    assert main(["evidence", str(root / "params/NCT07022301.yaml")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in ("Evidence of", "0.144 to 0.304", "By maximum likelihood", "0.0526", "the pooled rate", "18.2%"):
        assert part in said


def test_without_earlier_results_that_is_said_once_and_what_follows_is_still_computed(root, capsys):
    assert main(["evidence", str(root / "params/smoke.yaml")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("no earlier results") == 1
    assert "The decision rule has a type I error of at most 10% up to a true rate of 21.3%." in said


def test_a_file_that_is_not_there_is_one_line(capsys):
    assert main(["evidence", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_hundreds_of_studies_are_drawn_in_part_and_counted_whole(plain):
    rng = np.random.default_rng(2)
    results = [{"n": int(n), "responders": int(rng.binomial(n, 0.15))} for n in rng.integers(10, 99, 500)]
    case = with_results(plain, *results)
    assert len(origin.of(case).history.counts.n) == 500
    picture = figures.forest(case)
    assert f"{500 - figures.MOST_STUDIES} results without a rate or of fewer patients are not drawn." in picture.caption
