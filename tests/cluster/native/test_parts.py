"""Every process of a native cluster that dies or is stopped is named and comes back; one that was
asked to end is not."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest

from cluster.ended import Outlook
from cluster.errors import ClusterError, PartsAway
from cluster.faults import OFFLINE
from cluster.interface import Capacity, ClusterEvent, EventKind, Pod, Workload
from cluster.kubernetes.vigil import DOUBT_SECONDS
from cluster.native.provider import NativeCluster
from devnet.base import wait_for
from tests.cluster.conftest import WORKERS
from tests.cluster.native.running import running_pods

WITNESSES = ("etcd", "kube-apiserver", "kube-controller-manager")
PARTS = (*WITNESSES, "kube-scheduler", "metrics-server", "kubelet of worker-1")
WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"
SLEEP_SECONDS = 6.0
LONG_SLEEP_SECONDS = 12.0


def node_of(part: str) -> str:
    return part.partition(" of ")[2]


def process_of(part: str) -> psutil.Process:
    """A child of this process, by its program's name and a kubelet's by its node."""
    program, node = part.partition(" of ")[0], node_of(part)
    (found,) = [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and Path(child.cmdline()[0]).name == program
        and (not node or f"/{node}/" in child.cmdline()[-1])
    ]
    return found


@pytest.fixture(scope="module")
def _web(native: NativeCluster) -> None:
    """Three pods of one service, on three nodes."""
    requests = Capacity(50, 32 << 20)
    native.apply(Workload("web", WEB, ("python3", "server.py"), 3, requests, "/healthz"))
    native.settle(60)


def test_nobody_loses_a_node_while_all_slept_and_a_real_loss_after_it_counts(
    native: NativeCluster,
) -> None:
    """This process cannot stop itself: its clock is set forward by what its children slept."""
    seen: list[ClusterEvent] = []
    native.subscribe(seen.append)
    children = psutil.Process().children(recursive=True)
    clock = native._vigil._clock
    awake = threading.Event()
    for child in children:
        child.suspend()
    awake.wait(SLEEP_SECONDS)
    native._vigil._clock = lambda: clock() + SLEEP_SECONDS
    native._vigil.tick()
    for child in children:
        child.resume()
    native.settle(30)
    awake.wait(DOUBT_SECONDS)
    assert [event for event in seen if event.kind is EventKind.NODE_LOST] == []

    native.fault("worker-3", OFFLINE)
    lost = ClusterEvent(EventKind.NODE_LOST, "worker-3", "worker-3")
    wait_for("the loss", lambda: lost in seen, limit_seconds=20)
    native.heal("worker-3")
    assert native.ended() == ()


@pytest.mark.parametrize("witness", ["kube-apiserver", "kube-controller-manager", "etcd"])
def test_nobody_loses_a_node_while_a_part_of_the_control_plane_alone_slept(
    native: NativeCluster, witness: str
) -> None:
    seen: list[ClusterEvent] = []
    native.subscribe(seen.append)
    (process,) = (
        child for child in psutil.Process().children() if Path(child.cmdline()[0]).name == witness
    )
    awake = threading.Event()
    process.suspend()
    awake.wait(LONG_SLEEP_SECONDS)
    process.resume()
    wait_for("its answers", lambda: len(native.nodes()) == 3, limit_seconds=20)
    native.settle(30)
    awake.wait(2 * DOUBT_SECONDS)
    assert [event for event in seen if event.kind is EventKind.NODE_LOST] == []
    assert native.ended() == ()


def answers(pod: Pod) -> bool:
    try:
        with socket.create_connection((pod.host, pod.port), 1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return connection.recv(12).endswith(b"200")
    except OSError:
        return False


@pytest.mark.usefixtures("_web")
@pytest.mark.parametrize("part", PARTS)
def test_whoever_dies_is_named_at_once_and_comes_back(native: NativeCluster, part: str) -> None:
    """No node is lost by it, and what lives goes on being served."""
    seen: list[ClusterEvent] = []
    native.subscribe(seen.append)
    web = native.pods("web")
    before = len(native.incidents())
    process = process_of(part)
    os.kill(process.pid, signal.SIGKILL)
    start = time.monotonic()
    wait_for("its name", lambda: str(native.ended()).count(part) or None, limit_seconds=2)
    (gone,) = native.ended()
    assert (gone.name, gone.outlook, gone.node) == (part, Outlook.RETURNS, node_of(part))
    assert gone.how.startswith("was killed by SIGKILL; it is start")
    assert gone.log is not None and gone.log.exists()
    elsewhere = [pod for pod in web if pod.node != node_of(part)]
    assert elsewhere and all(map(answers, elsewhere))

    # Whoever asks meanwhile waits for it, and is answered.
    assert {node.spec.name for node in native.nodes()} == {spec.name for spec in WORKERS}
    wait_for("its return", lambda: native.ended() == (), limit_seconds=30)
    seconds = time.monotonic() - start
    assert process_of(part).pid != process.pid
    said = [str(incident) for incident in native.incidents()[before:]]
    assert said[0] == f"{part} was killed by SIGKILL"
    assert said[1].startswith(f"{part} is back after ") and len(said) == 2
    assert seconds < 20

    native.settle(60)  # the devnet can do all that it could
    native.scale("web", 4)
    native.settle(60)
    native.scale("web", 3)
    native.settle(60)
    # What the API knew of a kubelet's pods is true again once that has looked at them.
    wait_for(
        "all to answer",
        lambda: all(map(answers, native.pods("web"))),
        limit_seconds=30,
    )
    if not node_of(part):
        assert [event.node for event in seen if event.kind is EventKind.NODE_LOST] == []
    # A pod of a kubelet that died is taken up or ended: no process without its pod.
    for spec in WORKERS:
        there = {pod.name for pod in native.pods("web") if pod.node == spec.name}
        wait_for(
            f"the processes of {spec.name} to be those of {there}",
            lambda spec=spec, there=there: running_pods(spec.name) == there,  # type: ignore[misc]
            limit_seconds=30,
            seen=lambda spec=spec: str(running_pods(spec.name)),  # type: ignore[misc]
        )


def log_of(native: NativeCluster, pod: Pod) -> str:
    """Empty while its kubelet, just back, has not started its pods yet."""
    try:
        return native.logs(pod.name)
    except ClusterError:
        return ""


@pytest.mark.usefixtures("_web")
def test_a_kubelet_whose_port_somebody_has_taken_is_back_on_another(native: NativeCluster) -> None:
    """The API knows where: logs of its pods are asked for there."""
    part, supervisor = "kubelet of worker-1", native._provider._supervisor  # type: ignore[attr-defined]
    before = native._provider._files["worker-1"].port  # type: ignore[attr-defined]
    with supervisor._lock:  # it is not started again before the port is taken
        process = process_of(part)
        process.kill()
        wait_for("its end", lambda: not supervisor.process(part).running, limit_seconds=5)
        thief = socket.create_server(("127.0.0.1", before))
    with thief:
        wait_for("its return", lambda: native.ended() == (), limit_seconds=30)
        after = native._provider._files["worker-1"].port  # type: ignore[attr-defined]
        assert after != before
        native.settle(60)
        (pod, *_) = (pod for pod in native.pods("web") if pod.node == "worker-1")
        wait_for("its log", lambda: "listens on" in log_of(native, pod), limit_seconds=30)


@pytest.mark.usefixtures("_web")
@pytest.mark.parametrize("part", PARTS)
def test_whoever_is_stopped_is_named_at_once_and_goes_on(native: NativeCluster, part: str) -> None:
    process = process_of(part)
    process.suspend()
    try:
        wait_for("its name", lambda: native.ended() != (), limit_seconds=2)
        (stopped,) = native.ended()
        assert (stopped.name, stopped.outlook) == (part, Outlook.STOPPED)
        assert str(stopped) == f"{part} is stopped by a signal (SIGSTOP, a debugger)"
        if part in WITNESSES:
            start = time.monotonic()
            with pytest.raises(PartsAway, match=f"^{stopped.name} is stopped") as caught:
                native.fault("worker-3", OFFLINE)
            assert time.monotonic() - start < 5
            assert str(caught.value).endswith("nobody would see the loss of worker-3")
            assert caught.value.hint == f"`kill -CONT {process.pid}` lets {part} go on"
    finally:
        process.resume()
    wait_for("its going on", lambda: native.ended() == (), limit_seconds=5)
    native.settle(60)
    assert process_of(part).pid == process.pid


@pytest.mark.usefixtures("_web")
def test_a_kubelet_that_is_stopped_is_healed(native: NativeCluster) -> None:
    process = process_of("kubelet of worker-2")
    process.suspend()
    wait_for("its name", lambda: native.ended() != (), limit_seconds=2)
    native.heal("worker-2")
    assert native.ended() == ()
    assert process.status() != psutil.STATUS_STOPPED
    native.settle(60)
