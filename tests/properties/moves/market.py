"""M1 to M6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from devnet.model import staking
from devnet.model.calls import ZERO_ADDRESS
from devnet.model.gatekeepers import Quorum
from devnet.model.market import LONGEST, end_of
from devnet.protocol.states import Kind, OrderState
from devnet.spec.network import (
    CONTAINER_RESOURCES,
    SERVERLESS_RESOURCES,
    VIRTUAL_MACHINE_RESOURCES,
)

from ..action import Action, Send, now
from ..sight import KOMP, Draw, Sight
from . import move
from .pricing import priced
from .signatures import quorum

HOUR = 3600
DAY = 24 * HOUR
FARTHEST = 3650 * DAY  # that a step may say from now (D1)
PRICED_BY = {0: CONTAINER_RESOURCES, 1: SERVERLESS_RESOURCES, 2: VIRTUAL_MACHINE_RESOURCES}


@move(8)
def create_order(draw: Draw, sight: Sight) -> Iterator[Action] | None:
    """Mostly taken at once, and its replicas run; else what is billed is rarely reached."""
    kinds = [kind for kind, resources in PRICED_BY.items() if priced(sight, resources)]
    if not kinds and not draw.rarely(40):
        return None
    client = draw.of(sight.clients[:3])
    kind = draw.of(kinds or [0])
    request: dict[str, Any] = {
        "kind": kind,
        "spec": {"hash": "web"},
        "milliCpu": draw.one(500, 1000, 333, 64_000),
        "memoryMib": draw.one(1024, 7, 262_144),
        "storageGib": draw.one(100, 1, 7, 0) if kind == 2 else 0,
        "maxReplicas": draw.one(4, 1, 1000),
        "duration": draw.one(10 * DAY, DAY, 30 * DAY, HOUR),
        "deposit": draw.one(20 * KOMP, KOMP, 12_345, 1, 7 * KOMP + 9),
        "maxRate": 10**6 * KOMP,
        "maxRate2": 10**6 * KOMP,
    }
    if draw.rarely():
        request |= draw.one(
            {"duration": 0},
            {"duration": 30 * DAY + 1},
            {"deposit": 0},
            {"deposit": sight.balance(client) + 1},
            {"maxReplicas": 0},
            {"maxRate": 1},
            {"maxRate2": 0},
            {"kind": 3},
            {"storageGib": 1},
        )
    made = Send(client, "Market", "createOrder", {"request": request})
    return _begun(draw, sight, made, len(sight.state.orders) + 1)


def _begun(draw: Draw, sight: Sight, made: Send, identity: int) -> Iterator[Action]:
    yield made
    able = [w for w in sight.staked() if staking.is_active(sight.node(w))]
    able = [worker for worker in able if not sight.node(worker).suspensions]
    if identity not in sight.state.orders or not able or draw.rarely(4):
        return
    yield Send(draw.of(able), "Market", "accept", {"id": identity})
    order = sight.state.orders[identity]
    if order.acceptedAt and order.kind != Kind.SERVERLESS and not draw.rarely(4):
        args = {"id": identity, "seq": 1, "replicas": order.maxReplicas, "at": now(0)}
        signed = {"signers": sight.members()[: sight.needed(Quorum.PERF)]}
        yield Send("gatekeeper-1", "Market", "reportRunning", {**args, "signatures": signed})


@move(4)
def accept(draw: Draw, sight: Sight) -> Send | None:
    waiting = _orders(sight, lambda o: o.node == ZERO_ADDRESS and sight.now < o.createdAt + LONGEST)
    active = [w for w in sight.staked() if staking.is_active(sight.node(w))]
    if not (waiting and active) and not draw.rarely(40):
        return None
    worker = draw.of(active or sight.workers)
    worker = draw.one(*sight.workers, "mallory") if draw.rarely(12) else worker
    return Send(worker, "Market", "accept", {"id": _chosen(draw, sight, waiting)})


@move(2)
def close(draw: Draw, sight: Sight) -> Send | None:
    going = _orders(sight, lambda o: not o.acceptedAt or sight.now < end_of(o))
    if not going and not draw.rarely(40):
        return None
    return _by_client(draw, sight, "close", _chosen(draw, sight, going))


@move(2)
def scale(draw: Draw, sight: Sight) -> Send | None:
    going = _orders(
        sight,
        lambda o: o.kind != Kind.SERVERLESS and (not o.acceptedAt or sight.now < end_of(o)),
    )
    if not going and not draw.rarely(40):
        return None
    identity = _chosen(draw, sight, going)
    most = sight.state.orders[identity].maxReplicas
    replicas = draw.one(most, 0, 1, most + 1)
    return _by_client(draw, sight, "scale", identity, replicas=replicas)


@move(10)
def report_running(draw: Draw, sight: Sight) -> Send | None:
    billed = _orders(
        sight,
        lambda o: (
            o.acceptedAt > 0
            and o.kind != Kind.SERVERLESS
            and max(o.settledUntil, o.statementAt) < end_of(o)
        ),
    )
    if not billed and not draw.rarely(40):
        return None
    identity = _chosen(draw, sight, billed)
    order = sight.state.orders[identity]
    earliest = max(order.settledUntil, order.statementAt)
    latest = min(sight.now, end_of(order) - 1) if order.acceptedAt else sight.now
    at = draw.one(latest, earliest, (earliest + latest) // 2)
    seq = order.statementSeq + draw.one(1, 1, 2)
    replicas = draw.one(order.maxReplicas, 1, 0)
    if draw.rarely(10):
        seq, replicas, at = draw.one(
            (order.statementSeq, replicas, at),
            (seq, order.maxReplicas + 1, at),
            (seq, replicas, earliest - 1),
            (seq, replicas, latest + 1),
            (2**64, replicas, at),
        )
    args = {
        "id": identity,
        "seq": seq,
        "replicas": replicas,
        "at": now(at - sight.now) if sight.now - at < FARTHEST else max(at, 0),
    }
    signed = quorum(draw, sight, Quorum.PERF, "Slashing", seq=seq + 1, replicas=replicas + 1)
    sender = draw.one("gatekeeper-1", "mallory")
    return Send(sender, "Market", "reportRunning", {**args, "signatures": signed})


@move(8)
def report_counters(draw: Draw, sight: Sight) -> Send | None:
    billed = _orders(sight, lambda o: o.acceptedAt > 0 and o.kind == Kind.SERVERLESS)
    if not billed and not draw.rarely(40):
        return None
    identity = _chosen(draw, sight, billed)
    order = sight.state.orders[identity]
    totals = [
        order.total + draw.one(1000, 1, 0, 10**7),
        order.total2 + draw.one(10**9, 1, 0, 10**13),
    ]
    if draw.rarely(12):
        totals = draw.one(
            [order.total - 1, order.total2],
            [order.total, order.total2 - 1],
            [2**64, order.total2],
        )
    args = {"id": identity, "invocations": max(totals[0], 0), "mibMilliseconds": max(totals[1], 0)}
    signed = quorum(draw, sight, Quorum.PERF, "Rewards", invocations=args["invocations"] + 1)
    return Send("gatekeeper-1", "Market", "reportCounters", {**args, "signatures": signed})


@move(12)
def settle(draw: Draw, sight: Sight) -> Send | None:
    accepted = _orders(sight, lambda o: o.acceptedAt > 0)
    if not accepted and not draw.rarely(40):
        return None
    sender = draw.one("mallory", "alice", "gatekeeper-1")
    return Send(sender, "Market", "settle", {"id": _chosen(draw, sight, accepted)})


@move(7)
def finalize(draw: Draw, sight: Sight) -> Send | None:
    delay = sight.model.parameters.halt_delay
    due = _orders(sight, lambda o: o.acceptedAt > 0 and sight.now >= end_of(o) + delay)
    if not due and not draw.rarely(40):
        return None
    return Send("mallory", "Market", "finalize", {"id": _chosen(draw, sight, due)})


@move(3)
def invoke(draw: Draw, sight: Sight) -> Send | None:
    going = _orders(
        sight,
        lambda o: o.acceptedAt > 0 and o.kind == Kind.SERVERLESS and sight.now < end_of(o),
    )
    if not going and not draw.rarely(40):
        return None
    identity = _chosen(draw, sight, going)
    return _by_client(draw, sight, "invoke", identity, payloadHash={"hash": "payload"})


@move(3)
def complete(draw: Draw, sight: Sight) -> Send | None:
    rows = sight.state.invocations
    open_ = [i for i, invocation in rows.items() if not invocation.completed]
    if not open_ and not draw.rarely(40):
        return None
    identity = draw.of(open_) if open_ and not draw.rarely() else len(rows) + draw.one(0, 1)
    client = sight.account(sight.state.orders[rows[identity].order].client, "mallory")
    sender = "mallory" if draw.rarely(16) else client
    args = {"invocation": identity, "exitCode": draw.one(0, 1), "resultHash": {"hash": "result"}}
    return Send(sender, "Market", "complete", args)


def _orders(sight: Sight, wanted: Any) -> list[int]:
    found: list[int] = []
    for identity, order in sight.state.orders.items():
        if not order.finalized and wanted(order):
            found.append(identity)
    return found


def _chosen(draw: Draw, sight: Sight, sensible: list[int]) -> int:
    if sensible and not draw.rarely(20):
        return draw.of(sensible)
    return draw.integer(0, len(sight.state.orders) + 1)


def _by_client(draw: Draw, sight: Sight, function: str, identity: int, **args: Any) -> Send:
    order: OrderState = sight.state.orders[identity]
    client = sight.account(order.client, "mallory")
    sender = "mallory" if draw.rarely(16) else client
    return Send(sender, "Market", function, {"id": identity, **args})
