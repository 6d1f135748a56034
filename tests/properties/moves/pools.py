"""S7: pools from their creation until the last share is redeemed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from devnet.model import rewards, shares, staking
from devnet.model.calls import ZERO_ADDRESS
from devnet.model.gatekeepers import Quorum
from devnet.model.rows import Member, Node, Pool
from devnet.model.slashing import OFFLINE
from devnet.model.staking import PERIODS

from ..action import Action, Advance, Send, now
from ..sight import KOMP, STAKE, Draw, Sight
from . import move
from .signatures import own, quorum
from .slashing import HOUR, reported

YEAR = 365 * 86_400
PEOPLE = ("bob", "alice", "mallory")  # who operates pools and who joins them


@move(2)
def create_pool(draw: Draw, sight: Sight) -> Send | None:
    going = [pool for _, pool in sight.state.pools.items() if not pool.withdrawn]
    if len(going) >= 2 and not draw.rarely(10):
        return None
    sender, commission = draw.one("bob", "alice"), draw.one(1000, 0, 2000, 333)
    if draw.rarely(6):
        sender, commission = draw.one((sender, 2001), (sight.members()[0], commission))
    return Send(sender, "PoolFactory", "create", {"commissionBps": commission})


@move(7)
def join(draw: Draw, sight: Sight) -> list[Action] | None:
    found = _pool(draw, sight, lambda pool, node: pool.node == ZERO_ADDRESS)
    if found is None:
        return None
    name, pool = found
    room = max(shares.room(pool.total_shares), 0)  # more shares than wei after a top-up
    operator = sight.account(pool.operator, "bob")
    member = operator if draw.one(True, False) else draw.one(*PEOPLE)
    amount = draw.one(room, room, 100 * KOMP, 60 * KOMP + 1, room + 1)
    if draw.rarely(10):
        amount = draw.one(0, 1, 5 * KOMP - 1, 5 * KOMP, max(room - 1, 0))
    if room == 0 and not draw.rarely(8):
        return None
    return _paying(draw, sight, member, name, Send(member, name, "join", {"amount": amount}))


@move(1)
def leave(draw: Draw, sight: Sight) -> Send | None:
    found = _pool(
        draw, sight, lambda pool, node: pool.node == ZERO_ADDRESS and pool.total_shares > 0
    )
    if found is None:
        return None
    name, _ = found
    member, row = _member(draw, sight, name)
    amount = draw.one(row.shares // 3 + 1, row.shares, row.shares + 1)
    if draw.rarely(10):
        amount = max(row.shares - draw.one(1, 5 * KOMP - 1, 5 * KOMP), 0)
    return Send(member, name, "leave", {"amount": amount})


@move(6)
def activate(draw: Draw, sight: Sight) -> Send | None:
    found = _pool(
        draw, sight, lambda pool, node: pool.total_shares == STAKE and pool.node == ZERO_ADDRESS
    )
    new = [worker for worker in sight.workers if not sight.node(worker).registered_at]
    if found is None or not (new or draw.rarely(10)):
        return None
    name, pool = found
    worker = draw.of(new or sight.workers)
    args = {
        "nodeKey": ZERO_ADDRESS if not new and draw.rarely(2) else worker,
        "hardwareId": {"hardware_id": worker},
        "months": draw.one(1, 3, 6, 12),
        "deadline": now(YEAR),
    }
    operator = sight.account(pool.operator, "bob")
    sender = draw.one(*PEOPLE) if draw.rarely(10) else operator
    signed = quorum(draw, sight, Quorum.PERF, "Rewards", owner=operator)
    agreed = own(draw, worker, "Rewards", owner=operator)
    return Send(sender, name, "activate", {**args, "signatures": signed, "nodeSignature": agreed})


@move(3)
def restake_pool(draw: Draw, sight: Sight) -> list[Action] | None:
    """Only once members could have left for a while; now and then by waiting for that."""
    delay, month = sight.model.parameters.exit_delay, sight.model.parameters.month

    def stays(pool: Pool, node: Node) -> bool:
        late = sight.now >= node.unlock_at + delay
        return _runs(pool, node) and staking.is_active(node) and (late or draw.rarely(3))

    found = _pool(draw, sight, stays)
    if found is None:
        return None
    name, pool = found
    unlock_at = sight.state.nodes[pool.node].unlock_at
    at = max(sight.now, unlock_at + delay)
    periods = [n for n in PERIODS if at + n * month > unlock_at] or [1]
    call = _by_operator(draw, sight, name, pool, "restake", months=draw.of(periods))
    blocks = -(-(at - sight.now) // sight.spec.chain.block_seconds) - (1 if draw.rarely(8) else 0)
    return [Advance(blocks), call] if blocks > 0 else [call]


@move(10)
def top_up_pool(draw: Draw, sight: Sight) -> list[Action] | None:
    found = _pool(
        draw,
        sight,
        lambda pool, node: (
            _runs(pool, node)
            and node.stake < STAKE
            and (not shares.is_closed(sight.state, pool) or draw.rarely(10))
            and (not node.exit_requested_at or draw.rarely(10))
        ),
    )
    if found is None:
        return None
    name, pool = found
    missing = STAKE - sight.state.nodes[pool.node].stake
    amount = draw.one(max(missing - 1, 0), 0) if draw.rarely(8) else draw.one(missing, missing + 1)
    operator = sight.account(pool.operator, "bob")
    member = draw.one(operator, operator, *PEOPLE)
    least = draw.one(0, 0, 0, missing, STAKE)
    args = {"amount": amount, "leastShares": least}
    return _paying(draw, sight, member, name, Send(member, name, "topUp", args))


@move(1)
def cheapened(draw: Draw, sight: Sight) -> Iterator[Action] | None:
    """A pool loses nearly all, is filled up, loses a little, and somebody takes a few shares."""
    found = _pool(
        draw,
        sight,
        lambda pool, node: (
            _runs(pool, node)
            and staking.is_active(node)
            and not sight.state.pending_incidents[pool.node]
        ),
    )
    if found is None or found[1].node == ZERO_ADDRESS or found[1].withdrawn:
        return None
    return _cheapened(draw, sight, *found)


def _cheapened(draw: Draw, sight: Sight, name: str, pool: Pool) -> Iterator[Action]:
    p, seconds = sight.model.parameters, sight.spec.chain.block_seconds
    worker, operator = sight.name(pool.node), sight.account(pool.operator, "bob")
    little = draw.one(1, 2, 3)
    for hours, member in ((235, operator), (little, draw.one("mallory", *PEOPLE))):
        node, cursor = sight.state.nodes[pool.node], sight.state.cursors[pool.node, OFFLINE]
        passed = sight.now - max(cursor, node.registered_at)
        if passed < hours * HOUR:
            yield Advance(-(-(hours * HOUR - passed) // seconds))
        identity = len(sight.state.incidents) + 1
        yield reported(draw, sight, worker, OFFLINE, hours * HOUR)
        yield Advance(p.appeal_window // seconds)
        yield Send("mallory", "Slashing", "execute", {"id": identity})
        top_up = {"amount": STAKE, "leastShares": 0}
        yield from _paying(draw, sight, member, name, Send(member, name, "topUp", top_up))


@move(3)
def harvest(draw: Draw, sight: Sight) -> Send | None:
    found = _pool(
        draw, sight, lambda pool, node: pool.node != ZERO_ADDRESS and pool.total_shares > 0
    )
    return None if found is None else Send("mallory", found[0], "harvest")


@move(6)
def collect(draw: Draw, sight: Sight) -> Send | None:
    """Mostly by somebody with something to collect, harvested already or not."""
    owed: list[tuple[str, str]] = []
    for name, address in shares.names(sight.state).items():
        pool = sight.state.pools[address]
        accrued = rewards.settled(sight.state, pool.node, sight.cycle).accrued
        for person in PEOPLE:
            row = sight.state.members[address, sight.address(person)]
            if (row.shares and accrued) or shares.due(row, pool.rewards_per_share):
                owed.append((person, name))
    if owed and not draw.rarely(10):
        return Send(*draw.of(owed), "collect")
    found = _pool(draw, sight, _runs) if draw.rarely(20) else None
    return None if found is None else Send(draw.one(*PEOPLE), found[0], "collect")


@move(5)
def exit_pool(draw: Draw, sight: Sight) -> Send | None:
    found = _pool(draw, sight, lambda pool, node: _runs(pool, node) and not node.exit_requested_at)
    if found is None:
        return None
    name, pool = found
    sender = (
        _member(draw, sight, name)[0] if draw.rarely(3) else sight.account(pool.operator, "bob")
    )
    return Send(sender, name, "requestExit")


@move(2)
def exit_past_the_period(draw: Draw, sight: Sight) -> list[Action] | None:
    """By a member as soon as it may."""
    found = _pool(draw, sight, lambda pool, node: _runs(pool, node) and not node.exit_requested_at)
    if found is None:
        return None
    name, pool = found
    member, _ = _member(draw, sight, name)
    due = sight.state.nodes[pool.node].unlock_at
    blocks = -(-(due - sight.now) // sight.spec.chain.block_seconds) - draw.one(0, 0, 1)
    call = Send(member, name, "requestExit")
    return [Advance(blocks), call] if pool.node != ZERO_ADDRESS and blocks > 0 else [call]


@move(1)
def fill_the_last_wei(draw: Draw, sight: Sight) -> list[Action] | None:
    """The operator leaves a little room, and somebody would become a member by filling it."""
    found = _pool(
        draw, sight, lambda pool, node: pool.node == ZERO_ADDRESS and pool.total_shares < STAKE
    )
    if found is None:
        return None
    name, pool = found
    operator = sight.account(pool.operator, "bob")
    member = draw.of([who for who in PEOPLE if who != operator])
    most = {"amount": max(shares.room(pool.total_shares) - draw.one(1, KOMP), 1)}
    return [
        *_paying(draw, sight, operator, name, Send(operator, name, "join", most)),
        *_paying(draw, sight, member, name, Send(member, name, "join", {"amount": 5 * KOMP})),
    ]


@move(14)
def withdraw_pool(draw: Draw, sight: Sight) -> list[Action] | None:
    """Once it is due, now and then by waiting for that: it takes months otherwise."""

    def leaves(pool: Pool, node: Node) -> bool:
        free = not sight.state.pending_incidents[pool.node]
        due = node.exit_at <= sight.now or draw.rarely(4)
        free = free and staking.is_live(node)
        return _runs(pool, node) and node.exit_at > 0 and due and (free or draw.rarely(8))

    found = _pool(draw, sight, leaves)
    if found is None:
        return None
    name, pool = found
    call = Send(draw.one(*PEOPLE), name, "withdraw")
    left = sight.state.nodes[pool.node].exit_at - sight.now
    blocks = -(-left // sight.spec.chain.block_seconds) - (1 if draw.rarely(8) else 0)
    return [Advance(blocks), call] if blocks > 0 else [call]


@move(14)
def redeem(draw: Draw, sight: Sight) -> Send | None:
    found = _pool(draw, sight, lambda pool, node: pool.withdrawn and pool.total_shares > 0)
    if found is None:
        return None
    return Send(_member(draw, sight, found[0])[0], found[0], "redeem")


def _paying(draw: Draw, sight: Sight, member: str, name: str, call: Send) -> list[Action]:
    """With the allowance it needs before it, where that is missing."""
    pair = sight.address(member), sight.address(name)
    if sight.state.allowances[pair] >= STAKE or draw.rarely(20):
        return [call]
    return [Send(member, "Kompute", "approve", {"spender": name, "value": 2**256 - 1}), call]


def _runs(pool: Pool, node: Node) -> bool:
    return pool.node != ZERO_ADDRESS and not pool.withdrawn


def _pool(
    draw: Draw, sight: Sight, wanted: Callable[[Pool, Node], bool]
) -> tuple[str, Pool] | None:
    """A pool that is wanted, rarely any other."""
    state = sight.state
    every = [(name, state.pools[address]) for name, address in shares.names(state).items()]
    fit = [(name, pool) for name, pool in every if wanted(pool, state.nodes[pool.node])]
    if fit:
        return draw.of(fit)
    return draw.of(every) if every and draw.rarely(60) else None


def _member(draw: Draw, sight: Sight, name: str) -> tuple[str, Member]:
    """Mostly somebody with shares."""
    rows = [(who, sight.state.members[sight.address(name), sight.address(who)]) for who in PEOPLE]
    fit = [(who, row) for who, row in rows if row.shares]
    return draw.of(fit if fit and not draw.rarely(10) else rows)


def _by_operator(
    draw: Draw, sight: Sight, name: str, pool: Pool, function: str, **args: Any
) -> Send:
    sender = draw.one(*PEOPLE) if draw.rarely(10) else sight.account(pool.operator, "bob")
    return Send(sender, name, function, args)
