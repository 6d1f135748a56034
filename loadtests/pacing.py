"""Pace by intended time: a stall shows in the times measured, and what it cost is counted."""

from __future__ import annotations

import math
from collections.abc import Callable


class Pacer:
    """One user's schedule: a step every `step_seconds`, however long the last one took.

    A user later than `most_late_steps` gives up the steps it has missed: `on_drop` is told how
    many. `now` is `time.perf_counter` or a test's clock.
    """

    def __init__(
        self,
        step_seconds: float,
        most_late_steps: int,
        now: Callable[[], float],
        on_drop: Callable[[int], None],
    ) -> None:
        self._step = step_seconds
        self._most_late = most_late_steps * step_seconds
        self._now = now
        self._on_drop = on_drop
        self.due = now()
        self.begun = 0

    def seconds_to_due(self) -> float:
        return max(0.0, self.due - self._now())

    def begin(self) -> float:
        """A step begins: when it was due."""
        self.begun += 1
        return self.due

    def missed(self, end: float) -> int:
        """How many steps were due before `end` and have not begun."""
        return max(0, math.ceil((end - self.due) / self._step))

    def done(self, excused_seconds: float = 0.0) -> None:
        """The step is over; `excused_seconds` of it the protocol had it wait."""
        self.due += self._step + excused_seconds
        late = self._now() - self.due
        if late > self._most_late:
            missed = int(late // self._step)
            self.due += missed * self._step
            self._on_drop(missed)
