"""Child processes of a devnet: marked with its id, in groups of their own, ended within a limit."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from devnet.base import obstacles
from devnet.base.environment import ID_VARIABLE, plain_environment
from devnet.base.errors import StartFailed
from devnet.base.waiting import log_tail

STOP_SECONDS = 5.0
KILL_SECONDS = 5.0


class Child:
    """One running child process, with its output in a log file; ends with its `with` block.

    It leads a process group of its own, so Ctrl-C reaches only the parent, which stops its
    children in order. Where `setpriv` is present and the main thread starts it, the kernel sends
    it SIGTERM when the parent dies, even by SIGKILL.

    `env` is its whole environment, the plain one when None; the mark is added.
    Raises StartFailed when the command cannot be started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        devnet_id: str,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name, self.log = name, log
        words = [str(word) for word in command]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    [*_ended_with_parent(), *words],
                    env={**(plain_environment() if env is None else env), ID_VARIABLE: devnet_id},
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise StartFailed(f"{name}: {words[0]} cannot be started: {error}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal's number for one that was killed; None while it runs."""
        return self._process.poll()

    def alive(self) -> bool:
        return self._process.poll() is None

    def state(self) -> str:
        """What the system says it is doing: running, sleeping, stopped, gone."""
        try:
            return str(psutil.Process(self.pid).status())
        except psutil.NoSuchProcess:
            return "gone"

    def require_alive(self) -> None:
        """Raises StartFailed, with the end of the log, when the process has ended."""
        if (code := self.returncode) is not None:
            known = obstacles.of_code(code)
            raise StartFailed(
                f"{self.name} {obstacles.ended(code)}\n--- end of the log {self.log} ---\n"
                f"{log_tail(self.log)}",
                hint=known.hint if known else "",
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; nothing happens when it has ended."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def kill(self) -> None:
        """SIGKILL to the whole group, as a fault would have it."""
        self.signal(signal.SIGKILL)
        self._process.wait(KILL_SECONDS)

    def stop(self, limit_seconds: float = STOP_SECONDS) -> int:
        """TERM to the group, KILL after `limit_seconds`; the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(limit_seconds)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        code = self._process.wait(KILL_SECONDS)
        self.signal(signal.SIGKILL)  # what the leader left in its group
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def orphans(devnet_id: str) -> list[psutil.Process]:
    """Every living process that carries the devnet's id, save this one and its ancestors."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        if process.pid in own:
            continue
        try:
            if process.environ().get(ID_VARIABLE) != devnet_id:
                continue
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # another user's, or gone meanwhile
    return found


def end_processes(
    processes: Iterable[psutil.Process], limit_seconds: float = STOP_SECONDS
) -> list[int]:
    """TERM, then KILL after `limit_seconds`; the ids of those that had to be killed."""
    living = list(processes)
    for process in living:
        _send(process, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(living, timeout=limit_seconds)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=KILL_SECONDS)
    return sorted(process.pid for process in stubborn)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # checks that the id was not reused
    except psutil.NoSuchProcess:
        return


def _ended_with_parent() -> list[str]:
    # The kernel watches the thread that forked, so a short-lived thread would end its children.
    if threading.current_thread() is not threading.main_thread():
        return []
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
