"""SIGKILL at any moment: `gc` leaves no process, no control group and a bundle one can read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, SCENARIOS, Devnet, available_clusters, marked

from devnet.base import wait_for

NETWORK = ROOT / "e2e" / "networks" / "small.yaml"
LOOP = SCENARIOS / "full-loop.yaml"
MOMENT_SECONDS = 120

# What to start, and the first words on stderr after which it is killed.
MOMENTS = {
    "run-begins": (["run", LOOP], "cluster"),
    "run-measures": (["run", LOOP], "  1  ok    stake"),
    "run-serves": (["run", LOOP], "  5  ok    request"),
    "run-with-a-lost-node": (["run", LOOP], "  8  ok    expect"),
}


def kill_at(words: list[str | Path], moment: str, folder: Path) -> None:
    """Start `devnet …`, and SIGKILL it as soon as it has said `moment`."""
    log = folder / "killed.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "devnet.cli", *map(str, words)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            start_new_session=True,
        )
    try:
        wait_for(
            f"'{moment}' of devnet {words[0]}",
            lambda: moment in log.read_text() or None,
            limit_seconds=MOMENT_SECONDS,
            seen=lambda: log.read_text()[-500:],
        )
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)


def control_groups(folder: Path) -> list[Path]:
    """Control groups of the devnets below `folder`."""
    ids = {path.read_text().strip() for path in folder.glob(".devnet/*/id")}
    root = Path("/sys/fs/cgroup")
    return [path for one in ids for path in root.glob(f"**/*{one}*") if path.is_dir()]


def clean_after(folder: Path) -> Callable[[], bool | None]:
    return lambda: (not marked(folder) and not control_groups(folder)) or None


@pytest.mark.parametrize("cluster", available_clusters())
@pytest.mark.parametrize("name", MOMENTS)
def test_a_killed_run_is_cleared_and_can_be_read(
    name: str, cluster: str, devnet: Devnet, tmp_path: Path
) -> None:
    words, moment = MOMENTS[name]
    kill_at([*words, "--cluster", cluster], moment, tmp_path)

    cleared = devnet("gc")

    assert cleared.code == 0, cleared.err
    wait_for("nothing to be left", clean_after(tmp_path), limit_seconds=10)
    (bundle,) = tmp_path.glob(".devnet/*/runs/*.kompute.zip")
    assert devnet("report", bundle).code == 0
    if name != "run-begins":  # before the chain has begun there is nothing to repeat
        replayed = devnet("replay", bundle)
        assert replayed.code == 0, replayed.err


@pytest.mark.parametrize("cluster", available_clusters())
def test_the_next_up_clears_what_a_killed_daemon_left(
    cluster: str, devnet: Devnet, tmp_path: Path
) -> None:
    first = devnet("up", NETWORK, "--cluster", cluster, "--json").json()
    os.kill(devnet("status", "--json").json()["pid"], signal.SIGKILL)

    second = devnet("up", NETWORK, "--cluster", cluster, "--json")
    down = devnet("down")

    assert (second.code, down.code) == (0, 0), second.err + down.err
    assert second.json()["rpc"] != "" and first["name"] == second.json()["name"]
    wait_for("nothing to be left", clean_after(tmp_path), limit_seconds=10)


def test_a_killed_load_is_cleared(devnet: Devnet, tmp_path: Path) -> None:
    kill_at(["load", "--users", "5", "--time", "30s"], "locust: 5 users", tmp_path)

    cleared = devnet("gc")

    assert cleared.code == 0, cleared.err
    wait_for("nothing to be left", clean_after(tmp_path), limit_seconds=10)


@pytest.mark.skipif(
    "native" not in available_clusters(),
    reason="the control plane is not built: devnet up --cluster native builds it",
)
def test_parts_that_die_are_told_at_once_and_the_devnet_goes_on(
    devnet: Devnet, tmp_path: Path
) -> None:
    """It was "all ready" for a minute, then "Read timed out"; a fault waited for a minute."""
    up = devnet("up", NETWORK, "--cluster", "native", "--block-time", "60", "--json")
    assert up.code == 0, up.err
    sentences = [f"{part} was killed by SIGKILL" for part in ("etcd", "kubelet of worker-1")]
    try:
        (store,) = (process for process in marked(tmp_path) if process.name() == "etcd")
        kubelet = next(
            process
            for process in marked(tmp_path)
            if process.name() == "kubelet" and "/worker-1/" in process.cmdline()[-1]
        )
        store.kill()
        kubelet.kill()
        told = devnet("status").out
        assert [sentence in told for sentence in sentences] == [True, True], told
        wait_for(
            "status to tell of their return",
            lambda: devnet("status", "--json").json()["ended"] == [] or None,
            limit_seconds=30,
        )
        assert devnet("status").out.count(" is back after ") == 2

        (manager,) = (
            process for process in marked(tmp_path) if process.name() == "kube-controller-manager"
        )
        manager.suspend()
        stopped = "kube-controller-manager is stopped by a signal"
        assert stopped in devnet("status").out
        fault = devnet("fault", "worker-1", seconds=20)
        assert fault.code == 1
        assert stopped in fault.err and f"kill -CONT {manager.pid}" in fault.err
        manager.resume()
        fault = devnet("fault", "worker-1")
        assert fault.code == 0, fault.err
    finally:
        down = devnet("down")
    assert down.code == 0, down.err
    (path,) = tmp_path.glob(".devnet/*/runs/*/manifest.json")
    manifest = json.loads(path.read_text())
    assert (manifest["verdict"], manifest["ended"]) == ("ended", sentences)
    inputs = [json.loads(line) for line in (path.parent / "inputs.jsonl").open()]
    told = [line["message"] for line in inputs if line["to"] == "devnet"]
    assert [(one["name"], one["died"]) for one in told][:2] == [
        ("etcd", True),
        ("kubelet of worker-1", True),
    ]
    assert sum(one["said"].startswith("is back after ") for one in told) == 2


@pytest.mark.skipif(
    "native" not in available_clusters(),
    reason="the control plane is not built: devnet up --cluster native builds it",
)
def test_a_part_that_keeps_dying_ends_the_devnet_by_name(devnet: Devnet, tmp_path: Path) -> None:
    up = devnet("up", NETWORK, "--cluster", "native", "--block-time", "60", "--json")
    assert up.code == 0, up.err
    killed: set[int] = set()

    def kill_it_again() -> bool | None:
        for process in marked(tmp_path):
            if process.name() == "etcd" and process.pid not in killed:
                process.kill()
                killed.add(process.pid)
        return not any(process.name() == "kubelet" for process in marked(tmp_path)) or None

    try:
        wait_for("the end of the devnet", kill_it_again, limit_seconds=60)
        staked = devnet("stake", "all")
        assert staked.code != 0
        assert "etcd was killed by SIGKILL, for the 6. time in a minute" in staked.err
    finally:
        devnet("down")
    (manifest,) = tmp_path.glob(".devnet/*/runs/*/manifest.json")
    assert json.loads(manifest.read_text())["verdict"] == "broken"
