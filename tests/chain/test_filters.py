"""Filters and subscriptions while old blocks are dropped: nothing is lost without a word."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from devnet.base.waiting import wait_for
from devnet.chain import Account, Rpc, RpcError, Transaction, sign
from devnet.chain.door import RpcDoor
from devnet.chain.filters import Filters
from devnet.chain.kept import Kept
from devnet.chain.line import Line
from tests.chain.conftest import NAMES
from tests.chain.door.asking import asked
from tests.chain.pruned import EVERY, KEPT, LOGS, Node, created, request


class Source:
    """A contract that logs once in each block asked for."""

    def __init__(self, node: Node, account: Account) -> None:
        self._node, self._account = node, account
        raw = sign(account, Transaction(0, None, created(LOGS), 200_000))
        self.address = str(node.chain.mine([raw]).receipts[0].contract_address)
        self._nonce = 1

    def log(self) -> int:
        """The block that it is in."""
        raw = sign(self._account, Transaction(self._nonce, self.address, gas=100_000))
        self._nonce += 1
        return self._node.chain.mine([raw]).block.number


@pytest.fixture()
def source(node: Node, accounts: dict[str, Account]) -> Source:
    return Source(node, accounts[NAMES[0]])


def polled(rpc: Rpc, identity: str) -> list[int]:
    """The blocks of the logs that a poll gives."""
    return [int(log["blockNumber"], 16) for log in rpc.call("eth_getFilterChanges", identity)]


def drop(node: Node) -> None:
    """Once more, as soon as it is due."""
    before = node.kept.first
    node.chain.advance(max(0, max(before, 1) + KEPT + EVERY - 1 - node.chain.head.number))
    number = node.chain.head.number
    node.chain.advance(1)
    assert before < node.kept.first == number - KEPT + 1


def test_logs_that_are_gone_are_told_once_and_then_it_goes_on(
    node: Node, outside: Rpc, source: Source
) -> None:
    identity = outside.call("eth_newFilter", {"address": source.address})
    seen = source.log()
    assert polled(outside, identity) == [seen]
    gone = source.log()
    node.chain.advance(KEPT + EVERY)
    there = source.log()
    drop(node)
    first = node.kept.first
    assert gone < first <= there
    with pytest.raises(RpcError, match=f"logs of blocks {gone} to {first - 1} are gone") as told:
        polled(outside, identity)
    assert told.value.code == 4444
    assert f"goes on from block {first}" in told.value.text
    assert polled(outside, identity) == [there]
    assert polled(outside, identity) == []
    assert polled_after(node, outside, source, identity)


def test_what_is_told_once_is_not_told_to_a_notification(
    node: Node, outside: Rpc, source: Source
) -> None:
    """Nobody would hear it: it waits for whoever asks."""
    identity = outside.call("eth_newFilter", {"address": source.address})
    gone = source.log()
    node.chain.advance(KEPT + EVERY)
    drop(node)
    for method in ("eth_getFilterChanges", "eth_uninstallFilter"):
        silent = {"jsonrpc": "2.0", "method": method, "params": [identity]}
        assert asked(node.door.url, silent)[0] == 204
    with pytest.raises(RpcError, match=f"its logs of blocks {gone} to"):
        polled(outside, identity)
    assert polled(outside, identity) == []


def polled_after(node: Node, outside: Rpc, source: Source, identity: str) -> bool:
    """Whether it lives on across another drop, when it is asked in time."""
    seen = source.log()
    node.chain.advance(KEPT // 2)
    before = polled(outside, identity)
    node.chain.advance(KEPT // 2)
    late = source.log()
    drop(node)
    return before == [seen] and seen < node.kept.first and polled(outside, identity) == [late]


def test_one_that_nobody_polled_yet_is_told_too(node: Node, outside: Rpc, source: Source) -> None:
    """Made alone, and in a batch with others' identities that repeat."""
    alone = outside.call("eth_newFilter", {"address": source.address})
    several = outside.batch(
        [("eth_chainId", ()), ("eth_newFilter", ({"address": source.address},)), ("evm_mine", ())]
    )
    source.log()
    node.chain.advance(KEPT + EVERY)
    drop(node)
    for identity in (alone, several[1]):
        with pytest.raises(RpcError, match="was last asked at block 2, and blocks before"):
            polled(outside, identity)
        assert polled(outside, identity) == []


