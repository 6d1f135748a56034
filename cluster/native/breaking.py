"""What each fault of a node does to its machine: kubelet, pods' processes, control groups.

A fault joins by a function below `@plays`; `end` undoes whatever any of them did.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster.errors import CannotPlay, ClusterError, NodeLost
from cluster.faults import CRASHED, DISK_FULL, OFFLINE, PAUSED, SLOW, FaultKind
from cluster.native import groups, plain
from cluster.native.nodes import NodeFiles
from cluster.native.supervisor import Supervisor
from cluster.processes import end_all
from cluster.waiting import Seen, wait_for

_STANDSTILL_SECONDS = 10.0
_PACE_SECONDS = 10.0
_BACK_SECONDS = 60.0
_WHOLE_PERCENT = 100
_STANDING = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP, psutil.STATUS_ZOMBIE)
_LEAST_CORES = 0.01  # the kernel's least quota, in its longest period here


@dataclass(frozen=True, slots=True)
class Machine:
    """One node as a fault finds it: `kubelet` is what the supervisor calls that part.

    Pods that are not `sandboxed` may have left the tree of their kubelet, and outlive it.
    """

    node: str
    kubelet: str
    devnet_id: str
    files: NodeFiles
    supervisor: Supervisor
    sandboxed: bool = True


Play = Callable[[FaultKind, Machine], None]

_PLAYS: dict[FaultKind, Play] = {}


def plays(kind: FaultKind) -> Callable[[Play], Play]:
    """Register how a machine is given that fault."""

    def register(play: Play) -> Play:
        _PLAYS[kind] = play
        return play

    return register


def begin(kind: FaultKind, machine: Machine) -> None:
    """Give a machine a fault, or leave it whole.

    Raises `CannotPlay` where there is nothing to play it with.
    """
    try:
        _PLAYS[kind](kind, machine)
    except BaseException:  # also Ctrl-C, and a file of a kubelet that dies meanwhile
        with suppress(ClusterError, OSError):
            end(machine)
        raise


def end(machine: Machine) -> None:
    """Take from a machine what any fault did to it; its kubelet, where it is gone, is not
    started."""
    kubelet = machine.supervisor.process(machine.kubelet)
    runs = kubelet is not None and kubelet.running
    if kubelet is not None:
        for process in _processes(machine, kubelet.pid) if runs else ():
            _signal(process, signal.SIGCONT)
        machine.supervisor.excuse(machine.kubelet, excused=False)
    if runs and (filling := _filling(machine)) is not None:
        filling.unlink(missing_ok=True)
    if machine.files.pace.exists():
        machine.files.set_pace(None)
        if runs:
            _await_pace(machine, _WHOLE_PERCENT)


@plays(OFFLINE)
def _offline(_kind: FaultKind, machine: Machine) -> None:
    """Its pods die with the kubelet, as with a machine's power; also where that does not end."""
    kubelet = machine.supervisor.release(machine.kubelet)  # nobody starts it again
    endings: list[Callable[[], object]] = [] if kubelet is None else [kubelet.kill]
    # The kernel's notice ends its sandboxes; this waits until all of them have ended.
    endings.append(lambda: groups.kill_node(machine.devnet_id, machine.node))
    if not machine.sandboxed:
        endings.append(lambda: plain.end(machine.devnet_id, machine.node))
    end_all(endings)


@plays(PAUSED)
def _paused(_kind: FaultKind, machine: Machine) -> None:
    """The kubelet first, so that it starts nothing more; then all that it has started."""
    kubelet = machine.supervisor.process(machine.kubelet)
    if kubelet is None or not kubelet.running:
        raise NodeLost(f"node {machine.node!r} is lost")
    machine.supervisor.excuse(machine.kubelet, excused=True)

    def look() -> Seen:
        moving = [each for each in _processes(machine, kubelet.pid) if not _stands(each)]
        for process in moving:
            _signal(process, signal.SIGSTOP)
        return Seen(not moving, f"{len(moving)} of its processes were at work")

    wait_for(f"the standstill of {machine.node}", look, _STANDSTILL_SECONDS, error=ClusterError)


