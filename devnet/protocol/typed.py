"""EIP-712 messages from their type strings: any message of the protocol, any field overridden.

`Domains` packs the honest messages by hand; this one is for what nobody honest would sign (another
chain, another contract, another field), so it takes every part as it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from devnet.chain.keccak import keccak
from devnet.protocol.codec import Codec, Parameter
from devnet.protocol.messages import DOMAIN_NAME, DOMAIN_VERSION

_TYPE: Final = re.compile(r"(\w+)\((.*)\)")
_DOMAIN: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # secp256k1


@dataclass(frozen=True, slots=True)
class MessageType:
    """A type string taken apart: its name, its members and the hash of the string."""

    name: str
    members: tuple[Parameter, ...]
    hash: bytes

    def struct_hash(self, fields: Mapping[str, Any]) -> bytes:
        """EIP-712's hashStruct; addresses are hex, bytes are bytes, arrays are of integers."""
        return keccak(self.hash + b"".join(_word(m, fields[m.name]) for m in self.members))


@cache
def message_type(text: str) -> MessageType:
    """`Running(uint256 order,…)` as a value."""
    match = _TYPE.fullmatch(text)
    if match is None:
        raise ValueError(f"no EIP-712 type: {text}")
    pairs = [member.split(" ") for member in match[2].split(",")]
    members = tuple(Parameter(name, kind) for kind, name in pairs)
    return MessageType(match[1], members, keccak(text.encode()))


def digest(kind: MessageType, fields: Mapping[str, Any], chain_id: int, contract: str) -> bytes:
    """What is signed, in the domain of that chain and of the contract at that address."""
    domain = message_type(_DOMAIN).struct_hash(
        {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": contract,
        }
    )
    return keccak(b"\x19\x01" + domain + kind.struct_hash(fields))


def mirrored(signature: bytes) -> bytes:
    """The other signature of the same signer over the same digest, with s in the upper half (R4
    forbids it)."""
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    return signature[:32] + (_ORDER - s).to_bytes(32, "big") + bytes((55 - v,))


def _word(member: Parameter, value: Any) -> bytes:
    if member.type == "string":
        return keccak(str(value).encode())
    if member.type == "bytes":
        return keccak(value)
    if member.type.endswith("[]"):
        element = Parameter(member.name, member.type.removesuffix("[]"))
        return keccak(b"".join(_word(element, item) for item in value))
    return Codec([member]).encode([value])
