"""Order 1 of alice on node 1: made, accepted, stated and counted."""

from __future__ import annotations

from typing import Any

from contracts_stage import GATEKEEPERS, HOUR, KOMP, Stage, address, signed

from devnet.protocol import order_spec

NODE = address("node-1")
ZERO = "0x" + "00" * 20
CONTAINER, SERVERLESS = 0, 1
HALT = 2 * HOUR
SPEC = b"\x5e" * 32
BOUND = order_spec(CONTAINER, SPEC, 2_000, 4_096, 0)  # SPEC with kind and size (M1)
NO_LIMIT = 2**128 - 1
RATE = 144 * KOMP // 1_000  # 2 vCPU at 0.06 and 4 GiB at 0.006 KOMP an hour
PER_MILLION, PER_GIB_SECOND = 30 * KOMP // 100, 24 * KOMP // 1_000_000


def request(kind: int = CONTAINER, **changes: Any) -> dict[str, Any]:
    """IMarket.Request: 2 vCPU and 4 GiB, at most 3 replicas, for ten hours."""
    return {
        "kind": kind,
        "spec": SPEC,
        "milliCpu": 2_000,
        "memoryMib": 4_096,
        "storageGib": 0,
        "maxReplicas": 3,
        "duration": 10 * HOUR,
        "deposit": 20 * KOMP,
        "maxRate": NO_LIMIT,
        "maxRate2": NO_LIMIT,
        **changes,
    }


def create(stage: Stage, kind: int = CONTAINER, **changes: Any) -> int:
    sent = stage.send("alice", "Market", "createOrder", request(kind, **changes))
    return int(sent.event("OrderCreated")["id"])


def accepted(stage: Stage, kind: int = CONTAINER, **changes: Any) -> int:
    """When order 1 was accepted by node 1."""
    stage.stake(1)
    create(stage, kind, **changes)
    return stage.send("node-1", "Market", "accept", 1).timestamp


def statement(
    stage: Stage, seq: int, replicas: int, at: int, *names: str, order: int = 1
) -> tuple[Any, ...]:
    digest = stage.domains.running(order, seq, replicas, at)
    return order, seq, replicas, at, signed(digest, *(names or GATEKEEPERS[:2]))


def running(stage: Stage, seq: int, replicas: int, at: int) -> None:
    stage.send("mallory", "Market", "reportRunning", *statement(stage, seq, replicas, at))


def counters(stage: Stage, invocations: int, mib_ms: int, *names: str) -> tuple[Any, ...]:
    digest = stage.domains.counters(1, invocations, mib_ms)
    return 1, invocations, mib_ms, signed(digest, *(names or GATEKEEPERS[:2]))


def order(stage: Stage, number: int = 1) -> dict[str, Any]:
    return dict(stage.read("Market", "orderOf", number))


def refusal(stage: Stage, sender: str, function: str, *given_: Any) -> tuple[str, dict[str, Any]]:
    error = stage.refused(sender, "Market", function, *given_)
    return error.name, dict(error.values)


def cost(replica_seconds: int) -> int:
    return RATE * replica_seconds // HOUR
