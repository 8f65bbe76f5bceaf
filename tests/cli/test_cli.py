"""The command line: JSON to the letter, tables for people, one line and exit code 2 for wrong input."""

import io
import json
import subprocess
import sys
import time

import pytest
import yaml

from simtrial import Requirements, SingleStage, parse_looks, project, search
from simtrial.cli.app import main
from simtrial.design import exact
from simtrial.phrases import rate
from simtrial.show import terminal
from simtrial.trial import text

ASKED = ["--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--power", "0.8"]


def answer(capsys, *arguments):
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return json.loads(shown.out)


def test_a_design_exactly_at_a_limit_is_named(capsys):
    # .1^2 = .01 and .8^2 = .64
    assert main(["design", "--p0", "0.1", "--p1", "0.8", "--alpha", "0.01", "--power", "0.64"]) == 0
    told = capsys.readouterr().out
    assert "\n1/2: the type I error is exactly alpha = 0.01 and the power is exactly the required 0.64.\n" in told
    assert "\n2/4: " not in told  # .0037 and .8192
    assert main(["design", *ASKED]) == 0
    assert "exactly" not in capsys.readouterr().out


def test_check_says_that_a_stated_rule_is_exactly_at_its_limit(capsys):
    stated = ["--p0", "0.1", "--p1", "0.8", "--alpha", "0.01", "--power", "0.6", "--looks", "1/2"]
    found = answer(capsys, "check", *stated, "--json")
    assert found["verdict"] == "reproduces"
    assert "The type I error is exactly alpha." in found["explanation"]
    assert "above alpha" not in found["explanation"]


def test_the_protocol_paragraph_says_that_a_limit_is_attained_exactly():
    asked = Requirements(0.1, 0.8, 0.01, 0.6)
    said = str(text.statement(SingleStage(1, 2), asked))
    assert (
        "In exact fractions the type I error is exactly alpha = 0.01; a limit that is attained exactly is kept." in said
    )
    assert "NOT READY" not in said
    assert "exactly" not in str(text.statement(SingleStage(1, 2), Requirements(0.1, 0.8, 0.02, 0.6)))


def test_design_gives_the_promised_json(capsys):
    found = answer(capsys, "design", *ASKED, "--json")
    assert list(found) == ["requirements", "single_stage", "two_stage", "approximations", "certificate"]
    assert found["requirements"] == {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8}
    assert list(found["single_stage"]) == ["first", "sustained"]
    assert list(found["single_stage"]["first"]) == ["r", "n", "type_i_error", "power"]
    assert (found["single_stage"]["first"]["n"], found["single_stage"]["sustained"]["n"]) == (25, 29)
    two = found["two_stage"]
    assert [c["kinds"] for c in two] == [["minimax"], ["admissible"], ["admissible"], ["optimal"]]
    assert list(two[0]) == [
        "kinds", "r1", "n1", "r", "n", "type_i_error", "power", "pet_p0", "en_p0", "pet_p1", "en_p1", "q_low", "q_high",
    ]  # fmt: skip
    assert [c["n"] for c in two] == [25, 26, 27, 29]
    assert two[0]["type_i_error"] == float(exact.operating_characteristics(parse_looks("1/15,5/25"), 0.1).reject)
    assert list(found["approximations"][0]) == ["method", "n_raw", "n", "r", "type_i_error", "power"]
    assert found["certificate"]["n_lower"] == 23
    assert found["certificate"]["n_upper"] == 35


def test_oc_gives_the_promised_json(capsys):
    found = answer(capsys, "oc", "--looks", "1:5/10,5/29", "--p", "0.1", "--p", "0.3", "--json")
    oc = exact.operating_characteristics(parse_looks("1:5/10,5/29"), [0.1, 0.3])
    assert found == {
        "looks": [{"n": 10, "r": 1, "e": 5}, {"n": 29, "r": 5, "e": None}],
        "p": [0.1, 0.3],
        "reject": oc.reject.tolist(),
        "pet": oc.pet.tolist(),
        "en": oc.en.tolist(),
    }


@pytest.mark.long
def test_simulate_gives_the_promised_json(capsys, root):
    file = str(root / "params/NCT07022301.yaml")
    found = answer(capsys, "simulate", file, "--trials", "3000", "--seed", "1", "--json")
    assert list(found) == ["trials", "seed", "scenarios"]
    assert (found["trials"], found["seed"]) == (3000, 1)
    labels = [scenario["label"] for scenario in found["scenarios"]]
    assert labels[:2] == ["p0", "p1"]
    assert found["scenarios"][labels.index("assurance")]["beta"] == [11, 23]
    first = found["scenarios"][0]
    assert first["p"] == 0.1
    promised = ["n_enrolled", "n_screened", "n_evaluable", "overrun", "interim_month", "hold_months", "duration_months"]
    for name in promised:
        assert list(first[name]) == ["value", "mcse", "exact", "quantiles"]
        assert list(first[name]["quantiles"]) == ["0.05", "0.5", "0.95"]
    for name in ("reject", "pet"):
        assert list(first[name]) == ["value", "mcse", "exact"]
        assert first[name]["exact"] is not None
    assert first["last_patient_month"]["exact"] is None  # no closed form: who waits depends on who responds
    again = answer(capsys, "simulate", file, "--trials", "3000", "--seed", "1", "--json")
    assert again == found
    other = answer(capsys, "simulate", file, "--trials", "3000", "--seed", "2", "--json")
    assert other["scenarios"][0]["duration_months"]["value"] != first["duration_months"]["value"]


