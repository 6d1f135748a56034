"""A small network after a long life, and what all its balances come to."""

from __future__ import annotations

from model_world import DAY, KOMP, World

from devnet.chain.keccak import keccak
from devnet.model import Ledger


def invariant_sum(ledger: Ledger) -> int:
    """Σ of all balances (invariant 1)."""
    return sum(ledger.balances.values())


def lived_through() -> World:
    """A network that has staked, published, claimed, been slashed, billed and refunded."""
    world = World()
    for n, months in enumerate((1, 3, 6, 12), start=1):
        assert world.stake(f"worker-{n}", months).ok
    world.prices()
    assert world.add_reward(1000 * KOMP).ok
    world.mine()
    for n in range(1, 5):
        assert world.publish(f"worker-{n}", c1=500_000 + 1000 * n).ok
    assert world.order().ok
    assert world.order("bob", kind=1).ok
    assert world.order(deposit=3 * KOMP).ok
    assert world.accept(1).ok
    assert world.accept(2, "worker-3").ok
    assert world.client("close", 3).ok
    start = world.now
    assert world.running(1, 1, 2, world.now).ok
    assert world.client("invoke", 2, "bob", payloadHash=keccak(b"kompute")).ok
    world.mine(5)
    done = {"invocation": 1, "exitCode": 0, "resultHash": keccak(b"result")}
    assert world.send("bob", "Market", "complete", **done).ok
    assert world.counters(2, 10_000, 5_000_000_000).ok
    assert world.running(1, 2, 1, world.now).ok
    world.wait(DAY // 2)
    assert world.report("worker-2", start, start + 43_200).ok
    for order in (1, 2):
        assert world.client("settle", order).ok
    world.wait(6 * 3600)
    assert world.execute(1).ok
    assert world.add_reward(500 * KOMP).ok
    world.next_cycle()
    assert world.owner("worker-1", "claimAll", "Rewards").ok
    assert world.owner("worker-2", "claim", "Rewards", cycle=0).ok
    assert world.owner("worker-2", "topUp", amount=25 * KOMP).ok
    assert world.owner("worker-1", "restake", months=12).ok
    world.mine()
    assert world.publish("worker-1").ok
    assert not world.publish("worker-1").ok
    assert world.client("close", 2, "bob").ok
    world.wait(10 * DAY)
    for order in (1, 2):
        assert world.client("finalize", order).ok
    assert world.owner("worker-4", "requestExit").ok
    world.wait(366 * DAY)
    assert world.owner("worker-4", "withdraw").ok
    assert world.owner("worker-3", "claimAll", "Rewards").ok
    return world
