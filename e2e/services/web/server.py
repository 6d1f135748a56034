"""A small web service to order on the devnet: says which pod answered.

Binds `$HOST:$PORT`; `/healthz` is its readiness, `/` its answer. For autoscalers
`/work?milliseconds=N` keeps one core busy, and `/hold?mebibytes=N` memory until `/release`. SIGTERM
ends it within a second, open requests first. Standard library only, and works under `python3 -S`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` costs a tenth of the start
    from typing import Any

DRAIN_SECONDS = 0.7
SWITCH_SECONDS = 0.001  # whoever keeps the core busy lets a probe in between
LONGEST_WORK_MILLISECONDS = 5_000
MOST_MEBIBYTES = 1_024

POD = os.environ.get("POD_NAME", "")
NODE = os.environ.get("NODE_NAME", "")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, Handler)
        self.changed = threading.Condition()
        self.open_requests = 0
        self.answered = 0
        self.held = b""

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this host, which may take seconds
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        # a connection counts from its acceptance, so that a request on its way is not cut off
        self.begin()
        super().process_request(request, client_address)

    def begin(self) -> None:
        with self.changed:
            self.open_requests += 1

    def end(self) -> None:
        with self.changed:
            self.open_requests -= 1
            self.changed.notify_all()

    def drain(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.open_requests == 0, DRAIN_SECONDS)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one segment
    timeout = 60
    asked = False  # whether this connection brought a request yet

    def do_GET(self) -> None:
        if self.asked:
            self.server.begin()
        self.asked = True
        try:
            self.answer()
        finally:
            self.server.end()

    def finish(self) -> None:
        if not self.asked:
            self.server.end()
        super().finish()

    do_HEAD = do_GET

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/healthz":
            self.reply(200, {"ok": True})
        elif path == "/":
            with self.server.changed:
                self.server.answered += 1
                answered = self.server.answered
            self.reply(200, {"service": "web", "pod": POD, "node": NODE, "answered": answered})
        elif path == "/work":
            worked = work(query)
            if worked is None:
                self.reply(400, {"error": "use /work?milliseconds=1..5000"})
            else:
                self.reply(200, {"service": "web", "pod": POD, "milliseconds": worked})
        elif path == "/hold":
            mebibytes = number(query, "mebibytes", MOST_MEBIBYTES)
            if mebibytes is None:
                self.reply(400, {"error": f"use /hold?mebibytes=1..{MOST_MEBIBYTES}"})
            else:
                self.server.held = b"x" * (mebibytes << 20)
                self.reply(200, {"service": "web", "pod": POD, "mebibytes": mebibytes})
        elif path == "/release":
            self.server.held = b""
            self.reply(200, {"service": "web", "pod": POD, "mebibytes": 0})
        else:
            self.reply(404, {"error": "not found", "path": path})

    def reply(self, status: int, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        # In one piece: requests are answered side by side.
        sys.stdout.write(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}\n")
        sys.stdout.flush()


def number(query: str, wished: str, most: int) -> int | None:
    """The number a query gives; None where it is not one from 1 to `most` of that name."""
    name, _, value = query.partition("=")
    if name != wished or not value.isdecimal() or len(value) > 4:
        return None
    return int(value) if 0 < int(value) <= most else None


def work(query: str) -> int | None:
    """Spins for the wished time; None when the wish is not a number in range."""
    milliseconds = number(query, "milliseconds", LONGEST_WORK_MILLISECONDS)
    if milliseconds is None:
        return None
    end = time.perf_counter_ns() + milliseconds * 1_000_000
    while time.perf_counter_ns() < end:
        pass
    return milliseconds


def main() -> int:
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "")
    if not port.isdecimal():
        print("web: PORT is not set to a port number", file=sys.stderr)
        return 2
    sys.setswitchinterval(SWITCH_SECONDS)
    server = Server((host, int(port)))
    # shutdown() waits for the loop, which this very thread runs: hence the other thread
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
    )
    print(f"web: {POD or 'a pod'} listens on {host}:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    server.drain()
    print("web: stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
