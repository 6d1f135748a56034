"""`devnet together` on a devnet that stays, on every cluster: in one block, or cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Devnet, available_clusters, marked

from devnet.base import wait_for

NETWORK = ROOT / "e2e" / "networks" / "tiny.yaml"
GIVE = "send: {from: alice, to: Kompute, function: transfer, args: {to: bob, value: 5 KOMP}}"
NOTHING = (
    "send: {from: treasury, to: Rewards, function: addReward, args: {amount: 0 KOMP}, "
    "expect_error: ZeroAmount}"
)
SENDS = "[{" + GIVE + "}, {" + NOTHING + "}]"
SOON_SECONDS = 30.0
Up = Callable[..., None]


@pytest.fixture
def up(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Up]:
    def start(*words: str) -> None:
        clients = "clients=[{name: alice, balance: 100 KOMP}, {name: bob, balance: 0 KOMP}]"
        started = devnet("up", NETWORK, "--cluster", request.param, "--set", clients, *words)
        assert started.code == 0, started.err

    yield start
    assert devnet("down").code == 0
    assert marked(tmp_path) == []


def status(devnet: Devnet) -> dict[str, Any]:
    return devnet("status", "--json").json()


@pytest.mark.parametrize("up", available_clusters(), indirect=True)
def test_all_sends_are_in_one_block_and_each_is_judged(devnet: Devnet, up: Up) -> None:
    up("--block-time", "0.5")
    done = devnet("together", SENDS, "--json").json()
    first, last = done["blocks"]
    assert done["ok"] and last == first + 1
    assert done["did"] == (
        f"2 in block {last}: alice Kompute.transfer; "
        "treasury Rewards.addReward (rejected with ZeroAmount)"
    )
    assert devnet("expect", "--client", "bob", "--balance", "5 KOMP").code == 0
    unexpected = devnet("together", "--sends", SENDS.replace("ZeroAmount", "NotOwner"))
    assert unexpected.code == 1
    assert "send 2 of 2" in unexpected.err
    faulty = devnet("together", SENDS.replace("alice", "nobody"))
    assert (faulty.code, faulty.out) == (2, "")
    assert "unknown account; seen 'nobody'" in faulty.err
    assert devnet("together").code == 2


@pytest.mark.parametrize("up", available_clusters(), indirect=True)
def test_one_that_is_interrupted_leaves_the_devnet_as_it_is(
    devnet: Devnet, up: Up, tmp_path: Path
) -> None:
    up("--block-time", "600")  # no block comes to its help
    asking = subprocess.Popen(
        [sys.executable, "-m", "devnet.cli", "together", SENDS],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("the step", lambda: status(devnet)["step"] == "together", limit_seconds=SOON_SECONDS)
    os.kill(asking.pid, signal.SIGINT)
    _, err = asking.communicate(timeout=SOON_SECONDS)
    assert asking.returncode == 130
    assert "cancels the together" in " ".join(err.split())
    wait_for("its end", lambda: not status(devnet)["step"], limit_seconds=SOON_SECONDS)
    assert devnet("expect", "--invariants", "all", "--model", "equal").code == 0
    log = (tmp_path / ".devnet" / "default" / "logs" / "daemon.log").read_text()
    assert "cancelled at block" in log
