"""Sweeps whose processes die: nothing that was finished is lost, and nothing is averaged in twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from children import reaped, spawned
from sweeps import run, written

from simtrial import InputError
from simtrial.conduct import simulation
from simtrial.sweep import claim
from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run
from simtrial.sweep import workers as sweep_workers

SIMTRIAL = [sys.executable, "-m", "simtrial"]


def processes():
    """Every process that has not ended: its number, that of its parent, and that of its group, from /proc."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if state != "Z":
                yield int(entry.name), int(parent), int(group)


LONG = [{"path": "p", "values": [0.1, 0.2, 0.3]}]
SLOW = ["pfs_median"]
"""Takes ten times as long to simulate as the decision."""


TRIALS = 60_000


@pytest.fixture(scope="module")
def calm(root, tmp_path_factory):
    """A sweep that nothing disturbs: its file, how it went, its digest."""
    folder = tmp_path_factory.mktemp("calm")
    path = written(root, folder, LONG, trials=TRIALS, outcomes=SLOW)
    return path, *run(path, folder / "out")


@pytest.mark.processes
def test_a_killed_worker_costs_nothing_but_time(calm, tmp_path):
    path, _, expected = calm
    killed = []

    def kill():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not killed:
            mine = [pid for pid, parent, _ in processes() if parent == os.getpid()]
            pools = [pid for pid in mine if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            if pools and (tmp_path / "shot/parts").exists():
                os.kill(pools[0], signal.SIGKILL)
                killed.append(pools[0])
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    state, digest = run(path, tmp_path / "shot", sweep_workers.pool(2), 2)
    thread.join()
    assert killed
    assert digest == expected
    assert state.done == 3


def started(path, out, *words):
    return spawned(
        [*SIMTRIAL, "sweep", str(path), "--out", str(out), "--workers", "2", "--json", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(folder, pattern, number, process):
    deadline = time.monotonic() + 120
    while len(list(folder.glob(pattern))) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.processes
def test_a_killed_driver_loses_no_finished_block(calm, tmp_path):
    path, expected, digest = calm
    out = tmp_path / "shot"
    with reaped(started(path, out)) as process:
        wait_for(out, "parts/*/*.json", 2, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)  # its workers hold the other ends of the pipes, and end with it
    left = sum(
        int(p.name.split("-")[1]) - int(p.name.split("-")[0])
        for p in out.glob("parts/*/*.json")
        if p.name.endswith(".json")
    )
    assert left
    state, again = run(path, out)
    assert again == digest
    # what was finished was found, and what was found was not run again
    assert state.found_blocks >= left * (state.found == 0)
    per_scenario = expected.blocks // 3
    assert state.blocks + state.found_blocks + state.found * per_scenario == expected.blocks
    assert state.blocks < expected.blocks
    assert not list(out.rglob("*.tmp"))


@pytest.mark.processes
@pytest.mark.parametrize(("sign", "times"), [(signal.SIGINT, 1), (signal.SIGINT, 3), (signal.SIGTERM, 1)])
def test_ctrl_c_stops_in_one_line_and_the_same_command_goes_on(calm, tmp_path, sign, times):
    path, _, expected = calm
    out = tmp_path / "out"
    with reaped(started(path, out)) as process:
        wait_for(out, "parts/*/*.json", 1, process)
        for _ in range(times):
            os.killpg(process.pid, sign)  # as a terminal does: to all of them
        _, said = process.communicate(timeout=60)
        deadline = time.monotonic() + 10
        while left := [pid for pid, _, group in processes() if group == process.pid]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("simtrial: interrupted")
    assert len([line for line in said.splitlines() if not line.startswith("  ")]) == 2
    assert not list(out.rglob("*.tmp"))
    state, digest = _settled(path, out)
    assert digest == expected
    assert state.done == 3


@pytest.mark.processes
def test_ctrl_c_while_workers_start_is_one_line(calm, tmp_path):
    with reaped(started(calm[0], tmp_path / "out")) as process:
        wait_for(tmp_path, "out/manifest.json", 1, process)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("simtrial: interrupted")


def _settled(path, out):
    """Run until the folder is free."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return run(path, out)
        except InputError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.long
def test_a_damaged_part_is_never_averaged_in(write, tmp_path):
    path = write(LONG[:1], trials=12_000, outcomes=SLOW)
    made = sweep_file.read(path)
    out = tmp_path / "out"
    cell = made.cell(0)
    tallies = simulation.tally(cell.plan, cell.scenario, 0, 7, 12_000, range(2))
    with claim.claimed(out, sweep_run.manifest(made), print) as store:
        store.keep(0, range(2), {"pfs_median": tallies["pfs_median"]})
        store.commit()
    (part,) = (out / "parts/000000").iterdir()
    part.write_text(part.read_text().replace('"infinite": ', '"infinite": 1'))
    state, digest = run(path, out)
    assert state.found_blocks == 0
    assert digest == run(path, tmp_path / "calm")[1]
