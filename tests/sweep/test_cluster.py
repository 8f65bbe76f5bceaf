"""Sweeps on a dask cluster: in a module of its own, so that the cluster lives no longer than its tests."""

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sweeps import SMALL, files, run

from simtrial import InputError
from simtrial.cli.app import main
from simtrial.sweep import cluster
from simtrial.sweep import workers as sweep_workers
from simtrial.sweep.driver import SweepError

STARTS = {"processes": {"dask_cluster"}}


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory):
    """A scheduler and two workers, started by hand as the page on clusters says, reached by address."""
    folder = tmp_path_factory.mktemp("dask")
    dask = str(Path(sys.executable).parent / "dask")
    began = []

    def start(*words):
        with (folder / f"{len(began)}.log").open("w") as log:
            began.append(subprocess.Popen([dask, *words], stdout=log, stderr=log, cwd=folder))

    start(
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--dashboard-address",
        "127.0.0.1:0",
        "--scheduler-file",
        "where.json",
    )
    deadline = time.monotonic() + 60
    while not (folder / "where.json").exists():
        assert time.monotonic() < deadline, (folder / "0.log").read_text()
        time.sleep(0.1)
    address = json.loads((folder / "where.json").read_text())["address"]
    for _ in range(2):
        start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
    yield address
    # Killed, not terminated: a worker that is asked to end first looks for its scheduler, up to dask's 30 seconds.
    for process in reversed(began):
        process.kill()
    for process in began:
        process.wait()


NO_ADDRESS = ["", " ", "foo", "tcp://", "tcp://[::1]:x", "tcp://h:0", "tcp://h:70000", "ucx://127.0.0.1:1", "inproc://"]
"""What is refused without asking anybody."""


@pytest.mark.parametrize("address", [*NO_ADDRESS, "ws://127.0.0.1:1", "tcp://a\nb:1", "tls://127.0.0.1:1"])
def test_an_address_at_which_nobody_is_ends_in_one_line_before_any_work(tmp_path, capsys, address):
    assert main(["sweep", "nowhere.yaml", "--out", str(tmp_path / "o"), "--scheduler", address]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("simtrial: scheduler (")
    assert ("is no address" in line) == (address != "tls://127.0.0.1:1")


@pytest.mark.long
def test_a_listener_that_says_nothing_is_no_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match="cannot be reached"), cluster.cluster(where):
            pass


def test_a_scheduler_that_is_lost_ends_a_sweep_in_one_line(write, tmp_path):
    class Lost(ThreadPoolExecutor):
        def submit(self, *_):
            lost = Future()
            lost.cancel()
            lost.set_running_or_notify_cancel()
            return lost

    with pytest.raises(SweepError, match="scheduler or its workers are gone; what was written is valid; the same"):
        run(write(SMALL), tmp_path / "out", lambda: Lost(1))


def test_the_same_digest_serially_in_processes_on_a_cluster_and_by_address(write, tmp_path, dask_cluster):
    from distributed import LocalCluster

    path = write(SMALL, trials=6000)
    digests = [run(path, tmp_path / "serial")[1]]
    digests.append(run(path, tmp_path / "pool", sweep_workers.pool(2), 2)[1])
    with cluster.cluster(dask_cluster) as (start, workers):
        assert workers == 2
        digests.append(run(path, tmp_path / "address", start, workers)[1])
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=":0"
        ) as local,
        cluster.cluster(local.scheduler_address) as (start, workers),
    ):
        digests.append(run(path, tmp_path / "local", start, workers)[1])
    assert len(set(digests)) == 1
    assert files(tmp_path / "serial") == files(tmp_path / "pool") == files(tmp_path / "address")


def test_workers_with_another_version_are_refused(monkeypatch, dask_cluster, write, tmp_path, capsys):
    true = sweep_workers.versions()
    monkeypatch.setattr(sweep_workers, "__version__", "9.9.9")
    assert sweep_workers.versions() != true
    assert main(["sweep", str(write(SMALL)), "--out", str(tmp_path / "o"), "--scheduler", dask_cluster]) == 2
    said = capsys.readouterr().err
    assert "has simtrial" in said
    assert "here 9.9.9" in said
