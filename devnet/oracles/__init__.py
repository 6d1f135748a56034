"""Cloud prices off chain: replicas of three vendors' price services, and one reader of both.

Oracle nodes see the clouds only through `fetch`; the replica and the real service differ in
nothing but the base URL.
"""

from devnet.oracles.errors import DocumentUnreadable, PriceAbsent, PriceUnavailable, VendorDown
from devnet.oracles.fetcher import fetch, open_client
from devnet.oracles.prices import PriceUsd, Resource
from devnet.oracles.servers import PriceServers
from devnet.oracles.vendors import AWS, AZURE, GCP, VENDORS, Vendor

__all__ = [
    "AWS",
    "AZURE",
    "GCP",
    "VENDORS",
    "DocumentUnreadable",
    "PriceAbsent",
    "PriceServers",
    "PriceUnavailable",
    "PriceUsd",
    "Resource",
    "Vendor",
    "VendorDown",
    "fetch",
    "open_client",
]
