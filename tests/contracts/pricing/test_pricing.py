"""Stored market prices, the dynamic and the contingency price (O1 to O6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contracts_stage import DAY, HOUR, NO_SHRINKING, Stage, address
from hypothesis import given, settings
from hypothesis import strategies as st

VENDORS = ("aws", "gcp", "azure")
ZERO = "0x" + "00" * 20
WAD = 10**18
H = 30 * HOUR  # the longest of the three heartbeats
HEARTBEATS = (24 * HOUR, H, 20 * HOUR)
DECIMALS = (8, 18, 20)
REVERTS, BURNS_GAS, ANSWERS_SHORT, ANSWERS_LONG, DIRTY_ROUND = range(1, 6)


class Market:
    """A pricing contract of its own over feeds that anybody sets; one resource, number 0."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        for vendor, decimals, beat in zip(VENDORS, DECIMALS, HEARTBEATS, strict=True):
            bounds = (1, 10**6 * 10**decimals)
            assert stage.create(vendor, "MockFeed", decimals, beat, *bounds) is None
        assert stage.create("usd", "MockFeed", 8, 12 * HOUR, 1, 10**14) is None
        assert stage.create("used", "MockFeed", 18, 6 * HOUR, 0, 2 * WAD) is None
        feeds = [[stage.address(v) for v in VENDORS]] + [[ZERO] * 3] * 5
        given_ = (feeds, stage.address("usd"), stage.address("used"), address("governance"))
        assert stage.create("Prices", "Pricing", *given_) is None

    def answers(self, *usd: int | None) -> None:
        """Each vendor's answer of this second in whole dollars, None for no fresh one."""
        for vendor, decimals, answer in zip(VENDORS, DECIMALS, usd, strict=True):
            at = self.stage.now if answer is not None else 0
            value = (answer or 0) * 10**decimals
            self.stage.send("mallory", vendor, "set", value, at)

    def poke(self) -> list[str]:
        return self.stage.send("mallory", "Prices", "poke", 0).names

    def refused(self) -> dict[str, object]:
        error = self.stage.refused("mallory", "Prices", "poke", 0)
        assert error.name == "TooFewFresh"
        return dict(error.values)

    def stored(self) -> tuple[int, int]:
        """Price and pending jump in whole dollars."""
        found = self.stage.read("Prices", "stored", 0)
        return found["price"] // WAD, found["pending"] // WAD


@pytest.fixture
def market(stage: Stage) -> Iterator[Market]:
    yield Market(stage)


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
    "fault", [REVERTS, BURNS_GAS, ANSWERS_SHORT], ids=["reverts", "burns gas", "answers short"]
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


def test_o1_resources_without_feeds(market: Market) -> None:
    stage = market.stage
    for number in range(1, 6):
        assert stage.refused("mallory", "Prices", "poke", number).name == "FeedsMissing"
        error = stage.refused_read("Prices", "marketPrice", number)
        assert error.values == {"resource": number}
        assert stage.refused_read("Prices", "heartbeat", number).name == "FeedsMissing"
        assert stage.read("Prices", "feedOf", number, 0) == ZERO
    assert [stage.read("Prices", "feedOf", 0, n) for n in range(3)] == [
        stage.address(vendor) for vendor in VENDORS
    ]


