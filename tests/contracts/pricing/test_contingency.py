"""The contingency price, and the six resources that have one (O1, O4, O5)."""

from __future__ import annotations

import pytest
from contracts_stage import DAY, KOMP, NO_SHRINKING, USD, Stage, address
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
COST, MULTIPLIER = 30 * 10**15, 15 * 10**17  # 0.03 USD, 1.5 times
BASE = 45 * 10**15


def switch(
    stage: Stage, *, on: bool = True, resource: int = 0, cost: int = COST, by: int = MULTIPLIER
) -> None:
    stage.send("governance", "Pricing", "setContingency", resource, cost, by, on)


def test_o4_it_replaces_the_dynamic_price_until_it_is_off(stage: Stage) -> None:
    dynamic = stage.read("Pricing", "price", 0)
    assert dynamic == USD["vcpu_hour"] * 75 // 100
    sent = stage.send("governance", "Pricing", "setContingency", 0, COST, MULTIPLIER, True)
    assert sent.event("ContingencySet") == {
        "resource": 0,
        "costUsd1e18": COST,
        "multiplier1e18": MULTIPLIER,
        "on": True,
    }
    assert stage.read("Pricing", "price", 0) == BASE
    assert stage.read("Pricing", "marketPrice", 0) == USD["vcpu_hour"]
    assert stage.read("Pricing", "priceInKomp", 0) == 2 * BASE  # a KOMP is half a dollar
    assert stage.read("Pricing", "pricesInKomp", 0, 1) == {"0": 2 * BASE, "1": 6 * 10**15}
    assert stage.read("Pricing", "contingencyOf", 0) == {
        "costUsd1e18": COST,
        "multiplier1e18": MULTIPLIER,
        "on": True,
    }
    switch(stage, on=False)
    assert stage.read("Pricing", "price", 0) == dynamic
    assert stage.read("Pricing", "contingencyOf", 0)["on"] is False


