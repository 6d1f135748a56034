"""Virtual machines: ordered with storage, billed by what runs, halted and refunded (M1, M3, M6)."""

from __future__ import annotations

from typing import Any

import pytest
from contracts_stage import GATEKEEPERS, HOUR, KOMP, Stage, address, signed
from incidents_stage import report

CONTAINER, SERVERLESS, VIRTUAL_MACHINE = range(3)
HALT = 2 * HOUR
NO_LIMIT = 2**128 - 1
CONTAINER_RATE = 144 * KOMP // 1_000  # 2 vCPU at 0.06 and 4 GiB at 0.006 KOMP an hour
STORAGE = 120 * KOMP // 1_000  # a GiB-month, KOMP


def request(kind: int, **changes: Any) -> dict[str, Any]:
    """IMarket.Request: 2 vCPU and 4 GiB, a machine with 90 GiB, for ten hours."""
    return {
        "kind": kind,
        "spec": b"\x5e" * 32,
        "milliCpu": 2_000,
        "memoryMib": 4_096,
        "storageGib": 90 if kind == VIRTUAL_MACHINE else 0,
        "maxReplicas": 3,
        "duration": 10 * HOUR,
        "deposit": 20 * KOMP,
        "maxRate": NO_LIMIT,
        "maxRate2": 0,
        **changes,
    }


