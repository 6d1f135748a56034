"""The Kubernetes API as JSON documents, over the official client's connection pool.

The client's models cost 0.1 ms an object field; hot paths here (pods, watches) read plain JSON.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import new_client_from_config

from cluster.ended import Ended, Outlook
from cluster.errors import ClusterError, PartsAway, UnknownSubject

Document = dict[str, Any]

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 15.0
_POOL = 32
_AWAY_SECONDS = 30.0  # a part that is started again works after some seconds, also under load
_PAUSE_SECONDS = 0.05
_LAST_SECONDS = 0.5  # between a broken connection and the end of the process behind it
# What is said of parts that are away: nothing at all, or the API server's word for its store.
_OF_PARTS = frozenset(
    {
        0,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
MERGE = "application/merge-patch+json"


class ApiRefused(ClusterError):
    """The API server answered with an error; `status` is the HTTP code, 0 when unreachable.
    `again`: the call was sent before, and what became of it then is not known."""

    def __init__(self, message: str, status: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.again = False


class Api:
    """One connection pool to one API server; safe to use from several threads.

    While parts by which it answers are away a call waits for them, and one that broke off with them
    is sent again; `PartsAway` names them where that takes too long.
    """

    def __init__(self, kubeconfig: Path, away: Callable[[], Sequence[Ended]] = lambda: ()) -> None:
        """`away`: which of those parts are not there now; at once, any thread."""
        self._away = away
        self._abandoned = threading.Event()
        configuration = Configuration()
        configuration.connection_pool_maxsize = _POOL
        # The environment's proxies are not for it: the server is on this machine.
        configuration.proxy = None
        # No silent retries: a broken connection is reported or a watch is listed anew.
        configuration.retries = urllib3.Retry(0, connect=2, read=0, status=0)
        self._client: ApiClient = new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), client_configuration=configuration
        )

    def get(self, path: str, **query: str | int) -> Document:
        return self._json("GET", path, query)

    def create(self, path: str, document: Mapping[str, Any]) -> Document:
        try:
            return self._json("POST", path, {}, document)
        except ApiRefused as error:
            if error.again and error.status == HTTPStatus.CONFLICT:
                return self.get(f"{path}/{document['metadata']['name']}")  # it had been made
            raise

    def replace(self, path: str, document: Mapping[str, Any]) -> Document:
        return self._json("PUT", path, {}, document)

    def patch(self, path: str, change: Mapping[str, Any], kind: str = MERGE) -> Document:
        return self._json("PATCH", path, {}, change, content_type=kind)

    def delete(self, path: str, *, grace_seconds: int | None = None) -> None:
        """Delete in the background; a thing that is gone already is fine."""
        options: Document = {"kind": "DeleteOptions", "apiVersion": "v1"}
        options["propagationPolicy"] = "Background"
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self._json("DELETE", path, {}, options)
        except UnknownSubject:
            return

    def text(self, path: str, **query: str | int) -> bytes:
        """The raw body of a GET (a pod's log)."""
        return self._send("GET", path, query)

    def watch(self, path: str, version: str, **query: str | int) -> Watch:
        """An open watch from `version`; iterate it for events."""
        query |= {"watch": 1, "resourceVersion": version, "allowWatchBookmarks": "true"}
        response = self._open("GET", path, query, None, (_CONNECT_SECONDS, None))
        return Watch(response)

    def abandon(self) -> None:
        """Wait for no part from now on: whoever would, fails at once."""
        self._abandoned.set()

    def close(self) -> None:
        self.abandon()
        self._client.close()  # type: ignore[no-untyped-call]

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Document:
        return cast(Document, json.loads(self._send(method, path, query, body, content_type)))

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        end = time.monotonic() + _AWAY_SECONDS
        again = False
        while True:
            self._wait_for_parts(f"{method} {path}", end)
            try:
                return self._exchange(method, path, query, body, content_type)
            except ApiRefused as error:
                error.again = again
                if error.status not in _OF_PARTS or not self._broken_by_parts():
                    raise
                again = True

    def _wait_for_parts(self, call: str, end: float) -> None:
        while away := self._away():
            if self._abandoned.is_set() or time.monotonic() >= end:
                raise away_error(away, f"{call}: the Kubernetes API does not answer")
            self._abandoned.wait(_PAUSE_SECONDS)

    def _broken_by_parts(self) -> bool:
        """Whether a call broke off with a part; a process ends a moment after its connections."""
        end = time.monotonic() + _LAST_SECONDS
        while not self._away():
            if time.monotonic() >= end or self._abandoned.wait(_PAUSE_SECONDS):
                return False
        return True

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
        content_type: str,
    ) -> bytes:
        limits = (_CONNECT_SECONDS, _READ_SECONDS)
        response = self._open(method, path, query, body, limits, content_type)
        try:
            return response.read()
        except urllib3.exceptions.HTTPError as error:
            raise ApiRefused(f"{method} {path}: {error}", 0) from error
        finally:
            response.release_conn()

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
        limits: tuple[float, float | None],
        content_type: str = "application/json",
    ) -> urllib3.BaseHTTPResponse:
        host = cast(str, self._client.configuration.host)
        url = host + path + (f"?{urlencode(query)}" if query else "")
        pool: urllib3.PoolManager = self._client.rest_client.pool_manager
        headers = {"Accept": "application/json", "Content-Type": content_type}
        # A provider with tokens (context) puts them here; certificates live in the pool.
        for scheme in self._client.configuration.auth_settings().values():
            headers[scheme["key"]] = scheme["value"]
        try:
            response = pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(connect=limits[0], read=limits[1]),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiRefused(f"{method} {path}: {error}", 0) from error
        if response.status >= HTTPStatus.BAD_REQUEST:
            message = _reason(response)
            response.release_conn()
            if response.status == HTTPStatus.NOT_FOUND:
                raise UnknownSubject(message)
            raise ApiRefused(f"{method} {path}: {message}", response.status)
        return response


def away_error(away: Sequence[Ended], otherwise: str) -> PartsAway:
    """That names who is away, and what cannot be done without them."""
    hints = [
        f"`kill -CONT {part.pid}` lets {part.name} go on"
        for part in away
        if part.outlook is Outlook.STOPPED
    ]
    return PartsAway(f"{'; '.join(map(str, away))}: {otherwise}", hint="; ".join(hints))


class Watch:
    """The events of one open watch, until the server or `close` ends it."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = cast(urllib3.HTTPResponse, response)

    def __iter__(self) -> Iterator[tuple[str, Document]]:
        """(ADDED | MODIFIED | DELETED | BOOKMARK | ERROR, object); ends when the stream does."""
        rest = b""
        try:
            while chunk := self._response.read1(1 << 20):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            # Broken or closed from another thread: the reader lists anew or has stopped.
            return

    def close(self) -> None:
        """End the stream from any thread."""
        with suppress(OSError, ValueError, RuntimeError):  # it may have ended by itself
            self._response.shutdown()


def _reason(response: urllib3.BaseHTTPResponse) -> str:
    text = response.read().decode(errors="replace")
    try:
        return str(json.loads(text).get("message", text))
    except ValueError:
        return text
