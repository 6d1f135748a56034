"""The rows of the state's tables, and what each table reads where nothing was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devnet.model.calls import ZERO_ADDRESS, ZERO_HASH
from devnet.model.parameters import FeedConfig
from devnet.protocol.states import (
    ContingencyState,
    IncidentState,
    IncidentStatus,
    Kind,
    OrderState,
    ProposalState,
    ProposalStatus,
    RoundState,
    StoredPrice,
)


@dataclass(frozen=True, slots=True)
class Registry:
    """Who is a gatekeeper, and k of PERF."""

    members: frozenset[str]
    perf_quorum: int


@dataclass(frozen=True, slots=True)
class Node:
    """One worker: times in seconds, 0 until they happen; `period_bps` is the chosen period's S."""

    owner: str = ZERO_ADDRESS
    hardware_id: bytes = ZERO_HASH
    stake: int = 0
    registered_at: int = 0
    unlock_at: int = 0
    exit_requested_at: int = 0
    exit_at: int = 0
    period_bps: int = 0
    ejected: bool = False
    withdrawn: bool = False
    forfeited: bool = False
    suspensions: int = 0


@dataclass(frozen=True, slots=True)
class Publisher:
    """What a node has published (W4) and is owed (C3): `open_cycle` is the one not settled."""

    last_block: int = 0
    sequence: int = 0
    open_cycle: int | None = None
    accrued: int = 0
    claimed_before: int = 0


@dataclass(frozen=True, slots=True)
class Pot:
    """The bound of V (W2), and the last cycle that got a reward, which may still roll (C4)."""

    max_v: int
    last_bucket: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool; `rewards_per_share` at 1e18, `commission` what the operator has not collected.

    `returned`, `shares_at_return` and `unredeemed` are what the withdrawal brought, whose it was,
    and what of it is still here.
    """

    operator: str = ZERO_ADDRESS
    commission_bps: int = 0
    node: str = ZERO_ADDRESS
    total_shares: int = 0
    rewards_per_share: int = 0
    commission: int = 0
    withdrawn: bool = False
    returned: int = 0
    shares_at_return: int = 0
    unredeemed: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """`settled_at` is the pool's rewards per share when the member was last paid or joined."""

    shares: int = 0
    settled_at: int = 0


@dataclass(frozen=True, slots=True)
class Invocation:
    """M5."""

    order: int
    completed: bool


NOBODY: Final = Node()
NEWCOMER: Final = Publisher()
NO_INCIDENT: Final = IncidentState(
    node=ZERO_ADDRESS,
    level=0,
    from_=0,
    to=0,
    reportedAt=0,
    appealedAt=0,
    state=IncidentStatus.PENDING,
    amount=0,
    evidence=ZERO_HASH,
    bond=0,
    payer=ZERO_ADDRESS,
)
NO_POOL: Final = Pool()
STRANGER: Final = Member()
NO_CONFIG: Final = FeedConfig(0, 0, count=0)
NO_ROUND: Final = RoundState(0, 0, 0, 0, 0)
NO_PRICE: Final = StoredPrice(0, 0, 0, 0)
NO_CONTINGENCY: Final = ContingencyState(0, 0, on=False)
NO_ORDER: Final = OrderState(
    client=ZERO_ADDRESS,
    node=ZERO_ADDRESS,
    kind=Kind.CONTAINER,
    spec=ZERO_HASH,
    maxReplicas=0,
    duration=0,
    acceptedAt=0,
    closedAt=0,
    finalized=False,
    deposit=0,
    rate=0,
    rate2=0,
    consumed=0,
    settledUntil=0,
    statementSeq=0,
    statementAt=0,
    replicas=0,
    total=0,
    total2=0,
)
NO_INVOCATION: Final = Invocation(0, completed=False)
NO_PROPOSAL: Final = ProposalState(ProposalStatus.UNKNOWN, 0, ZERO_HASH)
