"""Network and scenario files: frozen, exact values, with every fault of a file named at once.

This is where text of people becomes numbers of the protocol; nothing here starts anything.
"""

from devnet.spec.document import Fault, SpecError
from devnet.spec.loading import load_network, network_from_mapping, resolved_yaml
from devnet.spec.network import (
    Chain,
    Client,
    Cycle,
    Gatekeeper,
    NetworkSpec,
    Oracles,
    Parameters,
    Service,
    Worker,
)

__all__ = [
    "Chain",
    "Client",
    "Cycle",
    "Fault",
    "Gatekeeper",
    "NetworkSpec",
    "Oracles",
    "Parameters",
    "Service",
    "SpecError",
    "Worker",
    "load_network",
    "network_from_mapping",
    "resolved_yaml",
]
