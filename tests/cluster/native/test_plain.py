"""Plain processes of pods are ended by their marks, and named where they do not end."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from cluster.errors import ClusterError
from cluster.native import plain
from tests.cluster.grouped import frozen


@pytest.fixture
def devnet_id() -> str:
    return f"tests-plain-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def sleeper(devnet_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a pod of the node `one`, whose kubelet was killed."""
    marks = {"KOMPUTE_DEVNET_ID": devnet_id, "KOMPUTE_NODE": "one"}
    with subprocess.Popen(["sleep", "600"], env=marks, start_new_session=True) as process:
        yield process
        process.kill()


def test_a_nodes_processes_are_ended_and_anothers_are_not(
    devnet_id: str, sleeper: subprocess.Popen[bytes]
) -> None:
    plain.end(devnet_id, "two")
    assert [each.pid for each in plain.find(devnet_id)] == [sleeper.pid]
    plain.end(devnet_id, "one")
    assert sleeper.wait(10) == -signal.SIGKILL


def test_what_a_kill_does_not_end_is_named(
    devnet_id: str, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_KILL_SECONDS", 0.3)
    named = rf"0.3 s after SIGKILL: sleep \(pid {sleeper.pid}, disk-sleep\)"
    with frozen(sleeper.pid):
        with pytest.raises(ClusterError, match=named) as told:
            plain.end(devnet_id)
        assert "devnet gc" in told.value.hint
    plain.end(devnet_id)
