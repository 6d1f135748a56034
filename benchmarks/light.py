"""How long light nodes take to be ready by the thousand, beside kwok alone.

Ours are kwok's controllers on our control plane, the peer is kwok's own program on a control plane
of kwokctl's: the same etcd, API server, controller manager and scheduler under both. Ours count
from the start of the process that makes them, kwok's from `kwokctl scale`, with its program up.
"""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from fractions import Fraction
from pathlib import Path
from typing import Final

from benchmarks.bound import Bound
from benchmarks.kwokctl import Peer, created
from cluster.interface import Capacity, LightNodes
from cluster.kubernetes.api import Api
from cluster.kubernetes.bootstrap import create_leases
from cluster.native.plane import ControlPlane
from devnet.base.environment import plain_environment
from devnet.base.waiting import wait_for

MACHINE: Final = Capacity(500, 512 << 20, storage_bytes=10 << 30)
LONGEST_SECONDS: Final = 900.0
LOOK_SECONDS: Final = 1.0  # a look at thousands costs the API server something


def light_nodes(count: int, limit: Fraction, tools: Path, kwok: Path | None) -> Bound:
    """`kwok` None: alone, without the peer."""
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        ours = Fraction(_ours(count, tools, Path(folder)))
    peer = None
    if kwok is not None:
        with (
            tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder,
            created(kwok, tools, Path(folder), light=True) as cluster,
        ):
            cluster.wait_ready()
            peer = Fraction(_kwok(count, cluster))
    return Bound(f"{count:,} light nodes ready".replace(",", " "), ours, peer, "s", limit)


def _ours(count: int, tools: Path, folder: Path) -> float:
    """The control plane runs before."""
    nodes = LightNodes(
        tuple(f"far-{number}" for number in range(1, count + 1)), "large", "local", "a", MACHINE
    )
    plane = ControlPlane(
        folder / "state",
        tools,
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
        return time.perf_counter() - started


def _kwok(count: int, cluster: Peer) -> float:
    started = time.perf_counter()
    cluster.scale(count, LONGEST_SECONDS)
    wait_for(
        f"{count} nodes of kwok's",
        lambda: cluster.ready_nodes() >= count or None,
        limit_seconds=LONGEST_SECONDS,
        log=cluster.log,
        every_seconds=LOOK_SECONDS,
    )
    return time.perf_counter() - started
