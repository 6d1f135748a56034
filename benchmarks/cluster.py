"""What the native cluster costs and how fast it is: pods, a lost node, memory, light nodes.

One after the other, on one control plane for the pods and one for each number of light nodes. How
long a control plane takes to be ready: `benchmarks.controlplane`; what an idle devnet uses:
`benchmarks.soak`.
"""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from benchmarks.bound import Bound
from cluster.errors import ClusterError
from cluster.faults import OFFLINE
from cluster.interface import Capacity, LightNodes, NodeSpec, Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Api
from cluster.kubernetes.bootstrap import create_leases
from cluster.native.plane import ControlPlane
from cluster.native.provider import NativeCluster
from cluster.waiting import Seen, wait_for
from devnet.base import Toolchain
from devnet.base.environment import plain_environment, python_environment

PODS: Final = 200
LOSSES: Final = 3
LIGHT: Final = {1_000: Fraction(30), 5_000: Fraction(60)}  # seconds
FEW: Final = {20: Fraction(30)}
RUNNING_SECONDS: Final = Fraction(1, 10)
REPLACED_SECONDS: Final = Fraction(3)
NODE_BYTES: Final = Fraction(64 * 2**20)
LIMIT_SECONDS: Final = 60.0
MACHINE: Final = Capacity(500, 512 << 20, storage_bytes=10 << 30)
SMALL: Final = Capacity(20, 16 << 20)
SERVICE: Final = Path(__file__).parents[1] / "e2e" / "services" / "web"
PATH: Final = f"/api/v1/namespaces/{names.NAMESPACE}/pods"


def measure(smallest: bool = False) -> tuple[Bound, ...]:
    """The control plane must be built."""
    with _cluster() as cluster:
        rows = (
            _pods(cluster, 3 if smallest else PODS),
            _loss(cluster, 1 if smallest else LOSSES),
            _memory(),
        )
    light = FEW if smallest else LIGHT
    return (*rows, *(_light(count, limit) for count, limit in light.items()))


@contextmanager
def _cluster() -> Iterator[NativeCluster]:
    toolchain = Toolchain()
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


def _pods(cluster: NativeCluster, count: int) -> Bound:
    """From the request to the API server's word that it runs; one after the other."""
    kubeconfig = cluster.kubeconfig()
    assert kubeconfig is not None
    cluster.hand(SERVICE)
    api = Api(kubeconfig)
    try:
        seconds = [_pod(api, f"pod-{number}") for number in range(count)]
    finally:
        api.close()
    return Bound(
        f"pod created to running, median of {count}",
        Fraction(median(seconds)),
        None,
        "s",
        RUNNING_SECONDS,
    )


def _pod(api: Api, name: str) -> float:
    document: dict[str, Any] = {
        "metadata": {"name": name, "annotations": {names.FOLDER: str(SERVICE)}},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": names.CONTAINER,
                    "image": names.IMAGE,
                    "command": ["sleep", "600"],
                    "resources": {"requests": names.to_resources(SMALL)},
                }
            ],
        },
    }
    started = time.perf_counter()
    made = api.create(PATH, document)
    watch = api.watch(
        PATH, made["metadata"]["resourceVersion"], fieldSelector=f"metadata.name={name}"
    )
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


def _loss(cluster: NativeCluster, times: int) -> Bound:
    """From the moment a node loses its power until its pod's replacement is ready elsewhere."""
    command = ("python3", "server.py")
    cluster.apply(Workload("web", SERVICE, command, 1, SMALL, "/healthz"))
    seconds: list[float] = []
    for _ in range(times):
        cluster.settle(LIMIT_SECONDS)
        (pod,) = cluster.pods("web")
        started = time.perf_counter()
        cluster.fault(pod.node, OFFLINE)

        def replaced(lost: str = pod.node) -> Seen:
            pods = cluster.pods("web")
            return Seen(any(one.ready and one.node != lost for one in pods), str(pods))

        wait_for("the replacement", replaced, LIMIT_SECONDS)
        seconds.append(time.perf_counter() - started)
        cluster.heal(pod.node)
    cluster.delete("web")
    return Bound(
        f"node lost to its pod's replacement ready, median of {times}",
        Fraction(median(seconds)),
        None,
        "s",
        REPLACED_SECONDS,
    )


def _memory() -> Bound:
    """What a node's kubelet has of its own, shared pages in parts (PSS); the most of all nodes."""
    sizes = [
        child.memory_full_info().pss
        for child in psutil.Process().children(recursive=True)
        if Path(child.cmdline()[0]).name == "kubelet"
    ]
    most = Fraction(max(sizes) // 1024)
    return Bound("memory of a node (PSS of its kubelet)", most, None, "KiB", NODE_BYTES / 1024)


def _light(count: int, limit: Fraction) -> Bound:
    """From the start of their process until all are ready; the control plane runs before."""
    nodes = LightNodes(
        tuple(f"far-{number}" for number in range(1, count + 1)), "large", "local", "a", MACHINE
    )
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as state:
        plane = ControlPlane(
            Path(state) / "state",
            Toolchain().controlplane(),
            plain_environment(KOMPUTE_DEVNET_ID=f"bench-{uuid.uuid4().hex[:12]}"),
            logging.getLogger("benchmarks.cluster"),
            (nodes,),
        )
        with plane:
            api = Api(plane.kubeconfig)
            create_leases(api)
            api.close()
            plane.wait_ready()
            started = time.perf_counter()
            plane.start_light()
            seconds = time.perf_counter() - started
    what = f"{count:,} light nodes ready".replace(",", " ")
    return Bound(what, Fraction(seconds), None, "s", limit)
