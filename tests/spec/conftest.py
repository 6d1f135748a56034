"""A folder with a service, a good network and a good scenario, to spoil one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devnet.spec import NetworkSpec, Scenario, SpecError, load_network, load_scenario

NETWORK = """\
version: 1
name: town
cycle: {blocks: 70, gap_blocks: 5}
workers:
  - {name: worker-1, profile: standard}
  - {name: worker-2, profile: large}
services:
  - {name: web, kind: container, folder: web, command: [serve]}
  - {name: thumbnail, kind: serverless, folder: web, command: [draw]}
"""

SCENARIO = """\
version: 1
name: a day
network: network.yaml
steps:
  - stake: {worker: all}
  - order: {client: alice, service: web, deposit: 20 KOMP}
"""


class Town:
    """The folder of the two files; `faults_of_*` load them and name the faults, one a line."""

    original_network = NETWORK

    @staticmethod
    def profiles() -> list[str]:
        return ["standard", "large", "sgx"]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network_path = folder / "network.yaml"
        self.scenario_path = folder / "scenario.yaml"
        (folder / "web").mkdir()
        self.write_network(NETWORK)
        self.write_scenario(SCENARIO)

    def write_network(self, text: str) -> None:
        self.network_path.write_text(text, encoding="utf-8")

    def write_steps(self, *steps: str) -> None:
        """A scenario of these; the first stands on its line 5."""
        lines = "".join(f"  - {step}\n" for step in steps)
        self.write_scenario(f"version: 1\nname: a day\nnetwork: network.yaml\nsteps:\n{lines}")

    def write_scenario(self, text: str) -> None:
        self.scenario_path.write_text(text, encoding="utf-8")

    def network(self, **overrides: str) -> NetworkSpec:
        dotted = {path.replace("__", "."): text for path, text in overrides.items()}
        return load_network(self.network_path, dotted, environment={}, profiles=self.profiles)

    def scenario(self, **overrides: str) -> Scenario:
        dotted = {path.replace("__", "."): text for path, text in overrides.items()}
        return load_scenario(self.scenario_path, dotted, environment={}, profiles=self.profiles)

    def faults_of_network(self) -> list[str]:
        return self._faults(self.network)

    def faults_of_scenario(self) -> list[str]:
        return self._faults(self.scenario)

    def _faults(self, load: Callable[[], object]) -> list[str]:
        with pytest.raises(SpecError) as caught:
            load()
        return str(caught.value).replace(f"{self.folder}/", "").splitlines()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)
