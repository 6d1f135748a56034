"""What gatekeepers put their signatures under (R4): one frozen value a kind, and its digest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from cluster.interface import Measurement
from devnet.protocol.messages import SNAPSHOT_SPACE, Domains


class Attestation(ABC):
    """Frozen and hashable; a duty says what is to be checked of it (`duties.duty`)."""

    __slots__ = ()

    @abstractmethod
    def digest(self, domains: Domains) -> bytes:
        """What is signed (EIP-712)."""


@dataclass(frozen=True, slots=True)
class Admission(Attestation):
    """S6: this owner may register this node on this machine until `deadline`."""

    worker: str
    node: str
    owner: str
    hardware_id: bytes
    deadline: int

    def digest(self, domains: Domains) -> bytes:
        return domains.admission(self.node, self.owner, self.hardware_id, self.deadline)


ResultFields = tuple[str, int, int, int, bytes, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class PerfResult(Attestation):
    """W3: the factors of one performance test at 1e6 = 1.0, and the test they follow from."""

    worker: str
    node: str
    cycle: int
    sequence: int
    measured_block: int
    measured_hash: bytes
    sgx: int
    b: int
    c1: int
    c2: int
    c3: int
    nonce: int  # of the test's seed
    measurement: Measurement

    def fields(self) -> ResultFields:
        """IRewards.Result, in order."""
        return (
            self.node,
            self.cycle,
            self.sequence,
            self.measured_block,
            self.measured_hash,
            self.sgx,
            self.b,
            self.c1,
            self.c2,
            self.c3,
        )

    def digest(self, domains: Domains) -> bytes:
        return domains.result(*self.fields())


@dataclass(frozen=True, slots=True)
class Incident(Attestation):
    """L1, L2: seconds [start, end) in which the worker was offline or worse; L3: the second of
    the finding, twice."""

    worker: str
    node: str
    level: int
    start: int
    end: int
    evidence: bytes

    def digest(self, domains: Domains) -> bytes:
        return domains.incident(self.node, self.level, self.start, self.end, self.evidence)


@dataclass(frozen=True, slots=True)
class Running(Attestation):
    """M6: `replicas` of the order answer at second `at`."""

    order: int
    seq: int
    replicas: int
    at: int

    def digest(self, domains: Domains) -> bytes:
        return domains.running(self.order, self.seq, self.replicas, self.at)


@dataclass(frozen=True, slots=True)
class Counters(Attestation):
    """M3: cumulative invocations and MiB-milliseconds of a serverless order."""

    order: int
    invocations: int
    mib_milliseconds: int

    def digest(self, domains: Domains) -> bytes:
        return domains.counters(self.order, self.invocations, self.mib_milliseconds)


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """IExecutionQueue.Call: `data` is sent to the contract at `to`."""

    to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Execution(Attestation):
    """G2: a proposal of the network's space has passed, and does these calls; said for as long as
    `deadline`."""

    proposal: bytes
    calls: tuple[QueuedCall, ...]
    deadline: int

    def digest(self, domains: Domains) -> bytes:
        return domains.execution(SNAPSHOT_SPACE, self.proposal, self.calls, self.deadline)
