"""The door before the node: reading and sending pass, changing does not."""

from __future__ import annotations

import gzip
import json
from urllib.parse import urlsplit

import pytest

from devnet.base import StartFailed
from devnet.chain import Account, Anvil, Rpc, RpcError, Transaction, sign, transaction_hash
from devnet.chain.door import RpcDoor
from devnet.chain.methods import refusal
from tests.chain.door.asking import asked, request, silent_calls

ALICE = "account-0"


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


def test_nothing_is_said_to_a_notification(
    door: RpcDoor, node: Anvil, accounts: dict[str, Account]
) -> None:
    """Whoever carries it out, and whatever comes of it; what was sent is sent."""
    raw = sign(accounts["account-5"], Transaction(0, "0x" + "11" * 20, gas=21_000))
    with Rpc(node.url) as inside:
        before = inside.call("eth_blockNumber")
    for silent in silent_calls(accounts, raw):
        assert asked(door.url, silent)[::2] == (204, ""), silent
        assert asked(door.url, [silent, silent])[::2] == (204, ""), silent
        assert asked(door.url, [silent, request("net_version", identity=7)])[2] == [
            {"jsonrpc": "2.0", "id": 7, "result": "31337"}
        ]
        for other in (request("evm_mine", identity=8), request("evm_mine", identity=None)):
            (refused,) = asked(door.url, [silent, other])[2]
            assert (refused["id"], refused["error"]["code"]) == (other["id"], -32601)
    with Rpc(node.url) as inside:
        assert inside.call("eth_blockNumber") == before
        assert isinstance(inside.call("eth_getTransactionByHash", transaction_hash(raw)), dict)


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


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_encoded_as_it_says(door: RpcDoor, encoding: str) -> None:
    status, _, answer = asked(door.url, request("eth_chainId"), {"Content-Encoding": encoding})
    said = "the body is not what its headers say it is"
    assert (status, answer["error"]) == (400, {"code": -32600, "message": said})
    packed = gzip.compress(json.dumps(request("eth_chainId")).encode())
    status, _, answer = asked(door.url, packed, {"Content-Encoding": "gzip"})
    assert (status, answer["result"]) == (200, "0x7a69")
