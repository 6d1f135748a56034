"""What can break, and how: one table of values, which clusters, files, steps and help share.

A node's kinds of fault are registered here; whoever has other parts registers theirs. A provider
says which of a node's it can play (`cluster.registry`). Nothing breaks between nodes yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.errors import CannotPlay

NODE = "worker"  # a node, as the rest of the project calls it


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way in which a `subject` breaks. `does` says it in one sentence.

    `parameters`: its figures by name. `mocked`: only what stands in for the part can play it. Of a
    node: `loses`, whether the control plane sees it lost until it is healed; `evicts`, whether it
    has no pods until then though it is there; `passes`, whether it is over by itself, so that
    nothing is left to heal.
    """

    subject: str
    name: str
    does: str
    parameters: Mapping[str, int] = field(default_factory=dict, hash=False)
    mocked: bool = False
    loses: bool = False
    evicts: bool = False
    passes: bool = False


FAULTS: dict[tuple[str, str], FaultKind] = {}
"""By subject and name; the usual kind of each subject first."""


def register(kind: FaultKind) -> FaultKind:
    """Add a kind of fault. Raises `ValueError` where its subject has one of that name."""
    key = (kind.subject, kind.name)
    if key in FAULTS:
        raise ValueError(f"a {kind.subject} has a fault of kind '{kind.name}' already")
    FAULTS[key] = kind
    return kind


def kinds_of(subject: str) -> tuple[FaultKind, ...]:
    """How a subject can break, the usual way first."""
    return tuple(kind for kind in FAULTS.values() if kind.subject == subject)


OFFLINE = register(
    FaultKind(NODE, "offline", "the machine loses its power, and its pods with it", loses=True)
)
PAUSED = register(
    FaultKind(NODE, "paused", "the machine stands still, and goes on when healed", loses=True)
)
SLOW = register(
    FaultKind(NODE, "slow", "its pods get a quarter of the processors it has", {"percent": 25})
)
DISK_FULL = register(
    FaultKind(NODE, "disk_full", "its disk has no room: its pods are evicted", evicts=True)
)
CRASHED = register(
    FaultKind(NODE, "crashed", "its kubelet dies with its pods, and is back by itself", passes=True)
)


def require_whole(node: str, fault: FaultKind | None) -> None:
    """One fault of a node at a time. Raises `CannotPlay` where it has one."""
    if fault is not None:
        raise CannotPlay(f"{node} has the fault '{fault.name}' already", hint="heal it first")
