"""KOMP: balances, allowances and permits of an ERC-20 of fixed supply (T1)."""

from __future__ import annotations

from typing import Final

from devnet.chain.keccak import keccak
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.gatekeepers import signer_of
from devnet.model.state import State
from devnet.model.tables import Refused
from devnet.protocol.states import UNLIMITED

_DOMAIN: Final = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_PERMIT: Final = keccak(
    b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)


def move(state: State, sender: str, to: str, amount: int) -> None:
    """Move tokens; what one loses the other gains."""
    if to == ZERO_ADDRESS:
        raise Refused("ERC20InvalidReceiver")
    if state.balances[sender] < amount:
        raise Refused("ERC20InsufficientBalance")
    state.balances[sender] -= amount
    state.balances[to] += amount
    state.emit("Kompute", "Transfer", {"from": sender, "to": to, "value": amount})


def pull(state: State, spender: str, sender: str, to: str, amount: int) -> None:
    """Move tokens of `sender` on its allowance for `spender`."""
    allowed = state.allowances[sender, spender]
    if allowed != UNLIMITED:
        if allowed < amount:
            raise Refused("ERC20InsufficientAllowance")
        if sender == ZERO_ADDRESS:
            raise Refused("ERC20InvalidApprover")
        state.allowances[sender, spender] = allowed - amount
    move(state, sender, to, amount)


def transfer(state: State, call: Call) -> None:
    move(state, call.sender, call.args["to"], call.args["value"])


def transfer_from(state: State, call: Call) -> None:
    pull(state, call.sender, call.args["from"], call.args["to"], call.args["value"])


def approve(state: State, call: Call) -> None:
    allow(state, call.sender, call.args["spender"], call.args["value"])


def permit(state: State, call: Call) -> None:
    owner, spender, value, deadline = (
        call.args[name] for name in ("owner", "spender", "value", "deadline")
    )
    if call.timestamp > deadline:
        raise Refused("ERC2612ExpiredSignature")
    digest = permit_digest(
        state.parameters.chain_id,
        state.parameters.addresses["Kompute"],
        (owner, spender, value, state.permit_nonces[owner], deadline),
    )
    state.permit_nonces[owner] += 1
    signature = call.args["r"] + call.args["s"] + bytes((call.args["v"],))
    if signer_of(state, digest, signature) != owner:
        raise Refused("ERC2612InvalidSigner")
    allow(state, owner, spender, value)


def permit_digest(chain_id: int, token: str, permit: tuple[str, str, int, int, int]) -> bytes:
    """EIP-2612: what an owner signs; `permit` is owner, spender, value, nonce and deadline."""
    separator = keccak(_DOMAIN + keccak(b"Kompute") + keccak(b"1") + _word(chain_id) + _word(token))
    struct = keccak(_PERMIT + b"".join(_word(value) for value in permit))
    return keccak(b"\x19\x01" + separator + struct)


def allow(state: State, owner: str, spender: str, value: int) -> None:
    """Let `spender` move so many of the owner's tokens."""
    if spender == ZERO_ADDRESS:
        raise Refused("ERC20InvalidSpender")
    state.allowances[owner, spender] = value
    state.emit("Kompute", "Approval", {"owner": owner, "spender": spender, "value": value})


def _word(value: int | str) -> bytes:
    number = int(value, 16) if isinstance(value, str) else value
    return number.to_bytes(32, "big")


def arm(state: State, call: Call) -> None:
    """T1: of a token that calls back (a mock): being armed changes nothing in the ledger.

    Nor does a callback that is refused. What an accepted one does is not modelled; the event
    `CallbackAccepted` then is a difference between chain and model.
    """
