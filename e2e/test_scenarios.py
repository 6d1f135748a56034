"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "full-loop": "0x2feefb9ff17aa200eece11c856aca6f06a0db1467caee2998d6b7bfb19628326",
    "incidents": "0xdde03f47fd3ca897acc787c650cd6edb6dca65218380535c8533876ce553cf97",
    "late-claim": "0x5554c617817541e6feb06c8f94c609571b75cdcfcddfb5c992e6a52cbc8b484c",
    "order-refund": "0x34fa82fc359004c1c23192b8472e21900b16b23cfa6e458aebe8634e97bf070b",
    "pool": "0x8e82a7e1d0bbc752cd96578f99ee1abac962df7c044c01b16df02d8a0de3a553",
    "pool-appeal": "0xeab301c8fe657cb79a6c3fa1037900fd339dd206f9e68e61ebd24069ae4c72fc",
    "restake-and-top-up": "0x28d0b722284454e91ae09c3395311693d28d96d5fbe1c148cd65147fff2d679a",
    "vendor-outage": "0x715281ab7b742c9b31ab7bf5e80b81d4e18b1bab836da4339d152b576ee328f2",
    "vendor-wrong": "0x24f499ce434d56ecb8b229b9c25b47c957e3c07f6c726169456d25f47233dced",
    "worker-lost-under-load": "0x461e973d993c0c6a96de05979284801260e4f9bd380ab718dcaf6301b41aaa79",
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
