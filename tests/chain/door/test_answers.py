"""Of the node's answers the door reads as much as it may, and says so."""

from __future__ import annotations

import asyncio
import http.server
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from devnet.chain import Anvil, Rpc, RpcError
from devnet.chain.door import RpcDoor
from devnet.chain.line import TOO_LONG
from tests.chain.door.asking import asked, request

CALLER = "0x" + "c0" * 20
TOO_LONG_ERROR = {"code": -32603, "message": TOO_LONG}


@pytest.fixture(scope="module")
def long_trace(node: Anvil) -> str:
    """A stranger's transaction of 130 000 gas whose trace has 80 MB: 600 calls of 64 KiB each."""
    call = "600060006201000060006111115afa50"  # STATICCALL of nobody with the first 64 KiB
    code = call * 600
    with Rpc(node.url) as inside:
        inside.call("anvil_setCode", CALLER, "0x" + code)
        sender = inside.call("eth_accounts")[2]
        sent = inside.call("eth_sendTransaction", {"from": sender, "to": CALLER, "gas": "0x493e0"})
        inside.call("evm_mine")
        assert inside.call("eth_getTransactionReceipt", sent)["status"] == "0x1"
    return str(sent)


def test_of_an_answer_that_is_too_long_nothing_is_read(door: RpcDoor, long_trace: str) -> None:
    tracemalloc.start()
    try:
        status, _, answer = asked(door.url, request("trace_transaction", long_trace, identity="a"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (status, answer) == (200, {"jsonrpc": "2.0", "id": "a", "error": TOO_LONG_ERROR})
    assert TOO_LONG == "the answer has more than 67108864 bytes: ask for less at once"
    assert most < 8 << 20


def test_an_open_door_bounds_answers_too(node: Anvil, long_trace: str) -> None:
    with RpcDoor(node.url, is_open=True) as opened, Rpc(opened.url) as rpc:
        with pytest.raises(RpcError, match="ask for less at once"):
            rpc.call("trace_transaction", long_trace)
        assert rpc.call("eth_chainId") == "0x7a69"


@pytest.mark.parametrize("beside", ["eth_chainId", "evm_mine", "eth_newFilter"])
def test_a_batch_whose_answer_is_too_long_gets_one_error(
    door: RpcDoor, rpc: Rpc, long_trace: str, beside: str
) -> None:
    """Whether the door has looked into it, refused a part of it, or neither."""
    calls = [request("trace_transaction", long_trace), request(beside, identity=2)]
    status, _, answer = asked(door.url, calls)
    assert (status, answer) == (200, {"jsonrpc": "2.0", "id": None, "error": TOO_LONG_ERROR})
    assert rpc.call("eth_chainId") == "0x7a69"


def test_an_answer_without_a_length_is_read_as_far_as_it_may() -> None:
    """The node says the length of its own, so one that does not stands in for it."""
    with endless_node() as (url, sent), RpcDoor(url) as opened:
        _, _, answer = asked(opened.url, request("eth_chainId", identity=3))
        assert answer == {"jsonrpc": "2.0", "id": 3, "error": TOO_LONG_ERROR}
        assert sent.wait(10)  # it was hung up on


@contextmanager
def endless_node() -> Iterator[tuple[str, threading.Event]]:
    """Its URL, and what is set when whoever asked has hung up."""
    left = threading.Event()

    class Endless(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * (1 << 20))
            except ConnectionError:
                left.set()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", left
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_websocket_whose_answer_is_too_long_is_told_why_it_ends(
    door: RpcDoor, long_trace: str, is_batch: bool
) -> None:
    async def talk() -> tuple[Any, int | None, Any]:
        async with aiohttp.ClientSession() as session, session.ws_connect(door.url) as socket:
            call = request("trace_transaction", long_trace)
            await socket.send_json([call, request("evm_mine")] if is_batch else call)
            said = await socket.receive(20)
            return said.type, socket.close_code, said.extra

    kind, code, reason = asyncio.run(talk())
    assert (kind, code, reason) == (aiohttp.WSMsgType.CLOSE, 1009, TOO_LONG)
