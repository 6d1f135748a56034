"""What the events of pools say, and what must hold of shares, rewards and assets (S7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from devnet.checking.amounts import FULL_STAKE, ZERO_ADDRESS
from devnet.checking.moves import tokens_between
from devnet.checking.nodes import Nodes
from devnet.checking.part import Part
from devnet.model import Ledger, Parameters, PoolLedger
from devnet.protocol import Event, ObservedTransaction, pool_name

BPS: Final = 10_000
OPERATOR_PART: Final = 5  # the operator holds a fifth at least


@dataclass(slots=True)
class PoolFacts:
    """A pool by its events, amounts in wei; `members` are all that ever paid in, in their order,
    with their shares.

    `held` is what its functions brought in and did not take out again, `returned` and
    `shares_at_return` what the withdrawal gave and whose it was.
    """

    address: str
    operator: str
    commission_bps: int
    node: str = ZERO_ADDRESS
    members: dict[str, int] = field(default_factory=dict)
    held: int = 0
    donated: int = 0
    harvested: int = 0
    commission: int = 0
    collected: int = 0
    commission_collected: int = 0
    returned: int | None = None
    shares_at_return: int = 0
    redeemed: int = 0

    @property
    def shares(self) -> int:
        """Σ of its members'."""
        return sum(self.members.values())


@dataclass(frozen=True, slots=True)
class Harvest:
    """A `Harvested` event; `received` is what rewards sent with it, `due` its commission."""

    transaction: str
    pool: str
    gross: int
    received: int
    commission: int
    due: int


@dataclass(frozen=True, slots=True)
class ShareChange:
    """A `PoolToppedUp` or `Redeemed` event: what was given for `shares`, and what was due.

    For a top-up `given` are the shares minted, for a redemption the wei paid.
    """

    transaction: str
    pool: str
    event: str
    member: str
    shares: int
    given: int
    due: int


