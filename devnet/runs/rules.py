"""The model's parameters, taken from the very deployment the chain was given."""

from __future__ import annotations

from devnet.deploy.parameters import (
    CLOUD_BOUNDS,
    CLOUD_DECIMALS,
    KOMP_USD_BOUNDS,
    KOMP_USD_DECIMALS,
    UTILIZATION_BOUNDS,
    UTILIZATION_DECIMALS,
    DeploymentParameters,
)
from devnet.model import FeedParameters, Parameters
from devnet.protocol import KOMP_USD_FEED, UTILIZATION_FEED, Deployment, feed_name
from devnet.spec.network import RESOURCES, VENDORS


def model_parameters(given: DeploymentParameters, deployment: Deployment) -> Parameters:
    """What the constructors were told, as the model knows it."""
    return Parameters(
        chain_id=deployment.genesis.chain_id,
        addresses=deployment.addresses,
        supply=given.supply_wei,
        treasury=given.treasury,
        governance=given.governance,
        company=given.company,
        gatekeepers=frozenset(given.gatekeepers),
        perf_quorum=given.perf_quorum,
        genesis_block=deployment.genesis.block,
        cycle_blocks=given.cycle_blocks,
        gap_blocks=given.gap_blocks,
        max_v=given.max_v,
        month=given.month_seconds,
        exit_delay=given.exit_delay_seconds,
        appeal_window=given.appeal_window_seconds,
        max_age=given.max_age_seconds,
        halt_delay=given.halt_delay_seconds,
        feeds=_feeds(given),
        cloud_feeds={
            RESOURCES.index(resource): tuple(feed_name(vendor, resource) for vendor in VENDORS)
            for resource in given.resources
        },
    )


def _feeds(given: DeploymentParameters) -> dict[str, FeedParameters]:
    oracles = frozenset(given.oracles)

    def feed(decimals: int, heartbeat: int, bounds: tuple[int, int]) -> FeedParameters:
        return FeedParameters(decimals, heartbeat, *bounds, given.faulty, oracles)

    feeds = {
        feed_name(vendor, resource): feed(CLOUD_DECIMALS, given.heartbeat_seconds, CLOUD_BOUNDS)
        for resource in given.resources
        for vendor in VENDORS
    }
    feeds[KOMP_USD_FEED] = feed(
        KOMP_USD_DECIMALS, given.komp_usd_heartbeat_seconds, KOMP_USD_BOUNDS
    )
    feeds[UTILIZATION_FEED] = feed(
        UTILIZATION_DECIMALS, given.utilization_heartbeat_seconds, UTILIZATION_BOUNDS
    )
    return feeds
