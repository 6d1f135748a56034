"""What each fault does to a real kubelet, its pods' processes and their control groups."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.errors import CannotPlay, ClusterError, JobFailed
from cluster.faults import CRASHED, DISK_FULL, NODE, OFFLINE, PAUSED, SLOW, FaultKind
from cluster.interface import Capacity, ClusterEvent, EventKind, Job, NodeState, Pod, Workload
from cluster.native import breaking, groups
from cluster.native.capabilities import CAPABILITIES
from cluster.native.provider import NativeCluster
from cluster.waiting import Seen, wait_for
from tests.cluster.conftest import MACHINE
from tests.cluster.native.running import running_pods

WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"
LIMIT_SECONDS = 60.0
BURN = "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass\n"
BURN += "print(time.process_time())"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def cluster(native: NativeCluster) -> NativeCluster:
    """With three pods of `web`, one on each node."""
    native.apply(Workload("web", WEB, ("python3", "server.py"), 3, Capacity(50, 32 << 20)))
    native.settle(LIMIT_SECONDS)
    return native


@pytest.fixture
def events(cluster: NativeCluster) -> Iterator[list[ClusterEvent]]:
    seen: list[ClusterEvent] = []
    cluster.subscribe(seen.append)
    yield seen
    cluster.settle(LIMIT_SECONDS)


def losses(events: list[ClusterEvent]) -> list[str]:
    return [event.node for event in events if event.kind is EventKind.NODE_LOST]


def state_of(cluster: NativeCluster, name: str) -> tuple[NodeState, FaultKind | None]:
    (found,) = [node for node in cluster.nodes() if node.spec.name == name]
    return found.state, cluster.faults().get(name)


def pod_on(cluster: NativeCluster, node: str) -> Pod:
    return next(pod for pod in cluster.pods("web") if pod.node == node)


def answer(pod: Pod) -> int:
    with urllib.request.urlopen(f"http://{pod.host}:{pod.port}/healthz", timeout=5) as answered:
        return int(answered.status)


def below(node: str) -> list[psutil.Process]:
    """The kubelet of a node and all that runs below it."""
    (kubelet,) = [
        child
        for child in psutil.Process().children()
        if Path(child.cmdline()[0]).name == "kubelet" and f"/{node}/" in child.cmdline()[-1]
    ]
    return [kubelet, *kubelet.children(recursive=True)]


def had_seconds(cluster: NativeCluster, node: str) -> float:
    """Of the processor, a job that burns it for two seconds."""
    job = Job(
        f"burn-{time.monotonic_ns()}",
        WEB,
        ("python3", "-c", BURN),
        b"",
        Capacity(0, 0),
        node=node,
    )
    return float(cluster.run_job(job).output)


def test_all_that_native_can_play_has_its_play() -> None:
    assert set(breaking._PLAYS) == set(CAPABILITIES.faults)


def test_a_node_that_stands_still_is_lost_and_its_pods_end_when_it_goes_on(
    cluster: NativeCluster, events: list[ClusterEvent]
) -> None:
    before = pod_on(cluster, "worker-1")
    cluster.fault("worker-1", PAUSED)
    processes = below("worker-1")
    assert len(processes) > 3
    assert {process.status() for process in processes} == {psutil.STATUS_STOPPED}

    wait_for("the loss", lambda: Seen(losses(events) == ["worker-1"], str(events)), LIMIT_SECONDS)
    assert state_of(cluster, "worker-1") == (NodeState.LOST, PAUSED)
    assert cluster.ended() == ()  # it was asked for
    cluster.settle(LIMIT_SECONDS)
    assert {pod.node for pod in cluster.pods("web")} == {"worker-2", "worker-3"}
    assert running_pods("worker-1") == {before.name}
    with pytest.raises(CannotPlay, match="worker-1 has the fault 'paused' already"):
        cluster.fault("worker-1", OFFLINE)

    cluster.heal("worker-1")
    assert state_of(cluster, "worker-1") == (NodeState.READY, None)
    wait_for(
        "the end of what ran there",
        lambda: Seen(running_pods("worker-1") == set(), str(running_pods("worker-1"))),
        LIMIT_SECONDS,
        every_seconds=0.2,
    )
    assert not [each for each in cluster.incidents() if each.node == "worker-1"]
    assert losses(events) == ["worker-1"]


def test_a_node_that_somebody_else_let_go_on_is_healed_all_the_same(
    cluster: NativeCluster, events: list[ClusterEvent]
) -> None:
    """Its loss was waited for, which had long passed."""
    cluster.fault("worker-1", PAUSED)
    wait_for("the loss", lambda: Seen(losses(events) == ["worker-1"], str(events)), LIMIT_SECONDS)
    for process in below("worker-1"):
        process.resume()

    def look() -> Seen:
        state = state_of(cluster, "worker-1")
        return Seen(state == (NodeState.READY, PAUSED), str(state))

    wait_for("its return", look, LIMIT_SECONDS, every_seconds=0.2)
    cluster.heal("worker-1")
    assert state_of(cluster, "worker-1") == (NodeState.READY, None)
    assert losses(events) == ["worker-1"]


def test_a_kubelet_may_crash_as_soon_as_it_is_healed(cluster: NativeCluster) -> None:
    """One that nobody has seen at work is given up, and the devnet with it."""
    cluster.fault("worker-3", OFFLINE)
    cluster.heal("worker-3")
    cluster.fault("worker-3", CRASHED)
    assert cluster.ended() == ()
    assert state_of(cluster, "worker-3") == (NodeState.READY, None)


def test_a_kubelet_that_crashes_is_back_with_its_pods(
    cluster: NativeCluster, events: list[ClusterEvent]
) -> None:
    node = cluster.pods("web")[0].node
    there = pod_on(cluster, node)
    kubelet = below(node)[0]
    cluster.fault(node, CRASHED)
    assert not kubelet.is_running()
    assert state_of(cluster, node) == (NodeState.READY, None)
    assert cluster.ended() == ()
    said = [str(each) for each in cluster.incidents() if each.node == node]
    assert said[-2] == f"kubelet of {node} was killed by SIGKILL"
    assert said[-1].startswith(f"kubelet of {node} is back after")

    def served() -> Seen:
        pods = [pod for pod in cluster.pods("web") if pod.ready]
        grown = [pod for pod in pods if pod.name == there.name and pod.restarts > there.restarts]
        return Seen(len(pods) == 3 and bool(grown), str(pods))

    wait_for("its pod, begun anew", served, LIMIT_SECONDS, every_seconds=0.2, error=ClusterError)
    assert answer(pod_on(cluster, node)) == 200
    assert losses(events) == []


def test_a_slow_node_gets_a_quarter_until_it_is_healed(
    cluster: NativeCluster, events: list[ClusterEvent]
) -> None:
    node = "worker-2"
    if not any("CPU quota" in each for each in cluster.enforcement().enforced):
        pytest.skip("no control groups here")
    whole = MACHINE.milli_cpu / 1000
    assert had_seconds(cluster, node) <= 2 * whole * 1.15
    cluster.fault(node, SLOW)
    assert state_of(cluster, node) == (NodeState.READY, SLOW)
    assert had_seconds(cluster, node) <= 2 * whole / 4 * 1.3
    assert answer(pod_on(cluster, node)) == 200
    with pytest.raises(CannotPlay, match="worker-2 has the fault 'slow' already"):
        cluster.fault(node, CRASHED)
    cluster.heal(node)
    assert state_of(cluster, node) == (NodeState.READY, None)
    assert had_seconds(cluster, node) >= 2 * whole / 4 * 1.5
    assert losses(events) == []


def test_a_full_disk_evicts_what_runs_there(
    cluster: NativeCluster, events: list[ClusterEvent]
) -> None:
    node = "worker-3"
    if "A node's disk is as large as its profile says." not in cluster.enforcement().enforced:
        pytest.skip("no disks of their own here")
    cluster.fault(node, DISK_FULL)
    assert state_of(cluster, node) == (NodeState.READY, DISK_FULL)
    cluster.settle(LIMIT_SECONDS)
    assert node not in {pod.node for pod in cluster.pods("web")}
    with pytest.raises(JobFailed):
        cluster.run_job(Job("stored", WEB, ("true",), b"", Capacity(0, 0), node=node))
    cluster.heal(node)
    assert state_of(cluster, node) == (NodeState.READY, None)
    again = Job("again", WEB, ("true",), b"", Capacity(0, 0), node=node)
    assert cluster.run_job(again).exit_code == 0
    assert losses(events) == []


def test_a_pod_cannot_write_more_than_its_node_has(cluster: NativeCluster) -> None:
    if "A node's disk is as large as its profile says." not in cluster.enforcement().enforced:
        pytest.skip("no disks of their own here")
    for size, code in ((MACHINE.storage_bytes // 2, 0), (MACHINE.storage_bytes + 1, 1)):
        command = ("fallocate", "-l", str(size), "/tmp/much")
        job = Job(f"writes-{code}", WEB, command, b"", Capacity(0, 0), node="worker-3")
        assert cluster.run_job(job).exit_code == code


def test_a_slow_node_without_control_groups_is_refused_and_stays_whole(
    cluster: NativeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played: this machine has them."""
    monkeypatch.setattr(groups, "places", lambda devnet_id: [])
    with pytest.raises(CannotPlay) as caught:
        cluster.fault("worker-3", SLOW)
    assert str(caught.value) == (
        "the fault 'slow' cannot be played here: worker-3 has no control group"
    )
    assert state_of(cluster, "worker-3") == (NodeState.READY, None)


def test_what_it_cannot_play_is_refused_by_name(cluster: NativeCluster) -> None:
    with pytest.raises(CannotPlay) as caught:
        cluster.fault("worker-1", FaultKind(NODE, "melted", "it is a puddle"))
    assert str(caught.value) == "native cannot play the fault 'melted' of a worker"
    assert state_of(cluster, "worker-1") == (NodeState.READY, None)
