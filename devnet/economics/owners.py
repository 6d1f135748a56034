"""What owners and pools do about stakes and claims (S3 to S5, S7, C3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devnet.economics.chance import Chance
from devnet.economics.economy import Economy
from devnet.economics.population import Worker
from devnet.economics.tally import Tally
from devnet.model import Outcome, rewards, staking
from devnet.model.parameters import STAKE_WEI
from devnet.model.rows import Node
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
        nodes, now, cycle = self._economy.state.nodes, self._economy.now, self._economy.cycle
        for worker in self._workers:
            node = nodes[worker.node]
            if staking.is_live(node):
                self._mind(worker, node, now)
            if (cycle + worker.index) % self._assumed.claim_every == 0:
                self._claim(worker, cycle)
            if worker.pool:
                self._redeem(worker, cycle)

    def _mind(self, worker: Worker, node: Node, now: int) -> None:
        if node.exit_requested_at:
            pending = self._economy.state.pending_incidents[worker.node]
            if now >= node.exit_at and not pending:
                self._ask(worker, "withdraw")
            return
        if node.stake < STAKE_WEI:
            missing = {"amount": STAKE_WEI - node.stake}
            if worker.pool:
                missing["leastShares"] = 0  # the operator, who gets what it pays for (S7)
            willing = self._top_ups.happens(self._assumed.top_up)
            if not willing or not self._ask(worker, "topUp", missing).ok:
                self._ask(worker, "requestExit")
            return
        # S7: a pool restakes only once its members have had the time to leave.
        wait = self._economy.parameters.exit_delay if worker.pool else 0
        if now < node.unlock_at + wait or self._decided[worker.index] == node.unlock_at:
            return
        self._decided[worker.index] = node.unlock_at
        drawn = self._renewals.below(WHOLE_PPM)
        if drawn < self._assumed.renew:
            self._ask(worker, "restake", {"months": worker.months})
        elif drawn < self._assumed.renew + self._assumed.leave:
            self._ask(worker, "requestExit")

    def _claim(self, worker: Worker, cycle: int) -> None:
        if rewards.settled(self._economy.state, worker.node, cycle).accrued == 0:
            return
        if worker.pool:
            for member in worker.members:
                self._sell(member, self._pool(worker, member, "collect"))
        else:
            about = {"node": worker.node}
            claimed = self._economy.send(worker.owner, "Rewards", "claimAll", about)
            self._note(worker, claimed)
            self._sell(worker.owner, claimed)

    def _redeem(self, worker: Worker, cycle: int) -> None:
        """S7: once the stake is back and the cycle of the last V is over."""
        state = self._economy.state
        pool = state.pools[worker.owner]
        if not pool.withdrawn or not pool.total_shares:
            return
        if state.publishers[worker.node].open_cycle == cycle:
            return
        for member in worker.members:
            if state.members[worker.owner, member].shares:
                self._pool(worker, member, "redeem")

    def _ask(self, worker: Worker, function: str, args: Mapping[str, Any] | None = None) -> Outcome:
        """Of Staking, or of the pool that asks it."""
        if worker.pool:
            return self._pool(worker, worker.operator, function, args)
        about = {"node": worker.node, **(args or {})}
        return self._economy.send(worker.owner, "Staking", function, about)

    def _pool(
        self, worker: Worker, sender: str, function: str, args: Mapping[str, Any] | None = None
    ) -> Outcome:
        outcome = self._economy.send(sender, worker.pool, function, args or {})
        self._note(worker, outcome)
        return outcome

    def _note(self, worker: Worker, outcome: Outcome) -> None:
        """What was paid out of the rewards, to whomever."""
        for event in outcome.events:
            if event.name == "ClaimedAll":
                self._tally.paid[worker.index] += event.args["amount"]
            elif event.name == "Harvested":
                self._tally.harvested += event.args["gross"]
                self._tally.commission += event.args["commission"]

    def _sell(self, account: str, outcome: Outcome) -> None:
        got = 0
        for event in outcome.events:
            if event.name == "ClaimedAll" and event.args["owner"] == account:
                got += event.args["amount"]
            elif event.name == "Collected":
                got += event.args["amount"] + event.args["commission"]
        sold = got * self._assumed.sell // WHOLE_PPM
        if sold:
            self._economy.pay(account, self._economy.accounts[EXCHANGE], sold)
