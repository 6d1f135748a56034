"""The treasury: adds the network's incentives to each cycle's reward, and what it is asked to."""

from __future__ import annotations

from collections.abc import Sequence

from devnet.actors.actor import Actor
from devnet.actors.operations import Operation, Send
from devnet.actors.view import TREASURY, View
from devnet.spec.network import Incentives


class Treasury(Actor):
    """Calls `addReward` (C2), and `release` while the vault has parts to come (I1), in the first
    block of every cycle."""

    def __init__(self, incentive_wei: int, vault: Incentives | None = None) -> None:
        super().__init__(TREASURY)
        self._incentive_wei = incentive_wei
        self._vault = vault if vault is not None and vault.automatic else None
        self._due: int | None = 0 if incentive_wei or self._vault else None

    def due(self) -> int | None:
        return self._due

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        operations: list[Operation] = []
        for message in messages:
            operations += self.otherwise(message)
        if self._due is not None and view.now >= self._due:
            cycle = view.cycle_of(view.head.number + 1)
            if self._incentive_wei:
                operations.append(Send(TREASURY, "Rewards", "addReward", (self._incentive_wei,)))
            if self._vault is not None and self._has_part(view, self._vault, cycle):
                operations.append(Send(TREASURY, "IncentiveVault", "release", ()))
            following = cycle + 1
            first_block = view.genesis_block + following * view.cycle_blocks
            self._due = view.time_of(first_block - 1)
        return operations

    @staticmethod
    def _has_part(view: View, vault: Incentives, cycle: int) -> bool:
        """Each of the vault's cycles has a part above 0 (I1)."""
        return cycle >= vault.start and view.reads.released() < vault.total
