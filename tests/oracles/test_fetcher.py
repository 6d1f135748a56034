"""Documents no honest vendor serves: the reader names what it saw and returns nothing.

The transport is a fake: only so can a vendor's answer be any bytes at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from devnet.oracles import (
    AWS,
    AZURE,
    GCP,
    VENDORS,
    DocumentUnreadable,
    PriceAbsent,
    PriceUnavailable,
    Resource,
    Vendor,
    VendorDown,
    fetch,
)
from devnet.oracles import pages as pages_module

BASE = {AWS: "https://aws.test", GCP: "https://gcp.test",
        AZURE: "https://azure.test"}  # fmt: skip


def _fetch(
    vendor: Vendor,
    answer: Callable[[httpx.Request], httpx.Response],
    resource: Resource = Resource.VCPU_HOUR,
    api_key: str = "",
) -> int:
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        read = fetch(vendor, resource, BASE[vendor], client=client, api_key=api_key)
    return read.usd_1e18


def _always(text: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, text=text)


def _azure_item(**changes: object) -> dict[str, object]:
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": 0.0405,
        "armRegionName": "eastus",
        "serviceName": "Container Instances",
        "productName": "Container Instances",
        "skuName": "Standard",
        "meterName": "Standard vCPU Duration",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
    } | changes


def _azure(*items: dict[str, object], link: str | None = None) -> str:
    return json.dumps({"Items": list(items), "NextPageLink": link})


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
@pytest.mark.parametrize(
    "text",
    ["", "<html>", "[]", "null", '{"Items": 3, "skus": 3, "products": 3}', "[" * 100_000, "NaN"],
    ids=["empty", "html", "list", "null", "other fields", "deep", "not a number"],
)
def test_what_is_no_document_is_unreadable(vendor: Vendor, text: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        _fetch(vendor, _always(text))
    assert caught.value.vendor == vendor.name
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=str)
def test_a_document_without_end_is_refused(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "MAX_DOCUMENT_BYTES", 1000)
    with pytest.raises(VendorDown, match="more than 1000 bytes"):
        _fetch(vendor, _always(" " * 1001))


def test_pages_without_end_are_refused() -> None:
    link = f"{BASE[AZURE]}/api/retail/prices?$skip=0"
    with pytest.raises(DocumentUnreadable, match="more than 40 pages"):
        _fetch(AZURE, _always(_azure(link=link)))


def test_a_slow_vendor_is_down() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow", request=request)

    with pytest.raises(VendorDown, match="ReadTimeout: too slow"):
        _fetch(GCP, answer)


def test_azure_follows_no_link_to_another_host() -> None:
    with pytest.raises(DocumentUnreadable, match="elsewhere"):
        _fetch(AZURE, _always(_azure(link="https://elsewhere.test/api/retail/prices")))


def test_azures_own_link_names_its_default_port() -> None:
    first = _azure(link=f"{BASE[AZURE]}:443/api/retail/prices?$skip=1000")
    second = _azure(_azure_item())

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=second if "skip" in str(request.url) else first)

    assert _fetch(AZURE, answer) == 405 * 10**14


def test_an_api_key_is_a_header_and_never_part_of_the_url() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text='{"skus": []}')

    with pytest.raises(PriceAbsent) as caught:
        _fetch(GCP, answer, api_key="k3y")
    assert seen[0].headers["x-goog-api-key"] == "k3y"
    assert "k3y" not in str(caught.value)


@pytest.mark.parametrize(
    ("items", "seen"),
    [
        ([], "no entry for it"),
        ([_azure_item(currencyCode="EUR")], "no entry for it"),
        ([_azure_item(unitOfMeasure="100 Hours")], "no entry for it"),
        ([_azure_item(type="Reservation")], "no entry for it"),
        ([_azure_item(), _azure_item(retailPrice=0.05)], "several prices at once: 0.0405, 0.05"),
        ([_azure_item(retailPrice=2_000_000_000)], "out of any price's range"),
    ],
    ids=["none", "euros", "other unit", "reservation", "two prices", "absurd"],
)
def test_a_sound_document_without_one_price(items: list[dict[str, object]], seen: str) -> None:
    with pytest.raises(PriceAbsent) as caught:
        _fetch(AZURE, _always(_azure(*items)))
    assert seen in caught.value.seen


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "9" * 5000])
def test_a_number_made_to_exhaust_memory_is_refused(number: str) -> None:
    text = _azure(_azure_item(retailPrice=424242)).replace("424242", number)
    with pytest.raises(PriceUnavailable):
        _fetch(AZURE, _always(text))


def test_the_same_price_listed_twice_is_one_price() -> None:
    assert _fetch(AZURE, _always(_azure(_azure_item(), _azure_item()))) == 405 * 10**14


def _aws(*entries: tuple[dict[str, str], str]) -> str:
    """An offer with one SKU per entry: its attributes beside the usage type, its USD per hour."""
    usage = {"usagetype": "USE1-Fargate-vCPU-Hours:perCPU"}
    products: dict[str, object] = {}
    terms: dict[str, object] = {}
    for index, (attributes, usd) in enumerate(entries):
        sku = f"SKU{index}"
        products[sku] = {"sku": sku, "attributes": usage | attributes}
        dimension = {"unit": "hours", "beginRange": "0", "pricePerUnit": {"USD": usd}}
        terms[sku] = {f"{sku}.T": {"priceDimensions": {f"{sku}.T.D": dimension}}}
    return json.dumps({"products": products, "terms": {"OnDemand": terms}})


@pytest.mark.parametrize(
    "other",
    [
        {"marketoption": "CapacityBlock"},
        {"capacitystatus": "UnusedCapacityReservation"},
        {"tenancy": "Dedicated"},
        {"preInstalledSw": "SQL Ent"},
        {"regionCode": "us-west-2"},
        {"transferType": "InterRegion Outbound"},
        {"usagetype": "Global-Fargate-vCPU-Hours:perCPU"},
        {"usagetype": "USE1-Fargate-ARM-vCPU-Hours:perCPU"},
    ],
    ids=lambda other: next(iter(other.values())),
)
def test_aws_goods_of_another_kind_are_not_our_price(other: dict[str, str]) -> None:
    text = _aws((other, "0.0100000000"), ({"marketoption": "OnDemand"}, "0.0404800000"))
    assert _fetch(AWS, _always(text)) == 4048 * 10**13


def _gcp_pricing(nanos: int) -> dict[str, object]:
    money = {"currencyCode": "USD", "units": "0", "nanos": nanos}
    rates = [{"startUsageAmount": 0, "unitPrice": money}]
    return {"pricingExpression": {"usageUnit": "h", "tieredRates": rates}}


def test_gcps_last_pricing_is_the_one_in_effect() -> None:
    sku = {
        "description": "N4D Instance Core running in Americas",
        "category": {"usageType": "OnDemand"},
        "serviceRegions": ["us-central1"],
        "pricingInfo": [_gcp_pricing(1), _gcp_pricing(29_110_000)],
    }
    assert _fetch(GCP, _always(json.dumps({"skus": [sku]}))) == 2911 * 10**13
