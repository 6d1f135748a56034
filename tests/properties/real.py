"""The same network on anvil, with the face of `EvmChain`: what the in-process EVM is held to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devnet.actors.view import Directory
from devnet.base.toolchain import Toolchain
from devnet.chain import Block, Chain, Transaction, sign
from devnet.protocol import ObservedTransaction, View, observe
from devnet.runs.genesis import deploy_network
from devnet.spec.network import NetworkSpec

from .chain import GAS, Read


class RealChain:
    """Blocks as in the machine; `restore` reverts to the end of the prelude.

    A block that one more transaction joins is mined anew, with all of them.
    """

    def __init__(
        self, spec: NetworkSpec, directory: Directory, toolchain: Toolchain, chain: Chain
    ) -> None:
        self.spec, self.directory, self._chain = spec, directory, chain
        genesis = deploy_network(spec, chain, directory, toolchain, toolchain.say)
        self.given, self.deployment = genesis.parameters, genesis.deployment
        self.contracts = genesis.contracts
        self.prelude = tuple(seen for _, block in genesis.blocks for seen in block)
        self._view = View(chain, self.contracts)
        self._snapshot = chain.snapshot()
        self._lanes = chain.nonce_lanes()
        self._before: str = ""  # a snapshot: the parent of the head
        self._raws: list[bytes] = []  # of the head
        self._seen: tuple[ObservedTransaction, ...] = ()

    def restore(self) -> None:
        """Back to the end of the prelude."""
        self._chain.revert(self._snapshot)
        self._snapshot = self._chain.snapshot()
        self._lanes = self._chain.nonce_lanes()

    @property
    def head(self) -> Block:
        return self._chain.head

    @property
    def next(self) -> Block:
        """The block to come; nobody knows its hash."""
        following = self.head.timestamp + self.spec.chain.block_seconds
        return Block(self.head.number + 1, following, "")

    @property
    def first_block(self) -> int:
        """It keeps every block."""
        return self._view.first_block

    def advance(self, blocks: int) -> None:
        """Empty blocks."""
        self._chain.advance(blocks)

    def block_hash(self, number: int) -> bytes:
        """32 zero bytes above the head."""
        return self._view.block_hash(number)

    def send(
        self, sender: str, contract: str, function: str, args: Sequence[Any], *, joins: bool = False
    ) -> ObservedTransaction:
        """One transaction, in a block of its own or as one more of the head.

        `sender` is an address of the directory. What came before it in the block stays as it was.
        """
        call = self.contracts.encode(contract, function, *args)
        account = self.directory.accounts[self.directory.name(sender)]
        raw = sign(
            account,
            Transaction(
                nonce=self._lanes.take(account.address),
                to=call.to,
                data=call.data,
                gas=GAS,
                chain_id=self._chain.chain_id,
            ),
        )
        if joins:
            self._chain.revert(self._before)
        else:
            self._raws, self._seen = [], ()
        self._before = self._chain.snapshot()
        self._raws.append(raw)
        mined = self._chain.mine(self._raws)
        *earlier, seen = observe(mined, self.contracts, self._chain)
        assert tuple(earlier) == self._seen
        self._seen = (*self._seen, seen)
        return seen

    def read(self, contract: str, function: str, *args: Any) -> Any:
        """One view at the head; raises its ProtocolError."""
        return self._view.read(contract, function, *args)

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        """Many views at the head."""
        return self._view.read_many(reads)

    def forget(self) -> None:
        """Nothing is kept here."""
