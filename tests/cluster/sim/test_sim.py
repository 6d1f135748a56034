"""The `sim` cluster, with real local processes."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from cluster.errors import ClusterError, JobFailed, NodeLost, UnknownSubject
from cluster.faults import OFFLINE
from cluster.interface import (
    Autoscale,
    Capacity,
    ClusterEvent,
    EventKind,
    Job,
    NodeSpec,
    NodeState,
    Usage,
    Workload,
)
from cluster.profiles import REFERENCE_MACHINE, load_profile, scaled
from cluster.scores import scores
from cluster.sim.cluster import JOB_MILLISECONDS, SimCluster
from cluster.waiting import Seen, wait_for

SIXTEENTH = Fraction(1, 16)
SMALL = Capacity(50, 32 << 20)
SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        body = " ".join(os.environ[n] for n in ("POD_NAME", "NODE_NAME", "GREETING")).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): print("asked", self.path)
class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        import socketserver
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
print("serving", flush=True)
Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def node(name: str, zone: str, profile: str = "standard") -> NodeSpec:
    capacity = scaled(load_profile(profile), SIXTEENTH)
    return NodeSpec(name, profile, zone[:2], zone, capacity)


NODES = (node("worker-1", "eu-a"), node("worker-2", "eu-b"), node("worker-3", "us-a", "large"))


@pytest.fixture
def events() -> list[ClusterEvent]:
    return []


@pytest.fixture
def sim(tmp_path: Path, events: list[ClusterEvent]) -> Iterator[SimCluster]:
    cluster = SimCluster(NODES, tmp_path / "state", f"test-{os.getpid()}-{tmp_path.name}")
    cluster.subscribe(events.append)
    with cluster:
        yield cluster


@pytest.fixture
def web(tmp_path: Path) -> Workload:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "server.py").write_text(SERVER)
    return Workload("web", folder, ("python3", "server.py"), 2, SMALL, env={"GREETING": "hello"})


def get(host: str, port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=2) as answer:
        return str(answer.read().decode())


def told(events: list[ClusterEvent]) -> list[tuple[EventKind, str, str]]:
    return [(event.kind, event.subject, event.node) for event in events]


def test_nodes_have_their_profile_and_are_ready(sim: SimCluster) -> None:
    assert [(each.spec, each.state) for each in sim.nodes()] == [
        (spec, NodeState.READY) for spec in NODES
    ]
    assert sim.nodes()[2].allocatable == scaled(load_profile("large"), SIXTEENTH)


def test_pods_spread_over_regions_and_answer(
    sim: SimCluster, web: Workload, events: list[ClusterEvent]
) -> None:
    started = time.monotonic()
    sim.apply(web)
    took = time.monotonic() - started
    pods = sim.pods("web")
    assert [(pod.name, pod.node, pod.ready) for pod in pods] == [
        ("web-1", "worker-1", True),
        ("web-2", "worker-3", True),
    ]
    assert get(pods[1].host, pods[1].port) == "web-2 worker-3 hello"
    assert told(events)[-2:] == [
        (EventKind.POD_READY, "web-1", "worker-1"),
        (EventKind.POD_READY, "web-2", "worker-3"),
    ]
    assert took < 3.0  # 0.3 s on an idle machine


def test_a_lost_node_is_told_before_its_pods_move(
    sim: SimCluster, web: Workload, events: list[ClusterEvent]
) -> None:
    sim.apply(web)
    del events[:]
    sim.fault("worker-3", OFFLINE)
    assert told(events) == [
        (EventKind.NODE_LOST, "worker-3", "worker-3"),
        (EventKind.POD_LOST, "web-2", "worker-3"),
        (EventKind.POD_READY, "web-3", "worker-2"),
    ]
    assert {pod.node for pod in sim.pods()} == {"worker-1", "worker-2"}
    with pytest.raises(NodeLost):
        sim.measure("worker-3", b"seed")
    del events[:]
    sim.heal("worker-3")
    assert told(events) == [(EventKind.NODE_READY, "worker-3", "worker-3")]


def test_scaling_and_deleting_leave_no_process(sim: SimCluster, web: Workload) -> None:
    sim.apply(web)
    sim.scale("web", 3)
    assert [pod.name for pod in sim.pods()] == ["web-1", "web-2", "web-3"]
    sim.scale("web", 1)
    (pod,) = sim.pods()
    assert pod.name == "web-1"
    sim.delete("web")
    assert sim.pods() == ()
    with pytest.raises(OSError, match="refused"):
        get(pod.host, pod.port)


def test_replicas_follow_what_is_used_and_those_that_stay_are_the_same(
    sim: SimCluster, web: Workload
) -> None:
    def names() -> list[str]:
        return [pod.name for pod in sim.pods("web") if pod.ready]

    followed = replace(web, replicas=1, autoscale=Autoscale(1, 3, cpu_percent=50))
    sim.apply(followed)
    assert names() == ["web-1"]
    sim.use("web", Usage(cpu_percent=90))
    assert names() == ["web-1", "web-2"]
    sim.use("web", Usage(cpu_percent=105))  # within a tenth of what two shall use
    sim.apply(followed)  # by whoever leads next: it goes on with what it has come to
    assert names() == ["web-1", "web-2"]
    sim.use("web", Usage(cpu_percent=900))
    assert names() == ["web-1", "web-2", "web-3"]
    sim.apply(replace(followed, autoscale=Autoscale(1, 2, cpu_percent=50)))
    assert names() == ["web-1", "web-2"]
    sim.apply(replace(web, replicas=0))
    assert names() == []
    sim.use("web", Usage(cpu_percent=20))
    sim.apply(followed)
    assert names() == ["web-4"]


def test_what_is_not_there_uses_nothing(sim: SimCluster) -> None:
    with pytest.raises(UnknownSubject, match="no workload 'web'"):
        sim.use("web", Usage(cpu_percent=1))


def test_what_is_applied_or_deleted_again_changes_nothing(
    sim: SimCluster, web: Workload, events: list[ClusterEvent]
) -> None:
    sim.apply(web)
    before = sim.pods()
    del events[:]

    sim.apply(web)
    sim.delete("nobody-s")
    assert (sim.pods(), events) == (before, [])
    sim.delete("web")
    sim.delete("web")
    assert sim.pods() == ()
    with pytest.raises(UnknownSubject):
        sim.scale("web", 1)


def test_a_changed_command_replaces_the_pods(sim: SimCluster, web: Workload) -> None:
    sim.apply(web)
    sim.apply(replace(web, env={"GREETING": "bye"}))
    pod = sim.pods()[0]
    assert pod.name == "web-3"
    assert get(pod.host, pod.port) == f"web-3 {pod.node} bye"


def test_a_crashed_pod_is_restarted(
    sim: SimCluster, web: Workload, events: list[ClusterEvent]
) -> None:
    sim.apply(web)
    pod = sim.pods()[0]
    with pytest.raises(OSError, match="closed|reset"):
        get(pod.host, pod.port, "/crash")
    del events[:]
    # The socket closes a moment before the process has ended.
    wait_for("the restart", lambda: Seen(sim.pods()[0].restarts > 0), 10)
    sim.settle(10)
    again = sim.pods()[0]
    assert (again.name, again.ready, again.restarts) == ("web-1", True, 1)
    assert told(events) == [
        (EventKind.POD_LOST, "web-1", pod.node),
        (EventKind.POD_READY, "web-1", pod.node),
    ]


def test_what_does_not_fit_waits_for_a_node(sim: SimCluster, web: Workload) -> None:
    sim.apply(replace(web, replicas=1, requests=Capacity(600, 1 << 20)))
    (pod,) = sim.pods()
    assert (pod.node, pod.ready) == ("", False)
    with pytest.raises(ClusterError, match="web: 0 of 1 ready"):
        sim.settle(0.05)
    sim.add_node(NodeSpec("big", "large", "us", "us-b", Capacity(1000, 1 << 30)))
    (pod,) = sim.pods()
    assert (pod.node, pod.ready) == ("big", True)


def test_a_removed_node_gives_its_pods_away(sim: SimCluster, web: Workload) -> None:
    sim.apply(web)
    sim.remove_node("worker-1")
    assert [each.spec.name for each in sim.nodes()] == ["worker-2", "worker-3"]
    assert [pod.node for pod in sim.pods()] == ["worker-3", "worker-2"]


def test_a_command_that_does_not_exist_is_in_the_log(sim: SimCluster, web: Workload) -> None:
    sim.apply(replace(web, replicas=1, command=("no-such-program",)))
    assert [pod.ready for pod in sim.pods()] == [False]
    with pytest.raises(ClusterError, match="no-such-program"):
        sim.settle(0.05)


def test_utilization_is_requests_over_allocatable(sim: SimCluster, web: Workload) -> None:
    assert sim.utilization().ratio_1e18() == 0
    sim.apply(web)
    seen = sim.utilization()
    assert (seen.requested.milli_cpu, seen.allocatable.milli_cpu) == (100, 750)
    assert seen.ratio_1e18() == 10**18 * 100 // 750


def test_logs_hold_both_streams(sim: SimCluster, web: Workload) -> None:
    sim.apply(web)
    assert sim.logs("web-1").splitlines()[0] == "serving"
    assert sim.logs("web-1", tail=1) == "asked /\n"
    with pytest.raises(UnknownSubject):
        sim.logs("web-9")


def job(tmp_path: Path, source: str, **changes: object) -> Job:
    whole = Job("job-1", tmp_path, ("python3", "-c", source), b"kompute", SMALL)
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_a_job_reads_its_payload_and_its_figures_are_declared(
    sim: SimCluster, tmp_path: Path
) -> None:
    source = "import os,sys; print(os.environ['NODE_NAME'], sys.stdin.read().upper()); sys.exit(4)"
    result = sim.run_job(job(tmp_path, source, node="worker-3"))
    assert (result.output, result.exit_code) == (b"worker-3 KOMPUTE\n", 4)
    assert (result.node, result.milliseconds, result.memory_bytes) == (
        "worker-3",
        JOB_MILLISECONDS,
        32 << 20,
    )
    assert sim.utilization().requested.milli_cpu == 0


def test_a_job_that_outlasts_its_deadline_fails_and_is_killed(
    sim: SimCluster, tmp_path: Path
) -> None:
    source = "import os,time; open('pid','w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(JobFailed, match="no result within 1 s"):
        sim.run_job(job(tmp_path, source, deadline_seconds=1))
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_job_that_fits_nowhere_fails(sim: SimCluster, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="does not fit node 'worker-1'"):
        sim.run_job(job(tmp_path, "", node="worker-1", requests=Capacity(200, 1)))


def test_a_job_of_a_lost_node_fails(sim: SimCluster, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    source = "import time; open('started','w').close(); time.sleep(60)"
    caught: list[JobFailed] = []

    def run() -> None:
        try:
            sim.run_job(job(tmp_path, source, node="worker-1"))
        except JobFailed as error:
            caught.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    (tmp_path / "started").open().close()
    sim.fault("worker-1", OFFLINE)
    runner.join(10)
    assert "worker-1 was lost" in str(caught[0])


def test_the_measurement_of_standard_scores_one(sim: SimCluster) -> None:
    measured = sim.measure("worker-1", b"\x07" * 32)
    got = scores(measured, scaled(REFERENCE_MACHINE, SIXTEENTH))
    assert (measured.seed, got.hardware, got.b) == (b"\x07" * 32, 1_000_000, 1_000_000)


def test_leaving_ends_every_pod(tmp_path: Path, web: Workload) -> None:
    devnet = f"test-leave-{os.getpid()}-{tmp_path.name}"
    with SimCluster(NODES, tmp_path / "state", devnet) as cluster:
        cluster.apply(web)
        ports = [pod.port for pod in cluster.pods()]
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            get("127.0.0.1", port)


def test_modelled_pods_are_ready_at_once_and_thousands_of_nodes_are_cheap(tmp_path: Path) -> None:
    nodes = [node(f"worker-{i:04}", f"eu-{i % 3}") for i in range(2000)]
    with SimCluster(nodes, tmp_path, "modelled", modelled=True) as cluster:
        cluster.apply(Workload("web", tmp_path, ("true",), 6, SMALL))
        assert [pod.ready for pod in cluster.pods()] == [True] * 6
        assert len({pod.node for pod in cluster.pods()}) == 6
        result = cluster.run_job(Job("j", tmp_path, ("true",), b"kompute", SMALL))
        assert result.output == hashlib.sha256(b"kompute").hexdigest().encode()
    assert not (tmp_path / "logs").exists()


def test_two_sims_play_alike(tmp_path: Path, web: Workload) -> None:
    def play(state: Path) -> list[ClusterEvent]:
        seen: list[ClusterEvent] = []
        cluster = SimCluster(NODES, state, "alike")
        cluster.subscribe(seen.append)
        with cluster:
            cluster.apply(web)
            cluster.fault("worker-1", OFFLINE)
            cluster.scale("web", 4)
            cluster.heal("worker-1")
        return seen

    assert play(tmp_path / "one") == play(tmp_path / "two")
