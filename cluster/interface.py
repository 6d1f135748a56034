"""The `Cluster` interface and its values: all that the rest of the project knows of a cluster.

Every cluster (`sim`, `native`, later `kind` and `context`) offers the same operations, so that
actors and scenarios are one code path. Nothing here knows a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from cluster.ended import Ended, Incident
from cluster.faults import FaultKind


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a node has, or a pod asks for. Integers: milli-CPU, bytes, bytes per second."""

    milli_cpu: int
    memory_bytes: int
    storage_bytes: int = 0
    disk_write_bytes_per_second: int = 0
    network_bits_per_second: int = 0
    sgx_epc_bytes: int = 0


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A worker node to raise: `capacity` is its profile's, already scaled.

    `cheat`: what its machine does in a performance test (`cluster.perftest.cheats`), empty for an
    honest one; only who raised it knows.
    """

    name: str
    profile: str
    region: str
    zone: str
    capacity: Capacity
    cheat: str = ""


@dataclass(frozen=True, slots=True)
class LightNodes:
    """Nodes of the cluster's API and nothing else, that differ by their names alone.

    They run nothing, none is a worker: no operation of `Cluster` sees them.
    """

    names: tuple[str, ...]
    profile: str
    region: str
    zone: str
    capacity: Capacity


class NodeState(StrEnum):
    READY = "ready"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Node:
    spec: NodeSpec
    state: NodeState
    allocatable: Capacity


@dataclass(frozen=True, slots=True)
class Autoscale:
    """How many replicas a workload has follows what they use: from `least` to `most` of them.

    Targets are percent of what one replica asks for, as the mean over all; 0: not by it. Of two
    the one that asks for more replicas decides.
    """

    least: int
    most: int
    cpu_percent: int = 0
    memory_percent: int = 0

    def within(self, replicas: int) -> int:
        """The nearest number that is allowed."""
        return min(max(replicas, self.least), self.most)


@dataclass(frozen=True, slots=True)
class Workload:
    """A long-running service of one order: `replicas` pods that run `command` in `folder`.

    Each pod gets `$PORT` (and `$HOST`) to bind; it is ready once `readiness_path` answers 200.
    With `autoscale`, `replicas` is what it begins with where it does not run yet.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    replicas: int
    requests: Capacity
    readiness_path: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    autoscale: Autoscale | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What all pods of a workload use together, in percent of what one of them asks for."""

    cpu_percent: int = 0
    memory_percent: int = 0


@dataclass(frozen=True, slots=True)
class Pod:
    name: str
    workload: str
    node: str
    ready: bool
    host: str
    port: int
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """One run to completion: a serverless invocation or a performance test.

    `payload` reaches the process on stdin; its stdout is the result (at most 1 MiB).
    `node` pins it. `deadline_seconds` bounds it.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    payload: bytes
    requests: Capacity
    node: str | None = None
    deadline_seconds: int = 60
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobResult:
    """`milliseconds` is timed by the control plane's side, not by the job itself."""

    name: str
    node: str
    exit_code: int
    output: bytes
    milliseconds: int
    memory_bytes: int


class Load(StrEnum):
    """How a performance test is carried out (docs/explanation/performance-test.md)."""

    CPU = "cpu"
    MEMORY = "memory"
    STORAGE = "storage"
    BANDWIDTH = "bandwidth"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The raw figures of one performance test of one node, with the transcript peers check.

    Integers: hash-chain steps per second over all allocatable cores, bytes proven, bytes/s, bits/s.
    """

    node: str
    seed: bytes
    cpu_steps_per_second: int
    memory_bytes: int
    memory_bytes_per_second: int
    storage_bytes: int
    storage_write_bytes_per_second: int
    up_bits_per_second: int
    down_bits_per_second: int
    transcript: bytes


@dataclass(frozen=True, slots=True)
class Utilization:
    """Sum of pod requests over sum of node allocatable, for the larger of CPU and memory (O1)."""

    requested: Capacity
    allocatable: Capacity

    def ratio_1e18(self) -> int:
        """max(cpu, memory) as 1e18 fixed point, 0 on an empty cluster, never above 1e18."""
        cpu = self.requested.milli_cpu * 10**18 // max(1, self.allocatable.milli_cpu)
        memory = self.requested.memory_bytes * 10**18 // max(1, self.allocatable.memory_bytes)
        return min(10**18, max(cpu, memory))


class EventKind(StrEnum):
    NODE_LOST = "node-lost"
    NODE_READY = "node-ready"
    POD_READY = "pod-ready"
    POD_LOST = "pod-lost"


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """`subject` is the node's or the pod's name; `node` and `workload` where they apply."""

    kind: EventKind
    subject: str
    node: str = ""
    workload: str = ""


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What this cluster really enforces here, and what was narrowed, each in one sentence."""

    enforced: tuple[str, ...]
    narrowed: tuple[str, ...]


EventSink = Callable[[ClusterEvent], None]


class Cluster(Protocol):
    """A running cluster; a context manager that raises it on enter and removes it on exit.

    All calls are synchronous, bounded, and raise `cluster.errors.ClusterError`.
    `apply` and `scale` return once the wish is recorded, not once pods are ready.
    """

    name: str  # "sim", "native", ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def subscribe(self, sink: EventSink) -> None:
        """Call `sink` for every event from now on, in order, from whichever thread sees it."""

    def nodes(self) -> tuple[Node, ...]: ...
    def add_node(self, spec: NodeSpec) -> None: ...
    def remove_node(self, name: str) -> None: ...

    def apply(self, workload: Workload) -> None:
        """Create the workload, or change it (also its replicas) when the name is known.

        One that is autoscaled and runs keeps the replicas it has come to, within its new bounds.
        """

    def scale(self, workload: str, replicas: int) -> None: ...

    def delete(self, workload: str) -> None:
        """One that is gone already is fine: whoever takes over removes again what has ended."""

    def pods(self, workload: str | None = None) -> tuple[Pod, ...]: ...

    def run_job(self, job: Job) -> JobResult:
        """Run to completion; raises `JobFailed` only without a result (lost node, deadline)."""

    def measure(self, node: str, seed: bytes) -> Measurement:
        """The performance test of one node; `sim` answers with its profile's own figures."""

    def utilization(self) -> Utilization: ...

    def use(self, workload: str, usage: Usage) -> None:
        """From now on its pods use so much, until they are told otherwise.

        Raises `cluster.errors.CannotPlay` where what pods use is measured.
        """

    def fault(self, node: str, kind: FaultKind) -> None:
        """Break a node; of a kind that `passes`, return once that is over.

        Raises `CannotPlay` where the cluster, or this machine, cannot play it, and where the node
        has a fault already.
        """

    def heal(self, node: str) -> None:
        """Mend whatever fault it has, and wait until it is back."""

    def faults(self) -> Mapping[str, FaultKind]:
        """What nodes were given and not healed of, by their names; any thread, at once."""

    def settle(self, limit_seconds: float) -> None:
        """Wait until every workload has its wished number of ready pods, or raise what is seen."""

    def ended(self) -> tuple[Ended, ...]:
        """Parts of the cluster that are not there now; any thread, at once."""

    def incidents(self) -> tuple[Incident, ...]:
        """What became of its parts so far, oldest first; any thread, at once."""

    def logs(self, pod: str, tail: int = 100) -> str: ...
    def enforcement(self) -> Enforcement: ...
    def kubeconfig(self) -> Path | None: ...
    def leader(self) -> str:
        """Which host of the control plane leads now; the answer may change at any time.

        Raises `cluster.errors.UnknownSubject` where no host was named.
        """
