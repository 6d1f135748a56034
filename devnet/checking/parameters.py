"""The model's parameters, taken from the very deployment the chain was given."""

from __future__ import annotations

from dataclasses import fields

from devnet.deploy.feeds import Feed, feeds
from devnet.deploy.parameters import DeploymentParameters
from devnet.model import FeedConfig, FeedParameters, Parameters, VaultParameters
from devnet.protocol import Deployment, config_digest, feed_name
from devnet.protocol.contracts import Interface
from devnet.protocol.messages import SNAPSHOT_SPACE
from devnet.spec.network import RESOURCES, VENDORS

_MADE = {"gatekeepers", "governance", "vault"}  # of what is given, in the model's own form
_SAME = {
    *({field.name for field in fields(Parameters)} - _MADE)
    & {field.name for field in fields(DeploymentParameters)}
}


def model_parameters(given: DeploymentParameters, deployment: Deployment) -> Parameters:
    """What the constructors were told, as the model knows it; what has one name in both is taken
    as it is."""
    return Parameters(
        chain_id=deployment.genesis.chain_id,
        addresses=deployment.addresses,
        supply=given.supply_wei,
        governance=given.governance or deployment.addresses["ExecutionQueue"],
        space=SNAPSHOT_SPACE,
        timelock=given.timelock_seconds,
        gatekeepers=frozenset(given.gatekeepers),
        genesis_block=deployment.genesis.block,
        month=given.month_seconds,
        exit_delay=given.exit_delay_seconds,
        appeal_window=given.appeal_window_seconds,
        arbiter_window=given.arbiter_window_seconds,
        max_age=given.max_age_seconds,
        halt_delay=given.halt_delay_seconds,
        feeds={feed.name: _feed(given, deployment, feed) for feed in feeds(given)},
        cloud_feeds={
            RESOURCES.index(resource): tuple(feed_name(vendor, resource) for vendor in VENDORS)
            for resource in given.resources
        },
        vault=_vault(given),
        **{name: getattr(given, name) for name in _SAME},
        functions={name: Interface.of(abi).by_selector for name, abi in deployment.abis.items()},
    )


def _vault(given: DeploymentParameters) -> VaultParameters | None:
    vault = given.vault
    return VaultParameters(vault.total_wei, vault.cycles, vault.start_cycle) if vault else None


def _feed(given: DeploymentParameters, deployment: Deployment, feed: Feed) -> FeedParameters:
    bounds = (feed.minimum, feed.maximum)
    if feed.mocked:
        operator = given.oracles[0]
        config = FeedConfig(*bounds)
        return FeedParameters(
            feed.decimals, feed.heartbeat_seconds, config, feed.description, operator
        )
    digest = config_digest(
        deployment.genesis.chain_id,
        deployment.addresses[feed.name],
        1,
        feed.description,
        feed.decimals,
        given.oracles,
        given.faulty,
        bounds,
    )
    config = FeedConfig(*bounds, given.faulty, given.oracles, digest)
    return FeedParameters(feed.decimals, feed.heartbeat_seconds, config, feed.description)
