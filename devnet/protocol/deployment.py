"""Where the contracts are and how they were set up: `deployment.json`, for any tool."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from devnet.base.errors import UsageError
from devnet.chain.transaction import created_address
from devnet.spec.feeds import FEED_PREFIX

FEED_ABI: Final = "OcrAggregator"
POOL_PREFIX: Final = "Pool:"
POOL_ABI: Final = "Pool"
POOL_FACTORY: Final = "PoolFactory"
# Chainlink's contracts and what asks them: no rule of the protocol depends on them.
CHAINLINK: Final = ("LinkToken", "Operator", "UtilizationConsumer")

_VERSION: Final = 1

Abi = Sequence[Mapping[str, Any]]


def pool_name(number: int) -> str:
    """The contract name of the n-th pool, from 1 (S7)."""
    return f"{POOL_PREFIX}{number}"


def pool_number(contract: str) -> int | None:
    """The number in a pool's contract name; None for any other name."""
    number = contract.removeprefix(POOL_PREFIX)
    if number == contract or not number.isascii() or not number.isdigit() or number[0] == "0":
        return None
    return int(number)


@lru_cache(maxsize=4096)
def pool_address(factory: str, number: int) -> str:
    """Where the n-th pool lies: the factory's nonces count its pools, from 1 (S7, EIP-161)."""
    return created_address(factory, number)


@dataclass(frozen=True, slots=True)
class Genesis:
    """The chain the contracts are on; `block` is where cycle 0 begins (C1)."""

    chain_id: int
    timestamp: int
    block: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """Addresses (lower-case) by contract name, ABIs by contract name, `OcrAggregator` for all feeds
    but those that another contract stands in for, whose ABI has the feed's own name.

    A pool, `Pool:<n>`, has its address from `PoolFactory`'s and needs no entry.

    Names: those of `NetworkSpec.contract_names`.
    `parameters` are the constructor's values in protocol units, for people and tools.
    """

    addresses: Mapping[str, str]
    abis: Mapping[str, Abi] = field(repr=False)
    parameters: Mapping[str, Any]
    genesis: Genesis

    def __post_init__(self) -> None:
        lower = {name: address.lower() for name, address in self.addresses.items()}
        object.__setattr__(self, "addresses", lower)

    def abi(self, contract: str) -> Abi:
        """A contract's ABI; a feed's is shared."""
        own = self.abis.get(contract)
        return own if own is not None else self.abis[abi_name(contract)]

    def address(self, contract: str) -> str | None:
        """Of a contract, a pool to come among them; None where there is none of that name."""
        number, factory = pool_number(contract), self.addresses.get(POOL_FACTORY)
        if number is not None and factory is not None:
            return pool_address(factory, number)
        return self.addresses.get(contract)

    def names(self) -> dict[str, str]:
        """Contract names by lower-case address."""
        return {address: name for name, address in self.addresses.items()}

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        document = {
            "version": _VERSION,
            "genesis": {
                "chain_id": self.genesis.chain_id,
                "timestamp": self.genesis.timestamp,
                "block": self.genesis.block,
            },
            "addresses": dict(self.addresses),
            "parameters": dict(self.parameters),
            "abis": {name: list(abi) for name, abi in self.abis.items()},
        }
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(json.dumps(document, indent=1) + "\n")
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Read it back; raises UsageError when the file is none or of another version."""
        try:
            document = json.loads(path.read_text())
            if document["version"] != _VERSION:
                raise UsageError(f"{path}: version {document['version']}, known is {_VERSION}")
            return cls(
                addresses=document["addresses"],
                abis=document["abis"],
                parameters=document["parameters"],
                genesis=Genesis(**document["genesis"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} is no deployment: {error!r}") from error


def abi_name(contract: str) -> str:
    """Which ABI a contract has."""
    if contract.startswith(FEED_PREFIX):
        return FEED_ABI
    return contract if pool_number(contract) is None else POOL_ABI
