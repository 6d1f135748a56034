"""Reads of views by contract and function name, at the latest block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from eth_abi.exceptions import DecodingError

from devnet.chain.chain import Chain
from devnet.chain.errors import Reverted
from devnet.protocol.contracts import Contracts
from devnet.protocol.errors import ProtocolError, decode_error
from devnet.protocol.messages import Domains

Read = tuple[str, str, Sequence[Any]]


class Reader:
    """Any view by name; every method raises ProtocolError when the contract refuses."""

    def __init__(
        self, chain: Chain, contracts: Contracts, names: Mapping[str, str] | None = None
    ) -> None:
        self.chain, self.contracts = chain, contracts
        self.domains = Domains.of(contracts.deployment)
        self._names = {**contracts.names, **(names or {})}
        self._constants: dict[tuple[str, str], Any] = {}
        self._at = ""  # the block that `_seen` is of
        self._seen: dict[tuple[object, ...], Any] = {}

    def read(self, contract: str, function: str, *args: Any) -> Any:
        """One view, decoded: a value, or a mapping for a struct or several results.

        Asked of the chain once a block.
        """
        if self._at != self.chain.head.hash:
            self._at, self._seen = self.chain.head.hash, {}
        key = (contract, function, *args)
        if key not in self._seen:
            self._seen[key] = self.read_many([(contract, function, args)])[0]
        value = self._seen[key]
        if isinstance(value, ProtocolError):
            raise value
        return value

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        """Many views in one batch; a refused one's place holds its ProtocolError."""
        calls = [self.contracts.encode(name, function, *args) for name, function, args in reads]
        answers = self.chain.calls([(call.to, call.data) for call in calls])
        return [
            self._answer(name, function, answer)
            for (name, function, _), answer in zip(reads, answers, strict=True)
        ]

    def _answer(self, name: str, function: str, answer: bytes | Reverted) -> Any:
        if isinstance(answer, Reverted):
            return decode_error(answer.data, self._names)
        try:
            return self.contracts.result(name, function, answer)
        except DecodingError:
            shown = f"0x{answer[:64].hex()}" if answer else "nothing"
            text = f"{name}.{function} answers {shown}: is its code another's?"
            return ProtocolError("Unreadable", {"data": answer}, text)

    @property
    def first_block(self) -> int:
        """The oldest block that the node has, beside block 0."""
        return self.chain.first

    def block_hash(self, number: int) -> bytes:
        """A block's hash; 32 zero bytes above the head and for what the node dropped, which is
        further back than a contract sees."""
        found = self.chain.block_hash(number)
        return bytes.fromhex(found[2:]) if found else bytes(32)

    def _integer(self, contract: str, function: str, *args: Any) -> int:
        return cast(int, self.read(contract, function, *args))

    def _truth(self, contract: str, function: str, *args: Any) -> bool:
        return cast(bool, self.read(contract, function, *args))

    def _address(self, contract: str, function: str, *args: Any) -> str:
        return cast(str, self.read(contract, function, *args))

    def _constant(self, contract: str, function: str) -> int:
        key = (contract, function)
        if key not in self._constants:
            self._constants[key] = self.read(contract, function)
        return cast(int, self._constants[key])
