"""An interrupt is raised once, not within what must be whole, and not lost where an exception ends nothing."""

import logging
import signal
import subprocess
import sys
import threading
import time

import pytest

from simtrial import interruption
from simtrial.interruption import held


@pytest.fixture(autouse=True)
def heard():
    """This process hears signals as the command line does, and forgets it afterwards."""
    before = {one: signal.signal(one, interruption.end) for one in (signal.SIGINT, signal.SIGTERM)}
    hooks, level = (sys.unraisablehook, threading.excepthook), logging.root.manager.disable
    yield
    for one, handler in before.items():
        signal.signal(one, handler)
    sys.unraisablehook, threading.excepthook = hooks
    logging.disable(level)
    interruption._first.clear()
    interruption._swallowed.clear()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_raised_once(number):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    signal.raise_signal(number)
    assert interruption.received()


def test_what_must_be_whole_is_done_before_the_interrupt_is_raised():
    done = []

    def whole():
        with held():
            signal.raise_signal(signal.SIGINT)
            with held():
                signal.raise_signal(signal.SIGTERM)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        whole()
    assert done == ["whole"]


def test_in_another_thread_nothing_is_held():
    done = []

    def hold():
        with held():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert done == [interruption.end]


def test_an_interrupt_within_a_destructor_is_raised_again():
    class Gone:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def dropped():
        gone = Gone()
        del gone
        time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        dropped()


@pytest.mark.processes
def test_a_child_begun_meanwhile_hears_signals():
    with held():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    child.terminate()
    assert child.wait(60) == -signal.SIGTERM
