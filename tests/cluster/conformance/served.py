"""What a cluster cannot serve, and why, in one table. A row's test is skipped with its reason.

A reason is true of the cluster as it is, not a wish for time: what is merely not done yet is a
failing test.
"""

from __future__ import annotations

from collections.abc import Mapping

NOT_SERVED: Mapping[str, Mapping[str, str]] = {
    "native": {
        "security.supplementalGroups": "a process in a user namespace of one user has one group",
        "volumes.hostPath": "the host's files are not the node's",
    },
}
"""By cluster, then by behaviour."""
