"""The final analysis put together: counts, patients and files; the command line; tables, figures and sentences."""

import dataclasses
import json
import math

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, TwoStage, parse_looks, search
from simtrial.analysis import conditional, dossier, inference
from simtrial.analysis import figures as analysis_figures
from simtrial.analysis import final as analysis_final
from simtrial.analysis import tables as analysis_tables
from simtrial.analysis import text as analysis_text
from simtrial.analysis.attained import Attained, Planned
from simtrial.cli.app import main
from simtrial.design import exact
from simtrial.trial import params  # fmt: skip
from simtrial.validation import analysis as validation_analysis

TWO = TwoStage(1, 10, 5, 29)


def answer(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def report(root):
    case = params.load(root / "params/NCT07022301.yaml")
    return dossier.of_trial(case, search.choose(case.requirements, case.wish))


def with_results(root, tmp_path, results):
    text = (root / "params/NCT07022301.yaml").read_text(encoding="utf-8")
    path = tmp_path / "trial.yaml"
    path.write_text(text.replace("  evidence:\n", f"  analysis: {results}\n  evidence:\n", 1), encoding="utf-8")
    return path


def test_the_command_line_gives_the_promised_json(capsys):
    found = answer(capsys, "analyze", "--looks", "1/10,5/29", "--p0", "0.1", "--responses", "6", "--level", "0.9")
    assert list(found) == ["reject", "p_value", "stage", "estimates", "intervals", "level"]
    names = ["mle", "umvue", "umvcue", "median_unbiased", "bias_subtracted", "bias_adjusted"]
    assert list(found["estimates"]) == names
    assert list(found["intervals"]) == ["exact", "koyama_chen", "mid_p", "naive"]
    planned = inference.analyze(TWO, 6, 0.1, 2, 0.9)
    assert (found["reject"], found["stage"], found["level"]) == (True, 2, 0.9)
    assert found["p_value"] == planned.p_value
    assert found["estimates"] == {name: planned.estimates[name] for name in names}
    assert found["intervals"] == {name: list(limits) for name, limits in planned.intervals.items()}


def test_other_sizes_on_the_command_line_follow_koyama_and_chen(capsys):
    found = answer(
        capsys, "analyze", "--looks", "6/19,16/39", "--p0", "0.3", "--responses", "17", "--first-stage", "7",
        "--attained", "19,42", "--level", "0.9",
    )  # fmt: skip
    assert not found["reject"]
    assert round(found["p_value"], 6) == 0.082787
    assert [round(v, 5) for v in found["intervals"]["koyama_chen"]] == [0.28207, 0.54604]
    assert round(found["estimates"]["median_unbiased"], 5) == 0.40461
    assert [one["rule"] for one in found["rules"]] == ["Koyama-Chen", "recut", "planned bounds"]


def test_naming_the_planned_sizes_changes_nothing():
    plain = analysis_final.final(TWO, 0.1, 6)
    assert analysis_final.final(TWO, 0.1, 6, first_stage=2, attained=(10, 29)) == plain
    assert analysis_final.final(TWO, 0.1, 1, attained=(10,)) == analysis_final.final(TWO, 0.1, 1, stage=1)


@pytest.mark.parametrize(("n", "x"), [(7, 0), (7, 2), (7, 7), (10, 4), (12, 5)])
def test_a_trial_that_accrual_ended_is_one_sample_with_the_type_i_error_of_the_plan(n, x):
    found = analysis_final.final(TWO, 0.1, x, attained=(n,))
    planned = float(exact.operating_characteristics(TWO, 0.1).reject)
    if x <= 1:  # the look would have stopped it as well
        assert not found.closed
        return
    assert found.closed
    assert found.rule.rule == "recut"
    assert found.rule.type_i_error <= planned
    assert found.result.reject == (x > found.rule.r)
    assert found.result.p_value == pytest.approx(stats.binom.sf(x - 1, n, 0.1), rel=1e-12)
    assert found.result.estimates["umvue"] == pytest.approx(x / n, rel=1e-12)


def test_a_trial_ends_at_the_look_that_stops_it_and_says_who_came_later():
    # 1 of 10 is <= 1: P(X >= 1; 10, .1) = 1 - .9^10, whatever was analysed afterwards
    for sizes in ((10, 27), (10, 29)):
        found = analysis_final.final(TWO, 0.1, 9, first_stage=1, attained=sizes)
        assert found.result == analysis_final.final(TWO, 0.1, 1, stage=1).result
        assert not found.result.reject
        assert found.result.p_value == pytest.approx(1 - 0.9**10, rel=1e-12)
        assert (found.after, found.after_responses) == (sizes[1] - 10, 8)
        assert analysis_text.not_counted(found) == (
            f"{sizes[1] - 10} patients were enrolled after the look that ended the trial (8 of them responded) and do "
            "not count in this analysis."
        )


def test_a_trial_decided_at_its_first_look_is_estimated_from_all_of_its_patients():
    found = analysis_final.final(TWO, 0.1, 6, first_stage=6, attained=(10, 35), p1=0.3, alpha=0.05)
    assert found.result.reject
    assert "H0 is rejected at the first look" in found.rule.why
    at_sizes = inference.analyze(TwoStage(1, 10, 5, 35), 6, 0.1, 2)
    assert found.result.estimates["median_unbiased"] == at_sizes.estimates["median_unbiased"]
    assert found.result.p_value == at_sizes.p_value


def sentence(root, tmp_path, results, looks="1/15,5/25"):
    case, _ = params.read(with_results(root, tmp_path, results))
    return str(analysis_text.sentence(dossier.of_trial(case, parse_looks(looks))))


def test_the_sentence_says_how_the_trial_went(root, tmp_path):
    deviating = sentence(root, tmp_path, "{responses: 6, first_stage: 3, attained: [15, 27]}")
    assert "Looks were taken at 15 and 27 patients (planned: 15 and 25)" in deviating
    assert "At least 7 responses were then needed to reject H0 by Koyama and Chen's method, given 3" in deviating
    assert "Koyama and Chen's method, to be compared with the planned type I error 0.0328" in deviating
    stopped = sentence(root, tmp_path, "{responses: 1}")
    assert "The trial stopped for futility at look 1." in stopped
    closed = sentence(root, tmp_path, "{responses: 2, attained: [7]}")
    assert "Accrual closed after 7 patients, before the first look was due at 15" in closed
    assert "adjusted" not in closed
    one_sided = sentence(root, tmp_path, "{responses: 7, sides: 1}")
    assert "one-sided 95% lower confidence limit" in one_sided
    clash = sentence(root, tmp_path, "{responses: 6}")
    assert "the one-sided test has a larger tail probability than this interval)." in clash
    assert "the test is one-sided" not in sentence(root, tmp_path, "{responses: 6, level: 0.9}")
    other = sentence(root, tmp_path, "{responses: 6, first_stage: 3, attained: [15, 27], level: 0.9}")
    assert "the one-sided test has a smaller tail probability than this interval" in other


def test_tables_of_synthetic_patients_say_so_in_their_csv_too(report):
    for table in (analysis_tables.disposition, analysis_tables.estimates, analysis_tables.secondary):
        assert set(table(report).frame.data) == {"synthetic data"}


def test_a_one_sided_limit_of_other_sizes_spends_all_on_one_side():
    seen = Attained(19, 42, 7, 17)
    found = analysis_final.final(
        parse_looks("6/19,16/39"), 0.3, 17, first_stage=7, attained=(19, 42), level=0.95, sides=1
    )
    low, high = found.result.intervals["koyama_chen"]
    assert high == 1
    assert conditional.conditional_p_value(Planned(6, 19, 16, 39), seen, low) == pytest.approx(0.05, abs=1e-9)


@pytest.mark.long
def test_every_size_and_outcome_near_the_plan_has_an_answer():
    for n1 in (8, 10, 12):
        for n in (n1 + 1, 26, 29, 31):
            for x1, x in ((0, 0), (1, 2), (3, 3), (n1, n)):
                if (n1, n) == (10, 29) and x1 < 2:
                    continue  # sizes as planned, but the design would have stopped: refused, see below
                found = analysis_final.final(TWO, 0.1, x, first_stage=x1, attained=(n1, n), p1=0.3, alpha=0.05)
                result = found.result
                assert 0 <= result.p_value <= 1
                assert all(low <= (1 if high is None else high) for low, high in result.intervals.values())
                # the look that should have stopped it is the end, with nothing to recalculate at its planned size
                assert (found.rule is None) == (n1 == 10 and (n == 29 or x1 < 2))
                assert found.rule is None or result.reject == bool(found.rule.reject)
        for x in (0, 1, 2, 5):
            found = analysis_final.final(TWO, 0.1, x, attained=(n1,), p1=0.3, alpha=0.05) if n1 != 10 else None
            assert found is None or found.result.stage == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"responses": 6, "attained": (10, 27)},
            "first_stage is missing; give the responses among the first 10, as the numbers differ from the plan",
        ),
        ({"responses": 6, "attained": (10, 27, 30)}, "attained holds 3 numbers; the design has 2"),
        ({"responses": 6, "attained": (10, 27), "stage": 1}, "stage (1) is not 2, the number of sizes attained"),
        (
            {"responses": 6, "attained": (10, 9), "first_stage": 2},
            "attained (10,9) does not increase from look to look",
        ),
        ({"responses": 6, "attained": (0, 9), "first_stage": 2}, "attained (0) is below 1"),
        ({"responses": 6, "first_stage": 1}, "first_stage (1) of 10 would have ended 1/10, 5/29 at its first look"),
        (
            {"responses": 2, "attained": (13,), "first_stage": 1},
            "first_stage (1) is not the number of responses (2), although there was one look",
        ),
        ({"responses": 14, "attained": (13,)}, "responses (14) is above 13, the number of patients analysed"),
        ({"responses": 6, "attained": (10, 27), "first_stage": 2, "p1": 0.05}, "p1 (0.05) is not above p0 (0.1)"),
        ({"responses": 1, "attained": (10, 29)}, "responses (1) cannot end 1/10, 5/29 at look 2"),
        ({"responses": 25, "first_stage": 4}, "responses (25) is above 23: 4 at the first look and 19 patients since"),
        ({"responses": 6, "first_stage": 7}, "first_stage (7) is above 6, the most that is possible"),
        (
            {"responses": 1, "first_stage": 0},
            "first_stage (0) is not the number of responses (1), although the trial ended at its first look",
        ),
    ],
)
def test_counts_that_contradict_each_other_are_refused(arguments, said):
    with pytest.raises(InputError) as caught:
        analysis_final.final(TWO, 0.1, **arguments)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--p0", "0.1", "--responses", "6"], "looks is missing"),
        (["--looks", "1/10,5/29", "--responses", "6"], "p0 is missing"),
        (["--looks", "1/10,5/29", "--p0", "0.1"], "responses is missing"),
        (
            ["--looks", "1/10,5/29", "--p0", "0.1", "--responses", "6", "--attained", "10;27"],
            "Invalid value for '--attained': '10;27' is not a whole number",
        ),
        (
            ["--looks", "1/10,5/29", "--p0", "0.1", "--responses", "6", "--patients", "x.csv"],
            "responses is counted from",
        ),
        (["--looks", "1/10,5/29", "--p0", "0.1", "--patients", "nowhere.csv"], "nowhere.csv"),
        (["params/smoke.yaml", "--p0", "0.1"], "analyze has results from two places"),
        (["params/NCT07022301.yaml"], "params/NCT07022301.yaml: trial.analysis is missing"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(capsys, monkeypatch, root, arguments, said):
    monkeypatch.chdir(root)
    assert main(["analyze", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith(f"simtrial: {said}")


def test_the_patients_of_a_file_are_analysed_where_the_parameter_file_stands(root, tmp_path, capsys):
    assert main(["synthetic", str(root / "params/NCT07022301.yaml")]) == 0
    (tmp_path / "patients.csv").write_text(capsys.readouterr().out, encoding="utf-8")
    path = with_results(root, tmp_path, "{patients: patients.csv}")
    found = answer(capsys, "analyze", str(path))
    same = answer(
        capsys, "analyze", "--looks", "1/15,5/25", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--patients",
        str(tmp_path / "patients.csv"),
    )  # fmt: skip
    assert found == same
    case, _ = params.read(path)
    done = dossier.of_trial(case, TwoStage(1, 15, 5, 25))
    assert not done.is_synthetic
    assert "SHA-256" in done.source


def test_counts_of_a_parameter_file_are_analysed(root, tmp_path, capsys):
    path = with_results(root, tmp_path, "{responses: 7, first_stage: 3, attained: [15, 27], level: 0.9}")
    found = answer(capsys, "analyze", str(path))
    expected = analysis_final.final(
        TwoStage(1, 15, 5, 25), 0.1, 7, first_stage=3, attained=(15, 27), p1=0.3, alpha=0.05, level=0.9
    )
    assert found["p_value"] == expected.result.p_value
    assert found["level"] == 0.9


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ("{}", "trial.analysis needs exactly one of responses and patients"),
        ("{responses: 3, patients: x.csv}", "trial.analysis needs exactly one of responses and patients"),
        ("{patients: x.csv, stage: 1}", "trial.analysis.stage is counted from the file of patients; leave it out"),
        ("{responses: 3, level: 2}", "trial.analysis.level (2) is not strictly between 0 and 1; write 0.02 for 2%"),
        ("{responses: 3, sizes: [1]}", "trial.analysis.sizes is not a known key"),
        ("{responses: -3}", "trial.analysis.responses (-3) is not a whole number from 0 to 10,000"),
    ],
)
def test_a_wrong_section_is_refused(root, tmp_path, results, said):
    with pytest.raises(InputError) as caught:
        params.read(with_results(root, tmp_path, results))
    assert said in str(caught.value)


def test_without_results_the_trial_is_synthetic_and_says_so_everywhere(report):
    assert report.is_synthetic
    seed = 20250731
    assert f"seed {seed}" in report.source
    assert analysis_text.data(report).paragraphs[0].startswith("SYNTHETIC DATA")
    assert analysis_text.sentence(report).paragraphs[0].startswith("SYNTHETIC DATA")
    for table in (analysis_tables.disposition, analysis_tables.p_values, analysis_tables.estimates,
                  analysis_tables.intervals, analysis_tables.secondary):  # fmt: skip
        assert "synthetic data" in table(report).caption
    for picture in (analysis_figures.forest, analysis_figures.survival, analysis_figures.waterfall,
                    analysis_figures.swimmer):  # fmt: skip
        assert "synthetic data" in picture(report).alt


def marks(picture):
    return [text.get_text() for text in picture.figure.texts if text.get_gid() == "watermark"]


def test_every_figure_of_synthetic_data_is_marked_as_such_and_none_of_real_data(root, tmp_path, report):
    drawn = (analysis_figures.forest, analysis_figures.long_run, analysis_figures.survival, analysis_figures.waterfall,
             analysis_figures.swimmer)  # fmt: skip
    for draw in drawn:
        picture = draw(report)
        assert marks(picture) == ["Synthetic data"]
        assert ">Synthetic data</text>" in picture.svg()
        assert picture.caption.endswith("Synthetic data: made by the simulator, no patient is real.")
    case, _ = params.read(with_results(root, tmp_path, "{responses: 7, first_stage: 3, attained: [15, 27]}"))
    done = dossier.of_trial(case, TwoStage(1, 15, 5, 25))
    for draw in (analysis_figures.forest, analysis_figures.long_run):
        picture = draw(done)
        assert not marks(picture)
        assert "ynthetic" not in picture.svg() + picture.caption


def test_each_interval_has_its_own_panel_of_coverage(report):
    names = [axis.get_title() for axis in analysis_figures.long_run(report).figure.axes[2:]]
    assert [name.split(":")[0] for name in names] == ["exact", "Koyama-Chen", "mid-p", "naive"]


def test_the_figure_of_the_bias_of_a_single_stage_shows_zero_and_no_rounding(root):
    done = dossier.of_trial(params.load(root / "params/NCT07022301.yaml"), parse_looks("5/25"))
    axis = analysis_figures.long_run(done).figure.axes[0]
    assert axis.get_title() == "Bias"
    assert axis.get_ylim() == (-0.01, 0.01)
    curves = [line for line in axis.lines if line.get_label() in ("MLE", "UMVUE")]
    assert len(curves) == 2
    assert not any(np.any(line.get_ydata()) for line in curves)
    assert curves[0].get_linestyle() != curves[1].get_linestyle()  # they lie on each other


def test_the_disposition_adds_up(report):
    number = analysis_tables.disposition(report).frame.set_index("patients").number
    assert number["screened"] == number["not enrolled"] + number["enrolled"]
    assert number["enrolled"] == number["not evaluable"] + number["evaluable"]
    assert number["evaluable"] == number["non-responders"] + number["responders"]


def test_the_sentence_holds_the_five_components_and_the_adjusted_results(report):
    text = str(analysis_text.sentence(report))
    result = report.final.result
    for part in ("p <= 10%", "p1 = 30%", "alpha 0.05", "power 0.8", "1/15, 5/25", "stage-wise ordering",
                 f"{result.estimates['umvue']:.1%}", f"{result.intervals['exact'][0]:.1%}"):  # fmt: skip
        assert part in text


def test_tables_hold_the_numbers_of_the_result(report):
    result = report.final.result
    assert analysis_tables.p_values(report).frame.p_value[0] == result.p_value
    assert analysis_tables.estimates(report).frame.estimate[1] == result.estimates["umvue"]
    row = analysis_tables.intervals(report).frame.iloc[0]
    assert (row.low, row.high) == result.intervals["exact"]
    every = analysis_tables.endings(report)
    assert every.frame[list(every.chosen)].p_value.tolist() == [result.p_value]
    way = analysis_tables.on_the_way(report).frame
    assert way.needed[:4].tolist() == ["the trial stops", "the trial stops", "4", "3"]


def test_other_sizes_show_in_tables_and_sentence(root, tmp_path):
    case, _ = params.read(with_results(root, tmp_path, "{responses: 7, first_stage: 3, attained: [15, 27]}"))
    done = dossier.of_trial(case, TwoStage(1, 15, 5, 25))
    table = analysis_tables.rules(done)
    assert table.frame.rule.tolist() == ["Koyama-Chen", "recut", "Green-Dahlberg", "planned bounds"]
    assert table.chosen == [True, False, False, False]
    assert "15 and 27 patients" in str(analysis_text.sentence(done))
    assert "Koyama and Chen" in str(analysis_text.sentence(done))
    assert "need data of the patients; only counts are given." in analysis_tables.secondary(done).caption
    assert analysis_figures.swimmer(done) is None


@pytest.mark.long
def test_figures_are_the_same_bytes_every_time(report):
    for picture in (analysis_figures.forest, analysis_figures.long_run):
        assert picture(report).svg() == picture(report).svg()


@pytest.mark.long
def test_a_single_stage_and_three_looks_are_reported_too(root):
    case = params.load(root / "params/NCT07022301.yaml")
    for looks in ("5/25", "0/8,2/16,5/25", "1:6/10,5/29"):
        done = dossier.of_trial(case, parse_looks(looks))
        for table in (analysis_tables.intervals, analysis_tables.endings, analysis_tables.averaged,
                      analysis_tables.on_the_way):  # fmt: skip
            assert table(done).html()
        assert analysis_figures.long_run(done).svg()
        assert not math.isnan(done.final.result.p_value)


def test_columns_are_listed(capsys):
    assert main(["columns"]) == 0
    assert "USUBJID" in capsys.readouterr().out


@pytest.mark.long
def test_the_analysis_cases_can_fail(monkeypatch):
    true = inference.endings

    def careless(design):
        found = true(design)
        return dataclasses.replace(found, first=found.first * 1.001, before=found.before + 0.001)

    monkeypatch.setattr(inference, "endings", careless)
    for case in (validation_analysis.every_ending, validation_analysis.singlearm, validation_analysis.clinfun):
        assert not case().passed
    monkeypatch.setattr(conditional, "conditional_error", lambda design, p, x1: np.full(np.shape(x1), 0.04))  # noqa: ARG005
    assert not validation_analysis.attained().passed
