"""Invariants 2 and 11 hold in a pool's life, and each part of them fails on a corrupted one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from corrupting import History, checked, numbers
from model_world import KOMP, World, address

from devnet.model import Ledger, MemberLedger

POOL = "Pool:1"
DAY = 86_400


@pytest.fixture
def pooled() -> World:
    """A pool of two that has earned, been slashed, filled up, ended and redeemed in part."""
    world = World()
    world.funded_pool(alice=200 * KOMP, bob=300 * KOMP)
    assert world.activate(1, "alice", "worker-1").ok
    assert world.add_reward(1000 * KOMP).ok
    world.mine()
    assert world.publish("worker-1").ok
    world.next_cycle()
    assert world.pool(1, "bob", "collect").ok
    world.wait(2 * DAY)
    assert world.report("worker-1", world.now - DAY, world.now).ok
    world.wait(6 * 3600)
    assert world.execute(1).ok
    assert world.pool(1, "alice", "topUp", amount=500 * KOMP, leastShares=0).ok
    assert world.pool(1, "alice", "requestExit").ok
    world.wait(40 * DAY)
    assert world.pool(1, "mallory", "withdraw").ok
    assert world.pool(1, "bob", "redeem").ok
    return world


def raised(history: History, name: str, **changes: Any) -> History:
    """The first event of that name changed by so much, or to another value."""
    found = next(tx for tx in history if any(e.name == name for e in tx.events))
    events = tuple(
        replace(e, args={**e.args, **{k: e.args[k] + v for k, v in changes.items()}})
        if e.name == name
        else e
        for e in found.events
    )
    return [replace(tx, events=events) if tx is found else tx for tx in history]


def pool(ledger: Ledger, **changes: Any) -> Ledger:
    return replace(ledger, pools={POOL: replace(ledger.pools[POOL], **changes)})


def member(ledger: Ledger, name: str, **changes: int) -> Ledger:
    rows = dict(ledger.pools[POOL].members)
    row = rows.get(address(name), MemberLedger(0, 0, 0))
    rows[address(name)] = replace(
        row, **{key: getattr(row, key) + more for key, more in changes.items()}
    )
    return pool(ledger, members=rows)


def test_a_pools_life_holds(pooled: World) -> None:
    assert checked(pooled, pooled.ledger(), pooled.history) == ()
    row = pooled.ledger().pools[POOL]
    assert row.withdrawn
    assert list(row.members) == [address("alice")]


LEDGERS: Mapping[str, tuple[int, Callable[[Ledger], Ledger]]] = {
    "a share from nowhere": (11, lambda it: member(it, "alice", shares=1)),
    "a share in the total only": (
        11,
        lambda it: pool(it, total_shares=it.pools[POOL].total_shares + 1),
    ),
    "more uncollected than harvested": (11, lambda it: member(it, "alice", uncollected=KOMP)),
    "a commission that was not taken": (11, lambda it: member(it, "alice", commission=1)),
    "assets beyond what is left": (11, lambda it: pool(it, assets=it.pools[POOL].assets + 1)),
    "a pool that is gone": (11, lambda it: replace(it, pools={})),
    "a wei less than it owes": (
        2,
        lambda it: replace(
            it,
            balances={**it.balances, address(POOL): it.balances[address(POOL)] - 1},
        ),
    ),
}

HISTORIES: Mapping[str, tuple[int, Callable[[History], History]]] = {
    "a commission too high": (11, lambda it: raised(it, "Harvested", commission=1)),
    "more harvested than received": (11, lambda it: raised(it, "Harvested", gross=10)),
    "a top-up that mints too much": (11, lambda it: raised(it, "PoolToppedUp", shares=1)),
    "a redemption of another's part": (11, lambda it: raised(it, "Redeemed", amount=1)),
    "more joined than paid": (2, lambda it: raised(it, "Joined", amount=1)),
    "more collected than there was": (11, lambda it: raised(it, "Collected", amount=2000 * KOMP)),
}


@pytest.mark.parametrize("name", LEDGERS)
def test_a_corrupted_ledger_is_seen(pooled: World, name: str) -> None:
    number, corrupt = LEDGERS[name]
    assert number in numbers(checked(pooled, corrupt(pooled.ledger()), pooled.history))


@pytest.mark.parametrize("name", HISTORIES)
def test_a_corrupted_event_is_seen(pooled: World, name: str) -> None:
    number, corrupt = HISTORIES[name]
    assert number in numbers(checked(pooled, pooled.ledger(), corrupt(pooled.history)))


def test_a_gift_to_a_pool_is_nobodys(pooled: World) -> None:
    sent = pooled.send("bob", "Kompute", "transfer", to=address(POOL), value=KOMP)
    assert sent.ok
    assert checked(pooled, pooled.ledger(), pooled.history) == ()


def test_an_operator_under_a_fifth_is_seen() -> None:
    world = World()
    world.funded_pool(alice=200 * KOMP, bob=300 * KOMP)
    ledger = world.ledger()
    row = ledger.pools[POOL]
    poorer = pool(ledger, operator=address("mallory"))
    assert row.operator == address("alice")
    assert 11 in numbers(checked(world, poorer, world.history))
