"""Which of the clusters there are this machine serves, and what each is made from here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cluster.interface import LightNodes, NodeSpec
from cluster.perftest.cheats import CHEATS, HONEST
from cluster.profiles import scaled
from cluster.providers import kinds
from cluster.registry import Capabilities, Kind, Making
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
        unsandboxed=spec.unsandboxed,
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
    if spec is None:
        return kind
    for asked, them, why, of in _beyond(kind.capabilities, spec):
        able = [each.name for each in kinds() if not of(each.capabilities)]
        hint = f"play it with --cluster {' or '.join(able)}" if able else "no cluster can"
        raise UsageError(
            f"{kind.name} cannot {asked}: {why}",
            hint="; ".join([hint + f", or leave {them} out", *why_not]),
        )
    return kind


def _beyond(
    capabilities: Capabilities, spec: NetworkSpec
) -> Iterator[tuple[str, str, str, Callable[[Capabilities], str]]]:
    """What the network asks for and the cluster cannot, how to call it, why, and where another
    cluster's word on it is."""
    if spec.light and (why := capabilities.light_nodes):
        of_workers = f"have the light nodes of workers '{spec.light[0].name}'"
        yield of_workers, "them", why, lambda other: other.light_nodes
    if spec.unsandboxed and (why := capabilities.unsandboxed):
        yield "be unsandboxed", "it", why, lambda other: other.unsandboxed
