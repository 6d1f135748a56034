"""An interrupt that was raised where exceptions are dropped comes again."""

from __future__ import annotations

import signal

from tests.cli.conftest import python

SCRIPT = """
import os, signal, sys, threading
from devnet.daemon.stopping import Stopping

stopping = Stopping()

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)  # raised in here, and dropped

try:
    with stopping.may_interrupt():
        Finalized()
        threading.Event().wait(20)
        print("lost")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_dropped_interrupt_is_raised_again() -> None:
    done = python(SCRIPT)
    assert done.code == 0, done.err
    assert (done.out, done.err) == ("interrupted\n", "")


def test_outside_it_is_only_remembered() -> None:
    script = (
        "import os, signal\nfrom devnet.daemon.stopping import Stopping\n"
        "stopping = Stopping()\n"
        f"os.kill(os.getpid(), {int(signal.SIGTERM)})\nprint(stopping.asked)\n"
        "try:\n    with stopping.may_interrupt():\n        print('entered')\n"
        "except KeyboardInterrupt:\n    print('not entered')\n"
    )
    done = python(script)
    assert done.code == 0, done.err
    assert done.out == "True\nnot entered\n"
