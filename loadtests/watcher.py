"""One greenlet a process reads every block once, for all users: receipts and events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import gevent
from gevent.event import AsyncResult
from gevent.event import Event as Signal

from devnet.chain import Receipt
from devnet.chain.block import read_receipt
from devnet.protocol import Contracts, Event
from loadtests.rpc import LoadRpc

LOOK_SECONDS: Final = 0.03

# Which argument says whom an event is for.
EVENT_KEYS: Final = {
    "OrderAccepted": "id",
    "UsageReported": "id",
    "IncidentReported": "node",
    "IncidentExecuted": "id",
}

OnReceipt = Callable[[Receipt], None]


class Watcher:
    """Start it before the first transaction is sent; `head` is the last block it has read."""

    def __init__(self, rpc: LoadRpc, contracts: Contracts | None) -> None:
        self._rpc = rpc
        self._contracts = contracts
        self._receipts: dict[str, OnReceipt] = {}
        self._events: dict[tuple[str, object], list[Event]] = {}
        self._awaited: dict[tuple[str, object], AsyncResult] = {}
        self._next_block = Signal()
        self.head = int(rpc.call("eth_blockNumber"), 16)

    def start(self) -> gevent.Greenlet:
        """Read from now on, in a greenlet of its own."""
        return gevent.spawn(self._run)

    def on_receipt(self, transaction: str, call: OnReceipt) -> None:
        """Call `call` once the transaction is mined; from the watcher's greenlet, so briefly."""
        self._receipts[transaction] = call

    def forget(self, transaction: str) -> None:
        self._receipts.pop(transaction, None)

    def open(self) -> int:
        """How many transactions have no receipt yet."""
        return len(self._receipts)

    def event(self, name: str, key: object, limit_seconds: float) -> Event | None:
        """The next event of that name for `key`, seen already or not; None after the limit."""
        place = (name, key)
        seen = self._events.get(place)
        if seen:
            return seen.pop(0)
        awaited = self._awaited[place] = AsyncResult()
        found: Event | None = None
        try:
            found = awaited.get(timeout=limit_seconds)
        except gevent.Timeout:
            self._awaited.pop(place, None)
        return found

    def block(self, number: int, limit_seconds: float) -> bool:
        """Wait until block `number` has been read; False after the limit."""
        limit = time.monotonic() + limit_seconds
        while self.head < number and time.monotonic() < limit:
            self._next_block.wait(limit - time.monotonic())
        return self.head >= number

    def _run(self) -> None:
        while True:
            head = int(self._rpc.call("eth_blockNumber"), 16)
            for number in range(self.head + 1, head + 1):
                self._read(number)
            gevent.sleep(LOOK_SECONDS)

    def _read(self, number: int) -> None:
        for document in self._rpc.call("eth_getBlockReceipts", hex(number)):
            call = self._receipts.pop(document["transactionHash"], None)
            if call is None and self._contracts is None:
                continue
            receipt = read_receipt(document)
            if call is not None:
                call(receipt)
            if self._contracts is not None:
                for event in self._contracts.events(receipt):
                    self._see(event)
        self.head = number
        self._next_block.set()
        self._next_block.clear()

    def _see(self, event: Event) -> None:
        key = EVENT_KEYS.get(event.name)
        if key is None:
            return
        place = (event.name, event.args[key])
        awaited = self._awaited.pop(place, None)
        if awaited is not None:
            awaited.set(event)
        else:
            self._events.setdefault(place, []).append(event)
