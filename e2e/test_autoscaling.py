"""Replicas that follow what they use, and the bill that follows them (M1, M6).

On `sim` usage is scripted, on the others measured: one scenario each.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, left

FOLDER = SCENARIOS / "autoscaling"
NETWORK = SCENARIOS.parent / "networks/autoscaled.yaml"
# See `test_scenarios.LAST_BLOCK_ON_SIM`.
LAST_BLOCK_ON_SIM = "0xfdd2201127645ac610c290b9c81eb777e85ab3b53257462ae81cd73b91d8f529"
MEASURED = [name for name in available_clusters() if name != "sim"]


def statements(bundle: str | Path) -> list[tuple[int, int]]:
    """(order, replicas) of every statement on chain, in order."""
    with zipfile.ZipFile(bundle) as archive:
        lines = archive.read("events.jsonl").decode().splitlines()
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    reported = [each["args"] for each in events if each["name"] == "UsageReported"]
    return [(int(args["id"]), int(args["replicas"])) for args in reported]


def test_replicas_and_bill_follow_a_scripted_usage(devnet: Devnet, tmp_path: Path) -> None:
    ended = devnet("run", FOLDER / "scripted.yaml", "--cluster", "sim", "--json")
    result = ended.json()
    failed = [step for step in result["steps"] if not step["ok"]]
    assert (failed, ended.code, result["verdict"]) == ([], 0, "passed"), ended.err
    said = statements(result["bundle"])
    assert [replicas for order, replicas in said if order == 1] == [1, 2, 3, 2, 0, 3, 1]
    assert [replicas for order, replicas in said if order == 2] == [1, 4, 2]
    assert result["last_block"] == {"number": 96, "hash": LAST_BLOCK_ON_SIM}
    assert left(tmp_path) == []


def test_on_a_running_devnet_each_value_is_billed_while_it_lasts(
    devnet: Devnet, tmp_path: Path
) -> None:
    """Where blocks do not wait for pods."""
    up = devnet("up", NETWORK, "--cluster", "sim", "--block-time", "3", "--json")
    assert up.code == 0, up.err
    try:
        for words in (
            ("stake", "--worker", "all"),
            ("order", "--client", "alice", "--service", "web", "--deposit", "20 KOMP"),
            ("usage", "web", "--cpu", "120%,30%", "--every", "2h"),
            ("expect", "--service", "web", "--ready", "1", "--billed", "1"),
        ):
            done = devnet(*words)
            assert done.code == 0, (words, done.err)
    finally:
        down = devnet("down", "--json")
    assert down.code == 0, down.err
    (bundle,) = tmp_path.glob(".devnet/default/runs/*.kompute.zip")
    assert statements(bundle) == [(1, 1), (1, 3), (1, 1)]
    assert left(tmp_path) == []


@pytest.mark.parametrize("cluster", MEASURED)
def test_replicas_and_bill_follow_what_is_measured(
    cluster: str, devnet: Devnet, tmp_path: Path
) -> None:
    ended = devnet("run", FOLDER / "measured.yaml", "--cluster", cluster, "--json")
    result = ended.json()
    failed = [step for step in result["steps"] if not step["ok"]]
    assert (failed, ended.code, result["verdict"]) == ([], 0, "passed"), ended.err
    said = statements(result["bundle"])
    web = [replicas for order, replicas in said if order == 1]
    assert max(web) == 3  # of the four of its autoscale: its order allows no more
    assert web[-1] == 1
    cache = [replicas for order, replicas in said if order == 2]
    assert (cache[0], max(cache) > 1, cache[-1]) == (1, True, 1)
    assert left(tmp_path) == []


@pytest.mark.parametrize("cluster", MEASURED)
def test_what_is_measured_cannot_be_scripted(cluster: str, devnet: Devnet) -> None:
    ended = devnet("run", FOLDER / "scripted.yaml", "--cluster", cluster, "--json")
    (failed,) = [step for step in ended.json()["steps"] if not step["ok"]]
    assert (ended.code, failed["verb"]) == (1, "usage")
    said = f"on {cluster} what the pods of order-1 use is measured, and cannot be scripted"
    assert said in failed["failure"]
