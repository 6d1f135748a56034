"""When an order ends, and settlements of bounded length (M1, M6)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    DAY,
    HOUR,
    KOMP,
    Stage,
)
from orders_stage import (
    HALT,
    accepted,
    create,
    order,
    refusal,
    running,
    statement,
)


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


def many(stage: Stage, count: int, start: int, every: int = 1) -> None:
    """Statements of so many seconds each, alternately of no replica and of one, in a few blocks."""
    for first in range(0, count, 100):
        stage.batch(
            [
                (
                    "mallory",
                    "Market",
                    "reportRunning",
                    statement(stage, n + 1, n % 2, start + n * every),
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


@pytest.mark.parametrize(
    ("until", "settled"),
    [
        (1_000, 1_000),  # the 101st counts from here
        (1_995, 1_995),  # past the last of the first 200
        (2_000, 1_990),  # at the 201st, which the next settlement applies
        (2_005, 1_990),
        (2_015, 1_990),
    ],
)
def test_m6_a_settlement_of_many_statements_ends_where_it_may(
    stage: Stage, until: int, settled: int
) -> None:
    """At the last it applies only where another follows in the seconds it covers."""
    start = accepted(stage)
    stage.until(start + 2_100)
    many(stage, 203, start, every=10)
    stage.until(start + until + HALT)
    stage.send("bob", "Market", "settle", 1)
    assert order(stage)["settledUntil"] == start + settled
    assert order(stage)["total"] == sum(n // 10 % 2 for n in range(settled))


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
