"""What is set on a vendor's server is, to the last digit, what an oracle reads from it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devnet.oracles import (
    AWS,
    AZURE,
    GCP,
    VENDORS,
    PriceServers,
    Resource,
    Vendor,
    fetch,
    open_client,
)
from devnet.spec.network import VENDORS as NETWORK_VENDORS

EVERY = list(VENDORS.values())


@pytest.fixture(scope="module")
def servers() -> Iterator[PriceServers]:
    with PriceServers() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with open_client() as opened:
        yield opened


def _read(servers: PriceServers, client: httpx.Client, vendor: Vendor, resource: Resource) -> int:
    return fetch(vendor, resource, servers.base_url(vendor), client=client).usd_1e18


@pytest.mark.parametrize("resource", Resource)
@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
def test_list_prices_are_the_reference_table(
    client: httpx.Client, vendor: Vendor, resource: Resource
) -> None:
    with PriceServers() as fresh:
        read = fetch(vendor, resource, fresh.base_url(vendor), client=client)
    assert Fraction(read.usd_1e18, 10**18) == Fraction(vendor.prices[resource])
    assert (read.vendor, read.resource) == (vendor.name, resource)


def test_some_list_prices_by_hand(client: httpx.Client) -> None:
    with PriceServers() as fresh:
        assert _read(fresh, client, AWS, Resource.VCPU_HOUR) == 40_480_000_000_000_000
        assert _read(fresh, client, AWS, Resource.FUNCTION_GIB_SECOND) == 16_666_700_000_000
        assert _read(fresh, client, GCP, Resource.EGRESS_GIB) == 12 * 10**16
        assert _read(fresh, client, AZURE, Resource.MILLION_REQUESTS) == 2 * 10**17


@given(
    data=st.data(),
    vendor=st.sampled_from(EVERY),
    resource=st.sampled_from(Resource),
)
@settings(deadline=None, max_examples=150)
def test_any_price_survives_the_document(
    servers: PriceServers,
    client: httpx.Client,
    data: st.DataObject,
    vendor: Vendor,
    resource: Resource,
) -> None:
    step = vendor.steps[resource]
    price = data.draw(st.integers(1, int(1000 / step)), label="steps") * step
    servers.set_price(vendor, resource, price)
    assert Fraction(_read(servers, client, vendor, resource), 10**18) == Fraction(price)


@given(bps=st.integers(1, 100_000), vendor=st.sampled_from(EVERY))
@settings(deadline=None, max_examples=40)
def test_scaling_moves_every_price_of_one_vendor_only(bps: int, vendor: Vendor) -> None:
    servers = PriceServers()
    servers_before = {(v, r): servers.price(v, r) for v in VENDORS.values() for r in Resource}
    for resource in Resource:
        exact = Fraction(vendor.prices[resource]) * bps / 10_000
        assume(exact * 2 > Fraction(vendor.steps[resource]))  # else it rounds to nothing
    servers.scale(vendor, None, bps)
    for (owner, resource), before in servers_before.items():
        after = servers.price(owner, resource)
        if owner is vendor:
            error = abs(Fraction(after) - Fraction(before) * bps / 10_000)
            assert error * 2 <= Fraction(owner.steps[resource])
        else:
            assert after == before


def test_a_scaled_price_is_read_at_once(client: httpx.Client) -> None:
    with PriceServers() as servers:
        servers.scale(AWS, Resource.GIB_HOUR, 15_000)
        assert servers.price(AWS, Resource.GIB_HOUR) == Decimal("0.0066675")
        read = fetch(AWS, Resource.GIB_HOUR, servers.base_url(AWS), client=client)
    assert read.usd_1e18 == 6_667_500_000_000_000
    assert read.at_decimals(8) == 666_750


def test_the_vendors_are_those_a_network_names_in_the_order_of_its_feeds() -> None:
    assert tuple(VENDORS) == NETWORK_VENDORS
