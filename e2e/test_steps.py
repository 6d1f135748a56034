"""Steps of a running devnet that are cancelled, or that cannot come true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Devnet, marked

from devnet.base import wait_for

NETWORK = ROOT / "e2e" / "networks" / "small.yaml"
SOON_SECONDS = 20.0  # of waits that were one to two minutes


@pytest.fixture
def running(devnet: Devnet, tmp_path: Path) -> Iterator[Devnet]:
    up = devnet("up", NETWORK, "--cluster", "sim", "--block-time", "1", "--json")
    assert up.code == 0, up.err
    try:
        yield devnet
    finally:
        assert devnet("down").code == 0
    assert marked(tmp_path) == []


def status(devnet: Devnet) -> dict[str, Any]:
    return devnet("status", "--json", seconds=SOON_SECONDS).json()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_step_ends_with_whoever_asked_for_it(
    number: signal.Signals, running: Devnet, tmp_path: Path
) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-m", "devnet.cli", "advance", "--cycles", "5000"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = wait_for(
        "the devnet to be two cycles on",
        lambda: now if (now := status(running))["cycle"] >= 2 else None,
        limit_seconds=60,
    )
    assert seen["step"] == "advance"
    # C1, while the step goes on
    assert seen["cycle"] == (seen["block"]["number"] - 1) // 70
    os.kill(asking.pid, number)
    _, err = asking.communicate(timeout=SOON_SECONDS)
    if number is not signal.SIGKILL:
        assert asking.returncode == 130
        assert "cancels the advance" in " ".join(err.split())
    stopped = wait_for(
        "the step to end",
        lambda: now if not (now := status(running))["step"] else None,
        limit_seconds=SOON_SECONDS,
    )
    staked = running("stake", "all", "--json", seconds=SOON_SECONDS).json()
    assert staked["ok"]
    assert staked["blocks"][0] - stopped["block"]["number"] < 60
    log = (tmp_path / ".devnet" / "default" / "logs" / "daemon.log").read_text()
    assert "cancelled at block" in log


def test_what_cannot_come_true_is_refused_at_once(running: Devnet) -> None:
    healed = running("heal", "worker-1", "--json", seconds=SOON_SECONDS)
    assert (healed.code, healed.json()["failure"]) == (
        1,
        "worker-1 is ready: there is nothing to heal",
    )
    ordered = running("order", "alice", "web", "--deposit", "5 KOMP", "--json")
    assert "no worker has staked: nobody can accept it (devnet stake all)" in ordered.json()["did"]
    assert running("stake", "all", "--json").code == 0
    assert running("fault", "worker-2", "--json").code == 0
    for verb in ("measure", "publish"):
        refused = running(verb, "worker-2", "--json", seconds=SOON_SECONDS)
        assert refused.code == 1
        assert refused.json()["failure"] == (
            "worker-2: lost, so no performance test can run there (devnet heal --worker worker-2)"
        )
    assert running("heal", "worker-2", "--json").code == 0
    assert running("measure", "worker-2", "--json").code == 0
