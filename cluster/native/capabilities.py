"""What native can do; light to import."""

from __future__ import annotations

from cluster.faults import CRASHED, DISK_FULL, OFFLINE, PAUSED, SLOW
from cluster.registry import Capabilities

_FAULTS = (OFFLINE, PAUSED, SLOW, DISK_FULL, CRASHED)
CAPABILITIES = Capabilities(faults=_FAULTS, light_nodes="", unsandboxed="")
