"""What native can do; light to import."""

from __future__ import annotations

from cluster.faults import OFFLINE
from cluster.registry import Capabilities

CAPABILITIES = Capabilities(faults=(OFFLINE,), light_nodes="", unsandboxed="")