def test_simulate_takes_trials_and_seed_from_the_file(capsys, root):
    found = answer(capsys, "simulate", str(root / "params/smoke.yaml"), "--json")
    assert (found["trials"], found["seed"]) == (2000, 1)


def test_a_single_stage_has_no_interim_month(capsys, smoke_text, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text.replace("minimax", "single_stage_first"), encoding="utf-8")
    found = answer(capsys, "simulate", str(path), "--json")["scenarios"][0]
    assert found["interim_month"] == {
        "value": None, "mcse": None, "exact": None, "quantiles": {"0.05": None, "0.5": None, "0.95": None},
    }  # fmt: skip


def test_simulate_shows_simulated_standard_error_and_exact_side_by_side(capsys, root):
    assert main(["simulate", str(root / "params/smoke.yaml")]) == 0
    shown = capsys.readouterr()
    head = next(line for line in shown.out.splitlines() if "simulated" in line)
    assert head.split() == ["simulated", "MCSE", "exact", "5%", "50%", "95%"]
    assert "months to the primary decision" in shown.out
    assert "patients without a response assessment: counted as non-responders; accrual while a look is" in shown.out
    assert "; 2,000 trials per scenario, seed 1" in shown.out
    assert "…" not in shown.out
    assert shown.err == ""


def test_simulate_tells_the_chance_of_a_decision_in_time_where_the_file_has_a_deadline(capsys, root, tmp_path):
    given = yaml.safe_load((root / "params/smoke.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "due.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    median = answer(capsys, "simulate", str(path), "--json")["scenarios"][1]
    assert "in_time" not in median
    due = median["duration_months"]["quantiles"]["0.5"]
    given["trial"]["conduct"]["deadline_months"] = due
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    low, high = answer(capsys, "simulate", str(path), "--json")["scenarios"][:2]
    assert high["in_time"]["value"] >= 0.5  # by the definition of a median
    for one in (low["in_time"], high["in_time"]):
        assert one["mcse"] == pytest.approx((one["value"] * (1 - one["value"]) / 2000) ** 0.5)
    assert main(["simulate", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"Probability of a primary decision in time, by month {due:.3g}" in shown
    lines = shown[shown.index("Probability of a primary decision") :].splitlines()
    for label, one in (("p0: p =", low["in_time"]), ("p1: p =", high["in_time"])):
        (line,) = [line for line in lines if line.strip().startswith(label)]
        assert line.split()[-2:] == [rate(one["value"]), f"{one['mcse']:.4f}"]


def test_an_absent_bound_is_null(capsys):
    found = answer(capsys, "oc", "--looks", ":5/10,5/29", "--p", "0.1", "--json")
    assert found["looks"][0] == {"n": 10, "r": None, "e": 5}


def test_a_terminal_of_eighty_columns_wraps_names_and_no_number(capsys, monkeypatch):
    from rich.console import Console

    monkeypatch.setattr(terminal, "console", lambda: Console(highlight=False, markup=False, width=80))
    assert main(["design", *ASKED]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert all(len(line) <= 80 for line in lines)
    at = next(k for k, line in enumerate(lines) if line.startswith(" exact single"))
    assert [" ".join(line.split()) for line in lines[at + 1 : at + 5 : 2]] == ["stage (first n)", "stage (sustained"]
    assert lines[at].split()[2:] == ["5/25", "25", "0.0334", "0.807", "25.0"]


def test_tables_show_the_same_designs_to_people(capsys):
    assert main(["design", *ASKED]) == 0
    shown = capsys.readouterr().out
    for part in (
        "1/15, 5/25",
        "1/10, 5/29",
        "0.0328",
        "15.01",
        "exact single stage (sustained n)",
        "fewer than 23 patients",
    ):
        assert part in shown
    assert main(["oc", "--looks", "1/10,5/29", "--p", "0.1"]) == 0
    assert "0.047086" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (
            ["design", "--p0", "0.3", "--p1", "0.1", "--alpha", "0.05", "--power", "0.8"],
            "p0 (0.3) is not below p1 (0.1)",
        ),
        (["design", "--p0", "x", "--p1", "0.1", "--alpha", "0.05", "--power", "0.8"], "--p0"),
        (["design", "--p0", "nan", "--p1", "0.1", "--alpha", "0.05", "--power", "0.8"], "p0 (nan)"),
        (["design", "--p0", "0.1", "--p1", "0.1001", "--alpha", "0.05", "--power", "0.8"], "p1 (0.1001) is too near"),
        (["design", "--p0", "0.1"], "--p1"),
        (["design", *ASKED, "--n-limit", "0"], "--n-limit (0)"),
        (["oc", "--looks", "10/10,5/29", "--p", "0.1"], "r1 (10) is not below n1 (10)"),
        (["oc", "--looks", "1/10\x1b[31m", "--p", "0.1"], "looks ("),
        (["oc", "--looks", "1/10,5/29", "--p", "2"], "p (2) is not from 0 to 1"),
        (["oc", "--looks", "1/10,5/29"], "--p"),
        (["report", "none.yaml"], "none.yaml: cannot be read"),
        (["simulate", "none.yaml"], "none.yaml: cannot be read"),
        (["simulate", "params/smoke.yaml", "--trials", "1"], "trials (1) is not a whole number from 2"),
        (["simulate", "params/smoke.yaml", "--seed", "-1"], "seed (-1) is not a whole number from 0"),
        (["simulate", "params/smoke.yaml", "--trials", "1e3"], "--trials"),
        (["nonsense"], "nonsense"),
        (["design", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(capsys, arguments, named):
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert named in shown.err
    assert len(shown.err.splitlines()) == 1
    assert shown.err.startswith("simtrial: ")


def test_an_interrupted_command_is_exit_code_1(capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "two_stage", interrupt)
    assert main(["design", *ASKED]) == 1
    assert capsys.readouterr().err == "simtrial: interrupted; no file is left incomplete\n"


@pytest.mark.parametrize("looks", ["1/10,5/29", "0/5,2/12,7/40", ",".join(f"{k}/{3 * k + 5}" for k in range(10))])
def test_no_number_is_cut_from_a_table(looks, capsys):
    assert main(["oc", "--looks", looks, "--p", "0.1", "--p", "0.3", "--p", "0.5"]) == 0
    assert "…" not in capsys.readouterr().out


def test_schema_prints_json(capsys):
    assert answer(capsys, "schema")["required"] == ["trial"]


def test_help_is_not_an_error(capsys):
    assert main(["--help"]) == 0
    assert "validate" in capsys.readouterr().out


def test_the_installed_command_answers():
    done = subprocess.run(
        [sys.executable, "-m", "simtrial", "oc", "--looks", "5/25", "--p", "0.1", "--json"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["reject"][0] == pytest.approx(0.0334, abs=5e-5)


@pytest.mark.kernel
def test_a_failing_validation_is_exit_code_1_and_one_line(capsys, tmp_path, root, monkeypatch):
    clone = tmp_path / "clone"
    (clone / "notebooks").mkdir(parents=True)
    notebook = json.loads((root / "notebooks/06_validation.ipynb").read_text(encoding="utf-8"))
    kept = [cell for cell in notebook["cells"] if ".known_traps" in "".join(cell["source"])]
    kept[0]["source"] = [
        "from simtrial.validation import cases, search\n",
        "traps = search.known_traps()\n",
        "traps.frame.loc[0, 'agrees'] = False\n",
        "cases.verdict(traps)",
    ]
    (clone / "notebooks/06_validation.ipynb").write_text(json.dumps(notebook | {"cells": kept}))
    (clone / "tests").symlink_to(root / "tests")  # the document on the validation compares with the references too
    monkeypatch.setattr(project, "ROOT", clone)
    assert main(["validate", str(root / "params/smoke.yaml"), "--out", str(tmp_path / "build")]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("simtrial: 06_validation.ipynb, cell 2")
    assert "Known traps: 3 of 4 comparisons agree" in last


def test_what_takes_long_is_said_in_a_line_now_and_then_where_there_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "EVERY", 0.05)
    with terminal.waiting("searching"):
        time.sleep(0.3)
    assert set(capsys.readouterr().err.splitlines()) == {"  searching ..."}
    with terminal.bar(8, "rows", "checking") as tell:
        tell(2)
        time.sleep(0.3)
    assert capsys.readouterr().err.startswith("  checking: 25% done, 1 s left\n")


def test_what_takes_longer_than_the_patience_is_shown_on_a_terminal(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with terminal.waiting("searching"):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with terminal.waiting("searching"):
        time.sleep(0.3)  # the picture is drawn by another thread, ten times a second
    assert "searching ..." in screen.getvalue()
    monkeypatch.setattr(terminal, "PATIENCE", 60.0)
    screen.truncate(0)
    with terminal.waiting("searching"):
        pass
    assert "searching" not in screen.getvalue()
