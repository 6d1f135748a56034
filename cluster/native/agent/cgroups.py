"""Control groups of either version, as files: create, limit, join, read, kill, remove."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "cpuacct", "memory", "pids")
_PERIOD_MICROSECONDS = 20_000  # short, so that a second under a small quota is even
_LONG_PERIOD_MICROSECONDS = 100_000
_LEAST_QUOTA_MICROSECONDS = 1_000  # the kernel's own
_KILL_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """0 leaves a resource to the parent's limit."""

    milli_cpu: int = 0
    memory_bytes: int = 0
    pids: int = 0


def quota_and_period(milli_cpu: int) -> tuple[int, int]:
    """CPU quota and period in microseconds; a thousandth of a core at least ten of."""
    for period in (_PERIOD_MICROSECONDS, _LONG_PERIOD_MICROSECONDS):
        quota = milli_cpu * period // 1000
        if quota >= _LEAST_QUOTA_MICROSECONDS:
            return quota, period
    return _LEAST_QUOTA_MICROSECONDS, _LONG_PERIOD_MICROSECONDS


class Cgroups(Protocol):
    """A hierarchy; groups are named by path below this process's own place, `a/b/c`."""

    def create(self, group: str, limits: GroupLimits) -> None:
        """Make the group with its limits; raises `OSError` when the machine does not allow it."""

    def folders(self, group: str) -> list[Path]: ...
    def cpu_nanoseconds(self, group: str) -> int: ...
    def memory_bytes(self, group: str) -> int:
        """The working set: usage without inactive file pages."""

    def memory_peak(self, group: str) -> int: ...


class CgroupsV1:
    """One hierarchy a controller; each is entered below this process's own group where possible."""

    def __init__(self) -> None:
        own = _own_groups()
        self._roots = {name: _below(_ROOT / name, own.get(name, "/")) for name in _CONTROLLERS}

    def create(self, group: str, limits: GroupLimits) -> None:
        for root in dict.fromkeys(self._roots.values()):
            (root / group).mkdir(parents=True, exist_ok=True)
        if limits.milli_cpu:
            quota, period = quota_and_period(limits.milli_cpu)
            _write(self._roots["cpu"] / group / "cpu.cfs_period_us", period)
            _write(self._roots["cpu"] / group / "cpu.cfs_quota_us", quota)
        if limits.memory_bytes:
            _write(self._roots["memory"] / group / "memory.limit_in_bytes", limits.memory_bytes)
        if limits.pids:
            _write(self._roots["pids"] / group / "pids.max", limits.pids)

    def folders(self, group: str) -> list[Path]:
        return [root / group for root in dict.fromkeys(self._roots.values())]

    def cpu_nanoseconds(self, group: str) -> int:
        return _read(self._roots["cpuacct"] / group / "cpuacct.usage")

    def memory_bytes(self, group: str) -> int:
        folder = self._roots["memory"] / group
        inactive = _field(folder / "memory.stat", "total_inactive_file")
        return max(0, _read(folder / "memory.usage_in_bytes") - inactive)

    def memory_peak(self, group: str) -> int:
        return _read(self._roots["memory"] / group / "memory.max_usage_in_bytes")


class CgroupsV2:
    """The unified hierarchy, entered at its root: a group with processes cannot have children."""

    def create(self, group: str, limits: GroupLimits) -> None:
        folder = _ROOT
        for part in group.split("/"):
            _write(folder / "cgroup.subtree_control", "+cpu +memory +pids")
            folder /= part
            folder.mkdir(exist_ok=True)
        if limits.milli_cpu:
            quota, period = quota_and_period(limits.milli_cpu)
            _write(folder / "cpu.max", f"{quota} {period}")
        if limits.memory_bytes:
            _write(folder / "memory.max", limits.memory_bytes)
        if limits.pids:
            _write(folder / "pids.max", limits.pids)

    def folders(self, group: str) -> list[Path]:
        return [_ROOT / group]

    def cpu_nanoseconds(self, group: str) -> int:
        return _field(_ROOT / group / "cpu.stat", "usage_usec") * 1000

    def memory_bytes(self, group: str) -> int:
        folder = _ROOT / group
        inactive = _field(folder / "memory.stat", "inactive_file")
        return max(0, _read(folder / "memory.current") - inactive)

    def memory_peak(self, group: str) -> int:
        return _read(_ROOT / group / "memory.peak")


def hierarchies() -> list[Cgroups]:
    """Those this machine has, the one with controllers first; empty where it has none."""
    if (_ROOT / "cgroup.controllers").exists():
        return [CgroupsV2()]
    if all((_ROOT / name).is_dir() for name in _CONTROLLERS):
        return [CgroupsV1()]
    return []


def joiner(cgroups: Cgroups, group: str) -> Callable[[], None]:
    """What a child calls before its program, to be in the group from its first instruction."""
    paths = [str(folder / "cgroup.procs") for folder in cgroups.folders(group)]

    def join() -> None:
        for path in paths:
            descriptor = os.open(path, os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)

    return join


def processes(folders: Iterable[Path]) -> set[int]:
    """The processes of these groups and of those below them."""
    found: set[int] = set()
    for top in folders:
        for folder, _, files in os.walk(top):
            if "cgroup.procs" in files:
                try:
                    text = Path(folder, "cgroup.procs").read_text()
                except OSError:
                    continue
                found.update(map(int, text.split()))
    return found - {0}


def places(name: str) -> list[Path]:
    """Every group of that name on this machine, wherever its maker stood in the hierarchies."""
    found = []
    for folder, below, _ in os.walk(_ROOT):
        if name in below:
            found.append(Path(folder, name))
            below.remove(name)
    return found


def kill(folders: Sequence[Path]) -> None:
    """SIGKILL everything in the groups until they are empty, remove them; bounded by 5 s."""
    end = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < end:
        victims = processes(folders)
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not victims and remove(folders):
            return
        time.sleep(_PAUSE_SECONDS)


def remove(folders: Iterable[Path]) -> bool:
    """Remove the groups with those below them; whether nothing of them is left."""
    left = False
    for top in folders:
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                left = True
    return not left


def _own_groups() -> dict[str, str]:
    groups: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            groups[name] = path
    return groups


def _below(root: Path, path: str) -> Path:
    # Inside a container the path may be the host's and mean nothing here.
    own = root / path.lstrip("/")
    return (own if own.is_dir() and os.access(own, os.W_OK) else root).resolve()


def _write(path: Path, value: object) -> None:
    path.write_text(str(value))


def _read(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
