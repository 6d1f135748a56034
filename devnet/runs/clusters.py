"""Which clusters there are, which of them this machine can serve, and how each is made."""

from __future__ import annotations

import logging
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.interface import Cluster, NodeSpec
from cluster.profiles import load_profile, scaled
from cluster.sim.cluster import SimCluster
from devnet.base import Toolchain, UsageError
from devnet.base.environment import python_environment
from devnet.spec.network import NetworkSpec

AUTO = "auto"
CONTROL_PLANE_BUILD_BYTES = 5 * 10**9  # REFERENCE: caches of 4 GB, and room to link


@dataclass(frozen=True, slots=True)
class Making:
    """What a cluster is made from."""

    spec: NetworkSpec
    state: Path
    devnet_id: str
    toolchain: Toolchain
    log: logging.Logger

    def nodes(self) -> tuple[NodeSpec, ...]:
        """The workers at the network's scale."""
        return tuple(
            NodeSpec(
                worker.name,
                worker.profile,
                worker.region,
                worker.zone,
                scaled(load_profile(worker.profile), self.spec.scale),
            )
            for worker in self.spec.workers
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A cluster by name. `lacks` says what keeps this machine from serving it, empty when nothing
    does; `make` gives it un-entered. `modelled`: its nodes are models of their profile."""

    name: str
    proves: str
    modelled: bool
    lacks: Callable[[Toolchain], str]
    make: Callable[[Making], Cluster]


def _sim(making: Making) -> Cluster:
    return SimCluster(
        making.nodes(),
        making.state,
        making.devnet_id,
        modelled=making.spec.workloads == "modelled",
    )


def _native(making: Making) -> Cluster:
    from cluster.native.provider import (
        NativeCluster,  # the kubernetes client takes most of a second
    )

    return NativeCluster(
        making.nodes(),
        making.state,
        making.toolchain.controlplane(),
        making.devnet_id,
        making.log,
        python_environment(),
    )


def _native_lacks(toolchain: Toolchain) -> str:
    if platform.system() != "Linux":
        return f"it needs Linux, this is {platform.system()}"
    if toolchain.controlplane_cached() is not None:
        return ""
    free = shutil.disk_usage(_existing(toolchain.cache)).free
    if free < CONTROL_PLANE_BUILD_BYTES:
        return (
            f"its build needs {CONTROL_PLANE_BUILD_BYTES // 10**9} GB, {free // 10**9} GB are free"
        )
    return ""


def _existing(path: Path) -> Path:
    while not os.path.exists(path):
        path = path.parent
    return path


# The best last: `auto` takes the last one that lacks nothing.
KINDS: tuple[Kind, ...] = (
    Kind("sim", "contracts, economics, replay", True, lambda _: "", _sim),
    Kind("native", "scheduling, failover, real measurement", False, _native_lacks, _native),
)


def choose(name: str, toolchain: Toolchain) -> tuple[Kind, str]:
    """The cluster of that name, or for `auto` the best here; and why, in one line.

    Raises `UsageError` for an unknown name.
    """
    by_name = {kind.name: kind for kind in KINDS}
    if name in by_name:
        return by_name[name], f"{name}: asked for"
    if name != AUTO:
        known = ", ".join((AUTO, *by_name))
        raise UsageError(f"no cluster named '{name}'", hint=f"known: {known}")
    why_not: list[str] = []
    for kind in reversed(KINDS):
        lacks = kind.lacks(toolchain)
        if not lacks:
            return kind, "; ".join([f"{kind.name}: the best this machine serves", *why_not])
        why_not.append(f"not {kind.name}: {lacks}")
    raise AssertionError("sim lacks nothing")
