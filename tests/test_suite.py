"""What the tests start is said by their markers, so that the quick ones stay quick."""

import signal
import subprocess
import sys

import pytest
from children import reaped, spawned


@pytest.mark.parametrize(
    ("words", "marker"),
    [
        (("ipykernel",), "kernel"),
        (("simtrial", "report", "params/smoke.yaml"), "kernel"),
        (("simtrial", "explore"), "browser"),
        (("playwright", "run-driver"), "browser"),
    ],
)
def test_an_unmarked_test_starts_neither_a_kernel_nor_a_browser(words, marker):
    with pytest.raises(pytest.fail.Exception, match=rf"needs the marker {marker}$"):
        subprocess.run([sys.executable, "-m", *words], check=False)


def test_a_child_hears_ctrl_c_where_the_tests_do_not():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as under a shell that put them in the background
    try:
        program = "import time; print(1, flush=True); time.sleep(60)"
        child = spawned([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with reaped(child):
        assert child.stdout.readline() == "1\n"
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate(timeout=30)[1]


def test_a_child_is_gone_when_its_test_fails():
    child = spawned([sys.executable, "-c", "import time; time.sleep(600)"])
    with pytest.raises(AssertionError), reaped(child):
        raise AssertionError
    assert child.returncode == -signal.SIGKILL
