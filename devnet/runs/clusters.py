"""Which of the clusters there are this machine serves, and what each is made from here."""

from __future__ import annotations

import logging
from pathlib import Path

from cluster.interface import NodeSpec
from cluster.profiles import scaled
from cluster.providers import kinds
from cluster.registry import Kind, Making
from devnet.base import Toolchain, UsageError
from devnet.base.environment import python_environment
from devnet.base.folder import home_above
from devnet.spec.network import NetworkSpec

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
        )
        for worker in spec.workers
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
    )


def choose(name: str, toolchain: Toolchain) -> tuple[Kind, str]:
    """The cluster of that name, or for `auto` the best here; and why, in one line.

    Raises `UsageError` for an unknown name.
    """
    by_name = {kind.name: kind for kind in kinds()}
    if name in by_name:
        return by_name[name], f"{name}, as asked"
    if name != AUTO:
        known = ", ".join((AUTO, *by_name))
        raise UsageError(f"no cluster named '{name}'", hint=f"known: {known}")
    why_not: list[str] = []
    for kind in reversed(kinds()):
        lacks = kind.lacks(toolchain)
        if not lacks:
            return kind, "; ".join([f"{kind.name}: the best this machine serves", *why_not])
        why_not.append(f"not {kind.name}: {lacks}")
    raise AssertionError("sim lacks nothing")
