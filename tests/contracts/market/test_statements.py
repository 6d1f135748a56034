"""What gatekeepers state is running, and the seconds billed for it (M6)."""

from __future__ import annotations

import pytest
from contracts_stage import GATEKEEPERS, HOUR, KOMP, Stage, signed
from orders_stage import (
    HALT,
    SERVERLESS,
    accepted,
    cost,
    create,
    order,
    refusal,
    running,
    statement,
)


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


@pytest.mark.parametrize("closes", [False, True], ids=["by itself", "closed"])
def test_m6_a_halt_is_filed_between_the_end_and_its_delay(stage: Stage, closes: bool) -> None:
    """What is settled after the end stops haltDelay ago, as before it."""
    start = accepted(stage)
    running(stage, 1, 1, start)
    end = start + (4 if closes else 10) * HOUR
    if closes:
        stage.until(end)
        stage.send("alice", "Market", "close", 1)
    late = end + HALT // 2
    stage.until(late)
    stage.send("bob", "Market", "settle", 1)
    settled = late - HALT
    assert settled < end
    found = order(stage)
    assert (found["settledUntil"], found["total"]) == (settled, settled - start)
    assert found["consumed"] == cost(settled - start)
    given_ = statement(stage, 2, 0, settled - 1)
    assert refusal(stage, "mallory", "reportRunning", *given_) == (
        "StatementTimeOutOfRange",
        {"t": settled - 1, "earliest": settled, "latest": end - 1},
    )
    running(stage, 2, 0, settled)
    stage.until(end + HALT - 1)
    stage.send("bob", "Market", "settle", 1)
    assert order(stage)["settledUntil"] == end - 1
    assert order(stage)["total"] == settled - start
    sent = stage.send("bob", "Market", "finalize", 1)
    assert sent.timestamp == end + HALT
    assert sent.event("Finalized") == {"id": 1, "refund": 20 * KOMP - cost(settled - start)}


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


def test_r4_statements_and_counters_need_the_quorum_of_measurements(stage: Stage) -> None:
    start = accepted(stage)
    create(stage, SERVERLESS)
    stage.send("node-1", "Market", "accept", 2)
    stage.send("governance", "Gatekeepers", "change", [], [], 3)  # an incident still needs 2
    too_few = ("TooFewSignatures", {"given": 2, "needed": 3})
    said = statement(stage, 1, 1, start)
    assert refusal(stage, "mallory", "reportRunning", *said) == too_few
    digest = stage.domains.counters(2, 1, 1)
    counted = (2, 1, 1, signed(digest, *GATEKEEPERS[:2]))
    assert refusal(stage, "mallory", "reportCounters", *counted) == too_few
    enough = statement(stage, 1, 1, start, *GATEKEEPERS[:3])
    sent = stage.send("mallory", "Market", "reportRunning", *enough)
    assert sent.event("UsageReported") == {"id": 1, "seq": 1, "replicas": 1, "at": start}


def test_an_order_that_waits_for_a_node_is_scaled(stage: Stage) -> None:
    create(stage)
    sent = stage.send("alice", "Market", "scale", 1, 2)
    assert sent.event("OrderScaled") == {"id": 1, "replicas": 2}


def test_m6_a_statement_for_the_second_up_to_which_is_settled_holds(stage: Stage) -> None:
    start = accepted(stage)
    stage.until(start + 50)
    running(stage, 1, 3, start + 50)
    stage.until(start + 50 + HALT)
    stage.send("bob", "Market", "settle", 1)
    assert (order(stage)["settledUntil"], order(stage)["total"]) == (start + 50, 0)
    running(stage, 2, 0, start + 50)
    stage.until(start + HALT + 200)
    stage.send("bob", "Market", "settle", 1)
    assert (order(stage)["settledUntil"] > start + 50, order(stage)["total"]) == (True, 0)


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