def rate_of(kind: int) -> int:
    return CONTAINER_RATE + (90 * STORAGE // 720 if kind == VIRTUAL_MACHINE else 0)


def accepted(stage: Stage, kind: int, **changes: Any) -> int:
    """When order 1 was accepted by node 1."""
    stage.stake(1)
    stage.send("alice", "Market", "createOrder", request(kind, **changes))
    return stage.send("node-1", "Market", "accept", 1).timestamp


def state(stage: Stage, seq: int, replicas: int, at: int) -> None:
    digest = stage.domains.running(1, seq, replicas, at)
    given = (1, seq, replicas, at, signed(digest, *GATEKEEPERS[:2]))
    stage.send("mallory", "Market", "reportRunning", *given)


def test_m1_a_machine_s_rate_has_its_storage_by_the_month(stage: Stage) -> None:
    assert stage.read("Pricing", "priceInKomp", 2) == STORAGE
    sent = stage.send("alice", "Market", "createOrder", request(VIRTUAL_MACHINE))
    assert sent.event("OrderCreated")["kind"] == VIRTUAL_MACHINE
    found = stage.read("Market", "orderOf", 1)
    assert (found["kind"], found["rate"], found["rate2"]) == (VIRTUAL_MACHINE, 159 * 10**15, 0)


@pytest.mark.parametrize(("gib", "more"), [(0, 0), (1, STORAGE // 720), (2**32 - 1, None)])
def test_m1_storage_is_rounded_down_on_its_own(stage: Stage, gib: int, more: int | None) -> None:
    made = request(VIRTUAL_MACHINE, storageGib=gib)
    stage.send("alice", "Market", "createOrder", made)
    rate = stage.read("Market", "orderOf", 1)["rate"]
    assert rate - CONTAINER_RATE == (gib * STORAGE // 720 if more is None else more)


@pytest.mark.parametrize("kind", [CONTAINER, SERVERLESS], ids=["container", "serverless"])
def test_m1_only_machines_have_storage(stage: Stage, kind: int) -> None:
    made = request(kind, storageGib=1, maxRate2=NO_LIMIT)
    error = stage.refused("alice", "Market", "createOrder", made)
    assert (error.name, error.values) == ("StorageUnexpected", {"storageGib": 1})


def test_m1_a_machine_without_replicas_or_beyond_its_rate_is_refused(stage: Stage) -> None:
    none = request(VIRTUAL_MACHINE, maxReplicas=0)
    assert stage.refused("alice", "Market", "createOrder", none).name == "ReplicasOutOfRange"
    low = request(VIRTUAL_MACHINE, maxRate=rate_of(VIRTUAL_MACHINE) - 1)
    error = stage.refused("alice", "Market", "createOrder", low)
    assert error.values == {"rate": rate_of(VIRTUAL_MACHINE), "max": rate_of(VIRTUAL_MACHINE) - 1}


def test_m1_without_a_price_of_storage_there_are_no_machines(stage: Stage) -> None:
    stage.until(stage.now + 73 * HOUR)
    for resource in ("vcpu_hour", "gib_hour"):
        for vendor in ("aws", "gcp", "azure"):
            price = stage.read(f"Feed:{vendor}:{resource}", "latestRoundData")["answer"]
            stage.round(f"Feed:{vendor}:{resource}", price)
    for number in (0, 1):
        stage.send("mallory", "Pricing", "poke", number)
    stage.round("Feed:komp_usd", 50_000_000)
    stage.send("alice", "Market", "createOrder", request(CONTAINER))
    error = stage.refused("alice", "Market", "createOrder", request(VIRTUAL_MACHINE))
    assert (error.name, error.values["resource"]) == ("PriceStale", 2)


@pytest.mark.parametrize("kind", [CONTAINER, VIRTUAL_MACHINE], ids=["container", "machine"])
def test_m6_a_halt_a_resumption_and_a_refund(stage: Stage, kind: int) -> None:
    """Two for an hour, none for two hours, one for half an hour, then the client closes."""
    before = stage.balance("alice")
    start = accepted(stage, kind)
    state(stage, 1, 2, start)
    halt = start + HOUR
    stage.until(halt + HALT - 1)
    state(stage, 2, 0, halt)  # filed at the last moment at which none of it can be billed
    resumed = halt + 2 * HOUR
    stage.until(resumed)
    state(stage, 3, 1, resumed)
    settled = stage.send("mallory", "Market", "settle", 1)
    two_hours = rate_of(kind) * 2
    assert settled.event("Settled")["consumed"] == two_hours
    stage.until(resumed + HOUR // 2)
    closed = stage.send("alice", "Market", "close", 1).timestamp
    assert closed == resumed + HOUR // 2
    stage.until(closed + HALT)
    ended = stage.send("mallory", "Market", "finalize", 1)
    consumed = rate_of(kind) * (2 * HOUR + HOUR // 2) // HOUR
    assert ended.event("Settled")["consumed"] == consumed
    assert ended.event("Finalized") == {"id": 1, "refund": 20 * KOMP - consumed}
    assert stage.balance("alice") == before - consumed
    assert stage.balance("company") == consumed // 10  # M4
    assert stage.balance("Market") == 0


@pytest.mark.parametrize("kind", [CONTAINER, VIRTUAL_MACHINE], ids=["container", "machine"])
def test_m6_what_is_settled_is_not_halted(stage: Stage, kind: int) -> None:
    start = accepted(stage, kind)
    state(stage, 1, 3, start)
    stage.until(start + 4 * HOUR)
    settled = stage.send("mallory", "Market", "settle", 1).timestamp - HALT
    digest = stage.domains.running(1, 2, 0, settled - 1)
    late = (1, 2, 0, settled - 1, signed(digest, *GATEKEEPERS[:2]))
    error = stage.refused("mallory", "Market", "reportRunning", *late)
    assert (error.name, error.values["earliest"]) == ("StatementTimeOutOfRange", settled)
    state(stage, 2, 0, settled)


def test_m5_a_machine_is_not_invoked_and_has_no_counters(stage: Stage) -> None:
    accepted(stage, VIRTUAL_MACHINE)
    assert stage.refused("alice", "Market", "invoke", 1, bytes(32)).name == "WrongKind"
    digest = stage.domains.counters(1, 1, 1)
    given = (1, 1, 1, signed(digest, *GATEKEEPERS[:2]))
    assert stage.refused("mallory", "Market", "reportCounters", *given).name == "WrongKind"
    assert stage.send("alice", "Market", "scale", 1, 0).event("OrderScaled")["replicas"] == 0


def test_m2_a_machine_nobody_accepted_is_refunded_in_full(stage: Stage) -> None:
    before = stage.balance("alice")
    stage.send("alice", "Market", "createOrder", request(VIRTUAL_MACHINE))
    closed = stage.send("alice", "Market", "close", 1)
    assert closed.event("Finalized")["refund"] == 20 * KOMP
    assert stage.balance("alice") == before


def test_o4_an_order_locks_the_contingency_price(stage: Stage) -> None:
    given = (0, 30 * 10**15, 15 * 10**17, True)  # 0.045 USD, 0.09 KOMP
    stage.send("governance", "Pricing", "setContingency", *given)
    stage.send("alice", "Market", "createOrder", request(CONTAINER))
    assert stage.read("Market", "orderOf", 1)["rate"] == (2 * 90 + 4 * 6) * 10**15
    stage.send("governance", "Pricing", "setContingency", 0, 0, 0, False)
    assert stage.read("Market", "orderOf", 1)["rate"] == (2 * 90 + 4 * 6) * 10**15
    stage.send("alice", "Market", "createOrder", request(CONTAINER))
    assert stage.read("Market", "orderOf", 2)["rate"] == CONTAINER_RATE


def test_c7_a_suspended_node_accepts_nothing(stage: Stage) -> None:
    stage.stake(1)
    start = stage.now
    stage.until(start + HOUR)
    stage.send("alice", "Market", "createOrder", request(CONTAINER))
    report(stage, start, start + 60, level=2)
    error = stage.refused("node-1", "Market", "accept", 1)
    assert (error.name, error.values) == ("NodeSuspended", {"node": address("node-1")})
    assert stage.refused("owner-1", "Market", "accept", 1).name == "NodeNotActive"
    stage.stake(2)
    stage.send("node-2", "Market", "accept", 1)
