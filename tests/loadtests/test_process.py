"""The load process itself, apart from ours: Locust patches whatever imports it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from devnet.base import free_port
from devnet.protocol import Deployment, Genesis
from tests.loadtests.test_plan import PLAN

ROOT = Path(__file__).parents[2]

# Steps of 0.3 s are under way when the load ends; one user wakes up for another in that moment.
FINISHING = """
from types import SimpleNamespace
import loadtests.__main__ as process
import gevent
from locust.exception import StopUser
from loadtests.loop import LoopUser

ended, stopped = [], []
tally = SimpleNamespace(busy=3)
bench = SimpleNamespace(closing=False, tally=tally, plan=SimpleNamespace(stop_seconds=5))

def under_way(number):
    gevent.sleep(0.3)
    ended.append(number)
    tally.busy -= 1

def wakes_up():
    try:
        LoopUser.step(SimpleNamespace(bench=bench))
    except StopUser:
        stopped.append(True)

for number in range(3):
    gevent.spawn(under_way, number)
gevent.spawn(wakes_up)
process.finish_steps(bench)
print(sorted(ended), stopped, tally.busy)
"""


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_at_the_end_steps_under_way_are_finished_and_none_begins(tmp_path: Path) -> None:
    done = run("-c", FINISHING, folder=tmp_path)
    assert (done.stdout, done.returncode) == ("[0, 1, 2] [True] 0\n", 0), done.stderr


def test_a_chain_that_does_not_answer_ends_the_process_without_statistics(tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    deployment = tmp_path / "deployment.json"
    Deployment({}, {}, {}, Genesis(31_337, 0, 2)).save(deployment)
    plan = replace(
        PLAN,
        rpc=f"http://127.0.0.1:{free_port()}",
        deployment=str(deployment),
        stats=str(stats),
    )
    plan.save(tmp_path / "plan.json")

    done = run("-m", "loadtests", str(tmp_path / "plan.json"), folder=tmp_path)

    assert done.returncode == 1
    assert "NodeUnreachable" in done.stderr
    assert not stats.exists()
