"""What a client does in pools beyond a plain call: it funds and activates them (S7)."""

from __future__ import annotations

from devnet.actors.messages import (
    ActivatePool,
    MachineAsked,
    MachineLent,
    MachineRefused,
    PayIntoPool,
)
from devnet.actors.operations import Fail, Operation, Refusal, Send, Tell
from devnet.actors.view import View

FULL_STAKE_WEI = 500 * 10**18  # S1

Pooled = PayIntoPool | ActivatePool | MachineLent | MachineRefused


class Pooling:
    """The part of a client that concerns pools; each is known by its contract name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._activating: dict[str, ActivatePool] = {}  # by worker, until it has answered

    def take(self, view: View, message: Pooled) -> list[Operation]:
        """What follows from a wish, or from a worker's answer."""
        match message:
            case PayIntoPool():
                return self._pay_in(view, message)
            case ActivatePool():
                self._activating[message.worker] = message
                pool = view.reads.contracts.address(message.pool)
                return [Tell(message.worker, MachineAsked(self._name, pool))]
            case MachineLent():
                return self._activate(view, message)
            case MachineRefused():
                wish = self._activating.pop(message.worker, None)
                reason = f"{message.worker}: {message.reason}"
                return [Fail(wish.id, reason, Refusal.NOT_ATTESTED)] if wish else []

    def _pay_in(self, view: View, wish: PayIntoPool) -> list[Operation]:
        amount = wish.amount_wei
        if amount is None:
            amount = FULL_STAKE_WEI - view.reads.stake_of(view.reads.pool(wish.pool).node)  # S4
        allowance = (view.reads.contracts.address(wish.pool), amount)
        return [
            Send(self._name, "Kompute", "approve", allowance, wish.id, closes=False),
            Send(self._name, wish.pool, wish.function, (amount, *wish.args), wish.id),
        ]

    def _activate(self, view: View, lent: MachineLent) -> list[Operation]:
        wish = self._activating.pop(lent.worker, None)
        if wish is None:
            return []
        admitted = lent.admitted
        args = (
            view.directory.address(lent.worker),
            admitted.hardware_id,
            wish.months,
            admitted.deadline,
            admitted.signatures,
            lent.node_signature,
        )
        return [Send(self._name, wish.pool, "activate", args, wish.id)]
