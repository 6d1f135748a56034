"""Stored market prices: what counts, the median, jumps that wait, their end (O2)."""

from __future__ import annotations

from itertools import permutations

import pytest
from contracts_stage import HOUR
from pricing_stage import (
    ANSWERS_LONG,
    ANSWERS_SHORT,
    BURNS_GAS,
    CARRIED_OVER,
    DIRTY_ROUND,
    HEARTBEATS,
    REVERTS,
    VENDORS,
    WAD,
    H,
    Market,
)

INVALID, STOP = "0xfe", "0x00"  # codes of one instruction: all gas burnt, and none


@pytest.mark.parametrize(
    ("answers", "price"),
    [
        ((100, 110, 120), 110),
        ((120, 100, 110), 110),
        ((110, 120, 100), 110),
        ((100, 100, 120), 100),
        ((120, 120, 100), 120),
        ((7, 7, 7), 7),
        ((100, 110, None), 100),
        ((120, None, 110), 110),
        ((None, 90, 80), 80),
    ],
    ids=str,
)
def test_o2_the_first_price(market: Market, answers: tuple[int | None, ...], price: int) -> None:
    market.answers(*answers)
    assert market.poke() == ["PriceStored"]
    assert market.stored() == (price, 0)
    assert market.stage.read("Prices", "marketPrice", 0) == price * WAD


@pytest.mark.parametrize(
    ("answers", "price"),
    [
        ((95, 104, None), 104),  # 4 away beats 5 away
        ((104, None, 95), 104),
        ((95, 105, None), 95),  # a tie: the lower
        ((None, 105, 95), 95),
        ((101, 200, None), 101),
    ],
    ids=str,
)
def test_o2_of_two_the_nearer(market: Market, answers: tuple[int | None, ...], price: int) -> None:
    market.answers(100, 100, 100)
    market.poke()
    market.answers(*answers)
    assert market.poke() == ["PriceStored"]
    assert market.stored() == (price, 0)


@pytest.mark.parametrize(
    ("answers", "fresh"), [((100, None, None), 1), ((None, None, None), 0)], ids=str
)
def test_o2_fewer_than_two(market: Market, answers: tuple[int | None, ...], fresh: int) -> None:
    market.answers(*answers)
    assert market.refused() == {"resource": 0, "fresh": fresh}


@pytest.mark.parametrize(
    "fault",
    [REVERTS, BURNS_GAS, ANSWERS_SHORT, CARRIED_OVER],
    ids=["reverts", "burns gas", "answers short", "carries the round before over"],
)
def test_o2_a_broken_feed_does_not_count(market: Market, fault: int) -> None:
    market.answers(100, 110, 120)
    market.stage.send("mallory", "gcp", "misbehave", fault)
    assert market.poke() == ["PriceStored"]
    assert market.stored() == (100, 0)
    market.stage.send("mallory", "aws", "misbehave", fault)
    assert market.refused() == {"resource": 0, "fresh": 1}


@pytest.mark.parametrize("fault", [ANSWERS_LONG, DIRTY_ROUND], ids=["answers long", "dirty round"])
def test_o2_words_beside_the_answer_do_not_matter(market: Market, fault: int) -> None:
    market.answers(100, 110, 120)
    market.stage.send("mallory", "gcp", "misbehave", fault)
    if fault == ANSWERS_LONG:  # a megabyte costs more than a feed may burn
        market.poke()
        assert market.stored()[0] in (100, 110)
    else:
        market.poke()
        assert market.stored() == (110, 0)


@pytest.mark.parametrize(
    ("answer", "at"),
    [
        (0, 0),
        (-1, 0),
        (-(2**255), 0),
        (2**255 - 1, 0),
        (10**6 * 10**18 + 1, 0),
        (110 * WAD, None),
        (110 * WAD, 1_000),
    ],
    ids=["zero", "negative", "least", "largest", "above max", "never updated", "future"],
)
def test_o2_answers_that_do_not_count(market: Market, answer: int, at: int | None) -> None:
    market.answers(100, 110, 120)
    stamp = 0 if at is None else market.stage.now + at
    market.stage.send("mallory", "gcp", "set", answer, stamp)
    market.poke()
    assert market.stored() == (100, 0)


