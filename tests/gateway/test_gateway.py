"""One address per order, in front of pods that are real HTTP servers on 127.0.0.1."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from devnet.base.errors import StartFailed, UsageError
from devnet.gateway import Gateway, Limits, PodAddress

Handle = Callable[[BaseHTTPRequestHandler, bytes], None]


def _reply(handler: BaseHTTPRequestHandler, document: object, status: int = 200) -> None:
    body = json.dumps(document).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _echo(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    headers = {name.lower(): value for name, value in handler.headers.items()}
    seen = {"method": handler.command, "path": handler.path, "headers": headers}
    _reply(handler, seen | {"body": body.decode("latin-1")})


@contextmanager
def _pod(name: str, handle: Handle = _echo) -> Iterator[PodAddress]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        timeout = 30

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            handle(self, body)

        do_POST = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

        def process_request(self, request: Any, client_address: Any) -> None:
            connections.append(request)
            super().process_request(request, client_address)

        def handle_error(self, request: Any, client_address: Any) -> None: ...

    connections: list[socket.socket] = []
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_port, name
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        for connection in connections:  # as when its process dies
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def dead() -> Iterator[PodAddress]:
    """A pod whose port refuses connections: bound, so that no one else takes it, not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield "127.0.0.1", bound.getsockname()[1], "dead"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as running:
        yield running


def test_pods_take_turns_and_are_named_and_counted(gateway: Gateway) -> None:
    with _pod("a") as a, _pod("b") as b, httpx.Client() as client:
        url = gateway.expose(7, lambda: [a, b])
        answered = Counter(client.get(url).headers["X-Kompute-Pod"] for _ in range(50))
    assert answered == {"a": 25, "b": 25}
    assert gateway.counts(7) == {"a": 25, "b": 25}


