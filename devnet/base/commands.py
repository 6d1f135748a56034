"""Running a tool to its end: bounded, quiet when it works, its last lines when it does not."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devnet.base import obstacles
from devnet.base.environment import plain_environment
from devnet.base.errors import MachineLacks
from devnet.base.telling import Passing

KEPT_LINES = 30
STOP_SECONDS = 5.0
ANSWER_SECONDS = 20.0


def answer_of(command: Sequence[str | Path], **env: str) -> str:
    """What a program says of itself, such as its version; empty where it cannot be asked, or does
    not answer within 20 s. `env` is added to the plain environment."""
    try:
        told = subprocess.run(
            command,
            env=plain_environment(**env),
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout


def run_tool(
    what: str,
    command: Sequence[str | Path],
    *,
    limit_seconds: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    line: Callable[[str], None] = lambda text: None,
    hint: str = "",
) -> list[str]:
    """Run `command`, hand each line of its output to `line`, return the last thirty.

    `env` is its whole environment, the plain one when None. The tool's process group ends with
    this call, on Ctrl-C too.

    Raises MachineLacks when it cannot be started, fails, or is not done in `limit_seconds`.
    """
    words = [str(word) for word in command]
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=plain_environment() if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise MachineLacks(
            f"{what}: {words[0]} cannot be started: {error}", hint=obstacles.hint(error, hint)
        ) from error
    late = threading.Event()

    def expire() -> None:
        late.set()
        _end_group(process)

    timer = threading.Timer(limit_seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdout is not None
        for text in process.stdout:
            kept.append(text.rstrip())
            line(text.rstrip())
        code = process.wait()
    finally:
        timer.cancel()
        _end_group(process)
    if late.is_set():
        raise MachineLacks(_told(what, f"not done within {limit_seconds:g} s", kept), hint=hint)
    if code != 0:
        obstacle = obstacles.of_code(code) or obstacles.in_words(kept)
        raise MachineLacks(
            _told(what, f"`{' '.join(words)}` {obstacles.ended(code)}", kept),
            hint=obstacle.hint if obstacle else hint,
        )
    return list(kept)


def _told(what: str, happened: str, kept: Sequence[str]) -> str:
    return "\n".join([f"{what}: {happened}", *(f"  {text}" for text in kept)])


def _end_group(process: subprocess.Popen[str]) -> None:
    """TERM, then KILL, for the whole group of a tool that is still running."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


class Pulse:
    """Says a passing line at most every `every_seconds`."""

    def __init__(self, say: Callable[[str], None], every_seconds: float = 2.0) -> None:
        self._say, self._every = say, every_seconds
        self._last = time.monotonic()

    def beat(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            self._say(Passing(text))
