"""Old blocks leave the node, and nothing else does: every block to come is the one without it."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from devnet.base.waiting import wait_for
from devnet.chain import Account, Anvil, Chain, ChainError, Rpc, RpcError, Transaction, sign
from devnet.chain import pruning as pruning_module
from devnet.chain.door import RpcDoor
from devnet.chain.kept import BLOCK_AT, FILTERS, SEARCHES, Kept
from devnet.chain.pruning import Pruning, trimmed
from tests.chain.conftest import BLOCK_SECONDS, GENESIS, NAMES

KEPT, EVERY = 260, 40
# PUSH0 CALLDATALOAD BLOCKHASH PUSH0 SSTORE, and an event: what it read stays in the state.
KEEPS_A_HASH = bytes.fromhex("5f35405f555f5fa000")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning_module, "KEPT_BLOCKS", KEPT)
    monkeypatch.setattr(pruning_module, "DROP_EVERY", EVERY)


@dataclass
class Node:
    """One that drops its old blocks, behind its door."""

    chain: Chain
    kept: Kept
    door: RpcDoor
    anvil: Anvil

    @property
    def rpc(self) -> Rpc:
        return self.chain.rpc


@pytest.fixture()
def node(binary: Path, tmp_path: Path) -> Iterator[Node]:
    kept = Kept()
    with (
        Anvil(
            binary,
            genesis_timestamp=GENESIS,
            folder=tmp_path / "node",
            accounts=len(NAMES),
            prune_history=True,
        ) as anvil,
        RpcDoor(anvil.url, kept=kept) as door,
        Rpc(anvil.url) as rpc,
    ):
        dropping = Pruning(rpc, BLOCK_SECONDS, kept, door.quiet)
        chain = Chain(rpc, BLOCK_SECONDS, pruning=dropping)
        chain.prepare()
        yield Node(chain, kept, door, anvil)


@pytest.fixture()
def outside(node: Node) -> Iterator[Rpc]:
    with Rpc(node.door.url) as rpc:
        yield rpc


def created(code: bytes) -> bytes:
    """What deploys it."""
    size = len(code)
    return bytes([0x60, size, 0x60, 11, 0x5F, 0x39, 0x60, size, 0x5F, 0xF3, 0x00]) + code


def transfer(sender: Account, to: Account, nonce: int) -> bytes:
    return sign(sender, Transaction(nonce, to.address, gas=21_000, value=1))


# --- the chain stays the same ------------------------------------------------------------------


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
    node.chain.advance(2_500)
    head = node.chain.head.number
    assert head == 2_501
    assert head - KEPT - EVERY < node.kept.first <= head - KEPT + 1
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

    def badly(self: Pruning, dump: str) -> None:
        renewed(self, dump)
        node.rpc.call("anvil_setBalance", accounts["account-2"].address, "0x1")

    monkeypatch.setattr(Pruning, "_renew", badly)
    with pytest.raises(ChainError, match="not what it was after blocks before 41 were dropped"):
        node.chain.advance(1)


# --- what is gone is refused, the rest is answered ---------------------------------------------


def params_at(place: int, block: object) -> list[object]:
    return [*([f"0x{'11' * 20}", "0x0"][:place]), block, "0x0"]


ASKED = [
    *(
        (method, params_at(place, block))
        for method, place in sorted(BLOCK_AT.items())
        for block in ("0x5", 5, "5", {"blockNumber": "0x5"})
    ),
    *(
        (method, [{"fromBlock": block}])
        for method in sorted(FILTERS)
        for block in ("0x5", 5, "0x0", "earliest")
    ),
    ("trace_filter", [{"toBlock": "latest"}]),
    *((method, ["0x1", "0x2", "0x3"]) for method in sorted(SEARCHES)),
]


@pytest.mark.parametrize(("method", "params"), ASKED, ids=lambda given: json.dumps(given))
def test_what_is_about_gone_blocks_is_refused(method: str, params: list[object]) -> None:
    kept = Kept()
    assert kept.refusal(method, params) == ""  # nothing is gone yet
    kept.drop(6, [])
    refused = kept.refusal(method, params)
    assert "blocks before 6 are not kept" in refused
    assert "chain.prune_history: false" in refused


@pytest.mark.parametrize(
    ("method", "params"),
    [
        *(
            (method, params_at(place, block))
            for method, place in sorted(BLOCK_AT.items())
            for block in ("0x6", 6, "latest", "pending", None, "0x0", {"blockNumber": "0x6"})
        ),
        *((method, params_at(place, None)[:place]) for method, place in BLOCK_AT.items()),
        *((method, [{"fromBlock": block}]) for method in FILTERS for block in ("0x6", "latest")),
        ("eth_getLogs", [{}]),
        ("eth_getLogs", [{"blockHash": "0x" + "22" * 32, "fromBlock": None}]),
        ("eth_getLogs", []),
        ("eth_getLogs", {"fromBlock": "0x1"}),
        ("eth_getLogs", ["x"]),
        ("eth_getTransactionReceipt", ["0x" + "22" * 32]),
        ("eth_getTransactionReceipt", [5]),
        ("eth_getTransactionReceipt", ["0x" + "zz" * 32]),
        ("web3_sha3", ["0x" + "11" * 32]),
        ("eth_blockNumber", []),
        ("eth_getBlockByNumber", ["0x" + "f" * 70, False]),
        (None, [1]),
    ],
    ids=lambda given: json.dumps(given),
)
def test_what_is_about_others_passes(method: object, params: object) -> None:
    kept = Kept()
    kept.drop(6, ["0x" + "11" * 32])
    assert kept.refusal(method, params) == ""


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("trace_replayBlockTransactions", ["latest", ["trace"]]),
        ("debug_traceTransaction", ["0x" + "22" * 32, {"tracer": "callTracer"}]),
    ],
)
def test_what_needs_old_states_is_refused_where_they_are_not_kept(
    method: str, params: list[object]
) -> None:
    assert Kept().refusal(method, params) == ""
    assert "needs a state that is not kept" in Kept(states=False).refusal(method, params)
    for passing in ("trace_block", "trace_transaction", "eth_call"):
        assert Kept(states=False).refusal(passing, params) == ""
    assert Kept(states=False).refusal("debug_traceTransaction", params[:1]) == ""


def test_a_gone_hash_is_known_wherever_a_method_takes_it() -> None:
    block, transaction = "0x" + "11" * 32, "0x" + "ab" * 32
    kept = Kept()
    kept.drop(6, [block])
    kept.drop(8, [transaction])
    asked: list[tuple[str, list[object]]] = [
        ("eth_getTransactionByHash", [transaction]),
        ("eth_getTransactionReceipt", [transaction.upper().replace("0X", "0x")]),
        ("eth_getRawTransactionByHash", [transaction]),
        ("trace_transaction", [transaction]),
        ("debug_traceTransaction", [transaction, {}]),
        ("eth_getBlockByHash", [block, True]),
        ("eth_getBlockReceipts", [{"blockHash": block}]),
        ("eth_call", [{}, {"blockHash": block}]),
        ("eth_call", [{}, block]),
        ("eth_getLogs", [{"blockHash": block}]),
    ]
    for method, params in asked:
        assert "blocks before 8 are not kept" in kept.refusal(method, params), method


def test_the_door_refuses_what_the_node_would_answer_with_nothing(
    node: Node, outside: Rpc, accounts: dict[str, Account]
) -> None:
    """Over HTTP, in a batch, and over WebSocket."""
    alice, bob = accounts["account-0"], accounts["account-1"]
    old = node.chain.mine([transfer(alice, bob, 0)]).receipts[0].hash
    first = node.chain.block_hash(1)
    node.chain.advance(KEPT + EVERY - 3)
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


async def said(url: str, *calls: list[object]) -> list[Any]:
    heard = []
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for identity, (method, *params) in enumerate(calls):
            await socket.send_json(
                {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}
            )
            heard.append(await socket.receive_json(timeout=20))
    return heard


# --- nobody sees the node between ---------------------------------------------------------------


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
    monkeypatch.setattr("devnet.chain.door.DRAIN_SECONDS", 0.2)
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
        wait_for("the call to be at the node", lambda: bool(door._asking), limit_seconds=10)
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


def once(door: RpcDoor) -> None:
    with door.quiet():
        pass


# --- the dump -----------------------------------------------------------------------------------


def test_a_dump_loses_old_blocks_their_transactions_and_the_accounts() -> None:
    def block(number: int) -> dict[str, Any]:
        header = {"number": hex(number), "parentHash": f"hash of {number - 1}", "x": "[],{}"}
        return {"header": header, "transactions": [], "ommers": []}

    def row(name: str, number: int) -> dict[str, Any]:
        return {"info": {"transaction_hash": name, "traces": [{}]}, "block_number": number}

    document = {
        "block": {"number": "0x4"},
        "accounts": {"0x1": {"code": "0x"}},
        "best_block_number": 4,
        "blocks": [block(number) for number in (3, 0, 4, 1, 2)],
        "transactions": [row("a", 4), row("b", 1), row("c", 3), row("d", 2)],
        "historical_states": None,
    }
    text, gone = trimmed(json.dumps(document, separators=(",", ":")), 3)
    assert json.loads(text) == {
        **document,
        "accounts": {},
        "blocks": [block(3), block(4)],
        "transactions": [row("a", 4), row("c", 3)],
    }
    assert sorted(gone) == ["b", "d", "hash of 1", "hash of 2"]
