"""A pod or a job as one local process: the runtime of `sim`."""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from cluster.errors import ClusterError

HOST = "127.0.0.1"
DEVNET_ID = "KOMPUTE_DEVNET_ID"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_PYTHON_NAMES = ("python3", "python")
_PROBE_SECONDS = 0.5
_REAP_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
# The kernel sends PDEATHSIG when the *thread* that forked ends, so one lasting thread forks all.
_FORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pod-forker")


class PodNotStarted(ClusterError):
    """The command or its folder does not exist, or may not be run."""


@dataclass(frozen=True, slots=True)
class PodCommand:
    """What to run. `port` 0: it serves nothing; a `payload` makes it a job (see `PodProcess`)."""

    pod: str
    node: str
    folder: Path
    command: tuple[str, ...]
    devnet_id: str
    log: Path
    port: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    payload: bytes | None = None

    def environment(self) -> dict[str, str]:
        """Few inherited variables, the workload's own, and what every pod is told."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        told = {
            "HOST": HOST,
            "POD_NAME": self.pod,
            "NODE_NAME": self.node,
            DEVNET_ID: self.devnet_id,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # a service's folder is not ours to write to
        }
        if self.port:
            told["PORT"] = str(self.port)
        return {**inherited, **self.env, **told}

    def argv(self) -> list[str]:
        """The command, with this interpreter in place of a plain `python3`."""
        program, *arguments = self.command
        return [sys.executable if program in _PYTHON_NAMES else program, *arguments]

    @property
    def output(self) -> Path:
        """Where a job's stdout goes."""
        return self.log.with_suffix(".out")


def _nothing() -> None:
    return None


def dies_with_parent(enter: Callable[[], None] = _nothing) -> Callable[[], None]:
    """What a child calls before its program: SIGKILL when the forking thread ends, then `enter`."""
    parent = os.getpid()

    def in_child() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        enter()

    return in_child


class PodProcess:
    """A running pod: own session, dead when this process is. Owners call `stop` or `kill`.

    A service writes stdout and stderr to `log`. A job (`payload` given) reads the payload on
    stdin and writes stdout to `command.output`, stderr to `log`.
    """

    def __init__(
        self,
        command: PodCommand,
        *,
        enter: Callable[[], None] = _nothing,
        prefix: tuple[str, ...] = (),
    ) -> None:
        """Start it. `enter` runs in the child before the program (limits); `prefix` wraps it.

        Raises `PodNotStarted`.
        """
        self.command = command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._popen = _FORKER.submit(self._fork, enter, prefix).result()
        except (OSError, subprocess.SubprocessError) as error:
            raise PodNotStarted(f"pod {command.pod}: {error}") from error

    def _fork(self, enter: Callable[[], None], prefix: tuple[str, ...]) -> subprocess.Popen[bytes]:
        command = self.command
        with command.log.open("ab") as log, tempfile.TemporaryFile() as stdin:
            stdin.write(command.payload or b"")
            stdin.seek(0)
            job = command.payload is not None
            with command.output.open("wb") if job else open(os.dup(log.fileno()), "ab") as output:
                return subprocess.Popen(
                    [*prefix, *command.argv()],
                    cwd=command.folder,
                    env=command.environment(),
                    stdin=stdin,
                    stdout=output,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=dies_with_parent(enter),
                )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """`None` while it runs; a signal is negative."""
        return self._popen.poll()

    def answers(self, path: str, limit_seconds: float = _PROBE_SECONDS) -> bool:
        """Whether GET `path` on its port is answered 200 to 399, as a kubelet's probe judges."""
        return probe(self.command.port, path, limit_seconds)

    def memory_peak(self) -> int:
        """Bytes of its largest resident set so far (VmHWM), 0 once it is gone."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return 0
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
        return 0

    def wait(self, limit_seconds: float) -> bool:
        """Whether it has ended within the limit."""
        try:
            self._popen.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        if self._popen.poll() is None:
            self._popen.terminate()

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL to what is left of its session after the grace."""
        self.terminate()
        self.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to its whole session, and reap."""
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.wait(_REAP_SECONDS)


def probe(port: int, path: str, limit_seconds: float = _PROBE_SECONDS) -> bool:
    """One HTTP readiness probe of a port of this machine."""
    connection = http.client.HTTPConnection(HOST, port, timeout=limit_seconds)
    try:
        connection.request("GET", path, headers={"User-Agent": "kompute-probe"})
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
