"""The gatekeepers and their quorums (R3, R4)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from devnet.chain.accounts import SECP256K1_ORDER
from devnet.chain.signer import SIGNATURE_BYTES
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.rows import Registry
from devnet.model.state import State
from devnet.model.tables import Refused

HALF_ORDER: Final = SECP256K1_ORDER // 2


class Quorum(IntEnum):
    """The three quorums of R4."""

    PERF = 0
    SLASH = 1
    CRITICAL = 2


def needed(registry: Registry, quorum: Quorum) -> int:
    """R4: how many signatures make the quorum."""
    count = len(registry.members)
    match quorum:
        case Quorum.PERF:
            return registry.perf_quorum
        case Quorum.SLASH:
            return count // 2 + 1
        case Quorum.CRITICAL:
            return 2 * count // 3 + 1


def is_allowed(count: int, perf_quorum: int) -> bool:
    """R4: n/2 < k <= n."""
    return count < 2 * perf_quorum and perf_quorum <= count


def signer_of(state: State, digest: bytes, signature: bytes) -> str:
    """Who signed, by a signature with its s in the lower half; refuses as OpenZeppelin does."""
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise Refused("ECDSAInvalidSignatureS")
    try:
        return state.recover(digest, signature)
    except ValueError:
        raise Refused("ECDSAInvalidSignature") from None


def check(state: State, digest: bytes, signatures: bytes, quorum: Quorum) -> None:
    """R4: enough signatures, strictly ascending by signer, every one a gatekeeper's."""
    if len(signatures) % SIGNATURE_BYTES:
        raise Refused("SignaturesMalformed")
    registry = state.registry.value
    if len(signatures) // SIGNATURE_BYTES < needed(registry, quorum):
        raise Refused("TooFewSignatures")
    previous = ZERO_ADDRESS
    for start in range(0, len(signatures), SIGNATURE_BYTES):
        try:
            signer = signer_of(state, digest, signatures[start : start + SIGNATURE_BYTES])
        except Refused:
            raise Refused("SignaturesMalformed") from None  # R4: low-s, too
        if signer <= previous:
            raise Refused("SignersNotAscending")
        if signer not in registry.members:
            raise Refused("NotGatekeeper")
        previous = signer


def change(state: State, call: Call) -> None:
    """R5: governance adds and removes, and sets k, in one step."""
    members = _without(state, call)
    for account in call.args["added"]:
        if account == ZERO_ADDRESS:
            raise Refused("ZeroAddress")
        if account in members:
            raise Refused("AlreadyGatekeeper")
        members.add(account)
        state.emit("Gatekeepers", "GatekeeperAdded", {"gatekeeper": account})
    _set(state, members, call.args["perfQuorum"])


def remove(state: State, call: Call) -> None:
    """G2: nobody chooses k: it stays where it may, else it is the least there is."""
    members, quorum = _without(state, call), state.registry.value.perf_quorum
    if not is_allowed(len(members), quorum):
        quorum = len(members) // 2 + 1
    _set(state, members, quorum)


def _without(state: State, call: Call) -> set[str]:
    """The members but for the removed."""
    if call.sender != state.parameters.governance:
        raise Refused("NotGovernance")
    members = set(state.registry.value.members)
    for account in call.args["removed"]:
        if account not in members:
            raise Refused("NotGatekeeper")
        members.remove(account)
        state.emit("Gatekeepers", "GatekeeperRemoved", {"gatekeeper": account})
    return members


def _set(state: State, members: set[str], perf_quorum: int) -> None:
    if not is_allowed(len(members), perf_quorum):
        raise Refused("QuorumOutOfRange")
    state.registry.value = Registry(frozenset(members), perf_quorum)
    state.emit("Gatekeepers", "PerfQuorumChanged", {"k": perf_quorum})
