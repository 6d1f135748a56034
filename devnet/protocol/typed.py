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
from devnet.protocol.codec import Parameter
from devnet.protocol.messages import DOMAIN_NAME, DOMAIN_VERSION

_TYPE: Final = re.compile(r"(\w+)\((.*)\)")


@dataclass(frozen=True, slots=True)
class MessageType:
    """A type string taken apart: its name and its members."""

    name: str
    members: tuple[Parameter, ...]


@cache
def message_type(text: str) -> MessageType:
    """`Running(uint256 order,…)` as a value."""
    match = _TYPE.fullmatch(text)
    if match is None:
        raise ValueError(f"no EIP-712 type: {text}")
    pairs = [member.split(" ") for member in match[2].split(",")]
    return MessageType(match[1], tuple(Parameter(name, kind) for kind, name in pairs))


def digest(kind: MessageType, fields: Mapping[str, Any], chain_id: int, contract: str) -> bytes:
    """What is signed, in the domain of that chain and of the contract at that address.

    Addresses are hex, bytes are bytes; fields the type does not name are left out. Raises KeyError
    for a missing field, ValueError or eth_abi's EncodingError for one that misfits its type.
    """
    from eth_account.messages import encode_typed_data  # 0.2 s, for those alone who forge

    domain = {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": contract,
    }
    members = [{"name": member.name, "type": member.type} for member in kind.members]
    named = {member.name: _encodable(member, fields[member.name]) for member in kind.members}
    signable = encode_typed_data(domain, {kind.name: members}, named)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def _encodable(member: Parameter, value: Any) -> Any:
    """As eth_account wants it: arrays as lists, and no bytes32 of 31 bytes, which it would fill."""
    size = member.type.removeprefix("bytes")
    if size.isdigit() and len(value) != int(size):
        raise ValueError(f"{member.name}: {len(value)} bytes where {size} are due")
    return member.plain(value)
