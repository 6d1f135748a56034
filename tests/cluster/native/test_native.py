"""The native cluster, on a real control plane with real kubelets."""

from __future__ import annotations

import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.errors import CannotPlay, ClusterError, JobFailed, UnknownSubject
from cluster.faults import OFFLINE
from cluster.interface import (
    Autoscale,
    Capacity,
    Cluster,
    ClusterEvent,
    EventKind,
    Job,
    NodeSpec,
    NodeState,
    Pod,
    Usage,
    Workload,
)
from cluster.kubernetes.api import Api, ApiRefused
from cluster.native.provider import NativeCluster
from cluster.waiting import Seen, wait_for

SERVICES = Path(__file__).resolve().parents[3] / "e2e" / "services"
SMALL = Capacity(50, 32 << 20)


class Inbox:
    """Events in the order they came."""

    def __init__(self, cluster: NativeCluster) -> None:
        self.events: list[ClusterEvent] = []
        self._news = threading.Condition()
        cluster.subscribe(self._put)

    def _put(self, event: ClusterEvent) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def count(self, kind: EventKind, subject: str) -> int:
        return sum(event.kind is kind and event.subject == subject for event in self.events)

    def wait(self, kind: EventKind, subject: str, limit_seconds: float) -> None:
        def pause(seconds: float) -> None:
            with self._news:
                self._news.wait(seconds)

        def look() -> Seen:
            return Seen(self.count(kind, subject) > 0, str(self.events[-3:]))

        wait_for(f"{kind} of {subject}", look, limit_seconds, every_seconds=0.1, pause=pause)


def web(name: str, replicas: int, **changes: object) -> Workload:
    fields = {
        "folder": SERVICES / "web",
        "command": ("python3", "server.py"),
        "requests": SMALL,
        "readiness_path": "/healthz",
    } | changes
    return Workload(name=name, replicas=replicas, **fields)  # type: ignore[arg-type]


def job(name: str, *command: str, **changes: object) -> Job:
    fields = {
        "folder": SERVICES / "thumbnail",
        "command": command,
        "payload": b"",
        "requests": SMALL,
    } | changes
    return Job(name=name, **fields)  # type: ignore[arg-type]


def ask(pod: Pod, path: str = "/healthz") -> int:
    with urllib.request.urlopen(f"http://{pod.host}:{pod.port}{path}", timeout=5) as answer:
        return int(answer.status)


@pytest.fixture
def serve(native: NativeCluster) -> Iterator[Callable[[Workload], tuple[Pod, ...]]]:
    """Apply a workload, wait for it, and remove it after the test."""
    names: list[str] = []

    def apply(workload: Workload) -> tuple[Pod, ...]:
        native.apply(workload)
        names.append(workload.name)
        native.settle(30)
        return native.pods(workload.name)

    yield apply
    for name in names:
        native.delete(name)
    wait_for("pods gone", lambda: Seen(not native.pods(), str(native.pods())), 20)


def test_nodes_are_their_profile(native: Cluster) -> None:
    nodes = native.nodes()

    assert [node.spec.name for node in nodes] == ["worker-1", "worker-2", "worker-3"]
    assert {node.state for node in nodes} == {NodeState.READY}
    assert nodes[1].spec.profile == "standard"
    assert (nodes[2].spec.region, nodes[2].spec.zone) == ("us-east", "us-east-a")
    assert (nodes[0].spec.capacity.milli_cpu, nodes[0].allocatable.milli_cpu) == (500, 500)
    assert nodes[0].spec.capacity.memory_bytes == 512 << 20
    assert nodes[0].spec.capacity.network_bits_per_second == 100_000_000


