"""Old blocks leave the node, and nothing else does: every block to come is the one without it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Sequence
from typing import Any

import aiohttp
import psutil
import pytest

from devnet.base.waiting import wait_for
from devnet.chain import (
    Account,
    Chain,
    ChainError,
    Refusal,
    Rpc,
    RpcError,
    Transaction,
    sign,
)
from devnet.chain.door import RpcDoor
from devnet.chain.pruning import Pruning
from tests.chain.conftest import NAMES
from tests.chain.pruned import EVERY, KEPT, Node, created, request, said, transfer

# PUSH0 CALLDATALOAD BLOCKHASH PUSH0 SSTORE, and an event: what it read stays in the state.
LOGS_MUCH = bytes.fromhex("620190005fa000")  # 102 400 bytes, 200 KB of JSON
MANY = 120
KEEPS_A_HASH = bytes.fromhex("5f35405f555f5fa000")


# The chain stays the same


def test_every_block_is_that_of_a_node_which_keeps_all(
    node: Node, chain: Chain, accounts: dict[str, Account]
) -> None:
    """Transfers, a contract that stores old block hashes, others' transactions in the pool."""
    alice, bob, carol = (accounts[name] for name in NAMES[:3])
    twins = (node.chain, chain)
    creation = sign(alice, Transaction(0, None, created(KEEPS_A_HASH), 1_000_000))
    mined = [twin.mine([creation]) for twin in twins]
    contract = mined[0].receipts[0].contract_address
    assert contract is not None
    behind_a_hole = transfer(carol, bob, 7)
    for twin in twins:
        twin.pool.offer([behind_a_hole])
    chance, nonce = random.Random(9), 1
    for foreign in range(120):
        empty = chance.randrange(1, 12)
        back = chance.choice((1, 2, empty, 200, 256, 257))
        asked = max(0, chain.head.number + 1 - back)
        raws = [
            sign(alice, Transaction(nonce, contract, asked.to_bytes(32), 100_000)),
            transfer(alice, bob, nonce + 1),
        ]
        nonce += 2
        waiting = transfer(bob, carol, foreign)
        for twin in twins:
            twin.mine(raws)
            twin.pool.offer([waiting])
            twin.include({})
            twin.advance(empty)
        assert node.chain.head == chain.head
        slot = [twin.rpc.call("eth_getStorageAt", contract, "0x0", "latest") for twin in twins]
        assert slot[0] == slot[1]
    assert node.kept.first > 500  # it did drop, several times
    assert node.chain.foreign == []
    assert node.chain.pool.of(carol.address).keys() == {7}
    same = (
        ("eth_gasPrice", ()),
        ("eth_feeHistory", ("0x4", "latest", [50])),
        ("eth_getBlockByNumber", ("0x0", True)),
        ("eth_getBlockByNumber", (hex(chain.head.number - KEPT + EVERY), True)),
        ("eth_getBlockByNumber", ("pending", False)),
        ("eth_getLogs", ({"fromBlock": hex(node.kept.first)},)),
        ("eth_getBlockReceipts", (hex(node.kept.first + 1),)),
        ("trace_block", (hex(node.kept.first + 1),)),
    )
    for method, params in same:
        ours, theirs = (twin.rpc.call(method, *params) for twin in twins)
        assert ours == theirs, method


def test_a_run_of_empty_blocks_drops_on_its_way(node: Node) -> None:
    (mined,) = node.chain.advance(2_500)
    assert (mined.run, mined.block.number) == (2_500, 2_501)
    assert node.kept.first == 2_001 - KEPT + 1
    node.chain.advance(1)
    assert node.kept.first == 2_501 - KEPT + 1
    assert node.chain.foreign == []


def test_memory_stays(node: Node, accounts: dict[str, Account]) -> None:
    """With a transaction in each block, a trace and a receipt to it.

    Of 2 048 blocks anvil remembers the fees, some 3 KB each; after that nothing grows.
    """
    assert node.anvil.pid is not None
    process = psutil.Process(node.anvil.pid)
    alice, bob = accounts["account-0"], accounts["account-1"]
    sizes = []
    for nonce in range(1_600):
        node.chain.mine([transfer(alice, bob, nonce)])
        if nonce in (399, 1_599):
            sizes.append(process.memory_info().rss)
    assert sizes[1] - sizes[0] < 1_200 * 6_000  # one that keeps all: 11 KB a block


