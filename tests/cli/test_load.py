"""A load has no daemon; `status` says so, and who of it has died."""

from __future__ import annotations

from devnet.base import wait_for
from tests.cli.conftest import Shell


def test_a_locust_that_dies_is_named_in_status_and_in_the_verdict(devnet: Shell) -> None:
    load = devnet.start("load", "--users", "5", "--time", "60s")
    devnet.said("locust: 5 users for 60 s")
    told = devnet("status", "--name", "load")
    assert told.code == 2
    assert f"is that of a run which is going on ({load.pid}) and answers no questions\n" in told.err
    (locust,) = (process for process in devnet.marked() if "loadtests" in process.cmdline())
    locust.kill()
    wait_for(
        "status to name it",
        lambda: "; locust was killed by SIGKILL" in devnet("status", "--name", "load").err,
        limit_seconds=30,
        every_seconds=0,
    )
    assert load.wait(60) == 1
    assert "locust was killed by SIGKILL after" in (devnet.folder / "out").read_text()
    devnet.wait_until_nothing_is_left()
