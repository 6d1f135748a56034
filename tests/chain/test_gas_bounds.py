"""What a request may ask of the node in gas: the door refuses or lowers the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from devnet.chain import Account, Anvil, Rpc, RpcError, Transaction, rlp, sign
from devnet.chain.door import RpcDoor
from devnet.chain.gas_bounds import MOST_CALL_GAS, MOST_SENT_GAS, lower_gas, refusal_of_gas
from tests.chain.conftest import BLOCK_SECONDS, GENESIS, NAMES

ENDLESS = "0x5b600056"
WHERE = "0x" + "57" * 20
MUCH = hex(1 << 40)


@pytest.fixture(scope="module")
def node(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rpc]:
    """With a contract at WHERE whose code has no end."""
    folder = tmp_path_factory.mktemp("anvil")
    with (
        Anvil(binary, genesis_timestamp=GENESIS, folder=folder, accounts=len(NAMES)) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        rpc.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        rpc.call("anvil_setCode", WHERE, ENDLESS)
        yield rpc


@pytest.fixture(scope="module")
def door(node: Rpc) -> Iterator[Rpc]:
    with RpcDoor(node.url) as opened, Rpc(opened.url) as rpc:
        yield rpc


TRIED: list[tuple[str, list[Any]]] = [
    ("eth_call", [{"to": WHERE}, "latest"]),
    ("eth_call", [{"to": WHERE, "gas": MUCH}, "latest"]),
    ("eth_call", [{"data": ENDLESS, "gas": None}, "latest"]),
    ("eth_call", [{"to": WHERE, "gas": str(1 << 40)}]),
    ("eth_call", [{"to": WHERE, "gasLimit": MUCH}, "latest"]),
    ("eth_call", [{"to": WHERE, "gas": MUCH, "gasLimit": "0x1"}, "latest"]),
    ("eth_estimateGas", [{"from": WHERE, "to": WHERE, "gas": MUCH}]),
    ("eth_createAccessList", [{"to": WHERE, "gas": MUCH}, "latest"]),
    ("eth_simulateV1", [{"blockStateCalls": [{"calls": [{"to": WHERE, "gas": MUCH}]}]}, "latest"]),
    ("debug_traceCall", [{"to": WHERE, "gas": MUCH}, "latest", {"tracer": "callTracer"}]),
    ("trace_call", [{"to": WHERE, "gas": MUCH}, ["trace"], "latest"]),
]


@pytest.mark.parametrize(
    ("method", "params"), TRIED, ids=[f"{m}-{n}" for n, (m, _) in enumerate(TRIED)]
)
def test_a_call_without_end_ends(method: str, params: list[Any], door: Rpc) -> None:
    """Within the second that `MOST_CALL_GAS` takes, or so; 2^40 of it are an hour and a half."""
    assert lower_gas({"method": method, "params": deepcopy(params)})
    begun = time.monotonic()
    try:
        answer = str(door.call(method, *params))
    except RpcError as refused:
        answer = str(refused)
    assert time.monotonic() - begun < 20, answer
    assert door.call("eth_chainId") == "0x7a69"


def test_a_call_within_the_bound_is_left_as_it_is() -> None:
    for gas in (hex(MOST_CALL_GAS), MOST_CALL_GAS, "0x1", "21000"):
        call = {"method": "eth_call", "params": [{"to": WHERE, "gas": gas}, "latest"]}
        assert not lower_gas(call)
        assert call["params"][0] == {"to": WHERE, "gas": gas}
    for gas in (hex(MOST_CALL_GAS + 1), MOST_CALL_GAS + 1, "much", True, []):
        call = {"method": "eth_call", "params": [{"to": WHERE, "gas": gas}, "latest"]}
        assert lower_gas(call)
        assert call["params"][0] == {"to": WHERE, "gas": hex(MOST_CALL_GAS)}
    reading = {"method": "eth_getBalance", "params": [WHERE, {"blockNumber": "0x1"}]}
    assert not lower_gas(reading)


def test_a_transaction_has_as_much_gas_as_on_ethereum(
    door: Rpc, node: Rpc, accounts: dict[str, Account]
) -> None:
    sender = accounts["account-0"]
    nonce = int(node.call("eth_getTransactionCount", sender.address, "latest"), 16)
    most = sign(sender, Transaction(nonce, WHERE, gas=MOST_SENT_GAS)).hex()
    more = sign(sender, Transaction(nonce, WHERE, gas=MOST_SENT_GAS + 1)).hex()
    said = f"gas limit is {MOST_SENT_GAS + 1}, a transaction has at most 16777216 here"
    for method in ("eth_sendRawTransaction", "eth_sendRawTransactionSync", "trace_rawTransaction"):
        for text in ("0x" + more, more):
            with pytest.raises(RpcError, match=said):
                door.call(method, text)
    for key in ("gas", "gasLimit"):
        with pytest.raises(RpcError, match=said):
            sent = {"from": sender.address, "to": WHERE, key: hex(MOST_SENT_GAS + 1)}
            door.call("eth_sendTransaction", sent)
    with pytest.raises(RpcError, match="cannot be read"):
        door.call("eth_sendTransaction", {"from": sender.address, "to": WHERE, "gas": "much"})
    assert node.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    door.call("eth_sendRawTransaction", "0x" + most)
    node.call("evm_mine")
    assert int(node.call("eth_getBlockByNumber", "latest", False)["gasUsed"], 16) == MOST_SENT_GAS


@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "trace_rawTransaction"])
def test_what_is_not_read_wholly_does_not_pass(
    method: str, door: Rpc, node: Rpc, accounts: dict[str, Account]
) -> None:
    """The node takes bytes as numbers, and whatever follows a transaction: so may 2 900 M gas."""
    sender = accounts["account-0"]
    raw = sign(sender, Transaction(0, WHERE, gas=2_900_000_000))
    blob = b"\x03" + rlp.encode_list([raw, b"\xc0", b"\xc0", b"\xc0"])
    spelled = [
        *("0x" + raw.hex() + more for more in ("00", "c0", raw.hex())),
        *("0x" + raw.hex()[:-2], "0x0x" + raw.hex(), " 0x" + raw.hex(), "0x", "zz"),
        *([*raw], [[*raw]], {"0": raw.hex()}, None, 17, "0x" + 40 * "ff", "0x" + blob.hex() + "00"),
    ]
    for spelling in spelled:
        for params in ([spelling], [spelling, ["trace"]]):
            call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            assert "not the bytes of one signed transaction" in refusal_of_gas(call)
            with pytest.raises(RpcError) as caught:
                door.call(method, *params)
            assert caught.value.code == -32602
    for bare in ([], {}, "0x" + raw.hex(), {"raw": "0x" + raw.hex()}, None):
        assert refusal_of_gas({"method": method, "params": bare})
    assert node.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    for text in ("0X" + raw.hex(), raw.hex().upper()):
        with pytest.raises(RpcError, match="not the bytes|has at most"):
            door.call(method, text)


def test_an_open_door_bounds_nothing(node: Rpc, accounts: dict[str, Account]) -> None:
    sender = accounts["account-1"]
    raw = "0x" + sign(sender, Transaction(0, WHERE, gas=MOST_SENT_GAS + 1)).hex()
    with RpcDoor(node.url, is_open=True) as opened, Rpc(opened.url) as rpc:
        assert rpc.call("eth_sendRawTransaction", raw).startswith("0x")


def test_parameters_said_twice_are_read_as_they_were_bounded(door: Rpc, node: Rpc) -> None:
    """The node takes the first of two, or neither; what passes says it once."""
    body = (
        b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"%s","gas":"%s"}],'
        b'"params":[{"to":"%s","gas":"0x5300"}]}'
    ) % (WHERE.encode(), MUCH.encode(), WHERE.encode())
    screened = asyncio.run(RpcDoor(node.url)._screened(body))
    passed = screened.body
    assert passed is not None
    assert (passed.count(b'"params"'), passed.count(b"0x5300")) == (1, 1)
    assert screened.answered == []
