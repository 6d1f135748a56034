"""A drop that fails in the middle: named, and nobody is answered by half a node."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

import aiohttp
import pytest

from devnet.base.signals import deferred
from devnet.chain import ChainError, NodeUnreachable, Rpc, RpcError
from devnet.chain.errors import DropFailed
from devnet.chain.pruning import Pruning
from tests.chain.pruned import EVERY, KEPT, Node, request

STEPS = (
    "anvil_dumpState",
    "evm_snapshot",
    "anvil_reset",
    "anvil_loadState",
    "evm_revert",
    "anvil_setBlockTimestampInterval",
)
SILENT = ("anvil_reset", STEPS[-1])  # their answers say nothing
FAULTS: dict[str, Any] = {
    "refused": RpcError("method", -32603, "no such luck"),
    "broken off": NodeUnreachable("http://127.0.0.1:1", "ConnectionResetError"),
    "unexpected": {"what": "is this"},
}


def at_the_brink(node: Node) -> None:
    node.chain.advance(KEPT + EVERY - node.chain.head.number)


def failing(node: Node, monkeypatch: pytest.MonkeyPatch, at: str, fault: object) -> None:
    ask = node.rpc.call

    def call(method: str, *params: object) -> object:
        if method != at:
            return ask(method, *params)
        if isinstance(fault, Exception):
            raise fault
        return fault

    monkeypatch.setattr(node.rpc, "call", call)


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (step, fault)
        for step in STEPS
        for fault in FAULTS
        if fault != "unexpected" or step not in SILENT
    ],
)
def test_a_drop_that_fails_is_named_and_the_door_stays_shut(
    node: Node, outside: Rpc, monkeypatch: pytest.MonkeyPatch, step: str, fault: str
) -> None:
    at_the_brink(node)
    assert outside.call("eth_blockNumber") == hex(KEPT + EVERY)
    failing(node, monkeypatch, step, FAULTS[fault])
    with pytest.raises(DropFailed, match=f"blocks before {EVERY + 1} could not be dropped: "):
        node.chain.advance(1)
    refused = pytest.raises(RpcError, match=f"ended: blocks before {EVERY + 1} could not")
    with refused:
        outside.call("eth_blockNumber")
    monkeypatch.undo()
    with refused:
        outside.call("eth_blockNumber")
    for go_on in (lambda: node.chain.advance(1), lambda: node.chain.mine([])):
        with pytest.raises(DropFailed, match=f"blocks before {EVERY + 1} could not be dropped"):
            go_on()
    assert node.chain.foreign == []  # nobody else is blamed


def test_a_websocket_is_told_and_closed(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_brink(node)

    async def talk() -> tuple[int | None, str]:
        async with aiohttp.ClientSession() as session, session.ws_connect(node.door.url) as socket:
            await socket.send_json(request(1, "eth_subscribe", "newHeads"))
            assert (await socket.receive_json(timeout=10))["id"] == 1
            failing(node, monkeypatch, "anvil_loadState", FAULTS["refused"])
            with pytest.raises(DropFailed):
                await asyncio.to_thread(node.chain.advance, 1)
            await socket.send_json(request(2, "eth_blockNumber"))
            heard = await socket.receive(timeout=10)
            assert heard.type is aiohttp.WSMsgType.CLOSE
            return heard.data, str(heard.extra)

    code, reason = asyncio.run(talk())
    assert code == 1011
    assert f"blocks before {EVERY + 1} could not be dropped" in reason


def test_a_pool_that_cannot_be_read_is_no_loss_of_the_chain(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the same name, whatever part it was."""
    at_the_brink(node)
    failing(node, monkeypatch, "txpool_content", {"pending": 7})
    with pytest.raises(ChainError, match=f"blocks before {EVERY + 1} could not be dropped"):
        node.chain.advance(1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_told_to_stop_in_the_middle_stops_after_it(
    node: Node, outside: Rpc, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    at_the_brink(node)
    renew = Pruning._renew

    def stopped(self: Pruning, *given: Any) -> Any:
        os.kill(os.getpid(), number)
        return renew(self, *given)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    monkeypatch.setattr(Pruning, "_renew", stopped)
    try:
        with pytest.raises(KeyboardInterrupt):
            node.chain.advance(1)
    finally:
        signal.signal(number, before)
    assert node.kept.first == EVERY + 1
    assert outside.call("eth_blockNumber") == hex(KEPT + EVERY)  # whole, and open
    monkeypatch.undo()
    assert node.chain.advance(1)[0].block.number == KEPT + EVERY + 1


def test_elsewhere_than_in_the_main_thread_signals_are_not_touched() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def look() -> None:
        with deferred():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(10)
    assert seen == [before]