@plays(SLOW)
def _slow(kind: FaultKind, machine: Machine) -> None:
    if not groups.quota_cores(machine.devnet_id, machine.node):
        raise CannotPlay(
            f"the fault '{kind.name}' cannot be played here: {machine.node} has no control group",
            hint="`devnet doctor` says why; as root there is one",
        )
    percent = kind.parameters["percent"]
    machine.files.set_pace(percent)
    _await_pace(machine, percent)


@plays(DISK_FULL)
def _disk_full(kind: FaultKind, machine: Machine) -> None:
    """Where the node has a file system of its own, a file on it takes all that is left."""
    filling = _filling(machine)
    if filling is None:
        raise CannotPlay(
            f"the fault '{kind.name}' cannot be played here: {machine.node} has no disk of its own",
            hint="`devnet doctor` says why; as root with loop devices there is one",
        )
    with filling.open("wb") as file:
        _take_all(file.fileno())


@plays(CRASHED)
def _crashed(_kind: FaultKind, machine: Machine) -> None:
    """By a hand that is not its owner's: the supervisor sees it end, and starts it again."""
    kubelet = machine.supervisor.process(machine.kubelet)
    if kubelet is None or not kubelet.running:
        raise NodeLost(f"node {machine.node!r} is lost")
    machine.supervisor.tick()  # one that it has not seen at work is not started again
    os.kill(kubelet.pid, signal.SIGKILL)

    def look() -> Seen:
        machine.supervisor.check(machine.node)
        now = machine.supervisor.process(machine.kubelet)
        away = [str(p) for p in machine.supervisor.ended() if p.name == machine.kubelet]
        return Seen(now is not kubelet and not away, "; ".join(away) or "it has not ended yet")

    wait_for(f"the return of the {machine.kubelet}", look, _BACK_SECONDS, error=ClusterError)
    machine.supervisor.forgive(machine.kubelet)  # else the sixth in a minute would end the devnet


def _await_pace(machine: Machine, percent: int) -> None:
    wished = max(_LEAST_CORES, machine.files.milli_cpu * percent / _WHOLE_PERCENT / 1000)

    def look() -> Seen:
        cores = groups.quota_cores(machine.devnet_id, machine.node)
        return Seen(abs(cores - wished) <= wished / 100, f"a quota of {cores:.3f} cores")

    what = f"{machine.node} at {percent} % of its processors"
    wait_for(what, look, _PACE_SECONDS, every_seconds=0.05, error=ClusterError)


def _filling(machine: Machine) -> Path | None:
    """The file that fills the node's disk, which its kubelet alone sees; None where it has none."""
    kubelet = machine.supervisor.process(machine.kubelet)
    if kubelet is None or not kubelet.running:
        return None
    seen = Path(f"/proc/{kubelet.pid}/root")
    disk = seen.joinpath(*machine.files.disk.parts[1:])
    try:
        own = disk.stat().st_dev != disk.parent.stat().st_dev
    except OSError:
        return None
    return disk / "full" if own else None


def _take_all(file: int) -> None:
    """All that is free, in pieces that get smaller: the file system needs some for itself."""
    free = os.fstatvfs(file)
    step, taken = free.f_bavail * free.f_frsize, 0
    while step >= free.f_frsize:
        try:
            os.posix_fallocate(file, taken, step)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise ClusterError(f"the disk cannot be filled: {error}") from error
            step //= 2
        else:
            taken += step


def _processes(machine: Machine, kubelet: int) -> list[psutil.Process]:
    """The kubelet, and all that runs below it: each sandbox is its child."""
    found: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(kubelet)
        found = [top, *top.children(recursive=True)]
    if not machine.sandboxed:
        found += [each for each in plain.find(machine.devnet_id, machine.node) if each not in found]
    return found


def _stands(process: psutil.Process) -> bool:
    """One that the kubelet was about to begin is held by it, as by a debugger."""
    try:
        return process.status() in _STANDING
    except psutil.NoSuchProcess:
        return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):  # checks that the number is no other's by now
        process.send_signal(number)
