"""The portal's HTTP side: JSON in, JSON out, each request answered once the devnet has answered.

| request | body | answer |
|---|---|---|
| POST /admissions | node, owner, hardware_id | hardware_id, deadline, signatures (S6) |
| POST /measurements | node | result, cycle, sequence, measured_block, signatures (W3) |
| POST /outages | node, offline (true: it is gone; false: it is back) | at, the chain's time |
| POST /payloads | invocation, payload | nothing; the payload an invocation is run with (M5) |
| GET /results/INVOCATION | | exit_code, result_hash, output (M5) |

400 for what cannot be read, 404 for another path, 409 with the gatekeepers' reason where they
refuse, 504 where no answer came in time.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as NoAnswer
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Protocol, Self

from cluster.interface import ClusterEvent, EventKind
from devnet.actors.messages import AdmissionAsked, MeasureAsked, PayloadGiven
from devnet.actors.portal import Desk, Key, Refused
from devnet.actors.view import guest_of

HOST: Final = "127.0.0.1"
ANSWER_SECONDS: Final = 30.0
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_MOST_BYTES: Final = 2**20
_STOP_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05


class Inputs(Protocol):
    """Where messages from outside go in: the scheduler."""

    def answer(self, actor: str, message: object) -> None: ...
    def cluster_event(self, event: ClusterEvent) -> None: ...


class Unreadable(Exception):
    """The request says not what it must; shown to whoever sent it."""


class Door:
    """A context manager: serves from entering to leaving, on a port of its own."""

    def __init__(self, desk: Desk, inputs: Inputs, leader: Callable[[], str]) -> None:
        self._desk = desk
        self._inputs = inputs
        self._leader = leader
        door = self

        class Handler(_Handler):
            answer = door.handle

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_SECONDS,), name="portal-door"
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_STOP_SECONDS)

    def handle(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and document of one request; waits for the devnet at most 30 s."""
        try:
            found = self._question(method, path, body)
        except (Unreadable, KeyError, TypeError, ValueError) as wrong:
            return 400, {"error": f"{method} {path}: {wrong!r}"}
        if found is None:
            return 404, {"error": f"nothing answers {method} {path}"}
        key, put = found
        if key is None:
            put()
            return 202, {}
        place = self._desk.place(key)
        put()
        try:
            answer = place.result(ANSWER_SECONDS)
        except NoAnswer:
            return 504, {"error": f"{method} {path}: no answer within {ANSWER_SECONDS:g} s"}
        finally:
            self._desk.clear(key)
        return (409, {"error": answer.reason}) if isinstance(answer, Refused) else (200, answer)

    def _question(
        self, method: str, path: str, body: bytes
    ) -> tuple[Key | None, Callable[[], None]] | None:
        """What is asked, and the call that asks it; the key is None where nothing is awaited."""
        if method == "GET" and path.startswith("/results/"):
            return ("result", int(path.removeprefix("/results/"))), _nothing
        asked = json.loads(body) if method == "POST" else {}
        match method, path:
            case "POST", "/admissions":
                node = _node(asked["node"])
                guest = guest_of(node)
                message = AdmissionAsked(
                    guest,
                    _address(asked["owner"]),
                    node,
                    _bytes(asked["hardware_id"], 32),
                )
                return ("admission", guest), lambda: self._inputs.answer(self._leader(), message)
            case "POST", "/measurements":
                guest = guest_of(_node(asked["node"]))
                return ("measurement", guest), lambda: self._inputs.answer(
                    self._leader(), MeasureAsked(guest)
                )
            case "POST", "/outages":
                guest = guest_of(_node(asked["node"]))
                kind = EventKind.NODE_LOST if asked["offline"] else EventKind.NODE_READY
                event = ClusterEvent(kind, guest, guest)
                return ("outage", f"{kind}:{guest}"), lambda: self._inputs.cluster_event(event)
            case "POST", "/payloads":
                given = PayloadGiven(int(asked["invocation"]), _bytes(asked["payload"], None))
                return None, lambda: self._inputs.answer(self._leader(), given)
            case _:
                return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answer: Callable[[str, str, bytes], tuple[int, Any]]

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _respond(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MOST_BYTES:
            self.close_connection = True
            status, document = 413, {"error": f"{length} bytes, at most {_MOST_BYTES}"}
        else:
            status, document = type(self).answer(method, self.path, self.rfile.read(length))
        payload = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _nothing() -> None:
    pass


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise Unreadable(f"{value} is no address")
    return value.lower()


def _node(value: str) -> str:
    address = _address(value)
    if not int(address, 16):
        raise Unreadable(f"{value} stands for no node, so it is no node's key")
    return address


def _bytes(value: str, length: int | None) -> bytes:
    if not value.startswith("0x"):
        raise Unreadable(f"{value} does not begin with 0x")
    raw = bytes.fromhex(value[2:])
    if length is not None and len(raw) != length:
        raise Unreadable(f"{len(raw)} bytes where {length} are due")
    return raw