class Pools(Part):
    """`seen` by contract name; `harvests` and `changes` of shares are news."""

    def __init__(self, parameters: Parameters, nodes: Nodes) -> None:
        super().__init__(parameters)
        self._nodes = nodes
        self.seen: dict[str, PoolFacts] = {}
        self._names: dict[str, str] = {}  # by address
        self.harvests: list[Harvest] = []
        self.changes: list[ShareChange] = []
        self.folds = {
            "PoolCreated": self._created,
            "Joined": self._joined,
            "Left": self._left,
            "Activated": self._activated,
            "PoolToppedUp": self._topped_up,
            "Harvested": self._harvested,
            "Collected": self._collected,
            "StakeReturned": self._returned,
            "Redeemed": self._redeemed,
        }

    def mark(self) -> None:
        self.harvests.clear()
        self.changes.clear()

    def at(self, address: str) -> PoolFacts | None:
        """The pool at an address; None where there is none."""
        name = self._names.get(address)
        return None if name is None else self.seen[name]

    def _created(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        name = pool_name(len(self.seen) + 1)
        self.seen[name] = PoolFacts(args["pool"], args["operator"], args["commissionBps"])
        self._names[args["pool"]] = name

    def _joined(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        pool = self.seen[event.contract]
        pool.members[args["member"]] = pool.members.get(args["member"], 0) + args["amount"]
        pool.held += args["amount"]

    def _left(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        pool = self.seen[event.contract]
        pool.members[args["member"]] -= args["amount"]
        pool.held -= args["amount"]

    def _activated(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        pool = self.seen[event.contract]
        pool.node = args["node"]
        pool.held -= FULL_STAKE

    def _topped_up(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        name, pool = event.contract, self.seen[event.contract]
        node = self._nodes.seen[pool.node]
        assets = node.stake_wei + node.seized
        due = args["amount"] * pool.shares // assets if assets else 0
        if args["member"] != pool.operator:
            due = min(due, OPERATOR_PART * pool.members.get(pool.operator, 0) - pool.shares)
        self.changes.append(
            ShareChange(
                transaction.hash,
                name,
                "PoolToppedUp",
                args["member"],
                args["shares"],
                args["shares"],
                due,
            )
        )
        pool.members[args["member"]] = pool.members.get(args["member"], 0) + args["shares"]

    def _harvested(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        name, pool = event.contract, self.seen[event.contract]
        received = tokens_between(transaction.events, self.address("Rewards"), pool.address)
        due = args["gross"] * pool.commission_bps // BPS
        self.harvests.append(
            Harvest(transaction.hash, name, args["gross"], received, args["commission"], due)
        )
        pool.harvested += args["gross"]
        pool.commission += args["commission"]
        pool.held += received

    def _collected(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        pool = self.seen[event.contract]
        pool.collected += args["amount"]
        pool.commission_collected += args["commission"]
        pool.held -= args["amount"] + args["commission"]

    def _returned(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        pool = self.seen[event.contract]
        pool.returned, pool.shares_at_return = args["amount"], pool.shares
        pool.held += args["amount"]

    def _redeemed(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        name, pool = event.contract, self.seen[event.contract]
        due = (pool.returned or 0) * args["shares"] // max(pool.shares_at_return, 1)
        self.changes.append(
            ShareChange(
                transaction.hash,
                name,
                "Redeemed",
                args["member"],
                args["shares"],
                args["amount"],
                due,
            )
        )
        pool.members[args["member"]] -= args["shares"]
        pool.redeemed += args["amount"]
        pool.held -= args["amount"]


def check_pool_balances(ledger: Ledger, facts: Pools) -> Iterator[str]:
    """Invariant 2: a pool holds its funding, what is uncollected and what is unredeemed."""
    for name, pool in facts.seen.items():
        held, row = ledger.balances.get(pool.address, 0), ledger.pools.get(name)
        if held != pool.held + pool.donated:
            yield f"{name} holds {held} wei, its events say {pool.held}, was given {pool.donated}"
        if row is None:
            continue
        owed = sum(member.uncollected + member.commission for member in row.members.values())
        if row.node == ZERO_ADDRESS:
            owed += row.total_shares
        elif row.withdrawn:
            owed += row.assets
        if held < owed:
            yield f"{name} holds {held} wei and owes {owed}"


def check_pools(ledger: Ledger, facts: Pools) -> Iterator[str]:
    """Invariant 11."""
    for name, seen in facts.seen.items():
        row = ledger.pools.get(name)
        if row is None:
            yield f"{name} was created and is gone"
        else:
            yield from _check_shares(name, row, seen)
            yield from _check_rewards(name, row, seen)
    for harvest in facts.harvests:
        if harvest.gross != harvest.received or harvest.commission != harvest.due:
            yield (
                f"{harvest.transaction}: {harvest.pool} harvested {harvest.gross} wei, got "
                f"{harvest.received}; commission {harvest.commission}, due {harvest.due}"
            )
    for change in facts.changes:
        if change.given != change.due:
            yield (
                f"{change.transaction}: {change.event} of {change.pool} gave {change.given} for "
                f"{change.shares} shares of {change.member}, due {change.due}"
            )


def _check_shares(name: str, row: PoolLedger, seen: PoolFacts) -> Iterator[str]:
    total = sum(member.shares for member in row.members.values())
    if total != row.total_shares:
        yield f"{name}: the members' shares sum to {total}, the total is {row.total_shares}"
    shares = {who: member.shares for who, member in row.members.items() if member.shares}
    if shares != {who: count for who, count in seen.members.items() if count}:
        yield f"{name}: shares are {shares}, its events say {seen.members}"
    operator = shares.get(row.operator, 0)
    if not row.withdrawn and operator * OPERATOR_PART < row.total_shares:
        yield f"{name}: the operator holds {operator} of {row.total_shares} shares"
    if seen.redeemed > (seen.returned or 0):
        yield f"{name}: redeemed {seen.redeemed} wei of {seen.returned}"
    if row.withdrawn and row.assets != (seen.returned or 0) - seen.redeemed:
        yield f"{name}: assets are {row.assets} wei of {seen.returned} - {seen.redeemed}"


def _check_rewards(name: str, row: PoolLedger, seen: PoolFacts) -> Iterator[str]:
    net = seen.harvested - seen.commission
    uncollected = sum(member.uncollected for member in row.members.values())
    if seen.collected + uncollected > net:
        yield (
            f"{name}: {seen.collected} wei collected and {uncollected} uncollected of "
            f"{net} harvested net of commission"
        )
    left = sum(member.commission for member in row.members.values())
    if seen.commission_collected + left != seen.commission:
        yield (
            f"{name}: commission of {seen.commission_collected} wei collected and {left} left, "
            f"{seen.commission} were taken"
        )
