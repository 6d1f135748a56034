"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, marked

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "credulous-gatekeeper": "0x3b61c1afa0d796a73fcaa18622eddefdbba51c5d553ee2b0ce6e0e4fb377d716",
    "feed-faults": "0xc42dc8c60dc7ebcb8f3267fa6a20125e8a3e0308d978e91cae790d2992fddb9e",
    "feed-mocked": "0x887f31edcc3bff78f1f6db60b2b31e1b109081df1847ce1d87aaa3a01123437e",
    "full-loop": "0x803e14388f2248494127df688289c25a17a6cc3dc199debbc30b4365351fce65",
    "governance": "0xdbaa17f5e1e6ed55f9ced0ef17fdc3c63ec65c702317abad9dccab60057c3732",
    "incidents": "0x0fbfef4cb3018cf9488464b481b72740cf1a4538cb650a785d7781769cfbcfa6",
    "late-claim": "0xbb08d07b4b2bb82ad246876cd677d17c5a0fad6a80f4612be825686714f838ed",
    "order-refund": "0x567815742a183e2cc75a081a8a5ceeba5f7429f1a5b6584c9a65cda8f33441f4",
    "pool": "0xd1362e56c2694332a6e427eadd5fa8679d0ceaf7c8b15067d6405053e537d487",
    "pool-appeal": "0xd80ba4ea132b988f29d13167221391065e4fc1ac5a657a733b0f59bbdf19bbcc",
    "request-response": "0xde657357f39c6ccea1b388ba120273d7fb9f83e78f7de72ebc1aa4b667db7a27",
    "restake-and-top-up": "0x60bd77454ab046495f4ccb31200f909f554c82886c0fac28833ec63bef1b5711",
    "vendor-outage": "0x94912146952ce648f6580af9cd7d8af2dd41ddab8f316089bcbcbdb3c20f2681",
    "vendor-wrong": "0x3b4e67184f9d94eace24ba46c2a2d050fee312901f1a7029dc2285f02bf987a9",
    "worker-lost-under-load": "0x4b81a7667f2d62e405a4adf5ee546d2895d774aeac8dccae5cf24c084775db3a",
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
