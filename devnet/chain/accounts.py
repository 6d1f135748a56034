"""Named accounts derived from a mnemonic, in the order of the names."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from coincurve import PrivateKey

from devnet.base.errors import UsageError
from devnet.chain.keccak import keccak

DEFAULT_MNEMONIC: Final = "test test test test test test test test test test test junk"

SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HARDENED: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Account:
    """A name, its lower-case address and its secp256k1 key; the key never shows in a repr."""

    name: str
    address: str
    key: PrivateKey = field(repr=False, compare=False)

    @classmethod
    def from_secret(cls, name: str, secret: bytes) -> Account:
        """The account of a 32-byte secret."""
        key = PrivateKey(secret)
        point = key.public_key.format(compressed=False)
        return cls(name, address_of(point), key)


def address_of(public_key: bytes) -> str:
    """The lower-case address of a 65-byte uncompressed public key."""
    return "0x" + keccak(public_key[1:])[12:].hex()


def derive(mnemonic: str, names: Iterable[str]) -> dict[str, Account]:
    """Accounts at m/44'/60'/0'/0/i (BIP-32, BIP-44), i the place of the name.

    Raises UsageError when a name occurs twice.
    """
    accounts: dict[str, Account] = {}
    for name, secret in zip(names, secrets(mnemonic), strict=False):
        if name in accounts:
            raise UsageError(f"two accounts are named {name!r}", hint="give each its own name")
        accounts[name] = Account.from_secret(name, secret)
    return accounts


def secrets(mnemonic: str) -> Iterator[bytes]:
    """The secrets at m/44'/60'/0'/0/0, 1, 2 and so on."""
    words = unicodedata.normalize("NFKD", mnemonic).encode()
    seed = hashlib.pbkdf2_hmac("sha512", words, b"mnemonic", 2048)
    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for index in (44 + _HARDENED, 60 + _HARDENED, _HARDENED, 0):
        node = _child(node, index)
    point = PrivateKey(node[:32]).public_key.format(compressed=True)
    for index in range(_HARDENED):
        yield _child(node, index, point)[:32]


def _child(node: bytes, index: int, point: bytes | None = None) -> bytes:
    """BIP-32 CKDpriv of secret ‖ chain code; `point` spares its multiplication."""
    secret, chain_code = node[:32], node[32:]
    if index >= _HARDENED:
        head = b"\x00" + secret
    else:
        head = point or PrivateKey(secret).public_key.format(compressed=True)
    mixed = hmac.digest(chain_code, head + index.to_bytes(4, "big"), "sha512")
    number = (int.from_bytes(mixed[:32], "big") + int.from_bytes(secret, "big")) % SECP256K1_ORDER
    return number.to_bytes(32, "big") + mixed[32:]
