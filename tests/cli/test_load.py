"""A load has no daemon; `status` says so, and who of it has died."""

from __future__ import annotations

import re

from devnet.base import wait_for
from tests.cli.conftest import Shell


def test_a_locust_that_dies_is_named_in_status_and_in_the_verdict(devnet: Shell) -> None:
    load = devnet.start("load", "--users", "5", "--time", "60s")
    devnet.said("locust: 5 users for 60 s")
    asked = devnet("status", "--name", "load")
    assert asked.code == 2
    is_a_run = f"is that of a run which is going on ({load.pid}) and answers no questions\n"
    assert is_a_run in asked.err
    (locust,) = (process for process in devnet.marked() if "loadtests" in process.cmdline())
    locust.kill()
    wait_for(
        "status to name it",
        lambda: "; locust was killed by SIGKILL" in devnet("status", "--name", "load").err,
        limit_seconds=30,
        every_seconds=0,
    )
    assert load.wait(60) == 1
    told = (devnet.folder / "out").read_text()
    assert "locust was killed by SIGKILL after" in told
    # Nobody counted: no time and no rate.
    rows = re.findall(r"^(?:stake|top up|claim) .*", told, re.MULTILINE)
    assert [row.split()[-5:] for row in rows[:3]] == [["0", "-", "-", "5000", "ms"]] * 3
    assert re.search(
        r"^failed: 5 users on sim, \d+ transactions?, 0 requests, ", told, re.MULTILINE
    )
    devnet.wait_until_nothing_is_left()
