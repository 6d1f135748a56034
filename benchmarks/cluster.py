"""What the native cluster costs and how fast it is: pods, a lost node, an autoscaler, memory, light
nodes.

One after the other, on one control plane for the pods and one for each number of light nodes. Each
time stands beside what the same machine needed at that moment for the part that is nobody's to
shorten. How long a control plane takes to be ready: `benchmarks.controlplane`; what an idle devnet
uses: `benchmarks.soak`.
"""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import psutil

from benchmarks.bound import Bound
from benchmarks.kwokctl import get_kwokctl, kwokctl_cached
from benchmarks.light import light_nodes
from benchmarks.scaling import scaled
from cluster.errors import ClusterError
from cluster.faults import OFFLINE
from cluster.interface import Capacity, NodeSpec, NodeState, Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Api
from cluster.native.provider import NativeCluster
from cluster.waiting import Seen, wait_for
from devnet.base import Toolchain
from devnet.base.environment import python_environment

PODS: Final = 200
LOSSES: Final = 3
LIGHT: Final = {1_000: Fraction(30), 5_000: Fraction(60)}  # seconds
FEW: Final = {20: Fraction(30)}
RUNNING_SECONDS: Final = Fraction(1, 10)
REPLACED: Final = Fraction(3)
SCALINGS: Final = 3
SCALED_SECONDS: Final = Fraction(20)
NODE_BYTES: Final = Fraction(64 * 2**20)
LIMIT_SECONDS: Final = 60.0
MACHINE: Final = Capacity(500, 512 << 20, storage_bytes=10 << 30)
SMALL: Final = Capacity(20, 16 << 20)
WEB: Final = Capacity(200, 64 << 20)  # also its limit: a start takes 80 ms of a whole core
SERVICE: Final = Path(__file__).parents[1] / "e2e" / "services" / "web"
PATH: Final = f"/api/v1/namespaces/{names.NAMESPACE}/pods"


def measure(smallest: bool = False) -> tuple[Bound, ...]:
    """The control plane must be built; kwok is built once into the cache, or left out of the
    smallest form, as is the autoscaler, which waits for a minute of metrics."""
    toolchain = Toolchain()
    with _cluster(toolchain) as cluster, _connected(cluster) as api:
        cluster.hand(SERVICE)
        rows = [
            _pods(api, 3 if smallest else PODS),
            *_loss(cluster, api, 1 if smallest else LOSSES),
            _memory(),
        ]
        if not smallest:
            rows.append(_autoscaler(cluster, api))
    kwok = kwokctl_cached(toolchain) if smallest else get_kwokctl(toolchain)
    light = FEW if smallest else LIGHT
    tools = toolchain.controlplane()
    return (*rows, *(light_nodes(count, limit, tools, kwok) for count, limit in light.items()))


@contextmanager
def _cluster(toolchain: Toolchain) -> Iterator[NativeCluster]:
    zones = ("a", "b")
    nodes = [NodeSpec(f"worker-{zone}", "standard", "local", zone, MACHINE) for zone in zones]
    with (
        tempfile.TemporaryDirectory(prefix="kompute-bench-") as state,
        NativeCluster(
            nodes,
            Path(state),
            toolchain.controlplane(),
            toolchain.bubblewrap(),
            f"bench-{uuid.uuid4().hex[:12]}",  # control groups are named after it
            logging.getLogger("benchmarks.cluster"),
            python_environment(),
        ) as cluster,
    ):
        yield cluster


@contextmanager
def _connected(cluster: NativeCluster) -> Iterator[Api]:
    kubeconfig = cluster.kubeconfig()
    assert kubeconfig is not None
    api = Api(kubeconfig)
    try:
        yield api
    finally:
        api.close()


def _pods(api: Api, count: int) -> Bound:
    """From the request to the API server's word that it runs; one after the other, each beside a
    pod of no node whose state is written by hand: what the requests alone take."""
    ours: list[float] = []
    peer: list[float] = []
    for number in range(count):
        ours.append(_running(api, f"pod-{number}"))
        peer.append(_running(api, f"written-{number}", written=True))
    return Bound(
        f"pod created to running, median of {count}; beside its requests alone",
        Fraction(median(ours)),
        Fraction(median(peer)),
        "s",
        RUNNING_SECONDS,
    )


