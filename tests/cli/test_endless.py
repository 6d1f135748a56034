"""No file makes a run that does not end: each duration at its least is played, below it refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.spec.rules import HEARTBEAT_BLOCKS
from tests.cli.conftest import ROOT, Shell

NETWORK = f"""\
version: 1
name: hasty
scale: 1/16
workers: [{{name: worker-1}}, {{name: worker-2}}]
services:
  - {{name: web, kind: container, folder: {ROOT / "e2e/services/web"},
     command: [python3, server.py], readiness: /healthz, max_replicas: 3}}
"""
STEPS = """\
  - stake: {worker: all}
  - publish: {worker: all}
  - order: {client: alice, service: web, deposit: 20 KOMP}
  - incident: {worker: worker-1, level: 2, from: 12m}
  - advance: {cycles: 1}
  - claim: {worker: worker-2}
"""
HEARTBEATS = ("heartbeat", "komp_usd_heartbeat", "utilization_heartbeat")
LEAST = {
    "heartbeats": {f"oracles.{key}": f"{HEARTBEAT_BLOCKS * 12}m" for key in HEARTBEATS},
    "windows": {
        "parameters.appeal_window": "0s",
        "parameters.arbiter_window": "1s",
        "parameters.halt_delay": "0s",
        "parameters.timelock": "1s",
    },
    "ages": {"parameters.incident_max_age": "48m", "parameters.exit_delay": "49m"},
    "publications": {"publishes_per_day": "24"},  # one each gap
    "timeout": {"services[0].timeout": "1s"},
}


def scenario(shell: Shell, steps: str = STEPS) -> Path:
    (shell.folder / "network.yaml").write_text(NETWORK)
    path = shell.folder / "hasty.yaml"
    path.write_text(f"version: 1\nname: hasty\nnetwork: network.yaml\nsteps:\n{steps}")
    return path


def sets(values: dict[str, str]) -> list[str]:
    return [word for path, text in values.items() for word in ("--set", f"{path}={text}")]


@pytest.mark.parametrize(
    "values",
    [*LEAST.values(), {key: text for each in LEAST.values() for key, text in each.items()}],
    ids=[*LEAST, "all of them"],
)
def test_each_duration_at_its_least_comes_to_an_end(devnet: Shell, values: dict[str, str]) -> None:
    ended = devnet("run", scenario(devnet), "--cluster", "sim", "--json", *sets(values), seconds=90)
    assert ended.code == 0, ended.err
    assert ended.json()["last_block"]["number"] < 200


def test_what_feeds_itself_is_refused_with_the_numbers(devnet: Shell) -> None:
    short = sets({f"oracles.{key}": f"{12 * n}m" for n, key in enumerate(HEARTBEATS, start=1)})
    ended = devnet("run", scenario(devnet), "--cluster", "sim", *short)
    assert (ended.code, ended.out) == (2, "")
    for key in HEARTBEATS:
        assert f"oracles.{key}: must be at least 8 blocks" in ended.err
    assert ended.err.count("at least 96m") == 3


def test_more_cycles_than_anybody_waits_for_are_asked_for_by_their_number(devnet: Shell) -> None:
    path = scenario(devnet, "  - advance: {time: 12h}\n  - advance: {cycles: 600}\n")
    ended = devnet("run", path, "--cluster", "sim", "--set", "chain.block_seconds=1")
    assert ended.code == 2
    (line,) = ended.err.removeprefix("error: ").splitlines()
    assert "steps[0].advance: more than 500 cycles of 70s (C1)" in line
    assert "617" in line and "raise chain.block_seconds" in line
