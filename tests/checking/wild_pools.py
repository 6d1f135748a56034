"""Moves about pools, drawn as those of `wild`: mostly sensible, from everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model_world import DAY, KOMP, address
from wild import (
    MOVES,
    Move,
    Wild,
    add_reward,
    execute,
    pass_time,
    publish,
    publish_all,
)

from devnet.protocol.deployment import pool_name
from devnet.protocol.states import IncidentStatus

PEOPLE = ("alice", "bob", "mallory")
POOLS = 3


def _approved(wild: Wild, pool: int) -> None:
    for who in PEOPLE:
        args = {"spender": address(pool_name(pool)), "value": 2**256 - 1}
        wild.world.send(who, "Kompute", "approve", **args)


def create(wild: Wild) -> None:
    known = len(wild.world.model.state.pools)
    if known >= POOLS and not wild.rarely():
        return
    commission = wild.one(0, 500, 2_000, 2_001)
    sender = "gatekeeper-1" if wild.rarely() else wild.one(*PEOPLE)
    wild.world.send(sender, "PoolFactory", "create", commissionBps=commission)
    if len(wild.world.model.state.pools) > known:
        _approved(wild, known + 1)


def _pool(wild: Wild) -> int:
    return wild.random.randint(1, len(wild.world.model.state.pools))


def _operator(wild: Wild, pool: int) -> str:
    operator = wild.world.model.state.pools[address(pool_name(pool))].operator
    sensible = next((name for name in PEOPLE if address(name) == operator), "mallory")
    return wild.one(*PEOPLE) if wild.rarely() else sensible


def found(wild: Wild) -> None:
    """Operator and member fund what is missing, and a worker's node is staked for."""
    pool = _pool(wild)
    operator = _operator(wild, pool)
    wild.world.pool(pool, operator, "join", amount=wild.one(150, 499, 700) * KOMP)
    wild.world.pool(pool, wild.one(*PEOPLE), "join", amount=500 * KOMP)
    activate(wild)


def activate(wild: Wild) -> None:
    changes: dict[str, Any] = {"months": wild.one(1, 3, 2)}
    if wild.rarely():
        changes |= wild.one({"deadline": wild.world.now - 1}, {"signatures": bytes(130)})
    pool = _pool(wild)
    worker = wild.one("worker-1", "worker-2", "worker-3", "worker-4")
    wild.world.activate(pool, _operator(wild, pool), worker, **changes)


def by_anyone(function: str, **args: Any) -> Move:
    def call(wild: Wild) -> None:
        drawn = {name: draw(wild) for name, draw in args.items()}
        wild.world.pool(_pool(wild), wild.one(*PEOPLE), function, **drawn)

    return call


def restake(wild: Wild) -> None:
    pool = _pool(wild)
    wild.world.pool(pool, _operator(wild, pool), "restake", months=wild.one(1, 3, 12, 4))


def report(wild: Wild) -> None:
    """Long outages, so that pools close."""
    now = wild.world.now
    start = now - wild.one(3600, DAY, 5 * DAY, 9 * DAY + 80_000, 11 * DAY)
    wild.world.report(f"worker-{wild.random.randint(1, 4)}", start, now)


def season(wild: Wild) -> None:
    """A cycle with reward and V, and then everybody collects."""
    wild.world.add_reward(wild.random.randint(1, 1000 * KOMP))
    publish_all(wild)
    wild.world.next_cycle()
    pool = _pool(wild)
    for who in PEOPLE:
        wild.world.pool(pool, who, "collect")


def mending(wild: Wild) -> None:
    """A pool's node is slashed, and somebody fills it up, mostly the operator."""
    pool, world = _pool(wild), wild.world
    node = world.model.state.pools[address(pool_name(pool))].node
    worker = next((n for n in range(1, 5) if address(f"worker-{n}") == node), 1)
    end = world.now - world.block_seconds
    world.report(f"worker-{worker}", end - wild.one(3600, DAY, 9 * DAY + 80_000), end)
    world.wait(6 * 3600)
    world.execute(len(world.model.state.incidents))
    world.pool(pool, _operator(wild, pool), "topUp", amount=500 * KOMP, leastShares=0)


def serious(wild: Wild) -> None:
    """Level 3: the stake seized, then lost, or given back by the arbiter (L6)."""
    world = wild.world
    who = f"worker-{wild.random.randint(1, 4)}"
    keepers = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
    world.report(who, world.now, world.now, *keepers, level=3)
    incident = len(world.model.state.incidents)
    for member in PEOPLE:
        world.pool(_pool(wild), member, "topUp", amount=500 * KOMP, leastShares=0)
        world.send(member, "Slashing", "appeal", id=incident)
    if wild.random.random() < 0.5:
        world.send("arbiter", "Slashing", "rule", id=incident, upheld=wild.one(True, False))
    world.wait(12 * 3600)
    world.execute(incident)


def ending(wild: Wild) -> None:
    """The operator asks for the exit, everything is executed, and everybody redeems."""
    pool, world = _pool(wild), wild.world
    world.pool(pool, _operator(wild, pool), "requestExit")
    node = world.model.state.nodes[world.model.state.pools[address(pool_name(pool))].node]
    world.wait(max(node.exit_at - world.now, 0))
    for incident in range(1, len(world.model.state.incidents) + 1):
        if world.model.state.incidents[incident].state is IncidentStatus.PENDING:
            world.execute(incident)
    world.pool(pool, wild.one(*PEOPLE), "withdraw")
    for who in PEOPLE:
        world.pool(pool, who, "redeem")


def donate(wild: Wild) -> None:
    to = address(pool_name(_pool(wild)))
    wild.world.send(wild.one(*PEOPLE), "Kompute", "transfer", to=to, value=wild.one(1, 7 * KOMP))


POOL_MOVES: dict[Move, float] = {
    pass_time: 30,
    create: 3,
    found: 6,
    activate: 3,
    by_anyone("join", amount=lambda w: w.one(0, 1, 5 * KOMP, 100 * KOMP, 600 * KOMP)): 5,
    by_anyone("leave", amount=lambda w: w.one(0, 1, 50 * KOMP, 300 * KOMP)): 4,
    by_anyone(
        "topUp",
        amount=lambda w: w.one(0, 1, 25 * KOMP, 500 * KOMP, 500 * KOMP),
        leastShares=lambda w: w.one(0, 0, KOMP),
    ): 10,
    by_anyone("harvest"): 4,
    by_anyone("collect"): 8,
    by_anyone("requestExit"): 2,
    by_anyone("withdraw"): 4,
    by_anyone("redeem"): 8,
    restake: 3,
    donate: 1,
    season: 10,
    mending: 8,
    ending: 4,
    serious: 2,
    publish: 8,
    publish_all: 8,
    add_reward: 8,
    report: 4,
    execute: 8,
    **{move: 1 for move in MOVES if move not in (pass_time, publish, publish_all)},
}


class WildPools(Wild):
    """Begins with a pool that runs."""

    def table(self) -> Mapping[Move, float]:
        return POOL_MOVES

    def begin(self) -> None:
        self.world.funded_pool(1, 1_000, alice=200 * KOMP, bob=300 * KOMP)
        _approved(self, 1)
        assert self.world.activate(1, "alice", "worker-1").ok
