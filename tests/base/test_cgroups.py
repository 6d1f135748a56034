"""Whether a machine takes limits is found out by giving some, and nothing is left of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devnet.base.cgroups import CONTROLLERS, PLACE, try_group

OWN = Path("/proc/self/cgroup")


def left() -> list[Path]:
    return list(PLACE.glob(f"**/kompute-doctor-{os.getpid()}"))


def test_a_trial_says_what_a_group_made_by_hand_says() -> None:
    """Two ways to ask the same kernel: ours, and mkdir."""
    tried = try_group()
    place = tried.place if tried.version == "v2" else tried.place / "pids"
    made = subprocess.run(
        ["sh", "-c", f"mkdir {place}/$0 && rmdir {place}/$0", f"kompute-byhand-{os.getpid()}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        assert tried.refused
    elif os.geteuid() == 0 and tried.version == "v1":
        assert tried.refused == ""
    assert left() == []


def v1(place: Path) -> Path:
    for name in CONTROLLERS:
        (place / name).mkdir(parents=True)
    return place


def test_a_folder_that_merely_may_be_written_takes_no_limit(tmp_path: Path) -> None:
    """What os.access would have called found."""
    tried = try_group(v1(tmp_path), OWN)
    assert tried.version == "v1"
    assert tried.refused.startswith("No such file or directory: ")
    assert [path for path in tmp_path.rglob("*") if path.name not in CONTROLLERS] == []


def test_a_controller_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io\n")
    tried = try_group(tmp_path)
    assert (tried.version, tried.refused) == ("v2", "there is no controller memory, pids")
    assert list(tmp_path.iterdir()) == [tmp_path / "cgroup.controllers"]


def test_a_machine_without_any_says_so(tmp_path: Path) -> None:
    tried = try_group(tmp_path)
    assert (tried.version, tried.refused) == ("", "there are no controllers cpu, memory, pids")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    place = v1(tmp_path)
    (place / "cpu").chmod(0o500)
    assert try_group(place, OWN).refused.startswith("Permission denied: ")
