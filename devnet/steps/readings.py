"""Ledger values by the names scenarios and people use, from the chain's views and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devnet.actors.view import Directory, owner_of
from devnet.model.shares import ONE, per_share, split
from devnet.protocol import View as Reads
from devnet.protocol.deployment import pool_name
from devnet.record.history import History
from devnet.spec.feeds import FEED_PREFIX


class Readings:
    """All amounts are wei, all values of the head block."""

    def __init__(self, reads: Reads, directory: Directory, history: History) -> None:
        self._reads = reads
        self._directory = directory
        self._history = history

    def _node(self, worker: str) -> str:
        return self._directory.address(worker)

    def _events(self, name: str, **matching: object) -> list[dict[str, object]]:
        return [
            dict(seen.event.args)
            for seen in self._history.named(name)
            if all(seen.event.args[key] == value for key, value in matching.items())
        ]

    def _sum(self, name: str, key: str, **matching: object) -> int:
        return sum(int(str(args[key])) for args in self._events(name, **matching))

    def event_count(self, name: str) -> int:
        return self._history.counts[name]

    def last_call(self, contract: str, function: str) -> Mapping[str, Any] | None:
        """The arguments of the last accepted call, whoever made it; None where there was none."""
        return self._history.last_call(contract, function)

    def holdings(self, account: str) -> int:
        """All that is an account's: its balance, and of its nodes the stake and the claimable
        rewards, of its orders what is left of their deposits, its part of every pool, and the
        bonds of its open appeals. A worker stands for its owner."""
        address = self._owner_address(account)
        nodes = {str(args["node"]) for args in self._events("Staked", owner=address)}
        orders = {int(str(args["id"])) for args in self._events("OrderCreated", client=address)}
        states = [self._reads.order(order) for order in sorted(orders)]
        return (
            self._reads.balance_of(address)
            + sum(self._of_node(node) for node in sorted(nodes))
            + sum(state.deposit - state.consumed for state in states if not state.finalized)
            + sum(self._in_pool(pool, address) for pool in self._pools())
            + self._bonds(address)
        )

    def _of_node(self, node: str) -> int:
        """Its stake (what is seized is not lost yet, L6) and its claimable rewards."""
        staked = self._reads.stake_of(node) + self._reads.seized_of(node)
        return staked + self._reads.claimable_all(node)

    def _pools(self) -> list[str]:
        return [pool_name(n) for n in range(1, len(self._events("PoolCreated")) + 1)]

    def _in_pool(self, pool: str, member: str) -> int:
        """S7: a member's part of the assets and of the rewards, harvested or not, that it has not
        collected; the operator's commission, too."""
        state, shares = self._reads.pool(pool), self._reads.pool_shares(pool, member)
        held = sum(self._reads.pool_uncollected(pool, member))
        if not state.totalShares:
            return held
        claimable = self._reads.claimable_all(state.node)  # 0 before there is a node
        commission, net = split(claimable, state.commissionBps)
        if member == state.operator:
            held += commission
        held += shares * per_share(net, state.totalShares) // ONE
        return held + state.assets * shares // state.totalShares

    def _bonds(self, payer: str) -> int:
        """L6: of appeals that are still open."""
        appealed = {int(str(args["id"])) for args in self._events("Appealed", payer=payer)}
        incidents = [self._reads.incident(number) for number in sorted(appealed)]
        return sum(incident.bond for incident in incidents if incident.pending)

    def _owner_address(self, account: str) -> str:
        workers = [worker.name for worker in self._directory.spec.workers]
        return self._directory.address(owner_of(account) if account in workers else account)

    def balance(self, account: str) -> int:
        return self._reads.balance_of(self._directory.address(account))

    def stake(self, worker: str) -> int:
        return self._reads.stake_of(self._node(worker))

    def active(self, worker: str) -> bool:
        return self._reads.is_active(self._node(worker))

    def multiplier_bps(self, worker: str) -> int:
        return self._reads.multiplier_bps(self._node(worker))

    def slashed(self, worker: str) -> int:
        """Executed, over the whole run."""
        return self._sum("IncidentExecuted", "amount", node=self._node(worker))

    def pending_slash(self, worker: str) -> int:
        """Reported and not decided yet, as it would execute now (L4)."""
        return sum(self._reads.amount_of(identity) for identity in self._pending(worker))

    def _pending(self, worker: str) -> list[int]:
        decided = {
            args["id"]
            for name in ("IncidentExecuted", "IncidentOverturned")
            for args in self._events(name)
        }
        reported = self._events("IncidentReported", node=self._node(worker))
        return [int(str(args["id"])) for args in reported if args["id"] not in decided]

    def last_pending_incident(self, worker: str) -> int | None:
        """None where all of its incidents are decided."""
        return max(self._pending(worker), default=None)

    def incident_worker(self, incident: int) -> str:
        """Whose incident it is."""
        return self._directory.name(self._reads.incident(incident).node)

    def incident_amount(self, incident: int) -> int:
        """What it took, or would take now (L4)."""
        return self._reads.amount_of(incident)

    def bond(self, incident: int) -> int:
        """What its appeal took (L6)."""
        return self._reads.incident(incident).bond

    def registered_at(self, worker: str) -> int:
        return self._reads.node(self._node(worker)).registeredAt

    def suspended(self, worker: str) -> bool:
        return self._reads.is_suspended(self._node(worker))

    def seized(self, worker: str) -> int:
        """In escrow, of a pending level 3 (L6)."""
        return self._reads.seized_of(self._node(worker))

    def claimable(self, worker: str) -> int:
        return self._reads.claimable_all(self._node(worker))

    def claimed(self, worker: str) -> int:
        node = self._node(worker)
        return self._sum("Claimed", "amount", node=node) + self._sum(
            "ClaimedAll", "amount", node=node
        )

    def last_v(self, worker: str) -> int:
        """The V last published, 0 before the first; 1e18 is the reference machine (W1)."""
        published = self._history.latest("Published", self._node(worker))
        return int(published.event.args["v"]) if published else 0

    def consumed(self, order: int) -> int:
        return int(self._reads.order(order).consumed)

    def refunded(self, order: int) -> int:
        return self._sum("Finalized", "refund", id=order)

    def billed(self, order: int) -> int:
        """Replicas of its last statement, which accrue until its end (M6); 0 before the first."""
        stated = self._history.latest("UsageReported", order)
        return int(stated.event.args["replicas"]) if stated else 0

    def charged_usd_1e18(self, resource: str) -> int:
        """What is charged now: the dynamic price, or the contingency price (O3, O4).

        Raises ProtocolError where there is none.
        """
        return int(self._reads.price(resource))

    def contingency(self, resource: str) -> bool:
        return self._reads.contingency(resource).on

    def feed_nodes(self, feed: str) -> tuple[str, ...]:
        """The oracle nodes it takes reports of now (O7); a mock has one, whose script it says."""
        name = FEED_PREFIX + feed
        if self._is_mock(feed):
            return (self._directory.name(str(self._reads.read(name, "operator"))),)
        return tuple(self._directory.name(node) for node in self._reads.feed_nodes(name))

    def feed_faulty(self, feed: str) -> int:
        """f (O1), 0 of a mock."""
        return 0 if self._is_mock(feed) else self._reads.feed_faulty(FEED_PREFIX + feed)

    def feed_in_bounds(self, feed: str) -> bool:
        """Whether there is an answer, inside the bounds of now (O2)."""
        latest = self._reads.latest_round(FEED_PREFIX + feed)
        return 0 < latest.id <= latest.answeredInRound

    def _is_mock(self, feed: str) -> bool:
        return feed.partition(":")[0] in self._directory.spec.oracles.mocked

    def max_v(self) -> int:
        return int(self._reads.max_v())

    def gatekeepers(self) -> int:
        return int(self._reads.gatekeeper_count())

    def is_gatekeeper(self, name: str) -> bool:
        return bool(self._reads.is_gatekeeper(self._directory.address(name)))

    def released(self) -> int:
        """Of the incentive vault, wei (I1)."""
        return int(self._reads.released())

    def proposal(self, proposal: bytes) -> str:
        """`unknown`, `queued`, `executed` or `vetoed` (G2)."""
        return self._reads.proposal(proposal).state.name.lower()

    def appellant_of(self, worker: str) -> str:
        """Who speaks for a worker: its owner, or the operator of the pool that owns it (L6)."""
        owner = self._reads.owner_of(self._node(worker))
        if self._reads.is_pool(owner):
            owner = self._reads.pool(self._reads.contracts.names[owner]).operator
        return self._directory.name(owner)

    def pool_operator(self, pool: str) -> str:
        """Its account's name; `pool` is the contract name here as below."""
        return self._directory.name(self._reads.pool(pool).operator)

    def pool_assets(self, pool: str) -> int:
        return self._reads.pool(pool).assets

    def pool_closed(self, pool: str) -> bool:
        return self._reads.pool(pool).closed

    def pool_shares(self, pool: str, member: str) -> int:
        return self._reads.pool_shares(pool, self._directory.address(member))

    def pool_uncollected(self, pool: str, member: str) -> int:
        """Rewards and commission that were harvested and not collected."""
        return sum(self._reads.pool_uncollected(pool, self._directory.address(member)))

    def price_usd_1e18(self, resource: str) -> int:
        """The stored median, 0 where there is none yet (O2)."""
        return int(self._reads.stored_price(resource).price)
