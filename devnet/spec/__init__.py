"""Network and scenario files: frozen, exact values, with every fault of a file named at once.

This is where text of people becomes numbers of the protocol; nothing here starts anything.
"""

from devnet.spec.document import Fault, SpecError
from devnet.spec.expectation import Comparison, Expect
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
from devnet.spec.registry import STEPS, Step
from devnet.spec.scenario import (
    Scenario,
    load_scenario,
    scenario_yaml,
    step_from_mapping,
    step_mapping,
)

__all__ = [
    "STEPS",
    "Chain",
    "Client",
    "Comparison",
    "Cycle",
    "Expect",
    "Fault",
    "Gatekeeper",
    "NetworkSpec",
    "Oracles",
    "Parameters",
    "Scenario",
    "Service",
    "SpecError",
    "Step",
    "Worker",
    "load_network",
    "load_scenario",
    "network_from_mapping",
    "resolved_yaml",
    "scenario_yaml",
    "step_from_mapping",
    "step_mapping",
]