def test_a_node_that_is_another_afterwards_is_told(
    node: Node, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.chain.mine([transfer(accounts["account-0"], accounts["account-1"], 0)])
    node.chain.advance(KEPT + EVERY - 3)
    renewed = Pruning._renew

    def badly(
        self: Pruning, first: int, waiting: Sequence[bytes]
    ) -> tuple[Sequence[bytes], Sequence[Refusal]]:
        refusals = renewed(self, first, waiting)
        node.rpc.call("anvil_setBalance", accounts["account-2"].address, "0x1")
        return refusals

    monkeypatch.setattr(Pruning, "_renew", badly)
    node.chain.advance(1)
    with pytest.raises(ChainError, match=r"blocks before 41 could not .* not what it was"):
        node.chain.advance(1)


# What is gone is refused


def test_the_door_refuses_what_the_node_would_answer_with_nothing(
    node: Node, outside: Rpc, accounts: dict[str, Account]
) -> None:
    """Over HTTP, in a batch, and over WebSocket."""
    alice, bob = accounts["account-0"], accounts["account-1"]
    old = node.chain.mine([transfer(alice, bob, 0)]).receipts[0].hash
    first = node.chain.block_hash(1)
    node.chain.advance(KEPT + EVERY - 2)
    recent = node.chain.mine([transfer(alice, bob, 1)]).receipts[0].hash
    assert node.kept.first == EVERY + 1
    assert node.rpc.call("eth_getTransactionReceipt", old) is None  # which looks like: never sent
    assert node.rpc.call("eth_getLogs", {"fromBlock": "0x0"}) == []
    asked: list[tuple[str, tuple[object, ...]]] = [
        ("eth_getTransactionReceipt", (old,)),
        ("eth_getTransactionByHash", (old,)),
        ("trace_transaction", (old,)),
        ("eth_getBlockByHash", (first, False)),
        ("eth_getBlockByNumber", ("0x2", False)),
        ("eth_getLogs", ({"fromBlock": "0x0", "toBlock": "latest"},)),
        ("eth_getLogs", ({"blockHash": first},)),
        ("eth_getBalance", (alice.address, "0x2")),
    ]
    for method, params in asked:
        with pytest.raises(RpcError, match=f"blocks before {EVERY + 1} are not kept") as refused:
            outside.call(method, *params)
        assert refused.value.code == 4444
    in_batch = outside.batch([*asked, ("eth_getTransactionReceipt", (recent,))])
    assert sum(isinstance(answer, RpcError) for answer in in_batch) == len(asked)
    assert outside.call("eth_getTransactionReceipt", recent)["status"] == "0x1"
    assert outside.call("eth_getTransactionReceipt", "0x" + "22" * 32) is None
    assert outside.call("eth_getLogs", {"fromBlock": hex(EVERY + 1)}) == []
    assert outside.call("eth_getBlockByNumber", "0x0", False)["number"] == "0x0"
    (answer,) = asyncio.run(said(node.door.url, ["eth_getTransactionReceipt", old]))
    assert answer["error"]["code"] == 4444


# Nobody sees the node between


def test_requests_wait_while_the_door_is_quiet(node: Node, outside: Rpc) -> None:
    """Over HTTP and WebSocket; what came then is answered as soon as it is left."""
    answers: list[object] = []

    def ask() -> None:
        answers.append(outside.call("eth_blockNumber"))

    def talk() -> None:
        answers.append(asyncio.run(said(node.door.url, ["eth_chainId"]))[0]["result"])

    threads = [threading.Thread(target=ask), threading.Thread(target=talk)]
    with node.door.quiet():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(0.3)
        assert answers == []
        node.rpc.call("evm_mine")
    for thread in threads:
        thread.join(10)
    assert sorted(map(str, answers)) == ["0x2", "0x7a69"]


def test_calls_of_other_threads_wait_while_one_is_alone(node: Node) -> None:
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(node.rpc.call("eth_blockNumber")))
    with node.rpc.alone():
        thread.start()
        thread.join(0.3)
        assert answers == []
        node.rpc.call("evm_mine")
    thread.join(10)
    assert answers == ["0x2"]


