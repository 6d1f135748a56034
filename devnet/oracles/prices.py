"""Resources, places and exact USD prices: the nouns the readers and the replicas share.

A vendor's "GB" is read as one GiB throughout, without a factor. Google names GiBy outright, and
AWS and Azure mean 2^30 bytes where they bill memory, function time and storage. For egress their
documents do not say it alike; to read it as GiB too is a choice (7 % at most).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

USD_1E18 = 10**18
_DEAREST_USD = 10**9  # a billion dollars for any unit here is a broken document
_FINEST_EXPONENT = -40  # keeps a hostile "1e-999999999" from becoming a huge integer


class Resource(StrEnum):
    """What the chain has a feed for, and the unit one price is for (O1)."""

    VCPU_HOUR = "vcpu_hour"
    GIB_HOUR = "gib_hour"
    STORAGE_GIB_MONTH = "storage_gib_month"
    EGRESS_GIB = "egress_gib"
    FUNCTION_GIB_SECOND = "function_gib_second"
    MILLION_REQUESTS = "million_requests"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vendor's service is asked: `region` of its goods, `api_key` where it asks for one."""

    base_url: str
    region: str
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class PriceUsd:
    """One observed price: `usd_1e18` is USD per unit of `resource`, 18 decimals, above zero."""

    vendor: str
    resource: Resource
    region: str
    usd_1e18: int
    url: str

    def at_decimals(self, decimals: int) -> int:
        """The price as a feed with that many decimals answers it, rounded down."""
        unit: int = 10**decimals
        return self.usd_1e18 * unit // USD_1E18


def usd_1e18(unit_price: Decimal, units: int = 1) -> int:
    """`unit_price` x `units` as 18-decimal fixed point, exact; what is below 1e-18 is dropped.

    Raises `ValueError` for a price that no cloud can mean (not finite, absurdly large or fine).
    """
    exponent = unit_price.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{unit_price} is not a number")
    # compared by exponent first: the comparison itself must stay cheap for "1e999999999"
    if unit_price.adjusted() > 12 or exponent < _FINEST_EXPONENT or exponent > 12:
        raise ValueError(f"{unit_price} is out of any price's range")
    exact = Fraction(unit_price) * units
    if abs(exact) > _DEAREST_USD:
        raise ValueError(f"{unit_price} is out of any price's range")
    return int(exact * USD_1E18)
