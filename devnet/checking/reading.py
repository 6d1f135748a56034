"""The chain's own values as a ledger, in a few batched reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from devnet.chain import Block
from devnet.checking.folding import Facts
from devnet.model import (
    ConfigLedger,
    CycleLedger,
    Ledger,
    MemberLedger,
    NodeLedger,
    PoolLedger,
    PriceLedger,
    VaultLedger,
)
from devnet.model.ledger import PLAIN_VIEWS
from devnet.model.slashing import MALICIOUS, OFFLINE
from devnet.protocol import (
    ContingencyState,
    IncidentState,
    NodeState,
    OrderState,
    ProposalState,
    ProtocolError,
    RoundState,
    StoredPrice,
    pool_name,
)
from devnet.protocol.node_views import POOL_READS

Read = tuple[str, str, Sequence[Any]]

NODE_READS = (
    ("Staking", "nodeOf"),
    ("Staking", "isActive"),
    ("Staking", "isLive"),
    ("Staking", "multiplierBps"),
    ("Rewards", "accrued"),
    ("Rewards", "claimableAll"),
    ("Rewards", "claimedBefore"),
    ("Rewards", "sequenceOf"),
    ("Rewards", "lastPublishedBlock"),
    ("Slashing", "pendingCount"),
    ("Slashing", "seizedOf"),
)
POOL_FIELDS = (
    *("operator", "commission_bps", "node", "assets", "closed", "withdrawn"),
    *("total_shares", "rewards_per_share"),
)
PRICE_READS = ("stored", "contingencyOf", "marketPrice", "price", "priceInKomp", "beatsAll")
CONFIG_READS = ("configDigest", "latestEpochAndRound")
VAULT_READS = ("released", "releasable")


class Reads(Protocol):
    """What `devnet.protocol.View` offers of it."""

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        """Many views in one batch, at the head block."""
        ...


class _Batch:
    """Reads noted first and answered together."""

    def __init__(self) -> None:
        self._reads: list[Read] = []
        self._answers: list[Any] = []

    def ask(self, contract: str, function: str, *args: Any) -> int:
        """The place of the answer."""
        self._reads.append((contract, function, args))
        return len(self._reads) - 1

    def send(self, reads: Reads) -> None:
        self._answers = reads.read_many(self._reads)

    def answer(self, place: int) -> Any:
        """Raises the contract's error where it refused."""
        value = self._answers[place]
        if isinstance(value, ProtocolError):
            raise value
        return value

    def answer_or_none(self, place: int) -> Any:
        value = self._answers[place]
        return None if isinstance(value, ProtocolError) else value