def test_filters_of_blocks_and_pending_transactions_lose_nothing(
    node: Node, outside: Rpc, source: Source
) -> None:
    heads = outside.call("eth_newBlockFilter")
    pending = outside.call("eth_newPendingTransactionFilter")
    start = node.chain.head.number
    source.log()
    node.chain.advance(KEPT + EVERY)
    drop(node)
    assert len(outside.call("eth_getFilterChanges", heads)) == node.chain.head.number - start
    assert len(outside.call("eth_getFilterChanges", pending)) == 1


def test_over_a_websocket_too(node: Node, source: Source) -> None:
    """Also where the filter was made by a batch that was refused in part."""

    async def talk() -> tuple[list[Any], list[Any]]:
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as socket:
            made = request(7, "eth_newFilter", {"address": source.address})
            await socket.send_json(made)
            identities = [(await socket.receive_json(timeout=10))["result"]]
            await socket.send_json([request(6, "evm_mine"), made])
            answers = {a["id"]: a for a in await socket.receive_json(timeout=10)}
            identities.append(answers[7]["result"])
            await asyncio.to_thread(node.chain.advance, KEPT + EVERY)
            await asyncio.to_thread(drop, node)
            polls: tuple[list[Any], list[Any]] = ([], [])
            for heard in polls:
                for identity in identities:
                    await socket.send_json(request(8, "eth_getFilterChanges", identity))
                    heard.append(await socket.receive_json(timeout=10))
            return polls

    told, again = asyncio.run(talk())
    assert [answer["error"]["code"] for answer in told] == [4444, 4444]
    assert [answer["result"] for answer in again] == [[], []]


def test_subscriptions_have_told_all_before_blocks_go(node: Node, source: Source) -> None:
    """Also to a client that reads nothing meanwhile, as long as there is room on the way."""

    async def talk() -> list[Any]:
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as socket:
            for identity, what in enumerate((["newHeads"], ["logs", {"address": source.address}])):
                await socket.send_json(request(identity, "eth_subscribe", *what))
                await socket.receive_json(timeout=10)
            await asyncio.to_thread(lives)
            await socket.send_json(request("last", "eth_blockNumber"))
            heard = []
            while (message := await socket.receive_json(timeout=10)).get("id") != "last":
                heard.append(message["params"]["result"])
            return heard

    logged = []

    def lives() -> None:
        for _ in range(3):
            logged.append(source.log())
            node.chain.advance(KEPT + EVERY)
            logged.append(source.log())
        drop(node)

    start = node.chain.head.number
    heard = asyncio.run(talk())
    heads = [int(item["number"], 16) for item in heard if "number" in item]
    logs = [int(item["blockNumber"], 16) for item in heard if "number" not in item]
    assert node.kept.first > logged[-3]
    assert heads == list(range(start + 1, node.chain.head.number + 1))
    assert logs == logged


# Alone


@pytest.fixture()
def kept() -> Iterator[Kept]:
    found = Kept()
    found.head = 100
    yield found


def poll(filters: Filters, identity: str) -> str:
    """One that is answered where it may pass."""
    refusal = filters.refusal("eth_getFilterChanges", [identity])
    if not refusal:
        for expected in filters.expected([request(1, "eth_getFilterChanges", identity)]):
            expected.came([])
    return refusal


def test_a_poll_counts_when_its_answer_is_there(kept: Kept) -> None:
    filters = Filters(kept)
    filters.made("0xa", 100)
    kept.head = 200
    call = request(1, "eth_getFilterChanges", "0xa")
    (expected,) = filters.expected([call])
    assert filters.refusal("eth_getFilterChanges", ["0xa"]) == ""
    expected.came(None)  # an error
    kept.drop(150, [])
    assert "its logs of blocks 101 to 149 are gone" in poll(filters, "0xa")
    kept.head = 300
    (expected,) = filters.expected([call])
    expected.is_lost()
    assert "was asked at block 300 and the answer was cut" in poll(filters, "0xa")
    assert poll(filters, "0xa") == ""


def test_what_was_refused_and_not_asked_since_is_told_again(kept: Kept) -> None:
    """After a refusal the node still has to tell what was not gone then."""
    filters = Filters(kept)
    filters.made("0xa", 100)
    kept.head = 200
    kept.drop(150, [])
    assert "blocks 101 to 149 are gone" in poll(filters, "0xa")
    kept.head = 300
    kept.drop(250, [])
    assert "blocks 150 to 249 are gone" in poll(filters, "0xa")
    assert poll(filters, "0xa") == ""


