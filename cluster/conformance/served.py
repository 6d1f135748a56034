"""What a cluster cannot serve, and why, in one table.

A reason is true of the cluster as it is, not a wish for time: what is merely not done yet is a row
that fails. A declared row is tried all the same: where it holds, the declaration is false, and the
row fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALWAYS = ""
NO_CONTROL_GROUPS = "without control groups"
ORDINARY_USER = "as an ordinary user"
NO_USERS = "where pods have no users of their own"


@dataclass(frozen=True, slots=True)
class Declared:
    """Why a row cannot hold. `where` is the condition of the machine under which it cannot.

    `refused`: how the cluster refuses it by name; it must be in what the row's trial ends with.
    """

    reason: str
    refused: str = ""
    where: str = ALWAYS


NOT_SERVED: Mapping[str, Mapping[str, Declared]] = {
    "native": {
        "limits.memory": Declared(
            "an allocation beyond the limit fails, and the kernel kills nobody for it",
            where=NO_CONTROL_GROUPS,
        ),
        "limits.cpu": Declared(
            "the kernel limits the processor by control groups alone", where=NO_CONTROL_GROUPS
        ),
        "limits.resize": Declared(
            "the kernel limits the processor by control groups alone", where=NO_CONTROL_GROUPS
        ),
        "security.supplementalGroups": Declared(
            "a process in a user namespace of one user has one group",
            refused="spec.securityContext.supplementalGroups",
            where=NO_USERS,
        ),
        "security.fsGroup": Declared(
            "a process in a user namespace of one user has one group",
            refused="spec.securityContext.fsGroup",
            where=NO_USERS,
        ),
        "security.sharedVolume": Declared(
            "what any user of a pod writes is the one user's who runs the node", where=NO_USERS
        ),
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
