"""How gatekeepers come to a quorum: one proposes, each checks for itself and signs or refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from devnet.actors.attestations import Attestation, PerfResult
from devnet.actors.messages import SignatureAsked, SignatureGiven, SignatureRefused
from devnet.actors.operations import Operation, Tell
from devnet.actors.view import View
from devnet.chain import Account, recover, sign_digest

HASH_REACH_BLOCKS = 256
GONE = "no gatekeeper any more"
GOVERNED: Final = frozenset({"GatekeeperAdded", "GatekeeperRemoved", "PerfQuorumChanged"})
UNSIGNED = "its signature is not its own"
Outcome = bytes | str | None


@dataclass(frozen=True, slots=True)
class _Proposal:
    """Whose quorum it takes, the signatures by name, and why others gave none."""

    quorum: str
    given: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class Proposals:
    """What this gatekeeper has proposed and not yet completed.

    An outcome is the quorum's signatures, ascending by signer; or all reasons, once it is out of
    reach; or None while who has not answered may still complete it. Then the proposal is forgotten.
    Governance changes gatekeepers and k meanwhile: every answer looks at them anew, and each such
    change (an event of `GOVERNED`) may itself complete a proposal or put it out of reach (R4).
    """

    def __init__(self, account: Account, peers: Sequence[str]) -> None:
        self._account = account
        self._peers = tuple(peers)
        self._open: dict[Attestation, _Proposal] = {}

    def propose(
        self, view: View, attestation: Attestation, quorum: str
    ) -> tuple[list[Operation], Outcome]:
        """Sign, and ask the peers unless the outcome is there already."""
        own = sign_digest(self._account, attestation.digest(view.reads.domains))
        self._open[attestation] = _Proposal(quorum, {self._account.name: own})
        outcome = self._outcome(view, attestation)
        ask = SignatureAsked(attestation, self._account.name)
        asks: list[Operation] = [Tell(peer, ask) for peer in self._peers] if outcome is None else []
        return asks, outcome

    def answered(self, view: View, message: SignatureGiven | SignatureRefused) -> Outcome:
        """What does not count is a refusal: nobody waits for another answer of its signer."""
        proposal = self._open.get(message.attestation)
        if proposal is None:
            return None
        if isinstance(message, SignatureRefused):
            proposal.refused[message.signer] = message.reason
        elif _is_signed(view, message):
            signer = view.directory.name(message.signer)
            proposal.given[signer] = message.signature
            proposal.refused.pop(signer, None)
        else:
            proposal.refused[view.directory.name(message.signer)] = UNSIGNED
        return self._outcome(view, message.attestation)

    def governed(self, view: View) -> list[tuple[Attestation, Outcome]]:
        """The outcomes there are now that gatekeepers or k have changed, the oldest first."""
        found = [(attestation, self._outcome(view, attestation)) for attestation in [*self._open]]
        return [(attestation, outcome) for attestation, outcome in found if outcome is not None]

    def _outcome(self, view: View, attestation: Attestation) -> Outcome:
        proposal = self._open[attestation]
        needed = view.reads.needed(proposal.quorum)
        everybody = (self._account.name, *self._peers)
        members = [n for n in everybody if view.reads.is_gatekeeper(view.directory.address(n))]
        given = [name for name in members if name in proposal.given]
        silent = [n for n in members if n not in proposal.given and n not in proposal.refused]
        if len(given) + len(silent) < needed:
            del self._open[attestation]
            gone = dict.fromkeys(set(everybody) - set(members), GONE)
            reasons = {**proposal.refused, **gone}
            if not reasons:
                return (
                    f"{needed} signatures are needed, {len(members)} gatekeepers are the devnet's"
                )
            return "; ".join(f"{name}: {why}" for name, why in sorted(reasons.items()))
        if len(given) < needed:
            return None
        del self._open[attestation]
        first = sorted(given, key=lambda name: int(view.directory.address(name), 16))[:needed]
        return b"".join(proposal.given[name] for name in first)  # R4: ascending


def _is_signed(view: View, message: SignatureGiven) -> bool:
    digest = message.attestation.digest(view.reads.domains)
    try:
        return recover(digest, message.signature) == message.signer.lower()
    except ValueError:
        return False


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
