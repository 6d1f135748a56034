"""A node's limits: control groups where the machine has them, rlimits elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.interface import Capacity, Enforcement
from cluster.native.agent import cgroups, limits
from cluster.native.agent.cgroups import quota_and_period
from cluster.native.agent.limits import NodeLimits

MACHINE = Capacity(milli_cpu=500, memory_bytes=256 << 20)
EAT_MEMORY = "held = bytearray(200 << 20); print(len(held))"


@pytest.fixture
def devnet() -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    limits.remove_devnet(name)
    assert folders_of(name) == []


def folders_of(devnet: str) -> list[Path]:
    return cgroups.places(f"kompute-{devnet}")


def run(source: str, enter: Callable[[], None]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", source],
        preexec_fn=enter,
        capture_output=True,
        timeout=20,
        check=False,
    )


@given(st.integers(1, 1_000_000))
def test_a_quota_is_never_below_what_the_kernel_takes_and_true_from_ten_thousandths_on(
    milli_cpu: int,
) -> None:
    quota, period = quota_and_period(milli_cpu)
    assert quota >= 1_000
    if milli_cpu >= 10:
        assert quota * 1000 // period == milli_cpu


def test_a_pod_that_wants_more_memory_than_its_limit_is_ended(devnet: str) -> None:
    held = limits.prepare(devnet, "worker-1", MACHINE)
    with_little = run(EAT_MEMORY, held.enter("pod-1", Capacity(100, 48 << 20)))
    assert with_little.returncode != 0
    held.leave("pod-1")
    with_enough = run(EAT_MEMORY, held.enter("pod-2", Capacity(500, 256 << 20)))
    assert (with_enough.returncode, with_enough.stdout) == (0, b"209715200\n")
    if held.groups is not None:
        assert held.peak("pod-2") > 200 << 20
    held.close()


def test_without_control_groups_rlimits_bound_a_pod() -> None:
    held = NodeLimits("none", None, Enforcement((), ()))
    assert run(EAT_MEMORY, held.enter("pod-1", Capacity(100, 48 << 20))).returncode == 1
    assert run("print(1)", held.enter("pod-1", Capacity(100, 32 << 20))).stdout == b"1\n"
    assert held.peak("pod-1") == 0


def test_what_an_earlier_agent_left_is_killed(devnet: str) -> None:
    held = limits.prepare(devnet, "worker-1", MACHINE)
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        preexec_fn=held.enter("pod-1", Capacity(100, 64 << 20)),
    )
    try:
        again = limits.prepare(devnet, "worker-1", MACHINE)
        if again.groups is not None:
            assert child.wait(10) == -9
            assert cgroups.processes(again.groups.folders(again.group)) == set()
    finally:
        child.kill()
        child.wait(10)


def test_a_closed_node_leaves_no_group(devnet: str) -> None:
    one, two = (limits.prepare(devnet, name, MACHINE) for name in ("worker-1", "worker-2"))
    one.enter("pod-1", Capacity(100, 64 << 20))
    one.close()
    if two.groups is not None:
        assert folders_of(devnet)
    two.close()
    assert folders_of(devnet) == []


def test_the_statement_is_whole_sentences_and_leaves_nothing(devnet: str) -> None:
    said = limits.enforcement(devnet)
    assert len(said.enforced) >= 1
    assert all(each.endswith(".") for each in (*said.enforced, *said.narrowed))
    cpu = [each for each in (*said.enforced, *said.narrowed) if "CPU" in each]
    assert len(cpu) == 1


def test_an_enforced_quota_slows_a_pod_down(devnet: str) -> None:
    held = limits.prepare(devnet, "worker-1", MACHINE)
    if held.groups is None:
        assert "CPU is not limited" in held.enforcement.narrowed[0]
        return
    source = (
        "import time; end = time.monotonic() + 1\n"
        "while time.monotonic() < end: pass\n"
        "print(time.process_time_ns())"
    )
    done = run(source, held.enter("pod-1", Capacity(100, 64 << 20)))
    used = int(done.stdout)
    assert 20_000_000 < used < 200_000_000
    assert held.groups.cpu_nanoseconds(f"{held.group}/pod-1") >= used // 2
    assert os.getpid() not in cgroups.processes(held.groups.folders(held.group))
