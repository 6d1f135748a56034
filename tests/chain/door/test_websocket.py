"""The same over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from devnet.chain import Account, Anvil, Rpc, Transaction, sign, transaction_hash
from devnet.chain.door import RpcDoor
from devnet.chain.methods import refusal
from tests.chain.door.asking import request, silent_calls


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


def test_a_websocket_says_nothing_to_a_notification(
    door: RpcDoor, node: Anvil, accounts: dict[str, Account]
) -> None:
    """What comes next is the answer to the call that does ask for one."""
    raw = sign(accounts["account-5"], Transaction(0, "0x" + "11" * 20, gas=21_000))
    with Rpc(node.url) as inside:
        before = inside.call("eth_blockNumber")

    async def talk() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(door.url) as socket:
            for number, silent in enumerate(silent_calls(accounts, raw), start=100):
                for said in (silent, [silent, silent]):
                    await socket.send_json(said)
                    await socket.send_json(request("net_version", identity=number))
                    heard = await socket.receive_json(timeout=10)
                    assert heard == {"jsonrpc": "2.0", "id": number, "result": "31337"}, said
                for method in ("net_version", "evm_mine"):
                    await socket.send_json([silent, request(method, identity=number)])
                    (answer,) = await socket.receive_json(timeout=10)
                    assert answer["id"] == number

    asyncio.run(talk())
    with Rpc(node.url) as inside:
        assert inside.call("eth_blockNumber") == before
        assert isinstance(inside.call("eth_getTransactionByHash", transaction_hash(raw)), dict)


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
