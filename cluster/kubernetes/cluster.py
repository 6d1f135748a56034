"""`KubernetesCluster`: the Cluster interface on any Kubernetes API; the machinery is a Provider."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from logging import Logger
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.ended import Ended, Incident
from cluster.errors import CannotPlay, ClusterError, ClusterStartFailed
from cluster.faults import FaultKind, require_whole
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
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, Document
from cluster.kubernetes.bootstrap import create_namespace
from cluster.kubernetes.events import node_event, pod_event
from cluster.kubernetes.jobs import JobRunner
from cluster.kubernetes.manifests import condition, node_value, pod_requests
from cluster.kubernetes.packing import Packing
from cluster.kubernetes.provider import Provider
from cluster.kubernetes.reflector import Reflector
from cluster.kubernetes.vigil import Vigil
from cluster.kubernetes.waits import Waits
from cluster.kubernetes.workloads import Workloads
from cluster.waiting import wait_for

_NODES = "/api/v1/nodes"
_PODS = f"/api/v1/namespaces/{names.NAMESPACE}/pods"
_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{names.LEASES}/leases"
_LIST_SECONDS = 10.0
# A machine that is at work and does not say so in time is busy; after that it is as good as lost.
_BUSY_SECONDS = 5.0


class KubernetesCluster:
    """A context manager: raises the provider and `nodes` on enter, removes all on exit."""

    def __init__(self, provider: Provider, nodes: Sequence[NodeSpec], log: Logger) -> None:
        self.name = provider.name
        self._provider, self._wished, self._log = provider, tuple(nodes), log
        self._sinks: list[EventSink] = []
        self._emitting = threading.RLock()
        self._faults: dict[str, FaultKind] = {}  # by node, until they are over or healed
        self._machines: dict[str, NodeSpec] = {}  # that run, whatever the API says of them
        self._connection: Api | None = None
        self._vigil = Vigil(asleep=lambda: bool(provider.witnesses()))
        self._doubted: dict[str, threading.Timer] = {}  # losses that may be the observer's own

    @property
    def packing(self) -> Packing:
        """How what is to run becomes a pod here."""
        return self._provider.packing

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException as error:
            self._stop_after(error)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._stop()
        else:
            self._stop_after(error)

    def _stop_after(self, error: BaseException) -> None:
        """What does not end is told beside the error, not in its place."""
        try:
            self._stop()
        except ClusterError as left:
            error.add_note(str(left))

    def subscribe(self, sink: EventSink) -> None:
        with self._emitting:
            self._sinks.append(sink)

    def nodes(self) -> tuple[Node, ...]:
        items = self._api.get(_NODES, labelSelector=names.REAL)["items"]
        return tuple(sorted(map(node_value, items), key=lambda node: node.spec.name))

    def add_node(self, spec: NodeSpec) -> None:
        """Raises `ClusterStartFailed` when the node is not Ready within a minute."""
        self._raise(spec)
        self._waits.schedulable(spec.name)

    def remove_node(self, name: str) -> None:
        self._waits.known(name)
        self._provider.remove_node(name)
        self._machines.pop(name, None)
        self._drop_pods(name)
        self._api.delete(f"{_NODES}/{name}")
        self._api.delete(f"{_LEASES}/{name}")
        self._faults.pop(name, None)

    def hand(self, folder: Path) -> None:
        """Let pods run in that folder; workloads and jobs have theirs handed by themselves."""

    def apply(self, workload: Workload) -> None:
        self.hand(workload.folder)
        self._workloads.apply(workload)

    def scale(self, workload: str, replicas: int) -> None:
        self._workloads.scale(workload, replicas)

    def delete(self, workload: str) -> None:
        self._workloads.delete(workload)

    def pods(self, workload: str | None = None) -> tuple[Pod, ...]:
        """Pods of workloads that are not leaving, sorted by name."""
        return self._workloads.pods(workload)

    def run_job(self, job: Job) -> JobResult:
        if job.node is not None:
            self._waits.known(job.node)
        self.hand(job.folder)
        return self._jobs.run(job)

    def measure(self, node: str, seed: bytes) -> Measurement:
        from cluster.perftest import Machine, Transcript, measure
        from cluster.perftest.cheats import machine_of

        spec = self._machines.get(node)
        machine = None
        if spec is not None and spec.cheat:
            machine = Machine(machine_of(spec, self._machines.values()), spec.cheat)
        with self._provider.tested(node) as spent:
            measurement = measure(self, node, seed, spent, machine)
        for why in Transcript.decode(measurement.transcript).refused:
            self._log.info("%s is measured again: %s", node, why)
        return measurement

    def utilization(self) -> Utilization:
        """Over Ready nodes; finished pods and pods that never found a node hold nothing."""
        allocatable = requested = Capacity(0, 0)
        ready = set()
        for node in self.nodes():
            if node.state is NodeState.READY:
                ready.add(node.spec.name)
                allocatable = names.add(allocatable, node.allocatable)
        for document in self._api.get(_PODS)["items"]:
            requests = pod_requests(document)
            if requests is not None and document["spec"].get("nodeName") in ready:
                requested = names.add(requested, requests)
        return Utilization(requested, allocatable)

    def use(self, workload: str, usage: Usage) -> None:
        raise CannotPlay(
            f"on {self.name} what the pods of {workload} use is measured, and cannot be scripted",
            hint="send them requests, or play it with --cluster sim",
        )

    def fault(self, node: str, kind: FaultKind) -> None:
        """Raises `PartsAway` where nobody is there who would see what comes of it."""
        self._waits.known(node)
        require_whole(node, self._faults.get(node))
        self._waits.witnesses(f"nobody would see the loss of {node}")
        self._faults[node] = kind  # a loss that is seen in the middle of it is its own
        try:
            self._provider.fault(node, kind)
        except BaseException:
            del self._faults[node]
            raise
        if kind.evicts:
            self._waits.evicted(node)
        if kind.passes:
            try:
                self._waits.renewed(node)
                self._waits.schedulable(node)
            finally:
                del self._faults[node]

    def heal(self, node: str) -> None:
        """Wait out a loss nobody has seen yet, start the node again, wait until it is Ready.

        A node that somebody has deleted from the API is made anew: no machine registers twice.
        """
        self._waits.witnesses(f"nobody would see the return of {node}")
        machine = self._machines.get(node)
        if machine is not None and self._node_watch.get(node) is None:
            self._log.info("%s was deleted from the API: its machine is made anew", node)
            self._provider.remove_node(node)
            self._provider.add_node(machine)
            self._waits.schedulable(node)
            self._faults.pop(node, None)
            return
        self._waits.known(node)
        if self._is_to_be_lost(node) and not self._provider.lives(node):
            self._waits.lost(node)
        self._provider.heal(node)
        self._waits.schedulable(node)
        self._faults.pop(node, None)

    def faults(self) -> dict[str, FaultKind]:
        return dict(self._faults)

    def settle(self, limit_seconds: float) -> None:
        wait_for(
            "workloads to settle",
            self._workloads.settled,
            limit_seconds,
            every_seconds=0.2,
            error=ClusterError,
            pause=self._pod_watch.pause,
        )

    def ended(self) -> tuple[Ended, ...]:
        return self._provider.ended()

    def incidents(self) -> tuple[Incident, ...]:
        return self._provider.incidents()

    def logs(self, pod: str, tail: int = 100) -> str:
        return self._api.text(f"{_PODS}/{pod}/log", tailLines=tail).decode(errors="replace")

    def enforcement(self) -> Enforcement:
        return self._provider.enforcement(tuple(self._node_watch.all()))

    def kubeconfig(self) -> Path | None:
        return self._provider.kubeconfig()

    def leader(self) -> str:
        return self._provider.leader()

    # Raising and removing

    @property
    def _api(self) -> Api:
        if self._connection is None:
            raise ClusterStartFailed(f"the {self.name} cluster is not running")
        return self._connection

    def _start(self) -> None:
        self._provider.up()
        api = self._connection = Api(self._provider.kubeconfig(), self._provider.answering)
        create_namespace(api)
        self._vigil.start()
        self._workloads = Workloads(api, self._provider)
        self._jobs = JobRunner(api, self._provider.packing, self._log)
        self._node_watch = Reflector(
            api, _NODES, self._node_changed, self._log, selector=names.REAL
        )
        self._waits = Waits(api, self._provider, self._node_watch, self._workloads)
        self._pod_watch = Reflector(api, _PODS, self._pod_changed, self._log)
        self._node_watch.start(_LIST_SECONDS)
        self._pod_watch.start(_LIST_SECONDS)
        for spec in self._wished:
            self._raise(spec)
        for spec in self._wished:
            self._waits.schedulable(spec.name)

    def _raise(self, spec: NodeSpec) -> None:
        self._provider.add_node(spec)
        self._machines[spec.name] = spec

    def _stop(self) -> None:
        self._vigil.stop()
        with self._emitting:
            for timer in self._doubted.values():
                timer.cancel()
            self._doubted.clear()
        if self._connection is not None:
            self._connection.abandon()
        jobs: JobRunner | None = getattr(self, "_jobs", None)
        if jobs is not None:
            jobs.abandon()
        for watch in ("_node_watch", "_pod_watch"):
            reflector: Reflector | None = getattr(self, watch, None)
            if reflector is not None:
                reflector.stop()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._provider.down()

    # What the watches see

    def _node_changed(self, before: Document | None, after: Document | None) -> None:
        event = node_event(before, after)
        if event is None:
            return
        with self._emitting:
            doubted = self._doubted.pop(event.node, None)
        if doubted is not None:
            doubted.cancel()
            if event.kind is EventKind.NODE_READY:
                self._log.info("%s was never gone: it was busy, or its witnesses slept", event.node)
                return
        if event.kind is EventKind.NODE_LOST and not self._is_to_be_lost(event.node):
            # A node with a fault that does not lose it is at work, or will be at once.
            at_work = event.node in self._faults or self._provider.lives(event.node)
            busy = _BUSY_SECONDS if at_work else 0.0
            if doubt := max(self._vigil.doubt_seconds(), busy):
                self._doubt(event, doubt)
                return
        self._tell(event)

    def _is_to_be_lost(self, node: str) -> bool:
        """By the fault it has."""
        fault = self._faults.get(node)
        return fault is not None and fault.loses

    def _doubt(self, event: ClusterEvent, seconds: float) -> None:
        """Tell of a loss only if it outlasts the traces of the observer's own absence, or what a
        living machine may be too busy for."""

        def confirm() -> None:
            # In one go: a return that is seen meanwhile is told after the loss, never before it.
            with self._emitting:
                if self._doubted.pop(event.node, None) is None:
                    return
                if more := self._vigil.doubt_seconds():
                    self._doubt(event, more)  # they sleep still, or again
                    return
                self._emit(event)
            self._tidy(lambda: self._drop_pods(event.node))

        timer = threading.Timer(seconds, confirm)
        timer.daemon = True
        with self._emitting:
            self._doubted[event.node] = timer
        timer.start()

    def _tell(self, event: ClusterEvent) -> None:
        if event.kind is EventKind.NODE_LOST:
            # Nobody deletes a lost node's pods while its Node exists: replace at once.
            self._tidy(lambda: self._drop_pods(event.node))
        self._emit(event)

    def _pod_changed(self, before: Document | None, after: Document | None) -> None:
        self._jobs.observe(before, after)
        event = pod_event(before, after)
        if event is not None:
            self._emit(event)
        if after is not None and "deletionTimestamp" in after["metadata"]:
            node = self._node_watch.get(after["spec"].get("nodeName", ""))
            if node is not None and condition(node, "Ready") != "True":
                # Bound in the moment of the loss: no kubelet is there to confirm its end.
                self._tidy(lambda: self._force(after))

    def _tidy(self, act: Callable[[], None]) -> None:
        try:
            act()
        except ClusterError as error:
            # The watch must go on; the taint manager ends such pods too, only later.
            self._log.warning("pods of a lost node stay for now: %s", error)

    def _emit(self, event: ClusterEvent) -> None:
        with self._emitting:
            for sink in self._sinks:
                try:
                    sink(event)
                except Exception:  # noqa: BLE001 - whatever a listener raises
                    # One listener's fault must not blind the cluster to all that follows.
                    self._log.exception("a listener failed on %s", event)

    def _drop_pods(self, node: str) -> None:
        there = self._node_watch.get(node)
        if there is not None and condition(there, "Ready") == "True":
            return  # it came back: its pods are its own again
        for document in self._api.get(_PODS, fieldSelector=f"spec.nodeName={node}")["items"]:
            self._force(document)

    def _force(self, pod: Document) -> None:
        self._api.delete(f"{_PODS}/{pod['metadata']['name']}", grace_seconds=0)
