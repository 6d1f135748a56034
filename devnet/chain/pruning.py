"""Drops old blocks from the node, so that its memory stays as it is however long the chain grows.

anvil has no call for it. But a snapshot of the state outlives `anvil_reset`, so the node is reset,
gets the last blocks back, and returns to the snapshot: state, hashes within reach of BLOCKHASH,
clock and fees are then what they were, and so is every block to come (tried against a node that
keeps all).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from devnet.base.memory import give_back
from devnet.base.signals import deferred
from devnet.chain.block import Block, read_block
from devnet.chain.dump import trimmed
from devnet.chain.errors import ChainError, DropFailed, Refusal, RpcError
from devnet.chain.foreign import PROOF, Foreign, lost_transactions, postponed_drop, root_of
from devnet.chain.kept import Kept
from devnet.chain.pool import Pool
from devnet.chain.rpc import Rpc

KEPT_BLOCKS: Final = 512  # at least; BLOCKHASH reaches 256 back, the actors no further
# Blocks. One drop takes 0.2 s on an idle devnet, and longer with what is read and given back: 5 s
# with 2 000 transactions that wait, 2.3 s with 100 000 slots of storage (tried).
DROP_EVERY: Final = 512

Quiet = Callable[[], AbstractContextManager[None]]


class Pruning:
    """Of one node, which only `rpc` and whoever `quiet` holds back may use meanwhile.

    `kept` is told what is gone. When a drop fails the node may be half of what it was: `quiet` is
    then left with that error, and nobody may ask the node any more.
    """

    def __init__(self, rpc: Rpc, block_seconds: int, kept: Kept, quiet: Quiet) -> None:
        self._rpc, self._block_seconds = rpc, block_seconds
        self._pool = Pool(rpc)
        self._kept, self._quiet = kept, quiet
        self._failed: DropFailed | None = None
        self._said_late = False

    @property
    def first(self) -> int:
        """The oldest block that the node has, beside block 0; 0 while it has all."""
        return self._kept.first

    def saw(self, head: Block) -> None:
        """The chain goes up to this block at least."""
        self._kept.head = head.number

    def due(self, head: int) -> bool:
        """Whether the node has that many blocks more than it must keep."""
        return self._spare(head) >= DROP_EVERY

    def _spare(self, head: int) -> int:
        return head - max(self._kept.first, 1) + 1 - KEPT_BLOCKS

    def drop(self, head: Block) -> Foreign | None:
        """All but the last KEPT_BLOCKS up to this head, when due; nobody has read beyond it.

        Gives what became of transactions that waited, where the node takes some not again. Does
        nothing while the chain has gone on from `head` already, and while more gas is ready than a
        block has, in an order that nobody could tell; where that lasts it is said, once. Raises
        DropFailed where the node refuses, breaks off, or is another afterwards; and again whenever
        it is asked to go on.
        """
        if self._failed is not None:
            raise self._failed
        if not self.due(head.number):
            return None
        with deferred():
            try:
                with self._quiet(), self._rpc.alone():
                    return self._dropped(head)
            except DropFailed as failed:
                self._failed = failed
                raise
            finally:
                give_back()

    def _dropped(self, head: Block) -> Foreign | None:
        first = head.number - KEPT_BLOCKS + 1
        with _named(first):
            before = self._look()
            if read_block(before[0]) != head:
                return None
            found = self._pool.raws()
            if found is None:
                return self._postponed(head)
            waiting, refusals = self._renew(first, found)
            self._said_late = False
            after = self._look()
            if before != after:
                raise ChainError(
                    f"the chain is not what it was: {before} before, {after} afterwards"
                )
            return self._told(head, waiting, refusals)

    def _postponed(self, head: Block) -> Foreign | None:
        if self._said_late or self._spare(head.number) < 2 * DROP_EVERY:
            return None
        self._said_late = True
        return postponed_drop(head, self._spare(head.number) - DROP_EVERY)

    def _renew(
        self, first: int, found: Sequence[bytes]
    ) -> tuple[Sequence[bytes], Sequence[Refusal]]:
        """What waited, `found` before, and those of it that the node takes not again."""
        dump = gzip.decompress(bytes.fromhex(self._rpc.call("anvil_dumpState")[2:]))
        rest, gone = trimmed(dump.decode(), first)
        load = gzip.compress(rest.encode(), 1)
        del dump, rest
        snapshot = self._rpc.call("evm_snapshot")
        # A request that was cut may be under way within the node still, and land until now.
        waiting = self._pool.again(found)
        self._rpc.call("anvil_reset")
        self._rpc.call("anvil_loadState", "0x" + load.hex())
        if self._rpc.call("evm_revert", snapshot) is not True:
            raise ChainError(f"the chain lost its snapshot {snapshot}")
        self._rpc.call("anvil_setBlockTimestampInterval", self._block_seconds)
        refusals = self._pool.offer(waiting)
        self._kept.drop(first, gone)
        return waiting, refusals

    def _told(
        self, head: Block, waiting: Sequence[bytes], refusals: Sequence[Refusal]
    ) -> Foreign | None:
        reasons = {refusal.transaction: refusal.reason for refusal in refusals}
        lost = self._pool.missing(waiting)
        if not lost:
            return None
        return lost_transactions(head, {item: reasons.get(item, "") for item in lost})

    def _look(self) -> tuple[Any, str]:
        """The head and the state's root: all that the next block depends on beside the pool."""
        answers = self._rpc.batch([("eth_getBlockByNumber", ("latest", True)), PROOF])
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        head, proof = answers
        return head, root_of(proof)


# What an answer that nobody expects leads to.
_UNEXPECTED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_NO_DUMP: Final = (EOFError, OSError, RecursionError, zlib.error)


@contextmanager
def _named(first: int) -> Iterator[None]:
    try:
        yield
    except (ChainError, *_UNEXPECTED, *_NO_DUMP) as error:
        raise DropFailed(first, f"{type(error).__name__}: {error}") from error
