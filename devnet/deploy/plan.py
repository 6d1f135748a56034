"""The order of creations. Every address follows from the deployer and its nonce, so contracts may
refer to later ones, and nobody needs a setter."""

from __future__ import annotations

from dataclasses import dataclass

from devnet.chain import created_address
from devnet.deploy.feeds import Feed, feeds
from devnet.deploy.parameters import REQUEST_FEE, UTILIZATION_JOB, DeploymentParameters
from devnet.protocol import KOMP_USD_FEED, POOL_ABI, UTILIZATION_FEED, feed_name
from devnet.protocol.deployment import FEED_ABI, abi_name
from devnet.protocol.messages import SNAPSHOT_SPACE
from devnet.spec.network import RESOURCES, VENDORS

SCRIPTED = "ScriptedFeed"  # stands in for the feeds of a mocked vendor
ZERO_ADDRESS = "0x" + "00" * 20
CREATED_LATER = (POOL_ABI,)  # artifacts that contracts of the plan put on the chain themselves
TOKENS = {"kompute": "Kompute", "re-entering": "CallingToken"}  # contracts by network files' words


@dataclass(frozen=True, slots=True)
class Ref:
    """The address of the creation of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Creation:
    """`name` is what the rest of the project calls it, `contract` the artifact's name."""

    name: str
    contract: str
    args: tuple[object, ...]


def plan(parameters: DeploymentParameters) -> tuple[Creation, ...]:
    """The whole deployment, in order of the deployer's nonces."""
    p = parameters
    token, gatekeepers, staking = Ref("Kompute"), Ref("Gatekeepers"), Ref("Staking")
    governance = p.governance or Ref("ExecutionQueue")
    slashing, rewards, pricing = Ref("Slashing"), Ref("Rewards"), Ref("Pricing")
    pools = Ref("PoolFactory")
    appeals = (p.arbiter, p.appeal_window_seconds, p.arbiter_window_seconds, p.max_age_seconds)
    periods = (p.month_seconds, p.exit_delay_seconds)
    cycle = (p.cycle_blocks, p.gap_blocks, p.max_v)
    return (
        Creation("Kompute", TOKENS[p.token], (p.treasury, p.supply_wei)),
        Creation("Gatekeepers", "Gatekeepers", (governance, p.gatekeepers, p.perf_quorum)),
        Creation("Staking", "Staking", (token, gatekeepers, slashing, *periods)),
        Creation("Slashing", "Slashing", (token, gatekeepers, staking, rewards, pools, *appeals)),
        Creation("Rewards", "Rewards", (token, gatekeepers, staking, slashing, *cycle)),
        *(_feed(p, feed, governance) for feed in feeds(p)),
        Creation(
            "Pricing",
            "Pricing",
            (_feed_table(p), Ref(KOMP_USD_FEED), Ref(UTILIZATION_FEED), gatekeepers),
        ),
        Creation(
            "Market",
            "Market",
            (
                *(token, gatekeepers, staking, rewards, pricing),
                p.company,
                p.halt_delay_seconds,
            ),
        ),
        Creation("PoolFactory", "PoolFactory", (token, staking, rewards, slashing, gatekeepers)),
        Creation(
            "ExecutionQueue",
            "ExecutionQueue",
            (gatekeepers, p.guardian, SNAPSHOT_SPACE, p.timelock_seconds),
        ),
        *_vault(p),
        *(_request_response(p) if p.request_response else ()),
    )


def _request_response(p: DeploymentParameters) -> tuple[Creation, ...]:
    """Chainlink's token and operator, owned by the first oracle node, and our consumer."""
    link, operator = Ref("LinkToken"), Ref("Operator")
    return (
        Creation("LinkToken", "LinkToken", ()),
        Creation("Operator", "Operator", (link, p.oracles[0])),
        Creation(
            "UtilizationConsumer",
            "UtilizationConsumer",
            (link, operator, UTILIZATION_JOB, REQUEST_FEE),
        ),
    )


def _feed(p: DeploymentParameters, feed: Feed, governance: object) -> Creation:
    bounds = (feed.minimum, feed.maximum)
    said = (feed.description, feed.decimals)
    if feed.mocked:
        operated = (p.oracles[0], feed.heartbeat_seconds)
        return Creation(feed.name, SCRIPTED, (*said, *operated, *bounds))
    nodes = (p.oracles, p.faulty, feed.heartbeat_seconds, p.deviation_bps)
    return Creation(feed.name, FEED_ABI, (*said, *nodes, *bounds, governance))


def _vault(p: DeploymentParameters) -> tuple[Creation, ...]:
    if p.vault is None:
        return ()
    shares = (p.vault.total_wei, p.vault.cycles, p.vault.start_cycle)
    args = (Ref("Kompute"), Ref("Rewards"), *shares)
    return (Creation("IncentiveVault", "IncentiveVault", args),)


def _feed_table(p: DeploymentParameters) -> tuple[tuple[object, ...], ...]:
    """address[3][6] of the pricing contract; zero for resources this network leaves out."""
    return tuple(
        tuple(
            Ref(feed_name(vendor, resource)) if resource in p.resources else ZERO_ADDRESS
            for vendor in VENDORS
        )
        for resource in RESOURCES
    )


def abi_key(creation: Creation) -> str:
    """Under which name a deployment holds the ABI: what stands in for another has its own."""
    usual = abi_name(creation.name) == creation.contract
    return creation.contract if usual else creation.name


def abi_sources(creations: tuple[Creation, ...]) -> dict[str, str]:
    """The artifact behind every ABI of a deployment, by the name it is held under."""
    sources = {abi_key(creation): creation.contract for creation in creations}
    return sources | {name: name for name in CREATED_LATER}


def addresses(creations: tuple[Creation, ...], deployer: str, nonce: int = 0) -> dict[str, str]:
    """Where each creation will lie when `deployer` sends them from `nonce` on (CREATE)."""
    return {
        creation.name: created_address(deployer, nonce + place)
        for place, creation in enumerate(creations)
    }


def resolved(value: object, where: dict[str, str]) -> object:
    """An argument with every `Ref` replaced by its address."""
    if isinstance(value, Ref):
        return where[value.name]
    if isinstance(value, tuple):
        return tuple(resolved(entry, where) for entry in value)
    return value
