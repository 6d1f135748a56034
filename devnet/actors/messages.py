"""What reaches an actor's inbox: chain events, wishes, words of other actors, observations.

`External` messages come from outside the chain and the actors; they are the recorded inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.interface import ClusterEvent, JobResult, Measurement
from devnet.actors.attestations import Attestation, Incident, QueuedCall
from devnet.protocol.contracts import Event


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """An event of a mined block; `timestamp` is that block's."""

    event: Event
    timestamp: int


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A transaction of this actor was mined and reverted; `error` is the contract's named error."""

    contract: str
    function: str
    args: tuple[object, ...]
    error: str


# From outside: recorded


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    event: ClusterEvent


@dataclass(frozen=True, slots=True)
class LeadChanged:
    """Another host of the control plane leads from now on."""

    lead: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The performance test of `node` ended; `measurement` is None when it had no result, `cheated`
    whether the test itself found out why: it was not the node, or not within what it has."""

    node: str
    measurement: Measurement | None
    reason: str = ""
    cheated: bool = False


@dataclass(frozen=True, slots=True)
class WorkloadReady:
    """How many pods of the order's workload answer; the cluster has settled or its limit passed."""

    order: int
    ready: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What the outside has counted for an attestation that a peer was asked to sign."""

    attestation: Attestation
    asked_by: str


@dataclass(frozen=True, slots=True)
class ReadyCounted(Counted):
    """A peer's own count of ready pods."""

    ready: int


@dataclass(frozen=True, slots=True)
class JobsCounted(Counted):
    """What the control plane knows of an order's ended jobs."""

    jobs: int
    milliseconds: int  # of all of them


@dataclass(frozen=True, slots=True)
class JobEnded:
    """`result` is None when the job had no result (lost node, deadline)."""

    order: int
    invocation: int
    result: JobResult | None


@dataclass(frozen=True, slots=True)
class ResultFetched:
    """What a client read from the result store under `invocation`; None when nothing is there."""

    invocation: int
    output: bytes | None


@dataclass(frozen=True, slots=True)
class FeedRead:
    """What each oracle node has seen that could read the source, in the feed's decimals.

    `kind` is the fault the feed plays, `faulty` those of nodes that read it and then misbehave.
    """

    feed: str
    observations: tuple[tuple[str, int], ...]  # (node, value)
    kind: str = ""
    faulty: tuple[tuple[str, str], ...] = ()  # (node, kind)


# Between actors


@dataclass(frozen=True, slots=True)
class AdmissionAsked:
    worker: str
    owner_address: str
    node_address: str
    hardware_id: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    hardware_id: bytes
    deadline: int
    signatures: bytes


@dataclass(frozen=True, slots=True)
class AdmissionRefused:
    reason: str


@dataclass(frozen=True, slots=True)
class MachineAsked:
    """A pool's operator wants a worker's node for the pool at that address (S7)."""

    operator: str
    pool_address: str


@dataclass(frozen=True, slots=True)
class MachineLent:
    """The worker agrees: the gatekeepers and its key admit its node with the pool as owner (S6)."""

    worker: str
    admitted: Admitted
    node_signature: bytes


@dataclass(frozen=True, slots=True)
class MachineRefused:
    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class MeasureAsked:
    worker: str


@dataclass(frozen=True, slots=True)
class MeasureFailed:
    """`cheated`: the lead gatekeeper itself found that what was measured is not the node's."""

    reason: str
    cheated: bool = False


@dataclass(frozen=True, slots=True)
class ResultSigned:
    """A performance result with its PERF quorum, ready to publish; `result` as IRewards.Result."""

    result: tuple[object, ...]
    cycle: int
    sequence: int
    measured_block: int
    signatures: bytes


@dataclass(frozen=True, slots=True)
class SignatureAsked:
    attestation: Attestation
    asked_by: str


@dataclass(frozen=True, slots=True)
class SignatureGiven:
    attestation: Attestation
    signer: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignatureRefused:
    attestation: Attestation
    signer: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayloadGiven:
    """A client hands over what it invoked with; the chain knows only its hash (M5)."""

    invocation: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class InvocationServed:
    """A gatekeeper tells the client where the job's result lies and what its hash is (M5).

    `reason` says why nothing was run, if nothing was.
    """

    invocation: int
    exit_code: int
    result_hash: bytes
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What an actor told somebody who is none: the portal hands it to `to`, from outside."""

    to: str
    message: object


# Wishes: what a scenario step or a person asks of an actor


@dataclass(frozen=True, slots=True)
class Wish:
    """Asked of one actor; `id` ties the transactions that follow to the step that caused them."""

    id: int


@dataclass(frozen=True, slots=True)
class Ask(Wish):
    """One call of a contract, as it stands; whoever acts in the account's name sends it."""

    contract: str
    function: str
    args: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Stake(Wish):
    months: int


@dataclass(frozen=True, slots=True)
class TopUp(Wish):
    """`amount_wei` None: whatever is missing to 500 KOMP (S4)."""

    amount_wei: int | None


@dataclass(frozen=True, slots=True)
class Measure(Wish):
    pass


@dataclass(frozen=True, slots=True)
class Publish(Wish):
    pass


@dataclass(frozen=True, slots=True)
class PlaceOrder(Wish):
    service: str
    replicas: int
    deposit_wei: int
    duration_seconds: int
    max_replicas: int


@dataclass(frozen=True, slots=True)
class Invoke(Wish):
    order: int
    payload: bytes
    times: int


@dataclass(frozen=True, slots=True)
class Vouch(Wish):
    """A gatekeeper learns of an incident that no machine shows it, and vouches for it from now on.

    The lead also proposes it: its wish is served by the report.
    """

    incident: Incident


@dataclass(frozen=True, slots=True)
class Govern(Wish):
    """A proposal has passed (G2): asked of every gatekeeper, since each answers for the tally.

    What they attest may be queued until `deadline`.
    """

    proposal: bytes
    calls: tuple[QueuedCall, ...]
    deadline: int


@dataclass(frozen=True, slots=True)
class Poke(Wish):
    """Read every source now, transmit what deviates, and store the prices (O2)."""

    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestRound(Wish):
    """A new round of each feed (by its contract's name), whether its answer has moved or not."""

    feeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PayIntoPool(Wish):
    """`function` is join or topUp of the pool of that contract name; None: what is missing.

    `args` are those after the amount.
    """

    pool: str
    function: str
    amount_wei: int | None
    args: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class ActivatePool(Wish):
    """Stake a funded pool's tokens for a worker's node (S7)."""

    pool: str
    worker: str
    months: int
