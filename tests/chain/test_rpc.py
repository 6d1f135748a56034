"""One kept connection: refusals in their places, silence and nonsense named."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from devnet.chain import Chain, NodeUnreachable, Rpc, RpcError
from devnet.chain.errors import AnswerTooLong


@pytest.fixture()
def server() -> Iterator[Callable[[bytes, bool], Rpc]]:
    """A stand-in node that gives one fixed answer; a real one never answers wrongly on demand."""
    started: list[HTTPServer] = []

    def start(answer: bytes, close: bool) -> Rpc:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                # Closes without a word, as a server does to an idle connection.
                self.close_connection = close

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        node = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=node.serve_forever, args=(0.01,), daemon=True).start()
        started.append(node)
        return Rpc(f"http://127.0.0.1:{node.server_port}", timeout_seconds=5)

    yield start
    for node in started:
        node.shutdown()
        node.server_close()


def test_a_refusal_carries_code_text_and_data(chain: Chain) -> None:
    with pytest.raises(RpcError) as caught:
        chain.rpc.call("eth_noSuchMethod")
    assert caught.value.code == -32601
    assert caught.value.method == "eth_noSuchMethod"
    assert "eth_noSuchMethod" in str(caught.value)


def test_a_batch_answers_in_the_order_of_its_calls(chain: Chain) -> None:
    number, refused, identity = chain.rpc.batch(
        [("eth_blockNumber", ()), ("eth_noSuchMethod", ()), ("eth_chainId", ())]
    )
    assert (number, identity) == ("0x1", "0x7a69")
    assert isinstance(refused, RpcError)
    assert chain.rpc.batch([]) == []


def test_threads_share_a_connection(chain: Chain) -> None:
    balances: list[str] = []

    def ask(place: int) -> None:
        chain.rpc.call("anvil_setBalance", f"0x{place:040x}", hex(place))
        balances.append(chain.rpc.call("eth_getBalance", f"0x{place:040x}", "latest"))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(5_000, 5_020)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(balances) == sorted(hex(place) for place in range(5_000, 5_020))


def test_a_connection_the_server_closed_is_opened_again(
    server: Callable[[bytes, bool], Rpc],
) -> None:
    with server(json.dumps({"jsonrpc": "2.0", "id": 0, "result": "0x5"}).encode(), True) as rpc:
        assert [rpc.call("eth_blockNumber") for _ in range(3)] == ["0x5"] * 3


def test_nobody_at_the_port_is_said(tmp_path: object) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(NodeUnreachable, match=f"no answer from the chain at {url}.*refused"):
            Rpc(url).call("eth_blockNumber")


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"7"])
def test_an_answer_that_is_none_is_shown(
    server: Callable[[bytes, bool], Rpc], answer: bytes
) -> None:
    with pytest.raises(NodeUnreachable, match=answer.decode().replace("[]", r"\[\]")):
        server(answer, False).call("eth_blockNumber")


def test_a_batch_with_answers_missing_is_refused(server: Callable[[bytes, bool], Rpc]) -> None:
    with pytest.raises(NodeUnreachable, match="a batch answered"):
        server(b'[{"id": 0, "result": "0x1"}]', False).batch([("a", ()), ("b", ())])


def test_only_http_is_spoken() -> None:
    with pytest.raises(NodeUnreachable, match="only http://host:port"):
        Rpc("ws://127.0.0.1:8545")


def test_an_answer_that_is_too_long_is_not_read(chain: Chain) -> None:
    whole = chain.rpc.call("eth_getBlockByNumber", "0x0", True)
    with pytest.raises(AnswerTooLong, match=r"an answer of \d+ bytes, 200 are read") as caught:
        chain.rpc.call("eth_getBlockByNumber", "0x0", True, most_bytes=200)
    assert caught.value.size is not None
    size = caught.value.size
    assert chain.rpc.call("eth_getBlockByNumber", "0x0", True, most_bytes=size) == whole
    with pytest.raises(AnswerTooLong):
        chain.rpc.call("eth_getBlockByNumber", "0x0", True, most_bytes=size - 1)
    assert chain.rpc.call("eth_blockNumber") == "0x1"
