"""The door before the node: what strangers may ask of the chain, over HTTP and WebSocket.

What is about blocks that the node dropped is refused, since it would answer as if there were none.

A web page cannot use it: no request with a page's origin passes, whatever name leads here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web
from yarl import URL

from devnet.base.errors import StartFailed
from devnet.base.loop import LoopThread
from devnet.chain.bodies import (
    INTERNAL,
    calls_of,
    error_of,
    errors_of,
    identity_of,
    is_notification,
)
from devnet.chain.filters import Filters
from devnet.chain.gas_bounds import MOST_WAITING_GAS, lower_gas, refusal_of_gas
from devnet.chain.gate import CUT, Gate
from devnet.chain.kept import PRUNED_CODE, Kept
from devnet.chain.line import BROKEN, MOST_BYTES, TOO_LONG, Line
from devnet.chain.methods import refusal
from devnet.chain.origins import bar
from devnet.chain.overtaken import goes_by_http, persistently
from devnet.chain.waiting import Waiting

_HOST: Final = "127.0.0.1"
_NO_JSON: Final = b"{"  # in the place of a body that is none: the node refuses it in its own words
_NOT_FOUND: Final = -32601
_INVALID: Final = -32600
_BAD_PARAMETERS: Final = -32602
_ANSWER_SECONDS: Final = 300.0
_CLOSE_SECONDS: Final = 1.0
_JSON: Final = {"Content-Type": "application/json"}


class RpcDoor:
    """Context manager; `url` is where it answers. `is_open` lets every method through,
    `most_waiting` is the gas of all that may wait for a block.

    `port` 0 takes a free one. `kept` says which blocks the node has. Raises StartFailed when the
    port is taken.
    """

    def __init__(
        self,
        node_url: str,
        *,
        port: int = 0,
        is_open: bool = False,
        most_waiting: int = MOST_WAITING_GAS,
        kept: Kept | None = None,
    ) -> None:
        self._node, self._port, self._is_open = URL(node_url), port, is_open
        self._kept = kept or Kept()
        self._filters = Filters(self._kept)
        self._gate = Gate()
        self._thread = LoopThread("chain's door")
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._waiting = Waiting(
            partial(persistently, self._ask), most_waiting, whole=self._gate.whole
        )

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._port = self._thread.call(self._open(self._port))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.alive():
            return
        try:
            self._thread.call(self._close())
        finally:
            self._thread.stop()

    def alive(self) -> bool:
        """Whether its thread is there to answer."""
        return self._thread.is_alive()

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}"

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """While entered nobody's request is at the node: those that come wait, and what is under
        way for long is cut. Left with an error, no request is let through to the node any more."""
        self._thread.call(self._gate.shut())
        broken = ""
        try:
            yield
        except BaseException as error:
            broken = f"the devnet has ended: {error}"
            raise
        finally:
            self._thread.call(self._gate.reopen(broken))

    async def _open(self, port: int) -> int:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(sock_read=_ANSWER_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            trust_env=False,
        )
        server = web.Server(self._handle)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, _HOST, port, backlog=512).start()
        except OSError as error:
            raise StartFailed(
                f"port {port} for the chain is taken: {error.strerror}",
                hint="stop what listens there, or leave chain.port out for a free one",
            ) from error
        return int(self._runner.addresses[0][1])

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        barred = bar(request.headers)
        if barred:
            return web.Response(status=403, text=barred + "\n")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talk(request)
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"}, text="POST JSON-RPC here\n")
        try:
            body = await self._read(request)
        except web.RequestPayloadError:
            said = "the body is not what its headers say it is"
            return _json(error_of(None, _INVALID, said), 400)
        if body is None:
            return _json(
                error_of(None, INTERNAL, f"a request of more than {MOST_BYTES} bytes"), 413
            )
        if broken := await self._gate.admitted():
            return _json(errors_of(body, broken), 503)
        try:
            with self._gate.asking():
                return await self._carried(body)
        except asyncio.CancelledError:
            if not self._gate.was_cut():
                raise
            self._filters.cut(calls_of(body))
            return _json(errors_of(body, CUT), 503)

    async def _carried(self, body: bytes) -> web.Response:
        """A request's answer, by the node as far as it may have it."""
        screened = await self._screened(body)
        if screened.body is None:
            told = screened.told()
            return web.Response(status=204) if told is None else _json(told)
        expected = self._filters.expected(screened.passed)
        try:
            status, answer = await persistently(self._ask, screened.body)
            if not screened.answered and not expected:
                return _passed_back(status, answer)
            document = json.loads(answer or b"[]")  # 204: all that passed were notifications
            answers = document if isinstance(document, list) else [document]
            for found in answers:
                place = next((p for p, e in enumerate(expected) if e.id == found.get("id")), None)
                if place is not None:
                    expected.pop(place).came(found.get("result"))
        finally:
            for lost in expected:
                lost.is_lost()
        if not screened.answered or answers is not document:  # to a batch: one error for all of it
            return _passed_back(status, answer)
        return _json([*answers, *screened.answered])

    async def _read(self, request: web.BaseRequest) -> bytes | None:
        pieces, size = [], 0
        async for piece in request.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                return None
        return b"".join(pieces)

    async def _ask(self, body: bytes) -> tuple[int, bytes]:
        assert self._session is not None
        try:
            async with self._session.post(self._node, data=body, headers=_JSON) as answer:
                found = await _read_whole(answer)
                if found is not None:
                    return answer.status, found
                answer.close()  # what is still on its way would come before the next answer
                return 200, json.dumps(error_of(identity_of(body), INTERNAL, TOO_LONG)).encode()
        except (aiohttp.ClientError, TimeoutError) as error:
            text = f"the chain does not answer: {type(error).__name__}: {error}"
            return 502, json.dumps(error_of(None, INTERNAL, text)).encode()

    async def _screened(self, body: bytes, *, by_socket: bool = False) -> _Screened:
        if self._is_open:
            return _Screened(body)
        try:
            document = json.loads(body.decode())
        except (ValueError, RecursionError):
            return _Screened(_NO_JSON)  # the node says so; what we cannot read, it might
        # The node takes a list for an object, too: ["2.0", "evm_mine", [], 1].
        is_batch = isinstance(document, list)
        calls = [c if isinstance(c, dict) else None for c in document] if is_batch else [document]
        changed = is_batch and calls != document
        own = [await self._answered(call) for call in calls]
        answered = [
            answer
            for call, answer in zip(calls, own, strict=True)
            if answer is not None and not is_notification(call)
        ]
        passed = [call for call, answer in zip(calls, own, strict=True) if answer is None]
        if by_socket:
            answered += await self._by_http([call for call in passed if goes_by_http(call)])
            passed = [call for call in passed if not goes_by_http(call)]
        if answered:  # the node would answer the whole batch with one error
            answered += [error_of(None, _INVALID, "Invalid request") for c in passed if c is None]
            passed = [call for call in passed if call is not None]
        lowered = [lower_gas(call) for call in passed if isinstance(call, dict)]
        # Said twice, a member might be read otherwise there than here.
        once = all(body.count(key) == len(calls) for key in (b'"method"', b'"params"'))
        if changed or len(passed) < len(calls) or any(lowered) or not once:
            body = json.dumps(passed if is_batch else document).encode()
        return _Screened(None if calls and not passed else body, passed, answered, is_batch)

    def _refused(self, call: object) -> dict[str, Any] | None:
        if not isinstance(call, dict):
            return None
        method = call.get("method")
        if reason := refusal(method):
            return error_of(call.get("id"), _NOT_FOUND, reason)
        if reason := refusal_of_gas(call):
            return error_of(call.get("id"), _BAD_PARAMETERS, reason)
        if is_notification(call):
            return None  # the node does nothing for it, and who is to be told once still is
        params = call.get("params")
        if reason := self._kept.refusal(method, params) or self._filters.refusal(method, params):
            return error_of(call.get("id"), PRUNED_CODE, reason)
        return None

    async def _answered(self, call: object) -> dict[str, Any] | None:
        """The answer to a call that does not go on to the node as it is."""
        if not isinstance(call, dict):
            return None
        return self._refused(call) or await self._waiting.answer(call)

    async def _by_http(self, calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Their answers, by one request: of what is read of them there is one bound."""
        if not calls:
            return []
        for call in calls:
            lower_gas(call)
        asked = [call | {"id": place} for place, call in enumerate(calls)]
        _, heard = await persistently(self._ask, json.dumps(asked).encode())
        found = json.loads(heard)
        if not isinstance(found, list):  # one error for all of them
            return [found | {"id": call["id"]} for call in calls]
        return [answer | {"id": calls[answer["id"]]["id"]} for answer in found]

    async def _talk(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._session is not None
        here = web.WebSocketResponse(max_msg_size=MOST_BYTES, timeout=_CLOSE_SECONDS)
        try:
            node = self._node.with_scheme("ws")
            closing = aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS)
            there = await self._session.ws_connect(node, max_msg_size=MOST_BYTES, timeout=closing)
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.Response(status=502, text=f"the chain takes no WebSocket: {error}\n")
        async with there:
            await here.prepare(request)
            line = Line(here, there, request.transport)
            self._gate.lines.add(line)
            back = asyncio.create_task(line.pump())
            try:
                await self._listen(here, line)
            finally:
                self._gate.lines.discard(line)
                back.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await back
                line.lose()
        return here

    async def _listen(self, here: web.WebSocketResponse, line: Line) -> None:
        async for message in here:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            body = message.data.encode() if isinstance(message.data, str) else message.data
            if broken := await self._gate.admitted():
                await line.end(BROKEN, broken)
                return
            try:
                with self._gate.asking():
                    await self._passed_on(body, here, line)
            except asyncio.CancelledError:
                if not self._gate.was_cut():
                    raise
                self._filters.cut(calls_of(body))
                await line.cut()
                return

    async def _passed_on(self, body: bytes, here: web.WebSocketResponse, line: Line) -> None:
        screened = await self._screened(body, by_socket=True)
        for expected in self._filters.expected(screened.passed):
            line.expect(expected)
        if screened.body is None:
            if (told := screened.told()) is not None:
                await here.send_str(json.dumps(told))
        elif screened.answered:
            await line.pass_part(screened.passed, screened.answered)
        else:
            await line.pass_on(screened.body)


@dataclass(frozen=True, slots=True)
class _Screened:
    """What may go on to the node, None for nothing, and the answers to what the door itself has
    refused, sent or asked."""

    body: bytes | None
    passed: Sequence[Any] = ()
    answered: list[dict[str, Any]] = field(default_factory=list)
    is_batch: bool = False

    def told(self) -> object:
        """The answer where nothing went on; None for none, as to notifications."""
        if not self.answered:
            return None
        return self.answered if self.is_batch else self.answered[0]


async def _read_whole(answer: aiohttp.ClientResponse) -> bytes | None:
    """The node's answer; None for one of more than MOST_BYTES, of which no more is kept."""
    if (answer.content_length or 0) > MOST_BYTES:
        return None
    pieces, size = [], 0
    async for piece in answer.content.iter_any():
        size += len(piece)
        if size > MOST_BYTES:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _passed_back(status: int, answer: bytes) -> web.Response:
    """What the node said; to notifications it says nothing."""
    return web.Response(body=answer, status=status, headers=_JSON if answer else None)


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(document).encode(), status=status, headers=_JSON)
