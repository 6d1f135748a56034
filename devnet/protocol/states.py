"""The contracts' structs as frozen values with Solidity's own field names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Self

UNLIMITED: Final = 2**256 - 1  # an allowance that is never used up (ERC-20 of OpenZeppelin)


class Kind(IntEnum):
    """What an order runs (M1)."""

    CONTAINER = 0
    SERVERLESS = 1
    VIRTUAL_MACHINE = 2


class IncidentStatus(IntEnum):
    """What has become of an incident (L6); ISlashing.State."""

    PENDING = 0
    EXECUTED = 1
    OVERTURNED = 2


class Quorum(IntEnum):
    """How many gatekeepers must sign (R4)."""

    PERF = 0
    SLASH = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class NodeState:
    """IStaking.Node: times in seconds (0 until they happen), `stake` in wei.

    `hardwareId` is known from the event `Staked` only: a view gives zeros, and it does not count
    when states are compared.
    """

    owner: str
    registeredAt: int
    unlockAt: int
    exitAt: int
    exitRequestedAt: int
    multiplierBps: int
    ejected: bool
    withdrawn: bool
    forfeited: bool
    suspensions: int
    stake: int
    hardwareId: bytes = field(default=bytes(32), compare=False)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct."""
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class PublisherState:
    """IStaking.publisherOf: what a publication needs to know of its node."""

    owner: str
    active: bool
    suspended: bool
    bps: int

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From decoded results, by their order: a contract may leave its results without names."""
        return cls(*fields.values())


@dataclass(frozen=True, slots=True)
class IncidentState:
    """ISlashing.Incident: seconds [from_, to), `amount` in wei once executed.

    `appealedAt` is 0 until appealed; `bond` (wei) and its `payer` are those of the appeal.
    """

    node: str
    level: int
    from_: int
    to: int
    reportedAt: int
    appealedAt: int
    state: IncidentStatus
    amount: int
    evidence: bytes
    bond: int
    payer: str

    @property
    def pending(self) -> bool:
        """Neither executed nor overturned."""
        return self.state is IncidentStatus.PENDING

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct; `from` is a keyword of Python."""
        renamed = {("from_" if name == "from" else name): v for name, v in fields.items()}
        return cls(**{**renamed, "state": IncidentStatus(renamed["state"])})


@dataclass(frozen=True, slots=True)
class PoolState:
    """IPool's views: `node` is the zero address before activation, `assets` wei,
    `rewardsPerShare` at 1e18 (S7)."""

    operator: str
    commissionBps: int
    node: str
    assets: int
    closed: bool
    withdrawn: bool
    totalShares: int
    rewardsPerShare: int


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """IPricing.Stored: USD at 1e18, 0 for none yet; times in seconds (O2)."""

    price: int
    storedAt: int
    pending: int
    pendingAt: int

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct."""
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class ContingencyState:
    """IPricing.Contingency: cost in USD at 1e18, `multiplier1e18` of the service, or off (O4)."""

    costUsd1e18: int
    multiplier1e18: int
    on: bool

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct."""
        return cls(**fields)


class ProposalStatus(IntEnum):
    """IExecutionQueue.State (G2)."""

    UNKNOWN = 0
    QUEUED = 1
    EXECUTED = 2
    VETOED = 3


@dataclass(frozen=True, slots=True)
class ProposalState:
    """IExecutionQueue.Proposal: seconds, and the hash of what it calls (G2)."""

    state: ProposalStatus
    queuedAt: int
    calls: bytes

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct."""
        return cls(**{**fields, "state": ProposalStatus(fields["state"])})


@dataclass(frozen=True, slots=True)
class OrderState:
    """IMarket.Order: `node` is the zero address until accepted; rates and amounts in wei."""

    client: str
    node: str
    kind: Kind
    spec: bytes
    maxReplicas: int
    duration: int
    acceptedAt: int
    closedAt: int
    finalized: bool
    deposit: int
    rate: int
    rate2: int
    consumed: int
    settledUntil: int
    statementSeq: int
    statementAt: int
    replicas: int
    total: int
    total2: int
    createdAt: int = 0

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct."""
        return cls(**{**fields, "kind": Kind(fields["kind"])})


@dataclass(frozen=True, slots=True)
class RoundState:
    """A feed's latestRoundData: `answer` in the feed's decimals, times in seconds."""

    id: int
    answer: int
    startedAt: int
    updatedAt: int
    answeredInRound: int

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From decoded results, by their order: a contract may leave its results without names."""
        return cls(*fields.values())
