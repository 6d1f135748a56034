"""How gatekeepers come to a quorum: one proposes, each checks for itself and signs or refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devnet.actors.attestations import Attestation, PerfResult
from devnet.actors.messages import SignatureAsked, SignatureGiven, SignatureRefused
from devnet.actors.operations import Operation, Tell
from devnet.actors.view import View
from devnet.chain import Account, recover, sign_digest
from devnet.protocol import Domains

HASH_REACH_BLOCKS = 256
Completion = Callable[[View, Attestation, bytes], list[Operation]]


class Proposals:
    """What this gatekeeper has proposed and not yet completed; signatures by signer."""

    def __init__(self, account: Account, peers: Sequence[str]) -> None:
        self._account = account
        self._peers = tuple(peers)
        self._given: dict[Attestation, dict[str, bytes]] = {}
        self._refused: dict[Attestation, dict[str, str]] = {}
        self._needed: dict[Attestation, int] = {}

    def propose(
        self, attestation: Attestation, needed: int, domains: Domains
    ) -> tuple[list[Operation], bytes | None]:
        """Sign, and ask the peers; the second value is the quorum where one signature is enough."""
        own = sign_digest(self._account, attestation.digest(domains))
        self._given[attestation] = {self._account.address: own}
        self._refused[attestation] = {}
        self._needed[attestation] = needed
        complete = self._complete(attestation)
        ask = SignatureAsked(attestation, self._account.name)
        asks: list[Operation] = [Tell(peer, ask) for peer in self._peers] if not complete else []
        return asks, complete

    def given(self, view: View, message: SignatureGiven) -> bytes | None:
        """The quorum's signatures, ascending by signer, once there are enough; then forgotten.

        What a gatekeeper of the registry has not signed itself does not count (R4).
        """
        given = self._given.get(message.attestation)
        if given is None or not _is_valid(view, message):
            return None
        given[message.signer] = message.signature
        return self._complete(message.attestation)

    def refused(self, message: SignatureRefused) -> str | None:
        """All reasons, once the quorum is out of reach; then the proposal is forgotten."""
        refused = self._refused.get(message.attestation)
        if refused is None:
            return None
        refused[message.signer] = message.reason
        if len(self._peers) + 1 - len(refused) >= self._needed[message.attestation]:
            return None
        self._forget(message.attestation)
        return "; ".join(f"{signer}: {reason}" for signer, reason in sorted(refused.items()))

    def _complete(self, attestation: Attestation) -> bytes | None:
        given = self._given[attestation]
        needed = self._needed[attestation]
        if len(given) < needed:
            return None
        first = sorted(given, key=lambda address: int(address, 16))[:needed]  # R4: ascending
        self._forget(attestation)
        return b"".join(given[address] for address in first)

    def _forget(self, attestation: Attestation) -> None:
        del self._given[attestation], self._refused[attestation], self._needed[attestation]


def _is_valid(view: View, message: SignatureGiven) -> bool:
    digest = message.attestation.digest(view.reads.domains)
    try:
        signer = recover(digest, message.signature)
    except ValueError:
        return False
    return signer == message.signer.lower() and view.reads.is_gatekeeper(message.signer)


class SignedResults:
    """R4: a second result for one (node, sequence) only once the first cannot be published."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], PerfResult] = {}

    def conflict(self, view: View, result: PerfResult) -> str | None:
        """Why this gatekeeper must not sign `result` yet, None when it may."""
        first = self._last.get((result.node, result.sequence))
        if first is None or first == result:
            return None
        over = view.cycle_of(view.head.number + 1) != first.cycle
        past = view.head.number + 1 - first.measured_block > HASH_REACH_BLOCKS
        void = view.reads.block_hash(first.measured_block) != first.measured_hash
        if over or past or void:
            return None
        return f"sequence {result.sequence} is signed already and can still be published"

    def note(self, result: PerfResult) -> None:
        """It is signed; earlier ones of its node that nobody can publish any more are forgotten."""
        old = result.measured_block - HASH_REACH_BLOCKS
        self._last = {
            (node, sequence): signed
            for (node, sequence), signed in self._last.items()
            if node != result.node or signed.measured_block > old
        }
        self._last[(result.node, result.sequence)] = result