def test_what_is_applied_or_deleted_again_changes_nothing(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    before = serve(web("again", 2))

    assert serve(web("again", 2)) == before
    native.delete("nobody-s")
    assert native.pods() == before
    native.delete("again")
    native.delete("again")  # and once more after the test
    with pytest.raises(UnknownSubject):
        native.scale("again", 1)


def test_replicas_answer_from_different_nodes(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    pods = serve(web("spread", 3))

    assert {pod.node for pod in pods} == {"worker-1", "worker-2", "worker-3"}
    assert [ask(pod) for pod in pods] == [200, 200, 200]
    requested = native.utilization().requested
    assert (requested.milli_cpu, requested.memory_bytes) == (150, 96 << 20)
    assert native.utilization().ratio_1e18() == 10**17  # 150m of 1500m


def test_scale_and_apply_again_change_replicas(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    before = {pod.name for pod in serve(web("scaled", 1))}

    native.scale("scaled", 3)
    native.settle(30)
    grown = {pod.name for pod in native.pods("scaled")}
    assert len(grown) == 3
    assert before < grown

    kept = {pod.name for pod in serve(web("scaled", 2))}
    assert len(kept) == 2
    assert kept < grown


def test_a_job_returns_what_it_prints(native: NativeCluster) -> None:
    result = native.run_job(job("hash", "python3", "handler.py", payload=b"kompute"))

    assert result.exit_code == 0
    assert result.output.startswith(b"P2\n# sha256 ")
    assert result.node in {"worker-1", "worker-2", "worker-3"}
    assert 0 <= result.milliseconds < 10_000


def test_a_job_runs_where_it_is_pinned(native: NativeCluster) -> None:
    pinned = job("pinned", "sh", "-c", "cat; printf $NODE_NAME", payload=b"on ", node="worker-3")

    result = native.run_job(pinned)

    assert (result.node, result.output) == ("worker-3", b"on worker-3")


def test_a_name_can_be_used_again(native: NativeCluster) -> None:
    outputs = [
        native.run_job(job("again", "cat", payload=payload)).output for payload in (b"1", b"2")
    ]
    assert outputs == [b"1", b"2"]


def test_output_beyond_an_annotation_comes_through_the_log(native: NativeCluster) -> None:
    result = native.run_job(job("large", "sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x"))
    assert result.output == b"x" * 200_000


def test_too_much_to_carry_is_refused_rather_than_cut(native: NativeCluster) -> None:
    with pytest.raises(JobFailed, match="a payload of 200000 bytes, at most 184320"):
        native.run_job(job("heavy", "cat", payload=bytes(200_000)))
    with pytest.raises(JobFailed, match="printed more than 1048576 bytes"):
        native.run_job(job("chatty", "head", "-c", "1048577", "/dev/zero"))


def test_a_failing_listener_does_not_stop_the_others(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    def fail(event: ClusterEvent) -> None:
        raise ZeroDivisionError(event)

    native.subscribe(fail)
    inbox = Inbox(native)
    (pod,) = serve(web("heard", 1))
    inbox.wait(EventKind.POD_READY, pod.name, 5)
    native._sinks.remove(fail)


def test_a_failing_job_is_a_result(native: NativeCluster) -> None:
    result = native.run_job(job("seven", "sh", "-c", "echo no; exit 7"))
    assert (result.exit_code, result.output) == (7, b"no\n")


def test_a_deadline_leaves_no_result(native: NativeCluster) -> None:
    with pytest.raises(JobFailed, match="late left no result: DeadlineExceeded"):
        native.run_job(job("late", "sleep", "60", deadline_seconds=1))


def test_a_job_nobody_can_hold_says_why(native: NativeCluster) -> None:
    too_large = job("huge", "true", requests=Capacity(64_000, 0), deadline_seconds=1)
    with pytest.raises(JobFailed, match="Insufficient cpu"):
        native.run_job(too_large)


def test_settle_tells_what_is_wrong(native: NativeCluster) -> None:
    native.apply(web("stuck", 1, requests=Capacity(64_000, 0)))
    try:
        with pytest.raises(ClusterError, match=r"stuck: 0 of 1 ready; .*Insufficient cpu"):
            native.settle(2)
    finally:
        native.delete("stuck")


def test_unknown_subjects_are_named(native: NativeCluster) -> None:
    with pytest.raises(UnknownSubject, match="no node 'worker-9'"):
        native.fault("worker-9", OFFLINE)
    with pytest.raises(UnknownSubject, match='"nothing" not found'):
        native.scale("nothing", 2)


def test_a_pods_output_can_be_read(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    command = ("sh", "-c", "echo first; echo hello from $POD_NAME; exec python3 server.py")
    (pod,) = serve(web("talker", 1, command=command))

    assert f"hello from {pod.name}" in native.logs(pod.name)
    assert "first" not in native.logs(pod.name, tail=1)


def test_a_node_that_serves_can_be_measured(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    serve(web("serving", 3))
    seed = bytes(range(32))

    measurement = native.measure("worker-2", seed)

    assert (measurement.node, measurement.seed) == ("worker-2", seed)
    assert measurement.cpu_steps_per_second > 0
    assert 0 < measurement.memory_bytes <= 512 << 20
    assert 0 < measurement.up_bits_per_second <= 100_000_000
    assert all(pod.ready for pod in native.pods("serving"))


def test_kubectl_works(
    native: NativeCluster, tools: Path, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    def kubectl(*arguments: str) -> str:
        command = [str(tools / "kubectl"), "--kubeconfig", str(native.kubeconfig()), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout + done.stderr

    (pod,) = serve(web("seen", 1))

    regions = kubectl("get", "nodes", "-L", "topology.kubernetes.io/region", "--no-headers")
    assert [line.split()[-1] for line in regions.splitlines()] == ["eu-west", "eu-west", "us-east"]
    assert f"{pod.name} listens on {pod.host}:{pod.port}" in kubectl("logs", pod.name)
    assert kubectl("exec", pod.name, "--", "sh", "-c", "echo $NODE_NAME") == f"{pod.node}\n"
    # metrics-server scrapes every 10 s and needs two scrapes.
    wait_for(
        "kubectl top pods",
        lambda: Seen(pod.name in (text := kubectl("top", "pods")), text),
        60,
        every_seconds=1,
    )
    nodes = kubectl("top", "nodes", "--no-headers").splitlines()
    assert [line.split()[0] for line in nodes] == ["worker-1", "worker-2", "worker-3"]


def test_a_lost_node_is_told_once_and_its_pods_are_replaced(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    pods = serve(web("failover", 2))
    lost, kept = pods
    inbox = Inbox(native)

    native.fault(lost.node, OFFLINE)
    inbox.wait(EventKind.NODE_LOST, lost.node, 10)
    native.settle(20)

    after = native.pods("failover")
    assert kept.name in {pod.name for pod in after}
    assert lost.node not in {pod.node for pod in after}
    assert [ask(pod) for pod in after] == [200, 200]
    states = {node.spec.name: node.state for node in native.nodes()}
    assert states[lost.node] is NodeState.LOST
    assert native.utilization().allocatable.milli_cpu == 1000
    with pytest.raises(urllib.error.URLError):
        ask(lost)  # its process died with the machine

    native.heal(lost.node)
    inbox.wait(EventKind.NODE_READY, lost.node, 1)
    assert {node.state for node in native.nodes()} == {NodeState.READY}
    pinned = native.run_job(job("back", "cat", payload=b"back", node=lost.node))
    assert pinned.output == b"back"
    assert inbox.count(EventKind.NODE_LOST, lost.node) == 1


def test_a_job_on_a_node_that_dies_leaves_no_result(native: NativeCluster) -> None:
    failures: list[BaseException] = []
    slow = job("doomed", "sleep", "60", node="worker-2")

    def run() -> None:
        try:
            native.run_job(slow)
        except JobFailed as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    # A job's pod is no workload's pod: it shows in what the node has been asked for.
    wait_for("the job runs", lambda: Seen(native.utilization().requested.milli_cpu >= 50), 10)
    native.fault("worker-2", OFFLINE)
    thread.join(20)
    native.heal("worker-2")

    assert [str(error)[:25] for error in failures] == ["job doomed left no result"]


def test_a_node_that_was_deleted_is_healed(native: NativeCluster) -> None:
    kubeconfig = native.kubeconfig()
    assert kubeconfig is not None
    api = Api(kubeconfig)
    try:
        api.delete("/api/v1/nodes/worker-3")
        wait_for(
            "the end of the Node",
            lambda: Seen("worker-3" not in {node.spec.name for node in native.nodes()}),
            30,
        )
        native.heal("worker-3")
    finally:
        api.close()
    states = {node.spec.name: node.state for node in native.nodes()}
    assert states["worker-3"] is NodeState.READY
    done = native.run_job(job("after", "true", node="worker-3"))
    assert (done.exit_code, done.node) == (0, "worker-3")


def test_a_node_can_join_and_leave(native: NativeCluster) -> None:
    inbox = Inbox(native)
    spec = NodeSpec("worker-4", "sgx", "us-east", "us-east-b", Capacity(250, 128 << 20))

    native.add_node(spec)
    try:
        assert native.run_job(job("there", "cat", node="worker-4")).node == "worker-4"
    finally:
        native.remove_node("worker-4")

    assert [node.spec.name for node in native.nodes()] == ["worker-1", "worker-2", "worker-3"]
    inbox.wait(EventKind.NODE_READY, "worker-4", 1)
    inbox.wait(EventKind.NODE_LOST, "worker-4", 5)


def test_replicas_spread_over_regions(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    regions = {node.spec.name: node.spec.region for node in native.nodes()}
    assert {regions[pod.node] for pod in serve(web("spread", 2))} == {"eu-west", "us-east"}


def test_a_drain_takes_one_replica_after_the_other(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    one, other = serve(web("drained", 2))
    api = Api(native.kubeconfig())
    budget = "/apis/policy/v1/namespaces/kompute/poddisruptionbudgets/drained"

    def evict(pod: Pod) -> None:
        name = {"metadata": {"name": pod.name}}
        path = f"/api/v1/namespaces/kompute/pods/{pod.name}/eviction"
        api.create(path, {"apiVersion": "policy/v1", "kind": "Eviction", **name})

    def counts() -> Seen:
        status = api.get(budget).get("status", {})
        return Seen(status.get("disruptionsAllowed") == 1, str(status))

    wait_for("a budget that counts", counts, 20)
    evict(one)
    with pytest.raises(ApiRefused, match="disruption budget") as refused:
        evict(other)
    assert refused.value.status == 429
    native.settle(30)
    wait_for("a budget that counts again", counts, 20)
    evict(other)
    native.settle(30)
    assert not {one.name, other.name} & {pod.name for pod in native.pods("drained")}
    api.close()


def test_an_autoscaled_workload_goes_on_with_the_replicas_it_has_come_to(
    native: NativeCluster, serve: Callable[[Workload], tuple[Pod, ...]]
) -> None:
    followed = web("followed", 1, autoscale=Autoscale(2, 3, memory_percent=90))
    api = Api(native.kubeconfig())
    autoscaler = "/apis/autoscaling/v2/namespaces/kompute/horizontalpodautoscalers/followed"

    serve(followed)
    wait_for("its least replicas", lambda: Seen(len(native.pods("followed")) == 2), 30)
    before = {pod.name for pod in serve(followed)}
    assert len(before) == 2
    serve(web("followed", 1, autoscale=Autoscale(2, 4, memory_percent=80)))
    assert {pod.name for pod in native.pods("followed")} == before
    spec = api.get(autoscaler)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    (metric,) = spec["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 80
    assert serve(web("followed", 0)) == ()  # a halt
    with pytest.raises(UnknownSubject):
        api.get(autoscaler)
    api.close()


def test_nobody_can_say_what_is_measured(native: NativeCluster) -> None:
    with pytest.raises(CannotPlay, match="what the pods of web use is measured"):
        native.use("web", Usage(cpu_percent=50))
