"""Cloud prices off chain: replicas of three vendors' price services, and one reader of both.

Oracle nodes see the clouds only through `fetch`; the replica and the real service differ in
nothing but the base URL.
"""

from devnet.oracles.errors import DocumentUnreadable, PriceAbsent, PriceUnavailable, VendorDown
from devnet.oracles.fetcher import PUBLIC_BASE_URLS, fetch, open_client
from devnet.oracles.prices import LIST_PRICES, REGIONS, PriceUsd, Resource, Vendor
from devnet.oracles.servers import PriceFault, PriceServers

__all__ = [
    "LIST_PRICES",
    "PUBLIC_BASE_URLS",
    "REGIONS",
    "DocumentUnreadable",
    "PriceAbsent",
    "PriceFault",
    "PriceServers",
    "PriceUnavailable",
    "PriceUsd",
    "Resource",
    "Vendor",
    "VendorDown",
    "fetch",
    "open_client",
]
