"""A gatekeeper: measures and attests, runs orders on the cluster, reports incidents and usage.

The lead (it hosts the control plane) proposes; every gatekeeper checks against its own knowledge
before it signs. The parts are in modules of their own: `duties.measuring`, `duties.orders`,
`duties.incidents`.
"""

from __future__ import annotations

from collections.abc import Sequence

from devnet.actors.actor import Actor
from devnet.actors.attestations import (
    Admission,
    Attestation,
    Counters,
    Execution,
    Incident,
    PerfResult,
    Running,
)
from devnet.actors.duties.governing import Governing
from devnet.actors.duties.incidents import SERIOUS_LEVEL, Incidents
from devnet.actors.duties.measuring import Measuring
from devnet.actors.duties.orders import Orders
from devnet.actors.messages import (
    AdmissionAsked,
    AdmissionRefused,
    Admitted,
    Govern,
    JobsCounted,
    ReadyCounted,
    ResultSigned,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
    Vouch,
    Wish,
)
from devnet.actors.operations import (
    CountJobs,
    CountReady,
    Done,
    Fail,
    Operation,
    Refusal,
    Send,
    Tell,
)
from devnet.actors.signing import Proposals, SignedResults
from devnet.actors.view import View, guest_of, hardware_id, is_guest, owner_of
from devnet.chain import Account, sign_digest

ADMISSION_SECONDS = 86_400


class Gatekeeper(Actor):
    """R3. `lead`: proposes attestations and submits them.

    `modelled`: the cluster's nodes are models, so that a test may have their profile's figures.
    """

    def __init__(
        self, account: Account, peers: Sequence[str], *, lead: bool, modelled: bool = False
    ) -> None:
        super().__init__(account.name)
        self._account = account
        self._lead = lead
        self._proposals = Proposals(account, [peer for peer in peers if peer != account.name])
        self._results = SignedResults()
        self._measuring = Measuring(modelled=modelled)
        self._orders = Orders()
        self._incidents = Incidents()
        self._governing = Governing()

    def due(self) -> int | None:
        if not self._lead:
            return None
        times = (self._incidents.due(), self._orders.due())
        return min((time for time in times if time is not None), default=None)

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        operations: list[Operation] = []
        for message in messages:
            match message:
                case SignatureAsked():
                    operations += self._asked(view, message)
                case ReadyCounted() | JobsCounted():
                    operations += self._counted(view, message)
                case SignatureGiven():
                    signatures = self._proposals.given(view, message)
                    if signatures is not None:
                        operations += self._completed(view, message.attestation, signatures)
                case SignatureRefused():
                    reasons = self._proposals.refused(message)
                    if reasons is not None:
                        operations += self._given_up(view, message.attestation, reasons)
                case AdmissionAsked() if self._lead:
                    operations += self._propose(view, self._admission(view, message))
                case Vouch():
                    self._incidents.vouch(message, lead=self._lead)
                    if not self._lead:
                        operations.append(Done(message.id))
                case Govern():
                    execution = self._governing.passed(message)
                    if self._lead:
                        operations += self._propose(view, execution)
                    else:
                        operations.append(Done(message.id))
                case Wish():
                    operations += self.refuse(message)
                case _:
                    self._measuring.take(message)
                    self._orders.take(view, message, lead=self._lead)
                    self._incidents.take(view, message)
        if self._lead:
            wanted = (
                *self._measuring.wanted(view),
                *self._orders.wanted(view),
                *self._incidents.wanted(view),
            )
            for attestation in wanted:
                operations += self._propose(view, attestation)
            operations += self._measuring.operations(view)
            operations += self._orders.operations(view)
            operations += self._incidents.operations(view, self.name)
        return operations

    @staticmethod
    def _admission(view: View, asked: AdmissionAsked) -> Admission:
        return Admission(
            asked.worker,
            asked.node_address,
            asked.owner_address,
            asked.hardware_id,
            view.now + ADMISSION_SECONDS,
        )

    def _propose(self, view: View, attestation: Attestation) -> list[Operation]:
        reason = self._objection(view, attestation)
        self._saw(attestation)
        if reason is not None:
            return self._given_up(view, attestation, f"{self.name}: {reason}")
        self._note(attestation)
        needed = view.reads.needed(_quorum_of(attestation))
        asks, signatures = self._proposals.propose(attestation, needed, view.reads.domains)
        if signatures is not None:
            return self._completed(view, attestation, signatures)
        return asks

    def _asked(self, view: View, asked: SignatureAsked) -> list[Operation]:
        attestation = asked.attestation
        if isinstance(attestation, Running):
            workload = self._orders.workload(attestation.order)
            if workload is not None:
                return [CountReady(attestation, asked.asked_by, workload)]
        if isinstance(attestation, Counters):
            return [CountJobs(attestation, asked.asked_by, attestation.order)]
        reason = self._objection(view, attestation)
        return [self._answer(view, attestation, asked.asked_by, reason)]

    def _counted(self, view: View, counted: ReadyCounted | JobsCounted) -> list[Operation]:
        """What the outside has counted for this gatekeeper itself."""
        attestation = counted.attestation
        reason = self._objection(view, attestation)
        match attestation, counted:
            case Running(), ReadyCounted():
                if counted.ready != attestation.replicas:
                    reason = f"{counted.ready} pods are ready, not {attestation.replicas}"
            case Counters(), JobsCounted():
                reason = reason or self._orders.overstated(attestation, counted)
            case _:
                reason = "counted is something else"
        return [self._answer(view, attestation, counted.asked_by, reason)]

    def _answer(
        self, view: View, attestation: Attestation, asked_by: str, reason: str | None
    ) -> Operation:
        self._saw(attestation)
        if reason is not None:
            return Tell(asked_by, SignatureRefused(attestation, self.name, reason))
        self._note(attestation)
        signature = sign_digest(self._account, attestation.digest(view.reads.domains))
        return Tell(asked_by, SignatureGiven(attestation, self._account.address, signature))

    def _objection(self, view: View, attestation: Attestation) -> str | None:
        """Why this gatekeeper does not sign; None when all it can check holds."""
        match attestation:
            case Admission():
                return self._admission_objection(view, attestation)
            case PerfResult():
                return self._measuring.objection(view, attestation) or self._results.conflict(
                    view, attestation
                )
            case Incident():
                return self._incidents.objection(view, attestation)
            case Running() | Counters():
                return self._orders.objection(view, attestation)
            case Execution():
                return self._governing.objection(attestation)

    @staticmethod
    def _admission_objection(view: View, admission: Admission) -> str | None:
        if is_guest(admission.worker):
            reason = _guest_objection(view, admission)
        else:
            reason = _machine_objection(view, admission)
        if reason is None and admission.deadline > view.now + ADMISSION_SECONDS:
            return "valid for longer than a day"
        if reason is None and view.reads.is_gatekeeper(admission.owner):
            return "a gatekeeper owns no worker (R3)"
        return reason

    def _saw(self, attestation: Attestation) -> None:
        if isinstance(attestation, PerfResult):
            self._measuring.saw(attestation)

    def _note(self, attestation: Attestation) -> None:
        if isinstance(attestation, PerfResult):
            self._results.note(attestation)

    def _completed(
        self, view: View, attestation: Attestation, signatures: bytes
    ) -> list[Operation]:
        match attestation:
            case Admission():
                admitted = Admitted(attestation.hardware_id, attestation.deadline, signatures)
                return [Tell(attestation.worker, admitted)]
            case PerfResult():
                signed = ResultSigned(
                    attestation.fields(),
                    attestation.cycle,
                    attestation.sequence,
                    attestation.measured_block,
                    signatures,
                )
                return [Tell(attestation.worker, signed)]
            case Incident():
                args = (
                    attestation.node,
                    attestation.level,
                    attestation.start,
                    attestation.end,
                    attestation.evidence,
                    signatures,
                )
                wish = self._incidents.wish_of(attestation)
                return [Send(self.name, "Slashing", "report", args, wish)]
            case Running():
                running = (attestation.order, attestation.seq, attestation.replicas, attestation.at)
                return [Send(self.name, "Market", "reportRunning", (*running, signatures))]
            case Counters():
                counters = (
                    attestation.order,
                    attestation.invocations,
                    attestation.mib_milliseconds,
                )
                return [Send(self.name, "Market", "reportCounters", (*counters, signatures))]
            case Execution():
                queued = (attestation.proposal, attestation.calls, signatures)
                wish = self._governing.wish(attestation)
                return [Send(self.name, "ExecutionQueue", "queue", queued, wish)]

    def _given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        match attestation:
            case PerfResult():
                return self._measuring.given_up(attestation, reasons)
            case Running() | Counters():
                self._orders.given_up(view, attestation)
                return []
            case Admission():
                return [Tell(attestation.worker, AdmissionRefused(reasons))]
            case Incident():
                wish = self._incidents.wish_of(attestation)
                return [Fail(wish, reasons, Refusal.NOT_ATTESTED)] if wish else []
            case Execution():
                return [Fail(self._governing.wish(attestation), reasons, Refusal.NOT_ATTESTED)]


