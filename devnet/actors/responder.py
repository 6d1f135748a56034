"""The oracle node behind Chainlink's Operator: answers what consumers ask about the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devnet.actors.actor import Actor
from devnet.actors.messages import ChainEvent, FeedRead
from devnet.actors.operations import Operation, ReadFeed, Send
from devnet.actors.view import View
from devnet.protocol.cbor import decode_pairs
from devnet.spec.feeds import UTILIZATION_FEED

WAD = 10**18
MOST_TIMES = 2**192  # below it no utilization makes an answer that a word does not hold
RETRY_SECONDS = 3600  # where no oracle node is up


class Responder(Actor):
    """Reads each `OracleRequest` of the job it serves, then the source, then fulfils it.

    The first oracle node that sees the source answers; a request it cannot read stays open, and
    its requester may cancel it. The answer to {get: utilization, times: n} is floor(u * n).
    """

    def __init__(self, job: bytes) -> None:
        super().__init__("responder")
        self._job = job
        self._open: list[tuple[Mapping[str, Any], int]] = []  # the event, its `times`
        self._asked = False
        self._due: int | None = None

    def due(self) -> int | None:
        return self._due

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        operations: list[Operation] = []
        for message in messages:
            match message:
                case ChainEvent() if message.event.name == "OracleRequest":
                    self._take(message.event.args)
                case FeedRead():
                    operations += self._answer(view, message)
                case _:
                    operations += self.otherwise(message)
        waiting = self._due is not None and view.now < self._due
        if self._open and not self._asked and not waiting:
            self._asked, self._due = True, None
            operations.append(ReadFeed(UTILIZATION_FEED))
        return operations

    def _take(self, asked: Mapping[str, Any]) -> None:
        if asked["specId"] != self._job:
            return
        try:
            question = decode_pairs(asked["data"])
        except ValueError:
            return  # nobody knows what was asked
        times = question.get("times", 1)
        if question.get("get") != "utilization" or not isinstance(times, int):
            return
        if times < MOST_TIMES:
            self._open.append((asked, times))

    def _answer(self, view: View, read: FeedRead) -> list[Operation]:
        self._asked = False
        if not read.observations:
            self._due = view.now + RETRY_SECONDS
            return []
        node, utilization = read.observations[0]
        answered, self._open = self._open, []
        return [
            Send(
                node,
                "Operator",
                "fulfillOracleRequest2",
                (
                    *(asked["requestId"], asked["payment"], asked["callbackAddr"]),
                    *(asked["callbackFunctionId"], asked["cancelExpiration"]),
                    # The first word of an answer is the request's id.
                    asked["requestId"] + (utilization * times // WAD).to_bytes(32, "big"),
                ),
            )
            for asked, times in answered
        ]
