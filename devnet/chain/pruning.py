"""Drops old blocks from the node, so that its memory stays as it is however long the chain grows.

anvil has no call for it. But a snapshot of the state outlives `anvil_reset`, so the node is reset,
gets the last blocks back, and returns to the snapshot: state, hashes within reach of BLOCKHASH,
clock and fees are then what they were, and so is every block to come (tried against a node that
keeps all).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from devnet.chain.errors import ChainError, RpcError
from devnet.chain.foreign import PROOF, root_of
from devnet.chain.kept import Kept
from devnet.chain.pool import Pool
from devnet.chain.rpc import Rpc

KEPT_BLOCKS: Final = 512  # at least; BLOCKHASH reaches 256 back, the actors no further
DROP_EVERY: Final = 512  # blocks; 0.2 s each time

_DECODER: Final = json.JSONDecoder()

Quiet = Callable[[], AbstractContextManager[None]]


class Pruning:
    """Of one node, which only `rpc` and whoever `quiet` holds back may use meanwhile."""

    def __init__(self, rpc: Rpc, block_seconds: int, kept: Kept, quiet: Quiet) -> None:
        self._rpc, self._block_seconds = rpc, block_seconds
        self._kept, self._quiet = kept, quiet

    @property
    def first(self) -> int:
        """The oldest block that the node has, beside block 0; 0 while it has all."""
        return self._kept.first

    def due(self, head: int) -> bool:
        """Whether the node has that many blocks more than it must keep."""
        return head - max(self._kept.first, 1) + 1 >= KEPT_BLOCKS + DROP_EVERY

    def drop(self) -> None:
        """All but the last KEPT_BLOCKS; raises ChainError where the node is then another."""
        with self._quiet(), self._rpc.alone():
            before = self._look()
            first = int(before[0]["number"], 16) - KEPT_BLOCKS + 1
            pool = Pool(self._rpc)
            waiting = pool.raws()
            dump = bytes.fromhex(self._rpc.call("anvil_dumpState")[2:])
            rest, gone = trimmed(gzip.decompress(dump).decode(), first)
            self._renew(rest)
            refusals = pool.offer(waiting)
            after = self._look()
            if before != after or refusals:
                raise ChainError(
                    f"the chain is not what it was after blocks before {first} were dropped: "
                    f"{before} before, {after} afterwards, {len(refusals)} transactions lost",
                    hint="`--set chain.prune_history=false` keeps all blocks",
                )
            self._kept.drop(first, gone)

    def _renew(self, dump: str) -> None:
        load = gzip.compress(dump.encode(), 1)
        snapshot = self._rpc.call("evm_snapshot")
        self._rpc.call("anvil_reset")
        self._rpc.call("anvil_loadState", "0x" + load.hex())
        if self._rpc.call("evm_revert", snapshot) is not True:
            raise ChainError(f"the chain lost its snapshot {snapshot}")
        self._rpc.call("anvil_setBlockTimestampInterval", self._block_seconds)

    def _look(self) -> tuple[Any, str, Any]:
        """The head, the state's root and what waits: all that the next block depends on."""
        answers = self._rpc.batch(
            [("eth_getBlockByNumber", ("latest", True)), PROOF, ("txpool_status", ())]
        )
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        head, proof, waiting = answers
        return head, root_of(proof), waiting


def trimmed(dump: str, first: int) -> tuple[str, list[str]]:
    """The dump with the blocks from `first` on and no accounts, and the hashes of what it lost.

    Item by item: the whole of it takes several times as much memory as its text.
    """
    text, members = _Text(dump), []
    gone: list[str] = []
    for name in text.names():
        if name == "blocks":
            value, lost = _blocks(text, first)
        elif name == "transactions":
            value, lost = _transactions(text, first)
        else:
            value, lost = text.value(), []
        gone += lost
        members.append(f"{json.dumps(name)}:{'{}' if name == 'accounts' else value}")
    return f"{{{','.join(members)}}}", gone


def _blocks(text: _Text, first: int) -> tuple[str, list[str]]:
    kept, parents = [], {}
    for block, piece in text.items():
        number = int(block["header"]["number"], 16)
        parents[number] = block["header"]["parentHash"]
        if number >= first:
            kept.append(piece)
    # A block's own hash is not in the dump; the next one names it. The node keeps block 0.
    gone = [parents[number + 1] for number in parents if 0 < number < first]
    return f"[{','.join(kept)}]", gone


def _transactions(text: _Text, first: int) -> tuple[str, list[str]]:
    kept, gone = [], []
    for row, piece in text.items():
        if row["block_number"] >= first:
            kept.append(piece)
        else:
            gone.append(row["info"]["transaction_hash"])
    return f"[{','.join(kept)}]", gone


class _Text:
    """Compact JSON of an object, read from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def names(self) -> Iterator[str]:
        """Each member's name; the caller reads its `value` or its `items` before the next."""
        while self._text[self._at] != "}":
            self._at += 1  # { or ,
            key = self._decoded()
            self._at += 1  # :
            yield key

    def value(self) -> str:
        start = self._at
        self._decoded()
        return self._text[start : self._at]

    def items(self) -> Iterator[tuple[Any, str]]:
        """Each item of a list, and its text."""
        self._at += 1
        while self._text[self._at] != "]":
            start = self._at
            item = self._decoded()
            yield item, self._text[start : self._at]
            self._at += self._text[self._at] == ","
        self._at += 1

    def _decoded(self) -> Any:
        found, self._at = _DECODER.raw_decode(self._text, self._at)
        return found
