"""A gatekeeper: signing, and a tuple of duties (R3).

The one that leads proposes; every gatekeeper checks against its own knowledge before it signs.
What there is to see, to propose and to check is the duties': see `duties.duty`.
"""

from __future__ import annotations

from collections.abc import Sequence

from devnet.actors.actor import Actor
from devnet.actors.attestations import Attestation
from devnet.actors.duties.duty import Duty
from devnet.actors.messages import (
    ChainEvent,
    Counted,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
    Wish,
)
from devnet.actors.operations import Operation, Tell
from devnet.actors.signing import GOVERNED, Outcome, Proposals
from devnet.actors.view import View
from devnet.chain import Account, sign_digest


class Gatekeeper(Actor):
    """R3. Who leads is a question of the moment: the view answers it."""

    def __init__(self, account: Account, peers: Sequence[str], duties: Sequence[Duty]) -> None:
        super().__init__(account.name)
        self._account = account
        self._proposals = Proposals(account, [peer for peer in peers if peer != account.name])
        self._duties = tuple(duties)
        self._leads = False  # when it acted last

    def due(self) -> int | None:
        if not self._leads:
            return None
        times = (duty.due() for duty in self._duties)
        return min((time for time in times if time is not None), default=None)

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        self._leads = view.lead == self.name
        operations: list[Operation] = []
        for message in messages:
            match message:
                case SignatureAsked():
                    operations.append(self._asked(view, message))
                case Counted():
                    reason = self._duty(message.attestation).counted(view, message)
                    operations.append(
                        self._answer(view, message.attestation, message.asked_by, reason)
                    )
                case SignatureGiven() | SignatureRefused():
                    outcome = self._proposals.answered(view, message)
                    operations += self._followed(view, message.attestation, outcome)
                case Wish() if not any(isinstance(message, duty.wishes) for duty in self._duties):
                    operations += self.otherwise(message)
                case _:
                    for duty in self._duties:
                        operations += duty.take(view, message, leads=self._leads)
        if any(isinstance(m, ChainEvent) and m.event.name in GOVERNED for m in messages):
            for attestation, outcome in self._proposals.governed(view):
                operations += self._followed(view, attestation, outcome)
        if self._leads:
            wanted = [each for duty in self._duties for each in duty.wanted(view)]
            for attestation in wanted:
                operations += self._propose(view, attestation)
            for duty in self._duties:
                operations += duty.operations(view)
        else:
            for duty in self._duties:
                duty.follow(view)
        return operations

    def objection(self, view: View, attestation: Attestation) -> str | None:
        """Why this gatekeeper does not sign; None when all it can check holds."""
        return self._duty(attestation).objection(view, attestation)

    def _propose(self, view: View, attestation: Attestation) -> list[Operation]:
        duty = self._duty(attestation)
        reason = self.objection(view, attestation)
        duty.saw(attestation)
        if reason is not None:
            return self._given_up(view, attestation, f"{self.name}: {reason}")
        duty.signed(attestation)
        asks, outcome = self._proposals.propose(view, attestation, duty.quorum(attestation))
        return [*asks, *self._followed(view, attestation, outcome)]

    def _asked(self, view: View, asked: SignatureAsked) -> Operation:
        attestation = asked.attestation
        count = self._duty(attestation).count(attestation, asked.asked_by)
        if count is not None:
            return count
        reason = self.objection(view, attestation)
        return self._answer(view, attestation, asked.asked_by, reason)

    def _answer(
        self, view: View, attestation: Attestation, asked_by: str, reason: str | None
    ) -> Operation:
        duty = self._duty(attestation)
        duty.saw(attestation)
        if reason is not None:
            return Tell(asked_by, SignatureRefused(attestation, self.name, reason))
        duty.signed(attestation)
        signature = sign_digest(self._account, attestation.digest(view.reads.domains))
        return Tell(asked_by, SignatureGiven(attestation, self._account.address, signature))

    def _followed(self, view: View, attestation: Attestation, outcome: Outcome) -> list[Operation]:
        match outcome:
            case bytes(signatures):
                return self._duty(attestation).completed(view, attestation, signatures)
            case str(reasons):
                return self._given_up(view, attestation, reasons)
        return []

    def _given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        return self._duty(attestation).given_up(view, attestation, reasons)

    def _duty(self, attestation: Attestation) -> Duty:
        for duty in self._duties:
            if isinstance(attestation, duty.attests):
                return duty
        return _NOBODYS


class _Nobodys(Duty):
    """Of what no duty attests."""

    def objection(self, view: View, attestation: Attestation) -> str | None:
        return f"no duty here attests a {type(attestation).__name__}"


_NOBODYS = _Nobodys()
