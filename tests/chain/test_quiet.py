"""What is sent while old blocks are dropped is at the node before that, or after."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from devnet.base.waiting import wait_for
from devnet.chain import Account, Rpc, RpcError
from tests.chain.conftest import NAMES
from tests.chain.pruned import Node


def test_what_is_sent_meanwhile_is_at_the_node_before_or_after(
    node: Node, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what the door itself asks of the node for it, and what is cut on its way."""
    monkeypatch.setattr("devnet.chain.gate.DRAIN_SECONDS", 0.0)
    over = threading.Event()
    told: list[str] = []

    def send(name: str) -> None:
        account = accounts[name].address
        with Rpc(node.door.url) as rpc:
            while not over.is_set():
                try:
                    rpc.call("eth_sendTransaction", {"from": account, "to": account})
                    told.append("sent")
                except RpcError as error:
                    told.append(error.text)

    threads = [threading.Thread(target=send, args=[name]) for name in NAMES[:4]]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            with node.door.quiet():
                before = node.rpc.call("txpool_status")
                over.wait(0.02)
                assert node.rpc.call("txpool_status") == before
            node.rpc.call("evm_mine")
    finally:
        over.set()
        for thread in threads:
            thread.join(20)
    assert 0 < told.count("sent") < len(told)
    assert {text[:21] for text in told} <= {"sent", "it took too long whil"}


def test_what_is_cut_on_its_way_is_at_the_node_before_it_is_quiet(
    node: Node, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that is slow to read would take it from a line that is closed already."""
    monkeypatch.setattr("devnet.chain.gate.DRAIN_SECONDS", 0.0)
    account = accounts["account-1"].address
    node.rpc.call("evm_setAutomine", False)
    slow = psutil.Process(node.anvil.pid)
    goes_on = threading.Event()

    def go_on() -> None:
        goes_on.set()
        slow.resume()

    with Rpc(node.door.url) as rpc, ThreadPoolExecutor(1) as pool:
        count = rpc.call("eth_getTransactionCount", account, "pending")
        slow.suspend()
        later = threading.Timer(0.5, go_on)
        try:
            answer = pool.submit(
                rpc.call,
                "eth_sendTransaction",
                {"from": account, "to": account, "gas": "0x5208", "nonce": count},
            )
            wait_for("it is on its way", lambda: bool(node.door._waiting._coming), limit_seconds=5)
            later.start()
            with node.door.quiet():
                assert goes_on.is_set()
                assert node.rpc.call("txpool_status")["pending"] == "0x1"
        finally:
            later.cancel()
            slow.resume()
        with pytest.raises(RpcError, match="it took too long"):
            answer.result(10)
