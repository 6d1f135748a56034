"""A kubelet that was stopped for a while: what was taken from it meanwhile does not run on."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import psutil
import pytest

from cluster.errors import ClusterError
from cluster.interface import Capacity, ClusterEvent, EventKind, Pod, Workload
from cluster.native.provider import NativeCluster
from cluster.waiting import Seen, wait_for
from tests.cluster.conftest import WORKERS
from tests.cluster.native.running import running_pods

WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"
PAUSE_SECONDS = 6.0
LIMIT_SECONDS = 60.0


def answers(pod: Pod) -> bool:
    try:
        socket.create_connection((pod.host, pod.port), 1).close()
    except OSError:
        return False
    return True


def kubelet(node: str) -> psutil.Process:
    (found,) = [
        child
        for child in psutil.Process().children()
        if Path(child.cmdline()[0]).name == "kubelet" and f"/{node}/" in child.cmdline()[-1]
    ]
    return found


@pytest.mark.timeout(240)
def test_no_process_runs_without_its_pod(native: NativeCluster) -> None:
    events: list[ClusterEvent] = []
    native.subscribe(events.append)
    native.apply(
        Workload("paused", WEB, ("python3", "server.py"), 3, Capacity(50, 32 << 20), "/healthz")
    )
    native.settle(LIMIT_SECONDS)
    there = [pod for pod in native.pods("paused") if pod.node == "worker-1"]
    assert there and all(map(answers, there))

    process = kubelet("worker-1")
    os.kill(process.pid, signal.SIGSTOP)
    threading.Event().wait(PAUSE_SECONDS)
    lost = [event.node for event in events if event.kind is EventKind.NODE_LOST]
    os.kill(process.pid, signal.SIGCONT)

    assert lost == ["worker-1"]
    for pod in there:
        wait_for(
            f"the end of {pod.name}",
            lambda pod=pod: Seen(not answers(pod), "it answers"),  # type: ignore[misc]
            LIMIT_SECONDS,
            every_seconds=0.2,
            error=ClusterError,
        )
    native.settle(LIMIT_SECONDS)
    pods = native.pods("paused")
    assert len(pods) == 3
    assert not {pod.name for pod in pods} & {pod.name for pod in there}
    wished = {spec.name: {pod.name for pod in pods if pod.node == spec.name} for spec in WORKERS}

    def processes() -> Seen:
        there = {spec.name: running_pods(spec.name) for spec in WORKERS}
        return Seen(there == wished, f"{there}, pods: {wished}")

    wait_for("no process without its pod", processes, 10, every_seconds=0.2, error=ClusterError)
