"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "credulous-gatekeeper": "0xcc2a397694cc3063f073cdc5ace567eb575b7096e1e08eaeb3d27b7255359409",
    "feed-faults": "0x97e43523cae0b5134682e881b46b260164fce31647240a9daa0ee9f4cd9731df",
    "feed-mocked": "0xb3f02c5c076c0bbd9550ebdf7ff39edc7d02ef923a59e2302c16dc44f5238402",
    "full-loop": "0x05a7379c90ab5cbff9b9b55583a2f5c2290f6e67949af060478486f92d5b6458",
    "governance": "0xcd3fa20bf8a6a43ff192d2a45caf3bf19d01ad7dd72bf9ba0bdedcdbfa7c20c5",
    "incidents": "0xf361d649bec00bd544d65d30597d7631e866cfc57f654bfbf1ce88fe32f4fac1",
    "late-claim": "0x5d44c95e565894c466a10cefe836466e4ba1f46d8f01f1a599aad3ea63abc049",
    "order-refund": "0xac21b28c1e64a18f67b7de5e0f299e9552c334998b4d5b6a7547d3e91bcf3c8d",
    "pool": "0x07d1c662fb0c3657dbfe71fb9f380af969e970858aaaeb61e4e49e9f4ea4bf96",
    "pool-appeal": "0x85bc55e4f4c882f3dfcaed7209db7f1d16ae0a63784e3e50efb00a9442cf049f",
    "request-response": "0x21142342711e3beb18c2a9fd01b4e604c6dbd578912530604558016f8ea6f08d",
    "restake-and-top-up": "0x3dcccd3b480b87ce788ec2ac38038e7923f4909e239b5e0cf3053491267ac44b",
    "vendor-outage": "0x377d499b3689c48d65f8c72f855be7190252fc5e6ddb96d11b8e9598227bbedc",
    "vendor-wrong": "0x3fe874dbbd35f3f53c27c12277927ec05e52de00c758fbd442dff5d5c6fff50e",
    "worker-lost-under-load": "0xa7eaac83fbfcff65ecf13d64c1b0a8cd63dabafeb38783230633f73e12d2b818",
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
