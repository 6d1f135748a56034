"""Transactions drawn at random, half of them sensible, from everybody to every contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from model_world import CLOUD_FEEDS, DAY, KOMP, PRICED, REFERENCE, USD_PRICES, World, address

from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED

WORKERS = tuple(f"worker-{n}" for n in range(1, 5))
CLIENTS = ("alice", "bob", "mallory")
GATEKEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")

Move = Callable[["Wild"], Any]


class Wild:
    """Draws moves for a world; the same seed gives the same moves."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.seq = 0

    def move(self) -> None:
        """One transaction, or some time."""
        moves, weights = zip(*self.table().items(), strict=True)
        self.random.choices(moves, weights)[0](self)

    def table(self) -> Mapping[Move, float]:
        """What is drawn from, and how often."""
        return MOVES

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def rarely(self) -> bool:
        return self.random.random() < 0.15

    def signers(self) -> tuple[str, ...]:
        if not self.rarely():
            return ()
        return self.one(GATEKEEPERS, GATEKEEPERS[:1], ("gatekeeper-1", "mallory"), ("alice", "bob"))

    def order(self) -> int:
        known = len(self.world.model.state.orders)
        return (
            self.random.randint(0, known + 1)
            if self.rarely()
            else self.random.randint(1, known or 1)
        )


def pass_time(wild: Wild) -> None:
    wild.world.mine(wild.one(1, 1, 1, 2, 3, 5, 14, 30, wild.one(12, 180, 400)))


def stake(wild: Wild) -> None:
    changes: dict[str, Any] = {}
    if wild.rarely():
        changes = wild.one(
            {"deadline": wild.world.now - 1},
            {"owner": "gatekeeper-1"},
            {"owner": "mallory"},
            {"hardware": wild.one(*WORKERS)},
            {"signatures": b"short"},
            {"signatures": bytes(130)},
        )
    wild.world.stake(wild.one(*WORKERS), wild.one(1, 3, 6, 12, 2), **changes)


def owned(function: str, contract: str = "Staking", **args: Callable[[Wild], Any]) -> Move:
    def call(wild: Wild) -> None:
        drawn = {name: draw(wild) for name, draw in args.items()}
        worker = wild.one(*WORKERS)
        if wild.rarely():
            node = address(worker)
            wild.world.send(wild.one(*CLIENTS), contract, function, node=node, **drawn)
        else:
            wild.world.owner(worker, function, contract, **drawn)

    return call


def publish(wild: Wild) -> None:
    world, changes = wild.world, dict[str, Any]()
    for name in ("sgx", "b", "c1", "c2", "c3"):
        changes[name] = REFERENCE[name] * wild.random.randint(1, 40) // 20
    if wild.rarely():
        changes |= wild.one(
            {"sequence": 1},
            {"cycle": world.cycle + 1},
            {"measuredBlock": world.block - 300},
            {"measuredBlock": world.block},
            {"measuredBlock": max(world.block - 20, 0)},
            {"measuredHash": bytes(32)},
            {"sgx": 0},
            {"b": 10**7 + 1},
            {"c1": 10**12},
            {"b": 0},
            {"sender": "mallory"},
        )
    changes["measuredBlock"] = max(changes.get("measuredBlock", world.block - 1), 0)
    world.publish(wild.one(*WORKERS), signers=wild.signers(), **changes)


def publish_all(wild: Wild) -> None:
    wild.world.mine()
    for worker in WORKERS:
        wild.world.publish(worker)


def add_reward(wild: Wild) -> None:
    amount = wild.one(0, 1, 7, KOMP, 1000 * KOMP, wild.random.randint(1, 10**21), 2**128)
    wild.world.send(wild.one("treasury", "alice"), "Rewards", "addReward", amount=amount)


