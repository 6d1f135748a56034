"""A run's chain built once more from its bundle, every block compared with the recorded one.

A block's hash covers its parent, its time, its transactions and all state behind them, so equal
hashes mean that the whole run is what the bundle says it is.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devnet.base.errors import ReplayDiverged
from devnet.base.telling import Passing
from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Block, Rpc, RpcError, transaction_hash
from devnet.chain.chain import EMPTY_PIECE
from devnet.chain.pool import SEND_BATCH
from devnet.record.bundle import Bundle, NotABundle, RecordedBlock, RecordedTransaction, open_bundle
from devnet.record.outsiders import foreign_in

# How many lines are mined before their blocks are read back and compared, in one request each.
COMPARE_EVERY: Final = 50
_PROGRESS_SECONDS: Final = 2.0
_OUTSIDE: Final = (
    "no transaction does what somebody did to this chain from outside, so no fresh chain comes to "
    "the same; everything before that block was reproduced"
)
_UNSANDBOXED: Final = (
    "its workloads ran unsandboxed: what they did and measured was held by nothing but their user"
)
_CUT_SHORT: Final = "cut short"
_NUMBER_LIMIT: Final = 1 << 63


class BlockDiverged(ReplayDiverged):
    """A block that does not come out as recorded.

    `transaction` is its place in the block, None where the block as a whole differs; `recorded`
    and `recomputed` are what differs, usually hashes.
    """

    def __init__(
        self,
        what: str,
        block: int,
        *,
        recorded: str,
        recomputed: str,
        transaction: int | None = None,
        transaction_hash: str = "",
        foreign: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        where = f"block {block}"
        if transaction is not None:
            where += f", transaction {transaction} ({transaction_hash})"
        causes = "".join(f"\n  foreign state at block {f['block']}: {f['seen']}" for f in foreign)
        hint = "everything before this block was reproduced; what follows is not what was run"
        super().__init__(
            f"the replay diverged at {where}: {what}\n"
            f"  recorded    {recorded}\n  recomputed  {recomputed}{causes}",
            hint=_OUTSIDE if foreign else hint,
        )
        self.what = what
        self.block, self.transaction, self.transaction_hash = block, transaction, transaction_hash
        self.recorded, self.recomputed = recorded, recomputed

    def because(self, foreign: Sequence[Mapping[str, Any]]) -> BlockDiverged:
        """The same, with what somebody did to the chain from outside."""
        return BlockDiverged(
            self.what,
            self.block,
            recorded=self.recorded,
            recomputed=self.recomputed,
            transaction=self.transaction,
            transaction_hash=self.transaction_hash,
            foreign=foreign,
        )


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """The part of `genesis.json` that the blocks depend on; times in seconds."""

    genesis_timestamp: int
    chain_id: int
    block_seconds: int
    mnemonic: str
    accounts: int
    prune_history: bool

    @classmethod
    def read(cls, bundle: Bundle) -> ChainSettings:
        """Raises NotABundle when the file or one of its values is missing."""
        chain = bundle.genesis.get("chain")
        if not isinstance(chain, Mapping):
            raise NotABundle(f"{bundle.path}: genesis.json is missing or says nothing of the chain")
        return cls(
            genesis_timestamp=_number(bundle, chain, "genesis_timestamp"),
            chain_id=_number(bundle, chain, "chain_id"),
            block_seconds=_number(bundle, chain, "block_seconds"),
            mnemonic=str(chain.get("mnemonic", "")),
            accounts=_number(bundle, chain, "accounts"),
            prune_history=bool(chain.get("prune_history", False)),
        )


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What was reproduced, all of it equal to the record."""

    blocks: int
    transactions: int
    last_block: Block
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What `devnet replay --json` prints."""
        return {
            "verdict": "equal",
            "blocks": self.blocks,
            "transactions": self.transactions,
            "last_block": {"number": self.last_block.number, "hash": self.last_block.hash},
            "seconds": round(self.seconds, 3),
        }


def replay(
    bundle_path: Path, toolchain: Toolchain, say: Callable[[str], None] = lambda line: None
) -> ReplayResult:
    """Execute every recorded block on a fresh chain and compare number, time and hash.

    Raises BlockDiverged at the first difference, BundleAltered for a file that is not the
    manifest's, NotABundle for what cannot be read, AnvilFailed when no chain can be started.
    """
    started = time.monotonic()
    with open_bundle(bundle_path) as bundle, tempfile.TemporaryDirectory() as folder:
        settings = ChainSettings.read(bundle)
        with (
            Anvil(
                toolchain.anvil(),
                genesis_timestamp=settings.genesis_timestamp,
                folder=Path(folder),
                mnemonic=settings.mnemonic,
                accounts=settings.accounts,
                prune_history=settings.prune_history,
                chain_id=settings.chain_id,
            ) as anvil,
            Rpc(anvil.url) as rpc,
        ):
            execution = Execution(rpc, settings, say)
            try:
                for block in bundle.blocks():
                    execution.execute(block)
                execution.compare()
            except BlockDiverged as diverged:
                foreign = [f for f in foreign_in(bundle.inputs()) if not f["replays"]]
                raise diverged.because(foreign) if foreign else diverged from None
        _check_end(bundle, execution, say)
        for note in bundle.notes:
            say(note)
        if bundle.manifest.get("unsandboxed"):
            say(_UNSANDBOXED)
    return ReplayResult(
        execution.head.number, execution.transactions, execution.head, time.monotonic() - started
    )


class Execution:
    """Mines what it is given; `head` is the last line given, compared by the next `compare`."""

    def __init__(self, rpc: Rpc, settings: ChainSettings, say: Callable[[str], None]) -> None:
        self.head = Block(0, settings.genesis_timestamp, "")
        self.transactions = 0
        self._rpc, self._settings, self._say = rpc, settings, say
        self._pending: list[RecordedBlock] = []
        self._empty = 0  # blocks recorded and not mined yet: a run of them is one request
        self._next_progress = time.monotonic() + _PROGRESS_SECONDS
        rpc.call("anvil_setBlockTimestampInterval", settings.block_seconds)

    def execute(self, block: RecordedBlock) -> None:
        """Mine one line of the record, in order; raises BlockDiverged."""
        try:
            self._check_place(block)
            self._check_bytes(block)
        except BlockDiverged:
            self.compare()  # an earlier block may differ already: the first one is named
            raise
        if block.transactions:
            self._mine_empty()
            self._send(block)
            self._rpc.call("evm_mine")
        else:
            self._empty += block.run
        self._pending.append(block)
        self.head = Block(block.number, block.timestamp, block.hash)
        self.transactions += len(block.transactions)
        if len(self._pending) >= COMPARE_EVERY:
            self.compare()

    def compare(self) -> None:
        """Read back what was mined since the last time; raises BlockDiverged at the first."""
        self._mine_empty()
        pending, self._pending = self._pending, []
        answers = self._rpc.batch(
            [("eth_getBlockByNumber", (hex(block.number), False)) for block in pending]
        )
        for block, answer in zip(pending, answers, strict=True):
            if isinstance(answer, RpcError):
                raise answer
            _compare(block, answer)
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + _PROGRESS_SECONDS
            done = f"block {self.head.number}, {self.transactions} transactions"
            self._say(Passing(f"{done}: equal so far"))

    def _check_place(self, block: RecordedBlock) -> None:
        # Before anything is mined: a forged run length would mine for ever.
        number = self.head.number + block.run
        if block.number != number:
            raise BlockDiverged(
                f"after block {self.head.number} a line of {block.run} ends at {number}",
                block.number,
                recorded=f"number {block.number}",
                recomputed=f"number {number}",
            )
        timestamp = self.head.timestamp + block.run * self._settings.block_seconds
        if block.timestamp != timestamp:
            raise BlockDiverged(
                "it has another time",
                block.number,
                recorded=f"time {block.timestamp}",
                recomputed=f"time {timestamp}",
            )

    @staticmethod
    def _check_bytes(block: RecordedBlock) -> None:
        for place, item in enumerate(block.transactions):
            found = transaction_hash(item.raw)
            if found != item.hash:
                raise BlockDiverged(
                    "its bytes are not those that were mined",
                    block.number,
                    recorded=item.hash,
                    recomputed=found,
                    transaction=place,
                    transaction_hash=item.hash,
                )

    def _mine_empty(self) -> None:
        while self._empty:
            piece = min(EMPTY_PIECE, self._empty)
            self._rpc.call("anvil_mine", hex(piece))
            self._empty -= piece

    def _send(self, block: RecordedBlock) -> None:
        items = block.transactions
        for start in range(0, len(items), SEND_BATCH):
            piece = items[start : start + SEND_BATCH]
            answers = self._rpc.batch(
                [("eth_sendRawTransaction", ("0x" + item.raw.hex(),)) for item in piece]
            )
            for place, (item, answer) in enumerate(zip(piece, answers, strict=True), start=start):
                if isinstance(answer, RpcError):
                    self.compare()
                    raise _refused(block, place, item, answer)


def _refused(
    block: RecordedBlock, place: int, item: RecordedTransaction, refusal: RpcError
) -> BlockDiverged:
    return BlockDiverged(
        "the chain refuses it",
        block.number,
        recorded=f"mined in block {block.number} {block.hash}",
        recomputed=f"refused: {refusal.text}",
        transaction=place,
        transaction_hash=item.hash,
    )


def _compare(block: RecordedBlock, answer: Mapping[str, Any] | None) -> None:
    if answer is None:
        raise BlockDiverged(
            "it does not exist", block.number, recorded=block.hash, recomputed="no such block"
        )
    timestamp = int(answer["timestamp"], 16)
    if timestamp != block.timestamp:
        raise BlockDiverged(
            "it has another time",
            block.number,
            recorded=f"time {block.timestamp}",
            recomputed=f"time {timestamp}",
        )
    _compare_transactions(block, answer["transactions"])
    if answer["hash"] != block.hash:
        raise BlockDiverged(
            f"its {len(block.transactions)} transactions leave another state"
            if block.transactions
            else "it is another block",
            block.number,
            recorded=block.hash,
            recomputed=answer["hash"],
        )


def _compare_transactions(block: RecordedBlock, mined: Sequence[str]) -> None:
    recorded = [item.hash for item in block.transactions]
    for place, item in enumerate(recorded):
        found = mined[place] if place < len(mined) else "not in the block"
        if found != item:
            raise BlockDiverged(
                "another transaction stands in its place",
                block.number,
                recorded=item,
                recomputed=found,
                transaction=place,
                transaction_hash=item,
            )


def _check_end(bundle: Bundle, execution: Execution, say: Callable[[str], None]) -> None:
    head, last = execution.head, _last_block(bundle)
    if head.number == 0 and not last.hash:
        raise NotABundle(f"{bundle.path}: no block was recorded, so there is nothing to replay")
    if not last.hash or (last.number, last.hash) == (head.number, head.hash):
        return
    if bundle.manifest.get("verdict") == _CUT_SHORT and last.number > head.number:
        say(f"the run was cut short in block {last.number}; the record ends at {head.number}")
        return
    raise BlockDiverged(
        f"the record ends at block {head.number}, the manifest's last is {last.number}",
        last.number,
        recorded=last.hash,
        recomputed=head.hash if head.number == last.number else "no such block",
    )


def _last_block(bundle: Bundle) -> Block:
    """What the manifest calls the last block; without a hash where it says nothing."""
    last = bundle.manifest.get("last_block")
    if not isinstance(last, Mapping):
        return Block(0, 0, "")
    return Block(
        _number(bundle, last, "number", "manifest.json: last_block"), 0, str(last.get("hash", ""))
    )


def _number(
    bundle: Bundle, values: Mapping[str, Any], key: str, where: str = "genesis.json: chain"
) -> int:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _NUMBER_LIMIT:
        raise NotABundle(f"{bundle.path}: {where}.{key} is {value!r}")
    return value
