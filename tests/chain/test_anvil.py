"""The process: starts as told, fails clearly, and ends with its owner."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from devnet.base.waiting import wait_for
from devnet.chain import (
    Account,
    Anvil,
    AnvilFailed,
    Chain,
    Rpc,
    RpcError,
    Transaction,
    sign,
)

GENESIS = 1_767_225_600


def test_genesis_accounts_and_identity(binary: Path, tmp_path: Path) -> None:
    with Anvil(
        binary, genesis_timestamp=GENESIS, folder=tmp_path, accounts=3, devnet_id="devnet-1"
    ) as anvil:
        with Rpc(anvil.url) as rpc:
            genesis = rpc.call("eth_getBlockByNumber", "latest", False)
            assert (genesis["number"], int(genesis["timestamp"], 16)) == ("0x0", GENESIS)
            assert int(genesis["gasLimit"], 16) == 3_000_000_000
            assert genesis["baseFeePerGas"] == "0x0"
            assert len(rpc.call("eth_accounts")) == 3
        assert anvil.pid is not None
        process = psutil.Process(anvil.pid)
        assert process.environ()["KOMPUTE_DEVNET_ID"] == "devnet-1"
    assert not process.is_running()
    assert anvil.pid is None


def test_a_node_that_was_launched_is_waited_for(binary: Path, tmp_path: Path) -> None:
    anvil = Anvil(binary, genesis_timestamp=GENESIS, folder=tmp_path)
    anvil.launch()
    launched = anvil.pid
    assert launched is not None
    with anvil, Rpc(anvil.url) as rpc:
        assert anvil.pid == launched
        assert rpc.call("eth_blockNumber") == "0x0"
    assert not psutil.pid_exists(launched)
    assert anvil.pid is None


def test_a_launched_node_that_ends_is_told_on_entering(binary: Path, tmp_path: Path) -> None:
    anvil = Anvil(binary, genesis_timestamp=GENESIS, folder=tmp_path)
    anvil.launch()
    assert anvil.pid is not None
    os.kill(anvil.pid, signal.SIGKILL)
    with pytest.raises(AnvilFailed, match="was ended by SIGKILL"):
        anvil.start()
    assert anvil.pid is None


def test_a_taken_port_is_named(binary: Path, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        anvil = Anvil(binary, port=port, genesis_timestamp=GENESIS, folder=tmp_path)
        with pytest.raises(AnvilFailed, match=rf"port {port} for the chain is taken"):
            anvil.start()
    assert AnvilFailed.exit_code == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one loopback address")
def test_each_node_has_a_loopback_address_of_its_own(binary: Path, tmp_path: Path) -> None:
    """A page may try every port of 127.0.0.1; the node takes any page's WebSocket."""
    hosts = set()
    for name in ("one", "two"):
        with Anvil(binary, genesis_timestamp=GENESIS, folder=tmp_path / name) as anvil:
            host, port = urlsplit(anvil.url).hostname, anvil.port
            assert host is not None
            assert ip_address(host) in ip_network("127.0.0.0/8")
            for known in ("127.0.0.1", "localhost", "0.0.0.0", "127.0.1.1"):
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((known, port), timeout=5)
            hosts.add(host)
    assert len(hosts) == 2


def test_where_there_is_one_loopback_address_that_is_taken(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devnet.chain.anvil._drawn_host", lambda: "192.0.2.1")  # nobody's
    with Anvil(binary, genesis_timestamp=GENESIS, folder=tmp_path) as anvil, Rpc(anvil.url) as rpc:
        assert anvil.url == f"http://127.0.0.1:{anvil.port}"
        assert rpc.call("eth_blockNumber") == "0x0"


def test_a_start_that_fails_tells_the_log(binary: Path, tmp_path: Path) -> None:
    anvil = Anvil(binary, genesis_timestamp=GENESIS, folder=tmp_path, mnemonic="no such words")
    with pytest.raises(AnvilFailed, match=r"(?s)ended with 1.*end of anvil.log.*\w"):
        anvil.start()
    assert anvil.pid is None


def test_a_missing_binary_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnvilFailed, match=r"no-anvil\) cannot be run"):
        Anvil(tmp_path / "no-anvil", genesis_timestamp=GENESIS, folder=tmp_path).start()


def test_a_pruned_node_has_one_state_and_answers_the_rest(
    binary: Path, tmp_path: Path, accounts: dict[str, Account]
) -> None:
    """Receipts, logs and traces of every block; state and calls of the last one."""
    alice, bob = accounts["account-0"], accounts["account-1"]
    with (
        Anvil(binary, genesis_timestamp=GENESIS, folder=tmp_path, prune_history=True) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, 720)
        chain.prepare()
        old = chain.mine([transfer(alice, bob, 0)]).receipts[0].hash
        before = chain.snapshot()
        chain.advance(2_000)
        recent = chain.mine([transfer(alice, bob, 1)]).receipts[0].hash
        process = psutil.Process(anvil.pid)
        first = process.memory_info().rss
        chain.advance(2_000)
        assert process.memory_info().rss - first < 2_000 * 10_000  # unpruned: 64 KB a block
        for transaction in (old, recent):
            assert rpc.call("eth_getTransactionReceipt", transaction)["status"] == "0x1"
            (trace,) = rpc.call("trace_transaction", transaction)
            assert trace["action"]["value"] == "0x1"
        balance = int(rpc.call("eth_getBalance", bob.address, hex(chain.head.number)), 16)
        assert balance == 10**24 + 2
        for number in (2, chain.head.number - 1):
            with pytest.raises(RpcError, match="BlockOutOfRange"):
                rpc.call("eth_getBalance", bob.address, hex(number))
        with pytest.raises(RpcError, match="Resource not found"):
            rpc.call("debug_traceTransaction", recent, {"tracer": "callTracer"})
        chain.revert(before)
        assert chain.head.number == 2
        again = chain.mine([transfer(alice, bob, 1)])
        assert again.receipts[0].ok


def transfer(sender: Account, to: Account, nonce: int) -> bytes:
    """One wei."""
    return sign(sender, Transaction(nonce, to.address, gas=21_000, value=1))


def test_anvil_ends_when_its_owner_is_killed(binary: Path, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(binary), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert owner.stdout is not None
        child = psutil.Process(int(owner.stdout.readline()))
        assert child.is_running()
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)

    def gone() -> bool:
        try:
            return child.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    assert wait_for("anvil to end after its owner", gone, limit_seconds=10)


OWNER = f"""
import sys
from pathlib import Path
from devnet.chain import Anvil
anvil = Anvil(Path(sys.argv[1]), genesis_timestamp={GENESIS}, folder=Path(sys.argv[2]))
anvil.start()
print(anvil.pid, flush=True)
sys.stdin.read()
"""
