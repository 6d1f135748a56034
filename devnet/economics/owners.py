"""What owners do: incentives aside, everything about stakes and claims (S3 to S5, C3)."""

from __future__ import annotations

from collections.abc import Sequence

from devnet.economics.chance import Chance
from devnet.economics.economy import Economy
from devnet.economics.population import Worker
from devnet.economics.tally import Tally
from devnet.model import rewards, staking
from devnet.model.parameters import STAKE_WEI
from devnet.model.staking import Node
from devnet.spec.economics import WHOLE_PPM

EXCHANGE = "exchange"


class Owners:
    """The owners of all nodes, each deciding once about each period's end and each slash."""

    def __init__(
        self, economy: Economy, workers: Sequence[Worker], tally: Tally, seed: int
    ) -> None:
        self._economy, self._workers, self._tally = economy, workers, tally
        self._renewals, self._top_ups = Chance(seed, "renewals"), Chance(seed, "top-ups")
        self._assumed = economy.spec.economics.stakes
        self._decided = [0] * len(workers)  # the unlockAt an owner has decided about

    def act(self) -> None:
        """Every owner's turn, once a cycle."""
        economy = self._economy
        nodes, now, cycle = economy.state.nodes, economy.now, economy.cycle
        for worker in self._workers:
            node = nodes[worker.node]
            if staking.is_live(node):
                self._mind(worker, node, now)
            if (cycle + worker.index) % self._assumed.claim_every == 0:
                self._claim(worker, cycle)

    def _mind(self, worker: Worker, node: Node, now: int) -> None:
        economy, about = self._economy, {"node": worker.node}
        if node.exit_requested_at:
            pending = economy.state.pending_incidents[worker.node]
            if now >= node.exit_at and not pending:
                economy.send(worker.owner, "Staking", "withdraw", about)
            return
        if node.stake < STAKE_WEI:
            if self._top_ups.happens(self._assumed.top_up):
                room = STAKE_WEI - node.stake
                economy.send(worker.owner, "Staking", "topUp", {**about, "amount": room})
            else:
                economy.send(worker.owner, "Staking", "requestExit", about)
            return
        if now < node.unlock_at or self._decided[worker.index] == node.unlock_at:
            return
        self._decided[worker.index] = node.unlock_at
        drawn = self._renewals.below(WHOLE_PPM)
        if drawn < self._assumed.renew:
            economy.send(worker.owner, "Staking", "restake", {**about, "months": worker.months})
        elif drawn < self._assumed.renew + self._assumed.leave:
            economy.send(worker.owner, "Staking", "requestExit", about)

    def _claim(self, worker: Worker, cycle: int) -> None:
        economy = self._economy
        due = rewards.settled(economy.state, worker.node, cycle).accrued
        if due == 0:
            return
        claimed = economy.send(worker.owner, "Rewards", "claimAll", {"node": worker.node})
        if claimed.ok:
            self._tally.paid[worker.index] += due
            sold = due * self._assumed.sell // WHOLE_PPM
            economy.pay(worker.owner, economy.accounts[EXCHANGE], sold)
