"""What the control plane has said of each node: the devnet's one memory of a loss and its return.

An actor that needs it finds it in its view; nobody notes for itself who is gone.
"""

from __future__ import annotations

from cluster.interface import ClusterEvent, EventKind

_OF_NODES = (EventKind.NODE_LOST, EventKind.NODE_READY)


class Nodes:
    """`said` is what was said of a node last, at once and from whichever thread; all else is what
    everybody was told, in seconds of the chain.

    Outages that ended more than `keep_seconds` ago are forgotten: nobody may report them (L5).
    """

    def __init__(self, keep_seconds: int) -> None:
        self._keep_seconds = keep_seconds
        self._said: dict[str, EventKind] = {}
        self._lost_since: dict[str, int] = {}
        self._outages: dict[str, list[tuple[int, int]]] = {}

    def said(self, node: str) -> EventKind | None:
        """Lost or ready; None before anything was said of it."""
        return self._said.get(node)

    def hear(self, event: ClusterEvent) -> None:
        """Any thread; what is not of a node is passed over."""
        if event.kind in _OF_NODES:
            self._said[event.subject] = event.kind

    def tell(self, event: ClusterEvent, now: int) -> None:
        """Everybody is told of it now."""
        node = event.subject
        if event.kind is EventKind.NODE_LOST:
            self._lost_since.setdefault(node, now)
        elif event.kind is EventKind.NODE_READY and node in self._lost_since:
            fresh = [o for o in self._outages.get(node, ()) if o[1] >= now - self._keep_seconds]
            self._outages[node] = [*fresh, (self._lost_since.pop(node), now)]

    def is_lost(self, node: str) -> bool:
        return node in self._lost_since

    def was_lost(self, node: str, start: int, end: int) -> bool:
        """Whether it was gone from `start` to `end` without a break; `end` is not in the future."""
        if node in self._lost_since and self._lost_since[node] <= start:
            return True
        return any(first <= start and end <= last for first, last in self._outages.get(node, ()))
