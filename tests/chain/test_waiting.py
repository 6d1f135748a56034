"""What strangers have waiting for a block is bounded; what the node signs has a bounded limit."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest

from devnet.chain import Account, Chain, Rpc, RpcError, Transaction, sign, transaction_hash
from devnet.chain.door import RpcDoor
from devnet.chain.gas_bounds import MOST_SENT_GAS, MOST_WAITING_GAS

ENDLESS = "0x5b600056"
WHERE = "0x" + "57" * 20
# With call data it takes 23 000 gas where storage is 1 already, and refuses where it is not;
# without any it makes it 1.
GATED = "0x36600a576001600055005b6000546014575f5ffd5b00"
GATE = "0x" + "58" * 20
FULL = "txpool is full: transactions of 50331648 gas wait for a block"


@pytest.fixture
def door(chain: Chain) -> Iterator[Rpc]:
    """Before a node whose code at WHERE has no end."""
    chain.rpc.call("anvil_setCode", WHERE, ENDLESS)
    chain.rpc.call("anvil_setCode", GATE, GATED)
    with RpcDoor(chain.rpc.url) as opened, Rpc(opened.url) as rpc:
        yield rpc


@pytest.fixture
def raws(accounts: dict[str, Account]) -> Callable[..., str]:
    def made(name: str, nonce: int, gas: int = MOST_SENT_GAS) -> str:
        return "0x" + sign(accounts[name], Transaction(nonce, WHERE, gas=gas)).hex()

    return made


def send(rpc: Rpc, raw: str) -> str:
    return str(rpc.call("eth_sendRawTransaction", raw))


def refused(rpc: Rpc, *call: Any) -> str:
    with pytest.raises(RpcError) as caught:
        rpc.call(*call)
    assert caught.value.code == -32003
    return str(caught.value)


def test_three_of_the_largest_wait_and_the_next_block_takes_more(
    door: Rpc, chain: Chain, raws: Callable[..., str]
) -> None:
    for nonce in range(3):
        send(door, raws("account-0", nonce))
    for _ in range(2):
        said = refused(door, "eth_sendRawTransaction", raws("account-1", 0, 1_000_001))
        assert FULL in said
        assert "this one's 1000001 more than the 50331648 that may of more than 1000000" in said
        assert "when a block has taken them, send it again (devnet up --open-rpc" in said
    for nonce in range(16):  # a quarter is kept for small ones
        send(door, raws("account-1", nonce, 1_000_000))
    said = refused(door, "eth_sendRawTransaction", raws("account-2", 0, 1_000_000))
    assert "of 66331648 gas wait" in said
    assert "more than the 67108864 that may; when" in said
    begun = time.monotonic()
    (mined,) = chain.include({})
    assert time.monotonic() - begun < 30
    assert sum(receipt.gas_used for receipt in mined.receipts) == 66_331_648
    assert send(door, raws("account-2", 0)) in str(chain.rpc.call("txpool_content"))


def test_small_ones_are_summed(door: Rpc, chain: Chain, raws: Callable[..., str]) -> None:
    count = MOST_WAITING_GAS // 1_000_000
    for nonce in range(count):
        send(door, raws("account-0", nonce, 1_000_000))
    refused(door, "eth_sendRawTransaction", raws("account-0", count, 1_000_000))
    left = MOST_WAITING_GAS - count * 1_000_000
    refused(door, "eth_sendRawTransaction", raws("account-0", count, left + 1))
    send(door, raws("account-0", count, left))
    chain.include({})
    assert chain.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_what_waits_behind_a_hole_leaves_half_to_others_and_fits_into_a_block(
    door: Rpc, chain: Chain, raws: Callable[..., str], accounts: dict[str, Account]
) -> None:
    for nonce in (1, 2):
        send(door, raws("account-0", nonce))
    sender = accounts["account-3"].address
    asked = {"from": sender, "to": WHERE, "gas": hex(30_000), "nonce": hex(7)}
    for call in (
        ("eth_sendRawTransaction", raws("account-0", 3, 30_000)),
        ("eth_sendRawTransaction", raws("account-3", 7, 30_000)),
        ("eth_sendTransaction", asked),
    ):
        said = refused(door, *call)
        assert "of 33554432 gas wait behind nonces that are missing, with this one's 30000" in said
        assert ("is 0: send that first") in said
    for nonce in range(3):
        send(door, raws("account-1", nonce))
        chain.include({})
    assert chain.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x2"}
    send(door, raws("account-0", 0, 21_000))
    refused(door, "eth_sendRawTransaction", raws("account-2", 0))  # now that they will be mined
    (mined,) = chain.include({})
    assert sum(receipt.gas_used for receipt in mined.receipts) == 2 * MOST_SENT_GAS + 21_000
    send(door, raws("account-2", 0))


def test_one_that_is_replaced_counts_once(
    door: Rpc, chain: Chain, accounts: dict[str, Account]
) -> None:
    for nonce in range(2):
        send(door, "0x" + sign(accounts["account-1"], Transaction(nonce, WHERE, gas=1 << 24)).hex())
    for price in range(1, 9):
        transaction = Transaction(0, WHERE, gas=MOST_SENT_GAS, gas_price=price * 2_000_000_000)
        send(door, "0x" + sign(accounts["account-0"], transaction).hex())
    (mined,) = chain.include({})
    assert len(mined.receipts) == 3


def test_those_who_send_at_once_fill_it_no_further(
    door: Rpc, chain: Chain, raws: Callable[..., str], accounts: dict[str, Account]
) -> None:
    def taken(name: str) -> int:
        count = 0
        with Rpc(door.url) as rpc:
            for nonce in range(3):
                try:
                    send(rpc, raws(name, nonce))
                except RpcError as full:
                    assert "txpool is full" in str(full)
                    break
                count += 1
        return count

    names = list(accounts)
    with ThreadPoolExecutor(len(names)) as pool:
        count = sum(pool.map(taken, names))
    (mined,) = chain.include({})
    assert len(mined.receipts) == count == 3


def test_what_the_node_refuses_is_not_remembered(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    with RpcDoor(chain.rpc.url) as opened, Rpc(opened.url) as rpc:
        for nonce in range(3):
            raw = sign(accounts["account-0"], Transaction(nonce, WHERE, gas=1)).hex()
            with pytest.raises(RpcError, match="intrinsic gas too low"):
                send(rpc, raw)
        assert not opened._waiting._sent


def test_the_devnets_own_are_neither_counted_nor_held_back(
    door: Rpc, chain: Chain, raws: Callable[..., str]
) -> None:
    for nonce in range(4):
        send(chain.rpc, raws("account-2", nonce))
    for nonce in range(3):
        send(door, raws("account-0", nonce))
    send(chain.rpc, raws("account-2", 4))
    (mined,) = chain.include({})
    assert len(mined.receipts) == 8


def test_what_the_node_refuses_holds_nobody_back(
    door: Rpc, chain: Chain, raws: Callable[..., str]
) -> None:
    send(door, raws("account-0", 0, 21_000))
    chain.include({})
    for gas in range(MOST_SENT_GAS - 8, MOST_SENT_GAS):
        with pytest.raises(RpcError, match="nonce too low"):
            send(door, raws("account-0", 0, gas))
    poor = Account.from_secret("poor", bytes(31) + b"\x07")
    for nonce in range(8):
        raw = sign(poor, Transaction(nonce, WHERE, gas=MOST_SENT_GAS)).hex()
        with pytest.raises(RpcError, match="nsufficient funds"):
            send(door, raw)
    for nonce in range(1, 4):
        send(door, raws("account-0", nonce))


def test_an_open_door_holds_nothing_back(chain: Chain, raws: Callable[..., str]) -> None:
    chain.rpc.call("anvil_setCode", WHERE, "0x00")
    with RpcDoor(chain.rpc.url, is_open=True) as opened, Rpc(opened.url) as rpc:
        for nonce in range(5):
            send(rpc, raws("account-0", nonce))


def test_a_batch_is_refused_in_part(door: Rpc, chain: Chain, raws: Callable[..., str]) -> None:
    sends = [("eth_sendRawTransaction", (raws("account-0", nonce),)) for nonce in range(6)]
    answers = door.batch([*sends, ("eth_chainId", ())])
    hashes = [transaction_hash(bytes.fromhex(raw[2:])) for _, (raw,) in sends]
    assert answers[:3] == hashes[:3]
    assert all(isinstance(answer, RpcError) and FULL in str(answer) for answer in answers[3:6])
    assert answers[6] == hex(chain.chain_id)


def test_a_websocket_is_bounded_as_well(
    door: Rpc, chain: Chain, raws: Callable[..., str], accounts: dict[str, Account]
) -> None:
    sender = accounts["account-1"].address

    async def talk() -> list[Any]:
        url = door.url.replace("http", "ws")
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            answers = []
            for nonce in range(2):
                await socket.send_str(asked("eth_sendRawTransaction", raws("account-0", nonce)))
                answers.append(json.loads((await socket.receive(30)).data))
            await socket.send_str(asked("eth_sendTransaction", {"from": sender, "to": WHERE}))
            answers.append(json.loads((await socket.receive(30)).data))
            batch = [asked("eth_sendRawTransaction", raws("account-0", 2)), asked("eth_chainId")]
            await socket.send_str(f"[{','.join(batch)}]")
            answers.append(json.loads((await socket.receive(30)).data))
            return answers

    *sent, unsigned, batch = asyncio.run(talk())
    assert all("result" in answer for answer in sent)
    found = chain.rpc.call("eth_getTransactionByHash", unsigned["result"])
    assert int(found["gas"], 16) == MOST_SENT_GAS
    by_error = {"error" in answer: answer for answer in batch}
    assert FULL in by_error[True]["error"]["message"]
    assert by_error[False]["result"] == hex(chain.chain_id)


def asked(method: str, *params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


# What the node signs itself

UNSIGNED = ("eth_sendTransaction", "eth_fillTransaction", "eth_signTransaction")


def gas_of(rpc: Rpc, method: str, answer: Any) -> int:
    if method == "eth_sendTransaction":
        answer = rpc.call("eth_getTransactionByHash", answer)
    elif method == "eth_fillTransaction":
        answer = answer["tx"]
    else:
        from devnet.chain import read_raw

        return read_raw(bytes.fromhex(answer[2:])).gas
    return int(answer["gas"], 16)


@pytest.mark.parametrize("absent", [{}, {"gas": None}, {"gasLimit": None}])
@pytest.mark.parametrize("method", UNSIGNED)
def test_without_a_limit_it_is_estimated_as_the_node_does(
    method: str, absent: dict[str, None], door: Rpc, accounts: dict[str, Account]
) -> None:
    """Behind what waits already, too."""
    sender = {"from": accounts["account-0"].address, "to": GATE}
    door.call("eth_sendTransaction", sender)
    answer = door.call(method, {**sender, "data": "0x01", **absent})
    assert 21_000 < gas_of(door, method, answer) < 30_000


@pytest.mark.parametrize("method", UNSIGNED)
def test_what_has_no_end_gets_no_more_than_there_may_be(
    method: str, door: Rpc, accounts: dict[str, Account]
) -> None:
    sender = {"from": accounts["account-0"].address, "to": WHERE}
    begun = time.monotonic()
    if method == "eth_fillTransaction":
        assert "gas required exceeds allowance: 16777216" in refused(door, method, sender)
    else:
        assert gas_of(door, method, door.call(method, sender)) == MOST_SENT_GAS
    assert time.monotonic() - begun < 3  # a block's gas takes the node 6 s on an idle machine


@pytest.mark.parametrize("method", UNSIGNED)
def test_a_limit_of_its_own_is_kept_within_the_bound(
    method: str, door: Rpc, accounts: dict[str, Account]
) -> None:
    sender = {"from": accounts["account-0"].address, "to": WHERE}
    for key in ("gas", "gasLimit"):
        asked = {**sender, key: hex(50_000)}
        assert gas_of(door, method, door.call(method, asked)) == 50_000
        with pytest.raises(RpcError, match="has at most 16777216 here") as caught:
            door.call(method, {**sender, key: hex(MOST_SENT_GAS + 1)})
        assert caught.value.code == -32602


def test_what_the_node_signs_is_summed_too(
    door: Rpc, chain: Chain, accounts: dict[str, Account], raws: Callable[..., str]
) -> None:
    sender = {"from": accounts["account-0"].address, "to": WHERE}
    for _ in range(3):
        door.call("eth_sendTransaction", sender)
    assert FULL in refused(door, "eth_sendTransaction", {**sender, "gas": hex(2_000_000)})
    refused(door, "eth_sendRawTransaction", raws("account-1", 0))
    door.call("eth_signTransaction", sender)  # which sends nothing
    chain.include({})
    door.call("eth_sendTransaction", sender)


def test_nonsense_is_the_nodes_to_refuse(door: Rpc) -> None:
    for params in ([], [None], ["0x"], [[]], [{"from": "x"}], [{"from": WHERE, "to": WHERE}]):
        for method in UNSIGNED[::2]:
            with pytest.raises(RpcError):
                door.call(method, *params)
    with pytest.raises(RpcError):
        door.call("eth_sendRawTransaction", "zz")
    assert door.call("eth_chainId") == "0x7a69"
