"""Reads AWS's bulk price list: one file per offer and region.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pydantic import Field

from devnet.oracles.pages import Document, Pages
from devnet.oracles.prices import Place, Resource
from devnet.oracles.tiers import Tier, first_paid

PUBLIC_BASE_URL = "https://pricing.us-east-1.amazonaws.com"
REGION = "us-east-1"  # whose prices are read


@dataclass(frozen=True, slots=True)
class Meter:
    """Where a resource's price is: the offer, its usage type without the region's prefix."""

    offer: str
    usage: str
    units: int = 1


METERS: dict[Resource, Meter] = {
    Resource.VCPU_HOUR: Meter("AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    Resource.GIB_HOUR: Meter("AmazonECS", "Fargate-GB-Hours"),
    Resource.STORAGE_GIB_MONTH: Meter("AmazonS3", "TimedStorage-ByteHrs"),
    Resource.EGRESS_GIB: Meter("AWSDataTransfer", "DataTransfer-Out-Bytes"),
    Resource.FUNCTION_GIB_SECOND: Meter("AWSLambda", "Lambda-GB-Second"),
    Resource.MILLION_REQUESTS: Meter("AWSLambda", "Request", units=10**6),
}

# Capacity blocks and bundled software are listed at $0 under the same usage type.
_ORDINARY = {
    "marketoption": "OnDemand",
    "capacitystatus": "Used",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
}


class _Product(Document):
    attributes: dict[str, str] = Field(default_factory=dict)


class _Dimension(Document):
    begin_range: Decimal = Field(default=Decimal(0), alias="beginRange")
    price_per_unit: dict[str, Decimal] = Field(alias="pricePerUnit")


class _Term(Document):
    price_dimensions: dict[str, _Dimension] = Field(alias="priceDimensions")


class _Terms(Document):
    on_demand: dict[str, dict[str, _Term]] = Field(default_factory=dict, alias="OnDemand")


class _Offer(Document):
    products: dict[str, _Product]
    terms: _Terms


def read(pages: Pages, resource: Resource, place: Place) -> int:
    """The resource's price with 18 decimals. Raises `PriceUnavailable`."""
    meter = METERS[resource]
    url = f"{place.base_url}/offers/v1.0/aws/{meter.offer}/current/{place.region}/index.json"
    offer = pages.read(_Offer, url)
    return first_paid(_tiers(offer, meter, place.region), pages, units=meter.units)


def _tiers(offer: _Offer, meter: Meter, region: str) -> Iterator[Tier]:
    # "USE1-", "EU-" or nothing; "Global-" marks the free tier, "ARM" and "Windows" other goods
    usage = re.compile(rf"(?:[A-Z]{{2,4}}\d?-)?{re.escape(meter.usage)}")
    for sku, product in offer.products.items():
        if not usage.fullmatch(product.attributes.get("usagetype", "")):
            continue
        if not _is_ordinary(product.attributes, region):
            continue
        for term in offer.terms.on_demand.get(sku, {}).values():
            for dimension in term.price_dimensions.values():
                if "USD" in dimension.price_per_unit:
                    yield Tier(dimension.begin_range, dimension.price_per_unit["USD"])


def _is_ordinary(attributes: dict[str, str], region: str) -> bool:
    """Whether it is sold on demand in the region; offers leave out what does not apply to them."""
    here = attributes.get("regionCode") or attributes.get("fromRegionCode") or region
    outward = attributes.get("transferType", "AWS Outbound") == "AWS Outbound"
    ordinary = all(attributes.get(name, usual) == usual for name, usual in _ORDINARY.items())
    return here == region and outward and ordinary
