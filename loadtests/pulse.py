"""Whether the users could run at all: a greenlet that notices when nobody here got to run.

Whatever holds the process still (SIGSTOP, a machine asleep, no processor left) holds the users'
own clocks of their requests still with it, so none of them sees it; a tick that comes too late
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import gevent

EVERY_SECONDS: Final = 0.1
UNREMARKABLE_SECONDS: Final = 0.25  # a greenlet that computes, or a busy machine


class Pulse:
    """Ticks from `start` on; `now` is `time.perf_counter` or a test's clock."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._last = now()
        self._stalled = 0.0

    def start(self) -> gevent.Greenlet:
        """Tick from now on, in a greenlet of its own."""
        self.tick()
        self._stalled = 0.0
        return gevent.spawn(self._run)

    def tick(self) -> None:
        """One sign of life."""
        self._stalled += self._under_way()
        self._last = self._now()

    def stalled_seconds(self) -> float:
        """For how long nobody ran, so far; also right after a stall, before the next tick."""
        return self._stalled + self._under_way()

    def _under_way(self) -> float:
        late = self._now() - self._last - EVERY_SECONDS
        return late if late > UNREMARKABLE_SECONDS else 0.0

    def _run(self) -> None:
        while True:
            gevent.sleep(EVERY_SECONDS)
            self.tick()
