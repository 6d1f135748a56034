"""The `sim` cluster: nodes are models of their profile, workloads are real local processes.

Deterministic: placement, names, the order of events and every figure follow from the calls alone.
So `apply`, `scale`, `fault` and `heal` return once the pods they started answer (or have had their
limit), and a crashed pod is restarted when somebody next looks, not by a thread of its own.

Of a fault it plays what the control plane would see: a node that stands still is lost as one
without power is, the pods of one whose kubelet crashes begin anew where they are, one with a full
disk has none, and a slow one takes longer over jobs and has no result in a performance test.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.autoscaling import wished
from cluster.ended import Ended, Incident
from cluster.errors import ClusterError, JobFailed, NodeLost, UnknownSubject
from cluster.faults import SLOW, FaultKind, require_whole
from cluster.interface import (
    Capacity,
    ClusterEvent,
    Enforcement,
    EventKind,
    EventSink,
    Job,
    JobResult,
    Measurement,
    Node,
    NodeSpec,
    NodeState,
    Pod,
    Usage,
    Utilization,
    Workload,
)
from cluster.leading import only_host
from cluster.perftest import Overloaded
from cluster.perftest.cheats import modelled
from cluster.process_pod import HOST
from cluster.sim.capabilities import CAPABILITIES
from cluster.sim.placement import Place, choose, total
from cluster.sim.runtime import GRACE_SECONDS, SimJob, SimPod, SimRuntime
from cluster.waiting import Seen, wait_for

JOB_MILLISECONDS = 100
"""What every job takes on `sim`, so that bills are the same everywhere."""


@dataclass(slots=True)
class _State:
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    faults: dict[str, FaultKind] = field(default_factory=dict)  # by node, until they are healed
    workloads: dict[str, Workload] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    pods: dict[str, SimPod] = field(default_factory=dict)
    jobs: dict[str, SimJob] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)


class SimCluster:
    """See `cluster.interface.Cluster`. With `modelled=True` nothing is started at all."""

    name = "sim"

    def __init__(
        self,
        nodes: Sequence[NodeSpec],
        state: Path,
        devnet_id: str,
        *,
        modelled: bool = False,
        hosts: tuple[str, ...] = (),
    ) -> None:
        """`state` is a folder of this cluster's own; logs go to `state/logs`."""
        self._initial = tuple(nodes)
        self._hosts = hosts
        self._runtime = SimRuntime(state / "logs", devnet_id, modelled=modelled)
        self._modelled = modelled
        self._state = _State()
        self._sinks: list[EventSink] = []
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        for spec in self._initial:
            self.add_node(spec)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            for job in self._state.jobs.values():
                job.lose()
            self._runtime.stop(list(self._state.pods.values()))
            self._state = _State()

    def subscribe(self, sink: EventSink) -> None:
        self._sinks.append(sink)

    def nodes(self) -> tuple[Node, ...]:
        with self._lock:
            return tuple(
                Node(
                    spec,
                    NodeState.LOST if self._lost(name) else NodeState.READY,
                    spec.capacity,
                )
                for name, spec in sorted(self._state.nodes.items())
            )

    def add_node(self, spec: NodeSpec) -> None:
        with self._lock:
            if spec.name in self._state.nodes:
                raise ClusterError(f"node {spec.name!r} is already in the cluster")
            self._state.nodes[spec.name] = spec
            self._emit(EventKind.NODE_READY, spec.name, node=spec.name)
            self._fill()

    def remove_node(self, name: str) -> None:
        with self._lock:
            self._spec(name)
            self._evict(name)
            del self._state.nodes[name]
            self._state.faults.pop(name, None)
            self._fill()

    def apply(self, workload: Workload) -> None:
        with self._lock:
            known = self._state.workloads.get(workload.name)
            workload = self._autoscaled(known, workload)
            self._state.workloads[workload.name] = workload
            if known is not None and _pod(known) != _pod(workload):
                self._drop(self._pods_of(workload.name))
            self._fill()

    def scale(self, workload: str, replicas: int) -> None:
        with self._lock:
            self.apply(replace(self._workload(workload), replicas=replicas))

    def delete(self, workload: str) -> None:
        with self._lock:
            self._state.usage.pop(workload, None)
            if self._state.workloads.pop(workload, None) is not None:
                self._drop(self._pods_of(workload))
                self._fill()

    def pods(self, workload: str | None = None) -> tuple[Pod, ...]:
        with self._lock:
            self._reconcile()
            return tuple(
                Pod(pod.name, pod.workload.name, pod.node, pod.ready, HOST, pod.port, pod.restarts)
                for pod in self._state.pods.values()
                if workload in (None, pod.workload.name)
            )

    def run_job(self, job: Job) -> JobResult:
        """`milliseconds` is `JOB_MILLISECONDS`, more on a slow node; `memory_bytes` the memory it
        asked for."""
        with self._lock:
            running = self._place_job(job)
            self._state.jobs[job.name] = running
            milliseconds = JOB_MILLISECONDS * 100 // self._percent(running.node)
        try:
            exit_code, output = self._runtime.run(job, running)
        finally:
            with self._lock:
                self._state.jobs.pop(job.name, None)
        return JobResult(
            job.name, running.node, exit_code, output, milliseconds, job.requests.memory_bytes
        )

    def measure(self, node: str, seed: bytes) -> Measurement:
        with self._lock:
            spec, percent = self._ready(node), self._percent(node)
            if not self._takes_pods(node):
                raise JobFailed(f"the test of {node} cannot run there: its disk is full")
            if percent < 100:  # W3: what a node is measured by is what its quota gives
                raise Overloaded(
                    f"the test of {node} gave no result: it had {percent} % of what its quota gives"
                )
            return modelled(spec, self._state.nodes.values(), seed)

    def utilization(self) -> Utilization:
        with self._lock:
            places = self._places()
            return Utilization(
                requested=total([place.requested for place in places]),
                allocatable=total([place.allocatable for place in places]),
            )

    def use(self, workload: str, usage: Usage) -> None:
        """Its autoscaler acts on it before this returns."""
        with self._lock:
            known = self._workload(workload)
            self._state.usage[workload] = usage
            self.apply(known)

    def fault(self, node: str, kind: FaultKind) -> None:
        """All that follows of it, such as others that take over, happens before this returns."""
        CAPABILITIES.require(kind, self.name)
        with self._lock:
            self._ready(node)
            require_whole(node, self._state.faults.get(node))
            if kind.passes:
                self._crash(node)
                return
            self._state.faults[node] = kind
            if kind.loses:
                self._emit(EventKind.NODE_LOST, node, node=node)
            if not self._takes_pods(node):
                self._evict(node)
                self._fill()

    def heal(self, node: str) -> None:
        with self._lock:
            self._spec(node)
            fault = self._state.faults.pop(node, None)
            if fault is None:
                return
            if fault.loses:
                self._emit(EventKind.NODE_READY, node, node=node)
            self._fill()

    def faults(self) -> dict[str, FaultKind]:
        with self._lock:
            return dict(self._state.faults)

    def settle(self, limit_seconds: float) -> None:
        def look() -> Seen:
            missing = []
            for workload in list(self._state.workloads.values()):
                pods = self.pods(workload.name)
                ready = sum(pod.ready for pod in pods)
                if ready != workload.replicas or ready != len(pods):
                    missing.append(f"{workload.name}: {ready} of {workload.replicas} ready")
            return Seen(not missing, "; ".join(missing))

        wait_for(
            "workloads of sim", look, limit_seconds, tail=self._unready_log, error=ClusterError
        )

    def ended(self) -> tuple[Ended, ...]:
        """None: its nodes are models, and a pod that crashes is its workload's business."""
        return ()

    def incidents(self) -> tuple[Incident, ...]:
        return ()

    def logs(self, pod: str, tail: int = 100) -> str:
        path = self._runtime.log(pod)
        if not path.exists():
            if pod in self._state.pods:
                return ""
            raise UnknownSubject(f"no pod {pod!r} has run here")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        return "".join(lines[-tail:]) if tail else ""

    def enforcement(self) -> Enforcement:
        return Enforcement(
            enforced=("Pods are placed only where their requests fit a node's capacity.",),
            narrowed=(
                "No pods run at all: the cluster is modelled."
                if self._modelled
                else "Pods are plain local processes: no limit on CPU, memory or disk is enforced.",
                "Measurements are the profile's own figures.",
            ),
        )

    def kubeconfig(self) -> Path | None:
        return None

    def leader(self) -> str:
        return only_host(self._hosts)

    # What follows expects the lock to be held.

    def _spec(self, node: str) -> NodeSpec:
        try:
            return self._state.nodes[node]
        except KeyError:
            raise UnknownSubject(f"no node {node!r} in the cluster") from None

    def _ready(self, node: str) -> NodeSpec:
        spec = self._spec(node)
        if self._lost(node):
            raise NodeLost(f"node {node!r} is lost")
        return spec

    def _lost(self, node: str) -> bool:
        fault = self._state.faults.get(node)
        return fault is not None and fault.loses

    def _takes_pods(self, node: str) -> bool:
        fault = self._state.faults.get(node)
        return fault is None or not (fault.loses or fault.evicts)

    def _percent(self, node: str) -> int:
        """Of its processors, what its pods get."""
        fault = self._state.faults.get(node)
        return fault.parameters["percent"] if fault == SLOW else 100

    def _workload(self, name: str) -> Workload:
        try:
            return self._state.workloads[name]
        except KeyError:
            raise UnknownSubject(f"no workload {name!r} in the cluster") from None

    def _autoscaled(self, known: Workload | None, workload: Workload) -> Workload:
        """With as many replicas as its autoscaler wishes for; without usage, those it has."""
        autoscale = workload.autoscale
        if autoscale is None:
            return workload
        running = autoscale.within(known.replicas) if known and known.replicas else 0
        replicas = running or workload.replicas
        if (usage := self._state.usage.get(workload.name)) is not None:
            replicas = wished(autoscale, replicas, usage)
        return replace(workload, replicas=replicas)

    def _pods_of(self, workload: str) -> list[SimPod]:
        return [pod for pod in self._state.pods.values() if pod.workload.name == workload]

    def _emit(self, kind: EventKind, subject: str, *, node: str = "", workload: str = "") -> None:
        event = ClusterEvent(kind, subject, node, workload)
        for sink in tuple(self._sinks):
            sink(event)

    def _places(self) -> list[Place]:
        held: dict[str, list[Capacity]] = {name: [] for name in self._state.nodes}
        counts: dict[str, dict[str, int]] = {name: {} for name in self._state.nodes}
        for pod in self._state.pods.values():
            if pod.node:
                held[pod.node].append(pod.workload.requests)
                mine = counts[pod.node]
                mine[pod.workload.name] = mine.get(pod.workload.name, 0) + 1
        for job in self._state.jobs.values():
            if job.node in held:
                held[job.node].append(job.requests)
        return [
            Place(name, spec.region, spec.zone, spec.capacity, total(held[name]), counts[name])
            for name, spec in sorted(self._state.nodes.items())
            if not self._lost(name)
        ]

    def _open_places(self) -> list[Place]:
        """Where a pod can be placed; a node with a full disk is there, but takes none."""
        return [place for place in self._places() if self._takes_pods(place.node)]

    def _fill(self) -> None:
        """Make as many pods as wished, place those that have no node, await what was started."""
        for workload in list(self._state.workloads.values()):
            pods = self._pods_of(workload.name)
            # The oldest placed pods stay: those without a node go first, then the youngest.
            by_worth = sorted(pods, key=lambda pod: not pod.node)
            self._drop(by_worth[workload.replicas :])
            for pod in pods:
                pod.workload = workload
            for _ in range(workload.replicas - len(pods)):
                number = self._state.numbers.get(workload.name, 0) + 1
                self._state.numbers[workload.name] = number
                name = f"{workload.name}-{number}"
                self._state.pods[name] = SimPod(name, workload)
        for pod in list(self._state.pods.values()):
            if not pod.node:
                requests = pod.workload.requests
                pod.node = choose(pod.workload.name, requests, self._open_places()) or ""
                if pod.node:
                    self._runtime.start(pod)
        starting = [pod for pod in self._state.pods.values() if pod.node and not pod.ready]
        for pod in self._runtime.wait(starting):
            self._became_ready(pod)

    def _became_ready(self, pod: SimPod) -> None:
        pod.ready = True
        self._emit(EventKind.POD_READY, pod.name, node=pod.node, workload=pod.workload.name)

    def _reconcile(self) -> None:
        """Restart what has crashed; a pod that was late may be ready by now."""
        for pod in [pod for pod in self._state.pods.values() if pod.node]:
            if self._runtime.crashed(pod):
                self._lose(pod)
                self._runtime.restart(pod)
            elif not pod.ready and self._runtime.answers(pod):
                self._became_ready(pod)

    def _lose(self, pod: SimPod) -> None:
        if pod.ready:
            pod.ready = False
            self._emit(EventKind.POD_LOST, pod.name, node=pod.node, workload=pod.workload.name)

    def _drop(self, pods: list[SimPod], grace_seconds: float = GRACE_SECONDS) -> None:
        self._runtime.stop(pods, grace_seconds)
        for pod in pods:
            del self._state.pods[pod.name]
            self._lose(pod)

    def _evict(self, node: str) -> None:
        self._lose_jobs(node)
        self._drop([pod for pod in self._state.pods.values() if pod.node == node], grace_seconds=0)

    def _crash(self, node: str) -> None:
        """Its pods die and are started anew where they are, by a kubelet that is back."""
        self._lose_jobs(node)
        pods = [pod for pod in self._state.pods.values() if pod.node == node]
        self._runtime.stop(pods, grace_seconds=0)
        for pod in pods:
            self._lose(pod)
            pod.restarts += 1
            self._runtime.start(pod)
        for pod in self._runtime.wait(pods):
            self._became_ready(pod)

    def _lose_jobs(self, node: str) -> None:
        for job in self._state.jobs.values():
            if job.node == node:
                job.lose()

    def _place_job(self, job: Job) -> SimJob:
        if job.name in self._state.jobs:
            raise JobFailed(f"job {job.name}: a run of that name has not ended")
        places = self._open_places()
        if job.node is not None:
            self._ready(job.node)
            if not self._takes_pods(job.node):
                raise JobFailed(f"job {job.name}: the disk of node {job.node} is full")
            places = [place for place in places if place.node == job.node]
        node = choose("", job.requests, places)
        if node is None:
            where = f"node {job.node!r}" if job.node else "any ready node"
            raise JobFailed(f"job {job.name} does not fit {where}: asks {job.requests}")
        return SimJob(node, job.requests)

    def _unready_log(self) -> str:
        for pod in self._state.pods.values():
            if not pod.ready and self._runtime.log(pod.name).exists():
                return self.logs(pod.name, tail=20)
        return ""


def _pod(workload: Workload) -> Workload:
    """What a pod of it is made from: not how many there are."""
    return replace(workload, replicas=0, autoscale=None)
