"""The clusters there are: each provider's package registers its own (`cluster.providers`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging import Logger
from pathlib import Path
from typing import Protocol

from cluster.errors import CannotPlay
from cluster.faults import FaultKind
from cluster.interface import Cluster, LightNodes, NodeSpec


class Tools(Protocol):
    """Where the programs come from that a cluster stands on."""

    @property
    def cache(self) -> Path:
        """The folder they are kept in; it need not exist."""

    def controlplane(self) -> Path:
        """The folder of etcd, kube-apiserver and so on, built where it is not there yet."""

    def bubblewrap(self) -> Path:
        """The program that sandboxes pods, got where it is not there yet."""

    def controlplane_cached(self) -> Path | None:
        """The same as `controlplane`, None where it would have to be built."""


@dataclass(frozen=True, slots=True)
class Making:
    """What a cluster is made from. `state` is a folder of its own, `env` the environment of its
    processes, `hosts` who hosts its control plane; `modelled`: its workloads are models too, where
    it can do that; `hidden`: folders of secrets, which no workload sees beside `state`; `light`:
    what else is in its API, where it can have such nodes; `unsandboxed`: its workloads are plain
    processes, where they could be more."""

    nodes: tuple[NodeSpec, ...]
    state: Path
    devnet_id: str
    tools: Tools
    log: Logger
    env: Mapping[str, str]
    hosts: tuple[str, ...]
    modelled: bool = False
    hidden: tuple[Path, ...] = ()
    light: tuple[LightNodes, ...] = ()
    unsandboxed: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do of what not every one can; a step that needs more is refused by name.

    `faults`: how its nodes can be broken. `light_nodes`: empty where it can have nodes that are in
    the API alone, else why it cannot. `unsandboxed`: empty where it can leave out a sandbox, else
    why it cannot.
    """

    faults: tuple[FaultKind, ...]
    light_nodes: str = "it has no such nodes"
    unsandboxed: str = "it has no sandbox that could be left out"

    def require(self, kind: FaultKind, cluster: str) -> None:
        """Raises `CannotPlay` for a fault that the cluster of that name cannot play."""
        if kind not in self.faults:
            known = ", ".join(each.name for each in self.faults) or "none"
            raise CannotPlay(
                f"{cluster} cannot play the fault '{kind.name}' of a {kind.subject}",
                hint=f"it can: {known}",
            )


@dataclass(frozen=True, slots=True)
class Kind:
    """A cluster by name. `worth` orders them: `auto` takes the best that lacks nothing.

    `lacks` says what keeps this machine from serving it, empty when nothing does; `make` gives it
    un-entered. `modelled`: its nodes are models of their profile.
    """

    name: str
    worth: int
    proves: str
    modelled: bool
    capabilities: Capabilities
    lacks: Callable[[Tools], str]
    make: Callable[[Making], Cluster]


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a cluster. Raises `ValueError` where there is one of that name."""
    if kind.name in _KINDS:
        raise ValueError(f"a cluster named '{kind.name}' is registered already")
    _KINDS[kind.name] = kind
    return kind


def unregister(kind: Kind) -> None:
    """Take a cluster away again."""
    del _KINDS[kind.name]


def registered() -> tuple[Kind, ...]:
    """All of them, the best last."""
    return tuple(sorted(_KINDS.values(), key=lambda kind: kind.worth))
