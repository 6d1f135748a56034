"""JSON-RPC over one kept connection: blocking sockets only, so gevent can patch it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from devnet.chain.errors import AnswerTooLong, NodeUnreachable, RpcError
from devnet.chain.overtaken import MOST_TRIES, is_overtaken

_HEADERS: Final = {"Content-Type": "application/json"}
# A server may close an idle connection just as the next request leaves; it is then sent once more.
_STALE: Final = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class Rpc:
    """One connection to a node, opened at the first call and shared by threads one call at a time.

    A call at the latest block that a new block overtook is asked again.

    A context manager; `close()` may be called more than once.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise NodeUnreachable(url, "only http://host:port is spoken")
        self.url = url
        self._host, self._port = parts.hostname, parts.port or 80
        self._path = parts.path or "/"
        self._timeout = timeout_seconds
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        with self._lock:
            self._drop()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Calls of other threads wait until it is left: between ours the node is not to be seen."""
        with self._lock:
            yield

    def call(self, method: str, *params: object, most_bytes: int | None = None) -> Any:
        """The result of one call.

        Raises RpcError for the node's refusal, NodeUnreachable when there is no answer,
        AnswerTooLong for one of more than `most_bytes`, which is not read.
        """
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        for _ in range(MOST_TRIES):
            answer = self._exchange(request, most_bytes)
            if not isinstance(answer, dict):
                raise NodeUnreachable(self.url, f"{method} answered {str(answer)[:200]}")
            result = _outcome(method, answer)
            if not _is_late(method, params, result):
                break
        if isinstance(result, RpcError):
            raise result
        return result

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Results in the order of the calls; a refused call's place holds its RpcError.

        The node may work on a large batch in another order than the one given.
        """
        results = self._batch(calls)
        for _ in range(MOST_TRIES - 1):
            places = [p for p, call in enumerate(calls) if _is_late(*call, results[p])]
            again = self._batch([calls[place] for place in places])
            for place, result in zip(places, again, strict=True):
                results[place] = result
        return results

    def _batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        if not calls:
            return []
        answers = self._exchange(
            [
                {"jsonrpc": "2.0", "id": place, "method": method, "params": list(params)}
                for place, (method, params) in enumerate(calls)
            ]
        )
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise NodeUnreachable(self.url, f"a batch answered {str(answers)[:200]}")
        results: list[Any] = [None] * len(calls)
        for answer in answers:
            place = answer["id"]
            results[place] = _outcome(calls[place][0], answer)
        return results

    def _exchange(self, document: object, most_bytes: int | None = None) -> Any:
        body = json.dumps(document, separators=(",", ":")).encode()
        with self._lock:
            fresh = self._connection is None
            try:
                payload = self._post(body, most_bytes)
            except _STALE as error:
                self._drop()
                if fresh:
                    raise NodeUnreachable(self.url, repr(error)) from error
                payload = self._again(body, most_bytes)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise NodeUnreachable(self.url, repr(error)) from error
        try:
            return json.loads(payload)
        except ValueError as error:
            raise NodeUnreachable(self.url, payload[:200].decode(errors="replace")) from error

    def _again(self, body: bytes, most_bytes: int | None) -> bytes:
        try:
            return self._post(body, most_bytes)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise NodeUnreachable(self.url, repr(error)) from error

    def _post(self, body: bytes, most_bytes: int | None) -> bytes:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=self._timeout
            )
        self._connection.request("POST", self._path, body, _HEADERS)
        answer = self._connection.getresponse()
        if most_bytes is None:
            return answer.read()
        said = answer.length
        if said is None or said <= most_bytes:
            payload = answer.read(most_bytes + 1)
            if len(payload) <= most_bytes:
                return payload
        self._drop()
        raise AnswerTooLong(most_bytes, said)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_late(method: str, params: Sequence[object], result: object) -> bool:
    return isinstance(result, RpcError) and is_overtaken(method, params, result.code, result.text)


def _outcome(method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    data = error.get("data")
    return RpcError(
        method, error.get("code", 0), error.get("message", ""), data if data is None else str(data)
    )
