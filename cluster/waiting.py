"""The one way to wait inside `cluster`: bounded, and it says what it last saw."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cluster.errors import ClusterError, ClusterStartFailed


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a condition: whether it holds, and what was there, for the error message."""

    holds: bool
    text: str = ""


def wait_for(
    what: str,
    look: Callable[[], Seen],
    limit_seconds: float,
    *,
    every_seconds: float = 0.02,
    tail: Callable[[], str] = lambda: "",
    error: type[ClusterError] = ClusterStartFailed,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Look until the condition holds.

    Raises `error` once `limit_seconds` are over, with the last observation and `tail()`.
    `pause` may return early (a condition variable), it must not outlast its argument.
    """
    end = time.monotonic() + limit_seconds
    while True:
        seen = look()
        if seen.holds:
            return
        left = end - time.monotonic()
        if left <= 0:
            text = f"{what}: not within {limit_seconds:g} s; last seen: {seen.text or 'nothing'}"
            log = tail()
            raise error(f"{text}\n--- end of the log ---\n{log}" if log else text)
        pause(min(every_seconds, left))
