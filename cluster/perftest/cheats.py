"""Machines of cheating workers: what they do in a performance test, and what models of them say.

How each is caught: docs/explanation/performance-test.md.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cluster.interface import Measurement, NodeSpec
from cluster.perftest import program
from cluster.perftest.program import derive
from cluster.scores import profile_measurement

HONEST = ""
COMPUTES_ELSEWHERE, ANSWERS_BEFORE = "computes_elsewhere", "answers_before"
SHARES_DISK, SWAPPED_NODE = "shares_disk", "swapped_node"
CHEATS = (COMPUTES_ELSEWHERE, ANSWERS_BEFORE, SHARES_DISK, SWAPPED_NODE)

_FASTER = 4
_SOURCE = Path(__file__).with_name("cheating.py")


def machine_of(node: NodeSpec, nodes: Iterable[NodeSpec]) -> str:
    """The node that answers when this one is tested: itself, or the strongest of the others where
    it has been swapped."""
    others = [each for each in nodes if each.name != node.name]
    if node.cheat != SWAPPED_NODE or not others:
        return node.name
    return max(others, key=lambda each: (each.capacity.milli_cpu, each.name)).name


def modelled(node: NodeSpec, nodes: Iterable[NodeSpec], seed: bytes) -> Measurement:
    """What a model of such a machine measures; of an honest one its profile's own figures."""
    own = profile_measurement(node.name, node.capacity, seed)
    if node.cheat == COMPUTES_ELSEWHERE:
        return replace(own, cpu_steps_per_second=_FASTER * own.cpu_steps_per_second)
    if node.cheat == ANSWERS_BEFORE:
        return replace(own, seed=derive(seed, "of an earlier test"))
    if node.cheat == SHARES_DISK:
        return replace(own, storage_bytes=2 * own.storage_bytes)
    if node.cheat == SWAPPED_NODE:
        known = {each.name: each for each in nodes}
        answers = known[machine_of(node, known.values())]
        return profile_measurement(answers.name, answers.capacity, seed)
    return own


@contextmanager
def playing(cheat: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """The command of the program that a node of that cheat runs, whose files go to `folder`."""
    shutil.copy(Path(program.__file__), folder / "program.py")
    if cheat in (HONEST, SWAPPED_NODE):
        yield ("python3", "program.py")
        return
    shutil.copy(_SOURCE, folder / _SOURCE.name)
    if cheat != COMPUTES_ELSEWHERE:
        yield ("python3", _SOURCE.name, cheat, "0")
        return
    command = [sys.executable, str(folder / _SOURCE.name), "behind"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as behind:
        try:
            assert behind.stdout is not None
            yield ("python3", _SOURCE.name, cheat, behind.stdout.readline().strip())
        finally:
            behind.kill()
