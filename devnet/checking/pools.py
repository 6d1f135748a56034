"""What the events of pools say, and what must hold of shares, rewards and assets (S7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from devnet.checking.amounts import FULL_STAKE
from devnet.checking.moves import tokens_between
from devnet.model import Ledger, PoolLedger
from devnet.protocol import ObservedTransaction, pool_name

if TYPE_CHECKING:
    from devnet.checking.facts import Facts

BPS: Final = 10_000
OPERATOR_PART: Final = 5  # the operator holds a fifth at least
NODE_OF_NOBODY: Final = "0x" + 40 * "0"

Args = Mapping[str, Any]
Fold = Callable[["Facts", ObservedTransaction, Args], None]


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
    node: str = NODE_OF_NOBODY
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


@dataclass(slots=True)
class PoolNews:
    """Rows since the last check."""

    harvests: list[Harvest] = field(default_factory=list)
    changes: list[ShareChange] = field(default_factory=list)


def _pool(facts: Facts, transaction: ObservedTransaction) -> tuple[str, PoolFacts]:
    name = facts.emitter(transaction)
    return name, facts.pools[name]


def _created(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    name = pool_name(len(facts.pools) + 1)
    facts.pools[name] = PoolFacts(args["pool"], args["operator"], args["commissionBps"])
    facts.pool_addresses[args["pool"]] = name


def _joined(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    _, pool = _pool(facts, transaction)
    pool.members[args["member"]] = pool.members.get(args["member"], 0) + args["amount"]
    pool.held += args["amount"]


def _left(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    _, pool = _pool(facts, transaction)
    pool.members[args["member"]] -= args["amount"]
    pool.held -= args["amount"]


def _activated(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    _, pool = _pool(facts, transaction)
    pool.node = args["node"]
    pool.held -= FULL_STAKE


def _topped_up(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    name, pool = _pool(facts, transaction)
    node = facts.nodes[pool.node]
    assets = node.stake_wei + node.seized
    due = args["amount"] * pool.shares // assets if assets else 0
    facts.news.pools.changes.append(
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


def _harvested(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    name, pool = _pool(facts, transaction)
    received = tokens_between(transaction.events, facts.address("Rewards"), pool.address)
    due = args["gross"] * pool.commission_bps // BPS
    facts.news.pools.harvests.append(
        Harvest(transaction.hash, name, args["gross"], received, args["commission"], due)
    )
    pool.harvested += args["gross"]
    pool.commission += args["commission"]
    pool.held += received


def _collected(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    _, pool = _pool(facts, transaction)
    pool.collected += args["amount"]
    pool.commission_collected += args["commission"]
    pool.held -= args["amount"] + args["commission"]


def _returned(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    _, pool = _pool(facts, transaction)
    pool.returned, pool.shares_at_return = args["amount"], pool.shares
    pool.held += args["amount"]


def _redeemed(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    name, pool = _pool(facts, transaction)
    due = (pool.returned or 0) * args["shares"] // max(pool.shares_at_return, 1)
    facts.news.pools.changes.append(
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


POOL_FOLDS: Final[Mapping[str, Fold]] = {
    "PoolCreated": _created,
    "Joined": _joined,
    "Left": _left,
    "Activated": _activated,
    "PoolToppedUp": _topped_up,
    "Harvested": _harvested,
    "Collected": _collected,
    "StakeReturned": _returned,
    "Redeemed": _redeemed,
}


def check_pool_balances(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Invariant 2: a pool holds its funding, what is uncollected and what is unredeemed."""
    for name, pool in facts.pools.items():
        held, row = ledger.balances.get(pool.address, 0), ledger.pools.get(name)
        if held != pool.held + pool.donated:
            yield f"{name} holds {held} wei, its events say {pool.held}, was given {pool.donated}"
        if row is None:
            continue
        owed = sum(member.uncollected + member.commission for member in row.members.values())
        if row.node == NODE_OF_NOBODY:
            owed += row.total_shares
        elif row.withdrawn:
            owed += row.assets
        if held < owed:
            yield f"{name} holds {held} wei and owes {owed}"


def check_pools(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Invariant 11."""
    for name, seen in facts.pools.items():
        row = ledger.pools.get(name)
        if row is None:
            yield f"{name} was created and is gone"
        else:
            yield from _check_shares(name, row, seen)
            yield from _check_rewards(name, row, seen)
    for harvest in facts.news.pools.harvests:
        if harvest.gross != harvest.received or harvest.commission != harvest.due:
            yield (
                f"{harvest.transaction}: {harvest.pool} harvested {harvest.gross} wei, got "
                f"{harvest.received}; commission {harvest.commission}, due {harvest.due}"
            )
    for change in facts.news.pools.changes:
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