@pytest.mark.parametrize(("age", "fresh"), [(HEARTBEATS[1], True), (HEARTBEATS[1] + 1, False)])
def test_o2_inside_the_heartbeat(market: Market, age: int, fresh: bool) -> None:
    market.answers(100, 110, 120)
    stamp = market.stage.now
    market.stage.send("mallory", "gcp", "set", 110 * WAD, stamp)
    market.stage.until(stamp + age - 2)
    market.stage.send("mallory", "aws", "set", 100 * 10**8, stamp + age - 3)
    market.stage.send("mallory", "azure", "set", 120 * 10**20, stamp + age - 3)
    market.poke()
    assert market.stage.now == stamp + age
    assert market.stored() == (110 if fresh else 100, 0)


@pytest.mark.parametrize(
    ("m", "stores"), [(130, True), (131, False), (70, True), (69, False), (100, True)]
)
def test_o2_a_jump_above_30_percent_waits(market: Market, m: int, stores: bool) -> None:
    market.answers(100, 100, 100)
    market.poke()
    market.answers(m, m, m)
    assert market.poke() == (["PriceStored"] if stores else ["JumpPending"])
    assert market.stored() == ((m, 0) if stores else (100, m))


@pytest.mark.parametrize(
    ("first", "second", "stored"),
    [(200, 220, 200), (200, 180, 180), (50, 60, 60), (50, 40, 50), (200, 200, 200)],
)
def test_o2_a_jump_on_the_same_side_is_confirmed_after_h(
    market: Market, first: int, second: int, stored: int
) -> None:
    """The nearer of the two is stored."""
    market.answers(100, 100, 100)
    market.poke()
    market.answers(first, first, first)
    market.poke()
    pending_at = market.stage.now
    market.stage.until(pending_at + H - 4)
    market.answers(second, second, second)
    assert market.poke() == []  # one second early: it is kept
    assert market.stage.now == pending_at + H - 1
    assert market.stored() == (100, first)
    assert market.poke() == ["PriceStored"]
    assert market.stage.now == pending_at + H
    assert market.stored() == (stored, 0)


def test_o2_a_jump_to_the_other_side_starts_anew(market: Market) -> None:
    market.answers(100, 100, 100)
    market.poke()
    market.answers(200, 200, 200)
    market.poke()
    market.answers(50, 50, 50)
    assert market.poke() == ["JumpPending"]
    assert market.stored() == (100, 50)
    assert market.stage.read("Prices", "stored", 0)["pendingAt"] == market.stage.now


def test_o2_flapping_back_clears_the_pending_jump(market: Market) -> None:
    market.answers(100, 100, 100)
    market.poke()
    market.answers(200, 200, 200)
    market.poke()
    market.answers(101, 101, 101)
    assert market.poke() == ["PriceStored"]
    assert market.stored() == (101, 0)
    assert market.stage.read("Prices", "stored", 0)["pendingAt"] == 0


def test_o2_a_real_crash_is_not_held_back_for_ever(market: Market) -> None:
    """Whatever the answers do below, the price follows H after the first of them."""
    market.answers(100, 100, 100)
    market.poke()
    market.answers(10, 10, 10)
    market.poke()
    began = market.stage.now
    for hours, m in ((8, 20), (16, 5), (24, 15)):
        market.stage.until(began + hours * HOUR)
        market.answers(m, m, m)
        assert market.poke() == []
    market.stage.until(began + H)
    market.answers(12, 12, 12)
    assert market.poke() == ["PriceStored"]
    assert market.stored() == (12, 0)


