"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "credulous-gatekeeper": "0x27bd55641ef6e3f33954273cf85a140b8e3916c733da12e163b47bef9a0fac4c",
    "feed-faults": "0x5a65b0dc9e2281704301c1b5c38fd474b2997fd36ac63922fa2a9ae5edbccacb",
    "feed-mocked": "0x031c5f17e029f77a545c947097deefa6a32b4be414e48f20fe58eb1f692b265c",
    "full-loop": "0x52d0af309d54c2352542f11053899387b1afe5d3feb686e4bfd4aa3c8a08adfa",
    "governance": "0x0c2ed6eddb2906d0e00d40bb214065c21b8c90f91de3d2bfdaca434b85e6c62c",
    "incidents": "0x5cc021b78794a92b3691c9ca23eb8acfe2adee98917b71969d7415882d894a31",
    "late-claim": "0xbfbe0b6281b0419e794fda03cfd912df8be68dea40d7e893f86f32cbae1551ec",
    "order-refund": "0x408c2791f368c53d0ea45d37c2513fe1453ae4bf48de4326a12f04d3069ded1f",
    "pool": "0x37bb8677b157c868a36a7d69aed823ad178ff7e65cdac8c5bb14947cc40139e2",
    "pool-appeal": "0x711eb5d47fc44978d1398b1aada2dad383f9b0db35555758cec091f51e6e5f6f",
    "request-response": "0x86814046d9936c7e4d115ea30b937672ffcd4a92c96ce9c26237967ec92eed62",
    "restake-and-top-up": "0x9364b8481aa2f962fc4f8637d9884efa8d4206e88cb6fdd4eee7e3c59f3bc784",
    "vendor-outage": "0x47d2388e31b44a98e1bc536f0ca345d7b713920d260fa4b52c70419f678b88fe",
    "vendor-wrong": "0x2c402e529ec89480168b412db0c2851881d13ff667c3e306415779e802514a11",
    "worker-lost-under-load": "0x107b79c26777343a14f51896673604863251f8fd59cb6296974353b0a9aa8df3",
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
