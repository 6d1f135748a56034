"""Typed reads of the contracts' views at the latest block; `View.read` reads any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from devnet.base.errors import UsageError
from devnet.chain.chain import Chain
from devnet.chain.errors import Reverted
from devnet.protocol.contracts import Contracts
from devnet.protocol.errors import ProtocolError, decode_error
from devnet.protocol.messages import Domains
from devnet.protocol.states import (
    ContingencyState,
    IncidentState,
    NodeState,
    OrderState,
    PoolState,
    ProposalState,
    PublisherState,
    Quorum,
    RoundState,
    StoredPrice,
)
from devnet.spec.network import RESOURCES

NO_CYCLE: Final = 2**256 - 1

POOL_READS: Final = (
    *("operator", "commissionBps", "node", "assets", "closed", "withdrawn"),
    *("totalShares", "rewardsPerShare"),
)

Read = tuple[str, str, Sequence[Any]]


class View:
    """Reads by name. Amounts are wei, times seconds, ratios as the interfaces say.

    A resource is its name or number, a quorum its name or number. Every method raises
    ProtocolError when the contract refuses (a stale price, say).
    """

    def __init__(
        self, chain: Chain, contracts: Contracts, names: Mapping[str, str] | None = None
    ) -> None:
        self.chain, self.contracts = chain, contracts
        self.domains = Domains.of(contracts.deployment)
        self._names = {**contracts.names, **(names or {})}
        self._constants: dict[tuple[str, str], Any] = {}
        self._at = ""  # the block that `_seen` is of
        self._seen: dict[tuple[object, ...], Any] = {}

    def read(self, contract: str, function: str, *args: Any) -> Any:
        """One view, decoded: a value, or a mapping for a struct or several results.

        Asked of the chain once a block.
        """
        if self._at != self.chain.head.hash:
            self._at, self._seen = self.chain.head.hash, {}
        key = (contract, function, *args)
        if key not in self._seen:
            self._seen[key] = self.read_many([(contract, function, args)])[0]
        value = self._seen[key]
        if isinstance(value, ProtocolError):
            raise value
        return value

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        """Many views in one batch; a refused one's place holds its ProtocolError."""
        calls = [self.contracts.encode(name, function, *args) for name, function, args in reads]
        answers = self.chain.calls([(call.to, call.data) for call in calls])
        return [
            decode_error(answer.data, self._names)
            if isinstance(answer, Reverted)
            else self.contracts.result(name, function, answer)
            for (name, function, _), answer in zip(reads, answers, strict=True)
        ]

    def block_hash(self, number: int) -> bytes:
        """A block's hash, 32 zero bytes above the head, as in a contract."""
        found = self.chain.block_hash(number)
        return bytes.fromhex(found[2:]) if found else bytes(32)

    def _integer(self, contract: str, function: str, *args: Any) -> int:
        return cast(int, self.read(contract, function, *args))

    def _truth(self, contract: str, function: str, *args: Any) -> bool:
        return cast(bool, self.read(contract, function, *args))

    def _address(self, contract: str, function: str, *args: Any) -> str:
        return cast(str, self.read(contract, function, *args))

    def _constant(self, contract: str, function: str) -> int:
        key = (contract, function)
        if key not in self._constants:
            self._constants[key] = self.read(contract, function)
        return cast(int, self._constants[key])

    # Kompute

    def balance_of(self, account: str) -> int:
        return self._integer("Kompute", "balanceOf", account)

    def allowance(self, owner: str, spender: str) -> int:
        return self._integer("Kompute", "allowance", owner, spender)

    def total_supply(self) -> int:
        return self._constant("Kompute", "totalSupply")  # T1: never changes

    # Gatekeepers

    def governance(self) -> str:
        return self._address("Gatekeepers", "governance")

    def is_gatekeeper(self, account: str) -> bool:
        return self._truth("Gatekeepers", "isGatekeeper", account)

    def gatekeeper_count(self) -> int:
        return self._integer("Gatekeepers", "count")

    def needed(self, quorum: Quorum | str | int) -> int:
        """How many signatures a quorum takes now (R4)."""
        number = Quorum[quorum] if isinstance(quorum, str) else Quorum(quorum)
        return self._integer("Gatekeepers", "needed", int(number))

    # Staking

    def node(self, node: str) -> NodeState:
        return NodeState.of(self.read("Staking", "nodeOf", node))

    def owner_of(self, node: str) -> str:
        return self._address("Staking", "ownerOf", node)

    def stake_of(self, node: str) -> int:
        return self._integer("Staking", "stakeOf", node)

    def is_active(self, node: str) -> bool:
        return self._truth("Staking", "isActive", node)

    def is_live(self, node: str) -> bool:
        return self._truth("Staking", "isLive", node)

    def is_suspended(self, node: str) -> bool:
        """Whether an incident of level 2 is pending (C7)."""
        return self._truth("Staking", "isSuspended", node)

    def works(self, node: str) -> bool:
        """Whether it may publish and accept orders: active (S4) and not suspended (C7)."""
        active, suspended = self.read("Staking", "statusOf", node).values()
        return bool(active and not suspended)

    def multiplier_bps(self, node: str) -> int:
        return self._integer("Staking", "multiplierBps", node)

    def publisher_of(self, node: str) -> PublisherState:
        return PublisherState.of(self.read("Staking", "publisherOf", node))

    def hardware_holder(self, hardware_id: bytes) -> str:
        return self._address("Staking", "hardwareHolder", hardware_id)

    def total_stake(self) -> int:
        return self._integer("Staking", "totalStake")

    def month(self) -> int:
        """Seconds of a month (S2)."""
        return self._constant("Staking", "month")

    def exit_delay(self) -> int:
        return self._constant("Staking", "exitDelay")

    # Rewards

    def genesis(self) -> int:
        """The block in which cycle 0 begins (C1)."""
        return self._constant("Rewards", "genesis")

    def cycle_blocks(self) -> int:
        return self._constant("Rewards", "cycleBlocks")

    def gap_blocks(self) -> int:
        return self._constant("Rewards", "gapBlocks")

    def max_v(self) -> int:
        return self._integer("Rewards", "maxV")

    def current_cycle(self) -> int:
        """The cycle of the head block."""
        return self._integer("Rewards", "currentCycle")

    def cycle_reward(self, cycle: int) -> int:
        return self._integer("Rewards", "cycleReward", cycle)

    def cycle_total_v(self, cycle: int) -> int:
        return self._integer("Rewards", "cycleTotalV", cycle)

    def cycle_account_v(self, cycle: int, node: str) -> int:
        return self._integer("Rewards", "cycleAccountV", cycle, node)

    def claimable(self, node: str, cycle: int) -> int:
        return self._integer("Rewards", "claimable", node, cycle)

    def claimable_all(self, node: str) -> int:
        return self._integer("Rewards", "claimableAll", node)

    def accrued(self, node: str) -> int:
        return self._integer("Rewards", "accrued", node)

    def open_cycle(self, node: str) -> int | None:
        """The one cycle that is published in and not settled yet, None for none (C3)."""
        cycle = self._integer("Rewards", "openCycle", node)
        return None if cycle == NO_CYCLE else cycle

    def claimed_before(self, node: str) -> int:
        return self._integer("Rewards", "claimedBefore", node)

    def is_claimed(self, node: str, cycle: int) -> bool:
        return self._truth("Rewards", "isClaimed", node, cycle)

    def sequence_of(self, node: str) -> int:
        return self._integer("Rewards", "sequenceOf", node)

    def last_published_block(self, node: str) -> int:
        return self._integer("Rewards", "lastPublishedBlock", node)

    # Slashing

    def incident(self, incident: int) -> IncidentState:
        return IncidentState.of(self.read("Slashing", "incidentOf", incident))

    def incident_count(self) -> int:
        return self._integer("Slashing", "incidentCount")

    def cursor_of(self, node: str, level: int) -> int:
        return self._integer("Slashing", "cursorOf", node, level)

    def pending_count(self, node: str) -> int:
        return self._integer("Slashing", "pendingCount", node)

    def amount_of(self, incident: int) -> int:
        return self._integer("Slashing", "amountOf", incident)

    def seized_of(self, node: str) -> int:
        """What is left in escrow of a stake that a pending level 3 seized, wei (L6)."""
        return self._integer("Slashing", "seizedOf", node)

    def arbiter(self) -> str:
        return self._address("Slashing", "arbiter")

    def arbiter_window(self) -> int:
        return self._constant("Slashing", "arbiterWindow")

    def appeal_window(self) -> int:
        return self._constant("Slashing", "appealWindow")

    def max_age(self) -> int:
        return self._constant("Slashing", "maxAge")

    # Pools: `pool` is a contract name, `Pool:<n>`

    def is_pool(self, account: str) -> bool:
        return self._truth("PoolFactory", "isPool", account)

    def pool_count(self) -> int:
        return self._integer("PoolFactory", "poolCount")

    def pool_of(self, number: int) -> str:
        return self._address("PoolFactory", "poolOf", number)

    def pool(self, pool: str) -> PoolState:
        return PoolState(*(self.read(pool, view) for view in POOL_READS))

    def pool_shares(self, pool: str, member: str) -> int:
        return self._integer(pool, "sharesOf", member)

    def pool_uncollected(self, pool: str, member: str) -> tuple[int, int]:
        """Rewards and commission that were harvested and the member has not collected."""
        amount, commission = self.read(pool, "uncollectedOf", member).values()
        return amount, commission

    # Pricing

    def stored_price(self, resource: str | int) -> StoredPrice:
        return StoredPrice.of(self.read("Pricing", "stored", resource_number(resource)))

    def market_price(self, resource: str | int) -> int:
        return self._integer("Pricing", "marketPrice", resource_number(resource))

    def price(self, resource: str | int) -> int:
        return self._integer("Pricing", "price", resource_number(resource))

    def utilization(self) -> int:
        return self._integer("Pricing", "utilization")

    def komp_usd(self) -> int:
        return self._integer("Pricing", "kompUsd")

    def price_in_komp(self, resource: str | int) -> int:
        return self._integer("Pricing", "priceInKomp", resource_number(resource))

    def prices_in_komp(self, first: str | int, second: str | int) -> tuple[int, int]:
        """`price_in_komp` of two resources in one call."""
        numbers = (resource_number(first), resource_number(second))
        one, other = self.read("Pricing", "pricesInKomp", *numbers).values()
        return one, other

    def beats_all(self, resource: str | int) -> bool:
        return self._truth("Pricing", "beatsAll", resource_number(resource))

    def feed_of(self, resource: str | int, vendor: int) -> str:
        return self._address("Pricing", "feedOf", resource_number(resource), vendor)

    def heartbeat(self, resource: str | int) -> int:
        return self._integer("Pricing", "heartbeat", resource_number(resource))

    def contingency(self, resource: str | int) -> ContingencyState:
        return ContingencyState.of(self.read("Pricing", "contingencyOf", resource_number(resource)))

    # ExecutionQueue

    def proposal(self, proposal: bytes) -> ProposalState:
        return ProposalState.of(self.read("ExecutionQueue", "proposalOf", proposal))

    def guardian(self) -> str:
        return self._address("ExecutionQueue", "guardian")

    def space(self) -> bytes:
        """The Snapshot space whose proposals are executed (G1)."""
        return cast(bytes, self.read("ExecutionQueue", "space"))

    def timelock(self) -> int:
        """Seconds between queueing and execution (G2)."""
        return self._constant("ExecutionQueue", "delay")

    # IncentiveVault

    def released(self) -> int:
        """Wei released so far (I1); raises UsageError where there is no vault."""
        return self._integer("IncentiveVault", "released")

    def releasable(self) -> int:
        return self._integer("IncentiveVault", "releasable")

    # Feeds

    def latest_round(self, feed: str) -> RoundState:
        """The last round of a feed by its contract name."""
        return RoundState.of(self.read(feed, "latestRoundData"))

    def config_digest(self, feed: str) -> bytes:
        """What every report to a feed must name (O1)."""
        key = (feed, "configDigest")
        if key not in self._constants:
            self._constants[key] = self.read(*key)
        return cast(bytes, self._constants[key])

    def epoch_and_round(self, feed: str) -> int:
        """Of the last report: epoch * 256 + round."""
        return self._integer(feed, "latestEpochAndRound")

    def feed_deviation_bps(self, feed: str) -> int:
        return self._constant(feed, "deviationBps")

    def feed_heartbeat(self, feed: str) -> int:
        return self._constant(feed, "heartbeat")

    def feed_decimals(self, feed: str) -> int:
        return self._constant(feed, "decimals")

    def feed_bounds(self, feed: str) -> tuple[int, int]:
        """The least and the largest answer a feed takes."""
        return self._constant(feed, "minAnswer"), self._constant(feed, "maxAnswer")

    # Market

    def order(self, order: int) -> OrderState:
        return OrderState.of(self.read("Market", "orderOf", order))

    def order_count(self) -> int:
        return self._integer("Market", "orderCount")

    def invocation_count(self) -> int:
        return self._integer("Market", "invocationCount")

    def end_of(self, order: int) -> int:
        return self._integer("Market", "endOf", order)

    def halt_delay(self) -> int:
        return self._constant("Market", "haltDelay")

    def company(self) -> str:
        return self._address("Market", "company")

    def escrowed(self) -> int:
        return self._integer("Market", "escrowed")


def resource_number(resource: str | int) -> int:
    """IPricing.Resource of a resource's name in the network file; raises UsageError for others."""
    if isinstance(resource, int):
        return resource
    try:
        return RESOURCES.index(resource)
    except ValueError:
        raise UsageError(
            f"no resource is named {resource!r}", hint=f"known: {', '.join(RESOURCES)}"
        ) from None
