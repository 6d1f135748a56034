"""SIGKILL at any moment: `gc` leaves no process, no control group and a bundle one can read."""

from __future__ import annotations

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
def test_a_control_plane_that_loses_its_store_is_told_at_once(
    devnet: Devnet, tmp_path: Path
) -> None:
    """It was "all ready" for a minute, then "Read timed out"."""
    up = devnet("up", NETWORK, "--cluster", "native", "--block-time", "60", "--json")
    assert up.code == 0, up.err
    try:
        (etcd,) = (process for process in marked(tmp_path) if process.name() == "etcd")
        etcd.kill()
        sentence = "etcd was killed by SIGKILL"
        wait_for(
            "status to name it",
            lambda: sentence in (told := devnet("status")).out + told.err or None,
            limit_seconds=10,
        )
        staked = devnet("stake", "all")
        assert staked.code != 0 and sentence in staked.err
    finally:
        devnet("down")
    (manifest,) = tmp_path.glob(".devnet/*/runs/*/manifest.json")
    assert f'"{sentence}"' in manifest.read_text()
