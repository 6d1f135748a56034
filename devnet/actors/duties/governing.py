"""Proposals that have passed: what a gatekeeper has seen of the tally, and who waits for it."""

from __future__ import annotations

from devnet.actors.attestations import Attestation, Execution
from devnet.actors.duties.duty import CRITICAL, Duty
from devnet.actors.messages import Govern
from devnet.actors.operations import Done, Fail, Operation, Refusal, Send
from devnet.actors.view import View


class Governing(Duty):
    """G2: a gatekeeper attests the calls of those proposals only that it saw pass itself."""

    attests = (Execution,)
    wishes = (Govern,)

    def __init__(self, account: str) -> None:
        self._account = account
        self._passed: set[Execution] = set()
        self._to_propose: list[Execution] = []
        self._wishes: dict[Execution, int] = {}

    def quorum(self, attestation: Attestation) -> str:
        return CRITICAL

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        """Note what has passed; the lead proposes it."""
        if not isinstance(message, Govern):
            return []
        self._passed = {passed for passed in self._passed if passed.deadline >= view.now}
        execution = Execution(message.proposal, message.calls, message.deadline)
        self._passed.add(execution)
        if not leads:
            return [Done(message.id)]
        self._to_propose.append(execution)
        self._wishes[execution] = message.id
        return []

    def wanted(self, view: View) -> tuple[Execution, ...]:
        wanted, self._to_propose = tuple(self._to_propose), []
        return wanted

    def objection(self, view: View, attestation: Attestation) -> str | None:
        assert isinstance(attestation, Execution)
        if attestation in self._passed:
            return None
        proposal = f"0x{attestation.proposal.hex()}"
        return f"no tally passed proposal {proposal} with these calls until then"

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        assert isinstance(attestation, Execution)
        queued = (attestation.proposal, attestation.calls, attestation.deadline, signatures)
        wish = self._wishes.pop(attestation, 0)
        return [Send(self._account, "ExecutionQueue", "queue", queued, wish)]

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        assert isinstance(attestation, Execution)
        wish = self._wishes.pop(attestation, 0)
        return [Fail(wish, reasons, Refusal.NOT_ATTESTED)] if wish else []
