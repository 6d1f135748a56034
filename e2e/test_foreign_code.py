"""A stranger's contract on a running devnet: followed by the model, or named once as past it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Devnet, marked
from test_outsiders import NETWORK, manifest, mined, running

sys.path.insert(0, str(ROOT / "tests" / "checking"))

import foreign_code as code

from devnet.chain import Account, Rpc, Transaction, derive, sign
from devnet.chain.transaction import created_address
from devnet.protocol.contracts import Interface
from devnet.spec.loading import load_network

pytestmark = pytest.mark.timeout(600)
KOMP = 10**18
ORDER = {"kind": 0, "spec": bytes(32), "milliCpu": 1000, "memoryMib": 64, "storageGib": 0}
ORDER |= {"maxReplicas": 1, "duration": 86_400, "deposit": KOMP, "maxRate": KOMP, "maxRate2": KOMP}


class Stranger:
    """An account and its contracts, on the chain as anybody sees it."""

    def __init__(self, rpc: Rpc, devnet: Devnet, addresses: dict[str, str]) -> None:
        mnemonic = load_network(NETWORK).accounts.mnemonic
        self.account, self.alice = derive(mnemonic, ["stranger", "alice"]).values()
        self._rpc, self._devnet, self._addresses = rpc, devnet, addresses

    def encoded(self, contract: str, function: str, *args: Any) -> tuple[str, bytes]:
        abi = self._devnet("abi", contract).json()
        kind = Interface.of(abi).functions[function]
        return self._addresses[contract].lower(), kind.selector + kind.inputs.encode(args)

    def send(self, to: str | None, data: bytes, gas: int, account: Account | None = None) -> str:
        sender = account or self.account
        nonce = int(self._rpc.call("eth_getTransactionCount", sender.address, "pending"), 16)
        raw = sign(sender, Transaction(nonce, to, data, gas=gas))
        transaction = str(self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex()))
        mined(self._rpc)
        assert self._rpc.call("eth_getTransactionReceipt", transaction)["status"] == "0x1"
        return transaction

    def next_address(self) -> str:
        nonce = int(self._rpc.call("eth_getTransactionCount", self.account.address, "latest"), 16)
        where = created_address(self.account.address, nonce)
        transfer = self.encoded("Kompute", "transfer", where, 10 * KOMP)
        self.send(*transfer, gas=100_000, account=self.alice)
        return where


def test_what_a_strangers_contract_calls_is_followed_as_far_as_it_can_be(
    devnet: Devnet, tmp_path: Path
) -> None:
    with running(devnet) as status, Rpc(status["rpc"]) as rpc:
        assert devnet("stake", "all", "--json").code == 0
        stranger = Stranger(rpc, devnet, status["contracts"])
        where = stranger.next_address()
        market = status["contracts"]["Market"].lower()
        transfer = stranger.encoded("Kompute", "transfer", market, 5)
        calls = [
            stranger.encoded("Kompute", "approve", market, 10 * KOMP),
            stranger.encoded("Market", "createOrder", ORDER),
            stranger.encoded("PoolFactory", "create", 500),
            transfer,
        ]
        stranger.send(None, code.program(code.call(*call) for call in calls), gas=6_000_000)
        step = devnet("order", "alice", "web", "--deposit", "20 KOMP", "--json")
        assert step.code == 0, step.out + step.err
        assert step.json()["unchecked_since"] is None
        assert "unchecked" not in step.out.replace("unchecked_since", "")
        expected = devnet("expect", "--invariants", "all", "--model", "equal", "--json")
        assert expected.code == 0, expected.out + expected.err
        assert devnet("status", "--json").json()["unmodelled"] is None
        created = rpc.call("eth_getLogs", {"address": market, "fromBlock": "0x0"})
        assert where[2:] in str(created)

        stranger.next_address()
        told_long = code.creation(code.repeated(code.long_call(market, 1 << 16)))
        nonce = int(rpc.call("eth_getTransactionCount", stranger.account.address, "latest"), 16)
        endless = created_address(stranger.account.address, nonce)
        stranger.send(None, told_long, gas=200_000)
        stranger.next_address()
        heavy = code.program([code.call(*transfer), code.call(endless, b"")])
        transaction = stranger.send(None, heavy, gas=300_000)
        unmodelled = devnet("status", "--json").json()["unmodelled"]
        since = f"unchecked since block {unmodelled['block']}"
        for words in (["close", "alice", "web"], ["advance", "--blocks", "3"]):
            step = devnet(*words, "--json")
            assert (step.code, transaction in step.out) == (0, False), step.out + step.err
            assert step.json()["unchecked_since"] == unmodelled["block"]
            assert step.json()["did"].endswith(f"; {since}")
        said = devnet("advance", "--blocks", "1")
        assert (said.code, since in " ".join(said.out.split())) == (0, True), said.out + said.err
        assert said.out.startswith("advance: 1 block, to block "), said.out
        refused = devnet("order", "alice", "web", "--deposit", "90000000 KOMP", "--json")
        assert (refused.code, since in refused.out) == (1, True), refused.out + refused.err
        assert f"tx {transaction} in block {unmodelled['block']}" in unmodelled["seen"]
        assert "bytes, 67108864 are read" in unmodelled["seen"]
        assert unmodelled["seen"].endswith("; devnet down and devnet up begin a checked one")
        assert "unmodelled" in devnet("status").out
        asked = devnet("expect", "--model", "equal", "--json")
        assert (asked.code, transaction in asked.out + asked.err) == (1, True)
    bundle, facts = manifest(tmp_path)
    assert (facts["verdict"], facts["unmodelled"]) == ("unmodelled", unmodelled)
    replayed = devnet("replay", bundle, "--json")
    assert replayed.code == 0, replayed.err
    assert marked(tmp_path) == []
