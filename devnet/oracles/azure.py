"""Reads Azure's Retail Prices service: filtered, paged meters.

https://learn.microsoft.com/en-us/rest/api/cost-management/retail-prices/azure-retail-prices
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from pydantic import Field

from devnet.base.http import httpx
from devnet.oracles.pages import Document, Pages
from devnet.oracles.prices import Place, Resource
from devnet.oracles.tiers import Tier, first_paid

PUBLIC_BASE_URL = "https://prices.azure.com"
REGION = "eastus"  # whose prices are read


@dataclass(frozen=True, slots=True)
class Meter:
    """Where a resource's price is. `units` of `per` (the unit of measure) are one of ours."""

    service: str
    product: str
    sku: str
    name: str
    per: str
    units: int = 1


METERS: dict[Resource, Meter] = {
    Resource.VCPU_HOUR: Meter(
        "Container Instances", "Container Instances", "Standard", "Standard vCPU Duration", "1 Hour"
    ),
    Resource.GIB_HOUR: Meter(
        "Container Instances",
        "Container Instances",
        "Standard",
        "Standard Memory Duration",
        "1 GB Hour",
    ),
    Resource.STORAGE_GIB_MONTH: Meter(
        "Storage", "Blob Storage", "Hot LRS", "Hot LRS Data Stored", "1 GB/Month"
    ),
    Resource.EGRESS_GIB: Meter(
        "Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Data Transfer Out", "1 GB"
    ),
    Resource.FUNCTION_GIB_SECOND: Meter(
        "Functions", "Functions", "Standard", "Standard Execution Time", "1 GB Second"
    ),
    # executions are priced per 10
    Resource.MILLION_REQUESTS: Meter(
        "Functions", "Functions", "Standard", "Standard Total Executions", "10", units=10**5
    ),
}


class _Item(Document):
    currency: str = Field(alias="currencyCode")
    tier_minimum: Decimal = Field(default=Decimal(0), alias="tierMinimumUnits")
    retail_price: Decimal = Field(alias="retailPrice")
    region: str = Field(default="", alias="armRegionName")
    service: str = Field(alias="serviceName")
    product: str = Field(alias="productName")
    sku: str = Field(alias="skuName")
    meter: str = Field(alias="meterName")
    per: str = Field(alias="unitOfMeasure")
    kind: str = Field(alias="type")


class _Page(Document):
    items: tuple[_Item, ...] = Field(alias="Items")
    next_link: str | None = Field(default=None, alias="NextPageLink")


def read(pages: Pages, resource: Resource, place: Place) -> int:
    """The resource's price with 18 decimals. Raises `PriceUnavailable`."""
    meter = METERS[resource]
    wanted = {
        "serviceName": meter.service,
        "productName": meter.product,
        "skuName": meter.sku,
        "meterName": meter.name,
        "armRegionName": place.region,
        "priceType": "Consumption",
    }
    condition = " and ".join(f"{name} eq '{value}'" for name, value in wanted.items())
    url = f"{place.base_url}/api/retail/prices?{urlencode({'$filter': condition})}"
    tiers: list[Tier] = []
    while True:
        page = pages.read(_Page, url)
        tiers.extend(_tiers(page, meter, place.region))
        if not page.next_link:
            return first_paid(tiers, pages, units=meter.units)
        if _origin(page.next_link) != _origin(place.base_url):
            raise pages.unreadable(f"the next page is elsewhere: {page.next_link}")
        url = page.next_link


def _tiers(page: _Page, meter: Meter, region: str) -> Iterator[Tier]:
    # the filter is the service's to apply and ours to check
    wanted = (meter.service, meter.product, meter.sku, meter.name, meter.per, region)
    for item in page.items:
        found = (item.service, item.product, item.sku, item.meter, item.per, item.region)
        if found == wanted and item.kind == "Consumption" and item.currency == "USD":
            yield Tier(item.tier_minimum, item.retail_price)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; the service itself writes its default port out (":443")."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    default = {"http": 80, "https": 443}.get(parsed.scheme)
    return parsed.scheme, parsed.host, parsed.port or default
