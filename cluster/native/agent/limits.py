"""The limits of a node and its pods: control groups where the machine allows, else rlimits.

What is really enforced is found out by doing it, and said in plain sentences.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass

from cluster.interface import Capacity, Enforcement
from cluster.native.agent import cgroups
from cluster.native.agent.cgroups import Cgroups, GroupLimits

_NODE_PIDS = 2048
_POD_PIDS = 256
_DATA_SLACK_BYTES = 64 << 20  # an interpreter and its thread stacks, as RLIMIT_DATA counts them
_DISK = (
    "Disk size and write rate are not enforced: they bound what is scheduled and what a "
    "performance test may claim."
)
_NETWORK = "Network rate is not enforced: a performance test's figure is cut at the profile's."


def node_group(devnet_id: str, node: str) -> str:
    """The control group of a node, below this process's own."""
    return f"{_devnet_group(devnet_id)}/{node}"


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """What holds on this node. `groups` is `None` where the machine gives no control groups."""

    group: str
    groups: Cgroups | None
    enforcement: Enforcement

    def enter(self, pod: str, limits: Capacity) -> Callable[[], None]:
        """Make the pod's group; the result runs in the child, before its program."""
        if self.groups is None:
            return _rlimits(limits.memory_bytes)
        group = f"{self.group}/{pod}"
        wanted = GroupLimits(limits.milli_cpu, limits.memory_bytes, _POD_PIDS)
        self.groups.create(group, wanted)
        return cgroups.joiner(self.groups, group)

    def join(self, pod: str) -> Callable[[], None]:
        """For one more process in a pod that runs: `exec`."""
        if self.groups is None:
            return lambda: None
        return cgroups.joiner(self.groups, f"{self.group}/{pod}")

    def leave(self, pod: str) -> None:
        """End whatever the pod left behind, and remove its group."""
        if self.groups is not None:
            cgroups.kill(self.groups.folders(f"{self.group}/{pod}"))

    def peak(self, pod: str) -> int:
        """Bytes of the pod's largest memory use, 0 where nobody counts."""
        return self.groups.memory_peak(f"{self.group}/{pod}") if self.groups else 0

    def close(self) -> None:
        """End every pod of the node, and remove its group."""
        if self.groups is not None:
            cgroups.kill(self.groups.folders(self.group))
            _remove_empty(self.groups, self.group.split("/", maxsplit=1)[0])


def prepare(devnet_id: str, node: str, capacity: Capacity) -> NodeLimits:
    """The node's limits, after ending what an earlier agent of this name left."""
    group = node_group(devnet_id, node)
    kill_node(devnet_id, node)
    for groups in cgroups.hierarchies():
        try:
            groups.create(group, GroupLimits(capacity.milli_cpu, capacity.memory_bytes, _NODE_PIDS))
            groups.create(f"{group}/probe", GroupLimits(capacity.milli_cpu, 1 << 20, 1))
            cgroups.remove(groups.folders(f"{group}/probe"))
        except OSError as error:
            return NodeLimits(group, None, _without(str(error)))
        return NodeLimits(group, groups, _with(groups))
    return NodeLimits(group, None, _without("there are no cpu, memory and pids controllers"))


def enforcement(devnet_id: str) -> Enforcement:
    """What a node of that devnet would enforce on this machine; leaves nothing behind."""
    name = f"probe-{os.getpid()}"
    limits = prepare(devnet_id, name, Capacity(milli_cpu=100, memory_bytes=64 << 20))
    limits.close()
    return limits.enforcement


def kill_node(devnet_id: str, node: str) -> None:
    """End all processes of a node whose agent is gone, and remove its control groups."""
    cgroups.kill([folder / node for folder in cgroups.places(_devnet_group(devnet_id))])


def remove_devnet(devnet_id: str) -> None:
    """End and remove all that a devnet left in control groups."""
    cgroups.kill(cgroups.places(_devnet_group(devnet_id)))


def _devnet_group(devnet_id: str) -> str:
    return f"kompute-{devnet_id}"


def _remove_empty(groups: Cgroups, devnet_group: str) -> None:
    for folder in groups.folders(devnet_group):
        with contextlib.suppress(OSError):  # another node of this devnet is still there
            folder.rmdir()


def _with(groups: Cgroups) -> Enforcement:
    version = "v1" if isinstance(groups, cgroups.CgroupsV1) else "v2"
    return Enforcement(
        enforced=(
            f"CPU quota, memory limit and number of processes of every node and pod (cgroup "
            f"{version}).",
            "A lost node's pods are killed with it.",
        ),
        narrowed=(_DISK, _NETWORK),
    )


def _without(reason: str) -> Enforcement:
    return Enforcement(
        enforced=("A lost node's pods are killed with it.",),
        narrowed=(
            f"CPU is not limited: no control groups here ({reason}).",
            f"Memory is limited by RLIMIT_DATA at the request + {_DATA_SLACK_BYTES >> 20} MiB a "
            "process.",
            _DISK,
            _NETWORK,
        ),
    )


def _rlimits(memory_bytes: int) -> Callable[[], None]:
    bound = memory_bytes + _DATA_SLACK_BYTES

    def limit() -> None:
        if memory_bytes:
            resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))

    return limit
