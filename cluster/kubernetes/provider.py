"""What differs between `native`, `kind` and `context` under one `KubernetesCluster`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from cluster.ended import Ended, Incident
from cluster.faults import FaultKind
from cluster.interface import Enforcement, NodeSpec
from cluster.kubernetes.packing import Packing


class Provider(Protocol):
    """Raises and removes the machinery under the API; never touches workloads.

    All calls are bounded and raise `cluster.errors.ClusterError`.
    """

    name: str
    packing: Packing

    def up(self) -> None:
        """Return once the API server answers and its controllers run; no node yet."""

    def down(self) -> None:
        """Remove all that `up` and `add_node` started; safe after a half-finished `up`."""

    def kubeconfig(self) -> Path: ...

    def add_node(self, spec: NodeSpec) -> None:
        """Start the machine; its Node appears by itself and is not awaited here."""

    def remove_node(self, name: str) -> None:
        """End the machine; the caller deletes its Node."""

    def fault(self, node: str, kind: FaultKind) -> None: ...

    def heal(self, node: str) -> None:
        """Start the machine again; the caller waits for Ready."""

    def tested(self, node: str) -> AbstractContextManager[Callable[[], int | None]]:
        """While a node is tested: it gets what its quota gives, as far as the machine lets it.

        The function gives the nanoseconds of the processor that all pods of the node have had so
        far, `None` where that is not to be seen from here.
        """

    def reach(self, pod: Mapping[str, Any]) -> tuple[str, int] | None:
        """Host and port where this process can talk to a pod document, `None` before it has one."""

    def enforcement(self, nodes: tuple[Mapping[str, Any], ...]) -> Enforcement:
        """What holds on these node documents."""

    def ended(self) -> tuple[Ended, ...]:
        """What of the machinery has ended by itself, or is stopped, whatever was not asked for."""

    def answering(self) -> tuple[Ended, ...]:
        """What of that is away now by which the API answers; at once, any thread."""

    def witnesses(self) -> tuple[Ended, ...]:
        """What of that is away now by which losses are seen; at once, any thread."""

    def lives(self, node: str) -> bool:
        """Whether the machine is there and at work, whatever the API says of it; any thread."""

    def incidents(self) -> tuple[Incident, ...]:
        """What became of the machinery's parts so far, oldest first."""

    def leader(self) -> str:
        """Which host of the control plane leads now; see `cluster.interface.Cluster`."""

    def check(self, node: str = "") -> None:
        """Raise `ClusterStartFailed` when a part of the machinery has ended for good, of the
        machines that of `node` alone."""
