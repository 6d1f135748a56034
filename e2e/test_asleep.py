"""A devnet that was itself asleep, all of it, takes nothing from anybody for it."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, Devnet, available_clusters, marked

NETWORK = ROOT / "e2e" / "networks" / "small.yaml"
SLEEP_SECONDS = 6.0
STAGGER_SECONDS = 1.0
AFTER_SECONDS = 9.0  # beyond what a loss stays in doubt

# Who wakes up when: the kernel promises no order.
ORDERS = ("daemon first", "daemon last", "kubelets last", "control plane last")


def rank(order: str, process: psutil.Process, daemon: int) -> int:
    """0 for who is to go on first."""
    name = process.name()
    match order:
        case "daemon first":
            return int(process.pid != daemon)
        case "daemon last":
            return int(process.pid == daemon)
        case "kubelets last":
            return int(name == "kubelet")
        case _:
            return int(name in ("etcd", "kube-apiserver", "kube-controller-manager"))


@pytest.mark.skipif(
    "native" not in available_clusters(),
    reason="the control plane is not built: devnet up --cluster native builds it",
)
@pytest.mark.timeout(300)
def test_nobody_is_slashed(devnet: Devnet, tmp_path: Path) -> None:
    up = devnet("up", NETWORK, "--cluster", "native", "--block-time", "1", "--json")
    assert up.code == 0, up.err
    daemon = up.json()["pid"]
    try:
        assert devnet("stake", "all").code == 0
        before = devnet("status", "--json").json()["block"]["number"]
        for order in ORDERS:
            sleep(tmp_path, order, daemon)
            after = devnet("status", "--json").json()
            states = {worker["state"] for worker in after["workers"].values()}
            assert (states, after["ended"]) == ({"ready"}, []), order
            assert after["block"]["number"] > before, order
            before = after["block"]["number"]
        fault = devnet("fault", "worker-1")  # a loss after it counts
        assert fault.code == 0, fault.err
    finally:
        for process in marked(tmp_path):
            os.kill(process.pid, signal.SIGCONT)
        down = devnet("down")
    assert down.code == 0, down.err
    (path,) = tmp_path.glob(".devnet/*/runs/*/manifest.json")
    assert json.loads(path.read_text())["verdict"] == "ended"
    inputs = [json.loads(line) for line in (path.parent / "inputs.jsonl").open()]
    events = [line["message"]["event"] for line in inputs if "event" in line["message"]]
    assert [e["subject"] for e in events if e["kind"] == "node-lost"] == ["worker-1"]
    assert '"IncidentExecuted"' not in (path.parent / "events.jsonl").read_text()


def sleep(folder: Path, order: str, daemon: int) -> None:
    """Everybody is stopped, goes on in that order, and has had time to doubt and to be believed."""
    pause = threading.Event()
    everybody = marked(folder)
    for process in everybody:
        os.kill(process.pid, signal.SIGSTOP)
    pause.wait(SLEEP_SECONDS)
    for turn in (0, 1):
        for process in everybody:
            if rank(order, process, daemon) == turn:
                os.kill(process.pid, signal.SIGCONT)
        pause.wait(STAGGER_SECONDS)
    pause.wait(AFTER_SECONDS)
