"""AWS's price list files: `/offers/v1.0/aws/<offer>/current/<region>/index.json`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal

from devnet.oracles.aws import METERS, REGION
from devnet.oracles.prices import Resource
from devnet.oracles.replica.answer import EFFECTIVE, Answer, Asked, Prices, cheaper, found, refused

_PATH = re.compile(r"/offers/v1\.0/aws/(\w+)/current/([\w-]+)/index\.json")
_UNIT_STEP = Decimal("1e-10")  # ten decimals in `pricePerUnit`

STEPS: dict[Resource, Decimal] = {
    resource: _UNIT_STEP * meter.units for resource, meter in METERS.items()
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One SKU with its tiers: (first unit, USD per unit)."""

    usage: str
    family: str
    unit: str
    tiers: tuple[tuple[int, Decimal], ...]
    attributes: tuple[tuple[str, str], ...] = ()


def answer(asked: Asked, prices: Prices) -> Answer:
    """The offer's file with these prices, or 404 as the real service has for an unknown one."""
    match = _PATH.fullmatch(asked.path)
    entries = _entries(match[1], prices) if match and match[2] == REGION else ()
    if match is None or not entries:
        return refused(404, f"no file at {asked.path}")
    products: dict[str, object] = {}
    on_demand: dict[str, object] = {}
    for entry in entries:
        sku = (
            hashlib.sha256(repr((entry.usage, entry.attributes)).encode()).hexdigest()[:16].upper()
        )
        products[sku] = _product(sku, entry)
        on_demand[sku] = _term(sku, entry)
    return found(
        {
            "formatVersion": "v1.0",
            "offerCode": match[1],
            "version": "20260101000000",
            "publicationDate": EFFECTIVE,
            "products": products,
            "terms": {"OnDemand": on_demand, "Reserved": {}},
        }
    )


def _product(sku: str, entry: _Entry) -> dict[str, object]:
    attributes = {"usagetype": entry.usage, "regionCode": REGION} | dict(entry.attributes)
    return {"sku": sku, "productFamily": entry.family, "attributes": attributes}


def _term(sku: str, entry: _Entry) -> dict[str, object]:
    term = f"{sku}.JRTCKXETXF"  # AWS's code for on-demand terms
    ends = [str(begin) for begin, _ in entry.tiers[1:]] + ["Inf"]
    dimensions = {
        f"{term}.{index:010d}": {
            "unit": entry.unit,
            "beginRange": str(begin),
            "endRange": end,
            "pricePerUnit": {"USD": f"{usd:.10f}"},
        }
        for index, ((begin, usd), end) in enumerate(zip(entry.tiers, ends, strict=True))
    }
    return {
        term: {
            "offerTermCode": "JRTCKXETXF",
            "sku": sku,
            "effectiveDate": EFFECTIVE,
            "priceDimensions": dimensions,
        }
    }


def _entries(offer: str, prices: Prices) -> tuple[_Entry, ...]:
    per_unit = {resource: prices[resource] / METERS[resource].units for resource in Resource}
    nothing = Decimal(0)

    def falling(resource: Resource, *bounds: int) -> tuple[tuple[int, Decimal], ...]:
        usd = per_unit[resource]
        later = (
            (bound, cheaper(usd, 95 - 5 * index, _UNIT_STEP)) for index, bound in enumerate(bounds)
        )
        return ((0, usd), *later)

    match offer:
        case "AmazonECS":
            vcpu, memory = per_unit[Resource.VCPU_HOUR], per_unit[Resource.GIB_HOUR]
            vcpu_usage = "USE1-Fargate-vCPU-Hours:perCPU"
            capacity_block = (("marketoption", "CapacityBlock"), ("capacitystatus", "Used"))
            return (
                # free of charge under the same usage type
                _Entry(vcpu_usage, "Compute", "hours", ((0, nothing),), capacity_block),
                _Entry(vcpu_usage, "Compute", "hours", ((0, vcpu),)),
                _Entry("USE1-Fargate-GB-Hours", "Compute", "hours", ((0, memory),)),
                _Entry("USE1-Fargate-ARM-vCPU-Hours:perCPU", "Compute", "hours", ((0, vcpu * 2),)),
                _Entry("USE1-Fargate-ARM-GB-Hours", "Compute", "hours", ((0, memory * 2),)),
                _Entry(
                    "USE1-Fargate-Windows-vCPU-Hours:perCPU", "Compute", "hours", ((0, vcpu * 3),)
                ),
            )
        case "AmazonS3":
            storage = (("storageClass", "General Purpose"), ("volumeType", "Standard"))
            tiers = falling(Resource.STORAGE_GIB_MONTH, 51200, 512000)
            rare = ((0, per_unit[Resource.STORAGE_GIB_MONTH] * 2),)
            return (
                _Entry("TimedStorage-ByteHrs", "Storage", "GB-Mo", tiers, storage),
                _Entry("TimedStorage-SIA-ByteHrs", "Storage", "GB-Mo", rare),
            )
        case "AWSDataTransfer":
            outward = (
                ("transferType", "AWS Outbound"),
                ("fromRegionCode", REGION),
                ("toLocation", "External"),
            )
            inward = (("transferType", "AWS Inbound"), ("fromLocation", "External"))
            tiers = falling(Resource.EGRESS_GIB, 10240, 51200, 153600)
            return (
                _Entry("DataTransfer-In-Bytes", "Data Transfer", "GB", ((0, nothing),), inward),
                _Entry("DataTransfer-Out-Bytes", "Data Transfer", "GB", tiers, outward),
            )
        case "AWSLambda":
            duration, requests = ("group", "AWS-Lambda-Duration"), ("group", "AWS-Lambda-Requests")
            tiers = falling(Resource.FUNCTION_GIB_SECOND, 6 * 10**9, 15 * 10**9)
            paid = per_unit[Resource.MILLION_REQUESTS]
            seconds = "Lambda-GB-Second"
            return (
                _Entry("Global-Request", "Serverless", "Requests", ((0, nothing),), (requests,)),
                _Entry("Request", "Serverless", "Requests", ((0, paid),), (requests,)),
                _Entry(f"Global-{seconds}", "Serverless", seconds, ((0, nothing),), (duration,)),
                _Entry(seconds, "Serverless", seconds, tiers, (duration,)),
                _Entry(f"{seconds}-ARM", "Serverless", seconds, ((0, paid * 7),), (duration,)),
            )
        case _:
            return ()
