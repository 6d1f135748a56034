"""The one way to wait: bounded, saying what for, and telling what was last seen on its limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from devnet.base.errors import WaitExpired
from devnet.base.telling import Passing

T = TypeVar("T")

PROGRESS_EVERY_SECONDS = 2.0
LOG_TAIL_LINES = 25
LOG_TAIL_BYTES = 16_384


def wait_for(
    what: str,
    condition: Callable[[], T | None],
    *,
    limit_seconds: float,
    seen: Callable[[], str] = lambda: "",
    log: Path | None = None,
    every_seconds: float = 0.05,
    progress: Callable[[str], None] | None = None,
) -> T:
    """Ask `condition` until it gives something other than None or False, and return that.

    `seen` describes the last observation; `log` is the file whose tail explains a failure;
    `progress` gets a passing line every two seconds. What `condition` raises passes through.

    Raises WaitExpired after `limit_seconds`; `condition` is asked at least once, and once more
    at the limit.
    """
    start = time.monotonic()
    next_progress = start + PROGRESS_EVERY_SECONDS
    while True:
        now = time.monotonic()
        value = condition()
        if value is not None and value is not False:
            return value
        if now - start >= limit_seconds:
            raise WaitExpired(what, limit_seconds, seen(), log_tail(log))
        if progress is not None and now >= next_progress:
            observed = seen()
            progress(Passing(f"waiting for {what}" + (observed and f"; {observed}")))
            next_progress = now + PROGRESS_EVERY_SECONDS
        time.sleep(min(every_seconds, max(0.0, limit_seconds - (now - start))))


def log_tail(log: Path | None, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a log file; empty when there is no file or nothing in it."""
    if log is None or not log.is_file():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        text = stream.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