def test_what_takes_too_long_is_told_that_it_was_cut(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an open door: through the other no call is that long."""
    monkeypatch.setattr("devnet.chain.gate.DRAIN_SECONDS", 0.2)
    seen: list[BaseException] = []
    endless = {"data": "0x5b5f56", "gas": hex(2_000_000_000)}  # JUMPDEST PUSH0 JUMP

    def ask(outside: Rpc) -> None:
        try:
            outside.call("eth_call", endless, "latest")
        except RpcError as error:
            seen.append(error)

    with RpcDoor(node.anvil.url, is_open=True) as door, Rpc(door.url) as outside:
        thread = threading.Thread(target=ask, args=[outside])
        thread.start()
        wait_for("the call to be at the node", lambda: bool(door._gate._asking), limit_seconds=10)
        with door.quiet():
            pass
        thread.join(20)
    assert "it took too long while the chain dropped its old blocks" in str(seen[0])


@pytest.mark.parametrize(
    "call",
    [["eth_subscribe", "newHeads"], ["eth_chainId"], ["no_such"]],
    ids=lambda call: str(call[0]),
)
def test_a_websocket_that_has_its_answers_stays_open(node: Node, call: list[object]) -> None:
    async def talk() -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(node.door.url) as socket,
        ):
            request = {"jsonrpc": "2.0", "method": call[0], "params": call[1:]}
            await socket.send_json(request | {"id": 1})
            await socket.receive_json(timeout=10)
            await socket.send_json(request)  # a notification: no answer comes to it
            await asyncio.to_thread(node.rpc.call, "evm_mine")
            await asyncio.to_thread(once, node.door)
            await socket.send_json(request | {"id": 2, "method": "eth_blockNumber", "params": []})
            while (heard := await socket.receive_json(timeout=10)).get("id") != 2:
                pass
            return heard

    assert asyncio.run(talk())["result"] == "0x2"


@pytest.mark.parametrize(
    "message",
    [
        *("[]", "[{}]", "{}", "[1]", "x", '{"id": 1}'),
        '{"jsonrpc": "2.0", "method": "eth_chainId", "params": 5}',
        '{"jsonrpc": "2.0", "method": 5}',
    ],
)
def test_every_answer_of_the_node_is_counted(node: Node, message: str) -> None:
    """Or one that is not would end the wait for another."""

    async def talk() -> list[int]:
        counts = []
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as socket:
            await socket.send_json(request(1, "eth_chainId"))
            await socket.receive_json(timeout=10)
            (line,) = node.door._gate.lines
            pass_on = line._node.send_str

            async def send(text: str) -> None:
                counts.append(line.asked)
                await pass_on(text)

            line._node.send_str = send  # type: ignore[method-assign,assignment]
            await socket.send_str(message)
            await socket.receive(timeout=10)
        return counts

    assert asyncio.run(talk()) == [1]


def once(door: RpcDoor) -> None:
    with door.quiet():
        pass


def test_a_websocket_that_is_cut_is_told_why(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an open door: through the other no call is that long."""
    monkeypatch.setattr("devnet.chain.gate.DRAIN_SECONDS", 0.2)
    endless = {"data": "0x5b5f56", "gas": hex(2_000_000_000)}

    async def talk(door: RpcDoor) -> aiohttp.WSMessage:
        async with aiohttp.ClientSession() as session, session.ws_connect(door.url) as socket:
            await socket.send_json(request(1, "eth_call", endless, "latest"))
            await asyncio.to_thread(busy, door)
            await asyncio.to_thread(once, door)
            return await socket.receive(timeout=20)

    def busy(door: RpcDoor) -> None:
        wait_for("the call to be at the node", door._gate._is_busy, limit_seconds=10)

    with RpcDoor(node.anvil.url, is_open=True) as door:
        heard = asyncio.run(talk(door))
    assert (heard.type, heard.data) == (aiohttp.WSMsgType.CLOSE, 1013)
    assert heard.extra == (
        "too slow while the chain dropped its old blocks (chain.prune_history): connect again"
    )


def test_a_subscriber_that_does_not_read_is_cut_rather_than_left_without_news(
    node: Node, accounts: dict[str, Account]
) -> None:
    """Its news would be about blocks that are gone."""
    alice = accounts["account-0"]
    creation = sign(alice, Transaction(0, None, created(LOGS_MUCH), 1_000_000))
    contract = node.chain.mine([creation]).receipts[0].contract_address
    assert contract is not None

    async def talk() -> tuple[int, bool]:
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as socket:
            await socket.send_json(request(1, "eth_subscribe", "logs", {"address": contract}))
            await socket.receive_json(timeout=10)
            await asyncio.to_thread(speak)
            await asyncio.to_thread(once, node.door)
            heard = 0
            while (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
                heard += 1
            return heard, socket.closed

    def speak() -> None:
        for nonce in range(1, MANY + 1):
            node.chain.mine([sign(alice, Transaction(nonce, contract, gas=1_500_000))])

    heard, closed = asyncio.run(talk())
    assert heard < MANY
    assert closed
