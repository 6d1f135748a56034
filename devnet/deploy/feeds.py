"""Every feed of a deployment, as its constructor is told (O1, O2)."""

from __future__ import annotations

from dataclasses import dataclass

from devnet.deploy.parameters import (
    CLOUD_BOUNDS,
    CLOUD_DECIMALS,
    KOMP_USD_BOUNDS,
    KOMP_USD_DECIMALS,
    UTILIZATION_BOUNDS,
    UTILIZATION_DECIMALS,
    DeploymentParameters,
)
from devnet.protocol import KOMP_USD_FEED, UTILIZATION_FEED, feed_name
from devnet.spec.network import VENDORS


@dataclass(frozen=True, slots=True)
class Feed:
    """Bounds are in the feed's decimals; `mocked`: the first oracle node scripts its answers."""

    name: str
    description: str
    decimals: int
    heartbeat_seconds: int
    minimum: int
    maximum: int
    mocked: bool = False


def feeds(p: DeploymentParameters) -> tuple[Feed, ...]:
    """Three vendors of each priced resource, KOMP/USD and utilization."""
    cloud = (CLOUD_DECIMALS, p.heartbeat_seconds, *CLOUD_BOUNDS)
    komp_usd = (KOMP_USD_DECIMALS, p.komp_usd_heartbeat_seconds, *KOMP_USD_BOUNDS)
    used = (UTILIZATION_DECIMALS, p.utilization_heartbeat_seconds, *UTILIZATION_BOUNDS)
    return (
        *(
            Feed(
                feed_name(vendor, resource),
                f"{vendor} {resource} / USD",
                *cloud,
                mocked=vendor in p.mocked,
            )
            for resource in p.resources
            for vendor in VENDORS
        ),
        Feed(KOMP_USD_FEED, "KOMP / USD", *komp_usd),
        Feed(UTILIZATION_FEED, "utilization", *used),
    )
