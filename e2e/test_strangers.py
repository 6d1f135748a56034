"""Whatever anybody sends to a running devnet: it goes on, its steps work, its bundle replays.

`KOMPUTE_STRANGERS=10000 pytest e2e/test_strangers.py` is the deep form.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from conftest import ROOT, Devnet, marked
from strangers import Strangers, selector

from devnet.actors.view import account_names
from devnet.base import wait_for
from devnet.chain import Account, Rpc, RpcError, Transaction, derive, sign
from devnet.chain.pool import Pool
from devnet.spec.loading import load_network

pytestmark = pytest.mark.timeout(7200)
NETWORK = ROOT / "e2e" / "networks" / "small.yaml"
MANY = int(os.environ.get("KOMPUTE_STRANGERS", "400"))
AT_ONCE = 25
# A claim of 2^63 bytes of signatures: `Market.reportCounters` with 0, 0, 0, 0x80, 2^63.
HUGE = b"".join(word.to_bytes(32, "big") for word in (0, 0, 0, 0x80, 2**63))


def accounts() -> tuple[dict[str, Account], list[Account]]:
    """The network's by name, and eight of the mnemonic that nobody else uses."""
    spec = load_network(NETWORK)
    names = account_names(spec)
    strangers = [f"stranger-{number}" for number in range(8)]
    found = derive(spec.accounts.mnemonic, [*names, *strangers])
    return found, [found[name] for name in strangers]


@pytest.mark.parametrize("seed", [1])
def test_a_devnet_outlives_what_strangers_send(seed: int, devnet: Devnet, tmp_path: Path) -> None:
    up = devnet("up", NETWORK, "--cluster", "sim", "--block-time", "0.2", "--json")
    assert up.code == 0, up.err
    status = up.json()
    try:
        with Rpc(status["rpc"]) as rpc:
            named, strangers = accounts()
            fates = _send(rpc, seed, status["contracts"], strangers, [named["alice"]])
            pool = wait_for(
                "an empty pool",
                lambda: int(rpc.call("txpool_status")["pending"], 16) == 0,
                limit_seconds=60,
            )
            assert pool
        assert fates["taken"] > MANY * 2 // 5, fates
        assert fates["refused"] > MANY // 50, fates
        assert devnet("status", "--json").json()["phase"] == "running"
        for words in (["stake", "all"], ["order", "alice", "web", "--deposit", "20 KOMP"]):
            step = devnet(*words, "--json")
            assert step.code == 0, step.out + step.err
    finally:
        down = devnet("down", "--json")
    assert down.code == 0, down.err
    (bundle,) = tmp_path.glob(".devnet/default/runs/*.kompute.zip")
    replayed = devnet("replay", bundle, "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.json()["transactions"] >= fates["taken"] // 2
    types = _types(bundle)
    print(f"{dict(fates)}; mined by type {dict(types)}")
    assert types.keys() == {0, 1, 2, 3}  # the node refuses 4 under cancun
    assert marked(tmp_path) == []


def _send(
    rpc: Rpc, seed: int, contracts: dict[str, str], strangers: list[Account], shared: list[Account]
) -> Counter[str]:
    wild, pool = Strangers(seed, contracts, strangers, shared), Pool(rpc)
    everyone = [account.address for account in (*strangers, *shared)]
    fates: Counter[str] = Counter()
    raws = [_claim(rpc, contracts, strangers[0])]
    for _ in range(0, MANY, AT_ONCE):
        nonces = pool.next_nonces(everyone)
        while len(raws) < AT_ONCE:
            sender, raw = wild.raw(nonces)
            raws.append(raw)
            if sender:
                nonces[sender] += 1
        calls = [("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in raws]
        for answer in rpc.batch(calls):
            fates["refused" if isinstance(answer, RpcError) else "taken"] += 1
        raws = []
    return fates


def _types(bundle: Path) -> Counter[int]:
    """How many transactions of each type are in the record (EIP-2718; 0 is the legacy one)."""
    with zipfile.ZipFile(bundle) as archive:
        lines = [json.loads(line) for line in archive.read("blocks.jsonl").splitlines()]
    firsts = (int(item["raw"][2:4], 16) for line in lines for item in line["transactions"])
    return Counter(first if first < 0xC0 else 0 for first in firsts)


def _claim(rpc: Rpc, contracts: dict[str, str], sender: Account) -> bytes:
    data = selector("Market", "reportCounters") + HUGE
    nonce = Pool(rpc).next_nonces([sender.address])[sender.address]
    return sign(sender, Transaction(nonce, contracts["Market"], data))
