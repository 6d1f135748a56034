"""The verbs of pools: many members stake one worker's node together (S7)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from devnet.spec.fields import Months, Name, Ppm, Wei
from devnet.spec.registry import Step, step
from devnet.spec.subjects import ClientName, ClientNames, PoolName, WorkerName
from devnet.spec.units import PPM_PER_BPS, UnitError, share_text


def _whole_bps(ppm: int) -> int:
    if ppm % PPM_PER_BPS:
        raise UnitError("a commission is in whole hundredths of a percent (S7)", share_text(ppm))
    return ppm


@step("pool_create", "operator", "pool")
class PoolCreate(Step):
    """Open a pool under a name of its own; its operator takes the commission (S7)."""

    operator: ClientName
    pool: Name
    commission: Annotated[Ppm, AfterValidator(_whole_bps)] = 0

    @property
    def commission_bps(self) -> int:
        return self.commission // PPM_PER_BPS


class _OfPool(Step):
    """A step about one pool."""

    pool: PoolName


@step("pool_join", "member", "pool", "amount")
class PoolJoin(_OfPool):
    """Pay into a pool before its activation, cut to the room left below 500 KOMP (S7)."""

    member: ClientName
    amount: Wei


@step("pool_leave", "member", "pool", "amount")
class PoolLeave(_OfPool):
    """Take funding back before the activation (S7)."""

    member: ClientName
    amount: Wei | None = Field(default=None, description="absent: all of the member's")


@step("pool_activate", "pool", "worker")
class PoolActivate(_OfPool):
    """The operator stakes the pool's 500 KOMP for a worker's node (S1, S7)."""

    worker: WorkerName
    months: Months | None = Field(default=None, description="absent: the worker's stake_months")


@step("pool_top_up", "member", "pool", "amount")
class PoolTopUp(_OfPool):
    """Fill a slashed stake up to 500 KOMP, for shares at their present value (S7)."""

    member: ClientName
    amount: Wei | None = Field(default=None, description="absent: what is missing to 500 KOMP")
    least_shares: Wei = Field(
        default=0, description="refused where it buys fewer, a share at 1e-18 KOMP"
    )


@step("pool_restake", "pool", "months")
class PoolRestake(_OfPool):
    """The operator stakes for another period, from unlockAt + exitDelay on (S7)."""

    months: Months


class _BySomebody(_OfPool):
    """A step that anyone or any member may ask for."""

    member: ClientName | None = Field(default=None, description="who asks; absent: the operator")


@step("pool_exit", "pool")
class PoolExit(_BySomebody):
    """Request the exit: the operator any time, members of a closed or unlocked pool (S7)."""


@step("pool_withdraw", "pool")
class PoolWithdraw(_BySomebody):
    """Bring the stake back to the pool once exitAt has passed (S5, S7)."""


@step("pool_harvest", "pool")
class PoolHarvest(_BySomebody):
    """Bring what the node has earned in ended cycles to the pool (C6, S7)."""


class _ByMembers(_OfPool):
    """A step of each of some members."""

    member: ClientNames


@step("pool_collect", "member", "pool")
class PoolCollect(_ByMembers):
    """Take the members' part of the rewards, and the operator's commission (S7)."""


@step("pool_redeem", "member", "pool")
class PoolRedeem(_ByMembers):
    """Give all shares back for their part of the returned stake (S7)."""
