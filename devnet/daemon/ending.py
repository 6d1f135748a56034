"""Ending the daemon, seen from the command line."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable

import psutil

from devnet.base import DevnetError, wait_for
from devnet.base.folder import DevnetFolder
from devnet.daemon.leftovers import Cleared, alive, clear

STOP_SECONDS = 60.0
KILL_SECONDS = 10.0


def stop(folder: DevnetFolder, say: Callable[[str], None]) -> Cleared:
    """End the daemon in order, then remove what it left; harmless when it does not run."""
    _end(alive(folder.state()), say)
    with folder.held():
        return clear(folder)


def end(pid: int, say: Callable[[str], None]) -> None:
    """SIGTERM, and SIGKILL for a daemon that is not gone in a minute."""
    with contextlib.suppress(psutil.NoSuchProcess):
        _end(psutil.Process(pid), say)


def _end(daemon: psutil.Process | None, say: Callable[[str], None]) -> None:
    if daemon is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        daemon.send_signal(signal.SIGTERM)
    try:
        wait_for(
            f"the daemon ({daemon.pid}) to end",
            lambda: _gone(daemon),
            limit_seconds=STOP_SECONDS,
            progress=say,
        )
    except DevnetError:
        say(f"it did not end within {STOP_SECONDS:g} s: killing it")
        with contextlib.suppress(psutil.NoSuchProcess):
            daemon.kill()
        with contextlib.suppress(psutil.TimeoutExpired):
            daemon.wait(KILL_SECONDS)


def _gone(daemon: psutil.Process) -> bool:
    try:
        return not daemon.is_running() or daemon.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
