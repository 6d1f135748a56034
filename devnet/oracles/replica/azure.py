"""Azure's retail prices: `/api/retail/prices?$filter=&$skip=`."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import urlencode

from devnet.oracles.azure import METERS, REGION
from devnet.oracles.prices import Resource
from devnet.oracles.replica.answer import EFFECTIVE, Answer, Asked, Prices, cheaper, found, refused

_PATH = "/api/retail/prices"
_PAGE_SIZE = 2  # small, so that every reader has to follow `NextPageLink`
_UNIT_STEP = Decimal("1e-12")

# A clause of `$filter`; the service's own field names but for one.
_CLAUSE = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
_FIELD = {"priceType": "type"}

_FREE_UNITS = {
    Resource.EGRESS_GIB: 100,
    Resource.FUNCTION_GIB_SECOND: 400_000,
    Resource.MILLION_REQUESTS: 100_000,  # of 10 executions
}

STEPS: dict[Resource, Decimal] = {
    resource: _UNIT_STEP * meter.units for resource, meter in METERS.items()
}

Item = dict[str, object]


def answer(asked: Asked, prices: Prices) -> Answer:
    """A page of the items that pass the filter; 400 for a filter or a `$skip` it cannot read."""
    if asked.path != _PATH:
        return refused(404, f"nothing at {asked.path}")
    condition, skip = asked.query.get("$filter", ""), asked.query.get("$skip", "0")
    wanted = _wanted(condition)
    if wanted is None or not skip.isdecimal() or len(skip) > 9:
        return refused(400, "invalid OData parameters")
    items = [
        item
        for item in _items(prices)
        if all(item.get(_FIELD.get(name, name)) == value for name, value in wanted.items())
    ]
    start = int(skip)
    end = start + _PAGE_SIZE
    following = urlencode({"$filter": condition, "$skip": str(end)})
    return found(
        {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": items[start:end],
            "NextPageLink": f"{asked.base_url}{_PATH}?{following}" if end < len(items) else None,
            "Count": len(items[start:end]),
        }
    )


def _wanted(condition: str) -> dict[str, str] | None:
    """The filter's equalities; None when it says anything else."""
    wanted: dict[str, str] = {}
    for clause in condition.split(" and ") if condition else ():
        match = _CLAUSE.fullmatch(clause.strip())
        if match is None:
            return None
        wanted[match[1]] = match[2].replace("''", "'")
    return wanted


def _items(prices: Prices) -> list[Item]:
    items: list[Item] = []
    for resource in Resource:
        usd = prices[resource] / METERS[resource].units
        free = _FREE_UNITS.get(resource, 0)
        if free:
            items.append(_item(resource, Decimal(0), 0))
        items.append(_item(resource, usd, free))
        dearer = _item(resource, usd * 2, free)
        items.append(dearer | {"armRegionName": "westeurope"})
        items.append(dearer | {"type": "DevTestConsumption"})
        if resource in (Resource.EGRESS_GIB, Resource.STORAGE_GIB_MONTH):
            items.append(_item(resource, cheaper(usd, 95, _UNIT_STEP), 51200))
        if resource in (Resource.VCPU_HOUR, Resource.GIB_HOUR):
            spot = _item(resource, cheaper(usd, 30, _UNIT_STEP), 0)
            items.append(spot | {"skuName": "Standard Spot"})
    return items


def _item(resource: Resource, usd: Decimal, tier_minimum: int) -> Item:
    meter = METERS[resource]
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": Decimal(tier_minimum),
        "retailPrice": usd,
        "unitPrice": usd,
        "armRegionName": REGION,
        "effectiveStartDate": EFFECTIVE,
        "meterName": meter.name,
        "productName": meter.product,
        "skuName": meter.sku,
        "serviceName": meter.service,
        "unitOfMeasure": meter.per,
        "type": "Consumption",
    }