def test_a_request_passes_through_unchanged(gateway: Gateway) -> None:
    with _pod("a") as a, httpx.Client() as client:
        url = gateway.expose(1, lambda: [a])
        answer = client.post(
            f"{url}/some/%2e%2e/path%20x?q=%C3%A4&q=2",
            content=b"\x00\xffpayload",
            headers={"X-Mine": "kept", "Connection": "close, X-Hop", "X-Hop": "dropped"},
        )
    seen = answer.json()
    assert (seen["method"], seen["path"]) == ("POST", "/some/%2e%2e/path%20x?q=%C3%A4&q=2")
    assert seen["body"] == "\x00\xffpayload"
    assert seen["headers"]["x-mine"] == "kept"
    assert "x-hop" not in seen["headers"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity", "none-of-these"])
# without an hour in it: workers that collect in different seconds must find the same tests
@pytest.mark.parametrize("body", [gzip.compress(b"packed", mtime=0), b"not packed at all"])
def test_an_encoded_body_passes_as_the_client_sent_it(
    gateway: Gateway, encoding: str, body: bytes
) -> None:
    with _pod("a") as a, httpx.Client() as client:
        url = gateway.expose(1, lambda: [a])
        answer = client.post(url, content=body, headers={"Content-Encoding": encoding})
    seen = answer.json()
    assert seen["body"].encode("latin-1") == body
    assert seen["headers"]["content-encoding"] == encoding
    assert seen["headers"]["content-length"] == str(len(body))


def test_a_pods_status_headers_and_encoding_pass_back(gateway: Gateway) -> None:
    def teapot(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(418)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Set-Cookie", "a=1")
        handler.send_header("Set-Cookie", "b=2")
        handler.send_header("X-Kompute-Pod", "a lie")
        handler.send_header("Content-Length", "3")
        handler.end_headers()
        handler.wfile.write(b"raw")

    with _pod("a", teapot) as a, httpx.Client() as client:
        url = gateway.expose(1, lambda: [a])
        with client.stream("GET", url) as answer:
            raw = b"".join(answer.iter_raw())
    assert (answer.status_code, raw) == (418, b"raw")
    assert answer.headers.get_list("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers.get_list("X-Kompute-Pod") == ["a"]


def test_a_body_of_unknown_length_passes_back_whole(gateway: Gateway) -> None:
    def chunked(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(300):
            handler.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    with _pod("a", chunked) as a:
        assert httpx.get(gateway.expose(1, lambda: [a])).content == b"x" * 1024 * 300


def test_no_ready_pod_is_said_plainly(gateway: Gateway) -> None:
    answer = httpx.get(gateway.expose(9, lambda: []))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json() == {"error": "no-ready-pod", "order": 9, "tried": []}


def test_pods_that_cannot_be_listed_are_said_plainly(gateway: Gateway) -> None:
    def broken() -> list[PodAddress]:
        raise LookupError("no such workload")

    answer = httpx.get(gateway.expose(9, broken))
    assert answer.status_code == 503
    assert answer.json()["tried"] == ["LookupError: no such workload"]


def test_pods_that_live_are_served_while_nobody_lists_them(
    gateway: Gateway, dead: PodAddress
) -> None:
    """As with an API server that has ended, and one that is stopped."""
    listed = threading.Event()
    stopped = threading.Event()

    def ended() -> list[PodAddress]:
        if listed.is_set():
            raise LookupError("kube-apiserver was killed by SIGKILL")
        return [a, dead]

    def hanging() -> list[PodAddress]:
        if listed.is_set():
            stopped.wait(30)
        return [a, dead]

    with _pod("a") as a, httpx.Client() as client:
        urls = [gateway.expose(1, ended), gateway.expose(2, hanging)]
        assert [client.get(url).status_code for url in urls] == [200, 200]
        listed.set()
        start = time.monotonic()
        for url in urls:
            answers = [client.get(url) for _ in range(10)]
            assert [answer.status_code for answer in answers] == [200] * 10
        assert time.monotonic() - start < 8  # and not ten times the limit of a list, 5 s
        stopped.set()
    assert gateway.counts(1) == gateway.counts(2) == {"a": 11}


def test_pods_that_have_died_are_unknown_where_nobody_lists_others(gateway: Gateway) -> None:
    listed = threading.Event()

    def ended() -> list[PodAddress]:
        if listed.is_set():
            raise LookupError("kube-apiserver was killed by SIGKILL")
        return [a]

    with _pod("a") as a:
        url = gateway.expose(1, ended)
        assert httpx.get(url).status_code == 200
        listed.set()
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"] == "pods-unknown"
    assert answer.json()["tried"] == ["LookupError: kube-apiserver was killed by SIGKILL"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_pod_that_refuses_connections_is_passed_over(
    gateway: Gateway, dead: PodAddress, method: str
) -> None:
    with _pod("a") as a:
        url = gateway.expose(1, lambda: [dead, a])
        answers = [httpx.request(method, url) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 6
    assert gateway.counts(1) == {"a": 6}


def test_only_dead_pods_is_a_bad_gateway(gateway: Gateway, dead: PodAddress) -> None:
    answer = httpx.get(gateway.expose(1, lambda: [dead]))
    assert answer.status_code == 502
    assert answer.json()["error"] == "no-pod-answered"
    assert answer.json()["tried"][0].startswith("dead: ClientConnectorError")


def _hang_up(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_connection_lost_before_the_answer_is_retried_only_when_safe(gateway: Gateway) -> None:
    with _pod("bad", _hang_up) as bad, _pod("good") as good:
        url = gateway.expose(1, lambda: [bad, good])
        gets = [httpx.get(url).status_code for _ in range(4)]
        posts = sorted(httpx.post(url).status_code for _ in range(2))
    assert gets == [200] * 4
    assert posts == [200, 502]  # one began with each pod; it may have had its effect on "bad"


def test_an_answer_that_breaks_off_does_not_look_whole(gateway: Gateway) -> None:
    def half(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 10)
        handler.wfile.flush()
        _hang_up(handler, body)

    with _pod("a", half) as a:
        url = gateway.expose(1, lambda: [a])
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url)


def test_an_answer_that_takes_too_long_is_a_gateway_timeout() -> None:
    release = threading.Event()

    def slow(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        release.wait(10)
        _reply(handler, {})

    with Gateway(Limits(answer_seconds=0.2)) as gateway, _pod("a", slow) as a:
        answer = httpx.get(gateway.expose(1, lambda: [a]))
        release.set()
    assert answer.status_code == 504
    assert answer.json()["tried"][0].startswith("a: TimeoutError")


def test_a_body_above_the_limit_is_refused() -> None:
    with Gateway(Limits(body_bytes=1000)) as gateway, _pod("a") as a:
        url = gateway.expose(1, lambda: [a])
        assert httpx.post(url, content=b"x" * 1000).status_code == 200
        assert httpx.post(url, content=b"x" * 1001).status_code == 413
    assert gateway.counts(1) == {"a": 1}


@pytest.mark.parametrize("target", ["@127.0.0.1:1/", "http://127.0.0.1:1/", "*"])
def test_a_request_cannot_name_another_host(gateway: Gateway, target: str) -> None:
    with _pod("a") as a:
        port = httpx.URL(gateway.expose(1, lambda: [a])).port
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            status = int(connection.makefile().readline().split()[1])
    assert status in (400, 404)
    assert gateway.counts(1) == {}


def test_pods_come_and_go(gateway: Gateway) -> None:
    ready: list[PodAddress] = []
    url = gateway.expose(1, lambda: list(ready))
    with httpx.Client() as client, _pod("b") as b:
        with _pod("a") as a:
            ready[:] = [a]
            assert client.get(url).headers["X-Kompute-Pod"] == "a"
        ready[:] = [b]
        # "a" is gone but may still be listed for a moment: found dead, the gateway looks again
        assert [client.get(url).headers["X-Kompute-Pod"] for _ in range(3)] == ["b"] * 3


def test_orders_have_their_own_addresses_until_closed(gateway: Gateway) -> None:
    with _pod("a") as a, _pod("b") as b:
        first, second = gateway.expose(1, lambda: [a]), gateway.expose(2, lambda: [b])
        assert first != second
        assert (gateway.url(1), gateway.url(2)) == (first, second)
        assert httpx.get(second).headers["X-Kompute-Pod"] == "b"
        with pytest.raises(UsageError, match="order 1 has an address already"):
            gateway.expose(1, lambda: [a])
        gateway.close(2)
        gateway.close(2)
        assert gateway.url(2) is None
        with pytest.raises(httpx.ConnectError):
            httpx.get(second)
        assert httpx.get(first).status_code == 200
        assert gateway.counts(2) == {"b": 1}
        httpx.get(gateway.expose(2, lambda: [b]))
    assert gateway.counts(2) == {"b": 2}


def test_a_port_that_is_taken_is_a_failed_start(gateway: Gateway) -> None:
    with _pod("a") as (_, port, _name), pytest.raises(StartFailed, match=f"port {port} is not"):
        gateway.expose(1, lambda: [], port=port)
    assert gateway.url(1) is None


def test_after_the_end_nothing_answers() -> None:
    with Gateway() as gateway:
        url = gateway.expose(1, lambda: [])
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    with pytest.raises(StartFailed, match="not running"):
        gateway.expose(2, lambda: [])


def test_fifty_clients_at_once_share_few_looks_at_the_pods(gateway: Gateway) -> None:
    looks = Counter[str]()
    with _pod("a") as a, _pod("b") as b:

        def pods() -> list[PodAddress]:
            looks["pods"] += 1
            return [a, b]

        url = gateway.expose(1, pods)
        together = threading.Barrier(50)

        def client(_: int) -> list[int]:
            with httpx.Client(timeout=30) as http:
                together.wait(30)
                return [http.get(url).status_code for _ in range(10)]

        with ThreadPoolExecutor(50) as pool:
            statuses = [status for each in pool.map(client, range(50)) for status in each]
    assert statuses == [200] * 500
    assert gateway.counts(1) == {"a": 250, "b": 250}
    assert looks["pods"] < 250
