"""HTTP for greenlets, each request an event of Locust's: JSON-RPC by method, the portal by path."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from geventhttpclient import HTTPClient
from locust.env import Environment

from devnet.chain import NodeUnreachable, RpcError
from loadtests.tally import Tally

_HEADERS: Final = {"Content-Type": "application/json"}
_CONNECT_SECONDS: Final = 5.0


class PortalRefused(Exception):
    """The portal's answer was not 2xx."""


def fire(
    environment: Environment,
    kind: str,
    name: str,
    started: float,
    length: int,
    error: BaseException | None = None,
) -> None:
    """One event of Locust's, from `started` (of `time.perf_counter`) to now."""
    environment.events.request.fire(  # type: ignore[no-untyped-call]
        request_type=kind,
        name=name,
        response_time=(time.perf_counter() - started) * 1000,
        response_length=length,
        exception=error,
        context={},
        response=None,
    )


class LoadRpc:
    """The chain's JSON-RPC over `connections` kept connections, shared by all greenlets."""

    def __init__(self, environment: Environment, url: str, connections: int, tally: Tally) -> None:
        self._environment, self._tally = environment, tally
        self._client = HTTPClient.from_url(
            url,
            concurrency=connections,
            connection_timeout=_CONNECT_SECONDS,
            network_timeout=60.0,
        )
        self._url = url

    def call(self, method: str, *params: object) -> Any:
        """The result; raises RpcError for the node's refusal, NodeUnreachable without an answer."""
        body = json.dumps(
            {"jsonrpc": "2.0", "id": 0, "method": method, "params": params},
            separators=(",", ":"),
        ).encode()
        return self.post(method, body)

    def post(self, method: str, body: bytes) -> Any:
        """`call` with a request that is encoded already."""
        started = time.perf_counter()
        try:
            with self._tally.asking(f"RPC {method}"):
                payload = self._client.post("/", body, _HEADERS).read()
            answer = json.loads(payload)
        except (OSError, ValueError) as error:
            fire(self._environment, "RPC", method, started, 0, error)
            raise NodeUnreachable(self._url, repr(error)) from error
        error_document = answer.get("error")
        if error_document is not None:
            refusal = RpcError(method, error_document["code"], error_document["message"], None)
            fire(self._environment, "RPC", method, started, len(payload), refusal)
            raise refusal
        fire(self._environment, "RPC", method, started, len(payload))
        return answer.get("result")


class LoadPortal:
    """The devnet's portal (see `devnet.actors.door` for what it answers)."""

    def __init__(self, environment: Environment, url: str, connections: int, tally: Tally) -> None:
        self._environment, self._tally = environment, tally
        self._client = HTTPClient.from_url(
            url,
            concurrency=connections,
            connection_timeout=_CONNECT_SECONDS,
            network_timeout=60.0,
        )

    def post(self, path: str, document: dict[str, object]) -> dict[str, Any]:
        """Raises PortalRefused with the portal's reason."""
        return self._ask(path, "POST", path, json.dumps(document).encode())

    def get(self, path: str, name: str) -> dict[str, Any]:
        """`name` is what the event is called, free of numbers."""
        return self._ask(name, "GET", path, b"")

    def _ask(self, name: str, method: str, path: str, body: bytes) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            with self._tally.asking(f"PORTAL {name}"):
                response = self._client.request(method, path, body, _HEADERS)
                payload = response.read()
            answer: dict[str, Any] = json.loads(payload)
        except (OSError, ValueError) as error:
            fire(self._environment, "PORTAL", name, started, 0, error)
            raise PortalRefused(f"{name}: {error!r}") from error
        if response.status_code >= 300:
            refused = PortalRefused(f"{name}: {response.status_code} {answer.get('error')}")
            fire(self._environment, "PORTAL", name, started, len(payload), refused)
            raise refused
        fire(self._environment, "PORTAL", name, started, len(payload))
        return answer
