"""Offline workers become signed incidents, and incidents are executed when their window ends."""

from __future__ import annotations

from cluster.interface import EventKind
from devnet.actors.attestations import Incident
from devnet.actors.messages import ChainEvent, ClusterSeen
from devnet.actors.operations import Operation, Send
from devnet.actors.view import View
from devnet.chain.keccak import keccak

OFFLINE_LEVEL = 1  # L1


class Incidents:
    """L1: the seconds between a node's loss and its return, reported at the return, or before
    they grow too old to report (L5)."""

    def __init__(self) -> None:
        self._lost_since: dict[str, int] = {}
        self._outages: dict[str, list[tuple[int, int]]] = {}  # what this gatekeeper saw itself
        self._to_report: list[tuple[str, int, int]] = []
        self._execute_at: dict[int, int] = {}
        self._report_by: dict[str, int] = {}

    def due(self) -> int | None:
        times = (*self._execute_at.values(), *self._report_by.values())
        return min(times, default=None)

    def take(self, view: View, message: object) -> None:
        match message:
            case ClusterSeen():
                self._see_node(view, message)
            case ChainEvent() if message.event.name == "IncidentReported":
                # L6: from reportedAt + appealWindow; the transaction lands a block after it is due.
                window = view.reads.appeal_window()
                identity = message.event.args["id"]
                self._execute_at[identity] = message.timestamp + window - view.block_seconds
            case ChainEvent() if message.event.name == "IncidentExecuted":
                self._execute_at.pop(message.event.args["id"], None)
            case _:
                pass

    def _see_node(self, view: View, seen: ClusterSeen) -> None:
        worker = seen.event.subject
        if seen.event.kind is EventKind.NODE_LOST:
            if worker not in self._lost_since and view.reads.is_live(
                view.directory.address(worker)
            ):
                self._lost_since[worker] = view.now
                self._report_by[worker] = view.now + view.reads.max_age() // 2
        elif seen.event.kind is EventKind.NODE_READY and worker in self._lost_since:
            start = self._lost_since.pop(worker)
            self._report_by.pop(worker, None)
            self._outages.setdefault(worker, []).append((start, view.now))
            self._to_report.append((worker, start, view.now))

    def operations(self, view: View, account: str) -> list[Operation]:
        """Execute what is due."""
        due = [identity for identity, at in sorted(self._execute_at.items()) if view.now >= at]
        for identity in due:
            del self._execute_at[identity]
        return [Send(account, "Slashing", "execute", (identity,)) for identity in due]

    def wanted(self, view: View) -> tuple[Incident, ...]:
        """Incidents to propose now."""
        for worker, by in sorted(self._report_by.items()):
            if view.now >= by:  # split incidents equal merged ones (L4)
                start, self._lost_since[worker] = self._lost_since[worker], view.now  # L5: maxAge
                self._outages.setdefault(worker, []).append((start, view.now))
                self._to_report.append((worker, start, view.now))
                self._report_by[worker] = view.now + view.reads.max_age() // 2
        wanted = tuple(
            self._incident(view, worker, start, end)
            for worker, start, end in self._to_report
            if start < end
        )
        self._to_report = []
        return wanted

    @staticmethod
    def _incident(view: View, worker: str, start: int, end: int) -> Incident:
        evidence = keccak(f"offline:{worker}:{start}:{end}".encode())
        node = view.directory.address(worker)
        return Incident(worker, node, OFFLINE_LEVEL, start, end, evidence)

    def objection(self, view: View, incident: Incident) -> str | None:
        """A gatekeeper signs only seconds in which it saw the node gone itself."""
        if incident.level != OFFLINE_LEVEL:
            return f"level {incident.level} is not attested yet"
        if incident.end > view.now:
            return "ends in the future"
        seen = list(self._outages.get(incident.worker, ()))
        if incident.worker in self._lost_since:
            seen.append((self._lost_since[incident.worker], view.now))
        if any(start <= incident.start and incident.end <= end for start, end in seen):
            return None
        return f"{incident.worker} was not seen offline then"
