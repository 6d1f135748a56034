"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "feed-faults": "0x181d332a32a93747413fc9e1a4981c17751c71d6e63f4c48b967d55bcaa95e5f",
    "feed-mocked": "0x0152eeda79a2dcbe12c8efeedf70516453282a27aa6a82f2a7a1fcd990c97a72",
    "full-loop": "0x1a3b8cd75a4c02c411f1b3cd7e987f7aee9c0294f81e6e6e7b14b8c9508d32ef",
    "governance": "0x9dad92dcad12af36bbf062d481c0adc6e49d82185e20ada7ca1f11be28c1977f",
    "incidents": "0x82e4279ca54aad8bd865ae835bb3f37ca28a59717d20ef963e3409f3604e2305",
    "late-claim": "0x5637ffedafac55114970b4e4762b31dd8944a215988d148f838bbd66264f0e15",
    "order-refund": "0xb199fd669afa656faedb0f0f05a55e3593fc5c18a41a79b3779116cfa6409cfc",
    "pool": "0xac6079468e26b83472d345096d031c21dc080ce876e9aaaf360e45eaeed81090",
    "pool-appeal": "0x9e81ca46176ef8d1f2b8feb48bfb9b8b81483859a3a816bd826ece9c473c9f17",
    "request-response": "0x983cc5a56d85897ccb9464e5b0bd9b5ff750e7f0e33949894de202c7764854d4",
    "restake-and-top-up": "0xf9495428d11bb5bde1a193e1d896081140a778e390cb60bf91592c86778bdacc",
    "vendor-outage": "0x98b10e9d693acef2caf7d6649189da76a18de8a9cb4aba99026477a64b918dc3",
    "vendor-wrong": "0x74c15b93c8e8e76efc6a51f037a7967a321fcdf0062e6235d0218bee5ffbe436",
    "worker-lost-under-load": "0xa6cec96fab83447c74ec84ab039c4dd2ad75bdfed302ea93e4292cc2d58e2caa",
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
