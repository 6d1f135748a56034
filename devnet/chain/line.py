"""One WebSocket of a client, and the one to the node behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

import aiohttp
from aiohttp import web

from devnet.chain.bodies import is_answered
from devnet.chain.filters import Expected

MOST_BYTES: Final = 64 << 20  # of a request, an answer or a message; a block of blobs has 2
TOO_LONG: Final = f"the answer has more than {MOST_BYTES} bytes: ask for less at once"
# Why a WebSocket ends.
BROKEN: Final = 1011  # the server cannot go on
TRY_AGAIN_LATER: Final = 1013
_CLOSE_SECONDS: Final = 1.0
_NEWS_CHARACTERS: Final = 60  # a subscription's message names its method at once
_REASON: Final = (
    b"too slow while the chain dropped its old blocks (chain.prune_history): connect again"
)


class Line:
    """`asked` is how many messages of its client wait for an answer.

    The identities of a batch that was answered in part are the door's own while it is at the node,
    so that its answers are known and can be told with the refusals, in one array.
    """

    def __init__(
        self,
        here: web.WebSocketResponse,
        node: aiohttp.ClientWebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        self._here, self._node, self._transport = here, node, transport
        self.asked = 0
        self._name = f"door-{secrets.token_hex(8)}-"
        self._count = 0
        self._barriers: set[str] = set()
        self._split: dict[str, tuple[dict[str, Any], list[Any]]] = {}
        self._expected: dict[str, list[Expected]] = {}  # by the identity of the request

    async def pass_on(self, message: bytes) -> None:
        """Give it to the node as it is."""
        self.asked += is_answered(message)
        await self._node.send_str(message.decode(errors="replace"))

    async def pass_part(self, calls: Sequence[dict[str, Any]], answered: list[Any]) -> None:
        """Give the node a batch without the calls that were `answered`."""
        token = self._token()
        names = {f"{token}-{place}": call for place, call in enumerate(calls)}
        identities = {name: call["id"] for name, call in names.items() if "id" in call}
        for name, identity in identities.items():
            self._rename(name, identity)
            self._split[name] = (identities, answered)
        if identities:
            self.asked += 1
        else:  # to notifications no answer comes
            await self._here.send_str(json.dumps(answered))
        sent = [call | {"id": name} if name in identities else call for name, call in names.items()]
        await self._node.send_str(json.dumps(sent))

    def expect(self, expected: Expected) -> None:
        """Tell it the answer to its call, or that there is none."""
        self._expected.setdefault(json.dumps(expected.id), []).append(expected)

    def lose(self) -> None:
        """What is expected still never comes."""
        lost, self._expected = self._expected, {}
        for waiting in lost.values():
            for expected in waiting:
                expected.is_lost()

    def _take(self, identity: object) -> Expected | None:
        key = json.dumps(identity)
        waiting = self._expected.get(key)
        if not waiting:
            return None
        taken = waiting.pop(0)
        if not waiting:
            del self._expected[key]
        return taken

    def _rename(self, name: str, identity: object) -> None:
        if expected := self._take(identity):
            self.expect(replace(expected, id=name))

    def _token(self) -> str:
        self._count += 1
        return f"{self._name}{self._count}"

    def settle(self) -> Coroutine[Any, Any, None]:
        """Have the node answer once more: before that it sends all news of blocks so far."""
        barrier = self._token()
        self._barriers.add(barrier)
        self.asked += 1
        return self._ask(barrier)

    async def _ask(self, barrier: str) -> None:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await self._node.send_json(
                {"jsonrpc": "2.0", "id": barrier, "method": "net_version", "params": []}
            )

    async def cut(self) -> None:
        """Close both, and tell the client to come again."""
        self.lose()
        try:
            async with asyncio.timeout(2 * _CLOSE_SECONDS):
                await self._here.close(code=TRY_AGAIN_LATER, message=_REASON)
        except (TimeoutError, ConnectionError):
            if self._transport is not None:  # it reads nothing, not even that
                self._transport.abort()
        await self._node.close()

    async def end(self, code: int, reason: str) -> None:
        """Close the client's for another reason."""
        await self._here.close(code=code, message=reason.encode()[:120])

    async def pump(self) -> None:
        """What the node says, to the client, until one of them leaves."""
        async for message in self._node:
            if message.type is aiohttp.WSMsgType.ERROR:
                await self.end(*_reason(message.data))
            elif message.type is aiohttp.WSMsgType.TEXT:
                is_news = '"eth_subscription"' in message.data[:_NEWS_CHARACTERS]
                text = message.data if is_news else self._answer(message.data)
                if text is not None:
                    await self._here.send_str(text)
                if not is_news:
                    self.asked = max(0, self.asked - 1)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await self._here.send_bytes(message.data)
        await self._here.close()

    def _answer(self, text: str) -> str | None:
        """What the client is told of it; None for what only the door asked for."""
        if not self._expected and self._name not in text:
            return text
        document = json.loads(text)
        answers = document if isinstance(document, list) else [document]
        for answer in answers:
            if expected := self._take(answer.get("id")):
                expected.came(answer.get("result"))
        names = [str(answer.get("id")) for answer in answers]
        if self._barriers.intersection(names):
            self._barriers.difference_update(names)
            return None
        split = next((self._split[name] for name in names if name in self._split), None)
        if split is None:
            return text
        identities, answered = split
        for known in identities:
            self._split.pop(known, None)
        whole = [answer | {"id": identities.get(answer.get("id"))} for answer in answers]
        return json.dumps([*whole, *answered])


def _reason(error: object) -> tuple[int, str]:
    """The code and the reason to close with where the node's message could not be read."""
    too_long = aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    if isinstance(error, aiohttp.WebSocketError) and error.code == too_long:
        return too_long, TOO_LONG
    return BROKEN, f"the chain's answer cannot be read: {error}"
