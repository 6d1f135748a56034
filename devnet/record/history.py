"""The run's history: every operation with its invocation and its outcome, before any judgement.

An operation without a completion line is one whose outcome is unknown (the run was cut short);
it stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from devnet.chain import MinedBlock
from devnet.protocol import Event, ObservedTransaction
from devnet.record.encoding import plain
from devnet.record.folder import RunFolder


@dataclass(frozen=True, slots=True)
class Seen:
    """An event with where it happened."""

    block: int
    timestamp: int
    transaction: str
    event: Event


class History:
    """Appends to the run's folder, and keeps what checkers and the report read."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.events: list[Seen] = []
        self.transactions: list[ObservedTransaction] = []

    # --- the scheduler's journal --------------------------------------------------------------

    def invoked(self, identity: int, send: object, block: int) -> None:
        """`send` is a frozen row of account, contract, function, arguments and wish."""
        record = {"operation": identity, "type": "invoke", "block": block, **plain(send)}
        self._folder.line("history.jsonl", record | {"type": "invoke"})

    def completed(self, identity: int, observed: ObservedTransaction) -> None:
        record = {
            "operation": identity,
            "type": "ok" if observed.ok else "fail",
            "block": observed.block,
            "transaction": observed.hash,
        }
        if observed.error:
            record["error"] = observed.error
        self._folder.line("history.jsonl", record)

    def refused(self, identity: int, block: int, reason: str) -> None:
        """Of a transaction that the node did not take: it is in no block."""
        self._folder.line(
            "history.jsonl",
            {"operation": identity, "type": "fail", "block": block, "error": reason},
        )

    def told(self, block: int, to: str, message: object) -> None:
        self._folder.line("inputs.jsonl", {"block": block, "to": to, "message": plain(message)})

    # --- blocks -------------------------------------------------------------------------------

    def mined(self, mined: MinedBlock, observed: tuple[ObservedTransaction, ...]) -> None:
        block = mined.block
        record = {
            "number": block.number,
            "timestamp": block.timestamp,
            "hash": block.hash,
            "run": mined.run,  # how many blocks this line stands for, all but the last one empty
            "transactions": [
                {"hash": receipt.hash, "raw": "0x" + raw.hex()}
                for receipt, raw in zip(mined.receipts, mined.raw, strict=True)
            ],
        }
        self._folder.line("blocks.jsonl", record)
        self.transactions += observed
        for transaction in observed:
            for event in transaction.events:
                seen = Seen(block.number, block.timestamp, transaction.hash, event)
                self.events.append(seen)
                self._folder.line("events.jsonl", _event_line(seen))


def _event_line(seen: Seen) -> dict[str, Any]:
    return {
        "block": seen.block,
        "timestamp": seen.timestamp,
        "transaction": seen.transaction,
        "contract": seen.event.contract,
        "name": seen.event.name,
        "args": plain(seen.event.args),
    }
