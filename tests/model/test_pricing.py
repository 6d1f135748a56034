"""O1 to O6."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_world import CLOUD_FEEDS, DAY, USD_PRICES, World

from devnet.model import FeedConfig, FeedParameters
from devnet.model.pricing import after_poke, contingency_price, dynamic_price, fresh, median
from devnet.protocol import ContingencyState, RoundState, StoredPrice
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED

PRICE = st.integers(1, 10**22)
U = st.integers(0, 10**18)
FEED = FeedParameters(8, 3600, FeedConfig(100, 10**12))


def stored(world: World, resource: int = 0) -> StoredPrice:
    return world.ledger().prices[resource].stored


@given(PRICE, U, U)
def test_o3_the_price_lies_in_its_bounds_and_grows_with_utilization(m: int, a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert 75 * m // 100 <= dynamic_price(m, low) <= dynamic_price(m, high) <= 95 * m // 100


def test_o3_the_two_ends() -> None:
    assert dynamic_price(10**18, 0) == 75 * 10**16
    assert dynamic_price(10**18, 10**18) == dynamic_price(10**18, 2 * 10**18) == 95 * 10**16


@given(st.lists(PRICE, min_size=3, max_size=3), PRICE)
def test_o2_three_answers_give_their_median(answers: list[int], p: int) -> None:
    assert median(answers, p) == sorted(answers)[1]


@given(PRICE, PRICE, PRICE)
def test_o2_two_answers_give_the_nearer_the_lower_on_a_tie(a: int, b: int, p: int) -> None:
    chosen = median((a, b), p)
    assert abs(chosen - p) == min(abs(a - p), abs(b - p))
    assert chosen == min(a, b) or abs(chosen - p) < abs(min(a, b) - p)
    assert median((a, b), 0) == min(a, b)


@given(PRICE, PRICE, st.integers(0, 10**9))
def test_o2_only_a_jump_waits(p: int, m: int, now: int) -> None:
    before = StoredPrice(p, 1, 0, 0)
    after = after_poke(before, m, now, 3600)
    if 10 * abs(m - p) <= 3 * p:
        assert after == StoredPrice(m, now, 0, 0)
    else:
        assert after == StoredPrice(p, 1, m, now)


@given(PRICE, PRICE, PRICE, st.integers(0, 7200))
def test_o2_a_jump_is_confirmed_on_its_side_after_h(p: int, pending: int, m: int, age: int) -> None:
    before = StoredPrice(p, 1, pending, 1000)
    after = after_poke(before, m, 1000 + age, 3600)
    if 10 * abs(m - p) <= 3 * p:
        assert after == StoredPrice(m, 1000 + age, 0, 0)
    elif (pending > p) != (m > p):
        assert after == StoredPrice(p, 1, m, 1000 + age)
    elif age < 3600:
        assert after == before
    else:
        assert abs(after.price - p) == min(abs(m - p), abs(pending - p))
        assert (after.storedAt, after.pending) == (1000 + age, 0)


@pytest.mark.parametrize(
    ("answer", "updated", "answered_in", "counts"),
    [
        (5 * 10**7, 1000, 9, 5 * 10**17),
        (5 * 10**7, 1000, 10, 5 * 10**17),
        (5 * 10**7, 0, 9, None),
        (5 * 10**7, 4601, 9, None),
        (5 * 10**7, 999, 9, None),
        (5 * 10**7, 4600, 8, None),
        (5 * 10**7, 4600, 0, None),
        (-1, 4600, 9, None),
        (0, 4600, 9, None),
        ((2**128 - 1) // 10**10, 4600, 9, (2**128 - 1) // 10**10 * 10**10),
        ((2**128 - 1) // 10**10 + 1, 4600, 9, None),
        (2**255 - 1, 4600, 9, None),
    ],
    ids=[
        *("fresh", "later", "never", "future", "stale", "carried over", "out of bounds"),
        *("negative", "zero", "most", "more than can be stored", "most of all"),
    ],
)
def test_o2_what_counts(answer: int, updated: int, answered_in: int, counts: int | None) -> None:
    round_ = RoundState(9, answer, updated, updated, answered_in)
    assert fresh(FEED, round_, 4600, zero=False) == counts


def test_o2_a_price_lives_three_heartbeats_and_needs_two_feeds(world: World) -> None:
    assert world.poke("vcpu_hour").error == "TooFewFresh"
    assert world.poke("egress_gib").error == "FeedsMissing"
    assert world.send("bob", "Pricing", "poke", resource=6).error == "NoReason"
    world.prices()
    assert world.ledger().prices[0].market == USD_PRICES["vcpu_hour"]
    world.wait(3 * DAY)
    assert world.ledger().prices[0].market == USD_PRICES["vcpu_hour"]
    world.mine()
    assert world.ledger().prices[0].market is None
    assert world.order().error == "KompUsdStale"
    world.transmit(KOMP_USD_FEED, 50_000_000)
    assert world.order().error == "PriceStale"


def test_o2_a_crash_of_all_vendors_is_believed_after_a_heartbeat(world: World) -> None:
    world.prices()
    price = stored(world).price
    world.mine()
    for feed in CLOUD_FEEDS["vcpu_hour"]:
        world.transmit(feed, price // 2)
    world.poke("vcpu_hour")
    assert (stored(world).price, stored(world).pending) == (price, price // 2)
    world.wait(DAY)
    for feed in CLOUD_FEEDS["vcpu_hour"]:
        world.transmit(feed, price // 2)
    world.poke("vcpu_hour")
    assert (stored(world).price, stored(world).pending) == (price // 2, 0)


def test_o3_o6_stale_utilization_counts_as_full_and_komp_converts(world: World) -> None:
    world.prices(komp_usd_1e8=50_000_000, utilization=0)
    usd = USD_PRICES["vcpu_hour"] * 75 // 100
    assert world.ledger().prices[0].komp == 2 * usd
    world.wait(DAY // 4)
    assert world.ledger().utilization == 0
    world.mine()
    assert world.ledger().utilization == 10**18
    assert world.transmit(UTILIZATION_FEED, 10**18 - 1).ok
    assert world.ledger().utilization == 10**18 - 1


def test_o5_it_beats_all_only_where_all_three_are_fresh(world: World) -> None:
    world.prices(utilization=0)
    names = CLOUD_FEEDS["vcpu_hour"]
    assert world.ledger().prices[0].beats is True  # 0.75 of the median
    world.wait(DAY)
    for name in names[:2]:
        world.transmit(name, USD_PRICES["vcpu_hour"])
    assert world.poke("vcpu_hour").ok
    world.mine()
    assert world.ledger().prices[0].beats is False
    world.transmit(names[2], USD_PRICES["vcpu_hour"])
    world.transmit("Feed:utilization", 0, observations=(0, 0, 0))
    assert world.ledger().prices[0].beats is True
    world.transmit(names[2], USD_PRICES["vcpu_hour"] // 2)
    assert world.ledger().prices[0].beats is False
    world.wait(30 * DAY)
    world.mine()
    assert world.ledger().prices[0].beats is False  # nor is there a price any more


@given(st.integers(1, 2**128 - 1), st.integers(10**18, 2**64 - 1), U, U)
def test_o4_the_contingency_price_lies_in_its_bounds(cost: int, by: int, a: int, b: int) -> None:
    given_ = ContingencyState(cost, by, on=True)
    low, high = sorted((a, b))
    base = cost * by // 10**18
    prices = [contingency_price(given_, u) for u in (0, low, high, 10**18)]
    assert prices == sorted(prices)
    assert (prices[0], prices[-1]) == (base, 2 * base)


def test_o4_governance_switches_what_is_charged(world: World) -> None:
    world.prices(utilization=0)
    dynamic = world.ledger().prices[0].dynamic
    switch = {"resource": 0, "costUsd1e18": 3 * 10**16, "multiplier1e18": 15 * 10**17, "on": True}
    for sender, changes, error in (
        ("bob", {}, "NotGovernance"),
        ("bob", {"resource": 6}, "NoReason"),  # the decoder comes before the contract
        ("governance", {"resource": 3}, "FeedsMissing"),
        ("governance", {"resource": 6}, "NoReason"),
        ("governance", {"costUsd1e18": 0}, "ContingencyZero"),
        ("governance", {}, None),
    ):
        assert world.send(sender, "Pricing", "setContingency", **switch | changes).error == error
    assert world.ledger().prices[0].dynamic == 45 * 10**15
    world.wait(4 * DAY)  # no market price is read any more, and u counts as full
    assert world.ledger().prices[0].market is None
    assert world.ledger().prices[0].dynamic == 90 * 10**15
    world.prices(utilization=0)
    assert world.send("governance", "Pricing", "setContingency", **switch | {"on": False}).ok
    assert world.ledger().prices[0].dynamic == dynamic