def _quorum_of(attestation: Attestation) -> str:
    """R4, L6, G2."""
    if isinstance(attestation, Execution):
        return "CRITICAL"
    if isinstance(attestation, Incident):
        return "CRITICAL" if attestation.level == SERIOUS_LEVEL else "SLASH"
    return "PERF"


def _machine_objection(view: View, admission: Admission) -> str | None:
    directory = view.directory
    known = {worker.name for worker in directory.spec.workers}
    if admission.worker not in known:
        return f"no machine named {admission.worker}"
    if admission.hardware_id != hardware_id(directory.seed, admission.worker):
        return "another machine's hardware id"
    if directory.address(admission.worker) != admission.node:
        return "not that machine's node key"
    is_owner = directory.address(owner_of(admission.worker)) == admission.owner
    if not is_owner and not view.reads.is_pool(admission.owner):  # S7: or a pool owns its node
        return "not that machine's owner"
    return None


def _guest_objection(view: View, admission: Admission) -> str | None:
    """Nobody here has seen a guest's machine: it must only be nobody else's (S6)."""
    if not int(admission.node, 16):
        return "the zero address is no node key"
    if guest_of(admission.node) != admission.worker:
        return "not that machine's node key"
    for account in (admission.node, admission.owner):
        name = view.directory.name(account)
        if name in view.directory.accounts:  # it is admitted as what it is
            return f"{name} is no guest"
    holder = view.reads.hardware_holder(admission.hardware_id)
    if int(holder, 16):
        return f"that hardware id is {view.directory.name(holder)}'s"
    return None
