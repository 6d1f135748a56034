"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "credulous-gatekeeper": "0x5e35a71fe7a02bcc0d23c8d07a73cdf735c2b6f4cbf369dfc15a46f7269a6841",
    "feed-faults": "0x73a992d4f190d69c9788072e7959e03086fd902f5666f0cc93e8ba5be976bfb6",
    "feed-mocked": "0x30af4556813b321768c65a229fc1c9030ea68e6bee3d3e2482d6f681f3836e50",
    "feed-replaced": "0xa3e60f43c28911307d294c485a4348d1a55c7c0ddc35d5325ea252fdeea86f27",
    "full-loop": "0xe5204fd96f8fdf173ff4139058c7c672c8db026a1ded3a0e324617920bff6111",
    "governance": "0xa0b478c05cfc37a699a5b05b65f7d65af06552c1b49186fa0154e87401b92214",
    "incidents": "0x34546944f5286773515619658ff0ed767624d05dbb9a544605bb00486f0dbffa",
    "late-claim": "0x484b7bfca8012f94d06dd2c142d3a2412622d76a275753e977d905de8b6a0e3b",
    "order-refund": "0x6849d8ffa65b3043ee0fe159a96fd7ffd10d5199b1b113abc2d61b37920aee22",
    "pool": "0xfb2d7b486598d2714f283b2aeaf097618f03b8752dd789a14d47ffceeef39737",
    "pool-appeal": "0x3e394ce8f3ac0f3a2f779b0d54d6dedf0bc49b1940889cd7c47b6dca920b19cf",
    "request-response": "0x03f5a4d762a0a60563c659a62b5c790ffa6b54de810ce8beaf612af75db47226",
    "restake-and-top-up": "0x67e0a46c89adf1b907abf7af25dcd40fc9384125cb7a2a7796c58771585a0657",
    "vendor-outage": "0x0502ccd9987bbe0d45c748b9186537e0a9bfff6bf22155ee0dd4b73aa0e40ab4",
    "vendor-wrong": "0x9fd3fe719137f57674fd74827293fd5cac37dd1b19776194811d67dfa8c9cc15",
    "worker-lost-under-load": "0xe78c5ab6731bf447d8577e2a1e532c8394f4c6e5a4dddb19b6683acf4317ff95",
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
