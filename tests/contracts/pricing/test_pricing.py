"""Feeds of resources, the dynamic price, prices in KOMP, cheaper than all (O1, O3, O5, O6)."""

from __future__ import annotations

import pytest
from contracts_stage import DAY, HOUR, NO_SHRINKING, Stage
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_stage import REVERTS, VENDORS, WAD, ZERO, Market


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
    market.stage.until(market.stage.now + 720 * HOUR)
    assert market.stage.refused_read("Prices", "price", 0).name == "PriceStale"
    assert not market.stage.read("Prices", "beatsAll", 0)  # nor is there a price any more


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


def test_o6_a_komp_for_nothing_is_none(market: Market) -> None:
    """Where the feed's bounds allow it, too."""
    stage = market.stage
    assert stage.create("free", "MockFeed", 18, DAY, 0, 10**20) is None
    market.priced_by("Free", *VENDORS, usd="free")
    for usd in (1, 0):
        stage.send("mallory", "free", "set", usd, stage.now)
        if usd:
            assert stage.read("Free", "kompUsd") == 1
        else:
            error = stage.refused_read("Free", "kompUsd")
            expected = {"feed": stage.address("free"), "heartbeat": DAY}
            assert (error.name, error.values) == ("KompUsdStale", expected)


@pytest.mark.parametrize(
    ("decimals", "heartbeat", "name", "values"),
    [
        (96, DAY, "DecimalsOutOfRange", {"given": 96, "most": 95}),
        (95, DAY, "", {}),
        (18, 0, "ZeroValue", {"what": b"heartbeat".ljust(32, b"\0")}),
        (18, 1, "", {}),
    ],
)
def test_d1_feeds_that_cannot_be_priced_are_refused(
    market: Market, decimals: int, heartbeat: int, name: str, values: dict[str, object]
) -> None:
    stage = market.stage
    assert stage.create("odd", "MockFeed", decimals, heartbeat, -1, 5) is None
    others = [stage.address(given) for given in ("odd", "used", "Gatekeepers")]
    error = stage.create("Other", "Pricing", [[ZERO] * 3] * 6, *others)
    assert (error.name if error else "") == name
    if error is not None:
        assert values.items() <= error.values.items()


MOST = 2**128 - 1


@pytest.mark.parametrize(
    ("decimals", "answer", "read"),
    [
        (18, MOST, MOST),
        (18, MOST + 1, 0),
        (0, MOST // WAD, MOST // WAD * WAD),
        (0, MOST // WAD + 1, 0),
        (0, 2**196 - 1, 0),  # times 1e18 beyond 256 bits
        (0, 2**255 - 1, 0),
        (20, MOST * 100 + 99, MOST),
        (20, MOST * 100 + 100, 0),
        (95, 10**76, 0),  # a tenth of a unit
        (95, 2**255 - 1, 0),
        (18, -1, 0),
        (18, -(2**255), 0),
    ],
)
def test_o2_what_cannot_be_stored_does_not_count_and_nothing_reverts(
    market: Market, decimals: int, answer: int, read: int
) -> None:
    """Neither as KOMP/USD nor as one of three vendors."""
    stage = market.stage
    widest = (-(2**255), 2**255 - 1)
    assert stage.create("wide", "MockFeed", decimals, DAY, *widest) is None
    market.priced_by("Wide", "wide", "gcp", "azure", usd="wide")
    market.answers(None, 110, 120)
    stage.send("mallory", "wide", "set", answer, stage.now)
    if read:
        assert stage.read("Wide", "kompUsd") == read
    else:
        assert stage.refused_read("Wide", "kompUsd").name == "KompUsdStale"
    stage.send("mallory", "Wide", "poke", 0)
    of_three = sorted((read, 110 * WAD, 120 * WAD))[1]
    assert stage.read("Wide", "marketPrice", 0) == (of_three if read else 110 * WAD)


def test_a_resource_has_three_feeds_or_none(market: Market) -> None:
    """And one without does not end the list."""
    stage = market.stage
    others = [stage.address(name) for name in ("usd", "used", "Gatekeepers")]
    three = [stage.address(vendor) for vendor in VENDORS]
    none = [ZERO] * 3
    for gap in range(3):
        for first in ([], [none]):
            one = [*three[:gap], ZERO, *three[gap + 1 :]]
            given_ = [*first, one, *[none] * (5 - len(first))]
            refused = stage.create("Gap", "Pricing", given_, *others)
            assert refused is not None
            assert (refused.name, refused.sentence) == (
                "ZeroAddress",
                "feeds cannot be the zero address (D1)",
            )
    assert stage.create("Late", "Pricing", [none] * 2 + [three] + [none] * 3, *others) is None
    market.answers(100, 110, 120)
    assert stage.refused("mallory", "Late", "poke", 1).name == "FeedsMissing"
    stage.send("mallory", "Late", "poke", 2)
    assert stage.read("Late", "marketPrice", 2) == 110 * WAD


@pytest.mark.parametrize(
    ("decimals", "given_", "at18"),
    [(17, 7, 70), (18, 7, 7), (19, 79, 7), (20, 799, 7), (0, 7, 7 * WAD)],
)
def test_o2_answers_are_read_at_18_decimals(
    market: Market, decimals: int, given_: int, at18: int
) -> None:
    stage = market.stage
    assert stage.create("one", "MockFeed", decimals, DAY, given_, given_ + 1) is None
    market.priced_by("One", *VENDORS, usd="one")
    stage.send("mallory", "one", "set", given_, stage.now)
    assert stage.read("One", "kompUsd") == at18


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
