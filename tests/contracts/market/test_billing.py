"""Deposits, counters and the company's tenth (M3 to M5)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    GATEKEEPERS,
    HOUR,
    KOMP,
    NO_SHRINKING,
    STAKE,
    Stage,
    signed,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from orders_stage import (
    HALT,
    PER_GIB_SECOND,
    PER_MILLION,
    SERVERLESS,
    SPEC,
    accepted,
    cost,
    counters,
    create,
    order,
    refusal,
    running,
    statement,
)

PER_INVOCATION = PER_MILLION // 10**6


def settlement(consumed: int, fee: int) -> dict[str, int]:
    """What a first one of order 1 says."""
    return {"id": 1, "consumed": consumed, "fee": fee, "reward": consumed - fee}


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
    assert sent.event("Settled") == settlement(consumed, fee)
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


@pytest.mark.parametrize(
    ("deposit", "fee", "refund"),
    [(10, 1, 0), (9, 0, 0), (PER_INVOCATION + 1, PER_INVOCATION // 10, 1)],
    ids=["fee of 1 wei", "no fee", "refund of 1 wei"],
)
def test_m4_to_the_last_wei_and_nothing_is_no_payment(
    stage: Stage, deposit: int, fee: int, refund: int
) -> None:
    start = accepted(stage, SERVERLESS, deposit=deposit)
    stage.send("mallory", "Market", "reportCounters", *counters(stage, 1, 0))
    before = stage.balance("alice")
    stage.until(start + 10 * HOUR + HALT)
    sent = stage.send("bob", "Market", "finalize", 1)
    consumed = deposit - refund
    assert sent.event("Settled") == settlement(consumed, fee)
    assert stage.balance("company") == fee
    assert stage.balance("alice") == before + refund
    assert sent.names.count("Transfer") == 1 + (fee > 0) + (refund > 0)  # the reward, always


def test_m3_counters_are_told_and_time_bills_nothing(stage: Stage) -> None:
    start = accepted(stage, SERVERLESS)
    stage.send("mallory", "Market", "reportCounters", *counters(stage, 3, 70))
    stage.until(start + HOUR + HALT)
    stage.send("bob", "Market", "settle", 1)
    found = order(stage)
    assert (found["total"], found["total2"]) == (3, 70)
    assert found["settledUntil"] == start


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
