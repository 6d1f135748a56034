"""The keys of `expect`: one table, and what each says where it does not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import DevnetFolder, Toolchain
from devnet.runs.runner import run_scenario
from devnet.spec.expectation import ASKED_OF
from devnet.spec.scenario import load_scenario
from devnet.steps.keys import KEYS

NETWORK = Path(__file__).parents[2] / "e2e" / "networks" / "governed.yaml"
STEPS = f"""\
version: 1
name: what does not hold
network: {NETWORK}
seed: 17
steps:
  - stake: {{worker: [worker-1, worker-2]}}
  - order: {{client: alice, service: machine, replicas: 1, deposit: 5 KOMP, duration: 6h}}
  - pool_create: {{operator: alice, pool: harbour}}
  - pool_join: {{pool: harbour, member: alice, amount: 300 KOMP}}
"""
# What is asked, and what is told of it: all of a subject's keys in one step.
MISSES = {
    "worker: worker-1, stake: 1 KOMP, slashed: 1 KOMP, pending_slash: 1 KOMP, seized: 1 KOMP, "
    "claimable: 1 KOMP, claimed: 1 KOMP, balance: 1 KOMP, v: '> 7', multiplier_bps: 1, "
    "suspended: true, active: false, lost: true, fault: slow": [
        "worker-1: stake: expected 1 KOMP, saw 500 KOMP",
        "worker-1: slashed: expected 1 KOMP, saw 0 KOMP",
        "worker-1: pending_slash: expected 1 KOMP, saw 0 KOMP",
        "worker-1: seized: expected 1 KOMP, saw 0 KOMP",
        "worker-1: claimable: expected 1 KOMP, saw 0 KOMP",
        "worker-1: claimed: expected 1 KOMP, saw 0 KOMP",
        "worker-1: balance: expected 1 KOMP, saw 1500 KOMP",
        "worker-1: v: expected > 7, saw 0",
        "worker-1: multiplier_bps: expected 1, saw 10000",
        "worker-1: suspended: expected True, saw False",
        "worker-1: active: expected False, saw True",
        "worker-1: lost: expected True, saw False",
        "worker-1: fault: expected slow, saw none",
    ],
    "worker: [worker-1, worker-2], stake: 500 KOMP, active: false, cycle: 9": [
        "worker-1: active: expected False, saw True",
        "worker-2: active: expected False, saw True",
        "cycle: expected 9, saw 0",
    ],
    "client: alice, balance: '< 1 KOMP'": ["alice: balance: expected < 1 KOMP, saw 695 KOMP"],
    "service: machine, consumed: 1 KOMP, refunded: 1 KOMP, ready: 7, billed: 7, on: [worker-2], "
    "not_on: [worker-1, worker-2]": [
        "machine: consumed: expected 1 KOMP, saw 0 KOMP",
        "machine: refunded: expected 1 KOMP, saw 0 KOMP",
        "machine: ready: expected 7, saw 1",
        "machine: billed: expected 7, saw 1",
        "machine: no ready replica on worker-2, but on ['worker-1']",
        "machine: a replica is still on worker-1",
    ],
    "resource: vcpu_hour, price_usd: 1, charged_usd: 2, contingency: true": [
        "vcpu_hour: price_usd: expected 1, saw 0.04048",
        "vcpu_hour: charged_usd: expected 2, saw 0.03036",
        "vcpu_hour: contingency: expected True, saw False",
    ],
    "feed: 'aws:vcpu_hour', oracles: [oracle-1, oracle-3], faulty: 0, in_bounds: false": [
        "aws:vcpu_hour: oracles: expected oracle-1, oracle-3, saw oracle-1, oracle-2, oracle-3, "
        "oracle-4",
        "aws:vcpu_hour: faulty: expected 0, saw 1",
        "aws:vcpu_hour: in_bounds: expected False, saw True",
    ],
    "proposal: none, state: queued": ["none: state: expected queued, saw unknown"],
    "pool: harbour, member: alice, assets: 1 KOMP, closed: true, shares: 1 KOMP, "
    "uncollected: 1 KOMP": [
        "harbour: assets: expected 1 KOMP, saw 300 KOMP",
        "harbour: closed: expected True, saw False",
        "harbour: shares of alice: expected 1 KOMP, saw 300 KOMP",
        "harbour: uncollected of alice: expected 1 KOMP, saw 0 KOMP",
    ],
    "released: 1 KOMP, max_v: 7, gatekeepers: 7, error: NotAttested, cycle: 9, "
    "event: {name: Staked, count: 7}": [
        "released: expected 1 KOMP, saw 0 KOMP",
        "max_v: expected 7, saw 100000000000000000000",
        "gatekeepers: expected 7, saw 3",
        "error: expected NotAttested, saw none",
        "cycle: expected 9, saw 0",
        "event Staked: expected 7, saw 2",
    ],
}
NEVER_MISSED = {"invariants", "model"}  # of a sound devnet


@pytest.mark.parametrize("asked", MISSES, ids=lambda asked: asked.partition(",")[0])
def test_what_does_not_hold_is_told_key_by_key(tmp_path: Path, asked: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(f"{STEPS}  - expect: {{{asked}}}\n")
    result = run_scenario(
        load_scenario(path, environment={}),
        cluster="sim",
        folder=DevnetFolder.open("keys", tmp_path),
        toolchain=Toolchain(),
        say=lambda line: None,
    )
    assert result.steps[-1].verb == "expect", result.steps[-1].failure
    assert result.steps[-1].failure.split("; ") == MISSES[asked]


def test_every_key_of_the_file_is_answered_and_no_other() -> None:
    answered: dict[str, set[str]] = {}
    for key in KEYS:
        answered.setdefault(key.name, set()).update(key.subject)
    assert answered == {name: set(subjects) for name, subjects in ASKED_OF.items()}


def test_each_of_them_is_missed_above() -> None:
    told = " ".join(MISSES)
    assert {key.name for key in KEYS if f"{key.name}:" not in told} == NEVER_MISSED
