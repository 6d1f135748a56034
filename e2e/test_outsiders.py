"""Whoever changes the chain from outside: refused at the door, or seen, named and sealed."""

from __future__ import annotations

import http.client
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from conftest import ROOT, Devnet, Ended, marked
from eth_utils.address import to_checksum_address
from web3 import HTTPProvider, Web3

from devnet.base import wait_for
from devnet.chain import Rpc, RpcError

pytestmark = pytest.mark.timeout(600)
NETWORK = ROOT / "e2e" / "networks" / "small.yaml"
TINY = ROOT / "e2e" / "networks" / "tiny.yaml"
STRANGER = "0x" + "57" * 20


@contextmanager
def running(devnet: Devnet, *options: str) -> Iterator[dict[str, Any]]:
    """The status of a devnet on `sim` that is brought down whatever happens."""
    up = devnet("up", NETWORK, "--cluster", "sim", "--block-time", "0.3", *options, "--json")
    assert up.code == 0, up.err
    try:
        yield up.json()
    finally:
        devnet("down")


def manifest(folder: Path) -> tuple[Path, dict[str, Any]]:
    (bundle,) = folder.glob(".devnet/default/runs/*.kompute.zip")
    with zipfile.ZipFile(bundle) as archive:
        return bundle, json.loads(archive.read("manifest.json"))


def recorded(bundle: Path) -> set[tuple[int, str]]:
    with zipfile.ZipFile(bundle) as archive:
        lines = [json.loads(line) for line in archive.read("blocks.jsonl").splitlines()]
    return {(line["number"], line["hash"]) for line in lines}


def mined(rpc: Rpc, blocks: int = 3) -> None:
    """Until the devnet has mined some more."""
    target = int(rpc.call("eth_blockNumber"), 16) + blocks
    wait_for(
        f"block {target}", lambda: int(rpc.call("eth_blockNumber"), 16) >= target, limit_seconds=60
    )


def balance(rpc: Rpc) -> None:
    rpc.call("anvil_setBalance", STRANGER, "0x1234")


def impersonation(rpc: Rpc) -> None:
    rpc.call("anvil_impersonateAccount", STRANGER)
    sent = {"from": STRANGER, "to": STRANGER, "gasPrice": "0x0", "gas": "0x5208"}
    rpc.call("eth_sendTransaction", sent)


def time(rpc: Rpc) -> None:
    head = rpc.call("eth_getBlockByNumber", "latest", False)
    rpc.call("evm_setNextBlockTimestamp", int(head["timestamp"], 16) + 50_000)


CHANGES: list[tuple[Callable[[Rpc], None], str]] = [
    (balance, "the state was changed after block"),
    (impersonation, "was not signed by its sender"),
    (time, "was due (as evm_setNextBlockTimestamp does)"),
]


@pytest.mark.parametrize(("change", "seen"), CHANGES, ids=[c.__name__ for c, _ in CHANGES])
def test_a_change_from_outside_is_named_and_sealed(
    change: Callable[[Rpc], None], seen: str, devnet: Devnet, tmp_path: Path
) -> None:
    with running(devnet, "--open-rpc") as status, Rpc(status["rpc"]) as rpc:
        change(rpc)
        mined(rpc)
        (foreign,) = devnet("status", "--json").json()["foreign"]
        assert seen in foreign["seen"]
        step = devnet("stake", "worker-1", "--json")
        assert step.code == 0, step.out + step.err
    bundle, facts = manifest(tmp_path)
    assert facts["verdict"] == "foreign state"
    assert facts["foreign"] == [foreign]
    assert (facts["last_block"]["number"], facts["last_block"]["hash"]) in recorded(bundle)
    replayed = devnet("replay", bundle)
    assert replayed.code == 5
    assert f"foreign state at block {foreign['block']}: {foreign['seen']}" in replayed.err
    assert marked(tmp_path) == []


def test_a_block_mined_from_outside_is_recorded_and_replays(devnet: Devnet, tmp_path: Path) -> None:
    with running(devnet, "--open-rpc") as status, Rpc(status["rpc"]) as rpc:
        for _ in range(3):
            rpc.call("evm_mine")
        mined(rpc)
        assert devnet("stake", "worker-1", "--json").code == 0
    bundle, facts = manifest(tmp_path)
    assert facts["verdict"] == "ended"
    assert "mined by somebody else" in facts["foreign"][0]["seen"]
    replayed = devnet("replay", bundle, "--json")
    assert (replayed.code, replayed.json()["last_block"]) == (0, facts["last_block"])


