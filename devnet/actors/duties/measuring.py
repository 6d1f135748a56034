"""Performance tests: asked for by workers, run on the cluster, checked by every gatekeeper (W3)."""

from __future__ import annotations

from collections import deque

from cluster.interface import Capacity, Measurement
from cluster.perftest import TranscriptRejected, Undecided, verify
from cluster.profiles import REFERENCE_MACHINE, scaled
from cluster.scores import Scores, profile_measurement, scores
from devnet.actors.attestations import Attestation, PerfResult
from devnet.actors.duties.duty import Duty
from devnet.actors.messages import MeasureAsked, Measured, MeasureFailed, ResultSigned
from devnet.actors.operations import Operation, RunMeasurement, Tell
from devnet.actors.signing import SignedResults
from devnet.actors.view import View, is_guest
from devnet.chain import Block
from devnet.chain.keccak import keccak

SGX_NONE = 1_000_000  # W2: no SGX scores 1.0
SGX_EMULATED = 1_500_000  # an enclave that is valid and up to date


def seed_of(block_hash: bytes, node: str, nonce: int) -> bytes:
    """Seed = H(block hash, node, nonce), single use; `node` is the key's address."""
    return keccak(block_hash + bytes.fromhex(node[2:]) + nonce.to_bytes(32, "big"))


def factors(view: View, worker: str, measurement: Measurement) -> tuple[Scores, int]:
    """(c1, c2, c3, b) of a measurement and the node's sgx factor, at 1e6 = 1.0."""
    spec = view.directory.spec
    reference = scaled(REFERENCE_MACHINE, spec.scale)
    profile = spec.profile(view.directory.profile_of(worker))
    sgx = SGX_EMULATED if profile.capacity.sgx_epc_bytes else SGX_NONE
    return scores(measurement, reference), sgx


def capacity_of(view: View, worker: str) -> Capacity:
    """The worker's declared capacity at the network's scale."""
    directory = view.directory
    profile = directory.spec.profile(directory.profile_of(worker))
    return scaled(profile, directory.spec.scale)


