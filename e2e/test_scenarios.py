"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "feed-faults": "0x4f9d55fc65fa35fe3ca9f173f1cbefab050f57ce7ed2bf9fc0687319c2e0a27a",
    "feed-mocked": "0x4ae0c8b0b8c818896e596024cfb411e41a011f5ecc6cdc64d2640fa20c6925b2",
    "full-loop": "0x3355182cd6aaff8d0ae38cf34d14cfcb37f1a7f13c86c22fa1c4ec8db009128f",
    "governance": "0xd8a562cbb5ca7babe2226c965c6dcbb36ad81e3ed780fad87fff5a904fcae566",
    "incidents": "0xb84c20dc1d74111924cec0c85d0e159eeab2533a88b42dbea309d6785baffd67",
    "late-claim": "0x9b14414eb28b5de485f718a70299017c08fdb930d34a17387a34b87ce92ed0f5",
    "order-refund": "0x46a3aabbb6cd7016160c22a2cdf8d55b54f639f8f3549c5793b3700a1c6bcd3a",
    "pool": "0x26ffd6f4c9d506e573674c462ce96383f9f1e0e041f9ff86299fe8b23bf0834d",
    "pool-appeal": "0xf369576f34fdf1a18bb19be10476c40234b60fa8feb8252f1aa1eba86fe9bced",
    "request-response": "0xf1d161b760a064f40bb1a731f71dd104a54a0a49afc4bc86e9283affa634ba6f",
    "restake-and-top-up": "0x16ccc6ccbf0457b7032c1d369211ac40098e8bd0326e29d113e52eac84e51317",
    "vendor-outage": "0x82f349e25e52080501245e6535cc13c9bd7e3dfce92c8663794843527690eeb5",
    "vendor-wrong": "0x8ceb2baec1c33460299be86d850dd1386f681cdc3a1d04f121c6f29a41a08b26",
    "worker-lost-under-load": "0x421ab2305ba008f02839c4f30b3275bf1bf172c7ea86330161cc684b94b34ff7",
}


def scenario_names() -> list[str]:
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


@pytest.mark.parametrize("cluster", available_clusters())
@pytest.mark.parametrize("name", scenario_names())
def test_scenario(name: str, cluster: str, devnet: Devnet, tmp_path: Path) -> None:
    ended = devnet("run", SCENARIOS / f"{name}.yaml", "--cluster", cluster, "--json")
    result = ended.json()
    failed = [step for step in result["steps"] if not step["ok"]]
    assert failed == [], f"{failed}\n{ended.err}"
    assert (ended.code, result["verdict"], result["cluster"]) == (0, "passed", cluster)
    assert Path(result["report"]).is_file()
    assert marked(tmp_path) == []
    if cluster == "sim":
        assert result["last_block"]["hash"] == LAST_BLOCK_ON_SIM[name]


@pytest.mark.parametrize("cluster", available_clusters())
def test_a_run_replays_to_its_last_block(cluster: str, devnet: Devnet) -> None:
    ran = devnet("run", SCENARIOS / "full-loop.yaml", "--cluster", cluster, "--json").json()
    replayed = devnet("replay", ran["bundle"], "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.json()["last_block"] == ran["last_block"]


def test_another_seed_is_another_chain(devnet: Devnet) -> None:
    scenario = SCENARIOS / "full-loop.yaml"
    first = devnet("run", scenario, "--cluster", "sim", "--json").json()
    second = devnet("run", scenario, "--cluster", "sim", "--seed", "8", "--json").json()
    assert (first["verdict"], second["verdict"]) == ("passed", "passed")
    assert first["last_block"]["hash"] != second["last_block"]["hash"]
