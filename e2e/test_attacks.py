"""The folder of attacks in one `devnet run`: all are defeated (`benchmarks.attacks` times it)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SCENARIOS, Devnet, Ended, marked

from devnet.spec import load_scenario

FOLDER = SCENARIOS / "attacks"
LONGEST_SECONDS = 1_200  # of a machine with other work, until the run counts as hung
ATTACKS = sorted(path.stem for path in FOLDER.glob("*.yaml"))

# The folder is one run, which the first test waits for.
pytestmark = pytest.mark.timeout(LONGEST_SECONDS + 60)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """One run of the whole folder, as `--json` tells it."""
    folder = tmp_path_factory.mktemp("attacks")
    done = subprocess.run(
        [sys.executable, "-m", "devnet.cli", "run", FOLDER, "--cluster", "sim", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr), folder


@pytest.mark.parametrize("name", ATTACKS)
def test_defeated(name: str, ended: tuple[Ended, Path]) -> None:
    scenario = load_scenario(FOLDER / f"{name}.yaml", environment={})
    run = next(run for run in ended[0].json()["runs"] if run["scenario"] == scenario.name)
    assert [step for step in run["steps"] if not step["ok"]] == []
    assert scenario.attack is not None
    assert run["attack"]["verdict"] == "defeated", run["attack"]["faults"]
    for account, claim in scenario.attack.lost.items():
        assert claim.holds(int(run["attack"]["lost"][account])), account


def test_the_folder_passes_and_leaves_nothing(ended: tuple[Ended, Path]) -> None:
    result = ended[0].json()
    assert (ended[0].code, result["verdict"], len(result["attacks"])) == (0, "passed", len(ATTACKS))
    assert marked(ended[1]) == []


def test_an_attack_replays_to_its_last_block(devnet: Devnet, ended: tuple[Ended, Path]) -> None:
    run = next(run for run in ended[0].json()["runs"] if run["attack"]["line"] == "reward-sniping")
    replayed = devnet("replay", run["bundle"], "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.json()["last_block"] == run["last_block"]
