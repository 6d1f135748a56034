"""The chain as the devnet drives it: explicit blocks, each its parent plus `block_seconds`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from devnet.chain.anvil import BLOCK_GAS_LIMIT
from devnet.chain.block import Block, MinedBlock, read_block
from devnet.chain.errors import (
    BlockDiffers,
    BlockTooFull,
    ForeignState,
    Reverted,
    TransactionRefused,
)
from devnet.chain.foreign import (
    PROOF,
    Foreign,
    changed_chain_id,
    changed_state,
    foreign_blocks,
    oddities,
    root_of,
)
from devnet.chain.frames import MOST_TRACE_BYTES, Frame, read_frame
from devnet.chain.nonces import NonceLanes
from devnet.chain.pool import Pool
from devnet.chain.pruning import Pruning
from devnet.chain.reading import error_data, read_head, read_mined, result, returned
from devnet.chain.rpc import Rpc
from devnet.chain.transaction import DEVNET_CHAIN_ID, read_raw, transaction_hash

CALL_BATCH: Final = 32  # each call of one has a thread of anvil's, and its stack, for 10 s
# One request each: a thousand blocks stay within a request's time limit on a large state too.
EMPTY_PIECE: Final = 1_000

Observer = Callable[[MinedBlock], None]


class Chain:
    """Drives one anvil; safe to share between threads, each block is mined under one lock.

    `observers` are called with every MinedBlock in order, by the thread that mines it. `foreign` is
    what others did to the chain, as far as `catch_up`, `include` and `advance` have noticed. With
    `pruning` old blocks leave the node; without it every block can be read as long as it runs.
    """

    def __init__(
        self,
        rpc: Rpc,
        block_seconds: int,
        *,
        chain_id: int = DEVNET_CHAIN_ID,
        pruning: Pruning | None = None,
    ) -> None:
        self.rpc = rpc
        self._pruning = pruning
        self.pool = Pool(rpc)
        self.block_seconds = block_seconds
        self.chain_id = chain_id
        self.observers: list[Observer] = []
        self.foreign: list[Foreign] = []
        self._seen_id = chain_id  # what it was last said to be
        self._lock = threading.RLock()
        self._head: Block
        self._root: str  # of the state as it is, which is the head's until somebody changes it
        self._set_head(read_head(self.rpc))

    def prepare(self) -> Block:
        """Set the clock's rule and mine block 1, since calls at genesis see another time."""
        with self._lock:
            self._set_clock()
            if self.head.number == 0:
                self.mine(())
            return self._head

    # Reading

    @property
    def head(self) -> Block:
        """The last block mined here."""
        return self._head

    def refresh(self) -> Block:
        """Read the head again, after somebody else mined."""
        with self._lock:
            self._set_head(read_head(self.rpc))
            return self._head

    def call(self, to: str, data: bytes, sender: str | None = None) -> bytes:
        """What the contract returns at the latest block; raises Reverted with its error."""
        result = self.calls([(to, data)], sender=sender)[0]
        if isinstance(result, Reverted):
            raise result
        return result

    def calls(
        self, calls: Sequence[tuple[str, bytes]], sender: str | None = None
    ) -> list[bytes | Reverted]:
        """Many calls at the latest block, in the order given."""
        requests: list[tuple[str, Sequence[object]]] = []
        for to, data in calls:
            request = {"to": to, "data": "0x" + data.hex()}
            if sender is not None:
                request["from"] = sender
            requests.append(("eth_call", (request, "latest")))
        results: list[bytes | Reverted] = []
        for start in range(0, len(requests), CALL_BATCH):
            results += map(returned, self.rpc.batch(requests[start : start + CALL_BATCH]))
        return results

    def balance(self, address: str) -> int:
        """ETH of an account, wei."""
        return int(self.rpc.call("eth_getBalance", address, "latest"), 16)

    def nonce(self, address: str) -> int:
        """The next nonce of an account by mined transactions."""
        return int(self.rpc.call("eth_getTransactionCount", address, "latest"), 16)

    def code(self, address: str) -> bytes:
        """A contract's deployed code, empty for an account."""
        return bytes.fromhex(self.rpc.call("eth_getCode", address, "latest")[2:])

    @property
    def first(self) -> int:
        """The oldest block that the node has, beside block 0."""
        return self._pruning.first if self._pruning is not None else 0

    def block(self, number: int) -> Block | None:
        """A block's header, None above the head and before `first`."""
        document = self.rpc.call("eth_getBlockByNumber", hex(number), False)
        return read_block(document) if document else None

    def block_hash(self, number: int) -> str | None:
        """A block's hash, None above the head and before `first`."""
        block = self.block(number)
        return block.hash if block else None

    def nonce_lanes(self) -> NonceLanes:
        """Nonces counted here, starting at the chain's."""
        return NonceLanes(self.nonce)

    def revert_data(self, transaction: str) -> bytes:
        """The error data of a mined transaction that failed; empty when it ran out of gas."""
        return self.revert_datas([transaction])[0]

    def revert_datas(self, transactions: Sequence[str]) -> list[bytes]:
        """The error data of many, in the order given."""
        # The trace anvil kept while mining: a hundred times faster than debug_traceTransaction,
        # and the only one left once history is pruned (tried).
        traces: list[object] = []
        for start in range(0, len(transactions), CALL_BATCH):
            piece = transactions[start : start + CALL_BATCH]
            traces += self.rpc.batch([("trace_transaction", (item,)) for item in piece])
        return [error_data(trace) for trace in traces]

    def frames(self, transaction: str) -> Iterator[Frame]:
        """What a mined transaction called, itself first. Raises RpcError, AnswerTooLong."""
        answer = self.rpc.call("trace_transaction", transaction, most_bytes=MOST_TRACE_BYTES)
        return map(read_frame, answer)

    # Mining

    def mine(self, raw: Sequence[bytes]) -> MinedBlock:
        """One block of these signed transactions in this order, after what the pool holds already.

        Up to a thousand is best: anvil takes 0.2 s for the receipts of a thousand, 3 s for four
        thousand (tried).
        Raises TransactionRefused when the pool takes one of them not, BlockTooFull when their gas
        limits exceed the block's (in both cases nothing is mined), BlockDiffers when the block
        breaks the clock's rule or leaves one of them out.
        """
        raw = tuple(raw)
        gas = sum(read_raw(item).gas for item in raw)
        if gas > BLOCK_GAS_LIMIT:
            raise BlockTooFull(gas, BLOCK_GAS_LIMIT)
        hashes = tuple(transaction_hash(item) for item in raw)
        with self._lock:
            self._prune()
            self._send(raw, hashes)
            self.rpc.call("evm_mine")
            mined = self._collect(dict(zip(hashes, raw, strict=True)), hashes)
            self._check_sent(mined)
            self._tell(mined)
            return mined

    def advance(self, blocks: int, *, in_parts: bool = False) -> tuple[MinedBlock, ...]:
        """Mine empty blocks, each its parent plus `block_seconds`.

        Transactions waiting in the pool get the first block to themselves; the run of empty
        blocks that follows is one value. What others send or mine meanwhile has its own.

        Until the caller has looked at those no old blocks are dropped. With `in_parts` there may
        be fewer blocks than asked for, EMPTY_PIECE at least: once it has looked, it goes on.
        """
        with self._lock:
            whole = blocks
            mined: list[MinedBlock] = []
            if blocks > 0 and int(self.rpc.call("txpool_status")["pending"], 16):
                mined += self.include({})
                blocks -= 1
            run = 0
            while blocks > 0:
                if not mined:  # whose transactions the caller has yet to look up
                    self._prune()
                elif in_parts and whole - blocks >= EMPTY_PIECE:
                    break
                piece = min(EMPTY_PIECE, blocks)
                blocks -= piece
                self.rpc.call("anvil_mine", hex(piece))
                head = read_head(self.rpc)
                if self._is_empty_run(head, piece):
                    self._set_head(head)
                    run += piece
                    continue
                mined += self._told_run(run)
                mined += self._follow(head.number, due=piece)
                run = 0
            return (*mined, *self._told_run(run))

    def _is_empty_run(self, head: Block, blocks: int) -> bool:
        parent = self._head
        due = (parent.number + blocks, parent.timestamp + blocks * self.block_seconds)
        if (head.number, head.timestamp) != due or parent.base_fee or head.base_fee:
            return False
        # A transaction would have changed the state: its sender's nonce at least.
        return head.state_root == self._root

    def _told_run(self, run: int) -> tuple[MinedBlock, ...]:
        if not run:
            return ()
        mined = MinedBlock(self._head, run=run)
        self._tell(mined)
        return (mined,)

    # With others on the chain

    def catch_up(self) -> tuple[MinedBlock, ...]:
        """What others have mined since the head; what else they did is noted in `foreign`.

        Raises ForeignState where the head is no block of the chain any more.
        """
        with self._lock:
            latest, root = self._look()
            mined = self._follow(latest.number, due=0) if latest != self._head else ()
            if root != self._root:
                latest, root = self._look()  # a block between the answers looks the same
            if root != self._root and latest == self._head:
                self.note(changed_state(latest, root))
                self._root = root
            return mined

    def include(self, known: Mapping[str, bytes]) -> tuple[MinedBlock, ...]:
        """One block of whatever the pool holds, and what others mined at the same moment.

        `known` are raw transactions by their hashes, which so need not be asked for.
        """
        with self._lock:
            self._prune()
            self.rpc.call("evm_mine")
            mined = read_mined(self.rpc, "latest", known)
            if mined.block.parent != self._head.hash:
                return self._follow(mined.block.number, due=1)
            self._take(mined)
            return (mined,)

    def _look(self) -> tuple[Block, str]:
        """The latest block and the state's root; raises ForeignState."""
        answers = self.rpc.batch(
            [
                ("eth_getBlockByNumber", ("latest", False)),
                ("eth_getBlockByNumber", (hex(self._head.number), False)),
                PROOF,
                ("eth_chainId", ()),
            ]
        )
        document, ours, proof, seen_id = map(result, answers)
        latest = read_block(document)
        if ours is None or read_block(ours) != self._head:
            raise ForeignState(
                self._head.number,
                f"block {self._head.number} {self._head.hash} is not on the chain any more, which "
                f"is at block {latest.number} {latest.hash} (as after evm_revert or anvil_reset)",
            )
        if int(seen_id, 16) != self._seen_id:
            self._seen_id = int(seen_id, 16)
            self.note(changed_chain_id(latest, self.chain_id, self._seen_id))
        return latest, root_of(proof)

    def _follow(self, number: int, *, due: int) -> tuple[MinedBlock, ...]:
        """Every block up to this one, of which the devnet itself mined `due`."""
        first = self._head.number + 1
        found: list[MinedBlock] = []
        for place in range(first, number + 1):
            mined = read_mined(self.rpc, hex(place), {})
            if mined.block.parent != self._head.hash:
                break
            self._take(mined)
            found.append(mined)
        self._look()  # raises where the chain does not go on from the head
        if len(found) != due:
            self.note(foreign_blocks(first, number, due))
        return tuple(found)

    def _take(self, mined: MinedBlock) -> None:
        for oddity in oddities(self._head, self._root, mined, self.block_seconds):
            self.note(oddity)
            self._set_clock()
        self._set_head(mined.block)
        self._tell(mined)

    def note(self, foreign: Foreign) -> None:
        """Add to `foreign`, once."""
        if foreign not in self.foreign:
            self.foreign.append(foreign)

    def _set_clock(self) -> None:
        self.rpc.call("anvil_setBlockTimestampInterval", self.block_seconds)

    def _set_head(self, block: Block) -> None:
        self._head, self._root = block, block.state_root
        if self._pruning is not None:
            self._pruning.saw(block)

    def snapshot(self) -> str:
        """An identity to `revert` to, once."""
        with self._lock:
            return str(self.rpc.call("evm_snapshot"))

    def revert(self, snapshot: str) -> Block:
        """Back to the snapshot; the next block is again its parent plus `block_seconds`."""
        with self._lock:
            if self.rpc.call("evm_revert", snapshot) is not True:
                raise BlockDiffers(f"the chain has no snapshot {snapshot}")
            self._set_head(read_head(self.rpc))
            # Without it the next block may repeat its parent's time.
            following = self._head.timestamp + self.block_seconds
            self.rpc.call("evm_setNextBlockTimestamp", following)
            return self._head

    def _send(self, raw: Sequence[bytes], hashes: Sequence[str]) -> None:
        refusals = self.pool.offer(raw)
        if refusals:
            refused = {refusal.transaction for refusal in refusals}
            self.pool.drop(item for item in hashes if item not in refused)
            raise TransactionRefused(refusals)

    def _collect(self, known: Mapping[str, bytes], sent: tuple[str, ...]) -> MinedBlock:
        mined = read_mined(self.rpc, "latest", known)
        self._check_clock(mined.block)
        self._set_head(mined.block)
        return replace(mined, sent_hashes=sent)

    def _check_clock(self, head: Block) -> None:
        parent = self._head
        number, time = parent.number + 1, parent.timestamp + self.block_seconds
        if (head.number, head.timestamp) != (number, time):
            self._set_head(head)
            raise BlockDiffers(
                f"block {head.number} at {head.timestamp} where block {number} at {time} was due",
                hint="only the devnet itself may mine on its chain",
            )

    def _check_sent(self, mined: MinedBlock) -> None:
        ours = set(mined.sent_hashes)
        in_block = tuple(receipt.hash for receipt in mined.receipts if receipt.hash in ours)
        if in_block == mined.sent_hashes:
            return
        missing = [item for item in mined.sent_hashes if item not in set(in_block)]
        self.pool.drop(missing)
        what = f"leaves out {', '.join(missing)}" if missing else "has another order than was sent"
        raise BlockDiffers(
            f"block {mined.block.number} {what}",
            hint="a nonce above the account's next one waits in the pool",
        )

    def _prune(self) -> None:
        """At a moment when nothing up to the head is to be read any more."""
        if self._pruning is None:
            return
        lost = self._pruning.drop(self._head)
        if lost is not None:
            self.note(lost)

    def _tell(self, mined: MinedBlock) -> None:
        for observer in self.observers:
            observer(mined)
