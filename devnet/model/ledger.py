"""The protocol's values at one block, in one shape for chain and model alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, get_args, get_type_hints

from devnet.protocol.states import (
    ContingencyState,
    IncidentState,
    OrderState,
    ProposalState,
    Quorum,
    RoundState,
    StoredPrice,
)


@dataclass(frozen=True, slots=True)
class View:
    """Marks a field of the ledger as the answer of one view, as it stands."""

    contract: str
    function: str
    args: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeLedger:
    """One node: amounts in wei, times in seconds, 0 until they happen.

    `multiplier_bps` is S now (S3), `claimable` what claimAll would pay now. `suspensions` are the
    pending incidents of level 2 (C7), `seized` is what a level 3 holds in escrow (L6). `cursor` is
    that of level 1, `malicious_cursor` that of level 2 (L5).
    """

    owner: str
    stake: int
    registered_at: int
    unlock_at: int
    exit_requested_at: int
    exit_at: int
    active: bool
    live: bool
    ejected: bool
    forfeited: bool
    suspensions: int
    seized: int
    multiplier_bps: int
    accrued: int
    claimable: int
    claimed_before: int
    sequence: int
    last_published: int
    pending_incidents: int
    cursor: int
    malicious_cursor: int


@dataclass(frozen=True, slots=True)
class MemberLedger:
    """One member of a pool: shares, and wei of rewards and commission not collected yet."""

    shares: int
    uncollected: int
    commission: int


@dataclass(frozen=True, slots=True)
class PoolLedger:
    """One pool (S7): `node` is the zero address before activation, `assets` wei,
    `rewards_per_share` at 1e18, `members` those with anything in it by address."""

    operator: str
    commission_bps: int
    node: str
    assets: int
    closed: bool
    withdrawn: bool
    total_shares: int
    rewards_per_share: int
    members: Mapping[str, MemberLedger]


@dataclass(frozen=True, slots=True)
class CycleLedger:
    """One cycle: reward in wei, the sum of all V, and each publisher's V by node."""

    reward: int
    total_v: int
    v: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PriceLedger:
    """One resource: what is stored, and what reads give now; None where they revert (O2, O6).

    `dynamic` is what is charged: the contingency price while that is on (O4). `beats` tells whether
    it is below all three vendors' (O5).
    """

    stored: StoredPrice
    contingency: ContingencyState
    market: int | None
    dynamic: int | None
    komp: int | None
    beats: bool | None = None


@dataclass(frozen=True, slots=True)
class ConfigLedger:
    """A feed's config (O7) by its digest, which binds all of it, and the last report under it."""

    digest: bytes
    epoch_and_round: int


@dataclass(frozen=True, slots=True)
class VaultLedger:
    """The incentive vault (I1), in wei."""

    released: int
    releasable: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """All values at the end of a block. Addresses are lower-case hex.

    `balances` leaves out empty accounts, `cycles` those without reward and V; `incidents` and
    `orders` count from 1; `pools`, `feeds` (their last rounds) and `configs` (of those that are no
    mocks) are by contract name, `prices` by resource number, `utilization` at 1e18, `proposals`
    by 0x hex of their id; `vault` None: there is none. What one view answers as it stands names
    it here (`PLAIN_VIEWS`).
    """

    block: int
    timestamp: int
    cycle: Annotated[int, View("Rewards", "currentCycle")]
    supply: Annotated[int, View("Kompute", "totalSupply")]
    balances: Mapping[str, int]
    gatekeepers: Annotated[int, View("Gatekeepers", "count")]
    perf_quorum: Annotated[int, View("Gatekeepers", "needed", (Quorum.PERF,))]
    nodes: Mapping[str, NodeLedger]
    total_stake: Annotated[int, View("Staking", "totalStake")]
    pools: Mapping[str, PoolLedger]
    cycles: Mapping[int, CycleLedger]
    max_v: Annotated[int, View("Rewards", "maxV")]
    incidents: Mapping[int, IncidentState]
    arbiter: Annotated[str, View("Slashing", "arbiter")]
    feeds: Mapping[str, RoundState]
    configs: Mapping[str, ConfigLedger]
    prices: Mapping[int, PriceLedger]
    utilization: Annotated[int, View("Pricing", "utilization")]
    orders: Mapping[int, OrderState]
    invocations: Annotated[int, View("Market", "invocationCount")]
    escrowed: Annotated[int, View("Market", "escrowed")]
    guardian: Annotated[str, View("ExecutionQueue", "guardian")]
    proposals: Mapping[str, ProposalState]
    vault: VaultLedger | None


PLAIN_VIEWS: Final[Mapping[str, View]] = {
    name: mark
    for name, hint in get_type_hints(Ledger, include_extras=True).items()
    for mark in get_args(hint)
    if isinstance(mark, View)
}
"""By the ledger's field."""
