"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "feed-faults": "0x7bba5245cc97ea3b0c4a86ad6353540dcd746d9b18923c5b43905bf5ddcf49a5",
    "feed-mocked": "0x6002bf05c985ac9976901463f9650c55dbe91120b61ae02d01dd07bc7e602085",
    "full-loop": "0x29d68c0e3b37b36386c938e1f5361de8a786bd6a245135c22bcc4a54a3028454",
    "governance": "0xe458b21100ca52648e99f36eceee877c39e30016553e1d2f3cf96e860105cfe2",
    "incidents": "0x21633100c0ef93b53905927245ac8cea6eb7dce01fa678dd207bfeb8982e52b1",
    "late-claim": "0xd11d88d083cd3ecfe44eafcac34bf8d4f0ebbc0668d7cbd209227e8b2f91b062",
    "order-refund": "0x97f418661f5a7130aa107fadc2061071e0f43e6017c88857afd1fc1657229669",
    "pool": "0xd7dfdee532955a48e004eceac4620ff59a28a2c68324c3f535bfa7af88668c8a",
    "pool-appeal": "0xc92265b49db2692d6f27834ab4ecc7b5b50f766b045fe00c27ccbcd4e9514446",
    "request-response": "0x46b0205b120d306d5ad74a02b1d526168a1345cf050a5b6ccd406a71765ce1aa",
    "restake-and-top-up": "0xaddcbe32b5c9f72896f2c6822e7731a07b3eb9d10313263534ef21d8a7e82eb7",
    "vendor-outage": "0x8fdb3c32c3e4c00135207d55e0de4303022ca9ace7b262ba67d9e2e0c20ffb71",
    "vendor-wrong": "0x9a49322f2486371e97e88205e199b8e67b48095824300c7f3caf5437dfa47833",
    "worker-lost-under-load": "0x51619543faa5381ebecfa20710e461674cd4ba90a45782df3fffd602d908c08c",
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
