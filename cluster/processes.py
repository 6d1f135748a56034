"""Child processes of a cluster: own log and group, a bounded stop, dead with their parent."""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from cluster.ended import Ended, how_ended, log_tail
from cluster.errors import ClusterError, ClusterLacks, ClusterStartFailed

_LOOPBACK = "127.0.0.1"
_LOWEST_PORT = 15000
_PORT_TRIES = 10_000
_USUAL_EPHEMERAL_START = 32768
_KILL_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
# The kernel sends PDEATHSIG when the *thread* that forked ends, so every child is forked by one
# thread that lives as long as this process.
_FORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cluster-forker")
# Looked up here: the child may not touch the loader's locks between fork and exec.
_PRCTL = ctypes.CDLL(None).prctl


class Process:
    """One running child. The owner calls `stop` or `kill`; both are bounded."""

    def __init__(
        self, name: str, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str]
    ) -> None:
        """Start `command`; raises `ClusterLacks` when its program does not exist."""
        self.name, self.log = name, log
        self._command = [str(part) for part in command]
        self._env = dict(env)
        self._asked = self._killed = False
        log.parent.mkdir(parents=True, exist_ok=True)
        self._popen = _FORKER.submit(self._fork).result()

    def _fork(self) -> subprocess.Popen[bytes]:
        parent = os.getpid()

        def die_with_parent() -> None:
            _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with self.log.open("ab") as output:
            try:
                return subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            except FileNotFoundError as error:
                raise ClusterLacks(
                    f"{self.name}: no program at {self._command[0]}",
                    hint="build the control plane first",
                ) from error

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def check(self) -> None:
        """Raise `ClusterStartFailed` with the log's tail if the child has ended."""
        code = self._popen.poll()
        if code is not None:
            raise ClusterStartFailed(
                f"{self.name} {how_ended(code)}\n--- end of {self.log} ---\n{self.tail()}",
                hint="ulimit -f limits the size of its files" if code == -signal.SIGXFSZ else "",
            )

    def ended(self, node: str = "") -> Ended | None:
        """How it ended by itself; None while it runs, and once its owner has ended it."""
        code = self._popen.poll()
        if code is None or self._killed:
            return None
        return Ended(self.name, how_ended(code), self.log, node)

    def stopped(self) -> bool:
        """Whether it is there and was stopped by a signal (SIGSTOP, a debugger)."""
        try:
            status = Path(f"/proc/{self._popen.pid}/stat").read_text()
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] in "Tt"  # its name may have blanks

    def resume(self) -> None:
        """Let it go on where a signal has stopped it."""
        if self.running:
            os.kill(self._popen.pid, signal.SIGCONT)

    def tail(self) -> str:
        """The last 4 KiB of the log."""
        return log_tail(self.log)

    def terminate(self) -> None:
        """SIGTERM, without waiting: `stop` follows. Once: by a second one Kubernetes' programs end
        in the middle of their shutdown."""
        if self.running and not self._asked:
            self._asked = True
            self._popen.terminate()

    def stop(self, limit_seconds: float) -> None:
        """SIGTERM, then SIGKILL to the group once `limit_seconds` are over. Raises like `kill`."""
        stop_all([self], limit_seconds)

    def kill(self) -> None:
        """SIGKILL to the whole group, and reap. Raises `ClusterError` where it does not end."""
        kill_all([self])

    def send_kill(self) -> None:
        """SIGKILL to the whole group; once: the group's number may be another's then, as it is
        where the child has been reaped and its number names a process."""
        if self._killed:
            return
        self._killed = True
        if not self.running and Path(f"/proc/{self._popen.pid}").exists():
            return
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def wait_until(self, end: float) -> bool:
        """Whether it has ended by that moment of the monotonic clock."""
        try:
            self._popen.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True


def stop_all(processes: Sequence[Process], limit_seconds: float) -> None:
    """SIGTERM to all, then SIGKILL to the groups of all once `limit_seconds` are over, which are
    those of all of them together. Raises like `kill_all`."""
    for process in processes:
        process.terminate()
    end = time.monotonic() + limit_seconds
    for process in processes:
        process.wait_until(end)
    kill_all(processes)


def kill_all(processes: Sequence[Process]) -> None:
    """SIGKILL to the groups of all, and reap them.

    Raises `ClusterError` naming those that have not ended 5 s later: the kernel keeps a process
    that waits for a disk, say.
    """
    for process in processes:
        process.send_kill()
    end = time.monotonic() + _KILL_SECONDS
    left = [process for process in processes if not process.wait_until(end)]
    if left:
        named = ", ".join(f"{process.name} (pid {process.pid})" for process in left)
        raise ClusterError(
            f"not ended {_KILL_SECONDS:g} s after SIGKILL: {named}",
            hint="`devnet gc` ends what is left once the kernel lets go of it",
        )


def end_all(endings: Sequence[Callable[[], object]]) -> None:
    """Call each, whether or not one before it raised a `ClusterError`; then raise them as one."""
    errors: list[ClusterError] = []
    for end in endings:
        try:
            end()
        except ClusterError as error:
            errors.append(error)
    if errors:
        raise ClusterError("; ".join(map(str, errors)), hint=errors[0].hint) from errors[0]


def free_ports(count: int) -> tuple[int, ...]:
    """`count` different TCP ports of 127.0.0.1 that nobody listens on now.

    They lie below the range from which the kernel serves outgoing connections and `bind(0)`:
    a port of that range is taken by somebody within seconds on a busy machine.
    """
    candidates = range(_LOWEST_PORT, _ephemeral_start())
    found: set[int] = set()
    for _ in range(_PORT_TRIES):
        if len(found) == count:
            return tuple(found)
        port = secrets.choice(candidates)
        if is_free(port):
            found.add(port)
    raise ClusterLacks(f"no {count} free ports between {candidates[0]} and {candidates[-1]}")


def is_free(port: int) -> bool:
    """Whether nobody has that TCP port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: a connection that is fading away (TIME_WAIT) is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
        return True


def _ephemeral_start() -> int:
    try:
        start = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return _USUAL_EPHEMERAL_START
    # A machine that hands out nearly all ports leaves nothing below: then no port is safer.
    return start if start >= _LOWEST_PORT + 1000 else 65536
