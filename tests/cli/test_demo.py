"""The first command of all, on sim."""

from __future__ import annotations

import signal

from tests.cli.conftest import Shell


def test_the_demo_ends_in_a_ledger_a_verdict_and_a_report(devnet: Shell) -> None:
    ended = devnet("demo", "--cluster", "sim")
    assert ended.code == 0, ended.err
    assert "it adds up: balances" in ended.out
    assert "passed: full loop on sim, 16 of 16 steps held" in ended.out
    assert max(map(len, ended.err.splitlines())) <= 100
    report = ended.out.split("report     ")[1].splitlines()[0]
    assert report.endswith("report.html")


def test_an_interrupted_demo_leaves_nothing_running(devnet: Shell) -> None:
    process = devnet.start("demo", "--cluster", "sim")
    devnet.said("ok    order")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert devnet.marked() == []
