"""Plain processes of unsandboxed nodes: found by the marks in their environments, and ended.

Their kubelets end them; whoever started the kubelets ends what a killed one left.
"""

from __future__ import annotations

import contextlib
import os
import time

import psutil

from cluster.errors import ClusterError

_DEVNET, _NODE = "KOMPUTE_DEVNET_ID", "KOMPUTE_NODE"  # as the runtime marks every process of a pod
_KILL_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


def end(devnet_id: str, node: str = "") -> None:
    """SIGKILL the pods' processes of a node, or of all, until none is left.

    Raises `ClusterError` naming what is left after 5 s.
    """
    end_seconds = time.monotonic() + _KILL_SECONDS
    while left := find(devnet_id, node):
        if time.monotonic() >= end_seconds:
            raise ClusterError(
                f"processes of pods are left {_KILL_SECONDS:g} s after SIGKILL: "
                f"{', '.join(map(_named, left))}",
                hint="`devnet gc` ends what is left once the kernel lets go of it",
            )
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(_PAUSE_SECONDS)


def _named(process: psutil.Process) -> str:
    try:
        return f"{process.name()} (pid {process.pid}, {process.status()})"
    except psutil.Error:
        return f"pid {process.pid}"


def find(devnet_id: str, node: str = "") -> list[psutil.Process]:
    """Whatever carries the marks, shares a session with such a one or descends from it; but for who
    asks, and those it descends from."""
    own = {os.getpid(), *(each.pid for each in psutil.Process().parents())}
    everything = [each for each in psutil.process_iter() if each.pid not in own and _lives(each)]
    marked = [each for each in everything if _is_marked(each, devnet_id, node)]
    sessions = {_session(each) for each in marked} - {0}
    found = {each for each in everything if _session(each) in sessions} | set(marked)
    for each in tuple(found):
        with contextlib.suppress(psutil.Error):
            found |= set(filter(_lives, each.children(recursive=True)))
    return list(found)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _is_marked(process: psutil.Process, devnet_id: str, node: str) -> bool:
    try:
        has = process.environ()
    except psutil.Error:  # another user's, or gone
        return False
    return has.get(_DEVNET) == devnet_id and (has.get(_NODE) == node if node else _NODE in has)


def _session(process: psutil.Process) -> int:
    """0 where nobody says."""
    try:
        return os.getsid(process.pid)
    except OSError:
        return 0
