"""Which of the clusters there are this machine serves, and what each is made from here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from cluster.interface import LightNodes, NodeSpec
from cluster.perftest.cheats import CHEATS, HONEST
from cluster.profiles import scaled
from cluster.providers import kinds
from cluster.registry import Kind, Making
from devnet.base import Toolchain, UsageError
from devnet.base.environment import python_environment
from devnet.base.folder import home_above
from devnet.spec.network import NetworkSpec, each_of

AUTO = "auto"


def nodes_of(spec: NetworkSpec) -> tuple[NodeSpec, ...]:
    """The workers at the network's scale."""
    return tuple(
        NodeSpec(
            worker.name,
            worker.profile,
            worker.region,
            worker.zone,
            scaled(spec.profile(worker.profile), spec.scale),
            worker.behaviour if worker.behaviour in CHEATS else HONEST,
        )
        for worker in spec.workers
    )


def light_nodes_of(spec: NetworkSpec) -> tuple[LightNodes, ...]:
    """The light nodes at the network's scale."""
    return tuple(
        LightNodes(
            tuple(one.name for one in each_of(entry)),
            entry.profile,
            entry.region,
            entry.zone,
            scaled(spec.profile(entry.profile), spec.scale),
        )
        for entry in spec.light
    )


def making_of(
    spec: NetworkSpec, state: Path, devnet_id: str, toolchain: Toolchain, log: logging.Logger
) -> Making:
    """What a cluster of that network is made from."""
    modelled = spec.workloads == "modelled"
    return Making(
        nodes_of(spec),
        state,
        devnet_id,
        toolchain,
        log,
        python_environment(),
        spec.control_plane_hosts,
        modelled,
        home_above(state),
        light=light_nodes_of(spec),
    )


def choose(name: str, toolchain: Toolchain, spec: NetworkSpec | None = None) -> tuple[Kind, str]:
    """The cluster of that name, or for `auto` the best here; and why, in one line.

    Raises `UsageError` for an unknown name, and where `spec` asks for what it cannot have.
    """
    by_name = {kind.name: kind for kind in kinds()}
    if name in by_name:
        return _able(by_name[name], spec), f"{name}, as asked"
    if name != AUTO:
        known = ", ".join((AUTO, *by_name))
        raise UsageError(f"no cluster named '{name}'", hint=f"known: {known}")
    why_not: list[str] = []
    for kind in reversed(kinds()):
        lacks = kind.lacks(toolchain)
        if not lacks:
            reason = "; ".join([f"{kind.name}: the best this machine serves", *why_not])
            return _able(kind, spec, why_not), reason
        why_not.append(f"not {kind.name}: {lacks}")
    raise AssertionError("sim lacks nothing")


def _able(kind: Kind, spec: NetworkSpec | None, why_not: Sequence[str] = ()) -> Kind:
    """The same, unless the network has what it cannot have."""
    if spec is None or not spec.light or not kind.capabilities.light_nodes:
        return kind
    able = [each.name for each in kinds() if not each.capabilities.light_nodes]
    hint = f"play it with --cluster {' or '.join(able)}" if able else "no cluster can"
    raise UsageError(
        f"{kind.name} cannot have the light nodes of workers '{spec.light[0].name}': "
        f"{kind.capabilities.light_nodes}",
        hint="; ".join([hint + ", or leave them out", *why_not]),
    )
