"""The names the cluster and its nodes agree on: labels, annotations, resources."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.interface import Capacity
from cluster.profiles.quantity import milli, whole

NAMESPACE = "kompute"
LEASES = "kube-node-lease"

# Labels.
PROFILE = "kompute.network/profile"
WORKLOAD = "kompute.network/workload"
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"
LIGHT = "kompute.network/light"  # a taint too: whoever does not ask for such nodes stays off
REAL = f"!{LIGHT}"  # the selector of all others

# Annotations of pods, set by the cluster.
FOLDER = "kompute.network/folder"
STDIN = "kompute.network/stdin"
CONTAINER = "main"
PORT_NAME = "http"
IMAGE = "kompute/folder"

# Pods of a node that is lost are dropped at once by whoever sees the loss; those of one that may
# only be busy stay for as long as that is in doubt.
TOLERATION_SECONDS = 6

_RESOURCES = {
    "memory": "memory_bytes",
    "ephemeral-storage": "storage_bytes",
    "kompute.network/disk-write-bytes-per-second": "disk_write_bytes_per_second",
    "kompute.network/network-bits-per-second": "network_bits_per_second",
    "sgx.intel.com/epc": "sgx_epc_bytes",
}


def to_resources(capacity: Capacity) -> dict[str, str]:
    """Kubernetes resource quantities of what `capacity` has; nothing for a figure of 0."""
    quantities = {"cpu": f"{capacity.milli_cpu}m"} if capacity.milli_cpu else {}
    for resource, field in _RESOURCES.items():
        amount = getattr(capacity, field)
        if amount:
            quantities[resource] = str(amount)
    return quantities


def to_capacity(resources: Mapping[str, str]) -> Capacity:
    """The capacity in a node's `allocatable` or a container's `requests`."""
    figures = {
        field: whole(resources[name]) for name, field in _RESOURCES.items() if name in resources
    }
    figures.setdefault("memory_bytes", 0)
    return Capacity(milli_cpu=milli(resources.get("cpu", "0")), **figures)


def add(one: Capacity, other: Capacity) -> Capacity:
    """The sum, figure by figure."""
    return Capacity(
        milli_cpu=one.milli_cpu + other.milli_cpu,
        **{field: getattr(one, field) + getattr(other, field) for field in _RESOURCES.values()},
    )
