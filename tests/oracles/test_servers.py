"""The replicas are the vendors' documents, traps and faults included."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import httpx
import pytest

import devnet.oracles.servers
from devnet.base.errors import UsageError
from devnet.oracles import (
    AWS,
    AZURE,
    GCP,
    VENDORS,
    PriceAbsent,
    PriceServers,
    PriceUnavailable,
    Resource,
    Vendor,
    VendorDown,
    fetch,
    open_client,
)
from devnet.oracles.gcp import COMPUTE
from devnet.spec.faults import fault_kind


@pytest.fixture
def servers() -> Iterator[PriceServers]:
    with PriceServers() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with open_client() as opened:
        yield opened


def _vcpu(servers: PriceServers, client: httpx.Client, vendor: Vendor) -> int:
    return fetch(vendor, Resource.VCPU_HOUR, servers.base_url(vendor), client=client).usd_1e18


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
def test_an_outage_is_a_vendor_that_is_down(
    servers: PriceServers, client: httpx.Client, vendor: Vendor
) -> None:
    servers.fault(vendor, fault_kind("vendor", "outage"))
    with pytest.raises(VendorDown, match="HTTP 503") as caught:
        _vcpu(servers, client, vendor)
    assert caught.value.vendor == vendor.name
    assert caught.value.resource == Resource.VCPU_HOUR
    assert caught.value.url.startswith(servers.base_url(vendor))
    servers.heal(vendor)
    assert _vcpu(servers, client, vendor) > 0


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
def test_a_stale_document_hides_new_prices_until_healed(
    servers: PriceServers, client: httpx.Client, vendor: Vendor
) -> None:
    before = _vcpu(servers, client, vendor)
    servers.fault(vendor, fault_kind("vendor", "stale"))
    servers.set_price(vendor, Resource.VCPU_HOUR, "0.05")
    assert _vcpu(servers, client, vendor) == before
    servers.heal(vendor)
    assert _vcpu(servers, client, vendor) == 5 * 10**16


@pytest.mark.parametrize("resource", Resource)
@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
@pytest.mark.parametrize("name", ["zero", "negative"])
def test_prices_of_nothing_or_less_are_never_read(
    servers: PriceServers,
    client: httpx.Client,
    vendor: Vendor,
    resource: Resource,
    name: str,
) -> None:
    servers.fault(vendor, fault_kind("vendor", name))
    with pytest.raises(PriceAbsent) as caught:
        fetch(vendor, resource, servers.base_url(vendor), client=client)
    assert caught.value.seen.startswith(
        {"zero": "only prices of 0", "negative": "a price of -"}[name]
    )


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
def test_wrong_decimals_reach_the_feeds_a_million_times_too_large(
    servers: PriceServers, client: httpx.Client, vendor: Vendor
) -> None:
    right = _vcpu(servers, client, vendor)
    servers.fault(vendor, fault_kind("vendor", "wrong_decimals"))
    assert _vcpu(servers, client, vendor) == right * 10**6


def test_one_vendors_fault_leaves_the_others_alone(
    servers: PriceServers, client: httpx.Client
) -> None:
    servers.fault(GCP, fault_kind("vendor", "outage"))
    assert _vcpu(servers, client, AWS) == 4048 * 10**13
    assert _vcpu(servers, client, AZURE) == 405 * 10**14


def test_aws_lists_a_free_capacity_block_under_the_same_usage_type(
    servers: PriceServers, client: httpx.Client
) -> None:
    url = f"{servers.base_url(AWS)}/offers/v1.0/aws/AmazonECS/current/us-east-1/index.json"
    document = json.loads(client.get(url).text)
    usage = "USE1-Fargate-vCPU-Hours:perCPU"
    prices = {}
    for sku, product in document["products"].items():
        if product["attributes"]["usagetype"] == usage:
            (term,) = document["terms"]["OnDemand"][sku].values()
            (dimension,) = term["priceDimensions"].values()
            kind = product["attributes"].get("marketoption", "OnDemand")
            prices[kind] = dimension["pricePerUnit"]["USD"]
    assert prices == {"CapacityBlock": "0.0000000000", "OnDemand": "0.0404800000"}


def test_gcp_pages_its_skus_and_refuses_foreign_tokens(
    servers: PriceServers, client: httpx.Client
) -> None:
    url = f"{servers.base_url(GCP)}/v1/services/{COMPUTE}/skus"
    first = client.get(url).json()
    second = client.get(url, params={"pageToken": first["nextPageToken"]}).json()
    third = client.get(url, params={"pageToken": second["nextPageToken"]}).json()
    assert [len(page["skus"]) for page in (first, second, third)] == [3, 3, 2]
    assert third["nextPageToken"] == ""
    money = second["skus"][0]["pricingInfo"][0]["pricingExpression"]["tieredRates"][0]
    assert money["unitPrice"] == {"currencyCode": "USD", "units": "0", "nanos": 29_110_000}
    assert client.get(url, params={"pageToken": "made-up"}).status_code == 400


def test_azure_filters_and_links_absolutely(servers: PriceServers, client: httpx.Client) -> None:
    base_url = servers.base_url(AZURE)
    condition = "serviceName eq 'Bandwidth' and priceType eq 'Consumption'"
    page = client.get(f"{base_url}/api/retail/prices", params={"$filter": condition}).json()
    assert page["NextPageLink"].startswith(f"{base_url}/api/retail/prices?")
    assert page["Count"] == len(page["Items"]) == 2
    following = client.get(page["NextPageLink"])
    text = json.loads(following.text, parse_float=Decimal)
    assert text["NextPageLink"] is None
    assert {item["serviceName"] for item in text["Items"]} == {"Bandwidth"}


@pytest.mark.parametrize("condition", ["price gt 3", "serviceName eq Bandwidth", "x or y"])
def test_azure_refuses_a_filter_it_cannot_read(
    servers: PriceServers, client: httpx.Client, condition: str
) -> None:
    url = f"{servers.base_url(AZURE)}/api/retail/prices"
    assert client.get(url, params={"$filter": condition}).status_code == 400


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
def test_a_region_not_sold_in_has_no_price(
    servers: PriceServers, client: httpx.Client, vendor: Vendor
) -> None:
    with pytest.raises(PriceUnavailable):
        fetch(vendor, Resource.VCPU_HOUR, servers.base_url(vendor), "mars-north-1", client=client)


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        ("0", "is not in"),
        ("-1", "is not in"),
        ("1001", "is not in"),
        ("0.0000000001", "is not in"),
        ("0.0000000015", "finer than its documents"),
        ("nan", "is no price"),
        ("a lot", "is no price"),
    ],
)
def test_a_price_no_document_can_say_is_refused(usd: str, said: str) -> None:
    servers = PriceServers()
    with pytest.raises(UsageError, match=said):
        servers.set_price(GCP, Resource.VCPU_HOUR, usd)
    assert servers.price(GCP, Resource.VCPU_HOUR) == Decimal("0.02911")


def test_scaling_a_price_away_is_refused() -> None:
    with pytest.raises(UsageError, match="is not in"):
        PriceServers().scale(GCP, Resource.VCPU_HOUR, 0)


def test_stopped_servers_are_down_vendors(client: httpx.Client) -> None:
    with PriceServers() as servers:
        base_url = servers.base_url(AWS)
    with pytest.raises(VendorDown):
        fetch(AWS, Resource.VCPU_HOUR, base_url, client=client)


def test_a_connection_costs_no_thread_and_many_that_close_at_once_keep_nobody_waiting(
    client: httpx.Client,
) -> None:
    """9 000 idle ones once kept a whole devnet silent for half a minute."""
    many = 400  # of each vendor; two descriptors each in this process
    before = threading.active_count()
    with PriceServers() as servers:
        ports = [int(servers.base_url(vendor).rpartition(":")[2]) for vendor in VENDORS.values()]
        with ExitStack() as opened:
            for number in range(many * len(ports)):
                port = ports[number % len(ports)]
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
                if number % 2:
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")  # and no more
            for vendor in VENDORS.values():
                assert _vcpu(servers, client, vendor) > 0
            assert threading.active_count() <= before + 1
        started = time.monotonic()
        for vendor in VENDORS.values():
            assert _vcpu(servers, client, vendor) > 0
        assert time.monotonic() - started < 5
    assert threading.active_count() <= before


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_connection_that_asks_nothing_is_closed(
    said: bytes, monkeypatch: pytest.MonkeyPatch, client: httpx.Client
) -> None:
    monkeypatch.setattr(devnet.oracles.servers, "_IDLE_SECONDS", 0.5)
    with PriceServers() as servers:
        port = int(servers.base_url(AWS).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(said)
            assert connection.recv(1) == b""
        assert _vcpu(servers, client, AWS) > 0


def test_only_reading_is_answered(servers: PriceServers, client: httpx.Client) -> None:
    assert client.post(servers.base_url(AZURE)).status_code == 405
