"""Where the contracts are and how they were set up: `deployment.json`, for any tool."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from devnet.base.errors import UsageError

FEED_PREFIX: Final = "Feed:"
FEED_ABI: Final = "OcrAggregator"
KOMP_USD_FEED: Final = "Feed:komp_usd"
UTILIZATION_FEED: Final = "Feed:utilization"

_VERSION: Final = 1

Abi = Sequence[Mapping[str, Any]]


def feed_name(vendor: str, resource: str) -> str:
    """The contract name of one vendor's feed for one resource (O1)."""
    return f"{FEED_PREFIX}{vendor}:{resource}"


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


    Names: Kompute, Gatekeepers, Staking, Rewards, Slashing, Pricing, Market,
    `Feed:<vendor>:<resource>`, `Feed:komp_usd`, `Feed:utilization`. `parameters` are the
    constructor's values in protocol units, for people and tools.
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
    return FEED_ABI if contract.startswith(FEED_PREFIX) else contract
