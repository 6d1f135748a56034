"""What each fault of a node is on models: lost, slow, or over by itself; one at a time, healed."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from cluster.errors import CannotPlay, JobFailed, NodeLost
from cluster.faults import CRASHED, DISK_FULL, NODE, OFFLINE, SLOW, FaultKind, kinds_of
from cluster.interface import Capacity, ClusterEvent, EventKind, Job, NodeSpec, NodeState, Workload
from cluster.perftest import Overloaded
from cluster.profiles import load_profile, scaled
from cluster.sim.cluster import JOB_MILLISECONDS, SimCluster

WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"
SMALL = Capacity(50, 32 << 20)
SEED = b"\x07" * 32
STANDARD = scaled(load_profile("standard"), Fraction(1, 16))
NODES = tuple(
    NodeSpec(f"worker-{number}", "standard", "eu", f"eu-{number}", STANDARD) for number in (1, 2)
)
LOSING = [kind for kind in kinds_of(NODE) if kind.loses]
STAYING = [kind for kind in kinds_of(NODE) if not kind.passes]


def by_name(kind: FaultKind) -> str:
    return kind.name


@pytest.fixture
def events() -> list[ClusterEvent]:
    return []


@pytest.fixture
def sim(tmp_path: Path, events: list[ClusterEvent]) -> Iterator[SimCluster]:
    """Two pods of `web`, one on each node."""
    cluster = SimCluster(NODES, tmp_path / "state", f"test-{os.getpid()}-{tmp_path.name}")
    with cluster:
        cluster.apply(Workload("web", WEB, ("python3", "server.py"), 2, SMALL, "/healthz"))
        cluster.subscribe(events.append)
        yield cluster


def told(events: list[ClusterEvent]) -> list[tuple[EventKind, str]]:
    return [(event.kind, event.subject) for event in events]


def states(sim: SimCluster) -> list[tuple[NodeState, FaultKind | None]]:
    return [(node.state, sim.faults().get(node.spec.name)) for node in sim.nodes()]


def job(node: str, *command: str) -> Job:
    return Job("job", WEB, command or ("true",), b"", SMALL, node=node)


@pytest.mark.parametrize("kind", LOSING, ids=by_name)
def test_a_node_is_lost_until_it_is_healed(
    sim: SimCluster, events: list[ClusterEvent], kind: FaultKind
) -> None:
    sim.fault("worker-1", kind)
    assert told(events) == [
        (EventKind.NODE_LOST, "worker-1"),
        (EventKind.POD_LOST, "web-1"),
        (EventKind.POD_READY, "web-3"),
    ]
    assert states(sim) == [(NodeState.LOST, kind), (NodeState.READY, None)]
    with pytest.raises(NodeLost, match="'worker-1' is lost"):
        sim.measure("worker-1", SEED)
    del events[:]
    sim.heal("worker-1")
    assert told(events) == [(EventKind.NODE_READY, "worker-1")]
    assert states(sim) == [(NodeState.READY, None)] * 2
    assert sim.measure("worker-1", SEED).node == "worker-1"


def test_a_slow_node_serves_on_and_has_no_result(
    sim: SimCluster, events: list[ClusterEvent]
) -> None:
    before = sim.measure("worker-1", SEED)
    sim.fault("worker-1", SLOW)
    assert events == []
    assert states(sim) == [(NodeState.READY, SLOW), (NodeState.READY, None)]
    with pytest.raises(Overloaded, match="worker-1 gave no result: it had 25 % of what its quota"):
        sim.measure("worker-1", SEED)
    assert sim.run_job(job("worker-1")).milliseconds == 4 * JOB_MILLISECONDS
    assert sim.run_job(job("worker-2")).milliseconds == JOB_MILLISECONDS
    sim.heal("worker-1")
    assert sim.measure("worker-1", SEED) == before
    assert sim.run_job(job("worker-1")).milliseconds == JOB_MILLISECONDS


def test_a_full_disk_takes_no_pod_until_it_is_healed(
    sim: SimCluster, events: list[ClusterEvent]
) -> None:
    sim.fault("worker-1", DISK_FULL)
    assert told(events) == [(EventKind.POD_LOST, "web-1"), (EventKind.POD_READY, "web-3")]
    assert states(sim) == [(NodeState.READY, DISK_FULL), (NodeState.READY, None)]
    assert {pod.node for pod in sim.pods()} == {"worker-2"}
    assert sim.utilization().allocatable.milli_cpu == 2 * STANDARD.milli_cpu  # it is Ready (O1)
    with pytest.raises(JobFailed, match="the test of worker-1 cannot run there: its disk is full"):
        sim.measure("worker-1", SEED)
    with pytest.raises(JobFailed, match="job job: the disk of node worker-1 is full"):
        sim.run_job(job("worker-1"))
    sim.heal("worker-1")
    assert sim.run_job(job("worker-1")).exit_code == 0
    sim.scale("web", 3)
    assert {pod.node for pod in sim.pods()} == {"worker-1", "worker-2"}


def test_the_pods_of_a_crashed_kubelet_begin_anew_where_they_are(
    sim: SimCluster, events: list[ClusterEvent]
) -> None:
    before = sim.pods()
    sim.fault("worker-1", CRASHED)
    assert told(events) == [(EventKind.POD_LOST, "web-1"), (EventKind.POD_READY, "web-1")]
    after = sim.pods()
    assert [(pod.name, pod.node, pod.restarts) for pod in after] == [
        ("web-1", "worker-1", 1),
        ("web-2", "worker-2", 0),
    ]
    assert after[1] == before[1]
    with urllib.request.urlopen(f"http://{after[0].host}:{after[0].port}/healthz") as answer:
        assert answer.status == 200
    assert states(sim) == [(NodeState.READY, None)] * 2


def test_a_job_on_a_crashed_kubelet_is_lost(sim: SimCluster, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    caught: list[JobFailed] = []

    def run() -> None:
        try:
            sim.run_job(job("worker-1", "sh", "-c", f": < {tmp_path}/started; sleep 60"))
        except JobFailed as failed:
            caught.append(failed)

    runner = threading.Thread(target=run)
    runner.start()
    (tmp_path / "started").open("w").close()
    sim.fault("worker-1", CRASHED)
    runner.join(10)
    assert [str(each) for each in caught] == ["job job: node worker-1 was lost"]


@pytest.mark.parametrize("kind", STAYING, ids=by_name)
def test_one_fault_at_a_time(sim: SimCluster, kind: FaultKind) -> None:
    sim.fault("worker-1", kind)
    why = "is lost" if kind.loses else f"worker-1 has the fault '{kind.name}' already"
    for another in (kind, OFFLINE, CRASHED):
        with pytest.raises((NodeLost, CannotPlay), match=why):
            sim.fault("worker-1", another)
    sim.heal("worker-1")
    sim.fault("worker-1", OFFLINE)


def test_who_leaves_takes_its_fault_along(sim: SimCluster) -> None:
    sim.fault("worker-1", SLOW)
    sim.remove_node("worker-1")
    sim.add_node(NODES[0])
    assert states(sim) == [(NodeState.READY, None)] * 2


def test_what_it_cannot_play_is_refused_by_name(sim: SimCluster) -> None:
    with pytest.raises(CannotPlay) as caught:
        sim.fault("worker-1", FaultKind(NODE, "melted", "it is a puddle"))
    assert str(caught.value) == "sim cannot play the fault 'melted' of a worker"
    assert caught.value.hint == "it can: offline, paused, slow, disk_full, crashed"
    assert states(sim) == [(NodeState.READY, None)] * 2