def read_ledger(reads: Reads, head: Block, facts: Facts, previous: Ledger | None = None) -> Ledger:
    """All values at the head block.

    With `previous`, what cannot have changed without an event since (untouched balances, cycles
    that had ended, decided incidents, finalized orders) is taken over from it; without, all is
    read. Raises ProtocolError when a contract refuses a plain view.
    """
    parameters, batch = facts.parameters, _Batch()
    accounts = facts.accounts if previous is None else facts.moved
    balances = _ask_each(batch, sorted(accounts), "Kompute", "balanceOf")
    nodes = {
        name: [batch.ask(contract, view, name) for contract, view in NODE_READS]
        + [batch.ask("Slashing", "cursorOf", name, level) for level in (OFFLINE, MALICIOUS)]
        for name in facts.nodes.seen
    }
    ended = previous.cycle if previous is not None else 0
    kept_cycles = (
        {n: c for n, c in previous.cycles.items() if n < ended and c.total_v} if previous else {}
    )
    cycles = {
        number: (
            batch.ask("Rewards", "cycleReward", number),
            batch.ask("Rewards", "cycleTotalV", number),
            _ask_each(batch, tuple(seen.v), "Rewards", "cycleAccountV", before=(number,)),
        )
        for number, seen in facts.rewards.cycles.items()
        if number not in kept_cycles and (number >= ended or seen.reward or seen.v)
    }
    old_incidents = previous.incidents if previous is not None else {}
    kept_incidents = {n: i for n, i in old_incidents.items() if i is not None and not i.pending}
    open_incidents = [n for n in range(1, facts.incidents.count + 1) if n not in kept_incidents]
    incidents = _ask_each(batch, open_incidents, "Slashing", "incidentOf")
    old_orders = previous.orders if previous is not None else {}
    kept_orders = {n: o for n, o in old_orders.items() if o is not None and o.finalized}
    open_orders = [number for number in facts.market.orders if number not in kept_orders]
    orders = _ask_each(batch, open_orders, "Market", "orderOf")
    feeds = {name: batch.ask(name, "latestRoundData") for name in parameters.feeds}
    old_configs = previous.configs if previous is not None else {}
    configs = {
        name: [batch.ask(name, view) for view in CONFIG_READS]
        for name, feed in parameters.feeds.items()
        if not feed.operator and (name in facts.feeds.touched or name not in old_configs)
    }
    prices = {
        resource: [batch.ask("Pricing", view, resource) for view in PRICE_READS]
        for resource in parameters.cloud_feeds
    }
    pools = {
        name: (
            [batch.ask(name, view) for view in POOL_READS],
            _ask_each(batch, tuple(seen.members), name, "sharesOf"),
            _ask_each(batch, tuple(seen.members), name, "uncollectedOf"),
        )
        for name, seen in facts.pools.seen.items()
    }
    pool_count = batch.ask("PoolFactory", "poolCount")
    incident_count = batch.ask("Slashing", "incidentCount")
    order_count = batch.ask("Market", "orderCount")
    proposals = _ask_each(batch, facts.governance.proposals, "ExecutionQueue", "proposalOf")
    vault = [batch.ask("IncentiveVault", view) for view in VAULT_READS if parameters.vault]
    plain = {
        name: batch.ask(view.contract, view.function, *view.args)
        for name, view in PLAIN_VIEWS.items()
    }
    batch.send(reads)

    answer = batch.answer
    known = {**(previous.balances if previous is not None else {})}
    known |= {account: answer(place) for account, place in balances.items()}
    read_cycles = {
        number: CycleLedger(
            answer(reward), answer(total), {name: answer(p) for name, p in v.items() if answer(p)}
        )
        for number, (reward, total, v) in cycles.items()
    }
    return Ledger(
        block=head.number,
        timestamp=head.timestamp,
        **{name: answer(place) for name, place in plain.items()},
        balances={account: amount for account, amount in known.items() if amount},
        nodes={name: _node([answer(p) for p in places]) for name, places in nodes.items()},
        pools=_pools(
            answer(pool_count),
            {
                name: _pool(
                    [answer(place) for place in views],
                    {who: (answer(place), answer(owed[who])) for who, place in shares.items()},
                )
                for name, (views, shares, owed) in pools.items()
            },
        ),
        cycles={
            number: found
            for number, found in sorted({**kept_cycles, **read_cycles}.items())
            if found.reward or found.total_v or found.v
        },
        incidents=_whole(
            answer(incident_count),
            kept_incidents,
            {n: IncidentState.of(answer(place)) for n, place in incidents.items()},
        ),
        feeds={name: RoundState.of(answer(place)) for name, place in feeds.items()},
        configs={
            **old_configs,
            **{n: ConfigLedger(*(answer(p) for p in places)) for n, places in configs.items()},
        },
        prices={
            resource: _price(
                [*(answer(p) for p in places[:2]), *(batch.answer_or_none(p) for p in places[2:])]
            )
            for resource, places in prices.items()
        },
        orders=_whole(
            answer(order_count),
            kept_orders,
            {n: OrderState.of(answer(place)) for n, place in orders.items()},
        ),
        proposals={
            "0x" + proposal.hex(): ProposalState.of(answer(place))
            for proposal, place in proposals.items()
        },
        vault=VaultLedger(*(answer(place) for place in vault)) if vault else None,
    )


def _ask_each(
    batch: _Batch,
    keys: Iterable[Any],
    contract: str,
    function: str,
    before: tuple[Any, ...] = (),
) -> dict[Any, int]:
    return {key: batch.ask(contract, function, *before, key) for key in keys}


def _whole(count: int, *parts: Mapping[int, Any]) -> dict[int, Any]:
    """Kept and read rows in order; a row the contract counts and no event told stays visible."""
    rows = {number: row for part in parts for number, row in part.items()}
    rows |= {number: None for number in range(1, count + 1) if number not in rows}
    return dict(sorted(rows.items()))


def _node(answers: Sequence[Any]) -> NodeLedger:
    fields, active, live, bps, accrued, claimable, before, sequence, last, *incidents = answers
    pending, seized, cursor, malicious_cursor = incidents
    state = NodeState.of(fields)
    return NodeLedger(
        owner=state.owner,
        stake=state.stake,
        registered_at=state.registeredAt,
        unlock_at=state.unlockAt,
        exit_requested_at=state.exitRequestedAt,
        exit_at=state.exitAt,
        active=active,
        live=live,
        ejected=state.ejected,
        forfeited=state.forfeited,
        suspensions=state.suspensions,
        seized=seized,
        multiplier_bps=bps,
        accrued=accrued,
        claimable=claimable,
        claimed_before=before,
        sequence=sequence,
        last_published=last,
        pending_incidents=pending,
        cursor=cursor,
        malicious_cursor=malicious_cursor,
    )


def _pools(count: int, read: Mapping[str, PoolLedger]) -> dict[str, Any]:
    """The read rows; a pool the factory counts and no event told stays visible."""
    return {pool_name(number): read.get(pool_name(number)) for number in range(1, count + 1)}


def _pool(answers: Sequence[Any], members: Mapping[str, tuple[int, Any]]) -> PoolLedger:
    rows = {
        who: MemberLedger(shares, owed["amount"], owed["commission"])
        for who, (shares, owed) in members.items()
    }
    nothing = MemberLedger(0, 0, 0)
    return PoolLedger(
        **dict(zip(POOL_FIELDS, answers, strict=True)),
        members={who: row for who, row in rows.items() if row != nothing},
    )


def _price(answers: Sequence[Any]) -> PriceLedger:
    stored, contingency, market, dynamic, komp, beats = answers
    states = StoredPrice.of(stored), ContingencyState.of(contingency)
    return PriceLedger(*states, market, dynamic, komp, beats)
