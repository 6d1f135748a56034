"""What `Facts` keeps of nodes, orders and cycles, and the rows since the last check."""

from __future__ import annotations

from dataclasses import dataclass, field

from devnet.checking.amounts import FULL_STAKE, NO_BONUS
from devnet.checking.pools import PoolNews
from devnet.checking.rows import (
    Bond,
    Charge,
    Claiming,
    Ending,
    Overturn,
    Publication,
    Registration,
    Settlement,
    Slash,
    Unrolled,
    Voiding,
    Withdrawal,
)


@dataclass(slots=True)
class NodeFacts:
    """A node by its events; times in seconds, 0 until they happen."""

    owner: str
    stake_wei: int = FULL_STAKE
    bps: int = NO_BONUS
    unlock_at: int = 0
    exit_at: int = 0
    withdrawn: bool = False
    forfeited: bool = False
    severe: int = 0  # pending incidents of levels 2 and 3
    seized: int = 0  # in escrow, wei
    hardware_id: bytes = b""
    pending: int = 0
    charged: dict[int, int] = field(default_factory=dict)  # by level, until when (L5)
    last: Publication | None = None
    paid: int = 0
    ended_shares: int = 0
    unpaid: dict[int, None] = field(default_factory=dict)
    published: dict[int, int] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """S4."""
        return not self.withdrawn and not self.forfeited


@dataclass(slots=True)
class IncidentFacts:
    """A reported incident by its events; `bond` is what its appeal took, wei."""

    node: str
    level: int
    start: int
    end: int
    decided: bool = False
    payer: str = ""
    bond: int = 0


@dataclass(slots=True)
class OrderFacts:
    """An order by its events and the tokens that moved with them."""

    client: str
    deposit: int
    consumed: int = 0
    company: int = 0
    rewards: int = 0
    refunded: int = 0
    finalized: bool = False


@dataclass(slots=True)
class CycleFacts:
    """A cycle by its events."""

    reward: int = 0
    total_v: int = 0
    v: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class News:
    """Rows, and accounts whose balance moved, since the last check."""

    registrations: list[Registration] = field(default_factory=list)
    publications: list[Publication] = field(default_factory=list)
    claims: list[Claiming] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    slashes: list[Slash] = field(default_factory=list)
    overturns: list[Overturn] = field(default_factory=list)
    bonds: list[Bond] = field(default_factory=list)
    voidings: list[Voiding] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    unrolled: list[Unrolled] = field(default_factory=list)
    pools: PoolNews = field(default_factory=PoolNews)
    accounts: set[str] = field(default_factory=set)
    orders: set[int] = field(default_factory=set)
