"""Whether the witnesses were awake: a loss that was seen across a gap of theirs is no evidence.

When this process or the whole machine was stopped for a while, every lease has run out at its
awakening and every node looks lost, though each of them slept as well. The same where the control
plane alone was: no lease was renewed with it, or nobody looked at those that were.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

EVERY_SECONDS = 0.2
GAP_SECONDS = 1.0  # a lease of 2 s, renewed every 0.5 s, survives less
DOUBT_SECONDS = 5.0  # after awakening: until leases are renewed, and that was seen


def _clock() -> float:
    # Goes on while the machine sleeps, which CLOCK_MONOTONIC does not on Linux.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Vigil:
    """Ticks in a thread of its own from `start` to `stop`; its questions are for any thread."""

    def __init__(
        self, clock: Callable[[], float] = _clock, asleep: Callable[[], bool] = lambda: False
    ) -> None:
        """`asleep`: whether another witness, without which nothing is seen, is stopped now."""
        self._clock, self._asleep = clock, asleep
        self._last = clock()
        self._awake_since = float("-inf")
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def start(self) -> None:
        self.tick()
        self._awake_since = float("-inf")
        threading.Thread(target=self._run, name="vigil", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def tick(self) -> None:
        """One sign of life; notices how long ago the last one was."""
        with self._lock:
            now = self._clock()
            if now - self._last > GAP_SECONDS or self._asleep():
                self._awake_since = now
            self._last = now

    def doubt_seconds(self) -> float:
        """For how long what is seen now proves nothing yet; 0 for one that has been awake."""
        self.tick()  # whoever wakes up first notices the gap
        return max(0.0, self._awake_since + DOUBT_SECONDS - self._clock())

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            self.tick()
