"""Profiles that hold: what nodes prove beside what they claim, also on a busy machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import Devnet, available_clusters

REAL = [name for name in available_clusters() if name != "sim"]
BURN = "while True: pass"


@pytest.fixture
def burners() -> Iterator[None]:
    """Two processes that take all they can get."""
    processes = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(2)]
    try:
        yield
        assert [process.poll() for process in processes] == [None, None]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("cluster", REAL)
@pytest.mark.usefixtures("burners")
@pytest.mark.timeout(300)
def test_profiles_hold_while_two_processes_take_all_they_can_get(
    cluster: str, devnet: Devnet
) -> None:
    ended = devnet("profiles", "measure", "--cluster", cluster, "--json")
    assert ended.code in (0, 1), ended.err
    found = ended.json()
    assert (found["cluster"], found["scale"], found["rounds"]) == (cluster, "1/16", 5)
    assert sorted(found["profiles"]) == ["large", "sgx", "small", "standard"]
    large = found["profiles"]["large"]["c1"]
    assert large["claimed"] == 4.0
    assert 0.9 <= large["over"] <= 1.1, ended.err
    assert found["trial"]["used_ns"] < found["trial"]["took_ns"] // 8  # of 1/16 of a core
