"""Raw transactions as strangers send them: every type, every function, wild calldata, garbage."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from devnet.base import Toolchain
from devnet.chain import Account, Transaction, rlp, sign
from devnet.chain.keccak import keccak
from devnet.deploy import compile_contracts
from devnet.protocol.codec import Parameter
from devnet.protocol.contracts import Function, Interface
from devnet.protocol.deployment import POOL_ABI, abi_name

GAS: Final = 400_000
LIMITS: Final = (0, 1, 2, 31, 32, 0x80, 2**63, 2**64 - 1, 2**128, 2**255, 2**256 - 1)
BLOB: Final = bytes(131_072)
BLOB_SHARE: Final = 0.03  # each takes 131 KB of the bundle
FEE: Final = 2 * 10**9


class Strangers:
    """Makes transactions of `accounts`, the same ones for the same seed and nonces.

    `shared` are accounts of actors: of these only what leaves their tokens alone.
    """

    def __init__(
        self,
        seed: int,
        contracts: Mapping[str, str],
        accounts: Sequence[Account],
        shared: Sequence[Account],
    ) -> None:
        self._chance = random.Random(seed)
        self._accounts, self._shared = tuple(accounts), tuple(shared)
        self._known = (*contracts.values(), *(account.address for account in accounts))
        self._functions = _functions(contracts)

    def raw(self, nonces: Mapping[str, int]) -> tuple[str, bytes]:
        """A sender and its transaction; the nonce is its next one, but for one in twenty."""
        chance = self._chance
        if chance.random() < 0.05:
            return "", chance.randbytes(chance.randrange(200))
        shared = chance.random() < 0.1
        sender = chance.choice(self._shared if shared else self._accounts)
        nonce = nonces[sender.address]
        if not shared and chance.random() < 0.05:
            nonce = max(0, nonce + chance.choice((-1, 1, 2, 1000, 2**62)))
        to, data = (chance.choice(self._known), b"") if shared else self._target()
        value = chance.choice((0, 0, 0, 1, 10**18, 10**30))
        return sender.address, self._signed(sender, nonce, to, data, value)

    def _target(self) -> tuple[str | None, bytes]:
        chance = self._chance
        kind = chance.random()
        if kind < 0.05:
            return None, chance.randbytes(chance.randrange(120))  # a creation
        if kind < 0.1:
            return chance.choice(self._known), chance.randbytes(chance.randrange(200))
        to, function = chance.choice(self._functions)
        values = [self._value(parameter) for parameter in function.inputs.parameters]
        return to, self._mutated(function.selector + function.inputs.encode(values))

    def _mutated(self, data: bytes) -> bytes:
        chance = self._chance
        match chance.randrange(6):
            case 0:
                return data[: chance.randrange(len(data) + 1)]
            case 1:
                return data + chance.randbytes(chance.randrange(70))
            case 2 if len(data) > 36:
                at = 4 + 32 * chance.randrange((len(data) - 4) // 32)
                word = chance.choice(LIMITS).to_bytes(32, "big")
                return data[:at] + word + data[at + 32 :]
            case 3:
                at = chance.randrange(len(data))
                return data[:at] + chance.randbytes(1) + data[at + 1 :]
        return data

    def _value(self, parameter: Parameter) -> Any:
        chance, kind = self._chance, parameter.type
        if kind.endswith("]"):
            element = Parameter(parameter.name, kind[: kind.rindex("[")], parameter.fields)
            return [self._value(element) for _ in range(chance.randrange(4))]
        if parameter.fields:
            return tuple(self._value(field) for field in parameter.fields)
        if kind == "address":
            return chance.choice((*self._known, "0x" + chance.randbytes(20).hex()))
        if kind == "bool":
            return chance.random() < 0.5
        if kind == "string":
            return "".join(map(chr, chance.choices(range(1, 0x300), k=chance.randrange(40))))
        if kind == "bytes":
            return chance.randbytes(chance.choice((0, 1, 65, 65, 130, 300)))
        if kind.startswith("bytes"):
            return chance.randbytes(int(kind[5:]))
        bits = int(kind.lstrip("uint") or 256)
        most = 2 ** (bits - 1) - 1 if kind.startswith("int") else 2**bits - 1
        return min(most, chance.choice((*LIMITS, chance.getrandbits(bits), chance.randrange(9))))

    def _signed(
        self, sender: Account, nonce: int, to: str | None, data: bytes, value: int
    ) -> bytes:
        chance = self._chance
        kind = 3 if chance.random() < BLOB_SHARE else chance.choice((0, 0, 1, 2, 4))
        nonce = min(nonce, 2**64 - 2)
        if kind == 0:
            chain_id = chance.choice((31337,) * 20 + (1,))
            return sign(
                sender, Transaction(nonce, to, data, gas=GAS, value=value, chain_id=chain_id)
            )
        address = to or (None if kind < 3 else chance.choice(self._known))
        access = [
            [_address(chance.choice(self._known)), [chance.randbytes(32)]]
            for _ in range(chance.randrange(3))
        ]
        asked = Typed(nonce, address, data, value, access, chance.randrange(10**9))
        delegate = chance.choice(self._known)
        return typed(kind, sender, asked, delegate)


@dataclass(frozen=True)
class Typed:
    """What transactions of the types 1 to 4 have alike; `tip` is a gas price in wei."""

    nonce: int
    to: str | None
    data: bytes
    value: int
    access: rlp.Item
    tip: int


def typed(kind: int, sender: Account, asked: Typed, delegate: str) -> bytes:
    """Signed by hand, byte by byte as eth-account would; `delegate` is whose code an
    authorization (of type 4) gives to the sender."""
    number = rlp.to_bytes
    prices = [number(10**9)] if kind == 1 else [number(asked.tip), number(FEE)]
    fields: list[rlp.Item] = [
        *(number(31337), number(asked.nonce), *prices, number(GAS)),
        *(_address(asked.to), number(asked.value), asked.data, asked.access),
    ]
    blob = sidecar() if kind == 3 else None
    if blob:
        fields += [number(10**9), blob.hashes]
    if kind == 4:
        authorized = [number(31337), _address(delegate), number(asked.nonce + 1)]
        fields.append([[*authorized, *_signature(sender, b"\x05" + _encode(authorized))]])
    head = bytes([kind])
    signed = _encode([*fields, *_signature(sender, head + _encode(fields))])
    return head + (rlp.encode_list([signed, *blob.wrapped]) if blob else signed)


@dataclass(frozen=True)
class Sidecar:
    """Of one blob: its versioned hashes, and the encoded lists of blobs, commitments, proofs."""

    hashes: rlp.Item
    wrapped: tuple[bytes, ...]


def sidecar() -> Sidecar:
    """Of a blob of zeros, whose commitment and proof are the point at infinity: without KZG, which
    takes as long as a hundred thousand signatures."""
    infinity = b"\xc0" + bytes(47)
    named: rlp.Item = [b"\x01" + sha256(infinity).digest()[1:]]
    return Sidecar(named, (_encode([BLOB]), _encode([infinity]), _encode([infinity])))


def _signature(sender: Account, message: bytes) -> list[rlp.Item]:
    signature = sender.key.sign_recoverable(keccak(message), hasher=None)
    r, s = signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0")
    return [rlp.to_bytes(signature[64]), r, s]


def _encode(item: rlp.Item) -> bytes:
    if isinstance(item, bytes):
        return rlp.encode_bytes(item)
    return rlp.encode_list([_encode(part) for part in item])


def _address(address: str | None) -> bytes:
    return bytes.fromhex(address[2:]) if address else b""


def _functions(contracts: Mapping[str, str]) -> list[tuple[str, Function]]:
    """Every function of every contract that can change something, with its address."""
    artifacts = compile_contracts(Toolchain(), lambda line: None)
    found: list[tuple[str, Function]] = []
    for name, address in contracts.items():
        face = Interface.of(artifacts[abi_name(name)].abi)
        found += [(address, f) for f in face.by_selector.values() if not f.view]
    pool = Interface.of(artifacts[POOL_ABI].abi)
    found += [(contracts["PoolFactory"], function) for function in pool.by_selector.values()]
    return found


def selector(contract: str, function: str) -> bytes:
    """The four bytes that name a function."""
    artifacts = compile_contracts(Toolchain(), lambda line: None)
    return Interface.of(artifacts[abi_name(contract)].abi).functions[function].selector
