"""The few API calls an agent makes, over plain aiohttp: a third of the official client's memory."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp

from cluster.native.agent.config import AgentConfig

Document = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_LIMIT = aiohttp.ClientTimeout(total=10)
_WATCH_SECONDS = 240
_GONE = 410


class ApiAnswer(Exception):
    """The API server refused; 404 and 409 mean something to callers."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text[:500]}")
        self.status = status


API_TROUBLE = (ApiAnswer, aiohttp.ClientError, TimeoutError, ConnectionError)
"""What a call may raise; loops go on after any of these."""


class NodeApi:
    """One session, one set of connections; an async context manager."""

    def __init__(self, config: AgentConfig) -> None:
        context = ssl.create_default_context(cafile=str(config.ca_file))
        context.load_cert_chain(config.client_cert_file, config.client_key_file)
        self._server, self._context = config.apiserver, context

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            self._server,
            connector=aiohttp.TCPConnector(ssl=self._context),
            timeout=_LIMIT,
            headers={"User-Agent": "kompute-agent", "Accept": "application/json"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def get(self, path: str, **query: str) -> Document:
        return await self._call("GET", path, query=query)

    async def create(self, path: str, document: Document) -> Document:
        return await self._call("POST", path, document)

    async def patch(self, path: str, document: Document, kind: str = MERGE) -> Document:
        return await self._call("PATCH", path, document, content_type=kind)

    async def delete_now(self, path: str, uid: str) -> None:
        """DELETE with grace 0 of this very object; that it is gone already is fine."""
        options: Document = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        try:
            await self._call("DELETE", path, options)
        except ApiAnswer as error:
            if error.status not in (404, 409):
                raise

    async def watch(self, path: str, **query: str) -> AsyncIterator[tuple[str, Document]]:
        """(type, object) of each event until the server ends the watch.

        Raises `ApiAnswer` for an ERROR event, 410 among them: list again.
        """
        query |= {"watch": "1", "allowWatchBookmarks": "1", "timeoutSeconds": str(_WATCH_SECONDS)}
        limit = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=_WATCH_SECONDS + 30)
        async with self._session.get(path, params=query, timeout=limit) as answer:
            if answer.status != 200:
                raise ApiAnswer(answer.status, await answer.text())
            rest = b""
            # Not readline: a payload in an annotation makes longer lines than it takes.
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiAnswer(int(event["object"].get("code", _GONE)), str(event))
                    yield event["type"], event["object"]

    async def _call(
        self,
        method: str,
        path: str,
        document: Document | None = None,
        *,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Document:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": content_type} if body else {}
        async with self._session.request(
            method, path, data=body, params=query, headers=headers
        ) as answer:
            text = await answer.read()
            if answer.status >= 400:
                raise ApiAnswer(answer.status, text.decode(errors="replace"))
            value: Document = json.loads(text)
            return value
