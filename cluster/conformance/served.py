"""What a cluster cannot serve, and why, in one table.

A reason is true of the cluster as it is, not a wish for time: what is merely not done yet is a row
that fails. A declared row is tried all the same: where it holds, the declaration is false, and the
row fails. What its trial fails by must be what is declared: the refusal that is named or, from
`bench.control()` on in the row's body, the claim itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALWAYS = ""
NO_CONTROL_GROUPS = "without control groups"
NO_USERS = "where pods have no users of their own"


@dataclass(frozen=True, slots=True)
class Declared:
    """Why a row cannot hold. `where` is the condition of the machine under which it cannot.

    `refused`: how the cluster refuses it by name; it must be in what the row's trial ends with.
    Without one the row's body says by `bench.control()` where its claim begins.
    """

    reason: str
    refused: str = ""
    where: str = ALWAYS


_SHARED = "pods share the host's network, where nothing stands between one and another"
_NOT_TRANSLATED = "pods share the host's network: nothing leads from a service's address to a pod"
_NO_DNS = "there is no DNS server in the cluster"
_NO_CAPABILITIES = "containers have no capabilities, whoever runs the cluster"
_NOT_ENDED = "an allocation beyond the limit fails, and the kernel kills nobody for it"
_NOT_LIMITED = "the kernel limits the processor by control groups alone"

NOT_SERVED: Mapping[str, Mapping[str, Declared]] = {
    "native": {
        "copy.owner": Declared(
            "a container is in a user namespace of one user, who owns all files",
            refused="Cannot change ownership",
            where=NO_USERS,
        ),
        "debug.node": Declared(
            "the host's processes and files are not the node's", refused="spec.hostPID"
        ),
        "limits.child": Declared(_NOT_ENDED, where=NO_CONTROL_GROUPS),
        "limits.cpu": Declared(_NOT_LIMITED, where=NO_CONTROL_GROUPS),
        "limits.killed.later": Declared(_NOT_ENDED, where=NO_CONTROL_GROUPS),
        "limits.memory": Declared(_NOT_ENDED, where=NO_CONTROL_GROUPS),
        "limits.resize": Declared(_NOT_LIMITED, where=NO_CONTROL_GROUPS),
        "network.policy": Declared(_SHARED),
        "node.memory": Declared(
            "nothing counts the memory of all pods of a node together", where=NO_CONTROL_GROUPS
        ),
        "privilege.capabilities": Declared(
            _NO_CAPABILITIES, refused="spec.containers[0].securityContext.capabilities.add"
        ),
        "privilege.hostIPC": Declared(
            "the host's memory is not the node's", refused="spec.hostIPC"
        ),
        "privilege.hostPID": Declared(
            "the host's processes are not the node's", refused="spec.hostPID"
        ),
        "privilege.hostPort": Declared(
            "the host's ports are not the node's", refused="spec.containers[0].ports[0].hostPort"
        ),
        "privilege.privileged": Declared(
            _NO_CAPABILITIES, refused="spec.containers[0].securityContext.privileged"
        ),
        "privilege.shareProcessNamespace": Declared(
            "each container has processes of its own", refused="spec.shareProcessNamespace"
        ),
        "privilege.sysctls": Declared(
            "the kernel and its settings are the host's", refused="spec.securityContext.sysctls"
        ),
        "security.loopback": Declared(_SHARED),
        "security.supplementalGroups": Declared(
            "a container is in a user namespace of one user and one group",
            refused="spec.securityContext.supplementalGroups",
            where=NO_USERS,
        ),
        "security.fsGroup": Declared(
            "a container is in a user namespace of one user and one group",
            refused="spec.securityContext.fsGroup",
            where=NO_USERS,
        ),
        "security.sharedVolume": Declared(
            "what any user of a pod writes is the one user's who runs the node", where=NO_USERS
        ),
        "service.address": Declared(_NOT_TRANSLATED),
        "service.endpoints": Declared(
            "the API takes no endpoint of 127.0.0.0/8, where addresses of pods are"
        ),
        "service.headless": Declared(_NO_DNS),
        "service.name": Declared(_NO_DNS),
        "statefulSet.volumes": Declared("there is no storage class, so nothing makes a volume"),
        "volumes.hostPath": Declared(
            "the host's files are not the node's", refused="spec.volumes[0] (v)"
        ),
    },
}
"""By cluster, then by row."""


def declared(cluster: str, row: str, conditions: frozenset[str]) -> Declared | None:
    """What is declared of a row on that cluster, under these conditions."""
    found = NOT_SERVED.get(cluster, {}).get(row)
    return found if found is not None and found.where in (ALWAYS, *conditions) else None
