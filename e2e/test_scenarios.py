"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "feed-faults": "0xecbb6704d09308c197eda71075b67019e351aa424db2058f1337c6143ce28699",
    "feed-mocked": "0xb3ce8822b2a3c85d5ae0b598484b817596dd3306e310d3c98db17d1cd2063582",
    "full-loop": "0x5b8782414e79157213d5e9c0f6e6d49a3ac4fbdffaa12595b77ff125ddd63eb0",
    "governance": "0x4b08a43b6907f502316c400b5ffe0c1809386ab503870f9bea6b0b7c6e50b655",
    "incidents": "0x2af7b361b698341888ed60ff10193f00087fc7ad22efb76c53009ac7809eb161",
    "late-claim": "0x78a9a602f2c4038e7ebd3d7d9958a7be276f3b966c9c0365b3afabe545ac6606",
    "order-refund": "0x8e80d94da7731418216a5875b61512271887b9e69de3632accd19c5f74ef5653",
    "pool": "0x9e8da1d64a55bcd891598e3061cbd9d0f9cd74747f23c9047e71011181c14b83",
    "pool-appeal": "0xe23f7f95c3a5ebce290184054ef0c48c44e14824e76b623ae73b67f7ecbf1864",
    "request-response": "0x9d4d716f5e37decfb0c1b5bc68825d144bfeee12781f292b9c924b6abfdedee3",
    "restake-and-top-up": "0x573b85bdf9804b3a67ee9c7b9c0952e1d403fb3352f50236418c43c90a316bb0",
    "vendor-outage": "0xab39702c94f570b3ce300d0bf89dd3b6f3dbc3caa7617cead704708e7805f69f",
    "vendor-wrong": "0xd1b46f40b69ec48c68d9e0d2342d4a66a5ac3b260c656975c758026a02a42f4e",
    "worker-lost-under-load": "0xbecd75e8d1da27fec4d0544e94c97bdd9e49e1f83eb4e31a56660fc8cbee63a4",
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