def dynamic(m: int, u: int) -> int:
    return m * (75 * 10**16 + 20 * u * u // 10**20) // 10**18


@pytest.mark.parametrize(
    ("u", "percent"),
    [(0, 75), (WAD // 2, 80), (WAD, 95), (WAD + 1, 95), (2 * WAD, 95), (WAD // 10, 752)],
    ids=["0", "50 %", "100 %", "above", "twice", "10 %"],
)
def test_o3_the_dynamic_price(market: Market, u: int, percent: int) -> None:
    market.answers(100, 100, 100)
    market.poke()
    market.stage.send("mallory", "used", "set", u, market.stage.now)
    expected = percent * WAD if percent < 100 else percent * WAD // 10
    assert market.stage.read("Prices", "utilization") == min(u, WAD)
    assert market.stage.read("Prices", "price", 0) == expected == dynamic(100 * WAD, min(u, WAD))


@pytest.mark.parametrize("how", ["stale", "never", "future", "negative", "reverts"])
def test_o3_a_stale_utilization_counts_as_full(market: Market, how: str) -> None:
    stage = market.stage
    market.answers(100, 100, 100)
    market.poke()
    if how == "reverts":
        stage.send("mallory", "used", "set", 0, stage.now)
        stage.send("mallory", "used", "misbehave", REVERTS)
    elif how != "never":
        stamp = {"stale": stage.now, "future": stage.now + 100, "negative": stage.now}[how]
        stage.send("mallory", "used", "set", -1 if how == "negative" else 0, stamp)
    if how == "stale":
        stage.until(stage.now + 6 * HOUR)
        stage.mine(2)
    assert stage.read("Prices", "utilization") == WAD
    assert stage.read("Prices", "price", 0) == 95 * WAD


def test_o5_beats_all_is_a_view(market: Market) -> None:
    market.answers(100, 101, 102)
    market.poke()
    assert market.stage.read("Prices", "beatsAll", 0)  # 0.95 * 101 = 95.95 beats 100
    market.answers(95, 101, 102)
    assert not market.stage.read("Prices", "beatsAll", 0)
    market.stage.send("mallory", "used", "set", 0, market.stage.now)
    assert market.stage.read("Prices", "beatsAll", 0)
    market.answers(50, 101, 102)  # 0.75 * 101 = 75.75 does not beat 50
    assert not market.stage.read("Prices", "beatsAll", 0)
    market.answers(100, 101, 102)
    assert market.stage.read("Prices", "beatsAll", 0)
    market.answers(None, 101, 102)  # of two nobody knows the third
    assert not market.stage.read("Prices", "beatsAll", 0)
    market.answers(None, None, None)
    assert not market.stage.read("Prices", "beatsAll", 0)


@pytest.mark.parametrize("usd", [50_000_000, 1, 12_345_678, 10**14])
def test_o6_prices_in_komp(market: Market, usd: int) -> None:
    stage = market.stage
    market.answers(100, 100, 100)
    market.poke()
    stage.send("mallory", "used", "set", 0, stage.now)
    stage.send("mallory", "usd", "set", usd, stage.now)
    assert stage.read("Prices", "kompUsd") == usd * 10**10
    expected = 75 * WAD * WAD // (usd * 10**10)
    assert stage.read("Prices", "priceInKomp", 0) == expected
    both = stage.read("Prices", "pricesInKomp", 0, 0)
    assert tuple(both.values()) == (expected, expected)


@pytest.mark.parametrize(("age", "fresh"), [(12 * HOUR, True), (12 * HOUR + 1, False)])
def test_o6_a_stale_komp_usd_reverts(market: Market, age: int, fresh: bool) -> None:
    stage = market.stage
    market.answers(100, 100, 100)
    market.poke()
    stage.send("mallory", "usd", "set", 10**8, stage.now)
    stage.until(stage.read("usd", "heartbeat") and stage.now + age - 1)
    stage.mine()
    if fresh:
        assert stage.read("Prices", "kompUsd") == WAD
        return
    stage.mine()
    stale = stage.refused_read("Prices", "kompUsd")
    assert stale.name == "KompUsdStale"
    assert stale.values == {"feed": stage.address("usd"), "heartbeat": 12 * HOUR}
    assert stage.refused_read("Prices", "priceInKomp", 0).name == "KompUsdStale"
    assert stage.read("Prices", "price", 0) > 0  # dollars need no KOMP/USD


@pytest.mark.parametrize("bounds", [(-1, 5), (6, 5), (0, 2**128)], ids=str)
def test_feeds_that_cannot_be_priced_are_refused(market: Market, bounds: tuple[int, int]) -> None:
    stage = market.stage
    assert stage.create("odd", "MockFeed", 18, DAY, *bounds) is None
    feeds = [[ZERO] * 3] * 6
    given_ = (feeds, stage.address("odd"), stage.address("used"), address("governance"))
    assert stage.create("Other", "Pricing", *given_) is not None


@settings(max_examples=10, phases=NO_SHRINKING)
@given(
    m=st.integers(1, 10**6),
    low=st.integers(0, WAD),
    high=st.integers(0, WAD),
)
def test_invariant_12(base: Stage, m: int, low: int, high: int) -> None:
    """floor(0.75 m) <= price <= floor(0.95 m), non-decreasing in u."""
    snapshot = base.chain.snapshot()
    market = Market(Stage(base.chain, base.artifacts, base.deployment))
    try:
        market.answers(m, m, m)
        market.poke()
        prices = []
        for u in sorted((low, high)):
            market.stage.send("mallory", "used", "set", u, market.stage.now)
            prices.append(market.stage.read("Prices", "price", 0))
        assert m * WAD * 75 // 100 <= prices[0] <= prices[1] <= m * WAD * 95 // 100
        assert prices == [dynamic(m * WAD, u) for u in sorted((low, high))]
    finally:
        base.chain.revert(snapshot)