def _running(api: Api, name: str, *, written: bool = False) -> float:
    started = time.perf_counter()
    made = api.create(PATH, pod(name, written=written))
    version = made["metadata"]["resourceVersion"]
    if written:
        api.create(f"{PATH}/{name}/binding", binding(name))
        api.patch(f"{PATH}/{name}/status", {"status": {"phase": "Running"}})
    watch = api.watch(PATH, version, fieldSelector=f"metadata.name={name}")
    try:
        for _, seen in watch:
            phase = seen.get("status", {}).get("phase")
            if phase == "Running":
                return time.perf_counter() - started
            if phase == "Failed":
                raise ClusterError(f"{name} failed: {seen['status']}")
    finally:
        watch.close()
        api.delete(f"{PATH}/{name}", grace_seconds=0)
    raise ClusterError(f"the watch of {name} ended before it ran")


def pod(name: str, *, written: bool) -> dict[str, Any]:
    """A pod that sleeps, without an account's token as all of a devnet's: who mounts one waits for
    the kubelet's next look at its volumes, upstream's 0.3 s. A `written` one is kept from every
    scheduler and node."""
    container = {
        "name": names.CONTAINER,
        "image": names.IMAGE,
        "command": ["sleep", "600"],
        "resources": {"requests": names.to_resources(SMALL)},
    }
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    if written:
        spec["schedulerName"] = "nobody"
    return {
        "metadata": {"name": name, "annotations": {names.FOLDER: str(SERVICE)}},
        "spec": spec,
    }


def binding(name: str) -> dict[str, Any]:
    """What a scheduler writes: the pod to a node, here one that no kubelet stands for."""
    return {
        "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "nobody"},
    }


def _loss(cluster: NativeCluster, api: Api, times: int) -> tuple[Bound, Bound]:
    """From the moment a node loses its power until its pod's replacement runs elsewhere, and until
    that is ready; beside the time until Kubernetes says that the node is lost."""
    command = ("python3", "server.py")
    cluster.apply(Workload("web", SERVICE, command, 1, WEB, "/healthz"))
    losses: list[Loss] = []
    for _ in range(times):
        cluster.settle(LIMIT_SECONDS)
        (pod,) = cluster.pods("web")
        losses.append(_lose(cluster, api, pod.node))
        cluster.heal(pod.node)
    cluster.delete("web")
    told, running, ready = (Fraction(median(column)) for column in zip(*losses, strict=True))
    beside = f"median of {times}; beside until it is told"
    return (
        Bound(
            f"node lost to its pod's replacement running, {beside}", running, told, "s", REPLACED
        ),
        Bound(f"node lost to its pod's replacement ready, {beside}", ready, told, "s", REPLACED),
    )


def runs_elsewhere(pod: Mapping[str, Any], lost: str) -> bool:
    """Whether that pod of the API runs, on another node than the lost one."""
    placed = pod["spec"].get("nodeName", "")
    return placed not in ("", lost) and pod.get("status", {}).get("phase") == "Running"


class Loss(NamedTuple):
    """Seconds after a node's end."""

    told: float
    running: float
    ready: float


def _lose(cluster: NativeCluster, api: Api, node: str) -> Loss:
    started = time.perf_counter()
    cluster.fault(node, OFFLINE)

    def told() -> Seen:
        states = {one.spec.name: one.state for one in cluster.nodes()}
        return Seen(states[node] is NodeState.LOST, str(states))

    def running() -> Seen:
        pods = api.get(PATH, labelSelector=f"{names.WORKLOAD}=web")["items"]
        return Seen(any(runs_elsewhere(one, node) for one in pods), f"{len(pods)} pods")

    def ready() -> Seen:
        pods = cluster.pods("web")
        return Seen(any(one.node != node and one.ready for one in pods), str(pods))

    moments: list[float] = []
    for what, look in (("the loss", told), ("a replacement", running), ("its readiness", ready)):
        wait_for(what, look, LIMIT_SECONDS)
        moments.append(time.perf_counter() - started)
    return Loss(*moments)


def _memory() -> Bound:
    """What a node's kubelet has of its own, shared pages in parts (PSS); the most of all nodes."""
    sizes = [
        child.memory_full_info().pss
        for child in psutil.Process().children(recursive=True)
        if Path(child.cmdline()[0]).name == "kubelet"
    ]
    most = Fraction(max(sizes) // 1024)
    return Bound("memory of a node (PSS of its kubelet)", most, None, "KiB", NODE_BYTES / 1024)


def _autoscaler(cluster: NativeCluster, api: Api) -> Bound:
    both = [scaled(cluster, api, SERVICE) for _ in range(SCALINGS)]
    return Bound(
        f"load begun to replicas 1 to 3, median of {SCALINGS}; beside until metrics show it",
        Fraction(median(grown for grown, _ in both)),
        Fraction(median(known for _, known in both)),
        "s",
        SCALED_SECONDS,
    )
