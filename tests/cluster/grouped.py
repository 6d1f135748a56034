"""Processes in control groups: of a devnet, and of one whom nothing ends for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cluster.waiting import Seen, wait_for

_UNIFIED, _PIDS = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/pids")
_FREEZER = Path("/sys/fs/cgroup/freezer")


def sleeper_in(devnet_id: str, node: str) -> subprocess.Popen[bytes]:
    """A process in a group of a node of that devnet, as a killed one leaves it."""
    root = _PIDS if _PIDS.is_dir() else _UNIFIED
    folder = root / f"kompute-{devnet_id}" / node / "pod-1" / "container-1"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"no control groups here: {error}")
    process = subprocess.Popen(["sleep", "600"])
    (folder / "cgroup.procs").write_text(str(process.pid))
    return process


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Not even SIGKILL ends it inside: its control group (version 1) is frozen. It ends with the
    thaw."""
    group = _FREEZER / f"tests-frozen-{uuid.uuid4().hex[:12]}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no freezer here: {error}")
    state, members = group / "freezer.state", group / "cgroup.procs"
    try:
        members.write_text(str(pid))
        state.write_text("FROZEN")
        wait_for("the frost", lambda: Seen(state.read_text() == "FROZEN\n"), 5)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        state.write_text("THAWED")
        wait_for("its end", lambda: Seen(not members.read_text()), 5)
        group.rmdir()
