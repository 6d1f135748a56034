"""What a killed devnet left, found by its id and removed: nothing that runs is ever touched."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from cluster.errors import ClusterError
from cluster.native import groups, plain
from devnet.base import UsageError, end_processes, orphans
from devnet.base.folder import STATE, DevnetFolder, names

_PARTIAL = re.compile(r"\..+\.\d+(\.partial)?")
_ROUNDS = 3  # what is being ended may have just started another


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was removed of one devnet. `running` ones are left alone; `left`: in words, what could
    not be ended."""

    name: str
    running: bool = False
    processes: tuple[str, ...] = ()
    killed: tuple[int, ...] = ()
    cgroups: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    bundles: tuple[str, ...] = field(default=())
    left: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.processes or self.cgroups or self.files or self.bundles or self.left)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def clear_all(start: Path | None = None) -> tuple[Cleared, ...]:
    """Clear every devnet of the nearest `.devnet` that nobody runs."""
    cleared = []
    for name in names(start):
        folder = DevnetFolder.existing(name, start)
        abandoned = _end_abandoned(folder)
        try:
            with folder.held():
                found = clear(folder)
        except UsageError:
            cleared.append(Cleared(name, running=True))
            continue
        cleared.append(found if not abandoned else _with(found, abandoned))
    return tuple(cleared)


def clear(folder: DevnetFolder) -> Cleared:
    """Remove the leftovers of a devnet; the caller holds its folder.

    Processes get SIGTERM, five seconds, SIGKILL. A run that was cut short becomes a bundle.
    """
    described: list[str] = []
    killed: list[int] = []
    for _ in range(_ROUNDS):
        left = _left_of(folder.id)
        if not left:
            break
        described += [_described(process) for process in left]
        killed += end_processes(left)
    stay = [f"process {_described(process)}" for process in _left_of(folder.id)]
    cgroups: tuple[str, ...] = ()
    try:
        cgroups = tuple(map(str, groups.remove_devnet(folder.id)))
    except ClusterError as error:
        stay.append(str(error))
    files = [str(path) for path in _stale(folder)]
    for path in files:
        Path(path).unlink(missing_ok=True)
    cluster = str(folder.state().get("cluster", ""))
    # Here, since every `up` asks this module and seals nothing.
    from devnet.daemon.sealing import seal_cut_short

    bundles = tuple(str(bundle) for bundle in seal_cut_short(folder, cluster))
    shutil.rmtree(folder.path / STATE, ignore_errors=True)
    folder.clear_state()
    return Cleared(
        folder.name,
        processes=tuple(described),
        killed=tuple(killed),
        cgroups=cgroups,
        files=tuple(files),
        bundles=bundles,
        left=tuple(stay),
    )


def alive(state: dict[str, Any], key: str = "pid") -> psutil.Process | None:
    """The process a state names, when it is still the same one."""
    try:
        process = psutil.Process(int(state[key]))
        if abs(process.create_time() - float(state[f"{key}_since"])) > 1.0:
            return None
        return process if process.status() != psutil.STATUS_ZOMBIE else None
    except (KeyError, ValueError, psutil.Error):
        return None


def mark(pid: int, key: str = "pid") -> dict[str, Any]:
    """How a state names a process, so that a reused id is not taken for it."""
    return {key: pid, f"{key}_since": psutil.Process(pid).create_time()}


def _end_abandoned(folder: DevnetFolder) -> list[str]:
    """End a daemon whose `devnet up` was killed before it was ready: nobody waits for it."""
    state = folder.state()
    daemon = alive(state)
    if daemon is None or state.get("phase") != "starting" or alive(state, "starter"):
        return []
    described = _described(daemon)
    end_processes([daemon])
    return [described]


def _left_of(devnet_id: str) -> list[psutil.Process]:
    """Whoever carries the id, and in the session or care of an unsandboxed pod's process, whoever
    is."""
    return list({*orphans(devnet_id), *plain.find(devnet_id)})


def _with(found: Cleared, processes: list[str]) -> Cleared:
    return replace(found, processes=(*processes, *found.processes))


def _described(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:80]}"
    except psutil.Error:
        return str(process.pid)


def _stale(folder: DevnetFolder) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError):
        if folder.socket.exists():
            yield folder.socket
    for path in (*folder.path.glob(".*"), *folder.runs.rglob(".*")):
        if path.is_file() and _PARTIAL.fullmatch(path.name):
            yield path
