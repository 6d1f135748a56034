"""Every scenario of the repository, on every cluster this machine serves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, available_clusters, left

# `sim` follows from the files and the seed alone, so the chain a scenario leaves is a fact of the
# repository. A change of contracts, actors or scenario changes it: commit the new one with it.
LAST_BLOCK_ON_SIM = {
    "cheating-workers": "0x33c761c48d84cb83c2dbe8ea09c28c0ba5067247c67f9d11143ad5c086e3b69c",
    "credulous-gatekeeper": "0x8fb1e588e6dfa081d0e8511ed6ee4e8b2b4904aea144d6a29ac5ede6a6d0dea7",
    "feed-faults": "0x7977a654be9097bd0090d1a8c6d8674d87170b6925d98e0338f9c72b781c83a5",
    "feed-mocked": "0x52060857b3e1d8f73c021dbd12e70314efb6a24d4647f82927787acb877ab6ca",
    "feed-replaced": "0x82ccaf8713ccbd86a01655079c591f4679c352b1ac84533e271e147809a892db",
    "full-loop": "0x3740db3790617b4bb27d1abc3ebdd325d0833d245a1334c15e29d718bfbcc1d2",
    "governance": "0x4d4076293fc835913960d31d1cbc45a4ef98a2bd0241b7cb75d8b020eb6e2ab7",
    "incidents": "0x8b192ff7771d4dae862fbbadd73dca9261e3b3fb74a8c722fcc49b5173262470",
    "late-claim": "0x621a6975413aa0caeccb55ad74a9e0ef70e8239590713ffc2642b020355ba989",
    "node-faults": "0xc4a377f5e7565a852fbe29cf1eabdc3752ca3d18f016f4826def13288a02b930",
    "order-refund": "0x3f3f238d293bab266d5525e6b0a1c8a9d8e3c7779e8f41470fd9ca0c9d68276f",
    "own-machines": "0xa80311f8a711f47af5303f0af0c425d42096cc2eca2bd7f9850249f0fd92697d",
    "pool": "0xc5c27862146f1c4e2f38c33bd62b5d57dbd2f9f61752f02c80c5927c2ad1fb95",
    "pool-appeal": "0xadbe52d89180a96dc614ed8b15ecfb991d77e6ac0754ad015cdcc0b827c0b5f8",
    "request-response": "0xcdac5ca6a925df9086d35a8fc177b6939fcc08f2d7a5c1d3cdaf7f9d8821be7d",
    "restake-and-top-up": "0xb2d5a96aeaa92311eecf9ba5d464adf3f1b631fa917e8adc550beeeac9ba16a1",
    "vendor-outage": "0x5d1b73820b5790a31af34ca4e1d2b435c73501b77e047ad0f95995958ac1ee12",
    "vendor-wrong": "0x9b0b987e1cc7ad2692ab725d8727f10cc6f96d7dfeca8190c3f00a82bba41503",
    "weak-nodes": "0x3d934c36f4439ead91269da68df9949093e009cc5a1920607649caf8f442fb28",
    "worker-lost-under-load": "0x84ac155a2a71e4b80a771fb4c7145fed2054aeaee3941ba06ab6635b30c2100f",
}

NEEDED = {("weak-nodes", "native"): ("CPU quota", "A node's disk is as large as")}
"""What a machine must enforce for a scenario on a cluster, in the words of `doctor`."""

TUTORIAL = SCENARIOS.parents[1] / "docs/tutorial/first-run.md"


def test_the_tutorial_shows_the_last_block_of_the_full_loop() -> None:
    """Whoever follows it compares; `full loop on sim` is the first run it shows."""
    shown = TUTORIAL.read_text(encoding="utf-8").split("last block 143\n", 1)[1].split()[0]
    assert shown == LAST_BLOCK_ON_SIM["full-loop"]


def scenario_names() -> list[str]:
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


ROUNDS = int(os.environ.get("KOMPUTE_E2E_ROUNDS", "1"))  # of each: 50 show what happens seldom


@pytest.mark.parametrize("cluster", available_clusters())
@pytest.mark.parametrize("name", scenario_names())
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_scenario(_round: int, name: str, cluster: str, devnet: Devnet, tmp_path: Path) -> None:
    if needed := NEEDED.get((name, cluster)):
        enforced = " ".join(devnet("doctor", "--json").json()["native"].get("enforced", []))
        if lacking := [words for words in needed if words not in enforced]:
            pytest.skip(f"not enforced here: {', '.join(lacking)}")
    ended = devnet("run", SCENARIOS / f"{name}.yaml", "--cluster", cluster, "--json")
    result = ended.json()
    failed = [step for step in result["steps"] if not step["ok"]]
    assert failed == [], f"{failed}\n{ended.err}"
    assert (ended.code, result["verdict"], result["cluster"]) == (0, "passed", cluster)
    assert Path(result["report"]).is_file()
    assert left(tmp_path) == []
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
