"""Starting the daemon, seen from the command line: with no module that an order does not need."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from devnet.base import StartFailed, UsageError
from devnet.base.environment import daemon_environment
from devnet.base.folder import DevnetFolder
from devnet.base.waiting import log_tail
from devnet.daemon.messages import Refused, heard, parsed, refused

START_SECONDS = 1800.0  # the control plane may have to be built first
STOP_SECONDS = 60.0
KILL_SECONDS = 10.0
LOG = "daemon.log"


@dataclass(frozen=True, slots=True)
class StartOrder:
    """What `devnet up` asks its daemon for."""

    network: str
    cluster: str
    seconds_per_block: float
    seed: int = 0
    overrides: dict[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> StartOrder:
        return cls(**json.loads(text))


def start(folder: DevnetFolder, order: StartOrder, say: Callable[[str], None]) -> dict[str, Any]:
    """Start the daemon and wait until its devnet is up; gives its status.

    Raises what kept it from starting, with the daemon's own exit code; nothing is left then.
    Interrupted, it ends the daemon in order first.
    """
    with folder.starting():
        return _started(folder, order, say)


def _started(folder: DevnetFolder, order: StartOrder, say: Callable[[str], None]) -> dict[str, Any]:
    if folder.is_held():
        raise UsageError(
            f"the devnet `{folder.name}` is up already, or another process uses its folder",
            hint="devnet status, devnet down, or another --name",
        )
    new = folder.is_new()
    folder.logs.mkdir(parents=True, exist_ok=True)
    log = folder.logs / LOG
    reads, writes = os.pipe()
    try:
        with log.open("ab") as output:  # the daemon empties it once it begins
            process = subprocess.Popen(
                [sys.executable, "-m", "devnet.daemon", folder.path, str(writes), order.to_text()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=daemon_environment(),
                start_new_session=True,
                pass_fds=(writes,),
            )
    except BaseException:
        os.close(reads)
        raise
    finally:
        os.close(writes)
    try:
        return _until_ready(reads, process, log, say)
    except BaseException as error:
        from devnet.daemon.ending import end

        if process.poll() is None:
            end(process.pid, say)
        if new and isinstance(error, Refused) and error.exit_code == UsageError.exit_code:
            folder.drop()  # as of a faulty network: nothing began
        raise
    finally:
        os.close(reads)


def _until_ready(
    reads: int, process: subprocess.Popen[bytes], log: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    for message in _messages(reads, log):
        if "say" in message:
            say(heard(message))
        elif message.get("ok"):
            status: dict[str, Any] = message["result"]
            return status
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)  # it clears up after itself
            raise refused(message)
    code = process.wait(KILL_SECONDS)
    raise StartFailed(
        f"the daemon ended with {code} while it started\n--- end of {log} ---\n{log_tail(log)}",
        hint="devnet gc",
    )


def _messages(reads: int, log: Path) -> Iterator[dict[str, Any]]:
    """The daemon's lines until it closes its end."""
    limit = time.monotonic() + START_SECONDS
    buffered = b""
    while True:
        ready, _, _ = select.select([reads], [], [], max(0.0, limit - time.monotonic()))
        if not ready:
            raise StartFailed(
                f"the devnet was not up within {START_SECONDS:g} s\n--- end of {log} ---\n"
                f"{log_tail(log)}"
            )
        data = os.read(reads, 65536)
        if not data:
            return
        *lines, buffered = (buffered + data).split(b"\n")
        yield from (parsed(text) for text in lines)
