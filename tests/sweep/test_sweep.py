"""Sweeps on real processes: same results however they are run, and nothing lost when something dies."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from sweeps import SMALL, files, run, serial

from simtrial import InputError, Requirements, looks_text, search
from simtrial.cli.app import main
from simtrial.conduct import outcomes, simulation
from simtrial.laws import laws
from simtrial.plan.plan import Scenario
from simtrial.sweep import claim, driver, figures, grid, results, section, tables
from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run
from simtrial.sweep import store as sweep_store
from simtrial.trial import params
from simtrial.trial.case import Case


@pytest.mark.long
def test_exact_where_there_is_an_exact_value_and_simulated_elsewhere(write, tmp_path):
    path = write(SMALL)
    run(path, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out/results")
    made = sweep_file.read(path)
    assert len(table) == 8 * len(section.WANTED)
    for index in (0, 3, 6):
        cell = made.cell(index)
        rows = table[table.scenario.astype(int) == index].set_index("outcome")
        exact = laws.exact_values(cell.plan, cell.scenario)
        tallies = simulation.tally(cell.plan, cell.scenario, index, 7, 2000, simulation.blocks(cell.plan, 2000))
        for name, row in rows.iterrows():
            if exact.get(name) is not None:
                assert (row.value, row.mcse, row.exact) == (exact[name], 0.0, True)
            else:
                simulated = tallies[name].estimate()
                assert (row.value, row.mcse, row.exact) == (simulated.value, simulated.mcse, False)
        assert (rows["conduct.enrollment.rate"] == cell.values["conduct.enrollment.rate"]).all()
    assert not table.exact.all()


def test_primary_outcomes_are_those_named_and_the_same_with_and_without_survival():
    trial, _ = params.read("params/NCT07022301.yaml")
    plan = Case.of(trial).plan
    few = simulation.tally(plan, Scenario("x", 0.2), 0, 1, 500, range(1), observe=outcomes.primary)
    many = simulation.tally(plan, Scenario("x", 0.2), 0, 1, 500, range(1))
    assert set(few) == outcomes.PRIMARY - {"closed_short", "toxicity_stopped"}
    assert all(few[name].parts == many[name].parts for name in few)


def test_outcomes_are_the_same_in_whatever_company_they_are_wanted():
    trial, _ = params.read("params/NCT07022301.yaml")
    plan = Case.of(trial).plan
    every = simulation.tally(plan, Scenario("x", 0.2), 0, 1, 500, range(1))
    for wanted in (["os_median", "reject"], ["pfs_events"], ["toxicity_crossed"]):
        observe = partial(outcomes.observe, wanted=wanted)
        some = simulation.tally(plan, Scenario("x", 0.2), 0, 1, 500, range(1), observe=observe)
        assert set(some) == set(wanted)
        assert all(some[name].parts == every[name].parts for name in wanted)


def test_the_last_tasks_of_a_sweep_shrink_and_every_block_is_in_one(write, tmp_path, monkeypatch):
    monkeypatch.setattr(
        driver, "SECONDS_A_TASK", 0.2
    )  # four blocks of the twentieth of a second they are taken to last
    asked = sweep_file.read(write([{"path": "p", "values": [0.1, 0.3]}], outcomes=["pfs_median"], trials=20 * 4096))
    made = driver.Driver(asked, sweep_store.Store(tmp_path / "new"), serial, workers=2, tell=lambda _: None)
    works = [work for task in made._tasks() for work in task.works]
    blocks = [[work.blocks for work in works if work.index == index] for index in (0, 1)]
    assert [len(b) for b in blocks[0]] == [4] * 5
    assert [len(b) for b in blocks[1]] == [4, 4, 3, 3, 2, 1, 1, 1, 1]
    assert all([k for b in one for k in b] == list(range(20)) for one in blocks)


@pytest.mark.processes
def test_workers_do_not_import_the_program_that_starts_them(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os\n"
        "from simtrial.sweep import workers\n"
        "assert __name__ == '__main__', 'imported'\n"  # which would break the pool
        "executor = workers.pool(2)()\n"
        "print(executor.submit(os.getpid).result() != os.getpid(), __file__)\n"
        "executor.shutdown()\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["True", str(program)]


def test_the_last_axis_moves_fastest_and_p0_and_p1_stand_in_for_true_rates(write):
    made = sweep_file.read(write(SMALL[:2]))
    assert len(made) == 8
    assert [tuple(made.cell(k).values.values()) for k in (0, 1, 2, 4, 7)] == [
        (1.0, "nonresponder", 0.1), (1.0, "nonresponder", 0.3), (1.0, "replace", 0.1), (2.0, "nonresponder", 0.1),
        (2.0, "replace", 0.3),
    ]  # fmt: skip


def test_zipped_axes_move_together_and_ranges_make_equal_steps(write):
    axes = [
        {"path": "conduct.dropout.probability", "range": {"start": 0, "stop": 0.3, "step": 0.1}},
        {"path": "p", "values": [0.1, 0.2, 0.3, 0.4]},
    ]
    made = sweep_file.read(write(axes, combine="zip"))
    assert [tuple(cell.values.values()) for cell in made.cells()] == [(0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4)]


def test_the_design_may_follow_the_dropout_along_an_axis(write):
    axes = [
        {"path": "design.losses", "values": ["paper", "run"]},
        {"path": "conduct.dropout.probability", "values": [0.0, 0.1, 0.2]},
        {"path": "p", "values": [0.3]},
    ]
    cells = list(sweep_file.read(write(axes)).cells())
    assert [cell.looks for cell in cells[:3]] == ["1/15,5/25"] * 3
    wanted = [search.two_stage(Requirements(0.1, p1, 0.05, 0.8)).minimax for p1 in (0.3, 0.27, 0.24)]  # .3 (1 - d)
    assert [cell.looks for cell in cells[3:]] == [looks_text(design) for design in wanted]
    power = [laws.exact_values(cell.plan, cell.scenario, months=False)["reject"] for cell in cells]
    assert (power[1] < 0.8, power[2] < 0.8) == (True, True)
    assert min(power[3:]) >= 0.8


def test_a_design_takes_the_place_of_another(write):
    made = sweep_file.read(write([{"path": "design.looks", "values": ["5/25", "1/10,5/29"]}]))
    assert [made.cell(k).looks for k in (0, 2)] == ["5/25", "1/10,5/29"]
    made = sweep_file.read(write([{"path": "design.criterion", "values": ["optimal"]}]))
    assert made.cell(0).looks == "1/10,5/29"


def test_when_looks_decide_is_an_axis(write):
    made = sweep_file.read(write([{"path": "conduct.interim.decide", "values": ["complete", "known"]}]))
    assert [made.cell(k).plan.interim.decide for k in (0, 2)] == ["complete", "known"]


def axis(path, *values):
    return {"path": path, "values": values}


@pytest.mark.parametrize(
    ("axes", "cell", "said"),
    [
        ([axis("conduct.enrolment.rate", 1)], 0, "trial.conduct.enrolment is not a known key"),
        ([axis("conduct.enrollment.rate", 1, "x")], 2, "trial.conduct.enrollment.rate ('x') is not a number"),
        (
            [axis("conduct.dropout.probability", 0.1, 1.5)],
            2,
            "trial.conduct.dropout.probability (1.5) is not from 0 to 1; write 0.015 for 1.5%",
        ),
        ([axis("design.looks", "5/25", "30/25")], 2, "trial.design.looks"),
        ([axis("hypotheses.p0.x", 1)], 0, "hypotheses.p0.x goes through a key"),
        ([axis("study.id", "A")], None, "axes.path (study.id) changes no result"),
        ([axis("trial.hypotheses.p0", 0.1)], None, "begins with trial.; leave that key out"),
        ([axis("conduct.enrollment", {}), axis("conduct.enrollment.rate", 1)], None, "lies under another axis"),
        ([axis("p", 0.1, 0.2, 0.1)], None, "axes.0.values (0.1) is given twice"),
        ([axis("p", 0.2, 1.2)], 1, "p (1.2) is not from 0 to 1; write 0.012 for 1.2%"),
        ([axis("p", "p2")], 0, "p ('p2') is not a number from 0 to 1"),
        ([axis("p", 0.1), axis("p", 0.2)], None, "axes.path (p) is given twice"),
        ([{"path": "p"}], None, "axes.0 needs exactly one of values and range"),
        ([{"path": "p", "range": {"start": 0.5, "stop": 0.1, "step": 0.1}}], None, "does not increase"),
        ([{"path": "p", "range": {"start": 0, "stop": 1, "step": 1e-9}}], None, "at most 1,000,000 values"),
        ([], None, "sweep.axes"),
    ],
)
def test_a_wrong_cell_is_named_before_anything_runs(write, tmp_path, capsys, axes, cell, said):
    path = write(axes)
    with pytest.raises(InputError) as caught:
        sweep_file.read(path)
    assert said in str(caught.value)
    assert cell is None or f"cell {cell} ({axes[0]['path']} = " in str(caught.value)
    assert main(["sweep", str(path), "--out", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_every_mistake_of_a_grid_is_told_once_with_its_first_cell(write):
    with pytest.raises(InputError) as caught:
        sweep_file.read(write([axis("hypotheses.power", 0.8, 0.2, 80), axis("p", 0.1, 0.2)]))
    first, other = caught.value.lines
    assert "cell 2 (hypotheses.power = 0.2, p = 0.1): trial.hypotheses.power (0.2) is below 0.5" in first
    assert first.endswith("(and 1 more mistake)")
    assert "cell 4 (hypotheses.power = 80, p = 0.1): trial.hypotheses.power (80) is not strictly between 0 and" in other


def test_every_mistake_of_the_base_is_told(tmp_path, smoke_text):
    (tmp_path / "base.yaml").write_text(smoke_text.replace("p0: 0.2", "p0: 20").replace("minimax", "best"))
    path = tmp_path / "s.yaml"
    path.write_text("sweep: {base: base.yaml, axes: [{path: p, values: [0.1]}], trials: 2, seed: 1}")
    with pytest.raises(InputError) as caught:
        sweep_file.read(path)
    assert len(caught.value.lines) == 2
    assert all("sweep.base (base.yaml): " in line for line in caught.value.lines)


def test_misspelt_outcomes_and_paths_are_told_together(write):
    axes = [{"path": "conduct.enrolment.rate", "values": [1.0, 2.0]}]
    with pytest.raises(InputError) as caught:
        sweep_file.read(write(axes, outcomes=["reject", "speed", "pet_"]))
    assert len(caught.value.lines) == 3
    for line, part in zip(caught.value.lines, ("('speed')", "('pet_')", "conduct.enrolment"), strict=True):
        assert part in line


def test_wrong_keys_of_the_file_are_named(write):
    path = write(SMALL, outcomes=["reject", "speed"])
    with pytest.raises(InputError, match=re.escape("sweep.outcomes ('speed') is no outcome; choose from reject")):
        sweep_file.read(path)
    path = write([{"path": "p", "values": [0.1]}, {"path": "conduct.enrollment.rate", "values": [1, 2]}], combine="zip")
    with pytest.raises(InputError, match="zip needs equal numbers"):
        sweep_file.read(path)
    path.write_text("sweep: {base: nowhere.yaml, axes: [{path: p, values: [0.1]}], trials: 2, seed: 1}")
    with pytest.raises(InputError, match=r"s\.yaml: sweep\.base \(nowhere\.yaml\): .*nowhere\.yaml: cannot be read"):
        sweep_file.read(path)


KINDS = [{"a": 1}, [1], [], {}, [[1, [2]]], None, True, 10**39, -1, 1e308, "0.5", "x", "", "\ud800", "\x1b[31m"]
"""Values of every kind, none of which a rate or a name may have."""


@pytest.mark.parametrize("path", ["p", "hypotheses.p0", "design.looks", "conduct.dropout.handling", "study", "é", ""])
def test_a_value_of_any_kind_on_any_path_is_refused_in_lines_of_its_own(write, path):
    for value in KINDS:
        if (path, value) == ("p", True):
            continue
        with pytest.raises(InputError) as caught:
            sweep_file.read(write([axis(path, value)]))
        assert all(line.isprintable() or "\n" not in line for line in caught.value.lines)


def test_a_cell_is_checked_once_for_its_trial_and_its_rate(write, monkeypatch):
    tried = []
    true = grid.Sweep.cell
    monkeypatch.setattr(grid.Sweep, "cell", lambda self, index: (tried.append(index), true(self, index))[1])
    rates = [0.1, 0.2, 0.3]
    sweep_file.read(write([axis("p", *rates), axis("conduct.enrollment.rate", 1.0, 2.0)]))
    assert tried == [0, 1, 2, 4]


def test_who_checks_cells_says_how_many(write, monkeypatch):
    monkeypatch.setattr(sweep_file, "EVERY", 2)
    shares = []
    sweep_file.read(write([axis("conduct.enrollment.rate", *[1.0 + k / 10 for k in range(10)])]), shares.append)
    assert shares == [0.1] * 9


@pytest.mark.long
def test_a_full_disk_is_said_and_what_was_written_stays_valid(write, tmp_path, monkeypatch, capsys):
    path = write(SMALL)
    digest = run(path, tmp_path / "calm")[1]
    true, written = Path.write_bytes, []

    def full(self, data):
        if "results" in self.parts and len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(self)
        return true(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(sweep_store, "A_BATCH", 1)
    out = tmp_path / "out"
    assert main(["sweep", str(path), "--out", str(out), "--workers", "1"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "No space left on device; what was written is valid; the same command continues from there" in said
    monkeypatch.undo()
    assert len(files(out)) == 3
    assert not list(out.rglob("*.tmp"))
    state, again = run(path, out)
    assert (state.found, again) == (3, digest)


@pytest.mark.long
@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "pipe", "folder"])
def test_a_damaged_file_is_found_and_computed_anew(write, tmp_path, damage):
    path = write(SMALL)
    out = tmp_path / "out"
    _, digest = run(path, out)
    victim = out / files(out)[4]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    if damage in ("pipe", "folder"):
        victim.unlink()
        {"pipe": os.mkfifo, "folder": os.mkdir}[damage](victim)
    else:
        victim.write_bytes({"truncated": bytes(data[:100]), "flipped": bytes(data), "emptied": b""}[damage])
    state, again = run(path, out)
    assert (state.found, again) == (7, digest)
    assert len(files(out)) == 8


def test_a_good_file_in_the_wrong_place_is_not_taken_for_another(write, tmp_path):
    path = write(SMALL)
    out = tmp_path / "out"
    _, digest = run(path, out)
    scenarios = sorted((out / "results").iterdir())
    (moved,) = scenarios[6].iterdir()
    (own,) = scenarios[7].iterdir()
    shutil.copy(moved, scenarios[7])
    own.unlink()
    state, again = run(path, out)
    assert (state.found, again) == (7, digest)
    shutil.copytree(scenarios[6], out / "results/scenario=000999")
    with pytest.raises(InputError, match="holds results/scenario=000999, which is not of this sweep"):
        run(path, out)


def test_comments_and_names_are_not_part_of_a_sweep(write, tmp_path):
    path = write(SMALL)
    out = tmp_path / "out"
    _, digest = run(path, out)
    other = tmp_path / "renamed.yaml"
    other.write_text(f"# a remark\n{path.read_text()}")
    assert run(other, out)[1] == digest


def test_when_nothing_finishes_that_is_told(write, tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "PATIENCE", 0.05)
    seen = []

    class Slow(ThreadPoolExecutor):
        def submit(self, work, /, *arguments):
            return super().submit(lambda: (time.sleep(0.4), work(*arguments))[1])

    sweep_run.run(
        sweep_file.read(write(SMALL)), tmp_path / "out", lambda: Slow(1), 1, lambda now: seen.append(now.stalled)
    )
    assert max(seen) >= 0.1
    assert seen[-1] == 0


def test_a_second_run_on_a_folder_is_refused_while_the_first_writes(write, tmp_path, capsys):
    path = write(SMALL)
    with claim.locked(tmp_path / "out"):
        assert main(["sweep", str(path), "--out", str(tmp_path / "out"), "--workers", "1"]) == 2
    assert "is being written by another run" in capsys.readouterr().err


def test_a_folder_of_other_results_is_refused(write, tmp_path):
    out = tmp_path / "out"
    run(write(SMALL), out)
    with pytest.raises(InputError, match=r"another sweep \(.*sweep_sha256.* differ\)"):
        run(write(SMALL, trials=3000, name="other.yaml"), out)
    assert main(["sweep", str(tmp_path / "other.yaml"), "--out", str(out), "--workers", "1"]) == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("keep me")
    with pytest.raises(InputError, match="is not empty and holds no sweep"):
        run(write(SMALL), tmp_path / "mine")
    assert (tmp_path / "mine/thesis.txt").exists()


def test_a_long_sweep_wants_to_be_confirmed(write, tmp_path, capsys):
    path = write(SMALL, trials=100_000_000)
    assert main(["sweep", str(path), "--out", str(tmp_path / "out"), "--workers", "1"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("8 scenarios; to do: about ")
    assert "add --yes to run it anyway" in said[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_the_command_says_what_it_did(write, tmp_path, capsys):
    path = write(SMALL)
    out = tmp_path / "out"
    assert main(["sweep", str(path), "--out", str(out), "--workers", "1", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["scenarios"], first["found"]) == (8, 0)
    assert main(["sweep", str(path), "--out", str(out), "--workers", "1", "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert (second["found"], second["blocks"], second["digest"]) == (8, 0, first["digest"])


def test_in_memory_and_on_disk_are_the_same(write, tmp_path):
    path = write(SMALL)
    run(path, tmp_path / "out")
    disk = pd.read_parquet(tmp_path / "out/results").drop(columns="scenario")
    memory = sweep_run.in_memory(sweep_file.read(path)).drop(columns="scenario")
    pd.testing.assert_frame_equal(disk, memory)


def test_duckdb_reads_the_folder_as_one_table(write, tmp_path):
    import duckdb

    run(write(SMALL), tmp_path / "out")
    rows = duckdb.sql(
        f"select count(*), count(distinct scenario) from read_parquet('{tmp_path}/out/results/*/*.parquet')"
    ).fetchall()
    assert rows == [(8 * len(section.WANTED), 8)]


@pytest.fixture(scope="module")
def pages(root):
    asked = sweep_file.read(root / "params/sweep_NCT07022301.yaml")
    return results.SweepResults(asked, sweep_run.in_memory(asked))


@pytest.mark.long
def test_the_settings_that_break_a_limit_are_all_in_the_table(pages):
    at_p1 = pages.frame[pages.frame.p == 0.3]
    value, mcse = (at_p1.pivot_table(index="scenario", columns="outcome", values=name) for name in ("value", "mcse"))
    sure = (value.reject < 0.8) | (value.end_month - 46 > 2 * mcse.end_month)
    near = ((value.end_month - 46).abs() <= 2 * mcse.end_month) & (mcse.end_month > 0)
    table = tables.broken(pages)
    assert near.any()  # else the next lines would show nothing
    assert len(table.frame) == (sure | near).sum()
    assert table.caption.startswith(
        f"{sure.sum()} of 36 settings have a power below 0.8 or take more than 46 months, at the true response rate "
    )
    assert table.frame.broken.str.contains("months?", regex=False).sum() == near.sum()
    weak = table.frame[table.frame.broken.str.contains("power")]
    assert (weak.reject < 0.8).all()
    assert (table.frame[table.frame.broken == "months"].reject >= 0.8).all()


@pytest.mark.long
def test_small_multiples_say_what_they_show_and_are_the_same_bytes_every_time(pages):
    picture = figures.multiples(pages, "reject")
    assert picture.svg() == figures.multiples(pages, "reject").svg()
    assert "over dropout probability" in picture.alt
    assert len(picture.figure.axes) == 2 * 3
    assert picture.caption.startswith(
        "P(reject H0) at a true response rate of 30% over dropout probability, in panels by"
    )
    assert picture.caption.endswith("Dotted line: 0.8. All values are exact.")
    assert (
        "simulated (4,000 trials each); bars are 2 Monte Carlo standard errors"
        in figures.multiples(pages, "end_month").caption
    )


def test_one_axis_alone_makes_one_panel(write):
    asked = sweep_file.read(write([{"path": "conduct.dropout.probability", "values": [0.0, 0.2]}], outcomes=["reject"]))
    found = results.SweepResults(asked, sweep_run.in_memory(asked))
    assert len(figures.multiples(found, "reject").figure.axes) == 1
    assert tables.broken(found).frame.broken.tolist() == ["power"]


def test_the_calendar_is_an_axis_like_any_other(write):
    axes = [axis("design.criterion", "fastest_p0", "fastest_p1"), axis("conduct.enrollment.rate", 1.0, 4.0)]
    found = sweep_run.in_memory(sweep_file.read(write(axes, outcomes=["duration_months"])))
    by = found[found.outcome == "duration_months"].pivot_table(
        index=["conduct.enrollment.rate", "p"], columns="design.criterion", values="value"
    )
    assert (by.xs(0.1, level="p").fastest_p0 <= by.xs(0.1, level="p").fastest_p1).all()
    assert (by.xs(0.3, level="p").fastest_p1 <= by.xs(0.3, level="p").fastest_p0).all()
    assert len(set(found.looks)) > 1


def test_the_table_holds_one_scenario_per_row_as_stored(write, tmp_path):
    asked = sweep_file.read(write(SMALL))
    run(asked.path, tmp_path / "out")
    memory = sweep_run.in_memory(asked)
    pd.testing.assert_frame_equal(results.stored(tmp_path / "out", range(8)), memory)
    table = tables.every(asked, memory)
    assert len(table.frame) == 8
    for row in table.frame.itertuples():
        part = memory[memory.scenario == row.scenario].set_index("outcome")
        assert (row.reject, row.pet) == (part.value["reject"], part.value["pet"])
    simulated = memory[~memory.exact & (memory.outcome == "duration_months")].scenario
    shown = table.frame.set_index("scenario").duration_months_shown
    assert all(("±" in text) == (index in set(simulated)) for index, text in shown.items())


@pytest.mark.long
def test_the_command_prints_its_table_and_says_where_the_rest_is(write, tmp_path, capsys):
    axes = [axis("conduct.enrollment.rate", *[1.0 + k / 10 for k in range(11)])]
    path, out = write(axes, outcomes=["reject", "n_enrolled"]), tmp_path / "out"
    assert main(["sweep", str(path), "--out", str(out), "--workers", "1"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"the first 20 of 22 scenarios; all are in {out / 'table.csv'}" in said
    assert said.count("1/15,5/25") == 20
    assert "Digest of all results: " in said
    stored = pd.read_csv(out / "table.csv")
    assert len(stored) == 22
    assert list(stored.columns)[:3] == ["scenario", "conduct.enrollment.rate", "p"]
