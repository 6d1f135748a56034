"""What feeds are called: by steps (`aws:vcpu_hour`, `komp_usd`), and as contracts (`Feed:…`)."""

from __future__ import annotations

from typing import Final

FEED_PREFIX: Final = "Feed:"
KOMP_USD: Final = "komp_usd"
UTILIZATION: Final = "utilization"
KOMP_USD_FEED: Final = FEED_PREFIX + KOMP_USD
UTILIZATION_FEED: Final = FEED_PREFIX + UTILIZATION


def cloud_feed(vendor: str, resource: str) -> str:
    """What steps call one vendor's feed for one resource (O1)."""
    return f"{vendor}:{resource}"


def feed_name(vendor: str, resource: str) -> str:
    """The contract name of that feed."""
    return FEED_PREFIX + cloud_feed(vendor, resource)
