"""Offline workers, and what a gatekeeper is told of, become signed incidents; those whose window
ends are executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cluster.interface import EventKind
from devnet.actors.attestations import Attestation, Incident
from devnet.actors.duties.duty import CRITICAL, SLASH, Duty
from devnet.actors.messages import ChainEvent, ClusterSeen, LeadChanged, SendFailed, Vouch
from devnet.actors.operations import Done, Fail, Operation, Refusal, Send
from devnet.actors.signing import GOVERNED
from devnet.actors.view import View
from devnet.chain.keccak import keccak

OFFLINE_LEVEL = 1  # L1
SERIOUS_LEVEL = 3  # L3
# So a report reverts when what was signed of it was true, and time has passed: gatekeepers or k
# changed after its quorum was there (R4), or its first second grew too old (L5). It is made anew.
OVERTAKEN: Final = frozenset({"NotGatekeeper", "TooFewSignatures", "IntervalTooOld"})
Outage = tuple[str, int, int]  # whose it was, and from when to when


def evidence_of(worker: str, start: int, end: int) -> bytes:
    """What an outage's incident carries: the hash of whose it was and when."""
    return keccak(f"offline:{worker}:{start}:{end}".encode())


class Incidents(Duty):
    """L1: the seconds between a node's loss and its return, reported at the return, or before
    they grow too old to report (L5).

    Every loss is noted, also of a node that has no stake: it may register while it is gone. What
    of it counts is decided when it is reported. What was proposed is kept until it is on chain or
    too old: it is proposed again when its signers count no more, or others may agree. Levels 2 and
    3 no machine shows: a gatekeeper signs those it was asked to vouch for.
    """

    attests = (Incident,)
    wishes = (Vouch,)

    def __init__(self, account: str) -> None:
        self._account = account
        # Of a lost node: from when on its outage is to be reported, and by when.
        self._unreported: dict[str, tuple[int, int]] = {}
        self._to_report: list[Outage] = []
        self._underway: dict[Incident, Outage] = {}  # proposed, and not on chain yet
        self._refused: list[Outage] = []  # by the peers or by the chain
        self._execute_at: dict[int, int] = {}
        self._vouched: set[Incident] = set()
        self._to_propose: list[Incident] = []
        self._wishes: dict[Incident, int] = {}

    def due(self) -> int | None:
        times = (*self._execute_at.values(), *(by for _, by in self._unreported.values()))
        return min(times, default=None)

    def quorum(self, attestation: Attestation) -> str:
        """L6."""
        assert isinstance(attestation, Incident)
        return CRITICAL if attestation.level == SERIOUS_LEVEL else SLASH

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        match message:
            case Vouch():
                return self._vouch(message, leads=leads)
            case ClusterSeen():
                self._see_node(view, message)
            case SendFailed(contract="Slashing", function="report"):
                self._see_failure(message)
            case LeadChanged():
                self._try_again()
            case ChainEvent() if message.event.name in GOVERNED:
                self._try_again()
            case ChainEvent() if message.event.name == "IncidentReported":
                # L6: from reportedAt + appealWindow; the transaction lands a block after it is due.
                window = view.reads.appeal_window()
                identity = message.event.args["id"]
                self._execute_at[identity] = message.timestamp + window - view.block_seconds
                self._see_report(view, message.event.args)
            case ChainEvent() if message.event.name == "Appealed":
                # L6: not before the arbiter's time is over.
                window = view.reads.arbiter_window()
                identity = message.event.args["id"]
                self._execute_at[identity] = message.timestamp + window - view.block_seconds
            case ChainEvent() if message.event.name in ("IncidentExecuted", "IncidentOverturned"):
                self._execute_at.pop(message.event.args["id"], None)
            case _:
                pass
        return []

    def _see_node(self, view: View, seen: ClusterSeen) -> None:
        worker = seen.event.subject
        if seen.event.kind is EventKind.NODE_LOST:
            if worker not in self._unreported:
                self._unreported[worker] = (view.now, view.now + self._patience(view))
        elif seen.event.kind is EventKind.NODE_READY and worker in self._unreported:
            start, _ = self._unreported.pop(worker)
            self._to_report.append((worker, start, view.now))
            self._try_again()

    def _see_report(self, view: View, reported: Mapping[str, Any]) -> None:
        """What is on chain, nobody proposes or signs again (L5: the cursor)."""
        node, level, end = reported["node"], reported["level"], reported["to"]
        # Not by its first second: of what was signed only that behind the cursor is on chain.
        said = (node, level, end, reported["evidence"])
        self._vouched = {i for i in self._vouched if (i.node, i.level, i.end, i.evidence) != said}
        if level == OFFLINE_LEVEL:
            self._underway = {
                incident: outage
                for incident, outage in self._underway.items()
                if incident.end > end or incident.node != node
            }
            self._keep(lambda it: it[2] > end or view.directory.address(it[0]) != node)

    def _see_failure(self, failed: SendFailed) -> None:
        """A report reverted: its outage is not charged yet."""
        for incident in [*self._underway]:
            if _said(incident) == failed.args[:-1]:
                self._refused.append(self._underway.pop(incident))
                if failed.error in OVERTAKEN:
                    self._try_again()

    def _try_again(self) -> None:
        """Others are asked now, another asks, or there is news; before what came after it, which
        would move the cursor past it (L5)."""
        if self._refused:
            self._to_report = sorted(self._refused + self._to_report, key=lambda outage: outage[1])
            self._refused = []

    def _keep(self, still: Callable[[Outage], bool]) -> None:
        self._to_report = [outage for outage in self._to_report if still(outage)]
        self._refused = [outage for outage in self._refused if still(outage)]

    def follow(self, view: View) -> None:
        """L5: what has grown too old nobody may report."""
        if not (self._to_report or self._refused or self._underway or self._vouched):
            return
        oldest = view.now - view.reads.max_age()
        self._keep(lambda outage: outage[2] >= oldest)
        self._underway = {i: outage for i, outage in self._underway.items() if i.end >= oldest}
        self._vouched = {incident for incident in self._vouched if incident.end >= oldest}

    def _vouch(self, asked: Vouch, *, leads: bool) -> list[Operation]:
        """Sign this incident from now on; the lead proposes it."""
        self._vouched.add(asked.incident)
        if not leads:
            return [Done(asked.id)]
        self._to_propose.append(asked.incident)
        self._wishes[asked.incident] = asked.id
        return []

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        assert isinstance(attestation, Incident)
        args = (*_said(attestation), signatures)
        wish = self._wishes.pop(attestation, 0)
        return [Send(self._account, "Slashing", "report", args, wish)]

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        assert isinstance(attestation, Incident)
        if attestation in self._underway:
            self._refused.append(self._underway.pop(attestation))
        wish = self._wishes.pop(attestation, 0)  # 0: the gatekeeper's own will
        return [Fail(wish, reasons, Refusal.NOT_ATTESTED)] if wish else []

    def operations(self, view: View) -> list[Operation]:
        """Execute what is due."""
        due = [identity for identity, at in sorted(self._execute_at.items()) if view.now >= at]
        for identity in due:
            del self._execute_at[identity]
        return [Send(self._account, "Slashing", "execute", (identity,)) for identity in due]

    def wanted(self, view: View) -> tuple[Incident, ...]:
        """Incidents to propose now."""
        for worker, (start, by) in sorted(self._unreported.items()):
            if view.now >= by:  # split incidents equal merged ones (L4)
                self._to_report.append((worker, start, view.now))
                if self._has_ended(view, worker):
                    del self._unreported[worker]
                else:
                    self._unreported[worker] = (view.now, view.now + self._patience(view))  # L5
        self.follow(view)
        wanted: list[Incident] = []
        for outage in self._to_report:
            incident = self._incident(view, *outage)
            if incident is not None:
                self._underway[incident] = outage
                wanted.append(incident)
        wanted += self._to_propose
        self._to_report, self._to_propose = [], []
        return tuple(wanted)

    @staticmethod
    def _patience(view: View) -> int:
        """How long an outage may last before a part of it is reported, seconds."""
        return max(view.block_seconds, view.reads.max_age() // 2)

    @staticmethod
    def _has_ended(view: View, worker: str) -> bool:
        """Whether the node can never be charged again: a key registers once ever (R2)."""
        node = view.reads.node(view.directory.address(worker))
        return bool(node.registeredAt) and (
            bool(node.exitRequestedAt) or not view.reads.is_live(view.directory.address(worker))
        )

    @staticmethod
    def _incident(view: View, worker: str, start: int, end: int) -> Incident | None:
        """None where no second of the outage counts (S4, L1, L5)."""
        node = view.directory.address(worker)
        if start >= end or not view.reads.is_live(node):
            return None
        oldest = view.now + view.block_seconds - view.reads.max_age()  # when it is mined
        start = max(start, view.reads.cursor_of(node, OFFLINE_LEVEL), oldest)
        end = min(end, view.reads.node(node).exitRequestedAt or end)
        if start >= end:
            return None
        return Incident(worker, node, OFFLINE_LEVEL, start, end, evidence_of(worker, start, end))

    def objection(self, view: View, attestation: Attestation) -> str | None:
        """It signs only what it vouches for, or seconds in which the node was seen gone."""
        assert isinstance(attestation, Incident)
        incident = attestation
        if incident.end > view.now:
            return "ends in the future"
        if incident in self._vouched:
            return None
        if incident.level != OFFLINE_LEVEL:
            return f"knows nothing of level {incident.level}"
        if not view.nodes.was_lost(incident.worker, incident.start, incident.end):
            return f"{incident.worker} was not seen offline then"
        if view.directory.address(incident.worker) != incident.node:
            return f"not the node key of {incident.worker}"
        if incident.evidence != evidence_of(incident.worker, incident.start, incident.end):
            return "the evidence is not this outage's"
        return None


def _said(incident: Incident) -> tuple[object, ...]:
    """What `Slashing.report` is told of it, before the signatures."""
    return (incident.node, incident.level, incident.start, incident.end, incident.evidence)
