"""The treasury: adds the network's incentive to each cycle's reward, and what it is asked to."""

from __future__ import annotations

from collections.abc import Sequence

from devnet.actors.actor import Actor
from devnet.actors.messages import AddReward
from devnet.actors.operations import Operation, Send
from devnet.actors.view import TREASURY, View


class Treasury(Actor):
    """Calls `addReward` in the first block of every cycle (C2)."""

    def __init__(self, incentive_wei: int) -> None:
        super().__init__(TREASURY)
        self._incentive_wei = incentive_wei
        self._due: int | None = 0 if incentive_wei else None

    def due(self) -> int | None:
        return self._due

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        operations: list[Operation] = []
        for message in messages:
            match message:
                case AddReward(id=wish, amount_wei=amount):
                    operations.append(Send(TREASURY, "Rewards", "addReward", (amount,), wish))
                case _:
                    operations += self.refuse(message)
        if self._due is not None and view.now >= self._due:
            operations.append(Send(TREASURY, "Rewards", "addReward", (self._incentive_wei,)))
            following = view.cycle_of(view.head.number + 1) + 1
            first_block = view.genesis_block + following * view.cycle_blocks
            self._due = view.time_of(first_block - 1)
        return operations
