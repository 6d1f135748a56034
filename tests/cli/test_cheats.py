"""Where nobody was caught, the scenario of cheating workers does not hold."""

from __future__ import annotations

from tests.cli.conftest import ROOT, Shell, python

SCENARIO = ROOT / "e2e" / "scenarios" / "cheating-workers.yaml"
BUSY = """
import os, sys
os.chdir(sys.argv[1])
from cluster.perftest import Overloaded
from cluster.sim.cluster import SimCluster

def measure(self, node, seed):
    raise Overloaded(f"the test of {node} gave no result: overloaded")

SimCluster.measure = measure  # a model is never too busy

from devnet.cli.ape import cli
cli(["run", sys.argv[2], "--cluster", "sim", "--json"])
"""


def test_an_overloaded_machine_catches_nobody(devnet: Shell) -> None:
    """It gave the refusal that was expected of a cheat, and the run passed."""
    ended = python(BUSY, str(devnet.folder), str(SCENARIO))
    assert ended.code == 1, ended.err
    *_, last = ended.json()["steps"]
    assert last["verb"] == "measure"
    assert last["failure"] == (
        "expected Cheated, but: worker-2: the test of worker-2 gave no result: overloaded"
    )