@pytest.mark.parametrize("others", [[], [["eth_call", {"data": "0x5b5f56"}, "latest"]]])
def test_a_poll_that_is_cut_is_refused_once(
    node: Node,
    outside: Rpc,
    source: Source,
    monkeypatch: pytest.MonkeyPatch,
    others: list[list[Any]],
) -> None:
    """By HTTP, and a batch; the identities are the request's own."""
    identity = outside.call("eth_newFilter", {"address": source.address})
    source.log()
    ask, held = RpcDoor._ask, threading.Event()

    async def slow(self: RpcDoor, body: bytes) -> Any:
        answer = await ask(self, body)  # the node has told what it will not tell again
        if b"eth_getFilterChanges" in body:
            held.set()
            await asyncio.sleep(60)
        return answer

    monkeypatch.setattr(RpcDoor, "_ask", slow)
    monkeypatch.setattr("devnet.chain.gate.DRAIN_SECONDS", 0.2)
    poll = request("mine", "eth_getFilterChanges", identity)
    rest = [request(place, *call) for place, call in enumerate(others)]
    answers: list[Any] = []
    asked: Any = [poll, *rest] if rest else poll
    thread = threading.Thread(target=lambda: answers.append(outside._exchange(asked)))
    thread.start()
    assert held.wait(10)
    with node.door.quiet():
        pass
    thread.join(10)
    monkeypatch.undo()
    heard = answers[0] if rest else answers
    assert [answer["id"] for answer in heard] == ["mine", *range(len(rest))]
    assert all("it took too long while" in answer["error"]["message"] for answer in heard)
    with pytest.raises(RpcError, match="the answer was cut: its logs of blocks") as told:
        polled(outside, identity)
    assert told.value.code == 4444
    assert polled(outside, identity) == []


def test_a_poll_of_a_websocket_that_is_cut_is_refused_once(
    node: Node, outside: Rpc, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devnet.chain.gate.DRAIN_SECONDS", 0.2)
    identity = outside.call("eth_newFilter", {"address": source.address})
    source.log()

    def unheard(self: Line, text: str) -> str | None:
        self.asked += 1  # as if it were on its way still
        return None

    async def talk() -> int | None:
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as socket:
            monkeypatch.setattr(Line, "_answer", unheard)
            await socket.send_json(request(1, "eth_getFilterChanges", identity))
            await asyncio.to_thread(
                wait_for, "the poll", lambda: bool(node.door._gate._is_busy()), limit_seconds=10
            )
            await asyncio.to_thread(quiet)
            return (await socket.receive(timeout=10)).data

    def quiet() -> None:
        with node.door.quiet():
            pass

    assert asyncio.run(talk()) == 1013
    monkeypatch.undo()
    with pytest.raises(RpcError, match="the answer was cut: its logs of blocks"):
        polled(outside, identity)


def test_a_filter_that_is_polled_in_time_is_never_refused(kept: Kept) -> None:
    filters = Filters(kept)
    filters.made("0xa", 100)
    for head in range(150, 5_000, 50):
        kept.head = head
        kept.drop(head - 50 + 1, [])
        assert poll(filters, "0xa") == ""


def test_a_gap_of_one_block_is_told(kept: Kept) -> None:
    filters = Filters(kept)
    filters.made("0xa", 100)
    kept.head = 200
    kept.drop(102, [])
    assert "its logs of blocks 101 to 101 are gone" in poll(filters, "0xa")
    assert poll(filters, "0xa") == ""
    kept.drop(201, [])
    assert poll(filters, "0xa") == ""  # it was asked at block 200


def test_strangers_to_it_pass(kept: Kept) -> None:
    filters = Filters(kept)
    filters.made("0xa", 0)
    kept.drop(50, [])
    for method, params in (
        ("eth_getFilterChanges", ["0xb"]),
        ("eth_getFilterChanges", []),
        ("eth_getFilterChanges", {}),
        ("eth_getFilterChanges", [["0xa"]]),
        ("eth_getFilterLogs", ["0xa"]),
        ("eth_uninstallFilter", ["0xa"]),
        ("eth_getFilterChanges", ["0xa"]),  # which is no filter now
    ):
        assert filters.refusal(method, params) == ""


def test_filters_that_the_node_has_forgotten_are_forgotten(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters, now = Filters(kept), 0.0
    monkeypatch.setattr("devnet.chain.filters.time.monotonic", lambda: now)
    for number in range(10_000):
        now += 10.0
        filters.made(hex(number), 0)
    assert len(filters._asked) < 400
    assert hex(9_999) in filters._asked