def test_a_chain_turned_back_ends_the_devnet_by_name(devnet: Devnet, tmp_path: Path) -> None:
    with running(devnet, "--open-rpc") as status, Rpc(status["rpc"]) as rpc:
        snapshot = rpc.call("evm_snapshot")
        mined(rpc)
        assert rpc.call("evm_revert", snapshot) is True
        ended = wait_for("the end", lambda: _ended(devnet("status", "--json")), limit_seconds=60)
    assert "foreign state at block" in ended
    assert "is not on the chain any more" in ended
    bundle, facts = manifest(tmp_path)
    assert facts["verdict"] == "foreign state"
    assert (facts["last_block"]["number"], facts["last_block"]["hash"]) in recorded(bundle)
    replayed = devnet("replay", bundle, "--json")
    assert (replayed.code, replayed.json()["last_block"]) == (0, facts["last_block"])


def _ended(status: Ended) -> str | None:
    return status.err if status.code == 2 else None


def test_code_put_in_a_contract_s_place_ends_nothing(devnet: Devnet, tmp_path: Path) -> None:
    with running(devnet, "--open-rpc") as status, Rpc(status["rpc"]) as rpc:
        for contract in ("Staking", "Feed:komp_usd"):
            rpc.call("anvil_setCode", status["contracts"][contract], "0x")
        mined(rpc, 6)
        found = devnet("status", "--json").json()
        assert found["phase"] == "running"
        assert "the state was changed after block" in found["foreign"][0]["seen"]
        step = devnet("stake", "worker-1", "--json")
        assert step.code in (1, 4), step.out + step.err
        assert devnet("status", "--json").json()["phase"] == "running"
    assert manifest(tmp_path)[1]["verdict"] == "foreign state"


def test_a_closed_door_refuses_by_name_and_other_tools_work(devnet: Devnet, tmp_path: Path) -> None:
    with running(devnet) as status, Rpc(status["rpc"]) as rpc:
        with pytest.raises(RpcError, match="devnet advance --blocks 1"):
            rpc.call("evm_mine")
        with pytest.raises(RpcError, match="devnet send"):
            balance(rpc)
        w3 = Web3(HTTPProvider(status["rpc"]))
        assert (w3.is_connected(), w3.eth.chain_id) == (True, 31337)
        alice = w3.eth.accounts[-1]
        sent = w3.eth.send_transaction({"from": alice, "to": to_checksum_address(STRANGER)})
        assert w3.eth.wait_for_transaction_receipt(sent, timeout=30)["status"] == 1
        script = "print('block', chain.blocks.head.number, networks.provider.chain_id)"
        ape = devnet("ape", "console", "--network", "ethereum:local:foundry", "-c", script)
        assert "31337" in ape.out, ape.out + ape.err
        assert devnet("stake", "worker-1", "--json").code == 0
        assert devnet("status", "--json").json()["foreign"] == []
    bundle, facts = manifest(tmp_path)
    assert (facts["verdict"], "foreign" in facts) == ("ended", False)
    assert devnet("replay", bundle, "--json").code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one loopback address")
def test_a_page_that_tries_every_port_finds_only_the_door(devnet: Devnet, tmp_path: Path) -> None:
    """Nothing that listens where a page would look takes its WebSocket; the node is elsewhere."""
    with running(devnet) as status:
        sockets = {
            connection.laddr
            for process in (psutil.Process(status["pid"]), *marked(tmp_path))
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        found = {p.port: knocked(p.port) for p in sockets if p.ip == "127.0.0.1"}
        assert 101 not in found.values()
        assert found[urlsplit(status["rpc"]).port] == 403
        (node,) = [place for place in sockets if place.ip != "127.0.0.1"]
        assert node.ip.startswith("127.")
        with pytest.raises(ConnectionRefusedError):
            knocked(node.port)


def knocked(port: int) -> int:
    """The status that a page's WebSocket gets at a port of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {
        "Origin": "https://evil.example",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    try:
        connection.request("GET", "/", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("chain_id", [1, 2**53, 2**63 - 37])
def test_a_chain_id_up_to_the_largest_runs_and_replays(chain_id: int, devnet: Devnet) -> None:
    given = ("--set", f"chain.chain_id={chain_id}")
    scenario = ROOT / "e2e" / "scenarios" / "late-claim.yaml"
    ran = devnet("run", scenario, "--cluster", "sim", *given, "--json")
    assert ran.code == 0, ran.err
    replayed = devnet("replay", ran.json()["bundle"], "--json")
    assert (replayed.code, replayed.json()["last_block"]) == (0, ran.json()["last_block"])


def test_a_chain_id_above_is_refused_by_the_file(devnet: Devnet) -> None:
    for chain_id in (2**63 - 36, 2**63, 2**64):
        refused = devnet("up", TINY, "--set", f"chain.chain_id={chain_id}")
        assert refused.code == 2
        assert "chain.chain_id" in refused.err
