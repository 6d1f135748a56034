"""What an actor may do: send a transaction, tell another actor, or ask something of the outside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cluster.interface import Job, Workload
from devnet.actors.attestations import Attestation


@dataclass(frozen=True, slots=True)
class Send:
    """A transaction of the named account; `wish` is the wish it serves, 0 for an actor's own will.

    `closes`: once mined, the wish is served (or has failed).
    """

    account: str
    contract: str
    function: str
    args: tuple[object, ...]
    wish: int = 0
    closes: bool = True


@dataclass(frozen=True, slots=True)
class Tell:
    """A message to another actor, in its inbox in the next round."""

    to: str
    message: object


class Refusal(StrEnum):
    """How actors themselves refuse a wish: names that no contract has, for `expect_error`."""

    NOT_ATTESTED = "NotAttested"  # gatekeepers do not sign: an admission, an incident, a tally
    NOT_MEASURED = "NotMeasured"  # the performance test ended without a result (W3)
    CHEATED = "Cheated"  # what it measured is not the node's, or not within what it has (W3)
    OWNED_BY_POOL = "OwnedByPool"  # the members of a pool decide (S7)
    NOT_RUN = "NotRun"  # an invocation that its order does not pay for (M3)
    WRONG_RESULT = "WrongResult"  # what is stored has not the hash that was told (M5)
    ROUND_REQUESTED = "RoundRequested"
    TOO_FEW_OBSERVATIONS = "TooFewObservations"  # O1
    NO_ORACLE_UP = "NoOracleUp"
    NOT_TAKEN = "NotTaken"  # the node refuses the transaction itself: no ETH, say
    NOT_SERVED = "NotServed"  # the wish is another actor's


@dataclass(frozen=True, slots=True)
class Fail:
    """A wish cannot be served; `reason` names what stands in the way.

    `error` is a `Refusal`, or the contract's where a view already refused what a transaction
    would need.
    """

    wish: int
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class Done:
    """A wish of several transactions is served."""

    wish: int


@dataclass(frozen=True, slots=True)
class Deploy:
    """Apply the order's workload and give it an address at the gateway."""

    order: int
    workload: Workload


@dataclass(frozen=True, slots=True)
class Remove:
    order: int
    workload: str


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """Answered by `WorkloadReady`; no block is mined meanwhile: there is one clock.

    Awaited are as many as the workload wishes, but not beyond `least`; `most` are counted.
    """

    order: int
    workload: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class CountReady:
    """Answered by `ReadyCounted` to the peer that must sign."""

    attestation: Attestation
    asked_by: str
    workload: str


@dataclass(frozen=True, slots=True)
class CountJobs:
    """Answered by `JobsCounted` to the peer that must sign."""

    attestation: Attestation
    asked_by: str
    order: int


@dataclass(frozen=True, slots=True)
class RunJob:
    """Answered by `JobEnded`."""

    order: int
    invocation: int
    job: Job


@dataclass(frozen=True, slots=True)
class RunMeasurement:
    """Answered by `Measured`."""

    node: str
    seed: bytes


@dataclass(frozen=True, slots=True)
class StoreResult:
    """Keep an invocation's output where its client can fetch it."""

    invocation: int
    output: bytes


@dataclass(frozen=True, slots=True)
class FetchResult:
    """Answered by `ResultFetched`."""

    invocation: int


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """Every oracle node reads the feed's source; answered by `FeedRead`."""

    feed: str


External = (
    Deploy
    | Remove
    | AwaitReady
    | CountReady
    | CountJobs
    | RunJob
    | RunMeasurement
    | StoreResult
    | FetchResult
    | ReadFeed
)
Operation = Send | Tell | Fail | Done | External
