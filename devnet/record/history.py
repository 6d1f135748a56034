"""The run's history: every operation with its invocation and its outcome, before any judgement.

An operation without a completion line is one whose outcome is unknown (the run was cut short);
it stays unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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


# Events that happen now and then, whose every one is asked for as long as a devnet runs.
REMEMBERED: Final = frozenset(
    {
        "Appealed",
        "Claimed",
        "ClaimedAll",
        "Finalized",
        "IncidentExecuted",
        "IncidentOverturned",
        "IncidentReported",
        "OrderCreated",
        "PoolCreated",
        "Staked",
    }
)
# Events that never end, of which the last is asked for: by the argument that says whose.
LATEST: Final = {"Published": "node", "UsageReported": "id"}


class History:
    """Appends to the run's folder; in memory it keeps only what is asked for while the run goes.

    A devnet may stay for weeks: of all other events there is a count here and a line on the disk.
    `events` are those of the names in `remembers`, in order; `sent` counts transactions by sender.
    """

    def __init__(self, folder: RunFolder, remembers: Iterable[str] = REMEMBERED) -> None:
        self._folder = folder
        self._remembers = frozenset(remembers)
        self.events: list[Seen] = []
        self.counts: Counter[str] = Counter()  # of all events, by name
        self.sent: Counter[str] = Counter()
        self._latest: dict[tuple[str, object], Seen] = {}
        self._last_calls: dict[tuple[str, str], Mapping[str, Any]] = {}

    def named(self, name: str) -> list[Seen]:
        """Every event of that name so far. Raises LookupError for one that is only counted."""
        if name not in self._remembers:
            raise LookupError(f"{name} events are counted, not remembered")
        return [seen for seen in self.events if seen.event.name == name]

    def latest(self, name: str, whose: object) -> Seen | None:
        """The last event of a name in LATEST, None before the first."""
        return self._latest.get((name, whose))

    def last_call(self, contract: str, function: str) -> Mapping[str, Any] | None:
        """The arguments of the last accepted call, whoever made it; None where there was none."""
        return self._last_calls.get((contract, function))

    # The scheduler's journal

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

    # Blocks

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
        for transaction in observed:
            self.sent[transaction.sender] += 1
            for call in transaction.calls:
                if call.ok:
                    self._last_calls[call.contract, call.function] = call.args
            for event in transaction.events:
                seen = Seen(block.number, block.timestamp, transaction.hash, event)
                self._keep(seen)
                self._folder.line("events.jsonl", _event_line(seen))

    def _keep(self, seen: Seen) -> None:
        name = seen.event.name
        self.counts[name] += 1
        if name in self._remembers:
            self.events.append(seen)
        if name in LATEST:
            self._latest[name, seen.event.args[LATEST[name]]] = seen


def _event_line(seen: Seen) -> dict[str, Any]:
    return {
        "block": seen.block,
        "timestamp": seen.timestamp,
        "transaction": seen.transaction,
        "contract": seen.event.contract,
        "name": seen.event.name,
        "args": plain(seen.event.args),
    }