def test_o2_reads_end_three_heartbeats_later(market: Market) -> None:
    stage = market.stage
    error = stage.refused_read("Prices", "marketPrice", 0)
    assert (error.name, error.values) == ("PriceStale", {"resource": 0, "storedAt": 0})
    market.answers(100, 100, 100)
    market.poke()
    stored_at = stage.now
    assert stage.read("Prices", "heartbeat", 0) == H
    stage.until(stored_at + 3 * H)
    stage.mine()
    assert (stage.now, stage.read("Prices", "marketPrice", 0)) == (stored_at + 3 * H, 100 * WAD)
    stage.mine()
    error = stage.refused_read("Prices", "marketPrice", 0)
    assert error.values == {"resource": 0, "storedAt": stored_at}
    assert stage.refused_read("Prices", "price", 0).name == "PriceStale"


def test_o2_a_feed_burns_at_most_its_gas(market: Market) -> None:
    """100 000 of gas: what a feed that burns all costs more than one that answers nothing."""
    market.answers(100, 110, 120)
    costs = []
    for code in (INVALID, STOP):
        snapshot = market.stage.chain.snapshot()
        market.stage.chain.rpc.call("anvil_setCode", market.stage.address("gcp"), code)
        sent = market.stage.send("mallory", "Prices", "poke", 0)
        assert (sent.names, market.stored()) == (["PriceStored"], (100, 0))
        costs.append(sent.gas)
        market.stage.chain.revert(snapshot)
    assert costs[0] - costs[1] == 100_000


def test_o2_one_wei_is_a_price_and_less_is_none(market: Market) -> None:
    """At 18 decimals; a feed of 20 can answer less than that."""
    stage = market.stage

    def answers(gcp: int, azure: int) -> None:
        stage.send("mallory", "gcp", "set", gcp, stage.now)
        stage.send("mallory", "azure", "set", azure, stage.now)

    answers(10, 1_000)
    market.poke()
    answers(1, 199)
    assert market.poke() == ["JumpPending"]
    at = stage.now
    found = stage.read("Prices", "stored", 0)
    assert (found["price"], found["pending"], found["pendingAt"]) == (10, 1, at)
    stage.until(at + H - 2)
    answers(1, 199)
    assert market.poke() == ["PriceStored"]
    found = stage.read("Prices", "stored", 0)
    assert (found["price"], found["pending"], found["pendingAt"]) == (1, 0, 0)
    answers(1, 99)
    assert market.refused() == {"resource": 0, "fresh": 1}


def test_o2_less_than_a_wei_is_no_third_answer(market: Market) -> None:
    market.answers(110, 110, 110)
    market.poke()
    market.answers(100, 112, None)
    market.stage.send("mallory", "azure", "set", 99, market.stage.now)
    market.poke()
    assert market.stored() == (112, 0)  # the nearer of two; of three it were the 100


def test_o2_what_was_never_updated_does_not_count_however_long_the_heartbeat(
    market: Market,
) -> None:
    stage = market.stage
    assert stage.create("slow", "MockFeed", 18, 2**40 - 1, 1, 10**24) is None
    market.priced_by("Slow", "slow", "gcp", "azure")
    market.answers(None, 110, None)
    for at, fresh in ((1, True), (0, False)):
        stage.send("mallory", "slow", "set", 100 * WAD, at)
        if fresh:
            stage.send("mallory", "Slow", "poke", 0)
        else:
            error = stage.refused("mallory", "Slow", "poke", 0)
            assert (error.name, error.values) == ("TooFewFresh", {"resource": 0, "fresh": 1})


@pytest.mark.parametrize("order", permutations(VENDORS), ids="-".join)
def test_o2_h_is_the_longest_heartbeat_of_the_three(market: Market, order: tuple[str, ...]) -> None:
    market.priced_by("Turned", *order)
    assert market.stage.read("Turned", "heartbeat", 0) == H