@pytest.mark.parametrize(
    ("u", "price"), [(0, BASE), (WAD // 2, BASE * 3 // 2), (WAD, 2 * BASE)], ids=str
)
def test_o4_it_grows_with_utilization_up_to_twofold(stage: Stage, u: int, price: int) -> None:
    switch(stage)
    stage.round("Feed:utilization", u)
    assert stage.read("Pricing", "price", 0) == price


def test_o4_a_stale_utilization_counts_as_full(stage: Stage) -> None:
    switch(stage)
    stage.until(stage.now + DAY)
    stage.mine()
    assert stage.read("Pricing", "price", 0) == 2 * BASE


def test_o4_it_needs_no_fresh_market_price(stage: Stage) -> None:
    switch(stage)
    stage.until(stage.now + 4 * DAY)
    stage.round("Feed:utilization", 0)
    stage.round("Feed:komp_usd", 50_000_000)
    assert stage.refused_read("Pricing", "marketPrice", 0).name == "PriceStale"
    assert stage.read("Pricing", "price", 0) == BASE
    assert stage.read("Pricing", "priceInKomp", 0) == 2 * BASE
    assert stage.refused_read("Pricing", "price", 1).name == "PriceStale"  # its own is off


def test_o4_a_poke_changes_what_is_stored_and_not_the_switch(stage: Stage) -> None:
    switch(stage)
    for vendor in ("aws", "gcp", "azure"):
        stage.round(f"Feed:{vendor}:vcpu_hour", 44 * 10**15)
    stage.send("mallory", "Pricing", "poke", 0)
    assert stage.read("Pricing", "marketPrice", 0) == 44 * 10**15
    assert stage.read("Pricing", "price", 0) == BASE
    switch(stage, on=False)
    assert stage.read("Pricing", "price", 0) == 33 * 10**15


def test_r5_governance_alone_switches_it(stage: Stage) -> None:
    for who in ("mallory", "guardian", "gatekeeper-1", "deployer"):
        error = stage.refused(who, "Pricing", "setContingency", 0, COST, MULTIPLIER, True)
        assert (error.name, error.values) == (
            "NotGovernance",
            {"caller": address(who), "governance": address("governance")},
        )
    assert stage.read("Pricing", "governance") == address("governance")


@pytest.mark.parametrize(
    ("cost", "by"), [(0, WAD), (COST, 0), (1, WAD - 1), (10**9, 10**9 - 1)], ids=str
)
def test_o4_nothing_is_free(stage: Stage, cost: int, by: int) -> None:
    error = stage.refused("governance", "Pricing", "setContingency", 0, cost, by, True)
    assert (error.name, error.values) == (
        "ContingencyZero",
        {"costUsd1e18": cost, "multiplier1e18": by},
    )
    switch(stage, on=False, cost=cost, by=by)  # what is off may say anything


@pytest.mark.parametrize(("cost", "by", "price"), [(1, WAD, 1), (10**9, 10**9, 1)], ids=str)
def test_o4_the_least_price(stage: Stage, cost: int, by: int, price: int) -> None:
    switch(stage, cost=cost, by=by)
    assert stage.read("Pricing", "price", 0) == price


def test_o4_the_largest_price_is_no_obstacle(stage: Stage) -> None:
    switch(stage, cost=2**128 - 1, by=2**64 - 1)
    stage.round("Feed:utilization", WAD)
    assert stage.read("Pricing", "price", 0) == (2**128 - 1) * (2**64 - 1) // WAD * 2
    order = (0, bytes(32), 1_000, 1, 0, 1, DAY, KOMP, 2**128 - 1, 2**128 - 1)
    assert stage.refused("alice", "Market", "createOrder", order).name == "RateAboveMaximum"


@pytest.mark.parametrize("resource", range(6))
def test_o1_all_six_resources_are_poked_and_priced(stage: Stage, resource: int) -> None:
    name = tuple(USD)[resource]
    for vendor in ("aws", "gcp", "azure"):
        stage.round(f"Feed:{vendor}:{name}", USD[name] * 11 // 10)
    stage.send("mallory", "Pricing", "poke", resource)
    assert stage.read("Pricing", "marketPrice", resource) == USD[name] * 11 // 10
    assert stage.read("Pricing", "price", resource) == USD[name] * 11 // 10 * 75 // 100
    switch(stage, resource=resource)
    assert stage.read("Pricing", "price", resource) == BASE


def test_o1_a_resource_without_feeds_has_no_contingency_price_either(stage: Stage) -> None:
    zero = "0x" + "00" * 20
    usd, used = stage.address("Feed:komp_usd"), stage.address("Feed:utilization")
    given_ = ([[zero] * 3] * 6, usd, used, stage.address("Gatekeepers"))
    assert stage.create("Bare", "Pricing", *given_) is None
    error = stage.refused("governance", "Bare", "setContingency", 2, COST, MULTIPLIER, True)
    assert (error.name, error.values) == ("FeedsMissing", {"resource": 2})


@pytest.mark.parametrize(("below", "beats"), [(1, True), (0, False)], ids=["below", "equal"])
def test_o5_it_beats_all_by_the_price_that_is_charged(
    stage: Stage, below: int, beats: bool
) -> None:
    assert stage.read("Pricing", "beatsAll", 0)
    switch(stage, cost=USD["vcpu_hour"] - below, by=WAD)
    assert stage.read("Pricing", "beatsAll", 0) is beats


@settings(max_examples=10, phases=NO_SHRINKING)
@given(
    cost=st.integers(1, 2**128 - 1),
    by=st.integers(WAD, 2**64 - 1),
    low=st.integers(0, WAD),
    high=st.integers(0, WAD),
)
def test_invariant_12_contingency(base: Stage, cost: int, by: int, low: int, high: int) -> None:
    """base <= price <= 2 base, non-decreasing in u."""
    snapshot = base.chain.snapshot()
    stage = Stage(base.chain, base.artifacts, base.deployment)
    switch(stage, cost=cost, by=by)
    prices = []
    for u in sorted((low, high)):
        stage.round("Feed:utilization", u)
        prices.append(stage.read("Pricing", "price", 0))
    whole = cost * by // WAD
    assert whole <= prices[0] <= prices[1] <= 2 * whole
    base.chain.revert(snapshot)
