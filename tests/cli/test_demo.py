"""The first command of all, on sim."""

from __future__ import annotations

import signal

from tests.cli.conftest import Shell
from tests.cli.test_width import too_wide


def test_the_demo_ends_in_a_ledger_a_verdict_and_a_report(devnet: Shell) -> None:
    ended = devnet("demo", "--cluster", "sim", COLUMNS="80")
    assert ended.code == 0, ended.err
    assert "it adds up: balances" in ended.out
    assert "passed: full loop on sim, 16 of 16 steps held" in ended.out
    assert too_wide(ended.out + ended.err) == []
    assert ended.out.split()[-1].endswith("/report.html")


def test_an_interrupted_demo_leaves_nothing_running(devnet: Shell) -> None:
    process = devnet.start("demo", "--cluster", "sim")
    devnet.said("ok    order")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert devnet.marked() == []
