"""Calls at the latest block while blocks are mined, on a node that keeps the head's state alone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from devnet.chain import Account, Rpc, RpcError
from devnet.chain.overtaken import asks_latest, goes_by_http, persistently
from tests.chain.conftest import NAMES
from tests.chain.pruned import Node, request

BLOCKS = 100
LATE = {"code": -32602, "message": "BlockOutOfRangeError: block height is 3 but requested was 2"}


def reads(alice: Account) -> list[tuple[str, Sequence[object]]]:
    at = {"to": alice.address}
    return [
        ("eth_call", (at, "latest")),
        ("eth_call", (at,)),
        ("eth_estimateGas", (at,)),
        ("eth_createAccessList", (at, "pending")),
        ("eth_getBalance", (alice.address, "latest")),
        ("eth_simulateV1", ({"blockStateCalls": [{"calls": [at]}]}, "latest")),
    ]


def test_no_call_fails_because_a_block_came(node: Node, accounts: dict[str, Account]) -> None:
    """Through the door over HTTP, alone and in a batch, over a WebSocket, and by the chain."""
    alice, over, asked = accounts[NAMES[0]], threading.Event(), [0, 0, 0]
    wrong: list[object] = []

    def http() -> None:
        with Rpc(node.door.url) as rpc:
            while not over.is_set():
                try:
                    for method, params in reads(alice):
                        raw(rpc, request(7, method, *params))
                    raw(rpc, [request(p, m, *q) for p, (m, q) in enumerate(reads(alice) * 3)])
                    asked[0] += 4 * len(reads(alice))
                except RpcError as error:
                    wrong.append(error)

    def raw(rpc: Rpc, document: object) -> None:
        """Without the asking again of our own client."""
        answer = rpc._exchange(document)
        for found in answer if isinstance(answer, list) else [answer]:
            if "error" in found:
                wrong.append(found)

    def socket() -> None:
        asyncio.run(talk())

    async def talk() -> None:
        calls = [request(p, m, *q) for p, (m, q) in enumerate(reads(alice))]
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as line:
            while not over.is_set():
                for message in [*calls, [*calls, request("head", "eth_blockNumber")]]:
                    await line.send_json(message)
                    heard = await line.receive_json(timeout=20)
                    found = heard if isinstance(heard, list) else [heard]
                    sent = message if isinstance(message, list) else [message]
                    assert {a["id"] for a in found} == {call["id"] for call in sent}
                    wrong.extend(answer for answer in found if "error" in answer)
                    asked[1] += len(found)

    def chain() -> None:
        with Rpc(node.anvil.url) as rpc:
            while not over.is_set():
                try:
                    rpc.batch(reads(alice) * 2)
                    rpc.call("eth_call", {"to": alice.address}, "latest")
                    asked[2] += 2 * len(reads(alice)) + 1
                except RpcError as error:
                    wrong.append(error)
                answers = rpc.batch(reads(alice) * 4)
                wrong.extend(answer for answer in answers if isinstance(answer, RpcError))

    threads = [threading.Thread(target=run) for run in (http, socket, chain)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(BLOCKS):
            before = sum(asked)
            while sum(asked) < before + 20 and any(t.is_alive() for t in threads):
                node.rpc.call("anvil_mine", "0x10")
                over.wait(0.002)
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    assert wrong == []
    assert min(asked) > 100
    assert node.chain.calls([(alice.address, b"")]) == [b""]


class Answering:
    """In the node's place, since what it says depends on the moment: the calls of a batch are
    overtaken as often as said, one number each."""

    def __init__(self, overtaken: dict[str, int]) -> None:
        self._left = dict(overtaken)
        self.heard: list[list[str]] = []

    async def __call__(self, body: bytes) -> tuple[int, bytes]:
        document = json.loads(body)
        calls = document if isinstance(document, list) else [document]
        self.heard.append([call["method"] for call in calls])
        answers = [self._answer(call) for call in calls]
        return 200, json.dumps(answers if isinstance(document, list) else answers[0]).encode()

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method = call["method"]
        late = self._left.get(method, 0) > 0
        self._left[method] = self._left.get(method, 0) - 1
        return {"id": call["id"]} | ({"error": LATE} if late else {"result": method})


def heard(ask: Answering, document: object) -> Any:
    return json.loads(asyncio.run(persistently(ask, json.dumps(document).encode()))[1])


def test_of_a_batch_only_what_failed_is_asked_again() -> None:
    """A poll asked twice would lose what the first one told."""
    ask = Answering({"eth_call": 2, "eth_getBalance": 1})
    document = [
        request("a", "eth_getFilterChanges", "0x1"),
        request(None, "eth_call", {}, "latest"),
        request("a", "eth_getBalance", "0x", "latest"),
    ]
    assert heard(ask, document) == [
        {"id": "a", "result": "eth_getFilterChanges"},
        {"id": None, "result": "eth_call"},
        {"id": "a", "result": "eth_getBalance"},
    ]
    assert ask.heard[1:] == [["eth_call", "eth_getBalance"], ["eth_call"]]


def test_what_fails_for_ever_is_told_after_eight() -> None:
    ask = Answering({"eth_call": 1_000})
    assert heard(ask, request(3, "eth_call", {})) == {"id": 3, "error": LATE}
    assert len(ask.heard) == 8


def test_what_names_a_block_is_asked_once() -> None:
    ask = Answering({"eth_call": 1})
    assert heard(ask, request(3, "eth_call", {}, "0x2"))["error"] == LATE
    assert len(ask.heard) == 1


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("eth_call", [{}], True),
        ("eth_call", [{}, None], True),
        ("eth_call", [{}, {"blockNumber": "pending"}], True),
        ("eth_call", [{}, {"blockHash": "0x" + "00" * 32}], False),
        ("eth_call", [{}, "0x7"], False),
        ("eth_call", [{}, 7], False),
        ("eth_call", [{}, "earliest"], False),
        ("eth_call", [{}, ["latest"]], False),
        ("eth_call", {"to": "0x"}, False),
        ("eth_getProof", ["0x", [], "latest"], True),
        ("eth_fillTransaction", [{}], True),
        ("eth_getFilterChanges", ["latest"], False),
        ("eth_sendRawTransaction", ["0x"], False),
        (7, [], False),
    ],
)
def test_what_is_at_the_latest_block(method: object, params: object, expected: bool) -> None:
    assert asks_latest(method, params) is expected


def test_a_count_stays_behind_what_a_websocket_sends() -> None:
    count = request(1, "eth_getTransactionCount", "0x", "pending")
    assert asks_latest(count["method"], count["params"])
    assert not goes_by_http(count)
    assert not goes_by_http({"method": "eth_call", "params": [{}]})  # nobody hears the answer
