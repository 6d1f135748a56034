"""Network and scenario files: frozen, exact values, with every fault of a file named at once.

This is where text of people becomes numbers of the protocol; nothing here starts anything.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# The module of each public name, imported on first use: `devnet --help` must not wait for models.
# STEPS comes from `scenario`, whose import registers every verb.
_HOMES = {
    "document": ("Fault", "SpecError"),
    "expectation": ("Comparison", "Expect"),
    "loading": ("load_network", "network_from_mapping", "resolved_yaml"),
    "network": (
        "Chain",
        "Client",
        "Cycle",
        "Gatekeeper",
        "NetworkSpec",
        "Oracles",
        "Parameters",
        "Service",
        "Worker",
    ),
    "registry": ("Step",),
    "scenario": (
        "STEPS",
        "Scenario",
        "load_scenario",
        "scenario_yaml",
        "step_from_mapping",
        "step_mapping",
    ),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
