"""The portal: where clients and nodes that are no actors of the devnet meet its gatekeepers.

What they ask for enters as messages from outside, recorded like any other; what actors tell them
(`Forwarded`) is laid out at the `Desk`, from where `devnet.actors.door` hands it over.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from devnet.actors.actor import Actor
from devnet.actors.messages import (
    AdmissionRefused,
    Admitted,
    ClusterSeen,
    Forwarded,
    InvocationServed,
    MeasureFailed,
    ResultFetched,
    ResultSigned,
)
from devnet.actors.operations import FetchResult, Operation, Send
from devnet.actors.view import PORTAL, TREASURY, View, is_guest

Key = tuple[str, str | int]


@dataclass(frozen=True, slots=True)
class Grant:
    """KOMP the treasury gives an outside account at the start, wei."""

    address: str
    amount_wei: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Gatekeepers would not; `reason` is theirs."""

    reason: str


Answer = Mapping[str, Any] | Refused


class Desk:
    """Answers by what was asked for; any thread."""

    def __init__(self) -> None:
        self._places: dict[Key, Future[Answer]] = {}
        self._lock = threading.Lock()

    def place(self, key: Key) -> Future[Answer]:
        """Where the answer to `key` will lie."""
        with self._lock:
            return self._places.setdefault(key, Future())

    def give(self, key: Key, answer: Answer, *, keep: bool = False) -> None:
        """Lay an answer out; `keep`: also one that nobody has asked for yet.

        Otherwise it is dropped, so that a late answer is not taken for that to a later question.
        """
        with self._lock:
            place = self._places.setdefault(key, Future()) if keep else self._places.get(key)
            if place is not None and not place.done():
                place.set_result(answer)

    def clear(self, key: Key) -> None:
        """Forget a question: it was answered, or nobody waits for it any more."""
        with self._lock:
            self._places.pop(key, None)


class Portal(Actor):
    """Lays out what concerns the outside, and sees to the outside's first balances."""

    def __init__(self, desk: Desk, grants: Sequence[Grant] = ()) -> None:
        super().__init__(PORTAL)
        self._desk = desk
        self._grants = tuple(grants)
        self._served: dict[int, InvocationServed] = {}

    def due(self) -> int | None:
        return 0 if self._grants else None

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        grants, self._grants = self._grants, ()
        operations: list[Operation] = [
            Send(TREASURY, "Kompute", "transfer", (grant.address, grant.amount_wei))
            for grant in grants
        ]
        for message in messages:
            match message:
                case Forwarded(message=InvocationServed() as told):
                    operations.append(FetchResult(told.invocation))
                    self._served[told.invocation] = told
                case Forwarded():
                    self._forward(message)
                case ResultFetched():
                    self._fetched(message)
                case ClusterSeen() if is_guest(message.event.subject):
                    outage = f"{message.event.kind}:{message.event.subject}"
                    self._desk.give(("outage", outage), {"at": view.now})
                case _:
                    operations += self.otherwise(message)
        return operations

    def _forward(self, forwarded: Forwarded) -> None:
        match forwarded.message:
            case Admitted() as admitted:
                document = {
                    "hardware_id": _hex(admitted.hardware_id),
                    "deadline": admitted.deadline,
                    "signatures": _hex(admitted.signatures),
                }
                self._desk.give(("admission", forwarded.to), document)
            case AdmissionRefused(reason=reason):
                self._desk.give(("admission", forwarded.to), Refused(reason))
            case ResultSigned() as signed:
                document = {
                    "result": [_hex(v) if isinstance(v, bytes) else v for v in signed.result],
                    "cycle": signed.cycle,
                    "sequence": signed.sequence,
                    "measured_block": signed.measured_block,
                    "signatures": _hex(signed.signatures),
                }
                self._desk.give(("measurement", forwarded.to), document)
            case MeasureFailed(reason=reason):
                self._desk.give(("measurement", forwarded.to), Refused(reason))
            case _:
                pass

    def _fetched(self, fetched: ResultFetched) -> None:
        served = self._served.pop(fetched.invocation)
        key = ("result", fetched.invocation)
        if fetched.output is None:
            self._desk.give(key, Refused("the store has no result"), keep=True)
            return
        document = {
            "exit_code": served.exit_code,
            "result_hash": _hex(served.result_hash),
            "output": _hex(fetched.output),
        }
        self._desk.give(key, document, keep=True)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
