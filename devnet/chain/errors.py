"""What the chain refuses, one exception a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devnet.base.errors import DevnetError, StartFailed


class ChainError(DevnetError):
    """Base of the family: the node could not do what was asked."""


class RpcError(ChainError):
    """The node's own answer to one call; `data` is hex as the node sent it, or None."""

    def __init__(self, method: str, code: int, text: str, data: str | None = None) -> None:
        super().__init__(f"{method}: {text} (code {code})")
        self.method, self.code, self.text, self.data = method, code, text, data


class NodeUnreachable(ChainError):
    """Nothing answers at the URL, or what answers does not speak JSON-RPC."""

    def __init__(self, url: str, seen: str) -> None:
        super().__init__(f"no answer from the chain at {url}: {seen}")
        self.url = url


class AnswerTooLong(ChainError):
    """An answer of more bytes than whoever asked would take: `size` as the node said it."""

    def __init__(self, most: int, size: int | None) -> None:
        seen = f"more than {most}" if size is None else str(size)
        super().__init__(f"an answer of {seen} bytes, {most} are read")
        self.most, self.size = most, size


class Reverted(ChainError):
    """A call reverted; `data` is the selector and arguments of the contract's error, or empty."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"the call reverted with 0x{data.hex()}" if data else "the call reverted")
        self.data = data


@dataclass(frozen=True, slots=True)
class Refusal:
    """One transaction that never reached the pool: its place in the list, hash and the reason."""

    index: int
    transaction: str
    reason: str


class TransactionRefused(ChainError):
    """The pool refused transactions before any block was mined; the others were dropped again.

    Their nonces may be given back.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        lines = [f"transaction {r.index} ({r.transaction}): {r.reason}" for r in refusals]
        super().__init__("the pool refused " + "; ".join(lines))
        self.refusals = tuple(refusals)


class BlockTooFull(ChainError):
    """The gas limits of one block's transactions exceed the block's; nothing was sent."""

    def __init__(self, gas: int, limit: int) -> None:
        super().__init__(
            f"transactions of {gas} gas do not fit into one block of {limit}",
            hint="mine them in more blocks or lower their gas limits",
        )
        self.gas, self.limit = gas, limit


class BlockDiffers(ChainError):
    """A mined block is not the parent's time plus `block_seconds`, or not what was sent."""


class ForeignState(ChainError):
    """Somebody took the chain away from under the devnet: its head is no block of it any more."""

    def __init__(self, block: int, seen: str) -> None:
        super().__init__(
            f"foreign state at block {block}: {seen}",
            hint="who needs a chain of his own to turn back, starts anvil or another devnet",
        )
        self.block, self.seen = block, seen


class DropFailed(ChainError):
    """Old blocks could not be dropped; the node may be half of what it was and is asked no more."""

    def __init__(self, first: int, seen: str) -> None:
        super().__init__(
            f"blocks before {first} could not be dropped: {seen}",
            hint="`--set chain.prune_history=false` keeps all blocks",
        )
        self.first = first


class AnvilFailed(StartFailed):
    """anvil did not start, or stopped by itself; the message carries the tail of its log."""