def report(wild: Wild) -> None:
    now = wild.world.now
    start = now - wild.one(60, 7200, DAY // 2, DAY, 2 * DAY, wild.one(0, 11 * DAY, 15 * DAY))
    end = start + wild.one(60, 3600, 7200, DAY // 2, wild.one(0, DAY, 11 * DAY))
    level = 2 if wild.rarely() else 1
    wild.world.report(wild.one(*WORKERS), start, end, *wild.signers(), level=level)


def execute(wild: Wild) -> None:
    wild.world.execute(wild.random.randint(0, len(wild.world.model.state.incidents) + 1))


def transmit(wild: Wild) -> None:
    resource = wild.one(*PRICED)
    usd = USD_PRICES[resource] * wild.one(60, 90, 99, 100, 101, 110, 160) // 100
    changes: dict[str, Any] = {}
    if wild.rarely():
        changes = wild.one(
            {"epoch": 0},
            {"configDigest": b"\x01" * 32},
            {"observationsTimestamp": 2**32 - 1},
            {"sender": "mallory"},
            {"observations": (usd, usd)},
            {"observations": (usd, usd - 1, usd)},
            {"observations": (0, 0, 0)},
            {"observations": (-5, -5, usd, usd)},
            {"signers": ("oracle-1",)},
            {"signers": ("oracle-1", "alice")},
            {"signers": ("oracle-1", "oracle-1")},
        )
    wild.world.transmit(wild.one(*CLOUD_FEEDS[resource]), usd, **changes)


def transmit_other(wild: Wild) -> None:
    feed, answer = wild.one(
        (KOMP_USD_FEED, wild.random.randint(10**7, 10**8)),
        (UTILIZATION_FEED, wild.random.randint(1, 10**18 - 1)),
        (UTILIZATION_FEED, 0),
    )
    wild.world.transmit(feed, answer, observations=(answer, answer, answer))


def all_prices(wild: Wild) -> None:
    for resource, feeds in CLOUD_FEEDS.items():
        for feed in feeds:
            wild.world.transmit(feed, USD_PRICES[resource])
        wild.world.poke(resource)
    wild.world.transmit(UTILIZATION_FEED, wild.random.randint(1, 10**18 - 1))
    wild.world.transmit(KOMP_USD_FEED, 50_000_000)


def poke(wild: Wild) -> None:
    wild.world.poke(wild.one(*PRICED, "egress_gib"))


def create_order(wild: Wild) -> None:
    """Mostly with fresh prices, and taken at once."""
    if not wild.rarely():
        all_prices(wild)
    changes: dict[str, Any] = {
        "milliCpu": wild.random.randint(0, 4000),
        "memoryMib": wild.random.randint(0, 8192),
        "maxRate": 10 * KOMP,
        "deposit": wild.one(1, KOMP, 20 * KOMP, wild.random.randint(1, 10**20)),
        "duration": wild.one(3600, DAY, 10 * DAY, 30 * DAY),
    }
    if wild.rarely():
        changes |= wild.one(
            {"duration": 0},
            {"duration": 30 * DAY + 1},
            {"deposit": 0},
            {"deposit": 10**25},
            {"maxReplicas": 0},
            {"maxRate": 1},
            {"maxRate2": 0},
        )
    wild.world.order(wild.one(*CLIENTS), wild.one(0, 1), **changes)
    for worker in WORKERS:
        wild.world.accept(len(wild.world.model.state.orders), worker)


def accept(wild: Wild) -> None:
    wild.world.accept(wild.order(), wild.one(*WORKERS))


def of_order(function: str, **args: Callable[[Wild], Any]) -> Move:
    def call(wild: Wild) -> None:
        identity = wild.order()
        drawn = {name: draw(wild) for name, draw in args.items()}
        client = wild.world.model.state.orders[identity].client
        names = {address(name): name for name in CLIENTS}
        sender = names.get(client, "mallory")
        sender = wild.one(*CLIENTS) if wild.rarely() else sender
        wild.world.client(function, identity, sender, **drawn)

    return call


def running(wild: Wild) -> None:
    wild.seq += wild.one(0, 1, 1, 1, 2)
    at = wild.world.now - wild.one(0, 0, 0, 60, 3600, 7200, 86_400, -1800)
    replicas = 5 if wild.rarely() else wild.random.randint(0, 4)
    wild.world.running(wild.order(), wild.seq, replicas, at, *wild.signers())


def counters(wild: Wild) -> None:
    identity = wild.order()
    known = wild.world.model.state.orders[identity]
    more = wild.random.randint(0, 10**6), wild.random.randint(0, 10**10)
    if wild.rarely():
        more = wild.one((-1, 0), (0, -1), (2**64, 0), (0, 2**64))
    totals = [
        max(total + extra, 0)
        for total, extra in zip((known.total, known.total2), more, strict=True)
    ]
    wild.world.counters(identity, *totals, *wild.signers())


def complete(wild: Wild) -> None:
    known = len(wild.world.model.state.invocations)
    args = {"invocation": wild.random.randint(0, known + 1), "exitCode": 0, "resultHash": bytes(32)}
    wild.world.send(wild.one(*CLIENTS), "Market", "complete", **args)


def tokens(wild: Wild) -> None:
    to = wild.one(address("bob"), address("Staking"), address("Market"), "0x" + 40 * "0")
    value = wild.one(0, 1, KOMP, 10**24)
    sender, other = wild.one(*CLIENTS), address(wild.one(*CLIENTS))
    function, args = wild.one(
        ("transfer", {"to": to, "value": value}),
        ("approve", {"spender": to, "value": value}),
        ("transferFrom", {"from": other, "to": to, "value": value}),
    )
    wild.world.send(sender, "Kompute", function, **args)


def govern(wild: Wild) -> None:
    sender = wild.one("governance", "alice")
    max_v = wild.one(10**19, 10**20, 10**18, 2**96)
    third = address("gatekeeper-3")
    change = wild.one(((third,), ()), ((), (third,)), ((third,), (third,)))
    added, removed = change
    contract, function, args = wild.one(
        ("Rewards", "setMaxV", {"maxV_": max_v}),
        (
            "Gatekeepers",
            "change",
            {"added": added, "removed": removed, "perfQuorum": wild.one(1, 2, 2, 2, 3, 4)},
        ),
        ("Staking", "slash", {"node": address("worker-1"), "amount": 1}),
    )
    wild.world.send(sender, contract, function, **args)


def top_up(wild: Wild) -> None:
    """Mostly just what the node lacks."""
    worker = wild.one(*WORKERS)
    room = 500 * KOMP - wild.world.model.state.nodes[address(worker)].stake
    wild.world.owner(worker, "topUp", amount=KOMP if wild.rarely() else room)


MOVES: dict[Move, float] = {
    pass_time: 20,
    stake: 6,
    owned("restake", months=lambda w: w.one(1, 3, 6, 12, 5)): 3,
    top_up: 8,
    owned("requestExit"): 0.4,
    owned("withdraw"): 2,
    publish: 10,
    publish_all: 6,
    add_reward: 8,
    owned("claim", "Rewards", cycle=lambda w: max(w.world.cycle - w.random.randint(0, 3), 0)): 8,
    owned("claimAll", "Rewards"): 4,
    report: 5,
    execute: 5,
    transmit: 6,
    transmit_other: 4,
    all_prices: 2,
    poke: 5,
    create_order: 6,
    accept: 6,
    of_order("close"): 2,
    of_order("scale", replicas=lambda w: w.random.randint(0, 5)): 2,
    of_order("settle"): 6,
    of_order("finalize"): 4,
    of_order("invoke", payloadHash=lambda w: bytes(32)): 4,
    running: 10,
    counters: 6,
    complete: 3,
    tokens: 4,
    govern: 2,
}
