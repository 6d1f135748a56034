"""Transactions before and after signing, as values and as the bytes of a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devnet.chain import rlp
from devnet.chain.keccak import keccak

DEVNET_CHAIN_ID: Final = 31337
GAS_PRICE_WEI: Final = 1_000_000_000
_BLOB: Final = b"\x03"
# The fields before the nonce and between nonce and gas limit differ by type (EIP-2718).
_TYPES: Final = {b"\x01": (1, 1), b"\x02": (1, 2), _BLOB: (1, 2), b"\x04": (1, 2)}


@dataclass(frozen=True, slots=True)
class Transaction:
    """A legacy transaction (EIP-155): the devnet's base fee is 0, so a fee market adds nothing.

    `to` is None for a creation; `gas` is the limit, fixed by the caller, never estimated.
    """

    nonce: int
    to: str | None
    data: bytes = b""
    gas: int = 1_000_000
    value: int = 0
    gas_price: int = GAS_PRICE_WEI
    chain_id: int = DEVNET_CHAIN_ID


@dataclass(frozen=True, slots=True)
class Payload:
    """What a raw transaction of any type asks for; `to` is lower-case, None for a creation."""

    nonce: int
    to: str | None
    data: bytes
    gas: int
    value: int


def transaction_hash(raw: bytes) -> str:
    """The hash by which the node will know a raw signed transaction.

    That of a blob transaction leaves out its sidecar (EIP-4844).
    """
    if raw[:1] == _BLOB:
        raw = _BLOB + _without_sidecar(raw[1:])
    return "0x" + keccak(raw).hex()


def _without_sidecar(body: bytes) -> bytes:
    """The transaction in `[transaction, blobs, …]`; bytes that are no such list as they are."""
    try:
        first = rlp.first_of(body)
    except ValueError:
        return body
    return first if first[:1] >= b"\xc0" else body


def fields_of(raw: bytes) -> tuple[bytes, list[rlp.Item]]:
    """The type's byte, none of a legacy transaction's, and the fields, signature included; a
    sidecar is left out. Raises ValueError."""
    kind, body = (raw[:1], raw[1:]) if raw[:1] in _TYPES else (b"", raw)
    fields = rlp.decode(body)
    if kind == _BLOB and isinstance(fields, list) and fields and isinstance(fields[0], list):
        fields = fields[0]
    if not isinstance(fields, list):
        raise ValueError("not a list of a transaction's fields")
    return kind, fields


def created_address(creator: str, nonce: int) -> str:
    """Where a creation by `creator` at its nonce lies (CREATE), lower-case."""
    fields = (bytes.fromhex(creator[2:]), rlp.to_bytes(nonce))
    return "0x" + keccak(rlp.encode_list([rlp.encode_bytes(f) for f in fields]))[12:].hex()


def read_raw(raw: bytes) -> Payload:
    """The payload of a raw legacy, EIP-2930, EIP-1559, EIP-4844 or EIP-7702 transaction.

    A blob transaction may carry its sidecar, as the pool gives it. Raises ValueError when the
    bytes are none of these, or not only that.
    """
    kind, fields = fields_of(raw)
    skip, fees = _TYPES.get(kind, (0, 1))
    if len(fields) < skip + fees + 5:
        raise ValueError("not a list of a transaction's fields")
    head = fields[skip : skip + fees + 5]
    if not all(isinstance(item, bytes) for item in head):
        raise ValueError("a transaction's field is a list")
    nonce, *_, gas, to, value, data = (item for item in head if isinstance(item, bytes))
    if len(to) not in (0, 20):
        raise ValueError(f"an address of {len(to)} bytes")
    return Payload(
        nonce=int.from_bytes(nonce, "big"),
        to="0x" + to.hex() if to else None,
        data=data,
        gas=int.from_bytes(gas, "big"),
        value=int.from_bytes(value, "big"),
    )
