"""What sim can do; light to import."""

from __future__ import annotations

from cluster.faults import CRASHED, DISK_FULL, OFFLINE, PAUSED, SLOW
from cluster.registry import Capabilities

CAPABILITIES = Capabilities(
    faults=(OFFLINE, PAUSED, SLOW, DISK_FULL, CRASHED),
    light_nodes="it has no Kubernetes API that they could be in",
)
