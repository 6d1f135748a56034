"""Plain processes of pods are ended by their marks, and named where they do not end."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.faults import OFFLINE
from cluster.native import groups, plain
from cluster.native.breaking import Machine, _offline
from tests.cluster.grouped import frozen, sleeper_in


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


def test_a_kubelet_that_does_not_end_keeps_its_pods_from_nothing(
    devnet_id: str, sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """The supervisor's kubelet is a stand-in: no kernel holds a process when it is asked to."""

    def kill() -> None:
        raise ClusterError("not ended 5 s after SIGKILL: kubelet of one (pid 7)")

    supervisor: Any = SimpleNamespace(release=lambda name: SimpleNamespace(kill=kill))
    files: Any = tmp_path
    machine = Machine("one", "kubelet of one", devnet_id, files, supervisor, sandboxed=False)
    with sleeper_in(devnet_id, "one") as grouped:
        try:
            with pytest.raises(ClusterError, match=r"kubelet of one \(pid 7\)"):
                _offline(OFFLINE, machine)
            assert grouped.wait(10) == -signal.SIGKILL
        finally:
            grouped.kill()
            groups.remove_devnet(devnet_id)
    assert sleeper.wait(10) == -signal.SIGKILL
