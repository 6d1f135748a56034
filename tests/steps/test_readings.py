"""What an account holds, as an attack's `lost` counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import DevnetFolder, Toolchain
from devnet.runs.runner import run_scenario
from devnet.spec.scenario import load_scenario

NETWORK = Path(__file__).parents[2] / "e2e" / "networks" / "small.yaml"
KOMP = 10**18
POOL = f"""\
version: 1
name: a pool that earned
network: {NETWORK}
seed: 17
attack:
  line: pool-slashed-to-nothing
  attempt: A pool earns.
  stopped_by: [S7]
  lost: {{alice: -460 KOMP, bob: -540 KOMP, worker-2: 0 KOMP}}
steps:
  - pool_create: {{operator: alice, pool: harbour, commission: 10%}}
  - pool_join: {{pool: harbour, member: alice, amount: 200 KOMP}}
  - pool_join: {{pool: harbour, member: bob, amount: 300 KOMP}}
  - pool_activate: {{pool: harbour, worker: worker-1}}
  - publish: {{worker: worker-1}}
  - advance: {{cycles: 1}}
"""


@pytest.mark.parametrize(
    "then",
    ["", "  - pool_harvest: {pool: harbour}\n", "  - pool_collect: {pool: harbour, member: all}\n"],
    ids=["unharvested", "harvested", "collected"],
)
def test_a_member_holds_its_part_of_what_the_pool_has_earned(tmp_path: Path, then: str) -> None:
    """Of 1 000 KOMP a tenth is the operator's; of the rest 200 of 500 shares, and 300."""
    path = tmp_path / "scenario.yaml"
    path.write_text(POOL + then)
    result = run_scenario(
        load_scenario(path, environment={}),
        cluster="sim",
        folder=DevnetFolder.open("readings", tmp_path),
        toolchain=Toolchain(),
        say=lambda line: None,
    )
    assert result.attack is not None
    assert result.attack.lost == {"alice": -460 * KOMP, "bob": -540 * KOMP, "worker-2": 0}
    assert (result.verdict, result.attack.verdict) == ("passed", "defeated")
