"""Control groups of a devnet, of either version: found by name, ended, removed.

Its nodes make them; whoever started the nodes ends what a killed one left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cluster.errors import ClusterError

_ROOT = Path("/sys/fs/cgroup")
_KILL_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_PREFERRED = {"cpu.shares": "16384", "cpu.weight": "1600"}  # sixteen times a process's own


def kill_node(devnet_id: str, node: str) -> None:
    """End all processes of a node whose kubelet is gone, and remove its control groups.

    Raises `ClusterError` like `kill`.
    """
    kill([folder / node for folder in places(devnet_id)])


def remove_devnet(devnet_id: str) -> list[Path]:
    """End and remove all that a devnet left in control groups; where it was.

    Raises `ClusterError` like `kill`.
    """
    there = places(devnet_id)
    kill(there)
    return there


def places(devnet_id: str) -> list[Path]:
    """Every group of that devnet on this machine, wherever its maker stood in the hierarchies."""
    name = f"kompute-{devnet_id}"
    found = []
    for folder, below, _ in os.walk(_ROOT):
        if name in below:
            found.append(Path(folder, name))
            below.remove(name)
    return found


def processor_time(devnet_id: str, node: str) -> Callable[[], int | None]:
    """A function that gives the nanoseconds of the processor that a node's processes have had so
    far; None where the node has no control group."""
    there = [folder / node for folder in places(devnet_id)]
    separate = [folder / "cpuacct.usage" for folder in there]  # v1
    unified = [folder / "cpu.stat" for folder in there]

    def look() -> int | None:
        for file in separate:
            if file.is_file():
                return int(file.read_text())
        for file in unified:
            for line in file.read_text().splitlines() if file.is_file() else ():
                name, _, value = line.partition(" ")
                if name == "usage_usec":
                    return int(value) * 1000
        return None

    return look


@contextlib.contextmanager
def preferred(devnet_id: str, node: str) -> Iterator[None]:
    """Inside, the node's processes come before all others of this machine, up to their quota, so
    that they get what it gives.

    A node of more than half the machine's cores does not: its own control plane would starve.
    """
    before: list[tuple[Path, str]] = []
    try:
        for place in places(devnet_id):
            if _quota_cores(place / node) * 2 > (os.cpu_count() or 1):
                continue
            for file in _weights(place, place / node):
                before.append((file, file.read_text()))
                file.write_text(_PREFERRED[file.name])
        yield
    finally:
        for file, text in before:
            with contextlib.suppress(FileNotFoundError):  # the node has gone meanwhile
                file.write_text(text)


def _weights(*folders: Path) -> list[Path]:
    files = [folder / name for folder in folders for name in _PREFERRED]
    return [file for file in files if file.is_file()]


def quota_cores(devnet_id: str, node: str) -> float:
    """The cores that a node's control group gives its pods; 0 where it has no quota."""
    found = (_quota_cores(place / node) for place in places(devnet_id))
    return next((cores for cores in found if 0 < cores < float("inf")), 0.0)


def _quota_cores(folder: Path) -> float:
    """What the quota of a group gives; without one, and of another controller, nothing is known."""
    quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"  # v1
    both = folder / "cpu.max"
    if quota.is_file():
        words = [quota.read_text().strip(), period.read_text().strip()]
    elif both.is_file():
        words = both.read_text().split()
    else:
        return 0.0
    return float("inf") if words[0] in ("-1", "max") else int(words[0]) / int(words[1])


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


def kill(folders: Sequence[Path]) -> None:
    """SIGKILL everything in the groups until they are empty, and remove them.

    Nothing is forked in them meanwhile. Raises `ClusterError` naming what is left after 5 s.
    """
    _shut(folders)
    end = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < end:
        victims = processes(folders)
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not victims and _remove(folders):
            return
        time.sleep(_PAUSE_SECONDS)
    raise ClusterError(
        f"control groups are left {_KILL_SECONDS:g} s after SIGKILL: {_left(folders)}",
        hint="`devnet gc` ends what is left once the kernel lets go of it",
    )


def _shut(folders: Iterable[Path]) -> None:
    """Whoever forks faster than is killed would go on. Where the kernel can (v2, 5.14), it ends all
    that is there by itself."""
    for folder in folders:
        for name, text in (("pids.max", "0"), ("cgroup.kill", "1")):
            with contextlib.suppress(OSError):  # of another controller, or gone
                if (folder / name).exists():
                    (folder / name).write_text(text)


def _left(folders: Sequence[Path]) -> str:
    """`sleep (pid 12, D)` of every process, where there is none the groups."""
    named = []
    for pid in sorted(processes(folders)):
        try:
            head, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        except OSError:
            named.append(f"pid {pid}")
        else:
            named.append(f"{head.partition('(')[2]} (pid {pid}, {rest.split()[0]})")
    return ", ".join(named or [str(folder) for folder in folders if folder.exists()])


def _remove(folders: Iterable[Path]) -> bool:
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
