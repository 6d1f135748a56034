"""Orders, their usage and settlement (M1 to M6)."""

from __future__ import annotations

from typing import Any

import pytest
from contracts_stage import (
    DAY,
    GATEKEEPERS,
    HOUR,
    KOMP,
    NO_SHRINKING,
    STAKE,
    Stage,
    address,
    signed,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NODE = address("node-1")
ZERO = "0x" + "00" * 20
CONTAINER, SERVERLESS = 0, 1
HALT = 2 * HOUR
SPEC = b"\x5e" * 32
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


# M1


def test_m1_an_order_locks_rates_and_escrows(stage: Stage) -> None:
    before = stage.balance("alice")
    sent = stage.send("alice", "Market", "createOrder", request())
    assert sent.event("OrderCreated") == {
        "id": 1,
        "client": address("alice"),
        "kind": CONTAINER,
        "spec": SPEC,
        "deposit": 20 * KOMP,
    }
    assert stage.balance("alice") == before - 20 * KOMP
    assert stage.balance("Market") == stage.read("Market", "escrowed") == 20 * KOMP
    found = order(stage)
    assert (found["rate"], found["rate2"], found["deposit"]) == (RATE, 0, 20 * KOMP)
    assert (found["client"], found["node"], found["spec"]) == (address("alice"), ZERO, SPEC)
    assert (found["maxReplicas"], found["duration"]) == (3, 10 * HOUR)
    stage.feed_all(komp_usd=100_000_000)
    assert order(stage)["rate"] == RATE  # locked
    create(stage)
    assert order(stage, 2)["rate"] == RATE // 2
    assert stage.read("Market", "orderCount") == 2


def test_m1_serverless_rates(stage: Stage) -> None:
    create(stage, SERVERLESS)
    found = order(stage)
    assert (found["rate"], found["rate2"]) == (PER_MILLION, PER_GIB_SECOND)


def test_m1_rates_follow_utilization(stage: Stage) -> None:
    stage.round("Feed:utilization", 10**18)
    create(stage)
    assert order(stage)["rate"] == RATE * 95 // 75


@pytest.mark.parametrize(
    ("changes", "name", "values"),
    [
        ({"duration": 0}, "DurationOutOfRange", {"duration": 0, "max": 30 * DAY}),
        (
            {"duration": 30 * DAY + 1},
            "DurationOutOfRange",
            {"duration": 30 * DAY + 1, "max": 30 * DAY},
        ),
        ({"deposit": 0}, "ZeroDeposit", {}),
        ({"maxReplicas": 0}, "ReplicasOutOfRange", {"replicas": 0, "max": 0}),
        ({"maxRate": RATE - 1}, "RateAboveMaximum", {"rate": RATE, "max": RATE - 1}),
        (
            {"kind": SERVERLESS, "maxRate": PER_MILLION - 1},
            "RateAboveMaximum",
            {"rate": PER_MILLION, "max": PER_MILLION - 1},
        ),
        (
            {"kind": SERVERLESS, "maxRate2": PER_GIB_SECOND - 1},
            "RateAboveMaximum",
            {"rate": PER_GIB_SECOND, "max": PER_GIB_SECOND - 1},
        ),
    ],
)
def test_m1_refused_orders(
    stage: Stage, changes: dict[str, int], name: str, values: dict[str, int]
) -> None:
    assert refusal(stage, "alice", "createOrder", request(**changes)) == (name, values)
    assert stage.balance("Market") == 0


@pytest.mark.parametrize(
    "changes", [{"duration": 30 * DAY}, {"maxRate": RATE}, {"deposit": 1}], ids=str
)
def test_m1_just_within(stage: Stage, changes: dict[str, int]) -> None:
    assert create(stage, **changes) == 1


def test_m1_stale_prices_stop_orders(stage: Stage) -> None:
    stage.until(stage.now + 12 * HOUR + 1)
    assert refusal(stage, "alice", "createOrder", request())[0] == "KompUsdStale"
    stage.until(stage.now + 3 * DAY)
    stage.round("Feed:komp_usd", 50_000_000)
    assert refusal(stage, "alice", "createOrder", request())[0] == "PriceStale"


# M2


def test_m2_an_active_node_accepts_once(stage: Stage) -> None:
    create(stage)
    assert refusal(stage, "node-1", "accept", 1) == ("NodeNotActive", {"node": NODE})
    stage.stake(1)
    stage.stake(2)
    assert refusal(stage, "owner-1", "accept", 1)[0] == "NodeNotActive"
    sent = stage.send("node-1", "Market", "accept", 1)
    assert sent.event("OrderAccepted") == {"id": 1, "node": NODE}
    found = order(stage)
    assert (found["node"], found["acceptedAt"]) == (NODE, sent.timestamp)
    assert found["settledUntil"] == sent.timestamp  # M6
    assert refusal(stage, "node-2", "accept", 1) == ("AlreadyAccepted", {"id": 1, "node": NODE})
    assert refusal(stage, "node-2", "accept", 2) == ("UnknownOrder", {"id": 2})
    stage.send("owner-2", "Staking", "requestExit", address("node-2"))
    create(stage)
    assert refusal(stage, "node-2", "accept", 2)[0] == "NodeNotActive"


def test_m2_closing_an_unaccepted_order_refunds_all_at_once(stage: Stage) -> None:
    before = stage.balance("alice")
    create(stage)
    assert refusal(stage, "bob", "close", 1) == (
        "NotClient",
        {"caller": address("bob"), "client": address("alice")},
    )
    sent = stage.send("alice", "Market", "close", 1)
    assert sent.names == ["OrderClosed", "Finalized", "Transfer"]
    assert sent.event("Finalized") == {"id": 1, "refund": 20 * KOMP}
    assert stage.balance("alice") == before
    assert stage.balance("Market") == stage.read("Market", "escrowed") == 0
    assert order(stage)["finalized"]
    assert order(stage)["closedAt"] == sent.timestamp
    stage.stake(1)
    for sender, function in (("node-1", "accept"), ("alice", "close"), ("bob", "settle")):
        assert refusal(stage, sender, function, 1) == ("AlreadyFinalized", {"id": 1})


@pytest.mark.parametrize("function", ["settle", "finalize"])
def test_m2_what_nobody_accepted_has_no_end(stage: Stage, function: str) -> None:
    create(stage)
    assert refusal(stage, "bob", function, 1) == ("NotAccepted", {"id": 1})
    assert stage.refused_read("Market", "endOf", 1).name == "NotAccepted"
    given_ = statement(stage, 1, 1, stage.now)
    assert refusal(stage, "bob", "reportRunning", *given_)[0] == "NotAccepted"
    assert refusal(stage, "bob", function, 7) == ("UnknownOrder", {"id": 7})
    assert stage.refused_read("Market", "orderOf", 7).name == "UnknownOrder"
    assert stage.refused_read("Market", "endOf", 7).name == "UnknownOrder"


# M6: statements and their seconds


def test_m6_without_a_statement_nothing_is_billed(stage: Stage) -> None:
    start = accepted(stage)
    stage.until(start + 5 * HOUR)
    sent = stage.send("bob", "Market", "settle", 1)
    assert sent.event("Settled") == {"id": 1, "consumed": 0, "fee": 0, "reward": 0}
    assert order(stage)["settledUntil"] == start + 3 * HOUR


def test_m6_scaling_and_a_halt(stage: Stage) -> None:
    start = accepted(stage)
    stage.until(start + HOUR)
    running(stage, 1, 2, start)
    stage.until(start + 2 * HOUR)
    running(stage, 2, 3, start + HOUR)
    stage.until(start + 4 * HOUR)
    running(stage, 5, 0, start + 3 * HOUR)  # sequences may skip
    stage.until(start + 8 * HOUR)
    running(stage, 6, 1, start + 7 * HOUR)
    stage.until(start + 9 * HOUR)
    sent = stage.send("bob", "Market", "settle", 1)
    seconds = 2 * HOUR + 3 * 2 * HOUR  # until start + 7 h
    assert order(stage)["total"] == seconds
    assert sent.event("Settled")["consumed"] == cost(seconds)
    assert order(stage)["settledUntil"] == start + 7 * HOUR
    stage.until(start + 10 * HOUR + HALT)
    sent = stage.send("bob", "Market", "finalize", 1)
    assert order(stage)["total"] == seconds + 3 * HOUR
    assert sent.event("Settled")["consumed"] == cost(seconds + 3 * HOUR)
    found = order(stage)
    assert (found["statementSeq"], found["statementAt"], found["replicas"]) == (
        6,
        start + 7 * HOUR,
        1,
    )


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_m6_settling_often_changes_nothing(stage: Stage, steps: int) -> None:
    start = accepted(stage)
    running(stage, 1, 2, start)
    for step in range(1, steps + 1):
        at = start + step * 10 * HOUR // steps
        if at > stage.now + 1:
            stage.until(at)
        if steps > 1 and order(stage)["statementSeq"] == 1 and at >= start + 3 * HOUR:
            running(stage, 2, 3, start + 2 * HOUR)
        stage.send("bob", "Market", "settle", 1)
    stage.until(start + 10 * HOUR + HALT)
    stage.send("bob", "Market", "finalize", 1)
    seconds = 20 * HOUR if steps == 1 else 2 * 2 * HOUR + 3 * 8 * HOUR
    assert order(stage)["total"] == seconds
    assert order(stage)["consumed"] == cost(seconds)
    assert stage.balance("company") == cost(seconds) // 10


@pytest.mark.parametrize(
    ("shift", "name"),
    [(-1, "StatementTimeOutOfRange"), (0, None), (1, None)],
    ids=["before acceptance", "at acceptance", "after"],
)
def test_m6_statements_begin_at_acceptance(stage: Stage, shift: int, name: str | None) -> None:
    start = accepted(stage)
    stage.until(start + 10)
    given_ = statement(stage, 1, 1, start + shift)
    if name is None:
        stage.send("mallory", "Market", "reportRunning", *given_)
        return
    assert refusal(stage, "mallory", "reportRunning", *given_) == (
        name,
        {"t": start + shift, "earliest": start, "latest": start + 10},
    )


def test_m6_statements_are_not_of_the_future_and_never_go_back(stage: Stage) -> None:
    start = accepted(stage)
    stage.until(start + 100)
    given_ = statement(stage, 1, 1, start + 101)
    assert refusal(stage, "mallory", "reportRunning", *given_)[1]["latest"] == start + 100
    stage.until(start + 200)
    running(stage, 1, 1, start + 200)
    for seq, name in ((1, "SequenceNotAbove"), (0, "SequenceNotAbove")):
        given_ = statement(stage, seq, 2, start + 200)
        assert refusal(stage, "mallory", "reportRunning", *given_)[0] == name
    given_ = statement(stage, 2, 2, start + 199)
    assert refusal(stage, "mallory", "reportRunning", *given_)[1]["earliest"] == start + 200
    running(stage, 2, 2, start + 200)  # the later statement of one second holds
    stage.until(start + 200 + 100 + HALT)
    stage.send("bob", "Market", "settle", 1)
    assert order(stage)["total"] == 2 * 100


def test_m6_a_halt_cannot_be_back_dated_before_what_is_settled(stage: Stage) -> None:
    start = accepted(stage)
    running(stage, 1, 1, start)
    stage.until(start + 5 * HOUR)
    stage.send("bob", "Market", "settle", 1)
    given_ = statement(stage, 2, 0, start + 3 * HOUR - 1)
    assert refusal(stage, "mallory", "reportRunning", *given_)[1]["earliest"] == start + 3 * HOUR
    running(stage, 2, 0, start + 3 * HOUR)
    stage.until(start + 12 * HOUR)
    stage.send("bob", "Market", "finalize", 1)
    assert order(stage)["total"] == 3 * HOUR


@pytest.mark.parametrize("replicas", [4, 2**32])
def test_m6_at_most_the_orders_replicas(stage: Stage, replicas: int) -> None:
    start = accepted(stage)
    given_ = statement(stage, 1, replicas, start)
    assert refusal(stage, "mallory", "reportRunning", *given_) == (
        "ReplicasOutOfRange",
        {"replicas": replicas, "max": 3},
    )


@pytest.mark.parametrize("closes", [False, True], ids=["by itself", "closed"])
def test_m6_the_end(stage: Stage, closes: bool) -> None:
    start = accepted(stage)
    running(stage, 1, 1, start)
    end = start + (4 if closes else 10) * HOUR
    assert stage.read("Market", "endOf", 1) == start + 10 * HOUR
    if closes:
        stage.until(end)
        assert stage.send("alice", "Market", "close", 1).names == ["OrderClosed"]
        assert refusal(stage, "alice", "close", 1) == ("OrderEnded", {"id": 1, "end": end})
    assert stage.read("Market", "endOf", 1) == end
    if not closes:
        stage.until(end)
        assert refusal(stage, "alice", "close", 1)[0] == "OrderEnded"
    # Statements of seconds before the end stay admissible until it is finalized.
    given_ = statement(stage, 2, 0, end)
    assert refusal(stage, "mallory", "reportRunning", *given_)[1]["latest"] == end - 1
    running(stage, 2, 2, end - 1)
    stage.until(end + HALT - 1)
    assert refusal(stage, "bob", "finalize", 1) == (
        "FinalizeNotDue",
        {"due": end + HALT, "timestamp": end + HALT - 1},
    )
    before = stage.balance("alice")
    sent = stage.send("bob", "Market", "finalize", 1)
    seconds = end - start - 1 + 2
    assert sent.event("Finalized") == {"id": 1, "refund": 20 * KOMP - cost(seconds)}
    assert stage.balance("alice") == before + 20 * KOMP - cost(seconds)
    assert stage.read("Market", "escrowed") == stage.balance("Market") == 0
    assert stage.balance("company") + stage.balance("Rewards") == cost(seconds)
    for function in ("finalize", "settle"):
        assert refusal(stage, "bob", function, 1)[0] == "AlreadyFinalized"
    given_ = statement(stage, 3, 1, end - 1)
    assert refusal(stage, "mallory", "reportRunning", *given_)[0] == "AlreadyFinalized"


def test_m6_a_statement_needs_the_quorum_and_is_bound(stage: Stage) -> None:
    start = accepted(stage)
    few = statement(stage, 1, 1, start, GATEKEEPERS[0])
    assert refusal(stage, "mallory", "reportRunning", *few)[0] == "TooFewSignatures"
    create(stage)
    stage.send("node-1", "Market", "accept", 2)
    running(stage, 1, 1, start)
    _, seq, replicas, at, signatures = statement(stage, 2, 1, stage.now)
    name, _ = refusal(stage, "mallory", "reportRunning", 2, seq, replicas, at, signatures)
    assert name in {"NotGatekeeper", "SignersNotAscending"}


def test_scaling_is_a_wish(stage: Stage) -> None:
    start = accepted(stage)
    sent = stage.send("alice", "Market", "scale", 1, 3)
    assert sent.event("OrderScaled") == {"id": 1, "replicas": 3}
    assert order(stage)["replicas"] == 0
    assert refusal(stage, "alice", "scale", 1, 4)[0] == "ReplicasOutOfRange"
    assert refusal(stage, "bob", "scale", 1, 1)[0] == "NotClient"
    create(stage, SERVERLESS)
    assert refusal(stage, "alice", "scale", 2, 1)[0] == "WrongKind"
    stage.until(start + 10 * HOUR)
    assert refusal(stage, "alice", "scale", 1, 1)[0] == "OrderEnded"


# M3, M4


def test_m3_never_more_than_the_deposit(stage: Stage) -> None:
    start = accepted(stage, deposit=KOMP)
    running(stage, 1, 3, start)
    stage.until(start + 10 * HOUR)
    sent = stage.send("bob", "Market", "settle", 1)
    assert sent.event("Settled")["consumed"] == KOMP  # 3 * 8 h would be 3.456 KOMP
    stage.until(start + 10 * HOUR + HALT)
    sent = stage.send("bob", "Market", "finalize", 1)
    assert sent.event("Finalized") == {"id": 1, "refund": 0}
    assert stage.balance("company") == KOMP // 10


@pytest.mark.parametrize(
    ("invocations", "mib_ms"), [(0, 0), (1, 0), (10, 32 * 250 * 10), (2_000_000, 1024 * 1000)]
)
def test_m3_serverless_counters(stage: Stage, invocations: int, mib_ms: int) -> None:
    accepted(stage, SERVERLESS)
    given_ = counters(stage, invocations, mib_ms)
    sent = stage.send("mallory", "Market", "reportCounters", *given_)
    assert sent.event("CountersReported") == {
        "id": 1,
        "invocations": invocations,
        "mibMilliseconds": mib_ms,
    }
    sent = stage.send("bob", "Market", "settle", 1)
    consumed = PER_MILLION * invocations // 10**6 + PER_GIB_SECOND * mib_ms // (1024 * 1000)
    fee = consumed // 10
    assert sent.event("Settled") == {
        "id": 1,
        "consumed": consumed,
        "fee": fee,
        "reward": consumed - fee,
    }
    assert stage.balance("company") == fee
    assert stage.balance("Rewards") == consumed - fee  # M4
    # An equal counter charges nothing.
    stage.send("mallory", "Market", "reportCounters", *given_)
    sent = stage.send("bob", "Market", "settle", 1)
    assert (sent.event("Settled")["fee"], sent.event("Settled")["reward"]) == (0, 0)


@pytest.mark.parametrize(
    ("lower", "values"),
    [
        ((9, 100), {"given": 9, "current": 10}),
        ((10, 99), {"given": 99, "current": 100}),
    ],
)
def test_m3_a_lower_counter_reverts(
    stage: Stage, lower: tuple[int, int], values: dict[str, int]
) -> None:
    accepted(stage, SERVERLESS)
    stage.send("mallory", "Market", "reportCounters", *counters(stage, 10, 100))
    given_ = counters(stage, *lower)
    assert refusal(stage, "mallory", "reportCounters", *given_) == ("CounterDecreased", values)


def test_m3_kinds_do_not_mix(stage: Stage) -> None:
    accepted(stage, SERVERLESS)
    given_ = statement(stage, 1, 1, stage.now)
    assert refusal(stage, "mallory", "reportRunning", *given_)[0] == "WrongKind"
    few = counters(stage, 1, 1, GATEKEEPERS[0])
    assert refusal(stage, "mallory", "reportCounters", *few)[0] == "TooFewSignatures"
    create(stage)
    stage.send("node-1", "Market", "accept", 2)
    digest = stage.domains.counters(2, 1, 1)
    given_ = (2, 1, 1, signed(digest, *GATEKEEPERS[:2]))
    assert refusal(stage, "mallory", "reportCounters", *given_)[0] == "WrongKind"
    assert refusal(stage, "alice", "invoke", 2, SPEC)[0] == "WrongKind"


def test_m4_a_tenth_of_every_purchase(stage: Stage) -> None:
    start = accepted(stage)
    running(stage, 1, 1, start)
    fees = rewards = 0
    for hours in range(3, 13):
        stage.until(start + hours * HOUR + 1)
        event = stage.send("bob", "Market", "settle", 1).event("Settled")
        fees, rewards = fees + event["fee"], rewards + event["reward"]
        assert fees == event["consumed"] // 10
        assert fees + rewards == event["consumed"]
    assert stage.balance("company") == fees
    assert stage.balance("Rewards") == rewards
    assert stage.balance("Market") == stage.read("Market", "escrowed") == 20 * KOMP - fees - rewards


# M5


def test_m5_an_invocation_starts_and_ends_at_the_client(stage: Stage) -> None:
    create(stage, SERVERLESS)
    assert refusal(stage, "alice", "invoke", 1, SPEC)[0] == "NotAccepted"
    stage.stake(1)
    stage.send("node-1", "Market", "accept", 1)
    assert refusal(stage, "bob", "invoke", 1, SPEC)[0] == "NotClient"
    sent = stage.send("alice", "Market", "invoke", 1, SPEC)
    assert sent.event("Invoked") == {"id": 1, "invocation": 1, "payloadHash": SPEC}
    assert stage.send("alice", "Market", "invoke", 1, SPEC).event("Invoked")["invocation"] == 2
    assert stage.read("Market", "invocationCount") == 2
    assert refusal(stage, "bob", "complete", 1, 0, SPEC)[0] == "NotClient"
    assert refusal(stage, "alice", "complete", 3, 0, SPEC) == (
        "UnknownInvocation",
        {"invocation": 3},
    )
    sent = stage.send("alice", "Market", "complete", 1, 7, SPEC)
    assert sent.event("Completed") == {
        "id": 1,
        "invocation": 1,
        "exitCode": 7,
        "resultHash": SPEC,
    }
    assert refusal(stage, "alice", "complete", 1, 0, SPEC) == (
        "AlreadyCompleted",
        {"invocation": 1},
    )
    stage.send("alice", "Market", "close", 1)
    assert refusal(stage, "alice", "invoke", 1, SPEC)[0] == "OrderEnded"
    stage.send("alice", "Market", "complete", 2, 0, SPEC)  # what has begun may end


STEP = st.tuples(
    st.sampled_from(["say", "settle", "wait"]), st.integers(0, 3), st.integers(1, 3 * HOUR)
)


@settings(max_examples=10, phases=NO_SHRINKING)
@given(steps=st.lists(STEP, min_size=4, max_size=14), deposit=st.sampled_from([KOMP, 20 * KOMP]))
def test_invariant_13(base: Stage, steps: list[tuple[str, int, int]], deposit: int) -> None:
    """Against a second by second reading of M6."""
    snapshot = base.chain.snapshot()
    stage = Stage(base.chain, base.artifacts, base.deployment)
    try:
        start = accepted(stage, deposit=deposit)
        said: list[tuple[int, int]] = []
        c = 0
        for kind, replicas, seconds in steps:
            stage.until(stage.now + seconds)
            if kind == "say" and stage.now < start + 10 * HOUR - 1:
                earliest = max(order(stage)["settledUntil"], order(stage)["statementAt"])
                at = max(earliest, stage.now - seconds // 2)
                running(stage, len(said) + 1, replicas, at)
                said.append((at, replicas))
            elif kind == "settle":
                event = stage.send("bob", "Market", "settle", 1).event("Settled")
                assert event["consumed"] >= c
                c = event["consumed"]
                assert stage.balance("company") + stage.balance("Rewards") == c
                assert stage.balance("Market") == stage.read("Market", "escrowed") == deposit - c
        end = start + 10 * HOUR
        stage.until(max(end + HALT, stage.now + 1))
        refund = stage.send("bob", "Market", "finalize", 1).event("Finalized")["refund"]
        edges = [*(at for at, _ in said), end]
        used = sum(n * (edges[i + 1] - at) for i, (at, n) in enumerate(said))
        c = min(deposit, cost(used))
        assert order(stage)["total"] == used
        assert stage.balance("company") == c // 10
        assert stage.balance("company") + stage.balance("Rewards") + refund == deposit
        assert stage.balance("Market") == 0
        assert stage.balance("Staking") == STAKE
    finally:
        base.chain.revert(snapshot)


# M1, M6: ends, and settlements of bounded length


def test_m1_an_order_nobody_accepted_within_30_days_has_ended(stage: Stage) -> None:
    stage.stake(1, 12)
    create(stage, duration=30 * DAY)
    created = stage.now
    assert order(stage)["createdAt"] == created
    create(stage, duration=30 * DAY)
    stage.until(created + 30 * DAY - 1)
    stage.send("node-1", "Market", "accept", 1)
    assert stage.read("Market", "endOf", 1) == created + 30 * DAY
    end = order(stage, 2)["createdAt"] + 30 * DAY
    stage.until(end)
    assert refusal(stage, "node-1", "accept", 2) == ("OrderEnded", {"id": 2, "end": end})
    assert refusal(stage, "alice", "close", 1)[0] == "OrderEnded"
    assert stage.send("alice", "Market", "close", 2).event("Finalized")["refund"] == 20 * KOMP
    stage.until(created + 30 * DAY + HALT)
    stage.send("bob", "Market", "finalize", 1)


@pytest.mark.parametrize("days", [29, 5])
def test_m1_the_rates_hold_for_30_days_from_creation(stage: Stage, days: int) -> None:
    stage.stake(1, 12)
    create(stage, duration=20 * DAY)
    created = stage.now
    stage.until(created + days * DAY)
    start = stage.send("node-1", "Market", "accept", 1).timestamp
    assert stage.read("Market", "endOf", 1) == min(start + 20 * DAY, created + 30 * DAY)


def test_an_order_after_the_year_2106(stage: Stage) -> None:
    # The reports of feeds end with 2^32 (O1), so the price is of the hour before.
    stage.until(2**32 - HOUR)
    stage.feed_all()
    stage.stake(1)
    create(stage)
    stage.until(2**32 + 1_000)
    start = stage.send("node-1", "Market", "accept", 1).timestamp
    assert start > 2**32
    found = order(stage)
    assert (found["acceptedAt"], found["settledUntil"]) == (start, start)
    assert stage.read("Market", "endOf", 1) == start + 10 * HOUR
    running(stage, 1, 1, start)
    stage.until(start + 10 * HOUR + HALT)
    stage.send("bob", "Market", "finalize", 1)
    assert order(stage)["total"] == 10 * HOUR


def many(stage: Stage, count: int, start: int) -> None:
    """Statements of one second each, alternately of no replica and of one, in a few blocks."""
    for first in range(0, count, 100):
        stage.batch(
            [
                (
                    "mallory",
                    "Market",
                    "reportRunning",
                    statement(stage, n + 1, n % 2, start + n),
                )
                for n in range(first, min(first + 100, count))
            ]
        )


def test_m6_of_two_statements_for_one_second_the_later_holds(stage: Stage) -> None:
    start = accepted(stage)
    stage.until(start + 10)
    for seq, replicas in enumerate((3, 0, 2, 1), start=1):
        running(stage, seq, replicas, start)
    given_ = statement(stage, 4, 2, start)
    assert refusal(stage, "mallory", "reportRunning", *given_)[0] == "SequenceNotAbove"
    stage.until(start + HALT + 100)
    stage.send("bob", "Market", "settle", 1)
    assert (order(stage)["settledUntil"], order(stage)["total"]) == (start + 100, 100)
    running(stage, 5, 2, start + 100)
    running(stage, 6, 0, start + 100)  # and for the second up to which is settled
    stage.until(start + HALT + 200)
    stage.send("bob", "Market", "settle", 1)
    assert (order(stage)["settledUntil"], order(stage)["total"]) == (start + 200, 100)


def test_m6_statements_for_one_second_do_not_make_a_settlement_dear(stage: Stage) -> None:
    start = accepted(stage)
    stage.batch(
        [
            ("mallory", "Market", "reportRunning", statement(stage, n, n % 2, start))
            for n in range(1, 100)
        ]
    )
    stage.until(start + HALT + 100)
    assert stage.send("bob", "Market", "settle", 1).gas <= 200_000


def test_m6_a_settlement_applies_200_statements_and_the_next_goes_on(stage: Stage) -> None:
    start = accepted(stage)
    stage.until(start + 500)
    many(stage, 450, start)
    stage.until(start + HALT + 1_000)
    settled, gas = [], []
    for _ in range(3):
        gas.append(stage.send("bob", "Market", "settle", 1).gas)
        settled.append(order(stage)["settledUntil"])
    assert settled == [start + 199, start + 399, stage.now - HALT]
    assert max(gas) < 1_000_000, gas
    assert order(stage)["total"] == 225 + (settled[2] - start - 450)


@pytest.mark.parametrize(("count", "settlements"), [(200, 0), (201, 1), (401, 2)])
def test_m6_what_is_finalized_is_settled_but_for_200_statements(
    stage: Stage, count: int, settlements: int
) -> None:
    start = accepted(stage)
    stage.until(start + 500)
    many(stage, count, start)
    stage.until(start + 10 * HOUR + HALT)
    for done in range(settlements):
        assert refusal(stage, "bob", "finalize", 1) == (
            "SettleFirst",
            {"id": 1, "remaining": count - 200 * done},
        )
        stage.send("bob", "Market", "settle", 1)
    assert stage.send("bob", "Market", "finalize", 1).gas < 1_000_000
    last = (count - 1) % 2
    assert order(stage)["total"] == count // 2 + last * (10 * HOUR - count)
