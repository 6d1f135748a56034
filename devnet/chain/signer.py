"""Signing by hand: the bytes of eth-account at fifty times its rate."""

from __future__ import annotations

from typing import Final

from coincurve import PublicKey

from devnet.chain import rlp
from devnet.chain.accounts import SECP256K1_ORDER, Account, address_of
from devnet.chain.keccak import keccak
from devnet.chain.transaction import Transaction, fields_of

SIGNATURE_BYTES: Final = 65


def sign(account: Account, transaction: Transaction) -> bytes:
    """The raw transaction, deterministic (RFC 6979) and byte-identical to eth-account's."""
    fields = [
        rlp.encode_bytes(rlp.to_bytes(transaction.nonce)),
        rlp.encode_bytes(rlp.to_bytes(transaction.gas_price)),
        rlp.encode_bytes(rlp.to_bytes(transaction.gas)),
        rlp.encode_bytes(bytes.fromhex(transaction.to[2:]) if transaction.to else b""),
        rlp.encode_bytes(rlp.to_bytes(transaction.value)),
        rlp.encode_bytes(transaction.data),
    ]
    chain = rlp.encode_bytes(rlp.to_bytes(transaction.chain_id))
    digest = keccak(rlp.encode_list([*fields, chain, b"\x80", b"\x80"]))
    signature = account.key.sign_recoverable(digest, hasher=None)
    r, s, parity = signature[:32], signature[32:64], signature[64]
    v = 35 + 2 * transaction.chain_id + parity
    return rlp.encode_list(
        [
            *fields,
            rlp.encode_bytes(rlp.to_bytes(v)),
            rlp.encode_bytes(r.lstrip(b"\x00")),
            rlp.encode_bytes(s.lstrip(b"\x00")),
        ]
    )


def sign_digest(account: Account, digest: bytes) -> bytes:
    """65 bytes r ‖ s ‖ v over a 32-byte digest, v 27 or 28, s in the lower half (R4)."""
    if len(digest) != 32:
        raise ValueError(f"a digest has 32 bytes, not {len(digest)}")
    signature = account.key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes((27 + signature[64],))


def mirrored(signature: bytes) -> bytes:
    """The other signature of the same signer over the same digest, with s in the upper half (R4
    forbids it)."""
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    return signature[:32] + (SECP256K1_ORDER - s).to_bytes(32, "big") + bytes((55 - v,))


def recover(digest: bytes, signature: bytes) -> str:
    """The lower-case address that signed; raises ValueError for bytes that are no signature."""
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        raise ValueError("a signature is r, s and v in {27, 28}: 65 bytes")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes((signature[64] - 27,)), digest, hasher=None
        )
    except Exception as error:  # coincurve raises a bare Exception
        raise ValueError(f"no key fits the signature: {error}") from error
    return address_of(key.format(compressed=False))


def sender_of(raw: bytes) -> str:
    """The lower-case address that signed a raw transaction of any type; raises ValueError."""
    kind, fields = fields_of(raw)
    unsigned, signature = fields[:-3], fields[-3:]
    if len(signature) != 3 or not all(isinstance(item, bytes) for item in signature):
        raise ValueError("a transaction without a signature")
    v, r, s = (int.from_bytes(item, "big") for item in signature if isinstance(item, bytes))
    if not kind and v >= 35:  # EIP-155
        unsigned = [*unsigned, rlp.to_bytes((v - 35) // 2), b"", b""]
        v = (v - 35) % 2
    elif not kind:
        v -= 27
    if v not in (0, 1) or max(r, s) >= SECP256K1_ORDER:
        raise ValueError("a signature that is none")
    digest = keccak(kind + rlp.encode([*unsigned]))
    return recover(digest, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((27 + v,)))
