"""Typed reads of what is known of nodes: stakes, rewards, incidents, pools."""

from __future__ import annotations

from typing import Final

from devnet.protocol.reader import Reader
from devnet.protocol.states import IncidentState, NodeState, PoolState, PublisherState

NO_CYCLE: Final = 2**256 - 1

POOL_READS: Final = (
    *("operator", "commissionBps", "node", "assets", "closed", "withdrawn"),
    *("totalShares", "rewardsPerShare"),
)


class NodeViews(Reader):
    """Of Staking, Rewards, Slashing, the pool factory and the pools."""

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