class Measuring(Duty):
    """One node at a time (docs/explanation/performance-test.md).

    A guest's machine is no node of the cluster: its figures are those of a declared profile.
    `modelled`: so are those of every node, since the cluster's nodes are models themselves.
    """

    attests = (PerfResult,)

    def __init__(self, *, modelled: bool) -> None:
        self._results = SignedResults()
        self._modelled = modelled
        self._queue: deque[str] = deque()
        self._guests: list[str] = []
        self._running: tuple[str, Block, int] | None = None  # worker, block, the seed's nonce
        self._nonce = 0
        self._seen: dict[str, PerfResult] = {}  # by node, the last one to be signed
        self._ended: list[Measured] = []
        self._disproved: PerfResult | None = None  # the last one, by this gatekeeper itself
        self._failed: list[Operation] = []

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        match message:
            case MeasureAsked() if is_guest(message.worker):
                self._guests.append(message.worker)
            case MeasureAsked():
                self._queue.append(message.worker)
            case Measured():
                self._ended.append(message)
            case _:
                pass
        return []

    def operations(self, view: View) -> list[Operation]:
        """Start the next test, once what has ended is dealt with by `wanted`."""
        operations, self._failed = self._failed, []
        if self._running is None and self._queue:
            worker = self._queue.popleft()
            self._running = (worker, view.head, self._next_nonce())
            operations.append(RunMeasurement(worker, self._seed(view, worker)))
        return operations

    def wanted(self, view: View) -> tuple[PerfResult, ...]:
        """Results of tests that have ended."""
        wanted = [self._guest_result(view, guest) for guest in self._guests]
        self._guests = []
        ended, self._ended = self._ended, []
        for measured in ended:
            assert self._running is not None
            worker, block, nonce = self._running
            self._running = None
            if measured.measurement is None:
                told = MeasureFailed(measured.reason, measured.cheated)
                self._failed.append(Tell(worker, told))
            else:
                wanted.append(self._result(view, worker, block, nonce, measured.measurement))
        return tuple(wanted)

    def _next_nonce(self) -> int:
        self._nonce += 1
        return self._nonce

    def _seed(self, view: View, worker: str) -> bytes:
        block_hash = bytes.fromhex(view.head.hash[2:])
        return seed_of(block_hash, view.directory.address(worker), self._nonce)

    def _guest_result(self, view: View, guest: str) -> PerfResult:
        nonce = self._next_nonce()
        seed = self._seed(view, guest)
        measurement = profile_measurement(guest, capacity_of(view, guest), seed)
        return self._result(view, guest, view.head, nonce, measurement)

    @staticmethod
    def _result(
        view: View, worker: str, block: Block, nonce: int, measurement: Measurement
    ) -> PerfResult:
        node = view.directory.address(worker)
        found, sgx = factors(view, worker, measurement)
        return PerfResult(
            worker,
            node,
            view.cycle_of(block.number),
            view.reads.sequence_of(node) + 1,
            block.number,
            bytes.fromhex(block.hash[2:]),
            sgx,
            found.b,
            found.c1,
            found.c2,
            found.c3,
            nonce,
            measurement,
        )

    def objection(self, view: View, attestation: Attestation) -> str | None:
        """Check the transcript, and that the factors follow from it (W3), and that no other result
        of the same sequence could still be published (R4)."""
        assert isinstance(attestation, PerfResult)
        try:
            self._check_named(view, attestation)
            if reason := self._misplaced(view, attestation):
                return reason
            self._check_proven(view, attestation)
        except TranscriptRejected as rejected:
            if not isinstance(rejected, Undecided):
                self._disproved = attestation
            return str(rejected)
        return self._results.conflict(view, attestation)

    @staticmethod
    def _check_named(view: View, result: PerfResult) -> None:
        named = (view.directory.address(result.worker), result.worker)
        if named != (result.node, result.measurement.node):
            raise TranscriptRejected("another node's measurement")

    def _misplaced(self, view: View, result: PerfResult) -> str | None:
        """What is wrong with its block, cycle or number, whatever was measured."""
        cycle = view.cycle_of(result.measured_block)
        if result.cycle != cycle:  # W4
            return f"block {result.measured_block} is in cycle {cycle}, not {result.cycle}"
        sequence = view.reads.sequence_of(result.node) + 1
        if result.sequence != sequence:
            return f"the next sequence is {sequence}, not {result.sequence}"
        last = self._seen.get(result.node)
        if last is not None and last != result and last.nonce >= result.nonce:
            return f"test {result.nonce} of this node is not later than test {last.nonce}"
        if view.reads.block_hash(result.measured_block) != result.measured_hash:
            return f"block {result.measured_block} has another hash"
        return None

    def _check_proven(self, view: View, result: PerfResult) -> None:
        """Raises `TranscriptRejected` where what was measured does not prove the factors (W3)."""
        if result.measurement.seed != seed_of(result.measured_hash, result.node, result.nonce):
            raise TranscriptRejected("the seed is not that of the block, the node and the nonce")
        modelled = self._modelled or is_guest(result.worker)
        verify(result.measurement, capacity_of(view, result.worker), allow_modelled=modelled)
        found, sgx = factors(view, result.worker, result.measurement)
        signed = (result.sgx, result.b, result.c1, result.c2, result.c3)
        if signed != (sgx, found.b, found.c1, found.c2, found.c3):
            raise TranscriptRejected("the factors do not follow from the measurement")

    def saw(self, attestation: Attestation) -> None:
        """A test counts once: nobody picks the best of many."""
        assert isinstance(attestation, PerfResult)
        last = self._seen.get(attestation.node)
        if last is None or last.nonce < attestation.nonce:
            self._seen[attestation.node] = attestation

    def signed(self, attestation: Attestation) -> None:
        assert isinstance(attestation, PerfResult)
        self._results.note(attestation)

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        assert isinstance(attestation, PerfResult)
        signed = ResultSigned(
            attestation.fields(),
            attestation.cycle,
            attestation.sequence,
            attestation.measured_block,
            signatures,
        )
        return [Tell(attestation.worker, signed)]

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        """A cheat is called one where the lead itself has found it: peers may err, or lie."""
        assert isinstance(attestation, PerfResult)
        cheated = attestation == self._disproved
        return [Tell(attestation.worker, MeasureFailed(reasons, cheated))]
