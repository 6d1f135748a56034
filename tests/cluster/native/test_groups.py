"""What a killed node left in control groups is found by the devnet's name and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.native import groups
from tests.cluster.grouped import frozen, sleeper_in

UNIFIED = Path("/sys/fs/cgroup")


@pytest.fixture
def devnet_id() -> Iterator[str]:
    made = f"tests-groups-{uuid.uuid4().hex[:12]}"
    yield made
    groups.remove_devnet(made)


def test_one_node_is_ended_and_the_other_is_left(devnet_id: str) -> None:
    with sleeper_in(devnet_id, "one") as one, sleeper_in(devnet_id, "two") as two:
        groups.kill_node(devnet_id, "one")
        assert one.wait(10) == -signal.SIGKILL
        assert two.poll() is None
        (place,) = groups.places(devnet_id)
        assert [path.name for path in place.iterdir() if path.is_dir()] == ["two"]
        assert groups.processes([place]) == {two.pid}

        assert groups.remove_devnet(devnet_id) == [place]
        assert two.wait(10) == -signal.SIGKILL
    assert groups.places(devnet_id) == []


def test_what_a_kill_does_not_end_is_named(devnet_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen group of version 1 ends by no signal; it was said to be removed."""
    monkeypatch.setattr(groups, "_KILL_SECONDS", 0.3)
    with sleeper_in(devnet_id, "one") as process, frozen(process.pid):
        named = rf"0.3 s after SIGKILL: sleep \(pid {process.pid}, D\)"
        with pytest.raises(ClusterError, match=named) as told:
            groups.kill_node(devnet_id, "one")
        assert "devnet gc" in told.value.hint
        with pytest.raises(ClusterError, match=named):
            groups.remove_devnet(devnet_id)
        (place,) = groups.places(devnet_id)
        assert (place / "pids.max").read_text() == "0\n"  # none is forked there any more
    assert groups.remove_devnet(devnet_id) != []
    assert groups.places(devnet_id) == []


def test_a_devnet_that_left_nothing_is_no_error() -> None:
    assert groups.remove_devnet("tests-nobody") == []


def test_a_nodes_processor_time_is_that_of_all_its_processes(devnet_id: str) -> None:
    assert groups.processor_time(devnet_id, "one")() is None  # there is no such node
    accounts = Path("/sys/fs/cgroup/cpuacct")
    root = accounts if accounts.is_dir() else UNIFIED
    pod = root / f"kompute-{devnet_id}" / "one" / "pod-1"
    try:
        pod.mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"no control groups here: {error}")
    look = groups.processor_time(devnet_id, "one")
    before = look()
    assert before is not None
    work = "import time\ninput()\nwhile time.process_time() < 0.2: pass"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE) as process:
        (pod / "cgroup.procs").write_text(str(process.pid))
        process.communicate(b"\n", timeout=30)
    after = look()
    assert after is not None
    assert 150_000_000 < after - before < 400_000_000


def node_with_quota(devnet_id: str, cores: float) -> tuple[Path, str]:
    """The node's group, and the name of the file of its weight."""
    separate = Path("/sys/fs/cgroup/cpu")
    root, name = (separate, "cpu.shares") if separate.is_dir() else (UNIFIED, "cpu.weight")
    node = root / f"kompute-{devnet_id}" / "one"
    try:
        node.mkdir(parents=True)
        if name == "cpu.shares":
            (node / "cpu.cfs_period_us").write_text("100000")
            (node / "cpu.cfs_quota_us").write_text(str(int(cores * 100_000)))
        else:
            (node / "cpu.max").write_text(f"{int(cores * 100_000)} 100000")
    except OSError as error:
        pytest.skip(f"no control groups here: {error}")
    return node, name


def test_the_cores_of_a_node_are_those_of_its_quota(devnet_id: str) -> None:
    assert groups.quota_cores(devnet_id, "one") == 0
    node_with_quota(devnet_id, 0.125)
    assert groups.quota_cores(devnet_id, "one") == 0.125
    assert groups.quota_cores(devnet_id, "two") == 0


def test_a_node_under_test_comes_first_and_only_then(devnet_id: str) -> None:
    node, name = node_with_quota(devnet_id, 0.1)
    files = [node.parent / name, node / name]
    before = [file.read_text() for file in files]
    with groups.preferred(devnet_id, "one"):
        assert [int(file.read_text()) for file in files] == (
            [16384, 16384] if name == "cpu.shares" else [1600, 1600]
        )
    assert [file.read_text() for file in files] == before


def test_a_node_of_most_of_the_machine_starves_nobody(devnet_id: str) -> None:
    node, name = node_with_quota(devnet_id, 0.6 * (os.cpu_count() or 1))
    before = (node / name).read_text()
    with groups.preferred(devnet_id, "one"):
        assert (node / name).read_text() == before


def test_a_node_that_goes_while_it_is_tested_is_no_fault(devnet_id: str) -> None:
    node_with_quota(devnet_id, 0.1)
    with groups.preferred(devnet_id, "one"):
        groups.remove_devnet(devnet_id)
