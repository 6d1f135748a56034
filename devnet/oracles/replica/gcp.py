"""Google's catalog: `/v1/services/<service>/skus?pageSize=&pageToken=`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from devnet.oracles.gcp import COMPUTE, METERS, REGION, RUN, STORAGE
from devnet.oracles.prices import Resource
from devnet.oracles.replica.answer import EFFECTIVE, Answer, Asked, Prices, cheaper, found, refused

_PATH = re.compile(r"/v1/services/([0-9A-F-]+)/skus")
_PAGE_SIZE = 3  # small, so that every reader has to follow `nextPageToken`
_UNIT_STEP = Decimal("1e-9")  # `nanos`
_SECONDS_PER_UNIT = {"h": 3600, "GiBy.h": 2**30 * 3600, "GiBy.s": 2**30, "GiBy": 2**30}

STEPS: dict[Resource, Decimal] = {
    resource: _UNIT_STEP * meter.units for resource, meter in METERS.items()
}


@dataclass(frozen=True, slots=True)
class _Entry:
    description: str
    family: str
    group: str
    unit: str
    tiers: tuple[tuple[int, Decimal], ...]
    region: str = REGION
    usage_type: str = "OnDemand"


def answer(asked: Asked, prices: Prices) -> Answer:
    """A page of the service's SKUs. 404 for an unknown service, 400 for a token not given out."""
    match = _PATH.fullmatch(asked.path)
    entries = _entries(match[1], prices) if match else ()
    if match is None or not entries:
        return refused(404, f"no service at {asked.path}")
    starts = {_token(start): start for start in range(_PAGE_SIZE, len(entries), _PAGE_SIZE)}
    token = asked.query.get("pageToken", "")
    if token and token not in starts:
        return refused(400, "invalid page token")
    start = starts.get(token, 0)
    end = start + _PAGE_SIZE
    return found(
        {
            "skus": [_sku(match[1], entry) for entry in entries[start:end]],
            "nextPageToken": _token(end) if end < len(entries) else "",
        }
    )


def _token(start: int) -> str:
    return hashlib.sha256(b"page %d" % start).hexdigest()[:12]


def _sku(service: str, entry: _Entry) -> dict[str, object]:
    digest = (
        hashlib.sha256(repr((entry.description, entry.usage_type)).encode()).hexdigest().upper()
    )
    sku = f"{digest[:4]}-{digest[4:8]}-{digest[8:12]}"
    expression = {
        "usageUnit": entry.unit,
        "baseUnitConversionFactor": _SECONDS_PER_UNIT.get(entry.unit, 1),
        "tieredRates": [
            {"startUsageAmount": start, "unitPrice": _money(usd)} for start, usd in entry.tiers
        ],
    }
    return {
        "name": f"services/{service}/skus/{sku}",
        "skuId": sku,
        "description": entry.description,
        "category": {
            "resourceFamily": entry.family,
            "resourceGroup": entry.group,
            "usageType": entry.usage_type,
        },
        "serviceRegions": [entry.region],
        "pricingInfo": [{"effectiveTime": EFFECTIVE, "pricingExpression": expression}],
    }


def _money(usd: Decimal) -> dict[str, object]:
    """`units` is a string (int64), `nanos` a number of the same sign."""
    whole = usd.to_integral_value(ROUND_DOWN)
    nanos = int((usd - whole).scaleb(9))
    return {"currencyCode": "USD", "units": str(int(whole)), "nanos": nanos}


def _entries(service: str, prices: Prices) -> tuple[_Entry, ...]:
    per_unit = {resource: prices[resource] / METERS[resource].units for resource in Resource}
    name = {resource: meter.description for resource, meter in METERS.items()}
    nothing = Decimal(0)

    def other(price: Decimal) -> tuple[tuple[int, Decimal], ...]:
        return ((0, cheaper(price, 40, _UNIT_STEP)),)

    match service:
        case _ if service == COMPUTE:
            core, ram = per_unit[Resource.VCPU_HOUR], per_unit[Resource.GIB_HOUR]
            egress = per_unit[Resource.EGRESS_GIB]
            core_name, ram_name = name[Resource.VCPU_HOUR], name[Resource.GIB_HOUR]
            falling = (
                (0, egress),
                (1024, cheaper(egress, 92, _UNIT_STEP)),
                (10240, cheaper(egress, 67, _UNIT_STEP)),
            )
            return (
                _Entry(
                    f"Spot Preemptible {core_name} Americas",
                    "Compute",
                    "CPU",
                    "h",
                    other(core),
                    usage_type="Preemptible",
                ),
                _Entry(
                    f"{core_name} Americas",
                    "Compute",
                    "CPU",
                    "h",
                    other(core),
                    usage_type="Commit1Yr",
                ),
                _Entry(f"{core_name} Belgium", "Compute", "CPU", "h", other(core), "europe-west1"),
                _Entry(f"{core_name} Americas", "Compute", "CPU", "h", ((0, core),)),
                _Entry(
                    f"{ram_name} Belgium", "Compute", "RAM", "GiBy.h", other(ram), "europe-west1"
                ),
                _Entry(f"{ram_name} Americas", "Compute", "RAM", "GiBy.h", ((0, ram),)),
                _Entry("E2 Instance Core running in Americas", "Compute", "CPU", "h", other(core)),
                _Entry(
                    name[Resource.EGRESS_GIB], "Network", "PremiumInternetEgress", "GiBy", falling
                ),
            )
        case _ if service == STORAGE:
            stored = per_unit[Resource.STORAGE_GIB_MONTH]
            tiers = ((0, nothing), (5, stored))
            return (
                _Entry(
                    "Nearline Storage Iowa", "Storage", "NearlineStorage", "GiBy.mo", other(stored)
                ),
                _Entry(
                    "Standard Storage Belgium",
                    "Storage",
                    "RegionalStorage",
                    "GiBy.mo",
                    other(stored),
                    "europe-west1",
                ),
                _Entry(
                    "Regional Standard Class A Operations",
                    "Storage",
                    "RegionalOps",
                    "count",
                    ((0, nothing), (5000, Decimal("0.000005"))),
                ),
                _Entry(
                    name[Resource.STORAGE_GIB_MONTH], "Storage", "RegionalStorage", "GiBy.mo", tiers
                ),
            )
        case _ if service == RUN:
            memory, request = (
                per_unit[Resource.FUNCTION_GIB_SECOND],
                per_unit[Resource.MILLION_REQUESTS],
            )
            family, group = "ApplicationServices", "Compute"
            return (
                _Entry("Services Min Instance Memory", family, group, "GiBy.s", other(memory)),
                _Entry("Jobs Memory", family, group, "GiBy.s", other(memory)),
                _Entry("Services CPU (Request-based billing)", family, group, "s", other(memory)),
                _Entry(name[Resource.FUNCTION_GIB_SECOND], family, group, "GiBy.s", ((0, memory),)),
                _Entry(
                    name[Resource.MILLION_REQUESTS],
                    family,
                    group,
                    "count",
                    ((0, nothing), (2 * 10**6, request)),
                    "global",
                ),
            )
        case _:
            return ()
