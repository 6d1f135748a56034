"""Mallory's contracts on the chain of a world, and what they had ours do."""

from __future__ import annotations

from typing import Any

import foreign_code as code
from chain_world import ChainWorld
from model_world import ACCOUNTS, KOMP

from devnet.chain import Transaction, sign
from devnet.chain.transaction import created_address
from devnet.protocol import POOL_ABI, POOL_FACTORY, ObservedTransaction, pool_address
from devnet.protocol.contracts import Interface

STRANGER = ACCOUNTS["mallory"]


class Foreign:
    """Mallory's contracts on the chain of a world."""

    def __init__(self, world: ChainWorld) -> None:
        self.world = world

    def raw(self, to: str | None, data: bytes, gas: int = 9_000_000) -> bytes:
        nonce = self.world.lanes.take(STRANGER.address)
        chain_id = self.world.chain.chain_id
        return sign(STRANGER, Transaction(nonce, to, data, gas=gas, chain_id=chain_id))

    def send(self, to: str | None, data: bytes, gas: int = 9_000_000) -> ObservedTransaction:
        (seen,) = self.world._mine([self.raw(to, data, gas)])
        return seen

    def deploy(self, runtime: bytes) -> str:
        """A contract, whose address is given; it has KOMP and has approved everybody."""
        where = self.next_address()
        assert self.send(None, code.creation(runtime)).ok
        return where

    def next_address(self) -> str:
        """Of the next contract of Mallory's, which has got KOMP already."""
        where = created_address(STRANGER.address, self.world.chain.nonce(STRANGER.address))
        self.fund(where)
        return where

    def fund(self, to: str) -> None:
        assert self.world.send("treasury", "Kompute", "transfer", to=to, value=1_000 * KOMP).ok

    def encoded(self, contract: str, function: str, *args: Any) -> tuple[str, bytes]:
        call = self.world.contracts.encode(contract, function, *args)
        return call.to, call.data

    def pooled(self, number: int, function: str, *args: Any) -> tuple[str, bytes]:
        """A call of a pool that need not be there yet."""
        kind = Interface.of(self.world.contracts.deployment.abis[POOL_ABI]).functions[function]
        factory = self.world.contracts.address(POOL_FACTORY)
        return pool_address(factory, number), kind.selector + kind.inputs.encode(args)


def names(seen: ObservedTransaction) -> list[str]:
    """Of the calls that were accepted, in order."""
    return [f"{call.contract}.{call.function}" for call in seen.inner if call.ok]


def refusals(seen: ObservedTransaction) -> list[tuple[str, str | None]]:
    return [(call.function, call.error) for call in seen.inner if not call.ok]
