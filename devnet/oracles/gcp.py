"""Reads Google's Cloud Billing Catalog: paged SKUs of one service.

https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from pydantic import Field

from devnet.oracles.pages import Document, Pages
from devnet.oracles.prices import Place, Resource
from devnet.oracles.tiers import Tier, first_paid

PUBLIC_BASE_URL = "https://cloudbilling.googleapis.com"
REGION = "us-central1"  # whose prices are read
_LARGEST_PAGE = 5000  # the service's own limit

COMPUTE, STORAGE, RUN = "6F81-5844-456A", "95FF-2EF5-5EA1", "152E-C115-5142"


@dataclass(frozen=True, slots=True)
class Meter:
    """Where a resource's price is: the service, how a SKU's description begins, and its unit."""

    service: str
    description: str
    usage_unit: str
    units: int = 1


METERS: dict[Resource, Meter] = {
    Resource.VCPU_HOUR: Meter(COMPUTE, "N4D Instance Core running in", "h"),
    Resource.GIB_HOUR: Meter(COMPUTE, "N4D Instance Ram running in", "GiBy.h"),
    Resource.STORAGE_GIB_MONTH: Meter(STORAGE, "Standard Storage US Regional", "GiBy.mo"),
    Resource.EGRESS_GIB: Meter(
        COMPUTE, "Network Internet Data Transfer Out from Americas to Americas", "GiBy"
    ),
    Resource.FUNCTION_GIB_SECOND: Meter(RUN, "Services Memory (Request-based billing)", "GiBy.s"),
    Resource.MILLION_REQUESTS: Meter(RUN, "Requests", "count", units=10**6),
}


class _Money(Document):
    currency: str = Field(alias="currencyCode")
    units: int = 0  # int64, and so a string in JSON
    nanos: int = 0

    def amount(self) -> Decimal:
        return Decimal(self.units * 10**9 + self.nanos).scaleb(-9)


class _Rate(Document):
    start: Decimal = Field(default=Decimal(0), alias="startUsageAmount")
    unit_price: _Money = Field(alias="unitPrice")


class _Expression(Document):
    usage_unit: str = Field(alias="usageUnit")
    rates: tuple[_Rate, ...] = Field(default=(), alias="tieredRates")


class _Pricing(Document):
    expression: _Expression = Field(alias="pricingExpression")


class _Category(Document):
    usage_type: str = Field(alias="usageType")


class _Sku(Document):
    description: str
    category: _Category
    regions: tuple[str, ...] = Field(default=(), alias="serviceRegions")
    pricing: tuple[_Pricing, ...] = Field(default=(), alias="pricingInfo")


class _Page(Document):
    skus: tuple[_Sku, ...] = ()
    next_token: str = Field(default="", alias="nextPageToken")


def read(pages: Pages, resource: Resource, place: Place) -> int:
    """The resource's price with 18 decimals. Raises `PriceUnavailable`.

    `place.api_key` is what the public service asks for; the replica asks for none.
    """
    meter = METERS[resource]
    tiers: list[Tier] = []
    token = ""
    while True:
        query = {"pageSize": str(_LARGEST_PAGE)}
        if token:
            query["pageToken"] = token
        url = f"{place.base_url}/v1/services/{meter.service}/skus?{urlencode(query)}"
        page = pages.read(_Page, url, {"x-goog-api-key": place.api_key} if place.api_key else {})
        tiers.extend(_tiers(page, meter, place.region))
        if not page.next_token:
            return first_paid(tiers, pages, units=meter.units)
        token = page.next_token


def _tiers(page: _Page, meter: Meter, region: str) -> Iterator[Tier]:
    for sku in page.skus:
        sold_here = region in sku.regions or "global" in sku.regions
        if sku.category.usage_type != "OnDemand" or not sold_here:
            continue
        if not sku.description.startswith(meter.description) or not sku.pricing:
            continue
        expression = sku.pricing[-1].expression  # oldest first; the last one is in effect
        if expression.usage_unit != meter.usage_unit:
            continue
        for rate in expression.rates:
            if rate.unit_price.currency == "USD":
                yield Tier(rate.start, rate.unit_price.amount())
