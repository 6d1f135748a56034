"""Waits are bounded and say what they last saw."""

from __future__ import annotations

import pytest

from cluster.errors import ClusterStartFailed, JobFailed
from cluster.waiting import Seen, wait_for


def test_returns_at_the_first_look_that_holds() -> None:
    looks = iter([Seen(False), Seen(False), Seen(True)])
    wait_for("three looks", lambda: next(looks), 5, every_seconds=0)
    assert next(looks, None) is None


def test_the_limit_tells_the_last_observation_and_the_log() -> None:
    with pytest.raises(ClusterStartFailed) as caught:
        wait_for("etcd", lambda: Seen(False, "refused"), 0, tail=lambda: "bind: in use")
    assert str(caught.value) == (
        "etcd: not within 0 s; last seen: refused\n--- end of the log ---\nbind: in use"
    )


def test_the_caller_names_the_error() -> None:
    with pytest.raises(JobFailed, match="last seen: nothing"):
        wait_for("a job", lambda: Seen(False), 0, error=JobFailed)
