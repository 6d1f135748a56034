"""The door before the node: reading and sending pass, changing does not, no web page gets in."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import http.server
import json
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from devnet.base import StartFailed
from devnet.chain import Account, Anvil, Rpc, RpcError, Transaction, sign, transaction_hash
from devnet.chain.door import RpcDoor
from devnet.chain.line import TOO_LONG
from devnet.chain.methods import refusal
from devnet.chain.origins import bar
from tests.chain.conftest import BLOCK_SECONDS, GENESIS, NAMES

ALICE = "account-0"
CALLER = "0x" + "c0" * 20
TOO_LONG_ERROR = {"code": -32603, "message": TOO_LONG}


@pytest.fixture(scope="module")
def node(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    folder = tmp_path_factory.mktemp("anvil")
    with Anvil(binary, genesis_timestamp=GENESIS, folder=folder, accounts=len(NAMES)) as anvil:
        with Rpc(anvil.url) as rpc:
            rpc.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        yield anvil


@pytest.fixture(scope="module")
def door(node: Anvil) -> Iterator[RpcDoor]:
    with RpcDoor(node.url) as opened:
        yield opened


@pytest.fixture()
def rpc(door: RpcDoor) -> Iterator[Rpc]:
    with Rpc(door.url) as client:
        yield client


def asked(
    url: str, body: object, headers: dict[str, str] | None = None, method: str = "POST"
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and answer of one request with exactly these headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request(
            method, "/", data, {"Content-Type": "application/json"} | (headers or {})
        )
        answer = connection.getresponse()
        text = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        is_json = found.get("content-type", "").startswith("application/json")
        return answer.status, found, json.loads(text) if is_json else text.decode()
    finally:
        connection.close()


def request(method: str, *params: object, identity: object = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}


# What passes, and what not


def test_reading_and_sending_pass(rpc: Rpc, node: Anvil, accounts: dict[str, Account]) -> None:
    raw = sign(accounts[ALICE], Transaction(0, "0x" + "11" * 20, gas=21_000, value=1))
    assert rpc.call("eth_sendRawTransaction", "0x" + raw.hex()) == transaction_hash(raw)
    assert rpc.call("txpool_status") == {"pending": "0x1", "queued": "0x0"}
    assert int(rpc.call("eth_chainId"), 16) == 31337
    sent = {"from": accounts["account-1"].address, "to": "0x" + "11" * 20, "value": "0x1"}
    assert len(rpc.call("eth_sendTransaction", sent)) == 66
    with Rpc(node.url) as inside:
        inside.call("evm_mine")
    assert rpc.call("eth_getTransactionReceipt", transaction_hash(raw))["status"] == "0x1"
    assert rpc.call("debug_traceTransaction", transaction_hash(raw))["gas"] == 21_000
    assert rpc.call("anvil_nodeInfo")["transactionOrder"] == "fifo"


CHANGES = [
    ("evm_mine", "devnet advance --blocks 1"),
    ("anvil_mine", "devnet advance --blocks 1"),
    ("hardhat_mine", "devnet advance --blocks 1"),
    ("evm_mine_detailed", "devnet advance"),
    ("evm_increaseTime", "devnet advance --time 12h"),
    ("evm_setNextBlockTimestamp", "devnet advance --time 12h"),
    ("anvil_setBlockTimestampInterval", "devnet advance --time 12h"),
    ("anvil_setTime", "devnet advance --time 12h"),
    ("evm_setAutomine", "devnet up --block-time"),
    ("evm_setIntervalMining", "devnet up --block-time"),
    ("evm_snapshot", "devnet down"),
    ("evm_revert", "devnet down"),
    ("anvil_reset", "devnet down"),
    ("hardhat_reset", "devnet down"),
    ("anvil_reorg", "devnet down"),
    ("anvil_rollback", "devnet down"),
    ("anvil_loadState", "devnet down"),
    ("anvil_setBalance", "devnet send"),
    ("hardhat_setBalance", "devnet send"),
    ("tenderly_setBalance", "devnet send"),
    ("anvil_addBalance", "devnet send"),
    ("anvil_setCode", "devnet send"),
    ("anvil_setStorageAt", "devnet send"),
    ("anvil_setNonce", "devnet send"),
    ("evm_setAccountNonce", "devnet send"),
    ("anvil_dealERC20", "devnet send"),
    ("anvil_impersonateAccount", "the network's mnemonic"),
    ("hardhat_impersonateAccount", "the network's mnemonic"),
    ("anvil_autoImpersonateAccount", "the network's mnemonic"),
    ("eth_sendUnsignedTransaction", "the network's mnemonic"),
    ("personal_unlockAccount", "the network's mnemonic"),
    ("anvil_dropTransaction", "a higher fee"),
    ("anvil_dropAllTransactions", "a higher fee"),
    ("anvil_removePoolTransactions", "a higher fee"),
    ("anvil_setCoinbase", "the devnet's own commands"),
    ("anvil_setChainId", "the devnet's own commands"),
    ("evm_setBlockGasLimit", "the devnet's own commands"),
    ("anvil_setNextBlockBaseFeePerGas", "the devnet's own commands"),
    ("anvil_setRpcUrl", "the devnet's own commands"),
    ("anvil_dumpState", "the devnet's own commands"),
    ("miner_start", "devnet advance --blocks 1"),
    ("debug_setHead", "the devnet's own commands"),
    ("something_new", "the devnet's own commands"),
]


@pytest.mark.parametrize(("method", "instead"), CHANGES)
def test_what_changes_the_chain_is_refused_with_what_to_do_instead(
    rpc: Rpc, node: Anvil, method: str, instead: str
) -> None:
    with Rpc(node.url) as inside:
        before = inside.call("eth_getBlockByNumber", "latest", False)
    with pytest.raises(RpcError) as refused:
        rpc.call(method, "0x" + "11" * 20, "0x1")
    assert (refused.value.code, refused.value.text) == (-32601, refusal(method))
    assert refused.value.text.startswith(f"{method} would change the chain behind the devnet's")
    assert instead in refused.value.text
    assert "--open-rpc" in refused.value.text
    assert rpc.call("eth_getBlockByNumber", "latest", False) == before


def test_a_batch_is_answered_call_by_call(door: RpcDoor, rpc: Rpc) -> None:
    calls = [("eth_chainId", ()), ("evm_mine", ()), ("net_version", ())]
    first, mine, last = rpc.batch(calls)
    assert (first, last) == ("0x7a69", "31337")
    assert isinstance(mine, RpcError)
    status, _, answers = asked(door.url, [request("evm_mine", identity=n) for n in (7, 8)])
    assert (status, [answer["id"] for answer in answers]) == (200, [7, 8])


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","method":"evm_mine","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"method":"evm_mine","method":"eth_chainId","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"meth\\u006fd":"evm_mine","params":[]}',
        b'[{"jsonrpc":"2.0","id":1,"method":"evm\\u005fmine","params":[]}]',
        b'[[{"jsonrpc":"2.0","id":1,"method":"evm_mine","params":[]}]]',
        b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"evm_mine","params":[]}',
        b'["2.0","evm_mine",[],1]',  # a list is read as the members in order
        b'[["2.0","evm_mine",[],1],{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}]',
        b'{"jsonrpc":"2.0","id":"\xff","method":"evm_mine","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"method":"evm_mine","params":[{"blocks":1,"x":'
        + b"1" * 5_000
        + b"}]}",
    ],
)
def test_no_spelling_leads_around_it(door: RpcDoor, rpc: Rpc, body: bytes) -> None:
    before = rpc.call("eth_blockNumber")
    asked(door.url, body)
    assert rpc.call("eth_blockNumber") == before


def test_a_refusal_beside_a_notification_is_told(door: RpcDoor) -> None:
    silent = {"jsonrpc": "2.0", "method": "eth_chainId", "params": []}
    _, _, answers = asked(door.url, [silent, request("evm_mine", identity=7)])
    assert [answer["id"] for answer in answers] == [7]


def test_the_node_reads_what_the_door_has_read(door: RpcDoor) -> None:
    twice = b'{"jsonrpc":"2.0","id":1,"method":"evm_mine","method":"eth_chainId","params":[]}'
    assert asked(door.url, twice)[2]["result"] == "0x7a69"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"[1,2]", b'{"id":1}'])
def test_what_is_no_request_gets_the_node_s_own_answer(
    door: RpcDoor, node: Anvil, body: bytes
) -> None:
    assert asked(door.url, body)[::2] == asked(node.url, body)[::2]


def test_an_open_door_lets_everything_through(node: Anvil) -> None:
    with RpcDoor(node.url, is_open=True) as opened, Rpc(opened.url) as rpc:
        before = int(rpc.call("eth_blockNumber"), 16)
        rpc.call("evm_mine")
        assert int(rpc.call("eth_blockNumber"), 16) == before + 1


def test_a_taken_port_is_named(node: Anvil, door: RpcDoor) -> None:
    with pytest.raises(StartFailed, match=f"port {urlsplit(door.url).port} for the chain is taken"):
        RpcDoor(node.url, port=urlsplit(door.url).port or 0).__enter__()


def test_a_node_that_does_not_answer_is_said(accounts: dict[str, Account]) -> None:
    with RpcDoor("http://127.0.0.1:1") as opened, Rpc(opened.url) as rpc:
        with pytest.raises(RpcError, match="the chain does not answer"):
            rpc.call("eth_chainId")


# Answers without end


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


# Web pages


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "null"},
        {"Host": "evil.example:8545"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Host": "["},
        {"Origin": "http://["},
    ],
)
def test_no_page_gets_in(door: RpcDoor, headers: dict[str, str]) -> None:
    for content in ("application/json", "text/plain"):
        status, found, _ = asked(
            door.url, request("eth_chainId"), {"Content-Type": content} | headers
        )
        assert status == 403
        assert not [name for name in found if name.startswith("access-control")]
    asks = {"Access-Control-Request-Method": "POST", "Origin": "https://evil.example"}
    status, found, _ = asked(door.url, b"", asks | headers, method="OPTIONS")
    assert status == 403
    assert not [name for name in found if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "chrome-extension://abc"}, {"Host": "localhost:1"}, {"Host": "[::1]:8545"}],
)
def test_who_is_no_page_gets_in(door: RpcDoor, headers: dict[str, str]) -> None:
    status, _, answer = asked(door.url, request("eth_chainId"), headers)
    assert (status, answer["result"]) == (200, "0x7a69")
    assert bar({"Host": "localhost", **headers}) == ""


def test_the_node_itself_tells_no_page_that_it_may(node: Anvil) -> None:
    origin = {"Origin": "https://evil.example"}
    asks = {"Access-Control-Request-Method": "POST", **origin}
    for method, headers in (("OPTIONS", asks), ("POST", origin)):
        _, found, _ = asked(node.url, request("eth_chainId"), headers, method=method)
        assert not [name for name in found if name.startswith("access-control")]
    # What a page may send without asking first, the node does not take.
    _, _, answer = asked(node.url, request("evm_mine"), {"Content-Type": "text/plain", **origin})
    assert answer["error"]["message"] == "Invalid request"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_encoded_as_it_says(door: RpcDoor, encoding: str) -> None:
    status, _, answer = asked(door.url, request("eth_chainId"), {"Content-Encoding": encoding})
    said = "the body is not what its headers say it is"
    assert (status, answer["error"]) == (400, {"code": -32600, "message": said})
    packed = gzip.compress(json.dumps(request("eth_chainId")).encode())
    status, _, answer = asked(door.url, packed, {"Content-Encoding": "gzip"})
    assert (status, answer["result"]) == (200, "0x7a69")


# WebSocket


def test_a_websocket_reads_subscribes_and_changes_nothing(door: RpcDoor, node: Anvil) -> None:
    async def talk() -> list[Any]:
        heard: list[Any] = []
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(door.url.replace("http", "ws")) as socket:
                for call in (request("eth_chainId"), request("evm_mine")):
                    await socket.send_str(json.dumps(call))
                    heard.append(await socket.receive_json(timeout=10))
                await socket.send_str(json.dumps(request("eth_subscribe", "newHeads")))
                heard.append(await socket.receive_json(timeout=10))
                await asyncio.to_thread(mine)
                heard.append(await socket.receive_json(timeout=10))
                batch = [request("eth_chainId", identity=4), request("evm_mine", identity=5)]
                await socket.send_str(json.dumps(batch))
                heard.append(await socket.receive_json(timeout=10))
        return heard

    def mine() -> None:
        with Rpc(node.url) as inside:
            inside.call("evm_mine")

    chain, refused, subscribed, head, batch = asyncio.run(talk())
    assert chain["result"] == "0x7a69"
    assert refused["error"]["message"] == refusal("evm_mine")
    assert head["params"]["subscription"] == subscribed["result"]
    answers = {answer["id"]: answer for answer in batch}
    assert answers.keys() == {4, 5}
    assert answers[4]["result"] == "0x7a69"
    assert answers[5]["error"]["message"] == refusal("evm_mine")


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (["eth_chainId", "evm_mine"], {0: "0x7a69", 1: "refused"}),
        (["evm_mine", "evm_snapshot"], {0: "refused", 1: "refused"}),
        (["eth_chainId", "evm_mine", "no_such", "net_version"], None),
        ([*["eth_chainId"] * 40, *["evm_mine"] * 40], None),
    ],
    ids=["one of each", "all refused", "in between", "many"],
)
def test_a_websocket_s_batch_that_is_refused_in_part_is_answered_whole(
    door: RpcDoor, batch: list[str], told: dict[int, str] | None
) -> None:
    """In one array, every call by the identity that it was given."""
    calls = [request(method, identity=place) for place, method in enumerate(batch)]
    (heard,) = asyncio.run(heard_of(door, calls))
    answers = {answer["id"]: answer for answer in heard}
    assert len(heard) == len(batch)
    assert answers.keys() == set(range(len(batch)))
    for place, method in enumerate(batch):
        refused = answers[place].get("error", {}).get("message", "")
        assert refused == refusal(method)
        if told is not None:
            assert answers[place].get("result", "refused") == told[place]


def test_identities_of_a_batch_are_whatever_the_client_likes(door: RpcDoor) -> None:
    """Strings, null, numbers, twice the same; notifications; what is no call at all."""
    calls = [
        request("eth_chainId", identity="door-1"),
        request("eth_chainId", identity=1),
        request("net_version", identity=1),
        request("evm_mine", identity=1),
        {"jsonrpc": "2.0", "method": "eth_chainId", "params": []},
        7,
    ]
    (heard,) = asyncio.run(heard_of(door, calls))
    found = sorted((json.dumps(answer["id"]), answer.get("result", "error")) for answer in heard)
    assert found == [
        ('"door-1"', "0x7a69"),
        ("1", "0x7a69"),
        ("1", "31337"),
        ("1", "error"),
        ("null", "error"),
    ]


def test_of_notifications_beside_a_refused_call_only_that_is_answered(door: RpcDoor) -> None:
    notification = {"jsonrpc": "2.0", "method": "eth_chainId", "params": []}
    heard = asyncio.run(
        heard_of(door, [notification, request("evm_mine", identity=3)], request("eth_chainId"))
    )
    assert [answer["id"] for answer in heard[0]] == [3]
    assert heard[1]["result"] == "0x7a69"


def test_a_batch_that_is_refused_in_part_may_subscribe(door: RpcDoor, node: Anvil) -> None:
    async def talk() -> tuple[Any, Any]:
        async with aiohttp.ClientSession() as session, session.ws_connect(door.url) as socket:
            calls = [request("eth_subscribe", "newHeads", identity=1), request("evm_mine")]
            await socket.send_json(calls)
            answers = await socket.receive_json(timeout=10)
            with Rpc(node.url) as inside:
                inside.call("evm_mine")
            return answers, await socket.receive_json(timeout=10)

    answers, news = asyncio.run(talk())
    assert news["params"]["subscription"] == answers[0]["result"]


async def heard_of(door: RpcDoor, *messages: Any) -> list[Any]:
    """One answer to each."""
    heard = []
    async with aiohttp.ClientSession() as session, session.ws_connect(door.url) as socket:
        for message in messages:
            await socket.send_json(message)
            heard.append(await socket.receive_json(timeout=10))
    return heard


def test_a_websocket_takes_no_broken_text_for_a_request(door: RpcDoor, rpc: Rpc) -> None:
    async def sent() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(door.url) as socket:
            await socket.send_bytes(
                b'{"jsonrpc":"2.0","id":"\xff","method":"evm_mine","params":[]}'
            )
            await socket.send_str('["2.0","evm_mine",[],1]')
            await socket.send_json(request("eth_chainId", identity=9))
            while json.loads((await socket.receive(10)).data).get("id") != 9:
                pass

    before = rpc.call("eth_blockNumber")
    asyncio.run(sent())
    assert rpc.call("eth_blockNumber") == before


def test_no_page_gets_a_websocket(door: RpcDoor) -> None:
    async def knock() -> int:
        async with aiohttp.ClientSession() as session:
            try:
                await session.ws_connect(
                    door.url.replace("http", "ws"), headers={"Origin": "https://evil.example"}
                )
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status
            return 0

    assert asyncio.run(knock()) == 403
